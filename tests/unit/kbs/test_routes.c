/* SPDX-License-Identifier: Apache-2.0 */
/* Every route, every method, every kind of caller: who gets through (hazards: missing
 * authorisation). */
#include "kbs/broker.h"

#include "as/policies.h"
#include "as/veraison.h"
#include "kbs/internal.h"

/* ---- the matrix
 * ----------------------------------------------------------------------------------- */

typedef enum caller {
    ANONYMOUS,
    ADMIN,
    EXPIRED_ADMIN,
    WRONG_ROLE,
    ATTESTED_COOKIE,
    ATTESTED_TOKEN,
    CALLERS
} caller;
static const char *const caller_names[CALLERS] = {"anonymous",          "admin",
                                                  "expired admin",      "admin of another role",
                                                  "attested by cookie", "attested by token"};
static const char *const method_names[] = {"GET", "POST", "PUT", "DELETE"};

/* Of the external plugin's double below. */
static kbs_access really(const kbs_route *r)
{
    if (r->access != KBS_PLUGIN_SAYS)
        return r->access;
    return r->method == KBS_GET ? KBS_ATTESTED : KBS_PLUGIN_ADMIN;
}

static bool expected(const kbs_route *r, caller who)
{
    switch (really(r)) {
    case KBS_OPEN:
    case KBS_SESSION: return true; /* the handler decides */
    case KBS_ADMIN:
    case KBS_PLUGIN_ADMIN: return who == ADMIN;
    case KBS_ATTESTED: return who == ATTESTED_COOKIE || who == ATTESTED_TOKEN;
    case KBS_PLUGIN_SAYS: break;
    }
    return false;
}

/* A plugin that has a secret for whoever gets as far as to it, and counts. */
static size_t reached_plugin;

static vs_code double_wants_admin(void *self, const kbs_plugin_call *call, bool *admin,
                                  vs_error *err)
{
    (void)self;
    (void)err;
    *admin = call->method != KBS_GET;
    return VS_OK;
}

static vs_code double_handle(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    (void)self;
    (void)call;
    reached_plugin++;
    vs_buf_puts(out, "secret of a plugin");
    return vs_buf_check(out, err);
}

static const kbs_plugin_ops plugin_double = {.wants_admin = double_wants_admin,
                                             .handle = double_handle};

static const char allow_everything[] = "package policy\nallow := true\n";

/* Told at the door, as opposed to by a handler that did not like the request. */
static bool refused_at_the_door(kbs_error e)
{
    return e == KBS_ADMIN_AUTH_ACCESS || e == KBS_ADMIN_AUTH_INITIALIZATION ||
           e == KBS_TOKEN_NOT_FOUND || e == KBS_TOKEN_VERIFIER_ERROR || e == KBS_POLICY_DENY;
}

/* The row that is meant for a name, a method, and a path with nothing behind the name or with
 * something. */
static const kbs_route *row_of(const char *name, kbs_method m, bool bare, size_t reached[])
{
    const kbs_route *one = NULL, *any = NULL;
    for (size_t i = 0; i < kbs_n_routes; i++) {
        if (strcmp(kbs_routes[i].name, name) != 0 || kbs_routes[i].method != m ||
            kbs_routes[i].veraison)
            continue;
        const kbs_route **row = kbs_routes[i].bare ? &one : &any;
        assert_null(*row); /* one row per name, method and form */
        *row = &kbs_routes[i];
        assert_true(any == NULL || one == NULL || one < any); /* or it would not be reached */
        if (bare || !kbs_routes[i].bare)
            reached[i]++;
    }
    return bare && one ? one : any;
}

/* Veraison's interface is for anybody, when it is switched on, and shows nobody anything but what
 * belongs to the session he names. Its calls carry no credentials. */
static size_t walk_veraison(broker *b, size_t reached[])
{
    static const as_veraison_config how;
    static const struct {
        as_veraison_verb verb;
        kbs_method method;
        as_veraison_status want;
    } v[] = {{AS_VERAISON_DISCOVER, KBS_GET, AS_VERAISON_OK},
             {AS_VERAISON_NEW, KBS_POST, AS_VERAISON_CREATED},
             {AS_VERAISON_SUBMIT, KBS_POST, AS_VERAISON_NOT_FOUND},
             {AS_VERAISON_GET, KBS_GET, AS_VERAISON_NOT_FOUND},
             {AS_VERAISON_DELETE, KBS_DELETE, AS_VERAISON_NOT_FOUND}};
    as_veraison *on = NULL;
    assert_vs_code(as_veraison_new(b->w.as, &how, &on, NULL), VS_OK);
    for (size_t i = 0; i < 2 * VS_COUNT(v); i++) {
        kbs_set_veraison(b->k, i % 2 ? on : NULL);
        as_veraison_reply r = {.body = VS_BUF(1 << 16)};
        const as_veraison_call call = {
            .verb = v[i / 2].verb, .session = VS_LIT("made-up"), .now = NOW, .arena = &b->w.a};
        kbs_handle_veraison(b->k, &call, &r);
        assert_int_equal(r.status, i % 2 ? v[i / 2].want : AS_VERAISON_NOT_FOUND);
        vs_buf_free(&r.body);
        for (size_t k = 0; k < kbs_n_routes; k++)
            reached[k] += kbs_routes[k].veraison && kbs_routes[k].method == v[i / 2].method;
    }
    kbs_set_veraison(b->k, NULL);
    as_veraison_free(&on);
    return 2 * VS_COUNT(v);
}

