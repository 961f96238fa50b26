/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 on a connection: requests off `in`, responses into `out`. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http_conn.h"

enum { PREFACE = 24 };

typedef vs_http_outcome outcome;

static const vs_http_limits *limits_of(const vs_http_conn *c)
{
    return &c->loop->cfg->limits;
}

/* ---- responses ------------------------------------------------------------------------------ */

const char *vs_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Payload Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {424, "Failed Dependency"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (known[i].status == status)
            return known[i].reason;
    return "";
}

void vs_http_add_header(vs_http_response *r, const char *name, const char *value)
{
    bool clean = strpbrk(name, "\r\n") == NULL && strpbrk(value, "\r\n") == NULL;
    if (!clean || r->n_headers == VS_COUNT(r->headers)) {
        vs_log(VS_LOG_ERROR, "http",
               clean ? "too many response headers" : "a line break in a response header", "name",
               name, NULL);
        return;
    }
    r->headers[r->n_headers].name = name;
    r->headers[r->n_headers++].value = value;
}

vs_span vs_http_header(const vs_http_request *r, const char *name)
{
    return vs_http_head_field(r->impl, name);
}

static void queue_response(vs_http_conn *c, const vs_http_response *r, bool with_body)
{
    char date[VS_TIME_TEXT];
    vs_buf *o = &c->out;
    vs_buf_printf(o, "HTTP/1.1 %d %s\r\nDate: %s\r\n", r->status, vs_http_reason(r->status),
                  vs_time_http(vs_now_s(), date));
    if (r->status == 204) /* has no body, and says no length (RFC 9110 8.6) */
        with_body = false;
    else
        vs_buf_printf(o, "Content-Length: %zu\r\n", r->body.n);
    if (r->content_type)
        vs_buf_printf(o, "Content-Type: %s\r\n", r->content_type);
    for (size_t i = 0; i < r->n_headers; i++)
        vs_buf_printf(o, "%s: %s\r\n", r->headers[i].name, r->headers[i].value);
    c->close |= atomic_load(c->loop->stopping);
    if (c->close)
        vs_buf_puts(o, "Connection: close\r\n");
    else if (c->http10)
        vs_buf_puts(o, "Connection: keep-alive\r\n");
    vs_buf_puts(o, "\r\n");
    if (with_body)
        vs_buf_put(o, vs_buf_span(&r->body));
    c->answered = true;
    vs_http_conn_give_time(c, limits_of(c)->request_ms);
}

vs_http_response vs_http_refusal(const vs_http_config *cfg, int status, vs_span path)
{
    vs_http_response r = {
        .status = status, .content_type = "text/plain; charset=utf-8", .body = VS_BUF(1024)};
    vs_buf_printf(&r.body, "%d %s\n", status, vs_http_reason(status));
    if (status == 413 && path.p && cfg->too_large)
        cfg->too_large(path, &r);
    return r;
}

/* `path`: p == NULL when no head was read. */
static void refuse_at(vs_http_conn *c, int status, vs_span path)
{
    vs_http_response r = vs_http_refusal(c->loop->cfg, status, path);
    c->close = c->refused = true;
    queue_response(c, &r, true);
    vs_buf_free(&r.body);
}

void vs_http1_refuse(vs_http_conn *c, int status)
{
    refuse_at(c, status, (vs_span){0});
}

/* ---- requests ------------------------------------------------------------------------------- */

/* Takes the request that was answered off the input; what follows it stays. */
static void consume(vs_http_conn *c)
{
    size_t rest = c->in.n - c->body_end;
    memmove(c->in.p, c->in.p + c->body_end, rest);
    vs_buf_truncate(&c->in, rest);
    c->phase = VS_HTTP_READ_HEAD;
    c->scan = 0;
    c->skipped_crlf = false;
}

static void skip_empty_line(vs_http_conn *c)
{
    if (c->skipped_crlf || c->in.n < 2 || memcmp(c->in.p, "\r\n", 2) != 0)
        return;
    memmove(c->in.p, c->in.p + 2, c->in.n - 2);
    vs_buf_truncate(&c->in, c->in.n - 2);
    c->skipped_crlf = true;
    c->scan = 0;
}

/* Returns 0 when the head was read and is in loop->head, -1 when bytes are missing, else a status.
 */
static int step_head(vs_http_conn *c)
{
    const vs_http_limits *limits = limits_of(c);
    vs_http_head *head = &c->loop->head;
    skip_empty_line(c);
    bool bad;
    c->head_n = vs_http_head_end(vs_buf_span(&c->in), &c->scan, &bad);
    if (bad)
        return 400;
    if (c->head_n > limits->header_bytes || (!c->head_n && c->in.n >= limits->header_bytes))
        return 431;
    if (!c->head_n)
        return -1;
    int status = vs_http_head_parse(vs_span_head(vs_buf_span(&c->in), c->head_n), head);
    if (status)
        return status;
    if (head->content_length > limits->body_bytes)
        return 413;
    c->phase = VS_HTTP_READ_BODY;
    c->http10 = head->http10;
    c->expects = head->expect_continue;
    c->chunked = head->chunked;
    c->chunks = (vs_http_chunks){0};
    c->body_end = c->head_n + (size_t)head->content_length;
    return 0;
}

