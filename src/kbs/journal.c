/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/thread.h"
#include "crypto/crypto.h"
#include "envelope/jose.h"
#include "kbs/audit.h"
#include "kbs/internal.h"
#include "value/json.h"

#define NS_DECISION "decision"
#define NS_TOKEN    "decision_of_token" /* SHA-256 of a token: the id of its attestation */
#define KEY_NAME    VS_LIT("audit-signer-1")

enum {
    QUEUE_MAX = 4096,
    QUEUE_BYTES = 64 << 20,
    BATCH_MAX = 256,
    RECENT_MAX = 512,
    RECENT_BYTES = 32 * 1024, /* of one; a larger one is kept without its details */
    UNPROVEN_PER_S = 20,
    CHECKPOINT_EVERY = 1000,
    WAIT_S = 2,
    RETRY_S = 1,
    EVENT_MAX = AUDIT_LINE_MAX / 2,
};

typedef struct item {
    struct item *next;
    char id[37], token[65];
    bool proven, audit;
    int64_t now;
    vs_buf event, record; /* JSON */
} item;

typedef struct recent { /* zero where there is none */
    uint8_t id[36], token[64];
    vs_buf record;
} recent;

struct kbs_journal {
    vs_store *store;
    audit_log *audit; /* NULL = none; of the writer only */
    vs_key *key;
    bool audit_each;
    unsigned keep_days;

    pthread_mutex_t lock; /* over all below */
    pthread_cond_t changed;
    item *first, **last;
    size_t n_queued, queued_bytes;
    uint64_t accepted, written; /* items */
    bool stopping, rotate;
    vs_error trouble; /* of the last attempt to write; code VS_OK = none */
    recent recent[RECENT_MAX];
    size_t next_recent;
    int64_t second; /* of the unproven events */
    unsigned this_second;
    uint64_t suppressed;
    pthread_t writer;
    bool running;
};

void kbs_new_id(char out[37])
{
    uint8_t r[16];
    uint64_t ms = (uint64_t)vs_now_ns() / 1000000;
    vs_random(r, sizeof r);
    for (unsigned i = 0; i < 6; i++)
        r[i] = (uint8_t)(ms >> (40 - 8 * i));
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x70);
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < sizeof r; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        (void)snprintf(out + at, 3, "%02x", r[i]);
        at += 2;
    }
}

/* ---- items ------------------------------------------------------------------------------------
 */

static void item_free(item *it)
{
    vs_buf_free(&it->event);
    vs_buf_free(&it->record);
    free(it);
}

static vs_code item_new(const kbs_entry *e, bool audit, item **out, vs_error *err)
{
    item *it = calloc(1, sizeof *it);
    if (!it)
        return vs_fail(err, VS_E_NOMEM, "out of memory for a decision");
    (void)snprintf(it->id, sizeof it->id, "%s", e->id);
    (void)snprintf(it->token, sizeof it->token, "%s", e->token ? e->token : "");
    it->proven = e->proven;
    it->audit = audit;
    it->now = e->now;
    it->event = (vs_buf)VS_BUF(EVENT_MAX);
    it->record = (vs_buf)VS_BUF(VS_STORE_VALUE_MAX);
    vs_json_print(&it->event, e->event);
    vs_json_print(&it->record, vs_defined(e->record) ? e->record : e->event);
    vs_code code = vs_buf_check(&it->event, err);
    if (code == VS_OK)
        code = vs_buf_check(&it->record, err);
    if (code != VS_OK) {
        item_free(it);
        return code;
    }
    *out = it;
    return VS_OK;
}

/* ---- the writer ---------------------------------------------------------------------------------
 */

static vs_code audit_items(kbs_journal *j, item *list, vs_error *err)
{
    if (!j->audit)
        return VS_OK;
    for (item *it = list; it; it = it->next) {
        if (!it->audit)
            continue;
        vs_arena a;
        vs_val event;
        vs_arena_init(&a, 0);
        vs_code code = vs_json_parse(&a, vs_buf_span(&it->event), NULL, &event, err);
        if (code == VS_OK)
            code = audit_append(j->audit, event, it->now, err);
        vs_arena_free(&a);
        VS_TRY(code);
        it->audit = false; /* a second attempt does not repeat it */
    }
    return audit_sync(j->audit, err);
}

static vs_code store_items(kbs_journal *j, item *list, vs_error *err)
{
    vs_store_item items[2 * BATCH_MAX];
    size_t n = 0;
    for (item *it = list; it && j->keep_days > 0; it = it->next) {
        if (!it->proven)
            continue;
        vs_store_item put = {.ns = NS_DECISION,
                             .key = vs_str(it->id),
                             .value = vs_buf_span(&it->record),
                             .expires = it->now + (int64_t)j->keep_days * 86400,
                             .mode = VS_PUT_REPLACE};
        items[n++] = put;
        if (it->token[0]) {
            put.ns = NS_TOKEN;
            put.key = vs_str(it->token);
            put.value = vs_str(it->id);
            items[n++] = put;
        }
    }
    return n ? vs_store_put_all(j->store, items, n, err) : VS_OK;
}

