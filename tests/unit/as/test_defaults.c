/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a default policy when a later release ships a better one. */
#include "testing.h"

#include <pthread.h>

#include "as/defaults.h"
#include "as/policies.h"
#include "as/versions.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/io.h"
#include "crypto/crypto.h"
#include "value/value.h"

enum { NOW = 1787302800 };

#define ID   VS_LIT("resource-policy")
#define KIND "kbs_default"

typedef struct fixture {
    vs_store *store;
    as_policies *p;
    vs_arena a;
    vs_span old; /* a default of an earlier release */
} fixture;

static vs_span file(fixture *f, const char *name)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    vs_error err = {0};
    const char *path = vs_sprintf(&f->a, VS_EARLIER_DIR "/%s.rego", name);
    assert_vs_ok(vs_read_file(path, &text, &err), &err);
    return vs_dup(&f->a, vs_buf_span(&text));
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    vs_error err = {0};
    assert_non_null(f);
    vs_arena_init(&f->a, 0);
    assert_vs_ok(vs_store_open_memory(&f->store, &err), &err);
    assert_vs_ok(as_policies_new(f->store, "kbs", NULL, 0, &f->p, &err), &err);
    f->old = file(f, KIND);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    as_policies_free(&f->p);
    vs_store_close(&f->store);
    vs_arena_free(&f->a);
    free(f);
    return 0;
}

static void install(fixture *f)
{
    vs_error err = {0};
    assert_vs_ok(as_default_install(f->p, ID, KIND, NOW, NULL, &err), &err);
}

/* As the first start of an earlier release, Trustee, or somebody with access to the store does. */
static void put(fixture *f, vs_span text)
{
    vs_error err = {0};
    assert_vs_ok(vs_store_put(f->store, "kbs", VS_LIT("resource-policy.rego"), text, 0,
                              VS_PUT_REPLACE, &err),
                 &err);
}

static as_policy_state change(fixture *f, as_change c)
{
    vs_error err = {0};
    as_policy_state now;
    c.id = ID;
    c.now = NOW;
    c.who = c.who.p ? c.who : VS_LIT("alice");
    assert_vs_ok(as_policies_change(f->p, &c, &f->a, &now, &err), &err);
    return now;
}

static vs_span in_force(fixture *f)
{
    vs_error err = {0};
    as_policy_state now;
    assert_vs_ok(as_policies_read(f->p, ID, &f->a, &now, &err), &err);
    return now.exists ? now.text : VS_LIT("none");
}

static vs_val history(fixture *f)
{
    vs_error err = {0};
    vs_val list;
    assert_vs_ok(as_policies_history(f->p, ID, &f->a, &list, &err), &err);
    return list;
}

static as_default_state looked_at(fixture *f)
{
    vs_error err = {0};
    as_default found;
    assert_vs_ok(as_default_look(f->p, ID, KIND, &f->a, &found, &err), &err);
    bool old = found.state == AS_DEFAULT_OLD || found.state == AS_DEFAULT_OLD_CHOSEN;
    assert_int_equal(found.lacks != NULL, old);
    return found.state;
}

static vs_span shipped(void)
{
    return vs_policy_text(KIND);
}

/* ---- the table ---------------------------------------------------------------------------------
 */

/* A text that changes leaves its digest in the table of as/defaults.c, or stores that have it would
 * keep it without a word. */
static void the_digest_of_every_default_is_known(void **state)
{
    static const struct {
        const char *name, *sha256;
    } now[] = {
        {"default_cpu", "b5b1b34e8c4e0c71892a41bbd97629dde3168f4c9df25c555d66c31a4356899c"},
        {"default_gpu", "5378a549d5686bb4b1fee78a6a1a8afbe4ceb6e057725008d55a435dbffacfd4"},
        {"default_ppcie", "0fc1b795ef250536f8bb365a037fc24de145ff667e3e4ce92151ee0a59b679aa"},
        {"default_switch", "cb47f8a9758c6c31ad7a9787cfec1990f11f2888e9a9a6ea33c611c761014147"},
        {"kbs_default", "a4eed77c8db0d3e38fea191f29e985df330a5145bf76c8da62cd0a5dcc689310"}};
    fixture *f = *state;
    for (size_t i = 0; i < VS_COUNT(now); i++) {
        uint8_t md[VS_HASH_MAX];
        vs_span text = vs_policy_text(now[i].name);
        assert_vs_code(vs_digest(VS_SHA256, text, VS_LIT(""), VS_LIT(""), md, NULL), VS_OK);
        vs_span hex = vs_hex_encode_arena(&f->a, vs_span_of(md, 32));
        if (!vs_span_is(hex, now[i].sha256))
            fail_msg("policies/%s.rego has changed: put %s into the table of src/as/defaults.c, "
                     "and %.*s here",
                     now[i].name, now[i].sha256, VS_FMT(hex));
        assert_null(as_default_lacks(now[i].name, hex));
    }
}

