/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/comids.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "rvps/cca.h"
#include "rvps/plan.h"
#include "rvps/strangers.h"
#include "value/json.h"

/* ---- holders --------------------------------------------------------------------------------- */

static bool is_administrator(const rvps_holder *h)
{
    return vs_span_is(h->anchor, RVPS_ADMINISTRATOR);
}

/* An administrator may always, by his own word: what he brings of another signer is not his, or
 * whoever gets him to forward a file could replace anything. */
static bool may_take(const rvps_origin *o, const rvps_holder *h, bool given_up)
{
    if (!h->anchor.p || vs_span_eq(h->anchor, o->by.anchor))
        return true;
    return o->vouched && (given_up || is_administrator(&o->by) || is_administrator(h));
}

static const char *holder_text(planner *p, const rvps_holder *h)
{
    if (is_administrator(h))
        return "an administrator's word";
    return vs_sprintf(p->a, "trust anchor %.*s (key sha256:%.*s)",
                      VS_FMT(vs_span_head(h->name, 80)), VS_FMT(vs_span_head(h->anchor, 16)));
}

#define ONLY_HE                                                                                    \
    "only it or an administrator can replace it (an administrator by an unsigned CoRIM, or by "    \
    "deleting its values first)"

/* ---- CoMIDs ---------------------------------------------------------------------------------- */

/* What nobody vouched for binds nobody who is vouched for. */
static vs_code may_follow(planner *p, const rvps_comid *m, const known *k, vs_error *err)
{
    bool same = vs_span_eq(k->sha256, m->sha256);
    if (k->trusted && !p->o->trusted)
        return vs_fail(err, VS_E_DENIED,
                       COMID_FMT " was signed or given by an administrator: nobody else can "
                                 "register it again",
                       COMID_ARG(m));
    if (p->o->trusted && !k->trusted)
        return VS_OK;
    if (p->o->trusted && !may_take(p->o, &k->holder, k->withdrawn))
        return vs_fail(err, VS_E_DENIED, COMID_FMT " is endorsed under %s: " ONLY_HE, COMID_ARG(m),
                       holder_text(p, &k->holder));
    if (m->version < k->version)
        return vs_fail(err, VS_E_CONFLICT,
                       COMID_FMT ": version %lld is older than version %lld, which is registered",
                       COMID_ARG(m), (long long)m->version, (long long)k->version);
    if (m->version == k->version && k->trusted && k->withdrawn && !p->o->vouched)
        return vs_fail(err, VS_E_CONFLICT,
                       COMID_FMT
                       ": what version %lld says was deleted; it comes back with a higher "
                       "version, or when an administrator sends it",
                       COMID_ARG(m), (long long)m->version);
    if (m->version == k->version && !same && (k->trusted || m->strict))
        return vs_fail(err, VS_E_CONFLICT,
                       COMID_FMT ": version %lld is registered with other content; what changes "
                                 "needs a higher version",
                       COMID_ARG(m), (long long)m->version);
    return VS_OK;
}

/* A signed CoRIM is no secret: whoever sends again what was taken in before neither puts old values
 * in the place of newer ones nor makes them last longer. That is for who can say it anew: its
 * signer, with a higher version, or an administrator. */
static vs_code fate_of(planner *p, const rvps_comid *m, const known *k, plan_fate *out,
                       vs_error *err)
{
    bool whole;
    *out = PLAN_NEW;
    if (!k->trusted || !p->o->trusted || p->o->vouched || m->version != k->version ||
        !vs_span_eq(m->sha256, k->sha256))
        return VS_OK;
    if (!k->holder.anchor.p) {
        *out = PLAN_CLAIM;
        return VS_OK;
    }
    VS_TRY(plan_is_whole(p, m, &whole, err));
    if (whole)
        *out = PLAN_KNOWN;
    return VS_OK;
}

static bool is_of(vs_val entry, const rvps_comid *m)
{
    return vs_span_eq(vs_text(vs_getc(entry, "corim")), m->corim) &&
           vs_span_eq(vs_text(vs_getc(entry, "tag")), m->tag);
}

