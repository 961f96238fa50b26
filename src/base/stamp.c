/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp.h"

#include <sys/stat.h>

#include "base/clock.h"

enum { YOUNG_NS = 20 * 1000 * 1000 }; /* more than the grain of a file system's time stamps */

vs_stamp vs_stamp_of(const char *path)
{
    struct stat st;
    vs_stamp s;
    memset(&s, 0, sizeof s);
    if (path && stat(path, &st) == 0) {
        s.device = st.st_dev;
        s.inode = st.st_ino;
        s.size = st.st_size;
        s.modified = st.st_mtim;
        s.changed = st.st_ctim;
    }
    return s;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool vs_stamp_eq(const vs_stamp *a, const vs_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

bool vs_stamp_is_young(const vs_stamp *s)
{
    return vs_now_ns() - ((int64_t)s->changed.tv_sec * 1000000000 + s->changed.tv_nsec) < YOUNG_NS;
}
