/* SPDX-License-Identifier: Apache-2.0 */
/* An event log: parse, replay, JSON; and the same bytes as a device path. */
#include "tee/eventlog/eventlog.h"

#include "base/enc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(vs_arena *a, vs_span in, const eventlog *log)
{
    vs_error err = {0};
    vs_val v;
    uint8_t value[VS_HASH_MAX];
    for (size_t i = 0; i < log->n; i++) {
        const eventlog_event *e = &log->events[i];
        if (!e->type_name ||
            (e->data.n && (e->data.p < in.p || e->data.p + e->data.n > in.p + in.n)))
            __builtin_trap();
    }
    if (eventlog_replay(log, VS_SHA384, 1, value, &err) != VS_OK)
        __builtin_trap();
    if (eventlog_value(a, log, &v, &err) != VS_OK) {
        if (err.code == VS_OK || !vs_error_at(&err, 0))
            __builtin_trap(); /* a refusal must say why */
        return;
    }
    if (v.kind != VS_ARRAY || v.len != log->n)
        __builtin_trap();
    for (VS_ARR_FOR (event, v))
        if (!vs_utf8_ok(vs_text(vs_getc(vs_getc(*event, "details"), "string"))))
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_error err = {0};
    eventlog log;
    vs_val paths;
    vs_span in = vs_span_of(data, size);
    vs_arena_init(&a, 0);
    vs_code code = eventlog_parse(&a, in, &log, &err);
    if (code == VS_OK && !eventlog_looks_like(in))
        __builtin_trap();
    if (code == VS_OK)
        use(&a, in, &log);
    if (eventlog_device_paths(&a, in, &paths, &err) == VS_OK && paths.len > size / 4)
        __builtin_trap();
    vs_arena_free(&a);
    return 0;
}
