/* SPDX-License-Identifier: Apache-2.0 */
/* What the attestation service counts, wherever it runs. One set for the process. */
#ifndef VS_AS_METRICS_H
#define VS_AS_METRICS_H

#include "base/metrics.h"

/* By the status of the token, or "refused"; and how long each took. */
extern vs_metric as_m_evaluations, as_m_seconds;

void as_metrics_print(vs_buf *out);

#endif