static void earlier_defaults_are_known_by_their_own_name_only(void **state)
{
    (void)state;
    static const char kbs[] = "0a55e95b0c9811cb1660539e403a3c621abcb81d6582389801d90dcee5f8bd54";
    static const char *const cpu[] = {
        "10f0e2ea2c284982a77c1b0d566966350f0cede09b9cd0a287de63114f0115a5",
        "8156b869d8128e5f83229542b3181a131b3e2b84444ef99c9b5c72292c3a4449",
        "b04558d97ce4e46959294383ccfa950143d6db6244fabe962f177306c894a908",
        "d74f8e7d53576ebe58f119f63e1bee829985e959f812cda8e31dc8a071f48b7a",
        "6b11d78ca54fe85c3144c49978f108a1c6e61f022f11b84bc9fc65018075b1db"};
    assert_non_null(as_default_lacks("kbs_default", vs_str(kbs)));
    assert_null(as_default_lacks("default_cpu", vs_str(kbs)));
    for (size_t i = 0; i < VS_COUNT(cpu); i++) {
        assert_non_null(as_default_lacks("default_cpu", vs_str(cpu[i])));
        assert_null(as_default_lacks("kbs_default", vs_str(cpu[i])));
        assert_null(as_default_lacks("default_cpu", vs_span_head(vs_str(cpu[i]), 63)));
    }
}

/* ---- what nobody has chosen --------------------------------------------------------------------
 */

static void a_missing_default_is_stored(void **state)
{
    fixture *f = *state;
    assert_int_equal(looked_at(f), AS_DEFAULT_MISSING);
    install(f);
    assert_span_eq(in_force(f), shipped());
    assert_int_equal(looked_at(f), AS_DEFAULT_CURRENT);
    install(f);
    assert_int_equal(history(f).len, 0);
}

static void an_old_default_that_nobody_has_chosen_is_replaced(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    vs_span text;
    put(f, f->old);
    assert_int_equal(looked_at(f), AS_DEFAULT_OLD);
    install(f);
    assert_span_eq(in_force(f), shipped());
    vs_val list = history(f);
    assert_int_equal(list.len, 2);
    assert_span_is(vs_text(vs_getc(list.u.items[0], "action")), "found");
    assert_span_is(vs_text(vs_getc(list.u.items[1], "action")), "upgrade");
    assert_span_is(vs_text(vs_getc(list.u.items[1], "who")), "vouchsafe " VS_VERSION);
    assert_non_null(
        strstr(vs_sprintf(&f->a, "%.*s", VS_FMT(vs_text(vs_getc(list.u.items[1], "note")))),
               "made in software"));
    assert_vs_ok(as_policies_read_version(f->p, ID, 1, &f->a, &text, &err), &err);
    assert_span_eq(text, f->old); /* it can be had back */
    install(f);
    assert_int_equal(history(f).len, 2);
}

/* What a release has put there itself is nobody's choice in the next one either. */
static void a_replaced_default_is_replaced_again(void **state)
{
    fixture *f = *state;
    put(f, shipped());
    (void)change(f, (as_change){.kind = AS_SET, .action = "upgrade", .text = f->old});
    assert_int_equal(looked_at(f), AS_DEFAULT_OLD);
    install(f);
    assert_span_eq(in_force(f), shipped());
}

/* ---- what somebody has chosen ------------------------------------------------------------------
 */

static void assert_stays(fixture *f, as_default_state state)
{
    vs_span before = in_force(f);
    uint32_t records = history(f).len;
    assert_int_equal(looked_at(f), state);
    install(f);
    assert_span_eq(in_force(f), before);
    assert_int_equal(history(f).len, records);
    assert_int_equal(looked_at(f), state);
}

