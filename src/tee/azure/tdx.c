/* SPDX-License-Identifier: Apache-2.0 */
/* A virtual TPM whose key is vouched for by a TDX quote. */
#include "tee/azure/drivers.h"
#include "tee/azure/vtpm.h"
#include "tee/dcap/trust.h"
#include "tee/tdx/claims.h"

enum { REPORT_DATA_AT = 128 }; /* in the TDREPORT */

static const az_names names = {
    .type = HCL_TDX, .quote_v0 = "tpm_quote", .report_v0 = "hcl_report", .endorsement = "td_quote"};

static vs_code read_quote(vs_arena *a, vs_val evidence, unsigned version, dcap_quote *out,
                          vs_error *err)
{
    vs_span bytes;
    vs_val array;
    if (version > 0) {
        VS_TRY(evidence_base64(a, evidence, names.endorsement, VS_B64_URL_ANYPAD, DCAP_QUOTE_MAX,
                               &bytes, err));
    } else {
        VS_TRY(vs_need(evidence, names.endorsement, VS_ARRAY, &array, err));
        VS_TRY(evidence_byte_array(a, array, names.endorsement, DCAP_QUOTE_MAX, &bytes, err));
    }
    return dcap_quote_parse(bytes, out, err);
}

/* The quote binds the paravisor's data, and so does the report that the quote was made from. */
static vs_code check_binding(const hcl_report *r, const dcap_quote *q, vs_error *err)
{
    VS_TRY(hcl_check_binding(r, q->body.report_data, err));
    if (!vs_span_eq(vs_span_of(r->hardware.p + REPORT_DATA_AT, 64), q->body.report_data))
        return vs_fail(err, VS_E_MISMATCH, "report data of the TDREPORT is not the quote's");
    return VS_OK;
}

static vs_code verify(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                      vs_arena *a, vs_tee_result *results, size_t *n, vs_error *err)
{
    az_evidence e;
    dcap_quote td;
    dcap_result r;
    tpm_quote quote;
    vs_obj claims = {.a = a};
    *n = 0;
    if (!trust->dcap)
        return vs_fail(err, VS_E_UNSUPPORTED, "no TDX verifier is configured");
    VS_TRY_WRAP(az_read(a, evidence, &names, &e, err), err, "az-tdx-vtpm evidence");
    VS_TRY_WRAP(read_quote(a, evidence, e.version, &td, err), err, "az-tdx-vtpm evidence");
    VS_TRY(dcap_trust_verify(trust->dcap, &td, expect->now, a, &r, err));
    VS_TRY(check_binding(&e.report, &td, err));
    VS_TRY(az_verify_tpm(a, &e, expect, &quote, err));
    tdx_put_quote(&claims, &td, &r.pck);
    tdx_put_verdict(&claims, &r);
    results[0] = az_result(&claims, &e, &quote);
    VS_TRY(vs_arena_check(a, err));
    *n = 1;
    return VS_OK;
}

const vs_tee_driver az_tdx_driver = {"az-tdx-vtpm", verify};
