/* SPDX-License-Identifier: Apache-2.0 */
/* TDX quotes and collateral of an Intel made of software, right and wrong in every way; and how
 * levels of firmware become a status. */
#include "soft_dcap.h"

#include "tee/dcap/rawjson.h"
#include "tee/tdx/claims.h"
#include "tee/tee.h"
#include "value/json.h"

typedef struct world {
    soft_dcap s;
    vs_arena a;
    dcap_result r;
    char why[VS_ERROR_TEXT];
} world;

static int start(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    soft_dcap_start(&w->s);
    vs_arena_init(&w->a, 0);
    *state = w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    soft_dcap_stop(&w->s);
    vs_arena_free(&w->a);
    free(w);
    return 0;
}

static vs_code run_at(world *w, int64_t now)
{
    vs_buf bytes = VS_BUF(1 << 15);
    dcap_quote q;
    vs_error err = {0};
    soft_quote(&w->s, &bytes);
    dcap_collateral k = soft_collateral(&w->s, &w->a);
    vs_code code = dcap_quote_parse(vs_buf_span(&bytes), &q, &err);
    if (code == VS_OK)
        code = dcap_verify(w->s.root, &q, &k, now, &w->a, &w->r, &err);
    (void)vs_error_text(&err, w->why, sizeof w->why);
    vs_buf_free(&bytes);
    return code;
}

static vs_code run(world *w)
{
    return run_at(w, SOFT_DCAP_NOW);
}

static void assert_refused(world *w, vs_code want, const char *why)
{
    vs_code code = run(w);
    if (code != want || !strstr(w->why, why))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), w->why, vs_code_name(want),
                 why);
}

static void assert_status(world *w, const char *want)
{
    if (run(w) != VS_OK)
        fail_msg("%s", w->why);
    assert_string_equal(dcap_status_name(w->r.launch.status), want);
}

/* ---- what verifies ----------------------------------------------------------------------------
 */

static void quotes_of_both_versions_and_bodies_verify(void **state)
{
    world *w = *state;
    static const unsigned kinds[][2] = {{4, 2}, {5, 2}, {5, 3}};
    for (size_t i = 0; i < VS_COUNT(kinds); i++) {
        w->s.version = kinds[i][0];
        w->s.body_type = kinds[i][1];
        assert_status(w, "UpToDate");
        assert_false(w->r.expired);
        assert_true(w->r.pck.platform && w->r.pck.smt && w->r.pck.dynamic);
        assert_int_equal(w->r.root_crl_number, 3);
        assert_int_equal(w->r.pck_crl_number, 4);
        assert_int_equal(w->r.evaluation, 17);
        assert_int_equal(w->r.earliest_expiration, SOFT_DCAP_NOW + 1000);
        assert_int_equal(w->r.launch.advisories.len, 1);
    }
    w->s.cn[SOFT_CA] = "Intel SGX PCK Processor CA";
    w->s.platform = false;
    soft_issue_party(&w->s, SOFT_CA);
    soft_issue_party(&w->s, SOFT_PCK);
    assert_status(w, "UpToDate");
    assert_int_equal(w->r.pck.type, DCAP_STANDARD);
}

static void the_quotes_of_intels_root_are_not_these(void **state)
{
    world *w = *state;
    memcpy(w->s.root, dcap_intel_root, DCAP_POINT);
    assert_refused(w, VS_E_UNTRUSTED, "Intel's SGX root key");
}

static void expired_collateral_is_said_and_the_future_refused(void **state)
{
    world *w = *state;
    assert_vs_code(run_at(w, SOFT_DCAP_NOW + 1001), VS_OK);
    assert_true(w->r.expired);
    assert_vs_code(run_at(w, SOFT_DCAP_NOW + 2 * SOFT_DCAP_YEAR), VS_OK);
    assert_true(w->r.expired);
    assert_vs_code(run_at(w, SOFT_DCAP_NOW - 1001), VS_E_EXPIRED);
    assert_vs_code(run_at(w, SOFT_DCAP_NOW - 2 * SOFT_DCAP_YEAR), VS_E_EXPIRED);
}

/* ---- what does not ----------------------------------------------------------------------------
 */

