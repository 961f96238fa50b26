/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/stores.h"

#include <stdlib.h>

#include "base/enc.h"
#include "base/log.h"
#include "tee/cca/fields.h"
#include "value/json.h"

enum { ENTRIES_MAX = 100000 };

/* ---- trust anchors -------------------------------------------------------------------------- */

static void warn_of_flaw(vs_arena *a, const cca_anchor *anchor)
{
    vs_span id = vs_hex_encode_arena(a, anchor->instance_id);
    vs_log(VS_LOG_WARN, "cca", "trust anchor has an unusable key: this platform is refused",
           "instance", vs_sprintf(a, "%.*s", VS_FMT(id)), "error", anchor->flaw, NULL);
}

static vs_code read_anchor(vs_arena *a, vs_val entry, cca_anchor *out, vs_error *err)
{
    VS_TRY(cca_need_hex(a, entry, "implementation-id", CCA_IMPLEMENTATION_ID,
                        &out->implementation_id, err));
    VS_TRY(cca_need_hex(a, entry, "instance-id", CCA_INSTANCE_ID, &out->instance_id, err));
    vs_val jwk;
    VS_TRY(vs_need(entry, "pkey", VS_OBJECT, &jwk, err));
    VS_TRY(cca_anchor_key(a, jwk, out, err));
    if (out->flaw)
        warn_of_flaw(a, out);
    return VS_OK;
}

/* Equal ones stay in file order. */
static int by_id(vs_span a, size_t a_order, vs_span b, size_t b_order)
{
    int c = vs_span_cmp(a, b);
    return c ? c : (a_order > b_order) - (a_order < b_order);
}

static int by_instance(const void *x, const void *y)
{
    const cca_anchor *a = x, *b = y;
    return by_id(a->instance_id, a->order, b->instance_id, b->order);
}

static void drop_duplicates(cca_stores *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n_anchors; i++) {
        cca_anchor *at = &s->anchors[i];
        if (i + 1 < s->n_anchors && vs_span_eq(at->instance_id, at[1].instance_id)) {
            vs_span id = vs_hex_encode_arena(&s->arena, at->instance_id);
            vs_log(VS_LOG_WARN, "cca", "trust anchor listed twice, the last one is used",
                   "instance", vs_sprintf(&s->arena, "%.*s", VS_FMT(id)), NULL);
            vs_key_free(&at->cpak);
        } else {
            s->anchors[kept++] = *at;
        }
    }
    s->n_anchors = kept;
}

static vs_code read_anchors(vs_span text, cca_stores *s, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_json_parse(&s->arena, text, NULL, &list, err));
    if (list.kind != VS_ARRAY || list.len > ENTRIES_MAX)
        return vs_fail(err, VS_E_INVALID, "must be an array of at most %d entries", ENTRIES_MAX);
    s->anchors = vs_zalloc(&s->arena, list.len * sizeof *s->anchors);
    if (!s->anchors)
        return vs_arena_check(&s->arena, err);
    for (uint32_t i = 0; i < list.len; i++) {
        s->n_anchors = i + 1; /* counted first, so that a failure frees its key */
        s->anchors[i].order = i;
        VS_TRY_WRAP(read_anchor(&s->arena, list.u.items[i], &s->anchors[i], err), err, "entry %u",
                    i);
    }
    qsort(s->anchors, s->n_anchors, sizeof *s->anchors, by_instance);
    drop_duplicates(s);
    return vs_arena_check(&s->arena, err);
}

/* ---- reference values ----------------------------------------------------------------------- */

static vs_code read_component(vs_arena *a, vs_val entry, cca_component *out, vs_error *err)
{
    VS_TRY(cca_need_digest(a, entry, "measurement-value", &out->value, err));
    return cca_component_labels(a, entry, out, err);
}

