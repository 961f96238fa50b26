/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tokens say, as JSON: realm.json. All byte strings are hexadecimal.
 *
 *   form                       399 or 907
 *   platform-profile           text
 *   realm-profile              text; null or "" for a legacy realm token
 *   platform-hash-algorithm, hash-algorithm, rak-hash-algorithm   "sha-256", "sha-384", "sha-512"
 *   initial-measurement, extensible-measurements (4), personalization-value (64 bytes)
 *   implementation-id, instance-id?, platform-configuration, verification-service?
 *   lifecycle                  number, or the name of a state such as "secured"
 *   sw-components              array of {component-type?, measurement-value, version?, signer-id,
 *                              hash-algorithm?, live-activation?, countersigners?}
 *   rak-encoding?              "raw" or "cose-key"; as the profile demands when not there
 * and of profile 2.0.0:
 *   client-id?, manufacturing-configuration?, realm-instance-id?, devices-hash?
 *   devices?                   array of {hash-algorithm?, measurement?, certificate?, uses-ide?,
 *                              protocol?, vca?}
 *   mec-policy?                "shared" or "private"; also under 1.0.0
 *   lfa-policy?                "disallow" or "allow"
 */
#include "realm/describe.h"

#include "base/enc.h"
#include "value/json.h"
#include "value/toml.h"

static const char *const mec_words[] = {"shared", "private"};
static const char *const lfa_words[] = {"disallow", "allow"};
static const char *const rak_words[] = {NULL, "raw", "cose-key"};

/* ---- writing --------------------------------------------------------------------------------- */

vs_val realm_hex(vs_arena *a, vs_span s)
{
    return vs_string(vs_hex_encode_arena(a, s));
}

vs_val realm_list_of_one(vs_obj *entry)
{
    vs_vec list = {.a = entry->a};
    vs_vec_add(&list, vs_obj_end(entry, VS_DUP_REFUSE, NULL));
    return vs_vec_end_array(&list);
}

static void put_hex_opt(vs_obj *o, const char *key, vs_span s)
{
    if (s.n)
        vs_obj_put(o, key, realm_hex(o->a, s));
}

static void put_text_opt(vs_obj *o, const char *key, vs_span s)
{
    if (s.p)
        vs_obj_put(o, key, vs_string(s));
}

static void put_bool_opt(vs_obj *o, const char *key, int value)
{
    if (value >= 0)
        vs_obj_put(o, key, vs_bool(value));
}

static vs_val hex_list(vs_arena *a, const vs_span *items, size_t n)
{
    vs_vec list = {.a = a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&list, realm_hex(a, items[i]));
    return vs_vec_end_array(&list);
}

