/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Azure's confidential virtual machines (tees.md 4 and 5). The paravisor plays the TPM: what is
 * written to one NV index it puts into its report, which another one holds. The hardware's
 * signature is fetched from the instance metadata service (IMDS), which the host runs: AMD's
 * certificate of the processor, or Intel's quote for the report. Nothing that the host answers is
 * trusted here; the verifier judges it.
 */
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"
#include "client/attester_tpm.h"
#include "client/messages.h"
#include "net/http_client.h"
#include "tee/azure/hcl.h"
#include "tee/dcap/quote.h"
#include "tee/evidence.h"
#include "tee/tee.h"

enum {
    REPORT_INDEX = 0x01400001,
    USER_DATA_INDEX = 0x01400002,
    AK_HANDLE = 0x81000003,
    SNP_REPORT_DATA_AT = 0x50, /* in what the hardware reports */
    TD_REPORT_DATA_AT = 128,
    TD_REPORT_SIZE = 1024,
    PAUSE_MS = 100,
    TORN_TRIES = 5, /* how often a report may be broken because it is being written */
    IMDS_CONNECT_MS = 3000,
    IMDS_ANSWER_MAX = 256 * 1024,
    URL_MAX = 1024,
    SHOWN_MAX = 200, /* of the service's text in an error */
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

/* False: nobody waits for the evidence any more. */
static bool pause_a_little(void)
{
    return vs_wait_pause(PAUSE_MS);
}

/* ---- the paravisor's report ------------------------------------------------------------------ */

static vs_code read_index(int fd, size_t n, vs_buf *out, vs_error *err)
{
    if (n > HCL_REPORT_MAX)
        return vs_fail(err, VS_E_LIMIT, "NV index 0x%08x has %zu bytes, an HCL report at most %d",
                       REPORT_INDEX, n, HCL_REPORT_MAX);
    vs_buf_clear(out);
    return tpm_nv_read(fd, REPORT_INDEX, n, out, err);
}

static hcl_type type_of(const attester *a)
{
    return a->tee == &tee_attester_az_snp ? HCL_SNP : HCL_TDX;
}

/* A whole report, whose hardware vouches for its data, with this user data. */
static vs_code read_report(const attester *a, int fd, vs_span user_data, vs_arena *arena,
                           vs_buf *bytes, hcl_report *out, vs_error *err)
{
    size_t n, at = type_of(a) == HCL_SNP ? SNP_REPORT_DATA_AT : TD_REPORT_DATA_AT;
    VS_TRY(tpm_nv_size(fd, REPORT_INDEX, &n, err));
    VS_TRY(read_index(fd, n, bytes, err));
    VS_TRY(hcl_parse(arena, vs_buf_span(bytes), type_of(a), out, err));
    VS_TRY(hcl_check_binding(out, vs_span_of(out->hardware.p + at, HCL_USER_DATA), err));
    return hcl_check_user_data(out, user_data, arena, err);
}

/* Waits for the report with this user data. A report that does not fit may be an older one; one
 * that is broken may have been read while it was written. */
static vs_code await_report(const attester *a, int fd, vs_span user_data, vs_arena *arena,
                            vs_buf *bytes, hcl_report *out, vs_error *err)
{
    int64_t until = vs_mono_ns() + (int64_t)a->patience_ms * 1000000;
    for (unsigned broken = 0;;) {
        vs_arena_reset(arena);
        vs_code code = read_report(a, fd, user_data, arena, bytes, out, err);
        if (code == VS_OK)
            return VS_OK;
        bool torn = code == VS_E_PARSE || code == VS_E_INVALID || code == VS_E_UNSUPPORTED;
        if (code != VS_E_MISMATCH && !(torn && ++broken < TORN_TRIES))
            return code;
        if (vs_mono_ns() < until && pause_a_little())
            continue;
        if (code == VS_E_MISMATCH)
            (void)vs_wrap(err, "the paravisor made no report for this challenge within %u ms",
                          a->patience_ms);
        return code;
    }
}

/* There is one place for user data: of those who want evidence at once, one after the other. Others
 * than this program are not kept away; then the report is for them, and is waited for in vain. */
static vs_code lock(const attester *a, int fd, vs_error *err)
{
    int64_t until = vs_mono_ns() + 4 * (int64_t)a->patience_ms * 1000000;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (vs_mono_ns() >= until || !pause_a_little())
            return vs_fail(err, VS_E_TIMEOUT, "the TPM is in use by others for evidence");
    }
    return VS_OK;
}

