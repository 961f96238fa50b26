/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/wrapping.h"

#include "base/enc.h"

enum { DATA_MAX = 16 * 1024 * 1024, CTR_IV = 16 };

vs_code cdh_unwrap(const cdh_wrapped *w, vs_span key, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf iv = VS_BUF(64), data = VS_BUF(DATA_MAX);
    bool gcm = vs_span_is(w->type, "A256GCM");
    if (!gcm && !vs_span_is(w->type, "A256CTR"))
        return vs_fail(err, VS_E_INVALID, "wrap_type \"%.*s\" is neither A256GCM nor A256CTR",
                       VS_FMT(vs_span_head(w->type, 32)));
    if (key.n != CDH_KEY)
        return vs_fail(err, VS_E_INVALID, "the wrapping key has %zu bytes, must be %d", key.n,
                       CDH_KEY);
    VS_TRY_WRAP(vs_b64_decode(&iv, VS_B64_STD, w->iv, err), err, "iv");
    VS_TRY_WRAP(vs_b64_decode(&data, VS_B64_STD, w->data, err), err, "encrypted data");
    if (iv.n != (gcm ? CDH_GCM_IV : CTR_IV))
        return vs_fail(err, VS_E_INVALID, "the IV has %zu bytes, %.*s needs %d", iv.n,
                       VS_FMT(w->type), gcm ? CDH_GCM_IV : CTR_IV);
    return gcm ? vs_gcm_open(key.p, iv.p, (vs_span){0}, vs_buf_span(&data), out, err)
               : vs_ctr_crypt(key.p, iv.p, vs_buf_span(&data), out, err);
}
