/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of the key broker. A request goes kbs.c (routes, who may) -> handshake.c, or
 * token.c -> policy.c -> release.c, or endpoints.c; seal.c and session.c keep the session between
 * /auth and the release.
 */
#ifndef VS_KBS_INTERNAL_H
#define VS_KBS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "as/policy.h"
#include "as/ticket.h"
#include "kbs/admin.h"
#include "kbs/kbs.h"
#include "kbs/plugin.h"

#define KBS_SCOPE       "resource-policy/" /* ... and those of one repository */
#define KBS_NS_RESOURCE "repository"
#define KBS_NS_SESSION  "kbs_protocol_session"
#define KBS_NS_SECRET   "kbs_secret" /* key material that replicas share */

enum {
    KBS_TOKEN_MAX = 2 * 1024 * 1024,
    KBS_NONCE = 32,
    KBS_SESSION_ID = AS_TICKET_ID,
    KBS_TEE_NAME = 23,
};

/* ---- protocol.c ---------------------------------------------------------------------------------
 */

enum { KBS_PROTOCOL_LIST = 64 };
const char *kbs_protocol_name(kbs_protocol p);
/* "=0.1.1, =0.2.0, ...": what is served from `oldest` on. Returns out. */
const char *kbs_protocol_list(kbs_protocol oldest, char out[KBS_PROTOCOL_LIST]);
/* Build metadata is not looked at. VS_E_PARSE: no semantic version; VS_E_UNSUPPORTED: not served.
 */
VS_MUST vs_code kbs_protocol_of(vs_span version, kbs_protocol oldest, kbs_protocol *out);

/* ---- seal.c: the session before attestation is a cookie that only replicas can read ------------
 */

typedef struct kbs_session {
    uint8_t id[KBS_SESSION_ID];
    uint8_t nonce[KBS_NONCE]; /* or, with `foreign`, SHA-256 of the text that the verifier made */
    bool foreign;
    int64_t issued, expires; /* seconds */
    vs_hash hash;            /* of the runtime data; VS_HASH_NONE = the default */
    kbs_protocol protocol;
    char tee[KBS_TEE_NAME + 1];
} kbs_session;

typedef as_ticket_key kbs_seal;

/* The key is made once, by whichever replica starts first, and kept in the store. */
VS_MUST vs_code kbs_seal_load(kbs_seal *s, vs_store *store, vs_error *err);
/* Whether the store still has that key. */
VS_MUST vs_code kbs_seal_check(const kbs_seal *s, vs_store *store, vs_error *err);
VS_MUST vs_code kbs_session_seal(const kbs_seal *s, const kbs_session *in, vs_buf *cookie,
                                 vs_error *err);
/* VS_E_PARSE or VS_E_CRYPTO: not one of ours; VS_E_EXPIRED. */
VS_MUST vs_code kbs_session_unseal(const kbs_seal *s, vs_span cookie, int64_t now, kbs_session *out,
                                   vs_error *err);

/* ---- token.c: which attestation tokens count (kbs.md 6) -----------------------------------------
 */

typedef struct kbs_trust {
    bool header_jwk;      /* insecure: a token may name its own key */
    vs_certs *anchors;    /* NULL = none */
    kbs_source **sources; /* JWK sets, in their order; on the arena */
    size_t n_sources;
    vs_key *own; /* of the embedded attestation service; NULL = none */
    vs_val own_jwk;
    vs_arena arena;
} kbs_trust;

/* trust.c. VS_E_INVALID when nothing at all would be trusted. */
VS_MUST vs_code kbs_trust_load(kbs_trust *t, const kbs_config *cfg, kbs_sources *sources,
                               const as_service *as, vs_error *err);
void kbs_trust_free(kbs_trust *t);
/* token.c. Signature by a trusted key and expiry; the claims are an object on the arena. */
VS_MUST vs_code kbs_token_verify(const kbs_trust *t, vs_span token, int64_t now, vs_arena *a,
                                 vs_val *claims, vs_error *err);
/* The TEE's public key: the known members of the first JWK found (6.4). */
VS_MUST vs_code kbs_token_tee_key(const kbs_config *cfg, vs_val claims, vs_arena *a, vs_val *jwk,
                                  vs_error *err);

/* ---- rules.c: what a reload changes ------------------------------------------------------------
 */

struct kbs_rules {
    atomic_uint refs;
    const kbs_config *cfg; /* of it: admin, tokens, session life, protocols. What else is in it is
                              not looked at after the start (kbs_config_needs_restart) */
    kbs_config own;        /* what cfg points to after a reload; lives on the arena */
    vs_arena arena;
    kbs_sources *sources; /* of the keys of the next two */
    kbs_admin *admin;
    kbs_trust trust;
};
/* Without an arena `cfg` is the caller's and must outlive the rules; with one it is copied, and the
 * arena taken over on success. */
