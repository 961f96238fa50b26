/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "rvps/backend.h"
#include "rvps/cca.h"
#include "rvps/comids.h"
#include "rvps/metrics.h"
#include "rvps/recent.h"
#include "rvps/record.h"
#include "rvps/strangers.h"
#include "value/json.h"

enum { LIFE_MONTHS = 12, BY_MAX = 512, TRIES = 64 };

/* The provider over a store of its own. */
typedef struct rvps_local {
    rvps base;
    vs_store *store;
    rvps_options opts;
    strangers crowd;
    rvps_recent *recent;
} rvps_local;

/* ---- registering ----------------------------------------------------------------------------- */

/* What one message has in common for all its records. */
typedef struct origin {
    const rvps_extractor *x;
    bool vouched; /* by an administrator */
    rvps_origin common;
} origin;

/* Envelope (8.1). A type that is known but switched off is told apart from one that is not known.
 */
static vs_code open_envelope(const rvps_local *r, vs_arena *a, vs_span message,
                             const rvps_extractor **x, vs_span *payload, vs_error *err)
{
    vs_val m, version = vs_cstring(RVPS_VERSION), type, text;
    VS_TRY_WRAP(vs_json_parse(a, message, NULL, &m, err), err,
                "the reference value message is not JSON");
    if (vs_defined(vs_getc(m, "version")))
        VS_TRY(vs_need(m, "version", VS_STRING, &version, err));
    VS_TRY(vs_need(m, "type", VS_STRING, &type, err));
    VS_TRY(vs_need(m, "payload", VS_STRING, &text, err));
    if (!vs_span_is(vs_text(version), RVPS_VERSION))
        return vs_fail(err, VS_E_INVALID, "Version unmatched! Need " RVPS_VERSION ", given %.*s.",
                       VS_FMT(vs_span_head(vs_text(version), 80)));
    *x = rvps_extractor_of(vs_text(type));
    if (!*x)
        return vs_fail(err, VS_E_UNSUPPORTED, "Could not find extractor for %.*s",
                       VS_FMT(vs_span_head(vs_text(type), 80)));
    if ((*x)->is_sample && r->opts.refuse_sample)
        return vs_fail(err, VS_E_DENIED,
                       "messages of type %s are not signed, and this server refuses them",
                       (*x)->type);
    if ((*x)->never_signed && r->opts.require_signed)
        return vs_fail(err, VS_E_DENIED,
                       "messages of type %s count as unsigned%s, and this server takes only what a "
                       "trust anchor vouches for (require_signed): send a signed CoRIM",
                       (*x)->type,
                       (*x)->is_sample ? "" : ", since signatures within them are not verified");
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_STD, vs_text(text), payload, err), err,
                "payload of a %s message", (*x)->type);
    return VS_OK;
}

static vs_code describe(vs_arena *a, vs_span payload, vs_span by, const rvps_records *recs,
                        origin *o, vs_error *err)
{
    uint8_t h[VS_HASH_MAX];
    char when[VS_TIME_TEXT];
    VS_TRY(vs_digest(VS_SHA256, payload, (vs_span){NULL, 0}, (vs_span){NULL, 0}, h, err));
    vs_obj p = {.a = a};
    if (by.n && by.n <= BY_MAX && vs_utf8_ok(by))
        vs_obj_put(&p, "by", vs_string(by));
    vs_obj_put(&p, "payload_sha256", vs_string(vs_hex_encode_arena(a, vs_span_of(h, 32))));
    vs_obj_put(&p, "registered", vs_string_dup(a, vs_str(vs_time_rfc3339(o->common.now, when))));
    if (recs->signature.trusted)
        vs_obj_opt(&p, "signer", recs->signature.signer);
    vs_obj_opt(&p, "source", recs->source);
    vs_obj_put(&p, "type", vs_cstring(o->x->type));
    o->common.provenance = vs_obj_end(&p, VS_DUP_REFUSE, NULL);
    return vs_arena_check(a, err);
}

