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

static void put_zone(vs_buf *out, const rego_zone *z, unsigned form)
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

static void put_element(vs_buf *out, chunk k, vs_span s, const civil *c, const rego_zone *z)
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

void layout_format(vs_buf *out, vs_span layout, const civil *c, const rego_zone *z)
{
    while (layout.n) {
        chunk k = chunk_at(layout);
        put_element(out, k, layout, c, z);
        layout = vs_span_from(layout, k.n);
    }
}

/* ---- parsing -----------------------------------------------------------------------------------
 */

enum { NOT_GIVEN = -1 };

typedef struct reader {
    vs_span s;
    civil c; /* month, day: NOT_GIVEN until they are */
    int yearday;
    int32_t offset;
    bool utc; /* written as Z or UTC, which counts more than an offset */
    bool pm, am;
    const char *range; /* what is out of range */
} reader;

static bool in_range(reader *r, const char *what, int lo, int hi, int v)
{
    if (v >= lo && v <= hi)
        return true;
    r->range = what;
    return false;
}

/* min to max digits; false when there are fewer. */
static bool digits(reader *r, size_t min, size_t max, int *out)
{
    size_t n = 0;
    int v = 0;
    while (n < r->s.n && n < max && is_digit(r->s.p[n]))
        v = v * 10 + (r->s.p[n++] - '0');
    if (n < min)
        return false;
    r->s = vs_span_from(r->s, n);
    *out = v;
    return true;
}

static bool number(reader *r, size_t min, const char *what, int lo, int hi, int *out)
{
    return digits(r, min, 2, out) && in_range(r, what, lo, hi, *out);
}

