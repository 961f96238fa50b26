/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/remote.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/enc.h"
#include "net/http_pool.h"
#include "net/origin.h"
#include "value/json.h"

enum {
    ADDRESS_MAX = 512,
    ANSWER_MAX = 1024 * 1024,
    TIMEOUT_MIN_MS = 100,
    TIMEOUT_MAX_MS = 120000,
    TIMEOUT_MS = 30000,
    CONNECT_MS = 10000,
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 2000,
};

#define WELL_KNOWN "/.well-known/veraison/verification"
#define EVIDENCE                                                                                   \
    "Content-Type: application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\""
#define SESSION "Accept: application/vnd.veraison.challenge-response-session+json"

/* What the service published, as read at one time. */
typedef struct published {
    atomic_uint refs;
    vs_key *key;
    char new_session[CCA_URL_MAX];
    int64_t until; /* vs_mono_ns */
} published;

struct cca_remote {
    char *address, *ca_cert;
    ear_tier worst;
    int64_t timeout_ms;
    vs_http_pool clients;
    pthread_mutex_t lock; /* guards the next */
    published *now;       /* NULL: nothing was read yet */
};

/* One verification on its way. */
typedef struct call {
    cca_remote *r;
    vs_http_client *client;
    vs_arena *a;
    int64_t deadline; /* vs_mono_ns */
    vs_span nonce, evidence;
} call;

/* ---- configuration --------------------------------------------------------------------------- */

/* Between "://" and the port or path, IPv6 without its brackets. */
static vs_span host_of(vs_span address)
{
    vs_span rest = vs_span_from(address, vs_span_starts(address, VS_LIT("https://")) ? 8 : 7);
    if (rest.n && *rest.p == '[')
        return vs_span_cut(vs_span_from(rest, 1), ']', &rest, NULL);
    vs_span authority = vs_span_cut(rest, '/', &rest, NULL);
    return vs_span_cut(authority, ':', &rest, NULL);
}

static bool is_this_machine(vs_span host)
{
    static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127}, v6[16] = {[15] = 1};
    vs_ip ip;
    if (vs_span_ieq(host, VS_LIT("localhost")))
        return true;
    return vs_ip_parse(host, &ip) &&
           (memcmp(ip.b, v4, sizeof v4) == 0 || memcmp(ip.b, v6, sizeof v6) == 0);
}

static vs_code check_address(vs_span address, bool allow_http, vs_error *err)
{
    bool https = vs_span_starts(address, VS_LIT("https://"));
    bool ok = https || vs_span_starts(address, VS_LIT("http://"));
    ok = ok && address.n < ADDRESS_MAX && host_of(address).n > 0;
    for (size_t i = 0; ok && i < address.n; i++)
        ok = address.p[i] > ' ' && address.p[i] < 0x7f && !strchr("@?#\\\"<>^`{|}", address.p[i]);
    if (!ok)
        return vs_fail(err, VS_E_INVALID,
                       "\"address\" is \"%.*s\", must be https://host:port without user, query or "
                       "fragment",
                       VS_FMT(vs_span_head(address, 80)));
    if (!https && !allow_http && !is_this_machine(host_of(address)))
        return vs_fail(err, VS_E_INVALID,
                       "\"address\" is http://: anybody on the way could say what is verified; use "
                       "https:// (or set \"allow-http\")");
    return VS_OK;
}

