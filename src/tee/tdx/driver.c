/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/tdx/driver.h"

#include "tee/dcap/trust.h"
#include "tee/eventlog/eventlog.h"
#include "tee/evidence.h"
#include "tee/tdx/claims.h"

typedef struct tdx_evidence {
    dcap_quote quote;
    bool has_log;
    eventlog log;
} tdx_evidence;

static vs_code read_log(vs_arena *a, vs_val evidence, tdx_evidence *out, vs_error *err)
{
    vs_val text;
    vs_span bytes;
    VS_TRY(vs_may(evidence, "cc_eventlog", VS_STRING, &text, err));
    out->has_log = vs_text(text).n > 0;
    if (!out->has_log)
        return VS_OK;
    VS_TRY(evidence_base64(a, evidence, "cc_eventlog", VS_B64_STD, EVENTLOG_SIZE_MAX, &bytes, err));
    return eventlog_parse(a, bytes, &out->log, err);
}

static vs_code read_evidence(vs_arena *a, vs_val evidence, tdx_evidence *out, vs_error *err)
{
    vs_span bytes;
    *out = (tdx_evidence){.has_log = false};
    VS_TRY(evidence_base64(a, evidence, "quote", VS_B64_STD, DCAP_QUOTE_MAX, &bytes, err));
    VS_TRY(dcap_quote_parse(bytes, &out->quote, err));
    return read_log(a, evidence, out, err);
}

/* Register 1 of the log is RTMR 0. */
static vs_code check_log(const tdx_evidence *e, vs_error *err)
{
    const td_body *b = &e->quote.body;
    const eventlog_register rtmrs[] = {{1, "RTMR0", b->rtmr[0]},
                                       {2, "RTMR1", b->rtmr[1]},
                                       {3, "RTMR2", b->rtmr[2]},
                                       {4, "RTMR3", b->rtmr[3]}};
    return e->has_log ? eventlog_match(&e->log, VS_SHA384, rtmrs, VS_COUNT(rtmrs), err) : VS_OK;
}

static vs_code check_expectations(const tdx_evidence *e, const vs_tee_expect *expect, vs_error *err)
{
    const td_body *b = &e->quote.body;
    VS_TRY(vs_tee_match(expect->report_data, b->report_data, false, "report data", err));
    VS_TRY(vs_tee_match(expect->init_data, b->mr_config_id, true, "MRCONFIGID", err));
    return check_log(e, err);
}

static vs_code make_claims(vs_arena *a, const tdx_evidence *e, const dcap_result *r, vs_val *out,
                           vs_error *err)
{
    vs_obj o = {.a = a};
    tdx_put_quote(&o, &e->quote, &r->pck);
    tdx_put_verdict(&o, r);
    if (e->has_log) {
        vs_val events;
        VS_TRY(eventlog_value(a, &e->log, &events, err));
        vs_obj_put(&o, "uefi_event_logs", events);
    }
    *out = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    return vs_arena_check(a, err);
}

static vs_code verify(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                      vs_arena *a, vs_tee_result *results, size_t *n, vs_error *err)
{
    tdx_evidence e;
    dcap_result r;
    vs_val claims;
    *n = 0;
    if (!trust->dcap)
        return vs_fail(err, VS_E_UNSUPPORTED, "no TDX verifier is configured");
    VS_TRY_WRAP(read_evidence(a, evidence, &e, err), err, "TDX evidence");
    VS_TRY(dcap_trust_verify(trust->dcap, &e.quote, expect->now, a, &r, err));
    VS_TRY_WRAP(check_expectations(&e, expect, err), err, "TDX quote");
    VS_TRY(make_claims(a, &e, &r, &claims, err));
    results[0] = (vs_tee_result){.tee_class = "cpu",
                                 .claims = claims,
                                 .report_data = evidence_hex_claim(a, e.quote.body.report_data),
                                 .init_data = evidence_hex_claim(a, e.quote.body.mr_config_id)};
    VS_TRY(vs_arena_check(a, err));
    *n = 1;
    return VS_OK;
}

const vs_tee_driver tdx_driver = {"tdx", verify};
