/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers about text: sprintf, case, patterns, encodings; they are those of OPA 1.22. */
#include "expressions.h"

#include "rego/unicode.h"

static void sprintf_verbs(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"sprintf(\"%v %d %x %X %o %O %b %c %q %U\", [255, 255, 255, 255, 8, 8, 5, 97, 97, 97])",
         "\"255 255 ff FF 10 0o10 101 a 'a' U+0061\""},
        {"sprintf(\"%+d|% d|%05d|%-5d|%5d|%.3d|%+.2d\", [7, 7, 7, 7, 7, 7, 7])",
         "\"+7| 7|00007|7    |    7|007|+07\""},
        {"sprintf(\"%#x %#o %#b %#U\", [255, 8, 5, 128512])",
         "\"0xff 010 0b101 U+1F600 '\xf0\x9f\x98\x80"
         "'\""},
        {"sprintf(\"%v %e %E %f %F %g %G %.2f %8.3f|%-8.2f|%+08.2f\", [1.5, 1.5, 1.5, 1.5, 1.5, "
         "1.5, 1.5, 1.5, 1.5, 1.5, 1.5])",
         "\"1.5 1.500000e+00 1.500000E+00 1.500000 1.500000 1.5 1.5 1.50    1.500|1.50    "
         "|+0001.50\""},
        {"sprintf(\"%x %X %b %.0x\", [1.5, 1.5, 1.5, 1.5])",
         "\"0x1.8p+00 0X1.8P+00 6755399441055744p-52 0x1p+01\""},
        {"sprintf(\"%g %g %g %g\", [1234567.5, 0.00001, 1e-320, 123456.5])",
         "\"1.2345675e+06 1e-05 1e-320 123456.5\""},
        {"sprintf(\"%#g %#.3g %#x\", [1.5, 1.25, 1.5])", "\"1.50000 1.25 0x1.8000p+00\""},
        {"sprintf(\"%s|%5s|%-5s|%.2s|%05s|%q|%+q|%#q|%x|% x|%#x|%X\", [\"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\", \"h\xc3\xa9"
         "\"])",
         "\"h\xc3\xa9"
         "|   h\xc3\xa9"
         "|h\xc3\xa9"
         "   |h\xc3\xa9"
         "|000h\xc3\xa9"
         "|\\\"h\xc3\xa9"
         "\\\"|\\\"h\\\\u00e9\\\"|`h\xc3\xa9"
         "`|68c3a9|68 c3 a9|0x68c3a9|68C3A9\""},
        {"sprintf(\"%v %v %v %v %v %v\", [null, true, [1, \"a\"], {\"k\": 1}, {1}, set()])",
         "\"null true [1, \\\"a\\\"] {\\\"k\\\": 1} {1} set()\""},
        {"sprintf(\"%t %d %s\", [true, true, false])",
         "\"%!t(string=true) %!d(string=true) false\""},
        {"sprintf(\"%d %x %v %+v\", [123456789012345678901234567890, "
         "123456789012345678901234567890, 123456789012345678901234567890, "
         "123456789012345678901234567890])",
         "\"123456789012345678901234567890 18ee90ff6c373e0ee4e3f0ad2 "
         "123456789012345678901234567890 +123456789012345678901234567890\""},
        {"sprintf(\"%[2]d %[1]d\", [1, 2])", "\"2 1\""},
        {"sprintf(\"%[3]d %[x]d %[0]d %[\", [1])",
         "\"%!d(BADINDEX) %!d(BADINDEX) %!d(BADINDEX) %!(NOVERB)\""},
        {"sprintf(\"%[1]d %d\", [1, 2])", "\"1 2\""},
        {"sprintf(\"%*d|%-*d|%.*f\", [5, 1, 5, 1, 2, 1.5])", "\"    1|1    |1.50\""},
        {"sprintf(\"%*d\", [\"a\", 1])", "\"%!(BADWIDTH)1\""},
        {"sprintf(\"%.*d\", [-1, 1])", "\"%!(BADPREC)1\""},
        {"sprintf(\"%d\", [])", "\"%!d(MISSING)\""},
        {"sprintf(\"%d\", [1, 2, \"x\", [1]])", "\"1%!(EXTRA int64=2, string=x, string=[1])\""},
        {"sprintf(\"%\", [])", "\"%!(NOVERB)\""}, {"sprintf(\"%!\", [1])", "\"%!!(int64=1)\""},
        {"sprintf(\"%z %\xc3\xa9"
         "\", [1, 2])",
         "\"%!z(int64=1) %!\xc3\xa9"
         "(int64=2)\""},
        {"sprintf(\"%5%%\", [])", "\"%%!(NOVERB)\""},
        {"sprintf(\"%100000000d\", [1])", "\"%!(NOVERB)%!(EXTRA int64=1)\""},
        {"sprintf(\"%.\", [1])", "\"%!.(int64=1)\""},
        {"sprintf(\"%c %c %c\", [-1, 55296, 1114112])", "\"\xef\xbf\xbd"
                                                        " \xef\xbf\xbd"
                                                        " \xef\xbf\xbd"
                                                        "\""},
        {"sprintf(\"%T %T %T %T\", [1, 1.5, \"a\", 123456789012345678901234567890])",
         "\"int64 float64 string *big.Int\""});
}

