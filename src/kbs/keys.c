/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "base/thread.h"
#include "value/json.h"

#define NAMESPACE "key_source"
#define DISCOVERY "/.well-known/openid-configuration"

enum { TEXT_MAX = 1024 * 1024, REFRESH_S = 300, KEEP_AGAIN_S = 3600 };
#define SECOND INT64_C(1000000000)

struct kbs_source {
    kbs_sources *all;
    kbs_source *next;
    const char *uri, *path; /* path == NULL: a URL */
    kbs_keys_reader read;
    bool discover;
    struct stat seen;         /* of the file when it was read */
    int64_t next_read, tried; /* vs_mono_ns; the thread's */
    int64_t kept;             /* vs_now_s when the store was told */
    pthread_mutex_t lock;     /* over the rest */
    kbs_keys *keys;           /* NULL = none yet */
    int64_t fresh_until;      /* vs_mono_ns */
    bool missed;
};

struct kbs_sources {
    kbs_sources_config cfg;
    kbs_source *first;
    pthread_t thread;
    bool running, stop;
    pthread_mutex_t lock; /* over stop */
    pthread_cond_t wake;
};

/* ---- sets of keys -----------------------------------------------------------------------------
 */

vs_code kbs_keys_add(kbs_keys *k, vs_span kid, vs_alg alg, vs_key *key, vs_error *err)
{
    kbs_named_key one = {.alg = alg, .key = key};
    if (k->n == KBS_KEYS_MAX) {
        vs_key_free(&key);
        return vs_fail(err, VS_E_LIMIT, "more than %d keys", KBS_KEYS_MAX);
    }
    if (k->n == k->room) {
        size_t room = k->room ? k->room * 2 : 4;
        kbs_named_key *more = realloc(k->items, room * sizeof *more);
        if (more) {
            k->items = more;
            k->room = room;
        }
    }
    if (kid.p)
        one.kid = strndup((const char *)kid.p, kid.n);
    if (k->n == k->room || (kid.p && !one.kid)) {
        free(one.kid);
        vs_key_free(&one.key);
        return vs_fail(err, VS_E_NOMEM, "out of memory for keys");
    }
    k->items[k->n++] = one;
    return VS_OK;
}

kbs_keys *kbs_keys_new(vs_error *err)
{
    kbs_keys *k = calloc(1, sizeof *k);
    if (k)
        atomic_init(&k->refs, 1);
    else
        (void)vs_fail(err, VS_E_NOMEM, "out of memory for keys");
    return k;
}

void kbs_keys_unref(kbs_keys **kp)
{
    kbs_keys *k = *kp;
    *kp = NULL;
    if (!k || atomic_fetch_sub(&k->refs, 1) > 1)
        return;
    for (size_t i = 0; i < k->n; i++) {
        free(k->items[i].kid);
        vs_key_free(&k->items[i].key);
    }
    free(k->items);
    free(k);
}

static kbs_keys *keys_ref(kbs_keys *k)
{
    (void)atomic_fetch_add(&k->refs, 1);
    return k;
}

/* ---- what a text holds ------------------------------------------------------------------------
 */

vs_code kbs_read_pem(vs_span text, kbs_keys *out, vs_error *err)
{
    vs_key *key = NULL;
    VS_TRY(vs_key_from_pem(text, false, &key, err));
    return kbs_keys_add(out, (vs_span){NULL, 0}, VS_ALG_NONE, key, err);
}

/* A JWK without "kid" or "alg" can never be chosen; one for encryption, or of a kind that we do not
 * verify with, is somebody else's business. */
static bool passed_over(vs_val jwk, vs_code code, vs_alg alg)
{
    vs_val kid = vs_getc(jwk, "kid"), use = vs_getc(jwk, "use");
    return code == VS_E_UNSUPPORTED || vs_text(kid).n == 0 || memchr(kid.u.s, 0, kid.len) ||
           (vs_defined(use) && !vs_span_is(vs_text(use), "sig")) ||
           (code == VS_OK && alg == VS_ALG_NONE);
}

