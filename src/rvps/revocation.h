/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists of those who certify signers (cca.md 6.4). Strict: with lists, each certificate
 * below the anchor must be one that a current list of its issuer does not name. The files are read
 * for each check, so that a list counts as soon as it is there; one that is missing or broken stops
 * every signature that a certificate vouches for.
 */
#ifndef VS_RVPS_REVOCATION_H
#define VS_RVPS_REVOCATION_H

#include "crypto/crypto.h"

enum { REVOCATION_LISTS_MAX = 64, REVOCATION_FILE_MAX = 4 << 20 };

/* That each file holds one list in DER, or PEM blocks of lists. */
VS_MUST vs_code revocation_readable(char *const *files, size_t n, vs_error *err);
/* `path`: a verified one, the signer first, the anchor last. VS_E_UNTRUSTED: revoked, or a
 * certificate is on nobody's list; VS_E_EXPIRED: its issuer's list is not current. */
VS_MUST vs_code revocation_check(char *const *files, size_t n, const vs_certs *path, int64_t now,
                                 vs_error *err);

#endif
