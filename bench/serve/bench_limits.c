/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile or a large world does to the running server.
 *
 *   bench_limits idle [CONNECTIONS]   (10000)
 *       resident memory and attestation latency while they idle
 *   bench_limits flood [REQUESTS]     (200000)
 *       resident memory over /auth requests never followed up
 *   bench_limits scale [ENTRIES]      (1000000)
 *       resource GET and attestation with 10 and with so many resources and reference values
 */
#include "served.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/messages.h"
#include "store/store.h"

enum {
    WARM = 300,
    ROUND = 20, /* requests of one server in turn, so that a busy neighbour disturbs both */
    ROUNDS = 75,
    BATCH = 5000,
    IDLE_RSS_KB = 100 * 1024,
    FLOOD_THREADS = 2,
};

typedef struct buffers {
    vs_buf answer, scratch, body;
} buffers;

static buffers make_buffers(void)
{
    return (buffers){VS_BUF(1 << 20), VS_BUF(1 << 20), VS_BUF(1 << 20)};
}

static void free_buffers(buffers *b)
{
    vs_buf_free(&b->answer);
    vs_buf_free(&b->scratch);
    vs_buf_free(&b->body);
}

static double p50(int64_t *t, size_t n)
{
    qsort(t, n, sizeof *t, by_time);
    return (double)t[n / 2] / 1e3;
}

static void time_attestations(worker *w, int64_t *t, size_t n)
{
    buffers b = make_buffers();
    for (size_t i = 0; i < n; i++) {
        int64_t begin = vs_mono_ns();
        if (!attest_once(w, &b.answer, &b.scratch, &b.body))
            give_up(w, "attestation", &b.answer);
        t[i] = vs_mono_ns() - begin;
    }
    free_buffers(&b);
}

static void time_gets(worker *w, int64_t *t, size_t n)
{
    buffers b = make_buffers();
    const char *bearer =
        vs_sprintf(&w->b->a, "Authorization: Bearer %.*s", VS_FMT(vs_buf_span(&w->b->token)));
    const char *headers[] = {bearer, NULL};
    (void)snprintf(w->url, sizeof w->url, "%s/kbs/v0/resource/%s", w->b->url, resource);
    vs_http_call call = {.method = "GET", .url = w->url, .headers = headers};
    for (size_t i = 0; i < n; i++) {
        int status = 0;
        vs_buf_clear(&b.answer);
        int64_t begin = vs_mono_ns();
        if (vs_http_client_do(w->http, &call, &status, &b.answer, &w->err) != VS_OK ||
            status != 200)
            give_up(w, "GET resource", &b.answer);
        t[i] = vs_mono_ns() - begin;
    }
    free_buffers(&b);
}

static void start(bench *b)
{
    make_dir(b);
    make_keys(b);
    (void)start_server(b);
    administrate(b);
    get_token(b);
}

/* ---- idle --------------------------------------------------------------------------------------
 */

static int connect_to(const bench *b)
{
    const char *colon = strrchr(b->url, ':');
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        (void)fprintf(stderr, "bench_limits: connect: %s\n", strerror(errno));
        exit(1);
    }
    return fd;
}

/* Each has made a request, as those of a pool have. */
static void open_idle(const bench *b, int *fds, long n)
{
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n";
    char answer[1024];
    for (long i = 0; i < n; i++) {
        fds[i] = connect_to(b);
        if (send(fds[i], request, sizeof request - 1, 0) < 0 ||
            recv(fds[i], answer, sizeof answer, 0) <= 0) {
            (void)fprintf(stderr, "bench_limits: connection %ld was closed\n", i);
            exit(1);
        }
    }
}

static long still_open(const int *fds, long n)
{
    long open = 0;
    char c;
    for (long i = 0; i < n; i++)
        open += recv(fds[i], &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
    return open;
}

static bool idle(long n)
{
    static bench b;
    struct rlimit files = {(rlim_t)n + 1000, (rlim_t)n + 1000};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        (void)fprintf(stderr, "bench_limits: needs %ld open files: %s\n", n + 1000,
                      strerror(errno));
        exit(1);
    }
    static int64_t t[ROUND * ROUNDS];
    worker w;
    start(&b);
    start_worker(&w, &b);
    time_attestations(&w, t, VS_COUNT(t)); /* warm */
    time_attestations(&w, t, VS_COUNT(t));
    double before = p50(t, VS_COUNT(t));
    long rss_before = rss_kb(b.pid);
    int *fds = calloc((size_t)n, sizeof *fds);
    if (!fds)
        exit(1);
    open_idle(&b, fds, n);
    time_attestations(&w, t, VS_COUNT(t));
    double during = p50(t, VS_COUNT(t));
    long rss = rss_kb(b.pid), open = still_open(fds, n);
    printf("%8ld idle connections, %ld held: %ld kB resident (%ld before; target %d)\n", n, open,
           rss, rss_before, IDLE_RSS_KB);
    printf("%8.0f us per attestation before, %.0f us meanwhile: x %.2f (target 2)\n", before,
           during, during / before);
    for (long i = 0; i < n; i++)
        (void)close(fds[i]);
    free(fds);
    stop_worker(&w);
    stop_server(&b);
    clean_up(&b);
    return open == n && rss <= IDLE_RSS_KB && during <= 2 * before;
}

