/* SPDX-License-Identifier: Apache-2.0 */
/* A Veraison service that answers as the reference says (cca.md 5), or as nobody should believe it.
 */
#ifndef TEST_VERAISON_SERVICE_H
#define TEST_VERAISON_SERVICE_H

#include "soft_realm.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/enc.h"
#include "envelope/jose.h"
#include "net/http_server.h"
#include "value/json.h"

#define NEW_SESSION "/challenge-response/v1/newSession"
#define SESSION     "/challenge-response/v1/session/"
#define DISCOVERY   "/.well-known/veraison/verification"

/* What it does otherwise than it should. NULL and 0: as it should. */
typedef struct manners {
    vs_b64_form nonce_form;
    const char *location;  /* instead of session/1 */
    const char *discovery; /* instead of the document */
    const char *discovery_key, *endpoint;
    int discovery_status, session_status, evidence_status;
    const char *answer;   /* body of a status above */
    const char *redirect; /* Location of it */
    int polls;            /* GETs that say "processing"; -1: all */
    const char *poll_status;
    bool wrong_session_nonce, no_result, huge, slow;
    /* of the EAR */
    const char *header;    /* its JSON */
    const char *raw;       /* instead of the EAR */
    const char *eat_nonce; /* "" = none */
    const char *platform_status, *realm_status;
    const char *platform_vector;
    const char *platform_name, *realm_name;
    const char *drop, *replace; /* a claim of the annotated evidence */
    const char *extra;          /* members, with a comma behind */
} manners;

typedef struct service {
    pthread_mutex_t lock;
    manners m;
    vs_key *key, *published;
    vs_val claims; /* of the token, as the driver tells them */
    vs_arena a;
    uint8_t nonce[128];
    size_t nonce_n;
    atomic_int discoveries, sessions, submissions, polls;
    char type[256], accept[256], query[256];
    vs_buf body;
} service;

static inline void say(vs_http_response *resp, int status, const char *text)
{
    resp->status = status;
    resp->content_type = "application/json";
    vs_buf_puts(&resp->body, text);
}

static inline void put_claims(vs_jw *w, const manners *m, vs_val claims)
{
    vs_jw_open(w, '{');
    vs_jw_key(w, "cca-something-else");
    vs_jw_int(w, 1);
    for (VS_OBJ_FOR (c, claims)) {
        if (m->drop && vs_span_is(vs_text(c->key), m->drop))
            continue;
        vs_jw_key_span(w, vs_text(c->key));
        if (m->replace && vs_span_is(vs_text(c->key), m->replace))
            vs_jw_str(w, "AAAA");
        else
            vs_jw_val(w, c->val);
    }
    vs_jw_close(w, '}');
}

static inline void put_submod(vs_jw *w, const char *name, const char *status, const char *vector,
                              const manners *m, vs_val claims)
{
    vs_jw_key(w, name);
    vs_jw_open(w, '{');
    if (*status) {
        vs_jw_key(w, "ear.status");
        vs_jw_str(w, status);
    }
    vs_jw_key(w, "ear.trustworthiness-vector");
    vs_buf_puts(w->out, vector ? vector : "{\"instance-identity\":2,\"executables\":2}");
    w->comma = true;
    vs_jw_key(w, "ear.appraisal-policy-id");
    vs_jw_str(w, "policy:ARM_CCA");
    vs_jw_key(w, "ear.veraison.annotated-evidence");
    put_claims(w, m, claims);
    vs_jw_close(w, '}');
}

static inline const char *or_else(const char *s, const char *otherwise)
{
    return s ? s : otherwise;
}

