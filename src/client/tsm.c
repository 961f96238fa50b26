/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tsm.h"

#include <errno.h>
#include <sys/stat.h>

#include "client/tsm_socket.h"

struct tsm_reach {
    vs_code (*provider)(const char *path, vs_buf *provider, vs_error *err);
    vs_code (*report)(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                      vs_buf *auxblob, vs_error *err);
};

static const tsm_reach by_directory = {tsm_dir_provider, tsm_dir_report};
static const tsm_reach by_socket = {tsm_sock_provider, tsm_sock_report};

vs_code tsm_open(const char *path, tsm *out, vs_buf *provider, vs_error *err)
{
    struct stat st;
    *out = (tsm){0};
    if (stat(path, &st) != 0)
        return vs_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? VS_E_NOT_FOUND : VS_E_IO,
                             errno, "%s", path);
    if (!S_ISDIR(st.st_mode) && !S_ISSOCK(st.st_mode))
        return vs_fail(err, VS_E_INVALID, "%s is neither a directory nor a socket", path);
    const tsm_reach *by = S_ISSOCK(st.st_mode) ? &by_socket : &by_directory;
    VS_TRY(by->provider(path, provider, err));
    *out = (tsm){by, path};
    return VS_OK;
}

vs_code tsm_get_report(const tsm *t, const char *provider, vs_span report_data, vs_buf *report,
                       vs_buf *aux, vs_error *err)
{
    uint8_t padded[TSM_REPORT_DATA] = {0};
    if (report_data.n > sizeof padded)
        return vs_fail(err, VS_E_INVALID, "challenge of %zu bytes: must be %zu bytes or less",
                       report_data.n, sizeof padded);
    if (report_data.n)
        memcpy(padded, report_data.p, report_data.n);
    VS_CLEANUP(vs_buf_free) vs_buf by = VS_BUF(VS_TSM_PROVIDER_MAX);
    VS_TRY(t->by->report(t->path, vs_span_of(padded, sizeof padded), &by, report, aux, err));
    if (!vs_span_is(vs_buf_span(&by), provider))
        return vs_fail(err, VS_E_UNSUPPORTED, "%s reports for \"%.*s\" now", t->path,
                       VS_FMT(vs_span_trim(vs_buf_span(&by))));
    if (report->n == 0)
        return vs_fail(err, VS_E_IO, "%s gave an empty report", t->path);
    return VS_OK;
}
