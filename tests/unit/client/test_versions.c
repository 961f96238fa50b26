/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against servers that speak one version of the protocol each, as upstream's do, and
 * against such as lie about it. What it sends is compared with what the clients of that version
 * sent.
 */
#include "../net/wire.h"
#include "transcripts.h"

#include "base/clock.h"
#include "base/enc.h"
#include "client/client.h"
#include "envelope/jose.h"

enum { OFFERS = 32 };

static struct {
    const transcript *t; /* what it speaks */
    bool old_reader;     /* extra-params must be text, as for kbs-types before 0.2.0 */
    const char *says;    /* of its versions, whatever was offered; NULL = the words of its time */
    bool flips;          /* asks for the version after the one that was offered, round and round */
    const char *attest_says, *resource;
    _Atomic unsigned slow_ms;
    int offers, attests, warnings;
    char offered[OFFERS][16];
    bool attested;
    vs_buf key_json;
    char warned[400];
} k;

static const char secret[] = "the secret of the realm";

static void refuse(vs_http_response *resp, const char *name, const char *detail)
{
    resp->status = 401;
    vs_jw w = {.out = &resp->body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "type");
    vs_jw_str(&w, name);
    vs_jw_key(&w, "detail");
    vs_jw_str(&w, detail);
    vs_jw_close(&w, '}');
}

static void refuse_version(vs_http_response *resp, const char *offered)
{
    char detail[300];
    if (k.says) {
        refuse(resp, "https://github.com/confidential-containers/kbs/errors/AttestationError",
               k.says);
    } else if (strcmp(k.t->version, "0.1.1") == 0) {
        (void)snprintf(detail, sizeof detail,
                       "KBS Client Protocol Version Mismatch: expected version: =%s, requested "
                       "version: %s",
                       k.t->version, offered);
        refuse(resp, "https://github.com/confidential-containers/kbs/errors/ProtocolVersion",
               detail);
    } else {
        (void)snprintf(detail, sizeof detail,
                       "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version "
                       "Mismatch: expect =%s while the request is %s",
                       k.t->version, offered);
        refuse(resp, "https://github.com/confidential-containers/kbs/errors/AttestationError",
               detail);
    }
}

static void ask_for_the_next(vs_http_response *resp, const char *offered)
{
    size_t i = 0;
    char detail[200];
    while (strcmp(transcripts[i].version, offered) != 0)
        i++;
    (void)snprintf(detail, sizeof detail,
                   "KBS Client Protocol Version Mismatch: expect =%s while the request is %s",
                   transcripts[(i + 1) % VS_COUNT(transcripts)].version, offered);
    refuse(resp, "x/AttestationError", detail);
}

static void on_auth(const vs_http_request *req, vs_http_response *resp)
{
    vs_val doc;
    vs_error err = {0};
    assert_vs_ok(vs_json_parse(req->arena, req->body, NULL, &doc, &err), &err);
    char *offered = k.offered[k.offers++];
    assert_true(k.offers < OFFERS);
    (void)snprintf(offered, sizeof k.offered[0], "%.*s", VS_FMT(vs_text(vs_getc(doc, "version"))));
    if (k.old_reader && vs_getc(doc, "extra-params").kind != VS_STRING) {
        resp->status = 400;
        vs_buf_puts(&resp->body, "Json deserialize error: invalid type: map, expected a string");
    } else if (k.flips) {
        ask_for_the_next(resp, offered);
    } else if (k.says || strcmp(offered, k.t->version) != 0) {
        refuse_version(resp, offered);
    } else {
        if (!k.old_reader)
            assert_span_is(req->body, k.t->request);
        resp->status = 200;
        vs_http_add_header(resp, "Set-Cookie", "kbs-session-id=s1");
        vs_buf_puts(&resp->body, "{\"nonce\":\"bm9uY2U=\",\"extra-params\":\"\"}");
    }
}

