/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resource plugin: where a secret is released (kbs.md 2, 3).
 *
 * When a handler runs, the route table's check has been made. The recipient's key is looked at
 * before the secret is read, so that a secret is in memory only when it can be encrypted.
 */
#include "kbs/internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "envelope/jose.h"
#include "kbs/metrics.h"
#include "value/json.h"

static bool segment_ok(vs_span s)
{
    if (s.n == 0 || s.p[0] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], lower = c | 0x20;
        bool alnum = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
        if (!alnum && c != '_' && c != '-' && c != '.')
            return false;
    }
    return true;
}

/* <repository>/<type>/<tag> (2.1). */
static vs_code resource_key(kbs_ctx *c, vs_span *key, vs_error *err)
{
    bool ok = c->call.n_segments == 4;
    for (size_t i = 1; ok && i < c->call.n_segments; i++)
        ok = segment_ok(c->call.segments[i]);
    if (!ok)
        return vs_fail(err, VS_E_INVALID, "a resource path is <repository>/<type>/<tag>");
    *key = kbs_rest_of_path(c);
    return vs_arena_check(c->call.arena, err);
}

/* The path names a secret, and metrics are read by many: its digest, unless asked for the path. */
static void count_resource(const kbs_ctx *c, vs_metric *m, vs_span key)
{
    enum { SHOWN = 8 };
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf label = VS_BUF(2 * SHOWN);
    if (!c->k->cfg->metrics_resource_paths) {
        if (vs_digest(VS_SHA256, key, VS_LIT(""), VS_LIT(""), md, NULL) != VS_OK)
            return;
        vs_hex_encode(&label, vs_span_of(md, SHOWN));
        key = vs_buf_span(&label);
    }
    vs_metric_add(m, key, 1);
}

static void refuse_plugin(kbs_ctx *c)
{
    kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "Plugin internal error");
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* A client of protocol 0.1.1. A session says so; of a token that came without one, that its
 * evidence was bound to no additional evidence, and that the key is of the only kind such clients
 * have. */
static bool speaks_0_1(const kbs_ctx *c, vs_val jwk)
{
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
    if (kbs_token_tee_key(c->k->cfg, c->claims, c->call.arena, jwk, err) != VS_OK) {
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

static bool release(kbs_ctx *c, vs_error *err)
{
    vs_span key;
    vs_val jwk;
    const secret_form *form;
    if (resource_key(c, &key, err) != VS_OK) {
        refuse_plugin(c);
        return false;
    }
    count_resource(c, &kbs_m_resource_reads, key);
    if (!recipient(c, &jwk, &form, err))
        return false;
    int64_t start = vs_mono_ns();
    VS_CLEANUP(vs_buf_free) vs_buf secret = VS_BUF(VS_STORE_VALUE_MAX);
    if (vs_store_get(c->k->resources, KBS_NS_RESOURCE, key, c->call.now, &secret, err) != VS_OK) {
        refuse_plugin(c);
        return false;
    }
    start = kbs_stage("read secret", start);
    if (form->encrypt(&c->reply->body, jwk, vs_buf_span(&secret), err) != VS_OK) {
        kbs_refuse(c, KBS_JWE_ERROR, "JWE failed");
        return false;
    }
    (void)kbs_stage("encrypt", start);
    c->reply->content_type = "application/json";
    return true;
}

void kbs_get_resource(kbs_ctx *c)
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

void kbs_refuse_method(kbs_ctx *c)
{
    refuse_plugin(c);
}

/* ---- administration ---------------------------------------------------------------------------
 */

static void finish(kbs_ctx *c, const char *what, vs_code code, const vs_error *err)
{
    const kbs_decision d = {
        .what = "administration",
        .proven = true,
        .allowed = code == VS_OK,
        .who = kbs_text(c, c->who),
        .target = kbs_text(c, c->call.path),
        .action = what,
        .error = code == VS_OK ? NULL : err,
    };
    bool recorded = kbs_decide(c, &d);
    if (code != VS_OK || !recorded)
        refuse_plugin(c);
    else
        c->reply->content_type = "text/xml";
}

void kbs_set_resource(kbs_ctx *c)
{
    vs_error err = {0};
    vs_span key;
    vs_code code = resource_key(c, &key, &err);
    if (code == VS_OK) {
        count_resource(c, &kbs_m_resource_writes, key);
        code = vs_store_put(c->k->resources, KBS_NS_RESOURCE, key, c->call.body, 0, VS_PUT_REPLACE,
                            &err);
    }
    finish(c, "set resource", code, &err);
}

void kbs_delete_resource(kbs_ctx *c)
{
    vs_error err = {0};
    vs_span key;
    vs_code code = resource_key(c, &key, &err);
    if (code == VS_OK) {
        count_resource(c, &kbs_m_resource_deletes, key);
        code = vs_store_delete(c->k->resources, KBS_NS_RESOURCE, key, &err);
    }
    finish(c, "delete resource", code, &err);
}

/* ---- listing ----------------------------------------------------------------------------------
 */

static vs_code add_path(void *user, vs_span key)
{
    vs_vec *list = user;
    vs_vec_add(list, vs_string_dup(list->a, key));
    return VS_OK;
}

/* GET resource, as newer Trustee has it: paths, never contents. */
void kbs_list_resources(kbs_ctx *c)
{
    vs_error err = {0};
    vs_vec list = {.a = c->call.arena};
    vs_code code = vs_store_list(c->k->resources, KBS_NS_RESOURCE, add_path, &list, &err);
    vs_val paths = vs_vec_end_array(&list);
    if (code == VS_OK)
        code = vs_arena_check(c->call.arena, &err);
    if (code != VS_OK) {
        vs_log_error(VS_LOG_ERROR, "kbs", "listing resources", &err);
        refuse_plugin(c);
        return;
    }
    vs_json_print(&c->reply->body, paths);
    c->reply->content_type = "application/json";
}
