/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of event data: what firmware writes is not always valid, and is shown all the same. */
#include "base/enc.h"
#include "tee/eventlog/eventlog.h"

enum { REPLACEMENT = 0xfffd };

vs_span eventlog_utf16(vs_arena *a, vs_span in)
{
    size_t units = in.n / 2, n = 0;
    uint8_t *out = vs_alloc_array(a, units, 3); /* a pair of surrogates gives 4 bytes for 2 units */
    for (size_t i = 0; out && i < units; i++) {
        uint32_t cp = (uint32_t)(in.p[2 * i] | in.p[2 * i + 1] << 8);
        if (cp >= 0xd800 && cp < 0xdc00 && i + 1 < units && (in.p[2 * i + 3] & 0xfc) == 0xdc) {
            uint32_t low = (uint32_t)(in.p[2 * i + 2] | in.p[2 * i + 3] << 8);
            cp = 0x10000 + ((cp & 0x3ff) << 10) + (low & 0x3ff);
            i++;
        } else if (cp >= 0xd800 && cp < 0xe000) {
            cp = REPLACEMENT;
        }
        n += vs_utf8_put(out + n, cp);
    }
    return vs_span_of(out, n);
}

/* Length of the longest prefix of `s` that is, or could have become, one UTF-8 sequence; *ok when
 * it is a whole one. So each maximal bad part is replaced once (Unicode 15, section 3.9). */
static size_t sequence(vs_span s, bool *ok)
{
    uint8_t b = s.p[0];
    size_t want = b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
    *ok = want == 1;
    if (want < 2)
        return 1;
    for (size_t i = 1; i < want; i++) {
        uint8_t low = 0x80, high = 0xbf;
        if (i == 1) { /* no overlong forms, no surrogates, nothing above U+10FFFF */
            low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : low;
            high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : high;
        }
        if (i == s.n || s.p[i] < low || s.p[i] > high)
            return i;
    }
    *ok = true;
    return want;
}

vs_span eventlog_utf8(vs_arena *a, vs_span in)
{
    if (vs_utf8_ok(in))
        return in;
    uint8_t *out = vs_alloc_array(a, in.n, 3);
    size_t n = 0;
    while (out && in.n) {
        bool ok;
        size_t len = sequence(in, &ok);
        if (ok) {
            memcpy(out + n, in.p, len);
            n += len;
        } else {
            n += vs_utf8_put(out + n, REPLACEMENT);
        }
        in = vs_span_from(in, len);
    }
    return vs_span_of(out, n);
}
