/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an evaluation noted, as values: texts of expressions, paths, values cut to size. A report is
 * bounded as a whole; texts and values that no longer fit are left out.
 */
#include "rego/explain.h"

#include "base/enc.h"
#include "value/json.h"

enum {
    FAILURES_MAX = 64,
    HELD_MAX = 32,
    VALUE_MAX = 4096, /* of rego_eval_explain */
    TEXT_MAX = 4096,
    REPORT_MAX = 1 << 20
};

typedef struct report {
    const rego_eval *e;
    const explanation *x;
    vs_arena *a;
    size_t value_max, left;
    bool *wanted; /* by group */
    bool all;
} report;

/* ---- texts and values --------------------------------------------------------------------------
 */

static vs_val bounded_text(report *r, vs_span text)
{
    if (text.n > TEXT_MAX)
        text = vs_span_head(text, TEXT_MAX);
    if (text.n > r->left)
        return vs_cstring("...");
    r->left -= text.n;
    return vs_string_dup(r->a, text);
}

static vs_val source(report *r, uint16_t mod, uint32_t start, uint32_t end)
{
    if (mod >= r->e->p->n_mods || end <= start)
        return vs_cstring("");
    return bounded_text(r, vs_span_head(vs_span_from(r->e->p->mod_texts[mod], start), end - start));
}

/* The beginning of a string, without a character that the cut would split. */
static vs_val cut(const report *r, vs_val v)
{
    if (v.kind != VS_STRING)
        return vs_cstring(
            vs_sprintf(r->a, "<%s with %u members>", vs_kind_name((vs_kind)v.kind), v.len));
    vs_span head = vs_span_head(vs_text(v), r->value_max < v.len ? r->value_max : v.len);
    for (unsigned i = 0; i < 4 && head.n && !vs_utf8_ok(head); i++)
        head.n--;
    return vs_cstring(vs_sprintf(r->a, "%.*s...", VS_FMT(head)));
}

/* Undefined when values are not wanted, or no longer. */
static vs_val bounded(report *r, vs_val v)
{
    if (r->value_max == 0 || !vs_defined(v))
        return vs_undefined();
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(r->value_max);
    vs_json_print(&text, v);
    size_t n = vs_buf_ok(&text) ? text.n : r->value_max;
    if (n > r->left)
        return vs_undefined();
    r->left -= n;
    return vs_buf_ok(&text) ? vs_copy(r->a, v) : cut(r, v);
}

static void put_operand(report *r, vs_vec *operands, vs_val path, vs_val v)
{
    vs_obj o = {.a = r->a};
    vs_obj_put(&o, "path", path);
    vs_obj_opt(&o, "value", bounded(r, v));
    if (!vs_defined(v))
        vs_obj_put(&o, "exists", vs_bool(false));
    vs_vec_add(operands, vs_obj_end(&o, VS_DUP_LAST, NULL));
}

/* ---- one expression that failed ----------------------------------------------------------------
 */

static const char *result_of(const attempt *t)
{
    opcode op = (opcode)t->c->at[t->t.pc].op;
    return (op >= OP_TRUTHY && op <= OP_IN) || op == OP_FAIL ? "false" : "undefined";
}

static void put_failure(report *r, vs_obj *o, const attempt *t)
{
    const debug *d = &t->c->dbg[t->t.pc];
    vs_vec operands = {.a = r->a};
    if (d->l_end)
        put_operand(r, &operands, source(r, d->mod, d->l_start, d->l_end), t->t.l);
    if (d->r_end)
        put_operand(r, &operands, source(r, d->mod, d->r_start, d->r_end), t->t.r);
    vs_obj_put(o, "row", vs_int(d->row));
    vs_obj_put(o, "text", source(r, d->mod, d->start, d->end));
    vs_obj_put(o, "result", vs_cstring(result_of(t)));
    vs_obj_put(o, "operands", vs_vec_end_array(&operands));
}

static bool has_failed(const attempt *t)
{
    return t->ended && !t->t.succeeded && t->t.pc;
}

vs_val rego_eval_explain(rego_eval *e, const char *rule, vs_arena *a)
{
    report r = {.e = e, .x = e->why, .a = a, .value_max = VALUE_MAX, .left = REPORT_MAX};
    vs_vec all = {.a = a};
    for (size_t i = 0; r.x && i < r.x->n && all.n < FAILURES_MAX; i++) {
        const attempt *t = &r.x->attempts[i];
        const char *name = t->g ? t->g->name : "query";
        if (!has_failed(t) || (rule && (!t->g || strcmp(name, rule) != 0)))
            continue;
        vs_obj o = {.a = a};
        vs_obj_put(&o, "rule", vs_cstring(name));
        put_failure(&r, &o, t);
        vs_vec_add(&all, vs_obj_end(&o, VS_DUP_LAST, NULL));
    }
    return vs_vec_end_array(&all);
}

/* ---- which rules belong to the answer: the one asked for, and what it used ---------------------
 */

