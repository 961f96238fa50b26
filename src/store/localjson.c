/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trustee's LocalJson: one file <dir>/<namespace>, an object of key and base64url of the value,
 * with padding. A key "rvps:/..." is written as Trustee writes that reference value, "rvps:///...".
 * Expiry is in <dir>/.vouchsafe/expires/<namespace>, an object of key and number.
 *
 * A file is read whole and kept parsed until it changes; so a lookup costs a look at the file, and
 * a write costs the file. As with LocalFs a value never outlives its expiry: that is there before
 * the value, and goes after it.
 */
#include "store/localjson.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "store/backend.h"
#include "store/files.h"
#include "value/json.h"

#define EXPIRES ".vouchsafe/expires"

enum {
    ARENA_MAX = 512 * 1024 * 1024,
    RACY_NS = 20 * 1000 * 1000, /* two changes within a tick of the kernel's clock look like one */
};

/* A file as it was read. */
typedef struct doc {
    char rel[VS_STORE_NS_MAX + 32];
    bool loaded, there, racy;
    struct stat st;
    vs_buf text;
    vs_arena a;
    vs_val v; /* an object */
} doc;

typedef struct image {
    char ns[VS_STORE_NS_MAX + 1];
    doc values, expiry;
    struct image *next;
} image;

typedef struct localjson {
    vs_store base;
    int root;
    pthread_rwlock_t lock; /* read: look into images that are fresh; write: everything else */
    image *images;
    int64_t soonest; /* no value expires before */
} localjson;

/* ---- the format ------------------------------------------------------------------------------ */

vs_code localjson_parse(vs_arena *a, vs_span text, vs_val *out, vs_error *err)
{
    vs_json_opts opts = {.depth = 2, .dup_last_wins = true};
    VS_TRY(vs_json_parse(a, text, &opts, out, err));
    if (out->kind != VS_OBJECT)
        return vs_fail(err, VS_E_PARSE, "the file must hold an object, not %s",
                       vs_kind_name((vs_kind)out->kind));
    return VS_OK;
}

vs_code localjson_value(vs_val member, vs_buf *out, vs_error *err)
{
    vs_span text = vs_text(member);
    size_t n = text.n / 4 * 3;
    for (size_t i = 1; i <= 2 && n && text.p[text.n - i] == '='; i++)
        n--;
    if (member.kind == VS_STRING && n > out->cap - out->n)
        return vs_fail(err, VS_E_LIMIT, "stored value of %zu bytes is larger than %zu expected", n,
                       out->cap - out->n);
    if (member.kind != VS_STRING || vs_b64_decode(out, VS_B64_URL_PADDED, text, NULL) != VS_OK) {
        VS_TRY(vs_buf_check(out, err));
        return vs_fail(err, VS_E_IO, "a stored value is not base64url with padding");
    }
    return VS_OK;
}

typedef struct name {
    char text[VS_STORE_KEY_MAX + 3];
    vs_span s;
} name;

static void name_of(vs_span key, name *out)
{
    bool rv = vs_span_starts(key, VS_LIT("rvps:/"));
    vs_span rest = vs_span_from(key, rv ? 6 : 0);
    size_t n = rv ? 8 : 0;
    memcpy(out->text, "rvps:///", n);
    if (rest.n)
        memcpy(out->text + n, rest.p, rest.n); /* at most VS_STORE_KEY_MAX with what was cut */
    out->s = vs_span_of(out->text, n + rest.n);
}

