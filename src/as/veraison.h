/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation service as a Veraison verifier: challenge-response sessions for CCA tokens, with
 * an EAR as the result (cca.md 5.1 to 5.4). Knows no HTTP: api/veraison_rest.h turns requests into
 * calls. Thread safe.
 *
 * A session before its evidence is a ticket (as/ticket.h) that is the session's id: nothing is kept
 * for it, any replica can go on with it, and it ends after AS_VERAISON_LIFE_S. The price: it cannot
 * be taken back, so a session that is deleted before its evidence can still be used until it ends.
 * The result of evidence that was proven (signatures, binding, nonce) is kept, once and until the
 * session ends: the same session gets the same result again, whatever is sent, and deleting it ends
 * the session. A result that proves nothing is only answered: strangers must not fill the store.
 *
 * A nonce that is drawn here makes evidence fresh. One that the client chose does not: whoever has
 * recorded evidence can open a session for its nonce, as often as he likes, and each result would
 * be as new as the first. So evidence that was proven is remembered, by a digest of the realm's
 * claims (they hold the challenge; what is around them, anybody can write anew), and a session
 * whose nonce the client chose takes only evidence that no other session has had.
 */
#ifndef VS_AS_VERAISON_H
#define VS_AS_VERAISON_H

#include "as/as.h"

enum {
    AS_VERAISON_LIFE_S = 150,
    AS_VERAISON_NONCE_MIN = 8,
    AS_VERAISON_NONCE_MAX = 64,
    AS_VERAISON_NONCE = 32, /* when the client asks for none and for no size */
};

#define AS_VERAISON_EVIDENCE    "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\""
#define AS_VERAISON_DISCOVERY   "/.well-known/veraison/verification"
#define AS_VERAISON_NEW_SESSION "/challenge-response/v1/newSession"
#define AS_VERAISON_SESSION     "/challenge-response/v1/session/"

typedef struct as_veraison as_veraison;

typedef enum as_client_nonces {
    AS_CLIENT_NONCES_ONCE,    /* evidence counts in one session */
    AS_CLIENT_NONCES_ANY,     /* in any number of them, as with Veraison */
    AS_CLIENT_NONCES_REFUSED, /* clients choose none */
} as_client_nonces;

typedef struct as_veraison_config {
    bool url_nonces; /* sessions show nonces in base64url without padding, not in base64 */
    as_client_nonces client_nonces;
    int64_t remember_s; /* for how long evidence counts as used; 0 = a day */
} as_veraison_config;

/* VS_E_UNSUPPORTED when `as` is another process, or has CCA tokens verified by another service.
 * `as` must outlive it. */
VS_MUST vs_code as_veraison_new(as_service *as, const as_veraison_config *cfg, as_veraison **out,
                                vs_error *err);
void as_veraison_free(as_veraison **v);
/* What was found in evidence, told before anything is answered or kept. */
typedef struct as_veraison_finding {
    bool proven;        /* signatures, binding and nonce hold */
    const char *status; /* worst of the submods */
    const char *reason; /* why it is not affirming; NULL = nothing to say */
    vs_span evidence;
    vs_span token;                 /* p == NULL: refused as used */
    uint8_t identity[VS_HASH_MAX]; /* SHA-256 of the realm's claims, when proven */
} as_veraison_finding;

typedef enum as_veraison_verb {
    AS_VERAISON_DISCOVER,
    AS_VERAISON_NEW,
    AS_VERAISON_SUBMIT,
    AS_VERAISON_GET,
    AS_VERAISON_DELETE,
} as_veraison_verb;

typedef struct as_veraison_call {
    as_veraison_verb verb;
    vs_span session;            /* its id; not for DISCOVER and NEW */
    vs_span nonce, nonce_size;  /* NEW: base64url, decimal number; p == NULL: not given */
    vs_span content_type, body; /* SUBMIT */
    int64_t now;
    vs_arena *arena;
    /* SUBMIT: false = it could not be recorded, and so is not answered. NULL = nobody wants to
     * know. */
    bool (*decide)(void *user, const as_veraison_finding *f);
    void *user;
} as_veraison_call;

typedef enum as_veraison_status {
    AS_VERAISON_OK,
    AS_VERAISON_CREATED,
    AS_VERAISON_NO_CONTENT,
    AS_VERAISON_BAD_REQUEST,
    AS_VERAISON_NOT_FOUND,
    AS_VERAISON_USED, /* the evidence had its result in another session */
    AS_VERAISON_UNSUPPORTED_TYPE,
    AS_VERAISON_FAILED, /* our fault */
} as_veraison_status;

typedef struct as_veraison_reply {
    as_veraison_status status;
    vs_buf body;        /* OK, CREATED: JSON; prepared by the caller */
    vs_span location;   /* CREATED: relative to the request's */
    const char *detail; /* of a refusal, for the client; on the arena or static */
    const char *accept; /* UNSUPPORTED_TYPE: what would be, separated by commas */
    char decision[37];  /* id of the record of what was found; "" = none; set by `decide`'s owner */
} as_veraison_reply;

/* Never fails except through reply->status; what the operator should know goes to the log. */
void as_veraison_handle(as_veraison *v, const as_veraison_call *call, as_veraison_reply *reply);
/* Housekeeping for programs whose store nobody else purges, about once a minute. */
void as_veraison_tick(as_veraison *v, int64_t now);

#endif
