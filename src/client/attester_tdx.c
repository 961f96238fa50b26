/* SPDX-License-Identifier: Apache-2.0 */
/* Intel TDX: the quote, the event logs beside it, and the registers RTMR 0 to 3 (tees.md 2.1,
 * guest.md 1.7). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "base/wait.h"
#include "client/attester_tee.h"
#include "tee/dcap/quote.h"
#include "tee/eventlog/eventlog.h"

enum {
    RTMR_SIZE = 48,
    CCEL_MAX = 256 * 1024, /* the firmware's; 64 KiB are usual */
    AAEL_MAX = 256 * 1024,
    LOCK_S = 30, /* an event takes the log for a moment */
    LOCK_PAUSE_MS = 20,
};

/* ---- event logs ------------------------------------------------------------------------------ */

/* What a log starts with where the firmware has none: EV_NO_ACTION of 37 bytes, which announces
 * SHA-384 and SM3. */
static const uint8_t log_head[69] = {
    [4] = 3, [28] = 37, [56] = 2, [60] = 0x0c, [62] = 48, [64] = 0x12, [66] = 32, [68] = 0};

/* The firmware's log; its parts are views into `table`. *there = false: none. */
static vs_code read_firmware_log(const char *path, vs_arena *arena, vs_buf *table, eventlog *log,
                                 bool *there, vs_error *err)
{
    static const uint8_t blank[8] = {0};
    *there = access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
    if (!*there)
        return VS_OK;
    VS_TRY(vs_read_file(path, table, err));
    if (vs_span_starts(vs_span_of(blank, sizeof blank), vs_span_head(vs_buf_span(table), 8))) {
        *there = false; /* there is a table, and nothing in it */
        return VS_OK;
    }
    VS_TRY_WRAP(eventlog_parse(arena, vs_buf_span(table), log, err), err, "%s", path);
    return VS_OK;
}

