/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/acl.h"

#include <stdlib.h>

#include "kbs/path_regex.h"

struct kbs_acl_set {
    const kbs_acl *entries;
    kbs_path_regex **regexes;
    size_t n;
};

/* Skips a character class "[...]"; the first member may be ']'. */
static size_t skip_class(const char *p, size_t i)
{
    i++;
    if (p[i] == '^')
        i++;
    if (p[i] == ']')
        i++;
    while (p[i] && p[i] != ']') {
        const char *named = p[i] == '[' && p[i + 1] == ':' ? strstr(p + i, ":]") : NULL;
        if (named)
            i = (size_t)(named - p) + 2;
        else
            i += p[i] == '\\' && p[i + 1] ? 2 : 1;
    }
    return p[i] ? i + 1 : i;
}

/* The end of the alternative that starts at `i`: a '|' outside groups and classes, or the end. */
static size_t alternative_end(const char *p, size_t i)
{
    int depth = 0;
    while (p[i] && !(p[i] == '|' && depth <= 0)) {
        if (p[i] == '[') {
            i = skip_class(p, i);
            continue;
        }
        depth += (p[i] == '(') - (p[i] == ')');
        i += p[i] == '\\' && p[i + 1] ? 2 : 1;
    }
    return i;
}

/* "...$" with the dollar sign itself not escaped. */
static bool ends_anchored(vs_span s)
{
    if (s.n == 0 || s.p[s.n - 1] != '$')
        return false;
    size_t slashes = 0;
    while (slashes + 1 < s.n && s.p[s.n - 2 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 0;
}

/* Each alternative must be anchored by itself: in "^/kbs/x$|.*$" the second is not, and would open
 * everything although the text starts with ^/kbs and ends with $ (kbs.md 11.11). */
static bool anchored(const char *p)
{
    for (size_t i = 0;; i++) {
        size_t end = alternative_end(p, i);
        vs_span s = vs_span_of(p + i, end - i);
        if (!vs_span_starts(s, VS_LIT("^/kbs")) || !ends_anchored(s))
            return false;
        if (!p[end])
            return true;
        i = end;
    }
}

static vs_code add(kbs_acl_set *s, const kbs_acl *e, vs_error *err)
{
    char why[200];
    if (!e->role || !e->allowed_endpoints)
        return vs_fail(err, VS_E_INVALID, "an entry needs a role and \"allowed_endpoints\"");
    /* \Q and \C would need a second look at what is literal and what is a byte */
    if (!anchored(e->allowed_endpoints) || strstr(e->allowed_endpoints, "\\Q") ||
        strstr(e->allowed_endpoints, "\\C"))
        return vs_fail(err, VS_E_INVALID,
                       "\"allowed_endpoints\" of role \"%.80s\" must start with ^/kbs and end with "
                       "$, in each of its alternatives: \"%.200s\"",
                       e->role, e->allowed_endpoints);
    kbs_path_regex *re = kbs_path_regex_new(e->allowed_endpoints, why, sizeof why);
    if (!re)
        return vs_fail(err, VS_E_INVALID,
                       "\"allowed_endpoints\" of role \"%.80s\" is not a regular expression: %s",
                       e->role, why);
    s->regexes[s->n++] = re;
    return VS_OK;
}

vs_code kbs_acl_new(const kbs_acl *entries, size_t n, kbs_acl_set **out, vs_error *err)
{
    *out = calloc(1, sizeof **out);
    if (*out)
        (*out)->regexes = calloc(n ? n : 1, sizeof *(*out)->regexes);
    if (!*out || !(*out)->regexes) {
        kbs_acl_free(out);
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    }
    (*out)->entries = entries;
    for (size_t i = 0; i < n; i++) {
        vs_code code = add(*out, &entries[i], err);
        if (code != VS_OK) {
            kbs_acl_free(out);
            return code;
        }
    }
    return VS_OK;
}

void kbs_acl_free(kbs_acl_set **s)
{
    if (!*s)
        return;
    for (size_t i = 0; i < (*s)->n; i++)
        kbs_path_regex_free((*s)->regexes[i]);
    free((*s)->regexes);
    free(*s);
    *s = NULL;
}

#define VALUE VS_LIT("/kbs/v0/reference-value/")
#define URI   VS_LIT("rvps:///")

/* A reference value may be named by a URI, which starts with empty segments
 * (attestation-service.md 8.8): what follows them is looked at as any other path is. Elsewhere they
 * stay refused, and so do more of them. */
static vs_span without_uri(vs_span path)
{
    if (!vs_span_starts(path, VALUE) || !vs_span_starts(vs_span_from(path, VALUE.n), URI))
        return path;
    return vs_span_from(path, VALUE.n + URI.n - 1);
}

bool kbs_acl_path_ok(vs_span path)
{
    vs_span rest = without_uri(path);
    bool more = rest.n > 0 && rest.p[0] == '/';
    if (!more)
        return false;
    rest = vs_span_from(rest, 1);
    while (more) {
        vs_span segment = vs_span_cut(rest, '/', &rest, &more);
        if (segment.n == 0 || vs_span_is(segment, ".") || vs_span_is(segment, ".."))
            return false;
    }
    return true;
}

bool kbs_acl_allows(const kbs_acl_set *s, vs_span role, vs_span path)
{
    if (!kbs_acl_path_ok(path))
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (vs_span_is(role, s->entries[i].role) &&
            kbs_path_regex_match(s->regexes[i], (const char *)path.p, path.n))
            return true;
    return false;
}
