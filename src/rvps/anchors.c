/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/anchors.h"

#include <stdlib.h>

#include "base/enc.h"
#include "value/json.h"

typedef struct trusted_key {
    vs_key *key;
    char *kid; /* NULL: any */
    size_t kid_n;
} trusted_key;

struct rvps_anchors {
    vs_certs *certs; /* NULL: none */
    trusted_key keys[RVPS_ANCHOR_KEYS_MAX];
    size_t n;
};

vs_code rvps_anchors_new(rvps_anchors **out, vs_error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? VS_OK : vs_fail(err, VS_E_NOMEM, "out of memory");
}

void rvps_anchors_free(rvps_anchors **t)
{
    if (!t || !*t)
        return;
    for (size_t i = 0; i < (*t)->n; i++) {
        vs_key_free(&(*t)->keys[i].key);
        free((*t)->keys[i].kid);
    }
    vs_certs_free(&(*t)->certs);
    free(*t);
    *t = NULL;
}

bool rvps_anchors_empty(const rvps_anchors *t)
{
    return !t || (!t->certs && t->n == 0);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Takes `key` over, also on failure. */
static vs_code add_key(rvps_anchors *t, vs_key *key, vs_span kid, vs_error *err)
{
    trusted_key k = {.key = key, .kid_n = kid.n};
    if (t->n == RVPS_ANCHOR_KEYS_MAX) {
        vs_key_free(&key);
        return vs_fail(err, VS_E_LIMIT, "more than %d keys", RVPS_ANCHOR_KEYS_MAX);
    }
    if (kid.p) {
        k.kid = malloc(kid.n + 1);
        if (!k.kid) {
            vs_key_free(&key);
            return vs_fail(err, VS_E_NOMEM, "out of memory");
        }
        memcpy(k.kid, kid.p, kid.n);
    }
    t->keys[t->n++] = k;
    return VS_OK;
}

static vs_code add_jwk(rvps_anchors *t, vs_val jwk, vs_error *err)
{
    vs_key *key = NULL;
    vs_val kid;
    if (vs_defined(vs_getc(jwk, "d")))
        return vs_fail(err, VS_E_INVALID, "it is a private key");
    VS_TRY(vs_may(jwk, "kid", VS_STRING, &kid, err));
    VS_TRY(vs_key_from_jwk(jwk, false, true, &key, NULL, err));
    return add_key(t, key, vs_text(kid), err);
}

static vs_code add_json(rvps_anchors *t, vs_arena *a, vs_span text, vs_error *err)
{
    vs_val v, keys;
    VS_TRY(vs_json_parse(a, text, NULL, &v, err));
    VS_TRY(vs_may(v, "keys", VS_ARRAY, &keys, err));
    if (!vs_defined(keys))
        return add_jwk(t, v, err);
    for (VS_ARR_FOR (jwk, keys))
        VS_TRY_WRAP(add_jwk(t, *jwk, err), err, "key %zu of the set",
                    (size_t)(jwk - keys.u.items) + 1);
    return VS_OK;
}

static vs_code add_block(rvps_anchors *t, vs_span label, vs_span block, vs_error *err)
{
    if (vs_span_is(label, "PUBLIC KEY")) {
        vs_key *key = NULL;
        VS_TRY(vs_key_from_pem(block, false, &key, err));
        return add_key(t, key, (vs_span){NULL, 0}, err);
    }
    if (!vs_span_is(label, "CERTIFICATE"))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is neither a certificate nor a public key",
                       VS_FMT(vs_span_head(label, 40)));
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
    VS_TRY(vs_certs_from_pem(block, &c, err));
    if (t->certs)
        return vs_certs_add(t->certs, c, err);
    t->certs = c;
    c = NULL;
    return VS_OK;
}

/* Where `what` starts in `s`; s.n when it does not occur. */
static size_t find(vs_span s, vs_span what)
{
    const uint8_t *p = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
    return p ? (size_t)(p - s.p) : s.n;
}

/* Block by block; text around them is comment, as in OpenSSL's files. */
static vs_code add_pem(rvps_anchors *t, vs_span text, vs_error *err)
{
    const vs_span begin = VS_LIT("-----BEGIN "), end = VS_LIT("-----END "),
                  dashes = VS_LIT("-----");
    size_t blocks = 0;
    for (;;) {
        text = vs_span_from(text, find(text, begin));
        if (text.n == 0)
            break;
        blocks++;
        vs_span rest = vs_span_from(text, begin.n);
        vs_span label = vs_span_head(rest, find(rest, dashes));
        size_t at = find(text, end);
        vs_span tail = vs_span_from(text, at + end.n);
        size_t close = find(tail, dashes);
        if (close == tail.n)
            return vs_fail(err, VS_E_PARSE, "PEM block %zu has no end", blocks);
        size_t n = at + end.n + close + dashes.n;
        VS_TRY_WRAP(add_block(t, label, vs_span_head(text, n), err), err, "PEM block %zu", blocks);
        text = vs_span_from(text, n);
    }
    return blocks ? VS_OK : vs_fail(err, VS_E_PARSE, "neither PEM nor a JWK");
}