static vs_span expected_report(vs_arena *a, vs_val key)
{
    vs_obj o = {.a = a};
    if (k.t->additional)
        vs_obj_put(&o, "additional-evidence", vs_cstring(k.t->additional));
    vs_obj_put(&o, "nonce", vs_cstring("bm9uY2U="));
    vs_obj_put(&o, "tee-pubkey", key);
    VS_CLEANUP(vs_buf_free) vs_buf jcs = VS_BUF(10000);
    uint8_t digest[VS_HASH_MAX];
    vs_error err = {0};
    assert_vs_ok(vs_json_canonical(&jcs, vs_obj_end(&o, VS_DUP_REFUSE, NULL), &err), &err);
    assert_vs_ok(vs_digest(VS_SHA384, vs_buf_span(&jcs), (vs_span){0}, (vs_span){0}, digest, &err),
                 &err);
    return vs_b64_encode_arena(a, VS_B64_STD, vs_span_of(digest, 48));
}

static void on_attest(const vs_http_request *req, vs_http_response *resp)
{
    vs_val doc, want;
    vs_error err = {0};
    k.attests++;
    assert_vs_ok(vs_json_parse(req->arena, req->body, NULL, &doc, &err), &err);
    vs_val key = vs_getc(doc, "tee-pubkey");
    if (!vs_defined(key))
        key = vs_pointer(doc, VS_LIT("/runtime-data/tee-pubkey"));
    assert_span_is(vs_text(vs_getc(key, "alg")), k.t->alg);
    vs_span form = transcript_fill(req->arena, k.t->attestation, VS_LIT("bm9uY2U="), key,
                                   expected_report(req->arena, key));
    assert_vs_ok(vs_json_parse(req->arena, form, NULL, &want, &err), &err);
    assert_true(vs_eq(doc, want));
    vs_buf_clear(&k.key_json);
    vs_json_print(&k.key_json, key);
    if (k.attest_says) {
        refuse(resp, "x/AttestationError", k.attest_says);
        return;
    }
    k.attested = true;
    resp->status = 200;
    vs_buf_puts(&resp->body, "{\"token\":\"e30.e30.e30\"}");
}

static void on_resource(const vs_http_request *req, vs_http_response *resp)
{
    vs_val key;
    vs_error err = {0};
    if (!k.attested) {
        refuse(resp, "x/TokenNotFound", "Attestation Token not found");
        return;
    }
    resp->status = 200;
    if (k.resource) {
        vs_buf_puts(&resp->body, k.resource);
        return;
    }
    assert_vs_ok(vs_json_parse(req->arena, vs_buf_span(&k.key_json), NULL, &key, &err), &err);
    bool old = strcmp(k.t->version, "0.1.1") == 0;
    assert_vs_ok(
        (old ? vs_jwe_encrypt_0_1 : vs_jwe_encrypt)(&resp->body, key, vs_str(secret), &err), &err);
}

static void handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    if (k.slow_ms)
        usleep(k.slow_ms * 1000);
    if (vs_span_is(req->path, "/kbs/v0/auth"))
        on_auth(req, resp);
    else if (vs_span_is(req->path, "/kbs/v0/attest"))
        on_attest(req, resp);
    else
        on_resource(req, resp);
}

/* ---- our side ---------------------------------------------------------------------------------
 */

static vs_http_server *server;
static attester *att;

