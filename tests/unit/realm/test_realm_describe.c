/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions reach every claim; what is emitted has the form of the shared vectors; and
 * endorsements as templates of manifests. */
#include "verified.h"

#include "value/json.h"

#define H32 "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

/* ---- everything a token can say ---------------------------------------------------------------
 */

/* One of each claim of 2.0.0, and a component and a device with all members. */
static const char everything[] =
    "profile = \"2.0.0\"\nform = 907\nhash-algorithm = \"sha-384\"\n"
    "rak-hash-algorithm = \"sha-512\"\nplatform-hash-algorithm = \"sha-384\"\n"
    "lifecycle = \"secured\"\nmec-policy = \"private\"\nlfa-policy = \"allow\"\n"
    "manufacturing-configuration = \"c0ffee\"\nplatform-configuration = \"0102\"\n"
    "devices-hash = \"" H32 H32 "\"\n"
    "realm-instance-id = \"01" H32 "\"\ninstance-id = \"01" H32 "\"\n"
    "[[devices]]\nhash-algorithm = \"sha-512\"\nmeasurement = \"" H32 H32 "\"\n"
    "certificate = \"" H32 "\"\nuses-ide = true\nprotocol = \"SPDM\"\nvca = \"" H32 "\"\n"
    "[[devices]]\nuses-ide = false\n"
    "[[sw-components]]\ncomponent-type = \"RMM\"\nversion = \"2.0\"\nsigner-id = \"" H32 "\"\n"
    "measurement-value = \"" H32 H32 "\"\nhash-algorithm = \"sha-512\"\n"
    "live-activation = true\ncountersigners = [\"" H32 "\", \"" H32 H32 "\"]\n"
    "[[sw-components]]\nsigner-id = \"" H32 "\"\nmeasurement-value = \"" H32 "\"\n";

static void a_description_reaches_every_claim_of_a_token(void **state)
{
    (void)state;
    soft_realm s;
    char why[VS_ERROR_TEXT];
    vs_error err = {0};
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    cca_token t;
    soft_start(&s, VS_KEY_P521, VS_KEY_P384);
    assert_vs_ok(realm_spec_describe(&s.arena, vs_str(everything), true, &s.spec, &err), &err);
    if (verify(&s, why) != VS_OK)
        fail_msg("%s", why);
    soft_token(&s, &token);
    assert_vs_ok(cca_token_decode(&s.arena, vs_buf_span(&token), &t, &err), &err);
    assert_int_equal(t.tag, CCA_TAG_CMW);
    assert_int_equal(t.platform_cose.alg, VS_ES512);
    assert_int_equal(t.platform.lifecycle, CCA_SECURED);
    assert_int_equal(t.platform.hash, VS_SHA384);
    assert_int_equal(t.platform.challenge.n, 64);
    assert_int_equal(t.platform.manufacturing_config.n, 3);
    assert_span_eq(t.platform.config, VS_LIT("\1\2"));
    assert_int_equal(t.platform.instance_id.p[1], 0x5a);
    assert_int_equal(t.platform.n_devices, 2);
    assert_true(t.platform.devices[0].uses_ide == 1 && t.platform.devices[1].uses_ide == 0);
    assert_span_is(t.platform.devices[0].protocol, "SPDM");
    assert_true(t.platform.devices[0].vca.n == 32 && t.platform.devices[0].measurement.n == 64);
    assert_int_equal(t.platform.n_components, 2);
    assert_int_equal(t.platform.components[0].live_activation, 1);
    assert_int_equal(t.platform.components[0].n_countersigners, 2);
    assert_int_equal(t.platform.components[0].countersigners[1].n, 64);
    assert_true(t.platform.components[1].live_activation == -1 && !t.platform.components[1].type.p);
    assert_true(t.realm.mec_policy == 1 && t.realm.lfa_policy == 1);
    assert_true(t.realm.devices_hash.n == 64 && t.realm.rim.n == 48 && t.realm.rem[3].n == 48);
    assert_int_equal(t.realm.instance_id.p[32], 0x5a);
    vs_buf_free(&token);
    soft_stop(&s);
}