static void letter_case(void **state)
{
    (void)state;
    CHECK_ANSWERS({"upper(\"\xc3\xa0"
                   "\xc3\x9f"
                   "\xc7\x86"
                   "\xc4\xb1"
                   "\xc5\xbf"
                   "\xd3\x82"
                   "\xe1\x83\x90"
                   "\xe1\xbe\xb3"
                   "\xe2\x85\xb7"
                   "\xe2\x93\x90"
                   "\xea\xad\xb0"
                   "\xf0\x90\x90\xa8"
                   "\xf0\x9e\xa4\xa2"
                   "\")",
                   "\"\xc3\x80"
                   "\xc3\x9f"
                   "\xc7\x84"
                   "IS\xd3\x81"
                   "\xe1\xb2\x90"
                   "\xe1\xbe\xbc"
                   "\xe2\x85\xa7"
                   "\xe2\x92\xb6"
                   "\xe1\x8e\xa0"
                   "\xf0\x90\x90\x80"
                   "\xf0\x9e\xa4\x80"
                   "\""},
                  {"lower(\"\xc3\x80"
                   "\xc4\xb0"
                   "\xc7\x84"
                   "\xce\xa3"
                   "\xd3\x81"
                   "\xe1\xb2\x90"
                   "\xe1\xbe\xbc"
                   "\xe2\x85\xa7"
                   "\xe2\x92\xb6"
                   "\xea\x9e\x8d"
                   "\xf0\x90\x90\x80"
                   "\xf0\x9e\xa4\x80"
                   "\")",
                   "\"\xc3\xa0"
                   "i\xc7\x86"
                   "\xcf\x83"
                   "\xd3\x82"
                   "\xe1\x83\x90"
                   "\xe1\xbe\xb3"
                   "\xe2\x85\xb7"
                   "\xe2\x93\x90"
                   "\xc9\xa5"
                   "\xf0\x90\x90\xa8"
                   "\xf0\x9e\xa4\xa2"
                   "\""},
                  {"upper(\"\xc5\x89"
                   "\xce\x90"
                   "\xef\xac\x80"
                   "\")",
                   "\"\xc5\x89"
                   "\xce\x90"
                   "\xef\xac\x80"
                   "\""},
                  {"lower(\"\xe1\xba\x9e"
                   "K\")",
                   "\"\xc3\x9f"
                   "k\""});
}

