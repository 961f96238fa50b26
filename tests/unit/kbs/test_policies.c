/* SPDX-License-Identifier: Apache-2.0 */
/* Administration of policies over the broker: paths, conditions, scopes, tenants. */
#include "kbs/broker.h"

#include "as/policies.h"

static vs_val with(broker *b, const char *name, const char *value)
{
    vs_obj o = {.a = &b->w.a};
    vs_obj_put(&o, name, vs_cstring(value));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static answer admin(broker *b, ask q)
{
    q.bearer = admin_token(b);
    return tell(b, q);
}

static const char *simple(broker *b, const char *allow)
{
    return vs_sprintf(&b->w.a, "package policy\nallow := %s\n", allow);
}

static answer put(broker *b, const char *path, const char *text)
{
    answer r = admin(b, (ask){KBS_PUT, path, .body = vs_str(text)});
    assert_granted(r);
    return r;
}

static void assert_body(answer r, const char *want)
{
    assert_granted(r);
    assert_span_is(r.body, want);
}

static void policies_can_be_read_back(void **state)
{
    static const char *const paths[] = {"attestation-policy/mine_cpu",
                                        "resource-policy/repository/team-a"};
    broker *b = *state;
    for (size_t i = 0; i < VS_COUNT(paths); i++) {
        const char *one = simple(b, "true"), *two = simple(b, "false");
        const char *history = vs_sprintf(&b->w.a, "%s/history", paths[i]);
        const char *activate = vs_sprintf(&b->w.a, "%s/activate", paths[i]);
        assert_int_equal(admin(b, (ask){KBS_GET, paths[i]}).error, KBS_NOT_FOUND);
        assert_int_equal(admin(b, (ask){KBS_GET, history}).error, KBS_NOT_FOUND);
        answer first = admin(b, (ask){KBS_PUT, paths[i], .body = vs_str(one),
                                      .query = with(b, "note", "why \"not\"?")});
        assert_granted(first);
        assert_true(vs_span_starts(vs_str(first.etag), VS_LIT("\"1-")));
        (void)put(b, paths[i], two);
        answer now = admin(b, (ask){KBS_GET, paths[i]});
        assert_body(now, two);
        assert_true(vs_span_starts(vs_str(now.etag), VS_LIT("\"2-")));
        assert_body(admin(b, (ask){KBS_GET, paths[i], .query = with(b, "version", "1")}), one);
        answer h = admin(b, (ask){KBS_GET, history});
        assert_granted(h);
        vs_val list = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(h.body)));
        assert_int_equal(list.len, 2);
        assert_span_is(vs_text(vs_getc(list.u.items[0], "note")), "why \"not\"?");
        assert_span_is(vs_text(vs_getc(list.u.items[0], "who")), "admin");
        assert_granted(admin(b, (ask){KBS_POST, activate, .query = with(b, "version", "1")}));
        assert_body(admin(b, (ask){KBS_GET, paths[i]}), one);
        assert_granted(admin(b, (ask){KBS_POST, vs_sprintf(&b->w.a, "%s/rollback", paths[i])}));
    }
}

static void lists_hold_names(void **state)
{
    broker *b = *state;
    assert_body(admin(b, (ask){KBS_GET, "attestation-policy"}),
                "[\"default_cpu\",\"default_gpu\",\"default_ppcie\",\"default_switch\"]");
    assert_body(admin(b, (ask){KBS_GET, "resource-policy/repository"}), "[]");
    (void)put(b, "resource-policy/repository/b", simple(b, "true"));
    (void)put(b, "resource-policy/repository/a", simple(b, "true"));
    assert_body(admin(b, (ask){KBS_GET, "resource-policy/repository"}), "[\"a\",\"b\"]");
    /* Trustee's own: what is in the namespace. */
    assert_body(admin(b, (ask){KBS_GET, "resource-policy"}),
                "[\"resource-policy\",\"resource-policy/a\",\"resource-policy/b\"]");
}

