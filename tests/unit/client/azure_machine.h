/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Azure confidential virtual machine made of software: swtpm as the virtual TPM, a paravisor in
 * front of it that makes its report anew when user data is written, hardware that vouches for the
 * report, and the metadata service that has the hardware's signature. Everything may be wrong.
 */
#ifndef VS_TEST_AZURE_MACHINE_H
#define VS_TEST_AZURE_MACHINE_H

#include "swtpm.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../net/wire.h"
#include "../tee/collateral_file.h"
#include "../tee/soft_dcap.h"
#include "../tee/soft_hcl.h"
#include "../tee/soft_snp.h"
#include "client/attester_tee.h"
#include "tee/evidence.h"

enum {
    REPORT_INDEX = 0x01400001,
    USER_DATA_INDEX = 0x01400002,
    AZURE_AK = 0x81000003,
    INDEX_SIZE = 2000, /* Azure's has 2600; swtpm's indices have 2048 at most */
    DCAP_REPORT_DATA = 520,
};

typedef struct machine {
    device tpm; /* its connection is the paravisor's */
    hcl_type type;
    vs_key *ak; /* that the report names: the public part of the TPM's */
    soft_snp snp;
    soft_dcap dcap;
    snp_trust *snp_trust;
    dcap_trust *dcap_trust;
    char path[60], collateral[60], url[60];
    int listener;
    pthread_t thread;
    vs_http_server *imds;
    /* How the paravisor behaves: how often its report is read before it is new (-1: forever), and
     * which registers are quoted whatever was asked for (0: what was). */
    int late, countdown;
    uint32_t select;
    uint8_t pending[HCL_USER_DATA];
    bool is_pending;
    /* What the metadata service answers instead of the truth. */
    int imds_status;
    const char *imds_answer;
    unsigned imds_wait_ms, imds_calls;
} machine;

/* ---- NV memory --------------------------------------------------------------------------------
 */

static inline void nv_command(int fd, uint32_t command, uint32_t index, const vs_buf *tail)
{
    vs_buf b = VS_BUF(TPM_ANSWER_MAX), answer = VS_BUF(TPM_ANSWER_MAX);
    vs_error err = {0};
    tpm_put_be(&b, OWNER, 4);
    if (index)
        tpm_put_be(&b, index, 4);
    tpm_put_password(&b);
    vs_buf_put(&b, vs_buf_span(tail));
    assert_vs_ok(tpm_transact(fd, TPM_SESSIONS, command, vs_buf_span(&b), &answer, &err), &err);
    vs_buf_free(&b);
    vs_buf_free(&answer);
}

static inline void put_public(vs_buf *b, uint32_t index, size_t size)
{
    tpm_put_be(b, 14, 4); /* no password; the public part */
    tpm_put_be(b, index, 4);
    tpm_put_be(b, 0x000b, 2);
    tpm_put_be(b, 0x00020002, 4);
    tpm_put_be(b, 0, 2);
    tpm_put_be(b, size, 2);
}

/* The index has this size, and its front these bytes. */
static inline void put_index(int fd, uint32_t index, vs_span bytes, size_t size)
{
    size_t there;
    vs_buf b = VS_BUF(TPM_ANSWER_MAX);
    if (tpm_nv_size(fd, index, &there, NULL) == VS_OK)
        nv_command(fd, 0x122, index, &b);
    put_public(&b, index, size);
    nv_command(fd, 0x12a, 0, &b);
    for (size_t at = 0; at < size; at += 512) {
        size_t n = size - at < 512 ? size - at : 512;
        vs_span part = vs_span_head(vs_span_from(bytes, at < bytes.n ? at : bytes.n), n);
        vs_buf_clear(&b);
        tpm_put_be(&b, n, 2);
        vs_buf_put(&b, part);
        for (size_t i = part.n; i < n; i++)
            vs_buf_putc(&b, 0);
        tpm_put_be(&b, at, 2);
        nv_command(fd, 0x137, index, &b);
    }
    vs_buf_free(&b);
}

/* ---- the paravisor ----------------------------------------------------------------------------
 */

