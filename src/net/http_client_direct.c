/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client of static programs, which libcurl cannot be linked into: HTTP/1.1 on one
 * connection that is kept, with cookies, deadlines, size caps and proxies. http_client.h says what
 * it promises; http_client.c is the other one.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/trace.h"
#include "net/client_socket.h"
#include "net/http_client.h"
#include "net/http_parse.h"
#include "net/http_response.h"
#include "net/tls.h"
#include "net/url.h"

enum {
    HEAD_MAX = 64 * 1024,
    REQUEST_MAX = 64 * 1024 * 1024,
    READ_ROOM = 16 * 1024,
    COOKIES = 8,
    COOKIE_MAX = 4096,
    ROOTS_MAX = 4 * 1024 * 1024,
    NAME_MAX_BYTES = 256,
};

typedef struct cookie {
    char name[NAME_MAX_BYTES];
    char value[COOKIE_MAX];
} cookie;

typedef struct target { /* of a URL */
    bool tls;
    char host[NAME_MAX_BYTES], port[8], authority[NAME_MAX_BYTES + 16];
    const char *path; /* with its query; points into the URL */
} target;

struct vs_http_client {
    SSL_CTX *tls;
    char *user_agent, *unix_socket, *proxy; /* the latter two: NULL = none given */
    unsigned connect_ms, total_ms;
    size_t body_max;
    bool open;
    vs_client_socket socket;
    target at;      /* whom the connection leads to */
    vs_buf in;      /* what has arrived; the head first */
    vs_buf headers; /* of the last answer */
    cookie cookies[COOKIES];
    size_t n_cookies;
    target cookies_of; /* whom they are for */
};

/* ---- signals --------------------------------------------------------------------------------- */

/* OpenSSL writes without MSG_NOSIGNAL. What SIGPIPE does is the program's business, so it is held
 * back in this thread, and one that was raised here is taken away. */
typedef struct quiet {
    sigset_t before;
    bool pending; /* raised by somebody else */
} quiet;

static bool pipe_pending(void)
{
    sigset_t now;
    return sigpending(&now) == 0 && sigismember(&now, SIGPIPE) == 1;
}

static quiet begin_quiet(void)
{
    quiet q = {.pending = pipe_pending()};
    sigset_t one;
    (void)sigemptyset(&one);
    (void)sigaddset(&one, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &one, &q.before);
    return q;
}

