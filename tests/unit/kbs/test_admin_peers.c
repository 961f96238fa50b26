/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators whom the connection names, and keys that change while the server runs. */
#include "kbs/admin_fixture.h"

/* ---- identities of connections ------------------------------------------------------------------
 */

static vs_code check_connection(fixture *f, const kbs_peer *peer, vs_span bearer, vs_span *who)
{
    const kbs_attempt t = {.bearer = bearer, .peer = *peer, .path = PATH_A, .now = NOW};
    return kbs_admin_check(f->admin, &t, &f->a, who, NULL);
}

static void assert_role(fixture *f, const kbs_peer *peer, const char *who)
{
    vs_span got;
    vs_code code = check_connection(f, peer, VS_LIT(""), &got);
    if (who) {
        assert_vs_code(code, VS_OK);
        assert_span_is(got, who);
    } else {
        assert_vs_code(code, VS_E_DENIED);
    }
}

/* hazard 25: whole names, nothing that begins or ends like one. */
static void a_client_certificate_counts_by_its_whole_name(void **state)
{
    fixture *f = *state;
    static const kbs_mtls_identity ids[] = {
        {.subject = "CN=alice,O=example", .role = "admin"},
        {.san = "URI:spiffe://example/kbs/admin", .role = "admin"},
        {.san = "DNS:reader.example", .role = "reader"},
    };
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_BEARER,
                                 .mtls_identities = ids,
                                 .n_mtls_identities = VS_COUNT(ids),
                                 .acls = &everything,
                                 .n_acls = 1});
    assert_role(f, &(kbs_peer){.subject = VS_LIT("CN=alice,O=example")},
                "admin (CN=alice,O=example)");
    const vs_span uri = VS_LIT("URI:spiffe://example/kbs/admin");
    assert_role(f, &(kbs_peer){.subject = VS_LIT(""), .sans = &uri, .n_sans = 1}, "admin ()");
    static const char *const others[] = {
        "CN=alice,O=example,C=X", "CN=alice,O=exampl",  "xCN=alice,O=example", "CN=alice",
        "cn=alice,o=example",     "O=example,CN=alice", "CN=alice, O=example", ""};
    for (size_t i = 0; i < VS_COUNT(others); i++)
        assert_role(f, &(kbs_peer){.subject = vs_str(others[i])}, NULL);
    static const char *const sans[] = {"URI:spiffe://example/kbs/admin/x",
                                       "URI:spiffe://example/kbs/admi",
                                       "DNS:spiffe://example/kbs/admin",
                                       "spiffe://example/kbs/admin",
                                       "DNS:evil.reader.example",
                                       "DNS:reader.example.evil",
                                       "DNS:reader.example"}; /* a role that may nothing */
    for (size_t i = 0; i < VS_COUNT(sans); i++) {
        const vs_span san = vs_str(sans[i]);
        assert_role(f, &(kbs_peer){.subject = VS_LIT("CN=x"), .sans = &san, .n_sans = 1}, NULL);
    }
    assert_role(f, &(kbs_peer){.sans = &uri, .n_sans = 1}, NULL); /* nothing was verified */
    assert_role(f, &(kbs_peer){.local = true}, NULL);
}

static void a_process_counts_by_its_user_and_group(void **state)
{
    fixture *f = *state;
    static const kbs_unix_identity ids[] = {
        {.user = "4001", .role = "admin"},
        {.group = "4002", .role = "admin"},
        {.user = "4003", .group = "4004", .role = "admin"},
        {.user = "root", .role = "reader"},
    };
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_BEARER,
                                 .unix_identities = ids,
                                 .n_unix_identities = VS_COUNT(ids),
                                 .acls = &everything,
                                 .n_acls = 1});
    assert_role(f, &(kbs_peer){.local = true, .uid = 4001, .gid = 7}, "admin (uid 4001)");
    assert_role(f, &(kbs_peer){.local = true, .uid = 7, .gid = 4002}, "admin (uid 7)");
    assert_role(f, &(kbs_peer){.local = true, .uid = 4003, .gid = 4004}, "admin (uid 4003)");
    const kbs_peer others[] = {{.local = true, .uid = 4003, .gid = 7},
                               {.local = true, .uid = 7, .gid = 4004},
                               {.local = true, .uid = 4002, .gid = 1},
                               {.local = true, .uid = 1, .gid = 4001},
                               {.local = true}, /* root is who the configuration says: a reader */
                               {.uid = 4001, .gid = 4002},
                               {.local = true, .uid = UINT32_MAX, .gid = UINT32_MAX}};
    for (size_t i = 0; i < VS_COUNT(others); i++)
        assert_role(f, &others[i], NULL);
}

/* hazard 35: a claim to be somebody counts only once it is proven, and a wrong one is not mended by
 * another identity. */
