/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/jwe.h"

static vs_span be32(uint8_t to[4], size_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (24 - 8 * i));
    return vs_span_of(to, 4);
}

vs_code vs_concat_kdf(vs_span z, vs_span alg, vs_span apu, vs_span apv, uint32_t bits,
                      uint8_t out[VS_HASH_MAX], vs_error *err)
{
    uint8_t n[5][4];
    const vs_span parts[] = {be32(n[0], 1),     z,   be32(n[1], alg.n), alg, be32(n[2], apu.n), apu,
                             be32(n[3], apv.n), apv, be32(n[4], bits)};
    return vs_digest_parts(VS_SHA256, parts, VS_COUNT(parts), out, err);
}
