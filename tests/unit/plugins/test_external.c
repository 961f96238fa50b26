/* SPDX-License-Identifier: Apache-2.0 */
/* External plugins, against a gRPC server of the test on loopback. */
#include "net/identity.h"
#include "request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "kbs/metrics.h"
#include "net/grpc.h"
#include "net/pb.h"
#include "plugin.pb-c.h"

/* ---- the backend -------------------------------------------------------------------------------
 */

typedef struct backend_double {
    bool admin, encrypt, garbage;
    vs_grpc_status refuse; /* OK = answer */
    int32_t status;
    unsigned sleep_ms;
    char body[64], seen[512]; /* the answer; what Handle was asked, as text */
} backend_double;

static void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

/* False when the double answers in another way. */
static bool behaves(backend_double *d, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    pause_ms(d->sleep_ms);
    if (d->refuse != VS_GRPC_OK)
        vs_grpc_fail(call, reply, d->refuse, "refused by the double");
    else if (d->garbage)
        vs_buf_puts(&reply->body, "\xff\xff\xff");
    return d->refuse == VS_GRPC_OK && !d->garbage;
}

static void on_auth(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    backend_double *d = user;
    if (!behaves(d, call, reply))
        return;
    Kbs__Plugin__V1__ValidateAuthResponse r = KBS__PLUGIN__V1__VALIDATE_AUTH_RESPONSE__INIT;
    r.requires_admin_auth = d->admin;
    vs_pb_pack(&reply->body, &r.base);
}

static void on_encryption(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    backend_double *d = user;
    if (!behaves(d, call, reply))
        return;
    Kbs__Plugin__V1__NeedsEncryptionResponse r = KBS__PLUGIN__V1__NEEDS_ENCRYPTION_RESPONSE__INIT;
    r.requires_payload_encryption = d->encrypt;
    vs_pb_pack(&reply->body, &r.base);
}

static void on_handle(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    backend_double *d = user;
    if (!behaves(d, call, reply))
        return;
    ProtobufCMessage *m = NULL;
    if (vs_pb_unpack(call->arena, &kbs__plugin__v1__plugin_request__descriptor, call->request, &m,
                     NULL) != VS_OK) {
        vs_grpc_fail(call, reply, VS_GRPC_INVALID_ARGUMENT, "not a request");
        return;
    }
    const Kbs__Plugin__V1__PluginRequest *q = (const Kbs__Plugin__V1__PluginRequest *)m;
    VS_CLEANUP(vs_buf_free) vs_buf seen = VS_BUF(sizeof d->seen - 1);
    vs_buf_printf(&seen, "%s", q->method);
    for (size_t i = 0; i < q->n_path; i++)
        vs_buf_printf(&seen, "/%s", q->path[i]);
    for (size_t i = 0; i < q->n_query; i++)
        vs_buf_printf(&seen, "%c%s=%s", i ? '&' : '?', q->query[i]->key, q->query[i]->value);
    vs_buf_printf(&seen, " %.*s", (int)q->body.len, (const char *)q->body.data);
    (void)snprintf(d->seen, sizeof d->seen, "%.*s", VS_FMT(vs_buf_span(&seen)));
    Kbs__Plugin__V1__PluginResponse r = KBS__PLUGIN__V1__PLUGIN_RESPONSE__INIT;
    r.body = (ProtobufCBinaryData){strlen(d->body), (uint8_t *)d->body};
    r.status_code = d->status;
    r.content_type = (char *)(uintptr_t) "application/x-ignored";
    vs_pb_pack(&reply->body, &r.base);
}

typedef struct fixture {
    backend_double d;
    vs_grpc_method methods[3];
    vs_grpc_services services;
    identity id;
    vs_http_server *server;
    char url[64];
    kbs_backend_config cfg[2];
    kbs_plugin plugin;
    vs_arena a;
    vs_buf out;
    vs_error err;
} fixture;

static void start_backend(fixture *f, bool tls, unsigned port)
{
    char socket[32];
    const char *sockets[] = {socket};
    (void)snprintf(socket, sizeof socket, "127.0.0.1:%u", port);
    f->methods[0] = (vs_grpc_method){"/kbs.plugin.v1.KbsPlugin/ValidateAuth", on_auth, &f->d};
    f->methods[1] = (vs_grpc_method){"/kbs.plugin.v1.KbsPlugin/Handle", on_handle, &f->d};
    f->methods[2] =
        (vs_grpc_method){"/kbs.plugin.v1.KbsPlugin/NeedsEncryption", on_encryption, &f->d};
    f->services = (vs_grpc_services){.methods = f->methods, .n_methods = 3};
    const vs_http_config http = {.sockets = sockets,
                                 .n_sockets = 1,
                                 .threads = 1,
                                 .workers = 4,
                                 .private_key = tls ? f->id.key : NULL,
                                 .certificate = tls ? f->id.cert : NULL,
                                 .grpc = &f->services};
    assert_vs_ok(vs_http_server_start(&http, &f->server, &f->err), &f->err);
    (void)snprintf(f->url, sizeof f->url, "%s://127.0.0.1:%u", tls ? "https" : "http",
                   vs_http_server_port(f->server, 0));
}

