/* SPDX-License-Identifier: Apache-2.0 */
/* [attestation_token]: what is read at start, and what stops the start. */
#include "as/as_fixture.h"

#include "kbs/internal.h"

static kbs_sources *all_sources; /* of the latest test */

static const char *write_temp(world *w, const char *text)
{
    vs_error err = {0};
    char path[] = "/tmp/vs-trust-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_vs_ok(vs_write_fd(fd, vs_str(text), &err), &err);
    (void)close(fd);
    return vs_sprintf(&w->a, "%s", path);
}

#define GOOD                                                                                       \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"kid\":\"k1\",\"x\":"                    \
    "\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\",\"y\":"                                       \
    "\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}"

static vs_code trust_load(kbs_trust *t, const kbs_config *cfg, const as_service *as, vs_error *err)
{
    kbs_sources_free(&all_sources);
    assert_vs_ok(kbs_sources_new(&(kbs_sources_config){0}, &all_sources, err), err);
    return kbs_trust_load(t, cfg, all_sources, as, err);
}

static vs_code load(const char *const *sets, size_t n, kbs_trust *t)
{
    const kbs_config cfg = {.trusted_jwk_sets = sets, .n_trusted_jwk_sets = n};
    *t = (kbs_trust){0};
    return trust_load(t, &cfg, NULL, NULL);
}

static void usable_keys_of_a_set_are_taken_and_others_passed_over(void **state)
{
    world *w = *state;
    kbs_trust t;
    const char *path = write_temp(
        w, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"s\",\"alg\":\"HS256\"}," GOOD
           ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"no-alg\",\"x\":"
           "\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\",\"y\":"
           "\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"},{}]}");
    const char *url = vs_sprintf(&w->a, "file://%s", path);
    const char *const sets[] = {path, url};
    assert_vs_code(load(sets, 2, &t), VS_OK);
    assert_int_equal(t.n_sources, 2);
    for (size_t i = 0; i < 2; i++) {
        kbs_keys *keys = kbs_source_keys(t.sources[i]);
        assert_int_equal(keys->n, 1);
        assert_string_equal(keys->items[0].kid, "k1");
        assert_int_equal(keys->items[0].alg, VS_ES256);
        kbs_keys_unref(&keys);
    }
    kbs_trust_free(&t);
    (void)unlink(path);
}

static void what_cannot_be_read_stops_the_start(void **state)
{
    world *w = *state;
    kbs_trust t;
    const char *const contents[] = {"", "{}", "{\"keys\":{}}", "{\"keys\":[]}", "not json"};
    for (size_t i = 0; i < VS_COUNT(contents); i++) {
        const char *path = write_temp(w, contents[i]);
        assert_int_not_equal(load(&path, 1, &t), VS_OK);
        kbs_trust_free(&t);
        (void)unlink(path);
    }
    static const char *const sources[] = {"/nonexistent/jwks.json", "http://localhost/jwks.json",
                                          "https://localhost/jwks.json"};
    for (size_t i = 0; i < VS_COUNT(sources); i++) {
        assert_int_not_equal(load(&sources[i], 1, &t), VS_OK);
        kbs_trust_free(&t);
    }
}

static void a_broker_that_trusts_nothing_does_not_start(void **state)
{
    world *w = *state;
    kbs_config cfg = {0};
    kbs_trust t = {0};
    assert_vs_code(trust_load(&t, &cfg, NULL, NULL), VS_E_INVALID);
    kbs_trust_free(&t);
    cfg.insecure_header_jwk = true;
    t = (kbs_trust){0};
    assert_vs_code(trust_load(&t, &cfg, NULL, NULL), VS_OK);
    kbs_trust_free(&t);
    cfg.insecure_header_jwk = false;
    t = (kbs_trust){0};
    assert_vs_code(trust_load(&t, &cfg, w->as, NULL), VS_OK); /* its own service counts */
    assert_non_null(t.own);
    kbs_trust_free(&t);
}

static void certificates_of_several_files_are_all_trusted(void **state)
{
    (void)state;
    need_shared("data/ear/as-ca.pem");
    kbs_trust t = {0};
    char *ca = strdup(shared_path("data/ear/as-ca.pem"));
    char *more = strdup(shared_path("data/kbs/jwk-endorsement/scenario06-trust.pem"));
    const char *const paths[] = {ca, more};
    const kbs_config cfg = {.trusted_certs_paths = paths, .n_trusted_certs = 2};
    vs_error err = {0};
    assert_vs_ok(trust_load(&t, &cfg, NULL, &err), &err);
    assert_true(vs_certs_count(t.anchors) > 2);
    kbs_trust_free(&t);
    static const char *const missing[] = {"/nonexistent/ca.pem"};
    const kbs_config bad = {.trusted_certs_paths = missing, .n_trusted_certs = 1};
    t = (kbs_trust){0};
    assert_int_not_equal(trust_load(&t, &bad, NULL, NULL), VS_OK);
    kbs_trust_free(&t);
    free(ca);
    free(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usable_keys_of_a_set_are_taken_and_others_passed_over),
        cmocka_unit_test(what_cannot_be_read_stops_the_start),
        cmocka_unit_test(a_broker_that_trusts_nothing_does_not_start),
        cmocka_unit_test(certificates_of_several_files_are_all_trusted),
    };
    int failed = cmocka_run_group_tests(tests, world_setup, world_teardown);
    kbs_sources_free(&all_sources);
    return failed;
}
