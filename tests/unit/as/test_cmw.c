/* SPDX-License-Identifier: Apache-2.0 */
/* Conceptual message wrappers, and what only looks like one. */
#include "testing.h"

#include "as/cmw.h"
#include "base/enc.h"

#define TYPE  "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\""
#define TYPEJ "application/eat-collection; profile=\\\"http://arm.com/CCA-SSD/1.0.0\\\""

static vs_span hex(vs_arena *a, const char *text)
{
    vs_span out;
    assert_vs_code(vs_hex_decode_arena(a, vs_str(text), &out, NULL), VS_OK);
    return out;
}

static void wrappers_are_told_by_their_media_type(void **state)
{
    (void)state;
    as_cmw_form form;
    static const struct {
        const char *type;
        as_cmw_form form;
    } known[] = {{"application/cmw", AS_CMW_EITHER},
                 {"application/cmw+json", AS_CMW_JSON},
                 {"application/cmw+cbor", AS_CMW_CBOR},
                 {"application/vnd.veraison.cmw", AS_CMW_EITHER},
                 {"application/vnd.veraison.cmw+json", AS_CMW_JSON},
                 {"application/vnd.veraison.cmw+cbor", AS_CMW_CBOR}};
    for (size_t i = 0; i < VS_COUNT(known); i++) {
        assert_true(as_cmw_form_of(vs_str(known[i].type), &form));
        assert_int_equal(form, known[i].form);
    }
    assert_false(as_cmw_form_of(VS_LIT("application/cmw+xml"), &form));
    assert_false(as_cmw_form_of(VS_LIT(""), &form));
}

static void records_and_tags_are_opened(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    static const struct {
        const char *text, *hex, *type, *value;
        uint64_t number;
        as_cmw_form form;
    } v[] = {
        {"[\"" TYPEJ "\",\"AQID\"]", NULL, TYPE, "\x01\x02\x03", UINT64_MAX, AS_CMW_JSON},
        {" [\"Application/EAT-collection;PROFILE=\\\"http://arm.com/CCA-SSD/"
         "1.0.0\\\"\",\"AQID\",4]",
         NULL, TYPE, "\x01\x02\x03", UINT64_MAX, AS_CMW_EITHER},
        {"[263,\"AQI=\",12]", NULL, "application/eat+cwt", "\x01\x02", 263, AS_CMW_JSON},
        {"[1000,\"\"]", NULL, "", "", 1000, AS_CMW_JSON},
        /* ["a/b", h'01'], ["a/b", h'01', 4], [263, h'0102'] */
        {NULL, "8263612f624101", "a/b", "\x01", UINT64_MAX, AS_CMW_CBOR},
        {NULL, "8363612f62410104", "a/b", "\x01", UINT64_MAX, AS_CMW_EITHER},
        {NULL, "82190107420102", "application/eat+cwt", "\x01\x02", 263, AS_CMW_CBOR},
        /* TN(0), TN(254), TN(255), TN(263) of RFC 9277 */
        {NULL, "da6374010141aa", "", "\xaa", 0, AS_CMW_CBOR},
        {NULL, "da637401ff41aa", "", "\xaa", 254, AS_CMW_CBOR},
        {NULL, "da6374020141aa", "", "\xaa", 255, AS_CMW_CBOR},
        {NULL, "da6374020941aa", "application/eat+cwt", "\xaa", 263, AS_CMW_CBOR},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_error err = {0};
        as_cmw c;
        vs_span in = v[i].hex ? hex(&a, v[i].hex) : vs_str(v[i].text);
        assert_vs_ok(as_cmw_open(&a, in, v[i].form, &c, &err), &err);
        assert_false(c.collection);
        assert_span_is(c.type, v[i].type);
        assert_span_is(c.value, v[i].value);
        assert_int_equal(c.number, v[i].number);
    }
    vs_arena_free(&a);
}

static void collections_are_told_and_not_opened(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    static const char *const texts[] = {"{}",
                                        "{\"__cmwc_t\":\"tag:x,1:y\",\"a\":[\"a/b\",\"AA\"]}"};
    as_cmw c;
    for (size_t i = 0; i < VS_COUNT(texts); i++) {
        assert_vs_code(as_cmw_open(&a, vs_str(texts[i]), AS_CMW_EITHER, &c, NULL), VS_OK);
        assert_true(c.collection);
    }
    assert_vs_code(as_cmw_open(&a, hex(&a, "a0"), AS_CMW_CBOR, &c, NULL), VS_OK);
    assert_true(c.collection);
    assert_vs_code(as_cmw_open(&a, hex(&a, "d9038ba0"), AS_CMW_CBOR, &c, NULL), VS_OK);
    assert_true(c.collection);
    vs_arena_free(&a);
}

