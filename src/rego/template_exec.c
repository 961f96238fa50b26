/* SPDX-License-Identifier: Apache-2.0 */
/* Templates at work on data. */
#include <stdarg.h>
#include <stdio.h>

#include "rego/template.h"

enum { ARGS_MAX = 4096 };

typedef struct variable {
    vs_span name;
    go_val value;
} variable;

typedef struct runner {
    rego_bctx *b;
    const tpl_tree *trees;
    const tpl_tree *now; /* the template at work */
    vs_buf *out;
    variable *variables;
    size_t n_variables, first_variable, room; /* first: of this template, its $ */
    unsigned calls, depth;
    rego_bres failed;
} runner;

/* How a list of nodes ended. */
typedef enum run_end { RUN_OK, RUN_BREAK, RUN_CONTINUE, RUN_FAILED } run_end;

/* A place in the template, for messages. */
typedef struct place {
    uint32_t line, column;
    vs_span source;
} place;

static place at(const tpl_operand *op)
{
    return (place){op->line, op->column, op->source};
}

static bool fail(runner *r, place where, const char *fmt, ...) VS_PRINTF(3, 4);

static bool fail(runner *r, place where, const char *fmt, ...)
{
    char text[160];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    vs_span name = vs_span_head(r->now->name, 40), source = vs_span_head(where.source, 20);
    if (r->failed == REGO_B_OK)
        r->failed = rego_error(r->b, "template: template:%u:%u: executing \"%.*s\" at <%.*s%s>: %s",
                               where.line, where.column, VS_FMT(name), VS_FMT(source),
                               where.source.n > 20 ? "..." : "", text);
    return false;
}

static bool limit(runner *r)
{
    if (r->failed == REGO_B_OK)
        r->failed = REGO_B_LIMIT;
    return false;
}

static run_end failed(bool never)
{
    (void)never;
    return RUN_FAILED;
}

/* ---- variables ------------------------------------------------------------------------------ */

static bool push(runner *r, vs_span name, go_val value)
{
    if (r->n_variables == r->room) {
        size_t room = r->room ? r->room * 2 : 16;
        r->variables = vs_grow(r->b->a, r->variables, r->room, room, sizeof *r->variables);
        r->room = r->variables ? room : 0;
        if (!r->variables)
            return limit(r);
    }
    r->variables[r->n_variables++] = (variable){name, value};
    return true;
}

/* The innermost of that name; NULL when it was only ever assigned to. */
static variable *find(runner *r, vs_span name)
{
    for (size_t i = r->n_variables; i > r->first_variable; i--)
        if (vs_span_eq(r->variables[i - 1].name, name))
            return &r->variables[i - 1];
    return NULL;
}

static bool assign(runner *r, place where, vs_span name, go_val value)
{
    variable *v = find(r, name);
    if (!v)
        return fail(r, where, "undefined variable: %.*s", VS_FMT(vs_span_head(name, 60)));
    v->value = value;
    return true;
}

/* ---- operands ------------------------------------------------------------------------------- */

static bool pipeline(runner *r, const tpl_pipe *p, go_val dot, go_val *out);

/* One field of a value. `more`: there are arguments, which only methods could take. */
static bool field(runner *r, place where, go_val v, vs_span name, bool more, go_val *out)
{
    vs_span shown = vs_span_head(name, 60);
    *out = (go_val){.kind = GO_NIL};
    if (tpl_missing(v))
        return true;
    if (v.kind == GO_NIL)
        return fail(r, where, "nil pointer evaluating interface {}.%.*s", VS_FMT(shown));
    if (v.kind != GO_MAP)
        return fail(r, where, "can't evaluate field %.*s in type %s", VS_FMT(shown),
                    v.boxed ? "interface {}" : go_type(v));
    if (more)
        return fail(r, where, "%.*s is not a method but has arguments", VS_FMT(shown));
    const vs_val *member = vs_find(v.u.val, name);
    if (member)
        *out = go_of_json(r->b->a, *member);
    return rego_charge(r->b, 1) || limit(r);
}

static bool fields(runner *r, const tpl_operand *op, go_val v, bool more, go_val *out)
{
    *out = v;
    for (size_t i = 0; i < op->n_fields; i++)
        if (!field(r, at(op), *out, op->fields[i], more && i + 1 == op->n_fields, out))
            return false;
    return true;
}

