/* SPDX-License-Identifier: Apache-2.0 */
/* What policy says to a policy input: a trust vector, a status, extensions (4.5, 4.6). */
#include "as/internal.h"

#include <stdio.h>

#include "base/log.h"
#include "value/json.h"

enum { EXTENSIONS_MAX = 64 };

static const char query_function[] = "query_reference_value";
const rego_host_decl as_policy_hosts[1] = {{query_function, 1}};

/* ---- reference values -------------------------------------------------------------------------
 */

static vs_code query_reference_value(void *user, const char *name, const vs_val *args, unsigned n,
                                     vs_arena *a, vs_val *out, vs_error *err)
{
    if (strcmp(name, query_function) != 0 || n != 1)
        return vs_fail(err, VS_E_INTERNAL, "unknown host function %s/%u", name, n);
    if (args[0].kind != VS_STRING)
        return vs_fail(err, VS_E_INVALID, "%s: the id must be a string, not %s", name,
                       vs_kind_name((vs_kind)args[0].kind));
    vs_val found = vs_undefined();
    VS_TRY(as_values_find(user, vs_text(args[0]), a, &found, err));
    *out = vs_defined(found) ? found : vs_null();
    return VS_OK;
}

/* ---- rules ------------------------------------------------------------------------------------
 */

static vs_code trust_claims(rego_eval *e, as_appraisal *ap, vs_error *err)
{
    rego_presence presence;
    vs_val v;
    VS_TRY(rego_eval_rule(e, "data.policy.trust_claims", &presence, &v, NULL, err));
    if (presence == REGO_ABSENT)
        return vs_fail(err, VS_E_INVALID,
                       "the policy has no rule `trust_claims` (is its package `policy`?)");
    if (presence == REGO_UNDEFINED)
        return vs_fail(err, VS_E_INVALID, "Trust claims is not an object: the rule is undefined");
    VS_TRY(ear_vector_read(v, EAR_INTEGERS, &ap->vector, err));
    ap->status = ear_vector_status(&ap->vector);
    return VS_OK;
}

/* What the appraisal object holds besides extensions. */
static bool name_is_taken(vs_span name)
{
    static const char *const members[] = {
        "ear.status",
        "ear.trustworthiness-vector",
        "ear.appraisal-policy-id",
        "ear.veraison.annotated-evidence",
        "ear.veraison.policy-claims",
        "ear.veraison.key-attestation",
    };
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        if (vs_span_is(name, members[i]))
            return true;
    }
    return false;
}

static vs_code read_extension(vs_val v, as_extension *out, vs_error *err)
{
    vs_val name, key, value = vs_getc(v, "value");
    VS_TRY(vs_need(v, "name", VS_STRING, &name, err));
    VS_TRY(vs_need(v, "key", VS_NUMBER, &key, err));
    if (!vs_is_int(key) || key.u.i < INT32_MIN || key.u.i > INT32_MAX)
        return vs_fail(err, VS_E_INVALID, "member \"key\" must be a 32-bit integer");
    if (!vs_defined(value))
        return vs_fail(err, VS_E_INVALID, "member \"value\" is missing");
    if (name_is_taken(vs_text(name)))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not the name of an extension",
                       VS_FMT(vs_text(name)));
    *out = (as_extension){vs_text(name), key.u.i, value};
    return VS_OK;
}

/* Inserts by name; equal names or keys are refused. */
static vs_code insert_extension(as_appraisal *ap, as_extension ext, vs_error *err)
{
    size_t at = ap->n_extensions;
    for (size_t i = 0; i < ap->n_extensions; i++) {
        const as_extension *other = &ap->extensions[i];
        if (vs_span_eq(other->name, ext.name) || other->key == ext.key)
            return vs_fail(err, VS_E_CONFLICT, "two extensions with name \"%.*s\" or key %lld",
                           VS_FMT(vs_span_head(ext.name, 64)), (long long)ext.key);
        if (vs_span_cmp(ext.name, other->name) < 0 && at == ap->n_extensions)
            at = i;
    }
    for (size_t i = ap->n_extensions; i > at; i--)
        ap->extensions[i] = ap->extensions[i - 1];
    ap->extensions[at] = ext;
    ap->n_extensions++;
    return VS_OK;
}

