/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/endorsed.h"

#include "base/enc.h"
#include "tee/cca/fields.h"
#include "value/json.h"

/* Of a record, all entries together: more than a stored one has room for, of whom strangers fill
 * little (rvps/strangers.h), so that nobody makes a record useless that others have endorsed. */
enum { COMPONENTS_MAX = 128 * 1024 };

/* ---- records ----------------------------------------------------------------------------------
 */

vs_code cca_find_record(const vs_tee_endorsements *e, vs_arena *a, const char *prefix, vs_span id,
                        cca_record *out, vs_error *err)
{
    *out = (cca_record){
        .name = vs_concat(a, vs_str(prefix), vs_hex_encode_arena(a, id), (vs_span){NULL, 0})};
    VS_TRY(vs_arena_check(a, err));
    if (!e)
        return VS_OK;
    VS_TRY_WRAP(e->find(e->user, vs_str(out->name), a, &out->entries, err), err,
                "looking up endorsement %s", out->name);
    if (out->entries.kind == VS_NULL) /* so some providers say "none" */
        out->entries = vs_undefined();
    if (vs_defined(out->entries) && out->entries.kind != VS_ARRAY)
        return vs_fail(err, VS_E_INVALID, "endorsement %s is not an array", out->name);
    return VS_OK;
}

vs_val cca_provenance(vs_arena *a, const cca_record *r, uint32_t entry)
{
    static const char *const members[] = {"corim", "tag", "version"};
    vs_obj o = {.a = a};
    vs_obj_put(&o, "record", vs_cstring(r->name));
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        vs_val v = vs_getc(r->entries.u.items[entry], members[i]);
        if (v.kind == VS_STRING || v.kind == VS_NUMBER)
            vs_obj_put(&o, members[i], v);
    }
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* Puts record and entry before the sentences of `code`. */
static vs_code in_entry(const cca_record *r, uint32_t entry, vs_code code, vs_error *err)
{
    if (code != VS_OK)
        (void)vs_wrap(err, "endorsement %s, entry %u", r->name, entry);
    return code;
}

/* ---- attestation keys -------------------------------------------------------------------------
 */

static vs_code read_key_entry(vs_arena *a, vs_val entry, const cca_platform *p, bool *of_platform,
                              vs_val *jwk, vs_error *err)
{
    vs_span implementation_id;
    VS_TRY(cca_need_hex(a, entry, "implementation-id", CCA_IMPLEMENTATION_ID, &implementation_id,
                        err));
    *of_platform = vs_span_eq(implementation_id, p->implementation_id);
    return vs_need(entry, "key", VS_OBJECT, jwk, err);
}

static bool is_verified(vs_val jwk, const uint8_t *verified, cca_anchor *out)
{
    return verified && cca_key_identity(jwk, out->identity, NULL) == VS_OK &&
           memcmp(out->identity, verified, CCA_IDENTITY) == 0;
}

vs_code cca_read_anchor(vs_arena *a, const cca_record *r, const cca_platform *p,
                        const uint8_t *verified, cca_anchor *out, uint32_t *entry, vs_error *err)
{
    *out = (cca_anchor){.implementation_id = p->implementation_id, .instance_id = p->instance_id};
    size_t found = 0;
    vs_val key = vs_undefined();
    for (uint32_t i = 0; i < r->entries.len; i++) {
        bool of_platform = false;
        vs_val jwk;
        VS_TRY(in_entry(r, i, read_key_entry(a, r->entries.u.items[i], p, &of_platform, &jwk, err),
                        err));
        if (!of_platform)
            continue;
        found++;
        key = jwk;
        *entry = i;
    }
    if (found == 0)
        return vs_fail(err, VS_E_UNTRUSTED,
                       "endorsement %s has no key for the platform token's implementation id",
                       r->name);
    if (found > 1)
        return vs_fail(err, VS_E_UNTRUSTED,
                       "endorsement %s has %zu keys for this implementation id, must have one",
                       r->name, found);
    if (is_verified(key, verified, out))
        return VS_OK;
    VS_TRY(in_entry(r, *entry, cca_anchor_key(a, key, out, err), err));
    if (out->flaw)
        return vs_fail(err, VS_E_UNTRUSTED, "endorsement %s, entry %u: the key is unusable: %s",
                       r->name, *entry, out->flaw);
    return VS_OK;
}

/* ---- platforms --------------------------------------------------------------------------------
 */

static vs_code read_values(vs_arena *a, vs_val component, cca_endorsed_component *out,
                           vs_error *err)
{
    vs_val list;
    VS_TRY(vs_need(component, "measurement-values", VS_ARRAY, &list, err));
    if (!list.len)
        return vs_fail(err, VS_E_INVALID, "member \"measurement-values\" is empty");
    vs_span *values = vs_alloc_array(a, list.len, sizeof *values);
    VS_TRY(vs_arena_check(a, err));
    for (uint32_t i = 0; i < list.len; i++)
        VS_TRY_WRAP(cca_item_digest(a, list.u.items[i], &values[i], err), err,
                    "\"measurement-values\" %u", i);
    out->values = values;
    out->n_values = list.len;
    return VS_OK;
}

