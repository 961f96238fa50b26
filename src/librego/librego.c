/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of the engine: include/rego/rego.h on top of rego/engine.h. */
#include "../../include/rego/rego.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rego/engine.h"
#include "value/json.h"
#include "value/number.h"

enum { TEXT_MAX = 64 << 20, DOCUMENT_MAX = 256 << 20, FUNCTIONS_MAX = 256 };
enum { VALUE_SHOWN = 4096 };

struct rego_policy {
    rego_program *program;
    rego_host_decl *decls;
    rego_host_function *functions;
    char *names; /* of the functions */
    size_t n_functions;
    atomic_uint refs;
};

typedef struct document {
    vs_arena a;
    vs_val v;
} document;

struct rego_context {
    rego_policy *policy;
    rego_eval *eval;
    document input, data;
    rego_inputs in;
    bool begun, has_time;
    size_t shown; /* bytes of a value in an explanation */
    void (*print)(void *user, const char *line, size_t size);
    void *print_user;
    vs_arena texts; /* JSON given out; emptied with the evaluation */
};

struct rego_answer {
    vs_arena *a;
    vs_val value;
    bool failed;
    char why[256];
};

const char *rego_version(void)
{
    return "1.0.0";
}

/* ---- failures ----------------------------------------------------------------------------------
 */

static void clear(rego_failure *why)
{
    if (why)
        *why = (rego_failure){0};
}

static rego_result fail(rego_failure *why, rego_result res, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    if (why)
        (void)snprintf(why->message, sizeof why->message, "%s",
                       vs_error_text(err, text, sizeof text));
    return res;
}

static rego_result out_of_memory(rego_failure *why)
{
    if (why)
        (void)snprintf(why->message, sizeof why->message, "out of memory");
    return REGO_OUT_OF_MEMORY;
}

static void tell(rego_failure *why, const rego_diag *d)
{
    if (!why)
        return;
    (void)snprintf(why->code, sizeof why->code, "%s", rego_errcode_name(d->code));
    (void)snprintf(why->file, sizeof why->file, "%s", d->file);
    (void)snprintf(why->message, sizeof why->message, "%s", d->message);
    why->row = d->row;
    why->col = d->col;
}

static rego_result result_of(const rego_diag *d)
{
    switch (d->code) {
    case REGO_PARSE_ERROR:
    case REGO_COMPILE_ERROR:
    case REGO_TYPE_ERROR:
    case REGO_UNSAFE_VAR_ERROR: return REGO_BAD_POLICY;
    case REGO_EVAL_LIMIT: return REGO_OVER_LIMIT;
    default: return REGO_FAILED;
    }
}

/* ---- policies ----------------------------------------------------------------------------------
 */

static void excerpt(rego_failure *why, const rego_diag *d, const rego_module *mods, size_t n)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(sizeof why->excerpt - 1);
    for (size_t i = 0; why && i < n; i++)
        if (strcmp(mods[i].name, d->file) == 0)
            rego_diag_excerpt(d, mods[i].text, &text);
    if (why && vs_buf_ok(&text) && text.n)
        memcpy(why->excerpt, text.p, text.n);
}

/* Copies of the host functions: the engine keeps pointers to their names. */
static bool keep_functions(rego_policy *p, const rego_config *config)
{
    size_t n = config->n_functions, size = 0;
    for (size_t i = 0; i < n; i++)
        size += strlen(config->functions[i].name) + 1;
    p->functions = calloc(n + 1, sizeof *p->functions);
    p->decls = calloc(n + 1, sizeof *p->decls);
    p->names = malloc(size + 1);
    if (!p->functions || !p->decls || !p->names)
        return false;
    char *at = p->names;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(config->functions[i].name) + 1;
        memcpy(at, config->functions[i].name, len);
        p->functions[i] = config->functions[i];
        p->functions[i].name = at;
        p->decls[i] = (rego_host_decl){at, config->functions[i].arity};
        at += len;
    }
    p->n_functions = n;
    return true;
}

