/* SPDX-License-Identifier: Apache-2.0 */
/* Formats are what Go's standard library makes of a text: its mail, net, net/url, regexp and time
 * packages; the others are patterns. */
#include "rego/schema_format.h"

#include <arpa/inet.h>

#include "base/enc.h"
#include "rego/builtins.h"
#include "rego/regex_re2.h"
#include "rego/time_layout.h"

/* ---- times -------------------------------------------------------------------------------------
 */

static bool is_time(vs_span text, const char *const *layouts)
{
    int64_t seconds;
    int ns;
    for (; *layouts; layouts++) {
        VS_CLEANUP(vs_buf_free) vs_buf why = VS_BUF(0);
        if (layout_parse(vs_str(*layouts), text, &seconds, &ns, &why))
            return true;
    }
    return false;
}

static rego_bres is_date(rego_bctx *b, vs_span text, bool *good)
{
    static const char *const layouts[] = {"2006-01-02", NULL};
    (void)b;
    *good = is_time(text, layouts);
    return REGO_B_OK;
}

static rego_bres is_time_of_day(rego_bctx *b, vs_span text, bool *good)
{
    static const char *const layouts[] = {"15:04:05", "15:04:05Z07:00", NULL};
    (void)b;
    *good = is_time(text, layouts);
    return REGO_B_OK;
}

static rego_bres is_date_time(rego_bctx *b, vs_span text, bool *good)
{
    static const char *const layouts[] = {"15:04:05", "15:04:05Z07:00", "2006-01-02",
                                          "2006-01-02T15:04:05Z07:00", NULL};
    (void)b;
    *good = is_time(text, layouts);
    return REGO_B_OK;
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

/* An IPv4 or IPv6 address that contains `mark`: "::ffff:1.2.3.4" is both. */
static bool is_address(vs_span text, char mark)
{
    char copy[INET6_ADDRSTRLEN] = "";
    struct in6_addr ignored;
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, 0, text.n) ||
        !memchr(text.p, mark, text.n))
        return false;
    memcpy(copy, text.p, text.n);
    return inet_pton(AF_INET, copy, &ignored) == 1 || inet_pton(AF_INET6, copy, &ignored) == 1;
}

static rego_bres is_ipv4(rego_bctx *b, vs_span text, bool *good)
{
    (void)b;
    *good = is_address(text, '.');
    return REGO_B_OK;
}

static rego_bres is_ipv6(rego_bctx *b, vs_span text, bool *good)
{
    (void)b;
    *good = is_address(text, ':');
    return REGO_B_OK;
}

/* ---- mail (RFC 5322 3.4, with UTF-8 in words) -------------------------------------------------
 */

static bool is_atom_char(uint8_t c)
{
    return c >= 0x80 || (c > ' ' && c < 0x7f && !strchr("()<>[]:;@\\,.\"", c));
}

static size_t skip_blank(vs_span s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
        at++;
    return at;
}

/* Each gives the place behind it, or 0. */
static size_t dot_atom(vs_span s, size_t at, bool dots)
{
    size_t start = at;
    while (at < s.n && (is_atom_char(s.p[at]) || (dots && s.p[at] == '.'))) {
        if (s.p[at] == '.' && (at == start || s.p[at - 1] == '.'))
            return 0;
        at++;
    }
    return at > start && s.p[at - 1] != '.' ? at : 0;
}

static size_t quoted(vs_span s, size_t at)
{
    for (at++; at < s.n; at++) {
        if (s.p[at] == '"')
            return at + 1;
        if (s.p[at] == '\\' && ++at == s.n)
            return 0;
        if (s.p[at] < ' ' && s.p[at] != '\t')
            return 0;
    }
    return 0;
}

static size_t word(vs_span s, size_t at, bool dots)
{
    return at < s.n && s.p[at] == '"' ? quoted(s, at) : dot_atom(s, at, dots);
}

static size_t domain(vs_span s, size_t at)
{
    if (at < s.n && s.p[at] == '[') {
        while (at < s.n && s.p[at] != ']')
            at++;
        return at < s.n ? at + 1 : 0;
    }
    return dot_atom(s, at, true);
}

static size_t spec(vs_span s, size_t at)
{
    at = word(s, skip_blank(s, at), true);
    if (at == 0)
        return 0;
    at = skip_blank(s, at);
    return at < s.n && s.p[at] == '@' ? domain(s, skip_blank(s, at + 1)) : 0;
}

static bool is_whole(vs_span s, size_t at)
{
    return at > 0 && skip_blank(s, at) == s.n;
}

