/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/audit_line.h"

#include "base/clock.h"
#include "base/enc.h"
#include "value/json.h"

void audit_chain_begin(audit_chain *c)
{
    c->seq = 1;
    memset(c->prev, '0', sizeof c->prev - 1);
    c->prev[sizeof c->prev - 1] = 0;
}

static vs_code follow(uint64_t seq, vs_span line, audit_chain *next, vs_error *err)
{
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf hex = VS_BUF(64);
    VS_TRY(vs_digest(VS_SHA256, line, VS_LIT(""), VS_LIT(""), md, err));
    vs_hex_encode(&hex, vs_span_of(md, 32));
    VS_TRY(vs_buf_check(&hex, err));
    next->seq = seq + 1;
    memcpy(next->prev, hex.p, hex.n);
    next->prev[hex.n] = 0;
    return VS_OK;
}

vs_code audit_line_write(const audit_chain *c, int64_t now, vs_span event_json, vs_buf *out,
                         audit_chain *next, vs_error *err)
{
    char time[VS_TIME_TEXT];
    size_t start = out->n;
    vs_buf_printf(out, "{\"seq\":%llu,\"time\":\"%s\",\"prev\":\"%s\",\"event\":",
                  (unsigned long long)c->seq, vs_time_rfc3339(now, time), c->prev);
    vs_buf_put(out, event_json);
    vs_buf_putc(out, '}');
    VS_TRY(vs_buf_check(out, err));
    VS_TRY(follow(c->seq, vs_span_from(vs_buf_span(out), start), next, err));
    vs_buf_putc(out, '\n');
    return vs_buf_check(out, err);
}

vs_code audit_line_read(vs_span text, vs_arena *a, audit_line *out, vs_error *err)
{
    vs_val v, seq, time, prev;
    VS_TRY(vs_json_parse(a, text, NULL, &v, err));
    VS_TRY(vs_need(v, "seq", VS_NUMBER, &seq, err));
    VS_TRY(vs_need(v, "time", VS_STRING, &time, err));
    VS_TRY(vs_need(v, "prev", VS_STRING, &prev, err));
    VS_TRY(vs_need(v, "event", VS_OBJECT, &out->event, err));
    if (!vs_is_int(seq) || seq.u.i < 1 || vs_text(prev).n != 64)
        return vs_fail(err, VS_E_INVALID, "not a line of an audit log");
    out->text = text;
    out->seq = (uint64_t)seq.u.i;
    out->time = vs_text(time);
    out->prev = vs_text(prev);
    return VS_OK;
}

vs_code audit_chain_after(const audit_line *line, audit_chain *out, vs_error *err)
{
    return follow(line->seq, line->text, out, err);
}

void audit_checkpoint_payload(const audit_chain *c, int64_t now, vs_buf *out)
{
    char time[VS_TIME_TEXT];
    vs_buf_printf(out, "{\"seq\":%llu,\"prev\":\"%s\",\"time\":\"%s\"}", (unsigned long long)c->seq,
                  c->prev, vs_time_rfc3339(now, time));
}
