/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unary gRPC on loopback: a server in a process of its own with one loop, and threads that call it
 * with a message of 1.5 KB, as an attestation's evidence is.
 *
 *   bench_grpc [SECONDS]      (default 2, for each row)
 *
 * Prints calls per second, p50 and p99, and the server's resident memory. The clients are on the
 * same machine; for the server's own limit use h2load (docs/operations.md).
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/grpc.h"

enum { THREADS_MAX = 16, MESSAGE = 1500, SAMPLES = 1 << 20 };

static unsigned port;
static int64_t until;
static atomic_size_t calls;
static int64_t samples[SAMPLES];

static void echo(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_buf_put(&reply->body, call->request);
}

static void die(const char *what, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    (void)fprintf(stderr, "bench_grpc: %s: %s\n", what, vs_error_text(err, text, sizeof text));
    exit(1);
}

static void serve(unsigned workers, int out)
{
    static const char *const sockets[] = {"127.0.0.1:0"};
    static const vs_grpc_method methods[] = {{"/b.B/Echo", echo, NULL}};
    static const vs_grpc_services services = {.methods = methods, .n_methods = 1};
    vs_http_config cfg = {
        .sockets = sockets, .n_sockets = 1, .threads = 1, .workers = workers, .grpc = &services};
    vs_http_server *s = NULL;
    vs_error err = {0};
    if (vs_http_server_start(&cfg, &s, &err) != VS_OK)
        die("server", &err);
    unsigned bound = vs_http_server_port(s, 0);
    if (write(out, &bound, sizeof bound) != sizeof bound)
        exit(1);
    for (;;)
        (void)pause();
}

static pid_t start(unsigned workers)
{
    int fds[2];
    if (pipe(fds) != 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0)
        serve(workers, fds[1]);
    if (pid < 0 || read(fds[0], &port, sizeof port) != sizeof port)
        exit(1);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return pid;
}

static long rss_kb(pid_t pid)
{
    char path[64], line[256];
    long kb = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        (void)sscanf(line, "VmRSS: %ld", &kb);
    if (f)
        (void)fclose(f);
    return kb;
}

static void *call_many(void *client)
{
    static const uint8_t message[MESSAGE];
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(1 << 16);
    for (int64_t begin; (begin = vs_mono_ns()) < until;) {
        vs_buf_clear(&reply);
        if (vs_grpc_client_call(client, "/b.B/Echo", vs_span_of(message, sizeof message), &reply,
                                NULL, &err) != VS_OK ||
            reply.n != sizeof message)
            die("call", &err);
        size_t i = atomic_fetch_add(&calls, 1);
        if (i < SAMPLES)
            samples[i] = vs_mono_ns() - begin;
    }
    return NULL;
}

static int by_time(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void measure(unsigned workers, unsigned threads, int seconds)
{
    char url[64];
    pthread_t t[THREADS_MAX];
    vs_error err = {0};
    vs_grpc_client *c = NULL;
    pid_t pid = start(workers);
    long idle = rss_kb(pid);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    if (vs_grpc_client_new(&(vs_grpc_client_config){.url = url, .connections = threads}, &c,
                           &err) != VS_OK)
        die("client", &err);
    atomic_store(&calls, 0);
    until = vs_mono_ns() + (int64_t)seconds * 1000000000;
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&t[i], NULL, call_many, c) != 0)
            exit(1);
    for (unsigned i = 0; i < threads; i++)
        (void)pthread_join(t[i], NULL);
    size_t n = atomic_load(&calls), kept = n < SAMPLES ? n : SAMPLES;
    if (kept == 0)
        die("no call", &err);
    qsort(samples, kept, sizeof *samples, by_time);
    printf("%2u clients, %u workers: %7.0f calls per second, p50 %.0f us, p99 %.0f us; server %ld "
           "kB resident idle, %ld kB after\n",
           threads, workers, (double)n / seconds, (double)samples[kept / 2] / 1e3,
           (double)samples[kept * 99 / 100] / 1e3, idle, rss_kb(pid));
    vs_grpc_client_free(&c);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    int seconds = argc > 1 ? atoi(argv[1]) : 2;
    if (seconds < 1) {
        (void)fprintf(stderr, "usage: bench_grpc [SECONDS]\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    measure(0, 1, seconds);
    measure(0, 8, seconds);
    measure(4, 8, seconds);
    return 0;
}
