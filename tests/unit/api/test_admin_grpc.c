/* SPDX-License-Identifier: Apache-2.0 */
/* Who may administrate over gRPC: every method of the server's table, by every way to come. */
#include "as_server.h"

#include <unistd.h>

#include "../net/identity.h"
#include "base/clock.h"
#include "net/unix_socket.h"

#define PACKAGE "/vouchsafe.administration."

/* All of the package but what tells of one value what everybody may ask for. */
static bool is_for_known(const vs_grpc_method *m)
{
    return strncmp(m->path, PACKAGE, strlen(PACKAGE)) == 0 &&
           strcmp(m->path, "/" RVPS_ADMIN_SERVICE "/GetReferenceValue") != 0;
}

/* Calls all methods with an empty message, on which most fail in their own way. */
static void walk(as_server *s, vs_grpc_client *client, bool known)
{
    static const char *const own_business[] = {"EvaluateAndTell", "ListPolicies"};
    size_t administrative = 0;
    vs_grpc_client *before = s->client;
    s->client = client;
    for (size_t i = 0; i < VS_COUNT(s->methods); i++) {
        const vs_grpc_method *m = &s->methods[i];
        vs_grpc_status status = say_bytes(s, m->path, VS_LIT(""));
        administrative += is_for_known(m);
        if (is_for_known(m) && !known) {
            assert_int_equal(status, VS_GRPC_PERMISSION_DENIED);
            assert_says(s, "--client-ca");
            assert_says(s, "insecure_administration");
        } else {
            assert_int_not_equal(status, VS_GRPC_PERMISSION_DENIED);
        }
    }
    assert_int_equal(administrative, AS_ADMIN_METHODS + RVPS_ADMIN_METHODS - 1);
    for (size_t i = 0; i < VS_COUNT(own_business); i++) { /* it was the method that answered */
        char path[120];
        (void)snprintf(path, sizeof path, "/" AS_ADMIN_SERVICE "/%s", own_business[i]);
        vs_grpc_status want = !known ? VS_GRPC_PERMISSION_DENIED : i ? VS_GRPC_OK : VS_GRPC_ABORTED;
        assert_int_equal(say_bytes(s, path, VS_LIT("")), want);
    }
    s->client = before;
}

static vs_http_server *listen_like(as_server *s, vs_http_config cfg, const char *socket)
{
    vs_http_server *http = NULL;
    vs_error err = {0};
    cfg.sockets = &socket;
    cfg.n_sockets = 1;
    cfg.threads = 1;
    cfg.grpc = &s->services;
    assert_vs_ok(vs_http_server_start(&cfg, &http, &err), &err);
    return http;
}

static vs_grpc_client *connect_like(remote_config cfg)
{
    vs_grpc_client *c = NULL;
    vs_error err = {0};
    cfg.call_ms = 5000;
    assert_vs_ok(remote_open(&cfg, &c, &err), &err);
    return c;
}

static void every_method_of_administration_is_closed_to_strangers(void **state)
{
    as_server *s = *state;
    for (size_t i = 0; i < VS_COUNT(s->methods); i++)
        assert_int_equal(s->methods[i].known_only, is_for_known(&s->methods[i]));
    s->services.strangers_may = false;
    walk(s, s->client, false);
    s->services.strangers_may = true; /* the operator has said so */
    walk(s, s->client, true);
}

static void a_client_certificate_makes_a_caller_known(void **state)
{
    as_server *s = *state;
    identity server, kbs;
    char address[48];
    make_identity(&server, "IP:127.0.0.1", -60, 3600);
    make_identity(&kbs, "DNS:kbs.example", -60, 3600);
    s->services.strangers_may = false;
    vs_http_config cfg = {.certificate = server.cert, .private_key = server.key};
    for (unsigned asked = 0; asked < 2; asked++) {
        cfg.client_ca = asked ? kbs.cert : NULL;
        vs_http_server *http = listen_like(s, cfg, any_port[0]);
        (void)snprintf(address, sizeof address, "https://127.0.0.1:%u",
                       vs_http_server_port(http, 0));
        remote_config how = {.address = address, .ca_cert = server.cert};
        vs_grpc_client *nobody = connect_like(how);
        how.client_cert = kbs.cert;
        how.client_key = kbs.key;
        vs_grpc_client *somebody = connect_like(how);
        walk(s, nobody, false);
        walk(s, somebody, asked); /* a certificate that nobody checks says nothing */
        vs_grpc_client_free(&nobody);
        vs_grpc_client_free(&somebody);
        vs_http_server_stop(&http, 100);
    }
    remove_identity(&server);
    remove_identity(&kbs);
}

