/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CCA token, against a store that trusts the platform of the seeds: they verify or
 * are refused, never half. */
#include <stdlib.h>

#include "tee/cca/verify.h"

/* The platform that signed the seeds: its CPAK was a throw-away test key. */
static const char ta_store[] =
    "[{\"implementation-id\":\"69c30499b2877bff201f0926a34b3b2793018a7b775cbbd26edcaf8269717faa\","
    "\"instance-id\":\"01abb07e83fc77693be86521efc851baeede1f597f612e8f43fbaa4aa1f392506e\","
    "\"pkey\":{\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"8uW0dUK_wEm0Pxdi0Uls9Le3FVR8D-bcNxM4l1USu88\",\"y\":\"Wbwo-"
    "jmKQlcYDhQPfIwPzjAxnjkLT6Qum0mE-xu07eY\"}}]";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cca_trust *trust;
    if (!trust && cca_trust_of_text(vs_str(ta_store), VS_LIT("{}"), &trust, NULL) != VS_OK)
        abort();
    vs_arena a;
    vs_arena_init(&a, 1 << 20);
    vs_error err = {0};
    cca_token t;
    cca_verdict v;
    cca_snapshot *s = NULL;
    vs_code code = cca_token_decode(&a, vs_span_of(data, size), &t, &err);
    if (code == VS_OK && cca_trust_take(trust, &s, &err) == VS_OK) {
        const cca_basis basis = {.snapshot = s, .a = &a};
        code = cca_verify_chain(&basis, &t, &v, &err);
        if ((code == VS_OK) != v.realm_bound || (v.realm_bound && !v.anchor))
            abort();
        if (code == VS_OK && cca_appraise(&basis, &t, &v, &err) == VS_OK)
            abort(); /* the reference store is empty */
        cca_snapshot_release(&s);
    }
    if (code != VS_OK && !vs_error_at(&err, 0))
        abort();
    vs_arena_free(&a);
    return 0;
}
