/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ear_doc.h"

#include "base/clock.h"
#include "value/json.h"

static const char status_key[] = "ear.status", vector_key[] = "ear.trustworthiness-vector";

bool ear_doc_looks_like(vs_val claims)
{
    vs_val submods = vs_getc(claims, "submods");
    return submods.kind == VS_OBJECT && submods.len > 0 &&
           vs_defined(vs_getc(submods.u.pairs[0].val, status_key));
}

/* ---- reading --------------------------------------------------------------------------------- */

static vs_code read_submod(vs_val o, ear_submod *out, vs_error *err)
{
    vs_val vector, policy;
    if (o.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be an object, not %s",
                       vs_kind_name((vs_kind)o.kind));
    if (!ear_tier_of_status(vs_getc(o, status_key), &out->status))
        return vs_fail(err, VS_E_INVALID, "\"%s\" is missing or not a tier", status_key);
    VS_TRY(vs_may(o, vector_key, VS_OBJECT, &vector, err));
    VS_TRY(vs_may(o, "ear.appraisal-policy-id", VS_STRING, &policy, err));
    VS_TRY(vs_may(o, "ear.veraison.annotated-evidence", VS_OBJECT, &out->evidence, err));
    out->policy_id = vs_text(policy);
    if (vs_defined(vector))
        VS_TRY_WRAP(ear_vector_read(vector, EAR_INTEGERS_OR_NAMES, &out->vector, err), err,
                    "\"%s\"", vector_key);
    ear_tier worst = ear_vector_status(&out->vector);
    if (out->status < worst)
        return vs_fail(err, VS_E_INVALID, "status %s is better than its trust vector (%s)",
                       ear_tier_name(out->status), ear_tier_name(worst));
    return VS_OK;
}

static vs_code read_submods(vs_arena *a, vs_val submods, ear_doc *out, vs_error *err)
{
    if (submods.len == 0)
        return vs_fail(err, VS_E_INVALID, "\"submods\" is empty");
    out->submods = vs_zalloc(a, submods.len * sizeof *out->submods);
    if (!out->submods)
        return vs_arena_check(a, err);
    for (VS_OBJ_FOR (pair, submods)) {
        ear_submod *s = &out->submods[out->n++];
        s->name = vs_text(pair->key);
        VS_TRY_WRAP(read_submod(pair->val, s, err), err, "submodule \"%.*s\"",
                    VS_FMT(vs_span_head(s->name, 64)));
    }
    return VS_OK;
}

