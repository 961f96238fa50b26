/* SPDX-License-Identifier: Apache-2.0 */
/* Most of what JSON is made of: characters that stand for themselves. */
#ifndef VS_VALUE_JSON_PLAIN_H
#define VS_VALUE_JSON_PLAIN_H

#include "base/span.h"

static inline bool json_is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Eight such bytes: for "below n" and "equal to c" see the borrows that a subtraction leaves in the
 * highest bits. */
static inline bool json_are_plain(const uint8_t *p)
{
    const uint64_t each = 0x0101010101010101, high = each << 7;
    uint64_t v;
    memcpy(&v, p, sizeof v);
    uint64_t quote = v ^ '"' * each, backslash = v ^ '\\' * each;
    return !((v | ((v - 0x20 * each) & ~v) | ((quote - each) & ~quote) |
              ((backslash - each) & ~backslash)) &
             high);
}

/* How many at the start of `s` are ASCII and stand for themselves in a JSON string. */
static inline size_t json_plain(vs_span s)
{
    size_t n = 0;
    while (s.n - n >= 8 && json_are_plain(s.p + n))
        n += 8;
    while (n < s.n && json_is_plain(s.p[n]))
        n++;
    return n;
}

#endif
