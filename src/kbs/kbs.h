/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key broker service: the RCAR handshake, sessions, token verification, resource policy, release,
 * administration (kbs.md). Knows no HTTP: an adapter (api/) turns a request into a kbs_call and a
 * kbs_reply into a response. Thread safe.
 */
#ifndef VS_KBS_KBS_H
#define VS_KBS_KBS_H

#include "as/as.h"
#include "kbs/config.h"
#include "kbs/peer.h"

typedef struct kbs kbs;

/* Where the store has its policies, the one that is asked about everything, and what is shipped for
 * that: the default. */
#define KBS_NS_POLICY      "kbs"
#define KBS_POLICY_ID      "resource-policy"
#define KBS_POLICY_KEY     KBS_POLICY_ID ".rego"
#define KBS_SHIPPED_POLICY "kbs_default"

/* All start-up checks of kbs.md 6.1, 4, 8: reads keys and certificates, writes the default resource
 * policy if none is stored. Everything passed in must outlive it. `resources` is the store of the
 * resource plugin (may equal `store`). */
VS_MUST vs_code kbs_new(const kbs_config *cfg, vs_store *store, vs_store *resources, as_service *as,
                        rvps *rv, kbs **out, vs_error *err);
void kbs_free(kbs **k);
/* A changed configuration in two steps, so that a caller with more to change changes all or
 * nothing: _check reads the files that it names, and takes over *arena, on which cfg lives; _apply
 * makes administrators, trust in tokens, session life and protocol versions count for requests from
 * now on. Any thread. */
typedef struct kbs_rules kbs_rules;
VS_MUST vs_code kbs_reload_check(kbs *k, const kbs_config *cfg, vs_arena *arena, kbs_rules **out,
                                 vs_error *err);
void kbs_reload_apply(kbs *k, kbs_rules *fresh);
/* What was checked and is not applied. NULL-safe. */
void kbs_rules_drop(kbs_rules *r);
/* Where decisions are recorded from now on; before requests are served. It must outlive k. */
struct kbs_journal;
void kbs_set_journal(kbs *k, struct kbs_journal *journal);

typedef enum kbs_method { KBS_GET, KBS_POST, KBS_PUT, KBS_DELETE } kbs_method;

/* One request below /kbs/v0/, parsed once at the edge. */
typedef struct kbs_call {
    kbs_method method;
    const vs_span *segments; /* percent-decoded path after /kbs/v0/, split at '/'; [0] = plugin */
    size_t n_segments;
    vs_span path;                    /* decoded "/kbs/v0/..." for the admin ACL */
    bool encoded_slash;              /* the raw path held %2F, and not in a reference value's id */
    vs_val query;                    /* object of strings */
    vs_span session;                 /* cookie kbs-session-id; empty = none */
    vs_span bearer;                  /* token of "Authorization: Bearer"; empty = none */
    vs_span if_match, if_none_match; /* conditions of RFC 9110 13.1; p == NULL: none */
    kbs_peer peer;                   /* what the connection says of who is at its other end */
    vs_span body;
    int64_t now;
    vs_arena *arena;
    /* Why the body is not what the request says it is; told to who may know. NULL: it is fit. */
    const char *unfit;
    const struct as_veraison_call *veraison; /* not below /kbs/v0/: kbs_handle_veraison */
} kbs_call;

/* Wire error names of kbs.md 7. */
typedef enum kbs_error {
    KBS_OK = 0,
    KBS_ADMIN_AUTH_ACCESS,
    KBS_ADMIN_AUTH_INITIALIZATION,
    KBS_ATTESTATION_ERROR,
    KBS_JWE_ERROR,
    KBS_PLUGIN_NOT_FOUND, /* 404; the others that Trustee has are 401 */
    KBS_PLUGIN_INTERNAL_ERROR,
    KBS_POLICY_DENY,
    KBS_PARSE_POLICY_ERROR,
    KBS_POLICY_ENGINE_ERROR,
    KBS_RVPS_ERROR,
    KBS_SERDE_ERROR,
    KBS_TOKEN_NOT_FOUND,
    KBS_TOKEN_VERIFIER_ERROR,
    /* Of this server's own endpoints only: 400, 404, 412. */
    KBS_INVALID_REQUEST,
    KBS_NOT_FOUND,
    KBS_PRECONDITION_FAILED,
} kbs_error;
const char *kbs_error_name(kbs_error e); /* "PolicyDeny" */

typedef struct kbs_reply {
    kbs_error error;
    vs_span detail; /* with an error: the wire's detail text, nothing more than kbs.md 7 allows */
    vs_buf body;    /* VS_BUF(...) prepared by the caller; may hold secrets until wiped */
    const char *content_type; /* NULL = no header */
    const char *etag;         /* with its quotes; NULL = no header */
    vs_span set_session;      /* new value of the session cookie; empty = none */
    int64_t set_session_expires;
    char decision[37];                  /* id of the decision record in the log; "" = none */
    struct as_veraison_reply *veraison; /* of a call of Veraison's interface, else NULL */
} kbs_reply;

/* Veraison's interface is served from now on; before requests are. It must outlive k. */
struct as_veraison;
void kbs_set_veraison(kbs *k, struct as_veraison *v);
/* A call of it, on its way through the table of routes like any request; `k` is a struct kbs. */
void kbs_handle_veraison(void *k, const struct as_veraison_call *call,
                         struct as_veraison_reply *reply);

/* Handles any request; never fails except through reply->error. Details for the operator go to the
 * log, with the decision id. */
void kbs_handle(kbs *k, const kbs_call *call, kbs_reply *reply);
/* Whether requests can be served: the store answers, keys are there. Cheap. */
VS_MUST vs_code kbs_ready(kbs *k, vs_error *err);
/* Housekeeping, about once a minute: purges expired sessions. */
void kbs_tick(kbs *k, int64_t now);

#endif
