/* SPDX-License-Identifier: Apache-2.0 */
/* A request target: path decoding, splitting, query. */
#include <stdlib.h>

#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_arena_init(&a, 1 << 20);
    vs_span query, decoded, *segments;
    vs_span path = vs_span_cut(vs_span_of(data, size), '?', &query, NULL);
    vs_url_param *params;
    size_t n;
    if (vs_url_decode(&a, path, &decoded, NULL) == VS_OK) {
        if (decoded.n > path.n)
            abort();
        size_t total = 0;
        if (vs_url_split(&a, decoded, &segments, &n, NULL) == VS_OK)
            for (size_t i = 0; i < n; i++)
                total += segments[i].n + 1;
        if (total && total != decoded.n + 1)
            abort();
    }
    if (vs_url_query(&a, query, &params, &n, NULL) == VS_OK && n > size)
        abort();
    vs_arena_free(&a);
    return 0;
}
