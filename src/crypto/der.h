/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of DER (X.690) that certificate extensions need: elements with one-byte tags, definite
 * lengths in their shortest form. Pure; views into the input. Everything else about certificates is
 * OpenSSL's.
 */
#ifndef VS_CRYPTO_DER_H
#define VS_CRYPTO_DER_H

#include "base/error.h"

enum {
    VS_DER_BOOLEAN = 0x01,
    VS_DER_INTEGER = 0x02,
    VS_DER_OCTETS = 0x04,
    VS_DER_OID = 0x06,
    VS_DER_ENUMERATED = 0x0a,
    VS_DER_IA5 = 0x16,
    VS_DER_SEQUENCE = 0x30,
};

/* Takes the element at the start of *in, which must have this tag: its contents. On failure *in is
 * as it was. VS_E_PARSE. */
VS_MUST vs_code vs_der_take(vs_span *in, uint8_t tag, vs_span *content, vs_error *err);
/* `in` is one element of this tag and nothing else. */
VS_MUST vs_code vs_der_only(vs_span in, uint8_t tag, vs_span *content, vs_error *err);
/* `in` is one INTEGER or ENUMERATED (`tag`) of 0 to `most`, in its shortest form. */
VS_MUST vs_code vs_der_only_uint(vs_span in, uint8_t tag, uint64_t most, uint64_t *out,
                                 vs_error *err);
/* `in` is one BOOLEAN. */
VS_MUST vs_code vs_der_only_bool(vs_span in, bool *out, vs_error *err);

#endif