/* Names of the message that hold an entry of this CoMID. */
static vs_val names_of(planner *p, const rvps_comid *m)
{
    vs_vec names = {.a = p->a};
    for (size_t i = 0; i < p->recs->n; i++) {
        const rvps_record *r = &p->recs->items[i];
        bool has = false;
        if (r->merge != RVPS_MERGE_ENTRIES)
            continue;
        for (VS_ARR_FOR (entry, r->value))
            has = has || is_of(*entry, m);
        if (has)
            vs_vec_add(&names, vs_string(r->name));
    }
    return vs_vec_end_array(&names);
}

static vs_code write_known(planner *p, const rvps_comid *m, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    vs_obj o = {.a = p->a};
    vs_obj_put(&o, "corim", vs_string(m->corim));
    vs_obj_put(&o, "tag", vs_string(m->tag));
    vs_obj_put(&o, "version", vs_int(m->version));
    vs_obj_put(&o, "sha256", vs_string(m->sha256));
    vs_obj_put(&o, "trusted", vs_bool(p->o->trusted));
    vs_obj_put(&o, "names", names_of(p, m));
    plan_write_holder(&o, &p->o->by);
    if (p->o->signer_name.p)
        vs_obj_put(&o, "signer", vs_string(p->o->signer_name));
    vs_json_print(&text, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    VS_TRY(vs_buf_check(&text, err));
    *out = vs_dup(p->a, vs_buf_span(&text));
    return vs_arena_check(p->a, err);
}

/* The fate of the CoMID that an entry is of; false: it is of none of this message. */
static bool find_fate(const planner *p, vs_val entry, plan_fate *out)
{
    for (size_t i = 0; i < p->recs->n_comids; i++)
        if (is_of(entry, &p->recs->comids[i])) {
            *out = p->fates[i];
            return true;
        }
    return false;
}

static bool has_fate(const planner *p, vs_val entry, plan_fate fate)
{
    plan_fate its;
    return find_fate(p, entry, &its) && its == fate;
}

static int by_name(const void *name, const void *record)
{
    return vs_span_cmp(*(const vs_span *)name, ((const rvps_record *)record)->name);
}

/* NULL: the message has none of this name. With CoMIDs there are no names of a "sample", and so all
 * are sorted. */
static rvps_record *record_of(const rvps_records *recs, vs_span name)
{
    return recs->n ? bsearch(&name, recs->items, recs->n, sizeof *recs->items, by_name) : NULL;
}

/* ---- who gave a name ------------------------------------------------------------------------- */

static bool has_given(vs_val list, const rvps_comid *m)
{
    for (VS_ARR_FOR (giver, list))
        if (is_of(*giver, m))
            return true;
    return false;
}

/* Who holds a name after this message: an administrator adds to what others hold. */
static const rvps_holder *next_holder(const planner *p, const rvps_holder *now)
{
    return now->anchor.p && is_administrator(&p->o->by) ? now : &p->o->by;
}

static vs_code refuse_name(planner *p, const rvps_holder *h, vs_error *err)
{
    return vs_fail(err, VS_E_DENIED, "it is endorsed under %s: " ONLY_HE, holder_text(p, h));
}

/* Writes who has given the name, and who holds it now, where that is not what is known. */
static vs_code settle_givers(planner *p, vs_span name, const givers *g, vs_val list, vs_error *err)
{
    const rvps_holder *next = next_holder(p, &g->holder);
    if (list.len == g->list.len && vs_span_eq(next->anchor, g->holder.anchor))
        return VS_OK;
    return plan_write_givers(p, name, g, list, next, err);
}

/* Names by measurement are the same for every maker of CCA platforms: one who is not the first
 * leaves them alone, and his endorsements, which have names of their own, count. */
static void pass_over(planner *p, vs_span name, const rvps_holder *h)
{
    rvps_record *r = record_of(p->recs, name);
    if (!r)
        return;
    r->left = true;
    if (p->n_passed++ == 0)
        p->first_passed = holder_text(p, h);
}

/* Adds the CoMIDs of this message that give the name, of `n` mentions. A name that only such give
 * as are known keeps its value. */
static vs_code plan_givers(planner *p, const rvps_mention *mentions, size_t n, vs_error *err)
{
    vs_span name = mentions[0].name;
    givers g;
    vs_vec all = {.a = p->a};
    rvps_record *r = record_of(p->recs, name);
    plan_fate fate = PLAN_KNOWN;
    for (size_t i = 0; i < n; i++)
        if (p->fates[mentions[i].comid] < fate)
            fate = p->fates[mentions[i].comid];
    if (r)
        r->left = fate != PLAN_NEW;
    if (fate == PLAN_KNOWN)
        return VS_OK;
    VS_TRY(plan_read_givers(p, name, &g, err));
    if (!may_take(p->o, &g.holder, false)) {
        if (!p->recs->of_cca)
            return refuse_name(p, &g.holder, err);
        pass_over(p, name, &g.holder);
        return VS_OK;
    }
    for (VS_ARR_FOR (giver, g.list))
        vs_vec_add(&all, *giver);
    for (size_t i = 0; i < n; i++) {
        const rvps_comid *m = &p->recs->comids[mentions[i].comid];
        if (has_given(g.list, m))
            continue;
        vs_obj o = {.a = p->a};
        vs_obj_put(&o, "corim", vs_string(m->corim));
        vs_obj_put(&o, "tag", vs_string(m->tag));
        vs_vec_add(&all, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    }
    vs_val list = vs_vec_end_array(&all);
    VS_TRY(vs_arena_check(p->a, err));
    if (list.len > RVPS_GIVERS_MAX)
        return vs_fail(err, VS_E_LIMIT,
                       "%u CoMIDs have given it, at most %d: delete the value and register again "
                       "what still counts",
                       list.len, RVPS_GIVERS_MAX);
    return settle_givers(p, name, &g, list, err);
}

static vs_code plan_all_givers(planner *p, vs_error *err)
{
    const rvps_mention *list = p->recs->mentions;
    if (!p->o->trusted)
        return VS_OK;
    for (size_t from = 0, to; from < p->recs->n_mentions; from = to) {
        for (to = from + 1; to < p->recs->n_mentions && vs_span_eq(list[to].name, list[from].name);)
            to++;
        VS_TRY_WRAP(plan_givers(p, list + from, to - from, err), err, "reference value \"%.*s\"",
                    VS_FMT(vs_span_head(list[from].name, 80)));
    }
    return VS_OK;
}

/* ---- versions -------------------------------------------------------------------------------- */

/* A new version takes away what it does not say. Whose CoMID it was not before takes away only what
 * is nobody else's, and what he could have given himself. */
static vs_code may_drop(planner *p, const known *k, vs_error *err)
{
    if (!p->o->trusted || is_administrator(&p->o->by) ||
        vs_span_eq(k->holder.anchor, p->o->by.anchor))
        return VS_OK;
    for (VS_ARR_FOR (item, k->names)) {
        vs_span name = vs_text(*item);
        unsigned right = rvps_right_of_name(name);
        givers g;
        VS_TRY(plan_read_givers(p, name, &g, err));
        if (!may_take(p->o, &g.holder, false))
            return vs_fail(err, VS_E_DENIED,
                           "\"%.*s\", which it gives, is endorsed under %s: " ONLY_HE,
                           VS_FMT(vs_span_head(name, 80)), holder_text(p, &g.holder));
        if (!(p->o->may & right))
            return vs_fail(err, VS_E_DENIED,
                           "it gives \"%.*s\", and the signer's trust anchor is restricted and may "
                           "not vouch for %s",
                           VS_FMT(vs_span_head(name, 80)), rvps_may_word(right));
    }
    return VS_OK;
}

static vs_code plan_comid(planner *p, const rvps_comid *m, plan_fate *fate, vs_vec *dropped,
                          vs_error *err)
{
    *fate = PLAN_NEW;
    vs_span key, old, value;
    VS_TRY(plan_comid_key(p, m, &key, err));
    VS_TRY(plan_read(p, RVPS_COMIDS, key, &old, err));
    if (old.p) {
        known k;
        VS_TRY_WRAP(plan_read_known(p, old, &k, err), err, "what is known of " COMID_FMT,
                    COMID_ARG(m));
        VS_TRY(may_follow(p, m, &k, err));
        VS_TRY(fate_of(p, m, &k, fate, err));
        if (*fate == PLAN_KNOWN)
            return VS_OK;
        VS_TRY_WRAP(may_drop(p, &k, err), err, COMID_FMT, COMID_ARG(m));
        /* What strangers have said under these ids they may go on saying: to take it away could be
         * more work than there is memory for. */
        if (*fate == PLAN_NEW && (k.trusted || !p->o->trusted))
            for (VS_ARR_FOR (name, k.names))
                vs_vec_add(dropped, *name);
    }
    VS_TRY(write_known(p, m, &value, err));
    return plan_add(p, plan_swap(RVPS_COMIDS, key, old, value), err);
}

static vs_code plan_comids(planner *p, vs_error *err)
{
    const rvps_records *recs = p->recs;
    vs_vec dropped = {.a = p->a};
    for (size_t i = 0; i < recs->n_comids; i++) {
        for (size_t k = 0; k < i; k++)
            if (vs_span_eq(recs->comids[i].tag, recs->comids[k].tag))
                return vs_fail(err, VS_E_INVALID, COMID_FMT " stands in it twice",
                               COMID_ARG(&recs->comids[i]));
        VS_TRY(plan_comid(p, &recs->comids[i], &p->fates[i], &dropped, err));
        p->n_of[p->fates[i]]++;
    }
    p->dropped = vs_vec_end_set(&dropped);
    return vs_arena_check(p->a, err);
}

/* ---- entries --------------------------------------------------------------------------------- */

static vs_val time_text(vs_arena *a, int64_t t)
{
    char text[VS_TIME_TEXT];
    return vs_string_dup(a, vs_str(vs_time_rfc3339(t, text)));
}

/* True when the member is missing, and *t stays what it is, or can be read. */
static bool read_time(vs_val entry, const char *key, int64_t *t)
{
    vs_val v = vs_getc(entry, key);
    return !vs_defined(v) || vs_time_parse(vs_text(v), t, NULL) == VS_OK;
}

/* An entry's validity; without one it is its record's. What cannot be read, or is no object, is
 * valid at no time. */
static void validity_of(vs_val entry, int64_t *from, int64_t *until)
{
    *from = INT64_MIN;
    *until = INT64_MAX;
    if (entry.kind != VS_OBJECT || !read_time(entry, "valid-from", from) ||
        !read_time(entry, "valid-until", until))
        *until = INT64_MIN;
}

static vs_val with_origin(planner *p, vs_val entry)
{
    if (!p->o->trusted)
        entry = vs_with(p->a, entry, vs_cstring(VOUCHED), vs_bool(false));
    if (p->o->not_before != INT64_MIN)
        entry = vs_with(p->a, entry, vs_cstring("valid-from"), time_text(p->a, p->o->not_before));
    return vs_with(p->a, entry, vs_cstring("valid-until"), time_text(p->a, p->o->expires));
}

/* What there is to be put of a record's entries. */
static vs_val new_entries(planner *p, vs_val entries)
{
    vs_vec some = {.a = p->a};
    if (p->n_of[PLAN_NEW] == p->recs->n_comids)
        return entries;
    if (p->n_of[PLAN_NEW] == 0)
        return vs_empty(VS_ARRAY);
    for (VS_ARR_FOR (entry, entries))
        if (has_fate(p, *entry, PLAN_NEW))
            vs_vec_add(&some, *entry);
    return vs_vec_end_array(&some);
}

/* Are they few and small enough, but for those of strangers of an earlier release with `look`? */
static vs_code fit(planner *p, vs_span name, vs_val entries, bool look, uint32_t most, size_t room,
                   uint32_t *n, bool *ok, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(room);
    *n = 0;
    for (VS_ARR_FOR (entry, entries)) {
        bool vouched = plan_is_vouched(*entry);
        if (look)
            VS_TRY(plan_who_vouches(p, name, *entry, &vouched, err));
        if (vouched != p->o->trusted)
            continue;
        ++*n;
        vs_json_print(&text, *entry);
    }
    *ok = *n <= most && vs_buf_ok(&text);
    return VS_OK;
}

/* Only entries like those that are added count: nobody's are kept out by other people's. */
static vs_code check_room(planner *p, vs_span name, vs_val entries, vs_error *err)
{
    bool vouched = p->o->trusted, ok;
    uint32_t n, most = vouched ? RVPS_ENTRIES_MAX : STRANGERS_ENTRIES_MAX;
    size_t room = vouched ? RVPS_ENTRIES_BYTES : STRANGERS_ENTRIES_BYTES;
    VS_TRY(fit(p, name, entries, false, most, room, &n, &ok, err));
    if (!ok && vouched)
        VS_TRY(fit(p, name, entries, true, most, room, &n, &ok, err));
    if (ok)
        return VS_OK;
    if (vouched)
        return vs_fail(err, VS_E_LIMIT,
                       "%u entries of different CoMIDs, at most %u with %zu bytes: delete the "
                       "value and register again what still counts",
                       n, most, room);
    return vs_fail(err, VS_E_LIMIT,
                   "%u entries of CoMIDs that nobody vouches for, at most %u with %zu bytes: have "
                   "the CoRIM signed by whom a trust anchor vouches for, or send it as an "
                   "administrator of a KBS that keeps the values itself",
                   n, most, room);
}

/* What other CoMIDs have under the name, and then what this message has. */
static vs_code merge_entries(planner *p, vs_span name, vs_val before, vs_val fresh, vs_val *out,
                             vs_error *err)
{
    vs_vec all = {.a = p->a};
    for (VS_ARR_FOR (entry, before))
        if (!has_fate(p, *entry, PLAN_NEW))
            vs_vec_add(&all, *entry);
    for (VS_ARR_FOR (entry, fresh))
        vs_vec_add(&all, with_origin(p, *entry));
    *out = vs_vec_end_array(&all);
    VS_TRY(vs_arena_check(p->a, err));
    return fresh.len ? check_room(p, name, *out, err) : VS_OK;
}

static vs_code entries_before(planner *p, vs_span name, vs_span old, vs_val *out, vs_error *err)
{
    rvps_entry e;
    *out = vs_empty(VS_ARRAY);
    if (!old.p)
        return VS_OK;
    VS_TRY(rvps_record_read(p->a, old, name, &e, err));
    bool ok = e.value.kind == VS_ARRAY;
    for (size_t i = 0; ok && i < e.value.len; i++)
        ok = e.value.u.items[i].kind == VS_OBJECT;
    if (!ok)
        return vs_fail(err, VS_E_INVALID, "what is stored did not come from a CoRIM: delete it");
    *out = e.value;
    return VS_OK;
}

static vs_code write_record(planner *p, rvps_entry *e, size_t most, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(most);
    e->provenance = p->o->provenance;
    rvps_record_write(&text, e);
    if (!vs_buf_ok(&text))
        return vs_fail(err, VS_E_LIMIT, "it is too large: at most %zu bytes%s", most,
                       p->o->trusted ? "" : " from whom nobody vouches for");
    *out = vs_dup(p->a, vs_buf_span(&text));
    return vs_arena_check(p->a, err);
}

/* Entries that somebody vouched for, none of them of a CoMID of this message: true when there are
 * only such, and any. */
static vs_code is_others(planner *p, vs_span name, vs_val before, bool *out, vs_error *err)
{
    plan_fate fate;
    *out = false;
    for (VS_ARR_FOR (entry, before)) {
        bool mine = find_fate(p, *entry, &fate), vouched;
        if (*out && !mine)
            continue;
        VS_TRY(plan_who_vouches(p, name, *entry, &vouched, err));
        if (vouched && mine) {
            *out = false;
            return VS_OK;
        }
        *out = *out || vouched;
    }
    return VS_OK;
}

/* Where strangers may give keys (accept_unsigned_keys): theirs beside another would make none
 * count. */
static vs_code spoil_no_key(planner *p, vs_span name, vs_val before, vs_error *err)
{
    for (VS_ARR_FOR (entry, before)) {
        bool vouched;
        VS_TRY(plan_who_vouches(p, name, *entry, &vouched, err));
        if (vouched)
            return vs_fail(
                err, VS_E_DENIED,
                "a signer or an administrator vouches for a key of this instance: nobody "
                "else can add one");
    }
    return VS_OK;
}

/* Side by side stand entries of one anchor: of another, each would count as well, or two keys would
 * make none count. Of what has no holder only they who are part of it become one. */
static vs_code plan_holder(planner *p, vs_span name, vs_val before, vs_error *err)
{
    givers g;
    if (!p->o->trusted)
        return rvps_is_cca_key_name(name) ? spoil_no_key(p, name, before, err) : VS_OK;
    VS_TRY(plan_read_givers(p, name, &g, err));
    if (!may_take(p->o, &g.holder, false))
        return refuse_name(p, &g.holder, err);
    bool others = false;
    if (!g.holder.anchor.p && !is_administrator(&p->o->by))
        VS_TRY(is_others(p, name, before, &others, err));
    if (others)
        return vs_fail(err, VS_E_DENIED,
                       "an earlier release has taken it in from other CoMIDs, and who vouches for "
                       "them is not known: send one of those again, or delete the value");
    return settle_givers(p, name, &g, g.list, err);
}

/* Who holds the name, where that was not known; what it has stays. */
static vs_code claim_entries(planner *p, vs_span name, vs_val entries, vs_error *err)
{
    bool claims = false;
    vs_span key, old;
    vs_val before;
    if (p->n_of[PLAN_CLAIM] == 0)
        return VS_OK;
    for (VS_ARR_FOR (entry, entries))
        claims = claims || has_fate(p, *entry, PLAN_CLAIM);
    if (!claims)
        return VS_OK;
    if (!rvps_key_of(p->a, name, &key))
        return vs_fail(err, VS_E_INVALID, "it is not allowed as the name of a reference value");
    VS_TRY(plan_read(p, RVPS_NAMESPACE, key, &old, err));
    VS_TRY(entries_before(p, name, old, &before, err));
    return plan_holder(p, name, before, err);
}

/* The record lives as long as its entries, of which each has a time of its own. */
static vs_code plan_entries(planner *p, vs_span name, vs_span key, vs_val fresh, vs_error *err)
{
    vs_span old, value;
    vs_val before;
    rvps_entry e = {.name = name, .expires = p->o->expires, .not_before = INT64_MIN};
    VS_TRY(plan_read(p, RVPS_NAMESPACE, key, &old, err));
    VS_TRY(entries_before(p, name, old, &before, err));
    if (fresh.len)
        VS_TRY(plan_holder(p, name, before, err));
    VS_TRY(merge_entries(p, name, before, fresh, &e.value, err));
    for (size_t i = 0; i < e.value.len; i++) {
        int64_t from, until;
        validity_of(e.value.u.items[i], &from, &until);
        e.not_before = i == 0 || from < e.not_before ? from : e.not_before;
        e.expires = i == 0 || until > e.expires ? until : e.expires;
    }
    VS_TRY(write_record(p, &e, VS_STORE_VALUE_MAX, &value, err));
    return plan_add(p, plan_swap(RVPS_NAMESPACE, key, old, value), err);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static vs_code mode_for_stranger(planner *p, vs_store_item *item, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf some = VS_BUF(1);
    vs_error why = {0};
    vs_code code = vs_store_get(p->store, item->ns, item->key, 0, &some, &why);
    if (code == VS_E_NOT_FOUND)
        item->mode = VS_PUT_CREATE;
    else if (code != VS_OK && code != VS_E_LIMIT) {
        if (err)
            *err = why;
        return code;
    }
    return VS_OK;
}

static vs_code plan_record(planner *p, vs_span name, rvps_merge merge, vs_val fresh, vs_error *err)
{
    vs_store_item item = {.ns = RVPS_NAMESPACE, .mode = VS_PUT_REPLACE};
    if (!rvps_key_of(p->a, name, &item.key))
        return vs_fail(err, VS_E_INVALID, "it is not allowed as the name of a reference value");
    VS_TRY(vs_arena_check(p->a, err));
    if (merge == RVPS_MERGE_ENTRIES)
        return plan_entries(p, name, item.key, fresh, err);
    rvps_entry e = {
        .name = name, .value = fresh, .expires = p->o->expires, .not_before = p->o->not_before};
    VS_TRY(write_record(p, &e, p->o->trusted ? VS_STORE_VALUE_MAX : STRANGERS_VALUE_BYTES,
                        &item.value, err));
    if (!p->o->trusted) /* it matters whether the name is new */
        VS_TRY(mode_for_stranger(p, &item, err));
    return plan_add(p, item, err);
}

/* What the message says under one name. */
static vs_code plan_said(planner *p, rvps_record *r, vs_error *err)
{
    vs_val fresh = r->value;
    if (r->merge == RVPS_MERGE_ENTRIES) {
        fresh = new_entries(p, r->value);
        VS_TRY(vs_arena_check(p->a, err));
        r->left = fresh.len == 0;
        if (r->left)
            return claim_entries(p, r->name, r->value, err);
    }
    return r->left ? VS_OK : plan_record(p, r->name, r->merge, fresh, err);
}

/* What new versions do not say any more. */
static vs_code plan_dropped(planner *p, vs_error *err)
{
    for (VS_ARR_FOR (item, p->dropped)) {
        vs_span name = vs_text(*item);
        const rvps_record *r = record_of(p->recs, name);
        if (!r || r->left)
            VS_TRY_WRAP(plan_record(p, name, RVPS_MERGE_ENTRIES, vs_empty(VS_ARRAY), err), err,
                        "reference value \"%.*s\"", VS_FMT(vs_span_head(name, 80)));
    }
    return VS_OK;
}

static vs_code plan_whole(planner *p, vs_error *err)
{
    for (size_t i = 0; p->o->trusted && i < p->recs->n_comids; i++)
        if (p->fates[i] != PLAN_KNOWN)
            VS_TRY(plan_add_whole(p, &p->recs->comids[i], err));
    return VS_OK;
}

static vs_code plan_all(planner *p, vs_error *err)
{
    VS_TRY(plan_comids(p, err));
    VS_TRY(plan_all_givers(p, err)); /* before the values, for stores that put them in turn */
    for (size_t i = 0; i < p->recs->n; i++) {
        rvps_record *r = &p->recs->items[i];
        VS_TRY_WRAP(plan_said(p, r, err), err, "reference value \"%.*s\"",
                    VS_FMT(vs_span_head(r->name, 80)));
    }
    VS_TRY(plan_dropped(p, err));
    return plan_whole(p, err); /* last, for the same stores */
}

vs_code rvps_plan(vs_store *store, rvps_records *recs, const rvps_origin *o, vs_arena *a,
                  vs_store_item **items, size_t *n, vs_error *err)
{
    planner p = {.store = store, .recs = recs, .o = o, .a = a, .dropped = vs_empty(VS_SET)};
    p.fates = vs_alloc_array(a, recs->n_comids, sizeof *p.fates);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < recs->n; i++)
        recs->items[i].left = false;
    VS_TRY(plan_all(&p, err));
    if (p.n_passed)
        vs_log(VS_LOG_WARN, "rvps", "names by measurement stay as their holder has them", "names",
               vs_sprintf(a, "%zu", p.n_passed), "holder", p.first_passed, NULL);
    *items = p.items;
    *n = p.n;
    return vs_arena_check(a, err);
}

/* ---- what is deleted --------------------------------------------------------------------------
 */

static bool is_planned(const planner *p, vs_span key)
{
    for (size_t i = 0; i < p->n; i++)
        if (vs_span_eq(p->items[i].key, key))
            return true;
    return false;
}

static vs_code plan_withdrawal(planner *p, vs_val entry, vs_error *err)
{
    const rvps_comid m = {.corim = vs_text(vs_getc(entry, "corim")),
                          .tag = vs_text(vs_getc(entry, "tag"))};
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    vs_span key, old;
    vs_val v;
    VS_TRY(plan_comid_key(p, &m, &key, err));
    VS_TRY(plan_read(p, RVPS_COMIDS, key, &old, err));
    if (!old.p || is_planned(p, key))
        return VS_OK;
    VS_TRY_WRAP(vs_json_parse(p->a, old, NULL, &v, err), err, "what is known of " COMID_FMT,
                COMID_ARG(&m));
    vs_json_print(&text, vs_with(p->a, v, vs_cstring(WITHDRAWN), vs_bool(true)));
    VS_TRY(vs_buf_check(&text, err));
    vs_span value = vs_dup(p->a, vs_buf_span(&text));
    VS_TRY(vs_arena_check(p->a, err));
    return plan_add(p, plan_swap(RVPS_COMIDS, key, old, value), err);
}

/* Strangers' entries are nobody's that could be marked. */
static vs_code withdraw_entries(planner *p, vs_span name, vs_error *err)
{
    vs_span key, old;
    rvps_entry e;
    if (!rvps_is_cca_name(name) || !rvps_key_of(p->a, name, &key))
        return VS_OK;
    VS_TRY(plan_read(p, RVPS_NAMESPACE, key, &old, err));
    if (!old.p || rvps_record_read(p->a, old, name, &e, NULL) != VS_OK || e.value.kind != VS_ARRAY)
        return VS_OK; /* not made of entries */
    for (VS_ARR_FOR (entry, e.value))
        if (plan_is_vouched(*entry))
            VS_TRY(plan_withdrawal(p, *entry, err));
    return VS_OK;
}

/* Who is marked need not be known as a giver any more. The marks come first, for stores that put
 * one value after the other. */
static vs_code withdraw_givers(planner *p, vs_span name, vs_error *err)
{
    static const rvps_holder nobody;
    givers g;
    VS_TRY(plan_read_givers(p, name, &g, err));
    for (VS_ARR_FOR (giver, g.list))
        VS_TRY(plan_withdrawal(p, *giver, err));
    if (g.list.len == 0 && !g.holder.anchor.p)
        return VS_OK;
    return plan_write_givers(p, name, &g, vs_empty(VS_ARRAY), &nobody, err);
}

vs_code rvps_plan_withdrawal(vs_store *store, vs_span name, vs_arena *a, vs_store_item **items,
                             size_t *n, vs_error *err)
{
    planner p = {.store = store, .a = a};
    *n = 0;
    VS_TRY(withdraw_entries(&p, name, err));
    VS_TRY(withdraw_givers(&p, name, err));
    *items = p.items;
    *n = p.n;
    return VS_OK;
}

vs_val rvps_valid_entries(vs_arena *a, vs_val value, int64_t now)
{
    vs_vec valid = {.a = a};
    if (value.kind != VS_ARRAY)
        return vs_undefined();
    for (VS_ARR_FOR (entry, value)) {
        int64_t from, until;
        validity_of(*entry, &from, &until);
        if (entry->kind == VS_OBJECT && from <= now && now <= until)
            vs_vec_add(&valid, *entry);
    }
    return valid.n ? vs_vec_end_array(&valid) : vs_undefined();
}
