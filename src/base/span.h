/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of bytes that somebody else owns. All input of all parsers is a vs_span, passed by value.
 *
 * A span may be empty (n == 0); p may then be NULL. Text in a span is not NUL terminated.
 */
#ifndef VS_BASE_SPAN_H
#define VS_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The result must be looked at: an error nobody reads is a fail-open. */
#define VS_MUST         __attribute__((warn_unused_result))
#define VS_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define VS_COUNT(a)     (sizeof(a) / sizeof((a)[0]))

typedef struct vs_span {
    const uint8_t *p;
    size_t n;
} vs_span;

/* A span over a string literal (without its NUL), also usable in static initialisers. */
#define VS_LIT(s) ((vs_span){(const uint8_t *)("" s), sizeof(s) - 1})
/* For printf("%.*s"): text that is known to be short. */
#define VS_FMT(s)                                                                                  \
    (int)((s).n > INT32_MAX ? INT32_MAX : (s).n),                                                  \
        (const char *)((s).p ? (s).p : (const uint8_t *)"")

static inline vs_span vs_span_of(const void *p, size_t n)
{
    return (vs_span){p, n};
}

static inline vs_span vs_str(const char *s)
{
    return (vs_span){(const uint8_t *)s, s ? strlen(s) : 0};
}

/* For public data only; secrets are compared with vs_ct_eq. */
static inline bool vs_span_eq(vs_span a, vs_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool vs_span_is(vs_span a, const char *s)
{
    return vs_span_eq(a, vs_str(s));
}

/* Bytewise order; a prefix sorts before what it is a prefix of. */
static inline int vs_span_cmp(vs_span a, vs_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static inline bool vs_span_starts(vs_span a, vs_span prefix)
{
    return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}

static inline bool vs_span_ends(vs_span a, vs_span suffix)
{
    return a.n >= suffix.n &&
           (suffix.n == 0 || memcmp(a.p + a.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The rest of `a` from `from` on; empty when `from` is beyond the end. */
static inline vs_span vs_span_from(vs_span a, size_t from)
{
    return from >= a.n ? (vs_span){a.p ? a.p + a.n : NULL, 0} : (vs_span){a.p + from, a.n - from};
}

/* At most `n` bytes from the start. */
static inline vs_span vs_span_head(vs_span a, size_t n)
{
    return (vs_span){a.p, n < a.n ? n : a.n};
}

/* Splits at the first `sep`: returns the part before it and leaves the part after it in *rest.
 * Without a `sep` the whole is returned, *rest is empty and *found (if given) false. */
vs_span vs_span_cut(vs_span s, char sep, vs_span *rest, bool *found);

/* Without ASCII white space at both ends. */
vs_span vs_span_trim(vs_span s);

/* At least one digit and nothing else, of a value up to `most`; *out is set only then. */
VS_MUST bool vs_span_decimal(vs_span s, uint64_t most, uint64_t *out);
/* A port as such a number: one to five digits, 0 to 65535. (getaddrinfo takes any number modulo
 * 65536.) */
bool vs_span_is_port(vs_span s);

/* As vs_span_decimal, or "0x" and at least one hexadecimal digit of either case. */
VS_MUST bool vs_span_number(vs_span s, uint64_t most, uint64_t *out);

/* ASCII case-insensitive equality, for HTTP header names and the like. */
bool vs_span_ieq(vs_span a, vs_span b);

/* Constant-time equality for secrets and MACs: the time depends on the lengths only. */
bool vs_ct_eq(vs_span a, vs_span b);

/* Overwrites memory in a way the compiler may not remove. */
void vs_wipe(void *p, size_t n);

#endif
