/* SPDX-License-Identifier: Apache-2.0 */
#include "aa/config.h"

#include "base/log.h"
#include "client/messages.h"
#include "config/guest.h"
#include "config/macros.h"

typedef struct raw {
    aa_config cfg;
    bool has_kbs, has_as;
    int tee_key;
} raw;

#define AT(member)  offsetof(raw, member)
#define CFG(member) offsetof(raw, cfg.member)

/* A key that cannot be handed over (ML-KEM has no PEM form) is no choice. */
static const config_choice tee_keys[] = {
    {"ECDH-ES+A256KW-P256", VS_KEY_P256, NULL},
    {"ECDH-ES+A256KW-P521", VS_KEY_P521, NULL},
    {"RSA-OAEP-256", VS_KEY_RSA, NULL},
    {"ML-KEM-768+A192KW", 0, "ML-KEM keys"},
    {NULL, 0, NULL},
};

static const config_choice versions[] = KBSC_VERSION_CHOICES;

static const config_key keys[] = {
    SECTION("token_configs", "where tokens come from"),
    SECTION_AT("token_configs.kbs", AT(has_kbs), "tokens of a KBS (type \"kbs\")"),
    TEXT("token_configs.kbs.url", CFG(kbs_url), NULL, "base URL of the KBS; required"),
    TEXT("token_configs.kbs.cert", CFG(kbs_cert), NULL,
         "PEM text of a certificate that is trusted besides the system's"),
    CHOICE("token_configs.kbs.tee_key_algorithm", AT(tee_key), tee_keys, "ECDH-ES+A256KW-P256",
           "kind of the key that secrets are encrypted to"),
    CHOICE("token_configs.kbs.oldest_protocol", CFG(oldest_protocol), versions, "0.2.0",
           "vouchsafe's own: oldest version of the KBS protocol to go back to"),
    SECTION_AT("token_configs.coco_as", AT(has_as),
               "tokens of an attestation service (type \"coco_as\")"),
    TEXT("token_configs.coco_as.url", CFG(coco_as_url), NULL,
         "base URL of its REST interface; required"),
    SECTION("eventlog_config", "measurements at run time"),
    COUNT("eventlog_config.init_pcr", CFG(init_pcr), 0, 31, "17",
          "register that is extended when a caller names none"),
    FLAG("eventlog_config.enable_eventlog", CFG(event_log), "false",
         "extend registers and keep an event log"),
    SECTION("log", "logging"),
    TEXT("log.level", CFG(log_level), "info", "error, warn, info, debug or trace"),
    SECTION("attester", "vouchsafe's own: the TEE"),
    FLAG("attester.allow_sample", CFG(allow_sample), "false",
         "without a TEE use the sample attester, which proves nothing"),
    TEXT("attester.tsm_path", CFG(tsm_path), NULL,
         "directory or socket of the report device instead of the kernel's"),
    TEXT("attester.imds_url", CFG(imds_url), NULL,
         "Azure: base URL of the metadata service instead of http://169.254.169.254"),
    SECTION("callers", "vouchsafe's own: who may call besides root and the agent's user"),
    TEXTS("callers.users", CFG(allowed_users), CFG(n_allowed_users), NULL, "names or numbers"),
    TEXT("callers.group", CFG(allowed_group), NULL, "name or number of a group"),
};

const config_table aa_config_table = {keys, VS_COUNT(keys), .lenient = true};

/* Of the key broker clients only cc_kbc speaks to a KBS: the others get no token here. */
static vs_code from_params(vs_span params, vs_arena *a, aa_config *out, vs_error *err)
{
    vs_span kbc, url;
    VS_TRY(guest_split(params, &kbc, &url, err));
    if (vs_span_is(kbc, "cc_kbc"))
        out->kbs_url = (const char *)vs_dup(a, url).p;
    else
        vs_log(VS_LOG_WARN, "aa", "this key broker client has no KBS: no tokens of type \"kbs\"",
               "kbc", vs_sprintf(a, "%.*s", VS_FMT(vs_span_head(kbc, 64))), NULL);
    return vs_arena_check(a, err);
}

static vs_code check(const raw *r, vs_error *err)
{
    if (r->has_kbs && !r->cfg.kbs_url)
        return vs_fail(err, VS_E_INVALID, "\"token_configs.kbs.url\" is missing");
    if (r->has_as && !r->cfg.coco_as_url)
        return vs_fail(err, VS_E_INVALID, "\"token_configs.coco_as.url\" is missing");
    vs_log_level level;
    if (!vs_log_level_of(r->cfg.log_level, &level))
        return vs_fail(err, VS_E_INVALID, "\"log.level\" cannot be \"%.60s\"", r->cfg.log_level);
    return VS_OK;
}

static vs_code load_file(const char *path, vs_arena *a, raw *r, vs_error *err)
{
    VS_TRY(config_table_load(&aa_config_table, path, CONFIG_TOML, a, r, NULL, err));
    return check(r, err);
}

vs_code aa_config_load(const char *path, const guest_env *env, vs_span cmdline, vs_arena *a,
                       aa_config *out, vs_error *err)
{
    raw r = {0};
    if (path) {
        VS_TRY_WRAP(load_file(path, a, &r, err), err, "configuration file %s", path);
        r.cfg.tee_key = (vs_key_type)r.tee_key;
        *out = r.cfg;
        return VS_OK;
    }
    config_table_fallbacks(&aa_config_table, &r);
    r.cfg.tee_key = (vs_key_type)r.tee_key;
    *out = r.cfg;
    vs_span word = guest_cmdline_value(cmdline, "agent.aa_kbc_params");
    out->kbs_cert = env->kbs_cert;
    if (env->aa_kbc_params)
        VS_TRY_WRAP(from_params(vs_str(env->aa_kbc_params), a, out, err), err, "AA_KBC_PARAMS");
    else if (word.n)
        VS_TRY_WRAP(from_params(word, a, out, err), err,
                    "agent.aa_kbc_params of the kernel's command line");
    return VS_OK;
}
