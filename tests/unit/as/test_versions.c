/* SPDX-License-Identifier: Apache-2.0 */
/* Policies with a history, changed by several at once. */
#include "as/as_fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "as/internal.h"
#include "as/versions.h"

#define NS "attestation_service_policy"

static as_policies *policies(world *w)
{
    return ((as_local *)w->as)->policies;
}

static vs_span rego(world *w, int n)
{
    return vs_str(vs_sprintf(&w->a, "package policy\nx := %d\n", n));
}

static vs_code change(world *w, as_change c, as_policy_state *now)
{
    c.id = c.id.p ? c.id : VS_LIT("mine");
    c.who = c.who.p ? c.who : VS_LIT("alice");
    c.now = c.now ? c.now : NOW;
    return as_policies_change(policies(w), &c, &w->a, now, NULL);
}

static as_policy_state set(world *w, int n)
{
    as_policy_state now;
    vs_error err = {0};
    const as_change c = {
        .id = VS_LIT("mine"), .text = rego(w, n), .who = VS_LIT("alice"), .now = NOW};
    assert_vs_ok(as_policies_change(policies(w), &c, &w->a, &now, &err), &err);
    return now;
}

static as_policy_state read_mine(world *w)
{
    as_policy_state now;
    vs_error err = {0};
    assert_vs_ok(as_policies_read(policies(w), VS_LIT("mine"), &w->a, &now, &err), &err);
    return now;
}

static vs_val history(world *w)
{
    vs_val list;
    vs_error err = {0};
    assert_vs_ok(as_policies_history(policies(w), VS_LIT("mine"), &w->a, &list, &err), &err);
    return list;
}

static void each_change_is_a_version(void **state)
{
    world *w = *state;
    as_policy_state now = read_mine(w);
    assert_false(now.exists);
    assert_null(now.etag);
    assert_int_equal(set(w, 1).version, 1);
    assert_int_equal(set(w, 2).version, 2);
    now = set(w, 2); /* the same again is a version too: somebody said so */
    assert_int_equal(now.version, 3);
    assert_span_eq(now.text, rego(w, 2));
    vs_val list = history(w);
    assert_int_equal(list.len, 3);
    for (uint32_t i = 0; i < 3; i++) {
        vs_val r = list.u.items[i];
        assert_int_equal(vs_getc(r, "version").u.i, i + 1);
        assert_int_equal(vs_getc(r, "time").u.i, NOW);
        assert_span_is(vs_text(vs_getc(r, "who")), "alice");
        assert_span_is(vs_text(vs_getc(r, "action")), "set");
        assert_int_equal(vs_text(vs_getc(r, "sha256")).n, 64);
        assert_int_equal(vs_is_true(vs_getc(r, "active")), i == 2);
    }
}

static void older_versions_come_back(void **state)
{
    world *w = *state;
    as_policy_state now;
    for (int i = 1; i <= 3; i++)
        (void)set(w, i);
    assert_vs_code(change(w, (as_change){.kind = AS_ACTIVATE, .version = 1}, &now), VS_OK);
    assert_int_equal(now.version, 4);
    assert_span_eq(now.text, rego(w, 1));
    assert_int_equal(vs_getc(history(w).u.items[3], "from").u.i, 1);
    vs_span text;
    assert_vs_code(as_policies_read_version(policies(w), VS_LIT("mine"), 2, &w->a, &text, NULL),
                   VS_OK);
    assert_span_eq(text, rego(w, 2));
    for (uint32_t v = 0; v < 8; v += 7)
        assert_vs_code(change(w, (as_change){.kind = AS_ACTIVATE, .version = v}, &now),
                       VS_E_NOT_FOUND);
}

static void rolling_back_twice_goes_back_two_steps(void **state)
{
    world *w = *state;
    as_policy_state now;
    const as_change back = {.kind = AS_ROLL_BACK};
    assert_vs_code(change(w, back, &now), VS_E_NOT_FOUND);
    for (int i = 1; i <= 3; i++)
        (void)set(w, i);
    assert_vs_code(change(w, back, &now), VS_OK);
    assert_span_eq(now.text, rego(w, 2));
    assert_vs_code(change(w, back, &now), VS_OK);
    assert_span_eq(now.text, rego(w, 1));
    assert_vs_code(change(w, back, &now), VS_E_NOT_FOUND);
    assert_span_eq(read_mine(w).text, rego(w, 1));
}

