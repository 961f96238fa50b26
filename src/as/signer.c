/* SPDX-License-Identifier: Apache-2.0 */
/* The key that signs tokens, and how a relying party is told about it (5.1, 6). */
#include "as/internal.h"

#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "value/json.h"

enum { PEM_MAX = 256 * 1024 };

static const char key_name[] = "as-signer-key";

/* Without a configured key: one that is made at the first start and kept, so that tokens outlive a
 * restart and replicas that share a store sign with the same key. */
static vs_code stored_key(vs_store *store, vs_key **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(PEM_MAX);
    vs_code code = vs_store_get(store, AS_SECRET_NAMESPACE, vs_str(key_name), 0, &pem, err);
    if (code == VS_E_NOT_FOUND) {
        VS_CLEANUP(vs_key_free) vs_key *fresh = NULL;
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(PEM_MAX);
        VS_TRY(vs_key_generate(VS_KEY_P256, &fresh, err));
        VS_TRY(vs_key_to_pem(&text, fresh, true, err));
        code = vs_store_put(store, AS_SECRET_NAMESPACE, vs_str(key_name), vs_buf_span(&text), 0,
                            VS_PUT_CREATE, err);
        if (code != VS_OK && code != VS_E_EXISTS) /* another replica may have been first */
            return code;
        code = vs_store_get(store, AS_SECRET_NAMESPACE, vs_str(key_name), 0, &pem, err);
    }
    VS_TRY(code);
    return vs_key_from_pem(vs_buf_span(&pem), true, out, err);
}

static vs_code load_key(const as_config *cfg, vs_store *store, vs_key **out, vs_error *err)
{
    if (!cfg->signer_key_path) {
        VS_TRY_WRAP(stored_key(store, out, err), err, "token signer key in the store");
    } else {
        VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(PEM_MAX);
        VS_TRY_WRAP(vs_read_file(cfg->signer_key_path, &pem, err), err, "token signer key");
        VS_TRY_WRAP(vs_key_from_pem(vs_buf_span(&pem), true, out, err), err, "token signer key %s",
                    cfg->signer_key_path);
    }
    if (vs_key_kind(*out) != VS_KEY_P256)
        return vs_fail(err, VS_E_INVALID, "the token signer key must be an EC P-256 key");
    return VS_OK;
}

/* A chain that does not verify is the operator's business: the relying party decides. */
static void warn_about_chain(const char *path, const vs_certs *chain, int64_t now)
{
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf der = VS_BUF(PEM_MAX);
    VS_CLEANUP(vs_certs_free) vs_certs *root = NULL;
    vs_code code = vs_certs_der(chain, vs_certs_count(chain) - 1, &der, &err);
    if (code == VS_OK) {
        vs_span last = vs_buf_span(&der);
        code = vs_certs_from_der(&last, 1, &root, &err);
    }
    if (code == VS_OK)
        code = vs_certs_verify(chain, root, now, &err);
    if (code == VS_OK)
        return;
    (void)vs_wrap(&err, "%s", path);
    vs_log_error(VS_LOG_WARN, "as",
                 "the signer's certificate chain does not verify to its last one", &err);
}

/* The chain as the array of "x5c", leaf first. */
static vs_code load_chain(const char *path, const vs_key *key, int64_t now, vs_arena *a,
                          vs_val *x5c, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(PEM_MAX);
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_CLEANUP(vs_key_free) vs_key *leaf = NULL;
    VS_TRY(vs_read_file(path, &pem, err));
    VS_TRY(vs_certs_from_pem(vs_buf_span(&pem), &chain, err));
    VS_TRY(vs_certs_key(chain, 0, &leaf, err));
    if (!vs_key_public_eq(leaf, key))
        return vs_fail(err, VS_E_MISMATCH, "the first certificate does not hold the signer's key");
    warn_about_chain(path, chain, now);
    vs_vec out = {.a = a};
    for (size_t i = 0; i < vs_certs_count(chain); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf der = VS_BUF(PEM_MAX);
        VS_TRY(vs_certs_der(chain, i, &der, err));
        vs_vec_add(&out, vs_string(vs_b64_encode_arena(a, VS_B64_STD, vs_buf_span(&der))));
    }
    *x5c = vs_vec_end_array(&out);
    return vs_arena_check(a, err);
}

/* The member order of Trustee's tokens (5.1). */
static void write_jwk(vs_buf *out, vs_val jwk)
{
    static const char *const order[] = {"alg", "x5u", "x5c", "kty", "crv", "x", "y"};
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    for (size_t i = 0; i < VS_COUNT(order); i++) {
        vs_val v = vs_getc(jwk, order[i]);
        if (!vs_defined(v))
            continue;
        vs_jw_key(&w, order[i]);
        vs_jw_val(&w, v);
    }
    vs_jw_close(&w, '}');
}

vs_code as_signer_load(as_signer *s, const as_config *cfg, vs_store *store, int64_t now,
                       vs_arena *a, vs_error *err)
{
    s->jwk_text = (vs_buf)VS_BUF(PEM_MAX);
    s->header = (vs_buf)VS_BUF(PEM_MAX);
    VS_TRY(load_key(cfg, store, &s->key, err));
    VS_TRY(vs_key_to_jwk(a, s->key, "ES256", &s->jwk, err));
    if (cfg->signer_cert_url)
        s->jwk = vs_with(a, s->jwk, vs_cstring("x5u"), vs_cstring(cfg->signer_cert_url));
    if (cfg->signer_cert_path) {
        vs_val x5c;
        VS_TRY_WRAP(load_chain(cfg->signer_cert_path, s->key, now, a, &x5c, err), err,
                    "signer certificate %s", cfg->signer_cert_path);
        s->jwk = vs_with(a, s->jwk, vs_cstring("x5c"), x5c);
    }
    VS_TRY(vs_arena_check(a, err));
    write_jwk(&s->jwk_text, s->jwk);
    vs_buf_puts(&s->header, "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":");
    vs_buf_put(&s->header, vs_buf_span(&s->jwk_text));
    vs_buf_puts(&s->header, "}");
    VS_TRY(vs_buf_check(&s->jwk_text, err));
    return vs_buf_check(&s->header, err);
}

void as_signer_free(as_signer *s)
{
    vs_key_free(&s->key);
    vs_buf_free(&s->jwk_text);
    vs_buf_free(&s->header);
}
