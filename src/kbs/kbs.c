/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's front: the one table of what it does and who may, and the walk of a request through
 * it. Nothing is reached except through this table.
 */
#include "kbs/internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "kbs/journal.h"

static bool always(const kbs *k)
{
    (void)k;
    return true;
}
static bool has_as(const kbs *k)
{
    return k->as != NULL;
}
static bool has_rvps(const kbs *k)
{
    return k->as != NULL && k->rv != NULL;
}
static bool takes_from_anybody(const kbs *k)
{
    return has_rvps(k) && k->cfg->veraison && k->cfg->open_provisioning;
}
static bool has_resources(const kbs *k)
{
    return k->cfg->has_resource_plugin;
}
static bool has_journal(const kbs *k)
{
    return k->journal != NULL;
}
static bool can_collect(const kbs *k)
{
    return has_journal(k) && has_rvps(k);
}
static bool has_veraison(const kbs *k)
{
    return k->veraison != NULL;
}
static bool has_sample(const kbs *k)
{
    return k->cfg->has_sample_plugin;
}

#define RELEASE(p)   kbs_plugin_release, KBS_PLUGIN_##p, NULL
#define ADMIN(p, a)  kbs_plugin_administer, KBS_PLUGIN_##p, a
#define EITHER(p, a) kbs_plugin_serve, KBS_PLUGIN_##p, a

const kbs_route kbs_routes[] = {
    {"auth", KBS_POST, KBS_OPEN, has_as, kbs_auth},
    {"attest", KBS_POST, KBS_SESSION, has_as, kbs_attest},
    {"attestation-policy", KBS_POST, KBS_ADMIN, has_as, kbs_set_attestation_policy},
    {"attestation-policy", KBS_GET, KBS_ADMIN, has_as, kbs_get_attestation_policy},
    {"attestation-policy", KBS_PUT, KBS_ADMIN, has_as, kbs_change_attestation_policy},
    {"attestation-policy", KBS_DELETE, KBS_ADMIN, has_as, kbs_change_attestation_policy},
    {"endorsement", KBS_POST, KBS_ADMIN, has_rvps, kbs_take_endorsements},
    {"open-endorsement", KBS_POST, KBS_OPEN, takes_from_anybody, kbs_take_endorsements},
    {"reference-value", KBS_GET, KBS_ADMIN, has_rvps, kbs_list_reference_values, .bare = true},
    {"reference-value", KBS_DELETE, KBS_ADMIN, has_rvps, kbs_delete_reference_value},
    {"collect", KBS_GET, KBS_ADMIN, can_collect, kbs_propose_reference_values},
    {"collect", KBS_POST, KBS_ADMIN, can_collect, kbs_approve_reference_values},
    {"reference-value", KBS_GET, KBS_ADMIN, has_rvps, kbs_get_reference_value},
    {"reference-value", KBS_POST, KBS_ADMIN, has_rvps, kbs_set_reference_values},
    {"resource-policy", KBS_GET, KBS_ADMIN, always, kbs_get_resource_policy, .bare = true},
    {"resource-policy", KBS_GET, KBS_ADMIN, always, kbs_read_resource_policy},
    {"resource-policy", KBS_PUT, KBS_ADMIN, always, kbs_change_resource_policy},
    {"resource-policy", KBS_DELETE, KBS_ADMIN, always, kbs_change_resource_policy},
    {"resource-policy", KBS_POST, KBS_ADMIN, always, kbs_set_resource_policy},
    {"decision", KBS_GET, KBS_ADMIN, has_journal, kbs_get_decision},
    {"veraison", KBS_GET, KBS_OPEN, has_veraison, kbs_veraison, .veraison = true},
    {"veraison", KBS_POST, KBS_SESSION, has_veraison, kbs_veraison, .veraison = true},
    {"veraison", KBS_DELETE, KBS_SESSION, has_veraison, kbs_veraison, .veraison = true},

    {"resource", KBS_GET, KBS_PLUGIN_ADMIN, has_resources, kbs_list_resources, .bare = true},
    {"resource", KBS_GET, KBS_ATTESTED, has_resources, RELEASE(RESOURCE)},
    {"resource", KBS_POST, KBS_PLUGIN_ADMIN, has_resources, ADMIN(RESOURCE, "set resource")},
    {"resource", KBS_DELETE, KBS_PLUGIN_ADMIN, has_resources, ADMIN(RESOURCE, "delete resource")},
    {"resource", KBS_PUT, KBS_ATTESTED, has_resources, RELEASE(RESOURCE)},
    {"sample", KBS_GET, KBS_PLUGIN_ADMIN, has_sample, ADMIN(SAMPLE, "sample plugin")},
    {"sample", KBS_POST, KBS_PLUGIN_ADMIN, has_sample, ADMIN(SAMPLE, "sample plugin")},
    {"sample", KBS_PUT, KBS_PLUGIN_ADMIN, has_sample, ADMIN(SAMPLE, "sample plugin")},
    {"sample", KBS_DELETE, KBS_PLUGIN_ADMIN, has_sample, ADMIN(SAMPLE, "sample plugin")},
    {"provisioner", KBS_GET, KBS_ATTESTED, NULL, RELEASE(PROVISIONER)},
    {"provisioner", KBS_POST, KBS_PLUGIN_ADMIN, NULL, ADMIN(PROVISIONER, "provision a key")},
    {"provisioner", KBS_PUT, KBS_PLUGIN_ADMIN, NULL, ADMIN(PROVISIONER, "none")},
    {"provisioner", KBS_DELETE, KBS_PLUGIN_ADMIN, NULL, ADMIN(PROVISIONER, "delete a key")},
    {"nebula-ca", KBS_GET, KBS_ATTESTED, NULL, RELEASE(NEBULA)},
    {"nebula-ca", KBS_POST, KBS_ATTESTED, NULL, RELEASE(NEBULA)},
    {"nebula-ca", KBS_PUT, KBS_ATTESTED, NULL, RELEASE(NEBULA)},
    {"nebula-ca", KBS_DELETE, KBS_ATTESTED, NULL, RELEASE(NEBULA)},
    {"pkcs11", KBS_GET, KBS_ATTESTED, NULL, RELEASE(PKCS11)},
    {"pkcs11", KBS_POST, KBS_PLUGIN_ADMIN, NULL, ADMIN(PKCS11, "encrypt or store")},
    {"pkcs11", KBS_PUT, KBS_PLUGIN_ADMIN, NULL, ADMIN(PKCS11, "none")},
    {"pkcs11", KBS_DELETE, KBS_PLUGIN_ADMIN, NULL, ADMIN(PKCS11, "delete object")},
    {"external", KBS_GET, KBS_PLUGIN_SAYS, NULL, EITHER(EXTERNAL, "external plugin")},
    {"external", KBS_POST, KBS_PLUGIN_SAYS, NULL, EITHER(EXTERNAL, "external plugin")},
    {"external", KBS_PUT, KBS_PLUGIN_SAYS, NULL, EITHER(EXTERNAL, "external plugin")},
    {"external", KBS_DELETE, KBS_PLUGIN_SAYS, NULL, EITHER(EXTERNAL, "external plugin")},
};
const size_t kbs_n_routes = VS_COUNT(kbs_routes);

