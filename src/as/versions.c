/* SPDX-License-Identifier: Apache-2.0 */
#include "as/versions.h"

#include "base/enc.h"
#include "crypto/crypto.h"
#include "value/json.h"

enum {
    TRIES = 32,       /* others may be changing the same policy */
    ETAG_DIGITS = 16, /* of the digest */
    WHO_MAX = 256,
    DELETING_S = 60, /* a deletion is two writes: how long the second may take */
    RECORD_MAX = 16 * 1024,
};

/* One policy's places in the store. */
typedef struct subject {
    as_policies *p;
    const as_policy_place *at;
    vs_span id, key;
    const char *history_ns;
    vs_span history; /* "<prefix><id>/" */
    vs_arena *a;
} subject;

static vs_code subject_of(as_policies *p, vs_span id, vs_arena *a, subject *s, vs_error *err)
{
    const as_policy_place *at = as_policies_place(p);
    if (!as_policy_id_ok(id))
        return vs_fail(err, VS_E_INVALID,
                       "a policy id is 1 to 128 letters, digits, '.', '_' or '-', not starting "
                       "with '.'");
    *s = (subject){.p = p, .at = at, .id = id, .a = a};
    s->key = vs_str(vs_sprintf(a, "%s%.*s.rego", at->prefix, VS_FMT(id)));
    s->history_ns = vs_sprintf(a, "%s_history", at->ns);
    s->history = vs_str(vs_sprintf(a, "%s%.*s/", at->prefix, VS_FMT(id)));
    return vs_arena_check(a, err);
}

static vs_span record_key(const subject *s, uint32_t version)
{
    return vs_str(vs_sprintf(s->a, "%.*s%08u", VS_FMT(s->history), version));
}

