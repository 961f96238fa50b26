/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of time.*; OPA gives the same, with the zones of the system. */
#include "expressions.h"

static void moments(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"time.add_date([-132361199999999995, \"Europe/London\"], 0, 0, 2)", "-132184799999999995"},
        {"time.add_date([1506691800000000005, \"Pacific/Apia\"], 0, 0, 365)",
         "1538231400000000005"},
        {"time.add_date([1428155999000000000, \"Pacific/Apia\"], 0, 0, 0)", "1428159599000000000"},
        {"time.add_date([634701601000000005, \"America/Sao_Paulo\"], 0, 0, 0)",
         "634698001000000005"},
        {"time.add_date([63420270000000005, \"Africa/Monrovia\"], 0, 0, 2)", "63590400000000005"},
        {"time.add_date([780454799000000000, \"Europe/Berlin\"], 0, 0, 0)", "780458399000000000"},
        {"time.add_date([1709164800000000000, \"UTC\"], 1, 0, 0)", "1740787200000000000"},
        {"time.add_date([1706659200000000000, \"\"], 0, 1, 0)", "1709337600000000000"},
        {"time.add_date([0, \"America/New_York\"], -1, -13, 40)", "-62294400000000000"},
        {"time.add_date(-9223372036854775808, 0, 0, 0)", "-9223372036854775808"},
        {"time.add_date(0, 300, 0, 0)", "!eval_builtin_error: time outside of valid range"},
        {"time.date([1])", "[1970, 1, 1]"},
        {"time.date([1, \"UTC\", \"x\", \"y\"])", "[1970, 1, 1]"},
        {"time.date([1, \"UTC\", 3])", "!eval_type_error: operand 1 must be string but got number"},
        {"time.clock(1.5)", "!eval_builtin_error: timestamp too big"},
        {"time.weekday([])", "!eval_type_error: operand 1 must be either number (ns) or [number "
                             "(ns), string (tz)] but got array"},
        {"time.weekday(\"x\")", "!eval_type_error: operand 1 must be either number (ns) or [number "
                                "(ns), string (tz)] but got string"},
        {"time.date([0, \"../etc/passwd\"])", "!eval_builtin_error: time: invalid location name"},
        {"time.date([0, \"Europe/Nowhere\"])",
         "!eval_builtin_error: unknown time zone Europe/Nowhere"},
        {"time.diff([0, \"Asia/Kathmandu\"], 1700000000123456789)", "[53, 10, 13, 22, 28, 20]"},
        {"time.format([1700000000123456789, \"Asia/Kathmandu\", \"Kitchen\"])", "\"Kitchen\""},
        {"time.format([1700000000123456789, \"America/New_York\", \"Mon Jan _2 __2 002 "
         "03:04:05.000 PM pm MST Z07:00 -070000\"])",
         "\"Tue Nov 14 318 318 05:13:20.123 PM pm EST -05:00 -050000\""},
        {"time.format([1700000000123456789, \"Etc/GMT+3\", \"RFC850\"])",
         "\"Tuesday, 14-Nov-23 19:13:20 -03\""});
}

