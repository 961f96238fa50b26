/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"
#include "envelope/jose.h"
#include "net/http_client.h"

enum {
    ANSWER_MAX = 16 * 1024 * 1024,
    EVIDENCE_MAX = 1024 * 1024,
    ATTESTATION_MAX = 4 * 1024 * 1024,
    PATH_MAX_BYTES = 4096,
    ATTEST_TRIES = 5, /* kbs.md 1.10 */
    GET_TRIES = 3,
    REQUEST_MS = 60000,
    SHOWN_MAX = 600, /* of a server's text in an error */
};

struct kbsc {
    vs_http_client *http;
    char *base; /* without '/' at its end */
    kbsc_version oldest;
    kbsc_version version; /* of the handshake under way */
    kbsc_version spoken;  /* that a server took in the latest one; 0 = none */
    bool plain;           /* offers without a list of hashes, in this handshake */
    vs_key *tee_key;
    bool own_key; /* it was made here */
    unsigned tries, retry_ms, request_ms, deadline_ms;
    void (*warn)(void *user, const char *text, const vs_error *why);
    void *user;
    vs_arena arena; /* of the operation under way */
    int64_t until;  /* ... and its end, of vs_mono_ns(); INT64_MAX = none */
    kbsc_failure why;
};

static void reset_arena(vs_arena **a)
{
    vs_arena_reset(*a);
}

static vs_arena *begin(kbsc *c)
{
    c->until = c->deadline_ms ? vs_mono_ns() + (int64_t)c->deadline_ms * 1000000 : INT64_MAX;
    c->why = (kbsc_failure){0};
    return &c->arena;
}

/* Each public operation starts with this: what it parsed is gone when it returns. */
#define OPERATION(c) VS_CLEANUP(reset_arena) __attribute__((unused)) vs_arena *arena = begin(c)

static void warn(const kbsc *c, const char *text, const vs_error *why)
{
    if (c->warn)
        c->warn(c->user, text, why);
    else if (why)
        vs_log_error(VS_LOG_WARN, "client", text, why);
    else
        vs_log(VS_LOG_WARN, "client", text, NULL);
}

/* ---- making one -------------------------------------------------------------------------------
 */

static vs_code set_base(kbsc *c, const char *url, vs_error *err)
{
    vs_span base = vs_str(url);
    while (base.n && base.p[base.n - 1] == '/')
        base.n--;
    if (!vs_span_starts(base, VS_LIT("http://")) && !vs_span_starts(base, VS_LIT("https://")))
        return vs_fail(err, VS_E_INVALID, "the URL \"%s\" must start with http:// or https://",
                       url);
    if (vs_span_ends(base, VS_LIT("/kbs/v0")))
        return vs_fail(err, VS_E_INVALID,
                       "the URL \"%s\" must be the root of the server, without /kbs/v0", url);
    c->base = strndup((const char *)base.p, base.n);
    return c->base ? VS_OK : vs_fail(err, VS_E_NOMEM, "out of memory");
}

/* Both HTTP clients understand this much. A password would end up in logs. */
static vs_code check_proxy(const char *proxy, vs_error *err)
{
    if (!proxy || !*proxy)
        return VS_OK;
    if (strchr(proxy, '@'))
        return vs_fail(err, VS_E_UNSUPPORTED, "a proxy that wants a user's name is not supported");
    if (strncmp(proxy, "http://", 7) != 0)
        return vs_fail(err, VS_E_INVALID, "the proxy \"%.200s\" must be http://HOST:PORT", proxy);
    return VS_OK;
}

static void set_options(kbsc *c, const kbsc_config *cfg)
{
    c->oldest = cfg->oldest ? cfg->oldest : KBSC_OLDEST;
    c->tries = cfg->attest_tries ? cfg->attest_tries : ATTEST_TRIES;
    c->retry_ms = cfg->retry_ms ? cfg->retry_ms : 1000;
    c->request_ms = cfg->request_ms ? cfg->request_ms : REQUEST_MS;
    c->deadline_ms = cfg->deadline_ms;
    c->warn = cfg->warn;
    c->user = cfg->user;
}

