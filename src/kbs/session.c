/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session after attestation: its token, kept until session or token expires.
 *
 * The record is found under a digest of the session id and sealed with a key derived from the id.
 * Only the client's cookie holds the id, so a copy of the database holds no token that could be
 * used.
 */
#include "kbs/internal.h"

#include "base/enc.h"
#include "base/io.h"

enum { IV = 12, TAG = 16 };

typedef struct place {
    vs_buf name;              /* hexadecimal SHA-256 of the id */
    uint8_t key[VS_HASH_MAX]; /* of AES-256-GCM: the first 32 bytes */
} place;

static void place_free(place *p)
{
    vs_buf_free(&p->name);
    vs_wipe(p->key, sizeof p->key);
}

static vs_code place_of(const kbs_session *s, place *out, vs_error *err)
{
    uint8_t md[VS_HASH_MAX];
    vs_span id = vs_span_of(s->id, sizeof s->id);
    out->name = (vs_buf)VS_BUF(2 * VS_HASH_MAX);
    VS_TRY(vs_digest(VS_SHA256, id, VS_LIT(""), VS_LIT(""), md, err));
    vs_hex_encode(&out->name, vs_span_of(md, vs_hash_size(VS_SHA256)));
    VS_TRY(vs_hmac(VS_SHA256, id, VS_LIT("vouchsafe kbs session token 1"), out->key, err));
    return vs_buf_check(&out->name, err);
}

vs_code kbs_session_token(kbs *k, const kbs_session *s, int64_t now, vs_arena *a, vs_span *token,
                          vs_error *err)
{
    VS_CLEANUP(place_free) place at = {0};
    VS_CLEANUP(vs_buf_free) vs_buf record = VS_BUF(KBS_TOKEN_MAX + IV + TAG);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KBS_TOKEN_MAX);
    VS_TRY(place_of(s, &at, err));
    vs_span name = vs_buf_span(&at.name);
    VS_TRY(vs_store_get(k->store, KBS_NS_SESSION, name, now, &record, err));
    if (record.n < IV + TAG)
        return vs_fail(err, VS_E_PARSE, "the stored session is damaged");
    VS_TRY_WRAP(
        vs_gcm_open(at.key, record.p, name, vs_span_from(vs_buf_span(&record), IV), &text, err),
        err, "the stored session is damaged");
    *token = vs_dup(a, vs_buf_span(&text));
    return vs_arena_check(a, err);
}

vs_code kbs_session_attested(kbs *k, const kbs_session *s, vs_span token, int64_t expires,
                             vs_error *err)
{
    VS_CLEANUP(place_free) place at = {0};
    VS_CLEANUP(vs_buf_free) vs_buf record = VS_BUF(KBS_TOKEN_MAX + IV + TAG);
    VS_TRY(place_of(s, &at, err));
    vs_span name = vs_buf_span(&at.name);
    uint8_t iv[IV];
    vs_random(iv, sizeof iv);
    vs_buf_put(&record, vs_span_of(iv, sizeof iv));
    VS_TRY(vs_gcm_seal(at.key, iv, name, token, &record, err));
    VS_TRY(vs_buf_check(&record, err));
    return vs_store_put(k->store, KBS_NS_SESSION, name, vs_buf_span(&record),
                        expires < s->expires ? expires : s->expires, VS_PUT_CREATE, err);
}
