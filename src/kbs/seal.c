/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session between /auth and /attest, sealed into its cookie: whoever has not shown evidence
 * cannot make the server keep anything, and any replica can go on where another began.
 *
 * cookie = base64url(key id (1) || iv (12) || AES-256-GCM(session) || tag (16))
 * The iv is random: at 2^32 sessions per key the chance of a repeat is still below 2^-32 (NIST SP
 * 800-38D 8.3). The key id leaves room for a successor key.
 */
#include "kbs/internal.h"

#include "base/enc.h"
#include "base/io.h"

enum { KEY_ID = 1, IV = 12, TAG = 16, PLAIN_MAX = 128, SEALED_MAX = 1 + IV + PLAIN_MAX + TAG };
enum { FIXED = 1 + KBS_SESSION_ID + KBS_NONCE + 8 + 8 + 1 + 1 + 1 + 1 };
enum { FORMAT = 2 };

static const char key_name[] = "session-seal-1";
#define AAD VS_LIT("vouchsafe kbs session\x01")

vs_code kbs_seal_load(kbs_seal *s, vs_store *store, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(sizeof s->key);
    vs_code code = vs_store_get(store, KBS_NS_SECRET, vs_str(key_name), 0, &key, err);
    if (code == VS_E_NOT_FOUND) {
        uint8_t fresh[sizeof s->key];
        vs_random(fresh, sizeof fresh);
        code = vs_store_put(store, KBS_NS_SECRET, vs_str(key_name), vs_span_of(fresh, sizeof fresh),
                            0, VS_PUT_CREATE, err);
        vs_wipe(fresh, sizeof fresh);
        if (code == VS_OK || code == VS_E_EXISTS) /* another replica may have been first */
            code = vs_store_get(store, KBS_NS_SECRET, vs_str(key_name), 0, &key, err);
    }
    VS_TRY_WRAP(code, err, "the session key in the store");
    if (key.n != sizeof s->key)
        return vs_fail(err, VS_E_INVALID, "the stored session key has %zu bytes", key.n);
    memcpy(s->key, key.p, sizeof s->key);
    return VS_OK;
}

vs_code kbs_seal_check(const kbs_seal *s, vs_store *store, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(sizeof s->key);
    VS_TRY(vs_store_get(store, KBS_NS_SECRET, vs_str(key_name), 0, &key, err));
    if (!vs_ct_eq(vs_buf_span(&key), vs_span_of(s->key, sizeof s->key)))
        return vs_fail(err, VS_E_CONFLICT, "the session key in the store is not the one in use");
    return VS_OK;
}

static void put_time(vs_buf *out, int64_t t)
{
    for (unsigned shift = 64; shift > 0; shift -= 8)
        vs_buf_putc(out, (char)(uint8_t)((uint64_t)t >> (shift - 8)));
}

static int64_t get_time(const uint8_t *p)
{
    uint64_t t = 0;
    for (unsigned i = 0; i < 8; i++)
        t = t << 8 | p[i];
    return (int64_t)t;
}

vs_code kbs_session_seal(const kbs_seal *s, const kbs_session *in, vs_buf *cookie, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf plain = VS_BUF(PLAIN_MAX);
    vs_span tee = vs_str(in->tee);
    vs_buf_putc(&plain, FORMAT);
    vs_buf_put(&plain, vs_span_of(in->id, sizeof in->id));
    vs_buf_put(&plain, vs_span_of(in->nonce, sizeof in->nonce));
    put_time(&plain, in->issued);
    put_time(&plain, in->expires);
    vs_buf_putc(&plain, (char)in->hash);
    vs_buf_putc(&plain, (char)in->protocol);
    vs_buf_putc(&plain, in->foreign);
    vs_buf_putc(&plain, (char)tee.n);
    vs_buf_put(&plain, tee);
    VS_TRY(vs_buf_check(&plain, err));

    VS_CLEANUP(vs_buf_free) vs_buf sealed = VS_BUF(SEALED_MAX);
    uint8_t iv[IV];
    vs_random(iv, sizeof iv);
    vs_buf_putc(&sealed, KEY_ID);
    vs_buf_put(&sealed, vs_span_of(iv, sizeof iv));
    VS_TRY(vs_gcm_seal(s->key, iv, AAD, vs_buf_span(&plain), &sealed, err));
    VS_TRY(vs_buf_check(&sealed, err));
    vs_b64_encode(cookie, VS_B64_URL, vs_buf_span(&sealed));
    return vs_buf_check(cookie, err);
}

static vs_code open_cookie(const kbs_seal *s, vs_span cookie, vs_buf *plain, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf sealed = VS_BUF(SEALED_MAX);
    VS_TRY(vs_b64_decode(&sealed, VS_B64_URL, cookie, err));
    if (sealed.n < 1 + IV + TAG || sealed.p[0] != KEY_ID)
        return vs_fail(err, VS_E_PARSE, "not a session of this service");
    return vs_gcm_open(s->key, sealed.p + 1, AAD, vs_span_from(vs_buf_span(&sealed), 1 + IV), plain,
                       err);
}

vs_code kbs_session_unseal(const kbs_seal *s, vs_span cookie, int64_t now, kbs_session *out,
                           vs_error *err)
{
    *out = (kbs_session){0};
    VS_CLEANUP(vs_buf_free) vs_buf plain = VS_BUF(PLAIN_MAX);
    VS_TRY_WRAP(open_cookie(s, cookie, &plain, err), err, "session cookie");
    const uint8_t *p = plain.p;
    size_t tee = plain.n >= FIXED ? p[FIXED - 1] : 0;
    if (plain.n < FIXED || p[0] != FORMAT || tee > KBS_TEE_NAME || plain.n != FIXED + tee)
        return vs_fail(err, VS_E_PARSE, "session cookie of another version");
    kbs_session r = {0};
    p += 1;
    memcpy(r.id, p, sizeof r.id);
    p += sizeof r.id;
    memcpy(r.nonce, p, sizeof r.nonce);
    p += sizeof r.nonce;
    r.issued = get_time(p);
    r.expires = get_time(p + 8);
    r.hash = (vs_hash)p[16];
    r.protocol = (kbs_protocol)p[17];
    r.foreign = p[18] != 0;
    memcpy(r.tee, p + 20, tee);
    if (now >= r.expires)
        return vs_fail(err, VS_E_EXPIRED, "the session expired %lld s ago",
                       (long long)(now - r.expires));
    *out = r;
    return VS_OK;
}
