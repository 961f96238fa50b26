/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

/* ---- series -----------------------------------------------------------------------------------
 */

/* Guards the first use of a label value, of all metrics: rare, and then short. */
static pthread_mutex_t naming = PTHREAD_MUTEX_INITIALIZER;

static bool is_named(const vs_series *s, vs_span label)
{
    return atomic_load_explicit(&s->used, memory_order_acquire) &&
           strncmp(s->label, (const char *)label.p, label.n) == 0 && s->label[label.n] == 0;
}

static vs_series *find(vs_metric *m, vs_span label, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (is_named(&m->series[i], label))
            return &m->series[i];
        if (!atomic_load_explicit(&m->series[i].used, memory_order_acquire))
            return NULL;
    }
    return NULL;
}

static void name_series(vs_series *s, vs_span label)
{
    memcpy(s->label, label.p, label.n);
    s->label[label.n] = 0;
    atomic_store_explicit(&s->used, true, memory_order_release);
}

static vs_series *claim(vs_metric *m, vs_span label)
{
    unsigned own = m->n_series - 1; /* the last one is for the rest */
    (void)pthread_mutex_lock(&naming);
    vs_series *s = find(m, label, own);
    for (unsigned i = 0; !s && i < own; i++) {
        if (!atomic_load_explicit(&m->series[i].used, memory_order_relaxed)) {
            s = &m->series[i];
            name_series(s, label);
        }
    }
    if (!s) {
        s = &m->series[own];
        if (!atomic_load_explicit(&s->used, memory_order_relaxed))
            name_series(s, VS_LIT("other"));
    }
    (void)pthread_mutex_unlock(&naming);
    return s;
}

static vs_series *series_of(vs_metric *m, vs_span label)
{
    if (!m->label)
        return &m->series[0];
    label = vs_span_head(label, VS_METRIC_LABEL - 1);
    if (label.n == 0) /* an empty label value is the same as none in Prometheus */
        label = VS_LIT("none");
    vs_series *s = find(m, label, m->n_series - 1);
    return s ? s : claim(m, label);
}

void vs_metric_add(vs_metric *m, vs_span label, int64_t n)
{
    atomic_fetch_add_explicit(&series_of(m, label)->value, n, memory_order_relaxed);
}

static double unit_of(const vs_metric *m)
{
    return m->unit != 0 ? m->unit : 1;
}

void vs_metric_observe(vs_metric *m, vs_span label, int64_t n)
{
    vs_series *s = series_of(m, label);
    unsigned b = 0;
    while (b < m->n_buckets && (double)n * unit_of(m) > m->buckets[b])
        b++;
    atomic_fetch_add_explicit(&s->buckets[b], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->value, n, memory_order_relaxed);
}

/* ---- text form --------------------------------------------------------------------------------
 */

static void put_label_text(vs_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            vs_buf_putc(out, '\\');
        if (*text == '\n')
            vs_buf_puts(out, "\\n");
        else
            vs_buf_putc(out, *text);
    }
}

/* {tee_type="cca",le="0.5"}; `le` is NULL for all but buckets. */
static void put_labels(vs_buf *out, const vs_metric *m, const vs_series *s, const char *le)
{
    if (!m->label && !le)
        return;
    vs_buf_putc(out, '{');
    if (m->label) {
        vs_buf_printf(out, "%s=\"", m->label);
        put_label_text(out, s->label);
        vs_buf_puts(out, le ? "\"," : "\"");
    }
    if (le)
        vs_buf_printf(out, "le=\"%s\"", le);
    vs_buf_putc(out, '}');
}

static void put_value(vs_buf *out, const vs_metric *m, int64_t v)
{
    if (unit_of(m) == 1)
        vs_buf_printf(out, " %lld\n", (long long)v);
    else
        vs_buf_printf(out, " %.15g\n", (double)v * m->unit);
}

static void print_histogram(const vs_metric *m, const vs_series *s, vs_buf *out)
{
    uint64_t below = 0;
    for (unsigned b = 0; b <= m->n_buckets; b++) {
        char le[32] = "+Inf";
        if (b < m->n_buckets)
            (void)snprintf(le, sizeof le, "%g", m->buckets[b]);
        below += atomic_load_explicit(&s->buckets[b], memory_order_relaxed);
        vs_buf_printf(out, "%s_bucket", m->name);
        put_labels(out, m, s, le);
        vs_buf_printf(out, " %llu\n", (unsigned long long)below);
    }
    vs_buf_printf(out, "%s_sum", m->name);
    put_labels(out, m, s, NULL);
    put_value(out, m, atomic_load_explicit(&s->value, memory_order_relaxed));
    vs_buf_printf(out, "%s_count", m->name);
    put_labels(out, m, s, NULL);
    vs_buf_printf(out, " %llu\n", (unsigned long long)below);
}

void vs_metric_print(const vs_metric *m, vs_buf *out)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    vs_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, kinds[m->kind]);
    for (unsigned i = 0; i < m->n_series; i++) {
        const vs_series *s = &m->series[i];
        if (m->label && !atomic_load_explicit(&s->used, memory_order_acquire))
            continue;
        if (m->kind == VS_HISTOGRAM) {
            print_histogram(m, s, out);
            continue;
        }
        vs_buf_puts(out, m->name);
        put_labels(out, m, s, NULL);
        put_value(out, m, atomic_load_explicit(&s->value, memory_order_relaxed));
    }
}

/* ---- the process ------------------------------------------------------------------------------
 */

static void put_plain(vs_buf *out, const char *name, const char *kind, const char *help, double v)
{
    vs_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.12g\n", name, help, name, kind, name, v);
}

static double open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    double n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        (void)closedir(d);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the directory itself */
}

/* Fields of /proc/self/stat from the third on; the second is in parentheses and may hold any byte.
 */
enum { STAT_UTIME = 14, STAT_STIME = 15, STAT_START = 22, STAT_RSS = 24 };

static double stat_field(const char *stat, int field)
{
    const char *p = strrchr(stat, ')');
    for (int i = 2; p && i < field; i++) {
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    return p ? strtod(p, NULL) : 0;
}

/* First number of a small file of /proc. */
static double read_number(const char *path)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(256);
    if (vs_read_file(path, &text, NULL) != VS_OK)
        return 0;
    return text.n ? strtod((const char *)text.p, NULL) : 0;
}

void vs_metric_print_process(vs_buf *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4096);
    if (vs_read_file("/proc/self/stat", &text, NULL) != VS_OK || text.n == 0)
        return;
    const char *stat = (const char *)text.p;
    double hz = (double)sysconf(_SC_CLK_TCK);
    double age = read_number("/proc/uptime") - stat_field(stat, STAT_START) / hz;
    put_plain(out, "process_cpu_seconds_total", "counter", "User and system CPU time.",
              (stat_field(stat, STAT_UTIME) + stat_field(stat, STAT_STIME)) / hz);
    put_plain(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
              stat_field(stat, STAT_RSS) * (double)sysconf(_SC_PAGESIZE));
    put_plain(out, "process_start_time_seconds", "gauge", "Start, seconds since 1970.",
              (double)vs_now_s() - age);
    put_plain(out, "process_open_fds", "gauge", "Open file descriptors.", open_descriptors());
}