static void trustees_endpoints_make_versions_and_ignore_conditions(void **state)
{
    broker *b = *state;
    const char *body = policy_body(b, NULL, vs_str(simple(b, "true")));
    assert_body(admin(b, (ask){KBS_POST, "resource-policy", .body = vs_str(body),
                               .if_match = "\"9-x\"", .if_none_match = "*"}),
                "");
    answer r = admin(b, (ask){KBS_GET, "resource-policy/resource-policy"});
    assert_body(r, simple(b, "true"));
    assert_true(vs_span_starts(vs_str(r.etag), VS_LIT("\"2-"))); /* 1: the default, found */
    body = policy_body(b, "default_cpu", vs_str(simple(b, "true")));
    assert_body(admin(b, (ask){KBS_POST, "attestation-policy", .body = vs_str(body)}), "");
    assert_granted(admin(b, (ask){KBS_POST, "attestation-policy/default_cpu/rollback"}));
    answer d = admin(b, (ask){KBS_GET, "attestation-policy/default_cpu"});
    assert_span_eq(d.body, vs_policy_text("default_cpu"));
}

/* hazard 42 */
static void a_stale_write_is_412(void **state)
{
    broker *b = *state;
    const char *path = "resource-policy/repository/team-a";
    answer first = put(b, path, simple(b, "false"));
    assert_granted(
        admin(b, (ask){KBS_PUT, path, .body = vs_str(simple(b, "true")), .if_match = first.etag}));
    const ask stale[] = {
        {KBS_PUT, path, .body = vs_str(simple(b, "false")), .if_match = first.etag},
        {KBS_PUT, path, .body = vs_str(simple(b, "false")), .if_none_match = "*"},
        {KBS_DELETE, path, .if_match = first.etag},
        {KBS_POST, "resource-policy/repository/team-a/rollback", .if_match = first.etag},
        {KBS_POST, "resource-policy/repository/team-a/activate", .if_match = first.etag,
         .query = with(b, "version", "1")},
    };
    for (size_t i = 0; i < VS_COUNT(stale); i++) {
        answer r = admin(b, stale[i]);
        assert_int_equal(r.error, KBS_PRECONDITION_FAILED);
        assert_null(r.etag);
    }
    assert_body(admin(b, (ask){KBS_GET, path}), simple(b, "true"));
}

/* hazard 17: what is unknown or wrong changes nothing and allows nothing. */
static void unknown_names_and_actions_are_refused(void **state)
{
    broker *b = *state;
    (void)put(b, "resource-policy/repository/r", simple(b, "false"));
    const struct {
        ask q;
        kbs_error want;
    } cases[] = {
        {{KBS_GET, "resource-policy/other"}, KBS_NOT_FOUND},
        {{KBS_PUT, "resource-policy/other", .body = vs_str(simple(b, "true"))}, KBS_NOT_FOUND},
        {{KBS_PUT, "resource-policy", .body = vs_str(simple(b, "true"))}, KBS_NOT_FOUND},
        {{KBS_PUT, "resource-policy/repository", .body = vs_str(simple(b, "true"))}, KBS_NOT_FOUND},
        {{KBS_PUT, "resource-policy/repository/.r", .body = vs_str(simple(b, "true"))},
         KBS_INVALID_REQUEST},
        {{KBS_PUT, "resource-policy/repository/r/history", .body = vs_str(simple(b, "true"))},
         KBS_NOT_FOUND},
        {{KBS_PUT, "resource-policy/repository/r", .body = VS_LIT("package policy\nallow :=")},
         KBS_INVALID_REQUEST},
        {{KBS_DELETE, "resource-policy/resource-policy"}, KBS_INVALID_REQUEST},
        {{KBS_DELETE, "attestation-policy/default_cpu"}, KBS_INVALID_REQUEST},
        {{KBS_DELETE, "attestation-policy/none"}, KBS_NOT_FOUND},
        {{KBS_DELETE, "attestation-policy"}, KBS_NOT_FOUND},
        {{KBS_POST, "resource-policy/repository/r/activate"}, KBS_INVALID_REQUEST},
        {{KBS_POST, "resource-policy/repository/r/activate", .query = with(b, "version", "x")},
         KBS_INVALID_REQUEST},
        {{KBS_POST, "resource-policy/repository/r/activate", .query = with(b, "version", "0")},
         KBS_INVALID_REQUEST},
        {{KBS_POST, "resource-policy/repository/r/activate",
          .query = with(b, "version", "4294967297")},
         KBS_INVALID_REQUEST},
        {{KBS_POST, "resource-policy/repository/r/activate", .query = with(b, "version", "2")},
         KBS_NOT_FOUND},
        {{KBS_POST, "resource-policy/repository/r/x/rollback"}, KBS_NOT_FOUND},
        {{KBS_GET, "resource-policy/repository/r/rollback"}, KBS_NOT_FOUND},
        {{KBS_GET, "attestation-policy/default_cpu/history/1"}, KBS_NOT_FOUND},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        answer r = admin(b, cases[i].q);
        if (r.error != cases[i].want)
            fail_msg("case %zu, %s: %s %.*s", i, cases[i].q.path, kbs_error_name(r.error),
                     VS_FMT(r.detail));
    }
    assert_body(admin(b, (ask){KBS_GET, "resource-policy/repository/r"}), simple(b, "false"));
}

