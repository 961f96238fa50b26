/* SPDX-License-Identifier: Apache-2.0 */
/* A whole connection as bytes: heads, bodies in both codings, one request after the other. */
#include <stdlib.h>

#include "net/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes a chunked body in a copy; returns the bytes it took, 0 when it is not complete. */
static size_t take_chunks(vs_span in)
{
    uint8_t *copy = malloc(in.n + 1);
    if (!copy)
        return 0;
    if (in.n)
        memcpy(copy, in.p, in.n);
    vs_http_chunks c = {0};
    size_t out = 0, n = in.n;
    int status = vs_http_chunks_feed(&c, copy, &out, &n, 4096);
    if (out > n || n > in.n || (status == 0 && !c.done && out != n))
        abort();
    size_t taken = status == 0 && c.done ? in.n - (n - out) : 0;
    free(copy);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size);
    static vs_http_head head;
    for (;;) {
        size_t scan = 0, body;
        bool bad;
        size_t n = vs_http_head_end(in, &scan, &bad);
        if (n == 0 || n > in.n || vs_http_head_parse(vs_span_head(in, n), &head) != 0)
            return 0;
        if (head.chunked && head.content_length)
            abort();
        in = vs_span_from(in, n);
        body = head.chunked ? take_chunks(in) : (size_t)head.content_length;
        if (body > in.n || (head.chunked && body == 0))
            return 0;
        in = vs_span_from(in, body);
    }
}
