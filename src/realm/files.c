/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A realm's directory. realm.json (all byte strings in hex):
 *
 *   form                       399 or 907
 *   platform-profile           text
 *   realm-profile              text, or null for a legacy realm token
 *   platform-hash-algorithm, hash-algorithm, rak-hash-algorithm   "sha-256", "sha-384", "sha-512"
 *   initial-measurement, extensible-measurements (4), personalization-value
 *   implementation-id, platform-configuration, lifecycle (number), verification-service?
 *   sw-components              array of {component-type?, measurement-value, version?, signer-id,
 *                              hash-algorithm?}
 */
#include "realm/realm.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "base/io.h"
#include "value/json.h"

enum { FILE_MAX = 1024 * 1024 };

static const char note[] = "TEST DEVICE of vouchsafe: proves nothing, never trust it outside tests";

/* ---- writing JSON ---------------------------------------------------------------------------- */

static vs_val hex(vs_arena *a, vs_span s)
{
    return vs_string(vs_hex_encode_arena(a, s));
}

static vs_val component_value(vs_arena *a, const cca_component *c)
{
    vs_obj o = {.a = a};
    if (c->type.p)
        vs_obj_put(&o, "component-type", vs_string(c->type));
    vs_obj_put(&o, "measurement-value", hex(a, c->value));
    if (c->version.p)
        vs_obj_put(&o, "version", vs_string(c->version));
    vs_obj_put(&o, "signer-id", hex(a, c->signer_id));
    if (c->hash.p)
        vs_obj_put(&o, "hash-algorithm", vs_string(c->hash));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val components_value(vs_arena *a, const realm_spec *spec)
{
    vs_vec list = {.a = a};
    for (size_t i = 0; i < spec->n_components; i++)
        vs_vec_add(&list, component_value(a, &spec->components[i]));
    return vs_vec_end_array(&list);
}

static vs_val rems_value(vs_arena *a, const realm_spec *spec)
{
    vs_vec list = {.a = a};
    for (unsigned i = 0; i < CCA_REMS; i++)
        vs_vec_add(&list, hex(a, spec->rem[i]));
    return vs_vec_end_array(&list);
}

static vs_val spec_value(vs_arena *a, const realm_spec *spec)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "note", vs_cstring(note));
    vs_obj_put(&o, "form", vs_int(spec->tag));
    vs_obj_put(&o, "platform-profile", vs_cstring(spec->platform_profile));
    vs_obj_put(&o, "realm-profile",
               spec->realm_profile ? vs_cstring(spec->realm_profile) : vs_null());
    vs_obj_put(&o, "platform-hash-algorithm", vs_cstring(vs_hash_name(spec->platform_hash)));
    vs_obj_put(&o, "hash-algorithm", vs_cstring(vs_hash_name(spec->hash)));
    vs_obj_put(&o, "rak-hash-algorithm", vs_cstring(vs_hash_name(spec->rak_hash)));
    vs_obj_put(&o, "initial-measurement", hex(a, spec->rim));
    vs_obj_put(&o, "extensible-measurements", rems_value(a, spec));
    vs_obj_put(&o, "personalization-value", hex(a, spec->rpv));
    vs_obj_put(&o, "implementation-id", hex(a, spec->implementation_id));
    vs_obj_put(&o, "platform-configuration", hex(a, spec->config));
    vs_obj_put(&o, "lifecycle", vs_int(spec->lifecycle));
    if (spec->service.n)
        vs_obj_put(&o, "verification-service", vs_string(spec->service));
    vs_obj_put(&o, "sw-components", components_value(a, spec));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* Prints a document that was built on `a`. */
static vs_code print(const vs_arena *a, vs_val v, vs_buf *json, vs_error *err)
{
    VS_TRY(vs_arena_check(a, err));
    vs_json_print_pretty(json, v);
    vs_buf_putc(json, '\n');
    return vs_buf_check(json, err);
}

vs_code realm_spec_write(const realm_spec *spec, vs_buf *json, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    return print(&a, spec_value(&a, spec), json, err);
}

