/* SPDX-License-Identifier: Apache-2.0 */
/* What is true of every back end, run against each of them. */
#ifndef VS_TEST_STORE_SUITE_H
#define VS_TEST_STORE_SUITE_H

#include "testing.h"

#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/store.h"

typedef struct fixture {
    char dir[64]; /* a fresh directory, removed afterwards */
    vs_store *s;
} fixture;

static inline int drop_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline fixture *fixture_new(void)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/vs-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    return f;
}

static inline int fixture_free(void **state)
{
    fixture *f = *state;
    vs_store_close(&f->s);
    (void)nftw(f->dir, drop_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline void put(vs_store *s, const char *ns, const char *key, const char *value)
{
    vs_error err = {0};
    assert_vs_ok(vs_store_put(s, ns, vs_str(key), vs_str(value), 0, VS_PUT_REPLACE, &err), &err);
}

static inline vs_code get_code(vs_store *s, const char *ns, vs_span key, int64_t now)
{
    vs_buf b = VS_BUF(VS_STORE_VALUE_MAX);
    vs_code code = vs_store_get(s, ns, key, now, &b, NULL);
    vs_buf_free(&b);
    return code;
}

static inline void expect(vs_store *s, const char *ns, const char *key, int64_t now,
                          const char *want)
{
    vs_error err = {0};
    vs_buf b = VS_BUF(VS_STORE_VALUE_MAX);
    assert_vs_ok(vs_store_get(s, ns, vs_str(key), now, &b, &err), &err);
    assert_span_is(vs_buf_span(&b), want);
    vs_buf_free(&b);
}

static inline void a_value_comes_back_as_it_was_put(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "default/key/1", "one");
    expect(f->s, "repository", "default/key/1", 0, "one");
    put(f->s, "repository", "default/key/1", "");
    expect(f->s, "repository", "default/key/1", 0, "");
    put(f->s, "repository", "default/key/1", "three");
    expect(f->s, "repository", "default/key/1", 0, "three");
}

static inline void a_value_of_any_bytes_and_of_the_largest_size_comes_back(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_buf big = VS_BUF(VS_STORE_VALUE_MAX + 1), back = VS_BUF(VS_STORE_VALUE_MAX);
    uint8_t *p = vs_buf_reserve(&big, VS_STORE_VALUE_MAX + 1);
    assert_non_null(p);
    for (size_t i = 0; i < big.n; i++)
        p[i] = (uint8_t)(i * 31 >> 3);
    vs_span most = vs_span_head(vs_buf_span(&big), VS_STORE_VALUE_MAX);
    assert_vs_ok(vs_store_put(f->s, "repository", VS_LIT("a/b/big"), most, 0, VS_PUT_REPLACE, &err),
                 &err);
    assert_vs_ok(vs_store_get(f->s, "repository", VS_LIT("a/b/big"), 0, &back, &err), &err);
    assert_span_eq(vs_buf_span(&back), most);
    assert_vs_code(vs_store_put(f->s, "repository", VS_LIT("a/b/big"), vs_buf_span(&big), 0,
                                VS_PUT_REPLACE, NULL),
                   VS_E_LIMIT);
    vs_buf_free(&big);
    vs_buf_free(&back);
}

static inline void a_value_larger_than_the_callers_buffer_is_refused(void **state)
{
    fixture *f = *state;
    put(f->s, "repository", "a/b/c", "0123456789");
    vs_buf small = VS_BUF(9);
    assert_vs_code(vs_store_get(f->s, "repository", VS_LIT("a/b/c"), 0, &small, NULL), VS_E_LIMIT);
    assert_int_equal(small.n, 0);
    vs_buf_free(&small);
}

static inline void what_is_absent_is_not_found(void **state)
{
    fixture *f = *state;
    assert_vs_code(get_code(f->s, "repository", VS_LIT("no/such/key"), 0), VS_E_NOT_FOUND);
    assert_vs_code(vs_store_delete(f->s, "repository", VS_LIT("no/such/key"), NULL),
                   VS_E_NOT_FOUND);
    put(f->s, "repository", "a/b/c", "x");
    assert_vs_code(get_code(f->s, "repository", VS_LIT("a/b"), 0), VS_E_NOT_FOUND);
    assert_vs_code(get_code(f->s, "repository", VS_LIT("a/b/c/d"), 0), VS_E_NOT_FOUND);
    vs_error err = {0};
    assert_vs_ok(vs_store_delete(f->s, "repository", VS_LIT("a/b/c"), &err), &err);
    assert_vs_code(get_code(f->s, "repository", VS_LIT("a/b/c"), 0), VS_E_NOT_FOUND);
}

static inline void create_refuses_what_is_there(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(
        vs_store_put(f->s, "kbs", VS_LIT("policy.rego"), VS_LIT("1"), 0, VS_PUT_CREATE, &err),
        &err);
    assert_vs_code(
        vs_store_put(f->s, "kbs", VS_LIT("policy.rego"), VS_LIT("2"), 0, VS_PUT_CREATE, NULL),
        VS_E_EXISTS);
    expect(f->s, "kbs", "policy.rego", 0, "1");
}

static inline vs_code swap(vs_store *s, const char *key, const char *from, const char *to)
{
    const vs_store_item items[] = {{.ns = "kbs", .key = VS_LIT("beside"), .value = vs_str(to)},
                                   {.ns = "kbs",
                                    .key = vs_str(key),
                                    .value = vs_str(to),
                                    .mode = VS_PUT_SWAP,
                                    .old = vs_str(from)}};
    return vs_store_put_all(s, items, VS_COUNT(items), NULL);
}

static inline void a_swap_wants_the_value_that_was_read(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_code(swap(f->s, "k", "", "1"), VS_E_CONFLICT); /* nothing is there */
    assert_vs_ok(vs_store_put(f->s, "kbs", VS_LIT("k"), VS_LIT("1"), 0, VS_PUT_CREATE, &err), &err);
    assert_vs_code(swap(f->s, "k", "2", "3"), VS_E_CONFLICT);
    assert_vs_code(swap(f->s, "k", "", "3"), VS_E_CONFLICT);
    assert_vs_code(swap(f->s, "k", "12", "3"), VS_E_CONFLICT);
    expect(f->s, "kbs", "k", 0, "1");
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("beside"), 0), VS_E_NOT_FOUND); /* all or nothing */
    assert_vs_code(swap(f->s, "k", "1", "2"), VS_OK);
    expect(f->s, "kbs", "k", 0, "2");
    expect(f->s, "kbs", "beside", 0, "2");
    assert_vs_code(swap(f->s, "k", "1", "3"), VS_E_CONFLICT);
    assert_vs_code(swap(f->s, "k", "2", ""), VS_OK);
    assert_vs_code(swap(f->s, "k", "", "4"), VS_OK);
    expect(f->s, "kbs", "k", 0, "4");
    const vs_store_item late = {
        .ns = "kbs", .key = VS_LIT("k"), .expires = 1, .mode = VS_PUT_SWAP, .old = VS_LIT("4")};
    assert_vs_code(vs_store_put_all(f->s, &late, 1, NULL), VS_E_INVALID);
}

