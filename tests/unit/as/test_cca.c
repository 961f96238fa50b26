/* SPDX-License-Identifier: Apache-2.0 */
/* CCA evidence through the whole service: endorsements in its reference value provider, the shipped
 * policy, what the decision's record shows, and that what is revoked stops at once. */
#include "as/as_fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "as/replay.h"
#include "base/io.h"
#include "rvps/backend.h"
#include "rvps/record.h"
#include "tee/cca/trust.h"
#include "tee/endorsements.h"

#define RIM_LIST "cca.realm.cca-realm-initial-measurement"

typedef struct realm_world {
    world w;
    soft_realm soft;
    cca_component list[16];
    char config[64];
} realm_world;

/* ---- fixture ------------------------------------------------------------------------------------
 */

/* Under any name, as a CoRIM does that the provider has checked. NULL: deletes it. */
static void put_record(world *w, const char *name, const char *json_text)
{
    vs_error err = {0};
    if (!json_text) {
        assert_vs_ok(rvps_delete(w->rv, vs_str(name), VS_LIT("test"), &err), &err);
        return;
    }
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_buf text = VS_BUF(1 << 20);
    rvps_entry e = {.name = vs_str(name), .expires = NOW + 86400, .not_before = INT64_MIN};
    assert_vs_ok(vs_json_parse(&a, vs_str(json_text), NULL, &e.value, &err), &err);
    rvps_record_write(&text, &e);
    assert_vs_ok(vs_store_put(w->store, RVPS_NAMESPACE, vs_str(name), vs_buf_span(&text), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
    vs_buf_free(&text);
    vs_arena_free(&a);
}

static const char *cpak(realm_world *r)
{
    return cpak_name(&r->soft, &r->w.a);
}

static const char *platform_record(realm_world *r)
{
    return record_name(&r->w.a, "cca.platform.", r->soft.spec.implementation_id);
}

static const char *realm_record(realm_world *r)
{
    return record_name(&r->w.a, "cca.realm.", r->soft.spec.rim);
}

static void endorse_all(realm_world *r)
{
    vs_arena *a = &r->w.a;
    vs_val none = vs_undefined();
    put_record(&r->w, cpak(r), record_text(a, cpak_entry(&r->soft, a), none));
    put_record(&r->w, platform_record(r), record_text(a, platform_entry(&r->soft, a), none));
    put_record(&r->w, realm_record(r), record_text(a, realm_entry(&r->soft, a), none));
}

/* Trust as the members of "cca-verifier" say, beside the type. */
static void configure(realm_world *r, const char *members)
{
    vs_error err = {0};
    char text[256];
    (void)snprintf(text, sizeof text, "{\"cca-verifier\":{\"type\":\"local\"%s}}", members);
    assert_vs_ok(vs_write_file(r->config, vs_str(text), 0600, &err), &err);
    cca_trust_free(&r->w.trust.cca);
    assert_vs_ok(cca_trust_load(r->config, &r->w.trust.cca, &err), &err);
}

static int start(void **state)
{
    realm_world *r = calloc(1, sizeof *r);
    world_open(&r->w, NULL);
    soft_start(&r->soft, VS_KEY_P256, VS_KEY_P256);
    memcpy(r->list, r->soft.spec.components, r->soft.spec.n_components * sizeof *r->list);
    r->soft.spec.components = r->list;
    (void)snprintf(r->config, sizeof r->config, "%s/vs-as-cca-XXXXXX", P_tmpdir);
    int fd = mkstemp(r->config);
    assert_true(fd >= 0);
    (void)close(fd);
    configure(r, "");
    endorse_all(r);
    *state = r;
    return 0;
}

static int stop(void **state)
{
    realm_world *r = *state;
    cca_trust_free(&r->w.trust.cca);
    world_close(&r->w);
    soft_stop(&r->soft);
    (void)unlink(r->config);
    free(r);
    return 0;
}

static vs_code evaluate_on(const realm_world *r, vs_span token, vs_arena *a, as_result *out,
                           vs_error *err)
{
    const as_request req = {.tee = VS_LIT("cca"),
                            .evidence = soft_evidence(a, token),
                            .runtime_kind = AS_DATA_RAW,
                            .runtime_raw = vs_span_of(r->soft.challenge, CCA_CHALLENGE)};
    return as_evaluate(r->w.as, &req, 1, VS_LIT("default"), NOW, a, out, err);
}

/* Evidence of the realm as it is now. */
static vs_code attest(realm_world *r, as_result *out, char why[VS_ERROR_TEXT])
{
    vs_error err = {0};
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_token(&r->soft, &token);
    vs_code code = evaluate_on(r, vs_buf_span(&token), &r->w.a, out, &err);
    (void)vs_error_text(&err, why, VS_ERROR_TEXT);
    vs_buf_free(&token);
    return code;
}

static void expect_status(realm_world *r, const char *status, const char *reason)
{
    as_result res;
    char why[VS_ERROR_TEXT];
    vs_buf reasons = VS_BUF(1 << 16);
    if (attest(r, &res, why) != VS_OK)
        fail_msg("%s", why);
    as_reasons(res.explanation, &reasons);
    if (strcmp(res.status, status) != 0 || (reason && !strstr((char *)reasons.p, reason)))
        fail_msg("%s: %s; want %s: %s", res.status, reasons.n ? (char *)reasons.p : "", status,
                 reason ? reason : "");
    vs_buf_free(&reasons);
}

static void expect_refused(realm_world *r, vs_code want, const char *reason)
{
    as_result res;
    char why[VS_ERROR_TEXT];
    vs_code code = attest(r, &res, why);
    if (code != want || !strstr(why, reason))
        fail_msg("%s: %s; want %s", vs_code_name(code), why, reason);
}

static const char *rim_base64(realm_world *r)
{
    vs_span text = vs_b64_encode_arena(&r->w.a, VS_B64_STD, r->soft.spec.rim);
    return vs_sprintf(&r->w.a, "%.*s", VS_FMT(text));
}

/* The key of a platform that is known is not imported again, and yet looked up each time. */
static void an_endorsed_key_counts_as_it_is_now_also_for_a_known_platform(void **state)
{
    realm_world *r = *state;
    vs_arena *a = &r->w.a;
    vs_val none = vs_undefined();
    soft_realm other;
    as_result res;
    vs_error err = {0};
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_start(&other, VS_KEY_P256, VS_KEY_P256);
    soft_token(&r->soft, &token);
    vs_span bytes = vs_buf_span(&token);
    const char *good = record_text(a, cpak_entry(&r->soft, a), none),
               *others = record_text(a, cpak_entry(&other, a), none);
    for (unsigned i = 0; i < 3; i++) {
        assert_vs_ok(evaluate_on(r, bytes, a, &res, &err), &err);
        assert_string_equal(res.status, "affirming");
        assert_vs_ok(evaluate_on(r, bytes, a, &res, &err), &err);
        put_record(&r->w, cpak(r), others); /* replaced */
        assert_vs_code(evaluate_on(r, bytes, a, &res, NULL), VS_E_CRYPTO);
        put_record(&r->w, cpak(r), record_text(a, cpak_entry(&r->soft, a), cpak_entry(&other, a)));
        assert_vs_code(evaluate_on(r, bytes, a, &res, NULL), VS_E_UNTRUSTED); /* which one? */
        put_record(&r->w, cpak(r), NULL);                                     /* withdrawn */
        assert_vs_code(evaluate_on(r, bytes, a, &res, NULL), VS_E_UNTRUSTED);
        put_record(&r->w, cpak(r), good);
    }
    soft_stop(&other);
    vs_buf_free(&token);
}

/* ---- endorsements -------------------------------------------------------------------------------
 */

static void a_realm_is_affirmed_by_endorsements_alone(void **state)
{
    realm_world *r = *state;
    as_result res;
    char why[VS_ERROR_TEXT];
    if (attest(r, &res, why) != VS_OK)
        fail_msg("%s", why);
    assert_string_equal(res.status, "affirming");
    vs_val cpu = at(token_claims(&r->w, res.token), "/submods/cpu0");
    assert_json_eq(
        &r->w, vs_getc(cpu, "ear.trustworthiness-vector"),
        "{'instance-identity': 2, 'configuration': 2, 'executables': 2, 'file-system': "
        "0, 'hardware': 2, 'runtime-opaque': 2, 'storage-opaque': 0, 'sourced-data': 0}");
    /* The list of components is for the policy; a token has to fit into a header. */
    vs_val ours = at(cpu, "/ear.veraison.annotated-evidence/cca/vouchsafe");
    assert_false(vs_defined(at(ours, "/platform/sw-components")));
    assert_span_is(vs_text(at(ours, "/platform/lifecycle")), "secured");
    assert_span_is(vs_text(at(ours, "/platform/endorsed-by/0/record")), platform_record(r));
    assert_span_is(vs_text(at(ours, "/realm/endorsed-by/0/record")), realm_record(r));
    assert_json_eq(&r->w, at(ours, "/realm/rem-endorsed"), "[true, true, true, true]");
    vs_val input = at(as_result_record(&res, &r->w.a), "/submods/0/input/cca/vouchsafe");
    assert_int_equal(at(input, "/platform/sw-components").len, r->soft.spec.n_components);
    assert_span_is(vs_text(at(input, "/platform/sw-components/8/component-type")), "RMM");
    assert_true(res.token.n < 6000);
}

static vs_code from_store(const void *user, vs_span id, vs_span sha256, vs_arena *a, vs_span *text,
                          vs_error *err)
{
    (void)id;
    return as_policy_by_digest(((const realm_world *)user)->w.store, sha256, a, text, err);
}

/* The record, as it comes back from a file, gives the same payload and explanation. */
static void expect_replay(realm_world *r, const as_result *res)
{
    vs_error err = {0};
    as_replayed again;
    vs_buf text = VS_BUF(1 << 20);
    vs_val record;
    vs_json_print(&text, as_result_record(res, &r->w.a));
    assert_vs_ok(vs_json_parse(&r->w.a, vs_buf_span(&text), NULL, &record, &err), &err);
    const as_replay_options opts = {.policy = from_store, .user = r};
    assert_vs_ok(as_replay(record, &opts, &r->w.a, &again, &err), &err);
    assert_true(again.same);
    assert_true(vs_eq(again.explanation, res->explanation));
    vs_buf_free(&text);
}

static void records_the_driver_consulted_are_in_the_explanation_and_replay(void **state)
{
    realm_world *r = *state;
    as_result res;
    char why[VS_ERROR_TEXT];
    if (attest(r, &res, why) != VS_OK)
        fail_msg("%s", why);
    const char *const names[] = {cpak(r), platform_record(r), realm_record(r)};
    for (unsigned i = 0; i < VS_COUNT(names); i++) {
        vs_val asked = at(res.explanation, "/0/reference_values");
        assert_span_is(vs_text(vs_getc(asked.u.items[i], "id")), names[i]);
        assert_span_is(vs_text(vs_getc(asked.u.items[i], "by")), "verifier");
        assert_true(vs_is_true(vs_getc(asked.u.items[i], "found")));
        assert_false(vs_defined(vs_getc(asked.u.items[i], "value")));
    }
    put_record(&r->w, cpak(r), NULL); /* what has changed since does not matter */
    put_record(&r->w, realm_record(r), "[]");
    expect_replay(r, &res);
}

/* The verifier's answers are kept as digests, the policy's whole, also for the same name. */
static void a_policy_may_ask_for_what_the_verifier_asked_for(void **state)
{
    realm_world *r = *state;
    as_result res;
    vs_error err = {0};
    char why[VS_ERROR_TEXT];
    const char *policy = vs_sprintf(&r->w.a,
                                    "package policy\ntrust_claims := {\"executables\": 3}\n"
                                    "extensions := [{\"name\": \"x\", \"key\": 1, \"value\": "
                                    "query_reference_value(\"%s\")}]\n",
                                    realm_record(r));
    assert_vs_ok(as_set_policy(r->w.as, VS_LIT("default_cpu"), vs_str(policy), &err), &err);
    if (attest(r, &res, why) != VS_OK)
        fail_msg("%s", why);
    vs_val kept = at(as_result_record(&res, &r->w.a), "/submods/0/reference_values");
    assert_int_equal(kept.len, 4);
    assert_int_equal(vs_text(at(kept, "/2/sha256")).n, 64);
    assert_false(vs_defined(at(kept, "/2/value")));
    assert_true(vs_eq(at(kept, "/2/id"), at(kept, "/3/id")));
    assert_int_equal(at(kept, "/3/value").kind, VS_ARRAY);
    put_record(&r->w, realm_record(r), NULL);
    expect_replay(r, &res);
}

static void a_realm_in_trustees_list_needs_no_endorsement(void **state)
{
    realm_world *r = *state;
    put_record(&r->w, realm_record(r), NULL);
    const char *rim = rim_base64(r);
    expect_status(r, "warning",
                  "is not an approved value of " RIM_LIST " (no such reference value)");
    put_record(&r->w, RIM_LIST, "[\"x\",\"y\"]");
    expect_status(r, "warning",
                  vs_sprintf(&r->w.a,
                             "executables 33 (unrecognized_rt): RIM \"%s\" is not an "
                             "approved value of " RIM_LIST " (2 approved)",
                             rim));
    put_record(&r->w, RIM_LIST, vs_sprintf(&r->w.a, "[\"x\",\"%s\"]", rim));
    expect_status(r, "affirming", NULL);
}

/* Whoever endorses by CoRIMs alone learns which record is missing; nobody who affirms the RIM
 * otherwise is told of it; and it is for the operator only. */
static void a_realm_that_nobody_endorses_names_the_record_that_is_missing(void **state)
{
    realm_world *r = *state;
    as_result res;
    char why[VS_ERROR_TEXT];
    const char *missing =
        vs_sprintf(&r->w.a,
                   "| cpu0: realm: there is no endorsement %s: to endorse this RIM, submit a CoRIM "
                   "of the realm "
                   "(vouchsafe rim -o corim, vouchsafe corim sign, vouchsafe corim submit)",
                   realm_record(r));
    const char *const nothing[] = {NULL, "null", "[]"};
    for (size_t i = 0; i < VS_COUNT(nothing); i++) {
        put_record(&r->w, realm_record(r), nothing[i]);
        expect_status(r, "warning", missing);
    }
    assert_vs_code(attest(r, &res, why), VS_OK);
    expect_replay(r, &res);
    vs_buf token = VS_BUF(1 << 20);
    vs_json_print(&token, token_claims(&r->w, res.token));
    vs_buf_putc(&token, 0);
    assert_true(vs_buf_ok(&token));
    assert_null(strstr((char *)token.p, "there is no endorsement"));
    assert_null(strstr((char *)token.p, realm_record(r)));
    vs_buf_free(&token);

    /* The list endorses it, and something else is wrong. */
    put_record(&r->w, RIM_LIST, vs_sprintf(&r->w.a, "[\"%s\"]", rim_base64(r)));
    const char *policy = "package policy\ntrust_claims := {\"executables\": 3, \"hardware\": 97}\n";
    vs_error err = {0};
    assert_vs_ok(as_set_policy(r->w.as, VS_LIT("default_cpu"), vs_str(policy), &err), &err);
    vs_buf reasons = VS_BUF(1 << 16);
    assert_vs_code(attest(r, &res, why), VS_OK);
    as_reasons(res.explanation, &reasons);
    vs_buf_putc(&reasons, 0);
    assert_non_null(strstr((char *)reasons.p, "hardware 97"));
    assert_null(strstr((char *)reasons.p, "there is no endorsement"));
    vs_buf_free(&reasons);
}

static void other_rems_than_the_stores_are_told_beside_the_missing_record(void **state)
{
    realm_world *r = *state;
    uint8_t other[64] = {7};
    cca_trust_free(&r->w.trust.cca);
    soft_trust(&r->soft, &r->w.trust.cca); /* the stores have this platform and this RIM */
    put_record(&r->w, realm_record(r), NULL);
    r->soft.spec.rem[2] = vs_span_of(other, r->soft.spec.rim.n);
    expect_status(
        r, "warning",
        vs_sprintf(&r->w.a,
                   "| cpu0: realm: rv-store has this RIM with other REMs only, and there is no "
                   "endorsement %s: ",
                   realm_record(r)));
}

static void a_contradicted_realm_is_contraindicated_whatever_the_list_says(void **state)
{
    realm_world *r = *state;
    uint8_t other[CCA_CHALLENGE];
    memset(other, 0x5a, sizeof other);
    put_record(&r->w, RIM_LIST, vs_sprintf(&r->w.a, "[\"%s\"]", rim_base64(r)));
    const realm_spec good = r->soft.spec;
    for (unsigned i = 0; i <= CCA_REMS; i++) {
        r->soft.spec = good;
        *(i < CCA_REMS ? &r->soft.spec.rem[i] : &r->soft.spec.rpv) =
            vs_span_of(other, sizeof other);
        expect_status(r, "contraindicated",
                      i < CCA_REMS ? vs_sprintf(&r->w.a, "realm: REM %u 5a5a", i)
                                   : "realm: RPV 5a5a");
    }
    r->soft.spec = good;
    expect_status(r, "affirming", NULL);
}

static void endorsements_can_be_switched_off(void **state)
{
    realm_world *r = *state;
    configure(r, ",\"rvps-endorsements\":false");
    expect_refused(r, VS_E_UNTRUSTED, "no trust anchor has this instance id");
}

static vs_code no_answer(rvps *rv, vs_span id, int64_t now, vs_arena *a, vs_val *out, vs_error *err)
{
    (void)rv, (void)id, (void)now, (void)a, (void)out;
    return vs_fail(err, VS_E_TIMEOUT, "the provider is gone");
}

static void a_provider_that_is_gone_refuses(void **state)
{
    realm_world *r = *state;
    static const rvps_ops ops = {.query = no_answer};
    rvps gone = {&ops};
    as_service *good = r->w.as;
    vs_error err = {0};
    const as_config cfg = {0};
    assert_vs_ok(as_new(&cfg, r->w.store, &gone, &r->w.trust, &r->w.as, &err), &err);
    expect_refused(r, VS_E_TIMEOUT, "looking up endorsement cca.cpak.");
    as_free(&r->w.as);
    r->w.as = good;
}

/* ---- wrong platforms ----------------------------------------------------------------------------
 */

enum { MUTATIONS = 13 * 4 + 2 + 1 + CCA_LIFECYCLES - 1 };

/* Makes the realm's platform wrong in the i-th way; returns what the reason must say. */
static const char *mutate(realm_world *r, unsigned i)
{
    vs_arena *a = &r->w.a;
    static const uint8_t other[32] = {9};
    if (i < 13 * 4) {
        cca_component *c = &r->list[i / 4];
        switch (i % 4) {
        case 0: c->value = vs_span_of(other, 32); break;
        case 1: c->signer_id = vs_span_of(other, 32); break;
        case 2: c->type = VS_LIT("NONE"); break;
        default: c->version = VS_LIT("0.0.0"); break;
        }
        return vs_sprintf(a, "component %u \"%.*s\"", i / 4, VS_FMT(c->type));
    }
    i -= 13 * 4;
    if (i < 2) {
        r->soft.spec.config = i ? VS_LIT("\xcf\xcf\xcf") : VS_LIT("\xcf\xcf\xcf\xce");
        return "configuration cfcfcf";
    }
    if (i == 2) {
        r->list[13] = r->list[0];
        r->list[13].value = vs_span_of(other, 32);
        r->soft.spec.n_components = 14;
        return "component";
    }
    unsigned l = i - 3 + (i - 3 >= CCA_SECURED);
    r->soft.spec.lifecycle = (uint16_t)(l << 12);
    return vs_sprintf(a, "lifecycle 0x%04x (%s) is not accepted", l << 12,
                      cca_lifecycle_name((cca_lifecycle)l));
}

/* Every wrong platform; `judge` says what must become of it. */
static void with_each_mutation(realm_world *r,
                               void (*judge)(realm_world *r, unsigned i, const char *reason))
{
    const realm_spec good = r->soft.spec;
    cca_component list[16];
    memcpy(list, r->list, sizeof list);
    assert_int_equal(good.n_components, 13);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        judge(r, i, mutate(r, i));
        r->soft.spec = good;
        memcpy(r->list, list, sizeof list);
    }
}

static void must_fail(realm_world *r, unsigned i, const char *reason)
{
    (void)i;
    expect_refused(r, VS_E_UNTRUSTED, reason);
}

static void must_not_be_affirmed(realm_world *r, unsigned i, const char *reason)
{
    as_result res;
    char why[VS_ERROR_TEXT];
    vs_buf reasons = VS_BUF(1 << 16);
    if (attest(r, &res, why) != VS_OK)
        fail_msg("mutation %u: %s", i, why);
    as_reasons(res.explanation, &reasons);
    if (strcmp(res.status, "warning") != 0 && strcmp(res.status, "contraindicated") != 0)
        fail_msg("mutation %u is %s", i, res.status);
    if (!strstr((char *)reasons.p, reason))
        fail_msg("mutation %u: %s; want %s", i, (char *)reasons.p, reason);
    vs_buf_free(&reasons);
}

static void a_wrong_platform_fails_the_request_with_the_reason(void **state)
{
    with_each_mutation(*state, must_fail);
}

static void a_wrong_platform_left_to_policy_is_never_affirmed(void **state)
{
    realm_world *r = *state;
    configure(r, ",\"platform-mismatch\":\"policy\"");
    expect_status(r, "affirming", NULL);
    with_each_mutation(r, must_not_be_affirmed);
    put_record(&r->w, platform_record(r), NULL);
    expect_status(r, "warning", "platform: no reference entry for this implementation id");
}

/* The same against the JSON stores, where order and number count as well. */
static void a_platform_the_store_does_not_know_is_never_affirmed_by_policy(void **state)
{
    realm_world *r = *state;
    vs_error err = {0};
    vs_buf rv = VS_BUF(1 << 16);
    char path[80], members[160];
    (void)snprintf(path, sizeof path, "%s.rv", r->config);
    assert_vs_code(realm_rv_store(&r->soft.spec, &rv, NULL), VS_OK);
    assert_vs_ok(vs_write_file(path, vs_buf_span(&rv), 0600, &err), &err);
    (void)snprintf(members, sizeof members, ",\"platform-mismatch\":\"policy\",\"rv-store\":\"%s\"",
                   path);
    configure(r, members);
    put_record(&r->w, platform_record(r), NULL);
    put_record(&r->w, RIM_LIST, vs_sprintf(&r->w.a, "[\"%s\"]", rim_base64(r)));
    expect_status(r, "affirming", NULL);
    with_each_mutation(r, must_not_be_affirmed);
    r->soft.spec.n_components--;
    must_not_be_affirmed(r, MUTATIONS, "12 software components, rv-store entry 0 has 13");
    (void)unlink(path);
    vs_buf_free(&rv);
}

/* ---- revocation ---------------------------------------------------------------------------------
 */

static void a_revoked_endorsement_stops_at_once_in_spite_of_the_cache(void **state)
{
    realm_world *r = *state;
    vs_arena *a = &r->w.a;
    const char *key = record_text(a, cpak_entry(&r->soft, a), vs_undefined());
    for (unsigned i = 0; i < 3; i++) /* the platform token is in the cache now */
        expect_status(r, "affirming", NULL);
    put_record(&r->w, cpak(r), NULL);
    expect_refused(r, VS_E_UNTRUSTED, "no trust anchor has this instance id");
    put_record(&r->w, cpak(r), key);
    expect_status(r, "affirming", NULL);
    put_record(&r->w, platform_record(r), NULL);
    expect_refused(r, VS_E_UNTRUSTED, "no reference entry for this implementation id");
}

/* One platform token for all: what differs is what the provider says now. */
static void a_replaced_key_stops_the_old_platform_at_once(void **state)
{
    realm_world *r = *state;
    vs_arena *a = &r->w.a;
    vs_error err = {0};
    as_result res;
    soft_realm other;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_start(&other, VS_KEY_P256, VS_KEY_P256);
    soft_token(&r->soft, &token);
    vs_span bytes = vs_buf_span(&token);
    const char *mine = record_text(a, cpak_entry(&r->soft, a), vs_undefined());
    const char *his = record_text(a, cpak_entry(&other, a), vs_undefined());
    for (unsigned i = 0; i < 4; i++) {
        assert_vs_ok(evaluate_on(r, bytes, a, &res, &err), &err);
        put_record(&r->w, cpak(r), his);
        assert_vs_code(evaluate_on(r, bytes, a, &res, &err), VS_E_CRYPTO);
        put_record(&r->w, cpak(r), mine);
    }
    vs_buf_free(&token);
    soft_stop(&other);
}

typedef struct worker {
    realm_world *r;
    vs_span token;
    _Atomic unsigned *epoch; /* odd: from after the record is gone to before it is back */
    unsigned rounds, good, late, wrong;
} worker;

static void *work(void *user)
{
    worker *w = user;
    vs_arena a;
    vs_arena_init(&a, 0);
    for (unsigned i = 0; i < w->rounds; i++) {
        as_result res;
        vs_error err = {0};
        vs_arena_reset(&a);
        unsigned before = *w->epoch;
        vs_code code = evaluate_on(w->r, w->token, &a, &res, &err);
        if (code == VS_OK && before % 2 && before == *w->epoch)
            w->late++;
        w->good += code == VS_OK;
        w->wrong += code != VS_OK && code != VS_E_UNTRUSTED;
    }
    vs_arena_free(&a);
    return NULL;
}

/* No attestation that begins after a revocation and ends before its repeal succeeds. */
static void revocation_holds_for_all_threads(void **state)
{
    enum { THREADS = 4, FLIPS = 60 };
    realm_world *r = *state;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    _Atomic unsigned epoch = 0;
    worker w[THREADS];
    pthread_t id[THREADS];
    soft_token(&r->soft, &token);
    const char *name = cpak(r),
               *key = record_text(&r->w.a, cpak_entry(&r->soft, &r->w.a), vs_undefined());
    for (unsigned i = 0; i < THREADS; i++) {
        w[i] = (worker){.r = r, .token = vs_buf_span(&token), .epoch = &epoch, .rounds = 150};
        assert_int_equal(pthread_create(&id[i], NULL, work, &w[i]), 0);
    }
    for (unsigned i = 0; i < FLIPS; i++) {
        put_record(&r->w, name, NULL);
        epoch++;
        (void)usleep(2000);
        epoch++;
        put_record(&r->w, name, key);
        (void)usleep(2000);
    }
    unsigned good = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(id[i], NULL);
        assert_int_equal(w[i].late + w[i].wrong, 0);
        good += w[i].good;
    }
    assert_true(good > 0);
    vs_buf_free(&token);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        T(an_endorsed_key_counts_as_it_is_now_also_for_a_known_platform),
        T(a_realm_is_affirmed_by_endorsements_alone),
        T(records_the_driver_consulted_are_in_the_explanation_and_replay),
        T(a_policy_may_ask_for_what_the_verifier_asked_for),
        T(a_realm_in_trustees_list_needs_no_endorsement),
        T(a_realm_that_nobody_endorses_names_the_record_that_is_missing),
        T(other_rems_than_the_stores_are_told_beside_the_missing_record),
        T(a_contradicted_realm_is_contraindicated_whatever_the_list_says),
        T(endorsements_can_be_switched_off),
        T(a_provider_that_is_gone_refuses),
        T(a_wrong_platform_fails_the_request_with_the_reason),
        T(a_wrong_platform_left_to_policy_is_never_affirmed),
        T(a_platform_the_store_does_not_know_is_never_affirmed_by_policy),
        T(a_revoked_endorsement_stops_at_once_in_spite_of_the_cache),
        T(a_replaced_key_stops_the_old_platform_at_once),
        T(revocation_holds_for_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