static vs_val component_value(vs_arena *a, const cca_component *c)
{
    vs_obj o = {.a = a};
    put_text_opt(&o, "component-type", c->type);
    vs_obj_put(&o, "measurement-value", realm_hex(a, c->value));
    put_text_opt(&o, "version", c->version);
    vs_obj_put(&o, "signer-id", realm_hex(a, c->signer_id));
    put_text_opt(&o, "hash-algorithm", c->hash);
    put_bool_opt(&o, "live-activation", c->live_activation);
    if (c->n_countersigners)
        vs_obj_put(&o, "countersigners", hex_list(a, c->countersigners, c->n_countersigners));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val realm_components_value(vs_arena *a, const realm_spec *spec)
{
    vs_vec list = {.a = a};
    for (size_t i = 0; i < spec->n_components; i++)
        vs_vec_add(&list, component_value(a, &spec->components[i]));
    return vs_vec_end_array(&list);
}

static vs_val device_value(vs_arena *a, const cca_device *d)
{
    vs_obj o = {.a = a};
    put_text_opt(&o, "hash-algorithm", d->hash);
    put_hex_opt(&o, "measurement", d->measurement);
    put_hex_opt(&o, "certificate", d->certificate);
    put_bool_opt(&o, "uses-ide", d->uses_ide);
    put_text_opt(&o, "protocol", d->protocol);
    put_hex_opt(&o, "vca", d->vca);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val devices_value(vs_arena *a, const realm_spec *spec)
{
    vs_vec list = {.a = a};
    for (size_t i = 0; i < spec->n_devices; i++)
        vs_vec_add(&list, device_value(a, &spec->devices[i]));
    return vs_vec_end_array(&list);
}

vs_val realm_rems_value(vs_arena *a, const realm_spec *spec)
{
    return hex_list(a, spec->rem, CCA_REMS);
}

/* What is there only sometimes. */
static void put_options(vs_obj *o, const realm_spec *spec)
{
    if (spec->service.n)
        vs_obj_put(o, "verification-service", vs_string(spec->service));
    if (spec->rak_form != REALM_RAK_BY_PROFILE)
        vs_obj_put(o, "rak-encoding", vs_cstring(rak_words[spec->rak_form]));
    if (spec->client_id != 1)
        vs_obj_put(o, "client-id", vs_int((int64_t)spec->client_id));
    put_hex_opt(o, "instance-id", spec->instance_id);
    put_hex_opt(o, "manufacturing-configuration", spec->manufacturing_config);
    if (spec->n_devices)
        vs_obj_put(o, "devices", devices_value(o->a, spec));
    put_hex_opt(o, "realm-instance-id", spec->realm_instance_id);
    if (spec->mec_policy >= 0)
        vs_obj_put(o, "mec-policy", vs_cstring(mec_words[spec->mec_policy]));
    if (spec->lfa_policy >= 0)
        vs_obj_put(o, "lfa-policy", vs_cstring(lfa_words[spec->lfa_policy]));
    put_hex_opt(o, "devices-hash", spec->devices_hash);
}

static vs_val spec_value(vs_arena *a, const realm_spec *spec)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "note", vs_cstring(realm_note));
    vs_obj_put(&o, "form", vs_int(spec->tag));
    vs_obj_put(&o, "platform-profile", vs_cstring(spec->platform_profile));
    vs_obj_put(&o, "realm-profile",
               spec->realm_profile ? vs_cstring(spec->realm_profile) : vs_null());
    vs_obj_put(&o, "platform-hash-algorithm", vs_cstring(vs_hash_name(spec->platform_hash)));
    vs_obj_put(&o, "hash-algorithm", vs_cstring(vs_hash_name(spec->hash)));
    vs_obj_put(&o, "rak-hash-algorithm", vs_cstring(vs_hash_name(spec->rak_hash)));
    vs_obj_put(&o, "initial-measurement", realm_hex(a, spec->rim));
    vs_obj_put(&o, "extensible-measurements", realm_rems_value(a, spec));
    vs_obj_put(&o, "personalization-value", realm_hex(a, spec->rpv));
    vs_obj_put(&o, "implementation-id", realm_hex(a, spec->implementation_id));
    vs_obj_put(&o, "platform-configuration", realm_hex(a, spec->config));
    vs_obj_put(&o, "lifecycle", vs_int(spec->lifecycle));
    vs_obj_put(&o, "sw-components", realm_components_value(a, spec));
    put_options(&o, spec);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_code realm_print(const vs_arena *a, vs_val v, vs_buf *json, vs_error *err)
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
    return realm_print(&a, spec_value(&a, spec), json, err);
}

/* ---- reading members ------------------------------------------------------------------------- */

/* A member that is misspelt would be a claim that is silently the default. */
static vs_code refuse_unknown(vs_val o, const char *const *known, vs_error *err)
{
    if (o.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be an object, not %s",
                       vs_kind_name((vs_kind)o.kind));
    for (VS_OBJ_FOR (pair, o)) {
        size_t i = 0;
        while (known[i] && !vs_span_is(vs_text(pair->key), known[i]))
            i++;
        if (!known[i])
            return vs_fail(err, VS_E_INVALID, "unknown member \"%.*s\"",
                           VS_FMT(vs_span_head(vs_text(pair->key), 64)));
    }
    return VS_OK;
}

static vs_code may_hex(vs_arena *a, vs_val o, const char *key, vs_span *out, vs_error *err)
{
    vs_val v;
    *out = (vs_span){0};
    VS_TRY(vs_may(o, key, VS_STRING, &v, err));
    if (vs_defined(v))
        VS_TRY_WRAP(vs_hex_decode_arena(a, vs_text(v), out, err), err, "member \"%s\"", key);
    return VS_OK;
}

static vs_code need_hex(vs_arena *a, vs_val o, const char *key, vs_span *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(o, key, VS_STRING, &v, err));
    return may_hex(a, o, key, out, err);
}

