/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a store stay as fast when it is full? The time of a get and of a put with 10 entries and
 * with many, for each back end.
 *
 *   bench_store [ENTRIES]      (default 1000000; half of them resources, half reference values)
 *
 * Gets are timed one by one and the median counts, so that a neighbour on the machine does not.
 * With many entries they are of the same ten keys (what the size of the store costs) and of keys
 * from all over it (which the processor's caches do not hold, either). The many entries are put by
 * the back end itself where that takes seconds (put_all), and written as files where a put is a
 * flush (LocalFs). LocalJson keeps at most 64 MiB per file, so its many are 200,000. PostgreSQL is
 * measured when BENCH_POSTGRES holds a URL of an empty database.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

enum { FEW = 10, GETS = 20000, PUTS = 200, BATCH = 10000, VALUE = 32, JSON_MANY = 200000 };

static char dir[] = "/var/tmp/vs-bench-store-XXXXXX";
static vs_error err;

static void must(vs_code code, const char *what)
{
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return;
    (void)fprintf(stderr, "bench_store: %s: %s\n", what, vs_error_text(&err, text, sizeof text));
    exit(1);
}
#define MUST(call) must((call), #call)

static const char *name_of(unsigned i, char key[48])
{
    (void)snprintf(key, 48, i % 2 ? "vendor.product.measurement-%u" : "default/workload/key-%u",
                   i / 2);
    return i % 2 ? "reference_value" : "repository";
}

static void fill(vs_store *s, unsigned from, unsigned to)
{
    static char keys[BATCH][48];
    static vs_store_item items[BATCH];
    static const uint8_t value[VALUE] = {1};
    while (from < to) {
        size_t n = 0;
        for (; n < BATCH && from < to; n++, from++) {
            const char *ns = name_of(from, keys[n]);
            items[n] =
                (vs_store_item){ns, vs_str(keys[n]), vs_span_of(value, VALUE), 0, VS_PUT_REPLACE};
        }
        MUST(vs_store_put_all(s, items, n, &err));
    }
}

/* LocalFs: a flush per file would take an hour. */
static void fill_files(unsigned from, unsigned to)
{
    static const char value[VALUE] = {1};
    for (; from < to; from++) {
        char key[48], path[160];
        const char *ns = name_of(from, key);
        int n = snprintf(path, sizeof path, "%s/localfs/%s/", dir, ns);
        for (const char *p = key; *p && n < 150; p++)
            n += snprintf(path + n, sizeof path - (size_t)n, *p == '/' ? "\\x2F" : "%c", *p);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, value, sizeof value) != sizeof value || close(fd) != 0)
            must(vs_fail(&err, VS_E_IO, "cannot write %s", path), "filling");
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double median_us(int64_t *ns, size_t n)
{
    qsort(ns, n, sizeof *ns, by_value);
    return (double)ns[n / 2] / 1000;
}

static double get_us(vs_store *s, unsigned entries)
{
    static int64_t took[GETS];
    for (unsigned i = 0; i < 2 * GETS; i++) { /* the first half warms up */
        char key[48];
        vs_buf b = VS_BUF(1024);
        const char *ns = name_of((unsigned)random() % entries, key);
        int64_t t0 = vs_mono_ns();
        MUST(vs_store_get(s, ns, vs_str(key), 1, &b, &err));
        took[i % GETS] = vs_mono_ns() - t0;
        vs_buf_free(&b);
    }
    return median_us(took, GETS);
}

static double put_us(vs_store *s, unsigned entries, unsigned puts)
{
    static int64_t took[PUTS];
    for (unsigned i = 0; i < puts; i++) {
        char key[48];
        uint8_t value[VALUE];
        memset(value, (int)i, sizeof value);
        const char *ns = name_of((unsigned)random() % entries, key);
        int64_t t0 = vs_mono_ns();
        MUST(vs_store_put(s, ns, vs_str(key), vs_span_of(value, VALUE), 0, VS_PUT_REPLACE, &err));
        took[i] = vs_mono_ns() - t0;
    }
    return median_us(took, puts);
}

static void measure(const char *name, vs_store *s, unsigned many)
{
    bool files = strcmp(name, "localfs") == 0, json = strcmp(name, "localjson") == 0;
    fill(s, 0, FEW);
    double put_few = put_us(s, FEW, PUTS);
    (void)usleep(50000); /* LocalJson looks twice at a file that changed just now */
    double get_few = get_us(s, FEW);
    if (files)
        fill_files(FEW, many);
    else if (json)
        for (unsigned at = FEW; at < many; at += BATCH * 2) /* each batch rewrites the files */
            fill(s, at, at + BATCH * 2 < many ? at + BATCH * 2 : many);
    else
        fill(s, FEW, many);
    double put_many = put_us(s, many, json ? 5 : PUTS);
    (void)usleep(50000);
    double get_hot = get_us(s, FEW), get_any = get_us(s, many);
    printf("%-10s get %8.1f us with %d; with %u %8.1f us for the same keys, ratio %.2f (target "
           "1.2)%s, %8.1f us for any, ratio %.2f\n",
           name, get_few, FEW, many, get_hot, get_hot / get_few,
           get_hot / get_few <= 1.2 ? "" : " MISSED", get_any, get_any / get_few);
    printf("%-10s put %8.1f us with %d, %8.1f us with %u: ratio %.2f\n", name, put_few, FEW,
           put_many, many, put_many / put_few);
    (void)fflush(stdout);
}

static int drop(const char *path, const struct stat *st, int what, struct FTW *at)
{
    (void)st, (void)what, (void)at;
    return remove(path);
}

int main(int argc, char **argv)
{
    unsigned many = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
    const char *postgres = getenv("BENCH_POSTGRES");
    char path[64];
    vs_store *s = NULL;
    if (many < FEW || !mkdtemp(dir))
        return 1;
    (void)snprintf(path, sizeof path, "%s/sqlite", dir);
    MUST(vs_store_open_sqlite(path, &s, &err));
    measure("sqlite", s, many);
    vs_store_close(&s);
    MUST(vs_store_open_memory(&s, &err));
    measure("memory", s, many);
    vs_store_close(&s);
    (void)snprintf(path, sizeof path, "%s/localjson", dir);
    MUST(vs_store_open_localjson(path, &s, &err));
    measure("localjson", s, many < JSON_MANY ? many : JSON_MANY);
    vs_store_close(&s);
    if (postgres) {
        vs_store_postgres cfg = {.url = postgres, .statement_ms = 60000};
        MUST(vs_store_open_postgres(&cfg, &s, &err));
        measure("postgres", s, many);
        vs_store_close(&s);
    } else {
        printf("postgres   skipped: BENCH_POSTGRES holds no URL\n");
    }
    (void)snprintf(path, sizeof path, "%s/localfs", dir);
    MUST(vs_store_open_localfs(path, &s, &err));
    measure("localfs", s, many);
    vs_store_close(&s);
    (void)nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
