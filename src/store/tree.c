/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The older layout of the resource plugin: nested directories and files <dir>/<r>/<t>/<g> (kbs.md
 * 12.1). It has no namespaces and no expiry. Works on a read-only directory as long as nothing is
 * written.
 */
#include "store/backend.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/files.h"

enum { DEPTH_MAX = 32 };

typedef struct tree {
    vs_store base;
    int root;
} tree;

typedef struct path {
    char text[VS_STORE_KEY_MAX + 1];
} path;

static path path_of(vs_span key)
{
    path p;
    memcpy(p.text, key.p, key.n); /* store.c: at most VS_STORE_KEY_MAX bytes without NUL */
    p.text[key.n] = 0;
    return p;
}

static vs_code tree_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                        vs_error *err)
{
    (void)now;
    path p = path_of(key);
    vs_code code = files_read(((tree *)base)->root, p.text, out, err);
    return code == VS_E_NOT_FOUND ? store_not_found(ns, key, err) : code;
}

static vs_code put_one(tree *s, const vs_store_item *item, vs_error *err)
{
    files_temp t;
    path p = path_of(item->key);
    VS_TRY(files_prepare(s->root, item->value, &t, err));
    return files_move(s->root, &t, p.text, item->mode == VS_PUT_CREATE, err);
}

static vs_code tree_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (items[i].expires || items[i].mode == VS_PUT_SWAP)
            return vs_fail(err, VS_E_UNSUPPORTED,
                           "a directory of resources keeps no expiry and swaps no values");
    for (size_t i = 0; i < n; i++)
        VS_TRY(put_one((tree *)base, &items[i], err));
    return VS_OK;
}

static vs_code tree_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    path p = path_of(key);
    vs_code code = files_remove(((tree *)base)->root, p.text, err);
    return code == VS_E_NOT_FOUND ? store_not_found(ns, key, err) : code;
}

/* ---- listing --------------------------------------------------------------------------------- */

typedef struct walk {
    const tree *s;
    files_names *names;
    const char *dir; /* relative to the root, "." at the top */
    unsigned depth;
} walk;

static vs_code visit(void *user, const char *name, vs_error *err)
{
    const walk *w = user;
    char rel[VS_STORE_KEY_MAX + NAME_MAX + 2];
    bool top = w->depth == 0;
    int n = snprintf(rel, sizeof rel, "%s%s%s", top ? "" : w->dir, top ? "" : "/", name);
    vs_span key = vs_span_of(rel, (size_t)n);
    if (n < 0 || (size_t)n >= sizeof rel || !vs_store_key_ok(key))
        return VS_OK; /* nobody can ask for it */
    int fd = files_open(w->s->root, rel, O_PATH);
    int not_followed = files_open(w->s->root, rel, O_PATH | O_NOFOLLOW);
    struct stat st, own;
    bool there =
        fd >= 0 && not_followed >= 0 && fstat(fd, &st) == 0 && fstat(not_followed, &own) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (not_followed >= 0)
        (void)close(not_followed);
    if (there && S_ISREG(st.st_mode))
        files_add_name(w->names, key);
    /* not through linked directories: they could form a circle */
    if (!there || !S_ISDIR(own.st_mode) || w->depth >= DEPTH_MAX)
        return vs_arena_check(&w->names->a, err);
    walk below = {w->s, w->names, rel, w->depth + 1};
    return files_each(w->s->root, rel, visit, &below, err);
}

static vs_code list_with(const tree *s, files_names *l, vs_code (*each)(void *user, vs_span key),
                         void *user, vs_error *err)
{
    walk top = {s, l, ".", 0};
    VS_TRY(files_each(s->root, ".", visit, &top, err));
    files_sort_names(l);
    for (size_t i = 0; i < l->n; i++) {
        vs_code code = each(user, l->items[i]);
        if (code != VS_OK)
            return vs_fail(err, code, "listing was stopped");
    }
    return VS_OK;
}

static vs_code tree_list(vs_store *base, const char *ns, vs_code (*each)(void *user, vs_span key),
                         void *user, vs_error *err)
{
    (void)ns;
    files_names l = {0};
    vs_arena_init(&l.a, 0);
    vs_code code = list_with((tree *)base, &l, each, user, err);
    vs_arena_free(&l.a);
    return code;
}

static vs_code tree_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    (void)base, (void)now, (void)left, (void)err;
    return VS_OK; /* nothing expires here */
}

static vs_code tree_ping(vs_store *base, vs_error *err)
{
    return files_look(((tree *)base)->root, err);
}

static void tree_close(vs_store *base)
{
    tree *s = (tree *)base;
    if (s->root >= 0)
        (void)close(s->root);
    free(s);
}

static const store_ops ops = {tree_get,   tree_put,  tree_remove, tree_list,
                              tree_purge, tree_ping, tree_close};

vs_code vs_store_open_tree(const char *dir, vs_store **out, vs_error *err)
{
    *out = NULL;
    tree *s = calloc(1, sizeof *s);
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    s->base.ops = &ops;
    vs_code code = files_open_root(dir, &s->root, err);
    if (code != VS_OK) {
        tree_close(&s->base);
        (void)vs_wrap(err, "opening the resource directory %s", dir);
        return code;
    }
    *out = &s->base;
    return VS_OK;
}