vs_code kbsc_new(const kbsc_config *cfg, kbsc **out, vs_error *err)
{
    VS_TRY(check_proxy(cfg->proxy, err));
    kbsc *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "cannot make a client");
    vs_arena_init(&c->arena, 0);
    set_options(c, cfg);
    vs_http_client_config http = {.ca_file = cfg->ca_file,
                                  .ca_pem = cfg->ca_pem,
                                  .user_agent = cfg->user_agent,
                                  .cert = cfg->cert,
                                  .key = cfg->key,
                                  .tls_of = cfg->tls_of ? cfg->tls_of->http : NULL,
                                  .unix_socket = cfg->unix_socket,
                                  .proxy = cfg->proxy,
                                  .connect_ms = cfg->connect_ms,
                                  .total_ms = c->request_ms,
                                  .response_bytes =
                                      cfg->answer_bytes ? cfg->answer_bytes : ANSWER_MAX};
    vs_code code = set_base(c, cfg->url, err);
    if (code == VS_OK)
        code = vs_http_client_new(&http, &c->http, err);
    if (code != VS_OK)
        kbsc_free(&c);
    else
        *out = c;
    return code;
}

void kbsc_free(kbsc **client)
{
    kbsc *c = *client;
    if (!c)
        return;
    *client = NULL;
    vs_http_client_free(&c->http);
    vs_key_free(&c->tee_key);
    vs_arena_free(&c->arena);
    free(c->base);
    free(c);
}

/* kbs.md 1.8: what the KBS encrypts to; NULL for other keys. */
static const char *tee_alg(const vs_key *k)
{
    switch (vs_key_kind(k)) {
    case VS_KEY_P256:
    case VS_KEY_P521: return "ECDH-ES+A256KW";
    case VS_KEY_RSA: return "RSA-OAEP-256";
    default: return NULL;
    }
}

vs_code kbsc_make_tee_key(kbsc *c, vs_key_type type, vs_error *err)
{
    vs_key *key = NULL;
    VS_TRY(vs_key_generate(type, &key, err));
    VS_TRY(kbsc_set_tee_key(c, key, err));
    c->own_key = true;
    return VS_OK;
}

vs_code kbsc_set_tee_key(kbsc *c, vs_key *key, vs_error *err)
{
    if (!key)
        return kbsc_make_tee_key(c, VS_KEY_P256, err);
    vs_key_free(&c->tee_key);
    c->tee_key = key;
    c->own_key = false;
    if (vs_key_is_private(key) && tee_alg(key))
        return VS_OK;
    const char *found = !vs_key_is_private(key)              ? "a public key"
                        : vs_key_kind(key) == VS_KEY_ED25519 ? "an Ed25519 key"
                                                             : "an EC key on another curve";
    vs_key_free(&c->tee_key);
    return vs_fail(err, VS_E_UNSUPPORTED,
                   "private key is not RSA (PKCS#1) nor EC P256/P521 (PKCS#8) but %s", found);
}

const vs_key *kbsc_tee_key(const kbsc *c)
{
    return c->tee_key;
}

const kbsc_failure *kbsc_why(const kbsc *c)
{
    return &c->why;
}