vs_code realm_ta_store(const realm_spec *spec, const realm_keys *keys, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    uint8_t instance[CCA_INSTANCE_ID];
    vs_val jwk;
    VS_TRY(realm_instance_id(keys->cpak, instance, err));
    VS_TRY(vs_key_to_jwk(&a, keys->cpak, NULL, &jwk, err));
    vs_obj o = {.a = &a};
    vs_obj_put(&o, "implementation-id", hex(&a, spec->implementation_id));
    vs_obj_put(&o, "instance-id", hex(&a, vs_span_of(instance, sizeof instance)));
    vs_obj_put(&o, "pkey", jwk);
    vs_vec list = {.a = &a};
    vs_vec_add(&list, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    return print(&a, vs_vec_end_array(&list), out, err);
}

static vs_val list_of_one(vs_arena *a, vs_obj *entry)
{
    vs_vec list = {.a = a};
    vs_vec_add(&list, vs_obj_end(entry, VS_DUP_REFUSE, NULL));
    return vs_vec_end_array(&list);
}

vs_code realm_rv_store(const realm_spec *spec, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_obj platform = {.a = &a}, realm = {.a = &a}, store = {.a = &a};
    vs_obj_put(&platform, "implementation-id", hex(&a, spec->implementation_id));
    vs_obj_put(&platform, "platform-configuration", hex(&a, spec->config));
    vs_obj_put(&platform, "sw-components", components_value(&a, spec));
    vs_obj_put(&realm, "initial-measurement", hex(&a, spec->rim));
    vs_obj_put(&realm, "extensible-measurements", rems_value(&a, spec));
    vs_obj_put(&realm, "personalization-value", hex(&a, spec->rpv));
    vs_obj_put(&realm, "rak-hash-algorithm", vs_cstring(vs_hash_name(spec->rak_hash)));
    vs_obj_put(&store, "platform", list_of_one(&a, &platform));
    vs_obj_put(&store, "realm", list_of_one(&a, &realm));
    return print(&a, vs_obj_end(&store, VS_DUP_REFUSE, NULL), out, err);
}

/* ---- reading realm.json ---------------------------------------------------------------------- */

static vs_code need_hex(vs_arena *a, vs_val o, const char *key, vs_span *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(o, key, VS_STRING, &v, err));
    VS_TRY_WRAP(vs_hex_decode_arena(a, vs_text(v), out, err), err, "member \"%s\"", key);
    return VS_OK;
}

static vs_code need_hash(vs_val o, const char *key, vs_hash *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(o, key, VS_STRING, &v, err));
    *out = vs_hash_of_name(vs_text(v));
    return *out != VS_HASH_NONE
               ? VS_OK
               : vs_fail(err, VS_E_INVALID, "member \"%s\" is not a hash name", key);
}

static vs_code read_component(vs_arena *a, vs_val o, cca_component *out, vs_error *err)
{
    vs_val type, version, hash;
    VS_TRY(need_hex(a, o, "measurement-value", &out->value, err));
    VS_TRY(need_hex(a, o, "signer-id", &out->signer_id, err));
    VS_TRY(vs_may(o, "component-type", VS_STRING, &type, err));
    VS_TRY(vs_may(o, "version", VS_STRING, &version, err));
    VS_TRY(vs_may(o, "hash-algorithm", VS_STRING, &hash, err));
    out->type = vs_text(type);
    out->version = vs_text(version);
    out->hash = vs_text(hash);
    return VS_OK;
}

static vs_code read_components(vs_arena *a, vs_val o, realm_spec *out, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_need(o, "sw-components", VS_ARRAY, &list, err));
    cca_component *components = vs_zalloc(a, list.len * sizeof *components);
    if (!components)
        return vs_arena_check(a, err);
    for (uint32_t i = 0; i < list.len; i++)
        VS_TRY_WRAP(read_component(a, list.u.items[i], &components[i], err), err,
                    "\"sw-components\" %u", i);
    out->components = components;
    out->n_components = list.len;
    return VS_OK;
}

static vs_code read_rems(vs_arena *a, vs_val o, realm_spec *out, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_need(o, "extensible-measurements", VS_ARRAY, &list, err));
    if (list.len != CCA_REMS)
        return vs_fail(err, VS_E_INVALID, "\"extensible-measurements\" must have %d items",
                       CCA_REMS);
    for (unsigned i = 0; i < CCA_REMS; i++)
        VS_TRY_WRAP(vs_hex_decode_arena(a, vs_text(list.u.items[i]), &out->rem[i], err), err,
                    "\"extensible-measurements\" %u", i);
    return VS_OK;
}

static vs_code read_texts(vs_arena *a, vs_val o, realm_spec *out, vs_error *err)
{
    vs_val platform, realm, service;
    VS_TRY(vs_need(o, "platform-profile", VS_STRING, &platform, err));
    VS_TRY(vs_may(o, "realm-profile", VS_STRING, &realm, err));
    VS_TRY(vs_may(o, "verification-service", VS_STRING, &service, err));
    out->platform_profile = vs_sprintf(a, "%.*s", VS_FMT(vs_text(platform)));
    if (vs_defined(realm))
        out->realm_profile = vs_sprintf(a, "%.*s", VS_FMT(vs_text(realm)));
    out->service = vs_text(service);
    return VS_OK;
}