static vs_code read_minimum(vs_val verifier, ear_tier *worst, vs_error *err)
{
    static const struct {
        const char *name;
        ear_tier worst;
    } known[] = {
        {"affirming", EAR_AFFIRMING}, {"warning", EAR_WARNING}, {"none", EAR_CONTRAINDICATED}};
    vs_val text;
    *worst = EAR_WARNING;
    VS_TRY(vs_may(verifier, "minimum-status", VS_STRING, &text, err));
    if (!vs_defined(text))
        return VS_OK;
    for (size_t i = 0; i < VS_COUNT(known); i++) {
        if (vs_span_is(vs_text(text), known[i].name)) {
            *worst = known[i].worst;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_INVALID,
                   "\"minimum-status\" is \"%.*s\", must be \"affirming\", \"warning\" or \"none\"",
                   VS_FMT(vs_span_head(vs_text(text), 40)));
}

static vs_code read_timeout(vs_val verifier, int64_t *ms, vs_error *err)
{
    vs_val v;
    *ms = TIMEOUT_MS;
    VS_TRY(vs_may(verifier, "timeout-ms", VS_NUMBER, &v, err));
    if (!vs_defined(v))
        return VS_OK;
    if (!vs_is_int(v) || v.u.i < TIMEOUT_MIN_MS || v.u.i > TIMEOUT_MAX_MS)
        return vs_fail(err, VS_E_INVALID, "\"timeout-ms\" must be %d to %d", TIMEOUT_MIN_MS,
                       TIMEOUT_MAX_MS);
    *ms = v.u.i;
    return VS_OK;
}

static vs_code copy_text(vs_span s, char **out, vs_error *err)
{
    if (!s.n || memchr(s.p, 0, s.n))
        return vs_fail(err, VS_E_INVALID, "\"ca-cert\" or \"address\" is empty or holds a NUL");
    *out = strndup((const char *)s.p, s.n);
    return *out ? VS_OK : vs_fail(err, VS_E_NOMEM, "remote CCA verifier");
}

static vs_code configure(cca_remote *r, vs_val verifier, vs_error *err)
{
    vs_val address, ca, allow;
    VS_TRY(vs_need(verifier, "address", VS_STRING, &address, err));
    VS_TRY(vs_may(verifier, "ca-cert", VS_STRING, &ca, err));
    VS_TRY(vs_may(verifier, "allow-http", VS_BOOL, &allow, err));
    VS_TRY(read_minimum(verifier, &r->worst, err));
    VS_TRY(read_timeout(verifier, &r->timeout_ms, err));
    vs_span base = vs_text(address);
    while (base.n && base.p[base.n - 1] == '/')
        base.n--;
    VS_TRY(check_address(base, vs_is_true(allow), err));
    VS_TRY(copy_text(base, &r->address, err));
    return vs_defined(ca) ? copy_text(vs_text(ca), &r->ca_cert, err) : VS_OK;
}

/* ---- one request ----------------------------------------------------------------------------- */

/* 0: none is left. */
static unsigned left_ms(const call *c)
{
    int64_t left = (c->deadline - vs_mono_ns()) / 1000000;
    return left > 0 ? (unsigned)left : 0;
}

static vs_code too_late(const call *c, vs_error *err)
{
    return vs_fail(err, VS_E_TIMEOUT, "the service has not come to a result within %lld ms",
                   (long long)c->r->timeout_ms);
}

/* The answer replaces *answer, on the arena. */
static vs_code ask(const call *c, vs_http_call *http, int *status, vs_span *answer, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(ANSWER_MAX);
    http->total_ms = left_ms(c);
    if (!http->total_ms)
        return too_late(c, err);
    VS_TRY(vs_http_client_do(c->client, http, status, &body, err));
    *answer = vs_dup(c->a, vs_buf_span(&body));
    return vs_arena_check(c->a, err);
}

/* What is no answer to `what` was `status`, with these words. */
static vs_code refused(const char *what, int status, vs_span answer, vs_error *err)
{
    char why[CCA_PROBLEM_TEXT];
    if (status >= 300 && status < 400)
        return vs_fail(err, VS_E_IO,
                       "%s: the service answers with a redirect (%d), which is not followed", what,
                       status);
    cca_problem(answer, why);
    return vs_fail(err, VS_E_IO, "%s: the service answers with status %d%s%s", what, status,
                   why[0] ? ": " : "", why);
}

/* ---- discovery ------------------------------------------------------------------------------- */

static void unref(published **p)
{
    if (*p && atomic_fetch_sub(&(*p)->refs, 1) == 1) {
        vs_key_free(&(*p)->key);
        free(*p);
    }
    *p = NULL;
}

static published *take_published(cca_remote *r)
{
    published *p = NULL;
    (void)pthread_mutex_lock(&r->lock);
    if (r->now && vs_mono_ns() < r->now->until) {
        p = r->now;
        (void)atomic_fetch_add(&p->refs, 1);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return p;
}

/* From now on it is what others take; the caller keeps its own reference. */
static void publish(cca_remote *r, published *p)
{
    (void)atomic_fetch_add(&p->refs, 1);
    (void)pthread_mutex_lock(&r->lock);
    published *old = r->now;
    r->now = p;
    (void)pthread_mutex_unlock(&r->lock);
    unref(&old);
}

static vs_code read_discovery(const call *c, vs_span text, published **out, vs_error *err)
{
    cca_discovery d;
    VS_CLEANUP(unref) published *p = calloc(1, sizeof *p);
    if (!p)
        return vs_fail(err, VS_E_NOMEM, "discovery document");
    atomic_init(&p->refs, 1);
    VS_TRY(cca_discovery_read(c->a, text, &d, err));
    p->key = d.key;
    p->until = vs_mono_ns() + (int64_t)CCA_REMOTE_KEY_S * 1000000000;
    int n = snprintf(p->new_session, sizeof p->new_session, "%s%.*s", c->r->address,
                     VS_FMT(d.new_session));
    if (n < 0 || (size_t)n >= sizeof p->new_session)
        return vs_fail(err, VS_E_LIMIT, "discovery document: the path of sessions is too long");
    *out = p;
    p = NULL; /* transferred */
    return VS_OK;
}

static vs_code discover(const call *c, published **out, vs_error *err)
{
    static const char *const headers[] = {
        "Accept: application/vnd.veraison.discovery+json, application/json;q=0.9", NULL};
    char url[CCA_URL_MAX];
    int status;
    vs_span answer;
    (void)snprintf(url, sizeof url, "%s" WELL_KNOWN, c->r->address);
    vs_http_call http = {.method = "GET", .url = url, .headers = headers};
    VS_TRY(ask(c, &http, &status, &answer, err));
    if (status != 200)
        return refused("discovery", status, answer, err);
    VS_TRY(read_discovery(c, answer, out, err));
    publish(c->r, *out);
    return VS_OK;
}

/* ---- a session ------------------------------------------------------------------------------- */

static vs_code new_session(const call *c, const char *endpoint, char url[CCA_URL_MAX],
                           vs_error *err)
{
    static const char *const headers[] = {SESSION, NULL};
    char ask_url[CCA_URL_MAX + 128];
    int status;
    vs_span answer;
    cca_session session;
    vs_span nonce = vs_b64_encode_arena(c->a, VS_B64_URL, c->nonce);
    (void)snprintf(ask_url, sizeof ask_url, "%s%cnonce=%.*s", endpoint,
                   strchr(endpoint, '?') ? '&' : '?', VS_FMT(nonce));
    vs_http_call http = {.method = "POST", .url = ask_url, .headers = headers, .has_body = true};
    VS_TRY(ask(c, &http, &status, &answer, err));
    if (status != 201)
        return refused("new session", status, answer, err);
    vs_span location = vs_http_client_header(c->client, "location"), rest;
    VS_TRY_WRAP(cca_location(vs_span_cut(vs_str(endpoint), '?', &rest, NULL), location, url, err),
                err, "new session");
    return cca_session_read(c->a, answer, c->nonce, &session, err);
}

/* How long to wait before asking again: as the service wishes, within our bounds, or ever longer.
 */
static unsigned pause_ms(const call *c, unsigned before)
{
    uint64_t wish;
    unsigned ms = before * 2;
    if (vs_span_decimal(vs_http_client_header(c->client, "retry-after"), 3600, &wish))
        ms = (unsigned)wish * 1000;
    return ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : ms;
}

static void sleep_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0) {
    }
}

