/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters, gauges and histograms of a process, in Prometheus' text format 0.0.4.
 *
 * A metric is a static object with static room for its series: nothing is allocated, updates are a
 * few atomic operations from any thread, and the number of label values is bounded (what does not
 * fit any more is counted under "other"), so that no peer can make a metric grow.
 */
#ifndef VS_BASE_METRICS_H
#define VS_BASE_METRICS_H

#include <stdatomic.h>

#include "base/buf.h"

typedef enum vs_metric_kind { VS_COUNTER, VS_GAUGE, VS_HISTOGRAM } vs_metric_kind;

enum { VS_METRIC_LABEL = 72, VS_METRIC_BUCKETS = 12 };

/* All zero at the start. */
typedef struct vs_series {
    char label[VS_METRIC_LABEL]; /* written once, before `used` */
    atomic_bool used;
    atomic_int_least64_t value; /* counter, gauge; histogram: sum of what was observed */
    atomic_uint_least64_t buckets[VS_METRIC_BUCKETS + 1]; /* not cumulative; last = +Inf */
} vs_series;

typedef struct vs_metric {
    const char *name, *help;
    vs_metric_kind kind;
    const char *label;     /* name of the one label; NULL = none, and then there is one series */
    double unit;           /* of the integers that are counted: 1e-9 for nanoseconds; 0 = 1 */
    const double *buckets; /* histogram: upper bounds in printed units, ascending */
    unsigned n_buckets;    /* at most VS_METRIC_BUCKETS */
    vs_series *series;
    unsigned n_series; /* room; at least 2 with a label: the last one is "other" */
} vs_metric;

/* `label`: value of the metric's label, cut at VS_METRIC_LABEL - 1 bytes; "" when it has none. */
void vs_metric_add(vs_metric *m, vs_span label, int64_t n);
/* Histogram: one observation of `n` units. */
void vs_metric_observe(vs_metric *m, vs_span label, int64_t n);
/* HELP, TYPE and all series. A series without label is printed from the start, others once used. */
void vs_metric_print(const vs_metric *m, vs_buf *out);

/* Resident memory, descriptors, CPU time and start of this process, as exporters name them. */
void vs_metric_print_process(vs_buf *out);

#endif
