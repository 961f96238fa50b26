/* SPDX-License-Identifier: Apache-2.0 */
/* The session after attestation: its token, kept until session or token expires (as/ticket.h). */
#include "kbs/internal.h"

static as_keep keep_of(const kbs_session *s)
{
    as_keep k = {.ns = KBS_NS_SESSION, .label = "vouchsafe kbs session token 1"};
    memcpy(k.id, s->id, sizeof k.id);
    return k;
}

vs_code kbs_session_token(kbs *k, const kbs_session *s, int64_t now, vs_arena *a, vs_span *token,
                          vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KBS_TOKEN_MAX);
    const as_keep keep = keep_of(s);
    VS_TRY(as_keep_get(k->store, &keep, now, &text, err));
    *token = vs_dup(a, vs_buf_span(&text));
    return vs_arena_check(a, err);
}

vs_code kbs_session_attested(kbs *k, const kbs_session *s, vs_span token, int64_t expires,
                             vs_error *err)
{
    const as_keep keep = keep_of(s);
    return as_keep_put(k->store, &keep, token, expires < s->expires ? expires : s->expires,
                       VS_PUT_CREATE, err);
}
