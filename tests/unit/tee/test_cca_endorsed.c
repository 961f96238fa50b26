/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms and realms that the reference value provider endorses, without and beside the JSON
 * stores: keys, components, configuration, life cycle, RIM, REM, RPV, and what is wrong with
 * records. */
#include "endorsements.h"

#include "tee/cca/endorsed.h"
#include "tee/cca/verify.h"

typedef struct world {
    vs_arena a;
    soft_realm soft;
    provider p;
    cca_trust *trust; /* no stores */
    cca_component list[16];
    cca_token t;
    cca_verdict v;
    vs_code chain;
    char why[VS_ERROR_TEXT];
} world;

static const vs_span no_store;

static int start(void **state)
{
    world *w = calloc(1, sizeof *w);
    vs_arena_init(&w->a, 0);
    soft_start(&w->soft, VS_KEY_P256, VS_KEY_P256);
    memcpy(w->list, w->soft.spec.components, w->soft.spec.n_components * sizeof *w->list);
    w->soft.spec.components = w->list;
    provider_start(&w->p);
    endorse_soft(&w->p, &w->soft, &w->a);
    assert_vs_code(cca_trust_of_text(no_store, no_store, &w->trust, NULL), VS_OK);
    *state = w;
    return 0;
}

static int stop(void **state)
{
    world *w = *state;
    cca_trust_free(&w->trust);
    provider_stop(&w->p);
    soft_stop(&w->soft);
    vs_arena_free(&w->a);
    free(w);
    return 0;
}

/* Verifies and appraises a token of the realm as it is now. */
static vs_code appraise(world *w)
{
    vs_error err = {0};
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    cca_snapshot *s = NULL;
    const vs_tee_endorsements e = {provider_find, &w->p};
    soft_token(&w->soft, &token);
    vs_span bytes = vs_dup(&w->a, vs_buf_span(&token));
    vs_buf_free(&token);
    assert_vs_code(cca_trust_take(w->trust, &s, NULL), VS_OK);
    const cca_basis basis = {s, &e, &w->a};
    assert_vs_code(cca_token_decode(&w->a, bytes, &w->t, NULL), VS_OK);
    vs_code code = w->chain = cca_verify_chain(&basis, &w->t, &w->v, &err);
    if (code == VS_OK)
        code = cca_appraise(&basis, &w->t, &w->v, &err);
    cca_snapshot_release(&s);
    (void)vs_error_text(&err, w->why, sizeof w->why);
    return code;
}

static void expect(world *w, vs_code want, const char *why)
{
    vs_code code = appraise(w);
    if (code != want || (why && !strstr(w->why, why)))
        fail_msg("got %s \"%s\", want %s \"%s\"", vs_code_name(code), w->why, vs_code_name(want),
                 why ? why : "");
}

static void expect_vector(const ear_vector *got, const int want[EAR_CLAIMS])
{
    for (unsigned i = 0; i < EAR_CLAIMS; i++)
        if (!got->set[i] || got->value[i] != want[i])
            fail_msg("%s is %d, want %d", ear_claim_name((ear_claim)i), got->value[i], want[i]);
}

/* The i-th sentence of a list holds the text. */
static void expect_sentence(vs_val list, uint32_t i, const char *part)
{
    assert_int_equal(list.kind, VS_ARRAY);
    if (i >= list.len || !strstr((char *)vs_text(list.u.items[i]).p, part))
        fail_msg("sentence %u of %u is \"%.*s\", want \"%s\"", i, list.len,
                 VS_FMT(i < list.len ? vs_text(list.u.items[i]) : VS_LIT("")), part);
}

static const char *platform_name(world *w)
{
    return record_name(&w->a, "cca.platform.", w->soft.spec.implementation_id);
}

static const char *realm_name(world *w)
{
    return record_name(&w->a, "cca.realm.", w->soft.spec.rim);
}

static vs_val object(world *w, const char *json)
{
    vs_val v;
    assert_vs_code(vs_json_parse(&w->a, vs_str(json), NULL, &v, NULL), VS_OK);
    return v;
}

/* ---- everything endorsed ------------------------------------------------------------------------
 */

static void endorsements_alone_are_enough(void **state)
{
    world *w = *state;
    expect(w, VS_OK, NULL);
    expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 2, 2, 0, 2, 2, 2, 0});
    expect_vector(&w->v.realm, (const int[EAR_CLAIMS]){2, 0, 2, 0, 0, 0, 0, 0});
    assert_true(w->v.platform_matched && w->v.realm_known && w->v.rim_endorsed);
    assert_null(w->v.anchor->cpak);
    const vs_val by = vs_pointer(w->v.platform_by, VS_LIT("/0"));
    assert_span_is(vs_text(vs_getc(by, "record")), platform_name(w));
    assert_span_is(vs_text(vs_getc(by, "corim")), "test corim");
    assert_span_is(vs_text(vs_getc(by, "tag")), "test tag");
    assert_int_equal(vs_getc(by, "version").u.i, 3);
    assert_span_is(vs_text(vs_getc(w->v.key_by, "record")), cpak_name(&w->soft, &w->a));
    assert_int_equal(w->v.platform_mismatches.len + w->v.realm_mismatches.len, 0);
    assert_int_equal(w->p.asked, 3);
}

