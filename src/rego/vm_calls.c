/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of policies, builtins and the host, and their replacement by `with`. */
#include "rego/vm.h"

#include <stdio.h>

#include "base/clock.h"
#include "value/number.h"

/* ---- mocks
 * ----------------------------------------------------------------------------------------- */

static mock *find_mock(rego_eval *e, target_kind kind, uint32_t id)
{
    for (size_t i = e->n_mocks; i > 0; i--) {
        mock *m = &e->mocks[i - 1];
        if (m->active && m->target->kind == kind && m->target->id == id)
            return m;
    }
    return NULL;
}

static status run_builtin(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                          unsigned n, vs_val *out);
static status run_host(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                       unsigned n, vs_val *out);

/* What stands in for a function is not replaced itself, and sees the original. */
static status call_mock(rego_eval *e, const code *c, size_t pc, mock *m, const vs_val *args,
                        unsigned n, vs_val *out)
{
    if (!m->target->is_function) {
        *out = m->value;
        return vs_defined(*out) ? ST_OK : ST_UNDEFINED;
    }
    uint32_t by = m->target->by;
    if (m->target->by_kind == OP_HOST)
        return run_host(e, c, pc, by, args, n, out);
    if (m->target->by_kind != OP_CALL)
        return run_builtin(e, c, pc, by, args, n, out);
    m->active = false;
    status st = run(e, &e->p->groups[by]->code, e->p->groups[by], args, out);
    m->active = true;
    return st;
}

/* ---- functions of policies
 * ------------------------------------------------------------------------- */

status call_function(rego_eval *e, const code *c, size_t pc, const group *g, const vs_val *args,
                     vs_val *out)
{
    mock *m = e->n_mocks ? find_mock(e, TARGET_FUNCTION, g->id) : NULL;
    if (m)
        return call_mock(e, c, pc, m, args, g->arity, out);
    return run(e, &g->code, g, args, out);
}

/* ---- builtins
 * -------------------------------------------------------------------------------------- */

static status builtin_failed(rego_eval *e, const code *c, size_t pc, const rego_builtin *b,
                             rego_bres res)
{
    if (res == REGO_B_LIMIT)
        return fail_at(e, c, pc, REGO_EVAL_LIMIT,
                       "%s: a limit of steps, size or memory was exceeded", b->name);
    if (!vs_arena_ok(&e->a)) /* whatever the builtin says follows from it */
        return builtin_failed(e, c, pc, b, REGO_B_LIMIT);
    if (res == REGO_B_UNDEFINED || e->p->nonstrict)
        return ST_UNDEFINED;
    return fail_at(e, c, pc, res == REGO_B_TYPE ? REGO_EVAL_TYPE : REGO_EVAL_BUILTIN, "%s: %s",
                   b->name, e->bctx.message);
}

status call_builtin(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                    unsigned n, vs_val *out)
{
    if (id == UINT32_MAX)
        return fail_at(e, c, pc, REGO_TYPE_ERROR,
                       "could not find the function that is called here");
    mock *m = e->n_mocks ? find_mock(e, TARGET_BUILTIN, id) : NULL;
    return m ? call_mock(e, c, pc, m, args, n, out) : run_builtin(e, c, pc, id, args, n, out);
}

static status run_builtin(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                          unsigned n, vs_val *out)
{
    const rego_builtin *b = e->p->builtins[id];
    if (!b->fn)
        return fail_at(e, c, pc, REGO_EVAL_BUILTIN, "%s: not available in this build", b->name);
    e->bctx.message[0] = 0;
    e->bctx.deadline = e->deadline + e->host_ns;
    e->bctx.v0 = e->p->mod_v0[c->dbg[pc].mod];
    *out = vs_undefined();
    rego_bres res = b->fn(&e->bctx, args, n, out);
    if (res == REGO_B_OK)
        return vs_defined(*out)     ? ST_OK
               : vs_arena_ok(&e->a) ? ST_UNDEFINED
                                    : builtin_failed(e, c, pc, b, REGO_B_LIMIT);
    return builtin_failed(e, c, pc, b, res);
}

