/* SPDX-License-Identifier: Apache-2.0 */
/* Event logs: the vectors, then what a guest could send to get past or bring down the verifier. */
#include "crypto/helpers.h"

#include "tee/eventlog/eventlog.h"

/* ---- making logs ----------------------------------------------------------------------------- */

static void le(vs_buf *b, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        vs_buf_putc(b, (char)(i < 8 ? v >> 8 * i : 0));
}

/* The header event, announcing SHA-384 and SM3 (and SHA-1, RSA). */
static void header(vs_buf *b)
{
    le(b, 0, 4);
    le(b, 3, 4);
    le(b, 0, 20);
    le(b, 24 + 4 + 4 * 4 + 1 + 2, 4);
    vs_buf_put(b, vs_span_of("Spec ID Event03", 16));
    le(b, 0, 8);
    le(b, 4, 4);
    le(b, 48 << 16 | 0x0c, 4);
    le(b, 32 << 16 | 0x12, 4);
    le(b, 20 << 16 | 0x04, 4);
    le(b, 5 << 16 | 0x01, 4);
    vs_buf_put(b, vs_span_of("\2ab", 3));
}

/* An event with the right SHA-384 digest. */
static void event(vs_buf *b, uint32_t index, uint32_t type, vs_span data)
{
    uint8_t h[VS_HASH_MAX];
    assert_vs_ok(vs_digest(VS_SHA384, data, nothing, nothing, h, &err), &err);
    le(b, index, 4);
    le(b, type, 4);
    le(b, 1, 4);
    le(b, 0x0c, 2);
    vs_buf_put(b, vs_span_of(h, 48));
    le(b, data.n, 4);
    vs_buf_put(b, data);
}

static vs_val value_of(vs_span in)
{
    eventlog log;
    vs_val v;
    assert_vs_ok(eventlog_parse(&arena, in, &log, &err), &err);
    assert_vs_ok(eventlog_value(&arena, &log, &v, &err), &err);
    return v;
}

static vs_code parse(vs_span in)
{
    eventlog log;
    return eventlog_parse(&arena, in, &log, &err);
}

static vs_code details(uint32_t type, vs_span data, vs_val *out)
{
    eventlog_event e = {.type = type, .data = data};
    return eventlog_details(&arena, &e, out, &err);
}

static void expect_json(vs_val v, const char *want)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    vs_json_print(&b, v);
    assert_span_is(vs_buf_span(&b), want);
}

static void expect_details(uint32_t type, vs_span data, const char *want)
{
    vs_val v;
    assert_vs_ok(details(type, data, &v), &err);
    expect_json(v, want);
}

static void refuse_details(uint32_t type, vs_span data)
{
    vs_val v;
    assert_true(details(type, data, &v) != VS_OK);
}

/* ---- vectors --------------------------------------------------------------------------------- */

typedef struct vector {
    const char *file;
    size_t events;
    const char *registers[4];
} vector;

#define ZEROS48                                                                                    \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
    "0"                                                                                            \
    "000"
#define ZEROS36 "000000000000000000000000000000000000000000000000000000000000000000000000"
static const vector vectors[] = {
    {"CCEL_data_ovmf",
     20,
     {"8566f998798db09443b244c62de9a3041fb02e2e6936c4396d784bba2e90177329ec5aba3bb484404f2ab9cc90ab"
      "e"
      "193",
      "775b9f6bfe99f8a31396f0d0218e67ffa796d3b96ccf961cbb0deba48c79c00f082cda1a5567c1c16305f1fc210c"
      "1"
      "3c6",
      "94eaf7a7bf398ed8d888c91057ae0261802e4f3df084213a76ca7f0b5055ac9d2241de43cd58d9e8b49c503bbf25"
      "f"
      "34a",
      ZEROS48}},
    {"CCEL_data_grub",
     37,
     {"cec0a104f691f60da2387fea3c2de00c4ac035e2bb479ff02edcce69039d9e9907f0b3e55031da3dc7038f423ade"
      "b"
      "d79",
      "6c289e0c62182d41ebe97bdbc9872d10998a08eaa86adcdc684001a363207ee72942c7522cdf00a4bbc3d784bed7"
      "b"
      "670",
      "08919d017ba0e52cd6d966351c7de16fe76c1d3d3d3da4554239e4c7d16cb8b82a94e7eaea3a0e6e18eb690b999f"
      "d"
      "31e",
      ZEROS48}},
    {"CCEL_AAEL_alibabacloud",
     87,
     {"b796e1c11396c198ae88794def4cb8e24fa9b35468287c298087f00d4de7433e4e31a297a4e5a03d4300fa6f3a96"
      "d"
      "47c",
      "3b0b906140fcea689c8774ac1eafcf0fef8e22ba81a047fd750ebd7df3235c2704df6106a758e31e5645e9838ff3"
      "7"
      "406",
      "35f2801338c1b5fce96518f058c37e0fe9ed247a12dcd5f50d9c18fe4b6c71311bb63fca2640c7915817b6aa412a"
      "8"
      "480",
      "5e4ecd49d3c7983d6f9ca36755b5cee0b423d7fa8c5a88aeb0681bd4698772bc37b4463dc5f722efe352a6641725"
      "7"
      "dad"}},
};

