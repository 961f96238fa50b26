/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a claim is not affirming: sentences for the operator, made from what the policy engine
 * recorded during the evaluation that gave the verdict. Nothing here knows a TEE or a policy.
 */
#include "as/internal.h"

#include <stdio.h>

#include "base/enc.h"
#include "value/json.h"

enum {
    VALUE_SHOWN = 256, /* bytes of a value's JSON text; a base64 measurement fits */
    CLAUSES_SHOWN = 4, /* per claim */
    REASON_MAX = 8192,
};

/* ---- one failed expression --------------------------------------------------------------------
 */

/* How a comparison that did not hold reads between its operands. Longer operators first. */
static const struct {
    const char *op, *failed;
} comparisons[] = {
    {" in ", " is not in "},     {"==", " is not "},       {"!=", " is "},
    {">=", " is less than "},    {"<=", " is more than "}, {">", " is not more than "},
    {"<", " is not less than "},
};

/* The words for the first comparison in `text` that is not inside quotes, brackets or a call. */
static const char *failed_comparison(vs_span text)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if (c == ')' || c == ']' || c == '}') {
            depth--;
        } else if (depth == 0) {
            for (size_t k = 0; k < VS_COUNT(comparisons); k++) {
                if (vs_span_starts(vs_span_from(text, i), vs_str(comparisons[k].op)))
                    return comparisons[k].failed;
            }
        }
    }
    return NULL;
}

/* Without the beginning of a character that a cut left at the end. */
static vs_span whole_characters(vs_span s)
{
    for (unsigned cut = 0; cut < 4 && cut < s.n; cut++) {
        if (vs_utf8_ok(vs_span_head(s, s.n - cut)))
            return vs_span_head(s, s.n - cut);
    }
    return s;
}

static void put_value(vs_buf *out, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(64 * 1024);
    vs_json_print(&text, v);
    vs_span all = vs_buf_span(&text), shown = whole_characters(vs_span_head(all, VALUE_SHOWN));
    vs_buf_put(out, shown);
    if (!vs_buf_ok(&text) || shown.n < all.n)
        vs_buf_puts(out, "...");
}

static void put_operand(vs_buf *out, vs_val operand)
{
    vs_span path = vs_text(vs_getc(operand, "path"));
    vs_val value = vs_getc(operand, "value");
    vs_buf_put(out, path);
    if (!vs_defined(value)) { /* or left out on request */
        vs_buf_puts(out, vs_defined(vs_getc(operand, "exists")) ? " (undefined)" : "");
        return;
    }
    size_t at = out->n;
    vs_buf_puts(out, " = ");
    put_value(out, value);
    if (vs_span_eq(vs_span_from(vs_buf_span(out), at + 3), path)) /* a literal */
        vs_buf_truncate(out, at);
    if (value.kind == VS_NULL && vs_span_starts(path, VS_LIT("query_reference_value(")))
        vs_buf_puts(out, " (no such reference value)");
}

/* ---- a value that is not among the approved ones ----------------------------------------------
 */

/* The field's names for what evidence calls otherwise. */
static const struct {
    const char *member, *name;
} known_names[] = {
    {"cca-realm-initial-measurement", "RIM"},     {"cca-realm-personalization-value", "RPV"},
    {"cca-realm-extensible-measurements", "REM"}, {"mr_td", "MRTD"},
    {"measurement", "launch measurement"},        {"launch_digest", "launch digest"},
};

/* The last member of a path, in dotted or bracketed form. */
static vs_span last_member(vs_span path)
{
    bool bracketed = vs_span_ends(path, VS_LIT("\"]"));
    size_t end = bracketed ? path.n - 2 : path.n, start = end;
    while (start > 0 && (bracketed ? path.p[start - 1] != '"' : path.p[start - 1] != '.'))
        start--;
    return vs_span_of(path.p + start, end - start);
}

/* The id in `query_reference_value("id")`; empty when the path is another. */
static vs_span reference_value_id(vs_span path)
{
    static const char before[] = "query_reference_value(\"", after[] = "\")";
    if (path.n < sizeof before - 1 + sizeof after - 1 || !vs_span_starts(path, vs_str(before)) ||
        !vs_span_ends(path, vs_str(after)))
        return (vs_span){NULL, 0};
    return vs_span_head(vs_span_from(path, sizeof before - 1),
                        path.n - (sizeof before - 1) - (sizeof after - 1));
}

/* `RIM "Nfpl..." is not an approved value of cca.realm.... (2 approved)`; false when the operands
 * are not of that kind. */
static bool put_not_approved(vs_buf *out, vs_val operand, vs_val among)
{
    vs_span id = reference_value_id(vs_text(vs_getc(among, "path")));
    vs_val approved = vs_getc(among, "value");
    if (id.n == 0 || (approved.kind != VS_ARRAY && approved.kind != VS_NULL))
        return false;
    vs_span name = last_member(vs_text(vs_getc(operand, "path")));
    for (size_t i = 0; i < VS_COUNT(known_names); i++)
        if (vs_span_is(name, known_names[i].member))
            name = vs_str(known_names[i].name);
    vs_buf_put(out, name);
    vs_buf_putc(out, ' ');
    put_value(out, vs_getc(operand, "value"));
    vs_buf_puts(out, " is not an approved value of ");
    vs_buf_put(out, id);
    if (approved.kind == VS_NULL)
        vs_buf_puts(out, " (no such reference value)");
    else
        vs_buf_printf(out, " (%u approved)", approved.len);
    return true;
}

