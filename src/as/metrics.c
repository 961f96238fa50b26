/* SPDX-License-Identifier: Apache-2.0 */
#include "as/metrics.h"

enum { RESULTS = 8 };

static const double seconds[] = {0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5};

static vs_series results[RESULTS], durations[1];

vs_metric as_m_evaluations = {.name = "as_evaluations_total",
                              .help = "Evaluations of evidence, by the status of the token.",
                              .label = "result",
                              .series = results,
                              .n_series = RESULTS};
vs_metric as_m_seconds = {.name = "as_evaluation_duration_seconds",
                          .help = "Time from evidence to token.",
                          .kind = VS_HISTOGRAM,
                          .unit = 1e-9,
                          .buckets = seconds,
                          .n_buckets = VS_COUNT(seconds),
                          .series = durations,
                          .n_series = 1};

void as_metrics_print(vs_buf *out)
{
    vs_metric_print(&as_m_evaluations, out);
    vs_metric_print(&as_m_seconds, out);
}