static void a_provider_that_does_not_answer_is_no_endorsement(void **state)
{
    world *w = *state;
    w->p.fail = VS_E_IO;
    expect(w, VS_E_IO, "the provider does not answer");
    assert_int_equal(w->v.platform.value[EAR_INSTANCE_IDENTITY], -1);
    assert_null(w->v.anchor);
    /* The key is in a store, but the rest cannot be had. */
    vs_buf ta = VS_BUF(1 << 16);
    assert_vs_code(realm_ta_store(&w->soft.spec, &w->soft.keys, &ta, NULL), VS_OK);
    cca_trust_free(&w->trust);
    assert_vs_code(cca_trust_of_text(vs_buf_span(&ta), no_store, &w->trust, NULL), VS_OK);
    expect(w, VS_E_IO, "looking up endorsement cca.platform.");
    assert_int_equal(w->chain, VS_OK);
    for (unsigned i = 0; i < EAR_CLAIMS; i++)
        assert_true(w->v.platform.value[i] == -1 && w->v.realm.value[i] == -1);
    vs_buf_free(&ta);
}

/* ---- keys ---------------------------------------------------------------------------------------
 */

static void exactly_one_usable_key_is_needed(void **state)
{
    world *w = *state;
    vs_arena *a = &w->a;
    const char *name = cpak_name(&w->soft, a);
    vs_val good = cpak_entry(&w->soft, a);
    soft_realm other;
    soft_start(&other, VS_KEY_P256, VS_KEY_P256);
    vs_val foreign = vs_with(a, cpak_entry(&other, a), vs_cstring("implementation-id"),
                             vs_cstring("00000000000000000000000000000000"
                                        "00000000000000000000000000000000"));

    provider_set(&w->p, name, NULL);
    expect(w, VS_E_UNTRUSTED, "no trust anchor has this instance id");
    assert_non_null(strstr(w->why, name));
    assert_int_equal(w->v.platform.value[EAR_INSTANCE_IDENTITY], 97);
    provider_set(&w->p, name, "[]");
    expect(w, VS_E_UNTRUSTED, "has no key for the platform token's implementation id");
    provider_set(&w->p, name, record_text(a, foreign, vs_undefined()));
    expect(w, VS_E_UNTRUSTED, "has no key for the platform token's implementation id");
    provider_set(&w->p, name, record_text(a, foreign, good));
    expect(w, VS_OK, NULL);
    assert_span_is(vs_text(vs_getc(w->v.key_by, "record")), name);
    provider_set(&w->p, name, record_text(a, good, good));
    expect(w, VS_E_UNTRUSTED, "has 2 keys for this implementation id, must have one");
    provider_set(&w->p, name, record_text(a, good, cpak_entry(&other, a)));
    expect(w, VS_E_UNTRUSTED, "has 2 keys");
    /* The ids of this platform, the key of another. */
    provider_set(&w->p, name, record_text(a, cpak_entry(&other, a), vs_undefined()));
    expect(w, VS_E_CRYPTO, "platform token: signature");
    assert_int_equal(w->v.platform.value[EAR_HARDWARE], 99);
    soft_stop(&other);
}

static void malformed_key_records_refuse_and_are_named(void **state)
{
    world *w = *state;
    static const struct {
        const char *json;
        vs_code want;
        const char *why;
    } bad[] = {
        {"{}", VS_E_INVALID, "is not an array"},
        {"null", VS_E_UNTRUSTED, "no trust anchor has this instance id"},
        {"\"key\"", VS_E_INVALID, "is not an array"},
        {"[1]", VS_E_INVALID, "entry 0"},
        {"[{}]", VS_E_INVALID, "entry 0: member \"implementation-id\" is missing"},
        {"[GOOD,{}]", VS_E_INVALID, "entry 1"},
        {"[{\"implementation-id\":\"00\",\"key\":{}}]", VS_E_INVALID, "has 1 bytes"},
        {"[{\"implementation-id\":\"zz\",\"key\":{}}]", VS_E_PARSE, "implementation-id"},
        {"[{\"implementation-id\":\"IMPL\"}]", VS_E_INVALID, "\"key\" is missing"},
        {"[{\"implementation-id\":\"IMPL\",\"key\":\"x\"}]", VS_E_INVALID, "\"key\" must be"},
        {"[{\"implementation-id\":\"IMPL\",\"key\":{}}]", VS_E_UNTRUSTED, "the key is unusable"},
        {"[{\"implementation-id\":\"IMPL\",\"key\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
         "\"AAAA\","
         "\"y\":\"AAAA\"}}]",
         VS_E_UNTRUSTED, "the key is unusable"},
        {"[{\"implementation-id\":\"IMPL\",\"key\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}]",
         VS_E_UNTRUSTED, "the key is unusable"},
    };
    const char *name = cpak_name(&w->soft, &w->a);
    const char *good = record_text(&w->a, cpak_entry(&w->soft, &w->a), vs_undefined());
    vs_span impl = vs_hex_encode_arena(&w->a, w->soft.spec.implementation_id);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        vs_buf json = VS_BUF(1 << 16);
        for (const char *p = bad[i].json; *p; p++) {
            if (strncmp(p, "IMPL", 4) == 0) {
                vs_buf_put(&json, impl);
                p += 3;
            } else if (strncmp(p, "GOOD", 4) == 0) {
                vs_buf_put(&json, vs_span_of(good + 1, strlen(good) - 2));
                p += 3;
            } else {
                vs_buf_putc(&json, *p);
            }
        }
        provider_set(&w->p, name, (char *)json.p);
        expect(w, bad[i].want, bad[i].why);
        assert_non_null(strstr(w->why, name));
        assert_null(w->v.anchor);
        vs_buf_free(&json);
    }
}

