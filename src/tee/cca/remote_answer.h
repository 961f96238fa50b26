/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Veraison service says, read by its client (cca.md 4.4, 5): everything here is hostile
 * until cca_ear_verify has found the service's signature. No sockets, no state.
 */
#ifndef VS_TEE_CCA_REMOTE_ANSWER_H
#define VS_TEE_CCA_REMOTE_ANSWER_H

#include "envelope/ear.h"
#include "tee/cca/claims.h"

enum { CCA_URL_MAX = 2048, CCA_PROBLEM_TEXT = 240 };

/* A path that may be appended to an address as text, or a URL's rest: starts with '/', characters
 * of RFC 3986 without '#', no segment "." or "..". */
VS_MUST bool cca_url_path_ok(vs_span path);

typedef struct cca_discovery {
    vs_span new_session; /* path, to be appended to the service's address */
    vs_key *key;         /* P-256, public; the caller's */
} cca_discovery;
/* VS_E_PARSE, VS_E_INVALID, VS_E_UNSUPPORTED (a key that is not for ES256). */
VS_MUST vs_code cca_discovery_read(vs_arena *a, vs_span text, cca_discovery *out, vs_error *err);

/* The URL that a Location header of an answer to `request` (absolute, without a query) names. It
 * must have the same scheme, host and port: evidence goes nowhere else. */
VS_MUST vs_code cca_location(vs_span request, vs_span location, char out[CCA_URL_MAX],
                             vs_error *err);

typedef struct cca_session {
    bool complete;  /* false: it waits, or is worked on */
    vs_span result; /* when complete */
} cca_session;
/* A session in JSON; its nonce, in any of the four base64 forms, must be the one that was asked
 * for. VS_E_DENIED: the service says that it has failed. */
VS_MUST vs_code cca_session_read(vs_arena *a, vs_span text, vs_span nonce, cca_session *out,
                                 vs_error *err);

/* "title: detail" of problem details (RFC 9457) in printable ASCII; "" when there are none. */
void cca_problem(vs_span text, char out[CCA_PROBLEM_TEXT]);

/* The claims of an EAR that is signed with this key and ES256. VS_E_CRYPTO: it is not. */
VS_MUST vs_code cca_ear_verify(vs_arena *a, vs_span jwt, const vs_key *key, vs_val *claims,
                               vs_error *err);

typedef struct cca_ear_expect {
    vs_span nonce;          /* 64 bytes */
    vs_val platform, realm; /* claims of the token that was sent (4.2): the service must have seen
                               the same */
    ear_tier worst;         /* EAR_AFFIRMING or EAR_WARNING: no submod may be worse, or say nothing;
                               EAR_CONTRAINDICATED: any will do, as upstream */
    int64_t now;
} cca_ear_expect;

/* What the service thinks of the two; never better than the status it gives. A submod with a status
 * and no vector has the status as hardware and executables. */
typedef struct cca_ear_findings {
    ear_vector platform, realm;
} cca_ear_findings;

/* VS_E_MISMATCH: another nonce, another token; VS_E_UNTRUSTED: a submod is missing or its status is
 * too bad (the service's words are in the error); VS_E_EXPIRED; VS_E_INVALID. */
VS_MUST vs_code cca_ear_check(vs_val claims, const cca_ear_expect *expect, cca_ear_findings *out,
                              vs_error *err);

#endif
