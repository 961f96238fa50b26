/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http2.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http2_memory.h"

enum {
    OUT_FULL = 64 * 1024, /* `out` is filled up to about this before it is written */
    STREAM_WINDOW = 256 * 1024,
    CONN_WINDOW = 1024 * 1024,
    CONTINUATIONS = 8,
    ACKS_MAX = 1000, /* answers to PING and SETTINGS that wait for a peer that does not read */
    RESET_BURST = 500,
    RESET_RATE = 100,   /* per second */
    STRIKES_MAX = 1000, /* and then */
    STRIKES_RATE = 200, /* per second */
    FRAME_HEADER = 9,
};

static int64_t ms(unsigned n)
{
    return (int64_t)n * 1000000;
}

static const vs_http_limits *limits_of(const vs_http2 *two)
{
    return &two->conn->loop->cfg->limits;
}

void vs_http2_strike(vs_http2 *two)
{
    int64_t now = vs_mono_ns();
    two->strikes -= (double)(now - two->struck) / 1e9 * STRIKES_RATE;
    two->struck = now;
    if (two->strikes < 0)
        two->strikes = 0;
    two->strikes += 1;
    if (two->strikes > STRIKES_MAX) {
        vs_log(VS_LOG_WARN, "http", "a flood of HTTP/2 frames: connection ended", "peer",
               two->conn->peer, NULL);
        (void)nghttp2_session_terminate_session(two->session, NGHTTP2_ENHANCE_YOUR_CALM);
        two->strikes = 0; /* said once */
    }
}

/* ---- what nghttp2 calls ---------------------------------------------------------------------- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *p, size_t n, int flags, void *user)
{
    (void)session;
    (void)flags;
    vs_http2 *two = user;
    if (two->conn->out.n >= OUT_FULL)
        return NGHTTP2_ERR_WOULDBLOCK;
    vs_buf_put(&two->conn->out, vs_span_of(p, n));
    return vs_buf_ok(&two->conn->out) ? (ssize_t)n : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* A DATA frame: the body goes from the response to `out` without a stop in nghttp2's buffers. */
static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                        size_t n, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)frame;
    vs_http2 *two = user;
    vs_buf *out = &two->conn->out;
    if (out->n >= OUT_FULL)
        return NGHTTP2_ERR_WOULDBLOCK;
    vs_buf_put(out, vs_span_of(head, FRAME_HEADER));
    vs_http2_stream_copy(source->ptr, n, out);
    return vs_buf_ok(out) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    return vs_http2_stream_open(user, frame->hd.stream_id) ? 0
                                                           : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    (void)flags;
    (void)user;
    vs_http2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (s)
        vs_http2_stream_field(s, vs_span_of(name, name_n), vs_span_of(value, value_n));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *user)
{
    (void)flags;
    (void)user;
    vs_http2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (s)
        vs_http2_stream_data(s, vs_span_of(p, n));
    return 0;
}

/* Frames by which a peer can keep us busy at no cost to itself. */
static bool is_cheap(const nghttp2_frame *f)
{
    bool ack = f->hd.flags & NGHTTP2_FLAG_ACK, end = f->hd.flags & NGHTTP2_FLAG_END_STREAM;
    switch (f->hd.type) {
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS: return !ack;
    case NGHTTP2_DATA: return f->hd.length == 0 && !end;
    case NGHTTP2_HEADERS:
    case NGHTTP2_WINDOW_UPDATE: return false;
    default: return true;
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    if (is_cheap(frame))
        vs_http2_strike(user);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    vs_http2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (!s)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !s->head_done)
        vs_http2_stream_head(s);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        vs_http2_stream_end(s);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *user)
{
    (void)session;
    (void)frame;
    (void)code;
    vs_http2_strike(user);
    return 0;
}

/* A response that ends before its request was read asks the peer to stop sending (RFC 9113 8.1). */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    bool data = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!data || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    vs_http2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (s && !s->read_whole)
        (void)nghttp2_submit_rst_stream(session, 0, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    vs_http2 *two = user;
    vs_http2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (code == NGHTTP2_PROTOCOL_ERROR || code == NGHTTP2_FLOW_CONTROL_ERROR ||
        code == NGHTTP2_STREAM_CLOSED)
        vs_http2_strike(two); /* resets that the peer made us send */
    if (s)
        vs_http2_stream_close(s);
    if (!two->first)
        two->idle_until = vs_mono_ns() + ms(limits_of(two)->idle_ms);
    return 0;
}