/* Back; false for what nobody can ask for. */
static bool key_of(vs_span stored, name *out)
{
    bool rv = vs_span_starts(stored, VS_LIT("rvps:///"));
    vs_span rest = vs_span_from(stored, rv ? 8 : 0);
    size_t n = rv ? 6 : 0;
    if (n + rest.n > VS_STORE_KEY_MAX || (!rv && vs_span_starts(stored, VS_LIT("rvps:/"))))
        return false;
    memcpy(out->text, "rvps:/", n);
    if (rest.n)
        memcpy(out->text + n, rest.p, rest.n);
    out->s = vs_span_of(out->text, n + rest.n);
    return vs_store_key_ok(out->s);
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool look(const localjson *s, const doc *d, struct stat *st)
{
    int fd = files_open(s->root, d->rel, O_PATH);
    bool there = fd >= 0 && fstat(fd, st) == 0;
    if (fd >= 0)
        (void)close(fd);
    return there;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool fresh(const localjson *s, const doc *d)
{
    struct stat st = {0};
    if (!d->loaded || d->racy)
        return false;
    bool there = look(s, d, &st);
    return there == d->there && (!there || same(&st, &d->st));
}

static void forget(doc *d)
{
    vs_buf_free(&d->text);
    vs_arena_free(&d->a);
    d->loaded = false;
    d->v = vs_undefined();
}

/* A file that is not there is an empty object; so is one of no bytes, which Trustee makes first. */
static vs_code load(const localjson *s, doc *d, vs_error *err)
{
    forget(d);
    d->text = (vs_buf)VS_BUF(LOCALJSON_FILE_MAX);
    vs_arena_init(&d->a, ARENA_MAX);
    d->there = look(s, d, &d->st);
    int64_t changed = d->st.st_mtim.tv_sec * INT64_C(1000000000) + d->st.st_mtim.tv_nsec;
    d->racy = d->there && vs_now_ns() - changed < RACY_NS;
    vs_code code = files_read(s->root, d->rel, &d->text, err);
    d->v = vs_empty(VS_OBJECT);
    if (code == VS_E_NOT_FOUND) {
        code = VS_OK;
    } else if (code == VS_OK && d->text.n) {
        code = localjson_parse(&d->a, vs_buf_span(&d->text), &d->v, NULL); /* it would quote */
        if (code != VS_OK)
            code = vs_fail(err, code == VS_E_NOMEM ? code : VS_E_IO,
                           "%s cannot be read as a JSON object", d->rel);
    }
    if (code != VS_OK) {
        forget(d);
        return code;
    }
    d->loaded = true;
    return VS_OK;
}

static image *find(const localjson *s, const char *ns)
{
    image *i = s->images;
    while (i && strcmp(i->ns, ns) != 0)
        i = i->next;
    return i;
}

/* The namespace as it is now. The caller holds the lock for writing, and the directory's. */
static vs_code refresh(localjson *s, const char *ns, image **out, vs_error *err)
{
    image *i = find(s, ns);
    if (!i) {
        i = calloc(1, sizeof *i);
        if (!i)
            return vs_fail(err, VS_E_NOMEM, "out of memory");
        (void)snprintf(i->ns, sizeof i->ns, "%s", ns);
        (void)snprintf(i->values.rel, sizeof i->values.rel, "%s", ns);
        (void)snprintf(i->expiry.rel, sizeof i->expiry.rel, EXPIRES "/%s", ns);
        i->next = s->images;
        s->images = i;
    }
    if (!fresh(s, &i->values))
        VS_TRY(load(s, &i->values, err));
    if (!fresh(s, &i->expiry))
        VS_TRY(load(s, &i->expiry, err));
    *out = i;
    return VS_OK;
}

static vs_code lock_all(localjson *s, int how, vs_error *err)
{
    (void)pthread_rwlock_wrlock(&s->lock);
    while (flock(s->root, how) != 0)
        if (errno != EINTR) {
            vs_code code = vs_fail_errno(err, VS_E_IO, errno, "cannot lock the directory");
            (void)pthread_rwlock_unlock(&s->lock);
            return code;
        }
    return VS_OK;
}

static void unlock_all(localjson *s)
{
    (void)flock(s->root, LOCK_UN);
    (void)pthread_rwlock_unlock(&s->lock);
}

/* ---- reading --------------------------------------------------------------------------------- */

static vs_code expiry_of(const image *i, vs_span stored, int64_t *out, vs_error *err)
{
    vs_val v = vs_get(i->expiry.v, stored);
    *out = 0;
    if (!vs_defined(v))
        return VS_OK;
    if (!vs_is_int(v) || v.u.i <= 0)
        return vs_fail(err, VS_E_IO, "%s does not hold a time for a value", i->expiry.rel);
    *out = v.u.i;
    return VS_OK;
}

typedef struct question {
    const char *ns;
    vs_span key;
    int64_t now;
    vs_buf *out;
    vs_code (*each)(void *user, vs_span key); /* given: list instead */
    void *user;
} question;

static vs_code list(const image *i, const question *q, vs_error *err)
{
    for (VS_OBJ_FOR (m, i->values.v)) {
        name key;
        if (!key_of(vs_text(m->key), &key))
            continue;
        vs_code code = q->each(q->user, key.s);
        if (code != VS_OK)
            return vs_fail(err, code, "listing %s was stopped", q->ns);
    }
    return VS_OK;
}

static vs_code answer(const image *i, const question *q, vs_error *err)
{
    if (q->each)
        return list(i, q, err);
    name stored;
    name_of(q->key, &stored);
    int64_t expires = 0;
    if (q->now)
        VS_TRY(expiry_of(i, stored.s, &expires, err));
    const vs_val *v = vs_find(i->values.v, stored.s);
    if (!v || store_expired(expires, q->now))
        return store_not_found(q->ns, q->key, err);
    VS_TRY_WRAP(localjson_value(*v, q->out, err), err, "value for \"%.*s\" in %s", VS_FMT(q->key),
                q->ns);
    return VS_OK;
}

static vs_code ask(localjson *s, const question *q, vs_error *err)
{
    (void)pthread_rwlock_rdlock(&s->lock);
    image *i = find(s, q->ns);
    bool ready = i && fresh(s, &i->values) && fresh(s, &i->expiry);
    vs_code code = ready ? answer(i, q, err) : VS_OK;
    (void)pthread_rwlock_unlock(&s->lock);
    if (ready)
        return code;
    VS_TRY(lock_all(s, LOCK_SH, err));
    code = refresh(s, q->ns, &i, err);
    if (code == VS_OK)
        code = answer(i, q, err);
    unlock_all(s);
    return code;
}

static vs_code localjson_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                             vs_error *err)
{
    question q = {.ns = ns, .key = key, .now = now, .out = out};
    return ask((localjson *)base, &q, err);
}

static vs_code localjson_list(vs_store *base, const char *ns,
                              vs_code (*each)(void *user, vs_span key), void *user, vs_error *err)
{
    question q = {.ns = ns, .each = each, .user = user};
    return ask((localjson *)base, &q, err);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The members of `old`, those of `edit` in their place; null in `edit` removes. */
static vs_val merged(vs_arena *a, vs_val old, vs_val edit)
{
    vs_obj o = {.a = a};
    for (VS_OBJ_FOR (m, old))
        if (!vs_find(edit, vs_text(m->key)))
            vs_obj_add(&o, m->key, m->val);
    for (VS_OBJ_FOR (m, edit))
        if (m->val.kind != VS_NULL)
            vs_obj_add(&o, m->key, m->val);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_code write_doc(const localjson *s, doc *d, vs_arena *a, vs_val edit, vs_error *err)
{
    vs_val v = merged(a, d->v, edit);
    VS_TRY(vs_arena_check(a, err));
    if (!vs_defined(v))
        return vs_fail(err, VS_E_LIMIT, "%s would have too many members", d->rel);
    if (vs_eq(v, d->v))
        return VS_OK;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(LOCALJSON_FILE_MAX);
    vs_json_print(&text, v);
    if (!vs_buf_ok(&text))
        return vs_fail(err, VS_E_LIMIT, "%s would be larger than %d bytes", d->rel,
                       LOCALJSON_FILE_MAX);
    files_temp t;
    VS_TRY(files_prepare(s->root, vs_buf_span(&text), &t, err));
    forget(d); /* whatever comes of it, it is read again */
    return files_move(s->root, &t, d->rel, false, err);
}

/* One namespace's changes: key -> text or null, and key -> expiry or null. */
typedef struct change {
    image *i;
    vs_val values, later, at_once; /* expiries that go after, and those that come before */
} change;

static vs_code write_change(localjson *s, vs_arena *a, change *c, vs_error *err)
{
    VS_TRY(write_doc(s, &c->i->expiry, a, c->at_once, err));
    VS_TRY(write_doc(s, &c->i->values, a, c->values, err));
    if (!c->i->expiry.loaded)
        VS_TRY(load(s, &c->i->expiry, err));
    return write_doc(s, &c->i->expiry, a, c->later, err);
}

static vs_val dup_name(vs_arena *a, vs_span key)
{
    name stored;
    name_of(key, &stored);
    return vs_string_dup(a, stored.s);
}

static vs_code check_old(const image *i, vs_span stored, const vs_store_item *it, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf now = VS_BUF(VS_STORE_VALUE_MAX);
    const vs_val *v = vs_find(i->values.v, stored);
    if (!v)
        return store_taken(it, err);
    VS_TRY(localjson_value(*v, &now, err));
    return vs_span_eq(vs_buf_span(&now), it->old) ? VS_OK : store_taken(it, err);
}

static vs_code check_mode(const image *i, const vs_store_item *items, size_t at, vs_error *err)
{
    const vs_store_item *it = &items[at];
    name stored;
    name_of(it->key, &stored);
    if (it->mode == VS_PUT_SWAP)
        return check_old(i, stored.s, it, err);
    if (it->mode != VS_PUT_CREATE)
        return VS_OK;
    int64_t expires = 0;
    VS_TRY(expiry_of(i, stored.s, &expires, err));
    bool taken = vs_find(i->values.v, stored.s) && !store_expired(expires, vs_now_s());
    for (size_t k = 0; k < at && !taken; k++)
        taken = strcmp(items[k].ns, it->ns) == 0 && vs_span_eq(items[k].key, it->key);
    return taken ? store_taken(it, err) : VS_OK;
}

/* base64url of all values in one wiped buffer, each found by where it ends. */
static vs_code encode_all(const vs_store_item *items, size_t n, vs_arena *a, vs_buf *text,
                          size_t **ends, vs_error *err)
{
    *ends = vs_alloc_array(a, n, sizeof **ends);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < n; i++) {
        vs_b64_encode(text, VS_B64_URL_PADDED, items[i].value);
        (*ends)[i] = text->n;
    }
    if (!vs_buf_ok(text))
        return vs_fail(err, VS_E_LIMIT, "the values are larger than %d bytes together",
                       LOCALJSON_FILE_MAX);
    return VS_OK;
}

static vs_code gather(localjson *s, vs_arena *a, const vs_store_item *items, size_t n,
                      const char *ns, const vs_buf *text, const size_t *ends, change *c,
                      vs_error *err)
{
    VS_TRY(refresh(s, ns, &c->i, err));
    vs_obj values = {.a = a}, later = {.a = a}, at_once = {.a = a};
    for (size_t k = 0; k < n; k++) {
        if (strcmp(items[k].ns, ns) != 0)
            continue;
        VS_TRY(check_mode(c->i, items, k, err));
        size_t from = k ? ends[k - 1] : 0;
        vs_val key = dup_name(a, items[k].key);
        vs_obj_add(&values, key, vs_string(vs_span_of(text->p + from, ends[k] - from)));
        vs_val expires = items[k].expires ? vs_int(items[k].expires) : vs_null();
        vs_obj_add(&later, key, expires);
        if (items[k].expires)
            vs_obj_add(&at_once, key, expires);
        if (items[k].expires && items[k].expires < s->soonest)
            s->soonest = items[k].expires;
    }
    c->values = vs_obj_end(&values, VS_DUP_LAST, NULL);
    c->later = vs_obj_end(&later, VS_DUP_LAST, NULL);
    c->at_once = vs_obj_end(&at_once, VS_DUP_LAST, NULL);
    return vs_arena_check(a, err);
}

/* Everything is checked before anything is written. */
static vs_code put_on(localjson *s, vs_arena *a, const vs_store_item *items, size_t n,
                      vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(LOCALJSON_FILE_MAX);
    size_t *ends, n_changes = 0;
    VS_TRY(encode_all(items, n, a, &text, &ends, err));
    if (!text.p)
        vs_buf_puts(&text, ""); /* only empty values */
    change *changes = vs_alloc_array(a, n, sizeof *changes);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < n; i++) {
        bool seen = false;
        for (size_t k = 0; k < n_changes; k++)
            seen |= strcmp(changes[k].i->ns, items[i].ns) == 0;
        if (!seen)
            VS_TRY(gather(s, a, items, n, items[i].ns, &text, ends, &changes[n_changes++], err));
    }
    for (size_t k = 0; k < n_changes; k++)
        VS_TRY(write_change(s, a, &changes[k], err));
    return VS_OK;
}

static vs_code localjson_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    localjson *s = (localjson *)base;
    vs_arena a;
    vs_arena_init(&a, ARENA_MAX);
    vs_code code = lock_all(s, LOCK_EX, err);
    if (code == VS_OK) {
        code = put_on(s, &a, items, n, err);
        unlock_all(s);
    }
    vs_arena_free(&a);
    return code;
}

