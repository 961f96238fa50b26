/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration that changes while requests run, and what cannot change. */
#include "kbs/broker.h"

#include <pthread.h>
#include <stdatomic.h>

#include "value/json.h"

enum { THREADS = 4, ROUNDS = 200 };

static vs_code reload(broker *b, const kbs_config *cfg, vs_error *err)
{
    kbs_rules *rules = NULL;
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_code code = kbs_reload_check(b->k, cfg, &a, &rules, err);
    if (code == VS_OK)
        kbs_reload_apply(b->k, rules);
    vs_arena_free(&a);
    return code;
}

static answer put(broker *b, vs_arena *a, vs_span token)
{
    return tell_on(b, a, (ask){KBS_POST, "resource/a/b/c", .body = VS_LIT("s"), .bearer = token});
}

static void administrators_change(void **state)
{
    broker *b = *state;
    kbs_config other = b->cfg;
    kbs_identity_provider provider = b->provider;
    vs_error err = {0};
    provider.issuer = "other";
    other.admin.providers = &provider;
    vs_span token = admin_token(b);
    assert_granted(put(b, &b->w.a, token));
    assert_vs_ok(reload(b, &other, &err), &err);
    assert_int_not_equal(put(b, &b->w.a, token).error, KBS_OK);
    assert_vs_ok(reload(b, &b->cfg, &err), &err);
    assert_granted(put(b, &b->w.a, token));
}

static void a_broken_one_changes_nothing(void **state)
{
    broker *b = *state;
    kbs_config other = b->cfg;
    kbs_identity_provider provider = b->provider;
    const char *no_file = "/nonexistent/anchor.pem";
    char text[VS_ERROR_TEXT];
    vs_error err = {0};
    provider.public_key_uri = "/nonexistent/key.pem";
    other.admin.providers = &provider;
    assert_int_not_equal(reload(b, &other, &err), VS_OK);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "/nonexistent/key.pem"));
    other = b->cfg;
    other.trusted_certs_paths = &no_file;
    other.n_trusted_certs = 1;
    assert_int_not_equal(reload(b, &other, &err), VS_OK);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), no_file));
    assert_granted(put(b, &b->w.a, admin_token(b)));
    kbs_rules *rules = NULL; /* checked and not applied */
    vs_arena a;
    vs_arena_init(&a, 0);
    assert_vs_ok(kbs_reload_check(b->k, &b->cfg, &a, &rules, &err), &err);
    kbs_rules_drop(rules);
    vs_arena_free(&a);
}

static void the_life_of_sessions_and_the_oldest_protocol_change(void **state)
{
    broker *b = *state;
    kbs_config other = b->cfg;
    vs_error err = {0};
    other.as.session_minutes = 60;
    assert_vs_ok(reload(b, &other, &err), &err);
    assert_int_equal(authenticate(b, "cca").expires, b->now + 3600);
    other.as.oldest_protocol = KBS_PROTOCOL_0_4_0;
    static const char old[] = "{\"version\":\"0.1.1\",\"tee\":\"cca\",\"extra-params\":\"\"}";
    assert_granted(tell(b, (ask){KBS_POST, "auth", .body = vs_str(old)}));
    assert_vs_ok(reload(b, &other, &err), &err);
    assert_int_not_equal(tell(b, (ask){KBS_POST, "auth", .body = vs_str(old)}).error, KBS_OK);
}

/* ---- while requests run ------------------------------------------------------------------------
 */

typedef struct client {
    pthread_t thread;
    broker *b;
    vs_span token;
    atomic_bool *stop;
    unsigned asked, refused;
} client;

static void *ask_all_the_time(void *arg)
{
    client *c = arg;
    vs_arena a;
    vs_arena_init(&a, 0);
    while (!atomic_load(c->stop)) {
        vs_arena_reset(&a);
        c->refused += put(c->b, &a, c->token).error != KBS_OK;
        c->asked++;
    }
    vs_arena_free(&a);
    return NULL;
}

