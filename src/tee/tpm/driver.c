/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/tpm/driver.h"

#include "tee/evidence.h"
#include "tee/tpm/quote.h"

enum { SPKI_MAX = 2048, NONCE_SIZE = 32 };

typedef struct tpm_evidence {
    vs_span message, signature; /* TPMS_ATTEST, TPMT_SIGNATURE */
    tpm_pcrs pcrs;
    vs_val ak_text; /* base64 as sent */
    vs_span ak;     /* SubjectPublicKeyInfo */
} tpm_evidence;

static vs_code read_evidence(vs_arena *a, vs_val evidence, tpm_evidence *out, vs_error *err)
{
    vs_val quote;
    VS_TRY(vs_need(evidence, "tpm_quote", VS_OBJECT, &quote, err));
    VS_TRY(evidence_base64(a, quote, "signature", VS_B64_STD, TPM_SIGNATURE_MAX + 6,
                           &out->signature, err));
    VS_TRY(evidence_base64(a, quote, "message", VS_B64_STD, TPM_MESSAGE_MAX, &out->message, err));
    VS_TRY(tpm_pcrs_of_hex(quote, "pcrs", a, &out->pcrs, err));
    out->ak_text = vs_getc(evidence, "ak_public");
    return evidence_base64(a, evidence, "ak_public", VS_B64_STD, SPKI_MAX, &out->ak, err);
}

/* Policies compare the key as text, so there must be one text for one key: the base64 of its DER.
 * (The base64 decoder takes no other forms.) */
static vs_code read_key(vs_span spki, vs_key **out, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf again = VS_BUF(SPKI_MAX);
    VS_TRY(vs_key_from_spki(spki, &key, err));
    if (vs_key_kind(key) != VS_KEY_RSA)
        return vs_fail(err, VS_E_UNSUPPORTED, "it is not an RSA key");
    VS_TRY(vs_key_to_spki(&again, key, err));
    if (!vs_span_eq(vs_buf_span(&again), spki))
        return vs_fail(err, VS_E_INVALID, "it is not in the canonical encoding");
    *out = key;
    key = NULL;
    return VS_OK;
}

/* The attester resizes to the size of a SHA-256 digest, so that much of it is in the quote. */
static vs_code check_nonce(const tpm_quote *q, vs_span expected, vs_error *err)
{
    if (!expected.p)
        return VS_OK;
    if (q->nonce.n != NONCE_SIZE)
        return vs_fail(err, VS_E_MISMATCH, "qualifying data has %zu bytes instead of %d",
                       q->nonce.n, NONCE_SIZE);
    return vs_tee_match(expected, q->nonce, true, "qualifying data", err);
}

static vs_tee_result make_result(vs_arena *a, const tpm_evidence *e, const tpm_quote *q)
{
    vs_obj claims = {.a = a};
    tpm_put_pcrs(&claims, &e->pcrs);
    vs_obj_put(&claims, "ak_public", e->ak_text);
    return (vs_tee_result){.tee_class = "cpu",
                           .claims = vs_obj_end(&claims, VS_DUP_REFUSE, NULL),
                           .report_data = evidence_hex_claim(a, q->nonce),
                           .init_data = tpm_init_data_claim(a, &e->pcrs)};
}

static vs_code verify(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                      vs_arena *a, vs_tee_result *results, size_t *n, vs_error *err)
{
    tpm_evidence e;
    tpm_quote quote;
    vs_span rsa;
    VS_CLEANUP(vs_key_free) vs_key *ak = NULL;
    (void)trust; /* see the header */
    *n = 0;
    VS_TRY_WRAP(read_evidence(a, evidence, &e, err), err, "TPM evidence");
    VS_TRY_WRAP(read_key(e.ak, &ak, err), err, "TPM evidence: \"ak_public\"");
    VS_TRY(tpm_signature_parse(e.signature, &rsa, err));
    VS_TRY(tpm_quote_verify(e.message, rsa, ak, &e.pcrs, &quote, err));
    VS_TRY_WRAP(check_nonce(&quote, expect->report_data, err), err, "TPM quote");
    VS_TRY_WRAP(tpm_check_init_data(&e.pcrs, expect->init_data, err), err, "TPM quote");
    results[0] = make_result(a, &e, &quote);
    VS_TRY(vs_arena_check(a, err));
    *n = 1;
    return VS_OK;
}

const vs_tee_driver tpm_driver = {"tpm", verify};
