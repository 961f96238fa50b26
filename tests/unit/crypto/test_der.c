/* SPDX-License-Identifier: Apache-2.0 */
/* The DER reader: shortest forms only, every cut and every wrong length refused. */
#include "crypto/helpers.h"

#include "crypto/der.h"

static vs_code number(const char *text, uint64_t most, uint64_t *out)
{
    return vs_der_only_uint(hex(text), VS_DER_INTEGER, most, out, &err);
}

static void integers_are_taken_in_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        const char *der;
        uint64_t want;
    } good[] = {
        {"020100", 0},
        {"02017f", 127},
        {"02020080", 128},
        {"020200ff", 255},
        {"02020100", 256},
        {"02087fffffffffffffff", INT64_MAX},
        {"020900ffffffffffffffff", UINT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "02",
                                      "0200",
                                      "020101ff",
                                      "0202007f",
                                      "0202",
                                      "020180",
                                      "0201ff",
                                      "02818001",
                                      "02810101",
                                      "0a0101",
                                      "028001",
                                      "030101",
                                      "0209010000000000000000",
                                      "020a00ffffffffffffffffff"};
    uint64_t v = 7;
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        assert_vs_ok(number(good[i].der, UINT64_MAX, &v), &err);
        assert_true(v == good[i].want);
    }
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        if (number(bad[i], UINT64_MAX, &v) == VS_OK)
            fail_msg("%s is taken", bad[i]);
    assert_vs_ok(number("020200ff", 255, &v), &err);
    assert_vs_code(number("02020100", 255, &v), VS_E_INVALID);
}

static void lengths_are_taken_in_their_shortest_form(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        size_t n = sizes[i], head = n < 128 ? 2 : n < 256 ? 3 : n < 65536 ? 4 : 5;
        uint8_t *p = vs_zalloc(&arena, head + n);
        vs_span content, in = vs_span_of(p, head + n), rest = in;
        p[0] = VS_DER_OCTETS;
        p[1] = (uint8_t)(head == 2 ? n : 0x80 + head - 2);
        for (size_t k = 2; k < head; k++)
            p[k] = (uint8_t)(n >> 8 * (head - 1 - k));
        assert_vs_ok(vs_der_take(&rest, VS_DER_OCTETS, &content, &err), &err);
        assert_int_equal(content.n, n);
        assert_int_equal(rest.n, 0);
        assert_vs_code(vs_der_only(vs_span_head(in, in.n - 1), VS_DER_OCTETS, &content, &err),
                       VS_E_PARSE);
    }
    static const char *const bad[] = {"04810100", "0480", "04850000000001ff",
                                      "0482007f", "04ff", "048400000001aa"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_span in = hex(bad[i]), before = in, content;
        assert_vs_code(vs_der_take(&in, VS_DER_OCTETS, &content, &err), VS_E_PARSE);
        assert_true(in.p == before.p && in.n == before.n && content.n == 0);
    }
}

static void elements_are_taken_one_after_the_other(void **state)
{
    (void)state;
    vs_span in = hex("3003020105040161"), content, inner;
    uint64_t v;
    bool b;
    assert_vs_ok(vs_der_take(&in, VS_DER_SEQUENCE, &content, &err), &err);
    assert_vs_ok(vs_der_only_uint(content, VS_DER_INTEGER, 9, &v, &err), &err);
    assert_int_equal(v, 5);
    assert_vs_code(vs_der_take(&in, VS_DER_SEQUENCE, &inner, &err), VS_E_PARSE);
    assert_vs_ok(vs_der_take(&in, VS_DER_OCTETS, &inner, &err), &err);
    assert_span_is(inner, "a");
    assert_vs_code(vs_der_only(hex("04016100"), VS_DER_OCTETS, &inner, &err), VS_E_PARSE);
    assert_vs_ok(vs_der_only_bool(hex("0101ff"), &b, &err), &err);
    assert_true(b);
    assert_vs_ok(vs_der_only_bool(hex("010100"), &b, &err), &err);
    assert_false(b);
    assert_vs_code(vs_der_only_bool(hex("010101"), &b, &err), VS_E_PARSE);
    assert_vs_code(vs_der_only_bool(hex("01020000"), &b, &err), VS_E_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(integers_are_taken_in_their_shortest_form),
        in_arena(lengths_are_taken_in_their_shortest_form),
        in_arena(elements_are_taken_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