static void layouts(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"time.parse_ns(\"2006-01-02 15:04:05.000\", \"2020-01-01 10:11:12.1234\")",
         "!eval_builtin_error: parsing time \"2020-01-01 10:11:12.1234\": extra text: \"4\""},
        {"time.parse_ns(\"2006-01-02 15:04:05.000\", \"2020-01-01 10:11:12.12\")",
         "!eval_builtin_error: parsing time \"2020-01-01 10:11:12.12\" as \"2006-01-02 "
         "15:04:05.000\": cannot parse \".12\" as \".000\""},
        {"time.parse_ns(\"2006-01-02 15:04:05\", \"2020-01-01 10:11:12,5\")",
         "1577873472500000000"},
        {"time.parse_ns(\"2006-01-02 15:04:05 .000\", \"2020-01-01 10:11:12 .123\")",
         "1577873472123000000"},
        {"time.parse_ns(\"2006-01-02 3PM\", \"2020-01-01 1pm\")",
         "!eval_builtin_error: parsing time \"2020-01-01 1pm\" as \"2006-01-02 3PM\": cannot parse "
         "\"pm\" as \"PM\""},
        {"time.parse_ns(\"2006-01-02 3PM\", \"2020-01-01 12AM\")", "1577836800000000000"},
        {"time.parse_ns(\"2006-01-02 3pm\", \"2020-01-01 13pm\")",
         "!eval_builtin_error: parsing time \"2020-01-01 13pm\": hour out of range"},
        {"time.parse_ns(\"2006 002\", \"2021 366\")",
         "!eval_builtin_error: parsing time \"2021 366\": day-of-year out of range"},
        {"time.parse_ns(\"2006 002\", \"2020 366\")", "1609372800000000000"},
        {"time.parse_ns(\"2006-01-02 002\", \"2020-02-29 060\")", "1582934400000000000"},
        {"time.parse_ns(\"2006-01 002\", \"2020-03 060\")",
         "!eval_builtin_error: parsing time \"2020-03 060\": day-of-year does not match month"},
        {"time.parse_ns(\"2006-01-02 002\", \"2020-02-28 060\")",
         "!eval_builtin_error: parsing time \"2020-02-28 060\": day-of-year does not match day"},
        {"time.parse_ns(\"2006 __2\", \"2020   9\")", "1578528000000000000"},
        {"time.parse_ns(\"2006-01-02 MST\", \"2020-03-01 GMT+3\")", "1583020800000000000"},
        {"time.parse_ns(\"2006-01-02 MST\", \"2020-03-01 +03\")", "1583020800000000000"},
        {"time.parse_ns(\"2006-01-02 MST\", \"2020-03-01 GMT+24\")",
         "!eval_builtin_error: parsing time \"2020-03-01 GMT+24\": extra text: \"+24\""},
        {"time.parse_ns(\"2006-01-02 MST\", \"2020-03-01 ChST\")", "1583020800000000000"},
        {"time.parse_ns(\"2006-01-02 MST\", \"2020-03-01 AMST\")", "1583020800000000000"},
        {"time.parse_ns(\"2006-01-02 MST\", \"2020-03-01 ABCDE\")",
         "!eval_builtin_error: parsing time \"2020-03-01 ABCDE\" as \"2006-01-02 MST\": cannot "
         "parse \"ABCDE\" as \"MST\""},
        {"time.parse_ns(\"2006-01-02 MST -0700\", \"2020-03-01 UTC +0100\")",
         "1583020800000000000"},
        {"time.parse_ns(\"2006-01-02 MST -0700\", \"2020-03-01 CET +0100\")",
         "1583017200000000000"},
        {"time.parse_ns(\"2006-01-02  15\", \"2020-01-01 5\")", "1577854800000000000"},
        {"time.parse_ns(\"2006-01-02 15\", \"2020-01-01   5\")", "1577854800000000000"},
        {"time.parse_ns(\"2006-01-02 15\", \"2020-01-01-5\")",
         "!eval_builtin_error: parsing time \"2020-01-01-5\" as \"2006-01-02 15\": cannot parse "
         "\"-5\" as \" \""},
        {"time.parse_ns(\"2006-01-02\", \"2021-02-29\")",
         "!eval_builtin_error: parsing time \"2021-02-29\": day out of range"},
        {"time.parse_ns(\"2006-01-02\", \"2021-13-01\")",
         "!eval_builtin_error: parsing time \"2021-13-01\": month out of range"},
        {"time.parse_ns(\"2006-01-02\", \"2021-01-01 x\")",
         "!eval_builtin_error: parsing time \"2021-01-01 x\": extra text: \" x\""},
        {"time.parse_ns(\"06-1-2\", \"68-1-1\")", "3092601600000000000"},
        {"time.parse_ns(\"06-1-2\", \"69-1-1\")", "-31536000000000000"},
        {"time.parse_ns(\"UnixDate\", \"Tue  Nov 14 17:13:20 EST 2023\")", "1699982000000000000"},
        {"time.parse_ns(\"RFC822\", \"15 Sep 38 15:22 -03\")", "2168176920000000000"},
        {"time.parse_ns(\"2006-01-02T15:04:05Z07:00\", \"2020-01-01T00:00:00+05:60\")",
         "1577815200000000000"},
        {"time.parse_ns(\"2006-01-02T15:04:05Z07:00\", \"2020-01-01T00:00:00+24:00\")",
         "1577750400000000000"},
        {"time.parse_ns(\"2006-01-02T15:04:05Z07:00\", \"2020-01-01T00:00:00+25:00\")",
         "!eval_builtin_error: parsing time \"2020-01-01T00:00:00+25:00\": time zone offset hour "
         "out of range"},
        {"time.parse_ns(\"Kitchen\", \"Kitchen\")",
         "!eval_builtin_error: time outside of valid range"},
        {"time.parse_ns(\"2006 \\u00e9\", \"2020 e\")",
         "!eval_builtin_error: parsing time \"2020 e\" as \"2006 \\xc3\\xa9\": cannot parse \"e\" "
         "as \" \\xc3\\xa9\""},
        {"time.parse_rfc3339_ns(\"1677-09-21T00:12:43.145224192Z\")", "-9223372036854775808"},
        {"time.parse_rfc3339_ns(\"1677-09-21T00:12:43.145224191Z\")",
         "!eval_builtin_error: time outside of valid range"},
        {"time.parse_rfc3339_ns(\"2262-04-11T23:47:16.854775807Z\")", "9223372036854775807"},
        {"time.parse_rfc3339_ns(\"2262-04-11T23:47:16.854775808Z\")",
         "!eval_builtin_error: time outside of valid range"},
        {"time.parse_rfc3339_ns(\"2020-01-01T24:00:00Z\")",
         "!eval_builtin_error: parsing time \"2020-01-01T24:00:00Z\": hour out of range"},
        {"time.parse_rfc3339_ns(\"2020-01-01t00:00:00Z\")",
         "!eval_builtin_error: parsing time \"2020-01-01t00:00:00Z\" as "
         "\"2006-01-02T15:04:05Z07:00\": cannot parse \"t00:00:00Z\" as \"T\""},
        {"time.parse_rfc3339_ns(\"2016-12-31T23:59:60Z\")",
         "!eval_builtin_error: parsing time \"2016-12-31T23:59:60Z\": second out of range"});
}