static bool take_char(reader *r, uint8_t c)
{
    if (r->s.n == 0 || r->s.p[0] != c)
        return false;
    r->s = vs_span_from(r->s, 1);
    return true;
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

static bool fraction_starts(vs_span s)
{
    return s.n >= 2 && (s.p[0] == '.' || s.p[0] == ',') && is_digit(s.p[1]);
}

/* A point and `n` digits, of which nine count (and only they are looked at, as in Go); 0 = as many
 * as there are. */
static bool fraction(reader *r, size_t n)
{
    int scale = 100000000, ns = 0;
    size_t i = 1, wanted = n > 9 ? 9 : n;
    if (!fraction_starts(r->s) || r->s.n < n + 1)
        return false;
    for (; i < r->s.n && (n == 0 || i <= wanted) && is_digit(r->s.p[i]); i++, scale /= 10)
        ns += (r->s.p[i] - '0') * scale;
    if (n && i != wanted + 1)
        return false;
    r->c.nanosecond = ns;
    r->s = vs_span_from(r->s, n ? n + 1 : i);
    return true;
}

/* 24 hours and 60 minutes are let pass, as in Go. */
static bool offset(reader *r, unsigned form)
{
    static const struct {
        const char *name;
        int most;
    } parts[] = {{"time zone offset hour", 24},
                 {"time zone offset minute", 60},
                 {"time zone offset second", 60}};
    int part[3] = {0};
    if (zone_forms[form].z && take_char(r, 'Z')) {
        r->utc = true;
        return true;
    }
    bool west = r->s.n && r->s.p[0] == '-';
    if (!take_char(r, '-') && !take_char(r, '+'))
        return false;
    for (unsigned i = 0; i < zone_forms[form].parts; i++)
        if ((i && zone_forms[form].colons && !take_char(r, ':')) || !digits(r, 2, 2, &part[i]))
            return false;
    for (unsigned i = 0; i < 3; i++)
        if (!in_range(r, parts[i].name, 0, parts[i].most, part[i]))
            return false;
    r->offset = part[0] * 3600 + part[1] * 60 + part[2];
    if (west)
        r->offset = -r->offset;
    return true;
}

/* +h, -hh up to 23; its length, or 0. */
static size_t signed_hours(vs_span s, int *hours)
{
    size_t n = 1;
    *hours = 0;
    if (s.n < 2 || (s.p[0] != '+' && s.p[0] != '-'))
        return 0;
    while (n < s.n && is_digit(s.p[n])) {
        *hours = *hours * 10 + (s.p[n++] - '0');
        if (*hours > 23)
            return 0;
    }
    if (s.p[0] == '-')
        *hours = -*hours;
    return n > 1 ? n : 0;
}

/* The letters of a zone such as MST, AMST, ChST, WITA; their number, or 0. */
static size_t zone_letters(vs_span s)
{
    size_t n = 0;
    if (vs_span_starts(s, VS_LIT("ChST")) || vs_span_starts(s, VS_LIT("MeST")))
        return 4;
    while (n < s.n && n < 6 && s.p[n] >= 'A' && s.p[n] <= 'Z')
        n++;
    if (n == 3 || (n == 4 && (s.p[3] == 'T' || vs_span_starts(s, VS_LIT("WITA")))) ||
        (n == 5 && s.p[4] == 'T'))
        return n;
    return 0;
}

/* Only UTC and GMT+h say where they are; the others count as UTC, as in Go. */
static bool zone_name(reader *r)
{
    int hours;
    if (r->s.n < 3)
        return false;
    if (vs_span_starts(r->s, VS_LIT("UTC"))) {
        r->s = vs_span_from(r->s, 3);
        r->utc = true;
        return true;
    }
    size_t n = 3 * vs_span_starts(r->s, VS_LIT("GMT"));
    if (n || r->s.p[0] == '+' || r->s.p[0] == '-')
        n += signed_hours(vs_span_from(r->s, n), &hours);
    else
        n = zone_letters(r->s);
    r->s = vs_span_from(r->s, n);
    return n > 0;
}

static bool half_of_day(reader *r, const char *am, const char *pm)
{
    bool is_am = vs_span_starts(r->s, vs_str(am)), is_pm = vs_span_starts(r->s, vs_str(pm));
    if (!is_am && !is_pm)
        return false;
    r->am |= is_am;
    r->pm |= is_pm;
    r->s = vs_span_from(r->s, 2);
    return true;
}

/* The first element behind text of the layout. */
static chunk next_chunk(vs_span layout, vs_span *text)
{
    for (size_t n = 0; n < layout.n; n++) {
        chunk k = chunk_at(vs_span_from(layout, n));
        if (k.e != E_TEXT) {
            *text = vs_span_head(layout, n);
            return k;
        }
    }
    *text = layout;
    return (chunk){E_TEXT, 0, 0};
}

static bool seconds(reader *r, chunk k, vs_span rest)
{
    vs_span text;
    if (!number(r, k.e == E_SECOND2 ? 2 : 1, "second", 0, 59, &r->c.second))
        return false;
    /* a fraction may follow even where the layout has none */
    element next = next_chunk(rest, &text).e;
    if (fraction_starts(r->s) && next != E_FRACTION && next != E_FRACTION_TRIM)
        return fraction(r, 0);
    return true;
}

static bool read_date(reader *r, element e)
{
    int v = 0;
    switch (e) {
    case E_YEAR4:
        if (!digits(r, 4, 4, &v))
            return false;
        r->c.year = v;
        return true;
    case E_YEAR2:
        if (!digits(r, 2, 2, &v))
            return false;
        r->c.year = v >= 69 ? 1900 + v : 2000 + v;
        return true;
    case E_MONTH_LONG:
    case E_MONTH_SHORT:
        if (!name(r, months, 12, e == E_MONTH_LONG, &v))
            return false;
        r->c.month = v + 1;
        return true;
    case E_MONTH: return number(r, 1, "month", 1, 12, &r->c.month);
    case E_MONTH2: return number(r, 2, "month", 1, 12, &r->c.month);
    case E_DAY_LONG:
    case E_DAY_SHORT: return name(r, days, 7, e == E_DAY_LONG, &v);
    case E_DAY_PADDED: (void)take_char(r, ' '); return digits(r, 1, 2, &r->c.day);
    case E_DAY: return digits(r, 1, 2, &r->c.day);
    case E_DAY2: return digits(r, 2, 2, &r->c.day);
    case E_YEARDAY_PADDED:
        for (int i = 0; i < 2; i++)
            (void)take_char(r, ' ');
        return digits(r, 1, 3, &r->yearday);
    default: return digits(r, 3, 3, &r->yearday);
    }
}

static bool read_element(reader *r, chunk k, vs_span rest)
{
    switch (k.e) {
    case E_HOUR24: return number(r, 1, "hour", 0, 23, &r->c.hour);
    case E_HOUR12: return number(r, 1, "hour", 0, 12, &r->c.hour);
    case E_HOUR12_2: return number(r, 2, "hour", 0, 12, &r->c.hour);
    case E_MINUTE: return number(r, 1, "minute", 0, 59, &r->c.minute);
    case E_MINUTE2: return number(r, 2, "minute", 0, 59, &r->c.minute);
    case E_SECOND:
    case E_SECOND2: return seconds(r, k, rest);
    case E_PM: return half_of_day(r, "AM", "PM");
    case E_PM_LOWER: return half_of_day(r, "am", "pm");
    case E_FRACTION: return fraction(r, k.n - 1);
    case E_FRACTION_TRIM: return !fraction_starts(r->s) || fraction(r, 0);
    case E_ZONE_NAME: return zone_name(r);
    case E_ZONE: return offset(r, k.form);
    default: return read_date(r, k.e);
    }
}

static vs_span without_spaces(vs_span s)
{
    while (s.n && s.p[0] == ' ')
        s = vs_span_from(s, 1);
    return s;
}

/* Text of the layout; spaces stand for any number of spaces, but not for another character. */
static bool skip(reader *r, vs_span text)
{
    while (text.n) {
        if (text.p[0] == ' ') {
            if (r->s.n && r->s.p[0] != ' ')
                return false;
            text = without_spaces(text);
            r->s = without_spaces(r->s);
        } else {
            if (!take_char(r, text.p[0]))
                return false;
            text = vs_span_from(text, 1);
        }
    }
    return true;
}

/* The day of the year as month and day, which must agree with those that were given. */
static const char *settle_date(reader *r)
{
    int month = 1, day = r->yearday;
    if (r->yearday != NOT_GIVEN) {
        if (day < 1 || day > 365 + (civil_days_in_month(r->c.year, 2) == 29))
            return "day-of-year out of range";
        for (int n; day > (n = civil_days_in_month(r->c.year, month)); month++)
            day -= n;
        if (r->c.month != NOT_GIVEN && r->c.month != month)
            return "day-of-year does not match month";
        if (r->c.day != NOT_GIVEN && r->c.day != day)
            return "day-of-year does not match day";
    }
    if (r->c.month == NOT_GIVEN)
        r->c.month = month;
    if (r->c.day == NOT_GIVEN)
        r->c.day = r->yearday == NOT_GIVEN ? 1 : day;
    if (r->c.day < 1 || r->c.day > civil_days_in_month(r->c.year, r->c.month))
        return "day out of range";
    return NULL;
}

void layout_quote(vs_buf *out, vs_span s)
{
    vs_buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c >= 0x80 || c < ' ')
            vs_buf_printf(out, "\\x%02x", c);
        else
            vs_buf_printf(out, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
    }
    vs_buf_putc(out, '"');
}

