/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotes of Intel TDX, versions 4 and 5 (tees.md 2.2): where their parts are. Nothing here is
 * proven; see verify.h.
 */
#ifndef VS_TEE_DCAP_QUOTE_H
#define VS_TEE_DCAP_QUOTE_H

#include "base/error.h"

enum { DCAP_QUOTE_MAX = 64 * 1024 };

typedef struct td_body { /* TD report body 1.0, and what 1.5 adds */
    vs_span tee_tcb_svn, mr_seam, mrsigner_seam, seam_attributes, td_attributes, xfam, mr_td;
    vs_span mr_config_id, mr_owner, mr_owner_config, rtmr[4], report_data;
    vs_span tee_tcb_svn2, mr_servicetd; /* 1.5 only, else empty */
} td_body;

typedef struct qe_report { /* of the quoting enclave: an SGX report body */
    uint8_t miscselect[4];
    vs_span attributes, mrsigner, report_data;
    uint16_t isvprodid, isvsvn;
} qe_report;

typedef struct dcap_quote { /* spans are views into the quote */
    vs_span version, att_key_type, tee_type, reserved, vendor_id, user_data; /* the header */
    vs_span body_type, body_size;                                            /* version 5 only */
    td_body body;
    vs_span signed_part; /* by the attestation key */
    vs_span signature, attestation_key;
    vs_span qe_bytes, qe_signature, qe_auth_data; /* qe_bytes are signed by the PCK */
    qe_report qe;
    vs_span pck_chain; /* PEM */
} dcap_quote;

/* Refused: what is not a TDX quote by Intel's quoting enclave with an ECDSA P-256 key and a PCK
 * chain, body types other than TD 1.0 and 1.5, lengths that do not fit each other. Bytes behind the
 * signature data, which clouds add, are not looked at. PARSE, INVALID, UNSUPPORTED. */
VS_MUST vs_code dcap_quote_parse(vs_span in, dcap_quote *out, vs_error *err);

#endif
