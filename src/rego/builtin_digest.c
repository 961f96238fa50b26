/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.md5, crypto.sha*, crypto.hmac.* (rego.md 10.9): over the bytes of a string, hexadecimal.
 */
#include "base/enc.h"
#include "crypto/crypto.h"
#include "rego/builtins.h"

static rego_bres give(rego_bctx *b, vs_code code, vs_hash h, const uint8_t *digest, vs_val *out)
{
    if (code != VS_OK)
        return REGO_B_LIMIT;
    *out = vs_string(vs_hex_encode_arena(b->a, vs_span_of(digest, vs_hash_size(h))));
    return REGO_B_OK;
}

static rego_bres digest(rego_bctx *b, const vs_val *args, vs_hash h, vs_val *out)
{
    uint8_t d[VS_HASH_MAX];
    vs_span none = {NULL, 0};
    REGO_WANT(0, VS_STRING);
    if (!rego_charge(b, 10 + args[0].len / 16))
        return REGO_B_LIMIT;
    return give(b, vs_digest(h, vs_text(args[0]), none, none, d, NULL), h, d, out);
}

static rego_bres hmac(rego_bctx *b, const vs_val *args, vs_hash h, vs_val *out)
{
    uint8_t d[VS_HASH_MAX];
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    if (!rego_charge(b, 20 + args[0].len / 16 + args[1].len / 16))
        return REGO_B_LIMIT;
    return give(b, vs_hmac(h, vs_text(args[1]), vs_text(args[0]), d, NULL), h, d, out);
}

#define DIGEST(name, how, hash)                                                                    \
    rego_bres rego_bi_##name(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)            \
    {                                                                                              \
        (void)n;                                                                                   \
        return how(b, args, hash, out);                                                            \
    }
DIGEST(crypto_md5, digest, VS_MD5)
DIGEST(crypto_sha1, digest, VS_SHA1)
DIGEST(crypto_sha256, digest, VS_SHA256)
DIGEST(hmac_md5, hmac, VS_MD5)
DIGEST(hmac_sha1, hmac, VS_SHA1)
DIGEST(hmac_sha256, hmac, VS_SHA256)
DIGEST(hmac_sha512, hmac, VS_SHA512)

rego_bres rego_bi_hmac_equal(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    *out = vs_bool(vs_ct_eq(vs_text(args[0]), vs_text(args[1])));
    return REGO_B_OK;
}
