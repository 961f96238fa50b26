/* SPDX-License-Identifier: Apache-2.0 */
/* What the software realm makes is what the verifier accepts, in every form; and its directory. */
#include "verified.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/enc.h"
#include "value/json.h"

static void tokens_of_every_form_and_profile_verify(void **state)
{
    (void)state;
    static const unsigned tags[] = {CCA_TAG_EAT, CCA_TAG_CMW};
    static const char *const profiles[] = {"legacy",       "1.0.0",        "2.0.0",
                                           "legacy/1.0.0", "1.0.0/legacy", "2.0.0/1.0.0",
                                           "1.0.0/2.0.0",  "legacy/2.0.0", "2.0.0/legacy"};
    static const vs_hash hashes[] = {VS_SHA256, VS_SHA384, VS_SHA512};
    static const uint8_t measurement[64] = {1, 2, 3};
    soft_realm s;
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    unsigned n = 0;
    for (size_t t = 0; t < VS_COUNT(tags); t++)
        for (size_t p = 0; p < VS_COUNT(profiles); p++)
            for (size_t h = 0; h < VS_COUNT(hashes); h++) {
                char why[VS_ERROR_TEXT];
                s.spec.tag = tags[t];
                assert_vs_code(realm_spec_set_profile(&s.spec, profiles[p], NULL), VS_OK);
                s.spec.hash = hashes[h];
                s.spec.rak_hash = hashes[(h + p) % 3];
                s.spec.rim = vs_span_of(measurement, vs_hash_size(hashes[h]));
                for (unsigned i = 0; i < CCA_REMS; i++)
                    s.spec.rem[i] = s.spec.rim;
                if (verify(&s, why) != VS_OK)
                    fail_msg("tag %u, %s, %s: %s", tags[t], profiles[p], vs_hash_name(hashes[h]),
                             why);
                n++;
            }
    print_message("# %u kinds of token verified\n", n);
    soft_stop(&s);
}

static void keys_of_every_curve_verify(void **state)
{
    (void)state;
    static const vs_key_type curves[] = {VS_KEY_P256, VS_KEY_P384, VS_KEY_P521};
    for (size_t c = 0; c < VS_COUNT(curves); c++)
        for (size_t r = 0; r < VS_COUNT(curves); r++) {
            soft_realm s;
            char why[VS_ERROR_TEXT];
            soft_start(&s, curves[c], curves[r]);
            if (verify(&s, why) != VS_OK)
                fail_msg("CPAK %zu, RAK %zu: %s", c, r, why);
            soft_stop(&s);
        }
}

static void a_raw_key_on_another_curve_is_refused(void **state)
{
    (void)state;
    soft_realm s;
    char why[VS_ERROR_TEXT];
    soft_start(&s, VS_KEY_P256, VS_KEY_P256);
    assert_vs_code(realm_spec_set_profile(&s.spec, "legacy", NULL), VS_OK);
    assert_vs_code(verify(&s, why), VS_E_INVALID);
    assert_non_null(strstr(why, "public key (44237)"));
    soft_stop(&s);
}

static void unknown_profiles_are_named_in_the_error(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "3.0.0", "/", "1.0.0/", "/1.0.0", "1.0.0/2.0.0/1.0.0"};
    soft_realm s;
    soft_start(&s, VS_KEY_P256, VS_KEY_P256);
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_vs_code(realm_spec_set_profile(&s.spec, bad[i], NULL), VS_E_INVALID);
    soft_stop(&s);
}

