/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/time_layout.h"

#include <stdlib.h>
#include <strings.h>

static const struct {
    const char *name, *layout;
} layouts[] = {
    {"ANSIC", "Mon Jan _2 15:04:05 2006"},
    {"UnixDate", "Mon Jan _2 15:04:05 MST 2006"},
    {"RubyDate", "Mon Jan 02 15:04:05 -0700 2006"},
    {"RFC822", "02 Jan 06 15:04 MST"},
    {"RFC822Z", "02 Jan 06 15:04 -0700"},
    {"RFC850", "Monday, 02-Jan-06 15:04:05 MST"},
    {"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"},
    {"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"},
    {"RFC3339", "2006-01-02T15:04:05Z07:00"},
    {"RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"},
    {"Kitchen", "3:04PM"},
    {"Stamp", "Jan _2 15:04:05"},
    {"StampMilli", "Jan _2 15:04:05.000"},
    {"StampMicro", "Jan _2 15:04:05.000000"},
    {"StampNano", "Jan _2 15:04:05.000000000"},
    {"DateTime", "2006-01-02 15:04:05"},
    {"DateOnly", "2006-01-02"},
    {"TimeOnly", "15:04:05"},
};

vs_span layout_of(vs_span name)
{
    for (size_t i = 0; i < VS_COUNT(layouts); i++)
        if (vs_span_is(name, layouts[i].name))
            return vs_str(layouts[i].layout);
    return name;
}

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

/* ---- elements ----------------------------------------------------------------------------------
 */

typedef enum element {
    E_TEXT,
    E_YEAR4,
    E_YEAR2,
    E_MONTH_LONG,
    E_MONTH_SHORT,
    E_MONTH,
    E_MONTH2,
    E_DAY_LONG,
    E_DAY_SHORT,
    E_DAY,
    E_DAY_PADDED,
    E_DAY2,
    E_YEARDAY_PADDED,
    E_YEARDAY3,
    E_HOUR24,
    E_HOUR12,
    E_HOUR12_2,
    E_MINUTE,
    E_MINUTE2,
    E_SECOND,
    E_SECOND2,
    E_PM,
    E_PM_LOWER,
    E_FRACTION,      /* .000: that many digits */
    E_FRACTION_TRIM, /* .999: up to that many, without trailing zeros */
    E_ZONE_NAME,
    E_ZONE, /* offsets, see zone_forms */
} element;

static const struct {
    const char *text;
    element e;
} elements[] = {
    {"January", E_MONTH_LONG},
    {"Jan", E_MONTH_SHORT},
    {"Monday", E_DAY_LONG},
    {"Mon", E_DAY_SHORT},
    {"MST", E_ZONE_NAME},
    {"2006", E_YEAR4},
    {"__2", E_YEARDAY_PADDED},
    {"002", E_YEARDAY3},
    {"_2", E_DAY_PADDED},
    {"01", E_MONTH2},
    {"02", E_DAY2},
    {"03", E_HOUR12_2},
    {"04", E_MINUTE2},
    {"05", E_SECOND2},
    {"06", E_YEAR2},
    {"15", E_HOUR24},
    {"PM", E_PM},
    {"pm", E_PM_LOWER},
    {"1", E_MONTH},
    {"2", E_DAY},
    {"3", E_HOUR12},
    {"4", E_MINUTE},
    {"5", E_SECOND},
};

/* Offsets, the longest first. `z` = UTC is written as Z. */
static const struct {
    const char *text;
    bool z, colons;
    unsigned parts; /* hours, minutes, seconds */
} zone_forms[] = {
    {"Z07:00:00", true, true, 3}, {"Z070000", true, false, 3}, {"Z07:00", true, true, 2},
    {"Z0700", true, false, 2},    {"Z07", true, false, 1},     {"-07:00:00", false, true, 3},
    {"-070000", false, false, 3}, {"-07:00", false, true, 2},  {"-0700", false, false, 2},
    {"-07", false, false, 1},
};

typedef struct chunk {
    element e;
    size_t n;      /* bytes of the layout */
    unsigned form; /* E_ZONE */
} chunk;

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

/* ".000" or ",999" behind the seconds, not followed by another digit. */
static size_t fraction_length(vs_span s)
{
    size_t n = 2;
    if (s.n < 2 || (s.p[0] != '.' && s.p[0] != ',') || (s.p[1] != '0' && s.p[1] != '9'))
        return 0;
    while (n < s.n && s.p[n] == s.p[1])
        n++;
    return n < s.n && is_digit(s.p[n]) ? 0 : n;
}

