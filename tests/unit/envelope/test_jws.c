/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/helpers.h"

#include "envelope/jose.h"

/* ---- published examples --------------------------------------------------------------------- */

/* RFC 7515 A.1 to A.5 all sign this. */
#define PAYLOAD_7515                                                                               \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define A3_SIGNATURE                                                                               \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define A3 "eyJhbGciOiJFUzI1NiJ9." PAYLOAD_7515 "." A3_SIGNATURE
#define A3_KEY                                                                                     \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","     \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
/* RFC 7520 section 4. */
#define PAYLOAD_7520                                                                               \
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250" \
    "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl" \
    "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
#define RSA_7520                                                                                   \
    "{\"kty\":\"RSA\",\"n\":\"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT"              \
    "-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-"                          \
    "QtiWN2lbzcEe6XC0dApr5ydQLr"                                                                   \
    "HqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-"                                                          \
    "OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzw"                                   \
    "OHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__"                     \
    "kRhuaxwUkRz5iaiQkqgc5"                                                                        \
    "gHdrNP5zw\",\"e\":\"AQAB\"}"

static const struct {
    const char *what, *jws, *key;
    vs_alg alg;
} published[] = {
    {"RFC 7515 A.2",
     "eyJhbGciOiJSUzI1NiJ9." PAYLOAD_7515
     ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
     "O8W2Fp5j"
     "ujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L"
     "07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEU"
     "ipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
     "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-"
     "Vaw-"
     "4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LO"
     "L-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9"
     "kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\","
     "\"e\":\"AQAB\"}",
     VS_RS256},
    {"RFC 7515 A.3", A3, A3_KEY, VS_ES256},
    {"RFC 7515 A.4",
     "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-"
     "mZ"
     "ZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxY"
     "bSW9ERBXukOXolLzeO_Jn",
     "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":"
     "\"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOn"
     "YG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-"
     "x3"
     "S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}",
     VS_ES512},
    {"RFC 7520 4.1",
     "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD_7520
     ".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xugl"
     "II7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8"
     "wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_o"
     "I-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
     RSA_7520, VS_RS256},
    {"RFC 7520 4.2",
     "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD_7520
     ".cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TT"
     "B5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYR"
     "Xe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa6"
     "4QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
     RSA_7520, VS_PS384},
    {"RFC 7520 4.3",
     "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." PAYLOAD_7520
     ".AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3"
     "mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
     "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_"
     "oJXu"
     "9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt\",\"y\":"
     "\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQ"
     "HiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1\"}",
     VS_ES512},
    {"RFC 8037 A.4",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
     "09PGcvMg3"
     "AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
     VS_EDDSA},
};

static vs_code parse(vs_span text)
{
    vs_jws jws;
    return vs_jws_parse(&arena, text, &jws, &err);
}

static vs_code check(vs_span text, const vs_key *key, vs_alg want)
{
    vs_jws jws;
    vs_code code = vs_jws_parse(&arena, text, &jws, &err);
    return code == VS_OK ? vs_jws_verify(&jws, key, want, &err) : code;
}

static void published_signatures_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(published); i++) {
        print_message("# %s\n", published[i].what);
        VS_CLEANUP(vs_key_free) vs_key *k = key_of(json(published[i].key), false);
        vs_span text = vs_str(published[i].jws);
        assert_vs_ok(check(text, k, VS_ALG_NONE), &err);
        assert_vs_ok(check(text, k, published[i].alg), &err);
        vs_alg other = published[i].alg == VS_RS256 ? VS_PS256 : VS_RS256;
        assert_vs_code(check(text, k, other), VS_E_INVALID);
    }
}

static void a_signature_does_not_verify_with_another_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(published); i++)
        for (size_t j = 0; j < VS_COUNT(published); j++) {
            if (strcmp(published[i].key, published[j].key) == 0)
                continue;
            VS_CLEANUP(vs_key_free) vs_key *k = key_of(json(published[j].key), false);
            vs_code code = check(vs_str(published[i].jws), k, VS_ALG_NONE);
            assert_int_equal(code, vs_key_fits(k, published[i].alg) ? VS_E_CRYPTO : VS_E_INVALID);
        }
}

