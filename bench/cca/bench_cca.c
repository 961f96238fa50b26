/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How close does an attestation come to the P-384 signatures that have to be verified for it?
 *
 * The floor is the bare verification: digest at hand, key imported, nothing signed; twice for a
 * platform token never seen, once for one that is in the cache. Above it stand three layers of the
 * server's own code: the CCA driver (evidence to claims), as_evaluate (evidence to signed token)
 * and the broker's POST /attest (body to reply, session stored). Two costs that no server could
 * avoid are printed beside them and are NOT in the floor: the import of the realm's key and the
 * ES256 signature of the token.
 *
 * What a server has just parsed lies in the processor's caches. So the evidence of an operation is
 * parsed right before it, which is not counted; POST /attest does it itself.
 *
 * Rates are per second of CPU time of one thread. All are measured in turn, a few operations each,
 * and the lower decile of the turns counts: what the machine can do while nothing else runs on it,
 * since other work costs cold caches even where CPU time is counted.
 *
 * Then the same by several threads at once, where `waits` counts how often one had to wait for
 * another.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "attested.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/ecdsa.h"
#include "value/json.h"

enum { TURNS = 160, TURN = 6, SAMPLES = TURNS * TURN, THREADS_MAX = 4 };
static const double target = 0.9; /* of as_evaluate to the floor */

static sample samples[SAMPLES];

/* ---- what is measured ----------------------------------------------------------------------- */

/* An ES384 signature with all that its verification needs. */
static struct {
    vs_key *key, *signer;
    uint8_t point[133], digest[VS_HASH_MAX];
    size_t point_n;
    vs_buf rs, scratch;
    vs_span message;
} bare;

static void start_bare(void)
{
    bare.message = VS_LIT("as long as the header and the claims of an attestation token are ......"
                          "....................................................................");
    bare.rs = bare.scratch = (vs_buf)VS_BUF(256);
    MUST(vs_key_generate(VS_KEY_P384, &bare.key, &err));
    MUST(vs_key_generate(VS_KEY_P256, &bare.signer, &err));
    MUST(vs_key_point(bare.key, bare.point, &bare.point_n, &err));
    MUST(vs_sign(bare.key, VS_ES384, &bare.message, 1, &bare.rs, &err));
    MUST(vs_digest(VS_SHA384, bare.message, VS_LIT(""), VS_LIT(""), bare.digest, &err));
}

static void stop_bare(void)
{
    vs_key_free(&bare.key);
    vs_key_free(&bare.signer);
    vs_buf_free(&bare.rs);
    vs_buf_free(&bare.scratch);
}

/* One operation of a thread that has its own arena; `evidence` is the sample's, parsed. */
typedef void operation(bench *b, const sample *s, vs_val evidence, vs_arena *a);

static void verify_signature(bench *b, const sample *s, vs_val evidence, vs_arena *a)
{
    (void)b, (void)s, (void)evidence, (void)a;
    if (!vs_p384_verify(bare.key, vs_span_of(bare.digest, 48), vs_buf_span(&bare.rs)))
        abort();
}

static void import_key(bench *b, const sample *s, vs_val evidence, vs_arena *a)
{
    (void)b, (void)s, (void)evidence, (void)a;
    vs_key *k = NULL;
    if (vs_key_from_point(VS_KEY_P384, vs_span_of(bare.point, bare.point_n), &k, NULL) != VS_OK)
        abort();
    vs_key_free(&k);
}

static void sign_token(bench *b, const sample *s, vs_val evidence, vs_arena *a)
{
    (void)b, (void)s, (void)evidence, (void)a;
    vs_buf_clear(&bare.scratch);
    MUST(vs_sign(bare.signer, VS_ES256, &bare.message, 1, &bare.scratch, &err));
}

static void drive(bench *b, const sample *s, vs_val evidence, vs_arena *a)
{
    const vs_tee_expect expect = {.report_data = s->report_data, .now = b->now};
    vs_tee_result results[VS_TEE_RESULTS_MAX];
    size_t n;
    vs_error why = {0};
    if (vs_tee_find(VS_LIT("cca"))->verify(&b->trust, evidence, &expect, a, results, &n, &why))
        abort();
}

static void evaluate(bench *b, const sample *s, vs_val evidence, vs_arena *a)
{
    const as_request req = {.tee = VS_LIT("cca"),
                            .evidence = evidence,
                            .runtime_kind = AS_DATA_STRUCTURED,
                            .runtime_json = s->runtime};
    as_result result;
    vs_error why = {0};
    if (as_evaluate(b->as, &req, 1, VS_LIT("default"), b->now, a, &result, &why) != VS_OK ||
        strcmp(result.status, "affirming") != 0)
        abort();
}

/* A session can be used once. */
static void attest(bench *b, const sample *s, vs_val evidence, vs_arena *a)
{
    (void)evidence, (void)a;
    kbs_reply reply = {.body = VS_BUF(1 << 16)};
    ask(b, "attest", s->body, s->session, &reply);
    vs_buf_free(&reply.body);
}

/* ---- one thread ----------------------------------------------------------------------------- */

enum { SIGNATURE, IMPORT, TOKEN, DRIVER, EVALUATE, ATTEST, OPERATIONS };
static operation *const operations[OPERATIONS] = {verify_signature, import_key, sign_token, drive,
                                                  evaluate,         attest};

