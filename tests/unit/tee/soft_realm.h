/* SPDX-License-Identifier: Apache-2.0 */
/* A platform and realm in memory for tests, with the trust that matches. */
#ifndef VS_TEST_SOFT_REALM_H
#define VS_TEST_SOFT_REALM_H

#include "testing.h"

#include "base/enc.h"
#include "realm/realm.h"
#include "tee/cca/trust.h"
#include "value/cbor.h"

typedef struct soft_realm {
    vs_arena arena;
    realm_spec spec;
    realm_keys keys;
    uint8_t challenge[CCA_CHALLENGE];
} soft_realm;

/* Keys of the given types; a realm token without a profile needs a P-384 RAK. */
static inline void soft_start(soft_realm *s, vs_key_type cpak, vs_key_type rak)
{
    vs_error err = {0};
    *s = (soft_realm){0};
    vs_arena_init(&s->arena, 0);
    assert_vs_ok(realm_spec_default(&s->arena, &s->spec, &err), &err);
    assert_vs_ok(vs_key_generate(cpak, &s->keys.cpak, &err), &err);
    assert_vs_ok(vs_key_generate(rak, &s->keys.rak, &err), &err);
    for (unsigned i = 0; i < sizeof s->challenge; i++)
        s->challenge[i] = (uint8_t)i;
}

static inline void soft_stop(soft_realm *s)
{
    realm_keys_free(&s->keys);
    vs_arena_free(&s->arena);
}

static inline void soft_token(const soft_realm *s, vs_buf *out)
{
    vs_error err = {0};
    assert_vs_ok(
        realm_token(&s->spec, &s->keys, vs_span_of(s->challenge, sizeof s->challenge), out, &err),
        &err);
}

static inline void soft_trust(const soft_realm *s, cca_trust **out)
{
    vs_error err = {0};
    vs_buf ta = VS_BUF(1 << 16), rv = VS_BUF(1 << 16);
    assert_vs_ok(realm_ta_store(&s->spec, &s->keys, &ta, &err), &err);
    assert_vs_ok(realm_rv_store(&s->spec, &rv, &err), &err);
    assert_vs_ok(cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), out, &err), &err);
    vs_buf_free(&ta);
    vs_buf_free(&rv);
}

/* {"token":[...]} as a value on `a`. */
static inline vs_val soft_evidence(vs_arena *a, vs_span token)
{
    vs_vec bytes = {.a = a};
    for (size_t i = 0; i < token.n; i++)
        vs_vec_add(&bytes, vs_int(token.p[i]));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "token", vs_vec_end_array(&bytes));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* The map with the value of `key` replaced by CBOR in hex, added when it was not there, left out
 * when hex is NULL. */
static inline void soft_rebuild(vs_arena *a, vs_span map, int64_t key, const char *hex, vs_buf *out)
{
    vs_span value = {0};
    vs_buf members = VS_BUF(CCA_TOKEN_MAX);
    vs_cbor c = vs_cbor_of(map, NULL);
    size_t n = vs_cbor_map(&c), kept = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t k = vs_cbor_int(&c);
        vs_span v = vs_cbor_skip(&c);
        if (k == key)
            continue;
        vs_cbor_put_int(&members, k);
        vs_buf_put(&members, v);
        kept++;
    }
    assert_vs_code(c.code, VS_OK);
    if (hex) {
        assert_vs_code(vs_hex_decode_arena(a, vs_str(hex), &value, NULL), VS_OK);
        vs_cbor_put_int(&members, key);
        vs_buf_put(&members, value);
        kept++;
    }
    vs_cbor_put_map(out, kept);
    vs_buf_put(out, vs_buf_span(&members));
    vs_buf_free(&members);
}

/* Claims as another verifier gives them: without what only this one says. */
static inline vs_val without_ours(vs_arena *a, vs_val claims)
{
    return vs_with(a, claims, vs_cstring("vouchsafe"), vs_undefined());
}

#endif
