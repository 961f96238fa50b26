/* SPDX-License-Identifier: Apache-2.0 */
/* Where the agent's and the hub's settings come from, and which are refused. */
#include "testing.h"

#include "aa/config.h"
#include "cdh/config.h"
#include "client/messages.h"
#include "config/guest.h"

static char path[] = "/tmp/vs-guest-XXXXXX.toml";

static void write_config(const char *text)
{
    vs_error err = {0};
    assert_vs_ok(vs_write_file(path, vs_str(text), 0600, &err), &err);
}

static vs_code load_aa(vs_arena *a, const char *file, const char *params, const char *cmdline,
                       aa_config *out, vs_error *err)
{
    const guest_env env = {.aa_kbc_params = params, .kbs_cert = "ENV PEM"};
    return aa_config_load(file, &env, vs_str(cmdline), a, out, err);
}

static vs_code load_cdh(vs_arena *a, const char *file, const char *params, const char *cmdline,
                        cdh_config *out, vs_error *err)
{
    const guest_env env = {.aa_kbc_params = params};
    return cdh_config_load(file, &env, vs_str(cmdline), a, out, err);
}

static void the_agents_file_is_read(void **state)
{
    (void)state;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    aa_config c;
    vs_error err = {0};
    write_config(
        "[token_configs.kbs]\nurl = \"http://kbs:8080\"\ncert = \"PEM\"\n"
        "tee_key_algorithm = \"ECDH-ES+A256KW-P521\"\n"
        "oldest_protocol = \"0.3.0\"\n"
        "[token_configs.coco_as]\nurl = \"http://as\"\n"
        "[eventlog_config]\ninit_pcr = 8\nenable_eventlog = true\n[log]\nlevel = \"warn\"\n"
        "[callers]\nusers = [\"kata\"]\n[a_later_version]\nx = 1\n");
    assert_vs_ok(load_aa(&a, path, "cc_kbc::http://other", "", &c, &err), &err);
    assert_string_equal(c.kbs_url, "http://kbs:8080"); /* the file wins */
    assert_string_equal(c.kbs_cert, "PEM");
    assert_int_equal(c.tee_key, VS_KEY_P521);
    assert_int_equal(c.oldest_protocol, KBSC_0_3_0);
    assert_string_equal(c.coco_as_url, "http://as");
    assert_int_equal(c.init_pcr, 8);
    assert_true(c.event_log);
    assert_false(c.allow_sample);
    assert_int_equal(c.n_allowed_users, 1);
    write_config("[token_configs.kbs]\nurl = \"http://kbs:8080\"\n");
    assert_vs_ok(load_aa(&a, path, NULL, "", &c, &err), &err);
    assert_null(c.kbs_cert); /* a file says all */
}

static void the_agents_file_is_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[token_configs.kbs]\n",
        "[token_configs.coco_as]\n",
        "[token_configs.kbs]\nurl = 1\n",
        "[token_configs.kbs]\nurl = \"http://k\"\ntee_key_algorithm = \"RSA1_5\"\n",
        "[token_configs.kbs]\nurl = \"http://k\"\ntee_key_algorithm = \"ML-KEM-768+A192KW\"\n",
        "[token_configs.kbs]\nurl = \"http://k\"\noldest_protocol = \"0.1.0\"\n",
        "[eventlog_config]\ninit_pcr = 99\n",
        "[log]\nlevel = \"loud\"\n",
        "not toml",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        VS_CLEANUP(vs_arena_free) vs_arena a;
        vs_arena_init(&a, 0);
        aa_config c;
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        write_config(bad[i]);
        if (load_aa(&a, path, NULL, "", &c, &err) == VS_OK)
            fail_msg("taken: %s", bad[i]);
        assert_non_null(strstr(vs_error_text(&err, text, sizeof text), path));
    }
}

static void without_a_file_the_environment_then_the_kernel_counts(void **state)
{
    (void)state;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    aa_config c;
    vs_error err = {0};
    const char *kernel = "quiet agent.aa_kbc_params=cc_kbc::http://[fd00::1]:8080 agent.x=1";
    assert_vs_ok(load_aa(&a, NULL, "cc_kbc::http://env", kernel, &c, &err), &err);
    assert_string_equal(c.kbs_url, "http://env");
    assert_vs_ok(load_aa(&a, NULL, NULL, kernel, &c, &err), &err);
    assert_string_equal(c.kbs_url, "http://[fd00::1]:8080"); /* upstream breaks at its "::" */
    assert_vs_ok(load_aa(&a, NULL, "offline_fs_kbc::", kernel, &c, &err), &err);
    assert_null(c.kbs_url);
    assert_vs_ok(load_aa(&a, NULL, NULL, "quiet", &c, &err), &err);
    assert_null(c.kbs_url);
    assert_string_equal(c.kbs_cert, "ENV PEM");
    assert_int_equal(c.init_pcr, 17);
    assert_int_equal(c.tee_key, VS_KEY_P256);
    assert_int_equal(c.oldest_protocol, KBSC_0_2_0);
    assert_vs_code(load_aa(&a, NULL, "cc_kbc", "", &c, NULL), VS_E_INVALID);
}

