/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_conn.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/trace.h"
#include "net/client_socket.h"
#include "net/http2_memory.h"

enum {
    OUT_FULL = 64 * 1024,
    STREAM_WINDOW = 1024 * 1024,
    CONN_WINDOW = 1024 * 1024,
    HEADERS_MAX = 64 * 1024, /* of an answer, trailers included */
    READ_MAX = 16 * 1024,
    PING_WAIT_MS = 5000,
    PULLS_MAX = 64, /* reads of what a peer sends unasked */
    FRAME_HEADER = 9,
};

struct vs_grpc_conn {
    const vs_grpc_target *target;
    vs_client_socket socket;
    nghttp2_session *session;
    vs_buf out;
    size_t sent; /* of out */
    int64_t used;
    bool ready;     /* the server's SETTINGS are here */
    bool ponged;    /* since the last PING */
    bool leaving;   /* GOAWAY, or broken: no further call */
    uint64_t moved; /* bytes written, to know whether a call had begun */
    /* The call. */
    int32_t id;
    vs_span request;
    uint8_t prefix[VS_GRPC_PREFIX];
    size_t given; /* of prefix and request */
    bool closed;
    uint32_t close_code;
    size_t header_bytes;
    int http_status;
    bool is_grpc, has_status, too_large;
    bool encoded; /* grpc-encoding other than identity */
    vs_grpc_status status;
    vs_buf message; /* grpc-message, as it came */
    vs_buf body;
};

/* ---- what nghttp2 calls ---------------------------------------------------------------------- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *p, size_t n, int flags, void *user)
{
    (void)session;
    (void)flags;
    vs_grpc_conn *c = user;
    if (c->out.n >= OUT_FULL)
        return NGHTTP2_ERR_WOULDBLOCK;
    vs_buf_put(&c->out, vs_span_of(p, n));
    return vs_buf_ok(&c->out) ? (ssize_t)n : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t cap,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)buf;
    (void)user;
    const vs_grpc_conn *c = source->ptr;
    size_t left = sizeof c->prefix + c->request.n - c->given;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (left <= cap)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)(left < cap ? left : cap);
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                        size_t n, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)frame;
    (void)source;
    vs_grpc_conn *c = user;
    if (c->out.n >= OUT_FULL)
        return NGHTTP2_ERR_WOULDBLOCK;
    vs_buf_put(&c->out, vs_span_of(head, FRAME_HEADER));
    vs_span first =
        vs_span_head(vs_span_from(vs_span_of(c->prefix, sizeof c->prefix), c->given), n);
    vs_buf_put(&c->out, first);
    c->given += first.n;
    if (n > first.n) {
        vs_buf_put(&c->out, vs_span_head(vs_span_from(c->request, c->given - sizeof c->prefix),
                                         n - first.n));
        c->given += n - first.n;
    }
    return vs_buf_ok(&c->out) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static void read_field(vs_grpc_conn *c, vs_span name, vs_span value)
{
    if (vs_span_is(name, ":status")) {
        c->http_status = atoi((const char *)value.p); /* three digits, nghttp2 has looked */
    } else if (vs_span_is(name, "content-type")) {
        c->is_grpc = vs_grpc_is_content_type(value);
    } else if (vs_span_is(name, "grpc-encoding")) {
        c->encoded = !vs_span_is(value, "identity");
    } else if (vs_span_is(name, "grpc-status")) {
        c->has_status = true;
        if (!vs_grpc_status_parse(value, &c->status))
            c->status = VS_GRPC_UNKNOWN;
    } else if (vs_span_is(name, "grpc-message")) {
        vs_buf_clear(&c->message);
        vs_buf_put(&c->message, vs_span_head(value, c->message.cap));
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    (void)flags;
    vs_grpc_conn *c = user;
    if (frame->hd.stream_id != c->id || c->closed)
        return 0;
    c->header_bytes += name_n + value_n;
    if (c->header_bytes > HEADERS_MAX) {
        c->too_large = true;
        (void)nghttp2_submit_rst_stream(session, 0, c->id, NGHTTP2_CANCEL);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    read_field(c, vs_span_of(name, name_n), vs_span_of(value, value_n));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *user)
{
    (void)flags;
    vs_grpc_conn *c = user;
    if (id != c->id || c->too_large)
        return 0;
    vs_buf_put(&c->body, vs_span_of(p, n));
    if (!vs_buf_ok(&c->body)) {
        c->too_large = true;
        (void)nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_CANCEL);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    vs_grpc_conn *c = user;
    bool ack = frame->hd.flags & NGHTTP2_FLAG_ACK;
    c->ready |= frame->hd.type == NGHTTP2_SETTINGS && !ack;
    c->ponged |= frame->hd.type == NGHTTP2_PING && ack;
    c->leaving |= frame->hd.type == NGHTTP2_GOAWAY;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)session;
    vs_grpc_conn *c = user;
    if (id == c->id) {
        c->closed = true;
        c->close_code = code;
    }
    return 0;
}

