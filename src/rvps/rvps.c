/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/backend.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "rvps/extract.h"
#include "value/json.h"

#define NAMESPACE "reference_value"
#define VERSION   "0.1.0"
enum { LIFE_MONTHS = 12 };

typedef struct rvps_local {
    rvps base;
    vs_store *store;
    rvps_options opts;
} rvps_local;

/* A record's key is its name (8.3). The one form of name that the store's grammar excludes and that
 * is recommended (8.8), "rvps:///a/b:tag", is kept under "rvps:/a/b:tag"; so that no two names
 * share a key, other names that start with "rvps:/" are not allowed. */
static bool key_of(vs_arena *a, vs_span name, vs_span *key)
{
    *key = name;
    if (vs_span_starts(name, VS_LIT("rvps:/"))) {
        vs_span rest = vs_span_from(name, 8);
        if (!vs_span_starts(name, VS_LIT("rvps:///")) || !vs_store_key_ok(rest))
            return false;
        *key = vs_str(vs_sprintf(a, "rvps:/%.*s", VS_FMT(rest)));
    }
    return vs_store_key_ok(*key);
}

/* ---- registering ----------------------------------------------------------------------------- */

static void write_record(vs_buf *out, const rvps_record *rec, int64_t now)
{
    char expiration[VS_TIME_TEXT];
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "version");
    vs_jw_str(&w, VERSION);
    vs_jw_key(&w, "name");
    vs_jw_span(&w, rec->name);
    vs_jw_key(&w, "expiration");
    vs_jw_str(&w, vs_time_rfc3339(vs_time_add_months(now, LIFE_MONTHS), expiration));
    vs_jw_key(&w, "value");
    vs_jw_val(&w, rec->value);
    vs_jw_close(&w, '}');
}

static vs_code item_of(vs_arena *a, const rvps_record *rec, int64_t now, vs_store_item *item,
                       vs_error *err)
{
    *item = (vs_store_item){.ns = NAMESPACE, .mode = VS_PUT_REPLACE};
    if (!key_of(a, rec->name, &item->key))
        return vs_fail(err, VS_E_INVALID,
                       "\"%.*s\" is not allowed as the name of a reference value",
                       VS_FMT(vs_span_head(rec->name, 80)));
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    write_record(&text, rec, now);
    if (!vs_buf_ok(&text))
        return vs_fail(err, VS_E_LIMIT, "the reference value \"%.*s\" is too large",
                       VS_FMT(vs_span_head(rec->name, 80)));
    item->value = vs_dup(a, vs_buf_span(&text));
    return vs_arena_check(a, err);
}

/* Envelope (8.1). A type that is known but switched off is told apart from one that is not known.
 */
static vs_code open_envelope(const rvps_local *r, vs_arena *a, vs_span message, rvps_records *recs,
                             vs_error *err)
{
    vs_val m, version = vs_cstring(VERSION), type, payload;
    VS_TRY_WRAP(vs_json_parse(a, message, NULL, &m, err), err,
                "the reference value message is not JSON");
    if (vs_defined(vs_getc(m, "version")))
        VS_TRY(vs_need(m, "version", VS_STRING, &version, err));
    VS_TRY(vs_need(m, "type", VS_STRING, &type, err));
    VS_TRY(vs_need(m, "payload", VS_STRING, &payload, err));
    if (!vs_span_is(vs_text(version), VERSION))
        return vs_fail(err, VS_E_INVALID, "Version unmatched! Need " VERSION ", given %.*s.",
                       VS_FMT(vs_span_head(vs_text(version), 80)));
    const rvps_extractor *x = rvps_extractor_of(vs_text(type));
    if (!x)
        return vs_fail(err, VS_E_UNSUPPORTED, "Could not find extractor for %.*s",
                       VS_FMT(vs_span_head(vs_text(type), 80)));
    if (x->is_unsigned && r->opts.refuse_sample)
        return vs_fail(err, VS_E_DENIED,
                       "messages of type %s are not signed, and this server refuses them", x->type);
    recs->a = a;
    VS_TRY_WRAP(x->extract(vs_text(payload), recs, err), err, "payload of a %s message", x->type);
    return vs_arena_check(a, err);
}

