/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "kbs/config.h"
#include "kbs/config_keys.h"

typedef struct fixture {
    char path[64];
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

static vs_code load_as(fixture *f, const char *suffix, const char *text)
{
    vs_error err = {0};
    (void)snprintf(f->path, sizeof f->path, "/tmp/vs-config-%ld%s", (long)getpid(), suffix);
    assert_vs_ok(vs_write_file(f->path, vs_str(text), 0600, &err), &err);
    f->c = (kbs_config){0};
    vs_code code = kbs_config_load(f->path, &f->a, &f->c, &f->err);
    (void)unlink(f->path);
    return code;
}

static vs_code load(fixture *f, const char *text)
{
    return load_as(f, ".toml", text);
}

/* The least that is accepted, with room for more tables. */
#define BASE "[http_server]\ninsecure_http = true\n[admin]\nauthorization_mode = \"DenyAll\"\n"

#define VAULT "[[plugins]]\nname = \"resource\"\nstorage_backend_type = \"vault\"\n"

static void refuse(fixture *f, const char *text, vs_code code, const char *says)
{
    char all[VS_ERROR_TEXT];
    if (load(f, text) != code)
        fail_msg("%s\n-> %s", text, vs_code_name(f->err.code));
    if (!strstr(vs_error_text(&f->err, all, sizeof all), says))
        fail_msg("%s\n-> %s\nwant %s", text, all, says);
}

static void the_least_file_gives_the_defaults(void **state)
{
    fixture *f = *state;
    assert_vs_ok(load(f, BASE), &f->err);
    const kbs_config *c = &f->c;
    assert_int_equal(c->n_sockets, 1);
    assert_string_equal(c->sockets[0], "127.0.0.1:8080");
    assert_true(c->insecure_http);
    assert_int_equal(c->body_limit, 2 << 20);
    assert_true(c->workers >= 1);
    assert_string_equal(c->tls_min_version, "1.2");
    assert_string_equal(c->tls_max_version, "1.3");
    assert_non_null(c->tls_ciphers);
    assert_non_null(c->tls_groups);
    assert_int_equal(c->n_trusted_certs + c->n_trusted_jwk_sets + c->n_extra_teekey_paths, 0);
    assert_false(c->insecure_header_jwk);
    assert_int_equal(c->as.session_minutes, 5);
    assert_int_equal(c->as.duration_min, 5);
    assert_string_equal(c->as.issuer_name, "CoCo-Attestation-Service");
    assert_string_equal(c->as.developer_name, "https://confidentialcontainers.org");
    assert_string_equal(c->as.build_name, "attestation-service 0.1.0");
    assert_string_equal(c->as.profile_name, "tag:github.com,2024:confidential-containers/Trustee");
    assert_true(c->as.verbose_token);
    assert_false(c->as.sample_tee);
    assert_false(c->as.refuse_sample_reference_values);
    assert_null(c->as.signer_key_path);
    assert_int_equal(c->admin.mode, KBS_ADMIN_DENY_ALL);
    assert_int_equal(c->storage.type, STORE_SQLITE);
    assert_string_equal(c->storage.path, "/var/lib/vouchsafe/kbs.sqlite");
    assert_false(c->has_resource_plugin);
    assert_null(c->legacy_policy_path);
    assert_non_null(c->as.cca_config_path);
}

static void defaults_without_a_file_listen_on_loopback_and_let_nobody_administrate(void **state)
{
    (void)state;
    kbs_config c;
    kbs_config_defaults(&c, "/x/y.sqlite");
    assert_int_equal(c.n_sockets, 1);
    assert_string_equal(c.sockets[0], "127.0.0.1:8080");
    assert_true(c.insecure_http);
    assert_int_equal(c.admin.mode, KBS_ADMIN_DENY_ALL);
    assert_true(c.has_resource_plugin);
    assert_false(c.resource_has_own_store);
    assert_false(c.as.sample_tee);
    assert_int_equal(c.storage.type, STORE_SQLITE);
    assert_string_equal(c.storage.path, "/x/y.sqlite");
    assert_int_equal(c.body_limit, 2 << 20);
    assert_int_equal(c.n_trusted_certs, 0);
}

/* kbs.md 12.1, with the verifier built in */
#define LEARNING_PATH(service)                                                                     \
    "[http_server]\nsockets = [\"0.0.0.0:8080\"]\ninsecure_http = true\n"                          \
    "[attestation_token]\ninsecure_key = true\n"                                                   \
    "[attestation_service]\n" service                                                              \
    "[admin]\ntype = \"Simple\"\n[[admin.personas]]\nid = \"tester\"\n"                            \
    "public_key_path = \"/opt/kbs/public.pub\"\n"                                                  \
    "[[plugins]]\nname = \"resource\"\ntype = \"LocalFs\"\ndir_path = \"/opt/kbs/repository\"\n"

static void the_learning_paths_file_is_read(void **state)
{
    fixture *f = *state;
    assert_vs_ok(load(f, LEARNING_PATH("type = \"coco_as_builtin\"\n")), &f->err);
    const kbs_config *c = &f->c;
    assert_string_equal(c->sockets[0], "0.0.0.0:8080");
    assert_true(c->insecure_header_jwk);
    assert_int_equal(c->admin.mode, KBS_ADMIN_SIMPLE);
    assert_int_equal(c->admin.n_personas, 1);
    assert_string_equal(c->admin.personas[0].id, "tester");
    assert_string_equal(c->admin.personas[0].public_key_path, "/opt/kbs/public.pub");
    assert_int_equal(c->admin.n_acls, 0);
    assert_true(c->has_resource_plugin && c->resource_has_own_store);
    assert_int_equal(c->resource_store.type, STORE_TREE);
    assert_string_equal(c->resource_store.path, "/opt/kbs/repository");
    assert_false(c->as.remote || c->as.remote_rvps);
    assert_vs_ok(load(f, LEARNING_PATH("type = \"coco_as_grpc\"\nas_addr = \"http://as:50004\"\n")),
                 &f->err);
    assert_true(f->c.as.remote);
    assert_string_equal(f->c.as.as.address, "http://as:50004");
    assert_int_equal(f->c.as.pool_size, 100);
}

static void verifier_and_reference_values_may_be_other_processes(void **state)
{
    fixture *f = *state;
    assert_vs_ok(load(f, BASE "[attestation_service]\ntype = \"CoCoASGrpc\"\npool_size = 7\n"
                              "ca_cert_path = \"ca.pem\"\n"),
                 &f->err);
    assert_true(f->c.as.remote);
    assert_false(f->c.as.remote_rvps);
    assert_string_equal(f->c.as.as.address, "http://127.0.0.1:50004");
    assert_string_equal(f->c.as.as.ca_cert, "ca.pem");
    assert_int_equal(f->c.as.pool_size, 7);
    assert_vs_ok(load(f, BASE "[attestation_service]\ntype = \"coco_as_builtin\"\n"
                              "[attestation_service.rvps_config]\ntype = \"GrpcRemote\"\n"
                              "client_cert_path = \"c.pem\"\nclient_key_path = \"k.pem\"\n"),
                 &f->err);
    assert_true(f->c.as.remote_rvps && !f->c.as.remote);
    assert_string_equal(f->c.as.rvps.address, "127.0.0.1:50003");
    assert_string_equal(f->c.as.rvps.client_cert, "c.pem");
    assert_string_equal(f->c.as.rvps.client_key, "k.pem");
    /* A remote verifier has its own reference values. */
    assert_vs_ok(load(f, BASE "[attestation_service]\ntype = \"coco_as_grpc\"\n"
                              "rvps_config = { type = \"GrpcRemote\" }\n"),
                 &f->err);
    assert_true(f->c.as.remote && !f->c.as.remote_rvps);
}

static void todays_file_is_read_whole(void **state)
{
    fixture *f = *state;
    assert_vs_ok(
        load(
            f,
            "session_storage_type = \"LocalFs\"\n"
            "[http_server]\nsockets = [\"0.0.0.0:8080\", \"[::]:8443\"]\n"
            "private_key = \"k.pem\"\ncertificate = \"c.pem\"\npayload_request_size = 10\n"
            "worker_count = 3\ntls_profile = \"modern\"\n"
            "[attestation_token]\ntrusted_certs_paths = [\"a.pem\", \"b.pem\"]\n"
            "trusted_jwk_sets = [\"file:///j.json\", \"k.json\"]\nextra_teekey_paths = [\"/a/b\"]\n"
            "[attestation_service]\ntype = \"coco_as_builtin\"\ntimeout = 7\nsample_tee = true\n"
            "refuse_sample_reference_values = true\n"
            "[attestation_service.attestation_token_broker]\nduration_min = 30\n"
            "issuer_name = \"me\"\nverbose_token = false\n"
            "signer = { key_path = \"s.pem\", cert_path = \"sc.pem\" }\n"
            "[attestation_service.rvps_config]\ntype = \"BuiltIn\"\nstorage_type = \"LocalFs\"\n"
            "extractors = { swid_extractor = {} }\n"
            "[admin]\nauthorization_mode = \"AuthenticatedAuthorization\"\n"
            "[admin.authentication.bearer_jwt]\nidentity_providers = [\n"
            " { issuer = \"i\", audience = \"a\", jwk_set_uri = \"file:///set.json\" },\n"
            " { issuer = \"\", public_key_uri = \"./p.pem\" } ]\n"
            "[admin.authorization.regex_acl]\nacls = [\n"
            " { role = \"admin\", allowed_endpoints = \"^/kbs/.+$\" } ]\n"
            "[storage_backend]\nstorage_type = \"LocalFs\"\n"
            "backends.local_fs.dir_path = \"/data\"\n"
            "[[plugins]]\nname = \"sample\"\nitem = \"x\"\n"
            "[[plugins]]\nname = \"resource\"\nstorage_backend_type = \"kvstorage\"\n"),
        &f->err);
    const kbs_config *c = &f->c;
    assert_int_equal(c->n_sockets, 2);
    assert_string_equal(c->sockets[1], "[::]:8443");
    assert_false(c->insecure_http);
    assert_string_equal(c->private_key, "k.pem");
    assert_int_equal(c->body_limit, 10 << 20);
    assert_int_equal(c->workers, 3);
    assert_string_equal(c->tls_min_version, "1.3");
    assert_int_equal(c->n_trusted_certs, 2);
    assert_string_equal(c->trusted_certs_paths[1], "b.pem");
    assert_int_equal(c->n_trusted_jwk_sets, 2);
    assert_string_equal(c->extra_teekey_paths[0], "/a/b");
    assert_int_equal(c->as.session_minutes, 7);
    assert_true(c->as.sample_tee && c->as.refuse_sample_reference_values);
    assert_int_equal(c->as.duration_min, 30);
    assert_string_equal(c->as.issuer_name, "me");
    assert_false(c->as.verbose_token);
    assert_string_equal(c->as.signer_key_path, "s.pem");
    assert_int_equal(c->admin.mode, KBS_ADMIN_BEARER);
    assert_int_equal(c->admin.n_providers, 2);
    assert_string_equal(c->admin.providers[0].audience, "a");
    assert_null(c->admin.providers[0].public_key_uri);
    assert_null(c->admin.providers[1].issuer);
    assert_string_equal(c->admin.acls[0].allowed_endpoints, "^/kbs/.+$");
    assert_int_equal(c->storage.type, STORE_LOCALFS);
    assert_string_equal(c->storage.path, "/data");
    assert_true(c->has_resource_plugin && !c->resource_has_own_store && c->has_sample_plugin);
}

static void administrators_can_be_named_by_their_connection(void **state)
{
    fixture *f = *state;
    assert_vs_ok(load(f, "[http_server]\nprivate_key = \"k\"\ncertificate = \"c\"\n"
                         "[key_sources]\nca_file = \"ca.pem\"\nrefresh = 60\n"
                         "[admin]\nauthorization_mode = \"AuthenticatedAuthorization\"\n"
                         "unix_socket = \"/run/kbs.sock\"\n"
                         "[admin.authentication.mtls]\nclient_ca = \"admins.pem\"\n"
                         "identities = [{ san = \"DNS:a\", role = \"x\" }]\n"
                         "[admin.authentication.unix]\n"
                         "identities = [{ user = \"0\", group = \"wheel\", role = \"y\" }]\n"
                         "[admin.authorization.regex_acl]\nacls = []\n"),
                 &f->err);
    const kbs_admin_config *a = &f->c.admin;
    assert_int_equal(a->mode, KBS_ADMIN_BEARER);
    assert_string_equal(a->unix_socket, "/run/kbs.sock");
    assert_string_equal(a->client_ca, "admins.pem");
    assert_int_equal(a->n_mtls_identities, 1);
    assert_string_equal(a->mtls_identities[0].san, "DNS:a");
    assert_null(a->mtls_identities[0].subject);
    assert_int_equal(a->n_unix_identities, 1);
    assert_string_equal(a->unix_identities[0].group, "wheel");
    assert_string_equal(f->c.key_ca_file, "ca.pem");
    assert_int_equal(f->c.key_refresh_s, 60);
    assert_int_equal(a->n_acls, 0); /* nobody may do anything */
}

static void json_says_the_same(void **state)
{
    fixture *f = *state;
    const char *text = "{\"http_server\":{\"insecure_http\":true,\"sockets\":[\"127.0.0.1:1\"]},"
                       "\"admin\":{\"authorization_mode\":\"DenyAll\"},"
                       "\"storage_backend\":{\"storage_type\":\"memory\"}}";
    assert_vs_ok(load_as(f, ".json", text), &f->err);
    assert_string_equal(f->c.sockets[0], "127.0.0.1:1");
    assert_int_equal(f->c.storage.type, STORE_MEMORY);
    assert_true(load_as(f, ".toml", text) != VS_OK);
}

static void yaml_says_the_same(void **state)
{
    fixture *f = *state;
    const char *text = "http_server:\n  insecure_http: true\n  sockets: ['127.0.0.1:1']\n"
                       "admin:\n  authorization_mode: DenyAll\n"
                       "storage_backend: {storage_type: memory}\n"
                       "plugins:\n  - name: resource\n    storage_backend_type: kvstorage\n";
    for (int yml = 0; yml < 2; yml++) {
        assert_vs_ok(load_as(f, yml ? ".yml" : ".yaml", text), &f->err);
        assert_string_equal(f->c.sockets[0], "127.0.0.1:1");
        assert_int_equal(f->c.storage.type, STORE_MEMORY);
        assert_true(f->c.has_resource_plugin);
    }
    assert_vs_code(load_as(f, ".yaml", "a: 1"), VS_E_INVALID);
    assert_vs_code(load_as(f, ".yaml", ""), VS_E_INVALID);
    assert_vs_code(load_as(f, ".yaml", "a: [1"), VS_E_PARSE);
    assert_vs_code(load_as(f, ".yaml",
                           "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                           "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                           "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                           "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                           "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                           "g: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"),
                   VS_E_LIMIT);
}

#define STORAGE(type, more) BASE "[storage_backend]\nstorage_type = \"" type "\"\n" more

static void every_storage_type_has_trustees_settings(void **state)
{
    fixture *f = *state;
    (void)unsetenv("POSTGRES_URL");
    assert_vs_ok(load(f, STORAGE("Postgres", "[storage_backend.backends.postgres]\n")), &f->err);
    const store_config *s = &f->c.storage;
    assert_int_equal(s->type, STORE_POSTGRES);
    assert_string_equal(s->postgres.host, "localhost");
    assert_int_equal(s->postgres.port, 5432);
    assert_string_equal(s->postgres.db, "postgres");
    assert_string_equal(s->postgres.username, "postgres");
    assert_null(s->postgres.password);
    assert_null(s->postgres.url);
    assert_vs_ok(load(f, STORAGE("postgres", "backends.postgres.host = \"db\"\n"
                                             "backends.postgres.port = 6000\n"
                                             "backends.postgres.db = \"d\"\n"
                                             "backends.postgres.username = \"u\"\n"
                                             "backends.postgres.password = \"p\"\n")),
                 &f->err);
    assert_string_equal(s->postgres.host, "db");
    assert_int_equal(s->postgres.port, 6000);
    assert_string_equal(s->postgres.db, "d");
    assert_string_equal(s->postgres.username, "u");
    assert_string_equal(s->postgres.password, "p");
    (void)setenv("POSTGRES_URL", "postgresql://x@y/z", 1);
    assert_vs_ok(load(f, STORAGE("Postgres", "backends.postgres.host = \"db\"\n")), &f->err);
    assert_string_equal(s->postgres.url, "postgresql://x@y/z");
    (void)unsetenv("POSTGRES_URL");
    assert_vs_ok(load(f, STORAGE("LocalJson", "[storage_backend.backends.local_json]\n")), &f->err);
    assert_int_equal(s->type, STORE_LOCALJSON);
    assert_string_equal(s->path, "/opt/confidential-containers/storage/local_json");
    assert_vs_ok(load(f, STORAGE("local_json", "backends.local_json.file_dir_path = \"/j\"\n")),
                 &f->err);
    assert_string_equal(s->path, "/j");
}

static void each_part_may_have_a_storage_type_of_its_own(void **state)
{
    fixture *f = *state;
    assert_vs_ok(load(f, "session_storage_type = \"Memory\"\n" BASE
                         "[attestation_service]\ntype = \"coco_as_builtin\"\n"
                         "storage_type = \"LocalFs\"\nrvps_config.type = \"BuiltIn\"\n"
                         "rvps_config.storage_type = \"LocalJson\"\n"
                         "[storage_backend.backends]\nlocal_fs.dir_path = \"/f\"\n"
                         "local_json.file_dir_path = \"/j\"\n"),
                 &f->err);
    const kbs_config *c = &f->c;
    static const struct {
        const char *ns;
        store_type type;
        const char *path;
    } want[] = {{"kbs_protocol_session", STORE_MEMORY, NULL},
                {"attestation_service_policy", STORE_LOCALFS, "/f"},
                {"reference_value", STORE_LOCALJSON, "/j"}};
    assert_int_equal(c->storage.type, STORE_SQLITE);
    assert_int_equal(c->n_store_overrides, VS_COUNT(want));
    for (size_t i = 0; i < VS_COUNT(want); i++) {
        assert_string_equal(c->store_overrides[i].ns, want[i].ns);
        assert_int_equal(c->store_overrides[i].store.type, want[i].type);
        if (want[i].path)
            assert_string_equal(c->store_overrides[i].store.path, want[i].path);
    }
    assert_vs_ok(load(f, "session_storage_type = \"Sqlite\"\n" BASE), &f->err);
    assert_int_equal(c->n_store_overrides, 0);
    refuse(f, "session_storage_type = \"Postgres\"\n" BASE, VS_E_INVALID,
           "\"session_storage_type\": invalid configuration: storage type \"Postgres\"");
}

static void older_dialects_are_read(void **state)
{
    fixture *f = *state;
    const char *http = "[http_server]\ninsecure_http = true\n";
    assert_vs_ok(load(f, vs_sprintf(&f->a, "%s[admin]\nauth_public_key = \"p.pem\"\n", http)),
                 &f->err);
    assert_int_equal(f->c.admin.mode, KBS_ADMIN_SIMPLE);
    assert_string_equal(f->c.admin.personas[0].public_key_path, "p.pem");
    assert_vs_ok(load(f, vs_sprintf(&f->a, "%s[admin]\ninsecure_api = true\n", http)), &f->err);
    assert_int_equal(f->c.admin.mode, KBS_ADMIN_INSECURE_ALLOW_ALL);
    assert_vs_ok(load(f, vs_sprintf(&f->a, "%s[admin]\ntype = \"DenyAll\"\n", http)), &f->err);
    assert_int_equal(f->c.admin.mode, KBS_ADMIN_DENY_ALL);
    assert_vs_ok(load(f, vs_sprintf(&f->a,
                                    "%s[admin]\ntype = \"Simple\"\n[[admin.personas]]\nid = \"a\"\n"
                                    "public_key_path = \"p\"\n[[admin.roles]]\nid = \"a\"\n"
                                    "allowed_endpoints = \"^/kbs/x$\"\n",
                                    http)),
                 &f->err);
    assert_int_equal(f->c.admin.n_acls, 1);
    assert_string_equal(f->c.admin.acls[0].role, "a");
    assert_vs_ok(load(f, BASE "[policy_engine]\npolicy_path = \"/p.rego\"\n"
                              "[attestation_service]\ntype = \"coco_as_builtin\"\nwork_dir = "
                              "\"/w\"\npolicy_engine = \"opa\"\n"
                              "[attestation_service.attestation_token_broker]\ntype = \"Ear\"\n"
                              "[[plugins]]\nname = \"resource\"\ntype = \"kvstorage\"\n"),
                 &f->err);
    assert_string_equal(f->c.legacy_policy_path, "/p.rego");
    assert_true(f->c.has_resource_plugin && !f->c.resource_has_own_store);
    assert_vs_ok(load(f, BASE "[[plugins]]\nname = \"resource\"\ntype = \"LocalFs\"\n"), &f->err);
    assert_string_equal(f->c.resource_store.path, "/opt/confidential-containers/kbs/repository");
}

typedef struct bad {
    const char *text;
    vs_code code;
    const char *says;
} bad;

static const bad refused[] = {
    {"", VS_E_INVALID, "[http_server] is missing"},
    {"[http_server]\ninsecure_http = true\n", VS_E_INVALID, "[admin] is missing"},
    {"[admin]\nauthorization_mode = \"DenyAll\"\n", VS_E_INVALID, "[http_server] is missing"},
    {"[http_server]\ninsecure_http = tru\n", VS_E_PARSE, "line 2, column 17"},
    /* unknown keys */
    {BASE "[http_servre]\n", VS_E_INVALID, "did you mean \"http_server\"?"},
    {"[http_server]\ninsecure_htpp = true\n", VS_E_INVALID,
     "unknown key \"insecure_htpp\" in http_server: did you mean \"http_server.insecure_http\"?"},
    {"[http_server]\nzzzzzzzz = true\n", VS_E_INVALID, "unknown key \"zzzzzzzz\" in http_server"},
    {BASE "[[plugins]]\nname = \"resource\"\nstorage_backend_typ = \"kvstorage\"\n", VS_E_INVALID,
     "did you mean \"plugins.storage_backend_type\"?"},
    {"[http_server]\n\"sockets.x\" = 1\n", VS_E_INVALID, "unknown key"},
    {"[http_server]\n\"sockets\\u0000x\" = 1\n", VS_E_INVALID, "unknown key"},
    {"\"http_server.sockets\" = [\"127.0.0.1:1\"]\n", VS_E_INVALID, "unknown key"},
    {"[admin]\nauthorisation_mode = \"DenyAll\"\n", VS_E_INVALID,
     "did you mean \"admin.authorization_mode\"?"},
    /* wrong types and values */
    {"http_server = 1\n", VS_E_INVALID, "\"http_server\" must be a table, not number"},
    {"[http_server]\nsockets = \"127.0.0.1:1\"\n", VS_E_INVALID, "must be an array of strings"},
    {"[http_server]\nsockets = [1]\n", VS_E_INVALID, "must be a string, not number"},
    {"[http_server]\ninsecure_http = \"true\"\n", VS_E_INVALID, "must be true or false"},
    {"[http_server]\npayload_request_size = 2.5\n", VS_E_INVALID, "must be an integer"},
    {"[http_server]\npayload_request_size = 0\n", VS_E_INVALID, "must be 1 to 1024, not 0"},
    {"[http_server]\nprivate_key = \"a\\u0000b\"\n", VS_E_INVALID, "NUL"},
    {"[http_server]\ntls_profile = \"ancient\"\n", VS_E_INVALID, "it is one of \"intermediate\""},
    {BASE "plugins = 1\n", VS_E_INVALID, "unknown key \"plugins\" in admin"},
    {"plugins = 1\n" BASE, VS_E_INVALID, "must be an array of tables"},
    {"plugins = [1]\n" BASE, VS_E_INVALID, "must be an array of tables"},
    /* http_server */
    {"[http_server]\n[admin]\nauthorization_mode = \"DenyAll\"\n", VS_E_INVALID, "HTTPS needs"},
    {"[http_server]\nsockets = []\ninsecure_http = true\n[admin]\ntype = \"DenyAll\"\n",
     VS_E_INVALID, "is empty"},
    {"[http_server]\nsockets = [\"localhost:80\"]\ninsecure_http = true\n[admin]\n"
     "type = \"DenyAll\"\n",
     VS_E_INVALID, "not IP:port"},
    {"[http_server]\nsockets = [\"127.0.0.1:65536\"]\ninsecure_http = true\n[admin]\n"
     "type = \"DenyAll\"\n",
     VS_E_INVALID, "not IP:port"},
    {"[http_server]\nsockets = [\"::1:80\"]\ninsecure_http = true\n[admin]\ntype = \"DenyAll\"\n",
     VS_E_INVALID, "not IP:port"},
    {"[http_server]\ninsecure_http = true\ntls_min_version = \"1.3\"\ntls_max_version = \"1.2\"\n"
     "[admin]\ntype = \"DenyAll\"\n",
     VS_E_INVALID, "is above"},
    /* sources */
    {BASE "[attestation_token]\ntrusted_jwk_sets = [\"http://x/jwks\"]\n", VS_E_UNSUPPORTED,
     "keys come from a path"},
    {BASE "[attestation_token]\ntrusted_jwk_sets = [\"https://\"]\n", VS_E_UNSUPPORTED,
     "keys come from a path"},
    {BASE "[attestation_token]\nextra_teekey_paths = [\"a/b\"]\n", VS_E_INVALID, "JSON pointer"},
    /* admin */
    {"[http_server]\ninsecure_http = true\n[admin]\n", VS_E_INVALID,
     "\"admin.authorization_mode\" is missing"},
    {"[http_server]\ninsecure_http = true\n[admin]\nauthorization_mode = \"AllowAll\"\n",
     VS_E_INVALID, "it is one of"},
    {"[http_server]\ninsecure_http = true\n[admin]\n"
     "authorization_mode = \"AuthenticatedAuthorization\"\n",
     VS_E_INVALID, "needs"},
    {"[http_server]\ninsecure_http = true\n[admin]\n"
     "authorization_mode = \"AuthenticatedAuthorization\"\n"
     "[admin.authorization.regex_acl]\nacls = []\n"
     "[admin.authentication.bearer_jwt]\nidentity_providers = [{issuer = \"x\"}]\n",
     VS_E_INVALID, "entry 1 of"},
    {"[http_server]\ninsecure_http = true\n[admin]\n"
     "authorization_mode = \"AuthenticatedAuthorization\"\n"
     "[admin.authorization.regex_acl]\nacls = []\n"
     "[admin.authentication.bearer_jwt]\nidentity_providers = [{jwk_set_uri = \"http://x\"}]\n",
     VS_E_UNSUPPORTED, "keys come from a path"},
    {"[http_server]\ninsecure_http = true\n[admin]\n"
     "authorization_mode = \"AuthenticatedAuthorization\"\n"
     "[admin.authorization.regex_acl]\nacls = []\n"
     "[admin.authentication.unix]\nidentities = [{user = \"root\", role = \"x\"}]\n",
     VS_E_INVALID, "admin.unix_socket"},
    {"[http_server]\ninsecure_http = true\n[admin]\n"
     "authorization_mode = \"AuthenticatedAuthorization\"\nunix_socket = \"/run/x\"\n"
     "[admin.authentication.unix]\nidentities = [{user = \"root\", role = \"x\"}]\n",
     VS_E_INVALID, "regex_acl"},
    {"[http_server]\ninsecure_http = true\n[admin]\n"
     "authorization_mode = \"AuthenticatedAuthorization\"\n"
     "[admin.authorization.regex_acl]\nacls = []\n"
     "[admin.authentication.mtls]\nclient_ca = \"ca.pem\"\n"
     "identities = [{subject = \"CN=a\", role = \"x\"}]\n",
     VS_E_INVALID, "needs HTTPS"},
    {"[http_server]\nprivate_key = \"k\"\ncertificate = \"c\"\n[admin]\n"
     "authorization_mode = \"AuthenticatedAuthorization\"\n"
     "[admin.authorization.regex_acl]\nacls = []\n"
     "[admin.authentication.mtls]\nidentities = [{subject = \"CN=a\", role = \"x\"}]\n",
     VS_E_INVALID, "client_ca"},
    {BASE "unix_socket = \"kbs.sock\"\n", VS_E_INVALID, "absolute path"},
    {BASE "[admin.authentication.unix]\nidentities = [{gid = 0, role = \"x\"}]\n", VS_E_INVALID,
     "unknown key"},
    {BASE "[key_sources]\nrefresh = 1\n", VS_E_INVALID, "refresh"},
    {BASE "type = \"Simple\"\n", VS_E_INVALID, "cannot stand beside"},
    {"[http_server]\ninsecure_http = true\n[admin]\ntype = \"Simple\"\n"
     "[admin.authorization.regex_acl]\n",
     VS_E_INVALID, "AuthenticatedAuthorization"},
    {"[http_server]\ninsecure_http = true\n[admin]\ntype = \"Simple\"\n"
     "[[admin.personas]]\nid = \"x\"\n",
     VS_E_INVALID, "public_key_path"},
    /* parts that this build lacks */
    {BASE "[attestation_service]\ntype = \"intel_ta\"\nbase_url = \"https://x\"\n",
     VS_E_UNSUPPORTED, "Intel Trust Authority"},
    {BASE "[attestation_service]\npool_size = 0\n", VS_E_INVALID, "1 to 1024"},
    {BASE "[attestation_service.rvps_config]\ntype = \"Grpc\"\n", VS_E_INVALID,
     "\"BuiltIn\", \"GrpcRemote\""},
    {BASE "[storage_backend]\nstorage_type = \"Postgres\"\n", VS_E_INVALID,
     "[storage_backend.backends.postgres] configuration is required"},
    {BASE "[storage_backend]\nstorage_type = \"LocalJson\"\n", VS_E_INVALID,
     "[storage_backend.backends.local_json] configuration is required"},
    {BASE "[storage_backend.backends.postgres]\nport = 65536\n", VS_E_INVALID, "1 to 65535"},
    {BASE "[storage_backend]\nstorage_type = \"redis\"\nbackends.redis.url = \"x\"\n",
     VS_E_UNSUPPORTED, "storage back end"},
    {BASE "[[plugins]]\nname = \"resource\"\nstorage_backend_type = \"aws\"\n", VS_E_UNSUPPORTED,
     "does not have resources in a cloud's key service"},
    {BASE "[[plugins]]\nname = \"resource\"\nstorage_backend_type = \"gcp\"\n", VS_E_UNSUPPORTED,
     "does not have resources in a cloud's key service"},
    {BASE "[[plugins]]\nname = \"resource\"\nstorage_backend_type = \"aliyun\"\n", VS_E_UNSUPPORTED,
     "does not have resources in a cloud's key service"},
    {BASE VAULT "vault_url = \"https://v:8200\"\n", VS_E_INVALID,
     "needs \"token\" or \"token_file\""},
    {BASE VAULT "token = \"t\"\n", VS_E_INVALID, "needs \"vault_url\""},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\ntoken_file = \"f\"\n", VS_E_INVALID,
     "both \"token\" and \"token_file\""},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"a\\nb\"\n", VS_E_INVALID,
     "control character"},
    {BASE VAULT "vault_url = \"v:8200\"\ntoken = \"t\"\n", VS_E_INVALID, "not https://host:port"},
    {BASE VAULT "vault_url = \"https://v:8200/?x\"\ntoken = \"t\"\n", VS_E_INVALID,
     "not https://host:port"},
    {BASE VAULT "vault_url = \"https://\"\ntoken = \"t\"\n", VS_E_INVALID, "not https://host:port"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"\"\n", VS_E_INVALID,
     "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"/a\"\n",
     VS_E_INVALID, "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"a/\"\n",
     VS_E_INVALID, "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"a//b\"\n",
     VS_E_INVALID, "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"../sys\"\n",
     VS_E_INVALID, "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"a/..\"\n",
     VS_E_INVALID, "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"a?b\"\n",
     VS_E_INVALID, "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nmount_path = \"a%2fb\"\n",
     VS_E_INVALID, "plugins.mount_path"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nkv_version = 3\n", VS_E_INVALID,
     "must be 1 to 2"},
    {BASE VAULT "vault_url = \"https://v:8200\"\ntoken = \"t\"\nverify_ssl = \"no\"\n",
     VS_E_INVALID, "must be true or false"},
    {BASE "[[plugins]]\nname = \"resource\"\nstorage_backend_type = \"kvstorage\"\nvault_url = "
          "\"https://v\"\n",
     VS_E_INVALID, "belongs to storage_backend_type \"vault\""},
    {BASE "[[plugins]]\nname = \"pkcs11\"\nmodule = \"x\"\n", VS_E_INVALID,
     "needs \"pin\" or \"pin_file\""},
    {BASE "[[plugins]]\nname = \"pkcs11\"\npin = \"1\"\n", VS_E_INVALID, "needs \"module\""},
    {BASE "[[plugins]]\nname = \"pkcs11\"\nmodule = \"x\"\npin = \"1\"\nslot_index = -1\n",
     VS_E_INVALID, "must be 0 to 255"},
    {BASE
     "[[plugins]]\nname = \"pkcs11\"\nmodule = \"x\"\npin = \"1\"\nrsa_mechanism = \"RsaPkcs\"\n",
     VS_E_INVALID, "RsaPkcsOaep"},
    {BASE "[[plugins]]\nname = \"provisioner\"\nkey_length = 0\n", VS_E_INVALID,
     "must be 1 to 4096"},
    {BASE "[[plugins]]\nname = \"external\"\n", VS_E_INVALID, "needs \"backends\""},
    {BASE "[[plugins]]\nname = \"external\"\nbackends = [{endpoint = \"http://h:1\"}]\n",
     VS_E_INVALID, "needs \"name\""},
    {BASE
     "[[plugins]]\nname = \"external\"\nbackends = [{name = \"a/b\", endpoint = \"http://h:1\"}]\n",
     VS_E_INVALID, "plugins.backends.name"},
    {BASE
     "[[plugins]]\nname = \"external\"\nbackends = [{name = \"..\", endpoint = \"http://h:1\"}]\n",
     VS_E_INVALID, "plugins.backends.name"},
    {BASE "[[plugins]]\nname = \"external\"\nbackends = [{name = \"a\"}]\n", VS_E_INVALID,
     "needs \"endpoint\""},
    {BASE "[[plugins]]\nname = \"external\"\nbackends = [{name = \"a\", endpoint = \"h:1\"}]\n",
     VS_E_INVALID, "http:// or https://"},
    {BASE
     "[[plugins]]\nname = \"external\"\nbackends = [{name = \"a\", endpoint = \"https://h:1\"}]\n",
     VS_E_INVALID, "needs \"ca_cert_path\""},
    {BASE "[[plugins]]\nname = \"external\"\nbackends = [{name = \"a\", endpoint = \"http://h:1\", "
          "ca_cert_path = \"c\"}]\n",
     VS_E_INVALID, "has no TLS"},
    {BASE "[[plugins]]\nname = \"external\"\nbackends = [{name = \"a\", endpoint = "
          "\"http://h:1\"}, {name = \"a\", endpoint = \"http://h:2\"}]\n",
     VS_E_INVALID, "two external backends"},
    {BASE "[[plugins]]\nname = \"external\"\nbackends = [{name = \"a\", endpoint = \"http://h:1\", "
          "timeout = 5}]\n",
     VS_E_INVALID, "did you mean"},
    /* storage and plugins */
    {BASE "[storage_backend]\nstorage_type = \"LocalFs\"\n", VS_E_INVALID,
     "[storage_backend.backends.local_fs] configuration is required"},
    {BASE "[[plugins]]\nname = \"resource\"\n", VS_E_INVALID, "storage_backend_type"},
    {BASE "[[plugins]]\nstorage_backend_type = \"kvstorage\"\n", VS_E_INVALID, "needs \"name\""},
    {BASE "[[plugins]]\nname = \"resource\"\nstorage_backend_type = \"kvstorage\"\n"
          "dir_path = \"/x\"\n",
     VS_E_INVALID, "dir_path"},
    {BASE "[attestation_service]\ntype = \"coco_as_builtin\"\n"
          "[attestation_service.attestation_token_broker.signer]\ncert_path = \"x\"\n",
     VS_E_INVALID, "key_path"},
};

