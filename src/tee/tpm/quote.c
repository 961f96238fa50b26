/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/tpm/quote.h"

#include "tee/cursor.h"
#include "tee/evidence.h"

enum {
    GENERATED_VALUE = 0xff544347, /* what only the TPM itself puts in front of what it signs */
    ST_ATTEST_QUOTE = 0x8018,
    ALG_SHA256 = 0x000b,
    ALG_RSASSA = 0x0014,
    NAME_MAX = 2 + 64, /* TPM2B_NAME */
    NONCE_MAX = 64,    /* TPM2B_DATA of every TPM with SHA-512 at most */
    INIT_DATA_PCR = 8,
};

/* ---- bytes ----------------------------------------------------------------------------------- */

/* A size of 16 bits and that many bytes. */
static vs_span take_sized(vs_cursor *c, size_t most, const char *what)
{
    size_t n = be_u16(c);
    if (c->code == VS_OK && n > most)
        c->code = vs_fail(c->err, VS_E_INVALID, "%s of %zu bytes, at most %zu", what, n, most);
    return vs_cursor_take(c, n);
}

static vs_code check_head(vs_cursor *c)
{
    uint32_t magic = be_u32(c);
    unsigned type = be_u16(c);
    VS_TRY(c->code);
    if (magic != GENERATED_VALUE)
        return vs_fail(c->err, VS_E_INVALID,
                       "it starts with 0x%08x: a TPM's key signed it, but the TPM did not make it",
                       magic);
    if (type != ST_ATTEST_QUOTE)
        return vs_fail(c->err, VS_E_INVALID, "attestation of type 0x%04x is not a quote", type);
    return VS_OK;
}

/* TPML_PCR_SELECTION */
static vs_code check_selection(vs_cursor *c)
{
    static const uint8_t all[TPM_PCRS / 8] = {0xff, 0xff, 0xff};
    uint32_t banks = be_u32(c);
    if (c->code == VS_OK && banks != 1)
        return vs_fail(c->err, VS_E_INVALID, "registers of %u banks are quoted instead of one",
                       banks);
    unsigned hash = be_u16(c);
    vs_span bits = vs_cursor_take(c, be_u8(c));
    VS_TRY(c->code);
    if (hash != ALG_SHA256)
        return vs_fail(c->err, VS_E_INVALID,
                       "registers of bank 0x%04x are quoted instead of SHA-256's", hash);
    if (!vs_span_eq(bits, vs_span_of(all, sizeof all)))
        return vs_fail(c->err, VS_E_INVALID, "not exactly registers 0 to %d are quoted",
                       TPM_PCRS - 1);
    return VS_OK;
}

static vs_code parse(vs_span message, tpm_quote *q, vs_error *err)
{
    vs_cursor c = vs_cursor_of(message, err);
    VS_TRY(check_head(&c));
    q->signer = take_sized(&c, NAME_MAX, "name of the signing key");
    q->nonce = take_sized(&c, NONCE_MAX, "qualifying data");
    q->clock = be_u64(&c);
    q->resets = be_u32(&c);
    q->restarts = be_u32(&c);
    unsigned safe = be_u8(&c);
    q->firmware = be_u64(&c);
    VS_TRY(check_selection(&c));
    q->pcr_digest = take_sized(&c, TPM_PCR_SIZE, "digest of the registers");
    VS_TRY(vs_cursor_end(&c));
    if (safe > 1 || q->pcr_digest.n != TPM_PCR_SIZE)
        return vs_fail(err, VS_E_INVALID,
                       safe > 1 ? "\"safe\" is neither yes nor no"
                                : "digest of the registers is not SHA-256's");
    q->clock_safe = safe;
    return VS_OK;
}

vs_code tpm_quote_parse(vs_span message, tpm_quote *out, vs_error *err)
{
    tpm_quote q = {0};
    VS_TRY_WRAP(parse(message, &q, err), err, "TPM quote");
    *out = q;
    return VS_OK;
}

vs_code tpm_signature_parse(vs_span signature, vs_span *rsa, vs_error *err)
{
    vs_cursor c = vs_cursor_of(signature, err);
    *rsa = (vs_span){NULL, 0};
    unsigned scheme = be_u16(&c), hash = be_u16(&c);
    if (c.code == VS_OK && (scheme != ALG_RSASSA || hash != ALG_SHA256))
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "TPM signature by scheme 0x%04x with hash 0x%04x; only RSASSA (0x0014) with "
                       "SHA-256 (0x000b) is known",
                       scheme, hash);
    vs_span value = take_sized(&c, TPM_SIGNATURE_MAX, "signature");
    VS_TRY_WRAP(vs_cursor_end(&c), err, "TPM signature");
    *rsa = value;
    return VS_OK;
}

