/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http2.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
    FIELD_OVERHEAD = 32, /* RFC 9113 6.5.2 */
    HEADERS_MAX = 16,    /* of a response */
    NAME_MAX_ = 64,
    HELD_BODIES = 4, /* bodies of the largest size that one connection may have in memory */
    TEXT_EXTRA = 256,
};

static const vs_http_config *config_of(const vs_http2_stream *s)
{
    return s->conn->loop->cfg;
}

static size_t body_cap(const vs_http2_stream *s)
{
    const vs_http_config *cfg = config_of(s);
    return s->grpc ? vs_grpc_message_bytes(cfg->grpc) + VS_GRPC_PREFIX : cfg->limits.body_bytes;
}

bool vs_http2_stream_open(vs_http2 *two, int32_t id)
{
    vs_http2_stream *s = calloc(1, sizeof *s);
    if (!s)
        return false;
    const vs_http_limits *l = &two->conn->loop->cfg->limits;
    s->conn = two->conn;
    s->id = id;
    s->open = true;
    s->with_body = true;
    s->next = two->first;
    s->link = &two->first;
    if (s->next)
        s->next->link = &s->next;
    two->first = s;
    s->text.cap = l->header_bytes * 3 + TEXT_EXTRA; /* with host and cookie once more */
    s->deadline = vs_mono_ns() + (int64_t)l->request_ms * 1000000;
    s->message.cap = VS_GRPC_TEXT_MAX + 16;
    if (nghttp2_session_set_stream_user_data(two->session, id, s) == 0)
        return true;
    vs_http2_stream_close(s);
    return false;
}

static void free_stream(vs_http2_stream *s)
{
    vs_buf_free(&s->text);
    vs_buf_free(&s->body);
    vs_buf_free(&s->out);
    vs_buf_free(&s->message);
    free(s);
}

void vs_http2_stream_close(vs_http2_stream *s)
{
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    s->open = false;
    if (s->job) { /* its body stays in memory, and so it stays counted */
        atomic_store(&s->job->cancelled, true);
        return;
    }
    s->conn->two->held -= s->body.n;
    free_stream(s);
}

/* The request is no longer looked at. */
static void forget_request(vs_http2_stream *s)
{
    if (s->job)
        return; /* a worker may be reading it */
    s->conn->two->held -= s->body.n;
    vs_buf_free(&s->text);
    vs_buf_free(&s->body);
}

/* ---- responses ------------------------------------------------------------------------------- */

static nghttp2_nv pair(const char *name, vs_span value)
{
    /* nghttp2 does not write to what it is given. */
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value.p, strlen(name), value.n, 0};
}

static size_t left_of(const vs_http2_stream *s)
{
    return s->prefix_n + s->out.n - s->sent;
}

void vs_http2_stream_copy(vs_http2_stream *s, size_t n, vs_buf *out)
{
    vs_span head = vs_span_head(vs_span_from(vs_span_of(s->prefix, s->prefix_n), s->sent), n);
    vs_buf_put(out, head);
    s->sent += head.n;
    vs_span body = vs_span_from(vs_buf_span(&s->out), s->sent - s->prefix_n);
    if (n > head.n) {
        vs_buf_put(out, vs_span_head(body, n - head.n));
        s->sent += n - head.n;
    }
}

static void submit_trailers(nghttp2_session *session, vs_http2_stream *s)
{
    char status[8];
    (void)snprintf(status, sizeof status, "%d", (int)s->status);
    const nghttp2_nv nv[] = {pair("grpc-status", vs_str(status))};
    (void)nghttp2_submit_trailer(session, s->id, nv, VS_COUNT(nv));
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t cap,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)id;
    (void)buf;
    (void)user;
    vs_http2_stream *s = source->ptr;
    size_t n = left_of(s) < cap ? left_of(s) : cap;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == left_of(s)) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (s->has_trailers) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            submit_trailers(session, s);
        }
    }
    return (ssize_t)n;
}

