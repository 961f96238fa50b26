/* SPDX-License-Identifier: Apache-2.0 */
/* grpc.health.v1.Health/Check. Its two messages have one field each, so that they are read and
 * written here by hand and this floor needs no generated code. */
#include <pthread.h>
#include <stdlib.h>

#include "net/grpc_wire.h"

enum { TAG_SERVICE = 1 << 3 | 2, TAG_STATUS = 1 << 3 | 0 };

struct vs_grpc_health {
    pthread_mutex_t lock;
    size_t n;
    struct {
        const char *service;
        vs_grpc_serving status;
    } services[VS_GRPC_HEALTH_MAX];
};

vs_code vs_grpc_health_new(vs_grpc_health **out, vs_error *err)
{
    vs_grpc_health *h = calloc(1, sizeof *h);
    if (!h)
        return vs_fail(err, VS_E_NOMEM, "cannot make a health service");
    (void)pthread_mutex_init(&h->lock, NULL);
    h->services[h->n].service = "";
    h->services[h->n++].status = VS_GRPC_SERVING;
    *out = h;
    return VS_OK;
}

void vs_grpc_health_free(vs_grpc_health **h)
{
    if (*h)
        (void)pthread_mutex_destroy(&(*h)->lock);
    free(*h);
    *h = NULL;
}

/* h->n when there is none. */
static size_t find(const vs_grpc_health *h, vs_span service)
{
    size_t i = 0;
    while (i < h->n && !vs_span_is(service, h->services[i].service))
        i++;
    return i;
}

vs_code vs_grpc_health_set(vs_grpc_health *h, const char *service, vs_grpc_serving status,
                           vs_error *err)
{
    (void)pthread_mutex_lock(&h->lock);
    size_t i = find(h, vs_str(service));
    bool fits = i < VS_GRPC_HEALTH_MAX;
    if (fits) {
        h->services[i].service = service;
        h->services[i].status = status;
        h->n += i == h->n;
    }
    (void)pthread_mutex_unlock(&h->lock);
    return fits ? VS_OK : vs_fail(err, VS_E_LIMIT, "more than %d services", VS_GRPC_HEALTH_MAX);
}

/* A base 128 number of at most ten bytes. */
static bool take_number(vs_span *in, uint64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < 10 && i < in->n; i++) {
        *out |= (uint64_t)(in->p[i] & 0x7f) << (7 * i);
        if (!(in->p[i] & 0x80)) {
            *in = vs_span_from(*in, i + 1);
            return true;
        }
    }
    return false;
}

static bool skip(vs_span *in, size_t n)
{
    bool there = n <= in->n;
    *in = vs_span_from(*in, n);
    return there;
}

/* HealthCheckRequest: 1 = service; unknown fields are passed over, the last one of a kind counts.
 */
static bool read_request(vs_span in, vs_span *service)
{
    *service = VS_LIT("");
    while (in.n) {
        uint64_t tag, n;
        if (!take_number(&in, &tag) || tag >> 3 == 0)
            return false;
        bool ok;
        switch (tag & 7) {
        case 0: ok = take_number(&in, &n); break;
        case 1: ok = skip(&in, 8); break;
        case 5: ok = skip(&in, 4); break;
        case 2:
            if (!take_number(&in, &n) || n > in.n)
                return false;
            if (tag == TAG_SERVICE)
                *service = vs_span_head(in, (size_t)n);
            ok = skip(&in, (size_t)n);
            break;
        default: ok = false;
        }
        if (!ok)
            return false;
    }
    return true;
}

void vs_grpc_health_check(void *user, const vs_grpc_call *call, vs_grpc_reply *reply)
{
    vs_grpc_health *h = user;
    vs_span service;
    if (!read_request(call->request, &service)) {
        vs_grpc_fail(call, reply, VS_GRPC_INTERNAL, "not a HealthCheckRequest");
        return;
    }
    (void)pthread_mutex_lock(&h->lock);
    size_t i = find(h, service);
    bool known = i < h->n;
    vs_grpc_serving status = known ? h->services[i].status : VS_GRPC_SERVING_UNKNOWN;
    (void)pthread_mutex_unlock(&h->lock);
    if (!known) {
        vs_grpc_fail(call, reply, VS_GRPC_NOT_FOUND, "unknown service");
        return;
    }
    if (status != VS_GRPC_SERVING_UNKNOWN) { /* the default value is not written */
        vs_buf_putc(&reply->body, TAG_STATUS);
        vs_buf_putc(&reply->body, (char)status);
    }
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static bool does_not_tell(vs_grpc_status s)
{
    return s == VS_GRPC_UNIMPLEMENTED || s == VS_GRPC_NOT_FOUND || s == VS_GRPC_UNAUTHENTICATED ||
           s == VS_GRPC_PERMISSION_DENIED || s == VS_GRPC_UNKNOWN;
}

vs_code vs_grpc_client_health(vs_grpc_client *c, const char *service, vs_grpc_serving *out,
                              vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf request = VS_BUF(256), reply = VS_BUF(64 * 1024);
    vs_grpc_status status = VS_GRPC_UNKNOWN;
    size_t n = strlen(service);
    *out = VS_GRPC_SERVING_UNKNOWN;
    if (n > 127)
        return vs_fail(err, VS_E_LIMIT, "the service's name has more than 127 bytes");
    if (n > 0)
        vs_buf_printf(&request, "%c%c%s", TAG_SERVICE, (int)n, service);
    VS_TRY(vs_buf_check(&request, err));
    vs_code code = vs_grpc_client_call(c, "/grpc.health.v1.Health/Check", vs_buf_span(&request),
                                       &reply, &status, err);
    if (code != VS_OK)
        return does_not_tell(status) ? VS_OK : code;
    if (reply.n >= 2 && reply.p[0] == TAG_STATUS && reply.p[1] <= VS_GRPC_NOT_SERVING)
        *out = (vs_grpc_serving)reply.p[1];
    return VS_OK;
}
