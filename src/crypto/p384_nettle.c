/* SPDX-License-Identifier: Apache-2.0 */
/*
 * P-384 verification by nettle, at nearly twice the speed of OpenSSL 3.0, which has no arithmetic
 * of its own for this curve. From nettle 3.8: before 3.7.2 values out of range broke a verification
 * (CVE-2021-20305), and before 3.8 digests that are zero modulo the order did.
 *
 * With z the digest as a number, u1 = z / s and u2 = r / s, a signature is good when the point
 * R = u1 G + u2 Q has the x coordinate r modulo n. Nettle 3.8 adds the two with a formula that does
 * not hold when they are equal, and then refuses a good signature. Whoever holds the private key
 * can make one on purpose, so that case is decided here.
 */
#include <gmp.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>

#include "crypto/ecdsa.h"
#include "crypto/internal.h"

enum { FIELD = 48 };

static const uint8_t order[FIELD] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};

static void set(mpz_t z, vs_span be)
{
    mpz_import(z, be.n, 1, 1, 1, 0, be.p);
}

/* ---- points; GMP and nettle want all that they made back ------------------------------------ */

/* False when a coordinate is outside the field or the point off the curve. */
static bool set_point(struct ecc_point *pub, vs_span point)
{
    mpz_t x, y;
    mpz_inits(x, y, NULL);
    set(x, vs_span_of(point.p + 1, FIELD));
    set(y, vs_span_of(point.p + 1 + FIELD, FIELD));
    bool ok = ecc_point_set(pub, x, y) == 1;
    mpz_clears(x, y, NULL);
    return ok;
}

/* x and y = k p, of G for p == NULL; false when that is at infinity. */
static bool multiply(mpz_t x, mpz_t y, const mpz_t k, const struct ecc_point *p)
{
    struct ecc_scalar scalar;
    struct ecc_point product;
    ecc_scalar_init(&scalar, nettle_get_secp_384r1());
    ecc_point_init(&product, nettle_get_secp_384r1());
    bool ok = ecc_scalar_set(&scalar, k) == 1; /* 1 to n - 1 */
    if (ok && p)
        ecc_point_mul(&product, &scalar, p);
    else if (ok)
        ecc_point_mul_g(&product, &scalar);
    if (ok)
        ecc_point_get(&product, x, y);
    ecc_point_clear(&product);
    ecc_scalar_clear(&scalar);
    return ok;
}

/* u1 G = u2 Q */
static bool meet(const mpz_t u1, const mpz_t u2, const struct ecc_point *pub)
{
    mpz_t x1, y1, x2, y2;
    mpz_inits(x1, y1, x2, y2, NULL);
    bool equal = multiply(x1, y1, u1, NULL) && multiply(x2, y2, u2, pub) && mpz_cmp(x1, x2) == 0 &&
                 mpz_cmp(y1, y2) == 0;
    mpz_clears(x1, y1, x2, y2, NULL);
    return equal;
}

/* ---- verification --------------------------------------------------------------------------- */

/* A good signature with u1 G = u2 Q, and so with R = 2 u1 G: that is looked at first, since it
 * costs a fraction and is hardly ever so. */
static bool verify_doubling(const struct ecc_point *pub, vs_span digest,
                            const struct dsa_signature *sig)
{
    mpz_t n, u1, u2, twice, x, y;
    mpz_inits(n, u1, u2, twice, x, y, NULL);
    set(n, vs_span_of(order, FIELD));
    bool ok = mpz_cmp(sig->r, n) < 0 && mpz_cmp(sig->s, n) < 0 && mpz_sgn(sig->r) > 0 &&
              mpz_invert(u2, sig->s, n) != 0;
    if (ok) {
        set(u1, vs_span_head(digest, FIELD));
        mpz_mul(u1, u1, u2);
        mpz_mod(u1, u1, n);
        mpz_mul(u2, u2, sig->r);
        mpz_mod(u2, u2, n);
        mpz_add(twice, u1, u1);
        mpz_mod(twice, twice, n);
        ok = multiply(x, y, twice, NULL) && mpz_congruent_p(x, sig->r, n) && meet(u1, u2, pub);
    }
    mpz_clears(n, u1, u2, twice, x, y, NULL);
    return ok;
}

bool vs_p384_nettle_point(vs_span point, vs_span digest, vs_span rs)
{
    if (point.n != 1 + 2 * FIELD || point.p[0] != 4 || rs.n != 2 * FIELD)
        return false;
    struct ecc_point pub;
    struct dsa_signature sig;
    ecc_point_init(&pub, nettle_get_secp_384r1());
    dsa_signature_init(&sig);
    set(sig.r, vs_span_head(rs, FIELD));
    set(sig.s, vs_span_from(rs, FIELD));
    bool ok = set_point(&pub, point) && (ecdsa_verify(&pub, digest.n, digest.p, &sig) == 1 ||
                                         verify_doubling(&pub, digest, &sig));
    dsa_signature_clear(&sig);
    ecc_point_clear(&pub);
    return ok;
}

bool vs_p384_nettle(const vs_key *k, vs_span digest, vs_span rs)
{
    return vs_p384_nettle_point(vs_span_of(k->pub, k->pub_n), digest, rs);
}
