/* SPDX-License-Identifier: Apache-2.0 */
/* uuid.* and rand.intn: pseudo-random values that depend on the evaluation's seed and the arguments
 * only, so that an evaluation can be repeated (rego.md 10.1, 10.10). */
#include <strings.h>

#include "base/enc.h"
#include "crypto/crypto.h"
#include "rego/builtins.h"
#include "value/number.h"

/* 32 bytes from the seed, a label and the text. */
static bool derive(const rego_bctx *b, const char *label, vs_span text, uint8_t out[VS_HASH_MAX])
{
    uint8_t seed[8];
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(b->seed >> (8 * i));
    vs_span parts[] = {vs_span_of(seed, sizeof seed), vs_str(label), text};
    return vs_digest_parts(VS_SHA256, parts, VS_COUNT(parts), out, NULL) == VS_OK;
}

static vs_span uuid_text(vs_arena *a, const uint8_t *u)
{
    return vs_str(vs_sprintf(
        a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
        u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]));
}

rego_bres rego_bi_uuid_rfc4122(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    uint8_t r[VS_HASH_MAX];
    REGO_WANT(0, VS_STRING);
    if (!rego_charge(b, args[0].len / 16) || !derive(b, "uuid", vs_text(args[0]), r))
        return REGO_B_LIMIT;
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x40); /* version 4, RFC 4122 section 4.4 */
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
    *out = vs_string(uuid_text(b->a, r));
    return REGO_B_OK;
}

/* ---- uuid.parse --------------------------------------------------------------------------------
 */

/* 8-4-4-4-12 digits, the same with "urn:uuid:" before or braces around, or 32 digits. */
static bool read_uuid(vs_arena *a, vs_span s, vs_span *out)
{
    static const size_t dashes[] = {8, 13, 18, 23};
    char digits[33];
    size_t n = 0;
    if (s.n == 45 && strncasecmp((const char *)s.p, "urn:uuid:", 9) == 0)
        s = vs_span_from(s, 9);
    else if (s.n == 38 /* any two characters around it, as in OPA */)
        s = vs_span_head(vs_span_from(s, 1), 36);
    if (s.n == 36)
        for (size_t i = 0; i < VS_COUNT(dashes); i++)
            if (s.p[dashes[i]] != '-')
                return false;
    if (s.n != 36 && s.n != 32)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = s.n == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        if (!dash && n < 32)
            digits[n++] = (char)s.p[i];
    }
    return n == 32 && vs_hex_decode_arena(a, vs_span_of(digits, 32), out, NULL) == VS_OK;
}

static uint64_t big_endian(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static const char *variant_of(uint8_t c)
{
    return (c & 0xc0) == 0x80   ? "RFC4122"
           : (c & 0xe0) == 0xc0 ? "Microsoft"
           : (c & 0xe0) == 0xe0 ? "Future"
                                : "Reserved";
}

static const int64_t gregorian = 122192928000000000; /* 100 ns from 1582-10-15 to 1970 */

/* Time and node of versions 1 and 2 (RFC 4122 section 4.1, DCE 1.1). */
static void put_time_based(rego_bctx *b, vs_obj *o, const uint8_t *u, unsigned version)
{
    uint64_t ticks =
        (big_endian(u + 6, 2) & 0x0fff) << 48 | big_endian(u + 4, 2) << 32 | big_endian(u, 4);
    /* of 64 bits, so that years beyond 2262 wrap */
    vs_obj_put(o, "time", vs_int((int64_t)((ticks - (uint64_t)gregorian) * 100)));
    const char *node =
        vs_sprintf(b->a, "%02x-%02x-%02x-%02x-%02x-%02x", u[10], u[11], u[12], u[13], u[14], u[15]);
    vs_obj_put(o, "nodeid", vs_cstring(node));
    vs_obj_put(o, "macvariables",
               vs_cstring((u[10] & 3) == 3   ? "local:multicast"
                          : (u[10] & 3) == 2 ? "local:unicast"
                          : (u[10] & 3) == 1 ? "global:multicast"
                                             : "global:unicast"));
    vs_obj_put(o, "clocksequence", vs_int((int64_t)(big_endian(u + 8, 2) & 0x3fff)));
    if (version == 2) {
        static const char *const domains[] = {"Person", "Group", "Org"};
        vs_obj_put(o, "id", vs_int((int64_t)big_endian(u, 4)));
        vs_obj_put(o, "domain",
                   vs_cstring(u[9] < VS_COUNT(domains) ? domains[u[9]]
                                                       : vs_sprintf(b->a, "Domain%u", u[9])));
    }
}

/* Versions 6 and 7 have the time in front, in the order of its digits (RFC 9562); OPA leaves it
 * out, regorus does not. */
static vs_val time_in_front(rego_bctx *b, const uint8_t *u, unsigned version)
{
    if (version == 7)
        return vs_num_mul(b->a, vs_int((int64_t)big_endian(u, 6)), vs_int(1000000), NULL);
    uint64_t ticks =
        big_endian(u, 4) << 28 | big_endian(u + 4, 2) << 12 | (big_endian(u + 6, 2) & 0x0fff);
    return vs_num_mul(b->a, vs_int((int64_t)ticks - gregorian), vs_int(100), NULL);
}

/* A text that is no UUID has no value, and is no error. */
rego_bres rego_bi_uuid_parse(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    vs_span bytes;
    REGO_WANT(0, VS_STRING);
    if (!read_uuid(b->a, vs_text(args[0]), &bytes))
        return REGO_B_UNDEFINED;
    const uint8_t *u = bytes.p;
    unsigned version = u[6] >> 4;
    vs_obj o = {.a = b->a};
    vs_obj_put(&o, "version", vs_int(version));
    vs_obj_put(&o, "variant", vs_cstring(variant_of(u[8])));
    if (version == 1 || version == 2)
        put_time_based(b, &o, u, version);
    if (version == 6 || version == 7)
        vs_obj_put(&o, "time", time_in_front(b, u, version));
    *out = vs_obj_end(&o, VS_DUP_LAST, NULL);
    return REGO_B_OK;
}

/* ---- rand.intn ---------------------------------------------------------------------------------
 */

rego_bres rego_bi_rand_intn(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    uint8_t r[VS_HASH_MAX];
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_NUMBER);
    if (!vs_is_int(args[1]) || args[1].u.i == INT64_MIN)
        return vs_num_is_integer(args[1]) ? rego_error(b, "operand 2 is too large")
                                          : rego_type_error(b, 2, "integer number", args[1]);
    uint64_t limit = (uint64_t)(args[1].u.i < 0 ? -args[1].u.i : args[1].u.i);
    *out = vs_int(0);
    if (limit == 0)
        return REGO_B_OK;
    const char *label = vs_sprintf(b->a, "rand.intn %llu ", (unsigned long long)limit);
    if (!rego_charge(b, args[0].len / 16) || !derive(b, label, vs_text(args[0]), r))
        return REGO_B_LIMIT;
    *out = vs_int((int64_t)(big_endian(r, 8) % limit));
    return REGO_B_OK;
}