VS_MUST vs_code kbs_rules_new(kbs *k, const kbs_config *cfg, vs_arena *arena, kbs_rules **out,
                              vs_error *err);
/* The rules of now, to be dropped by the caller. */
kbs_rules *kbs_rules_take(kbs *k);

/* ---- kbs.c --------------------------------------------------------------------------------------
 */

struct kbs {
    const kbs_config *cfg; /* of the start */
    vs_store *store, *resources;
    as_service *as; /* NULL: tokens come from elsewhere (passport) */
    rvps *rv;
    kbs_seal seal;
    kbs_rules *rules;
    pthread_mutex_t rules_lock;     /* guards the pointer */
    as_policies *policies, *scoped; /* the resource policy; those of repositories */
    kbs_plugin plugins[KBS_PLUGINS];
    struct kbs_journal *journal;  /* NULL = decisions are logged only */
    struct as_veraison *veraison; /* NULL = its interface is not served */
};

/* One request on its way through. */
typedef struct kbs_ctx {
    kbs *k;
    const struct kbs_route *route;
    kbs_rules *rules; /* the same from the first to the last question */
    kbs_call call;    /* canonical: authorised and dispatched on the same value */
    kbs_reply *reply;
    bool administrates;        /* it was authorised as an administrator's */
    vs_span who;               /* admin routes: role or persona */
    vs_val claims;             /* attested routes: the verified token's claims */
    vs_span token;             /* ... and the token */
    const char *policy_sha256; /* ... and of the resource policy that allowed it */
    bool has_session;          /* ... which is that of the session, opened with: */
    kbs_protocol protocol;
} kbs_ctx;

typedef enum kbs_access {
    KBS_OPEN,         /* anybody */
    KBS_SESSION,      /* anybody; the handler itself wants a session cookie */
    KBS_ADMIN,        /* an administrator; refused as a built-in endpoint */
    KBS_PLUGIN_ADMIN, /* an administrator; refused as a plugin is (kbs.md 7) */
    KBS_ATTESTED,     /* the holder of an attestation token that the resource policy allows */
    KBS_PLUGIN_SAYS,  /* KBS_PLUGIN_ADMIN or KBS_ATTESTED, as the plugin says of each request */
} kbs_access;

typedef struct kbs_route {
    const char *name;
    kbs_method method;
    kbs_access access;
    bool (*available)(const kbs *k); /* NULL = when the plugin is there */
    void (*handle)(kbs_ctx *c);
    kbs_plugin_id plugin;
    const char *action; /* what an administrator did, for the record of a plugin's route */
    bool bare;     /* nothing stands behind the name; such a route goes before one that is not */
    bool veraison; /* of Veraison's interface, and not below /kbs/v0/ */
} kbs_route;

/* All that this server does. What is not here is 404. */
extern const kbs_route kbs_routes[];
extern const size_t kbs_n_routes;

/* ---- errors.c -----------------------------------------------------------------------------------
 */

/* Sets the reply's error and detail (cut at 1 KiB, made valid UTF-8). */
void kbs_refuse(kbs_ctx *c, kbs_error error, const char *fmt, ...) VS_PRINTF(3, 4);
/* On endpoints of our own, where an administrator may know why. */
void kbs_refuse_own(kbs_ctx *c, vs_code code, const vs_error *err);

/* What was decided about a request, as one line of the log. NULL members are left out. */
typedef struct kbs_decision {
    const char *what; /* "attestation", "release", "administration" */
    bool allowed;
    bool proven; /* whoever caused it showed evidence, a token or a right */
    const char *who, *action, *tee, *status, *target, *reason;
    const char *policy_sha256; /* of the resource policy */
    vs_span evidence, token;   /* whose digests are recorded; p == NULL: none */
    vs_val appraisal;          /* as_result_record; undefined: none */
    const vs_error *error;
} kbs_decision;
/* decide.c: gives the reply a decision id, logs and records. False when it was to be recorded and
 * could not be: then nothing may be granted. */
VS_MUST bool kbs_decide(kbs_ctx *c, const kbs_decision *d);
/* Of an administrator's act, whose path is its target. */
VS_MUST bool kbs_decide_admin(kbs_ctx *c, const char *action, vs_code code, const vs_error *err);
/* Whether a decision could be recorded now. */
VS_MUST bool kbs_journal_works(kbs_ctx *c);
/* Text of a span for a log field, on the request's arena. */
const char *kbs_text(kbs_ctx *c, vs_span s);

/* ---- messages.c ---------------------------------------------------------------------------------
 */

