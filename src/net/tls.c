/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

const char *vs_tls_reason(char *out, size_t cap)
{
    unsigned long e = ERR_get_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    (void)snprintf(out, cap, "%s", reason ? reason : "no reason given");
    ERR_clear_error();
    return out;
}

static vs_code fail(vs_error *err, const char *what, const char *text)
{
    char reason[200];
    return vs_fail(err, VS_E_INVALID, "%s \"%s\": %s", what, text,
                   vs_tls_reason(reason, sizeof reason));
}

static vs_code version_of(const char *text, int none, int *out, vs_error *err)
{
    *out = none;
    if (!text)
        return VS_OK;
    if (strcmp(text, "1.2") == 0)
        *out = TLS1_2_VERSION;
    else if (strcmp(text, "1.3") == 0)
        *out = TLS1_3_VERSION;
    else
        return vs_fail(err, VS_E_INVALID, "TLS version \"%s\" is neither \"1.2\" nor \"1.3\"",
                       text);
    return VS_OK;
}

static vs_code set_versions(const vs_http_config *cfg, SSL_CTX *ctx, int *min, int *max,
                            vs_error *err)
{
    VS_TRY(version_of(cfg->tls_min_version, TLS1_2_VERSION, min, err));
    VS_TRY(version_of(cfg->tls_max_version, TLS1_3_VERSION, max, err));
    if (*min > *max)
        return vs_fail(err, VS_E_INVALID, "tls_min_version is above tls_max_version");
    if (!SSL_CTX_set_min_proto_version(ctx, *min) || !SSL_CTX_set_max_proto_version(ctx, *max))
        return vs_fail(err, VS_E_UNSUPPORTED, "this OpenSSL cannot do the TLS versions asked for");
    return VS_OK;
}

/* One list holds TLS 1.2 and TLS 1.3 names (kbs.md 8.2); OpenSSL wants them apart: the latter all
 * start with "TLS_". */
static vs_code set_ciphers(const char *list, SSL_CTX *ctx, int min, int max, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf old = VS_BUF(4096);
    VS_CLEANUP(vs_buf_free) vs_buf new = VS_BUF(4096);
    vs_span rest = vs_str(list);
    while (rest.n) {
        vs_span name = vs_span_trim(vs_span_cut(rest, ':', &rest, NULL));
        vs_buf *to = vs_span_starts(name, VS_LIT("TLS_")) ? &new : &old;
        if (to->n)
            vs_buf_putc(to, ':');
        vs_buf_put(to, name);
    }
    VS_TRY(vs_buf_check(&old, err));
    VS_TRY(vs_buf_check(&new, err));
    if (old.n && min <= TLS1_2_VERSION && !SSL_CTX_set_cipher_list(ctx, (const char *)old.p))
        return fail(err, "tls_ciphers", list);
    if (new.n && max >= TLS1_3_VERSION && !SSL_CTX_set_ciphersuites(ctx, (const char *)new.p))
        return fail(err, "tls_ciphers", list);
    return VS_OK;
}

/* The first hybrid group this OpenSSL knows, before the classical three (kbs.md 8.2). */
static void set_default_groups(SSL_CTX *ctx)
{
    static const char *const lists[] = {"X25519MLKEM768:X25519:P-256:P-384",
                                        "SecP256r1MLKEM768:X25519:P-256:P-384",
                                        "X25519:P-256:P-384"};
    for (size_t i = 0; i < VS_COUNT(lists); i++)
        if (SSL_CTX_set1_groups_list(ctx, lists[i]))
            break;
    ERR_clear_error();
}

