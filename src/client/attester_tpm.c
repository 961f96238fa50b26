/* SPDX-License-Identifier: Apache-2.0 */
/* A plain TPM 2.0 with an RSA attestation key that was made before (tees.md 3.1). */
#include <unistd.h>

#include "base/enc.h"
#include "client/attester_tpm.h"

enum {
    NONCE = 32,
    INIT_DATA_PCR = 8,
    DEBUG_PCR = 16, /* these two may be reset by any program with the TPM */
    APPLICATION_PCR = 23,
    TRIES = 5, /* registers may change between quote and reading */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void free_key(vs_key **k)
{
    vs_key_free(k);
}

/* ---- quotes ---------------------------------------------------------------------------------- */

void attester_free_quote(attester_quote *q)
{
    vs_buf_free(&q->message);
    vs_buf_free(&q->signature);
}

static vs_code quote_once(int fd, uint32_t handle, const vs_key *ak, vs_span nonce,
                          attester_quote *q, vs_error *err)
{
    tpm_quote quote;
    vs_buf_clear(&q->message);
    vs_buf_clear(&q->signature);
    VS_TRY(tpm_get_quote(fd, handle, nonce, TPM_ALL_PCRS, &q->message, &q->signature, err));
    VS_TRY(tpm_read_pcrs(fd, &q->pcrs, err));
    VS_TRY(tpm_signature_parse(vs_buf_span(&q->signature), &q->rsa, err));
    return tpm_quote_verify(vs_buf_span(&q->message), q->rsa, ak, &q->pcrs, &quote, err);
}

vs_code attester_tpm_quote(int fd, uint32_t handle, const vs_key *ak, vs_span nonce,
                           attester_quote *q, vs_error *err)
{
    vs_code code = VS_OK;
    for (unsigned i = 0; i < TRIES; i++) {
        code = quote_once(fd, handle, ak, nonce, q, err);
        if (code != VS_E_MISMATCH)
            break;
    }
    return code;
}

void attester_put_pcrs(vs_buf *json, const tpm_pcrs *pcrs)
{
    vs_buf_puts(json, "\"pcrs\":[");
    for (unsigned i = 0; i < TPM_PCRS; i++) {
        vs_buf_puts(json, i ? ",\"" : "\"");
        vs_hex_encode(json, vs_span_of(pcrs->value[i], TPM_PCR_SIZE));
        vs_buf_putc(json, '"');
    }
    vs_buf_putc(json, ']');
}

static vs_code evidence(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    uint8_t nonce[NONCE] = {0};
    VS_CLEANUP(close_fd) int fd = -1;
    VS_CLEANUP(free_key) vs_key *ak = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf spki = VS_BUF(4096);
    VS_CLEANUP(attester_free_quote) attester_quote q = ATTESTER_QUOTE;
    vs_span head = vs_span_head(report_data, sizeof nonce); /* longer ones are cut: tees.md 3.1 */
    if (head.n)
        memcpy(nonce, head.p, head.n);
    VS_TRY(tpm_open(a->tpm_path, &fd, err));
    VS_TRY(tpm_read_key(fd, a->tpm_handle, &ak, err));
    VS_TRY(vs_key_to_spki(&spki, ak, err));
    VS_TRY(attester_tpm_quote(fd, a->tpm_handle, ak, vs_span_of(nonce, sizeof nonce), &q, err));
    vs_buf_puts(json, "{\"tpm_quote\":{\"signature\":\"");
    vs_b64_encode(json, VS_B64_STD, vs_buf_span(&q.signature));
    vs_buf_puts(json, "\",\"message\":\"");
    vs_b64_encode(json, VS_B64_STD, vs_buf_span(&q.message));
    vs_buf_puts(json, "\",");
    attester_put_pcrs(json, &q.pcrs);
    vs_buf_puts(json, "},\"ak_public\":\"");
    vs_b64_encode(json, VS_B64_STD, vs_buf_span(&spki));
    vs_buf_puts(json, "\"}");
    return vs_buf_check(json, err);
}

/* ---- init data ------------------------------------------------------------------------------- */

/* A TPM is not started with init data: PCR 8 is extended by it, once; an agent that starts again
 * finds it there. */
vs_code attester_bind_init_data(const attester *a, vs_span digest, vs_error *err)
{
    static const uint8_t zeros[TPM_PCR_SIZE] = {0};
    VS_CLEANUP(close_fd) int fd = -1;
    tpm_pcrs pcrs;
    if (digest.n != TPM_PCR_SIZE)
        return vs_fail(err, VS_E_INVALID,
                       "a digest of %zu bytes; a TPM's register takes 32 (algorithm sha256)",
                       digest.n);
    VS_TRY(tpm_open(a->tpm_path, &fd, err));
    VS_TRY(tpm_read_pcrs(fd, &pcrs, err));
    if (memcmp(pcrs.value[INIT_DATA_PCR], zeros, sizeof zeros) == 0) {
        VS_TRY(tpm_extend(fd, INIT_DATA_PCR, digest.p, err));
        VS_TRY(tpm_read_pcrs(fd, &pcrs, err));
    }
    return tpm_check_init_data(&pcrs, digest, err);
}

/* ---- registers ------------------------------------------------------------------------------- */

static uint32_t index_of(uint64_t pcr)
{
    return pcr < TPM_PCRS ? (uint32_t)pcr : TPM_PCRS; /* one that there is not */
}

static vs_code check_index(uint32_t index, vs_error *err)
{
    return index < TPM_PCRS
               ? VS_OK
               : vs_fail(err, VS_E_INVALID, "a TPM has registers 0 to %d only", TPM_PCRS - 1);
}

static vs_code read_register(void *user, uint32_t index, uint8_t *value, vs_error *err)
{
    const attester *a = user;
    VS_CLEANUP(close_fd) int fd = -1;
    tpm_pcrs pcrs;
    VS_TRY(check_index(index, err));
    VS_TRY(tpm_open(a->tpm_path, &fd, err));
    VS_TRY(tpm_read_pcrs(fd, &pcrs, err));
    memcpy(value, pcrs.value[index], TPM_PCR_SIZE);
    return VS_OK;
}

static vs_code extend_register(void *user, uint32_t index, const uint8_t *digest, vs_error *err)
{
    const attester *a = user;
    VS_CLEANUP(close_fd) int fd = -1;
    VS_TRY(check_index(index, err));
    if (index == INIT_DATA_PCR)
        return vs_fail(err, VS_E_INVALID, "register %d is for init data", INIT_DATA_PCR);
    VS_TRY(tpm_open(a->tpm_path, &fd, err));
    VS_TRY_WRAP(tpm_extend(fd, index, digest, err), err,
                "extending register %u (17 to 22 are not for the operating system)", index);
    return VS_OK;
}

/* Of the other registers firmware and operating system may have had use before. */
static vs_code start_of_register(void *user, uint32_t index, uint8_t *value, vs_error *err)
{
    (void)user;
    if (index != DEBUG_PCR && index != APPLICATION_PCR)
        return vs_fail(err, VS_E_UNSUPPORTED, "the start of register %u is not known", index);
    memset(value, 0, TPM_PCR_SIZE);
    return VS_OK;
}

vs_code attester_tpm_registers(attester *a, attester_registers *out, vs_error *err)
{
    (void)err;
    *out = (attester_registers){.hash = VS_SHA256,
                                .path = a->aael_path,
                                .index = index_of,
                                .read = read_register,
                                .extend = extend_register,
                                .start = start_of_register,
                                .user = a};
    return VS_OK;
}

/* ---- detection ------------------------------------------------------------------------------- */

vs_code attester_probe_tpm(attester *a, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = -1;
    VS_CLEANUP(free_key) vs_key *ak = NULL;
    VS_TRY(tpm_open(a->tpm_path, &fd, err));
    VS_TRY_WRAP(tpm_read_key(fd, a->tpm_handle, &ak, err), err,
                "%s has no RSA key at handle 0x%08x that could attest", a->tpm_path, a->tpm_handle);
    return VS_OK;
}

const tee_attester tee_attester_tpm = {.name = "tpm",
                                       .evidence = evidence,
                                       .check_init_data = attester_bind_init_data,
                                       .registers = attester_tpm_registers};
