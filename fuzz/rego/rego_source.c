/* SPDX-License-Identifier: Apache-2.0 */
/* Parse and compile arbitrary text, in both versions of the language. */
#include "rego/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int v0 = 0; v0 < 2; v0++) {
        rego_module m = {.name = "fuzz", .text = vs_span_of(data, size), .v0 = v0 != 0};
        rego_program *p = NULL;
        (void)!rego_compile(&m, 1, NULL, &p, NULL, NULL);
        rego_program_unref(&p);
    }
    return 0;
}
