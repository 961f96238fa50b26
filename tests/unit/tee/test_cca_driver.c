/* SPDX-License-Identifier: Apache-2.0 */
/* The CCA driver from evidence JSON to claims, and everything it must refuse. */
#include "soft_realm.h"

#include "base/enc.h"
#include "tee/tee.h"
#include "value/json.h"

typedef struct fixture {
    soft_realm soft;
    cca_trust *cca;
    vs_arena a;
    vs_buf token;
} fixture;

static int start(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    soft_start(&f->soft, VS_KEY_P256, VS_KEY_P256);
    soft_trust(&f->soft, &f->cca);
    vs_arena_init(&f->a, 0);
    f->token = (vs_buf)VS_BUF(CCA_TOKEN_MAX);
    soft_token(&f->soft, &f->token);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    vs_buf_free(&f->token);
    vs_arena_free(&f->a);
    cca_trust_free(&f->cca);
    soft_stop(&f->soft);
    free(f);
    return 0;
}

static vs_span challenge_of(const fixture *f)
{
    return vs_span_of(f->soft.challenge, CCA_CHALLENGE);
}

/* Runs the driver; *out is valid when VS_OK. */
static vs_code run(fixture *f, vs_val evidence, vs_span report, vs_span init, vs_tee_result *out,
                   char why[VS_ERROR_TEXT])
{
    const vs_tee_driver *d = vs_tee_find(VS_LIT("cca"));
    assert_non_null(d);
    vs_tee_trust trust = {.cca = f->cca};
    vs_tee_expect expect = {.report_data = report, .init_data = init, .now = 1800000000};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n = 99;
    vs_error err = {0};
    vs_code code = d->verify(&trust, evidence, &expect, &f->a, results, &n, &err);
    assert_int_equal(n, code == VS_OK ? 1 : 0);
    assert_int_equal(err.code, code);
    *out = results[0];
    (void)vs_error_text(&err, why, VS_ERROR_TEXT);
    return code;
}

static void expect_refused(fixture *f, vs_val evidence, vs_span report, vs_span init, vs_code want,
                           const char *why)
{
    vs_tee_result r;
    char text[VS_ERROR_TEXT];
    vs_code code = run(f, evidence, report, init, &r, text);
    if (code != want || !strstr(text, why))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), text, vs_code_name(want),
                 why);
}

static void claims_are_exactly_those_of_the_interface(void **state)
{
    fixture *f = *state;
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    vs_code code = run(f, soft_evidence(&f->a, vs_buf_span(&f->token)), challenge_of(f),
                       (vs_span){0}, &r, why);
    if (code != VS_OK)
        fail_msg("%s", why);
    assert_string_equal(r.tee_class, "cpu");
    vs_buf json = VS_BUF(1 << 16), want = VS_BUF(1 << 16);
    /* All but the one key that is documented as ours. */
    assert_int_equal(vs_getc(r.claims, "vouchsafe").kind, VS_OBJECT);
    vs_json_print(&json, vs_with(&f->a, r.claims, vs_cstring("vouchsafe"), vs_undefined()));
    uint8_t instance[CCA_INSTANCE_ID];
    assert_vs_code(realm_instance_id(f->soft.keys.cpak, instance, NULL), VS_OK);
    const realm_spec *s = &f->soft.spec;
    vs_buf_puts(&want, "{\"platform\":{\"cca-platform-implementation-id\":\"");
    vs_b64_encode(&want, VS_B64_STD, s->implementation_id);
    vs_buf_puts(&want, "\",\"cca-platform-instance-id\":\"");
    vs_b64_encode(&want, VS_B64_STD, vs_span_of(instance, sizeof instance));
    vs_buf_puts(&want, "\"},\"realm\":{\"cca-realm-challenge\":\"");
    vs_b64_encode(&want, VS_B64_STD, challenge_of(f));
    vs_buf_puts(&want, "\",\"cca-realm-extensible-measurements\":[");
    for (unsigned i = 0; i < CCA_REMS; i++) {
        vs_buf_puts(&want, i ? ",\"" : "\"");
        vs_b64_encode(&want, VS_B64_STD, s->rem[i]);
        vs_buf_putc(&want, '"');
    }
    vs_buf_puts(&want, "],\"cca-realm-hash-algo-id\":\"sha-512\","
                       "\"cca-realm-initial-measurement\":\"");
    vs_b64_encode(&want, VS_B64_STD, s->rim);
    vs_buf_puts(&want, "\",\"cca-realm-personalization-value\":\"");
    vs_b64_encode(&want, VS_B64_STD, s->rpv);
    vs_buf_puts(&want, "\"}}");
    assert_string_equal((char *)json.p, (char *)want.p);
    vs_buf_clear(&want);
    vs_hex_encode(&want, challenge_of(f));
    assert_span_is(vs_text(r.report_data), (char *)want.p);
    vs_buf_clear(&want);
    vs_hex_encode(&want, s->rpv);
    assert_span_is(vs_text(r.init_data), (char *)want.p);
    vs_buf_free(&json);
    vs_buf_free(&want);
}