static void a_vector(const vector *v)
{
    eventlog log;
    eventlog_register regs[4];
    vs_val got;
    vs_span in = shared_file(vs_sprintf(&arena, "data/eventlog/%s", v->file));
    assert_true(eventlog_looks_like(in));
    assert_vs_ok(eventlog_parse(&arena, in, &log, &err), &err);
    assert_int_equal(log.n, v->events);
    for (uint32_t i = 0; i < 4; i++)
        regs[i] = (eventlog_register){i + 1, "RTMR", hex(v->registers[i])};
    assert_vs_ok(eventlog_match(&log, VS_SHA384, regs, 4, &err), &err);
    assert_vs_ok(eventlog_value(&arena, &log, &got, &err), &err);
    vs_val want = vs_getc(shared_json(vs_sprintf(&arena, "data/eventlog/%s_out.json", v->file)),
                          "uefi_event_logs");
    assert_int_equal(got.len, want.len);
    for (uint32_t i = 0; i < got.len; i++)
        if (!vs_eq(got.u.items[i], want.u.items[i])) {
            vs_buf b = VS_BUF(1 << 20);
            vs_json_print(&b, got.u.items[i]);
            vs_buf_puts(&b, "\nwant\n");
            vs_json_print(&b, want.u.items[i]);
            fail_msg("%s, event %u: %.*s", v->file, i, VS_FMT(vs_buf_span(&b)));
        }
}

static void the_vectors_give_the_stated_events_and_registers(void **state)
{
    (void)state;
    need_shared("data/eventlog/CCEL_data_ovmf");
    for (size_t i = 0; i < VS_COUNT(vectors); i++)
        a_vector(&vectors[i]);
}

/* ---- replay ---------------------------------------------------------------------------------- */

static void a_register_without_events_is_zero_and_one_that_differs_is_named(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(4096);
    eventlog log;
    char text[VS_ERROR_TEXT];
    header(&b);
    event(&b, 2, 4, VS_LIT("a"));
    event(&b, 2, 3, VS_LIT("b")); /* EV_NO_ACTION is extended where it has a digest */
    assert_vs_ok(eventlog_parse(&arena, vs_buf_span(&b), &log, &err), &err);
    uint8_t want[VS_HASH_MAX] = {0}, h[VS_HASH_MAX], got[VS_HASH_MAX];
    for (const char *p = "ab"; *p; p++) {
        assert_vs_ok(vs_digest(VS_SHA384, vs_span_of(p, 1), nothing, nothing, h, &err), &err);
        assert_vs_ok(
            vs_digest(VS_SHA384, vs_span_of(want, 48), vs_span_of(h, 48), nothing, want, &err),
            &err);
    }
    assert_vs_ok(eventlog_replay(&log, VS_SHA384, 2, got, &err), &err);
    assert_memory_equal(got, want, 48);
    eventlog_register regs[] = {{1, "RTMR0", hex(ZEROS48)}, {2, "RTMR1", vs_span_of(want, 48)}};
    assert_vs_ok(eventlog_match(&log, VS_SHA384, regs, 2, &err), &err);
    want[47] ^= 1;
    assert_vs_code(eventlog_match(&log, VS_SHA384, regs, 2, &err), VS_E_MISMATCH);
    assert_non_null(strstr(vs_error_text(&err, text, sizeof text), "RTMR1"));
    regs[1].value.n = 47; /* a shorter register is another register */
    want[47] ^= 1;
    assert_vs_code(eventlog_match(&log, VS_SHA384, regs, 2, &err), VS_E_MISMATCH);
    /* Another algorithm's register has had nothing. */
    assert_vs_ok(eventlog_replay(&log, VS_SM3, 2, got, &err), &err);
    assert_span_eq(vs_span_of(got, 32), vs_span_head(hex(ZEROS48), 32));
    vs_buf_free(&b);
}

