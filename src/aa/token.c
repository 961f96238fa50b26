/* SPDX-License-Identifier: Apache-2.0 */
#include "aa/token.h"

#include "envelope/jose.h"

enum {
    AGAIN_S = 2,      /* asked for again so soon: somebody was refused */
    FRESH_S = 30,     /* ... but not with a token of this age */
    MARGIN_MAX_S = 60 /* life that must be left, or a quarter of it all if that is less */
};

aa_token_state aa_token_look(const aa_token_cache *c, vs_span said_refused, int64_t now)
{
    if (c->json.n == 0 || now < c->fetched || (c->expires && now >= c->expires))
        return AA_TOKEN_NONE;
    if (!c->expires) /* it may have been revoked in any way */
        return AA_TOKEN_NONE;
    if (vs_span_eq(said_refused, vs_span_of(c->digest, sizeof c->digest)))
        return AA_TOKEN_NONE;
    int64_t life = c->expires - c->fetched;
    int64_t margin = life / 4 < MARGIN_MAX_S ? life / 4 : MARGIN_MAX_S;
    bool refused = c->given && now - c->given < AGAIN_S && now - c->fetched >= FRESH_S;
    return refused || c->expires - now < margin ? AA_TOKEN_STALE : AA_TOKEN_GOOD;
}

/* Of a token whose signature is the KBS's business: this is only about keeping it. */
static int64_t expiry_of(vs_span token)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_jws jws;
    vs_val claims, exp;
    if (vs_jws_parse(&a, token, &jws, NULL) != VS_OK ||
        vs_json_parse(&a, jws.payload, NULL, &claims, NULL) != VS_OK ||
        vs_need(claims, "exp", VS_NUMBER, &exp, NULL) != VS_OK || !vs_is_int(exp))
        return 0;
    return exp.u.i;
}

/* PEM has line feeds and nothing else that JSON would escape. */
static void put_pem(vs_buf *json, vs_span pem)
{
    for (size_t i = 0; i < pem.n; i++) {
        if (pem.p[i] == '\n')
            vs_buf_puts(json, "\\n");
        else
            vs_buf_putc(json, (char)pem.p[i]);
    }
}

vs_code aa_token_keep(aa_token_cache *c, vs_span token, const vs_key *key, int64_t now,
                      vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(64 * 1024);
    uint8_t digest[VS_HASH_MAX];
    aa_token_forget(c);
    VS_TRY(vs_digest(VS_SHA256, token, (vs_span){0}, (vs_span){0}, digest, err));
    memcpy(c->digest, digest, sizeof c->digest);
    /* The pure Rust consumer reads PKCS#8 of EC and PKCS#1 of RSA keys, and no other. */
    if (vs_key_kind(key) == VS_KEY_RSA)
        VS_TRY(vs_key_to_pem_old(&pem, key, err));
    else
        VS_TRY(vs_key_to_pem(&pem, key, true, err));
    vs_buf_puts(&c->json, "{\"token\":\"");
    vs_buf_put(&c->json, token);
    vs_buf_puts(&c->json, "\",\"tee_keypair\":\"");
    put_pem(&c->json, vs_buf_span(&pem));
    vs_buf_puts(&c->json, "\"}");
    c->expires = expiry_of(token);
    c->fetched = now;
    vs_code code = vs_buf_check(&c->json, err);
    if (code != VS_OK)
        aa_token_forget(c);
    return code;
}

void aa_token_forget(aa_token_cache *c)
{
    vs_buf_free(&c->json);
    *c = (aa_token_cache){.json = VS_BUF(AA_TOKEN_MAX)};
}
