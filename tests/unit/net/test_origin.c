/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, ranges, PROXY v2 headers, Forwarded and X-Forwarded-For, traceparent. */
#include "testing.h"

#include "base/enc.h"
#include "base/trace.h"
#include "net/origin.h"

static vs_ip ip_of(const char *text)
{
    vs_ip ip;
    assert_true(vs_ip_parse(vs_str(text), &ip));
    return ip;
}

static void addresses_are_read_and_printed(void **state)
{
    (void)state;
    static const char *const good[] = {"192.0.2.1", "2001:db8::1", "::1"};
    static const char *const bad[] = {
        "",           "192.0.2", "192.0.2.256", "192.0.2.1 ",   "[::1]", "fe80::1%eth0",
        "1.2.3.4:80", "::1::",   "01.2.3",      "host.example."};
    char text[VS_IP_TEXT];
    vs_ip ip;
    for (size_t i = 0; i < VS_COUNT(good); i++)
        assert_string_equal(vs_ip_print(ip_of(good[i]), 0, text), good[i]);
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_false(vs_ip_parse(vs_str(bad[i]), &ip));
    assert_false(vs_ip_parse(vs_span_of("1.2.3.4\0", 8), &ip));
    assert_string_equal(vs_ip_print(ip_of("2001:db8::1"), 80, text), "[2001:db8::1]:80");
    assert_string_equal(vs_ip_print(ip_of("::ffff:10.0.0.1"), 80, text), "10.0.0.1:80");
}

static void ranges_hold_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *range, *in, *out;
    } cases[] = {{"10.0.0.0/8", "10.255.0.1", "11.0.0.1"},
                 {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
                 {"192.0.2.1", "192.0.2.1", "192.0.2.0"},
                 {"fd00::/8", "fdff::1", "fe00::1"},
                 {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
                 {"0.0.0.0/0", "1.2.3.4", "2001:db8::1"},
                 {"10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1"}};
    static const char *const bad[] = {
        "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/ 8", "10.0.0.0/08", "::/129",
        "fd00::1/8",   "/8",         "",          "a/8",         "10.0.0.0/-1", "10.0.0.0/8/8"};
    vs_cidr c;
    vs_error err = {0};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        assert_vs_ok(vs_cidr_parse(cases[i].range, &c, &err), &err);
        assert_true(vs_cidr_holds(&c, 1, ip_of(cases[i].in)));
        assert_false(vs_cidr_holds(&c, 1, ip_of(cases[i].out)));
    }
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(vs_cidr_parse(bad[i], &c, NULL), VS_E_INVALID);
}

/* ---- PROXY ------------------------------------------------------------------------------------
 */

#define SIG "0d0a0d0a000d0a515549540a"
#define CRC "5c326332"
#define V4  "c00002017f000001126701bb"
#define V6                                                                                         \
    "20010db8000000000000000000000001"                                                             \
    "00000000000000000000000000000001"                                                             \
    "126701bb"

static vs_span bytes_of(const char *hex)
{
    static uint8_t out[4096];
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return vs_span_of(out, n);
}

static void proxy_headers_tell_the_client(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *peer;
    } cases[] = {{SIG "2111000c" V4, "192.0.2.1:4711"},
                 {SIG "21210024" V6, "[2001:db8::1]:4711"},
                 {SIG "21110011" V4 "0100026832", "192.0.2.1:4711"},
                 {SIG "20000000", ""},
                 {SIG "2011000c" V4, ""}, /* LOCAL: the addresses do not count */
                 {SIG "20000003010203", ""},
                 {SIG "21000000", ""},
                 {SIG "2100000301ffff", ""}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_span in = bytes_of(cases[i].hex);
        vs_proxy_head head;
        vs_error err = {0};
        char text[VS_IP_TEXT] = "";
        assert_int_equal(vs_proxy_size(in), in.n);
        assert_vs_ok(vs_proxy_parse(in, &head, &err), &err);
        if (head.has_ip)
            (void)vs_ip_print(head.ip, head.port, text);
        assert_string_equal(text, cases[i].peer);
    }
}

