/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <fcntl.h>
#include <sys/wait.h>

static const char *in_dir(const fixture *f, const char *rel)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/json/%s", f->dir, rel);
    return path;
}

static int open_localjson(void **state)
{
    fixture *f = fixture_new();
    vs_error err = {0};
    assert_vs_ok(vs_store_open_localjson(in_dir(f, ""), &f->s, &err), &err);
    *state = f;
    return 0;
}

static void file_is(const fixture *f, const char *rel, const char *want)
{
    vs_error err = {0};
    vs_buf b = VS_BUF(4096);
    assert_vs_ok(vs_read_file(in_dir(f, rel), &b, &err), &err);
    assert_span_is(vs_buf_span(&b), want);
    vs_buf_free(&b);
}

/* As Trustee does: over the file in its place. */
static void write_raw(const fixture *f, const char *rel, const char *text)
{
    int fd = open(in_dir(f, rel), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void the_file_is_trustees(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "default/key/1", "a");
    file_is(f, "repository", "{\"default/key/1\":\"YQ==\"}");
    put(f->s, "repository", "default/key/2", "\xfb\xff\xbf");
    file_is(f, "repository", "{\"default/key/1\":\"YQ==\",\"default/key/2\":\"-_-_\"}");
    put(f->s, "repository", "default/key/1", "");
    file_is(f, "repository", "{\"default/key/1\":\"\",\"default/key/2\":\"-_-_\"}");
    assert_vs_code(vs_store_delete(f->s, "repository", VS_LIT("default/key/1"), NULL), VS_OK);
    file_is(f, "repository", "{\"default/key/2\":\"-_-_\"}");
}

static void what_trustee_writes_is_seen_at_once(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "k", "one");
    expect(f->s, "kbs", "k", 0, "one");
    for (int i = 0; i < 50; i++) { /* the same size, within one tick of the clock */
        char text[64], want[2] = {(char)('a' + i % 26), 0};
        (void)snprintf(text, sizeof text, "{ \"k\" : \"%s\" }\n", i % 26 == 0 ? "YQ==" : "Yg==");
        write_raw(f, "kbs", text);
        expect(f->s, "kbs", "k", 0, i % 26 == 0 ? "a" : "b");
        (void)want;
    }
    write_raw(f, "kbs", "{\"x\":\"YQ==\",\"x\":\"Yg==\"}"); /* its parser takes the last */
    expect(f->s, "kbs", "x", 0, "b");
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("k"), 0), VS_E_NOT_FOUND);
    write_raw(f, "kbs", "");
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("x"), 0), VS_E_NOT_FOUND);
    put(f->s, "kbs", "x", "y");
    file_is(f, "kbs", "{\"x\":\"eQ==\"}");
}

static void a_reference_value_uri_has_trustees_key(void **state)
{
    fixture *f = *state;
    put(f->s, "reference_value", "rvps:/a:v1", "x");
    file_is(f, "reference_value", "{\"rvps:///a:v1\":\"eA==\"}");
    write_raw(
        f, "reference_value",
        "{\"rvps:///b/c:v2\":\"eQ==\",\"rvps:/d\":\"eg==\",\"rvps:0\":\"eg==\",\"/\":\"eg==\"}");
    expect(f->s, "reference_value", "rvps:/b/c:v2", 0, "y");
    assert_vs_code(get_code(f->s, "reference_value", VS_LIT("rvps:/d"), 0), VS_E_NOT_FOUND);
    seen s = {0};
    vs_error err = {0};
    assert_vs_ok(vs_store_list(f->s, "reference_value", see, &s, &err), &err);
    assert_string_equal(s.text, "rvps:/b/c:v2\nrvps:0\n");
}

static void a_file_that_is_damaged_is_an_error_and_stays(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {"[]",         "{\"k\":\"YQ==\"",     "{\"k\":\"YQ==\"} x",
                                      "\"k\"",      "{\"k\":{\"a\":{}}}}", "{\"k\":\"\xff\"}",
                                      "{k: \"YQ\"}"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        write_raw(f, "kbs", bad[i]);
        assert_vs_code(get_code(f->s, "kbs", VS_LIT("k"), 0), VS_E_IO);
        assert_vs_code(vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("v"), 0, VS_PUT_REPLACE, NULL),
                       VS_E_IO);
        file_is(f, "kbs", bad[i]);
    }
    static const char *const values[] = {"1",        "null",     "\"YQ\"", "\"YQ=\"",    "\"Y!==\"",
                                         "\"YR==\"", "\"+/+/\"", "[]",     "\"YQ==\\n\""};
    for (size_t i = 0; i < VS_COUNT(values); i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "{\"k\":%s,\"other\":\"YQ==\"}", values[i]);
        write_raw(f, "kbs", text);
        assert_vs_code(get_code(f->s, "kbs", VS_LIT("k"), 0), VS_E_IO);
        expect(f->s, "kbs", "other", 0, "a");
    }
}

static void no_error_quotes_the_file(void **state)
{
    fixture *f = *state;
    write_raw(f, "kbs", "{\"k\":\"YQ==\", c2VjcmV0}");
    vs_buf b = VS_BUF(100);
    vs_error err = {0};
    char all[VS_ERROR_TEXT];
    assert_vs_code(vs_store_get(f->s, "kbs", VS_LIT("k"), 0, &b, &err), VS_E_IO);
    assert_null(strstr(vs_error_text(&err, all, sizeof all), "c2V"));
    vs_buf_free(&b);
}

