/* SPDX-License-Identifier: Apache-2.0 */
/* One evaluation from evidence to token: all or nothing (1.3). */
#include "as/internal.h"

#include "base/io.h"
#include "value/json.h"

enum { REQUESTS_MAX = 16, AS_TOKEN_USUAL = 8000 /* bytes of claims; more may be */ };

typedef struct records {
    as_appraisal *items;
    size_t n;
} records;

/* Runtime data (3.1): what the report data must be, and what policy and relying parties see. */
static vs_code runtime_data(const as_request *req, vs_arena *a, vs_span *expected, vs_val *claims,
                            vs_error *err)
{
    *expected = (vs_span){NULL, 0};
    *claims = vs_null();
    if (req->runtime_kind == AS_DATA_NONE)
        return VS_OK;
    if (req->runtime_kind == AS_DATA_RAW) {
        if (req->runtime_raw.n == 0)
            return vs_fail(err, VS_E_INVALID, "raw runtime data is empty");
        *expected = req->runtime_raw;
        return VS_OK;
    }
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(AS_TOKEN_MAX);
    VS_TRY_WRAP(vs_json_canonical(&text, req->runtime_json, err), err, "runtime data");
    VS_TRY(vs_buf_check(&text, err));
    vs_hash hash = req->runtime_hash == VS_HASH_NONE ? VS_SHA384 : req->runtime_hash;
    uint8_t *md = vs_alloc(a, VS_HASH_MAX);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_digest(hash, vs_buf_span(&text), VS_LIT(""), VS_LIT(""), md, err));
    *expected = vs_span_of(md, vs_hash_size(hash));
    *claims = req->runtime_json;
    return VS_OK;
}

/* The policy's input (4.2). Only what was verified gets in: init data and runtime data appear when
 * the driver says that the evidence vouches for them. */
static vs_code policy_input(const char *tee, const vs_tee_result *r, vs_val runtime, vs_val init,
                            vs_arena *a, vs_val *out, vs_error *err)
{
    if (r->claims.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INTERNAL, "the verifier gave no claims");
    vs_obj input = {.a = a};
    vs_obj_put(&input, tee, r->claims);
    if (r->init_data.kind == VS_STRING) {
        vs_obj_put(&input, "init_data", r->init_data);
        vs_obj_put(&input, "init_data_claims", init);
    }
    if (r->report_data.kind == VS_STRING) {
        vs_obj_put(&input, "report_data", r->report_data);
        vs_obj_put(&input, "runtime_data_claims", runtime);
    }
    vs_val dup;
    *out = vs_obj_end(&input, VS_DUP_REFUSE, &dup);
    return vs_arena_check(a, err);
}

static const char *submod_name(const records *all, const char *tee_class, vs_arena *a)
{
    size_t same = 0;
    for (size_t i = 0; i < all->n; i++)
        same += strcmp(all->items[i].tee_class, tee_class) == 0;
    return vs_sprintf(a, "%s%zu", tee_class, same);
}

/* What the verifier has asked for and found, the same for all its results. */
typedef struct consulted {
    vs_val asked;
    uint64_t changes;
} consulted;

static vs_code add_record(records *all, const char *tee, const vs_tee_result *r, consulted by,
                          vs_val runtime, vs_val init, vs_arena *a, vs_error *err)
{
    if (all->n == AS_RECORDS_MAX)
        return vs_fail(err, VS_E_LIMIT, "more than %d attesters", AS_RECORDS_MAX);
    as_appraisal ap = {.tee_class = r->tee_class,
                       .submod = submod_name(all, r->tee_class, a),
                       .consulted = by.asked,
                       .changes = by.changes,
                       .notes = r->notes};
    VS_TRY(policy_input(tee, r, runtime, init, a, &ap.input, err));
    if (r->policy_only)
        ap.policy_only = vs_str(vs_concat(a, VS_LIT("/"), vs_str(tee), vs_str(r->policy_only)));
    VS_TRY(as_token_evidence(&ap, a, err));
    all->items[all->n++] = ap;
    return VS_OK;
}

static vs_code find_driver(vs_span tee, const vs_tee_driver **driver, const char **name,
                           vs_error *err)
{
    if (!vs_tee_known(tee, name))
        return vs_fail(err, VS_E_INVALID, "unknown TEE \"%.*s\"", VS_FMT(vs_span_head(tee, 32)));
    *driver = vs_tee_find(tee);
    if (!*driver)
        return vs_fail(err, VS_E_UNSUPPORTED, "no verifier for TEE \"%s\" in this build", *name);
    return VS_OK;
}

