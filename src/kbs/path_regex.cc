/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/path_regex.h"

#include <cstdio>
#include <new>

#include <re2/re2.h>

struct kbs_path_regex {
    re2::RE2 re;
    kbs_path_regex(const char *pattern, const re2::RE2::Options &o) : re(pattern, o) {}
};

extern "C" kbs_path_regex *kbs_path_regex_new(const char *pattern, char *why, size_t why_room)
{
    re2::RE2::Options o;
    o.set_log_errors(false);
    o.set_never_capture(true);
    o.set_max_mem(1 << 20);
    kbs_path_regex *r = new (std::nothrow) kbs_path_regex(pattern, o);
    if (r && r->re.ok())
        return r;
    (void)std::snprintf(why, why_room, "%s", r ? r->re.error().c_str() : "out of memory");
    delete r;
    return nullptr;
}

extern "C" void kbs_path_regex_free(kbs_path_regex *r)
{
    delete r;
}

extern "C" bool kbs_path_regex_match(const kbs_path_regex *r, const char *path, size_t n)
{
    return re2::RE2::FullMatch(re2::StringPiece(path, n), r->re);
}
