/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/azure/vtpm.h"

enum { VERSION_USER_DATA = 2, VERSION_MAX = 2 };

/* ---- evidence -------------------------------------------------------------------------------- */

static vs_code read_pcr_arrays(vs_val quote, vs_arena *a, tpm_pcrs *out, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_need(quote, "pcrs", VS_ARRAY, &list, err));
    if (list.len != TPM_PCRS)
        return vs_fail(err, VS_E_INVALID, "\"pcrs\" has %u values instead of %d", list.len,
                       TPM_PCRS);
    for (uint32_t i = 0; i < TPM_PCRS; i++) {
        vs_span bytes;
        VS_TRY(evidence_byte_array(a, list.u.items[i], "pcrs", TPM_PCR_SIZE, &bytes, err));
        if (bytes.n != TPM_PCR_SIZE)
            return vs_fail(err, VS_E_INVALID, "value %u of \"pcrs\" has %zu bytes", i, bytes.n);
        memcpy(out->value[i], bytes.p, TPM_PCR_SIZE);
    }
    return VS_OK;
}

static vs_code read_array(vs_arena *a, vs_val object, const char *key, size_t most, vs_span *out,
                          vs_error *err)
{
    vs_val array;
    VS_TRY(vs_need(object, key, VS_ARRAY, &array, err));
    return evidence_byte_array(a, array, key, most, out, err);
}

/* Arrays of bytes everywhere. */
static vs_code read_v0(vs_arena *a, vs_val evidence, const az_names *names, az_evidence *out,
                       vs_span *report, vs_error *err)
{
    vs_val quote;
    VS_TRY(vs_need(evidence, names->quote_v0, VS_OBJECT, &quote, err));
    VS_TRY(read_array(a, quote, "signature", TPM_SIGNATURE_MAX, &out->signature, err));
    VS_TRY(read_array(a, quote, "message", TPM_MESSAGE_MAX, &out->message, err));
    VS_TRY(read_pcr_arrays(quote, a, &out->pcrs, err));
    return read_array(a, evidence, names->report_v0, HCL_REPORT_MAX, report, err);
}

static vs_code read_v1(vs_arena *a, vs_val evidence, az_evidence *out, vs_span *report,
                       vs_error *err)
{
    vs_val quote;
    VS_TRY(vs_need(evidence, "tpm_quote", VS_OBJECT, &quote, err));
    VS_TRY(evidence_hex(a, quote, "signature", TPM_SIGNATURE_MAX, &out->signature, err));
    VS_TRY(evidence_hex(a, quote, "message", TPM_MESSAGE_MAX, &out->message, err));
    VS_TRY(tpm_pcrs_of_hex(quote, "pcrs", a, &out->pcrs, err));
    return evidence_base64(a, evidence, "hcl_report", VS_B64_URL_ANYPAD, HCL_REPORT_MAX, report,
                           err);
}

vs_code az_read(vs_arena *a, vs_val evidence, const az_names *names, az_evidence *out,
                vs_error *err)
{
    bool versioned;
    uint64_t version;
    vs_span report;
    *out = (az_evidence){0};
    VS_TRY(evidence_may_uint(a, evidence, "version", UINT32_MAX, &versioned, &version, err));
    if (versioned && (version == 0 || version > VERSION_MAX))
        return vs_fail(err, VS_E_UNSUPPORTED, "evidence of version %llu, known are 1 and %d",
                       (unsigned long long)version, VERSION_MAX);
    out->version = (unsigned)version;
    VS_TRY(versioned ? read_v1(a, evidence, out, &report, err)
                     : read_v0(a, evidence, names, out, &report, err));
    return hcl_parse(a, report, names->type, &out->report, err);
}

/* ---- the TPM --------------------------------------------------------------------------------- */

vs_code az_verify_tpm(vs_arena *a, const az_evidence *e, const vs_tee_expect *expect,
                      tpm_quote *out, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *ak = NULL;
    if (!expect->report_data.p)
        return vs_fail(err, VS_E_INVALID, "evidence of a virtual TPM needs expected report data");
    VS_TRY(hcl_attestation_key(&e->report, &ak, err));
    VS_TRY(tpm_quote_verify(e->message, e->signature, ak, &e->pcrs, out, err));
    if (!vs_ct_eq(out->nonce, expect->report_data))
        return vs_fail(err, VS_E_MISMATCH,
                       "qualifying data of the TPM quote is not the expected report data");
    if (e->version >= VERSION_USER_DATA)
        VS_TRY(hcl_check_user_data(&e->report, expect->report_data, a, err));
    return tpm_check_init_data(&e->pcrs, expect->init_data, err);
}

vs_tee_result az_result(vs_obj *claims, const az_evidence *e, const tpm_quote *quote)
{
    vs_arena *a = claims->a;
    vs_obj tpm = {.a = a};
    tpm_put_pcrs(&tpm, &e->pcrs);
    vs_obj_put(claims, "tpm", vs_obj_end(&tpm, VS_DUP_REFUSE, NULL));
    return (vs_tee_result){.tee_class = "cpu",
                           .claims = vs_obj_end(claims, VS_DUP_REFUSE, NULL),
                           .report_data = evidence_hex_claim(a, quote->nonce),
                           .init_data = tpm_init_data_claim(a, &e->pcrs)};
}
