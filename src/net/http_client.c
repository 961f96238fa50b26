/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/trace.h"
#include "net/client_socket.h"
#include "net/wiped_memory.h"

enum { HEADERS_MAX = 256 * 1024, CA_FILE_MAX = 4 * 1024 * 1024 };

struct vs_http_client {
    CURL *curl;
    vs_buf ca;      /* PEM text of the extra roots; empty = none */
    vs_buf headers; /* lines of the last response */
    vs_buf *body;   /* of the call under way */
    size_t body_start, body_max;
    unsigned total_ms;
    bool body_over;
    char reason[CURL_ERROR_SIZE];
    char *origin; /* whom the cookies are for: "https://host:443"; NULL = nobody yet */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

/* Secrets go through its buffers. */
static void init_curl(void)
{
    (void)curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, vs_wiped_free, vs_wiped_realloc, strdup,
                               calloc);
}

/* ---- extra trust roots ------------------------------------------------------------------------
 */

static void free_bio(BIO **b)
{
    BIO_free(*b);
}

/* Adds every certificate of the PEM text to the store; returns how many. */
static size_t add_roots(X509_STORE *store, vs_span pem)
{
    VS_CLEANUP(free_bio) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    size_t n = 0;
    for (X509 *cert; bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; n++) {
        if (store)
            (void)X509_STORE_add_cert(store, cert);
        X509_free(cert);
    }
    return n;
}

static CURLcode on_ssl_ctx(CURL *curl, void *ctx, void *user)
{
    (void)curl;
    const vs_http_client *c = user;
    (void)SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT);
    if (!vs_client_tls_ciphers(ctx))
        return CURLE_SSL_CIPHER;
    if (c->ca.n == 0)
        return CURLE_OK;
    return add_roots(SSL_CTX_get_cert_store(ctx), vs_buf_span(&c->ca)) ? CURLE_OK
                                                                       : CURLE_SSL_CACERT_BADFILE;
}

/* What was appended to c->ca from `before` on. */
static vs_code check_roots(vs_http_client *c, size_t before, const char *what, vs_error *err)
{
    VS_TRY(vs_buf_check(&c->ca, err));
    if (add_roots(NULL, vs_span_from(vs_buf_span(&c->ca), before)) == 0)
        return vs_fail(err, VS_E_INVALID, "%s holds no PEM certificate", what);
    vs_buf_putc(&c->ca, '\n'); /* the next one starts on a line of its own */
    return vs_buf_check(&c->ca, err);
}

static vs_code load_root_file(vs_http_client *c, const char *path, vs_error *err)
{
    size_t before = c->ca.n;
    VS_TRY(vs_read_file(path, &c->ca, err));
    return check_roots(c, before, path, err);
}

static vs_code load_root_text(vs_http_client *c, vs_span pem, vs_error *err)
{
    size_t before = c->ca.n;
    vs_buf_put(&c->ca, pem);
    return check_roots(c, before, "the certificate given as text", err);
}

static vs_code load_roots(vs_http_client *c, const vs_http_client_config *cfg, vs_error *err)
{
    if (cfg->ca_file)
        VS_TRY(load_root_file(c, cfg->ca_file, err));
    for (size_t i = 0; i < cfg->n_ca_files; i++)
        VS_TRY(load_root_file(c, cfg->ca_files[i], err));
    if (cfg->ca_pem.n)
        VS_TRY(load_root_text(c, cfg->ca_pem, err));
    (void)curl_easy_setopt(c->curl, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    (void)curl_easy_setopt(c->curl, CURLOPT_SSL_CTX_DATA, c);
    /* The library alone does not look at it, as OpenSSL and the other client do. */
    const char *bundle = secure_getenv("SSL_CERT_FILE");
    if (bundle && access(bundle, R_OK) == 0) {
        (void)curl_easy_setopt(c->curl, CURLOPT_CAINFO, bundle);
        return VS_OK;
    }
    if (c->ca.n == 0)
        return VS_OK;
    /* A machine without the system's bundle still has the roots given here. */
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (info->cainfo && access(info->cainfo, R_OK) != 0)
        (void)curl_easy_setopt(c->curl, CURLOPT_CAINFO, NULL);
    return VS_OK;
}

/* ---- what arrives -----------------------------------------------------------------------------
 */

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
    vs_http_client *c = user;
    vs_span line = vs_span_of(p, size * n);
    if (vs_span_starts(line, VS_LIT("HTTP/"))) /* also after an interim response */
        vs_buf_clear(&c->headers);
    vs_buf_put(&c->headers, line);
    return vs_buf_ok(&c->headers) ? line.n : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
    vs_http_client *c = user;
    size_t have = c->body->n - c->body_start;
    c->body_over = size * n > c->body_max - have;
    if (c->body_over)
        return 0;
    vs_buf_put(c->body, vs_span_of(p, size * n));
    return vs_buf_ok(c->body) ? size * n : 0;
}