static void submit(vs_http2_stream *s, const nghttp2_nv *nv, size_t n, bool data)
{
    nghttp2_session *session = s->conn->two->session;
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = on_read};
    s->state = VS_H2_ANSWERED;
    s->deadline = vs_mono_ns() + (int64_t)config_of(s)->limits.request_ms * 1000000;
    forget_request(s);
    if (nghttp2_submit_response(session, s->id, nv, n, data ? &provider : NULL) != 0)
        (void)nghttp2_submit_rst_stream(session, 0, s->id, NGHTTP2_INTERNAL_ERROR);
}

/* Moves the bytes; the source is empty afterwards. */
static void take_body(vs_http2_stream *s, vs_buf *body)
{
    s->out = *body;
    *body = (vs_buf)VS_BUF(0);
}

static const char *lower(const char *name, char out[NAME_MAX_])
{
    size_t n = strlen(name);
    if (n >= NAME_MAX_)
        return NULL;
    for (size_t i = 0; i <= n; i++)
        out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    return out;
}

static void respond(vs_http2_stream *s, vs_http_response *r)
{
    char status[16], date[VS_TIME_TEXT], length[24], names[VS_COUNT(r->headers)][NAME_MAX_];
    nghttp2_nv nv[HEADERS_MAX];
    size_t n = 0;
    (void)snprintf(status, sizeof status, "%d", r->status);
    (void)snprintf(length, sizeof length, "%zu", r->body.n);
    nv[n++] = pair(":status", vs_str(status));
    nv[n++] = pair("date", vs_str(vs_time_http(vs_now_s(), date)));
    if (r->status != 204)
        nv[n++] = pair("content-length", vs_str(length));
    if (r->content_type)
        nv[n++] = pair("content-type", vs_str(r->content_type));
    for (size_t i = 0; i < r->n_headers; i++) {
        const char *name = lower(r->headers[i].name, names[i]);
        if (name)
            nv[n++] = pair(name, vs_str(r->headers[i].value));
    }
    bool data = s->with_body && r->body.n;
    if (data)
        take_body(s, &r->body);
    submit(s, nv, n, data);
}

static vs_span field_of(const vs_http2_stream *s, const char *name);

/* As HTTP/1.1 refuses: text, with the status again. */
static void refuse(vs_http2_stream *s, int status)
{
    /* Only of a body it is certain that the head is there, whole. */
    vs_span query, path = status == 413 ? field_of(s, ":path") : (vs_span){0};
    path = path.p ? vs_span_cut(path, '?', &query, NULL) : path;
    vs_http_response r = vs_http_refusal(config_of(s), status, path);
    respond(s, &r);
    vs_buf_free(&r.body);
}

/* An error is one block of headers, without a body ("Trailers-Only"). */
static void fail_call(vs_http2_stream *s, vs_grpc_status status, const char *why)
{
    char number[8];
    (void)snprintf(number, sizeof number, "%d", (int)status);
    vs_grpc_text_encode(&s->message, vs_str(why));
    const nghttp2_nv nv[] = {
        pair(":status", VS_LIT("200")), pair("content-type", VS_LIT("application/grpc")),
        pair("grpc-accept-encoding", VS_LIT("identity")), pair("grpc-status", vs_str(number)),
        pair("grpc-message", vs_buf_span(&s->message))};
    submit(s, nv, s->message.n ? VS_COUNT(nv) : VS_COUNT(nv) - 1, false);
}

static void answer_call(vs_http2_stream *s, vs_grpc_reply *reply)
{
    if (reply->status != VS_GRPC_OK) {
        fail_call(s, reply->status, reply->message);
        return;
    }
    const nghttp2_nv nv[] = {pair(":status", VS_LIT("200")),
                             pair("content-type", VS_LIT("application/grpc"))};
    take_body(s, &reply->body);
    vs_grpc_prefix_write(s->prefix, s->out.n);
    s->prefix_n = sizeof s->prefix;
    s->status = VS_GRPC_OK;
    s->has_trailers = true;
    submit(s, nv, VS_COUNT(nv), true);
}