static int set_up(void **state)
{
    (void)state;
    memset(&k, 0, sizeof k);
    k.key_json.cap = 1 << 20;
    server = serve(handle, NULL, (vs_http_limits){0});
    vs_error err = {0};
    (void)unsetenv("VOUCHSAFE_TSM_PATH");
    assert_vs_ok(attester_detect(&(attester_config){.allow_sample = true}, &att, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    attester_free(&att);
    vs_http_server_stop(&server, 100);
    vs_buf_free(&k.key_json);
    return 0;
}

static void on_warning(void *user, const char *text, const vs_error *why)
{
    (void)user;
    (void)why;
    k.warnings++;
    (void)snprintf(k.warned, sizeof k.warned, "%s", text);
}

static kbsc *new_client(kbsc_config cfg)
{
    char url[60];
    kbsc *c = NULL;
    vs_error err = {0};
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", vs_http_server_port(server, 0));
    cfg.url = url;
    cfg.warn = on_warning;
    if (!cfg.retry_ms)
        cfg.retry_ms = 1;
    assert_vs_ok(kbsc_new(&cfg, &c, &err), &err);
    return c;
}

static void speak(const transcript *t)
{
    k.t = t;
    k.old_reader = strcmp(t->version, "0.1.1") == 0;
    k.offers = k.attests = k.warnings = 0;
    k.attested = false;
    k.warned[0] = 0;
}

static vs_code attest(kbsc *c, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(1 << 20);
    return kbsc_attest(c, att, (vs_span){0}, &token, err);
}

static vs_code get(kbsc *c, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    const kbsc_resource what = {"resource", "a/b/c", NULL};
    vs_code code = kbsc_get_resource(c, att, (vs_span){0}, &what, &out, err);
    if (code == VS_OK)
        assert_span_is(vs_buf_span(&out), secret);
    else
        assert_int_equal(out.n, 0);
    return code;
}

static vs_code get_with_token(kbsc *c, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
    bool refused;
    const kbsc_resource what = {"resource", "a/b/c", NULL};
    return kbsc_get_with_token(c, VS_LIT("e30.e30.e30"), &what, &out, &refused, err);
}

static void assert_says(const vs_error *err, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (!strstr(vs_error_text(err, text, sizeof text), what))
        fail_msg("\"%s\" is not in \"%s\"", what, text);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void servers_of_every_version_give_their_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) {
        vs_error err = {0};
        speak(&transcripts[i]);
        kbsc *c = new_client((kbsc_config){.oldest = KBSC_0_1_1});
        assert_int_equal(kbsc_spoken(c), 0);
        assert_vs_ok(get(c, &err), &err);
        bool newest = i == VS_COUNT(transcripts) - 1;
        assert_string_equal(k.offered[0], "0.4.0");
        assert_string_equal(k.offered[k.offers - 1], k.t->version);
        /* Who cannot read the list of hashes is offered the same again without it. */
        assert_int_equal(k.offers, newest ? 1 : k.old_reader ? 3 : 2);
        assert_int_equal(k.warnings, newest ? 0 : 1);
        assert_true(newest || strstr(k.warned, k.t->version));
        assert_string_equal(kbsc_version_name(kbsc_spoken(c)), k.t->version);
        /* The next one begins with the newest again, without another warning. */
        int before = k.offers;
        assert_vs_ok(attest(c, &err), &err);
        assert_vs_ok(get(c, &err), &err);
        assert_int_equal(k.offers, 2 * before);
        assert_string_equal(k.offered[before], "0.4.0");
        assert_int_equal(k.warnings, newest ? 0 : 1);
        kbsc_free(&c);
    }
}

/* 0.1.1 is not spoken unless that was asked for. */
static void nothing_older_than_allowed_is_spoken(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) {
        for (kbsc_version oldest = 0; oldest <= KBSC_NEWEST; oldest++) {
            vs_error err = {0};
            speak(&transcripts[i]);
            kbsc *c = new_client((kbsc_config){.oldest = oldest});
            bool allowed = i + KBSC_0_1_1 >= (oldest ? oldest : KBSC_0_2_0);
            vs_code code = get(c, &err);
            if (allowed) {
                assert_vs_ok(code, &err);
            } else {
                assert_vs_code(code, VS_E_UNSUPPORTED);
                assert_says(&err, "older than ");
                assert_says(&err, kbsc_version_name(oldest ? oldest : KBSC_0_2_0));
                assert_true(kbsc_why(c)->version);
                assert_int_equal(k.attests, 0); /* no evidence has gone out */
                assert_null(kbsc_tee_key(c));
                for (int n = 0; n < k.offers; n++)
                    assert_string_equal(k.offered[n], "0.4.0");
            }
            kbsc_free(&c);
        }
    }
}

