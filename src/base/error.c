/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static void VS_PRINTF(2, 0) push(vs_error *err, const char *fmt, va_list ap)
{
    /* A full chain keeps the root and its first causes: they name what was wrong. */
    if (err->depth >= VS_ERROR_DEPTH || err->used >= VS_ERROR_TEXT - 1)
        return;
    size_t room = (size_t)(VS_ERROR_TEXT - err->used);
    int n = vsnprintf(err->text + err->used, room, fmt, ap);
    if (n < 0)
        return;
    size_t len = (size_t)n < room ? (size_t)n : room - 1;
    /* Causes may quote hostile input: one line, no terminal escapes. */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)err->text[err->used + i];
        if (c < 0x20 || c == 0x7f)
            err->text[err->used + i] = '?';
    }
    err->at[err->depth++] = err->used;
    err->used = (uint16_t)(err->used + len + 1);
}

vs_code vs_fail(vs_error *err, vs_code code, const char *fmt, ...)
{
    if (err) {
        err->code = code;
        err->depth = 0;
        err->used = 0;
        va_list ap;
        va_start(ap, fmt);
        push(err, fmt, ap);
        va_end(ap);
    }
    return code;
}

vs_code vs_wrap(vs_error *err, const char *fmt, ...)
{
    if (!err)
        return VS_E_INTERNAL;
    va_list ap;
    va_start(ap, fmt);
    push(err, fmt, ap);
    va_end(ap);
    return err->code;
}

vs_code vs_fail_errno(vs_error *err, vs_code code, int eno, const char *fmt, ...)
{
    char sentence[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    char buf[128];
    /* The GNU strerror_r may return a static string instead of filling buf. */
    return vs_fail(err, code, "%s: %s", sentence, strerror_r(eno, buf, sizeof buf));
}

const char *vs_error_at(const vs_error *err, unsigned i)
{
    return i < err->depth ? err->text + err->at[err->depth - 1 - i] : NULL;
}

char *vs_error_text(const vs_error *err, char *out, size_t cap)
{
    if (cap == 0)
        return out;
    out[0] = 0;
    size_t used = 0;
    for (unsigned i = 0; i < err->depth && used < cap - 1; i++) {
        int n = snprintf(out + used, cap - used, "%s%s", i ? ": " : "", vs_error_at(err, i));
        if (n > 0)
            used += (size_t)n;
    }
    if (err->depth == 0)
        (void)snprintf(out, cap, "%s", vs_code_name(err->code));
    return out;
}

const char *vs_code_name(vs_code code)
{
    static const char *const name[] = {
        [VS_OK] = "ok",
        [VS_E_NOMEM] = "no-memory",
        [VS_E_PARSE] = "parse",
        [VS_E_INVALID] = "invalid",
        [VS_E_UNSUPPORTED] = "unsupported",
        [VS_E_LIMIT] = "limit",
        [VS_E_CRYPTO] = "crypto",
        [VS_E_EXPIRED] = "expired",
        [VS_E_UNTRUSTED] = "untrusted",
        [VS_E_MISMATCH] = "mismatch",
        [VS_E_DENIED] = "denied",
        [VS_E_NOT_FOUND] = "not-found",
        [VS_E_EXISTS] = "exists",
        [VS_E_CONFLICT] = "conflict",
        [VS_E_IO] = "io",
        [VS_E_TIMEOUT] = "timeout",
        [VS_E_BUSY] = "busy",
        [VS_E_INTERNAL] = "internal",
    };
    return (size_t)code < VS_COUNT(name) && name[code] ? name[code] : "unknown";
}
