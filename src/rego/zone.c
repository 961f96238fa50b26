/* SPDX-License-Identifier: Apache-2.0 */
/* TZif files (RFC 8536), and the cache of them. */
#include "rego/zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"

enum { FILE_MAX = 64 << 10, CACHE = 8, NAME_MAX_ = 64, HEADER = 44 };

static bool is_zone_name(vs_span s)
{
    if (s.n == 0 || s.n > NAME_MAX_ || s.p[0] == '/' || s.p[0] == '.')
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

static void use_type(const tzif *z, size_t type, rego_zone *out)
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
        int64_t weekday = civil_of_seconds(first * 86400, 0).weekday;
        day = first + (d - weekday + 7) % 7 + 7 * (w - 1);
        while (day >= first + civil_days_in_month(year, (int)m))
            day -= 7;
    } else {
        bool no_leap_day = rule_take(r, 'J');
        if (!rule_number(r, &d) || d > 366)
            return false;
        day = civil_days(year, 1, 1) + d - no_leap_day;
        day += no_leap_day && d >= 60 && civil_days_in_month(year, 2) == 29;
    }
    if (rule_take(r, '/') && !rule_time(r, &time))
        return false;
    *out = day * 86400 + time;
    return true;
}

static bool use_rule(vs_span text, int64_t seconds, rego_zone *out)
{
    rule_reader r = {text};
    char standard[16], summer[16];
    int64_t west, summer_west, from, until, year = civil_of_seconds(seconds, 0).year;
    if (!rule_name(&r, standard) || !rule_time(&r, &west))
        return false;
    *out = (rego_zone){.offset = (int32_t)-west};
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

static bool look_up(const tzif *z, int64_t seconds, rego_zone *out)
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

/* ---- the cache ----------------------------------------------------------------------------------
 */

struct rego_zones {
    struct {
        char name[NAME_MAX_ + 1];
        vs_buf file;
        tzif tzif; /* into `file` */
    } slot[CACHE];
    size_t used, next;
};

void rego_zones_free(rego_zones **zp)
{
    for (size_t i = 0; *zp && i < (*zp)->used; i++)
        vs_buf_free(&(*zp)->slot[i].file);
    free(*zp);
    *zp = NULL;
}

static bool is_utc(vs_span name)
{
    return name.n == 0 || vs_span_is(name, "UTC") || vs_span_is(name, "Local");
}

static const tzif *cached(const rego_zones *z, vs_span name)
{
    for (size_t i = 0; z && i < z->used; i++)
        if (vs_span_is(name, z->slot[i].name))
            return &z->slot[i].tzif;
    return NULL;
}

bool rego_zone_is_at_hand(const rego_zones *z, vs_span name)
{
    return is_utc(name) || cached(z, name);
}

/* Reads a zone's file into the cache; when that is full the oldest one goes. */
static vs_code load(rego_zones **zp, vs_span name, const tzif **out)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(FILE_MAX);
    char path[sizeof "/usr/share/zoneinfo/" + NAME_MAX_];
    tzif z;
    if (!is_zone_name(name))
        return VS_E_NOT_FOUND;
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", VS_FMT(name));
    vs_code code = vs_read_file(path, &file, NULL);
    if (code != VS_OK)
        return code == VS_E_NOMEM ? code : VS_E_NOT_FOUND;
    if (!read_tzif(vs_buf_span(&file), &z))
        return VS_E_NOT_FOUND;
    if (!*zp && !(*zp = calloc(1, sizeof **zp)))
        return VS_E_NOMEM;
    size_t i = (*zp)->used < CACHE ? (*zp)->used++ : (*zp)->next++ % CACHE;
    vs_buf_free(&(*zp)->slot[i].file);
    (*zp)->slot[i].file = file;
    file = (vs_buf)VS_BUF(0);
    (*zp)->slot[i].tzif = z;
    (void)snprintf((*zp)->slot[i].name, sizeof(*zp)->slot[i].name, "%.*s", VS_FMT(name));
    *out = &(*zp)->slot[i].tzif;
    return VS_OK;
}

vs_code rego_zone_at(rego_zones **z, vs_span name, int64_t seconds, rego_zone *out)
{
    *out = (rego_zone){.name = "UTC"};
    if (is_utc(name))
        return VS_OK;
    const tzif *file = cached(*z, name);
    vs_code code = file ? VS_OK : load(z, name, &file);
    if (code != VS_OK)
        return code;
    return look_up(file, seconds, out) ? VS_OK : VS_E_NOT_FOUND;
}