static rego_result compile(rego_policy *p, const rego_source *sources, size_t n,
                           const rego_config *config, rego_failure *why)
{
    rego_module *mods = calloc(n + 1, sizeof *mods);
    rego_diag d = {0};
    vs_error err = {0};
    if (!mods || !keep_functions(p, config)) {
        free(mods);
        return out_of_memory(why);
    }
    for (size_t i = 0; i < n; i++)
        mods[i] = (rego_module){.name = sources[i].name ? sources[i].name : "",
                                .text = vs_span_of(sources[i].text, sources[i].size),
                                .v0 = sources[i].v0};
    rego_options opts = {.hosts = p->decls,
                         .n_hosts = p->n_functions,
                         .nonstrict_builtin_errors = config->lenient_builtins,
                         .strict_types = config->strict_types,
                         .legacy_not = config->legacy_not,
                         .query = config->query ? vs_str(config->query) : vs_span_of(NULL, 0)};
    vs_code code = rego_compile(mods, n, &opts, &p->program, &d, &err);
    rego_result res = REGO_DONE;
    if (code != VS_OK) {
        res = code == VS_E_NOMEM ? REGO_OUT_OF_MEMORY : REGO_BAD_POLICY;
        (void)fail(why, res, &err);
        if (d.code != REGO_OK)
            tell(why, &d);
        excerpt(why, &d, mods, n);
    }
    free(mods);
    return res;
}

rego_result rego_policy_new(const rego_source *sources, size_t n, const rego_config *config,
                            rego_policy **out, rego_failure *why)
{
    static const rego_config none;
    clear(why);
    *out = NULL;
    if (!config)
        config = &none;
    if (config->n_functions > FUNCTIONS_MAX) {
        vs_error err = {0};
        (void)vs_fail(&err, VS_E_LIMIT, "more than %d host functions", FUNCTIONS_MAX);
        return fail(why, REGO_BAD_INPUT, &err);
    }
    rego_policy *p = calloc(1, sizeof *p);
    if (!p)
        return out_of_memory(why);
    atomic_init(&p->refs, 1);
    rego_result res = compile(p, sources, n, config, why);
    if (res == REGO_DONE)
        *out = p;
    else
        rego_policy_free(p);
    return res;
}

rego_policy *rego_policy_ref(rego_policy *p)
{
    atomic_fetch_add(&p->refs, 1);
    return p;
}

