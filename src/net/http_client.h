/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP client on libcurl: connection reuse, cookies, deadlines, size caps. One client belongs to
 * one thread at a time. Server certificates are verified unless a caller says otherwise by the name
 * `insecure_no_verify`, which is there for one setting of Trustee's (plugins.verify_ssl).
 *
 * A cookie goes back to the origin that set it (scheme, host and port) and to no other; those of
 * one origin are forgotten when another one is asked.
 */
#ifndef VS_NET_HTTP_CLIENT_H
#define VS_NET_HTTP_CLIENT_H

#include "base/buf.h"

typedef struct vs_http_client vs_http_client;

typedef struct vs_http_client_config {
    const char *ca_file;         /* PEM, added to the system's roots; NULL = none */
    const char *const *ca_files; /* and more of them */
    size_t n_ca_files;
    vs_span ca_pem;          /* and as text; empty = none */
    bool insecure_no_verify; /* anybody may be the server */
    const char *user_agent;
    const char *cert, *key; /* PEM files that show who we are; NULL = none. A key in the same
                               file: key NULL */
    /* Trust and identity of this client, instead of the above: they are loaded once for both. It
     * may be in use, and may end first. Where libcurl is, each loads its own. NULL = none */
    const vs_http_client *tls_of;
    const char *unix_socket; /* path to connect to instead of the URL's host; NULL = none */
    const char *proxy;       /* "http://HOST:PORT"; "" = none; NULL = as the environment says:
                                https_proxy, http_proxy, all_proxy, no_proxy */
    unsigned connect_ms;     /* 0 = 10 s */
    unsigned total_ms;       /* 0 = 60 s */
    size_t response_bytes;   /* 0 = 16 MiB */
} vs_http_client_config;

typedef struct vs_http_call {
    const char *method, *url;
    const char *const *headers; /* "Name: value", NULL-terminated list, or NULL */
    vs_span body;
    bool has_body;
    unsigned total_ms; /* 0 = the client's */
} vs_http_call;

VS_MUST vs_code vs_http_client_new(const vs_http_client_config *cfg, vs_http_client **out,
                                   vs_error *err);
void vs_http_client_free(vs_http_client **c);
/* The response body is appended to `body`. Transport failures only are errors; they name host, the
 * TLS verify reason, the address tried. Any HTTP status is VS_OK. Redirects are not followed. */
VS_MUST vs_code vs_http_client_do(vs_http_client *c, const vs_http_call *call, int *status,
                                  vs_buf *body, vs_error *err);
/* A header of the last response; empty when absent. Valid until the next call. */
vs_span vs_http_client_header(const vs_http_client *c, const char *name);

#endif
