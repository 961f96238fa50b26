/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/civil.h"

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
