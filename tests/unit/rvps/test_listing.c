/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators see of the stored reference values. */
#include "messages.h"

#include "rvps/rvps.h"

typedef struct fixture {
    vs_store *store;
    rvps *r;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    (void)arena_setup(state);
    assert_vs_ok(vs_store_open_memory(&f->store, &err), &err);
    assert_vs_ok(rvps_new(f->store, NULL, &f->r, &err), &err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    rvps_free(&f->r);
    vs_store_close(&f->store);
    free(f);
    return arena_teardown(state);
}

static void add(fixture *f, const char *json)
{
    assert_vs_ok(rvps_register(f->r, message("sample", vs_str(json)), NOW, &err), &err);
}

/* The names of a page, each followed by a blank; '+' when there are more. */
static const char *page(fixture *f, const char *prefix, const char *after, size_t limit)
{
    rvps_page p;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 16);
    assert_vs_ok(rvps_list(f->r, vs_str(prefix), vs_str(after), limit, &arena, &p, &err), &err);
    assert_true(p.n <= limit);
    for (size_t i = 0; i < p.n; i++) {
        vs_buf_put(&b, p.names[i]);
        vs_buf_putc(&b, ' ');
    }
    vs_buf_puts(&b, p.more ? "+" : "");
    return vs_sprintf(&arena, "%.*s", VS_FMT(vs_buf_span(&b)));
}

static void names_are_listed_page_by_page(void **state)
{
    fixture *f = *state;
    assert_string_equal(page(f, "", "", 10), "");
    add(f, "{\"a\":1,\"b/x\":2,\"b/y\":3,\"c\":4,\"rvps:///b/z:1\":5}");
    assert_string_equal(page(f, "", "", 10), "a b/x b/y c rvps:///b/z:1 ");
    assert_string_equal(page(f, "", "", 2), "a b/x +");
    assert_string_equal(page(f, "", "b/x", 2), "b/y c +");
    assert_string_equal(page(f, "", "c", 2), "rvps:///b/z:1 ");
    assert_string_equal(page(f, "", "rvps:///b/z:1", 2), "");
    assert_string_equal(page(f, "", "bb", 2),
                        "c rvps:///b/z:1 "); /* need not be there (any more) */
    assert_string_equal(page(f, "b/", "", 1), "b/x +");
    assert_string_equal(page(f, "b/", "b/x", 1), "b/y ");
    assert_string_equal(page(f, "b/", "", 2), "b/x b/y ");
    assert_string_equal(page(f, "rvps:///b", "", 2), "rvps:///b/z:1 ");
    assert_string_equal(page(f, "rvps:/b", "", 2), ""); /* a key, not a name */
    assert_string_equal(page(f, "q", "", 2), "");
}

static void a_page_is_bounded(void **state)
{
    fixture *f = *state;
    rvps_page p;
    assert_vs_code(rvps_list(f->r, nothing, nothing, 0, &arena, &p, &err), VS_E_INVALID);
    assert_vs_code(rvps_list(f->r, nothing, nothing, RVPS_PAGE_MAX + 1, &arena, &p, &err),
                   VS_E_INVALID);
    assert_vs_code(rvps_list(f->r, nothing, VS_LIT("../x"), 1, &arena, &p, &err), VS_E_INVALID);
    vs_buf b = VS_BUF(1 << 20);
    for (int i = 0; i < 2500; i++)
        vs_buf_printf(&b, "%s\"n%05d\":%d", i ? "," : "{", i, i);
    vs_buf_puts(&b, "}");
    add(f, (const char *)b.p);
    vs_span after = nothing;
    size_t seen = 0;
    for (bool more = true; more; more = p.more) {
        assert_vs_ok(rvps_list(f->r, nothing, after, RVPS_PAGE_MAX, &arena, &p, &err), &err);
        for (size_t i = 0; i < p.n; i++)
            assert_span_is(p.names[i], vs_sprintf(&arena, "n%05zu", seen++));
        after = p.names[p.n - 1];
    }
    assert_int_equal(seen, 2500);
    vs_buf_free(&b);
}

