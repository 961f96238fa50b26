/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/trust.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/log.h"
#include "base/stamp.h"
#include "value/json.h"

enum { CONFIG, TA_STORE, RV_STORE, CA_CERT, FILES };
enum {
    CONFIG_MAX = 64 * 1024,
    STORE_MAX = 16 * 1024 * 1024,
};

struct cca_trust {
    pthread_mutex_t lock; /* guards all below */
    char *path[FILES];    /* NULL: no such store; path[CONFIG]: made of text, never reloaded */
    unsigned lifecycles;  /* as in cca_snapshot, from the configuration: */
    bool policy_decides, use_endorsements;
    bool is_remote;       /* as of the first reading */
    vs_stamp seen[FILES]; /* as of the last reading */
    bool young;           /* a file was so fresh that it may change without its stamp changing */
    cca_snapshot *now;    /* NULL: the last reading failed, with `broken` */
    vs_error broken;
    uint64_t generation;
    bool cache;
};

/* ---- snapshots ------------------------------------------------------------------------------ */

static void snapshot_free(cca_snapshot *s)
{
    cca_cache_free(&s->cache);
    cca_stores_free(&s->stores);
    cca_remote_free(&s->remote);
    free(s);
}

static vs_code snapshot_make(cca_trust *t, vs_span ta, vs_span rv, cca_snapshot **out,
                             vs_error *err)
{
    cca_snapshot *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "CCA trust snapshot");
    vs_code code = cca_stores_parse(ta, rv, &s->stores, err);
    if (code == VS_OK && t->cache && !(s->cache = cca_cache_new()))
        code = vs_fail(err, VS_E_NOMEM, "cache of platform tokens");
    if (code != VS_OK) {
        snapshot_free(s);
        return code;
    }
    s->owner = t;
    s->lifecycles = t->lifecycles;
    s->policy_decides = t->policy_decides;
    s->use_endorsements = t->use_endorsements;
    s->generation = ++t->generation;
    s->users = 1;
    *out = s;
    return VS_OK;
}

/* With the lock held. */
static void drop_user(cca_snapshot *s)
{
    if (s && --s->users == 0)
        snapshot_free(s);
}

void cca_snapshot_release(cca_snapshot **s)
{
    if (!*s)
        return;
    cca_trust *t = (*s)->owner;
    (void)pthread_mutex_lock(&t->lock);
    drop_user(*s);
    (void)pthread_mutex_unlock(&t->lock);
    *s = NULL;
}

/* ---- versions of files ---------------------------------------------------------------------- */

static void take_stamp(cca_trust *t, unsigned file)
{
    t->seen[file] = vs_stamp_of(t->path[file]);
    t->young = t->young || vs_stamp_is_young(&t->seen[file]);
}

/* ---- configuration -------------------------------------------------------------------------- */

static void forget_path(cca_trust *t, unsigned file)
{
    free(t->path[file]);
    t->path[file] = NULL;
}

/* From the member that names the file, if it is there. */
static vs_code set_path(cca_trust *t, unsigned file, vs_val verifier, const char *member,
                        vs_error *err)
{
    vs_val text;
    VS_TRY(vs_may(verifier, member, VS_STRING, &text, err));
    if (!vs_defined(text)) {
        forget_path(t, file);
        return VS_OK;
    }
    vs_span s = vs_text(text);
    if (!s.n || memchr(s.p, 0, s.n))
        return vs_fail(err, VS_E_INVALID, "\"%s\": a path is empty or holds a NUL", member);
    char *path = strndup((const char *)s.p, s.n);
    if (!path)
        return vs_fail(err, VS_E_NOMEM, "CCA verifier configuration");
    forget_path(t, file);
    t->path[file] = path;
    return VS_OK;
}

static vs_code set_lifecycles(cca_trust *t, vs_val list, vs_error *err)
{
    unsigned set = 1u << CCA_SECURED;
    for (VS_ARR_FOR (item, list)) {
        cca_lifecycle l;
        if (!cca_lifecycle_of_name(vs_text(*item), &l))
            return vs_fail(err, VS_E_INVALID, "\"accept-lifecycle\": \"%.*s\" is not a state",
                           VS_FMT(vs_span_head(vs_text(*item), 40)));
        set |= 1u << l;
    }
    t->lifecycles = set;
    return VS_OK;
}