static vs_code read_numbers(vs_val o, realm_spec *out, vs_error *err)
{
    vs_val form, lifecycle;
    VS_TRY(vs_need(o, "form", VS_NUMBER, &form, err));
    VS_TRY(vs_need(o, "lifecycle", VS_NUMBER, &lifecycle, err));
    if (!vs_is_int(form) || (form.u.i != CCA_TAG_EAT && form.u.i != CCA_TAG_CMW))
        return vs_fail(err, VS_E_INVALID, "\"form\" must be %d or %d", CCA_TAG_EAT, CCA_TAG_CMW);
    if (!vs_is_int(lifecycle) || lifecycle.u.i < 0 || lifecycle.u.i > UINT16_MAX)
        return vs_fail(err, VS_E_INVALID, "\"lifecycle\" must be 0 to 65535");
    out->tag = (unsigned)form.u.i;
    out->lifecycle = (uint16_t)lifecycle.u.i;
    return VS_OK;
}

vs_code realm_spec_read(vs_arena *a, vs_span json, realm_spec *out, vs_error *err)
{
    *out = (realm_spec){0};
    vs_span text = vs_dup(a, json); /* strings of the document point into it */
    vs_val o;
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_json_parse(a, text, NULL, &o, err));
    VS_TRY(read_numbers(o, out, err));
    VS_TRY(read_texts(a, o, out, err));
    VS_TRY(need_hash(o, "platform-hash-algorithm", &out->platform_hash, err));
    VS_TRY(need_hash(o, "hash-algorithm", &out->hash, err));
    VS_TRY(need_hash(o, "rak-hash-algorithm", &out->rak_hash, err));
    VS_TRY(need_hex(a, o, "initial-measurement", &out->rim, err));
    VS_TRY(need_hex(a, o, "personalization-value", &out->rpv, err));
    VS_TRY(need_hex(a, o, "implementation-id", &out->implementation_id, err));
    VS_TRY(need_hex(a, o, "platform-configuration", &out->config, err));
    VS_TRY(read_rems(a, o, out, err));
    VS_TRY(read_components(a, o, out, err));
    return vs_arena_check(a, err);
}

/* ---- the directory --------------------------------------------------------------------------- */

static vs_code path_of(char out[PATH_MAX], const char *dir, const char *name, vs_error *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX ? VS_OK : vs_fail(err, VS_E_LIMIT, "path is too long: %s", dir);
}

static vs_code save(const char *dir, const char *name, const vs_buf *text, mode_t mode,
                    vs_error *err)
{
    char path[PATH_MAX];
    VS_TRY(path_of(path, dir, name, err));
    return vs_write_file(path, vs_buf_span(text), mode, err);
}

static vs_code keys_write(const realm_keys *keys, vs_buf *out, vs_error *err)
{
    vs_buf_printf(out, "{\n  \"note\": \"TEST KEYS. %s\",\n  \"cpak\": ", note);
    VS_TRY(vs_key_to_private_jwk(out, keys->cpak, err));
    vs_buf_puts(out, ",\n  \"rak\": ");
    VS_TRY(vs_key_to_private_jwk(out, keys->rak, err));
    vs_buf_puts(out, "\n}\n");
    return vs_buf_check(out, err);
}

static vs_code keys_read(vs_span json, realm_keys *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_val o, cpak, rak;
    VS_TRY(vs_json_parse(&a, json, NULL, &o, err));
    VS_TRY(vs_need(o, "cpak", VS_OBJECT, &cpak, err));
    VS_TRY(vs_need(o, "rak", VS_OBJECT, &rak, err));
    VS_TRY_WRAP(vs_key_from_jwk(cpak, true, true, &out->cpak, NULL, err), err, "\"cpak\"");
    VS_TRY_WRAP(vs_key_from_jwk(rak, true, true, &out->rak, NULL, err), err, "\"rak\"");
    return VS_OK;
}

/* cca-config.json, with absolute paths, since a server may run in another directory. */
static vs_code config_write(const char *dir, vs_buf *out, vs_error *err)
{
    char full[PATH_MAX], ta[PATH_MAX], rv[PATH_MAX];
    if (!realpath(dir, full))
        return vs_fail_errno(err, VS_E_IO, errno, "cannot find %s", dir);
    VS_TRY(path_of(ta, full, "ta-store.json", err));
    VS_TRY(path_of(rv, full, "rv-store.json", err));
    vs_buf_puts(out, "{\n  \"cca-verifier\": {\n    \"type\": \"local\",\n    \"ta-store\": ");
    vs_json_quote(out, vs_str(ta));
    vs_buf_puts(out, ",\n    \"rv-store\": ");
    vs_json_quote(out, vs_str(rv));
    vs_buf_puts(out, "\n  }\n}\n");
    return vs_buf_check(out, err);
}