static void evidence_that_is_not_an_array_of_bytes_is_refused(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *json;
        vs_code want;
        const char *why;
    } bad[] = {
        {"{}", VS_E_INVALID, "\"token\" is missing"},
        {"[]", VS_E_INVALID, "CCA evidence"},
        {"null", VS_E_INVALID, "CCA evidence"},
        {"{\"token\":\"2QGP\"}", VS_E_INVALID, "\"token\""},
        {"{\"token\":[217,1,256]}", VS_E_INVALID, "element 2"},
        {"{\"token\":[-1]}", VS_E_INVALID, "element 0"},
        {"{\"token\":[217,1.5]}", VS_E_INVALID, "element 1"},
        {"{\"token\":[217,\"1\"]}", VS_E_INVALID, "element 1"},
        {"{\"token\":[217,null]}", VS_E_INVALID, "element 1"},
        {"{\"token\":[99999999999999999999]}", VS_E_INVALID, "element 0"},
        {"{\"token\":[]}", VS_E_PARSE, "CCA token"},
        {"{\"token\":[217,1,143,160]}", VS_E_INVALID, "platform token (44234) is missing"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_val v;
        assert_vs_code(vs_json_parse(&f->a, vs_str(bad[i].json), NULL, &v, NULL), VS_OK);
        expect_refused(f, v, challenge_of(f), (vs_span){0}, bad[i].want, bad[i].why);
    }
    vs_vec big = {.a = &f->a};
    for (unsigned i = 0; i <= CCA_TOKEN_MAX; i++)
        vs_vec_add(&big, vs_int(0));
    vs_obj o = {.a = &f->a};
    vs_obj_put(&o, "token", vs_vec_end_array(&big));
    expect_refused(f, vs_obj_end(&o, VS_DUP_REFUSE, NULL), challenge_of(f), (vs_span){0},
                   VS_E_LIMIT, "65537 bytes");
}

static void evidence_of_another_session_is_refused(void **state)
{
    fixture *f = *state;
    vs_val e = soft_evidence(&f->a, vs_buf_span(&f->token));
    uint8_t other[CCA_CHALLENGE];
    for (unsigned bit = 0; bit < CCA_CHALLENGE * 8; bit++) {
        memcpy(other, f->soft.challenge, sizeof other);
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused(f, e, vs_span_of(other, sizeof other), (vs_span){0}, VS_E_MISMATCH,
                       "realm challenge");
    }
    expect_refused(f, e, vs_span_of(other, 0), (vs_span){0}, VS_E_MISMATCH, "realm challenge");
    expect_refused(f, e, vs_span_of(f->soft.challenge, 48), (vs_span){0}, VS_E_MISMATCH,
                   "realm challenge");
    expect_refused(f, e, (vs_span){0}, (vs_span){0}, VS_E_INVALID, "expected report data");
}

