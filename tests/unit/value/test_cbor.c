/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8949: what is accepted, what is refused and why; real tokens. */
#include "testing.h"

#include <dirent.h>

#include "base/enc.h"
#include "value/cbor.h"

static vs_arena a;

static int start(void **state)
{
    (void)state;
    vs_arena_init(&a, 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    vs_arena_free(&a);
    return 0;
}

static vs_span hex(const char *text)
{
    vs_span s;
    assert_int_equal(vs_hex_decode_arena(&a, vs_str(text), &s, NULL), VS_OK);
    return s;
}

static void show(const char *text, const char *want)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(10000), flat = VS_BUF(10000);
    vs_error err = {0};
    assert_vs_ok(vs_cbor_diagnose(&b, hex(text), &err), &err);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] != '\n' && b.p[i] != ' ')
            vs_buf_putc(&flat, (char)b.p[i]);
    assert_span_is(vs_buf_span(&flat), want);
}

/* Appendix A, the items inside the accepted subset. */
static void appendix_a_items_are_read(void **state)
{
    (void)state;
    static const char *const t[][2] = {
        {"00", "0"},
        {"01", "1"},
        {"0a", "10"},
        {"17", "23"},
        {"1818", "24"},
        {"1819", "25"},
        {"1864", "100"},
        {"1903e8", "1000"},
        {"1a000f4240", "1000000"},
        {"1b000000e8d4a51000", "1000000000000"},
        {"1bffffffffffffffff", "18446744073709551615"},
        {"20", "-1"},
        {"29", "-10"},
        {"3863", "-100"},
        {"3903e7", "-1000"},
        {"3bffffffffffffffff", "-18446744073709551616"},
        {"3b8000000000000000", "-9223372036854775809"},
        {"f4", "false"},
        {"f5", "true"},
        {"f6", "null"},
        {"f7", "undefined"},
        {"f0", "simple(16)"},
        {"f8ff", "simple(255)"},
        {"c11a514b67b0", "1(1363896240)"},
        {"d74401020304", "23(h'01020304')"},
        {"d818456449455446", "24(h'6449455446')"},
        {"40", "h''"},
        {"4401020304", "h'01020304'"},
        {"60", "\"\""},
        {"6161", "\"a\""},
        {"6449455446", "\"IETF\""},
        {"62c3bc", "\"\xc3\xbc\""},
        {"80", "[]"},
        {"83010203", "[1,2,3]"},
        {"8301820203820405", "[1,[2,3],[4,5]]"},
        {"a0", "{}"},
        {"a201020304", "{1:2,3:4}"},
        {"a26161016162820203", "{\"a\":1,\"b\":[2,3]}"},
        {"826161a161626163", "[\"a\",{\"b\":\"c\"}]"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++)
        show(t[i][0], t[i][1]);
}

static void every_departure_from_the_strict_form_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        vs_code code;
        const char *why;
    } t[] = {
        {"", VS_E_PARSE, "ends where an item"},
        {"1817", VS_E_PARSE, "shortest"},
        {"190018", VS_E_PARSE, "shortest"},
        {"1900ff", VS_E_PARSE, "shortest"},
        {"1a0000ffff", VS_E_PARSE, "shortest"},
        {"1b00000000ffffffff", VS_E_PARSE, "shortest"},
        {"3817", VS_E_PARSE, "shortest"},
        {"5801aa", VS_E_PARSE, "shortest"},
        {"980100", VS_E_PARSE, "shortest"},
        {"d81700", VS_E_PARSE, "shortest"},
        {"f818", VS_E_PARSE, "shortest"},
        {"f814", VS_E_PARSE, "shortest"},
        {"1c", VS_E_PARSE, "reserved"},
        {"1d", VS_E_PARSE, "reserved"},
        {"1e", VS_E_PARSE, "reserved"},
        {"fc", VS_E_PARSE, "reserved"},
        {"1f", VS_E_PARSE, "indefinite"},
        {"5f41004101ff", VS_E_PARSE, "indefinite"},
        {"7f6161ff", VS_E_PARSE, "indefinite"},
        {"9fff", VS_E_PARSE, "indefinite"},
        {"bfff", VS_E_PARSE, "indefinite"},
        {"ff", VS_E_PARSE, "indefinite"},
        {"9a07ffffff", VS_E_PARSE, "longer than the data"},
        {"9bffffffffffffffff", VS_E_PARSE, "longer than the data"},
        {"ba07ffffff", VS_E_PARSE, "longer than the data"},
        {"5a07ffffff", VS_E_PARSE, "longer than the data"},
        {"5bffffffffffffffff", VS_E_PARSE, "longer than the data"},
        {"4101ff", VS_E_PARSE, "more bytes behind"},
        {"0000", VS_E_PARSE, "more bytes behind"},
        {"61ff", VS_E_PARSE, "UTF-8"},
        {"63eda080", VS_E_PARSE, "UTF-8"},
        {"a201010102", VS_E_PARSE, "duplicate key"},
        {"a2616101616102", VS_E_PARSE, "duplicate key"},
        {"81a201010102", VS_E_PARSE, "duplicate key"},
        {"1a", VS_E_PARSE, "cut short"},
        {"19aa", VS_E_PARSE, "cut short"},
        {"81", VS_E_PARSE, "longer than the data"},
        {"c0", VS_E_PARSE, "ends where an item"},
        {"8181818181818181818181818181818100", VS_E_LIMIT, "nested"},
        {"d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d300", VS_E_LIMIT, "nested"},
        {"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a100", VS_E_PARSE, ""},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        vs_error err = {0};
        vs_code code = vs_cbor_check(hex(t[i].hex), &err);
        bool limit_or_parse = t[i].why[0] == 0 && code != VS_OK;
        if (!limit_or_parse && (code != t[i].code || !strstr(vs_error_at(&err, 0), t[i].why)))
            fail_msg("%s: %s: %s", t[i].hex, vs_code_name(code),
                     code ? vs_error_at(&err, 0) : "accepted");
    }
}