/* Each adds one until it has added COUNTS; none is lost. */
enum { COUNTERS = 4, COUNTS = 25 };
static inline void *count_up(void *user)
{
    vs_store *s = user;
    for (int done = 0; done < COUNTS;) {
        VS_CLEANUP(vs_buf_free) vs_buf now = VS_BUF(32);
        char next[32];
        if (vs_store_get(s, "kbs", VS_LIT("count"), 0, &now, NULL) != VS_OK)
            return s;
        (void)snprintf(next, sizeof next, "%ld", strtol((const char *)now.p, NULL, 10) + 1);
        const vs_store_item item = {.ns = "kbs",
                                    .key = VS_LIT("count"),
                                    .value = vs_str(next),
                                    .mode = VS_PUT_SWAP,
                                    .old = vs_buf_span(&now)};
        vs_code code = vs_store_put_all(s, &item, 1, NULL);
        if (code != VS_OK && code != VS_E_CONFLICT)
            return s;
        done += code == VS_OK;
    }
    return NULL;
}

static inline void swaps_of_many_threads_lose_nothing(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    pthread_t t[COUNTERS];
    assert_vs_ok(vs_store_put(f->s, "kbs", VS_LIT("count"), VS_LIT("0"), 0, VS_PUT_CREATE, &err),
                 &err);
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, count_up, f->s), 0);
    for (int i = 0; i < COUNTERS; i++) {
        void *failed = NULL;
        (void)pthread_join(t[i], &failed);
        assert_null(failed);
    }
    expect(f->s, "kbs", "count", 0, "100");
}

