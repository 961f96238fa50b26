/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/regex_re2.h"

#include <re2/re2.h>

#include <cstdio>
#include <memory>
#include <new>
#include <string>

struct rego_regex {
    RE2 re;
    explicit rego_regex(const re2::StringPiece &pattern, const RE2::Options &o) : re(pattern, o) {}
};

/* \C matches single bytes and would split code points; Go has no such class. */
static bool has_single_byte_class(const char *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (p[i] != '\\')
            continue;
        if (p[i + 1] == 'C')
            return true;
        i++;
    }
    return false;
}

extern "C" rego_regex *rego_regex_new(const char *pattern, size_t n, char *why, size_t why_cap)
{
    if (n > REGO_PATTERN_MAX || has_single_byte_class(pattern, n)) {
        (void)snprintf(why, why_cap,
                       n > REGO_PATTERN_MAX ? "pattern is too long"
                                            : "invalid escape sequence: `\\C`");
        return nullptr;
    }
    try {
        RE2::Options o;
        o.set_log_errors(false);
        o.set_max_mem(8 << 20);
        std::unique_ptr<rego_regex> r(new rego_regex(re2::StringPiece(pattern, n), o));
        if (r->re.ok())
            return r.release();
        (void)snprintf(why, why_cap, "%s", r->re.error().c_str());
    } catch (const std::bad_alloc &) {
        why[0] = 0;
    }
    return nullptr;
}

extern "C" void rego_regex_delete(rego_regex *r)
{
    delete r;
}

extern "C" int rego_regex_groups(const rego_regex *r)
{
    return r->re.NumberOfCapturingGroups() + 1;
}

extern "C" bool rego_regex_match(const rego_regex *r, const char *s, size_t n, size_t from,
                                 rego_match *groups, int n_groups)
{
    re2::StringPiece text(s ? s : "", n);
    re2::StringPiece found[REGO_GROUPS_MAX];
    if (n_groups > REGO_GROUPS_MAX)
        n_groups = REGO_GROUPS_MAX;
    if (!r->re.Match(text, from, n, RE2::UNANCHORED, found, n_groups))
        return false;
    for (int i = 0; i < n_groups; i++) {
        groups[i].set = found[i].data() != nullptr;
        groups[i].start = groups[i].set ? (size_t)(found[i].data() - text.data()) : 0;
        groups[i].end = groups[i].start + found[i].size();
    }
    return true;
}

extern "C" int rego_regex_group_named(const rego_regex *r, const char *name, size_t n)
{
    const auto &names = r->re.NamedCapturingGroups();
    auto at = names.find(std::string(name, n));
    return at == names.end() ? -1 : at->second;
}