static void lies_about_versions_end_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *says, *error;
        int offers;
    } v[] = {
#define MISMATCH "KBS Client Protocol Version Mismatch: "
        {MISMATCH "expect =0.5.0 while the request is 0.4.0", "this client 0.1.1, 0.2.0", 1},
        {MISMATCH "expect =0.1.0 while the request is 0.4.0", "this client 0.1.1, 0.2.0", 1},
        {MISMATCH "expect \x1b[2J;rm -rf while the request is 0.4.0", "\"\\x1b[2J;rm -rf\"", 1},
        {MISMATCH "expect >=0.1.1 while the request is 0.4.0", "this client 0.1.1, 0.2.0", 1},
        {MISMATCH "expect while", "speaks protocol \"while\"", 1},
        {MISMATCH, "does not say which", 1},
        {MISMATCH "expect =0.4.0 while the request is 0.4.0",
         "asks for protocol \"=0.4.0\" and does not take it", 1},
        {MISMATCH "expect =0.2.0 while the request is 0.4.0",
         "asks for protocol \"=0.2.0\" and does not take it", 2},
        {MISMATCH "expect =0.2.0, =0.3.0, =0.4.0 while the request is 0.4.0",
         "and does not take it", 3},
        {MISMATCH "expect =0.1.1, =9.9.9 while the request is 0.4.0", "older than 0.2.0", 1},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_error err = {0};
        speak(&transcripts[3]);
        k.says = v[i].says;
        kbsc *c = new_client((kbsc_config){0});
        assert_vs_code(attest(c, &err), VS_E_UNSUPPORTED);
        assert_says(&err, v[i].error);
        assert_true(kbsc_why(c)->version);
        assert_int_equal(k.offers, v[i].offers);
        assert_int_equal(k.attests, 0);
        assert_int_equal(kbsc_spoken(c), 0);
        k.says = NULL; /* nothing of it stays */
        assert_vs_ok(attest(c, &err), &err);
        assert_int_equal(k.offers, v[i].offers + 1);
        assert_string_equal(k.offered[v[i].offers], "0.4.0");
        kbsc_free(&c);
    }
}

