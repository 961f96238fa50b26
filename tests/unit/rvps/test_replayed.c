/* SPDX-License-Identifier: Apache-2.0 */
/* A signed CoRIM is no secret: what is sent again by anybody but an administrator changes nothing.
 */
#include "endorser.h"

#include "rvps/comids.h"

#define BL       "cca.software-component/BL/digests"
#define M1       "cca.software-component/M1/digests"
#define VALUE(x) "[\"" x "\"]"
#define DAY      (24 * 3600)

/* A signed CoRIM of no profile: its values are plain ones. */
static vs_span plain(const fixture *f, const char *comids)
{
    vs_span m = manifest(vs_sprintf(&arena, "{\"corim-id\":\"p\",\"comids\":[%s]}", comids));
    return signed_by(f, &f->leaf, m);
}

static const char *comid(const char *tag, int version, const char *what, const char *digest)
{
    return vs_sprintf(&arena, COMID("%s", "%d", REFS(VALUES(COMPONENT("%s", "%s")))), tag, version,
                      digest, what); /* in the order of the text */
}

static vs_code replay_at(fixture *f, vs_span in, int64_t now)
{
    err = (vs_error){0};
    return rvps_register(f->r, message("corim", in), now, &err);
}

static void anchored(fixture *f, bool required)
{
    with_options(f, (rvps_options){.anchors = f->anchors, .require_signed = required});
}

static int64_t end_of(fixture *f, const char *name)
{
    rvps_entry e;
    assert_vs_ok(rvps_get(f->r, vs_str(name), NOW, &arena, &e, &err), &err);
    return e.expires;
}

static void a_replay_puts_no_older_value_back(void **state)
{
    fixture *f = *state;
    for (int required = 0; required < 2; required++) {
        const char *id = required ? "r" : "o";
        anchored(f, required);
        vs_span old = plain(f, comid(vs_sprintf(&arena, "%s1", id), 1, "BL", DIGEST_1));
        vs_span new = plain(f, comid(vs_sprintf(&arena, "%s2", id), 1, "BL", DIGEST_2));
        assert_vs_ok(send_by(f, old, ""), &err);
        assert_vs_ok(send_by(f, new, ""), &err);
        assert_vs_ok(send_by(f, old, ""), &err);
        expect(f, BL, VALUE(HEX_2));
        /* Signed anew it is the same statement; nor does the order of the two count. */
        assert_vs_ok(
            send_by(f, plain(f, comid(vs_sprintf(&arena, "%s1", id), 1, "BL", DIGEST_1)), ""),
            &err);
        assert_vs_ok(send_by(f, new, ""), &err);
        assert_vs_ok(send_by(f, old, ""), &err);
        expect(f, BL, VALUE(HEX_2));
        assert_vs_ok(send(f, old), &err); /* an administrator, who may */
        expect(f, BL, VALUE(HEX_1));
        assert_vs_ok(send_by(f, new, ""), &err);
        expect(f, BL, VALUE(HEX_1));
    }
    /* What an administrator has put there by other means stays as well. */
    anchored(f, false);
    vs_span sample = message("sample", VS_LIT("{\"" BL "\":[\"mine\"]}"));
    assert_vs_ok(rvps_register_vouched(f->r, sample, VS_LIT("admin"), NOW, &err), &err);
    assert_vs_ok(send_by(f, plain(f, comid("r2", 1, "BL", DIGEST_2)), ""), &err);
    expect(f, BL, VALUE("mine"));
}

static void a_replay_lengthens_no_life(void **state)
{
    fixture *f = *state;
    anchored(f, false);
    const vs_span messages[] = {plain(f, comid("t", 1, "M1", DIGEST_1)),
                                signed_by(f, &f->leaf, platform_manifest("t", 1, DIGEST_1))};
    static const char *const names[] = {M1, PLATFORM_NAME};
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        assert_vs_ok(replay_at(f, messages[i], NOW), &err);
        assert_true(end_of(f, names[i]) == year_later);
        assert_vs_ok(replay_at(f, messages[i], NOW + 100 * DAY), &err);
        assert_true(end_of(f, names[i]) == year_later);
        expect_at(f, names[i], year_later + 1, "absent");
        assert_vs_ok(rvps_register_vouched(f->r, message("corim", messages[i]), VS_LIT("admin"),
                                           NOW + 100 * DAY, &err),
                     &err);
        assert_true(end_of(f, names[i]) == year_later + 100 * DAY);
    }
    expect_at(f, BL, year_later + 99 * DAY, VALUE(HEX_1));
}

/* Of a message that has something new, only that is news. */
static void what_is_known_beside_something_new_stays(void **state)
{
    fixture *f = *state;
    anchored(f, true);
    const char *t = comid("t", 1, "BL", DIGEST_1);
    assert_vs_ok(send_by(f, plain(f, t), ""), &err);
    assert_vs_ok(send_by(f, plain(f, comid("u", 1, "BL", DIGEST_2)), ""), &err);
    const char *w = comid("w", 1, "M1", DIGEST_1);
    assert_vs_ok(send_by(f, plain(f, vs_sprintf(&arena, "%s,%s", t, w)), ""), &err);
    expect(f, BL, VALUE(HEX_2));
    expect(f, M1, VALUE(HEX_1));
    /* What both give is what the signer says of it now. */
    const char *x = comid("x", 1, "BL", DIGEST_1);
    assert_vs_ok(send_by(f, plain(f, vs_sprintf(&arena, "%s,%s", t, x)), ""), &err);
    expect(f, BL, VALUE(HEX_1));
}

