/* SPDX-License-Identifier: Apache-2.0 */
/* SecureMount, as far as no block device is needed: what is asked for is checked before anything is
 * touched. The rest is in tests/e2e/guest-vm.bats. */
#include "secrets.h"

#include "cdh/secure_mount.h"

enum { MOST = 8 };

typedef struct ask {
    const char *type, *mount_point;
    const char *options[2 * MOST]; /* names and values */
} ask;

static cdh_mount_request request_of(const ask *q, cdh_mount_option options[MOST])
{
    cdh_mount_request r = {.volume_type = vs_str(q->type ? q->type : "block-device"),
                           .mount_point = vs_str(q->mount_point ? q->mount_point : "/mnt"),
                           .options = options};
    for (size_t i = 0; q->options[i]; i += 2)
        options[r.n_options++] =
            (cdh_mount_option){vs_str(q->options[i]), vs_str(q->options[i + 1])};
    return r;
}

#define OPEN                                                                                       \
    "sourceType", "encrypted", "targetType", "fileSystem", "encryptionType", "luks2", "key",       \
        "kbs:///default/disk/1"
#define EMPTY "sourceType", "empty", "targetType", "fileSystem", "encryptionType", "luks2"
#define DISK  "devicePath", "/dev/vdb"

/* ---- what is asked for ----------------------------------------------------------------------- */

static void plans_are_made_of_upstreams_options(void **state)
{
    (void)state;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    cdh_mount_option options[MOST];
    cdh_mount_plan p, q;
    const ask open = {
        .options = {DISK, OPEN, "filesystemType", "ext4", "headerDigest", "kbs:///d"}};
    cdh_mount_request r = request_of(&open, options);
    assert_vs_ok(cdh_mount_plan_of(&r, &a, &p, &err), &err);
    assert_false(p.is_empty || p.is_device);
    assert_string_equal(p.device_path, "/dev/vdb");
    assert_string_equal(p.key, "kbs:///default/disk/1");
    assert_string_equal(p.header_digest, "kbs:///d");
    assert_string_equal(p.mount_point, "/mnt");
    assert_int_equal(strlen(p.mapper_name), 32);
    assert_vs_ok(cdh_mount_plan_of(&r, &a, &q, &err), &err);
    assert_string_not_equal(p.mapper_name, q.mapper_name);

    const ask empty = {.options = {"deviceId", "8:16", EMPTY, "mapperName", "a_b-c.1", "mkfsOpts",
                                   "-m 0", "dataIntegrity", "false"}};
    r = request_of(&empty, options);
    assert_vs_ok(cdh_mount_plan_of(&r, &a, &p, &err), &err);
    assert_true(p.is_empty);
    assert_string_equal(p.mapper_name, "a_b-c.1");
    assert_string_equal(p.mkfs_opts, "-m 0");
}

