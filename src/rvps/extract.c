/* SPDX-License-Identifier: Apache-2.0 */
#include "rvps/extract.h"

#include "base/enc.h"
#include "value/json.h"

void rvps_add_record(rvps_records *r, vs_span name, vs_val value)
{
    if (r->n == r->room) {
        size_t room = r->room ? r->room * 2 : 8;
        rvps_record *more = vs_grow(r->a, r->items, r->n, room, sizeof *more);
        if (!more)
            return;
        r->items = more;
        r->room = room;
    }
    r->items[r->n++] = (rvps_record){name, value};
}

/* A value must still be within the JSON reader's own limit when it comes back inside its record. */
enum { VALUE_DEPTH = 64 };

/* base64 (standard, padded) of a JSON object: one record per member, the value as given. */
static vs_code extract_sample(vs_span payload, rvps_records *out, vs_error *err)
{
    vs_span text;
    vs_val object;
    vs_json_opts opts = {.depth = VALUE_DEPTH};
    VS_TRY(vs_b64_decode_arena(out->a, VS_B64_STD, payload, &text, err));
    VS_TRY(vs_json_parse(out->a, text, &opts, &object, err));
    if (object.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be a JSON object of names and values, not %s",
                       vs_kind_name((vs_kind)object.kind));
    for (VS_OBJ_FOR (member, object))
        rvps_add_record(out, vs_text(member->key), member->val);
    return vs_arena_check(out->a, err);
}

static const rvps_extractor extractors[] = {
    {"sample", true, extract_sample},
};

const rvps_extractor *rvps_extractor_of(vs_span type)
{
    for (size_t i = 0; i < VS_COUNT(extractors); i++)
        if (vs_span_is(type, extractors[i].type))
            return &extractors[i];
    return NULL;
}
