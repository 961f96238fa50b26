/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Type errors that show in the text (rego.md 8): a builtin that can never accept its argument, a
 * pattern that can never match. What a term may be is a set of kinds; what comes from input, data,
 * rules and functions may be anything.
 */
#include <stdio.h>

#include "rego/compile.h"

typedef uint8_t kinds; /* bit = 1 << vs_kind */

#define KIND(k) ((kinds)(1u << (k)))
enum { ANYTHING = 0xfe, COLLECTION = 1 << VS_ARRAY | 1 << VS_OBJECT | 1 << VS_SET };

typedef struct checker {
    compiler *k;
    const module *m;
    kinds *vars; /* by variable */
    bool mocked; /* functions are replaced here: nothing is known about calls */
    bool every;  /* directly in the body of `every`, whose expressions OPA does not check */
} checker;

/* ---- signatures in builtins.def ----------------------------------------------------------------
 */

static kinds kind_of_letter(char c)
{
    switch (c) {
    case '0': return KIND(VS_NULL);
    case 'b': return KIND(VS_BOOL);
    case 'n': return KIND(VS_NUMBER);
    case 's': return KIND(VS_STRING);
    case 'a': return KIND(VS_ARRAY);
    case 'o': return KIND(VS_OBJECT);
    case 'S': return KIND(VS_SET);
    default: return ANYTHING;
    }
}

/* "n" or "[aS]" at *at; moves on behind it and the comma. */
static kinds next_kinds(const char **at)
{
    kinds all = 0;
    for (const char *p = *at;; p++) {
        if (*p == ',' || *p == 0) {
            *at = *p ? p + 1 : p;
            return all;
        }
        if (*p != '[' && *p != ']')
            all |= kind_of_letter(*p);
    }
}

unsigned rego_builtin_arity(const rego_builtin *b)
{
    unsigned n = 0;
    if (b->args[0] == '*')
        return REGO_VARIADIC;
    for (const char *at = b->args; *at; n++)
        (void)next_kinds(&at);
    return n;
}

/* "number", "one of {array, set}" */
static const char *describe(kinds k, char *out, size_t cap)
{
    size_t n = 0;
    bool several = (k & (k - 1)) != 0;
    n += (size_t)snprintf(out, cap, "%s", several ? "one of {" : "");
    const char *comma = "";
    for (unsigned i = VS_NULL; i <= VS_SET && n < cap; i++)
        if (k & KIND(i)) {
            n += (size_t)snprintf(out + n, cap - n, "%s%s", comma, vs_kind_name((vs_kind)i));
            comma = ", ";
        }
    if (several && n < cap)
        (void)snprintf(out + n, cap - n, "}");
    return out;
}

/* ---- what a term may be ------------------------------------------------------------------------
 */

static kinds kinds_of(const checker *c, const term *t)
{
    switch (t->kind) {
    case T_SCALAR: return KIND(t->scalar.kind);
    case T_VAR: return t->var >= 0 ? c->vars[t->var] : ANYTHING;
    case T_ARRAY:
    case T_ARRAY_COMPR: return KIND(VS_ARRAY);
    case T_SET:
    case T_SET_COMPR: return KIND(VS_SET);
    case T_OBJECT:
    case T_OBJECT_COMPR: return KIND(VS_OBJECT);
    case T_TEMPLATE: return KIND(VS_STRING);
    case T_CALL:
        if (t->call == CALL_BUILTIN && t->builtin && !c->mocked &&
            !(t->builtin->flags & REGO_BF_RELATION)) {
            const char *result = t->builtin->result;
            return next_kinds(&result);
        }
        return ANYTHING;
    default: return ANYTHING;
    }
}

static void mismatch(checker *c, const term *a, const term *b)
{
    char x[80], y[80];
    comp_error(c->k->c, REGO_TYPE_ERROR, c->m, &a->at, "match error: left is %s, right is %s",
               describe(kinds_of(c, a), x, sizeof x), describe(kinds_of(c, b), y, sizeof y));
}

/* ---- patterns ----------------------------------------------------------------------------------
 */

static const term *member(const term *object, vs_val key)
{
    for (size_t i = 0; i < object->n; i += 2)
        if (object->items[i]->kind != T_SCALAR || vs_eq(object->items[i]->scalar, key))
            return object->items[i + 1];
    return NULL;
}

static bool is_composite(const term *t)
{
    return t->kind == T_ARRAY || t->kind == T_OBJECT;
}

/* The first pair of terms that can never be equal; false when there is none. Comparing scalars with
 * something else is a mistake too, but one that Trustee lets pass: false, at evaluation. */
static bool clash(const checker *c, const term *a, const term *b, unsigned depth, const term **left,
                  const term **right)
{
    bool strict = c->k->opts->strict_types;
    *left = a;
    *right = b;
    if (depth == 0)
        return false;
    if ((kinds_of(c, a) & kinds_of(c, b)) == 0)
        return strict || (is_composite(a) && is_composite(b));
    if (!is_composite(a) || !is_composite(b))
        return false;
    if (a->n != b->n)
        return true;
    for (size_t i = 0; i < a->n; i++) {
        const term *x = a->items[i], *y = b->items[i];
        if (a->kind == T_OBJECT) {
            if (i % 2 || x->kind != T_SCALAR)
                continue;
            y = member(b, x->scalar);
            if (!y)
                return true;
            x = a->items[i + 1];
        }
        if (clash(c, x, y, depth - 1, left, right))
            return true;
    }
    return false;
}

