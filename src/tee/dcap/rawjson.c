/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/dcap/rawjson.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip(vs_span *in, const char *also)
{
    while (in->n && (is_space(in->p[0]) || (in->p[0] && strchr(also, in->p[0]))))
        *in = vs_span_from(*in, 1);
}

/* Bytes of the string at the start, with its quotes. */
static size_t string_size(vs_span in)
{
    size_t i = 1;
    while (i < in.n && in.p[i] != '"')
        i += in.p[i] == '\\' ? 2 : 1;
    return i < in.n ? i + 1 : in.n;
}

/* The value at the start: up to the comma or bracket that is not inside it. */
static vs_span take_value(vs_span *in)
{
    size_t i = 0, depth = 0;
    while (i < in->n) {
        uint8_t c = in->p[i];
        if (c == '"') {
            i += string_size(vs_span_from(*in, i));
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            break;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        i++;
    }
    vs_span value = vs_span_trim(vs_span_head(*in, i));
    *in = vs_span_from(*in, i);
    return value;
}

vs_span rawjson_member(vs_span object, const char *key)
{
    vs_span in = object;
    skip(&in, "{");
    while (in.n && in.p[0] == '"') {
        vs_span name = vs_span_head(in, string_size(in));
        in = vs_span_from(in, name.n);
        skip(&in, ":");
        vs_span value = take_value(&in);
        if (name.n >= 2 && vs_span_is(vs_span_of(name.p + 1, name.n - 2), key))
            return value;
        skip(&in, ",");
    }
    return (vs_span){NULL, 0};
}

bool rawjson_next(vs_span *array, vs_span *element)
{
    skip(array, "");
    if (array->n && (array->p[0] == '[' || array->p[0] == ','))
        *array = vs_span_from(*array, 1);
    skip(array, "");
    if (!array->n || array->p[0] == ']')
        return false;
    *element = take_value(array);
    return true;
}

void rawjson_minify(vs_buf *out, vs_span text)
{
    size_t i = 0;
    while (i < text.n) {
        size_t n = text.p[i] == '"' ? string_size(vs_span_from(text, i)) : 1;
        if (!is_space(text.p[i]))
            vs_buf_put(out, vs_span_of(text.p + i, n));
        i += n;
    }
}
