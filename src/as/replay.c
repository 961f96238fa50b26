/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verifier that is made of a record: its store holds the record's policies, its reference value
 * provider the values that were handed out. The appraisal and the token's text are the service's
 * own code.
 */
#include "as/replay.h"

#include "as/internal.h"
#include "base/enc.h"
#include "rvps/backend.h"
#include "value/json.h"

/* ---- reference values of one submod -----------------------------------------------------------
 */

typedef struct recorded {
    rvps base;
    vs_val values; /* [{"id", "found", "value"}] */
    rvps *other;
} recorded;

static vs_code recorded_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                              vs_error *err)
{
    const recorded *rec = (const recorded *)r;
    for (VS_ARR_FOR (v, rec->values)) {
        if (!vs_span_eq(vs_text(vs_getc(*v, "id")), id) || vs_defined(vs_getc(*v, AS_ASKED_BY)))
            continue;
        *out = vs_is_true(vs_getc(*v, "found")) ? vs_getc(*v, "value") : vs_undefined();
        return VS_OK;
    }
    if (rec->other)
        return rvps_query(rec->other, id, now, a, out, err);
    return vs_fail(err, VS_E_NOT_FOUND,
                   "the record has no value of \"%.*s\": it was not asked for then",
                   VS_FMT(vs_span_head(id, 80)));
}

static vs_code recorded_take(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    (void)r, (void)message, (void)now;
    return vs_fail(err, VS_E_UNSUPPORTED, "a record takes no reference values");
}

static void recorded_close(rvps *r)
{
    (void)r;
}

static const rvps_ops recorded_ops = {recorded_take, recorded_query, recorded_close};

/* ---- reading a record ---------------------------------------------------------------------------
 */

static vs_code text_of(vs_val from, const char *name, vs_arena *a, const char **out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(from, name, VS_STRING, &v, err));
    if (memchr(vs_text(v).p, 0, vs_text(v).n))
        return vs_fail(err, VS_E_INVALID, "member \"%s\" holds a NUL", name);
    *out = vs_sprintf(a, "%.*s", VS_FMT(vs_text(v)));
    return vs_arena_check(a, err);
}

static vs_code int_of(vs_val from, const char *name, int64_t *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(from, name, VS_NUMBER, &v, err));
    if (!vs_is_int(v) || v.u.i < 0)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" is not a number of seconds", name);
    *out = v.u.i;
    return VS_OK;
}

static vs_code read_settings(vs_val record, vs_arena *a, as_config *cfg, vs_error *err)
{
    vs_val token;
    VS_TRY(vs_need(record, "token", VS_OBJECT, &token, err));
    VS_TRY(text_of(token, "issuer_name", a, &cfg->issuer_name, err));
    VS_TRY(text_of(token, "developer_name", a, &cfg->developer_name, err));
    VS_TRY(text_of(token, "build_name", a, &cfg->build_name, err));
    return text_of(token, "profile_name", a, &cfg->profile_name, err);
}

static vs_code read_seed(vs_val submod, vs_arena *a, uint64_t *seed, vs_error *err)
{
    vs_val v;
    vs_span bytes;
    VS_TRY(vs_need(submod, "seed", VS_STRING, &v, err));
    VS_TRY_WRAP(vs_hex_decode_arena(a, vs_text(v), &bytes, err), err, "member \"seed\"");
    if (bytes.n != sizeof *seed)
        return vs_fail(err, VS_E_INVALID, "member \"seed\" is not 16 hexadecimal digits");
    *seed = 0;
    for (size_t i = 0; i < bytes.n; i++)
        *seed = *seed << 8 | bytes.p[i];
    return VS_OK;
}

static vs_code read_submod(vs_val submod, vs_arena *a, as_appraisal *ap, vs_val *values,
                           vs_error *err)
{
    VS_TRY(text_of(submod, "submod", a, &ap->submod, err));
    VS_TRY(text_of(submod, "class", a, &ap->tee_class, err));
    VS_TRY(text_of(submod, "policy", a, &ap->policy, err));
    VS_TRY(text_of(submod, "policy_sha256", a, &ap->policy_sha256, err));
    VS_TRY(read_seed(submod, a, &ap->seed, err));
    vs_val policy_only;
    VS_TRY(vs_need(submod, "input", VS_OBJECT, &ap->input, err));
    VS_TRY(vs_may(submod, "policy_only", VS_STRING, &policy_only, err));
    ap->policy_only = vs_text(policy_only);
    VS_TRY(as_token_evidence(ap, a, err));
    VS_TRY(vs_may(submod, "notes", VS_ARRAY, &ap->notes, err));
    VS_TRY(vs_need(submod, "reference_values", VS_ARRAY, values, err));
    ap->consulted = as_asked_by_verifier(*values, a);
    return VS_OK;
}

/* ---- evaluation ---------------------------------------------------------------------------------
 */

