/* SPDX-License-Identifier: Apache-2.0 */
/* `attestation-agent` and `grpc-aa`, with upstream's flags (guest.md 1.3). */
#include <stdio.h>
#include <stdlib.h>

#include "api/aa_rpc.h"
#include "base/enc.h"
#include "base/io.h"
#include "cmd/cli.h"
#include "cmd/guest/guest.h"

#define SOCKET_DIR GUEST_RUN_DIR "/attestation-agent"

typedef struct options {
    const char *address, *config, *digest, *document, *log_level;
} options;

#define AT(member) .at = offsetof(options, member)

#define AA_OPTIONS(fallback_address)                                                               \
    {.name = "attestation_sock",                                                                   \
     .letter = 'a',                                                                                \
     .value = "ADDRESS",                                                                           \
     AT(address),                                                                                  \
     .fallback = fallback_address,                                                                 \
     .help = "Where to serve"},                                                                    \
        {.name = "config-file",                                                                    \
         .letter = 'c',                                                                            \
         .value = "FILE",                                                                          \
         AT(config),                                                                               \
         .help = "Configuration, TOML or JSON; without it AA_KBC_PARAMS, or agent.aa_kbc_params "  \
                 "of the kernel's command line"},                                                  \
        {.name = "initdata-digest",                                                                \
         .letter = 'i',                                                                            \
         .value = "BASE64",                                                                        \
         AT(digest),                                                                               \
         .help = "Digest of the init data that the TEE must have been started with"},              \
        {.name = "initdata-toml",                                                                  \
         .letter = 't',                                                                            \
         .value = "FILE",                                                                          \
         AT(document),                                                                             \
         .help = "The init data itself; wins over the digest"},                                    \
    {                                                                                              \
        .name = "log-level", .value = "LEVEL", .env = "RUST_LOG", AT(log_level),                   \
        .help = "error, warn, info or debug"                                                       \
    }

#define DEFAULT_ADDRESS "unix://" SOCKET_DIR "/attestation-agent.sock"

static const cli_option ttrpc_options[] = {AA_OPTIONS(DEFAULT_ADDRESS), {0}};
static const cli_option grpc_options[] = {AA_OPTIONS("127.0.0.1:50002"), {0}};

static const cli_command ttrpc_command = {
    .name = "attestation-agent",
    .summary = "Evidence and tokens of the guest it runs in, over ttrpc",
    .options = ttrpc_options,
    .version = "attestation-agent " VS_VERSION "\nsupported attesters: " ATTESTER_NAMES
               "\ntoken plugins: kbs, coco_as"};
static const cli_command grpc_command = {
    .name = "grpc-aa",
    .summary = "Evidence and tokens of the guest it runs in, over gRPC on loopback",
    .options = grpc_options,
    .version = "grpc-aa " VS_VERSION "\nsupported attesters: " ATTESTER_NAMES
               "\ntoken plugins: kbs, coco_as"};

/* Everything the program owns, released in the reverse order of its making. */
typedef struct program {
    guest_part part;
    options o;
    bool grpc;
    vs_arena arena;
    vs_buf cmdline, document;
    aa_config cfg;
    aa *agent;
    vs_grpc_method methods[AA_RPC_METHODS];
    guest_callers callers;
    guest_server server;
} program;

static void tear_down(guest_part *part)
{
    program *p = (program *)part;
    guest_server_stop(&p->server);
    aa_free(&p->agent);
    vs_buf_free(&p->document);
    vs_buf_free(&p->cmdline);
    vs_arena_free(&p->arena);
}

static vs_code read_document(const char *path, program *p, aa_init_data *out, vs_error *err)
{
    vs_init_data doc;
    VS_TRY(vs_read_file(path, &p->document, err));
    VS_TRY(vs_init_data_parse(&p->arena, vs_buf_span(&p->document), &doc, err));
    *out = (aa_init_data){vs_buf_span(&p->document), doc.digest};
    return VS_OK;
}

/* *has: something was given. */
static vs_code read_init_data(const options *o, program *p, aa_init_data *out, bool *has,
                              vs_error *err)
{
    *out = (aa_init_data){0};
    *has = o->document || o->digest;
    if (o->document)
        VS_TRY_WRAP(read_document(o->document, p, out, err), err, "--initdata-toml %s",
                    o->document);
    else if (o->digest)
        VS_TRY_WRAP(
            vs_b64_decode_arena(&p->arena, VS_B64_STD, vs_str(o->digest), &out->digest, err), err,
            "--initdata-digest");
    return VS_OK;
}

static vs_code build(guest_part *part, vs_error *err)
{
    program *p = (program *)part;
    const options *o = &p->o;
    const guest_env env = guest_env_read();
    aa_init_data init;
    bool has_init;
    VS_TRY(aa_config_load(o->config, &env, guest_cmdline(&p->cmdline), &p->arena, &p->cfg, err));
    server_log(o->log_level ? o->log_level : p->cfg.log_level, false);
    VS_TRY(guest_callers_of(p->cfg.allowed_users, p->cfg.n_allowed_users, p->cfg.allowed_group,
                            &p->callers, err));
    VS_TRY(read_init_data(o, p, &init, &has_init, err));
    VS_TRY(aa_new(&p->cfg, has_init ? &init : NULL, &p->agent, err));
    aa_rpc_methods(p->agent, p->methods);
    if (!p->grpc && strncmp(o->address, "unix://" SOCKET_DIR "/", sizeof "unix://" SOCKET_DIR) == 0)
        VS_TRY(guest_socket_dirs((const char *const[]){GUEST_RUN_DIR, SOCKET_DIR}, 2, &p->callers,
                                 err));
    return guest_serve(o->address, p->grpc, &p->callers, p->methods, AA_RPC_METHODS,
                       GUEST_AA_WAITING, &p->server, err);
}

static void prepare(program *p)
{
    p->part = (guest_part){"attestation agent", build, tear_down};
    p->document = (vs_buf)VS_BUF(VS_INIT_DATA_MAX);
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

int guest_aa(int argc, char **argv)
{
    return run(&ttrpc_command, false, argc, argv);
}

int guest_grpc_aa(int argc, char **argv)
{
    return run(&grpc_command, true, argc, argv);
}

guest_part *guest_aa_part(const guest_setup *s)
{
    program *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->o = (options){.address = DEFAULT_ADDRESS, .config = s->aa_config, .log_level = s->log_level};
    prepare(p);
    return &p->part;
}