static vs_code add_jwk(vs_val jwk, bool strict, kbs_keys *out, vs_error *err)
{
    vs_val kid, use;
    vs_key *key = NULL;
    vs_alg alg = VS_ALG_NONE;
    vs_code code = vs_may(jwk, "kid", VS_STRING, &kid, err);
    if (code == VS_OK)
        code = vs_may(jwk, "use", VS_STRING, &use, err);
    if (code == VS_OK) {
        code = vs_key_from_jwk(jwk, false, strict, &key, &alg, err);
        if (passed_over(jwk, code, alg))
            code = VS_E_UNSUPPORTED;
        else if (code == VS_OK && !vs_key_fits(key, alg))
            code = vs_fail(err, VS_E_INVALID, "JWK \"%.*s\": its alg does not fit the key",
                           VS_FMT(vs_span_head(vs_text(kid), 80)));
    }
    if (code == VS_OK)
        return kbs_keys_add(out, vs_text(kid), alg, key, err);
    vs_key_free(&key);
    if (code != VS_E_UNSUPPORTED && (strict || code == VS_E_NOMEM))
        return code;
    vs_log(VS_LOG_WARN, "kbs",
           "a key of a JWK set is not used: it needs kid and alg, and be for signatures", NULL);
    return VS_OK;
}

static vs_code read_set(vs_arena *a, vs_span text, bool strict, kbs_keys *out, vs_error *err)
{
    vs_val set, keys;
    VS_TRY(vs_json_parse(a, text, NULL, &set, err));
    VS_TRY(vs_need(set, "keys", VS_ARRAY, &keys, err));
    if (keys.len > KBS_KEYS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%u keys, at most %d", keys.len, KBS_KEYS_MAX);
    for (VS_ARR_FOR (jwk, keys))
        VS_TRY(add_jwk(*jwk, strict, out, err));
    if (strict && out->n == 0)
        return vs_fail(err, VS_E_INVALID, "the JWK set holds no key that can be used");
    return VS_OK;
}

vs_code kbs_read_jwk_set(vs_span text, bool strict, kbs_keys *out, vs_error *err)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_code code = read_set(&a, text, strict, out, err);
    vs_arena_free(&a);
    return code;
}

/* ---- in force ---------------------------------------------------------------------------------
 */

static void publish(kbs_source *s, kbs_keys *keys, int64_t fresh_until)
{
    (void)pthread_mutex_lock(&s->lock);
    kbs_keys *old = s->keys;
    s->keys = keys;
    s->fresh_until = fresh_until;
    s->missed = false;
    (void)pthread_mutex_unlock(&s->lock);
    kbs_keys_unref(&old);
}

/* What is given while nothing is valid. It is never freed. */
static kbs_keys *no_keys(void)
{
    static kbs_keys none = {.refs = 1};
    return keys_ref(&none);
}

kbs_keys *kbs_source_keys(kbs_source *s)
{
    int64_t now = s->path ? 0 : vs_mono_ns();
    (void)pthread_mutex_lock(&s->lock);
    kbs_keys *k = s->keys && now <= s->fresh_until ? keys_ref(s->keys) : no_keys();
    (void)pthread_mutex_unlock(&s->lock);
    return k;
}

void kbs_source_missed(kbs_source *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->missed = true;
    (void)pthread_mutex_unlock(&s->lock);
}

static vs_code take(kbs_source *s, vs_span text, int64_t fresh_until, vs_error *err)
{
    kbs_keys *keys = kbs_keys_new(err);
    if (!keys)
        return VS_E_NOMEM;
    vs_code code = s->read(text, keys, err);
    if (code == VS_OK && !s->path && keys->n == 0)
        code = vs_fail(err, VS_E_INVALID, "there is no key that can be used");
    if (code == VS_OK)
        publish(s, keys, fresh_until);
    else
        kbs_keys_unref(&keys);
    return code;
}

/* ---- files ------------------------------------------------------------------------------------
 */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A change while it is read shows in the next round, since the look goes before. */