/* Its report with this user data, as the hardware of this machine vouches for it. */
static inline void machine_report(machine *m, vs_span user_data, vs_buf *out)
{
    soft_hcl h;
    uint8_t td_report[1024] = {0};
    soft_hcl_start(&h, m->type, m->ak, user_data);
    if (m->type == HCL_SNP) {
        soft_hcl_digest(&h, m->snp.report + 0x50);
        soft_sign_report(&m->snp);
        soft_hcl_bytes(&h, vs_span_of(m->snp.report, SNP_REPORT_SIZE), out);
    } else {
        td_report[0] = 0x81;
        soft_hcl_digest(&h, td_report + 128);
        soft_hcl_bytes(&h, vs_span_of(td_report, sizeof td_report), out);
    }
    soft_hcl_stop(&h);
}

static inline void machine_make_report(machine *m, vs_span user_data)
{
    vs_buf report = VS_BUF(1 << 14);
    machine_report(m, user_data, &report);
    put_index(m->tpm.fd, REPORT_INDEX, vs_buf_span(&report), INDEX_SIZE);
    vs_buf_free(&report);
}

static inline uint32_t word_at(const vs_buf *b, size_t at)
{
    vs_cursor c = vs_cursor_of(vs_span_from(vs_buf_span(b), at), NULL);
    return be_u32(&c);
}

/* Before a command goes to the TPM. */
static inline void paravisor_sees(machine *m, vs_buf *command)
{
    uint32_t code = word_at(command, 6);
    if (code == 0x158 && m->select)
        for (unsigned i = 0; i < 3; i++)
            command->p[command->n - 3 + i] = (uint8_t)(m->select >> 8 * i);
    if (code == 0x169 && word_at(command, 10) == REPORT_INDEX && m->is_pending &&
        m->countdown-- == 0) {
        machine_make_report(m, vs_span_of(m->pending, sizeof m->pending));
        m->is_pending = false;
    }
    if (code == 0x137 && word_at(command, 14) == USER_DATA_INDEX) {
        vs_span data = vs_span_from(vs_buf_span(command), 18 + 4 + 9 + 2);
        vs_tee_fit(vs_span_head(data, data.n - 2), m->pending, sizeof m->pending);
        m->is_pending = true;
        m->countdown = m->late;
    }
}

/* A command or an answer, whole. False: the peer is gone. */
static inline bool take_message(int fd, vs_buf *out)
{
    size_t want = HEAD;
    uint8_t byte;
    vs_buf_clear(out);
    while (out->n < want) {
        if (read(fd, &byte, 1) != 1)
            return false;
        vs_buf_putc(out, (char)byte);
        if (out->n == HEAD)
            want = word_at(out, 2);
    }
    return true;
}

static inline void *paravisor(void *arg)
{
    machine *m = arg;
    vs_buf message = VS_BUF(TPM_ANSWER_MAX);
    for (int fd; (fd = accept(m->listener, NULL, NULL)) >= 0; (void)close(fd))
        while (take_message(fd, &message)) {
            paravisor_sees(m, &message);
            if (write(m->tpm.fd, message.p, message.n) != (ssize_t)message.n ||
                !take_message(m->tpm.fd, &message) ||
                write(fd, message.p, message.n) != (ssize_t)message.n)
                abort();
        }
    vs_buf_free(&message);
    return NULL;
}

/* ---- the metadata service ---------------------------------------------------------------------
 */

static inline void answer_certificate(machine *m, vs_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    PEM_write_bio_X509(bio, m->snp.vek);
    size_t n = (size_t)BIO_get_mem_data(bio, &text);
    vs_buf_puts(out, "{\"vcekCert\":\"");
    for (size_t i = 0; i < n; i++)
        text[i] == '\n' ? vs_buf_puts(out, "\\n") : vs_buf_putc(out, text[i]);
    vs_buf_puts(out, "\",\"certificateChain\":\"\"}");
    BIO_free(bio);
}

