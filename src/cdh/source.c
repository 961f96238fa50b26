/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/source.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/wait.h"
#include "cdh/offline.h"
#include "client/client.h"
#include "net/task_pool.h"
#include "value/json.h"

enum {
    ANSWER_MAX = 2 * 1024 * 1024,     /* the agent's */
    KBS_ANSWER_MAX = 8 * 1024 * 1024, /* encrypted; a reply of ours (ttrpc) has 4 MiB at most */
    SESSIONS = 8,                     /* to the KBS at a time, of which ... */
    IDLE_MAX = 4,                     /* stay, each with a connection */
    TRIES = 3,
    REQUEST_MS = 30000, /* callers wait 50 s (guest.md 2.3): they shall learn what was wrong */
};

/* What one request has for itself while it talks to the KBS. */
typedef struct session session;
struct session {
    session *next;
    kbsc *kbs;      /* with the key of the token */
    uint64_t token; /* which of the source's it holds; 0 = none */
    vs_buf text;
};

struct cdh_source {
    cdh_kbs_config cfg;
    kbsc *like; /* makes no request, but knows whom to trust; NULL = files */
    cdh_offline files;
    pthread_mutex_t lock; /* guards what follows; never held while anything is waited for */
    pthread_cond_t given; /* there is a session less in use */
    session *idle;
    unsigned n_idle, in_use;
    uint64_t token; /* how many there were; 0 = none yet */
    vs_buf answer;  /* the agent's, with the latest token */
};

/* ---- making one ------------------------------------------------------------------------------ */

static cdh_source *new_source(void)
{
    cdh_source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->answer = (vs_buf)VS_BUF(ANSWER_MAX);
    (void)pthread_mutex_init(&s->lock, NULL);
    vs_cond_init(&s->given);
    return s;
}

static void free_session(session *k)
{
    kbsc_free(&k->kbs);
    vs_buf_free(&k->text);
    free(k);
}

