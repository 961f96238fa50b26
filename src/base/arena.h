/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bump allocator: a request owns one, its values live on it, nothing is freed piecemeal.
 *
 * When memory or the cap runs out, allocation returns NULL and the arena stays failed until it is
 * reset: builders on top of it may go on and check `vs_arena_ok` once at the end. Not thread safe;
 * one arena belongs to one thread at a time. Secrets do not live here (see buf.h).
 */
#ifndef VS_BASE_ARENA_H
#define VS_BASE_ARENA_H

#include "base/error.h"

typedef struct vs_arena_block vs_arena_block;
typedef struct vs_arena_kept vs_arena_kept;

typedef struct vs_arena {
    vs_arena_block *head;  /* the block being filled */
    vs_arena_block *spare; /* blocks kept by reset for the next round */
    uint8_t *at, *end;     /* free room in head */
    vs_arena_kept *kept;   /* what vs_arena_keep was given */
    size_t held;           /* bytes taken from malloc, spare blocks included */
    size_t cap;            /* held never exceeds this */
    size_t used_before;    /* bytes handed out from blocks that are full */
    size_t peak;           /* highest vs_arena_used seen at a reset */
    bool failed;
} vs_arena;

/* `cap` = most bytes ever taken from malloc (0 = 64 MiB). Allocates nothing yet; an arena with a
 * small cap takes it whole with the first allocation. */
void vs_arena_init(vs_arena *a, size_t cap);
/* Gives everything back to malloc. The arena may be used again. NULL-safe fields. */
void vs_arena_free(vs_arena *a);
/* As vs_arena_free, and wipes: for an arena of its own on which a text with secrets was parsed. */
void vs_arena_wipe(vs_arena *a);
/* Forgets all contents but keeps the memory, so that a warm round does not call malloc. */
void vs_arena_reset(vs_arena *a);

/* 16-byte aligned, uninitialised; NULL when out of room. n == 0 gives a valid pointer. */
void *vs_alloc(vs_arena *a, size_t n);
/* count * size with overflow check. */
void *vs_alloc_array(vs_arena *a, size_t count, size_t size);
void *vs_zalloc(vs_arena *a, size_t n);
/* A larger array with the first old_n items copied; the old one is left to the arena. */
void *vs_grow(vs_arena *a, void *old, size_t old_n, size_t new_n, size_t size);

/* A copy with a NUL behind it (not counted in n). On failure: empty span, arena failed. */
vs_span vs_dup(vs_arena *a, vs_span s);
/* One behind the other; NUL terminated; "" on failure, never NULL. */
const char *vs_concat(vs_arena *a, vs_span x, vs_span y, vs_span z);
/* printf into the arena; likewise. */
const char *vs_sprintf(vs_arena *a, const char *fmt, ...) VS_PRINTF(2, 3);

/* For what values on the arena point to and others share: `drop(p)` is called when the arena is
 * reset or freed, or at once, and the arena has failed, when out of room. */
void vs_arena_keep(vs_arena *a, void (*drop)(void *p), void *p);

static inline bool vs_arena_ok(const vs_arena *a)
{
    return !a->failed;
}

/* VS_OK, or VS_E_NOMEM with a sentence. */
VS_MUST vs_code vs_arena_check(const vs_arena *a, vs_error *err);
/* Bytes handed out since the last reset. */
size_t vs_arena_used(const vs_arena *a);

#define VS_NEW(a, type) ((type *)vs_zalloc((a), sizeof(type)))

#endif
