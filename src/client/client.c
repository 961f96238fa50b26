/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "client/messages.h"
#include "envelope/jose.h"
#include "net/http_client.h"

enum {
    ANSWER_MAX = 16 * 1024 * 1024,
    EVIDENCE_MAX = 1024 * 1024,
    ATTESTATION_MAX = 4 * 1024 * 1024,
    PATH_MAX_BYTES = 4096,
    ATTEST_TRIES = 5, /* kbs.md 1.10 */
    GET_TRIES = 3,
    SHOWN_MAX = 600, /* of a server's text in an error */
};

struct kbsc {
    vs_http_client *http;
    char *base; /* without '/' at its end */
    unsigned retry_ms;
    vs_key *tee_key;
    vs_arena arena; /* of the operation under way */
};

static void reset_arena(vs_arena **a)
{
    vs_arena_reset(*a);
}

/* Each public operation starts with this: what it parsed is gone when it returns. */
#define WITH_ARENA(c) VS_CLEANUP(reset_arena) __attribute__((unused)) vs_arena *arena = &(c)->arena

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

vs_code kbsc_new(const kbsc_config *cfg, kbsc **out, vs_error *err)
{
    kbsc *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "cannot make a client");
    vs_arena_init(&c->arena, 0);
    c->retry_ms = cfg->retry_ms ? cfg->retry_ms : 1000;
    vs_http_client_config http = {.ca_file = cfg->ca_file,
                                  .ca_pem = cfg->ca_pem,
                                  .user_agent = cfg->user_agent,
                                  .cert = cfg->cert,
                                  .key = cfg->key,
                                  .unix_socket = cfg->unix_socket,
                                  .response_bytes = ANSWER_MAX};
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

vs_code kbsc_set_tee_key(kbsc *c, vs_key *key, vs_error *err)
{
    if (!key)
        VS_TRY(vs_key_generate(VS_KEY_P256, &key, err));
    vs_key_free(&c->tee_key);
    c->tee_key = key;
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

static vs_code call(kbsc *c, const request *r, int *status, vs_buf *answer, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf url = VS_BUF(PATH_MAX_BYTES * 3 + 4096);
    VS_CLEANUP(vs_buf_free) vs_buf bearer = VS_BUF(ANSWER_MAX);
    char type[128];
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
                         .has_body = r->has_body};
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
    if (kbsc_read_refusal(a, vs_buf_span(answer), refusal))
        return vs_fail(err, code, "the server says: %s (%s, HTTP %d%s%s)",
                       kbsc_printable(a, refusal->detail, SHOWN_MAX),
                       kbsc_printable(a, refusal->name, 64), status,
                       decision.n ? ", decision " : "", kbsc_printable(a, decision, 64));
    *refusal = (kbsc_refusal){0};
    if (answer->n == 0)
        return vs_fail(err, code, "the server answers HTTP %d without a word", status);
    return vs_fail(err, code, "the server answers HTTP %d: %s", status,
                   kbsc_printable(a, vs_buf_span(answer), SHOWN_MAX));
}

/* ---- attestation ------------------------------------------------------------------------------
 */

static vs_code post(kbsc *c, const char *path, const vs_buf *body, vs_buf *answer, bool *again,
                    vs_error *err)
{
    VS_TRY(vs_buf_check(body, err));
    int status;
    request r = {.method = "POST",
                 .path = path,
                 .content_type = "application/json",
                 .body = vs_buf_span(body),
                 .has_body = true};
    vs_code code = call(c, &r, &status, answer, err);
    if (code != VS_OK) {
        *again =
            code == VS_E_IO; /* refused or reset; not: bad URL, untrusted certificate, time-out */
        return code;
    }
    if (status == 200)
        return VS_OK;
    kbsc_refusal refusal;
    code = refused(c, status, answer, &refusal, err);
    const vs_span mismatch = VS_LIT("Protocol Version Mismatch");
    bool version =
        refusal.detail.n && memmem(refusal.detail.p, refusal.detail.n, mismatch.p, mismatch.n);
    *again = !version && (status == 401 || status >= 500);
    return code;
}

