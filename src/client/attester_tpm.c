/* SPDX-License-Identifier: Apache-2.0 */
/* A plain TPM 2.0 with an RSA attestation key that was made before (tees.md 3.1). */
#include <stdlib.h>
#include <unistd.h>

#include "base/enc.h"
#include "client/attester_tee.h"
#include "client/tpm.h"

enum {
    NONCE = 32,
    INIT_DATA_PCR = 8,
    TRIES = 5, /* registers may change between quote and reading */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* ---- quotes ---------------------------------------------------------------------------------- */

typedef struct parts {
    vs_buf message, signature, spki;
    tpm_pcrs pcrs;
} parts;

static void free_parts(parts *p)
{
    vs_buf_free(&p->message);
    vs_buf_free(&p->signature);
    vs_buf_free(&p->spki);
}

static void free_key(vs_key **k)
{
    vs_key_free(k);
}

/* The quote, with values that it is over and a key that signed it: checked here already, so that
 * what is sent is never in vain. */
static vs_code quote_once(const attester *a, int fd, vs_span nonce, parts *p, vs_error *err)
{
    VS_CLEANUP(free_key) vs_key *ak = NULL;
    tpm_quote quote;
    vs_span rsa;
    vs_buf_clear(&p->message);
    vs_buf_clear(&p->signature);
    vs_buf_clear(&p->spki);
    VS_TRY(tpm_read_key(fd, a->tpm_handle, &ak, err));
    VS_TRY(vs_key_to_spki(&p->spki, ak, err));
    VS_TRY(tpm_get_quote(fd, a->tpm_handle, nonce, TPM_ALL_PCRS, &p->message, &p->signature, err));
    VS_TRY(tpm_read_pcrs(fd, &p->pcrs, err));
    VS_TRY(tpm_signature_parse(vs_buf_span(&p->signature), &rsa, err));
    return tpm_quote_verify(vs_buf_span(&p->message), rsa, ak, &p->pcrs, &quote, err);
}

static vs_code get_parts(const attester *a, vs_span report_data, parts *p, vs_error *err)
{
    uint8_t nonce[NONCE] = {0};
    VS_CLEANUP(close_fd) int fd = -1;
    vs_code code = VS_OK;
    vs_span head = vs_span_head(report_data, sizeof nonce); /* longer ones are cut: tees.md 3.1 */
    if (head.n)
        memcpy(nonce, head.p, head.n);
    VS_TRY(tpm_open(a->tpm_path, &fd, err));
    for (unsigned i = 0; i < TRIES; i++) {
        code = quote_once(a, fd, vs_span_of(nonce, sizeof nonce), p, err);
        if (code != VS_E_MISMATCH)
            break;
    }
    return code;
}

static vs_code evidence(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    VS_CLEANUP(free_parts)
    parts p = {.message = VS_BUF(TPM_MESSAGE_MAX),
               .signature = VS_BUF(TPM_SIGNATURE_MAX),
               .spki = VS_BUF(4096)};
    VS_TRY(get_parts(a, report_data, &p, err));
    vs_buf_puts(json, "{\"tpm_quote\":{\"signature\":\"");
    vs_b64_encode(json, VS_B64_STD, vs_buf_span(&p.signature));
    vs_buf_puts(json, "\",\"message\":\"");
    vs_b64_encode(json, VS_B64_STD, vs_buf_span(&p.message));
    vs_buf_puts(json, "\",\"pcrs\":[");
    for (unsigned i = 0; i < TPM_PCRS; i++) {
        vs_buf_puts(json, i ? ",\"" : "\"");
        vs_hex_encode(json, vs_span_of(p.pcrs.value[i], TPM_PCR_SIZE));
        vs_buf_putc(json, '"');
    }
    vs_buf_puts(json, "]},\"ak_public\":\"");
    vs_b64_encode(json, VS_B64_STD, vs_buf_span(&p.spki));
    vs_buf_puts(json, "\"}");
    return vs_buf_check(json, err);
}

/* ---- init data ------------------------------------------------------------------------------- */

/* A TPM is not started with init data: PCR 8 is extended by it, once; an agent that starts again
 * finds it there. */
static vs_code bind_init_data(const attester *a, vs_span digest, vs_error *err)
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

const tee_attester tee_attester_tpm = {
    .name = "tpm", .evidence = evidence, .check_init_data = bind_init_data};
