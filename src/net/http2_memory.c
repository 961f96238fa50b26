/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http2_memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/span.h"

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
    if (p)
        vs_wipe(p, malloc_usable_size(p));
    free(p);
}

/* No realloc: it may leave a copy behind. */
static void *retake(void *p, size_t n, void *user)
{
    if (p && malloc_usable_size(p) >= n)
        return p;
    void *fresh = malloc(n);
    if (fresh && p) {
        memcpy(fresh, p, malloc_usable_size(p));
        give(p, user);
    }
    return fresh;
}

nghttp2_mem *vs_http2_memory(void)
{
    static nghttp2_mem memory = {NULL, take, give, take_zeroed, retake};
    return &memory;
}
