/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as its users see it: `vouchsafe serve` on loopback HTTP with keep-alive.
 *
 *   bench_serve [ATTESTATIONS]      (default 100000)
 *
 * Prints the time from start to ready, /auth + /attest pairs per second, resource GETs per second
 * with p50 and p99, and the server's resident memory after 10,000 and after all attestations. The
 * clients sign their own realm tokens, one P-384 signature each, on the same machine: the server
 * has about half of it.
 */
#include "served.h"

#include <pthread.h>

#include "base/clock.h"

enum { THREADS = 2, GETS = 20000, EARLY = 10000, READY_TARGET_MS = 100, RSS_TARGET_KB = 32 * 1024 };

static void *attest_many(void *arg)
{
    worker w;
    start_worker(&w, arg);
    vs_buf answer = VS_BUF(1 << 20), scratch = VS_BUF(1 << 20), body = VS_BUF(1 << 20);
    while (atomic_fetch_sub(&w.b->left, 1) > 0) {
        if (!attest_once(&w, &answer, &scratch, &body))
            give_up(&w, "attestation", &answer);
        atomic_fetch_add(&w.b->done, 1);
    }
    vs_buf_free(&answer);
    vs_buf_free(&scratch);
    vs_buf_free(&body);
    stop_worker(&w);
    return NULL;
}

static double in_threads(bench *b, void *(*work)(void *))
{
    pthread_t t[THREADS];
    int64_t begin = vs_mono_ns();
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, work, b) != 0)
            exit(1);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(t[i], NULL);
    return (double)(vs_mono_ns() - begin) / 1e9;
}

static void attest(bench *b, long n)
{
    atomic_store(&b->left, n);
    double s = in_threads(b, attest_many);
    printf("%8ld /auth + /attest pairs: %7.0f per second (clients signing on the same cores)\n", n,
           (double)n / s);
}

/* ---- resources
 * ------------------------------------------------------------------------------------- */

static void *get_many(void *arg)
{
    worker w;
    start_worker(&w, arg);
    vs_buf answer = VS_BUF(1 << 20);
    const char *bearer =
        vs_sprintf(&w.b->a, "Authorization: Bearer %.*s", VS_FMT(vs_buf_span(&w.b->token)));
    const char *headers[] = {bearer, NULL};
    (void)snprintf(w.url, sizeof w.url, "%s/kbs/v0/resource/%s", w.b->url, resource);
    for (long i; (i = atomic_fetch_add(&w.b->next_get, 1)) < GETS;) {
        vs_http_call call = {.method = "GET", .url = w.url, .headers = headers};
        int status = 0;
        vs_buf_clear(&answer);
        int64_t begin = vs_mono_ns();
        if (vs_http_client_do(w.http, &call, &status, &answer, &w.err) != VS_OK || status != 200)
            give_up(&w, "GET resource", &answer);
        w.b->latencies[i] = vs_mono_ns() - begin;
    }
    vs_buf_free(&answer);
    stop_worker(&w);
    return NULL;
}

static void get(bench *b)
{
    b->latencies = calloc(GETS, sizeof *b->latencies);
    if (!b->latencies)
        exit(1);
    double s = in_threads(b, get_many);
    qsort(b->latencies, GETS, sizeof *b->latencies, by_time);
    printf("%8d resource GETs: %7.0f per second, p50 %.0f us, p99 %.0f us (token check, policy, "
           "read, JWE)\n",
           GETS, GETS / s, (double)b->latencies[GETS / 2] / 1e3,
           (double)b->latencies[GETS * 99 / 100] / 1e3);
    free(b->latencies);
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    static bench b;
    if (n < EARLY) {
        (void)fprintf(stderr, "usage: bench_serve [ATTESTATIONS, at least %d]\n", EARLY);
        return 2;
    }
    make_dir(&b);
    make_keys(&b);
    double ready = start_server(&b);
    printf("%8.1f ms from start to ready (target %d)\n", ready, READY_TARGET_MS);
    administrate(&b);
    get_token(&b);
    get(&b);
    attest(&b, EARLY);
    long early = rss_kb(b.pid);
    printf("%8ld kB resident after %d attestations\n", early, EARLY);
    if (n > EARLY)
        attest(&b, n - EARLY);
    long late = rss_kb(b.pid);
    printf("%8ld kB resident after %ld attestations (target %d), growth %+ld kB\n", late, n,
           RSS_TARGET_KB, late - early);
    stop_server(&b);
    bool ok = ready <= READY_TARGET_MS && late <= RSS_TARGET_KB && late - early <= early / 20;
    puts(ok ? "targets met" : "targets MISSED");
    clean_up(&b);
    return ok ? 0 : 1;
}