static void a_description_of_everything_survives_writing_and_reading(void **state)
{
    (void)state;
    soft_realm s;
    realm_spec back;
    vs_buf one = VS_BUF(1 << 16), two = VS_BUF(1 << 16);
    soft_start(&s, VS_KEY_P256, VS_KEY_P256);
    assert_vs_code(realm_spec_describe(&s.arena, vs_str(everything), true, &s.spec, NULL), VS_OK);
    s.spec.client_id = 2;
    s.spec.rak_form = REALM_RAK_RAW;
    assert_vs_code(realm_spec_write(&s.spec, &one, NULL), VS_OK);
    assert_vs_code(realm_spec_read(&s.arena, vs_buf_span(&one), &back, NULL), VS_OK);
    assert_vs_code(realm_spec_write(&back, &two, NULL), VS_OK);
    assert_string_equal((char *)one.p, (char *)two.p);
    vs_buf_free(&one);
    vs_buf_free(&two);
    soft_stop(&s);
}

static void what_a_description_gets_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"[]", "an object"},
        {"{\"rim\":\"00\"}", "unknown member \"rim\""},
        {"{\"profile\":\"3.0.0\"}", "unknown profile"},
        {"{\"profile\":3}", "\"profile\""},
        {"{\"form\":400}", "399 or 907"},
        {"{\"lifecycle\":\"safe\"}", "is not a lifecycle state"},
        {"{\"lifecycle\":65536}", "lifecycle"},
        {"{\"client-id\":-1}", "client-id"},
        {"{\"hash-algorithm\":\"sha-1\"}", "\"sha-384\""},
        {"{\"initial-measurement\":\"0g\"}", "initial-measurement"},
        {"{\"extensible-measurements\":[]}", "must have 4 items"},
        {"{\"mec-policy\":\"secret\"}", "\"shared\" or \"private\""},
        {"{\"lfa-policy\":1}", "lfa-policy"},
        {"{\"rak-encoding\":\"der\"}", "\"raw\" or \"cose-key\""},
        {"{\"devices\":[{\"ide\":true}]}", "\"devices\" 0: unknown member \"ide\""},
        {"{\"devices\":[7]}", "must be an object"},
        {"{\"sw-components\":[{}]}", "measurement-value"},
        {"{\"sw-components\":[{\"measurement-value\":\"00\",\"signer-id\":\"00\","
         "\"live-activation\":1}]}",
         "live-activation"},
    };
    vs_arena a;
    vs_arena_init(&a, 0);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        realm_spec spec;
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        assert_int_not_equal(realm_spec_describe(&a, vs_str(cases[i].json), false, &spec, &err),
                             VS_OK);
        if (!strstr(vs_error_text(&err, text, sizeof text), cases[i].why))
            fail_msg("%s: %s", cases[i].json, text);
    }
    vs_arena_free(&a);
}

static void a_rim_alone_selects_the_hash_and_a_hash_the_rim(void **state)
{
    (void)state;
    vs_arena a;
    realm_spec spec;
    vs_arena_init(&a, 0);
    assert_vs_code(realm_spec_describe(&a, VS_LIT("{\"initial-measurement\":\"" H32 "\"}"), false,
                                       &spec, NULL),
                   VS_OK);
    assert_true(spec.hash == VS_SHA256 && spec.rim.n == 32 && spec.rem[0].n == 32);
    assert_vs_code(
        realm_spec_describe(&a, VS_LIT("{\"hash-algorithm\":\"sha-384\"}"), false, &spec, NULL),
        VS_OK);
    assert_true(spec.rim.n == 48 && spec.rem[3].n == 48);
    vs_arena_free(&a);
}

/* Lifecycles that are not "secured" give tokens that are whole and are refused. */
static void tokens_of_every_lifecycle_are_made(void **state)
{
    (void)state;
    soft_realm s;
    char why[VS_ERROR_TEXT];
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    for (unsigned l = 0; l < CCA_LIFECYCLES; l++) {
        s.spec.lifecycle = (uint16_t)(l << 12 | 0x2a);
        vs_code want = l == CCA_SECURED ? VS_OK : VS_E_UNTRUSTED;
        assert_vs_code(verify(&s, why), want);
        if (want != VS_OK)
            assert_non_null(strstr(why, cca_lifecycle_name((cca_lifecycle)l)));
    }
    s.spec.lifecycle = 0x7000;
    assert_vs_code(verify(&s, why), VS_E_INVALID);
    soft_stop(&s);
}

static void a_key_in_the_form_of_another_profile_is_refused(void **state)
{
    (void)state;
    soft_realm s;
    char why[VS_ERROR_TEXT];
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    s.spec.rak_form = REALM_RAK_RAW;
    assert_vs_code(verify(&s, why), VS_E_INVALID);
    assert_vs_code(realm_spec_set_profile(&s.spec, "legacy", NULL), VS_OK);
    assert_vs_code(verify(&s, why), VS_OK);
    s.spec.rak_form = REALM_RAK_COSE_KEY;
    assert_vs_code(verify(&s, why), VS_E_INVALID);
    soft_stop(&s);
}

