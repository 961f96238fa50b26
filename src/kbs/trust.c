/* SPDX-License-Identifier: Apache-2.0 */
/* Whose attestation tokens count: read once at start (kbs.md 6.1). */
#include "kbs/internal.h"

#include "base/io.h"
#include "base/log.h"
#include "value/json.h"

enum { FILE_MAX = 4 * 1024 * 1024, KEYS_MAX = 1024 };

static vs_code add_anchors(kbs_trust *t, const char *path, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(FILE_MAX);
    VS_CLEANUP(vs_certs_free) vs_certs *more = NULL;
    VS_TRY(vs_read_file(path, &pem, err));
    VS_TRY(vs_certs_from_pem(vs_buf_span(&pem), &more, err));
    if (t->anchors)
        return vs_certs_add(t->anchors, more, err);
    t->anchors = more;
    more = NULL; /* transferred */
    return VS_OK;
}

/* A key that this build cannot use is passed over: a set may hold keys for others. */
static void add_key(kbs_trust *t, const char *source, vs_val jwk)
{
    vs_error err = {0};
    vs_span kid = vs_text(vs_getc(jwk, "kid"));
    kbs_trusted_key k = {.kid = kid};
    vs_code code = vs_key_from_jwk(jwk, false, false, &k.key, &k.alg, &err);
    if (code == VS_OK && (kid.n == 0 || k.alg == VS_ALG_NONE)) {
        vs_key_free(&k.key);
        code = vs_fail(&err, VS_E_INVALID, "a key needs \"kid\" and \"alg\" to be found and used");
    }
    if (code != VS_OK) {
        vs_log_error(VS_LOG_WARN, "kbs", source, &err);
        return;
    }
    t->keys[t->n_keys++] = k;
}

static vs_code add_jwk_set(kbs_trust *t, const char *source, vs_error *err)
{
    if (strncmp(source, "https://", 8) == 0 || strncmp(source, "http://", 7) == 0)
        return vs_fail(err, VS_E_UNSUPPORTED, "JWK sets are read from files only in this build");
    const char *path = strncmp(source, "file://", 7) == 0 ? source + 7 : source;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(FILE_MAX);
    vs_val doc, keys;
    VS_TRY(vs_read_file(path, &text, err));
    /* Strings of the value point into the text, and the kids are kept. */
    VS_TRY(vs_json_parse(&t->arena, vs_dup(&t->arena, vs_buf_span(&text)), NULL, &doc, err));
    VS_TRY(vs_need(doc, "keys", VS_ARRAY, &keys, err));
    if (keys.len > KEYS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%u keys, at most %d", keys.len, KEYS_MAX);
    t->keys = vs_grow(&t->arena, t->keys, t->n_keys, t->n_keys + keys.len, sizeof *t->keys);
    VS_TRY(vs_arena_check(&t->arena, err));
    for (VS_ARR_FOR (jwk, keys))
        add_key(t, source, *jwk);
    return VS_OK;
}

vs_code kbs_trust_load(kbs_trust *t, const kbs_config *cfg, const as_service *as, vs_error *err)
{
    vs_arena_init(&t->arena, 0);
    t->header_jwk = cfg->insecure_header_jwk;
    for (size_t i = 0; i < cfg->n_trusted_certs; i++)
        VS_TRY_WRAP(add_anchors(t, cfg->trusted_certs_paths[i], err), err,
                    "[attestation_token] trusted_certs_paths: %s", cfg->trusted_certs_paths[i]);
    for (size_t i = 0; i < cfg->n_trusted_jwk_sets; i++)
        VS_TRY_WRAP(add_jwk_set(t, cfg->trusted_jwk_sets[i], err), err,
                    "[attestation_token] trusted_jwk_sets: %s", cfg->trusted_jwk_sets[i]);
    t->own_jwk = as ? as_signer_jwk(as) : vs_undefined();
    if (vs_defined(t->own_jwk)) {
        VS_TRY(vs_key_from_jwk(t->own_jwk, false, true, &t->own, NULL, err));
    }
    if (!t->header_jwk && !t->anchors && t->n_keys == 0 && !t->own)
        return vs_fail(err, VS_E_INVALID,
                       "[attestation_token] trusts nothing: give trusted_certs_paths or "
                       "trusted_jwk_sets, or use the built-in attestation service");
    if (t->header_jwk)
        vs_log(VS_LOG_WARN, "kbs",
               "insecure_header_jwk: attestation tokens of any signer are accepted", NULL);
    return VS_OK;
}

void kbs_trust_free(kbs_trust *t)
{
    for (size_t i = 0; i < t->n_keys; i++)
        vs_key_free(&t->keys[i].key);
    vs_certs_free(&t->anchors);
    vs_key_free(&t->own);
    vs_arena_free(&t->arena);
}