/* The operator's own list comes first: what the provider says does not soften it. */
static void the_trust_anchor_store_comes_first(void **state)
{
    world *w = *state;
    vs_buf ta = VS_BUF(1 << 16);
    assert_vs_code(realm_ta_store(&w->soft.spec, &w->soft.keys, &ta, NULL), VS_OK);
    cca_trust_free(&w->trust);
    assert_vs_code(cca_trust_of_text(vs_buf_span(&ta), no_store, &w->trust, NULL), VS_OK);
    provider_set(&w->p, cpak_name(&w->soft, &w->a), "malformed, but not asked for");
    expect(w, VS_OK, NULL);
    assert_int_equal(vs_getc(w->v.key_by, "ta-store").u.i, 0);
    /* An unusable key in the store is not replaced by an endorsed one. */
    char *x = strstr((char *)ta.p, "\"x\": \"");
    assert_non_null(x);
    memcpy(x + 6, "AAAA", 4);
    cca_trust_free(&w->trust);
    assert_vs_code(cca_trust_of_text(vs_buf_span(&ta), no_store, &w->trust, NULL), VS_OK);
    provider_set(&w->p, cpak_name(&w->soft, &w->a),
                 record_text(&w->a, cpak_entry(&w->soft, &w->a), vs_undefined()));
    expect(w, VS_E_CRYPTO, "the trust anchor's key is unusable");
    vs_buf_free(&ta);
}

/* ---- software components ------------------------------------------------------------------------
 */

enum { RMM = 8 }; /* its place in the list */

static void every_difference_of_a_component_is_told(void **state)
{
    world *w = *state;
    const cca_component good = w->list[RMM];
    vs_span other = w->list[0].value;
    uint8_t longer[48] = {0};
    memcpy(longer, good.value.p, 32);
    static const struct {
        const char *what, *why;
    } cases[] = {
        {"digest", "is not an endorsed value (1 endorsed), signer matches"},
        {"digest of another component",
         "is endorsed, signer matches, type \"RMM\" is not the endorsed \"RSE_BL1_2\""},
        {"signer", "is endorsed, signer "},
        {"type", "is endorsed, signer matches, type \"RMN\" is not the endorsed \"RMM\""},
        {"version", "is endorsed, signer matches, version \"9\" is not the endorsed \""},
        {"no type", "signer matches, type (none) is not the endorsed \"RMM\""},
        {"no version", "signer matches, version (none) is not the endorsed \""},
        {"all", "is not an endorsed value (0 endorsed), signer "},
        {"the digest and more", "is not an endorsed value (1 endorsed), signer matches"},
    };
    assert_span_is(good.type, "RMM");
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        cca_component *c = &w->list[RMM];
        *c = good;
        switch (i) {
        case 0: c->value = vs_span_of(w->soft.challenge, 48); break;
        case 1: c->value = other; break;
        case 2: c->signer_id = vs_span_head(other, 32); break;
        case 3: c->type = VS_LIT("RMN"); break;
        case 4: c->version = VS_LIT("9"); break;
        case 5: c->type = (vs_span){NULL, 0}; break;
        case 6: c->version = (vs_span){NULL, 0}; break;
        case 7:
            c->value = vs_span_of(w->soft.challenge, 64);
            c->signer_id = vs_span_head(other, 32);
            c->type = VS_LIT("X");
            c->version = VS_LIT("9");
            break;
        default: c->value = vs_span_of(longer, sizeof longer); break;
        }
        expect(w, VS_E_UNTRUSTED, cases[i].why);
        /* With another type, or none, it is another component and the endorsed one is not there. */
        bool other_type = !vs_span_eq(c->type, good.type);
        assert_int_equal(w->v.platform_mismatches.len, 1 + other_type);
        if (other_type)
            expect_sentence(w->v.platform_mismatches, 1, "no component \"RMM\": cca.platform.");
        expect_sentence(w->v.platform_mismatches, 0,
                        c->type.p
                            ? vs_sprintf(&w->a, "component 8 \"%.*s\": digest ", VS_FMT(c->type))
                            : "component 8: digest ");
        expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 2, 33, 0, 2, 2, 2, 0});
        /* The realm is judged all the same, for those who want the whole vector. */
        assert_int_equal(w->v.realm.value[EAR_EXECUTABLES], 2);
        assert_false(vs_defined(w->v.platform_by));
    }
}

/* The token leaves the component at `at` out. */
static void leave_out(world *w, size_t at)
{
    memmove(&w->list[at], &w->list[at + 1], (w->soft.spec.n_components - at - 1) * sizeof *w->list);
    w->soft.spec.n_components--;
}

static void put_back(world *w, const cca_component *all, size_t n)
{
    memcpy(w->list, all, n * sizeof *all);
    w->soft.spec.n_components = n;
}