static void what_is_no_wrapper_is_refused(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    static const struct {
        const char *text;
        vs_code want;
    } json[] = {
        {"", VS_E_PARSE},
        {"[", VS_E_PARSE},
        {"[]", VS_E_PARSE},
        {"[\"a/b\"]", VS_E_PARSE},
        {"[\"a/b\",\"AA\",4,5]", VS_E_PARSE},
        {"[\"a/b\",1]", VS_E_PARSE},
        {"[null,\"AA\"]", VS_E_PARSE},
        {"[-1,\"AA\"]", VS_E_PARSE},
        {"[65536,\"AA\"]", VS_E_PARSE},
        {"[1.5,\"AA\"]", VS_E_PARSE},
        {"[\"ab\",\"AA\"]", VS_E_PARSE},
        {"[\"a/b; p=x:y\",\"AA\"]", VS_E_PARSE}, /* a ':' needs quotes */
        {"[\"a/b\",\"A?\"]", VS_E_PARSE},
        {"[\"a/b\",\"AA\",\"4\"]", VS_E_PARSE},
        {"[\"a/b\",\"AA\",-4]", VS_E_PARSE},
        {"[\"a/b\",\"AA\",3]", VS_E_INVALID}, /* reference values and endorsements */
        {"[\"a/b\",\"AA\",0]", VS_E_INVALID},
        {"\"a/b\"", VS_E_PARSE},
    };
    as_cmw c;
    for (size_t i = 0; i < VS_COUNT(json); i++)
        if (as_cmw_open(&a, vs_str(json[i].text), AS_CMW_JSON, &c, NULL) != json[i].want)
            fail_msg("%s", json[i].text);
    static const char *const cbor[] = {
        "",                   /* nothing */
        "80",                 /* no items */
        "8163612f62",         /* one */
        "8463612f6241010404", /* four */
        "824101410a",         /* type is bytes */
        "8263612f626101",     /* value is text */
        "8263612f62410100",   /* trailing byte */
        "821a0001000041aa",   /* content format 65536 */
        "8363612f62410120",   /* indicator -1 */
        "8363612f62410102",   /* of endorsements */
        "da6374010061aa",     /* tag below the first */
        "da6374020041aa",     /* the number that is left out */
        "da6374010161aa",     /* tag over text */
        "d9018fa0",           /* 399: no CMW */
        "01",
        "6101",
        "f6",
        "9f63612f624101ff", /* indefinite */
    };
    for (size_t i = 0; i < VS_COUNT(cbor); i++)
        if (as_cmw_open(&a, hex(&a, cbor[i]), AS_CMW_CBOR, &c, NULL) == VS_OK)
            fail_msg("%s", cbor[i]);
    vs_buf big = VS_BUF(AS_CMW_MAX + 1);
    assert_non_null(vs_buf_reserve(&big, AS_CMW_MAX + 1));
    assert_vs_code(as_cmw_open(&a, vs_buf_span(&big), AS_CMW_CBOR, &c, NULL), VS_E_LIMIT);
    vs_buf_free(&big);
    vs_arena_free(&a);
}

static void every_truncation_of_a_wrapper_is_refused(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_span in[] = {vs_str("[\"" TYPEJ "\",\"AQID\",4]"), hex(&a, "8363612f624301020304")};
    as_cmw c;
    for (size_t i = 0; i < VS_COUNT(in); i++) {
        assert_vs_code(as_cmw_open(&a, in[i], AS_CMW_EITHER, &c, NULL), VS_OK);
        for (size_t n = 0; n < in[i].n; n++)
            assert_true(as_cmw_open(&a, vs_span_head(in[i], n), AS_CMW_EITHER, &c, NULL) != VS_OK);
    }
    vs_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrappers_are_told_by_their_media_type),
        cmocka_unit_test(records_and_tags_are_opened),
        cmocka_unit_test(collections_are_told_and_not_opened),
        cmocka_unit_test(what_is_no_wrapper_is_refused),
        cmocka_unit_test(every_truncation_of_a_wrapper_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