static void end_quiet(quiet *q)
{
    sigset_t one;
    (void)sigemptyset(&one);
    (void)sigaddset(&one, SIGPIPE);
    if (!q->pending && pipe_pending())
        (void)sigtimedwait(&one, NULL, &(struct timespec){0});
    (void)pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

/* ---- making one ------------------------------------------------------------------------------ */

static vs_code add_roots(SSL_CTX *ctx, vs_span pem, const char *what, vs_error *err)
{
    BIO *bio = pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    size_t n = 0;
    for (X509 *cert; bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; n++) {
        (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert);
        X509_free(cert);
    }
    BIO_free(bio);
    ERR_clear_error();
    return n ? VS_OK : vs_fail(err, VS_E_INVALID, "%s holds no PEM certificate", what);
}

static vs_code add_root_file(SSL_CTX *ctx, const char *path, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(ROOTS_MAX);
    VS_TRY(vs_read_file(path, &pem, err));
    return add_roots(ctx, vs_buf_span(&pem), path, err);
}

static vs_code configure_tls(const vs_http_client_config *cfg, SSL_CTX *ctx, vs_error *err)
{
    char reason[200];
    VS_TRY(vs_client_tls_defaults(ctx, err));
    (void)SSL_CTX_set_default_verify_paths(ctx); /* a guest need not have any */
    if (cfg->insecure_no_verify)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    if (cfg->ca_file)
        VS_TRY(add_root_file(ctx, cfg->ca_file, err));
    for (size_t i = 0; i < cfg->n_ca_files; i++)
        VS_TRY(add_root_file(ctx, cfg->ca_files[i], err));
    if (cfg->ca_pem.n)
        VS_TRY(add_roots(ctx, cfg->ca_pem, "the certificate given as text", err));
    if (!cfg->cert)
        return VS_OK;
    const char *key = cfg->key ? cfg->key : cfg->cert;
    if (SSL_CTX_use_certificate_chain_file(ctx, cfg->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1)
        return vs_fail(err, VS_E_INVALID, "client certificate %s: %s", cfg->cert,
                       vs_tls_reason(reason, sizeof reason));
    return VS_OK;
}

static bool copy(const char *text, char **out)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

static vs_code configure(const vs_http_client_config *cfg, vs_http_client *c, vs_error *err)
{
    c->connect_ms = cfg->connect_ms ? cfg->connect_ms : 10000;
    c->total_ms = cfg->total_ms ? cfg->total_ms : 60000;
    c->body_max = cfg->response_bytes ? cfg->response_bytes : 16 * 1024 * 1024;
    bool copied =
        copy(cfg->user_agent ? cfg->user_agent : "vouchsafe/" VS_VERSION, &c->user_agent) &&
        copy(cfg->unix_socket, &c->unix_socket) && copy(cfg->proxy, &c->proxy);
    bool shared = cfg->tls_of && SSL_CTX_up_ref(cfg->tls_of->tls);
    c->tls = shared ? cfg->tls_of->tls : SSL_CTX_new(TLS_client_method());
    if (!copied || !c->tls)
        return vs_fail(err, VS_E_NOMEM, "cannot make an HTTP client");
    return shared ? VS_OK : configure_tls(cfg, c->tls, err);
}

vs_code vs_http_client_new(const vs_http_client_config *cfg, vs_http_client **out, vs_error *err)
{
    *out = NULL;
    vs_http_client *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "cannot make an HTTP client");
    c->socket.fd = -1;
    c->in = (vs_buf)VS_BUF(0);
    c->headers = (vs_buf)VS_BUF(HEAD_MAX);
    vs_code code = configure(cfg, c, err);
    if (code != VS_OK)
        vs_http_client_free(&c);
    *out = c;
    return code;
}

static void hang_up(vs_http_client *c)
{
    if (c->open)
        vs_client_socket_close(&c->socket);
    c->open = false;
    vs_buf_free(&c->in);
}

void vs_http_client_free(vs_http_client **client)
{
    vs_http_client *c = *client;
    *client = NULL;
    if (!c)
        return;
    VS_CLEANUP(end_quiet) quiet q = begin_quiet(); /* TLS says good-bye */
    hang_up(c);
    vs_buf_free(&c->headers);
    SSL_CTX_free(c->tls);
    free(c->user_agent);
    free(c->unix_socket);
    free(c->proxy);
    vs_wipe(c->cookies, sizeof c->cookies);
    free(c);
}

vs_span vs_http_client_header(const vs_http_client *c, const char *name)
{
    return vs_response_field(vs_buf_span(&c->headers), name, 0);
}

/* ---- URLs ------------------------------------------------------------------------------------ */

static bool is_visible(const char *s)
{
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f)
            return false;
    return true;
}

static vs_code parse_url(const char *url, target *out, vs_error *err)
{
    vs_span all = vs_str(url), host, port;
    *out = (target){.tls = vs_span_starts(all, VS_LIT("https://"))};
    if (!out->tls && !vs_span_starts(all, VS_LIT("http://")))
        return vs_fail(err, VS_E_INVALID, "\"%.200s\" starts with neither http:// nor https://",
                       url);
    const char *rest = url + (out->tls ? 8 : 7);
    size_t n = strcspn(rest, "/?#");
    out->path = rest + n;
    uint64_t number = 1;
    if (!is_visible(url) || strchr(out->path, '#') || n >= sizeof out->authority - 8 ||
        !vs_url_authority(vs_span_of(rest, n), &host, &port) || host.n >= sizeof out->host ||
        (port.n && (!vs_span_decimal(port, 65535, &number) || number == 0)))
        return vs_fail(err, VS_E_INVALID, "\"%.200s\" is not a URL that can be asked", url);
    (void)snprintf(out->host, sizeof out->host, "%.*s", VS_FMT(host));
    (void)snprintf(out->port, sizeof out->port, "%.*s",
                   VS_FMT(port.n     ? port
                          : out->tls ? VS_LIT("443")
                                     : VS_LIT("80")));
    (void)snprintf(out->authority, sizeof out->authority, "%.*s", (int)n, rest);
    return VS_OK;
}

