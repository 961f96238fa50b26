/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace.h"

#include "base/io.h"

/* "00-" 32 hex "-" 16 hex "-" 2 hex */
enum { TRACE_AT = 3, TRACE_N = 32, SPAN_AT = 36, SPAN_N = 16, FLAGS_AT = 53, WHOLE = 55 };

static _Thread_local char current[VS_TRACE_TEXT];

static bool is_hex(const uint8_t *p, size_t n, bool *zero)
{
    *zero = true;
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= '0' && p[i] <= '9') && !(p[i] >= 'a' && p[i] <= 'f'))
            return false;
        *zero = *zero && p[i] == '0';
    }
    return true;
}

/* A higher version may have more behind a further dash. */
static bool is_valid(vs_span s)
{
    bool zero;
    if (s.n < WHOLE || s.p[2] != '-' || s.p[SPAN_AT - 1] != '-' || s.p[FLAGS_AT - 1] != '-')
        return false;
    if (!is_hex(s.p, 2, &zero) || (s.p[0] == 'f' && s.p[1] == 'f'))
        return false;
    if (zero ? s.n != WHOLE : s.n > WHOLE && s.p[WHOLE] != '-')
        return false;
    if (!is_hex(s.p + TRACE_AT, TRACE_N, &zero) || zero)
        return false;
    if (!is_hex(s.p + SPAN_AT, SPAN_N, &zero) || zero)
        return false;
    return is_hex(s.p + FLAGS_AT, 2, &zero);
}

/* The generator gives 0 for one id in 2^64; the last digit keeps it from being invalid. */
static void put_random(char *out, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t raw[TRACE_N / 2];
    vs_random(raw, n / 2);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[(i % 2 ? raw[i / 2] : raw[i / 2] >> 4) & 15];
    if (out[n - 1] == '0')
        out[n - 1] = '1';
}

void vs_trace_begin(vs_span traceparent)
{
    memcpy(current, "00-                                -                -00", WHOLE + 1);
    if (is_valid(traceparent)) {
        memcpy(current + TRACE_AT, traceparent.p + TRACE_AT, TRACE_N);
        /* Of the flags only "sampled" goes on; the others may mean what is not true of us. */
        char low = (char)traceparent.p[FLAGS_AT + 1];
        current[FLAGS_AT + 1] = strchr("13579bdf", low) ? '1' : '0';
    } else {
        put_random(current + TRACE_AT, TRACE_N);
    }
    put_random(current + SPAN_AT, SPAN_N);
}

void vs_trace_end(void)
{
    current[0] = 0;
}

const char *vs_traceparent(void)
{
    return current[0] ? current : NULL;
}
