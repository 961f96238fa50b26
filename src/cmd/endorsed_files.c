/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/endorsed_files.h"

#include "base/clock.h"
#include "base/io.h"

enum { ANCHORS_MAX = 1 << 20 };

vs_code anchors_of_files(const cli_list *files, rvps_anchors **out, vs_error *err)
{
    VS_TRY(rvps_anchors_new(out, err));
    for (size_t i = 0; i < files->n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(ANCHORS_MAX);
        VS_TRY(vs_read_file(files->items[i], &text, err));
        VS_TRY_WRAP(rvps_anchors_add(*out, vs_buf_span(&text), err), err, "%s", files->items[i]);
    }
    return VS_OK;
}

static vs_code find(void *user, vs_span name, vs_arena *a, vs_val *out, vs_error *err)
{
    const endorsed_files *f = user;
    (void)a, (void)err;
    *out = vs_undefined();
    for (size_t i = 0; i < f->records.n; i++)
        if (vs_span_eq(f->records.items[i].name, name))
            *out = f->records.items[i].value;
    return VS_OK;
}

static vs_code read_corim(const char *path, const rvps_context *x, rvps_records *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(CORIM_SIZE_MAX);
    VS_TRY(vs_read_file(path, &file, err));
    vs_span bytes = vs_dup(out->a, vs_buf_span(&file)); /* records point into it */
    VS_TRY(vs_arena_check(out->a, err));
    out->validity = (corim_validity){.not_before = INT64_MIN, .not_after = INT64_MAX};
    VS_TRY(rvps_extract_corim(x, bytes, out, err));
    if (x->now < out->validity.not_before || x->now > out->validity.not_after)
        return vs_fail(err, VS_E_EXPIRED, "the CoRIM or its signature is not valid now");
    return VS_OK;
}

vs_code endorsed_files_read(endorsed_files *out, vs_arena *a, const cli_list *corims,
                            const rvps_anchors *anchors, vs_error *err)
{
    const rvps_context x = {
        .anchors = anchors, .require_signed = anchors != NULL, .now = vs_now_s()};
    *out = (endorsed_files){.lookup = {find, out}, .records = {.a = a}};
    for (size_t i = 0; i < corims->n; i++)
        VS_TRY_WRAP(read_corim(corims->items[i], &x, &out->records, err), err, "%s",
                    corims->items[i]);
    return rvps_merge_records(&out->records, err);
}
