/* SPDX-License-Identifier: Apache-2.0 */
/* In place of fuse.c where libfuse3 is not to be had. */
#include "realm/device.h"

vs_code realm_serve_fuse(realm_home *home, const char *dir, void (*ready)(void *user), void *user,
                         vs_error *err)
{
    (void)home, (void)dir, (void)ready, (void)user;
    return vs_fail(err, VS_E_UNSUPPORTED, "built without FUSE");
}
