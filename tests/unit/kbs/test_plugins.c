/* SPDX-License-Identifier: Apache-2.0 */
/* What the broker does with a plugin's answers, and the provisioner. */
#include "kbs/broker.h"

#include <pthread.h>

#include "kbs/internal.h"

static const char allow_everything[] = "package policy\nallow := true\n";

/* ---- a plugin that can do everything wrong -----------------------------------------------------
 */

typedef struct puppet {
    bool admin, encrypt, fail_ask, fail_check, fail_handle, fail_encrypt;
    int asked, checked, handled, asked_encryption;
    bool saw_claims;
} puppet;

static vs_code puppet_wants_admin(void *self, const kbs_plugin_call *call, bool *admin,
                                  vs_error *err)
{
    puppet *p = self;
    (void)call;
    p->asked++;
    *admin = p->admin;
    return p->fail_ask ? vs_fail(err, VS_E_TIMEOUT, "no answer") : VS_OK;
}

static vs_code puppet_check(void *self, const kbs_plugin_call *call, vs_error *err)
{
    puppet *p = self;
    (void)call;
    p->checked++;
    return p->fail_check ? vs_fail(err, VS_E_INVALID, "no such thing") : VS_OK;
}

static vs_code puppet_handle(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    puppet *p = self;
    p->handled++;
    p->saw_claims = call->claims.kind == VS_OBJECT;
    vs_buf_puts(out, "canary-of-a-plugin");
    return p->fail_handle ? vs_fail(err, VS_E_IO, "broken in the middle") : VS_OK;
}

static vs_code puppet_wants_encryption(void *self, const kbs_plugin_call *call, bool *encrypt,
                                       vs_error *err)
{
    puppet *p = self;
    (void)call;
    p->asked_encryption++;
    *encrypt = p->encrypt;
    return p->fail_encrypt ? vs_fail(err, VS_E_IO, "no answer") : VS_OK;
}

static const kbs_plugin_ops puppet_ops = {puppet_wants_admin, puppet_check, puppet_handle,
                                          puppet_wants_encryption, NULL};

static vs_span hang_up(broker *b, puppet *p, challenge *c)
{
    set_resource_policy(b, vs_str(allow_everything));
    kbs_set_plugin(b->k, KBS_PLUGIN_EXTERNAL, (kbs_plugin){&puppet_ops, p});
    return attest(b, "sample", c);
}

static void an_answer_is_encrypted_when_the_plugin_wants_it(void **state)
{
    broker *b = *state;
    challenge c;
    puppet p = {.encrypt = true};
    vs_span token = hang_up(b, &p, &c);
    assert_secret(b, tell(b, (ask){KBS_GET, "external/x", .bearer = token}), "canary-of-a-plugin");
    assert_true(p.saw_claims);
    p.encrypt = false;
    answer r = tell(b, (ask){KBS_GET, "external/x", .bearer = token});
    assert_granted(r);
    assert_string_equal(r.content_type, "text/xml");
    assert_span_is(r.body, "canary-of-a-plugin");
    p.admin = true; /* never encrypted, and encryption is not asked about */
    int before = p.asked_encryption;
    r = tell(b, (ask){KBS_GET, "external/x", .bearer = admin_token(b)});
    assert_granted(r);
    assert_string_equal(r.content_type, "text/xml");
    assert_span_is(r.body, "canary-of-a-plugin");
    assert_int_equal(p.asked_encryption, before);
    assert_int_equal(tell(b, (ask){KBS_GET, "external/x", .bearer = token}).error,
                     KBS_ADMIN_AUTH_INITIALIZATION);
}

static void a_plugin_that_fails_gives_nothing(void **state)
{
    broker *b = *state;
    challenge c;
    puppet p = {.encrypt = true};
    vs_span token = hang_up(b, &p, &c);
    bool *const faults[] = {&p.fail_ask, &p.fail_check, &p.fail_handle, &p.fail_encrypt};
    for (size_t i = 0; i < VS_COUNT(faults); i++) {
        *faults[i] = true;
        int handled = p.handled;
        answer r = tell(b, (ask){KBS_GET, "external/x", .bearer = token});
        assert_refused(r, "PluginInternalError", "Plugin internal error");
        assert_int_equal(strlen(r.decision), 36);
        assert_int_equal(p.handled, handled + (i >= 2));
        *faults[i] = false;
    }
    p.admin = true;
    for (size_t i = 1; i < 3; i++) {
        *faults[i] = true;
        assert_refused(tell(b, (ask){KBS_POST, "external/x", .bearer = admin_token(b)}),
                       "PluginInternalError", "Plugin internal error");
        *faults[i] = false;
    }
}