static void components_may_be_in_another_order_but_neither_more_nor_fewer(void **state)
{
    world *w = *state;
    cca_component all[16];
    size_t n = w->soft.spec.n_components;
    memcpy(all, w->list, sizeof all);
    w->list[0] = all[5];
    w->list[5] = all[0];
    expect(w, VS_OK, NULL);
    w->list[n] = w->list[1];
    w->list[n].value = vs_span_of(w->soft.challenge, 48);
    w->soft.spec.n_components = n + 1;
    expect(w, VS_E_UNTRUSTED, vs_sprintf(&w->a, "component %zu", n));
    for (size_t i = 0; i < n; i++) {
        put_back(w, all, n);
        leave_out(w, i);
        expect(w, VS_E_UNTRUSTED,
               vs_sprintf(&w->a, "no component \"%.*s\": %s, entry 0, endorses one",
                          VS_FMT(all[i].type), platform_name(w)));
        assert_int_equal(w->v.platform_mismatches.len, 1);
        expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 2, 33, 0, 2, 2, 2, 0});
    }
    put_back(w, all, 1);
    expect(w, VS_E_UNTRUSTED, "no component \"");
    assert_int_equal(w->v.platform_mismatches.len, n - 1);
}

/* An entry that endorses n components. */
static vs_val entry_of(world *w, const cca_component *list, size_t n)
{
    vs_vec components = {.a = &w->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&components, endorsed_component(&w->a, &list[i]));
    return vs_with(&w->a, platform_entry(&w->soft, &w->a), vs_cstring("sw-components"),
                   vs_vec_end_array(&components));
}

static void another_release_may_have_fewer_components_but_then_all_of_its_own(void **state)
{
    world *w = *state;
    cca_component release1[16], release2[16];
    size_t n = w->soft.spec.n_components;
    memcpy(release2, w->list, sizeof release2);
    memcpy(release1, w->list, sizeof release1);
    for (size_t i = 0; i < n; i++)
        release1[i].value = vs_span_of(w->soft.challenge + i, 48);
    /* The last component is new in the second release. */
    provider_set(&w->p, platform_name(w),
                 record_text(&w->a, entry_of(w, release1, n - 1), entry_of(w, release2, n)));
    put_back(w, release1, n - 1);
    expect(w, VS_OK, NULL);
    put_back(w, release2, n);
    expect(w, VS_OK, NULL);
    put_back(w, release2, n - 1);
    expect(w, VS_E_UNTRUSTED, "entry 1, endorses one");
    w->list[0] = release1[0]; /* a mixture is whole as neither */
    expect(w, VS_E_UNTRUSTED, "entry 1, endorses one");
    put_back(w, release1, n - 2);
    expect(w, VS_E_UNTRUSTED, "entry 0, endorses one");
}

/* What nobody vouches for neither asks for a component nor stands in for one. */
static void a_stranger_makes_nothing_missing_and_nothing_dispensable(void **state)
{
    world *w = *state;
    cca_component all[16], more;
    size_t n = w->soft.spec.n_components;
    memcpy(all, w->list, sizeof all);
    more = all[0];
    more.type = VS_LIT("ZZ_NOT_THERE");
    vs_val strangers = vs_with(&w->a, entry_of(w, &more, 1), vs_cstring("vouched"), vs_bool(false));
    provider_set(&w->p, platform_name(w), record_text(&w->a, entry_of(w, all, n), strangers));
    expect(w, VS_OK, NULL);
    strangers = vs_with(&w->a, entry_of(w, all, 2), vs_cstring("vouched"), vs_bool(false));
    provider_set(&w->p, platform_name(w), record_text(&w->a, strangers, entry_of(w, all, n)));
    expect(w, VS_OK, NULL);
    leave_out(w, n - 1);
    expect(w, VS_E_UNTRUSTED, "entry 1, endorses one");
    assert_int_equal(w->v.platform_mismatches.len, 1);
}

static void the_part_of_each_supplier_must_be_there(void **state)
{
    world *w = *state;
    cca_component all[16];
    size_t n = w->soft.spec.n_components;
    memcpy(all, w->list, sizeof all);
    provider_set(&w->p, platform_name(w),
                 record_text(&w->a, entry_of(w, all, 3), entry_of(w, all + 3, n - 3)));
    expect(w, VS_OK, NULL);
    put_back(w, all, 3);
    expect(w, VS_E_UNTRUSTED, "entry 1, endorses one");
    assert_int_equal(w->v.platform_mismatches.len, n - 3);
    put_back(w, all, n);
    leave_out(w, 1);
    expect(w, VS_E_UNTRUSTED, "entry 0, endorses one");
    assert_int_equal(w->v.platform_mismatches.len, 1);
    /* One without a type is known by signer and digest. */
    cca_component untyped = all[0];
    untyped.type = (vs_span){NULL, 0};
    provider_set(&w->p, platform_name(w),
                 record_text(&w->a, entry_of(w, &untyped, 1), entry_of(w, all + 1, n - 1)));
    put_back(w, all, n);
    expect(w, VS_OK, NULL);
    leave_out(w, 0);
    expect(w, VS_E_UNTRUSTED, "no component of signer ");
}

