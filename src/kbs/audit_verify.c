/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "envelope/jose.h"
#include "kbs/audit.h"
#include "kbs/audit_line.h"
#include "value/json.h"

typedef struct check {
    const vs_key *given;
    vs_key *own; /* of the latest start event, when none was given */
    bool started;
    audit_chain chain;
    audit_report *report;
    vs_arena a; /* of one line */
} check;

static vs_code take_key(check *c, vs_val event, vs_error *err)
{
    c->report->starts++;
    if (c->given)
        return VS_OK;
    vs_key_free(&c->own);
    return vs_key_from_jwk(vs_getc(event, "key"), false, true, &c->own, NULL, err);
}

/* The signature, and that it is over this very place in the chain. */
static vs_code check_signature(check *c, const audit_line *line, vs_error *err)
{
    vs_val jws;
    vs_jws parsed;
    const vs_key *key = c->given ? c->given : c->own;
    if (!key)
        return vs_fail(err, VS_E_UNTRUSTED, "no key: the log's beginning is missing");
    VS_TRY(vs_need(line->event, "jws", VS_STRING, &jws, err));
    VS_TRY(vs_jws_parse(&c->a, vs_text(jws), &parsed, err));
    VS_TRY_WRAP(vs_jws_verify(&parsed, key, VS_ES256, err), err, "the checkpoint's signature");
    vs_val payload, seq, prev, time;
    VS_TRY(vs_json_parse(&c->a, parsed.payload, NULL, &payload, err));
    VS_TRY(vs_need(payload, "seq", VS_NUMBER, &seq, err));
    VS_TRY(vs_need(payload, "prev", VS_STRING, &prev, err));
    VS_TRY(vs_need(payload, "time", VS_STRING, &time, err));
    if (!vs_is_int(seq) || (uint64_t)seq.u.i != line->seq ||
        !vs_span_eq(vs_text(prev), line->prev) || !vs_span_eq(vs_text(time), line->time))
        return vs_fail(err, VS_E_CRYPTO, "the checkpoint is that of another place in the log");
    c->report->checkpoints++;
    c->report->unsigned_lines = 0;
    return VS_OK;
}

static vs_code check_chain(check *c, const audit_line *line, vs_error *err)
{
    if (!c->started) { /* a rotated log begins in the middle of its chain */
        c->started = true;
        c->report->first_seq = line->seq;
        (void)snprintf(c->report->first_prev, sizeof c->report->first_prev, "%.*s",
                       VS_FMT(line->prev));
        return VS_OK;
    }
    if (line->seq != c->chain.seq)
        return vs_fail(err, VS_E_MISMATCH, "line %llu stands where %llu belongs",
                       (unsigned long long)line->seq, (unsigned long long)c->chain.seq);
    if (!vs_span_is(line->prev, c->chain.prev))
        return vs_fail(err, VS_E_MISMATCH, "the line before it was changed");
    return VS_OK;
}

static vs_code check_line(check *c, vs_span text, audit_line *line, vs_error *err)
{
    VS_TRY(audit_line_read(text, &c->a, line, err));
    VS_TRY(check_chain(c, line, err));
    VS_TRY(audit_chain_after(line, &c->chain, err));
    c->report->lines++;
    c->report->unsigned_lines++;
    c->report->last_seq = line->seq;
    memcpy(c->report->last_hash, c->chain.prev, sizeof c->report->last_hash);
    vs_span what = vs_text(vs_getc(line->event, "what"));
    if (vs_span_is(what, "start"))
        return take_key(c, line->event, err);
    if (vs_span_is(what, "checkpoint"))
        return check_signature(c, line, err);
    c->report->events++;
    return VS_OK;
}

vs_code audit_verify(vs_span log, const vs_key *key, audit_report *report,
                     void (*each)(void *user, uint64_t seq, vs_span time, vs_val event), void *user,
                     vs_error *err)
{
    *report = (audit_report){0};
    check c = {.given = key, .report = report};
    vs_arena_init(&c.a, 0);
    vs_code code = VS_OK;
    uint64_t number = 0;
    while (log.n > 0 && code == VS_OK) {
        bool whole;
        audit_line line;
        vs_span text = vs_span_cut(log, '\n', &log, &whole);
        if (!whole) {
            report->torn = true;
            break;
        }
        number++;
        code = check_line(&c, text, &line, err);
        if (code == VS_OK && each)
            each(user, line.seq, line.time, line.event);
        vs_arena_reset(&c.a);
    }
    if (code != VS_OK) {
        report->wrong_line = number;
        (void)vs_wrap(err, "line %llu", (unsigned long long)number);
    }
    vs_key_free(&c.own);
    vs_arena_free(&c.a);
    return code;
}
