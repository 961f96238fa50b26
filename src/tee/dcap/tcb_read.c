/* SPDX-License-Identifier: Apache-2.0 */
/* TCB info and QE identity: from JSON to tables. */
#include "tee/dcap/tcb.h"

#include <stdlib.h>

#include "base/clock.h"
#include "tee/evidence.h"

enum { TCB_INFO_VERSION = 3, QE_IDENTITY_VERSION = 2, COMPONENTS = 16 };

static const char *const names[] = {
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "TDRelaunchAdvised",
    "TDRelaunchAdvisedConfigurationNeeded",
    "Revoked",
};

const char *dcap_status_name(dcap_status s)
{
    return names[s];
}

/* ---- parts ----------------------------------------------------------------------------------- */

static vs_code read_status(vs_val level, dcap_status *out, vs_error *err)
{
    vs_val text;
    VS_TRY(vs_need(level, "tcbStatus", VS_STRING, &text, err));
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        bool of_a_td = i == DCAP_RELAUNCH_ADVISED || i == DCAP_RELAUNCH_ADVISED_CONFIGURATION;
        if (!of_a_td && vs_span_is(vs_text(text), names[i])) {
            *out = (dcap_status)i;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "status \"%.*s\" is not known",
                   VS_FMT(vs_span_head(vs_text(text), 60)));
}

static vs_code read_date(vs_val object, const char *key, int64_t *out, vs_error *err)
{
    vs_val text;
    VS_TRY(vs_need(object, key, VS_STRING, &text, err));
    VS_TRY_WRAP(vs_time_parse(vs_text(text), out, err), err, "\"%s\"", key);
    return VS_OK;
}

static vs_code read_hex(vs_arena *a, vs_val object, const char *key, size_t n, vs_span *out,
                        vs_error *err)
{
    VS_TRY(evidence_hex(a, object, key, n, out, err));
    return out->n == n ? VS_OK : vs_fail(err, VS_E_INVALID, "\"%s\" has %zu bytes", key, out->n);
}

static vs_code read_advisories(vs_val level, vs_val *out, vs_error *err)
{
    VS_TRY(vs_may(level, "advisoryIDs", VS_ARRAY, out, err));
    if (!vs_defined(*out))
        *out = vs_empty(VS_ARRAY);
    for (VS_ARR_FOR (id, *out))
        if (id->kind != VS_STRING)
            return vs_fail(err, VS_E_INVALID, "an element of \"advisoryIDs\" is no string");
    return VS_OK;
}

static vs_code read_components(vs_arena *a, vs_val tcb, const char *key, uint8_t out[COMPONENTS],
                               vs_error *err)
{
    vs_val list;
    VS_TRY(vs_need(tcb, key, VS_ARRAY, &list, err));
    if (list.len != COMPONENTS)
        return vs_fail(err, VS_E_INVALID, "\"%s\" has %u components", key, list.len);
    for (unsigned i = 0; i < COMPONENTS; i++) {
        uint64_t svn;
        VS_TRY_WRAP(evidence_uint(a, list.u.items[i], "svn", UINT8_MAX, &svn, err), err,
                    "component %u of \"%s\"", i, key);
        out[i] = (uint8_t)svn;
    }
    return VS_OK;
}

/* ---- levels ---------------------------------------------------------------------------------- */

static vs_code read_level(vs_arena *a, vs_val level, bool platform, dcap_level *out, vs_error *err)
{
    vs_val tcb;
    uint64_t svn;
    VS_TRY(vs_need(level, "tcb", VS_OBJECT, &tcb, err));
    if (platform) {
        VS_TRY(read_components(a, tcb, "sgxtcbcomponents", out->sgx, err));
        VS_TRY(read_components(a, tcb, "tdxtcbcomponents", out->tdx, err));
    }
    VS_TRY(evidence_uint(a, tcb, platform ? "pcesvn" : "isvsvn", UINT16_MAX, &svn, err));
    out->svn = (uint16_t)svn;
    VS_TRY(read_date(level, "tcbDate", &out->date, err));
    VS_TRY(read_status(level, &out->status, err));
    return read_advisories(level, &out->advisories, err);
}

/* The highest first. */
static int compare(const void *a, const void *b)
{
    const dcap_level *x = a, *y = b;
    int c = memcmp(y->sgx, x->sgx, sizeof x->sgx);
    if (c == 0)
        c = (y->svn > x->svn) - (y->svn < x->svn);
    return c ? c : memcmp(y->tdx, x->tdx, sizeof x->tdx);
}

/* Sorted, since the first level that is reached counts; Intel gives them in this order. */
static vs_code read_levels(vs_arena *a, vs_val object, bool platform, dcap_levels *out,
                           vs_error *err)
{
    vs_val list;
    VS_TRY(vs_need(object, "tcbLevels", VS_ARRAY, &list, err));
    if (list.len == 0 || list.len > DCAP_LEVELS_MAX)
        return vs_fail(err, VS_E_INVALID, "%u levels", list.len);
    dcap_level *items = vs_zalloc(a, list.len * sizeof *items);
    VS_TRY(vs_arena_check(a, err));
    for (uint32_t i = 0; i < list.len; i++)
        VS_TRY_WRAP(read_level(a, list.u.items[i], platform, &items[i], err), err, "level %u", i);
    qsort(items, list.len, sizeof *items, compare);
    for (uint32_t i = 1; i < list.len; i++)
        if (compare(&items[i - 1], &items[i]) == 0)
            return vs_fail(err, VS_E_INVALID, "a level is there twice");
    *out = (dcap_levels){items, list.len};
    return VS_OK;
}

/* ---- documents ------------------------------------------------------------------------------- */