static vs_code extensions(rego_eval *e, as_appraisal *ap, vs_arena *a, vs_error *err)
{
    rego_presence presence;
    vs_val v;
    VS_TRY(rego_eval_rule(e, "data.policy.extensions", &presence, &v, NULL, err));
    if (presence == REGO_ABSENT)
        return VS_OK;
    if (presence == REGO_UNDEFINED || v.kind != VS_ARRAY)
        return vs_fail(err, VS_E_INVALID, "extensions must be an array");
    if (v.len > EXTENSIONS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%u extensions, at most %d", v.len, EXTENSIONS_MAX);
    v = vs_copy(a, v); /* it lives in the evaluation, which ends before the token is written */
    ap->extensions = vs_alloc_array(a, v.len, sizeof *ap->extensions);
    VS_TRY(vs_arena_check(a, err));
    for (VS_ARR_FOR (item, v)) {
        as_extension ext;
        VS_TRY_WRAP(read_extension(*item, &ext, err), err, "extension %zu",
                    (size_t)(item - v.u.items));
        VS_TRY(insert_extension(ap, ext, err));
    }
    return VS_OK;
}

/* ---- appraisal --------------------------------------------------------------------------------
 */

static void print_line(void *user, vs_span line)
{
    char text[512];
    (void)snprintf(text, sizeof text, "%.*s", VS_FMT(vs_span_head(line, sizeof text - 1)));
    vs_log(VS_LOG_DEBUG, "as", "policy prints", "submod", (const char *)user, "line", text, NULL);
}

/* Undefined: a note about a claim that is affirmed. */
static vs_val note_text(vs_val note, const as_appraisal *ap)
{
    if (note.kind != VS_OBJECT)
        return note;
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        vs_val text = vs_getc(note, ear_claim_name((ear_claim)i));
        if (vs_defined(text) &&
            !(ap->vector.set[i] && ear_tier_of(ap->vector.value[i]) == EAR_AFFIRMING))
            return text;
    }
    return vs_undefined();
}

/* What the verifier found beside it says more exactly why a claim is not affirming. */
static vs_val with_notes(vs_val reasons, const as_appraisal *ap, vs_arena *a)
{
    if (ap->status == EAR_AFFIRMING || !vs_defined(ap->notes))
        return reasons;
    vs_vec all = {.a = a};
    for (VS_ARR_FOR (reason, reasons))
        vs_vec_add(&all, *reason);
    for (VS_ARR_FOR (note, ap->notes)) {
        vs_val text = note_text(*note, ap);
        if (vs_defined(text))
            vs_vec_add(&all, text);
    }
    return vs_vec_end_array(&all);
}

static vs_code evaluate(rego_eval *e, as_values *q, bool explain, as_appraisal *ap, vs_arena *a,
                        vs_error *err)
{
    rego_inputs in = {
        .input = ap->input,
        .now_ns = q->now * 1000000000,
        .host = query_reference_value,
        .host_user = q,
        .print = !explain && vs_log_on(VS_LOG_DEBUG) ? print_line : NULL, /* once */
        .print_user = (void *)(uintptr_t)ap->submod,
        .explain = explain,
        .seed = ap->seed,
    };
    ap->n_extensions = 0;
    VS_TRY(rego_eval_begin(e, &in, err));
    VS_TRY(trust_claims(e, ap, err));
    return extensions(e, ap, a, err);
}

/* What is affirmed needs no reasons, and noting them costs a third of an evaluation. Anything else
 * is evaluated again with them; what that one says counts, should a reference value have changed
 * between the two. */
static vs_code appraise(rego_eval *e, as_values *q, as_appraisal *ap, vs_arena *a, vs_error *err)
{
    const as_values before = *q;
    VS_TRY(evaluate(e, q, false, ap, a, err));
    if (ap->status != EAR_AFFIRMING) {
        *q = before;
        VS_TRY(evaluate(e, q, true, ap, a, err));
    }
    ap->reasons = with_notes(as_explain(e, ap, a), ap, a);
    ap->reference_values = vs_vec_end_array(&q->asked);
    ap->all_values_kept = q->all_kept;
    return vs_arena_check(a, err);
}

vs_code as_appraise(as_local *as, vs_span policy_id, int64_t now, as_appraisal *ap, vs_arena *a,
                    vs_error *err)
{
    const char *id = vs_concat(a, policy_id, VS_LIT("_"), vs_str(ap->tee_class));
    if (strlen(id) != policy_id.n + 1 + strlen(ap->tee_class))
        return vs_fail(err, VS_E_INVALID, "a policy id cannot hold a NUL");
    as_values q = {
        .rv = as->rv, .now = now, .changes = ap->changes, .asked = {.a = a}, .all_kept = true};
    for (VS_ARR_FOR (one, ap->consulted))
        vs_vec_add(&q.asked, *one);
    as_policy_lease lease;
    VS_TRY(as_policies_lease(as->policies, vs_str(id), &lease, err));
    ap->policy = id;
    ap->policy_sha256 = vs_concat(a, vs_str(lease.sha256), VS_LIT(""), VS_LIT(""));
    vs_code code = appraise(lease.eval, &q, ap, a, err);
    as_policies_return(as->policies, &lease);
    if (code != VS_OK)
        (void)vs_wrap(err, "policy %s", id);
    return code;
}