/* ---- scopes -----------------------------------------------------------------------------------
 */

static kbs_error fetch(broker *b, vs_span token, const char *path)
{
    return tell(b, (ask){KBS_GET, path, .bearer = token}).error;
}

static void both_policies_must_allow(void **state)
{
    broker *b = *state;
    challenge c;
    put_resource(b, "resource/team-a/k/1", "a");
    put_resource(b, "resource/team-b/k/1", "b");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    vs_span token = attest(b, "sample", &c);
    (void)put(b, "resource-policy/repository/team-a", simple(b, "false"));
    assert_int_equal(fetch(b, token, "resource/team-a/k/1"), KBS_POLICY_DENY);
    assert_int_equal(fetch(b, token, "resource//team-a/k/1"), KBS_POLICY_DENY);
    assert_int_equal(fetch(b, token, "resource/team-b/k/1"), KBS_OK);
    (void)put(b, "resource-policy/repository/team-a",
              "package policy\nallow if data[\"resource-path\"][0] == \"team-a\"\n");
    assert_int_equal(fetch(b, token, "resource/team-a/k/1"), KBS_OK);
    /* A team cannot allow itself what the policy for everything does not. */
    set_resource_policy(b, vs_policy_text("kbs_deny_all"));
    (void)put(b, "resource-policy/repository/team-a", simple(b, "true"));
    assert_int_equal(fetch(b, token, "resource/team-a/k/1"), KBS_POLICY_DENY);
}

/* hazard 17 */
static void a_scoped_policy_that_cannot_answer_denies(void **state)
{
    broker *b = *state;
    challenge c;
    vs_error err = {0};
    put_resource(b, "resource/team-a/k/1", "a");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    vs_span token = attest(b, "sample", &c);
    static const struct {
        const char *text;
        kbs_error want;
    } cases[] = {
        {"package policy\nallow := 1\n", KBS_POLICY_DENY},
        {"package other\nallow := true\n", KBS_POLICY_DENY},
        {"package policy\nallow := {", KBS_POLICY_ENGINE_ERROR},
        {"", KBS_POLICY_ENGINE_ERROR},
        {"package policy\nallow := count(numbers.range(1, 100000000)) > 0\n",
         KBS_POLICY_ENGINE_ERROR},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        assert_vs_ok(vs_store_put(b->w.store, "kbs", VS_LIT("resource-policy/team-a.rego"),
                                  vs_str(cases[i].text), 0, VS_PUT_REPLACE, &err),
                     &err);
        kbs_error got = fetch(b, token, "resource/team-a/k/1");
        if (got != cases[i].want)
            fail_msg("case %zu: %s", i, kbs_error_name(got));
    }
}

