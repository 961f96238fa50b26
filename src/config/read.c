/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the values of a file along the table of keys. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

enum { PATH_ROOM = 128 };

typedef struct reader {
    const config_table *table;
    vs_arena *a;
    vs_error *err;
} reader;

static const config_key *key_at(const config_table *t, vs_span path)
{
    for (size_t i = 0; i < t->n; i++)
        if (vs_span_is(path, t->keys[i].path))
            return &t->keys[i];
    return NULL;
}

/* ---- unknown keys ---------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein distance of short words. */
static size_t distance(vs_span a, vs_span b)
{
    size_t row[PATH_ROOM];
    if (a.n >= PATH_ROOM || b.n >= PATH_ROOM)
        return PATH_ROOM;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t up = row[j];
            row[j] = least(least(up, row[j - 1]) + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
            diagonal = up;
        }
    }
    return row[b.n];
}

/* The path's last part when it lies directly in `table`; empty otherwise. */
static vs_span child_of(const char *table, const char *path)
{
    size_t n = strlen(table);
    if (strncmp(path, table, n) != 0 || (n && path[n] != '.'))
        return (vs_span){NULL, 0};
    vs_span rest = vs_span_from(vs_str(path), n ? n + 1 : 0);
    return memchr(rest.p, '.', rest.n) ? (vs_span){NULL, 0} : rest;
}

/* The one key of another table that has exactly this name; NULL when there is none, or several. */
static const config_key *elsewhere(const config_table *t, vs_span name)
{
    const config_key *found = NULL;
    for (size_t i = 0; i < t->n; i++) {
        const char *dot = strrchr(t->keys[i].path, '.');
        if (t->keys[i].status != CONFIG_CURRENT || !dot || !vs_span_is(name, dot + 1))
            continue;
        if (found)
            return NULL;
        found = &t->keys[i];
    }
    return found;
}

static vs_code unknown_key(const reader *r, const char *table, vs_span name)
{
    size_t best = name.n / 3 + 2;
    const config_key *keys = r->table->keys, *nearest = elsewhere(r->table, name);
    best = nearest ? 0 : best;
    for (size_t i = 0; i < r->table->n; i++) {
        vs_span child = child_of(table, keys[i].path);
        if (child.n && keys[i].status == CONFIG_CURRENT && distance(name, child) < best) {
            best = distance(name, child);
            nearest = &keys[i];
        }
    }
    vs_span shown = vs_span_head(name, 60);
    if (nearest)
        return vs_fail(r->err, VS_E_INVALID, "unknown key \"%.*s\"%s%s: did you mean \"%s\"?",
                       VS_FMT(shown), *table ? " in " : "", table, nearest->path);
    return vs_fail(r->err, VS_E_INVALID, "unknown key \"%.*s\"%s%s", VS_FMT(shown),
                   *table ? " in " : "", table);
}