/* A message may shorten the life of its values, not lengthen it. */
static vs_code set_validity(rvps_origin *o, const corim_validity *v, vs_error *err)
{
    char when[VS_TIME_TEXT];
    if (v->not_after < o->now)
        return vs_fail(err, VS_E_EXPIRED, "the reference values were valid until %s",
                       vs_time_rfc3339(v->not_after, when));
    if (v->not_before > v->not_after)
        return vs_fail(err, VS_E_INVALID, "the reference values are valid at no time");
    o->expires = vs_time_add_months(o->now, LIFE_MONTHS);
    if (v->not_after < o->expires)
        o->expires = v->not_after;
    o->not_before = v->not_before > o->now ? v->not_before : INT64_MIN;
    if (o->not_before > o->expires)
        return vs_fail(err, VS_E_INVALID,
                       "the reference values are not valid within %d months from now", LIFE_MONTHS);
    return VS_OK;
}

/* Names that have a meaning of their own, and keys that must not come from just anybody. */
static vs_code check_names(const rvps_local *r, const rvps_records *recs, bool trusted,
                           vs_error *err)
{
    for (size_t i = 0; i < recs->n; i++) {
        const rvps_record *rec = &recs->items[i];
        bool made_here = rec->merge == RVPS_MERGE_ENTRIES;
        if (rvps_is_cca_name(rec->name) && !made_here)
            return vs_fail(err, VS_E_DENIED,
                           "\"%.*s\" is reserved for endorsements of the Arm CCA profiles: only a "
                           "CoRIM of such a profile can set it",
                           VS_FMT(vs_span_head(rec->name, 80)));
        if (rvps_is_cca_key_name(rec->name) && !trusted && !r->opts.accept_unsigned_keys)
            return vs_fail(
                err, VS_E_DENIED,
                "it holds attestation keys, which make platforms genuine: they are taken "
                "from a CoRIM that a configured trust anchor vouches for, or from an "
                "administrator");
    }
    return VS_OK;
}

/* What its anchor does not vouch for is refused, or left out where the profile makes it beside what
 * the signer says. */
static vs_code check_rights(rvps_records *recs, unsigned may, vs_error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < recs->n; i++) {
        const rvps_record *rec = &recs->items[i];
        unsigned right = rvps_right_of_name(rec->name);
        if (!(may & right) && recs->of_cca && right == RVPS_MAY_VALUES)
            continue;
        if (!(may & right))
            return vs_fail(err, VS_E_DENIED,
                           "\"%.*s\": the signer's trust anchor %.*s is restricted, and may not "
                           "vouch for %s",
                           VS_FMT(vs_span_head(rec->name, 80)),
                           VS_FMT(vs_span_head(recs->signature.anchor_name, 80)),
                           rvps_may_word(right));
        recs->items[kept++] = *rec;
    }
    recs->n = kept;
    if (!(may & RVPS_MAY_VALUES))
        recs->n_mentions = 0;
    return VS_OK;
}

/* A signed message speaks for its signer, also when an administrator brings it: he did not make it,
 * and may not have read it. */
static vs_code set_authority(const origin *o, rvps_records *recs, rvps_origin *out, vs_error *err)
{
    const rvps_signature *s = &recs->signature;
    out->vouched = o->vouched;
    out->trusted = s->trusted || o->vouched;
    out->may = s->trusted ? s->may : RVPS_MAY_ALL;
    out->signer_name = s->trusted ? recs->signer_name : (vs_span){NULL, 0};
    if (s->trusted)
        out->by = (rvps_holder){s->anchor, s->anchor_name};
    else if (o->vouched)
        out->by = (rvps_holder){VS_LIT(RVPS_ADMINISTRATOR), VS_LIT(RVPS_ADMINISTRATOR)};
    return check_rights(recs, out->may, err);
}

