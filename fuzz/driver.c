/* SPDX-License-Identifier: Apache-2.0 */
/* Replays files through a fuzz target where libFuzzer is not linked: a regression test. Besides
 * each file as it is, it runs every truncation and a sample of bit flips. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mutate(vs_buf *b)
{
    /* A copy of exact size on the heap, so that a sanitizer sees every overrun. */
    for (size_t n = 0; n <= b->n; n += b->n < 4096 ? 1 : b->n / 512) {
        vs_buf cut = VS_BUF(b->cap);
        vs_buf_put(&cut, vs_span_of(b->p, n));
        (void)LLVMFuzzerTestOneInput(cut.p, cut.n);
        vs_buf_free(&cut);
    }
    size_t step = b->n < 512 ? 1 : b->n * 8 / 4096;
    for (size_t bit = 0; bit < b->n * 8; bit += step) {
        b->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)LLVMFuzzerTestOneInput(b->p, b->n);
        b->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(int argc, char **argv)
{
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
            if (e->d_name[0] == '.')
                continue;
            char path[4096];
            (void)snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            vs_buf b = VS_BUF(4 << 20);
            if (vs_read_file(path, &b, NULL) == VS_OK) {
                (void)LLVMFuzzerTestOneInput(b.p ? b.p : (const uint8_t *)"", b.n);
                mutate(&b);
                files++;
            }
            vs_buf_free(&b);
        }
        if (d)
            (void)closedir(d);
    }
    printf("%zu seeds replayed\n", files);
    return files ? 0 : 1;
}
