/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/json_schema_errors.h"

#include <stdarg.h>
#include <stdio.h>

#include "rego/yaml_scalar.h"
#include "value/json.h"

enum { TEXT_MAX = 1 << 20 };

static void put_place(vs_buf *out, const place *at)
{
    if (!at->up)
        return;
    put_place(out, at->up);
    if (at->up->up)
        vs_buf_putc(out, '.');
    if (at->name.p)
        vs_buf_put(out, at->name);
    else
        vs_buf_printf(out, "%u", at->index);
}

static void put_field(vs_buf *out, const place *at)
{
    if (at->up)
        put_place(out, at);
    else
        vs_buf_puts(out, "(Root)");
}

/* As the JSON that Go writes: safe inside HTML. */
static void put_json(vs_buf *out, vs_val x)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    vs_json_print(&text, x);
    vs_json_escape_html(out, vs_buf_span(&text));
    out->failed |= !vs_buf_ok(&text);
}

static void take(validator *v, const vs_buf *text, vs_val *out)
{
    if (!vs_buf_ok(text) || !rego_charge(v->b, text->n / 8))
        v->stopped = REGO_B_LIMIT;
    *out = vs_string_dup(v->b->a, vs_buf_span(text));
}

static void complain_of(validator *v, result *r, const place *at, const char *type, vs_span desc)
{
    VS_CLEANUP(vs_buf_free) vs_buf field = VS_BUF(TEXT_MAX), error = VS_BUF(2 * TEXT_MAX);
    vs_val texts[2];
    put_field(&field, at);
    vs_buf_put(&error, vs_buf_span(&field));
    vs_buf_puts(&error, ": ");
    vs_buf_put(&error, desc);
    take(v, &field, &texts[0]);
    take(v, &error, &texts[1]);
    if (!vs_buf_ok(&field))
        v->stopped = REGO_B_LIMIT;
    vs_obj o = {.a = v->b->a};
    vs_obj_put(&o, "desc", vs_string_dup(v->b->a, desc));
    vs_obj_put(&o, "error", texts[1]);
    vs_obj_put(&o, "field", texts[0]);
    vs_obj_put(&o, "type", vs_cstring(type));
    vs_vec_add(&r->errors, vs_obj_end(&o, VS_DUP_LAST, NULL));
}

/* True when the violation is to be described: complain_of follows. */
static bool violated(validator *v, result *r)
{
    r->failed = true;
    r->score -= 2;
    if (!rego_charge(v->b, 16))
        v->stopped = REGO_B_LIMIT;
    return v->quiet == 0 && v->stopped == REGO_B_OK;
}

void complain(validator *v, result *r, const place *at, const char *type, const char *fmt, ...)
{
    va_list ap, again;
    if (!violated(v, r))
        return;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *desc = n >= 0 ? vs_alloc(v->b->a, (size_t)n + 1) : NULL;
    if (desc)
        (void)vsnprintf(desc, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    if (desc)
        complain_of(v, r, at, type, vs_span_of(desc, (size_t)n));
    else
        v->stopped = REGO_B_LIMIT;
}

/* A violation whose description ends in JSON: "<field> does not match: 1". */
void complain_json(validator *v, result *r, const place *at, const char *type, const char *text,
                   const vs_val *values, size_t n)
{
    VS_CLEANUP(vs_buf_free) vs_buf desc = VS_BUF(TEXT_MAX);
    if (!violated(v, r))
        return;
    put_field(&desc, at);
    vs_buf_puts(&desc, text);
    for (size_t i = 0; i < n; i++) {
        vs_buf_puts(&desc, i ? ", " : "");
        put_json(&desc, values[i]);
        if (!rego_charge(v->b, vs_weight(values[i])))
            v->stopped = REGO_B_LIMIT;
    }
    if (vs_buf_ok(&desc))
        complain_of(v, r, at, type, vs_buf_span(&desc));
    else
        v->stopped = REGO_B_LIMIT;
}

void complain_name(validator *v, result *r, const place *at, const char *type, const char *before,
                   vs_val name, const char *after)
{
    VS_CLEANUP(vs_buf_free) vs_buf desc = VS_BUF(TEXT_MAX);
    if (!violated(v, r))
        return;
    vs_buf_puts(&desc, before);
    vs_buf_put(&desc, vs_text(name));
    vs_buf_puts(&desc, after);
    if (vs_buf_ok(&desc))
        complain_of(v, r, at, type, vs_buf_span(&desc));
    else
        v->stopped = REGO_B_LIMIT;
}

void complain_limit(validator *v, result *r, const place *at, const char *type, const char *text,
                    vs_val n)
{
    VS_CLEANUP(vs_buf_free) vs_buf desc = VS_BUF(TEXT_MAX);
    if (!violated(v, r))
        return;
    vs_buf_puts(&desc, text);
    rego_put_number_g(&desc, v->b->a, n);
    if (vs_buf_ok(&desc))
        complain_of(v, r, at, type, vs_buf_span(&desc));
    else
        v->stopped = REGO_B_LIMIT;
}
