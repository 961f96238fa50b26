/* SPDX-License-Identifier: Apache-2.0 */
/* `confidential-data-hub` and `grpc-cdh`, with upstream's flags (guest.md 3.2), and the key
 * provider as a command for tools that speak ocicrypt's "cmd" protocol. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/cdh_rpc.h"
#include "api/guest_client.h"
#include "base/io.h"
#include "base/log.h"
#include "cdh/credentials.h"
#include "cdh/keyprovider.h"
#include "cmd/cli.h"
#include "cmd/guest/guest.h"

typedef struct options {
    const char *config, *log_level;
} options;

#define AT(member) .at = offsetof(options, member)

static const cli_option options_[] = {
    {.name = "config",
     .letter = 'c',
     .value = "FILE",
     AT(config),
     .help = "Configuration, TOML or JSON; without it agent.aa_kbc_params of the kernel's command "
             "line. AA_KBC_PARAMS and AA_SOCKET win over both, its kbs_cert over KBS_CERT"},
    {.name = "log-level",
     .value = "LEVEL",
     .env = "RUST_LOG",
     AT(log_level),
     .help = "error, warn, info or debug"},
    {0}};

static const cli_command ttrpc_command = {.name = "confidential-data-hub",
                                          .summary = "Secrets for the guest it runs in, over ttrpc",
                                          .options = options_,
                                          .version = "confidential-data-hub " VS_VERSION};
static const cli_command grpc_command = {
    .name = "grpc-cdh",
    .summary = "Secrets for the guest it runs in, over gRPC on loopback",
    .more = "The configuration's \"socket\" must then be IP:port, for example 127.0.0.1:50000.",
    .options = options_,
    .version = "grpc-cdh " VS_VERSION};
static const cli_command keyprovider_command = {
    .name = "keyprovider",
    .summary = "Wrap or unwrap the key of an encrypted image layer (ocicrypt, \"cmd\")",
    .more = "Reads the request on stdin and writes the answer to stdout. To encrypt an image with\n"
            "skopeo, name it in the file of OCICRYPT_KEYPROVIDER_CONFIG:\n\n"
            "  {\"key-providers\": {\"attestation-agent\":\n"
            "    {\"cmd\": {\"path\": \"vouchsafe-guest\", \"args\": [\"keyprovider\"]}}}}\n\n"
            "and the key as provider:attestation-agent:keyid=kbs:///default/key/1::keypath=FILE",
    .options = options_};

/* Everything the program owns, released in the reverse order of its making. */
typedef struct program {
    guest_part part;
    options o;
    bool grpc;
    vs_arena arena;
    vs_buf cmdline;
    cdh_config cfg;
    vs_ttrpc_client *agent;
    cdh_service service;
    vs_grpc_method methods[CDH_RPC_METHODS];
    guest_callers callers;
    guest_server server;
} program;

static void tear_down(guest_part *part)
{
    program *p = (program *)part;
    guest_server_stop(&p->server);
    cdh_source_free(&p->service.source);
    vs_ttrpc_client_free(&p->agent);
    vs_buf_free(&p->cmdline);
    vs_arena_free(&p->arena);
}

/* ---- the source of secrets ------------------------------------------------------------------- */

/* The two usual files, and those of OFFLINE_FS_KBC_EXTRA_FILE_PATH. */
static vs_code open_files(program *p, vs_error *err)
{
    const char *paths[CDH_FILES_MAX] = {"/etc/aa-offline_fs_kbc-keys.json",
                                        "/etc/aa-offline_fs_kbc-resources.json"};
    size_t n = 2;
    const char *extra = getenv("OFFLINE_FS_KBC_EXTRA_FILE_PATH");
    for (vs_span rest = vs_str(extra); rest.n;) {
        vs_span one = vs_span_cut(rest, ',', &rest, NULL);
        if (n == CDH_FILES_MAX)
            return vs_fail(err, VS_E_LIMIT, "more than %d files of secrets", CDH_FILES_MAX);
        paths[n++] = (const char *)vs_dup(&p->arena, one).p;
    }
    VS_TRY(vs_arena_check(&p->arena, err));
    return cdh_source_files(paths, n, &p->service.source, err);
}

static vs_code open_kbs(program *p, vs_error *err)
{
    const cdh_config *c = &p->cfg;
    const vs_ttrpc_client_config agent = {.address = c->aa_socket,
                                          .connections = GUEST_CDH_WAITING};
    VS_TRY(vs_ttrpc_client_new(&agent, &p->agent, err));
    const cdh_kbs_config kbs = {.url = c->kbc_url,
                                .oldest = c->oldest_protocol,
                                .ca_pem = c->kbs_cert ? vs_str(c->kbs_cert) : (vs_span){0},
                                .get_token = aa_client_kbs_token,
                                .user = p->agent};
    return cdh_source_kbs(&kbs, &p->service.source, err);
}

