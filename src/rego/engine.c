/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: compile, share, show. */
#include "rego/engine.h"

#include <stdlib.h>

#include "rego/compile.h"
#include "rego/metadata.h"

enum { PROGRAM_ARENA = 512 << 20, MODULES_MAX = 4096 };

const char *rego_errcode_name(rego_errcode c)
{
    static const char *const name[] = {
        [REGO_OK] = "ok",
        [REGO_PARSE_ERROR] = "rego_parse_error",
        [REGO_COMPILE_ERROR] = "rego_compile_error",
        [REGO_TYPE_ERROR] = "rego_type_error",
        [REGO_UNSAFE_VAR_ERROR] = "rego_unsafe_var_error",
        [REGO_RECURSION_ERROR] = "rego_recursion_error",
        [REGO_EVAL_CONFLICT] = "eval_conflict_error",
        [REGO_EVAL_TYPE] = "eval_type_error",
        [REGO_EVAL_BUILTIN] = "eval_builtin_error",
        [REGO_EVAL_WITH_MERGE] = "eval_with_merge_error",
        [REGO_EVAL_LIMIT] = "eval_limit_error",
        [REGO_EVAL_HOST] = "eval_host_error",
        [REGO_EVAL_INTERNAL] = "eval_internal_error",
    };
    return (size_t)c < VS_COUNT(name) && name[c] ? name[c] : "unknown";
}

static vs_code report(const compilation *c, rego_diag *diag, vs_error *err)
{
    const rego_diag *d = &c->diag;
    if (diag)
        *diag = *d;
    if (d->code == REGO_EVAL_LIMIT)
        return vs_fail(err, VS_E_NOMEM, "out of memory while compiling a policy");
    return vs_fail(err, d->code == REGO_PARSE_ERROR ? VS_E_PARSE : VS_E_INVALID, "%s:%u:%u: %s: %s",
                   d->file, d->row, d->col, rego_errcode_name(d->code), d->message);
}

/* Everything keeps pointing into the texts, so the program has copies. */
static bool copy_modules(compiler *k, const rego_module *modules, size_t n)
{
    rego_program *p = k->p;
    vs_arena *a = &p->arena;
    k->mods = vs_alloc_array(k->c->a, n + 1, sizeof *k->mods);
    p->mod_names = vs_alloc_array(a, n + 1, sizeof *p->mod_names);
    p->mod_texts = vs_alloc_array(a, n + 1, sizeof *p->mod_texts);
    p->mod_v0 = vs_zalloc(a, n + 1);
    if (!k->mods || !p->mod_names || !p->mod_texts || !p->mod_v0)
        return false;
    for (size_t i = 0; i < n; i++) {
        p->mod_names[i] = vs_sprintf(a, "%s", modules[i].name ? modules[i].name : "");
        p->mod_texts[i] = vs_dup(a, modules[i].text);
        p->n_mods++;
        k->mods[i] = parse_module(k->c, p->mod_names[i], p->mod_texts[i], modules[i].v0);
        k->n_mods++;
        if (!k->c->failed)
            read_annotations(k->c, k->mods[i]);
        if (k->c->failed)
            return false;
        p->mod_v0[i] = !k->mods[i]->rego_v1;
    }
    return vs_arena_ok(a);
}

/* The package and imports of the query, as a module has them. */
static void read_query_header(compiler *k, module *m)
{
    const rego_options *o = k->opts;
    if (!o->query_package && o->n_query_imports == 0)
        return;
    const char *text =
        vs_sprintf(k->c->a, "package %s\n", o->query_package ? o->query_package : "__query__");
    for (size_t i = 0; i < o->n_query_imports; i++)
        text = vs_sprintf(k->c->a, "%simport %s\n", text, o->query_imports[i]);
    const module *header = parse_module(k->c, "query", vs_str(text), o->query_v0);
    if (k->c->failed)
        return;
    if (header->n_defs) {
        comp_error(k->c, REGO_PARSE_ERROR, NULL, NULL,
                   "the package and the imports of a query are names only");
        return;
    }
    if (o->query_package) {
        m->package = header->package;
        m->n_package = header->n_package;
    }
    m->imports = header->imports;
    m->n_imports = header->n_imports;
}

static void compile_query(compiler *k)
{
    rego_program *p = k->p;
    module *m;
    unit u = {0};
    vs_span text = vs_dup(&p->arena, k->opts->query);
    body *b = parse_query(k->c, text, k->opts->query_v0, &m);
    if (!k->c->failed)
        read_query_header(k, m);
    if (k->c->failed)
        return;
    p->mod_names[p->n_mods] = "query";
    p->mod_texts[p->n_mods] = text;
    p->mod_v0[p->n_mods] = k->opts->query_v0;
    p->n_mods++;
    resolve_query(k, m, b, &u);
    if (!k->c->failed)
        check_query_types(k, m, b, &u);
    if (!k->c->failed)
        gen_query(k, m, b, &u, &p->query);
    p->has_query = true;
}

