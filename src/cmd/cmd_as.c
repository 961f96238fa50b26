/* SPDX-License-Identifier: Apache-2.0 */
/* `grpc-as` and `restful-as`: the attestation service as a program, with Trustee's flags. */
#include <stdio.h>
#include <stdlib.h>

#include "api/admin_grpc.h"
#include "api/as_grpc.h"
#include "api/as_rest.h"
#include "api/as_wire.h"
#include "api/problem.h"
#include "api/rvps_grpc.h"
#include "as/metrics.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/config_as.h"
#include "cmd/listen.h"
#include "rvps/metrics.h"

typedef struct options {
    const char *config_file;
    listen_options listen;
    const char *data_dir, *cca_config;
    bool sample_tee;
    cli_list origins;
} options;

#define AT(member) .at = offsetof(options, member)
#define CONFIG_OPTION                                                                              \
    {                                                                                              \
        .name = "config-file", .letter = 'c', .value = "FILE", AT(config_file),                    \
        .help = "Configuration as Trustee's, JSON; without one, its defaults"                      \
    }
#define OWN_OPTIONS                                                                                \
    {.name = "data-dir",                                                                           \
     .value = "DIR",                                                                               \
     AT(data_dir),                                                                                 \
     .help = "Where the database lives, whatever the file says; made if missing"},                 \
        {.name = "cca-config",                                                                     \
         .value = "FILE",                                                                          \
         .env = "CCA_CONFIG_FILE",                                                                 \
         AT(cca_config),                                                                           \
         .help = "CCA verifier configuration (trust anchors, reference values)"},                  \
    {                                                                                              \
        .name = "sample-tee", AT(sample_tee),                                                      \
        .help = "Accept \"sample\" evidence, which proves nothing; for tests"                      \
    }

static const cli_option grpc_options[] = {
    CONFIG_OPTION,
    {.name = "socket",
     .letter = 's',
     .value = "IP:PORT",
     AT(listen.socket),
     .fallback = "127.0.0.1:3000",
     .help = "Address to serve on, or unix:/PATH; port 0 takes a free one"},
    LISTEN_OPTIONS(offsetof(options, listen)),
    OWN_OPTIONS,
    {0}};
static const cli_option rest_options[] = {
    CONFIG_OPTION,
    {.name = "socket",
     .letter = 's',
     .value = "IP:PORT",
     AT(listen.socket),
     .required = true,
     .help = "Address to serve on, or unix:/PATH; port 0 takes a free one"},
    {.name = "allowed_origin",
     .letter = 'r',
     .value = "ORIGIN",
     .repeat = true,
     AT(origins),
     .help = "Web pages that may call, http(s)://host; again or by commas for several"},
    LISTEN_OPTIONS(offsetof(options, listen)),
    OWN_OPTIONS,
    {0}};

static const cli_command grpc_command = {.name = "grpc-as",
                                         .summary = "Attestation service over gRPC",
                                         .options = grpc_options,
                                         .version = "grpc-as " VS_VERSION};
static const cli_command rest_command = {.name = "restful-as",
                                         .summary = "Attestation service over HTTP",
                                         .options = rest_options,
                                         .version = "restful-as " VS_VERSION};

/* Everything the program owns, released in the reverse order of its making. */
typedef struct program {
    vs_store *main_store, *values, *routed;
    verifier verifier;
    rvps_grpc reference_values;
    vs_grpc_method
        methods[AS_GRPC_METHODS + RVPS_GRPC_METHODS + AS_ADMIN_METHODS + RVPS_ADMIN_METHODS];
    vs_grpc_services services;
    as_rest rest;
    listener listener;
    as_veraison *veraison; /* NULL = not served */
} program;

static void tear_down(program *p)
{
    listen_stop(&p->listener);
    as_veraison_free(&p->veraison);
    verifier_close(&p->verifier);
    vs_store_close(&p->routed);
    vs_store_close(&p->values);
    vs_store_close(&p->main_store);
}

/* ---- origins --------------------------------------------------------------------------------- */

enum { ORIGINS_MAX = 64 };

static bool origin_ok(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    return vs_span_starts(s, VS_LIT("http://")) || vs_span_starts(s, VS_LIT("https://"));
}

static vs_code read_origins(const cli_list *given, vs_arena *a, as_rest *out, vs_error *err)
{
    const char **list = vs_alloc_array(a, ORIGINS_MAX, sizeof *list);
    VS_TRY(vs_arena_check(a, err));
    out->origins = list;
    for (size_t i = 0; i < given->n; i++) {
        vs_span rest = vs_str(given->items[i]);
        while (rest.n) {
            vs_span one = vs_span_trim(vs_span_cut(rest, ',', &rest, NULL));
            if (!origin_ok(one))
                return vs_fail(err, VS_E_INVALID,
                               "--allowed_origin: \"%.*s\" does not start with http:// or https://",
                               VS_FMT(vs_span_head(one, 120)));
            if (out->n_origins == ORIGINS_MAX)
                return vs_fail(err, VS_E_LIMIT, "--allowed_origin: more than %d", ORIGINS_MAX);
            list[out->n_origins++] = (const char *)vs_dup(a, one).p;
        }
    }
    return vs_arena_check(a, err);
}

/* ---- making ---------------------------------------------------------------------------------- */