/* At most BATCH_MAX items, taken off the queue. Called with the lock held. */
static item *take_batch(kbs_journal *j, size_t *n)
{
    item *list = j->first, **end = &list;
    for (*n = 0; *end && *n < BATCH_MAX; ++*n)
        end = &(*end)->next;
    j->first = *end;
    if (!j->first)
        j->last = &j->first;
    *end = NULL;
    return list;
}

/* Until it works; or, when the journal is to end, once more. */
static void write_batch(kbs_journal *j, item *list)
{
    for (;;) {
        vs_error err = {0};
        vs_code code = audit_items(j, list, &err);
        vs_error store_err = {0};
        if (code == VS_OK && store_items(j, list, &store_err) != VS_OK)
            vs_log_error(VS_LOG_WARN, "journal", "decision records were not stored", &store_err);
        (void)pthread_mutex_lock(&j->lock);
        bool before = j->trouble.code != VS_OK;
        j->trouble = err;
        bool stop = code == VS_OK || j->stopping;
        if (!stop) {
            int64_t until = vs_mono_ns() + (int64_t)RETRY_S * 1000000000;
            (void)pthread_cond_broadcast(&j->changed);
            (void)vs_cond_wait(&j->changed, &j->lock, until);
        }
        (void)pthread_mutex_unlock(&j->lock);
        if (code != VS_OK && !before)
            vs_log_error(VS_LOG_ERROR, "journal",
                         "the audit log cannot be written: nothing is released", &err);
        if (code == VS_OK && before)
            vs_log(VS_LOG_INFO, "journal", "the audit log is written again", NULL);
        if (stop)
            return;
    }
}

static void rotate_now(kbs_journal *j)
{
    vs_error err = {0};
    if (!j->audit)
        return;
    vs_code code = audit_reopen(j->audit, vs_now_s(), &err);
    if (code != VS_OK && code != VS_E_EXISTS) /* nobody moved it: a reload for another reason */
        vs_log_error(VS_LOG_WARN, "journal", "the audit log goes on in its old file", &err);
}

