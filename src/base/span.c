/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

vs_span vs_span_cut(vs_span s, char sep, vs_span *rest, bool *found)
{
    const uint8_t *at = s.n ? memchr(s.p, (unsigned char)sep, s.n) : NULL;
    if (found)
        *found = at != NULL;
    if (!at) {
        *rest = vs_span_from(s, s.n);
        return s;
    }
    size_t head = (size_t)(at - s.p);
    *rest = vs_span_from(s, head + 1);
    return vs_span_head(s, head);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

vs_span vs_span_trim(vs_span s)
{
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    return s;
}

bool vs_span_decimal(vs_span s, uint64_t most, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit = (uint64_t)s.p[i] - '0'; /* what is below '0' becomes huge */
        if (digit > 9 || digit > most || v > (most - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (s.n > 0)
        *out = v;
    return s.n > 0;
}

bool vs_span_is_port(vs_span s)
{
    uint64_t port;
    return s.n <= 5 && vs_span_decimal(s, 65535, &port);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool vs_span_ieq(vs_span a, vs_span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool vs_ct_eq(vs_span a, vs_span b)
{
    if (a.n != b.n)
        return false;
    volatile uint8_t diff = 0;
    for (size_t i = 0; i < a.n; i++)
        diff = (uint8_t)(diff | (a.p[i] ^ b.p[i]));
    return diff == 0;
}

void vs_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}
