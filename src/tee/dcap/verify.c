/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/dcap/verify.h"

#include "tee/tee.h"
#include "value/json.h"

enum { SUBJECT_MAX = 512, PCK_CHAIN = 3, SIGNER_CHAIN = 2, KEY = 64 };

const uint8_t dcap_intel_root[DCAP_POINT] = {
    0x04, 0x0b, 0xa9, 0xc4, 0xc0, 0xc0, 0xc8, 0x61, 0x93, 0xa3, 0xfe, 0x23, 0xd6,
    0xb0, 0x2c, 0xda, 0x10, 0xa8, 0xbb, 0xd4, 0xe8, 0x8e, 0x48, 0xb4, 0x45, 0x85,
    0x61, 0xa3, 0x6e, 0x70, 0x55, 0x25, 0xf5, 0x67, 0x91, 0x8e, 0x2e, 0xdc, 0x88,
    0xe4, 0x0d, 0x86, 0x0b, 0xd0, 0xcc, 0x4e, 0xe2, 0x6a, 0xac, 0xc9, 0x88, 0xe5,
    0x05, 0xa9, 0x53, 0x55, 0x8c, 0x45, 0x3f, 0x6b, 0x09, 0x04, 0xae, 0x73, 0x94,
};

/* ---- chains ---------------------------------------------------------------------------------- */

/* The times of everything that was relied on. */
static vs_code note(dcap_result *r, int64_t from, int64_t until, int64_t now, vs_error *err)
{
    if (from > now)
        return vs_fail(err, VS_E_EXPIRED, "it is not yet valid");
    r->earliest_issue = from < r->earliest_issue ? from : r->earliest_issue;
    r->latest_issue = from > r->latest_issue ? from : r->latest_issue;
    r->earliest_expiration = until < r->earliest_expiration ? until : r->earliest_expiration;
    return VS_OK;
}

static vs_code check_root(const uint8_t root[DCAP_POINT], const vs_certs *c, size_t i,
                          vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    uint8_t point[133];
    size_t n;
    VS_TRY(vs_certs_key(c, i, &key, err));
    if (vs_key_kind(key) != VS_KEY_P256)
        return vs_fail(err, VS_E_UNTRUSTED, "the root's key is not of P-256");
    VS_TRY(vs_key_point(key, point, &n, err));
    if (!vs_span_eq(vs_span_of(point, n), vs_span_of(root, DCAP_POINT)))
        return vs_fail(err, VS_E_UNTRUSTED, "the chain does not end at Intel's SGX root key");
    return vs_certs_issued(c, i, c, i, err);
}

/* `n` certificates, each issued by the next, the last one the root. */
static vs_code read_chain(const uint8_t root[DCAP_POINT], vs_span pem, size_t n, int64_t now,
                          dcap_result *r, vs_certs **out, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
    VS_TRY(vs_certs_from_pem(pem, &c, err));
    if (vs_certs_count(c) != n)
        return vs_fail(err, VS_E_INVALID, "%zu certificates instead of %zu", vs_certs_count(c), n);
    VS_TRY(check_root(root, c, n - 1, err));
    for (size_t i = 0; i < n; i++) {
        int64_t from, until;
        if (i + 1 < n)
            VS_TRY(vs_certs_issued(c, i, c, i + 1, err));
        VS_TRY(vs_certs_validity(c, i, &from, &until, err));
        VS_TRY_WRAP(note(r, from, until, now, err), err, "certificate %zu", i);
    }
    *out = c;
    c = NULL;
    return VS_OK;
}

