/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/dcap/quote.h"

#include "tee/cursor.h"

enum {
    KEY_ECDSA_P256 = 2,
    TEE_TDX = 0x81,
    BODY_TD10 = 2,
    BODY_TD15 = 3,
    TD10_SIZE = 584,
    TD15_SIZE = 648,
    QE_REPORT_SIZE = 384,
    CERT_PCK_CHAIN = 5,
    CERT_QE_REPORT = 6,
};

static const uint8_t intel_qe[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                     0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

static uint64_t number_of(vs_span le)
{
    vs_cursor c = vs_cursor_of(le, NULL);
    return le_uint(&c, (unsigned)le.n);
}

static vs_code read_header(vs_cursor *c, dcap_quote *q)
{
    q->version = vs_cursor_take(c, 2);
    q->att_key_type = vs_cursor_take(c, 2);
    q->tee_type = vs_cursor_take(c, 4);
    q->reserved = vs_cursor_take(c, 4);
    q->vendor_id = vs_cursor_take(c, 16);
    q->user_data = vs_cursor_take(c, 20);
    VS_TRY(c->code);
    unsigned version = (unsigned)number_of(q->version);
    if (version != 4 && version != 5)
        return vs_fail(c->err, VS_E_UNSUPPORTED, "version %u, known for TDX are 4 and 5", version);
    if (number_of(q->att_key_type) != KEY_ECDSA_P256)
        return vs_fail(c->err, VS_E_UNSUPPORTED, "attestation key of type %u, known is %d",
                       (unsigned)number_of(q->att_key_type), KEY_ECDSA_P256);
    if (number_of(q->tee_type) != TEE_TDX)
        return vs_fail(c->err, VS_E_INVALID, "TEE type 0x%llx is not TDX",
                       (unsigned long long)number_of(q->tee_type));
    if (number_of(q->reserved) != 0)
        return vs_fail(c->err, VS_E_INVALID, "reserved part of the header is not zero");
    if (!vs_span_eq(q->vendor_id, vs_span_of(intel_qe, sizeof intel_qe)))
        return vs_fail(c->err, VS_E_UNSUPPORTED, "it is not by Intel's quoting enclave");
    return VS_OK;
}

/* Version 5 says what follows; version 4 is a TD 1.0 body. */
static vs_code read_body_head(vs_cursor *c, dcap_quote *q, bool *td15)
{
    *td15 = false;
    if (number_of(q->version) == 4)
        return VS_OK;
    q->body_type = vs_cursor_take(c, 2);
    q->body_size = vs_cursor_take(c, 4);
    VS_TRY(c->code);
    uint64_t type = number_of(q->body_type), size = number_of(q->body_size);
    if (type != BODY_TD10 && type != BODY_TD15)
        return vs_fail(c->err, VS_E_UNSUPPORTED, "body type %u, known for TDX are %d and %d",
                       (unsigned)type, BODY_TD10, BODY_TD15);
    *td15 = type == BODY_TD15;
    if (size != (*td15 ? TD15_SIZE : TD10_SIZE))
        return vs_fail(c->err, VS_E_INVALID, "body of type %u with %llu bytes", (unsigned)type,
                       (unsigned long long)size);
    return VS_OK;
}

static void read_body(vs_cursor *c, bool td15, td_body *b)
{
    b->tee_tcb_svn = vs_cursor_take(c, 16);
    b->mr_seam = vs_cursor_take(c, 48);
    b->mrsigner_seam = vs_cursor_take(c, 48);
    b->seam_attributes = vs_cursor_take(c, 8);
    b->td_attributes = vs_cursor_take(c, 8);
    b->xfam = vs_cursor_take(c, 8);
    b->mr_td = vs_cursor_take(c, 48);
    b->mr_config_id = vs_cursor_take(c, 48);
    b->mr_owner = vs_cursor_take(c, 48);
    b->mr_owner_config = vs_cursor_take(c, 48);
    for (unsigned i = 0; i < 4; i++)
        b->rtmr[i] = vs_cursor_take(c, 48);
    b->report_data = vs_cursor_take(c, 64);
    if (td15) {
        b->tee_tcb_svn2 = vs_cursor_take(c, 16);
        b->mr_servicetd = vs_cursor_take(c, 48);
    }
}

static void read_qe(vs_span bytes, qe_report *qe)
{
    vs_cursor c = vs_cursor_of(bytes, NULL);
    (void)vs_cursor_take(&c, 16); /* CPU SVN */
    vs_span misc = vs_cursor_take(&c, 4);
    memcpy(qe->miscselect, misc.p, misc.n);
    (void)vs_cursor_take(&c, 28);
    qe->attributes = vs_cursor_take(&c, 16);
    (void)vs_cursor_take(&c, 64); /* MRENCLAVE, reserved */
    qe->mrsigner = vs_cursor_take(&c, 32);
    (void)vs_cursor_take(&c, 96);
    qe->isvprodid = le_u16(&c);
    qe->isvsvn = le_u16(&c);
    (void)vs_cursor_take(&c, 60);
    qe->report_data = vs_cursor_take(&c, 64);
}

/* Type and length of certification data, which is all that is left. */
static vs_code certification(vs_cursor *c, unsigned want, const char *what)
{
    unsigned type = le_u16(c);
    uint32_t n = le_u32(c);
    VS_TRY(c->code);
    if (type != want)
        return vs_fail(c->err, VS_E_UNSUPPORTED,
                       "certification data of type %u where only %s (%u) "
                       "is known",
                       type, what, want);
    if (n != vs_cursor_left(c))
        return vs_fail(c->err, VS_E_PARSE, "certification data of %u bytes where %zu are", n,
                       vs_cursor_left(c));
    return VS_OK;
}

static vs_code read_signature(vs_span in, dcap_quote *q, vs_error *err)
{
    vs_cursor c = vs_cursor_of(in, err);
    q->signature = vs_cursor_take(&c, 64);
    q->attestation_key = vs_cursor_take(&c, 64);
    VS_TRY(certification(&c, CERT_QE_REPORT, "a quoting enclave's report"));
    q->qe_bytes = vs_cursor_take(&c, QE_REPORT_SIZE);
    q->qe_signature = vs_cursor_take(&c, 64);
    q->qe_auth_data = vs_cursor_take(&c, le_u16(&c));
    VS_TRY(certification(&c, CERT_PCK_CHAIN, "a PCK chain"));
    q->pck_chain = vs_cursor_take(&c, vs_cursor_left(&c));
    VS_TRY(vs_cursor_end(&c));
    read_qe(q->qe_bytes, &q->qe);
    return VS_OK;
}

static vs_code parse(vs_span in, dcap_quote *q, vs_error *err)
{
    bool td15;
    vs_cursor c = vs_cursor_of(in, err);
    VS_TRY(read_header(&c, q));
    VS_TRY(read_body_head(&c, q, &td15));
    read_body(&c, td15, &q->body);
    q->signed_part = vs_span_head(in, c.at);
    vs_span signature = vs_cursor_take(&c, le_u32(&c));
    VS_TRY(c.code);
    VS_TRY_WRAP(read_signature(signature, q, err), err, "signature data");
    return VS_OK;
}

vs_code dcap_quote_parse(vs_span in, dcap_quote *out, vs_error *err)
{
    dcap_quote q = {0};
    if (in.n > DCAP_QUOTE_MAX)
        return vs_fail(err, VS_E_LIMIT, "TDX quote of %zu bytes, at most %d", in.n, DCAP_QUOTE_MAX);
    VS_TRY_WRAP(parse(in, &q, err), err, "TDX quote");
    *out = q;
    return VS_OK;
}