static void header_and_payload_are_decoded(void **state)
{
    (void)state;
    vs_jws jws;
    assert_vs_ok(vs_jws_parse(&arena, VS_LIT(A3), &jws, &err), &err);
    assert_int_equal(jws.alg, VS_ES256);
    assert_span_is(vs_text(vs_getc(jws.header, "alg")), "ES256");
    assert_span_is(
        jws.payload,
        "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
    assert_span_is(jws.signing_input, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD_7515);
    assert_int_equal(jws.signature.n, 64);
}

/* ---- headers -------------------------------------------------------------------------------- */

static vs_code parse_header(const char *header)
{
    vs_span text = vs_b64_encode_arena(&arena, VS_B64_URL, vs_str(header));
    return parse(vs_str(vs_sprintf(&arena, "%.*s.e30.AAAA", VS_FMT(text))));
}

static void the_unsecured_jws_of_rfc_7515_a5_is_refused(void **state)
{
    (void)state;
    assert_vs_code(parse(VS_LIT("eyJhbGciOiJub25lIn0." PAYLOAD_7515 ".")), VS_E_PARSE);
    assert_vs_code(parse(VS_LIT("eyJhbGciOiJub25lIn0." PAYLOAD_7515 ".AAAA")), VS_E_UNSUPPORTED);
}

static void the_hmac_jws_of_rfc_7515_a1_is_refused(void **state)
{
    (void)state;
    assert_vs_code(parse(VS_LIT("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD_7515
                                ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
                   VS_E_UNSUPPORTED);
}

static void only_exact_algorithm_names_are_known(void **state)
{
    (void)state;
    static const char *const names[] = {"none",   "NONE",   "nOnE",         "",           "es256",
                                        "ES256 ", " ES256", "ES256K",       "HS256",      "HS384",
                                        "HS512",  "RS1",    "ES256\\u0000", "EdDSA,ES256"};
    for (size_t i = 0; i < VS_COUNT(names); i++)
        assert_vs_code(parse_header(vs_sprintf(&arena, "{\"alg\":\"%s\"}", names[i])),
                       VS_E_UNSUPPORTED);
    assert_vs_code(parse_header("{\"alg\":\"ES256\"}"), VS_OK);
}

static void headers_that_are_not_understood_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        vs_code code;
    } rows[] = {
        {"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", VS_E_UNSUPPORTED},
        {"{\"alg\":\"ES256\",\"crit\":[]}", VS_E_UNSUPPORTED},
        {"{\"alg\":\"ES256\",\"crit\":null}", VS_E_UNSUPPORTED},
        {"{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", VS_E_UNSUPPORTED},
        {"{\"alg\":\"ES256\",\"b64\":false}", VS_E_UNSUPPORTED},
        {"{\"alg\":\"ES256\",\"b64\":0}", VS_E_UNSUPPORTED},
        {"{\"alg\":\"ES256\",\"b64\":true}", VS_OK},
        {"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"x\",\"unknown\":{\"a\":[1]}}", VS_OK},
        {"{\"alg\":[\"ES256\"]}", VS_E_INVALID},
        {"{\"alg\":null}", VS_E_INVALID},
        {"{\"alg\":7}", VS_E_INVALID},
        {"{}", VS_E_INVALID},
        {"{\"Alg\":\"ES256\"}", VS_E_INVALID},
        {"[\"alg\",\"ES256\"]", VS_E_INVALID},
        {"\"ES256\"", VS_E_INVALID},
        {"null", VS_E_INVALID},
        {"{\"alg\":\"ES256\"", VS_E_PARSE},
        {"{\"alg\":\"ES256\"}}", VS_E_PARSE},
        {"{\"alg\":\"ES256\"} x", VS_E_PARSE},
        {"{'alg':'ES256'}", VS_E_PARSE},
        {"{\"alg\":\"ES256\",}", VS_E_PARSE},
        {"\xef\xbb\xbf{\"alg\":\"ES256\"}", VS_E_PARSE},
        {"{\"alg\":\"ES256\",\"x\":\"\xff\"}", VS_E_PARSE},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++)
        assert_vs_code(parse_header(rows[i].header), rows[i].code);
}

static void duplicate_header_members_are_refused(void **state)
{
    (void)state;
    assert_int_not_equal(parse_header("{\"alg\":\"none\",\"alg\":\"ES256\"}"), VS_OK);
    assert_int_not_equal(parse_header("{\"alg\":\"ES256\",\"alg\":\"ES256\"}"), VS_OK);
    assert_int_not_equal(parse_header("{\"alg\":\"ES256\",\"kid\":\"a\",\"\\u006bid\":\"b\"}"),
                         VS_OK);
}

static void deep_headers_are_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(100000);
    vs_buf_puts(&b, "{\"alg\":\"ES256\",\"x\":");
    for (int i = 0; i < 20000; i++)
        vs_buf_putc(&b, '[');
    assert_int_not_equal(parse_header((const char *)b.p), VS_OK);
}

/* ---- form ----------------------------------------------------------------------------------- */

