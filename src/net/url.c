/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include "base/enc.h"

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static vs_code decode(vs_arena *a, vs_span raw, bool form, vs_span *out, vs_error *err)
{
    bool plain = memchr(raw.n ? raw.p : (const uint8_t *)"", '%', raw.n) == NULL &&
                 !(form && raw.n && memchr(raw.p, '+', raw.n));
    if (plain) {
        *out = raw;
    } else {
        uint8_t *text = vs_alloc(a, raw.n);
        if (!text)
            return vs_arena_check(a, err);
        size_t n = 0;
        for (size_t i = 0; i < raw.n; i++) {
            uint8_t c = raw.p[i];
            if (c == '%') {
                int high = i + 2 < raw.n ? hex_value(raw.p[i + 1]) : -1;
                int low = high >= 0 ? hex_value(raw.p[i + 2]) : -1;
                if (low < 0)
                    return vs_fail(err, VS_E_PARSE,
                                   "'%%' without two hexadecimal digits at byte %zu", i);
                c = (uint8_t)(high << 4 | low);
                i += 2;
            } else if (form && c == '+') {
                c = ' ';
            }
            text[n++] = c;
        }
        *out = vs_span_of(text, n);
    }
    return vs_utf8_ok(*out) ? VS_OK : vs_fail(err, VS_E_PARSE, "not UTF-8");
}

vs_code vs_url_decode(vs_arena *a, vs_span raw, vs_span *out, vs_error *err)
{
    return decode(a, raw, false, out, err);
}

static size_t count_pieces(vs_span s, char sep)
{
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == (uint8_t)sep;
    return n;
}

vs_code vs_url_split(vs_arena *a, vs_span path, vs_span **out, size_t *n, vs_error *err)
{
    size_t count = count_pieces(path, '/');
    vs_span *segments = vs_alloc_array(a, count, sizeof *segments);
    if (!segments)
        return vs_arena_check(a, err);
    vs_span rest = path;
    for (size_t i = 0; i < count; i++)
        segments[i] = vs_span_cut(rest, '/', &rest, NULL);
    *out = segments;
    *n = count;
    return VS_OK;
}

vs_code vs_url_query(vs_arena *a, vs_span raw, vs_url_param **out, size_t *n, vs_error *err)
{
    *out = NULL;
    *n = 0;
    if (raw.n == 0)
        return VS_OK;
    vs_url_param *params = vs_alloc_array(a, count_pieces(raw, '&'), sizeof *params);
    if (!params)
        return vs_arena_check(a, err);
    size_t count = 0;
    for (vs_span rest = raw; rest.n;) {
        vs_span value, piece = vs_span_cut(rest, '&', &rest, NULL);
        if (piece.n == 0)
            continue;
        vs_span name = vs_span_cut(piece, '=', &value, NULL);
        VS_TRY(decode(a, name, true, &params[count].name, err));
        VS_TRY(decode(a, value, true, &params[count].value, err));
        count++;
    }
    *out = params;
    *n = count;
    return VS_OK;
}

bool vs_url_authority(vs_span all, vs_span *host, vs_span *port)
{
    size_t at = all.n;
    *port = (vs_span){0};
    while (at && all.p[at - 1] != ':' && all.p[at - 1] != ']')
        at--;
    if (at && all.p[at - 1] == ':') {
        *port = vs_span_from(all, at);
        all = vs_span_head(all, at - 1);
        if (!vs_span_is_port(*port))
            return false;
    }
    bool bracketed = all.n > 2 && all.p[0] == '[' && all.p[all.n - 1] == ']';
    *host = bracketed ? vs_span_of(all.p + 1, all.n - 2) : all;
    for (size_t i = 0; i < host->n; i++)
        if (host->p[i] <= 0x20 || host->p[i] >= 0x7f || strchr("/?#@[]%\\\"", host->p[i]) ||
            (host->p[i] == ':' && !bracketed))
            return false;
    return host->n > 0;
}
