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

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Huge for what is none. */
static uint64_t digit_value(uint8_t c)
{
    uint8_t letter = lower(c);
    return letter >= 'a' && letter <= 'f' ? 10u + letter - 'a' : (uint64_t)c - '0';
}

static bool digits(vs_span s, uint64_t base, uint64_t most, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit = digit_value(s.p[i]);
        if (digit >= base || digit > most || v > (most - digit) / base)
            return false;
        v = v * base + digit;
    }
    if (s.n > 0)
        *out = v;
    return s.n > 0;
}

bool vs_span_decimal(vs_span s, uint64_t most, uint64_t *out)
{
    return digits(s, 10, most, out);
}

bool vs_span_is_port(vs_span s)
{
    uint64_t port;
    return s.n <= 5 && vs_span_decimal(s, 65535, &port);
}

bool vs_span_number(vs_span s, uint64_t most, uint64_t *out)
{
    return vs_span_starts(s, VS_LIT("0x")) ? digits(vs_span_from(s, 2), 16, most, out)
                                           : digits(s, 10, most, out);
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