static void a_deleted_policy_can_be_had_back(void **state)
{
    world *w = *state;
    as_policy_state now;
    (void)set(w, 1);
    assert_vs_code(change(w, (as_change){.kind = AS_DELETE}, &now), VS_OK);
    assert_false(now.exists);
    assert_int_equal(now.last, 2);
    assert_vs_code(change(w, (as_change){.kind = AS_DELETE}, &now), VS_E_NOT_FOUND);
    assert_vs_code(change(w, (as_change){.kind = AS_ACTIVATE, .version = 2}, &now), VS_E_NOT_FOUND);
    assert_vs_code(change(w, (as_change){.kind = AS_ROLL_BACK}, &now), VS_OK);
    assert_span_eq(now.text, rego(w, 1));
    assert_int_equal(now.version, 3);
}

/* Trustee, or a hand. */
static void write_past_us(world *w, int n)
{
    vs_error err = {0};
    assert_vs_ok(
        vs_store_put(w->store, NS, VS_LIT("mine.rego"), rego(w, n), 0, VS_PUT_REPLACE, &err), &err);
}

static void a_text_without_a_record_is_version_0_and_not_lost(void **state)
{
    world *w = *state;
    as_policy_state now;
    write_past_us(w, 7);
    now = read_mine(w);
    assert_true(now.exists);
    assert_int_equal(now.version, 0);
    assert_int_equal(history(w).len, 0);
    assert_int_equal(set(w, 1).version, 2);
    assert_span_is(vs_text(vs_getc(history(w).u.items[0], "action")), "found");
    write_past_us(w, 8); /* over a version of ours */
    assert_int_equal(read_mine(w).version, 0);
    assert_vs_code(change(w, (as_change){.kind = AS_ROLL_BACK}, &now), VS_OK);
    assert_span_eq(now.text, rego(w, 1));
    assert_int_equal(now.version, 4);
    assert_vs_code(change(w, (as_change){.kind = AS_ACTIVATE, .version = 3}, &now), VS_OK);
    assert_span_eq(now.text, rego(w, 8));
}

/* hazard 42 */
static void stale_writes_are_refused(void **state)
{
    world *w = *state;
    as_policy_state first = set(w, 1), now, second;
    const as_change mine = {.text = rego(w, 2), .if_match = vs_str(first.etag)};
    assert_vs_code(change(w, mine, &second), VS_OK);
    assert_string_not_equal(first.etag, second.etag);
    assert_vs_code(change(w, mine, &now), VS_E_CONFLICT); /* somebody else was faster: me */
    assert_span_eq(read_mine(w).text, rego(w, 2));
    static const char *const never[] = {"",  "\"\"", "W/\"2-",
                                        "2", "\"0-", "\"99-0000000000000000\""};
    for (size_t i = 0; i < VS_COUNT(never); i++) {
        const as_change c = {.text = rego(w, 3), .if_match = vs_str(never[i])};
        assert_vs_code(change(w, c, &now), VS_E_CONFLICT);
    }
    const char *weak = vs_sprintf(&w->a, "W/%s", second.etag);
    assert_vs_code(change(w, (as_change){.text = rego(w, 3), .if_match = vs_str(weak)}, &now),
                   VS_E_CONFLICT);
    const char *list = vs_sprintf(&w->a, "\"x\" , %s", second.etag);
    assert_vs_code(change(w, (as_change){.text = rego(w, 3), .if_match = vs_str(list)}, &now),
                   VS_OK);
    assert_vs_code(change(w, (as_change){.text = rego(w, 4), .if_none_match = VS_LIT("*")}, &now),
                   VS_E_CONFLICT);
    assert_vs_code(change(w, (as_change){.kind = AS_DELETE, .if_match = VS_LIT("*")}, &now), VS_OK);
    assert_vs_code(change(w, (as_change){.text = rego(w, 4), .if_match = VS_LIT("*")}, &now),
                   VS_E_CONFLICT);
    assert_vs_code(change(w, (as_change){.text = rego(w, 4), .if_none_match = VS_LIT("*")}, &now),
                   VS_OK);
    /* The same text again has another tag: what happened in between counts. */
    assert_string_not_equal(set(w, 5).etag, set(w, 5).etag);
}

