/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of encrypted image layers, by the ocicrypt key provider protocol. */
#include "secrets.h"

#include "cdh/keyprovider.h"
#include "crypto/crypto.h"
#include "value/json.h"

#define KEK "0123456789abcdef0123456789abcdef"

static cdh_source *secrets(void)
{
    const secret all[] = {{"default/key/1", VS_LIT(KEK)}, {"default/key/short", VS_LIT("short")}};
    return source_of(all, VS_COUNT(all));
}

static void layers_made_elsewhere_are_opened(void **state)
{
    (void)state;
    need_shared("data/guest/layer.json");
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    read_shared("data/guest/layer.json", &text);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    vs_val doc, v;
    vs_span kek;
    assert_vs_ok(vs_json_parse(&a, vs_buf_span(&text), NULL, &doc, &err), &err);
    assert_vs_ok(vs_need(doc, "kek", VS_STRING, &v, &err), &err);
    assert_vs_ok(vs_b64_decode_arena(&a, VS_B64_STD, vs_text(v), &kek, &err), &err);
    const secret all[] = {{"default/key/1", kek}};
    VS_CLEANUP(cdh_source_free) cdh_source *s = source_of(all, 1);
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    vs_val in, want;
    assert_vs_ok(vs_need(doc, "unwrap_input", VS_STRING, &in, &err), &err);
    assert_vs_ok(vs_need(doc, "unwrap_output_numbers", VS_STRING, &want, &err), &err);
    assert_vs_ok(cdh_keyprovider(s, CDH_KEY_UNWRAP, vs_text(in), &out, &err), &err);
    assert_span_eq(vs_buf_span(&out), vs_text(want));
    static const char *const packets[] = {"annotation_packet_gcm", "annotation_packet_ctr"};
    for (size_t i = 0; i < VS_COUNT(packets); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf input = VS_BUF(1 << 16);
        vs_buf_clear(&out);
        assert_vs_ok(vs_need(doc, packets[i], VS_STRING, &v, &err), &err);
        vs_buf_puts(&input, "{\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":\"");
        vs_b64_encode(&input, VS_B64_STD, vs_text(v));
        vs_buf_puts(&input, "\"}}");
        assert_vs_ok(cdh_keyprovider(s, CDH_KEY_UNWRAP, vs_buf_span(&input), &out, &err), &err);
        assert_span_eq(vs_buf_span(&out), vs_text(want));
    }
}

/* The bytes of an array of numbers at object.member. */
static void numbers_at(vs_arena *a, vs_span json, const char *object, const char *member,
                       vs_buf *out)
{
    vs_error err = {0};
    vs_val doc, inner, list;
    assert_vs_ok(vs_json_parse(a, json, NULL, &doc, &err), &err);
    assert_vs_ok(vs_need(doc, object, VS_OBJECT, &inner, &err), &err);
    assert_vs_ok(vs_need(inner, member, VS_ARRAY, &list, &err), &err);
    for (uint32_t i = 0; i < list.len; i++)
        vs_buf_putc(out, (char)list.u.items[i].u.i);
}

static void wrap_input(vs_buf *out, const char *parameter)
{
    vs_buf_puts(out, "{\"op\":\"keywrap\",\"keywrapparams\":{\"ec\":{\"Parameters\":"
                     "{\"attestation-agent\":[\"");
    vs_b64_encode(out, VS_B64_STD, vs_str(parameter));
    vs_buf_puts(out, "\"]}},\"optsdata\":\"");
    vs_b64_encode(out, VS_B64_STD, VS_LIT("{\"symkey\":\"x\"}"));
    vs_buf_puts(out, "\"}}");
}