vs_span vs_http_client_header(const vs_http_client *c, const char *name)
{
    vs_span rest = vs_buf_span(&c->headers);
    while (rest.n) {
        vs_span value;
        vs_span line = vs_span_cut(rest, '\n', &rest, NULL);
        if (vs_span_ieq(vs_span_cut(line, ':', &value, NULL), vs_str(name)))
            return vs_span_trim(value);
    }
    return (vs_span){0};
}

/* ---- errors -----------------------------------------------------------------------------------
 */

static vs_code code_of(const vs_http_client *c, CURLcode code)
{
    static const struct {
        CURLcode curl;
        vs_code ours;
    } known[] = {{CURLE_OPERATION_TIMEDOUT, VS_E_TIMEOUT},
                 {CURLE_PEER_FAILED_VERIFICATION, VS_E_UNTRUSTED},
                 {CURLE_SSL_CACERT_BADFILE, VS_E_UNTRUSTED},
                 {CURLE_URL_MALFORMAT, VS_E_INVALID},
                 {CURLE_UNSUPPORTED_PROTOCOL, VS_E_INVALID},
                 {CURLE_OUT_OF_MEMORY, VS_E_NOMEM},
                 {CURLE_SSL_ISSUER_ERROR, VS_E_UNTRUSTED}};
    if (code == CURLE_WRITE_ERROR)
        return c->body_over ? VS_E_LIMIT : VS_E_NOMEM;
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (known[i].curl == code)
            return known[i].ours;
    return VS_E_IO;
}

/* A clock that is wrong looks like a bad certificate: say what this machine believes. */
static bool about_dates(const char *reason)
{
    return strstr(reason, "expired") || strstr(reason, "not yet valid");
}

static vs_code explain(vs_http_client *c, const vs_http_call *call, CURLcode curl_code,
                       vs_error *err)
{
    vs_code code = code_of(c, curl_code);
    const char *reason = c->reason[0] ? c->reason : curl_easy_strerror(curl_code);
    char *address = NULL;
    long port = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_PRIMARY_IP, &address);
    (void)curl_easy_getinfo(c->curl, CURLINFO_PRIMARY_PORT, &port);
    char now[VS_TIME_TEXT];
    if (c->body_over)
        (void)vs_fail(err, code, "the response is larger than %zu bytes", c->body_max);
    else if (code == VS_E_UNTRUSTED && about_dates(reason))
        (void)vs_fail(err, code, "%s; the clock of this machine says %s", reason,
                      vs_time_rfc3339(vs_now_s(), now));
    else
        (void)vs_fail(err, code, "%s", reason);
    if (address && address[0])
        (void)vs_wrap(err, "address %s, port %ld", address, port);
    (void)vs_wrap(err, "%s %s failed", call->method, call->url);
    return code;
}

/* ---- calls ------------------------------------------------------------------------------------
 */

static void free_list(struct curl_slist **l)
{
    curl_slist_free_all(*l);
}

static bool has_field(const char *const *headers, const char *name)
{
    for (; headers && *headers; headers++) {
        vs_span rest;
        if (vs_span_ieq(vs_span_cut(vs_str(*headers), ':', &rest, NULL), vs_str(name)))
            return true;
    }
    return false;
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool build_headers(const vs_http_call *call, struct curl_slist **list)
{
    for (const char *const *h = call->headers; h && *h; h++)
        if (strpbrk(*h, "\r\n") || !add_line(list, *h))
            return false;
    const char *trace = vs_traceparent();
    if (trace && !has_field(call->headers, "traceparent")) {
        char line[sizeof "traceparent: " + VS_TRACE_TEXT];
        (void)snprintf(line, sizeof line, "traceparent: %s", trace);
        if (!add_line(list, line))
            return false;
    }
    /* libcurl would call any body a form. */
    return !call->has_body || has_field(call->headers, "content-type") ||
           add_line(list, "Content-Type:");
}

/* "https://host:443", malloc'd; NULL for what is no URL, and when out of memory. */
static char *origin_of(const char *url)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *out = NULL;
    CURLU *u = curl_url();
    if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        asprintf(&out, "%s://%s:%s", scheme, host, port) < 0)
        out = NULL;
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return out;
}