static void what_is_wrong_is_refused_with_a_sentence(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < VS_COUNT(refused); i++)
        refuse(f, refused[i].text, refused[i].code, refused[i].says);
    print_message("%zu files refused\n", VS_COUNT(refused));
}

static void a_missing_file_and_one_that_is_too_large_are_told(void **state)
{
    fixture *f = *state;
    assert_vs_code(kbs_config_load("/nonexistent/kbs.toml", &f->a, &f->c, &f->err), VS_E_NOT_FOUND);
    assert_non_null(strstr(vs_error_at(&f->err, 0), "/nonexistent/kbs.toml"));
}

static void the_table_of_keys_is_sound(void **state)
{
    (void)state;
    size_t n;
    const config_key *k = config_keys(&n);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(k[i].meaning);
        assert_true((k[i].status == CONFIG_CURRENT) == (k[i].hint == NULL));
        assert_true((k[i].type == CONFIG_CHOICE) == (k[i].choices != NULL));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(k[i].path, k[j].path);
        const char *dot = strrchr(k[i].path, '.'); /* its table comes before it */
        bool found = dot == NULL;
        for (size_t j = 0; j < i && !found; j++)
            found =
                vs_span_eq(vs_str(k[j].path), vs_span_of(k[i].path, (size_t)(dot - k[i].path))) &&
                (k[j].type == CONFIG_TABLE || k[j].type == CONFIG_TABLES);
        if (!found)
            fail_msg("no table for %s", k[i].path);
    }
}