static void only_three_parts_are_taken(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "e30",
        "e30.",
        "e30.e30",
        ".e30.AAAA",
        "e30.e30.",
        "e30..",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA.",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA.AAAA",
        ".eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA.AAAA.AAAA",
        "eyJhbGciOiJFUzI1NiJ9 .e30.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AAAA\n",
        "eyJhbGciOiJFUzI1NiJ9.e30=.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA==",
        "eyJhbGciOiJFUzI1NiJ9.e31.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.e30.A",
        "eyJhbGciOiJFUzI1NiJ9.e30.+/+/",
        "{\"payload\":\"e30\",\"protected\":\"eyJhbGciOiJFUzI1NiJ9\",\"signature\":\"AAAA\"}",
    };
    for (size_t i = 0; i < VS_COUNT(texts); i++)
        assert_vs_code(parse(vs_str(texts[i])), VS_E_PARSE);
    assert_vs_code(parse(VS_LIT("eyJhbGciOiJFUzI1NiJ9..AAAA")),
                   VS_OK); /* an empty payload is one */
}

static void oversize_tokens_and_headers_are_refused_before_decoding(void **state)
{
    (void)state;
    size_t n = VS_JWS_MAX + 1;
    char *big = vs_alloc(&arena, n);
    memset(big, 'A', n);
    memcpy(big, "eyJhbGciOiJFUzI1NiJ9.", 21);
    big[n - 5] = '.';
    assert_vs_code(parse(vs_span_of(big, n)), VS_E_LIMIT);
    memset(big, 'A', n);
    big[VS_JOSE_HEADER_MAX + 1] = big[VS_JOSE_HEADER_MAX + 9] = '.';
    assert_vs_code(parse(vs_span_of(big, VS_JOSE_HEADER_MAX + 14)), VS_E_LIMIT);
    memset(big, '.', n);
    assert_vs_code(parse(vs_span_of(big, VS_JWS_MAX)), VS_E_PARSE);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = key_of(json(A3_KEY), false);
    for (size_t n = 0; n < sizeof A3 - 1; n++)
        assert_int_not_equal(check(vs_dup(&arena, vs_span_head(VS_LIT(A3), n)), k, VS_ES256),
                             VS_OK);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = key_of(json(A3_KEY), false);
    uint8_t *p = copy_of(VS_LIT(A3));
    for (size_t bit = 0; bit < (sizeof A3 - 1) * 8; bit++) {
        flip(p, bit);
        assert_int_not_equal(check(vs_span_of(p, sizeof A3 - 1), k, VS_ALG_NONE), VS_OK);
        flip(p, bit);
    }
    assert_vs_ok(check(vs_span_of(p, sizeof A3 - 1), k, VS_ALG_NONE), &err);
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < 40000; cap += 5000) {
        vs_arena small;
        vs_jws jws;
        vs_arena_init(&small, cap + 1);
        vs_code code = vs_jws_parse(&small, VS_LIT(A3), &jws, &err);
        assert_true(code == VS_OK || code == VS_E_NOMEM);
        vs_arena_free(&small);
    }
}

/* ---- signing -------------------------------------------------------------------------------- */

static void what_is_signed_verifies(void **state)
{
    (void)state;
    static const struct {
        vs_key_type type;
        vs_alg alg;
    } rows[] = {{VS_KEY_P256, VS_ES256}, {VS_KEY_P384, VS_ES384}, {VS_KEY_P521, VS_ES512},
                {VS_KEY_RSA, VS_RS256},  {VS_KEY_RSA, VS_PS256},  {VS_KEY_ED25519, VS_EDDSA}};
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        VS_CLEANUP(vs_key_free)
        vs_key *k = fresh_key(rows[i].type), *other = fresh_key(rows[i].type);
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096), small = VS_BUF(60);
        const char *header =
            vs_sprintf(&arena, "{\"typ\":\"JWT\",\"alg\":\"%s\"}", vs_alg_name(rows[i].alg));
        assert_vs_ok(vs_jws_sign(&out, k, rows[i].alg, vs_str(header), VS_LIT("{}"), &err), &err);
        assert_vs_ok(check(vs_buf_span(&out), k, rows[i].alg), &err);
        assert_vs_code(check(vs_buf_span(&out), other, rows[i].alg), VS_E_CRYPTO);
        assert_int_not_equal(
            vs_jws_sign(&small, k, rows[i].alg, vs_str(header), VS_LIT("{}"), &err), VS_OK);
    }
}

