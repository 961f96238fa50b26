/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/resource_uri.h"

#include "net/url.h"

/* Schemes know no case; "kbs" and "kbs+<plugin>" are ours. *plugin is empty for the first. */
static bool split_scheme(vs_span text, vs_span *plugin, vs_span *rest)
{
    const uint8_t *at = text.p ? memmem(text.p, text.n, "://", 3) : NULL;
    if (!at)
        return false;
    vs_span scheme = vs_span_head(text, (size_t)(at - text.p));
    *rest = vs_span_from(text, scheme.n + 3);
    *plugin = vs_span_from(scheme, 4);
    return vs_span_ieq(vs_span_head(scheme, 3), VS_LIT("kbs")) &&
           (scheme.n == 3 || (scheme.p[3] == '+' && plugin->n > 0));
}

bool cdh_is_uri(vs_span text)
{
    return vs_span_ieq(vs_span_head(text, 6), VS_LIT("kbs://")) ||
           vs_span_ieq(vs_span_head(text, 4), VS_LIT("kbs+"));
}

static bool is_plugin_name(vs_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return s.n > 0 && s.n <= 64;
}

/* Printable ASCII without a space: nothing that a header or a log could be broken with. */
static bool is_plain(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    return true;
}

/* Decoded. A '/' or a control character that was encoded would be another path to whoever decodes
 * it again. */
static bool is_segment(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '/' || s.p[i] == '\\' || s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && !vs_span_is(s, ".") && !vs_span_is(s, "..");
}

static vs_code read_path(vs_arena *a, vs_span path, const char **out, vs_error *err)
{
    vs_span *segments;
    size_t n;
    VS_TRY(vs_url_split(a, path, &segments, &n, err));
    VS_CLEANUP(vs_buf_free) vs_buf decoded = VS_BUF(CDH_URI_MAX);
    for (size_t i = 0; i < n; i++) {
        vs_span segment;
        VS_TRY(vs_url_decode(a, segments[i], &segment, err));
        if (!is_segment(segment))
            return vs_fail(
                err, VS_E_INVALID,
                "segment %zu of the path is empty, \".\", \"..\" or has a character that "
                "cannot be in one",
                i + 1);
        if (i)
            vs_buf_putc(&decoded, '/');
        vs_buf_put(&decoded, segment);
    }
    VS_TRY(vs_buf_check(&decoded, err));
    *out = (const char *)vs_dup(a, vs_buf_span(&decoded)).p;
    return vs_arena_check(a, err);
}

static vs_code parse(vs_arena *a, vs_span text, cdh_uri *out, vs_error *err)
{
    vs_span plugin, rest, query;
    bool has_path, has_query;
    if (text.n > CDH_URI_MAX || !is_plain(text))
        return vs_fail(err, VS_E_INVALID, "it is too long, or not printable ASCII");
    if (!split_scheme(text, &plugin, &rest))
        return vs_fail(err, VS_E_INVALID, "it does not begin with kbs:// or kbs+<plugin>://");
    if (plugin.n && !is_plugin_name(plugin))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is no name of a plugin", VS_FMT(plugin));
    if (memchr(rest.p, '#', rest.n))
        return vs_fail(err, VS_E_INVALID, "it has a fragment");
    rest = vs_span_cut(rest, '?', &query, &has_query);
    (void)vs_span_cut(rest, '/', &rest, &has_path);
    if (!has_path || rest.n == 0)
        return vs_fail(err, VS_E_INVALID, "it has no path");
    out->plugin = plugin.n ? (const char *)vs_dup(a, plugin).p : "resource";
    out->query = has_query && query.n ? (const char *)vs_dup(a, query).p : NULL;
    return read_path(a, rest, &out->path, err);
}

vs_code cdh_uri_parse(vs_arena *a, vs_span text, cdh_uri *out, vs_error *err)
{
    *out = (cdh_uri){0};
    VS_TRY_WRAP(parse(a, text, out, err), err, "resource URI \"%.*s\"",
                VS_FMT(is_plain(text) ? vs_span_head(text, 200) : VS_LIT("...")));
    return VS_OK;
}
