/* SPDX-License-Identifier: Apache-2.0 */
/* The files of grpc-as and rvps: any JSON gives a whole configuration or a sentence. The first byte
 * chooses the program. */
#include <stdlib.h>

#include "base/log.h"
#include "cmd/config_as.h"
#include "cmd/config_rvps.h"
#include "value/json.h"

static void check_store(const store_config *s)
{
    if (s->type != STORE_MEMORY && s->type != STORE_POSTGRES && !s->path)
        abort();
}

static vs_code read_as(vs_val v, vs_arena *a, vs_error *err)
{
    as_file f;
    VS_TRY(as_file_read(v, a, &f, err));
    check_store(&f.storage);
    if (f.values_elsewhere)
        check_store(&f.values);
    if (f.verifier.as.duration_min <= 0 || !f.verifier.cca_config_path ||
        (f.verifier.remote_rvps && !f.verifier.provider.address))
        abort();
    return VS_OK;
}

static vs_code read_rvps(vs_val v, vs_arena *a, vs_error *err)
{
    rvps_file f;
    VS_TRY(rvps_file_read(v, a, &f, err));
    check_store(&f.storage);
    return VS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_val v;
    vs_error err = {0};
    if (size == 0)
        return 0;
    vs_log_setup(VS_LOG_ERROR, false, 2);
    vs_arena_init(&a, 32 << 20);
    vs_code code = vs_json_parse(&a, vs_span_of(data + 1, size - 1), NULL, &v, &err);
    if (code == VS_OK)
        code = data[0] & 1 ? read_as(v, &a, &err) : read_rvps(v, &a, &err);
    if (code != VS_OK && !vs_error_at(&err, 0))
        abort();
    vs_arena_free(&a);
    return 0;
}
