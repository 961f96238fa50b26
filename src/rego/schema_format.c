/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/schema_format.h"

#include "rego/builtins.h"
#include "rego/regex_re2.h"
#include "rego/time_layout.h"

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

static const char *const dates[] = {"2006-01-02", NULL};
static const char *const times[] = {"15:04:05", "15:04:05Z07:00", NULL};
static const char *const date_times[] = {"15:04:05",
                                         "15:04:05Z07:00",
                                         "2006-01-02",
                                         "2006-01-02T15:04:05Z07:00",
                                         "2006-01-02 15:04:05",
                                         "2006-01-02T15:04:05",
                                         NULL};

static const struct {
    const char *format, *pattern;
} patterns[] = {
    {"email", "^[^@ ]+@[^@ ]+$"},
    {"idn-email", "^[^@ ]+@[^@ ]+$"},
    {"hostname", "^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])(\\.([a-zA-Z0-9]|[a-zA-"
                 "Z0-9][a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9]))*$"},
    {"uuid", "(?i)^[a-f0-9]{8}-[a-f0-9]{4}-[1-5][a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$"},
    {"ipv4", "^((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.|$)){4}$"},
    {"json-pointer", "^(/([^~/]|~0|~1)*)*$"},
    {"relative-json-pointer", "^(0|[1-9][0-9]*)(#|(/([^~/]|~0|~1)*)*)$"},
    {"uri", "^[a-zA-Z][a-zA-Z0-9+.\\-]*:[^ \\\\]*$"},
    {"iri", "^[a-zA-Z][a-zA-Z0-9+.\\-]*:[^ \\\\]*$"},
    {"uri-reference", "^[^ \\\\]*$"},
    {"iri-reference", "^[^ \\\\]*$"},
    {"uri-template", "^([^{}]|\\{[^{}]*\\})*$"},
};

static bool fits(rego_bctx *b, const char *pattern, vs_span text)
{
    const rego_regex *re;
    rego_match m;
    return rego_regex_get(b, vs_str(pattern), &re) == REGO_B_OK &&
           rego_regex_match(re, text.n ? (const char *)text.p : "", text.n, 0, &m, 1);
}

static bool is_ipv6(rego_bctx *b, vs_span text)
{
    vs_val arg = vs_string(text), out;
    vs_val both[2] = {vs_cstring("::/0"), arg};
    return memchr(text.p ? text.p : (const uint8_t *)"", ':', text.n) &&
           rego_bi_cidr_contains(b, both, 2, &out) == REGO_B_OK && !memchr(text.p, '/', text.n);
}

bool schema_format_ok(rego_bctx *b, vs_span format, vs_span text)
{
    const struct rego_regex *re;
    if (vs_span_is(format, "date"))
        return is_time(text, dates);
    if (vs_span_is(format, "time"))
        return is_time(text, times);
    if (vs_span_is(format, "date-time"))
        return is_time(text, date_times);
    if (vs_span_is(format, "regex"))
        return rego_regex_get(b, text, &re) == REGO_B_OK;
    if (vs_span_is(format, "ipv6"))
        return is_ipv6(b, text);
    for (size_t i = 0; i < VS_COUNT(patterns); i++)
        if (vs_span_is(format, patterns[i].format))
            return fits(b, patterns[i].pattern, text);
    return true;
}