/* Removes keys, an object of key and null, with their expiries. */
static vs_code remove_keys(localjson *s, vs_arena *a, image *i, vs_val gone, vs_error *err)
{
    change c = {i, gone, gone, vs_empty(VS_OBJECT)};
    return write_change(s, a, &c, err);
}

static vs_code remove_one(localjson *s, vs_arena *a, const char *ns, vs_span key, vs_error *err)
{
    image *i;
    VS_TRY(refresh(s, ns, &i, err));
    vs_val stored = dup_name(a, key);
    vs_obj o = {.a = a};
    vs_obj_add(&o, stored, vs_null());
    vs_val gone = vs_obj_end(&o, VS_DUP_LAST, NULL);
    VS_TRY(vs_arena_check(a, err));
    bool there = vs_find(i->values.v, vs_text(stored)) != NULL;
    VS_TRY(remove_keys(s, a, i, gone, err));
    return there ? VS_OK : store_not_found(ns, key, err);
}

static vs_code localjson_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    localjson *s = (localjson *)base;
    vs_arena a;
    vs_arena_init(&a, ARENA_MAX);
    vs_code code = lock_all(s, LOCK_EX, err);
    if (code == VS_OK) {
        code = remove_one(s, &a, ns, key, err);
        unlock_all(s);
    }
    vs_arena_free(&a);
    return code;
}