static vs_code open_source(program *p, vs_error *err)
{
    const options *o = &p->o;
    const guest_env env = guest_env_read();
    VS_TRY(cdh_config_load(o->config, &env, guest_cmdline(&p->cmdline), &p->arena, &p->cfg, err));
    server_log(o->log_level ? o->log_level : p->cfg.log_level, false);
    if (strcmp(p->cfg.kbc_name, "cc_kbc") == 0)
        return open_kbs(p, err);
    return open_files(p, err);
}

/* ---- serving --------------------------------------------------------------------------------- */

static bool skips_verification(const program *p)
{
    const char *env = getenv("SKIP_SEALED_SECRET_VERIFICATION");
    bool skip = p->cfg.skip_verification || (env && strcmp(env, "true") == 0);
    if (skip)
        vs_log(VS_LOG_WARN, "cdh", "signatures of sealed secrets are NOT checked", NULL);
    return skip;
}

/* All are checked before the first is fetched. */
static vs_code place_credentials(program *p, vs_error *err)
{
    const cdh_config *c = &p->cfg;
    for (size_t i = 0; i < c->n_credentials; i++)
        VS_TRY(cdh_credential_check(CDH_CREDENTIALS_DIR, &c->credentials[i], err));
    for (size_t i = 0; i < c->n_credentials; i++)
        VS_TRY(
            cdh_credential_place(CDH_CREDENTIALS_DIR, &c->credentials[i], p->service.source, err));
    return VS_OK;
}

static vs_code build(guest_part *part, vs_error *err)
{
    program *p = (program *)part;
    VS_TRY(open_source(p, err));
    VS_TRY(guest_callers_of(p->cfg.allowed_users, p->cfg.n_allowed_users, p->cfg.allowed_group,
                            &p->callers, err));
    p->service.sealed = (cdh_sealed_options){.source = p->service.source,
                                             .skip_verification = skips_verification(p)};
    VS_TRY(place_credentials(p, err));
    cdh_rpc_methods(&p->service, p->methods);
    if (!p->grpc &&
        strncmp(p->cfg.socket, "unix://" GUEST_RUN_DIR "/", sizeof "unix://" GUEST_RUN_DIR) == 0)
        VS_TRY(guest_socket_dirs((const char *const[]){GUEST_RUN_DIR}, 1, &p->callers, err));
    return guest_serve(p->cfg.socket, p->grpc, &p->callers, p->methods, CDH_RPC_METHODS,
                       GUEST_CDH_WAITING, &p->server, err);
}

static void prepare(program *p)
{
    p->part = (guest_part){"data hub", build, tear_down};
    vs_arena_init(&p->arena, 0);
}

static int run(const cli_command *command, bool grpc, int argc, char **argv)
{
    program p = {.grpc = grpc};
    int exit_code;
    if (!cli_parse(command, argc, argv, &p.o, stdout, stderr, &exit_code))
        return exit_code;
    prepare(&p);
    return guest_run(command->name, p.o.log_level, &(guest_part *){&p.part}, 1);
}

int guest_cdh(int argc, char **argv)
{
    return run(&ttrpc_command, false, argc, argv);
}

int guest_grpc_cdh(int argc, char **argv)
{
    return run(&grpc_command, true, argc, argv);
}

guest_part *guest_cdh_part(const guest_setup *s)
{
    program *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->o = (options){.config = s->cdh_config, .log_level = s->log_level};
    prepare(p);
    return &p->part;
}

/* ---- the key provider as a command ------------------------------------------------------------
 */

/* Wrapping with a key file needs no source of secrets, and is done where there is no guest. */
static vs_code answer(program *p, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(CDH_KEYPROVIDER_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8 * CDH_KEYPROVIDER_MAX);
    VS_TRY(vs_read_fd(0, &in, err));
    if (p->o.config || getenv("AA_KBC_PARAMS"))
        VS_TRY(open_source(p, err));
    else
        VS_TRY(cdh_source_files(NULL, 0, &p->service.source, err));
    VS_TRY(cdh_keyprovider(p->service.source, CDH_KEY_WRAP | CDH_KEY_UNWRAP | CDH_KEY_FILES,
                           vs_buf_span(&in), &out, err));
    return vs_write_fd(1, vs_buf_span(&out), err);
}

int guest_keyprovider(int argc, char **argv)
{
    program p = {0};
    vs_error err = {0};
    int exit_code;
    if (!cli_parse(&keyprovider_command, argc, argv, &p.o, stdout, stderr, &exit_code))
        return exit_code;
    prepare(&p);
    server_log(p.o.log_level ? p.o.log_level : "error", false);
    vs_code code = answer(&p, &err);
    tear_down(&p.part);
    return code == VS_OK ? EXIT_SUCCESS : guest_failed(keyprovider_command.name, &err);
}
