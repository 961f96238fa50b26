/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to have the attestation service, and then the reference value provider too, behind
 * gRPC on loopback: evaluations of sample evidence (policy and token, no signatures of a TEE).
 *
 *   bench_three [SECONDS]      (default 2, for each row)
 *
 * All parts are threads of one process here, each behind its own port.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/admin_grpc.h"
#include "api/as_grpc.h"
#include "api/remote.h"
#include "api/rvps_grpc.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "value/json.h"

#define RUNTIME "{\"nonce\":\"n\"}"
/* Asks for eight values, as a policy for a real TEE does. */
#define POLICY                                                                                     \
    "package policy\nimport rego.v1\n"                                                             \
    "found contains i if { some i in numbers.range(1, 8); query_reference_value(sprintf(\"v%d\", " \
    "[i])) }\n"                                                                                    \
    "trust_claims := {\"executables\": 3} if count(found) == 8\n"

enum { CLIENTS = 8 };

static int64_t until;
static atomic_size_t calls;

static void need(vs_code code, const char *what, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return;
    (void)fprintf(stderr, "bench_three: %s: %s\n", what, vs_error_text(err, text, sizeof text));
    exit(1);
}

static vs_http_server *listen_on(const vs_grpc_services *services, unsigned workers,
                                 vs_grpc_client **client)
{
    static const char *const sockets[] = {"127.0.0.1:0"};
    const vs_http_config cfg = {
        .sockets = sockets, .n_sockets = 1, .threads = 2, .workers = workers, .grpc = services};
    vs_http_server *s = NULL;
    vs_error err = {0};
    char address[40];
    need(vs_http_server_start(&cfg, &s, &err), "server", &err);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", vs_http_server_port(s, 0));
    need(remote_open(&(remote_config){.address = address, .connections = 16}, client, &err),
         "client", &err);
    return s;
}

/* Evidence that is bound to RUNTIME. */
static as_request make_request(vs_arena *a)
{
    vs_error err = {0};
    uint8_t md[VS_HASH_MAX];
    as_request r = {.tee = VS_LIT("sample"), .runtime_kind = AS_DATA_STRUCTURED};
    need(vs_digest(VS_SHA384, VS_LIT(RUNTIME), VS_LIT(""), VS_LIT(""), md, &err), "digest", &err);
    need(vs_json_parse(a, VS_LIT(RUNTIME), NULL, &r.runtime_json, &err), "runtime data", &err);
    vs_obj evidence = {.a = a};
    vs_obj_put(&evidence, "svn", vs_cstring("1"));
    vs_obj_put(&evidence, "report_data",
               vs_string(vs_b64_encode_arena(a, VS_B64_STD, vs_span_of(md, 48))));
    r.evidence = vs_obj_end(&evidence, VS_DUP_REFUSE, NULL);
    return r;
}

static void *evaluate_many(void *as)
{
    vs_arena a;
    vs_error err = {0};
    vs_arena_init(&a, 0);
    while (vs_mono_ns() < until) {
        as_result out;
        vs_arena_reset(&a);
        as_request r = make_request(&a);
        need(as_evaluate(as, &r, 1, VS_LIT("bench"), vs_now_s(), &a, &out, &err), "evaluation",
             &err);
        atomic_fetch_add(&calls, 1);
    }
    vs_arena_free(&a);
    return NULL;
}

static void measure(const char *what, as_service *as, int seconds)
{
    for (unsigned clients = 1; clients <= CLIENTS; clients *= CLIENTS) {
        pthread_t t[CLIENTS];
        atomic_store(&calls, 0);
        until = vs_mono_ns() + (int64_t)seconds * 1000000000;
        for (unsigned i = 0; i < clients; i++)
            if (pthread_create(&t[i], NULL, evaluate_many, as) != 0)
                exit(1);
        for (unsigned i = 0; i < clients; i++)
            (void)pthread_join(t[i], NULL);
        double rate = (double)atomic_load(&calls) / seconds;
        printf("%-44s %u client%s: %6.0f evaluations per second, %.0f us each\n", what, clients,
               clients > 1 ? "s" : " ", rate, clients * 1e6 / rate);
    }
}

typedef enum place { HERE, FAR, FAR_AND_TELLING } place;

/* A service with `values`, directly or behind a port of its own, which tells the explanation and
 * the record too, or the token only, as Trustee's does. */
static void row(const char *what, rvps *values, place at, unsigned workers, int seconds)
{
    static const as_config cfg;
    vs_tee_trust trust = {.sample = true};
    vs_store *store = NULL;
    as_service *near = NULL, *far = NULL;
    vs_grpc_client *client = NULL;
    vs_http_server *server = NULL;
    vs_grpc_method methods[AS_GRPC_METHODS + AS_ADMIN_METHODS];
    vs_error err = {0};
    need(vs_store_open_memory(&store, &err), "store", &err);
    need(as_new(&cfg, store, values, &trust, &near, &err), "service", &err);
    need(as_set_policy(near, VS_LIT("bench_cpu"), VS_LIT(POLICY), &err), "policy", &err);
    as_grpc_methods(near, methods);
    as_admin_methods(near, methods + AS_GRPC_METHODS);
    const vs_grpc_services services = {.methods = methods,
                                       .strangers_may = true,
                                       .n_methods = AS_GRPC_METHODS +
                                                    (at == FAR_AND_TELLING ? AS_ADMIN_METHODS : 0)};
    if (at != HERE) {
        server = listen_on(&services, workers, &client);
        need(as_remote_new(client, &far, &err), "remote service", &err);
    }
    measure(what, at != HERE ? far : near, seconds);
    as_free(&far);
    vs_grpc_client_free(&client);
    vs_http_server_stop(&server, 1000);
    as_free(&near);
    vs_store_close(&store);
}

int main(int argc, char **argv)
{
    static const rvps_options opts;
    int seconds = argc > 1 ? atoi(argv[1]) : 2;
    vs_store *store = NULL;
    rvps_grpc values = {0};
    rvps *far = NULL;
    vs_grpc_method methods[RVPS_GRPC_METHODS];
    const vs_grpc_services services = {.methods = methods, .n_methods = RVPS_GRPC_METHODS};
    vs_grpc_client *client = NULL;
    vs_error err = {0};
    vs_log_setup(VS_LOG_ERROR, false, 2);
    need(vs_store_open_memory(&store, &err), "store", &err);
    need(rvps_new(store, &opts, &values.rv, &err), "values", &err);
    rvps_grpc_methods(&values, methods);
    vs_http_server *server = listen_on(&services, 0, &client);
    need(rvps_remote_new(client, &far, &err), "remote values", &err);
    row("one process", values.rv, HERE, 0, seconds);
    row("Trustee's service over gRPC", values.rv, FAR, 0, seconds);
    row("our service over gRPC", values.rv, FAR_AND_TELLING, 0, seconds);
    row("service and provider (8 values) over gRPC", far, FAR_AND_TELLING, 16, seconds);
    rvps_free(&far);
    vs_grpc_client_free(&client);
    vs_http_server_stop(&server, 1000);
    rvps_free(&values.rv);
    vs_store_close(&store);
    return 0;
}