/* ---- the instance metadata service ----------------------------------------------------------- */

/* `body` empty: GET. The answer must be a JSON object. */
static vs_code ask_imds(const attester *a, const char *path, vs_span body, vs_arena *arena,
                        vs_val *out, vs_error *err)
{
    VS_CLEANUP(vs_http_client_free) vs_http_client *http = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(IMDS_ANSWER_MAX);
    char url[URL_MAX];
    int status;
    /* The address is the machine's own: no proxy has anything to do with it. */
    const vs_http_client_config cfg = {.proxy = "",
                                       .connect_ms = IMDS_CONNECT_MS,
                                       .total_ms = a->patience_ms,
                                       .response_bytes = IMDS_ANSWER_MAX};
    const char *const headers[] = {"Metadata: true",
                                   body.n ? "Content-Type: application/json" : NULL, NULL};
    const vs_http_call call = {.method = body.n ? "POST" : "GET",
                               .url = url,
                               .headers = headers,
                               .body = body,
                               .has_body = body.n > 0};
    if ((size_t)snprintf(url, sizeof url, "%s%s", a->imds_url, path) >= sizeof url)
        return vs_fail(err, VS_E_LIMIT, "the URL of the metadata service is too long");
    VS_TRY(vs_http_client_new(&cfg, &http, err));
    VS_TRY_WRAP(vs_http_client_do(http, &call, &status, &answer, err), err, "%s", url);
    if (status != 200)
        return vs_fail(err, VS_E_IO, "%s answers HTTP %d: %s", url, status,
                       kbsc_printable(arena, vs_buf_span(&answer), SHOWN_MAX));
    VS_TRY_WRAP(vs_json_parse(arena, vs_dup(arena, vs_buf_span(&answer)), NULL, out, err), err,
                "answer of %s", url);
    return out->kind == VS_OBJECT ? VS_OK : vs_fail(err, VS_E_INVALID, "%s answers no object", url);
}

/* tees.md 4.1: the processor's certificate. */
static vs_code fetch_vcek(const attester *a, const hcl_report *r, vs_arena *arena, vs_buf *out,
                          vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *certs = NULL;
    vs_val answer, pem;
    (void)r;
    VS_TRY(ask_imds(a, "/metadata/THIM/amd/certification", (vs_span){0}, arena, &answer, err));
    VS_TRY(vs_need(answer, "vcekCert", VS_STRING, &pem, err));
    VS_TRY_WRAP(vs_certs_from_pem(vs_text(pem), &certs, err), err, "\"vcekCert\"");
    return vs_certs_der(certs, 0, out, err);
}

/* tees.md 5: the quote for the TDREPORT that the paravisor's report holds. */
static vs_code fetch_quote(const attester *a, const hcl_report *r, vs_arena *arena, vs_buf *out,
                           vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(4096);
    vs_val answer;
    vs_span bytes;
    dcap_quote quote;
    vs_buf_puts(&body, "{\"report\":\"");
    vs_b64_encode(&body, VS_B64_URL, vs_span_head(r->hardware, TD_REPORT_SIZE));
    vs_buf_puts(&body, "\"}");
    VS_TRY(vs_buf_check(&body, err));
    VS_TRY(ask_imds(a, "/acc/tdquote", vs_buf_span(&body), arena, &answer, err));
    VS_TRY(evidence_base64(arena, answer, "quote", VS_B64_URL_ANYPAD, DCAP_QUOTE_MAX, &bytes, err));
    VS_TRY(dcap_quote_parse(bytes, &quote, err));
    if (!vs_span_eq(quote.body.report_data,
                    vs_span_of(r->hardware.p + TD_REPORT_DATA_AT, HCL_USER_DATA)))
        return vs_fail(err, VS_E_MISMATCH,
                       "the quote of the metadata service is for another report");
    vs_buf_put(out, bytes);
    return vs_buf_check(out, err);
}

/* ---- evidence -------------------------------------------------------------------------------- */

