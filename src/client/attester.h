/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting evidence from the TEE this program runs in (cca.md 7, tees.md).
 *
 * CCA evidence comes from configfs-tsm: a directory (default /sys/kernel/config/tsm/report), or a
 * look-alike: another directory, or a Unix socket that serves the same (`vouchsafe realm`). The
 * path is overridable by the environment variable VOUCHSAFE_TSM_PATH.
 *
 * An attester is not changed after its detection: any number of threads may use it at once.
 */
#ifndef VS_CLIENT_ATTESTER_H
#define VS_CLIENT_ATTESTER_H

#include "base/buf.h"

typedef struct attester attester;

typedef struct attester_config {
    const char *tsm_path; /* NULL = environment, then the kernel's directory */
    bool allow_sample;    /* without a TEE use the "sample" attester, which proves nothing */
} attester_config;

/* Detects the TEE. VS_E_NOT_FOUND says what was looked for and how to allow the sample attester. */
VS_MUST vs_code attester_detect(const attester_config *cfg, attester **out, vs_error *err);
void attester_free(attester **a);
const char *attester_tee(const attester *a); /* "cca", "sample" */
/* Evidence JSON bound to `report_data` (at most 64 bytes), e.g. {"token":[217,1,143,...]}. */
VS_MUST vs_code attester_evidence(attester *a, vs_span report_data, vs_buf *json, vs_error *err);
/* That the TEE was started with init data of this digest. MISMATCH: with other, or none.
 * UNSUPPORTED: this TEE does not tell. CCA: the realm personalization value is the digest of 32, 48
 * or 64 bytes followed by zeros. */
VS_MUST vs_code attester_check_init_data(attester *a, vs_span digest, vs_error *err);

#endif
