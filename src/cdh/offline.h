/* SPDX-License-Identifier: Apache-2.0 */
/* The files of offline_fs_kbc (guest.md 3.4): secrets for tests, in clear. Read once. */
#ifndef VS_CDH_OFFLINE_H
#define VS_CDH_OFFLINE_H

#include "cdh/source.h"
#include "value/value.h"

typedef struct cdh_offline {
    vs_arena arena; /* wiped when freed */
    vs_val maps[CDH_FILES_MAX];
    size_t n;
} cdh_offline;

/* Missing files are skipped; one that is no map of text to base64 is an error that names it. */
VS_MUST vs_code cdh_offline_load(const char *const *paths, size_t n, cdh_offline *out,
                                 vs_error *err);
/* Also of one that is all zeros. */
void cdh_offline_free(cdh_offline *o);
/* VS_E_NOT_FOUND; UNSUPPORTED: another plugin than "resource". */
VS_MUST vs_code cdh_offline_get(const cdh_offline *o, const cdh_uri *uri, vs_buf *out,
                                vs_error *err);

#endif
