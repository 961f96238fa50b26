/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trustee's LocalFs: <dir>/<namespace>/<key>, '/' in the key written as the four characters \x2F
 * (kbs.md 8.5). Trustee keeps no expiry; ours is in <dir>/.vouchsafe/expires/<namespace>/<same
 * name>, a decimal number, where Trustee does not look.
 *
 * Whatever a crash leaves behind, a value never outlives its expiry: the expiry is there before the
 * value, and goes after it.
 */
#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/files.h"

#define EXPIRES ".vouchsafe/expires"

typedef struct localfs {
    vs_store base;
    int root;
    pthread_mutex_t writing;  /* one writer of this process; flock keeps other processes out */
    pthread_rwlock_t renames; /* readers see a value together with its expiry */
    int64_t soonest;          /* no value expires before; guarded by `writing` */
} localfs;

/* ---- names ----------------------------------------------------------------------------------- */

typedef struct place {
    char value[FILES_PATH];  /* <namespace>/<name> */
    char expiry[FILES_PATH]; /* EXPIRES/<namespace>/<name> */
} place;

/* A file's name has NAME_MAX bytes, so keys with many segments can be too long for this back end.
 */
static vs_code place_of(const char *ns, vs_span key, place *out, vs_error *err)
{
    char name[NAME_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < key.n; i++) {
        size_t width = key.p[i] == '/' ? 4 : 1;
        if (n + width > NAME_MAX)
            return vs_fail(err, VS_E_INVALID, "storage key \"%.*s\" is too long for a file name",
                           VS_FMT(vs_span_head(key, 80)));
        if (width == 4)
            memcpy(name + n, "\\x2F", 4);
        else
            name[n] = (char)key.p[i];
        n += width;
    }
    name[n] = 0;
    (void)snprintf(out->value, sizeof out->value, "%s/%s", ns, name);
    (void)snprintf(out->expiry, sizeof out->expiry, EXPIRES "/%s/%s", ns, name);
    return VS_OK;
}

/* Back from a file's name; false when it is not one of ours. */
static bool key_of(const char *name, char key[NAME_MAX + 1], vs_span *out)
{
    size_t n = 0;
    for (const char *p = name; *p; n++) {
        bool slash = strncmp(p, "\\x2F", 4) == 0;
        key[n] = slash ? '/' : *p;
        p += slash ? 4 : 1;
    }
    *out = vs_span_of(key, n);
    return vs_store_key_ok(*out);
}

/* ---- expiry ---------------------------------------------------------------------------------- */

static vs_code read_expiry(const localfs *s, const char *rel, int64_t *out, vs_error *err)
{
    vs_buf b = VS_BUF(20); /* public */
    vs_code code = files_read(s->root, rel, &b, err);
    *out = 0;
    if (code == VS_OK) {
        char *end = NULL;
        errno = 0;
        long long v = b.p ? strtoll((const char *)b.p, &end, 10) : 0;
        if (v <= 0 || errno || !end || *end != 0)
            code = vs_fail(err, VS_E_IO, "%s does not hold a time", rel);
        *out = v;
    }
    vs_buf_free(&b);
    return code == VS_E_NOT_FOUND ? VS_OK : code;
}

static vs_code prepare_expiry(const localfs *s, int64_t expires, files_temp *t, vs_error *err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)expires);
    return files_prepare(s->root, vs_str(text), t, err);
}

/* ---- locks ----------------------------------------------------------------------------------- */

static vs_code lock_for_writing(localfs *s, vs_error *err)
{
    (void)pthread_mutex_lock(&s->writing);
    while (flock(s->root, LOCK_EX) != 0)
        if (errno != EINTR) {
            vs_code code = vs_fail_errno(err, VS_E_IO, errno, "cannot lock the directory");
            (void)pthread_mutex_unlock(&s->writing);
            return code;
        }
    return VS_OK;
}

static void unlock(localfs *s)
{
    (void)flock(s->root, LOCK_UN);
    (void)pthread_mutex_unlock(&s->writing);
}

/* ---- operations ------------------------------------------------------------------------------ */

static vs_code read_live(localfs *s, const place *at, int64_t now, vs_buf *out, vs_error *err)
{
    int64_t expires = 0;
    if (now != 0)
        VS_TRY(read_expiry(s, at->expiry, &expires, err));
    return store_expired(expires, now) ? VS_E_NOT_FOUND : files_read(s->root, at->value, out, err);
}