static vs_code read_path(kbs_source *s, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    if (stat(s->path, &s->seen) != 0)
        s->seen = (struct stat){0};
    VS_TRY(vs_read_file(s->path, &text, err));
    return take(s, vs_buf_span(&text), INT64_MAX, err);
}

static void poll_file(kbs_source *s)
{
    struct stat st;
    vs_error err = {0};
    if (stat(s->path, &st) != 0)
        st = (struct stat){0};
    if (same_file(&st, &s->seen))
        return;
    if (read_path(s, &err) == VS_OK) {
        vs_log(VS_LOG_INFO, "kbs", "keys were read again", "source", s->uri, NULL);
        return;
    }
    (void)vs_wrap(&err, "%s", s->uri);
    vs_log_error(VS_LOG_ERROR, "kbs", "keys were not read again; the old ones stay", &err);
}

/* ---- URLs -------------------------------------------------------------------------------------
 */

static vs_code store_key(vs_arena *a, const char *uri, vs_span *key, vs_error *err)
{
    uint8_t md[VS_HASH_MAX];
    VS_TRY(vs_digest(VS_SHA256, vs_str(uri), VS_LIT(""), VS_LIT(""), md, err));
    *key = vs_hex_encode_arena(a, vs_span_of(md, vs_hash_size(VS_SHA256)));
    return vs_arena_check(a, err);
}

/* For starts at which the URL does not answer. Public, and whoever can write to the store can do
 * anything anyway. */
static vs_code keep_text(kbs_source *s, vs_span text, vs_error *err)
{
    int64_t now = vs_now_s();
    if (!s->all->cfg.store || now - s->kept < KEEP_AGAIN_S || !vs_utf8_ok(text))
        return VS_OK;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(2 * TEXT_MAX);
    vs_span key;
    vs_arena_init(&a, 0);
    VS_TRY(store_key(&a, s->uri, &key, err));
    vs_jw w = {.out = &out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "fetched");
    vs_jw_int(&w, now);
    vs_jw_key(&w, "text");
    vs_jw_span(&w, text);
    vs_jw_key(&w, "uri");
    vs_jw_str(&w, s->uri);
    vs_jw_close(&w, '}');
    VS_TRY(vs_buf_check(&out, err));
    VS_TRY(
        vs_store_put(s->all->cfg.store, NAMESPACE, key, vs_buf_span(&out), 0, VS_PUT_REPLACE, err));
    s->kept = now;
    return VS_OK;
}

static vs_code take_kept(kbs_source *s, vs_error *err)
{
    if (!s->all->cfg.store)
        return vs_fail(err, VS_E_NOT_FOUND, "nothing is kept");
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(vs_buf_free) vs_buf kept = VS_BUF(2 * TEXT_MAX);
    vs_span key;
    vs_val v, fetched, text, uri;
    vs_arena_init(&a, 0);
    VS_TRY(store_key(&a, s->uri, &key, err));
    VS_TRY(vs_store_get(s->all->cfg.store, NAMESPACE, key, 0, &kept, err));
    VS_TRY(vs_json_parse(&a, vs_buf_span(&kept), NULL, &v, err));
    VS_TRY(vs_need(v, "fetched", VS_NUMBER, &fetched, err));
    VS_TRY(vs_need(v, "text", VS_STRING, &text, err));
    VS_TRY(vs_need(v, "uri", VS_STRING, &uri, err));
    int64_t now = vs_now_s();
    if (!vs_is_int(fetched) || fetched.u.i > now || !vs_span_is(vs_text(uri), s->uri))
        return vs_fail(err, VS_E_INVALID, "what is kept in the store is not of this time and URL");
    int64_t age = now - fetched.u.i;
    int64_t left = age > KBS_KEYS_STALE_S ? -1 : KBS_KEYS_STALE_S - age;
    if (left < 0)
        vs_log(VS_LOG_ERROR, "kbs", "the kept keys are too old to be used", "source", s->uri, NULL);
    return take(s, vs_text(text), vs_mono_ns() + left * SECOND, err);
}

