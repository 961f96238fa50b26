/* SPDX-License-Identifier: Apache-2.0 */
#include "aa/aa.h"

#include <stdlib.h>

#include "aa/eventlog.h"
#include "aa/flight.h"
#include "aa/token.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "net/http_client.h"
#include "net/task_pool.h"
#include "value/json.h"

enum {
    EVIDENCE_MAX = 1024 * 1024,
    NONCE = 32,
    REQUEST_MS = 30000, /* callers wait 50 s (guest.md 2.3): they shall learn what was wrong */
    ATTEST_MS = 120000, /* with all that is tried again, however long callers would wait */
};

struct aa {
    const aa_config *cfg;
    attester *att;
    aa_flight flight; /* of callers at once one attests; its lock guards tokens */
    kbsc *kbs;        /* of whoever attests; NULL = no KBS is configured */
    aa_token_cache tokens;
    vs_buf init_data; /* the document; empty = none */
    aa_eventlog *log; /* NULL = nothing is measured at run time */
};

/* ---- making one ------------------------------------------------------------------------------ */

static vs_code open_kbs(aa *agent, vs_error *err)
{
    const aa_config *cfg = agent->cfg;
    if (!cfg->kbs_url)
        return VS_OK;
    const kbsc_config kbs = {.url = cfg->kbs_url,
                             .ca_pem = cfg->kbs_cert ? vs_str(cfg->kbs_cert) : (vs_span){0},
                             .user_agent = "attestation-agent/" VS_VERSION,
                             .oldest = (kbsc_version)cfg->oldest_protocol,
                             .request_ms = REQUEST_MS,
                             .deadline_ms = ATTEST_MS};
    return kbsc_new(&kbs, &agent->kbs, err);
}

/* A TEE that cannot vouch for init data leaves that to whoever verifies: the agent runs, as
 * upstream's does. */
static vs_code bind(aa *agent, const aa_init_data *init, vs_error *err)
{
    if (!init)
        return VS_OK;
    vs_buf_put(&agent->init_data, init->text);
    VS_TRY(vs_buf_check(&agent->init_data, err));
    vs_error why = {0};
    vs_code code = attester_check_init_data(agent->att, init->digest, &why);
    if (code == VS_E_UNSUPPORTED) {
        vs_log_error(VS_LOG_WARN, "aa", "init data is not bound to the TEE", &why);
        return VS_OK;
    }
    if (code != VS_OK && err)
        *err = why;
    return code;
}

/* A TEE without registers is told to those who want to measure (NOT_SUPPORTED); a log that does not
 * fit its registers ends the start. */
static vs_code open_log(aa *agent, vs_error *err)
{
    attester_registers regs;
    vs_error why = {0};
    if (!agent->cfg->event_log)
        return VS_OK;
    vs_code code = attester_get_registers(agent->att, &regs, &why);
    if (code == VS_E_UNSUPPORTED) {
        vs_log_error(VS_LOG_WARN, "aa", "nothing can be measured at run time", &why);
        return VS_OK;
    }
    if (code != VS_OK) {
        if (err)
            *err = why;
        return code;
    }
    VS_TRY_WRAP(aa_eventlog_open(&regs, &agent->log, err), err, "event log");
    return VS_OK;
}

vs_code aa_new(const aa_config *cfg, const aa_init_data *init, aa **out, vs_error *err)
{
    *out = NULL;
    aa *agent = calloc(1, sizeof *agent);
    if (!agent)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    agent->cfg = cfg;
    agent->init_data = (vs_buf)VS_BUF(VS_INIT_DATA_MAX);
    aa_flight_init(&agent->flight);
    aa_token_forget(&agent->tokens);
    const attester_config tee = {.tsm_path = cfg->tsm_path,
                                 .imds_url = cfg->imds_url,
                                 .allow_sample = cfg->allow_sample,
                                 .sample_by = "\"allow_sample = true\" in [attester] of the "
                                              "agent's configuration file"};
    vs_code code = attester_detect(&tee, &agent->att, err);
    if (code == VS_OK)
        code = open_kbs(agent, err);
    if (code == VS_OK)
        code = bind(agent, init, err);
    if (code == VS_OK)
        code = open_log(agent, err);
    if (code != VS_OK)
        aa_free(&agent);
    *out = agent;
    return code;
}

void aa_free(aa **a)
{
    aa *agent = *a;
    *a = NULL;
    if (!agent)
        return;
    aa_token_forget(&agent->tokens);
    kbsc_free(&agent->kbs);
    aa_eventlog_close(&agent->log); /* before the attester, whose registers it has */
    attester_free(&agent->att);
    vs_buf_free(&agent->init_data);
    aa_flight_free(&agent->flight);
    free(agent);
}