static vs_code open_stores(const as_file *file, program *p, vs_store **out, vs_error *err)
{
    VS_TRY_WRAP(store_open(&file->storage, &p->main_store, err), err, "storage_backend");
    *out = p->main_store;
    if (!file->values_elsewhere)
        return VS_OK;
    VS_TRY_WRAP(store_open(&file->values, &p->values, err), err, "rvps_config.storage_type");
    const vs_store_route route = {"reference_value", p->values};
    VS_TRY(vs_store_open_routed(p->main_store, &route, 1, &p->routed, err));
    *out = p->routed;
    return VS_OK;
}

static vs_code set_up_grpc(const as_file *file, program *p, vs_http_config *http, vs_error *err)
{
    vs_grpc_method *methods = p->methods;
    p->reference_values = (rvps_grpc){
        .rv = p->verifier.rv, .beside_as = true, .no_delete = file->verifier.require_signed_values};
    as_grpc_methods(p->verifier.as, methods);
    rvps_grpc_methods(&p->reference_values, methods += AS_GRPC_METHODS);
    as_admin_methods(p->verifier.as, methods += RVPS_GRPC_METHODS);
    rvps_admin_methods(&p->reference_values, methods + AS_ADMIN_METHODS);
    static const char *const names[] = {"", AS_GRPC_SERVICE, RVPS_GRPC_SERVICE};
    VS_TRY(listen_health(&p->listener, names, VS_COUNT(names), err));
    p->services = (vs_grpc_services){
        .methods = p->methods, .n_methods = VS_COUNT(p->methods), .health = p->listener.health};
    listen_administration(&p->listener, file->insecure_administration, &p->services);
    http->grpc = &p->services;
    http->handler = as_wire_beside;
    http->user = p->verifier.as;
    return VS_OK;
}

static vs_code settings(const options *o, vs_arena *a, as_file *file, vs_error *err)
{
    VS_TRY_WRAP(as_file_load(o->config_file, a, file, err), err, "configuration");
    if (o->data_dir)
        file->storage = (store_config){.type = STORE_SQLITE,
                                       .path = vs_sprintf(a, "%s/as.sqlite", o->data_dir)};
    if (o->cca_config)
        file->verifier.cca_config_path = o->cca_config;
    if (o->sample_tee)
        file->verifier.sample_tee = true;
    return vs_arena_check(a, err);
}

static void handle_veraison(void *v, const as_veraison_call *call, as_veraison_reply *reply)
{
    as_veraison_handle(v, call, reply);
}

static void tick(void *v)
{
    as_veraison_tick(v, vs_now_s());
}

static vs_code set_up_rest(const as_file *file, program *p, vs_http_config *http, vs_error *err)
{
    p->rest.as = p->verifier.as;
    http->too_large = api_too_large;
    http->handler = as_rest_handle;
    http->user = &p->rest;
    if (!file->veraison)
        return VS_OK;
    VS_TRY_WRAP(as_veraison_new(p->verifier.as, &file->veraison_how, &p->veraison, err), err,
                "veraison");
    p->rest.veraison = (veraison_rest){handle_veraison, p->veraison};
    p->listener.tick = tick;
    p->listener.tick_user = p->veraison;
    return VS_OK;
}

static void print_metrics(vs_buf *out)
{
    as_metrics_print(out);
    rvps_metrics_print(out);
    vs_metric_print_process(out);
}

static void set_up_operations(const as_file *file, program *p, vs_store *store)
{
    listen_metrics(&p->listener, print_metrics);
    listen_check_store(&p->listener, "store", store);
    if (file->verifier.remote_rvps)
        listen_check_peer(&p->listener, "reference value provider", p->verifier.client);
}

static vs_code build(const options *o, bool rest, vs_arena *a, program *p, vs_error *err)
{
    as_file file;
    vs_store *store;
    vs_http_config http = {0};
    sandbox s = {.n_read = 0};
    VS_TRY(listen_open(&p->listener, &o->listen, err));
    VS_TRY(settings(o, a, &file, err));
    VS_TRY(read_origins(&o->origins, a, &p->rest, err));
    VS_TRY(open_stores(&file, p, &store, err));
    VS_TRY(verifier_open(&file.verifier, store, &p->verifier, err));
    if (rest) {
        VS_TRY(set_up_rest(&file, p, &http, err));
    } else {
        VS_TRY(set_up_grpc(&file, p, &http, err));
    }
    set_up_operations(&file, p, store);
    http.workers = verifier_workers(&file.verifier, &p->verifier);
    doors_store(&s, a, &file.storage);
    if (file.values_elsewhere)
        doors_store(&s, a, &file.values);
    doors_verifier(&s, a, &file.verifier, &p->verifier.trust);
    return listen_start(&p->listener, &s, &http, err);
}

static int run(const cli_command *command, bool rest, int argc, char **argv)
{
    options o = {0};
    int exit_code = 0;
    if (!cli_parse(command, argc, argv, &o, stdout, stderr, &exit_code))
        return exit_code;
    vs_arena a;
    vs_arena_init(&a, 0);
    program p = {0};
    vs_error err = {0};
    vs_code code = build(&o, rest, &a, &p, &err);
    if (code == VS_OK)
        listen_run(&p.listener, command->name, true);
    else
        vs_log_error(VS_LOG_ERROR, "as", "cannot start", &err);
    tear_down(&p);
    vs_arena_free(&a);
    return code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_grpc_as(int argc, char **argv)
{
    return run(&grpc_command, false, argc, argv);
}

int cmd_restful_as(int argc, char **argv)
{
    return run(&rest_command, true, argc, argv);
}
