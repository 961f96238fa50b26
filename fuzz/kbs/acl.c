/* SPDX-License-Identifier: Apache-2.0 */
/* First line: a pattern, second line: a path. Whatever pattern is accepted, it lets nobody out of
 * /kbs, and no unusual form of a path passes but that of a reference value's URI. */
#include <stdlib.h>

#include "kbs/acl.h"

#define URI "/kbs/v0/reference-value/rvps:///"

/* What must be plain of a path. */
static vs_span plain_part(vs_span path)
{
    return vs_span_starts(path, VS_LIT(URI)) ? vs_span_from(path, sizeof URI - 2) : path;
}

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
    vs_span plain = plain_part(path);
    if (kbs_acl_allows(set, VS_LIT("role"), path) &&
        (!vs_span_starts(path, VS_LIT("/kbs")) || plain.p[0] != '/' ||
         plain.p[plain.n - 1] == '/' || memmem(plain.p, plain.n, "//", 2) ||
         memmem(plain.p, plain.n, "/../", 4)))
        abort();
    if (kbs_acl_allows(set, VS_LIT("role"), VS_LIT("/other")) ||
        kbs_acl_allows(set, VS_LIT("Role"), path))
        abort();
    kbs_acl_free(&set);
    return 0;
}
