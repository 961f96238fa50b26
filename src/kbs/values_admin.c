/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration of reference values beside Trustee's endpoints:
 *
 *   reference-value?prefix=&after=&limit=   GET: the records, page by page
 *   reference-value/<id>                    DELETE
 *   collect/<decision>                      GET: what a recorded attestation would have needed
 *   collect/<decision>                      POST {"proposal", "names"}: registers of it what is
 * named
 *
 * A proposal is only ever what was shown: the approval names its digest, and when the stored values
 * have changed since, it is refused.
 */
#include "as/collect.h"
#include "base/clock.h"
#include "base/enc.h"
#include "kbs/internal.h"
#include "kbs/journal.h"
#include "value/json.h"

enum { PAGE = 100, MESSAGE_MAX = 4 << 20 };

/* ---- list and delete --------------------------------------------------------------------------
 */

static vs_code limit_of(kbs_ctx *c, size_t *out, vs_error *err)
{
    vs_span text = vs_text(vs_getc(c->call.query, "limit"));
    uint64_t n = PAGE;
    bool ok = text.n == 0 || (text.n <= 4 && vs_span_decimal(text, RVPS_PAGE_MAX, &n));
    *out = (size_t)n;
    return ok && n >= 1
               ? VS_OK
               : vs_fail(err, VS_E_INVALID, "limit must be a number from 1 to %d", RVPS_PAGE_MAX);
}

