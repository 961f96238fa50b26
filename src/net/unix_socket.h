/* SPDX-License-Identifier: Apache-2.0 */
/* Listening on a Unix socket, and who is at the other end of one. */
#ifndef VS_NET_UNIX_SOCKET_H
#define VS_NET_UNIX_SOCKET_H

#include <sys/stat.h>

#include "net/http_server.h"

typedef struct vs_unix_listener {
    const char *path; /* NULL = none */
    dev_t dev;        /* of the socket that was made */
    ino_t ino;
} vs_unix_listener;

/* Of the socket's file. Where this process may not give it the group (without CAP_CHOWN, or in a
 * user namespace that has no such group), everybody may connect: ask who it is. */
typedef struct vs_unix_access {
    mode_t mode;
    bool has_gid;
    gid_t gid;
} vs_unix_access;

/* Makes the socket. One that is there and that nobody listens on is replaced; what is no socket, or
 * in use, is an error. `path` must outlive the listener. */
VS_MUST vs_code vs_unix_listen(const char *path, const vs_unix_access *access, int backlog,
                               vs_unix_listener *out, int *fd, vs_error *err);
/* Removes the socket if it is still the one that was made. */
void vs_unix_unlink(vs_unix_listener *l);
/* False when the kernel does not tell: then nobody must be assumed. A user or group that is not in
 * this process's user namespace is VS_ID_NOBODY. */
VS_MUST bool vs_unix_peer_of(int fd, vs_unix_peer *out);
/* It is root, or this process's user. */
bool vs_unix_peer_is_own(const vs_unix_peer *p);

#endif
