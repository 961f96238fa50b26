/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted block devices, opened with keys of the guest's source of secrets and mounted
 * (guest.md 3.7, docs/guest.md). The disk belongs to the host: its header is read once and checked
 * (luks2_header.h), and what is mapped is what was checked. Linux, as root. Thread safe.
 */
#ifndef VS_CDH_SECURE_MOUNT_H
#define VS_CDH_SECURE_MOUNT_H

#include "cdh/mount_options.h"
#include "cdh/sealed.h"

/* On failure nothing is left behind: no mount, no mapping, no link, so that the same may be asked
 * for again. But a mapping that somebody else has opened meanwhile goes only when it is closed, and
 * the error and the log say so. TIMEOUT: the caller left before the volume was there, which is a
 * failure like the others; the program that makes the file system is killed then. Takes seconds
 * when the header asks for many iterations. Errors as cdh_mount_plan_of and luks2_header_parse;
 * CRYPTO: the key is not that of the volume; MISMATCH: the header has another digest than the
 * expected one. */
VS_MUST vs_code cdh_secure_mount(const cdh_sealed_options *secrets, const cdh_mount_request *r,
                                 vs_error *err);

#endif
