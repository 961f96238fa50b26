/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be said of a signed CoRIM that was changed in one bit (cca.md 6.4), with the reader of
 * tee/token_model.h, which shares no code with the one under test. What the cryptographic library
 * makes of a changed certificate is left open, but it must be about that certificate, the chain or
 * the signature.
 */
#ifndef VS_TEST_CORIM_MODEL_H
#define VS_TEST_CORIM_MODEL_H

#include "tee/token_model.h"

#include <strings.h>

enum { M_CERTS = 4 };

typedef struct corim_parts {
    sign1 m;
    bool has_type;
    vs_span certs[M_CERTS];
    size_t n_certs;
} corim_parts;

/* Nothing that is walked has one: the signer's name stands where it would be. */
static inline bool m_validity(layer *l, const item *map)
{
    if (!m_want(l, map, MAP))
        return false;
    m_must(map->arg == 1);
    item key = m_at(l, map->body), value = m_at(l, key.end);
    if (key.major == UINT && key.arg < 2 && value.major != TAG)
        return m_complain(l, VS_E_INVALID, value.at, "time without tag 1");
    m_must(value.major != TAG);
    return true;
}

/* {0: {0: name}, 1: {0: time, 1: time}} in the bytes of label 8. */
static inline bool m_meta_map(layer *l, const item *map, unsigned depth)
{
    if (!m_want(l, map, MAP))
        return false;
    size_t at = map->body;
    for (size_t i = 0; i < map->arg; i++) {
        item key = m_at(l, at), value = m_at(l, key.end);
        int64_t k = 0;
        at = value.end;
        if (key.major > NINT)
            continue;
        if (!m_integer(l, &key, &k))
            return false;
        if (depth == 0 && k == 0 && !m_meta_map(l, &value, 1)) /* the signer */
            return false;
        if (depth == 1 && k == 0 && !m_want(l, &value, TEXT))
            return false;
        if (depth == 0 && k == 1 && !m_validity(l, &value))
            return false;
    }
    return true;
}

static inline bool m_content_type(layer *l, const item *value, corim_parts *out)
{
    static const char *const types[] = {"application/rim+cbor", "application/corim-unsigned+cbor"};
    if (!m_want(l, value, TEXT))
        return false;
    vs_span s = m_content(l, value), head = s;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ';') {
            head = vs_span_head(s, i);
            break;
        }
    while (head.n && (head.p[0] == ' ' || head.p[0] == '\t'))
        head = vs_span_from(head, 1);
    while (head.n && (head.p[head.n - 1] == ' ' || head.p[head.n - 1] == '\t'))
        head = vs_span_head(head, head.n - 1);
    for (size_t i = 0; i < VS_COUNT(types); i++)
        if (head.n == strlen(types[i]) && strncasecmp((const char *)head.p, types[i], head.n) == 0)
            return out->has_type = true;
    return m_complain(l, VS_E_INVALID, value->end, "content type \"%.*s\" is not that of a CoRIM",
                      VS_FMT(vs_span_head(s, 80)));
}

static inline bool m_chain(layer *l, const item *value, corim_parts *out)
{
    size_t at = value->body;
    if (value->major == BYTES) {
        out->certs[out->n_certs++] = m_content(l, value);
        return true;
    }
    if (!m_want(l, value, ARRAY))
        return false;
    m_must(value->arg > 0 && value->arg <= M_CERTS);
    for (size_t i = 0; i < value->arg; i++) {
        item cert = m_at(l, at);
        at = cert.end;
        if (!m_want(l, &cert, BYTES))
            return false;
        out->certs[out->n_certs++] = m_content(l, &cert);
    }
    return true;
}

/* The labels that mean something in a header that COSE's rules hold for. */
static inline bool m_corim_header(layer *l, corim_parts *out)
{
    item map = m_at(l, 0);
    size_t at = map.body;
    for (size_t i = 0; i < map.arg; i++) {
        item key = m_at(l, at), value = m_at(l, key.end);
        int64_t label = 0;
        bool ok = true;
        at = value.end;
        if (key.major > NINT || !m_integer(l, &key, &label))
            continue;
        if (label == 3)
            ok = m_content_type(l, &value, out);
        else if (label == 4)
            ok = m_want(l, &value, BYTES);
        else if (label == 33)
            ok = m_chain(l, &value, out);
        else if (label == 8)
            ok = m_want(l, &value, BYTES);
        if (ok && label == 8) {
            layer in;
            item meta;
            ok = m_whole(&in, m_content(l, &value), &meta) && m_meta_map(&in, &meta, 0);
            if (!ok) {
                l->code = in.code;
                (void)snprintf(l->complaint, sizeof l->complaint, "metadata (8): %.180s",
                               in.complaint);
            }
        }
        if (!ok)
            return false;
    }
    return true;
}

