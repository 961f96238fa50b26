/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd > 2)
        (void)close(*fd);
}

vs_code vs_read_fd(int fd, vs_buf *out, vs_error *err)
{
    for (;;) {
        size_t left = out->cap - out->n;
        size_t want = left < 65536 ? left + 1 : 65536; /* one more than fits shows an excess */
        uint8_t chunk[65536];
        ssize_t got = read(fd, chunk, want < sizeof chunk ? want : sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot read");
        bool over = (size_t)got > left;
        if (!over)
            vs_buf_put(out, vs_span_of(chunk, (size_t)got));
        vs_wipe(chunk, (size_t)got);
        if (over)
            return vs_fail(err, VS_E_LIMIT, "larger than the limit of %zu bytes", out->cap);
        if (got == 0)
            return vs_buf_check(out, err);
    }
}

vs_code vs_read_file(const char *path, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = strcmp(path, "-") == 0 ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return vs_fail_errno(err, errno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, errno,
                             "cannot open %s", path);
    VS_TRY_WRAP(vs_read_fd(fd, out, err), err, "%s", path);
    return VS_OK;
}

vs_code vs_write_fd(int fd, vs_span data, vs_error *err)
{
    while (data.n) {
        ssize_t put = write(fd, data.p, data.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot write");
        data = vs_span_from(data, (size_t)put);
    }
    return VS_OK;
}

static vs_code sync_dir(const char *path, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot sync directory %s", path);
    return VS_OK;
}

static vs_code write_at(const char *path, vs_span data, mode_t mode, bool replace, vs_error *err)
{
    char dir[PATH_MAX], tmp[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash ? snprintf(dir, sizeof dir, "%.*s", (int)(slash - path + 1), path)
                  : snprintf(dir, sizeof dir, "./");
    uint64_t tag;
    vs_random(&tag, sizeof tag);
    int m = snprintf(tmp, sizeof tmp, "%s.tmp-%016llx", dir, (unsigned long long)tag);
    if (n < 0 || m < 0 || (size_t)n >= sizeof dir || (size_t)m >= sizeof tmp)
        return vs_fail(err, VS_E_LIMIT, "path is too long: %s", path);
    VS_CLEANUP(close_fd)
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot create a file in %s", dir);
    vs_code code = vs_write_fd(fd, data, err);
    if (code == VS_OK && fsync(fd) != 0)
        code = vs_fail_errno(err, VS_E_IO, errno, "cannot sync");
    if (code == VS_OK && (replace ? rename(tmp, path) : link(tmp, path)) != 0)
        code = vs_fail_errno(err, errno == EEXIST ? VS_E_EXISTS : VS_E_IO, errno,
                             "cannot put in place");
    if (code != VS_OK || !replace)
        (void)unlink(tmp);
    if (code == VS_OK)
        code = sync_dir(dir, err);
    if (code != VS_OK)
        (void)vs_wrap(err, "writing %s", path);
    return code;
}

vs_code vs_write_file(const char *path, vs_span data, mode_t mode, vs_error *err)
{
    return write_at(path, data, mode, true, err);
}

vs_code vs_create_file(const char *path, vs_span data, mode_t mode, vs_error *err)
{
    return write_at(path, data, mode, false, err);
}

vs_code vs_make_dirs(const char *path, mode_t mode, vs_error *err)
{
    char p[PATH_MAX];
    if ((size_t)snprintf(p, sizeof p, "%s", path) >= sizeof p)
        return vs_fail(err, VS_E_LIMIT, "path is too long: %s", path);
    for (char *s = p + 1;; s++) {
        if (*s != '/' && *s != 0)
            continue;
        char was = *s;
        *s = 0;
        if (mkdir(p, mode) != 0 && errno != EEXIST)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot make directory %s", p);
        *s = was;
        if (!was)
            return VS_OK;
    }
}

void vs_random(void *p, size_t n)
{
    uint8_t *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        at += got;
        n -= (size_t)got;
    }
}
