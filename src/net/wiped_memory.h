/* SPDX-License-Identifier: Apache-2.0 */
/* malloc's family for libraries through which secrets go: what is given back is wiped first. */
#ifndef VS_NET_WIPED_MEMORY_H
#define VS_NET_WIPED_MEMORY_H

#include <stddef.h>

void vs_wiped_free(void *p);
void *vs_wiped_realloc(void *p, size_t n);

#endif
