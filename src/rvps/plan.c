/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/plan.h"

#include "base/enc.h"
#include "value/json.h"

static const vs_span nothing;

vs_code plan_add(planner *p, vs_store_item item, vs_error *err)
{
    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : 8;
        p->items = vs_grow(p->a, p->items, p->n, room, sizeof *p->items);
        VS_TRY(vs_arena_check(p->a, err));
        p->room = room;
    }
    p->items[p->n++] = item;
    return VS_OK;
}

vs_code plan_read(planner *p, const char *ns, vs_span key, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    *out = (vs_span){NULL, 0};
    vs_code code = vs_store_get(p->store, ns, key, 0, &text, err);
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    VS_TRY(code);
    *out = vs_dup(p->a, vs_buf_span(&text));
    return vs_arena_check(p->a, err);
}

vs_store_item plan_swap(const char *ns, vs_span key, vs_span old, vs_span value)
{
    return (vs_store_item){.ns = ns,
                           .key = key,
                           .value = value,
                           .mode = old.p ? VS_PUT_SWAP : VS_PUT_CREATE,
                           .old = old};
}

#define ANCHOR      "anchor"
#define ANCHOR_NAME "anchor_name"

vs_code plan_read_holder(vs_val v, rvps_holder *out, vs_error *err)
{
    vs_val anchor, name;
    *out = (rvps_holder){.anchor = nothing};
    VS_TRY(vs_may(v, ANCHOR, VS_STRING, &anchor, err));
    VS_TRY(vs_may(v, ANCHOR_NAME, VS_STRING, &name, err));
    if (vs_defined(anchor))
        *out = (rvps_holder){vs_text(anchor), vs_text(name)};
    return VS_OK;
}

void plan_write_holder(vs_obj *o, const rvps_holder *h)
{
    if (!h->anchor.p)
        return;
    vs_obj_put(o, ANCHOR, vs_string(h->anchor));
    vs_obj_put(o, ANCHOR_NAME, vs_string(h->name));
}

vs_code plan_comid_key(planner *p, const rvps_comid *m, vs_span *out, vs_error *err)
{
    uint8_t h[VS_HASH_MAX];
    const char *length =
        vs_sprintf(p->a, "%zu:", m->corim.n); /* or the ids could be cut elsewhere */
    VS_TRY(vs_digest(VS_SHA256, vs_str(length), m->corim, m->tag, h, err));
    *out = vs_hex_encode_arena(p->a, vs_span_of(h, 32));
    return vs_arena_check(p->a, err);
}

vs_code plan_read_known(planner *p, vs_span text, known *out, vs_error *err)
{
    vs_val v, version, sha256, trusted;
    VS_TRY(vs_json_parse(p->a, text, NULL, &v, err));
    VS_TRY(vs_need(v, "version", VS_NUMBER, &version, err));
    VS_TRY(vs_need(v, "sha256", VS_STRING, &sha256, err));
    VS_TRY(vs_need(v, "trusted", VS_BOOL, &trusted, err));
    VS_TRY(vs_need(v, "names", VS_ARRAY, &out->names, err));
    if (!vs_is_int(version))
        return vs_fail(err, VS_E_INVALID, "its version is no whole number");
    out->version = version.u.i;
    out->sha256 = vs_text(sha256);
    out->trusted = vs_is_true(trusted);
    out->withdrawn = vs_is_true(vs_getc(v, WITHDRAWN));
    return plan_read_holder(v, &out->holder, err);
}

bool plan_is_vouched(vs_val entry)
{
    vs_val mark = vs_getc(entry, VOUCHED);
    return !vs_defined(mark) || vs_is_true(mark);
}

/* What is known of the CoMID of an entry without a mark, which an earlier release may have taken
 * from a stranger, tells: it was vouched for, and gives this name. Nothing known: as if it were. */