static void a_token_that_does_not_count_is_not_made_up_for_by_the_connection(void **state)
{
    fixture *f = *state;
    static const kbs_unix_identity id = {.user = "4001", .role = "admin"};
    const kbs_identity_provider p = {.public_key_uri = write_key(f, "ed.pem", f->ed)};
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_BEARER,
                                 .providers = &p,
                                 .n_providers = 1,
                                 .unix_identities = &id,
                                 .n_unix_identities = 1,
                                 .acls = &everything,
                                 .n_acls = 1});
    const kbs_peer peer = {.local = true, .uid = 4001};
    vs_span who;
    const char *good = "{\"role\":\"admin\",\"exp\":4000000000}";
    assert_vs_code(check_connection(f, &peer, ed_token(f, f->ed, good), &who), VS_OK);
    assert_span_is(who, "admin");
    assert_vs_code(check_connection(f, &peer, ed_token(f, f->stranger, good), &who), VS_E_DENIED);
    assert_vs_code(check_connection(f, &peer, VS_LIT("x"), &who), VS_E_DENIED);
    const char *reader = "{\"role\":\"reader\",\"exp\":4000000000}";
    assert_vs_code(check_connection(f, &peer, ed_token(f, f->ed, reader), &who), VS_E_DENIED);
}

/* hazard 17 */
static void identities_that_are_incomplete_or_unknown_stop_the_start(void **state)
{
    fixture *f = *state;
    static const kbs_unix_identity bad[] = {
        {.role = "admin"},
        {.user = "root"},
        {.user = "root", .role = ""},
        {.user = "", .role = "admin"},
        {.user = "no-such-user-here", .role = "admin"},
        {.group = "no-such-group-here", .role = "admin"},
        {.user = "4294967295", .role = "admin"},
        {.user = "-1", .role = "admin"},
        {.user = "0x0", .role = "admin"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        const kbs_admin_config cfg = {
            .mode = KBS_ADMIN_BEARER, .unix_identities = &bad[i], .n_unix_identities = 1};
        assert_vs_code(start_code(f, &cfg), VS_E_INVALID);
    }
    static const kbs_mtls_identity certs[] = {
        {.role = "admin"},
        {.subject = "CN=x"},
        {.subject = "CN=x", .san = "DNS:x", .role = "admin"},
        {.subject = "", .role = "admin"},
    };
    for (size_t i = 0; i < VS_COUNT(certs); i++) {
        const kbs_admin_config cfg = {
            .mode = KBS_ADMIN_BEARER, .mtls_identities = &certs[i], .n_mtls_identities = 1};
        assert_vs_code(start_code(f, &cfg), VS_E_INVALID);
    }
}

/* hazard 30: a key that came by rotation is bound to its alg as any other. */
static void rotated_keys_are_bound_to_their_algorithm(void **state)
{
    fixture *f = *state;
    static const char claims[] = "{\"role\":\"admin\",\"exp\":4000000000}";
    vs_val jwk;
    vs_error err = {0};
    vs_buf text = VS_BUF(8192);
    const char *path = write_in(f, "set.json", VS_LIT("{\"keys\":[]}"));
    assert_vs_ok(vs_key_to_jwk(&f->a, f->ec, "ES256", &jwk, &err), &err);
    jwk = vs_with(&f->a, jwk, vs_cstring("kid"), vs_cstring("k"));
    vs_buf_puts(&text, "{\"keys\":[");
    vs_json_print(&text, jwk);
    vs_buf_puts(&text, "]}");
    (void)write_in(f, "set.json", vs_buf_span(&text));
    const kbs_identity_provider p = {.jwk_set_uri = path};
    start_bearer(f, &p, 1);
    vs_span old = token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\",\"kid\":\"k\"}", claims);
    accept_token(f, old, "admin");
    vs_buf_clear(&text); /* the same kid is another key now */
    assert_vs_ok(vs_key_to_jwk(&f->a, f->ed, "EdDSA", &jwk, &err), &err);
    vs_buf_puts(&text, "{\"keys\":[");
    vs_json_print(&text, vs_with(&f->a, jwk, vs_cstring("kid"), vs_cstring("k")));
    vs_buf_puts(&text, "]}");
    (void)write_in(f, "set.json", vs_buf_span(&text));
    vs_buf_free(&text);
    kbs_sources_poll(f->sources, 0);
    refuse(f, old, NO_ISSUER);
    accept_token(f, token(f, f->ed, VS_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}", claims),
                 "admin");
    refuse(f, raw_token(f, "{\"alg\":\"none\",\"kid\":\"k\"}", claims, VS_LIT("x")), NO_ISSUER);
    refuse(f, raw_token(f, "{\"alg\":\"HS256\",\"kid\":\"k\"}", claims, VS_LIT("x")), NO_ISSUER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_client_certificate_counts_by_its_whole_name),
        T(a_process_counts_by_its_user_and_group),
        T(a_token_that_does_not_count_is_not_made_up_for_by_the_connection),
        T(identities_that_are_incomplete_or_unknown_stop_the_start),
        T(rotated_keys_are_bound_to_their_algorithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
