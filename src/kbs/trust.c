/* SPDX-License-Identifier: Apache-2.0 */
/* Whose attestation tokens count (kbs.md 6.1). */
#include "kbs/internal.h"

#include "base/io.h"
#include "base/log.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

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

/* A set may hold keys for others. */
static vs_code read_jwk_set(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, false, out, err);
}

static vs_code add_jwk_sets(kbs_trust *t, const kbs_config *cfg, kbs_sources *sources,
                            size_t *n_keys, vs_error *err)
{
    t->sources = vs_alloc_array(&t->arena, cfg->n_trusted_jwk_sets + 1, sizeof *t->sources);
    VS_TRY(vs_arena_check(&t->arena, err));
    for (size_t i = 0; i < cfg->n_trusted_jwk_sets; i++) {
        kbs_source *s;
        VS_TRY_WRAP(kbs_sources_add(sources, cfg->trusted_jwk_sets[i], read_jwk_set, true, &s, err),
                    err, "[attestation_token] trusted_jwk_sets: %s", cfg->trusted_jwk_sets[i]);
        VS_CLEANUP(kbs_keys_unref) kbs_keys *keys = kbs_source_keys(s);
        *n_keys += keys->n;
        t->sources[t->n_sources++] = s;
    }
    return VS_OK;
}

vs_code kbs_trust_load(kbs_trust *t, const kbs_config *cfg, kbs_sources *sources,
                       const as_service *as, vs_error *err)
{
    size_t n_keys = 0;
    vs_arena_init(&t->arena, 0);
    t->header_jwk = cfg->insecure_header_jwk;
    for (size_t i = 0; i < cfg->n_trusted_certs; i++)
        VS_TRY_WRAP(add_anchors(t, cfg->trusted_certs_paths[i], err), err,
                    "[attestation_token] trusted_certs_paths: %s", cfg->trusted_certs_paths[i]);
    VS_TRY(add_jwk_sets(t, cfg, sources, &n_keys, err));
    t->own_jwk = as ? as_signer_jwk(as) : vs_undefined();
    if (vs_defined(t->own_jwk)) {
        VS_TRY(vs_key_from_jwk(t->own_jwk, false, true, &t->own, NULL, err));
    }
    if (!t->header_jwk && !t->anchors && n_keys == 0 && !t->own)
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
    vs_certs_free(&t->anchors);
    vs_key_free(&t->own);
    vs_arena_free(&t->arena);
}
