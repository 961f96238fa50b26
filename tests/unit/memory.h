/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for a secret in all memory of the process, freed memory included. */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H

#include "testing.h"

#include <fcntl.h>
#include <sys/mman.h>

enum { PERIOD = 199, PROBE = 80, CHUNK = 1 << 20, REGION_MAX = 512 << 20 };

/* Registers that the loader or a signal has put on a stack hold less than a probe.
 *
 * The secret repeats secret_byte(0) .. secret_byte(PERIOD - 1). This process never has it in a row
 * but by receiving it.
 */
static inline uint8_t secret_byte(size_t i)
{
    return (uint8_t)('a' + ((uint32_t)(i % PERIOD) * UINT32_C(2654435761) >> 20) % 26);
}

static inline bool is_secret(const uint8_t *p, size_t from)
{
    for (size_t k = 0; k < PROBE; k++)
        if (p[k] != secret_byte(from + k))
            return false;
    return true;
}

static inline size_t count_in(const uint8_t *p, size_t n)
{
    size_t found = 0;
    const uint8_t first = secret_byte(40), second = secret_byte(120);
    for (size_t i = 0; i + PROBE <= n; i++)
        found +=
            (p[i] == first && is_secret(p + i, 40)) || (p[i] == second && is_secret(p + i, 120));
    return found;
}

static inline size_t count_in_region(int mem, uint8_t *chunk, uint64_t from, uint64_t to)
{
    size_t found = 0;
    for (uint64_t at = from; at < to; at += CHUNK - PROBE) {
        size_t want = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
        ssize_t n = pread(mem, chunk, want, (off_t)at);
        if (n > 0)
            found += count_in(chunk, (size_t)n);
    }
    return found;
}

/* In all that this process may write to, but for the window that it is read through. */
static inline size_t count_in_memory(void)
{
    uint8_t *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(chunk != MAP_FAILED);
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_true(mem >= 0 && maps);
    size_t found = 0;
    char line[600];
    while (fgets(line, sizeof line, maps)) {
        unsigned long long from, to;
        char mode[5];
        if (sscanf(line, "%llx-%llx %4s", &from, &to, mode) != 3 || mode[1] != 'w' ||
            to - from > REGION_MAX || ((uintptr_t)chunk >= from && (uintptr_t)chunk < to))
            continue;
        found += count_in_region(mem, chunk, from, to);
    }
    (void)fclose(maps);
    (void)close(mem);
    (void)munmap(chunk, CHUNK);
    return found;
}

#endif