static vs_code put_policy(as_local *as, const as_replay_options *opts, const as_appraisal *ap,
                          vs_arena *a, vs_error *err)
{
    vs_span text;
    VS_TRY_WRAP(
        opts->policy(opts->user, vs_str(ap->policy), vs_str(ap->policy_sha256), a, &text, err), err,
        "policy %s (sha256 %s)", ap->policy, ap->policy_sha256);
    return as_policies_set(as->policies, vs_str(ap->policy), text, VS_PUT_REPLACE, err);
}

static vs_code appraise_submods(as_local *as, vs_val submods, vs_span policy_id, int64_t now,
                                const as_replay_options *opts, vs_arena *a, as_appraisal *aps,
                                vs_error *err)
{
    for (uint32_t i = 0; i < submods.len; i++) {
        recorded values = {.base = {&recorded_ops}, .other = opts->other_values};
        aps[i] = (as_appraisal){0};
        VS_TRY_WRAP(read_submod(submods.u.items[i], a, &aps[i], &values.values, err), err,
                    "submod %u of the record", i);
        VS_TRY(put_policy(as, opts, &aps[i], a, err));
        as->rv = &values.base;
        vs_code code = as_appraise(as, policy_id, now, &aps[i], a, err);
        as->rv = NULL; /* `values` ends here */
        VS_TRY_WRAP(code, err, "appraising %s", aps[i].submod);
    }
    return VS_OK;
}

static vs_code replay(as_local *as, vs_val record, const as_replay_options *opts, vs_arena *a,
                      as_replayed *out, vs_error *err)
{
    vs_val policy_id, submods, digest;
    int64_t now = 0, expires = 0;
    VS_TRY(read_settings(record, a, &as->cfg, err));
    VS_TRY(int_of(record, "time", &now, err));
    VS_TRY(int_of(record, "expires", &expires, err));
    VS_TRY(vs_need(record, "policy_id", VS_STRING, &policy_id, err));
    VS_TRY(vs_need(record, "payload_sha256", VS_STRING, &digest, err));
    VS_TRY(vs_need(record, "submods", VS_ARRAY, &submods, err));
    if (submods.len == 0 || submods.len > AS_RECORDS_MAX)
        return vs_fail(err, VS_E_INVALID, "a record has 1 to %d submods", AS_RECORDS_MAX);
    as_appraisal *aps = vs_alloc_array(a, submods.len, sizeof *aps);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(appraise_submods(as, submods, vs_text(policy_id), now, opts, a, aps, err));

    VS_CLEANUP(vs_buf_free) vs_buf claims = VS_BUF(AS_TOKEN_MAX);
    VS_TRY(
        as_ear_claims(&as->cfg, aps, submods.len, vs_text(policy_id), now, expires, &claims, err));
    out->payload = vs_dup(a, vs_buf_span(&claims));
    out->explanation = as_explanation(aps, submods.len, a);
    out->status = ear_tier_name(as_worst(aps, submods.len));
    uint8_t md[VS_HASH_MAX];
    VS_TRY(vs_digest(VS_SHA256, out->payload, VS_LIT(""), VS_LIT(""), md, err));
    out->same = vs_span_eq(vs_hex_encode_arena(a, vs_span_of(md, 32)), vs_text(digest));
    return vs_arena_check(a, err);
}

vs_code as_replay(vs_val record, const as_replay_options *opts, vs_arena *a, as_replayed *out,
                  vs_error *err)
{
    *out = (as_replayed){0};
    vs_val version = vs_getc(record, "version");
    if (record.kind != VS_OBJECT || !vs_is_int(version) || version.u.i != AS_RECORD_VERSION)
        return vs_fail(err, VS_E_INVALID, "not an evaluation's record of version %d",
                       AS_RECORD_VERSION);
    if (!vs_is_true(vs_getc(record, "complete")))
        return vs_fail(
            err, VS_E_INVALID,
            "the record is not complete: the policy asked for too many reference values");
    as_local as = {0};
    vs_code code = vs_store_open_memory(&as.store, err);
    if (code == VS_OK)
        code = as_policies_new(as.store, AS_POLICY_NAMESPACE, as_policy_hosts,
                               VS_COUNT(as_policy_hosts), &as.policies, err);
    if (code == VS_OK)
        code = replay(&as, record, opts, a, out, err);
    as_policies_free(&as.policies);
    vs_store_close(&as.store);
    return code;
}

vs_code as_policy_by_digest(vs_store *store, vs_span sha256, vs_arena *a, vs_span *text,
                            vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf stored = VS_BUF(AS_POLICY_TEXT_MAX);
    if (sha256.n != 64 || !vs_store_key_ok(sha256))
        return vs_fail(err, VS_E_INVALID, "not a SHA-256 in hexadecimal");
    VS_TRY(vs_store_get(store, AS_POLICY_TEXTS, sha256, 0, &stored, err));
    *text = vs_dup(a, vs_buf_span(&stored));
    uint8_t md[VS_HASH_MAX];
    VS_TRY(vs_digest(VS_SHA256, *text, VS_LIT(""), VS_LIT(""), md, err));
    if (!vs_span_eq(vs_hex_encode_arena(a, vs_span_of(md, 32)), sha256))
        return vs_fail(err, VS_E_MISMATCH, "the stored text has another digest");
    return vs_arena_check(a, err);
}