/* Fail closed: an unreachable plugin must not become one that needs no administrator. */
static void nobody_gets_through_when_the_plugin_cannot_be_asked(void **state)
{
    broker *b = *state;
    challenge c;
    puppet p = {.fail_ask = true};
    vs_span token = hang_up(b, &p, &c);
    assert_int_equal(tell(b, (ask){KBS_GET, "external/x", .bearer = token}).error,
                     KBS_PLUGIN_INTERNAL_ERROR);
    assert_int_equal(tell(b, (ask){KBS_POST, "external/x", .bearer = admin_token(b)}).error,
                     KBS_PLUGIN_INTERNAL_ERROR);
    assert_int_equal(p.handled, 0);
}

/* ---- provisioner -------------------------------------------------------------------------------
 */

#define PROVISIONED "{\"uuid\":\"%s\",\"resource_path\":\"default/%s/root\"}"
/* uuid5 of "default/vm1" in feab5599-6854-52bc-95f0-0241c03e620a, by Python's uuid module. */
#define VM1 "78b1edaf-eba1-5733-85cc-baaa1810211c"

static broker *with_provisioner(broker *b, size_t length)
{
    vs_error err = {0};
    kbs_free(&b->k);
    b->cfg.provisioner_key_length = length;
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, b->w.as, b->w.rv, &b->k, &err), &err);
    kbs_set_journal(b->k, b->journal);
    return b;
}

static answer provision(broker *b, const char *body)
{
    return tell(b, (ask){KBS_POST, "provisioner/provision", .body = vs_str(body),
                         .bearer = admin_token(b)});
}

static void read_key(broker *b, const char *uuid, vs_buf *out)
{
    vs_error err = {0};
    vs_buf_clear(out);
    assert_vs_ok(vs_store_get(b->w.store, "provisioner",
                              vs_str(vs_sprintf(&b->w.a, "default/%s/root", uuid)), 0, out, &err),
                 &err);
}

static void a_machine_gets_one_key_however_often_it_is_asked_for(void **state)
{
    broker *b = with_provisioner(*state, 32);
    VS_CLEANUP(vs_buf_free) vs_buf first = VS_BUF(4096), second = VS_BUF(4096);
    answer r = provision(b, "{\"vm_name\":\"vm1\"}");
    assert_granted(r);
    assert_string_equal(r.content_type, "text/xml");
    assert_span_is(r.body, vs_sprintf(&b->w.a, PROVISIONED, VM1, VM1));
    read_key(b, VM1, &first);
    assert_granted(provision(b, "{\"vm_name\":\"vm1\",\"namespace\":\"default\",\"more\":1}"));
    read_key(b, VM1, &second);
    assert_span_eq(vs_buf_span(&first), vs_buf_span(&second));
    /* The file that the guest reads, byte for byte but for the key. */
    static const char head[] =
        "version = \"0.1.0\"\n\n[data]\n\"io.cryptsetup.key.text.root\" = \"";
    vs_span text = vs_buf_span(&first);
    assert_true(vs_span_starts(text, vs_str(head)) && vs_span_ends(text, VS_LIT("\"\n")));
    assert_int_equal(text.n, strlen(head) + 32 + 2);
    for (size_t i = strlen(head); i < text.n - 2; i++)
        assert_true((text.p[i] >= '0' && text.p[i] <= '9') ||
                    ((text.p[i] | 0x20) >= 'a' && (text.p[i] | 0x20) <= 'z'));
}

static void two_machines_have_two_keys(void **state)
{
    broker *b = with_provisioner(*state, 32);
    answer one = provision(b, "{\"vm_name\":\"vm1\"}");
    answer two = provision(b, "{\"vm_name\":\"vm1\",\"namespace\":\"other\"}");
    assert_granted(one);
    assert_granted(two);
    assert_false(vs_span_eq(one.body, two.body));
    /* "a/b" + "c" and "a" + "b/c" must not be one machine. */
    assert_int_equal(provision(b, "{\"namespace\":\"a/b\",\"vm_name\":\"c\"}").error,
                     KBS_PLUGIN_INTERNAL_ERROR);
    assert_granted(provision(b, "{\"namespace\":\"a\",\"vm_name\":\"b/c\"}"));
}

