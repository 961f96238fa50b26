/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Veraison service as the verifier of CCA tokens: "type": "remote" of Trustee's configuration
 * (cca.md 4.3, 4.4), a client of its challenge-response interface (5).
 *
 *   {"cca-verifier": {"type": "remote", "address": "https://host:port", "ca-cert": PATH?}}
 *
 * and, of ours only:
 *   "minimum-status": "warning" (default), "affirming", or "none", which takes whatever status the
 *                     service gives, as Trustee does
 *   "timeout-ms":     for one attestation with all its requests, 100 to 120000; 30000
 *   "allow-http":     true: an address that is not this machine's may be http://
 *
 * The token's challenge is compared with the nonce here as well, and the claims in the EAR with
 * those of the token: a service is believed about signatures and endorsements only. Its key is
 * what its discovery document says over TLS. It is kept for CCA_REMOTE_KEY_S, and asked for again
 * when a signature does not verify with it, once for each such token.
 *
 * Blocks; several threads at a time.
 */
#ifndef VS_TEE_CCA_REMOTE_H
#define VS_TEE_CCA_REMOTE_H

#include "tee/cca/remote_answer.h"
#include "tee/cca/token.h"

enum { CCA_REMOTE_KEY_S = 60 };

typedef struct cca_remote cca_remote;

/* `verifier` is the object of the configuration. Reads the certificates; asks nobody. */
VS_MUST vs_code cca_remote_new(vs_val verifier, cca_remote **out, vs_error *err);
void cca_remote_free(cca_remote **r); /* NULL-safe */

/* Has the service verify the token, whose realm challenge is the nonce. `platform` and `realm` are
 * the token's claims as in cca.md 4.2. VS_OK: the service has signed that it found this token good
 * enough. Else as in remote_answer.h; VS_E_IO, VS_E_TIMEOUT, VS_E_UNTRUSTED (its certificate). */
VS_MUST vs_code cca_remote_verify(cca_remote *r, const cca_token *t, vs_val platform, vs_val realm,
                                  int64_t now, vs_arena *a, cca_ear_findings *out, vs_error *err);

#endif
