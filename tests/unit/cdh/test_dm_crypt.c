/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings that cannot be removed, with a kernel that is played: ioctl, open and unlink of the
 * program come here. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/dm-ioctl.h>

#include "cdh/dm_crypt.h"

static struct {
    int busy;     /* so many removals are refused, but one that may be put off is taken */
    int refuses;  /* this errno for each; 0 = none */
    int removals; /* that were asked for */
    bool put_off, unlinked;
} kernel;

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_unlink(const char *path);
int __wrap_usleep(useconds_t us);

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
    struct dm_ioctl *head = arg;
    assert_true(fd >= 0);
    if (request != DM_DEV_REMOVE) {
        errno = request == DM_TABLE_LOAD ? EINVAL : 0;
        return errno ? -1 : 0;
    }
    kernel.removals++;
    assert_string_equal(head->name, "volume");
    if (kernel.refuses) {
        errno = kernel.refuses;
        return -1;
    }
    bool may_wait = head->flags & DM_DEFERRED_REMOVE;
    if (kernel.removals <= kernel.busy) {
        kernel.put_off = may_wait;
        errno = EBUSY;
        return may_wait ? 0 : -1;
    }
    head->flags &= ~(unsigned)DM_DEFERRED_REMOVE;
    return 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
    (void)flags;
    assert_string_equal(path, DM_CRYPT_DIR "/control");
    return dup(0);
}

int __wrap_unlink(const char *path)
{
    assert_string_equal(path, DM_CRYPT_DIR "/volume");
    kernel.unlinked = true;
    return 0;
}

int __wrap_usleep(useconds_t us)
{
    (void)us;
    return 0;
}

static void a_mapping_that_others_keep_open_goes_later_and_is_told_of(void **state)
{
    (void)state;
    static const struct {
        int busy, refuses;
        bool put_off, unlinked;
        const char *told;
    } v[] = {
        {0, 0, false, true, NULL},
        {3, 0, false, true, NULL},
        {49, 0, false, true, NULL},
        {1000, 0, true, true, "is in use: the kernel removes it"},
        {0, ENXIO, false, true, NULL},
        {0, EBUSY, false, false, "stays open, with its key"},
        {0, EPERM, false, false, "stays open, with its key"},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        memset(&kernel, 0, sizeof kernel);
        kernel.busy = v[i].busy;
        kernel.refuses = v[i].refuses;
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        (void)vs_fail(&err, VS_E_IO, "mounting failed");
        dm_crypt_close("volume", &err);
        (void)vs_error_text(&err, text, sizeof text);
        if (kernel.put_off != v[i].put_off || kernel.unlinked != v[i].unlinked)
            fail_msg("case %zu: put off %d, unlinked %d", i, kernel.put_off, kernel.unlinked);
        if (v[i].told ? !strstr(text, v[i].told) : strcmp(text, "mounting failed") != 0)
            fail_msg("case %zu: %s", i, text);
        assert_non_null(strstr(text, "mounting failed"));
        assert_int_equal(err.code, VS_E_IO);
    }
}

static void a_mapping_that_cannot_be_loaded_nor_removed_is_told_of(void **state)
{
    (void)state;
    static const uint8_t key[DM_CRYPT_KEY] = {1};
    const dm_crypt_map m = {.name = "volume",
                            .uuid = "CRYPT-PLAIN-test",
                            .device = 0x801,
                            .size = 4096,
                            .sector_size = 512,
                            .key = key};
    vs_error err = {0};
    char text[VS_ERROR_TEXT];
    memset(&kernel, 0, sizeof kernel);
    kernel.busy = 1000;
    assert_vs_code(dm_crypt_open(&m, &err), VS_E_IO);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "not undone"));
    assert_true(kernel.put_off);
    kernel.busy = kernel.removals = 0;
    err = (vs_error){0};
    assert_vs_code(dm_crypt_open(&m, &err), VS_E_IO);
    assert_null(strstr(vs_error_text(&err, text, sizeof text), "not undone"));
    assert_int_equal(kernel.removals, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_that_others_keep_open_goes_later_and_is_told_of),
        cmocka_unit_test(a_mapping_that_cannot_be_loaded_nor_removed_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
