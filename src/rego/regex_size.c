/* SPDX-License-Identifier: Apache-2.0 */
/* The size of a regular expression, before it is compiled. */
#include "rego/builtins.h"

enum { DEPTH = 256, COUNT_MAX = 1000 /* of RE2 */ };
static const uint64_t TOO_MANY = 1u << 30;

/* Behind a class "[...]" that starts at `at`. A ']' right behind "[" or "[^" is a member. */
static size_t skip_class(vs_span s, size_t at)
{
    at++;
    if (at < s.n && s.p[at] == '^')
        at++;
    for (size_t first = at; at < s.n; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '[' && at + 1 < s.n && s.p[at + 1] == ':') /* [:alpha:] */
            while (at + 1 < s.n && s.p[at] != ']')
                at++;
        else if (s.p[at] == ']' && at > first)
            return at + 1;
    }
    return s.n;
}

/* Behind an escape; \p{Greek} is one. */
static size_t skip_escape(vs_span s, size_t at)
{
    bool named = at + 2 < s.n && (s.p[at + 1] | 0x20) == 'p' && s.p[at + 2] == '{';
    at += 2;
    while (named && at < s.n && s.p[at - 1] != '}')
        at++;
    return at;
}

/* "{n}", "{n,}" or "{n,m}" at `at`: the larger number, and *next behind it; 0 = literal text. */
static uint64_t read_count(vs_span s, size_t at, size_t *next)
{
    uint64_t n[2] = {0, 0};
    unsigned i = 0, digits = 0;
    for (at++; at < s.n; at++) {
        uint8_t c = s.p[at];
        if (c >= '0' && c <= '9') {
            n[i] = n[i] < TOO_MANY ? n[i] * 10 + (c - '0') : TOO_MANY;
            digits++;
        } else if (c == ',' && i == 0) {
            i = 1;
        } else {
            break;
        }
    }
    if (at >= s.n || s.p[at] != '}' || digits == 0)
        return 0;
    *next = at + 1;
    return n[0] > n[1] ? n[0] : n[1];
}

uint64_t rego_regex_repetitions(vs_span s)
{
    uint64_t outer[DEPTH], sum = 0, last = 0; /* of the group being read; of the atom before */
    size_t depth = 0;
    for (size_t at = 0; at < s.n;) {
        size_t next = at + 1;
        uint64_t count;
        switch (s.p[at]) {
        case '\\': next = skip_escape(s, at); break;
        case '[': next = skip_class(s, at); break;
        case '(':
            if (depth == DEPTH)
                return TOO_MANY;
            outer[depth++] = sum;
            sum = 0;
            break;
        case ')':
            last = sum;
            if (depth)
                sum += outer[--depth];
            at = next;
            continue;
        case '{':
            count = read_count(s, at, &next);
            if (count > COUNT_MAX)
                return UINT64_MAX;
            if (count) {
                sum += (last ? last : 1) * count - last;
                last = 0;
                if (sum > TOO_MANY)
                    return TOO_MANY;
            }
            at = next;
            continue;
        default: break;
        }
        last = 0;
        at = next;
    }
    while (depth)
        sum += outer[--depth];
    return sum;
}
