/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TPM driver against the quotes of a real TPM 2.0 implementation: swtpm, spoken to in TPM
 * commands over a socket pair. Skipped, saying so, where swtpm is not installed.
 */
#include "soft_tpm.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tee/cursor.h"
#include "tee/tee.h"

enum {
    NO_SESSIONS = 0x8001,
    SESSIONS = 0x8002,
    CREATE_PRIMARY = 0x131,
    PCR_EXTEND = 0x182,
    QUOTE = 0x158,
    PCR_READ = 0x17e,
    OWNER = 0x40000001,
    TRY_AGAIN = 0x922, /* TPM_RC_RETRY: nothing was done yet */
    MESSAGE_MAX = 4096,
};

typedef struct device {
    pid_t pid;
    int fd;
    char dir[40];
    vs_arena a;
    uint32_t key;
    vs_val ak; /* base64 of its SubjectPublicKeyInfo */
    uint8_t answer[MESSAGE_MAX];
} device;

/* ---- a TPM ------------------------------------------------------------------------------------
 */

static bool have_swtpm(void)
{
    if (access("/usr/bin/swtpm", X_OK) == 0)
        return true;
    print_message("skipped: swtpm is not installed\n");
    return false;
}

static void run_swtpm(const device *d, int fd)
{
    char state[64], number[16];
    (void)snprintf(state, sizeof state, "dir=%s", d->dir);
    (void)snprintf(number, sizeof number, "%d", fd);
    (void)execl("/usr/bin/swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--fd", number,
                "--flags", "not-need-init,startup-clear", (char *)NULL);
    _exit(127);
}

static void device_open(device *d)
{
    int pair[2];
    *d = (device){.dir = "/tmp/vouchsafe-tpm-XXXXXX"};
    vs_arena_init(&d->a, 0);
    assert_non_null(mkdtemp(d->dir));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    d->pid = fork();
    assert_true(d->pid >= 0);
    if (d->pid == 0) {
        (void)close(pair[0]);
        run_swtpm(d, pair[1]);
    }
    (void)close(pair[1]);
    d->fd = pair[0];
}

