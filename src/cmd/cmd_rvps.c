/* SPDX-License-Identifier: Apache-2.0 */
/* `rvps`: the reference value provider as a program, with Trustee's flags. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/admin_grpc.h"
#include "api/rvps_grpc.h"
#include "base/log.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/config_rvps.h"
#include "cmd/listen.h"
#include "rvps/metrics.h"

#define DEFAULT_FILE "/etc/rvps.json"

typedef struct options {
    const char *config, *data_dir;
    listen_options listen;
} options;

#define AT(member) .at = offsetof(options, member)

static const cli_option rvps_options_[] = {
    {.name = "config",
     .letter = 'c',
     .value = "FILE",
     AT(config),
     .help = "Configuration as Trustee's, JSON, TOML or YAML (default " DEFAULT_FILE
             ", if there is one)"},
    {.name = "address",
     .letter = 'a',
     .value = "IP:PORT",
     AT(listen.socket),
     .fallback = "127.0.0.1:50003",
     .help = "Address to serve on, or unix:/PATH; port 0 takes a free one"},
    LISTEN_OPTIONS(offsetof(options, listen)),
    {.name = "data-dir",
     .value = "DIR",
     AT(data_dir),
     .help = "Where the database lives, whatever the file says; made if missing"},
    {0}};

static const cli_command rvps_command = {.name = "rvps",
                                         .summary = "Reference value provider over gRPC",
                                         .options = rvps_options_,
                                         .version = "rvps " VS_VERSION};

/* Everything the program owns, released in the reverse order of its making. */
typedef struct program {
    vs_store *store;
    rvps_anchors *anchors;
    rvps_grpc service;
    vs_grpc_method methods[RVPS_GRPC_METHODS + RVPS_ADMIN_METHODS];
    vs_grpc_services services;
    listener listener;
} program;

static void tear_down(program *p)
{
    listen_stop(&p->listener);
    rvps_free(&p->service.rv);
    rvps_anchors_free(&p->anchors);
    vs_store_close(&p->store);
}

/* A file that was named, or is at the usual place, must be readable: values that go somewhere else
 * than the operator wrote are as good as lost. */
static vs_code settings(const options *o, vs_arena *a, rvps_file *file, vs_error *err)
{
    const char *path = o->config ? o->config : DEFAULT_FILE;
    if (!o->config && access(path, F_OK) != 0 && errno == ENOENT)
        path = NULL;
    VS_TRY(rvps_file_load(path, a, file, err));
    if (o->data_dir)
        file->storage = (store_config){.type = STORE_SQLITE,
                                       .path = vs_sprintf(a, "%s/rvps.sqlite", o->data_dir)};
    return vs_arena_check(a, err);
}

static void print_metrics(vs_buf *out)
{
    rvps_metrics_print(out);
    vs_metric_print_process(out);
}

static vs_code build(const options *o, vs_arena *a, rvps_file *file, program *p, vs_error *err)
{
    sandbox s = {.n_read = 0};
    VS_TRY(listen_open(&p->listener, &o->listen, err));
    VS_TRY(settings(o, a, file, err));
    VS_TRY(server_read_anchors(&file->trust, &p->anchors, err));
    const rvps_options opts = {.refuse_sample = file->refuse_sample_values,
                               .require_signed = file->require_signed_values,
                               .accept_unsigned_keys = file->accept_unsigned_keys,
                               .anchors = p->anchors};
    VS_TRY_WRAP(store_open(&file->storage, &p->store, err), err, "storage");
    VS_TRY(rvps_new(p->store, &opts, &p->service.rv, err));
    p->service.no_delete = file->require_signed_values;
    rvps_grpc_methods(&p->service, p->methods);
    rvps_admin_methods(&p->service, p->methods + RVPS_GRPC_METHODS);
    static const char *const names[] = {"", RVPS_GRPC_SERVICE};
    VS_TRY(listen_health(&p->listener, names, VS_COUNT(names), err));
    listen_metrics(&p->listener, print_metrics);
    listen_check_store(&p->listener, "store", p->store);
    p->services = (vs_grpc_services){
        .methods = p->methods, .n_methods = VS_COUNT(p->methods), .health = p->listener.health};
    listen_administration(&p->listener, file->insecure_administration, &p->services);
    vs_http_config http = {.grpc = &p->services};
    doors_store(&s, a, &file->storage);
    doors_trust(&s, &file->trust);
    return listen_start(&p->listener, &s, &http, err);
}

int cmd_rvps(int argc, char **argv)
{
    options o = {0};
    int exit_code = 0;
    if (!cli_parse(&rvps_command, argc, argv, &o, stdout, stderr, &exit_code))
        return exit_code;
    vs_arena a;
    vs_arena_init(&a, 0);
    program p = {0};
    rvps_file file;
    vs_error err = {0};
    vs_code code = build(&o, &a, &file, &p, &err);
    if (code == VS_OK)
        listen_run(&p.listener, "rvps", !file.require_signed_values);
    else
        vs_log_error(VS_LOG_ERROR, "rvps", "cannot start", &err);
    tear_down(&p);
    vs_arena_free(&a);
    return code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