static vs_code set_switches(cca_trust *t, vs_val verifier, vs_error *err)
{
    vs_val mismatch, endorsements;
    VS_TRY(vs_may(verifier, "platform-mismatch", VS_STRING, &mismatch, err));
    VS_TRY(vs_may(verifier, "rvps-endorsements", VS_BOOL, &endorsements, err));
    t->policy_decides = vs_span_is(vs_text(mismatch), "policy");
    if (vs_defined(mismatch) && !t->policy_decides && !vs_span_is(vs_text(mismatch), "fail"))
        return vs_fail(err, VS_E_INVALID,
                       "\"platform-mismatch\" is \"%.*s\", must be \"fail\" or \"policy\"",
                       VS_FMT(vs_span_head(vs_text(mismatch), 40)));
    t->use_endorsements = !vs_defined(endorsements) || vs_is_true(endorsements);
    return VS_OK;
}

static vs_code parse_local(cca_trust *t, vs_val verifier, vs_error *err)
{
    vs_val lifecycles;
    forget_path(t, CA_CERT);
    VS_TRY(vs_may(verifier, "accept-lifecycle", VS_ARRAY, &lifecycles, err));
    VS_TRY(set_lifecycles(t, lifecycles, err));
    VS_TRY(set_switches(t, verifier, err));
    VS_TRY(set_path(t, TA_STORE, verifier, "ta-store", err));
    return set_path(t, RV_STORE, verifier, "rv-store", err);
}

static vs_code parse_remote(cca_trust *t, vs_val verifier, cca_remote **out, vs_error *err)
{
    forget_path(t, TA_STORE);
    forget_path(t, RV_STORE);
    VS_TRY(set_path(t, CA_CERT, verifier, "ca-cert", err));
    for (unsigned i = TA_STORE; i < FILES; i++)
        take_stamp(t, i);
    return cca_remote_new(verifier, out, err);
}

static vs_code parse_config(cca_trust *t, vs_arena *a, vs_span text, cca_remote **remote,
                            vs_error *err)
{
    vs_val root, verifier, type;
    VS_TRY(vs_json_parse(a, text, NULL, &root, err));
    VS_TRY(vs_need(root, "cca-verifier", VS_OBJECT, &verifier, err));
    VS_TRY(vs_need(verifier, "type", VS_STRING, &type, err));
    if (vs_span_is(vs_text(type), "remote"))
        return parse_remote(t, verifier, remote, err);
    if (!vs_span_is(vs_text(type), "local"))
        return vs_fail(err, VS_E_INVALID, "\"type\" is \"%.*s\", must be \"local\" or \"remote\"",
                       VS_FMT(vs_span_head(vs_text(type), 40)));
    return parse_local(t, verifier, err);
}

static vs_code read_config(cca_trust *t, cca_remote **remote, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(CONFIG_MAX);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    VS_TRY(vs_read_file(t->path[CONFIG], &text, err));
    VS_TRY_WRAP(parse_config(t, &a, vs_buf_span(&text), remote, err), err, "%s", t->path[CONFIG]);
    return VS_OK;
}

/* ---- reading -------------------------------------------------------------------------------- */

static vs_code read_store(cca_trust *t, unsigned file, vs_buf *out, vs_error *err)
{
    take_stamp(t, file);
    if (!t->path[file])
        return VS_OK;
    vs_code code = vs_read_file(t->path[file], out, err);
    return code == VS_E_NOT_FOUND ? vs_fail(err, VS_E_IO, "%s does not exist", t->path[file])
                                  : code;
}

/* An empty file is not the same as none. */
static vs_span store_text(const cca_trust *t, unsigned file, const vs_buf *text)
{
    if (!t->path[file])
        return (vs_span){NULL, 0};
    return text->n ? vs_buf_span(text) : VS_LIT("");
}