static inline bool answer_quote(machine *m, const vs_http_request *req, vs_buf *out)
{
    vs_val json;
    vs_span report;
    vs_buf quote = VS_BUF(1 << 15);
    if (vs_json_parse(req->arena, req->body, NULL, &json, NULL) != VS_OK ||
        evidence_base64(req->arena, json, "report", VS_B64_URL, 4096, &report, NULL) != VS_OK ||
        report.n != 1024)
        return false;
    memcpy(m->dcap.body + DCAP_REPORT_DATA, report.p + 128, 64);
    soft_quote(&m->dcap, &quote);
    vs_buf_puts(out, "{\"quote\":\"");
    vs_b64_encode(out, VS_B64_URL, vs_buf_span(&quote));
    vs_buf_puts(out, "\"}");
    vs_buf_free(&quote);
    return true;
}

static inline void metadata(void *user, const vs_http_request *req, vs_http_response *resp)
{
    machine *m = user;
    m->imds_calls++;
    (void)usleep(m->imds_wait_ms * 1000);
    resp->status = m->imds_status;
    if (m->imds_answer)
        vs_buf_puts(&resp->body, m->imds_answer);
    else if (!vs_span_is(vs_http_header(req, "Metadata"), "true"))
        resp->status = 400;
    else if (vs_span_is(req->path, "/metadata/THIM/amd/certification") &&
             req->method == VS_HTTP_GET && m->type == HCL_SNP)
        answer_certificate(m, &resp->body);
    else if (!vs_span_is(req->path, "/acc/tdquote") || req->method != VS_HTTP_POST ||
             m->type != HCL_TDX || !answer_quote(m, req, &resp->body))
        resp->status = 404;
}

/* ---- life -------------------------------------------------------------------------------------
 */

static inline void start_paravisor(machine *m)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(m->path, sizeof m->path, "%s/paravisor.sock", m->tpm.dir);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", m->path);
    m->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(m->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(m->listener, 8), 0);
    assert_int_equal(pthread_create(&m->thread, NULL, paravisor, m), 0);
}

static inline void trust_dcap(machine *m)
{
    vs_buf text = VS_BUF(1 << 20);
    vs_error err = {0};
    dcap_collateral k = soft_collateral(&m->dcap, &m->tpm.a);
    put_collateral_file(&text, "333333333333", &k);
    (void)snprintf(m->collateral, sizeof m->collateral, "%s/collateral.json", m->tpm.dir);
    assert_vs_ok(vs_write_file(m->collateral, vs_buf_span(&text), 0600, &err), &err);
    const dcap_trust_options options = {.file = m->collateral, .root = m->dcap.root};
    assert_vs_ok(dcap_trust_new(&options, &m->dcap_trust, &err), &err);
    vs_buf_free(&text);
}

/* A machine that runs, with a report of its start. */
static inline void machine_start(machine *m, hcl_type type)
{
    vs_error err = {0};
    *m = (machine){.type = type, .imds_status = 200};
    device_open(&m->tpm);
    make_key(&m->tpm, 1);
    keep_key(&m->tpm, AZURE_AK);
    assert_vs_ok(tpm_read_key(m->tpm.fd, AZURE_AK, &m->ak, &err), &err);
    if (type == HCL_SNP) {
        soft_snp_start(&m->snp);
        soft_fill(&m->snp, SNP_GENOA, SNP_BY_VCEK);
        soft_issue(&m->snp);
        soft_snp_trust(&m->snp, NULL, NULL, &m->snp_trust);
    } else {
        soft_dcap_start(&m->dcap);
        trust_dcap(m);
    }
    machine_make_report(m, (vs_span){NULL, 0});
    start_paravisor(m);
    m->imds = serve(metadata, m, (vs_http_limits){0});
    (void)snprintf(m->url, sizeof m->url, "http://127.0.0.1:%u", vs_http_server_port(m->imds, 0));
}

static inline void machine_stop(machine *m)
{
    (void)shutdown(m->listener, SHUT_RDWR);
    (void)pthread_join(m->thread, NULL);
    (void)close(m->listener);
    vs_http_server_stop(&m->imds, 1000);
    if (m->type == HCL_SNP) {
        snp_trust_free(&m->snp_trust);
        soft_snp_stop(&m->snp);
    } else {
        dcap_trust_free(&m->dcap_trust);
        soft_dcap_stop(&m->dcap);
    }
    vs_key_free(&m->ak);
    device_close(&m->tpm);
}

#endif
