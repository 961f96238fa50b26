/* SPDX-License-Identifier: Apache-2.0 */
/* Short spellings for tests of crypto and envelope: an arena per test, hex, base64url, keys. */
#ifndef VS_TEST_CRYPTO_HELPERS_H
#define VS_TEST_CRYPTO_HELPERS_H

#include "testing.h"

#include "base/enc.h"
#include "crypto/crypto.h"
#include "value/cbor.h"
#include "value/json.h"

__attribute__((unused)) static vs_arena arena;
__attribute__((unused)) static vs_error err;
__attribute__((unused)) static const vs_span nothing = {NULL, 0};

static inline int arena_setup(void **state)
{
    (void)state;
    vs_arena_init(&arena, 0);
    err = (vs_error){0};
    return 0;
}

static inline int arena_teardown(void **state)
{
    (void)state;
    vs_arena_free(&arena);
    return 0;
}

#define in_arena(test) cmocka_unit_test_setup_teardown(test, arena_setup, arena_teardown)

static inline vs_span hex(const char *text)
{
    vs_span out;
    assert_vs_ok(vs_hex_decode_arena(&arena, vs_str(text), &out, &err), &err);
    return out;
}

static inline vs_span b64u(const char *text)
{
    vs_span out;
    assert_vs_ok(vs_b64_decode_arena(&arena, VS_B64_URL, vs_str(text), &out, &err), &err);
    return out;
}

static inline vs_val json(const char *text)
{
    vs_val v;
    assert_vs_ok(vs_json_parse(&arena, vs_str(text), NULL, &v, &err), &err);
    return v;
}

/* Reads a file below ../shared onto the arena. */
static inline vs_span shared_file(const char *rel)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(16 << 20);
    read_shared(rel, &b);
    return vs_dup(&arena, vs_buf_span(&b));
}

static inline vs_val shared_json(const char *rel)
{
    vs_val v;
    assert_vs_ok(vs_json_parse(&arena, shared_file(rel), NULL, &v, &err), &err);
    return v;
}

static inline vs_key *key_of(vs_val jwk, bool want_private)
{
    vs_key *k = NULL;
    assert_vs_ok(vs_key_from_jwk(jwk, want_private, false, &k, NULL, &err), &err);
    return k;
}

static inline vs_key *fresh_key(vs_key_type type)
{
    vs_key *k = NULL;
    assert_vs_ok(vs_key_generate(type, &k, &err), &err);
    return k;
}

/* A copy that may be changed. */
static inline uint8_t *copy_of(vs_span s)
{
    return (uint8_t *)(uintptr_t)vs_dup(&arena, s).p;
}

static inline void flip(uint8_t *p, size_t bit)
{
    p[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

#endif
