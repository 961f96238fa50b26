/* SPDX-License-Identifier: Apache-2.0 */
/* What the reference value provider counts, wherever it runs. One set for the process. */
#ifndef VS_RVPS_METRICS_H
#define VS_RVPS_METRICS_H

#include "base/metrics.h"

/* Messages: "taken", "refused". Queries: "found", "none", "failed". */
extern vs_metric rvps_m_messages, rvps_m_queries;

void rvps_metrics_print(vs_buf *out);

#endif
