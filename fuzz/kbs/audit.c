/* SPDX-License-Identifier: Apache-2.0 */
/* Audit logs as a verifier reads them. */
#include "kbs/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *user, uint64_t seq, vs_span time, vs_val event)
{
    (void)time;
    if (seq == 0 || event.kind != VS_OBJECT)
        __builtin_trap();
    ++*(uint64_t *)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    audit_report r;
    uint64_t seen = 0;
    vs_code code = audit_verify(vs_span_of(data, size), NULL, &r, count, &seen, NULL);
    /* What is said to be whole was looked at, line by line. */
    if (code == VS_OK && (seen != r.lines || r.events + r.starts + r.checkpoints != r.lines ||
                          (r.lines && r.last_seq - r.first_seq + 1 != r.lines)))
        __builtin_trap();
    return 0;
}