kbsc_version kbsc_spoken(const kbsc *c)
{
    return c->spoken;
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/* Only what cannot be misread in a path stays as it is. */
static void put_path(vs_buf *url, const char *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    for (; *path; path++) {
        if (strchr(plain, *path))
            vs_buf_putc(url, *path);
        else
            vs_buf_printf(url, "%%%02X", (unsigned char)*path);
    }
}

typedef struct request {
    const char *method, *path; /* path below /kbs/v0/ */
    const char *query;         /* form-urlencoded; NULL = none */
    const char *content_type;
    const char *if_match, *if_none_match; /* NULL = none */
    vs_span body, bearer;
    bool has_body;
} request;

/* What a request may take of the time that is left to the operation. */
static vs_code time_left(const kbsc *c, unsigned *ms, vs_error *err)
{
    *ms = c->request_ms;
    if (c->until == INT64_MAX)
        return VS_OK;
    int64_t left = (c->until - vs_mono_ns()) / 1000000;
    if (left <= 0)
        return vs_fail(err, VS_E_TIMEOUT, "not done within %u ms", c->deadline_ms);
    if (left < (int64_t)*ms)
        *ms = (unsigned)left;
    return VS_OK;
}

static vs_code call(kbsc *c, const request *r, int *status, vs_buf *answer, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf url = VS_BUF(PATH_MAX_BYTES * 3 + 4096);
    VS_CLEANUP(vs_buf_free) vs_buf bearer = VS_BUF(ANSWER_MAX);
    char type[128];
    unsigned ms;
    c->why = (kbsc_failure){0};
    VS_TRY(time_left(c, &ms, err));
    vs_buf_puts(&url, c->base);
    vs_buf_puts(&url, "/kbs/v0/");
    put_path(&url, r->path);
    if (r->query)
        vs_buf_printf(&url, "?%s", r->query);
    VS_TRY(vs_buf_check(&url, err));
    const char *headers[5] = {NULL};
    char match[256], none_match[256];
    size_t n = 0;
    if (r->if_match) {
        (void)snprintf(match, sizeof match, "If-Match: %s", r->if_match);
        headers[n++] = match;
    }
    if (r->if_none_match) {
        (void)snprintf(none_match, sizeof none_match, "If-None-Match: %s", r->if_none_match);
        headers[n++] = none_match;
    }
    if (r->content_type) {
        (void)snprintf(type, sizeof type, "Content-Type: %s", r->content_type);
        headers[n++] = type;
    }
    if (r->bearer.n) {
        vs_buf_puts(&bearer, "Authorization: Bearer ");
        vs_buf_put(&bearer, r->bearer);
        VS_TRY(vs_buf_check(&bearer, err));
        headers[n++] = (const char *)bearer.p;
    }
    vs_http_call http = {.method = r->method,
                         .url = (const char *)url.p,
                         .headers = headers,
                         .body = r->body,
                         .has_body = r->has_body,
                         .total_ms = ms};
    return vs_http_client_do(c->http, &http, status, answer, err);
}

static vs_code code_of_status(int status)
{
    static const struct {
        int status;
        vs_code code;
    } known[] = {{400, VS_E_INVALID},   {401, VS_E_DENIED},      {403, VS_E_DENIED},
                 {404, VS_E_NOT_FOUND}, {405, VS_E_UNSUPPORTED}, {412, VS_E_CONFLICT},
                 {413, VS_E_LIMIT},     {431, VS_E_LIMIT}};
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (known[i].status == status)
            return known[i].code;
    return VS_E_IO;
}

/* The server's own words belong into every error: they are all a user has to go on. */
static vs_code refused(kbsc *c, int status, const vs_buf *answer, kbsc_refusal *refusal,
                       vs_error *err)
{
    vs_arena *a = &c->arena;
    vs_code code = code_of_status(status);
    /* With it an operator finds the reasons in the log of a vouchsafe server. */
    vs_span decision = vs_http_client_header(c->http, "vouchsafe-decision");
    bool told = kbsc_read_refusal(a, vs_buf_span(answer), refusal);
    if (!told)
        *refusal = (kbsc_refusal){0};
    c->why.status = status;
    (void)snprintf(c->why.name, sizeof c->why.name, "%s", kbsc_printable(a, refusal->name, 60));
    (void)snprintf(c->why.decision, sizeof c->why.decision, "%s", kbsc_printable(a, decision, 60));
    if (told)
        return vs_fail(err, code, "the server says: %s (%s, HTTP %d%s%s)",
                       kbsc_printable(a, refusal->detail, SHOWN_MAX), c->why.name, status,
                       decision.n ? ", decision " : "", c->why.decision);
    if (answer->n == 0)
        return vs_fail(err, code, "the server answers HTTP %d without a word", status);
    return vs_fail(err, code, "the server answers HTTP %d: %s", status,
                   kbsc_printable(a, vs_buf_span(answer), SHOWN_MAX));
}

/* ---- attestation ------------------------------------------------------------------------------
 */

/* What came of a message. */
typedef struct reply {
    int status; /* 0 = there was no answer */
    bool again; /* the same could succeed a second later */
    kbsc_mismatch mismatch;
} reply;

static vs_code post(kbsc *c, const char *path, const vs_buf *body, vs_buf *answer, reply *r,
                    vs_error *err)
{
    *r = (reply){0};
    VS_TRY(vs_buf_check(body, err));
    request q = {.method = "POST",
                 .path = path,
                 .content_type = "application/json",
                 .body = vs_buf_span(body),
                 .has_body = true};
    vs_code code = call(c, &q, &r->status, answer, err);
    if (code != VS_OK) {
        r->status = 0;
        r->again =
            code == VS_E_IO; /* refused or reset; not: bad URL, untrusted certificate, time-out */
        return code;
    }
    if (r->status == 200)
        return VS_OK;
    kbsc_refusal refusal;
    code = refused(c, r->status, answer, &refusal, err);
    if (r->status == 401)
        r->mismatch = kbsc_read_mismatch(&refusal);
    r->again = !r->mismatch.is && (r->status == 401 || r->status >= 500);
    return code;
}

/* The key that the server shall encrypt to, as it is named in this version. */
static vs_code tee_pubkey(kbsc *c, vs_val *out, vs_error *err)
{
    bool old = c->version == KBSC_0_1_1;
    bool fits = c->tee_key && (!old || vs_key_kind(c->tee_key) == VS_KEY_RSA);
    bool ours = !c->tee_key || c->own_key;
    if (!fits && ours)
        VS_TRY(kbsc_make_tee_key(c, old ? VS_KEY_RSA : VS_KEY_P256, err));
    if (!fits && !ours) {
        c->why.version = true;
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "the server speaks protocol 0.1.1, which needs an RSA key: the TEE key is "
                       "none");
    }
    return vs_key_to_jwk(&c->arena, c->tee_key, old ? "RSA1_5" : tee_alg(c->tee_key), out, err);
}

