/* SPDX-License-Identifier: Apache-2.0 */
/* [[plugins]]: what each needs, and what must not stand together (kbs.md 8.4). */
#include "kbs/config_keys.h"

#include "base/log.h"

#define RESOURCE_DIR "/opt/confidential-containers/kbs/repository"

enum { NAME_MAX_BYTES = 64 };

/* Segments of letters, digits and "_-." between single slashes, none starting with '.': what can
 * stand in a URL's path without meaning anything else. */
static bool plain_path(const char *text)
{
    bool start = true;
    for (const char *p = text; *p; p++) {
        bool alnum = (*p >= '0' && *p <= '9') || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z');
        if (*p == '/' ? start : !alnum && *p != '_' && *p != '-' && (*p != '.' || start))
            return false;
        start = *p == '/';
    }
    return !start;
}

static bool printable(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p < 0x21 || *p > 0x7e)
            return false;
    return true;
}

static vs_code need(const char *value, const char *plugin, const char *key, vs_error *err)
{
    return value && *value ? VS_OK : vs_fail(err, VS_E_INVALID, "the %s needs \"%s\"", plugin, key);
}

/* Exactly one of a value and the file that holds it. */
static vs_code one_of(const char *value, const char *file, const char *plugin, const char *key,
                      vs_error *err)
{
    if (value && file)
        return vs_fail(err, VS_E_INVALID, "the %s has both \"%s\" and \"%s_file\"", plugin, key,
                       key);
    if (!value && !file)
        return vs_fail(err, VS_E_INVALID, "the %s needs \"%s\" or \"%s_file\"", plugin, key, key);
    return need(value ? value : file, plugin, key, err);
}

/* ---- resource ----------------------------------------------------------------------------------
 */

#define VAULT "resource plugin with storage_backend_type \"vault\""

static vs_code settle_vault(config_plugin *p, vs_arena *a, vs_error *err)
{
    kbs_vault_config *v = &p->vault;
    VS_TRY(need(v->url, VAULT, "vault_url", err));
    VS_TRY(one_of(v->token, v->token_file, VAULT, "token", err));
    bool tls = strncmp(v->url, "https://", 8) == 0;
    size_t scheme = tls ? 8 : strncmp(v->url, "http://", 7) == 0 ? 7 : 0;
    if (strchr(v->url, '@'))
        return vs_fail(
            err, VS_E_INVALID,
            "\"plugins.vault_url\" holds a user or a password, which Vault does not take; "
            "its token belongs into plugins.token_file");
    if (!scheme || !v->url[scheme] || !printable(v->url) || strpbrk(v->url, "?#@\\\""))
        return vs_fail(err, VS_E_INVALID,
                       "\"plugins.vault_url\" is \"%.120s\", not https://host:port", v->url);
    if (v->token && !printable(v->token))
        return vs_fail(err, VS_E_INVALID, "\"plugins.token\" holds a blank or a control character");
    if (!plain_path(v->mount_path))
        return vs_fail(err, VS_E_INVALID,
                       "\"plugins.mount_path\" is \"%.80s\": only letters, digits and \"_-./\"",
                       v->mount_path);
    if (tls && !v->verify)
        vs_log(VS_LOG_WARN, "config",
               "verify_ssl = false: whoever is on the way to Vault gets its token and every secret",
               NULL);
    if (!tls)
        vs_log(VS_LOG_WARN, "config",
               "vault_url is plain HTTP: Vault's token and every secret travel in the clear", NULL);
    size_t n = strlen(v->url);
    while (n > scheme && v->url[n - 1] == '/')
        n--;
    v->url = (const char *)vs_dup(a, vs_span_of(v->url, n)).p;
    v->kv_version = (int)p->kv_version;
    v->timeout_ms = (unsigned)p->vault_timeout_ms;
    return vs_arena_check(a, err);
}

static vs_code settle_resource(kbs_config *c, config_plugin *p, vs_arena *a, vs_error *err)
{
    int backend = p->backend ? p->backend : p->old_backend;
    if (backend == BACKEND_UNSET)
        return vs_fail(err, VS_E_INVALID,
                       "the resource plugin needs \"storage_backend_type\" (\"kvstorage\")");
    if (p->backend && p->old_backend)
        return vs_fail(err, VS_E_INVALID,
                       "the resource plugin has both \"type\" and \"storage_backend_type\"");
    if (p->dir_path && backend != BACKEND_TREE)
        return vs_fail(err, VS_E_INVALID, "\"plugins.dir_path\" belongs to type \"LocalFs\"");
    if (p->vault.url && backend != BACKEND_VAULT)
        return vs_fail(err, VS_E_INVALID,
                       "\"plugins.vault_url\" belongs to storage_backend_type \"vault\"");
    c->has_resource_plugin = true;
    c->resource_has_own_store = backend == BACKEND_TREE;
    c->resource_store = (store_config){0};
    c->vault = NULL;
    if (c->resource_has_own_store)
        c->resource_store = (store_config){STORE_TREE, p->dir_path ? p->dir_path : RESOURCE_DIR};
    if (backend == BACKEND_VAULT) {
        VS_TRY(settle_vault(p, a, err));
        c->vault = &p->vault;
    }
    return VS_OK;
}