static void signing_appends_and_a_failure_takes_back(void **state)
{
    (void)state;
    VS_CLEANUP(vs_key_free) vs_key *k = fresh_key(VS_KEY_P256), *pub = key_of(json(A3_KEY), false);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096);
    vs_buf_puts(&out, "Bearer ");
    assert_vs_code(vs_jws_sign(&out, k, VS_RS256, VS_LIT("{}"), VS_LIT("{}"), &err), VS_E_INVALID);
    assert_vs_code(vs_jws_sign(&out, pub, VS_ES256, VS_LIT("{}"), VS_LIT("{}"), &err),
                   VS_E_INVALID);
    assert_span_is(vs_buf_span(&out), "Bearer ");
    assert_vs_ok(vs_jws_sign(&out, k, VS_ES256, VS_LIT("{\"alg\":\"ES256\"}"), nothing, &err),
                 &err);
    assert_true(vs_span_starts(vs_buf_span(&out), VS_LIT("Bearer eyJhbGciOiJFUzI1NiJ9..")));
}

/* ---- tokens of the shared data -------------------------------------------------------------- */

enum { NOW = 1800000000 };

/* Signature first, then times, as a relying party does. */
static vs_code accept_token(const char *rel, const vs_key *key, vs_alg want)
{
    vs_jws jws;
    vs_val claims;
    VS_TRY(vs_jws_parse(&arena, vs_span_trim(shared_file(rel)), &jws, &err));
    VS_TRY(vs_jws_verify(&jws, key, want, &err));
    assert_vs_ok(vs_json_parse(&arena, jws.payload, NULL, &claims, &err), &err);
    vs_jwt_times t = {
        .now = NOW, .leeway = 60, .need_exp = true, .check_nbf = true, .check_iat = true};
    return vs_jwt_check_times(claims, &t, &err);
}

static void ear_tokens_give_the_documented_results(void **state)
{
    (void)state;
    need_shared("data/ear/README.md");
    VS_CLEANUP(vs_key_free) vs_key *k = key_of(shared_json("data/ear/as-signer.pub.jwk"), false);
    assert_vs_ok(accept_token("data/ear/ear-cca-affirming.jwt", k, VS_ES256), &err);
    assert_vs_ok(accept_token("data/ear/ear-cca-contraindicated.jwt", k, VS_ES256), &err);
    assert_vs_code(accept_token("data/ear/ear-cca-expired.jwt", k, VS_ES256), VS_E_EXPIRED);
    assert_vs_code(accept_token("data/ear/ear-cca-badsig.jwt", k, VS_ES256), VS_E_CRYPTO);
    VS_CLEANUP(vs_key_free) vs_key *own = NULL;
    vs_jws jws;
    assert_vs_ok(
        vs_jws_parse(&arena, vs_span_trim(shared_file("data/ear/ear-cca-no-x5c.jwt")), &jws, &err),
        &err);
    assert_false(vs_defined(vs_getc(vs_getc(jws.header, "jwk"), "x5c")));
    assert_vs_ok(vs_key_from_jwk(vs_getc(jws.header, "jwk"), false, true, &own, NULL, &err), &err);
    assert_vs_ok(vs_jws_verify(&jws, own, VS_ES256, &err), &err);
}

static void admin_tokens_give_the_documented_results(void **state)
{
    (void)state;
    need_shared("data/kbs/README.md");
    VS_CLEANUP(vs_key_free) vs_key *k = NULL;
    assert_vs_ok(vs_key_from_pem(shared_file("data/kbs/admin-ed25519.pub.pem"), false, &k, &err),
                 &err);
    assert_vs_ok(accept_token("data/kbs/admin-token.jwt", k, VS_EDDSA), &err);
    assert_vs_ok(accept_token("data/kbs/admin-token-legacy.jwt", k, VS_EDDSA), &err);
    assert_vs_ok(accept_token("data/kbs/admin-token-norole.jwt", k, VS_EDDSA), &err);
    assert_vs_code(accept_token("data/kbs/admin-token-expired.jwt", k, VS_EDDSA), VS_E_EXPIRED);
    assert_vs_code(accept_token("data/kbs/admin-token-badsig.jwt", k, VS_EDDSA), VS_E_CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(published_signatures_verify),
        in_arena(a_signature_does_not_verify_with_another_key),
        in_arena(header_and_payload_are_decoded),
        in_arena(the_unsecured_jws_of_rfc_7515_a5_is_refused),
        in_arena(the_hmac_jws_of_rfc_7515_a1_is_refused),
        in_arena(only_exact_algorithm_names_are_known),
        in_arena(headers_that_are_not_understood_are_refused),
        in_arena(duplicate_header_members_are_refused),
        in_arena(deep_headers_are_refused),
        in_arena(only_three_parts_are_taken),
        in_arena(oversize_tokens_and_headers_are_refused_before_decoding),
        in_arena(every_truncation_is_refused),
        in_arena(every_flipped_bit_is_refused),
        in_arena(a_full_arena_is_told),
        in_arena(what_is_signed_verifies),
        in_arena(signing_appends_and_a_failure_takes_back),
        in_arena(ear_tokens_give_the_documented_results),
        in_arena(admin_tokens_give_the_documented_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