/* libcurl sends a cookie to all ports of its host, and from https to http as well. */
static void drop_cookies_of_others(vs_http_client *c, const char *url)
{
    char *origin = origin_of(url);
    if (!origin || !c->origin || strcasecmp(origin, c->origin) != 0)
        (void)curl_easy_setopt(c->curl, CURLOPT_COOKIELIST, "ALL");
    free(c->origin);
    c->origin = origin;
}

static void set_method(CURL *curl, const vs_http_call *call)
{
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    (void)curl_easy_setopt(curl, CURLOPT_NOBODY, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (call->has_body) {
        (void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                               call->body.n ? (const char *)call->body.p : "");
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
    }
    if (strcmp(call->method, "HEAD") == 0)
        (void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (strcmp(call->method, call->has_body ? "POST" : "GET") != 0)
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
}

vs_code vs_http_client_do(vs_http_client *c, const vs_http_call *call, int *status, vs_buf *body,
                          vs_error *err)
{
    VS_CLEANUP(free_list) struct curl_slist *list = NULL;
    if (!build_headers(call, &list))
        return vs_fail(err, VS_E_INVALID, "a request header is not one line");
    c->reason[0] = 0;
    c->body = body;
    c->body_start = body->n;
    c->body_over = false;
    vs_buf_clear(&c->headers);
    drop_cookies_of_others(c, call->url);
    set_method(c->curl, call);
    (void)curl_easy_setopt(c->curl, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS,
                           (long)(call->total_ms ? call->total_ms : c->total_ms));
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, list);
    CURLcode code = curl_easy_perform(c->curl);
    (void)curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, NULL);
    c->body = NULL;
    if (code != CURLE_OK)
        return explain(c, call, code, err);
    long got = 0;
    (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &got);
    *status = (int)got;
    return VS_OK;
}

static void set_options(vs_http_client *c, const vs_http_client_config *cfg)
{
    CURL *curl = c->curl;
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->reason);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS,
                           1L); /* the server shall see what was asked for */
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(curl, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* on_ssl_ctx adds to the store */
    (void)curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");       /* a cookie jar in memory */
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                           (long)(cfg->connect_ms ? cfg->connect_ms : 10000));
    if (cfg->insecure_no_verify) {
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (cfg->user_agent)
        (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, cfg->user_agent);
    if (cfg->cert) {
        (void)curl_easy_setopt(curl, CURLOPT_SSLCERT, cfg->cert);
        (void)curl_easy_setopt(curl, CURLOPT_SSLKEY, cfg->key ? cfg->key : cfg->cert);
    }
    if (cfg->proxy) {
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, cfg->proxy);
        (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, ""); /* nor what the environment says */
    }
    if (cfg->unix_socket)
        (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, cfg->unix_socket);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
}

vs_code vs_http_client_new(const vs_http_client_config *cfg, vs_http_client **out, vs_error *err)
{
    (void)pthread_once(&curl_once, init_curl);
    vs_http_client *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "cannot make an HTTP client");
    *c = (vs_http_client){.ca = VS_BUF(CA_FILE_MAX),
                          .headers = VS_BUF(HEADERS_MAX),
                          .total_ms = cfg->total_ms ? cfg->total_ms : 60000,
                          .body_max = cfg->response_bytes ? cfg->response_bytes : 16 * 1024 * 1024};
    c->curl = curl_easy_init();
    vs_code code = c->curl ? VS_OK : vs_fail(err, VS_E_NOMEM, "cannot make an HTTP client");
    if (code == VS_OK) {
        set_options(c, cfg);
        code = load_roots(c, cfg, err);
    }
    if (code != VS_OK)
        vs_http_client_free(&c);
    else
        *out = c;
    return code;
}

void vs_http_client_free(vs_http_client **client)
{
    vs_http_client *c = *client;
    if (!c)
        return;
    *client = NULL;
    curl_easy_cleanup(c->curl);
    vs_buf_free(&c->ca);
    vs_buf_free(&c->headers);
    free(c->origin);
    free(c);
}