static const char *const good_keys[] = {
    "a",
    "default/key/1",
    "cca.realm.cca-realm-initial-measurement",
    "rvps:a/b/c:v1",
    "with us",
    "a..b/c...",
    "~!@#$^&*()_+-=[]{};',<>?|\"`",
    "a/b/c/d/e/f/g",
};

static const vs_span bad_keys[] = {
    {NULL, 0},
    VS_LIT("/"),
    VS_LIT("/a"),
    VS_LIT("a/"),
    VS_LIT("a//b"),
    VS_LIT("."),
    VS_LIT(".."),
    VS_LIT("../a"),
    VS_LIT("a/../b"),
    VS_LIT("a/.."),
    VS_LIT("a/./b"),
    VS_LIT(".hidden"),
    VS_LIT("a/.b"),
    VS_LIT("%2e%2e/a"),
    VS_LIT("a%2fb"),
    VS_LIT("a\\b"),
    VS_LIT("a\\x2Fb"),
    VS_LIT("a\0b"),
    VS_LIT("a\n"),
    VS_LIT("a\x7f"),
    VS_LIT("\xc0\xae\xc0\xae/a"),
    VS_LIT("a\xc0\xafz"),
    VS_LIT("\xe0\x80\xaf"),
    VS_LIT("caf\xc3\xa9"),
    VS_LIT("a\t"),
    VS_LIT("a\r\nb"),
    VS_LIT("...."),
};

static inline void keys_outside_the_grammar_are_refused_by_every_call(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < VS_COUNT(good_keys); i++) {
        put(f->s, "reference_value", good_keys[i], good_keys[i]);
        expect(f->s, "reference_value", good_keys[i], 0, good_keys[i]);
        assert_vs_code(vs_store_delete(f->s, "reference_value", vs_str(good_keys[i]), NULL), VS_OK);
    }
    for (size_t i = 0; i < VS_COUNT(bad_keys); i++) {
        vs_span k = bad_keys[i];
        assert_false(vs_store_key_ok(k));
        assert_vs_code(get_code(f->s, "kbs", k, 0), VS_E_INVALID);
        assert_vs_code(vs_store_put(f->s, "kbs", k, VS_LIT("x"), 0, VS_PUT_REPLACE, NULL),
                       VS_E_INVALID);
        assert_vs_code(vs_store_delete(f->s, "kbs", k, NULL), VS_E_INVALID);
    }
    char longest[513];
    memset(longest, 'k', sizeof longest);
    for (size_t i = 100; i < sizeof longest; i += 100)
        longest[i] = '/';
    assert_true(vs_store_key_ok(vs_span_of(longest, 512)));
    assert_false(vs_store_key_ok(vs_span_of(longest, 513)));
}

static inline void namespaces_outside_the_grammar_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {"", "A", "a/b", "..", "a.b", "a1", "kbs;", "caf\xc3\xa9"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(get_code(f->s, bad[i], VS_LIT("k"), 0), VS_E_INVALID);
}

typedef struct seen {
    char text[512];
    unsigned stop_after, n;
} seen;

static inline vs_code see(void *user, vs_span key)
{
    seen *s = user;
    size_t at = strlen(s->text);
    (void)snprintf(s->text + at, sizeof s->text - at, "%.*s\n", VS_FMT(key));
    return ++s->n == s->stop_after ? VS_E_LIMIT : VS_OK;
}

static inline void keys_are_listed_in_bytewise_order(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    seen all = {0}, two = {.stop_after = 2}, none = {0};
    assert_vs_ok(vs_store_list(f->s, "kbs", see, &none, &err), &err);
    assert_string_equal(none.text, "");
    static const char *const keys[] = {"b/a", "a/z", "a-b", "Z", "a/b/c", "_", "a.b"};
    for (size_t i = 0; i < VS_COUNT(keys); i++)
        put(f->s, "kbs", keys[i], "x");
    assert_vs_ok(vs_store_list(f->s, "kbs", see, &all, &err), &err);
    assert_string_equal(all.text, "Z\n_\na-b\na.b\na/b/c\na/z\nb/a\n");
    assert_vs_code(vs_store_list(f->s, "kbs", see, &two, NULL), VS_E_LIMIT);
    assert_int_equal(two.n, 2);
}

/* ---- back ends with namespaces and expiry ---------------------------------------------------- */

