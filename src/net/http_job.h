/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way through a handler, whether the loop runs the handler itself or a worker
 * does. A job is taken, filled, started and given back by its loop's thread; only vs_http_job_run
 * happens elsewhere.
 */
#ifndef VS_NET_HTTP_JOB_H
#define VS_NET_HTTP_JOB_H

#include <stdatomic.h>

#include "net/grpc.h"
#include "net/http_parse.h"
#include "net/task_pool.h"

enum { VS_HTTP_RESPONSE_MAX = 32 * 1024 * 1024 };

typedef struct vs_http_loop vs_http_loop;
typedef struct vs_http_job vs_http_job;

struct vs_http_job {
    vs_task task;
    vs_http_job *next; /* in the loop's list of free or of finished ones */
    vs_http_loop *loop;
    void *owner;                    /* the connection or stream that asked */
    void (*done)(vs_http_job *job); /* on the loop, after a worker has run it */
    vs_http_head head;
    vs_http_request req;
    vs_http_response resp;
    vs_arena arena;
    char peer[VS_IP_TEXT];        /* when it is not the connection's */
    const vs_grpc_method *method; /* NULL: not gRPC */
    vs_grpc_reply reply;
    int64_t deadline;      /* of the caller, vs_mono_ns; 0 = none */
    atomic_bool cancelled; /* nobody waits for the answer any more */
};

typedef enum vs_http_started { VS_JOB_DONE, VS_JOB_PENDING, VS_JOB_FULL } vs_http_started;

/* NULL when out of memory. The response is empty with status 200. */
vs_http_job *vs_http_job_take(vs_http_loop *loop);
/* DONE: it was run here and now. PENDING: job->done will be called. FULL: no worker, not run. */
vs_http_started vs_http_job_start(vs_http_job *job);
/* Wipes what is left of it; the memory is kept for the next one. */
void vs_http_job_give(vs_http_job *job);
/* Calls `done` of all that workers have finished. */
void vs_http_jobs_collect(vs_http_loop *loop);
void vs_http_jobs_free(vs_http_loop *loop);

#endif
