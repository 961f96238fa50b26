/* SPDX-License-Identifier: Apache-2.0 */
/* configfs-tsm, played: a plain directory does not make attributes, so the system calls that make
 * and remove an instance are wrapped (the linker's --wrap). Include this in one file of a program
 * that has the link arguments `played_kernel`. */
#ifndef VS_TEST_PLAYED_KERNEL_H
#define VS_TEST_PLAYED_KERNEL_H

#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "client/attester.h"
#include "client/tsm_socket.h"

static struct {
    bool on;
    const char *provider, *generation;
    int mkdir_errno, outblob_errno;
    size_t outblob_n;
    char written[200];
    ssize_t written_n;
    int made, removed;
    bool link_outblob; /* a symbolic link instead of the attribute */
    /* What is reported for this inblob, instead of outblob_n bytes of any kind; NULL = those. */
    void (*report)(void *user, vs_span inblob, vs_buf *out);
    void *user;
    vs_span auxblob;
    bool has_auxblob;
} kernel;

int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __real_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);

static void put_file(int dir, const char *name, const void *data, size_t n)
{
    int fd = __real_openat64(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), (ssize_t)n);
    (void)close(fd);
}

int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    if (kernel.on && kernel.mkdir_errno) {
        errno = kernel.mkdir_errno;
        return -1;
    }
    int r = __real_mkdirat(dir, name, mode);
    if (!kernel.on || r != 0)
        return r;
    kernel.made++;
    int inst = __real_openat64(dir, name, O_RDONLY | O_DIRECTORY);
    put_file(inst, "provider", kernel.provider, strlen(kernel.provider));
    put_file(inst, "generation", kernel.generation, strlen(kernel.generation));
    put_file(inst, "inblob", "", 0);
    if (kernel.has_auxblob)
        put_file(inst, "auxblob", kernel.auxblob.p, kernel.auxblob.n);
    static uint8_t token[VS_TSM_OUTBLOB_MAX + 10];
    for (size_t i = 0; i < sizeof token; i++)
        token[i] = (uint8_t)(217 + i);
    if (kernel.link_outblob)
        assert_int_equal(symlinkat("provider", inst, "outblob"), 0);
    else
        put_file(inst, "outblob", token, kernel.outblob_n);
    (void)close(inst);
    return 0;
}

int __wrap_openat64(int inst, const char *name, int flags, ...)
{
    if (kernel.on && kernel.outblob_errno && strcmp(name, "outblob") == 0) {
        errno = kernel.outblob_errno;
        return -1;
    }
    if (kernel.on && kernel.report && strcmp(name, "outblob") == 0) {
        VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(100), out = VS_BUF(1 << 16);
        vs_error err = {0};
        int fd = __real_openat64(inst, "inblob", O_RDONLY);
        assert_vs_ok(vs_read_fd(fd, &in, &err), &err);
        (void)close(fd);
        kernel.report(kernel.user, vs_buf_span(&in), &out);
        put_file(inst, "outblob", out.p, out.n);
    }
    return __real_openat64(inst, name, flags, 0600);
}

/* configfs removes the attributes with the instance. */
int __wrap_unlinkat(int dir, const char *name, int flags)
{
    if (kernel.on && flags == AT_REMOVEDIR) {
        kernel.removed++;
        int inst = __real_openat64(dir, name, O_RDONLY | O_DIRECTORY);
        int in = __real_openat64(inst, "inblob", O_RDONLY);
        kernel.written_n = read(in, kernel.written, sizeof kernel.written);
        (void)close(in);
        static const char *const attributes[] = {"provider", "generation", "inblob", "outblob",
                                                 "auxblob"};
        for (size_t i = 0; i < VS_COUNT(attributes); i++)
            (void)__real_unlinkat(inst, attributes[i], 0);
        (void)close(inst);
    }
    return __real_unlinkat(dir, name, flags);
}

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s", P_tmpdir "/vs-tsm-XXXXXX");
    assert_non_null(mkdtemp(dir));
    memset(&kernel, 0, sizeof kernel);
    kernel.on = true;
    kernel.provider = "arm_cca_guest\n";
    kernel.generation = "1\n";
    kernel.outblob_n = 3;
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    kernel.on = false;
    assert_int_equal(rmdir(dir), 0); /* fails when an instance was left behind */
    return 0;
}

static inline attester *detect(const char *path)
{
    attester *a = NULL;
    vs_error err = {0};
    assert_vs_ok(attester_detect(&(attester_config){.tsm_path = path}, &a, &err), &err);
    return a;
}

static void assert_says(vs_error *err, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (!strstr(vs_error_text(err, text, sizeof text), what))
        fail_msg("\"%s\" is not in \"%s\"", what, text);
}

#endif