static void a_listing_that_runs_out_of_memory_is_an_error(void **state)
{
    fixture *f = *state;
    vs_arena small;
    rvps_page p;
    vs_buf b = VS_BUF(1 << 20);
    for (int i = 0; i < 500; i++)
        vs_buf_printf(&b, "%s\"%0500d\":%d", i ? "," : "{", i, i);
    vs_buf_puts(&b, "}");
    add(f, (const char *)b.p);
    vs_arena_init(&small, 1 << 16);
    assert_vs_code(rvps_list(f->r, nothing, nothing, 1000, &small, &p, &err), VS_E_NOMEM);
    vs_arena_free(&small);
    vs_buf_free(&b);
}

static void a_record_is_shown_whole_also_when_it_has_expired(void **state)
{
    fixture *f = *state;
    rvps_entry e;
    assert_vs_ok(rvps_register_by(f->r, message("sample", VS_LIT("{\"a\":[1]}")),
                                  VS_LIT("ops@example.org"), NOW, &err),
                 &err);
    assert_vs_ok(rvps_get(f->r, VS_LIT("a"), NOW, &arena, &e, &err), &err);
    assert_true(e.valid && e.expires == year_later && e.not_before == INT64_MIN);
    assert_span_is(vs_text(vs_getc(e.provenance, "by")), "ops@example.org");
    assert_span_is(vs_text(vs_getc(e.provenance, "type")), "sample");
    assert_vs_ok(rvps_get(f->r, VS_LIT("a"), year_later + 1, &arena, &e, &err), &err);
    assert_false(e.valid);
    assert_int_equal(e.value.len, 1);
    assert_vs_code(rvps_get(f->r, VS_LIT("b"), NOW, &arena, &e, &err), VS_E_NOT_FOUND);
    assert_vs_code(rvps_get(f->r, VS_LIT("../b"), NOW, &arena, &e, &err), VS_E_NOT_FOUND);
}

/* What Trustee has written, and what is wrong with ours. */
static void records_of_others_are_read(void **state)
{
    fixture *f = *state;
    rvps_entry e;
    static const struct {
        const char *more;
        vs_code code;
    } cases[] = {{"", VS_OK},
                 {",\"unknown\":1", VS_OK},
                 {",\"not_before\":\"2026-01-01T00:00:00Z\"", VS_OK},
                 {",\"not_before\":\"2026-01-01\"", VS_E_INVALID},
                 {",\"not_before\":7", VS_E_INVALID},
                 {",\"provenance\":\"me\"", VS_E_INVALID}};
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        const char *text = vs_sprintf(&arena,
                                      "{\"version\":\"0.1.0\",\"name\":\"a\",\"expiration\":"
                                      "\"2027-08-21T09:00:00Z\",\"value\":1%s}",
                                      cases[i].more);
        assert_vs_ok(vs_store_put(f->store, "reference_value", VS_LIT("a"), vs_str(text), 0,
                                  VS_PUT_REPLACE, &err),
                     &err);
        assert_vs_code(rvps_get(f->r, VS_LIT("a"), NOW, &arena, &e, &err), cases[i].code);
        if (cases[i].code == VS_OK)
            assert_true(e.valid && !vs_defined(e.provenance));
    }
}

static void what_is_deleted_is_gone(void **state)
{
    fixture *f = *state;
    vs_val v;
    add(f, "{\"a\":1,\"rvps:///a\":2}");
    assert_vs_ok(rvps_delete(f->r, VS_LIT("rvps:///a"), VS_LIT("admin"), &err), &err);
    assert_vs_code(rvps_delete(f->r, VS_LIT("rvps:///a"), nothing, &err), VS_E_NOT_FOUND);
    assert_vs_code(rvps_delete(f->r, VS_LIT("../a"), nothing, &err), VS_E_NOT_FOUND);
    assert_string_equal(page(f, "", "", 10), "a ");
    assert_vs_ok(rvps_query(f->r, VS_LIT("rvps:///a"), NOW, &arena, &v, &err), &err);
    assert_false(vs_defined(v));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(names_are_listed_page_by_page),
        T(a_page_is_bounded),
        T(a_listing_that_runs_out_of_memory_is_an_error),
        T(a_record_is_shown_whole_also_when_it_has_expired),
        T(records_of_others_are_read),
        T(what_is_deleted_is_gone),
    };
    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