static void malformed_proxy_headers_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        SIG "1111000c" V4, /* version 1 */
        SIG "2211000c" V4, /* no such command */
        SIG "2112000c" V4, /* UDP */
        SIG "2141000c" V4, /* no such family */
        SIG "2111000b"
            "c00002017f0000011267"
            "01",                           /* too short */
        SIG "2121000c" V4,                  /* IPv6 with IPv4's length */
        SIG "2111000e" V4 "0100",           /* half a TLV head */
        SIG "21110010" V4 "01000268",       /* half a TLV */
        SIG "21110013" V4 "03000400000000", /* wrong checksum */
        SIG "21110011" V4 "0300020000",     /* a checksum of two bytes */
        SIG "2131000c" V4,                  /* a Unix address of 12 bytes */
    };
    vs_proxy_head head;
    for (size_t i = 0; i < VS_COUNT(cases); i++)
        assert_vs_code(vs_proxy_parse(bytes_of(cases[i]), &head, NULL), VS_E_PARSE);
    assert_int_equal(vs_proxy_size(vs_str("GET / HTTP/1.1\r\n")), 0);
    assert_int_equal(vs_proxy_size(vs_str("\r\nGET / ")), 0);
    assert_int_equal(vs_proxy_size(bytes_of(SIG "2111ffff")), 0); /* longer than we take */
    assert_int_equal(vs_proxy_size(bytes_of(SIG "211107f0")), VS_PROXY_MAX);
    assert_int_equal(vs_proxy_size((vs_span){0}), VS_PROXY_FIXED);
}

static void proxy_headers_are_cut_anywhere(void **state)
{
    (void)state;
    vs_span whole = bytes_of(SIG "21110011" V4 "0100026832");
    vs_proxy_head head;
    for (size_t n = 0; n < whole.n; n++) {
        vs_span in = vs_span_head(whole, n);
        assert_int_equal(vs_proxy_size(in), n < VS_PROXY_FIXED ? VS_PROXY_FIXED : whole.n);
        assert_vs_code(vs_proxy_parse(in, &head, NULL), VS_E_PARSE);
    }
}

/* The checksum is that of haproxy's description: computed over the header with the field zeroed. */
static void a_checksum_is_checked_at_every_bit(void **state)
{
    (void)state;
    uint8_t copy[64];
    vs_span good = bytes_of(SIG "21110013" V4 "030004" CRC);
    vs_proxy_head head;
    vs_error err = {0};
    assert_vs_ok(vs_proxy_parse(good, &head, &err), &err);
    for (size_t bit = 0; bit < good.n * 8; bit++) {
        memcpy(copy, good.p, good.n);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (vs_proxy_parse(vs_span_of(copy, good.n), &head, NULL) == VS_OK)
            /* LOCAL instead of PROXY, UNSPEC instead of TCP: then nothing in it counts. A TLV of
             * another type is no checksum. */
            assert_true(!head.has_ip || bit / 8 == 28);
    }
}

/* ---- headers -----------------------------------------------------------------------------------
 */

typedef struct header_case {
    const char *fields[3];
    const char *client; /* NULL = refused; "-" = stays as it was */
} header_case;

static void check_headers(const header_case *cases, size_t n,
                          vs_code (*read)(const vs_forwarded *, vs_ip *, vs_error *))
{
    vs_cidr trusted[2];
    assert_vs_code(vs_cidr_parse("10.0.0.0/8", &trusted[0], NULL), VS_OK);
    assert_vs_code(vs_cidr_parse("fd00::/8", &trusted[1], NULL), VS_OK);
    for (size_t i = 0; i < n; i++) {
        vs_span fields[3];
        vs_forwarded f = {.fields = fields, .trusted = trusted, .n_trusted = 2};
        for (; f.n < 3 && cases[i].fields[f.n]; f.n++)
            fields[f.n] = vs_str(cases[i].fields[f.n]);
        vs_ip ip = ip_of("10.0.0.99");
        char text[VS_IP_TEXT];
        vs_error err = {0};
        vs_code code = read(&f, &ip, &err);
        if (!cases[i].client) {
            if (code != VS_E_PARSE)
                fail_msg("accepted: %s", cases[i].fields[0]);
            continue;
        }
        assert_vs_ok(code, &err);
        const char *want = strcmp(cases[i].client, "-") == 0 ? "10.0.0.99" : cases[i].client;
        if (strcmp(vs_ip_print(ip, 0, text), want) != 0)
            fail_msg("%s: got %s, want %s", cases[i].fields[0], text, want);
    }
}