/* ---- requests -------------------------------------------------------------------------------- */

typedef struct lengths {
    uint32_t name, value;
} lengths;

static void put_field(vs_http2_stream *s, vs_span name, vs_span value)
{
    lengths l = {(uint32_t)name.n, (uint32_t)value.n};
    vs_buf_put(&s->text, vs_span_of(&l, sizeof l));
    vs_buf_put(&s->text, name);
    vs_buf_put(&s->text, value);
    s->n_fields++;
}

/* Takes one field off `rest`. */
static vs_http_field take_field(vs_span *rest)
{
    lengths l;
    memcpy(&l, rest->p, sizeof l);
    *rest = vs_span_from(*rest, sizeof l);
    vs_http_field f = {vs_span_head(*rest, l.name),
                       vs_span_head(vs_span_from(*rest, l.name), l.value)};
    *rest = vs_span_from(*rest, f.name.n + f.value.n);
    return f;
}

void vs_http2_stream_field(vs_http2_stream *s, vs_span name, vs_span value)
{
    if (s->state != VS_H2_RECEIVING)
        return;
    s->header_bytes += name.n + value.n + FIELD_OVERHEAD;
    bool over =
        s->header_bytes > config_of(s)->limits.header_bytes || s->n_fields >= VS_HTTP_FIELDS_MAX;
    if (over) {
        if (s->head_done && s->grpc)
            fail_call(s, VS_GRPC_RESOURCE_EXHAUSTED, "the trailers are larger than allowed");
        else
            refuse(s, 431);
        return;
    }
    if (s->head_done)
        return; /* trailers are read and dropped */
    s->cookies |= vs_span_is(name, "cookie");
    put_field(s, name, value);
}

static vs_span field_of(const vs_http2_stream *s, const char *name)
{
    for (vs_span rest = vs_buf_span(&s->text); rest.n;) {
        vs_http_field f = take_field(&rest);
        if (vs_span_is(f.name, name))
            return f.value;
    }
    return (vs_span){0};
}

/* What a call must have before its message matters. */
static void start_call(vs_http2_stream *s)
{
    vs_span timeout = field_of(s, "grpc-timeout"), encoding = field_of(s, "grpc-encoding");
    int64_t ns = 0;
    s->method = vs_grpc_find(config_of(s)->grpc, field_of(s, ":path"));
    if (!vs_span_is(field_of(s, ":method"), "POST"))
        refuse(s, 405);
    else if (timeout.p && !vs_grpc_timeout_parse(timeout, &ns))
        fail_call(s, VS_GRPC_INTERNAL, "grpc-timeout is malformed");
    else if (!s->method)
        fail_call(s, VS_GRPC_UNIMPLEMENTED, "unknown method");
    else if (encoding.p && !vs_span_is(encoding, "identity"))
        fail_call(s, VS_GRPC_UNIMPLEMENTED, "grpc-encoding: compression is not supported");
    else if (timeout.p)
        s->grpc_deadline = vs_mono_ns() + ns;
}

void vs_http2_stream_head(vs_http2_stream *s)
{
    s->head_done = true;
    if (s->state != VS_H2_RECEIVING)
        return;
    if (!vs_buf_ok(&s->text)) {
        refuse(s, 503);
        return;
    }
    s->with_body = !vs_span_is(field_of(s, ":method"), "HEAD");
    s->grpc = config_of(s)->grpc && vs_grpc_is_content_type(field_of(s, "content-type"));
    s->body.cap = body_cap(s);
    if (s->grpc)
        start_call(s);
}

static void refuse_size(vs_http2_stream *s, const char *why)
{
    if (s->grpc)
        fail_call(s, VS_GRPC_RESOURCE_EXHAUSTED, why);
    else
        refuse(s, 413);
}

