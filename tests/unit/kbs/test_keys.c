/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are kept elsewhere: files that change, URLs that answer, lie or are silent. */
#include "testing.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "kbs/keys.h"
#include "value/json.h"

#define SECOND INT64_C(1000000000)
#define JWKS   "https://id.example/jwks"
#define ISSUER "https://id.example/realm/"

typedef struct page {
    const char *url, *text; /* text == NULL: no answer */
} page;

typedef struct fixture {
    vs_arena a;
    vs_store *store;
    kbs_sources *sources;
    page pages[4];
    unsigned calls;
    char file[64];
} fixture;

static vs_code fetch(void *user, const char *url, vs_buf *out, vs_error *err)
{
    fixture *f = user;
    f->calls++;
    for (size_t i = 0; i < VS_COUNT(f->pages); i++) {
        if (!f->pages[i].url || !f->pages[i].text || strcmp(f->pages[i].url, url) != 0)
            continue;
        vs_buf_puts(out, f->pages[i].text);
        return VS_OK;
    }
    return vs_fail(err, VS_E_TIMEOUT, "%s does not answer", url);
}

static vs_code read_strict(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, true, out, err);
}

static vs_code read_lenient(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, false, out, err);
}

static int setup(void **state)
{
    vs_error err = {0};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    vs_arena_init(&f->a, 0);
    (void)snprintf(f->file, sizeof f->file, "/tmp/vs-keys-test-XXXXXX");
    int fd = mkstemp(f->file);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_vs_ok(vs_store_open_memory(&f->store, &err), &err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    kbs_sources_free(&f->sources);
    vs_store_close(&f->store);
    vs_arena_free(&f->a);
    (void)unlink(f->file);
    free(f);
    return 0;
}

static vs_code open_as(fixture *f, const char *uri, kbs_keys_reader read, kbs_source **out,
                       vs_error *err)
{
    vs_error own = {0};
    const kbs_sources_config cfg = {.store = f->store, .fetch = fetch, .user = f};
    kbs_sources_free(&f->sources);
    assert_vs_ok(kbs_sources_new(&cfg, &f->sources, &own), &own);
    return kbs_sources_add(f->sources, uri, read, true, out, err);
}

static vs_code open_at(fixture *f, const char *uri, kbs_source **out)
{
    return open_as(f, uri, read_strict, out, NULL);
}

static const char *jwks(fixture *f, const char *kid)
{
    vs_key *key;
    vs_val jwk;
    vs_error err = {0};
    vs_buf out = VS_BUF(4096);
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &key, &err), &err);
    assert_vs_ok(vs_key_to_jwk(&f->a, key, "ES256", &jwk, &err), &err);
    vs_buf_puts(&out, "{\"keys\":[");
    vs_json_print(&out, vs_with(&f->a, jwk, vs_cstring("kid"), vs_cstring(kid)));
    vs_buf_puts(&out, "]}");
    const char *text = vs_sprintf(&f->a, "%s", (const char *)out.p);
    vs_buf_free(&out);
    vs_key_free(&key);
    return text;
}

static bool holds(kbs_source *s, const char *kid)
{
    kbs_keys *k = kbs_source_keys(s);
    bool found = false;
    for (size_t i = 0; i < k->n; i++)
        found = found || strcmp(k->items[i].kid, kid) == 0;
    kbs_keys_unref(&k);
    return found;
}

static void write_file(fixture *f, const char *text)
{
    vs_error err = {0};
    assert_vs_ok(vs_write_file(f->file, vs_str(text), 0600, &err), &err);
}

/* ---- files ------------------------------------------------------------------------------------
 */

static void a_file_is_read_again_when_it_changes(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    write_file(f, jwks(f, "one"));
    assert_vs_code(open_at(f, vs_sprintf(&f->a, "file://%s", f->file), &s), VS_OK);
    assert_true(holds(s, "one"));
    kbs_keys *held = kbs_source_keys(s);
    write_file(f, jwks(f, "two"));
    kbs_sources_poll(f->sources, vs_mono_ns());
    assert_true(holds(s, "two") && !holds(s, "one"));
    assert_string_equal(held->items[0].kid, "one"); /* a request under way keeps what it had */
    kbs_keys_unref(&held);
    assert_int_equal(f->calls, 0);
}

