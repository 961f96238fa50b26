/* SPDX-License-Identifier: Apache-2.0 */
/* AMD SEV-SNP: the report of a guest, and the certificates that its host gives (tees.md 1.1). */
#include "client/attester_tee.h"
#include "tee/snp/guest.h"

static vs_code evidence(const attester *a, vs_span report_data, vs_buf *json, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf report = VS_BUF(VS_TSM_OUTBLOB_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf table = VS_BUF(VS_TSM_OUTBLOB_MAX);
    VS_TRY(attester_report(a, report_data, &report, &table, err));
    return snp_write_evidence(json, vs_buf_span(&report), vs_buf_span(&table), err);
}

static vs_code check_init_data(const attester *a, vs_span digest, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(VS_TSM_OUTBLOB_MAX);
    uint8_t challenge[TSM_REPORT_DATA];
    snp_report report;
    VS_TRY(attester_fresh_report(a, challenge, &bytes, err));
    VS_TRY(snp_report_parse(vs_buf_span(&bytes), &report, err));
    return attester_match_init_data(a, report.host_data, "HOST_DATA", digest, report.report_data,
                                    challenge, err);
}

const tee_attester tee_attester_snp = {.name = "snp",
                                       .provider = "sev_guest\n",
                                       .sign = "/sys/devices/platform/sev-guest",
                                       .evidence = evidence,
                                       .check_init_data = check_init_data};
