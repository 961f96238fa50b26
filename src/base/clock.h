/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Domain code takes "now" as a parameter (seconds since 1970, UTC) so that an evaluation can
 * be replayed; only programs and adapters read the clock.
 */
#ifndef VS_BASE_CLOCK_H
#define VS_BASE_CLOCK_H

#include "base/error.h"

/* Wall clock, seconds and nanoseconds since the epoch. */
int64_t vs_now_s(void);
int64_t vs_now_ns(void);
/* For measuring spans: never goes back. */
int64_t vs_mono_ns(void);

enum { VS_TIME_TEXT = 32 };
/* "2026-11-24T03:18:21Z" (RFC 3339, years 0000 to 9999; others give "out-of-range"). */
const char *vs_time_rfc3339(int64_t s, char out[VS_TIME_TEXT]);
/* "Tue, 24 Nov 2026 03:18:21 GMT" (IMF-fixdate, RFC 9110 5.6.7). */
const char *vs_time_http(int64_t s, char out[VS_TIME_TEXT]);
/* RFC 3339 with any offset; fractions are dropped. */
VS_MUST vs_code vs_time_parse(vs_span text, int64_t *s, vs_error *err);
/* The same day of month and time `months` later, the day clamped to the month's length. */
int64_t vs_time_add_months(int64_t s, int months);

/* Proleptic Gregorian calendar <-> days since 1970-01-01. month 1..12, day 1..31. */
int64_t vs_days_of_date(int64_t year, int month, int day);
void vs_date_of_days(int64_t days, int64_t *year, int *month, int *day);

#endif
