/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/secure_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/openat2.h>

#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "cdh/dm_crypt.h"
#include "cdh/luks2_key.h"

enum {
    KEY_MAX = 64 * 1024,
    UEVENT_MAX = 4096,
    UUID_TEXT = 128,
    MKFS_WORDS = 64,
    PROGRAM_WAIT_US = 20000,
    KILL_WAITS = 250 /* of that kind: 5 s */
};

#define FILE_URI "file://"

extern char **environ;

/* A volume on its way from the device to the mount point. */
typedef struct volume {
    cdh_mount_plan plan;
    const cdh_mount_request *request;
    vs_arena *a;
    int fd; /* of the device; -1 = none */
    dev_t device;
    uint64_t device_size;
    char uuid[UUID_TEXT];
    uint64_t offset, size;
    uint32_t sector_size;
    char digest[2 * LUKS2_DIGEST + 1]; /* of the header; "" = none */
    vs_buf key;                        /* of the volume */
} volume;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool is_gone(const volume *v)
{
    return v->request->is_gone && v->request->is_gone(v->request->caller);
}

/* Asked last before anybody can see the volume: who has left does not know that it is there, and
 * would find the device in use when it asks again. */
static vs_code check_wanted(const volume *v, vs_error *err)
{
    return is_gone(v) ? vs_fail(err, VS_E_TIMEOUT, "the caller has left: the volume is not wanted")
                      : VS_OK;
}

/* ---- the device ------------------------------------------------------------------------------ */

/* The kernel's name of a device by its numbers. */
static vs_code path_of_id(const char *id, vs_arena *a, const char **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(UEVENT_MAX);
    uint64_t numbers;
    bool found;
    vs_span minor_part, major_part = vs_span_cut(vs_str(id), ':', &minor_part, &found);
    if (!found || !vs_span_decimal(major_part, 4095, &numbers) ||
        !vs_span_decimal(minor_part, 1048575, &numbers))
        return vs_fail(err, VS_E_INVALID, "\"deviceId\" is \"%.32s\", must be MAJOR:MINOR", id);
    const char *uevent = vs_sprintf(a, "/sys/dev/block/%s/uevent", id);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY_WRAP(vs_read_file(uevent, &text, err), err, "there is no block device %s", id);
    for (vs_span rest = vs_buf_span(&text); rest.n;) {
        vs_span line = vs_span_cut(rest, '\n', &rest, NULL);
        if (vs_span_starts(line, VS_LIT("DEVNAME="))) {
            *out = vs_sprintf(a, "/dev/%.*s", VS_FMT(vs_span_from(line, sizeof "DEVNAME=" - 1)));
            return vs_arena_check(a, err);
        }
    }
    return vs_fail(err, VS_E_NOT_FOUND, "the block device %s has no name", id);
}

/* O_EXCL: not while a file system or another mapping has it. dm-crypt itself would share it with
 * other mappings. */
static vs_code check_unused(const char *path, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return vs_fail_errno(err, errno == EBUSY ? VS_E_CONFLICT : VS_E_IO, errno, "opening %s",
                             path);
    return VS_OK;
}

static vs_code open_device(volume *v, vs_error *err)
{
    const char *path = v->plan.device_path;
    struct stat st;
    if (v->plan.device_id)
        VS_TRY(path_of_id(v->plan.device_id, v->a, &path, err));
    v->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (v->fd < 0 || fstat(v->fd, &st) != 0)
        return vs_fail_errno(err, errno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, errno, "opening %s",
                             path);
    if (!S_ISBLK(st.st_mode))
        return vs_fail(err, VS_E_INVALID, "%s is no block device", path);
    v->device = st.st_rdev;
    const char *id = vs_sprintf(v->a, "%u:%u", major(v->device), minor(v->device));
    if (v->plan.device_id && strcmp(id, v->plan.device_id) != 0)
        return vs_fail(err, VS_E_MISMATCH, "%s is device %s, not %s", path, id, v->plan.device_id);
    if (ioctl(v->fd, BLKGETSIZE64, &v->device_size) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "asking for the size of %s", path);
    return check_unused(path, err);
}

/* ---- its key --------------------------------------------------------------------------------- */

static vs_code fetch(const cdh_sealed_options *secrets, const char *where, vs_buf *out,
                     vs_error *err)
{
    vs_span text = vs_str(where);
    if (vs_span_starts(text, VS_LIT("sealed.")))
        return cdh_unseal(secrets, text, out, err);
    if (cdh_is_uri(text))
        return cdh_source_get_named(secrets->source, text, out, err);
    if (vs_span_starts(text, VS_LIT(FILE_URI "/")))
        return vs_read_file(where + sizeof FILE_URI - 1, out, err);
    return vs_fail(err, VS_E_INVALID,
                   "it must be a sealed secret, a URI kbs:///... or file:///..., not a value");
}