/* ---- the others --------------------------------------------------------------------------------
 */

static vs_code settle_pkcs11(kbs_config *c, config_plugin *p, vs_error *err)
{
    VS_TRY(need(p->pkcs11.module, "pkcs11 plugin", "module", err));
    VS_TRY(one_of(p->pkcs11.pin, p->pkcs11.pin_file, "pkcs11 plugin", "pin", err));
    p->pkcs11.sha1 = p->rsa_mechanism == 1;
    if (p->pkcs11.sha1)
        vs_log(VS_LOG_WARN, "config", "rsa_mechanism RsaPkcsTest: keys are wrapped with SHA-1",
               NULL);
    c->pkcs11 = &p->pkcs11;
    return VS_OK;
}

static vs_code settle_nebula(kbs_config *c, config_plugin *p, vs_error *err)
{
    VS_TRY(need(p->nebula.work_dir, "nebula-ca plugin", "work_dir", err));
    VS_TRY(need(p->nebula.program, "nebula-ca plugin", "nebula_cert_bin_path", err));
    VS_TRY(need(p->nebula.ca_name, "nebula-ca plugin", "ca_config.name", err));
    p->nebula.timeout_ms = (unsigned)p->nebula_timeout_ms;
    c->nebula = &p->nebula;
    return VS_OK;
}

static vs_code settle_backend(const kbs_backend_config *all, size_t i, vs_error *err)
{
    const kbs_backend_config *b = &all[i];
    VS_TRY_WRAP(need(b->name, "external plugin", "name", err), err, "entry %zu of \"backends\"",
                i + 1);
    if (strlen(b->name) > NAME_MAX_BYTES || !plain_path(b->name) || strchr(b->name, '/'))
        return vs_fail(
            err, VS_E_INVALID,
            "\"plugins.backends.name\" is \"%.80s\": 1 to %d letters, digits and \"_-.\"", b->name,
            NAME_MAX_BYTES);
    for (size_t j = 0; j < i; j++)
        if (strcmp(all[j].name, b->name) == 0)
            return vs_fail(err, VS_E_INVALID, "two external backends have the name \"%s\"",
                           b->name);
    VS_TRY_WRAP(need(b->endpoint, "external plugin", "endpoint", err), err, "backend \"%s\"",
                b->name);
    bool tls = strncmp(b->endpoint, "https://", 8) == 0;
    if (!tls && strncmp(b->endpoint, "http://", 7) != 0)
        return vs_fail(err, VS_E_INVALID,
                       "backend \"%s\": \"endpoint\" must start with http:// or https://", b->name);
    if (tls && !b->ca_cert_path)
        return vs_fail(err, VS_E_INVALID, "backend \"%s\": https:// needs \"ca_cert_path\"",
                       b->name);
    if (!tls && b->ca_cert_path)
        return vs_fail(err, VS_E_INVALID,
                       "backend \"%s\": http:// has no TLS, but \"ca_cert_path\" is given",
                       b->name);
    if (!tls)
        vs_log(VS_LOG_WARN, "config",
               "external plugin without TLS: its answers, secrets included, travel in the clear",
               "backend", b->name, NULL);
    return VS_OK;
}

static vs_code settle_external(kbs_config *c, const config_plugin *p, vs_error *err)
{
    if (p->n_backends == 0)
        return vs_fail(err, VS_E_INVALID, "the external plugin needs \"backends\"");
    for (size_t i = 0; i < p->n_backends; i++)
        VS_TRY(settle_backend(p->backends, i, err));
    c->backends = p->backends;
    c->n_backends = p->n_backends;
    return VS_OK;
}

static vs_code settle(kbs_config *c, config_plugin *p, vs_arena *a, vs_error *err)
{
    switch ((config_plugin_name)p->name) {
    case PLUGIN_RESOURCE: return settle_resource(c, p, a, err);
    case PLUGIN_SAMPLE: c->has_sample_plugin = true; return VS_OK;
    case PLUGIN_PROVISIONER: c->provisioner_key_length = (size_t)p->key_length; return VS_OK;
    case PLUGIN_NEBULA: return settle_nebula(c, p, err);
    case PLUGIN_PKCS11: return settle_pkcs11(c, p, err);
    case PLUGIN_EXTERNAL: return settle_external(c, p, err);
    case PLUGIN_NONE: break;
    }
    return vs_fail(err, VS_E_INVALID, "a plugin needs \"name\"");
}

vs_code config_settle_plugins(config_raw *raw, vs_arena *a, vs_error *err)
{
    bool seen[PLUGIN_EXTERNAL + 1] = {false};
    for (size_t i = 0; i < raw->n_plugins; i++) {
        config_plugin *p = &raw->plugins[i];
        if (p->name == PLUGIN_NONE)
            return vs_fail(err, VS_E_INVALID, "entry %zu of \"plugins\" needs \"name\"", i + 1);
        if (seen[p->name])
            vs_log(VS_LOG_WARN, "config", "several plugins of one name: the last one counts", NULL);
        seen[p->name] = true;
        VS_TRY_WRAP(settle(&raw->c, p, a, err), err, "entry %zu of \"plugins\"", i + 1);
    }
    return VS_OK;
}
