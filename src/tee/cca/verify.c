/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/verify.h"

static void set_all(ear_vector *v, int8_t value)
{
    for (unsigned i = 0; i < EAR_CLAIMS; i++)
        ear_set(v, (ear_claim)i, value);
}

/* ---- platform ------------------------------------------------------------------------------- */

/* By instance id, and the implementation id must be that of the same entry: else a CPAK of one
 * product could vouch for another. */
static const cca_anchor *find_anchor(const cca_stores *s, const cca_platform *p, vs_error *err)
{
    const cca_anchor *a = cca_find_anchor(s, p->instance_id);
    if (a && vs_span_eq(a->implementation_id, p->implementation_id))
        return a;
    (void)vs_fail(err, VS_E_UNTRUSTED,
                  a ? "platform token: the trust anchor of this instance id has another "
                      "implementation id"
                    : "platform token: no trust anchor has this instance id");
    return NULL;
}

static vs_code check_platform_signature(const cca_token *t, const cca_anchor *a, vs_error *err)
{
    if (!a->cpak)
        return vs_fail(err, VS_E_CRYPTO, "the trust anchor's key is unusable: %s", a->flaw);
    return vs_cose_verify(&t->platform_cose, a->cpak, (vs_span){0}, err);
}

/* As check_platform_signature, remembering what passed. */
static vs_code check_platform_cached(const cca_snapshot *s, const cca_token *t, const cca_anchor *a,
                                     cca_verdict *v, vs_error *err)
{
    uint8_t key[VS_HASH_MAX];
    if (!s->cache)
        return check_platform_signature(t, a, err);
    VS_TRY(vs_digest(VS_SHA256, t->platform_bytes, (vs_span){0}, (vs_span){0}, key, err));
    if (cca_cache_find(s->cache, key) == a) {
        v->platform_cached = true;
        return VS_OK;
    }
    VS_TRY(check_platform_signature(t, a, err));
    cca_cache_add(s->cache, key, a);
    return VS_OK;
}

/* A signature that cannot be right because the key does not fit is a failed signature too. */
static vs_code signature_failure(vs_code code, vs_error *err, const char *what)
{
    (void)vs_wrap(err, "%s: signature", what);
    if (code != VS_E_INVALID)
        return code;
    if (err)
        err->code = VS_E_CRYPTO;
    return VS_E_CRYPTO;
}

static vs_code verify_platform(const cca_snapshot *s, const cca_token *t, cca_verdict *v,
                               vs_error *err)
{
    const cca_anchor *a = find_anchor(&s->stores, &t->platform, err);
    if (!a) {
        ear_set(&v->platform, EAR_INSTANCE_IDENTITY, 97);
        return VS_E_UNTRUSTED;
    }
    vs_code code = check_platform_cached(s, t, a, v, err);
    if (code != VS_OK) {
        set_all(&v->platform, 99);
        return signature_failure(code, err, "platform token");
    }
    v->anchor = a;
    ear_set(&v->platform, EAR_INSTANCE_IDENTITY, 2);
    return VS_OK;
}

/* ---- realm ---------------------------------------------------------------------------------- */

/* The hash is over the claim's content as received, with the algorithm of claim 44240 (trap 3). */
static vs_code check_binding(const cca_token *t, vs_error *err)
{
    uint8_t hash[VS_HASH_MAX];
    VS_TRY(vs_digest(t->realm.rak_hash, t->realm.rak, (vs_span){0}, (vs_span){0}, hash, err));
    if (!vs_ct_eq(vs_span_of(hash, vs_hash_size(t->realm.rak_hash)), t->platform.challenge))
        return vs_fail(err, VS_E_MISMATCH,
                       "the platform token's challenge is not the hash of the realm's key");
    return VS_OK;
}

static vs_code check_realm_signature(const cca_token *t, const vs_key *rak, vs_error *err)
{
    vs_code code = vs_cose_verify(&t->realm_cose, rak, (vs_span){0}, err);
    return code == VS_OK ? VS_OK : signature_failure(code, err, "realm token");
}

static vs_code verify_realm(const cca_token *t, cca_verdict *v, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *rak = NULL;
    vs_code code = cca_realm_key(&t->realm, &rak, err);
    if (code != VS_OK) {
        set_all(&v->realm, 1);
        return code;
    }
    code = check_realm_signature(t, rak, err);
    if (code == VS_OK)
        code = check_binding(t, err);
    if (code != VS_OK) {
        set_all(&v->realm, 99);
        return code;
    }
    v->realm_bound = true;
    ear_set(&v->realm, EAR_INSTANCE_IDENTITY, 2);
    return VS_OK;
}