static vs_code extract(const rvps_local *r, vs_arena *a, vs_span message, vs_span by, origin *o,
                       rvps_records *recs, vs_error *err)
{
    vs_span payload;
    rvps_context x = {r->opts.anchors, r->opts.require_signed, o->common.now};
    VS_TRY(open_envelope(r, a, message, &o->x, &payload, err));
    *recs = (rvps_records){.a = a, .validity = {INT64_MIN, INT64_MAX}};
    VS_TRY_WRAP(o->x->extract(&x, payload, recs, err), err, "payload of a %s message", o->x->type);
    if (r->opts.require_signed && !recs->signature.trusted) /* each extractor has seen to it */
        return vs_fail(err, VS_E_DENIED, "the %s message is not signed", o->x->type);
    VS_TRY(set_authority(o, recs, &o->common, err));
    VS_TRY(check_names(r, recs, o->common.trusted, err));
    VS_TRY(set_validity(&o->common, &recs->validity, err));
    return describe(a, payload, by, recs, o, err);
}

/* On an arena of its own, since it may be done again. */
static vs_code put_once(rvps_local *r, rvps_records *recs, const rvps_origin *o, bool *again,
                        vs_error *err)
{
    vs_store_item *items = NULL;
    size_t n = 0;
    vs_arena a;
    vs_arena_init(&a, o->trusted ? RVPS_PLAN_MEMORY : 0);
    *again = false;
    vs_code code = rvps_plan(r->store, recs, o, &a, &items, &n, err);
    if (code == VS_OK && !o->trusted)
        code = strangers_may_put(&r->crowd, r->store, items, n, err);
    if (code == VS_OK) {
        code = vs_store_put_all(r->store, items, n, err);
        *again = code == VS_E_EXISTS || code == VS_E_CONFLICT;
        if (code != VS_OK)
            (void)vs_wrap(err, "storing reference values");
    }
    vs_arena_free(&a);
    return code;
}

static vs_code register_on(rvps_local *r, vs_arena *a, vs_span message, vs_span by, bool vouched,
                           int64_t now, vs_error *err)
{
    rvps_records recs;
    origin o = {.vouched = vouched, .common.now = now};
    bool again = true;
    vs_code code = VS_OK;
    VS_TRY(extract(r, a, message, by, &o, &recs, err));
    for (unsigned i = 0; i < TRIES && again; i++)
        code = put_once(r, &recs, &o.common, &again, err);
    VS_TRY(code);
    size_t left = 0;
    for (size_t i = 0; i < recs.n; i++) {
        left += recs.items[i].left;
        if (recs.items[i].left)
            continue;
        vs_log(VS_LOG_INFO, "rvps", "reference value registered", "name",
               vs_sprintf(a, "%.*s", VS_FMT(recs.items[i].name)), "type", o.x->type, "signed",
               recs.signature.trusted ? "yes" : "no", NULL);
    }
    if (left)
        vs_log(VS_LOG_INFO, "rvps", "reference values stay as they are stored", "values",
               vs_sprintf(a, "%zu", left), "type", o.x->type, NULL);
    return VS_OK;
}

static vs_code take(rvps *r, vs_span message, vs_span by, bool vouched, int64_t now, vs_error *err)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_code code = register_on((rvps_local *)r, &a, message, by, vouched, now, err);
    vs_arena_free(&a);
    return code;
}

static vs_code local_take_by(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err)
{
    return take(r, message, by, false, now, err);
}

static vs_code local_take_vouched(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err)
{
    return take(r, message, by, true, now, err);
}

static vs_code local_take(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    return take(r, message, (vs_span){NULL, 0}, false, now, err);
}

/* ---- querying -------------------------------------------------------------------------------- */

