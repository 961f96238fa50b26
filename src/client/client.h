/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KBS protocol client (kbs.md 1.10, 10): RCAR handshake, resources, administration. One client
 * belongs to one thread at a time.
 */
#ifndef VS_CLIENT_CLIENT_H
#define VS_CLIENT_CLIENT_H

#include "client/attester.h"
#include "crypto/crypto.h"

typedef struct kbsc kbsc;

typedef struct kbsc_config {
    const char *url;     /* base URL without /kbs/v0; a trailing '/' is removed */
    const char *ca_file; /* extra trust root, PEM; NULL = none */
    vs_span ca_pem;      /* another, as text; empty = none */
    const char *user_agent;
    const char *cert, *key;  /* PEM: certificate of an administrator and its key; NULL = none */
    const char *unix_socket; /* path of the server's socket, instead of the URL's host */
    unsigned retry_ms;       /* pause between the tries of kbsc_attest; 0 = 1 s */
} kbsc_config;

VS_MUST vs_code kbsc_new(const kbsc_config *cfg, kbsc **out, vs_error *err);
void kbsc_free(kbsc **c);

/* The TEE key, for whoever is given a token that is bound to it; NULL before there is one. It stays
 * the client's. */
const vs_key *kbsc_tee_key(const kbsc *c);
/* The TEE key: EC P-256/P-521 or RSA private key; NULL makes a fresh P-256 key. Ownership moves. */
VS_MUST vs_code kbsc_set_tee_key(kbsc *c, vs_key *key, vs_error *err);
/* One handshake with evidence from `att`; the token (compact JWS) is appended. `init_data` = TOML
 * text, p == NULL = none. Retries as kbs.md 1.10 (5 times, 1 s apart) when the server says 401. */
VS_MUST vs_code kbsc_attest(kbsc *c, attester *att, vs_span init_data, vs_buf *token,
                            vs_error *err);
/* The secret `path` ("repository/type/tag") with the session of this client (attesting when
 * needed), decrypted. */
VS_MUST vs_code kbsc_get_resource(kbsc *c, attester *att, vs_span init_data, const char *path,
                                  vs_buf *out, vs_error *err);
/* The same with a token and the TEE key set before. */
VS_MUST vs_code kbsc_get_resource_token(kbsc *c, vs_span token, const char *path, vs_buf *out,
                                        vs_error *err);
/* What any plugin hands out to the guest. */
typedef struct kbsc_resource {
    const char *plugin; /* "resource" */
    const char *path;   /* not encoded */
    const char *query;  /* form-urlencoded, without '?'; NULL = none */
} kbsc_resource;
/* *token_refused: the server did not take the token (it has run out, or is signed with a key the
 * server has given up), so that a new one may help. */
VS_MUST vs_code kbsc_get_with_token(kbsc *c, vs_span token, const kbsc_resource *r, vs_buf *out,
                                    bool *token_refused, vs_error *err);
/* Any administrative request, `path` below /kbs/v0/, behind a '?' a form-urlencoded query: body may
 * be empty; the raw answer is appended, also of a refusal. A status other than 200 is an error with
 * the server's text. `bearer` empty = anonymous. */
VS_MUST vs_code kbsc_admin(kbsc *c, const char *method, const char *path, const char *content_type,
                           vs_span body, vs_span bearer, vs_buf *out, vs_error *err);
/* The same with a query (encoded, without '?') and conditions; NULL = none. Status 412 is
 * VS_E_CONFLICT. */
typedef struct kbsc_admin_call {
    const char *method, *path, *query, *content_type, *if_match, *if_none_match;
    vs_span body, bearer;
} kbsc_admin_call;
VS_MUST vs_code kbsc_administrate(kbsc *c, const kbsc_admin_call *call, vs_buf *out, vs_error *err);
/* ETag of the latest answer; empty = none. Valid until the next call. */
vs_span kbsc_etag(const kbsc *c);

#endif