static void a_file_that_breaks_leaves_the_old_keys(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    write_file(f, jwks(f, "one"));
    assert_vs_code(open_at(f, f->file, &s), VS_OK);
    static const char *const broken[] = {"", "{", "{\"keys\":[]}", "{\"keys\":[{}]}"};
    for (size_t i = 0; i < VS_COUNT(broken); i++) {
        write_file(f, broken[i]);
        kbs_sources_poll(f->sources, vs_mono_ns());
        assert_true(holds(s, "one"));
    }
    (void)unlink(f->file);
    kbs_sources_poll(f->sources, vs_mono_ns());
    assert_true(holds(s, "one"));
    write_file(f, jwks(f, "two"));
    kbs_sources_poll(f->sources, vs_mono_ns());
    assert_true(holds(s, "two"));
}

/* ---- URLs -------------------------------------------------------------------------------------
 */

static void a_url_gives_keys_and_is_asked_again(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    f->pages[0] = (page){JWKS, jwks(f, "one")};
    assert_vs_code(open_at(f, JWKS, &s), VS_OK);
    assert_true(holds(s, "one"));
    assert_int_equal(f->calls, 1);
    int64_t now = vs_mono_ns();
    kbs_sources_poll(f->sources, now + 299 * SECOND);
    assert_int_equal(f->calls, 1);
    f->pages[0].text = jwks(f, "two");
    kbs_sources_poll(f->sources, now + 301 * SECOND);
    assert_true(holds(s, "two") && !holds(s, "one"));
}

static void an_unknown_kid_asks_sooner_but_not_often(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    f->pages[0] = (page){JWKS, jwks(f, "one")};
    assert_vs_code(open_at(f, JWKS, &s), VS_OK);
    int64_t now = vs_mono_ns();
    for (int i = 0; i < 1000; i++)
        kbs_source_missed(s);
    kbs_sources_poll(f->sources, now + 5 * SECOND);
    assert_int_equal(f->calls, 1); /* just asked */
    f->pages[0].text = jwks(f, "two");
    kbs_sources_poll(f->sources, now + (KBS_KEYS_PAUSE_S + 1) * SECOND);
    assert_int_equal(f->calls, 2);
    assert_true(holds(s, "two"));
    kbs_sources_poll(f->sources, now + (2 * KBS_KEYS_PAUSE_S + 5) * SECOND);
    assert_int_equal(f->calls, 2); /* nobody missed anything since */
}

static void an_issuer_says_where_its_keys_are(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    f->pages[0] = (page){ISSUER, "<html>"};
    f->pages[1] = (page){"https://id.example/realm/.well-known/openid-configuration",
                         "{\"issuer\":\"https://id.example/realm\",\"jwks_uri\":\"" JWKS "\"}"};
    f->pages[2] = (page){JWKS, jwks(f, "one")};
    assert_vs_code(open_at(f, ISSUER, &s), VS_OK);
    assert_true(holds(s, "one"));
    f->pages[0].text = NULL;
    assert_vs_code(open_at(f, ISSUER, &s), VS_OK);
    f->pages[0].text = "{\"keys\":[]}"; /* an empty set, even for who takes one from a file */
    assert_vs_code(open_as(f, ISSUER, read_lenient, &s, NULL), VS_OK);
    assert_true(holds(s, "one"));
}

static void a_configuration_that_leads_elsewhere_is_not_followed(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "{\"jwks_uri\":1}",
        "{\"jwks_uri\":\"http://id.example/jwks\"}",
        "{\"jwks_uri\":\"file:///etc/keys\"}",
        "{\"jwks_uri\":\"/jwks\"}",
        "{\"jwks_uri\":\"https://id.example/jwks\\u0000x\"}",
        "{\"jwks_uri\":\"https://elsewhere.example/jwks\"}",
    };
    fixture *f = *state;
    kbs_source *s;
    f->pages[2] = (page){JWKS, jwks(f, "one")};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        f->pages[1] = (page){"https://id.example/realm/.well-known/openid-configuration", bad[i]};
        assert_int_not_equal(open_at(f, ISSUER, &s), VS_OK);
        kbs_keys *k = kbs_source_keys(s);
        assert_int_equal(k->n, 0);
        kbs_keys_unref(&k);
    }
}

static void a_start_without_the_url_uses_what_it_gave_before(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    vs_error err = {0};
    assert_vs_code(open_as(f, JWKS, read_strict, &s, &err), VS_E_TIMEOUT);
    assert_non_null(strstr(vs_error_at(&err, 0), "key_sources.ca_file")); /* what to do */
    assert_non_null(strstr(vs_error_at(&err, 0), JWKS));
    f->pages[0] = (page){JWKS, jwks(f, "one")};
    assert_vs_code(open_at(f, JWKS, &s), VS_OK);
    f->pages[0].text = NULL;
    assert_vs_code(open_at(f, JWKS, &s), VS_OK);
    assert_true(holds(s, "one"));
    assert_int_not_equal(open_at(f, JWKS "2", &s), VS_OK); /* of that URL only */
    f->pages[0].text = jwks(f, "two");
    assert_vs_code(open_at(f, JWKS, &s), VS_OK);
    assert_true(holds(s, "two"));
}