static const kbs_route *find_route(const kbs *k, vs_span name, kbs_method method, bool bare,
                                   bool veraison)
{
    for (size_t i = 0; i < kbs_n_routes; i++) {
        const kbs_route *r = &kbs_routes[i];
        if (r->method == method && r->veraison == veraison && vs_span_is(name, r->name) &&
            (bare || !r->bare) &&
            (r->available ? r->available(k) : k->plugins[r->plugin].ops != NULL))
            return r;
    }
    return NULL;
}

/* ---- one value to authorise and to dispatch on --------------------------------------------------
 */

static vs_span join(vs_arena *a, const char *prefix, const vs_span *parts, size_t n)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < n; i++)
        len += parts[i].n + 1;
    uint8_t *out = vs_alloc(a, len), *at = out;
    if (!out)
        return (vs_span){NULL, 0};
    memcpy(at, prefix, strlen(prefix));
    at += strlen(prefix);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *at++ = '/';
        if (parts[i].n > 0)
            memcpy(at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    return vs_span_of(out, (size_t)(at - out));
}

vs_span kbs_rest_of_path(kbs_ctx *c)
{
    return join(c->call.arena, "", c->call.segments + 1, c->call.n_segments - 1);
}

/* Clients write "resource//r/t/g" (kbs.md 10.2): empty segments of resources are dropped, here and
 * once, so that the access list, the policy and the store all see the same path. */
static bool make_canonical(kbs_ctx *c)
{
    kbs_call *call = &c->call;
    if (call->n_segments > 0 && vs_span_is(call->segments[0], "resource")) {
        vs_span *kept = vs_alloc_array(call->arena, call->n_segments, sizeof *kept);
        if (!kept)
            return false;
        size_t n = 0;
        for (size_t i = 0; i < call->n_segments; i++) {
            if (call->segments[i].n > 0)
                kept[n++] = call->segments[i];
        }
        call->segments = kept;
        call->n_segments = n;
    }
    call->path = join(call->arena, "/kbs/v0/", call->segments, call->n_segments);
    return vs_arena_ok(call->arena);
}

