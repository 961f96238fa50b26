/* SPDX-License-Identifier: Apache-2.0 */
/* A virtual TPM whose key is vouched for by an SNP report. */
#include "tee/azure/drivers.h"
#include "tee/azure/vtpm.h"
#include "tee/snp/verify.h"

enum { VCEK_MAX = 16 * 1024 };

static const az_names names = {
    .type = HCL_SNP, .quote_v0 = "quote", .report_v0 = "report", .endorsement = "vcek"};

static vs_code read_vcek(vs_arena *a, vs_val evidence, unsigned version, vs_span *out,
                         vs_error *err)
{
    vs_val text;
    if (version > 0)
        return evidence_base64(a, evidence, names.endorsement, VS_B64_URL_ANYPAD, VCEK_MAX, out,
                               err);
    VS_TRY(vs_need(evidence, names.endorsement, VS_STRING, &text, err));
    *out = vs_text(text); /* PEM */
    return out->n ? VS_OK : vs_fail(err, VS_E_INVALID, "\"vcek\" is empty");
}

/* The hardware's report is AMD's, of this virtual machine's paravisor, and binds its data. */
static vs_code verify_hardware(const snp_trust *trust, const az_evidence *e, vs_span vcek,
                               int64_t now, vs_arena *a, snp_report *r, vs_error *err)
{
    vs_span csp_id;
    const snp_given given = {.vcek = vcek};
    VS_TRY(snp_report_parse(e->report.hardware, r, err));
    VS_TRY(snp_verify(trust, r, &given, now, a, &csp_id, err));
    if (r->vmpl != 0)
        return vs_fail(err, VS_E_INVALID, "the SNP report was requested from VMPL %u, must be 0",
                       r->vmpl);
    return hcl_check_binding(&e->report, r->report_data, err);
}

/* ---- claims: all are strings (4.4) ----------------------------------------------------------- */

static void put_number(vs_obj *o, const char *name, unsigned v)
{
    vs_obj_put(o, name, vs_cstring(vs_sprintf(o->a, "%u", v)));
}

static void put_flag(vs_obj *o, const char *name, bool v)
{
    vs_obj_put(o, name, vs_cstring(v ? "true" : "false"));
}

static void put_claims(vs_obj *o, const snp_report *r)
{
    put_number(o, "policy_abi_major", r->policy >> 8 & 0xff);
    put_number(o, "policy_abi_minor", r->policy & 0xff);
    put_flag(o, "policy_smt_allowed", r->policy & SNP_POLICY_SMT);
    put_flag(o, "policy_migrate_ma", r->policy & SNP_POLICY_MIGRATE_MA);
    put_flag(o, "policy_debug_allowed", r->policy & SNP_POLICY_DEBUG);
    put_flag(o, "policy_single_socket", r->policy & SNP_POLICY_SINGLE_SOCKET);
    put_number(o, "reported_tcb_bootloader", r->reported.bootloader);
    put_number(o, "reported_tcb_tee", r->reported.tee);
    put_number(o, "reported_tcb_snp", r->reported.snp);
    put_number(o, "reported_tcb_microcode", r->reported.microcode);
    put_flag(o, "platform_tsme_enabled", r->platform & SNP_PLATFORM_TSME);
    put_flag(o, "platform_smt_enabled", r->platform & SNP_PLATFORM_SMT);
    vs_obj_put(o, "measurement", vs_string(vs_b64_encode_arena(o->a, VS_B64_STD, r->measurement)));
}

static vs_code verify(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                      vs_arena *a, vs_tee_result *results, size_t *n, vs_error *err)
{
    az_evidence e;
    vs_span vcek;
    snp_report report;
    tpm_quote quote;
    vs_obj claims = {.a = a};
    *n = 0;
    if (!trust->snp)
        return vs_fail(err, VS_E_UNSUPPORTED, "no SNP verifier is configured");
    VS_TRY_WRAP(az_read(a, evidence, &names, &e, err), err, "az-snp-vtpm evidence");
    VS_TRY_WRAP(read_vcek(a, evidence, e.version, &vcek, err), err, "az-snp-vtpm evidence");
    VS_TRY(verify_hardware(trust->snp, &e, vcek, expect->now, a, &report, err));
    VS_TRY(az_verify_tpm(a, &e, expect, &quote, err));
    put_claims(&claims, &report);
    results[0] = az_result(&claims, &e, &quote);
    VS_TRY(vs_arena_check(a, err));
    *n = 1;
    return VS_OK;
}

const vs_tee_driver az_snp_driver = {"az-snp-vtpm", verify};