static void connect_plugin(fixture *f)
{
    f->cfg[0] = (kbs_backend_config){.name = "alpha", .endpoint = f->url, .timeout_ms = 5000};
    if (strncmp(f->url, "https", 5) == 0)
        f->cfg[0].ca_cert_path = f->id.cert;
    assert_vs_ok(external_plugin(f->cfg, 1, 5000, &f->plugin, &f->err), &f->err);
}

static int prepare(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    make_identity(&f->id, "IP:127.0.0.1", -60, 3600);
    vs_arena_init(&f->a, 0);
    f->out = (vs_buf)VS_BUF(1 << 20);
    (void)snprintf(f->d.body, sizeof f->d.body, "canary-answer");
    *state = f;
    return 0;
}

static int setup(void **state)
{
    (void)prepare(state);
    start_backend(*state, true, 0);
    connect_plugin(*state);
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    if (f->plugin.ops)
        f->plugin.ops->free(f->plugin.self);
    vs_http_server_stop(&f->server, 100);
    remove_identity(&f->id);
    vs_arena_free(&f->a);
    vs_buf_free(&f->out);
    free(f);
    return 0;
}

static vs_code handle(fixture *f, request r)
{
    return handle_on(&f->a, &f->plugin, r, &f->out, &f->err);
}

/* ---- calls -------------------------------------------------------------------------------------
 */

static void a_request_arrives_whole_and_its_answer_too(void **state)
{
    fixture *f = *state;
    assert_vs_ok(handle(f, (request){KBS_POST,
                                     "alpha/x//\xc3\xa4 \"/y",
                                     VS_LIT("body"),
                                     {{"k", "v"}, {"a", ""}, {"", "e"}}}),
                 &f->err);
    assert_string_equal(f->d.seen, "POST/x//\xc3\xa4 \"/y?=e&a=&k=v body");
    assert_span_is(vs_buf_span(&f->out), "canary-answer");
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    for (kbs_method m = KBS_GET; m <= KBS_DELETE; m++) {
        assert_vs_ok(handle(f, (request){m, "alpha", VS_LIT(""), {{0}}}), &f->err);
        assert_true(vs_span_starts(vs_str(f->d.seen), vs_str(methods[m])));
    }
    f->d.body[0] = 0;
    assert_vs_ok(handle(f, (request){KBS_GET, "alpha/z", VS_LIT(""), {{0}}}), &f->err);
    assert_int_equal(f->out.n, 0);
}

static void the_backend_says_who_and_how(void **state)
{
    fixture *f = *state;
    const request r = {KBS_GET, "alpha/x", VS_LIT(""), {{0}}};
    const kbs_plugin_call call = call_of(&f->a, &r);
    for (int i = 0; i < 4; i++) {
        bool admin = !(i & 1), encrypt = !(i & 2);
        f->d.admin = i & 1;
        f->d.encrypt = i & 2;
        assert_vs_ok(f->plugin.ops->wants_admin(f->plugin.self, &call, &admin, &f->err), &f->err);
        assert_vs_ok(f->plugin.ops->wants_encryption(f->plugin.self, &call, &encrypt, &f->err),
                     &f->err);
        assert_int_equal(admin, f->d.admin);
        assert_int_equal(encrypt, f->d.encrypt);
    }
}

/* hazards 23 and 24: what would be another path for the backend does not get there. */
static void a_nul_in_path_or_query_is_refused(void **state)
{
    fixture *f = *state;
    vs_span segments[] = {VS_LIT("alpha"), VS_LIT("a\0b")};
    kbs_plugin_call call = {
        .path = segments, .n_path = 2, .query = vs_empty(VS_OBJECT), .arena = &f->a};
    bool admin = true;
    assert_vs_code(f->plugin.ops->handle(f->plugin.self, &call, &f->out, &f->err), VS_E_INVALID);
    assert_vs_code(f->plugin.ops->wants_admin(f->plugin.self, &call, &admin, &f->err),
                   VS_E_INVALID);
    segments[1] = VS_LIT("ab");
    vs_obj query = {.a = &f->a};
    vs_obj_put(&query, "k", vs_string(VS_LIT("v\0w")));
    call.query = vs_obj_end(&query, VS_DUP_REFUSE, NULL);
    assert_vs_code(f->plugin.ops->handle(f->plugin.self, &call, &f->out, &f->err), VS_E_INVALID);
    assert_string_equal(f->d.seen, "");
}

