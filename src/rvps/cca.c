/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/cca.h"

#include "base/enc.h"

#define CPAK     "cca.cpak."
#define PLATFORM "cca.platform."
#define REALM    "cca.realm."

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_hex(vs_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i] | 0x20;
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return s.n > 0;
}

bool rvps_is_cca_key_name(vs_span name)
{
    return vs_span_starts(name, VS_LIT(CPAK));
}

bool rvps_is_cca_name(vs_span name)
{
    return rvps_is_cca_key_name(name) || vs_span_starts(name, VS_LIT(PLATFORM)) ||
           (vs_span_starts(name, VS_LIT(REALM)) && is_hex(vs_span_from(name, sizeof REALM - 1)));
}

unsigned rvps_right_of_name(vs_span name)
{
    if (!rvps_is_cca_name(name))
        return RVPS_MAY_VALUES;
    if (rvps_is_cca_key_name(name))
        return RVPS_MAY_KEYS;
    return vs_span_starts(name, VS_LIT(PLATFORM)) ? RVPS_MAY_PLATFORM : RVPS_MAY_REALM;
}

/* ---- entries --------------------------------------------------------------------------------- */

static vs_val hex_of(vs_arena *a, vs_span bytes)
{
    return vs_string(vs_hex_encode_arena(a, bytes));
}

static vs_val hex_or_none(vs_arena *a, vs_span bytes)
{
    return bytes.p ? hex_of(a, bytes) : vs_undefined();
}

static vs_val text_or_none(vs_span text)
{
    return text.p ? vs_string(text) : vs_undefined();
}

/* Adds an entry of the CoMID to what is kept under the prefix and `id`. */
static void add_entry(rvps_records *out, const char *prefix, vs_span id, vs_obj *entry,
                      const corim *c, size_t comid)
{
    vs_arena *a = out->a;
    vs_obj_put(entry, "corim", vs_string(corim_id_text(a, c->id)));
    vs_obj_put(entry, "tag", vs_string(corim_id_text(a, c->comids[comid].tag)));
    vs_obj_put(entry, "version", vs_int((int64_t)c->comids[comid].version));
    vs_vec one = {.a = a};
    vs_vec_add(&one, vs_obj_end(entry, VS_DUP_REFUSE, NULL));
    const char *name = vs_sprintf(a, "%s%.*s", prefix, VS_FMT(vs_hex_encode_arena(a, id)));
    rvps_add_record(out, vs_str(name), vs_vec_end_array(&one), RVPS_MERGE_ENTRIES);
}

static vs_code jwk_of(vs_arena *a, vs_span text, vs_val *out, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    vs_span trimmed = vs_span_trim(text), der;
    if (vs_span_starts(trimmed, VS_LIT("-----BEGIN PUBLIC KEY-----"))) {
        VS_TRY(vs_key_from_pem(trimmed, false, &key, err));
    } else {
        VS_TRY(vs_b64_decode_arena(a, VS_B64_STD, trimmed, &der, err));
        VS_TRY(vs_key_from_spki(der, &key, err));
    }
    if (vs_key_kind(key) == VS_KEY_RSA)
        return vs_fail(err, VS_E_UNSUPPORTED, "it is an RSA key, which no CCA platform has");
    return vs_key_to_jwk(a, key, NULL, out, err);
}

static vs_code add_key(rvps_records *out, const corim *c, const corim_cca_key *k, vs_error *err)
{
    vs_obj o = {.a = out->a};
    vs_val jwk;
    VS_TRY(jwk_of(out->a, k->key, &jwk, err));
    vs_obj_put(&o, "implementation-id", hex_of(out->a, k->implementation));
    vs_obj_put(&o, "key", jwk);
    add_entry(out, CPAK, k->instance, &o, c, k->comid);
    return VS_OK;
}

static vs_val component_of(vs_arena *a, const corim_cca_component *c)
{
    vs_vec values = {.a = a};
    vs_obj o = {.a = a};
    for (size_t i = 0; i < c->n; i++)
        vs_vec_add(&values, hex_of(a, c->values[i]));
    vs_obj_put(&o, "measurement-values", vs_vec_end_array(&values));
    vs_obj_put(&o, "signer-id", hex_of(a, c->signer));
    vs_obj_opt(&o, "component-type", text_or_none(c->type));
    vs_obj_opt(&o, "version", text_or_none(c->version));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static bool same_platform(const corim_cca_platform *p, const corim_cca_platform *q)
{
    return p->comid == q->comid && vs_span_eq(p->implementation, q->implementation);
}

/* Of the triples of one CoMID, the `first` of its implementation: with those that follow. */
static vs_code add_platform(rvps_records *out, const corim *c, size_t first, vs_error *err)
{
    const corim_cca_platform *all = c->cca.platforms, *p = &all[first];
    vs_arena *a = out->a;
    vs_span config = {NULL, 0}, mask = {NULL, 0};
    vs_vec components = {.a = a};
    vs_obj o = {.a = a};
    for (size_t i = first; i < c->cca.n_platforms; i++) {
        if (!same_platform(p, &all[i]))
            continue;
        for (size_t k = 0; k < all[i].n; k++)
            vs_vec_add(&components, component_of(a, &all[i].components[k]));
        if (!all[i].config.p)
            continue;
        if (config.p && !(vs_span_eq(config, all[i].config) && vs_span_eq(mask, all[i].mask)))
            return vs_fail(err, VS_E_INVALID,
                           "reference triple %zu: another platform configuration for the same "
                           "implementation in one CoMID",
                           i + 1);
        config = all[i].config;
        mask = all[i].mask;
    }
    vs_obj_put(&o, "sw-components", vs_vec_end_array(&components));
    vs_obj_opt(&o, "config", hex_or_none(a, config));
    vs_obj_opt(&o, "config-mask", hex_or_none(a, mask));
    add_entry(out, PLATFORM, p->implementation, &o, c, p->comid);
    return VS_OK;
}

static bool is_first(const corim_cca *cca, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_platform(&cca->platforms[i], &cca->platforms[at]))
            return false;
    return true;
}

static void add_realm(rvps_records *out, const corim *c, const corim_cca_realm *r)
{
    vs_vec rems = {.a = out->a};
    vs_obj o = {.a = out->a};
    for (size_t i = 0; i < CORIM_CCA_REMS; i++)
        vs_vec_add(&rems, r->rem[i].p ? hex_of(out->a, r->rem[i]) : vs_null());
    vs_obj_put(&o, "rem", vs_vec_end_array(&rems));
    vs_obj_opt(&o, "rpv", hex_or_none(out->a, r->rpv));
    add_entry(out, REALM, r->rim, &o, c, r->comid);
}

enum { TRIPLES_MAX = 4096 }; /* of one message; those of platforms are compared with each other */

vs_code rvps_add_cca(rvps_records *out, const corim *c, vs_error *err)
{
    const corim_cca *cca = &c->cca;
    if (cca->n_platforms > TRIPLES_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu reference triples, at most %d", cca->n_platforms,
                       TRIPLES_MAX);
    for (size_t i = 0; i < cca->n_keys; i++)
        VS_TRY_WRAP(add_key(out, c, &cca->keys[i], err), err, "key triple %zu", i + 1);
    for (size_t i = 0; i < cca->n_platforms; i++)
        if (is_first(cca, i))
            VS_TRY(add_platform(out, c, i, err));
    for (size_t i = 0; i < cca->n_realms; i++)
        add_realm(out, c, &cca->realms[i]);
    return vs_arena_check(out->a, err);
}
