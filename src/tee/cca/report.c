/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only vouchsafe tells the policy: `input.cca.vouchsafe`, documented in docs/cca.md. Bytes are
 * standard base64 as in the claims beside it; what a token does not have is left out.
 */
#include "tee/cca/verify.h"

#include "base/enc.h"

static vs_val base64(vs_arena *a, vs_span bytes)
{
    return bytes.p ? vs_string(vs_b64_encode_arena(a, VS_B64_STD, bytes)) : vs_undefined();
}

static vs_val text(vs_span s)
{
    return s.p ? vs_string(s) : vs_undefined();
}

static vs_val profile(const cca_profile *p)
{
    return p->uri ? vs_cstring(p->uri) : vs_undefined();
}

/* An empty list says nothing. */
static vs_val unless_empty(vs_val list)
{
    return vs_defined(list) && list.len ? list : vs_undefined();
}

/* ---- platform ---------------------------------------------------------------------------------
 */

static vs_val component(vs_arena *a, const cca_component *c)
{
    vs_obj o = {.a = a};
    vs_obj_opt(&o, "component-type", text(c->type));
    vs_obj_opt(&o, "hash-algo-id", text(c->hash));
    vs_obj_put(&o, "measurement-value", base64(a, c->value));
    vs_obj_put(&o, "signer-id", base64(a, c->signer_id));
    vs_obj_opt(&o, "version", text(c->version));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val cca_components(vs_arena *a, const cca_platform *p)
{
    vs_vec list = {.a = a};
    for (size_t i = 0; i < p->n_components; i++)
        vs_vec_add(&list, component(a, &p->components[i]));
    return vs_vec_end_array(&list);
}

static vs_val platform(vs_arena *a, const cca_token *t, const cca_verdict *v)
{
    const cca_platform *p = &t->platform;
    vs_obj o = {.a = a};
    vs_obj_put(&o, "config", base64(a, p->config));
    vs_obj_opt(&o, "endorsed-by", unless_empty(v->platform_by));
    vs_obj_put(&o, "hash-algo-id", vs_cstring(vs_hash_name(p->hash)));
    vs_obj_opt(&o, "key-endorsed-by", v->key_by);
    vs_obj_put(&o, "lifecycle", vs_cstring(cca_lifecycle_name(p->lifecycle)));
    vs_obj_put(&o, "lifecycle-value", vs_int(p->lifecycle_value));
    vs_obj_opt(&o, "manufacturing-config", base64(a, p->manufacturing_config));
    vs_obj_opt(&o, "mismatches", unless_empty(v->platform_mismatches));
    vs_obj_opt(&o, "profile", profile(p->profile));
    vs_obj_opt(&o, "service-indicator", text(p->service));
    vs_obj_put(&o, "sw-components", t->known ? t->known->components : cca_components(a, p));
    vs_obj_put(&o, "vector", ear_vector_value(&v->platform, a));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* ---- realm ------------------------------------------------------------------------------------
 */

/* true, false, or null when nothing is endorsed. */
static vs_val endorsed(cca_endorsed e)
{
    return e == CCA_NOTHING_ENDORSED ? vs_null() : vs_bool(e == CCA_ENDORSED);
}

static vs_val rems(vs_arena *a, const cca_verdict *v)
{
    vs_vec list = {.a = a};
    for (unsigned i = 0; i < CCA_REMS; i++)
        vs_vec_add(&list, endorsed(v->rem[i]));
    return vs_vec_end_array(&list);
}

static vs_val choice(int policy, const char *zero, const char *one)
{
    return policy < 0 ? vs_undefined() : vs_cstring(policy ? one : zero);
}

static vs_val realm(vs_arena *a, const cca_realm *r, const cca_verdict *v)
{
    vs_obj o = {.a = a};
    vs_obj_opt(&o, "devices-hash", base64(a, r->devices_hash));
    vs_obj_opt(&o, "endorsed-by", unless_empty(v->realm_by));
    vs_obj_opt(&o, "instance-id", base64(a, r->instance_id));
    vs_obj_opt(&o, "lfa-policy", choice(r->lfa_policy, "disallow", "allow"));
    vs_obj_opt(&o, "mec-policy", choice(r->mec_policy, "shared", "private"));
    vs_obj_opt(&o, "mismatches", unless_empty(v->realm_mismatches));
    vs_obj_opt(&o, "profile", profile(r->profile));
    vs_obj_put(&o, "rem-endorsed", rems(a, v));
    vs_obj_put(&o, "rim-endorsed", vs_bool(v->rim_endorsed));
    vs_obj_put(&o, "rpv-endorsed", endorsed(v->rpv));
    vs_obj_put(&o, "vector", ear_vector_value(&v->realm, a));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val cca_report(vs_arena *a, const cca_token *t, const cca_verdict *v)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "platform", platform(a, t, v));
    vs_obj_put(&o, "realm", realm(a, &t->realm, v));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}
