/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wait.h"
#include "net/tls.h"

enum { REASON = 200 };

vs_code vs_client_socket_wait(const vs_client_socket *s, short events, int64_t until, vs_error *err)
{
    struct pollfd p = {.fd = s->fd, .events = events};
    for (;;) {
        if (vs_mono_ns() >= until || vs_wait_is_over())
            return vs_fail(err, VS_E_TIMEOUT, "%s: no answer in time", s->address);
        int n = poll(&p, 1, vs_wait_ms(vs_wait_step(until)));
        if (n > 0)
            return VS_OK;
        if (n < 0 && errno != EINTR)
            return vs_fail_errno(err, VS_E_IO, errno, "%s", s->address);
    }
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static vs_code tls_result(vs_client_socket *s, int ok, size_t *n, vs_error *err)
{
    char reason[REASON];
    if (ok > 0)
        return VS_OK;
    *n = 0;
    int e = SSL_get_error(s->ssl, ok), eno = errno;
    s->wants = e == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
        return VS_OK;
    s->ended = e == SSL_ERROR_ZERO_RETURN;
    if (!s->ended)
        SSL_set_quiet_shutdown(s->ssl, 1);
    if (s->ended || (e == SSL_ERROR_SYSCALL && eno == 0))
        return vs_fail(err, VS_E_IO, "%s closed the connection", s->address);
    if (e == SSL_ERROR_SYSCALL)
        return vs_fail_errno(err, VS_E_IO, eno, "%s", s->address);
    return vs_fail(err, VS_E_IO, "%s: TLS: %s", s->address, vs_tls_reason(reason, sizeof reason));
}

static vs_code plain_result(vs_client_socket *s, ssize_t moved, short direction, size_t *n,
                            vs_error *err)
{
    *n = moved > 0 ? (size_t)moved : 0;
    s->wants = direction;
    if (moved > 0 || (moved < 0 && (errno == EAGAIN || errno == EINTR)))
        return VS_OK;
    s->ended = moved == 0;
    if (s->ended)
        return vs_fail(err, VS_E_IO, "%s closed the connection", s->address);
    return vs_fail_errno(err, VS_E_IO, errno, "%s", s->address);
}

vs_code vs_client_socket_read(vs_client_socket *s, uint8_t *p, size_t cap, size_t *n, vs_error *err)
{
    if (!s->ssl)
        return plain_result(s, recv(s->fd, p, cap, 0), POLLIN, n, err);
    ERR_clear_error();
    errno = 0;
    return tls_result(s, SSL_read_ex(s->ssl, p, cap, n), n, err);
}

vs_code vs_client_socket_write(vs_client_socket *s, vs_span data, size_t *n, vs_error *err)
{
    if (!s->ssl)
        return plain_result(s, send(s->fd, data.p, data.n, MSG_NOSIGNAL), POLLOUT, n, err);
    ERR_clear_error();
    errno = 0;
    return tls_result(s, SSL_write_ex(s->ssl, data.p, data.n, n), n, err);
}

/* ---- connecting ------------------------------------------------------------------------------ */

void vs_client_socket_close(vs_client_socket *s)
{
    if (s->ssl) {
        (void)SSL_shutdown(s->ssl);
        SSL_free(s->ssl);
        s->ssl = NULL;
    }
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

static vs_code connect_to(const struct addrinfo *a, int64_t until, vs_client_socket *s,
                          vs_error *err)
{
    char host[64] = "?", port[16] = "?";
    int on = 1, why = 0;
    socklen_t n = sizeof why;
    (void)getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(s->address, sizeof s->address, a->ai_family == AF_INET6 ? "[%.60s]:%s" : "%s:%s",
                   host, port);
    s->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot connect to %s", s->address);
    if (connect(s->fd, a->ai_addr, a->ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot connect to %s", s->address);
        VS_TRY_WRAP(vs_client_socket_wait(s, POLLOUT, until, err), err, "cannot connect");
        if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &why, &n) != 0 || why)
            return vs_fail_errno(err, VS_E_IO, why, "cannot connect to %s", s->address);
    }
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return VS_OK;
}

static vs_code connect_any(const vs_peer *t, int64_t until, vs_client_socket *s, vs_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(t->host, t->port, &hints, &found);
    if (failed)
        return vs_fail(err, VS_E_IO, "cannot resolve \"%s\": %s", t->host, gai_strerror(failed));
    vs_code code = VS_E_IO;
    for (const struct addrinfo *a = found; a; a = a->ai_next) {
        code = connect_to(a, until, s, err);
        if (code == VS_OK || code == VS_E_TIMEOUT)
            break;
        vs_client_socket_close(s);
    }
    freeaddrinfo(found);
    return code;
}

/* The certificate must name the host of the URL, which may be an address. */
static bool expect_name(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host))
        return true;
    ERR_clear_error();
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, host);
}