/* ---- the session ----------------------------------------------------------------------------- */

static bool make_callbacks(nghttp2_session_callbacks **out)
{
    if (nghttp2_session_callbacks_new(out) != 0)
        return false;
    nghttp2_session_callbacks_set_send_callback(*out, on_send);
    nghttp2_session_callbacks_set_send_data_callback(*out, on_send_data);
    nghttp2_session_callbacks_set_on_begin_headers_callback(*out, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(*out, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(*out, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(*out, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(*out, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(*out, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(*out, on_close);
    return true;
}

static bool make_session(vs_http2 *two)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool ok = make_callbacks(&callbacks) && nghttp2_option_new(&option) == 0;
    if (ok) {
        nghttp2_option_set_max_continuations(option, CONTINUATIONS);
        nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
        nghttp2_option_set_stream_reset_rate_limit(option, RESET_BURST, RESET_RATE);
        nghttp2_option_set_no_closed_streams(option, 1);
        ok = nghttp2_session_server_new3(&two->session, callbacks, two, option,
                                         vs_http2_memory()) == 0;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return ok;
}

static bool send_settings(vs_http2 *two)
{
    const vs_http_limits *l = limits_of(two);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, l->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)(l->header_bytes < UINT32_MAX ? l->header_bytes : UINT32_MAX)},
    };
    return nghttp2_submit_settings(two->session, 0, settings, VS_COUNT(settings)) == 0 &&
           nghttp2_session_set_local_window_size(two->session, 0, 0, CONN_WINDOW) == 0;
}

bool vs_http2_start(vs_http_conn *c)
{
    vs_http2 *two = calloc(1, sizeof *two);
    if (!two)
        return false;
    two->conn = c;
    two->struck = vs_mono_ns();
    two->idle_until = two->struck + ms(c->loop->cfg->limits.request_ms);
    c->two = two;
    c->phase = VS_HTTP_TWO;
    c->used = true;
    return make_session(two) && send_settings(two);
}

void vs_http2_free(vs_http2 **two)
{
    if (!*two)
        return;
    while ((*two)->first)
        vs_http2_stream_close((*two)->first);
    nghttp2_session_del((*two)->session);
    free(*two);
    *two = NULL;
}

vs_http_outcome vs_http2_step(vs_http_conn *c)
{
    vs_http2 *two = c->two;
    if (c->in.n) {
        ssize_t n = nghttp2_session_mem_recv(two->session, c->in.p, c->in.n);
        vs_buf_clear(&c->in);
        if (n < 0) {
            vs_log(VS_LOG_DEBUG, "http", "HTTP/2 ended", "peer", c->peer, "reason",
                   nghttp2_strerror((int)n), NULL);
            c->in_request = false; /* no GOAWAY can be said */
            return VS_GONE;
        }
    }
    if (nghttp2_session_send(two->session) != 0)
        return VS_GONE;
    if (c->out.n) {
        two->write_until = vs_mono_ns() + ms(limits_of(two)->request_ms);
        return VS_READY;
    }
    bool more = nghttp2_session_want_read(two->session) || nghttp2_session_want_write(two->session);
    c->in_request &= more || !two->draining; /* a peer that was read to the end needs no linger */
    return more ? VS_MORE : VS_GONE;
}

bool vs_http2_tick(vs_http_conn *c, int64_t now)
{
    vs_http2 *two = c->two;
    if (c->out.n && now > two->write_until)
        return false; /* it does not read */
    for (vs_http2_stream *s = two->first, *next; s; s = next) {
        next = s->next;
        vs_http2_stream_tick(s, now);
    }
    if (!two->first && now > two->idle_until)
        vs_http2_drain(c);
    /* A second round to write the GOAWAY, and no third one. */
    return two->first || now < two->idle_until + ms(limits_of(two)->request_ms);
}

void vs_http2_drain(vs_http_conn *c)
{
    vs_http2 *two = c->two;
    if (two->draining)
        return;
    two->draining = true;
    (void)nghttp2_submit_goaway(two->session, 0,
                                nghttp2_session_get_last_proc_stream_id(two->session),
                                NGHTTP2_NO_ERROR, NULL, 0);
}