static void shorter_report_data_is_padded_with_zeros(void **state)
{
    fixture *f = *state;
    memset(f->soft.challenge + 48, 0, 16);
    vs_buf_clear(&f->token);
    soft_token(&f->soft, &f->token);
    vs_val e = soft_evidence(&f->a, vs_buf_span(&f->token));
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    assert_vs_code(run(f, e, vs_span_of(f->soft.challenge, 48), (vs_span){0}, &r, why), VS_OK);
    assert_vs_code(run(f, e, challenge_of(f), (vs_span){0}, &r, why), VS_OK);
    expect_refused(f, e, vs_span_of(f->soft.challenge, 47), (vs_span){0}, VS_E_MISMATCH,
                   "realm challenge");
}

static void init_data_is_the_personalization_value(void **state)
{
    fixture *f = *state;
    static const size_t sizes[] = {32, 48, 64};
    uint8_t digest[65], rpv[64];
    for (unsigned i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t)(0x80 + i);
    for (size_t i = 0; i < VS_COUNT(sizes); i++) {
        memset(rpv, 0, sizeof rpv);
        memcpy(rpv, digest, sizes[i]);
        f->soft.spec.rpv = vs_span_of(rpv, sizeof rpv);
        vs_buf_clear(&f->token);
        soft_token(&f->soft, &f->token);
        vs_val e = soft_evidence(&f->a, vs_buf_span(&f->token));
        vs_tee_result r;
        char why[VS_ERROR_TEXT];
        assert_vs_code(run(f, e, challenge_of(f), vs_span_of(digest, sizes[i]), &r, why), VS_OK);
        assert_vs_code(run(f, e, challenge_of(f), (vs_span){0}, &r, why), VS_OK);
        for (size_t n = 0; n <= sizeof digest; n++)
            if (n != sizes[i])
                expect_refused(f, e, challenge_of(f), vs_span_of(digest, n), VS_E_MISMATCH, "init");
    }
}

/* A digest that is shorter than the value must be followed by zeros: else the rest would be the
 * realm owner's to choose. */
static void init_data_followed_by_other_bytes_than_zeros_is_refused(void **state)
{
    fixture *f = *state;
    static const size_t sizes[] = {32, 48};
    uint8_t rpv[CCA_CHALLENGE];
    for (size_t i = 0; i < VS_COUNT(sizes); i++)
        for (size_t at = sizes[i]; at < sizeof rpv; at += 5) {
            memset(rpv, 0, sizeof rpv);
            memset(rpv, 0x5a, sizes[i]);
            rpv[at] = 1;
            f->soft.spec.rpv = vs_span_of(rpv, sizeof rpv);
            vs_buf_clear(&f->token);
            soft_token(&f->soft, &f->token);
            vs_val e = soft_evidence(&f->a, vs_buf_span(&f->token));
            expect_refused(f, e, challenge_of(f), vs_span_of(rpv, sizes[i]), VS_E_MISMATCH,
                           "init data");
            vs_tee_result r;
            char why[VS_ERROR_TEXT];
            assert_vs_code(run(f, e, challenge_of(f), vs_span_of(rpv, 64), &r, why), VS_OK);
        }
}