/* The digest itself, or where it is: it is no secret, but must come from whoever is trusted. */
static vs_code check_digest(const cdh_sealed_options *secrets, const volume *v, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KEY_MAX);
    vs_span want = vs_str(v->plan.header_digest);
    if (want.n != sizeof v->digest - 1) {
        VS_TRY(fetch(secrets, v->plan.header_digest, &text, err));
        want = vs_span_trim(vs_buf_span(&text));
    }
    if (!vs_span_ieq(want, vs_str(v->digest)))
        return vs_fail(err, VS_E_MISMATCH,
                       "the header on the disk has the digest %s, which is not the expected one: "
                       "it was changed, or is that of another volume",
                       v->digest);
    return VS_OK;
}

static vs_code open_luks2(const cdh_sealed_options *secrets, volume *v, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf passphrase = VS_BUF(KEY_MAX);
    uint8_t sum[LUKS2_DIGEST];
    luks2_header h;
    VS_TRY_WRAP(luks2_read(v->fd, v->device_size, &h, err), err, "LUKS2 header");
    VS_TRY(luks2_header_digest(&h, sum, err));
    for (size_t i = 0; i < sizeof sum; i++)
        (void)snprintf(v->digest + 2 * i, 3, "%02x", sum[i]);
    if (v->plan.header_digest)
        VS_TRY_WRAP(check_digest(secrets, v, err), err, "headerDigest");
    VS_TRY_WRAP(fetch(secrets, v->plan.key, &passphrase, err), err, "key");
    VS_TRY(luks2_unlock(v->fd, &h, vs_buf_span(&passphrase), &v->key, err));
    v->offset = h.data_offset;
    v->size = h.data_size;
    v->sector_size = h.sector_size;
    (void)snprintf(v->uuid, sizeof v->uuid, "CRYPT-LUKS2-%s-vouchsafe", h.uuid);
    return VS_OK;
}

/* Upstream formats with a header that only memory holds, so that nobody opens the volume again. A
 * header that is never written is not needed: the volume's key is random, and known here only. A
 * key that is given is not used. */
static vs_code open_empty(volume *v, vs_error *err)
{
    enum { LARGE_SECTOR = 4096 };
    v->sector_size = LARGE_SECTOR;
    v->size = v->device_size / LARGE_SECTOR * LARGE_SECTOR;
    if (v->size == 0)
        return vs_fail(err, VS_E_INVALID, "the device is empty");
    uint8_t *key = vs_buf_reserve(&v->key, LUKS2_KEY);
    VS_TRY(vs_buf_check(&v->key, err));
    vs_random(key, LUKS2_KEY);
    (void)snprintf(v->uuid, sizeof v->uuid, "CRYPT-PLAIN-vouchsafe-%u-%u", major(v->device),
                   minor(v->device));
    return VS_OK;
}

/* ---- the target ------------------------------------------------------------------------------ */

/* No part of the path may be a link: whoever could place one would choose what is mounted over. */
static vs_code open_directory(const char *path, int *fd, vs_error *err)
{
    const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                 .resolve = RESOLVE_NO_SYMLINKS};
    *fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (*fd < 0)
        return vs_fail_errno(err, errno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, errno,
                             "%s must be a directory, with no symbolic link on the way to it",
                             path);
    return VS_OK;
}

static vs_code make_link(const volume *v, const char *to, vs_error *err)
{
    VS_CLEANUP(close_fd) int dir = -1;
    const char *from = v->plan.mount_point;
    const char *slash = strrchr(from, '/');
    vs_span above = slash == from ? VS_LIT("/") : vs_span_of(from, (size_t)(slash - from));
    const char *parent = vs_sprintf(v->a, "%.*s", VS_FMT(above));
    VS_TRY(vs_arena_check(v->a, err));
    VS_TRY(open_directory(parent, &dir, err));
    VS_TRY(check_wanted(v, err));
    if (symlinkat(to, dir, slash + 1) != 0)
        return vs_fail_errno(err, errno == EEXIST ? VS_E_EXISTS : VS_E_IO, errno,
                             "making the link %s", from);
    return VS_OK;
}

/* The file system, mounted nowhere yet: closing *fd undoes it. */
static vs_code open_ext4(const char *device, int *fd, vs_error *err)
{
    VS_CLEANUP(close_fd) int fs = fsopen("ext4", FSOPEN_CLOEXEC);
    if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) != 0 ||
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "opening the ext4 file system");
    *fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOATIME | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return *fd >= 0 ? VS_OK : vs_fail_errno(err, VS_E_IO, errno, "mounting the ext4 file system");
}

