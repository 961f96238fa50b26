/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe decode` and `vouchsafe verify`: exit codes and what they print. */
#include "../tee/soft_realm.h"
#include "running.h"

#include "base/enc.h"
#include "cmd/commands.h"
#include "cmd/eventlog_show.h"
#include "envelope/jose.h"

/* ---- verify ---------------------------------------------------------------------------------- */

/* An EAR of the shared data under each kind of key. */
static void shared_tokens_are_judged_as_their_readme_says(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int key, ca, none;
    } cases[] = {
        {"ear-cca-affirming.jwt", 0, 0, 0}, {"ear-cca-contraindicated.jwt", 0, 0, 0},
        {"ear-cca-expired.jwt", 1, 1, 1},   {"ear-cca-no-x5c.jwt", 0, 1, 0},
        {"ear-cca-badsig.jwt", 1, 1, 1},
    };
    need_shared("data/ear");
    char key[4096], ca[4096], file[256];
    (void)snprintf(key, sizeof key, "%s", shared_path("data/ear/as-signer.pub.jwk"));
    (void)snprintf(ca, sizeof ca, "%s", shared_path("data/ear/as-ca.pem"));
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        result r;
        (void)snprintf(file, sizeof file, "data/ear/%s", cases[i].file);
        char *path = shared_copy(file);
        RUN(&r, cmd_verify, "--key", key, path);
        assert_int_equal(r.code, cases[i].key);
        drop(&r);
        RUN(&r, cmd_verify, "--ca", ca, path);
        assert_int_equal(r.code, cases[i].ca);
        drop(&r);
        RUN(&r, cmd_verify, path);
        assert_int_equal(r.code, cases[i].none);
        assert_int_equal(says(&r.out, "integrity only"), cases[i].none == 0);
        drop(&r);
    }
}

static void the_trust_vector_is_shown_with_tiers_and_texts(void **state)
{
    (void)state;
    need_shared("data/ear");
    result r;
    RUN(&r, cmd_verify, shared_copy("data/ear/ear-cca-contraindicated.jwt"));
    assert_int_equal(r.code, 0);
    assert_true(says(&r.out, "submod cpu0: contraindicated"));
    assert_true(says(&r.out, "[warning]: unrecognized run-time (33)"));
    assert_true(says(&r.out, "[contraindicated]: unrecognized (97)"));
    assert_false(says(&r.out, "\x1b")); /* not a terminal: no colour */
    drop(&r);
    RUN(&r, cmd_verify, "--json", shared_copy("data/ear/ear-cca-affirming.jwt"));
    assert_int_equal(r.code, 0);
    assert_true(says(&r.out, "\"verified\":true"));
    assert_true(says(&r.out, "\"ear.status\":\"affirming\""));
    assert_true(says(&r.out, "\"hardware\":2"));
    drop(&r);
    RUN(&r, cmd_verify, "--json", shared_copy("data/ear/ear-cca-badsig.jwt"));
    assert_int_equal(r.code, 1);
    assert_true(says(&r.out, "\"verified\":false"));
    assert_false(says(&r.out, "ear.status"));
    drop(&r);
}

/* Signs a payload with a fresh test key whose JWK is in the header, and verifies it. */
static int judge(const char *payload, result *r)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf header = VS_BUF(1 << 12);
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(1 << 16);
    assert_vs_code(vs_key_generate(VS_KEY_P256, &key, NULL), VS_OK);
    vs_buf_puts(&header, "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":");
    assert_vs_code(vs_key_write_jwk(&header, key, "ES256", NULL), VS_OK);
    vs_buf_puts(&header, "}");
    assert_vs_code(vs_jws_sign(&token, key, VS_ES256, vs_buf_span(&header), vs_str(payload), NULL),
                   VS_OK);
    assert_vs_code(vs_write_file(in_dir("file"), vs_buf_span(&token), 0600, NULL), VS_OK);
    char file[128];
    (void)snprintf(file, sizeof file, "%s", in_dir("file"));
    RUN(r, cmd_verify, file);
    return r->code;
}

#define BEFORE "\"eat_profile\":\"tag:x\",\"iat\":1767225600,"
#define BY     "\"ear.verifier-id\":{\"developer\":\"d\",\"build\":\"b\"},"
static void a_signed_token_that_is_no_valid_ear_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *payload, *why;
    } cases[] = {
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"affirming\"}}}", NULL},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":2,\"ear.trustworthiness-vector\":"
         "{\"hardware\":2}}},\"exp\":4070908800,\"unknown\":1}",
         NULL},
        {"[]", "not an object"},
        {"nonsense", "payload"},
        {"{\"eat_profile\":\"x\"," BY "\"submods\":{\"cpu0\":{\"ear.status\":\"none\"}}}",
         "\"iat\""},
        {"{" BEFORE BY "\"submods\":{}}", "empty"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{}}}", "ear.status"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"great\"}}}", "ear.status"},
        {"{" BEFORE "\"submods\":{\"cpu0\":{\"ear.status\":\"none\"}}}", "ear.verifier-id"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"affirming\","
         "\"ear.trustworthiness-vector\":{\"executables\":33}}}}",
         "better than its trust vector"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"none\","
         "\"ear.trustworthiness-vector\":{\"executables\":258}}}}",
         "-128 to 127"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"none\","
         "\"ear.trustworthiness-vector\":{\"colour\":2}}}}",
         "unknown trust claim"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"none\"}},\"exp\":1}", "expired"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"none\"}},\"nbf\":4070908800}",
         "in the future"},
        {"{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"none\"}},\"exp\":\"later\"}",
         "exp"},
        {"{" BEFORE BY "\"submods\":{\"\\u001b[2Jcpu\":{\"ear.status\":\"n\\u001bone\"}}}",
         "?[2Jcpu"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        result r;
        int code = judge(cases[i].payload, &r);
        if (code != (cases[i].why != NULL) || (cases[i].why && !says(&r.err, cases[i].why)))
            fail_msg("%s: exit %d, %s", cases[i].payload, code, (char *)r.err.p);
        assert_false(says(&r.out, "\x1b"));
        assert_false(says(&r.err, "\x1b"));
        drop(&r);
    }
}

static void another_key_does_not_verify(void **state)
{
    (void)state;
    result r;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(1 << 12);
    assert_int_equal(judge("{" BEFORE BY "\"submods\":{\"cpu0\":{\"ear.status\":\"none\"}}}", &r),
                     0);
    drop(&r);
    assert_vs_code(vs_key_generate(VS_KEY_P256, &key, NULL), VS_OK);
    assert_vs_code(vs_key_to_pem(&pem, key, false, NULL), VS_OK);
    assert_vs_code(vs_write_file(in_dir("key"), vs_buf_span(&pem), 0600, NULL), VS_OK);
    char file[128], key_file[128];
    (void)snprintf(file, sizeof file, "%s", in_dir("file"));
    (void)snprintf(key_file, sizeof key_file, "%s", in_dir("key"));
    RUN(&r, cmd_verify, "--key", key_file, file);
    assert_int_equal(r.code, 1);
    assert_true(says(&r.err, "signature"));
    drop(&r);
    RUN(&r, cmd_verify, "--key", key_file, "--ca", key_file, file);
    assert_int_equal(r.code, 2);
    drop(&r);
    RUN(&r, cmd_verify, "--key", "nowhere", file);
    assert_int_equal(r.code, 1);
    drop(&r);
}

/* ---- decode ---------------------------------------------------------------------------------- */

static void decode_bytes(result *r, vs_span s, bool json)
{
    char file[128];
    assert_vs_code(vs_write_file(in_dir("file"), s, 0600, NULL), VS_OK);
    (void)snprintf(file, sizeof file, "%s", in_dir("file"));
    if (json)
        RUN(r, cmd_decode, "--json", file);
    else
        RUN(r, cmd_decode, file);
}

static void a_token_is_shown_in_every_wrapping(void **state)
{
    (void)state;
    soft_realm s;
    result r;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX), text = VS_BUF(1 << 20);
    soft_start(&s, VS_KEY_P256, VS_KEY_P256);
    soft_token(&s, &token);
    vs_buf_puts(&text, "{\"token\":[");
    for (size_t i = 0; i < token.n; i++)
        vs_buf_printf(&text, "%s%u", i ? "," : "", token.p[i]);
    vs_buf_puts(&text, "]}\n");
    for (unsigned wrapping = 0; wrapping < 4; wrapping++) {
        if (wrapping >= 2)
            vs_buf_clear(&text);
        if (wrapping == 2)
            vs_hex_encode(&text, vs_buf_span(&token));
        if (wrapping == 3)
            vs_b64_encode(&text, VS_B64_STD, vs_buf_span(&token));
        decode_bytes(&r, wrapping == 0 ? vs_buf_span(&token) : vs_buf_span(&text), false);
        if (r.code != 0)
            fail_msg("wrapping %u: %s", wrapping, (char *)r.err.p);
        assert_true(says(&r.out, "RIM (initial)"));
        assert_true(says(&r.out, "0x3000 secured"));
        assert_true(says(&r.out, "SOC_FW_CONFIG"));
        assert_true(says(&r.out, "the platform token vouches for the realm's key"));
        drop(&r);
    }
    decode_bytes(&r, vs_buf_span(&token), true);
    assert_int_equal(r.code, 0);
    assert_true(says(&r.out, "{\"type\":\"cca-token\""));
    assert_true(says(&r.out, "\"cca-realm-initial-measurement\":\""));
    assert_true(says(&r.out, "\"bound\":true"));
    drop(&r);
    vs_buf_free(&token);
    vs_buf_free(&text);
    soft_stop(&s);
}

static void what_a_stranger_wrote_cannot_steer_the_terminal(void **state)
{
    (void)state;
    soft_realm s;
    result r;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_start(&s, VS_KEY_P256, VS_KEY_P256);
    s.spec.service = VS_LIT("https://\x1b[31mred\xc2\x9b\xe2\x80\xae.example\x7f\r\n");
    soft_token(&s, &token);
    decode_bytes(&r, vs_buf_span(&token), false);
    assert_int_equal(r.code, 0);
    assert_true(says(&r.out, "https://\\x1b[31mred\\x9b\\u202e.example\\x7f\\x0d\\x0a"));
    assert_false(says(&r.out, "\x1b") || says(&r.out, "\xc2\x9b") || says(&r.out, "\r"));
    drop(&r);
    decode_bytes(&r, VS_LIT("{\"a\":\"\xe2\x80\xae\xc2\x9b[31m\"}"), false);
    assert_int_equal(r.code, 0);
    assert_false(says(&r.out, "\xe2\x80\xae") || says(&r.out, "\xc2\x9b"));
    drop(&r);
    vs_buf_free(&token);
    soft_stop(&s);
}

static void halves_of_a_token_and_other_formats_are_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *file, *shows;
    } cases[] = {
        {"data/cca/claims/go-realm-CcaRealmClaimsAll.cbor", "RIM (initial)"},
        {"data/cca/claims/go-platform-CcaPlatformClaimsAll.cbor", "implementation id"},
        {"data/cca/corim/corim-cca-realm-valid.cbor", "501("},
        {"data/ear/ear-cca-affirming.jwt", "submod cpu0: affirming"},
        {"data/ear/runtime-data.json", "\"tee-pubkey\""},
        {"data/kbs/admin-token.jwt", "JWS header"},
    };
    need_shared("data/cca");
    need_shared("data/kbs");
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        result r;
        RUN(&r, cmd_decode, shared_copy(cases[i].file));
        if (r.code != 0 || !says(&r.out, cases[i].shows))
            fail_msg("%s: exit %d, %s", cases[i].file, r.code, (char *)r.err.p);
        drop(&r);
        RUN(&r, cmd_decode, "--json", shared_copy(cases[i].file));
        assert_int_equal(r.code, 0);
        assert_int_equal(r.out.p[0], '{');
        drop(&r);
    }
}

static void cut_files_and_nonsense_fail_without_half_a_table(void **state)
{
    (void)state;
    soft_realm s;
    result r;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_start(&s, VS_KEY_P256, VS_KEY_P256);
    soft_token(&s, &token);
    for (size_t n = 0; n < token.n; n += n < 40 ? 1 : 97) {
        decode_bytes(&r, vs_span_of(token.p, n), false);
        assert_int_equal(r.code, 1);
        assert_int_equal(r.out.n, 0);
        assert_true(says(&r.err, "vouchsafe decode: "));
        drop(&r);
    }
    static const char *const nonsense[] = {
        "hello there", "{\"token\":[256]}", "{\"token\":[]}", "{", "a.b.c", "....", "\x9f\x01\xff"};
    for (size_t i = 0; i < VS_COUNT(nonsense); i++) {
        decode_bytes(&r, vs_str(nonsense[i]), false);
        assert_int_equal(r.code, 1);
        assert_int_equal(r.out.n, 0);
        drop(&r);
    }
    vs_buf_free(&token);
    soft_stop(&s);
}

/* ---- event logs ------------------------------------------------------------------------------ */

/* Not on a terminal: what policies see. */
static void an_event_log_is_decoded_to_what_policies_see(void **state)
{
    (void)state;
    need_shared("data/eventlog/CCEL_data_grub");
    result r;
    RUN(&r, cmd_decode, shared_copy("data/eventlog/CCEL_data_grub"));
    assert_int_equal(r.code, 0);
    assert_true(says(&r.out, "{\"type\":\"event-log\",\"uefi_event_logs\":[{\"details\":"));
    assert_true(says(&r.out, "File(\\\\EFI\\\\BOOT\\\\BOOTX64.EFI)"));
    drop(&r);
}

static void the_table_of_an_event_log_has_events_and_registers(void **state)
{
    (void)state;
    need_shared("data/eventlog/CCEL_data_grub");
    vs_arena a;
    vs_buf in = VS_BUF(1 << 20);
    vs_error err = {0};
    eventlog log;
    view v;
    vs_arena_init(&a, 0);
    view_init(&v);
    read_shared("data/eventlog/CCEL_data_grub", &in);
    assert_vs_ok(eventlog_parse(&a, vs_buf_span(&in), &log, &err), &err);
    assert_vs_ok(eventlog_show(&v, &a, &log, &err), &err);
    assert_true(
        says(&v.out, "EV_EFI_VARIABLE_DRIVER_CONFIG       same     SecureBoot (1 bytes)\n"));
    assert_true(says(&v.out, "Pci(0,0)/HD(15,GPT,"));
    assert_true(says(&v.out, "     1  SHA-384  cec0a104f691f60da2387fea3c2de00c4ac035e2bb479ff0"));
    assert_true(says(&v.out, "     3  SHA-384  08919d017ba0e52cd6d966351c7de16fe76c1d3d3d3da455"));
    view_free(&v);
    vs_buf_free(&in);
    vs_arena_free(&a);
}

/* Names and texts come from a guest: nothing of them may move a cursor. An event whose data is bad
 * is shown with the reason; as JSON the log is refused, as by a verifier. */
static void a_hostile_event_log_does_not_reach_the_terminal(void **state)
{
    (void)state;
    static const uint8_t head[61] = {[4] = 3, [28] = 29};
    vs_arena a;
    vs_buf in = VS_BUF(1 << 12);
    vs_error err = {0};
    eventlog log;
    view v;
    result r;
    vs_arena_init(&a, 0);
    view_init(&v);
    vs_buf_put(&in, vs_span_of(head, sizeof head));
    vs_buf_put(&in, VS_LIT("\1\0\0\0\5\0\0\0\0\0\0\0\4\0\0\0\x1b[2J"));
    vs_buf_put(&in, VS_LIT("\1\0\0\0\5\0\0\0\0\0\0\0\1\0\0\0\xff"));
    assert_vs_ok(eventlog_parse(&a, vs_buf_span(&in), &log, &err), &err);
    assert_vs_ok(eventlog_show(&v, &a, &log, &err), &err);
    assert_false(says(&v.out, "\x1b[2J"));
    assert_true(says(&v.out, "\\x1b[2J"));
    assert_true(says(&v.out, "(the data is not UTF-8 text)"));
    assert_vs_code(vs_write_file(in_dir("file"), vs_buf_span(&in), 0600, NULL), VS_OK);
    char file[128];
    (void)snprintf(file, sizeof file, "%s", in_dir("file"));
    RUN(&r, cmd_decode, file);
    assert_int_equal(r.code, 1);
    assert_int_equal(r.out.n, 0);
    assert_true(says(&r.err, "event 2 (EV_ACTION)"));
    drop(&r);
    view_free(&v);
    vs_buf_free(&in);
    vs_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_tokens_are_judged_as_their_readme_says),
        cmocka_unit_test(the_trust_vector_is_shown_with_tiers_and_texts),
        cmocka_unit_test(a_signed_token_that_is_no_valid_ear_is_refused),
        cmocka_unit_test(another_key_does_not_verify),
        cmocka_unit_test(a_token_is_shown_in_every_wrapping),
        cmocka_unit_test(what_a_stranger_wrote_cannot_steer_the_terminal),
        cmocka_unit_test(halves_of_a_token_and_other_formats_are_recognised),
        cmocka_unit_test(cut_files_and_nonsense_fail_without_half_a_table),
        cmocka_unit_test(an_event_log_is_decoded_to_what_policies_see),
        cmocka_unit_test(the_table_of_an_event_log_has_events_and_registers),
        cmocka_unit_test(a_hostile_event_log_does_not_reach_the_terminal),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
