/* SPDX-License-Identifier: Apache-2.0 */
/* The KV secrets engine of Vault or OpenBao as the resource plugin's store (kbs.md 8.4). */
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "net/http_pool.h"
#include "plugins/plugins.h"
#include "plugins/vault_answer.h"
#include "store/backend.h"

enum { TOKEN_MAX = 4096, URL_MAX = 2048, BODY_MAX = 4 * VAULT_VALUE_MAX + 64 };

typedef struct vault {
    vs_store base;
    const kbs_vault_config *cfg;
    vs_http_pool clients;
} vault;

/* ---- one request --------------------------------------------------------------------------------
 */

/* "X-Vault-Token: ...": of the configuration, or of the file as it is now. */
static vs_code token_header(const vault *v, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(TOKEN_MAX);
    vs_span token = vs_str(v->cfg->token);
    if (v->cfg->token_file) {
        VS_TRY_WRAP(vs_read_file(v->cfg->token_file, &file, err), err, "Vault's token");
        token = vs_span_trim(vs_buf_span(&file));
    }
    bool ok = token.n > 0;
    for (size_t i = 0; i < token.n; i++)
        ok &= token.p[i] > 0x20 && token.p[i] < 0x7f;
    if (!ok)
        return vs_fail(err, VS_E_INVALID, "Vault's token is not one word of printable ASCII");
    vs_buf_puts(out, "X-Vault-Token: ");
    vs_buf_put(out, token);
    return vs_buf_check(out, err);
}

/* Only what means itself in a URL: the broker's resource paths are such, and a store is asked for
 * nothing else by accident. */
static bool plain_key(vs_span key)
{
    bool start = true;
    for (size_t i = 0; i < key.n; i++) {
        uint8_t c = key.p[i], lower = c | 0x20;
        bool alnum = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
        if (c == '/' ? start : !alnum && c != '_' && c != '-' && (c != '.' || start))
            return false;
        start = c == '/';
    }
    return !start;
}

static vs_code refused(int status, vs_span key, vs_span answer, vs_error *err)
{
    char why[200];
    vault_complaint(answer, why);
    const char *sep = why[0] ? ": " : "";
    switch (status) {
    case 403:
        return vs_fail(err, VS_E_DENIED,
                       "Vault refuses the token, or its policy does not allow this (403)%s%s", sep,
                       why);
    case 404:
        return vs_fail(err, VS_E_NOT_FOUND, "no value for \"%.*s\" in Vault%s%s", VS_FMT(key), sep,
                       why);
    case 429: return vs_fail(err, VS_E_LIMIT, "Vault has too many requests (429)%s%s", sep, why);
    case 307:
    case 308:
    case 472:
    case 473:
        return vs_fail(err, VS_E_IO,
                       "this Vault is a standby (%d): \"vault_url\" must name the active one, or "
                       "what leads to it",
                       status);
    case 503: return vs_fail(err, VS_E_IO, "Vault is sealed or in maintenance (503)%s%s", sep, why);
    default: return vs_fail(err, VS_E_IO, "Vault answered %d%s%s", status, sep, why);
    }
}

/* `part`: "" or what KV version 2 puts between mount and key. */
static vs_code ask(vault *v, const char *method, const char *part, vs_span key, vs_span body,
                   vs_buf *answer, vs_error *err)
{
    char url[URL_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(TOKEN_MAX + 64);
    if (!plain_key(key))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" cannot be a path in Vault",
                       VS_FMT(vs_span_head(key, 120)));
    int n = snprintf(url, sizeof url, "%s/v1/%s/%s%.*s", v->cfg->url, v->cfg->mount_path, part,
                     VS_FMT(key));
    if (n < 0 || (size_t)n >= sizeof url)
        return vs_fail(err, VS_E_LIMIT, "the URL in Vault is longer than %d bytes", URL_MAX - 1);
    VS_TRY(token_header(v, &token, err));
    const char *const headers[] = {(const char *)token.p, "X-Vault-Request: true",
                                   "Content-Type: application/json", NULL};
    const vs_http_call call = {
        .method = method, .url = url, .headers = headers, .body = body, .has_body = body.n > 0};
    vs_http_client *client;
    int status = 0;
    VS_TRY(vs_http_pool_take(&v->clients, &client, err));
    vs_code code = vs_http_client_do(client, &call, &status, answer, err);
    vs_http_pool_give(&v->clients, &client, code == VS_OK);
    if (code != VS_OK) {
        (void)vs_wrap(err, "Vault");
        return code;
    }
    bool ok = status == 200 || (status == 204 && strcmp(method, "GET") != 0);
    return ok ? VS_OK : refused(status, key, vs_buf_span(answer), err);
}

