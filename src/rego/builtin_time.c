/* SPDX-License-Identifier: Apache-2.0 */
/* time.* (rego.md 10.7): moments are nanoseconds since 1970 as integers of 64 bits. */
#include "rego/builtins.h"
#include "rego/time_layout.h"
#include "value/number.h"

enum { BILLION = 1000000000, TEXT_MAX = 4096 };

/* A moment as an argument: ns, [ns, zone] or [ns, zone, layout]. */
typedef struct moment {
    int64_t seconds;
    int nanosecond;
    vs_span zone_name, layout;
    zone zone;
} moment;

static void split_ns(int64_t ns, int64_t *seconds, int *nanosecond)
{
    *seconds = ns / BILLION - (ns % BILLION < 0);
    *nanosecond = (int)(ns - *seconds * BILLION);
}

static rego_bres join_ns(rego_bctx *b, int64_t seconds, int nanosecond, vs_val *out)
{
    int64_t ns;
    if (__builtin_mul_overflow(seconds, (int64_t)BILLION, &ns) ||
        __builtin_add_overflow(ns, (int64_t)nanosecond, &ns))
        return rego_error(b, "time outside of valid range");
    *out = vs_int(ns);
    return REGO_B_OK;
}

static rego_bres read_ns(rego_bctx *b, unsigned i, vs_val v, moment *m)
{
    if (v.kind != VS_NUMBER)
        return rego_type_error(b, i + 1, "number", v);
    if (!vs_num_is_integer(v))
        return rego_type_error(b, i + 1, "integer number", v);
    if (v.big)
        return rego_error(b, "timestamp too big");
    split_ns(v.u.i, &m->seconds, &m->nanosecond);
    return REGO_B_OK;
}

static rego_bres read_moment(rego_bctx *b, const vs_val *args, unsigned i, bool with_layout,
                             moment *m)
{
    vs_val v = args[i];
    *m = (moment){0};
    if (!rego_charge(b, 20))
        return REGO_B_LIMIT;
    if (v.kind == VS_ARRAY) {
        if (v.len < 2 || v.len > (with_layout ? 3u : 2u))
            return rego_error(b, "operand %u must be [ns, timezone] or a number", i + 1);
        for (uint32_t k = 1; k < v.len; k++)
            if (v.u.items[k].kind != VS_STRING)
                return rego_type_error(b, i + 1, "string", v.u.items[k]);
        m->zone_name = vs_text(v.u.items[1]);
        if (v.len == 3)
            m->layout = vs_text(v.u.items[2]);
        v = v.u.items[0];
    } else if (v.kind != VS_NUMBER) {
        return rego_type_error(b, i + 1, "one of {number, array}", v);
    }
    rego_bres res = read_ns(b, i, v, m);
    if (res != REGO_B_OK)
        return res;
    if (!zone_at(m->zone_name, m->seconds, &m->zone))
        return rego_error(b, "unknown time zone %.*s", VS_FMT(vs_span_head(m->zone_name, 80)));
    return REGO_B_OK;
}

static civil local(const moment *m)
{
    return civil_of_seconds(m->seconds + m->zone.offset, m->nanosecond);
}

static vs_val integers(rego_bctx *b, const int64_t *v, size_t n)
{
    vs_vec all = {.a = b->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&all, vs_int(v[i]));
    return vs_vec_end_array(&all);
}

/* ---- parts of a moment -------------------------------------------------------------------------
 */

rego_bres rego_bi_time_date(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    moment m;
    rego_bres res = read_moment(b, args, 0, false, &m);
    if (res != REGO_B_OK)
        return res;
    civil c = local(&m);
    *out = integers(b, (const int64_t[]){c.year, c.month, c.day}, 3);
    return REGO_B_OK;
}

rego_bres rego_bi_time_clock(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    moment m;
    rego_bres res = read_moment(b, args, 0, false, &m);
    if (res != REGO_B_OK)
        return res;
    civil c = local(&m);
    *out = integers(b, (const int64_t[]){c.hour, c.minute, c.second}, 3);
    return REGO_B_OK;
}

rego_bres rego_bi_time_weekday(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    static const char *const names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};
    moment m;
    rego_bres res = read_moment(b, args, 0, false, &m);
    if (res == REGO_B_OK)
        *out = vs_cstring(names[local(&m).weekday]);
    return res;
}

rego_bres rego_bi_time_format(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    moment m;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    rego_bres res = read_moment(b, args, 0, true, &m);
    if (res != REGO_B_OK)
        return res;
    civil c = local(&m);
    vs_span layout = m.layout.n ? m.layout : VS_LIT("RFC3339Nano");
    if (!rego_charge(b, layout.n))
        return REGO_B_LIMIT;
    layout_format(&text, layout_of(layout), &c, &m.zone);
    if (!vs_buf_ok(&text))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&text));
    return REGO_B_OK;
}

/* ---- arithmetic --------------------------------------------------------------------------------
 */

/* The offset of a zone depends on the moment, which depends on the offset: two looks are enough. */
static int64_t to_utc(const moment *m, int64_t local_seconds)
{
    zone z = m->zone;
    int64_t seconds = local_seconds - z.offset;
    for (int i = 0; i < 2 && zone_at(m->zone_name, seconds, &z); i++)
        seconds = local_seconds - z.offset;
    return seconds;
}

