/* SPDX-License-Identifier: Apache-2.0 */
/* A verifier and broker in this process, a realm, and what the realm's guest would send. Whatever
 * fails ends the program. */
#ifndef VS_BENCH_ATTESTED_H
#define VS_BENCH_ATTESTED_H

#include <stdio.h>

#include "kbs/kbs.h"
#include "realm/realm.h"
#include "tee/cca/trust.h"

extern vs_error err; /* of the main thread */

void must(vs_code code, const char *what);
#define MUST(call) must((call), #call)

typedef struct bench {
    vs_arena keep; /* for the whole run */
    vs_arena work; /* one request of the main thread at a time */
    vs_store *store;
    rvps *rv;
    cca_trust *cca;
    vs_tee_trust trust;
    as_service *as;
    kbs_config cfg;
    kbs *k;
    realm_keys keys;
    realm_spec spec;
    vs_buf platform;
    vs_val jwk;
    int64_t now;
} bench;

/* The realm is endorsed. `cached`: platform tokens verified before are known again. */
void start_service(bench *b, bool cached);
void stop_service(bench *b);

/* One attestation: the request's body and cookie, and the parts of it that the verifier takes.
 * Fresh nonce and realm token, lives as long as the service. */
typedef struct sample {
    vs_span session, body, evidence; /* evidence: JSON text */
    vs_val runtime;
    vs_span report_data; /* what the evidence is bound to */
} sample;
sample new_sample(bench *b);

/* POST to a path of the broker; the reply is on b->work. */
void ask(bench *b, const char *what, vs_span body, vs_span session, kbs_reply *reply);

#endif