static vs_code localfs_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                           vs_error *err)
{
    localfs *s = (localfs *)base;
    place at;
    VS_TRY(place_of(ns, key, &at, err));
    (void)pthread_rwlock_rdlock(&s->renames);
    vs_code code = read_live(s, &at, now, out, err);
    (void)pthread_rwlock_unlock(&s->renames);
    return code == VS_E_NOT_FOUND ? store_not_found(ns, key, err) : code;
}

static vs_code check_old(const localfs *s, const place *at, const vs_store_item *item,
                         vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf now = VS_BUF(VS_STORE_VALUE_MAX);
    vs_code code = files_read(s->root, at->value, &now, err);
    if (code != VS_OK && code != VS_E_NOT_FOUND)
        return code;
    return code == VS_OK && vs_span_eq(vs_buf_span(&now), item->old) ? VS_OK
                                                                     : store_taken(item, err);
}

/* That the item's mode allows it now. */
static vs_code check_mode(const localfs *s, const place *at, const vs_store_item *item,
                          vs_error *err)
{
    if (item->mode == VS_PUT_SWAP)
        return check_old(s, at, item, err);
    if (item->mode != VS_PUT_CREATE || !files_there(s->root, at->value))
        return VS_OK;
    int64_t expires;
    VS_TRY(read_expiry(s, at->expiry, &expires, err));
    return store_expired(expires, vs_now_s()) ? VS_OK : store_taken(item, err);
}

/* Both files are on the disk under temporary names; this is the change itself. */
static vs_code put_in_place(localfs *s, const place *at, const files_temp *value,
                            const files_temp *expiry, vs_error *err)
{
    if (expiry) {
        vs_code code = files_move(s->root, expiry, at->expiry, false, err);
        if (code != VS_OK) {
            files_drop(s->root, value);
            return code;
        }
    }
    VS_TRY(files_move(s->root, value, at->value, false, err));
    vs_code code = expiry ? VS_OK : files_remove(s->root, at->expiry, err);
    return code == VS_E_NOT_FOUND ? VS_OK : code;
}

static vs_code put_one(localfs *s, const vs_store_item *item, vs_error *err)
{
    place at;
    files_temp value, expiry;
    VS_TRY(place_of(item->ns, item->key, &at, err));
    VS_TRY(check_mode(s, &at, item, err));
    VS_TRY(files_prepare(s->root, item->value, &value, err));
    if (item->expires) {
        vs_code code = prepare_expiry(s, item->expires, &expiry, err);
        if (code != VS_OK) {
            files_drop(s->root, &value);
            return code;
        }
        if (item->expires < s->soonest)
            s->soonest = item->expires;
    }
    (void)pthread_rwlock_wrlock(&s->renames);
    vs_code code = put_in_place(s, &at, &value, item->expires ? &expiry : NULL, err);
    (void)pthread_rwlock_unlock(&s->renames);
    return code;
}

static vs_code localfs_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    localfs *s = (localfs *)base;
    place at;
    for (size_t i = 0; i < n; i++)
        VS_TRY(place_of(items[i].ns, items[i].key, &at, err));
    VS_TRY(lock_for_writing(s, err));
    vs_code code = VS_OK;
    for (size_t i = 0; i < n && n > 1 && code == VS_OK; i++) {
        code = place_of(items[i].ns, items[i].key, &at, err);
        if (code == VS_OK)
            code = check_mode(s, &at, &items[i], err);
    }
    for (size_t i = 0; i < n && code == VS_OK; i++)
        code = put_one(s, &items[i], err);
    unlock(s);
    return code;
}

static vs_code remove_both(localfs *s, const char *value, const char *expiry, vs_error *err)
{
    (void)pthread_rwlock_wrlock(&s->renames);
    vs_code code = files_remove(s->root, value, err);
    vs_code side = code == VS_OK || code == VS_E_NOT_FOUND ? files_remove(s->root, expiry, err)
                                                           : VS_E_NOT_FOUND;
    (void)pthread_rwlock_unlock(&s->renames);
    return side == VS_OK || side == VS_E_NOT_FOUND ? code : side;
}

