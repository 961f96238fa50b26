/* SPDX-License-Identifier: Apache-2.0 */
/* TPM quotes made of software, right or wrong, and evidence around them. */
#ifndef VS_TEST_SOFT_TPM_H
#define VS_TEST_SOFT_TPM_H

#include "testing.h"

#include "base/enc.h"
#include "tee/tpm/quote.h"
#include "value/json.h"

typedef struct soft_tpm {
    vs_key *ak;
    tpm_pcrs pcrs;
    /* What the next quote says. */
    uint32_t magic, banks;
    uint16_t type, bank;
    uint8_t select_n, select[8];
    uint8_t safe;
    uint8_t nonce[64];
    size_t nonce_n;
    const char *tail; /* behind the end */
} soft_tpm;

static inline void soft_tpm_defaults(soft_tpm *t)
{
    vs_key *ak = t->ak;
    *t = (soft_tpm){.ak = ak,
                    .magic = 0xff544347,
                    .banks = 1,
                    .type = 0x8018,
                    .bank = 0x000b,
                    .select_n = 3,
                    .select = {0xff, 0xff, 0xff},
                    .safe = 1,
                    .nonce_n = 32,
                    .tail = ""};
    for (unsigned i = 0; i < 32; i++)
        t->nonce[i] = (uint8_t)(0x40 + i);
    for (unsigned i = 0; i < TPM_PCRS; i++)
        memset(t->pcrs.value[i], (int)(i + 1), TPM_PCR_SIZE);
}

static inline void soft_tpm_start(soft_tpm *t)
{
    vs_error err = {0};
    *t = (soft_tpm){0};
    assert_vs_ok(vs_key_generate(VS_KEY_RSA, &t->ak, &err), &err);
    soft_tpm_defaults(t);
}

static inline void soft_tpm_stop(soft_tpm *t)
{
    vs_key_free(&t->ak);
}

static inline void soft_be(vs_buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--)
        vs_buf_putc(b, (char)(v >> 8 * (i - 1)));
}

/* TPMS_ATTEST */
static inline void soft_tpm_message(const soft_tpm *t, vs_buf *out)
{
    vs_error err = {0};
    uint8_t digest[VS_HASH_MAX];
    vs_span no = {NULL, 0};
    assert_vs_ok(
        vs_digest(VS_SHA256, vs_span_of(t->pcrs.value, sizeof t->pcrs.value), no, no, digest, &err),
        &err);
    soft_be(out, t->magic, 4);
    soft_be(out, t->type, 2);
    soft_be(out, 34, 2);
    soft_be(out, 0x000b, 2);
    vs_buf_put(out, vs_span_of("a name of thirty-two bytes......", 32));
    soft_be(out, t->nonce_n, 2);
    vs_buf_put(out, vs_span_of(t->nonce, t->nonce_n));
    soft_be(out, 123456, 8);
    soft_be(out, 2, 4);
    soft_be(out, 3, 4);
    soft_be(out, t->safe, 1);
    soft_be(out, 0x2020, 8);
    soft_be(out, t->banks, 4);
    for (unsigned i = 0; i < t->banks && i < 3; i++) {
        soft_be(out, t->bank, 2);
        soft_be(out, t->select_n, 1);
        vs_buf_put(out, vs_span_of(t->select, t->select_n));
    }
    soft_be(out, 32, 2);
    vs_buf_put(out, vs_span_of(digest, 32));
    vs_buf_puts(out, t->tail);
}

/* The bare RSA signature, RSASSA with SHA-256. */
static inline void soft_tpm_sign(const soft_tpm *t, vs_span message, vs_buf *out)
{
    vs_error err = {0};
    assert_vs_ok(vs_sign(t->ak, VS_RS256, &message, 1, out, &err), &err);
}

static inline vs_val soft_hex_list(vs_arena *a, const tpm_pcrs *pcrs)
{
    vs_vec list = {.a = a};
    for (unsigned i = 0; i < TPM_PCRS; i++)
        vs_vec_add(&list,
                   vs_string(vs_hex_encode_arena(a, vs_span_of(pcrs->value[i], TPM_PCR_SIZE))));
    return vs_vec_end_array(&list);
}

static inline vs_val soft_b64(vs_arena *a, vs_span bytes)
{
    return vs_string(vs_b64_encode_arena(a, VS_B64_STD, bytes));
}

/* Evidence of TEE "tpm" from its parts. */
static inline vs_val soft_tpm_evidence_of(vs_arena *a, vs_span message, vs_span tpmt, vs_val pcrs,
                                          vs_val ak)
{
    vs_obj quote = {.a = a}, all = {.a = a};
    vs_obj_put(&quote, "signature", soft_b64(a, tpmt));
    vs_obj_put(&quote, "message", soft_b64(a, message));
    vs_obj_put(&quote, "pcrs", pcrs);
    vs_obj_put(&all, "tpm_quote", vs_obj_end(&quote, VS_DUP_REFUSE, NULL));
    vs_obj_put(&all, "ak_public", ak);
    return vs_obj_end(&all, VS_DUP_REFUSE, NULL);
}

static inline vs_val soft_tpm_ak(vs_arena *a, const vs_key *ak)
{
    vs_buf der = VS_BUF(4096);
    vs_error err = {0};
    assert_vs_ok(vs_key_to_spki(&der, ak, &err), &err);
    vs_val v = soft_b64(a, vs_buf_span(&der));
    vs_buf_free(&der);
    return v;
}

/* TPMT_SIGNATURE around what soft_tpm_sign gives. */
static inline void soft_tpmt(const soft_tpm *t, vs_span message, vs_buf *out)
{
    vs_buf rsa = VS_BUF(1024);
    soft_tpm_sign(t, message, &rsa);
    soft_be(out, 0x0014, 2);
    soft_be(out, 0x000b, 2);
    soft_be(out, rsa.n, 2);
    vs_buf_put(out, vs_buf_span(&rsa));
    vs_buf_free(&rsa);
}

static inline vs_val soft_tpm_evidence(vs_arena *a, const soft_tpm *t)
{
    vs_buf message = VS_BUF(4096), tpmt = VS_BUF(4096);
    soft_tpm_message(t, &message);
    soft_tpmt(t, vs_buf_span(&message), &tpmt);
    vs_val v = soft_tpm_evidence_of(a, vs_buf_span(&message), vs_buf_span(&tpmt),
                                    soft_hex_list(a, &t->pcrs), soft_tpm_ak(a, t->ak));
    vs_buf_free(&message);
    vs_buf_free(&tpmt);
    return v;
}

#endif