/* ---- who may ------------------------------------------------------------------------------------
 */

static bool admin_may(kbs_ctx *c, const kbs_route *r)
{
    vs_error err = {0};
    const kbs_attempt t = {.bearer = c->call.bearer,
                           .peer = c->call.peer,
                           .path = c->call.path,
                           .encoded_slash = c->call.encoded_slash,
                           .now = c->call.now};
    if (kbs_admin_check(c->rules->admin, &t, c->call.arena, &c->who, &err) == VS_OK)
        return true;
    const char *cause = vs_error_at(&err, 0);
    if (r->access == KBS_ADMIN)
        kbs_refuse(c, KBS_ADMIN_AUTH_ACCESS, "admin access denied for endpoint %s: %s", r->name,
                   cause ? cause : "");
    else
        kbs_refuse(c, KBS_ADMIN_AUTH_INITIALIZATION,
                   "failed to initialize [admin] configuration: %s", cause ? cause : "");
    const kbs_decision d = {
        .what = "administration", .target = kbs_text(c, c->call.path), .error = &err};
    (void)!kbs_decide(c, &d);
    return false;
}

/* The session's token if there is an attested one, else the bearer's (kbs.md 1.9). */
static vs_span token_of(kbs_ctx *c)
{
    kbs_session s;
    vs_span token;
    if (c->call.session.n > 0 &&
        kbs_session_unseal(&c->k->seal, c->call.session, c->call.now, &s, NULL) == VS_OK &&
        kbs_session_token(c->k, &s, c->call.now, c->call.arena, &token, NULL) == VS_OK) {
        c->has_session = true;
        c->protocol = s.protocol;
        return token;
    }
    return c->call.bearer;
}

static bool token_is_good(kbs_ctx *c, vs_error *err)
{
    vs_span token = token_of(c);
    if (token.n == 0) {
        (void)vs_fail(err, VS_E_DENIED, "no attested session and no bearer token");
        kbs_refuse(c, KBS_TOKEN_NOT_FOUND, "Attestation Token not found");
        return false;
    }
    c->token = token;
    if (kbs_token_verify(&c->rules->trust, token, c->call.now, c->call.arena, &c->claims, err) ==
        VS_OK)
        return true;
    kbs_refuse(c, KBS_TOKEN_VERIFIER_ERROR, "Token Verifier error");
    return false;
}

static bool attested_may(kbs_ctx *c)
{
    vs_error err = {0};
    kbs_decision d = {.what = "release", .target = kbs_text(c, c->call.path), .error = &err};
    if (token_is_good(c, &err)) {
        d.proven = true;
        if (kbs_policy_allows(c, &d, &err)) {
            c->policy_sha256 = d.policy_sha256;
            return true;
        }
    }
    d.token = c->token;
    (void)!kbs_decide(c, &d);
    return false;
}

/* Some plugins say of each request whose it is: then it is authorised as such. */
static bool whoever_the_plugin_wants_may(kbs_ctx *c, const kbs_route *r)
{
    vs_error err = {0};
    const kbs_plugin *p = kbs_plugin_of(c);
    const kbs_plugin_call call = kbs_plugin_request(c);
    if (p->ops->wants_admin(p->self, &call, &c->administrates, &err) == VS_OK)
        return c->administrates ? admin_may(c, r) : attested_may(c);
    kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "Plugin internal error");
    const kbs_decision d = {.what = "release", .target = kbs_text(c, c->call.path), .error = &err};
    (void)!kbs_decide(c, &d);
    return false;
}

static bool may(kbs_ctx *c, const kbs_route *r)
{
    switch (r->access) {
    case KBS_OPEN:
    case KBS_SESSION: return true;
    case KBS_ADMIN:
    case KBS_PLUGIN_ADMIN: return admin_may(c, r);
    case KBS_ATTESTED: return attested_may(c);
    case KBS_PLUGIN_SAYS: return whoever_the_plugin_wants_may(c, r);
    }
    return false;
}

const kbs_plugin *kbs_plugin_of(const kbs_ctx *c)
{
    return &c->k->plugins[c->route->plugin];
}

kbs_plugin_call kbs_plugin_request(const kbs_ctx *c)
{
    return (kbs_plugin_call){
        .method = c->call.method,
        .path = c->call.segments + 1,
        .n_path = c->call.n_segments - 1,
        .query = c->call.query.kind == VS_OBJECT ? c->call.query : vs_empty(VS_OBJECT),
        .claims = c->claims,
        .body = c->call.body,
        .now = c->call.now,
        .arena = c->call.arena,
    };
}