static void patterns(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"regex.find_n(\"a*\", \"baac\", -1)", "[\"\", \"aa\", \"\"]"},
        {"regex.find_n(\"a*\", \"aa\", 2)", "[\"aa\"]"},
        {"regex.split(\"a*\", \"abcabc\")", "[\"\", \"b\", \"c\", \"b\", \"c\"]"},
        {"regex.split(\"\", \"\")", "[]"}, {"regex.split(\"x\", \"\")", "[\"\"]"},
        {"regex.split(\"x*\", \"axxb\")", "[\"a\", \"b\"]"},
        {"regex.replace(\"aab\", \"a*\", \"x\")", "\"xbx\""},
        {"regex.replace(\"ab\", \"(?P<n>a)\", \"[$n$\xc3\xa9"
         "${n}c$$]\")",
         "\"[aac$]b\""},
        {"regex.match(\"a{1001}\", \"a\")", "!eval_builtin_error: "},
        {"regex.find_n(\"(\", \"a\", 1.5)",
         "!eval_type_error: eval_type_error: regex.find_n: operand 3 must be integer number but "
         "got floating-point number"},
        {"glob.match(\"[a-c]\", [], \"b\")", "true"},
        {"glob.match(\"[a-cx]\", [], \"x\")", "!eval_builtin_error: "},
        {"glob.match(\"[abc-]\", [], \"-\")", "true"},
        {"glob.match(\"[c-a]\", [], \"b\")", "!eval_builtin_error: "},
        {"glob.match(\"[a-]\", [], \"a\")", "!eval_builtin_error: "},
        {"glob.match(\"a}\", [], \"a}\")", "true"},
        {"glob.match(\"[!a-c]\", [], \"\xc3\xa9"
         "\")",
         "true"},
        {"base64.decode(\"YR==\")", "\"a\""}, {"base64.decode(\"YW\\nI=\")", "\"ab\""},
        {"base64.is_valid(\"YQ==\\r\\n\")", "true"}, {"base64url.decode(\"YR\")", "\"a\""},
        {"base64url.decode(\"YW\\nJj\")", "!eval_builtin_error: "},
        {"base64.decode(\"YQ\")", "!eval_builtin_error: "},
        {"hex.decode(\"6g\")", "!eval_builtin_error: eval_builtin_error: hex.decode: encoding/hex: "
                               "invalid byte: U+0067 'g'"},
        {"hex.decode(\"\xc3\xa9"
         "\")",
         "!eval_builtin_error: eval_builtin_error: hex.decode: encoding/hex: invalid byte: U+00C3 "
         "'\xc3\x83"
         "'"},
        {"hex.decode(\"616\")", "!eval_builtin_error: eval_builtin_error: hex.decode: "
                                "encoding/hex: odd length hex string"},
        {"to_number(\"1x\")", "!eval_builtin_error: eval_builtin_error: to_number: "
                              "strconv.ParseFloat: parsing \"1x\": invalid syntax"},
        {"array.slice([1, 2], 0, 1.5)", "!eval_type_error: eval_type_error: array.slice: operand 3 "
                                        "must be integer number but got floating-point number"},
        {"substring(\"abc\", 1.5, 1)", "!eval_type_error: eval_type_error: substring: operand 2 "
                                       "must be integer number but got floating-point number"},
        {"semver.compare(\"1.2\", \"1.2.3\")",
         "!eval_builtin_error: eval_builtin_error: semver.compare: operand 1: string \"1.2\" is "
         "not a valid SemVer"});
}

/* Figures of Unicode 15.0.0: how many code points a simple mapping changes, and which sum the
 * mapped ones have. */
static void every_code_point_keeps_its_case_pairs(void **state)
{
    (void)state;
    unsigned upper = 0, lower = 0, letters = 0, digits = 0, printable = 0;
    uint64_t upper_sum = 0, lower_sum = 0;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        uint32_t u = rego_to_upper(cp), l = rego_to_lower(cp);
        upper += u != cp;
        lower += l != cp;
        upper_sum += u != cp ? u : 0;
        lower_sum += l != cp ? l : 0;
        letters += rego_is_letter(cp);
        digits += rego_is_digit(cp);
        printable += rego_is_printable(cp);
    }
    assert_int_equal(upper, 1450);
    assert_int_equal(lower, 1433);
    assert_int_equal(upper_sum, 32256850);
    assert_int_equal(lower_sum, 34914171);
    assert_int_equal(letters, 136104);
    assert_int_equal(digits, 680);
    assert_int_equal(printable, 148998);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sprintf_verbs),
        cmocka_unit_test(letter_case),
        cmocka_unit_test(patterns),
        cmocka_unit_test(every_code_point_keeps_its_case_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
