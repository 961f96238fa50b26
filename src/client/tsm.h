/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of a TSM device: configfs-tsm or a directory that looks like it (cca.md 7.1), or the same
 * over a Unix socket (tsm_socket.h). Any number of threads: each report is an instance of its own.
 */
#ifndef VS_CLIENT_TSM_H
#define VS_CLIENT_TSM_H

#include "base/buf.h"

enum { TSM_REPORT_DATA = 64 };

typedef struct tsm_reach tsm_reach;
typedef struct tsm {
    const tsm_reach *by; /* a directory or a socket; NULL = none */
    const char *path;
} tsm;

/* Finds out what is at `path` (which must outlive *out) and who provides its reports: text with its
 * line feed, as "arm_cca_guest\n". `provider` should have a small cap. VS_E_NOT_FOUND: there is no
 * device, or no provider behind it. */
VS_MUST vs_code tsm_open(const char *path, tsm *out, vs_buf *provider, vs_error *err);
/* A report by `provider` for at most 64 bytes, padded with zeros. *aux (NULL = not wanted): what
 * comes beside it; often nothing. VS_E_UNSUPPORTED: another provider reports here now. */
VS_MUST vs_code tsm_get_report(const tsm *t, const char *provider, vs_span report_data,
                               vs_buf *report, vs_buf *aux, vs_error *err);

/* ---- the two ways ---------------------------------------------------------------------------- */

VS_MUST vs_code tsm_dir_provider(const char *path, vs_buf *provider, vs_error *err);
VS_MUST vs_code tsm_sock_provider(const char *path, vs_buf *provider, vs_error *err);

/* Makes an instance, writes `inblob` (64 bytes at most), reads the provider, the outblob and, where
 * wanted, the auxblob, checks that nobody else wrote, and removes the instance whatever happens. A
 * socket has no auxblob. */
VS_MUST vs_code tsm_dir_report(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                               vs_buf *auxblob, vs_error *err);
VS_MUST vs_code tsm_sock_report(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                                vs_buf *auxblob, vs_error *err);

#endif
