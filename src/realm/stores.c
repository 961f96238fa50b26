/* SPDX-License-Identifier: Apache-2.0 */
/* The realm's endorsements as a verifier's JSON stores (cca.md 4.3). */
#include "realm/describe.h"

vs_code realm_ta_store(const realm_spec *spec, const realm_keys *keys, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    uint8_t room[CCA_INSTANCE_ID];
    vs_span instance;
    vs_val jwk;
    VS_TRY(realm_platform_instance(spec, keys, room, &instance, err));
    VS_TRY(vs_key_to_jwk(&a, keys->cpak, NULL, &jwk, err));
    vs_obj o = {.a = &a};
    vs_obj_put(&o, "implementation-id", realm_hex(&a, spec->implementation_id));
    vs_obj_put(&o, "instance-id", realm_hex(&a, instance));
    vs_obj_put(&o, "pkey", jwk);
    return realm_print(&a, realm_list_of_one(&o), out, err);
}

vs_code realm_rv_store(const realm_spec *spec, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_obj platform = {.a = &a}, realm = {.a = &a}, store = {.a = &a};
    vs_obj_put(&platform, "implementation-id", realm_hex(&a, spec->implementation_id));
    vs_obj_put(&platform, "platform-configuration", realm_hex(&a, spec->config));
    vs_obj_put(&platform, "sw-components", realm_components_value(&a, spec));
    vs_obj_put(&realm, "initial-measurement", realm_hex(&a, spec->rim));
    vs_obj_put(&realm, "extensible-measurements", realm_rems_value(&a, spec));
    vs_obj_put(&realm, "personalization-value", realm_hex(&a, spec->rpv));
    vs_obj_put(&realm, "rak-hash-algorithm", vs_cstring(vs_hash_name(spec->rak_hash)));
    vs_obj_put(&store, "platform", realm_list_of_one(&platform));
    vs_obj_put(&store, "realm", realm_list_of_one(&realm));
    return realm_print(&a, vs_obj_end(&store, VS_DUP_REFUSE, NULL), out, err);
}