/* An anonymous suite, or one that a file of OpenSSL's settings brought in, has nothing that could
 * be verified: the library is content with that. */
static vs_code expect_certificate(const vs_client_socket *s, vs_error *err)
{
    if (!(SSL_get_verify_mode(s->ssl) & SSL_VERIFY_PEER))
        return VS_OK;
    long verdict = SSL_get_verify_result(s->ssl);
    if (SSL_get0_peer_certificate(s->ssl) && verdict == X509_V_OK)
        return VS_OK;
    SSL_set_quiet_shutdown(s->ssl, 1);
    return vs_fail(err, VS_E_UNTRUSTED, "TLS with %s: the server's certificate: %s", s->address,
                   verdict == X509_V_OK ? "it shows none" : X509_verify_cert_error_string(verdict));
}

static vs_code tls_failed(vs_client_socket *s, int e, int eno, vs_error *err)
{
    char reason[REASON];
    long verdict = SSL_get_verify_result(s->ssl);
    SSL_set_quiet_shutdown(s->ssl, 1);
    /* A clock that is wrong looks like a bad certificate: say what this machine believes. */
    if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID) {
        char now[VS_TIME_TEXT];
        return vs_fail(
            err, VS_E_UNTRUSTED,
            "TLS with %s: the server's certificate: %s; the clock of this machine says %s",
            s->address, X509_verify_cert_error_string(verdict), vs_time_rfc3339(vs_now_s(), now));
    }
    if (verdict != X509_V_OK)
        return vs_fail(err, VS_E_UNTRUSTED, "TLS with %s: the server's certificate: %s", s->address,
                       X509_verify_cert_error_string(verdict));
    if (e == SSL_ERROR_SYSCALL && eno)
        return vs_fail_errno(err, VS_E_IO, eno, "TLS with %s", s->address);
    if (e == SSL_ERROR_SYSCALL || e == SSL_ERROR_ZERO_RETURN)
        return vs_fail(err, VS_E_IO, "TLS with %s: the connection was closed", s->address);
    return vs_fail(err, VS_E_IO, "TLS with %s: %s", s->address,
                   vs_tls_reason(reason, sizeof reason));
}

vs_code vs_client_socket_start_tls(const vs_peer *t, int64_t until, vs_client_socket *s,
                                   vs_error *err)
{
    s->ssl = SSL_new(t->tls);
    if (!s->ssl || !SSL_set_fd(s->ssl, s->fd) || !expect_name(s->ssl, t->host))
        return vs_fail(err, VS_E_NOMEM, "cannot start TLS with %s", s->address);
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int ok = SSL_connect(s->ssl);
        if (ok == 1)
            break;
        int e = SSL_get_error(s->ssl, ok), eno = errno;
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return tls_failed(s, e, eno, err);
        VS_TRY_WRAP(
            vs_client_socket_wait(s, e == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN, until, err), err,
            "TLS handshake");
    }
    VS_TRY(expect_certificate(s, err));
    if (t->http2 && !vs_tls_is_http2(s->ssl))
        return vs_fail(err, VS_E_UNSUPPORTED, "%s does not speak HTTP/2 (ALPN)", s->address);
    return VS_OK;
}

vs_code vs_client_socket_open_unix(const char *path, vs_client_socket *s, vs_error *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    *s = (vs_client_socket){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    (void)snprintf(s->address, sizeof s->address, "%.70s", path);
    if (strlen(path) >= sizeof to.sun_path)
        return vs_fail(err, VS_E_INVALID, "%.200s is too long for a Unix socket", path);
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    if (s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return VS_OK;
    int why = errno;
    vs_client_socket_close(s);
    return vs_fail_errno(err, VS_E_IO, why, "cannot connect to %s", path);
}

bool vs_client_tls_ciphers(SSL_CTX *ctx)
{
    return SSL_CTX_set_cipher_list(ctx, "DEFAULT:!aNULL:!eNULL") == 1;
}

vs_code vs_client_tls_defaults(SSL_CTX *ctx, vs_error *err)
{
    enum { BITS_112 = 2 };
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_CLEANSE_PLAINTEXT);
    if (SSL_CTX_get_security_level(ctx) < BITS_112)
        SSL_CTX_set_security_level(ctx, BITS_112);
    if (!vs_client_tls_ciphers(ctx) || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
        return vs_fail(err, VS_E_UNSUPPORTED, "this OpenSSL cannot do TLS 1.2 with certificates");
    return VS_OK;
}

vs_code vs_client_socket_open(const vs_peer *t, int64_t until, vs_client_socket *s, vs_error *err)
{
    *s = (vs_client_socket){.fd = -1};
    vs_code code = connect_any(t, until, s, err);
    if (code == VS_OK && t->tls)
        code = vs_client_socket_start_tls(t, until, s, err);
    if (code != VS_OK)
        vs_client_socket_close(s);
    return code;
}