/* hazards 25, 33: a tenant's administrator stays within the tenant, however the path is written. */
static void an_administrator_is_confined_to_a_repository(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    kbs *all = b->k, *one = NULL;
    b->acl.allowed_endpoints =
        "^/kbs/v0/(resource/team-a/.+|resource-policy/repository/team-a(/.+)?)$";
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, b->w.as, b->w.rv, &one, &err), &err);
    b->k = one;
    (void)put(b, "resource-policy/repository/team-a", simple(b, "true"));
    assert_granted(admin(b, (ask){KBS_GET, "resource-policy/repository/team-a/history"}));
    put_resource(b, "resource/team-a/k/1", "a");
    static const char *const others[] = {
        "resource-policy/repository/team-ab",
        "resource-policy/repository/team-b",
        "resource-policy/repository/team-a/../team-b",
        "resource-policy//repository/team-b",
        "resource-policy/repository//team-a",
        "resource-policy/repository/team-a/",
        "resource-policy/repository",
        "resource-policy/resource-policy",
        "resource-policy",
        "xresource-policy/repository/team-a",
        "attestation-policy/default_cpu",
        "resource/team-ab/k/1",
        "resource",
    };
    for (size_t i = 0; i < VS_COUNT(others); i++) {
        for (kbs_method m = KBS_GET; m <= KBS_DELETE; m++) {
            kbs_error e = admin(b, (ask){m, others[i], .body = vs_str(simple(b, "true"))}).error;
            if (e == KBS_OK || e == KBS_NOT_FOUND || e == KBS_INVALID_REQUEST)
                fail_msg("%s: %s", others[i], kbs_error_name(e));
        }
    }
    kbs_free(&one);
    b->k = all;
}

/* hazard 24: what comes from a path is encoded, not pasted. */
static void quotes_in_a_path_stay_in_their_place(void **state)
{
    broker *b = *state;
    challenge c;
    set_resource_policy(b, VS_LIT("package policy\nallow if data[\"resource-path\"].admin\n"
                                  "allow if data.query.admin\n"
                                  "allow if count(data[\"resource-path\"]) != 3\n"));
    vs_span token = attest(b, "sample", &c);
    static const char *const paths[] = {"resource/a\",\"admin\":true,\"x\":[\"/b/c",
                                        "resource/a/b/c\"]},\"admin\":true", "resource/a\\/b/c"};
    for (size_t i = 0; i < VS_COUNT(paths); i++)
        assert_int_equal(fetch(b, token, paths[i]), KBS_POLICY_DENY);
}

/* ---- resources --------------------------------------------------------------------------------
 */

static void administrators_see_the_names_of_resources(void **state)
{
    broker *b = *state;
    assert_body(admin(b, (ask){KBS_GET, "resource"}), "[]");
    put_resource(b, "resource/b/k/1", "canary-secret");
    put_resource(b, "resource/a/k/1", "canary-secret");
    assert_body(admin(b, (ask){KBS_GET, "resource"}), "[\"a/k/1\",\"b/k/1\"]");
    challenge c;
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    vs_span token = attest(b, "sample", &c);
    assert_int_equal(tell(b, (ask){KBS_GET, "resource", .bearer = token}).error,
                     KBS_ADMIN_AUTH_INITIALIZATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(policies_can_be_read_back),
        T(lists_hold_names),
        T(trustees_endpoints_make_versions_and_ignore_conditions),
        T(a_stale_write_is_412),
        T(unknown_names_and_actions_are_refused),
        T(both_policies_must_allow),
        T(a_scoped_policy_that_cannot_answer_denies),
        T(an_administrator_is_confined_to_a_repository),
        T(quotes_in_a_path_stay_in_their_place),
        T(administrators_see_the_names_of_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