static vs_code refuse_existing(const char *dir, vs_error *err)
{
    char path[PATH_MAX];
    struct stat st;
    VS_TRY(path_of(path, dir, "realm.json", err));
    return stat(path, &st) != 0 ? VS_OK
                                : vs_fail(err, VS_E_EXISTS, "there is a realm in %s already", dir);
}

static vs_code save_all(const char *dir, const realm_spec *spec, const realm_keys *keys,
                        vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(FILE_MAX);
    VS_TRY(keys_write(keys, &b, err));
    VS_TRY(save(dir, "keys.json", &b, 0600, err));
    vs_buf_clear(&b);
    VS_TRY(realm_ta_store(spec, keys, &b, err));
    VS_TRY(save(dir, "ta-store.json", &b, 0644, err));
    vs_buf_clear(&b);
    VS_TRY(realm_rv_store(spec, &b, err));
    VS_TRY(save(dir, "rv-store.json", &b, 0644, err));
    vs_buf_clear(&b);
    VS_TRY(config_write(dir, &b, err));
    VS_TRY(save(dir, "cca-config.json", &b, 0644, err));
    vs_buf_clear(&b);
    VS_TRY(realm_spec_write(spec, &b, err)); /* last: it marks the directory as complete */
    return save(dir, "realm.json", &b, 0644, err);
}

vs_code realm_create(const char *dir, const realm_spec *spec, vs_error *err)
{
    VS_CLEANUP(realm_keys_free) realm_keys keys = {0};
    VS_TRY(vs_make_dirs(dir, 0755, err));
    VS_TRY(refuse_existing(dir, err));
    VS_TRY(realm_keys_generate(&keys, err));
    return save_all(dir, spec, &keys, err);
}

static vs_code load(const char *dir, const char *name, vs_buf *out, vs_error *err)
{
    char path[PATH_MAX];
    vs_buf_clear(out);
    VS_TRY(path_of(path, dir, name, err));
    return vs_read_file(path, out, err);
}

static vs_code read_home(const char *dir, realm_home *r, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(FILE_MAX);
    VS_TRY(load(dir, "realm.json", &b, err));
    VS_TRY_WRAP(realm_spec_read(&r->arena, vs_buf_span(&b), &r->spec, err), err, "%s/realm.json",
                dir);
    VS_TRY(load(dir, "keys.json", &b, err));
    VS_TRY_WRAP(keys_read(vs_buf_span(&b), &r->keys, err), err, "%s/keys.json", dir);
    return realm_platform_token(&r->spec, &r->keys, &r->platform_token, err);
}

vs_code realm_open(const char *dir, realm_home **out, vs_error *err)
{
    VS_CLEANUP(realm_close) realm_home *r = calloc(1, sizeof *r);
    if (!r)
        return vs_fail(err, VS_E_NOMEM, "realm");
    vs_arena_init(&r->arena, 0);
    r->platform_token = (vs_buf)VS_BUF(CCA_TOKEN_MAX);
    VS_TRY(read_home(dir, r, err));
    *out = r;
    r = NULL; /* transferred */
    return VS_OK;
}

void realm_close(realm_home **r)
{
    if (!*r)
        return;
    realm_keys_free(&(*r)->keys);
    vs_buf_free(&(*r)->platform_token);
    vs_arena_free(&(*r)->arena);
    free(*r);
    *r = NULL;
}

vs_code realm_attest(const realm_home *r, vs_span challenge, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    if (challenge.n != CCA_CHALLENGE)
        return vs_fail(err, VS_E_INVALID, "challenge has %zu bytes, must have %d", challenge.n,
                       CCA_CHALLENGE);
    VS_TRY(realm_realm_token(&r->spec, &r->keys, challenge, &token, err));
    return realm_wrap(r->spec.tag, vs_buf_span(&r->platform_token), vs_buf_span(&token), out, err);
}

vs_code realm_extend(realm_home *r, const char *dir, unsigned index, vs_span data, vs_error *err)
{
    if (index < 1 || index > CCA_REMS || data.n > 64)
        return vs_fail(err, VS_E_INVALID,
                       "a measurement is extended by index 1 to %d and 0 to 64 bytes", CCA_REMS);
    vs_span *rem = &r->spec.rem[index - 1];
    uint8_t hash[VS_HASH_MAX];
    VS_TRY(vs_digest(r->spec.hash, *rem, data, (vs_span){0}, hash, err));
    *rem = vs_dup(&r->arena, vs_span_of(hash, vs_hash_size(r->spec.hash)));
    VS_TRY(vs_arena_check(&r->arena, err));
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(FILE_MAX);
    VS_TRY(realm_spec_write(&r->spec, &json, err));
    return save(dir, "realm.json", &json, 0644, err);
}
