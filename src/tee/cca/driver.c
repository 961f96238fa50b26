/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/driver.h"

#include "tee/cca/trust.h"
#include "tee/cca/verify.h"
#include "tee/evidence.h"

vs_code cca_evidence_bytes(vs_arena *a, vs_val evidence, vs_span *out, vs_error *err)
{
    *out = (vs_span){0};
    vs_val token;
    VS_TRY_WRAP(vs_need(evidence, "token", VS_ARRAY, &token, err), err, "CCA evidence");
    VS_TRY_WRAP(evidence_byte_array(a, token, "token", CCA_TOKEN_MAX, out, err), err,
                "CCA evidence");
    return VS_OK;
}

/* ---- expectations --------------------------------------------------------------------------- */

static vs_code check_report_data(const cca_realm *r, vs_span expected, vs_error *err)
{
    if (!expected.p)
        return vs_fail(err, VS_E_INVALID, "CCA evidence needs expected report data");
    uint8_t want[CCA_CHALLENGE];
    vs_tee_fit(expected, want, sizeof want);
    if (!vs_ct_eq(r->challenge, vs_span_of(want, sizeof want)))
        return vs_fail(err, VS_E_MISMATCH, "realm challenge is not the expected report data");
    return VS_OK;
}

static vs_code check_init_data(const cca_realm *r, vs_span expected, vs_error *err)
{
    if (!expected.p)
        return VS_OK;
    if (expected.n != 32 && expected.n != 48 && expected.n != CCA_CHALLENGE)
        return vs_fail(err, VS_E_MISMATCH,
                       "init data digest has %zu bytes; CCA can match 32, 48 or 64", expected.n);
    uint8_t want[CCA_CHALLENGE];
    vs_tee_fit(expected, want, sizeof want);
    if (!vs_ct_eq(r->rpv, vs_span_of(want, sizeof want)))
        return vs_fail(err, VS_E_MISMATCH,
                       "realm personalization value is not the expected init data");
    return VS_OK;
}

/* ---- claims (4.2) --------------------------------------------------------------------------- */

static vs_val base64(vs_arena *a, vs_span bytes)
{
    return vs_string(vs_b64_encode_arena(a, VS_B64_STD, bytes));
}

static vs_val realm_claims(vs_arena *a, const cca_realm *r)
{
    vs_vec rems = {.a = a};
    for (unsigned i = 0; i < CCA_REMS; i++)
        vs_vec_add(&rems, base64(a, r->rem[i]));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "cca-realm-challenge", base64(a, r->challenge));
    vs_obj_put(&o, "cca-realm-extensible-measurements", vs_vec_end_array(&rems));
    vs_obj_put(&o, "cca-realm-hash-algo-id", vs_cstring(vs_hash_name(r->hash)));
    vs_obj_put(&o, "cca-realm-initial-measurement", base64(a, r->rim));
    vs_obj_put(&o, "cca-realm-personalization-value", base64(a, r->rpv));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val platform_claims(vs_arena *a, const cca_platform *p)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "cca-platform-implementation-id", base64(a, p->implementation_id));
    vs_obj_put(&o, "cca-platform-instance-id", base64(a, p->instance_id));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* A note about a claim that policy may affirm all the same. */
static vs_val unless_affirmed(vs_arena *a, ear_claim claim, const char *text)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, ear_claim_name(claim), vs_cstring(vs_sprintf(a, "realm: %s", text)));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* For the operator, also when policy may accept it. */
static vs_val notes(vs_arena *a, const cca_verdict *v)
{
    vs_vec list = {.a = a};
    for (VS_ARR_FOR (m, v->platform_mismatches))
        vs_vec_add(&list, vs_cstring(vs_sprintf(a, "platform: %.*s", VS_FMT(vs_text(*m)))));
    for (VS_ARR_FOR (m, v->realm_mismatches))
        vs_vec_add(&list, vs_cstring(vs_sprintf(a, "realm: %.*s", VS_FMT(vs_text(*m)))));
    if (v->realm_unendorsed)
        vs_vec_add(&list, unless_affirmed(a, EAR_EXECUTABLES, v->realm_unendorsed));
    return list.n ? vs_vec_end_array(&list) : vs_undefined();
}