static void compile_all(compiler *k, const rego_module *modules, size_t n)
{
    if (!copy_modules(k, modules, n))
        return;
    link_modules(k);
    for (size_t i = 0; i < k->p->n_groups && !k->c->failed; i++)
        resolve_group(k, k->p->groups[i]);
    for (size_t i = 0; i < k->p->n_groups && !k->c->failed; i++)
        if (k->p->groups[i]->n_defs || k->p->groups[i]->default_def)
            gen_group(k, k->p->groups[i]);
    if (!k->c->failed)
        check_recursion(k);
    for (size_t i = 0; i < k->p->n_groups && !k->c->failed; i++)
        check_group_types(k, k->p->groups[i]);
    if (!k->c->failed && k->opts->query.n)
        compile_query(k);
}

/* What a group knew of the syntax tree. */
static void forget_tree(group *g)
{
    g->defs = NULL;
    g->units = NULL;
    g->default_def = NULL;
    g->calls = NULL;
    g->n_defs = g->n_calls = 0;
}

vs_code rego_compile(const rego_module *modules, size_t n, const rego_options *opts,
                     rego_program **out, rego_diag *diag, vs_error *err)
{
    static const rego_options none;
    *out = NULL;
    if (n > MODULES_MAX)
        return vs_fail(err, VS_E_LIMIT, "more than %d modules", MODULES_MAX);
    rego_program *p = calloc(1, sizeof *p);
    if (!p)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    atomic_init(&p->refs, 1);
    vs_arena tree; /* syntax trees and all else that only the compiler needs */
    vs_arena_init(&p->arena, PROGRAM_ARENA);
    vs_arena_init(&tree, PROGRAM_ARENA);
    compilation c = {.a = &tree, .legacy_not = opts && opts->legacy_not};
    compiler k = {.c = &c, .p = p, .opts = opts ? opts : &none};
    p->hosts = k.opts->hosts;
    p->n_hosts = k.opts->n_hosts;
    p->nonstrict = k.opts->nonstrict_builtin_errors;
    p->no_memo = k.opts->no_memo;
    compile_all(&k, modules, n);
    if (!vs_arena_ok(&p->arena) ||
        !vs_arena_ok(&tree)) { /* whatever else was said follows from it */
        c.failed = false;
        comp_error(&c, REGO_EVAL_LIMIT, NULL, NULL, "out of memory");
    }
    vs_arena_free(&tree);
    for (size_t i = 0; i < p->n_groups; i++)
        forget_tree(p->groups[i]);
    if (c.failed) {
        vs_code failure = report(&c, diag, err);
        rego_program_unref(&p);
        return failure;
    }
    *out = p;
    return VS_OK;
}

vs_code rego_check_syntax(vs_span text, bool v0, rego_diag *diag, vs_error *err)
{
    vs_arena a;
    vs_arena_init(&a, PROGRAM_ARENA);
    compilation c = {.a = &a};
    (void)parse_module(&c, "policy", text, v0);
    vs_code result = c.failed ? report(&c, diag, err) : VS_OK;
    vs_arena_free(&a);
    return result;
}

void rego_diag_excerpt(const rego_diag *d, vs_span text, vs_buf *out)
{
    enum { WIDTH = 160 };
    bool more = d->row > 0;
    vs_span line = {NULL, 0};
    for (uint32_t row = 0; more && row < d->row; row++)
        line = vs_span_cut(text, '\n', &text, &more);
    if (d->row == 0 || d->col == 0 || line.n == 0 || d->col > line.n + 1 || line.n > WIDTH)
        return;
    vs_buf_printf(out, "%.*s\n", VS_FMT(line));
    for (uint32_t i = 0; i + 1 < d->col; i++)
        vs_buf_putc(out, line.p[i] == '\t' ? '\t' : ' ');
    vs_buf_puts(out, "^\n");
}

rego_program *rego_program_ref(rego_program *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

void rego_program_unref(rego_program **pp)
{
    rego_program *p = *pp;
    *pp = NULL;
    if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    vs_arena_free(&p->arena);
    free(p);
}

void rego_program_rules(const rego_program *p, void (*each)(void *user, const char *path),
                        void *user)
{
    for (size_t i = 0; i < p->n_groups; i++)
        if (p->groups[i]->kind != GROUP_FUNCTION && p->groups[i]->code.n)
            each(user, p->groups[i]->name);
}

/* ---- disassembly
 * ----------------------------------------------------------------------------------- */

static void dump_code(const code *c, vs_buf *out)
{
    for (size_t i = 0; i < c->n; i++) {
        const insn *x = &c->at[i];
        vs_buf_printf(out, "  %4zu  %-11s a=%u b=%u c=%u k=%u n=%u fail=%u", i,
                      opcode_name((opcode)x->op), x->a, x->b, x->c, x->k, x->n, x->fail);
        vs_buf_printf(out, "    ; %u:%u\n", c->dbg[i].row, c->dbg[i].col);
    }
}

void rego_program_dump(const rego_program *p, vs_arena *a, vs_buf *out)
{
    (void)a;
    for (size_t i = 0; i < p->n_groups; i++) {
        vs_buf_printf(out, "%s (%u registers)\n", p->groups[i]->name, p->groups[i]->code.n_regs);
        dump_code(&p->groups[i]->code, out);
    }
    if (p->has_query) {
        vs_buf_puts(out, "query\n");
        dump_code(&p->query, out);
    }
    for (size_t i = 0; i < p->n_consts; i++) {
        vs_buf_printf(out, "const %zu = ", i);
        rego_print_value(out, p->consts[i]);
        vs_buf_putc(out, '\n');
    }
}