static inline void m_corim_read(vs_span in, corim_parts *out, reasons *r)
{
    *out = (corim_parts){0};
    m_cose(in, "signed CoRIM", &out->m, r);
    if (r->n)
        return;
    layer l = {.in = out->m.header};
    if (!m_corim_header(&l, out))
        m_add(r, l.code, "protected header of a signed CoRIM: %s", l.complaint);
    else if (!out->has_type)
        m_add(r, VS_E_INVALID, "protected header of a signed CoRIM: no content type");
}

/* A changed certificate may be none any more, not lead to the anchor, or (one that is not needed)
 * just make the signature wrong. */
static inline void m_certificate(size_t i, reasons *r)
{
    m_add(r, VS_E_PARSE, "signature of the CoRIM: certificate %zu: not a certificate", i);
    m_add(r, VS_E_PARSE, "signature of the CoRIM: certificate %zu: bytes behind the certificate",
          i);
    if (i > 0) {
        m_add(r, VS_E_CRYPTO, "signature of the CoRIM: signature does not verify");
        return;
    }
    static const char *const chain[] = {
        "certificate signature failure (at depth 0)",
        "unable to get local issuer certificate (at depth 0)",
        "certificate has expired (at depth 0)",
        "certificate is not yet valid (at depth 0)",
        "format error in certificate's notBefore field (at depth 0)",
        "format error in certificate's notAfter field (at depth 0)",
        "EE certificate key too weak (at depth 0)",
        "CA signature digest algorithm too weak (at depth 0)",
        "unhandled critical extension (at depth 0)",
        "invalid CA certificate (at depth 0)",
        "unsupported certificate purpose (at depth 0)",
    };
    for (size_t k = 0; k < VS_COUNT(chain); k++)
        m_add(r,
              strstr(chain[k], "expired") || strstr(chain[k], "not yet") ? VS_E_EXPIRED
                                                                         : VS_E_UNTRUSTED,
              "signature of the CoRIM: certificate chain: %s", chain[k]);
}

/* What must be said of `in`, which is `good` but for one bit, where only what is signed under the
 * anchor is taken. */
static inline void m_judge_corim(vs_span in, const corim_parts *good, reasons *r)
{
    corim_parts now;
    *r = (reasons){0};
    if (in.p[0] != 0xd2) {
        m_add(r, VS_E_DENIED, "the CoRIM is not signed, and this server takes signed ones only");
        return;
    }
    m_corim_read(in, &now, r);
    if (r->n)
        return;
    if (good->n_certs == 0) { /* a key is trusted, and tried */
        m_add(r, VS_E_CRYPTO, "signature of the CoRIM: no trusted key gives this signature");
        return;
    }
    if (now.n_certs == 0) {
        m_add(r, VS_E_UNTRUSTED,
              "signature of the CoRIM: the message has no certificate chain, and no keys are "
              "trusted");
        return;
    }
    m_must(now.n_certs == good->n_certs);
    for (size_t i = 0; i < now.n_certs; i++)
        if (!vs_span_eq(now.certs[i], good->certs[i])) {
            m_certificate(i, r);
            return;
        }
    if (now.m.alg != good->m.alg)
        m_add(r, VS_E_INVALID,
              "signature of the CoRIM: algorithm %s cannot be used with a key of type P-256",
              m_alg_name(now.m.alg));
    else if (now.m.signature.n != good->m.signature.n)
        m_add(r, VS_E_CRYPTO, "signature of the CoRIM: signature has %zu bytes, P-256 needs 64",
              now.m.signature.n);
    else if (!vs_span_eq(now.m.signature, good->m.signature) ||
             !vs_span_eq(now.m.payload, good->m.payload) ||
             !vs_span_eq(now.m.header, good->m.header))
        m_add(r, VS_E_CRYPTO, "signature of the CoRIM: signature does not verify");
}

/* `text` is what was said of it. */
static inline void assert_right_refusal(vs_span in, const corim_parts *good, size_t bit,
                                        vs_code code, const char *text)
{
    const vs_span before = VS_LIT("payload of a corim message: ");
    reasons right;
    m_judge_corim(in, good, &right);
    if (code == VS_OK || !vs_span_starts(vs_str(text), before) ||
        !m_is_right(&right, code, text + before.n))
        fail_msg("bit %zu of byte %zu: %s \"%s\", want \"%s\"", bit % 8, bit / 8,
                 vs_code_name(code), text, right.n ? right.of[0].text : "");
}

#endif
