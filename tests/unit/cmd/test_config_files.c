/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration files of grpc-as, restful-as and rvps. */
#include "testing.h"

#include "cmd/config_as.h"
#include "cmd/config_rvps.h"
#include "value/json.h"

typedef struct fixture {
    vs_arena a;
    vs_error err;
    as_file as;
    rvps_file rvps;
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

static vs_val parse(fixture *f, const char *text)
{
    vs_val v;
    assert_vs_ok(vs_json_parse(&f->a, vs_str(text), NULL, &v, &f->err), &f->err);
    return v;
}

static vs_code as(fixture *f, const char *text)
{
    return as_file_read(parse(f, text), &f->a, &f->as, &f->err);
}

static vs_code rvps_(fixture *f, const char *text)
{
    return rvps_file_read(parse(f, text), &f->a, &f->rvps, &f->err);
}

static void assert_error(fixture *f, const char *says)
{
    char all[VS_ERROR_TEXT];
    if (!strstr(vs_error_text(&f->err, all, sizeof all), says))
        fail_msg("want %s, got %s", says, all);
}

/* ---- attestation service --------------------------------------------------------------------- */

static void defaults_of_the_service(void **state)
{
    fixture *f = *state;
    assert_vs_ok(as_file_load(NULL, &f->a, &f->as, &f->err), &f->err);
    const verifier_config *v = &f->as.verifier;
    assert_false(v->remote || v->remote_rvps || v->sample_tee || v->refuse_sample_values);
    assert_false(v->as.terse_token);
    assert_int_equal(v->as.duration_min, 5);
    assert_string_equal(v->as.issuer_name, "CoCo-Attestation-Service");
    assert_string_equal(v->as.developer_name, "https://confidentialcontainers.org");
    assert_string_equal(v->as.build_name, "attestation-service 0.1.0");
    assert_string_equal(v->as.profile_name, "tag:github.com,2024:confidential-containers/Trustee");
    assert_null(v->as.signer_key_path);
    assert_string_equal(v->cca_config_path,
                        "/opt/confidential-containers/attestation-service/cca/config.json");
    assert_int_equal(f->as.storage.type, STORE_SQLITE);
    assert_string_equal(f->as.storage.path, "/var/lib/vouchsafe/as.sqlite");
    assert_false(f->as.values_elsewhere);
}

static void todays_service_file_is_read_whole(void **state)
{
    fixture *f = *state;
    assert_vs_ok(
        as(f, "{\"rvps_config\":{\"type\":\"BuiltIn\",\"storage_type\":\"LocalJson\","
              "\"extractors\":{\"swid_extractor\":{}}},"
              "\"attestation_token_broker\":{\"duration_min\":30,\"issuer_name\":\"i\","
              "\"developer_name\":\"d\",\"build_name\":\"b\",\"profile_name\":\"p\","
              "\"verbose_token\":false,"
              "\"signer\":{\"key_path\":\"k\",\"cert_path\":\"c\",\"cert_url\":\"u\"}},"
              "\"storage_backend\":{\"storage_type\":\"LocalFs\",\"backends\":{"
              "\"local_fs\":{\"dir_path\":\"/fs\"},\"local_json\":{\"file_dir_path\":\"/json\"}}},"
              "\"verifier_config\":{\"snp_verifier\":{}}}"),
        &f->err);
    const as_config *c = &f->as.verifier.as;
    assert_int_equal(c->duration_min, 30);
    assert_string_equal(c->issuer_name, "i");
    assert_string_equal(c->developer_name, "d");
    assert_string_equal(c->build_name, "b");
    assert_string_equal(c->profile_name, "p");
    assert_true(c->terse_token);
    assert_string_equal(c->signer_key_path, "k");
    assert_string_equal(c->signer_cert_path, "c");
    assert_string_equal(c->signer_cert_url, "u");
    assert_int_equal(f->as.storage.type, STORE_LOCALFS);
    assert_string_equal(f->as.storage.path, "/fs");
    assert_true(f->as.values_elsewhere);
    assert_int_equal(f->as.values.type, STORE_LOCALJSON);
    assert_string_equal(f->as.values.path, "/json");
}

static void check_trust(const config_trust *t)
{
    assert_int_equal(t->n_anchors, 1);
    assert_string_equal(t->anchors[0], "/a");
    assert_int_equal(t->n_restricted, 2);
    assert_string_equal(t->restricted[0].path, "/b");
    assert_int_equal(t->restricted[0].n_may, 2);
    assert_string_equal(t->restricted[0].may[1], "platform");
    assert_string_equal(t->restricted[1].path, "/c");
    assert_int_equal(t->restricted[1].n_may, 0); /* what that means: server_read_anchors */
    assert_int_equal(t->n_crls, 1);
    assert_string_equal(t->crls[0], "/r");
}

#define TRUST                                                                                      \
    "\"trust_anchors\":[\"/a\"],\"restricted_anchors\":[{\"path\":\"/b\",\"may\":[\"realm\","      \
    "\"platform\"]},{\"path\":\"/c\"}],\"crls\":[\"/r\"]"
static void a_provider_is_told_whom_to_believe(void **state)
{
    fixture *f = *state;
    assert_vs_ok(as(f, "{\"rvps_config\":{\"type\":\"BuiltIn\"," TRUST "}}"), &f->err);
    check_trust(&f->as.verifier.trust);
    assert_vs_ok(rvps_(f, "{" TRUST "}"), &f->err);
    check_trust(&f->rvps.trust);
    assert_vs_code(rvps_(f, "{\"restricted_anchors\":[{\"path\":\"/b\",\"might\":[]}]}"),
                   VS_E_INVALID);
}

static void verifiers_are_told_where_endorsements_are(void **state)
{
    fixture *f = *state;
    assert_vs_ok(as_file_load(NULL, &f->a, &f->as, &f->err), &f->err);
    const config_verifier *t = &f->as.verifier.tees;
    assert_int_equal(t->n_vcek_sources, 0);
    assert_null(t->collateral_service);
    assert_int_equal(t->standard_tcb, 0);
    assert_vs_ok(as(f, "{\"verifier_config\":{\"snp_verifier\":{\"vcek_sources\":["
                       "{\"type\":\"KDS\",\"base_url\":\"https://kds.example\"},"
                       "{\"type\":\"OfflineStore\"},{\"type\":\"OfflineStore\",\"path\":\"/"
                       "vceks\"}],\"crls\":[\"/m.crl\",\"/g.crl\"]},"
                       "\"dcap_verifier\":{\"collateral_service\":\"file:///c.json\","
                       "\"tcb_update_type\":\"standard\",\"use_secure_cert\":true},"
                       "\"tpm_verifier\":{},\"nvidia_verifier\":{\"type\":\"Local\"}}}"),
                 &f->err);
    assert_int_equal(t->n_vcek_sources, 3);
    assert_int_equal(t->vcek_sources[0].type, CONFIG_VCEK_KDS);
    assert_int_equal(t->vcek_sources[1].type, CONFIG_VCEK_STORE);
    assert_string_equal(t->vcek_sources[1].path,
                        "/opt/confidential-containers/attestation-service/kds-store");
    assert_string_equal(t->vcek_sources[2].path, "/vceks");
    assert_int_equal(t->n_snp_crls, 2);
    assert_string_equal(t->snp_crls[1], "/g.crl");
    assert_string_equal(config_file_of_url(t->collateral_service), "/c.json");
    assert_int_equal(t->standard_tcb, 1);
    assert_null(config_file_of_url("https://api.trustedservices.intel.com/"));
    assert_null(config_file_of_url(NULL));
    assert_vs_code(as(f, "{\"verifier_config\":{\"snp_verifier\":{\"vcek_sources\":["
                         "{\"type\":\"Elsewhere\"}]}}}"),
                   VS_E_INVALID);
    assert_vs_code(as(f, "{\"verifier_config\":{\"dcap_verifier\":{"
                         "\"tcb_update_type\":\"later\"}}}"),
                   VS_E_INVALID);
}

static void the_learning_paths_service_file_is_read(void **state)
{
    fixture *f = *state;
    assert_vs_ok(as(f,
                    "{\"work_dir\":\"/opt/w\",\"policy_engine\":\"opa\","
                    "\"rvps_config\":{\"type\":\"GrpcRemote\",\"address\":\"http://rvps:50003\"},"
                    "\"attestation_token_broker\":{\"type\":\"Ear\",\"duration_min\":30,"
                    "\"policy_dir\":\"/opt/p\"}}"),
                 &f->err);
    assert_true(f->as.verifier.remote_rvps);
    assert_string_equal(f->as.verifier.provider.address, "http://rvps:50003");
    assert_int_equal(f->as.verifier.as.duration_min, 30);
    assert_vs_ok(as(f, "{\"rvps_config\":{\"type\":\"GrpcRemote\"}}"), &f->err);
    assert_string_equal(f->as.verifier.provider.address, "127.0.0.1:50003");
}

#define REMOTE "{\"rvps_config\":{\"type\":\"GrpcRemote\""

static void wrong_service_files_are_refused_by_key(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text;
        vs_code code;
        const char *says;
    } v[] = {
        {"[]", VS_E_INVALID, "must hold an object"},
        {"{\"rvps_confg\":{}}", VS_E_INVALID, "did you mean \"rvps_config\"?"},
        {"{\"rvps_config\":{\"adress\":\"x\"}}", VS_E_INVALID,
         "in rvps_config: did you mean \"rvps_config.address\"?"},
        {"{\"completely_different\":1}", VS_E_INVALID, "unknown key \"completely_different\""},
        {"{\"rvps_config\":[]}", VS_E_INVALID, "\"rvps_config\" must be a table"},
        {"{\"rvps_config\":{\"type\":\"Remote\"}}", VS_E_INVALID, "\"BuiltIn\", \"GrpcRemote\""},
        {"{\"rvps_config\":{}}", VS_E_INVALID, "\"rvps_config.type\" is missing"},
        {"{\"rvps_config\":{\"address\":\"x\"}}", VS_E_INVALID,
         "\"rvps_config.address\" has no effect here: it belongs to \"rvps_config.type\" "
         "\"GrpcRemote\""},
        {"{\"rvps_config\":{\"type\":\"BuiltIn\",\"address\":\"x\"}}", VS_E_INVALID,
         "it belongs to \"rvps_config.type\" \"GrpcRemote\""},
        {"{\"rvps_config\":{\"type\":\"BuiltIn\",\"client_key_path\":\"x\"}}", VS_E_INVALID,
         "it belongs to \"rvps_config.type\" \"GrpcRemote\""},
        /* what makes a service strict is of the process that takes the values */
        {REMOTE ",\"require_signed\":true}}", VS_E_INVALID,
         "\"rvps_config.require_signed\" has no effect here: rvps_config.type is \"GrpcRemote\""},
        {REMOTE ",\"require_signed\":false}}", VS_E_INVALID,
         "configuration of that provider (rvps)"},
        {REMOTE ",\"trust_anchors\":[]}}", VS_E_INVALID, "\"rvps_config.trust_anchors\""},
        {REMOTE ",\"restricted_anchors\":[]}}", VS_E_INVALID, "\"rvps_config.restricted_anchors\""},
        {REMOTE ",\"crls\":[]}}", VS_E_INVALID, "\"rvps_config.crls\""},
        {REMOTE ",\"accept_unsigned_attestation_keys\":false}}", VS_E_INVALID,
         "has no effect here"},
        {REMOTE "},\"refuse_sample_reference_values\":true}", VS_E_INVALID,
         "\"refuse_sample_reference_values\" has no effect here"},
        {"{\"attestation_token_broker\":{\"duration_min\":0}}", VS_E_INVALID, "1 to 525600"},
        {"{\"attestation_token_broker\":{\"duration_min\":\"5\"}}", VS_E_INVALID, "an integer"},
        {"{\"attestation_token_broker\":{\"verbose_token\":1}}", VS_E_INVALID, "true or false"},
        {"{\"attestation_token_broker\":{\"signer\":{\"cert_path\":\"x\"}}}", VS_E_INVALID,
         "needs \"key_path\""},
        {"{\"attestation_token_broker\":{\"issuer_name\":\"a\\u0000b\"}}", VS_E_INVALID, "NUL"},
        {"{\"storage_backend\":{\"storage_type\":\"Redis\"}}", VS_E_UNSUPPORTED, "Redis"},
        {"{\"storage_backend\":{\"storage_type\":\"LocalFs\"}}", VS_E_INVALID,
         "[storage_backend.backends.local_fs] configuration is required"},
        {"{\"rvps_config\":{\"type\":\"BuiltIn\",\"storage_type\":\"LocalJson\"}}", VS_E_INVALID,
         "[storage_backend.backends.local_json] configuration is required"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        if (as(f, v[i].text) != v[i].code)
            fail_msg("%s: %s", v[i].text, vs_code_name(f->err.code));
        assert_error(f, v[i].says);
    }
}

/* ---- reference values ------------------------------------------------------------------------ */

static void defaults_of_the_provider(void **state)
{
    fixture *f = *state;
    assert_vs_ok(rvps_file_load(NULL, &f->a, &f->rvps, &f->err), &f->err);
    assert_int_equal(f->rvps.storage.type, STORE_SQLITE);
    assert_string_equal(f->rvps.storage.path, "/var/lib/vouchsafe/rvps.sqlite");
    assert_false(f->rvps.refuse_sample_values);
}

static void both_dialects_of_the_provider(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text;
        store_type type;
        const char *path;
    } v[] = {
        {"{\"storage\":{\"storage_type\":\"LocalJson\",\"backends\":{\"local_json\":"
         "{\"file_dir_path\":\"/x\"}}},\"extractors\":{\"swid_extractor\":{}}}",
         STORE_LOCALJSON, "/x"},
        {"{\"storage\":{\"storage_type\":\"local_fs\",\"backends\":{\"local_fs\":{}}}}",
         STORE_LOCALFS, "/opt/confidential-containers/storage/local_fs"},
        {"{\"storage\":{\"storage_type\":\"Memory\"}}", STORE_MEMORY, NULL},
        {"{\"storage\":{\"type\":\"LocalFs\",\"file_path\":\"/opt/a/reference_values\"}}",
         STORE_LOCALFS, "/opt/a/reference_values"},
        {"{\"storage\":{\"type\":\"LocalFs\"}}", STORE_LOCALFS,
         "/opt/confidential-containers/attestation-service/reference_values"},
        {"{\"storage\":{\"type\":\"LocalJson\",\"file_path\":\"/opt/a/values.json\"}}",
         STORE_LOCALJSON, "/opt/a"},
        {"{\"storage\":{\"type\":\"LocalJson\",\"file_path\":\"values.json\"}}", STORE_LOCALJSON,
         "."},
        {"{\"storage\":{\"type\":\"LocalJson\",\"file_path\":\"/values.json\"}}", STORE_LOCALJSON,
         "/"},
        {"{\"storage\":{\"type\":\"LocalJson\"}}", STORE_LOCALJSON,
         "/opt/confidential-containers/attestation-service"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        assert_vs_ok(rvps_(f, v[i].text), &f->err);
        assert_int_equal(f->rvps.storage.type, v[i].type);
        if (v[i].path)
            assert_string_equal(f->rvps.storage.path, v[i].path);
    }
}

static void wrong_provider_files_are_refused_by_key(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text, *says;
    } v[] = {
        {"{\"storge\":{}}", "did you mean \"storage\"?"},
        {"{\"storage\":{\"file_path\":\"/x\"}}", "belongs to \"storage.type\""},
        {"{\"storage\":{\"type\":\"LocalFs\",\"storage_type\":\"Memory\"}}", "cannot stand beside"},
        {"{\"storage\":{\"type\":\"Sled\"}}", "\"LocalFs\", \"LocalJson\""},
        {"{\"storage\":{\"storage_type\":\"LocalFs\"}}",
         "[storage.backends.local_fs] configuration is required"},
        {"{\"storage\":{\"backends\":{\"local_fs\":{\"dir\":\"x\"}}}}", "unknown key \"dir\""},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        assert_vs_code(rvps_(f, v[i].text), VS_E_INVALID);
        assert_error(f, v[i].says);
    }
}

