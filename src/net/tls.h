/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS side of the server: one context for all threads, from the configuration's texts. */
#ifndef VS_NET_TLS_H
#define VS_NET_TLS_H

#include <openssl/ssl.h>

#include "net/http_server.h"

/* The context that new connections of all threads use, and that a reload swaps. */
typedef struct vs_tls_box vs_tls_box;
VS_MUST vs_code vs_tls_box_new(const vs_http_config *cfg, vs_tls_box **out, vs_error *err);
/* NULL-safe. */
void vs_tls_box_free(vs_tls_box **box);
/* Reads the files of `cfg` again. On failure the old context stays. Any thread. */
VS_MUST vs_code vs_tls_box_reload(vs_tls_box *box, const vs_http_config *cfg, vs_error *err);
/* NULL when out of memory. Any thread. */
SSL *vs_tls_box_new_ssl(vs_tls_box *box);

/* ALPN gave "h2". */
bool vs_tls_is_http2(const SSL *ssl);
/* Subject and alternative names of the client certificate, which was verified in the handshake;
 * subject.p == NULL without one. False when memory or `a` runs out or a name cannot be read. */
VS_MUST bool vs_tls_client(const SSL *ssl, vs_arena *a, vs_tls_peer *out);

/* The oldest entry of OpenSSL's error queue as text ("no reason given" when it is empty); clears
 * the queue. */
const char *vs_tls_reason(char *out, size_t cap);

#endif