static vs_code put_evidence(vs_buf *json, const attester_quote *q, vs_span report,
                            const char *endorsement, vs_span endorsed, vs_error *err)
{
    vs_buf_puts(json, "{\"version\":2,\"tpm_quote\":{\"signature\":\"");
    vs_hex_encode(json, q->rsa);
    vs_buf_puts(json, "\",\"message\":\"");
    vs_hex_encode(json, vs_buf_span(&q->message));
    vs_buf_puts(json, "\",");
    attester_put_pcrs(json, &q->pcrs);
    vs_buf_puts(json, "},\"hcl_report\":\"");
    vs_b64_encode(json, VS_B64_URL_PADDED, report);
    vs_buf_printf(json, "\",\"%s\":\"", endorsement);
    vs_b64_encode(json, VS_B64_URL_PADDED, endorsed);
    vs_buf_puts(json, "\"}");
    return vs_buf_check(json, err);
}

static vs_code evidence(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    bool snp = type_of(a) == HCL_SNP;
    uint8_t padded[HCL_USER_DATA];
    VS_CLEANUP(close_fd) int fd = -1;
    VS_CLEANUP(free_key) vs_key *ak = NULL;
    VS_CLEANUP(vs_arena_free) vs_arena arena;
    VS_CLEANUP(vs_buf_free)
    vs_buf bytes = VS_BUF(HCL_REPORT_MAX), endorsed = VS_BUF(DCAP_QUOTE_MAX);
    VS_CLEANUP(attester_free_quote) attester_quote q = ATTESTER_QUOTE;
    hcl_report r;
    vs_arena_init(&arena, 0);
    vs_tee_fit(report_data, padded, sizeof padded);
    VS_TRY(tpm_open(a->tpm_path, &fd, err));
    VS_TRY(lock(a, fd, err));
    VS_TRY(tpm_nv_store(fd, USER_DATA_INDEX, vs_span_of(padded, sizeof padded), err));
    VS_TRY(await_report(a, fd, vs_span_of(padded, sizeof padded), &arena, &bytes, &r, err));
    VS_TRY(hcl_attestation_key(&r, &ak, err));
    VS_TRY_WRAP(attester_tpm_quote(fd, AK_HANDLE, ak, report_data, &q, err), err,
                "quote by the key at handle 0x%08x, which the paravisor's report vouches for",
                AK_HANDLE);
    close_fd(&fd);
    fd = -1;
    VS_TRY_WRAP(snp ? fetch_vcek(a, &r, &arena, &endorsed, err)
                    : fetch_quote(a, &r, &arena, &endorsed, err),
                err, "metadata service of the machine");
    return put_evidence(json, &q, vs_buf_span(&bytes), snp ? "vcek" : "td_quote",
                        vs_buf_span(&endorsed), err);
}

/* ---- detection ------------------------------------------------------------------------------- */

/* Whether the TPM has the index. That it does not say is for whoever looks for another kind of key
 * in it to find out. */
static vs_code find_index(const attester *a, int *fd, size_t *n, vs_error *err)
{
    vs_error why = {0};
    char text[200];
    if (tpm_open(a->tpm_path, fd, &why) == VS_OK &&
        tpm_nv_size(*fd, REPORT_INDEX, n, &why) == VS_OK)
        return VS_OK;
    return vs_fail(err, VS_E_NOT_FOUND, "%s", vs_error_text(&why, text, sizeof text));
}

vs_code attester_probe_azure(attester *a, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = -1;
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(HCL_REPORT_MAX);
    hcl_type type;
    size_t n;
    VS_TRY(find_index(a, &fd, &n, err));
    VS_TRY(read_index(fd, n, &bytes, err));
    VS_TRY_WRAP(hcl_find_type(vs_buf_span(&bytes), &type, err), err, "NV index 0x%08x",
                REPORT_INDEX);
    a->tee = type == HCL_SNP ? &tee_attester_az_snp : &tee_attester_az_tdx;
    return VS_OK;
}

const tee_attester tee_attester_az_snp = {.name = "az-snp-vtpm",
                                          .evidence = evidence,
                                          .check_init_data = attester_bind_init_data,
                                          .registers = attester_tpm_registers};
const tee_attester tee_attester_az_tdx = {.name = "az-tdx-vtpm",
                                          .evidence = evidence,
                                          .check_init_data = attester_bind_init_data,
                                          .registers = attester_tpm_registers};
