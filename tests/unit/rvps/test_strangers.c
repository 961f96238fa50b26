/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may fill, and that it is nobody else's room. */
#include "endorser.h"

#include "rvps/comids.h"
#include "rvps/strangers.h"

static vs_code stranger_sends(fixture *f, const char *tag, int version)
{
    return send_by(f, platform_manifest(tag, version, DIGEST_1), "");
}

/* One CoRIM of CoMIDs <prefix>0 ... that all endorse the same platform. */
static vs_span crowd(const char *prefix, unsigned n)
{
    vs_buf b = VS_BUF(4 << 20);
    vs_buf_puts(&b, "{\"corim-id\":\"c\",\"profile\":\"" PLATFORM "\",\"comids\":[");
    for (unsigned i = 0; i < n; i++)
        vs_buf_printf(&b, "%s" COMID("%s%u", "1", REFS(VALUES(COMPONENT("BL", DIGEST_1)))),
                      i ? "," : "", prefix, i);
    vs_buf_puts(&b, "]}");
    vs_span text = on_arena(&b);
    return manifest(vs_sprintf(&arena, "%.*s", VS_FMT(text)));
}

static void strangers_fill_their_own_room_only(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors});
    assert_vs_ok(send_by(f, crowd("s", STRANGERS_ENTRIES_MAX), ""), &err);
    assert_vs_code(stranger_sends(f, "one-more", 1), VS_E_LIMIT);
    expect_reason("33 entries of CoMIDs that nobody vouches for, at most 32");
    expect_reason("trust anchor");
    assert_vs_ok(stranger_sends(f, "s7", 2), &err); /* its own place */
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW).len, STRANGERS_ENTRIES_MAX);
    /* Whoever is vouched for finds all of the room that there is for them. */
    vs_span many = signed_by(f, &f->leaf, crowd("v", RVPS_ENTRIES_MAX));
    assert_vs_ok(send_by(f, many, ""), &err);
    vs_val all = value_at(f, PLATFORM_NAME, NOW);
    assert_int_equal(all.len, STRANGERS_ENTRIES_MAX + RVPS_ENTRIES_MAX);
    unsigned theirs = 0;
    for (VS_ARR_FOR (entry, all))
        theirs += vs_defined(vs_getc(*entry, "vouched"));
    assert_int_equal(theirs, STRANGERS_ENTRIES_MAX);
    assert_vs_code(send(f, platform_manifest("w", 1, DIGEST_1)), VS_E_LIMIT);
    expect_reason("1025 entries of different CoMIDs, at most 1024");
    expect_reason("delete the value");
    /* And that room being full does not keep strangers out of theirs. */
    assert_vs_ok(stranger_sends(f, "s8", 2), &err);
}

/* Those of before there were marks, too: that nobody vouched for their CoMIDs is known. */
static void strangers_without_a_mark_fill_no_room_of_others(void **state)
{
    fixture *f = *state;
    with_options(f, (rvps_options){.anchors = f->anchors});
    assert_vs_ok(send_by(f, crowd("s", STRANGERS_ENTRIES_MAX), ""), &err);
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4 << 20);
    vs_buf old = VS_BUF(4 << 20);
    assert_vs_ok(vs_store_get(f->store, RVPS_NAMESPACE, VS_LIT(PLATFORM_NAME), 0, &text, &err),
                 &err);
    static const char mark[] = ",\"vouched\":false";
    const char *s = vs_sprintf(&arena, "%.*s", VS_FMT(vs_buf_span(&text)));
    size_t n = 0;
    for (const char *at; (at = strstr(s, mark)); s = at + strlen(mark), n++)
        vs_buf_put(&old, vs_span_of(s, (size_t)(at - s)));
    vs_buf_puts(&old, s);
    assert_int_equal(n, STRANGERS_ENTRIES_MAX);
    assert_vs_ok(vs_store_put(f->store, RVPS_NAMESPACE, VS_LIT(PLATFORM_NAME), on_arena(&old), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
    assert_vs_ok(send_by(f, signed_by(f, &f->leaf, crowd("v", RVPS_ENTRIES_MAX)), ""), &err);
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW).len, STRANGERS_ENTRIES_MAX + RVPS_ENTRIES_MAX);
    assert_vs_code(send(f, platform_manifest("w", 1, DIGEST_1)), VS_E_LIMIT);
    expect_reason("1025 entries of different CoMIDs, at most 1024");
}

