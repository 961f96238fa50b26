/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/trace.h"

/* All but the level is set once at start and read by all threads afterwards. */
static struct {
    _Atomic vs_log_level level;
    bool json, priority;
    int fd;
} cfg = {VS_LOG_INFO, false, false, 2};

enum { LINE_MAX_BYTES = 16 * 1024 };

/* JOURNAL_STREAM is "device:inode" of the journal's socket (systemd.exec(5)). */
static bool is_journal(int fd)
{
    const char *text = getenv("JOURNAL_STREAM");
    struct stat st;
    if (!text || fstat(fd, &st) != 0)
        return false;
    char own[64];
    (void)snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    return strcmp(text, own) == 0;
}

void vs_log_setup(vs_log_level level, bool json, int fd)
{
    cfg.level = level;
    cfg.json = json;
    cfg.fd = fd;
    cfg.priority = is_journal(fd);
}

void vs_log_set_level(vs_log_level level)
{
    cfg.level = level;
}

bool vs_log_on(vs_log_level level)
{
    return level <= cfg.level;
}

static bool level_named(vs_span name, vs_log_level *level)
{
    static const struct {
        const char *name;
        vs_log_level level;
    } names[] = {{"off", VS_LOG_ERROR}, {"error", VS_LOG_ERROR}, {"warn", VS_LOG_WARN},
                 {"info", VS_LOG_INFO}, {"debug", VS_LOG_DEBUG}, {"trace", VS_LOG_DEBUG}};
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        if (vs_span_ieq(name, vs_str(names[i].name))) {
            *level = names[i].level;
            return true;
        }
    }
    return false;
}

bool vs_log_level_of(const char *text, vs_log_level *level)
{
    vs_log_level one, plain = VS_LOG_ERROR, most = VS_LOG_ERROR;
    bool has_plain = false, has_any = false;
    vs_span filter, rest = vs_span_cut(vs_str(text), '/', &filter, NULL);
    while (rest.n) {
        bool targeted;
        vs_span value, item = vs_span_trim(vs_span_cut(rest, ',', &rest, NULL));
        vs_span target = vs_span_cut(item, '=', &value, &targeted);
        if (!level_named(vs_span_trim(targeted ? value : target), &one))
            continue;
        if (!targeted)
            plain = one;
        has_plain |= !targeted;
        has_any = true;
        most = one > most ? one : most;
    }
    if (has_any)
        *level = has_plain ? plain : most;
    return has_any;
}

/* JSON string content; also used for quoted text values. */
static void put_escaped(vs_buf *b, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            vs_buf_putc(b, '\\');
        if (c < 0x20 || c == 0x7f)
            vs_buf_printf(b, "\\u%04x", c);
        else
            vs_buf_putc(b, (char)c);
    }
}

static void put_quoted(vs_buf *b, const char *s)
{
    vs_buf_putc(b, '"');
    put_escaped(b, s);
    vs_buf_putc(b, '"');
}

static bool is_plain(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == '"' || *s == '\\' || *s == '=' ||
            (unsigned char)*s >= 0x7f)
            return false;
    return true;
}

static void put_field(vs_buf *b, const char *name, const char *value)
{
    if (cfg.json) {
        vs_buf_printf(b, ",\"%s\":", name);
        put_quoted(b, value);
    } else {
        vs_buf_printf(b, " %s=", name);
        if (is_plain(value))
            vs_buf_puts(b, value);
        else
            put_quoted(b, value);
    }
}

/* What the lines of one request have in common: "<trace id>-<our id>". */
static void put_request(vs_buf *b)
{
    enum { TRACE_AT = 3, N = 49 };
    const char *trace = vs_traceparent();
    char id[N + 1];
    if (!trace)
        return;
    memcpy(id, trace + TRACE_AT, N);
    id[N] = 0;
    put_field(b, "request", id);
}

static void put_head(vs_buf *b, vs_log_level level, const char *module, const char *msg)
{
    static const char *const upper[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    static const char *const lower[] = {"error", "warn", "info", "debug"};
    char t[VS_TIME_TEXT];
    static const char *const priority[] = {"<3>", "<4>", "<6>", "<7>"}; /* syslog's */
    const char *now = vs_time_rfc3339(vs_now_s(), t);
    if (cfg.priority)
        vs_buf_puts(b, priority[level]);
    if (!cfg.json) {
        vs_buf_printf(b, "%s %s %s: ", now, upper[level], module);
        put_escaped(b, msg);
        return;
    }
    vs_buf_printf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"module\":\"%s\",\"msg\":", now,
                  lower[level], module);
    put_quoted(b, msg);
}

void vs_log(vs_log_level level, const char *module, const char *msg, ...)
{
    if (!vs_log_on(level))
        return;
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(LINE_MAX_BYTES);
    put_head(&b, level, module, msg);
    va_list ap;
    va_start(ap, msg);
    for (const char *name; (name = va_arg(ap, const char *)) != NULL;) {
        const char *value = va_arg(ap, const char *);
        if (value)
            put_field(&b, name, value);
    }
    va_end(ap);
    put_request(&b);
    vs_buf_puts(&b, cfg.json ? "}\n" : "\n");
    if (!vs_buf_ok(&b)) { /* over-long: keep the event, drop the fields */
        vs_buf_clear(&b);
        put_head(&b, level, module, msg);
        put_request(&b);
        vs_buf_puts(&b, cfg.json ? ",\"cut\":true}\n" : " (cut)\n");
    }
    /* Nothing useful can be done when the log itself cannot be written. */
    ssize_t ignored = write(cfg.fd, b.p, b.n);
    (void)ignored;
}

void vs_log_error(vs_log_level level, const char *module, const char *msg, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    vs_log(level, module, msg, "error", vs_error_text(err, text, sizeof text), NULL);
}
