/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a host's certificate table, and as a report: what is taken becomes JSON that can be
 * read. */
#include "tee/snp/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_val v;
    uint8_t report[SNP_REPORT_SIZE] = {3};
    vs_span in = vs_span_of(data, size);
    vs_buf json = VS_BUF(1 << 22);
    vs_arena_init(&a, 0);
    if (size)
        memcpy(report, data, size < sizeof report ? size : sizeof report);
    if (snp_table_write(&json, in, NULL) == VS_OK &&
        vs_json_parse(&a, vs_buf_span(&json), NULL, &v, NULL) != VS_OK)
        __builtin_trap();
    vs_buf_clear(&json);
    if (snp_report_write(&json, vs_span_of(report, sizeof report), NULL) == VS_OK &&
        vs_json_parse(&a, vs_buf_span(&json), NULL, &v, NULL) != VS_OK)
        __builtin_trap();
    vs_buf_free(&json);
    vs_arena_free(&a);
    return 0;
}
