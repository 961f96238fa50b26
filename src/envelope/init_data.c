/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/init_data.h"

#include "value/json.h"
#include "value/toml.h"

static vs_code check_files(vs_val data, vs_error *err)
{
    for (VS_OBJ_FOR (file, data))
        if (file->val.kind != VS_STRING)
            return vs_fail(err, VS_E_INVALID, "\"%.*s\" must be a string",
                           VS_FMT(vs_span_head(vs_text(file->key), 64)));
    return VS_OK;
}

/* "sha256", "sha384", "sha512" (or "sm3" where there is one): nothing else names them here. */
static vs_hash algorithm_of(vs_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!(name.p[i] >= 'a' && name.p[i] <= 'z') && !(name.p[i] >= '0' && name.p[i] <= '9'))
            return VS_HASH_NONE;
    return vs_hash_of_name(name);
}

static vs_code parse(vs_arena *a, vs_span text, vs_init_data *out, vs_error *err)
{
    vs_val doc, version, algorithm;
    if (text.n > VS_INIT_DATA_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu bytes, at most %d", text.n, VS_INIT_DATA_MAX);
    VS_TRY(vs_toml_parse(a, text, &doc, err));
    VS_TRY(vs_need(doc, "version", VS_STRING, &version, err));
    VS_TRY(vs_need(doc, "algorithm", VS_STRING, &algorithm, err));
    VS_TRY(vs_need(doc, "data", VS_OBJECT, &out->data, err));
    VS_TRY(check_files(out->data, err));
    out->version = vs_text(version);
    out->algorithm = algorithm_of(vs_text(algorithm));
    if (out->algorithm == VS_HASH_NONE)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "unknown algorithm \"%.*s\", must be \"sha256\", \"sha384\" or \"sha512\"",
                       VS_FMT(vs_span_head(vs_text(algorithm), 32)));
    uint8_t *md = vs_alloc(a, VS_HASH_MAX);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_digest(out->algorithm, text, VS_LIT(""), VS_LIT(""), md, err));
    out->digest = vs_span_of(md, vs_hash_size(out->algorithm));
    return VS_OK;
}

vs_code vs_init_data_parse(vs_arena *a, vs_span text, vs_init_data *out, vs_error *err)
{
    *out = (vs_init_data){0};
    VS_TRY_WRAP(parse(a, text, out, err), err, "init data");
    return VS_OK;
}
