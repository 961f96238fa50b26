/* SPDX-License-Identifier: Apache-2.0 */
/* What an issuer can send: a JWK set, or a key in PEM. */
#include "base/log.h"
#include "kbs/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static vs_code strict(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, true, out, err);
}

static vs_code lenient(vs_span text, kbs_keys *out, vs_error *err)
{
    return kbs_read_jwk_set(text, false, out, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const kbs_keys_reader readers[] = {strict, lenient, kbs_read_pem};
    vs_log_setup(VS_LOG_ERROR, false, 2);
    for (size_t i = 0; i < VS_COUNT(readers); i++) {
        vs_error err = {0};
        kbs_keys *keys = kbs_keys_new(&err);
        if (!keys)
            return 0;
        vs_code code = readers[i](vs_span_of(data, size), keys, &err);
        if (code != VS_OK && err.depth == 0)
            __builtin_trap(); /* a refusal says why */
        for (size_t k = 0; k < keys->n; k++)
            if (!keys->items[k].key || (keys->items[k].kid && !keys->items[k].alg))
                __builtin_trap();
        kbs_keys_unref(&keys);
    }
    return 0;
}