static void every_route_lets_exactly_those_through_that_it_is_for(void **state)
{
    broker *b = *state;
    static const as_veraison_config how;
    as_veraison *on = NULL;
    assert_vs_code(as_veraison_new(b->w.as, &how, &on, NULL), VS_OK);
    kbs_set_veraison(b->k, on); /* which is not below /kbs/v0/ */
    challenge c;
    put_resource(b, "resource/a/b/c", "s");
    set_resource_policy(b, vs_str(allow_everything));
    b->cfg.veraison = b->cfg.open_provisioning = true;
    for (kbs_plugin_id id = KBS_PLUGIN_PROVISIONER; id < KBS_PLUGINS; id++)
        kbs_set_plugin(b->k, id, (kbs_plugin){&plugin_double, NULL});
    vs_span token = attest(b, "sample", &c);
    vs_span bearers[CALLERS] = {
        [ADMIN] = admin_token(b),
        [EXPIRED_ADMIN] = sign_admin(b, "{\"iss\":\"tester\",\"role\":\"admin\",\"exp\":1}"),
        [WRONG_ROLE] = sign_admin(b, "{\"iss\":\"tester\",\"role\":\"reader\",\"exp\":4000000000}"),
        [ATTESTED_TOKEN] = token,
    };
    static const char *const names[] = {
        "auth",      "attest",      "attestation-policy", "reference-value", "resource-policy",
        "decision",  "collect",     "resource",           "sample",          "provisioner",
        "nebula-ca", "pkcs11",      "external",           "metrics",         "",
        "Resource",  "endorsement", "open-endorsement",   "veraison"};
    size_t cells = 0, reached[64] = {0};
    assert_true(kbs_n_routes <= VS_COUNT(reached));
    for (size_t n = 0; n < 2 * VS_COUNT(names); n++) {
        const char *name = names[n / 2];
        bool bare = n % 2 == 0;
        for (kbs_method m = KBS_GET; m <= KBS_DELETE; m++) {
            const kbs_route *route = row_of(name, m, bare, reached);
            for (caller who = 0; who < CALLERS; who++, cells++) {
                const char *path = vs_sprintf(&b->w.a, bare ? "%s" : "%s/a/b/c", name);
                size_t before = reached_plugin;
                answer r =
                    tell(b, (ask){m, path, .bearer = bearers[who],
                                  .session = who == ATTESTED_COOKIE ? c.session : VS_LIT("")});
                bool passed =
                    route ? !refused_at_the_door(r.error) : r.error != KBS_PLUGIN_NOT_FOUND;
                bool want = route && expected(route, who);
                bool of_double = route && route->plugin >= KBS_PLUGIN_PROVISIONER;
                if (passed != want || reached_plugin - before != (of_double && want))
                    fail_msg("%s %s as %s: %s", method_names[m], path, caller_names[who],
                             kbs_error_name(r.error));
            }
        }
    }
    cells += walk_veraison(b, reached);
    for (size_t i = 0; i < kbs_n_routes; i++) {
        if (!reached[i])
            fail_msg("route %s %s is not in this test", method_names[kbs_routes[i].method],
                     kbs_routes[i].name);
    }
    as_veraison_free(&on);
    print_message("# %zu cells\n", cells);
}

static void what_is_not_configured_does_not_exist(void **state)
{
    broker *b = *state;
    static const char *const others[] = {"provisioner", "nebula-ca", "pkcs11", "external",
                                         "open-endorsement"};
    for (size_t i = 0; i < VS_COUNT(others); i++)
        for (kbs_method m = KBS_GET; m <= KBS_DELETE; m++)
            assert_int_equal(tell(b, (ask){m, vs_sprintf(&b->w.a, "%s/a/b/c", others[i]),
                                           .bearer = admin_token(b)})
                                 .error,
                             KBS_PLUGIN_NOT_FOUND);
    b->cfg.has_resource_plugin = false;
    b->cfg.has_sample_plugin = false;
    assert_refused(tell(b, (ask){KBS_GET, "resource/a/b/c"}), "PluginNotFound",
                   "Plugin resource not found");
    assert_refused(tell(b, (ask){KBS_GET, "sample/x", .bearer = admin_token(b)}), "PluginNotFound",
                   "Plugin sample not found");
    assert_refused(tell(b, (ask){KBS_GET, "auth"}), "PluginNotFound", "Plugin auth not found");
    assert_refused(tell(b, (ask){KBS_GET, ""}), "PluginNotFound", "Plugin  not found");
    assert_refused(tell(b, (ask){KBS_GET, "\xff\"/x"}), "PluginNotFound", "Plugin ?\" not found");
}