/* A guest may add what it likes to its log. What it does not extend a register with must not look
 * like evidence: an event without a digest, with one of another algorithm, of another register. */
static void an_event_that_no_register_covers_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t index, type, digests;
        bool ok;
    } cases[] = {{1, 6, 0, false}, {1, 6, 1, false}, {5, 4, 0, false},
                 {0, 4, 0, true},  {1, 3, 0, true},  {1, 3, 1, true}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_buf b = VS_BUF(4096);
        eventlog log;
        vs_val v;
        uint8_t h[VS_HASH_MAX];
        header(&b);
        le(&b, cases[i].index, 4);
        le(&b, cases[i].type, 4);
        le(&b, cases[i].digests, 4);
        vs_span data = VS_LIT("LEAA\x05\0\0\0a b c");
        if (cases[i].digests) {
            assert_vs_ok(vs_digest(VS_SM3, data, nothing, nothing, h, &err), &err);
            le(&b, 0x12, 2);
            vs_buf_put(&b, vs_span_of(h, 32));
        }
        le(&b, data.n, 4);
        vs_buf_put(&b, data);
        assert_vs_ok(eventlog_parse(&arena, vs_buf_span(&b), &log, &err), &err);
        eventlog_register regs[] = {{1, "RTMR0", hex(ZEROS48)}, {2, "RTMR1", hex(ZEROS48)}};
        assert_vs_code(eventlog_match(&log, VS_SHA384, regs, 2, &err),
                       cases[i].ok ? VS_OK : VS_E_MISMATCH);
        assert_vs_ok(eventlog_value(&arena, &log, &v, &err), &err);
        assert_int_equal(vs_is_true(vs_getc(v.u.items[0], "digest_matches_event")),
                         cases[i].digests);
        vs_buf_free(&b);
    }
}