/* ---- which version ---- */

/* Why none of the versions that the server names can be spoken. `err` has its words already. */
static vs_code no_version(kbsc *c, const kbsc_mismatch *m, unsigned offered, vs_error *err)
{
    const char *said = kbsc_printable(&c->arena, m->said, SHOWN_MAX / 4);
    c->why.version = true;
    if (m->said.n == 0)
        (void)vs_wrap(err, "the server does not speak protocol %s, and does not say which it does",
                      kbsc_version_name(c->version));
    else if (!m->known)
        (void)vs_wrap(err, "the server speaks protocol \"%s\", this client " KBSC_VERSIONS, said);
    else if (m->known & ~offered)
        (void)vs_wrap(
            err,
            "the server speaks protocol \"%s\", which is older than %s, the oldest that is "
            "allowed here",
            said, kbsc_version_name(c->oldest));
    else
        (void)vs_wrap(err, "the server asks for protocol \"%s\" and does not take it", said);
    if (err)
        err->code = VS_E_UNSUPPORTED;
    return VS_E_UNSUPPORTED;
}

/* The newest version that the server names, that may be spoken and was not `offered`. */
static vs_code fall_back(kbsc *c, const kbsc_mismatch *m, unsigned offered, vs_error *err)
{
    kbsc_version v = KBSC_NEWEST;
    while (v >= c->oldest && !(m->known & ~offered & 1u << v))
        v--;
    if (v < c->oldest)
        return no_version(c, m, offered, err);
    if (v != c->spoken) /* said once, not for each handshake */
        warn(c,
             vs_sprintf(
                 &c->arena,
                 "the server does not speak version %s of the KBS protocol, it says \"%s\": going "
                 "on with %s",
                 kbsc_version_name(c->version), kbsc_printable(&c->arena, m->said, SHOWN_MAX / 4),
                 kbsc_version_name(v)),
             NULL);
    c->version = v;
    return VS_OK;
}

static vs_code offer(kbsc *c, const char *tee, vs_buf *answer, reply *r, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4096);
    kbsc_write_request(&text, c->version, tee, c->plain);
    vs_buf_clear(answer);
    vs_code code = post(c, "auth", &text, answer, r, err);
    /* Servers before 0.2.0 cannot even read a list there, and so do not come to the version. */
    if (r->status != 400 || c->plain || c->version < KBSC_0_4_0)
        return code;
    c->plain = true;
    return offer(c, tee, answer, r, err);
}

static vs_code ask_challenge(kbsc *c, attester *att, vs_buf *answer, kbsc_challenge *challenge,
                             bool *again, vs_error *err)
{
    unsigned offered = 0; /* in this handshake: none goes out twice */
    /* Each starts anew: an answer that was forged once, or a server that was replaced since, does
     * not hold this client to an old version. */
    c->version = KBSC_NEWEST;
    c->plain = false;
    for (;;) {
        reply r;
        vs_code code = offer(c, attester_tee(att), answer, &r, err);
        *again = r.again;
        if (code == VS_OK)
            break;
        offered |= 1u << c->version;
        if (r.mismatch.is)
            code = fall_back(c, &r.mismatch, offered, err);
        if (code != VS_OK) {
            (void)vs_wrap(err, "asking for a challenge");
            return code;
        }
    }
    c->spoken = c->version;
    return kbsc_read_challenge(&c->arena, vs_buf_span(answer), challenge, err);
}