static void a_description_survives_writing_and_reading(void **state)
{
    (void)state;
    soft_realm s;
    realm_spec back;
    vs_buf one = VS_BUF(1 << 16), two = VS_BUF(1 << 16);
    soft_start(&s, VS_KEY_P256, VS_KEY_P256);
    assert_vs_code(realm_spec_set_profile(&s.spec, "2.0.0/legacy", NULL), VS_OK);
    cca_component list[2] = {s.spec.components[0], s.spec.components[1]};
    list[1].type = list[1].version = list[1].hash = (vs_span){0};
    s.spec.components = list;
    s.spec.n_components = 2;
    vs_error err = {0};
    assert_vs_ok(realm_spec_write(&s.spec, &one, &err), &err);
    assert_vs_ok(realm_spec_read(&s.arena, vs_buf_span(&one), &back, &err), &err);
    assert_vs_ok(realm_spec_write(&back, &two, &err), &err);
    assert_string_equal((char *)one.p, (char *)two.p);
    assert_null(back.realm_profile);
    for (size_t n = 0; n + 2 < one.n; n++) /* the last bytes are "}\n" */
        assert_int_not_equal(realm_spec_read(&s.arena, vs_span_of(one.p, n), &back, NULL), VS_OK);
    vs_buf_free(&one);
    vs_buf_free(&two);
    soft_stop(&s);
}

/* ---- a directory ---------------------------------------------------------------------------- */

typedef struct home {
    char dir[64];
    vs_arena a;
    realm_spec spec;
} home;