static vs_code may_text(vs_val o, const char *key, vs_span *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_may(o, key, VS_STRING, &v, err));
    *out = vs_text(v);
    return VS_OK;
}

/* 0, 1, or -1 when it is not there. */
static vs_code may_bool(vs_val o, const char *key, int *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_may(o, key, VS_BOOL, &v, err));
    *out = vs_defined(v) ? v.u.b : -1;
    return VS_OK;
}

/* The place of the member among n words (those that are NULL count), or -1 when it is not there. */
static vs_code may_word(vs_val o, const char *key, const char *const *words, int n, int *out,
                        vs_error *err)
{
    vs_span s;
    *out = -1;
    VS_TRY(may_text(o, key, &s, err));
    if (!s.p)
        return VS_OK;
    for (int i = 0; i < n; i++)
        if (words[i] && vs_span_is(s, words[i]))
            *out = i;
    return *out >= 0 ? VS_OK
                     : vs_fail(err, VS_E_INVALID, "member \"%s\" must be \"%s\" or \"%s\"", key,
                               words[n - 2], words[n - 1]);
}

static vs_code need_hash(vs_val o, const char *key, vs_hash *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(o, key, VS_STRING, &v, err));
    *out = vs_hash_of_name(vs_text(v));
    return *out == VS_SHA256 || *out == VS_SHA384 || *out == VS_SHA512
               ? VS_OK
               : vs_fail(err, VS_E_INVALID,
                         "member \"%s\" must be \"sha-256\", \"sha-384\" or \"sha-512\"", key);
}

static vs_code read_hex_list(vs_arena *a, vs_val list, const char *key, vs_span *out, vs_error *err)
{
    for (uint32_t i = 0; i < list.len; i++)
        VS_TRY_WRAP(vs_hex_decode_arena(a, vs_text(list.u.items[i]), &out[i], err), err,
                    "\"%s\" %u", key, i);
    return VS_OK;
}

/* ---- reading lists --------------------------------------------------------------------------- */

static vs_code read_countersigners(vs_arena *a, vs_val o, cca_component *out, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_may(o, "countersigners", VS_ARRAY, &list, err));
    if (!vs_defined(list))
        return VS_OK;
    vs_span *ids = vs_zalloc(a, list.len * sizeof *ids);
    if (!ids)
        return vs_arena_check(a, err);
    out->countersigners = ids;
    out->n_countersigners = list.len;
    return read_hex_list(a, list, "countersigners", ids, err);
}

static vs_code read_component(vs_arena *a, vs_val o, void *item, vs_error *err)
{
    static const char *const known[] = {
        "component-type", "measurement-value", "version",        "signer-id",
        "hash-algorithm", "live-activation",   "countersigners", NULL};
    cca_component *out = item;
    VS_TRY(refuse_unknown(o, known, err));
    VS_TRY(need_hex(a, o, "measurement-value", &out->value, err));
    VS_TRY(need_hex(a, o, "signer-id", &out->signer_id, err));
    VS_TRY(may_text(o, "component-type", &out->type, err));
    VS_TRY(may_text(o, "version", &out->version, err));
    VS_TRY(may_text(o, "hash-algorithm", &out->hash, err));
    VS_TRY(may_bool(o, "live-activation", &out->live_activation, err));
    return read_countersigners(a, o, out, err);
}

static vs_code read_device(vs_arena *a, vs_val o, void *item, vs_error *err)
{
    static const char *const known[] = {"hash-algorithm", "measurement", "certificate", "uses-ide",
                                        "protocol",       "vca",         NULL};
    cca_device *out = item;
    VS_TRY(refuse_unknown(o, known, err));
    VS_TRY(may_text(o, "hash-algorithm", &out->hash, err));
    VS_TRY(may_hex(a, o, "measurement", &out->measurement, err));
    VS_TRY(may_hex(a, o, "certificate", &out->certificate, err));
    VS_TRY(may_bool(o, "uses-ide", &out->uses_ide, err));
    VS_TRY(may_text(o, "protocol", &out->protocol, err));
    return may_hex(a, o, "vca", &out->vca, err);
}

