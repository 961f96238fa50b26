/* SPDX-License-Identifier: Apache-2.0 */
/* First byte: the version of the KV engine; the rest: what Vault answered. Nothing is given out
 * when it is refused, and what was stored comes back. */
#include <stdlib.h>

#include "plugins/vault_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[200];
    int version = size && data[0] == '2' ? 2 : 1;
    vs_span answer = vs_span_from(vs_span_of(data, size), 1);
    VS_CLEANUP(vs_buf_free)
    vs_buf out = VS_BUF(1 << 20), sent = VS_BUF(8 << 20), back = VS_BUF(1 << 20);
    vault_complaint(answer, why);
    if (memchr(why, 0, sizeof why) == NULL)
        abort();
    if (vault_value(answer, version, &out, NULL) != VS_OK) {
        if (out.n != 0)
            abort();
        return 0;
    }
    vault_body(vs_buf_span(&out), 1, &sent); /* version 1 answers {"data": what was sent} */
    vs_buf all = VS_BUF(8 << 20);
    vs_buf_printf(&all, "{\"data\":%.*s}", VS_FMT(vs_buf_span(&sent)));
    if (vault_value(vs_buf_span(&all), 1, &back, NULL) != VS_OK ||
        !vs_span_eq(vs_buf_span(&back), vs_buf_span(&out)))
        abort();
    vs_buf_free(&all);
    return 0;
}