static bool all_have_values(vs_val operands)
{
    for (VS_ARR_FOR (operand, operands)) {
        if (!vs_defined(vs_getc(*operand, "value")))
            return false;
    }
    return true;
}

void as_policy_explain(vs_buf *out, vs_val entry)
{
    vs_span text = vs_text(vs_getc(entry, "text")), result = vs_text(vs_getc(entry, "result"));
    vs_val operands = vs_getc(entry, "operands");
    if (operands.kind != VS_ARRAY)
        operands = vs_empty(VS_ARRAY);
    const char *failed = failed_comparison(text);
    if (failed && operands.len == 2 && vs_span_is(result, "false") && all_have_values(operands)) {
        if (strcmp(failed, " is not in ") == 0 &&
            put_not_approved(out, operands.u.items[0], operands.u.items[1]))
            return;
        put_operand(out, operands.u.items[0]);
        vs_buf_puts(out, failed);
        put_operand(out, operands.u.items[1]);
        return;
    }
    vs_buf_printf(out, "`%.*s` is %.*s", VS_FMT(text), VS_FMT(result));
    const char *before = ": ";
    for (VS_ARR_FOR (operand, operands)) {
        vs_buf_puts(out, before);
        put_operand(out, *operand);
        before = ", ";
    }
}

/* ---- one claim --------------------------------------------------------------------------------
 */

static bool failed_by_value(vs_val entry, vs_val input)
{
    (void)input;
    return !vs_span_is(vs_text(vs_getc(entry, "result")), "undefined");
}

/* The first member after "input" in a reference, in dotted or bracketed form. */
static vs_span input_member(vs_span path)
{
    if (vs_span_starts(path, VS_LIT("input.")))
        path = vs_span_from(path, 6);
    else if (vs_span_starts(path, VS_LIT("input[\"")))
        path = vs_span_from(path, 7);
    else
        return (vs_span){NULL, 0};
    size_t n = 0;
    while (n < path.n && !memchr(".[\"", path.p[n], 3))
        n++;
    return vs_span_head(path, n);
}

/* A rule for another kind of evidence fails for want of it, which explains nothing. */
static bool looks_at_this_input(vs_val entry, vs_val input)
{
    vs_val operands = vs_getc(entry, "operands");
    if (operands.kind != VS_ARRAY)
        return false;
    for (VS_ARR_FOR (operand, operands)) {
        vs_span member = input_member(vs_text(vs_getc(*operand, "path")));
        if (member.n > 0 && vs_defined(vs_get(input, member)))
            return true;
    }
    return false;
}

/* Appends the clauses of the entries that `wanted` picks; false when there was none. */
static bool put_clauses(vs_buf *out, vs_val entries, vs_val input,
                        bool (*wanted)(vs_val entry, vs_val input))
{
    unsigned n = 0;
    for (VS_ARR_FOR (entry, entries)) {
        if (!wanted(*entry, input))
            continue;
        if (n == CLAUSES_SHOWN) {
            vs_buf_puts(out, "; and more");
            break;
        }
        vs_buf_puts(out, n ? "; " : "");
        as_policy_explain(out, *entry);
        n++;
    }
    return n > 0;
}

/* By convention a policy computes claim "file-system" in a rule `file_system`. Where it does not,
 * all that went into trust_claims is looked at. */
static vs_val entries_for(rego_eval *e, ear_claim claim, vs_arena *a)
{
    char rule[64];
    size_t n = (size_t)snprintf(rule, sizeof rule, "data.policy.%s", ear_claim_name(claim));
    for (size_t i = 0; i < n; i++) {
        if (rule[i] == '-')
            rule[i] = '_';
    }
    vs_val entries = rego_eval_explain(e, rule, a);
    if (entries.kind != VS_ARRAY || entries.len == 0)
        entries = rego_eval_explain(e, "data.policy.trust_claims", a);
    return entries.kind == VS_ARRAY ? entries : vs_empty(VS_ARRAY);
}

static vs_val reason(rego_eval *e, const as_appraisal *ap, ear_claim claim, vs_arena *a)
{
    int8_t value = ap->vector.value[claim];
    const char *name = ear_value_name(claim, value);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(REASON_MAX);
    vs_buf_printf(&out, "%s %d (%s): ", ear_claim_name(claim), value, name ? name : "no name");
    vs_val entries = entries_for(e, claim, a);
    if (!put_clauses(&out, entries, ap->input, failed_by_value) &&
        !put_clauses(&out, entries, ap->input, looks_at_this_input))
        vs_buf_puts(&out,
                    entries.len
                        ? "a rule of the policy gives it, or none is for this kind of evidence"
                        : "the policy says so");
    return vs_string_dup(a, whole_characters(vs_buf_span(&out)));
}

vs_val as_explain(rego_eval *e, const as_appraisal *ap, vs_arena *a)
{
    vs_vec out = {.a = a};
    for (unsigned i = 0; i < EAR_CLAIMS; i++) {
        if (ap->vector.set[i] && ear_tier_of(ap->vector.value[i]) > EAR_AFFIRMING)
            vs_vec_add(&out, reason(e, ap, (ear_claim)i, a));
    }
    if (ap->status == EAR_NONE)
        vs_vec_add(&out, vs_cstring("the policy affirms no claim"));
    return vs_vec_end_array(&out);
}