static vs_code fetch(kbs_source *s, const char *url, vs_buf *text, vs_error *err)
{
    vs_buf_clear(text);
    VS_TRY(s->all->cfg.fetch(s->all->cfg.user, url, text, err));
    return vs_buf_check(text, err);
}

static vs_code take_fetched(kbs_source *s, const char *url, vs_buf *text, vs_error *err)
{
    VS_TRY(fetch(s, url, text, err));
    VS_TRY_WRAP(take(s, vs_buf_span(text), vs_mono_ns() + KBS_KEYS_STALE_S * SECOND, err), err,
                "%s", url);
    vs_error why = {0};
    if (keep_text(s, vs_buf_span(text), &why) != VS_OK)
        vs_log_error(VS_LOG_WARN, "kbs", "keys were not kept for the next start", &why);
    return VS_OK;
}

/* OpenID Connect Discovery 1.0, 4: the issuer's configuration says where its keys are. */
static vs_code follow_discovery(kbs_source *s, vs_buf *text, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    size_t n = strlen(s->uri);
    while (n > 0 && s->uri[n - 1] == '/')
        n--;
    const char *url = vs_sprintf(&a, "%.*s" DISCOVERY, (int)n, s->uri);
    vs_val v, jwks;
    VS_TRY(vs_arena_check(&a, err));
    VS_TRY(fetch(s, url, text, err));
    VS_TRY_WRAP(vs_json_parse(&a, vs_buf_span(text), NULL, &v, err), err, "%s", url);
    VS_TRY_WRAP(vs_need(v, "jwks_uri", VS_STRING, &jwks, err), err, "%s", url);
    const char *at = vs_sprintf(&a, "%.*s", VS_FMT(vs_text(jwks)));
    VS_TRY(vs_arena_check(&a, err));
    if (strncmp(at, "https://", 8) != 0 || strlen(at) != vs_text(jwks).n)
        return vs_fail(err, VS_E_UNTRUSTED, "%s: its jwks_uri is not an https URL", url);
    return take_fetched(s, at, text, err);
}

static vs_code read_url(kbs_source *s, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    int64_t now = vs_mono_ns();
    s->tried = now;
    s->next_read = now + s->all->cfg.refresh_s * SECOND;
    vs_error direct = {0}, why = {0};
    vs_code code = take_fetched(s, s->uri, &text, &direct);
    if (code == VS_OK)
        return VS_OK;
    if (s->discover && follow_discovery(s, &text, &why) == VS_OK)
        return VS_OK;
    s->next_read = now + KBS_KEYS_PAUSE_S * SECOND;
    char found[VS_ERROR_TEXT / 2], sought[VS_ERROR_TEXT / 2];
    return vs_fail(err, code, s->discover ? "%s; and as an issuer's: %s" : "%s",
                   vs_error_text(&direct, found, sizeof found),
                   vs_error_text(&why, sought, sizeof sought));
}

static void poll_url(kbs_source *s, int64_t now)
{
    (void)pthread_mutex_lock(&s->lock);
    bool missed = s->missed;
    (void)pthread_mutex_unlock(&s->lock);
    bool due = now >= s->next_read || (missed && now - s->tried >= KBS_KEYS_PAUSE_S * SECOND);
    if (!due)
        return;
    vs_error err = {0};
    if (read_url(s, &err) != VS_OK)
        vs_log_error(VS_LOG_WARN, "kbs", "keys were not fetched again; the old ones stay", &err);
}

/* ---- all --------------------------------------------------------------------------------------
 */

void kbs_sources_poll(kbs_sources *all, int64_t now)
{
    for (kbs_source *s = all->first; s; s = s->next) {
        if (s->path)
            poll_file(s);
        else
            poll_url(s, now);
    }
}