void rego_policy_free(rego_policy *p)
{
    if (!p || atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    rego_program_unref(&p->program);
    free(p->functions);
    free(p->decls);
    free(p->names);
    free(p);
}

/* ---- host functions ----------------------------------------------------------------------------
 */

static vs_code call_host(void *user, const char *name, const vs_val *args, unsigned n, vs_arena *a,
                         vs_val *out, vs_error *err)
{
    const rego_policy *p = ((const rego_context *)user)->policy;
    rego_answer answer = {.a = a};
    const rego_value **list = vs_alloc_array(a, n + 1u, sizeof *list);
    if (!list)
        return vs_arena_check(a, err);
    for (unsigned i = 0; i < n; i++)
        list[i] = (const rego_value *)&args[i];
    for (size_t i = 0; i < p->n_functions; i++) {
        const rego_host_function *f = &p->functions[i];
        if (f->name != name)
            continue;
        if (!f->call(f->user, list, n, &answer) || answer.failed)
            return vs_fail(err, VS_E_IO, "%s", answer.why[0] ? answer.why : "no reason was given");
        *out = answer.value;
        return VS_OK;
    }
    return vs_fail(err, VS_E_INTERNAL, "%s is not a host function", name);
}

bool rego_answer_json(rego_answer *a, const char *json, size_t size)
{
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    vs_span copy = vs_dup(a->a, vs_span_of(json, size));
    if (vs_arena_ok(a->a) && vs_json_parse(a->a, copy, NULL, &a->value, &err) == VS_OK)
        return true;
    rego_answer_failure(a, vs_error_text(&err, text, sizeof text));
    return false;
}

void rego_answer_failure(rego_answer *a, const char *why)
{
    a->failed = true;
    (void)snprintf(a->why, sizeof a->why, "%s", why);
}

/* ---- contexts ----------------------------------------------------------------------------------
 */

rego_context *rego_context_new(rego_policy *p)
{
    rego_context *c = calloc(1, sizeof *c);
    if (!c || rego_eval_new(p->program, &c->eval, NULL) != VS_OK) {
        free(c);
        return NULL;
    }
    c->policy = rego_policy_ref(p);
    vs_arena_init(&c->input.a, DOCUMENT_MAX);
    vs_arena_init(&c->data.a, DOCUMENT_MAX);
    vs_arena_init(&c->texts, DOCUMENT_MAX);
    c->in.host = call_host;
    c->in.host_user = c;
    c->shown = VALUE_SHOWN;
    return c;
}

void rego_context_free(rego_context *c)
{
    if (!c)
        return;
    rego_eval_free(&c->eval);
    vs_arena_free(&c->input.a);
    vs_arena_free(&c->data.a);
    vs_arena_free(&c->texts);
    rego_policy_free(c->policy);
    free(c);
}

void rego_reset(rego_context *c)
{
    c->begun = false;
    vs_arena_reset(&c->texts);
}

/* The document changes only when the new text is good. */
static rego_result set_document(rego_context *c, document *d, const char *json, size_t size,
                                rego_failure *why)
{
    document fresh = {0};
    vs_error err = {0};
    clear(why);
    vs_arena_init(&fresh.a, DOCUMENT_MAX);
    vs_span text = vs_dup(&fresh.a, vs_span_of(json, size));
    vs_json_opts opts = {.dup_last_wins = true};
    vs_code code = vs_arena_check(&fresh.a, &err);
    if (code == VS_OK)
        code = vs_json_parse(&fresh.a, text, &opts, &fresh.v, &err);
    if (code != VS_OK) {
        vs_arena_free(&fresh.a);
        return fail(why, code == VS_E_NOMEM ? REGO_OUT_OF_MEMORY : REGO_BAD_INPUT, &err);
    }
    rego_reset(c);
    vs_arena_free(&d->a);
    *d = fresh;
    return REGO_DONE;
}

rego_result rego_set_input(rego_context *c, const char *json, size_t size, rego_failure *why)
{
    rego_result res = set_document(c, &c->input, json, size, why);
    c->in.input = c->input.v;
    return res;
}

rego_result rego_set_data(rego_context *c, const char *json, size_t size, rego_failure *why)
{
    rego_result res = set_document(c, &c->data, json, size, why);
    c->in.data = c->data.v;
    return res;
}

void rego_set_time(rego_context *c, int64_t ns_since_1970)
{
    c->in.now_ns = ns_since_1970;
    c->has_time = true;
    rego_reset(c);
}

void rego_set_seed(rego_context *c, uint64_t seed)
{
    c->in.seed = seed;
    rego_reset(c);
}

void rego_set_budget(rego_context *c, const rego_budget *b)
{
    uint64_t most = INT64_MAX / 1000000;
    c->in.limits =
        (rego_limits){.steps = b->steps,
                      .arena_bytes = b->memory,
                      .call_depth = b->depth,
                      .wall_ns = (int64_t)(b->wall_ms < most ? b->wall_ms : most) * 1000000};
    rego_reset(c);
}

static void print_line(void *user, vs_span line)
{
    rego_context *c = user;
    c->print(c->print_user, (const char *)line.p, line.n);
}

void rego_set_print(rego_context *c, void (*print)(void *user, const char *line, size_t size),
                    void *user)
{
    c->print = print;
    c->print_user = user;
    c->in.print = print ? print_line : NULL;
    c->in.print_user = c;
    rego_reset(c);
}

void rego_set_explain(rego_context *c, bool on)
{
    c->in.explain = on;
    rego_reset(c);
}

void rego_set_explain_values(rego_context *c, size_t max)
{
    c->shown = max;
}

static rego_result begin(rego_context *c, rego_failure *why)
{
    vs_error err = {0};
    clear(why);
    if (c->begun)
        return REGO_DONE;
    if (!c->has_time)
        c->in.now_ns = vs_now_ns();
    if (rego_eval_begin(c->eval, &c->in, &err) != VS_OK)
        return fail(why, REGO_BAD_INPUT, &err);
    c->begun = true;
    return REGO_DONE;
}

static rego_result finish(vs_code code, const rego_diag *d, const vs_error *err, rego_failure *why)
{
    if (code == VS_OK)
        return REGO_DONE;
    (void)fail(why, REGO_FAILED, err);
    if (d->code == REGO_OK)
        return REGO_BAD_INPUT;
    if (d->code != REGO_EVAL_HOST)
        tell(why, d);
    return result_of(d);
}

rego_result rego_evaluate(rego_context *c, const char *path, const rego_value **value,
                          rego_failure *why)
{
    rego_presence presence;
    rego_diag d = {0};
    vs_error err = {0};
    vs_val v;
    *value = NULL;
    rego_result res = begin(c, why);
    if (res != REGO_DONE)
        return res;
    res = finish(rego_eval_rule(c->eval, path, &presence, &v, &d, &err), &d, &err, why);
    if (res != REGO_DONE || presence != REGO_VALUE)
        return res;
    vs_val *kept = vs_alloc(&c->texts, sizeof *kept);
    if (!kept)
        return out_of_memory(why);
    *kept = v;
    *value = (const rego_value *)kept;
    return REGO_DONE;
}

typedef struct solutions {
    bool (*solution)(void *user, const rego_value *bindings, const rego_value *values);
    void *user;
    bool stopped;
} solutions;

static void yield(void *user, vs_val bindings, vs_val values)
{
    solutions *s = user;
    if (!s->stopped)
        s->stopped =
            !s->solution(s->user, (const rego_value *)&bindings, (const rego_value *)&values);
}

rego_result rego_evaluate_query(rego_context *c,
                                bool (*solution)(void *user, const rego_value *bindings,
                                                 const rego_value *values),
                                void *user, rego_failure *why)
{
    rego_diag d = {0};
    vs_error err = {0};
    solutions s = {solution, user, false};
    rego_reset(c);
    rego_result res = begin(c, why);
    if (res != REGO_DONE)
        return res;
    return finish(rego_eval_query(c->eval, yield, &s, &d, &err), &d, &err, why);
}

/* The buffer's text on the context's arena, NUL terminated. */
static const char *keep_text(rego_context *c, const vs_buf *b)
{
    vs_span text = vs_dup(&c->texts, vs_buf_span(b));
    return vs_buf_ok(b) ? (const char *)text.p : NULL;
}

const char *rego_explain(rego_context *c, const char *rule)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(TEXT_MAX);
    if (!c->in.explain || !c->begun)
        return NULL;
    vs_json_print(&b, rego_eval_report(c->eval, rule, c->shown, &c->texts));
    return keep_text(c, &b);
}

