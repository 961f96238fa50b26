/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/snp/driver.h"

#include "tee/snp/verify.h"

enum { CHAIN_MAX = 16, CERTIFICATE_MAX = 16 * 1024 };

/* ---- evidence -------------------------------------------------------------------------------- */

static vs_span *place_of(snp_given *given, vs_span type)
{
    return vs_span_is(type, "ARK")    ? &given->ark
           : vs_span_is(type, "ASK")  ? &given->ask
           : vs_span_is(type, "VCEK") ? &given->vcek
           : vs_span_is(type, "VLEK") ? &given->vlek
                                      : NULL;
}

/* Entries of other types (a CRL of unknown age, what is specific to the host) prove nothing. */
static vs_code read_entry(vs_arena *a, vs_val entry, snp_given *given, vs_error *err)
{
    vs_val data, type = vs_getc(entry, "cert_type");
    vs_span *place = place_of(given, vs_text(type));
    if (type.kind != VS_STRING && type.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "member \"cert_type\" must be a string or an object");
    if (!place)
        return VS_OK;
    if (place->p)
        return vs_fail(err, VS_E_INVALID, "second %.*s", VS_FMT(vs_text(type)));
    VS_TRY(vs_need(entry, "data", VS_ARRAY, &data, err));
    VS_TRY(evidence_byte_array(a, data, "data", CERTIFICATE_MAX, place, err));
    return place->n ? VS_OK : vs_fail(err, VS_E_INVALID, "empty %.*s", VS_FMT(vs_text(type)));
}

static vs_code read_chain(vs_arena *a, vs_val evidence, snp_given *out, vs_error *err)
{
    vs_val chain;
    *out = (snp_given){0};
    VS_TRY(vs_may(evidence, "cert_chain", VS_ARRAY, &chain, err));
    if (!vs_defined(chain))
        return VS_OK;
    if (chain.len == 0 || chain.len > CHAIN_MAX)
        return vs_fail(err, VS_E_INVALID, "\"cert_chain\" has %u entries, must have 1 to %d",
                       chain.len, CHAIN_MAX);
    for (uint32_t i = 0; i < chain.len; i++)
        VS_TRY_WRAP(read_entry(a, chain.u.items[i], out, err), err, "entry %u of \"cert_chain\"",
                    i);
    return VS_OK;
}

static vs_code read_evidence(vs_arena *a, vs_val evidence, snp_report *report, snp_given *given,
                             vs_error *err)
{
    vs_val object;
    uint8_t *bytes = vs_alloc(a, SNP_REPORT_SIZE);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_need(evidence, "attestation_report", VS_OBJECT, &object, err));
    VS_TRY_WRAP(snp_report_encode(a, object, bytes, err), err, "\"attestation_report\"");
    VS_TRY(snp_report_parse(vs_span_of(bytes, SNP_REPORT_SIZE), report, err));
    return read_chain(a, evidence, given, err);
}

/* ---- expectations (1.5) ---------------------------------------------------------------------- */

static vs_code check_expectations(const snp_report *r, const vs_tee_expect *expect, vs_error *err)
{
    if (r->vmpl != 0)
        return vs_fail(err, VS_E_INVALID, "the report was requested from VMPL %u, must be 0",
                       r->vmpl);
    VS_TRY(vs_tee_match(expect->report_data, r->report_data, false, "report data", err));
    return vs_tee_match(expect->init_data, r->host_data, true, "host data", err);
}

/* ---- claims (1.6) ---------------------------------------------------------------------------- */

static vs_val make_claims(vs_arena *a, const snp_report *r, vs_span csp_id)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "policy_abi_major", vs_int((int64_t)(r->policy >> 8 & 0xff)));
    vs_obj_put(&o, "policy_abi_minor", vs_int((int64_t)(r->policy & 0xff)));
    vs_obj_put(&o, "policy_smt_allowed", vs_bool(r->policy & SNP_POLICY_SMT));
    vs_obj_put(&o, "policy_migrate_ma", vs_bool(r->policy & SNP_POLICY_MIGRATE_MA));
    vs_obj_put(&o, "policy_debug_allowed", vs_bool(r->policy & SNP_POLICY_DEBUG));
    vs_obj_put(&o, "policy_single_socket", vs_bool(r->policy & SNP_POLICY_SINGLE_SOCKET));
    vs_obj_put(&o, "reported_tcb_bootloader", vs_int(r->reported.bootloader));
    vs_obj_put(&o, "reported_tcb_tee", vs_int(r->reported.tee));
    vs_obj_put(&o, "reported_tcb_snp", vs_int(r->reported.snp));
    vs_obj_put(&o, "reported_tcb_microcode", vs_int(r->reported.microcode));
    vs_obj_put(&o, "platform_tsme_enabled", vs_bool(r->platform & SNP_PLATFORM_TSME));
    vs_obj_put(&o, "platform_smt_enabled", vs_bool(r->platform & SNP_PLATFORM_SMT));
    vs_obj_put(&o, "measurement", evidence_hex_claim(a, r->measurement));
    vs_obj_put(&o, "chip_id", evidence_hex_claim(a, r->chip_id));
    if (csp_id.n) /* not in Trustee: whose machine it may be */
        vs_obj_put(&o, "vlek_csp_id", vs_string(csp_id));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* ---- the driver ------------------------------------------------------------------------------ */

static vs_code verify(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                      vs_arena *a, vs_tee_result *results, size_t *n, vs_error *err)
{
    *n = 0;
    snp_report report;
    snp_given given;
    vs_span csp_id;
    if (!trust->snp)
        return vs_fail(err, VS_E_UNSUPPORTED, "no SNP verifier is configured");
    VS_TRY_WRAP(read_evidence(a, evidence, &report, &given, err), err, "SNP evidence");
    VS_TRY(snp_verify(trust->snp, &report, &given, expect->now, a, &csp_id, err));
    VS_TRY_WRAP(check_expectations(&report, expect, err), err, "SNP report");
    results[0] = (vs_tee_result){.tee_class = "cpu",
                                 .claims = make_claims(a, &report, csp_id),
                                 .report_data = evidence_hex_claim(a, report.report_data),
                                 .init_data = evidence_hex_claim(a, report.host_data)};
    VS_TRY(vs_arena_check(a, err));
    *n = 1;
    return VS_OK;
}

const vs_tee_driver snp_driver = {"snp", verify};