static inline void write_ear(service *s, vs_buf *out)
{
    const manners *m = &s->m;
    vs_buf nonce = VS_BUF(256), payload = VS_BUF(1 << 16);
    vs_b64_encode(&nonce, VS_B64_URL_PADDED, vs_span_of(s->nonce, s->nonce_n));
    vs_buf_printf(&payload, "{%s\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"iat\":1,",
                  or_else(m->extra, ""));
    if (!m->eat_nonce || *m->eat_nonce)
        vs_buf_printf(&payload, "\"eat_nonce\":\"%s\",",
                      m->eat_nonce ? m->eat_nonce : (const char *)nonce.p);
    vs_buf_puts(&payload, "\"submods\":");
    vs_jw w = {.out = &payload};
    vs_jw_open(&w, '{');
    put_submod(&w, or_else(m->platform_name, "CCA_SSD_PLATFORM"),
               or_else(m->platform_status, "affirming"), m->platform_vector, m,
               vs_getc(s->claims, "platform"));
    put_submod(&w, or_else(m->realm_name, "CCA_REALM"), or_else(m->realm_status, "affirming"), NULL,
               m, vs_getc(s->claims, "realm"));
    vs_jw_close(&w, '}');
    vs_buf_puts(&payload, "}");
    assert_vs_code(vs_jws_sign(out, s->key, VS_ES256,
                               vs_str(or_else(m->header, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}")),
                               vs_buf_span(&payload), NULL),
                   VS_OK);
    vs_buf_free(&nonce);
    vs_buf_free(&payload);
}

static inline void write_session(service *s, const char *status, bool result,
                                 vs_http_response *resp)
{
    vs_buf nonce = VS_BUF(256), ear = VS_BUF(1 << 17);
    vs_b64_encode(&nonce, s->m.nonce_form,
                  s->m.wrong_session_nonce ? VS_LIT("another nonce than that")
                                           : vs_span_of(s->nonce, s->nonce_n));
    resp->content_type = "application/vnd.veraison.challenge-response-session+json";
    vs_buf_printf(&resp->body,
                  "{\"status\":\"%s\",\"nonce\":\"%s\",\"expiry\":\"2033-01-02T03:04:05.678Z\","
                  "\"accept\":[\"application/eat-collection; "
                  "profile=\\\"http://arm.com/CCA-SSD/1.0.0\\\"\"]",
                  status, (const char *)nonce.p);
    if (result && !s->m.no_result) {
        write_ear(s, &ear);
        vs_buf_printf(&resp->body, ",\"result\":\"%s\"", or_else(s->m.raw, (const char *)ear.p));
    }
    vs_buf_puts(&resp->body, "}");
    vs_buf_free(&nonce);
    vs_buf_free(&ear);
}

static inline void discover(service *s, vs_http_response *resp)
{
    vs_buf jwk = VS_BUF(4096);
    (void)atomic_fetch_add(&s->discoveries, 1);
    assert_vs_code(vs_key_write_jwk(&jwk, s->published, "ES256", NULL), VS_OK);
    resp->content_type = "application/vnd.veraison.discovery+json";
    if (s->m.discovery)
        vs_buf_puts(&resp->body, s->m.discovery);
    else
        vs_buf_printf(&resp->body,
                      "{\"ear-verification-key\":%s,\"media-types\":[],\"version\":\"N/A\","
                      "\"service-state\":\"READY\",\"api-endpoints\":"
                      "{\"newChallengeResponseSession\":\"%s\"}}",
                      or_else(s->m.discovery_key, (const char *)jwk.p),
                      or_else(s->m.endpoint, NEW_SESSION));
    vs_buf_free(&jwk);
}

static inline void open_session(service *s, const vs_http_request *req, vs_http_response *resp)
{
    vs_buf nonce = VS_BUF(sizeof s->nonce);
    (void)atomic_fetch_add(&s->sessions, 1);
    (void)snprintf(s->query, sizeof s->query, "%.*s", VS_FMT(req->query));
    assert_true(vs_span_starts(req->query, VS_LIT("nonce=")));
    assert_vs_code(vs_b64_decode(&nonce, VS_B64_URL_ANYPAD, vs_span_from(req->query, 6), NULL),
                   VS_OK);
    memcpy(s->nonce, nonce.p, nonce.n);
    s->nonce_n = nonce.n;
    vs_buf_free(&nonce);
    resp->status = 201;
    if (!s->m.location || *s->m.location)
        vs_http_add_header(resp, "Location", or_else(s->m.location, "session/1"));
    write_session(s, "waiting", false, resp);
}

static inline void take_evidence(service *s, const vs_http_request *req, vs_http_response *resp)
{
    (void)atomic_fetch_add(&s->submissions, 1);
    (void)snprintf(s->type, sizeof s->type, "%.*s", VS_FMT(vs_http_header(req, "content-type")));
    (void)snprintf(s->accept, sizeof s->accept, "%.*s", VS_FMT(vs_http_header(req, "accept")));
    vs_buf_clear(&s->body);
    vs_buf_put(&s->body, req->body);
    if (s->m.polls) {
        resp->status = 202;
        write_session(s, "processing", false, resp);
    } else {
        write_session(s, "complete", true, resp);
    }
}

static inline void tell(service *s, vs_http_response *resp)
{
    int n = atomic_fetch_add(&s->polls, 1) + 1;
    bool done = s->m.polls >= 0 && n >= s->m.polls;
    write_session(s, done ? or_else(s->m.poll_status, "complete") : "processing", done, resp);
}

static inline void refuse(const service *s, int status, vs_http_response *resp)
{
    say(resp, status, or_else(s->m.answer, ""));
    if (s->m.redirect)
        vs_http_add_header(resp, "Location", s->m.redirect);
}

static inline void serve(void *user, const vs_http_request *req, vs_http_response *resp)
{
    service *s = user;
    (void)pthread_mutex_lock(&s->lock);
    bool discovery = vs_span_is(req->path, DISCOVERY), start = vs_span_is(req->path, NEW_SESSION);
    bool session = vs_span_starts(req->path, VS_LIT(SESSION));
    int status = discovery ? s->m.discovery_status
                 : start   ? s->m.session_status
                           : s->m.evidence_status;
    if (s->m.slow && !discovery)
        (void)usleep(400000);
    for (unsigned i = 0; s->m.huge && session && i < 40; i++) {
        vs_span hole = vs_span_of(s->nonce, sizeof s->nonce);
        for (unsigned k = 0; k < 256; k++)
            vs_buf_put(&resp->body, hole);
    }
    if (status)
        refuse(s, status, resp);
    else if (discovery && req->method == VS_HTTP_GET)
        discover(s, resp);
    else if (start && req->method == VS_HTTP_POST)
        open_session(s, req, resp);
    else if (session && req->method == VS_HTTP_POST)
        take_evidence(s, req, resp);
    else if (session && req->method == VS_HTTP_GET)
        tell(s, resp);
    else
        say(resp, 404, "");
    (void)pthread_mutex_unlock(&s->lock);
}

#endif