static void what_is_not_here_or_makes_no_sense_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        ask q;
        vs_code code;
        const char *words;
    } asks[] = {
        {{"alibaba-cloud-oss", NULL, {NULL}}, VS_E_UNSUPPORTED, "\"alibaba-cloud-oss\""},
        {{"", NULL, {NULL}}, VS_E_UNSUPPORTED, "only \"block-device\""},
        {{.options = {DISK, "sourceType", "empty", "encryptionType", "zfs", "pool", "p"}},
         VS_E_UNSUPPORTED,
         "\"zfs\" is not supported"},
        {{.options = {DISK, EMPTY, "dataIntegrity", "true"}},
         VS_E_UNSUPPORTED,
         "\"dataIntegrity\""},
        {{.options = {DISK, EMPTY, "pool", "p"}}, VS_E_INVALID, "\"pool\""},
        {{.options = {DISK, EMPTY, "filesystemType", "xfs"}}, VS_E_INVALID, "\"xfs\""},
        {{.options = {DISK, EMPTY, "headerdigest", "x"}},
         VS_E_INVALID,
         "no option \"headerdigest\""},
        {{.options = {DISK, EMPTY, "headerDigest", "x"}}, VS_E_INVALID, "\"headerDigest\" is for"},
        {{.options = {DISK, EMPTY, DISK}}, VS_E_INVALID, "\"devicePath\" is there twice"},
        {{.options = {EMPTY}}, VS_E_INVALID, "\"deviceId\" or \"devicePath\""},
        {{.options = {DISK, OPEN, "mkfsOpts", "-m 0"}}, VS_E_INVALID, "\"mkfsOpts\""},
        {{.options = {DISK, OPEN, "mapperName", "../x"}}, VS_E_INVALID, "no name for a mapping"},
        {{.options = {DISK, OPEN, "mapperName", "control"}}, VS_E_INVALID, "no name for a mapping"},
        {{.options = {DISK, OPEN, "mapperName", ""}}, VS_E_INVALID, "no name for a mapping"},
        {{.options = {DISK, OPEN, "mapperName", ".."}}, VS_E_INVALID, "no name for a mapping"},
        {{.mount_point = "mnt", .options = {DISK, OPEN}}, VS_E_INVALID, "no absolute path"},
        {{.mount_point = "/", .options = {DISK, OPEN}}, VS_E_INVALID, "no absolute path"},
        {{.mount_point = "", .options = {DISK, OPEN}}, VS_E_INVALID, "no absolute path"},
        {{.options = {DISK}}, VS_E_INVALID, "\"encryptionType\" is missing"},
        {{.options = {DISK, "encryptionType", "luks1"}}, VS_E_INVALID, "\"luks1\""},
        {{.options = {DISK, "encryptionType", "luks2"}}, VS_E_INVALID, "\"sourceType\" is missing"},
        {{.options = {DISK, "encryptionType", "luks2", "sourceType", "other"}},
         VS_E_INVALID,
         "\"other\""},
        {{.options = {DISK, "encryptionType", "luks2", "sourceType", "empty"}},
         VS_E_INVALID,
         "\"targetType\" is missing"},
        {{.options = {DISK, "encryptionType", "luks2", "sourceType", "encrypted", "targetType",
                      "device"}},
         VS_E_INVALID,
         "\"key\" is required"},
    };
    for (size_t i = 0; i < VS_COUNT(asks); i++) {
        VS_CLEANUP(vs_arena_free) vs_arena a;
        vs_arena_init(&a, 0);
        cdh_mount_option options[MOST];
        cdh_mount_plan p;
        vs_error err = {0};
        char said[VS_ERROR_TEXT];
        cdh_mount_request r = request_of(&asks[i].q, options);
        vs_code code = cdh_mount_plan_of(&r, &a, &p, &err);
        (void)vs_error_text(&err, said, sizeof said);
        if (code != asks[i].code || !strstr(said, asks[i].words))
            fail_msg("%s \"%s\", want %s \"%s\"", vs_code_name(code), said,
                     vs_code_name(asks[i].code), asks[i].words);
    }
}

static void a_nul_in_a_text_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    cdh_mount_option options[MOST];
    cdh_mount_plan p;
    const ask q = {.options = {DISK, OPEN}};
    cdh_mount_request r = request_of(&q, options);
    r.mount_point = VS_LIT("/mnt\0/x");
    assert_vs_code(cdh_mount_plan_of(&r, &a, &p, NULL), VS_E_INVALID);
    r.mount_point = VS_LIT("/mnt");
    options[0].value = VS_LIT("/dev/vdb\0");
    assert_vs_code(cdh_mount_plan_of(&r, &a, &p, NULL), VS_E_INVALID);
}

/* ---- devices --------------------------------------------------------------------------------- */

static void only_block_devices_are_opened(void **state)
{
    (void)state;
    VS_CLEANUP(cdh_source_free) cdh_source *s = source_of(NULL, 0);
    const cdh_sealed_options secrets = {.source = s};
    static const struct {
        const char *option, *value, *words;
    } devices[] = {
        {"devicePath", "/dev/null", "/dev/null is no block device"},
        {"devicePath", "/etc/passwd", "/etc/passwd is no block device"},
        {"devicePath", "/", "/ is no block device"},
        {"devicePath", "/nonexistent/disk", "opening /nonexistent/disk"},
        {"deviceId", "4095:1048575", "there is no block device 4095:1048575"},
        {"deviceId", "8", "must be MAJOR:MINOR"},
        {"deviceId", "8:../../8:16", "must be MAJOR:MINOR"},
        {"deviceId", ":", "must be MAJOR:MINOR"},
        {"deviceId", "4096:0", "must be MAJOR:MINOR"},
    };
    for (size_t i = 0; i < VS_COUNT(devices); i++) {
        const ask q = {.options = {devices[i].option, devices[i].value, OPEN}};
        cdh_mount_option options[MOST];
        vs_error err = {0};
        char said[VS_ERROR_TEXT];
        cdh_mount_request r = request_of(&q, options);
        assert_true(cdh_secure_mount(&secrets, &r, &err) != VS_OK);
        if (!strstr(vs_error_text(&err, said, sizeof said), devices[i].words))
            fail_msg("\"%s\" does not say \"%s\"", said, devices[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_made_of_upstreams_options),
        cmocka_unit_test(what_is_not_here_or_makes_no_sense_is_refused_by_name),
        cmocka_unit_test(a_nul_in_a_text_is_refused),
        cmocka_unit_test(only_block_devices_are_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
