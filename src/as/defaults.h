/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies that the server stores by itself, and what becomes of them when a later release
 * ships better ones: a text that nobody has chosen is replaced by its successor, with a record like
 * any change; one that an administrator has set, activated or gone back to stays, though it be the
 * same to the byte.
 */
#ifndef VS_AS_DEFAULTS_H
#define VS_AS_DEFAULTS_H

#include "as/policy.h"

typedef enum as_default_state {
    AS_DEFAULT_MISSING,
    AS_DEFAULT_CURRENT,    /* what this release ships */
    AS_DEFAULT_OTHER,      /* a text that no release has shipped, as far as is known */
    AS_DEFAULT_OLD,        /* shipped by an earlier release, and nobody has chosen it */
    AS_DEFAULT_OLD_CHOSEN, /* the same, but somebody has */
} as_default_state;

typedef struct as_default {
    as_default_state state;
    const char *lacks; /* of old ones: what has been put right since */
    const char *etag;
} as_default;

/* Of the attestation service: shipped by the same names. */
enum { AS_DEFAULTS = 4 };
extern const char *const as_default_ids[AS_DEFAULTS];

/* Looks only. `name`: of the shipped text (as/policies.h) that belongs under `id`. On `a`. */
VS_MUST vs_code as_default_look(as_policies *p, vs_span id, const char *name, vs_arena *a,
                                as_default *out, vs_error *err);
/* At the start: stores a missing one, replaces an old one, warns of an old one that was chosen.
 * What keeps it from doing the latter two is logged and no failure. *stored (may be NULL): there
 * was none. */
VS_MUST vs_code as_default_install(as_policies *p, vs_span id, const char *name, int64_t now,
                                   bool *stored, vs_error *err);
/* What an administrator types to have this release's. */
const char *as_default_command(vs_span id, const char *name, vs_arena *a);
/* Is it the digest (hexadecimal) of a text that an earlier release has shipped under `name`? NULL
 * if not, otherwise what it lacks. */
const char *as_default_lacks(const char *name, vs_span sha256);

#endif
