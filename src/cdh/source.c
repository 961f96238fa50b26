/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/source.h"

#include <pthread.h>
#include <stdlib.h>

#include "cdh/offline.h"
#include "client/client.h"
#include "value/json.h"

enum { ANSWER_MAX = 2 * 1024 * 1024 };

struct cdh_source {
    pthread_mutex_t lock; /* of kbs and token: one request at a time */
    cdh_kbs_config cfg;
    kbsc *kbs; /* NULL = files */
    vs_buf token;
    cdh_offline files;
};

/* ---- making one ------------------------------------------------------------------------------ */

static cdh_source *new_source(void)
{
    cdh_source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->token = (vs_buf)VS_BUF(ANSWER_MAX);
    (void)pthread_mutex_init(&s->lock, NULL);
    return s;
}

void cdh_source_free(cdh_source **source)
{
    cdh_source *s = *source;
    *source = NULL;
    if (!s)
        return;
    kbsc_free(&s->kbs);
    vs_buf_free(&s->token);
    cdh_offline_free(&s->files);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

vs_code cdh_source_kbs(const cdh_kbs_config *cfg, cdh_source **out, vs_error *err)
{
    cdh_source *s = *out = new_source();
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    const kbsc_config kbs = {.url = cfg->url,
                             .ca_pem = cfg->ca_pem,
                             .user_agent = "confidential-data-hub/" VS_VERSION,
                             .oldest = (kbsc_version)cfg->oldest};
    s->cfg = *cfg;
    vs_code code = kbsc_new(&kbs, &s->kbs, err);
    if (code != VS_OK)
        cdh_source_free(out);
    return code;
}

vs_code cdh_source_files(const char *const *paths, size_t n, cdh_source **out, vs_error *err)
{
    cdh_source *s = *out = new_source();
    if (!s)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    vs_code code = cdh_offline_load(paths, n, &s->files, err);
    if (code != VS_OK)
        cdh_source_free(out);
    return code;
}

/* ---- the agent's token ----------------------------------------------------------------------- */

/* On an arena that is wiped: the key is in the text. */
static vs_code take_token(cdh_source *s, vs_span json, vs_arena *a, vs_error *err)
{
    vs_val doc, token, pem;
    vs_key *key = NULL;
    VS_TRY(vs_json_parse(a, json, NULL, &doc, err));
    VS_TRY(vs_need(doc, "token", VS_STRING, &token, err));
    VS_TRY(vs_need(doc, "tee_keypair", VS_STRING, &pem, err));
    VS_TRY(vs_key_from_pem(vs_text(pem), true, &key, err));
    VS_TRY(kbsc_set_tee_key(s->kbs, key, err));
    vs_buf_clear(&s->token);
    vs_buf_put(&s->token, vs_text(token));
    return vs_buf_check(&s->token, err);
}

/* What is held was refused, or is nothing. */
static vs_code renew(cdh_source *s, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(ANSWER_MAX);
    VS_CLEANUP(vs_arena_wipe) vs_arena a;
    vs_arena_init(&a, 0);
    VS_TRY_WRAP(s->cfg.get_token(s->cfg.user, vs_buf_span(&s->token), &json, err), err,
                "asking the attestation agent");
    vs_code code = take_token(s, vs_buf_span(&json), &a, err);
    if (code != VS_OK) {
        vs_buf_clear(&s->token);
        (void)vs_wrap(err, "the attestation agent's token");
    }
    return code;
}

/* A token that is refused is replaced once: it may have run out, or the KBS may have lost its keys.
 */
static vs_code get_from_kbs(cdh_source *s, const cdh_uri *uri, vs_buf *out, vs_error *err)
{
    const kbsc_resource what = {uri->plugin, uri->path, uri->query};
    bool renewed = s->token.n == 0, refused;
    if (renewed)
        VS_TRY(renew(s, err));
    vs_code code = kbsc_get_with_token(s->kbs, vs_buf_span(&s->token), &what, out, &refused, err);
    if (code == VS_OK || !refused || renewed)
        return code;
    VS_TRY(renew(s, err));
    return kbsc_get_with_token(s->kbs, vs_buf_span(&s->token), &what, out, &refused, err);
}

/* ---- getting --------------------------------------------------------------------------------- */

vs_code cdh_source_get(cdh_source *s, const cdh_uri *uri, vs_buf *out, vs_error *err)
{
    if (!s->kbs)
        return cdh_offline_get(&s->files, uri, out, err);
    (void)pthread_mutex_lock(&s->lock);
    vs_code code = get_from_kbs(s, uri, out, err);
    (void)pthread_mutex_unlock(&s->lock);
    return code;
}

vs_code cdh_source_get_named(cdh_source *s, vs_span name, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    cdh_uri uri;
    VS_TRY(cdh_uri_parse(&a, name, &uri, err));
    return cdh_source_get(s, &uri, out, err);
}