/* A flag or length that is wrong already needs no body to follow it. */
static bool message_is_hopeless(vs_http2_stream *s)
{
    vs_span ignored;
    const char *why;
    vs_grpc_status status = VS_GRPC_OK;
    if (s->body.n >= VS_GRPC_PREFIX)
        status = vs_grpc_unframe(vs_span_head(vs_buf_span(&s->body), VS_GRPC_PREFIX),
                                 body_cap(s) - VS_GRPC_PREFIX, &ignored, &why);
    if (status == VS_GRPC_RESOURCE_EXHAUSTED || status == VS_GRPC_UNIMPLEMENTED) {
        fail_call(s, status, why);
        return true;
    }
    return false;
}

void vs_http2_stream_data(vs_http2_stream *s, vs_span data)
{
    vs_http2 *two = s->conn->two;
    if (s->state != VS_H2_RECEIVING)
        return;
    if (data.n > s->body.cap - s->body.n) {
        refuse_size(s, "the body is larger than one message");
        return;
    }
    if (two->held + data.n > HELD_BODIES * body_cap(s) ||
        !vs_http_conn_hold(s->conn, two->held + data.n)) {
        if (s->grpc)
            fail_call(s, VS_GRPC_RESOURCE_EXHAUSTED, "too much at a time on one connection");
        else
            refuse(s, 503);
        return;
    }
    bool first = s->body.n < VS_GRPC_PREFIX;
    vs_buf_put(&s->body, data);
    if (!vs_buf_ok(&s->body)) {
        refuse_size(s, "out of memory");
        return;
    }
    two->held += data.n;
    if (first && s->grpc)
        (void)message_is_hopeless(s);
}

/* Cookies may come in several fields and are one for everybody else (RFC 9113 8.2.3); ":authority"
 * is what "host" was. False when memory is out. */
static bool settle_fields(vs_http2_stream *s)
{
    VS_CLEANUP(vs_buf_free) vs_buf cookie = VS_BUF(s->text.cap);
    vs_span host = field_of(s, "host"), authority = field_of(s, ":authority");
    VS_CLEANUP(vs_buf_free) vs_buf name = VS_BUF(s->text.cap);
    if (authority.p && !host.p) {
        vs_buf_put(&name, authority); /* the text may move */
        put_field(s, VS_LIT("host"), vs_buf_span(&name));
    }
    if (s->cookies && vs_buf_ok(&s->text)) { /* a failed text ends inside of a field */
        for (vs_span rest = vs_buf_span(&s->text); rest.n;) {
            vs_http_field f = take_field(&rest);
            if (!vs_span_is(f.name, "cookie"))
                continue;
            vs_buf_puts(&cookie, cookie.n ? "; " : "");
            vs_buf_put(&cookie, f.value);
        }
        put_field(s, VS_LIT("cookie"), vs_buf_span(&cookie));
    }
    return vs_buf_ok(&s->text) && vs_buf_ok(&cookie) && vs_buf_ok(&name);
}

/* The head as HTTP/1.1 would have given it. The single cookie is the last one. A second host, or
 * one that is not ":authority", is malformed (RFC 9113 8.3.1), and so is a path that names a host.
 * Returns 0 or a status. */
static int read_head(vs_http2_stream *s, vs_http_head *head)
{
    vs_span cookie = {0}, authority = {0}, host = {0};
    memset(head, 0, offsetof(vs_http_head, fields));
    for (vs_span rest = vs_buf_span(&s->text); rest.n;) {
        vs_http_field f = take_field(&rest);
        if (vs_span_is(f.name, ":method"))
            head->method = vs_http_method_of(f.value);
        else if (vs_span_is(f.name, ":path")) {
            int status = vs_http_target_parse(f.value, head);
            if (status || head->authority.p)
                return 400;
        } else if (vs_span_is(f.name, ":authority"))
            authority = f.value;
        else if (vs_span_is(f.name, "cookie"))
            cookie = f.value;
        else if (f.name.p[0] != ':' && head->n_fields < VS_HTTP_FIELDS_MAX)
            head->fields[head->n_fields++] = f;
        if (vs_span_is(f.name, "host")) {
            if (host.p || (authority.p && !vs_span_ieq(f.value, authority)))
                return 400;
            host = f.value;
        }
    }
    if (cookie.p && head->n_fields < VS_HTTP_FIELDS_MAX)
        head->fields[head->n_fields++] = (vs_http_field){VS_LIT("cookie"), cookie};
    return head->path.p ? 0 : 400; /* CONNECT has none */
}

