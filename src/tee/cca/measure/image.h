/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A realm as its host builds it, and its RIM: the host's order of commands over the RMM's rules
 * (cca.md 8.4, 8.7).
 *
 * An image is a plain description that the caller fills; names and sources in it outlive it. The
 * contents are read in order, a little at a time, so that size costs no memory.
 */
#ifndef VS_TEE_CCA_MEASURE_IMAGE_H
#define VS_TEE_CCA_MEASURE_IMAGE_H

#include "tee/cca/measure/rim.h"

/* Bytes that are somewhere. `read` gives all `n` bytes from `at` on or fails; at + n <= size. */
typedef struct cca_source {
    uint64_t size;
    vs_code (*read)(const void *self, uint64_t at, uint8_t *to, size_t n, vs_error *err);
    const void *self;
} cca_source;

/* Over bytes in memory, which outlive it. */
cca_source cca_source_of(vs_span bytes);
/* H(all of it). */
VS_MUST vs_code cca_source_digest(vs_hash hash, const cca_source *s, uint8_t out[VS_HASH_MAX],
                                  vs_error *err);

enum { CCA_RANGES_MAX = 16, CCA_BLOBS_MAX = 32, CCA_RECS_MAX = 16 };
enum { CCA_UNMEASURED_MAX = 1 << 30 }; /* bytes of one range, each granule of which is a hash */

typedef struct cca_range {
    uint64_t base, size; /* multiples of 4096 */
} cca_range;

/* Loaded before the realm runs, and measured. It need not begin or end on a granule: the rest of
 * its first and last one is zero. */
typedef struct cca_blob {
    const char *name; /* "kernel" */
    uint64_t ipa;
    cca_source source;
} cca_blob;

typedef struct cca_image {
    cca_realm_params params;
    cca_range ram[CCA_RANGES_MAX]; /* RIPAS is set to RAM before anything is loaded */
    size_t n_ram;
    cca_range rom[CCA_RANGES_MAX]; /* may hold blobs, but RIPAS is left alone: QEMU's flash */
    size_t n_rom;
    cca_blob blobs[CCA_BLOBS_MAX];
    size_t n_blobs;
    cca_range unmeasured[CCA_RANGES_MAX]; /* loaded after the RECs, without contents: event log */
    size_t n_unmeasured;
    cca_rec recs[CCA_RECS_MAX]; /* in the order of their creation */
    size_t n_recs;
} cca_image;

/* Appends one; VS_E_LIMIT when there is no room. */
VS_MUST vs_code cca_image_add_blob(cca_image *m, const char *name, uint64_t ipa, cca_source source,
                                   vs_error *err);

/* One measured command, after it. */
typedef enum cca_step_kind {
    CCA_STEP_REALM_CREATE,
    CCA_STEP_INIT_RIPAS,
    CCA_STEP_DATA_CREATE,
    CCA_STEP_DATA_UNMEASURED,
    CCA_STEP_REC_CREATE,
} cca_step_kind;

typedef struct cca_step {
    cca_step_kind kind;
    uint64_t base, top; /* RIPAS, DATA */
    const char *name;   /* DATA: of what */
    const cca_rec *rec; /* REC */
    const cca_rim *rim; /* as it is now */
} cca_step;

/* "RMI_DATA_CREATE ipa=0x40000000 measured (kernel)" */
void cca_step_text(vs_buf *out, const cca_step *s);

typedef struct cca_trace {
    void (*step)(void *self, const cca_step *s);
    void *self;
} cca_trace;

/* Checks the image whole (places, overlaps, IPA width) before the first byte is read, then measures
 * it. `trace` may be NULL. *out is written on success only. */
VS_MUST vs_code cca_image_measure(const cca_image *m, const cca_trace *trace, cca_rim *out,
                                  vs_error *err);

#endif
