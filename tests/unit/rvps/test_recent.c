/* SPDX-License-Identifier: Apache-2.0 */
/* What was read a moment ago counts for one count of changes and no longer. */
#include "testing.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "rvps/recent.h"
#include "rvps/rvps.h"
#include "value/json.h"

enum { NOW = 1787302800 }; /* 2026-08-21T09:00:00Z */

static bool is_kept(rvps_recent *r, uint64_t changes, const char *key, const char *want)
{
    vs_arena a;
    vs_span text;
    vs_arena_init(&a, 0);
    bool found = rvps_recent_find(r, changes, vs_str(key), &a, &text);
    if (found && want)
        assert_span_is(text, want);
    else
        assert_null(text.p);
    vs_arena_free(&a);
    return found;
}

static void a_text_counts_for_the_count_it_was_read_at(void **state)
{
    (void)state;
    rvps_recent *r = rvps_recent_new();
    rvps_recent_keep(r, 7, VS_LIT("a"), VS_LIT("one"));
    rvps_recent_keep(r, 7, VS_LIT("none"), (vs_span){NULL, 0});
    rvps_recent_keep(r, 7, VS_LIT("empty"), VS_LIT(""));
    assert_true(is_kept(r, 7, "a", "one"));
    assert_true(is_kept(r, 7, "none", NULL));
    assert_true(is_kept(r, 7, "empty", ""));
    assert_false(is_kept(r, 8, "a", NULL));
    assert_false(is_kept(r, 6, "none", NULL));
    assert_false(is_kept(r, 7, "b", NULL));
    rvps_recent_keep(r, 8, VS_LIT("a"), VS_LIT("two"));
    assert_false(is_kept(r, 7, "a", NULL));
    assert_true(is_kept(r, 8, "a", "two"));
    rvps_recent_keep(r, 9, VS_LIT("a"), (vs_span){NULL, 0});
    assert_true(is_kept(r, 9, "a", NULL));
    /* Where the store cannot tell, nothing is kept. */
    rvps_recent_keep(r, 0, VS_LIT("c"), VS_LIT("x"));
    assert_false(is_kept(r, 0, "c", NULL));
    rvps_recent_free(&r);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    static uint8_t text[RVPS_RECENT_TEXT + 1];
    rvps_recent *r = rvps_recent_new();
    unsigned kept = 0;
    enum { NAMES = 4 * RVPS_RECENT_ENTRIES };
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "name %u", i);
        rvps_recent_keep(r, 1, vs_str(name), vs_str(name));
        assert_true(is_kept(r, 1, name, name));
    }
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "name %u", i);
        kept += is_kept(r, 1, name, name);
    }
    assert_true(kept <= RVPS_RECENT_ENTRIES && kept > RVPS_RECENT_ENTRIES / 2);
    rvps_recent_keep(r, 1, VS_LIT("long"), vs_span_of(text, RVPS_RECENT_TEXT));
    rvps_recent_keep(r, 1, VS_LIT("longer"), vs_span_of(text, sizeof text));
    vs_arena a;
    vs_span got;
    vs_arena_init(&a, 0);
    assert_true(rvps_recent_find(r, 1, VS_LIT("long"), &a, &got));
    assert_int_equal(got.n, RVPS_RECENT_TEXT);
    assert_false(rvps_recent_find(r, 1, VS_LIT("longer"), &a, &got));
    vs_arena_free(&a);
    rvps_recent_free(&r);
}

static void *keep_and_find(void *arg)
{
    rvps_recent *r = arg;
    vs_arena a;
    vs_arena_init(&a, 0);
    for (unsigned i = 0; i < 5000; i++) {
        char name[16], text[32];
        vs_span got;
        (void)snprintf(name, sizeof name, "n%u", i % 50);
        (void)snprintf(text, sizeof text, "%u %s", i / 500 + 1, name);
        rvps_recent_keep(r, i / 500 + 1, vs_str(name), vs_str(text));
        if (rvps_recent_find(r, i / 500 + 1, vs_str(name), &a, &got))
            assert_span_is(got, text);
        vs_arena_reset(&a);
    }
    vs_arena_free(&a);
    return NULL;
}

static void threads_find_what_belongs_to_their_count(void **state)
{
    (void)state;
    rvps_recent *r = rvps_recent_new();
    pthread_t t[4];
    for (size_t i = 0; i < VS_COUNT(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, keep_and_find, r), 0);
    for (size_t i = 0; i < VS_COUNT(t); i++)
        (void)pthread_join(t[i], NULL);
    rvps_recent_free(&r);
}

