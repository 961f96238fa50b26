/* SPDX-License-Identifier: Apache-2.0 */
/* First line: a pattern, second line: a path. Whatever pattern is accepted, it lets nobody out of
 * /kbs, and neither encoded slashes nor unusual forms of a path pass. */
#include <stdlib.h>

#include "kbs/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span path;
    vs_span pattern = vs_span_cut(vs_span_of(data, size), '\n', &path, NULL);
    if (pattern.n > 512)
        return 0;
    char text[513];
    if (pattern.n)
        memcpy(text, pattern.p, pattern.n);
    text[pattern.n] = 0;
    kbs_acl entry = {"role", text};
    kbs_acl_set *set = NULL;
    if (kbs_acl_new(&entry, 1, &set, NULL) != VS_OK)
        return 0;
    if (kbs_acl_allows(set, VS_LIT("role"), path, false) &&
        (!vs_span_starts(path, VS_LIT("/kbs")) || memmem(path.p, path.n, "//", 2) ||
         memmem(path.p, path.n, "/../", 4)))
        abort();
    if (kbs_acl_allows(set, VS_LIT("role"), VS_LIT("/other"), false) ||
        kbs_acl_allows(set, VS_LIT("Role"), path, false) ||
        kbs_acl_allows(set, VS_LIT("role"), path, true))
        abort();
    kbs_acl_free(&set);
    return 0;
}
