/* SPDX-License-Identifier: Apache-2.0 */
#include "base/users.h"

#include <grp.h>
#include <pthread.h>
#include <pwd.h>

#include "base/io.h"

/* A number, all of it, that is an id ((uid_t)-1 is none). */
static bool number_of(const char *text, uint32_t *out)
{
    uint64_t value;
    if (strlen(text) > 10 || !vs_span_decimal(vs_str(text), UINT32_MAX - 1, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

vs_code vs_user_id(const char *text, uint32_t *out, vs_error *err)
{
    if (number_of(text, out))
        return VS_OK;
    const struct passwd *pw = getpwnam(text);
    if (!pw)
        return vs_fail(err, VS_E_INVALID, "there is no user \"%.80s\"", text);
    *out = pw->pw_uid;
    return VS_OK;
}

vs_code vs_group_id(const char *text, uint32_t *out, vs_error *err)
{
    if (number_of(text, out))
        return VS_OK;
    const struct group *gr = getgrnam(text);
    if (!gr)
        return vs_fail(err, VS_E_INVALID, "there is no group \"%.80s\"", text);
    *out = gr->gr_gid;
    return VS_OK;
}

/* ---- who is nobody --------------------------------------------------------------------------- */

enum { OVERFLOW_ID = 65534, MAP_MAX = 64 * 1024 };

/* All ids are mapped ("0 0 4294967295" outside of any user namespace), so each is somebody's. */
static bool maps_everybody(const char *path)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(MAP_MAX);
    uint64_t first, count;
    if (vs_read_file(path, &text, NULL) != VS_OK)
        return false;
    vs_span rest, map = vs_span_trim(vs_buf_span(&text));
    vs_span inside = vs_span_cut(map, ' ', &rest, NULL);
    vs_span outside = vs_span_cut(vs_span_trim(rest), ' ', &rest, NULL);
    return outside.n && vs_span_decimal(inside, UINT32_MAX, &first) && first == 0 &&
           vs_span_decimal(vs_span_trim(rest), UINT32_MAX, &count) && count == UINT32_MAX;
}

static uint32_t overflow_id(const char *path)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(MAP_MAX);
    uint64_t id;
    if (vs_read_file(path, &text, NULL) != VS_OK ||
        !vs_span_decimal(vs_span_trim(vs_buf_span(&text)), UINT32_MAX, &id))
        return OVERFLOW_ID;
    return (uint32_t)id;
}

/* Of uids, then of gids. */
static struct {
    bool everybody;
    uint32_t overflow;
} ids[2];

static void read_ids(void)
{
    ids[0].everybody = maps_everybody("/proc/self/uid_map");
    ids[1].everybody = maps_everybody("/proc/self/gid_map");
    ids[0].overflow = overflow_id("/proc/sys/kernel/overflowuid");
    ids[1].overflow = overflow_id("/proc/sys/kernel/overflowgid");
}

void vs_peer_ids_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, read_ids);
}

static uint32_t somebody(size_t kind, uint32_t said)
{
    vs_peer_ids_prepare();
    return said == ids[kind].overflow && !ids[kind].everybody ? VS_ID_NOBODY : said;
}

uint32_t vs_peer_uid(uint32_t said)
{
    return somebody(0, said);
}

uint32_t vs_peer_gid(uint32_t said)
{
    return somebody(1, said);
}
