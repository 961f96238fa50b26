/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/dm_crypt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/dm-ioctl.h>

#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"

enum { SECTOR = 512, TABLE_MAX = 512, REMOVE_TRIES = 50, REMOVE_WAIT_US = 20000 };

/* One request to the device mapper: head, then for a table a target and its text. */
typedef struct request {
    struct dm_ioctl head;
    struct dm_target_spec target;
    char text[TABLE_MAX];
} request;

vs_code dm_crypt_check_name(vs_span name, vs_error *err)
{
    bool ok = name.n && name.n <= DM_CRYPT_NAME_MAX && name.p[0] != '.' && name.p[0] != '-' &&
              !vs_span_is(name, "control");
    for (size_t i = 0; ok && i < name.n; i++)
        ok = name.p[i] &&
             strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", name.p[i]);
    if (!ok)
        return vs_fail(err, VS_E_INVALID,
                       "\"%.*s\" is no name for a mapping: letters, digits and \"_-.\", at most %d",
                       VS_FMT(vs_span_head(name, DM_CRYPT_NAME_MAX)), DM_CRYPT_NAME_MAX);
    return VS_OK;
}

/* ---- the kernel's interface ------------------------------------------------------------------ */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void prepare(request *r, const char *name, uint32_t flags)
{
    *r = (request){.head = {.version = {DM_VERSION_MAJOR, 0, 0},
                            .data_size = sizeof *r,
                            .data_start = offsetof(request, target),
                            .flags = flags}};
    (void)snprintf(r->head.name, sizeof r->head.name, "%s", name);
}

/* A removal, waiting for whoever looks at a new device for a moment (udev). Where somebody keeps it
 * open, the kernel is to remove it when that ends: CONFLICT, as long as it is there. */
static vs_code remove_mapping(int control, const char *name, vs_error *err)
{
    request r;
    for (int i = 1;; i++) {
        bool last = i == REMOVE_TRIES;
        prepare(&r, name, last ? DM_DEFERRED_REMOVE : 0);
        int eno = ioctl(control, DM_DEV_REMOVE, &r) == 0 ? 0 : errno;
        bool later = eno == 0 && last && (r.head.flags & DM_DEFERRED_REMOVE);
        if (later)
            return vs_fail(err, VS_E_CONFLICT,
                           "the mapping \"%s\" is in use: the kernel removes it, and its key, when "
                           "that ends",
                           name);
        if (eno == 0 || eno == ENXIO)
            return VS_OK;
        if (eno != EBUSY || last)
            return vs_fail_errno(
                err, VS_E_IO, eno,
                "the mapping \"%s\" stays open, with its key: it cannot be removed", name);
        (void)usleep(REMOVE_WAIT_US);
    }
}

/* What cannot be undone is said, in the log and with the error that is told already. True: nobody
 * can open it any more. */
static bool undo(int control, const char *name, vs_error *err)
{
    vs_error why = {0};
    char text[VS_ERROR_TEXT];
    vs_code code = remove_mapping(control, name, &why);
    if (code == VS_OK)
        return true;
    vs_log_error(VS_LOG_ERROR, "cdh", "a mapping is left behind", &why);
    (void)vs_wrap(err, "not undone (%s)", vs_error_text(&why, text, sizeof text));
    return code == VS_E_CONFLICT;
}

static vs_code open_control(int *fd, vs_error *err)
{
    *fd = open(DM_CRYPT_DIR "/" DM_CONTROL_NODE, O_RDWR | O_CLOEXEC);
    if (*fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno,
                             "opening " DM_CRYPT_DIR "/" DM_CONTROL_NODE
                             " (is the module dm-mod loaded?)");
    return VS_OK;
}

static vs_code create(int control, const dm_crypt_map *m, vs_error *err)
{
    request r;
    prepare(&r, m->name, 0);
    (void)snprintf(r.head.uuid, sizeof r.head.uuid, "%s", m->uuid);
    if (ioctl(control, DM_DEV_CREATE, &r) == 0)
        return VS_OK;
    if (errno == EBUSY)
        return vs_fail(err, VS_E_EXISTS,
                       "a mapping \"%s\", or one of this volume, is there already", m->name);
    return vs_fail_errno(err, VS_E_IO, errno, "creating the mapping \"%s\"", m->name);
}