static void the_last_word_of_a_name_counts(void **state)
{
    (void)state;
    vs_span line = VS_LIT("a=1 b xa=2 a=3=4  a.b=5");
    assert_span_is(guest_cmdline_value(line, "a"), "3=4");
    assert_span_is(guest_cmdline_value(line, "a.b"), "5");
    assert_span_is(guest_cmdline_value(line, "b"), "");
    assert_span_is(guest_cmdline_value((vs_span){0}, "a"), "");
}

static void the_hubs_settings_are_read(void **state)
{
    (void)state;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    cdh_config c;
    vs_error err = {0};
    write_config("[kbc]\nname = \"cc_kbc\"\nurl = \"http://k\"\noldest_protocol = \"0.1.1\"\n"
                 "[[credentials]]\npath = \"/a\"\nresource_uri = \"kbs:///a/b/c\"\n"
                 "[image]\nmax_concurrent_layer_downloads_per_image = 3\n");
    const char *kernel = "cdh.kbs_resources=kbs:///d/e/f::/x,kbs+p:///q::/y";
    assert_vs_ok(load_cdh(&a, path, NULL, kernel, &c, &err), &err);
    assert_string_equal(c.socket, "unix:///run/confidential-containers/cdh.sock");
    assert_int_equal(c.n_credentials, 3);
    assert_int_equal(c.oldest_protocol, KBSC_0_1_1);
    assert_string_equal(c.credentials[0].path, "/a");
    assert_string_equal(c.credentials[1].resource_uri, "kbs:///d/e/f");
    assert_string_equal(c.credentials[2].path, "/y");
    assert_vs_ok(load_cdh(&a, NULL, "cc_kbc::http://k2", "", &c, &err), &err);
    assert_string_equal(c.kbc_url, "http://k2");
    assert_int_equal(c.oldest_protocol, KBSC_0_2_0);
    assert_vs_code(load_cdh(&a, NULL, NULL, "", &c, NULL), VS_E_INVALID);
    assert_vs_code(load_cdh(&a, NULL, "eaa_kbc::x", "", &c, NULL), VS_E_UNSUPPORTED);
    assert_vs_code(load_cdh(&a, NULL, "cc_kbc::", "", &c, NULL), VS_E_INVALID);
    assert_vs_code(load_cdh(&a, NULL, "cc_kbc::http://k", "cdh.kbs_resources=kbs:///a", &c, NULL),
                   VS_E_INVALID);
    write_config("[kbc]\nname = \"cc_kbc\"\nurl = \"http://k\"\n[[credentials]]\npath = \"/a\"\n");
    assert_vs_code(load_cdh(&a, path, NULL, "", &c, NULL), VS_E_INVALID);
}

/* guest.md 3.2: what is set already wins over the file, but for the certificate. */
static void the_hubs_environment_has_upstreams_precedence(void **state)
{
    (void)state;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    cdh_config c;
    vs_error err = {0};
    const guest_env env = {"cc_kbc::http://env", "unix:///env.sock", "ENV PEM"};
    const char *kernel = "agent.aa_kbc_params=cc_kbc::https://kernel";
    write_config("[aa]\naa_socket = \"unix:///file.sock\"\n"
                 "[kbc]\nname = \"offline_fs_kbc\"\nkbs_cert = \"FILE PEM\"\n");
    assert_vs_ok(cdh_config_load(path, &env, vs_str(kernel), &a, &c, &err), &err);
    assert_string_equal(c.kbc_name, "cc_kbc");
    assert_string_equal(c.kbc_url, "http://env");
    assert_string_equal(c.aa_socket, "unix:///env.sock");
    assert_string_equal(c.kbs_cert, "FILE PEM");
    assert_vs_ok(cdh_config_load(path, &(guest_env){0}, vs_str(kernel), &a, &c, &err), &err);
    assert_string_equal(c.kbc_name, "offline_fs_kbc");
    assert_string_equal(c.aa_socket, "unix:///file.sock");
    /* An empty certificate of the file is one: the environment's is not taken. */
    write_config("[kbc]\nname = \"cc_kbc\"\nurl = \"http://file\"\nkbs_cert = \"\"\n");
    assert_vs_ok(
        cdh_config_load(path, &(guest_env){.kbs_cert = "ENV PEM"}, (vs_span){0}, &a, &c, &err),
        &err);
    assert_string_equal(c.kbc_url, "http://file");
    assert_string_equal(c.kbs_cert, "");
    /* Without a file, the command line alone with a certificate of the environment. */
    assert_vs_ok(
        cdh_config_load(NULL, &(guest_env){.kbs_cert = "ENV PEM"}, vs_str(kernel), &a, &c, &err),
        &err);
    assert_string_equal(c.kbc_url, "https://kernel");
    assert_string_equal(c.kbs_cert, "ENV PEM");
    assert_string_equal(
        c.aa_socket,
        "unix:///run/confidential-containers/attestation-agent/attestation-agent.sock");
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemps(path, 5);
    return fd < 0 ? -1 : close(fd);
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_agents_file_is_read),
        cmocka_unit_test(the_agents_file_is_checked),
        cmocka_unit_test(without_a_file_the_environment_then_the_kernel_counts),
        cmocka_unit_test(the_last_word_of_a_name_counts),
        cmocka_unit_test(the_hubs_settings_are_read),
        cmocka_unit_test(the_hubs_environment_has_upstreams_precedence),
    };
    return cmocka_run_group_tests(tests, make_file, drop_file);
}