static void any_endorsed_digest_will_do_and_labels_left_out_are_free(void **state)
{
    world *w = *state;
    vs_arena *a = &w->a;
    /* Two digests for one component, in one entry; another supplier endorses the rest. */
    vs_span old = w->list[RMM].value, new = vs_span_of(w->soft.challenge, 48);
    vs_obj c = {.a = a}, mine = {.a = a};
    vs_vec values = {.a = a}, list = {.a = a}, rest = {.a = a};
    vs_vec_add(&values, hex_value(a, new));
    vs_vec_add(&values, hex_value(a, old));
    vs_obj_put(&c, "measurement-values", vs_vec_end_array(&values));
    vs_obj_put(&c, "signer-id", hex_value(a, w->list[RMM].signer_id));
    vs_vec_add(&list, vs_obj_end(&c, VS_DUP_REFUSE, NULL));
    vs_obj_put(&mine, "sw-components", vs_vec_end_array(&list));
    for (size_t i = 0; i < w->soft.spec.n_components; i++)
        if (i != RMM)
            vs_vec_add(&rest, endorsed_component(a, &w->list[i]));
    vs_val his = vs_with(a, platform_entry(&w->soft, a), vs_cstring("sw-components"),
                         vs_vec_end_array(&rest));
    provider_set(&w->p, platform_name(w), record_text(a, end(&mine), his));
    expect(w, VS_OK, NULL);
    assert_int_equal(w->v.platform_by.len, 2);
    w->list[RMM].value = new;
    w->list[RMM].type = VS_LIT("anything");
    w->list[RMM].version = (vs_span){NULL, 0};
    expect(w, VS_OK, NULL);
    w->list[RMM].value = vs_span_of(w->soft.challenge, 64);
    expect(w, VS_E_UNTRUSTED, "is not an endorsed value (2 endorsed), signer matches");
}

static void all_mismatches_are_kept_and_the_first_are_in_the_error(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < w->soft.spec.n_components; i++)
        w->list[i].version = VS_LIT("0");
    w->soft.spec.config = VS_LIT("\1\2\3\4");
    w->soft.spec.lifecycle = 0x5001;
    expect(w, VS_E_UNTRUSTED, "component 0 ");
    assert_int_equal(w->v.platform_mismatches.len, w->soft.spec.n_components + 2);
    expect_sentence(w->v.platform_mismatches, 13,
                    "configuration 01020304 is not an endorsed value");
    expect_sentence(w->v.platform_mismatches, 14,
                    "lifecycle 0x5001 (recoverable-cca-platform-rot-debug) is not accepted");
    expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){96, 32, 33, 0, 2, 96, 96, 0});
}

/* ---- configuration ------------------------------------------------------------------------------
 */

static void the_configuration_is_compared_under_its_mask(void **state)
{
    world *w = *state;
    vs_arena *a = &w->a;
    static const struct {
        const char *config, *mask; /* NULL: left out */
        vs_code want;
        const char *why;
    } cases[] = {
        {"cfcfcfcf", NULL, VS_OK, NULL},
        {"CFCFCFCF", NULL, VS_OK, NULL},
        {"cfcfcfce", NULL, VS_E_UNTRUSTED, "(1 endorsed: cfcfcfce)"},
        {"cfcfcf", NULL, VS_E_UNTRUSTED, "is not an endorsed value"},
        {"cfcfcfcf00", NULL, VS_E_UNTRUSTED, "is not an endorsed value"},
        {"", NULL, VS_E_UNTRUSTED, "is not an endorsed value"},
        {NULL, NULL, VS_E_UNTRUSTED, "endorses no configuration"},
        {"cfcfcfce", "fffffffe", VS_OK, NULL},
        {"cfcfcfce", "ffffffff", VS_E_UNTRUSTED, "(1 endorsed: cfcfcfce under mask ffffffff)"},
        {"00000000", "00000000", VS_OK, NULL},
        {"000000cf", "000000ff", VS_OK, NULL},
        {"cfcfcf00", "000000ff", VS_E_UNTRUSTED, "under mask 000000ff"},
        {"cfcfcfcf", "ff", VS_E_INVALID, "\"config-mask\" has 1 bytes, must have the 4"},
        {NULL, "ffffffff", VS_E_INVALID, "\"config-mask\" has 4 bytes, must have the 0"},
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_val e = platform_entry(&w->soft, a);
        e = vs_with(a, e, vs_cstring("config"),
                    cases[i].config ? vs_cstring(cases[i].config) : vs_undefined());
        if (cases[i].mask)
            e = vs_with(a, e, vs_cstring("config-mask"), vs_cstring(cases[i].mask));
        provider_set(&w->p, platform_name(w), record_text(a, e, vs_undefined()));
        expect(w, cases[i].want, cases[i].why);
        if (cases[i].want != VS_E_INVALID)
            assert_int_equal(w->v.platform.value[EAR_CONFIGURATION],
                             cases[i].want == VS_OK ? 2 : 32);
    }
    /* Of two entries one fits. */
    vs_val wrong = vs_with(a, platform_entry(&w->soft, a), vs_cstring("config"), vs_cstring("00"));
    provider_set(&w->p, platform_name(w), record_text(a, wrong, platform_entry(&w->soft, a)));
    expect(w, VS_OK, NULL);
}

/* ---- life cycle ---------------------------------------------------------------------------------
 */

