/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KBS protocol client (kbs.md 1.10, 10): RCAR handshake, resources, administration. One client
 * belongs to one thread at a time. Programs of others have it as a library (include/vouchsafe).
 *
 * A handshake starts with the newest version of the protocol. A server that says it speaks another
 * one gets that, if it is in the list and not older than `oldest`; in one handshake each version is
 * offered once. The next handshake starts with the newest again.
 */
#ifndef VS_CLIENT_CLIENT_H
#define VS_CLIENT_CLIENT_H

#include "client/attester.h"
#include "client/messages.h"

typedef struct kbsc kbsc;

typedef struct kbsc_config {
    const char *url;     /* base URL without /kbs/v0; a trailing '/' is removed */
    const char *ca_file; /* extra trust root, PEM; NULL = none */
    vs_span ca_pem;      /* another, as text; empty = none */
    const char *user_agent;
    const char *cert, *key; /* PEM: certificate of an administrator and its key; NULL = none */
    const kbsc *tls_of; /* see vs_http_client_config; whose certificates are given here as well */
    const char *unix_socket; /* path of the server's socket, instead of the URL's host */
    const char *proxy;       /* "http://HOST:PORT"; "" = none; NULL = as the environment says */
    /* The oldest version of the protocol to go back to; 0 = KBSC_OLDEST. Who does not verify the
     * server is at the mercy of whoever answers, up to this. */
    kbsc_version oldest;
    size_t answer_bytes;   /* of an answer, at most; 0 = 16 MiB. More is VS_E_LIMIT */
    unsigned attest_tries; /* of kbsc_attest; 0 = 5 */
    unsigned retry_ms;     /* pause between them; 0 = 1 s */
    unsigned connect_ms;   /* to reach the server; 0 = 10 s */
    unsigned request_ms;   /* for one request and its answer; 0 = 60 s */
    unsigned deadline_ms;  /* for an operation with all its requests and pauses; 0 = none. The TEE's
                              own time counts, but nothing interrupts it */
    /* What an operator should know although it went on; `why` may be NULL. NULL = to the log. */
    void (*warn)(void *user, const char *text, const vs_error *why);
    void *user;
} kbsc_config;

/* 0.1.1 must be asked for: its secrets are wrapped with RSA1_5, without authenticated headers. */
#define KBSC_OLDEST KBSC_0_2_0

VS_MUST vs_code kbsc_new(const kbsc_config *cfg, kbsc **out, vs_error *err);
void kbsc_free(kbsc **c);

/* The TEE key, for whoever is given a token that is bound to it; NULL before there is one. It stays
 * the client's. */
const vs_key *kbsc_tee_key(const kbsc *c);
/* The TEE key: EC P-256/P-521 or RSA private key; NULL = a fresh P-256 key, as
 * kbsc_make_tee_key makes it. Ownership moves. */
VS_MUST vs_code kbsc_set_tee_key(kbsc *c, vs_key *key, vs_error *err);
/* A fresh one of that type. A handshake of 0.1.1 may replace it by an RSA key. */
VS_MUST vs_code kbsc_make_tee_key(kbsc *c, vs_key_type type, vs_error *err);
/* One handshake with evidence from `att`; the token (compact JWS) is appended. `init_data` = TOML
 * text, p == NULL = none; servers before 0.4.0 are not told it, which is warned of. Retries as
 * kbs.md 1.10 (5 times, 1 s apart) when the server says 401. VS_E_UNSUPPORTED: no common version.
 */
VS_MUST vs_code kbsc_attest(kbsc *c, attester *att, vs_span init_data, vs_buf *token,
                            vs_error *err);
/* What a plugin hands out to the guest. */
typedef struct kbsc_resource {
    const char *plugin; /* "resource" */
    const char *path;   /* not encoded; of "resource": "repository/type/tag" */
    const char *query;  /* form-urlencoded, without '?'; NULL = none */
} kbsc_resource;
/* The secret, decrypted, with the session of this client (attesting when needed). */
VS_MUST vs_code kbsc_get_resource(kbsc *c, attester *att, vs_span init_data, const kbsc_resource *r,
                                  vs_buf *out, vs_error *err);
/* The same with a token and the TEE key set before. *token_refused: the server did not take the
 * token (it has run out, or is signed with a key the server has given up), so that a new one may
 * help. */
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
/* What is known of the latest operation's failure besides its error. */
typedef struct kbsc_failure {
    int status;                  /* of HTTP; 0 = no answer was a refusal */
    char name[64], decision[64]; /* "PolicyDeny", id of a vouchsafe server's record; "" = none */
    bool version, evidence;      /* no common version of the protocol; the attester failed */
} kbsc_failure;
const kbsc_failure *kbsc_why(const kbsc *c);
/* The version of the latest handshake; 0 = none was begun. */
kbsc_version kbsc_spoken(const kbsc *c);
/* ETag of the latest answer; empty = none. Valid until the next call. */
vs_span kbsc_etag(const kbsc *c);

#endif
