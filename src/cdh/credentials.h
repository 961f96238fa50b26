/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are written to files at the start (guest.md 3.2): keys of registries and clouds, for
 * programs that read files. In memory only: the directory is on a tmpfs. */
#ifndef VS_CDH_CREDENTIALS_H
#define VS_CDH_CREDENTIALS_H

#include "cdh/config.h"
#include "cdh/source.h"

#define CDH_CREDENTIALS_DIR "/run/confidential-containers/cdh/kbs"

/* That a path is below `dir` and has no segment "." or "..", before anything is fetched. */
VS_MUST vs_code cdh_credential_check(const char *dir, const cdh_credential *c, vs_error *err);
/* Fetches and writes one, with directories of mode 0700 and a file of mode 0600. A link on the way
 * is refused: what is secret would land somewhere else. */
VS_MUST vs_code cdh_credential_place(const char *dir, const cdh_credential *c, cdh_source *source,
                                     vs_error *err);

#endif
