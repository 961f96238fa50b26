/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum { NAME_MAX_BYTES = 255, TEMPORARY = 16 };

static vs_span below(const char *dir, const cdh_credential *c)
{
    size_t n = strlen(dir);
    return strncmp(c->path, dir, n) == 0 && c->path[n] == '/' ? vs_str(c->path + n + 1)
                                                              : (vs_span){0};
}

vs_code cdh_credential_check(const char *dir, const cdh_credential *c, vs_error *err)
{
    vs_span rest = below(dir, c);
    if (rest.n == 0 || rest.p[rest.n - 1] == '/')
        return vs_fail(err, VS_E_INVALID, "credential %.200s is not a file below %s", c->path, dir);
    while (rest.n) {
        vs_span s = vs_span_cut(rest, '/', &rest, NULL);
        if (s.n == 0 || s.n > NAME_MAX_BYTES - TEMPORARY || vs_span_is(s, ".") ||
            vs_span_is(s, ".."))
            return vs_fail(err, VS_E_INVALID,
                           "credential %.200s has a segment that is empty, too "
                           "long, \".\" or \"..\"",
                           c->path);
    }
    return VS_OK;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* The directory of the last segment, made as needed; *name is that segment. */
static vs_code enter(const char *dir, vs_span path, int *fd, char name[NAME_MAX_BYTES + 1],
                     vs_error *err)
{
    VS_TRY(vs_make_dirs(dir, 0700, err));
    *fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (;;) {
        bool more;
        vs_span s = vs_span_cut(path, '/', &path, &more);
        (void)snprintf(name, NAME_MAX_BYTES + 1, "%.*s", VS_FMT(s));
        if (*fd < 0 || !more)
            break;
        VS_CLEANUP(close_fd) int above = *fd;
        if (mkdirat(above, name, 0700) != 0 && errno != EEXIST)
            return vs_fail_errno(err, VS_E_IO, errno, "making %s", name);
        *fd = openat(above, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    return *fd >= 0 ? VS_OK : vs_fail_errno(err, VS_E_IO, errno, "entering %s", name);
}

/* A file of its own first: whoever reads sees all of the secret or none. */
static vs_code write_secret(int dir, const char *name, vs_span secret, vs_error *err)
{
    char temporary[NAME_MAX_BYTES + TEMPORARY];
    (void)snprintf(temporary, sizeof temporary, ".%s.new", name);
    (void)unlinkat(dir, temporary, 0);
    VS_CLEANUP(close_fd)
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "writing %s", name);
    vs_code code = vs_write_fd(fd, secret, err);
    if (code == VS_OK && renameat(dir, temporary, dir, name) != 0)
        code = vs_fail_errno(err, VS_E_IO, errno, "writing %s", name);
    if (code != VS_OK)
        (void)unlinkat(dir, temporary, 0);
    return code;
}

static vs_code place(const char *dir, const cdh_credential *c, cdh_source *source, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf secret = VS_BUF(CDH_SECRET_MAX);
    VS_CLEANUP(close_fd) int fd = -1;
    char name[NAME_MAX_BYTES + 1];
    VS_TRY(cdh_credential_check(dir, c, err));
    VS_TRY(cdh_source_get_named(source, vs_str(c->resource_uri), &secret, err));
    VS_TRY(enter(dir, below(dir, c), &fd, name, err));
    return write_secret(fd, name, vs_buf_span(&secret), err);
}

vs_code cdh_credential_place(const char *dir, const cdh_credential *c, cdh_source *source,
                             vs_error *err)
{
    VS_TRY_WRAP(place(dir, c, source, err), err, "credential %s", c->path);
    return VS_OK;
}