static vs_code read_platform(vs_arena *a, vs_val entry, cca_platform_ref *out, vs_error *err)
{
    vs_val list;
    VS_TRY(cca_need_hex(a, entry, "implementation-id", CCA_IMPLEMENTATION_ID,
                        &out->implementation_id, err));
    VS_TRY(cca_need_hex(a, entry, "platform-configuration", 0, &out->config, err));
    VS_TRY(vs_need(entry, "sw-components", VS_ARRAY, &list, err));
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

static vs_code read_rem(vs_arena *a, vs_val item, vs_span *out, vs_error *err)
{
    if (item.kind != VS_STRING)
        return vs_fail(err, VS_E_INVALID, "must be a string, not %s",
                       vs_kind_name((vs_kind)item.kind));
    return vs_hex_decode_arena(a, vs_text(item), out, err);
}

static vs_code read_realm(vs_arena *a, vs_val entry, cca_realm_ref *out, vs_error *err)
{
    vs_val rems, rak_hash;
    VS_TRY(cca_need_digest(a, entry, "initial-measurement", &out->rim, err));
    VS_TRY(cca_need_hex(a, entry, "personalization-value", 0, &out->rpv, err));
    VS_TRY(vs_need(entry, "rak-hash-algorithm", VS_STRING, &rak_hash, err));
    VS_TRY(vs_need(entry, "extensible-measurements", VS_ARRAY, &rems, err));
    out->rak_hash = vs_text(rak_hash);
    if (rems.len != CCA_REMS)
        return vs_fail(err, VS_E_INVALID, "\"extensible-measurements\" has %u items, must have %d",
                       rems.len, CCA_REMS);
    for (uint32_t i = 0; i < CCA_REMS; i++)
        VS_TRY_WRAP(read_rem(a, rems.u.items[i], &out->rem[i], err), err,
                    "\"extensible-measurements\" %u", i);
    return VS_OK;
}

/* The array `key` of the reference store, which may be missing; *n entries of `size` bytes. */
static vs_code open_list(vs_arena *a, vs_val store, const char *key, size_t size, vs_val *list,
                         void **entries, size_t *n, vs_error *err)
{
    VS_TRY(vs_may(store, key, VS_ARRAY, list, err));
    *n = list->kind == VS_ARRAY ? list->len : 0;
    if (*n > ENTRIES_MAX)
        return vs_fail(err, VS_E_LIMIT, "\"%s\" has more than %d entries", key, ENTRIES_MAX);
    *entries = vs_zalloc(a, *n * size);
    return *entries ? VS_OK : vs_arena_check(a, err);
}

static int by_product(const void *x, const void *y)
{
    const cca_platform_ref *a = x, *b = y;
    return by_id(a->implementation_id, a->order, b->implementation_id, b->order);
}

static int by_rim(const void *x, const void *y)
{
    const cca_realm_ref *a = x, *b = y;
    return by_id(a->rim, a->order, b->rim, b->order);
}

static vs_code read_references(vs_span text, cca_stores *s, vs_error *err)
{
    vs_val store, platforms, realms;
    void *at;
    VS_TRY(vs_json_parse(&s->arena, text, NULL, &store, err));
    if (store.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be an object");
    VS_TRY(open_list(&s->arena, store, "platform", sizeof *s->platforms, &platforms, &at,
                     &s->n_platforms, err));
    s->platforms = at;
    for (size_t i = 0; i < s->n_platforms; i++) {
        s->platforms[i].order = i;
        VS_TRY_WRAP(read_platform(&s->arena, platforms.u.items[i], &s->platforms[i], err), err,
                    "\"platform\" entry %zu", i);
    }
    VS_TRY(
        open_list(&s->arena, store, "realm", sizeof *s->realms, &realms, &at, &s->n_realms, err));
    s->realms = at;
    for (size_t i = 0; i < s->n_realms; i++) {
        s->realms[i].order = i;
        VS_TRY_WRAP(read_realm(&s->arena, realms.u.items[i], &s->realms[i], err), err,
                    "\"realm\" entry %zu", i);
    }
    qsort(s->platforms, s->n_platforms, sizeof *s->platforms, by_product);
    qsort(s->realms, s->n_realms, sizeof *s->realms, by_rim);
    return vs_arena_check(&s->arena, err);
}

/* ---- finding ----------------------------------------------------------------------------------
 */

/* Of entries that are sorted by the span they begin with, those where it is `id`: *n of them. */
static const void *find_run(const void *entries, size_t n_entries, size_t size, vs_span id,
                            size_t *n)
{
    *n = 0;
    if (n_entries == 0)
        return entries;
    const char *at = entries, *const end = at + n_entries * size;
    for (size_t left = n_entries; left > 0;) {
        size_t half = left / 2;
        bool before = vs_span_cmp(*(const vs_span *)(const void *)(at + half * size), id) < 0;
        at += before ? (half + 1) * size : 0;
        left = before ? left - half - 1 : half;
    }
    const char *past = at;
    while (past < end && vs_span_eq(*(const vs_span *)(const void *)past, id))
        past += size;
    *n = (size_t)(past - at) / size;
    return at;
}

_Static_assert(offsetof(cca_anchor, instance_id) == 0 &&
                   offsetof(cca_platform_ref, implementation_id) == 0 &&
                   offsetof(cca_realm_ref, rim) == 0,
               "entries begin with what they are found by");

const cca_anchor *cca_find_anchor(const cca_stores *s, vs_span instance_id)
{
    size_t n;
    const cca_anchor *found =
        find_run(s->anchors, s->n_anchors, sizeof *s->anchors, instance_id, &n);
    return n ? found : NULL;
}

const cca_platform_ref *cca_find_platforms(const cca_stores *s, vs_span implementation_id,
                                           size_t *n)
{
    return find_run(s->platforms, s->n_platforms, sizeof *s->platforms, implementation_id, n);
}

const cca_realm_ref *cca_find_realms(const cca_stores *s, vs_span rim, size_t *n)
{
    return find_run(s->realms, s->n_realms, sizeof *s->realms, rim, n);
}

/* ---- both -------------------------------------------------------------------------------------
 */

vs_code cca_stores_parse(vs_span ta_store, vs_span rv_store, cca_stores *out, vs_error *err)
{
    *out = (cca_stores){0};
    vs_arena_init(&out->arena, 0);
    /* The values point into the text, which is the caller's. */
    vs_span ta = vs_dup(&out->arena, ta_store), rv = vs_dup(&out->arena, rv_store);
    VS_TRY(vs_arena_check(&out->arena, err));
    if (ta_store.p)
        VS_TRY_WRAP(read_anchors(ta, out, err), err, "trust anchor store");
    if (rv_store.p)
        VS_TRY_WRAP(read_references(rv, out, err), err, "reference value store");
    out->has_references = rv_store.p != NULL;
    return VS_OK;
}

void cca_stores_free(cca_stores *s)
{
    for (size_t i = 0; i < s->n_anchors; i++)
        vs_key_free(&s->anchors[i].cpak);
    vs_arena_free(&s->arena);
    *s = (cca_stores){0};
}