enum { PATTERN_DEPTH = 64 };

static void check_match(checker *c, const term *a, const term *b)
{
    const term *left, *right;
    if (clash(c, a, b, PATTERN_DEPTH, &left, &right))
        mismatch(c, left, right);
}

/* some pattern in collection: one of the elements written there must be able to match. */
static void check_some(checker *c, const literal *l)
{
    const term *left = NULL, *right = NULL;
    char text[80];
    if ((kinds_of(c, l->c) & COLLECTION) == 0) {
        if (c->k->opts->strict_types) /* OPA: it has no elements */
            return;
        comp_error(c->k->c, REGO_TYPE_ERROR, c->m, &l->c->at,
                   "`some .. in` needs an array, object or set, not %s",
                   describe(kinds_of(c, l->c), text, sizeof text));
        return;
    }
    if ((l->c->kind != T_ARRAY && l->c->kind != T_SET) || l->c->n == 0)
        return;
    for (size_t i = 0; i < l->c->n; i++)
        if (!clash(c, l->b, l->c->items[i], PATTERN_DEPTH, &left, &right))
            return;
    mismatch(c, left, right);
}

/* ---- walking -----------------------------------------------------------------------------------
 */

static void check_body(checker *c, const body *b);
static void check_term(checker *c, const term *t);

static void check_call(checker *c, const term *t)
{
    if (t->call != CALL_BUILTIN || !t->builtin || c->mocked || c->every ||
        t->builtin->args[0] == '*')
        return;
    const char *at = t->builtin->args;
    for (size_t i = 1; i < t->n && *at; i++) {
        kinds want = next_kinds(&at), have = kinds_of(c, t->items[i]);
        char x[80], y[80];
        if ((want & have) == 0)
            comp_error(c->k->c, REGO_TYPE_ERROR, c->m, &t->items[i]->at,
                       "%s: invalid argument(s): operand %zu must be %s but is %s",
                       t->builtin->name, i, describe(want, x, sizeof x),
                       describe(have, y, sizeof y));
    }
    if (c->k->opts->strict_types && t->n == 3 && vs_span_is(t->name, "equal"))
        check_match(c, t->items[1], t->items[2]);
}

static void check_terms(checker *c, term *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_term(c, items[i]);
}

static void check_term(checker *c, const term *t)
{
    if (!t || c->k->c->failed)
        return;
    bool every = c->every;
    c->every = every && !t->body;
    if (t->body)
        check_body(c, t->body);
    if (t->kind == T_CALL) {
        check_terms(c, t->items + 1, t->n - 1);
        check_call(c, t);
    } else {
        check_terms(c, t->items, t->n);
    }
    c->every = every;
}

static bool replaces_functions(const literal *l)
{
    for (size_t i = 0; i < l->n_with; i++)
        if (l->with[i].target->kind == T_CALL)
            return true;
    return false;
}

static void check_literal(checker *c, const literal *l)
{
    bool mocked = c->mocked;
    c->mocked |= replaces_functions(l);
    check_term(c, l->a);
    check_term(c, l->b);
    check_term(c, l->c);
    if ((l->kind == L_UNIFY || l->kind == L_ASSIGN) && !c->every)
        check_match(c, l->a, l->b);
    if (l->kind == L_ASSIGN && l->a->kind == T_VAR && l->a->var >= 0)
        c->vars[l->a->var] = kinds_of(c, l->b);
    if (l->kind == L_IN)
        check_some(c, l);
    bool every = c->every;
    c->every |= l->kind == L_EVERY && c->k->opts->strict_types;
    if (l->body)
        check_body(c, l->body);
    c->mocked = mocked;
    c->every = every;
}

static void check_body(checker *c, const body *b)
{
    for (size_t i = 0; i < b->n && !c->k->c->failed; i++)
        check_literal(c, b->items[i]);
}

static bool start(checker *c, compiler *k, const module *m, const unit *u)
{
    *c = (checker){.k = k, .m = m, .vars = vs_alloc(k->c->a, u->n + 1)};
    if (c->vars)
        memset(c->vars, ANYTHING, u->n + 1);
    return c->vars != NULL && !k->opts->no_type_check;
}

void check_def_types(compiler *k, const def *d, const unit *u)
{
    checker c;
    for (; d && !k->c->failed && start(&c, k, d->mod, u); d = d->else_def) {
        if (d->body)
            check_body(&c, d->body);
        check_terms(&c, d->keys, d->n_keys);
        check_term(&c, d->key);
        check_term(&c, d->value);
    }
}

void check_query_types(compiler *k, const module *m, const body *b, const unit *u)
{
    checker c;
    if (start(&c, k, m, u))
        check_body(&c, b);
}