static vs_code pass_over(const reader *r, vs_code unknown)
{
    if (!r->table->lenient)
        return unknown;
    vs_log_error(VS_LOG_WARN, "config", "key is passed over", r->err);
    return VS_OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

static vs_code wrong_type(const reader *r, const config_key *k, const char *want, vs_val v)
{
    return vs_fail(r->err, VS_E_INVALID, "\"%s\" must be %s, not %s", k->path, want,
                   vs_kind_name((vs_kind)v.kind));
}

static vs_code read_text(const reader *r, const config_key *k, vs_val v, const char **out)
{
    if (v.kind != VS_STRING)
        return wrong_type(r, k, "a string", v);
    if (v.len && memchr(v.u.s, 0, v.len))
        return vs_fail(r->err, VS_E_INVALID, "\"%s\" holds a NUL character", k->path);
    *out = (const char *)vs_dup(r->a, vs_text(v)).p;
    return vs_arena_check(r->a, r->err);
}

static vs_code read_texts(const reader *r, const config_key *k, vs_val v, uint8_t *base)
{
    if (v.kind != VS_ARRAY)
        return wrong_type(r, k, "an array of strings", v);
    const char **list = vs_alloc_array(r->a, v.len, sizeof *list);
    VS_TRY(vs_arena_check(r->a, r->err));
    for (uint32_t i = 0; i < v.len; i++)
        VS_TRY(read_text(r, k, v.u.items[i], &list[i]));
    *(const char *const **)(void *)(base + k->offset) = list;
    *(size_t *)(void *)(base + k->n_offset) = v.len;
    return VS_OK;
}

static vs_code read_count(const reader *r, const config_key *k, vs_val v, int64_t *out)
{
    if (!vs_is_int(v))
        return wrong_type(r, k, "an integer", v);
    if (v.u.i < k->min || v.u.i > k->max)
        return vs_fail(r->err, VS_E_INVALID, "\"%s\" must be %lld to %lld, not %lld", k->path,
                       (long long)k->min, (long long)k->max, (long long)v.u.i);
    *out = v.u.i;
    return VS_OK;
}

static vs_code read_choice(const reader *r, const config_key *k, vs_val v, int *out)
{
    if (v.kind != VS_STRING)
        return wrong_type(r, k, "a string", v);
    const char *known = "";
    for (const config_choice *c = k->choices; c->name; c++) {
        if (vs_span_is(vs_text(v), c->name)) {
            if (c->lacks)
                return vs_fail(r->err, VS_E_UNSUPPORTED,
                               "\"%s\" is \"%s\", but this build does not have %s", k->path,
                               c->name, c->lacks);
            *out = c->value;
            return VS_OK;
        }
        if (!c->lacks)
            known = vs_sprintf(r->a, "%s%s\"%s\"", known, *known ? ", " : "", c->name);
    }
    return vs_fail(r->err, VS_E_INVALID, "\"%s\" cannot be \"%.*s\"; it is one of %s", k->path,
                   VS_FMT(vs_span_head(vs_text(v), 60)), known);
}

static vs_code read_table(const reader *r, const char *path, vs_val table, uint8_t *base);

static void fall_back_inside(const config_table *t, const config_key *list, uint8_t *base);

static vs_code read_tables(const reader *r, const config_key *k, vs_val v, uint8_t *base)
{
    if (v.kind != VS_ARRAY)
        return wrong_type(r, k, "an array of tables", v);
    uint8_t *list = vs_alloc_array(r->a, v.len, k->element);
    VS_TRY(vs_arena_check(r->a, r->err));
    memset(list, 0, v.len * k->element);
    for (uint32_t i = 0; i < v.len; i++) {
        if (v.u.items[i].kind != VS_OBJECT)
            return wrong_type(r, k, "an array of tables", v.u.items[i]);
        fall_back_inside(r->table, k, list + i * k->element);
        VS_TRY(read_table(r, k->path, v.u.items[i], list + i * k->element));
    }
    *(const void **)(void *)(base + k->offset) = list;
    *(size_t *)(void *)(base + k->n_offset) = v.len;
    return VS_OK;
}

static vs_code read_value(const reader *r, const config_key *k, vs_val v, uint8_t *base)
{
    uint8_t *at = k->offset == CONFIG_NOWHERE ? NULL : base + k->offset;
    switch (k->type) {
    case CONFIG_TABLE:
        if (v.kind != VS_OBJECT)
            return wrong_type(r, k, "a table", v);
        if (at)
            *(bool *)at = true;
        return read_table(r, k->path, v, base);
    case CONFIG_TABLES: return read_tables(r, k, v, base);
    case CONFIG_TEXT: return read_text(r, k, v, (const char **)(void *)at);
    case CONFIG_TEXTS: return read_texts(r, k, v, base);
    case CONFIG_COUNT: return read_count(r, k, v, (int64_t *)(void *)at);
    case CONFIG_CHOICE: return read_choice(r, k, v, (int *)(void *)at);
    case CONFIG_FLAG:
        if (v.kind != VS_BOOL)
            return wrong_type(r, k, "true or false", v);
        *(bool *)at = v.u.b;
        return VS_OK;
    case CONFIG_ANY: break;
    }
    return VS_OK;
}

static void warn(const config_key *k)
{
    if (k->status == CONFIG_OLD)
        vs_log(VS_LOG_WARN, "config", "obsolete key", "key", k->path, "now", k->hint, "how",
               k->meaning[0] ? k->meaning : NULL, NULL);
    if (k->status == CONFIG_UNUSED)
        vs_log(VS_LOG_WARN, "config", "key has no effect", "key", k->path, "because", k->hint,
               NULL);
}

/* The depth is that of the table of keys. Choices first: "there is no such part in this build"
 * helps more than "unknown key" for a setting of that part. */
static vs_code read_table(const reader *r, const char *path, vs_val table, uint8_t *base)
{
    for (int pass = 0; pass < 2; pass++)
        for (VS_OBJ_FOR (m, table)) {
            char full[PATH_ROOM];
            vs_span name = vs_text(m->key);
            int n = snprintf(full, sizeof full, "%s%s%.*s", path, *path ? "." : "", VS_FMT(name));
            bool whole = n > 0 && (size_t)n < sizeof full && name.n > 0 &&
                         !memchr(name.p, '.', name.n) && !memchr(name.p, 0, name.n);
            const config_key *k = whole ? key_at(r->table, vs_str(full)) : NULL;
            if ((k && k->type == CONFIG_CHOICE) != (pass == 0))
                continue;
            if (!k) {
                VS_TRY(pass_over(r, unknown_key(r, path, name)));
                continue;
            }
            warn(k);
            VS_TRY(read_value(r, k, m->val, base));
        }
    return VS_OK;
}

vs_code config_table_read(const config_table *t, vs_arena *a, vs_val file, void *out, vs_error *err)
{
    vs_error local = {0};
    reader r = {t, a, err ? err : &local};
    if (file.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the file must hold an object, not %s",
                       vs_kind_name((vs_kind)file.kind));
    return read_table(&r, "", file, out);
}

/* ---- fallbacks ------------------------------------------------------------------------------- */

/* The innermost array of tables that a key is inside; NULL = none. */
static const config_key *list_around(const config_table *t, const config_key *k)
{
    const config_key *inner = NULL;
    for (const char *dot = strchr(k->path, '.'); dot; dot = strchr(dot + 1, '.')) {
        const config_key *above = key_at(t, vs_span_of(k->path, (size_t)(dot - k->path)));
        if (above && above->type == CONFIG_TABLES)
            inner = above;
    }
    return inner;
}

static void fall_back(const config_key *k, uint8_t *base)
{
    uint8_t *at = base + k->offset;
    switch (k->type) {
    case CONFIG_TEXT: *(const char **)(void *)at = k->fallback; break;
    case CONFIG_FLAG: *(bool *)at = strcmp(k->fallback, "true") == 0; break;
    case CONFIG_COUNT: *(int64_t *)(void *)at = strtoll(k->fallback, NULL, 10); break;
    case CONFIG_TEXTS: /* a list of one */
        *(const char *const **)(void *)at = &k->fallback;
        *(size_t *)(void *)(base + k->n_offset) = 1;
        break;
    case CONFIG_CHOICE:
        for (const config_choice *c = k->choices; c->name; c++)
            if (strcmp(c->name, k->fallback) == 0)
                *(int *)(void *)at = c->value;
        break;
    default: break;
    }
}

static void fall_back_inside(const config_table *t, const config_key *list, uint8_t *base)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->keys[i].fallback && list_around(t, &t->keys[i]) == list)
            fall_back(&t->keys[i], base);
}

void config_table_fallbacks(const config_table *t, void *out)
{
    fall_back_inside(t, NULL, out);
}
