/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed secrets: what is opened, and that nothing unsigned, changed or foreign is. */
#include "secrets.h"

#include <sys/stat.h>

#include "cdh/sealed.h"
#include "envelope/jose.h"

#define SECRET "the secret"

static vs_key *signing_key, *other_key;
static char public_jwk[512], keys_dir[] = "/tmp/vs-sealed-XXXXXX";

static const char vault[] = "{\"version\":\"0.1.0\",\"type\":\"vault\",\"name\":\"kbs:///one/2/"
                            "trois\",\"provider\":\"kbs\","
                            "\"provider_settings\":{},\"annotations\":{}}";

static void seal(vs_buf *out, const vs_key *key, vs_alg alg, const char *header,
                 const char *payload)
{
    vs_error err = {0};
    vs_buf_puts(out, "sealed.");
    assert_vs_ok(vs_jws_sign(out, key, alg, vs_str(header), vs_str(payload), &err), &err);
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"kbs:///default/sealed/pub\"}"

static cdh_source *secrets(void)
{
    const secret all[] = {{"default/sealed/pub", vs_str(public_jwk)},
                          {"one/2/trois", VS_LIT(SECRET)},
                          {"default/kek/1", VS_LIT("0123456789abcdef0123456789abcdef")},
                          {"default/kek/short", VS_LIT("0123456789abcdef")}};
    return source_of(all, VS_COUNT(all));
}

static vs_code open_text(vs_span text, bool skip, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(cdh_source_free) cdh_source *s = secrets();
    const cdh_sealed_options o = {.source = s, .keys_dir = keys_dir, .skip_verification = skip};
    return cdh_unseal(&o, text, out, err);
}

static void expect(vs_span text, bool skip, vs_code want, const char *words)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096);
    vs_error err = {0};
    char said[VS_ERROR_TEXT];
    vs_code code = open_text(text, skip, &out, &err);
    if (code != want)
        fail_msg("%s, want %s: %s", vs_code_name(code), vs_code_name(want),
                 vs_error_text(&err, said, sizeof said));
    assert_int_equal(out.n, want == VS_OK ? strlen(SECRET) : 0);
    if (want != VS_OK && !strstr(vs_error_text(&err, said, sizeof said), words))
        fail_msg("\"%s\" does not say \"%s\"", said, words);
}

/* ---- vectors --------------------------------------------------------------------------------- */

static void secrets_sealed_elsewhere_are_opened(void **state)
{
    (void)state;
    need_shared("data/guest/sealed-vault.txt");
    VS_CLEANUP(vs_buf_free) vs_buf jwk = VS_BUF(4096), good = VS_BUF(65536);
    VS_CLEANUP(vs_buf_free) vs_buf bad = VS_BUF(65536), unsigned_one = VS_BUF(65536);
    read_shared("data/guest/sealed-signing-public.json", &jwk);
    read_shared("data/guest/sealed-vault.txt", &good);
    read_shared("data/guest/sealed-vault-bad.txt", &bad);
    read_shared("data/guest/sealed-vault-unsigned.txt", &unsigned_one);
    const secret all[] = {{"default/sealed/pub", vs_buf_span(&jwk)},
                          {"one/2/trois", VS_LIT(SECRET)}};
    VS_CLEANUP(cdh_source_free) cdh_source *s = source_of(all, 2);
    cdh_sealed_options o = {.source = s};
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(4096);
    vs_error err = {0};
    assert_vs_ok(cdh_unseal(&o, vs_buf_span(&good), &out, &err), &err);
    assert_span_is(vs_buf_span(&out), SECRET);
    vs_buf_clear(&out);
    assert_vs_code(cdh_unseal(&o, vs_buf_span(&bad), &out, &err), VS_E_CRYPTO);
    assert_true(cdh_unseal(&o, vs_buf_span(&unsigned_one), &out, &err) != VS_OK);
    assert_int_equal(out.n, 0);
    o.skip_verification = true;
    assert_vs_ok(cdh_unseal(&o, vs_span_trim(vs_buf_span(&unsigned_one)), &out, &err), &err);
    assert_span_is(vs_buf_span(&out), SECRET);
}

/* ---- made here ------------------------------------------------------------------------------- */

static void a_signed_vault_secret_is_opened(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    seal(&text, signing_key, VS_ES256, HEADER, vault);
    expect(vs_buf_span(&text), false, VS_OK, "");
}

static void a_key_may_be_a_file_of_the_directory(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    seal(&text, signing_key, VS_ES256, "{\"alg\":\"ES256\",\"kid\":\"issuer\"}", vault);
    expect(vs_buf_span(&text), false, VS_OK, "");
}

