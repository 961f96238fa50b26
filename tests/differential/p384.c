/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds OpenSSL and nettle against each other, and both against what is known by construction, on
 * random and malformed P-384 signatures and keys.
 *
 *   p384_differential COUNT [SEED [STATE]]
 *
 * Signing a million times would cost more than verifying, so a pool of nonces with their points is
 * made once and used with any key and digest. (Who signs for more than a test may never do that.)
 * One thread per processor; the first disagreement is printed with all its bytes and ends the run
 * with status 1. Without nettle there is nothing to compare: status 77, which is meson's "skipped".
 *
 * A million take a quarter of an hour and more. The work is in slices, each with a seed of its own.
 * With STATE, a file, what is done is noted there after each slice: a run that was stopped,
 * however, goes on where it was when it is started again, and the file goes when all is done. SEED
 * "-" is a new one, or that of the file.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "crypto/ecdsa.h"

#ifdef VS_WITH_NETTLE

enum {
    FIELD = 48,
    POINT = 1 + 2 * FIELD,
    KEYS = 64,
    NONCES = 256,
    THREADS_MAX = 16,
    KINDS_MAX = 32,
    HOT = 500,
    SLICE = 1000,
    SLICES_MAX = 1 << 16,
    TELL_S = 15, /* between lines of progress */
};

static const char order_hex[] = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf"
                                "581a0db248b0a77aecec196accc52973";
static const char prime_hex[] = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                                "ffffffff0000000000000000ffffffff";

/* ---- the pool ------------------------------------------------------------------------------- */

typedef struct pair {
    BIGNUM *secret; /* of a key: d; of a nonce: 1/k modulo n */
    uint8_t point[POINT];
} pair;

static struct {
    BIGNUM *order, *prime;
    pair key[KEYS], nonce[NONCES];
} pool;

static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "p384_differential: %s\n", what);
    exit(1);
}

static void must(bool ok)
{
    if (!ok)
        give_up("OpenSSL failed or memory ran out");
}

/* A private key by way of its JWK, the one form that gives it away. */
static void make_pair(pair *p)
{
    vs_key *k = NULL;
    uint8_t point[133];
    size_t n;
    vs_buf jwk = VS_BUF(1024), raw = VS_BUF(64);
    must(vs_key_generate(VS_KEY_P384, &k, NULL) == VS_OK);
    must(vs_key_point(k, point, &n, NULL) == VS_OK && n == POINT);
    memcpy(p->point, point, POINT);
    must(vs_key_to_private_jwk(&jwk, k, NULL) == VS_OK);
    vs_buf_putc(&jwk, 0);
    const char *d = strstr((const char *)jwk.p, "\"d\":\"");
    must(d && vs_b64_decode(&raw, VS_B64_URL, vs_span_of(d + 5, 64), NULL) == VS_OK);
    must((p->secret = BN_bin2bn(raw.p, (int)raw.n, NULL)) != NULL);
    vs_key_free(&k);
    vs_buf_free(&jwk);
    vs_buf_free(&raw);
}

static void make_pool(void)
{
    BN_CTX *ctx = BN_CTX_new();
    must(ctx && BN_hex2bn(&pool.order, order_hex) && BN_hex2bn(&pool.prime, prime_hex));
    for (unsigned i = 0; i < KEYS; i++)
        make_pair(&pool.key[i]);
    for (unsigned i = 0; i < NONCES; i++) {
        make_pair(&pool.nonce[i]);
        must(BN_mod_inverse(pool.nonce[i].secret, pool.nonce[i].secret, pool.order, ctx) != NULL);
    }
    BN_CTX_free(ctx);
}

static void free_pool(void)
{
    for (unsigned i = 0; i < KEYS; i++)
        BN_free(pool.key[i].secret);
    for (unsigned i = 0; i < NONCES; i++)
        BN_free(pool.nonce[i].secret);
    BN_free(pool.order);
    BN_free(pool.prime);
}