/* The text of a record, on the arena. */
static vs_code read_text(const rvps_local *r, uint64_t changes, vs_span key, int64_t now,
                         vs_arena *a, vs_span *text, vs_error *err)
{
    if (changes && rvps_recent_find(r->recent, changes, key, a, text)) {
        VS_TRY(vs_arena_check(a, err));
        return text->p ? VS_OK : vs_fail(err, VS_E_NOT_FOUND, "no such record");
    }
    VS_CLEANUP(vs_buf_free) vs_buf stored = VS_BUF(VS_STORE_VALUE_MAX);
    vs_code code = vs_store_get(r->store, RVPS_NAMESPACE, key, now, &stored, err);
    if (code == VS_OK || code == VS_E_NOT_FOUND)
        rvps_recent_keep(r->recent, changes, key, vs_buf_span(&stored));
    VS_TRY(code);
    *text = vs_dup(a, vs_buf_span(&stored));
    return vs_arena_check(a, err);
}

static vs_code get_as_of(const rvps_local *r, uint64_t changes, vs_span id, int64_t now,
                         vs_arena *a, rvps_entry *out, vs_error *err)
{
    vs_span key, text;
    bool ok = rvps_key_of(a, id, &key);
    VS_TRY(vs_arena_check(a, err));
    if (!ok) /* nothing can be registered under such a name */
        return vs_fail(err, VS_E_NOT_FOUND, "no reference value can have this name");
    VS_TRY(read_text(r, changes, key, now, a, &text, err));
    VS_TRY_WRAP(rvps_record_read(a, text, id, out, err), err, "stored reference value \"%.*s\"",
                VS_FMT(vs_span_head(id, 80)));
    out->valid = out->expires >= now && out->not_before <= now;
    return VS_OK;
}

static vs_code local_get(rvps *r, vs_span id, int64_t now, vs_arena *a, rvps_entry *out,
                         vs_error *err)
{
    return get_as_of((const rvps_local *)r, 0, id, now, a, out, err);
}

static uint64_t local_changes(rvps *r)
{
    uint64_t n = 0;
    vs_code code = vs_store_changes(((const rvps_local *)r)->store, RVPS_NAMESPACE, &n, NULL);
    return code == VS_OK ? n : 0; /* the query that follows says what is wrong */
}

static vs_code local_query_as_of(rvps *r, uint64_t changes, vs_span id, int64_t now, vs_arena *a,
                                 vs_val *out, vs_error *err)
{
    rvps_entry e;
    vs_code code = get_as_of((const rvps_local *)r, changes, id, now, a, &e, err);
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    VS_TRY(code);
    if (!e.valid) {
        char when[VS_TIME_TEXT];
        bool early = e.not_before > now;
        vs_log(VS_LOG_WARN, "rvps",
               early ? "reference value is not valid yet and is not used"
                     : "reference value has expired and is not used",
               "name", vs_sprintf(a, "%.*s", VS_FMT(id)), early ? "valid_from" : "expired",
               vs_time_rfc3339(early ? e.not_before : e.expires, when), NULL);
        return VS_OK;
    }
    *out = rvps_is_cca_name(id) ? rvps_valid_entries(a, e.value, now) : e.value;
    return vs_arena_check(a, err);
}

/* ---- listing, deleting ----------------------------------------------------------------------- */

typedef struct lister {
    vs_arena *a;
    vs_span prefix, after; /* a name; a key */
    vs_span *names;
    size_t n, limit;
    bool more;
} lister;

static vs_code list_one(void *user, vs_span key)
{
    lister *l = user;
    if (l->after.n && vs_span_cmp(key, l->after) <= 0)
        return VS_OK;
    /* The form of a name differs from its key's only where it starts with this. */
    vs_span name = key;
    if (vs_span_starts(key, VS_LIT("rvps:/")))
        name = rvps_name_of(l->a, key);
    if (!vs_span_starts(name, l->prefix))
        return vs_arena_check(l->a, NULL);
    if (l->n == l->limit) {
        l->more = true;
        return VS_E_LIMIT; /* enough: ends the listing */
    }
    l->names[l->n++] = vs_dup(l->a, name);
    return vs_arena_check(l->a, NULL);
}