static void who_is_revoked_is_refused(void **state)
{
    world *w = *state;
    static const soft_party parties[] = {SOFT_CA, SOFT_PCK, SOFT_SIGNER};
    for (size_t i = 0; i < VS_COUNT(parties); i++) {
        w->s.revoked[parties[i]] = true;
        assert_refused(w, VS_E_UNTRUSTED, "revoked");
        w->s.revoked[parties[i]] = false;
    }
}

static void certificates_by_other_names_or_issuers_are_refused(void **state)
{
    world *w = *state;
    static const struct {
        soft_party party;
        const char *cn, *why;
    } names[] = {{SOFT_CA, "Intel SGX PCK Platform CAx", "not a PCK's"},
                 {SOFT_CA, "Intel SGX TCB Signing", "not a PCK's"},
                 {SOFT_CA, "Intel SGX PCK Processor CA", "do not agree"},
                 {SOFT_PCK, "Intel SGX TCB Signing", "not a PCK's"},
                 {SOFT_SIGNER, "Intel SGX PCK Platform CA", "not Intel's for TCBs"}};
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        const char *good = w->s.cn[names[i].party];
        w->s.cn[names[i].party] = names[i].cn;
        soft_issue_party(&w->s, names[i].party);
        soft_issue_party(&w->s, SOFT_PCK);
        vs_code code = run(w);
        if (code == VS_OK || !strstr(w->why, names[i].why))
            fail_msg("%zu: %s", i, w->why);
        w->s.cn[names[i].party] = good;
        soft_issue_party(&w->s, names[i].party);
    }
    soft_issue_party(&w->s, SOFT_PCK);
    assert_status(w, "UpToDate");
    EVP_PKEY *ca = w->s.key[SOFT_CA]; /* a PCK by somebody who calls himself the CA */
    w->s.key[SOFT_CA] = EVP_EC_gen("P-256");
    soft_issue_party(&w->s, SOFT_PCK);
    EVP_PKEY_free(w->s.key[SOFT_CA]);
    w->s.key[SOFT_CA] = ca;
    assert_refused(w, VS_E_UNTRUSTED, "PCK chain");
}

static void the_quoting_enclave_and_the_module_must_be_intels(void **state)
{
    world *w = *state;
    static const struct {
        bool of_qe;
        size_t at;
        const char *why;
    } changes[] = {
        {true, 16, "quoting enclave"},  {true, 48, "quoting enclave"},
        {true, 128, "quoting enclave"}, {true, 256, "quoting enclave"},
        {true, 352, "attestation key"}, {false, 64, "signed by somebody else"},
        {false, 112, "attributes"},
    };
    for (size_t i = 0; i < VS_COUNT(changes); i++) {
        uint8_t *p = changes[i].of_qe ? w->s.qe : w->s.body;
        p[changes[i].at] ^= 1;
        assert_refused(w, VS_E_MISMATCH, changes[i].why);
        p[changes[i].at] ^= 1;
    }
    w->s.qe[48] ^= 4; /* the identity's mask hides it */
    assert_status(w, "UpToDate");
    w->s.body[1] = 2; /* a module that Intel does not know */
    assert_refused(w, VS_E_MISMATCH, "major version 2");
}

static void no_changed_byte_of_a_software_quote_verifies(void **state)
{
    world *w = *state;
    vs_buf bytes = VS_BUF(1 << 15);
    dcap_quote q;
    dcap_pck pck;
    soft_quote(&w->s, &bytes);
    assert_vs_code(dcap_quote_parse(vs_buf_span(&bytes), &q, NULL), VS_OK);
    assert_vs_code(dcap_verify_quote(w->s.root, &q, SOFT_DCAP_NOW, NULL, &pck, NULL), VS_OK);
    size_t pem = (size_t)(q.pck_chain.p - bytes.p);
    for (size_t at = 0; at < pem; at++) {
        bytes.p[at] ^= (uint8_t)(1u << at % 8);
        if (dcap_quote_parse(vs_buf_span(&bytes), &q, NULL) == VS_OK &&
            dcap_verify_quote(w->s.root, &q, SOFT_DCAP_NOW, NULL, &pck, NULL) == VS_OK)
            fail_msg("byte %zu does not matter", at);
        bytes.p[at] ^= (uint8_t)(1u << at % 8);
    }
    for (size_t n = 0; n < bytes.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, bytes.p, n);
        assert_vs_code(dcap_quote_parse(vs_span_of(exact, n), &q, NULL), VS_E_PARSE);
        free(exact);
    }
    vs_buf_free(&bytes);
}

