/* SPDX-License-Identifier: Apache-2.0 */
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

#define OURS ".vouchsafe"
#define TEMP OURS "/tmp"
enum { STALE_S = 600 }; /* nobody writes a file for longer than this */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* ---- opening --------------------------------------------------------------------------------- */

int files_open_by_steps(int root, const char *rel, int flags)
{
    if (strcmp(rel, ".") == 0)
        return openat(root, rel, flags | O_CLOEXEC);
    int at = dup(root);
    while (at >= 0) {
        const char *slash = strchr(rel, '/');
        char part[NAME_MAX + 1];
        size_t n = slash ? (size_t)(slash - rel) : strlen(rel);
        int next = -1;
        if (n == 0 || n > NAME_MAX || (n <= 2 && strncmp(rel, "..", n) == 0)) {
            errno = n > NAME_MAX ? ENAMETOOLONG : EINVAL;
        } else {
            memcpy(part, rel, n);
            part[n] = 0;
            next = openat(at, part,
                          slash ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
                                : flags | O_NOFOLLOW | O_CLOEXEC);
        }
        int eno = errno;
        (void)close(at);
        errno = eno;
        if (!slash)
            return next;
        at = next;
        rel = slash + 1;
    }
    return -1;
}

int files_open(int root, const char *rel, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd;
    do
        fd = syscall(SYS_openat2, root, rel, &how, sizeof how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* an old kernel, or a filter for one */
        return files_open_by_steps(root, rel, flags);
    return (int)fd;
}

static bool means_absent(int eno)
{
    return eno == ENOENT || eno == ENOTDIR || eno == EISDIR;
}

vs_code files_read(int root, const char *rel, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = files_open(root, rel, O_RDONLY | O_NONBLOCK);
    if (fd < 0 && means_absent(errno))
        return VS_E_NOT_FOUND;
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open %s", rel);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot look at %s", rel);
    if (S_ISDIR(st.st_mode))
        return VS_E_NOT_FOUND;
    if (!S_ISREG(st.st_mode))
        return vs_fail(err, VS_E_IO, "%s is not a regular file", rel);
    if ((uint64_t)st.st_size > out->cap - out->n) /* before a byte is copied */
        return vs_fail(err, VS_E_LIMIT, "%s is larger than %zu bytes", rel, out->cap - out->n);
    VS_TRY_WRAP(vs_read_fd(fd, out, err), err, "%s", rel);
    return VS_OK;
}

bool files_there(int root, const char *rel)
{
    VS_CLEANUP(close_fd) int fd = files_open(root, rel, O_PATH);
    return fd >= 0;
}

/* ---- directories ----------------------------------------------------------------------------- */

/* The directory that `rel` lies in, made when asked for; *name = the last part. */
static int open_parent(int root, const char *rel, bool make, const char **name)
{
    int at = dup(root);
    const char *slash;
    for (*name = rel; at >= 0 && (slash = strchr(*name, '/')) != NULL; *name = slash + 1) {
        char path[FILES_PATH + 64], part[NAME_MAX + 1];
        size_t n = (size_t)(slash - *name), upto = (size_t)(slash - rel);
        int next = -1;
        if (n > NAME_MAX || upto >= sizeof path) {
            errno = ENAMETOOLONG;
        } else {
            memcpy(path, rel, upto);
            path[upto] = 0;
            memcpy(part, *name, n);
            part[n] = 0;
            bool fresh = make && mkdirat(at, part, 0700) == 0;
            next = files_open(root, path, O_RDONLY | O_DIRECTORY);
            if (fresh && next >= 0)
                (void)fsync(at); /* the new name itself */
        }
        int eno = errno;
        (void)close(at);
        errno = eno;
        at = next;
    }
    return at;
}

