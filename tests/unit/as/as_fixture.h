/* SPDX-License-Identifier: Apache-2.0 */
/* An attestation service on a memory store that accepts sample evidence. */
#ifndef TEST_AS_FIXTURE_H
#define TEST_AS_FIXTURE_H

#include "testing.h"

#include "as/as.h"
#include "base/enc.h"
#include "envelope/jose.h"
#include "value/json.h"

/* 2093: the store compares expiry with the real clock when it creates. */
#define NOW INT64_C(3900000000)

typedef struct world {
    vs_arena a;
    vs_store *store;
    rvps *rv;
    vs_tee_trust trust;
    as_service *as;
} world;

static inline void world_open(world *w, const as_config *cfg)
{
    static const as_config defaults;
    static const rvps_options rv_options;
    vs_error err = {0};
    *w = (world){.trust = {.sample = true}};
    vs_arena_init(&w->a, 0);
    assert_vs_ok(vs_store_open_memory(&w->store, &err), &err);
    assert_vs_ok(rvps_new(w->store, &rv_options, &w->rv, &err), &err);
    assert_vs_ok(as_new(cfg ? cfg : &defaults, w->store, w->rv, &w->trust, &w->as, &err), &err);
}

static inline void world_close(world *w)
{
    as_free(&w->as);
    rvps_free(&w->rv);
    vs_store_close(&w->store);
    vs_arena_free(&w->a);
}

static inline int world_setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    world_open(w, NULL);
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static inline vs_val json(world *w, const char *text)
{
    vs_error err = {0};
    vs_val v;
    assert_vs_ok(vs_json_parse(&w->a, vs_str(text), NULL, &v, &err), &err);
    return v;
}

/* JSON with ' for ", so that tests stay readable. */
static inline vs_val json1(world *w, const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *p = copy; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    vs_span kept = vs_dup(&w->a, vs_str(copy));
    free(copy);
    return json(w, (const char *)kept.p);
}

/* Registers {"name": value} through a sample message, as kbs-client does. */
static inline void endorse(world *w, const char *payload_json)
{
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf b64 = VS_BUF(1 << 16);
    VS_CLEANUP(vs_buf_free) vs_buf message = VS_BUF(1 << 17);
    vs_b64_encode(&b64, VS_B64_STD, vs_str(payload_json));
    vs_buf_printf(&message, "{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"%s\"}",
                  (const char *)b64.p);
    assert_vs_ok(rvps_register(w->rv, vs_buf_span(&message), NOW, &err), &err);
}

/* Sample evidence bound to the runtime data as a client would bind it. */
static inline as_request sample_request(world *w, const char *tee, const char *runtime_json)
{
    vs_error err = {0};
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 16);
    as_request r = {.tee = vs_str(tee), .runtime_kind = AS_DATA_STRUCTURED};
    r.runtime_json = json(w, runtime_json);
    assert_vs_ok(vs_json_canonical(&text, r.runtime_json, &err), &err);
    assert_vs_ok(vs_digest(VS_SHA384, vs_buf_span(&text), VS_LIT(""), VS_LIT(""), md, &err), &err);
    vs_obj ev = {.a = &w->a};
    vs_obj_put(&ev, "svn", vs_cstring("1"));
    vs_obj_put(&ev, "report_data",
               vs_string(vs_b64_encode_arena(&w->a, VS_B64_STD, vs_span_of(md, 48))));
    r.evidence = vs_obj_end(&ev, VS_DUP_REFUSE, NULL);
    return r;
}

static inline vs_code evaluate(world *w, const as_request *reqs, size_t n, const char *policy,
                               as_result *out, vs_error *err)
{
    return as_evaluate(w->as, reqs, n, vs_str(policy), NOW, &w->a, out, err);
}

/* The token's claims after its signature was checked with the service's own key. */
static inline vs_val token_claims(world *w, vs_span token)
{
    vs_error err = {0};
    vs_jws jws;
    vs_val claims;
    vs_key *key = NULL;
    assert_vs_ok(vs_jws_parse(&w->a, token, &jws, &err), &err);
    assert_vs_ok(vs_key_from_jwk(vs_getc(jws.header, "jwk"), false, true, &key, NULL, &err), &err);
    assert_vs_ok(vs_jws_verify(&jws, key, VS_ES256, &err), &err);
    vs_key_free(&key);
    assert_vs_ok(vs_json_parse(&w->a, jws.payload, NULL, &claims, &err), &err);
    return claims;
}

static inline vs_val at(vs_val v, const char *pointer)
{
    return vs_pointer(v, vs_str(pointer));
}

static inline void assert_json_eq(world *w, vs_val got, const char *want_quoted)
{
    vs_val want = json1(w, want_quoted);
    if (!vs_eq(got, want)) {
        vs_buf text = VS_BUF(1 << 20);
        vs_json_print(&text, got);
        fail_msg("got  %s\nwant %s", (const char *)text.p, want_quoted);
    }
}

#endif