/* What changes something is not begun when it could not be recorded. */
static void refuse_unrecorded(kbs_ctx *c, const kbs_route *r)
{
    if (r->access == KBS_SESSION)
        kbs_refuse(c, KBS_ATTESTATION_ERROR, "Attestation error: RCAR handshake Attest failed");
    else
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "Plugin internal error");
}

/* ---- interface ----------------------------------------------------------------------------------
 */

static void handle(kbs_ctx *c)
{
    if (!make_canonical(c)) {
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "Plugin internal error");
        return;
    }
    vs_span name = c->call.n_segments > 0 ? c->call.segments[0] : VS_LIT("");
    const kbs_route *r =
        find_route(c->k, name, c->call.method, c->call.n_segments == 1, c->call.veraison != NULL);
    if (!r) {
        kbs_refuse(c, KBS_PLUGIN_NOT_FOUND, "Plugin %.*s not found",
                   VS_FMT(vs_span_head(name, 256)));
        return;
    }
    c->route = r;
    if (!may(c, r))
        return;
    if (r->method != KBS_GET && r->access != KBS_OPEN && !kbs_journal_works(c)) {
        refuse_unrecorded(c, r);
        return;
    }
    r->handle(c);
    if (c->reply->error == KBS_OK && !vs_buf_ok(&c->reply->body)) /* the caller's cap */
        kbs_refuse(c, KBS_SERDE_ERROR, "Serialize/Deserialize failed");
}

void kbs_handle(kbs *k, const kbs_call *call, kbs_reply *reply)
{
    kbs_ctx c = {.k = k, .rules = kbs_rules_take(k), .call = *call, .reply = reply};
    reply->error = KBS_OK;
    handle(&c);
    kbs_rules_drop(c.rules);
}

void kbs_set_plugin(kbs *k, kbs_plugin_id id, kbs_plugin plugin)
{
    k->plugins[id] = plugin;
}

void kbs_set_veraison(kbs *k, struct as_veraison *v)
{
    k->veraison = v;
}

void kbs_set_journal(kbs *k, struct kbs_journal *journal)
{
    k->journal = journal;
}

vs_code kbs_ready(kbs *k, vs_error *err)
{
    if (k->journal)
        VS_TRY_WRAP(kbs_journal_ready(k->journal, err), err, "audit log");
    VS_TRY_WRAP(kbs_seal_check(&k->seal, k->store, err), err, "store");
    return VS_OK;
}

void kbs_tick(kbs *k, int64_t now)
{
    vs_error err = {0};
    if (vs_store_purge_all(k->store, now, &err) != VS_OK)
        vs_log_error(VS_LOG_WARN, "kbs", "expired sessions were not removed", &err);
}

static vs_code start(kbs *k, vs_error *err)
{
    VS_TRY(kbs_rules_new(k, k->cfg, NULL, &k->rules, err));
    VS_TRY(kbs_seal_load(&k->seal, k->store, err));
    return kbs_policy_start(k, err);
}

vs_code kbs_new(const kbs_config *cfg, vs_store *store, vs_store *resources, as_service *as,
                rvps *rv, kbs **out, vs_error *err)
{
    *out = NULL;
    kbs *k = calloc(1, sizeof *k);
    if (!k)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the key broker");
    k->cfg = cfg;
    k->store = store;
    k->resources = resources;
    k->as = as;
    k->rv = rv;
    (void)pthread_mutex_init(&k->rules_lock, NULL);
    k->plugins[KBS_PLUGIN_RESOURCE] = (kbs_plugin){&kbs_resource_plugin, k};
    k->plugins[KBS_PLUGIN_SAMPLE] = (kbs_plugin){&kbs_sample_plugin, k};
    if (cfg->provisioner_key_length > 0)
        k->plugins[KBS_PLUGIN_PROVISIONER] = (kbs_plugin){&kbs_provisioner_plugin, k};
    vs_code code = start(k, err);
    if (code != VS_OK) {
        kbs_free(&k);
        return code;
    }
    *out = k;
    return VS_OK;
}

void kbs_free(kbs **kp)
{
    if (!kp || !*kp)
        return;
    kbs *k = *kp;
    for (size_t i = 0; i < KBS_PLUGINS; i++)
        if (k->plugins[i].ops && k->plugins[i].ops->free)
            k->plugins[i].ops->free(k->plugins[i].self);
    kbs_rules_drop(k->rules);
    (void)pthread_mutex_destroy(&k->rules_lock);
    as_policies_free(&k->policies);
    as_policies_free(&k->scoped);
    vs_wipe(&k->seal, sizeof k->seal);
    free(k);
    *kp = NULL;
}
