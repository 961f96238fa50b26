/* SPDX-License-Identifier: Apache-2.0 */
/* JWS compact serialisation: RFC 7515 section 7.1. */
#include "base/enc.h"
#include "envelope/jose.h"

/* ---- reading -------------------------------------------------------------------------------- */

typedef struct segments {
    vs_span header, payload, signature;
} segments;

/* Exactly three parts; sizes are judged before anything is allocated for them. */
static vs_code split(vs_span compact, segments *s, vs_error *err)
{
    if (compact.n > VS_JWS_MAX)
        return vs_fail(err, VS_E_LIMIT, "JWS has %zu bytes, at most %d are taken", compact.n,
                       VS_JWS_MAX);
    vs_span rest;
    bool one, two, three;
    s->header = vs_span_cut(compact, '.', &rest, &one);
    s->payload = vs_span_cut(rest, '.', &rest, &two);
    s->signature = vs_span_cut(rest, '.', &rest, &three);
    if (!one || !two || three || s->header.n == 0 || s->signature.n == 0)
        return vs_fail(err, VS_E_PARSE, "not a compact JWS: needs header.payload.signature");
    if (s->header.n > VS_JOSE_HEADER_MAX)
        return vs_fail(err, VS_E_LIMIT, "JWS header has %zu bytes, at most %d are taken",
                       s->header.n, VS_JOSE_HEADER_MAX);
    return VS_OK;
}

static vs_code check_header(vs_val header, vs_alg *alg, vs_error *err)
{
    if (header.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "JWS header is not an object");
    if (vs_defined(vs_getc(header, "crit")))
        return vs_fail(err, VS_E_UNSUPPORTED, "JWS header has critical extensions (crit)");
    /* RFC 7797: unencoded payloads have to be announced in crit; one that is not is still refused.
     */
    if (vs_defined(vs_getc(header, "b64")) && !vs_is_true(vs_getc(header, "b64")))
        return vs_fail(err, VS_E_UNSUPPORTED, "JWS payload is not base64url (b64)");
    vs_val name;
    VS_TRY_WRAP(vs_need(header, "alg", VS_STRING, &name, err), err, "JWS header");
    *alg = vs_alg_of_name(vs_text(name));
    if (*alg == VS_ALG_NONE)
        return vs_fail(err, VS_E_UNSUPPORTED, "JWS algorithm \"%.*s\" is not accepted",
                       VS_FMT(vs_span_head(vs_text(name), 32)));
    return VS_OK;
}

vs_code vs_jws_parse(vs_arena *a, vs_span compact, vs_jws *out, vs_error *err)
{
    segments s;
    vs_span header;
    vs_jws jws = {0};
    VS_TRY(split(compact, &s, err));
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_URL, s.header, &header, err), err, "JWS header");
    VS_TRY_WRAP(vs_json_parse(a, header, &(vs_json_opts){.depth = 32}, &jws.header, err), err,
                "JWS header");
    VS_TRY(check_header(jws.header, &jws.alg, err));
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_URL, s.payload, &jws.payload, err), err,
                "JWS payload");
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_URL, s.signature, &jws.signature, err), err,
                "JWS signature");
    jws.signing_input = vs_span_head(compact, s.header.n + 1 + s.payload.n);
    *out = jws;
    return VS_OK;
}

vs_code vs_jws_verify(const vs_jws *jws, const vs_key *key, vs_alg want, vs_error *err)
{
    if (want != VS_ALG_NONE && jws->alg != want)
        return vs_fail(err, VS_E_INVALID, "JWS is signed with %s, the key is for %s",
                       vs_alg_name(jws->alg), vs_alg_name(want));
    return vs_verify(key, jws->alg, &jws->signing_input, 1, jws->signature, err);
}

/* ---- writing -------------------------------------------------------------------------------- */

vs_code vs_jws_sign(vs_buf *out, const vs_key *key, vs_alg alg, vs_span header_json,
                    vs_span payload, vs_error *err)
{
    enum { SIGNATURE_USUAL = 128 };
    size_t start = out->n;
    vs_buf_expect(out, header_json.n / 3 * 4 + payload.n / 3 * 4 + SIGNATURE_USUAL);
    vs_b64_encode(out, VS_B64_URL, header_json);
    vs_buf_putc(out, '.');
    vs_b64_encode(out, VS_B64_URL, payload);
    VS_TRY(vs_buf_check(out, err));
    vs_span input = vs_span_of(out->p + start, out->n - start);
    VS_CLEANUP(vs_buf_free) vs_buf sig = VS_BUF(1024); /* RSA of 8192 bits */
    vs_code code = vs_sign(key, alg, &input, 1, &sig, err);
    if (code != VS_OK) {
        vs_buf_truncate(out, start);
        return code;
    }
    vs_buf_putc(out, '.');
    vs_b64_encode(out, VS_B64_URL, vs_buf_span(&sig));
    return vs_buf_check(out, err);
}
