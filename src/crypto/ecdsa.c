/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA over a digest. JOSE and COSE carry r||s of fixed width (RFC 7518 section 3.4, RFC 9053
 * section 2.1); OpenSSL wants the DER SEQUENCE of two INTEGERs. The conversion stays on the stack.
 */
#include "crypto/ecdsa.h"

#include "crypto/internal.h"

/* SEQUENCE head 3, and twice INTEGER head 2, sign octet 1, P-521 scalar 66. */
enum { DER_MAX = 3 + 2 * (2 + 1 + 66) };

static size_t put_integer(uint8_t *out, const uint8_t *be, size_t n)
{
    while (n > 1 && *be == 0) {
        be++;
        n--;
    }
    size_t sign = *be >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(n + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, be, n);
    return 2 + sign + n;
}

static size_t raw_to_der(uint8_t out[DER_MAX], vs_span rs)
{
    size_t half = rs.n / 2;
    uint8_t body[DER_MAX];
    size_t n = put_integer(body, rs.p, half);
    n += put_integer(body + n, rs.p + half, half);
    size_t head = 2;
    out[0] = 0x30;
    out[1] = (uint8_t)n;
    if (n > 127) { /* P-521 only */
        out[1] = 0x81;
        out[2] = (uint8_t)n;
        head = 3;
    }
    memcpy(out + head, body, n);
    return head + n;
}

/* Reads an INTEGER of DER that OpenSSL made into `width` bytes; returns what is behind it. */
static bool get_integer(vs_span *der, uint8_t *out, size_t width)
{
    if (der->n < 2 || der->p[0] != 0x02 || der->p[1] > der->n - 2)
        return false;
    vs_span v = {der->p + 2, der->p[1]};
    *der = vs_span_from(*der, 2 + v.n);
    while (v.n && *v.p == 0)
        v = vs_span_from(v, 1);
    if (v.n > width)
        return false;
    memset(out, 0, width - v.n);
    if (v.n)
        memcpy(out + width - v.n, v.p, v.n);
    return true;
}

static bool der_to_raw(vs_span der, uint8_t *rs, size_t half)
{
    vs_span body = vs_span_from(der, der.n > 1 && der.p[1] == 0x81 ? 3 : 2);
    return get_integer(&body, rs, half) && get_integer(&body, rs + half, half) && body.n == 0;
}

bool vs_ecdsa_openssl(const vs_key *k, vs_span digest, vs_span rs)
{
    uint8_t der[DER_MAX];
    size_t n = raw_to_der(der, rs);
    VS_CLEANUP(vs_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(k->verify);
    return ctx && EVP_PKEY_verify(ctx, der, n, digest.p, digest.n) == 1;
}

/* P-384 verification is the cost of a CCA attestation, and OpenSSL is not the fastest at it: the
 * build may choose another back end. */
vs_ecdsa_fn *const vs_p384_verify = VS_P384_VERIFY;
const char *const vs_p384_name = VS_P384_NAME;

vs_code vs_ecdsa_verify(const vs_key *k, vs_span digest, vs_span rs, vs_error *err)
{
    size_t want = 2 * vs_key_info(k->type)->field;
    if (rs.n != want)
        return vs_fail(err, VS_E_CRYPTO, "signature has %zu bytes, %s needs %zu", rs.n,
                       vs_key_info(k->type)->crv, want);
    vs_ecdsa_fn *verify = k->type == VS_KEY_P384 ? vs_p384_verify : vs_ecdsa_openssl;
    if (!verify(k, digest, rs))
        return vs_ossl_fail(err, VS_E_CRYPTO, "signature does not verify");
    return VS_OK;
}

vs_code vs_ecdsa_sign(const vs_key *k, vs_span digest, vs_buf *rs, vs_error *err)
{
    size_t half = vs_key_info(k->type)->field, n = DER_MAX;
    uint8_t der[DER_MAX];
    VS_CLEANUP(vs_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(k->sign);
    if (!ctx || EVP_PKEY_sign(ctx, der, &n, digest.p, digest.n) != 1)
        return vs_ossl_fail(err, VS_E_INTERNAL, "signing");
    uint8_t *out = vs_buf_reserve(rs, 2 * half);
    if (!out)
        return vs_buf_check(rs, err);
    if (!der_to_raw(vs_span_of(der, n), out, half))
        return vs_fail(err, VS_E_INTERNAL, "signature from OpenSSL is not DER");
    return VS_OK;
}
