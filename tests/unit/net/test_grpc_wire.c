/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "net/grpc_wire.h"

static const char *why;

static vs_grpc_status unframe(vs_span body, size_t cap)
{
    vs_span m = {0};
    return vs_grpc_unframe(body, cap, &m, &why);
}

static void one_whole_message_and_nothing_else(void **state)
{
    (void)state;
    static const uint8_t good[] = {0, 0, 0, 0, 3, 'a', 'b', 'c', 0};
    vs_span m = {0};
    assert_int_equal(vs_grpc_unframe(vs_span_of(good, 8), 3, &m, &why), VS_GRPC_OK);
    assert_span_is(m, "abc");
    assert_int_equal(unframe(vs_span_of(good, 0), 3), VS_GRPC_UNIMPLEMENTED);
    for (size_t n = 1; n < 8; n++)
        assert_int_equal(unframe(vs_span_of(good, n), 3), VS_GRPC_INTERNAL);
    assert_int_equal(unframe(vs_span_of(good, 9), 3), VS_GRPC_UNIMPLEMENTED);
    assert_int_equal(unframe(vs_span_of(good, 8), 2), VS_GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(unframe(VS_LIT("\0\0\0\0\0"), 0), VS_GRPC_OK);
}

static void flags_and_lengths_that_lie(void **state)
{
    (void)state;
    size_t cap = 4 << 20;
    assert_int_equal(unframe(VS_LIT("\1\0\0\0\0"), cap), VS_GRPC_UNIMPLEMENTED);
    for (unsigned flag = 2; flag < 256; flag++) {
        uint8_t b[5] = {(uint8_t)flag};
        assert_int_equal(unframe(vs_span_of(b, 5), cap), VS_GRPC_INTERNAL);
    }
    assert_int_equal(unframe(VS_LIT("\0\xff\xff\xff\xff"), cap), VS_GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(unframe(VS_LIT("\0\x00\x40\x00\x01"), cap), VS_GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(unframe(VS_LIT("\0\x00\x40\x00\x00"), cap), VS_GRPC_INTERNAL);
}

static void timeouts_of_every_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {{"1n", 1},
                {"2u", 2000},
                {"100m", 100000000},
                {"1S", 1000000000},
                {"1M", INT64_C(60000000000)},
                {"1H", INT64_C(3600000000000)},
                {"0S", 0},
                {"00000001m", 1000000},
                {"99999999n", 99999999}};
    int64_t ns;
    for (size_t i = 0; i < VS_COUNT(good); i++) {
        assert_true(vs_grpc_timeout_parse(vs_str(good[i].text), &ns));
        assert_int_equal(ns, good[i].ns);
    }
    assert_true(vs_grpc_timeout_parse(VS_LIT("99999999H"), &ns));
    assert_true(ns > INT64_C(3000000000000000000) && ns < INT64_MAX / 2);
    static const char *const bad[] = {"",    "S",   "1",    "1s",  "1x",         "-1S", "+1S",
                                      " 1S", "1S ", "1.5S", "1 S", "123456789S", "0x1S"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_false(vs_grpc_timeout_parse(vs_str(bad[i]), &ns));
}

static void printed_timeouts_are_read_again_and_never_shorter(void **state)
{
    (void)state;
    for (int64_t ns = 1; ns < INT64_C(1000000000000000000); ns = ns * 3 + 7) {
        char text[16];
        int64_t again;
        vs_grpc_timeout_print(ns, text);
        assert_true(vs_grpc_timeout_parse(vs_str(text), &again));
        assert_true(again >= ns && again - ns <= ns / 50000 + 1);
    }
    char text[16];
    vs_grpc_timeout_print(-5, text);
    assert_string_equal(text, "0n");
}

static void messages_are_percent_encoded(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 16), back = VS_BUF(1 << 16);
    vs_grpc_text_encode(&out, VS_LIT("a %\n\xc3\xa4~\x7f"));
    assert_span_is(vs_buf_span(&out), "a %25%0A%C3%A4~%7F");
    vs_grpc_text_decode(&back, vs_buf_span(&out));
    assert_span_is(vs_buf_span(&back), "a %\n\xc3\xa4~\x7f");
    vs_buf_clear(&back);
    vs_grpc_text_decode(&back, VS_LIT("%%4%4x%41%"));
    assert_span_is(vs_buf_span(&back), "%%4%4xA%");
    VS_CLEANUP(vs_buf_free) vs_buf huge = VS_BUF(1 << 16);
    for (int i = 0; i < 9000; i++)
        vs_buf_putc(&huge, '\n');
    vs_buf_clear(&out);
    vs_grpc_text_encode(&out, vs_buf_span(&huge));
    assert_in_range(out.n, VS_GRPC_TEXT_MAX - 3, VS_GRPC_TEXT_MAX);
    assert_int_equal(out.n % 3, 0); /* not cut inside of an escape */
}

static void content_types_and_statuses(void **state)
{
    (void)state;
    static const char *const good[] = {"application/grpc", "application/grpc+proto",
                                       "Application/GRPC", "application/grpc;x=y",
                                       "application/grpc+proto; x"};
    static const char *const bad[] = {"",
                                      "application/grp",
                                      "application/grpc-web",
                                      "application/grpc+json",
                                      "application/grpcx",
                                      "application/json"};
    for (size_t i = 0; i < VS_COUNT(good); i++)
        assert_true(vs_grpc_is_content_type(vs_str(good[i])));
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_false(vs_grpc_is_content_type(vs_str(bad[i])));
    vs_grpc_status s;
    assert_true(vs_grpc_status_parse(VS_LIT("16"), &s) && s == VS_GRPC_UNAUTHENTICATED);
    assert_true(vs_grpc_status_parse(VS_LIT("0"), &s) && s == VS_GRPC_OK);
    static const char *const no[] = {"", "17", "-1", "a", "001", "1 ", "256"};
    for (size_t i = 0; i < VS_COUNT(no); i++)
        assert_false(vs_grpc_status_parse(vs_str(no[i]), &s));
    assert_string_equal(vs_grpc_status_name(VS_GRPC_ABORTED), "ABORTED");
    assert_string_equal(vs_grpc_status_name((vs_grpc_status)99), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_whole_message_and_nothing_else),
        cmocka_unit_test(flags_and_lengths_that_lie),
        cmocka_unit_test(timeouts_of_every_unit),
        cmocka_unit_test(printed_timeouts_are_read_again_and_never_shorter),
        cmocka_unit_test(messages_are_percent_encoded),
        cmocka_unit_test(content_types_and_statuses),
    };
    return cmocka_run_group_tests_name("grpc_wire", tests, NULL, NULL);
}
