/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels for tests of what loads them. */
#ifndef VS_TEST_RIM_INPUTS_H
#define VS_TEST_RIM_INPUTS_H

#include "crypto/helpers.h"

#include "tee/cca/measure/image.h"

static inline void le64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* An Image of `size` bytes with this header. */
static inline vs_span image_of(size_t size, uint64_t text_offset, uint64_t image_size)
{
    uint8_t *p = vs_zalloc(&arena, size);
    for (size_t i = 0; i < size; i++)
        p[i] = (uint8_t)(i % 251);
    le64(p + 8, text_offset);
    le64(p + 16, image_size);
    memcpy(p + 56, "ARM\x64", 4);
    return vs_span_of(p, size);
}

static inline const cca_source *source_of(vs_span bytes)
{
    cca_source *s = vs_alloc(&arena, sizeof *s);
    *s = cca_source_of(bytes);
    return s;
}

#endif
