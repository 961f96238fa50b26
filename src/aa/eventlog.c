/* SPDX-License-Identifier: Apache-2.0 */
#include "aa/eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

#define JOURNAL_NAME ".wal_event_entry"

struct aa_eventlog {
    attester_registers regs;
    char path[PATH_MAX], journal[PATH_MAX];
};

enum {
    ENTRY_MAX = AAEL_HEAD + VS_HASH_MAX + AAEL_TEXT_MAX,
    JOURNAL_MAX = AAEL_TEXT_MAX + 256,
};

/* ---- files ----------------------------------------------------------------------------------- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* Opens the log, made if it is not there, and locks it until *fd is closed. */
static vs_code lock(const aa_eventlog *l, int *fd, vs_error *err)
{
    *fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open %s", l->path);
    while (flock(*fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot lock %s", l->path);
    return VS_OK;
}

static vs_code read_log(int fd, vs_buf *out, vs_error *err)
{
    if (lseek(fd, 0, SEEK_SET) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot read the log");
    return vs_read_fd(fd, out, err);
}

/* The log ends with this entry, at `at`, and is on the disk. */
static vs_code write_entry(int fd, uint64_t at, vs_span entry, vs_error *err)
{
    if (ftruncate(fd, (off_t)at) != 0 || lseek(fd, (off_t)at, SEEK_SET) != (off_t)at)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot set the end of the log");
    VS_TRY(vs_write_fd(fd, entry, err));
    return fdatasync(fd) == 0 ? VS_OK : vs_fail_errno(err, VS_E_IO, errno, "cannot sync the log");
}

static vs_code drop_journal(const aa_eventlog *l, vs_error *err)
{
    return unlink(l->journal) == 0
               ? VS_OK
               : vs_fail_errno(err, VS_E_IO, errno, "cannot remove %s", l->journal);
}

/* ---- completing ------------------------------------------------------------------------------ */

typedef enum register_is { BEFORE, AFTER } register_is;

/* Where the register stands with an event of this digest. */
static vs_code look_at_register(const aa_eventlog *l, const aael_journal *j, const uint8_t *digest,
                                register_is *out, vs_error *err)
{
    uint8_t now[VS_HASH_MAX], next[VS_HASH_MAX];
    size_t n = vs_hash_size(l->regs.hash);
    VS_TRY(l->regs.read(l->regs.user, j->index, now, err));
    VS_TRY(vs_digest(l->regs.hash, vs_span_of(now, n), vs_span_of(digest, n), (vs_span){0}, next,
                     err));
    if (vs_span_eq(j->expected, vs_span_of(now, n)))
        *out = AFTER;
    else if (vs_span_eq(j->expected, vs_span_of(next, n)))
        *out = BEFORE;
    else
        return vs_fail(err, VS_E_CONFLICT,
                       "register %u was extended by something else while \"%.*s\" was measured: "
                       "log and register cannot be brought together until the guest is started "
                       "anew",
                       j->index, VS_FMT(vs_span_head(j->text, 100)));
    return VS_OK;
}

/* The register is extended by the event, once. */
static vs_code extend(const aa_eventlog *l, const aael_journal *j, const uint8_t *digest,
                      vs_error *err)
{
    register_is state;
    VS_TRY(look_at_register(l, j, digest, &state, err));
    if (state == AFTER)
        return VS_OK;
    vs_code code = l->regs.extend(l->regs.user, j->index, digest, err);
    /* An error does not tell whether it was. */
    VS_TRY(look_at_register(l, j, digest, &state, code == VS_OK ? err : NULL));
    if (state == AFTER)
        return VS_OK;
    if (code == VS_OK)
        code = vs_fail(err, VS_E_IO, "register %u did not take its extension", j->index);
    return code;
}

/* That the log is as the journal left it: up to where the entry belongs, and perhaps the entry, or
 * the front of it, behind. */
static vs_code check_log(int fd, const aael_journal *j, vs_hash hash, vs_span entry, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(AAEL_LOG_MAX);
    size_t whole;
    VS_TRY(read_log(fd, &log, err));
    vs_span front = vs_span_head(vs_buf_span(&log), (size_t)j->at);
    VS_TRY(aael_check(front, hash, &whole, err));
    if (whole != j->at || !vs_span_starts(entry, vs_span_from(vs_buf_span(&log), (size_t)j->at)))
        return vs_fail(err, VS_E_INVALID, "the log was changed by something else");
    return VS_OK;
}

/* Does what the journal says, whatever of it is done already. With the lock. *undone: it
 * failed, and the register is not extended. */
static vs_code complete(const aa_eventlog *l, int fd, const aael_journal *j, bool *undone,
                        vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf entry = VS_BUF(ENTRY_MAX);
    uint8_t digest[VS_HASH_MAX];
    register_is state;
    VS_TRY(aael_put_entry(&entry, l->regs.hash, j->index, j->text, digest, err));
    vs_code code = check_log(fd, j, l->regs.hash, vs_buf_span(&entry), err);
    if (code == VS_OK)
        code = extend(l, j, digest, err);
    if (code != VS_OK) {
        *undone = look_at_register(l, j, digest, &state, NULL) == VS_OK && state == BEFORE;
        return code;
    }
    VS_TRY(write_entry(fd, j->at, vs_buf_span(&entry), err));
    return drop_journal(l, err);
}

/* With the lock. */
static vs_code recover(const aa_eventlog *l, int fd, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(JOURNAL_MAX);
    aael_journal j;
    bool undone;
    vs_error why = {0};
    vs_code code = vs_read_file(l->journal, &bytes, &why);
    if (code == VS_E_NOT_FOUND)
        return VS_OK;
    if (code == VS_OK)
        code = aael_read_journal(vs_buf_span(&bytes), l->regs.hash, &j, &why);
    if (code == VS_OK)
        code = complete(l, fd, &j, &undone, &why);
    if (code == VS_OK) {
        vs_log(VS_LOG_WARN, "aa", "a measurement that was begun is completed", NULL);
        return VS_OK;
    }
    (void)vs_wrap(&why, "completing the measurement in %s", l->journal);
    if (err)
        *err = why;
    return code;
}

/* Cuts a torn entry. There is none after a kill, since the journal tells what belongs there: this
 * is for logs that a machine's crash left behind. With the lock. */
static vs_code mend(const aa_eventlog *l, int fd, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(AAEL_LOG_MAX);
    size_t whole;
    VS_TRY(read_log(fd, &log, err));
    VS_TRY(aael_check(vs_buf_span(&log), l->regs.hash, &whole, err));
    if (whole == log.n)
        return VS_OK;
    vs_log(VS_LOG_WARN, "aa", "the end of the event log is torn and was cut", "path", l->path,
           NULL);
    if (ftruncate(fd, (off_t)whole) != 0 || fdatasync(fd) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot cut the torn end");
    return VS_OK;
}

/* ---- an older log ---------------------------------------------------------------------------- */

typedef enum log_is { CURRENT, OLDER } log_is;

/* What one register says of the log. *known: it has events in it, and its start is known. */
static vs_code ask_register(const aa_eventlog *l, vs_span log, uint32_t index, bool *known,
                            log_is *out, vs_error *err)
{
    uint8_t start[VS_HASH_MAX], value[VS_HASH_MAX] = {0}, now[VS_HASH_MAX];
    size_t events, n = vs_hash_size(l->regs.hash);
    *known = false;
    VS_TRY(aael_replay(log, l->regs.hash, index, value, &events, err));
    if (!events)
        return VS_OK;
    vs_code code = l->regs.start(l->regs.user, index, start, err);
    if (code == VS_E_UNSUPPORTED)
        return VS_OK;
    VS_TRY(code);
    memcpy(value, start, n);
    VS_TRY(aael_replay(log, l->regs.hash, index, value, &events, err));
    VS_TRY(l->regs.read(l->regs.user, index, now, err));
    *known = true;
    *out = memcmp(now, start, n) == 0 ? OLDER : CURRENT;
    if (*out == CURRENT && memcmp(now, value, n) != 0)
        return vs_fail(
            err, VS_E_CONFLICT,
            "register %u does not hold what the log says: something else extended it, or "
            "the log is not of this start of the guest; log and register cannot be "
            "brought together until the guest is started anew without %s",
            index, l->path);
    return VS_OK;
}

/* Registers only go forward: when all of them are as before the log, it is of an earlier start. */
static vs_code judge_log(const aa_eventlog *l, vs_span log, log_is *out, vs_error *err)
{
    unsigned current = 0, older = 0;
    *out = CURRENT;
    for (uint32_t i = 0; l->regs.start && i < AAEL_REGISTERS; i++) {
        bool known;
        log_is is;
        VS_TRY(ask_register(l, log, i, &known, &is, err));
        current += known && is == CURRENT;
        older += known && is == OLDER;
    }
    if (current && older)
        return vs_fail(err, VS_E_CONFLICT,
                       "some registers were reset since the log %s was begun, others were not",
                       l->path);
    *out = older ? OLDER : CURRENT;
    return VS_OK;
}

/* A journal beside an older log is as old, and goes first: without it a kill in between is the same
 * again. With the lock. */
static vs_code put_away(const aa_eventlog *l, int fd, vs_span log, vs_error *err)
{
    char old[PATH_MAX + 8];
    (void)snprintf(old, sizeof old, "%s.old", l->path);
    VS_TRY(vs_write_file(old, log, 0600, err));
    if (unlink(l->journal) != 0 && errno != ENOENT)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot remove %s", l->journal);
    if (ftruncate(fd, 0) != 0 || fdatasync(fd) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot empty the log");
    vs_log(VS_LOG_WARN, "aa", "the event log is of an earlier start of the guest", "moved to", old,
           NULL);
    return VS_OK;
}

static vs_code read_whole(const aa_eventlog *l, int fd, vs_buf *log, vs_error *err)
{
    size_t whole;
    VS_TRY(read_log(fd, log, err));
    VS_TRY(aael_check(vs_buf_span(log), l->regs.hash, &whole, err));
    vs_buf_truncate(log, whole);
    return VS_OK;
}

/* Before the journal is completed: an older one must not be. With the lock. */
static vs_code drop_older(const aa_eventlog *l, int fd, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(AAEL_LOG_MAX);
    log_is is;
    VS_TRY(read_whole(l, fd, &log, err));
    /* What does not fit yet, a journal may explain. */
    if (judge_log(l, vs_buf_span(&log), &is, NULL) != VS_OK || is == CURRENT)
        return VS_OK;
    return put_away(l, fd, vs_buf_span(&log), err);
}

/* With the lock. */
static vs_code check_registers(const aa_eventlog *l, int fd, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(AAEL_LOG_MAX);
    log_is is;
    VS_TRY(read_whole(l, fd, &log, err));
    return judge_log(l, vs_buf_span(&log), &is, err);
}

/* ---- interface ------------------------------------------------------------------------------- */

static vs_code set_paths(aa_eventlog *l, const char *path, vs_error *err)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX];
    int n = slash && slash != path ? (int)(slash - path) : 0;
    bool fits = (size_t)snprintf(l->path, sizeof l->path, "%s", path) < sizeof l->path &&
                (size_t)snprintf(l->journal, sizeof l->journal, "%.*s%s",
                                 slash ? (int)(slash - path) + 1 : 0, path,
                                 JOURNAL_NAME) < sizeof l->journal &&
                (size_t)snprintf(dir, sizeof dir, "%.*s", n, path) < sizeof dir;
    if (!fits)
        return vs_fail(err, VS_E_LIMIT, "path is too long: %s", path);
    return n ? vs_make_dirs(dir, 0755, err) : VS_OK;
}

static vs_code prepare(const aa_eventlog *l, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = -1;
    VS_TRY(lock(l, &fd, err));
    VS_TRY_WRAP(drop_older(l, fd, err), err, "%s", l->path);
    VS_TRY(recover(l, fd, err));
    VS_TRY_WRAP(mend(l, fd, err), err, "%s", l->path);
    return check_registers(l, fd, err);
}

vs_code aa_eventlog_open(const attester_registers *regs, aa_eventlog **out, vs_error *err)
{
    aa_eventlog *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    l->regs = *regs;
    vs_code code = set_paths(l, regs->path, err);
    if (code == VS_OK)
        code = prepare(l, err);
    if (code != VS_OK)
        aa_eventlog_close(&l);
    *out = l;
    return code;
}

void aa_eventlog_close(aa_eventlog **log)
{
    free(*log);
    *log = NULL;
}

/* The journal of a new event; *expected holds the register's value. With the lock. */
static vs_code begin(const aa_eventlog *l, int fd, uint32_t index, vs_span text,
                     uint8_t expected[VS_HASH_MAX], aael_journal *j, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf entry = VS_BUF(ENTRY_MAX), bytes = VS_BUF(JOURNAL_MAX);
    uint8_t now[VS_HASH_MAX], digest[VS_HASH_MAX];
    size_t n = vs_hash_size(l->regs.hash);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot look at %s", l->path);
    VS_TRY(aael_put_entry(&entry, l->regs.hash, index, text, digest, err));
    if ((uint64_t)st.st_size + entry.n > AAEL_LOG_MAX)
        return vs_fail(
            err, VS_E_LIMIT,
            "the event log is full: %lld bytes, at most %d; it goes out with every quote",
            (long long)st.st_size, AAEL_LOG_MAX);
    VS_TRY(l->regs.read(l->regs.user, index, now, err));
    VS_TRY(vs_digest(l->regs.hash, vs_span_of(now, n), vs_span_of(digest, n), (vs_span){0},
                     expected, err));
    *j = (aael_journal){(uint64_t)st.st_size, index, vs_span_of(expected, n), text};
    VS_TRY(aael_put_journal(&bytes, l->regs.hash, j, err));
    return vs_write_file(l->journal, vs_buf_span(&bytes), 0600, err);
}

vs_code aa_eventlog_extend(aa_eventlog *l, uint64_t pcr, vs_span text, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = -1;
    uint8_t expected[VS_HASH_MAX];
    aael_journal j;
    bool undone = false;
    VS_TRY(lock(l, &fd, err));
    VS_TRY(recover(l, fd, err));
    VS_TRY(begin(l, fd, l->regs.index(pcr), text, expected, &j, err));
    vs_code code = complete(l, fd, &j, &undone, err);
    if (undone) /* the caller is told that it was not measured, so it must not be later */
        (void)drop_journal(l, NULL);
    return code;
}