static void a_policy_of_somebodys_own_stays(void **state)
{
    fixture *f = *state;
    put(f, VS_LIT("package policy\n"));
    assert_stays(f, AS_DEFAULT_OTHER);
    put(f, vs_str(vs_sprintf(&f->a, "%.*s\n", VS_FMT(f->old)))); /* a blank line more */
    assert_stays(f, AS_DEFAULT_OTHER);
    put(f, VS_LIT(""));
    assert_stays(f, AS_DEFAULT_OTHER);
}

static void an_old_default_that_was_set_stays(void **state)
{
    fixture *f = *state;
    (void)change(f, (as_change){.kind = AS_SET, .text = f->old});
    assert_stays(f, AS_DEFAULT_OLD_CHOSEN);
}

static void an_old_default_that_was_gone_back_to_stays(void **state)
{
    fixture *f = *state;
    put(f, f->old);
    install(f);
    (void)change(f, (as_change){.kind = AS_ROLL_BACK});
    assert_span_eq(in_force(f), f->old);
    assert_stays(f, AS_DEFAULT_OLD_CHOSEN);
    (void)change(f, (as_change){.kind = AS_ACTIVATE, .version = 2});
    assert_int_equal(looked_at(f), AS_DEFAULT_CURRENT);
    (void)change(f, (as_change){.kind = AS_ACTIVATE, .version = 1});
    assert_stays(f, AS_DEFAULT_OLD_CHOSEN);
}

/* Who acts cannot pass for the release: what decides is what was done. */
static void nobody_passes_for_the_release(void **state)
{
    fixture *f = *state;
    (void)change(
        f, (as_change){.kind = AS_SET, .text = f->old, .who = VS_LIT("vouchsafe " VS_VERSION)});
    assert_stays(f, AS_DEFAULT_OLD_CHOSEN);
}

static void an_old_default_written_over_a_history_stays(void **state)
{
    fixture *f = *state;
    (void)change(f, (as_change){.kind = AS_SET, .text = VS_LIT("package policy\n")});
    put(f, f->old);
    assert_stays(f, AS_DEFAULT_OLD_CHOSEN);
}

/* A history that cannot be read is no reason not to start. */
static void a_broken_history_changes_nothing(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    put(f, f->old);
    assert_vs_ok(vs_store_put(f->store, "kbs_history", VS_LIT("resource-policy/00000001"),
                              VS_LIT("{"), 0, VS_PUT_REPLACE, &err),
                 &err);
    install(f);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    assert_vs_ok(vs_store_get(f->store, "kbs", VS_LIT("resource-policy.rego"), 0, &text, &err),
                 &err);
    assert_span_eq(vs_buf_span(&text), f->old);
}

/* ---- at once -----------------------------------------------------------------------------------
 */

static void *install_one(void *user)
{
    fixture *f = user;
    return as_default_install(f->p, ID, KIND, NOW, NULL, NULL) == VS_OK ? f : NULL;
}

static void replicas_that_start_together_replace_it_once(void **state)
{
    fixture *f = *state;
    enum { REPLICAS = 4 };
    pthread_t t[REPLICAS];
    put(f, f->old);
    for (int i = 0; i < REPLICAS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, install_one, f), 0);
    for (int i = 0; i < REPLICAS; i++) {
        void *worked = NULL;
        (void)pthread_join(t[i], &worked);
        assert_non_null(worked);
    }
    assert_span_eq(in_force(f), shipped());
    assert_int_equal(history(f).len, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_digest_of_every_default_is_known),
        T(earlier_defaults_are_known_by_their_own_name_only),
        T(a_missing_default_is_stored),
        T(an_old_default_that_nobody_has_chosen_is_replaced),
        T(a_replaced_default_is_replaced_again),
        T(a_policy_of_somebodys_own_stays),
        T(an_old_default_that_was_set_stays),
        T(an_old_default_that_was_gone_back_to_stays),
        T(nobody_passes_for_the_release),
        T(an_old_default_written_over_a_history_stays),
        T(a_broken_history_changes_nothing),
        T(replicas_that_start_together_replace_it_once),
    };
    return cmocka_run_group_tests_name("default policies over releases", tests, NULL, NULL);
}
