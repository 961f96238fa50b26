/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session between /auth and /attest, sealed into its cookie (as/ticket.h): whoever has not
 * shown evidence cannot make the server keep anything, and any replica can go on where another
 * began.
 */
#include "kbs/internal.h"

enum { PLAIN_MAX = 128 };
enum { FIXED = 1 + KBS_SESSION_ID + KBS_NONCE + 8 + 8 + 1 + 1 + 1 + 1 };
enum { FORMAT = 2 };

static const char key_name[] = "session-seal-1";
#define LABEL VS_LIT("vouchsafe kbs session\x01")

vs_code kbs_seal_load(kbs_seal *s, vs_store *store, vs_error *err)
{
    return as_ticket_key_load(s, store, key_name, err);
}

vs_code kbs_seal_check(const kbs_seal *s, vs_store *store, vs_error *err)
{
    return as_ticket_key_check(s, store, key_name, err);
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
    return as_ticket_seal(s, LABEL, vs_buf_span(&plain), cookie, err);
}

vs_code kbs_session_unseal(const kbs_seal *s, vs_span cookie, int64_t now, kbs_session *out,
                           vs_error *err)
{
    *out = (kbs_session){0};
    VS_CLEANUP(vs_buf_free) vs_buf plain = VS_BUF(PLAIN_MAX);
    VS_TRY_WRAP(as_ticket_open(s, LABEL, cookie, &plain, err), err, "session cookie");
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