static vs_code look_up(planner *p, vs_span name, vs_val entry, bool *vouched, vs_error *err)
{
    const rvps_comid m = {.corim = vs_text(vs_getc(entry, "corim")),
                          .tag = vs_text(vs_getc(entry, "tag"))};
    vs_span key, text;
    known k;
    VS_TRY(plan_comid_key(p, &m, &key, err));
    VS_TRY(plan_read(p, RVPS_COMIDS, key, &text, err));
    *vouched = true;
    if (!text.p)
        return VS_OK;
    VS_TRY_WRAP(plan_read_known(p, text, &k, err), err, "what is known of " COMID_FMT,
                COMID_ARG(&m));
    bool gives = false;
    for (VS_ARR_FOR (one, k.names))
        gives = gives || vs_span_eq(vs_text(*one), name);
    *vouched = k.trusted && gives;
    return VS_OK;
}

vs_code plan_who_vouches(planner *p, vs_span name, vs_val entry, bool *vouched, vs_error *err)
{
    *vouched = plan_is_vouched(entry);
    if (!*vouched || vs_defined(vs_getc(entry, VOUCHED)))
        return VS_OK;
    vs_arena a; /* there may be many */
    vs_arena_init(&a, RVPS_PLAN_MEMORY);
    planner own = *p;
    own.a = &a;
    vs_code code = look_up(&own, name, entry, vouched, err);
    vs_arena_free(&a);
    return code;
}

static vs_code whole_key(planner *p, const rvps_comid *m, vs_span *out, vs_error *err)
{
    vs_span key;
    VS_TRY(plan_comid_key(p, m, &key, err));
    *out = vs_str(vs_sprintf(p->a, "whole-%.*s", VS_FMT(key)));
    return vs_arena_check(p->a, err);
}

vs_code plan_is_whole(planner *p, const rvps_comid *m, bool *out, vs_error *err)
{
    vs_span key, sha256;
    VS_TRY(whole_key(p, m, &key, err));
    VS_TRY(plan_read(p, RVPS_COMIDS, key, &sha256, err));
    *out = sha256.p && vs_span_eq(sha256, m->sha256);
    return VS_OK;
}

vs_code plan_add_whole(planner *p, const rvps_comid *m, vs_error *err)
{
    vs_store_item item = {.ns = RVPS_COMIDS, .value = m->sha256, .mode = VS_PUT_REPLACE};
    VS_TRY(whole_key(p, m, &item.key, err));
    return plan_add(p, item, err);
}

vs_code plan_read_givers(planner *p, vs_span name, givers *out, vs_error *err)
{
    uint8_t h[VS_HASH_MAX];
    vs_val v;
    *out = (givers){.list = vs_empty(VS_ARRAY)};
    VS_TRY(vs_digest(VS_SHA256, name, nothing, nothing, h, err));
    vs_span hex = vs_hex_encode_arena(p->a, vs_span_of(h, 32));
    out->key = vs_str(vs_sprintf(p->a, "name-%.*s", VS_FMT(hex)));
    VS_TRY(vs_arena_check(p->a, err));
    VS_TRY(plan_read(p, RVPS_COMIDS, out->key, &out->old, err));
    if (!out->old.p)
        return VS_OK;
    VS_TRY_WRAP(vs_json_parse(p->a, out->old, NULL, &v, err), err, "who gave it");
    VS_TRY_WRAP(vs_need(v, "comids", VS_ARRAY, &out->list, err), err, "who gave it");
    VS_TRY_WRAP(plan_read_holder(v, &out->holder, err), err, "who gave it");
    return VS_OK;
}

vs_code plan_write_givers(planner *p, vs_span name, const givers *g, vs_val list,
                          const rvps_holder *holder, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    vs_obj o = {.a = p->a};
    vs_obj_put(&o, "name", vs_string(name));
    vs_obj_put(&o, "comids", list);
    plan_write_holder(&o, holder);
    vs_json_print(&text, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    VS_TRY(vs_buf_check(&text, err));
    vs_span value = vs_dup(p->a, vs_buf_span(&text));
    VS_TRY(vs_arena_check(p->a, err));
    return plan_add(p, plan_swap(RVPS_COMIDS, g->key, g->old, value), err);
}
