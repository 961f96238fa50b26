/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of which one value is a file that others know: they read and write it, too. The file is
 * what counts; the store below has a copy of it, so that whoever opens that store without the file
 * finds the last text that was set and not one of long ago.
 */
#include "store/backend.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "store/files.h"

typedef struct with_file {
    vs_store base;
    vs_store *rest;
    char *ns, *key, *dir, *name; /* the file is `name` in `dir` */
    int root;                    /* `dir`, opened */
    pthread_mutex_t lock;        /* over writing: last record and file are of the same change */
} with_file;

static bool is_it(const with_file *s, const char *ns, vs_span key)
{
    return strcmp(ns, s->ns) == 0 && vs_span_is(key, s->key);
}

static vs_code read_file(const with_file *s, vs_buf *out, vs_error *err)
{
    vs_code code = files_read(s->root, s->name, out, err);
    if (code == VS_E_NOT_FOUND)
        return store_not_found(s->ns, vs_str(s->key), err);
    VS_TRY_WRAP(code, err, "directory %s", s->dir);
    return VS_OK;
}

static vs_code write_file(const with_file *s, vs_span text, vs_error *err)
{
    files_temp t;
    vs_code code = files_prepare(s->root, text, &t, err);
    if (code == VS_OK)
        code = files_move(s->root, &t, s->name, false, err);
    VS_TRY_WRAP(code, err, "writing %s in directory %s", s->name, s->dir);
    return VS_OK;
}

static vs_code with_file_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                             vs_error *err)
{
    const with_file *s = (const with_file *)base;
    if (is_it(s, ns, key))
        return read_file(s, out, err);
    return s->rest->ops->get(s->rest, ns, key, now, out, err);
}

/* Does the file allow the item? */
static vs_code check_mode(const with_file *s, const vs_store_item *item, vs_error *err)
{
    if (item->expires)
        return vs_fail(err, VS_E_UNSUPPORTED, "%s is a file, which does not expire", s->key);
    if (item->mode == VS_PUT_REPLACE)
        return VS_OK;
    vs_error why = {0};
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    vs_code code = read_file(s, &text, &why);
    bool fits = item->mode == VS_PUT_CREATE
                    ? code == VS_E_NOT_FOUND
                    : code == VS_OK && vs_span_eq(vs_buf_span(&text), item->old);
    if (fits)
        return VS_OK;
    if (code == VS_OK || code == VS_E_NOT_FOUND)
        return store_taken(item, err);
    if (err)
        *err = why;
    return code;
}

/* The copy is for the next start, which makes up for one that could not be written. */
static void copy_text(const with_file *s, vs_span text)
{
    vs_error err = {0};
    if (vs_store_put(s->rest, s->ns, vs_str(s->key), text, 0, VS_PUT_REPLACE, &err) != VS_OK)
        vs_log_error(VS_LOG_WARN, "store", "the copy of a file was not kept", &err);
}

/* What goes with the file first: where its text came from is recorded there, and whoever may not
 * make the next record may not write the file. The copy last: it is never of a text that was not in
 * the file. */
static vs_code put_locked(const with_file *s, const vs_store_item *items, size_t n, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_store_item *others = vs_alloc_array(&a, n, sizeof *others);
    const vs_store_item *mine = NULL;
    size_t n_others = 0;
    VS_TRY(vs_arena_check(&a, err));
    for (size_t i = 0; i < n; i++) {
        if (is_it(s, items[i].ns, items[i].key)) {
            VS_TRY(check_mode(s, &items[i], err));
            mine = &items[i];
        } else {
            others[n_others++] = items[i];
        }
    }
    if (n_others)
        VS_TRY(s->rest->ops->put(s->rest, others, n_others, err));
    if (mine) {
        VS_TRY(write_file(s, mine->value, err));
        copy_text(s, mine->value);
    }
    return VS_OK;
}

static vs_code with_file_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    with_file *s = (with_file *)base;
    bool mine = false;
    for (size_t i = 0; i < n; i++)
        mine |= is_it(s, items[i].ns, items[i].key);
    if (!mine)
        return s->rest->ops->put(s->rest, items, n, err);
    (void)pthread_mutex_lock(&s->lock);
    vs_code code = put_locked(s, items, n, err);
    (void)pthread_mutex_unlock(&s->lock);
    return code;
}

/* The copy first: whatever comes in between, the next start does not write it back. */
static vs_code remove_locked(const with_file *s, vs_error *err)
{
    vs_code code = s->rest->ops->remove(s->rest, s->ns, vs_str(s->key), err);
    if (code != VS_OK && code != VS_E_NOT_FOUND)
        return code;
    code = files_remove(s->root, s->name, err);
    return code == VS_E_NOT_FOUND ? store_not_found(s->ns, vs_str(s->key), err) : code;
}