/* ---- the handshake ---- */

static vs_code get_evidence(kbsc *c, attester *att, vs_span report_data, vs_buf *evidence,
                            vs_error *err)
{
    vs_code code = attester_evidence(att, report_data, evidence, err);
    c->why.evidence = code != VS_OK;
    return code;
}

static vs_code handshake(kbsc *c, attester *att, vs_span init_data, vs_buf *token, bool *again,
                         vs_error *err)
{
    *again = false;
    vs_arena *a = &c->arena;
    vs_arena_reset(a);
    VS_CLEANUP(vs_buf_free) vs_buf first = VS_BUF(ANSWER_MAX), second = VS_BUF(ANSWER_MAX);
    VS_CLEANUP(vs_buf_free)
    vs_buf evidence = VS_BUF(EVIDENCE_MAX), attestation = VS_BUF(ATTESTATION_MAX);
    kbsc_challenge challenge;
    kbsc_proof proof = {.init_data = init_data};
    uint8_t digest[VS_HASH_MAX];
    vs_span text;
    reply r;
    VS_TRY(ask_challenge(c, att, &first, &challenge, again, err));
    if (init_data.p && c->version < KBSC_0_4_0)
        warn(
            c,
            "the server is not told the init data: its version of the protocol has no place for it",
            NULL);
    VS_TRY(tee_pubkey(c, &proof.tee_pubkey, err));
    VS_TRY(kbsc_report_data(a, c->version, &challenge, proof.tee_pubkey, digest, err));
    VS_TRY(get_evidence(c, att, vs_span_of(digest, vs_hash_size(challenge.hash)), &evidence, err));
    proof.evidence = vs_buf_span(&evidence);
    kbsc_write_attestation(&attestation, c->version, &challenge, &proof);
    vs_code code = post(c, "attest", &attestation, &second, &r, err);
    *again = r.again;
    VS_TRY_WRAP(code, err, "attesting as %s with protocol %s", attester_tee(att),
                kbsc_version_name(c->version));
    VS_TRY(kbsc_read_token(a, vs_buf_span(&second), &text, err));
    vs_buf_put(token, text);
    return vs_buf_check(token, err);
}

/* As far as the operation's time goes: what comes then says that it is over. False: the thread may
 * wait no longer. */
static bool pause_ms(const kbsc *c)
{
    unsigned ms;
    if (time_left(c, &ms, NULL) != VS_OK || c->until == INT64_MAX || ms > c->retry_ms)
        ms = c->retry_ms;
    return vs_wait_pause(ms);
}

vs_code kbsc_attest(kbsc *c, attester *att, vs_span init_data, vs_buf *token, vs_error *err)
{
    OPERATION(c);
    vs_error local = {0};
    if (!err)
        err = &local;
    for (unsigned tried = 1;; tried++) {
        bool again;
        vs_code code = handshake(c, att, init_data, token, &again, err);
        if (code == VS_OK || !again)
            return code;
        if (tried >= c->tries) {
            (void)vs_wrap(err, "gave up after %u tries", tried);
            return code;
        }
        warn(c, "the handshake failed, trying again", err);
        if (!pause_ms(c))
            return vs_fail(err, VS_E_TIMEOUT, "nobody waits for the token any more");
    }
}

/* ---- resources --------------------------------------------------------------------------------
 */

static vs_code open_resource(kbsc *c, const vs_buf *jwe, vs_buf *out, vs_error *err)
{
    if (!c->tee_key)
        return vs_fail(err, VS_E_INVALID, "the server sent a secret, but there is no TEE key yet");
    /* A token of 0.1.1 may have been made by somebody else, so who allows that version takes its
     * form with a token as well; a handshake of a newer one rules it out. */
    bool old = c->oldest == KBSC_0_1_1 && (!c->spoken || c->spoken == KBSC_0_1_1);
    vs_code code =
        (old ? vs_jwe_decrypt_0_1 : vs_jwe_decrypt)(vs_buf_span(jwe), c->tee_key, out, err);
    VS_TRY_WRAP(code, err, "cannot decrypt the resource: was the token made with another TEE key?");
    return VS_OK;
}

