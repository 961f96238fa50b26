/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed secrets, signed and not. There is no key, so nothing may ever be taken as signed. */
#include "cdh/sealed.h"
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
    for (int skip = 0; skip < 2; skip++) {
        vs_buf out = VS_BUF(1 << 20);
        const cdh_sealed_options o = {
            .source = source, .keys_dir = "/nonexistent", .skip_verification = skip};
        if (cdh_unseal(&o, vs_span_of(data, size), &out, NULL) == VS_OK || out.n)
            __builtin_trap();
        vs_buf_free(&out);
    }
    return 0;
}