static bool make_callbacks(nghttp2_session_callbacks **out)
{
    if (nghttp2_session_callbacks_new(out) != 0)
        return false;
    nghttp2_session_callbacks_set_send_callback(*out, on_send);
    nghttp2_session_callbacks_set_send_data_callback(*out, on_send_data);
    nghttp2_session_callbacks_set_on_header_callback(*out, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(*out, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(*out, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(*out, on_close);
    return true;
}

static vs_code make_session(vs_grpc_conn *c, vs_error *err)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADERS_MAX}};
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    bool ok = make_callbacks(&callbacks) && nghttp2_option_new(&option) == 0;
    if (ok) {
        nghttp2_option_set_no_closed_streams(option, 1);
        ok = nghttp2_session_client_new3(&c->session, callbacks, c, option, vs_http2_memory()) ==
                 0 &&
             nghttp2_submit_settings(c->session, 0, settings, VS_COUNT(settings)) == 0 &&
             nghttp2_session_set_local_window_size(c->session, 0, 0, CONN_WINDOW) == 0;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return ok ? VS_OK : vs_fail(err, VS_E_NOMEM, "cannot make an HTTP/2 session");
}

/* ---- moving bytes ---------------------------------------------------------------------------- */

static vs_code push(vs_grpc_conn *c, vs_error *err)
{
    for (;;) {
        if (nghttp2_session_send(c->session) != 0)
            return vs_fail(err, VS_E_NOMEM, "HTTP/2: out of memory");
        if (c->out.n == 0)
            return VS_OK;
        size_t n = 0;
        VS_TRY(vs_client_socket_write(&c->socket, vs_span_from(vs_buf_span(&c->out), c->sent), &n,
                                      err));
        if (n == 0)
            return VS_OK;
        c->moved += n;
        c->sent += n;
        if (c->sent == c->out.n) {
            vs_buf_clear(&c->out);
            c->sent = 0;
        }
    }
}

/* *more: something came. */
static vs_code pull(vs_grpc_conn *c, bool *more, vs_error *err)
{
    uint8_t bytes[READ_MAX];
    size_t n = 0;
    VS_TRY(vs_client_socket_read(&c->socket, bytes, sizeof bytes, &n, err));
    *more = n > 0;
    if (n == 0)
        return VS_OK;
    ssize_t taken = nghttp2_session_mem_recv(c->session, bytes, n);
    vs_wipe(bytes, n);
    if (taken < 0)
        return vs_fail(err, VS_E_PARSE, "%s: HTTP/2: %s", c->socket.address,
                       nghttp2_strerror((int)taken));
    return VS_OK;
}

/* All that is there. A peer that never pauses is no better than one that is gone: VS_E_LIMIT. */
static vs_code pull_all(vs_grpc_conn *c, vs_error *err)
{
    bool more = true;
    for (int n = 0; more && n < PULLS_MAX; n++)
        VS_TRY(pull(c, &more, err));
    return more ? vs_fail(err, VS_E_LIMIT, "%s sends without end", c->socket.address) : VS_OK;
}

/* It cannot be written to. What the peer said before tells more: an alert of TLS, GOAWAY. */
static vs_code last_words(vs_grpc_conn *c, vs_error *err)
{
    vs_error why = {0};
    vs_code code = pull_all(c, &why);
    bool tls = code != VS_OK && strstr(vs_error_at(&why, 0), "TLS:") != NULL;
    if (err && tls)
        *err = why;
    return c->closed ? VS_OK : VS_E_IO;
}

/* Writes and reads what is possible; waits when that is nothing. */
static vs_code turn(vs_grpc_conn *c, int64_t until, vs_error *err)
{
    bool more = false;
    vs_code code = push(c, err);
    if (code == VS_E_IO)
        code = last_words(c, err);
    VS_TRY(code);
    VS_TRY(pull(c, &more, err));
    if (more && vs_mono_ns() >= until) /* a peer that never pauses has no more time than another */
        return vs_fail(err, VS_E_TIMEOUT, "%s: no answer in time", c->socket.address);
    if (more)
        return push(c, err);
    if (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session) &&
        c->out.n == 0)
        return vs_fail(err, VS_E_PARSE, "%s broke the HTTP/2 protocol", c->socket.address);
    short tls = c->socket.ssl ? c->socket.wants : 0; /* of the read, which came last */
    return vs_client_socket_wait(&c->socket, (short)(POLLIN | tls | (c->out.n ? POLLOUT : 0)),
                                 until, err);
}