static void durations(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"time.parse_duration_ns(\"1d2h\")", "93600000000000"},
        {"time.parse_duration_ns(\"1.5w\")", "907200000000000"},
        {"time.parse_duration_ns(\"292y\")", "9208512000000000000"},
        {"time.parse_duration_ns(\"293y\")",
         "!eval_builtin_error: time: invalid duration \"293y\""},
        {"time.parse_duration_ns(\"1h1\")",
         "!eval_builtin_error: time: missing unit in duration \"1h1\""},
        {"time.parse_duration_ns(\"1hh\")",
         "!eval_builtin_error: time: unknown unit \"hh\" in duration \"1hh\""},
        {"time.parse_duration_ns(\"1x1d\")",
         "!eval_builtin_error: time: unknown unit \"x\" in duration \"1x1d\""},
        {"time.parse_duration_ns(\"1dd\")", "!eval_builtin_error: time: invalid duration \"1dd\""},
        {"time.parse_duration_ns(\"0\")", "0"}, {"time.parse_duration_ns(\"-0\")", "0"},
        {"time.parse_duration_ns(\"\")", "!eval_builtin_error: time: invalid duration \"\""},
        {"time.parse_duration_ns(\"+\")", "!eval_builtin_error: time: invalid duration \"+\""},
        {"time.parse_duration_ns(\"-9223372036854775808ns\")", "-9223372036854775808"},
        {"time.parse_duration_ns(\"9223372036854775808ns\")",
         "!eval_builtin_error: time: invalid duration \"9223372036854775808ns\""},
        {"time.parse_duration_ns(\"9223372036854775807ns\")", "9223372036854775807"},
        {"time.parse_duration_ns(\"3.3333333333333333333m\")", "200000000000"},
        {"time.parse_duration_ns(\"0.33333333333333333m\")", "20000000000"},
        {"time.parse_duration_ns(\"1e3ns\")",
         "!eval_builtin_error: time: unknown unit \"e\" in duration \"1e3ns\""},
        {"time.parse_duration_ns(\".5h\")", "1800000000000"},
        {"time.parse_duration_ns(\"5.s\")", "5000000000"},
        {"time.parse_duration_ns(\"1..5s\")",
         "!eval_builtin_error: time: missing unit in duration \"1..5s\""},
        {"time.parse_duration_ns(\"1\\u00b5s\")", "1000"},
        {"time.parse_duration_ns(\"2562047h47m16.854775807s\")", "9223372036854775807"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments),
        cmocka_unit_test(layouts),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