static void sm3_is_replayed_as_hygon_does(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(4096);
    eventlog log;
    header(&b);
    uint8_t h[VS_HASH_MAX], want[VS_HASH_MAX], got[VS_HASH_MAX];
    assert_vs_ok(vs_digest(VS_SM3, VS_LIT("abc"), nothing, nothing, h, &err), &err);
    assert_span_eq(vs_span_of(h, 32),
                   hex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"));
    le(&b, 4, 4);
    le(&b, 4, 4);
    le(&b, 1, 4);
    le(&b, 0x12, 2);
    vs_buf_put(&b, vs_span_of(h, 32));
    le(&b, 3, 4);
    vs_buf_puts(&b, "abc");
    assert_vs_ok(eventlog_parse(&arena, vs_buf_span(&b), &log, &err), &err);
    uint8_t zero[32] = {0};
    assert_vs_ok(vs_digest(VS_SM3, vs_span_of(zero, 32), vs_span_of(h, 32), nothing, want, &err),
                 &err);
    assert_vs_ok(eventlog_replay(&log, VS_SM3, 4, got, &err), &err);
    assert_memory_equal(got, want, 32);
    expect_json(value_of(vs_buf_span(&b)),
                "[{\"details\":{},\"digest_matches_event\":true,\"digests\":[{\"alg\":\"SM3\","
                "\"digest\":"
                "\"66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0\"}],"
                "\"event\":\"YWJj\",\"index\":4,\"type_name\":\"EV_SEPARATOR\"}]");
    vs_buf_free(&b);
}

/* ---- the binary form ------------------------------------------------------------------------- */

static void the_log_of_an_agent_without_a_firmware_log_is_read(void **state)
{
    (void)state;
    vs_span in =
        hex("00000000030000000000000000000000000000000000000000000000250000000000000000000000"
            "00000000000000000000000000000000020000000c0030001200200000"
            "ffffffffffffffff");
    eventlog log;
    assert_vs_ok(eventlog_parse(&arena, in, &log, &err), &err);
    assert_int_equal(log.n, 0);
    expect_json(value_of(in), "[]");
}

static void what_is_behind_the_end_mark_is_not_read(void **state)
{
    (void)state;
    for (int mark = 0; mark < 2; mark++) {
        vs_buf b = VS_BUF(4096);
        eventlog log;
        header(&b);
        event(&b, 1, 4, VS_LIT("a"));
        le(&b, mark ? UINT64_MAX : 0, 8);
        vs_buf_puts(&b, "garbage");
        assert_vs_ok(eventlog_parse(&arena, vs_buf_span(&b), &log, &err), &err);
        assert_int_equal(log.n, 1);
        vs_buf_free(&b);
    }
}

/* A prefix is a log only where an event ends; so nobody can cut a log in the middle of one. */
static void every_truncation_is_refused_but_at_events(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(4096);
    size_t ends[3], n = 0;
    header(&b);
    ends[n++] = b.n;
    event(&b, 1, 4, VS_LIT("abcd"));
    ends[n++] = b.n;
    event(&b, 2, 0x80000007, VS_LIT("Calling EFI Application"));
    ends[n++] = b.n;
    for (size_t cut = 0; cut <= b.n; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, b.p, cut);
        bool whole = false;
        for (size_t i = 0; i < n; i++)
            whole = whole || ends[i] == cut;
        assert_int_equal(parse(vs_span_of(copy, cut)) == VS_OK, whole);
        free(copy);
    }
    vs_buf_free(&b);
}

/* Sets a little-endian field of a good log to a value and expects a refusal that says why. */
static void refuse_field(size_t at, unsigned bytes, uint64_t v)
{
    vs_buf b = VS_BUF(4096);
    header(&b);
    event(&b, 1, 4, VS_LIT("abcd"));
    for (unsigned i = 0; i < bytes; i++)
        b.p[at + i] = (uint8_t)(v >> 8 * i);
    err = (vs_error){0};
    if (parse(vs_buf_span(&b)) == VS_OK)
        fail_msg("byte %zu: %llx is accepted", at, (unsigned long long)v);
    assert_non_null(vs_error_at(&err, 0));
    vs_buf_free(&b);
}

static void every_length_is_checked_at_its_extremes(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        unsigned bytes;
    } fields[] = {
        {28, 4},          /* size of the header event */
        {56, 4},          /* number of algorithms */
        {62, 2},          /* digest size of SHA-384 */
        {66, 2},          /* of SM3 */
        {76, 1},          /* vendor information */
        {79 + 8, 4},      /* number of digests */
        {79 + 14 + 48, 4} /* size of the event */
    };
    for (size_t i = 0; i < VS_COUNT(fields); i++) {
        uint64_t max = fields[i].bytes == 4 ? UINT32_MAX : fields[i].bytes == 2 ? 0xffff : 0xff;
        uint64_t values[] = {max, max - 1, max / 2, max / 2 + 1, 0xff};
        for (size_t v = 0; v < VS_COUNT(values); v++)
            refuse_field(fields[i].at, fields[i].bytes, values[v]);
    }
    refuse_field(28, 4, 0);  /* nothing in the header event */
    refuse_field(28, 4, 46); /* a byte less than its parts */
    refuse_field(28, 4, 48); /* a byte more */
    refuse_field(56, 4, 0);  /* no algorithm, so bytes remain */
    refuse_field(56, 4, 17); /* more than there can be */
    refuse_field(62, 2, 0);  /* no digest of SHA-384 has these sizes */
    refuse_field(62, 2, 47);
    refuse_field(64, 2, 0x0c);     /* SHA-384 twice */
    refuse_field(79 + 4, 4, 0x13); /* no such event type */
    refuse_field(79 + 4, 4, 0x80000011);
    refuse_field(79 + 8, 4, 0); /* no digest: what follows is read as the size */
    refuse_field(79 + 8, 4, 2);
    refuse_field(79 + 12, 2, 0x0b);   /* SHA-256: not announced */
    refuse_field(79 + 12, 2, 0x27);   /* not known */
    refuse_field(79 + 14 + 48, 4, 3); /* fewer than 8 bytes remain */
    refuse_field(4, 4, 4);            /* the first event is not the header */
}