static void the_servers_own_user_is_known_over_a_unix_socket(void **state)
{
    as_server *s = *state;
    char dir[] = P_tmpdir "/vs-admin-XXXXXX", address[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(address, sizeof address, "unix:%s/as.sock", dir);
    s->services.strangers_may = false;
    vs_http_server *http = listen_like(s, (vs_http_config){0}, address);
    vs_grpc_client *client = connect_like((remote_config){.address = address});
    walk(s, client, true);
    vs_http_server_stop(&http, 100);
    vs_grpc_client *late = connect_like((remote_config){.address = address});
    vs_grpc_client *before = s->client;
    s->client = late;
    assert_int_equal(say_bytes(s, s->methods[0].path, VS_LIT("")), VS_GRPC_UNAVAILABLE);
    assert_says(s, dir); /* the path, not a host that there is none of */
    s->client = before;
    vs_grpc_client_free(&client);
    vs_grpc_client_free(&late);
    (void)rmdir(dir);
}

/* A stranger hears of a value where it came from, but not who sent it. */
static void strangers_do_not_hear_who_registered(void **state)
{
    as_server *s = *state;
    vs_error err = {0};
    rvps *far = NULL;
    rvps_entry e;
    assert_vs_ok(rvps_register_by(s->w.rv,
                                  VS_LIT("{\"type\":\"sample\",\"payload\":\"eyJtIjoxfQ==\"}"),
                                  VS_LIT("alice"), vs_now_s(), &err),
                 &err);
    assert_vs_ok(rvps_remote_new(s->client, &far, &err), &err);
    for (unsigned known = 0; known < 2; known++) {
        s->services.strangers_may = known;
        assert_vs_ok(rvps_get(far, VS_LIT("m"), 0, &s->w.a, &e, &err), &err);
        assert_span_is(vs_text(at(e.provenance, "/type")), "sample");
        assert_true(vs_defined(at(e.provenance, "/payload_sha256")));
        assert_int_equal(vs_defined(vs_getc(e.provenance, "by")), known);
    }
    rvps_free(&far);
}

static void other_users_are_strangers(void **state)
{
    (void)state;
    uint32_t me = geteuid();
    assert_true(vs_unix_peer_is_own(&(vs_unix_peer){.uid = me, .gid = 7}));
    assert_true(vs_unix_peer_is_own(&(vs_unix_peer){.uid = 0}));
    assert_false(vs_unix_peer_is_own(&(vs_unix_peer){.uid = me + 1, .gid = getegid()}));
    assert_false(vs_unix_peer_is_own(&(vs_unix_peer){.uid = (uint32_t)-1}));
}

static void addresses_of_unix_sockets_are_paths(void **state)
{
    (void)state;
    static const char *const bad[] = {"unix:", "unix:relative", "unix:@abstract"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_grpc_client *c = NULL;
        vs_error err = {0};
        const remote_config cfg = {.address = bad[i]};
        assert_vs_code(remote_open(&cfg, &c, &err), VS_E_INVALID);
    }
    vs_grpc_client *c = NULL;
    vs_error err = {0};
    const remote_config tls = {.address = "unix:/x", .ca_cert = "ca.pem"};
    assert_vs_code(remote_open(&tls, &c, &err), VS_E_INVALID); /* not silently without */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_method_of_administration_is_closed_to_strangers,
                                        server_setup, server_teardown),
        cmocka_unit_test_setup_teardown(a_client_certificate_makes_a_caller_known, server_setup,
                                        server_teardown),
        cmocka_unit_test_setup_teardown(the_servers_own_user_is_known_over_a_unix_socket,
                                        server_setup, server_teardown),
        cmocka_unit_test_setup_teardown(strangers_do_not_hear_who_registered, server_setup,
                                        server_teardown),
        cmocka_unit_test(other_users_are_strangers),
        cmocka_unit_test(addresses_of_unix_sockets_are_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
