/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "net/http_parse.h"

static int parse(const char *text, vs_http_head *h)
{
    return vs_http_head_parse(vs_str(text), h);
}

static void a_plain_request_is_taken_apart(void **state)
{
    (void)state;
    vs_http_head h;
    assert_int_equal(
        parse("POST /kbs/v0/a%2Fb?x=1?2 HTTP/1.1\r\nHost: h\r\ncontent-LENGTH:\t12 \r\nX: \r\n\r\n",
              &h),
        0);
    assert_int_equal(h.method, VS_HTTP_POST);
    assert_span_is(h.path, "/kbs/v0/a%2Fb");
    assert_span_is(h.query, "x=1?2");
    assert_int_equal(h.content_length, 12);
    assert_false(h.close);
    assert_span_is(vs_http_head_field(&h, "Content-Length"), "12");
    assert_span_is(vs_http_head_field(&h, "x"), "");
    assert_non_null(vs_http_head_field(&h, "x").p);
    assert_null(vs_http_head_field(&h, "y").p);
}

static void every_form_of_target_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *target, *path;
    } v[] = {{"/", "/"}, {"*", "*"}, {"http://h:1/a/b", "/a/b"}, {"HTTPS://h/", "/"}};
    vs_http_head h;
    char text[200];
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", v[i].target);
        assert_int_equal(parse(text, &h), 0);
        assert_span_is(h.path, v[i].path);
    }
}

/* RFC 9112 3.2.2 */
static void an_absolute_target_says_which_host_is_meant(void **state)
{
    (void)state;
    static const struct {
        const char *target, *host, *path; /* host NULL: 400 */
    } v[] = {
        {"/info", "127.0.0.1", "/info"},
        {"http://evil.example/info", "evil.example", "/info"},
        {"HTTPS://evil.example:8443/a?b", "evil.example:8443", "/a"},
        {"http://127.0.0.1:1/", "127.0.0.1:1", "/"},
        {"http://[::1]:8006/x", "[::1]:8006", "/x"},
        {"http://[2001:db8::1]/x", "[2001:db8::1]", "/x"},
        {"http://127.0.0.1@evil.example/", NULL, NULL}, /* user information */
        {"http://user:pw@127.0.0.1/", NULL, NULL},
        {"http://@127.0.0.1/", NULL, NULL},
        {"http://h:0x50/", NULL, NULL},
        {"http://h:99999/", NULL, NULL},
        {"http://:80/", NULL, NULL},
        {"http://[::1/", NULL, NULL},
        {"http://::1/", NULL, NULL},
        {"http://h\\@evil.example/", NULL, NULL},
        {"http://h?x/y", NULL, NULL},
        {"ftp://h/", NULL, NULL},
    };
    vs_http_head h;
    char text[200];
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nA: b\r\nhOsT: 127.0.0.1\r\n\r\n",
                       v[i].target);
        assert_int_equal(parse(text, &h), v[i].host ? 0 : 400);
        if (!v[i].host)
            continue;
        assert_span_is(vs_http_head_field(&h, "host"), v[i].host);
        assert_span_is(h.path, v[i].path);
        assert_int_equal(h.n_fields, 2);
    }
    /* HTTP/1.0 needs no Host, and has one then all the same. */
    assert_int_equal(parse("GET http://evil.example/ HTTP/1.0\r\n\r\n", &h), 0);
    assert_span_is(vs_http_head_field(&h, "Host"), "evil.example");
    assert_int_equal(parse("GET http://h/ HTTP/1.1\r\n\r\n", &h), 400);
    assert_int_equal(parse("GET http://h/ HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", &h), 400);
}

static void what_can_be_read_two_ways_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } v[] = {
        {"", 400},
        {"\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host */
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET http://h HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"GET /\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},         /* space before the colon */
        {"GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n", 400}, /* folded line */
        {"GET / HTTP/1.1\r\nHost: a\r\n\tX: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400}, /* bare LF */
        {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400}, /* bare CR */
        {"GET / HTTP/1.1\r\nHost: a\r\nX: b\x7f\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\n", 400},      /* no end */
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\nX", 400}, /* more than a head */
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
         "chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
         "chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: something\r\n\r\n", 417},
    };
    vs_http_head h;
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        int got = parse(v[i].text, &h);
        if (got != v[i].status)
            fail_msg("case %zu gives %d, not %d: %s", i, got, v[i].status, v[i].text);
    }
}

static void connection_rules_follow_the_version(void **state)
{
    (void)state;
    static const struct {
        const char *version, *connection;
        bool close;
    } v[] = {{"1.1", "keep-alive", false}, {"1.1", "x, Close", true},    {"1.1", "closed", false},
             {"1.0", "x", true},           {"1.0", "Keep-Alive", false}, {"1.1", "", false}};
    vs_http_head h;
    char text[200];
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        (void)snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: h\r\nConnection: %s\r\n\r\n",
                       v[i].version, v[i].connection);
        assert_int_equal(parse(text, &h), 0);
        assert_int_equal(h.close, v[i].close);
    }
}