/* A plain GET below /kbs/v0/<plugin>/. On VS_OK *status tells. */
static vs_code get(kbsc *c, const kbsc_resource *what, vs_span bearer, int *status, vs_buf *answer,
                   vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf full = VS_BUF(PATH_MAX_BYTES);
    vs_buf_printf(&full, "%s/%s", what->plugin, what->path);
    VS_TRY(vs_buf_check(&full, err));
    request r = {
        .method = "GET", .path = (const char *)full.p, .query = what->query, .bearer = bearer};
    return call(c, &r, status, answer, err);
}

/* A new token helps when there was none or it had run out. A policy's "no" or a missing resource
 * stays what it is, so attesting again would only cost the server work. */
static bool attesting_helps(const kbsc_refusal *r)
{
    return vs_span_is(r->name, "TokenNotFound") || vs_span_is(r->name, "TokenVerifierError");
}

vs_code kbsc_get_resource(kbsc *c, attester *att, vs_span init_data, const kbsc_resource *what,
                          vs_buf *out, vs_error *err)
{
    OPERATION(c);
    bool attested = false;
    for (int tried = 1;; tried++) {
        VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ANSWER_MAX);
        int status;
        vs_arena_reset(arena);
        VS_TRY(get(c, what, (vs_span){0}, &status, &answer, err));
        if (status == 200)
            return open_resource(c, &answer, out, err);
        kbsc_refusal refusal;
        vs_code code = refused(c, status, &answer, &refusal, err);
        bool hopeless =
            status != 401 || refusal.name.n == 0 || (attested && !attesting_helps(&refusal));
        if (hopeless || tried == GET_TRIES) {
            (void)vs_wrap(err, "getting %s", what->path);
            return code;
        }
        VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(ANSWER_MAX);
        bool again;
        VS_TRY(handshake(c, att, init_data, &token, &again, err));
        attested = true;
    }
}

vs_code kbsc_get_with_token(kbsc *c, vs_span token, const kbsc_resource *what, vs_buf *out,
                            bool *token_refused, vs_error *err)
{
    OPERATION(c);
    *token_refused = false;
    if (!c->tee_key)
        return vs_fail(err, VS_E_INVALID, "a token needs the TEE key that it was made with");
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ANSWER_MAX);
    int status;
    VS_TRY(get(c, what, token, &status, &answer, err));
    if (status == 200)
        return open_resource(c, &answer, out, err);
    kbsc_refusal refusal;
    vs_code code = refused(c, status, &answer, &refusal, err);
    *token_refused = status == 401 && attesting_helps(&refusal);
    (void)vs_wrap(err, "getting %s", what->path);
    return code;
}

vs_code kbsc_administrate(kbsc *c, const kbsc_admin_call *q, vs_buf *out, vs_error *err)
{
    OPERATION(c);
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ANSWER_MAX);
    int status;
    request r = {.method = q->method,
                 .path = q->path,
                 .content_type = q->content_type,
                 .query = q->query,
                 .if_match = q->if_match,
                 .if_none_match = q->if_none_match,
                 .body = q->body,
                 .bearer = q->bearer,
                 .has_body = strcmp(q->method, "POST") == 0 || q->body.n};
    VS_TRY(call(c, &r, &status, &answer, err));
    vs_buf_put(out, vs_buf_span(&answer));
    VS_TRY(vs_buf_check(out, err));
    kbsc_refusal refusal;
    return status == 200 ? VS_OK : refused(c, status, &answer, &refusal, err);
}

vs_code kbsc_admin(kbsc *c, const char *method, const char *path, const char *content_type,
                   vs_span body, vs_span bearer, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf plain = VS_BUF(PATH_MAX_BYTES);
    const char *mark = strchr(path, '?');
    vs_buf_put(&plain, mark ? vs_span_of(path, (size_t)(mark - path)) : vs_str(path));
    VS_TRY(vs_buf_check(&plain, err));
    const kbsc_admin_call q = {.method = method,
                               .path = plain.p ? (const char *)plain.p : "",
                               .query = mark ? mark + 1 : NULL,
                               .content_type = content_type,
                               .body = body,
                               .bearer = bearer};
    return kbsc_administrate(c, &q, out, err);
}

vs_span kbsc_etag(const kbsc *c)
{
    return vs_http_client_header(c->http, "ETag");
}
