/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both sides of net/grpc.h as a program, so that other implementations of gRPC can talk to it.
 *
 *   grpc_peer serve [-c CERT -k KEY] [-a CLIENT-CA] [-w WORKERS]    prints "ready PORT"; ends with
 *                                                                   its standard input
 *   grpc_peer call [-c CERT -k KEY] [-a CA] [-t MS] URL PATH TEXT   prints the status and the reply
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/grpc.h"

static void echo(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_buf_put(&reply->body, call->request);
}

static void refuse(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    vs_grpc_fail(call, reply, VS_GRPC_ABORTED, "100%% n\xc3\xa4mlich:\n%.*s",
                 VS_FMT(call->request));
}

/* Until the caller has had enough, at most ten seconds. */
static void sleep_long(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    for (int i = 0; i < 2000 && !vs_grpc_cancelled(call); i++) {
        struct timespec t = {.tv_nsec = 5000000};
        (void)nanosleep(&t, NULL);
    }
    vs_grpc_fail(call, reply, VS_GRPC_UNAVAILABLE, "slept");
}

static void who(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    (void)user;
    const vs_tls_peer *p = call->http->client;
    vs_buf_put(&reply->body, p ? p->subject : VS_LIT("nobody"));
    for (size_t i = 0; p && i < p->n_sans; i++)
        vs_buf_printf(&reply->body, " %.*s", VS_FMT(p->sans[i]));
}

static void hello(void *user, const vs_http_request *req, vs_http_response *resp)
{
    (void)user;
    resp->content_type = "text/plain";
    vs_buf_printf(&resp->body, "%.*s %zu\n", VS_FMT(req->path), req->body.n);
}

static const vs_grpc_method methods[] = {{"/test.Peer/Echo", echo, NULL},
                                         {"/test.Peer/Refuse", refuse, NULL},
                                         {"/test.Peer/Sleep", sleep_long, NULL},
                                         {"/test.Peer/Who", who, NULL}};

typedef struct options {
    const char *cert, *key, *ca;
    unsigned workers, ms;
} options;

static int fail(const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    (void)fprintf(stderr, "grpc_peer: %s\n", vs_error_text(err, text, sizeof text));
    return 1;
}

static int serve(const options *o)
{
    static const char *const sockets[] = {"127.0.0.1:0"};
    vs_grpc_services services = {.methods = methods, .n_methods = VS_COUNT(methods)};
    vs_http_config cfg = {.sockets = sockets,
                          .n_sockets = 1,
                          .threads = 1,
                          .certificate = o->cert,
                          .private_key = o->key,
                          .client_ca = o->ca,
                          .workers = o->workers,
                          .handler = hello,
                          .grpc = &services};
    vs_http_server *s = NULL;
    vs_error err = {0};
    char c;
    if (vs_grpc_health_new(&services.health, &err) != VS_OK ||
        vs_grpc_health_set(services.health, "test.Peer", VS_GRPC_SERVING, &err) != VS_OK ||
        vs_http_server_start(&cfg, &s, &err) != VS_OK)
        return fail(&err);
    printf("ready %u\n", vs_http_server_port(s, 0));
    (void)fflush(stdout);
    while (read(0, &c, 1) > 0) {
    }
    vs_http_server_stop(&s, 2000);
    vs_grpc_health_free(&services.health);
    return 0;
}

static int call(const options *o, const char *url, const char *path, const char *text)
{
    vs_grpc_client_config cfg = {.url = url,
                                 .ca_file = o->ca,
                                 .certificate = o->cert,
                                 .private_key = o->key,
                                 .call_ms = o->ms};
    vs_grpc_client *c = NULL;
    vs_error err = {0};
    vs_grpc_status status;
    VS_CLEANUP(vs_buf_free) vs_buf reply = VS_BUF(8 << 20);
    if (vs_grpc_client_new(&cfg, &c, &err) != VS_OK)
        return fail(&err);
    vs_code code = vs_grpc_client_call(c, path, vs_str(text), &reply, &status, &err);
    vs_grpc_client_free(&c);
    printf("%s %.*s\n", vs_grpc_status_name(status), VS_FMT(vs_buf_span(&reply)));
    return code == VS_OK ? 0 : fail(&err);
}

int main(int argc, char **argv)
{
    options o = {0};
    int c;
    while ((c = getopt(argc, argv, "c:k:a:w:t:")) != -1) {
        if (c == 'c')
            o.cert = optarg;
        else if (c == 'k')
            o.key = optarg;
        else if (c == 'a')
            o.ca = optarg;
        else if (c == 'w')
            o.workers = (unsigned)atoi(optarg);
        else if (c == 't')
            o.ms = (unsigned)atoi(optarg);
    }
    argv += optind;
    argc -= optind;
    if (argc == 1 && strcmp(argv[0], "serve") == 0)
        return serve(&o);
    if (argc == 4 && strcmp(argv[0], "call") == 0)
        return call(&o, argv[1], argv[2], argv[3]);
    (void)fprintf(stderr, "usage: grpc_peer [OPTIONS] serve | call URL PATH TEXT\n");
    return 2;
}