/* ---- levels ------------------------------------------------------------------------------------
 */

static void levels_become_a_status(void **state)
{
    world *w = *state;
    static const char *const kept[] = {"UpToDate",
                                       "SWHardeningNeeded",
                                       "ConfigurationNeeded",
                                       "ConfigurationAndSWHardeningNeeded",
                                       "OutOfDate",
                                       "OutOfDateConfigurationNeeded"};
    static const char *const with_old_module[] = {"OutOfDate",
                                                  "OutOfDate",
                                                  "OutOfDateConfigurationNeeded",
                                                  "OutOfDateConfigurationNeeded",
                                                  "OutOfDate",
                                                  "OutOfDateConfigurationNeeded"};
    for (size_t i = 0; i < VS_COUNT(kept); i++) {
        w->s.status = kept[i];
        w->s.body[0] = 4;
        assert_status(w, kept[i]);
        w->s.body[0] = 3;
        assert_status(w, with_old_module[i]);
        assert_int_equal(w->r.launch.advisories.len, 2);
    }
    w->s.status = "Revoked";
    assert_refused(w, VS_E_UNTRUSTED, "revoked");
    w->s.status = "Unheard of";
    assert_refused(w, VS_E_UNSUPPORTED, "Unheard of");
    w->s.status = "TDRelaunchAdvised"; /* no status of a platform */
    assert_refused(w, VS_E_UNSUPPORTED, "TDRelaunchAdvised");
}

/* Two levels of a quoting enclave, as text. */
static vs_code read_two(world *w, unsigned first, unsigned second, dcap_qe_identity *out)
{
    vs_buf text = VS_BUF(1 << 12);
    vs_val v;
    soft_identity(&text);
    vs_buf_truncate(&text, text.n - strlen("]}"));
    vs_buf_printf(&text,
                  ",{\"tcb\":{\"isvsvn\":%u}," SOFT_DATE "\"tcbStatus\":\"OutOfDate\"},"
                  "{\"tcb\":{\"isvsvn\":%u}," SOFT_DATE "\"tcbStatus\":\"OutOfDate\"}]}",
                  first, second);
    assert_vs_code(vs_json_parse(&w->a, vs_dup(&w->a, vs_buf_span(&text)), NULL, &v, NULL), VS_OK);
    vs_buf_free(&text);
    return dcap_qe_identity_read(&w->a, v, out, NULL);
}

static void levels_are_sorted_and_distinct(void **state)
{
    world *w = *state;
    dcap_qe_identity id;
    assert_vs_code(read_two(w, 2, 7, &id), VS_OK);
    assert_int_equal(id.levels.n, 3);
    assert_int_equal(id.levels.items[0].svn, 7);
    assert_int_equal(id.levels.items[1].svn, 4);
    assert_int_equal(id.levels.items[2].svn, 2);
    assert_vs_code(read_two(w, 2, 2, &id), VS_E_INVALID);
    assert_vs_code(read_two(w, 4, 2, &id), VS_E_INVALID);
}

static void what_is_below_every_level_is_refused(void **state)
{
    world *w = *state;
    w->s.body[0] = 1;
    assert_refused(w, VS_E_UNTRUSTED, "the TDX module is below");
    w->s.body[0] = 4;
    w->s.qe[258] = 3;
    assert_refused(w, VS_E_UNTRUSTED, "the quoting enclave is below");
    w->s.qe[258] = 4;
    w->s.body[2] = 2; /* SEAM loader */
    assert_refused(w, VS_E_UNTRUSTED, "the platform is below");
    w->s.body[2] = 3;
    w->s.comp[1] = 4;
    soft_issue_party(&w->s, SOFT_PCK);
    assert_refused(w, VS_E_UNTRUSTED, "the platform is below");
    w->s.comp[1] = 200;
    w->s.pcesvn = 10;
    soft_issue_party(&w->s, SOFT_PCK);
    assert_refused(w, VS_E_UNTRUSTED, "the platform is below");
}