static void what_is_wrapped_is_unwrapped(void **state)
{
    (void)state;
    VS_CLEANUP(cdh_source_free) cdh_source *s = secrets();
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(8192), out = VS_BUF(65536), packet = VS_BUF(8192);
    VS_CLEANUP(vs_buf_free) vs_buf back = VS_BUF(8192), options = VS_BUF(8192);
    vs_error err = {0};
    wrap_input(&in, "keyid=kbs:///default/key/1");
    assert_vs_ok(cdh_keyprovider(s, CDH_KEY_WRAP, vs_buf_span(&in), &out, &err), &err);
    numbers_at(&a, vs_buf_span(&out), "keywrapresults", "annotation", &packet);
    assert_non_null(strstr((char *)packet.p, "\"kid\":\"kbs:///default/key/1\""));
    assert_null(strstr((char *)packet.p, "symkey"));
    vs_buf_clear(&in);
    vs_buf_puts(&in, "{\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":[");
    for (size_t i = 0; i < packet.n; i++)
        vs_buf_printf(&in, i ? ",%u" : "%u", packet.p[i]);
    vs_buf_puts(&in, "]}}");
    in.cap = in.n;
    assert_vs_ok(cdh_keyprovider(s, CDH_KEY_UNWRAP, vs_buf_span(&in), &back, &err), &err);
    numbers_at(&a, vs_buf_span(&back), "keyunwrapresults", "optsdata", &options);
    assert_span_is(vs_buf_span(&options), "{\"symkey\":\"x\"}");
}

static void a_key_may_come_from_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/vs-kek-XXXXXX", parameter[128];
    int fd = mkstemp(path);
    vs_error err = {0};
    assert_vs_ok(vs_write_fd(fd, VS_LIT(KEK), &err), &err);
    (void)close(fd);
    (void)snprintf(parameter, sizeof parameter, "keyid=kbs://[::1]:80/x/y/z::keypath=%s", path);
    VS_CLEANUP(cdh_source_free) cdh_source *s = secrets();
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(8192), out = VS_BUF(65536);
    wrap_input(&in, parameter);
    assert_vs_ok(cdh_keyprovider(s, CDH_KEY_WRAP | CDH_KEY_FILES, vs_buf_span(&in), &out, &err),
                 &err);
    (void)unlink(path);
}

/* Callers of the data hub have fewer rights than the data hub: no file of its is a key to them, is
 * told of, or is waited for. */
static void no_file_is_read_for_callers_of_the_hub(void **state)
{
    (void)state;
    char path[] = "/tmp/vs-kek-XXXXXX", parameter[128], text[VS_ERROR_TEXT];
    int fd = mkstemp(path);
    vs_error err = {0};
    assert_vs_ok(vs_write_fd(fd, VS_LIT(KEK), &err), &err);
    (void)close(fd);
    const char *const files[] = {path, "/no/such/file", "/etc/passwd", ""};
    VS_CLEANUP(cdh_source_free) cdh_source *s = secrets();
    for (size_t i = 0; i < VS_COUNT(files); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(8192), out = VS_BUF(65536);
        (void)snprintf(parameter, sizeof parameter, "keyid=kbs:///default/key/1::keypath=%s",
                       files[i]);
        wrap_input(&in, parameter);
        err = (vs_error){0};
        assert_vs_code(
            cdh_keyprovider(s, CDH_KEY_WRAP | CDH_KEY_UNWRAP, vs_buf_span(&in), &out, &err),
            VS_E_DENIED);
        assert_string_equal(vs_error_text(&err, text, sizeof text),
                            "\"keypath\" is for the command only: no file is read here");
        assert_int_equal(out.n, 0);
    }
    (void)unlink(path);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *input;
        cdh_key_op allowed;
    } cases[] = {
        {"", CDH_KEY_UNWRAP},
        {"[]", CDH_KEY_UNWRAP},
        {"{}", CDH_KEY_UNWRAP},
        {"{\"op\":1}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keywrap\",\"keywrapparams\":{}}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keyunwrap\",\"keyunwrapparams\":{}}", CDH_KEY_WRAP},
        {"{\"op\":\"keyunwrap\"}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keyunwrap\",\"keyunwrapparams\":null}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":\"!\"}}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":[256]}}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":[-1]}}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":\"e30=\"}}", CDH_KEY_UNWRAP},
        {"{\"op\":\"keywrap\",\"keywrapparams\":{\"ec\":null,\"optsdata\":\"e30=\"}}",
         CDH_KEY_WRAP},
        {"{\"op\":\"keywrap\",\"keywrapparams\":{\"ec\":{\"Parameters\":{}},\"optsdata\":\"e30=\"}"
         "}",
         CDH_KEY_WRAP},
    };
    VS_CLEANUP(cdh_source_free) cdh_source *s = secrets();
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(8192);
        if (cdh_keyprovider(s, cases[i].allowed, vs_str(cases[i].input), &out, NULL) == VS_OK)
            fail_msg("taken: %s", cases[i].input);
        assert_int_equal(out.n, 0);
    }
    static const char *const parameters[] = {"",
                                             "sample=true",
                                             "keyid=",
                                             "keyid=/default/key/1",
                                             "keypath=/etc/passwd",
                                             "keyid=kbs:///default/key/short",
                                             "keyid=kbs:///no/such/key"};
    for (size_t i = 0; i < VS_COUNT(parameters); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(8192), out = VS_BUF(8192);
        wrap_input(&in, parameters[i]);
        if (cdh_keyprovider(s, CDH_KEY_WRAP, vs_buf_span(&in), &out, NULL) == VS_OK)
            fail_msg("taken: %s", parameters[i]);
    }
}

static void a_changed_packet_is_refused(void **state)
{
    (void)state;
    VS_CLEANUP(cdh_source_free) cdh_source *s = secrets();
    VS_CLEANUP(vs_buf_free) vs_buf sealed = VS_BUF(256);
    vs_error err = {0};
    uint8_t iv[12] = {0};
    assert_vs_ok(vs_gcm_seal((const uint8_t *)KEK, iv, (vs_span){0}, VS_LIT("opts"), &sealed, &err),
                 &err);
    for (size_t bit = 0; bit <= sealed.n * 8; bit++) {
        VS_CLEANUP(vs_buf_free) vs_buf packet = VS_BUF(4096), in = VS_BUF(8192), out = VS_BUF(8192);
        if (bit < sealed.n * 8)
            sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        vs_buf_puts(&packet, "{\"kid\":\"kbs:///default/key/1\",\"wrap_type\":\"A256GCM\",\"iv\":"
                             "\"AAAAAAAAAAAAAAAA\",\"wrapped_data\":\"");
        vs_b64_encode(&packet, VS_B64_STD, vs_buf_span(&sealed));
        vs_buf_puts(&packet, "\"}");
        vs_buf_puts(&in, "{\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":\"");
        vs_b64_encode(&in, VS_B64_STD, vs_buf_span(&packet));
        vs_buf_puts(&in, "\"}}");
        assert_vs_code(cdh_keyprovider(s, CDH_KEY_UNWRAP, vs_buf_span(&in), &out, NULL),
                       bit < sealed.n * 8 ? VS_E_CRYPTO : VS_OK);
        if (bit < sealed.n * 8)
            sealed.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_made_elsewhere_are_opened),
        cmocka_unit_test(what_is_wrapped_is_unwrapped),
        cmocka_unit_test(a_key_may_come_from_a_file),
        cmocka_unit_test(no_file_is_read_for_callers_of_the_hub),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(a_changed_packet_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