static chunk chunk_at(vs_span s)
{
    size_t fraction = fraction_length(s);
    if (fraction)
        return (chunk){s.p[1] == '0' ? E_FRACTION : E_FRACTION_TRIM, fraction, 0};
    for (unsigned i = 0; i < VS_COUNT(zone_forms); i++)
        if (vs_span_starts(s, vs_str(zone_forms[i].text)))
            return (chunk){E_ZONE, strlen(zone_forms[i].text), i};
    for (size_t i = 0; i < VS_COUNT(elements); i++) {
        size_t n = strlen(elements[i].text);
        if (!vs_span_starts(s, vs_str(elements[i].text)))
            continue;
        /* "Jan" and "Mon" are not the start of another word */
        if ((elements[i].e == E_MONTH_SHORT || elements[i].e == E_DAY_SHORT) && s.n > n &&
            is_lower(s.p[n]))
            continue;
        if (elements[i].e == E_DAY_PADDED && vs_span_starts(s, VS_LIT("_2006")))
            return (chunk){E_TEXT, 1, 0};
        return (chunk){elements[i].e, n, 0};
    }
    return (chunk){E_TEXT, 1, 0};
}

/* ---- formatting --------------------------------------------------------------------------------
 */

static void put_fraction(vs_buf *out, const civil *c, char point, size_t digits, bool trim)
{
    char text[10];
    int ns = c->nanosecond;
    for (int i = 8; i >= 0; i--, ns /= 10)
        text[i] = (char)('0' + ns % 10);
    if (digits > 9)
        digits = 9;
    while (trim && digits > 0 && text[digits - 1] == '0')
        digits--;
    if (digits) {
        vs_buf_putc(out, point);
        vs_buf_put(out, vs_span_of(text, digits));
    }
}

static void put_zone(vs_buf *out, const zone *z, unsigned form)
{
    int32_t o = z->offset < 0 ? -z->offset : z->offset;
    if (zone_forms[form].z && o == 0) {
        vs_buf_putc(out, 'Z');
        return;
    }
    const int32_t part[] = {o / 3600, o / 60 % 60, o % 60};
    vs_buf_putc(out, z->offset < 0 ? '-' : '+');
    for (unsigned i = 0; i < zone_forms[form].parts; i++)
        vs_buf_printf(out, "%s%02d", i && zone_forms[form].colons ? ":" : "", part[i]);
}

static void put_element(vs_buf *out, chunk k, vs_span s, const civil *c, const zone *z)
{
    int hour12 = c->hour % 12 ? c->hour % 12 : 12;
    switch (k.e) {
    case E_TEXT: vs_buf_putc(out, (char)s.p[0]); break;
    case E_YEAR4: vs_buf_printf(out, "%04lld", (long long)c->year); break;
    case E_YEAR2: vs_buf_printf(out, "%02lld", (long long)((c->year % 100 + 100) % 100)); break;
    case E_MONTH_LONG: vs_buf_puts(out, months[c->month - 1]); break;
    case E_MONTH_SHORT: vs_buf_printf(out, "%.3s", months[c->month - 1]); break;
    case E_MONTH: vs_buf_printf(out, "%d", c->month); break;
    case E_MONTH2: vs_buf_printf(out, "%02d", c->month); break;
    case E_DAY_LONG: vs_buf_puts(out, days[c->weekday]); break;
    case E_DAY_SHORT: vs_buf_printf(out, "%.3s", days[c->weekday]); break;
    case E_DAY: vs_buf_printf(out, "%d", c->day); break;
    case E_DAY_PADDED: vs_buf_printf(out, "%2d", c->day); break;
    case E_DAY2: vs_buf_printf(out, "%02d", c->day); break;
    case E_YEARDAY_PADDED: vs_buf_printf(out, "%3d", c->yearday); break;
    case E_YEARDAY3: vs_buf_printf(out, "%03d", c->yearday); break;
    case E_HOUR24: vs_buf_printf(out, "%02d", c->hour); break;
    case E_HOUR12: vs_buf_printf(out, "%d", hour12); break;
    case E_HOUR12_2: vs_buf_printf(out, "%02d", hour12); break;
    case E_MINUTE: vs_buf_printf(out, "%d", c->minute); break;
    case E_MINUTE2: vs_buf_printf(out, "%02d", c->minute); break;
    case E_SECOND: vs_buf_printf(out, "%d", c->second); break;
    case E_SECOND2: vs_buf_printf(out, "%02d", c->second); break;
    case E_PM: vs_buf_puts(out, c->hour >= 12 ? "PM" : "AM"); break;
    case E_PM_LOWER: vs_buf_puts(out, c->hour >= 12 ? "pm" : "am"); break;
    case E_FRACTION:
    case E_FRACTION_TRIM:
        put_fraction(out, c, (char)s.p[0], k.n - 1, k.e == E_FRACTION_TRIM);
        break;
    case E_ZONE_NAME:
        if (z->name[0])
            vs_buf_puts(out, z->name);
        else
            put_zone(out, z, 8);
        break;
    case E_ZONE: put_zone(out, z, k.form); break;
    }
}

