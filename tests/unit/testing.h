/* SPDX-License-Identifier: Apache-2.0 */
/* What every cmocka program here needs. Include this first. */
#ifndef VS_TESTING_H
#define VS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/io.h"

/* Fails with the whole error chain when `expr` does not give VS_OK. `err` is the vs_error used. */
#define assert_vs_ok(expr, err)                                                                    \
    do {                                                                                           \
        vs_code code_ = (expr);                                                                    \
        if (code_ != VS_OK) {                                                                      \
            char text_[VS_ERROR_TEXT];                                                             \
            fail_msg("%s: %s (%s)", #expr, vs_error_text((err), text_, sizeof text_),              \
                     vs_code_name(code_));                                                         \
        }                                                                                          \
    } while (0)
#define assert_vs_code(expr, want)                                                                 \
    do {                                                                                           \
        vs_code code_ = (expr);                                                                    \
        if (code_ != (want))                                                                       \
            fail_msg("%s: got %s, want %s", #expr, vs_code_name(code_), vs_code_name(want));       \
    } while (0)
#define assert_span_is(span, cstr)                                                                 \
    do {                                                                                           \
        vs_span s_ = (span);                                                                       \
        if (!vs_span_is(s_, (cstr)))                                                               \
            fail_msg("got \"%.*s\", want \"%s\"", VS_FMT(s_), (cstr));                             \
    } while (0)
#define assert_span_eq(a, b)                                                                       \
    do {                                                                                           \
        vs_span a_ = (a), b_ = (b);                                                                \
        assert_int_equal(a_.n, b_.n);                                                              \
        if (a_.n)                                                                                  \
            assert_memory_equal(a_.p, b_.p, a_.n);                                                 \
    } while (0)

/* Path below ../shared in a static buffer (valid until the next call). */
static inline const char *shared_path(const char *rel)
{
    static char path[4096];
    const char *dir = getenv("VS_SHARED_DIR");
    (void)snprintf(path, sizeof path, "%s/%s", dir ? dir : VS_SHARED_DIR, rel);
    return path;
}

/* Skips the running test, saying why, when ../shared is not there. */
static inline void need_shared(const char *rel)
{
    if (access(shared_path(rel), R_OK) != 0) {
        print_message("skipped: %s is not there\n", shared_path(rel));
        skip();
    }
}

/* Reads a file below ../shared (16 MiB at most); fails the test when it cannot. */
static inline void read_shared(const char *rel, vs_buf *out)
{
    vs_error err = {0};
    assert_vs_ok(vs_read_file(shared_path(rel), out, &err), &err);
}

#endif
