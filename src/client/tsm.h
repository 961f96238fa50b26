/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One report from a TSM device: configfs-tsm or a directory that looks like it (cca.md 7.1), or the
 * same over a Unix socket (tsm_socket.h).
 */
#ifndef VS_CLIENT_TSM_H
#define VS_CLIENT_TSM_H

#include "base/buf.h"

/* The provider's text as read, with its line feed: "arm_cca_guest\n". VS_E_NOT_FOUND: there is no
 * device, or no provider behind it. `provider` should have a small cap. */
VS_MUST vs_code tsm_dir_provider(const char *path, vs_buf *provider, vs_error *err);
VS_MUST vs_code tsm_sock_provider(const char *path, vs_buf *provider, vs_error *err);

/* Makes an instance, writes `inblob` (64 bytes at most), reads the provider and the outblob, checks
 * that nobody else wrote, and removes the instance whatever happens. */
VS_MUST vs_code tsm_dir_report(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                               vs_error *err);
VS_MUST vs_code tsm_sock_report(const char *path, vs_span inblob, vs_buf *provider, vs_buf *outblob,
                                vs_error *err);

#endif