static vs_code poll(const call *c, const char *url, cca_session *session, vs_error *err)
{
    static const char *const headers[] = {SESSION, NULL};
    for (unsigned pause = pause_ms(c, 0); !session->complete; pause = pause_ms(c, pause)) {
        int status;
        vs_span answer;
        vs_http_call http = {.method = "GET", .url = url, .headers = headers};
        if (left_ms(c) <= pause)
            return too_late(c, err);
        sleep_ms(pause);
        VS_TRY(ask(c, &http, &status, &answer, err));
        if (status != 200 && status != 202)
            return refused("waiting for the result", status, answer, err);
        VS_TRY(cca_session_read(c->a, answer, c->nonce, session, err));
    }
    return VS_OK;
}

/* The EAR, not yet verified. */
static vs_code run_session(const call *c, const char *endpoint, vs_span *ear, vs_error *err)
{
    static const char *const headers[] = {SESSION, EVIDENCE, NULL};
    char url[CCA_URL_MAX];
    int status;
    vs_span answer;
    cca_session session;
    VS_TRY(new_session(c, endpoint, url, err));
    vs_http_call http = {
        .method = "POST", .url = url, .headers = headers, .body = c->evidence, .has_body = true};
    VS_TRY(ask(c, &http, &status, &answer, err));
    if (status != 200 && status != 202)
        return refused("evidence", status, answer, err);
    VS_TRY(cca_session_read(c->a, answer, c->nonce, &session, err));
    if (status == 200 && !session.complete)
        return vs_fail(err, VS_E_INVALID,
                       "evidence: the session is answered with 200 but has no "
                       "result");
    VS_TRY(poll(c, url, &session, err));
    *ear = session.result;
    return VS_OK;
}

