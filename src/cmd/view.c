/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/io.h"

enum { OUT_MAX = 64 * 1024 * 1024, NAME_WIDTH = 22, LINE_TEXT = 512 };

void view_init(view *v)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    *v = (view){.out = VS_BUF(OUT_MAX), .terminal = isatty(STDOUT_FILENO) == 1};
    v->color = v->terminal && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

void view_free(view *v)
{
    vs_buf_free(&v->out);
}

bool view_flush(view *v)
{
    return vs_buf_ok(&v->out) && vs_write_fd(STDOUT_FILENO, vs_buf_span(&v->out), NULL) == VS_OK;
}

view_style view_tier_style(ear_tier tier)
{
    static const view_style styles[] = {[EAR_NONE] = VIEW_PLAIN,
                                        [EAR_AFFIRMING] = VIEW_GREEN,
                                        [EAR_WARNING] = VIEW_YELLOW,
                                        [EAR_CONTRAINDICATED] = VIEW_RED};
    return styles[tier];
}

void view_styled(view *v, view_style style, const char *fmt, ...)
{
    static const char *const codes[] = {"", "\x1b[1m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
    char text[LINE_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    bool styled = v->color && style != VIEW_PLAIN;
    vs_buf_puts(&v->out, styled ? codes[style] : "");
    view_text(v, vs_str(text));
    vs_buf_puts(&v->out, styled ? "\x1b[0m" : "");
}

/* What can move the cursor, change colours or reorder text: C0, DEL, C1, bidirectional controls. */
static bool is_hostile(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x200e || cp == 0x200f ||
           (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static const char *html_entity(uint32_t cp)
{
    switch (cp) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void view_escape(vs_buf *out, vs_span text, bool html)
{
    bool utf8 = vs_utf8_ok(text);
    for (size_t at = 0; at < text.n;) {
        size_t from = at;
        uint32_t cp = text.p[at];
        if (utf8)
            cp = vs_utf8_next(text, &at);
        else
            at++;
        const char *entity = html ? html_entity(cp) : NULL;
        if (entity)
            vs_buf_puts(out, entity);
        else if (!is_hostile(cp) && (utf8 || cp < 0x80))
            vs_buf_put(out, vs_span_of(text.p + from, at - from));
        else
            vs_buf_printf(out, cp > 0xff ? "\\u%04x" : "\\x%02x", cp);
    }
}

void view_text(view *v, vs_span text)
{
    view_escape(&v->out, text, false);
}

/* The printer has escaped what is below 0x20; what is above stands only within strings. */
void view_json(view *v, vs_span json)
{
    for (size_t at = 0; at < json.n;) {
        size_t from = at;
        if (!vs_utf8_skip(json, &at)) {
            vs_buf_puts(&v->out, "\\ufffd");
            continue;
        }
        size_t again = from;
        uint32_t cp = vs_utf8_next(json, &again);
        if (cp >= 0x7f && is_hostile(cp))
            vs_buf_printf(&v->out, "\\u%04x", cp);
        else
            vs_buf_put(&v->out, vs_span_of(json.p + from, at - from));
    }
}

static void start_row(view *v, unsigned indent, const char *name)
{
    vs_buf_printf(&v->out, "%*s%-*s ", (int)indent * 2, "", NAME_WIDTH, name);
}

void view_row(view *v, unsigned indent, const char *name, vs_span text)
{
    start_row(v, indent, name);
    view_text(v, text);
    vs_buf_putc(&v->out, '\n');
}

void view_rowf(view *v, unsigned indent, const char *name, const char *fmt, ...)
{
    char text[LINE_TEXT];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    view_row(v, indent, name, vs_str(text));
}

void view_bytes(view *v, unsigned indent, const char *name, vs_span bytes)
{
    start_row(v, indent, name);
    vs_b64_encode(&v->out, VS_B64_STD, bytes);
    vs_buf_putc(&v->out, '\n');
    start_row(v, indent, "");
    vs_hex_encode(&v->out, bytes);
    vs_buf_putc(&v->out, '\n');
}

void view_complain(const char *prefix, const char *subject, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    VS_CLEANUP(view_free) view v = {.out = VS_BUF(OUT_MAX)};
    view_styled(&v, VIEW_PLAIN, "%s: %s: ", prefix, subject);
    view_text(&v, vs_str(vs_error_text(err, text, sizeof text)));
    vs_buf_putc(&v.out, '\n');
    (void)fwrite(v.out.p, 1, v.out.n, stderr);
}
