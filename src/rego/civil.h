/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar and clock for the time.* builtins. Years 1..9999 and some beyond. */
#ifndef VS_REGO_CIVIL_H
#define VS_REGO_CIVIL_H

#include "base/span.h"

typedef struct civil {
    int64_t year;
    int month, day; /* 1-based */
    int hour, minute, second;
    int nanosecond;
    int weekday; /* 0 = Sunday */
    int yearday; /* 1-based */
} civil;

/* Days since 1970-01-01 of a proleptic Gregorian date; month and day may be out of range and carry.
 */
int64_t civil_days(int64_t year, int64_t month, int64_t day);
/* Seconds since 1970 (may be negative) as a date. */
civil civil_of_seconds(int64_t seconds, int nanosecond);
int64_t civil_seconds(const civil *c);
int civil_days_in_month(int64_t year, int month);

#endif
