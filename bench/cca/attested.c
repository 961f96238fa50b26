/* SPDX-License-Identifier: Apache-2.0 */
#include "attested.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "tee/evidence.h"
#include "value/json.h"

vs_error err;

void must(vs_code code, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return;
    (void)fprintf(stderr, "bench_cca: %s: %s\n", what, vs_error_text(&err, text, sizeof text));
    exit(1);
}

/* ---- the server --------------------------------------------------------------------------------
 */

static void endorse(bench *b)
{
    vs_buf payload = VS_BUF(4096), message = VS_BUF(8192);
    vs_buf_puts(&payload, "{\"cca.realm.cca-realm-initial-measurement\":[\"");
    vs_b64_encode(&payload, VS_B64_STD, b->spec.rim);
    vs_buf_puts(&payload, "\"]}");
    vs_buf_puts(&message, "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"");
    vs_b64_encode(&message, VS_B64_STD, vs_buf_span(&payload));
    vs_buf_puts(&message, "\"}");
    MUST(rvps_register(b->rv, vs_buf_span(&message), b->now, &err));
    vs_buf_free(&payload);
    vs_buf_free(&message);
}

void start_service(bench *b, bool cached)
{
    static const as_config as_cfg;
    static const rvps_options rv_opts;
    vs_buf ta = VS_BUF(1 << 16), rv = VS_BUF(1 << 16);
    vs_key *tee = NULL;
    vs_arena_init(&b->keep, 256 << 20);
    vs_arena_init(&b->work, 0);
    b->now = vs_now_s();
    MUST(realm_keys_generate(&b->keys, &err));
    MUST(realm_spec_default(&b->keep, &b->spec, &err));
    MUST(realm_ta_store(&b->spec, &b->keys, &ta, &err));
    MUST(realm_rv_store(&b->spec, &rv, &err));
    MUST(cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), &b->cca, &err));
    cca_trust_use_cache(b->cca, cached);
    b->trust = (vs_tee_trust){.cca = b->cca};
    MUST(vs_store_open_memory(&b->store, &err));
    MUST(rvps_new(b->store, &rv_opts, &b->rv, &err));
    MUST(as_new(&as_cfg, b->store, b->rv, &b->trust, &b->as, &err));
    kbs_config_defaults(&b->cfg, NULL);
    MUST(kbs_new(&b->cfg, b->store, b->store, b->as, b->rv, &b->k, &err));
    endorse(b);
    b->platform = (vs_buf)VS_BUF(1 << 16);
    MUST(realm_platform_token(&b->spec, &b->keys, &b->platform, &err));
    MUST(vs_key_generate(VS_KEY_P256, &tee, &err));
    MUST(vs_key_to_jwk(&b->keep, tee, "ECDH-ES+A256KW", &b->jwk, &err));
    vs_key_free(&tee);
    vs_buf_free(&ta);
    vs_buf_free(&rv);
}

void stop_service(bench *b)
{
    kbs_free(&b->k);
    as_free(&b->as);
    rvps_free(&b->rv);
    vs_store_close(&b->store);
    cca_trust_free(&b->cca);
    realm_keys_free(&b->keys);
    vs_buf_free(&b->platform);
    vs_arena_free(&b->keep);
    vs_arena_free(&b->work);
}

void ask(bench *b, const char *what, vs_span body, vs_span session, kbs_reply *reply)
{
    const vs_span segment = vs_str(what);
    const kbs_call call = {.method = KBS_POST,
                           .segments = &segment,
                           .n_segments = 1,
                           .query = vs_empty(VS_OBJECT),
                           .session = session,
                           .body = body,
                           .now = b->now,
                           .arena = &b->work};
    kbs_handle(b->k, &call, reply);
    if (reply->error != KBS_OK) {
        (void)fprintf(stderr, "bench_cca: %s: %.*s\n", what, VS_FMT(reply->detail));
        exit(1);
    }
}

/* ---- the client --------------------------------------------------------------------------------
 */

static vs_val runtime_data(bench *b, vs_span nonce, bool primary)
{
    vs_obj o = {.a = &b->keep};
    if (primary)
        vs_obj_put(&o, "additional-evidence", vs_cstring(""));
    vs_obj_put(&o, "nonce", vs_string(nonce));
    vs_obj_put(&o, "tee-pubkey", b->jwk);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_span report_data(bench *b, vs_val runtime)
{
    uint8_t md[VS_HASH_MAX];
    vs_buf text = VS_BUF(1 << 16);
    MUST(vs_json_canonical(&text, runtime, &err));
    MUST(vs_digest(VS_SHA384, vs_buf_span(&text), VS_LIT(""), VS_LIT(""), md, &err));
    vs_buf_free(&text);
    return vs_dup(&b->keep, vs_span_of(md, vs_hash_size(VS_SHA384)));
}

static vs_span evidence(bench *b, vs_span expected)
{
    uint8_t challenge[64];
    vs_buf realm = VS_BUF(1 << 16), token = VS_BUF(1 << 16), json = VS_BUF(1 << 20);
    vs_tee_fit(expected, challenge, sizeof challenge);
    MUST(realm_realm_token(&b->spec, &b->keys, vs_span_of(challenge, sizeof challenge), &realm,
                           &err));
    MUST(realm_wrap(b->spec.tag, vs_buf_span(&b->platform), vs_buf_span(&realm), &token, &err));
    vs_buf_puts(&json, "{\"token\":");
    evidence_put_bytes(&json, vs_buf_span(&token));
    vs_buf_putc(&json, '}');
    vs_span text = vs_dup(&b->keep, vs_buf_span(&json));
    vs_buf_free(&realm);
    vs_buf_free(&token);
    vs_buf_free(&json);
    return text;
}

sample new_sample(bench *b)
{
    sample s;
    vs_val challenge;
    vs_buf out = VS_BUF(1 << 20);
    kbs_reply reply = {.body = VS_BUF(1 << 16)};
    ask(b, "auth", VS_LIT("{\"version\":\"0.4.0\",\"tee\":\"cca\",\"extra-params\":\"\"}"),
        VS_LIT(""), &reply);
    s.session = vs_dup(&b->keep, reply.set_session);
    MUST(vs_json_parse(&b->keep, vs_dup(&b->keep, vs_buf_span(&reply.body)), NULL, &challenge,
                       &err));
    vs_span nonce = vs_text(vs_getc(challenge, "nonce"));
    s.runtime = runtime_data(b, nonce, true);
    s.report_data = report_data(b, s.runtime);
    s.evidence = evidence(b, s.report_data);
    vs_buf_puts(&out, "{\"init-data\":null,\"runtime-data\":");
    vs_json_print(&out, runtime_data(b, nonce, false));
    vs_buf_puts(&out, ",\"tee-evidence\":{\"primary_evidence\":");
    vs_buf_put(&out, s.evidence);
    vs_buf_puts(&out, ",\"additional_evidence\":\"\"}}");
    s.body = vs_dup(&b->keep, vs_buf_span(&out));
    MUST(vs_arena_check(&b->keep, &err));
    vs_buf_free(&out);
    vs_buf_free(&reply.body);
    vs_arena_reset(&b->work);
    return s;
}