/* The firmware's log without what follows its end mark. None: nothing is appended. */
static vs_code put_firmware_log(const char *path, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf table = VS_BUF(CCEL_MAX);
    VS_CLEANUP(vs_arena_free) vs_arena arena;
    vs_arena_init(&arena, 0);
    eventlog log;
    bool there;
    VS_TRY(read_firmware_log(path, &arena, &table, &log, &there, err));
    if (there)
        vs_buf_put(out, vs_span_head(vs_buf_span(&table), log.size));
    return vs_buf_check(out, err);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* The log of measurements at run time, locked until *fd is closed, so that nothing is extended
 * meanwhile. *fd stays -1 where there is none. */
static vs_code lock_log(const char *path, int *fd, vs_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return VS_OK;
    if (*fd < 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot open %s", path);
    int64_t until = vs_mono_ns() + (int64_t)LOCK_S * 1000000000;
    while (flock(*fd, LOCK_SH | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return vs_fail_errno(err, VS_E_IO, errno, "cannot lock %s", path);
        if (vs_mono_ns() >= until || !vs_wait_pause(LOCK_PAUSE_MS))
            return vs_fail(err, VS_E_TIMEOUT, "%s is locked by another program", path);
    }
    return VS_OK;
}

/* Both logs as one; `out` stays empty where there is neither. */
static vs_code put_logs(const attester *a, int runtime, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf added = VS_BUF(AAEL_MAX);
    VS_TRY(put_firmware_log(a->ccel_path, out, err));
    if (runtime >= 0)
        VS_TRY_WRAP(vs_read_fd(runtime, &added, err), err, "%s", a->aael_path);
    if (!out->n && added.n)
        vs_buf_put(out, vs_span_of(log_head, sizeof log_head));
    vs_buf_put(out, vs_buf_span(&added));
    if (out->n)
        vs_buf_puts(out, "\377\377\377\377\377\377\377\377");
    return vs_buf_check(out, err);
}

/* ---- evidence -------------------------------------------------------------------------------- */

static vs_code evidence(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf quote = VS_BUF(VS_TSM_OUTBLOB_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf logs = VS_BUF(CCEL_MAX + AAEL_MAX + 128);
    VS_CLEANUP(close_fd) int runtime = -1;
    VS_TRY(lock_log(a->aael_path, &runtime, err));
    VS_TRY(attester_report(a, report_data, &quote, NULL, err));
    VS_TRY_WRAP(put_logs(a, runtime, &logs, err), err, "event log");
    vs_buf_puts(json, "{\"quote\":\"");
    vs_b64_encode(json, VS_B64_STD, vs_buf_span(&quote));
    vs_buf_puts(json, logs.n ? "\",\"cc_eventlog\":\"" : "\",\"cc_eventlog\":null}");
    if (logs.n) {
        vs_b64_encode(json, VS_B64_STD, vs_buf_span(&logs));
        vs_buf_puts(json, "\"}");
    }
    return vs_buf_check(json, err);
}

static vs_code check_init_data(const attester *a, vs_span digest, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(VS_TSM_OUTBLOB_MAX);
    uint8_t challenge[TSM_REPORT_DATA];
    dcap_quote quote;
    VS_TRY(attester_fresh_report(a, challenge, &bytes, err));
    VS_TRY(dcap_quote_parse(vs_buf_span(&bytes), &quote, err));
    return attester_match_init_data(a, quote.body.mr_config_id, "MRCONFIGID", digest,
                                    quote.body.report_data, challenge, err);
}

/* ---- registers ------------------------------------------------------------------------------- */

/* As Trustee's event logs have it: 1 to 4 are RTMR 0 to 3. */
static uint32_t index_of(uint64_t pcr)
{
    return pcr == 1 || pcr == 7 ? 1 : pcr >= 2 && pcr <= 6 ? 2 : pcr >= 8 && pcr <= 15 ? 3 : 4;
}

static vs_code open_register(const attester *a, uint32_t index, int flags, int *fd, vs_error *err)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/rtmr%u:sha384", a->rtmr_path, index - 1) >=
        sizeof path)
        return vs_fail(err, VS_E_LIMIT, "path is too long: %s", a->rtmr_path);
    *fd = open(path, flags | O_CLOEXEC);
    return *fd >= 0 ? VS_OK : vs_fail_errno(err, VS_E_IO, errno, "cannot open %s", path);
}

static vs_code read_register(void *user, uint32_t index, uint8_t *value, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = -1;
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(RTMR_SIZE);
    VS_TRY(open_register(user, index, O_RDONLY, &fd, err));
    VS_TRY_WRAP(vs_read_fd(fd, &bytes, err), err, "RTMR%u", index - 1);
    if (bytes.n != RTMR_SIZE)
        return vs_fail(err, VS_E_IO, "RTMR%u has %zu bytes instead of %d", index - 1, bytes.n,
                       RTMR_SIZE);
    memcpy(value, bytes.p, RTMR_SIZE);
    return VS_OK;
}

/* The kernel extends with each write: it must be one. */
static vs_code extend_register(void *user, uint32_t index, const uint8_t *digest, vs_error *err)
{
    VS_CLEANUP(close_fd) int fd = -1;
    VS_TRY(open_register(user, index, O_WRONLY, &fd, err));
    ssize_t put = write(fd, digest, RTMR_SIZE);
    if (put != RTMR_SIZE)
        return vs_fail_errno(err, VS_E_IO, put < 0 ? errno : EIO, "cannot extend RTMR%u",
                             index - 1);
    return VS_OK;
}

/* What the firmware measured, of which there is a log. */
static vs_code start_of_register(void *user, uint32_t index, uint8_t *value, vs_error *err)
{
    const attester *a = user;
    VS_CLEANUP(vs_buf_free) vs_buf table = VS_BUF(CCEL_MAX);
    VS_CLEANUP(vs_arena_free) vs_arena arena;
    vs_arena_init(&arena, 0);
    eventlog log;
    uint8_t replayed[VS_HASH_MAX] = {0};
    bool there;
    VS_TRY(read_firmware_log(a->ccel_path, &arena, &table, &log, &there, err));
    if (there)
        VS_TRY(eventlog_replay(&log, VS_SHA384, index, replayed, err));
    memcpy(value, replayed, RTMR_SIZE);
    return VS_OK;
}

static vs_code registers(attester *a, attester_registers *out, vs_error *err)
{
    if (access(a->rtmr_path, X_OK) != 0)
        return vs_fail_errno(err, VS_E_UNSUPPORTED, errno,
                             "RTMRs are extended through %s, which Linux has since 6.16",
                             a->rtmr_path);
    *out = (attester_registers){.hash = VS_SHA384,
                                .path = a->aael_path,
                                .index = index_of,
                                .read = read_register,
                                .extend = extend_register,
                                .start = start_of_register,
                                .user = a};
    return VS_OK;
}

const tee_attester tee_attester_tdx = {.name = "tdx",
                                       .provider = "tdx_guest\n",
                                       .sign = "/dev/tdx_guest",
                                       .evidence = evidence,
                                       .check_init_data = check_init_data,
                                       .registers = registers};
