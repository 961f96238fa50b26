/* SPDX-License-Identifier: Apache-2.0 */
#include "as/collect.h"

#include "as/internal.h"
#include "value/json.h"

enum { IDS_MAX = 256 };

static const char QUERY[] = "query_reference_value(\"", QUERY_END[] = "\")", GUARD[] = "is_number(";

/* Larger than what a version number can be: a policy that first looks whether there is a minimum
 * then finds evidence below it, and says what evidence has. */
static vs_val probe(void)
{
    return vs_int((INT64_C(1) << 53) - 1);
}

/* One reference value that the policy asks for. */
typedef struct asked {
    vs_span id;
    bool learned, probed;
    vs_val handed, observed;
    const char *comparison;
} asked;

typedef struct session {
    vs_arena *a;
    asked ids[IDS_MAX];
    size_t n;
} session;

static asked *find(session *s, vs_span id)
{
    for (size_t i = 0; i < s->n; i++)
        if (vs_span_eq(s->ids[i].id, id))
            return &s->ids[i];
    return NULL;
}

static vs_code hand_out(void *user, const char *name, const vs_val *args, unsigned n, vs_arena *a,
                        vs_val *out, vs_error *err)
{
    session *s = user;
    (void)name, (void)a;
    if (n != 1 || args[0].kind != VS_STRING)
        return vs_fail(err, VS_E_INVALID, "the id of a reference value must be a string");
    asked *one = find(s, vs_text(args[0]));
    if (!one) {
        if (s->n == IDS_MAX)
            return vs_fail(err, VS_E_LIMIT, "more than %d reference values", IDS_MAX);
        one = &s->ids[s->n++];
        *one = (asked){.id = vs_dup(s->a, vs_text(args[0])), .handed = vs_null()};
        VS_TRY(vs_arena_check(s->a, err));
    }
    *out = one->handed;
    return VS_OK;
}

/* The id in `query_reference_value("id")`. */
static vs_span id_in(vs_span path)
{
    size_t before = sizeof QUERY - 1, after = sizeof QUERY_END - 1;
    if (path.n <= before + after || !vs_span_starts(path, vs_str(QUERY)) ||
        !vs_span_ends(path, vs_str(QUERY_END)))
        return (vs_span){NULL, 0};
    vs_span id = vs_span_of(path.p + before, path.n - before - after);
    return memchr(id.p, '"', id.n) || memchr(id.p, '\\', id.n) ? (vs_span){NULL, 0} : id;
}

/* What stands between the two operands of an expression. */
static const char *operator_of(session *s, vs_span text, vs_span left, vs_span right)
{
    if (!vs_span_starts(text, left) || !vs_span_ends(text, right) || text.n <= left.n + right.n)
        return NULL;
    vs_span op = vs_span_trim(vs_span_of(text.p + left.n, text.n - left.n - right.n));
    static const char *const known[] = {"in", "==", ">=", ">", "<=", "<"};
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (vs_span_is(op, known[i]))
            return vs_sprintf(s->a, "%s", known[i]);
    return NULL;
}

/* Explanations tell a large value by its kind and size only. */
static bool is_cut(vs_val v)
{
    return v.kind == VS_STRING && vs_span_starts(vs_text(v), VS_LIT("<")) &&
           vs_span_ends(vs_text(v), VS_LIT(" members>"));
}

static vs_val list_of(vs_arena *a, vs_val v)
{
    vs_vec list = {.a = a};
    vs_vec_add(&list, v);
    return vs_vec_end_array(&list);
}

/* `is_number(query_reference_value("id"))` failed. */
static bool learn_guard(session *s, vs_span text)
{
    if (!vs_span_starts(text, vs_str(GUARD)) || !vs_span_ends(text, VS_LIT(")")))
        return false;
    size_t before = sizeof GUARD - 1;
    asked *one = find(s, id_in(vs_span_of(text.p + before, text.n - before - 1)));
    if (!one || one->learned || one->probed)
        return false;
    one->probed = true;
    one->handed = probe();
    return true;
}

/* True when an entry of an explanation says something new. */
static bool learn(session *s, vs_val entry)
{
    vs_span text = vs_text(vs_getc(entry, "text"));
    vs_val operands = vs_getc(entry, "operands");
    if (operands.kind != VS_ARRAY || operands.len != 2)
        return learn_guard(s, text);
    vs_span left = vs_text(vs_getc(operands.u.items[0], "path"));
    vs_span right = vs_text(vs_getc(operands.u.items[1], "path"));
    bool swapped = id_in(right).n == 0;
    asked *one = find(s, id_in(swapped ? left : right));
    vs_val seen = vs_getc(operands.u.items[swapped ? 1 : 0], "value");
    const char *op = operator_of(s, text, left, right);
    bool equal = op && strcmp(op, "==") == 0;
    if (!one || one->learned || !op || !vs_defined(seen) || is_cut(seen) || (swapped && !equal))
        return false;
    one->learned = true;
    one->comparison = op;
    one->observed = seen;
    one->handed = strcmp(op, "in") == 0 ? list_of(s->a, seen) : seen;
    return true;
}

