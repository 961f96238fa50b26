/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "envelope/jose.h"
#include "kbs/audit_line.h"
#include "value/json.h"

struct audit_log {
    int fd;
    char *path;
    const vs_key *key;
    unsigned every, since; /* events between checkpoints, and since the last one */
    bool open_end;         /* lines behind the last checkpoint */
    audit_chain chain;
    off_t size;  /* of the file up to the last whole line */
    bool broken; /* it could not be brought back to a whole line */
};

/* ---- writing ----------------------------------------------------------------------------------
 */

/* A line that was written in part would hide all that follow: the file is cut back. */
static vs_code write_line(audit_log *log, vs_span line, vs_error *err)
{
    if (log->broken)
        return vs_fail(err, VS_E_IO, "the audit log %s ends in a torn line", log->path);
    vs_code code = vs_write_fd(log->fd, line, err);
    if (code == VS_OK) {
        log->size += (off_t)line.n;
        return VS_OK;
    }
    log->broken = ftruncate(log->fd, log->size) != 0;
    (void)vs_wrap(err, "audit log %s", log->path);
    return code;
}

static vs_code append(audit_log *log, vs_span event, int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf line = VS_BUF(AUDIT_LINE_MAX);
    audit_chain next;
    VS_TRY(audit_line_write(&log->chain, now, event, &line, &next, err));
    VS_TRY(write_line(log, vs_buf_span(&line), err));
    log->chain = next;
    log->open_end = true;
    return VS_OK;
}

static vs_code checkpoint(audit_log *log, int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf payload = VS_BUF(512), event = VS_BUF(4096);
    audit_checkpoint_payload(&log->chain, now, &payload);
    vs_buf_puts(&event, "{\"what\":\"checkpoint\",\"jws\":\"");
    VS_TRY(vs_jws_sign(&event, log->key, VS_ES256, VS_LIT("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"),
                       vs_buf_span(&payload), err));
    vs_buf_puts(&event, "\"}");
    VS_TRY(vs_buf_check(&event, err));
    VS_TRY(append(log, vs_buf_span(&event), now, err));
    log->since = 0;
    log->open_end = false;
    return VS_OK;
}

vs_code audit_append(audit_log *log, vs_val event, int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(AUDIT_LINE_MAX);
    vs_json_print(&text, event);
    VS_TRY(vs_buf_check(&text, err));
    VS_TRY(append(log, vs_buf_span(&text), now, err));
    return ++log->since >= log->every ? checkpoint(log, now, err) : VS_OK;
}

vs_code audit_sync(audit_log *log, vs_error *err)
{
    if (fdatasync(log->fd) == 0)
        return VS_OK;
    return vs_fail_errno(err, VS_E_IO, errno, "audit log %s", log->path);
}

/* ---- opening ------------------------------------------------------------------------------------
 */