static void malformed_provision_requests_make_no_key(void **state)
{
    broker *b = with_provisioner(*state, 32);
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "\"vm_name\"",
                                      "{}",
                                      "{\"vm_name\":1}",
                                      "{\"vm_name\":\"\"}",
                                      "{\"vm_name\":null}",
                                      "{\"vm_name\":\"x\",\"namespace\":1}",
                                      "{\"vm_name\":\"x\",\"namespace\":null}",
                                      "{\"vm_name\":\"x\",\"namespace\":\"\"}",
                                      "{\"vm_name\":\"x\",\"vm_name\":\"y\"}",
                                      "{\"vm_name\":\"x\"}}"};
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_refused(provision(b, bad[i]), "PluginInternalError", "Plugin internal error");
    assert_int_equal(tell(b, (ask){KBS_POST, "provisioner/provision/x", .bearer = admin_token(b),
                                   .body = VS_LIT("{\"vm_name\":\"vm1\"}")})
                         .error,
                     KBS_PLUGIN_INTERNAL_ERROR);
    assert_int_equal(tell(b, (ask){KBS_PUT, "provisioner/provision", .bearer = admin_token(b),
                                   .body = VS_LIT("{\"vm_name\":\"vm1\"}")})
                         .error,
                     KBS_PLUGIN_INTERNAL_ERROR);
}

/* hazard 26: every beginning of a good request is refused and makes no key. */
static void a_request_that_is_cut_makes_no_key(void **state)
{
    broker *b = with_provisioner(*state, 32);
    static const char good[] = "{\"vm_name\":\"vm1\",\"namespace\":\"default\"}";
    vs_buf none = VS_BUF(4096);
    for (size_t n = 0; n < sizeof good - 1; n++) {
        assert_int_equal(tell(b, (ask){KBS_POST, "provisioner/provision",
                                       .body = vs_span_of(good, n), .bearer = admin_token(b)})
                             .error,
                         KBS_PLUGIN_INTERNAL_ERROR);
        assert_vs_code(
            vs_store_get(b->w.store, "provisioner", VS_LIT("default/" VM1 "/root"), 0, &none, NULL),
            VS_E_NOT_FOUND);
    }
}

/* hazard 24: names are data, not pieces of JSON or TOML. */
static void a_name_with_quotes_stays_a_name(void **state)
{
    broker *b = with_provisioner(*state, 32);
    answer r = provision(b, "{\"vm_name\":\"a\\\",\\\"uuid\\\":\\\"x\\n[data]\"}");
    assert_granted(r);
    vs_val v = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
    assert_int_equal(v.len, 2);
    assert_int_equal(vs_getc(v, "uuid").len, 36);
}

typedef struct racer {
    broker *b;
    vs_store *store;
    vs_span body;
    vs_arena a;
} racer;

static void *race(void *arg)
{
    racer *r = arg;
    answer a = tell_on(r->b, &r->a,
                       (ask){KBS_POST, "provisioner/provision",
                             .body = VS_LIT("{\"vm_name\":\"vm1\"}"), .bearer = r->body});
    return a.error == KBS_OK ? NULL : r;
}

/* Two replicas on one store: whoever comes first makes the key, and it stays. */
static void replicas_agree_on_the_key(void **state)
{
    broker *b = with_provisioner(*state, 32);
    enum { RACERS = 8 };
    pthread_t threads[RACERS];
    racer racers[RACERS];
    vs_span token = admin_token(b);
    VS_CLEANUP(vs_buf_free) vs_buf before = VS_BUF(4096), after = VS_BUF(4096);
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = (racer){.b = b, .body = token};
        vs_arena_init(&racers[i].a, 0);
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        assert_null(failed);
        if (i == 0)
            read_key(b, VM1, &before);
        vs_arena_free(&racers[i].a);
    }
    read_key(b, VM1, &after);
    assert_span_eq(vs_buf_span(&before), vs_buf_span(&after));
}

static void deleting_is_idempotent_and_takes_uuids_only(void **state)
{
    broker *b = with_provisioner(*state, 32);
    static const char *const bad[] = {"",          "/",  "/..",     "/" VM1 "/x",
                                      "/" VM1 "/", "/x", "/%2e%2e", "/DEFAULT-NOT"};
    assert_granted(provision(b, "{\"vm_name\":\"vm1\"}"));
    for (size_t i = 0; i < VS_COUNT(bad); i++)
        assert_int_not_equal(
            tell(b, (ask){KBS_DELETE, vs_sprintf(&b->w.a, "provisioner/provision%s", bad[i]),
                          .bearer = admin_token(b)})
                .error,
            KBS_OK);
    for (int i = 0; i < 2; i++) {
        answer r =
            tell(b, (ask){KBS_DELETE, "provisioner/provision/" VM1, .bearer = admin_token(b)});
        assert_granted(r);
        assert_span_is(r.body, "{\"status\":\"deleted\"}");
    }
    vs_buf none = VS_BUF(64);
    assert_vs_code(
        vs_store_get(b->w.store, "provisioner", VS_LIT("default/" VM1 "/root"), 0, &none, NULL),
        VS_E_NOT_FOUND);
}

/* ---- provisioner: release, by the attested init-data -------------------------------------------
 */

