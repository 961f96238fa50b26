/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and envelopes of ttrpc, and the protobuf wire format under them. */
#include "testing.h"

#include "base/enc.h"
#include "net/pb_wire.h"
#include "net/ttrpc_wire.h"
#include "value/json.h"

static vs_span payload_of(vs_span frame)
{
    assert_true(frame.n >= VS_TTRPC_HEAD);
    vs_ttrpc_head h = vs_ttrpc_head_read(frame.p);
    assert_int_equal(h.length, frame.n - VS_TTRPC_HEAD);
    return vs_span_from(frame, VS_TTRPC_HEAD);
}

/* ---- frames made elsewhere ------------------------------------------------------------------- */

static void check_request(vs_span frame)
{
    vs_error err = {0};
    vs_ttrpc_request r;
    assert_vs_ok(vs_ttrpc_request_read(payload_of(frame), &r, &err), &err);
    VS_CLEANUP(vs_buf_free) vs_buf again = VS_BUF(VS_TTRPC_FRAME_MAX);
    assert_true(vs_ttrpc_fits(&r));
    vs_ttrpc_request_write(&again, vs_ttrpc_head_read(frame.p).stream, &r);
    assert_span_eq(vs_buf_span(&again), frame);
}

/* A Go server leaves the empty status out; otherwise the same bytes. */
static void check_response(vs_span frame, bool of_go)
{
    vs_error err = {0};
    vs_ttrpc_response r;
    assert_vs_ok(vs_ttrpc_response_read(payload_of(frame), &r, &err), &err);
    VS_CLEANUP(vs_buf_free) vs_buf again = VS_BUF(VS_TTRPC_FRAME_MAX);
    vs_ttrpc_response_write(&again, vs_ttrpc_head_read(frame.p).stream, &r);
    if (of_go)
        assert_int_equal(again.n, frame.n + 2);
    else
        assert_span_eq(vs_buf_span(&again), frame);
}

static void frames_made_elsewhere_are_read_and_written(void **state)
{
    (void)state;
    need_shared("data/guest/ttrpc-frames.json");
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    read_shared("data/guest/ttrpc-frames.json", &text);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_error err = {0};
    vs_val doc;
    assert_vs_ok(vs_json_parse(&a, vs_buf_span(&text), NULL, &doc, &err), &err);
    assert_true(doc.len >= 9);
    for (uint32_t i = 0; i < doc.len; i++) {
        vs_val hex, name;
        assert_vs_ok(vs_need(doc.u.items[i], "hex", VS_STRING, &hex, &err), &err);
        assert_vs_ok(vs_need(doc.u.items[i], "name", VS_STRING, &name, &err), &err);
        vs_span f;
        assert_vs_ok(vs_hex_decode_arena(&a, vs_text(hex), &f, &err), &err);
        if (vs_ttrpc_head_read(f.p).type == VS_TTRPC_REQUEST)
            check_request(f);
        else
            check_response(f, vs_span_ends(vs_text(name), VS_LIT("no status")));
    }
}

/* ---- by hand --------------------------------------------------------------------------------- */

static void a_request_survives_the_way(void **state)
{
    (void)state;
    vs_ttrpc_request in = {VS_LIT("a.B"), VS_LIT("C"), VS_LIT("payload"), 1500};
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(4096);
    vs_ttrpc_request_write(&frame, 0x01020305, &in);
    vs_ttrpc_head h = vs_ttrpc_head_read(frame.p);
    assert_int_equal(h.stream, 0x01020305);
    assert_int_equal(h.type, VS_TTRPC_REQUEST);
    assert_int_equal(h.flags, 0);
    vs_ttrpc_request out;
    vs_error err = {0};
    assert_vs_ok(vs_ttrpc_request_read(payload_of(vs_buf_span(&frame)), &out, &err), &err);
    assert_span_is(out.service, "a.B");
    assert_span_is(out.method, "C");
    assert_span_is(out.payload, "payload");
    assert_int_equal(out.timeout_ns, 1500);
}

static void requests_cut_anywhere_never_overrun(void **state)
{
    (void)state;
    vs_ttrpc_request in = {VS_LIT("a.B"), VS_LIT("C"), VS_LIT("payload"), 1500}, out;
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(4096);
    vs_ttrpc_request_write(&frame, 1, &in);
    vs_span whole = payload_of(vs_buf_span(&frame));
    for (size_t n = 0; n < whole.n; n++) {
        VS_CLEANUP(vs_buf_free) vs_buf cut = VS_BUF(4096); /* on the heap, of exact size */
        vs_buf_put(&cut, vs_span_head(whole, n));
        if (vs_ttrpc_request_read(vs_buf_span(&cut), &out, NULL) == VS_OK)
            assert_true(out.service.n <= 3 && out.method.n <= 1 && out.payload.n <= 7);
    }
}

typedef struct bad_case {
    const char *what;
    vs_span bytes;
} bad_case;

