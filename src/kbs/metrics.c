/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/metrics.h"

#include "base/clock.h"

enum { TEES = 24, PATHS = 256, PLUGINS = 32, STAGES = 16 };

static const double request_seconds[] = {0.0005, 0.001, 0.005, 0.01, 0.05, 0.5, 1};
static const double request_bytes[] = {32, 128, 512, 2048, 8192};
static const double plugin_seconds[] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1};
static const double stage_seconds[] = {0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005,
                                       0.01,    0.05,    0.1,    0.5,    1};

#define SERIES(n)          .series = (vs_series[n]){{.label = ""}}, .n_series = (n)
#define BUCKETS(b)         .kind = VS_HISTOGRAM, .buckets = (b), .n_buckets = VS_COUNT(b)
#define COUNTER(var, n, h) vs_metric var = {.name = (n), .help = (h), SERIES(1)}
#define LABELLED(var, n, l, room, h)                                                               \
    vs_metric var = {.name = (n), .help = (h), .label = (l), SERIES(room)}

COUNTER(kbs_m_http_requests, "kbs_http_requests_total", "Requests below /kbs.");
vs_metric kbs_m_http_seconds = {.name = "kbs_http_request_duration_seconds",
                                .help = "Time from a request's last byte to its response.",
                                .unit = 1e-9,
                                BUCKETS(request_seconds),
                                SERIES(1)};
vs_metric kbs_m_http_request_bytes = {.name = "kbs_http_request_size_bytes",
                                      .help = "Bodies of requests.",
                                      BUCKETS(request_bytes),
                                      SERIES(1)};
vs_metric kbs_m_http_response_bytes = {.name = "kbs_http_response_size_bytes",
                                       .help = "Bodies of responses.",
                                       BUCKETS(request_bytes),
                                       SERIES(1)};
vs_metric kbs_m_http_active = {.name = "kbs_http_active_connections",
                               .help = "Requests in progress.",
                               .kind = VS_GAUGE,
                               SERIES(1)};

LABELLED(kbs_m_resource_reads, "kbs_resource_reads_total", "resource_path", PATHS,
         "Reads of a resource that were authorised.");
LABELLED(kbs_m_resource_writes, "kbs_resource_writes_total", "resource_path", PATHS,
         "Writes of a resource that were authorised.");
LABELLED(kbs_m_resource_deletes, "kbs_resource_deletes_total", "resource_path", PATHS,
         "Deletions of a resource that were authorised.");

COUNTER(kbs_m_policy_evaluations, "kbs_policy_evaluations_total", "Resource policy evaluations.");
COUNTER(kbs_m_policy_approvals, "kbs_policy_approvals_total", "... that allowed.");
COUNTER(kbs_m_policy_violations, "kbs_policy_violations_total", "... that denied.");
COUNTER(kbs_m_policy_errors, "kbs_policy_errors_total", "... that gave no decision.");

COUNTER(kbs_m_attestation_requests, "kbs_attestation_requests_total", "Requests to /attest.");
COUNTER(kbs_m_attestation_errors, "kbs_attestation_errors_total", "... that gave no token.");
LABELLED(kbs_m_attestation_successes, "kbs_attestation_successes_total", "tee_type", TEES,
         "Evidence that was verified.");
LABELLED(kbs_m_attestation_failures, "kbs_attestation_failures_total", "tee_type", TEES,
         "Evidence that was refused.");

COUNTER(kbs_m_auth_requests, "kbs_auth_requests_total", "Requests to /auth.");
COUNTER(kbs_m_auth_successes, "kbs_auth_successes_total", "... that got a challenge.");
COUNTER(kbs_m_auth_errors, "kbs_auth_errors_total", "... that were refused.");

LABELLED(kbs_m_plugin_requests, "kbs_plugin_requests_total", "plugin_name", PLUGINS,
         "Requests to external plugins.");
LABELLED(kbs_m_plugin_errors, "kbs_plugin_errors_total", "plugin_name", PLUGINS,
         "... that failed.");
vs_metric kbs_m_plugin_seconds = {.name = "kbs_plugin_request_duration_seconds",
                                  .help = "Time in Handle of an external plugin.",
                                  .label = "plugin_name",
                                  .unit = 1e-9,
                                  BUCKETS(plugin_seconds),
                                  SERIES(PLUGINS)};
vs_metric kbs_m_stage_seconds = {.name = "vouchsafe_stage_duration_seconds",
                                 .help = "Time in each stage of an attestation or a release.",
                                 .label = "stage",
                                 .unit = 1e-9,
                                 BUCKETS(stage_seconds),
                                 SERIES(STAGES)};

static const vs_metric *const all[] = {
    &kbs_m_http_requests,        &kbs_m_http_seconds,       &kbs_m_http_request_bytes,
    &kbs_m_http_response_bytes,  &kbs_m_http_active,        &kbs_m_resource_reads,
    &kbs_m_resource_writes,      &kbs_m_resource_deletes,   &kbs_m_policy_evaluations,
    &kbs_m_policy_approvals,     &kbs_m_policy_violations,  &kbs_m_policy_errors,
    &kbs_m_attestation_requests, &kbs_m_attestation_errors, &kbs_m_attestation_successes,
    &kbs_m_attestation_failures, &kbs_m_auth_requests,      &kbs_m_auth_successes,
    &kbs_m_auth_errors,          &kbs_m_plugin_requests,    &kbs_m_plugin_errors,
    &kbs_m_plugin_seconds,       &kbs_m_stage_seconds,
};

int64_t kbs_stage(const char *stage, int64_t since)
{
    int64_t now = vs_mono_ns();
    vs_metric_observe(&kbs_m_stage_seconds, vs_str(stage), now - since);
    return now;
}

void kbs_metrics_print(vs_buf *out)
{
    vs_buf_puts(out, "# HELP kbs_build_info This build.\n# TYPE kbs_build_info gauge\n"
                     "kbs_build_info{version=\"" VS_VERSION "\"} 1\n");
    for (size_t i = 0; i < VS_COUNT(all); i++)
        vs_metric_print(all[i], out);
    vs_metric_print_process(out);
}
