/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "cmd/rego/rego_tool.h"
#include "rego/yaml_text.h"
#include "value/json.h"

enum { FILE_MAX = 256 << 20, DEPTH_MAX = 32, YAML_STEPS = 1 << 30 };

void rego_sources_init(rego_sources *s)
{
    *s = (rego_sources){0};
    vs_arena_init(&s->a, (size_t)2 << 30);
    s->data = vs_empty(VS_OBJECT);
}

void rego_sources_free(rego_sources *s)
{
    vs_arena_free(&s->a);
}

static vs_code read_text(vs_arena *a, const char *path, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(FILE_MAX);
    VS_TRY(vs_read_file(path, &b, err));
    *out = vs_dup(a, vs_buf_span(&b));
    return vs_arena_check(a, err);
}

static bool ends(const char *path, const char *suffix)
{
    return vs_span_ends(vs_str(path), vs_str(suffix));
}

static bool is_yaml(const char *path)
{
    return ends(path, ".yaml") || ends(path, ".yml");
}

vs_code rego_read_document(vs_arena *a, const char *path, vs_val *out, vs_error *err)
{
    vs_span text;
    VS_TRY(read_text(a, strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text, err));
    if (is_yaml(path)) {
        uint64_t steps = YAML_STEPS;
        rego_bctx b = {.a = a, .steps = &steps};
        if (rego_yaml_parse(&b, text, out) != REGO_B_OK)
            return vs_fail(err, VS_E_PARSE, "%s: %s", path,
                           b.message[0] ? b.message : "document is too large");
        return VS_OK;
    }
    vs_json_opts opts = {.dup_last_wins = true};
    VS_TRY_WRAP(vs_json_parse(a, text, &opts, out, err), err, "%s", path);
    return VS_OK;
}

