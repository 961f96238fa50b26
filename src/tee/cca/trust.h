/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the CCA verifier trusts: the configuration file (CCA_CONFIG_FILE, cca.md 4.3), and the trust
 * anchor store and the reference value store it names, or the remote verifier. Trustee wants both;
 * here each may be missing, since the reference value provider endorses platforms as well
 * (endorsed.h). Members that only vouchsafe knows, beside "type": "accept-lifecycle": [...] see
 * below "platform-mismatch": "policy"      a platform that is not endorsed does not fail the
 * request: policy sees the trust vector and decides. Default "fail" "rvps-endorsements": false only
 * the JSON stores count. Default true
 *
 * The files are looked at (stat) at every verification and read again when one has changed:
 * a new snapshot with the next generation replaces the old one, and with the old one goes its cache
 * of verified platform tokens. When a changed file is broken or gone, evidence is REFUSED until it
 * is whole again: silently trusting what the operator has just withdrawn would be worse. The log
 * says so once. Replace files by rename, so that no half-written one is seen.
 *
 * Only platforms in the lifecycle state "secured" are accepted: in the others somebody can debug
 * what the token vouches for, and the claims given to policy do not tell. Trustee has no such
 * check; a laboratory may name further states in the configuration, beside "type":
 *   "accept-lifecycle": ["recoverable-cca-platform-rot-debug"]
 *
 * Thread safe. A snapshot is immutable and lives until it is released by all who took it.
 */
#ifndef VS_TEE_CCA_TRUST_H
#define VS_TEE_CCA_TRUST_H

#include "tee/cca/cache.h"
#include "tee/cca/remote.h"

typedef struct cca_trust cca_trust;

typedef struct cca_snapshot {
    uint64_t generation;   /* 1, 2, ... */
    unsigned lifecycles;   /* accepted states of the platform: a set of 1 << cca_lifecycle */
    bool policy_decides;   /* about platforms that are not endorsed */
    bool use_endorsements; /* of the reference value provider */
    cca_stores stores;
    cca_cache *cache;   /* NULL = switched off */
    cca_remote *remote; /* NULL: verified here; else by it, and the stores are empty */
    unsigned users;     /* guarded by the trust's lock */
    cca_trust *owner;
} cca_snapshot;

/* Reads the configuration and the stores it names. VS_E_NOT_FOUND: there is no configuration file
 * (a missing store is VS_E_IO); VS_E_PARSE, VS_E_INVALID. */
VS_MUST vs_code cca_trust_load(const char *config_path, cca_trust **out, vs_error *err);
/* From texts, never reloaded; p == NULL: no such store. Without any, whatever is trusted is an
 * endorsement of the reference value provider. */
VS_MUST vs_code cca_trust_of_text(vs_span ta_store, vs_span rv_store, cca_trust **out,
                                  vs_error *err);
/* The i-th file that was named at the start; NULL beyond the last one, and for t == NULL. */
const char *cca_trust_file(const cca_trust *t, size_t i);
/* Verification waits for another program (tee/cca/remote.h). This does not change: a configuration
 * of the other type is refused until the next start. NULL-safe. */
bool cca_trust_is_remote(const cca_trust *t);
/* All snapshots must have been released. NULL-safe. */
void cca_trust_free(cca_trust **t);
/* The cache of verified platform tokens is on from the start; switching drops the snapshot's. Call
 * it before verifications start. */
void cca_trust_use_cache(cca_trust *t, bool on);

/* The trust as of now. The error is that of the broken file when there is one. */
VS_MUST vs_code cca_trust_take(cca_trust *t, cca_snapshot **out, vs_error *err);
/* NULL-safe; sets *s NULL. */
void cca_snapshot_release(cca_snapshot **s);

#endif