void layout_format(vs_buf *out, vs_span layout, const civil *c, const zone *z)
{
    while (layout.n) {
        chunk k = chunk_at(layout);
        put_element(out, k, layout, c, z);
        layout = vs_span_from(layout, k.n);
    }
}

/* ---- parsing -----------------------------------------------------------------------------------
 */

typedef struct reader {
    vs_span s;
    civil c;
    int yearday; /* 0 = not given */
    int32_t offset;
    bool pm, has_pm, has_hour12;
} reader;

/* min to max digits; false when there are fewer, or the value is out of range. */
static bool digits(reader *r, size_t min, size_t max, int lo, int hi, int *out)
{
    size_t n = 0;
    int v = 0;
    while (n < r->s.n && n < max && is_digit(r->s.p[n]))
        v = v * 10 + (r->s.p[n++] - '0');
    r->s = vs_span_from(r->s, n);
    *out = v;
    return n >= min && v >= lo && v <= hi;
}

/* A name of the table, whole or its first three letters; upper and lower case alike. */
static bool name(reader *r, const char *const *table, int n, bool whole, int *out)
{
    for (int i = 0; i < n; i++) {
        size_t len = whole ? strlen(table[i]) : 3;
        if (r->s.n >= len && strncasecmp((const char *)r->s.p, table[i], len) == 0) {
            r->s = vs_span_from(r->s, len);
            *out = i;
            return true;
        }
    }
    return false;
}

static bool fraction(reader *r)
{
    int scale = 100000000, ns = 0;
    size_t n = 1;
    if (r->s.n < 2 || (r->s.p[0] != '.' && r->s.p[0] != ',') || !is_digit(r->s.p[1]))
        return false;
    for (; n < r->s.n && is_digit(r->s.p[n]); n++, scale /= 10)
        ns += (r->s.p[n] - '0') * scale;
    r->c.nanosecond = ns;
    r->s = vs_span_from(r->s, n);
    return true;
}

static bool offset(reader *r, unsigned form)
{
    int part[3] = {0};
    if (r->s.n == 0)
        return false;
    uint8_t sign = r->s.p[0];
    r->s = vs_span_from(r->s, 1);
    if (zone_forms[form].z && sign == 'Z')
        return true;
    if (sign != '+' && sign != '-')
        return false;
    for (unsigned i = 0; i < zone_forms[form].parts; i++) {
        if (i && zone_forms[form].colons) {
            if (r->s.n == 0 || r->s.p[0] != ':')
                return false;
            r->s = vs_span_from(r->s, 1);
        }
        if (!digits(r, 2, 2, 0, i ? 59 : 24, &part[i]))
            return false;
    }
    r->offset = part[0] * 3600 + part[1] * 60 + part[2];
    if (sign == '-')
        r->offset = -r->offset;
    return true;
}

/* Letters of a zone such as MST; only UTC and GMT[+-h] say where they are, as in Go. */
static bool zone_name(reader *r)
{
    size_t n = 0;
    while (n < r->s.n && n < 5 && r->s.p[n] >= 'A' && r->s.p[n] <= 'Z')
        n++;
    bool gmt = n == 3 && memcmp(r->s.p, "GMT", 3) == 0;
    if (n < 3)
        return false;
    r->s = vs_span_from(r->s, n);
    if (gmt && r->s.n && (r->s.p[0] == '+' || r->s.p[0] == '-')) {
        bool west = r->s.p[0] == '-';
        int hours;
        r->s = vs_span_from(r->s, 1);
        if (!digits(r, 1, 2, 0, 23, &hours))
            return false;
        r->offset = (west ? -hours : hours) * 3600;
    }
    return true;
}