static vs_code digest(vs_arena *a, vs_span text, const char **hex, vs_error *err)
{
    uint8_t md[VS_HASH_MAX];
    VS_TRY(vs_digest(VS_SHA256, text, VS_LIT(""), VS_LIT(""), md, err));
    vs_span digits = vs_hex_encode_arena(a, vs_span_of(md, vs_hash_size(VS_SHA256)));
    *hex = vs_sprintf(a, "%.*s", VS_FMT(digits));
    return vs_arena_check(a, err);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static vs_code get(const subject *s, const char *ns, vs_span key, size_t max, vs_span *out,
                   vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(max);
    VS_TRY(vs_store_get(s->at->store, ns, key, 0, &text, err));
    *out = text.n ? vs_dup(s->a, vs_buf_span(&text)) : VS_LIT("");
    return vs_arena_check(s->a, err);
}

static vs_code get_record(const subject *s, uint32_t version, vs_val *out, vs_error *err)
{
    vs_span text;
    VS_TRY(get(s, s->history_ns, record_key(s, version), RECORD_MAX, &text, err));
    VS_TRY_WRAP(vs_json_parse(s->a, text, NULL, out, err), err, "record of version %u", version);
    return VS_OK;
}

typedef struct newest {
    vs_span history;
    uint32_t version;
} newest;

static vs_code look_at(void *user, vs_span key)
{
    newest *n = user;
    if (!vs_span_starts(key, n->history))
        return VS_OK;
    vs_span digits = vs_span_from(key, n->history.n);
    uint64_t version;
    if (digits.n > 8 || !vs_span_decimal(digits, 99999999, &version))
        return VS_OK; /* of a policy below this one */
    n->version = version > n->version ? (uint32_t)version : n->version;
    return VS_OK;
}

static vs_code newest_of(const subject *s, uint32_t *version, vs_error *err)
{
    newest n = {.history = s->history};
    VS_TRY(vs_store_list(s->at->store, s->history_ns, look_at, &n, err));
    *version = n.version;
    return VS_OK;
}

static bool is_delete(vs_val record)
{
    return vs_span_is(vs_text(vs_getc(record, "action")), "delete");
}

static const char *etag_of(const as_policy_state *s, vs_arena *a)
{
    return vs_sprintf(a, "\"%u-%.*s\"", s->version, ETAG_DIGITS, s->sha256);
}

vs_code as_policy_state_names(as_policy_state *s, vs_arena *a, vs_error *err)
{
    VS_TRY(digest(a, s->text, &s->sha256, err));
    s->etag = etag_of(s, a);
    return vs_arena_check(a, err);
}

/* `record` = the newest version's, undefined when there is none. Its number is read before the
 * text: a change in between makes the text look like one without a record, never the reverse. */
static vs_code look(const subject *s, as_policy_state *out, vs_val *record, vs_error *err)
{
    *out = (as_policy_state){0};
    *record = vs_undefined();
    VS_TRY(newest_of(s, &out->last, err));
    if (out->last)
        VS_TRY(get_record(s, out->last, record, err));
    vs_code code = get(s, s->at->ns, s->key, AS_POLICY_TEXT_MAX, &out->text, err);
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    VS_TRY(code);
    out->exists = true;
    VS_TRY(digest(s->a, out->text, &out->sha256, err));
    if (!is_delete(*record) && vs_span_is(vs_text(vs_getc(*record, "sha256")), out->sha256))
        out->version = out->last;
    out->etag = etag_of(out, s->a);
    return vs_arena_check(s->a, err);
}

static vs_code read_settled(const subject *s, as_policy_state *out, vs_error *err)
{
    for (unsigned i = 0; i < TRIES; i++) {
        vs_val record;
        uint32_t last;
        VS_TRY(look(s, out, &record, err));
        VS_TRY(newest_of(s, &last, err));
        if (last == out->last)
            return VS_OK;
    }
    return vs_fail(err, VS_E_CONFLICT, "the policy keeps changing");
}

vs_code as_policies_read(as_policies *p, vs_span id, vs_arena *a, as_policy_state *out,
                         vs_error *err)
{
    subject s;
    VS_TRY(subject_of(p, id, a, &s, err));
    return read_settled(&s, out, err);
}

static vs_code text_of_version(const subject *s, uint32_t version, vs_span *text, vs_error *err)
{
    vs_val record;
    vs_code code = version ? get_record(s, version, &record, err) : VS_E_NOT_FOUND;
    if (code == VS_E_NOT_FOUND)
        return vs_fail(err, code, "policy \"%.*s\" has no version %u", VS_FMT(s->id), version);
    VS_TRY(code);
    if (is_delete(record))
        return vs_fail(err, VS_E_NOT_FOUND, "version %u of policy \"%.*s\" is its deletion",
                       version, VS_FMT(s->id));
    VS_TRY_WRAP(
        get(s, AS_POLICY_TEXTS, vs_text(vs_getc(record, "sha256")), AS_POLICY_TEXT_MAX, text, err),
        err, "text of version %u", version);
    const char *sha256;
    VS_TRY(digest(s->a, *text, &sha256, err));
    if (!vs_span_is(vs_text(vs_getc(record, "sha256")), sha256))
        return vs_fail(err, VS_E_MISMATCH, "the stored text of version %u is not the recorded one",
                       version);
    return VS_OK;
}

vs_code as_policies_read_version(as_policies *p, vs_span id, uint32_t version, vs_arena *a,
                                 vs_span *text, vs_error *err)
{
    subject s;
    VS_TRY(subject_of(p, id, a, &s, err));
    return text_of_version(&s, version, text, err);
}

/* ---- lists ------------------------------------------------------------------------------------
 */

vs_code as_policies_history(as_policies *p, vs_span id, vs_arena *a, vs_val *out, vs_error *err)
{
    subject s;
    as_policy_state now;
    vs_vec list = {.a = a};
    VS_TRY(subject_of(p, id, a, &s, err));
    VS_TRY(read_settled(&s, &now, err));
    uint32_t first = now.last > AS_HISTORY_MAX ? now.last - AS_HISTORY_MAX + 1 : 1;
    for (uint32_t i = first; i <= now.last; i++) {
        vs_val record;
        VS_TRY(get_record(&s, i, &record, err));
        bool active = now.exists && now.version == i;
        vs_vec_add(&list, vs_with(a, record, vs_cstring("active"), vs_bool(active)));
    }
    *out = vs_vec_end_array(&list);
    return vs_arena_check(a, err);
}

/* ---- conditions -------------------------------------------------------------------------------
 */

/* RFC 9110 13.1.1: strong comparison, so a weak tag never matches. */
static bool names(vs_span list, const as_policy_state *now)
{
    if (vs_span_is(vs_span_trim(list), "*"))
        return now->exists;
    for (bool more = now->exists; more;) {
        vs_span tag = vs_span_trim(vs_span_cut(list, ',', &list, &more));
        if (vs_span_is(tag, now->etag))
            return true;
    }
    return false;
}

static vs_code check_conditions(const as_change *c, const as_policy_state *now, vs_error *err)
{
    bool ok = (!c->if_match.p || names(c->if_match, now)) &&
              (!c->if_none_match.p || !names(c->if_none_match, now));
    if (ok)
        return VS_OK;
    return now->exists
               ? vs_fail(err, VS_E_CONFLICT, "the policy was changed: it is at %s now", now->etag)
               : vs_fail(err, VS_E_CONFLICT, "there is no such policy now");
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static const char *action_name(as_change_kind kind)
{
    static const char *const names_of[] = {[AS_SET] = "set",
                                           [AS_ACTIVATE] = "activate",
                                           [AS_ROLL_BACK] = "rollback",
                                           [AS_DELETE] = "delete"};
    return names_of[kind];
}

typedef struct record {
    uint32_t version, from; /* 0 = none */
    const char *action, *sha256;
    vs_span who, note;
    int64_t time;
} record;

static vs_code item_of(const subject *s, const record *r, vs_store_item *item, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(RECORD_MAX);
    vs_obj o = {.a = s->a};
    vs_obj_put(&o, "version", vs_int(r->version));
    vs_obj_put(&o, "time", vs_int(r->time));
    vs_obj_put(&o, "action", vs_cstring(r->action));
    vs_obj_put(&o, "sha256", vs_cstring(r->sha256));
    vs_obj_put(&o, "who", vs_string(r->who));
    vs_obj_put(&o, "note", vs_string(r->note));
    if (r->from)
        vs_obj_put(&o, "from", vs_int(r->from));
    vs_json_print(&out, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    VS_TRY(vs_buf_check(&out, err));
    *item = (vs_store_item){.ns = s->history_ns,
                            .key = record_key(s, r->version),
                            .value = vs_dup(s->a, vs_buf_span(&out)),
                            .mode = VS_PUT_CREATE};
    return vs_arena_check(s->a, err);
}

/* Under its digest, so that it does not matter who else writes it too. */
static vs_code keep_text(const subject *s, vs_span text, const char *sha256, vs_error *err)
{
    vs_code code =
        vs_store_put(s->at->store, AS_POLICY_TEXTS, vs_str(sha256), text, 0, VS_PUT_CREATE, err);
    return code == VS_E_EXISTS ? VS_OK : code;
}

/* Version to go back to: the newest before the one in force that was another text. Going back twice
 * goes back two steps, since a version that came by going back counts as the one it was taken from.
 */
static vs_code previous_of(const subject *s, const as_policy_state *now, vs_val newest_record,
                           uint32_t *out, vs_error *err)
{
    uint32_t before = now->last + 1;
    if (now->exists && now->version) {
        vs_val from = vs_getc(newest_record, "from");
        bool went_back = vs_span_is(vs_text(vs_getc(newest_record, "action")), "rollback");
        before = went_back && vs_is_int(from) && from.u.i > 0 && from.u.i < now->version
                     ? (uint32_t)from.u.i
                     : now->version;
    }
    for (uint32_t v = before; v-- > 1;) {
        vs_val r;
        VS_TRY(get_record(s, v, &r, err));
        bool same = now->exists && vs_span_is(vs_text(vs_getc(r, "sha256")), now->sha256);
        if (!is_delete(r) && !same) {
            *out = v;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_NOT_FOUND, "policy \"%.*s\" has no earlier version to go back to",
                   VS_FMT(s->id));
}

/* The text that is to be in force; `from` = the version it is taken from. */
static vs_code wanted_text(const subject *s, const as_change *c, const as_policy_state *now,
                           vs_val newest_record, vs_span *text, uint32_t *from, vs_error *err)
{
    *from = 0;
    *text = c->text;
    if (c->kind == AS_ACTIVATE)
        *from = c->version;
    else if (c->kind == AS_ROLL_BACK)
        VS_TRY(previous_of(s, now, newest_record, from, err));
    if (c->kind == AS_ACTIVATE || c->kind == AS_ROLL_BACK)
        VS_TRY(text_of_version(s, *from, text, err));
    if (c->kind == AS_DELETE) {
        *text = now->text;
        return now->exists
                   ? VS_OK
                   : vs_fail(err, VS_E_NOT_FOUND, "there is no policy \"%.*s\"", VS_FMT(s->id));
    }
    return as_policies_check(s->p, s->id, *text, err);
}

/* Somebody has recorded a deletion and not finished it: writing a text now would lose it. */
static bool being_deleted(const as_change *c, const as_policy_state *now, vs_val newest_record)
{
    vs_val when = vs_getc(newest_record, "time");
    return now->exists && is_delete(newest_record) && vs_is_int(when) &&
           c->now - when.u.i < DELETING_S &&
           vs_span_is(vs_text(vs_getc(newest_record, "sha256")), now->sha256);
}

/* VS_E_EXISTS: somebody else made the next version. */
static vs_code try_change(const subject *s, const as_change *c, as_policy_state *now, vs_error *err)
{
    vs_val newest_record;
    vs_store_item items[3];
    size_t n = 0;
    record r = {.action = c->action ? c->action : action_name(c->kind),
                .who = vs_span_head(c->who, WHO_MAX),
                .note = c->note,
                .time = c->now};
    vs_span text;
    VS_TRY(look(s, now, &newest_record, err));
    VS_TRY(check_conditions(c, now, err));
    VS_TRY(wanted_text(s, c, now, newest_record, &text, &r.from, err));
    if (being_deleted(c, now, newest_record))
        return vs_fail(err, VS_E_CONFLICT, "the policy is being deleted: try again");
    uint32_t next = now->last + 1;
    if (now->exists && now->version == 0) {
        const record found = {.version = next++,
                              .action = "found",
                              .sha256 = now->sha256,
                              .note = VS_LIT("was in the store without a record"),
                              .time = c->now};
        VS_TRY(keep_text(s, now->text, now->sha256, err));
        VS_TRY(item_of(s, &found, &items[n++], err));
    }
    r.version = next;
    VS_TRY(digest(s->a, text, &r.sha256, err));
    VS_TRY(keep_text(s, text, r.sha256, err));
    VS_TRY(item_of(s, &r, &items[n++], err));
    if (c->kind != AS_DELETE)
        items[n++] = (vs_store_item){.ns = s->at->ns, .key = s->key, .value = text};
    VS_TRY(vs_store_put_all(s->at->store, items, n, err));
    if (c->kind != AS_DELETE)
        return VS_OK;
    vs_code code = vs_store_delete(s->at->store, s->at->ns, s->key, err);
    return code == VS_E_NOT_FOUND ? VS_OK : code;
}

vs_code as_policies_change(as_policies *p, const as_change *c, vs_arena *a, as_policy_state *out,
                           vs_error *err)
{
    subject s;
    VS_TRY(subject_of(p, c->id, a, &s, err));
    if (c->note.n > AS_NOTE_MAX || !vs_utf8_ok(c->note) || !vs_utf8_ok(c->who))
        return vs_fail(err, VS_E_INVALID, "a note is UTF-8 text of at most %d bytes", AS_NOTE_MAX);
    for (unsigned i = 0; i < TRIES; i++) {
        vs_error why = {0};
        vs_code code = try_change(&s, c, out, &why);
        if (code == VS_OK)
            code = read_settled(&s, out, &why);
        if (code == VS_E_EXISTS)
            continue;
        if (code != VS_OK && err)
            *err = why;
        return code;
    }
    return vs_fail(err, VS_E_CONFLICT, "the policy keeps changing: try again");
}