/* ---- life ------------------------------------------------------------------------------------ */

void vs_grpc_conn_free(vs_grpc_conn **conn)
{
    vs_grpc_conn *c = *conn;
    if (!c)
        return;
    *conn = NULL;
    vs_client_socket_close(&c->socket);
    nghttp2_session_del(c->session);
    vs_buf_free(&c->out);
    vs_buf_free(&c->message);
    vs_buf_free(&c->body);
    free(c);
}

static vs_code open_conn(vs_grpc_conn *c, int64_t until, vs_error *err)
{
    const vs_peer peer = {c->target->host, c->target->port, c->target->tls, true};
    if (c->target->unix_socket)
        VS_TRY(vs_client_socket_open_unix(c->target->unix_socket, &c->socket, err));
    else
        VS_TRY(vs_client_socket_open(&peer, until, &c->socket, err));
    VS_TRY(make_session(c, err));
    while (!c->ready)
        VS_TRY_WRAP(turn(c, until, err), err, "no HTTP/2 with %s", c->socket.address);
    return VS_OK;
}

vs_code vs_grpc_conn_open(const vs_grpc_target *target, int64_t until, vs_grpc_conn **out,
                          vs_error *err)
{
    vs_grpc_conn *c = calloc(1, sizeof *c);
    if (!c)
        return vs_fail(err, VS_E_NOMEM, "cannot make a connection");
    c->target = target;
    c->socket.fd = -1;
    c->out.cap = OUT_FULL * 2;
    c->message.cap = VS_GRPC_TEXT_MAX;
    c->body.cap = target->message_bytes + VS_GRPC_PREFIX;
    c->used = vs_mono_ns();
    vs_code code = open_conn(c, until, err);
    if (code != VS_OK)
        vs_grpc_conn_free(&c);
    *out = c;
    return code;
}

bool vs_grpc_conn_reusable(const vs_grpc_conn *c)
{
    return !c->leaving && nghttp2_session_check_request_allowed(c->session);
}

bool vs_grpc_conn_alive(vs_grpc_conn *c, unsigned ping_ms, int64_t until)
{
    if (pull_all(c, NULL) != VS_OK || push(c, NULL) != VS_OK || !vs_grpc_conn_reusable(c))
        return false;
    int64_t now = vs_mono_ns(), pong = now + (int64_t)PING_WAIT_MS * 1000000;
    if (now - c->used < (int64_t)ping_ms * 1000000)
        return true;
    c->ponged = false;
    if (nghttp2_submit_ping(c->session, 0, NULL) != 0)
        return false;
    while (!c->ponged)
        if (turn(c, pong < until ? pong : until, NULL) != VS_OK)
            return false;
    return vs_grpc_conn_reusable(c);
}

/* ---- a call ---------------------------------------------------------------------------------- */

static nghttp2_nv pair(const char *name, const char *value)
{
    /* nghttp2 does not write to what it is given. */
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), 0};
}

static vs_code submit(vs_grpc_conn *c, const char *path, int64_t until, vs_error *err)
{
    char timeout[16];
    vs_grpc_timeout_print(until - vs_mono_ns(), timeout);
    const char *trace = vs_traceparent();
    const nghttp2_nv nv[] = {pair(":method", "POST"),
                             pair(":scheme", c->target->tls ? "https" : "http"),
                             pair(":path", path),
                             pair(":authority", c->target->authority),
                             pair("te", "trailers"),
                             pair("content-type", "application/grpc"),
                             pair("user-agent", c->target->user_agent),
                             pair("grpc-timeout", timeout),
                             pair("traceparent", trace ? trace : "")};
    nghttp2_data_provider data = {.source.ptr = c, .read_callback = on_read};
    c->id = nghttp2_submit_request(c->session, NULL, nv, VS_COUNT(nv) - !trace, &data, NULL);
    return c->id > 0 ? VS_OK : vs_fail(err, VS_E_NOMEM, "HTTP/2: cannot start a request");
}

/* doc/http-grpc-status-mapping.md: for answers that are not of gRPC. */
static vs_grpc_status status_of_http(int http)
{
    static const struct {
        int http;
        vs_grpc_status status;
    } map[] = {{400, VS_GRPC_INTERNAL},          {401, VS_GRPC_UNAUTHENTICATED},
               {403, VS_GRPC_PERMISSION_DENIED}, {404, VS_GRPC_UNIMPLEMENTED},
               {429, VS_GRPC_UNAVAILABLE},       {502, VS_GRPC_UNAVAILABLE},
               {503, VS_GRPC_UNAVAILABLE},       {504, VS_GRPC_UNAVAILABLE}};
    for (size_t i = 0; i < VS_COUNT(map); i++)
        if (map[i].http == http)
            return map[i].status;
    return VS_GRPC_UNKNOWN;
}

