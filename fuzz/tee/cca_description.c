/* SPDX-License-Identifier: Apache-2.0 */
/* A realm described by TOML, or a host's capabilities: refused with a reason, or an image that is
 * measured or refused with a reason. */
#include "tee/cca/measure/describe.h"
#include "tee/cca/measure/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need_reason(vs_code code, const vs_error *err)
{
    if (code != VS_OK && (err->code != code || !vs_error_at(err, 0)))
        __builtin_trap();
}

static bool is_small(const cca_image *m)
{
    uint64_t granules = 0;
    for (size_t i = 0; i < m->n_unmeasured; i++)
        granules += m->unmeasured[i].size / CCA_GRANULE;
    return granules < 1000;
}

static void measure(cca_description *d, vs_error *err)
{
    static const uint8_t contents[5000] = {[8] = 0, [17] = 0x20, [56] = 'A', 'R', 'M', 0x64};
    cca_source s = cca_source_of(vs_span_of(contents, sizeof contents));
    cca_rim rim;
    for (size_t i = 0; i < d->n_files; i++) {
        vs_code code = cca_description_add(d, i, "file", &s, err);
        need_reason(code, err);
        if (code != VS_OK)
            return;
    }
    if (is_small(&d->image))
        need_reason(cca_image_measure(&d->image, NULL, &rim, err), err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_error err = {0};
    cca_description d;
    cca_host h;
    vs_arena_init(&a, 0);
    vs_code code = cca_description_parse(&a, vs_span_of(data, size), &d, &err);
    need_reason(code, &err);
    if (code == VS_OK)
        measure(&d, &err);
    err = (vs_error){0};
    need_reason(cca_host_parse(&a, vs_span_of(data, size), &h, &err), &err);
    vs_arena_free(&a);
    return 0;
}