static void forwarded_is_walked_from_the_server_outwards(void **state)
{
    (void)state;
    static const header_case cases[] = {
        {{"for=192.0.2.60"}, "192.0.2.60"},
        {{"For=\"[2001:db8:cafe::17]:4711\""}, "2001:db8:cafe::17"},
        {{"for=192.0.2.60;proto=http;by=203.0.113.43"}, "192.0.2.60"},
        {{"proto=http ; for=192.0.2.60"}, "192.0.2.60"},
        {{"for=1.1.1.1, for=192.0.2.43"}, "192.0.2.43"}, /* the left one is the client's forgery */
        {{"for=192.0.2.43, for=10.1.1.1"}, "192.0.2.43"},
        {{"for=192.0.2.43", "for=10.1.1.1"}, "192.0.2.43"},
        {{"for=10.2.2.2, for=10.1.1.1"}, "10.2.2.2"},
        {{"for=192.0.2.43, for=unknown"}, "-"},
        {{"for=_hidden, for=10.1.1.1"}, "10.1.1.1"},
        {{"for=\"_hidden:_port\""}, "-"},
        {{"for=\"192.0.2.43:80\""}, "192.0.2.43"},
        {{"for=\"192.0.2.\\43\""}, "192.0.2.43"},
        {{"proto=https"}, "-"},
        {{"host=\"a, for=6.6.6.6\";for=192.0.2.1"}, "192.0.2.1"}, /* inside quotes */
        /* malformed */
        {{""}, NULL},
        {{"for"}, NULL},
        {{"for="}, NULL},
        {{"for=192.0.2.1,"}, NULL},
        {{",for=192.0.2.1"}, NULL},
        {{"for=192.0.2.1;"}, NULL},
        {{"for =192.0.2.1"}, NULL},
        {{"for= 192.0.2.1"}, NULL},
        {{"for=2001:db8::1"}, NULL},
        {{"for=\"2001:db8::1\""}, NULL},
        {{"for=\"[2001:db8::1\""}, NULL},
        {{"for=\"[192.0.2.1]\""}, NULL},
        {{"for=\"[2001:db8::1]x\""}, NULL},
        {{"for=\"192.0.2.1:\""}, NULL},
        {{"for=\"192.0.2.1:123456\""}, NULL},
        {{"for=\"192.0.2.1"}, NULL},
        {{"for=\"192.0.2.1\\"}, NULL},
        {{"for=a.example"}, NULL},
        {{"for=_"}, NULL},
        {{"for=1.2.3.4;for=1.2.3.5"}, NULL},
        {{"for=192.0.2.1 for=192.0.2.2"}, NULL},
        {{"for=\"\x01\""}, NULL},
        {{"for=\"open", "for=192.0.2.1"}, NULL}, /* a quote does not reach into the next field */
    };
    check_headers(cases, VS_COUNT(cases), vs_forwarded_client);
}