static inline void namespaces_do_not_mix(void **state)
{
    fixture *f = *state;
    put(f->s, "kbs", "k", "1");
    put(f->s, "repository", "k", "2");
    expect(f->s, "kbs", "k", 0, "1");
    expect(f->s, "repository", "k", 0, "2");
    assert_vs_code(vs_store_delete(f->s, "kbs", VS_LIT("k"), NULL), VS_OK);
    expect(f->s, "repository", "k", 0, "2");
}

static inline void a_value_is_absent_after_its_expiry(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_span k = VS_LIT("id");
    assert_vs_ok(vs_store_put(f->s, "session", k, VS_LIT("v"), 1000, VS_PUT_REPLACE, &err), &err);
    expect(f->s, "session", "id", 999, "v");
    expect(f->s, "session", "id", 1000, "v");
    assert_vs_code(get_code(f->s, "session", k, 1001), VS_E_NOT_FOUND);
    expect(f->s, "session", "id", 0, "v");
    /* A later put without expiry removes it; one with another expiry replaces it. */
    assert_vs_ok(vs_store_put(f->s, "session", k, VS_LIT("w"), 2000, VS_PUT_REPLACE, &err), &err);
    assert_vs_code(get_code(f->s, "session", k, 2001), VS_E_NOT_FOUND);
    put(f->s, "session", "id", "x");
    expect(f->s, "session", "id", INT64_MAX, "x");
    assert_vs_code(vs_store_put(f->s, "session", k, VS_LIT("v"), -1, VS_PUT_REPLACE, NULL),
                   VS_E_INVALID);
}

static inline void create_takes_the_place_of_an_expired_value(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    int64_t now = vs_now_s();
    vs_span k = VS_LIT("id");
    assert_vs_ok(vs_store_put(f->s, "session", k, VS_LIT("old"), 1000, VS_PUT_CREATE, &err), &err);
    assert_vs_ok(vs_store_put(f->s, "session", k, VS_LIT("new"), now + 60, VS_PUT_CREATE, &err),
                 &err);
    expect(f->s, "session", "id", now, "new");
    assert_vs_code(vs_store_put(f->s, "session", k, VS_LIT("x"), now + 60, VS_PUT_CREATE, NULL),
                   VS_E_EXISTS);
}

static inline void purge_removes_what_expired_and_no_more_than_asked(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f->s, "kbs", "forever", "x");
    for (int i = 0; i < 10; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "s%d", i);
        assert_vs_ok(
            vs_store_put(f->s, "session", vs_str(key), VS_LIT("v"), 100 + i, VS_PUT_REPLACE, &err),
            &err);
    }
    assert_vs_ok(vs_store_purge(f->s, 50, 100, &err), &err);
    seen s = {0};
    assert_vs_ok(vs_store_list(f->s, "session", see, &s, &err), &err);
    assert_int_equal(s.n, 10);
    assert_vs_ok(vs_store_purge(f->s, 108, 3, &err), &err);
    s = (seen){0};
    assert_vs_ok(vs_store_list(f->s, "session", see, &s, &err), &err);
    assert_int_equal(s.n, 7);
    assert_vs_ok(vs_store_purge(f->s, 108, 100, &err), &err);
    s = (seen){0};
    assert_vs_ok(vs_store_list(f->s, "session", see, &s, &err), &err);
    assert_string_equal(s.text, "s8\ns9\n");
    expect(f->s, "kbs", "forever", INT64_MAX, "x");
}

static inline void values_put_together_are_all_checked_first(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_store_item two[] = {{"kbs", VS_LIT("a"), VS_LIT("1"), 0, VS_PUT_REPLACE},
                           {"kbs", VS_LIT("../b"), VS_LIT("2"), 0, VS_PUT_REPLACE}};
    assert_vs_code(vs_store_put_all(f->s, two, 2, NULL), VS_E_INVALID);
    assert_vs_code(get_code(f->s, "kbs", VS_LIT("a"), 0), VS_E_NOT_FOUND);
    two[1].key = VS_LIT("b");
    assert_vs_ok(vs_store_put_all(f->s, two, 2, &err), &err);
    expect(f->s, "kbs", "a", 0, "1");
    expect(f->s, "kbs", "b", 0, "2");
    assert_vs_ok(vs_store_put_all(f->s, two, 0, &err), &err);
}