static void a_td_that_outlived_an_update_is_to_be_started_again(void **state)
{
    world *w = *state;
    w->s.version = 5;
    w->s.body_type = 3;
    w->s.body[0] = 3; /* at launch; now it is 4 */
    assert_status(w, "TDRelaunchAdvised");
    assert_string_equal(dcap_status_name(w->r.current.status), "UpToDate");
    w->s.status = "ConfigurationNeeded";
    assert_status(w, "TDRelaunchAdvisedConfigurationNeeded");
    w->s.status = "OutOfDate";
    assert_status(w, "OutOfDate");
    w->s.status = "UpToDate";
    w->s.body[584] = 3;
    assert_status(w, "OutOfDate");
    w->s.body[584] = 1;
    assert_refused(w, VS_E_UNTRUSTED, "current TCB");
}

/* ---- claims ------------------------------------------------------------------------------------
 */

static void a_debuggable_td_is_told_to_the_policy(void **state)
{
    world *w = *state;
    for (unsigned debug = 0; debug < 2; debug++) {
        vs_buf bytes = VS_BUF(1 << 15);
        dcap_quote q;
        vs_obj o = {.a = &w->a};
        w->s.body[120] = (uint8_t)debug;
        assert_status(w, "UpToDate");
        soft_quote(&w->s, &bytes);
        assert_vs_code(dcap_quote_parse(vs_buf_span(&bytes), &q, NULL), VS_OK);
        tdx_put_quote(&o, &q, &w->r.pck);
        vs_val attributes = vs_getc(vs_obj_end(&o, VS_DUP_REFUSE, NULL), "td_attributes");
        assert_int_equal(vs_is_true(vs_getc(attributes, "debug")), debug);
        vs_buf_free(&bytes);
    }
}

/* ---- parts of JSON texts ----------------------------------------------------------------------
 */

static void parts_of_a_json_text_are_given_as_written(void **state)
{
    (void)state;
    static const char text[] =
        " { \"a\\\"b\" : 1 , \"x\":[ {\"k\" : \"}],\\\\\"} , [ 2 , 3 ] ,\"s\" ], \"y\" : { } }";
    vs_span list = rawjson_member(vs_str(text), "x"), element;
    assert_span_is(list, "[ {\"k\" : \"}],\\\\\"} , [ 2 , 3 ] ,\"s\" ]");
    assert_true(rawjson_next(&list, &element));
    assert_span_is(element, "{\"k\" : \"}],\\\\\"}");
    assert_true(rawjson_next(&list, &element));
    assert_span_is(element, "[ 2 , 3 ]");
    assert_true(rawjson_next(&list, &element));
    assert_span_is(element, "\"s\"");
    assert_false(rawjson_next(&list, &element));
    assert_span_is(rawjson_member(vs_str(text), "y"), "{ }");
    assert_int_equal(rawjson_member(vs_str(text), "k").n, 0);
    vs_buf out = VS_BUF(200);
    rawjson_minify(&out, vs_str(text));
    assert_span_is(vs_buf_span(&out),
                   "{\"a\\\"b\":1,\"x\":[{\"k\":\"}],\\\\\"},[2,3],\"s\"],\"y\":{}}");
    vs_buf_free(&out);
    vs_span empty = VS_LIT(" [ ] ");
    assert_false(rawjson_next(&empty, &element));
    for (size_t n = 0; n < sizeof text; n++) { /* cut texts are no JSON, and harm nobody */
        vs_span cut = vs_span_head(vs_str(text), n), items = rawjson_member(cut, "x");
        for (unsigned i = 0; i < 9 && rawjson_next(&items, &element); i++)
            assert_true(element.n <= n);
    }
}

#define T(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(quotes_of_both_versions_and_bodies_verify),
        T(the_quotes_of_intels_root_are_not_these),
        T(expired_collateral_is_said_and_the_future_refused),
        T(who_is_revoked_is_refused),
        T(certificates_by_other_names_or_issuers_are_refused),
        T(the_quoting_enclave_and_the_module_must_be_intels),
        T(no_changed_byte_of_a_software_quote_verifies),
        T(levels_become_a_status),
        T(levels_are_sorted_and_distinct),
        T(what_is_below_every_level_is_refused),
        T(a_td_that_outlived_an_update_is_to_be_started_again),
        T(a_debuggable_td_is_told_to_the_policy),
        T(parts_of_a_json_text_are_given_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