/* The text holds the key: the kernel is asked to wipe its copies, and ours is. */
static vs_code load(int control, const dm_crypt_map *m, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(2 * DM_CRYPT_KEY);
    request r;
    prepare(&r, m->name, DM_SECURE_DATA_FLAG);
    vs_hex_encode(&key, vs_span_of(m->key, DM_CRYPT_KEY));
    VS_TRY(vs_buf_check(&key, err));
    r.head.target_count = 1;
    r.target = (struct dm_target_spec){.length = m->size / SECTOR, .target_type = "crypt"};
    int n = snprintf(r.text, sizeof r.text, "aes-xts-plain64 %s 0 %u:%u %llu", (const char *)key.p,
                     major(m->device), minor(m->device), (unsigned long long)(m->offset / SECTOR));
    if (m->sector_size != SECTOR)
        (void)snprintf(r.text + n, sizeof r.text - (size_t)n, " 1 sector_size:%u", m->sector_size);
    int eno = ioctl(control, DM_TABLE_LOAD, &r) == 0 ? 0 : errno;
    vs_wipe(&r, sizeof r);
    if (eno == EBUSY)
        return vs_fail(err, VS_E_CONFLICT, "the device is in use: mounted, or mapped already");
    if (eno)
        return vs_fail_errno(err, VS_E_IO, eno,
                             "mapping the device (are the modules dm-crypt and xts loaded?)");
    return VS_OK;
}

static vs_code resume(int control, const char *name, dev_t *device, vs_error *err)
{
    request r;
    prepare(&r, name, 0);
    if (ioctl(control, DM_DEV_SUSPEND, &r) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "starting the mapping \"%s\"", name);
    *device = makedev((unsigned)(r.head.dev >> 8 & 0xfff),
                      (unsigned)((r.head.dev & 0xff) | (r.head.dev >> 12 & 0xfff00)));
    return VS_OK;
}

/* ---- the node -------------------------------------------------------------------------------- */

/* Where udev runs it may have made a link already, or make one in place of the node. */
static vs_code make_node(const char *name, dev_t device, vs_error *err)
{
    char path[DM_CRYPT_PATH_MAX];
    struct stat st;
    (void)snprintf(path, sizeof path, DM_CRYPT_DIR "/%s", name);
    VS_TRY(vs_make_dirs(DM_CRYPT_DIR, 0755, err));
    if (mknod(path, S_IFBLK | 0600, device) == 0)
        return VS_OK;
    if (errno != EEXIST)
        return vs_fail_errno(err, VS_E_IO, errno, "making %s", path);
    if (stat(path, &st) != 0 || !S_ISBLK(st.st_mode) || st.st_rdev != device)
        return vs_fail(err, VS_E_EXISTS, "%s is there and is another device", path);
    return VS_OK;
}

static vs_code build(int control, const dm_crypt_map *m, vs_error *err)
{
    dev_t device;
    VS_TRY(load(control, m, err));
    VS_TRY(resume(control, m->name, &device, err));
    return make_node(m->name, device, err);
}

vs_code dm_crypt_open(const dm_crypt_map *m, vs_error *err)
{
    VS_CLEANUP(close_fd) int control = -1;
    VS_TRY(dm_crypt_check_name(vs_str(m->name), err));
    VS_TRY(open_control(&control, err));
    VS_TRY(create(control, m, err));
    vs_code code = build(control, m, err);
    if (code != VS_OK)
        (void)undo(control, m->name, err);
    return code;
}

void dm_crypt_close(const char *name, vs_error *err)
{
    VS_CLEANUP(close_fd) int control = -1;
    char path[DM_CRYPT_PATH_MAX];
    vs_error why = {0};
    if (open_control(&control, &why) != VS_OK) {
        vs_log_error(VS_LOG_ERROR, "cdh", "a mapping is left behind", &why);
        (void)vs_wrap(err, "not undone (the mapping \"%s\" stays open, with its key)", name);
        return;
    }
    if (!undo(control, name, err))
        return;
    (void)snprintf(path, sizeof path, DM_CRYPT_DIR "/%s", name);
    (void)unlink(path);
}