rego_usage rego_used(const rego_context *c)
{
    rego_stats s = rego_eval_stats(c->eval);
    return (rego_usage){s.steps, s.arena_used};
}

/* ---- values: a rego_value is a vs_val ---------------------------------------------------------
 */

static vs_val val(const rego_value *v)
{
    return v ? *(const vs_val *)v : vs_undefined();
}

rego_kind rego_kind_of(const rego_value *v)
{
    _Static_assert((int)REGO_KIND_SET == (int)VS_SET && (int)REGO_KIND_NULL == (int)VS_NULL,
                   "both count the kinds alike");
    return (rego_kind)val(v).kind;
}

bool rego_boolean(const rego_value *v)
{
    return vs_is_true(val(v));
}

bool rego_integer(const rego_value *v, int64_t *out)
{
    if (!vs_is_int(val(v)))
        return false;
    *out = val(v).u.i;
    return true;
}

double rego_double(const rego_value *v)
{
    return val(v).kind == VS_NUMBER ? vs_num_to_double(val(v)) : NAN;
}

const char *rego_string(const rego_value *v, size_t *size)
{
    vs_val s = val(v);
    *size = s.kind == VS_STRING ? s.len : 0;
    return s.kind != VS_STRING ? NULL : s.u.s ? s.u.s : "";
}

size_t rego_count(const rego_value *v)
{
    return vs_is_collection(val(v)) ? val(v).len : 0;
}

const rego_value *rego_at(const rego_value *v, size_t i)
{
    vs_val c = val(v);
    if (i >= rego_count(v))
        return NULL;
    return (const rego_value *)(c.kind == VS_OBJECT ? &c.u.pairs[i].val : &c.u.items[i]);
}

const rego_value *rego_key_at(const rego_value *v, size_t i)
{
    vs_val c = val(v);
    return c.kind == VS_OBJECT && i < c.len ? (const rego_value *)&c.u.pairs[i].key : NULL;
}

const rego_value *rego_get(const rego_value *v, const char *key)
{
    return (const rego_value *)vs_find(val(v), vs_str(key));
}

const char *rego_json(rego_context *c, const rego_value *v)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(TEXT_MAX);
    if (!v)
        return NULL;
    vs_json_print(&b, val(v));
    return keep_text(c, &b);
}