/* Every request sees one of the two configurations, both of which grant it. */
static void requests_go_on_while_it_changes(void **state)
{
    broker *b = *state;
    atomic_bool stop = false;
    client clients[THREADS];
    vs_error err = {0};
    for (size_t i = 0; i < THREADS; i++) {
        clients[i] = (client){.b = b, .token = admin_token(b), .stop = &stop};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, ask_all_the_time, &clients[i]),
                         0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        vs_arena a;
        kbs_rules *rules = NULL;
        vs_arena_init(&a, 0);
        kbs_config copy = b->cfg; /* all that it points to is on the arena that is taken over */
        kbs_identity_provider *provider = VS_NEW(&a, kbs_identity_provider);
        kbs_acl *acl = VS_NEW(&a, kbs_acl);
        assert_true(vs_arena_ok(&a));
        *provider = b->provider;
        provider->issuer = vs_sprintf(&a, "%s", b->provider.issuer);
        *acl = (kbs_acl){vs_sprintf(&a, "admin"), vs_sprintf(&a, "^/kbs/.+$")};
        copy.admin.providers = provider;
        copy.admin.acls = acl;
        assert_vs_ok(kbs_reload_check(b->k, &copy, &a, &rules, &err), &err);
        kbs_reload_apply(b->k, rules);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
        assert_int_equal(clients[i].refused, 0);
    }
}

/* ---- what needs a restart
 * ------------------------------------------------------------------------
 */

static void note(void *user, const char *key)
{
    vs_buf *told = user;
    vs_buf_printf(told, "%s%s", told->n ? " " : "", key);
}

static void what_cannot_change_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *told;
    } cases[] = {
        {"{}", "{}", ""},
        {"{\"http_server\":{\"sockets\":[\"a\"]}}", "{\"http_server\":{\"sockets\":[\"a\"]}}", ""},
        {"{\"http_server\":{\"sockets\":[\"a\"]}}", "{\"http_server\":{\"sockets\":[\"b\"]}}",
         "http_server.sockets"},
        {"{\"http_server\":{\"sockets\":[\"a\"]}}", "{\"http_server\":{}}", "http_server.sockets"},
        {"{}", "{\"http_server\":{\"sockets\":[\"a\"],\"worker_count\":1}}",
         "http_server.sockets http_server.worker_count"},
        {"{\"admin\":{\"x\":1}}", "{\"admin\":{\"x\":{\"y\":2}}}", ""},
        {"{\"http_server\":{\"rate_per_source\":1}}", "{\"http_server\":{}}", ""},
        {"{\"administrators\":1}", "{}", "administrators"},
        {"{\"key_sources\":{\"refresh\":30}}", "{}", ""},
        {"{\"admin\":{\"unix_socket\":\"/a\"}}", "{\"admin\":{\"unix_socket\":\"/b\"}}",
         "admin.unix_socket"},
        {"{}", "{\"admin\":{\"authentication\":{\"mtls\":{\"client_ca\":\"a\"}}}}",
         "admin.authentication.mtls.client_ca"},
        {"{\"plugins\":[{\"name\":\"a\"}]}", "{\"plugins\":[{\"name\":\"b\"}]}", "plugins"},
        {"{\"operations\":{\"log_level\":\"info\",\"metrics_on_api\":true}}",
         "{\"operations\":{\"log_level\":\"warn\",\"metrics_on_api\":false}}",
         "operations.metrics_on_api"},
        {"{\"a\":1}", "{\"a\":{\"b\":1}}", "a.b"},
    };
    vs_arena a;
    vs_arena_init(&a, 0);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf told = VS_BUF(1024);
        vs_val before, after;
        vs_error err = {0};
        assert_vs_ok(vs_json_parse(&a, vs_str(cases[i].before), NULL, &before, &err), &err);
        assert_vs_ok(vs_json_parse(&a, vs_str(cases[i].after), NULL, &after, &err), &err);
        kbs_config_needs_restart(before, after, note, &told);
        assert_span_is(vs_buf_span(&told), cases[i].told);
    }
    kbs_config_needs_restart(vs_undefined(), vs_undefined(), note, NULL);
    vs_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(administrators_change, broker_setup, broker_teardown),
        cmocka_unit_test_setup_teardown(a_broken_one_changes_nothing, broker_setup,
                                        broker_teardown),
        cmocka_unit_test_setup_teardown(the_life_of_sessions_and_the_oldest_protocol_change,
                                        broker_setup, broker_teardown),
        cmocka_unit_test_setup_teardown(requests_go_on_while_it_changes, broker_setup,
                                        broker_teardown),
        cmocka_unit_test(what_cannot_change_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
