/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer sends on one connection of the server, as it arrives: a first byte with bit 0 set
 * stands for the preface of HTTP/2, then frames; without it the rest is HTTP/1.1 or whatever it
 * is. Requests reach a handler and gRPC services, which check what they are given. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/http_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS = 4096, BODY = 8192, MESSAGE = 4096 };

static void handle(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    if (req->path.n == 0 || req->body.n > BODY)
        abort();
    vs_buf_put(&resp->body, vs_http_header(req, "cookie"));
    vs_buf_put(&resp->body, req->body);
}

static void echo(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    if (call->request.n > MESSAGE)
        abort();
    vs_buf_put(&reply->body, call->request);
}

static const vs_grpc_method methods[] = {{"/s/m", echo, NULL}};
static vs_grpc_services services = {.methods = methods, .n_methods = 1, .message_bytes = MESSAGE};
static const vs_http_config cfg = {.limits = {.header_bytes = HEADERS,
                                              .body_bytes = BODY,
                                              .connections = 10,
                                              .request_ms = 60000,
                                              .idle_ms = 60000,
                                              .streams = 10},
                                   .handler = handle,
                                   .grpc = &services};

static vs_http_loop *make_loop(void)
{
    static vs_http_loop loop;
    static atomic_uint connections;
    static atomic_bool stopping;
    vs_error err;
    vs_log_setup(VS_LOG_ERROR, false, 2);
    if (vs_grpc_health_new(&services.health, &err) != VS_OK)
        abort();
    loop.cfg = &cfg;
    loop.base = event_base_new();
    loop.connections = &connections;
    loop.stopping = &stopping;
    loop.done_fd = -1;
    if (!loop.base || pthread_mutex_init(&loop.done_lock, NULL) != 0)
        abort();
    return &loop;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static vs_http_loop *loop;
    int fds[2];
    if (!loop)
        loop = make_loop();
    if (size == 0 || size > 65536 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return 0;
    bool two = data[0] & 1;
    if ((!two || send(fds[1], preface, sizeof preface - 1, 0) > 0) &&
        send(fds[1], data + 1, size - 1, MSG_NOSIGNAL) >= 0) {
        /* A small room for answers, so that writing stops and goes on. */
        vs_http_conn_open(loop, fds[0], (vs_ip){0}, "fuzz", NULL);
        uint8_t answer[16384];
        for (int i = 0; i < 20 && recv(fds[1], answer, sizeof answer, 0) > 0; i++)
            (void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
        vs_http_conn_tick(loop, INT64_MAX / 2); /* all deadlines */
    } else {
        (void)close(fds[0]);
    }
    vs_http_conn_close_all(loop);
    (void)close(fds[1]);
    return 0;
}