/* ---- as a store ---------------------------------------------------------------------------------
 */

static const char *data_part(const vault *v)
{
    return v->cfg->kv_version == 2 ? "data/" : "";
}

static vs_code vault_get(vs_store *base, const char *ns, vs_span key, int64_t now, vs_buf *out,
                         vs_error *err)
{
    (void)ns;
    (void)now;
    vault *v = (vault *)base;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(VAULT_ANSWER_MAX);
    VS_TRY(ask(v, "GET", data_part(v), key, (vs_span){0}, &answer, err));
    VS_TRY_WRAP(vault_value(vs_buf_span(&answer), v->cfg->kv_version, out, err), err,
                "\"%.*s\" in Vault", VS_FMT(key));
    return VS_OK;
}

static vs_code vault_put(vs_store *base, const vs_store_item *items, size_t n, vs_error *err)
{
    vault *v = (vault *)base;
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(BODY_MAX), answer = VS_BUF(VAULT_ANSWER_MAX);
    if (n != 1 || items->expires != 0 || items->mode != VS_PUT_REPLACE)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "Vault takes single values that do not expire and may be overwritten");
    if (items->value.n > VAULT_VALUE_MAX)
        return vs_fail(err, VS_E_LIMIT, "a value of %zu bytes for Vault, at most %d",
                       items->value.n, VAULT_VALUE_MAX);
    vault_body(items->value, v->cfg->kv_version, &body);
    VS_TRY(vs_buf_check(&body, err));
    return ask(v, "POST", data_part(v), items->key, vs_buf_span(&body), &answer, err);
}

/* What is deleted is gone, in all versions. */
static vs_code vault_remove(vs_store *base, const char *ns, vs_span key, vs_error *err)
{
    (void)ns;
    vault *v = (vault *)base;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(VAULT_ANSWER_MAX);
    return ask(v, "DELETE", v->cfg->kv_version == 2 ? "metadata/" : "", key, (vs_span){0}, &answer,
               err);
}

static vs_code vault_list(vs_store *base, const char *ns, vs_code (*each)(void *user, vs_span key),
                          void *user, vs_error *err)
{
    (void)base;
    (void)ns;
    (void)each;
    (void)user;
    return vs_fail(err, VS_E_UNSUPPORTED, "secrets in Vault are not listed");
}

static vs_code vault_purge(vs_store *base, int64_t now, unsigned *left, vs_error *err)
{
    (void)base;
    (void)now;
    (void)left;
    (void)err;
    return VS_OK; /* nothing in it expires by our clock */
}

static vs_code vault_ping(vs_store *base, vs_error *err)
{
    vault *v = (vault *)base;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(VAULT_ANSWER_MAX);
    vs_code code =
        ask(v, "GET", data_part(v), VS_LIT("vouchsafe/ping/ping"), (vs_span){0}, &answer, err);
    return code == VS_E_NOT_FOUND ? VS_OK : code;
}

static void vault_close(vs_store *base)
{
    vault *v = (vault *)base;
    vs_http_pool_close(&v->clients);
    free(v);
}

static const store_ops ops = {vault_get,   vault_put,  vault_remove, vault_list,
                              vault_purge, vault_ping, vault_close};

vs_code vault_open(const kbs_vault_config *cfg, vs_store **out, vs_error *err)
{
    *out = NULL;
    vault *v = calloc(1, sizeof *v);
    if (!v)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    v->base.ops = &ops;
    v->cfg = cfg;
    const vs_http_client_config http = {.ca_files = cfg->ca_certs,
                                        .n_ca_files = cfg->n_ca_certs,
                                        .insecure_no_verify = !cfg->verify,
                                        .user_agent = "vouchsafe/" VS_VERSION,
                                        .connect_ms = cfg->timeout_ms,
                                        .total_ms = cfg->timeout_ms,
                                        .response_bytes = VAULT_ANSWER_MAX};
    vs_code code = vs_http_pool_open(&v->clients, &http, err);
    if (code != VS_OK) {
        (void)vs_wrap(err, "Vault");
        vault_close(&v->base);
        return code;
    }
    *out = &v->base;
    return VS_OK;
}