static void what_is_refused_changes_nothing(void **state)
{
    world *w = *state;
    as_policy_state now;
    (void)set(w, 1);
    uint8_t long_note[AS_NOTE_MAX + 1];
    memset(long_note, 'n', sizeof long_note);
    const as_change bad[] = {
        {.text = VS_LIT("package policy\nx := ")},
        {.text = VS_LIT("package policy\n\xff")},
        {.text = rego(w, 2), .note = VS_LIT("\xff")},
        {.text = rego(w, 2), .note = vs_span_of(long_note, sizeof long_note)},
        {.text = rego(w, 2), .id = VS_LIT("../mine")},
        {.text = rego(w, 2), .id = VS_LIT("a/b")},
        {.text = rego(w, 2), .id = VS_LIT(".mine")},
        {.text = rego(w, 2), .id = VS_LIT("")},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_not_equal(change(w, bad[i], &now), VS_OK);
    assert_int_equal(read_mine(w).version, 1);
    assert_int_equal(history(w).len, 1);
}

static void a_changed_text_in_the_store_is_not_taken_for_the_recorded_one(void **state)
{
    world *w = *state;
    as_policy_state first = set(w, 1), now;
    vs_error err = {0};
    (void)set(w, 2);
    assert_vs_ok(vs_store_put(w->store, AS_POLICY_TEXTS, vs_str(first.sha256), rego(w, 66), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
    assert_vs_code(change(w, (as_change){.kind = AS_ACTIVATE, .version = 1}, &now), VS_E_MISMATCH);
    assert_span_eq(read_mine(w).text, rego(w, 2));
}

static void a_deletion_half_done_does_not_swallow_a_new_text(void **state)
{
    world *w = *state;
    as_policy_state one = set(w, 1), now;
    vs_error err = {0};
    const char *record = vs_sprintf(&w->a,
                                    "{\"action\":\"delete\",\"sha256\":\"%s\",\"time\":%lld,"
                                    "\"version\":2,\"who\":\"\",\"note\":\"\"}",
                                    one.sha256, (long long)NOW);
    assert_vs_ok(vs_store_put(w->store, NS "_history", VS_LIT("mine/00000002"), vs_str(record), 0,
                              VS_PUT_CREATE, &err),
                 &err);
    assert_vs_code(change(w, (as_change){.text = rego(w, 2), .now = NOW + 59}, &now),
                   VS_E_CONFLICT);
    /* Whoever did it is gone for good. */
    assert_vs_code(change(w, (as_change){.text = rego(w, 2), .now = NOW + 60}, &now), VS_OK);
    assert_int_equal(now.version, 4);
    assert_span_eq(now.text, rego(w, 2));
}

/* Policies can be in a store of their own: the record and the text must be put together. */
static void history_is_where_the_policies_are(void **state)
{
    world *w = *state;
    vs_store *own, *both;
    as_policies *p;
    as_policy_state now;
    vs_error err = {0};
    vs_buf record = VS_BUF(4096);
    assert_vs_ok(vs_store_open_memory(&own, &err), &err);
    const vs_store_route route = {NS, own};
    assert_vs_ok(vs_store_open_routed(w->store, &route, 1, &both, &err), &err);
    assert_vs_ok(as_policies_new(both, NS, NULL, 0, &p, &err), &err);
    const as_change c = {.id = VS_LIT("mine"), .text = rego(w, 1), .now = NOW};
    assert_vs_ok(as_policies_change(p, &c, &w->a, &now, &err), &err);
    assert_int_equal(now.version, 1);
    assert_vs_ok(vs_store_get(own, NS "_history", VS_LIT("mine/00000001"), 0, &record, &err), &err);
    vs_buf_free(&record);
    as_policies_free(&p);
    vs_store_close(&both);
    vs_store_close(&own);
}

/* ---- several replicas -------------------------------------------------------------------------
 */

enum { REPLICAS = 4, EACH = 12 };

typedef struct replica {
    const char *path;
    int number;
    unsigned conflicts;
    pthread_t thread;
} replica;

static void *change_many(void *arg)
{
    replica *r = arg;
    vs_store *store;
    as_policies *p;
    vs_error err = {0};
    vs_arena a;
    vs_arena_init(&a, 0);
    assert_vs_ok(vs_store_open_sqlite(r->path, &store, &err), &err);
    assert_vs_ok(as_policies_new(store, NS, NULL, 0, &p, &err), &err);
    for (int i = 0; i < EACH;) {
        as_policy_state now, after;
        assert_vs_ok(as_policies_read(p, VS_LIT("mine"), &a, &now, &err), &err);
        const char *text = vs_sprintf(&a, "package policy\n# %.*s\nx := %d\n",
                                      VS_FMT(vs_span_head(now.text, 0)), r->number * 1000 + i);
        const as_change c = {.id = VS_LIT("mine"),
                             .text = vs_str(text),
                             .who = VS_LIT("replica"),
                             .if_match = now.exists ? vs_str(now.etag) : (vs_span){NULL, 0},
                             .if_none_match = now.exists ? (vs_span){NULL, 0} : VS_LIT("*"),
                             .now = NOW};
        vs_code code = as_policies_change(p, &c, &a, &after, &err);
        if (code == VS_OK)
            i++;
        else if (code == VS_E_CONFLICT)
            r->conflicts++;
        else
            fail_msg("%s", vs_error_at(&err, 0));
        vs_arena_reset(&a);
    }
    as_policies_free(&p);
    vs_store_close(&store);
    vs_arena_free(&a);
    return NULL;
}

/* hazard 42: of those that saw the same version exactly one changes it. */
static void replicas_do_not_overwrite_each_other(void **state)
{
    (void)state;
    char dir[] = "/tmp/vs-versions-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/s.sqlite", dir);
    replica all[REPLICAS];
    for (int i = 0; i < REPLICAS; i++) {
        all[i] = (replica){.path = path, .number = i};
        assert_int_equal(pthread_create(&all[i].thread, NULL, change_many, &all[i]), 0);
    }
    unsigned conflicts = 0;
    for (int i = 0; i < REPLICAS; i++) {
        assert_int_equal(pthread_join(all[i].thread, NULL), 0);
        conflicts += all[i].conflicts;
    }
    print_message("# %u conflicts\n", conflicts);
    vs_store *store;
    as_policies *p;
    vs_error err = {0};
    vs_arena a;
    vs_val list;
    vs_arena_init(&a, 0);
    assert_vs_ok(vs_store_open_sqlite(path, &store, &err), &err);
    assert_vs_ok(as_policies_new(store, NS, NULL, 0, &p, &err), &err);
    assert_vs_ok(as_policies_history(p, VS_LIT("mine"), &a, &list, &err), &err);
    assert_int_equal(list.len, REPLICAS * EACH); /* nothing lost, nothing "found" */
    for (VS_ARR_FOR (r, list))
        assert_span_is(vs_text(vs_getc(*r, "action")), "set");
    as_policies_free(&p);
    vs_store_close(&store);
    vs_arena_free(&a);
    static const char *const left[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < VS_COUNT(left); i++) {
        char file[80];
        (void)snprintf(file, sizeof file, "%s%s", path, left[i]);
        (void)unlink(file);
    }
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
        T(each_change_is_a_version),
        T(older_versions_come_back),
        T(rolling_back_twice_goes_back_two_steps),
        T(a_deleted_policy_can_be_had_back),
        T(a_text_without_a_record_is_version_0_and_not_lost),
        T(stale_writes_are_refused),
        T(what_is_refused_changes_nothing),
        T(a_changed_text_in_the_store_is_not_taken_for_the_recorded_one),
        T(a_deletion_half_done_does_not_swallow_a_new_text),
        T(history_is_where_the_policies_are),
        cmocka_unit_test(replicas_do_not_overwrite_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