/* ---- evidence -------------------------------------------------------------------------------- */

const char *aa_tee(const aa *agent)
{
    return attester_tee(agent->att);
}

vs_code aa_evidence(aa *agent, vs_span report_data, vs_buf *json, vs_error *err)
{
    VS_TRY(vs_task_wait(false, err)); /* of quotes the host's services have a part */
    vs_code code = attester_evidence(agent->att, report_data, json, err);
    vs_task_waited();
    return code;
}

/* There is no attester for devices yet; none found is said by no bytes at all (guest.md 1.2). */
vs_code aa_additional_evidence(aa *agent, vs_span report_data, vs_buf *json, vs_error *err)
{
    (void)agent;
    (void)report_data;
    (void)json;
    (void)err;
    return VS_OK;
}

vs_code aa_bind_init_data(aa *agent, vs_span digest, vs_error *err)
{
    VS_TRY(vs_task_wait(false, err));
    vs_code code = attester_check_init_data(agent->att, digest, err);
    vs_task_waited();
    return code;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

/* A fresh key for each token, so that a secret opened with one token's key says nothing of the
 * next one's. */
static vs_code attest(void *user, vs_error *err)
{
    aa *agent = user;
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(AA_TOKEN_MAX);
    VS_TRY(kbsc_make_tee_key(agent->kbs, agent->cfg->tee_key, err));
    vs_span init = agent->init_data.n ? vs_buf_span(&agent->init_data) : (vs_span){0};
    VS_TRY(kbsc_attest(agent->kbs, agent->att, init, &token, err));
    (void)pthread_mutex_lock(&agent->flight.lock);
    vs_code code = aa_token_keep(&agent->tokens, vs_buf_span(&token), kbsc_tee_key(agent->kbs),
                                 vs_now_s(), err);
    (void)pthread_mutex_unlock(&agent->flight.lock);
    return code;
}

/* A token that is there is handed out without waiting for anybody. */
static vs_code await_token(aa *agent, vs_error *err)
{
    VS_TRY(vs_task_wait(false, err));
    vs_code code = aa_flight_share(&agent->flight, attest, agent, err);
    vs_task_waited();
    return code;
}

/* With the lock. */
static vs_code kbs_token(aa *agent, vs_span refused, vs_buf *out, vs_error *err)
{
    aa_token_cache *c = &agent->tokens;
    aa_token_state state = aa_token_look(c, refused, vs_now_s());
    if (state != AA_TOKEN_GOOD) {
        vs_error why = {0};
        vs_code code = await_token(agent, &why);
        if (code != VS_OK && (state == AA_TOKEN_NONE || c->json.n == 0)) {
            if (err)
                *err = why;
            return code;
        }
        if (code != VS_OK)
            vs_log_error(VS_LOG_WARN, "aa", "attesting anew failed; the token is valid still",
                         &why);
    }
    c->given = vs_now_s();
    vs_buf_put(out, vs_buf_span(&c->json));
    return vs_buf_check(out, err);
}

/* The runtime data that evidence for an attestation service is bound to. Upstream sends evidence
 * for no data at all, which no verifier of CCA takes. */
static vs_code runtime_data(vs_arena *a, vs_span *text, uint8_t digest[VS_HASH_MAX], vs_error *err)
{
    uint8_t nonce[NONCE];
    vs_random(nonce, sizeof nonce);
    vs_obj o = {.a = a};
    vs_obj_put(&o, "nonce",
               vs_string(vs_b64_encode_arena(a, VS_B64_STD, vs_span_of(nonce, sizeof nonce))));
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1024);
    VS_TRY(vs_json_canonical(&json, vs_obj_end(&o, VS_DUP_REFUSE, NULL), err));
    *text = vs_dup(a, vs_buf_span(&json));
    VS_TRY(vs_arena_check(a, err));
    return vs_digest(VS_SHA384, *text, (vs_span){0}, (vs_span){0}, digest, err);
}