static void a_lifecycle_that_is_not_accepted_shows_in_three_claims(void **state)
{
    world *w = *state;
    for (unsigned l = 0; l < CCA_LIFECYCLES; l++) {
        w->soft.spec.lifecycle = (uint16_t)(l << 12 | 0x12);
        vs_code code = appraise(w);
        assert_int_equal(code, l == CCA_SECURED ? VS_OK : VS_E_UNTRUSTED);
        int8_t want = code == VS_OK ? 2 : 96;
        assert_int_equal(w->v.platform.value[EAR_INSTANCE_IDENTITY], want);
        assert_int_equal(w->v.platform.value[EAR_RUNTIME_OPAQUE], want);
        assert_int_equal(w->v.platform.value[EAR_STORAGE_OPAQUE], want);
        assert_int_equal(w->v.lifecycle_accepted, code == VS_OK);
    }
}

/* ---- realms -------------------------------------------------------------------------------------
 */

/* `json` has letters for what the realm has: R its RPV, A its REM 0, X another one. */
static vs_val realm_entry_of(world *w, const char *json)
{
    vs_buf text = VS_BUF(1 << 14);
    uint8_t other[64];
    memset(other, 0x77, sizeof other);
    for (const char *p = json; *p; p++) {
        vs_span bytes = *p == 'R'   ? w->soft.spec.rpv
                        : *p == 'A' ? w->soft.spec.rem[0]
                        : *p == 'X' ? vs_span_of(other, sizeof other)
                                    : (vs_span){NULL, 0};
        if (bytes.p) {
            vs_buf_putc(&text, '"');
            vs_hex_encode(&text, bytes);
            vs_buf_putc(&text, '"');
        } else {
            vs_buf_putc(&text, *p == '\'' ? '"' : *p);
        }
    }
    vs_span kept = vs_dup(&w->a, vs_buf_span(&text));
    vs_buf_free(&text);
    return object(w, (const char *)kept.p);
}

#define N CCA_NOTHING_ENDORSED
#define C CCA_CONTRADICTED
#define E CCA_ENDORSED
static void realms_are_judged_by_rim_rpv_and_rem(void **state)
{
    world *w = *state;
    static const struct {
        const char *one, *two;
        int executables;
        cca_endorsed rpv, rem[CCA_REMS];
        const char *why;
    } cases[] = {
        {NULL, NULL, 33, N, {N, N, N, N}, NULL}, /* an empty record */
        {"{}", NULL, 2, N, {N, N, N, N}, NULL},
        {"{'rpv':R}", NULL, 2, E, {N, N, N, N}, NULL},
        {"{'rpv':X}", NULL, 96, C, {N, N, N, N}, "RPV "},
        {"{'rem':[A,A,A,A]}", NULL, 2, N, {E, E, E, E}, NULL},
        {"{'rem':[null,A,null,A],'rpv':R}", NULL, 2, E, {N, E, N, E}, NULL},
        {"{'rem':[A,X,A,null]}", NULL, 3, N, {E, C, E, N}, "REM 1 "},
        {"{'rem':[A,X,A,A],'rpv':X}", NULL, 96, C, {E, C, E, E}, "RPV "},
        {"{'rpv':X}", "{'rpv':R}", 2, E, {N, N, N, N}, NULL},
        {"{'rpv':R}", "{'rpv':X}", 2, E, {N, N, N, N}, NULL},
        {"{'rem':[X,X,X,X]}", "{'rem':[A,A,A,A]}", 2, N, {E, E, E, E}, NULL},
        {"{'rpv':X}", "{'rem':[A,A,A,X]}", 3, N, {E, E, E, C}, "REM 3 "},
        {"{'rpv':'00'}", NULL, 96, C, {N, N, N, N}, "RPV "}, /* not a prefix of 64 zeros */
    };
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        provider_set(&w->p, realm_name(w),
                     record_text(&w->a,
                                 cases[i].one ? realm_entry_of(w, cases[i].one) : vs_undefined(),
                                 cases[i].two ? realm_entry_of(w, cases[i].two) : vs_undefined()));
        expect(w, VS_OK, NULL); /* what a realm is worth is for policy to say */
        if (w->v.realm.value[EAR_EXECUTABLES] != cases[i].executables)
            fail_msg("case %zu: %d", i, w->v.realm.value[EAR_EXECUTABLES]);
        assert_int_equal(w->v.rpv, cases[i].rpv);
        assert_memory_equal(w->v.rem, cases[i].rem, sizeof w->v.rem);
        assert_int_equal(w->v.rim_endorsed, cases[i].one != NULL);
        assert_int_equal(w->v.realm_known, cases[i].executables == 2);
        assert_int_equal(w->v.realm_by.len, cases[i].executables == 2);
        if (cases[i].why)
            expect_sentence(w->v.realm_mismatches, 0, cases[i].why);
        else
            assert_int_equal(w->v.realm_mismatches.len, 0);
    }
    provider_set(&w->p, realm_name(w), NULL);
    expect(w, VS_OK, NULL);
    assert_int_equal(w->v.realm.value[EAR_EXECUTABLES], 33);
}

/* ---- malformed records --------------------------------------------------------------------------
 */