static void a_key_file_outside_of_the_directory_is_refused(void **state)
{
    (void)state;
    static const char *const kids[] = {"../etc/passwd", "/etc/passwd", "escape", "",
                                       "missing",       "sub/../../x"};
    for (size_t i = 0; i < VS_COUNT(kids); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
        char header[128];
        (void)snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kids[i]);
        seal(&text, signing_key, VS_ES256, header, vault);
        expect(vs_buf_span(&text), false,
               kids[i][0] && kids[i][0] != '/' ? VS_E_UNTRUSTED : VS_E_INVALID, "signing key");
    }
}

static void what_is_not_signed_as_it_must_be_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf foreign = VS_BUF(8192), rsa = VS_BUF(8192);
    seal(&foreign, other_key, VS_ES256, HEADER, vault);
    expect(vs_buf_span(&foreign), false, VS_E_CRYPTO, "signature");
    VS_CLEANUP(vs_key_free) vs_key *ed = NULL;
    vs_error err = {0};
    assert_vs_ok(vs_key_generate(VS_KEY_ED25519, &ed, &err), &err);
    seal(&rsa, ed, VS_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"kbs:///default/sealed/pub\"}", vault);
    expect(vs_buf_span(&rsa), false, VS_E_CRYPTO, "must be ES256");
    VS_CLEANUP(vs_buf_free) vs_buf nokid = VS_BUF(8192);
    seal(&nokid, signing_key, VS_ES256, "{\"alg\":\"ES256\"}", vault);
    expect(vs_buf_span(&nokid), false, VS_E_INVALID, "kid");
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192), out = VS_BUF(4096);
    seal(&text, signing_key, VS_ES256, HEADER, vault);
    VS_CLEANUP(cdh_source_free) cdh_source *s = secrets();
    const cdh_sealed_options o = {.source = s, .keys_dir = keys_dir};
    for (size_t i = 0; i < text.n; i++) {
        text.p[i] ^= 1;
        if (cdh_unseal(&o, vs_buf_span(&text), &out, NULL) == VS_OK)
            fail_msg("byte %zu can be changed", i);
        text.p[i] ^= 1;
    }
    for (size_t n = 0; n < text.n; n++)
        if (cdh_unseal(&o, vs_span_head(vs_buf_span(&text), n), &out, NULL) == VS_OK)
            fail_msg("cut at %zu it is taken", n);
    assert_int_equal(out.n, 0);
}

static void payloads_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        vs_code want;
        const char *words;
    } cases[] = {
        {"", VS_E_PARSE, ""},
        {"[]", VS_E_INVALID, "object"},
        {"{\"version\":\"0.2.0\",\"type\":\"vault\",\"name\":\"kbs:///a/b/c\",\"provider\":\"kbs\","
         "\"provider_settings\":{},\"annotations\":{}}",
         VS_E_UNSUPPORTED, "0.2.0"},
        {"{\"version\":\"0.1.0\",\"type\":\"vault\",\"provider\":\"kbs\",\"provider_settings\":{},"
         "\"annotations\":{}}",
         VS_E_INVALID, "name"},
        {"{\"version\":\"0.1.0\",\"type\":\"vault\",\"name\":\"kbs:///one/2/trois\",\"provider\":"
         "\"kbs\",\"annotations\":{}}",
         VS_E_INVALID, "provider_settings"},
        {"{\"version\":\"0.1.0\",\"type\":\"vault\",\"name\":\"kbs:///one/2/trois\",\"provider\":"
         "\"aws\",\"provider_settings\":{},\"annotations\":{}}",
         VS_E_UNSUPPORTED, "aws"},
        {"{\"version\":\"0.1.0\",\"type\":\"other\",\"name\":\"kbs:///one/2/trois\",\"provider\":"
         "\"kbs\",\"provider_settings\":{},\"annotations\":{}}",
         VS_E_INVALID, "other"},
        {"{\"version\":\"0.1.0\",\"type\":\"vault\",\"name\":\"/etc/shadow\",\"provider\":\"kbs\","
         "\"provider_settings\":{},\"annotations\":{}}",
         VS_E_INVALID, "kbs://"},
        {"{\"version\":\"0.1.0\",\"type\":\"vault\",\"name\":\"kbs:///no/such/one\",\"provider\":"
         "\"kbs\",\"provider_settings\":{},\"annotations\":{}}",
         VS_E_NOT_FOUND, "no/such/one"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
        seal(&text, signing_key, VS_ES256, HEADER, cases[i].payload);
        expect(vs_buf_span(&text), false, cases[i].want, cases[i].words);
    }
}

/* ---- envelopes ------------------------------------------------------------------------------- */