static vs_code ask_as(aa *agent, vs_span body, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_http_client_free) vs_http_client *http = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf url = VS_BUF(8192);
    const vs_http_client_config cfg = {.user_agent = "attestation-agent/" VS_VERSION,
                                       .total_ms = REQUEST_MS,
                                       .response_bytes = AA_TOKEN_MAX};
    VS_TRY(vs_http_client_new(&cfg, &http, err));
    vs_buf_printf(&url, "%s/attestation", agent->cfg->coco_as_url);
    VS_TRY(vs_buf_check(&url, err));
    const char *const headers[] = {"Content-Type: application/json", NULL};
    const vs_http_call call = {.method = "POST",
                               .url = (const char *)url.p,
                               .headers = headers,
                               .body = body,
                               .has_body = true};
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(AA_TOKEN_MAX);
    int status;
    VS_TRY(vs_http_client_do(http, &call, &status, &answer, err));
    if (status != 200)
        return vs_fail(err, VS_E_IO, "the attestation service answers HTTP %d: %.*s", status,
                       VS_FMT(vs_span_head(vs_buf_span(&answer), 300)));
    vs_buf_put(out, vs_buf_span(&answer));
    return vs_buf_check(out, err);
}

static vs_code as_token(aa *agent, vs_buf *out, vs_error *err)
{
    if (!agent->cfg->coco_as_url)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "no attestation service is configured (token_configs.coco_as)");
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    VS_CLEANUP(vs_buf_free) vs_buf evidence = VS_BUF(EVIDENCE_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(2 * EVIDENCE_MAX);
    uint8_t digest[VS_HASH_MAX];
    vs_span data;
    VS_TRY(runtime_data(&a, &data, digest, err));
    VS_TRY(aa_evidence(agent, vs_span_of(digest, vs_hash_size(VS_SHA384)), &evidence, err));
    vs_buf_printf(&body, "{\"verification_requests\":[{\"tee\":\"%s\",\"evidence\":\"",
                  aa_tee(agent));
    vs_b64_encode(&body, VS_B64_URL, vs_buf_span(&evidence));
    vs_buf_printf(&body,
                  "\",\"runtime_data\":{\"structured\":%.*s},"
                  "\"runtime_data_hash_algorithm\":\"sha384\"}],\"policy_ids\":[]}",
                  VS_FMT(data));
    VS_TRY(vs_buf_check(&body, err));
    VS_TRY(vs_task_wait(false, err));
    vs_code code = ask_as(agent, vs_buf_span(&body), out, err);
    vs_task_waited();
    return code;
}

vs_code aa_token(aa *agent, vs_span type, vs_span refused, vs_buf *out, vs_error *err)
{
    if (vs_span_is(type, "kbs")) {
        if (!agent->kbs)
            return vs_fail(err, VS_E_UNSUPPORTED,
                           "no KBS is configured (token_configs.kbs, AA_KBC_PARAMS)");
        (void)pthread_mutex_lock(&agent->flight.lock);
        vs_code code = kbs_token(agent, refused, out, err);
        (void)pthread_mutex_unlock(&agent->flight.lock);
        return code;
    }
    if (vs_span_is(type, "coco_as"))
        return as_token(agent, out, err);
    return vs_fail(err, VS_E_INVALID, "token type \"%.*s\" is neither \"kbs\" nor \"coco_as\"",
                   VS_FMT(vs_span_head(type, 64)));
}

/* ---- measurements ---------------------------------------------------------------------------- */

/* A space would make two events of different meaning the same text. */
static bool is_word(vs_span s)
{
    return s.n && !memchr(s.p, ' ', s.n) && !memchr(s.p, '\n', s.n);
}

vs_code aa_extend(aa *agent, const aa_event *event, aa_extended *result, vs_error *err)
{
    if (!is_word(event->domain) || !is_word(event->operation))
        return vs_fail(err, VS_E_INVALID,
                       "domain and operation of an event are one word each, without spaces");
    if (event->content.n && memchr(event->content.p, '\n', event->content.n))
        return vs_fail(err, VS_E_INVALID, "the content of an event is one line");
    *result = !agent->cfg->event_log ? AA_NOT_ENABLED
              : !agent->log          ? AA_NOT_SUPPORTED
                                     : AA_EXTENDED;
    if (*result != AA_EXTENDED)
        return VS_OK;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(AAEL_TEXT_MAX);
    vs_buf_put(&text, event->domain);
    vs_buf_putc(&text, ' ');
    vs_buf_put(&text, event->operation);
    vs_buf_putc(&text, ' ');
    vs_buf_put(&text, event->content);
    if (!vs_buf_ok(&text))
        return vs_fail(err, VS_E_LIMIT, "an event has at most %d bytes", AAEL_TEXT_MAX);
    uint64_t reg = event->has_register ? event->reg : (uint64_t)agent->cfg->init_pcr;
    VS_TRY(vs_task_wait(true, err)); /* for a quote that is being made */
    vs_code code = aa_eventlog_extend(agent->log, reg, vs_buf_span(&text), err);
    vs_task_waited();
    return code;
}
