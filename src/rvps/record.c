/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/record.h"

#include "base/clock.h"
#include "value/json.h"

bool rvps_key_of(vs_arena *a, vs_span name, vs_span *key)
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

vs_span rvps_name_of(vs_arena *a, vs_span key)
{
    if (!vs_span_starts(key, VS_LIT("rvps:/")))
        return vs_dup(a, key);
    return vs_str(vs_sprintf(a, "rvps:///%.*s", VS_FMT(vs_span_from(key, 6))));
}

void rvps_record_write(vs_buf *out, const rvps_entry *e)
{
    char time[VS_TIME_TEXT];
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "version");
    vs_jw_str(&w, RVPS_VERSION);
    vs_jw_key(&w, "name");
    vs_jw_span(&w, e->name);
    vs_jw_key(&w, "expiration");
    vs_jw_str(&w, vs_time_rfc3339(e->expires, time));
    vs_jw_key(&w, "value");
    vs_jw_val(&w, e->value);
    if (e->not_before != INT64_MIN) {
        vs_jw_key(&w, "not_before");
        vs_jw_str(&w, vs_time_rfc3339(e->not_before, time));
    }
    if (vs_defined(e->provenance)) {
        vs_jw_key(&w, "provenance");
        vs_jw_val(&w, e->provenance);
    }
    vs_jw_close(&w, '}');
}

/* Strictly "YYYY-MM-DDTHH:MM:SSZ" (8.3), not all of RFC 3339. */
static vs_code read_time(vs_val v, const char *member, int64_t *out, vs_error *err)
{
    vs_span s = vs_text(v);
    if (s.n != 20 || s.p[10] != 'T' || s.p[19] != 'Z')
        return vs_fail(err, VS_E_INVALID,
                       "%s \"%.*s\" is not of the form "
                       "YYYY-MM-DDTHH:MM:SSZ",
                       member, VS_FMT(vs_span_head(s, 40)));
    return vs_time_parse(s, out, err);
}

vs_code rvps_record_read(vs_arena *a, vs_span text, vs_span id, rvps_entry *out, vs_error *err)
{
    vs_val record, version, name, time;
    VS_TRY(vs_json_parse(a, text, NULL, &record, err));
    VS_TRY(vs_need(record, "version", VS_STRING, &version, err));
    if (!vs_span_is(vs_text(version), RVPS_VERSION))
        return vs_fail(err, VS_E_UNSUPPORTED, "record version \"%.*s\" is not " RVPS_VERSION,
                       VS_FMT(vs_span_head(vs_text(version), 40)));
    VS_TRY(vs_need(record, "name", VS_STRING, &name, err));
    if (!vs_span_eq(vs_text(name), id))
        return vs_fail(err, VS_E_INVALID, "the record's name is \"%.*s\"",
                       VS_FMT(vs_span_head(vs_text(name), 80)));
    VS_TRY(vs_need(record, "expiration", VS_STRING, &time, err));
    VS_TRY(read_time(time, "expiration", &out->expires, err));
    out->not_before = INT64_MIN;
    VS_TRY(vs_may(record, "not_before", VS_STRING, &time, err));
    if (vs_defined(time))
        VS_TRY(read_time(time, "not_before", &out->not_before, err));
    VS_TRY(vs_may(record, "provenance", VS_OBJECT, &out->provenance, err));
    out->name = vs_text(name);
    out->value = vs_getc(record, "value");
    if (!vs_defined(out->value))
        return vs_fail(err, VS_E_INVALID, "member \"value\" is missing");
    return VS_OK;
}
