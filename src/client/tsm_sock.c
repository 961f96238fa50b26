/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/tsm.h"
#include "client/tsm_socket.h"

enum { PATIENCE_S = 30 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static vs_code dial(const char *path, int *fd, vs_error *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(to.sun_path, sizeof to.sun_path, "%s", path) >= sizeof to.sun_path)
        return vs_fail(err, VS_E_INVALID, "the path of a Unix socket has at most %zu bytes: %s",
                       sizeof to.sun_path - 1, path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot make a socket");
    if (connect(*fd, (struct sockaddr *)&to, sizeof to) != 0)
        return vs_fail_errno(err, errno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, errno,
                             "cannot connect to %s", path);
    return VS_OK;
}

static vs_code send_all(int fd, vs_span s, vs_error *err)
{
    while (s.n) {
        ssize_t put = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot write to the report device");
        s = vs_span_from(s, (size_t)put);
    }
    return VS_OK;
}

static vs_code receive_all(int fd, uint8_t *p, size_t n, vs_error *err)
{
    while (n) {
        ssize_t got = recv(fd, p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vs_fail_errno(err, errno == EAGAIN ? VS_E_TIMEOUT : VS_E_IO, errno,
                                 "cannot read from the report device");
        if (got == 0)
            return vs_fail(err, VS_E_IO, "the report device ended the connection early");
        p += got;
        n -= (size_t)got;
    }
    return VS_OK;
}

static vs_code receive_u32(int fd, uint32_t *out, vs_error *err)
{
    uint8_t b[4];
    VS_TRY(receive_all(fd, b, sizeof b, err));
    *out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return VS_OK;
}

static vs_code receive_blob(int fd, size_t max, vs_buf *out, vs_error *err)
{
    uint32_t n;
    VS_TRY(receive_u32(fd, &n, err));
    if (n > max)
        return vs_fail(err, VS_E_LIMIT, "the report device announces %u bytes, more than %zu", n,
                       max);
    uint8_t *p = vs_buf_reserve(out, n);
    if (!p)
        return vs_buf_check(out, err);
    return receive_all(fd, p, n, err);
}

vs_code tsm_sock_report(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                        vs_buf *auxblob, vs_error *err)
{
    (void)auxblob;
    VS_CLEANUP(close_fd) int fd = -1;
    VS_TRY(dial(path, &fd, err));
    const uint8_t head[4] = {0, 0, 0, (uint8_t)inblob.n};
    VS_TRY(send_all(fd, vs_span_of(head, sizeof head), err));
    VS_TRY(send_all(fd, inblob, err));
    uint32_t failed, generation;
    VS_TRY(receive_u32(fd, &failed, err));
    if (failed)
        return vs_fail_errno(err, VS_E_IO, failed < 4096 ? (int)failed : EIO,
                             "the report device refuses");
    VS_TRY(receive_blob(fd, VS_TSM_PROVIDER_MAX, provider, err));
    VS_TRY(receive_u32(fd, &generation, err));
    VS_TRY(receive_blob(fd, VS_TSM_OUTBLOB_MAX, outblob, err));
    if (generation > 1)
        return vs_fail(err, VS_E_CONFLICT,
                       "the report instance was written by another process (generation %u)",
                       generation);
    return VS_OK;
}

vs_code tsm_sock_provider(const char *path, vs_buf *provider, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf none = VS_BUF(VS_TSM_OUTBLOB_MAX);
    return tsm_sock_report(path, (vs_span){0}, provider, &none, NULL, err);
}
