/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP responses. */
#include "net/http_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"set-cookie", "content-length", "connection"};
    vs_span text = vs_span_of(data, size);
    vs_response_head head;
    if (vs_response_head_parse(text, false, &head, NULL) != VS_OK)
        return 0;
    if (head.status < 100 || head.status > 599)
        __builtin_trap();
    for (size_t i = 0; i < VS_COUNT(names); i++)
        for (size_t k = 0; vs_response_field(text, names[i], k).p; k++) {
        }
    return 0;
}