static void all_formats_say_the_same(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *suffix, *text;
    } v[] = {
        {".json", "{\"storage\":{\"storage_type\":\"LocalFs\",\"backends\":{\"local_fs\":"
                  "{\"dir_path\":\"/x\"}}}}"},
        {".toml", "[storage]\nstorage_type = \"LocalFs\"\nbackends.local_fs.dir_path = \"/x\"\n"},
        {".yaml",
         "storage:\n  storage_type: LocalFs\n  backends:\n    local_fs:\n      dir_path: /x\n"},
        {".yml", "storage: {storage_type: LocalFs, backends: {local_fs: {dir_path: /x}}}\n"},
        {"", "{\"storage\":{\"storage_type\":\"LocalFs\",\"backends\":{\"local_fs\":"
             "{\"dir_path\":\"/x\"}}}}"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/tmp/vs-rvps-%ld%s", (long)getpid(), v[i].suffix);
        assert_vs_ok(vs_write_file(path, vs_str(v[i].text), 0600, &f->err), &f->err);
        vs_code code = rvps_file_load(path, &f->a, &f->rvps, &f->err);
        (void)unlink(path);
        assert_vs_ok(code, &f->err);
        assert_string_equal(f->rvps.storage.path, "/x");
    }
    assert_vs_code(rvps_file_load("/tmp/vs-nosuch.json", &f->a, &f->rvps, &f->err), VS_E_NOT_FOUND);
    assert_error(f, "configuration file /tmp/vs-nosuch.json");
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void loopback_is_told_from_the_world(void **state)
{
    (void)state;
    static const char *const near[] = {"127.0.0.1:1", "127.255.0.9:65535", "[::1]:0"};
    static const char *const far[] = {
        "0.0.0.0:1", "[::]:1", "10.0.0.1:1", "128.0.0.1:1", "[::ffff:127.0.0.1]:1", "[fe80::1]:1"};
    static const char *const none[] = {
        "",           "localhost:1", "127.0.0.1", "127.0.0.1:", "[::1]", "::1:80", "1.2.3.4:65536",
        "1.2.3.4:-1", "1.2.3:80",    "[::1:80",   "1.2.3.4:8 "};
    for (size_t i = 0; i < VS_COUNT(near); i++)
        assert_true(config_socket_ok(near[i]) && config_socket_is_loopback(near[i]));
    for (size_t i = 0; i < VS_COUNT(far); i++)
        assert_true(config_socket_ok(far[i]) && !config_socket_is_loopback(far[i]));
    for (size_t i = 0; i < VS_COUNT(none); i++)
        if (config_socket_ok(none[i]) || config_socket_is_loopback(none[i]))
            fail_msg("%s", none[i]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(defaults_of_the_service),
        T(todays_service_file_is_read_whole),
        T(a_provider_is_told_whom_to_believe),
        T(verifiers_are_told_where_endorsements_are),
        T(the_learning_paths_service_file_is_read),
        T(wrong_service_files_are_refused_by_key),
        T(defaults_of_the_provider),
        T(both_dialects_of_the_provider),
        T(wrong_provider_files_are_refused_by_key),
        T(all_formats_say_the_same),
        T(loopback_is_told_from_the_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
