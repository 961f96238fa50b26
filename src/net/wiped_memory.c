/* SPDX-License-Identifier: Apache-2.0 */
#include "net/wiped_memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/span.h"

void vs_wiped_free(void *p)
{
    if (p)
        vs_wipe(p, malloc_usable_size(p));
    free(p);
}

/* Not realloc, which may leave a copy behind. */
void *vs_wiped_realloc(void *p, size_t n)
{
    if (p && malloc_usable_size(p) >= n)
        return p;
    void *fresh = malloc(n);
    if (fresh && p) {
        memcpy(fresh, p, malloc_usable_size(p));
        vs_wiped_free(p);
    }
    return fresh;
}