vs_code ear_doc_read(vs_arena *a, vs_val claims, ear_doc *out, vs_error *err)
{
    *out = (ear_doc){0};
    if (claims.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the payload is not an object");
    vs_val profile, verifier, developer, build, issuer, submods;
    VS_TRY(vs_need(claims, "eat_profile", VS_STRING, &profile, err));
    VS_TRY(vs_need(claims, "iat", VS_NUMBER, &out->iat, err));
    VS_TRY(vs_may(claims, "exp", VS_NUMBER, &out->exp, err));
    VS_TRY(vs_may(claims, "iss", VS_STRING, &issuer, err));
    VS_TRY(vs_need(claims, "ear.verifier-id", VS_OBJECT, &verifier, err));
    VS_TRY_WRAP(vs_need(verifier, "developer", VS_STRING, &developer, err), err,
                "\"ear.verifier-id\"");
    VS_TRY_WRAP(vs_need(verifier, "build", VS_STRING, &build, err), err, "\"ear.verifier-id\"");
    VS_TRY(vs_need(claims, "submods", VS_OBJECT, &submods, err));
    out->profile = vs_text(profile);
    out->developer = vs_text(developer);
    out->build = vs_text(build);
    out->issuer = vs_text(issuer);
    return read_submods(a, submods, out, err);
}

/* ---- showing --------------------------------------------------------------------------------- */

static void show_time(view *v, const char *name, vs_val t)
{
    char text[VS_TIME_TEXT];
    if (vs_is_int(t))
        view_row(v, 0, name, vs_str(vs_time_rfc3339(t.u.i, text)));
}

/* The further right, the worse. */
static void show_gauge(view *v, ear_tier tier)
{
    if (!v->terminal)
        return;
    for (unsigned i = 1; i <= EAR_CONTRAINDICATED; i++)
        view_styled(v, view_tier_style(tier), i <= tier ? "\xe2\x96\xa0" : "\xc2\xb7");
    vs_buf_putc(&v->out, ' ');
}

static void show_claim(view *v, const ear_vector *vector, ear_claim c)
{
    int8_t value = vector->value[c];
    ear_tier tier = ear_tier_of(value);
    vs_buf_printf(&v->out, "  %-18s", ear_claim_title(c));
    show_gauge(v, tier);
    view_styled(v, view_tier_style(tier), "[%s]", ear_tier_name(tier));
    vs_buf_printf(&v->out, ": %s (%d)\n", ear_value_text(c, value), value);
}

bool ear_vector_is_empty(const ear_vector *v)
{
    for (unsigned c = 0; c < EAR_CLAIMS; c++)
        if (v->set[c])
            return false;
    return true;
}

void ear_vector_show(view *v, vs_span name, ear_tier status, vs_span policy_id,
                     const ear_vector *vector)
{
    vs_buf_puts(&v->out, "\nsubmod ");
    view_text(v, name);
    vs_buf_puts(&v->out, ": ");
    view_styled(v, view_tier_style(status), "%s", ear_tier_name(status));
    if (policy_id.n) {
        vs_buf_puts(&v->out, " (policy ");
        view_text(v, policy_id);
        vs_buf_putc(&v->out, ')');
    }
    vs_buf_putc(&v->out, '\n');
    for (unsigned c = 0; c < EAR_CLAIMS; c++)
        if (vector->set[c])
            show_claim(v, vector, (ear_claim)c);
}

void ear_doc_show(view *v, const ear_doc *d)
{
    view_row(v, 0, "profile", d->profile);
    view_row(v, 0, "verifier", d->developer);
    view_row(v, 0, "build", d->build);
    if (d->issuer.n)
        view_row(v, 0, "issuer", d->issuer);
    show_time(v, "issued", d->iat);
    show_time(v, "expires", d->exp);
    for (size_t i = 0; i < d->n; i++)
        ear_vector_show(v, d->submods[i].name, d->submods[i].status, d->submods[i].policy_id,
                        &d->submods[i].vector);
}

/* ---- as a report ----------------------------------------------------------------------------- */

static void report_time(report *r, const char *name, vs_val t)
{
    char text[VS_TIME_TEXT];
    if (vs_is_int(t))
        report_textf(r, NULL, name, "%s", vs_time_rfc3339(t.u.i, text));
}

static void report_submod(report *r, const ear_submod *s)
{
    report_node *n = report_branch(r, NULL, "submod");
    if (!n)
        return;
    n->value.text = s->name;
    report_text(r, n, "status", vs_str(ear_tier_name(s->status)));
    if (s->policy_id.n)
        report_text(r, n, "policy", s->policy_id);
    if (vs_defined(s->evidence))
        report_value(r, n, "annotated evidence", s->evidence);
    report_vector_add(r, s->name, s->status, &s->vector,
                      ear_vector_is_empty(&s->vector) ? "the token has no vector" : NULL);
}

void ear_doc_report(report *r, const ear_doc *d)
{
    r->title = "EAR: an attestation result";
    r->summary = vs_sprintf(r->a, "submods: %zu; the signature is not verified here", d->n);
    report_text(r, NULL, "profile", d->profile);
    report_text(r, NULL, "verifier", d->developer);
    report_text(r, NULL, "build", d->build);
    if (d->issuer.n)
        report_text(r, NULL, "issuer", d->issuer);
    report_time(r, "issued", d->iat);
    report_time(r, "expires", d->exp);
    for (size_t i = 0; i < d->n; i++)
        report_submod(r, &d->submods[i]);
    report_check_add(r, "contents", REPORT_PASSED,
                     "every status is at least as bad as its trust vector");
    report_check_add(r, "signature", REPORT_OPEN, "see vouchsafe verify --key or --ca");
}
