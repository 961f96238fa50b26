/* SPDX-License-Identifier: Apache-2.0 */
#include "net/media_type.h"

#include "base/buf.h"

typedef struct param {
    vs_span name, value; /* the value without quotes and backslashes */
} param;

typedef struct media {
    vs_span type, subtype;
    param params[VS_MEDIA_PARAMS_MAX];
    size_t n;
    uint8_t text[VS_MEDIA_TYPE_MAX]; /* what the spans point into: names in lower case */
    size_t used;
    bool over; /* longer than that */
} media;

/* tchar (RFC 9110 5.6.2) */
static bool is_token_char(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_space(vs_span *in)
{
    while (in->n && (*in->p == ' ' || *in->p == '\t'))
        *in = vs_span_from(*in, 1);
}

static bool take(vs_span *in, char c)
{
    if (!in->n || *in->p != (uint8_t)c)
        return false;
    *in = vs_span_from(*in, 1);
    return true;
}

static void keep(media *m, uint8_t c)
{
    m->over |= m->used == sizeof m->text;
    if (!m->over)
        m->text[m->used++] = c;
}

static bool take_token(media *m, vs_span *in, bool lower, vs_span *out)
{
    size_t start = m->used;
    while (in->n && is_token_char(*in->p)) {
        uint8_t c = *in->p;
        keep(m, lower && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        *in = vs_span_from(*in, 1);
    }
    *out = vs_span_of(m->text + start, m->used - start);
    return out->n > 0;
}

/* A token, or a quoted string of printable ASCII. */
static bool take_value(media *m, vs_span *in, vs_span *out)
{
    if (!take(in, '"'))
        return take_token(m, in, false, out);
    size_t start = m->used;
    for (;;) {
        if (take(in, '"'))
            break;
        (void)take(in, '\\');
        if (!in->n || *in->p < 0x20 || *in->p > 0x7e)
            return false;
        keep(m, *in->p);
        *in = vs_span_from(*in, 1);
    }
    *out = vs_span_of(m->text + start, m->used - start);
    return true;
}

static bool add_param(media *m, param p)
{
    size_t at = m->n;
    if (m->n == VS_MEDIA_PARAMS_MAX)
        return false;
    for (size_t i = 0; i < m->n; i++)
        if (vs_span_eq(m->params[i].name, p.name))
            return false;
    for (; at > 0 && vs_span_cmp(p.name, m->params[at - 1].name) < 0; at--)
        m->params[at] = m->params[at - 1];
    m->params[at] = p;
    m->n++;
    return true;
}

/* One media type at the start of *in, up to a ',' or the end. */
static bool read_media(vs_span *in, media *m)
{
    *m = (media){0};
    skip_space(in);
    if (!take_token(m, in, true, &m->type) || !take(in, '/') ||
        !take_token(m, in, true, &m->subtype))
        return false;
    for (;;) {
        param p;
        skip_space(in);
        if (!take(in, ';'))
            return !m->over;
        skip_space(in);
        if (!in->n || *in->p == ';' || *in->p == ',') /* "a/b;" is allowed */
            continue;
        if (!take_token(m, in, true, &p.name) || !take(in, '=') || !take_value(m, in, &p.value) ||
            !add_param(m, p))
            return false;
    }
}

static bool is_token(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i]))
            return false;
    return s.n > 0;
}

static void put_value(vs_buf *out, vs_span value)
{
    if (is_token(value)) {
        vs_buf_put(out, value);
        return;
    }
    vs_buf_putc(out, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            vs_buf_putc(out, '\\');
        vs_buf_putc(out, (char)value.p[i]);
    }
    vs_buf_putc(out, '"');
}

vs_code vs_media_type_normal(vs_arena *a, vs_span text, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf normal = VS_BUF(4 * VS_MEDIA_TYPE_MAX);
    media m;
    vs_span rest = text;
    *out = (vs_span){0};
    if (!read_media(&rest, &m) || rest.n)
        return vs_fail(err, VS_E_PARSE,
                       "\"%.*s\" is no media type (a parameter's value that holds ':' or '/' must "
                       "be quoted)",
                       VS_FMT(vs_span_head(text, 120)));
    vs_buf_put(&normal, m.type);
    vs_buf_putc(&normal, '/');
    vs_buf_put(&normal, m.subtype);
    for (size_t i = 0; i < m.n; i++) {
        vs_buf_puts(&normal, "; ");
        vs_buf_put(&normal, m.params[i].name);
        vs_buf_putc(&normal, '=');
        put_value(&normal, m.params[i].value);
    }
    VS_TRY(vs_buf_check(&normal, err));
    *out = vs_dup(a, vs_buf_span(&normal));
    return vs_arena_check(a, err);
}

/* ---- Accept ------------------------------------------------------------------------------------
 */

/* "0", "0.0", "0.000" */
static bool is_zero(vs_span q)
{
    for (size_t i = 0; i < q.n; i++)
        if (q.p[i] != '0' && q.p[i] != '.')
            return false;
    return q.n > 0;
}

/* Removes "q"; false when it says that this is not wanted. */
static bool wanted(media *range)
{
    for (size_t i = 0; i < range->n; i++) {
        if (!vs_span_is(range->params[i].name, "q"))
            continue;
        bool zero = is_zero(range->params[i].value);
        for (range->n--; i < range->n; i++)
            range->params[i] = range->params[i + 1];
        return !zero;
    }
    return true;
}

static bool covers(const media *range, const media *type)
{
    bool any_type = vs_span_is(range->type, "*"), any_subtype = vs_span_is(range->subtype, "*");
    if (any_type ? !any_subtype : !vs_span_eq(range->type, type->type))
        return false;
    if (!any_subtype && !vs_span_eq(range->subtype, type->subtype))
        return false;
    if (range->n == 0)
        return true;
    if (range->n != type->n)
        return false;
    for (size_t i = 0; i < range->n; i++)
        if (!vs_span_eq(range->params[i].name, type->params[i].name) ||
            !vs_span_eq(range->params[i].value, type->params[i].value))
            return false;
    return true;
}

static bool covers_one(const media *range, const char *const *types, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        media type;
        vs_span text = vs_str(types[i]);
        if (read_media(&text, &type) && covers(range, &type))
            return true;
    }
    return false;
}

bool vs_media_accepts(vs_span accept, const char *const *types, size_t n)
{
    if (!accept.p)
        return true;
    vs_span rest = accept;
    while (rest.n) {
        media range;
        skip_space(&rest);
        if (take(&rest, ','))
            continue;
        if (!rest.n || !read_media(&rest, &range) || (rest.n && *rest.p != ','))
            return false;
        if (wanted(&range) && covers_one(&range, types, n))
            return true;
    }
    return false;
}
