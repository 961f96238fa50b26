/* SPDX-License-Identifier: Apache-2.0 */
/* The realm's endorsements as templates of CoRIM manifests (cca.md 6.2, 6.3). */
#include "realm/describe.h"

#include <stdio.h>

#include "base/enc.h"

static const char platform_profile[] = "tag:arm.com,2025:cca_platform#1.0.0";
static const char realm_profile[] = "tag:arm.com,2025:cca_realm#1.0.0";

const char *realm_template_file(realm_template t)
{
    static const char *const names[] = {
        [REALM_CORIM_PLATFORM] = "corim-platform.json",
        [REALM_COMID_PLATFORM] = "comid-platform.json",
        [REALM_COMID_CPAK] = "comid-cpak.json",
        [REALM_CORIM_REALM] = "corim-realm.json",
        [REALM_COMID_REALM] = "comid-realm.json",
    };
    return names[t];
}

/* What is being written: everything lives on `a`. */
typedef struct job {
    vs_arena *a;
    const realm_spec *spec;
    const realm_keys *keys;
    unsigned version;
    vs_error *err;
} job;

/* ---- parts ----------------------------------------------------------------------------------- */

/* {"type": T, "value": V} */
static vs_val typed(vs_arena *a, const char *type, vs_val value)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "type", vs_cstring(type));
    vs_obj_put(&o, "value", value);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val typed_bytes(vs_arena *a, const char *type, vs_span bytes)
{
    return typed(a, type, vs_string(vs_b64_encode_arena(a, VS_B64_STD, bytes)));
}

/* An UUID that follows from what the tag is about: version 8 of RFC 9562, made of a digest. */
static vs_code uuid_of(const job *j, const char *what, vs_span subject, vs_val *out)
{
    uint8_t h[VS_HASH_MAX];
    VS_TRY(vs_digest(VS_SHA256, VS_LIT("vouchsafe software realm endorsement: "), vs_str(what),
                     subject, h, j->err));
    h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
    h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
    vs_span hex = vs_hex_encode_arena(j->a, vs_span_of(h, 16));
    VS_TRY(vs_arena_check(j->a, j->err));
    const char *p = (const char *)hex.p;
    *out =
        vs_cstring(vs_sprintf(j->a, "%.8s-%.4s-%.4s-%.4s-%.12s", p, p + 8, p + 12, p + 16, p + 20));
    return VS_OK;
}

/* A digest as [algorithm, base64url]: numbers of the IANA registry of named information. */
static vs_code digests(const job *j, vs_span value, vs_val *out)
{
    int alg = value.n == 32 ? 1 : value.n == 48 ? 7 : value.n == 64 ? 8 : 0;
    if (!alg)
        return vs_fail(j->err, VS_E_INVALID,
                       "a measurement of %zu bytes cannot be endorsed: it is no SHA-2 digest",
                       value.n);
    vs_vec digest = {.a = j->a}, list = {.a = j->a};
    vs_vec_add(&digest, vs_int(alg));
    vs_vec_add(&digest, vs_string(vs_b64_encode_arena(j->a, VS_B64_URL, value)));
    vs_vec_add(&list, vs_vec_end_array(&digest));
    *out = vs_vec_end_array(&list);
    return VS_OK;
}

static vs_val measurement(vs_arena *a, const char *key, vs_obj *value)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "key", typed(a, "string", vs_cstring(key)));
    vs_obj_put(&o, "value", vs_obj_end(value, VS_DUP_REFUSE, NULL));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_code add_digest(const job *j, vs_vec *list, const char *key, vs_span value)
{
    vs_obj o = {.a = j->a};
    vs_val digest;
    VS_TRY_WRAP(digests(j, value, &digest), j->err, "%s", key);
    vs_obj_put(&o, "digests", digest);
    vs_vec_add(list, measurement(j->a, key, &o));
    return VS_OK;
}

static void add_raw(const job *j, vs_vec *list, const char *key, vs_span value, vs_span mask)
{
    vs_obj o = {.a = j->a};
    vs_obj_put(&o, "raw-value", typed_bytes(j->a, "bytes", value));
    if (mask.n)
        vs_obj_put(&o, "raw-value-mask", vs_string(vs_b64_encode_arena(j->a, VS_B64_STD, mask)));
    vs_vec_add(list, measurement(j->a, key, &o));
}