/* One evaluation. A policy may fail with what it is handed: `count(null)`. What it has said before
 * counts all the same; running out of memory or steps does not pass for that. */
static vs_code look_once(session *s, rego_eval *e, const rego_inputs *in, bool *more, vs_error *err)
{
    rego_presence presence;
    vs_val v;
    *more = false;
    VS_TRY(rego_eval_begin(e, in, err));
    vs_error why = {0};
    vs_code code = rego_eval_rule(e, "data.policy.trust_claims", &presence, &v, NULL, &why);
    if (code != VS_OK && code != VS_E_INVALID) {
        if (err)
            *err = why;
        return code;
    }
    vs_val entries = rego_eval_explain(e, NULL, s->a);
    for (uint32_t i = 0; entries.kind == VS_ARRAY && i < entries.len; i++)
        *more = learn(s, entries.u.items[i]) || *more;
    return vs_arena_check(s->a, err);
}

static void report(const session *s, vs_val submod, vs_vec *out)
{
    for (size_t i = 0; i < s->n; i++) {
        vs_obj o = {.a = s->a};
        vs_obj_put(&o, "submod", submod);
        vs_obj_put(&o, "id", vs_string(s->ids[i].id));
        if (s->ids[i].learned) {
            vs_obj_put(&o, "comparison", vs_cstring(s->ids[i].comparison));
            vs_obj_put(&o, "observed", s->ids[i].observed);
        }
        vs_vec_add(out, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    }
}

static vs_code look(session *s, rego_program *program, vs_val input, int64_t now, vs_error *err)
{
    VS_CLEANUP(rego_eval_free) rego_eval *e = NULL;
    const rego_inputs in = {.input = input,
                            .now_ns = now * 1000000000,
                            .host = hand_out,
                            .host_user = s,
                            .explain = true};
    VS_TRY(rego_eval_new(program, &e, err));
    bool more = true;
    for (size_t round = 0; more && round < 2 * IDS_MAX; round++)
        VS_TRY(look_once(s, e, &in, &more, err));
    return VS_OK;
}

static vs_code collect_submod(vs_val submod, int64_t now, const as_replay_options *opts,
                              vs_arena *a, vs_vec *out, vs_error *err)
{
    vs_val name, policy, sha256, input;
    vs_span text;
    VS_TRY(vs_need(submod, "submod", VS_STRING, &name, err));
    VS_TRY(vs_need(submod, "policy", VS_STRING, &policy, err));
    VS_TRY(vs_need(submod, "policy_sha256", VS_STRING, &sha256, err));
    VS_TRY(vs_need(submod, "input", VS_OBJECT, &input, err));
    VS_TRY_WRAP(opts->policy(opts->user, vs_text(policy), vs_text(sha256), a, &text, err), err,
                "policy %.*s", VS_FMT(vs_text(policy)));
    const rego_module module = {.name = vs_sprintf(a, "%.*s.rego", VS_FMT(vs_text(policy))),
                                .text = text};
    const rego_options options = {.hosts = as_policy_hosts,
                                  .n_hosts = VS_COUNT(as_policy_hosts),
                                  .late_unknown_functions = true};
    session *s = VS_NEW(a, session);
    VS_TRY(vs_arena_check(a, err));
    s->a = a;
    rego_program *program = NULL;
    VS_TRY(rego_compile(&module, 1, &options, &program, NULL, err));
    vs_code code = look(s, program, input, now, err);
    rego_program_unref(&program);
    if (code == VS_OK)
        report(s, name, out);
    return code;
}

vs_code as_collect(vs_val record, const as_replay_options *opts, vs_arena *a, vs_val *out,
                   vs_error *err)
{
    vs_val version = vs_getc(record, "version"), time, submods;
    if (record.kind != VS_OBJECT || !vs_is_int(version) || version.u.i != AS_RECORD_VERSION)
        return vs_fail(err, VS_E_INVALID, "not an evaluation's record of version %d",
                       AS_RECORD_VERSION);
    VS_TRY(vs_need(record, "time", VS_NUMBER, &time, err));
    VS_TRY(vs_need(record, "submods", VS_ARRAY, &submods, err));
    if (!vs_is_int(time) || submods.len == 0 || submods.len > AS_RECORDS_MAX)
        return vs_fail(err, VS_E_INVALID, "a record has a time and 1 to %d submods",
                       AS_RECORDS_MAX);
    vs_vec list = {.a = a};
    for (VS_ARR_FOR (submod, submods))
        VS_TRY_WRAP(collect_submod(*submod, time.u.i, opts, a, &list, err), err,
                    "submod %zu of the record", (size_t)(submod - submods.u.items));
    *out = vs_vec_end_array(&list);
    return vs_arena_check(a, err);
}
