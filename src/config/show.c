/* SPDX-License-Identifier: Apache-2.0 */
/* What is in effect, and whether the file says so. */
#include "config/config.h"

#include <stdio.h>

enum { PATH_ROOM = 160 };

vs_val config_member(vs_val file, const char *path)
{
    vs_span rest = vs_str(path);
    while (rest.n > 0 && file.kind == VS_OBJECT)
        file = vs_get(file, vs_span_cut(rest, '.', &rest, NULL));
    return rest.n > 0 ? vs_undefined() : file;
}

vs_code config_refuse_keys(vs_val file, const char *section, const char *const *keys,
                           const char *why, vs_error *err)
{
    char path[PATH_ROOM];
    for (; *keys; keys++) {
        (void)snprintf(path, sizeof path, "%s%s%s", section, *section ? "." : "", *keys);
        if (vs_defined(config_member(file, path)))
            return vs_fail(err, VS_E_INVALID, "\"%s\" has no effect here: %s", path, why);
    }
    return VS_OK;
}

static vs_val fallback_of(vs_arena *a, const config_key *k)
{
    if (!k->fallback)
        return vs_undefined();
    uint64_t n;
    if (k->type == CONFIG_FLAG)
        return vs_bool(vs_span_is(vs_str(k->fallback), "true"));
    if (k->type == CONFIG_COUNT && vs_span_decimal(vs_str(k->fallback), INT64_MAX, &n))
        return vs_int((int64_t)n);
    if (k->type != CONFIG_TEXTS)
        return vs_cstring(k->fallback);
    vs_vec one = {.a = a};
    vs_vec_add(&one, vs_cstring(k->fallback));
    return vs_vec_end_array(&one);
}

/* The file says it by an older name, which is shown in its own place. */
static bool has_old_name(const config_table *t, const config_key *k, vs_val file)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->keys[i].status == CONFIG_OLD && strcmp(t->keys[i].hint, k->path) == 0 &&
            vs_defined(config_member(file, t->keys[i].path)))
            return true;
    return false;
}

static void add(vs_vec *out, const char *path, const config_key *k, vs_val value, bool from_file)
{
    vs_obj o = {.a = out->a};
    vs_obj_put(&o, "key", vs_cstring(path));
    /* What a key without effect holds is not known either, and may be a password. */
    bool hidden = k->secret || k->type == CONFIG_ANY;
    vs_obj_put(&o, "value", hidden ? vs_cstring("(not shown)") : value);
    vs_obj_put(&o, "from", vs_cstring(from_file ? "file" : "default"));
    if (k->status == CONFIG_OLD)
        vs_obj_put(&o, "now", vs_cstring(k->hint));
    if (k->status == CONFIG_UNUSED)
        vs_obj_put(&o, "no-effect", vs_cstring(k->hint));
    vs_vec_add(out, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
}

static bool is_inside(const char *table, const char *path)
{
    size_t n = strlen(table);
    return strncmp(path, table, n) == 0 && path[n] == '.';
}

static size_t show_from(const config_table *t, size_t from, const char *above, const char *shown,
                        vs_val here, vs_vec *out);

/* Each table of the list, under a path with its number; the keys of a list follow it. */
static size_t show_list(const config_table *t, size_t at, const char *shown, vs_val list,
                        vs_vec *out)
{
    size_t end = at + 1;
    while (end < t->n && is_inside(t->keys[at].path, t->keys[end].path))
        end++;
    for (uint32_t i = 0; list.kind == VS_ARRAY && i < list.len; i++)
        (void)show_from(t, at + 1, t->keys[at].path, vs_sprintf(out->a, "%s[%u]", shown, i),
                        list.u.items[i], out);
    return end;
}

/* The keys inside `above` ("" = all) from a place of the table on. Of a list's tables only what the
 * file has: most of their keys belong to other kinds of them. */
static size_t show_from(const config_table *t, size_t from, const char *above, const char *shown,
                        vs_val here, vs_vec *out)
{
    size_t i = from, prefix = *above ? strlen(above) + 1 : 0;
    while (i < t->n && (!*above || is_inside(above, t->keys[i].path))) {
        const config_key *k = &t->keys[i];
        const char *rest = k->path + prefix;
        const char *path = *shown ? vs_sprintf(out->a, "%s.%s", shown, rest) : rest;
        vs_val value = config_member(here, rest);
        bool given = vs_defined(value);
        if (k->type == CONFIG_TABLES) {
            i = show_list(t, i, path, value, out);
            continue;
        }
        if (!given && !*above && !has_old_name(t, k, here))
            value = fallback_of(out->a, k);
        if (k->type != CONFIG_TABLE && vs_defined(value))
            add(out, path, k, value, given);
        i++;
    }
    return i;
}

vs_code config_table_show(const config_table *t, vs_val file, vs_arena *a, vs_val *out,
                          vs_error *err)
{
    vs_vec list = {.a = a};
    (void)show_from(t, 0, "", "", file, &list);
    *out = vs_vec_end_array(&list);
    return vs_arena_check(a, err);
}
