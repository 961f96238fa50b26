/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/enc.h"
#include "rvps/rvps.h"
#include "value/json.h"

enum { NOW = 1787302800 };                /* 2026-08-21T09:00:00Z */
static const int64_t expiry = 1818838800; /* 2027-08-21T09:00:00Z */

typedef struct fixture {
    vs_store *store;
    rvps *r;
    vs_arena a;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    vs_error err = {0};
    assert_vs_ok(vs_store_open_memory(&f->store, &err), &err);
    assert_vs_ok(rvps_new(f->store, NULL, &f->r, &err), &err);
    vs_arena_init(&f->a, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    rvps_free(&f->r);
    vs_store_close(&f->store);
    vs_arena_free(&f->a);
    free(f);
    return 0;
}

/* The envelope of a sample message with the given JSON payload, which is valid until the next. */
static vs_span sample(const char *payload)
{
    static vs_buf b = VS_BUF(1 << 20);
    vs_buf_clear(&b);
    vs_buf_puts(&b, "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"");
    vs_b64_encode(&b, VS_B64_STD, vs_str(payload));
    vs_buf_puts(&b, "\"}");
    assert_true(vs_buf_ok(&b));
    return vs_buf_span(&b);
}

static void expect(fixture *f, const char *id, int64_t now, const char *json)
{
    vs_error err = {0};
    vs_val v;
    assert_vs_ok(rvps_query(f->r, vs_str(id), now, &f->a, &v, &err), &err);
    assert_int_equal(vs_defined(v), json != NULL);
    if (!json)
        return;
    vs_buf b = VS_BUF(1 << 16);
    vs_json_print(&b, v);
    assert_span_is(vs_buf_span(&b), json);
    vs_buf_free(&b);
}

static void refuse(fixture *f, vs_span message, vs_code code, const char *text)
{
    vs_error err = {0};
    char all[VS_ERROR_TEXT];
    assert_vs_code(rvps_register(f->r, message, NOW, &err), code);
    if (text && !strstr(vs_error_text(&err, all, sizeof all), text))
        fail_msg("\"%s\" does not say \"%s\"", all, text);
}

static void registered_values_are_handed_out_as_given(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(rvps_register(f->r,
                               sample("{\"cca.realm.cca-realm-initial-measurement\":[\"rof7==\"],"
                                      "\"svn\":12345678901234567890123,\"b\":true,\"n\":null,"
                                      "\"vendor x/model:1\":{\"a\":[1.50,{}]}}"),
                               NOW, &err),
                 &err);
    expect(f, "cca.realm.cca-realm-initial-measurement", NOW, "[\"rof7==\"]");
    expect(f, "svn", NOW, "12345678901234567890123");
    expect(f, "b", NOW, "true");
    expect(f, "n", NOW, "null");
    expect(f, "vendor x/model:1", NOW, "{\"a\":[1.5,{}]}");
    expect(f, "other", NOW, NULL);
}

static void a_later_message_replaces_the_whole_value(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(rvps_register(f->r, sample("{\"x\":[\"1\",\"2\"]}"), NOW, &err), &err);
    assert_vs_ok(rvps_register(f->r, sample("{\"x\":[\"3\"]}"), NOW, &err), &err);
    expect(f, "x", NOW, "[\"3\"]");
    assert_vs_ok(rvps_register(f->r, sample("{}"), NOW, &err), &err);
    expect(f, "x", NOW, "[\"3\"]");
}

static void the_record_is_stored_as_trustee_stores_it(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(rvps_register(f->r, sample("{\"a:b/c\":\"v\"}"), NOW, &err), &err);
    vs_buf b = VS_BUF(4096);
    assert_vs_ok(vs_store_get(f->store, "reference_value", VS_LIT("a:b/c"), 0, &b, &err), &err);
    assert_span_is(vs_buf_span(&b),
                   "{\"version\":\"0.1.0\",\"name\":\"a:b/c\",\"expiration\":"
                   "\"2027-08-21T09:00:00Z\",\"value\":\"v\"," /* from here on ours */
                   "\"provenance\":{\"payload_sha256\":\"6d8b29403fbe4d9e65a6e9912170d"
                   "5119ec2b47301d40075356f2df4449306d3\",\"registered\":"
                   "\"2026-08-21T09:00:00Z\",\"type\":\"sample\"}}");
    vs_buf_free(&b);
}

static void an_expired_record_is_absent(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(rvps_register(f->r, sample("{\"x\":1}"), NOW, &err), &err);
    expect(f, "x", expiry, "1");
    expect(f, "x", expiry + 1, NULL);
    assert_vs_ok(rvps_register(f->r, sample("{\"x\":2}"), expiry + 1, &err), &err);
    expect(f, "x", expiry + 1, "2");
}

static void envelopes_are_checked(void **state)
{
    fixture *f = *state;
    refuse(f, VS_LIT("{\"version\":\"0.2.0\",\"type\":\"sample\",\"payload\":\"e30=\"}"),
           VS_E_INVALID, "Version unmatched! Need 0.1.0, given 0.2.0.");
    refuse(f, VS_LIT("{\"type\":\"in-toto\",\"payload\":\"e30=\"}"), VS_E_UNSUPPORTED,
           "Could not find extractor for in-toto");
    refuse(f, VS_LIT("{\"type\":\"Sample\",\"payload\":\"e30=\"}"), VS_E_UNSUPPORTED,
           "Could not find extractor for Sample");
    refuse(f, VS_LIT("{\"version\":1,\"type\":\"sample\",\"payload\":\"e30=\"}"), VS_E_INVALID,
           "version");
    refuse(f, VS_LIT("{\"version\":null,\"type\":\"sample\",\"payload\":\"e30=\"}"), VS_E_INVALID,
           "version");
    refuse(f, VS_LIT("{\"payload\":\"e30=\"}"), VS_E_INVALID, "type");
    refuse(f, VS_LIT("{\"type\":\"sample\"}"), VS_E_INVALID, "payload");
    refuse(f, VS_LIT("{\"type\":\"sample\",\"provenance\":\"e30=\"}"), VS_E_INVALID, "payload");
    refuse(f, VS_LIT("{\"type\":\"sample\",\"payload\":{}}"), VS_E_INVALID, "payload");
    refuse(f, VS_LIT("[]"), VS_E_INVALID, NULL);
    refuse(f, VS_LIT("\"sample\""), VS_E_INVALID, NULL);
    refuse(f, VS_LIT(""), VS_E_PARSE, "not JSON");
    refuse(f, VS_LIT("{\"type\":\"sample\",\"type\":\"sample\",\"payload\":\"e30=\"}"), VS_E_PARSE,
           NULL);
    vs_error err = {0}; /* without a version: the default */
    assert_vs_ok(rvps_register(f->r, VS_LIT("{\"type\":\"sample\",\"payload\":\"e30=\",\"x\":1}"),
                               NOW, &err),
                 &err);
}

static void payloads_are_checked(void **state)
{
    fixture *f = *state;
    /* not padded, url alphabet, white space, not JSON, not an object */
    refuse(f, VS_LIT("{\"type\":\"sample\",\"payload\":\"e30\"}"), VS_E_PARSE, "sample message");
    refuse(f, VS_LIT("{\"type\":\"sample\",\"payload\":\"eyJ-IjoxfQ==\"}"), VS_E_PARSE, NULL);
    refuse(f, VS_LIT("{\"type\":\"sample\",\"payload\":\"e3 0=\"}"), VS_E_PARSE, NULL);
    refuse(f, VS_LIT("{\"type\":\"sample\",\"payload\":\"\"}"), VS_E_PARSE, NULL);
    refuse(f, sample("{"), VS_E_PARSE, NULL);
    refuse(f, sample("[1]"), VS_E_INVALID, "object of names and values, not array");
    refuse(f, sample("{\"a\":1,\"a\":2}"), VS_E_PARSE, NULL);
}

static void one_bad_record_keeps_the_others_out(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "{\"a\":1,\"../b\":2}",         "{\"a\":1,\"\":2}",
        "{\"a\":1,\"z//b\":2}",         "{\"a\":1,\"z\\u0000\":2}",
        "{\"a\":1,\"caf\xc3\xa9\":2}",  "{\"a\":1,\"rvps:/x\":2}",
        "{\"a\":1,\"rvps://h/x\":2}",   "{\"a\":1,\"rvps:///x\\u0000y\":2}",
        "{\"a\":1,\"rvps:///../x\":2}", "{\"a\":1,\"rvps:////x\":2}",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        refuse(f, sample(bad[i]), VS_E_INVALID, "not allowed as the name");
        expect(f, "a", NOW, NULL);
    }
}

static void names_in_uri_form_work_and_do_not_collide(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(rvps_register(f->r, sample("{\"rvps:///a/b:v1\":1,\"rvps:a/b:v1\":2}"), NOW, &err),
                 &err);
    expect(f, "rvps:///a/b:v1", NOW, "1");
    expect(f, "rvps:a/b:v1", NOW, "2");
    expect(f, "rvps:/a/b:v1", NOW, NULL);
    expect(f, "rvps://a/b:v1", NOW, NULL);
}

static void names_that_cannot_be_stored_are_simply_absent(void **state)
{
    fixture *f = *state;
    expect(f, "", NOW, NULL);
    expect(f, "../kbs/resource-policy.rego", NOW, NULL);
    expect(f, "a\nb", NOW, NULL);
}

static void a_record_of_wrong_form_is_an_error_not_a_value(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "",
        "[]",
        "{\"name\":\"x\",\"expiration\":\"2027-08-21T09:00:00Z\",\"value\":1}",
        "{\"version\":\"0.2.0\",\"name\":\"x\",\"expiration\":\"2027-08-21T09:00:00Z\",\"value\":"
        "1}",
        "{\"version\":\"0.1.0\",\"name\":\"y\",\"expiration\":\"2027-08-21T09:00:00Z\",\"value\":"
        "1}",
        "{\"version\":\"0.1.0\",\"name\":\"x\",\"expiration\":\"2027-08-21T09:00:00Z\"}",
        "{\"version\":\"0.1.0\",\"name\":\"x\",\"value\":1}",
        "{\"version\":\"0.1.0\",\"name\":\"x\",\"expiration\":1818838800,\"value\":1}",
        "{\"version\":\"0.1.0\",\"name\":\"x\",\"expiration\":\"2027-08-21T09:00:00+00:00\","
        "\"value\":1}",
        "{\"version\":\"0.1.0\",\"name\":\"x\",\"expiration\":\"2027-08-21t09:00:00z\",\"value\":"
        "1}",
        "{\"version\":\"0.1.0\",\"name\":\"x\",\"expiration\":\"2027-08-21 "
        "09:00:00Z\",\"value\":1}",
        "{\"version\":\"0.1.0\",\"name\":\"x\",\"expiration\":\"2027-02-30T09:00:00Z\",\"value\":"
        "1}",
    };
    vs_error err = {0};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        assert_vs_ok(vs_store_put(f->store, "reference_value", VS_LIT("x"), vs_str(bad[i]), 0,
                                  VS_PUT_REPLACE, &err),
                     &err);
        vs_val v;
        if (rvps_query(f->r, VS_LIT("x"), NOW, &f->a, &v, &err) == VS_OK || vs_defined(v))
            fail_msg("accepted: %s", bad[i]);
    }
}

