/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a secret is released: what a plugin answers goes encrypted to the attested TEE, or plain to
 * an administrator (kbs.md 2, 3.1).
 *
 * When a handler runs, the route table's check has been made. The recipient's key is looked at
 * before the plugin is asked, so that a secret is in memory only when it can be encrypted; only a
 * plugin that says afterwards whether it wants encryption is asked first.
 */
#include "kbs/internal.h"

#include "base/clock.h"
#include "envelope/jose.h"
#include "kbs/metrics.h"

static void refuse_plugin(kbs_ctx *c)
{
    kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "Plugin internal error");
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* A client of protocol 0.1.1, where that is served. A session says so; of a token that came without
 * one, that its evidence was bound to no additional evidence, and that the key is of the only kind
 * such clients have. */
static bool speaks_0_1(const kbs_ctx *c, vs_val jwk)
{
    if (c->rules->cfg->as.oldest_protocol > KBS_PROTOCOL_0_1_1)
        return false;
    if (c->has_session)
        return c->protocol == KBS_PROTOCOL_0_1_1;
    vs_val runtime = vs_pointer(c->claims, VS_LIT("/submods/cpu0/ear.veraison.annotated-evidence/"
                                                  "runtime_data_claims"));
    return vs_span_is(vs_text(vs_getc(jwk, "alg")), "RSA1_5") && runtime.kind == VS_OBJECT &&
           !vs_defined(vs_getc(runtime, "additional-evidence"));
}

typedef struct secret_form {
    vs_code (*check)(vs_val jwk, vs_error *err);
    vs_code (*encrypt)(vs_buf *json, vs_val jwk, vs_span secret, vs_error *err);
} secret_form;

static const secret_form rfc_7516 = {vs_jwe_check_recipient, vs_jwe_encrypt};
static const secret_form kbs_0_1 = {vs_jwe_check_recipient_0_1, vs_jwe_encrypt_0_1};

static bool recipient(kbs_ctx *c, vs_val *jwk, const secret_form **form, vs_error *err)
{
    if (kbs_token_tee_key(c->rules->cfg, c->claims, c->call.arena, jwk, err) != VS_OK) {
        kbs_refuse(c, KBS_TOKEN_VERIFIER_ERROR, "Token Verifier error");
        return false;
    }
    *form = speaks_0_1(c, *jwk) ? &kbs_0_1 : &rfc_7516;
    if ((*form)->check(*jwk, err) != VS_OK) {
        kbs_refuse(c, KBS_JWE_ERROR, "JWE failed");
        return false;
    }
    return true;
}

static vs_code check(const kbs_plugin *p, const kbs_plugin_call *call, vs_error *err)
{
    return p->ops->check ? p->ops->check(p->self, call, err) : VS_OK;
}

/* What is in `secret` leaves as the plugin wants it: encrypted, or as it is. */
static bool hand_out(kbs_ctx *c, const kbs_plugin *p, const kbs_plugin_call *call, vs_span secret,
                     vs_val jwk, const secret_form *form, vs_error *err)
{
    bool encrypt = true;
    if (p->ops->wants_encryption) {
        if (p->ops->wants_encryption(p->self, call, &encrypt, err) != VS_OK) {
            refuse_plugin(c);
            return false;
        }
        if (encrypt && !recipient(c, &jwk, &form, err))
            return false;
    }
    if (!encrypt) {
        vs_buf_put(&c->reply->body, secret);
        c->reply->content_type = "text/xml";
        return true;
    }
    int64_t start = vs_mono_ns();
    if (form->encrypt(&c->reply->body, jwk, secret, err) != VS_OK) {
        kbs_refuse(c, KBS_JWE_ERROR, "JWE failed");
        return false;
    }
    (void)kbs_stage("encrypt", start);
    c->reply->content_type = "application/json";
    return true;
}

static bool release(kbs_ctx *c, vs_error *err)
{
    const kbs_plugin *p = kbs_plugin_of(c);
    const kbs_plugin_call call = kbs_plugin_request(c);
    vs_val jwk = vs_undefined();
    const secret_form *form = NULL;
    if (check(p, &call, err) != VS_OK) {
        refuse_plugin(c);
        return false;
    }
    if (!p->ops->wants_encryption && !recipient(c, &jwk, &form, err))
        return false;
    int64_t start = vs_mono_ns();
    VS_CLEANUP(vs_buf_free) vs_buf secret = VS_BUF(VS_STORE_VALUE_MAX);
    if (p->ops->handle(p->self, &call, &secret, err) != VS_OK || !vs_buf_ok(&secret)) {
        refuse_plugin(c);
        return false;
    }
    (void)kbs_stage("read secret", start);
    return hand_out(c, p, &call, vs_buf_span(&secret), jwk, form, err);
}

void kbs_plugin_release(kbs_ctx *c)
{
    vs_error err = {0};
    kbs_decision d = {.what = "release",
                      .proven = true,
                      .target = kbs_text(c, c->call.path),
                      .token = c->token,
                      .policy_sha256 = c->policy_sha256};
    d.allowed = release(c, &err);
    d.error = d.allowed ? NULL : &err;
    if (!kbs_decide(c, &d)) /* nobody gets a secret without a trace */
        refuse_plugin(c);
}

/* ---- administration ---------------------------------------------------------------------------
 */

void kbs_plugin_administer(kbs_ctx *c)
{
    vs_error err = {0};
    const kbs_plugin *p = kbs_plugin_of(c);
    const kbs_plugin_call call = kbs_plugin_request(c);
    vs_code code = check(p, &call, &err);
    if (code == VS_OK)
        code = p->ops->handle(p->self, &call, &c->reply->body, &err);
    bool recorded = kbs_decide_admin(c, c->route->action, code, &err);
    if (code != VS_OK || !recorded)
        refuse_plugin(c);
    else
        c->reply->content_type = "text/xml";
}

void kbs_plugin_serve(kbs_ctx *c)
{
    if (c->administrates)
        kbs_plugin_administer(c);
    else
        kbs_plugin_release(c);
}
