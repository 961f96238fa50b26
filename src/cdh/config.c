/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/config.h"

#include "base/log.h"
#include "client/messages.h"
#include "config/guest.h"
#include "config/macros.h"

#define AT(member) offsetof(cdh_config, member)

static const config_choice versions[] = KBSC_VERSION_CHOICES;

static const config_key keys[] = {
    TEXT("socket", AT(socket), "unix:///run/confidential-containers/cdh.sock",
         "address to serve on"),
    SECTION("aa", "the attestation agent"),
    TEXT("aa.aa_socket", AT(aa_socket),
         "unix:///run/confidential-containers/attestation-agent/attestation-agent.sock",
         "where the agent is"),
    SECTION("kbc", "where secrets come from"),
    TEXT("kbc.name", AT(kbc_name), NULL, "cc_kbc or offline_fs_kbc; required"),
    TEXT("kbc.url", AT(kbc_url), NULL, "base URL of the KBS, for cc_kbc"),
    TEXT("kbc.kbs_cert", AT(kbs_cert), NULL,
         "PEM text of a certificate that is trusted besides the system's"),
    CHOICE("kbc.oldest_protocol", AT(oldest_protocol), versions, "0.2.0",
           "vouchsafe's own: 0.1.1 takes secrets in the form of that version of the KBS protocol"),
    LIST("credentials", AT(credentials), AT(n_credentials), cdh_credential,
         "secrets that are written to files at the start"),
    TEXT("credentials.path", offsetof(cdh_credential, path), NULL,
         "file below /run/confidential-containers/cdh/kbs"),
    TEXT("credentials.resource_uri", offsetof(cdh_credential, resource_uri), NULL,
         "the secret's name"),
    FLAG("skip_sealed_secret_verification", AT(skip_verification), "false",
         "take sealed secrets whose signature is not checked"),
    SECTION("log", "logging"),
    TEXT("log.level", AT(log_level), "info", "error, warn, info, debug or trace"),
    UNUSED("image", "this build does not pull images"),
    SECTION("callers", "vouchsafe's own: who may call besides root and the hub's user"),
    TEXTS("callers.users", AT(allowed_users), AT(n_allowed_users), NULL, "names or numbers"),
    TEXT("callers.group", AT(allowed_group), NULL, "name or number of a group"),
};

const config_table cdh_config_table = {keys, VS_COUNT(keys), .lenient = true};

/* ---- the kernel's command line --------------------------------------------------------------- */

static vs_code one_credential(vs_span text, vs_arena *a, cdh_credential *out, vs_error *err)
{
    vs_span uri, path;
    VS_TRY(guest_split(text, &uri, &path, err));
    *out = (cdh_credential){(const char *)vs_dup(a, path).p, (const char *)vs_dup(a, uri).p};
    return vs_arena_check(a, err);
}

/* "<uri>::<path>,<uri>::<path>" */
static vs_code add_credentials(vs_span text, vs_arena *a, cdh_config *out, vs_error *err)
{
    size_t n = out->n_credentials, room = n + 1;
    for (size_t i = 0; i < text.n; i++)
        room += text.p[i] == ',';
    cdh_credential *all = vs_alloc_array(a, room, sizeof *all);
    VS_TRY(vs_arena_check(a, err));
    if (n)
        memcpy(all, out->credentials, n * sizeof *all);
    while (text.n)
        VS_TRY_WRAP(one_credential(vs_span_cut(text, ',', &text, NULL), a, &all[n++], err), err,
                    "cdh.kbs_resources of the kernel's command line");
    out->credentials = all;
    out->n_credentials = n;
    return VS_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static vs_code from_params(vs_span params, vs_arena *a, cdh_config *out, vs_error *err)
{
    vs_span kbc, url;
    VS_TRY(guest_split(params, &kbc, &url, err));
    out->kbc_name = (const char *)vs_dup(a, kbc).p;
    out->kbc_url = (const char *)vs_dup(a, url).p;
    return vs_arena_check(a, err);
}

static vs_code check(const cdh_config *c, vs_error *err)
{
    vs_log_level level;
    if (!c->kbc_name)
        return vs_fail(err, VS_E_INVALID,
                       "no key broker client is named: set \"kbc.name\" (or AA_KBC_PARAMS)");
    bool kbs = strcmp(c->kbc_name, "cc_kbc") == 0;
    if (!kbs && strcmp(c->kbc_name, "offline_fs_kbc") != 0)
        return vs_fail(err, VS_E_UNSUPPORTED, "unknown kbc name %.60s", c->kbc_name);
    if (kbs && (!c->kbc_url || !*c->kbc_url))
        return vs_fail(err, VS_E_INVALID, "cc_kbc needs the KBS's URL (\"kbc.url\")");
    for (size_t i = 0; i < c->n_credentials; i++)
        if (!c->credentials[i].path || !c->credentials[i].resource_uri)
            return vs_fail(err, VS_E_INVALID, "credential %zu lacks path or resource_uri", i + 1);
    if (!vs_log_level_of(c->log_level, &level))
        return vs_fail(err, VS_E_INVALID, "\"log.level\" cannot be \"%.60s\"", c->log_level);
    return VS_OK;
}

/* As upstream, which keeps these in its environment: AA_KBC_PARAMS and AA_SOCKET win over the file,
 * the file's certificate over KBS_CERT. */
static vs_code obey(const guest_env *env, vs_arena *a, cdh_config *out, vs_error *err)
{
    if (env->aa_kbc_params)
        VS_TRY_WRAP(from_params(vs_str(env->aa_kbc_params), a, out, err), err, "AA_KBC_PARAMS");
    if (env->aa_socket)
        out->aa_socket = env->aa_socket;
    if (!out->kbs_cert)
        out->kbs_cert = env->kbs_cert;
    return VS_OK;
}

static vs_code load(const char *path, const guest_env *env, vs_span cmdline, vs_arena *a,
                    cdh_config *out, vs_error *err)
{
    vs_span word = guest_cmdline_value(cmdline, "agent.aa_kbc_params");
    if (path)
        VS_TRY(config_table_load(&cdh_config_table, path, CONFIG_TOML, a, out, NULL, err));
    else
        config_table_fallbacks(&cdh_config_table, out);
    if (!path && !env->aa_kbc_params && word.n)
        VS_TRY_WRAP(from_params(word, a, out, err), err,
                    "agent.aa_kbc_params of the kernel's command line");
    VS_TRY(obey(env, a, out, err));
    VS_TRY(add_credentials(guest_cmdline_value(cmdline, "cdh.kbs_resources"), a, out, err));
    return check(out, err);
}

vs_code cdh_config_load(const char *path, const guest_env *env, vs_span cmdline, vs_arena *a,
                        cdh_config *out, vs_error *err)
{
    *out = (cdh_config){0};
    vs_code code = load(path, env, cmdline, a, out, err);
    if (code != VS_OK && path)
        (void)vs_wrap(err, "configuration file %s", path);
    return code;
}