/* ---- verification ---------------------------------------------------------------------------- */

/* The key may have changed since it was read: then the document says so. */
static vs_code verify_again(const call *c, vs_span ear, const vs_key *old, vs_val *claims,
                            vs_error *err)
{
    VS_CLEANUP(unref) published *fresh = NULL;
    vs_error why = {0};
    if (discover(c, &fresh, &why) != VS_OK || vs_key_public_eq(fresh->key, old))
        return VS_E_CRYPTO; /* the first error stands */
    *err = (vs_error){0};
    return cca_ear_verify(c->a, ear, fresh->key, claims, err);
}

static vs_code attest(const call *c, vs_val *claims, vs_error *err)
{
    vs_span ear;
    VS_CLEANUP(unref) published *p = take_published(c->r);
    bool cached = p != NULL;
    if (!cached)
        VS_TRY(discover(c, &p, err));
    VS_TRY(run_session(c, p->new_session, &ear, err));
    vs_code code = cca_ear_verify(c->a, ear, p->key, claims, err);
    return code == VS_E_CRYPTO && cached ? verify_again(c, ear, p->key, claims, err) : code;
}

static vs_code verify(cca_remote *r, const cca_token *t, vs_arena *a, vs_val *claims, vs_error *err)
{
    call c = {.r = r,
              .a = a,
              .deadline = vs_mono_ns() + r->timeout_ms * 1000000,
              .nonce = t->realm.challenge,
              .evidence = t->whole};
    VS_TRY(vs_http_pool_take(&r->clients, &c.client, err));
    vs_code code = attest(&c, claims, err);
    vs_http_pool_give(&r->clients, &c.client, code == VS_OK);
    return code;
}

vs_code cca_remote_verify(cca_remote *r, const cca_token *t, vs_val platform, vs_val realm,
                          int64_t now, vs_arena *a, cca_ear_findings *out, vs_error *err)
{
    vs_val claims = vs_undefined();
    vs_error why = {0};
    const cca_ear_expect expect = {.nonce = t->realm.challenge,
                                   .platform = platform,
                                   .realm = realm,
                                   .worst = r->worst,
                                   .now = now};
    vs_code code = verify(r, t, a, &claims, &why);
    if (code == VS_OK)
        code = cca_ear_check(claims, &expect, out, &why);
    if (code == VS_OK)
        return VS_OK;
    (void)vs_wrap(&why, "remote verifier %s", r->address);
    if (err)
        *err = why;
    return code;
}

/* ---- life ------------------------------------------------------------------------------------ */

vs_code cca_remote_new(vs_val verifier, cca_remote **out, vs_error *err)
{
    VS_CLEANUP(cca_remote_free) cca_remote *r = calloc(1, sizeof *r);
    if (!r)
        return vs_fail(err, VS_E_NOMEM, "remote CCA verifier");
    (void)pthread_mutex_init(&r->lock, NULL);
    VS_TRY(configure(r, verifier, err));
    const vs_http_client_config http = {.ca_file = r->ca_cert,
                                        .user_agent = "vouchsafe/" VS_VERSION,
                                        .connect_ms = CONNECT_MS,
                                        .total_ms = TIMEOUT_MAX_MS,
                                        .response_bytes = ANSWER_MAX};
    VS_TRY_WRAP(vs_http_pool_open(&r->clients, &http, err), err, "\"ca-cert\"");
    *out = r;
    r = NULL; /* transferred */
    return VS_OK;
}

void cca_remote_free(cca_remote **r)
{
    if (!*r)
        return;
    unref(&(*r)->now);
    vs_http_pool_close(&(*r)->clients);
    (void)pthread_mutex_destroy(&(*r)->lock);
    free((*r)->address);
    free((*r)->ca_cert);
    free(*r);
    *r = NULL;
}