status arithmetic(rego_eval *e, const code *c, size_t pc, uint32_t id, vs_val x, vs_val y,
                  vs_val *out)
{
    int64_t r;
    rego_builtin_fn fn = e->p->builtins[id]->fn;
    if (vs_is_int(x) && vs_is_int(y) && !e->n_mocks) {
        bool done = fn == rego_op_plus ? !__builtin_add_overflow(x.u.i, y.u.i, &r)
                    : fn == rego_op_minus
                        ? !__builtin_sub_overflow(x.u.i, y.u.i, &r)
                        : fn == rego_op_mul && !__builtin_mul_overflow(x.u.i, y.u.i, &r);
        if (done) {
            *out = vs_int(r);
            return ST_OK;
        }
    }
    vs_val args[2] = {x, y};
    return call_builtin(e, c, pc, id, args, 2, out);
}

/* ---- the host
 * -------------------------------------------------------------------------------------- */

static bool cached(const rego_eval *e, uint32_t id, vs_val args, vs_val *out)
{
    for (size_t i = 0; i < e->n_hosts; i++) {
        if (e->hosts[i].id == id && vs_eq(e->hosts[i].args, args)) {
            *out = e->hosts[i].value;
            return true;
        }
    }
    return false;
}

static void remember(rego_eval *e, uint32_t id, vs_val args, vs_val value)
{
    if (e->n_hosts == e->room_hosts) {
        size_t room = e->room_hosts ? e->room_hosts * 2 : 8;
        host_result *hosts = vs_grow(&e->a, e->hosts, e->n_hosts, room, sizeof *hosts);
        if (!hosts)
            return;
        e->hosts = hosts;
        e->room_hosts = room;
    }
    e->hosts[e->n_hosts++] = (host_result){id, args, value};
}

status call_host(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                 unsigned n, vs_val *out)
{
    mock *m = e->n_mocks ? find_mock(e, TARGET_HOST, id) : NULL;
    return m ? call_mock(e, c, pc, m, args, n, out) : run_host(e, c, pc, id, args, n, out);
}

static status run_host(rego_eval *e, const code *c, size_t pc, uint32_t id, const vs_val *args,
                       unsigned n, vs_val *out)
{
    const char *name = e->p->hosts[id].name;
    vs_vec b = {.a = &e->a};
    for (unsigned i = 0; i < n; i++)
        vs_vec_add(&b, args[i]);
    vs_val all = vs_vec_end_array(&b);
    if (cached(e, id, all, out))
        return ST_OK;
    if (!e->in.host)
        return fail_at(e, c, pc, REGO_TYPE_ERROR, "could not find function %s", name);
    int64_t before = vs_mono_ns();
    *out = vs_undefined();
    e->host_error = (vs_error){0};
    vs_code res = e->in.host(e->in.host_user, name, args, n, &e->a, out, &e->host_error);
    e->host_ns += vs_mono_ns() - before;
    if (res != VS_OK)
        return fail_at(e, c, pc, REGO_EVAL_HOST, "%s failed", name);
    if (!vs_defined(*out))
        return ST_UNDEFINED;
    remember(e, id, all, *out);
    return ST_OK;
}

/* ---- print and templates
 * ---------------------------------------------------------------------------- */

enum { TEXT_MAX = 16 << 20 };

/* Strings as they are, other values in Rego text, absent ones as <undefined>. */
static void put_part(vs_buf *out, vs_val part)
{
    if (part.len == 0)
        vs_buf_puts(out, "<undefined>");
    else if (part.u.items[0].kind == VS_STRING)
        vs_buf_put(out, vs_text(part.u.items[0]));
    else
        rego_print_value(out, part.u.items[0]);
}

void print_values(rego_eval *e, const vs_val *args, unsigned n)
{
    VS_CLEANUP(vs_buf_free) vs_buf line = VS_BUF(TEXT_MAX);
    for (unsigned i = 0; i < n; i++) {
        if (i)
            vs_buf_putc(&line, ' ');
        put_part(&line, args[i]);
    }
    e->in.print(e->in.print_user, vs_buf_span(&line));
}

vs_val join_template(rego_eval *e, const vs_val *parts, unsigned n)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    for (unsigned i = 0; i < n; i++)
        put_part(&text, parts[i]);
    if (!vs_buf_ok(&text))
        e->a.failed = true;
    return vs_string_dup(&e->a, vs_buf_span(&text));
}
