/* SPDX-License-Identifier: Apache-2.0 */
/* sprintf with the verbs of Go's fmt (rego.md 11). */
#include <math.h>

#include "rego/builtins.h"
#include "rego/gofmt.h"
#include "value/number.h"

enum { TEXT_MAX = 16 << 20 };

/* A number that no double holds is printed as it may have been written: 2e308. */
static vs_span huge_text(vs_arena *a, vs_val v)
{
    vs_span text = vs_num_text(a, v);
    size_t n = text.n;
    if (memchr(text.p ? text.p : (const uint8_t *)"", 'e', n))
        return text;
    while (n > 0 && text.p[n - 1] == '0')
        n--;
    return n < text.n ? vs_str(vs_sprintf(a, "%.*se%zu", (int)n, (const char *)text.p, text.n - n))
                      : text;
}

/* Strings as they are, integers of any size, other numbers as doubles; the rest as Rego text. */
static go_val argument(vs_arena *a, vs_buf *text, vs_val v)
{
    if (v.kind == VS_STRING)
        return go_string(vs_text(v));
    if (vs_is_int(v))
        return (go_val){.kind = GO_INT, .rego = true, .u.i = v.u.i};
    if (v.kind == VS_NUMBER) {
        double x = vs_num_to_double(v);
        a->failed |= isnan(x); /* no memory: no number is one */
        if (isinf(x))
            return go_string(huge_text(a, v));
        if (vs_num_is_integer(v))
            return (go_val){.kind = GO_BIG, .u.val = v};
        return (go_val){.kind = GO_FLOAT, .rego = true, .u.f = x};
    }
    vs_buf_clear(text);
    rego_print_value(text, v);
    return go_string(vs_text(vs_string_dup(a, vs_buf_span(text))));
}

rego_bres rego_bi_sprintf(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_ARRAY);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf one = VS_BUF(TEXT_MAX);
    go_val *list = vs_alloc_array(b->a, args[1].len, sizeof *list);
    if (!list || !rego_charge(b, args[0].len / 4 + vs_weight(args[1])))
        return REGO_B_LIMIT;
    bool failed = false;
    for (uint32_t i = 0; i < args[1].len; i++) {
        list[i] = argument(b->a, &one, args[1].u.items[i]);
        failed |= !vs_buf_ok(&one);
    }
    go_printf(&text, b->a, vs_text(args[0]), list, args[1].len);
    if (failed || !vs_buf_ok(&text) || b->a->failed || !rego_charge(b, text.n / 4))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&text));
    return REGO_B_OK;
}
