/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an SNP report, and any JSON as its form in evidence: what is accepted can be shown
 * again as the same bytes, and names a processor with known roots. */
#include <stdlib.h>

#include "tee/snp/report.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void use(vs_span bytes)
{
    snp_report r;
    vs_error err = {0};
    if (snp_report_parse(bytes, &r, &err) != VS_OK) {
        check(vs_error_at(&err, 0) != NULL);
        return;
    }
    check(bytes.n == SNP_REPORT_SIZE && r.version >= 3 && r.version <= 5);
    check((unsigned)r.generation < SNP_GENERATIONS && (r.policy & SNP_POLICY_ALWAYS));
    check(r.report_data.p == bytes.p + 0x50 && r.chip_id.p == bytes.p + 0x1a0);
    check(r.signed_part.n == SNP_SIGNED_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_val json;
    uint8_t bytes[SNP_REPORT_SIZE];
    use(vs_span_of(data, size));
    vs_arena_init(&a, 1 << 20);
    if (vs_json_parse(&a, vs_span_of(data, size), NULL, &json, NULL) == VS_OK &&
        snp_report_encode(&a, json, bytes, NULL) == VS_OK)
        use(vs_span_of(bytes, sizeof bytes));
    vs_arena_free(&a);
    return 0;
}