static bool function(runner *r, const tpl_command *c, const tpl_operand *name, go_val dot,
                     const go_val *piped, go_val *out);

static bool not_a_function(runner *r, const tpl_operand *op)
{
    return fail(r, at(op), "can't give argument to non-function %.*s",
                VS_FMT(vs_span_head(op->source, 60)));
}

/* The value of an operand. `more`: it stands in front of arguments. */
static bool operand(runner *r, const tpl_operand *op, go_val dot, bool more, go_val *out)
{
    go_val v = dot;
    if (more && op->n_fields == 0)
        return not_a_function(r, op);
    switch (op->kind) {
    case TPL_OP_DOT:
    case TPL_OP_FIELD: break;
    case TPL_OP_NIL: return fail(r, at(op), "nil is not a command");
    case TPL_OP_CONSTANT: v = op->value; break;
    case TPL_OP_OVERFLOW:
        return fail(r, at(op), "%.*s overflows int", VS_FMT(vs_span_head(op->source, 60)));
    case TPL_OP_VARIABLE: {
        const variable *x = find(r, op->name);
        if (!x)
            return fail(r, at(op), "undefined variable: %.*s", VS_FMT(vs_span_head(op->name, 60)));
        v = x->value;
        break;
    }
    case TPL_OP_FUNCTION:
        if (!function(r, NULL, op, dot, NULL, &v))
            return false;
        break;
    case TPL_OP_PIPE:
        if (!pipeline(r, op->pipe, dot, &v))
            return false;
        break;
    case TPL_OP_CHAIN:
        if (!operand(r, op->inside, dot, false, &v))
            return false;
        break;
    }
    return fields(r, op, v, more, out);
}

/* ---- commands ------------------------------------------------------------------------------- */

/* The value as the i-th argument: the format of printf must be a string. */
static bool check_argument(runner *r, const tpl_function *f, place where, size_t i, go_val *v)
{
    if (!f->format || i > 0) {
        if (f->any)
            *v = tpl_unbox(*v);
        return true;
    }
    if (tpl_missing(*v))
        return fail(r, where, "invalid value; expected string");
    if (v->kind == GO_STRING)
        return true;
    return fail(r, where, "wrong type for value; expected string; got %s", go_type(*v));
}

static bool argument(runner *r, const tpl_function *f, const tpl_operand *op, size_t i, go_val dot,
                     go_val *out)
{
    bool format = f->format && i == 0;
    if (op->kind == TPL_OP_NIL) {
        *out = (go_val){.kind = GO_NIL};
        return !format || fail(r, at(op), "cannot assign nil to string");
    }
    if (format && op->kind == TPL_OP_CONSTANT && op->value.kind != GO_STRING)
        return fail(r, at(op), "expected string; found %.*s", VS_FMT(vs_span_head(op->source, 60)));
    return operand(r, op, dot, false, out) && check_argument(r, f, at(op), i, out);
}

/* and, or: the first argument that decides, or the last; those behind it are not evaluated. */
static bool decide(runner *r, const tpl_function *f, const tpl_command *c, go_val dot,
                   const go_val *piped, go_val *out)
{
    bool stop = f->name[0] == 'o';
    for (size_t i = 1; c && i < c->n; i++) {
        if (!argument(r, f, &c->args[i], i - 1, dot, out))
            return false;
        if (tpl_truth(*out) == stop)
            return true;
    }
    if (piped)
        *out = *piped;
    return true;
}

/* A call with the arguments of `c` (NULL: none) and the value of the stage before. */
static bool function(runner *r, const tpl_command *c, const tpl_operand *name, go_val dot,
                     const go_val *piped, go_val *out)
{
    const tpl_function *f = tpl_function_named(name->name);
    size_t given = c ? c->n - 1 : 0, n = given + (piped != NULL);
    if (n < f->least && f->more)
        return fail(r, at(name), "wrong number of args for %s: want at least %u got %zu", f->name,
                    f->least, n);
    if (n != f->least && !f->more)
        return fail(r, at(name), "wrong number of args for %s: want %u got %zu", f->name, f->least,
                    n);
    if (!rego_charge(r->b, 2 + n))
        return limit(r);
    if (!f->call)
        return decide(r, f, c, dot, piped, out);
    go_val *args = vs_alloc_array(r->b->a, n, sizeof *args);
    if (!args)
        return limit(r);
    for (size_t i = 0; i < given; i++)
        if (!argument(r, f, &c->args[i + 1], i, dot, &args[i]))
            return false;
    if (piped) {
        args[given] = *piped;
        if (!check_argument(r, f, at(name), given, &args[given]))
            return false;
    }
    tpl_call call = {.b = r->b, .args = args, .n = n};
    *out = f->call(&call);
    place where = at(name);
    where.source = c ? c->source : where.source;
    if (r->b->a->failed)
        return limit(r);
    if (call.error)
        return fail(r, where, "error calling %s: %s", f->name, call.error);
    uint64_t work = go_is_text(*out) ? out->u.s.n / 16 : 0;
    return rego_charge(r->b, work) || limit(r);
}