/* The provider marks what nobody vouches for (rvps/comids.c). */
static bool is_vouched(vs_val entry)
{
    vs_val mark = vs_getc(entry, "vouched");
    return !vs_defined(mark) || vs_is_true(mark);
}

static vs_code read_components(vs_arena *a, vs_val list, uint32_t entry, cca_platform_record *r,
                               vs_error *err)
{
    bool vouched = is_vouched(r->record.entries.u.items[entry]);
    for (uint32_t i = 0; i < list.len; i++) {
        cca_endorsed_component *c = &r->components[r->n_components];
        *c = (cca_endorsed_component){.entry = entry, .vouched = vouched};
        VS_TRY_WRAP(cca_component_labels(a, list.u.items[i], &c->labels, err), err,
                    "\"sw-components\" %u", i);
        VS_TRY_WRAP(read_values(a, list.u.items[i], c, err), err, "\"sw-components\" %u", i);
        r->n_components++;
    }
    return VS_OK;
}

static vs_code read_config(vs_arena *a, vs_val entry, uint32_t place, cca_platform_record *r,
                           vs_error *err)
{
    cca_endorsed_config c = {.entry = place};
    VS_TRY(cca_may_hex(a, entry, "config", 0, &c.value, err));
    VS_TRY(cca_may_hex(a, entry, "config-mask", 0, &c.mask, err));
    if (c.mask.p && (!c.value.p || c.mask.n != c.value.n))
        return vs_fail(err, VS_E_INVALID,
                       "member \"config-mask\" has %zu bytes, must have the %zu of \"config\"",
                       c.mask.n, c.value.n);
    if (c.value.p)
        r->configs[r->n_configs++] = c;
    return VS_OK;
}

/* Makes room for the components of all entries; finds out here that they are lists. */
static vs_code count_components(vs_arena *a, cca_platform_record *r, vs_error *err)
{
    size_t n = 0;
    for (uint32_t i = 0; i < r->record.entries.len; i++) {
        vs_val list;
        VS_TRY(in_entry(&r->record, i,
                        vs_may(r->record.entries.u.items[i], "sw-components", VS_ARRAY, &list, err),
                        err));
        n += vs_defined(list) ? list.len : 0;
    }
    if (n > COMPONENTS_MAX)
        return vs_fail(err, VS_E_LIMIT, "endorsement %s has more than %d software components",
                       r->record.name, COMPONENTS_MAX);
    r->components = vs_alloc_array(a, n, sizeof *r->components);
    r->configs = vs_alloc_array(a, r->record.entries.len, sizeof *r->configs);
    return vs_arena_check(a, err);
}

vs_code cca_read_platform_record(vs_arena *a, cca_platform_record *r, vs_error *err)
{
    r->n_components = r->n_configs = 0;
    VS_TRY(count_components(a, r, err));
    for (uint32_t i = 0; i < r->record.entries.len; i++) {
        vs_val entry = r->record.entries.u.items[i], list = vs_getc(entry, "sw-components");
        if (list.kind == VS_ARRAY)
            VS_TRY(in_entry(&r->record, i, read_components(a, list, i, r, err), err));
        VS_TRY(in_entry(&r->record, i, read_config(a, entry, i, r, err), err));
    }
    return vs_arena_check(a, err);
}

/* ---- realms -----------------------------------------------------------------------------------
 */

static vs_code read_realm(vs_arena *a, vs_val entry, cca_endorsed_realm *out, vs_error *err)
{
    vs_val rems;
    VS_TRY(vs_may(entry, "rem", VS_ARRAY, &rems, err));
    VS_TRY(cca_may_hex(a, entry, "rpv", 0, &out->rpv, err));
    if (!vs_defined(rems))
        return VS_OK;
    if (rems.len != CCA_REMS)
        return vs_fail(err, VS_E_INVALID, "member \"rem\" has %u items, must have %d", rems.len,
                       CCA_REMS);
    for (uint32_t i = 0; i < CCA_REMS; i++)
        if (rems.u.items[i].kind != VS_NULL)
            VS_TRY_WRAP(cca_item_digest(a, rems.u.items[i], &out->rem[i], err), err, "\"rem\" %u",
                        i);
    return VS_OK;
}

vs_code cca_read_realm_record(vs_arena *a, cca_realm_record *r, vs_error *err)
{
    r->n_realms = r->record.entries.len;
    r->realms = vs_zalloc(a, r->n_realms * sizeof *r->realms);
    VS_TRY(vs_arena_check(a, err));
    for (uint32_t i = 0; i < r->n_realms; i++)
        VS_TRY(in_entry(&r->record, i,
                        read_realm(a, r->record.entries.u.items[i], &r->realms[i], err), err));
    return VS_OK;
}
