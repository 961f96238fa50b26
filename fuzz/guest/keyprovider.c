/* SPDX-License-Identifier: Apache-2.0 */
/* The ocicrypt key provider protocol. There is no key, so nothing can be answered. */
#include "cdh/keyprovider.h"
#include "base/log.h"

static cdh_source *source;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!source) {
        vs_log_setup(VS_LOG_ERROR, false, 2);
        if (cdh_source_files(NULL, 0, &source, NULL) != VS_OK)
            __builtin_trap();
    }
    vs_buf out = VS_BUF(1 << 20);
    /* Wrapping reads the file that keypath names, which is not for a fuzzer to choose. */
    if (cdh_keyprovider(source, CDH_KEY_UNWRAP, vs_span_of(data, size), &out, NULL) == VS_OK ||
        out.n)
        __builtin_trap();
    vs_buf_free(&out);
    return 0;
}
