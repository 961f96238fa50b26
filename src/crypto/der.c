/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/der.h"

enum { LENGTH_BYTES = 3 }; /* 16 MiB: more than any certificate */

/* Reads the octets of a length behind the tag; *head = octets of tag and length. */
static bool read_length(vs_span in, size_t *head, size_t *n)
{
    if (in.n < 2)
        return false;
    unsigned count = in.p[1] & 0x7fu;
    *head = 2;
    *n = in.p[1];
    if (in.p[1] < 0x80)
        return true;
    if (count == 0 || count > LENGTH_BYTES || in.n < 2 + count || in.p[2] == 0)
        return false;
    *n = 0;
    for (unsigned i = 0; i < count; i++)
        *n = *n << 8 | in.p[2 + i];
    *head = 2 + count;
    return *n >= 0x80;
}

vs_code vs_der_take(vs_span *in, uint8_t tag, vs_span *content, vs_error *err)
{
    size_t head, n;
    *content = (vs_span){NULL, 0};
    if (in->n == 0 || in->p[0] != tag)
        return vs_fail(err, VS_E_PARSE, in->n ? "DER: tag 0x%02x instead of 0x%02x" : "DER: empty",
                       in->n ? in->p[0] : 0, tag);
    if (!read_length(*in, &head, &n) || n > in->n - head)
        return vs_fail(err, VS_E_PARSE, "DER: bad length of an element with tag 0x%02x", tag);
    *content = vs_span_of(in->p + head, n);
    *in = vs_span_from(*in, head + n);
    return VS_OK;
}

vs_code vs_der_only(vs_span in, uint8_t tag, vs_span *content, vs_error *err)
{
    VS_TRY(vs_der_take(&in, tag, content, err));
    return in.n ? vs_fail(err, VS_E_PARSE, "DER: %zu bytes behind the element", in.n) : VS_OK;
}

vs_code vs_der_only_uint(vs_span in, uint8_t tag, uint64_t most, uint64_t *out, vs_error *err)
{
    vs_span v;
    VS_TRY(vs_der_only(in, tag, &v, err));
    bool padded = v.n > 1 && v.p[0] == 0;
    if (v.n == 0 || v.n > sizeof *out + 1 || (v.n == sizeof *out + 1 && v.p[0] != 0) ||
        (padded && v.p[1] < 0x80))
        return vs_fail(err, VS_E_PARSE, "DER: bad integer of %zu bytes", v.n);
    if (v.p[0] >= 0x80)
        return vs_fail(err, VS_E_INVALID, "DER: the integer is negative");
    uint64_t value = 0;
    for (size_t i = 0; i < v.n; i++)
        value = value << 8 | v.p[i];
    if (value > most)
        return vs_fail(err, VS_E_INVALID, "DER: integer %llu, at most %llu",
                       (unsigned long long)value, (unsigned long long)most);
    *out = value;
    return VS_OK;
}

vs_code vs_der_only_bool(vs_span in, bool *out, vs_error *err)
{
    vs_span v;
    VS_TRY(vs_der_only(in, VS_DER_BOOLEAN, &v, err));
    if (v.n != 1 || (v.p[0] != 0 && v.p[0] != 0xff))
        return vs_fail(err, VS_E_PARSE, "DER: bad boolean");
    *out = v.p[0] != 0;
    return VS_OK;
}