static int make_home(void **state)
{
    home *h = calloc(1, sizeof *h);
    (void)snprintf(h->dir, sizeof h->dir, "%s/vs-realm-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(h->dir));
    vs_arena_init(&h->a, 0);
    assert_vs_code(realm_spec_default(&h->a, &h->spec, NULL), VS_OK);
    *state = h;
    return 0;
}

static const char *in(const home *h, const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", h->dir, name);
    return path;
}

static int drop_home(void **state)
{
    static const char *const names[] = {"keys.json", "realm.json", "ta-store.json", "rv-store.json",
                                        "cca-config.json"};
    home *h = *state;
    for (size_t i = 0; i < VS_COUNT(names); i++)
        (void)unlink(in(h, names[i]));
    (void)rmdir(h->dir);
    vs_arena_free(&h->a);
    free(h);
    return 0;
}

/* A directory with fresh keys. */
static vs_code create(const home *h, vs_error *err)
{
    VS_CLEANUP(realm_keys_free) realm_keys keys = {0};
    VS_TRY(realm_keys_generate_on(VS_KEY_P256, VS_KEY_P384, &keys, err));
    return realm_create(h->dir, &h->spec, &keys, err);
}

static void a_directory_attests_under_the_configuration_it_holds(void **state)
{
    home *h = *state;
    vs_error err = {0};
    realm_home *r = NULL;
    cca_trust *trust = NULL;
    cca_snapshot *s = NULL;
    cca_token t;
    cca_verdict v;
    uint8_t challenge[CCA_CHALLENGE] = {9};
    vs_buf token = VS_BUF(CCA_TOKEN_MAX), again = VS_BUF(CCA_TOKEN_MAX);
    assert_vs_ok(create(h, &err), &err);
    assert_vs_ok(realm_open(h->dir, &r, &err), &err);
    assert_vs_ok(realm_attest(r, vs_span_of(challenge, sizeof challenge), &token, &err), &err);
    assert_vs_ok(realm_attest(r, vs_span_of(challenge, sizeof challenge), &again, &err), &err);
    assert_vs_ok(cca_trust_load(in(h, "cca-config.json"), &trust, &err), &err);
    assert_vs_ok(cca_trust_take(trust, &s, &err), &err);
    assert_vs_ok(cca_token_decode(&h->a, vs_buf_span(&token), &t, &err), &err);
    assert_vs_ok(cca_verify_chain(&(cca_basis){.snapshot = s, .a = &h->a}, &t, &v, &err), &err);
    assert_false(v.platform_cached);
    assert_vs_ok(cca_appraise(&(cca_basis){.snapshot = s, .a = &h->a}, &t, &v, &err), &err);
    assert_true(v.realm_known);
    /* The platform token is that of the boot: the verifier knows it the second time. */
    assert_vs_ok(cca_token_decode(&h->a, vs_buf_span(&again), &t, &err), &err);
    assert_vs_ok(cca_verify_chain(&(cca_basis){.snapshot = s, .a = &h->a}, &t, &v, &err), &err);
    assert_true(v.platform_cached);
    assert_vs_code(realm_attest(r, vs_span_of(challenge, 63), &token, NULL), VS_E_INVALID);
    cca_snapshot_release(&s);
    cca_trust_free(&trust);
    realm_close(&r);
    vs_buf_free(&token);
    vs_buf_free(&again);
}

static void private_keys_are_readable_by_the_owner_only(void **state)
{
    home *h = *state;
    struct stat st;
    assert_vs_code(create(h, NULL), VS_OK);
    assert_int_equal(stat(in(h, "keys.json"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_directory_with_a_realm_is_not_overwritten(void **state)
{
    home *h = *state;
    realm_home *one = NULL, *two = NULL;
    assert_vs_code(create(h, NULL), VS_OK);
    assert_vs_code(realm_open(h->dir, &one, NULL), VS_OK);
    assert_vs_code(create(h, NULL), VS_E_EXISTS);
    assert_vs_code(realm_open(h->dir, &two, NULL), VS_OK);
    assert_true(vs_key_public_eq(one->keys.cpak, two->keys.cpak));
    realm_close(&one);
    realm_close(&two);
}

static void a_broken_directory_does_not_open(void **state)
{
    home *h = *state;
    realm_home *r = NULL;
    assert_vs_code(realm_open(h->dir, &r, NULL), VS_E_NOT_FOUND);
    assert_vs_code(create(h, NULL), VS_OK);
    assert_vs_code(vs_write_file(in(h, "keys.json"), VS_LIT("{\"cpak\":{}}"), 0600, NULL), VS_OK);
    assert_int_not_equal(realm_open(h->dir, &r, NULL), VS_OK);
    assert_null(r);
}

static void measurements_extend_as_the_public_known_answers_say(void **state)
{
    home *h = *state;
    static const uint8_t zeros[32];
    need_shared("data/cca/rim/rim-kat.json");
    vs_buf text = VS_BUF(1 << 16);
    vs_val kat;
    realm_home *r = NULL;
    read_shared("data/cca/rim/rim-kat.json", &text);
    assert_vs_code(vs_json_parse(&h->a, vs_buf_span(&text), NULL, &kat, NULL), VS_OK);
    h->spec.hash = VS_SHA256;
    for (unsigned i = 0; i < CCA_REMS; i++)
        h->spec.rem[i] = vs_span_of(zeros, sizeof zeros);
    assert_vs_code(create(h, NULL), VS_OK);
    vs_val steps = vs_pointer(kat, VS_LIT("/rem-extend-sha256/steps"));
    assert_int_equal(steps.len, 3);
    for (VS_ARR_FOR (step, steps)) {
        vs_span data, want;
        assert_vs_code(vs_hex_decode_arena(&h->a, vs_text(step->u.items[0]), &data, NULL), VS_OK);
        assert_vs_code(vs_hex_decode_arena(&h->a, vs_text(step->u.items[1]), &want, NULL), VS_OK);
        assert_vs_code(realm_open(h->dir, &r, NULL), VS_OK); /* it was stored */
        assert_vs_code(realm_extend(r, 2, data, NULL), VS_OK);
        assert_span_eq(r->spec.rem[1], want);
        assert_span_eq(r->spec.rem[0], vs_span_of(zeros, sizeof zeros));
        realm_close(&r);
    }
    assert_vs_code(realm_open(h->dir, &r, NULL), VS_OK);
    assert_vs_code(realm_extend(r, 0, VS_LIT("x"), NULL), VS_E_INVALID);
    assert_vs_code(realm_extend(r, 5, VS_LIT("x"), NULL), VS_E_INVALID);
    assert_vs_code(realm_extend(r, 1, vs_span_of(text.p, 65), NULL), VS_E_INVALID);
    realm_close(&r);
    vs_buf_free(&text);
}

/* ---- at run time ----------------------------------------------------------------------------- */

static vs_span rem_of_token(home *h, realm_home *r, unsigned i)
{
    static const uint8_t challenge[CCA_CHALLENGE];
    vs_error err = {0};
    cca_token t;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    assert_vs_ok(realm_attest(r, vs_span_of(challenge, sizeof challenge), &token, &err), &err);
    vs_span kept = vs_dup(&h->a, vs_buf_span(&token));
    vs_buf_free(&token);
    assert_vs_ok(cca_token_decode(&h->a, kept, &t, &err), &err);
    return t.realm.rem[i];
}

static void a_served_realm_sees_measurements_that_were_extended_meanwhile(void **state)
{
    home *h = *state;
    realm_home *served = NULL, *other = NULL;
    uint8_t want[VS_HASH_MAX];
    assert_vs_code(create(h, NULL), VS_OK);
    assert_vs_code(realm_open(h->dir, &served, NULL), VS_OK);
    vs_span before = rem_of_token(h, served, 1);
    assert_vs_code(realm_open(h->dir, &other, NULL), VS_OK);
    assert_vs_code(realm_extend(other, 2, VS_LIT("kernel"), NULL), VS_OK);
    assert_vs_code(vs_digest(VS_SHA512, before, VS_LIT("kernel"), (vs_span){0}, want, NULL), VS_OK);
    assert_span_eq(rem_of_token(h, served, 1), vs_span_of(want, 64));
    assert_span_eq(rem_of_token(h, served, 0), before);
    /* Broken for a moment: an error, and not the old values. */
    static const uint8_t challenge[CCA_CHALLENGE];
    vs_buf token = VS_BUF(CCA_TOKEN_MAX), text = VS_BUF(1 << 16);
    assert_vs_code(vs_read_file(in(h, "realm.json"), &text, NULL), VS_OK);
    for (int i = 0; i < 2; i++) {
        assert_vs_code(vs_write_file(in(h, "realm.json"), VS_LIT("{"), 0644, NULL), VS_OK);
        assert_int_not_equal(
            realm_attest(served, vs_span_of(challenge, sizeof challenge), &token, NULL), VS_OK);
    }
    assert_vs_code(vs_write_file(in(h, "realm.json"), vs_buf_span(&text), 0644, NULL), VS_OK);
    assert_span_eq(rem_of_token(h, served, 1), vs_span_of(want, 64));
    vs_buf_free(&token);
    vs_buf_free(&text);
    realm_close(&served);
    realm_close(&other);
}

enum { EXTENDERS = 4, EXTENSIONS = 8 };

/* They all extend with the same data, so the result tells how often. */
static void extensions_at_once_are_all_there(void **state)
{
    home *h = *state;
    pid_t pids[EXTENDERS];
    int status;
    uint8_t want[VS_HASH_MAX] = {0};
    assert_vs_code(create(h, NULL), VS_OK);
    for (int i = 0; i < EXTENDERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            realm_home *r = NULL;
            bool ok = realm_open(h->dir, &r, NULL) == VS_OK;
            for (int k = 0; k < EXTENSIONS && ok; k++)
                ok = realm_extend(r, 1, VS_LIT("x"), NULL) == VS_OK;
            realm_close(&r);
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < EXTENDERS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < EXTENDERS * EXTENSIONS; i++)
        assert_vs_code(
            vs_digest(VS_SHA512, vs_span_of(want, 64), VS_LIT("x"), (vs_span){0}, want, NULL),
            VS_OK);
    realm_home *r = NULL;
    assert_vs_code(realm_open(h->dir, &r, NULL), VS_OK);
    assert_span_eq(rem_of_token(h, r, 0), vs_span_of(want, 64));
    realm_close(&r);
}

#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, make_home, drop_home)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_every_form_and_profile_verify),
        cmocka_unit_test(keys_of_every_curve_verify),
        cmocka_unit_test(a_raw_key_on_another_curve_is_refused),
        cmocka_unit_test(unknown_profiles_are_named_in_the_error),
        cmocka_unit_test(a_description_survives_writing_and_reading),
        IN_HOME(a_served_realm_sees_measurements_that_were_extended_meanwhile),
        IN_HOME(extensions_at_once_are_all_there),
        IN_HOME(a_directory_attests_under_the_configuration_it_holds),
        IN_HOME(private_keys_are_readable_by_the_owner_only),
        IN_HOME(a_directory_with_a_realm_is_not_overwritten),
        IN_HOME(a_broken_directory_does_not_open),
        IN_HOME(measurements_extend_as_the_public_known_answers_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