static bool read_element(reader *r, chunk k, vs_span layout)
{
    int v = 0;
    switch (k.e) {
    case E_TEXT:
        if (r->s.n == 0 || r->s.p[0] != layout.p[0])
            return false;
        r->s = vs_span_from(r->s, 1);
        return true;
    case E_YEAR4:
        if (!digits(r, 4, 4, 0, 9999, &v))
            return false;
        r->c.year = v;
        return true;
    case E_YEAR2:
        if (!digits(r, 2, 2, 0, 99, &v))
            return false;
        r->c.year = v >= 69 ? 1900 + v : 2000 + v;
        return true;
    case E_MONTH_LONG:
    case E_MONTH_SHORT:
        if (!name(r, months, 12, k.e == E_MONTH_LONG, &v))
            return false;
        r->c.month = v + 1;
        return true;
    case E_MONTH: return digits(r, 1, 2, 1, 12, &r->c.month);
    case E_MONTH2: return digits(r, 2, 2, 1, 12, &r->c.month);
    case E_DAY_LONG:
    case E_DAY_SHORT: return name(r, days, 7, k.e == E_DAY_LONG, &v);
    case E_DAY:
    case E_DAY_PADDED:
    case E_DAY2:
        if (k.e == E_DAY_PADDED && r->s.n && r->s.p[0] == ' ')
            r->s = vs_span_from(r->s, 1);
        return digits(r, k.e == E_DAY2 ? 2 : 1, 2, 0, 31, &r->c.day);
    case E_YEARDAY_PADDED:
    case E_YEARDAY3:
        while (k.e == E_YEARDAY_PADDED && r->s.n && r->s.p[0] == ' ')
            r->s = vs_span_from(r->s, 1);
        return digits(r, k.e == E_YEARDAY3 ? 3 : 1, 3, 1, 366, &r->yearday);
    case E_HOUR24: return digits(r, 1, 2, 0, 23, &r->c.hour);
    case E_HOUR12:
    case E_HOUR12_2:
        r->has_hour12 = true;
        return digits(r, k.e == E_HOUR12_2 ? 2 : 1, 2, 0, 12, &r->c.hour);
    case E_MINUTE: return digits(r, 1, 2, 0, 59, &r->c.minute);
    case E_MINUTE2: return digits(r, 2, 2, 0, 59, &r->c.minute);
    case E_SECOND:
    case E_SECOND2:
        if (!digits(r, k.e == E_SECOND2 ? 2 : 1, 2, 0, 59, &r->c.second))
            return false;
        /* a fraction may follow even where the layout has none */
        if (fraction_length(vs_span_from(layout, k.n)) == 0)
            (void)fraction(r);
        return true;
    case E_PM:
    case E_PM_LOWER: {
        static const char *const halves[] = {"AM", "PM"};
        for (int i = 0; i < 2; i++)
            if (r->s.n >= 2 && strncasecmp((const char *)r->s.p, halves[i], 2) == 0) {
                r->pm = i;
                r->has_pm = true;
                r->s = vs_span_from(r->s, 2);
                return true;
            }
        return false;
    }
    case E_FRACTION: return fraction(r);
    case E_FRACTION_TRIM: (void)fraction(r); return true;
    case E_ZONE_NAME: return zone_name(r);
    case E_ZONE: return offset(r, k.form);
    }
    return false;
}

const char *layout_parse(vs_span layout, vs_span text, int64_t *seconds, int *nanosecond)
{
    reader r = {.s = text, .c = {.month = 1, .day = 1}};
    bool month_given = false;
    while (layout.n) {
        chunk k = chunk_at(layout);
        if (!read_element(&r, k, layout))
            return "the text does not fit the layout";
        month_given |= k.e >= E_MONTH_LONG && k.e <= E_MONTH2;
        layout = vs_span_from(layout, k.n);
    }
    if (r.s.n)
        return "extra text behind the time";
    if (r.has_pm && r.pm && r.c.hour < 12)
        r.c.hour += 12;
    else if (r.has_pm && !r.pm && r.c.hour == 12)
        r.c.hour = 0;
    if (r.yearday && !month_given) {
        r.c.month = 1;
        r.c.day = 1;
    }
    if (r.c.day < 1 || r.c.day > civil_days_in_month(r.c.year, r.c.month))
        return "day out of range";
    *seconds = civil_seconds(&r.c) - r.offset;
    if (r.yearday && !month_given)
        *seconds += (int64_t)(r.yearday - 1) * 86400;
    *nanosecond = r.c.nanosecond;
    return NULL;
}
