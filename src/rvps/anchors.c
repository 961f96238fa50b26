/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/anchors.h"

#include <stdlib.h>

#include "base/enc.h"
#include "rvps/revocation.h"
#include "value/json.h"

enum { PRINT = 32 }; /* SHA-256 */

typedef struct trusted_key {
    vs_key *key;
    char *kid; /* NULL: any */
    size_t kid_n;
} trusted_key;

/* Of an anchor of either kind. */
typedef struct right {
    uint8_t print[PRINT]; /* of its SubjectPublicKeyInfo */
    unsigned may;
} right;

struct rvps_anchors {
    vs_certs *certs; /* NULL: none */
    trusted_key keys[RVPS_ANCHOR_KEYS_MAX];
    size_t n;
    right *rights; /* of each key, once */
    size_t n_rights;
    unsigned adding; /* the rights of what is being read */
    char *crls[RVPS_CRL_FILES_MAX];
    size_t n_crls;
};

static const struct {
    const char *word;
    unsigned may;
} words[] = {{"attestation-keys", RVPS_MAY_KEYS},
             {"platform", RVPS_MAY_PLATFORM},
             {"realm", RVPS_MAY_REALM},
             {"reference-values", RVPS_MAY_VALUES}};

unsigned rvps_may_of(vs_span word)
{
    for (size_t i = 0; i < VS_COUNT(words); i++)
        if (vs_span_is(word, words[i].word))
            return words[i].may;
    return 0;
}

const char *rvps_may_word(unsigned one)
{
    for (size_t i = 0; i < VS_COUNT(words); i++)
        if (words[i].may == one)
            return words[i].word;
    return "";
}

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
    for (size_t i = 0; i < (*t)->n_crls; i++)
        free((*t)->crls[i]);
    vs_certs_free(&(*t)->certs);
    free((*t)->rights);
    free(*t);
    *t = NULL;
}

bool rvps_anchors_empty(const rvps_anchors *t)
{
    return !t || (!t->certs && t->n == 0);
}

/* ---- rights ---------------------------------------------------------------------------------- */

static vs_code print_of(vs_span spki, uint8_t out[PRINT], vs_error *err)
{
    uint8_t h[VS_HASH_MAX];
    VS_TRY(vs_digest(VS_SHA256, spki, (vs_span){NULL, 0}, (vs_span){NULL, 0}, h, err));
    memcpy(out, h, PRINT);
    return VS_OK;
}

static vs_code print_of_key(const vs_key *k, uint8_t out[PRINT], vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf spki = VS_BUF(1 << 16);
    VS_TRY(vs_key_to_spki(&spki, k, err));
    return print_of(vs_buf_span(&spki), out, err);
}

static vs_code print_of_cert(const vs_certs *c, size_t i, uint8_t out[PRINT], vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf spki = VS_BUF(1 << 16);
    VS_TRY(vs_certs_spki(c, i, &spki, err));
    return print_of(vs_buf_span(&spki), out, err);
}

/* NULL: not an anchor. */
static const right *right_of(const rvps_anchors *t, const uint8_t print[PRINT])
{
    for (size_t i = 0; i < t->n_rights; i++)
        if (memcmp(t->rights[i].print, print, PRINT) == 0)
            return &t->rights[i];
    return NULL;
}

/* To put two together would give more than one of the entries says. */
static vs_code add_right(rvps_anchors *t, const uint8_t print[PRINT], vs_error *err)
{
    const right *known = right_of(t, print);
    if (known)
        return known->may == t->adding
                   ? VS_OK
                   : vs_fail(err, VS_E_INVALID, "its key is there already, with other rights");
    right *more = realloc(t->rights, (t->n_rights + 1) * sizeof *more);
    if (!more)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    t->rights = more;
    right *one = &more[t->n_rights++];
    memcpy(one->print, print, PRINT);
    one->may = t->adding;
    return VS_OK;
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
    uint8_t print[PRINT];
    VS_TRY(print_of_key(key, print, err));
    return add_right(t, print, err);
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
    for (size_t i = 0; i < vs_certs_count(c); i++) {
        uint8_t print[PRINT];
        VS_TRY(print_of_cert(c, i, print, err));
        VS_TRY(add_right(t, print, err));
    }
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
    return rvps_anchors_add_limited(t, text, RVPS_MAY_ALL, err);
}

vs_code rvps_anchors_add_limited(rvps_anchors *t, vs_span text, unsigned may, vs_error *err)
{
    t->adding = may;
    vs_span trimmed = vs_span_trim(text);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    if (trimmed.n && trimmed.p[0] == '{')
        return add_json(t, &a, trimmed, err);
    return add_pem(t, text, err);
}

/* ---- revocation lists ------------------------------------------------------------------------ */

