/* SPDX-License-Identifier: Apache-2.0 */
/* Files of other versions and for other processes: what is where, and what is refused. */
#include "testing.h"

#include <unistd.h>

#include "base/io.h"

#include "kbs/config.h"
#include "kbs/config_keys.h"

typedef struct fixture {
    vs_arena a;
    vs_error err;
    kbs_config c;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    vs_arena_init(&f->a, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vs_arena_free(&f->a);
    free(f);
    return 0;
}

static vs_code load(fixture *f, const char *text)
{
    char path[] = "/tmp/vs-config-XXXXXX.toml";
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    assert_vs_ok(vs_write_fd(fd, vs_str(text), &f->err), &f->err);
    (void)close(fd);
    f->err = (vs_error){0};
    vs_code code = kbs_config_load(path, &f->a, &f->c, &f->err);
    (void)unlink(path);
    return code;
}

#define HTTP  "[http_server]\ninsecure_http = true\n"
#define ADMIN "[admin]\nauthorization_mode = \"DenyAll\"\n"
#define BASE  HTTP ADMIN

/* kbs.md 12.1: Trustee of then kept its policy in a file, and its people keep that directory. */
static void the_older_dialect_keeps_policy_and_store_where_trustee_had_its_state(void **state)
{
    fixture *f = *state;
    static const char *const old[] = {
        "[admin]\ntype = \"DenyAll\"\n",
        "[admin]\nauth_public_key = \"p.pem\"\n",
        "[admin]\ninsecure_api = true\n",
        "[admin]\ntype = \"Simple\"\n[[admin.personas]]\nid = \"a\"\npublic_key_path = \"p\"\n",
        ADMIN "[attestation_token]\ninsecure_key = true\n",
        ADMIN "[[plugins]]\nname = \"resource\"\ntype = \"LocalFs\"\n",
        ADMIN "[policy_engine]\n",
    };
    for (size_t i = 0; i < VS_COUNT(old); i++) {
        assert_vs_ok(load(f, vs_sprintf(&f->a, HTTP "%s", old[i])), &f->err);
        assert_true(f->c.policy_in_file);
        assert_string_equal(f->c.legacy_policy_path,
                            "/opt/confidential-containers/kbs/policy.rego");
        /* a host that has served such a file before keeps the store that it has */
        assert_string_equal(f->c.storage.path,
                            access("/var/lib/vouchsafe/kbs.sqlite", F_OK) == 0 &&
                                    access(KBS_OLD_STORE, F_OK) != 0
                                ? "/var/lib/vouchsafe/kbs.sqlite"
                                : "/opt/confidential-containers/kbs/vouchsafe.sqlite");
        /* who says where everything is kept gets it there; what was in the file is taken over */
        assert_vs_ok(load(f, vs_sprintf(&f->a,
                                        HTTP "%s[storage_backend]\n"
                                             "backends.sqlite.path = \"/s\"\n",
                                        old[i])),
                     &f->err);
        assert_false(f->c.policy_in_file);
        assert_string_equal(f->c.storage.path, "/s");
        assert_string_equal(f->c.legacy_policy_path,
                            "/opt/confidential-containers/kbs/policy.rego");
    }
    assert_vs_ok(load(f, BASE "[policy_engine]\npolicy_path = \"/p.rego\"\n"), &f->err);
    assert_true(f->c.policy_in_file);
    assert_string_equal(f->c.legacy_policy_path, "/p.rego");
    /* v0.19 and v0.20: some of the names of then, the storage of today */
    assert_vs_ok(load(f, HTTP "[admin]\ntype = \"DenyAll\"\n"
                              "[[plugins]]\nname = \"resource\"\ntype = \"kvstorage\"\n"),
                 &f->err);
    assert_false(f->c.policy_in_file);
    assert_null(f->c.legacy_policy_path);
    assert_string_equal(f->c.storage.path, "/var/lib/vouchsafe/kbs.sqlite");
}

/* ---- what has no effect is refused ----------------------------------------------------------- */

#define AS   BASE "[attestation_service]\n"
#define GRPC AS "type = \"coco_as_grpc\"\n"
#define OWN  AS "type = \"coco_as_builtin\"\n"
#define RVPS OWN "[attestation_service.rvps_config]\n"
#define FAR  RVPS "type = \"GrpcRemote\"\n"

typedef struct bad {
    const char *text, *key, *says;
} bad;

static void check_refused(fixture *f, const bad *rows, size_t n)
{
    char all[VS_ERROR_TEXT];
    for (size_t i = 0; i < n; i++) {
        if (load(f, rows[i].text) != VS_E_INVALID)
            fail_msg("%s -> %s", rows[i].text, vs_code_name(f->err.code));
        (void)vs_error_text(&f->err, all, sizeof all);
        if (!strstr(all, rows[i].key) || !strstr(all, rows[i].says))
            fail_msg("%s -> %s", rows[i].text, all);
    }
}

static void what_makes_a_verifier_strict_is_refused_where_it_is_another_process(void **state)
{
    static const bad rows[] = {
        {GRPC "sample_tee = false\n", "\"attestation_service.sample_tee\" has no effect here",
         "\"attestation_service.type\" is \"coco_as_grpc\""},
        {GRPC "sample_tee = true\n", "sample_tee", "that service (grpc-as)"},
        {GRPC "refuse_sample_reference_values = true\n", "refuse_sample_reference_values",
         "coco_as_grpc"},
        {GRPC "rvps_config.require_signed = true\n", "rvps_config.require_signed", "coco_as_grpc"},
        {GRPC "rvps_config.trust_anchors = []\n", "rvps_config.trust_anchors", "coco_as_grpc"},
        {GRPC "rvps_config.accept_unsigned_attestation_keys = false\n",
         "accept_unsigned_attestation_keys", "coco_as_grpc"},
        {OWN "refuse_sample_reference_values = true\n"
             "[attestation_service.rvps_config]\ntype = \"GrpcRemote\"\n",
         "refuse_sample_reference_values", "that provider (rvps)"},
        {FAR "require_signed = true\n", "rvps_config.require_signed", "is \"GrpcRemote\""},
        {FAR "trust_anchors = [\"a.pem\"]\n", "rvps_config.trust_anchors", "is \"GrpcRemote\""},
        {FAR "accept_unsigned_attestation_keys = false\n", "accept_unsigned_attestation_keys",
         "is \"GrpcRemote\""},
    };
    fixture *f = *state;
    check_refused(f, rows, VS_COUNT(rows));
    assert_vs_ok(load(f, FAR), &f->err);
    assert_vs_ok(load(f, OWN "sample_tee = true\nrefuse_sample_reference_values = true\n"),
                 &f->err);
}

static void a_table_without_its_type_is_refused_and_so_is_anothers_address(void **state)
{
    static const bad rows[] = {
        {AS, "\"attestation_service.type\" is missing", "coco_as_grpc"},
        {AS "timeout = 5\n", "\"attestation_service.type\" is missing", "coco_as_builtin"},
        {AS "as_addr = \"http://as:50004\"\n", "\"attestation_service.as_addr\"",
         "belongs to \"attestation_service.type\" \"coco_as_grpc\""},
        {OWN "as_addr = \"http://as:50004\"\n", "\"attestation_service.as_addr\"",
         "belongs to \"attestation_service.type\" \"coco_as_grpc\""},
        {OWN "client_key_path = \"k\"\n", "client_key_path", "coco_as_grpc"},
        {BASE "[attestation_service.rvps_config]\ntype = \"BuiltIn\"\n",
         "\"attestation_service.type\" is missing", "coco_as_builtin"},
        {RVPS, "\"attestation_service.rvps_config.type\" is missing", "GrpcRemote"},
        {RVPS "address = \"127.0.0.1:50003\"\n", "\"attestation_service.rvps_config.address\"",
         "belongs to \"attestation_service.rvps_config.type\" \"GrpcRemote\""},
        {RVPS "type = \"BuiltIn\"\naddress = \"127.0.0.1:50003\"\n", "rvps_config.address",
         "GrpcRemote"},
    };
    fixture *f = *state;
    check_refused(f, rows, VS_COUNT(rows));
    assert_vs_ok(load(f, BASE), &f->err);
    assert_false(f->c.as.remote || f->c.as.remote_rvps);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void every_older_name_leads_to_one_of_today(void **state)
{
    (void)state;
    size_t n, old = 0;
    const config_key *keys = config_keys(&n);
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (size_t j = 0; keys[i].status == CONFIG_OLD && j < n; j++)
            found |= keys[j].status == CONFIG_CURRENT && strcmp(keys[i].hint, keys[j].path) == 0;
        if (keys[i].status == CONFIG_OLD && !found)
            fail_msg("%s -> %s", keys[i].path, keys[i].hint);
        old += keys[i].status == CONFIG_OLD;
    }
    assert_true(old >= 6);
}

static void a_key_in_the_wrong_table_is_told_its_own(void **state)
{
    static const bad rows[] = {
        {"insecure_http = true\n" BASE, "unknown key \"insecure_http\"",
         "did you mean \"http_server.insecure_http\"?"},
        {AS "insecure_header_jwk = true\n", "in attestation_service",
         "did you mean \"attestation_token.insecure_header_jwk\"?"},
        {BASE "require_signed = true\n", "in admin",
         "did you mean \"attestation_service.rvps_config.require_signed\"?"},
        /* of several tables: none is suggested */
        {BASE "[key_sources]\naudience_ = 1\n", "unknown key", "in key_sources"},
        {"[http_server]\nclient_key_path = 1\n", "unknown key", "in http_server"},
    };
    fixture *f = *state;
    check_refused(f, rows, VS_COUNT(rows));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_older_dialect_keeps_policy_and_store_where_trustee_had_its_state),
        T(what_makes_a_verifier_strict_is_refused_where_it_is_another_process),
        T(a_table_without_its_type_is_refused_and_so_is_anothers_address),
        T(every_older_name_leads_to_one_of_today),
        T(a_key_in_the_wrong_table_is_told_its_own),
    };
    return cmocka_run_group_tests_name("kbs: dialects", tests, NULL, NULL);
}