rego_bres rego_bi_time_add_date(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    static const int64_t most = 10000000;
    moment m;
    rego_bres res = read_moment(b, args, 0, false, &m);
    if (res != REGO_B_OK)
        return res;
    for (unsigned i = 1; i < n; i++) {
        REGO_WANT(i, VS_NUMBER);
        if (!vs_num_is_integer(args[i]))
            return rego_type_error(b, i + 1, "integer number", args[i]);
        if (args[i].big || args[i].u.i > most || args[i].u.i < -most)
            return REGO_B_UNDEFINED; /* no calendar goes that far; as regorus */
    }
    civil c = local(&m);
    int64_t day = civil_days(c.year + args[1].u.i, c.month + args[2].u.i, c.day + args[3].u.i);
    int64_t clock = c.hour * 3600 + c.minute * 60 + c.second;
    return join_ns(b, to_utc(&m, day * 86400 + clock), c.nanosecond, out);
}

/* Calendar difference: years, months, days, hours, minutes, seconds; never negative. */
rego_bres rego_bi_time_diff(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    moment m[2];
    for (unsigned i = 0; i < n; i++) {
        rego_bres res = read_moment(b, args, i, false, &m[i]);
        if (res != REGO_B_OK)
            return res;
    }
    m[1].zone_name = m[0].zone_name;
    (void)zone_at(m[1].zone_name, m[1].seconds, &m[1].zone);
    bool later = m[0].seconds > m[1].seconds ||
                 (m[0].seconds == m[1].seconds && m[0].nanosecond > m[1].nanosecond);
    civil x = local(&m[later ? 1 : 0]), y = local(&m[later ? 0 : 1]);
    int64_t d[6] = {y.year - x.year, y.month - x.month,   y.day - x.day,
                    y.hour - x.hour, y.minute - x.minute, y.second - x.second};
    const int64_t units[6] = {0, 12, civil_days_in_month(x.year, x.month), 24, 60, 60};
    for (int i = 5; i > 0; i--)
        if (d[i] < 0) {
            d[i] += units[i];
            d[i - 1]--;
        }
    *out = integers(b, d, 6);
    return REGO_B_OK;
}

/* ---- parsing -----------------------------------------------------------------------------------
 */

static rego_bres parse(rego_bctx *b, vs_span layout, vs_span text, vs_val *out)
{
    int64_t seconds;
    int nanosecond;
    if (layout.n > TEXT_MAX || !rego_charge(b, layout.n + text.n))
        return REGO_B_LIMIT;
    const char *wrong = layout_parse(layout_of(layout), text, &seconds, &nanosecond);
    if (wrong)
        return rego_error(b, "parsing time \"%.*s\" as \"%.*s\": %s",
                          VS_FMT(vs_span_head(text, 60)), VS_FMT(vs_span_head(layout, 60)), wrong);
    return join_ns(b, seconds, nanosecond, out);
}

rego_bres rego_bi_time_parse_ns(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    return parse(b, vs_text(args[0]), vs_text(args[1]), out);
}

rego_bres rego_bi_parse_rfc3339_ns(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    return parse(b, VS_LIT("RFC3339"), vs_text(args[0]), out);
}

/* ---- durations: 1h2m3.5ms ----------------------------------------------------------------------
 */

static const struct {
    const char *name;
    int64_t ns;
} units[] = {{"ns", 1},       {"us", 1000},      {"\u00b5s", 1000},  {"\u03bcs", 1000},
             {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};

static bool take_unit(vs_span *s, int64_t *ns)
{
    size_t n = 0;
    while (n < s->n && s->p[n] != '.' && !(s->p[n] >= '0' && s->p[n] <= '9'))
        n++;
    for (size_t i = 0; i < VS_COUNT(units); i++)
        if (vs_span_is(vs_span_head(*s, n), units[i].name)) {
            *s = vs_span_from(*s, n);
            *ns = units[i].ns;
            return true;
        }
    return false;
}

/* "2.5" as a decimal number; ".5" and "2." count too. */
static vs_val take_amount(vs_arena *a, vs_span *s)
{
    size_t n = 0, digits = 0;
    bool point = false;
    for (; n < s->n; n++) {
        if (s->p[n] == '.' && !point)
            point = true;
        else if (s->p[n] >= '0' && s->p[n] <= '9')
            digits++;
        else
            break;
    }
    if (digits == 0 || n > 64)
        return vs_undefined();
    vs_span text = vs_span_head(*s, n);
    *s = vs_span_from(*s, n);
    while (text.n > 1 && text.p[0] == '0' && text.p[1] != '.')
        text = vs_span_from(text, 1);
    return vs_num_parse(a,
                        vs_str(vs_sprintf(a, "%s%.*s%s", text.p[0] == '.' ? "0" : "", VS_FMT(text),
                                          text.p[text.n - 1] == '.' ? "0" : "")),
                        NULL);
}

rego_bres rego_bi_time_parse_duration_ns(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    vs_span s = vs_text(args[0]), whole = vs_span_head(s, 80);
    bool negative = s.n && s.p[0] == '-';
    vs_val sum = vs_int(0);
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = vs_span_from(s, 1);
    if (vs_span_is(s, "0")) {
        *out = vs_int(0);
        return REGO_B_OK;
    }
    for (bool first = true; first || s.n; first = false) {
        int64_t unit;
        vs_val amount = take_amount(b->a, &s);
        if (!rego_charge(b, 10))
            return REGO_B_LIMIT;
        if (!vs_defined(amount) || !take_unit(&s, &unit))
            return rego_error(b, "time: invalid duration \"%.*s\"", VS_FMT(whole));
        sum = vs_num_add(b->a, sum, vs_num_mul(b->a, amount, vs_int(unit), NULL), NULL);
    }
    sum = vs_num_round(b->a, negative ? vs_num_neg(b->a, sum) : sum, VS_ROUND_TRUNC, NULL);
    if (!vs_is_int(sum))
        return rego_error(b, "time: invalid duration \"%.*s\"", VS_FMT(whole));
    *out = sum;
    return REGO_B_OK;
}