static vs_code get_with(broker *b, const char *path, const char *claims, vs_buf *out)
{
    vs_span segments[SEGMENTS_MAX], rest = vs_str(path);
    size_t n = 0;
    for (bool more = true; more && n < SEGMENTS_MAX;)
        segments[n++] = vs_span_cut(rest, '/', &rest, &more);
    kbs_plugin_call call = {.method = KBS_GET,
                            .path = segments,
                            .n_path = n,
                            .claims = json(&b->w, claims),
                            .now = b->now,
                            .arena = &b->w.a};
    vs_code code = kbs_provisioner_plugin.check(b->k, &call, NULL);
    vs_code same = kbs_provisioner_plugin.handle(b->k, &call, out, NULL);
    assert_true((code == VS_OK) || (same == code)); /* nothing is refused by `check` only */
    return same;
}

#define CLAIMS(c) "{\"submods\":{\"cpu0\":{\"ear.veraison.annotated-evidence\":{" c "}}}}"
#define BOUND(u)                                                                                   \
    CLAIMS("\"init_data_claims\":{\"trustee.kbs.resource\":\"kbs+provisioner:///default/" u        \
           "/root\"}")
#define OTHER "00000000-0000-5000-8000-000000000000"

static void a_key_goes_to_the_machine_whose_init_data_names_it(void **state)
{
    broker *b = with_provisioner(*state, 20);
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(4096), got = VS_BUF(4096);
    assert_granted(provision(b, "{\"vm_name\":\"vm1\"}"));
    read_key(b, VM1, &key);
    assert_int_equal(get_with(b, "default/" VM1 "/root", BOUND(VM1), &got), VS_OK);
    assert_span_eq(vs_buf_span(&got), vs_buf_span(&key));
    vs_buf_clear(&got);
    static const struct {
        const char *path, *claims;
        vs_code code;
    } bad[] = {
        {"default/" VM1 "/root", BOUND(OTHER), VS_E_MISMATCH},
        {"default/" VM1 "/root", "{}", VS_E_DENIED},
        {"default/" VM1 "/root", CLAIMS(""), VS_E_DENIED},
        {"default/" VM1 "/root", CLAIMS("\"init_data_claims\":null"), VS_E_DENIED},
        {"default/" VM1 "/root", CLAIMS("\"init_data_claims\":{\"trustee.kbs.resource\":1}"),
         VS_E_DENIED},
        {"default/" VM1 "/root",
         CLAIMS("\"init_data_claims\":{\"trustee\":{\"kbs\":{\"resource\":"
                "\"kbs+provisioner:///default/" VM1 "/root\"}}}"),
         VS_E_DENIED},
        {"default/" VM1 "/root",
         CLAIMS("\"init_data_claims\":{\"trustee.kbs.resource\":\"kbs:///default/" VM1 "/root\"}"),
         VS_E_MISMATCH},
        {"default/" OTHER "/root", BOUND(OTHER), VS_E_NOT_FOUND},
        {"default/" VM1, BOUND(VM1), VS_E_INVALID},
        {"default/" VM1 "/root/x", BOUND(VM1), VS_E_INVALID},
        {"other/" VM1 "/root", BOUND(VM1), VS_E_INVALID},
        {"default/../root", BOUND(".."), VS_E_INVALID},
        {"default/\"/root", BOUND("\\\""), VS_E_INVALID},
        {"", "{}", VS_E_INVALID},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        assert_int_equal(get_with(b, bad[i].path, bad[i].claims, &got), bad[i].code);
        assert_int_equal(got.n, 0);
    }
}

static void the_broker_denies_a_machine_without_init_data(void **state)
{
    broker *b = with_provisioner(*state, 32);
    challenge c;
    set_resource_policy(b, vs_str(allow_everything));
    assert_granted(provision(b, "{\"vm_name\":\"vm1\"}"));
    vs_span token = attest(b, "sample", &c);
    assert_refused(tell(b, (ask){KBS_GET, "provisioner/default/" VM1 "/root", .bearer = token}),
                   "PluginInternalError", "Plugin internal error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(an_answer_is_encrypted_when_the_plugin_wants_it),
        T(a_plugin_that_fails_gives_nothing),
        T(nobody_gets_through_when_the_plugin_cannot_be_asked),
        T(a_machine_gets_one_key_however_often_it_is_asked_for),
        T(two_machines_have_two_keys),
        T(malformed_provision_requests_make_no_key),
        T(a_request_that_is_cut_makes_no_key),
        T(a_name_with_quotes_stays_a_name),
        T(replicas_agree_on_the_key),
        T(deleting_is_idempotent_and_takes_uuids_only),
        T(a_key_goes_to_the_machine_whose_init_data_names_it),
        T(the_broker_denies_a_machine_without_init_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
