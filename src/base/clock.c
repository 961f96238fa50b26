/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

enum { DAY = 86400 };

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0)
        return 0;
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t vs_now_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t vs_now_s(void)
{
    return vs_now_ns() / 1000000000;
}

int64_t vs_mono_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

/* Both directions count years from 1 March, so that the leap day is the last day of a year;
 * 719468 is the number of days from 0000-03-01 to 1970-01-01. */
int64_t vs_days_of_date(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void vs_date_of_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

typedef struct parts {
    int64_t year;
    int month, day, hour, min, sec, weekday;
} parts;

static parts split(int64_t s)
{
    int64_t days = floor_div(s, DAY), rest = s - days * DAY;
    parts p = {.hour = (int)(rest / 3600), .min = (int)(rest / 60 % 60), .sec = (int)(rest % 60)};
    vs_date_of_days(days, &p.year, &p.month, &p.day);
    p.weekday = (int)(((days % 7) + 11) % 7); /* 1970-01-01 was a Thursday */
    return p;
}

const char *vs_time_rfc3339(int64_t s, char out[VS_TIME_TEXT])
{
    parts p = split(s);
    if (p.year < 0 || p.year > 9999)
        return "out-of-range";
    (void)snprintf(out, VS_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)p.year, p.month, p.day,
                   p.hour, p.min, p.sec);
    return out;
}

const char *vs_time_http(int64_t s, char out[VS_TIME_TEXT])
{
    static const char day[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char mon[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    parts p = split(s);
    if (p.year < 0 || p.year > 9999)
        return "out-of-range";
    (void)snprintf(out, VS_TIME_TEXT, "%s, %02d %s %04d %02d:%02d:%02d GMT", day[p.weekday], p.day,
                   mon[p.month - 1], (int)p.year, p.hour, p.min, p.sec);
    return out;
}

/* `n` digits at *at, advancing; -1 when they are not digits. */
static int digits(vs_span t, size_t *at, size_t n)
{
    int v = 0;
    if (t.n - *at < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = t.p[*at + i];
        if (c < '0' || c > '9')
            return -1;
        v = v * 10 + (c - '0');
    }
    *at += n;
    return v;
}

static bool sep(vs_span t, size_t *at, const char *any)
{
    if (*at >= t.n || !t.p[*at] || !strchr(any, t.p[*at]))
        return false;
    ++*at;
    return true;
}

static int month_days(int64_t year, int month)
{
    return (int)(vs_days_of_date(month == 12 ? year + 1 : year, month % 12 + 1, 1) -
                 vs_days_of_date(year, month, 1));
}

static bool parse(vs_span t, int64_t *s)
{
    size_t at = 0;
    int y = digits(t, &at, 4);
    bool ok = y >= 0 && sep(t, &at, "-");
    int mo = digits(t, &at, 2);
    ok = ok && mo >= 1 && mo <= 12 && sep(t, &at, "-");
    int d = digits(t, &at, 2);
    ok = ok && d >= 1 && d <= month_days(y, mo) && sep(t, &at, "Tt ");
    int h = digits(t, &at, 2);
    ok = ok && h >= 0 && h <= 23 && sep(t, &at, ":");
    int mi = digits(t, &at, 2);
    ok = ok && mi >= 0 && mi <= 59 && sep(t, &at, ":");
    int se = digits(t, &at, 2);
    if (!ok || se < 0 || se > 60)
        return false;
    if (sep(t, &at, ".")) {
        size_t before = at;
        while (at < t.n && t.p[at] >= '0' && t.p[at] <= '9')
            at++;
        if (at == before)
            return false;
    }
    int offset = 0;
    if (!sep(t, &at, "Zz")) {
        int sign = at < t.n && t.p[at] == '-' ? -1 : 1;
        ok = sep(t, &at, "+-");
        int oh = digits(t, &at, 2);
        ok = ok && oh >= 0 && oh <= 23 && sep(t, &at, ":");
        int om = digits(t, &at, 2);
        if (!ok || om < 0 || om > 59)
            return false;
        offset = sign * (oh * 3600 + om * 60);
    }
    *s = vs_days_of_date(y, mo, d) * DAY + h * 3600 + mi * 60 + se - offset;
    return at == t.n;
}

vs_code vs_time_parse(vs_span t, int64_t *s, vs_error *err)
{
    if (!parse(t, s))
        return vs_fail(err, VS_E_PARSE, "not an RFC 3339 time: \"%.*s\"",
                       VS_FMT(vs_span_head(t, 40)));
    return VS_OK;
}

int64_t vs_time_add_months(int64_t s, int months)
{
    int64_t days = floor_div(s, DAY), rest = s - days * DAY, year;
    int month, day;
    vs_date_of_days(days, &year, &month, &day);
    int64_t m = year * 12 + (month - 1) + months;
    year = floor_div(m, 12);
    month = (int)(m - year * 12) + 1;
    int last = month_days(year, month);
    return vs_days_of_date(year, month, day < last ? day : last) * DAY + rest;
}