static void the_deepest_accepted_value_can_be_read_back(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    for (unsigned depth = 1; depth < 200; depth++) {
        char text[500] = "{\"x\":";
        size_t n = strlen(text);
        memset(text + n, '[', depth);
        memset(text + n + depth, ']', depth);
        text[n + 2 * depth] = '}';
        if (rvps_register(f->r, sample(text), NOW, &err) != VS_OK) {
            assert_true(depth > 32);
            return;
        }
        vs_val v;
        assert_vs_ok(rvps_query(f->r, VS_LIT("x"), NOW, &f->a, &v, &err), &err);
    }
    fail_msg("no limit on depth");
}

static void sample_messages_can_be_switched_off(void **state)
{
    fixture *f = *state;
    rvps_free(&f->r);
    vs_error err = {0};
    rvps_options opts = {.refuse_sample = true};
    assert_vs_ok(rvps_new(f->store, &opts, &f->r, &err), &err);
    refuse(f, sample("{\"x\":1}"), VS_E_DENIED, "not signed");
    expect(f, "x", NOW, NULL);
}

static void every_truncation_of_a_message_is_refused(void **state)
{
    fixture *f = *state;
    vs_span m = sample("{\"x\":[\"abc\"]}");
    for (size_t n = 0; n < m.n; n++) {
        vs_buf cut = VS_BUF(4096); /* of exact size, for the sanitizer */
        vs_buf_put(&cut, vs_span_head(m, n));
        assert_true(rvps_register(f->r, vs_buf_span(&cut), NOW, NULL) != VS_OK);
        vs_buf_free(&cut);
    }
    expect(f, "x", NOW, NULL);
}