static void a_platform_that_is_not_trusted_is_refused(void **state)
{
    fixture *f = *state;
    vs_val e = soft_evidence(&f->a, vs_buf_span(&f->token));
    cca_trust *good = f->cca;
    f->cca = NULL;
    expect_refused(f, e, challenge_of(f), (vs_span){0}, VS_E_UNSUPPORTED, "no CCA verifier");

    soft_realm other;
    soft_start(&other, VS_KEY_P256, VS_KEY_P256);
    soft_trust(&other, &f->cca);
    expect_refused(f, e, challenge_of(f), (vs_span){0}, VS_E_UNTRUSTED, "this instance id");
    cca_trust_free(&f->cca);

    uint8_t id[CCA_IMPLEMENTATION_ID] = {7};
    soft_realm same = f->soft;
    same.spec.implementation_id = vs_span_of(id, sizeof id);
    soft_trust(&same, &f->cca);
    expect_refused(f, e, challenge_of(f), (vs_span){0}, VS_E_UNTRUSTED,
                   "another implementation id");
    cca_trust_free(&f->cca);
    soft_stop(&other);
    f->cca = good;
}

static void a_platform_key_that_is_not_the_anchors_is_refused(void **state)
{
    /* The attacker claims the trusted platform's ids, and signs with keys of his own. */
    fixture *f = *state;
    vs_buf ta = VS_BUF(1 << 16), rv = VS_BUF(1 << 16), changed = VS_BUF(1 << 16);
    uint8_t mine[CCA_INSTANCE_ID], his[CCA_INSTANCE_ID];
    soft_realm attacker;
    soft_start(&attacker, VS_KEY_P256, VS_KEY_P256);
    assert_vs_code(realm_ta_store(&f->soft.spec, &f->soft.keys, &ta, NULL), VS_OK);
    assert_vs_code(realm_rv_store(&f->soft.spec, &rv, NULL), VS_OK);
    assert_vs_code(realm_instance_id(f->soft.keys.cpak, mine, NULL), VS_OK);
    assert_vs_code(realm_instance_id(attacker.keys.cpak, his, NULL), VS_OK);
    vs_span from = vs_hex_encode_arena(&f->a, vs_span_of(mine, sizeof mine));
    vs_span to = vs_hex_encode_arena(&f->a, vs_span_of(his, sizeof his));
    char *at = strstr((char *)ta.p, vs_sprintf(&f->a, "%.*s", VS_FMT(from)));
    assert_non_null(at);
    memcpy(at, to.p, to.n);
    cca_trust *good = f->cca;
    assert_vs_code(cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), &f->cca, NULL), VS_OK);
    vs_buf_clear(&f->token);
    soft_token(&attacker, &f->token);
    expect_refused(f, soft_evidence(&f->a, vs_buf_span(&f->token)), challenge_of(f), (vs_span){0},
                   VS_E_CRYPTO, "platform token: signature");
    cca_trust_free(&f->cca);
    f->cca = good;
    soft_stop(&attacker);
    vs_buf_free(&ta);
    vs_buf_free(&rv);
    vs_buf_free(&changed);
}

/* Halves of two genuine tokens of one platform do not make a third. */
static void a_realm_token_beside_another_platform_token_is_refused(void **state)
{
    fixture *f = *state;
    vs_buf platform = VS_BUF(1 << 14), realm = VS_BUF(1 << 14), mixed = VS_BUF(1 << 15);
    assert_vs_code(realm_platform_token(&f->soft.spec, &f->soft.keys, &platform, NULL), VS_OK);
    vs_key *rak = f->soft.keys.rak, *other = NULL;
    assert_vs_code(vs_key_generate(VS_KEY_P256, &other, NULL), VS_OK);
    f->soft.keys.rak = other;
    assert_vs_code(realm_realm_token(&f->soft.spec, &f->soft.keys, challenge_of(f), &realm, NULL),
                   VS_OK);
    f->soft.keys.rak = rak;
    assert_vs_code(
        realm_wrap(CCA_TAG_EAT, vs_buf_span(&platform), vs_buf_span(&realm), &mixed, NULL), VS_OK);
    expect_refused(f, soft_evidence(&f->a, vs_buf_span(&mixed)), challenge_of(f), (vs_span){0},
                   VS_E_MISMATCH, "hash of the realm's key");
    vs_key_free(&other);
    vs_buf_free(&platform);
    vs_buf_free(&realm);
    vs_buf_free(&mixed);
}