static void a_place_is_free_when_somebody_vouches(void **state)
{
    fixture *f = *state;
    assert_vs_ok(send_by(f, crowd("s", STRANGERS_ENTRIES_MAX), ""), &err);
    assert_vs_code(stranger_sends(f, "t", 1), VS_E_LIMIT);
    assert_vs_ok(send(f, platform_manifest("s3", 1, DIGEST_1)), &err); /* an administrator */
    assert_vs_ok(stranger_sends(f, "t", 1), &err);
    assert_vs_code(stranger_sends(f, "u", 1), VS_E_LIMIT);
}

/* Few entries, but large ones. */
static void strangers_cannot_make_a_record_large(void **state)
{
    fixture *f = *state;
    vs_buf b = VS_BUF(1 << 20);
    with_options(f, (rvps_options){.anchors = f->anchors});
    for (unsigned i = 0; i < 400; i++)
        vs_buf_printf(&b, "%s" COMPONENT("a rather long name %u", DIGEST_2), i ? "," : "", i);
    vs_span text = on_arena(&b);
    const char *triples = vs_sprintf(&arena, REFS(VALUES("%.*s")), VS_FMT(text));
    vs_span large = key_manifest("large", 1, triples);
    assert_vs_code(send_by(f, large, ""), VS_E_LIMIT);
    expect_reason("1 entries of CoMIDs that nobody vouches for, at most 32 with 65536 bytes");
    expect(f, PLATFORM_NAME, "absent");
    assert_vs_ok(send_by(f, signed_by(f, &f->leaf, large), ""), &err);
    assert_int_equal(value_at(f, PLATFORM_NAME, NOW).len, 1);
    assert_vs_ok(stranger_sends(f, "t", 1), &err); /* what is vouched for does not count */
}

/* What they have put there has to be read with each name of a signed message: there is memory for
 * a thousand names that are as full as strangers can make them. */
static void full_names_leave_room_for_a_signed_message(void **state)
{
    fixture *f = *state;
    vs_buf b = VS_BUF(1 << 20);
    for (unsigned i = 0; i < 10; i++) /* ten times 32 components: what fits */
        vs_buf_printf(&b, "%s" COMPONENT("%u", DIGEST_2), i ? "," : "", i);
    vs_span text = on_arena(&b);
    const char *triples = vs_sprintf(&arena, REFS(VALUES("%.*s")), VS_FMT(text));
    for (unsigned i = 0; i < STRANGERS_ENTRIES_MAX; i++)
        assert_vs_ok(send_by(f, key_manifest(vs_sprintf(&arena, "s%u", i), 1, triples), ""), &err);
    vs_buf record = VS_BUF(1 << 20);
    assert_vs_ok(vs_store_get(f->store, RVPS_NAMESPACE, VS_LIT(PLATFORM_NAME), 0, &record, &err),
                 &err);
    size_t full = record.n;
    assert_true(full > STRANGERS_ENTRIES_BYTES * 3 / 4);
    vs_buf_free(&record);

    rvps_records recs = {.a = &arena, .validity = {INT64_MIN, INT64_MAX}};
    const rvps_context x = {.now = NOW};
    const rvps_origin o = {.now = NOW,
                           .expires = NOW + 1000,
                           .not_before = INT64_MIN,
                           .provenance = vs_empty(VS_OBJECT),
                           .trusted = true};
    assert_vs_ok(rvps_extract_corim(&x, platform_manifest("v", 1, DIGEST_1), &recs, &err), &err);
    vs_arena a;
    vs_store_item *items;
    size_t n;
    vs_arena_init(&a, 0);
    assert_vs_ok(rvps_plan(f->store, &recs, &o, &a, &items, &n, &err), &err);
    print_message("# %zu bytes of strangers cost %zu of memory\n", full, vs_arena_used(&a));
    assert_true(vs_arena_used(&a) * 1000 / full * STRANGERS_ENTRIES_BYTES <= RVPS_PLAN_MEMORY);
    vs_arena_free(&a);
}