static void *write_all(void *arg)
{
    kbs_journal *j = arg;
    (void)pthread_mutex_lock(&j->lock);
    for (;;) {
        while (!j->first && !j->stopping && !j->rotate)
            (void)pthread_cond_wait(&j->changed, &j->lock);
        bool rotate = j->rotate;
        j->rotate = false;
        size_t n;
        item *list = take_batch(j, &n);
        bool stop = !list && j->stopping;
        (void)pthread_mutex_unlock(&j->lock);
        if (list)
            write_batch(j, list);
        if (rotate)
            rotate_now(j);
        size_t bytes = 0;
        for (item *it = list, *next; it; it = next) {
            next = it->next;
            bytes += it->event.n + it->record.n;
            item_free(it);
        }
        (void)pthread_mutex_lock(&j->lock);
        j->n_queued -= n;
        j->queued_bytes -= bytes;
        j->written += n;
        (void)pthread_cond_broadcast(&j->changed);
        if (stop)
            break;
    }
    (void)pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* ---- start and end ------------------------------------------------------------------------------
 */

static vs_code read_key(kbs_journal *j, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(4096);
    VS_TRY(vs_store_get(j->store, KBS_NS_SECRET, KEY_NAME, 0, &pem, err));
    return vs_key_from_pem(vs_buf_span(&pem), true, &j->key, err);
}

static vs_code load_key(kbs_journal *j, vs_error *err)
{
    vs_code code = read_key(j, err);
    if (code != VS_E_NOT_FOUND)
        return code;
    VS_CLEANUP(vs_key_free) vs_key *fresh = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(4096);
    VS_TRY(vs_key_generate(VS_KEY_P256, &fresh, err));
    VS_TRY(vs_key_to_pem(&pem, fresh, true, err));
    code =
        vs_store_put(j->store, KBS_NS_SECRET, KEY_NAME, vs_buf_span(&pem), 0, VS_PUT_CREATE, err);
    if (code != VS_OK && code != VS_E_EXISTS) /* another replica may have been first */
        return code;
    return read_key(j, err);
}

static vs_code start(kbs_journal *j, const kbs_journal_config *cfg, vs_error *err)
{
    VS_TRY_WRAP(load_key(j, err), err, "the audit log's key");
    if (cfg->audit_path)
        VS_TRY(audit_open(cfg->audit_path, j->key, CHECKPOINT_EVERY, vs_now_s(), &j->audit, err));
    if (vs_thread_start(&j->writer, write_all, j) != 0)
        return vs_fail(err, VS_E_IO, "cannot start the journal's thread");
    j->running = true;
    return VS_OK;
}

vs_code kbs_journal_new(const kbs_journal_config *cfg, kbs_journal **out, vs_error *err)
{
    *out = NULL;
    kbs_journal *j = calloc(1, sizeof *j);
    if (!j)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the journal");
    j->store = cfg->store;
    j->audit_each = cfg->audit_each;
    j->keep_days = cfg->keep_days;
    j->last = &j->first;
    (void)pthread_mutex_init(&j->lock, NULL);
    vs_cond_init(&j->changed);
    vs_code code = start(j, cfg, err);
    if (code != VS_OK) {
        kbs_journal_free(&j);
        return code;
    }
    *out = j;
    return VS_OK;
}

void kbs_journal_free(kbs_journal **jp)
{
    if (!jp || !*jp)
        return;
    kbs_journal *j = *jp;
    if (j->running) {
        (void)pthread_mutex_lock(&j->lock);
        j->stopping = true;
        (void)pthread_cond_broadcast(&j->changed);
        (void)pthread_mutex_unlock(&j->lock);
        (void)pthread_join(j->writer, NULL);
    }
    audit_close(&j->audit, vs_now_s());
    for (size_t i = 0; i < RECENT_MAX; i++)
        vs_buf_free(&j->recent[i].record);
    vs_key_free(&j->key);
    (void)pthread_mutex_destroy(&j->lock);
    (void)pthread_cond_destroy(&j->changed);
    free(j);
    *jp = NULL;
}

/* ---- adding -------------------------------------------------------------------------------------
 */

/* Called with the lock held. False: too many already in this second. */
static bool unproven_may_be_audited(kbs_journal *j, int64_t now)
{
    if (now != j->second) {
        j->second = now;
        j->this_second = 0;
    }
    if (j->this_second < UNPROVEN_PER_S) {
        j->this_second++;
        return true;
    }
    j->suppressed++;
    return false;
}

static void remember(kbs_journal *j, const item *it)
{
    recent *r = &j->recent[j->next_recent];
    j->next_recent = (j->next_recent + 1) % RECENT_MAX;
    vs_buf_free(&r->record);
    r->record = (vs_buf)VS_BUF(RECENT_BYTES);
    memcpy(r->id, it->id, sizeof r->id);
    memcpy(r->token, it->token, sizeof r->token);
    vs_buf_put(&r->record, vs_buf_span(it->record.n <= RECENT_BYTES ? &it->record : &it->event));
}

static vs_code trouble(const kbs_journal *j, vs_error *err)
{
    if (j->trouble.code == VS_OK)
        return VS_OK;
    if (err)
        *err = j->trouble;
    return j->trouble.code;
}

/* Waits until `done`, at most WAIT_S. Called with the lock held. */
static bool wait_for(kbs_journal *j, bool (*done)(const kbs_journal *j, uint64_t what),
                     uint64_t what)
{
    int64_t until = vs_mono_ns() + (int64_t)WAIT_S * 1000000000;
    while (!done(j, what) && j->trouble.code == VS_OK &&
           vs_cond_wait(&j->changed, &j->lock, until)) {
    }
    return done(j, what);
}

static bool has_room(const kbs_journal *j, uint64_t bytes)
{
    return j->n_queued < QUEUE_MAX && j->queued_bytes + bytes <= QUEUE_BYTES;
}

static bool is_written(const kbs_journal *j, uint64_t number)
{
    return j->written >= number;
}

/* Called with the lock held. *taken: the item is the writer's, whatever is returned. */
static vs_code enqueue(kbs_journal *j, item *it, bool *taken, vs_error *err)
{
    *taken = false;
    VS_TRY(trouble(j, err));
    if (!wait_for(j, has_room, it->event.n + it->record.n)) {
        VS_TRY(trouble(j, err));
        return vs_fail(err, VS_E_LIMIT, "too many decisions wait to be written");
    }
    j->n_queued++;
    j->queued_bytes += it->event.n + it->record.n;
    *j->last = it;
    j->last = &it->next;
    uint64_t number = ++j->accepted;
    bool wait = j->audit_each && it->audit;
    *taken = true;
    (void)pthread_cond_broadcast(&j->changed);
    if (wait && !wait_for(j, is_written, number)) {
        VS_TRY(trouble(j, err));
        return vs_fail(err, VS_E_TIMEOUT, "the audit log did not take the decision in time");
    }
    return VS_OK;
}

vs_code kbs_journal_add(kbs_journal *j, const kbs_entry *e, vs_error *err)
{
    item *it = NULL;
    (void)pthread_mutex_lock(&j->lock);
    bool audit = e->proven || unproven_may_be_audited(j, e->now);
    uint64_t suppressed = audit ? j->suppressed : 0;
    (void)pthread_mutex_unlock(&j->lock);

    kbs_entry told = *e;
    vs_arena a;
    vs_arena_init(&a, 4096);
    if (suppressed)
        told.event = vs_with(&a, e->event, vs_cstring("suppressed"), vs_int((int64_t)suppressed));
    vs_code code = item_new(vs_arena_ok(&a) ? &told : e, audit && j->audit, &it, err);
    vs_arena_free(&a);
    if (!it)
        return code;

    (void)pthread_mutex_lock(&j->lock);
    remember(j, it);
    bool taken = false;
    if (it->proven || it->audit) {
        j->suppressed -= suppressed < j->suppressed ? suppressed : j->suppressed;
        code = enqueue(j, it, &taken, err);
    }
    (void)pthread_mutex_unlock(&j->lock);
    if (!taken)
        item_free(it);
    return code;
}

vs_code kbs_journal_ready(kbs_journal *j, vs_error *err)
{
    (void)pthread_mutex_lock(&j->lock);
    vs_code code = trouble(j, err);
    (void)pthread_mutex_unlock(&j->lock);
    return code;
}

void kbs_journal_rotate(kbs_journal *j)
{
    (void)pthread_mutex_lock(&j->lock);
    j->rotate = true;
    (void)pthread_cond_broadcast(&j->changed);
    (void)pthread_mutex_unlock(&j->lock);
}

/* ---- asking -------------------------------------------------------------------------------------
 */

/* By the id of a decision, or by the digest of the token that an attestation gave. */
static bool get_recent(kbs_journal *j, vs_span name, vs_buf *json)
{
    bool found = false;
    (void)pthread_mutex_lock(&j->lock);
    for (const recent *r = j->recent; name.n > 0 && r < j->recent + RECENT_MAX && !found; r++) {
        found = vs_span_eq(name, vs_span_of(r->id, sizeof r->id)) ||
                vs_span_eq(name, vs_span_of(r->token, sizeof r->token));
        if (found)
            vs_buf_put(json, vs_buf_span(&r->record));
    }
    (void)pthread_mutex_unlock(&j->lock);
    return found;
}

vs_code kbs_journal_get(kbs_journal *j, vs_span id, int64_t now, vs_buf *json, vs_error *err)
{
    if (id.n != 36 || !vs_store_key_ok(id))
        return vs_fail(err, VS_E_NOT_FOUND, "not the id of a decision");
    vs_code code = vs_store_get(j->store, NS_DECISION, id, now, json, err);
    if (code == VS_E_NOT_FOUND && get_recent(j, id, json))
        return vs_buf_check(json, err);
    return code;
}

vs_code kbs_journal_of_token(kbs_journal *j, vs_span token_sha256, int64_t now, vs_buf *json,
                             vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf id = VS_BUF(36);
    vs_code code = vs_store_get(j->store, NS_TOKEN, token_sha256, now, &id, err);
    if (code == VS_E_NOT_FOUND && get_recent(j, token_sha256, json)) /* not stored yet, or never */
        return vs_buf_check(json, err);
    VS_TRY(code);
    return kbs_journal_get(j, vs_buf_span(&id), now, json, err);
}

typedef struct tail {
    vs_arena *a;
    char (*ids)[37];
    size_t max, n;
} tail;

static vs_code add_id(void *user, vs_span key)
{
    tail *t = user;
    if (key.n == 36)
        (void)snprintf(t->ids[t->n++ % t->max], 37, "%.*s", VS_FMT(key));
    return VS_OK;
}

vs_code kbs_journal_latest(kbs_journal *j, size_t max, vs_arena *a, vs_val *ids, vs_error *err)
{
    tail t = {.a = a, .max = max ? max : 1};
    t.ids = vs_alloc_array(a, t.max, sizeof *t.ids);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_store_list(j->store, NS_DECISION, add_id, &t, err));
    vs_vec out = {.a = a};
    size_t have = t.n < t.max ? t.n : t.max;
    for (size_t i = 0; i < have && max > 0; i++)
        vs_vec_add(&out, vs_string_dup(a, vs_str(t.ids[(t.n - have + i) % t.max])));
    *ids = vs_vec_end_array(&out);
    return vs_arena_check(a, err);
}

vs_code kbs_journal_key(const kbs_journal *j, vs_buf *json, vs_error *err)
{
    VS_TRY(vs_key_write_jwk(json, j->key, "ES256", err));
    return vs_buf_check(json, err);
}

vs_code kbs_journal_seal(const kbs_journal *j, vs_span text, vs_buf *jws, vs_error *err)
{
    VS_TRY(vs_jws_sign(jws, j->key, VS_ES256, VS_LIT("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"), text,
                       err));
    return vs_buf_check(jws, err);
}