static void software_that_is_not_referenced_is_refused_but_an_unknown_rim_is_not(void **state)
{
    fixture *f = *state;
    soft_realm changed = f->soft;
    cca_component list[16];
    memcpy(list, f->soft.spec.components, f->soft.spec.n_components * sizeof *list);
    changed.spec.components = list;
    vs_tee_result r;
    char why[VS_ERROR_TEXT];
    static const struct {
        const char *what;
        vs_code want;
    } cases[] = {{"measurement", VS_E_UNTRUSTED}, {"signer", VS_E_UNTRUSTED},
                 {"type", VS_E_UNTRUSTED},        {"version", VS_E_UNTRUSTED},
                 {"one fewer", VS_E_UNTRUSTED},   {"order", VS_E_UNTRUSTED},
                 {"config", VS_E_UNTRUSTED},      {"rim", VS_OK}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        realm_spec *s = &changed.spec;
        *s = f->soft.spec;
        s->components = list;
        memcpy(list, f->soft.spec.components, s->n_components * sizeof *list);
        switch (i) {
        case 0: list[5].value = list[6].value; break;
        case 1: list[5].signer_id = list[6].value; break;
        case 2: list[5].type = VS_LIT("SCP_BL9"); break;
        case 3: list[5].version = VS_LIT("1.0.1"); break;
        case 4: s->n_components--; break;
        case 5: list[3] = f->soft.spec.components[4], list[4] = f->soft.spec.components[3]; break;
        case 6: s->config = VS_LIT("\xcf\xcf\xcf\xce"); break;
        default: s->rim = vs_span_of(f->soft.challenge, 64); break;
        }
        vs_buf_clear(&f->token);
        soft_token(&changed, &f->token);
        vs_code code = run(f, soft_evidence(&f->a, vs_buf_span(&f->token)), challenge_of(f),
                           (vs_span){0}, &r, why);
        if (code != cases[i].want)
            fail_msg("%s: got %s %s", cases[i].what, vs_code_name(code), why);
    }
}

static void running_out_of_memory_is_an_error_and_nothing_else(void **state)
{
    fixture *f = *state;
    vs_val e = soft_evidence(&f->a, vs_buf_span(&f->token));
    vs_tee_trust trust = {.cca = f->cca};
    vs_tee_expect expect = {.report_data = challenge_of(f)};
    bool worked = false;
    for (size_t cap = 64; !worked && cap < 1 << 20; cap += cap / 8 + 16) {
        vs_arena small;
        vs_arena_init(&small, cap);
        vs_tee_result results[VS_TEE_RESULTS_MAX];
        size_t n;
        vs_error err = {0};
        vs_code code =
            vs_tee_find(VS_LIT("cca"))->verify(&trust, e, &expect, &small, results, &n, &err);
        worked = code == VS_OK;
        if (!worked)
            assert_int_equal(code, VS_E_NOMEM);
        vs_arena_free(&small);
    }
    assert_true(worked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(claims_are_exactly_those_of_the_interface, start, stop),
        cmocka_unit_test_setup_teardown(evidence_that_is_not_an_array_of_bytes_is_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(evidence_of_another_session_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_platform_that_is_not_trusted_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_platform_key_that_is_not_the_anchors_is_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_realm_token_beside_another_platform_token_is_refused,
                                        start, stop),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_an_error_and_nothing_else, start,
                                        stop),
        cmocka_unit_test_setup_teardown(
            software_that_is_not_referenced_is_refused_but_an_unknown_rim_is_not, start, stop),
        cmocka_unit_test_setup_teardown(shorter_report_data_is_padded_with_zeros, start, stop),
        cmocka_unit_test_setup_teardown(init_data_is_the_personalization_value, start, stop),
        cmocka_unit_test_setup_teardown(init_data_followed_by_other_bytes_than_zeros_is_refused,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
