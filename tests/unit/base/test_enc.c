/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/enc.h"

static void base64_rfc4648_vectors(void **state)
{
    (void)state;
    static const char *const v[][2] = {{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="},
                                       {"fooba", "Zm9vYmE="},
                                       {"foobar", "Zm9vYmFy"}};
    vs_error err = {0};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf enc = VS_BUF(100), dec = VS_BUF(100);
        vs_b64_encode(&enc, VS_B64_STD, vs_str(v[i][0]));
        assert_span_is(vs_buf_span(&enc), v[i][1]);
        assert_vs_ok(vs_b64_decode(&dec, VS_B64_STD, vs_buf_span(&enc), &err), &err);
        assert_span_is(vs_buf_span(&dec), v[i][0]);
        vs_buf_free(&dec);
    }
}

static void every_byte_round_trips_in_every_form(void **state)
{
    (void)state;
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)(i * 7);
    vs_error err = {0};
    for (size_t n = 0; n <= 256; n++) {
        for (int form = VS_B64_STD; form < VS_B64_ANY; form++) {
            VS_CLEANUP(vs_buf_free)
            vs_buf enc = VS_BUF(1000), dec = VS_BUF(1000), any = VS_BUF(1000);
            vs_b64_encode(&enc, (vs_b64_form)form, vs_span_of(all, n));
            assert_vs_ok(vs_b64_decode(&dec, (vs_b64_form)form, vs_buf_span(&enc), &err), &err);
            assert_span_eq(vs_buf_span(&dec), vs_span_of(all, n));
            assert_vs_ok(vs_b64_decode(&any, VS_B64_ANY, vs_buf_span(&enc), &err), &err);
            assert_span_eq(vs_buf_span(&any), vs_span_of(all, n));
            vs_buf_free(&dec);
            vs_buf_free(&any);
        }
    }
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* Places and lengths: all that a group of eight has, and a text that ends within the second one. */
enum { PLACES = 15 };

static void every_six_bits_give_their_letter_in_every_place(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64 * PLACES; i++) {
        unsigned v = i / PLACES, place = i % PLACES, bit = 6 * place;
        uint8_t in[12] = {0};
        in[bit / 8] = (uint8_t)(v << 2 >> bit % 8);
        if (bit % 8 > 2)
            in[bit / 8 + 1] = (uint8_t)(v << (10 - bit % 8));
        for (int form = VS_B64_STD; form < VS_B64_ANY; form++) {
            bool std = form == VS_B64_STD || form == VS_B64_STD_ANYPAD;
            char want[] = "AAAAAAAAAAAAAAAA";
            want[place] = v < 62 ? letters[v] : (std ? "+/" : "-_")[v - 62];
            VS_CLEANUP(vs_buf_free) vs_buf enc = VS_BUF(16), dec = VS_BUF(12);
            vs_b64_encode(&enc, (vs_b64_form)form, vs_span_of(in, sizeof in));
            assert_span_is(vs_buf_span(&enc), want);
            assert_vs_code(vs_b64_decode(&dec, (vs_b64_form)form, vs_str(want), NULL), VS_OK);
            assert_span_eq(vs_buf_span(&dec), vs_span_of(in, sizeof in));
            vs_buf_free(&dec);
        }
    }
}

static void the_unused_bits_of_every_length_must_be_zero(void **state)
{
    (void)state;
    for (size_t n = 2; n <= PLACES; n++) {
        unsigned unused = n % 4 == 2 ? 4 : n % 4 == 3 ? 2 : 0;
        for (unsigned v = 0; n % 4 != 1 && v < 62; v++) {
            char text[] = "AAAAAAAAAAAAAAA";
            text[n - 1] = letters[v];
            VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(100);
            vs_code code = vs_b64_decode(&out, VS_B64_URL, vs_span_of(text, n), NULL);
            assert_int_equal(code == VS_OK, v % (1u << unused) == 0);
        }
    }
}

