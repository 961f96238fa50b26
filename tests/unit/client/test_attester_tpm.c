/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TPM attester and driver against a real TPM 2.0 implementation: swtpm, on a Unix socket.
 * Skipped, saying so, where it is not installed.
 */
#include "swtpm.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "aa/eventlog.h"
#include "base/clock.h"
#include "base/wait.h"
#include "client/attester.h"
#include "tee/tee.h"

static void extend(device *d, unsigned pcr, const char *digest)
{
    vs_error err = {0};
    assert_vs_ok(tpm_extend(d->fd, pcr, (const uint8_t *)digest, &err), &err);
}

/* Evidence with a quote over these registers, by an attester that reports them all. */
static vs_val evidence(device *d, vs_span nonce, uint32_t pcrs)
{
    vs_buf message = VS_BUF(TPM_ANSWER_MAX), signature = VS_BUF(TPM_ANSWER_MAX);
    vs_error err = {0};
    tpm_pcrs values;
    assert_vs_ok(tpm_get_quote(d->fd, d->key, nonce, pcrs, &message, &signature, &err), &err);
    assert_vs_ok(tpm_read_pcrs(d->fd, &values, &err), &err);
    vs_val v = soft_tpm_evidence_of(&d->a, vs_dup(&d->a, vs_buf_span(&message)),
                                    vs_dup(&d->a, vs_buf_span(&signature)),
                                    soft_hex_list(&d->a, &values), d->ak);
    vs_buf_free(&message);
    vs_buf_free(&signature);
    return v;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static vs_code verify(device *d, vs_val e, vs_span nonce, vs_span init, vs_tee_result *out,
                      vs_error *err)
{
    vs_tee_trust trust = {0};
    vs_tee_expect expect = {.report_data = nonce, .init_data = init};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n;
    vs_code code = vs_tee_find(VS_LIT("tpm"))->verify(&trust, e, &expect, &d->a, results, &n, err);
    *out = results[0];
    return code;
}

static void a_real_quote_verifies_with_its_nonce_and_whole_selection_only(void **state)
{
    (void)state;
    static const uint32_t others[] = {0xfff7ff, 0xffff00, 0x000800, 0x000001};
    vs_span nonce = VS_LIT("0123456789abcdef0123456789abcdef"),
            digest = VS_LIT("digest of the init data, 32 byte"), none = {NULL, 0};
    vs_error err = {0};
    vs_tee_result r;
    device d;
    if (!have_swtpm())
        skip();
    device_open(&d);
    make_key(&d, 1);
    extend(&d, 8, (const char *)digest.p);
    extend(&d, 11, "what this machine was booted wi.");
    vs_val e = evidence(&d, nonce, 0xffffff);
    assert_vs_ok(verify(&d, e, nonce, digest, &r, &err), &err);
    assert_true(vs_eq(vs_getc(r.claims, "ak_public"), d.ak));
    assert_false(
        vs_span_eq(vs_text(vs_getc(r.claims, "pcr11")), vs_text(vs_getc(r.claims, "pcr12"))));
    assert_vs_code(verify(&d, e, VS_LIT("0123456789abcdef0123456789abcdeF"), none, &r, NULL),
                   VS_E_MISMATCH);
    assert_vs_code(verify(&d, e, nonce, VS_LIT("digest of other init data 32 byt"), &r, NULL),
                   VS_E_MISMATCH);
    for (size_t i = 0; i < VS_COUNT(others); i++)
        assert_vs_code(verify(&d, evidence(&d, nonce, others[i]), nonce, none, &r, NULL),
                       VS_E_INVALID);
    device_close(&d);
}

/* The attester as programs use it: where the TPM is, and which key, says the environment. */
static attester *detect(const device *d, vs_error *err)
{
    attester *a = NULL;
    char handle[16];
    (void)snprintf(handle, sizeof handle, "%x", d->key);
    (void)setenv("AA_TPM_DEVICE", d->path, 1);
    (void)setenv("AA_TPM_AK_HANDLE", handle, 1);
    if (attester_detect(&(attester_config){.allow_sample = true}, &a, err) != VS_OK)
        assert_null(a);
    (void)unsetenv("AA_TPM_DEVICE");
    (void)unsetenv("AA_TPM_AK_HANDLE");
    return a;
}

static void the_attesters_evidence_verifies_and_binds_init_data_once(void **state)
{
    (void)state;
    vs_error err = {0};
    vs_tee_result r;
    vs_val v;
    device d;
    vs_buf json = VS_BUF(1 << 16);
    vs_span data = VS_LIT("forty-eight bytes of a SHA-384 digest, cut to 32"), none = {NULL, 0},
            digest = VS_LIT("digest of the init data, 32 byte");
    if (!have_swtpm())
        skip();
    device_open(&d);
    make_key(&d, 1);
    device_disconnect(&d);
    attester *a = detect(&d, &err);
    if (!a)
        fail_msg("%s", vs_error_at(&err, 0));
    assert_string_equal(attester_tee(a), "tpm");
    for (int start = 0; start < 2; start++) /* the agent is started again */
        assert_vs_ok(attester_check_init_data(a, digest, &err), &err);
    assert_vs_code(attester_check_init_data(a, VS_LIT("digest of other init data 32 byt"), NULL),
                   VS_E_MISMATCH);
    assert_vs_code(attester_check_init_data(a, data, NULL), VS_E_INVALID);
    assert_vs_ok(attester_evidence(a, data, &json, &err), &err);
    assert_vs_ok(vs_json_parse(&d.a, vs_buf_span(&json), NULL, &v, &err), &err);
    assert_vs_ok(verify(&d, v, vs_span_head(data, 32), digest, &r, &err), &err);
    assert_true(vs_eq(vs_getc(r.claims, "ak_public"), d.ak));
    assert_vs_code(verify(&d, v, VS_LIT("another challenge of 32 bytes..."), none, &r, NULL),
                   VS_E_MISMATCH);
    attester_free(&a);
    vs_buf_free(&json);
    device_close(&d);
}

/* The log of what was measured, beside the TPM's state. */
static aa_eventlog *log_of(device *d, attester *a)
{
    static char path[80];
    attester_registers regs;
    aa_eventlog *l = NULL;
    vs_error err = {0};
    (void)snprintf(path, sizeof path, "%s/eventlog", d->dir);
    assert_vs_ok(attester_get_registers(a, &regs, &err), &err);
    regs.path = path;
    assert_vs_ok(aa_eventlog_open(&regs, &l, &err), &err);
    return l;
}

static void registers_are_extended_by_their_own_numbers(void **state)
{
    (void)state;
    static const uint8_t zeros[TPM_PCR_SIZE];
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    tpm_pcrs pcrs;
    uint8_t digest[VS_HASH_MAX], want[VS_HASH_MAX];
    device d;
    if (!have_swtpm())
        skip();
    device_open(&d);
    make_key(&d, 1);
    device_disconnect(&d);
    attester *a = detect(&d, &err);
    aa_eventlog *l = log_of(&d, a);
    assert_vs_ok(aa_eventlog_extend(l, 23, VS_LIT("d o content"), &err), &err);
    assert_vs_ok(aa_eventlog_extend(l, 14, VS_LIT("d o content"), &err), &err);
    static const struct {
        uint64_t pcr;
        const char *why;
    } bad[] = {{8, "for init data"},
               {17, "not for the operating system"},
               {24, "registers 0 to 23"},
               {(UINT64_C(1) << 32) + 23, "registers 0 to 23"}};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        assert_true(aa_eventlog_extend(l, bad[i].pcr, VS_LIT("d o content"), &err) != VS_OK);
        if (!strstr(vs_error_text(&err, text, sizeof text), bad[i].why))
            fail_msg("\"%s\" is not in \"%s\"", bad[i].why, text);
    }
    aa_eventlog_close(&l);
    vs_buf entry = VS_BUF(1000);
    assert_vs_ok(aael_put_entry(&entry, VS_SHA256, 23, VS_LIT("d o content"), digest, &err), &err);
    vs_buf_free(&entry);
    assert_vs_ok(vs_digest(VS_SHA256, vs_span_of(zeros, sizeof zeros), vs_span_of(digest, 32),
                           (vs_span){NULL, 0}, want, &err),
                 &err);
    device_connect(&d);
    assert_vs_ok(tpm_read_pcrs(d.fd, &pcrs, &err), &err);
    for (unsigned i = 0; i < 16; i++)
        assert_memory_equal(pcrs.value[i], i == 14 ? want : zeros, TPM_PCR_SIZE);
    assert_memory_equal(pcrs.value[23], want, TPM_PCR_SIZE);
    extend(&d, 23, "what the log does not know ....."); /* and the log is not its any more */
    device_disconnect(&d);
    attester_registers regs;
    assert_vs_ok(attester_get_registers(a, &regs, &err), &err);
    (void)snprintf(text, sizeof text, "%s/eventlog", d.dir);
    regs.path = text;
    assert_vs_code(aa_eventlog_open(&regs, &l, &err), VS_E_CONFLICT);
    attester_free(&a);
    device_close(&d);
}