static vs_span two_platforms(const fixture *f, const char *second)
{
    const char *first = COMID("a", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1))));
    return signed_by(f, &f->leaf,
                     manifest(vs_sprintf(&arena, CORIM("c", PLATFORM, "%s,%s"), first, second)));
}

/* Entries of one name, of which one CoMID's goes and another's is known. */
static void a_known_entry_stays_where_another_goes(void **state)
{
    fixture *f = *state;
    anchored(f, true);
    assert_vs_ok(send_by(f, two_platforms(f, comid("b", 1, "BL", DIGEST_2)), ""), &err);
    expect(f, PLATFORM_NAME,
           "[" ENTRY_PLATFORM(HEX_1, "a", "1") "," ENTRY_PLATFORM(HEX_2, "b", "1") "]");
    assert_vs_ok(
        replay_at(f, two_platforms(f, COMID("b", "2", KEYS(KEY_TRIPLE(UEID_B, KEY_B)))), NOW + DAY),
        &err);
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_1, "a", "1") "]");
    assert_int_equal(value_at(f, CPAK_B, NOW).len, 1);
}

/* ---- what it costs, and what a crash leaves -------------------------------------------------- */

static void a_replay_reads_no_values(void **state)
{
    fixture *f = *state;
    vs_buf b = VS_BUF(4 << 20);
    anchored(f, false);
    vs_buf_puts(&b, "{\"corim-id\":\"c\",\"profile\":\"" PLATFORM "\",\"comids\":[");
    for (unsigned i = 0; i < 100; i++)
        vs_buf_printf(&b, "%s" COMID("v%u", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1)))),
                      i ? "," : "", i);
    vs_buf_puts(&b, "]}");
    vs_span text = on_arena(&b);
    vs_span m = manifest(vs_sprintf(&arena, "%.*s", VS_FMT(text)));
    assert_vs_ok(send_by(f, signed_by(f, &f->leaf, m), ""), &err);

    corim_envelope e;
    rvps_signature s;
    assert_vs_ok(corim_open(signed_by(f, &f->leaf, m), &e, &err), &err);
    assert_vs_ok(rvps_anchors_verify(f->anchors, &e, NOW, &arena, &s, &err), &err);
    rvps_records recs = {.a = &arena, .validity = {INT64_MIN, INT64_MAX}};
    const rvps_context x = {.now = NOW};
    rvps_origin o = {.now = NOW,
                     .expires = NOW + 1000,
                     .not_before = INT64_MIN,
                     .provenance = vs_empty(VS_OBJECT),
                     .trusted = true,
                     .by = {s.anchor, s.anchor_name},
                     .may = RVPS_MAY_ALL};
    assert_vs_ok(rvps_extract_corim(&x, m, &recs, &err), &err);
    size_t used[2];
    for (int vouched = 0; vouched < 2; vouched++) {
        vs_arena a;
        vs_store_item *items;
        size_t n;
        vs_arena_init(&a, 0);
        o.vouched = vouched;
        assert_vs_ok(rvps_plan(f->store, &recs, &o, &a, &items, &n, &err), &err);
        used[vouched] = vs_arena_used(&a);
        assert_true(vouched ? n > 200 : n == 0);
        assert_int_equal(recs.items[0].left, !vouched);
        vs_arena_free(&a);
    }
    print_message("# a replay of 100 CoMIDs costs %zu bytes of memory, an administrator's %zu\n",
                  used[0], used[1]);
    assert_true(used[0] < used[1] / 2);
}

/* A store of files puts one after the other: the CoMID is there, and its values are not. */
static void what_a_crash_kept_out_comes_with_the_same_message(void **state)
{
    fixture *f = *state;
    size_t whole = 0;
    anchored(f, true);
    const vs_span in = signed_by(f, &f->leaf, platform_manifest("t", 1, DIGEST_1));
    assert_vs_ok(send_by(f, in, ""), &err);
    assert_vs_ok(vs_store_delete(f->store, RVPS_NAMESPACE, VS_LIT(BL), &err), &err);
    assert_vs_ok(vs_store_delete(f->store, RVPS_NAMESPACE, VS_LIT(PLATFORM_NAME), &err), &err);
    const stored_keys all = keys_in(f, RVPS_COMIDS);
    for (size_t i = 0; i < all.n; i++)
        if (vs_span_starts(all.of[i], VS_LIT("whole-"))) {
            assert_vs_ok(vs_store_delete(f->store, RVPS_COMIDS, all.of[i], &err), &err);
            whole++;
        }
    assert_int_equal(whole, 1);
    assert_vs_ok(send_by(f, in, ""), &err);
    expect(f, BL, VALUE(HEX_1));
    expect(f, PLATFORM_NAME, "[" ENTRY_PLATFORM(HEX_1, "t", "1") "]");
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_fixture(a_replay_puts_no_older_value_back),
        with_fixture(a_replay_lengthens_no_life),
        with_fixture(what_is_known_beside_something_new_stays),
        with_fixture(a_known_entry_stays_where_another_goes),
        with_fixture(a_replay_reads_no_values),
        with_fixture(what_a_crash_kept_out_comes_with_the_same_message),
    };
    return cmocka_run_group_tests_name("replayed", tests, NULL, NULL);
}
