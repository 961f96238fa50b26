/* SPDX-License-Identifier: Apache-2.0 */
#include "served.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "client/messages.h"
#include "envelope/jose.h"
#include "value/json.h"

vs_error err;

void must(vs_code code, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return;
    (void)fprintf(stderr, "bench_serve: %s: %s\n", what, vs_error_text(&err, text, sizeof text));
    exit(1);
}

/* ---- the server
 * ---------------------------------------------------------------------------------- */

static void write_file(const bench *b, const char *name, vs_span data)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", b->dir, name);
    MUST(vs_write_file(path, data, 0600, &err));
}

/* The program beside this one in the build directory. */
static void server_path(char *out, size_t cap)
{
    char self[3000];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(self, '/');
        if (slash)
            *slash = 0;
    }
    (void)snprintf(out, cap, "%s/src/cmd/vouchsafe", self);
}

static void run_server(const bench *b, int out)
{
    char path[4096], data[128], key[128], cca[128];
    server_path(path, sizeof path);
    (void)snprintf(data, sizeof data, "%s/data", b->dir);
    (void)snprintf(key, sizeof key, "%s/admin.pub", b->dir);
    (void)snprintf(cca, sizeof cca, "%s/realm/cca-config.json", b->dir);
    (void)dup2(out, 1);
    (void)execl(path, path, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--admin-key",
                key, "--cca-config", cca, "--log-level", "error", (char *)NULL);
    (void)fprintf(stderr, "bench_serve: %s: %s\n", path, strerror(errno));
    _exit(127);
}

double start_server(bench *b)
{
    int fds[2];
    if (pipe(fds) != 0)
        exit(1);
    int64_t begin = vs_mono_ns();
    b->pid = fork();
    if (b->pid == 0)
        run_server(b, fds[1]);
    (void)close(fds[1]);
    FILE *f = fdopen(fds[0], "r");
    char line[128];
    if (!f || !fgets(line, sizeof line, f) || sscanf(line, "ready %63s", b->url) != 1) {
        (void)fprintf(stderr, "bench_serve: the server did not start\n");
        exit(1);
    }
    return (double)(vs_mono_ns() - begin) / 1e6;
}

long rss_kb(pid_t pid)
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

/* ---- preparation
 * ----------------------------------------------------------------------------------- */

void make_keys(bench *b)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(4096);
    MUST(vs_key_generate(VS_KEY_ED25519, &b->admin, &err));
    MUST(vs_key_to_pem(&pem, b->admin, false, &err));
    write_file(b, "admin.pub", vs_buf_span(&pem));
    MUST(vs_key_generate(VS_KEY_P256, &b->tee, &err));
    MUST(vs_key_to_jwk(&b->a, b->tee, "ECDH-ES+A256KW", &b->tee_jwk, &err));
    char dir[128];
    (void)snprintf(dir, sizeof dir, "%s/realm", b->dir);
    realm_spec spec;
    MUST(realm_spec_default(&b->a, &spec, &err));
    realm_keys keys;
    MUST(realm_keys_generate(&keys, &err));
    MUST(realm_create(dir, &spec, &keys, &err));
    realm_keys_free(&keys);
    MUST(realm_open(dir, &b->realm, &err));
}