vs_code cca_verify_chain(const cca_snapshot *s, const cca_token *t, cca_verdict *out, vs_error *err)
{
    *out = (cca_verdict){0};
    set_all(&out->platform, 0);
    set_all(&out->realm, 0);
    VS_TRY(verify_platform(s, t, out, err));
    return verify_realm(t, out, err);
}

/* ---- appraisal (2.1 step 9, 3.2)
 * ------------------------------------------------------------------------ */

static bool component_matches(const cca_component *ref, const cca_component *got)
{
    return vs_span_eq(ref->value, got->value) && vs_span_eq(ref->signer_id, got->signer_id) &&
           (!ref->type.p || (got->type.p && vs_span_eq(ref->type, got->type))) &&
           (!ref->version.p || (got->version.p && vs_span_eq(ref->version, got->version)));
}

/* An ordered list of equal length: a missing or an additional component is a mismatch. */
static bool platform_matches(const cca_platform_ref *ref, const cca_platform *p)
{
    if (!vs_span_eq(ref->config, p->config) || ref->n_components != p->n_components)
        return false;
    for (size_t i = 0; i < p->n_components; i++)
        if (!component_matches(&ref->components[i], &p->components[i]))
            return false;
    return true;
}

static vs_code check_lifecycle(const cca_snapshot *s, const cca_platform *p, cca_verdict *v,
                               vs_error *err)
{
    if (s->lifecycles >> p->lifecycle & 1)
        return VS_OK;
    ear_set(&v->platform, EAR_INSTANCE_IDENTITY, 96);
    set_all(&v->realm, 0);
    return vs_fail(
        err, VS_E_UNTRUSTED,
        "platform token: lifecycle 0x%04x (%s) is not accepted: its secrets are not safe",
        p->lifecycle_value, cca_lifecycle_name(p->lifecycle));
}

static vs_code appraise_platform(const cca_stores *s, const cca_platform *p, cca_verdict *v,
                                 vs_error *err)
{
    size_t of_product = 0;
    for (size_t i = 0; i < s->n_platforms && !v->platform_matched; i++) {
        if (!vs_span_eq(s->platforms[i].implementation_id, p->implementation_id))
            continue;
        of_product++;
        v->platform_matched = platform_matches(&s->platforms[i], p);
    }
    if (!v->platform_matched) {
        ear_set(&v->platform, EAR_HARDWARE, 97);
        set_all(&v->realm, 0);
        return of_product
                   ? vs_fail(err, VS_E_UNTRUSTED,
                             "platform token: configuration or software components match "
                             "none of the %zu reference entries",
                             of_product)
                   : vs_fail(err, VS_E_UNTRUSTED,
                             "platform token: no reference entry for this implementation id");
    }
    ear_set(&v->platform, EAR_HARDWARE, 2);
    ear_set(&v->platform, EAR_EXECUTABLES, 2);
    ear_set(&v->platform, EAR_CONFIGURATION, 2);
    ear_set(&v->platform, EAR_RUNTIME_OPAQUE, 32);
    return VS_OK;
}

static bool rems_match(const cca_realm_ref *ref, const cca_realm *r)
{
    for (unsigned i = 0; i < CCA_REMS; i++)
        if (!vs_span_eq(ref->rem[i], r->rem[i]))
            return false;
    return true;
}

static void appraise_realm(const cca_stores *s, const cca_realm *r, cca_verdict *v)
{
    int8_t executables = -97; /* no entry with this RIM */
    for (size_t i = 0; i < s->n_realms && !v->realm_known; i++) {
        if (!vs_span_eq(s->realms[i].rim, r->rim))
            continue;
        v->realm_known = rems_match(&s->realms[i], r);
        executables = v->realm_known ? 2 : 96;
    }
    ear_set(&v->realm, EAR_EXECUTABLES, executables);
}

vs_code cca_appraise(const cca_snapshot *s, const cca_token *t, cca_verdict *v, vs_error *err)
{
    if (!v->anchor || !v->realm_bound)
        return vs_fail(err, VS_E_INTERNAL, "appraisal of a CCA token that was not verified");
    VS_TRY(check_lifecycle(s, &t->platform, v, err));
    VS_TRY(appraise_platform(&s->stores, &t->platform, v, err));
    appraise_realm(&s->stores, &t->realm, v);
    return VS_OK;
}
