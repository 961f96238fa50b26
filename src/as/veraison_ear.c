/* SPDX-License-Identifier: Apache-2.0 */
/* A CCA token and a nonce to an EAR as Veraison's scheme ARM_CCA makes it (cca.md 3.1, 5.4). */
#include "as/veraison_ear.h"

#include "base/enc.h"
#include "tee/cca/claims_json.h"
#include "tee/cca/verify.h"
#include "value/json.h"

#define PROFILE   "tag:github.com,2023:veraison/ear"
#define POLICY_ID "policy:ARM_CCA"

enum { REASON_MAX = 512 };

/* ---- submods --------------------------------------------------------------------------------- */

typedef struct submod {
    const char *name;
    ear_vector vector;
    vs_val evidence;     /* undefined: none */
    const char *problem; /* NULL: none */
} submod;

typedef struct result {
    submod items[2]; /* by name */
    size_t n;
    bool proven;
    const char *reason;
} result;

/* What 3.1 says of the life cycle beside instance-identity, for a platform that is identified. */
static void tell_lifecycle(const cca_platform *p, ear_vector *v)
{
    bool safe = p->lifecycle == CCA_SECURED || p->lifecycle == CCA_NON_CCA_DEBUG;
    static const ear_claim claims[] = {EAR_INSTANCE_IDENTITY, EAR_RUNTIME_OPAQUE,
                                       EAR_STORAGE_OPAQUE};
    for (size_t i = 0; i < VS_COUNT(claims); i++)
        if (!safe || v->value[EAR_INSTANCE_IDENTITY] == 2)
            ear_set(v, claims[i], safe ? 2 : 96);
}

static void identified(const cca_token *t, const cca_verdict *v, vs_arena *a, result *out)
{
    out->proven = true;
    out->n = 2;
    out->items[0] = (submod){.name = "CCA_REALM", .vector = v->realm};
    out->items[0].evidence = cca_realm_value(a, &t->realm);
    out->items[1] = (submod){.name = "CCA_SSD_PLATFORM", .vector = v->platform};
    out->items[1].evidence = cca_platform_value(a, &t->platform);
    tell_lifecycle(&t->platform, &out->items[1].vector);
}

static void not_identified(const char *problem, result *out)
{
    out->n = 1;
    out->items[0] = (submod){.name = "ARM_CCA", .problem = problem};
    for (unsigned i = 0; i < EAR_CLAIMS; i++)
        ear_set(&out->items[0].vector, (ear_claim)i, 99);
    out->reason = problem;
}

/* ---- verification ---------------------------------------------------------------------------- */

/* Before the signatures, which cost more. */
static vs_code check_nonce(const cca_token *t, vs_span nonce, vs_error *err)
{
    uint8_t want[CCA_CHALLENGE];
    vs_tee_fit(nonce, want, sizeof want);
    if (!vs_ct_eq(t->realm.challenge, vs_span_of(want, sizeof want)))
        return vs_fail(err, VS_E_MISMATCH, "the realm's challenge is not the session's nonce");
    return VS_OK;
}

/* Whether an error is a finding about the evidence, and not a failure of ours. */
static bool is_finding(vs_code code)
{
    return code == VS_E_PARSE || code == VS_E_INVALID || code == VS_E_UNSUPPORTED ||
           code == VS_E_LIMIT || code == VS_E_CRYPTO || code == VS_E_MISMATCH ||
           code == VS_E_UNTRUSTED;
}

static const char *words(vs_arena *a, const char *before, const vs_error *err)
{
    char cause[VS_ERROR_TEXT];
    return vs_sprintf(a, "%s%.*s", before, REASON_MAX, vs_error_text(err, cause, sizeof cause));
}

static vs_code take_trust(const as_local *as, cca_snapshot **out, vs_error *err)
{
    if (!as->trust->cca)
        return vs_fail(err, VS_E_INTERNAL, "no CCA verifier is configured");
    VS_TRY_WRAP(cca_trust_take(as->trust->cca, out, err), err, "CCA trust anchors");
    return VS_OK;
}

/* An endorsement that is malformed, or cannot be had: the verifier's failure, not the evidence's.
 */
static bool verifier_failed(const cca_verdict *v)
{
    return v->platform.value[EAR_INSTANCE_IDENTITY] == -1 ||
           v->realm.value[EAR_INSTANCE_IDENTITY] == -1;
}

/* Of a realm that is not known. */
static const char *why_not_known(const cca_verdict *v, vs_arena *a)
{
    if (v->realm_unendorsed)
        return vs_sprintf(a, "realm: %s", v->realm_unendorsed);
    if (v->realm_mismatches.len)
        return vs_sprintf(a, "realm: %.*s", VS_FMT(vs_text(v->realm_mismatches.u.items[0])));
    return "realm: nothing is said of it beside a platform that is not endorsed";
}