static vs_code local_list(rvps *r, vs_span prefix, vs_span after, size_t limit, vs_arena *a,
                          rvps_page *out, vs_error *err)
{
    lister l = {.a = a, .prefix = prefix, .limit = limit};
    if (after.n && !rvps_key_of(a, after, &l.after))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not the name of a reference value",
                       VS_FMT(vs_span_head(after, 80)));
    l.names = vs_alloc_array(a, limit, sizeof *l.names);
    VS_TRY(vs_arena_check(a, err));
    vs_code code = vs_store_list(((const rvps_local *)r)->store, RVPS_NAMESPACE, list_one, &l, err);
    VS_TRY(vs_arena_check(a, err));
    if (code != VS_OK && !l.more) {
        (void)vs_wrap(err, "listing reference values");
        return code;
    }
    *out = (rvps_page){l.names, l.n, l.more};
    return VS_OK;
}

static vs_code withdraw_once(vs_store *store, vs_span id, bool *again, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_store_item *items = NULL;
    size_t n;
    vs_arena_init(&a, RVPS_PLAN_MEMORY);
    *again = false;
    VS_TRY(rvps_plan_withdrawal(store, id, &a, &items, &n, err));
    vs_code code = n ? vs_store_put_all(store, items, n, err) : VS_OK;
    *again = code == VS_E_EXISTS || code == VS_E_CONFLICT;
    return code;
}

/* Whatever gave it does not do so again by being sent again. */
static vs_code withdraw(vs_store *store, vs_span id, vs_error *err)
{
    bool again = true;
    vs_code code = VS_OK;
    for (unsigned i = 0; i < TRIES && again; i++)
        code = withdraw_once(store, id, &again, err);
    return code;
}

static vs_code delete_on(vs_store *store, vs_arena *a, vs_span id, vs_span by, vs_error *err)
{
    vs_span key;
    bool ok = rvps_key_of(a, id, &key);
    VS_TRY(vs_arena_check(a, err));
    if (!ok)
        return vs_fail(err, VS_E_NOT_FOUND, "no reference value can have this name");
    VS_TRY_WRAP(withdraw(store, id, err), err, "marking who gave it");
    VS_TRY(vs_store_delete(store, RVPS_NAMESPACE, key, err));
    vs_log(VS_LOG_INFO, "rvps", "reference value deleted", "name",
           vs_sprintf(a, "%.*s", VS_FMT(id)), "by",
           vs_sprintf(a, "%.*s", VS_FMT(vs_span_head(by, BY_MAX))), NULL);
    return VS_OK;
}

static vs_code local_delete(rvps *r, vs_span id, vs_span by, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 1 << 16);
    return delete_on(((const rvps_local *)r)->store, &a, id, by, err);
}

vs_code rvps_message(vs_buf *out, const char *type, vs_span payload, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX * 2);
    vs_b64_encode(&text, VS_B64_STD, payload);
    VS_TRY(vs_buf_check(&text, err));
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "version");
    vs_jw_str(&w, RVPS_VERSION);
    vs_jw_key(&w, "type");
    vs_jw_str(&w, type);
    vs_jw_key(&w, "payload");
    vs_jw_span(&w, vs_buf_span(&text));
    vs_jw_close(&w, '}');
    return vs_buf_check(out, err);
}

/* ---- interface ------------------------------------------------------------------------------- */

static void local_close(rvps *r)
{
    rvps_local *l = (rvps_local *)r;
    strangers_close(&l->crowd);
    rvps_recent_free(&l->recent);
    free(l);
}