static vs_code fail(vs_grpc_conn *c, vs_grpc_result *r, vs_grpc_status status, const char *what,
                    vs_error *err)
{
    r->status = status;
    return vs_fail(err, vs_grpc_code(status), "%s: %s: %s", c->socket.address,
                   vs_grpc_status_name(status), what);
}

/* The stream ended before an answer was there. */
static vs_code no_answer(vs_grpc_conn *c, vs_grpc_result *r, vs_error *err)
{
    char what[64];
    vs_grpc_status status = VS_GRPC_INTERNAL;
    r->unprocessed = c->close_code == NGHTTP2_REFUSED_STREAM;
    if (r->unprocessed)
        status = VS_GRPC_UNAVAILABLE;
    else if (c->close_code == NGHTTP2_CANCEL)
        status = VS_GRPC_CANCELLED;
    else if (c->close_code == NGHTTP2_ENHANCE_YOUR_CALM)
        status = VS_GRPC_RESOURCE_EXHAUSTED;
    (void)snprintf(what, sizeof what, "the stream ended without an answer (%s)",
                   nghttp2_http2_strerror(c->close_code));
    return fail(c, r, status, what, err);
}

static vs_code said_no(vs_grpc_conn *c, vs_grpc_result *r, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_GRPC_TEXT_MAX);
    vs_grpc_text_decode(&text, vs_buf_span(&c->message));
    return fail(c, r, c->status, text.n ? (const char *)text.p : "no message", err);
}

static vs_code read_answer(vs_grpc_conn *c, vs_buf *reply, vs_grpc_result *r, vs_error *err)
{
    char what[64];
    vs_span message;
    const char *why;
    if (c->too_large)
        return fail(c, r, VS_GRPC_RESOURCE_EXHAUSTED, "the answer is larger than allowed", err);
    if (c->http_status == 0)
        return no_answer(c, r, err);
    if (c->has_status && c->status != VS_GRPC_OK)
        return said_no(c, r, err);
    if (c->http_status != 200 || !c->is_grpc) {
        (void)snprintf(what, sizeof what, "an answer that is not gRPC (HTTP status %d)",
                       c->http_status);
        return fail(c, r, status_of_http(c->http_status), what, err);
    }
    if (!c->has_status)
        return c->close_code ? no_answer(c, r, err)
                             : fail(c, r, VS_GRPC_INTERNAL, "an answer without grpc-status", err);
    vs_grpc_status bad =
        vs_grpc_unframe(vs_buf_span(&c->body), c->target->message_bytes, &message, &why);
    if (bad != VS_GRPC_OK)
        return fail(c, r, bad == VS_GRPC_RESOURCE_EXHAUSTED ? bad : VS_GRPC_INTERNAL, why, err);
    if (c->encoded)
        return fail(c, r, VS_GRPC_INTERNAL, "a compressed answer", err);
    vs_buf_put(reply, message);
    r->status = vs_buf_ok(reply) ? VS_GRPC_OK : VS_GRPC_RESOURCE_EXHAUSTED;
    return vs_buf_check(reply, err);
}

static vs_code run(vs_grpc_conn *c, const char *path, int64_t until, vs_grpc_result *r,
                   vs_error *err)
{
    uint64_t before = c->moved;
    vs_code code = submit(c, path, until, err);
    while (code == VS_OK && !c->closed)
        code = turn(c, until, err);
    if (code == VS_OK || c->closed)
        return VS_OK;
    c->leaving = true; /* what comes on it belongs to nobody */
    r->status = code == VS_E_TIMEOUT ? VS_GRPC_DEADLINE_EXCEEDED
                : code == VS_E_PARSE ? VS_GRPC_INTERNAL
                                     : VS_GRPC_UNAVAILABLE;
    r->unprocessed = code != VS_E_TIMEOUT && c->moved == before;
    return code;
}

vs_code vs_grpc_conn_call(vs_grpc_conn *c, const char *path, vs_span request, vs_buf *reply,
                          int64_t until, vs_grpc_result *r, vs_error *err)
{
    *r = (vs_grpc_result){.status = VS_GRPC_INTERNAL};
    c->request = request;
    vs_grpc_prefix_write(c->prefix, request.n);
    c->given = 0;
    c->closed = c->is_grpc = c->has_status = c->too_large = c->encoded = false;
    c->close_code = 0;
    c->header_bytes = 0;
    c->http_status = 0;
    vs_buf_clear(&c->message);
    vs_code code = run(c, path, until, r, err);
    if (code == VS_OK)
        code = read_answer(c, reply, r, err);
    vs_buf_free(&c->body);
    c->request = (vs_span){0};
    c->id = 0;
    c->used = vs_mono_ns();
    return code;
}
