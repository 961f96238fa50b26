/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile KBS may answer to its client: challenge, token, error message, the versions that
 * it says it speaks. */
#include <stdlib.h>

#include "client/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_arena_init(&a, 16 << 20);
    vs_span in = vs_span_of(data, size), token;
    kbsc_challenge challenge;
    kbsc_refusal refusal;
    if (kbsc_read_challenge(&a, in, &challenge, NULL) == VS_OK &&
        (challenge.nonce.n == 0 || challenge.hash == VS_HASH_NONE))
        abort();
    if (kbsc_read_token(&a, in, &token, NULL) == VS_OK && token.n < 5)
        abort();
    if (kbsc_read_refusal(&a, in, &refusal)) {
        kbsc_mismatch m = kbsc_read_mismatch(&refusal);
        if ((m.known && !m.is) || m.known >= 1u << (KBSC_NEWEST + 1) || m.known & 1)
            abort();
        for (const char *p = kbsc_printable(&a, refusal.detail, 100); *p; p++)
            if (*p < 0x20 || *p > 0x7e)
                abort();
    }
    vs_arena_free(&a);
    return 0;
}