vs_code rvps_anchors_crls(rvps_anchors *t, const char *const *files, size_t n, vs_error *err)
{
    if (n > RVPS_CRL_FILES_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu files of revocation lists, at most %d", n,
                       RVPS_CRL_FILES_MAX);
    for (size_t i = 0; i < n; i++) {
        t->crls[i] = strdup(files[i]);
        if (!t->crls[i])
            return vs_fail(err, VS_E_NOMEM, "out of memory");
        t->n_crls = i + 1;
    }
    return revocation_readable(t->crls, t->n_crls, err);
}

const char *rvps_anchors_crl(const rvps_anchors *t, size_t i)
{
    return t && i < t->n_crls ? t->crls[i] : NULL;
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

/* What the anchor of this key may. */
static vs_code trust(const rvps_anchors *t, const uint8_t print[PRINT], vs_span name, vs_obj *o,
                     rvps_signature *out, vs_error *err)
{
    const right *r = right_of(t, print);
    if (!r)
        return vs_fail(err, VS_E_INTERNAL, "what vouches for the signer is no anchor");
    out->trusted = true;
    out->may = r->may;
    out->anchor = vs_hex_encode_arena(o->a, vs_span_of(print, PRINT));
    out->anchor_name = name;
    vs_obj_put(o, "anchor_sha256", vs_string(out->anchor));
    return vs_arena_check(o->a, err);
}

static vs_code trust_key(const rvps_anchors *t, const vs_key *key, vs_obj *o, rvps_signature *out,
                         vs_error *err)
{
    uint8_t print[PRINT];
    VS_TRY(print_of_key(key, print, err));
    VS_TRY(add_key_print(o, key, err));
    return trust(t, print, VS_LIT("a trusted key"), o, out, err);
}

/* The anchor next to the signer decides: what is above it does not give back what it may not. */
static vs_code trust_path(const rvps_anchors *t, const vs_certs *path, int64_t now, vs_obj *o,
                          rvps_signature *out, vs_error *err)
{
    uint8_t print[PRINT];
    size_t at = 0, last = vs_certs_count(path) - 1;
    VS_CLEANUP(vs_buf_free) vs_buf subject = VS_BUF(1 << 16);
    VS_TRY(revocation_check(t->crls, t->n_crls, path, now, err));
    VS_TRY(print_of_cert(path, at, print, err));
    while (at < last && !right_of(t, print))
        VS_TRY(print_of_cert(path, ++at, print, err));
    VS_TRY(vs_certs_subject(path, at, &subject, err));
    vs_span name = vs_buf_span(&subject);
    return trust(t, print, vs_utf8_ok(name) ? vs_dup(o->a, name) : VS_LIT("?"), o, out, err);
}

/* The path first: nothing is computed with a stranger's key when there are anchors. Revocation
 * last: files are read for those only who have the key. */
static vs_code by_chain(const rvps_anchors *t, const corim_envelope *e, int64_t now, vs_obj *o,
                        rvps_signature *out, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_CLEANUP(vs_certs_free) vs_certs *path = NULL;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_TRY(vs_certs_from_der(e->chain, e->n_chain, &chain, err));
    if (t)
        VS_TRY(vs_certs_verify_path(chain, t->certs, true, now, &path, err));
    VS_TRY(vs_certs_check_signer(chain, 0, err));
    VS_TRY(vs_certs_key(chain, 0, &key, err));
    VS_TRY(vs_cose_verify(&e->cose, key, (vs_span){NULL, 0}, err));
    VS_TRY(add_certificate(o, chain, e->chain[0], err));
    return t ? trust_path(t, path, now, o, out, err) : VS_OK;
}

vs_code rvps_anchors_verify(const rvps_anchors *t, const corim_envelope *e, int64_t now,
                            vs_arena *a, rvps_signature *out, vs_error *err)
{
    vs_obj o = {.a = a};
    rvps_signature s = {.signer = vs_undefined()};
    *out = s;
    const vs_key *key = by_trusted_key(t, e);
    if (key) {
        VS_TRY(trust_key(t, key, &o, &s, err));
    } else if (t && (e->n_chain == 0 || !t->certs)) {
        return vs_fail(err, t->n ? VS_E_CRYPTO : VS_E_UNTRUSTED,
                       t->n ? "no trusted key gives this signature"
                            : "the message has no certificate chain, and no keys are trusted");
    } else if (e->n_chain) {
        VS_TRY(by_chain(t, e, now, &o, &s, err));
    }
    if (e->signer_name.p)
        vs_obj_put(&o, "name", vs_string(e->signer_name));
    s.signer = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    VS_TRY(vs_arena_check(a, err));
    *out = s;
    return VS_OK;
}