/* As cca_report, of what a remote verifier has told. */
static vs_val remote_report(vs_arena *a, const cca_ear_findings *f)
{
    vs_obj platform = {.a = a}, realm = {.a = a}, o = {.a = a};
    vs_obj_put(&platform, "vector", ear_vector_value(&f->platform, a));
    vs_obj_put(&realm, "vector", ear_vector_value(&f->realm, a));
    vs_obj_put(&o, "platform", vs_obj_end(&platform, VS_DUP_REFUSE, NULL));
    vs_obj_put(&o, "realm", vs_obj_end(&realm, VS_DUP_REFUSE, NULL));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* `report` is what the policy gets as "vouchsafe"; `v` NULL: a remote verifier has appraised. */
static vs_tee_result make_result(vs_arena *a, const cca_token *t, const cca_verdict *v,
                                 vs_val report)
{
    vs_obj claims = {.a = a};
    vs_obj_put(&claims, "platform", platform_claims(a, &t->platform));
    vs_obj_put(&claims, "realm", realm_claims(a, &t->realm));
    vs_obj_put(&claims, "vouchsafe", report);
    vs_tee_result r = {
        .tee_class = "cpu",
        .claims = vs_obj_end(&claims, VS_DUP_REFUSE, NULL),
        .report_data = vs_string(vs_hex_encode_arena(a, t->realm.challenge)),
        .init_data = vs_string(vs_hex_encode_arena(a, t->realm.rpv)),
    };
    if (v) {
        r.policy_only = "/vouchsafe/platform/sw-components";
        r.notes = notes(a, v);
    }
    return r;
}

/* ---- the driver ----------------------------------------------------------------------------- */

/* Nothing that is not ours to send is sent: expectations first. */
static vs_code verify_remotely(const cca_snapshot *s, const cca_token *t,
                               const vs_tee_expect *expect, vs_arena *a, cca_ear_findings *out,
                               vs_error *err)
{
    VS_TRY(check_report_data(&t->realm, expect->report_data, err));
    VS_TRY(check_init_data(&t->realm, expect->init_data, err));
    vs_val platform = platform_claims(a, &t->platform), realm = realm_claims(a, &t->realm);
    VS_TRY(vs_arena_check(a, err));
    return cca_remote_verify(s->remote, t, platform, realm, expect->now, a, out, err);
}

static void drop_known(void *p)
{
    cca_known *k = p;
    cca_known_free(&k);
}

/* What is known of the platform token stays as long as the arena: claims point into it. */
static vs_code read_token(const cca_snapshot *s, vs_span bytes, vs_arena *a, cca_token *out,
                          vs_error *err)
{
    VS_TRY(cca_token_open(bytes, out, err));
    if (s->cache)
        out->known = cca_cache_find(s->cache, out->platform_bytes);
    if (out->known)
        vs_arena_keep(a, drop_known, out->known);
    VS_TRY(vs_arena_check(a, err));
    return cca_token_claims(a, out, err);
}

static vs_code verify_against(const cca_snapshot *s, vs_span bytes, const vs_tee_expect *expect,
                              vs_arena *a, vs_tee_result *out, vs_error *err)
{
    cca_token t;
    VS_TRY(read_token(s, bytes, a, &t, err));
    if (s->remote) {
        cca_ear_findings found;
        VS_TRY(verify_remotely(s, &t, expect, a, &found, err));
        *out = make_result(a, &t, NULL, remote_report(a, &found));
        return VS_OK;
    }
    const cca_basis basis = {s, s->use_endorsements ? expect->endorsements : NULL, a};
    cca_verdict verdict;
    VS_TRY(cca_verify_chain(&basis, &t, &verdict, err));
    VS_TRY(check_report_data(&t.realm, expect->report_data, err));
    VS_TRY(check_init_data(&t.realm, expect->init_data, err));
    VS_TRY(cca_appraise(&basis, &t, &verdict, err));
    *out = make_result(a, &t, &verdict, cca_report(a, &t, &verdict));
    return VS_OK;
}

static vs_code verify_cca(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                          vs_arena *a, vs_tee_result *results, size_t *n, vs_error *err)
{
    *n = 0;
    if (!trust->cca)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "CCA evidence is refused: no CCA verifier is configured");
    vs_span bytes;
    VS_TRY(cca_evidence_bytes(a, evidence, &bytes, err));
    VS_CLEANUP(cca_snapshot_release) cca_snapshot *s = NULL;
    VS_TRY_WRAP(cca_trust_take(trust->cca, &s, err), err, "CCA trust anchors");
    VS_TRY(verify_against(s, bytes, expect, a, &results[0], err));
    VS_TRY(vs_arena_check(a, err));
    *n = 1;
    return VS_OK;
}

const vs_tee_driver cca_driver = {"cca", verify_cca};