static void malformed_requests_are_refused(void **state)
{
    (void)state;
    static const bad_case cases[] = {
        {"a service that is a number", VS_LIT("\x08\x01")},
        {"a timeout that is text", VS_LIT("\x22\x01x")},
        {"a length beyond the end", VS_LIT("\x0a\x05"
                                           "abc")},
        {"a length of 2^63", VS_LIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f")},
        {"a varint without end", VS_LIT("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {"a varint beyond 64 bits", VS_LIT("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")},
        {"field number 0", VS_LIT("\x02\x00")},
        {"a group", VS_LIT("\x0b\x0c")},
        {"wire type 7", VS_LIT("\x0f")},
        {"a service that is not UTF-8", VS_LIT("\x0a\x01\xff")},
        {"a method with a NUL", VS_LIT("\x12\x01\x00")},
        {"half a fixed64", VS_LIT("\x39\x01\x02")},
        {"half a fixed32", VS_LIT("\x3d\x01\x02")},
    };
    vs_ttrpc_request r;
    for (size_t i = 0; i < VS_COUNT(cases); i++)
        if (vs_ttrpc_request_read(cases[i].bytes, &r, NULL) == VS_OK)
            fail_msg("taken: %s", cases[i].what);
}

static void fields_come_in_any_order_and_unknown_ones_are_passed_over(void **state)
{
    (void)state;
    vs_ttrpc_request r;
    vs_error err = {0};
    vs_span bytes = VS_LIT("\x2a\x02zz"                           /* metadata */
                           "\x7d\x01\x02\x03\x04"                 /* 15: fixed32 */
                           "\x79\x01\x02\x03\x04\x05\x06\x07\x08" /* 15: fixed64 */
                           "\x1a\x01p\x12\x01m\x0a\x01s\x0a\x01t");
    assert_vs_ok(vs_ttrpc_request_read(bytes, &r, &err), &err);
    assert_span_is(r.service, "t"); /* the last one counts */
    assert_span_is(r.method, "m");
    assert_span_is(r.payload, "p");
}

static void a_negative_timeout_is_none(void **state)
{
    (void)state;
    vs_ttrpc_request r;
    vs_error err = {0};
    assert_vs_ok(
        vs_ttrpc_request_read(VS_LIT("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &r, &err),
        &err);
    assert_int_equal(r.timeout_ns, 0);
}

static void responses_tell_status_and_message(void **state)
{
    (void)state;
    vs_error err = {0};
    vs_ttrpc_response r;
    assert_vs_ok(vs_ttrpc_response_read(VS_LIT("\x0a\x06\x08\x05\x12\x02no"), &r, &err), &err);
    assert_int_equal(r.status, VS_GRPC_NOT_FOUND);
    assert_span_is(r.message, "no");
    assert_vs_ok(vs_ttrpc_response_read(VS_LIT("\x0a\x02\x08\x63"), &r, &err), &err);
    assert_int_equal(r.status, VS_GRPC_UNKNOWN);
    assert_vs_ok(vs_ttrpc_response_read((vs_span){0}, &r, &err), &err);
    assert_int_equal(r.status, VS_GRPC_OK);
    /* Of two the last counts, as a whole: the first one's failure does not shine through. */
    assert_vs_ok(vs_ttrpc_response_read(VS_LIT("\x0a\x02\x08\x05\x0a\x00"), &r, &err), &err);
    assert_int_equal(r.status, VS_GRPC_OK);
    assert_vs_code(vs_ttrpc_response_read(VS_LIT("\x08\x05"), &r, NULL), VS_E_PARSE);
    assert_vs_code(vs_ttrpc_response_read(VS_LIT("\x0a\x02\x0a\x00"), &r, NULL), VS_E_PARSE);
    assert_vs_code(vs_ttrpc_response_read(VS_LIT("\x0a\x03\x12\x01\xff"), &r, NULL), VS_E_PARSE);
}

static void what_is_too_large_says_so(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf big = VS_BUF(VS_TTRPC_PAYLOAD_MAX);
    assert_non_null(vs_buf_reserve(&big, VS_TTRPC_PAYLOAD_MAX));
    memset(big.p, 'x', big.n);
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(2 * VS_TTRPC_FRAME_MAX);
    vs_ttrpc_response out, in = {VS_GRPC_OK, {0}, vs_buf_span(&big)};
    vs_ttrpc_response_write(&frame, 1, &in);
    vs_error err = {0};
    assert_vs_ok(vs_ttrpc_response_read(payload_of(vs_buf_span(&frame)), &out, &err), &err);
    assert_int_equal(out.status, VS_GRPC_INVALID_ARGUMENT);
    assert_span_is(out.message, "message length 4194311 exceed maximum message size of 4194304");
    vs_ttrpc_request r = {VS_LIT("s"), VS_LIT("m"), vs_buf_span(&big), 0};
    assert_false(vs_ttrpc_fits(&r));
    r.payload = vs_span_head(r.payload, VS_TTRPC_PAYLOAD_MAX - 11);
    assert_true(vs_ttrpc_fits(&r));
    r.payload.n++;
    assert_false(vs_ttrpc_fits(&r));
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    char text[5001];
    for (size_t i = 0; i < 5000; i += 2)
        memcpy(text + i, i ? "\xc3\xa4" : "x.", 2); /* so that 4096 is in the middle of one */
    memmove(text + 1, text + 2, 4998);
    VS_CLEANUP(vs_buf_free) vs_buf frame = VS_BUF(VS_TTRPC_FRAME_MAX);
    vs_ttrpc_response out, in = {VS_GRPC_INTERNAL, vs_span_of(text, 4999), {0}};
    vs_ttrpc_response_write(&frame, 1, &in);
    vs_error err = {0};
    assert_vs_ok(vs_ttrpc_response_read(payload_of(vs_buf_span(&frame)), &out, &err), &err);
    assert_int_equal(out.message.n, 4095);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_made_elsewhere_are_read_and_written),
        cmocka_unit_test(a_request_survives_the_way),
        cmocka_unit_test(requests_cut_anywhere_never_overrun),
        cmocka_unit_test(malformed_requests_are_refused),
        cmocka_unit_test(fields_come_in_any_order_and_unknown_ones_are_passed_over),
        cmocka_unit_test(a_negative_timeout_is_none),
        cmocka_unit_test(responses_tell_status_and_message),
        cmocka_unit_test(what_is_too_large_says_so),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
