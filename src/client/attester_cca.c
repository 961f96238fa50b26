/* SPDX-License-Identifier: Apache-2.0 */
/* Arm CCA: the token of a realm (cca.md 7). */
#include "client/attester_tee.h"
#include "tee/cca/token.h"
#include "tee/evidence.h"

/* cca.md 4.1: the token as an array of numbers. */
static vs_code evidence(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(VS_TSM_OUTBLOB_MAX);
    VS_TRY(attester_report(a, report_data, &token, NULL, err));
    vs_buf_puts(json, "{\"token\":");
    evidence_put_bytes(json, vs_buf_span(&token));
    vs_buf_putc(json, '}');
    return vs_buf_check(json, err);
}

/* The token is the realm's own, fresh and from the device: its signatures are the verifier's
 * business. */
static vs_code check_init_data(const attester *a, vs_span digest, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena arena;
    vs_arena_init(&arena, 0);
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(VS_TSM_OUTBLOB_MAX);
    uint8_t challenge[TSM_REPORT_DATA];
    cca_token token;
    VS_TRY(attester_fresh_report(a, challenge, &bytes, err));
    VS_TRY(cca_token_decode(&arena, vs_buf_span(&bytes), &token, err));
    return attester_match_init_data(a, token.realm.rpv, "realm personalization value", digest,
                                    token.realm.challenge, challenge, err);
}

const tee_attester tee_attester_cca = {.name = "cca",
                                       .provider = "arm_cca_guest\n",
                                       .evidence = evidence,
                                       .check_init_data = check_init_data};
