/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest in a COSE_Sign1 (cca.md 6.4). */
#include "envelope/corim_template.h"
#include "value/cbor.h"

#define CONTENT_TYPE "application/rim+cbor"

enum { ALG = 1, CONTENT = 3, KID = 4, META = 8, X5CHAIN = 33 };

static vs_code put_chain(vs_buf *out, const vs_certs *chain, vs_error *err)
{
    size_t n = vs_certs_count(chain);
    if (n > CORIM_CHAIN_MAX)
        return vs_fail(err, VS_E_LIMIT, "a chain of %zu certificates, at most %d", n,
                       CORIM_CHAIN_MAX);
    vs_cbor_put_uint(out, X5CHAIN);
    if (n > 1)
        vs_cbor_put_array(out, n);
    for (size_t i = 0; i < n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf der = VS_BUF(1 << 16);
        VS_TRY(vs_certs_der(chain, i, &der, err));
        vs_cbor_put_bytes(out, vs_buf_span(&der));
    }
    return VS_OK;
}

static vs_code check_chain(const corim_signature *how, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    if (!how->chain)
        return VS_OK;
    VS_TRY(vs_certs_check_signer(how->chain, 0, err));
    VS_TRY(vs_certs_key(how->chain, 0, &key, err));
    return vs_key_public_eq(key, how->key)
               ? VS_OK
               : vs_fail(err, VS_E_MISMATCH,
                         "the first certificate is not that of the signing key");
}

static vs_code put_header(vs_buf *out, vs_arena *a, const corim_signature *how, vs_error *err)
{
    bool has_meta = vs_defined(how->meta);
    vs_cbor_put_map(out, 2u + (how->kid.n != 0) + has_meta + (how->chain != NULL));
    vs_cbor_put_uint(out, ALG);
    vs_cbor_put_int(out, vs_alg_to_cose(vs_key_default_alg(how->key)));
    vs_cbor_put_uint(out, CONTENT);
    vs_cbor_put_text(out, CONTENT_TYPE);
    if (how->kid.n) {
        vs_cbor_put_uint(out, KID);
        vs_cbor_put_bytes(out, how->kid);
    }
    if (has_meta) {
        VS_CLEANUP(vs_buf_free) vs_buf meta = VS_BUF(1 << 16);
        VS_TRY(corim_put_meta(&meta, a, how->meta, err));
        vs_cbor_put_uint(out, META);
        vs_cbor_put_bytes(out, vs_buf_span(&meta));
    }
    if (how->chain)
        VS_TRY(put_chain(out, how->chain, err));
    return vs_buf_check(out, err);
}

vs_code corim_put_signed(vs_buf *out, vs_arena *a, const corim_signature *how, vs_span manifest,
                         vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf header = VS_BUF(1 << 20);
    VS_TRY_WRAP(check_chain(how, err), err, "certificate chain");
    VS_TRY(put_header(&header, a, how, err));
    return vs_cose_sign(out, how->key, vs_key_default_alg(how->key), vs_buf_span(&header),
                        (vs_span){NULL, 0}, manifest, err);
}