static void envelope(vs_buf *payload, const char *key_id, bool ctr)
{
    uint8_t kek[32], dek[32], iv[16];
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf wrapped = VS_BUF(256), data = VS_BUF(256);
    memcpy(kek, "0123456789abcdef0123456789abcdef", 32);
    vs_random(dek, sizeof dek);
    vs_random(iv, sizeof iv);
    assert_vs_ok(vs_kw_wrap(kek, vs_span_of(dek, 32), &wrapped, &err), &err);
    if (ctr)
        assert_vs_ok(vs_ctr_crypt(dek, iv, VS_LIT(SECRET), &data, &err), &err);
    else
        assert_vs_ok(vs_gcm_seal(dek, iv, (vs_span){0}, VS_LIT(SECRET), &data, &err), &err);
    vs_buf_printf(
        payload,
        "{\"version\":\"0.1.0\",\"type\":\"envelope\",\"key_id\":\"%s\",\"wrap_type\":\"%s\","
        "\"provider\":\"kbs\",\"provider_settings\":{},\"annotations\":{},\"encrypted_key\":\"",
        key_id, ctr ? "A256CTR" : "A256GCM");
    vs_b64_encode(payload, VS_B64_STD, vs_buf_span(&wrapped));
    vs_buf_puts(payload, "\",\"encrypted_data\":\"");
    vs_b64_encode(payload, VS_B64_STD, vs_buf_span(&data));
    vs_buf_puts(payload, "\",\"iv\":\"");
    vs_b64_encode(payload, VS_B64_STD, vs_span_of(iv, ctr ? 16 : 12));
    vs_buf_puts(payload, "\"}");
}

static void an_envelope_is_opened_with_a_key_of_the_kbs(void **state)
{
    (void)state;
    for (int ctr = 0; ctr < 2; ctr++) {
        VS_CLEANUP(vs_buf_free) vs_buf payload = VS_BUF(8192), text = VS_BUF(8192);
        envelope(&payload, "kbs:///default/kek/1", ctr);
        seal(&text, signing_key, VS_ES256, HEADER, (const char *)payload.p);
        expect(vs_buf_span(&text), false, VS_OK, "");
    }
    VS_CLEANUP(vs_buf_free) vs_buf payload = VS_BUF(8192), text = VS_BUF(8192);
    envelope(&payload, "kbs:///default/kek/short", false);
    seal(&text, signing_key, VS_ES256, HEADER, (const char *)payload.p);
    expect(vs_buf_span(&text), false, VS_E_INVALID, "16 bytes");
}

static void an_envelope_of_another_key_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf payload = VS_BUF(8192), text = VS_BUF(8192);
    envelope(&payload, "kbs:///default/kek/1", false);
    char *key = strstr((char *)payload.p, "encrypted_key\":\"") + 16;
    key[0] = key[0] == 'A' ? 'B' : 'A';
    seal(&text, signing_key, VS_ES256, HEADER, (const char *)payload.p);
    expect(vs_buf_span(&text), false, VS_E_CRYPTO, "encrypted_key");
}

static int make_keys(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf jwk = VS_BUF(sizeof public_jwk - 1);
    char path[64];
    if (vs_key_generate(VS_KEY_P256, &signing_key, NULL) != VS_OK ||
        vs_key_generate(VS_KEY_P256, &other_key, NULL) != VS_OK ||
        vs_key_write_jwk(&jwk, signing_key, "ES256", NULL) != VS_OK || !mkdtemp(keys_dir))
        return -1;
    (void)snprintf(public_jwk, sizeof public_jwk, "%s", (char *)jwk.p);
    (void)snprintf(path, sizeof path, "%s/issuer", keys_dir);
    if (vs_write_file(path, vs_buf_span(&jwk), 0600, NULL) != VS_OK)
        return -1;
    (void)snprintf(path, sizeof path, "%s/escape", keys_dir);
    return symlink("/etc/passwd", path);
}

static int drop_keys(void **state)
{
    (void)state;
    char path[64];
    vs_key_free(&signing_key);
    vs_key_free(&other_key);
    (void)snprintf(path, sizeof path, "%s/issuer", keys_dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/escape", keys_dir);
    (void)unlink(path);
    return rmdir(keys_dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_sealed_elsewhere_are_opened),
        cmocka_unit_test(a_signed_vault_secret_is_opened),
        cmocka_unit_test(a_key_may_be_a_file_of_the_directory),
        cmocka_unit_test(a_key_file_outside_of_the_directory_is_refused),
        cmocka_unit_test(what_is_not_signed_as_it_must_be_is_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(payloads_are_checked),
        cmocka_unit_test(an_envelope_is_opened_with_a_key_of_the_kbs),
        cmocka_unit_test(an_envelope_of_another_key_is_refused),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