static void two_digests_of_one_algorithm_are_refused(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(4096);
    header(&b);
    le(&b, 1, 4);
    le(&b, 4, 4);
    le(&b, 2, 4);
    for (int i = 0; i < 2; i++) {
        le(&b, 0x0c, 2);
        vs_buf_put(&b, hex(ZEROS48));
    }
    le(&b, 0, 4);
    assert_vs_code(parse(vs_buf_span(&b)), VS_E_INVALID);
    vs_buf_free(&b);
}

static void a_sha1_or_rsa_digest_is_not_shown_to_policies(void **state)
{
    (void)state;
    for (int rsa = 0; rsa < 2; rsa++) {
        vs_buf b = VS_BUF(4096);
        eventlog log;
        vs_val v;
        header(&b);
        le(&b, 1, 4);
        le(&b, 4, 4);
        le(&b, 1, 4);
        le(&b, rsa ? 1 : 4, 2);
        vs_buf_put(&b, vs_span_head(hex(ZEROS48), rsa ? 5 : 20));
        le(&b, 0, 4);
        assert_vs_ok(eventlog_parse(&arena, vs_buf_span(&b), &log, &err), &err);
        assert_vs_code(eventlog_value(&arena, &log, &v, &err), VS_E_UNSUPPORTED);
        vs_buf_free(&b);
    }
}

static void a_log_is_bounded(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(EVENTLOG_SIZE_MAX + 4096);
    header(&b);
    for (size_t i = 0; i <= EVENTLOG_EVENTS_MAX; i++) { /* the smallest events there can be */
        le(&b, 1, 4);
        le(&b, 4, 4);
        le(&b, 0, 8);
    }
    assert_vs_code(parse(vs_buf_span(&b)), VS_E_LIMIT);
    while (b.n <= EVENTLOG_SIZE_MAX)
        vs_buf_puts(&b, "xxxxxxxxxxxxxxxx");
    assert_vs_code(parse(vs_buf_span(&b)), VS_E_LIMIT);
    vs_buf_free(&b);
}

static void every_failed_allocation_is_an_error(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(1 << 16);
    header(&b);
    for (int i = 0; i < 40; i++)
        event(&b, 4, 6, hex("4c45414109000000642070207b2278223a317d"));
    for (size_t cap = 1 << 12; cap < 1 << 17; cap += 1 << 10) {
        vs_arena small;
        eventlog log;
        vs_val v = vs_undefined();
        vs_arena_init(&small, cap);
        vs_code code = eventlog_parse(&small, vs_buf_span(&b), &log, NULL);
        if (code == VS_OK)
            code = eventlog_value(&small, &log, &v, NULL);
        assert_true(code == VS_E_NOMEM || (code == VS_OK && v.len == 40));
        vs_arena_free(&small);
    }
    vs_buf_free(&b);
}

/* ---- details --------------------------------------------------------------------------------- */

static void texts_are_shown_by_the_rules_of_their_type(void **state)
{
    (void)state;
    static const uint32_t text[] = {1, 5, 0xc, 0x12, 0x80000007};
    for (size_t i = 0; i < VS_COUNT(text); i++) {
        expect_details(text[i], VS_LIT("Exit \xc3\xa9"), "{\"string\":\"Exit \xc3\xa9\"}");
        expect_details(text[i], VS_LIT(""), "{\"string\":\"\"}");
        refuse_details(text[i], VS_LIT("\xff"));
    }
    expect_details(0xa,
                   VS_LIT("a\x10"
                          "b\0\x7f\xc2\x85\n"),
                   "{\"string\":\"a b\"}");
    expect_details(0xa, VS_LIT("\xff"), "{\"string\":\"\"}");
    expect_details(0xd, VS_LIT("kernel /x\0rest"), "{\"string\":\"kernel /x\"}");
    expect_details(0xd, VS_LIT("\xff\xfe\0"), "{\"string\":\"fffe00\"}");
    expect_details(0xd, VS_LIT(".\0a\0\x3d\xd8\x00\xde\0\0"), "{\"string\":\"a\xf0\x9f\x98\x80\"}");
    expect_details(0xd, VS_LIT(".\0\0\xd8\0\0"), "{\"string\":\"\xef\xbf\xbd\"}");
    expect_details(0xd, VS_LIT(".\0"), "{\"string\":\"\"}"); /* crashed elsewhere */
    expect_details(0xd, VS_LIT(".\0\0"), "{\"string\":\"\"}");
    refuse_details(0xd, VS_LIT("a"));
    refuse_details(0xd, VS_LIT(""));
    expect_details(4, VS_LIT("\xff"), "{}");
    expect_details(0x80000006, VS_LIT(""), "{}");
}

