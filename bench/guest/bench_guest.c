/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest side: memory of attestation-agent, confidential-data-hub and api-server-rest together,
 * time from their start to the first byte of a secret, latency afterwards, and heap growth over
 * many ttrpc calls. Against a real server and a software realm on this machine.
 *
 *   bench_guest [REQUESTS] [CALLS [GUEST]]      default 10000 and 100000
 *
 * GUEST is a vouchsafe-guest, for example the static one of `make guest`: then it is measured as
 * three processes, and after that its "all", the three in one, with their usual sockets below /run
 * (as root).
 *
 * Memory is given as RSS, which counts a page once for each process that has it, and as PSS, where
 * a page that n processes share counts as an n-th of it for each.
 *
 * The programs are those beside this one in the build; they are stopped by pid.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "net/http_client.h"
#include "net/ttrpc.h"

enum { CHILDREN = 8, LINE = 512 };

static char bin[4096], dir[] = "/tmp/vs-bench-guest-XXXXXX";
static pid_t children[CHILDREN];
static size_t n_children;

/* The children from `first` on. */
static void stop_from(size_t first)
{
    while (n_children > first) {
        n_children--;
        (void)kill(children[n_children], SIGTERM);
        (void)waitpid(children[n_children], NULL, 0);
    }
}

static _Noreturn void die(const char *what, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    fprintf(stderr, "%s: %s\n", what, err ? vs_error_text(err, text, sizeof text) : "failed");
    stop_from(0);
    exit(EXIT_FAILURE);
}

