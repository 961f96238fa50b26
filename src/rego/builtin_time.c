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
    rego_zone zone;
} moment;

static void split_ns(int64_t ns, int64_t *seconds, int *nanosecond)
{
    *seconds = ns / BILLION - (ns % BILLION < 0);
    *nanosecond = (int)(ns - *seconds * BILLION);
}

static rego_bres join_ns(rego_bctx *b, int64_t seconds, int nanosecond, vs_val *out)
{
    int64_t ns, rest = nanosecond;
    if (seconds < 0) { /* so that the first moment of all does not overflow on the way */
        seconds++;
        rest -= BILLION;
    }
    if (__builtin_mul_overflow(seconds, (int64_t)BILLION, &ns) ||
        __builtin_add_overflow(ns, rest, &ns))
        return rego_error(b, "time outside of valid range");
    *out = vs_int(ns);
    return REGO_B_OK;
}

/* A path out of the folder of zones, which rego_zone_at does not follow. */
static bool leads_outside(vs_span name)
{
    return name.n && (name.p[0] == '/' || name.p[0] == '\\' || memmem(name.p, name.n, "..", 2));
}

static rego_bres find_zone(rego_bctx *b, vs_span name, int64_t seconds, rego_zone *out)
{
    if (!rego_charge(b, rego_zone_is_at_hand(b->zones, name) ? 20 : 500))
        return REGO_B_LIMIT;
    vs_code code = rego_zone_at(&b->zones, name, seconds, out);
    if (code == VS_E_NOMEM)
        return REGO_B_LIMIT;
    if (leads_outside(name))
        return rego_error(b, "time: invalid location name");
    return code == VS_OK ? REGO_B_OK
                         : rego_error(b, "unknown time zone %.*s", VS_FMT(vs_span_head(name, 80)));
}

static rego_bres read_ns(rego_bctx *b, unsigned i, vs_val v, moment *m)
{
    if (v.kind != VS_NUMBER)
        return rego_type_error(b, i + 1, "number", v);
    if (!vs_num_is_integer(v) || v.big)
        return rego_error(b, "timestamp too big");
    split_ns(v.u.i, &m->seconds, &m->nanosecond);
    return REGO_B_OK;
}

/* What stands behind the third member counts for nothing. */
static rego_bres read_moment(rego_bctx *b, const vs_val *args, unsigned i, moment *m)
{
    vs_val v = args[i];
    *m = (moment){0};
    if (v.kind == VS_ARRAY && v.len > 0) {
        v = args[i].u.items[0];
        for (uint32_t k = 1; k < args[i].len && k < 3; k++) {
            vs_val text = args[i].u.items[k];
            if (text.kind != VS_STRING)
                return rego_type_error(b, i + 1, "string", text);
            *(k == 1 ? &m->zone_name : &m->layout) = vs_text(text);
        }
    } else if (v.kind != VS_NUMBER) {
        return rego_type_error(b, i + 1, "either number (ns) or [number (ns), string (tz)]", v);
    }
    rego_bres res = read_ns(b, i, v, m);
    return res == REGO_B_OK ? find_zone(b, m->zone_name, m->seconds, &m->zone) : res;
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
    rego_bres res = read_moment(b, args, 0, &m);
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
    rego_bres res = read_moment(b, args, 0, &m);
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
    rego_bres res = read_moment(b, args, 0, &m);
    if (res == REGO_B_OK)
        *out = vs_cstring(names[local(&m).weekday]);
    return res;
}

rego_bres rego_bi_time_format(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    moment m;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    rego_bres res = read_moment(b, args, 0, &m);
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

/* A clock that is set shows some times twice and some never. As in Go: the offset is the one that
 * is in force at the moment which the offset at `local` (taken for UTC) leads to. */
static rego_bres to_utc(rego_bctx *b, const moment *m, int64_t local, int64_t *out)
{
    rego_zone z;
    rego_bres res = find_zone(b, m->zone_name, local, &z);
    if (res == REGO_B_OK && z.offset)
        res = find_zone(b, m->zone_name, local - z.offset, &z);
    *out = local - z.offset;
    return res;
}

rego_bres rego_bi_time_add_date(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    static const int64_t most = 10000000;
    moment m;
    int64_t seconds;
    rego_bres res = read_moment(b, args, 0, &m);
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
    res = to_utc(b, &m, day * 86400 + c.hour * 3600 + c.minute * 60 + c.second, &seconds);
    return res == REGO_B_OK ? join_ns(b, seconds, c.nanosecond, out) : res;
}

/* Calendar difference: years, months, days, hours, minutes, seconds; never negative. */
rego_bres rego_bi_time_diff(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    moment m[2];
    for (unsigned i = 0; i < n; i++) {
        rego_bres res = read_moment(b, args, i, &m[i]);
        if (res != REGO_B_OK)
            return res;
    }
    m[1].zone_name = m[0].zone_name;
    rego_bres res = find_zone(b, m[1].zone_name, m[1].seconds, &m[1].zone);
    if (res != REGO_B_OK)
        return res;
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
    VS_CLEANUP(vs_buf_free) vs_buf why = VS_BUF(8 * TEXT_MAX);
    /* each element looks for the one behind it */
    if (layout.n > TEXT_MAX || text.n > TEXT_MAX || !rego_charge(b, 2 * layout.n + text.n))
        return REGO_B_LIMIT;
    if (!layout_parse(layout_of(layout), text, &seconds, &nanosecond, &why))
        return vs_buf_ok(&why) ? rego_error(b, "%.*s", VS_FMT(vs_buf_span(&why))) : REGO_B_LIMIT;
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

/* ---- durations: 1d2h3.5ms ----------------------------------------------------------------------
 */

static const struct {
    const char *name;
    int64_t ns;
} units[] = {{"ns", 1},
             {"us", 1000},
             {"\u00b5s", 1000},
             {"\u03bcs", 1000},
             {"ms", 1000000},
             {"s", BILLION},
             {"m", 60 * (int64_t)BILLION},
             {"h", 3600 * (int64_t)BILLION},
             /* OPA's own */
             {"d", 86400 * (int64_t)BILLION},
             {"w", 7 * 86400 * (int64_t)BILLION},
             {"y", 365 * 86400 * (int64_t)BILLION}};

/* 2^63: what a negative duration may be. */
static const uint64_t most = (uint64_t)1 << 63;

/* False when it is more than `most`. */
static bool take_integer(vs_span *s, uint64_t *out)
{
    uint64_t v = 0;
    size_t n = 0;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s->p[n] - '0'), &v) || v > most)
            return false;
    *s = vs_span_from(*s, n);
    *out = v;
    return true;
}

