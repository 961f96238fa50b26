/* SPDX-License-Identifier: Apache-2.0 */
#include "net/unix_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/users.h"

static vs_code address_of(const char *path, struct sockaddr_un *out, vs_error *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (path[0] != '/' || n >= sizeof out->sun_path)
        return vs_fail(err, VS_E_INVALID,
                       "the path of a Unix socket is absolute and at most %zu characters: %.200s",
                       sizeof out->sun_path - 1, path);
    memcpy(out->sun_path, path, n + 1);
    return VS_OK;
}

static vs_code make_room(const struct sockaddr_un *addr, vs_error *err)
{
    struct stat st;
    if (lstat(addr->sun_path, &st) != 0)
        return errno == ENOENT ? VS_OK : vs_fail_errno(err, VS_E_IO, errno, "%s", addr->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return vs_fail(err, VS_E_EXISTS, "%s is there and is not a socket", addr->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "socket");
    bool dead =
        connect(fd, (const struct sockaddr *)addr, sizeof *addr) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    if (!dead)
        return vs_fail(err, VS_E_EXISTS, "somebody listens on %s", addr->sun_path);
    if (unlink(addr->sun_path) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "replacing %s", addr->sun_path);
    return VS_OK;
}

static bool give_access(const char *path, const vs_unix_access *access)
{
    if (!access->has_gid || lchown(path, (uid_t)-1, access->gid) == 0)
        return chmod(path, access->mode) == 0;
    return (errno == EPERM || errno == EINVAL) && chmod(path, 0666) == 0;
}

/* The kernel takes what fchmod said for the file that bind makes, so there is no moment in which
 * more may connect than are meant to. */
static bool bind_file(int fd, const struct sockaddr_un *addr, const vs_unix_access *access)
{
    return fchmod(fd, 0600) == 0 && bind(fd, (const struct sockaddr *)addr, sizeof *addr) == 0 &&
           give_access(addr->sun_path, access);
}

vs_code vs_unix_listen(const char *path, const vs_unix_access *access, int backlog,
                       vs_unix_listener *out, int *out_fd, vs_error *err)
{
    struct sockaddr_un addr;
    struct stat st;
    vs_peer_ids_prepare(); /* before a sandbox takes /proc away */
    VS_TRY(address_of(path, &addr, err));
    VS_TRY(make_room(&addr, err));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "socket");
    if (bind_file(fd, &addr, access) && lstat(path, &st) == 0 && listen(fd, backlog) == 0) {
        *out = (vs_unix_listener){path, st.st_dev, st.st_ino};
        *out_fd = fd;
        return VS_OK;
    }
    int why = errno;
    (void)close(fd);
    return vs_fail_errno(err, VS_E_IO, why, "cannot listen on %s", path);
}

void vs_unix_unlink(vs_unix_listener *l)
{
    struct stat st;
    if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
        (void)unlink(l->path);
    l->path = NULL;
}

bool vs_unix_peer_of(int fd, vs_unix_peer *out)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof cred)
        return false;
    *out = (vs_unix_peer){vs_peer_uid(cred.uid), vs_peer_gid(cred.gid), cred.pid};
    return cred.uid != (uid_t)-1;
}

bool vs_unix_peer_is_own(const vs_unix_peer *p)
{
    return p->uid == 0 || p->uid == geteuid();
}
