/* SPDX-License-Identifier: Apache-2.0 */
/* What an evaluation asks of the reference value provider, and the list of it for those who ask
 * later why. */
#include "as/internal.h"

enum { QUERIES_KEPT = 256 };

/* Each id once. */
static void keep(as_values *q, vs_span id, vs_val found)
{
    for (size_t i = 0; i < q->asked.n; i++)
        if (vs_span_eq(vs_text(vs_getc(q->asked.items[i], "id")), id))
            return;
    if (q->asked.n == QUERIES_KEPT) {
        q->all_kept = false;
        return;
    }
    vs_arena *a = q->asked.a;
    vs_obj one = {.a = a};
    vs_obj_put(&one, "id", vs_string_dup(a, id));
    vs_obj_put(&one, "found", vs_bool(vs_defined(found)));
    if (vs_defined(found))
        vs_obj_put(&one, "value", vs_copy(a, found));
    if (q->verifier)
        vs_obj_put(&one, AS_ASKED_BY, vs_cstring(AS_VERIFIER));
    vs_vec_add(&q->asked, vs_obj_end(&one, VS_DUP_REFUSE, NULL));
}

vs_code as_values_find(as_values *q, vs_span id, vs_arena *a, vs_val *out, vs_error *err)
{
    *out = vs_undefined();
    VS_TRY_WRAP(rvps_query(q->rv, id, q->now, a, out, err), err, "querying a reference value");
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
        if (vs_span_is(vs_text(vs_getc(*one, AS_ASKED_BY)), AS_VERIFIER))
            vs_vec_add(&list, *one);
    return vs_vec_end_array(&list);
}