/* An array of objects onto the arena; none when the member is not there. */
static vs_code read_list(vs_arena *a, vs_val o, const char *key, size_t size,
                         vs_code (*read)(vs_arena *, vs_val, void *, vs_error *), const void **out,
                         size_t *n, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_may(o, key, VS_ARRAY, &list, err));
    *n = vs_defined(list) ? list.len : 0;
    uint8_t *items = vs_zalloc(a, *n * size);
    if (!items)
        return vs_arena_check(a, err);
    for (size_t i = 0; i < *n; i++)
        VS_TRY_WRAP(read(a, list.u.items[i], items + i * size, err), err, "\"%s\" %zu", key, i);
    *out = items;
    return VS_OK;
}

static vs_code read_rems(vs_arena *a, vs_val o, realm_spec *out, vs_error *err)
{
    static const char key[] = "extensible-measurements";
    vs_val list;
    VS_TRY(vs_need(o, key, VS_ARRAY, &list, err));
    if (list.len != CCA_REMS)
        return vs_fail(err, VS_E_INVALID, "\"%s\" must have %d items", key, CCA_REMS);
    return read_hex_list(a, list, key, out->rem, err);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static vs_code read_profiles(vs_arena *a, vs_val o, realm_spec *out, vs_error *err)
{
    vs_val platform;
    vs_span realm;
    VS_TRY(vs_need(o, "platform-profile", VS_STRING, &platform, err));
    VS_TRY(may_text(o, "realm-profile", &realm, err));
    out->platform_profile = vs_sprintf(a, "%.*s", VS_FMT(vs_text(platform)));
    if (realm.n)
        out->realm_profile = vs_sprintf(a, "%.*s", VS_FMT(realm));
    return VS_OK;
}

vs_code realm_lifecycle_of(vs_span name, uint16_t *out, vs_error *err)
{
    cca_lifecycle state;
    if (!cca_lifecycle_of_name(name, &state))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not a lifecycle state",
                       VS_FMT(vs_span_head(name, 64)));
    *out = (uint16_t)(state << 12); /* the states are numbered as in bits 15..12 (cca.md 1.5) */
    return VS_OK;
}

static vs_code read_numbers(vs_val o, realm_spec *out, vs_error *err)
{
    vs_val form, lifecycle = vs_getc(o, "lifecycle"), client;
    VS_TRY(vs_need(o, "form", VS_NUMBER, &form, err));
    VS_TRY(vs_may(o, "client-id", VS_NUMBER, &client, err));
    if (!vs_is_int(form) || (form.u.i != CCA_TAG_EAT && form.u.i != CCA_TAG_CMW))
        return vs_fail(err, VS_E_INVALID, "\"form\" must be %d or %d", CCA_TAG_EAT, CCA_TAG_CMW);
    if (vs_defined(client) && (!vs_is_int(client) || client.u.i < 0))
        return vs_fail(err, VS_E_INVALID, "\"client-id\" must be a number from 0 on");
    out->tag = (unsigned)form.u.i;
    out->client_id = vs_defined(client) ? (uint64_t)client.u.i : 1;
    if (lifecycle.kind == VS_STRING)
        return realm_lifecycle_of(vs_text(lifecycle), &out->lifecycle, err);
    if (!vs_is_int(lifecycle) || lifecycle.u.i < 0 || lifecycle.u.i > UINT16_MAX)
        return vs_fail(err, VS_E_INVALID,
                       "\"lifecycle\" must be 0 to 65535 or the name of a state");
    out->lifecycle = (uint16_t)lifecycle.u.i;
    return VS_OK;
}

static vs_code read_options(vs_arena *a, vs_val o, realm_spec *out, vs_error *err)
{
    int form;
    const void *devices;
    VS_TRY(may_text(o, "verification-service", &out->service, err));
    VS_TRY(may_word(o, "rak-encoding", rak_words, VS_COUNT(rak_words), &form, err));
    out->rak_form = form < 0 ? REALM_RAK_BY_PROFILE : (realm_rak_form)form;
    VS_TRY(may_word(o, "mec-policy", mec_words, VS_COUNT(mec_words), &out->mec_policy, err));
    VS_TRY(may_word(o, "lfa-policy", lfa_words, VS_COUNT(lfa_words), &out->lfa_policy, err));
    VS_TRY(may_hex(a, o, "instance-id", &out->instance_id, err));
    VS_TRY(may_hex(a, o, "manufacturing-configuration", &out->manufacturing_config, err));
    VS_TRY(may_hex(a, o, "realm-instance-id", &out->realm_instance_id, err));
    VS_TRY(may_hex(a, o, "devices-hash", &out->devices_hash, err));
    VS_TRY(read_list(a, o, "devices", sizeof *out->devices, read_device, &devices, &out->n_devices,
                     err));
    out->devices = devices;
    return VS_OK;
}

