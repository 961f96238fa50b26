/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

/* FIPS 180-2 appendix B, GB/T 32905 A.1, RFC 1321: all of "abc". */
static const struct {
    vs_hash h;
    const char *digest;
} abc[] = {
    {VS_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {VS_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                "8086072ba1e7cc2358baeca134c825a7"},
    {VS_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {VS_SM3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
    {VS_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {VS_MD5, "900150983cd24fb0d6963f7d28e17f72"},
};

static void digests_give_the_published_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(abc); i++) {
        uint8_t out[VS_HASH_MAX];
        assert_vs_ok(vs_digest(abc[i].h, VS_LIT("a"), nothing, VS_LIT("bc"), out, &err), &err);
        assert_span_eq(vs_span_of(out, vs_hash_size(abc[i].h)), hex(abc[i].digest));
    }
}

static void a_digest_of_parts_is_the_digest_of_their_concatenation(void **state)
{
    (void)state;
    const vs_span parts[] = {nothing, VS_LIT("a"), VS_LIT("b"), nothing, VS_LIT("c")};
    uint8_t out[VS_HASH_MAX];
    assert_vs_ok(vs_digest_parts(VS_SHA384, parts, VS_COUNT(parts), out, &err), &err);
    assert_span_eq(vs_span_of(out, 48), hex(abc[1].digest));
    assert_vs_ok(vs_digest_parts(VS_SHA256, NULL, 0, out, &err), &err);
    assert_span_eq(vs_span_of(out, 32),
                   hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

static void an_unknown_digest_is_refused(void **state)
{
    (void)state;
    uint8_t out[VS_HASH_MAX];
    assert_vs_code(vs_digest(VS_HASH_NONE, nothing, nothing, nothing, out, &err), VS_E_UNSUPPORTED);
    assert_vs_code(vs_digest((vs_hash)99, nothing, nothing, nothing, out, &err), VS_E_UNSUPPORTED);
    assert_vs_code(vs_hmac(VS_HASH_NONE, nothing, nothing, out, &err), VS_E_UNSUPPORTED);
    assert_int_equal(vs_hash_size(VS_HASH_NONE), 0);
    assert_int_equal(vs_hash_size((vs_hash)99), 0);
}

static void names_of_digests_are_read_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        vs_hash h;
    } names[] = {
        {"sha256", VS_SHA256},     {"sha-256", VS_SHA256},
        {"SHA-384", VS_SHA384},    {"Sha512", VS_SHA512},
        {"sm3", VS_SM3},           {"SM3", VS_SM3},
        {"sha1", VS_HASH_NONE},    {"md5", VS_HASH_NONE},
        {"sha-1", VS_HASH_NONE},   {"", VS_HASH_NONE},
        {"none", VS_HASH_NONE},    {"sha256 ", VS_HASH_NONE},
        {"sha2567", VS_HASH_NONE}, {"sha3-256", VS_HASH_NONE},
    };
    for (size_t i = 0; i < VS_COUNT(names); i++)
        assert_int_equal(vs_hash_of_name(vs_str(names[i].name)), names[i].h);
    assert_string_equal(vs_hash_name(VS_SHA256), "sha-256");
    assert_string_equal(vs_hash_name((vs_hash)99), "none");
}

static void hmac_gives_the_values_of_rfc_4231(void **state)
{
    (void)state;
    static const struct {
        vs_hash h;
        const char *mac;
    } jefe[] = {
        {VS_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {VS_SHA384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
                    "8e2240ca5e69e2c78b3239ecfab21649"},
        {VS_SHA512, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    };
    for (size_t i = 0; i < VS_COUNT(jefe); i++) {
        uint8_t out[VS_HASH_MAX];
        assert_vs_ok(
            vs_hmac(jefe[i].h, VS_LIT("Jefe"), VS_LIT("what do ya want for nothing?"), out, &err),
            &err);
        assert_span_eq(vs_span_of(out, vs_hash_size(jefe[i].h)), hex(jefe[i].mac));
    }
}

static void hmac_takes_empty_keys_and_messages(void **state)
{
    (void)state;
    uint8_t out[VS_HASH_MAX];
    assert_vs_ok(vs_hmac(VS_SHA256, nothing, nothing, out, &err), &err);
    assert_span_eq(vs_span_of(out, 32),
                   hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

/* RFC 7914, 11. */
static void pbkdf2_gives_the_values_of_rfc_7914(void **state)
{
    (void)state;
    uint8_t out[64];
    assert_vs_ok(vs_pbkdf2(VS_SHA256, VS_LIT("passwd"), VS_LIT("salt"), 1, out, 64, &err), &err);
    assert_span_eq(vs_span_of(out, 64),
                   hex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                       "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"));
    assert_vs_ok(vs_pbkdf2(VS_SHA256, VS_LIT("Password"), VS_LIT("NaCl"), 80000, out, 64, &err),
                 &err);
    assert_span_eq(vs_span_of(out, 64),
                   hex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
                       "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"));
    assert_vs_code(vs_pbkdf2(VS_SHA256, nothing, nothing, 0, out, 64, &err), VS_E_INVALID);
    assert_vs_code(vs_pbkdf2(VS_SHA256, nothing, nothing, 1, out, 0, &err), VS_E_INVALID);
    assert_vs_code(vs_pbkdf2(VS_SHA256, nothing, nothing, UINT32_MAX, out, 64, &err), VS_E_LIMIT);
    assert_vs_ok(vs_pbkdf2(VS_SHA256, nothing, nothing, 1, out, 64, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(digests_give_the_published_values),
        in_arena(a_digest_of_parts_is_the_digest_of_their_concatenation),
        in_arena(an_unknown_digest_is_refused),
        in_arena(names_of_digests_are_read_in_any_case),
        in_arena(hmac_gives_the_values_of_rfc_4231),
        in_arena(hmac_takes_empty_keys_and_messages),
        in_arena(pbkdf2_gives_the_values_of_rfc_7914),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