/* ---- what is proven ---------------------------------------------------------------------------
 */

static vs_code digest_pcrs(const tpm_pcrs *pcrs, uint8_t out[VS_HASH_MAX], vs_error *err)
{
    vs_span all = vs_span_of(pcrs->value, sizeof pcrs->value), rest = {NULL, 0};
    return vs_digest(VS_SHA256, all, rest, rest, out, err);
}

vs_code tpm_quote_verify(vs_span message, vs_span rsa_signature, const vs_key *ak,
                         const tpm_pcrs *pcrs, tpm_quote *out, vs_error *err)
{
    tpm_quote q;
    uint8_t digest[VS_HASH_MAX];
    VS_TRY(tpm_quote_parse(message, &q, err));
    VS_TRY_WRAP(vs_verify(ak, VS_RS256, &message, 1, rsa_signature, err), err, "TPM quote");
    VS_TRY(digest_pcrs(pcrs, digest, err));
    if (!vs_ct_eq(q.pcr_digest, vs_span_of(digest, TPM_PCR_SIZE)))
        return vs_fail(err, VS_E_MISMATCH, "the register values are not the quoted ones");
    *out = q;
    return VS_OK;
}

vs_code tpm_check_init_data(const tpm_pcrs *pcrs, vs_span digest, vs_error *err)
{
    static const uint8_t zeros[TPM_PCR_SIZE];
    uint8_t want[VS_HASH_MAX];
    if (!digest.p)
        return VS_OK;
    if (digest.n != TPM_PCR_SIZE)
        return vs_fail(err, VS_E_MISMATCH,
                       "init data digest has %zu bytes; a TPM is extended with %d (\"algorithm\" "
                       "sha256)",
                       digest.n, TPM_PCR_SIZE);
    VS_TRY(vs_digest(VS_SHA256, vs_span_of(zeros, sizeof zeros), digest, (vs_span){NULL, 0}, want,
                     err));
    if (!vs_ct_eq(vs_span_of(pcrs->value[INIT_DATA_PCR], TPM_PCR_SIZE),
                  vs_span_of(want, TPM_PCR_SIZE)))
        return vs_fail(err, VS_E_MISMATCH, "register %d does not hold the expected init data",
                       INIT_DATA_PCR);
    return VS_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

void tpm_put_pcrs(vs_obj *claims, const tpm_pcrs *pcrs)
{
    for (unsigned i = 0; i < TPM_PCRS; i++) {
        vs_span name = vs_str(vs_sprintf(claims->a, "pcr%02u", i));
        vs_obj_add(claims, vs_string(name),
                   evidence_hex_claim(claims->a, vs_span_of(pcrs->value[i], TPM_PCR_SIZE)));
    }
}

vs_val tpm_init_data_claim(vs_arena *a, const tpm_pcrs *pcrs)
{
    return evidence_hex_claim(a, vs_span_of(pcrs->value[INIT_DATA_PCR], TPM_PCR_SIZE));
}

static vs_code read_pcr(vs_val v, vs_arena *a, uint8_t out[TPM_PCR_SIZE], vs_error *err)
{
    vs_span bytes;
    if (v.kind != VS_STRING)
        return vs_fail(err, VS_E_INVALID, "it must be a string of hexadecimal");
    VS_TRY(vs_hex_decode_arena(a, vs_text(v), &bytes, err));
    if (bytes.n != TPM_PCR_SIZE)
        return vs_fail(err, VS_E_INVALID, "%zu bytes instead of %d", bytes.n, TPM_PCR_SIZE);
    memcpy(out, bytes.p, TPM_PCR_SIZE);
    return VS_OK;
}

vs_code tpm_pcrs_of_hex(vs_val object, const char *key, vs_arena *a, tpm_pcrs *out, vs_error *err)
{
    vs_val list;
    VS_TRY(vs_need(object, key, VS_ARRAY, &list, err));
    if (list.len != TPM_PCRS)
        return vs_fail(err, VS_E_INVALID, "\"%s\" has %u values instead of %d", key, list.len,
                       TPM_PCRS);
    for (uint32_t i = 0; i < TPM_PCRS; i++)
        VS_TRY_WRAP(read_pcr(list.u.items[i], a, out->value[i], err), err, "value %u of \"%s\"", i,
                    key);
    return VS_OK;
}
