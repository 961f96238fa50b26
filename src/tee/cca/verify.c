/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/verify.h"

#include "tee/cca/endorsed.h"

void cca_set_all(ear_vector *v, int8_t value)
{
    for (unsigned i = 0; i < EAR_CLAIMS; i++)
        ear_set(v, (ear_claim)i, value);
}

/* ---- platform ------------------------------------------------------------------------------- */

static vs_val store_entry(vs_arena *a, const cca_anchor *anchor)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "ta-store", vs_int((int64_t)anchor->order));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* By instance id, and the implementation id must be that of the same entry: else a CPAK of one
 * product could vouch for another. */
static vs_code find_in_store(const cca_basis *b, const cca_platform *p, const cca_anchor **out,
                             cca_verdict *v, vs_error *err)
{
    *out = cca_find_anchor(&b->snapshot->stores, p->instance_id);
    if (!*out)
        return VS_OK;
    if (!vs_span_eq((*out)->implementation_id, p->implementation_id))
        return vs_fail(err, VS_E_UNTRUSTED,
                       "the trust anchor of this instance id has another implementation id");
    v->key_by = store_entry(b->a, *out);
    return VS_OK;
}

/* As the provider has it now. */
static vs_code find_endorsed(const cca_basis *b, const cca_token *t, cca_anchor **out,
                             cca_verdict *v, vs_error *err)
{
    cca_record record;
    const cca_platform *p = &t->platform;
    const uint8_t *verified = t->known ? t->known->anchor : NULL;
    VS_TRY(cca_find_record(b->endorsements, b->a, CCA_CPAK_RECORD, p->instance_id, &record, err));
    if (!vs_defined(record.entries))
        return vs_fail(err, VS_E_UNTRUSTED,
                       "no trust anchor has this instance id: it is neither in the trust anchor "
                       "store nor endorsed as %s",
                       record.name);
    uint32_t entry = 0;
    *out = VS_NEW(b->a, cca_anchor);
    VS_TRY(vs_arena_check(b->a, err));
    VS_TRY(cca_read_anchor(b->a, &record, p, verified, *out, &entry, err));
    v->key_by = cca_provenance(b->a, &record, entry);
    return VS_OK;
}

static vs_code check_platform_signature(const cca_token *t, const cca_anchor *a, vs_error *err)
{
    if (!a->cpak)
        return vs_fail(err, VS_E_CRYPTO, "the trust anchor's key is unusable: %s",
                       a->flaw ? a->flaw : "it was not imported");
    return vs_cose_verify(&t->platform_cose, a->cpak, (vs_span){0}, err);
}

/* As check_platform_signature, remembering what passed: *known is the caller's to free. */
static vs_code check_platform_cached(const cca_snapshot *s, const cca_token *t, const cca_anchor *a,
                                     cca_known **known, cca_verdict *v, vs_error *err)
{
    if (!s->cache || a->flaw)
        return check_platform_signature(t, a, err);
    *known = t->known ? cca_known_share(t->known) : cca_cache_find(s->cache, t->platform_bytes);
    v->platform_cached = *known && memcmp((*known)->anchor, a->identity, sizeof a->identity) == 0;
    if (v->platform_cached)
        return VS_OK;
    cca_known_free(known); /* under another key */
    VS_TRY(check_platform_signature(t, a, err));
    *known = cca_known_new(t, a);
    if (*known) /* else it is verified again next time */
        cca_cache_add(s->cache, *known);
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

/* What the vector says when no anchor was found: 97 for an unknown platform, -1 when the verifier
 * itself does not know. */
static vs_code no_anchor(cca_verdict *v, vs_code code, vs_error *err)
{
    ear_set(&v->platform, EAR_INSTANCE_IDENTITY, code == VS_E_UNTRUSTED ? 97 : -1);
    (void)vs_wrap(err, "platform token");
    return code;
}

static vs_code check_anchor(const cca_basis *b, const cca_token *t, const cca_anchor *a,
                            cca_known **known, cca_verdict *v, vs_error *err)
{
    vs_code code = check_platform_cached(b->snapshot, t, a, known, v, err);
    if (code != VS_OK) {
        cca_set_all(&v->platform, 99);
        return signature_failure(code, err, "platform token");
    }
    v->anchor = a;
    ear_set(&v->platform, EAR_INSTANCE_IDENTITY, 2);
    return VS_OK;
}

static vs_code verify_platform(const cca_basis *b, const cca_token *t, cca_known **known,
                               cca_verdict *v, vs_error *err)
{
    const cca_anchor *stored = NULL;
    cca_anchor *endorsed = NULL;
    vs_code code = find_in_store(b, &t->platform, &stored, v, err);
    if (code == VS_OK && !stored)
        code = find_endorsed(b, t, &endorsed, v, err);
    if (code == VS_OK)
        code = check_anchor(b, t, stored ? stored : endorsed, known, v, err);
    else
        code = no_anchor(v, code, err);
    if (endorsed)
        vs_key_free(&endorsed->cpak);
    return code;
}

/* ---- realm ---------------------------------------------------------------------------------- */

/* Whether the platform token's challenge is the hash of the realm's key: over the claim's content
 * as received, with the algorithm of claim 44240 (trap 3). */
static vs_code is_bound(const cca_token *t, bool *bound, vs_error *err)
{
    uint8_t hash[VS_HASH_MAX];
    VS_TRY(vs_digest(t->realm.rak_hash, t->realm.rak, (vs_span){0}, (vs_span){0}, hash, err));
    *bound = vs_ct_eq(vs_span_of(hash, vs_hash_size(t->realm.rak_hash)), t->platform.challenge);
    return VS_OK;
}

static vs_code check_realm_signature(const cca_token *t, const vs_key *rak, vs_error *err)
{
    vs_code code = vs_cose_verify(&t->realm_cose, rak, (vs_span){0}, err);
    return code == VS_OK ? VS_OK : signature_failure(code, err, "realm token");
}

static vs_code verify_realm(const cca_token *t, cca_known *known, cca_verdict *v, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *imported = NULL;
    bool bound = false;
    VS_TRY(is_bound(t, &bound, err));
    const vs_key *rak = bound && known ? cca_known_rak(known, &t->realm) : NULL;
    vs_code code = rak ? VS_OK : cca_realm_key(&t->realm, &imported, err);
    if (code != VS_OK) {
        cca_set_all(&v->realm, 1);
        return code;
    }
    code = check_realm_signature(t, rak ? rak : imported, err);
    if (code == VS_OK && !bound)
        code = vs_fail(err, VS_E_MISMATCH,
                       "the platform token's challenge is not the hash of the realm's key");
    if (code != VS_OK) {
        cca_set_all(&v->realm, 99);
        return code;
    }
    if (known && imported)
        cca_known_bind(known, &t->realm, imported);
    v->realm_bound = true;
    ear_set(&v->realm, EAR_INSTANCE_IDENTITY, 2);
    return VS_OK;
}

vs_code cca_verify_chain(const cca_basis *b, const cca_token *t, cca_verdict *out, vs_error *err)
{
    VS_CLEANUP(cca_known_free) cca_known *known = NULL;
    *out = (cca_verdict){0};
    cca_set_all(&out->platform, 0);
    cca_set_all(&out->realm, 0);
    VS_TRY(verify_platform(b, t, &known, out, err));
    return verify_realm(t, known, out, err);
}
