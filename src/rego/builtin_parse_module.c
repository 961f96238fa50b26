/* SPDX-License-Identifier: Apache-2.0 */
/* rego.parse_module (rego.md 10): the syntax tree of a policy as a value, always in Rego v1. */
#include "rego/builtins.h"
#include "rego/module_json.h"

enum { TREE_MAX = 64 << 20 };

/* Our parser says "unexpected 'x': expected y", OPA "unexpected x token: expected y". */
static rego_bres parse_error_of(rego_bctx *b, const rego_diag *d)
{
    static const char end[] = "unexpected end of the source:", token[] = "unexpected '";
    const char *text = d->message, *quote = strstr(text, "': ");
    if (strncmp(text, end, sizeof end - 1) == 0)
        return rego_error(b, "1 error occurred: %s:%u: %s: unexpected eof token:%s", d->file,
                          d->row, rego_errcode_name(d->code), text + sizeof end - 1);
    if (quote && strncmp(text, token, sizeof token - 1) == 0) {
        text += sizeof token - 1;
        return rego_error(b, "1 error occurred: %s:%u: %s: unexpected %.*s token: %s", d->file,
                          d->row, rego_errcode_name(d->code), (int)(quote - text), text, quote + 3);
    }
    return rego_error(b, "1 error occurred: %s:%u: %s: %s", d->file, d->row,
                      rego_errcode_name(d->code), text);
}

static bool is_blank(vs_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!memchr(" \t\r\n", text.p[i], 4))
            return false;
    return true;
}

rego_bres rego_bi_parse_module(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_STRING);
    vs_span text = vs_text(args[1]);
    vs_arena tree;
    if (!rego_charge(b, 4 * (uint64_t)text.n))
        return REGO_B_LIMIT;
    vs_arena_init(&tree, TREE_MAX);
    compilation c = {.a = &tree, .tree_only = true};
    rego_bres res = REGO_B_OK;
    const char *name = vs_sprintf(&tree, "%.*s", VS_FMT(vs_text(args[0])));
    if (is_blank(text)) {
        res = rego_error(b, "%s:0: rego_parse_error: empty module", name);
    } else {
        const module *m = parse_module(&c, name, text, false);
        vs_val json = c.failed || !m ? vs_undefined() : module_json(&c, m);
        if (vs_arena_ok(&tree) && c.failed)
            res = parse_error_of(b, &c.diag);
        else if (vs_arena_ok(&tree) && vs_defined(json))
            *out = vs_copy(b->a, json);
        else
            res = REGO_B_LIMIT;
    }
    vs_arena_free(&tree);
    return res;
}