static bool same_peer(const target *a, const target *b)
{
    return a->tls == b->tls && strcmp(a->host, b->host) == 0 && strcmp(a->port, b->port) == 0;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static vs_code send_all(vs_http_client *c, vs_span data, int64_t until, vs_error *err)
{
    while (data.n) {
        size_t n = 0;
        VS_TRY(vs_client_socket_write(&c->socket, data, &n, err));
        data = vs_span_from(data, n);
        if (n == 0)
            VS_TRY(vs_client_socket_wait(&c->socket, c->socket.wants, until, err));
    }
    return VS_OK;
}

/* Appends at least one byte to c->in. */
static vs_code receive(vs_http_client *c, int64_t until, vs_error *err)
{
    for (;;) {
        size_t before = c->in.n, n = 0;
        uint8_t *at = vs_buf_reserve(&c->in, READ_ROOM);
        if (!at)
            return vs_fail(err, VS_E_LIMIT, "the response is larger than %zu bytes", c->body_max);
        vs_code code = vs_client_socket_read(&c->socket, at, READ_ROOM, &n, err);
        vs_buf_truncate(&c->in, before + n);
        if (code != VS_OK || n)
            return code;
        VS_TRY(vs_client_socket_wait(&c->socket, c->socket.wants, until, err));
    }
}

/* ---- proxies --------------------------------------------------------------------------------- */

/* "host", ".domain", "domain" or "*" in a list with commas. */
static bool in_no_proxy(const char *host)
{
    const char *list = getenv("no_proxy") ? getenv("no_proxy") : getenv("NO_PROXY");
    vs_span h = vs_str(host);
    for (vs_span rest = vs_str(list); rest.n;) {
        vs_span one = vs_span_trim(vs_span_cut(rest, ',', &rest, NULL));
        if (vs_span_is(one, "*") || vs_span_ieq(one, h))
            return true;
        if (one.n && one.p[0] == '.')
            one = vs_span_from(one, 1);
        if (one.n && h.n > one.n && h.p[h.n - one.n - 1] == '.' &&
            vs_span_ieq(vs_span_from(h, h.n - one.n), one))
            return true;
    }
    return false;
}

/* The one given, or the environment's words; HTTP_PROXY is not one of them, since a CGI program's
 * client sets it. NULL = none. */
static const char *proxy_of(const vs_http_client *c, const target *t)
{
    if (c->unix_socket || (c->proxy && !*c->proxy))
        return NULL;
    if (c->proxy)
        return c->proxy;
    if (in_no_proxy(t->host))
        return NULL;
    const char *p = t->tls ? getenv("https_proxy") : getenv("http_proxy");
    if (!p && t->tls)
        p = getenv("HTTPS_PROXY");
    p = p ? p : getenv("all_proxy");
    return p && *p ? p : NULL;
}

static vs_code read_head(vs_http_client *c, int64_t until, size_t *n, vs_error *err)
{
    size_t scan = 0;
    bool bad = false;
    while ((*n = vs_http_head_end(vs_buf_span(&c->in), &scan, &bad)) == 0 && !bad) {
        if (c->in.n > HEAD_MAX)
            return vs_fail(err, VS_E_LIMIT, "the head of the answer is too long");
        VS_TRY(receive(c, until, err));
    }
    return bad || *n > HEAD_MAX ? vs_fail(err, VS_E_PARSE, "the answer is not HTTP/1.1") : VS_OK;
}

static vs_code tunnel(vs_http_client *c, const target *t, int64_t until, vs_error *err)
{
    char request[2 * NAME_MAX_BYTES + 128];
    bool v6 = strchr(t->host, ':') != NULL;
    int n =
        snprintf(request, sizeof request, "CONNECT %s%s%s:%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n\r\n",
                 v6 ? "[" : "", t->host, v6 ? "]" : "", t->port, v6 ? "[" : "", t->host,
                 v6 ? "]" : "", t->port);
    vs_response_head head;
    size_t head_n;
    VS_TRY(send_all(c, vs_span_of(request, (size_t)n), until, err));
    c->in = (vs_buf)VS_BUF(HEAD_MAX + 2 * READ_ROOM);
    VS_TRY(read_head(c, until, &head_n, err));
    VS_TRY(vs_response_head_parse(vs_span_head(vs_buf_span(&c->in), head_n), true, &head, err));
    if (head.status / 100 != 2 || c->in.n != head_n)
        return vs_fail(err, VS_E_IO, "the proxy answers HTTP %d", head.status);
    vs_buf_free(&c->in);
    return VS_OK;
}

/* ---- connecting ------------------------------------------------------------------------------ */

static vs_code reach(vs_http_client *c, const target *t, const char *proxy, int64_t until,
                     vs_error *err)
{
    vs_peer peer = {.host = t->host, .port = t->port, .tls = t->tls ? c->tls : NULL};
    if (c->unix_socket)
        VS_TRY(vs_client_socket_open_unix(c->unix_socket, &c->socket, err));
    else if (proxy) {
        target p;
        VS_TRY_WRAP(parse_url(proxy, &p, err), err, "proxy");
        const vs_peer way = {.host = p.host, .port = p.port, .tls = p.tls ? c->tls : NULL};
        if (p.tls)
            return vs_fail(err, VS_E_UNSUPPORTED, "a proxy behind https:// is not supported");
        VS_TRY_WRAP(vs_client_socket_open(&way, until, &c->socket, err), err, "proxy %s", proxy);
    } else {
        return vs_client_socket_open(&peer, until, &c->socket, err);
    }
    c->open = true;
    if (proxy && !c->unix_socket && t->tls)
        VS_TRY_WRAP(tunnel(c, t, until, err), err, "proxy %s", proxy);
    return t->tls ? vs_client_socket_start_tls(&peer, until, &c->socket, err) : VS_OK;
}

static vs_code connect_to(vs_http_client *c, const target *t, const char *proxy, int64_t until,
                          vs_error *err)
{
    int64_t soon = vs_mono_ns() + (int64_t)c->connect_ms * 1000000;
    vs_code code = reach(c, t, proxy, soon < until ? soon : until, err);
    c->open = c->socket.fd >= 0;
    if (code != VS_OK) {
        hang_up(c);
        return code;
    }
    c->at = *t;
    return VS_OK;
}

/* ---- cookies --------------------------------------------------------------------------------- */

/* Names and values as they come. */
static void keep_cookie(vs_http_client *c, vs_span field)
{
    vs_span rest, value;
    vs_span pair = vs_span_trim(vs_span_cut(field, ';', &rest, NULL));
    vs_span name = vs_span_trim(vs_span_cut(pair, '=', &value, NULL));
    size_t i = 0;
    if (name.n == 0 || name.n >= NAME_MAX_BYTES || value.n >= COOKIE_MAX)
        return;
    while (i < c->n_cookies && !vs_span_is(name, c->cookies[i].name))
        i++;
    if (i == COOKIES)
        i = 0;
    if (i == c->n_cookies)
        c->n_cookies++;
    (void)snprintf(c->cookies[i].name, NAME_MAX_BYTES, "%.*s", VS_FMT(name));
    (void)snprintf(c->cookies[i].value, COOKIE_MAX, "%.*s", VS_FMT(value));
}

static void keep_cookies(vs_http_client *c, const target *t)
{
    vs_span field;
    if (!same_peer(&c->cookies_of, t))
        c->n_cookies = 0;
    c->cookies_of = *t;
    for (size_t i = 0; (field = vs_response_field(vs_buf_span(&c->headers), "set-cookie", i)).p;
         i++)
        keep_cookie(c, field);
}

/* ---- one exchange ---------------------------------------------------------------------------- */

static bool has_field(const char *const *headers, const char *name)
{
    for (; headers && *headers; headers++) {
        vs_span rest;
        if (vs_span_ieq(vs_span_cut(vs_str(*headers), ':', &rest, NULL), vs_str(name)))
            return true;
    }
    return false;
}

static vs_code write_request(const vs_http_client *c, const vs_http_call *call, const target *t,
                             bool absolute, vs_buf *out, vs_error *err)
{
    vs_buf_printf(out, "%s ", call->method);
    if (absolute)
        vs_buf_printf(out, "http://%s", t->authority);
    vs_buf_printf(out, "%s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: */*\r\n",
                  t->path[0] == '/' ? "" : "/", t->path, t->authority, c->user_agent);
    for (const char *const *h = call->headers; h && *h; h++) {
        if (strpbrk(*h, "\r\n"))
            return vs_fail(err, VS_E_INVALID, "a request header is not one line");
        vs_buf_printf(out, "%s\r\n", *h);
    }
    const char *trace = vs_traceparent();
    if (trace && !has_field(call->headers, "traceparent"))
        vs_buf_printf(out, "traceparent: %s\r\n", trace);
    bool ours = same_peer(&c->cookies_of, t);
    for (size_t i = 0; ours && i < c->n_cookies; i++)
        vs_buf_printf(out, "%s%s=%s", i ? "; " : "Cookie: ", c->cookies[i].name,
                      c->cookies[i].value);
    if (ours && c->n_cookies)
        vs_buf_puts(out, "\r\n");
    if (call->has_body)
        vs_buf_printf(out, "Content-Length: %zu\r\n", call->body.n);
    vs_buf_puts(out, "\r\n");
    vs_buf_put(out, call->body);
    return vs_buf_check(out, err);
}

/* *in[from..] is what of the body has arrived. */
static vs_code read_body(vs_http_client *c, const vs_response_head *head, size_t from,
                         int64_t until, vs_buf *body, vs_error *err)
{
    vs_http_chunks chunks = {0};
    size_t decoded = 0;
    bool to_end = head->body == VS_BODY_CLOSE;
    if (head->body == VS_BODY_NONE)
        return VS_OK;
    if (head->body == VS_BODY_LENGTH && head->length > c->body_max)
        return vs_fail(err, VS_E_LIMIT, "the response is larger than %zu bytes", c->body_max);
    for (;;) {
        if (head->body == VS_BODY_CHUNKED) {
            size_t n = c->in.n - from;
            int bad = vs_http_chunks_feed(&chunks, c->in.p + from, &decoded, &n, c->body_max);
            if (bad)
                return vs_fail(err, bad == 413 ? VS_E_LIMIT : VS_E_PARSE,
                               "the body of the answer is malformed, or too large");
            vs_buf_truncate(&c->in, from + n);
            if (chunks.done)
                break;
        } else if (!to_end && c->in.n - from >= head->length) {
            decoded = (size_t)head->length;
            break;
        }
        vs_code code = receive(c, until, err);
        if (code == VS_E_IO && to_end && c->socket.ended) { /* its end is that of the body */
            decoded = c->in.n - from;
            break;
        }
        VS_TRY(code);
    }
    if (decoded > c->body_max)
        return vs_fail(err, VS_E_LIMIT, "the response is larger than %zu bytes", c->body_max);
    vs_buf_put(body, vs_span_of(c->in.p + from, decoded));
    return vs_buf_check(body, err);
}

/* Heads of interim answers (1xx) are passed over. *begun: something of an answer has come. */
static vs_code exchange(vs_http_client *c, const vs_http_call *call, vs_span request, int64_t until,
                        int *status, vs_buf *body, bool *begun, vs_error *err)
{
    vs_response_head head;
    size_t from = 0, head_n;
    c->in = (vs_buf)VS_BUF(HEAD_MAX + 2 * READ_ROOM + c->body_max * 2);
    VS_TRY(send_all(c, request, until, err));
    do {
        vs_code code = read_head(c, until, &head_n, err);
        *begun = c->in.n > 0;
        VS_TRY(code);
        vs_span text = vs_span_head(vs_buf_span(&c->in), head_n);
        VS_TRY(vs_response_head_parse(text, strcmp(call->method, "HEAD") == 0, &head, err));
        vs_buf_clear(&c->headers);
        vs_buf_put(&c->headers, text);
        from = head_n;
        if (head.status < 200) { /* what follows it moves to the front */
            vs_span rest = vs_span_from(vs_buf_span(&c->in), head_n);
            memmove(c->in.p, rest.p, rest.n);
            vs_buf_truncate(&c->in, rest.n);
        }
    } while (head.status < 200);
    VS_TRY(vs_buf_check(&c->headers, err));
    VS_TRY(read_body(c, &head, from, until, body, err));
    *status = head.status;
    if (!head.keep)
        hang_up(c);
    vs_buf_free(&c->in);
    return VS_OK;
}

/* On an idle connection nothing may come, not even its end. */
static bool still_open(vs_http_client *c, const target *t)
{
    struct pollfd p = {.fd = c->socket.fd, .events = POLLIN};
    return c->open && same_peer(&c->at, t) && poll(&p, 1, 0) == 0;
}

static vs_code run(vs_http_client *c, const vs_http_call *call, int *status, vs_buf *body,
                   vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(REQUEST_MAX);
    int64_t until =
        vs_mono_ns() + (int64_t)(call->total_ms ? call->total_ms : c->total_ms) * 1000000;
    target t;
    VS_TRY(parse_url(call->url, &t, err));
    const char *proxy = proxy_of(c, &t);
    VS_TRY(write_request(c, call, &t, proxy && !t.tls, &request, err));
    for (;;) {
        bool reused = still_open(c, &t), begun = false;
        size_t before = body->n;
        if (!reused) {
            hang_up(c);
            VS_TRY(connect_to(c, &t, proxy, until, err));
        }
        vs_code code = exchange(c, call, vs_buf_span(&request), until, status, body, &begun, err);
        if (code == VS_OK) {
            keep_cookies(c, &t);
            return VS_OK;
        }
        hang_up(c);
        vs_buf_truncate(body, before);
        if (code != VS_E_IO || !reused || begun) /* the peer may have been closing it */
            return code;
    }
}

vs_code vs_http_client_do(vs_http_client *c, const vs_http_call *call, int *status, vs_buf *body,
                          vs_error *err)
{
    VS_CLEANUP(end_quiet) quiet q = begin_quiet();
    vs_buf_clear(&c->headers);
    VS_TRY_WRAP(run(c, call, status, body, err), err, "%s %s failed", call->method, call->url);
    return VS_OK;
}
