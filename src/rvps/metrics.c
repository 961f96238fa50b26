/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/metrics.h"

enum { RESULTS = 4 };

static vs_series messages[RESULTS], queries[RESULTS];

vs_metric rvps_m_messages = {.name = "rvps_messages_total",
                             .help = "Messages with reference values.",
                             .label = "result",
                             .series = messages,
                             .n_series = RESULTS};
vs_metric rvps_m_queries = {.name = "rvps_queries_total",
                            .help = "Queries of a reference value.",
                            .label = "result",
                            .series = queries,
                            .n_series = RESULTS};

void rvps_metrics_print(vs_buf *out)
{
    vs_metric_print(&rvps_m_messages, out);
    vs_metric_print(&rvps_m_queries, out);
}
