/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/claims_json.h"

#include "base/enc.h"

static vs_val base64(vs_arena *a, vs_span s)
{
    return s.p ? vs_string(vs_b64_encode_arena(a, VS_B64_STD, s)) : vs_undefined();
}

static vs_val text(vs_span s)
{
    return s.p ? vs_string(s) : vs_undefined();
}

static vs_val boolean(int v)
{
    return v >= 0 ? vs_bool(v) : vs_undefined();
}

static vs_val component_value(vs_arena *a, const cca_component *c)
{
    vs_obj o = {.a = a};
    vs_obj_opt(&o, "measurement-type", text(c->type));
    vs_obj_put(&o, "measurement-value", base64(a, c->value));
    vs_obj_opt(&o, "version", text(c->version));
    vs_obj_put(&o, "signer-id", base64(a, c->signer_id));
    vs_obj_opt(&o, "measurement-description", text(c->hash));
    vs_obj_opt(&o, "live-activation", boolean(c->live_activation));
    if (c->n_countersigners) {
        vs_vec ids = {.a = a};
        for (size_t i = 0; i < c->n_countersigners; i++)
            vs_vec_add(&ids, base64(a, c->countersigners[i]));
        vs_obj_put(&o, "countersigners", vs_vec_end_array(&ids));
    }
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val devices_value(vs_arena *a, const cca_platform *p)
{
    vs_vec list = {.a = a};
    if (!p->n_devices)
        return vs_undefined();
    for (size_t i = 0; i < p->n_devices; i++) {
        const cca_device *d = &p->devices[i];
        vs_obj o = {.a = a};
        vs_obj_opt(&o, "hash-algorithm", text(d->hash));
        vs_obj_opt(&o, "measurement", base64(a, d->measurement));
        vs_obj_opt(&o, "certificate", base64(a, d->certificate));
        vs_obj_opt(&o, "uses-ide", boolean(d->uses_ide));
        vs_obj_opt(&o, "protocol", text(d->protocol));
        vs_obj_opt(&o, "vca", base64(a, d->vca));
        vs_vec_add(&list, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    }
    return vs_vec_end_array(&list);
}

vs_val cca_platform_value(vs_arena *a, const cca_platform *p)
{
    vs_vec components = {.a = a};
    for (size_t i = 0; i < p->n_components; i++)
        vs_vec_add(&components, component_value(a, &p->components[i]));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "cca-platform-profile", vs_cstring(p->profile->uri));
    vs_obj_put(&o, "cca-platform-challenge", base64(a, p->challenge));
    vs_obj_put(&o, "cca-platform-implementation-id", base64(a, p->implementation_id));
    vs_obj_put(&o, "cca-platform-instance-id", base64(a, p->instance_id));
    vs_obj_put(&o, "cca-platform-config", p->config.n ? base64(a, p->config) : vs_cstring(""));
    vs_obj_put(&o, "cca-platform-lifecycle", vs_int(p->lifecycle_value));
    vs_obj_put(&o, "cca-platform-sw-components", vs_vec_end_array(&components));
    vs_obj_opt(&o, "cca-platform-service-indicator", text(p->service));
    vs_obj_put(&o, "cca-platform-hash-algo-id", text(p->hash_name));
    vs_obj_opt(&o, "cca-platform-manufacturing-config", base64(a, p->manufacturing_config));
    vs_obj_opt(&o, "cca-platform-devices", devices_value(a, p));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val cca_realm_value(vs_arena *a, const cca_realm *r)
{
    vs_vec rems = {.a = a};
    for (unsigned i = 0; i < CCA_REMS; i++)
        vs_vec_add(&rems, base64(a, r->rem[i]));
    vs_obj o = {.a = a};
    if (r->profile->uri)
        vs_obj_put(&o, "cca-realm-profile", vs_cstring(r->profile->uri));
    vs_obj_put(&o, "cca-realm-challenge", base64(a, r->challenge));
    vs_obj_put(&o, "cca-realm-personalization-value", base64(a, r->rpv));
    vs_obj_put(&o, "cca-realm-initial-measurement", base64(a, r->rim));
    vs_obj_put(&o, "cca-realm-extensible-measurements", vs_vec_end_array(&rems));
    vs_obj_put(&o, "cca-realm-hash-algo-id", text(r->hash_name));
    vs_obj_put(&o, "cca-realm-public-key", base64(a, r->rak));
    vs_obj_put(&o, "cca-realm-public-key-hash-algo-id", text(r->rak_hash_name));
    vs_obj_opt(&o, "cca-realm-instance-id", base64(a, r->instance_id));
    vs_obj_opt(&o, "cca-realm-devices-hash", base64(a, r->devices_hash));
    if (r->mec_policy >= 0)
        vs_obj_put(&o, "cca-realm-mec-policy", vs_int(r->mec_policy));
    if (r->lfa_policy >= 0)
        vs_obj_put(&o, "cca-realm-lfa-policy", vs_int(r->lfa_policy));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}
