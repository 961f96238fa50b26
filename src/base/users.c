/* SPDX-License-Identifier: Apache-2.0 */
#include "base/users.h"

#include <grp.h>
#include <pwd.h>

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
