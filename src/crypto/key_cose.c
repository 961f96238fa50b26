/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Key: RFC 9052 section 7, RFC 9053 sections 7.1 and 7.2. */
#include "crypto/internal.h"

#include "value/cbor.h"

enum { LABEL_KTY = 1, LABEL_ALG = 3, LABEL_CRV = -1, LABEL_X = -2, LABEL_Y = -3 };
enum { KTY_OKP = 1, KTY_EC2 = 2 };

/* The members that make the key; zero or empty = absent. */
typedef struct cose_members {
    int64_t kty, crv, alg;
    vs_span x, y;
} cose_members;

static void read_member(vs_cbor *c, int64_t label, cose_members *m)
{
    switch (label) {
    case LABEL_KTY: m->kty = vs_cbor_int(c); break;
    case LABEL_ALG: m->alg = vs_cbor_int(c); break;
    case LABEL_CRV: m->crv = vs_cbor_int(c); break;
    case LABEL_X: m->x = vs_cbor_bytes(c); break;
    case LABEL_Y: /* a boolean would be a compressed point */
        if (vs_cbor_peek(c) == VS_CBOR_SIMPLE)
            (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "COSE_Key with a compressed point");
        m->y = vs_cbor_bytes(c);
        break;
    default: (void)vs_cbor_skip(c);
    }
}

static vs_code read_members(vs_span in, cose_members *m, vs_error *err)
{
    VS_TRY_WRAP(vs_cbor_check(in, err), err, "COSE_Key");
    vs_cbor c = vs_cbor_of(in, err);
    size_t n = vs_cbor_map(&c);
    for (size_t i = 0; i < n && c.code == VS_OK; i++) {
        vs_cbor_type label = vs_cbor_peek(&c);
        if (label == VS_CBOR_UINT || label == VS_CBOR_NINT) {
            read_member(&c, vs_cbor_int(&c), m);
        } else {
            (void)vs_cbor_skip(&c);
            (void)vs_cbor_skip(&c);
        }
    }
    return vs_cbor_end(&c);
}

static vs_code cose_type(const cose_members *m, vs_key_type *type, vs_error *err)
{
    for (int t = 0; t < VS_KEY_TYPES; t++) {
        int64_t kty = vs_type_is_ec((vs_key_type)t) ? KTY_EC2 : KTY_OKP;
        if (m->crv != 0 && vs_key_info((vs_key_type)t)->cose_crv == m->crv && kty == m->kty) {
            *type = (vs_key_type)t;
            return VS_OK;
        }
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "COSE_Key of type %lld on curve %lld is not supported",
                   (long long)m->kty, (long long)m->crv);
}

vs_code vs_key_from_cose(vs_span cose_key, vs_key **out, vs_error *err)
{
    cose_members m = {0};
    vs_key_type type = VS_KEY_RSA;
    VS_TRY(read_members(cose_key, &m, err));
    VS_TRY(cose_type(&m, &type, err));
    const vs_alg_info *alg = vs_alg_lookup(vs_alg_of_cose(m.alg));
    if (alg && alg->type != type)
        return vs_fail(err, VS_E_INVALID, "COSE_Key algorithm %s does not fit the key", alg->name);
    if (type == VS_KEY_ED25519)
        return vs_key_import_ed25519(m.x, (vs_span){NULL, 0}, out, err);
    size_t field = vs_key_info(type)->field;
    if (m.x.n != field || m.y.n != field)
        return vs_fail(err, VS_E_INVALID, "COSE_Key coordinates have %zu and %zu bytes, %s has %zu",
                       m.x.n, m.y.n, vs_key_info(type)->crv, field);
    uint8_t point[VS_POINT_MAX] = {4};
    memcpy(point + 1, m.x.p, field);
    memcpy(point + 1 + field, m.y.p, field);
    return vs_key_import_ec(type, vs_span_of(point, 1 + 2 * field), (vs_span){NULL, 0}, out, err);
}

vs_code vs_key_to_cose(vs_buf *out, const vs_key *k, vs_error *err)
{
    const vs_type_info *info = vs_key_info(k->type);
    if (k->type == VS_KEY_RSA)
        return vs_fail(err, VS_E_UNSUPPORTED, "RSA keys are not written as COSE_Key");
    bool ec = vs_type_is_ec(k->type);
    const uint8_t *x = ec ? k->pub + 1 : k->pub;
    vs_cbor_put_map(out, ec ? 4 : 3);
    vs_cbor_put_int(out, LABEL_KTY);
    vs_cbor_put_int(out, ec ? KTY_EC2 : KTY_OKP);
    vs_cbor_put_int(out, LABEL_CRV);
    vs_cbor_put_int(out, info->cose_crv);
    vs_cbor_put_int(out, LABEL_X);
    vs_cbor_put_bytes(out, vs_span_of(x, info->field));
    if (ec) {
        vs_cbor_put_int(out, LABEL_Y);
        vs_cbor_put_bytes(out, vs_span_of(x + info->field, info->field));
    }
    return vs_buf_check(out, err);
}
