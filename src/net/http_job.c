/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_job.h"

#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/trace.h"
#include "base/wait.h"
#include "net/grpc_wire.h"
#include "net/http_conn.h"

enum {
    KEEP_ARENA = 2 * 1024 * 1024, /* a job keeps its arena up to this size */
    KEEP_JOBS = 16,               /* a loop keeps so many */
};

static void run_http(vs_http_job *job)
{
    const vs_http_config *cfg = job->loop->cfg;
    vs_http_response *r = &job->resp;
    if (cfg->grpc && vs_grpc_find(cfg->grpc, job->req.path)) {
        r->status = 415; /* a method of gRPC that is not called as such */
        return;
    }
    if (!cfg->handler) {
        r->status = 404;
        return;
    }
    cfg->handler(cfg->user, &job->req, r);
    if (!vs_buf_ok(&r->body)) {
        vs_log(VS_LOG_ERROR, "http", "a response is too large, or out of memory", NULL);
        vs_buf_free(&r->body);
        *r = (vs_http_response){.status = 500, .body = VS_BUF(0)};
    }
}

/* The caller gets our id in its trace, also when the log is all that else has it. */
static void run(vs_http_job *job)
{
    if (job->loop->cfg->waiting)
        (void)vs_wait_set((vs_wait){.until = job->deadline, .gone = &job->cancelled});
    vs_trace_begin(vs_http_head_field(&job->head, "traceparent"));
    if (job->method) {
        vs_grpc_run(job->loop->cfg->grpc, job);
    } else {
        run_http(job);
        const char *id = vs_sprintf(&job->arena, "%s", vs_traceparent());
        if (id[0] && job->resp.n_headers < VS_COUNT(job->resp.headers))
            vs_http_add_header(&job->resp, "traceparent", id);
    }
    vs_trace_end();
    (void)vs_wait_set((vs_wait){0});
}

static void call(vs_task *t, bool may_run)
{
    vs_http_job *job = (vs_http_job *)((char *)t - offsetof(vs_http_job, task));
    vs_http_loop *loop = job->loop;
    if (may_run && !atomic_load(&job->cancelled))
        run(job);
    (void)pthread_mutex_lock(&loop->done_lock);
    job->next = loop->done;
    loop->done = job;
    bool first = !job->next;
    (void)pthread_mutex_unlock(&loop->done_lock);
    if (first)
        (void)eventfd_write(loop->done_fd, 1);
}

vs_http_job *vs_http_job_take(vs_http_loop *loop)
{
    vs_http_job *job = loop->free_jobs;
    if (job) {
        loop->free_jobs = job->next;
        loop->n_free_jobs--;
    } else {
        job = malloc(sizeof *job);
        if (!job)
            return NULL;
        vs_arena_init(&job->arena, 0);
        job->loop = loop;
    }
    job->task = (vs_task){.call = call};
    job->next = NULL;
    job->owner = NULL;
    job->done = NULL;
    job->method = NULL;
    job->deadline = 0;
    atomic_init(&job->cancelled, false);
    job->head.n_fields = 0;
    job->req = (vs_http_request){.arena = &job->arena, .impl = &job->head};
    job->resp = (vs_http_response){.status = 200, .body = VS_BUF(VS_HTTP_RESPONSE_MAX)};
    job->reply = (vs_grpc_reply){.status = VS_GRPC_OK, .body = VS_BUF(0)};
    return job;
}

vs_http_started vs_http_job_start(vs_http_job *job)
{
    if (job->loop->pool)
        return vs_task_pool_add(job->loop->pool, &job->task) ? VS_JOB_PENDING : VS_JOB_FULL;
    run(job);
    return VS_JOB_DONE;
}

static void free_job(vs_http_job *job)
{
    vs_arena_free(&job->arena);
    free(job);
}

void vs_http_job_give(vs_http_job *job)
{
    vs_http_loop *loop = job->loop;
    vs_buf_free(&job->resp.body);
    vs_buf_free(&job->reply.body);
    vs_arena_reset(&job->arena);
    if (job->arena.held > KEEP_ARENA)
        vs_arena_free(&job->arena);
    if (loop->n_free_jobs >= KEEP_JOBS) {
        free_job(job);
        return;
    }
    job->next = loop->free_jobs;
    loop->free_jobs = job;
    loop->n_free_jobs++;
}

/* The list is last in, first out; answers go out in the order in which they were ready. */
static vs_http_job *take_done(vs_http_loop *loop)
{
    (void)pthread_mutex_lock(&loop->done_lock);
    vs_http_job *job = loop->done, *ordered = NULL;
    loop->done = NULL;
    (void)pthread_mutex_unlock(&loop->done_lock);
    while (job) {
        vs_http_job *next = job->next;
        job->next = ordered;
        ordered = job;
        job = next;
    }
    return ordered;
}

void vs_http_jobs_collect(vs_http_loop *loop)
{
    for (vs_http_job *job = take_done(loop), *next; job; job = next) {
        next = job->next;
        job->done(job);
    }
}

void vs_http_jobs_free(vs_http_loop *loop)
{
    for (vs_http_job *job = loop->free_jobs, *next; job; job = next) {
        next = job->next;
        free_job(job);
    }
    loop->free_jobs = NULL;
}