/* ---- flood -------------------------------------------------------------------------------------
 */

static void *ask_for_challenges(void *arg)
{
    worker w;
    start_worker(&w, arg);
    buffers b = make_buffers();
    while (atomic_fetch_sub(&w.b->left, 1) > 0) {
        vs_buf_clear(&b.body);
        kbsc_write_request(&b.body, KBSC_NEWEST, "cca", false);
        if (!post(&w, "auth", vs_buf_span(&b.body), NULL, &b.answer))
            give_up(&w, "/auth", &b.answer);
    }
    free_buffers(&b);
    stop_worker(&w);
    return NULL;
}

static double flood_with(bench *b, long n)
{
    pthread_t t[FLOOD_THREADS];
    atomic_store(&b->left, n);
    int64_t begin = vs_mono_ns();
    for (size_t i = 0; i < VS_COUNT(t); i++)
        if (pthread_create(&t[i], NULL, ask_for_challenges, b) != 0)
            exit(1);
    for (size_t i = 0; i < VS_COUNT(t); i++)
        (void)pthread_join(t[i], NULL);
    return (double)(vs_mono_ns() - begin) / 1e9;
}

static bool flood(long n)
{
    static bench b;
    start(&b);
    (void)flood_with(&b, n / 10);
    long early = rss_kb(b.pid);
    double s = flood_with(&b, n - n / 10);
    long late = rss_kb(b.pid);
    printf(
        "%8ld /auth requests: %.0f per second; %ld kB resident after a tenth, %ld kB after all\n",
        n, (double)(n - n / 10) / s, early, late);
    stop_server(&b);
    clean_up(&b);
    return late <= early + early / 20;
}

/* ---- scale -------------------------------------------------------------------------------------
 */

static vs_store *open_store(const bench *b)
{
    char path[1024];
    vs_store *store = NULL;
    (void)snprintf(path, sizeof path, "%s/data/vouchsafe.sqlite", b->dir);
    MUST(vs_store_open_sqlite(path, &store, &err));
    return store;
}

/* Copies of what is there, under names that sort on both sides of it. */
static void fill(vs_store *s, const char *ns, vs_span like, const char *middle, long n)
{
    static vs_store_item items[BATCH];
    static char keys[BATCH][64];
    VS_CLEANUP(vs_buf_free) vs_buf value = VS_BUF(1 << 20);
    MUST(vs_store_get(s, ns, like, 0, &value, &err));
    for (long at = 0; at < n;) {
        size_t k = 0;
        for (; k < BATCH && at < n; k++, at++) {
            (void)snprintf(keys[k], sizeof keys[k], "%c%s%ld", at % 2 ? 'a' : 'z', middle, at);
            items[k] = (vs_store_item){ns, vs_str(keys[k]), vs_buf_span(&value), 0, VS_PUT_REPLACE};
        }
        MUST(vs_store_put_all(s, items, k, &err));
    }
}

static void start_with(bench *b, long n)
{
    start(b);
    stop_server(b);
    vs_store *s = open_store(b);
    fill(s, "repository", vs_str(resource), "ench/data/n", n);
    fill(s, "reference_value", VS_LIT("cca.realm.cca-realm-initial-measurement"), ".realm.n", n);
    vs_store_close(&s);
    (void)start_server(b);
}

static bool compare(const char *what, worker w[2], void (*measure)(worker *, int64_t *, size_t))
{
    static int64_t t[2][ROUND * ROUNDS];
    for (int i = 0; i < 2; i++)
        measure(&w[i], t[i], WARM);
    for (size_t r = 0; r < ROUNDS; r++)
        for (int i = 0; i < 2; i++)
            measure(&w[i], t[i] + r * ROUND, ROUND);
    double few = p50(t[0], VS_COUNT(t[0])), many = p50(t[1], VS_COUNT(t[1]));
    printf("%-14s p50 %6.0f us with 10 entries, %6.0f us with many: x %.2f (target 1.2)\n", what,
           few, many, many / few);
    return many <= 1.2 * few;
}

static bool scale(long n)
{
    static bench b[2];
    worker w[2];
    for (int i = 0; i < 2; i++) {
        start_with(&b[i], i ? n : 10);
        start_worker(&w[i], &b[i]);
    }
    bool ok = compare("resource GET", w, time_gets);
    ok &= compare("attestation", w, time_attestations);
    for (int i = 0; i < 2; i++) {
        stop_worker(&w[i]);
        stop_server(&b[i]);
        clean_up(&b[i]);
    }
    return ok;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(long n);
        long n;
    } parts[] = {{"idle", idle, 10000}, {"flood", flood, 200000}, {"scale", scale, 1000000}};
    for (size_t i = 0; argc > 1 && i < VS_COUNT(parts); i++) {
        if (strcmp(argv[1], parts[i].name) != 0)
            continue;
        long n = argc > 2 ? strtol(argv[2], NULL, 10) : parts[i].n;
        bool ok = n >= 10 && parts[i].run(n);
        puts(ok ? "targets met" : "targets MISSED");
        return ok ? 0 : 1;
    }
    (void)fprintf(stderr, "usage: bench_limits idle|flood|scale [NUMBER]\n");
    return 2;
}
