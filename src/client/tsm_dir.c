/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "client/tsm.h"
#include "client/tsm_socket.h"

/* A fresh instance directory. Everything is opened relative to it, so that it cannot be exchanged
 * under us. */
typedef struct instance {
    const char *path; /* of the device, for messages */
    int base, dir;
    char name[64]; /* empty = not made */
} instance;

static void remove_instance(instance *i)
{
    if (i->dir >= 0)
        (void)close(i->dir);
    if (i->name[0])
        (void)unlinkat(i->base, i->name, AT_REMOVEDIR);
    if (i->base >= 0)
        (void)close(i->base);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static vs_code make_instance(instance *i, vs_error *err)
{
    i->base = open(i->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (i->base < 0)
        return vs_fail_errno(err, errno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, errno,
                             "cannot open %s", i->path);
    uint64_t tag;
    vs_random(&tag, sizeof tag);
    char name[sizeof i->name];
    (void)snprintf(name, sizeof name, "vouchsafe-%ld-%016llx", (long)getpid(),
                   (unsigned long long)tag);
    if (mkdirat(i->base, name, 0700) != 0) {
        if (errno == ENXIO)
            return vs_fail(err, VS_E_NOT_FOUND,
                           "%s has no provider behind it: this is not a confidential guest",
                           i->path);
        return vs_fail_errno(err, VS_E_IO, errno, "cannot make a report instance in %s", i->path);
    }
    memcpy(i->name, name, sizeof name);
    i->dir = openat(i->base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (i->dir < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open the report instance in %s", i->path);
    return VS_OK;
}

static vs_code read_attribute(const instance *i, const char *name, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = openat(i->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open %s of %s", name, i->path);
    VS_TRY_WRAP(vs_read_fd(fd, out, err), err, "%s of %s", name, i->path);
    return VS_OK;
}

/* The kernel commits at close and takes one write only. */
static vs_code write_inblob(const instance *i, vs_span inblob, vs_error *err)
{
    int fd = openat(i->dir, "inblob", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open inblob of %s", i->path);
    ssize_t put = write(fd, inblob.p, inblob.n);
    int why = put < 0 ? errno : EIO;
    bool closed = close(fd) == 0;
    if (put != (ssize_t)inblob.n)
        return vs_fail_errno(err, VS_E_IO, why, "cannot write inblob of %s", i->path);
    return closed ? VS_OK
                  : vs_fail_errno(err, VS_E_IO, errno, "cannot write inblob of %s", i->path);
}

/* One write makes generation 1: more means that somebody else wrote into our instance. */
static vs_code check_generation(const instance *i, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(32);
    VS_TRY(read_attribute(i, "generation", &text, err));
    vs_span n = vs_span_trim(vs_buf_span(&text));
    if (!vs_span_is(n, "0") && !vs_span_is(n, "1"))
        return vs_fail(err, VS_E_CONFLICT,
                       "the report instance was written by another process (generation %.*s)",
                       VS_FMT(n));
    return VS_OK;
}

vs_code tsm_dir_provider(const char *path, vs_buf *provider, vs_error *err)
{
    VS_CLEANUP(remove_instance) instance i = {.path = path, .base = -1, .dir = -1};
    VS_TRY(make_instance(&i, err));
    return read_attribute(&i, "provider", provider, err);
}

vs_code tsm_dir_report(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                       vs_buf *auxblob, vs_error *err)
{
    VS_CLEANUP(remove_instance) instance i = {.path = path, .base = -1, .dir = -1};
    VS_TRY(make_instance(&i, err));
    VS_TRY(read_attribute(&i, "provider", provider, err));
    VS_TRY(write_inblob(&i, inblob, err));
    VS_TRY(read_attribute(&i, "outblob", outblob, err));
    if (auxblob)
        VS_TRY(read_attribute(&i, "auxblob", auxblob, err));
    return check_generation(&i, err);
}