/* ---- shared vectors -------------------------------------------------------------------------- */

static void key_of_jwk(const char *file, vs_key **out)
{
    vs_arena a;
    vs_buf text = VS_BUF(1 << 16);
    vs_val jwk;
    vs_arena_init(&a, 0);
    read_shared(file, &text);
    assert_vs_code(vs_json_parse(&a, vs_buf_span(&text), NULL, &jwk, NULL), VS_OK);
    assert_vs_code(vs_key_from_jwk(jwk, true, true, out, NULL, NULL), VS_OK);
    vs_buf_free(&text);
    vs_arena_free(&a);
}

/* What a decoded token says, as a description. */
static realm_spec spec_of_token(const cca_token *t)
{
    const cca_platform *p = &t->platform;
    const cca_realm *r = &t->realm;
    realm_spec spec = {.tag = t->tag,
                       .platform_profile = p->profile->uri,
                       .realm_profile = r->profile->uri,
                       .platform_hash = p->hash,
                       .hash = r->hash,
                       .rak_hash = r->rak_hash,
                       .rim = r->rim,
                       .rpv = r->rpv,
                       .implementation_id = p->implementation_id,
                       .instance_id = p->instance_id,
                       .config = p->config,
                       .lifecycle = p->lifecycle_value,
                       .service = p->service,
                       .components = p->components,
                       .n_components = p->n_components,
                       .client_id = 1,
                       .manufacturing_config = p->manufacturing_config,
                       .devices = p->devices,
                       .n_devices = p->n_devices,
                       .realm_instance_id = r->instance_id,
                       .mec_policy = r->mec_policy,
                       .lfa_policy = r->lfa_policy,
                       .devices_hash = r->devices_hash};
    memcpy(spec.rem, r->rem, sizeof spec.rem);
    return spec;
}

/* All members of a claims map, whatever their order, encoded as they are in the other one. */
static void expect_same_claims(const char *file, vs_span got, vs_span want)
{
    vs_cbor c = vs_cbor_of(want, NULL);
    size_t n = vs_cbor_map(&c);
    vs_cbor other = vs_cbor_of(got, NULL);
    if (n != vs_cbor_map(&other))
        fail_msg("%s: another number of claims", file);
    if (got.n != want.n)
        fail_msg("%s: %zu bytes, not %zu", file, got.n, want.n);
    for (size_t i = 0; i < n; i++) {
        int64_t key = vs_cbor_int(&c);
        vs_span value = vs_cbor_skip(&c), found = {0};
        vs_cbor o = vs_cbor_of(got, NULL);
        (void)vs_cbor_map(&o);
        for (size_t k = 0; k < n && !found.n; k++) {
            bool same = vs_cbor_int(&o) == key;
            vs_span v = vs_cbor_skip(&o);
            found = same ? v : found;
        }
        if (!vs_span_eq(found, value))
            fail_msg("%s: claim %lld differs", file, (long long)key);
    }
}

static void what_it_emits_has_the_form_of_the_shared_vectors(void **state)
{
    (void)state;
    static const char *const files[] = {"derived-ok-legacy-399.cbor",
                                        "derived-ok-cmw-907-legacy.cbor",
                                        "derived-ok-cmw-907-profile-1.0.0.cbor",
                                        "derived-ok-cmw-907-mixed-platform-legacy-realm-1.0.0.cbor",
                                        "derived-ok-cmw-907-rmm2-realm-2.0.0.cbor",
                                        "derived-ok-cmw-907-rmm2-both-2.0.0-sha384.cbor",
                                        "derived-ok-rak-hash-sha-512.cbor",
                                        "derived-edge-lifecycle-0x3001-secured.cbor",
                                        "derived-edge-lifecycle-0x5000-recoverable-debug.cbor",
                                        "trustee-example-legacy-es384.cbor"};
    need_shared("data/cca/tokens");
    realm_keys keys = {0};
    key_of_jwk("data/cca/trust/tfa-cpak-priv.jwk", &keys.cpak);
    key_of_jwk("data/cca/trust/tfa-rak-priv.jwk", &keys.rak);
    for (size_t i = 0; i < VS_COUNT(files); i++) {
        char path[256];
        vs_arena a;
        vs_error err = {0};
        vs_buf in = VS_BUF(1 << 16), out = VS_BUF(1 << 16);
        cca_token t, mine;
        vs_arena_init(&a, 0);
        (void)snprintf(path, sizeof path, "data/cca/tokens/%s", files[i]);
        read_shared(path, &in);
        assert_vs_ok(cca_token_decode(&a, vs_buf_span(&in), &t, &err), &err);
        realm_spec spec = spec_of_token(&t);
        assert_vs_ok(realm_token(&spec, &keys, t.realm.challenge, &out, &err), &err);
        assert_vs_ok(cca_token_decode(&a, vs_buf_span(&out), &mine, &err), &err);
        assert_int_equal(out.n, in.n);
        assert_span_eq(mine.platform_cose.protected_bytes, t.platform_cose.protected_bytes);
        assert_span_eq(mine.realm_cose.protected_bytes, t.realm_cose.protected_bytes);
        expect_same_claims(files[i], mine.platform_cose.payload, t.platform_cose.payload);
        expect_same_claims(files[i], mine.realm_cose.payload, t.realm_cose.payload);
        vs_buf_free(&in);
        vs_buf_free(&out);
        vs_arena_free(&a);
    }
    realm_keys_free(&keys);
}