static void descriptions_lose_their_last_byte_and_need_a_length(void **state)
{
    (void)state;
    for (uint32_t type = 0x8000000a; type <= 0x8000000b; type++) {
        expect_details(type,
                       VS_LIT("\x04"
                              "abc\0xyz"),
                       "{\"string\":\"abc\"}");
        expect_details(type, VS_LIT("\x01"), "{\"string\":\"\"}");
        refuse_details(type, VS_LIT("\0abc")); /* crashed elsewhere */
        refuse_details(type, VS_LIT("\x05"
                                    "abc"));
        refuse_details(type, VS_LIT(""));
    }
}

static void tagged_events_and_those_of_the_attestation_agent(void **state)
{
    (void)state;
    expect_details(6,
                   VS_LIT("\1\2\3\4\x05\0\0\0a\0\xff"
                          "b\0zz"),
                   "{\"string\":\"a\xef\xbf\xbd"
                   "b\"}");
    expect_details(6, VS_LIT("LEAA\x0c\0\0\0d op {\"a\":1}"),
                   "{\"data\":{\"content\":{\"a\":1},\"domain\":\"d\",\"operation\":\"op\"},"
                   "\"string\":\"d op {\\\"a\\\":1}\",\"unicode_name\":\"AAEL\"}");
    expect_details(6, VS_LIT("LEAA\x0c\0\0\0d op two words"),
                   "{\"data\":{\"content\":\"two wor\",\"domain\":\"d\",\"operation\":\"op\"},"
                   "\"string\":\"d op two wor\",\"unicode_name\":\"AAEL\"}");
    expect_details(6, VS_LIT("LEAA\x05\0\0\0d op "),
                   "{\"data\":{\"content\":\"\",\"domain\":\"d\",\"operation\":\"op\"},"
                   "\"string\":\"d op \",\"unicode_name\":\"AAEL\"}");
    refuse_details(6, VS_LIT("LEAA\x04\0\0\0d op"));
    refuse_details(6, VS_LIT("LEAA\x01\0\0\0d"));
    refuse_details(6, VS_LIT("LEAA\0\0\0\0"));
    refuse_details(6, VS_LIT("LEAA\xff\xff\xff\xff"));
    refuse_details(6, VS_LIT("LEAA\0\0\0"));
}

/* Content that nests deeper than any policy input may is a string, and never a crash. */
static void deep_content_of_an_agents_event_is_a_string(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(1 << 20);
    vs_val v;
    le(&b, EVENTLOG_AAEL_TAG, 4);
    le(&b, 4 + 100000, 4);
    vs_buf_puts(&b, "d o ");
    for (int i = 0; i < 100000; i++)
        vs_buf_putc(&b, '[');
    assert_vs_ok(details(6, vs_buf_span(&b), &v), &err);
    assert_int_equal(vs_getc(vs_getc(v, "data"), "content").kind, VS_STRING);
    vs_buf_free(&b);
}