void administrate(bench *b)
{
    VS_CLEANUP(vs_buf_free)
    vs_buf jwt = VS_BUF(4096), answer = VS_BUF(65536), payload = VS_BUF(4096), body = VS_BUF(8192);
    char claims[128];
    (void)snprintf(claims, sizeof claims, "{\"iat\":%lld,\"exp\":%lld,\"role\":\"admin\"}",
                   (long long)vs_now_s(), (long long)vs_now_s() + 7200);
    MUST(vs_jws_sign(&jwt, b->admin, VS_EDDSA, VS_LIT("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}"),
                     vs_str(claims), &err));
    kbsc_config cfg = {.url = b->url, .user_agent = "bench"};
    kbsc *c = NULL;
    MUST(kbsc_new(&cfg, &c, &err));
    char path[64];
    (void)snprintf(path, sizeof path, "resource/%s", resource);
    MUST(kbsc_admin(c, "POST", path, "application/octet-stream",
                    VS_LIT("a secret of thirty-two bytes ...."), vs_buf_span(&jwt), &answer, &err));
    vs_buf_puts(&payload, "{\"cca.realm.cca-realm-initial-measurement\":[\"");
    vs_b64_encode(&payload, VS_B64_STD, b->realm->spec.rim);
    vs_buf_puts(&payload, "\"]}");
    vs_buf_puts(&body, "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"");
    vs_b64_encode(&body, VS_B64_STD, vs_buf_span(&payload));
    vs_buf_puts(&body, "\"}");
    MUST(kbsc_admin(c, "POST", "reference-value", "application/json", vs_buf_span(&body),
                    vs_buf_span(&jwt), &answer, &err));
    kbsc_free(&c);
}

/* ---- attestations
 * ---------------------------------------------------------------------------------- */

bool post(worker *w, const char *path, vs_span body, const char *cookie, vs_buf *answer)
{
    const char *headers[] = {"Content-Type: application/json", cookie, NULL};
    (void)snprintf(w->url, sizeof w->url, "%s/kbs/v0/%s", w->b->url, path);
    vs_http_call call = {
        .method = "POST", .url = w->url, .headers = headers, .body = body, .has_body = true};
    int status = 0;
    vs_buf_clear(answer);
    return vs_http_client_do(w->http, &call, &status, answer, &w->err) == VS_OK && status == 200;
}

static void write_evidence(vs_buf *out, vs_span token)
{
    vs_buf_puts(out, "{\"token\":[");
    for (size_t i = 0; i < token.n; i++)
        vs_buf_printf(out, i ? ",%u" : "%u", token.p[i]);
    vs_buf_puts(out, "]}");
}

bool attest_once(worker *w, vs_buf *answer, vs_buf *scratch, vs_buf *body)
{
    kbsc_challenge challenge;
    uint8_t digest[VS_HASH_MAX] = {0};
    vs_arena_reset(&w->a);
    vs_buf_clear(body);
    kbsc_write_request(body, KBSC_NEWEST, "cca", false);
    if (!post(w, "auth", vs_buf_span(body), NULL, answer))
        return false;
    vs_span cookie = vs_http_client_header(w->http, "Set-Cookie"), rest;
    const char *header =
        vs_sprintf(&w->a, "Cookie: %.*s", VS_FMT(vs_span_cut(cookie, ';', &rest, NULL)));
    if (kbsc_read_challenge(&w->a, vs_buf_span(answer), &challenge, &w->err) != VS_OK ||
        kbsc_report_data(&w->a, KBSC_NEWEST, &challenge, w->b->tee_jwk, digest, &w->err) != VS_OK)
        return false;
    vs_buf_clear(scratch);
    if (realm_attest(w->b->realm, vs_span_of(digest, 64), scratch, &w->err) != VS_OK)
        return false;
    VS_CLEANUP(vs_buf_free) vs_buf evidence = VS_BUF(1 << 20);
    write_evidence(&evidence, vs_buf_span(scratch));
    vs_buf_clear(body);
    const kbsc_proof proof = {w->b->tee_jwk, vs_buf_span(&evidence), {NULL, 0}};
    kbsc_write_attestation(body, KBSC_NEWEST, &challenge, &proof);
    return post(w, "attest", vs_buf_span(body), header, answer);
}

void start_worker(worker *w, bench *b)
{
    *w = (worker){.b = b};
    vs_http_client_config cfg = {.user_agent = "bench"};
    vs_arena_init(&w->a, 0);
    must(vs_http_client_new(&cfg, &w->http, &w->err), "http client");
}

void stop_worker(worker *w)
{
    vs_http_client_free(&w->http);
    vs_arena_free(&w->a);
}

_Noreturn void give_up(const worker *w, const char *what, const vs_buf *answer)
{
    char text[VS_ERROR_TEXT];
    (void)fprintf(stderr, "bench_serve: %s failed: %s %.*s\n", what,
                  vs_error_text(&w->err, text, sizeof text), VS_FMT(vs_buf_span(answer)));
    exit(1);
}

int by_time(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

void get_token(bench *b)
{
    worker w;
    start_worker(&w, b);
    vs_buf answer = VS_BUF(1 << 20), scratch = VS_BUF(1 << 20), body = VS_BUF(1 << 20);
    vs_span token;
    if (!attest_once(&w, &answer, &scratch, &body))
        give_up(&w, "attestation", &answer);
    MUST(kbsc_read_token(&w.a, vs_buf_span(&answer), &token, &err));
    b->token = (vs_buf)VS_BUF(1 << 20);
    vs_buf_put(&b->token, token);
    vs_buf_free(&answer);
    vs_buf_free(&scratch);
    vs_buf_free(&body);
    stop_worker(&w);
}

void stop_server(bench *b)
{
    (void)kill(b->pid, SIGTERM);
    (void)waitpid(b->pid, NULL, 0);
}

void make_dir(bench *b)
{
    vs_arena_init(&b->a, 0);
    (void)snprintf(b->dir, sizeof b->dir, "/tmp/bench-serve-XXXXXX");
    if (!mkdtemp(b->dir)) {
        (void)fprintf(stderr, "bench_serve: %s: %s\n", b->dir, strerror(errno));
        exit(1);
    }
}

void clean_up(bench *b)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", b->dir);
    if (system(command) != 0)
        (void)fprintf(stderr, "bench_serve: cannot remove %s\n", b->dir);
    realm_close(&b->realm);
    vs_key_free(&b->admin);
    vs_key_free(&b->tee);
    vs_buf_free(&b->token);
    vs_arena_free(&b->a);
}
