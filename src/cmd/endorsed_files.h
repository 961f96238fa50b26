/* SPDX-License-Identifier: Apache-2.0 */
/* Endorsements and trust anchors from files, for tools that judge as a verifier does. */
#ifndef VS_CMD_ENDORSED_FILES_H
#define VS_CMD_ENDORSED_FILES_H

#include "cmd/cli.h"
#include "rvps/anchors.h"
#include "rvps/extract.h"
#include "tee/tee.h"

/* What --trust names: rvps_anchors_add for each file. Free *out also after an error. */
VS_MUST vs_code anchors_of_files(const cli_list *files, rvps_anchors **out, vs_error *err);

typedef struct endorsed_files {
    vs_tee_endorsements lookup; /* points to this struct: do not copy it */
    rvps_records records;
} endorsed_files;

/* CoRIMs, as a reference value provider with these anchors would keep them now. With anchors each
 * must be signed under one of them; without, signatures say nothing (a warning tells). All lives
 * on `a`. */
VS_MUST vs_code endorsed_files_read(endorsed_files *out, vs_arena *a, const cli_list *corims,
                                    const rvps_anchors *anchors, vs_error *err);

#endif
