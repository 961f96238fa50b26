/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe serve` and `kbs`: flags and configuration file into one kbs_config. */
#include <stdio.h>
#include <stdlib.h>

#include "api/key_fetch.h"
#include "base/io.h"
#include "base/log.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/serve.h"
#include "cmd/server.h"

typedef struct options {
    const char *config_file, *data_dir, *listen, *admin_key, *cca_config, *log_level, *operations,
        *audit_log;
    bool sample_tee, log_json, no_sandbox;
} options;

#define AT(member) .at = offsetof(options, member)
#define CONFIG_OPTION(is_required)                                                                 \
    {                                                                                              \
        .name = "config-file", .letter = 'c', .value = "FILE", .env = "KBS_CONFIG_FILE",           \
        .required = is_required, AT(config_file),                                                  \
        .help = "KBS configuration as Trustee's, TOML or JSON"                                     \
    }
#define LOG_OPTIONS                                                                                \
    {.name = "log-level",                                                                          \
     .value = "LEVEL",                                                                             \
     .env = "RUST_LOG",                                                                            \
     AT(log_level),                                                                                \
     .help = "error, warn, info or debug"},                                                        \
        {.name = "log-json", AT(log_json), .help = "Log JSON lines"},                              \
    {                                                                                              \
        .name = "no-sandbox", AT(no_sandbox), .help = "Do without seccomp and Landlock"            \
    }

static const cli_option serve_options[] = {
    CONFIG_OPTION(false),
    {.name = "data-dir",
     .value = "DIR",
     AT(data_dir),
     .help = "Where the database lives; made if missing"},
    {.name = "listen",
     .value = "IP:PORT",
     AT(listen),
     .help = "Address to serve on; port 0 takes a free one"},
    {.name = "operations",
     .value = "IP:PORT",
     AT(operations),
     .help = "Address for /livez, /readyz and /metrics"},
    {.name = "audit-log",
     .value = "FILE",
     AT(audit_log),
     .help = "Append every decision to this file, chained and signed"},
    {.name = "admin-key",
     .value = "PEM",
     AT(admin_key),
     .help = "Public key whose holder may administrate"},
    {.name = "cca-config",
     .value = "FILE",
     .env = "CCA_CONFIG_FILE",
     AT(cca_config),
     .help = "CCA verifier configuration (trust anchors, reference values)"},
    {.name = "sample-tee",
     AT(sample_tee),
     .help = "Accept \"sample\" evidence, which proves nothing; for tests"},
    LOG_OPTIONS,
    {0}};

/* As Trustee's, which has no defaults to start on. */
static const cli_option kbs_options[] = {CONFIG_OPTION(true), LOG_OPTIONS, {0}};

static const char serve_more[] =
    "Without a configuration file the options are the configuration: plain HTTP on 127.0.0.1:8080, "
    "an\n"
    "SQLite database in --data-dir, the built-in attestation service and resource plugin. With "
    "one,\n"
    "options given besides it win. Prints \"ready URL\" once it serves; SIGHUP reloads, SIGTERM "
    "stops it.\n\n"
    "  vouchsafe serve --data-dir /var/lib/vouchsafe --admin-key admin.pub\n";

static const cli_command serve_command = {
    .name = "vouchsafe serve",
    .summary = "KBS, attestation service and reference values in one process",
    .more = serve_more,
    .options = serve_options};
static const cli_command kbs_command = {.name = "kbs",
                                        .summary =
                                            "Key broker service with built-in attestation service",
                                        .options = kbs_options,
                                        .version = "kbs " VS_VERSION};

/* The database's place when no file says it. */
static vs_code place_store(const options *o, vs_arena *a, kbs_config *cfg, vs_error *err)
{
    const char *dir = o->data_dir ? o->data_dir : "/var/lib/vouchsafe";
    VS_TRY_WRAP(vs_make_dirs(dir, 0700, err), err, "data directory");
    const char *path = vs_sprintf(a, "%s/vouchsafe.sqlite", dir);
    if (o->config_file) {
        cfg->storage = (store_config){.type = STORE_SQLITE, .path = path};
        cfg->policy_in_file = false; /* everything is to be there */
        return VS_OK;
    }
    kbs_config_defaults(cfg, path);
    return VS_OK;
}

static const char *const *one_text(vs_arena *a, const char *text)
{
    const char **list = vs_alloc(a, sizeof *list);
    if (list)
        *list = text;
    return list;
}

static vs_code apply(const options *o, vs_arena *a, kbs_config *cfg, vs_error *err)
{
    if (o->config_file)
        VS_TRY_WRAP(kbs_config_load(o->config_file, a, cfg, err), err, "configuration");
    if (!o->config_file || o->data_dir)
        VS_TRY(place_store(o, a, cfg, err));
    if (o->listen) {
        cfg->sockets = one_text(a, o->listen);
        cfg->n_sockets = 1;
    }
    if (o->audit_log)
        cfg->audit_log = o->audit_log;
    if (o->operations) {
        cfg->ops_sockets = one_text(a, o->operations);
        cfg->n_ops_sockets = 1;
    }
    if (o->admin_key) {
        kbs_persona *admin = VS_NEW(a, kbs_persona);
        if (admin) {
            *admin = (kbs_persona){.id = "admin", .public_key_path = o->admin_key};
            cfg->admin =
                (kbs_admin_config){.mode = KBS_ADMIN_SIMPLE, .personas = admin, .n_personas = 1};
        }
    }
    if (o->log_level)
        (void)!vs_log_level_of(o->log_level, &cfg->log_level);
    if (o->cca_config)
        cfg->as.cca_config_path = o->cca_config;
    if (o->sample_tee && cfg->as.remote)
        return vs_fail(err, VS_E_INVALID,
                       "--sample-tee has no effect here: the attestation service is another "
                       "process, whose sample_tee it is");
    if (o->sample_tee)
        cfg->as.sample_tee = true;
    cfg->fetch = api_fetch_key;
    cfg->fetch_user = (void *)(uintptr_t)cfg->key_ca_file;
    return vs_arena_check(a, err);
}

static vs_code load(void *user, vs_arena *a, kbs_config *out, vs_error *err)
{
    return apply(user, a, out, err);
}

static int serve(const cli_command *command, int argc, char **argv)
{
    options o = {0};
    int exit_code = 0;
    if (!cli_parse(command, argc, argv, &o, stdout, stderr, &exit_code))
        return exit_code;
    server_log(o.log_level, o.log_json);

    vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    kbs_config cfg = {0};
    int rc = EXIT_FAILURE;
    const serve_how how = {
        .load = load, .user = &o, .config_file = o.config_file, .no_sandbox = o.no_sandbox};
    if (apply(&o, &a, &cfg, &err) == VS_OK) {
        vs_log_set_level(cfg.log_level);
        rc = serve_run(&cfg, &how);
    } else {
        vs_log_error(VS_LOG_ERROR, "serve", "cannot start", &err);
    }
    vs_arena_free(&a);
    return rc;
}

int cmd_serve(int argc, char **argv)
{
    return serve(&serve_command, argc, argv);
}

int cmd_kbs(int argc, char **argv)
{
    return serve(&kbs_command, argc, argv);
}
