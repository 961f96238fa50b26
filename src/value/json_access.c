/* SPDX-License-Identifier: Apache-2.0 */
/* The ordered writer, and typed access with precise errors. */
#include "value/json.h"

static void separate(vs_jw *w)
{
    if (w->comma)
        vs_buf_putc(w->out, ',');
    w->comma = true;
}

void vs_jw_open(vs_jw *w, char bracket)
{
    separate(w);
    vs_buf_putc(w->out, bracket);
    w->comma = false;
}

void vs_jw_close(vs_jw *w, char bracket)
{
    vs_buf_putc(w->out, bracket);
    w->comma = true;
}

void vs_jw_key_span(vs_jw *w, vs_span key)
{
    separate(w);
    vs_json_quote(w->out, key);
    vs_buf_putc(w->out, ':');
    w->comma = false;
}

void vs_jw_key(vs_jw *w, const char *key)
{
    vs_jw_key_span(w, vs_str(key));
}

void vs_jw_span(vs_jw *w, vs_span s)
{
    separate(w);
    vs_json_quote(w->out, s);
}

void vs_jw_str(vs_jw *w, const char *s)
{
    vs_jw_span(w, vs_str(s));
}

void vs_jw_val(vs_jw *w, vs_val v)
{
    separate(w);
    vs_json_print(w->out, v);
}

void vs_jw_int(vs_jw *w, int64_t i)
{
    vs_jw_val(w, vs_int(i));
}

void vs_jw_bool(vs_jw *w, bool b)
{
    vs_jw_val(w, vs_bool(b));
}

static const char *with_article(vs_kind k)
{
    static const char *const name[] = {"nothing",  "null",     "a boolean", "a number",
                                       "a string", "an array", "an object", "a set"};
    return (size_t)k < VS_COUNT(name) ? name[k] : "unknown";
}

vs_code vs_may(vs_val object, const char *key, vs_kind kind, vs_val *out, vs_error *err)
{
    *out = vs_undefined();
    if (object.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "expected an object, not %s",
                       with_article((vs_kind)object.kind));
    vs_val v = vs_getc(object, key);
    if (v.kind == VS_UNDEFINED || v.kind == VS_NULL)
        return VS_OK;
    if (v.kind != kind)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" must be %s, not %s", key,
                       with_article(kind), with_article((vs_kind)v.kind));
    *out = v;
    return VS_OK;
}

vs_code vs_need(vs_val object, const char *key, vs_kind kind, vs_val *out, vs_error *err)
{
    VS_TRY(vs_may(object, key, kind, out, err));
    if (vs_defined(*out))
        return VS_OK;
    bool is_null = vs_getc(object, key).kind == VS_NULL;
    return vs_fail(err, VS_E_INVALID,
                   is_null ? "member \"%s\" must not be null" : "member \"%s\" is missing", key);
}