/* ---- cases ---------------------------------------------------------------------------------- */

typedef struct test_case {
    uint8_t point[POINT + 1], digest[64], rs[2 * FIELD + 2];
    size_t point_n, digest_n, rs_n;
    bool valid, key_ok;
} test_case;

typedef struct tally {
    long n;
    double openssl_us, nettle_us; /* import of the key and verification */
} tally;

typedef struct results {
    long of_kind[KINDS_MAX];
    tally good, refused; /* refused: with a good key and a length that is right */
} results;

/* What one thread has. */
typedef struct worker {
    pthread_t thread;
    uint64_t random; /* state of splitmix64 */
    BN_CTX *ctx;
    BIGNUM *r, *s, *z;
    results slice;
} worker;

static uint64_t draw(worker *w)
{
    uint64_t x = w->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void fill(worker *w, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)draw(w);
}

static void flip(worker *w, uint8_t *p, size_t n)
{
    uint64_t bit = draw(w) % (n * 8);
    p[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void put(uint8_t *at, const BIGNUM *v)
{
    must(BN_bn2binpad(v, at, FIELD) == FIELD);
}

/* s = (z + r d) / k */
static void sign(worker *w, test_case *c, const pair *key)
{
    const pair *nonce = &pool.nonce[draw(w) % NONCES];
    int digest_n = c->digest_n > FIELD ? FIELD : (int)c->digest_n;
    must(BN_bin2bn(nonce->point + 1, FIELD, w->r) && BN_bin2bn(c->digest, digest_n, w->z) &&
         BN_nnmod(w->r, w->r, pool.order, w->ctx) &&
         BN_mod_mul(w->s, w->r, key->secret, pool.order, w->ctx) &&
         BN_mod_add(w->s, w->s, w->z, pool.order, w->ctx) &&
         BN_mod_mul(w->s, w->s, nonce->secret, pool.order, w->ctx));
    put(c->rs, w->r);
    put(c->rs + FIELD, w->s);
}

/* A value at one of the ends: 0 to 4, or up to 2 beside n or p, or the greatest of all. */
static void put_extreme(worker *w, uint8_t *at)
{
    const BIGNUM *ends[] = {NULL, pool.order, pool.prime};
    uint64_t which = draw(w) % (VS_COUNT(ends) + 1), off = draw(w) % 5;
    if (which == VS_COUNT(ends)) {
        memset(at, 0xff, FIELD);
        return;
    }
    BIGNUM *v = ends[which] ? BN_dup(ends[which]) : BN_new();
    must(v && (!ends[which] || BN_sub_word(v, 2)) && BN_add_word(v, off));
    put(at, v);
    BN_free(v);
}

static void keep(worker *w, test_case *c)
{
    (void)w, (void)c;
}

static void negate_s(worker *w, test_case *c)
{
    must(BN_sub(w->s, pool.order, w->s));
    put(c->rs + FIELD, w->s);
}

static void flip_r(worker *w, test_case *c)
{
    c->valid = false;
    flip(w, c->rs, FIELD);
}

static void flip_s(worker *w, test_case *c)
{
    c->valid = false;
    flip(w, c->rs + FIELD, FIELD);
}

static void flip_digest(worker *w, test_case *c)
{
    c->valid = false;
    flip(w, c->digest, c->digest_n > FIELD ? FIELD : c->digest_n);
}

static void swap(worker *w, test_case *c)
{
    (void)w;
    c->valid = false;
    put(c->rs, w->s);
    put(c->rs + FIELD, w->r);
}

static void other_key(worker *w, test_case *c)
{
    const pair *key = &pool.key[draw(w) % KEYS];
    c->valid = memcmp(c->point, key->point, POINT) == 0;
    memcpy(c->point, key->point, POINT);
}

static void extreme_r(worker *w, test_case *c)
{
    c->valid = false;
    put_extreme(w, c->rs);
}

static void extreme_s(worker *w, test_case *c)
{
    c->valid = false;
    put_extreme(w, c->rs + FIELD);
}

static void extreme_both(worker *w, test_case *c)
{
    c->valid = false;
    put_extreme(w, c->rs);
    put_extreme(w, c->rs + FIELD);
}

static void random_both(worker *w, test_case *c)
{
    c->valid = false;
    fill(w, c->rs, (size_t)2 * FIELD);
}

static void other_length(worker *w, test_case *c)
{
    c->valid = false;
    c->rs_n = draw(w) % 2 ? c->rs_n + 1 + draw(w) % 2 : draw(w) % (2 * FIELD);
}

static void flip_point(worker *w, test_case *c)
{
    c->valid = c->key_ok = false;
    flip(w, c->point, POINT);
}

static void random_point(worker *w, test_case *c)
{
    c->valid = c->key_ok = false;
    fill(w, c->point + 1, POINT - 1);
}

static void extreme_point(worker *w, test_case *c)
{
    c->valid = c->key_ok = false;
    put_extreme(w, c->point + 1 + (draw(w) % 2 ? FIELD : 0));
}

static void point_of_other_length(worker *w, test_case *c)
{
    c->valid = c->key_ok = false;
    c->point_n = draw(w) % 2 ? POINT + 1 : draw(w) % POINT;
}

/* -Q: the signature fits it as little as any other key, unless the digest is zero: then R = u2 Q is
 * negated with Q and keeps its x. */
static void negate_point(worker *w, test_case *c)
{
    c->valid = true;
    for (size_t i = 0; i < c->digest_n && i < FIELD; i++)
        c->valid &= c->digest[i] == 0;
    must(BN_bin2bn(c->point + 1 + FIELD, FIELD, w->z) && BN_sub(w->z, pool.prime, w->z));
    put(c->point + 1 + FIELD, w->z);
}

static const struct kind {
    const char *name;
    void (*change)(worker *w, test_case *c);
} kinds[] = {
    {"as signed", keep},
    {"s negated", negate_s},
    {"bit of r", flip_r},
    {"bit of s", flip_s},
    {"bit of the digest", flip_digest},
    {"r and s swapped", swap},
    {"another key", other_key},
    {"key negated", negate_point},
    {"extreme r", extreme_r},
    {"extreme s", extreme_s},
    {"extreme r and s", extreme_both},
    {"random r and s", random_both},
    {"length of r||s", other_length},
    {"bit of the key", flip_point},
    {"random point", random_point},
    {"extreme coordinate", extreme_point},
    {"length of the point", point_of_other_length},
};

static void make_case(worker *w, size_t kind, test_case *c)
{
    static const size_t digest_sizes[] = {FIELD, FIELD, FIELD, FIELD, 20, 32, 47, 49, 64};
    const pair *key = &pool.key[draw(w) % KEYS];
    *c = (test_case){.point_n = POINT, .rs_n = (size_t)2 * FIELD, .valid = true, .key_ok = true};
    memcpy(c->point, key->point, POINT);
    c->digest_n = digest_sizes[draw(w) % VS_COUNT(digest_sizes)];
    fill(w, c->digest, c->digest_n);
    if (draw(w) % 16 == 0) /* zero, ones, or nearly */
        memset(c->digest, draw(w) % 2 ? 0xff : 0, c->digest_n - draw(w) % 2);
    sign(w, c, key);
    kinds[kind].change(w, c);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static void dump(const char *name, const uint8_t *p, size_t n)
{
    (void)fprintf(stderr, "  %s ", name);
    for (size_t i = 0; i < n; i++)
        (void)fprintf(stderr, "%02x", p[i]);
    (void)fprintf(stderr, "\n");
}

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool by_openssl(const test_case *c, bool *key_ok)
{
    vs_key *k = NULL;
    *key_ok = vs_key_from_point(VS_KEY_P384, vs_span_of(c->point, c->point_n), &k, NULL) == VS_OK;
    bool ok = *key_ok && c->rs_n == (size_t)2 * FIELD &&
              vs_ecdsa_openssl(k, vs_span_of(c->digest, c->digest_n), vs_span_of(c->rs, c->rs_n));
    vs_key_free(&k);
    return ok;
}

static bool by_nettle(const test_case *c)
{
    return vs_p384_nettle_point(vs_span_of(c->point, c->point_n),
                                vs_span_of(c->digest, c->digest_n), vs_span_of(c->rs, c->rs_n));
}

static void add(tally *t, double openssl_us, double nettle_us, long n)
{
    t->n += n;
    t->openssl_us += openssl_us;
    t->nettle_us += nettle_us;
}

static void compare(worker *w, size_t kind)
{
    test_case c;
    bool key_ok;
    make_case(w, kind, &c);
    double start = now_us();
    bool openssl = by_openssl(&c, &key_ok);
    double middle = now_us();
    bool nettle = by_nettle(&c);
    tally *t = c.valid ? &w->slice.good : &w->slice.refused;
    if (c.key_ok && c.rs_n == (size_t)2 * FIELD)
        add(t, middle - start, now_us() - middle, 1);
    ERR_clear_error();
    w->slice.of_kind[kind]++;
    if (openssl == c.valid && nettle == c.valid && key_ok == c.key_ok)
        return;
    (void)fprintf(stderr,
                  "%s: expected %d, openssl says %d, nettle %d; key expected %d, openssl %d\n",
                  kinds[kind].name, c.valid, openssl, nettle, c.key_ok, key_ok);
    dump("key   ", c.point, c.point_n);
    dump("digest", c.digest, c.digest_n);
    dump("r||s  ", c.rs, c.rs_n);
    exit(1);
}

/* ---- slices ---------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    long count, slices, next; /* the next that nobody has looked at */
    bool done[SLICES_MAX];
    long n_done, done_before; /* signatures; before this process */
    uint64_t seed;
    const char *file; /* NULL: nothing is noted */
    results all;
    int64_t started, told; /* seconds */
    double spent_before;   /* seconds, by the processes before */
} run_state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static long size_of(long slice)
{
    long from = slice * SLICE;
    return run_state.count - from < SLICE ? run_state.count - from : SLICE;
}

/* False: all are done or being done. */
static bool take_slice(long *out)
{
    (void)pthread_mutex_lock(&run_state.lock);
    while (run_state.next < run_state.slices && run_state.done[run_state.next])
        run_state.next++;
    *out = run_state.next++;
    (void)pthread_mutex_unlock(&run_state.lock);
    return *out < run_state.slices;
}

static double spent(void)
{
    return run_state.spent_before + (double)(vs_now_s() - run_state.started);
}

static void save_state(void)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(SLICES_MAX + 4096);
    const results *r = &run_state.all;
    vs_buf_printf(&text, "p384 1\n%ld %" PRIu64 " %.0f\n", run_state.count, run_state.seed,
                  spent());
    for (size_t i = 0; i < VS_COUNT(kinds); i++)
        vs_buf_printf(&text, "%ld ", r->of_kind[i]);
    vs_buf_printf(&text, "\n%ld %.0f %.0f\n%ld %.0f %.0f\n", r->good.n, r->good.openssl_us,
                  r->good.nettle_us, r->refused.n, r->refused.openssl_us, r->refused.nettle_us);
    for (long i = 0; i < run_state.slices; i++)
        vs_buf_putc(&text, run_state.done[i] ? '1' : '0');
    vs_buf_putc(&text, '\n');
    vs_error err = {0};
    if (vs_buf_check(&text, &err) != VS_OK ||
        vs_write_file(run_state.file, vs_buf_span(&text), 0644, &err) != VS_OK)
        give_up("the state cannot be written");
}

/* What a process before has done of the same run; anything else is no state. */
static void load_state(bool any_seed)
{
    FILE *f = fopen(run_state.file, "r");
    if (!f)
        return;
    results r = {0};
    long count = 0, n = 0;
    uint64_t seed = 0;
    double seconds = 0;
    bool ok = fscanf(f, "p384 1 %ld %" SCNu64 " %lf", &count, &seed, &seconds) == 3 &&
              count == run_state.count && (any_seed || seed == run_state.seed);
    for (size_t i = 0; ok && i < VS_COUNT(kinds); i++, n += r.of_kind[i - 1])
        ok = fscanf(f, "%ld", &r.of_kind[i]) == 1;
    ok =
        ok && fscanf(f, "%ld %lf %lf %ld %lf %lf", &r.good.n, &r.good.openssl_us, &r.good.nettle_us,
                     &r.refused.n, &r.refused.openssl_us, &r.refused.nettle_us) == 6;
    long n_done = 0;
    for (long i = 0; ok && i < run_state.slices; i++) {
        char c = 0;
        ok = fscanf(f, " %c", &c) == 1 && (c == '0' || c == '1');
        run_state.done[i] = c == '1';
        n_done += run_state.done[i] ? size_of(i) : 0;
    }
    (void)fclose(f);
    if (!ok || n_done != n) {
        (void)fprintf(stderr, "p384_differential: %s is of another run: remove it\n",
                      run_state.file);
        exit(2);
    }
    run_state.seed = seed;
    run_state.all = r;
    run_state.spent_before = seconds;
    run_state.n_done = run_state.done_before = n_done;
}

static void tell_progress(void)
{
    int64_t now = vs_now_s();
    long here = run_state.n_done - run_state.done_before, left = run_state.count - run_state.n_done;
    if (now - run_state.told < TELL_S || left == 0)
        return;
    run_state.told = now;
    double rate = (double)here / (double)(now - run_state.started);
    printf("%ld of %ld (%ld %%), %.0f per second, %.0f min left\n", run_state.n_done,
           run_state.count, 100 * run_state.n_done / run_state.count, rate,
           (double)left / rate / 60 + 0.5);
    (void)fflush(stdout);
}

static void finish_slice(const worker *w, long slice)
{
    (void)pthread_mutex_lock(&run_state.lock);
    results *all = &run_state.all;
    const results *r = &w->slice;
    for (size_t i = 0; i < VS_COUNT(kinds); i++)
        all->of_kind[i] += r->of_kind[i];
    add(&all->good, r->good.openssl_us, r->good.nettle_us, r->good.n);
    add(&all->refused, r->refused.openssl_us, r->refused.nettle_us, r->refused.n);
    run_state.done[slice] = true;
    run_state.n_done += size_of(slice);
    if (run_state.file)
        save_state();
    tell_progress();
    (void)pthread_mutex_unlock(&run_state.lock);
}

static void *work(void *arg)
{
    worker *w = arg;
    long slice;
    w->ctx = BN_CTX_new();
    w->r = BN_new();
    w->s = BN_new();
    w->z = BN_new();
    must(w->ctx && w->r && w->s && w->z);
    while (take_slice(&slice)) {
        w->random = run_state.seed ^ (uint64_t)(slice + 1) * UINT64_C(0xd1342543de82ef95);
        w->slice = (results){0};
        for (long i = 0; i < size_of(slice); i++)
            compare(w, draw(w) % VS_COUNT(kinds));
        finish_slice(w, slice);
    }
    BN_free(w->r);
    BN_free(w->s);
    BN_free(w->z);
    BN_CTX_free(w->ctx);
    return NULL;
}

/* ---- one key again and again ---------------------------------------------------------------- */

static double repeated(vs_ecdsa_fn *verify, const vs_key *k, vs_span digest, vs_span rs)
{
    double start = now_us();
    for (unsigned i = 0; i < HOT; i++)
        if (!verify(k, digest, rs))
            give_up("a good signature does not verify");
    return (now_us() - start) / HOT;
}

static void print_gain(const char *what, double openssl_us, double nettle_us)
{
    printf("%-30s openssl %7.1f us %6.0f/s   nettle %7.1f us %6.0f/s   gain %.2f\n", what,
           openssl_us, 1e6 / openssl_us, nettle_us, 1e6 / nettle_us, openssl_us / nettle_us);
}

static void one_key(void)
{
    vs_key *k = NULL;
    vs_buf rs = VS_BUF(256);
    const uint8_t digest[FIELD] = {1, 2, 3};
    must(vs_key_generate(VS_KEY_P384, &k, NULL) == VS_OK);
    must(vs_ecdsa_sign(k, vs_span_of(digest, FIELD), &rs, NULL) == VS_OK);
    double openssl = repeated(vs_ecdsa_openssl, k, vs_span_of(digest, FIELD), vs_buf_span(&rs));
    double nettle = repeated(vs_p384_nettle, k, vs_span_of(digest, FIELD), vs_buf_span(&rs));
    print_gain("good, one key imported before:", openssl, nettle);
    vs_key_free(&k);
    vs_buf_free(&rs);
}

/* ---- the run -------------------------------------------------------------------------------- */

static void report(void)
{
    const results *r = &run_state.all;
    for (size_t i = 0; i < VS_COUNT(kinds); i++)
        printf("%8ld %s\n", r->of_kind[i], kinds[i].name);
    if (r->good.n)
        print_gain("good, key imported each time:", r->good.openssl_us / (double)r->good.n,
                   r->good.nettle_us / (double)r->good.n);
    if (r->refused.n)
        print_gain("refused, likewise:", r->refused.openssl_us / (double)r->refused.n,
                   r->refused.nettle_us / (double)r->refused.n);
}

static void run_threads(long threads)
{
    static worker w[THREADS_MAX];
    for (long t = 0; t < threads; t++)
        if (pthread_create(&w[t].thread, NULL, work, &w[t]) != 0)
            give_up("no thread");
    for (long t = 0; t < threads; t++)
        (void)pthread_join(w[t].thread, NULL);
}

static int run(long count, const char *seed, const char *file)
{
    long threads = sysconf(_SC_NPROCESSORS_ONLN);
    bool any_seed = !seed || strcmp(seed, "-") == 0;
    threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    run_state.count = count;
    run_state.slices = (count + SLICE - 1) / SLICE;
    if (run_state.slices > SLICES_MAX)
        give_up("that is too many");
    run_state.seed = any_seed ? (uint64_t)vs_now_ns() : strtoull(seed, NULL, 10);
    run_state.file = file;
    if (file)
        load_state(any_seed);
    run_state.started = run_state.told = vs_now_s();
    printf("%ld signatures, %ld of them done before, seed %" PRIu64 ", %ld threads\n", count,
           run_state.n_done, run_state.seed, threads);
    (void)fflush(stdout);
    make_pool();
    run_threads(threads);
    report();
    one_key();
    free_pool();
    double seconds = spent();
    printf(
        "%ld of %ld, %ld of them valid: openssl, nettle and the construction agree on all, in %.0f "
        "min %02d s\n",
        run_state.n_done, count, run_state.all.good.n,
        (seconds - (double)((long)seconds % 60)) / 60, (int)((long)seconds % 60));
    if (file && unlink(file) != 0)
        give_up("the state cannot be removed");
    return 0;
}

#else

static int run(long count, const char *seed, const char *file)
{
    (void)count, (void)seed, (void)file;
    printf("skipped: this build has found no nettle (libhogweed 3.8 or newer)\n");
    return 77;
}

#endif

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    if (count <= 0) {
        (void)fprintf(stderr, "usage: p384_differential COUNT [SEED [STATE]]\n");
        return 2;
    }
    return run(count, argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
}
