/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation asks of the reference value provider, and the list of it for those who ask
 * later why. */
#include "as/internal.h"

#include "base/enc.h"
#include "value/json.h"

enum { QUERIES_KEPT = 256 };

static bool by_verifier(vs_val asked)
{
    return vs_span_is(vs_text(vs_getc(asked, AS_ASKED_BY)), AS_VERIFIER);
}

static bool is_kept(const as_values *q, vs_span id)
{
    for (size_t i = 0; i < q->asked.n; i++)
        if (vs_span_eq(vs_text(vs_getc(q->asked.items[i], "id")), id) &&
            by_verifier(q->asked.items[i]) == q->verifier)
            return true;
    return false;
}

/* Undefined when it cannot be had, which the record survives. */
static vs_val digest_of(vs_val value, vs_arena *a)
{
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_STORE_VALUE_MAX);
    if (vs_json_canonical(&text, value, NULL) != VS_OK || !vs_buf_ok(&text) ||
        vs_digest(VS_SHA256, vs_buf_span(&text), VS_LIT(""), VS_LIT(""), md, NULL) != VS_OK)
        return vs_undefined();
    return vs_string(vs_hex_encode_arena(a, vs_span_of(md, 32)));
}

/* Each id once. The policy's answers are kept whole, for the evaluation to be made again; the
 * verifier's are in its claims, and long: their digest will do. */
static void keep(as_values *q, vs_span id, vs_val found)
{
    if (is_kept(q, id))
        return;
    if (q->asked.n == QUERIES_KEPT) {
        q->all_kept = false;
        return;
    }
    vs_arena *a = q->asked.a;
    vs_obj one = {.a = a};
    vs_obj_put(&one, "id", vs_string_dup(a, id));
    vs_obj_put(&one, "found", vs_bool(vs_defined(found)));
    if (q->verifier)
        vs_obj_put(&one, AS_ASKED_BY, vs_cstring(AS_VERIFIER));
    if (vs_defined(found) && q->verifier)
        vs_obj_opt(&one, "sha256", digest_of(found, a));
    else if (vs_defined(found))
        vs_obj_put(&one, "value", vs_copy(a, found));
    vs_vec_add(&q->asked, vs_obj_end(&one, VS_DUP_REFUSE, NULL));
}

vs_code as_values_find(as_values *q, vs_span id, vs_arena *a, vs_val *out, vs_error *err)
{
    *out = vs_undefined();
    if (!q->changes)
        q->changes = rvps_changes(q->rv);
    VS_TRY_WRAP(rvps_query_as_of(q->rv, q->changes, id, q->now, a, out, err), err,
                "querying a reference value");
    keep(q, id, *out);
    return VS_OK;
}

vs_code as_find_endorsement(void *user, vs_span name, vs_arena *a, vs_val *out, vs_error *err)
{
    return as_values_find(user, name, a, out, err);
}

vs_val as_asked_by_verifier(vs_val asked, vs_arena *a)
{
    vs_vec list = {.a = a};
    for (VS_ARR_FOR (one, asked))
        if (by_verifier(*one))
            vs_vec_add(&list, *one);
    return vs_vec_end_array(&list);
}