static bool stopping(kbs_sources *s)
{
    int64_t until = vs_mono_ns() + 1000000000;
    (void)pthread_mutex_lock(&s->lock);
    if (!s->stop)
        (void)vs_cond_wait(&s->wake, &s->lock, until);
    bool stop = s->stop;
    (void)pthread_mutex_unlock(&s->lock);
    return stop;
}

static void *keep_reading(void *arg)
{
    kbs_sources *s = arg;
    while (!stopping(s))
        kbs_sources_poll(s, vs_mono_ns());
    return NULL;
}

vs_code kbs_sources_start(kbs_sources *s, vs_error *err)
{
    if (!s->first)
        return VS_OK;
    int failed = pthread_create(&s->thread, NULL, keep_reading, s);
    s->running = failed == 0;
    return failed ? vs_fail_errno(err, VS_E_IO, failed, "cannot start a thread") : VS_OK;
}

static vs_code first_read(kbs_source *s, vs_error *err)
{
    if (s->path) {
        VS_TRY_WRAP(read_path(s, err), err, "%s", s->uri);
        return VS_OK;
    }
    vs_error why = {0};
    vs_code code = read_url(s, &why);
    if (code == VS_OK)
        return VS_OK;
    if (take_kept(s, NULL) == VS_OK) {
        vs_log_error(VS_LOG_WARN, "kbs", "keys were not fetched; those of an earlier time are used",
                     &why);
        return VS_OK;
    }
    *err = why;
    (void)vs_wrap(err,
                  "no keys from %s, now or before: check the address, the network and "
                  "key_sources.ca_file, or give the keys as a file",
                  s->uri);
    return code;
}

static vs_code check_uri(const kbs_sources *all, kbs_source *s, vs_error *err)
{
    if (strncmp(s->uri, "file://", 7) == 0)
        s->path = s->uri + 7;
    else if (!strstr(s->uri, "://"))
        s->path = s->uri;
    else if (strncmp(s->uri, "https://", 8) != 0)
        return vs_fail(err, VS_E_UNSUPPORTED, "\"%.200s\" is neither a file nor an https URL",
                       s->uri);
    else if (!all->cfg.fetch)
        return vs_fail(err, VS_E_UNSUPPORTED, "\"%.200s\": this program reads keys from files only",
                       s->uri);
    return VS_OK;
}

vs_code kbs_sources_add(kbs_sources *all, const char *uri, kbs_keys_reader read, bool discover,
                        kbs_source **out, vs_error *err)
{
    vs_error own = {0};
    err = err ? err : &own;
    kbs_source *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory for keys");
    *s = (kbs_source){.all = all, .uri = uri, .read = read, .discover = discover};
    (void)pthread_mutex_init(&s->lock, NULL);
    s->next = all->first; /* owned from here on */
    all->first = s;
    *out = s;
    VS_TRY(check_uri(all, s, err));
    return first_read(s, err);
}

vs_code kbs_sources_new(const kbs_sources_config *cfg, kbs_sources **out, vs_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return vs_fail(err, VS_E_NOMEM, "out of memory for keys");
    (*out)->cfg = *cfg;
    if (!cfg->refresh_s)
        (*out)->cfg.refresh_s = REFRESH_S;
    (void)pthread_mutex_init(&(*out)->lock, NULL);
    vs_cond_init(&(*out)->wake);
    return VS_OK;
}

void kbs_sources_free(kbs_sources **sp)
{
    kbs_sources *all = *sp;
    *sp = NULL;
    if (!all)
        return;
    if (all->running) {
        (void)pthread_mutex_lock(&all->lock);
        all->stop = true;
        (void)pthread_cond_signal(&all->wake);
        (void)pthread_mutex_unlock(&all->lock);
        (void)pthread_join(all->thread, NULL);
    }
    for (kbs_source *s = all->first, *next; s; s = next) {
        next = s->next;
        kbs_keys_unref(&s->keys);
        (void)pthread_mutex_destroy(&s->lock);
        free(s);
    }
    (void)pthread_mutex_destroy(&all->lock);
    (void)pthread_cond_destroy(&all->wake);
    free(all);
}
