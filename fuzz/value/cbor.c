/* SPDX-License-Identifier: Apache-2.0 */
/* A checked item can be skipped whole and shown. */
#include <stdlib.h>

#include "value/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size);
    vs_buf text = VS_BUF(4 << 20);
    if (vs_cbor_check(in, NULL) == VS_OK) {
        vs_cbor c = vs_cbor_of(in, NULL);
        if (vs_cbor_skip(&c).n != size || vs_cbor_end(&c) != VS_OK)
            abort();
        if (vs_cbor_diagnose(&text, in, NULL) != VS_OK && vs_buf_ok(&text))
            abort();
    }
    vs_buf_free(&text);
    return 0;
}
