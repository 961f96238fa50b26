/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks of the running server share: the server itself, a realm, a guest's requests.
 * Whatever fails ends the program. */
#ifndef VS_BENCH_SERVED_H
#define VS_BENCH_SERVED_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "client/client.h"
#include "net/http_client.h"
#include "realm/realm.h"

static const char resource[] = "bench/data/secret";
extern vs_error err;

void must(vs_code code, const char *what);
#define MUST(call) must((call), #call)

typedef struct bench {
    char dir[64], url[64];
    pid_t pid;
    realm_home *realm;
    vs_key *admin, *tee;
    vs_arena a;
    vs_val tee_jwk;
    vs_buf token;
    atomic_long left, done;
    int64_t *latencies; /* of GETs, ns */
    atomic_long next_get;
} bench;

/* A directory of its own below /tmp. */
void make_dir(bench *b);
void make_keys(bench *b);
/* Returns milliseconds from start to ready. */
double start_server(bench *b);
/* Stores the resource and endorses the realm. */
void administrate(bench *b);
/* An attestation token into b->token. */
void get_token(bench *b);
void stop_server(bench *b);
/* Removes the directory and frees everything. */
void clean_up(bench *b);
long rss_kb(pid_t pid);

/* A client of one thread. */
typedef struct worker {
    bench *b;
    vs_http_client *http;
    vs_arena a;
    vs_error err;
    char url[160];
} worker;
void start_worker(worker *w, bench *b);
void stop_worker(worker *w);
bool post(worker *w, const char *path, vs_span body, const char *cookie, vs_buf *answer);
bool attest_once(worker *w, vs_buf *answer, vs_buf *scratch, vs_buf *body);
_Noreturn void give_up(const worker *w, const char *what, const vs_buf *answer);
/* For qsort of int64_t. */
int by_time(const void *x, const void *y);

#endif