/* a@b, <a@b>, or words and <a@b>. */
static rego_bres is_email(rego_bctx *b, vs_span s, bool *good)
{
    (void)b;
    *good = vs_utf8_ok(s) && is_whole(s, spec(s, 0));
    if (*good || !vs_utf8_ok(s))
        return REGO_B_OK;
    size_t at = skip_blank(s, 0);
    while (at < s.n && s.p[at] != '<') {
        size_t end = word(s, at, true);
        if (end == 0)
            return REGO_B_OK;
        at = skip_blank(s, end);
    }
    size_t end = at < s.n ? spec(s, at + 1) : 0;
    end = end ? skip_blank(s, end) : 0;
    *good = end && end < s.n && s.p[end] == '>' && is_whole(s, end + 1);
    return REGO_B_OK;
}

/* ---- URIs --------------------------------------------------------------------------------------
 */

static rego_bres parse_uri(rego_bctx *b, vs_span text, bool *good, bool *has_scheme)
{
    vs_val parsed, arg = vs_string(text);
    *has_scheme = false;
    *good = text.n == 0;
    if (*good)
        return REGO_B_OK;
    rego_bres res =
        memchr(text.p, '\\', text.n) ? REGO_B_ERROR : rego_bi_uri_parse(b, &arg, 1, &parsed);
    if (res != REGO_B_OK)
        return res == REGO_B_LIMIT ? res : REGO_B_OK;
    *has_scheme = vs_getc(parsed, "scheme").len > 0;
    size_t segment = 0; /* without a scheme the first segment of a path has no ':' */
    while (segment < text.n && !strchr("/?#:", text.p[segment]))
        segment++;
    *good = *has_scheme || segment == text.n || text.p[segment] != ':';
    return REGO_B_OK;
}

static rego_bres is_uri(rego_bctx *b, vs_span text, bool *good)
{
    bool has_scheme;
    rego_bres res = parse_uri(b, text, good, &has_scheme);
    *good &= has_scheme;
    return res;
}

static rego_bres is_reference(rego_bctx *b, vs_span text, bool *good)
{
    bool ignored;
    return parse_uri(b, text, good, &ignored);
}

static rego_bres fits(rego_bctx *b, const char *pattern, vs_span text, bool *good)
{
    const rego_regex *re;
    rego_match m;
    rego_bres res = rego_regex_get(b, vs_str(pattern), &re);
    if (res == REGO_B_OK && !rego_charge(b, 1 + text.n / 4))
        res = REGO_B_LIMIT;
    if (res != REGO_B_OK)
        return REGO_B_LIMIT; /* the patterns here are good, so it was memory */
    *good = rego_regex_match(re, text.n ? (const char *)text.p : "", text.n, 0, &m, 1);
    return REGO_B_OK;
}

static rego_bres is_template(rego_bctx *b, vs_span text, bool *good)
{
    rego_bres res = is_reference(b, text, good);
    return res == REGO_B_OK && *good ? fits(b, "^([^{]*(\\{[^}]*\\})?)*$", text, good) : res;
}

/* ---- patterns ----------------------------------------------------------------------------------
 */

static rego_bres is_regex(rego_bctx *b, vs_span text, bool *good)
{
    const struct rego_regex *re;
    rego_bres res = rego_regex_get(b, text, &re);
    *good = res == REGO_B_OK;
    return res == REGO_B_LIMIT ? res : REGO_B_OK;
}

static rego_bres is_hostname(rego_bctx *b, vs_span text, bool *good)
{
    if (text.n > 255)
        return REGO_B_OK;
    return fits(b,
                "^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)"
                "(\\.([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?))*$",
                text, good);
}

static rego_bres is_uuid(rego_bctx *b, vs_span text, bool *good)
{
    return fits(b, "(?i)^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$", text,
                good);
}

static rego_bres is_pointer(rego_bctx *b, vs_span text, bool *good)
{
    return fits(b, "^(/([^~/]|~[01])*)*$", text, good);
}

static rego_bres is_relative_pointer(rego_bctx *b, vs_span text, bool *good)
{
    return fits(b, "^(0|[1-9][0-9]*)(#|(/([^~/]|~[01])*)*)$", text, good);
}

static const struct {
    const char *format;
    rego_bres (*check)(rego_bctx *b, vs_span text, bool *good);
} formats[] = {
    {"date", is_date},
    {"time", is_time_of_day},
    {"date-time", is_date_time},
    {"hostname", is_hostname},
    {"email", is_email},
    {"idn-email", is_email},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"uri", is_uri},
    {"iri", is_uri},
    {"uri-reference", is_reference},
    {"iri-reference", is_reference},
    {"uri-template", is_template},
    {"uuid", is_uuid},
    {"regex", is_regex},
    {"json-pointer", is_pointer},
    {"relative-json-pointer", is_relative_pointer},
};

rego_bres schema_format_check(rego_bctx *b, vs_span format, vs_span text, bool *good)
{
    *good = true;
    for (size_t i = 0; i < VS_COUNT(formats); i++)
        if (vs_span_is(format, formats[i].format)) {
            *good = false;
            return rego_charge(b, 8 + text.n / 4) ? formats[i].check(b, text, good) : REGO_B_LIMIT;
        }
    return REGO_B_OK;
}