/* ---- other records --------------------------------------------------------------------------- */

static vs_code send_sample(fixture *f, vs_span text, const char *by)
{
    vs_span m = message("sample", text);
    err = (vs_error){0};
    return *by ? rvps_register_vouched(f->r, m, vs_str(by), NOW, &err)
               : rvps_register(f->r, m, NOW, &err);
}

static void strangers_values_have_a_size(void **state)
{
    fixture *f = *state;
    vs_buf b = VS_BUF(4 << 20);
    vs_buf_puts(&b, "{\"n\":\"");
    while (b.n < STRANGERS_VALUE_BYTES)
        vs_buf_puts(&b, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    vs_buf_puts(&b, "\"}");
    vs_span text = on_arena(&b);
    assert_vs_code(send_sample(f, text, ""), VS_E_LIMIT);
    expect_reason("from whom nobody vouches for");
    assert_vs_ok(send_sample(f, text, "admin"), &err);
}

static void strangers_cannot_make_names_without_end(void **state)
{
    fixture *f = *state;
    enum { BATCH = 10000 };
    vs_store_item *items = calloc(BATCH, sizeof *items);
    for (unsigned done = 1; done < STRANGERS_NAMES_MAX; done += BATCH) {
        size_t n = 0;
        for (; n < BATCH && done + n < STRANGERS_NAMES_MAX; n++)
            items[n] = (vs_store_item){.ns = RVPS_NAMESPACE,
                                       .key = vs_str(vs_sprintf(&arena, "n%zu", done + n)),
                                       .value = VS_LIT("{}")};
        assert_vs_ok(vs_store_put_all(f->store, items, n, &err), &err);
        vs_arena_reset(&arena);
    }
    free(items);
    assert_vs_ok(send_sample(f, VS_LIT("{\"last\":1}"), ""), &err);
    assert_vs_code(send_sample(f, VS_LIT("{\"more\":1}"), ""), VS_E_LIMIT);
    expect_reason("there are 100000 reference values and CoMIDs or more");
    assert_vs_code(stranger_sends(f, "t", 1), VS_E_LIMIT);
    assert_vs_ok(send_sample(f, VS_LIT("{\"last\":2}"), ""), &err); /* it is there already */
    assert_vs_ok(send_sample(f, VS_LIT("{\"n5\":2,\"n6\":3}"), ""), &err);
    assert_vs_ok(send_sample(f, VS_LIT("{\"more\":1}"), "admin"), &err);
    assert_vs_ok(rvps_delete(f->r, VS_LIT("n7"), VS_LIT("admin"), &err), &err);
    assert_vs_ok(rvps_delete(f->r, VS_LIT("n8"), VS_LIT("admin"), &err), &err);
    with_options(f, (rvps_options){0}); /* counts anew */
    assert_vs_ok(send_sample(f, VS_LIT("{\"n7\":1}"), ""), &err);
    assert_vs_code(send_sample(f, VS_LIT("{\"n8\":1,\"n9\":1}"), ""), VS_E_LIMIT);
}

int main(void)
{
#define with_fixture(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_fixture(strangers_fill_their_own_room_only),
        with_fixture(strangers_without_a_mark_fill_no_room_of_others),
        with_fixture(a_place_is_free_when_somebody_vouches),
        with_fixture(strangers_cannot_make_a_record_large),
        with_fixture(full_names_leave_room_for_a_signed_message),
        with_fixture(strangers_values_have_a_size),
        with_fixture(strangers_cannot_make_names_without_end),
    };
    return cmocka_run_group_tests_name("strangers", tests, NULL, NULL);
}
