/* SPDX-License-Identifier: Apache-2.0 */
#include "as/as_fixture.h"

#include "as/internal.h"

static vs_code init_data(world *w, as_init_kind kind, vs_span init, vs_span *digest, vs_val *claims)
{
    const as_request req = {.init_kind = kind, .init = init};
    return as_init_data(&req, &w->a, digest, claims, NULL);
}

static void digest_and_claims_of_the_reference_document(void **state)
{
    world *w = *state;
    need_shared("data/ear/initdata.toml");
    vs_buf toml = VS_BUF(4096), expected = VS_BUF(1 << 20);
    read_shared("data/ear/initdata.toml", &toml);
    read_shared("data/ear/ear-cca-affirming.json", &expected);
    vs_val want = json(w, (const char *)expected.p);
    vs_val ev = at(want, "/payload/submods/cpu0/ear.veraison.annotated-evidence");
    vs_span digest;
    vs_val claims;
    assert_int_equal(init_data(w, AS_INIT_TOML, vs_buf_span(&toml), &digest, &claims), VS_OK);
    assert_span_eq(vs_hex_encode_arena(&w->a, digest), vs_text(vs_getc(ev, "init_data")));
    assert_true(vs_eq(claims, vs_getc(ev, "init_data_claims")));
    vs_buf_free(&toml);
    vs_buf_free(&expected);
}

static void known_files_become_values_and_others_stay_text(void **state)
{
    world *w = *state;
    vs_span digest;
    vs_val claims;
    static const char doc[] = "version = '0.1.0'\n"
                              "algorithm = 'sha384'\n"
                              "[data]\n"
                              "'aa.toml' = '''a = 1'''\n"
                              "'cdh.toml' = '''not = = toml'''\n"
                              "'other' = '''b = 2'''\n"
                              "'policy.rego' = '''\n"
                              "package p\n"
                              "policy_data := {\"containers\": []} \n"
                              "'''\n";
    assert_int_equal(init_data(w, AS_INIT_TOML, vs_str(doc), &digest, &claims), VS_OK);
    assert_int_equal(digest.n, 48);
    assert_json_eq(w, claims,
                   "{'aa.toml': {'a': 1}, 'cdh.toml': 'not = = toml', 'other': 'b = 2', "
                   "'agent_policy_claims': {'containers': []}}");
}

static void agent_policy_with_something_after_its_data_stays_text(void **state)
{
    world *w = *state;
    vs_span digest;
    vs_val claims;
    static const char doc[] = "version = '0'\nalgorithm = 'sha256'\n[data]\n"
                              "'policy.rego' = '''policy_data := {}\nallow := true'''\n";
    assert_int_equal(init_data(w, AS_INIT_TOML, vs_str(doc), &digest, &claims), VS_OK);
    assert_json_eq(w, claims, "{'policy.rego': 'policy_data := {}\\nallow := true'}");
}

static void documents_without_what_is_required_are_refused(void **state)
{
    world *w = *state;
    static const char *const bad[] = {
        "",
        "not toml",
        "algorithm = 'sha256'\n[data]\n",
        "version = '0'\n[data]\n",
        "version = '0'\nalgorithm = 'sha256'\n",
        "version = '0'\nalgorithm = 'md5'\n[data]\n",
        "version = '0'\nalgorithm = 'sha1'\n[data]\n",
        "version = '0'\nalgorithm = 'SHA256'\n[data]\n",
        "version = '0'\nalgorithm = 'Sha384'\n[data]\n",
        "version = '0'\nalgorithm = 'sha-384'\n[data]\n",
        "version = '0'\nalgorithm = 'sha256 '\n[data]\n",
        "version = '0'\nalgorithm = ''\n[data]\n",
        "version = 0\nalgorithm = 'sha256'\n[data]\n",
        "version = '0'\nalgorithm = 'sha256'\ndata = 'x'\n",
        "version = '0'\nalgorithm = 'sha256'\n[data]\nx = 1\n",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_span digest;
        vs_val claims;
        if (init_data(w, AS_INIT_TOML, vs_str(bad[i]), &digest, &claims) == VS_OK)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void a_digest_is_taken_as_it_is_but_not_empty(void **state)
{
    world *w = *state;
    vs_span digest;
    vs_val claims;
    assert_int_equal(init_data(w, AS_INIT_DIGEST, VS_LIT("abc"), &digest, &claims), VS_OK);
    assert_span_is(digest, "abc");
    assert_int_equal(claims.kind, VS_NULL);
    assert_int_not_equal(init_data(w, AS_INIT_DIGEST, VS_LIT(""), &digest, &claims), VS_OK);
    assert_int_equal(init_data(w, AS_INIT_NONE, VS_LIT(""), &digest, &claims), VS_OK);
    assert_null(digest.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_and_claims_of_the_reference_document),
        cmocka_unit_test(known_files_become_values_and_others_stay_text),
        cmocka_unit_test(agent_policy_with_something_after_its_data_stays_text),
        cmocka_unit_test(documents_without_what_is_required_are_refused),
        cmocka_unit_test(a_digest_is_taken_as_it_is_but_not_empty),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