static void variables(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(4096);
    vs_buf_put(&b, hex("61dfe48bca93d211aa0d00e098032b8c"));
    le(&b, 2, 8);
    le(&b, 3, 8);
    vs_buf_put(&b, vs_span_of("d\0b\0xyz", 7));
    static const uint32_t all[] = {0x80000001, 0x80000002, 0x8000000c, 0x800000e0};
    for (size_t i = 0; i < VS_COUNT(all); i++)
        expect_details(all[i], vs_buf_span(&b),
                       "{\"unicode_name\":\"db\",\"unicode_name_length\":2,\"variable_data\":"
                       "\"eHl6\",\"variable_data_length\":3,\"variable_name\":"
                       "\"61dfe48b-ca93-d211-aa0d-00e098032b8c\"}");
    for (size_t cut = 0; cut < b.n; cut++)
        refuse_details(0x80000001, vs_span_of(b.p, cut));
    static const uint64_t sizes[] = {4, 39, 1ull << 31, 1ull << 63, UINT64_MAX, UINT64_MAX / 2 + 2};
    for (size_t at = 16; at <= 24; at += 8)
        for (size_t i = 0; i < VS_COUNT(sizes); i++) {
            uint8_t copy[64];
            memcpy(copy, b.p, b.n);
            for (unsigned k = 0; k < 8; k++)
                copy[at + k] = (uint8_t)(sizes[i] >> 8 * k);
            refuse_details(0x80000001, vs_span_of(copy, b.n));
        }
    vs_buf_free(&b);
}

/* ---- device paths ---------------------------------------------------------------------------- */

static void expect_path(const char *nodes, const char *want)
{
    vs_val v;
    assert_vs_ok(eventlog_device_paths(&arena, hex(nodes), &v, &err), &err);
    assert_int_equal(v.len, 1);
    assert_span_is(vs_text(v.u.items[0]), want);
}

static void device_path_nodes_have_the_texts_of_the_specification(void **state)
{
    (void)state;
    expect_path("010106000203", "Pci(2,3)");
    expect_path("02010c00d041030a01000000", "ACPI(PNP0A03,1)");
    expect_path("030506000102", "USB(1,2)");
    expect_path("030b2500525400123456"
                "000000000000000000000000000000000000000000000000000001",
                "Mac(525400123456,0x1)");
    expect_path("030c1300c0a80001c0a80002000000000600"
                "01",
                "IPv4(192.168.0.2,TCP,Static,192.168.0.1)");
    expect_path("030c1b00c0a80001c0a800020000000011000001020304"
                "ffffff00",
                "IPv4(192.168.0.2,UDP,DHCP,192.168.0.1,67305985,16777215)");
    expect_path("031518000000000001020304050607080000000000000009",
                "FibreEx(0x0102030405060708,0x0000000000000009)");
    expect_path("04012a000f000000002800000000000000500300000000005e27f1007553d5439eb5de2add4c9932"
                "0202",
                "HD(15,GPT,00F1275E-5375-43D5-9EB5-DE2ADD4C9932,0x2800,0x35000)");
    expect_path("04012a0000000000002800000000000000500300000000007856341200000000000000000000000001"
                "01",
                "HD(0,MBR,0x12345678)");
    expect_path("0403160072f728144ab61e44b8c39ebdd7f893c7abcd",
                "VenMedia(1428F772-B64A-441E-B8C3-9EBDD7F893C7,abcd)");
    expect_path("040412006b00650072006e0065006c000000", "File(kernel)");
    expect_path("05010c00020001006162630"
                "0",
                "BBS(HARD_DRIVE,abc,1)");
    expect_path("050109000700000061", "BBS(7,a,0)");
    expect_path("03170800aabbccdd", "Path(3,23,aabbccdd)");
    expect_path("7f010400", "Path(127,1,)");
}

static void nodes_too_short_for_their_kind_are_shown_by_number(void **state)
{
    (void)state;
    expect_path("0101050002", "Path(1,1,02)");
    expect_path("02010b00d041030a010000", "Path(2,1,d041030a010000)");
    expect_path("04012900" ZEROS36 "01", "Path(4,1," ZEROS36 "01)"); /* crashed elsewhere */
    expect_path("040313000102030405060708090a0b0c0d0e0f",
                "Path(4,3,0102030405060708090a0b0c0d0e0f)");
    expect_path("050106000100", "Path(5,1,0100)");
    expect_path("04040400", "File()");
}

static void a_node_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"01",       "0101",       "010106",
                                      "01010600", "0101060001", "01010000",
                                      "01010300", "0101ffff",   "01010600020301"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_val v;
        assert_true(eventlog_device_paths(&arena, hex(bad[i]), &v, &err) != VS_OK);
    }
}