static inline void a_store_that_works_says_so_and_shows_no_trace_of_it(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f->s, "kbs", "k", "v");
    for (int i = 0; i < 3; i++)
        assert_vs_ok(vs_store_ping(f->s, &err), &err);
    seen s = {0};
    assert_vs_ok(vs_store_list(f->s, "kbs", see, &s, &err), &err);
    assert_string_equal(s.text, "k\n");
    expect(f->s, "kbs", "k", 0, "v");
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 40 };

typedef struct job {
    vs_store *s;
    unsigned id, wins, errors;
} job;

static inline void *work(void *arg)
{
    job *j = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char key[32], value[64];
        (void)snprintf(key, sizeof key, "race/x/%u", i);
        (void)snprintf(value, sizeof value, "%u %u of thread", j->id, i);
        vs_code c =
            vs_store_put(j->s, "repository", vs_str(key), vs_str(value), 0, VS_PUT_CREATE, NULL);
        j->wins += c == VS_OK;
        j->errors += c != VS_OK && c != VS_E_EXISTS;
        c = vs_store_put(j->s, "repository", VS_LIT("shared/x/y"), vs_str(value), 0, VS_PUT_REPLACE,
                         NULL);
        j->errors += c != VS_OK;
        vs_buf b = VS_BUF(64);
        c = vs_store_get(j->s, "repository", VS_LIT("shared/x/y"), 0, &b, NULL);
        j->errors += c != VS_OK || !vs_span_ends(vs_buf_span(&b), VS_LIT(" of thread"));
        vs_buf_free(&b);
    }
    return NULL;
}

static inline void of_threads_that_create_the_same_key_one_wins(void **state)
{
    fixture *f = *state;
    pthread_t t[THREADS];
    job jobs[THREADS];
    unsigned wins = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i] = (job){.s = f->s, .id = i};
        assert_int_equal(pthread_create(&t[i], NULL, work, &jobs[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
        assert_int_equal(jobs[i].errors, 0);
        wins += jobs[i].wins;
    }
    assert_int_equal(wins, ROUNDS);
}

#define STORE_TESTS(open)                                                                          \
    cmocka_unit_test_setup_teardown(a_value_comes_back_as_it_was_put, open, fixture_free),         \
        cmocka_unit_test_setup_teardown(a_value_of_any_bytes_and_of_the_largest_size_comes_back,   \
                                        open, fixture_free),                                       \
        cmocka_unit_test_setup_teardown(a_value_larger_than_the_callers_buffer_is_refused, open,   \
                                        fixture_free),                                             \
        cmocka_unit_test_setup_teardown(what_is_absent_is_not_found, open, fixture_free),          \
        cmocka_unit_test_setup_teardown(create_refuses_what_is_there, open, fixture_free),         \
        cmocka_unit_test_setup_teardown(values_put_together_are_all_checked_first, open,           \
                                        fixture_free),                                             \
        cmocka_unit_test_setup_teardown(keys_outside_the_grammar_are_refused_by_every_call, open,  \
                                        fixture_free),                                             \
        cmocka_unit_test_setup_teardown(namespaces_outside_the_grammar_are_refused, open,          \
                                        fixture_free),                                             \
        cmocka_unit_test_setup_teardown(keys_are_listed_in_bytewise_order, open, fixture_free),    \
        cmocka_unit_test_setup_teardown(a_store_that_works_says_so_and_shows_no_trace_of_it, open, \
                                        fixture_free),                                             \
        cmocka_unit_test_setup_teardown(of_threads_that_create_the_same_key_one_wins, open,        \
                                        fixture_free)

/* What the tree has not. */
#define EXPIRY_TESTS(open)                                                                         \
    cmocka_unit_test_setup_teardown(namespaces_do_not_mix, open, fixture_free),                    \
        cmocka_unit_test_setup_teardown(a_value_is_absent_after_its_expiry, open, fixture_free),   \
        cmocka_unit_test_setup_teardown(create_takes_the_place_of_an_expired_value, open,          \
                                        fixture_free),                                             \
        cmocka_unit_test_setup_teardown(purge_removes_what_expired_and_no_more_than_asked, open,   \
                                        fixture_free),                                             \
        cmocka_unit_test_setup_teardown(a_swap_wants_the_value_that_was_read, open, fixture_free), \
        cmocka_unit_test_setup_teardown(swaps_of_many_threads_lose_nothing, open, fixture_free)

#endif