/* "data.a.b" is asked for by itself, by a document above it and by a member of it. */
static bool is_asked(const char *rule, const char *name)
{
    size_t n = strlen(rule), m = strlen(name), common = n < m ? n : m;
    const char *longer = n < m ? name : rule;
    return strncmp(rule, name, common) == 0 && (n == m || strchr(".[", longer[common]));
}

static bool lies_below(vs_val path, vs_val below)
{
    if (path.len > below.len)
        return false;
    for (uint32_t i = 0; i < path.len; i++)
        if (!vs_eq(path.u.items[i], below.u.items[i]))
            return false;
    return true;
}

static bool is_wanted(const report *r, const group *g)
{
    return r->all || (g && r->wanted[g->id]);
}

/* True when something was added. */
static bool follow(report *r, const read_note *note)
{
    const rego_program *p = r->e->p;
    bool more = false;
    if (note->kind == READ_RULE) {
        more = !r->wanted[note->id];
        r->wanted[note->id] = true;
    }
    for (size_t i = 0; note->kind == READ_DATA && note->id && i < p->n_groups; i++) {
        if (!r->wanted[i] && lies_below(p->nodes[note->id - 1]->path, p->groups[i]->path))
            r->wanted[i] = more = true;
    }
    return more;
}

static void choose(report *r, const char *rule)
{
    const rego_program *p = r->e->p;
    r->all = rule == NULL;
    r->wanted = vs_zalloc(r->a, p->n_groups + 1);
    bool *followed = vs_zalloc(r->a, r->x->n_reads + 1), more = rule && r->wanted && followed;
    for (size_t i = 0; more && i < p->n_groups; i++)
        r->wanted[p->groups[i]->id] = is_asked(rule, p->groups[i]->name);
    while (more) {
        more = false;
        for (size_t i = 0; i < r->x->n_reads; i++) {
            if (followed[i] || !is_wanted(r, r->x->reads[i].by))
                continue;
            followed[i] = true;
            more |= follow(r, &r->x->reads[i]);
        }
    }
}

/* ---- definitions -------------------------------------------------------------------------------
 */

static bool contains(const debug *outer, const debug *inner)
{
    return outer->start <= inner->start && inner->end <= outer->end;
}

/* Adds an expression of the source to those known, of which none holds another. */
static void add_expression(const debug **known, size_t *n, const debug *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (contains(known[i], d))
            return;
    for (size_t i = 0; i < *n; i++)
        if (!contains(d, known[i]))
            known[kept++] = known[i];
    if (kept < HELD_MAX)
        known[kept++] = d;
    *n = kept;
}

/* The expressions before the one that failed. Code stands in the order of evaluation. */
static vs_val held(report *r, const attempt *t)
{
    const debug *known[HELD_MAX], *def = &t->c->dbg[t->t.def_pc];
    const debug *failed = has_failed(t) ? &t->c->dbg[t->t.pc] : NULL;
    size_t n = 0, end = failed ? t->t.pc : t->t.succeeded ? t->c->n : 0;
    for (size_t pc = t->t.def_pc + 1; pc < end && t->c->at[pc].op != OP_DEF; pc++) {
        const debug *d = &t->c->dbg[pc];
        bool in_body = d->end > d->start && !contains(d, def);
        if (in_body && !(failed && (contains(failed, d) || contains(d, failed))))
            add_expression(known, &n, d);
    }
    vs_vec out = {.a = r->a};
    for (size_t i = 0; i < n; i++) {
        vs_obj o = {.a = r->a};
        vs_obj_put(&o, "row", vs_int(known[i]->row));
        vs_obj_put(&o, "text", source(r, known[i]->mod, known[i]->start, known[i]->end));
        vs_vec_add(&out, vs_obj_end(&o, VS_DUP_LAST, NULL));
    }
    return vs_vec_end_array(&out);
}

static unsigned depth_of(const report *r, const attempt *t)
{
    unsigned depth = 0;
    for (uint32_t i = t->outer; i != NO_ATTEMPT; i = r->x->attempts[i].outer)
        depth += is_wanted(r, r->x->attempts[i].g);
    return depth;
}

