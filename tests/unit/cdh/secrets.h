/* SPDX-License-Identifier: Apache-2.0 */
/* A source of secrets that are written into a file for a test. */
#ifndef TEST_CDH_SECRETS_H
#define TEST_CDH_SECRETS_H

#include "testing.h"

#include "base/enc.h"
#include "cdh/source.h"

typedef struct secret {
    const char *path;
    vs_span bytes;
} secret;

static inline cdh_source *source_of(const secret *secrets, size_t n)
{
    char path[] = "/tmp/vs-cdh-XXXXXX";
    int fd = mkstemp(path);
    VS_CLEANUP(vs_buf_free) vs_buf json = VS_BUF(1 << 20);
    vs_buf_putc(&json, '{');
    for (size_t i = 0; i < n; i++) {
        vs_buf_printf(&json, "%s\"%s\":\"", i ? "," : "", secrets[i].path);
        vs_b64_encode(&json, VS_B64_STD, secrets[i].bytes);
        vs_buf_putc(&json, '"');
    }
    vs_buf_putc(&json, '}');
    vs_error err = {0};
    cdh_source *s = NULL;
    const char *const paths[] = {"/nonexistent/file", path};
    assert_vs_ok(vs_write_fd(fd, vs_buf_span(&json), &err), &err);
    assert_vs_ok(cdh_source_files(paths, 2, &s, &err), &err);
    (void)close(fd);
    (void)unlink(path);
    return s;
}

#endif