static void a_server_that_always_wants_another_version_ends(void **state)
{
    (void)state;
    vs_error err = {0};
    speak(&transcripts[3]);
    k.flips = true;
    kbsc *c = new_client((kbsc_config){.oldest = KBSC_0_1_1});
    assert_vs_code(attest(c, &err), VS_E_UNSUPPORTED);
    assert_says(&err, "asks for protocol \"=0.4.0\" and does not take it");
    assert_int_equal(k.offers, 4);
    for (int i = 0; i < k.offers; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(k.offered[i], k.offered[j]);
    kbsc_free(&c);
}

static void a_server_that_is_replaced_is_followed(void **state)
{
    (void)state;
    vs_error err = {0};
    kbsc *c = new_client((kbsc_config){0});
    static const size_t order[] = {1, 3, 2, 3};
    for (size_t i = 0; i < VS_COUNT(order); i++) {
        speak(&transcripts[order[i]]);
        assert_vs_ok(attest(c, &err), &err);
        assert_int_equal(k.offers, order[i] == 3 ? 1 : 2);
        assert_int_equal(k.warnings, order[i] == 3 ? 0 : 1);
    }
    kbsc_free(&c);
}

/* As if forged: the words of a server that can do less, and then the real one again. */
static void one_older_answer_does_not_hold_the_client_to_its_version(void **state)
{
    (void)state;
    vs_error err = {0};
    for (size_t i = 1; i < 3; i++) { /* the RSA key of 0.1.1 would stay */
        kbsc *c = new_client((kbsc_config){0});
        speak(&transcripts[i]);
        assert_vs_ok(attest(c, &err), &err);
        assert_string_equal(kbsc_version_name(kbsc_spoken(c)), transcripts[i].version);
        speak(&transcripts[3]); /* which checks that the list of hashes is offered */
        assert_vs_ok(attest(c, &err), &err);
        assert_string_equal(kbsc_version_name(kbsc_spoken(c)), "0.4.0");
        kbsc_free(&c);
    }
}

static void an_answer_has_no_more_bytes_than_asked_for(void **state)
{
    (void)state;
    vs_error err = {0};
    speak(&transcripts[3]);
    char text[301] = "";
    memset(text, 'x', sizeof text - 1);
    k.resource = text;
    k.attested = true;
    static const struct {
        size_t most;
        bool taken;
    } v[] = {{299, false}, {300, true}, {0, true}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        kbsc *c = new_client((kbsc_config){.answer_bytes = v[i].most});
        assert_vs_ok(kbsc_make_tee_key(c, VS_KEY_P256, &err), &err);
        vs_code code = get_with_token(c, NULL);
        assert_true((code != VS_E_LIMIT) == v[i].taken);
        assert_int_not_equal(code, VS_OK); /* it is no JWE */
        kbsc_free(&c);
    }
}

static void words_about_versions_count_only_where_one_is_offered(void **state)
{
    (void)state;
    vs_error err = {0};
    speak(&transcripts[3]);
    k.attest_says = MISMATCH "expect =0.2.0 while the request is 0.4.0";
    kbsc *c = new_client((kbsc_config){0});
    assert_vs_code(attest(c, &err), VS_E_DENIED);
    assert_says(&err, "with protocol 0.4.0");
    assert_int_equal(k.offers, 1);
    assert_int_equal(k.attests, 1);
    kbsc_free(&c);
}

static void a_key_that_was_given_is_not_replaced(void **state)
{
    (void)state;
    vs_error err = {0};
    vs_key *ec = NULL, *rsa = NULL;
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &ec, &err), &err);
    assert_vs_ok(vs_key_generate(VS_KEY_RSA, &rsa, &err), &err);
    kbsc *c = new_client((kbsc_config){.oldest = KBSC_0_1_1});
    speak(&transcripts[0]);
    assert_vs_ok(kbsc_set_tee_key(c, ec, &err), &err);
    assert_vs_code(attest(c, &err), VS_E_UNSUPPORTED);
    assert_says(&err, "needs an RSA key");
    assert_int_equal(k.attests, 0);
    assert_vs_ok(kbsc_set_tee_key(c, rsa, &err), &err);
    assert_vs_ok(get(c, &err), &err);
    assert_ptr_equal(kbsc_tee_key(c), rsa);
    kbsc_free(&c);
    /* One that was made here is. */
    c = new_client((kbsc_config){.oldest = KBSC_0_1_1});
    speak(&transcripts[0]);
    assert_vs_ok(kbsc_make_tee_key(c, VS_KEY_P521, &err), &err);
    assert_vs_ok(get(c, &err), &err);
    assert_int_equal(vs_key_kind(kbsc_tee_key(c)), VS_KEY_RSA);
    kbsc_free(&c);
}

static const char *old_form(const vs_key *key, vs_buf *out)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    vs_val jwk;
    vs_error err = {0};
    vs_buf_clear(out);
    assert_vs_ok(vs_key_to_jwk(&a, key, "RSA1_5", &jwk, &err), &err);
    assert_vs_ok(vs_jwe_encrypt_0_1(out, jwk, vs_str(secret), &err), &err);
    vs_arena_free(&a);
    return (const char *)out->p;
}

/* Whoever answers in the place of a server of today must not get RSA1_5 used. */
static void the_old_form_is_taken_only_from_whom_it_is_expected(void **state)
{
    (void)state;
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 16);
    static const struct {
        kbsc_version oldest;
        bool attests, taken;
    } v[] = {
        {0, false, false}, {0, true, false}, {KBSC_0_1_1, true, false}, {KBSC_0_1_1, false, true}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        speak(&transcripts[3]);
        k.t = &(transcript){"0.4.0",    transcripts[3].request, transcripts[3].attestation,
                            VS_KEY_RSA, "RSA-OAEP-256",         ""};
        kbsc *c = new_client((kbsc_config){.oldest = v[i].oldest});
        assert_vs_ok(kbsc_make_tee_key(c, VS_KEY_RSA, &err), &err);
        if (v[i].attests)
            assert_vs_ok(attest(c, &err), &err);
        k.attested = true;
        k.resource = old_form(kbsc_tee_key(c), &text);
        vs_code code = get_with_token(c, &err);
        if (v[i].taken)
            assert_vs_ok(code, &err);
        else
            assert_int_not_equal(code, VS_OK);
        k.resource = NULL;
        kbsc_free(&c);
    }
}