/* Members of `over` win; objects merge. */
static vs_val merge(vs_arena *a, vs_val base, vs_val over)
{
    if (base.kind != VS_OBJECT || over.kind != VS_OBJECT)
        return over;
    vs_obj o = {.a = a};
    for (VS_OBJ_FOR (p, base))
        vs_obj_add(&o, p->key, p->val);
    for (VS_OBJ_FOR (p, over)) {
        vs_val old = vs_index(base, p->key);
        vs_obj_add(&o, p->key, vs_defined(old) ? merge(a, old, p->val) : p->val);
    }
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_code add_document(rego_sources *s, const char *path, const vs_vec *folders, vs_error *err)
{
    vs_val doc;
    VS_TRY(rego_read_document(&s->a, path, &doc, err));
    if (doc.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "%s: a base document must be an object", path);
    for (size_t i = folders->n; i > 0; i--)
        doc = vs_with(&s->a, vs_empty(VS_OBJECT), folders->items[i - 1], doc);
    s->data = merge(&s->a, s->data, doc);
    return vs_arena_check(&s->a, err);
}

static vs_code add_policy(rego_sources *s, const char *path, bool v0, vs_error *err)
{
    if (s->n == REGO_FILES_MAX)
        return vs_fail(err, VS_E_LIMIT, "more than %d policies", REGO_FILES_MAX);
    if (s->n == s->room) {
        s->room = s->room ? s->room * 2 : 16;
        s->modules = vs_grow(&s->a, s->modules, s->n, s->room, sizeof *s->modules);
        VS_TRY(vs_arena_check(&s->a, err));
    }
    rego_module *m = &s->modules[s->n];
    *m = (rego_module){.name = vs_sprintf(&s->a, "%s", path), .v0 = v0};
    VS_TRY(read_text(&s->a, path, &m->text, err));
    s->n++;
    return VS_OK;
}

static vs_code add_path(rego_sources *s, const char *path, bool v0, bool given, vs_vec *folders,
                        vs_error *err);

static int by_name(const struct dirent **x, const struct dirent **y)
{
    return strcmp((*x)->d_name, (*y)->d_name);
}

static vs_code add_folder(rego_sources *s, const char *path, bool v0, vs_vec *folders,
                          vs_error *err)
{
    struct dirent **names;
    int n = folders->n < DEPTH_MAX ? scandir(path, &names, NULL, by_name) : 0;
    vs_code code =
        n < 0 ? vs_fail_errno(err, VS_E_IO, errno, "cannot read folder %s", path) : VS_OK;
    for (int i = 0; i < n; i++) {
        struct stat st;
        const char *file = vs_sprintf(&s->a, "%s/%s", path, names[i]->d_name);
        bool hidden = names[i]->d_name[0] == '.';
        if (code == VS_OK && !hidden && stat(file, &st) == 0) {
            bool folder = S_ISDIR(st.st_mode);
            if (folder)
                vs_vec_add(folders, vs_string_dup(&s->a, vs_str(names[i]->d_name)));
            code = add_path(s, file, v0, false, folders, err);
            folders->n -= folder;
        }
        free(names[i]);
    }
    if (n > 0)
        free(names);
    return code;
}

/* Files of other kinds are passed over in folders, and an error when they were named. */
static vs_code add_path(rego_sources *s, const char *path, bool v0, bool given, vs_vec *folders,
                        vs_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open %s", path);
    if (S_ISDIR(st.st_mode))
        return add_folder(s, path, v0, folders, err);
    if (ends(path, ".json") || is_yaml(path))
        return add_document(s, path, folders, err);
    if (given || ends(path, ".rego"))
        return add_policy(s, path, v0, err);
    return VS_OK;
}

vs_code rego_sources_add(rego_sources *s, const char *path, bool v0, vs_error *err)
{
    vs_vec folders = {.a = &s->a};
    return add_path(s, path, v0, true, &folders, err);
}

vs_code rego_sources_add_all(rego_sources *s, const cli_list *paths, bool v0, vs_error *err)
{
    for (size_t i = 0; i < paths->n; i++)
        VS_TRY(rego_sources_add(s, paths->items[i], v0, err));
    return VS_OK;
}

/* ---- compiling and complaining ------------------------------------------------------------------
 */

bool rego_is_tty(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

int rego_complain(const rego_sources *s, const rego_diag *d, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    bool color = rego_is_tty(STDERR_FILENO);
    fprintf(stderr, "%svouchsafe rego:%s %s\n", color ? "\033[1;31m" : "", color ? "\033[0m" : "",
            vs_error_text(err, text, sizeof text));
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(4096);
    for (size_t i = 0; s && d && d->row && i < s->n; i++)
        if (strcmp(s->modules[i].name, d->file) == 0)
            rego_diag_excerpt(d, s->modules[i].text, &b);
    fprintf(stderr, "%.*s", VS_FMT(vs_buf_span(&b)));
    return EXIT_FAILURE;
}

static const rego_host_decl hosts[] = {{"query_reference_value", 1}};

static vs_code no_reference_values(void *user, const char *name, const vs_val *args, unsigned n,
                                   vs_arena *a, vs_val *out, vs_error *err)
{
    (void)user, (void)name, (void)args, (void)n, (void)a, (void)err;
    *out = vs_null();
    return VS_OK;
}

rego_program *rego_tool_compile(const rego_cli *o, const rego_sources *s, const char *query)
{
    rego_options opts = {.hosts = hosts,
                         .n_hosts = VS_COUNT(hosts),
                         .query = query ? vs_str(query) : vs_span_of(NULL, 0),
                         .query_v0 = o->v0,
                         .query_package = query ? o->package : NULL,
                         .query_imports = o->imports.items,
                         .n_query_imports = query ? o->imports.n : 0,
                         .strict_types = o->strict,
                         .legacy_not = o->legacy_not,
                         .nonstrict_builtin_errors = o->nonstrict};
    rego_program *p;
    rego_diag d = {0};
    vs_error err = {0};
    if (rego_compile(s->modules, s->n, &opts, &p, &d, &err) == VS_OK)
        return p;
    (void)rego_complain(s, &d, &err);
    return NULL;
}

static void print_line(void *user, vs_span line)
{
    (void)user;
    fprintf(stderr, "%.*s\n", VS_FMT(line));
}

rego_inputs rego_tool_inputs(const rego_sources *s, vs_val input)
{
    rego_inputs in = {.data = s->data,
                      .input = input,
                      .now_ns = vs_now_ns(),
                      .host = no_reference_values,
                      .print = print_line};
    vs_random(&in.seed, sizeof in.seed);
    return in;
}

void rego_collect(void *user, vs_val bindings, vs_val values)
{
    rego_answers *c = user;
    vs_vec expressions = {.a = c->a};
    vs_val kept = vs_copy(c->a, values);
    for (VS_ARR_FOR (v, kept)) {
        vs_obj e = {.a = c->a};
        vs_obj_put(&e, "value", *v);
        vs_obj_put(&e, "text", vs_cstring(c->query));
        vs_obj place = {.a = c->a};
        vs_obj_put(&place, "row", vs_int(1));
        vs_obj_put(&place, "col", vs_int(1));
        vs_obj_put(&e, "location", vs_obj_end(&place, VS_DUP_LAST, NULL));
        vs_vec_add(&expressions, vs_obj_end(&e, VS_DUP_LAST, NULL));
    }
    vs_obj solution = {.a = c->a};
    vs_obj_put(&solution, "expressions", vs_vec_end_array(&expressions));
    if (bindings.len)
        vs_obj_put(&solution, "bindings", vs_copy(c->a, bindings));
    vs_vec_add(&c->results, vs_obj_end(&solution, VS_DUP_LAST, NULL));
}