/* Runs a program of the build in `dir`; `out` gets its stdout, NULL = nowhere. */
static pid_t start(const char *const argv[], const char *out)
{
    pid_t pid = fork();
    if (pid == 0) {
        char path[8192];
        int fd = open(out ? out : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int null = open("/dev/null", O_WRONLY);
        (void)dup2(fd, 1);
        (void)dup2(null, 2);
        (void)snprintf(path, sizeof path, "%s/%s", argv[0][0] == '/' ? "" : bin, argv[0]);
        (void)execv(path, (char *const *)(uintptr_t)argv); /* it does not change them */
        _exit(127);
    }
    return pid;
}

static void run(const char *const argv[])
{
    int status = 0;
    (void)waitpid(start(argv, NULL), &status, 0);
    if (status)
        die(argv[0], NULL);
}

/* What follows "ready " in the first line of the program's that has `scheme` behind it. */
static bool find_ready(const char *out, const char *scheme, char ready[LINE])
{
    FILE *f = fopen(out, "r");
    char line[LINE] = "";
    bool there = false;
    while (f && !there && fgets(line, sizeof line, f))
        there = strncmp(line, "ready ", 6) == 0 && strncmp(line + 6, scheme, strlen(scheme)) == 0 &&
                strchr(line, '\n');
    if (f)
        (void)fclose(f);
    (void)snprintf(ready, LINE, "%s", line + 6 * there);
    ready[strcspn(ready, "\n")] = '\0';
    return there;
}

static void serve(const char *const argv[], const char *out, const char *scheme, char ready[LINE])
{
    children[n_children++] = start(argv, out);
    for (int i = 0; i < 4000; i++) {
        if (find_ready(out, scheme, ready))
            return;
        (void)usleep(500);
    }
    die(argv[0], NULL);
}

/* `file` is "status" or "smaps_rollup". */
static long kib_of(pid_t pid, const char *file, const char *field)
{
    char path[64], line[LINE];
    long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
            kib = strtol(line + strlen(field) + 1, NULL, 10);
    if (f)
        (void)fclose(f);
    return kib;
}

/* Of the guest's programs: the children from `first` on. */
static void print_memory(const char *when, size_t first)
{
    long rss = 0, pss = 0;
    for (size_t i = first; i < n_children; i++) {
        rss += kib_of(children[i], "status", "VmRSS");
        pss += kib_of(children[i], "smaps_rollup", "Pss");
    }
    printf("  memory %s: RSS %ld kB, PSS %ld kB\n", when, rss, pss);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void fetch(vs_http_client *c, const char *url)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(1 << 20);
    vs_error err = {0};
    int status = 0;
    if (vs_http_client_do(c, &(vs_http_call){.method = "GET", .url = url}, &status, &body, &err) !=
            VS_OK ||
        status != 200)
        die(url, &err);
}

static void write_text(const char *name, const char *text)
{
    vs_error err = {0};
    if (vs_write_file(name, vs_str(text), 0600, &err) != VS_OK)
        die(name, &err);
}

/* ---- the parts ------------------------------------------------------------------------------- */

static void prepare(char url[LINE])
{
    char ready[LINE], tsm[128], text[2 * LINE];
    (void)snprintf(tsm, sizeof tsm, "%s/tsm.sock", dir);
    run((const char *[]){"vouchsafe-realm", "init", "--dir", "realm", NULL});
    serve((const char *[]){"vouchsafe-realm", "run", "--dir", "realm", "--socket", tsm, NULL},
          "realm.out", "", ready);
    (void)setenv("VOUCHSAFE_TSM_PATH", tsm, 1);
    if (system("openssl genpkey -algorithm ed25519 -out admin.key 2>/dev/null && "
               "openssl pkey -in admin.key -pubout -out admin.pub 2>/dev/null") != 0)
        die("openssl", NULL);
    serve((const char *[]){"vouchsafe", "serve", "--data-dir", "kbs", "--listen", "127.0.0.1:0",
                           "--admin-key", "admin.pub", "--cca-config", "realm/cca-config.json",
                           NULL},
          "serve.out", "http", url);
    write_text("secret", "a secret of the guest");
    run((const char *[]){"kbs-client", "--url", url, "config", "--auth-private-key", "admin.key",
                         "set-resource", "--path", "default/key/1", "--resource-file", "secret",
                         NULL});
    run((const char *[]){"kbs-client", "--url", url, "config", "--auth-private-key", "admin.key",
                         "set-resource-policy", "--allow-all", NULL});
    (void)snprintf(text, sizeof text, "[token_configs.kbs]\nurl = \"%s\"\n", url);
    write_text("aa.toml", text);
    (void)snprintf(text, sizeof text,
                   "socket = \"unix://%s/cdh.sock\"\n[aa]\naa_socket = \"unix://%s/aa.sock\"\n"
                   "[kbc]\nname = \"cc_kbc\"\nurl = \"%s\"\n",
                   dir, dir, url);
    write_text("cdh.toml", text);
}

/* `guest` NULL: the programs of the build. */
static void start_apart(const char *guest, char asr[LINE])
{
    static const char *const names[] = {"attestation-agent", "confidential-data-hub",
                                        "api-server-rest"};
    char aa[160], cdh[160], ready[LINE], links[VS_COUNT(names)][160];
    (void)snprintf(aa, sizeof aa, "unix://%s/aa.sock", dir);
    (void)snprintf(cdh, sizeof cdh, "unix://%s/cdh.sock", dir);
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        (void)snprintf(links[i], sizeof links[i], "%s%s%s", guest ? dir : "", guest ? "/" : "",
                       names[i]);
        if (guest && symlink(guest, links[i]) != 0)
            die(links[i], NULL);
    }
    serve((const char *[]){links[0], "-a", aa, "-c", "aa.toml", NULL}, "aa.out", "unix", ready);
    serve((const char *[]){links[1], "-c", "cdh.toml", NULL}, "cdh.out", "unix", ready);
    serve((const char *[]){links[2], "-b", "127.0.0.1:0", "-f", "all", "-a", aa, "-c", cdh, NULL},
          "asr.out", "http", asr);
}

static void start_together(const char *guest, const char *kbs, char asr[LINE])
{
    char params[LINE + 32];
    (void)snprintf(params, sizeof params, "cc_kbc::%s", kbs);
    (void)setenv("AA_KBC_PARAMS", params, 1);
    serve((const char *[]){guest, "all", "-b", "127.0.0.1:0", "-f", "all", NULL}, "all.out", "http",
          asr);
}

static void many_requests(vs_http_client *c, const char *url, long n, size_t first)
{
    double *ms = malloc((size_t)n * sizeof *ms);
    for (long i = 0; ms && i < n; i++) {
        int64_t begin = vs_mono_ns();
        fetch(c, url);
        ms[i] = (double)(vs_mono_ns() - begin) / 1e6;
    }
    if (!ms)
        die("memory", NULL);
    qsort(ms, (size_t)n, sizeof *ms, by_size);
    printf("  %ld secrets: p50 %.2f ms, p99 %.2f ms\n", n, ms[n / 2], ms[n * 99 / 100]);
    print_memory("after them", first);
    free(ms);
}