static vs_code verify_one(const as_local *as, const as_request *req, int64_t now, records *all,
                          vs_arena *a, vs_error *err)
{
    const vs_tee_driver *driver = NULL;
    const char *tee = NULL;
    VS_TRY(find_driver(req->tee, &driver, &tee, err));
    as_values values = {
        .rv = as->rv, .now = now, .verifier = true, .asked = {.a = a}, .all_kept = true};
    const vs_tee_endorsements endorsements = {as_find_endorsement, &values};
    vs_tee_expect expect = {.now = now, .endorsements = &endorsements};
    vs_val runtime, init;
    VS_TRY(runtime_data(req, a, &expect.report_data, &runtime, err));
    VS_TRY(as_init_data(req, a, &expect.init_data, &init, err));
    if (as->cfg.terse_token && runtime.kind == VS_OBJECT)
        runtime = vs_with(a, runtime, vs_cstring("additional-evidence"), vs_undefined());

    vs_tee_result results[VS_TEE_RESULTS_MAX] = {0};
    size_t n = 0;
    VS_TRY_WRAP(driver->verify(as->trust, req->evidence, &expect, a, results, &n, err), err,
                "verifying %s evidence", tee);
    if (n == 0 || n > VS_TEE_RESULTS_MAX)
        return vs_fail(err, VS_E_INTERNAL, "the %s verifier gave %zu results", tee, n);
    const consulted by = {vs_vec_end_array(&values.asked), values.changes};
    for (size_t i = 0; i < n; i++)
        VS_TRY(add_record(all, tee, &results[i], by, runtime, init, a, err));
    return vs_arena_check(a, err);
}

/* What a policy's random numbers come from; not to be foreseen, but no secret: the record has it.
 * So they are drawn many at a time. */
static uint64_t new_seed(void)
{
    static _Thread_local uint64_t drawn[32];
    static _Thread_local size_t left;
    if (left == 0) {
        vs_random(drawn, sizeof drawn);
        left = VS_COUNT(drawn);
    }
    return drawn[--left];
}

ear_tier as_worst(const as_appraisal *aps, size_t n)
{
    ear_tier worst = EAR_NONE;
    for (size_t i = 0; i < n; i++)
        worst = aps[i].status > worst ? aps[i].status : worst;
    return worst;
}

vs_code as_local_evaluate(as_service *service, const as_request *reqs, size_t n, vs_span policy_id,
                          int64_t now, vs_arena *a, as_result *out, vs_error *err)
{
    as_local *as = (as_local *)service;
    if (n == 0)
        return vs_fail(err, VS_E_INVALID, "No verification requests provided.");
    if (n > REQUESTS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu verification requests, at most %d", n, REQUESTS_MAX);
    records all = {.items = vs_alloc_array(a, AS_RECORDS_MAX, sizeof *all.items)};
    VS_TRY(vs_arena_check(a, err));

    for (size_t i = 0; i < n; i++)
        VS_TRY(verify_one(as, &reqs[i], now, &all, a, err));
    for (size_t i = 0; i < all.n; i++) {
        all.items[i].seed = new_seed();
        VS_TRY_WRAP(as_appraise(as, policy_id, now, &all.items[i], a, err), err, "appraising %s",
                    all.items[i].submod);
    }
    vs_buf claims = VS_BUF_ON(a, AS_TOKEN_MAX);
    vs_buf_expect(&claims, AS_TOKEN_USUAL);
    out->expires = now + as->cfg.duration_min * 60;
    VS_TRY(as_ear_claims(&as->cfg, all.items, all.n, policy_id, now, out->expires, &claims, err));
    VS_TRY(as_ear_sign(as, vs_buf_span(&claims), a, &out->token, err));
    out->explanation = as_explanation(all.items, all.n, a);
    out->status = ear_tier_name(as_worst(all.items, all.n));
    as_evaluated *e = VS_NEW(a, as_evaluated);
    VS_TRY(vs_arena_check(a, err));
    *e = (as_evaluated){as, all.items, all.n, policy_id, vs_buf_span(&claims), now, out->expires};
    out->evaluated = e;
    return VS_OK;
}
