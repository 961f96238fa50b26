/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arm64 Linux Image: its header (Documentation/arch/arm64/booting.rst), and the gzip form of it
 * that QEMU unpacks.
 */
#ifndef VS_TEE_CCA_MEASURE_KERNEL_H
#define VS_TEE_CCA_MEASURE_KERNEL_H

#include "tee/cca/measure/image.h"

enum { CCA_KERNEL_HEADER = 64 };

typedef struct cca_kernel {
    uint64_t text_offset; /* from the load address */
    uint64_t image_size;  /* in memory, BSS included */
} cca_kernel;

/* From the first bytes of the file. Without the magic: VS_E_INVALID, which says what it may be. */
VS_MUST vs_code cca_kernel_header(vs_span head, cca_kernel *out, vs_error *err);

/* The same from what is to be loaded. */
VS_MUST vs_code cca_kernel_read(const cca_source *s, cca_kernel *out, vs_error *err);

bool cca_is_gzip(vs_span head);
/* Appends what one gzip member (RFC 1952) holds; its checksum is verified, and nothing may follow
 * it. More than the cap of `out`: VS_E_LIMIT. */
VS_MUST vs_code cca_gunzip(vs_span in, vs_buf *out, vs_error *err);

#endif