static vs_code check_kind(vs_arena *a, vs_val json, const char *id, uint64_t version, vs_error *err)
{
    uint64_t got;
    vs_val text;
    VS_TRY(vs_need(json, "id", VS_STRING, &text, err));
    VS_TRY(evidence_uint(a, json, "version", UINT32_MAX, &got, err));
    if (!vs_span_is(vs_text(text), id) || got != version)
        return vs_fail(err, VS_E_UNSUPPORTED, "it is not of id \"%s\" and version %llu", id,
                       (unsigned long long)version);
    return VS_OK;
}

static vs_code read_module(vs_arena *a, vs_val json, dcap_module *out, vs_error *err)
{
    VS_TRY(read_hex(a, json, "mrsigner", 48, &out->mrsigner, err));
    VS_TRY(read_hex(a, json, "attributes", 8, &out->attributes, err));
    return read_hex(a, json, "attributesMask", 8, &out->attributes_mask, err);
}

/* "TDX_01": the major version in hexadecimal. */
static vs_code read_module_id(vs_arena *a, vs_val json, uint8_t *out, vs_error *err)
{
    vs_val id;
    vs_span digits;
    VS_TRY(vs_need(json, "id", VS_STRING, &id, err));
    vs_span text = vs_text(id);
    if (text.n != 6 || !vs_span_ieq(vs_span_head(text, 4), VS_LIT("TDX_")))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not a module's id",
                       VS_FMT(vs_span_head(text, 40)));
    VS_TRY(vs_hex_decode_arena(a, vs_span_from(text, 4), &digits, err));
    *out = digits.p[0];
    return VS_OK;
}

static vs_code read_modules(vs_arena *a, vs_val json, dcap_tcb_info *out, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_may(json, "tdxModuleIdentities", VS_ARRAY, &list, err));
    if (list.len > DCAP_MODULES_MAX)
        return vs_fail(err, VS_E_LIMIT, "%u TDX modules", list.len);
    for (uint32_t i = 0; vs_defined(list) && i < list.len; i++) {
        dcap_module *m = &out->modules[i];
        VS_TRY_WRAP(read_module_id(a, list.u.items[i], &m->major, err), err, "TDX module %u", i);
        VS_TRY_WRAP(read_module(a, list.u.items[i], m, err), err, "TDX module %u", i);
        VS_TRY_WRAP(read_levels(a, list.u.items[i], false, &m->levels, err), err, "TDX module %u",
                    i);
        out->n_modules++;
    }
    return VS_OK;
}

static vs_code read_dates(vs_arena *a, vs_val json, int64_t *issued, int64_t *next,
                          uint64_t *evaluation, vs_error *err)
{
    VS_TRY(read_date(json, "issueDate", issued, err));
    VS_TRY(read_date(json, "nextUpdate", next, err));
    return evidence_uint(a, json, "tcbEvaluationDataNumber", UINT32_MAX, evaluation, err);
}

static vs_code read_info(vs_arena *a, vs_val json, dcap_tcb_info *out, vs_error *err)
{
    vs_span fmspc, pceid;
    vs_val module;
    uint64_t type;
    VS_TRY(check_kind(a, json, "TDX", TCB_INFO_VERSION, err));
    VS_TRY(read_dates(a, json, &out->issued, &out->next, &out->evaluation, err));
    VS_TRY(evidence_uint(a, json, "tcbType", 0, &type, err));
    VS_TRY(read_hex(a, json, "fmspc", sizeof out->fmspc, &fmspc, err));
    VS_TRY(read_hex(a, json, "pceId", sizeof out->pceid, &pceid, err));
    memcpy(out->fmspc, fmspc.p, fmspc.n);
    memcpy(out->pceid, pceid.p, pceid.n);
    VS_TRY(vs_need(json, "tdxModule", VS_OBJECT, &module, err));
    VS_TRY_WRAP(read_module(a, module, &out->module, err), err, "\"tdxModule\"");
    VS_TRY(read_modules(a, json, out, err));
    return read_levels(a, json, true, &out->levels, err);
}

vs_code dcap_tcb_info_read(vs_arena *a, vs_val json, dcap_tcb_info *out, vs_error *err)
{
    *out = (dcap_tcb_info){0};
    VS_TRY_WRAP(read_info(a, json, out, err), err, "TCB info");
    return vs_arena_check(a, err);
}

static vs_code read_identity(vs_arena *a, vs_val json, dcap_qe_identity *out, vs_error *err)
{
    uint64_t product;
    VS_TRY(check_kind(a, json, "TD_QE", QE_IDENTITY_VERSION, err));
    VS_TRY(read_dates(a, json, &out->issued, &out->next, &out->evaluation, err));
    VS_TRY(read_hex(a, json, "miscselect", 4, &out->miscselect, err));
    VS_TRY(read_hex(a, json, "miscselectMask", 4, &out->miscselect_mask, err));
    VS_TRY(read_hex(a, json, "attributes", 16, &out->attributes, err));
    VS_TRY(read_hex(a, json, "attributesMask", 16, &out->attributes_mask, err));
    VS_TRY(read_hex(a, json, "mrsigner", 32, &out->mrsigner, err));
    VS_TRY(evidence_uint(a, json, "isvprodid", UINT16_MAX, &product, err));
    out->isvprodid = (uint16_t)product;
    return read_levels(a, json, false, &out->levels, err);
}

vs_code dcap_qe_identity_read(vs_arena *a, vs_val json, dcap_qe_identity *out, vs_error *err)
{
    *out = (dcap_qe_identity){0};
    VS_TRY_WRAP(read_identity(a, json, out, err), err, "QE identity");
    return vs_arena_check(a, err);
}