static void a_broker_for_tokens_of_others_has_no_handshake(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    kbs *with_as = b->k, *without = NULL;
    assert_vs_code(kbs_new(&b->cfg, b->w.store, b->w.store, NULL, NULL, &without, &err),
                   VS_E_INVALID);
    b->cfg.insecure_header_jwk = true;
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, NULL, NULL, &without, &err), &err);
    b->k = without;
    static const char *const gone[] = {"auth", "attest", "attestation-policy", "reference-value",
                                       "endorsement"};
    for (size_t i = 0; i < VS_COUNT(gone); i++)
        assert_int_equal(tell(b, (ask){KBS_POST, gone[i], .bearer = admin_token(b)}).error,
                         KBS_PLUGIN_NOT_FOUND);
    assert_granted(tell(b, (ask){KBS_GET, "resource-policy", .bearer = admin_token(b)}));
    kbs_free(&without);
    b->k = with_as;
}

/* ---- texts of refusals
 * ------------------------------------------------------------------------------ */

static void refusals_of_administrators_have_the_documented_texts(void **state)
{
    broker *b = *state;
    answer r = tell(b, (ask){KBS_POST, "resource-policy", .bearer = VS_LIT("x.y.z")});
    assert_refused(r, "AdminAuthAccess",
                   "admin access denied for endpoint resource-policy: Admin access denied: Cannot "
                   "verify token "
                   "with any of the issuers");
    r = tell(b, (ask){KBS_POST, "resource/a/b/c", .bearer = VS_LIT("x.y.z")});
    assert_refused(
        r, "AdminAuthInitialization",
        "failed to initialize [admin] configuration: Admin access denied: Cannot verify token with "
        "any of the issuers");
    r = tell(b, (ask){KBS_POST, "resource/a/b/c"});
    assert_refused(
        r, "AdminAuthInitialization",
        "failed to initialize [admin] configuration: Failed to parse HTTP Auth Bearer header");
}

static void an_access_list_sees_the_path_that_is_served(void **state)
{
    broker *b = *state;
    vs_error err = {0};
    kbs *all = b->k, *some = NULL;
    b->acl.allowed_endpoints = "^/kbs/v0/resource/[^/]*/shared/.+$";
    assert_vs_ok(kbs_new(&b->cfg, b->w.store, b->w.store, b->w.as, b->w.rv, &some, &err), &err);
    b->k = some;
    assert_granted(tell(b, (ask){KBS_POST, "resource/r/shared/t", .bearer = admin_token(b)}));
    /* With the empty segment dropped this is shared/x/y, which the list does not allow. */
    assert_int_equal(
        tell(b, (ask){KBS_POST, "resource//shared/x/y", .bearer = admin_token(b)}).error,
        KBS_ADMIN_AUTH_INITIALIZATION);
    kbs_free(&some);
    b->k = all;
}

/* ---- tokens
 * ------------------------------------------------------------------------------------------ */

static void a_cookie_that_is_not_attested_leaves_the_bearer_token(void **state)
{
    broker *b = *state;
    challenge attested, fresh = authenticate(b, "sample");
    put_resource(b, "resource/a/b/c", "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    vs_span token = attest(b, "sample", &attested);
    assert_secret(
        b, tell(b, (ask){KBS_GET, "resource/a/b/c", .session = fresh.session, .bearer = token}),
        "s");
    assert_secret(
        b, tell(b, (ask){KBS_GET, "resource/a/b/c", .session = VS_LIT("junk"), .bearer = token}),
        "s");
    assert_refused(tell(b, (ask){KBS_GET, "resource/a/b/c", .session = fresh.session}),
                   "TokenNotFound", "Attestation Token not found");
    assert_refused(tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = VS_LIT("junk")}),
                   "TokenVerifierError", "Token Verifier error");
    b->now = NOW + 300 + 61; /* the token has expired, leeway included */
    assert_refused(tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = token}), "TokenVerifierError",
                   "Token Verifier error");
}

static void an_admin_token_is_no_attestation_token(void **state)
{
    broker *b = *state;
    put_resource(b, "resource/a/b/c", "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    assert_int_equal(tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = admin_token(b)}).error,
                     KBS_TOKEN_VERIFIER_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(every_route_lets_exactly_those_through_that_it_is_for),
        T(what_is_not_configured_does_not_exist),
        T(a_broker_for_tokens_of_others_has_no_handshake),
        T(refusals_of_administrators_have_the_documented_texts),
        T(an_access_list_sees_the_path_that_is_served),
        T(a_cookie_that_is_not_attested_leaves_the_bearer_token),
        T(an_admin_token_is_no_attestation_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
