/* SPDX-License-Identifier: Apache-2.0 */
/* `rvps-tool`: registers and shows reference values of a running provider. */
#include <stdio.h>
#include <stdlib.h>

#include "api/remote.h"
#include "base/clock.h"
#include "base/io.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "value/json.h"

enum { FILE_MAX = 4 * 1024 * 1024, CALL_MS = 30000 };

typedef struct options {
    const char *path, *corim, *id;
    remote_config remote;
} options;

#define AT(member) .at = offsetof(options, member)
#define REMOTE_OPTIONS                                                                             \
    {.name = "addr",                                                                               \
     .letter = 'a',                                                                                \
     .value = "URL",                                                                               \
     AT(remote.address),                                                                           \
     .fallback = "http://127.0.0.1:50003",                                                         \
     .help = "The provider, http or https"},                                                       \
        {.name = "ca-cert",                                                                        \
         .value = "PEM",                                                                           \
         AT(remote.ca_cert),                                                                       \
         .help = "Checks its certificate; the system's when not given"},                           \
        {.name = "client-cert",                                                                    \
         .value = "PEM",                                                                           \
         AT(remote.client_cert),                                                                   \
         .help = "Certificate chain to show to it"},                                               \
    {                                                                                              \
        .name = "client-key", .value = "PEM", AT(remote.client_key),                               \
        .help = "Key of that certificate"                                                          \
    }

static vs_code with_provider(const options *o,
                             vs_code (*use)(const options *o, rvps *rv, vs_error *err),
                             vs_error *err)
{
    vs_grpc_client *client = NULL;
    rvps *rv = NULL;
    remote_config remote = o->remote;
    remote.call_ms = CALL_MS;
    vs_code code = remote_open(&remote, &client, err);
    if (code == VS_OK)
        code = rvps_remote_new(client, &rv, err);
    if (code == VS_OK)
        code = use(o, rv, err);
    rvps_free(&rv);
    vs_grpc_client_free(&client);
    return code;
}

static int report(vs_code code, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "rvps-tool: %s\n", vs_error_text(err, text, sizeof text));
    return EXIT_FAILURE;
}

static vs_code send_file(const options *o, rvps *rv, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(FILE_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf wrapped = VS_BUF(2 * FILE_MAX);
    const char *path = o->path ? o->path : o->corim;
    VS_TRY_WRAP(vs_read_file(path, &file, err), err, "%s", path);
    if (o->corim)
        VS_TRY(rvps_message(&wrapped, "corim", vs_buf_span(&file), err));
    const vs_buf *message = o->corim ? &wrapped : &file;
    VS_TRY(rvps_register(rv, vs_buf_span(message), vs_now_s(), err));
    puts("Register provenance succeeded.");
    return VS_OK;
}

static vs_code show(const options *o, rvps *rv, vs_error *err)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_val value;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(2 * FILE_MAX);
    vs_code code = rvps_query(rv, vs_str(o->id), vs_now_s(), &a, &value, err);
    if (code == VS_OK && vs_defined(value)) {
        vs_json_print(&text, value);
        code = vs_buf_check(&text, err);
    } else {
        vs_buf_puts(&text, "No reference values found for the given id");
    }
    if (code == VS_OK)
        puts((const char *)text.p);
    vs_arena_free(&a);
    return code;
}

static int run_register(void *opts)
{
    const options *o = opts;
    vs_error err = {0};
    if (!o->path && !o->corim) {
        fputs("rvps-tool register: one of --path and --corim is needed\n", stderr);
        return CLI_EXIT_USAGE;
    }
    return report(with_provider(opts, send_file, &err), &err);
}

static int run_query(void *opts)
{
    vs_error err = {0};
    return report(with_provider(opts, show, &err), &err);
}

static const cli_option register_options[] = {{.name = "path",
                                               .letter = 'p',
                                               .value = "FILE",
                                               .group = 1,
                                               AT(path),
                                               .help = "The message, JSON; - reads stdin"},
                                              {.name = "corim",
                                               .value = "FILE",
                                               .group = 1,
                                               AT(corim),
                                               .help = "A CoRIM instead, plain or signed; the "
                                                       "message is made around it"},
                                              REMOTE_OPTIONS,
                                              {0}};
static const cli_option query_options[] = {{.name = "reference-value-id",
                                            .letter = 'r',
                                            .value = "ID",
                                            .required = true,
                                            AT(id),
                                            .help = "The value's name"},
                                           REMOTE_OPTIONS,
                                           {0}};
static const cli_command tool_commands[] = {{.name = "register",
                                             .summary = "Sends a message with reference values",
                                             .options = register_options,
                                             .run = run_register},
                                            {.name = "query",
                                             .summary = "Shows a reference value as JSON",
                                             .options = query_options,
                                             .run = run_query},
                                            {0}};
static const cli_command tool = {.name = "rvps-tool",
                                 .summary = "Registers and shows reference values",
                                 .commands = tool_commands,
                                 .version = "rvps-tool " VS_VERSION};

int cmd_rvps_tool(int argc, char **argv)
{
    options o = {0};
    return cli_main(&tool, argc, argv, &o);
}