#define H32 "'0000000000000000000000000000000000000000000000000000000000000001'"
static void malformed_records_refuse_and_are_named(void **state)
{
    world *w = *state;
    static const struct {
        bool realm;
        const char *json;
        vs_code want;
        const char *why;
    } bad[] = {
        {false, "{}", VS_E_INVALID, "is not an array"},
        {false, "[[]]", VS_E_INVALID, "entry 0"},
        {false, "[{'sw-components':{}}]", VS_E_INVALID, "\"sw-components\" must be"},
        {false, "[{'sw-components':[1]}]", VS_E_INVALID, "\"sw-components\" 0"},
        {false, "[{},{'sw-components':[{}]}]", VS_E_INVALID, "entry 1: \"sw-components\" 0"},
        {false, "[{'sw-components':[{'signer-id':" H32 "}]}]", VS_E_INVALID,
         "\"measurement-values\" is missing"},
        {false, "[{'sw-components':[{'signer-id':" H32 ",'measurement-values':[]}]}]", VS_E_INVALID,
         "\"measurement-values\" is empty"},
        {false, "[{'sw-components':[{'signer-id':" H32 ",'measurement-values':['00']}]}]",
         VS_E_INVALID, "\"measurement-values\" 0: has 1 bytes"},
        {false, "[{'sw-components':[{'signer-id':" H32 ",'measurement-values':[" H32 ",7]}]}]",
         VS_E_INVALID, "\"measurement-values\" 1: must be a string"},
        {false, "[{'sw-components':[{'measurement-values':[" H32 "]}]}]", VS_E_INVALID,
         "\"signer-id\" is missing"},
        {false, "[{'sw-components':[{'signer-id':'00','measurement-values':[" H32 "]}]}]",
         VS_E_INVALID, "\"signer-id\" has 1 bytes"},
        {false,
         "[{'sw-components':[{'signer-id':" H32 ",'measurement-values':[" H32 "],'version':1}]}]",
         VS_E_INVALID, "\"version\" must be"},
        {false, "[{'config':'zz'}]", VS_E_PARSE, "\"config\""},
        {false, "[{'config':'0'}]", VS_E_PARSE, "\"config\""},
        {false, "[{'config':1}]", VS_E_INVALID, "\"config\" must be"},
        {true, "{}", VS_E_INVALID, "is not an array"},
        {true, "['']", VS_E_INVALID, "entry 0"},
        {true, "[{'rem':{}}]", VS_E_INVALID, "\"rem\" must be"},
        {true, "[{'rem':[]}]", VS_E_INVALID, "\"rem\" has 0 items"},
        {true, "[{'rem':[null,null,null]}]", VS_E_INVALID, "\"rem\" has 3 items"},
        {true, "[{},{'rem':[null,null,null,1]}]", VS_E_INVALID, "entry 1: \"rem\" 3"},
        {true, "[{'rem':[null,'00',null,null]}]", VS_E_INVALID, "\"rem\" 1: has 1 bytes"},
        {true, "[{'rpv':'0g'}]", VS_E_PARSE, "\"rpv\""},
        {true, "[{'rpv':[]}]", VS_E_INVALID, "\"rpv\" must be"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        char json[512];
        (void)snprintf(json, sizeof json, "%s", bad[i].json);
        for (char *p = json; *p; p++)
            *p = *p == '\'' ? '"' : *p;
        endorse_soft(&w->p, &w->soft, &w->a);
        const char *name = bad[i].realm ? realm_name(w) : platform_name(w);
        provider_set(&w->p, name, json);
        expect(w, bad[i].want, bad[i].why);
        assert_non_null(strstr(w->why, name));
    }
}

/* ---- beside the JSON stores
 * ----------------------------------------------------------------------
 */

static void store_and_endorsement_may_each_vouch_for_a_platform(void **state)
{
    world *w = *state;
    vs_buf rv = VS_BUF(1 << 16);
    assert_vs_code(realm_rv_store(&w->soft.spec, &rv, NULL), VS_OK);
    cca_trust_free(&w->trust);
    assert_vs_code(cca_trust_of_text(no_store, vs_buf_span(&rv), &w->trust, NULL), VS_OK);
    /* The store matches: the vector of Trustee's verifier, and the record is not needed. */
    provider_set(&w->p, platform_name(w), "[1]");
    provider_set(&w->p, realm_name(w), NULL);
    expect(w, VS_OK, NULL);
    expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 2, 2, 0, 2, 32, 0, 0});
    assert_int_equal(vs_getc(w->v.platform_by.u.items[0], "rv-store").u.i, 0);
    assert_int_equal(vs_getc(w->v.realm_by.u.items[0], "rv-store").u.i, 0);
    assert_true(w->v.realm_known && !w->v.rim_endorsed);
    /* New firmware that only the provider knows; then one that nobody does. */
    w->list[RMM].version = VS_LIT("2.0");
    provider_set(&w->p, platform_name(w),
                 record_text(&w->a, platform_entry(&w->soft, &w->a), vs_undefined()));
    expect(w, VS_OK, NULL);
    expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 2, 2, 0, 2, 2, 2, 0});
    w->list[RMM].version = VS_LIT("3.0");
    expect(w, VS_E_UNTRUSTED, "version \"3.0\" is not the endorsed \"2.0\"");
    expect_sentence(w->v.platform_mismatches, 1, "rv-store entry 0");
    /* Without a record it is the store's verdict, with its reasons. */
    provider_set(&w->p, platform_name(w), NULL);
    expect(w, VS_E_UNTRUSTED, "is the value of rv-store entry 0, signer matches, version \"3.0\"");
    expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 0, 0, 0, 97, 0, 0, 0});
    expect_vector(&w->v.realm, (const int[EAR_CLAIMS]){0});
    w->soft.spec.n_components--;
    w->soft.spec.config = VS_LIT("\1");
    expect(w, VS_E_UNTRUSTED, "12 software components, rv-store entry 0 has 13");
    expect_sentence(w->v.platform_mismatches, 2,
                    "configuration 01 is not the cfcfcfcf of rv-store");
    vs_buf_free(&rv);
}