/* The directory that was checked is the one that is mounted on: by its descriptor. */
static vs_code mount_ext4(const volume *v, const char *device, int dir, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = -1;
    VS_TRY(open_ext4(device, &fd, err));
    VS_TRY(check_wanted(v, err));
    if (move_mount(fd, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "mounting the ext4 file system on %s",
                             v->plan.mount_point);
    return VS_OK;
}

static vs_code spawn(char *const *argv, pid_t *pid, vs_error *err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    (void)sigemptyset(&none);
    if (posix_spawn_file_actions_init(&files) != 0 || posix_spawnattr_init(&attr) != 0)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    int eno = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
    eno = eno ? eno : posix_spawn_file_actions_adddup2(&files, 0, 1);
    eno = eno ? eno : posix_spawnattr_setsigmask(&attr, &none);
    eno = eno ? eno : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    eno = eno ? eno : posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attr);
    return eno ? vs_fail_errno(err, VS_E_IO, eno, "starting %s (package e2fsprogs)", argv[0])
               : VS_OK;
}

/* A large disk takes its time; nobody waits for it once the caller has left. */
static vs_code run_program(const volume *v, char *const *argv, vs_error *err)
{
    pid_t pid, done;
    int status = -1;
    int since_killed = 0;
    VS_TRY(spawn(argv, &pid, err));
    while ((done = waitpid(pid, &status, WNOHANG)) == 0 || (done < 0 && errno == EINTR)) {
        if (since_killed > KILL_WAITS)
            break;
        if (since_killed || (is_gone(v) && kill(pid, SIGKILL) == 0))
            since_killed++;
        (void)usleep(PROGRAM_WAIT_US);
    }
    if (since_killed && done == 0)
        vs_log(VS_LOG_ERROR, "cdh", "a program was killed and does not end: does the disk answer?",
               "program", argv[0], NULL);
    if (since_killed)
        return check_wanted(v, err);
    if (done < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return vs_fail(err, VS_E_IO, "%s failed", argv[0]);
    return VS_OK;
}

static vs_code make_ext4(const volume *v, const char *device, vs_error *err)
{
    const char *words[MKFS_WORDS + 1] = {"mkfs.ext4", "-q", "-F", device};
    size_t n = 4;
    for (vs_span rest = vs_span_trim(vs_str(v->plan.mkfs_opts)); rest.n;
         rest = vs_span_trim(rest)) {
        vs_span word = vs_span_cut(rest, ' ', &rest, NULL);
        if (n == MKFS_WORDS)
            return vs_fail(err, VS_E_LIMIT, "\"mkfsOpts\" has too many words");
        words[n++] = (const char *)vs_dup(v->a, word).p;
    }
    VS_TRY(vs_arena_check(v->a, err));
    return run_program(v, (char *const *)words, err); /* which does not write to them */
}

static vs_code place_file_system(const volume *v, const char *node, vs_error *err)
{
    VS_CLEANUP(close_fd) int dir = -1;
    VS_TRY(open_directory(v->plan.mount_point, &dir, err));
    if (v->plan.is_empty)
        VS_TRY(make_ext4(v, node, err));
    return mount_ext4(v, node, dir, err);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static vs_code map_and_place(const volume *v, vs_error *err)
{
    const cdh_mount_plan *p = &v->plan;
    const dm_crypt_map map = {.name = p->mapper_name,
                              .uuid = v->uuid,
                              .device = v->device,
                              .offset = v->offset,
                              .size = v->size,
                              .sector_size = v->sector_size,
                              .key = v->key.p};
    const char *node = vs_sprintf(v->a, DM_CRYPT_DIR "/%s", p->mapper_name);
    VS_TRY(vs_arena_check(v->a, err));
    VS_TRY(dm_crypt_open(&map, err));
    vs_code code = p->is_device ? make_link(v, node, err) : place_file_system(v, node, err);
    if (code != VS_OK)
        dm_crypt_close(p->mapper_name, err);
    return code;
}

static vs_code run(const cdh_sealed_options *secrets, volume *v, vs_error *err)
{
    VS_TRY(open_device(v, err));
    VS_TRY(v->plan.is_empty ? open_empty(v, err) : open_luks2(secrets, v, err));
    VS_TRY(check_wanted(v, err));
    VS_TRY(map_and_place(v, err));
    vs_log(VS_LOG_INFO, "cdh", "volume opened", "device",
           v->plan.device_id ? v->plan.device_id : v->plan.device_path, "mount_point",
           v->plan.mount_point, "header_digest", v->digest[0] ? v->digest : NULL, NULL);
    return VS_OK;
}

vs_code cdh_secure_mount(const cdh_sealed_options *secrets, const cdh_mount_request *r,
                         vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    volume v = {.request = r, .a = &a, .fd = -1, .key = VS_BUF(LUKS2_KEY)};
    vs_code code = cdh_mount_plan_of(r, &a, &v.plan, err);
    if (code == VS_OK)
        code = run(secrets, &v, err);
    close_fd(&v.fd);
    vs_buf_free(&v.key);
    return code;
}