static void large_maps_must_be_sorted_and_cost_no_more_than_their_bytes(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 22);
        unsigned n = 200000;
        vs_cbor_put_map(&b, n);
        for (unsigned i = 0; i < n; i++) {
            vs_cbor_put_uint(&b, 0x10000 + (order == 0 ? i : order == 1 ? n - i : i / 2));
            vs_cbor_put_null(&b);
        }
        assert_vs_code(vs_cbor_check(vs_buf_span(&b), NULL), order == 0 ? VS_OK : VS_E_PARSE);
        vs_buf_free(&b);
    }
}

static void getters_fail_once_and_stay_failed(void **state)
{
    (void)state;
    vs_error err = {0};
    vs_cbor c = vs_cbor_of(hex("83010203"), &err);
    assert_int_equal(vs_cbor_array(&c), 3);
    assert_int_equal(vs_cbor_uint(&c), 1);
    assert_int_equal(vs_cbor_text(&c).n, 0);
    assert_int_equal(c.code, VS_E_INVALID);
    assert_int_equal(vs_cbor_uint(&c), 0);
    assert_int_equal(vs_cbor_peek(&c), VS_CBOR_NONE);
    assert_int_equal(vs_cbor_skip(&c).n, 0);
    assert_vs_code(vs_cbor_end(&c), VS_E_INVALID);
    assert_non_null(
        strstr(vs_error_at(&err, 0), "expected a text string, found an unsigned integer"));
}

static void integers_at_the_edges(void **state)
{
    (void)state;
    static const int64_t v[] = {0,     23,         24,         255,       256,    65535,
                                65536, 4294967295, 4294967296, INT64_MAX, -1,     -24,
                                -25,   -256,       -257,       -65536,    -65537, INT64_MIN};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(100);
        vs_cbor_put_int(&b, v[i]);
        vs_cbor c = vs_cbor_of(vs_buf_span(&b), NULL);
        assert_int_equal(vs_cbor_int(&c), v[i]);
        assert_vs_code(vs_cbor_end(&c), VS_OK);
        vs_buf_free(&b);
    }
    vs_cbor c = vs_cbor_of(hex("1b8000000000000000"), NULL);
    assert_int_equal(vs_cbor_int(&c), 0);
    assert_vs_code(vs_cbor_end(&c), VS_E_INVALID);
    c = vs_cbor_of(hex("3b8000000000000000"), NULL);
    assert_int_equal(vs_cbor_int(&c), 0);
    assert_vs_code(vs_cbor_end(&c), VS_E_INVALID);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1000);
    vs_cbor_put_tag(&b, 399);
    vs_cbor_put_map(&b, 2);
    vs_cbor_put_uint(&b, 44234);
    vs_cbor_put_bytes(&b, VS_LIT("\x01\x02"));
    vs_cbor_put_text(&b, "k");
    vs_cbor_put_array(&b, 3);
    vs_cbor_put_bool(&b, true);
    vs_cbor_put_null(&b);
    vs_cbor_put_int(&b, -7);
    vs_cbor c = vs_cbor_of(vs_buf_span(&b), NULL);
    assert_int_equal(vs_cbor_tag(&c), 399);
    assert_int_equal(vs_cbor_map(&c), 2);
    assert_int_equal(vs_cbor_uint(&c), 44234);
    assert_span_is(vs_cbor_bytes(&c), "\x01\x02");
    assert_span_is(vs_cbor_text(&c), "k");
    assert_int_equal(vs_cbor_array(&c), 3);
    assert_true(vs_cbor_bool(&c));
    assert_true(vs_cbor_null(&c));
    assert_int_equal(vs_cbor_int(&c), -7);
    assert_vs_code(vs_cbor_end(&c), VS_OK);
}

/* Damaged CBOR among the tokens, by name; all others are well formed. */
static bool is_damaged(const char *name)
{
    return strstr(name, "truncated") || strstr(name, "trailing-bytes");
}

static void real_tokens_are_well_formed_cut_ones_are_not(void **state)
{
    (void)state;
    need_shared("data/cca/tokens");
    DIR *d = opendir(shared_path("data/cca/tokens"));
    assert_non_null(d);
    size_t seen = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (!strstr(e->d_name, ".cbor"))
            continue;
        char rel[512];
        (void)snprintf(rel, sizeof rel, "data/cca/tokens/%s", e->d_name);
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
        read_shared(rel, &b);
        vs_error err = {0};
        vs_code code = vs_cbor_check(vs_buf_span(&b), &err);
        if ((code != VS_OK) != is_damaged(e->d_name))
            fail_msg("%s: %s", e->d_name, code ? vs_error_at(&err, 0) : "accepted");
        for (size_t n = 0; n < b.n && code == VS_OK; n += 7)
            assert_int_not_equal(vs_cbor_check(vs_span_head(vs_buf_span(&b), n), NULL), VS_OK);
        seen++;
        vs_buf_free(&b);
    }
    (void)closedir(d);
    print_message("# %zu tokens\n", seen);
    assert_true(seen >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appendix_a_items_are_read),
        cmocka_unit_test(every_departure_from_the_strict_form_is_refused),
        cmocka_unit_test(large_maps_must_be_sorted_and_cost_no_more_than_their_bytes),
        cmocka_unit_test(getters_fail_once_and_stay_failed),
        cmocka_unit_test(integers_at_the_edges),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(real_tokens_are_well_formed_cut_ones_are_not),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