static void a_hundred_fields_are_the_most(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(10000);
    vs_buf_puts(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 1; i < VS_HTTP_FIELDS_MAX; i++)
        vs_buf_puts(&b, "a:b\r\n");
    vs_http_head h;
    vs_buf_puts(&b, "\r\n");
    assert_int_equal(vs_http_head_parse(vs_buf_span(&b), &h), 0);
    vs_buf_truncate(&b, b.n - 2);
    vs_buf_puts(&b, "a:b\r\n\r\n");
    assert_int_equal(vs_http_head_parse(vs_buf_span(&b), &h), 431);
}

static void the_end_of_a_head_is_found_however_it_is_cut(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\nbody";
    for (size_t step = 1; step < sizeof text; step++) {
        size_t scan = 0, end = 0;
        bool bad = false;
        for (size_t n = 0; !end && n < sizeof text - 1; n += step)
            end = vs_http_head_end(
                vs_span_of(text, n + step < sizeof text - 1 ? n + step : sizeof text - 1), &scan,
                &bad);
        assert_false(bad);
        assert_int_equal(end, sizeof text - 1 - 4);
    }
    size_t scan = 0;
    bool bad;
    assert_int_equal(vs_http_head_end(VS_LIT("GET / HTTP/1.1\n\n"), &scan, &bad), 0);
    assert_true(bad);
}

/* Feeds `raw` in pieces of `step` bytes; returns the status, the decoded text in *out. */
static int decode(const char *raw, size_t step, size_t limit, vs_buf *buf, size_t *out, bool *done)
{
    vs_http_chunks c = {0};
    size_t left = strlen(raw);
    *out = 0;
    int status = 0;
    for (size_t at = 0; !status && !c.done && left; at += step) {
        size_t take = left < step ? left : step;
        vs_buf_put(buf, vs_span_of(raw + at, take));
        left -= take;
        size_t n = buf->n;
        status = vs_http_chunks_feed(&c, buf->p, out, &n, limit);
        vs_buf_truncate(buf, n);
    }
    *done = c.done;
    vs_buf_puts(buf, raw + strlen(raw) - left);
    return status;
}

static void chunks_join_however_they_arrive(void **state)
{
    (void)state;
    static const char raw[] =
        "4\r\nWiki\r\n5;x=\"y\"\r\npedia\r\n00E\r\n in\r\n\r\nchunks.\r\n0\r\nT: v\r\n\r\nGET /";
    for (size_t step = 1; step < sizeof raw; step++) {
        VS_CLEANUP(vs_buf_free) vs_buf buf = VS_BUF(1000);
        size_t n;
        bool done;
        assert_int_equal(decode(raw, step, 23, &buf, &n, &done), 0);
        assert_true(done);
        assert_span_is(vs_span_head(vs_buf_span(&buf), n), "Wikipedia in\r\n\r\nchunks.");
        assert_span_is(vs_span_from(vs_buf_span(&buf), n), "GET /");
    }
}

static void bad_chunks_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        int status;
    } v[] = {{"\r\n", 400},           {"g\r\n", 400},         {" 1\r\na\r\n", 400},
             {"1 \r\na\r\n", 400},    {"-1\r\n", 400},        {"0x1\r\na", 400},
             {"1\na\r\n", 400},       {"1\r\nab\r\n", 400},   {"1\r\na\n", 400},
             {"1\r\na\r\n\r\n", 400}, {"000000001\r\n", 400}, {"1;\x01\r\n", 400},
             {"1;a\n\r\na", 400},     {"0\r\nA: b\nC", 400},  {"0\r\n\n", 400},
             {"ffffffff\r\n", 413},   {"b\r\n", 413},         {"5\r\nhello\r\n6\r\n", 413}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf buf = VS_BUF(1000);
        size_t n;
        bool done;
        int got = decode(v[i].raw, 1, 10, &buf, &n, &done);
        if (got != v[i].status)
            fail_msg("case %zu gives %d", i, got);
        assert_false(done);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_taken_apart),
        cmocka_unit_test(every_form_of_target_is_known),
        cmocka_unit_test(an_absolute_target_says_which_host_is_meant),
        cmocka_unit_test(what_can_be_read_two_ways_is_refused),
        cmocka_unit_test(connection_rules_follow_the_version),
        cmocka_unit_test(a_hundred_fields_are_the_most),
        cmocka_unit_test(the_end_of_a_head_is_found_however_it_is_cut),
        cmocka_unit_test(chunks_join_however_they_arrive),
        cmocka_unit_test(bad_chunks_are_refused),
    };
    return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
