/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_response.h"

static vs_span next_line(vs_span *text)
{
    const uint8_t *end = text->n ? memmem(text->p, text->n, "\r\n", 2) : NULL;
    vs_span line = end ? vs_span_head(*text, (size_t)(end - text->p)) : *text;
    *text = vs_span_from(*text, line.n + (end ? 2 : 0));
    return line;
}

static bool is_token(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", s.p[i]))
            return false;
    return s.n > 0;
}

static bool is_value(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

/* "HTTP/1.1 200 OK": the reason may be empty, the space before it missing. */
static bool read_status(vs_span line, vs_response_head *out)
{
    vs_span rest;
    vs_span version = vs_span_cut(line, ' ', &rest, NULL);
    vs_span code = vs_span_cut(rest, ' ', &rest, NULL);
    uint64_t status;
    out->keep = vs_span_is(version, "HTTP/1.1");
    if ((!out->keep && !vs_span_is(version, "HTTP/1.0")) || code.n != 3 ||
        !vs_span_decimal(code, 599, &status) || status < 100 || !is_value(rest))
        return false;
    out->status = (int)status;
    return true;
}

static bool split_field(vs_span line, vs_span *name, vs_span *value)
{
    bool found;
    *name = vs_span_cut(line, ':', value, &found);
    *value = vs_span_trim(*value);
    return found && is_token(*name) && is_value(*value);
}

vs_span vs_response_field(vs_span text, const char *name, size_t i)
{
    (void)next_line(&text);
    for (vs_span line = next_line(&text); line.n; line = next_line(&text)) {
        vs_span key, value;
        if (split_field(line, &key, &value) && vs_span_ieq(key, vs_str(name)) && i-- == 0)
            return value.p ? value : VS_LIT("");
    }
    return (vs_span){0};
}

/* How the body ends; of two lengths, or a length beside a coding, no reader can be sure. */
static bool read_framing(vs_span text, bool to_head, vs_response_head *out)
{
    vs_span length = vs_response_field(text, "content-length", 0);
    vs_span coding = vs_response_field(text, "transfer-encoding", 0);
    if (vs_response_field(text, "content-length", 1).p ||
        vs_response_field(text, "transfer-encoding", 1).p || (length.p && coding.p))
        return false;
    out->body = VS_BODY_CLOSE;
    if (length.p) {
        out->body = VS_BODY_LENGTH;
        if (!vs_span_decimal(length, INT64_MAX, &out->length))
            return false;
    }
    if (coding.p) {
        out->body = VS_BODY_CHUNKED;
        if (!vs_span_ieq(coding, VS_LIT("chunked")))
            return false;
    }
    if (to_head || out->status < 200 || out->status == 204 || out->status == 304)
        out->body = VS_BODY_NONE;
    return true;
}

vs_code vs_response_head_parse(vs_span text, bool to_head, vs_response_head *out, vs_error *err)
{
    vs_span rest = text, name, value;
    *out = (vs_response_head){0};
    if (!read_status(next_line(&rest), out))
        return vs_fail(err, VS_E_PARSE, "the answer is not HTTP/1.1");
    for (vs_span line = next_line(&rest); line.n; line = next_line(&rest)) {
        if (!split_field(line, &name, &value))
            return vs_fail(err, VS_E_PARSE, "the answer has a malformed header");
        if (vs_span_ieq(name, VS_LIT("connection")) && !vs_span_ieq(value, VS_LIT("keep-alive")))
            out->keep = false;
    }
    if (!read_framing(text, to_head, out))
        return vs_fail(err, VS_E_PARSE, "the answer does not say clearly how long it is");
    out->keep = out->keep && out->body != VS_BODY_CLOSE;
    return VS_OK;
}
