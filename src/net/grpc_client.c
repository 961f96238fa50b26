/* SPDX-License-Identifier: Apache-2.0 */
/* The client: where to, and the pool of connections that its callers share. */
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/client_socket.h"
#include "net/grpc_conn.h"
#include "net/tls.h"
#include "net/url.h"

#define UNIX "unix:"

enum { CONNECTIONS_MAX = 1024, ATTEMPTS = 3, REASON = 200 };

struct vs_grpc_client {
    vs_grpc_target target;
    unsigned most, connect_ms, call_ms, ping_ms;
    pthread_mutex_t lock;
    pthread_cond_t room;
    unsigned count;  /* connections that are open or being opened */
    unsigned n_idle; /* of `idle`, the one used last on top */
    vs_grpc_conn **idle;
};

/* ---- configuration --------------------------------------------------------------------------- */

static char *copy(vs_span s)
{
    char *p = malloc(s.n + 1);
    if (p) {
        memcpy(p, s.n ? s.p : (const uint8_t *)"", s.n);
        p[s.n] = 0;
    }
    return p;
}

/* What gRPC calls such a peer on the wire is "localhost"; errors name the path. */
static vs_code read_path(const char *url, vs_grpc_target *t, vs_error *err)
{
    vs_span path = vs_span_from(vs_str(url), strlen(UNIX));
    if (path.n == 0 || path.p[0] != '/')
        return vs_fail(err, VS_E_INVALID, "\"%.200s\" is not " UNIX "/PATH", url);
    t->unix_socket = copy(path);
    t->authority = copy(VS_LIT("localhost"));
    t->host = copy(VS_LIT("localhost"));
    t->port = copy(VS_LIT("0"));
    return t->unix_socket ? VS_OK : vs_fail(err, VS_E_NOMEM, "cannot make a gRPC client");
}

static const char *where(const vs_grpc_client *c)
{
    return c->target.unix_socket ? c->target.unix_socket : c->target.authority;
}

static vs_code read_url(const char *url, vs_grpc_target *t, bool *tls, vs_error *err)
{
    vs_span rest = vs_str(url), host, port;
    *tls = vs_span_starts(rest, VS_LIT("https://"));
    if (vs_span_starts(rest, VS_LIT(UNIX)))
        return read_path(url, t, err);
    if (!*tls && !vs_span_starts(rest, VS_LIT("http://")))
        return vs_fail(err, VS_E_INVALID,
                       "\"%s\" starts with neither http:// nor https:// nor " UNIX, url ? url : "");
    rest = vs_span_from(rest, *tls ? 8 : 7);
    if (vs_span_ends(rest, VS_LIT("/")))
        rest.n--;
    if (!vs_url_authority(rest, &host, &port))
        return vs_fail(err, VS_E_INVALID, "\"%s\" is not http(s)://HOST[:PORT]", url);
    t->authority = copy(rest);
    t->host = copy(host);
    t->port = copy(port.n ? port : *tls ? VS_LIT("443") : VS_LIT("80"));
    return VS_OK;
}

static vs_code tls_fail(vs_error *err, const char *what, const char *file)
{
    char reason[REASON];
    return vs_fail(err, VS_E_INVALID, "%s \"%s\": %s", what, file,
                   vs_tls_reason(reason, sizeof reason));
}