static void a_platform_nobody_endorses_is_refused_naming_what_was_looked_for(void **state)
{
    world *w = *state;
    provider_set(&w->p, platform_name(w), NULL);
    expect(w, VS_E_UNTRUSTED, "no reference entry for this implementation id");
    assert_non_null(strstr(w->why, platform_name(w)));
    expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 32, 33, 0, 2, 2, 2, 0});
    provider_set(&w->p, platform_name(w), "[]");
    expect(w, VS_E_UNTRUSTED, "endorses no software components");
    expect_vector(&w->v.platform, (const int[EAR_CLAIMS]){2, 32, 33, 0, 2, 2, 2, 0});
}

static void hostile_text_in_a_token_stays_text_in_a_sentence(void **state)
{
    world *w = *state;
    static char name[4096];
    memset(name, 'n', sizeof name);
    w->list[RMM].type = vs_span_of(name, sizeof name);
    expect(w, VS_E_UNTRUSTED, "component 8 \"nnnn");
    assert_true(vs_text(w->v.platform_mismatches.u.items[0]).n < 1024);
    w->list[RMM].type = VS_LIT("a\"b\n%s%n");
    expect(w, VS_E_UNTRUSTED, "component 8 \"a\"b?%s%n\": digest");
}

static void running_out_of_memory_is_never_a_verdict(void **state)
{
    world *w = *state;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    cca_snapshot *s = NULL;
    const vs_tee_endorsements e = {provider_find, &w->p};
    soft_token(&w->soft, &token);
    assert_vs_code(cca_trust_take(w->trust, &s, NULL), VS_OK);
    bool worked = false;
    for (size_t cap = 64; !worked && cap < 1 << 20; cap += cap / 16 + 16) {
        vs_arena small;
        vs_arena_init(&small, cap);
        const cca_basis basis = {s, &e, &small};
        cca_token t;
        cca_verdict v;
        vs_code code = cca_token_decode(&small, vs_buf_span(&token), &t, NULL);
        if (code == VS_OK)
            code = cca_verify_chain(&basis, &t, &v, NULL);
        if (code == VS_OK)
            code = cca_appraise(&basis, &t, &v, NULL);
        worked = code == VS_OK;
        assert_true(worked || code == VS_E_NOMEM);
        vs_arena_free(&small);
    }
    assert_true(worked);
    cca_snapshot_release(&s);
    vs_buf_free(&token);
}

/* The shortest text of a component has 171 bytes, so this is as many as a stored record can have.
 */
static void the_fullest_record_is_read(void **state)
{
    enum { MOST = (16 << 20) / 171 };
    world *w = *state;
    vs_error err = {0};
    vs_vec list = {.a = &w->a};
    vs_val component;
    static const char text[] =
        "{\"measurement-values\":["
        "\"0000000000000000000000000000000000000000000000000000000000000000\"],\"signer-id\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}";
    _Static_assert(sizeof text == 171, "with the comma behind it");
    assert_vs_code(vs_json_parse(&w->a, vs_str(text), NULL, &component, &err), VS_OK);
    for (unsigned i = 0; i < MOST; i++)
        vs_vec_add(&list, component);
    vs_vec entries = {.a = &w->a};
    vs_obj entry = {.a = &w->a};
    vs_obj_put(&entry, "sw-components", vs_vec_end_array(&list));
    vs_vec_add(&entries, vs_obj_end(&entry, VS_DUP_REFUSE, NULL));
    cca_platform_record r = {.record = {"cca.platform.00", vs_vec_end_array(&entries)}};
    assert_vs_code(cca_read_platform_record(&w->a, &r, &err), VS_OK);
    assert_int_equal(r.n_components, MOST);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        T(endorsements_alone_are_enough),
        T(a_provider_that_does_not_answer_is_no_endorsement),
        T(exactly_one_usable_key_is_needed),
        T(malformed_key_records_refuse_and_are_named),
        T(the_trust_anchor_store_comes_first),
        T(every_difference_of_a_component_is_told),
        T(components_may_be_in_another_order_but_neither_more_nor_fewer),
        T(another_release_may_have_fewer_components_but_then_all_of_its_own),
        T(the_part_of_each_supplier_must_be_there),
        T(a_stranger_makes_nothing_missing_and_nothing_dispensable),
        T(any_endorsed_digest_will_do_and_labels_left_out_are_free),
        T(all_mismatches_are_kept_and_the_first_are_in_the_error),
        T(the_configuration_is_compared_under_its_mask),
        T(a_lifecycle_that_is_not_accepted_shows_in_three_claims),
        T(realms_are_judged_by_rim_rpv_and_rem),
        T(malformed_records_refuse_and_are_named),
        T(store_and_endorsement_may_each_vouch_for_a_platform),
        T(a_platform_nobody_endorses_is_refused_naming_what_was_looked_for),
        T(hostile_text_in_a_token_stays_text_in_a_sentence),
        T(running_out_of_memory_is_never_a_verdict),
        T(the_fullest_record_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