static void init_data_that_is_not_told_is_warned_of(void **state)
{
    (void)state;
    vs_error err = {0};
    speak(&transcripts[1]);
    kbsc *c = new_client((kbsc_config){0});
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(1 << 20);
    assert_vs_ok(kbsc_attest(c, att, VS_LIT("version = \"0.1.0\"\n"), &token, &err), &err);
    assert_int_equal(k.warnings, 2);
    assert_non_null(strstr(k.warned, "init data"));
    kbsc_free(&c);
}

static void an_operation_ends_at_its_deadline(void **state)
{
    (void)state;
    vs_error err = {0};
    /* Pauses between tries, a slow server, many requests: all of it counts. */
    static const struct {
        kbsc_config cfg;
        unsigned slow_ms;
        const char *attest_says;
    } v[] = {{{.deadline_ms = 300, .retry_ms = 60000}, 0, "no"},
             {{.deadline_ms = 300, .retry_ms = 1}, 4000, NULL},
             {{.deadline_ms = 300, .retry_ms = 1, .attest_tries = 1000000}, 20, "no"},
             {{.request_ms = 200, .retry_ms = 1}, 4000, NULL}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        speak(&transcripts[3]);
        k.slow_ms = v[i].slow_ms;
        k.attest_says = v[i].attest_says;
        kbsc *c = new_client(v[i].cfg);
        int64_t start = vs_mono_ns();
        assert_vs_code(attest(c, &err), VS_E_TIMEOUT);
        assert_true(vs_mono_ns() - start < INT64_C(3500) * 1000000);
        kbsc_free(&c);
        k.slow_ms = 0;
        k.attest_says = NULL;
    }
    speak(&transcripts[3]); /* each operation has its own */
    kbsc *c = new_client((kbsc_config){.deadline_ms = 30000});
    assert_vs_ok(attest(c, &err), &err);
    usleep(20000);
    assert_vs_ok(get(c, &err), &err);
    kbsc_free(&c);
}

static void tries_and_proxies_are_as_configured(void **state)
{
    (void)state;
    vs_error err = {0};
    speak(&transcripts[3]);
    k.attest_says = "no";
    kbsc *c = new_client((kbsc_config){.attest_tries = 2});
    assert_vs_code(attest(c, &err), VS_E_DENIED);
    assert_says(&err, "2 tries");
    assert_int_equal(k.attests, 2);
    kbsc_free(&c);
    c = new_client((kbsc_config){.proxy = "http://127.0.0.1:1"});
    assert_vs_code(attest(c, &err), VS_E_IO);
    assert_int_equal(k.attests, 2);
    kbsc_free(&c);
    static const char *const bad[] = {"127.0.0.1:3128", "https://h:1", "socks5://h:1",
                                      "http://me:hunter2@h:1"};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        char text[VS_ERROR_TEXT];
        assert_int_not_equal(kbsc_new(&(kbsc_config){.url = "http://h", .proxy = bad[i]}, &c, &err),
                             VS_OK);
        assert_null(strstr(vs_error_text(&err, text, sizeof text), "hunter2"));
        assert_null(c);
    }
}

int main(void)
{
#define WITH_KBS(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_KBS(servers_of_every_version_give_their_secret),
        WITH_KBS(nothing_older_than_allowed_is_spoken),
        WITH_KBS(lies_about_versions_end_at_once),
        WITH_KBS(a_server_that_always_wants_another_version_ends),
        WITH_KBS(a_server_that_is_replaced_is_followed),
        WITH_KBS(one_older_answer_does_not_hold_the_client_to_its_version),
        WITH_KBS(an_answer_has_no_more_bytes_than_asked_for),
        WITH_KBS(words_about_versions_count_only_where_one_is_offered),
        WITH_KBS(a_key_that_was_given_is_not_replaced),
        WITH_KBS(the_old_form_is_taken_only_from_whom_it_is_expected),
        WITH_KBS(init_data_that_is_not_told_is_warned_of),
        WITH_KBS(an_operation_ends_at_its_deadline),
        WITH_KBS(tries_and_proxies_are_as_configured),
    };
    return cmocka_run_group_tests_name("versions", tests, NULL, NULL);
}
