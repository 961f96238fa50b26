/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation device of a software realm: what configfs-tsm does on a kernel with the Arm CCA
 * driver (cca.md 7.1), with the same errno values. Three fronts: this one in C, a FUSE directory,
 * a Unix socket (client/tsm_socket.h).
 */
#ifndef VS_REALM_DEVICE_H
#define VS_REALM_DEVICE_H

#include "realm/realm.h"

enum { TSM_INBLOB_MAX = 64, TSM_INBLOB_MIN = 32, TSM_OUTBLOB_MAX = 32 * 1024 };
/* What the kernel's driver reports. */
#define TSM_PROVIDER "arm_cca_guest\n"

/* One report instance (mkdir ... rmdir). Zero-initialise; not thread safe. */
typedef struct tsm_report {
    uint8_t inblob[TSM_INBLOB_MAX];
    size_t n;
    unsigned generation; /* writes so far */
    unsigned generated;  /* generation that outblob belongs to; 0 = none */
    vs_buf outblob;
} tsm_report;

void tsm_report_free(tsm_report *r);
/* A committed write of inblob. 0, or EFBIG, EINVAL (nothing written), EBUSY (generation wraps). */
VS_MUST int tsm_report_write(tsm_report *r, vs_span inblob);
/* Makes the report when inputs have changed. 0, EINVAL (no or too short inblob), ENXIO (provider).
 */
VS_MUST int tsm_report_read(tsm_report *r, realm_home *home, vs_span *outblob);

/* Serves until `stop_fd` becomes readable. The socket is removed at the end; a socket that nobody
 * listens on is replaced. `ready` is called once connections are accepted. */
VS_MUST vs_code realm_serve_socket(realm_home *home, const char *path, int stop_fd,
                                   void (*ready)(void *user), void *user, vs_error *err);
/* Serves a FUSE file system on the empty directory `dir` until SIGTERM, SIGINT or SIGHUP, and
 * unmounts it. VS_E_UNSUPPORTED: this build or this machine cannot. */
VS_MUST vs_code realm_serve_fuse(realm_home *home, const char *dir, void (*ready)(void *user),
                                 void *user, vs_error *err);

#endif