static vs_code load_identity(const vs_http_config *cfg, SSL_CTX *ctx, vs_error *err)
{
    if (!cfg->private_key)
        return vs_fail(err, VS_E_INVALID, "a certificate is given without a private_key");
    if (SSL_CTX_use_certificate_chain_file(ctx, cfg->certificate) != 1)
        return fail(err, "certificate", cfg->certificate);
    if (SSL_CTX_use_PrivateKey_file(ctx, cfg->private_key, SSL_FILETYPE_PEM) != 1)
        return fail(err, "private_key", cfg->private_key);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return fail(err, "private_key does not fit the certificate", cfg->private_key);
    return VS_OK;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *in, unsigned in_n, void *user)
{
    (void)ssl;
    (void)user;
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, in, in_n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Client certificates: asked for, and verified in the handshake. */
static vs_code load_client_ca(const vs_http_config *cfg, SSL_CTX *ctx, vs_error *err)
{
    if (!cfg->client_ca)
        return cfg->client_cert_required
                   ? vs_fail(err, VS_E_INVALID, "client certificates are required without a CA")
                   : VS_OK;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(cfg->client_ca);
    if (!names || SSL_CTX_load_verify_file(ctx, cfg->client_ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail(err, "client CA", cfg->client_ca);
    }
    SSL_CTX_set_client_CA_list(ctx, names); /* transferred */
    SSL_CTX_set_verify(
        ctx, SSL_VERIFY_PEER | (cfg->client_cert_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        NULL);
    return VS_OK;
}

static vs_code configure(const vs_http_config *cfg, SSL_CTX *ctx, vs_error *err)
{
    int min, max;
    VS_TRY(set_versions(cfg, ctx, &min, &max, err));
    if (cfg->tls_ciphers)
        VS_TRY(set_ciphers(cfg->tls_ciphers, ctx, min, max, err));
    if (!cfg->tls_groups)
        set_default_groups(ctx);
    else if (!SSL_CTX_set1_groups_list(ctx, cfg->tls_groups))
        return fail(err, "tls_groups", cfg->tls_groups);
    /* Resumption by tickets only: the server keeps no state for a peer that has proven nothing. */
    static const unsigned char context_id[] = "vouchsafe";
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(ctx, context_id, sizeof context_id - 1);
    (void)SSL_CTX_set_num_tickets(ctx, 1);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                       SSL_OP_CLEANSE_PLAINTEXT);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    VS_TRY(load_client_ca(cfg, ctx, err));
    return load_identity(cfg, ctx, err);
}

static vs_code new_context(const vs_http_config *cfg, SSL_CTX **out, vs_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        return vs_fail(err, VS_E_NOMEM, "cannot make a TLS context");
    vs_code code = configure(cfg, ctx, err);
    if (code != VS_OK)
        SSL_CTX_free(ctx);
    else
        *out = ctx;
    return code;
}

/* ---- the context in use ---------------------------------------------------------------------- */

struct vs_tls_box {
    pthread_mutex_t lock;
    SSL_CTX *ctx;
};

vs_code vs_tls_box_new(const vs_http_config *cfg, vs_tls_box **out, vs_error *err)
{
    vs_tls_box *box = calloc(1, sizeof *box);
    if (!box)
        return vs_fail(err, VS_E_NOMEM, "cannot make a TLS context");
    (void)pthread_mutex_init(&box->lock, NULL);
    vs_code code = new_context(cfg, &box->ctx, err);
    if (code != VS_OK)
        vs_tls_box_free(&box);
    *out = box;
    return code;
}

void vs_tls_box_free(vs_tls_box **box)
{
    if (!*box)
        return;
    SSL_CTX_free((*box)->ctx);
    (void)pthread_mutex_destroy(&(*box)->lock);
    free(*box);
    *box = NULL;
}

vs_code vs_tls_box_reload(vs_tls_box *box, const vs_http_config *cfg, vs_error *err)
{
    SSL_CTX *fresh = NULL;
    VS_TRY(new_context(cfg, &fresh, err));
    (void)pthread_mutex_lock(&box->lock);
    SSL_CTX *old = box->ctx;
    box->ctx = fresh;
    (void)pthread_mutex_unlock(&box->lock);
    SSL_CTX_free(old); /* connections hold their own reference */
    return VS_OK;
}

SSL *vs_tls_box_new_ssl(vs_tls_box *box)
{
    (void)pthread_mutex_lock(&box->lock);
    SSL *ssl = SSL_new(box->ctx);
    (void)pthread_mutex_unlock(&box->lock);
    return ssl;
}

bool vs_tls_is_http2(const SSL *ssl)
{
    const unsigned char *name = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(ssl, &name, &n);
    return vs_span_is(vs_span_of(name, n), "h2");
}