static vs_code read_local(cca_trust *t, cca_snapshot **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf ta = VS_BUF(STORE_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf rv = VS_BUF(STORE_MAX);
    VS_TRY(read_store(t, TA_STORE, &ta, err));
    VS_TRY(read_store(t, RV_STORE, &rv, err));
    take_stamp(t, CA_CERT);
    return snapshot_make(t, store_text(t, TA_STORE, &ta), store_text(t, RV_STORE, &rv), out, err);
}

static vs_code read_all(cca_trust *t, cca_snapshot **out, vs_error *err)
{
    t->young = false;
    take_stamp(t, CONFIG);
    VS_CLEANUP(cca_remote_free) cca_remote *remote = NULL;
    VS_TRY_WRAP(read_config(t, &remote, err), err, "CCA verifier configuration");
    if (remote)
        VS_TRY(snapshot_make(t, VS_LIT("[]"), VS_LIT("{}"), out, err));
    else
        VS_TRY(read_local(t, out, err));
    (*out)->remote = remote;
    remote = NULL; /* transferred */
    return VS_OK;
}

static bool is_current(const cca_trust *t)
{
    if (!t->path[CONFIG])
        return true;
    for (unsigned i = 0; i < FILES; i++) {
        vs_stamp s = vs_stamp_of(t->path[i]);
        if (!vs_stamp_eq(&s, &t->seen[i]))
            return false;
    }
    return !t->young;
}

/* Servers have made threads for the one or the other. */
static vs_code same_type(const cca_trust *t, const cca_snapshot *next, vs_error *err)
{
    if ((next->remote != NULL) == t->is_remote)
        return VS_OK;
    return vs_fail(err, VS_E_UNSUPPORTED,
                   "%s: a change of \"type\" between \"local\" and \"remote\" needs a restart",
                   t->path[CONFIG]);
}

static void reload(cca_trust *t)
{
    cca_snapshot *next = NULL;
    bool was_broken = t->now == NULL;
    vs_error err = {0};
    vs_code code = read_all(t, &next, &err);
    if (code == VS_OK)
        code = same_type(t, next, &err);
    if (code != VS_OK) {
        drop_user(next);
        next = NULL;
    }
    if (code != VS_OK && !was_broken)
        vs_log_error(VS_LOG_ERROR, "cca",
                     "trust has changed and is broken: evidence is refused until it is mended",
                     &err);
    else if (next && was_broken)
        vs_log(VS_LOG_INFO, "cca", "trust is whole again", NULL);
    drop_user(t->now);
    t->now = next;
    t->broken = err;
}

/* ---- life ----------------------------------------------------------------------------------- */

static cca_trust *trust_new(void)
{
    cca_trust *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    (void)pthread_mutex_init(&t->lock, NULL);
    t->cache = true;
    t->lifecycles = 1u << CCA_SECURED;
    t->use_endorsements = true;
    return t;
}

vs_code cca_trust_load(const char *config_path, cca_trust **out, vs_error *err)
{
    VS_CLEANUP(cca_trust_free) cca_trust *t = trust_new();
    if (!t || !(t->path[CONFIG] = strdup(config_path)))
        return vs_fail(err, VS_E_NOMEM, "CCA trust");
    VS_TRY(read_all(t, &t->now, err));
    t->is_remote = t->now->remote != NULL;
    *out = t;
    t = NULL; /* transferred */
    return VS_OK;
}

vs_code cca_trust_of_text(vs_span ta_store, vs_span rv_store, cca_trust **out, vs_error *err)
{
    VS_CLEANUP(cca_trust_free) cca_trust *t = trust_new();
    if (!t)
        return vs_fail(err, VS_E_NOMEM, "CCA trust");
    VS_TRY(snapshot_make(t, ta_store, rv_store, &t->now, err));
    *out = t;
    t = NULL; /* transferred */
    return VS_OK;
}

const char *cca_trust_file(const cca_trust *t, size_t i)
{
    for (unsigned file = 0; t && file < FILES; file++)
        if (t->path[file] && i-- == 0)
            return t->path[file];
    return NULL;
}

bool cca_trust_is_remote(const cca_trust *t)
{
    return t && t->is_remote;
}

void cca_trust_free(cca_trust **t)
{
    if (!*t)
        return;
    drop_user((*t)->now);
    for (unsigned i = 0; i < FILES; i++)
        free((*t)->path[i]);
    (void)pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

void cca_trust_use_cache(cca_trust *t, bool on)
{
    (void)pthread_mutex_lock(&t->lock);
    t->cache = on;
    if (t->now) {
        cca_cache_free(&t->now->cache);
        t->now->cache = on ? cca_cache_new() : NULL;
    }
    (void)pthread_mutex_unlock(&t->lock);
}

vs_code cca_trust_take(cca_trust *t, cca_snapshot **out, vs_error *err)
{
    *out = NULL;
    vs_code code = VS_OK;
    (void)pthread_mutex_lock(&t->lock);
    if (!is_current(t))
        reload(t);
    if (t->now) {
        *out = t->now;
        t->now->users++;
    } else {
        code = t->broken.code;
        if (err)
            *err = t->broken;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return code;
}