static vs_code check_names(const vs_certs *c, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf leaf = VS_BUF(SUBJECT_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf ca = VS_BUF(SUBJECT_MAX);
    VS_TRY(vs_certs_common_name(c, 0, &leaf, err));
    VS_TRY(vs_certs_common_name(c, 1, &ca, err));
    vs_span name = vs_buf_span(&ca);
    if (!strstr((const char *)leaf.p, "SGX PCK Certificate") ||
        (!vs_span_is(name, "Intel SGX PCK Platform CA") &&
         !vs_span_is(name, "Intel SGX PCK Processor CA")))
        return vs_fail(err, VS_E_UNTRUSTED, "it is not a PCK's");
    return VS_OK;
}

/* Platform CAs tell more than processor CAs. */
static vs_code check_pck(const vs_certs *c, const dcap_pck *pck, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf ca = VS_BUF(SUBJECT_MAX);
    VS_TRY(vs_certs_common_name(c, 1, &ca, err));
    if (vs_span_is(vs_buf_span(&ca), "Intel SGX PCK Platform CA") != pck->platform)
        return vs_fail(err, VS_E_INVALID, "SGX extension and issuer of the PCK do not agree");
    return VS_OK;
}

/* ---- the quote ------------------------------------------------------------------------------- */

static vs_code check_qe_report(const dcap_quote *q, const vs_certs *pck_chain, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *pck = NULL;
    uint8_t digest[VS_HASH_MAX];
    vs_span none = {NULL, 0};
    VS_TRY(vs_certs_key(pck_chain, 0, &pck, err));
    VS_TRY_WRAP(vs_verify(pck, VS_ES256, &q->qe_bytes, 1, q->qe_signature, err), err,
                "report of the quoting enclave");
    VS_TRY(vs_digest(VS_SHA256, q->attestation_key, q->qe_auth_data, none, digest, err));
    return vs_tee_match(vs_span_of(digest, 32), q->qe.report_data, false,
                        "attestation key in the quoting enclave's report", err);
}

static vs_code check_quote_signature(const dcap_quote *q, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    uint8_t point[DCAP_POINT] = {4};
    memcpy(point + 1, q->attestation_key.p, KEY);
    VS_TRY_WRAP(vs_key_from_point(VS_KEY_P256, vs_span_of(point, sizeof point), &key, err), err,
                "attestation key");
    VS_TRY_WRAP(vs_verify(key, VS_ES256, &q->signed_part, 1, q->signature, err), err, "TDX quote");
    return VS_OK;
}

static dcap_result no_times(void)
{
    return (dcap_result){
        .earliest_issue = INT64_MAX, .latest_issue = INT64_MIN, .earliest_expiration = INT64_MAX};
}

static vs_code verify_quote(const uint8_t root[DCAP_POINT], const dcap_quote *q, int64_t now,
                            vs_certs **chain, dcap_result *r, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
    VS_TRY_WRAP(read_chain(root, q->pck_chain, PCK_CHAIN, now, r, &c, err), err, "PCK chain");
    VS_TRY_WRAP(check_names(c, err), err, "PCK chain");
    VS_TRY_WRAP(dcap_pck_read(c, &r->pck, err), err, "PCK certificate");
    VS_TRY(check_pck(c, &r->pck, err));
    VS_TRY(check_qe_report(q, c, err));
    VS_TRY(check_quote_signature(q, err));
    *chain = c;
    c = NULL;
    return VS_OK;
}

vs_code dcap_verify_quote(const uint8_t root[DCAP_POINT], const dcap_quote *quote, int64_t now,
                          vs_certs **chain, dcap_pck *pck, vs_error *err)
{
    dcap_result r = no_times();
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
    VS_TRY(verify_quote(root, quote, now, &c, &r, err));
    *pck = r.pck;
    if (chain) {
        *chain = c;
        c = NULL;
    }
    return VS_OK;
}

/* ---- collateral -------------------------------------------------------------------------------
 */

static vs_code read_crl(vs_span der, const vs_certs *issuer, size_t i, int64_t now, dcap_result *r,
                        uint64_t *number, vs_crl **out, vs_error *err)
{
    VS_CLEANUP(vs_crl_free) vs_crl *crl = NULL;
    int64_t made, next;
    VS_TRY(vs_crl_from_der(der, &crl, err));
    VS_TRY(vs_crl_issued(crl, issuer, i, err));
    VS_TRY(vs_crl_dates(crl, &made, &next, err));
    VS_TRY(vs_crl_number(crl, number, err));
    VS_TRY(note(r, made, next, now, err));
    *out = crl;
    crl = NULL;
    return VS_OK;
}

/* Neither the PCK nor its issuer may be revoked. */
static vs_code check_revocation(const uint8_t root[DCAP_POINT], const vs_certs *pck_chain,
                                const dcap_collateral *k, int64_t now, dcap_result *r,
                                vs_crl **root_crl, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *issuers = NULL;
    VS_CLEANUP(vs_crl_free) vs_crl *pck_crl = NULL;
    VS_TRY_WRAP(read_crl(k->root_crl, pck_chain, 2, now, r, &r->root_crl_number, root_crl, err),
                err, "revocation list of the root");
    VS_TRY_WRAP(read_chain(root, k->pck_crl_chain, SIGNER_CHAIN, now, r, &issuers, err), err,
                "issuer of the revocation list of PCKs");
    VS_TRY_WRAP(vs_crl_check(*root_crl, issuers, 0, err), err,
                "issuer of the revocation list of PCKs");
    VS_TRY_WRAP(read_crl(k->pck_crl, pck_chain, 1, now, r, &r->pck_crl_number, &pck_crl, err), err,
                "revocation list of PCKs");
    VS_TRY_WRAP(vs_crl_check(*root_crl, pck_chain, 1, err), err, "issuer of the PCK");
    VS_TRY_WRAP(vs_crl_check(pck_crl, pck_chain, 0, err), err, "PCK");
    return VS_OK;
}

static vs_code check_signer_name(const vs_certs *c, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf name = VS_BUF(SUBJECT_MAX);
    VS_TRY(vs_certs_common_name(c, 0, &name, err));
    if (!vs_span_is(vs_buf_span(&name), "Intel SGX TCB Signing"))
        return vs_fail(err, VS_E_UNTRUSTED, "the signer is not Intel's for TCBs");
    return vs_certs_check_signer(c, 0, err);
}

/* A document, as the bytes that its signer signed. */
static vs_code read_signed(const uint8_t root[DCAP_POINT], vs_span chain, vs_span text,
                           vs_span signature, const vs_crl *root_crl, int64_t now, vs_arena *a,
                           dcap_result *r, vs_val *out, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *c = NULL;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_TRY(read_chain(root, chain, SIGNER_CHAIN, now, r, &c, err));
    VS_TRY(check_signer_name(c, err));
    VS_TRY(vs_crl_check(root_crl, c, 0, err));
    VS_TRY(vs_certs_key(c, 0, &key, err));
    VS_TRY(vs_verify(key, VS_ES256, &text, 1, signature, err));
    return vs_json_parse(a, text, NULL, out, err);
}

static vs_code read_tcb_info(const uint8_t root[DCAP_POINT], const dcap_collateral *k,
                             const vs_crl *root_crl, int64_t now, vs_arena *a, dcap_result *r,
                             dcap_tcb_info *out, vs_error *err)
{
    vs_val json;
    VS_TRY_WRAP(read_signed(root, k->tcb_info_chain, k->tcb_info, k->tcb_info_signature, root_crl,
                            now, a, r, &json, err),
                err, "TCB info");
    VS_TRY(dcap_tcb_info_read(a, json, out, err));
    VS_TRY_WRAP(note(r, out->issued, out->next, now, err), err, "TCB info");
    if (memcmp(out->fmspc, r->pck.fmspc, sizeof out->fmspc) != 0 ||
        memcmp(out->pceid, r->pck.pceid, sizeof out->pceid) != 0)
        return vs_fail(err, VS_E_MISMATCH, "TCB info is for another kind of platform");
    return VS_OK;
}

static vs_code read_qe_identity(const uint8_t root[DCAP_POINT], const dcap_collateral *k,
                                const vs_crl *root_crl, int64_t now, vs_arena *a, dcap_result *r,
                                dcap_qe_identity *out, vs_error *err)
{
    vs_val json;
    VS_TRY_WRAP(read_signed(root, k->qe_identity_chain, k->qe_identity, k->qe_identity_signature,
                            root_crl, now, a, r, &json, err),
                err, "QE identity");
    VS_TRY(dcap_qe_identity_read(a, json, out, err));
    VS_TRY_WRAP(note(r, out->issued, out->next, now, err), err, "QE identity");
    return VS_OK;
}

static vs_code judge(const dcap_quote *q, const dcap_tcb_info *info, const dcap_qe_identity *id,
                     vs_arena *a, dcap_result *r, vs_error *err)
{
    VS_TRY(dcap_check_module(info, &q->body, err));
    VS_TRY(dcap_check_qe(id, &q->qe, err));
    r->evaluation = info->evaluation < id->evaluation ? info->evaluation : id->evaluation;
    return dcap_evaluate(a, info, id, &r->pck, q, &r->launch, &r->current, err);
}

static vs_code hash_root(const uint8_t root[DCAP_POINT], uint8_t out[48], vs_error *err)
{
    uint8_t digest[VS_HASH_MAX];
    vs_span none = {NULL, 0};
    VS_TRY(vs_digest(VS_SHA384, vs_span_of(root, DCAP_POINT), none, none, digest, err));
    memcpy(out, digest, 48);
    return VS_OK;
}

vs_code dcap_verify(const uint8_t root[DCAP_POINT], const dcap_quote *quote,
                    const dcap_collateral *collateral, int64_t now, vs_arena *a, dcap_result *out,
                    vs_error *err)
{
    dcap_result r = no_times();
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_CLEANUP(vs_crl_free) vs_crl *root_crl = NULL;
    dcap_tcb_info *info = VS_NEW(a, dcap_tcb_info);
    dcap_qe_identity id;
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(verify_quote(root, quote, now, &chain, &r, err));
    VS_TRY(check_revocation(root, chain, collateral, now, &r, &root_crl, err));
    VS_TRY(read_tcb_info(root, collateral, root_crl, now, a, &r, info, err));
    VS_TRY(read_qe_identity(root, collateral, root_crl, now, a, &r, &id, err));
    VS_TRY(judge(quote, info, &id, a, &r, err));
    VS_TRY(hash_root(root, r.root_key_id, err));
    r.expired = r.earliest_expiration <= now;
    *out = r;
    return VS_OK;
}
