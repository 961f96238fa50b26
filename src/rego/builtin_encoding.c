/* SPDX-License-Identifier: Apache-2.0 */
/* base64, hexadecimal, JSON (rego.md 10.6). */
#include "base/enc.h"
#include "rego/builtins.h"
#include "rego/unicode.h"
#include "value/json.h"

enum { TEXT_MAX = 16 << 20, JSON_DEPTH = VS_DEPTH_MAX - 1 };

static rego_bres encode64(rego_bctx *b, const vs_val *args, vs_b64_form form, vs_val *out)
{
    REGO_WANT(0, VS_STRING);
    if (args[0].len > TEXT_MAX || !rego_charge(b, args[0].len / 16))
        return REGO_B_LIMIT;
    *out = vs_string(vs_b64_encode_arena(b->a, form, vs_text(args[0])));
    return REGO_B_OK;
}

static int value64(uint8_t c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = memchr(alphabet, c == '-' ? '+' : c == '_' ? '/' : c, 64);
    return at ? (int)(at - alphabet) : -1;
}

/* What Go's decoder forgives is taken away: line ends, and unused bits that are set. Without
 * padding (the url form only) it is added, by the length that counts line ends too. */
static bool forgive64(vs_arena *a, vs_span s, bool url, vs_span *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t *p = vs_alloc(a, s.n + 3);
    size_t n = 0, digits = 0, over = url && !vs_span_ends(s, VS_LIT("=")) ? s.n % 4 : 0;
    if (!p)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r' && s.p[i] != '\n')
            p[n++] = s.p[i];
    for (; over > 0 && over < 4; over++) /* three of them are never right */
        p[n++] = '=';
    while (digits < n && p[digits] != '=')
        digits++;
    int last = digits ? value64(p[digits - 1]) : -1;
    bool theirs = digits && strchr(url ? "+/" : "-_", p[digits - 1]);
    if (last >= 0 && !theirs && digits % 4 > 1)
        p[digits - 1] = (uint8_t)letters[last & (digits % 4 == 2 ? 0x30 : 0x3c)];
    *out = vs_span_of(p, n);
    return true;
}

static rego_bres decode64(rego_bctx *b, const vs_val *args, vs_b64_form form, vs_val *out)
{
    REGO_WANT(0, VS_STRING);
    vs_span bytes, text;
    vs_error err = {0};
    if (!rego_charge(b, args[0].len / 16) ||
        !forgive64(b->a, vs_text(args[0]), form != VS_B64_STD, &text))
        return REGO_B_LIMIT;
    if (vs_b64_decode_arena(b->a, form, text, &bytes, &err) != VS_OK)
        return rego_error(b, "%s", vs_error_at(&err, 0));
    *out = vs_string(bytes);
    return REGO_B_OK;
}

rego_bres rego_bi_base64_encode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return encode64(b, args, VS_B64_STD, out);
}

rego_bres rego_bi_base64_decode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return decode64(b, args, VS_B64_STD, out);
}

rego_bres rego_bi_base64_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val ignored;
    *out = vs_bool(false);
    if (args[0].kind != VS_STRING)
        return REGO_B_OK;
    rego_bres res = decode64(b, args, VS_B64_STD, &ignored);
    *out = vs_bool(res == REGO_B_OK);
    return res == REGO_B_LIMIT ? res : REGO_B_OK;
}

rego_bres rego_bi_base64url_encode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return encode64(b, args, VS_B64_URL_PADDED, out);
}

rego_bres rego_bi_base64url_encode_no_pad(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return encode64(b, args, VS_B64_URL, out);
}

rego_bres rego_bi_base64url_decode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    return decode64(b, args, VS_B64_URL_PADDED, out);
}

rego_bres rego_bi_hex_encode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    if (args[0].len > TEXT_MAX || !rego_charge(b, args[0].len / 16))
        return REGO_B_LIMIT;
    *out = vs_string(vs_hex_encode_arena(b->a, vs_text(args[0])));
    return REGO_B_OK;
}

rego_bres rego_bi_hex_decode(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    vs_span s = vs_text(args[0]), bytes;
    for (size_t i = 0; i < s.n; i++) { /* bytes, as Go has it, not code points */
        uint8_t c = s.p[i], enc[4];
        bool digit = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        if (digit)
            continue;
        if (!rego_is_printable(c))
            return rego_error(b, "encoding/hex: invalid byte: U+%04X", c);
        return rego_error(b, "encoding/hex: invalid byte: U+%04X '%.*s'", c,
                          (int)vs_utf8_put(enc, c), (const char *)enc);
    }
    if (vs_hex_decode_arena(b->a, s, &bytes, NULL) != VS_OK)
        return rego_error(b, "encoding/hex: odd length hex string");
    *out = vs_string(bytes);
    return rego_charge(b, s.n / 16) ? REGO_B_OK : REGO_B_LIMIT;
}

rego_bres rego_bi_json_marshal(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf safe = VS_BUF(TEXT_MAX);
    if (!rego_charge(b, vs_weight(args[0]) / 4))
        return REGO_B_LIMIT;
    vs_val plain = vs_json_plain(b->a, args[0]);
    vs_json_print(&text, plain);
    vs_json_escape_html(&safe, vs_buf_span(&text));
    if (!vs_defined(plain) || !vs_buf_ok(&text) || !vs_buf_ok(&safe) || !rego_charge(b, safe.n / 4))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&safe));
    return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
}

/* As Go reads it: bytes that are not UTF-8 are U+FFFD. A text that is too deep or too large for a
 * value may be good JSON, so that is a limit. */
static rego_bres parse(rego_bctx *b, vs_val text, vs_val *out, vs_error *err)
{
    vs_json_opts opts = {.dup_last_wins = true, .lossy = true, .depth = JSON_DEPTH};
    if (!rego_charge(b, text.len / 4))
        return REGO_B_LIMIT;
    vs_code code = vs_json_parse(b->a, vs_text(text), &opts, out, err);
    if (code == VS_OK)
        return REGO_B_OK;
    return code == VS_E_NOMEM || code == VS_E_LIMIT || !vs_arena_ok(b->a) ? REGO_B_LIMIT
                                                                          : REGO_B_ERROR;
}

rego_bres rego_bi_json_unmarshal(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    vs_error err = {0};
    rego_bres res = parse(b, args[0], out, &err);
    return res == REGO_B_ERROR ? rego_error(b, "%s", vs_error_at(&err, 0)) : res;
}

rego_bres rego_bi_json_is_valid(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_val ignored;
    rego_bres res = args[0].kind == VS_STRING ? parse(b, args[0], &ignored, NULL) : REGO_B_ERROR;
    *out = vs_bool(res == REGO_B_OK);
    return res == REGO_B_LIMIT ? res : REGO_B_OK;
}