static vs_code verify(const as_local *as, const cca_token *t, vs_span nonce, int64_t now,
                      vs_arena *a, result *out, vs_error *err)
{
    VS_CLEANUP(cca_snapshot_release) cca_snapshot *s = NULL;
    as_values values = {
        .rv = as->rv, .now = now, .verifier = true, .asked = {.a = a}, .all_kept = true};
    const vs_tee_endorsements endorsements = {as_find_endorsement, &values};
    cca_verdict verdict = {0};
    VS_TRY(take_trust(as, &s, err));
    const cca_basis basis = {s, s->use_endorsements ? &endorsements : NULL, a};
    vs_error why = {0};
    vs_code code = check_nonce(t, nonce, &why);
    if (code == VS_OK)
        code = cca_verify_chain(&basis, t, &verdict, &why);
    if (code != VS_OK && (!is_finding(code) || verifier_failed(&verdict))) {
        *err = why;
        return code;
    }
    if (code != VS_OK) {
        not_identified(code == VS_E_UNTRUSTED
                           ? "no trust anchor for evidence"
                           : words(a, "integrity validation failed: bad evidence: ", &why),
                       out);
        return VS_OK;
    }
    code = cca_appraise(&basis, t, &verdict, &why);
    if (code != VS_OK && code != VS_E_UNTRUSTED) {
        *err = why;
        return code;
    }
    if (code != VS_OK)
        out->reason = words(a, "", &why);
    else if (!verdict.realm_known)
        out->reason = why_not_known(&verdict, a);
    identified(t, &verdict, a, out);
    return VS_OK;
}

/* ---- the token ------------------------------------------------------------------------------- */

static void write_submod(vs_jw *w, const submod *s)
{
    vs_jw_key(w, s->name);
    vs_jw_open(w, '{');
    vs_jw_key(w, "ear.status");
    vs_jw_str(w, ear_tier_name(ear_vector_status(&s->vector)));
    vs_jw_key(w, "ear.trustworthiness-vector");
    as_write_vector(w, &s->vector);
    vs_jw_key(w, "ear.appraisal-policy-id");
    vs_jw_str(w, POLICY_ID);
    if (vs_defined(s->evidence)) {
        vs_jw_key(w, "ear.veraison.annotated-evidence");
        vs_jw_val(w, s->evidence);
    }
    if (s->problem) {
        vs_jw_key(w, "ear.veraison.policy-claims");
        vs_jw_open(w, '{');
        vs_jw_key(w, "problem");
        vs_jw_str(w, s->problem);
        vs_jw_close(w, '}');
    }
    vs_jw_close(w, '}');
}

static void write_claims(vs_buf *out, const as_config *cfg, const result *r, vs_span nonce,
                         int64_t now)
{
    VS_CLEANUP(vs_buf_free) vs_buf encoded = VS_BUF(2 * CCA_CHALLENGE);
    vs_b64_encode(&encoded, VS_B64_URL_PADDED, nonce);
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "eat_profile");
    vs_jw_str(&w, PROFILE);
    vs_jw_key(&w, "iat");
    vs_jw_int(&w, now);
    as_write_verifier_id(&w, cfg);
    vs_jw_key(&w, "eat_nonce");
    vs_jw_span(&w, vs_buf_span(&encoded));
    vs_jw_key(&w, "submods");
    vs_jw_open(&w, '{');
    for (size_t i = 0; i < r->n; i++)
        write_submod(&w, &r->items[i]);
    vs_jw_close(&w, '}');
    vs_jw_close(&w, '}');
}

static ear_tier worst_of(const result *r)
{
    ear_tier worst = EAR_NONE;
    for (size_t i = 0; i < r->n; i++) {
        ear_tier tier = ear_vector_status(&r->items[i].vector);
        worst = tier > worst ? tier : worst;
    }
    return worst;
}

static vs_code sign(const as_local *as, const result *r, vs_span nonce, int64_t now, vs_arena *a,
                    vs_span *token, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf claims = VS_BUF(AS_TOKEN_MAX), jws = VS_BUF(2 * AS_TOKEN_MAX);
    write_claims(&claims, &as->cfg, r, nonce, now);
    VS_TRY(vs_buf_check(&claims, err));
    VS_TRY_WRAP(vs_jws_sign(&jws, as->signer.key, VS_ES256,
                            VS_LIT("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"), vs_buf_span(&claims),
                            err),
                err, "signing the result");
    *token = vs_dup(a, vs_buf_span(&jws));
    return vs_arena_check(a, err);
}

vs_code as_veraison_appraise(const as_local *as, vs_span evidence, vs_span nonce, int64_t now,
                             vs_arena *a, as_veraison_finding *out, vs_error *err)
{
    cca_token t;
    result r = {0};
    vs_error why = {0};
    vs_code code = cca_token_decode(a, evidence, &t, &why);
    if (code == VS_E_NOMEM) {
        *err = why;
        return code;
    }
    if (code == VS_OK) {
        VS_TRY(verify(as, &t, nonce, now, a, &r, err));
    } else {
        not_identified("could not establish identity from evidence", &r);
        r.reason = words(a, "could not establish identity from evidence: ", &why);
    }
    *out = (as_veraison_finding){.proven = r.proven,
                                 .status = ear_tier_name(worst_of(&r)),
                                 .reason = r.reason,
                                 .evidence = evidence};
    if (r.proven)
        VS_TRY(
            vs_digest(VS_SHA256, t.realm_cose.payload, VS_LIT(""), VS_LIT(""), out->identity, err));
    return sign(as, &r, nonce, now, a, &out->token, err);
}