static bool command(runner *r, const tpl_command *c, go_val dot, const go_val *piped, go_val *out)
{
    const tpl_operand *first = &c->args[0];
    if (first->kind == TPL_OP_FUNCTION)
        return function(r, c, first, dot, piped, out);
    return operand(r, first, dot, c->n > 1 || piped, out);
}

static bool pipeline(runner *r, const tpl_pipe *p, go_val dot, go_val *out)
{
    bool piped = false;
    const tpl_command *last = p->commands;
    for (const tpl_command *c = p->commands; c; c = c->next, piped = true) {
        go_val before = *out;
        if (!command(r, c, dot, piped ? &before : NULL, out))
            return false;
        *out = tpl_unbox(*out);
        last = c;
    }
    for (size_t i = 0; i < p->n_names; i++)
        if (p->assign ? !assign(r, at(&last->args[0]), p->names[i], *out)
                      : !push(r, p->names[i], *out))
            return false;
    return true;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static run_end list(runner *r, const tpl_node *n, go_val dot);

static run_end conditional(runner *r, const tpl_node *n, go_val dot)
{
    size_t variables = r->n_variables;
    go_val v = {.kind = GO_NIL};
    if (!pipeline(r, n->pipe, dot, &v))
        return RUN_FAILED;
    run_end end = tpl_truth(v) ? list(r, n->body, n->kind == TPL_N_WITH ? v : dot)
                               : list(r, n->otherwise, dot);
    r->n_variables = variables;
    return end;
}

/* One turn of a loop. The variables were pushed, or assigned to, by the pipeline. */
static run_end turn(runner *r, const tpl_node *n, go_val key, go_val value)
{
    const tpl_pipe *p = n->pipe;
    size_t variables = r->n_variables;
    place where = {n->line, n->column, VS_LIT("range")};
    for (size_t i = 0; i < p->n_names; i++) {
        go_val v = i + 1 == p->n_names ? value : key;
        if (p->assign) {
            if (!assign(r, where, p->names[i], v))
                return RUN_FAILED;
        } else {
            r->variables[variables - p->n_names + i].value = v;
        }
    }
    run_end end = list(r, n->body, value);
    r->n_variables = variables;
    if (end == RUN_FAILED || !rego_charge(r->b, 1))
        return failed(limit(r));
    return end;
}

static run_end over_numbers(runner *r, const tpl_node *n, go_val count, bool *any)
{
    for (int64_t i = 0; i < count.u.i; i++) {
        go_val v = {.kind = count.kind, .u.i = i};
        *any = true;
        run_end end = turn(r, n, v, v);
        if (end == RUN_BREAK || end == RUN_FAILED)
            return end;
    }
    return RUN_OK;
}

static run_end over_members(runner *r, const tpl_node *n, vs_val members, bool *any)
{
    for (uint32_t i = 0; i < members.len; i++) {
        bool map = members.kind == VS_OBJECT;
        go_val key = map ? go_string(vs_text(members.u.pairs[i].key)) : go_int(i);
        vs_val member = map ? members.u.pairs[i].val : members.u.items[i];
        *any = true;
        run_end end = turn(r, n, key, go_of_json(r->b->a, member));
        if (end == RUN_BREAK || end == RUN_FAILED)
            return end;
    }
    return RUN_OK;
}

static run_end loop(runner *r, const tpl_node *n, go_val dot)
{
    size_t variables = r->n_variables;
    go_val v = {.kind = GO_NIL};
    bool any = false;
    run_end end = RUN_OK;
    if (!pipeline(r, n->pipe, dot, &v))
        return RUN_FAILED;
    const tpl_operand *op = &n->pipe->commands->args[0];
    bool number = v.kind == GO_INT || v.kind == GO_BYTE;
    if (number && n->pipe->n_names > 1)
        return failed(fail(r, at(op), "can't use %lld to iterate over more than one variable",
                           (long long)v.u.i));
    if (number)
        end = over_numbers(r, n, v, &any);
    else if (v.kind == GO_SLICE || v.kind == GO_MAP)
        end = over_members(r, n, v.u.val, &any);
    else if (v.kind != GO_NIL)
        return failed(fail(r, at(op), "range can't iterate over a value of type %s", go_type(v)));
    if (end != RUN_FAILED)
        end = any ? RUN_OK : list(r, n->otherwise, dot);
    r->n_variables = variables;
    return end;
}

/* {{template "name" pipe}} */
static run_end call(runner *r, const tpl_node *n, go_val dot)
{
    const tpl_tree *tree = tpl_find(r->trees, n->text), *outer = r->now;
    size_t variables = r->n_variables, first = r->first_variable;
    go_val v = {.kind = GO_NIL};
    place where = {n->line, n->column, n->text};
    if (!tree)
        return failed(
            fail(r, where, "template \"%.*s\" not defined", VS_FMT(vs_span_head(n->text, 60))));
    if (++r->calls > TPL_CALLS_MAX || !rego_charge(r->b, 4))
        return failed(limit(r));
    if (n->pipe && !pipeline(r, n->pipe, dot, &v))
        return RUN_FAILED;
    if (!push(r, VS_LIT("$"), v))
        return RUN_FAILED;
    r->first_variable = r->n_variables - 1;
    r->now = tree;
    run_end end = list(r, tree->body, v);
    r->now = outer;
    r->first_variable = first;
    r->n_variables = variables;
    r->calls--;
    return end;
}

/* A value as output; one that sets variables prints nothing. */
static run_end print(runner *r, const tpl_node *n, go_val dot)
{
    go_val v = {.kind = GO_NIL};
    if (!pipeline(r, n->pipe, dot, &v))
        return RUN_FAILED;
    if (n->pipe->n_names)
        return RUN_OK;
    size_t before = r->out->n;
    if (v.kind == GO_NIL)
        vs_buf_puts(r->out, "<no value>");
    else
        go_print(r->out, r->b->a, &v, 1);
    return rego_charge(r->b, (r->out->n - before) / 16) ? RUN_OK : failed(limit(r));
}

static run_end node(runner *r, const tpl_node *n, go_val dot)
{
    switch (n->kind) {
    case TPL_N_TEXT: vs_buf_put(r->out, n->text); return RUN_OK;
    case TPL_N_PIPE: return print(r, n, dot);
    case TPL_N_IF:
    case TPL_N_WITH: return conditional(r, n, dot);
    case TPL_N_RANGE: return loop(r, n, dot);
    case TPL_N_CALL: return call(r, n, dot);
    case TPL_N_BREAK: return RUN_BREAK;
    case TPL_N_CONTINUE: return RUN_CONTINUE;
    }
    return RUN_OK;
}

static run_end list(runner *r, const tpl_node *n, go_val dot)
{
    run_end end = RUN_OK;
    if (++r->depth > 2 * TPL_CALLS_MAX)
        return failed(limit(r));
    for (; n && end == RUN_OK; n = n->next) {
        uint64_t work = 2 + (n->kind == TPL_N_TEXT ? n->text.n / 16 : 0);
        if (!rego_charge(r->b, work) || !vs_buf_ok(r->out) || r->b->a->failed)
            return failed(limit(r));
        end = node(r, n, dot);
    }
    r->depth--;
    return end;
}

rego_bres tpl_execute(rego_bctx *b, const tpl_tree *trees, vs_val data, vs_buf *out)
{
    runner r = {.b = b, .trees = trees, .out = out};
    go_val dot = tpl_unbox(go_of_json(b->a, data));
    r.now = tpl_find(trees, VS_LIT("template"));
    if (!push(&r, VS_LIT("$"), dot) || list(&r, r.now->body, dot) == RUN_FAILED)
        return r.failed;
    return vs_buf_ok(out) && !b->a->failed ? REGO_B_OK : REGO_B_LIMIT;
}