static vs_val entry_value(vs_arena *a, const rvps_entry *e)
{
    char when[VS_TIME_TEXT];
    vs_obj o = {.a = a};
    vs_obj_put(&o, "name", vs_string(e->name));
    vs_obj_put(&o, "value", e->value);
    vs_obj_put(&o, "expires", vs_cstring(vs_sprintf(a, "%s", vs_time_rfc3339(e->expires, when))));
    vs_obj_put(&o, "valid", vs_bool(e->valid));
    vs_obj_opt(&o, "provenance", e->provenance);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_code list(kbs_ctx *c, vs_error *err)
{
    vs_arena *a = c->call.arena;
    size_t limit;
    rvps_page page;
    vs_vec values = {.a = a};
    VS_TRY(limit_of(c, &limit, err));
    VS_TRY(rvps_list(c->k->rv, vs_text(vs_getc(c->call.query, "prefix")),
                     vs_text(vs_getc(c->call.query, "after")), limit, a, &page, err));
    for (size_t i = 0; i < page.n; i++) {
        rvps_entry e;
        vs_error why = {0};
        vs_code code = rvps_get(c->k->rv, page.names[i], c->call.now, a, &e, &why);
        if (code == VS_E_NOT_FOUND) /* deleted just now */
            continue;
        if (code != VS_OK && code != VS_E_INVALID && code != VS_E_PARSE) {
            *err = why;
            return code;
        }
        if (code != VS_OK) /* unreadable, which must not hide the others */
            e = (rvps_entry){.name = page.names[i], .value = vs_null()};
        vs_vec_add(&values, entry_value(a, &e));
    }
    vs_obj o = {.a = a};
    vs_obj_put(&o, "values", vs_vec_end_array(&values));
    if (page.more)
        vs_obj_put(&o, "next", vs_string(page.names[page.n - 1]));
    vs_json_print(&c->reply->body, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    return vs_arena_check(a, err);
}

void kbs_list_reference_values(kbs_ctx *c)
{
    vs_error err = {0};
    vs_code code = list(c, &err);
    c->reply->content_type = "application/json";
    if (code != VS_OK)
        kbs_refuse_own(c, code, &err);
}

void kbs_delete_reference_value(kbs_ctx *c)
{
    vs_error err = {0};
    vs_code code = rvps_delete(c->k->rv, kbs_rest_of_path(c), c->who, &err);
    bool recorded = kbs_decide_admin(c, "delete reference value", code, &err);
    if (code != VS_OK)
        kbs_refuse_own(c, code, &err);
    else if (!recorded)
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "the change was made but not recorded");
}

/* ---- a proposal -------------------------------------------------------------------------------
 */

static vs_code stored_policy(const void *user, vs_span id, vs_span sha256, vs_arena *a,
                             vs_span *text, vs_error *err)
{
    const kbs_ctx *c = user;
    (void)id;
    return as_policy_text(c->k->as, sha256, a, text, err);
}

static bool has(vs_val array, vs_val v)
{
    if (array.kind != VS_ARRAY)
        return false;
    for (VS_ARR_FOR (item, array))
        if (vs_eq(*item, v))
            return true;
    return false;
}

/* Approved values stay approved beside the new one. */
static vs_val with_value(vs_arena *a, vs_val array, vs_val v)
{
    vs_vec out = {.a = a};
    if (array.kind == VS_ARRAY)
        for (VS_ARR_FOR (item, array))
            vs_vec_add(&out, *item);
    if (!has(array, v))
        vs_vec_add(&out, v);
    return vs_vec_end_array(&out);
}

/* One line of a proposal: what would be stored, and how that differs. */
static vs_code line_of(kbs_ctx *c, vs_val found, vs_val *out, vs_error *err)
{
    vs_arena *a = c->call.arena;
    vs_val observed = vs_getc(found, "observed"), stored = vs_undefined(), proposed = observed;
    VS_TRY(rvps_query(c->k->rv, vs_text(vs_getc(found, "id")), c->call.now, a, &stored, err));
    bool among = vs_span_is(vs_text(vs_getc(found, "comparison")), "in");
    if (among)
        proposed = with_value(a, stored, observed);
    const char *change = !vs_defined(stored)                ? "new"
                         : vs_eq(stored, proposed)          ? "same"
                         : among && stored.kind == VS_ARRAY ? "add"
                                                            : "replace";
    vs_obj o = {.a = a};
    vs_obj_put(&o, "name", vs_getc(found, "id"));
    vs_obj_put(&o, "submod", vs_getc(found, "submod"));
    vs_obj_put(&o, "comparison", vs_getc(found, "comparison"));
    vs_obj_put(&o, "observed", observed);
    vs_obj_opt(&o, "stored", stored);
    vs_obj_put(&o, "proposed", proposed);
    vs_obj_put(&o, "change", vs_cstring(change));
    *out = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    return vs_arena_check(a, err);
}

/* Two attesters that were compared with the same reference value: it cannot be both. */
static vs_code refuse_twice(vs_val found, const vs_vec *lines, vs_error *err)
{
    for (size_t i = 0; i < lines->n; i++)
        if (vs_eq(vs_getc(lines->items[i], "name"), vs_getc(found, "id")) &&
            !vs_eq(vs_getc(lines->items[i], "observed"), vs_getc(found, "observed")))
            return vs_fail(err, VS_E_UNSUPPORTED,
                           "several attesters of this attestation differ in \"%.*s\"",
                           VS_FMT(vs_span_head(vs_text(vs_getc(found, "id")), 80)));
    return VS_OK;
}

static vs_code lines_of(kbs_ctx *c, vs_val found, vs_val *values, vs_val *unknown, vs_error *err)
{
    vs_vec lines = {.a = c->call.arena}, others = {.a = c->call.arena};
    for (VS_ARR_FOR (f, found)) {
        vs_val line;
        if (!vs_defined(vs_getc(*f, "comparison"))) {
            vs_vec_add(&others, vs_getc(*f, "id"));
            continue;
        }
        VS_TRY(refuse_twice(*f, &lines, err));
        VS_TRY(line_of(c, *f, &line, err));
        vs_vec_add(&lines, line);
    }
    *values = vs_vec_end_array(&lines);
    *unknown = vs_vec_end_array(&others);
    return vs_arena_check(c->call.arena, err);
}

static vs_code digest_of(kbs_ctx *c, vs_val v, vs_val *out, vs_error *err)
{
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(MESSAGE_MAX);
    vs_json_print(&text, v);
    VS_TRY(vs_buf_check(&text, err));
    VS_TRY(vs_digest(VS_SHA256, vs_buf_span(&text), VS_LIT(""), VS_LIT(""), md, err));
    *out = vs_string(vs_hex_encode_arena(c->call.arena, vs_span_of(md, 32)));
    return vs_arena_check(c->call.arena, err);
}

/* {"decision", "time", "status", "values": [...], "unknown": [...], "proposal": "<sha256>"} */
static vs_code propose(kbs_ctx *c, vs_val *out, vs_error *err)
{
    vs_arena *a = c->call.arena;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    vs_span id = kbs_rest_of_path(c);
    vs_val record, appraisal, found, values, unknown, digest;
    VS_TRY(kbs_journal_get(c->k->journal, id, c->call.now, &text, err));
    VS_TRY(vs_json_parse(a, vs_dup(a, vs_buf_span(&text)), NULL, &record, err));
    appraisal = vs_getc(record, "appraisal");
    if (appraisal.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID,
                       "this decision is not about evidence that was verified: there is nothing "
                       "to collect");
    const as_replay_options opts = {.policy = stored_policy, .user = c};
    VS_TRY(as_collect(appraisal, &opts, a, &found, err));
    VS_TRY(lines_of(c, found, &values, &unknown, err));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "decision", vs_string(id));
    vs_obj_opt(&o, "time", vs_getc(record, "time"));
    vs_obj_opt(&o, "status", vs_getc(appraisal, "status"));
    vs_obj_put(&o, "values", values);
    vs_obj_put(&o, "unknown", unknown);
    vs_val proposal = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    VS_TRY(digest_of(c, proposal, &digest, err));
    *out = vs_with(a, proposal, vs_cstring("proposal"), digest);
    return vs_arena_check(a, err);
}