/* ---- endorsements ---------------------------------------------------------------------------- */

/* "/a/0/b" of a template, as text. */
static void expect_at(vs_val doc, const char *pointer, const char *want)
{
    vs_val v = vs_pointer(doc, vs_str(pointer));
    vs_buf text = VS_BUF(1 << 16);
    vs_json_print(&text, v);
    if (!vs_span_is(vs_buf_span(&text), want))
        fail_msg("%s: %.*s, not %s", pointer, VS_FMT(vs_buf_span(&text)), want);
    vs_buf_free(&text);
}

static vs_val template_of(soft_realm *s, realm_template t, unsigned version)
{
    vs_error err = {0};
    vs_val v;
    vs_buf text = VS_BUF(1 << 18);
    assert_vs_ok(realm_template_write(&s->spec, &s->keys, t, version, &text, &err), &err);
    vs_span kept = vs_dup(&s->arena, vs_buf_span(&text));
    assert_vs_ok(vs_json_parse(&s->arena, kept, NULL, &v, &err), &err);
    vs_buf_free(&text);
    return v;
}

#define RV "/triples/reference-values/0"
static void templates_say_what_the_realm_is_in_the_form_of_cocli(void **state)
{
    (void)state;
    soft_realm s;
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    assert_vs_code(realm_spec_describe(&s.arena, vs_str(everything), true, &s.spec, NULL), VS_OK);
    vs_val v = template_of(&s, REALM_COMID_PLATFORM, 3);
    expect_at(v, "/tag-identity/version", "3");
    expect_at(v, RV "/environment/class/id/type", "\"bytes\"");
    expect_at(v, RV "/measurements/0/key",
              "{\"type\":\"string\",\"value\":"
              "\"cca.software-component\"}");
    expect_at(v, RV "/measurements/0/value/name", "\"RMM\"");
    expect_at(v, RV "/measurements/0/value/version", "{\"value\":\"2.0\"}");
    expect_at(v, RV "/measurements/0/value/digests/0/0", "8");
    expect_at(v, RV "/measurements/1/value/digests",
              "[[1,\"WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo\"]]");
    expect_at(v, RV "/measurements/1/value/cryptokeys",
              "[{\"type\":\"bytes\",\"value\":"
              "\"WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\"}]");
    expect_at(v, RV "/measurements/2",
              "{\"key\":{\"type\":\"string\",\"value\":\"cca.platform-config\"},\"value\":"
              "{\"raw-value\":{\"type\":\"bytes\",\"value\":\"AQI=\"},"
              "\"raw-value-mask\":\"//8=\"}}");
    v = template_of(&s, REALM_COMID_CPAK, 0);
    expect_at(v, "/triples/attester-verification-keys/0/environment/instance",
              "{\"type\":\"ueid\",\"value\":\"AVpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa\"}");
    expect_at(v, "/triples/attester-verification-keys/0/verification-keys/0/type",
              "\"pkix-base64-key\"");
    v = template_of(&s, REALM_COMID_REALM, 0);
    expect_at(v, RV "/measurements/0/key/value", "\"cca.rim\"");
    expect_at(v, RV "/measurements/0/value/digests/0/0", "7");
    expect_at(v, RV "/measurements/4/key/value", "\"cca.rem3\"");
    expect_at(v, RV "/measurements/5/key/value", "\"cca.rpv\"");
    v = template_of(&s, REALM_CORIM_REALM, 0);
    expect_at(v, "/profile", "{\"type\":\"uri\",\"value\":\"tag:arm.com,2025:cca_realm#1.0.0\"}");
    v = template_of(&s, REALM_CORIM_PLATFORM, 0);
    expect_at(v, "/profile",
              "{\"type\":\"uri\",\"value\":\"tag:arm.com,2025:cca_platform#1.0.0\"}");
    soft_stop(&s);
}

