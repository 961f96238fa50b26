/* SPDX-License-Identifier: Apache-2.0 */
/* The report device as a directory, by FUSE (cca.md 7.1): instances are directories that appear and
 * vanish with mkdir and rmdir, attributes are files without a size. One thread. */
#define FUSE_USE_VERSION 31
#include <fuse.h>
#include <fuse_log.h>

#include "realm/device.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

enum { INSTANCES_MAX = 1024, TEXT_MAX = 32 };

typedef enum attribute { INBLOB, OUTBLOB, AUXBLOB, PROVIDER, GENERATION, ATTRIBUTES } attribute;
static const struct {
    const char *name;
    mode_t mode;
} attributes[ATTRIBUTES] = {
    [INBLOB] = {"inblob", 0200},         [OUTBLOB] = {"outblob", 0400},
    [AUXBLOB] = {"auxblob", 0400},       [PROVIDER] = {"provider", 0444},
    [GENERATION] = {"generation", 0444},
};

typedef struct instance {
    char name[NAME_MAX + 1];
    unsigned users; /* 1 while it has a name, and 1 per open file */
    tsm_report report;
} instance;

/* An open attribute. What is read is fixed at the first read, what is written commits at close. */
typedef struct handle {
    instance *of;
    attribute which;
    bool loaded, dirty;
    vs_buf content;
    uint8_t in[TSM_INBLOB_MAX];
    size_t n;
} handle;

typedef struct device {
    realm_home *home;
    instance *at[INSTANCES_MAX];
    size_t n;
} device;

static device *this_device(void)
{
    return fuse_get_context()->private_data;
}

/* ---- names ----------------------------------------------------------------------------------- */

static void forget(instance *i)
{
    if (--i->users == 0) {
        tsm_report_free(&i->report);
        free(i);
    }
}

/* Index of the instance, or d->n. */
static size_t find(const device *d, vs_span name)
{
    size_t i = 0;
    while (i < d->n && !vs_span_is(name, d->at[i]->name))
        i++;
    return i;
}

typedef enum place { NOWHERE, ROOT, INSTANCE, ATTRIBUTE } place;

/* "/", "/instance" or "/instance/attribute". */
static place locate(const device *d, const char *path, instance **i, attribute *which)
{
    bool deeper;
    vs_span rest, name = vs_span_cut(vs_str(path + 1), '/', &rest, &deeper);
    if (!name.n)
        return ROOT;
    size_t at = find(d, name);
    if (at == d->n)
        return NOWHERE;
    *i = d->at[at];
    if (!deeper)
        return INSTANCE;
    for (unsigned a = 0; a < ATTRIBUTES; a++) {
        if (vs_span_is(rest, attributes[a].name)) {
            *which = (attribute)a;
            return ATTRIBUTE;
        }
    }
    return NOWHERE;
}

/* ---- directories ----------------------------------------------------------------------------- */

static int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
    instance *i;
    attribute which;
    place p = locate(this_device(), path, &i, &which);
    if (p == NOWHERE)
        return -ENOENT;
    *st = (struct stat){.st_uid = getuid(), .st_gid = getgid()};
    st->st_mode = p == ATTRIBUTE ? (S_IFREG | attributes[which].mode) : (S_IFDIR | 0755);
    st->st_nlink = p == ATTRIBUTE ? 1 : 2;
    return 0;
}

static int op_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    (void)offset, (void)fi, (void)flags;
    const device *d = this_device();
    instance *i;
    attribute which;
    place p = locate(d, path, &i, &which);
    if (p == NOWHERE)
        return -ENOENT;
    (void)fill(buf, ".", NULL, 0, 0);
    (void)fill(buf, "..", NULL, 0, 0);
    for (size_t k = 0; p == ROOT && k < d->n; k++)
        (void)fill(buf, d->at[k]->name, NULL, 0, 0);
    for (unsigned a = 0; p == INSTANCE && a < ATTRIBUTES; a++)
        (void)fill(buf, attributes[a].name, NULL, 0, 0);
    return 0;
}

static int op_mkdir(const char *path, mode_t mode)
{
    (void)mode;
    device *d = this_device();
    vs_span name = vs_str(path + 1);
    if (memchr(name.p, '/', name.n))
        return -EPERM; /* instances do not nest */
    if (find(d, name) < d->n)
        return -EEXIST;
    if (name.n > NAME_MAX)
        return -ENAMETOOLONG;
    instance *i = d->n < INSTANCES_MAX ? calloc(1, sizeof *i) : NULL;
    if (!i)
        return -ENOMEM;
    memcpy(i->name, name.p, name.n);
    i->users = 1;
    d->at[d->n++] = i;
    return 0;
}

