/* SPDX-License-Identifier: Apache-2.0 */
/* The pkcs11 plugin's wrap-key with OAEP and SHA-256, its default, against OpenSSL: by way of a
 * module of the test's own (pkcs11_double.c), since SoftHSM has SHA-1 only. */
#include "request.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

#include "base/io.h"

typedef struct fixture {
    char path[64];
    EVP_PKEY *key;
    kbs_pkcs11_config cfg;
    kbs_plugin plugin;
    vs_arena a;
    vs_buf out;
    vs_error err;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->path, sizeof f->path, "%s", P_tmpdir "/vs-oaep-XXXXXX");
    int fd = mkstemp(f->path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    f->key = EVP_RSA_gen(2048);
    assert_true(file && f->key);
    assert_int_equal(PEM_write_PrivateKey(file, f->key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(file);
    (void)setenv("VS_DOUBLE_KEY", f->path, 1);
    vs_arena_init(&f->a, 0);
    f->out = (vs_buf)VS_BUF(1 << 16);
    f->cfg = (kbs_pkcs11_config){.module = VS_DOUBLE, .pin = "1234", .lookup_label = "key"};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    if (f->plugin.ops)
        f->plugin.ops->free(f->plugin.self);
    EVP_PKEY_free(f->key);
    vs_arena_free(&f->a);
    vs_buf_free(&f->out);
    (void)unlink(f->path);
    (void)unsetenv("VS_DOUBLE_KEY");
    free(f);
    return 0;
}

static vs_code tell(fixture *f, kbs_method method, vs_span body)
{
    return handle_on(&f->a, &f->plugin, (request){method, "wrap-key", body, {{0}}}, &f->out,
                     &f->err);
}

/* RFC 8017 7.1 with `hash` for both, by OpenSSL. False: it does not decrypt. */
static bool crypt_here(const fixture *f, bool encrypts, const EVP_MD *hash, vs_span in,
                       uint8_t out[512], size_t *n)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(f->key, NULL);
    *n = 512;
    assert_true((encrypts ? EVP_PKEY_encrypt_init : EVP_PKEY_decrypt_init)(c) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_oaep_md(c, hash) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(c, hash) > 0);
    bool good = (encrypts ? EVP_PKEY_encrypt : EVP_PKEY_decrypt)(c, out, n, in.p, in.n) > 0;
    EVP_PKEY_CTX_free(c);
    return good;
}

static void wrapping_is_oaep_with_sha_256(void **state)
{
    fixture *f = *state;
    uint8_t secret[190], out[512]; /* 190: the most that fits a key of 2048 bits */
    size_t n;
    assert_vs_ok(pkcs11_plugin(&f->cfg, &f->plugin, &f->err), &f->err);
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(i * 7);
    for (size_t size = 1; size <= sizeof secret; size += 63) {
        const vs_span in = vs_span_of(secret, size);
        assert_vs_ok(tell(f, KBS_POST, in), &f->err);
        assert_true(crypt_here(f, false, EVP_sha256(), vs_buf_span(&f->out), out, &n));
        assert_span_eq(vs_span_of(out, n), in);
        assert_false(crypt_here(f, false, EVP_sha1(), vs_buf_span(&f->out), out, &n));
        assert_true(crypt_here(f, true, EVP_sha256(), in, out, &n));
        assert_vs_ok(tell(f, KBS_GET, vs_span_of(out, n)), &f->err);
        assert_span_eq(vs_buf_span(&f->out), in);
        assert_true(crypt_here(f, true, EVP_sha1(), in, out, &n));
        assert_vs_code(tell(f, KBS_GET, vs_span_of(out, n)), VS_E_CRYPTO);
        assert_int_equal(f->out.n, 0);
    }
    uint8_t more[191] = {0};
    assert_vs_code(tell(f, KBS_POST, vs_span_of(more, sizeof more)), VS_E_LIMIT);
}

/* What the log of a start says. */
static const char *start_said(fixture *f, vs_buf *log)
{
    char path[] = P_tmpdir "/vs-oaep-log-XXXXXX";
    int to = mkstemp(path), before = dup(STDERR_FILENO);
    assert_true(to >= 0 && before >= 0 && dup2(to, STDERR_FILENO) >= 0);
    vs_code code = pkcs11_plugin(&f->cfg, &f->plugin, &f->err);
    (void)dup2(before, STDERR_FILENO);
    (void)close(before);
    (void)close(to);
    assert_vs_ok(code, &f->err);
    vs_buf_clear(log);
    assert_vs_ok(vs_read_file(path, log, &f->err), &f->err);
    vs_buf_putc(log, 0);
    (void)unlink(path);
    return (const char *)log->p;
}

/* And the start goes on, for the sake of secrets that are objects. */
static void the_start_says_what_the_token_refuses(void **state)
{
    fixture *f = *state;
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(1 << 16);
    const char *said = start_said(f, &log);
    assert_non_null(strstr(said, "the key wraps and unwraps"));
    assert_non_null(strstr(said, "CKM_RSA_PKCS_OAEP with CKM_SHA256 and CKG_MGF1_SHA256"));
    f->plugin.ops->free(f->plugin.self);
    f->cfg.sha1 = true; /* which this token has not */
    said = start_said(f, &log);
    assert_non_null(strstr(said, "wrap-key will not work (see rsa_mechanism"));
    assert_non_null(strstr(said, "CKM_RSA_PKCS_OAEP with CKM_SHA_1 and CKG_MGF1_SHA1"));
    assert_non_null(strstr(said, "the HSM says CKR_MECHANISM_PARAM_INVALID"));
    assert_vs_code(tell(f, KBS_POST, VS_LIT("x")), VS_E_UNSUPPORTED);
    assert_says(&f->err, "CKM_RSA_PKCS_OAEP with CKM_SHA_1 and CKG_MGF1_SHA1");
    f->plugin.ops->free(f->plugin.self);
    f->cfg.lookup_label = "other";
    said = start_said(f, &log);
    assert_non_null(strstr(said, "no public key in the HSM has the label"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wrapping_is_oaep_with_sha_256, setup, teardown),
        cmocka_unit_test_setup_teardown(the_start_says_what_the_token_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