static void an_unknown_backend_is_an_error(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {"", "beta", "Alpha", "alphaa", "alph", "/alpha", " alpha"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(handle(f, (request){KBS_GET, bad[i], VS_LIT(""), {{0}}}), VS_E_NOT_FOUND);
    kbs_plugin_call none = {.query = vs_empty(VS_OBJECT), .arena = &f->a};
    bool admin;
    assert_vs_code(f->plugin.ops->wants_admin(f->plugin.self, &none, &admin, &f->err),
                   VS_E_NOT_FOUND);
}

static void what_the_backend_refuses_gives_nothing(void **state)
{
    fixture *f = *state;
    const request r = {KBS_GET, "alpha/x", VS_LIT(""), {{0}}};
    static const int32_t refused[] = {1,   100, 199, 300,       301,      400,
                                      404, 500, -1,  INT32_MAX, INT32_MIN};
    static const int32_t good[] = {0, 200, 204, 299};
    for (size_t i = 0; i < VS_COUNT(refused); i++) {
        f->d.status = refused[i];
        assert_vs_code(handle(f, r), VS_E_DENIED);
        assert_int_equal(f->out.n, 0);
        char text[VS_ERROR_TEXT]; /* hazard 34: its body may be a secret all the same */
        assert_null(strstr(vs_error_text(&f->err, text, sizeof text), "canary"));
    }
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        f->d.status = good[i];
        assert_vs_ok(handle(f, r), &f->err);
    }
    for (int s = VS_GRPC_CANCELLED; s <= VS_GRPC_UNAUTHENTICATED; s++) {
        f->d.refuse = (vs_grpc_status)s;
        assert_int_not_equal(handle(f, r), VS_OK);
        assert_says(&f->err, "external plugin alpha");
        assert_int_equal(f->out.n, 0);
    }
    f->d.refuse = VS_GRPC_OK;
    f->d.garbage = true;
    const kbs_plugin_call call = call_of(&f->a, &r);
    bool answer;
    assert_int_not_equal(handle(f, r), VS_OK);
    assert_int_not_equal(f->plugin.ops->wants_admin(f->plugin.self, &call, &answer, &f->err),
                         VS_OK);
    assert_int_not_equal(f->plugin.ops->wants_encryption(f->plugin.self, &call, &answer, &f->err),
                         VS_OK);
}

static void a_slow_backend_is_given_up(void **state)
{
    fixture *f = *state;
    f->plugin.ops->free(f->plugin.self);
    f->cfg[0].timeout_ms = 150;
    assert_vs_ok(external_plugin(f->cfg, 1, 5000, &f->plugin, &f->err), &f->err);
    f->d.sleep_ms = 600;
    int64_t start = vs_mono_ns();
    assert_vs_code(handle(f, (request){KBS_GET, "alpha/x", VS_LIT(""), {{0}}}), VS_E_TIMEOUT);
    assert_true(vs_mono_ns() - start < 550000000);
}

static int64_t counted(const vs_metric *m, const char *label)
{
    for (unsigned i = 0; i < m->n_series; i++)
        if (atomic_load(&m->series[i].used) && strcmp(m->series[i].label, label) == 0)
            return atomic_load(&m->series[i].value);
    return 0;
}

static void requests_and_errors_are_counted_by_backend(void **state)
{
    fixture *f = *state;
    const request r = {KBS_GET, "alpha/x", VS_LIT(""), {{0}}};
    int64_t requests = counted(&kbs_m_plugin_requests, "alpha");
    int64_t errors = counted(&kbs_m_plugin_errors, "alpha");
    assert_vs_ok(handle(f, r), &f->err);
    f->d.status = 500;
    assert_int_not_equal(handle(f, r), VS_OK);
    f->d.refuse = VS_GRPC_ABORTED;
    assert_int_not_equal(handle(f, r), VS_OK);
    assert_int_not_equal(handle(f, (request){KBS_GET, "made-up", VS_LIT(""), {{0}}}), VS_OK);
    assert_int_equal(counted(&kbs_m_plugin_requests, "alpha"), requests + 3);
    assert_int_equal(counted(&kbs_m_plugin_errors, "alpha"), errors + 2);
    assert_int_equal(counted(&kbs_m_plugin_requests, "made-up"), 0);
    assert_true(counted(&kbs_m_plugin_seconds, "alpha") > 0);
}

/* ---- start -------------------------------------------------------------------------------------
 */