static const char *kept_key(fixture *f, const char *url)
{
    uint8_t md[VS_HASH_MAX];
    vs_error err = {0};
    assert_vs_ok(vs_digest(VS_SHA256, vs_str(url), VS_LIT(""), VS_LIT(""), md, &err), &err);
    vs_span hex = vs_hex_encode_arena(&f->a, vs_span_of(md, 32));
    return vs_sprintf(&f->a, "%.*s", VS_FMT(hex));
}

static void keep(fixture *f, int64_t fetched, const char *url, const char *text)
{
    vs_error err = {0};
    vs_obj o = {.a = &f->a};
    vs_buf out = VS_BUF(1 << 16);
    vs_obj_put(&o, "fetched", vs_int(fetched));
    vs_obj_put(&o, "uri", vs_cstring(url));
    vs_obj_put(&o, "text", vs_cstring(text));
    vs_json_print(&out, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    assert_vs_ok(vs_store_put(f->store, "key_source", vs_str(kept_key(f, JWKS)), vs_buf_span(&out),
                              0, VS_PUT_REPLACE, &err),
                 &err);
    vs_buf_free(&out);
}

static void kept_keys_that_are_too_old_do_not_count(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    keep(f, vs_now_s() - KBS_KEYS_STALE_S + 60, JWKS, jwks(f, "one"));
    assert_vs_code(open_at(f, JWKS, &s), VS_OK);
    assert_true(holds(s, "one"));
    keep(f, vs_now_s() - KBS_KEYS_STALE_S - 1, JWKS, jwks(f, "one"));
    assert_vs_code(open_at(f, JWKS, &s), VS_OK); /* it starts, and waits for the URL */
    assert_false(holds(s, "one"));
    keep(f, vs_now_s() + 3600, JWKS, jwks(f, "one"));
    assert_int_not_equal(open_at(f, JWKS, &s), VS_OK);
    keep(f, vs_now_s(), "https://other.example", jwks(f, "one"));
    assert_int_not_equal(open_at(f, JWKS, &s), VS_OK);
}

static void a_url_that_fails_later_leaves_the_old_keys(void **state)
{
    static const char *const answers[] = {NULL, "", "{\"keys\":[]}", "{\"keys\":[{\"kty\":1}]}"};
    fixture *f = *state;
    kbs_source *s;
    f->pages[0] = (page){JWKS, jwks(f, "one")};
    assert_vs_code(open_at(f, JWKS, &s), VS_OK);
    int64_t now = vs_mono_ns();
    for (size_t i = 0; i < VS_COUNT(answers); i++) {
        f->pages[0].text = answers[i];
        now += 301 * SECOND;
        unsigned before = f->calls;
        kbs_sources_poll(f->sources, now);
        assert_true(f->calls > before);
        assert_true(holds(s, "one"));
    }
}

static void other_schemes_are_refused(void **state)
{
    static const char *const bad[] = {"http://id.example/jwks", "ftp://x/y", "HTTPS://x/y",
                                      "data://x"};
    fixture *f = *state;
    kbs_source *s;
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(open_at(f, bad[i], &s), VS_E_UNSUPPORTED);
    assert_int_equal(f->calls, 0);
}

static void the_thread_reads_a_changed_file(void **state)
{
    fixture *f = *state;
    kbs_source *s;
    vs_error err = {0};
    write_file(f, jwks(f, "one"));
    assert_vs_code(open_at(f, f->file, &s), VS_OK);
    assert_vs_ok(kbs_sources_start(f->sources, &err), &err);
    write_file(f, jwks(f, "two"));
    for (int i = 0; i < 100 && !holds(s, "two"); i++)
        (void)usleep(100000);
    assert_true(holds(s, "two"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(a_file_is_read_again_when_it_changes),
        T(a_file_that_breaks_leaves_the_old_keys),
        T(a_url_gives_keys_and_is_asked_again),
        T(an_unknown_kid_asks_sooner_but_not_often),
        T(an_issuer_says_where_its_keys_are),
        T(a_configuration_that_leads_elsewhere_is_not_followed),
        T(a_start_without_the_url_uses_what_it_gave_before),
        T(kept_keys_that_are_too_old_do_not_count),
        T(a_url_that_fails_later_leaves_the_old_keys),
        T(other_schemes_are_refused),
        T(the_thread_reads_a_changed_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
