/* SPDX-License-Identifier: Apache-2.0 */
/* A store of which one value is a file that others know. */
#include "suite.h"

#include "base/io.h"
#include "store/backend.h"

#define KEY "resource-policy.rego"

/* The store below outlives the one that is tested. */
static vs_store *rest;

static const char *in_dir(const fixture *f, const char *rel)
{
    static char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s", f->dir, rel);
    return path;
}

static void reopen(fixture *f)
{
    vs_error err = {0};
    vs_store_close(&f->s);
    assert_vs_ok(
        vs_store_open_with_file(rest, "kbs", KEY, in_dir(f, "opt/kbs/policy.rego"), &f->s, &err),
        &err);
}

static int open_with_file(void **state)
{
    fixture *f = fixture_new();
    vs_error err = {0};
    assert_vs_ok(vs_store_open_memory(&rest, &err), &err);
    reopen(f);
    *state = f;
    return 0;
}

static int close_both(void **state)
{
    (void)fixture_free(state);
    vs_store_close(&rest);
    return 0;
}

static void file_is(const fixture *f, const char *want)
{
    vs_error err = {0};
    vs_buf b = VS_BUF(4096);
    assert_vs_ok(vs_read_file(in_dir(f, "opt/kbs/policy.rego"), &b, &err), &err);
    assert_span_is(vs_buf_span(&b), want);
    vs_buf_free(&b);
}

static void write_raw(const fixture *f, const char *text)
{
    vs_error err = {0};
    assert_vs_ok(vs_write_file(in_dir(f, "opt/kbs/policy.rego"), vs_str(text), 0644, &err), &err);
}

static void the_value_is_the_file_and_the_rest_has_a_copy(void **state)
{
    fixture *f = *state;
    assert_vs_code(get_code(f->s, "kbs", VS_LIT(KEY), 0), VS_E_NOT_FOUND);
    put(f->s, "kbs", KEY, "one");
    file_is(f, "one");
    expect(rest, "kbs", KEY, 0, "one");
    put(f->s, "kbs", KEY, "two");
    file_is(f, "two");
    /* neither the same key elsewhere nor another one here */
    put(f->s, "other", KEY, "not it");
    put(f->s, "kbs", "x.rego", "not it either");
    file_is(f, "two");
    expect(f->s, "other", KEY, 0, "not it");
    expect(rest, "kbs", "x.rego", 0, "not it either");
}

static void what_others_write_counts_at_once(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", KEY, "ours");
    write_raw(f, "theirs");
    expect(f->s, "kbs", KEY, 0, "theirs");
    reopen(f);
    expect(f->s, "kbs", KEY, 0, "theirs");
    expect(rest, "kbs", KEY, 0, "theirs"); /* the copy follows */
    assert_int_equal(unlink(in_dir(f, "opt/kbs/policy.rego")), 0);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT(KEY), 0), VS_E_NOT_FOUND); /* not the copy's text */
}

static void a_file_that_is_missing_at_the_start_is_made_of_the_copy(void **state)
{
    fixture *f = *state;
    put(rest, "kbs", KEY, "set before");
    reopen(f);
    file_is(f, "set before");
    expect(f->s, "kbs", KEY, 0, "set before");
}

static void modes_look_at_the_file(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f->s, "kbs", KEY, "ours");
    write_raw(f, "theirs");
    assert_vs_code(vs_store_put(f->s, "kbs", VS_LIT(KEY), VS_LIT("new"), 0, VS_PUT_CREATE, &err),
                   VS_E_EXISTS);
    vs_store_item swap = {.ns = "kbs",
                          .key = VS_LIT(KEY),
                          .value = VS_LIT("new"),
                          .mode = VS_PUT_SWAP,
                          .old = VS_LIT("ours")};
    assert_vs_code(vs_store_put_all(f->s, &swap, 1, &err), VS_E_CONFLICT);
    file_is(f, "theirs");
    swap.old = VS_LIT("theirs");
    assert_vs_ok(vs_store_put_all(f->s, &swap, 1, &err), &err);
    file_is(f, "new");
    assert_vs_code(vs_store_put(f->s, "kbs", VS_LIT(KEY), VS_LIT("x"), 99, VS_PUT_REPLACE, &err),
                   VS_E_UNSUPPORTED);
    assert_vs_ok(vs_store_delete(f->s, "kbs", VS_LIT(KEY), &err), &err);
    assert_vs_code(get_code(rest, "kbs", VS_LIT(KEY), 0), VS_E_NOT_FOUND);
    assert_vs_code(vs_store_delete(f->s, "kbs", VS_LIT(KEY), &err), VS_E_NOT_FOUND);
    assert_vs_ok(vs_store_put(f->s, "kbs", VS_LIT(KEY), VS_LIT("y"), 0, VS_PUT_CREATE, &err), &err);
    file_is(f, "y");
}

