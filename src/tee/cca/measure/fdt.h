/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flattened devicetrees (Devicetree Specification 0.4, chapter 5), version 17: a writer, and a
 * reader for blobs of others.
 */
#ifndef VS_TEE_CCA_MEASURE_FDT_H
#define VS_TEE_CCA_MEASURE_FDT_H

#include "base/buf.h"

/* ---- writing ----------------------------------------------------------------------------------
 *
 * The layout is the one of the blobs that are measured: header, an empty memory reservation block,
 * structure, strings, and nothing between or behind them. A property's name is in the strings once,
 * in the order of first use. Failures are sticky and show at the end.
 */

enum { FDT_MAX = 1024 * 1024 };

typedef struct fdt_writer {
    vs_buf structure, strings;
} fdt_writer;

#define FDT_WRITER                                                                                 \
    {                                                                                              \
        .structure = VS_BUF(FDT_MAX), .strings = VS_BUF(FDT_MAX)                                   \
    }

void fdt_free(fdt_writer *w);
void fdt_begin(fdt_writer *w, const char *name);                 /* the root's is "" */
void fdt_begin_at(fdt_writer *w, const char *name, uint64_t at); /* name@hex */
void fdt_end(fdt_writer *w);
void fdt_bytes(fdt_writer *w, const char *name, vs_span value);
void fdt_flag(fdt_writer *w, const char *name); /* a property without a value */
void fdt_text(fdt_writer *w, const char *name, const char *value);
/* Texts one after the other, each with its NUL: VS_LIT("a\0b\0"). */
void fdt_texts(fdt_writer *w, const char *name, vs_span values);
void fdt_cells(fdt_writer *w, const char *name, const uint32_t *cells, size_t n);
void fdt_pairs(fdt_writer *w, const char *name, const uint64_t *values,
               size_t n); /* 64 bits each */
/* Appends the blob to `out`. */
VS_MUST vs_code fdt_finish(fdt_writer *w, vs_buf *out, vs_error *err);

#define FDT_CELLS(w, name, ...)                                                                    \
    fdt_cells((w), (name), (const uint32_t[]){__VA_ARGS__},                                        \
              sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define FDT_PAIRS(w, name, ...)                                                                    \
    fdt_pairs((w), (name), (const uint64_t[]){__VA_ARGS__},                                        \
              sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* ---- reading ----------------------------------------------------------------------------------
 */

/* Header, bounds and the whole structure block: tokens, names, properties, nesting up to 32. Behind
 * totalsize there may be zeros only. VS_E_PARSE says what is wrong at which offset. */
VS_MUST vs_code fdt_check(vs_span blob, vs_error *err);
/* A property of a direct child of the root, of a blob that passed fdt_check; the child's unit
 * address does not count ("memory" finds memory@40000000). False when there is none. */
bool fdt_find(vs_span blob, const char *node, const char *property, vs_span *value);

#endif