static const rvps_ops local_ops = {.take = local_take,
                                   .close = local_close,
                                   .take_by = local_take_by,
                                   .take_vouched = local_take_vouched,
                                   .get = local_get,
                                   .list = local_list,
                                   .remove = local_delete,
                                   .changes = local_changes,
                                   .query_as_of = local_query_as_of};

vs_code rvps_new(vs_store *store, const rvps_options *opts, rvps **out, vs_error *err)
{
    *out = NULL;
    if (opts && opts->require_signed && rvps_anchors_empty(opts->anchors))
        vs_log(VS_LOG_WARN, "rvps",
               "only signed reference values are taken, and no trust anchors are given: none are",
               NULL);
    rvps_local *r = calloc(1, sizeof *r);
    rvps_recent *recent = rvps_recent_new();
    if (!r || !recent) {
        rvps_recent_free(&recent);
        free(r);
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    }
    r->recent = recent;
    r->base.ops = &local_ops;
    r->store = store;
    strangers_open(&r->crowd);
    if (opts)
        r->opts = *opts;
    *out = &r->base;
    return VS_OK;
}

void rvps_free(rvps **r)
{
    if (!r || !*r)
        return;
    (*r)->ops->close(*r);
    *r = NULL;
}

static vs_code counted(vs_code code)
{
    vs_metric_add(&rvps_m_messages, code == VS_OK ? VS_LIT("taken") : VS_LIT("refused"), 1);
    return code;
}

static vs_code take_by(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err)
{
    return r->ops->take_by ? r->ops->take_by(r, message, by, now, err)
                           : r->ops->take(r, message, now, err);
}

vs_code rvps_register(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    return counted(r->ops->take(r, message, now, err));
}

vs_code rvps_register_by(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err)
{
    return counted(take_by(r, message, by, now, err));
}

vs_code rvps_register_vouched(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err)
{
    return counted(r->ops->take_vouched ? r->ops->take_vouched(r, message, by, now, err)
                                        : take_by(r, message, by, now, err));
}

uint64_t rvps_changes(rvps *r)
{
    return r->ops->changes ? r->ops->changes(r) : 0;
}

vs_code rvps_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out, vs_error *err)
{
    return rvps_query_as_of(r, 0, id, now, a, out, err);
}

vs_code rvps_query_as_of(rvps *r, uint64_t changes, vs_span id, int64_t now, vs_arena *a,
                         vs_val *out, vs_error *err)
{
    *out = vs_undefined();
    vs_code code = r->ops->query_as_of ? r->ops->query_as_of(r, changes, id, now, a, out, err)
                                       : r->ops->query(r, id, now, a, out, err);
    vs_metric_add(&rvps_m_queries,
                  code != VS_OK      ? VS_LIT("failed")
                  : vs_defined(*out) ? VS_LIT("found")
                                     : VS_LIT("none"),
                  1);
    return code;
}

static vs_code not_offered(vs_error *err)
{
    return vs_fail(err, VS_E_UNSUPPORTED, "this reference value provider only takes and answers");
}

vs_code rvps_get(rvps *r, vs_span id, int64_t now, vs_arena *a, rvps_entry *out, vs_error *err)
{
    *out = (rvps_entry){0};
    return r->ops->get ? r->ops->get(r, id, now, a, out, err) : not_offered(err);
}

vs_code rvps_list(rvps *r, vs_span prefix, vs_span after, size_t limit, vs_arena *a, rvps_page *out,
                  vs_error *err)
{
    *out = (rvps_page){0};
    if (limit < 1 || limit > RVPS_PAGE_MAX)
        return vs_fail(err, VS_E_INVALID, "a page has 1 to %d names, not %zu", RVPS_PAGE_MAX,
                       limit);
    return r->ops->list ? r->ops->list(r, prefix, after, limit, a, out, err) : not_offered(err);
}

vs_code rvps_delete(rvps *r, vs_span id, vs_span by, vs_error *err)
{
    return r->ops->remove ? r->ops->remove(r, id, by, err) : not_offered(err);
}