static void a_file_is_bounded(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_buf big = VS_BUF(VS_STORE_VALUE_MAX);
    assert_non_null(vs_buf_reserve(&big, VS_STORE_VALUE_MAX));
    memset(big.p, 'x', big.n);
    vs_span v = vs_buf_span(&big);
    assert_vs_ok(vs_store_put(f->s, "repository", VS_LIT("1"), v, 0, VS_PUT_REPLACE, &err), &err);
    assert_vs_ok(vs_store_put(f->s, "repository", VS_LIT("2"), v, 0, VS_PUT_REPLACE, &err), &err);
    assert_vs_code(vs_store_put(f->s, "repository", VS_LIT("3"), v, 0, VS_PUT_REPLACE, &err),
                   VS_E_LIMIT);
    assert_vs_code(get_code(f->s, "repository", VS_LIT("3"), 0), VS_E_NOT_FOUND);
    assert_vs_code(get_code(f->s, "repository", VS_LIT("2"), 0), VS_OK);
    vs_buf_free(&big);
}

static void expiry_survives_a_restart_and_is_not_in_trustees_file(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_span k = VS_LIT("id");
    assert_vs_ok(vs_store_put(f->s, "session", k, VS_LIT("v"), 1000, VS_PUT_REPLACE, &err), &err);
    file_is(f, "session", "{\"id\":\"dg==\"}");
    file_is(f, ".vouchsafe/expires/session", "{\"id\":1000}");
    vs_store_close(&f->s);
    assert_vs_ok(vs_store_open_localjson(in_dir(f, ""), &f->s, &err), &err);
    assert_vs_code(get_code(f->s, "session", k, 1001), VS_E_NOT_FOUND);
    assert_vs_ok(vs_store_purge(f->s, 1001, 10, &err), &err);
    file_is(f, "session", "{}");
    file_is(f, ".vouchsafe/expires/session", "{}");
    write_raw(f, "session", "{\"id\":\"dg==\"}");
    write_raw(f, ".vouchsafe/expires/session", "{\"id\":\"soon\"}");
    assert_vs_code(get_code(f->s, "session", k, 1001), VS_E_IO);
}

static void values_put_together_are_all_there_or_none(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "taken", "0");
    vs_store_item three[] = {{"kbs", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_REPLACE},
                             {"kbs", VS_LIT("taken"), VS_LIT("2"), 0, VS_PUT_CREATE},
                             {"kbs", VS_LIT("c"), VS_LIT("3"), 0, VS_PUT_REPLACE}};
    assert_vs_code(vs_store_put_all(f->s, three, 3, NULL), VS_E_EXISTS);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("a"), 0), VS_E_NOT_FOUND);
    vs_store_item twice[] = {{"kbs", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_CREATE},
                             {"kbs", VS_LIT("a"), VS_LIT("2"), 0, VS_PUT_CREATE}};
    assert_vs_code(vs_store_put_all(f->s, twice, 2, NULL), VS_E_EXISTS);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("a"), 0), VS_E_NOT_FOUND);
    file_is(f, "kbs", "{\"taken\":\"MA==\"}");
}

static void of_processes_that_create_the_same_key_one_wins(void **state)
{
    fixture *f = *state;
    int p[2];
    unsigned total = 0;
    assert_int_equal(pipe(p), 0);
    for (int child = 0; child < 3; child++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid)
            continue;
        vs_store *s = NULL;
        unsigned wins = 0;
        if (vs_store_open_localjson(in_dir(f, ""), &s, NULL) != VS_OK)
            _exit(1);
        for (unsigned i = 0; i < 60; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "k%u", i);
            wins +=
                vs_store_put(s, "kbs", vs_str(key), vs_str(key), 0, VS_PUT_CREATE, NULL) == VS_OK;
        }
        vs_store_close(&s);
        _exit(write(p[1], &wins, sizeof wins) == sizeof wins ? 0 : 1);
    }
    for (int child = 0; child < 3; child++) {
        unsigned wins = 0;
        int status;
        assert_int_equal(read(p[0], &wins, sizeof wins), sizeof wins);
        assert_true(wait(&status) > 0 && status == 0);
        total += wins;
    }
    assert_int_equal(total, 60);
    (void)close(p[0]);
    (void)close(p[1]);
    seen s = {0};
    vs_error err = {0};
    assert_vs_ok(vs_store_list(f->s, "kbs", see, &s, &err), &err);
    assert_int_equal(s.n, 60); /* no process wrote over another's */
}

#define JSON(name) cmocka_unit_test_setup_teardown(name, open_localjson, fixture_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TESTS(open_localjson),
        EXPIRY_TESTS(open_localjson),
        JSON(the_file_is_trustees),
        JSON(what_trustee_writes_is_seen_at_once),
        JSON(a_reference_value_uri_has_trustees_key),
        JSON(a_file_that_is_damaged_is_an_error_and_stays),
        JSON(no_error_quotes_the_file),
        JSON(a_file_is_bounded),
        JSON(expiry_survives_a_restart_and_is_not_in_trustees_file),
        JSON(values_put_together_are_all_there_or_none),
        JSON(of_processes_that_create_the_same_key_one_wins),
    };
    return cmocka_run_group_tests_name("store: localjson", tests, NULL, NULL);
}
