/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define VS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VS_ASAN 1
#endif
#endif
#ifdef VS_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
/* A gap between allocations lets the sanitizer see overruns inside a block. */
enum { REDZONE = 16 };
#else
#define POISON(p, n)   ((void)0)
#define UNPOISON(p, n) ((void)0)
enum { REDZONE = 0 };
#endif

enum { ALIGN = 16, BLOCK_MIN = 16 * 1024, BLOCK_MAX = 1024 * 1024 };

struct vs_arena_block {
    vs_arena_block *next;
    size_t size; /* usable bytes behind this header */
};

struct vs_arena_kept {
    vs_arena_kept *next;
    void (*drop)(void *p);
    void *p;
};

_Static_assert(sizeof(vs_arena_block) % ALIGN == 0, "block data must stay aligned");

static uint8_t *data_of(vs_arena_block *b)
{
    return (uint8_t *)(b + 1);
}

void vs_arena_init(vs_arena *a, size_t cap)
{
    *a = (vs_arena){.cap = cap ? cap : (size_t)64 << 20};
}

static void free_list(vs_arena_block *b)
{
    while (b) {
        vs_arena_block *next = b->next;
        UNPOISON(data_of(b), b->size);
        free(b);
        b = next;
    }
}

void vs_arena_keep(vs_arena *a, void (*drop)(void *p), void *p)
{
    vs_arena_kept *k = vs_alloc(a, sizeof *k);
    if (!k) {
        drop(p);
        return;
    }
    *k = (vs_arena_kept){a->kept, drop, p};
    a->kept = k;
}

static void drop_kept(vs_arena *a)
{
    while (a->kept) {
        vs_arena_kept k = *a->kept;
        a->kept = k.next;
        k.drop(k.p);
    }
}

void vs_arena_free(vs_arena *a)
{
    drop_kept(a);
    free_list(a->head);
    free_list(a->spare);
    size_t cap = a->cap, peak = a->peak;
    *a = (vs_arena){.cap = cap, .peak = peak};
}

static void wipe_list(vs_arena_block *b)
{
    for (; b; b = b->next) {
        UNPOISON(data_of(b), b->size);
        vs_wipe(data_of(b), b->size);
    }
}

void vs_arena_wipe(vs_arena *a)
{
    drop_kept(a);
    wipe_list(a->head);
    wipe_list(a->spare);
    vs_arena_free(a);
}

size_t vs_arena_used(const vs_arena *a)
{
    return a->used_before + (a->head ? (size_t)(a->at - (uint8_t *)(a->head + 1)) : 0);
}

void vs_arena_reset(vs_arena *a)
{
    size_t used = vs_arena_used(a);
    if (used > a->peak)
        a->peak = used;
    drop_kept(a);
    while (a->head) {
        vs_arena_block *b = a->head;
        a->head = b->next;
        POISON(data_of(b), b->size);
        b->next = a->spare;
        a->spare = b;
    }
    a->at = a->end = NULL;
    a->used_before = 0;
    a->failed = false;
}

static vs_arena_block *take_spare(vs_arena *a, size_t need)
{
    for (vs_arena_block **p = &a->spare; *p; p = &(*p)->next) {
        if ((*p)->size >= need) {
            vs_arena_block *b = *p;
            *p = b->next;
            return b;
        }
    }
    return NULL;
}

static vs_arena_block *new_block(vs_arena *a, size_t need)
{
    /* Doubling keeps the number of blocks logarithmic in the arena's size. */
    size_t least = a->cap < BLOCK_MIN ? a->cap : BLOCK_MIN;
    size_t size = a->held < least ? least : a->held < BLOCK_MAX ? a->held : BLOCK_MAX;
    if (size < need)
        size = need;
    if (a->held >= a->cap || size > a->cap - a->held) {
        size = need;
        if (a->held > a->cap || size > a->cap - a->held)
            return NULL;
    }
    vs_arena_block *b = malloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    a->held += size;
    return b;
}

void *vs_alloc(vs_arena *a, size_t n)
{
    if (a->failed || n > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    size_t need = (n + REDZONE + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (need == 0)
        need = ALIGN;
    if (need > (size_t)(a->end - a->at)) {
        vs_arena_block *b = take_spare(a, need);
        if (!b)
            b = new_block(a, need);
        if (!b) {
            a->failed = true;
            return NULL;
        }
        a->used_before = vs_arena_used(a);
        b->next = a->head;
        a->head = b;
        a->at = data_of(b);
        a->end = a->at + b->size;
        POISON(a->at, b->size);
    }
    uint8_t *p = a->at;
    a->at += need;
    UNPOISON(p, n);
    return p;
}

void *vs_alloc_array(vs_arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) {
        a->failed = true;
        return NULL;
    }
    return vs_alloc(a, n);
}

void *vs_zalloc(vs_arena *a, size_t n)
{
    void *p = vs_alloc(a, n);
    if (p)
        memset(p, 0, n);
    return p;
}

void *vs_grow(vs_arena *a, void *old, size_t old_n, size_t new_n, size_t size)
{
    void *p = vs_alloc_array(a, new_n, size);
    if (p && old_n)
        memcpy(p, old, old_n * size);
    return p;
}

vs_span vs_dup(vs_arena *a, vs_span s)
{
    uint8_t *p = s.n < SIZE_MAX ? vs_alloc(a, s.n + 1) : NULL;
    if (!p)
        return (vs_span){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (vs_span){p, s.n};
}

const char *vs_concat(vs_arena *a, vs_span x, vs_span y, vs_span z)
{
    const vs_span parts[] = {x, y, z};
    size_t n = 0, total;
    if (__builtin_add_overflow(x.n, y.n, &total) || __builtin_add_overflow(total, z.n, &total) ||
        total == SIZE_MAX)
        a->failed = true;
    char *text = a->failed ? NULL : vs_alloc(a, total + 1);
    if (!text)
        return "";
    for (size_t i = 0; i < VS_COUNT(parts); i++) {
        if (parts[i].n)
            memcpy(text + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    text[n] = 0;
    return text;
}

const char *vs_sprintf(vs_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n >= 0 ? vs_alloc(a, (size_t)n + 1) : NULL;
    if (p)
        (void)vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p ? p : "";
}

vs_code vs_arena_check(const vs_arena *a, vs_error *err)
{
    if (a->failed)
        return vs_fail(err, VS_E_NOMEM, "out of memory (arena limit %zu bytes)", a->cap);
    return VS_OK;
}