static const char *const members[] = {"note",
                                      "form",
                                      "platform-profile",
                                      "realm-profile",
                                      "platform-hash-algorithm",
                                      "hash-algorithm",
                                      "rak-hash-algorithm",
                                      "initial-measurement",
                                      "extensible-measurements",
                                      "personalization-value",
                                      "implementation-id",
                                      "instance-id",
                                      "platform-configuration",
                                      "lifecycle",
                                      "verification-service",
                                      "sw-components",
                                      "rak-encoding",
                                      "client-id",
                                      "manufacturing-configuration",
                                      "devices",
                                      "realm-instance-id",
                                      "mec-policy",
                                      "lfa-policy",
                                      "devices-hash",
                                      NULL};

static vs_code read_spec(vs_arena *a, vs_val o, realm_spec *out, vs_error *err)
{
    const void *components;
    *out = (realm_spec){0};
    VS_TRY(refuse_unknown(o, members, err));
    VS_TRY(read_numbers(o, out, err));
    VS_TRY(read_profiles(a, o, out, err));
    VS_TRY(need_hash(o, "platform-hash-algorithm", &out->platform_hash, err));
    VS_TRY(need_hash(o, "hash-algorithm", &out->hash, err));
    VS_TRY(need_hash(o, "rak-hash-algorithm", &out->rak_hash, err));
    VS_TRY(need_hex(a, o, "initial-measurement", &out->rim, err));
    VS_TRY(need_hex(a, o, "personalization-value", &out->rpv, err));
    VS_TRY(need_hex(a, o, "implementation-id", &out->implementation_id, err));
    VS_TRY(need_hex(a, o, "platform-configuration", &out->config, err));
    VS_TRY(read_rems(a, o, out, err));
    VS_TRY(read_list(a, o, "sw-components", sizeof *out->components, read_component, &components,
                     &out->n_components, err));
    out->components = components;
    VS_TRY(read_options(a, o, out, err));
    return vs_arena_check(a, err);
}

vs_code realm_spec_read(vs_arena *a, vs_span json, realm_spec *out, vs_error *err)
{
    vs_span text = vs_dup(a, json); /* strings of the document point into it */
    vs_val o;
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_json_parse(a, text, NULL, &o, err));
    return read_spec(a, o, out, err);
}

/* The hash that a description names, or that its initial measurement has the size of. */
static vs_code described_hash(vs_val o, vs_hash *out, vs_error *err)
{
    size_t digits = vs_text(vs_getc(o, "initial-measurement")).n;
    *out = digits == 64 ? VS_SHA256 : digits == 96 ? VS_SHA384 : VS_SHA512;
    return vs_defined(vs_getc(o, "hash-algorithm")) ? need_hash(o, "hash-algorithm", out, err)
                                                    : VS_OK;
}

vs_code realm_spec_describe(vs_arena *a, vs_span text, bool toml, realm_spec *out, vs_error *err)
{
    vs_val o, profile;
    vs_hash hash;
    text = vs_dup(a, text);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(toml ? vs_toml_parse(a, text, &o, err) : vs_json_parse(a, text, NULL, &o, err));
    VS_TRY(realm_spec_default(a, out, err));
    VS_TRY(vs_may(o, "profile", VS_STRING, &profile, err));
    if (vs_defined(profile))
        VS_TRY(realm_spec_set_profile(out, vs_sprintf(a, "%.*s", VS_FMT(vs_text(profile))), err));
    VS_TRY(described_hash(o, &hash, err));
    VS_TRY(realm_spec_set_hash(a, out, hash, err));
    vs_val whole = vs_with(a, spec_value(a, out), vs_cstring("hash-algorithm"),
                           vs_cstring(vs_hash_name(hash)));
    for (VS_OBJ_FOR (pair, o))
        if (!vs_span_is(vs_text(pair->key), "profile"))
            whole = vs_with(a, whole, pair->key, pair->val);
    VS_TRY(vs_arena_check(a, err));
    return read_spec(a, whole, out, err);
}
