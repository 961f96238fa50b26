/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public keys that are kept elsewhere and change there: PEM files and JWK sets, in files or behind
 * https URLs (kbs.md 4.1, 6.1).
 *
 * A request only ever looks at the keys read last. A thread reads files again when they change and
 * URLs every few minutes, and sooner when a request named a key that is not there, but not more
 * often than KBS_KEYS_PAUSE_S: whoever makes up key ids does not make us ask. While reading fails
 * the keys read last stay in use, those of a URL for KBS_KEYS_STALE_S at most. What a URL gave is
 * kept in the store, so that a start does not depend on it.
 */
#ifndef VS_KBS_KEYS_H
#define VS_KBS_KEYS_H

#include <stdatomic.h>

#include "crypto/crypto.h"
#include "kbs/config.h"
#include "store/store.h"

enum { KBS_KEYS_MAX = 1024, KBS_KEYS_PAUSE_S = 30, KBS_KEYS_STALE_S = 7 * 24 * 3600 };

/* Keys as read at one time. Immutable once given out. */
typedef struct kbs_named_key {
    char *kid;  /* of a JWK; NULL for a key from PEM, which any token may try */
    vs_alg alg; /* the JWK fixes it; VS_ALG_NONE for PEM: any that fits the key */
    vs_key *key;
} kbs_named_key;
typedef struct kbs_keys {
    atomic_uint refs;
    kbs_named_key *items;
    size_t n, room;
} kbs_keys;

/* An empty set, to be filled; NULL: out of memory. */
kbs_keys *kbs_keys_new(vs_error *err);
/* Takes the key over (also on failure). `kid`: p == NULL for none. */
VS_MUST vs_code kbs_keys_add(kbs_keys *k, vs_span kid, vs_alg alg, vs_key *key, vs_error *err);
/* Gives a reference back; NULL-safe. */
void kbs_keys_unref(kbs_keys **k);

/* What a source's text holds. */
typedef vs_code (*kbs_keys_reader)(vs_span text, kbs_keys *out, vs_error *err);
/* One public key in PEM. */
vs_code kbs_read_pem(vs_span text, kbs_keys *out, vs_error *err);
/* A JWK set. Keys without "kid" or "alg", or that this build cannot use, are passed over with a
 * warning. `strict`: a key that is malformed, or a set without a usable key, is an error. */
vs_code kbs_read_jwk_set(vs_span text, bool strict, kbs_keys *out, vs_error *err);

typedef struct kbs_sources kbs_sources;
typedef struct kbs_source kbs_source;

typedef struct kbs_sources_config {
    vs_store *store; /* for what URLs gave; NULL = it is not kept. Must outlive it */
    kbs_fetch fetch; /* NULL: URLs are refused */
    void *user;
    unsigned refresh_s; /* of URLs; 0 = 300 */
} kbs_sources_config;

VS_MUST vs_code kbs_sources_new(const kbs_sources_config *cfg, kbs_sources **out, vs_error *err);
void kbs_sources_free(kbs_sources **s);
/* Reads `uri` (a path, file:// or https://) now. A URL that cannot be read does not matter when the
 * store still holds what it gave. `discover`: a URL that gives no JWK set may be an issuer's, whose
 * /.well-known/openid-configuration names one. The source belongs to `s`; `uri` must outlive it.
 * Not once the thread runs. */
VS_MUST vs_code kbs_sources_add(kbs_sources *s, const char *uri, kbs_keys_reader read,
                                bool discover, kbs_source **out, vs_error *err);
/* Starts the thread; without sources there is none. */
VS_MUST vs_code kbs_sources_start(kbs_sources *s, vs_error *err);
/* What the thread does once a second; `now` = vs_mono_ns. For tests. */
void kbs_sources_poll(kbs_sources *s, int64_t now);

/* The keys, with a reference for the caller; never NULL. Any thread, never waits for a peer. */
kbs_keys *kbs_source_keys(kbs_source *s);
/* A key that was asked for is not among them: read again soon. Any thread. */
void kbs_source_missed(kbs_source *s);

#endif