static void a_tpm_without_a_usable_key_is_never_the_sample(void **state)
{
    (void)state;
    vs_error err = {0};
    device d;
    if (!have_swtpm())
        skip();
    device_open(&d);
    make_key(&d, 0x23); /* ECDSA: no verifier of this evidence takes it */
    device_disconnect(&d);
    assert_null(detect(&d, &err));
    assert_int_equal(err.code, VS_E_UNSUPPORTED);
    d.key = 0x81010002; /* nothing is there */
    assert_null(detect(&d, &err));
    assert_int_equal(err.code, VS_E_IO);
    (void)setenv("AA_TPM_AK_HANDLE", "0x81010002 ", 1);
    attester *a = NULL;
    assert_vs_code(attester_detect(&(attester_config){.allow_sample = true}, &a, NULL),
                   VS_E_INVALID);
    (void)unsetenv("AA_TPM_AK_HANDLE");
    device_close(&d);
}

static void answers_cut_anywhere_are_refused(void **state)
{
    (void)state;
    static const uint8_t public[] = {0,    28, 0,    1, 0, 0x0b, 0, 5, 0, 0x72, 0, 0, 0, 0x10, 0,
                                     0x14, 0,  0x0b, 8, 0, 0,    0, 0, 0, 0,    4, 1, 2, 3,    4};
    vs_key *key = NULL;
    for (size_t n = 0; n < sizeof public; n++)
        assert_vs_code(tpm_public_parse(vs_span_of(public, n), &key, NULL), VS_E_PARSE);
    /* Whole, but no modulus is that small. */
    assert_vs_code(tpm_public_parse(vs_span_of(public, sizeof public), &key, NULL), VS_E_INVALID);
    assert_null(key);

    vs_buf b = VS_BUF(1000);
    tpm_pcrs pcrs;
    static const uint8_t head[] = {0, 0, 0, 9, 0, 0, 0, 1, 0, 0x0b, 3, 0, 0xff, 0, 0, 0, 0, 8};
    vs_buf_put(&b, vs_span_of(head, sizeof head));
    for (unsigned i = 0; i < 8; i++) {
        tpm_put_be(&b, 32, 2);
        tpm_put_be(&b, i, 8);
        tpm_put_be(&b, 0, 8);
        tpm_put_be(&b, 0, 8);
        tpm_put_be(&b, 0, 8);
    }
    assert_vs_code(tpm_pcrs_parse(vs_buf_span(&b), 8, &pcrs, NULL), VS_OK);
    assert_vs_code(tpm_pcrs_parse(vs_buf_span(&b), 0, &pcrs, NULL), VS_E_INVALID);
    for (size_t n = 0; n < b.n; n++)
        assert_vs_code(tpm_pcrs_parse(vs_span_head(vs_buf_span(&b), n), 8, &pcrs, NULL),
                       VS_E_PARSE);
    vs_buf_puts(&b, "x");
    assert_vs_code(tpm_pcrs_parse(vs_buf_span(&b), 8, &pcrs, NULL), VS_E_PARSE);
    vs_buf_free(&b);
}

