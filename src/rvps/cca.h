/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the Arm CCA profiles, read by the verifier of tee/cca. Bytes are lower-case hex.
 *
 *   cca.cpak.<instance id>            [{"implementation-id", "key": JWK, ORIGIN}, ...]
 *   cca.platform.<implementation id>  [{"sw-components": [{"measurement-values": [...],
 * "signer-id", "component-type"?, "version"?}, ...], "config"?, "config-mask"?, ORIGIN}, ...]
 *   cca.realm.<RIM>                   [{"rem": [4 of hex or null], "rpv"?, ORIGIN}, ...]
 *
 * ORIGIN is "corim", "tag" (ids as text) and "version" of the CoMID, and in a store "valid-until"
 * and perhaps "valid-from", RFC 3339. Entries of several CoMIDs stand side by side (comids.h).
 */
#ifndef VS_RVPS_CCA_H
#define VS_RVPS_CCA_H

#include "rvps/extract.h"

/* Nothing else may have these names: "cca.cpak.", "cca.platform." and what is behind them, and
 * "cca.realm." with hex behind it. */
bool rvps_is_cca_name(vs_span name);
/* Keys are trust anchors: whoever controls one can make any platform. */
bool rvps_is_cca_key_name(vs_span name);
/* One of RVPS_MAY_: the right that setting a record of this name takes. */
unsigned rvps_right_of_name(vs_span name);

/* The records of a manifest of one of the profiles, none of others. An attestation key must be a
 * public one, EC or Ed25519. */
VS_MUST vs_code rvps_add_cca(rvps_records *out, const corim *c, vs_error *err);

#endif
