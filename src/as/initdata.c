/* SPDX-License-Identifier: Apache-2.0 */
/* Init data: the document a host may hand to a workload, measured at its start (3.2). */
#include "as/internal.h"

#include "envelope/init_data.h"
#include "value/json.h"
#include "value/toml.h"

/* Trustee's parser lets the last of equal members win; here it only feeds claims that were measured
 * as text, so the difference decides nothing. */
static const vs_json_opts lenient = {.dup_last_wins = true};

/* The JSON document behind the first "policy_data := " of a Kata agent policy, which must reach to
 * the end of the text. Undefined when there is none. */
static vs_val agent_policy_data(vs_span rego, vs_arena *a)
{
    static const char mark[] = "policy_data := {";
    const uint8_t *at = rego.n ? memmem(rego.p, rego.n, mark, sizeof mark - 1) : NULL;
    if (!at)
        return vs_undefined();
    vs_span json = vs_span_from(rego, (size_t)(at - rego.p) + sizeof mark - 2);
    vs_val v;
    return vs_json_parse(a, vs_span_trim(json), &lenient, &v, NULL) == VS_OK ? v : vs_undefined();
}

static bool is_toml_file(vs_span name)
{
    return vs_span_is(name, "cdh.toml") || vs_span_is(name, "aa.toml");
}

static vs_code claims_of(vs_val data, vs_arena *a, vs_val *claims, vs_error *err)
{
    vs_obj out = {.a = a};
    for (VS_OBJ_FOR (file, data)) {
        vs_span name = vs_text(file->key);
        vs_val v = vs_undefined();
        if (is_toml_file(name)) {
            if (vs_toml_parse(a, vs_text(file->val), &v, NULL) != VS_OK)
                v = vs_undefined();
        } else if (vs_span_is(name, "policy.rego")) {
            v = agent_policy_data(vs_text(file->val), a);
            if (vs_defined(v)) {
                vs_obj_put(&out, "agent_policy_claims", v);
                continue;
            }
        }
        vs_obj_add(&out, file->key, vs_defined(v) ? v : file->val);
    }
    *claims = vs_obj_end(&out, VS_DUP_LAST, NULL);
    return vs_arena_check(a, err);
}

static vs_code from_toml(vs_span text, vs_arena *a, vs_span *digest, vs_val *claims, vs_error *err)
{
    vs_init_data doc;
    VS_TRY(vs_init_data_parse(a, text, &doc, err));
    *digest = doc.digest;
    return claims_of(doc.data, a, claims, err);
}

vs_code as_init_data(const as_request *req, vs_arena *a, vs_span *digest, vs_val *claims,
                     vs_error *err)
{
    *digest = (vs_span){NULL, 0};
    *claims = vs_null();
    switch (req->init_kind) {
    case AS_INIT_NONE: return VS_OK;
    case AS_INIT_DIGEST:
        if (req->init.n == 0)
            return vs_fail(err, VS_E_INVALID, "init data digest is empty");
        *digest = req->init;
        return VS_OK;
    case AS_INIT_TOML: return from_toml(req->init, a, digest, claims, err);
    }
    return vs_fail(err, VS_E_INTERNAL, "init data of unknown kind");
}