static void the_cca_configuration_comes_from_the_environment(void **state)
{
    fixture *f = *state;
    assert_int_equal(setenv("CCA_CONFIG_FILE", "/etc/cca.json", 1), 0);
    assert_vs_ok(load(f, BASE), &f->err);
    assert_string_equal(f->c.as.cca_config_path, "/etc/cca.json");
    assert_int_equal(unsetenv("CCA_CONFIG_FILE"), 0);
    assert_vs_ok(load(f, BASE), &f->err);
    assert_string_equal(f->c.as.cca_config_path,
                        "/opt/confidential-containers/attestation-service/cca/config.json");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void plugins_have_the_defaults_of_the_reference(void **state)
{
    fixture *f = *state;
    assert_vs_ok(load(f, BASE "[[plugins]]\nname = \"provisioner\"\n"
                              "[[plugins]]\nname = \"pkcs11\"\nmodule = \"m\"\npin = \"1\"\n"
                              "[[plugins]]\nname = \"nebula-ca\"\n"
                              "[plugins.ca_config]\nargon_memory = 7\ncurve = \"P256\"\n"
                              "[[plugins]]\nname = \"external\"\nbackends = ["
                              "{name = \"a\", endpoint = \"http://127.0.0.1:1\"},"
                              "{name = \"b\", endpoint = \"https://127.0.0.1:1\", ca_cert_path = "
                              "\"c\", timeout_ms = 5, tls_mode = \"x\"}]\n" VAULT
                              "vault_url = \"https://v:8200/\"\ntoken = \"t\"\n"),
                 &f->err);
    const kbs_config *c = &f->c;
    assert_int_equal(c->provisioner_key_length, 32);
    assert_false(c->pkcs11->sha1);
    assert_int_equal(c->pkcs11->slot_index, 0);
    assert_string_equal(c->pkcs11->lookup_label, "");
    assert_string_equal(c->nebula->program, "nebula-cert");
    assert_string_equal(c->nebula->work_dir, "/opt/confidential-containers/kbs/nebula-ca");
    assert_string_equal(c->nebula->ca_name, "Trustee Nebula CA plugin");
    assert_string_equal(c->nebula->curve, "P256");
    assert_int_equal(c->nebula->argon_memory, 7);
    assert_int_equal(c->nebula->argon_iterations, 0);
    assert_int_equal(c->n_backends, 2);
    assert_int_equal(c->backends[0].timeout_ms, 60000);
    assert_int_equal(c->backends[1].timeout_ms, 5);
    assert_string_equal(c->vault->url, "https://v:8200");
    assert_string_equal(c->vault->mount_path, "secret");
    assert_int_equal(c->vault->kv_version, 1);
    assert_true(c->vault->verify); /* hazard: a client that does not verify unless told to */
    assert_vs_ok(load(f, BASE VAULT "vault_url = \"https://v\"\ntoken_file = \"t\"\n"
                                    "verify_ssl = false\nkv_version = 2\nmount_path = \"a/kv\"\n"),
                 &f->err);
    assert_false(f->c.vault->verify);
    assert_int_equal(f->c.vault->kv_version, 2);
}

#define PROXIED "[admin]\nauthorization_mode = \"DenyAll\"\n[http_server]\ninsecure_http = true\n"

static void proxies_and_limits_of_sources_are_read(void **state)
{
    fixture *f = *state;
    vs_ip inside;
    assert_vs_ok(load(f, BASE "[operations]\nlog_level = \"warn\"\n"), &f->err);
    assert_int_equal(f->c.log_level, VS_LOG_WARN);
    assert_vs_ok(load(f, PROXIED "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n"
                                 "proxy_protocol = true\nrate_per_source = 50\n"
                                 "burst_per_source = 100\nconnections_per_source = 20\n"),
                 &f->err);
    assert_true(vs_ip_parse(VS_LIT("10.1.2.3"), &inside));
    assert_int_equal(f->c.n_trusted_proxies, 2);
    assert_true(vs_cidr_holds(f->c.trusted_proxies, 2, inside));
    assert_true(f->c.proxy_protocol);
    assert_int_equal(f->c.per_source.rate, 50);
    assert_int_equal(f->c.per_source.burst, 100);
    assert_int_equal(f->c.per_source.connections, 20);
    assert_int_equal(f->c.log_level, VS_LOG_INFO);
    assert_true(vs_defined(f->c.file));
    refuse(f, PROXIED "trusted_proxies = [\"10.0.0.1/8\"]\n", VS_E_INVALID, "behind its prefix");
    refuse(f, PROXIED "trusted_proxies = [\"a.example\"]\n", VS_E_INVALID, "not an IP address");
    refuse(f, PROXIED "proxy_protocol = true\n", VS_E_INVALID, "needs \"http_server.trusted_prox");
    refuse(f, PROXIED "burst_per_source = 5\n", VS_E_INVALID, "needs \"http_server.rate_per_sour");
    refuse(f, PROXIED "rate_per_source = -1\n", VS_E_INVALID, "rate_per_source");
    refuse(f, BASE "[operations]\nlog_level = \"loud\"\n", VS_E_INVALID, "log_level");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_least_file_gives_the_defaults),
        T(proxies_and_limits_of_sources_are_read),
        T(defaults_without_a_file_listen_on_loopback_and_let_nobody_administrate),
        T(the_learning_paths_file_is_read),
        T(verifier_and_reference_values_may_be_other_processes),
        T(todays_file_is_read_whole),
        T(json_says_the_same),
        T(administrators_can_be_named_by_their_connection),
        T(yaml_says_the_same),
        T(every_storage_type_has_trustees_settings),
        T(each_part_may_have_a_storage_type_of_its_own),
        T(older_dialects_are_read),
        T(what_is_wrong_is_refused_with_a_sentence),
        T(a_missing_file_and_one_that_is_too_large_are_told),
        T(the_table_of_keys_is_sound),
        T(the_cca_configuration_comes_from_the_environment),
        T(plugins_have_the_defaults_of_the_reference),
    };
    return cmocka_run_group_tests_name("kbs: config", tests, NULL, NULL);
}
