/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker counts: Trustee's series by their names (kbs.md 9), and durations of the stages
 * of an attestation and a release. One set for the process. Adapters count what only they see
 * (requests, sizes).
 */
#ifndef VS_KBS_METRICS_H
#define VS_KBS_METRICS_H

#include "base/metrics.h"

extern vs_metric kbs_m_http_requests, kbs_m_http_seconds, kbs_m_http_request_bytes,
    kbs_m_http_response_bytes, kbs_m_http_active;
extern vs_metric kbs_m_resource_reads, kbs_m_resource_writes, kbs_m_resource_deletes;
extern vs_metric kbs_m_policy_evaluations, kbs_m_policy_approvals, kbs_m_policy_violations,
    kbs_m_policy_errors;
extern vs_metric kbs_m_attestation_requests, kbs_m_attestation_errors, kbs_m_attestation_successes,
    kbs_m_attestation_failures;
extern vs_metric kbs_m_auth_requests, kbs_m_auth_successes, kbs_m_auth_errors;
extern vs_metric kbs_m_plugin_requests, kbs_m_plugin_errors, kbs_m_plugin_seconds;
extern vs_metric kbs_m_stage_seconds;

/* One more of a metric without label. */
static inline void kbs_count(vs_metric *m)
{
    vs_metric_add(m, VS_LIT(""), 1);
}
/* Observes the time since `since` (vs_mono_ns) and returns now, where the next stage starts. */
int64_t kbs_stage(const char *stage, int64_t since);

/* Everything above, build information and the process, in Prometheus' text format. */
void kbs_metrics_print(vs_buf *out);

#endif