static double cpu_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static vs_val parsed(const sample *s, vs_arena *a)
{
    vs_val v;
    if (vs_json_parse(a, s->evidence, NULL, &v, NULL) != VS_OK)
        abort();
    return v;
}

/* Microseconds of one operation. The first is not counted: it finds the code of another one in the
 * processor's caches. */
static double take_turn(operation *op, bench *b, unsigned from)
{
    double took = 0;
    for (unsigned i = from; i < from + TURN; i++) {
        vs_val evidence = parsed(&samples[i], &b->work);
        double started = cpu_us();
        op(b, &samples[i], evidence, &b->work);
        took += i == from ? 0 : cpu_us() - started;
        vs_arena_reset(&b->work);
    }
    return took / (TURN - 1);
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double lower_decile(double v[TURNS])
{
    qsort(v, TURNS, sizeof v[0], ascending);
    return v[TURNS / 10];
}

static void layer(const char *name, double us, double floor)
{
    printf("  %-22s %8.1f us %8.0f/s   %.3f of the floor\n", name, us, 1e6 / us, floor / us);
}

static void one_thread(bench *b, const char *name, unsigned signatures)
{
    static double took[OPERATIONS][TURNS];
    double us[OPERATIONS];
    for (unsigned turn = 0; turn < TURNS; turn++)
        for (unsigned o = 0; o < OPERATIONS; o++)
            took[o][turn] = take_turn(operations[o], b, turn * TURN);
    for (unsigned o = 0; o < OPERATIONS; o++)
        us[o] = lower_decile(took[o]);
    double floor = signatures * us[SIGNATURE];
    printf("\nplatform token %s: %u x ES384\n", name, signatures);
    layer("floor", floor, floor);
    layer("driver", us[DRIVER], floor);
    layer("as_evaluate", us[EVALUATE], floor);
    layer("POST /attest", us[ATTEST], floor);
    printf("  above the floor, as_evaluate: %.1f us = key import %.1f + ES256 %.1f + rest %.1f; "
           "target %.2f: %s\n",
           us[EVALUATE] - floor, us[IMPORT], us[TOKEN],
           us[EVALUATE] - floor - us[IMPORT] - us[TOKEN], target,
           floor / us[EVALUATE] >= target ? "reached" : "MISSED");
}

/* ---- several threads ------------------------------------------------------------------------ */

typedef struct worker {
    pthread_t thread;
    bench *b;
    operation *op;
} worker;

static void *work(void *arg)
{
    const worker *w = arg;
    vs_arena a, kept;
    vs_arena_init(&a, 0);
    vs_arena_init(&kept, 0);
    vs_val evidence = parsed(&samples[0], &kept);
    for (unsigned i = 0; i < SAMPLES; i++) {
        w->op(w->b, &samples[0], evidence, &a);
        vs_arena_reset(&a);
    }
    vs_arena_free(&kept);
    vs_arena_free(&a);
    return NULL;
}

static long waits(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return u.ru_nvcsw;
}

typedef struct pace {
    double per_second, cpu_us; /* by the clock; CPU time of one operation */
    long waits;                /* of all threads, for all their operations */
} pace;

static pace together(bench *b, operation *op, unsigned n)
{
    worker w[THREADS_MAX];
    int64_t started = vs_mono_ns();
    double cpu = cpu_us();
    long waited = waits();
    for (unsigned i = 0; i < n; i++) {
        w[i] = (worker){.b = b, .op = op};
        if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < n; i++)
        (void)pthread_join(w[i].thread, NULL);
    return (pace){.per_second = n * SAMPLES * 1e9 / (double)(vs_mono_ns() - started),
                  .cpu_us = (cpu_us() - cpu) / (n * SAMPLES),
                  .waits = waits() - waited};
}

static void several_threads(bench *b)
{
    static const struct {
        const char *name;
        operation *op;
    } rows[] = {{"ES384", verify_signature}, {"key import", import_key}, {"as_evaluate", evaluate}};
    printf("\nthreads, %u operations each\n", SAMPLES);
    for (unsigned r = 0; r < VS_COUNT(rows); r++) {
        double one = 0;
        for (unsigned n = 1; n <= THREADS_MAX; n *= 2) {
            pace p = together(b, rows[r].op, n);
            one = n == 1 ? p.per_second : one;
            printf("  %-12s %u: %8.0f/s by the clock, x %.2f; CPU %6.1f us each; %ld waits\n",
                   rows[r].name, n, p.per_second, p.per_second / one, p.cpu_us, p.waits);
        }
    }
}

static void measure(const char *name, bool cached)
{
    bench b = {0};
    start_service(&b, cached);
    for (unsigned i = 0; i < SAMPLES; i++)
        samples[i] = new_sample(&b);
    (void)take_turn(evaluate, &b, 0); /* policy compiled, arenas grown, cache filled */
    one_thread(&b, name, cached ? 1 : 2);
    if (cached)
        several_threads(&b);
    stop_service(&b);
}

int main(void)
{
    vs_log_setup(VS_LOG_ERROR, false, 2);
    printf("P-384 by %s; CPU time of one thread\n", vs_p384_name);
    start_bare();
    measure("never seen", false);
    measure("verified before", true);
    stop_bare();
    return 0;
}
