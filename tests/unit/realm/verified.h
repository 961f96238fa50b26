/* SPDX-License-Identifier: Apache-2.0 */
/* A token of a soft realm, held against the stores of the same realm. */
#ifndef VS_TEST_VERIFIED_H
#define VS_TEST_VERIFIED_H

#include "../tee/soft_realm.h"

#include "tee/cca/verify.h"

static inline vs_code verify(const soft_realm *s, char why[VS_ERROR_TEXT])
{
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    cca_trust *trust = NULL;
    cca_snapshot *snapshot = NULL;
    cca_token t;
    cca_verdict v;
    soft_token(s, &token);
    soft_trust(s, &trust);
    assert_vs_code(cca_trust_take(trust, &snapshot, NULL), VS_OK);
    vs_code code = cca_token_decode(&a, vs_buf_span(&token), &t, &err);
    if (code == VS_OK)
        code = cca_verify_chain(&(cca_basis){.snapshot = snapshot, .a = &a}, &t, &v, &err);
    if (code == VS_OK)
        code = cca_appraise(&(cca_basis){.snapshot = snapshot, .a = &a}, &t, &v, &err);
    if (code == VS_OK)
        assert_true(v.realm_known);
    (void)vs_error_text(&err, why, VS_ERROR_TEXT);
    cca_snapshot_release(&snapshot);
    cca_trust_free(&trust);
    vs_arena_free(&a);
    vs_buf_free(&token);
    return code;
}

#endif