static vs_code localfs_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    localfs *s = (localfs *)base;
    place at;
    VS_TRY(place_of(ns, key, &at, err));
    VS_TRY(lock_for_writing(s, err));
    vs_code code = remove_both(s, at.value, at.expiry, err);
    unlock(s);
    return code == VS_E_NOT_FOUND ? store_not_found(ns, key, err) : code;
}

/* ---- listing and purging --------------------------------------------------------------------- */

static vs_code collect_key(void *user, const char *name, vs_error *err)
{
    files_names *l = user;
    char text[NAME_MAX + 1];
    vs_span key;
    if (key_of(name, text, &key))
        files_add_name(l, key);
    return vs_arena_check(&l->a, err);
}

static vs_code list_with(localfs *s, files_names *l, const char *ns,
                         vs_code (*each)(void *user, vs_span key), void *user, vs_error *err)
{
    VS_TRY(files_each(s->root, ns, collect_key, l, err));
    files_sort_names(l);
    for (size_t i = 0; i < l->n; i++) {
        vs_code code = each(user, l->items[i]);
        if (code != VS_OK)
            return vs_fail(err, code, "listing %s was stopped", ns);
    }
    return VS_OK;
}

static vs_code localfs_list(vs_store *base, const char *ns,
                            vs_code (*each)(void *user, vs_span key), void *user, vs_error *err)
{
    files_names l = {0};
    vs_arena_init(&l.a, 0);
    vs_code code = list_with((localfs *)base, &l, ns, each, user, err);
    vs_arena_free(&l.a);
    return code;
}

typedef struct purge {
    localfs *s;
    const char *ns; /* while its entries are visited */
    int64_t now, soonest;
    unsigned left;
} purge;

static vs_code purge_entry(void *user, const char *name, vs_error *err)
{
    purge *p = user;
    char value[FILES_PATH], expiry[FILES_PATH];
    (void)snprintf(value, sizeof value, "%s/%s", p->ns, name);
    (void)snprintf(expiry, sizeof expiry, EXPIRES "/%s/%s", p->ns, name);
    int64_t expires;
    VS_TRY(read_expiry(p->s, expiry, &expires, err));
    if (expires == 0)
        return VS_OK;
    if (!store_expired(expires, p->now) || p->left == 0) {
        if (expires < p->soonest)
            p->soonest = expires;
        return VS_OK;
    }
    p->left--;
    vs_code code = remove_both(p->s, value, expiry, err);
    return code == VS_E_NOT_FOUND ? VS_OK : code;
}

static vs_code purge_namespace(void *user, const char *name, vs_error *err)
{
    purge *p = user;
    char dir[FILES_PATH];
    p->ns = name;
    (void)snprintf(dir, sizeof dir, EXPIRES "/%s", name);
    return files_each(p->s->root, dir, purge_entry, p, err);
}

static vs_code localfs_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    localfs *s = (localfs *)base;
    VS_TRY(lock_for_writing(s, err));
    vs_code code = VS_OK;
    if (now > s->soonest) {
        purge p = {.s = s, .now = now, .soonest = INT64_MAX, .left = *left};
        code = files_each(s->root, EXPIRES, purge_namespace, &p, err);
        if (code == VS_OK)
            s->soonest = p.soonest;
        *left = p.left;
    }
    unlock(s);
    return code;
}

static vs_code localfs_ping(vs_store *base, vs_error *err)
{
    return files_probe(((localfs *)base)->root, err);
}

static void localfs_close(vs_store *base)
{
    localfs *s = (localfs *)base;
    if (s->root >= 0)
        (void)close(s->root);
    (void)pthread_mutex_destroy(&s->writing);
    (void)pthread_rwlock_destroy(&s->renames);
    free(s);
}

static const store_ops ops = {localfs_get,   localfs_put,  localfs_remove, localfs_list,
                              localfs_purge, localfs_ping, localfs_close};

vs_code vs_store_open_localfs(const char *dir, vs_store **out, vs_error *err)
{
    *out = NULL;
    localfs *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->base.ops = &ops;
    (void)pthread_mutex_init(&s->writing, NULL);
    (void)pthread_rwlock_init(&s->renames, NULL);
    vs_code code = files_open_root(dir, &s->root, err);
    if (code != VS_OK) {
        localfs_close(&s->base);
        (void)vs_wrap(err, "opening the storage directory %s", dir);
        return code;
    }
    *out = &s->base;
    return VS_OK;
}