void kbs_propose_reference_values(kbs_ctx *c)
{
    vs_error err = {0};
    vs_val proposal;
    vs_code code = propose(c, &proposal, &err);
    if (code != VS_OK) {
        kbs_refuse_own(c, code, &err);
        return;
    }
    vs_json_print(&c->reply->body, proposal);
    c->reply->content_type = "application/json";
}

/* ---- approval ---------------------------------------------------------------------------------
 */

static vs_code chosen(kbs_ctx *c, vs_val proposal, vs_val names, vs_val *out, vs_error *err)
{
    vs_val values = vs_getc(proposal, "values");
    vs_obj payload = {.a = c->call.arena};
    if (names.len == 0)
        return vs_fail(err, VS_E_INVALID, "no name is approved");
    for (VS_ARR_FOR (name, names)) {
        const vs_val *line = NULL;
        for (VS_ARR_FOR (v, values))
            line = vs_eq(vs_getc(*v, "name"), *name) ? v : line;
        if (!line)
            return vs_fail(err, VS_E_NOT_FOUND, "the proposal does not hold \"%.*s\"",
                           VS_FMT(vs_span_head(vs_text(*name), 80)));
        vs_obj_add(&payload, *name, vs_getc(*line, "proposed"));
    }
    *out = vs_obj_end(&payload, VS_DUP_LAST, NULL);
    return vs_arena_check(c->call.arena, err);
}

/* A message as an administrator's client would have written it (attestation-service.md 8.1), so
 * that what refuses those refuses this. */
static vs_code register_payload(kbs_ctx *c, vs_val payload, vs_error *err)
{
    VS_CLEANUP(vs_buf_free)
    vs_buf text = VS_BUF(MESSAGE_MAX), message = VS_BUF(2 * MESSAGE_MAX);
    vs_json_print(&text, payload);
    VS_TRY(vs_buf_check(&text, err));
    VS_TRY(rvps_message(&message, "sample", vs_buf_span(&text), err));
    const char *by = vs_sprintf(c->call.arena, "%.*s, collected from decision %.*s", VS_FMT(c->who),
                                VS_FMT(kbs_rest_of_path(c)));
    VS_TRY(vs_arena_check(c->call.arena, err));
    return rvps_register_by(c->k->rv, vs_buf_span(&message), vs_str(by), c->call.now, err);
}

static vs_code approve(kbs_ctx *c, vs_error *err)
{
    vs_val body, digest, names, proposal, payload;
    VS_TRY(vs_json_parse(c->call.arena, c->call.body, NULL, &body, err));
    VS_TRY(vs_need(body, "proposal", VS_STRING, &digest, err));
    VS_TRY(vs_need(body, "names", VS_ARRAY, &names, err));
    VS_TRY(propose(c, &proposal, err));
    if (!vs_eq(vs_getc(proposal, "proposal"), digest))
        return vs_fail(err, VS_E_CONFLICT,
                       "this is not the proposal as it is now: look at it again");
    VS_TRY(chosen(c, proposal, names, &payload, err));
    VS_TRY(register_payload(c, payload, err));
    vs_json_print(&c->reply->body, payload);
    c->reply->content_type = "application/json";
    return VS_OK;
}

void kbs_approve_reference_values(kbs_ctx *c)
{
    vs_error err = {0};
    vs_code code = approve(c, &err);
    bool recorded = kbs_decide_admin(c, "approve collected reference values", code, &err);
    if (code != VS_OK)
        kbs_refuse_own(c, code, &err);
    else if (!recorded)
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "the change was made but not recorded");
}
