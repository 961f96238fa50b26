/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rego policies kept as text in the store, compiled once and evaluated by many threads.
 *
 * The text is read from the store for every evaluation, so that a policy set through another
 * replica counts at once; it is compiled again only when it differs from what was compiled last.
 * Evaluation contexts are pooled. Thread safe.
 */
#ifndef VS_AS_POLICY_H
#define VS_AS_POLICY_H

#include "rego/engine.h"
#include "store/store.h"

enum { AS_POLICY_TEXT_MAX = 1024 * 1024 };

typedef struct as_policies as_policies;

#define AS_POLICY_NAMESPACE "attestation_service_policy" /* those of the attestation service */

/* Every text that was ever used, under its digest: what a record refers to. */
#define AS_POLICY_TEXTS "policy_text"

/* Policies of one namespace, stored under "<id>.rego". Store, namespace and hosts must outlive it.
 */
VS_MUST vs_code as_policies_new(vs_store *store, const char *ns, const rego_host_decl *hosts,
                                size_t n_hosts, as_policies **out, vs_error *err);
/* The same under "<prefix><id>.rego"; `prefix` is at most 32 bytes and outlives it. */
VS_MUST vs_code as_policies_under(vs_store *store, const char *ns, const char *prefix,
                                  const rego_host_decl *hosts, size_t n_hosts, as_policies **out,
                                  vs_error *err);
void as_policies_free(as_policies **p);

typedef struct as_policy_place {
    vs_store *store;
    const char *ns, *prefix;
} as_policy_place;
const as_policy_place *as_policies_place(const as_policies *p);

/* [A-Za-z0-9._-]{1,128}, not starting with '.'. */
bool as_policy_id_ok(vs_span id);
/* All that as_policies_set wants of an id and a text. */
VS_MUST vs_code as_policies_check(const as_policies *p, vs_span id, vs_span text, vs_error *err);

/* Checks the text (UTF-8, every static check; unknown functions fail only when reached, as in
 * Trustee) and stores it. VS_PUT_CREATE: VS_E_EXISTS when there is one. `id`:
 * [A-Za-z0-9._-]{1,128}, not starting with '.', else VS_E_INVALID. */
VS_MUST vs_code as_policies_set(as_policies *p, vs_span id, vs_span text, vs_put_mode mode,
                                vs_error *err);

/* All ids in order, as an array of text. */
VS_MUST vs_code as_policies_list(as_policies *p, vs_arena *a, vs_val *out, vs_error *err);

/* A context for evaluating policy `id`, to be given back soon. VS_E_NOT_FOUND when there is none.
 */
typedef struct as_policy_lease {
    rego_eval *eval;
    struct as_compiled *compiled;
    const char *sha256; /* of the text, in hexadecimal; valid until it is given back */
} as_policy_lease;
VS_MUST vs_code as_policies_lease(as_policies *p, vs_span id, as_policy_lease *out, vs_error *err);
/* NULL-safe; values of the evaluation are gone afterwards. */
void as_policies_return(as_policies *p, as_policy_lease *lease);

/* One entry of rego_eval_explain as a clause for people: `input.a = 1 is not in data.b = [2]`.
 * Values are cut; nothing but what the entry holds is used. */
void as_policy_explain(vs_buf *out, vs_val entry);

#endif
