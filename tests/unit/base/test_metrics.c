/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <pthread.h>

#include "base/metrics.h"

#define SERIES(n) .series = (vs_series[n]){{.label = ""}}, .n_series = (n)

static const char *printed(const vs_metric *m, vs_buf *out)
{
    vs_buf_clear(out);
    vs_metric_print(m, out);
    assert_true(vs_buf_ok(out));
    return (const char *)out->p;
}

static void counters_and_gauges_are_printed(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 16);
    vs_metric c = {.name = "a_total", .help = "What.", SERIES(1)};
    vs_metric g = {.name = "g", .help = "Now.", .kind = VS_GAUGE, SERIES(1)};
    assert_string_equal(printed(&c, &out),
                        "# HELP a_total What.\n# TYPE a_total counter\na_total 0\n");
    vs_metric_add(&c, VS_LIT(""), 3);
    vs_metric_add(&c, VS_LIT("ignored"), 4);
    assert_non_null(strstr(printed(&c, &out), "\na_total 7\n"));
    vs_metric_add(&g, VS_LIT(""), -2);
    assert_non_null(strstr(printed(&g, &out), "# TYPE g gauge\ng -2\n"));
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 16);
    static const double bounds[] = {0.5, 1};
    vs_metric h = {.name = "h",
                   .help = "x",
                   .kind = VS_HISTOGRAM,
                   .unit = 1e-9,
                   .buckets = bounds,
                   .n_buckets = 2,
                   SERIES(1)};
    static const int64_t ns[] = {0, 500000000, 500000001, 1000000000, 2000000000};
    for (size_t i = 0; i < VS_COUNT(ns); i++)
        vs_metric_observe(&h, VS_LIT(""), ns[i]);
    assert_string_equal(printed(&h, &out), "# HELP h x\n# TYPE h histogram\n"
                                           "h_bucket{le=\"0.5\"} 2\n"
                                           "h_bucket{le=\"1\"} 4\n"
                                           "h_bucket{le=\"+Inf\"} 5\n"
                                           "h_sum 4.000000001\n"
                                           "h_count 5\n");
}

static void label_values_are_bounded_and_escaped(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 16);
    vs_metric m = {.name = "m", .help = "x", .label = "path", SERIES(4)};
    char longer[2 * VS_METRIC_LABEL];
    memset(longer, 'l', sizeof longer);
    assert_string_equal(printed(&m, &out), "# HELP m x\n# TYPE m counter\n");
    vs_metric_add(&m, VS_LIT("a\"\\\n}"), 1);
    vs_metric_add(&m, VS_LIT(""), 1);
    vs_metric_add(&m, vs_span_of(longer, sizeof longer), 1);
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "flood%d", i);
        vs_metric_add(&m, vs_str(name), 1);
    }
    vs_metric_add(&m, VS_LIT("a\"\\\n}"), 1);
    const char *text = printed(&m, &out);
    assert_non_null(strstr(text, "\nm{path=\"a\\\"\\\\\\n}\"} 2\n"));
    assert_non_null(strstr(text, "\nm{path=\"none\"} 1\n"));
    assert_non_null(strstr(text, "\nm{path=\"other\"} 100\n"));
    assert_null(strstr(text, "flood"));
    longer[VS_METRIC_LABEL - 1] = 0;
    assert_non_null(strstr(text, longer));
}

static vs_metric shared = {.name = "s", .help = "x", .label = "l", SERIES(8)};

static void *add_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        char label[2] = {(char)('a' + i % 5), 0};
        vs_metric_add(&shared, vs_str(label), 1);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 16);
    pthread_t t[4];
    for (size_t i = 0; i < VS_COUNT(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, add_many, NULL), 0);
    for (size_t i = 0; i < VS_COUNT(t); i++)
        (void)pthread_join(t[i], NULL);
    const char *text = printed(&shared, &out);
    for (char c = 'a'; c <= 'e'; c++) {
        char line[32];
        (void)snprintf(line, sizeof line, "s{l=\"%c\"} 16000\n", c);
        assert_non_null(strstr(text, line));
    }
}

static double number_after(const char *text, const char *name)
{
    char line[80];
    (void)snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    assert_non_null(at);
    return strtod(at + strlen(line), NULL);
}

static void the_process_tells_of_itself(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 16);
    vs_metric_print_process(&out);
    const char *text = (const char *)out.p;
    assert_true(number_after(text, "process_resident_memory_bytes") > 100000);
    assert_true(number_after(text, "process_open_fds") >= 3);
    assert_true(number_after(text, "process_cpu_seconds_total") >= 0);
    double age = (double)time(NULL) - number_after(text, "process_start_time_seconds");
    assert_true(age > -5 && age < 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges_are_printed),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(label_values_are_bounded_and_escaped),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(the_process_tells_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
