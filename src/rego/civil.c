/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/civil.h"

#include <stdio.h>

#include "base/io.h"

/* ---- dates -------------------------------------------------------------------------------------
 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years start in March, so that the leap day is the last one; eras of 400 years. */
int64_t civil_days(int64_t year, int64_t month, int64_t day)
{
    year += floor_div(month - 1, 12);
    month = month - 1 - 12 * floor_div(month - 1, 12) + 1;
    year -= month <= 2;
    int64_t era = floor_div(year, 400), yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468 + (day - 1);
}

static bool is_leap(int64_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

int civil_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

civil civil_of_seconds(int64_t seconds, int nanosecond)
{
    int64_t days = floor_div(seconds, 86400), rest = seconds - days * 86400;
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    civil c = {.year = yoe + era * 400, .nanosecond = nanosecond};
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year += c.month <= 2;
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.weekday = (int)(days - 7 * floor_div(days + 4, 7) + 4);
    c.yearday = (int)(days - civil_days(c.year, 1, 1)) + 1;
    return c;
}

int64_t civil_seconds(const civil *c)
{
    return civil_days(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 +
           c->second;
}

/* ---- zones: TZif files (RFC 8536) ---------------------------------------------------------------
 */

enum { FILE_MAX = 1 << 20 };

static bool is_zone_name(vs_span s)
{
    if (s.n == 0 || s.n > 64 || s.p[0] == '/' || s.p[0] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], l = c | 0x20;
        bool ok = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '+' || c == '/';
        if (!ok)
            return false;
    }
    return true;
}

static int64_t big_endian(const uint8_t *p, unsigned n)
{
    uint64_t v = (p[0] & 0x80) ? UINT64_MAX : 0;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

typedef struct tzif {
    vs_span times, kinds, types, names, footer;
    size_t n_times, n_types;
} tzif;

enum { HEADER = 44 };

/* One header and its data block with times of `width` bytes; *s moves on behind them. */
static bool read_block(vs_span *s, unsigned width, tzif *z)
{
    if (s->n < HEADER || memcmp(s->p, "TZif", 4) != 0)
        return false;
    int64_t n[6]; /* isut, isstd, leap, time, type, char */
    for (unsigned i = 0; i < 6; i++) {
        n[i] = big_endian(s->p + 20 + 4 * i, 4);
        if (n[i] < 0 || n[i] > FILE_MAX)
            return false;
    }
    *s = vs_span_from(*s, HEADER);
    const int64_t size[] = {n[3] * width, n[3], n[4] * 6, n[5], n[2] * (width + 4), n[1], n[0]};
    vs_span part[VS_COUNT(size)];
    for (unsigned i = 0; i < VS_COUNT(size); i++) {
        if ((uint64_t)size[i] > s->n)
            return false;
        part[i] = vs_span_head(*s, (size_t)size[i]);
        *s = vs_span_from(*s, (size_t)size[i]);
    }
    *z = (tzif){.times = part[0],
                .kinds = part[1],
                .types = part[2],
                .names = part[3],
                .n_times = (size_t)n[3],
                .n_types = (size_t)n[4]};
    return z->n_types > 0;
}

/* Version 2 and later: the second block has 64-bit times, and a rule for the future behind it. */
static bool read_tzif(vs_span s, tzif *z)
{
    uint8_t version = s.n > 4 ? s.p[4] : 0;
    if (!read_block(&s, 4, z))
        return false;
    if (version < '2')
        return false; /* nothing on today's systems is that old */
    if (!read_block(&s, 8, z) || s.n < 2 || s.p[0] != '\n')
        return false;
    z->footer = vs_span_from(s, 1);
    while (z->footer.n && z->footer.p[z->footer.n - 1] == '\n')
        z->footer.n--;
    return true;
}

static void use_type(const tzif *z, size_t type, zone *out)
{
    const uint8_t *p = z->types.p + 6 * type;
    out->offset = (int32_t)big_endian(p, 4);
    size_t at = p[5], n = 0;
    while (at + n < z->names.n && z->names.p[at + n] && n < sizeof out->name - 1)
        n++;
    (void)snprintf(out->name, sizeof out->name, "%.*s", (int)n,
                   n ? (const char *)z->names.p + at : "");
}

/* ---- the rule for times behind the last transition: POSIX TZ (RFC 8536 section 3.3) -------------
 */

typedef struct rule_reader {
    vs_span s;
} rule_reader;

static bool rule_number(rule_reader *r, int64_t *out)
{
    int64_t v = 0;
    size_t n = 0;
    while (n < r->s.n && n < 6 && r->s.p[n] >= '0' && r->s.p[n] <= '9')
        v = v * 10 + (r->s.p[n++] - '0');
    r->s = vs_span_from(r->s, n);
    *out = v;
    return n > 0;
}

static bool rule_take(rule_reader *r, char c)
{
    if (r->s.n == 0 || r->s.p[0] != (uint8_t)c)
        return false;
    r->s = vs_span_from(r->s, 1);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool rule_time(rule_reader *r, int64_t *seconds)
{
    bool negative = rule_take(r, '-');
    int64_t part[3] = {0};
    if (!negative)
        (void)rule_take(r, '+');
    if (!rule_number(r, &part[0]))
        return false;
    for (unsigned i = 1; i < 3 && rule_take(r, ':'); i++)
        if (!rule_number(r, &part[i]))
            return false;
    *seconds = part[0] * 3600 + part[1] * 60 + part[2];
    if (negative)
        *seconds = -*seconds;
    return true;
}

static bool rule_name(rule_reader *r, char out[16])
{
    bool quoted = rule_take(r, '<');
    size_t n = 0;
    while (n < r->s.n && n < 15) {
        uint8_t c = r->s.p[n], l = c | 0x20;
        if (quoted ? c == '>' : !(l >= 'a' && l <= 'z'))
            break;
        n++;
    }
    (void)snprintf(out, 16, "%.*s", (int)n, n ? (const char *)r->s.p : "");
    r->s = vs_span_from(r->s, n);
    return n > 0 && (!quoted || rule_take(r, '>'));
}

/* Mm.w.d, Jn or n, with an optional /time: the local second in that year at which it happens. */
static bool rule_moment(rule_reader *r, int64_t year, int64_t *out)
{
    int64_t m, w, d, time = 7200, day;
    if (rule_take(r, 'M')) {
        if (!rule_number(r, &m) || !rule_take(r, '.') || !rule_number(r, &w) ||
            !rule_take(r, '.') || !rule_number(r, &d) || m < 1 || m > 12 || w < 1 || w > 5 || d > 6)
            return false;
        int64_t first = civil_days(year, m, 1);
        int64_t weekday = first - 7 * floor_div(first + 4, 7) + 4;
        day = first + (d - weekday + 7) % 7 + 7 * (w - 1);
        while (day >= first + civil_days_in_month(year, (int)m))
            day -= 7;
    } else {
        bool no_leap_day = rule_take(r, 'J');
        if (!rule_number(r, &d) || d > 366)
            return false;
        day = civil_days(year, 1, 1) + d - no_leap_day;
        day += no_leap_day && d >= 60 && is_leap(year);
    }
    if (rule_take(r, '/') && !rule_time(r, &time))
        return false;
    *out = day * 86400 + time;
    return true;
}

static bool use_rule(vs_span text, int64_t seconds, zone *out)
{
    rule_reader r = {text};
    char standard[16], summer[16];
    int64_t west, summer_west, from, until, year = civil_of_seconds(seconds, 0).year;
    if (!rule_name(&r, standard) || !rule_time(&r, &west))
        return false;
    *out = (zone){.offset = (int32_t)-west};
    memcpy(out->name, standard, sizeof standard);
    if (r.s.n == 0)
        return true;
    summer_west = west - 3600;
    if (!rule_name(&r, summer))
        return false;
    if (r.s.n && r.s.p[0] != ',' && !rule_time(&r, &summer_west))
        return false;
    if (!rule_take(&r, ',') || !rule_moment(&r, year, &from) || !rule_take(&r, ',') ||
        !rule_moment(&r, year, &until))
        return false;
    from += west;
    until += summer_west;
    bool in =
        from < until ? seconds >= from && seconds < until : seconds >= from || seconds < until;
    if (in) {
        out->offset = (int32_t)-summer_west;
        memcpy(out->name, summer, sizeof summer);
    }
    return true;
}

static bool look_up(const tzif *z, int64_t seconds, zone *out)
{
    size_t lo = 0, hi = z->n_times; /* the first transition behind the moment */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (big_endian(z->times.p + 8 * mid, 8) <= seconds)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == z->n_times && z->footer.n)
        return use_rule(z->footer, seconds, out);
    size_t type = lo ? z->kinds.p[lo - 1] : 0;
    if (type >= z->n_types)
        return false;
    use_type(z, type, out);
    return true;
}

bool zone_at(vs_span name, int64_t seconds, zone *out)
{
    *out = (zone){.name = "UTC"};
    if (name.n == 0 || vs_span_is(name, "UTC") || vs_span_is(name, "Local"))
        return true;
    if (!is_zone_name(name))
        return false;
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(FILE_MAX);
    char path[128];
    tzif z;
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", VS_FMT(name));
    return vs_read_file(path, &file, NULL) == VS_OK && read_tzif(vs_buf_span(&file), &z) &&
           look_up(&z, seconds, out);
}