/* Ten thousand nodes: each took a stack frame elsewhere. */
static void many_nodes_need_no_stack(void **state)
{
    (void)state;
    vs_buf b = VS_BUF(1 << 20);
    vs_val v;
    for (int i = 0; i < 100000; i++)
        vs_buf_put(&b, vs_span_of("\x7f\x01\x04\0", 4));
    assert_vs_ok(eventlog_device_paths(&arena, vs_buf_span(&b), &v, &err), &err);
    assert_int_equal(v.len, 100000);
    vs_buf_free(&b);
}

static void image_load_events(void **state)
{
    (void)state;
    static const char head[24];
    for (uint64_t n = 0; n < 12; n++) {
        vs_buf b = VS_BUF(100);
        vs_buf_put(&b, vs_span_of(head, 24));
        le(&b, n, 8);
        vs_buf_put(&b, hex("0101060002037fff0400"));
        if (n == 0)
            expect_details(0x80000003, vs_buf_span(&b), "{}");
        else if (n == 4)
            expect_details(0x80000003, vs_buf_span(&b), "{\"device_paths\":[]}");
        else if (n == 10)
            expect_details(0x80000003, vs_buf_span(&b), "{\"device_paths\":[\"Pci(2,3)\"]}");
        else
            refuse_details(0x80000003, vs_buf_span(&b)); /* 1 to 3 crashed elsewhere */
        vs_buf_free(&b);
    }
    refuse_details(0x80000003, vs_span_of(head, 24));
}

static void text_that_is_not_valid_is_replaced_part_by_part(void **state)
{
    (void)state;
    /* The example of Unicode 15, table 3-8, and its neighbours. */
    assert_span_is(eventlog_utf8(&arena, VS_LIT("a\xf1\x80\x80\xe1\x80\xc2"
                                                "b")),
                   "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                   "b");
    assert_span_is(eventlog_utf8(&arena, VS_LIT("\xed\xa0\x80")),
                   "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_span_is(eventlog_utf8(&arena, VS_LIT("\xc0\xaf\xf4\x90")),
                   "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_span_is(eventlog_utf8(&arena, VS_LIT("\xe2\x82\xac\xe2\x82")),
                   "\xe2\x82\xac\xef\xbf\xbd");
    assert_span_is(eventlog_utf16(&arena, vs_span_of("a\0\0\xdc"
                                                     "b",
                                                     5)),
                   "a\xef\xbf\xbd");
    assert_span_is(eventlog_utf16(&arena, vs_span_of("\0\xd8"
                                                     "b\0",
                                                     4)),
                   "\xef\xbf\xbd"
                   "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_arena(the_vectors_give_the_stated_events_and_registers),
        in_arena(a_register_without_events_is_zero_and_one_that_differs_is_named),
        in_arena(an_event_that_no_register_covers_is_refused),
        in_arena(sm3_is_replayed_as_hygon_does),
        in_arena(the_log_of_an_agent_without_a_firmware_log_is_read),
        in_arena(what_is_behind_the_end_mark_is_not_read),
        in_arena(every_truncation_is_refused_but_at_events),
        in_arena(every_length_is_checked_at_its_extremes),
        in_arena(two_digests_of_one_algorithm_are_refused),
        in_arena(a_sha1_or_rsa_digest_is_not_shown_to_policies),
        in_arena(a_log_is_bounded),
        in_arena(every_failed_allocation_is_an_error),
        in_arena(texts_are_shown_by_the_rules_of_their_type),
        in_arena(descriptions_lose_their_last_byte_and_need_a_length),
        in_arena(tagged_events_and_those_of_the_attestation_agent),
        in_arena(deep_content_of_an_agents_event_is_a_string),
        in_arena(variables),
        in_arena(device_path_nodes_have_the_texts_of_the_specification),
        in_arena(nodes_too_short_for_their_kind_are_shown_by_number),
        in_arena(a_node_that_does_not_fit_is_refused),
        in_arena(many_nodes_need_no_stack),
        in_arena(image_load_events),
        in_arena(text_that_is_not_valid_is_replaced_part_by_part),
    };
    return cmocka_run_group_tests_name("eventlog", tests, NULL, NULL);
}