static void an_absent_backend_stops_the_start(void **state)
{
    fixture *f = *state;
    f->cfg[0] =
        (kbs_backend_config){.name = "alpha", .endpoint = "http://127.0.0.1:1", .timeout_ms = 1000};
    int64_t start = vs_mono_ns();
    assert_int_not_equal(external_plugin(f->cfg, 1, 700, &f->plugin, &f->err), VS_OK);
    assert_says(&f->err, "backend \"alpha\" at http://127.0.0.1:1");
    int64_t took = (vs_mono_ns() - start) / 1000000;
    assert_true(took >= 250 && took < 2000); /* it has asked again */
    assert_null(f->plugin.ops);
}

static void *start_late(void *arg)
{
    fixture *f = arg;
    unsigned port = (unsigned)atoi(strrchr(f->url, ':') + 1);
    pause_ms(400);
    start_backend(f, false, port);
    return NULL;
}

static void a_backend_that_comes_late_is_waited_for(void **state)
{
    fixture *f = *state;
    pthread_t thread;
    start_backend(f, false, 0); /* for a port that is free */
    vs_http_server_stop(&f->server, 0);
    f->cfg[0] = (kbs_backend_config){.name = "alpha", .endpoint = f->url, .timeout_ms = 1000};
    char url[64];
    (void)snprintf(url, sizeof url, "%s", f->url);
    f->cfg[0].endpoint = url;
    assert_int_equal(pthread_create(&thread, NULL, start_late, f), 0);
    vs_code code = external_plugin(f->cfg, 1, 10000, &f->plugin, &f->err);
    (void)pthread_join(thread, NULL);
    assert_vs_ok(code, &f->err);
    assert_vs_ok(handle(f, (request){KBS_GET, "alpha/x", VS_LIT(""), {{0}}}), &f->err);
}

/* hazard 20. */
static void a_backend_with_another_certificate_is_refused(void **state)
{
    fixture *f = *state;
    identity other;
    make_identity(&other, "IP:127.0.0.1", -60, 3600);
    start_backend(f, true, 0);
    f->cfg[0] = (kbs_backend_config){
        .name = "alpha", .endpoint = f->url, .ca_cert_path = other.cert, .timeout_ms = 1000};
    assert_int_not_equal(external_plugin(f->cfg, 1, 150, &f->plugin, &f->err), VS_OK);
    f->cfg[0].ca_cert_path = "/nonexistent";
    assert_int_not_equal(external_plugin(f->cfg, 1, 150, &f->plugin, &f->err), VS_OK);
    remove_identity(&other);
}

static void two_backends_are_told_apart(void **state)
{
    fixture *f = *state;
    start_backend(f, false, 0);
    fixture *g = calloc(1, sizeof *g);
    assert_non_null(g);
    (void)snprintf(g->d.body, sizeof g->d.body, "of beta");
    start_backend(g, false, 0);
    f->cfg[0] = (kbs_backend_config){.name = "alpha", .endpoint = f->url, .timeout_ms = 5000};
    f->cfg[1] = (kbs_backend_config){.name = "beta", .endpoint = g->url, .timeout_ms = 5000};
    assert_vs_ok(external_plugin(f->cfg, 2, 5000, &f->plugin, &f->err), &f->err);
    assert_vs_ok(handle(f, (request){KBS_GET, "beta/x", VS_LIT(""), {{0}}}), &f->err);
    assert_span_is(vs_buf_span(&f->out), "of beta");
    assert_vs_ok(handle(f, (request){KBS_GET, "alpha/x", VS_LIT(""), {{0}}}), &f->err);
    assert_span_is(vs_buf_span(&f->out), "canary-answer");
    vs_http_server_stop(&g->server, 0); /* gone: an error of beta only */
    assert_int_not_equal(handle(f, (request){KBS_GET, "beta/x", VS_LIT(""), {{0}}}), VS_OK);
    assert_vs_ok(handle(f, (request){KBS_GET, "alpha/x", VS_LIT(""), {{0}}}), &f->err);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define U(f) cmocka_unit_test_setup_teardown(f, prepare, teardown)
        T(a_request_arrives_whole_and_its_answer_too),
        T(the_backend_says_who_and_how),
        T(a_nul_in_path_or_query_is_refused),
        T(an_unknown_backend_is_an_error),
        T(what_the_backend_refuses_gives_nothing),
        T(a_slow_backend_is_given_up),
        T(requests_and_errors_are_counted_by_backend),
        U(an_absent_backend_stops_the_start),
        U(a_backend_that_comes_late_is_waited_for),
        U(a_backend_with_another_certificate_is_refused),
        U(two_backends_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