/* A tee-pubkey with its known members only (kbs.md 1.7, 1.8): shape, not yet the key itself. */
VS_MUST vs_code kbs_tee_pubkey(vs_val jwk, vs_arena *a, vs_val *out, vs_error *err);

typedef struct kbs_request_msg {
    vs_span version;
    const char *tee; /* canonical */
    vs_val extra_params;
} kbs_request_msg;
VS_MUST vs_code kbs_parse_request(vs_span body, vs_arena *a, kbs_request_msg *out, vs_error *err);

enum { KBS_DEVICES_MAX = 15 };
/* EC points of the tee-pubkey are on their curve. */
typedef struct kbs_attestation_msg {
    vs_span init_data_toml; /* p == NULL: none */
    vs_span nonce;          /* p == NULL: protocols before 0.4.0 do not send it again */
    vs_val tee_pubkey;      /* typed */
    vs_val primary;
    bool composite;     /* the primary evidence vouches for `additional` */
    vs_span additional; /* as sent: it is hashed */
    vs_val devices;     /* object TEE name -> evidence; at most KBS_DEVICES_MAX */
} kbs_attestation_msg;
VS_MUST vs_code kbs_parse_attestation(vs_span body, kbs_protocol protocol, vs_arena *a,
                                      kbs_attestation_msg *out, vs_error *err);

/* ---- session.c ----------------------------------------------------------------------------------
 */

/* The token of an attested session. VS_E_NOT_FOUND: not attested, or expired. */
VS_MUST vs_code kbs_session_token(kbs *k, const kbs_session *s, int64_t now, vs_arena *a,
                                  vs_span *token, vs_error *err);
/* VS_E_EXISTS when the session is attested already. */
VS_MUST vs_code kbs_session_attested(kbs *k, const kbs_session *s, vs_span token, int64_t expires,
                                     vs_error *err);

/* ---- policy.c -----------------------------------------------------------------------------------
 */

/* Stores the default policy, or the one of an older installation, if there is none. */
VS_MUST vs_code kbs_policy_start(kbs *k, vs_error *err);
/* Asks the resource policy about c->claims and the path; refuses and returns false when it does not
 * allow. `d` receives the reason. */
bool kbs_policy_allows(kbs_ctx *c, kbs_decision *d, vs_error *err);
void kbs_get_resource_policy(kbs_ctx *c);
void kbs_set_resource_policy(kbs_ctx *c);

/* ---- policy_admin.c -----------------------------------------------------------------------------
 */

void kbs_get_attestation_policy(kbs_ctx *c);
void kbs_change_attestation_policy(kbs_ctx *c); /* PUT, DELETE; POST of activate and rollback */
void kbs_read_resource_policy(kbs_ctx *c);
void kbs_change_resource_policy(kbs_ctx *c);
/* The path ends with an action of ours, which Trustee's POST to the same name has not. */
bool kbs_is_policy_action(const kbs_ctx *c);
/* What Trustee's endpoints do: sets policy `id` whatever is there. */
VS_MUST vs_code kbs_put_policy(kbs_ctx *c, as_policies *p, vs_span id, vs_span text, vs_error *err);

/* ---- values_admin.c -----------------------------------------------------------------------------
 */

void kbs_list_reference_values(kbs_ctx *c);
void kbs_delete_reference_value(kbs_ctx *c);
void kbs_propose_reference_values(kbs_ctx *c);
void kbs_approve_reference_values(kbs_ctx *c);

/* ---- handlers -----------------------------------------------------------------------------------
 */

void kbs_auth(kbs_ctx *c);
void kbs_attest(kbs_ctx *c);
void kbs_plugin_release(kbs_ctx *c);
void kbs_plugin_administer(kbs_ctx *c);
void kbs_plugin_serve(kbs_ctx *c); /* one of the two, as it was authorised */
void kbs_list_resources(kbs_ctx *c);
void kbs_set_attestation_policy(kbs_ctx *c);
void kbs_get_reference_value(kbs_ctx *c);
void kbs_set_reference_values(kbs_ctx *c);
void kbs_take_endorsements(kbs_ctx *c);
void kbs_get_decision(kbs_ctx *c);
void kbs_veraison(kbs_ctx *c);

/* The path behind the plugin's name, joined with '/'. */
vs_span kbs_rest_of_path(kbs_ctx *c);

/* ---- plugins ------------------------------------------------------------------------------------
 */

const kbs_plugin *kbs_plugin_of(const kbs_ctx *c);
/* The request as the route's plugin sees it. */
kbs_plugin_call kbs_plugin_request(const kbs_ctx *c);
/* Those that need nothing but the broker, which is their `self`. */
extern const kbs_plugin_ops kbs_resource_plugin, kbs_sample_plugin, kbs_provisioner_plugin;

#endif
