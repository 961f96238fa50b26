/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8785, the JSON Canonicalization Scheme. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/enc.h"
#include "value/json.h"

/* Section 3.2.2.3: a number as ECMAScript prints it, from the shortest digits that read back. */
static vs_code put_es6(vs_buf *out, vs_val v, vs_error *err)
{
    double x = vs_num_to_double(v);
    if (!isfinite(x))
        return vs_fail(err, VS_E_INVALID, "a number is too large for RFC 8785 (IEEE 754 double)");
    if (x == 0) {
        vs_buf_putc(out, '0');
        return VS_OK;
    }
    char text[40], digits[24];
    for (int n = 1; n <= 17; n++) {
        (void)snprintf(text, sizeof text, "%.*e", n - 1, x);
        if (strtod(text, NULL) == x)
            break;
    }
    int k = 0;
    const char *s = text;
    for (; *s && *s != 'e'; s++)
        if (*s >= '0' && *s <= '9')
            digits[k++] = *s;
    while (k > 1 && digits[k - 1] == '0')
        k--;
    int n = atoi(s + 1) + 1; /* position of the decimal point behind the first digit's */
    if (x < 0)
        vs_buf_putc(out, '-');
    if (k <= n && n <= 21) {
        vs_buf_printf(out, "%.*s%.*s", k, digits, n - k, "000000000000000000000");
    } else if (0 < n && n <= 21) {
        vs_buf_printf(out, "%.*s.%.*s", n, digits, k - n, digits + n);
    } else if (-6 < n && n <= 0) {
        vs_buf_printf(out, "0.%.*s%.*s", -n, "000000", k, digits);
    } else {
        vs_buf_printf(out, "%c%s%.*se%+d", digits[0], k > 1 ? "." : "", k - 1, digits + 1, n - 1);
    }
    return VS_OK;
}

/* Order of member names by UTF-16 code units (3.2.3). It differs from byte order only where a
 * supplementary character meets one of U+E000..U+FFFF. */
static int cmp_utf16(const void *x, const void *y)
{
    vs_span a = vs_text((*(const vs_pair *const *)x)->key),
            b = vs_text((*(const vs_pair *const *)y)->key);
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return (a.n > b.n) - (a.n < b.n);
    uint8_t ca = a.p[i], cb = b.p[i];
    bool sa = ca >= 0xf0, sb = cb >= 0xf0; /* lead byte of a supplementary character: D800.. */
    if (sa != sb && (sa ? cb : ca) >= 0xee)
        return sa ? -1 : 1;
    return ca < cb ? -1 : 1;
}

static vs_code canonical(vs_buf *out, vs_val v, vs_error *err);

static vs_code canonical_object(vs_buf *out, vs_val v, vs_error *err)
{
    const vs_pair **order = v.len ? malloc(v.len * sizeof *order) : NULL;
    if (v.len && !order)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < v.len; i++)
        order[i] = &v.u.pairs[i];
    if (v.len)
        qsort(order, v.len, sizeof *order, cmp_utf16);
    vs_code code = VS_OK;
    vs_buf_putc(out, '{');
    for (uint32_t i = 0; i < v.len && code == VS_OK; i++) {
        if (i)
            vs_buf_putc(out, ',');
        if (order[i]->key.kind != VS_STRING)
            code = vs_fail(err, VS_E_INVALID, "a member name is not a string");
        vs_json_quote(out, vs_text(order[i]->key));
        vs_buf_putc(out, ':');
        if (code == VS_OK)
            code = canonical(out, order[i]->val, err);
    }
    vs_buf_putc(out, '}');
    free(order);
    return code;
}

static vs_code canonical(vs_buf *out, vs_val v, vs_error *err)
{
    switch ((vs_kind)v.kind) {
    case VS_NUMBER: return put_es6(out, v, err);
    case VS_OBJECT: return canonical_object(out, v, err);
    case VS_ARRAY:
    case VS_SET:
        vs_buf_putc(out, '[');
        for (uint32_t i = 0; i < v.len; i++) {
            if (i)
                vs_buf_putc(out, ',');
            VS_TRY(canonical(out, v.u.items[i], err));
        }
        vs_buf_putc(out, ']');
        return VS_OK;
    default: vs_json_print(out, v); return VS_OK;
    }
}

vs_code vs_json_canonical(vs_buf *out, vs_val v, vs_error *err)
{
    VS_TRY(canonical(out, v, err));
    return vs_buf_check(out, err);
}