/* ---- purging --------------------------------------------------------------------------------- */

typedef struct purge {
    localjson *s;
    vs_arena a;
    int64_t now, soonest;
    unsigned left;
} purge;

static vs_code purge_namespace(void *user, const char *ns, vs_error *err)
{
    purge *p = user;
    image *i;
    if (strlen(ns) > VS_STORE_NS_MAX)
        return VS_OK;
    VS_TRY(refresh(p->s, ns, &i, err));
    vs_obj gone = {.a = &p->a};
    for (VS_OBJ_FOR (m, i->expiry.v)) {
        int64_t expires;
        VS_TRY(expiry_of(i, vs_text(m->key), &expires, err));
        if (store_expired(expires, p->now) && p->left > 0) {
            p->left--;
            vs_obj_add(&gone, vs_string_dup(&p->a, vs_text(m->key)), vs_null());
        } else if (expires < p->soonest) {
            p->soonest = expires;
        }
    }
    vs_val keys = vs_obj_end(&gone, VS_DUP_LAST, NULL);
    VS_TRY(vs_arena_check(&p->a, err));
    return keys.len ? remove_keys(p->s, &p->a, i, keys, err) : VS_OK;
}

static vs_code localjson_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    localjson *s = (localjson *)base;
    VS_TRY(lock_all(s, LOCK_EX, err));
    vs_code code = VS_OK;
    if (now > s->soonest) {
        purge p = {.s = s, .now = now, .soonest = INT64_MAX, .left = *left};
        vs_arena_init(&p.a, ARENA_MAX);
        code = files_each(s->root, EXPIRES, purge_namespace, &p, err);
        if (code == VS_OK)
            s->soonest = p.soonest;
        *left = p.left;
        vs_arena_free(&p.a);
    }
    unlock_all(s);
    return code;
}

/* ---- health, opening, closing ---------------------------------------------------------------- */

static vs_code localjson_ping(vs_store *base, vs_error *err)
{
    return files_probe(((localjson *)base)->root, err);
}

static void localjson_close(vs_store *base)
{
    localjson *s = (localjson *)base;
    while (s->images) {
        image *next = s->images->next;
        forget(&s->images->values);
        forget(&s->images->expiry);
        free(s->images);
        s->images = next;
    }
    if (s->root >= 0)
        (void)close(s->root);
    (void)pthread_rwlock_destroy(&s->lock);
    free(s);
}

static const store_ops ops = {localjson_get,   localjson_put,  localjson_remove, localjson_list,
                              localjson_purge, localjson_ping, localjson_close};

vs_code vs_store_open_localjson(const char *dir, vs_store **out, vs_error *err)
{
    *out = NULL;
    localjson *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->base.ops = &ops;
    (void)pthread_rwlock_init(&s->lock, NULL);
    vs_code code = files_open_root(dir, &s->root, err);
    if (code != VS_OK) {
        localjson_close(&s->base);
        (void)vs_wrap(err, "opening the storage directory %s", dir);
        return code;
    }
    *out = &s->base;
    return VS_OK;
}