/* ---- the provider -----------------------------------------------------------------------------
 */

/* Two processes with one file. */
typedef struct shared {
    char dir[64], path[96];
    vs_store *store[2];
    rvps *r[2];
} shared;

static int open_shared(void **state)
{
    shared *s = calloc(1, sizeof *s);
    (void)snprintf(s->dir, sizeof s->dir, "%s/vs-recent-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->path, sizeof s->path, "%s/s", s->dir);
    for (unsigned i = 0; i < 2; i++) {
        vs_error err = {0};
        assert_vs_ok(vs_store_open_sqlite(s->path, &s->store[i], &err), &err);
        assert_vs_ok(rvps_new(s->store[i], NULL, &s->r[i], &err), &err);
    }
    *state = s;
    return 0;
}

static int close_shared(void **state)
{
    shared *s = *state;
    for (unsigned i = 0; i < 2; i++) {
        rvps_free(&s->r[i]);
        vs_store_close(&s->store[i]);
    }
    (void)unlink(s->path);
    (void)rmdir(s->dir);
    free(s);
    return 0;
}

static void endorse(rvps *r, const char *payload)
{
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf message = VS_BUF(1 << 16);
    assert_vs_code(rvps_message(&message, "sample", vs_str(payload), NULL), VS_OK);
    assert_vs_ok(rvps_register(r, vs_buf_span(&message), NOW, &err), &err);
}

static void expect_as_of(rvps *r, uint64_t changes, int64_t now, const char *want)
{
    vs_arena a;
    vs_val v;
    vs_error err = {0};
    vs_arena_init(&a, 0);
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 16);
    assert_vs_ok(rvps_query_as_of(r, changes, VS_LIT("svn"), now, &a, &v, &err), &err);
    vs_json_print(&b, v);
    assert_span_is(vs_buf_span(&b), want);
    vs_arena_free(&a);
}

static void what_another_process_changes_counts_with_the_next_count(void **state)
{
    shared *s = *state;
    static const char *const values[] = {"[1]", "[2]", "[3]"};
    uint64_t n = rvps_changes(s->r[0]);
    assert_true(n > 0);
    expect_as_of(s->r[0], n, NOW, "null");
    for (size_t i = 0; i < VS_COUNT(values); i++) {
        char payload[32];
        (void)snprintf(payload, sizeof payload, "{\"svn\":%s}", values[i]);
        endorse(s->r[i % 2], payload);
        for (unsigned k = 0; k < 2; k++) {
            n = rvps_changes(s->r[k]);
            expect_as_of(s->r[k], n, NOW, values[i]);
            expect_as_of(s->r[k], n, NOW, values[i]); /* from memory */
            expect_as_of(s->r[k], 0, NOW, values[i]);
            expect_as_of(s->r[k], n, NOW + 400 * 86400, "null"); /* expired, remembered or not */
        }
        assert_vs_code(rvps_delete(s->r[1], VS_LIT("svn"), VS_LIT(""), NULL), VS_OK);
        assert_int_not_equal(rvps_changes(s->r[0]), n);
        expect_as_of(s->r[0], rvps_changes(s->r[0]), NOW, "null");
    }
}

static void a_store_that_cannot_tell_is_read_each_time(void **state)
{
    shared *s = *state;
    vs_store *files = NULL;
    rvps *r = NULL, *other = NULL;
    vs_error err = {0};
    char dir[128];
    (void)snprintf(dir, sizeof dir, "%s/json", s->dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_vs_ok(vs_store_open_localjson(dir, &files, &err), &err);
    assert_vs_ok(rvps_new(files, NULL, &r, &err), &err);
    assert_vs_ok(rvps_new(files, NULL, &other, &err), &err);
    assert_int_equal(rvps_changes(r), 0);
    endorse(other, "{\"svn\":[1]}");
    expect_as_of(r, rvps_changes(r), NOW, "[1]");
    endorse(other, "{\"svn\":[2]}");
    expect_as_of(r, rvps_changes(r), NOW, "[2]");
    rvps_free(&r);
    rvps_free(&other);
    vs_store_close(&files);
    char command[160];
    (void)snprintf(command, sizeof command, "rm -r '%s'", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_counts_for_the_count_it_was_read_at),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(threads_find_what_belongs_to_their_count),
        cmocka_unit_test_setup_teardown(what_another_process_changes_counts_with_the_next_count,
                                        open_shared, close_shared),
        cmocka_unit_test_setup_teardown(a_store_that_cannot_tell_is_read_each_time, open_shared,
                                        close_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
