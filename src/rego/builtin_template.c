/* SPDX-License-Identifier: Apache-2.0 */
/* strings.render_template (rego.md 10.4). */
#include "rego/builtins.h"
#include "rego/template.h"

/* Templates see JSON: no sets, and text as keys. */
static bool is_json(vs_val v)
{
    if (v.kind == VS_ARRAY) {
        for (VS_ARR_FOR (item, v))
            if (!is_json(*item))
                return false;
    } else if (v.kind == VS_OBJECT) {
        for (VS_OBJ_FOR (p, v))
            if (p->key.kind != VS_STRING || !is_json(p->val))
                return false;
    }
    return v.kind != VS_SET;
}

/* What Go prints for a missing value is Rego's undefined, wherever it stands. */
static void put_undefined(vs_buf *out, vs_span s)
{
    static const char missing[] = "<no value>";
    for (;;) {
        const uint8_t *at = s.n ? memmem(s.p, s.n, missing, sizeof missing - 1) : NULL;
        if (!at)
            break;
        vs_buf_put(out, vs_span_head(s, (size_t)(at - s.p)));
        vs_buf_puts(out, "<undefined>");
        s = vs_span_from(s, (size_t)(at - s.p) + sizeof missing - 1);
    }
    vs_buf_put(out, s);
}

rego_bres rego_bi_render_template(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TPL_OUTPUT_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf result = VS_BUF(TPL_OUTPUT_MAX);
    const tpl_tree *trees;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_OBJECT);
    if (!rego_charge(b, vs_weight(args[1]) / 4))
        return REGO_B_LIMIT;
    if (!is_json(args[1]))
        return rego_error(b, "variables must be JSON: no sets, and only strings as keys");
    rego_bres res = tpl_parse(b, vs_text(args[0]), &trees);
    if (res == REGO_B_OK)
        res = tpl_execute(b, trees, args[1], &text);
    if (b->a->failed)
        return REGO_B_LIMIT; /* whatever it led to */
    if (res != REGO_B_OK)
        return res;
    put_undefined(&result, vs_buf_span(&text));
    if (!vs_buf_ok(&result) || !rego_charge(b, result.n / 16))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&result));
    return REGO_B_OK;
}