static vs_code tee_pubkey(kbsc *c, vs_val *out, vs_error *err)
{
    if (!c->tee_key)
        VS_TRY(kbsc_set_tee_key(c, NULL, err));
    return vs_key_to_jwk(&c->arena, c->tee_key, tee_alg(c->tee_key), out, err);
}

/* *again: the same could succeed a second later. */
static vs_code ask_challenge(kbsc *c, attester *att, vs_buf *answer, kbsc_challenge *challenge,
                             bool *again, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request_json = VS_BUF(4096);
    kbsc_write_request(&request_json, attester_tee(att));
    VS_TRY_WRAP(post(c, "auth", &request_json, answer, again, err), err, "asking for a challenge");
    return kbsc_read_challenge(&c->arena, vs_buf_span(answer), challenge, err);
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
    vs_val key;
    uint8_t digest[VS_HASH_MAX];
    vs_span text;
    VS_TRY(ask_challenge(c, att, &first, &challenge, again, err));
    VS_TRY(tee_pubkey(c, &key, err));
    VS_TRY(kbsc_report_data(a, &challenge, key, digest, err));
    VS_TRY(
        attester_evidence(att, vs_span_of(digest, vs_hash_size(challenge.hash)), &evidence, err));
    kbsc_write_attestation(&attestation, &challenge, key, vs_buf_span(&evidence), init_data);
    VS_TRY_WRAP(post(c, "attest", &attestation, &second, again, err), err, "attesting as %s",
                attester_tee(att));
    VS_TRY(kbsc_read_token(a, vs_buf_span(&second), &text, err));
    vs_buf_put(token, text);
    return vs_buf_check(token, err);
}

static void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

vs_code kbsc_attest(kbsc *c, attester *att, vs_span init_data, vs_buf *token, vs_error *err)
{
    WITH_ARENA(c);
    vs_error local = {0};
    if (!err)
        err = &local;
    for (int tried = 1;; tried++) {
        bool again;
        vs_code code = handshake(c, att, init_data, token, &again, err);
        if (code == VS_OK || !again)
            return code;
        if (tried == ATTEST_TRIES) {
            (void)vs_wrap(err, "gave up after %d tries", tried);
            return code;
        }
        vs_log_error(VS_LOG_WARN, "client", "the handshake failed, trying again", err);
        pause_ms(c->retry_ms);
    }
}

/* ---- resources --------------------------------------------------------------------------------
 */

static vs_code open_resource(kbsc *c, const vs_buf *jwe, vs_buf *out, vs_error *err)
{
    VS_TRY_WRAP(vs_jwe_decrypt(vs_buf_span(jwe), c->tee_key, out, err), err,
                "cannot decrypt the resource: was the token made with another TEE key?");
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

vs_code kbsc_get_resource(kbsc *c, attester *att, vs_span init_data, const char *path, vs_buf *out,
                          vs_error *err)
{
    WITH_ARENA(c);
    bool attested = false;
    for (int tried = 1;; tried++) {
        VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ANSWER_MAX);
        int status;
        vs_arena_reset(arena);
        VS_TRY(
            get(c, &(kbsc_resource){"resource", path, NULL}, (vs_span){0}, &status, &answer, err));
        if (status == 200)
            return open_resource(c, &answer, out, err);
        kbsc_refusal refusal;
        vs_code code = refused(c, status, &answer, &refusal, err);
        bool hopeless =
            status != 401 || refusal.name.n == 0 || (attested && !attesting_helps(&refusal));
        if (hopeless || tried == GET_TRIES) {
            (void)vs_wrap(err, "getting %s", path);
            return code;
        }
        VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(ANSWER_MAX);
        bool again;
        VS_TRY(handshake(c, att, init_data, &token, &again, err));
        attested = true;
    }
}

vs_code kbsc_get_resource_token(kbsc *c, vs_span token, const char *path, vs_buf *out,
                                vs_error *err)
{
    bool refused_token;
    return kbsc_get_with_token(c, token, &(kbsc_resource){"resource", path, NULL}, out,
                               &refused_token, err);
}

vs_code kbsc_get_with_token(kbsc *c, vs_span token, const kbsc_resource *what, vs_buf *out,
                            bool *token_refused, vs_error *err)
{
    WITH_ARENA(c);
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
    WITH_ARENA(c);
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