static vs_code lock(audit_log *log, vs_error *err)
{
    log->fd = open(log->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "audit log %s", log->path);
    if (flock(log->fd, LOCK_EX | LOCK_NB) != 0)
        return vs_fail(err, VS_E_EXISTS, "audit log %s is being written by another process",
                       log->path);
    struct stat st;
    if (fstat(log->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return vs_fail(err, VS_E_INVALID, "audit log %s is not a regular file", log->path);
    log->size = st.st_size;
    return VS_OK;
}

/* The end of the file, as much as the longest line needs. */
static vs_code read_tail(const audit_log *log, vs_buf *tail, vs_error *err)
{
    off_t from = log->size > AUDIT_LINE_MAX + 1 ? log->size - AUDIT_LINE_MAX - 1 : 0;
    size_t want = (size_t)(log->size - from);
    uint8_t *at = vs_buf_reserve(tail, want);
    VS_TRY(vs_buf_check(tail, err));
    for (size_t done = 0; done < want;) {
        ssize_t n = pread(log->fd, at + done, want - done, from + (off_t)done);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            return vs_fail_errno(err, VS_E_IO, errno, "audit log %s", log->path);
        done += n > 0 ? (size_t)n : 0;
    }
    return VS_OK;
}

/* Finds where the chain ends; *dropped bytes of a torn line behind it are cut off. */
static vs_code continue_chain(audit_log *log, size_t *dropped, vs_error *err)
{
    *dropped = 0;
    VS_CLEANUP(vs_buf_free) vs_buf tail = VS_BUF(AUDIT_LINE_MAX + 2);
    VS_TRY(read_tail(log, &tail, err));
    size_t end = tail.n;
    while (end > 0 && tail.p[end - 1] != '\n')
        end--;
    *dropped = tail.n - end;
    if (end == 0 && log->size > (off_t)tail.n)
        return vs_fail(err, VS_E_PARSE, "audit log %s does not end in lines of a log", log->path);
    if (*dropped > 0) {
        log->size -= (off_t)*dropped;
        if (ftruncate(log->fd, log->size) != 0)
            return vs_fail_errno(err, VS_E_IO, errno, "audit log %s", log->path);
    }
    if (end == 0)
        return VS_OK;
    size_t start = end - 1;
    while (start > 0 && tail.p[start - 1] != '\n')
        start--;
    vs_arena a;
    vs_arena_init(&a, 0);
    audit_line line;
    vs_code code = audit_line_read(vs_span_of(tail.p + start, end - 1 - start), &a, &line, err);
    if (code == VS_OK)
        code = audit_chain_after(&line, &log->chain, err);
    vs_arena_free(&a);
    if (code != VS_OK)
        (void)vs_wrap(err, "the last line of audit log %s", log->path);
    return code;
}

static vs_code say_start(audit_log *log, size_t dropped, int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf event = VS_BUF(4096);
    vs_buf_puts(&event, "{\"what\":\"start\",\"version\":\"" VS_VERSION "\",\"key\":");
    VS_TRY(vs_key_write_jwk(&event, log->key, "ES256", err));
    if (dropped)
        vs_buf_printf(&event, ",\"dropped\":%zu", dropped);
    vs_buf_puts(&event, "}");
    VS_TRY(vs_buf_check(&event, err));
    VS_TRY(append(log, vs_buf_span(&event), now, err));
    return audit_sync(log, err);
}

static vs_code start(audit_log *log, int64_t now, vs_error *err)
{
    size_t dropped;
    VS_TRY(lock(log, err));
    VS_TRY(continue_chain(log, &dropped, err));
    return say_start(log, dropped, now, err);
}

static void release(audit_log *log)
{
    if (log->fd >= 0)
        (void)close(log->fd);
    free(log->path);
    free(log);
}

vs_code audit_open(const char *path, const vs_key *key, unsigned every, int64_t now,
                   audit_log **out, vs_error *err)
{
    *out = NULL;
    audit_log *log = calloc(1, sizeof *log);
    if (!log || !(log->path = strdup(path))) {
        free(log);
        return vs_fail(err, VS_E_NOMEM, "out of memory for the audit log");
    }
    log->fd = -1;
    log->key = key;
    log->every = every ? every : 1;
    audit_chain_begin(&log->chain);
    vs_code code = start(log, now, err);
    if (code != VS_OK) {
        release(log);
        return code;
    }
    *out = log;
    return VS_OK;
}

vs_code audit_reopen(audit_log *log, int64_t now, vs_error *err)
{
    audit_log next = {.fd = -1, .path = log->path, .key = log->key, .every = log->every};
    next.chain = log->chain;
    VS_TRY(checkpoint(log, now, err));
    next.chain = log->chain;
    VS_TRY(audit_sync(log, err));
    vs_code code = lock(&next, err);
    if (code == VS_OK && next.size != 0) /* the same file, or one that is not ours to continue */
        code = vs_fail(err, VS_E_EXISTS, "audit log %s was not moved away", log->path);
    if (code == VS_OK)
        code = say_start(&next, 0, now, err);
    if (code != VS_OK) {
        if (next.fd >= 0)
            (void)close(next.fd);
        return code;
    }
    (void)close(log->fd);
    *log = next;
    return VS_OK;
}

void audit_close(audit_log **log, int64_t now)
{
    if (!log || !*log)
        return;
    if ((*log)->open_end && checkpoint(*log, now, NULL) == VS_OK)
        (void)fdatasync((*log)->fd);
    release(*log);
    *log = NULL;
}
