/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation leaves behind for those who ask later (replay.h has the form). */
#include "as/internal.h"

#include <endian.h>

#include "base/enc.h"

/* Names of reference values, without the values: what the log and the explanation show. */
static vs_val names_only(vs_val values, vs_arena *a)
{
    vs_vec out = {.a = a};
    for (VS_ARR_FOR (v, values))
        vs_vec_add(&out, vs_with(a, *v, vs_cstring("value"), vs_undefined()));
    return vs_vec_end_array(&out);
}

vs_val as_explanation(const as_appraisal *aps, size_t n, vs_arena *a)
{
    vs_vec out = {.a = a};
    for (size_t i = 0; i < n; i++) {
        vs_obj one = {.a = a};
        vs_obj_put(&one, "reasons", aps[i].reasons);
        vs_obj_put(&one, "reference_values", names_only(aps[i].reference_values, a));
        vs_obj_put(&one, "status", vs_cstring(ear_tier_name(aps[i].status)));
        vs_obj_put(&one, "submod", vs_cstring(aps[i].submod));
        vs_obj_put(&one, "trust_vector", ear_vector_value(&aps[i].vector, a));
        vs_vec_add(&out, vs_obj_end(&one, VS_DUP_REFUSE, NULL));
    }
    return vs_vec_end_array(&out);
}

/* As text: as a number it would lose bits in other readers. */
static vs_val seed_text(uint64_t seed, vs_arena *a)
{
    uint64_t be = htobe64(seed);
    return vs_string(vs_hex_encode_arena(a, vs_span_of(&be, sizeof be)));
}

static vs_val submod_record(const as_appraisal *ap, vs_arena *a)
{
    vs_obj one = {.a = a};
    vs_obj_put(&one, "class", vs_cstring(ap->tee_class));
    vs_obj_put(&one, "input", ap->input);
    vs_obj_opt(&one, "notes", ap->notes);
    vs_obj_put(&one, "policy", vs_cstring(ap->policy));
    if (ap->policy_only.n)
        vs_obj_put(&one, "policy_only", vs_string(ap->policy_only));
    vs_obj_put(&one, "policy_sha256", vs_cstring(ap->policy_sha256));
    vs_obj_put(&one, "reasons", ap->reasons);
    vs_obj_put(&one, "reference_values", ap->reference_values);
    vs_obj_put(&one, "seed", seed_text(ap->seed, a));
    vs_obj_put(&one, "status", vs_cstring(ear_tier_name(ap->status)));
    vs_obj_put(&one, "submod", vs_cstring(ap->submod));
    vs_obj_put(&one, "trust_vector", ear_vector_value(&ap->vector, a));
    return vs_obj_end(&one, VS_DUP_REFUSE, NULL);
}

static vs_val token_settings(const as_config *cfg, vs_arena *a)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "build_name", vs_cstring(cfg->build_name));
    vs_obj_put(&o, "developer_name", vs_cstring(cfg->developer_name));
    vs_obj_put(&o, "issuer_name", vs_cstring(cfg->issuer_name));
    vs_obj_put(&o, "profile_name", vs_cstring(cfg->profile_name));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val record_of(const as_evaluated *e, vs_arena *a)
{
    uint8_t md[VS_HASH_MAX] = {0};
    if (vs_digest(VS_SHA256, e->payload, VS_LIT(""), VS_LIT(""), md, NULL) != VS_OK)
        return vs_undefined();
    bool complete = true;
    vs_vec submods = {.a = a};
    for (size_t i = 0; i < e->n; i++) {
        vs_vec_add(&submods, submod_record(&e->aps[i], a));
        complete = complete && e->aps[i].all_values_kept;
    }
    vs_obj o = {.a = a};
    vs_obj_put(&o, "complete", vs_bool(complete));
    vs_obj_put(&o, "expires", vs_int(e->expires));
    vs_obj_put(&o, "payload_sha256", vs_string(vs_hex_encode_arena(a, vs_span_of(md, 32))));
    vs_obj_put(&o, "policy_id", vs_string(e->policy_id));
    vs_obj_put(&o, "status", vs_cstring(ear_tier_name(as_worst(e->aps, e->n))));
    vs_obj_put(&o, "submods", vs_vec_end_array(&submods));
    vs_obj_put(&o, "time", vs_int(e->now));
    vs_obj_put(&o, "token", token_settings(&e->as->cfg, a));
    vs_obj_put(&o, "version", vs_int(AS_RECORD_VERSION));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val as_result_record(const as_result *r, vs_arena *a)
{
    return r->evaluated ? record_of(r->evaluated, a) : r->told_record;
}