static void bad_base64_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    static const struct {
        vs_b64_form form;
        const char *text;
    } bad[] = {
        {VS_B64_STD, "Zg"},    {VS_B64_STD, "Zg="},    {VS_B64_STD, "Zg==="},
        {VS_B64_STD, "Zh=="},  {VS_B64_STD, "Zm9="},   {VS_B64_STD, "Z"},
        {VS_B64_STD, "Zm 9v"}, {VS_B64_STD, "Zm9v\n"}, {VS_B64_STD, "-_-_"},
        {VS_B64_URL, "Zg=="},  {VS_B64_URL, "+/+/"},   {VS_B64_URL, "A"},
        {VS_B64_URL, "Zh"},    {VS_B64_ANY, "+_AA"},   {VS_B64_STD, "===="},
        {VS_B64_STD, "A==="},  {VS_B64_ANY, "Zg="},    {VS_B64_URL, "Zm9v\xff"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(100);
        vs_buf_puts(&out, "keep");
        assert_vs_code(vs_b64_decode(&out, bad[i].form, vs_str(bad[i].text), NULL), VS_E_PARSE);
        assert_span_is(vs_buf_span(&out), "keep");
        vs_buf_free(&out);
    }
}

static void only_the_alphabet_decodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 256 * PLACES; i++) {
        size_t c = i / PLACES, place = i % PLACES;
        uint8_t text[16];
        memset(text, 'A', sizeof text);
        text[place] = (uint8_t)c;
        bool alnum = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(100);
        vs_code std = vs_b64_decode(&out, VS_B64_STD_ANYPAD, vs_span_of(text, 16), NULL);
        vs_code url = vs_b64_decode(&out, VS_B64_URL, vs_span_of(text, 16), NULL);
        assert_int_equal(std == VS_OK, alnum || c == '+' || c == '/');
        assert_int_equal(url == VS_OK, alnum || c == '-' || c == '_');
        vs_buf_free(&out);
    }
}

static void hex_round_trips_and_refuses(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    vs_span text = vs_hex_encode_arena(&a, vs_span_of(all, 256)), back;
    assert_vs_ok(vs_hex_decode_arena(&a, text, &back, &err), &err);
    assert_span_eq(back, vs_span_of(all, 256));
    assert_vs_ok(vs_hex_decode_arena(&a, VS_LIT("DEADbeef"), &back, &err), &err);
    assert_span_eq(back, VS_LIT("\xde\xad\xbe\xef"));
    static const char *const bad[] = {"a", "abc", "0g", "g0", " a", "0x", "\xff\xff"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(vs_hex_decode_arena(&a, vs_str(bad[i]), &back, NULL), VS_E_PARSE);
    vs_arena_free(&a);
}

static void utf8_rejects_overlong_surrogates_and_out_of_range(void **state)
{
    (void)state;
    assert_true(vs_utf8_ok(VS_LIT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80")));
    static const char *const bad[] = {"\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\x80",
                                      "\xe2\x82",
                                      "\xff",
                                      "a\xc3"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_false(vs_utf8_ok(vs_str(bad[i])));
}

static void utf8_is_checked_in_every_place(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 17; n++)
        for (size_t at = 0; at < n; at++) {
            uint8_t text[17];
            memset(text, 'x', sizeof text);
            text[at] = 0xc3;
            assert_false(vs_utf8_ok(vs_span_of(text, n)));
            if (at + 1 < n)
                text[at + 1] = 0xbc;
            assert_int_equal(vs_utf8_ok(vs_span_of(text, n)), at + 1 < n);
        }
}

static void utf8_code_points_round_trip(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp += cp < 0x3000 ? 1 : 251) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        uint8_t enc[4];
        unsigned n = vs_utf8_put(enc, cp);
        vs_span s = vs_span_of(enc, n);
        assert_true(vs_utf8_ok(s));
        size_t at = 0;
        assert_int_equal(vs_utf8_next(s, &at), cp);
        assert_int_equal(at, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_rfc4648_vectors),
        cmocka_unit_test(every_byte_round_trips_in_every_form),
        cmocka_unit_test(every_six_bits_give_their_letter_in_every_place),
        cmocka_unit_test(the_unused_bits_of_every_length_must_be_zero),
        cmocka_unit_test(bad_base64_is_refused_and_writes_nothing),
        cmocka_unit_test(only_the_alphabet_decodes),
        cmocka_unit_test(hex_round_trips_and_refuses),
        cmocka_unit_test(utf8_rejects_overlong_surrogates_and_out_of_range),
        cmocka_unit_test(utf8_is_checked_in_every_place),
        cmocka_unit_test(utf8_code_points_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
