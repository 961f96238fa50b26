/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS side of the server: one context for all threads, from the configuration's texts. */
#ifndef VS_NET_TLS_H
#define VS_NET_TLS_H

#include <openssl/ssl.h>

#include "net/http_server.h"

/* A server context with the certificate chain and key of `cfg`. The caller frees it. */
VS_MUST vs_code vs_tls_server_new(const vs_http_config *cfg, SSL_CTX **out, vs_error *err);

/* The oldest entry of OpenSSL's error queue as text ("no reason given" when it is empty); clears
 * the queue. */
const char *vs_tls_reason(char *out, size_t cap);

#endif
