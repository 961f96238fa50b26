/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A realm described by a file, for hosts that no VMM layout fits (cca.md 8.7). TOML:
 *
 *   hash = "sha256"            # sha256, sha512, sha384
 *   rmm = "1.0"                # 1.0, 1.1, 2.0
 *   flags = 0                  # further bits of RmiRealmParams.flags0: 8 = DA, ...
 *
 *   [realm]                    # keys of a host file: what the realm is created with
 *   ipa_bits = 48
 *   num_bps = 2
 *   num_wps = 2
 *
 *   [[ram]]                    # RIPAS RAM
 *   base = 0x40000000
 *   size = 0x20000000
 *
 *   [[rom]]                    # may hold data, RIPAS untouched
 *
 *   [[data]]                   # measured
 *   address = 0x40000000
 *   file = "Image"             # relative to the description's folder
 *   kernel = true              # an arm64 Image: text_offset of its header is added
 *
 *   [[unmeasured]]             # base and size, after the RECs
 *
 *   [[rec]]                    # in the order of their creation
 *   pc = 0x40000000
 *   gprs = [0x41000000]        # x0, x1, ... up to eight
 *   runnable = true            # the default; others are not measured
 *
 * Numbers beyond 2^63 - 1 are written as text: "0xffffffff80000000".
 */
#ifndef VS_TEE_CCA_MEASURE_DESCRIBE_H
#define VS_TEE_CCA_MEASURE_DESCRIBE_H

#include "tee/cca/measure/image.h"

typedef struct cca_described_file {
    vs_span path;
    uint64_t address;
    bool kernel;
} cca_described_file;

typedef struct cca_description {
    cca_image image; /* without blobs */
    cca_described_file files[CCA_BLOBS_MAX];
    size_t n_files;
} cca_description;

/* Texts of `out` point into `toml` or live on `a`. An unknown key is VS_E_INVALID. */
VS_MUST vs_code cca_description_parse(vs_arena *a, vs_span toml, cca_description *out,
                                      vs_error *err);

/* Adds file `i`, opened by the caller, to the image; `name` is what messages call it. */
VS_MUST vs_code cca_description_add(cca_description *d, size_t i, const char *name,
                                    const cca_source *s, vs_error *err);

#endif