static vs_code register_on(const rvps_local *r, vs_arena *a, vs_span message, int64_t now, vs_error *err)
{
    rvps_records recs = {0};
    VS_TRY(open_envelope(r, a, message, &recs, err));
    vs_store_item *items = vs_alloc_array(a, recs.n, sizeof *items);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < recs.n; i++)
        VS_TRY(item_of(a, &recs.items[i], now, &items[i], err));
    VS_TRY_WRAP(vs_store_put_all(r->store, items, recs.n, err), err, "storing reference values");
    for (size_t i = 0; i < recs.n; i++)
        vs_log(VS_LOG_INFO, "rvps", "reference value registered", "name",
               vs_sprintf(a, "%.*s", VS_FMT(recs.items[i].name)), NULL);
    return VS_OK;
}

static vs_code local_take(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_code code = register_on((const rvps_local *)r, &a, message, now, err);
    vs_arena_free(&a);
    return code;
}

/* ---- querying -------------------------------------------------------------------------------- */

/* Strictly "YYYY-MM-DDTHH:MM:SSZ" (8.3), not all of RFC 3339. */
static vs_code read_expiration(vs_val record, int64_t *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(record, "expiration", VS_STRING, &v, err));
    vs_span s = vs_text(v);
    if (s.n != 20 || s.p[10] != 'T' || s.p[19] != 'Z')
        return vs_fail(err, VS_E_INVALID,
                       "expiration \"%.*s\" is not of the form "
                       "YYYY-MM-DDTHH:MM:SSZ",
                       VS_FMT(vs_span_head(s, 40)));
    return vs_time_parse(s, out, err);
}

static vs_code read_record(vs_arena *a, vs_span text, vs_span id, int64_t *expires, vs_val *value,
                           vs_error *err)
{
    vs_val record, version, name;
    VS_TRY(vs_json_parse(a, text, NULL, &record, err));
    VS_TRY(vs_need(record, "version", VS_STRING, &version, err));
    if (!vs_span_is(vs_text(version), VERSION))
        return vs_fail(err, VS_E_UNSUPPORTED, "record version \"%.*s\" is not " VERSION,
                       VS_FMT(vs_span_head(vs_text(version), 40)));
    VS_TRY(vs_need(record, "name", VS_STRING, &name, err));
    if (!vs_span_eq(vs_text(name), id))
        return vs_fail(err, VS_E_INVALID, "the record's name is \"%.*s\"",
                       VS_FMT(vs_span_head(vs_text(name), 80)));
    VS_TRY(read_expiration(record, expires, err));
    *value = vs_getc(record, "value");
    if (!vs_defined(*value))
        return vs_fail(err, VS_E_INVALID, "member \"value\" is missing");
    return VS_OK;
}

static vs_code local_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                           vs_error *err)
{
    const rvps_local *local = (const rvps_local *)r;
    vs_span key;
    if (!key_of(a, id, &key)) /* nothing can be registered under such a name */
        return vs_arena_check(a, err);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    vs_code code = vs_store_get(local->store, NAMESPACE, key, now, &text, err);
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    VS_TRY(code);
    vs_span copy = vs_dup(a, vs_buf_span(&text)); /* the value's strings point into it */
    VS_TRY(vs_arena_check(a, err));
    int64_t expires = 0;
    vs_val value;
    VS_TRY_WRAP(read_record(a, copy, id, &expires, &value, err), err,
                "stored reference value \"%.*s\"", VS_FMT(vs_span_head(id, 80)));
    if (expires < now) {
        char when[VS_TIME_TEXT];
        vs_log(VS_LOG_WARN, "rvps", "reference value has expired and is not used", "name",
               vs_sprintf(a, "%.*s", VS_FMT(id)), "expired", vs_time_rfc3339(expires, when), NULL);
        return VS_OK;
    }
    *out = value;
    return VS_OK;
}

/* ---- interface ------------------------------------------------------------------------------- */

static void local_close(rvps *r)
{
    free(r);
}

static const rvps_ops local_ops = {local_take, local_query, local_close};

vs_code rvps_new(vs_store *store, const rvps_options *opts, rvps **out, vs_error *err)
{
    *out = NULL;
    rvps_local *r = calloc(1, sizeof *r);
    if (!r)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    r->base.ops = &local_ops;
    r->store = store;
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

vs_code rvps_register(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    return r->ops->take(r, message, now, err);
}

vs_code rvps_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out, vs_error *err)
{
    *out = vs_undefined();
    return r->ops->query(r, id, now, a, out, err);
}