/* The record of a change is made once, and only who makes it writes the file. */
static void without_its_record_the_file_stays(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f->s, "kbs", KEY, "first");
    put(f->s, "kbs_history", "p/1", "record");
    const vs_store_item items[] = {
        {.ns = "kbs_history", .key = VS_LIT("p/1"), .value = VS_LIT("r"), .mode = VS_PUT_CREATE},
        {.ns = "kbs", .key = VS_LIT(KEY), .value = VS_LIT("second")}};
    assert_vs_code(vs_store_put_all(f->s, items, 2, &err), VS_E_EXISTS);
    file_is(f, "first");
    expect(rest, "kbs", KEY, 0, "first");
}

static void a_file_that_cannot_be_written_is_an_error_and_stays_what_counts(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    put(f->s, "kbs", KEY, "first");
    assert_int_equal(unlink(in_dir(f, "opt/kbs/policy.rego")), 0);
    assert_int_equal(mkdir(in_dir(f, "opt/kbs/policy.rego"), 0700), 0);
    assert_int_equal(mkdir(in_dir(f, "opt/kbs/policy.rego/x"), 0700), 0);
    assert_true(vs_store_put(f->s, "kbs", VS_LIT(KEY), VS_LIT("x"), 0, VS_PUT_REPLACE, &err) !=
                VS_OK);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "writing policy.rego"));
    assert_vs_code(get_code(f->s, "kbs", VS_LIT(KEY), 0), VS_E_NOT_FOUND);
    /* nor does what was never in effect come out of the copy some day */
    expect(rest, "kbs", KEY, 0, "first");
}

/* As if the process ended before anything more is removed. */
static vs_code remove_nothing(vs_store *s, const char *ns, vs_span key, vs_error *err)
{
    (void)s, (void)ns, (void)key;
    return vs_fail(err, VS_E_IO, "no");
}

/* The copy goes first: what was half deleted is there as before, or gone, and nothing that was
 * deleted is written back by the next start. */
static void what_was_deleted_is_not_written_back(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    const store_ops *whole = rest->ops;
    store_ops broken = *whole;
    broken.remove = remove_nothing;
    put(f->s, "kbs", KEY, "text");
    rest->ops = &broken;
    assert_vs_code(vs_store_delete(f->s, "kbs", VS_LIT(KEY), &err), VS_E_IO);
    rest->ops = whole;
    file_is(f, "text");
    reopen(f);
    expect(f->s, "kbs", KEY, 0, "text");
    /* the file does not go: the copy has gone, and comes from the file again */
    assert_int_equal(unlink(in_dir(f, "opt/kbs/policy.rego")), 0);
    assert_int_equal(mkdir(in_dir(f, "opt/kbs/policy.rego"), 0700), 0);
    assert_int_equal(mkdir(in_dir(f, "opt/kbs/policy.rego/x"), 0700), 0);
    assert_int_not_equal(vs_store_delete(f->s, "kbs", VS_LIT(KEY), &err), VS_OK);
    assert_vs_code(get_code(rest, "kbs", VS_LIT(KEY), 0), VS_E_NOT_FOUND);
    assert_int_equal(rmdir(in_dir(f, "opt/kbs/policy.rego/x")), 0);
    assert_int_equal(rmdir(in_dir(f, "opt/kbs/policy.rego")), 0);
    reopen(f);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT(KEY), 0), VS_E_NOT_FOUND);
    assert_int_equal(access(in_dir(f, "opt/kbs/policy.rego"), F_OK), -1);
}

static void paths_that_are_no_files_are_refused(void **state)
{
    (void)state;
    vs_store *s = NULL;
    vs_error err = {0};
    static const char *const bad[] = {"", "/", "/tmp/", ".", "..", "/tmp/.."};
    assert_vs_ok(vs_store_open_memory(&rest, &err), &err);
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(vs_store_open_with_file(rest, "kbs", KEY, bad[i], &s, &err), VS_E_INVALID);
    vs_store_close(&rest);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_with_file, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_value_is_the_file_and_the_rest_has_a_copy),
        T(what_others_write_counts_at_once),
        T(a_file_that_is_missing_at_the_start_is_made_of_the_copy),
        T(modes_look_at_the_file),
        T(without_its_record_the_file_stays),
        T(a_file_that_cannot_be_written_is_an_error_and_stays_what_counts),
        T(what_was_deleted_is_not_written_back),
        cmocka_unit_test(paths_that_are_no_files_are_refused),
    };
    return cmocka_run_group_tests_name("store: with a file", tests, NULL, NULL);
}
