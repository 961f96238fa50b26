/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/extract.h"

#include <stdlib.h>

#include "value/json.h"

void rvps_add_record(rvps_records *r, vs_span name, vs_val value, rvps_merge merge)
{
    if (r->n == r->room) {
        size_t room = r->room ? r->room * 2 : 8;
        rvps_record *more = vs_grow(r->a, r->items, r->n, room, sizeof *more);
        if (!more)
            return;
        r->items = more;
        r->room = room;
    }
    r->items[r->n++] = (rvps_record){name, value, merge};
}

/* ---- merging --------------------------------------------------------------------------------- */

/* With where it stood, since qsort does not keep the order of equals. */
typedef struct placed_record {
    rvps_record rec;
    size_t at;
} placed_record;

typedef struct placed_value {
    vs_val v;
    size_t at;
} placed_value;

static int by_name(const void *p, const void *q)
{
    const placed_record *a = p, *b = q;
    int c = vs_span_cmp(a->rec.name, b->rec.name);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

static int by_value(const void *p, const void *q)
{
    const placed_value *a = p, *b = q;
    int c = vs_cmp(a->v, b->v);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

static int by_place(const void *p, const void *q)
{
    const placed_value *a = p, *b = q;
    return (a->at > b->at) - (a->at < b->at);
}

/* The distinct values of one name, in the order in which they came. */
static vs_code distinct(vs_arena *a, const placed_record *recs, size_t n, placed_value **out,
                        size_t *n_out, vs_error *err)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        count += recs[i].rec.value.kind == VS_ARRAY ? recs[i].rec.value.len : 1;
    placed_value *list = vs_alloc_array(a, count, sizeof *list);
    VS_TRY(vs_arena_check(a, err));
    count = 0;
    for (size_t i = 0; i < n; i++) {
        vs_val v = recs[i].rec.value;
        if (v.kind != VS_ARRAY) {
            list[count] = (placed_value){v, count};
            count++;
            continue;
        }
        for (VS_ARR_FOR (item, v)) {
            list[count] = (placed_value){*item, count};
            count++;
        }
    }
    qsort(list, count, sizeof *list, by_value);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !vs_eq(list[i].v, list[kept - 1].v))
            list[kept++] = list[i];
    qsort(list, kept, sizeof *list, by_place);
    *out = list;
    *n_out = kept;
    return VS_OK;
}

static vs_code merge_name(vs_arena *a, const placed_record *recs, size_t n, rvps_record *out,
                          vs_error *err)
{
    placed_value *list;
    size_t count;
    VS_TRY(distinct(a, recs, n, &list, &count, err));
    *out = recs[0].rec;
    if (out->merge == RVPS_MERGE_MAX) {
        vs_val most = list[0].v;
        for (size_t i = 1; i < count; i++)
            most = vs_cmp(list[i].v, most) > 0 ? list[i].v : most;
        vs_obj o = {.a = a};
        vs_obj_put(&o, "min_svn", most);
        out->value = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    } else if (out->merge == RVPS_MERGE_LIST || out->merge == RVPS_MERGE_ENTRIES || count > 1) {
        vs_vec all = {.a = a};
        for (size_t i = 0; i < count; i++)
            vs_vec_add(&all, list[i].v);
        out->value = vs_vec_end_array(&all);
    }
    return vs_arena_check(a, err);
}

vs_code rvps_merge_records(rvps_records *r, vs_error *err)
{
    if (r->n == 0)
        return VS_OK;
    placed_record *all = vs_alloc_array(r->a, r->n, sizeof *all);
    VS_TRY(vs_arena_check(r->a, err));
    for (size_t i = 0; i < r->n; i++)
        all[i] = (placed_record){r->items[i], i};
    qsort(all, r->n, sizeof *all, by_name);
    size_t kept = 0;
    for (size_t from = 0, to; from < r->n; from = to) {
        for (to = from + 1; to < r->n && vs_span_eq(all[to].rec.name, all[from].rec.name);)
            to++;
        VS_TRY(merge_name(r->a, all + from, to - from, &r->items[kept++], err));
    }
    r->n = kept;
    return VS_OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* A value must still be within the JSON reader's own limit when it comes back inside its record. */
enum { VALUE_DEPTH = 64 };

/* A JSON object: one record per member, the value as given. */
static vs_code extract_sample(const rvps_context *x, vs_span text, rvps_records *out, vs_error *err)
{
    vs_val object;
    vs_json_opts opts = {.depth = VALUE_DEPTH};
    (void)x;
    VS_TRY(vs_json_parse(out->a, text, &opts, &object, err));
    if (object.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be a JSON object of names and values, not %s",
                       vs_kind_name((vs_kind)object.kind));
    for (VS_OBJ_FOR (member, object))
        rvps_add_record(out, vs_text(member->key), member->val, RVPS_MERGE_NONE);
    return vs_arena_check(out->a, err);
}

static const rvps_extractor extractors[] = {
    {"sample", true, true, extract_sample},
    {"swid", false, true, rvps_extract_swid},
    {"corim", false, false, rvps_extract_corim},
};

const rvps_extractor *rvps_extractor_of(vs_span type)
{
    for (size_t i = 0; i < VS_COUNT(extractors); i++)
        if (vs_span_is(type, extractors[i].type))
            return &extractors[i];
    return NULL;
}