/* As step_head. */
static int step_body(vs_http_conn *c)
{
    if (!c->chunked)
        return c->in.n < c->body_end ? -1 : 0;
    size_t n = c->in.n;
    int status = vs_http_chunks_feed(&c->chunks, c->in.p, &c->body_end, &n,
                                     c->head_n + limits_of(c)->body_bytes);
    vs_buf_truncate(&c->in, n);
    if (status)
        return status;
    return c->chunks.done ? 0 : -1;
}

/* ---- through a handler ----------------------------------------------------------------------- */

static void finish(vs_http_conn *c, vs_http_job *job)
{
    c->close |= job->head.close;
    queue_response(c, &job->resp, job->head.method != VS_HTTP_HEAD);
    vs_http_job_give(job);
    consume(c);
}

static void on_done(vs_http_job *job)
{
    vs_http_conn *c = job->owner;
    if (!vs_http_conn_job_back(c)) {
        vs_http_job_give(job);
        return;
    }
    finish(c, job);
    vs_http_conn_run(c);
}

/* The whole request is in `in`, its head in loop->head. */
static outcome handle(vs_http_conn *c)
{
    const vs_http_head *head = &c->loop->head;
    vs_http_job *job = vs_http_job_take(c->loop);
    if (!job)
        return VS_GONE;
    memcpy(&job->head, head,
           offsetof(vs_http_head, fields) + head->n_fields * sizeof *head->fields);
    job->owner = c;
    job->done = on_done;
    vs_http_request *req = &job->req;
    req->method = head->method;
    req->path = head->path;
    req->query = head->query;
    req->body = vs_span_of(c->in.p + c->head_n, c->body_end - c->head_n);
    if (!vs_http_conn_client(c, req)) {
        vs_http_job_give(job);
        return VS_GONE;
    }
    int status = vs_http_conn_admit(c, job);
    if (status) {
        job->resp.status = status;
        if (status == 429)
            vs_http_add_header(&job->resp, "Retry-After", "1");
        finish(c, job);
        return VS_READY;
    }
    switch (vs_http_job_start(job)) {
    case VS_JOB_PENDING:
        c->phase = VS_HTTP_BUSY;
        c->job = job;
        c->jobs++;
        return VS_WAIT;
    case VS_JOB_FULL: job->resp.status = 503; break;
    case VS_JOB_DONE: break;
    }
    finish(c, job);
    return VS_READY;
}

/* HTTP/2 was agreed on by ALPN, or, on plain text, the first bytes of all are those of its preface
 * (RFC 9113 3.4), as far as they have come. */
static bool may_be_http2(const vs_http_conn *c)
{
    if (c->used)
        return false;
    if (c->ssl)
        return vs_tls_is_http2(c->ssl);
    static const char preface[PREFACE + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    return memcmp(c->in.p, preface, c->in.n < PREFACE ? c->in.n : PREFACE) == 0;
}

outcome vs_http1_step(vs_http_conn *c)
{
    if (c->in.n == 0)
        return VS_MORE;
    if (!c->in_request) {
        c->in_request = true;
        vs_http_conn_give_time(c, limits_of(c)->request_ms);
    }
    bool fresh = c->phase == VS_HTTP_READ_HEAD;
    if (fresh && may_be_http2(c)) {
        if (!c->ssl && c->in.n < PREFACE)
            return VS_MORE;
        return vs_http2_start(c) ? VS_READY : VS_GONE;
    }
    int status = fresh ? step_head(c) : 0;
    if (status == 0)
        status = step_body(c);
    if (status > 0) {
        /* Of a body over the limit the head was good, though maybe parsed long ago. */
        bool known =
            status == 413 &&
            vs_http_head_parse(vs_span_head(vs_buf_span(&c->in), c->head_n), &c->loop->head) == 0;
        refuse_at(c, status, known ? c->loop->head.path : (vs_span){0});
        return VS_READY;
    }
    if (status == 0) {
        /* The head was parsed before the buffer moved, or for another connection: again. */
        if (!fresh &&
            vs_http_head_parse(vs_span_head(vs_buf_span(&c->in), c->head_n), &c->loop->head) != 0)
            return VS_GONE;
        c->used = true;
        return handle(c);
    }
    if (c->phase == VS_HTTP_READ_BODY && c->expects && c->in.n == c->head_n) {
        c->expects = false;
        vs_buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        return VS_READY;
    }
    return VS_MORE;
}