/* ---- threads: both values of one message are seen, or neither -------------------------------- */

enum { THREADS = 6, ROUNDS = 60 };

static void *writer(void *arg)
{
    fixture *f = arg;
    size_t errors = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char json[64];
        vs_buf m = VS_BUF(1024);
        (void)snprintf(json, sizeof json, "{\"a\":%u,\"b\":%u}", i, i);
        vs_buf_puts(&m, "{\"type\":\"sample\",\"payload\":\"");
        vs_b64_encode(&m, VS_B64_STD, vs_str(json));
        vs_buf_puts(&m, "\"}");
        errors += rvps_register(f->r, vs_buf_span(&m), NOW, NULL) != VS_OK;
        vs_buf_free(&m);
    }
    return (void *)errors;
}

static void *reader(void *arg)
{
    fixture *f = arg;
    size_t errors = 0;
    vs_arena a;
    vs_arena_init(&a, 0);
    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        vs_val v;
        errors += rvps_query(f->r, VS_LIT("a"), NOW, &a, &v, NULL) != VS_OK;
        errors += vs_defined(v) && !vs_is_int(v);
        vs_arena_reset(&a);
    }
    vs_arena_free(&a);
    return (void *)errors;
}

static void threads_register_and_query_at_the_same_time(void **state)
{
    fixture *f = *state;
    pthread_t t[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, i % 2 ? reader : writer, f), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *errors;
        assert_int_equal(pthread_join(t[i], &errors), 0);
        assert_null(errors);
    }
    vs_val x, y;
    assert_vs_code(rvps_query(f->r, VS_LIT("a"), NOW, &f->a, &x, NULL), VS_OK);
    assert_vs_code(rvps_query(f->r, VS_LIT("b"), NOW, &f->a, &y, NULL), VS_OK);
    assert_true(vs_eq(x, y) && vs_defined(x)); /* the last message won both */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(registered_values_are_handed_out_as_given),
        T(a_later_message_replaces_the_whole_value),
        T(the_record_is_stored_as_trustee_stores_it),
        T(an_expired_record_is_absent),
        T(envelopes_are_checked),
        T(payloads_are_checked),
        T(one_bad_record_keeps_the_others_out),
        T(names_in_uri_form_work_and_do_not_collide),
        T(names_that_cannot_be_stored_are_simply_absent),
        T(a_record_of_wrong_form_is_an_error_not_a_value),
        T(the_deepest_accepted_value_can_be_read_back),
        T(sample_messages_can_be_switched_off),
        T(every_truncation_of_a_message_is_refused),
        T(threads_register_and_query_at_the_same_time),
    };
    return cmocka_run_group_tests_name("rvps", tests, NULL, NULL);
}