static void device_close(device *d)
{
    char command[64];
    (void)close(d->fd);
    (void)kill(d->pid, SIGTERM);
    (void)waitpid(d->pid, NULL, 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", d->dir);
    assert_int_equal(system(command), 0);
    vs_arena_free(&d->a);
}

/* Sends what is in `out` and reads the answer; its code. */
static uint32_t exchange(device *d, const vs_buf *out, vs_cursor *c)
{
    assert_vs_code(vs_write_fd(d->fd, vs_buf_span(out), NULL), VS_OK);
    size_t n = 0, want = 10;
    while (n < want) {
        ssize_t got = read(d->fd, d->answer + n, want - n);
        assert_true(got > 0);
        n += (size_t)got;
        if (n == 10) {
            *c = vs_cursor_of(vs_span_of(d->answer + 2, 4), NULL);
            want = be_u32(c);
            assert_true(want >= 10 && want <= sizeof d->answer);
        }
    }
    *c = vs_cursor_of(vs_span_of(d->answer, n), NULL);
    (void)be_u16(c);
    (void)be_u32(c);
    return be_u32(c);
}

/* A command; `c` is then over the answer's parameters. */
static void transact(device *d, unsigned tag, uint32_t code, const vs_buf *body, vs_cursor *c)
{
    uint32_t rc;
    vs_buf out = VS_BUF(MESSAGE_MAX);
    soft_be(&out, tag, 2);
    soft_be(&out, 10 + body->n, 4);
    soft_be(&out, code, 4);
    vs_buf_put(&out, vs_buf_span(body));
    do
        rc = exchange(d, &out, c);
    while (rc == TRY_AGAIN);
    vs_buf_free(&out);
    if (rc != 0)
        fail_msg("TPM command 0x%x: error 0x%x", code, rc);
}

/* A password session with an empty password. */
static void put_session(vs_buf *b)
{
    soft_be(b, 9, 4);
    soft_be(b, 0x40000009, 4);
    soft_be(b, 0, 5);
}

static vs_val jwk_of(device *d, vs_span modulus)
{
    vs_obj o = {.a = &d->a};
    vs_obj_put(&o, "kty", vs_cstring("RSA"));
    vs_obj_put(&o, "e", vs_cstring("AQAB"));
    vs_obj_put(&o, "n", vs_string(vs_b64_encode_arena(&d->a, VS_B64_URL, modulus)));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* A restricted signing key, RSASSA with SHA-256: an attestation key. */
static void make_key(device *d)
{
    vs_buf b = VS_BUF(MESSAGE_MAX);
    vs_cursor c;
    vs_error err = {0};
    vs_key *ak = NULL;
    soft_be(&b, OWNER, 4);
    put_session(&b);
    soft_be(&b, 4, 2); /* no authorisation value, no data */
    soft_be(&b, 0, 4);
    soft_be(&b, 24, 2); /* the template */
    soft_be(&b, 0x0001000b, 4);
    soft_be(&b, 0x00050072, 4); /* fixed, user with authorisation, restricted, sign */
    soft_be(&b, 0, 2);
    soft_be(&b, 0x0010, 2); /* no symmetric algorithm */
    soft_be(&b, 0x0014000b, 4);
    soft_be(&b, 2048, 2);
    soft_be(&b, 0, 4);
    soft_be(&b, 0, 2);
    soft_be(&b, 0, 2); /* no outside information */
    soft_be(&b, 0, 4); /* no registers */
    transact(d, SESSIONS, CREATE_PRIMARY, &b, &c);
    d->key = be_u32(&c);
    (void)vs_cursor_take(&c, 4 + 2 + 2 + 2 + 4 + 2 + 2 + 4 + 2 + 4);
    vs_span modulus = vs_cursor_take(&c, be_u16(&c));
    assert_int_equal(modulus.n, 256);
    assert_vs_ok(vs_key_from_jwk(jwk_of(d, modulus), false, true, &ak, NULL, &err), &err);
    d->ak = soft_tpm_ak(&d->a, ak);
    vs_key_free(&ak);
    vs_buf_free(&b);
}

static void extend(device *d, unsigned pcr, vs_span digest)
{
    vs_buf b = VS_BUF(MESSAGE_MAX);
    vs_cursor c;
    soft_be(&b, pcr, 4);
    put_session(&b);
    soft_be(&b, 1, 4);
    soft_be(&b, 0x000b, 2);
    vs_buf_put(&b, digest);
    transact(d, SESSIONS, PCR_EXTEND, &b, &c);
    vs_buf_free(&b);
}

static void put_selection(vs_buf *b, uint32_t pcrs)
{
    soft_be(b, 1, 4);
    soft_be(b, 0x000b, 2);
    soft_be(b, 3, 1);
    for (unsigned i = 0; i < 3; i++)
        soft_be(b, pcrs >> 8 * i & 0xff, 1);
}

static void read_pcrs(device *d, tpm_pcrs *out)
{
    for (unsigned from = 0; from < TPM_PCRS; from += 8) { /* an answer has eight at most */
        vs_buf b = VS_BUF(MESSAGE_MAX);
        vs_cursor c;
        put_selection(&b, 0xffu << from);
        transact(d, NO_SESSIONS, PCR_READ, &b, &c);
        (void)vs_cursor_take(&c, 4 + 4 + 2 + 1 + 3);
        assert_int_equal(be_u32(&c), 8);
        for (unsigned i = 0; i < 8; i++) {
            vs_span v = vs_cursor_take(&c, be_u16(&c));
            assert_int_equal(v.n, TPM_PCR_SIZE);
            memcpy(out->value[from + i], v.p, v.n);
        }
        vs_buf_free(&b);
    }
}

/* Evidence with a quote over these registers, by an attester that reports them all. */
static vs_val evidence(device *d, vs_span nonce, uint32_t pcrs)
{
    vs_buf b = VS_BUF(MESSAGE_MAX);
    vs_cursor c;
    tpm_pcrs values;
    soft_be(&b, d->key, 4);
    put_session(&b);
    soft_be(&b, nonce.n, 2);
    vs_buf_put(&b, nonce);
    soft_be(&b, 0x0010, 2); /* the key's own scheme */
    put_selection(&b, pcrs);
    transact(d, SESSIONS, QUOTE, &b, &c);
    size_t end = be_u32(&c) + c.at;
    vs_span message = vs_dup(&d->a, vs_cursor_take(&c, be_u16(&c)));
    vs_span signature = vs_dup(&d->a, vs_cursor_take(&c, end - c.at));
    vs_buf_free(&b);
    read_pcrs(d, &values);
    return soft_tpm_evidence_of(&d->a, message, signature, soft_hex_list(&d->a, &values), d->ak);
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
    make_key(&d);
    extend(&d, 8, digest);
    extend(&d, 11, VS_LIT("what this machine was booted wi."));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_quote_verifies_with_its_nonce_and_whole_selection_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