static vs_val environment(vs_arena *a, vs_span class_id, vs_span instance)
{
    vs_obj class = {.a = a}, o = {.a = a};
    vs_obj_put(&class, "id", typed_bytes(a, "bytes", class_id));
    vs_obj_put(&o, "class", vs_obj_end(&class, VS_DUP_REFUSE, NULL));
    if (instance.n)
        vs_obj_put(&o, "instance", typed_bytes(a, "ueid", instance));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* ---- tags ------------------------------------------------------------------------------------ */

/* A CoMID with one triple of one kind. */
static vs_code comid(const job *j, const char *kind, vs_span subject, vs_obj *triple, vs_val *out)
{
    vs_obj identity = {.a = j->a}, triples = {.a = j->a}, o = {.a = j->a};
    vs_val id;
    VS_TRY(uuid_of(j, kind, subject, &id));
    vs_obj_put(&identity, "id", id);
    vs_obj_put(&identity, "version", vs_int(j->version));
    vs_obj_put(&triples, kind, realm_list_of_one(triple));
    vs_obj_put(&o, "tag-identity", vs_obj_end(&identity, VS_DUP_REFUSE, NULL));
    vs_obj_put(&o, "triples", vs_obj_end(&triples, VS_DUP_REFUSE, NULL));
    *out = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    return VS_OK;
}

static vs_code add_component(const job *j, vs_vec *list, const cca_component *c)
{
    static const char key[] = "cca.software-component";
    vs_obj o = {.a = j->a}, version = {.a = j->a};
    vs_vec signers = {.a = j->a};
    vs_val digest;
    VS_TRY_WRAP(digests(j, c->value, &digest), j->err, "%s %.*s", key, VS_FMT(c->type));
    vs_vec_add(&signers, typed_bytes(j->a, "bytes", c->signer_id));
    vs_obj_put(&o, "digests", digest);
    vs_obj_put(&o, "cryptokeys", vs_vec_end_array(&signers));
    if (c->type.p)
        vs_obj_put(&o, "name", vs_string(c->type));
    if (c->version.p) {
        vs_obj_put(&version, "value", vs_string(c->version));
        vs_obj_put(&o, "version", vs_obj_end(&version, VS_DUP_REFUSE, NULL));
    }
    vs_vec_add(list, measurement(j->a, key, &o));
    return VS_OK;
}

static vs_code comid_platform(const job *j, vs_val *out)
{
    const realm_spec *spec = j->spec;
    vs_obj triple = {.a = j->a};
    vs_vec list = {.a = j->a};
    for (size_t i = 0; i < spec->n_components; i++)
        VS_TRY(add_component(j, &list, &spec->components[i]));
    uint8_t *mask = vs_alloc(j->a, spec->config.n);
    if (!mask)
        return vs_arena_check(j->a, j->err);
    memset(mask, 0xff, spec->config.n); /* every bit counts */
    add_raw(j, &list, "cca.platform-config", spec->config, vs_span_of(mask, spec->config.n));
    vs_obj_put(&triple, "environment", environment(j->a, spec->implementation_id, (vs_span){0}));
    vs_obj_put(&triple, "measurements", vs_vec_end_array(&list));
    return comid(j, "reference-values", spec->implementation_id, &triple, out);
}

static vs_code comid_cpak(const job *j, vs_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(REALM_FILE_MAX);
    uint8_t room[CCA_INSTANCE_ID];
    vs_span id;
    VS_TRY(realm_platform_instance(j->spec, j->keys, room, &id, j->err));
    VS_TRY(vs_key_to_pem(&pem, j->keys->cpak, false, j->err));
    vs_span instance = vs_dup(j->a, id);
    vs_vec keys = {.a = j->a};
    vs_vec_add(&keys, typed(j->a, "pkix-base64-key",
                            vs_string_dup(j->a, vs_span_trim(vs_buf_span(&pem)))));
    vs_obj triple = {.a = j->a};
    vs_obj_put(&triple, "environment", environment(j->a, j->spec->implementation_id, instance));
    vs_obj_put(&triple, "verification-keys", vs_vec_end_array(&keys));
    return comid(j, "attester-verification-keys", instance, &triple, out);
}

static vs_code comid_realm(const job *j, vs_val *out)
{
    static const char *const rem_keys[CCA_REMS] = {"cca.rem0", "cca.rem1", "cca.rem2", "cca.rem3"};
    vs_obj triple = {.a = j->a};
    vs_vec list = {.a = j->a};
    VS_TRY(add_digest(j, &list, "cca.rim", j->spec->rim));
    for (unsigned i = 0; i < CCA_REMS; i++)
        VS_TRY(add_digest(j, &list, rem_keys[i], j->spec->rem[i]));
    add_raw(j, &list, "cca.rpv", j->spec->rpv, (vs_span){0});
    vs_obj_put(&triple, "environment", environment(j->a, j->spec->rim, (vs_span){0}));
    vs_obj_put(&triple, "measurements", vs_vec_end_array(&list));
    return comid(j, "reference-values", j->spec->rim, &triple, out);
}

/* ---- manifests ------------------------------------------------------------------------------- */

static vs_code corim(const job *j, const char *profile, vs_span subject, vs_val *out)
{
    vs_obj o = {.a = j->a}, entity = {.a = j->a};
    vs_vec roles = {.a = j->a};
    vs_val id;
    VS_TRY(uuid_of(j, profile, subject, &id));
    vs_vec_add(&roles, vs_cstring("manifestCreator"));
    vs_obj_put(&entity, "name", vs_cstring(realm_note));
    vs_obj_put(&entity, "roles", vs_vec_end_array(&roles));
    vs_obj_put(&o, "corim-id", id);
    vs_obj_put(&o, "entities", realm_list_of_one(&entity));
    vs_obj_put(&o, "profile", typed(j->a, "uri", vs_cstring(profile)));
    *out = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    return VS_OK;
}

static vs_code build(const job *j, realm_template t, vs_val *out)
{
    switch (t) {
    case REALM_CORIM_PLATFORM: return corim(j, platform_profile, j->spec->implementation_id, out);
    case REALM_COMID_PLATFORM: return comid_platform(j, out);
    case REALM_COMID_CPAK: return comid_cpak(j, out);
    case REALM_CORIM_REALM: return corim(j, realm_profile, j->spec->rim, out);
    case REALM_COMID_REALM: return comid_realm(j, out);
    case REALM_TEMPLATES: break;
    }
    return vs_fail(j->err, VS_E_INTERNAL, "no such template");
}

vs_code realm_template_write(const realm_spec *spec, const realm_keys *keys, realm_template t,
                             unsigned version, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    job j = {.a = &a, .spec = spec, .keys = keys, .version = version, .err = err};
    vs_val v;
    VS_TRY_WRAP(build(&j, t, &v), err, "%s", realm_template_file(t));
    return realm_print(&a, v, out, err);
}
