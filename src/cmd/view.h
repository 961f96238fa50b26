/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output for people: what is shown comes from evidence and tokens of strangers, so nothing reaches
 * the terminal unescaped. Everything is collected in a buffer and written at the end.
 */
#ifndef VS_CMD_VIEW_H
#define VS_CMD_VIEW_H

#include "base/buf.h"
#include "envelope/ear.h"

typedef struct view {
    vs_buf out;
    bool color;
    bool terminal; /* standard output is one */
} view;

/* Colour only on a terminal, and not when NO_COLOR is set or TERM is "dumb". */
void view_init(view *v);
void view_free(view *v);
/* To standard output; false after a failure. */
bool view_flush(view *v);

typedef enum view_style { VIEW_PLAIN, VIEW_BOLD, VIEW_GREEN, VIEW_YELLOW, VIEW_RED } view_style;
view_style view_tier_style(ear_tier tier);
/* A text of ours, in a style. */
void view_styled(view *v, view_style style, const char *fmt, ...) VS_PRINTF(3, 4);
/* A text of theirs: control, bidirectional and invalid characters are shown as \xNN or \uNNNN. */
void view_text(view *v, vs_span text);

/* The same for any buffer; with `html` also what HTML gives a meaning to. */
void view_escape(vs_buf *out, vs_span text, bool html);
/* JSON text whose strings cannot steer a terminal: characters as above become \\u escapes. */
void view_json(view *v, vs_span json);

/* "  name    value" lines; `indent` in steps of two spaces. */
void view_row(view *v, unsigned indent, const char *name, vs_span text);
void view_rowf(view *v, unsigned indent, const char *name, const char *fmt, ...) VS_PRINTF(4, 5);
/* Base64, and on the next line hexadecimal. */
void view_bytes(view *v, unsigned indent, const char *name, vs_span bytes);

/* "prefix: subject: outer: inner: root" and a line feed on standard error, as view_text. */
void view_complain(const char *prefix, const char *subject, const vs_error *err);

#endif