static void drop_stale(int root)
{
    int fd = files_open(root, TEMP, O_RDONLY | O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        close_fd(&fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        struct stat st;
        if (e->d_name[0] != '.' && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < time(NULL) - STALE_S)
            (void)unlinkat(fd, e->d_name, 0);
    }
    (void)closedir(d);
}

vs_code files_open_root(const char *path, int *fd, vs_error *err)
{
    *fd = -1;
    VS_TRY(vs_make_dirs(path, 0700, err));
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open directory %s", path);
    drop_stale(*fd);
    return VS_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

vs_code files_prepare(int root, vs_span data, files_temp *out, vs_error *err)
{
    uint64_t tag;
    vs_random(&tag, sizeof tag);
    (void)snprintf(out->rel, sizeof out->rel, TEMP "/%016llx", (unsigned long long)tag);
    const char *name;
    VS_CLEANUP(close_fd) int dir = open_parent(root, out->rel, true, &name);
    if (dir < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot make directory %s", TEMP);
    VS_CLEANUP(close_fd)
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot create a temporary file");
    vs_code code = vs_write_fd(fd, data, err);
    if (code == VS_OK && fsync(fd) != 0)
        code = vs_fail_errno(err, VS_E_IO, errno, "cannot sync a temporary file");
    if (code != VS_OK)
        (void)unlinkat(dir, name, 0);
    return code;
}

void files_drop(int root, const files_temp *t)
{
    const char *name;
    VS_CLEANUP(close_fd) int dir = open_parent(root, t->rel, false, &name);
    if (dir >= 0)
        (void)unlinkat(dir, name, 0);
}

vs_code files_look(int root, vs_error *err)
{
    struct stat st;
    VS_CLEANUP(close_fd) int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open the directory");
    if (st.st_nlink == 0)
        return vs_fail(err, VS_E_IO, "the directory was removed");
    return VS_OK;
}

vs_code files_probe(int root, vs_error *err)
{
    files_temp t;
    VS_TRY(files_look(root, err));
    VS_TRY(files_prepare(root, VS_LIT("probe"), &t, err));
    files_drop(root, &t);
    return VS_OK;
}

static vs_code move(int root, const files_temp *t, const char *rel, bool exclusive, vs_error *err)
{
    const char *from_name, *to_name;
    VS_CLEANUP(close_fd) int from = open_parent(root, t->rel, false, &from_name);
    VS_CLEANUP(close_fd) int to = open_parent(root, rel, true, &to_name);
    if (from < 0 || to < 0)
        return vs_fail_errno(err, errno == ENOTDIR ? VS_E_CONFLICT : VS_E_IO, errno,
                             "cannot open the directory of %s", rel);
    int rc = exclusive ? linkat(from, from_name, to, to_name, 0)
                       : renameat(from, from_name, to, to_name);
    if (rc != 0) {
        vs_code code = errno == EEXIST                         ? VS_E_EXISTS
                       : errno == EISDIR || errno == ENOTEMPTY ? VS_E_CONFLICT
                       : errno == ENAMETOOLONG                 ? VS_E_INVALID
                                                               : VS_E_IO;
        return vs_fail_errno(err, code, errno, "cannot put %s in place", rel);
    }
    if (fsync(to) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot sync the directory of %s", rel);
    return VS_OK;
}

vs_code files_move(int root, const files_temp *t, const char *rel, bool exclusive, vs_error *err)
{
    vs_code code = move(root, t, rel, exclusive, err);
    if (exclusive || code != VS_OK)
        files_drop(root, t);
    return code;
}

vs_code files_remove(int root, const char *rel, vs_error *err)
{
    const char *name;
    VS_CLEANUP(close_fd) int dir = open_parent(root, rel, false, &name);
    if (dir < 0 && means_absent(errno))
        return VS_E_NOT_FOUND;
    if (dir < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open the directory of %s", rel);
    if (unlinkat(dir, name, 0) != 0) {
        if (means_absent(errno))
            return VS_E_NOT_FOUND;
        return vs_fail_errno(err, VS_E_IO, errno, "cannot remove %s", rel);
    }
    if (fsync(dir) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot sync the directory of %s", rel);
    return VS_OK;
}

/* ---- listing --------------------------------------------------------------------------------- */

void files_add_name(files_names *l, vs_span name)
{
    if (l->n == l->room) {
        size_t room = l->room ? l->room * 2 : 64;
        vs_span *more = vs_grow(&l->a, l->items, l->n, room, sizeof *more);
        if (!more)
            return;
        l->items = more;
        l->room = room;
    }
    l->items[l->n++] = vs_dup(&l->a, name);
}

static int by_bytes(const void *a, const void *b)
{
    return vs_span_cmp(*(const vs_span *)a, *(const vs_span *)b);
}

void files_sort_names(files_names *l)
{
    if (l->n)
        qsort(l->items, l->n, sizeof *l->items, by_bytes);
}

vs_code files_each(int root, const char *rel,
                   vs_code (*each)(void *user, const char *name, vs_error *err), void *user,
                   vs_error *err)
{
    int fd = files_open(root, rel, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && means_absent(errno))
        return VS_OK;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        vs_code code = vs_fail_errno(err, VS_E_IO, errno, "cannot open directory %s", rel);
        close_fd(&fd);
        return code;
    }
    vs_code code = VS_OK;
    struct dirent *e;
    for (errno = 0; code == VS_OK && (e = readdir(d)) != NULL; errno = 0)
        if (e->d_name[0] != '.')
            code = each(user, e->d_name, err);
    if (code == VS_OK && errno != 0)
        code = vs_fail_errno(err, VS_E_IO, errno, "cannot list directory %s", rel);
    (void)closedir(d);
    return code;
}