void cdh_source_free(cdh_source **source)
{
    cdh_source *s = *source;
    *source = NULL;
    if (!s)
        return;
    for (session *k = s->idle, *next; k; k = next) {
        next = k->next;
        free_session(k);
    }
    kbsc_free(&s->like);
    vs_buf_free(&s->answer);
    cdh_offline_free(&s->files);
    (void)pthread_cond_destroy(&s->given);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static vs_code new_client(const cdh_source *s, kbsc **out, vs_error *err)
{
    const cdh_kbs_config *cfg = &s->cfg;
    const kbsc_config kbs = {.url = cfg->url,
                             .ca_pem = cfg->ca_pem,
                             .tls_of = s->like,
                             .user_agent = "confidential-data-hub/" VS_VERSION,
                             .oldest = (kbsc_version)cfg->oldest,
                             .answer_bytes = KBS_ANSWER_MAX,
                             .request_ms = REQUEST_MS};
    return kbsc_new(&kbs, out, err);
}

static vs_code new_session(const cdh_source *s, session **out, vs_error *err)
{
    session *k = calloc(1, sizeof *k);
    if (!k)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    k->text = (vs_buf)VS_BUF(ANSWER_MAX);
    vs_code code = new_client(s, &k->kbs, err);
    if (code == VS_OK)
        *out = k;
    else
        free_session(k);
    return code;
}

/* With the lock. */
static void add_idle(cdh_source *s, session *k)
{
    k->next = s->idle;
    s->idle = k;
    s->n_idle++;
}

/* With the lock. False: all are in use as long as this thread may wait. */
static bool await_turn(cdh_source *s)
{
    int64_t end = vs_mono_ns() + (int64_t)REQUEST_MS * 1000000;
    while (s->in_use == SESSIONS) {
        if (vs_mono_ns() >= end || vs_wait_is_over())
            return false;
        (void)vs_cond_wait(&s->given, &s->lock, vs_wait_step(end));
    }
    return true;
}

/* NULL: its place is given to whoever waits for one. */
static void give_session(cdh_source *s, session *k)
{
    (void)pthread_mutex_lock(&s->lock);
    s->in_use--;
    (void)pthread_cond_signal(&s->given);
    bool keep = k && s->n_idle < IDLE_MAX;
    if (keep)
        add_idle(s, k);
    (void)pthread_mutex_unlock(&s->lock);
    if (k && !keep)
        free_session(k);
}

static vs_code take_session(cdh_source *s, session **out, vs_error *err)
{
    (void)pthread_mutex_lock(&s->lock);
    bool mine = await_turn(s);
    session *k = *out = mine ? s->idle : NULL;
    s->in_use += mine;
    if (k) {
        s->idle = k->next;
        s->n_idle--;
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (!mine)
        return vs_fail(err, VS_E_TIMEOUT, "all %d connections to the KBS are in use", SESSIONS);
    vs_code code = k ? VS_OK : new_session(s, out, err);
    if (code != VS_OK)
        give_session(s, NULL);
    return code;
}

vs_code cdh_source_kbs(const cdh_kbs_config *cfg, cdh_source **out, vs_error *err)
{
    cdh_source *s = *out = new_source();
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->cfg = *cfg;
    vs_code code = new_client(s, &s->like, err); /* tells what is wrong with URL or certificate */
    if (code != VS_OK)
        cdh_source_free(out);
    return code;
}

vs_code cdh_source_files(const char *const *paths, size_t n, cdh_source **out, vs_error *err)
{
    cdh_source *s = *out = new_source();
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    vs_code code = cdh_offline_load(paths, n, &s->files, err);
    if (code != VS_OK)
        cdh_source_free(out);
    return code;
}

/* ---- the agent's token ----------------------------------------------------------------------- */

/* Answer number `number`, of the agent. */
static vs_code take_token(session *k, vs_span json, uint64_t number, vs_error *err)
{
    VS_CLEANUP(vs_arena_wipe) vs_arena a; /* the key is in the text */
    vs_arena_init(&a, 0);
    vs_val doc, token, pem;
    vs_key *key = NULL;
    k->token = 0;
    vs_buf_clear(&k->text);
    VS_TRY(vs_json_parse(&a, json, NULL, &doc, err));
    VS_TRY(vs_need(doc, "token", VS_STRING, &token, err));
    VS_TRY(vs_need(doc, "tee_keypair", VS_STRING, &pem, err));
    VS_TRY(vs_key_from_pem(vs_text(pem), true, &key, err));
    VS_TRY(kbsc_set_tee_key(k->kbs, key, err));
    vs_buf_put(&k->text, vs_text(token));
    VS_TRY(vs_buf_check(&k->text, err));
    k->token = number;
    return VS_OK;
}

/* Which token the source has, copied to `json` when it is another one than the session's. */
static uint64_t copy_token(cdh_source *s, const session *k, vs_buf *json)
{
    (void)pthread_mutex_lock(&s->lock);
    uint64_t number = s->token;
    if (number != k->token)
        vs_buf_put(json, vs_buf_span(&s->answer));
    (void)pthread_mutex_unlock(&s->lock);
    return number;
}

/* On failure the source keeps what it has. */
static vs_code keep_token(cdh_source *s, vs_span json, uint64_t *number, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf kept = VS_BUF(ANSWER_MAX); /* in the end, the one before */
    vs_buf_put(&kept, json);
    VS_TRY(vs_buf_check(&kept, err));
    (void)pthread_mutex_lock(&s->lock);
    vs_buf before = s->answer;
    s->answer = kept;
    kept = before;
    *number = ++s->token;
    (void)pthread_mutex_unlock(&s->lock);
    return VS_OK;
}

/* The latest token, or a new one when that is what was refused, or there is none. Of requests at
 * once each may ask the agent, which has one answer for all. */
static vs_code get_token(cdh_source *s, session *k, bool refused, bool *is_new, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(ANSWER_MAX);
    uint64_t number = copy_token(s, k, &json);
    bool other = number != k->token;
    *is_new = false;
    if (!other && k->token && !refused)
        return VS_OK;
    if (!other) {
        VS_TRY_WRAP(s->cfg.get_token(s->cfg.user, vs_buf_span(&k->text), &json, err), err,
                    "asking the attestation agent");
        *is_new = true;
    }
    VS_TRY(vs_buf_check(&json, err));
    VS_TRY_WRAP(take_token(k, vs_buf_span(&json), number, err), err,
                "the attestation agent's token");
    if (!*is_new)
        return VS_OK;
    k->token = 0;
    return keep_token(s, vs_buf_span(&json), &k->token, err);
}

/* A token that is refused is replaced: it may have run out, or the KBS may have lost its keys. */
static vs_code get_from_kbs(cdh_source *s, session *k, const cdh_uri *uri, vs_buf *out,
                            vs_error *err)
{
    const kbsc_resource what = {uri->plugin, uri->path, uri->query};
    bool refused = false, is_new;
    for (int tried = 1;; tried++) {
        VS_TRY(get_token(s, k, refused, &is_new, err));
        vs_code code =
            kbsc_get_with_token(k->kbs, vs_buf_span(&k->text), &what, out, &refused, err);
        if (code == VS_OK || !refused || is_new || tried == TRIES)
            return code;
    }
}

/* ---- getting --------------------------------------------------------------------------------- */

static vs_code ask_kbs(cdh_source *s, const cdh_uri *uri, vs_buf *out, vs_error *err)
{
    session *k;
    VS_TRY(take_session(s, &k, err));
    vs_code code = get_from_kbs(s, k, uri, out, err);
    give_session(s, k);
    return code;
}

vs_code cdh_source_get(cdh_source *s, const cdh_uri *uri, vs_buf *out, vs_error *err)
{
    if (!s->like)
        return cdh_offline_get(&s->files, uri, out, err);
    VS_TRY(vs_task_wait(false, err));
    vs_code code = ask_kbs(s, uri, out, err);
    vs_task_waited();
    return code;
}

vs_code cdh_source_get_named(cdh_source *s, vs_span name, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    cdh_uri uri;
    VS_TRY(cdh_uri_parse(&a, name, &uri, err));
    return cdh_source_get(s, &uri, out, err);
}