static void finish(vs_http2_stream *s, vs_http_job *job)
{
    if (s->method)
        answer_call(s, &job->reply);
    else
        respond(s, &job->resp);
    vs_http_job_give(job);
}

static void on_done(vs_http_job *job)
{
    vs_http2_stream *s = job->owner;
    vs_http_conn *c = s->conn;
    bool there = vs_http_conn_job_back(c); /* before s: it may free c */
    s->job = NULL;
    if (there && s->open && s->state == VS_H2_RUNNING && c->phase == VS_HTTP_TWO) {
        finish(s, job);
        vs_http_conn_run(c);
        return;
    }
    vs_http_job_give(job);
    if (s->open) {
        forget_request(s); /* answered meanwhile */
        return;
    }
    if (there)
        c->two->held -= s->body.n;
    free_stream(s);
}

static void refuse_full(vs_http2_stream *s)
{
    if (s->method)
        fail_call(s, VS_GRPC_RESOURCE_EXHAUSTED, "the server is busy");
    else
        refuse(s, 503);
}

static void start(vs_http2_stream *s, vs_http_job *job)
{
    job->owner = s;
    job->done = on_done;
    job->method = s->method;
    job->deadline = s->grpc_deadline;
    job->req.method = job->head.method;
    job->req.path = job->head.path;
    job->req.query = job->head.query;
    job->req.body = vs_buf_span(&s->body);
    int status = vs_http_conn_admit(s->conn, job);
    if (status) {
        vs_http_job_give(job);
        if (s->method)
            fail_call(s, status == 429 ? VS_GRPC_RESOURCE_EXHAUSTED : VS_GRPC_INVALID_ARGUMENT,
                      status == 429 ? "too many calls from one source" : "malformed Forwarded");
        else
            refuse(s, status);
        return;
    }
    switch (vs_http_job_start(job)) {
    case VS_JOB_DONE: finish(s, job); break;
    case VS_JOB_PENDING:
        s->job = job;
        s->state = VS_H2_RUNNING;
        s->conn->jobs++;
        break;
    case VS_JOB_FULL:
        vs_http_job_give(job);
        refuse_full(s);
        break;
    }
}

void vs_http2_stream_end(vs_http2_stream *s)
{
    s->read_whole = true;
    if (s->state != VS_H2_RECEIVING)
        return;
    /* Streams that were reset leave their work behind: that is counted, too. */
    bool fits = s->conn->jobs < config_of(s)->limits.streams;
    vs_http_job *job = fits && settle_fields(s) ? vs_http_job_take(s->conn->loop) : NULL;
    if (!job) {
        refuse_full(s);
        return;
    }
    int status = read_head(s, &job->head);
    if (status || !vs_http_conn_client(s->conn, &job->req)) {
        vs_http_job_give(job);
        refuse(s, status ? status : 503);
        return;
    }
    start(s, job);
}

void vs_http2_stream_tick(vs_http2_stream *s, int64_t now)
{
    bool late = s->grpc_deadline && now > s->grpc_deadline && s->state != VS_H2_ANSWERED;
    if (late) {
        if (s->job)
            atomic_store(&s->job->cancelled, true);
        fail_call(s, VS_GRPC_DEADLINE_EXCEEDED, "the deadline passed while the call was served");
    } else if (s->state == VS_H2_RECEIVING && now > s->deadline) {
        if (s->grpc)
            fail_call(s, VS_GRPC_DEADLINE_EXCEEDED, "the request took too long to arrive");
        else
            refuse(s, 408);
    } else if (s->state == VS_H2_ANSWERED && now > s->deadline) {
        (void)nghttp2_submit_rst_stream(s->conn->two->session, 0, s->id, NGHTTP2_CANCEL);
    }
}