/* A byte now and then of an answer that is never whole, until the other end is closed. */
static void *trickle(void *user)
{
    static const uint8_t head[] = {0x80, 1, 0, 0, 0x0f, 0xff};
    int fd = *(int *)user;
    for (size_t i = 0;; i++) {
        struct pollfd p = {.fd = fd};
        uint8_t byte = i < sizeof head ? head[i] : 0;
        if (poll(&p, 1, 10) != 0 || send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
            return NULL;
    }
}

static void a_tpm_that_trickles_or_is_gone_ends_the_wait(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(TPM_ANSWER_MAX);
    const vs_span body = VS_LIT("body");
    uint32_t rc;
    int pair[2];
    pthread_t thread;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pthread_create(&thread, NULL, trickle, &pair[1]), 0);
    int64_t start = vs_mono_ns();
    vs_wait before = vs_wait_set((vs_wait){.until = start + 300000000});
    vs_code code = tpm_ask(pair[0], TPM_NO_SESSIONS, 0x17e, body, &answer, &rc, NULL);
    (void)vs_wait_set(before);
    assert_vs_code(code, VS_E_TIMEOUT);
    assert_in_range(vs_mono_ns() - start, 250000000, 10000000000);
    (void)close(pair[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(pair[1]);

    /* Its end: an error, not the signal that would end this program. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    (void)close(pair[1]);
    assert_vs_code(tpm_ask(pair[0], TPM_NO_SESSIONS, 0x17e, body, &answer, &rc, NULL), VS_E_IO);
    (void)close(pair[0]);

    /* What is no socket is written to: here a pipe, which never answers. */
    assert_int_equal(pipe(pair), 0);
    before = vs_wait_set((vs_wait){.until = vs_mono_ns() + 100000000});
    code = tpm_ask(pair[1], TPM_NO_SESSIONS, 0x17e, body, &answer, &rc, NULL);
    (void)vs_wait_set(before);
    assert_vs_code(code, VS_E_TIMEOUT);
    uint8_t got[14];
    assert_int_equal(read(pair[0], got, sizeof got), sizeof got);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_quote_verifies_with_its_nonce_and_whole_selection_only),
        cmocka_unit_test(the_attesters_evidence_verifies_and_binds_init_data_once),
        cmocka_unit_test(registers_are_extended_by_their_own_numbers),
        cmocka_unit_test(a_tpm_without_a_usable_key_is_never_the_sample),
        cmocka_unit_test(answers_cut_anywhere_are_refused),
        cmocka_unit_test(a_tpm_that_trickles_or_is_gone_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