static bool misfit(vs_buf *why, vs_span layout, vs_span text, vs_span at, vs_span part)
{
    vs_buf_puts(why, "parsing time ");
    layout_quote(why, text);
    vs_buf_puts(why, " as ");
    layout_quote(why, layout);
    vs_buf_puts(why, ": cannot parse ");
    layout_quote(why, at);
    vs_buf_puts(why, " as ");
    layout_quote(why, part);
    return false;
}

static bool wrong(vs_buf *why, vs_span text, const char *what, const char *more)
{
    vs_buf_puts(why, "parsing time ");
    layout_quote(why, text);
    vs_buf_printf(why, ": %s%s", what, more);
    return false;
}

bool layout_parse(vs_span layout, vs_span text, int64_t *out_seconds, int *nanosecond, vs_buf *why)
{
    reader r = {.s = text, .c = {.month = NOT_GIVEN, .day = NOT_GIVEN}, .yearday = NOT_GIVEN};
    for (vs_span rest = layout, plain;;) {
        chunk k = next_chunk(rest, &plain);
        rest = vs_span_from(rest, plain.n);
        if (!skip(&r, plain))
            return misfit(why, layout, text, r.s, plain);
        if (k.n == 0)
            break;
        vs_span before = r.s, part = vs_span_head(rest, k.n);
        rest = vs_span_from(rest, k.n);
        if (!read_element(&r, k, rest))
            return r.range ? wrong(why, text, r.range, " out of range")
                           : misfit(why, layout, text, before, part);
    }
    if (r.s.n) {
        (void)wrong(why, text, "extra text: ", "");
        layout_quote(why, r.s);
        return false;
    }
    const char *date = settle_date(&r);
    if (date)
        return wrong(why, text, date, "");
    if (r.pm && r.c.hour < 12)
        r.c.hour += 12;
    else if (!r.pm && r.am && r.c.hour == 12)
        r.c.hour = 0;
    *out_seconds = civil_seconds(&r.c) - (r.utc ? 0 : r.offset);
    *nanosecond = r.c.nanosecond;
    return true;
}
