/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259), strict: one value, UTF-8, no comments, no trailing commas, no lone surrogates,
 * exact numbers; and its RFC 8785 canonical form.
 */
#ifndef VS_VALUE_JSON_H
#define VS_VALUE_JSON_H

#include "base/buf.h"
#include "value/number.h"

typedef struct vs_json_opts {
    uint32_t depth;     /* nested arrays/objects, 0 = 128 */
    size_t nodes;       /* values in all, 0 = 4 million */
    bool dup_last_wins; /* default: a duplicate member name is an error */
    bool lossy;         /* bad UTF-8 and lone surrogates become U+FFFD; default: an error */
} vs_json_opts;

/* Parses one document. Strings without escapes point into `text` (which must outlive the value)
 * unless opts asks otherwise. Errors name line and column. `opts` may be NULL. */
VS_MUST vs_code vs_json_parse(vs_arena *a, vs_span text, const vs_json_opts *opts, vs_val *out,
                              vs_error *err);

/* Prints compactly, members in value order. Sets print as arrays; object keys that are not strings
 * as their own JSON text; bytes that are not UTF-8 as U+FFFD. Undefined prints as null. */
void vs_json_print(vs_buf *out, vs_val v);
/* Two-space indented, for people. */
void vs_json_print_pretty(vs_buf *out, vs_val v);
/* RFC 8785: members sorted by UTF-16 code units, ES6 numbers, minimal escapes. Numbers are printed
 * as the double nearest to them; one that is not finite as a double is VS_E_INVALID. */
VS_MUST vs_code vs_json_canonical(vs_buf *out, vs_val v, vs_error *err);
/* A value as JSON has it: sets are arrays, keys that are not strings their own JSON text (safe
 * inside HTML), and of equal keys the last wins. Undefined when memory runs out, or the result
 * would be too large. */
vs_val vs_json_plain(vs_arena *a, vs_val v);
/* JSON text, with <, >, &, U+2028 and U+2029 as escapes: safe inside HTML. Go writes JSON so. */
void vs_json_escape_html(vs_buf *out, vs_span json);
/* A JSON string with quotes. */
void vs_json_quote(vs_buf *out, vs_span s);

/* A writer for documents whose member order matters on the wire (JWS headers, EAR). Commas are its
 * business: `vs_jw_open(&w,'{'); vs_jw_key(&w,"typ"); vs_jw_str(&w,"JWT"); vs_jw_close(&w,'}');` */
typedef struct vs_jw {
    vs_buf *out;
    bool comma;
} vs_jw;
void vs_jw_open(vs_jw *w, char bracket);
void vs_jw_close(vs_jw *w, char bracket);
void vs_jw_key(vs_jw *w, const char *key);
void vs_jw_key_span(vs_jw *w, vs_span key);
void vs_jw_str(vs_jw *w, const char *s);
void vs_jw_span(vs_jw *w, vs_span s);
void vs_jw_int(vs_jw *w, int64_t i);
void vs_jw_bool(vs_jw *w, bool b);
void vs_jw_val(vs_jw *w, vs_val v);

/* ---- typed access with precise errors, for messages and configuration ---------------------- */

/* Each finds member `key` of `object`. Missing or of the wrong kind: VS_E_INVALID, "member "key"
 * is missing" / "member "key" must be a string, not a number". */
VS_MUST vs_code vs_need(vs_val object, const char *key, vs_kind kind, vs_val *out, vs_error *err);
/* As vs_need, but missing or null gives undefined. */
VS_MUST vs_code vs_may(vs_val object, const char *key, vs_kind kind, vs_val *out, vs_error *err);

#endif
