/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/cose.h"

#include "value/cbor.h"

enum { TAG_SIGN1 = 18, LABEL_ALG = 1, LABEL_CRIT = 2, SIG_MAX = 1024 };

/* ---- reading -------------------------------------------------------------------------------- */

/* One member of the protected header whose label is an integer. */
static void read_parameter(vs_cbor *c, int64_t label, vs_alg *alg)
{
    if (label == LABEL_CRIT) {
        (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "critical header parameters (crit)");
    } else if (label != LABEL_ALG) {
        (void)vs_cbor_skip(c);
    } else if (vs_cbor_peek(c) == VS_CBOR_TEXT) { /* RFC 9052 allows names; none is registered */
        (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "algorithm given as text");
    } else {
        int64_t id = vs_cbor_int(c);
        *alg = vs_alg_of_cose(id);
        if (c->code == VS_OK && *alg == VS_ALG_NONE)
            (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "unknown algorithm %lld", (long long)id);
    }
}

/* The algorithm of an encoded protected header, which must be a map that names it. */
static vs_code read_protected(vs_span map, vs_alg *alg, vs_error *err)
{
    *alg = VS_ALG_NONE;
    if (map.n == 0) /* how an empty header is to be encoded (RFC 9052 section 3) */
        return vs_fail(err, VS_E_INVALID, "no algorithm");
    VS_TRY(vs_cbor_check(map, err)); /* duplicate labels, trailing bytes */
    vs_cbor c = vs_cbor_of(map, err);
    size_t n = vs_cbor_map(&c);
    for (size_t i = 0; i < n && c.code == VS_OK; i++) {
        vs_cbor_type label = vs_cbor_peek(&c);
        if (label == VS_CBOR_UINT || label == VS_CBOR_NINT) {
            read_parameter(&c, vs_cbor_int(&c), alg);
        } else if (label == VS_CBOR_TEXT) {
            (void)vs_cbor_skip(&c);
            (void)vs_cbor_skip(&c);
        } else {
            (void)vs_cbor_fail(&c, VS_E_INVALID, "header label is neither integer nor text");
        }
    }
    VS_TRY(vs_cbor_end(&c));
    if (*alg == VS_ALG_NONE)
        return vs_fail(err, VS_E_INVALID, "no algorithm");
    return VS_OK;
}

/* Must be a map; what it says is not protected and so not used (cca.md 1.2). */
static void skip_unprotected(vs_cbor *c)
{
    if (vs_cbor_peek(c) != VS_CBOR_MAP)
        (void)vs_cbor_fail(c, VS_E_INVALID, "unprotected header is not a map");
    (void)vs_cbor_skip(c);
}

static vs_code read_sign1(vs_span in, vs_cose_sign1 *m, vs_error *err)
{
    VS_TRY(vs_cbor_check(in, err));
    vs_cbor c = vs_cbor_of(in, err);
    if (vs_cbor_peek(&c) != VS_CBOR_TAG || vs_cbor_tag(&c) != TAG_SIGN1)
        return vs_cbor_fail(&c, VS_E_INVALID, "tag %d is missing", TAG_SIGN1);
    size_t n = vs_cbor_array(&c);
    if (c.code == VS_OK && n != 4)
        return vs_cbor_fail(&c, VS_E_INVALID, "array of %zu elements instead of 4", n);
    m->protected_bytes = vs_cbor_bytes(&c);
    skip_unprotected(&c);
    m->payload = vs_cbor_bytes(&c);
    m->signature = vs_cbor_bytes(&c);
    return vs_cbor_end(&c);
}

vs_code vs_cose_parse(vs_span in, vs_cose_sign1 *out, vs_error *err)
{
    vs_cose_sign1 m = {0};
    VS_TRY_WRAP(read_sign1(in, &m, err), err, "COSE_Sign1");
    VS_TRY_WRAP(read_protected(m.protected_bytes, &m.alg, err), err, "COSE_Sign1 protected header");
    *out = m;
    return VS_OK;
}

/* ---- Sig_structure (RFC 9052 section 4.4) --------------------------------------------------- */

/* The head of a byte string; sizes are bounded by memory, so 9 bytes do. */
static vs_span bstr_head(uint8_t out[9], size_t n)
{
    static const struct {
        size_t below;
        uint8_t info, extra;
    } forms[] = {
        {24, 0, 0}, {0x100, 24, 1}, {0x10000, 25, 2}, {0x100000000, 26, 4}, {SIZE_MAX, 27, 8}};
    size_t f = 0;
    while (n >= forms[f].below)
        f++;
    out[0] = (uint8_t)(0x40 | (f ? forms[f].info : n));
    for (unsigned i = 0; i < forms[f].extra; i++)
        out[1 + i] = (uint8_t)(n >> 8 * (forms[f].extra - 1u - i));
    return vs_span_of(out, 1u + forms[f].extra);
}

enum { SIG_PARTS = 7 };
typedef struct sig_structure {
    vs_span part[SIG_PARTS];
    uint8_t head[3][9];
} sig_structure;

/* In parts, so that the payload is hashed where it is. */
static void make_sig_structure(sig_structure *s, vs_span protected_map, vs_span aad,
                               vs_span payload)
{
    s->part[0] = VS_LIT("\x84\x6aSignature1");
    s->part[1] = bstr_head(s->head[0], protected_map.n);
    s->part[2] = protected_map;
    s->part[3] = bstr_head(s->head[1], aad.n);
    s->part[4] = aad;
    s->part[5] = bstr_head(s->head[2], payload.n);
    s->part[6] = payload;
}

vs_code vs_cose_verify(const vs_cose_sign1 *m, const vs_key *key, vs_span external_aad,
                       vs_error *err)
{
    sig_structure s;
    make_sig_structure(&s, m->protected_bytes, external_aad, m->payload);
    return vs_verify(key, m->alg, s.part, SIG_PARTS, m->signature, err);
}

/* ---- writing -------------------------------------------------------------------------------- */

vs_code vs_cose_sign(vs_buf *out, const vs_key *key, vs_alg alg, vs_span protected_map,
                     vs_span external_aad, vs_span payload, vs_error *err)
{
    vs_alg named;
    VS_TRY_WRAP(read_protected(protected_map, &named, err), err, "protected header to sign");
    if (named != alg)
        return vs_fail(err, VS_E_INVALID, "protected header names %s, not %s", vs_alg_name(named),
                       vs_alg_name(alg));
    sig_structure s;
    make_sig_structure(&s, protected_map, external_aad, payload);
    VS_CLEANUP(vs_buf_free) vs_buf sig = VS_BUF(SIG_MAX);
    VS_TRY(vs_sign(key, alg, s.part, SIG_PARTS, &sig, err));
    vs_cbor_put_tag(out, TAG_SIGN1);
    vs_cbor_put_array(out, 4);
    vs_cbor_put_bytes(out, protected_map);
    vs_cbor_put_map(out, 0);
    vs_cbor_put_bytes(out, payload);
    vs_cbor_put_bytes(out, vs_buf_span(&sig));
    return vs_buf_check(out, err);
}
