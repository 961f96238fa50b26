/* SPDX-License-Identifier: Apache-2.0 */
/* Semantic versions (rego.md 10.10). */
#include "rego/builtins.h"

/* ---- semver 2.0.0
 * ---------------------------------------------------------------------------------- */

typedef struct version {
    vs_span number[3], pre;
} version;

static bool is_digits(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* Dot separated identifiers [0-9A-Za-z-]+; numeric ones without leading zeros when `strict`. */
static bool identifiers_ok(vs_span s, bool strict)
{
    for (bool more = true; more;) {
        vs_span id = vs_span_cut(s, '.', &s, &more);
        if (id.n == 0 || (strict && is_digits(id) && id.n > 1 && id.p[0] == '0'))
            return false;
        for (size_t i = 0; i < id.n; i++) {
            uint8_t c = id.p[i], l = c | 0x20;
            if (!(c == '-' || (c >= '0' && c <= '9') || (l >= 'a' && l <= 'z')))
                return false;
        }
    }
    return true;
}

static bool parse_version(vs_span s, version *v)
{
    vs_span build, rest;
    bool has_build, has_pre, more;
    vs_span core = vs_span_cut(s, '+', &build, &has_build);
    core = vs_span_cut(core, '-', &v->pre, &has_pre);
    if ((has_build && !identifiers_ok(build, false)) || (has_pre && !identifiers_ok(v->pre, true)))
        return false;
    rest = core;
    for (int i = 0; i < 3; i++) {
        v->number[i] = vs_span_cut(rest, '.', &rest, &more);
        if (!is_digits(v->number[i]) || (v->number[i].n > 1 && v->number[i].p[0] == '0') ||
            more != (i < 2))
            return false;
    }
    return true;
}

static int cmp_digits(vs_span a, vs_span b)
{
    return a.n != b.n ? (a.n < b.n ? -1 : 1) : vs_span_cmp(a, b);
}

static int cmp_identifier(vs_span a, vs_span b)
{
    bool na = is_digits(a), nb = is_digits(b);
    if (na && nb)
        return cmp_digits(a, b);
    if (na != nb)
        return na ? -1 : 1;
    return vs_span_cmp(a, b);
}

/* Section 11: a version with a pre-release comes before the one without. */
static int cmp_pre(vs_span a, vs_span b)
{
    if (a.n == 0 || b.n == 0)
        return (a.n == 0) - (b.n == 0);
    for (bool ma = true, mb = true; ma || mb;) {
        if (!ma || !mb)
            return ma ? 1 : -1;
        vs_span x = vs_span_cut(a, '.', &a, &ma), y = vs_span_cut(b, '.', &b, &mb);
        int c = cmp_identifier(x, y);
        if (c)
            return c;
    }
    return 0;
}

rego_bres rego_bi_semver_compare(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    version v[2];
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    for (unsigned i = 0; i < 2; i++) {
        if (!parse_version(vs_text(args[i]), &v[i]))
            return rego_error(b, "operand %u: string \"%.*s\" is not a valid SemVer", i + 1,
                              VS_FMT(vs_span_head(vs_text(args[i]), 80)));
    }
    int c = 0;
    for (int i = 0; i < 3 && c == 0; i++)
        c = cmp_digits(v[0].number[i], v[1].number[i]);
    if (c == 0)
        c = cmp_pre(v[0].pre, v[1].pre);
    *out = vs_int((c > 0) - (c < 0));
    return rego_charge(b, (args[0].len + args[1].len) / 16) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_semver_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    version v;
    *out = vs_bool(args[0].kind == VS_STRING && parse_version(vs_text(args[0]), &v));
    return rego_charge(b, args[0].len / 16) ? REGO_B_OK : REGO_B_LIMIT;
}