vs_code rvps_anchors_add(rvps_anchors *t, vs_span text, vs_error *err)
{
    vs_span trimmed = vs_span_trim(text);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    if (trimmed.n && trimmed.p[0] == '{')
        return add_json(t, &a, trimmed, err);
    return add_pem(t, text, err);
}

/* ---- verifying ------------------------------------------------------------------------------- */

static vs_span sha256_hex(vs_arena *a, vs_span bytes, vs_code *code, vs_error *err)
{
    uint8_t h[VS_HASH_MAX];
    *code = vs_digest(VS_SHA256, bytes, (vs_span){NULL, 0}, (vs_span){NULL, 0}, h, err);
    return *code == VS_OK ? vs_hex_encode_arena(a, vs_span_of(h, 32)) : (vs_span){NULL, 0};
}

static vs_code add_key_print(vs_obj *o, const vs_key *k, vs_error *err)
{
    vs_val jwk;
    vs_code code;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 16);
    VS_TRY(vs_key_to_jwk(o->a, k, NULL, &jwk, err));
    vs_json_print(&text, jwk); /* sorted and compact: RFC 7638's form */
    VS_TRY(vs_buf_check(&text, err));
    vs_span print = sha256_hex(o->a, vs_buf_span(&text), &code, err);
    vs_obj_put(o, "key_sha256", vs_string(print));
    return code;
}

static vs_code add_certificate(vs_obj *o, const vs_certs *chain, vs_span der, vs_error *err)
{
    vs_code code;
    VS_CLEANUP(vs_buf_free) vs_buf subject = VS_BUF(1 << 16);
    VS_TRY(vs_certs_subject(chain, 0, &subject, err));
    vs_span print = sha256_hex(o->a, der, &code, err);
    VS_TRY(code);
    vs_obj_put(o, "certificate_sha256", vs_string(print));
    if (vs_utf8_ok(vs_buf_span(&subject)))
        vs_obj_put(o, "subject", vs_string_dup(o->a, vs_buf_span(&subject)));
    return VS_OK;
}

/* The kid is a hint to which key to try; only the signature decides. */
static const vs_key *by_trusted_key(const rvps_anchors *t, const corim_envelope *e)
{
    for (size_t i = 0; t && i < t->n; i++) {
        const trusted_key *k = &t->keys[i];
        if (k->kid && e->kid.p && !vs_span_eq(e->kid, vs_span_of(k->kid, k->kid_n)))
            continue;
        if (vs_key_fits(k->key, e->cose.alg) &&
            vs_cose_verify(&e->cose, k->key, (vs_span){NULL, 0}, NULL) == VS_OK)
            return k->key;
    }
    return NULL;
}

/* The path first: nothing is computed with a stranger's key when there are anchors. */
static vs_code by_chain(const rvps_anchors *t, const corim_envelope *e, int64_t now, vs_obj *o,
                        vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_TRY(vs_certs_from_der(e->chain, e->n_chain, &chain, err));
    if (t)
        VS_TRY(vs_certs_verify(chain, t->certs, now, err));
    VS_TRY(vs_certs_check_signer(chain, 0, err));
    VS_TRY(vs_certs_key(chain, 0, &key, err));
    VS_TRY(vs_cose_verify(&e->cose, key, (vs_span){NULL, 0}, err));
    return add_certificate(o, chain, e->chain[0], err);
}

vs_code rvps_anchors_verify(const rvps_anchors *t, const corim_envelope *e, int64_t now,
                            vs_arena *a, vs_val *signer, bool *trusted, vs_error *err)
{
    vs_obj o = {.a = a};
    *signer = vs_undefined();
    *trusted = false;
    const vs_key *key = by_trusted_key(t, e);
    if (key) {
        VS_TRY(add_key_print(&o, key, err));
    } else if (t && (e->n_chain == 0 || !t->certs)) {
        return vs_fail(err, t->n ? VS_E_CRYPTO : VS_E_UNTRUSTED,
                       t->n ? "no trusted key gives this signature"
                            : "the message has no certificate chain, and no keys are trusted");
    } else if (e->n_chain) {
        VS_TRY(by_chain(t, e, now, &o, err));
    }
    if (e->signer_name.p)
        vs_obj_put(&o, "name", vs_string(e->signer_name));
    *signer = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    *trusted = t != NULL;
    return vs_arena_check(a, err);
}