/* Digits behind a point, as *out / *scale; those that no longer fit are ignored. */
static void take_fraction(vs_span *s, uint64_t *out, double *scale)
{
    size_t n = 0;
    bool full = false;
    *out = 0;
    *scale = 1;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
        full |= *out > (most - 1) / 10 || *out * 10 + (uint64_t)(s->p[n] - '0') > most;
        if (full)
            continue;
        *out = *out * 10 + (uint64_t)(s->p[n] - '0');
        *scale *= 10;
    }
    *s = vs_span_from(*s, n);
}

/* A number: "2.5", ".5" or "2.". False when there is none, or it does not fit. */
static bool take_amount(vs_span *s, uint64_t *whole, uint64_t *fraction, double *scale)
{
    size_t before = s->n, points = 0;
    *fraction = 0;
    *scale = 1;
    if (!take_integer(s, whole))
        return false;
    if (s->n && s->p[0] == '.') {
        *s = vs_span_from(*s, 1);
        take_fraction(s, fraction, scale);
        points = 1;
    }
    return before - s->n > points;
}

/* One number and its unit, added to *sum. NULL, or what is wrong. The fraction is computed in
 * doubles, so that 0.33333333333333333m is 20 s, as in Go. */
static const char *add_part(vs_span *s, uint64_t *sum, vs_span *unit)
{
    uint64_t whole, fraction, ns = 0;
    double scale;
    size_t n = 0;
    if (!take_amount(s, &whole, &fraction, &scale))
        return "invalid";
    while (n < s->n && s->p[n] != '.' && !(s->p[n] >= '0' && s->p[n] <= '9'))
        n++;
    *unit = vs_span_head(*s, n);
    *s = vs_span_from(*s, n);
    if (n == 0)
        return "missing unit in";
    for (size_t i = 0; i < VS_COUNT(units) && ns == 0; i++)
        if (vs_span_is(*unit, units[i].name))
            ns = (uint64_t)units[i].ns;
    if (ns == 0)
        return "unknown unit";
    if (whole > most / ns)
        return "invalid";
    whole = whole * ns + (uint64_t)((double)fraction * ((double)ns / scale));
    if (whole > most || *sum + whole > most)
        return "invalid";
    *sum += whole;
    return NULL;
}

static bool has_days(vs_span s)
{
    return memchr(s.p, 'd', s.n) || memchr(s.p, 'w', s.n) || memchr(s.p, 'y', s.n);
}

static rego_bres bad_duration(rego_bctx *b, const char *wrong, vs_span unit, vs_span whole)
{
    VS_CLEANUP(vs_buf_free) vs_buf why = VS_BUF(16 * TEXT_MAX);
    vs_buf_printf(&why, "time: %s ", wrong);
    if (strcmp(wrong, "unknown unit") == 0) {
        layout_quote(&why, unit);
        vs_buf_puts(&why, " in ");
    }
    vs_buf_puts(&why, "duration ");
    layout_quote(&why, whole);
    return vs_buf_ok(&why) ? rego_error(b, "%.*s", VS_FMT(vs_buf_span(&why))) : REGO_B_LIMIT;
}

rego_bres rego_bi_time_parse_duration_ns(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    vs_span s = vs_text(args[0]), whole = vs_span_head(s, TEXT_MAX), unit = {0};
    bool negative = s.n && s.p[0] == '-';
    uint64_t sum = 0;
    const char *wrong = NULL;
    if (!rego_charge(b, s.n))
        return REGO_B_LIMIT;
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = vs_span_from(s, 1);
    if (!vs_span_is(s, "0"))
        do
            wrong = add_part(&s, &sum, &unit);
        while (!wrong && s.n);
    /* OPA reads days, weeks and years itself, and is less precise about what is wrong there */
    if (wrong && has_days(whole) && (unit.n > 1 || s.n == 0))
        wrong = "invalid";
    if (!wrong && sum == most && !negative)
        wrong = "invalid";
    if (wrong)
        return bad_duration(b, wrong, unit, whole);
    *out = vs_int(negative ? (int64_t)(0 - sum) : (int64_t)sum);
    return REGO_B_OK;
}
