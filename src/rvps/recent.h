/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that were read a moment ago, as text, and names that had none: what an attestation asks
 * for the next one asks for as well. Each counts for one count of changes of the store
 * (vs_store_changes) alone. Bounded, thread safe.
 */
#ifndef VS_RVPS_RECENT_H
#define VS_RVPS_RECENT_H

#include "base/arena.h"

enum { RVPS_RECENT_ENTRIES = 256, RVPS_RECENT_TEXT = 4096 /* longer ones are not kept */ };

typedef struct rvps_recent rvps_recent;

/* NULL when out of memory. */
rvps_recent *rvps_recent_new(void);
void rvps_recent_free(rvps_recent **r);
/* False: it has to be read. True: a copy on the arena; p == NULL: there is no such record. */
bool rvps_recent_find(rvps_recent *r, uint64_t changes, vs_span key, vs_arena *a, vs_span *text);
/* What was read after `changes` was asked for; p == NULL: there is none. */
void rvps_recent_keep(rvps_recent *r, uint64_t changes, vs_span key, vs_span text);

#endif