static vs_code configure_tls(const vs_grpc_client_config *cfg, SSL_CTX *ctx, vs_error *err)
{
    static const unsigned char http2[] = "\x02h2";
    VS_TRY(vs_client_tls_defaults(ctx, err));
    if (SSL_CTX_set_alpn_protos(ctx, http2, sizeof http2 - 1) != 0)
        return vs_fail(err, VS_E_NOMEM, "cannot make a TLS context");
    if (cfg->ca_file ? SSL_CTX_load_verify_file(ctx, cfg->ca_file) != 1
                     : SSL_CTX_set_default_verify_paths(ctx) != 1)
        return tls_fail(err, "CA file", cfg->ca_file ? cfg->ca_file : "(system)");
    if (!cfg->certificate)
        return VS_OK;
    if (!cfg->private_key)
        return vs_fail(err, VS_E_INVALID, "a client certificate is given without a private key");
    if (SSL_CTX_use_certificate_chain_file(ctx, cfg->certificate) != 1)
        return tls_fail(err, "certificate", cfg->certificate);
    if (SSL_CTX_use_PrivateKey_file(ctx, cfg->private_key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return tls_fail(err, "private key", cfg->private_key);
    return VS_OK;
}

static vs_code configure(const vs_grpc_client_config *cfg, vs_grpc_client *c, vs_error *err)
{
    vs_grpc_target *t = &c->target;
    bool tls;
    t->message_bytes = cfg->message_bytes ? cfg->message_bytes : VS_GRPC_MESSAGE_DEFAULT;
    if (t->message_bytes > VS_GRPC_MESSAGE_MAX)
        return vs_fail(err, VS_E_INVALID, "gRPC messages of %zu bytes, at most %d",
                       t->message_bytes, VS_GRPC_MESSAGE_MAX);
    VS_TRY(read_url(cfg->url, t, &tls, err));
    t->user_agent = copy(vs_str(cfg->user_agent ? cfg->user_agent : "vouchsafe/" VS_VERSION));
    c->most = cfg->connections ? cfg->connections : 8;
    if (c->most > CONNECTIONS_MAX)
        return vs_fail(err, VS_E_INVALID, "%u connections, at most %d", c->most, CONNECTIONS_MAX);
    c->idle = calloc(c->most, sizeof *c->idle);
    c->connect_ms = cfg->connect_ms ? cfg->connect_ms : 10000;
    c->call_ms = cfg->call_ms ? cfg->call_ms : 60000;
    c->ping_ms = cfg->ping_ms ? cfg->ping_ms : 10000;
    if (!t->authority || !t->host || !t->port || !t->user_agent || !c->idle)
        return vs_fail(err, VS_E_NOMEM, "cannot make a gRPC client");
    if (!tls)
        return cfg->ca_file || cfg->certificate
                   ? vs_fail(err, VS_E_INVALID, "\"%s\" has no TLS, but certificates are given",
                             cfg->url)
                   : VS_OK;
    t->tls = SSL_CTX_new(TLS_client_method());
    return t->tls ? configure_tls(cfg, t->tls, err)
                  : vs_fail(err, VS_E_NOMEM, "cannot make a TLS context");
}

vs_code vs_grpc_client_new(const vs_grpc_client_config *cfg, vs_grpc_client **out, vs_error *err)
{
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    vs_grpc_client *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "cannot make a gRPC client");
    (void)pthread_mutex_init(&c->lock, NULL);
    vs_cond_init(&c->room);
    vs_code code = configure(cfg, c, err);
    if (code != VS_OK)
        vs_grpc_client_free(&c);
    *out = c;
    return code;
}

void vs_grpc_client_free(vs_grpc_client **client)
{
    vs_grpc_client *c = *client;
    if (!c)
        return;
    *client = NULL;
    while (c->n_idle)
        vs_grpc_conn_free(&c->idle[--c->n_idle]);
    (void)pthread_cond_destroy(&c->room);
    (void)pthread_mutex_destroy(&c->lock);
    SSL_CTX_free(c->target.tls);
    free(c->target.host);
    free(c->target.unix_socket);
    free(c->target.port);
    free(c->target.authority);
    free(c->target.user_agent);
    free(c->idle);
    free(c);
}

/* ---- the pool -------------------------------------------------------------------------------- */

/* A place in the pool: *out is an idle connection, or NULL when one is to be opened. */
static vs_code take(vs_grpc_client *c, int64_t until, vs_grpc_conn **out, vs_error *err)
{
    bool late = false;
    (void)pthread_mutex_lock(&c->lock);
    while (!late && !c->n_idle && c->count >= c->most)
        late = !vs_cond_wait(&c->room, &c->lock, until);
    bool got = c->n_idle || c->count < c->most;
    *out = NULL;
    if (c->n_idle)
        *out = c->idle[--c->n_idle];
    else if (got)
        c->count++;
    (void)pthread_mutex_unlock(&c->lock);
    return got ? VS_OK
               : vs_fail(err, VS_E_TIMEOUT, "all %u connections to %s are busy", c->most, where(c));
}

/* Gives the place back, with the connection if that is still good. */
static void give(vs_grpc_client *c, vs_grpc_conn *conn)
{
    if (conn && !vs_grpc_conn_reusable(conn))
        vs_grpc_conn_free(&conn);
    (void)pthread_mutex_lock(&c->lock);
    if (conn)
        c->idle[c->n_idle++] = conn;
    else
        c->count--;
    (void)pthread_cond_signal(&c->room);
    (void)pthread_mutex_unlock(&c->lock);
}

static vs_code connected(vs_grpc_client *c, int64_t until, vs_grpc_conn **conn, vs_error *err)
{
    if (*conn && vs_grpc_conn_alive(*conn, c->ping_ms, until))
        return VS_OK;
    vs_grpc_conn_free(conn);
    int64_t soon = vs_mono_ns() + (int64_t)c->connect_ms * 1000000;
    return vs_grpc_conn_open(&c->target, soon < until ? soon : until, conn, err);
}

static vs_code attempt(vs_grpc_client *c, const char *path, vs_span request, vs_buf *reply,
                       int64_t until, vs_grpc_result *r, vs_error *err)
{
    vs_grpc_conn *conn = NULL;
    *r = (vs_grpc_result){.status = VS_GRPC_DEADLINE_EXCEEDED};
    VS_TRY(take(c, until, &conn, err));
    vs_code code = connected(c, until, &conn, err);
    if (code == VS_OK)
        code = vs_grpc_conn_call(conn, path, request, reply, until, r, err);
    else
        r->status = code == VS_E_TIMEOUT && vs_mono_ns() >= until ? VS_GRPC_DEADLINE_EXCEEDED
                                                                  : VS_GRPC_UNAVAILABLE;
    give(c, conn);
    return code;
}

vs_code vs_grpc_client_call(vs_grpc_client *c, const char *path, vs_span request, vs_buf *reply,
                            vs_grpc_status *status, vs_error *err)
{
    vs_grpc_result r = {.status = VS_GRPC_RESOURCE_EXHAUSTED};
    vs_code code;
    if (request.n > VS_GRPC_MESSAGE_MAX) {
        code = vs_fail(err, VS_E_LIMIT, "a message of %zu bytes, at most %d", request.n,
                       VS_GRPC_MESSAGE_MAX);
    } else {
        int64_t until = vs_mono_ns() + (int64_t)c->call_ms * 1000000;
        int n = 0;
        do
            code = attempt(c, path, request, reply, until, &r, err);
        while (code != VS_OK && r.unprocessed && ++n < ATTEMPTS && vs_mono_ns() < until);
    }
    if (status)
        *status = r.status;
    if (code != VS_OK)
        (void)vs_wrap(err, "gRPC %s at %s", path, where(c));
    return code;
}
