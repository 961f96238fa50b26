/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <time.h>

#include "base/clock.h"

static void formats_agree_with_libc(void **state)
{
    (void)state;
    for (int64_t s = -62167219200; s < 253402300800; s += 86400 * 37 + 12345) {
        time_t t = (time_t)s;
        struct tm tm;
        char want[64], got[VS_TIME_TEXT];
        gmtime_r(&t, &tm);
        int year = tm.tm_year + 1900;
        (void)snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, tm.tm_mon + 1,
                       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_string_equal(vs_time_rfc3339(s, got), want);
        int64_t back;
        assert_int_equal(vs_time_parse(vs_str(want), &back, NULL), VS_OK);
        assert_int_equal(back, s);
    }
    char got[VS_TIME_TEXT];
    assert_string_equal(vs_time_http(784111777, got), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(vs_time_rfc3339(INT64_MAX / 4, got), "out-of-range");
}

static void parses_offsets_and_refuses_nonsense(void **state)
{
    (void)state;
    int64_t s;
    assert_int_equal(vs_time_parse(VS_LIT("2026-01-02T03:04:05.678+01:30"), &s, NULL), VS_OK);
    assert_int_equal(s, 1767317645);
    static const char *const bad[] = {"",
                                      "2026-01-02",
                                      "2026-02-29T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-01-02T24:00:00Z",
                                      "2026-01-02T03:04:05",
                                      "2026-01-02T03:04:05Zx",
                                      "2026-01-02T03:04:05.Z",
                                      "26-01-02T03:04:05Z",
                                      "2026-00-02T03:04:05Z",
                                      "2026-01-02T03:04:05+1:00"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_equal(vs_time_parse(vs_str(bad[i]), &s, NULL), VS_E_PARSE);
}

static void months_clamp_to_the_last_day(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int months;
        const char *to;
    } t[] = {{"2026-11-24T03:18:21Z", 12, "2027-11-24T03:18:21Z"},
             {"2024-02-29T01:00:00Z", 12, "2025-02-28T01:00:00Z"},
             {"2026-01-31T00:00:00Z", 1, "2026-02-28T00:00:00Z"},
             {"2026-01-31T00:00:00Z", -2, "2025-11-30T00:00:00Z"}};
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        int64_t s;
        char got[VS_TIME_TEXT];
        assert_int_equal(vs_time_parse(vs_str(t[i].from), &s, NULL), VS_OK);
        assert_string_equal(vs_time_rfc3339(vs_time_add_months(s, t[i].months), got), t[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_agree_with_libc),
        cmocka_unit_test(parses_offsets_and_refuses_nonsense),
        cmocka_unit_test(months_clamp_to_the_last_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
