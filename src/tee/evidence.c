/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/evidence.h"

#include "value/number.h"

/* Judged all together, since nearly all arrays are what they should be. What stands before an
 * integer's value is the same for all integers. */
static vs_code fill_bytes(vs_val array, const char *what, uint8_t *out, vs_error *err)
{
    const vs_val *const items = array.u.items, integer = vs_int(0);
    uint64_t head, wanted, other = 0, all = 0;
    _Static_assert(offsetof(vs_val, u) == sizeof head, "a value's head is one word");
    memcpy(&wanted, &integer, sizeof wanted);
    for (uint32_t i = 0; i < array.len; i++) {
        memcpy(&head, &items[i], sizeof head);
        other |= head ^ wanted;
        all |= (uint64_t)items[i].u.i;
        out[i] = (uint8_t)items[i].u.i;
    }
    for (uint32_t i = 0; i < array.len && (other || all > UINT8_MAX); i++)
        if (!vs_is_int(items[i]) || (uint64_t)items[i].u.i > UINT8_MAX)
            return vs_fail(err, VS_E_INVALID,
                           "element %u of \"%s\" is not a byte (a number from 0 to 255)", i, what);
    return VS_OK;
}

vs_code evidence_byte_array(vs_arena *a, vs_val array, const char *what, size_t most, vs_span *out,
                            vs_error *err)
{
    *out = (vs_span){NULL, 0};
    if (array.kind != VS_ARRAY)
        return vs_fail(err, VS_E_INVALID, "\"%s\" must be an array of bytes, not a %s", what,
                       vs_kind_name(array.kind));
    if (array.len > most)
        return vs_fail(err, VS_E_LIMIT, "\"%s\" has %u bytes, at most %zu are taken", what,
                       array.len, most);
    uint8_t *bytes = vs_alloc(a, array.len);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(fill_bytes(array, what, bytes, err));
    *out = vs_span_of(bytes, array.len);
    return VS_OK;
}

vs_code evidence_bytes(vs_val object, const char *key, uint8_t *out, size_t n, vs_error *err)
{
    vs_val array;
    VS_TRY(vs_need(object, key, VS_ARRAY, &array, err));
    if (array.len != n)
        return vs_fail(err, VS_E_INVALID, "\"%s\" has %u bytes instead of %zu", key, array.len, n);
    return fill_bytes(array, key, out, err);
}

static vs_code check_size(vs_span bytes, const char *key, size_t most, vs_error *err)
{
    if (bytes.n == 0)
        return vs_fail(err, VS_E_INVALID, "\"%s\" is empty", key);
    if (bytes.n > most)
        return vs_fail(err, VS_E_LIMIT, "\"%s\" has %zu bytes, at most %zu are taken", key, bytes.n,
                       most);
    return VS_OK;
}

vs_code evidence_base64(vs_arena *a, vs_val object, const char *key, vs_b64_form form, size_t most,
                        vs_span *out, vs_error *err)
{
    vs_val text;
    VS_TRY(vs_need(object, key, VS_STRING, &text, err));
    VS_TRY_WRAP(vs_b64_decode_arena(a, form, vs_text(text), out, err), err, "\"%s\"", key);
    return check_size(*out, key, most, err);
}

vs_code evidence_hex(vs_arena *a, vs_val object, const char *key, size_t most, vs_span *out,
                     vs_error *err)
{
    vs_val text;
    VS_TRY(vs_need(object, key, VS_STRING, &text, err));
    VS_TRY_WRAP(vs_hex_decode_arena(a, vs_text(text), out, err), err, "\"%s\"", key);
    return check_size(*out, key, most, err);
}

/* Integers above INT64_MAX are exact numbers of the other representation; their text is digits. */
static bool is_uint(vs_arena *a, vs_val v, uint64_t most, uint64_t *out)
{
    if (!vs_is_int(v))
        return most > INT64_MAX && vs_span_decimal(vs_num_text(a, v), most, out);
    *out = (uint64_t)v.u.i;
    return v.u.i >= 0 && *out <= most;
}

vs_code evidence_may_uint(vs_arena *a, vs_val object, const char *key, uint64_t most, bool *there,
                          uint64_t *out, vs_error *err)
{
    vs_val v;
    *out = 0;
    VS_TRY(vs_may(object, key, VS_NUMBER, &v, err));
    *there = vs_defined(v);
    if (*there && !is_uint(a, v, most, out))
        return vs_fail(err, VS_E_INVALID, "\"%s\" must be an integer from 0 to %llu", key,
                       (unsigned long long)most);
    return vs_arena_check(a, err);
}

vs_code evidence_uint(vs_arena *a, vs_val object, const char *key, uint64_t most, uint64_t *out,
                      vs_error *err)
{
    bool there;
    VS_TRY(evidence_may_uint(a, object, key, most, &there, out, err));
    return there ? VS_OK : vs_fail(err, VS_E_INVALID, "member \"%s\" is missing", key);
}

void evidence_put_bytes(vs_buf *json, vs_span bytes)
{
    vs_buf_putc(json, '[');
    for (size_t i = 0; i < bytes.n; i++) {
        if (i)
            vs_buf_putc(json, ',');
        vs_buf_put_int(json, bytes.p[i]);
    }
    vs_buf_putc(json, ']');
}

vs_val evidence_hex_claim(vs_arena *a, vs_span bytes)
{
    return vs_string(vs_hex_encode_arena(a, bytes));
}