/* The same shape as the sources of the shared manifests: every path of theirs is in ours. */
static void expect_shape(const char *file, vs_val got, vs_val want)
{
    if (got.kind != want.kind)
        fail_msg("%s: %s, not %s", file, vs_kind_name((vs_kind)got.kind),
                 vs_kind_name((vs_kind)want.kind));
    if (want.kind == VS_OBJECT)
        for (VS_OBJ_FOR (pair, want))
            if (vs_defined(vs_get(got, vs_text(pair->key))))
                expect_shape(file, vs_get(got, vs_text(pair->key)), pair->val);
            else
                fail_msg("%s: no \"%.*s\"", file, VS_FMT(vs_text(pair->key)));
    else if (want.kind == VS_ARRAY && want.len)
        expect_shape(file, got.u.items[0], want.u.items[0]);
}

static void templates_have_the_shape_of_the_shared_sources(void **state)
{
    (void)state;
    static const struct {
        realm_template t;
        const char *file;
    } cases[] = {{REALM_COMID_PLATFORM, "comid-cca-platform-refval.json"},
                 {REALM_COMID_CPAK, "comid-cca-platform-ta.json"},
                 {REALM_COMID_REALM, "comid-cca-realm-refval.json"},
                 {REALM_CORIM_PLATFORM, "corim-cca-platform.json"},
                 {REALM_CORIM_REALM, "corim-cca-realm.json"}};
    need_shared("data/cca/corim-src");
    soft_realm s;
    soft_start(&s, VS_KEY_P384, VS_KEY_P384);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        char path[256];
        vs_buf text = VS_BUF(1 << 18);
        vs_val want;
        (void)snprintf(path, sizeof path, "data/cca/corim-src/%s", cases[i].file);
        read_shared(path, &text);
        assert_vs_code(vs_json_parse(&s.arena, vs_buf_span(&text), NULL, &want, NULL), VS_OK);
        expect_shape(cases[i].file, template_of(&s, cases[i].t, 0), want);
        vs_buf_free(&text);
    }
    soft_stop(&s);
}

/* A tag is about one thing: the same realm has the same one, another RIM another. */
static void tags_are_named_after_what_they_are_about(void **state)
{
    (void)state;
    soft_realm s;
    static const uint8_t other[64] = {1};
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    vs_val one = vs_pointer(template_of(&s, REALM_COMID_REALM, 0), VS_LIT("/tag-identity/id"));
    vs_val same = vs_pointer(template_of(&s, REALM_COMID_REALM, 1), VS_LIT("/tag-identity/id"));
    s.spec.rim = vs_span_of(other, sizeof other);
    vs_val next = vs_pointer(template_of(&s, REALM_COMID_REALM, 0), VS_LIT("/tag-identity/id"));
    assert_true(vs_eq(one, same));
    assert_false(vs_eq(one, next));
    assert_int_equal(vs_text(one).n, 36);
    assert_int_equal(vs_text(one).p[14], '8');
    s.spec.rim = vs_span_of(other, 20);
    vs_buf text = VS_BUF(1 << 18);
    assert_vs_code(realm_template_write(&s.spec, &s.keys, REALM_COMID_REALM, 0, &text, NULL),
                   VS_E_INVALID);
    vs_buf_free(&text);
    soft_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_description_reaches_every_claim_of_a_token),
        cmocka_unit_test(a_description_of_everything_survives_writing_and_reading),
        cmocka_unit_test(what_a_description_gets_wrong_is_named),
        cmocka_unit_test(a_rim_alone_selects_the_hash_and_a_hash_the_rim),
        cmocka_unit_test(tokens_of_every_lifecycle_are_made),
        cmocka_unit_test(a_key_in_the_form_of_another_profile_is_refused),
        cmocka_unit_test(what_it_emits_has_the_form_of_the_shared_vectors),
        cmocka_unit_test(templates_say_what_the_realm_is_in_the_form_of_cocli),
        cmocka_unit_test(templates_have_the_shape_of_the_shared_sources),
        cmocka_unit_test(tags_are_named_after_what_they_are_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