static int op_rmdir(const char *path)
{
    device *d = this_device();
    instance *i;
    attribute which;
    place p = locate(d, path, &i, &which);
    if (p != INSTANCE)
        return p == NOWHERE ? -ENOENT : -EPERM;
    size_t at = find(d, vs_str(i->name));
    d->at[at] = d->at[--d->n];
    forget(i);
    return 0;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static int op_open(const char *path, struct fuse_file_info *fi)
{
    instance *i;
    attribute which;
    place p = locate(this_device(), path, &i, &which);
    if (p != ATTRIBUTE)
        return p == NOWHERE ? -ENOENT : -EISDIR;
    int wanted = fi->flags & O_ACCMODE;
    if (wanted != (which == INBLOB ? O_WRONLY : O_RDONLY))
        return -EACCES;
    handle *h = calloc(1, sizeof *h);
    if (!h)
        return -ENOMEM;
    *h = (handle){.of = i, .which = which, .content = VS_BUF(TSM_OUTBLOB_MAX)};
    i->users++;
    fi->direct_io = 1; /* sizes are not known */
    fi->fh = (uint64_t)(uintptr_t)h;
    return 0;
}

static handle *handle_of(const struct fuse_file_info *fi)
{
    return (handle *)(uintptr_t)fi->fh;
}

/* Fills the content of a freshly opened attribute. auxblob makes the report too, and is empty. */
static int load(handle *h)
{
    vs_span report = {0};
    int e = 0;
    switch (h->which) {
    case OUTBLOB:
    case AUXBLOB: e = tsm_report_read(&h->of->report, this_device()->home, &report); break;
    case PROVIDER: vs_buf_puts(&h->content, TSM_PROVIDER); break;
    case GENERATION: vs_buf_printf(&h->content, "%u\n", h->of->report.generation); break;
    case INBLOB:
    case ATTRIBUTES: return EACCES;
    }
    if (h->which == OUTBLOB)
        vs_buf_put(&h->content, report);
    if (!e && !vs_buf_ok(&h->content))
        e = ENOMEM;
    h->loaded = e == 0;
    return e;
}

static int op_read(const char *path, char *out, size_t size, off_t offset,
                   struct fuse_file_info *fi)
{
    (void)path;
    handle *h = handle_of(fi);
    int e = h->loaded ? 0 : load(h);
    if (e)
        return -e;
    if (offset < 0 || (size_t)offset >= h->content.n)
        return 0;
    size_t left = h->content.n - (size_t)offset;
    size_t n = left < size ? left : size;
    memcpy(out, h->content.p + offset, n);
    return (int)n;
}

static int op_write(const char *path, const char *in, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    (void)path;
    handle *h = handle_of(fi);
    if (offset < 0 || size > TSM_INBLOB_MAX || (size_t)offset > TSM_INBLOB_MAX - size)
        return -EFBIG;
    memcpy(h->in + offset, in, size);
    if ((size_t)offset + size > h->n)
        h->n = (size_t)offset + size;
    h->dirty = true;
    return (int)size;
}

/* close(): the write commits, and the writer is not told when it fails. */
static int op_flush(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    handle *h = handle_of(fi);
    if (h->dirty && tsm_report_write(&h->of->report, vs_span_of(h->in, h->n)) != 0)
        vs_log(VS_LOG_DEBUG, "realm", "inblob was refused", NULL);
    h->dirty = false;
    return 0;
}

static int op_release(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    handle *h = handle_of(fi);
    forget(h->of);
    vs_buf_free(&h->content);
    free(h);
    return 0;
}

/* O_TRUNC: a binary attribute is written as a whole anyway. */
static int op_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
    (void)size, (void)fi;
    instance *i;
    attribute which;
    return locate(this_device(), path, &i, &which) == ATTRIBUTE && which == INBLOB ? 0 : -EACCES;
}

static int op_mknod(const char *path, mode_t mode, dev_t device_number)
{
    (void)path, (void)mode, (void)device_number;
    return -EACCES;
}

static int op_unlink(const char *path)
{
    (void)path;
    return -EPERM;
}

/* ---- mounting -------------------------------------------------------------------------------- */

static void *op_init(struct fuse_conn_info *connection, struct fuse_config *cfg)
{
    (void)connection;
    cfg->attr_timeout = cfg->entry_timeout = cfg->negative_timeout = 0;
    return this_device();
}

static const struct fuse_operations operations = {
    .init = op_init,
    .getattr = op_getattr,
    .readdir = op_readdir,
    .mkdir = op_mkdir,
    .rmdir = op_rmdir,
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .flush = op_flush,
    .release = op_release,
    .truncate = op_truncate,
    .mknod = op_mknod,
    .unlink = op_unlink,
};

__attribute__((format(printf, 2, 0))) static void log_fuse(enum fuse_log_level level,
                                                           const char *fmt, va_list args)
{
    char text[512];
    (void)vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\n")] = 0;
    vs_log(level <= FUSE_LOG_ERR ? VS_LOG_WARN : VS_LOG_DEBUG, "fuse", text, NULL);
}

static vs_code serve(struct fuse *f, void (*ready)(void *user), void *user, vs_error *err)
{
    struct fuse_session *session = fuse_get_session(f);
    if (fuse_set_signal_handlers(session) != 0)
        return vs_fail(err, VS_E_IO, "cannot set signal handlers");
    ready(user);
    int e = fuse_loop(f); /* the signal's number when one ended it */
    fuse_remove_signal_handlers(session);
    return e < 0 ? vs_fail_errno(err, VS_E_IO, -e, "serving FUSE requests") : VS_OK;
}

static void drop_all(device *d)
{
    while (d->n)
        forget(d->at[--d->n]);
    free(d);
}

vs_code realm_serve_fuse(realm_home *home, const char *dir, void (*ready)(void *user), void *user,
                         vs_error *err)
{
    char program[] = "vouchsafe-realm", option[] = "-ofsname=vouchsafe-realm";
    char *argv[] = {program, option, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(2, argv);
    device *d = calloc(1, sizeof *d);
    if (!d)
        return vs_fail(err, VS_E_NOMEM, "report device");
    d->home = home;
    fuse_set_log_func(log_fuse);
    struct fuse *f = fuse_new(&args, &operations, sizeof operations, d);
    vs_code code = VS_OK;
    if (!f || fuse_mount(f, dir) != 0) {
        code = vs_fail(err, VS_E_UNSUPPORTED, "FUSE cannot be mounted on %s", dir);
    } else {
        code = serve(f, ready, user, err);
        fuse_unmount(f);
    }
    if (f)
        fuse_destroy(f);
    fuse_opt_free_args(&args);
    drop_all(d);
    return code;
}
