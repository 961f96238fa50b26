/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http2_memory.h"

#include <stdlib.h>

#include "net/wiped_memory.h"

static void *take(size_t n, void *user)
{
    (void)user;
    return malloc(n);
}

static void *take_zeroed(size_t count, size_t n, void *user)
{
    (void)user;
    return calloc(count, n);
}

static void give(void *p, void *user)
{
    (void)user;
    vs_wiped_free(p);
}

static void *retake(void *p, size_t n, void *user)
{
    (void)user;
    return vs_wiped_realloc(p, n);
}

nghttp2_mem *vs_http2_memory(void)
{
    static nghttp2_mem memory = {NULL, take, give, take_zeroed, retake};
    return &memory;
}