static vs_code with_file_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    with_file *s = (with_file *)base;
    if (!is_it(s, ns, key))
        return s->rest->ops->remove(s->rest, ns, key, err);
    (void)pthread_mutex_lock(&s->lock);
    vs_code code = remove_locked(s, err);
    (void)pthread_mutex_unlock(&s->lock);
    return code;
}

static vs_code with_file_list(vs_store *base, const char *ns,
                              vs_code (*each)(void *user, vs_span key), void *user, vs_error *err)
{
    const with_file *s = (const with_file *)base;
    return s->rest->ops->list(s->rest, ns, each, user, err);
}

static vs_code with_file_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    const with_file *s = (const with_file *)base;
    return s->rest->ops->purge(s->rest, now, left, err);
}

/* The file may be one that only others write: its directory is looked at. */
static vs_code with_file_ping(vs_store *base, vs_error *err)
{
    const with_file *s = (const with_file *)base;
    VS_TRY_WRAP(files_look(s->root, err), err, "directory %s", s->dir);
    return s->rest->ops->ping(s->rest, err);
}

static vs_code with_file_changes(vs_store *base, const char *ns, uint64_t *n, vs_error *err)
{
    const with_file *s = (const with_file *)base;
    return strcmp(ns, s->ns) == 0 ? VS_OK : vs_store_changes(s->rest, ns, n, err);
}

static void with_file_close(vs_store *base)
{
    with_file *s = (with_file *)base;
    if (s->root >= 0)
        (void)close(s->root);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->ns);
    free(s->key);
    free(s->dir);
    free(s->name);
    free(s);
}

static const store_ops ops = {with_file_get,   with_file_put,  with_file_remove, with_file_list,
                              with_file_purge, with_file_ping, with_file_close,  with_file_changes};

/* "<dir>/<name>"; a name alone is in the working directory. */
static vs_code take_path(with_file *s, const char *path, vs_error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return vs_fail(err, VS_E_INVALID, "\"%s\" is not the path of a file", path);
    s->name = strdup(name);
    s->dir = !slash          ? strdup(".")
             : slash == path ? strdup("/")
                             : strndup(path, (size_t)(slash - path));
    return s->name && s->dir ? VS_OK : vs_fail(err, VS_E_NOMEM, "out of memory");
}

/* A copy without the file is what was set before there was to be one. */
static vs_code agree(with_file *s, vs_error *err)
{
    VS_CLEANUP(vs_buf_free)
    vs_buf text = VS_BUF(VS_STORE_VALUE_MAX), copy = VS_BUF(VS_STORE_VALUE_MAX);
    vs_span key = vs_str(s->key);
    vs_code code = read_file(s, &text, err);
    if (code != VS_OK && code != VS_E_NOT_FOUND)
        return code;
    vs_code had = vs_store_get(s->rest, s->ns, key, 0, &copy, err);
    if (had != VS_OK && had != VS_E_NOT_FOUND)
        return had;
    if (code == VS_E_NOT_FOUND && had == VS_E_NOT_FOUND)
        return VS_OK;
    if (code == VS_E_NOT_FOUND) {
        vs_log(VS_LOG_WARN, "store", "what is stored is written to the file, which is not there",
               "file", s->name, "directory", s->dir, NULL);
        return write_file(s, vs_buf_span(&copy), err);
    }
    if (had == VS_OK && vs_span_eq(vs_buf_span(&text), vs_buf_span(&copy)))
        return VS_OK;
    return vs_store_put(s->rest, s->ns, key, vs_buf_span(&text), 0, VS_PUT_REPLACE, err);
}

static vs_code set_up(with_file *s, const char *ns, const char *key, const char *path,
                      vs_error *err)
{
    s->ns = strdup(ns);
    s->key = strdup(key);
    if (!s->ns || !s->key)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    VS_TRY(take_path(s, path, err));
    VS_TRY(files_open_root(s->dir, &s->root, err));
    return agree(s, err);
}

vs_code vs_store_open_with_file(vs_store *rest, const char *ns, const char *key, const char *path,
                                vs_store **out, vs_error *err)
{
    *out = NULL;
    with_file *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->base.ops = &ops;
    s->rest = rest;
    s->root = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    vs_code code = set_up(s, ns, key, path, err);
    if (code != VS_OK) {
        with_file_close(&s->base);
        return code;
    }
    *out = &s->base;
    return VS_OK;
}