static vs_val definition(report *r, const attempt *t)
{
    const debug *d = &t->c->dbg[t->t.def_pc];
    vs_obj o = {.a = r->a};
    vs_obj_put(&o, "rule", vs_cstring(t->g ? t->g->name : "query"));
    if (d->mod < r->e->p->n_mods)
        vs_obj_put(&o, "file", bounded_text(r, vs_str(r->e->p->mod_names[d->mod])));
    vs_obj_put(&o, "row", vs_int(d->row));
    vs_obj_put(&o, "depth", vs_int(depth_of(r, t)));
    vs_obj_put(&o, "held", held(r, t));
    vs_obj_put(&o, "succeeded", vs_bool(t->t.succeeded));
    if (has_failed(t)) {
        vs_obj failed = {.a = r->a};
        put_failure(r, &failed, t);
        vs_obj_put(&o, "failed", vs_obj_end(&failed, VS_DUP_LAST, NULL));
    }
    if (!t->ended)
        vs_obj_put(&o, "error", vs_bool(true));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

/* ---- what was consulted ------------------------------------------------------------------------
 */

static bool is_name(vs_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], low = c | 0x20;
        if (!(low >= 'a' && low <= 'z') && c != '_' && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return s.n > 0;
}

/* A key that does not stand in the policy is a value, and treated like one. */
static void put_key(report *r, vs_buf *out, const read_note *note, uint32_t i)
{
    vs_val key = note->keys.u.items[i];
    bool fixed = i < 32 && note->fixed >> i & 1;
    if (!fixed)
        key = bounded(r, key);
    if (vs_defined(key))
        vs_json_print(out, key);
    else
        vs_buf_putc(out, '_');
}

static void print_path(report *r, vs_buf *out, const read_note *note, uint32_t n)
{
    vs_buf_puts(out, note->kind == READ_INPUT ? "input" : "data");
    for (uint32_t i = 0; i < n; i++) {
        vs_val key = note->keys.u.items[i];
        if (i < 32 && note->fixed >> i & 1 && is_name(vs_text(key))) {
            vs_buf_printf(out, ".%.*s", VS_FMT(vs_text(key)));
            continue;
        }
        vs_buf_putc(out, '[');
        put_key(r, out, note, i);
        vs_buf_putc(out, ']');
    }
}

static void put_call(report *r, vs_buf *out, const read_note *note)
{
    vs_buf_printf(out, "%s(", r->e->p->hosts[note->id].name);
    for (uint32_t i = 0; i < note->keys.len; i++) {
        vs_buf_puts(out, i ? ", " : "");
        put_key(r, out, note, i);
    }
    vs_buf_putc(out, ')');
}

static vs_val path_text(report *r, const read_note *note, uint32_t n)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(REPORT_MAX);
    if (note->kind == READ_HOST)
        put_call(r, &out, note);
    else
        print_path(r, &out, note, n);
    return bounded_text(r, vs_buf_span(&out));
}

/* How many keys of the path lead somewhere. */
static uint32_t present_keys(const report *r, const read_note *note)
{
    vs_val doc = note->kind == READ_INPUT ? r->e->input : r->e->data;
    uint32_t n = 0;
    while (n < note->keys.len && vs_defined(doc))
        doc = vs_index(doc, note->keys.u.items[n++]);
    return vs_defined(doc) ? n : n - (n > 0);
}

static vs_val consulted(report *r, const read_note *note)
{
    bool exists = vs_defined(note->value);
    vs_obj o = {.a = r->a};
    vs_obj_put(&o, "path", path_text(r, note, note->keys.len));
    vs_obj_put(&o, "exists", vs_bool(exists));
    vs_obj_opt(&o, "value", bounded(r, note->value));
    if (!exists && note->kind != READ_HOST && !note->replaced) {
        uint32_t n = present_keys(r, note);
        if (n + 1 < note->keys.len) /* not only the last key is missing */
            vs_obj_put(&o, "missing_from", path_text(r, note, n + 1));
    }
    if (note->replaced)
        vs_obj_put(&o, "replaced", vs_bool(true));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static bool by_path(const report *r, size_t i)
{
    const read_note *a = &r->x->reads[i];
    for (size_t k = 0; k < i; k++) {
        const read_note *b = &r->x->reads[k];
        if (is_wanted(r, b->by) && a->kind == b->kind && a->replaced == b->replaced &&
            vs_eq(a->keys, b->keys) && vs_eq(a->value, b->value) &&
            (a->kind != READ_HOST || a->id == b->id))
            return false; /* another rule has read it as well */
    }
    return true;
}

vs_val rego_eval_report(rego_eval *e, const char *rule, size_t value_max, vs_arena *a)
{
    report r = {.e = e, .x = e->why, .a = a, .value_max = value_max, .left = REPORT_MAX};
    if (!r.x)
        return vs_undefined();
    choose(&r, rule);
    if (!r.wanted)
        return vs_undefined();
    vs_vec definitions = {.a = a}, paths = {.a = a};
    for (size_t i = 0; i < r.x->n; i++)
        if (is_wanted(&r, r.x->attempts[i].g))
            vs_vec_add(&definitions, definition(&r, &r.x->attempts[i]));
    for (size_t i = 0; i < r.x->n_reads; i++) {
        const read_note *note = &r.x->reads[i];
        if (note->kind != READ_RULE && is_wanted(&r, note->by) && by_path(&r, i))
            vs_vec_add(&paths, consulted(&r, note));
    }
    vs_obj o = {.a = a};
    if (rule)
        vs_obj_put(&o, "rule", vs_string_dup(a, vs_str(rule)));
    vs_obj_put(&o, "definitions", vs_vec_end_array(&definitions));
    vs_obj_put(&o, "consulted", vs_vec_end_array(&paths));
    vs_obj_put(&o, "omitted", vs_int((int64_t)r.x->lost));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}