static void x_forwarded_for_is_walked_from_the_server_outwards(void **state)
{
    (void)state;
    static const header_case cases[] = {
        {{"192.0.2.60"}, "192.0.2.60"},
        {{"1.1.1.1, 192.0.2.43"}, "192.0.2.43"},
        {{"garbage, 192.0.2.43"}, "192.0.2.43"}, /* what the client sent is not walked over */
        {{"192.0.2.43,10.1.1.1"}, "192.0.2.43"},
        {{"192.0.2.43", "10.1.1.1"}, "192.0.2.43"},
        {{"2001:db8::1"}, "2001:db8::1"},
        {{"[2001:db8::1]:80"}, "2001:db8::1"},
        {{"192.0.2.1:80"}, "192.0.2.1"},
        {{"unknown"}, "-"},
        {{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
        {{""}, NULL},
        {{"192.0.2.1,"}, NULL},
        {{"host.example"}, NULL},
        {{"192.0.2.1 192.0.2.2"}, NULL},
        {{"garbage, 10.1.1.1"}, NULL},
        {{"192.0.2.1:x"}, NULL},
    };
    check_headers(cases, VS_COUNT(cases), vs_x_forwarded_client);
}

/* A header cut short is refused or tells a client that a shorter header tells; it never crashes. */
static void headers_are_cut_anywhere(void **state)
{
    (void)state;
    static const char text[] = "for=192.0.2.43;proto=\"ht\\\"tp\", for=\"[2001:db8::17]:4711\"";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *copy = malloc(n + 1); /* so that a sanitizer sees the end */
        assert_non_null(copy);
        memcpy(copy, text, n);
        vs_span field = vs_span_of(copy, n);
        vs_forwarded f = {.fields = &field, .n = 1};
        vs_ip ip = {0};
        vs_code code = vs_forwarded_client(&f, &ip, NULL);
        assert_true(code == VS_E_PARSE || n >= 13);
        (void)!vs_x_forwarded_client(&f, &ip, NULL);
        free(copy);
    }
}

static void too_many_nodes_are_refused(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(4096);
    for (int i = 0; i < 65; i++)
        vs_buf_puts(&b, i ? ",for=10.0.0.1" : "for=10.0.0.1");
    vs_span field = vs_buf_span(&b);
    vs_forwarded f = {.fields = &field, .n = 1};
    vs_ip ip = {0};
    assert_vs_code(vs_forwarded_client(&f, &ip, NULL), VS_E_PARSE);
}

/* ---- traceparent --------------------------------------------------------------------------------
 */

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void a_trace_goes_on_and_a_malformed_one_begins_anew(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *flags; /* NULL = a new trace */
    } cases[] = {{"00-" TRACE "-" PARENT "-01", "01"},
                 {"00-" TRACE "-" PARENT "-00", "00"},
                 {"00-" TRACE "-" PARENT "-ff", "01"},
                 {"00-" TRACE "-" PARENT "-0a", "00"},
                 {"01-" TRACE "-" PARENT "-01-more", "01"},
                 {"00-" TRACE "-" PARENT "-01-more", NULL},
                 {"ff-" TRACE "-" PARENT "-01", NULL},
                 {"01-" TRACE "-" PARENT "-01more", NULL},
                 {"00-00000000000000000000000000000000-" PARENT "-01", NULL},
                 {"00-" TRACE "-0000000000000000-01", NULL},
                 {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", NULL},
                 {"00_" TRACE "-" PARENT "-01", NULL},
                 {"", NULL}};
    assert_null(vs_traceparent());
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_trace_begin(vs_str(cases[i].in));
        vs_span now = vs_str(vs_traceparent());
        assert_int_equal(now.n, VS_TRACE_TEXT - 1);
        assert_int_equal(vs_span_is(vs_span_of(now.p + 3, 32), TRACE), cases[i].flags != NULL);
        assert_false(vs_span_is(vs_span_of(now.p + 36, 16), PARENT));
        if (cases[i].flags)
            assert_span_is(vs_span_from(now, 53), cases[i].flags);
        vs_trace_end();
        assert_null(vs_traceparent());
    }
    for (size_t n = 0; n < 55; n++) {
        vs_trace_begin(vs_span_head(VS_LIT("00-" TRACE "-" PARENT "-01"), n));
        assert_false(vs_span_is(vs_span_of(vs_traceparent() + 3, 32), TRACE));
    }
    vs_trace_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_printed),
        cmocka_unit_test(ranges_hold_what_they_say),
        cmocka_unit_test(proxy_headers_tell_the_client),
        cmocka_unit_test(malformed_proxy_headers_are_refused),
        cmocka_unit_test(proxy_headers_are_cut_anywhere),
        cmocka_unit_test(a_checksum_is_checked_at_every_bit),
        cmocka_unit_test(forwarded_is_walked_from_the_server_outwards),
        cmocka_unit_test(x_forwarded_for_is_walked_from_the_server_outwards),
        cmocka_unit_test(headers_are_cut_anywhere),
        cmocka_unit_test(too_many_nodes_are_refused),
        cmocka_unit_test(a_trace_goes_on_and_a_malformed_one_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