static void many_calls(long n, pid_t agent, const char *address)
{
    VS_CLEANUP(vs_ttrpc_client_free) vs_ttrpc_client *c = NULL;
    vs_error err = {0};
    if (vs_ttrpc_client_new(&(vs_ttrpc_client_config){.address = address}, &c, &err) != VS_OK)
        die(address, &err);
    long before = 0;
    int64_t begin = vs_mono_ns();
    for (long i = 0; i < n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(4096);
        if (i == n / 100) /* warm */
            before = kib_of(agent, "status", "VmData");
        if (vs_ttrpc_call(c, "/attestation_agent.AttestationAgentService/GetTeeType", (vs_span){0},
                          &reply, NULL, &err) != VS_OK)
            die("GetTeeType", &err);
    }
    double s = (double)(vs_mono_ns() - begin) / 1e9;
    printf("  %ld ttrpc calls: %.0f/s; the agent's data grew by %ld kB\n", n, (double)n / s,
           kib_of(agent, "status", "VmData") - before);
}

typedef struct run_of {
    const char *what, *guest, *url;
    bool together;
    long requests, calls;
} run_of;

static void measure(vs_http_client *c, const run_of *r)
{
    char asr[LINE], secret[LINE + 64], agent[LINE];
    size_t first = n_children;
    int64_t begin = vs_mono_ns();
    if (r->together)
        start_together(r->guest, r->url, asr);
    else
        start_apart(r->guest, asr);
    int64_t ready = vs_mono_ns();
    (void)snprintf(secret, sizeof secret, "%s/cdh/resource/default/key/1", asr);
    (void)snprintf(agent, sizeof agent, "unix://%s/%s",
                   r->together ? "/run/confidential-containers/attestation-agent" : dir,
                   r->together ? "attestation-agent.sock" : "aa.sock");
    printf("%s:\n", r->what);
    print_memory("idle", first);
    int64_t asked = vs_mono_ns();
    fetch(c, secret);
    int64_t got = vs_mono_ns();
    printf("  ready after %.1f ms; first secret %.1f ms after asking for it\n",
           (double)(ready - begin) / 1e6, (double)(got - asked) / 1e6);
    print_memory("after the first secret", first);
    many_requests(c, secret, r->requests, first);
    many_calls(r->calls, children[first], agent);
    stop_from(first);
}

int main(int argc, char **argv)
{
    run_of r = {.what = "three processes",
                .requests = argc > 1 ? strtol(argv[1], NULL, 10) : 10000,
                .calls = argc > 2 ? strtol(argv[2], NULL, 10) : 100000,
                .guest = argc > 3 ? realpath(argv[3], NULL) : NULL};
    char url[LINE];
    ssize_t n = readlink("/proc/self/exe", bin, sizeof bin - 32);
    if (n <= 0 || r.requests < 100 || r.calls < 100 || (argc > 3 && !r.guest) || !mkdtemp(dir) ||
        chdir(dir) != 0)
        die("usage: bench_guest [REQUESTS] [CALLS [GUEST]], at least 100 each", NULL);
    bin[n] = '\0';
    for (int up = 0; up < 3; up++) /* bench/guest/bench_guest */
        *strrchr(bin, '/') = '\0';
    (void)strcat(bin, "/src/cmd");
    prepare(url);

    VS_CLEANUP(vs_http_client_free) vs_http_client *c = NULL;
    vs_error err = {0};
    if (vs_http_client_new(&(vs_http_client_config){0}, &c, &err) != VS_OK)
        die("client", &err);
    r.url = url;
    measure(c, &r);
    if (r.guest) {
        r.what = "one process (all)";
        r.together = true;
        measure(c, &r);
    }
    stop_from(0);
    (void)fflush(stdout);
    return chdir("/") == 0 && execlp("rm", "rm", "-rf", dir, NULL) == 0 ? 0 : EXIT_FAILURE;
}
