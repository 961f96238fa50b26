/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/dcap/trust.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/stamp.h"
#include "tee/dcap/rawjson.h"
#include "tee/evidence.h"

enum {
    FILE_MAX = 16 << 20,
    ARENA_MAX = 8 * FILE_MAX,
    CHAIN_MAX = 64 * 1024,
    DOCUMENT_MAX = 1 << 20,
    CRL_MAX = 4 << 20,
};

struct dcap_trust {
    char *file;
    bool standard;
    uint8_t root[DCAP_POINT];
    pthread_rwlock_t lock; /* guards all below; held for reading by verifications */
    vs_buf text;           /* of the file */
    vs_arena arena;        /* what was read of it */
    dcap_file read;
    vs_stamp seen;
    bool young;
    vs_code broken; /* the last reading failed, with `why` */
    vs_error why;
};

/* ---- the form of the file ---------------------------------------------------------------------
 */

/* Percent-encoded text (RFC 3986 section 2.1), as in HTTP headers of Intel's service. */
static vs_code unescape(vs_arena *a, vs_val object, const char *key, vs_span *out, vs_error *err)
{
    vs_val text;
    VS_TRY(vs_need(object, key, VS_STRING, &text, err));
    vs_span in = vs_text(text);
    if (in.n > CHAIN_MAX)
        return vs_fail(err, VS_E_LIMIT, "\"%s\" has %zu bytes", key, in.n);
    uint8_t *p = vs_alloc(a, in.n);
    VS_TRY(vs_arena_check(a, err));
    size_t n = 0;
    for (size_t i = 0; i < in.n; n++) {
        vs_span byte;
        if (in.p[i] != '%') {
            p[n] = in.p[i++];
            continue;
        }
        if (in.n - i < 3)
            return vs_fail(err, VS_E_PARSE, "\"%s\" ends inside an escape", key);
        VS_TRY_WRAP(vs_hex_decode_arena(a, vs_span_of(in.p + i + 1, 2), &byte, err), err, "\"%s\"",
                    key);
        p[n] = byte.p[0];
        i += 3;
    }
    *out = vs_span_of(p, n);
    return VS_OK;
}

/* {"<name>": {...}, "signature": "<hex>"}: what is signed as it is signed, and the signature. */
static vs_code read_document(vs_arena *a, vs_span text, const char *name, vs_span *signed_bytes,
                             vs_span *signature, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf compact = VS_BUF(DOCUMENT_MAX);
    vs_val whole;
    VS_TRY(vs_json_parse(a, text, NULL, &whole, err));
    VS_TRY(evidence_hex(a, whole, "signature", 64, signature, err));
    rawjson_minify(&compact, rawjson_member(text, name));
    VS_TRY(vs_buf_check(&compact, err));
    if (!compact.n)
        return vs_fail(err, VS_E_INVALID, "member \"%s\" is missing", name);
    *signed_bytes = vs_dup(a, vs_buf_span(&compact));
    return vs_arena_check(a, err);
}

/* Of the two update channels the wanted one; "early" where there is no other. */
static vs_span choose(vs_span object, const char *standard_key, const char *early_key,
                      bool standard)
{
    vs_span early = standard ? (vs_span){NULL, 0} : rawjson_member(object, early_key);
    return early.n && !vs_span_is(early, "null") ? early : rawjson_member(object, standard_key);
}

/* The entry of the array of TCB infos for this kind of platform. */
static vs_code find_platform(vs_arena *a, vs_val collaterals, vs_span raw, const uint8_t fmspc[6],
                             vs_span *out, vs_error *err)
{
    vs_val infos;
    vs_span texts = rawjson_member(raw, "tcbinfos"), wanted = vs_span_of(fmspc, 6), id;
    VS_TRY(vs_need(collaterals, "tcbinfos", VS_ARRAY, &infos, err));
    for (VS_ARR_FOR (info, infos)) {
        if (!rawjson_next(&texts, out))
            return vs_fail(err, VS_E_INTERNAL, "text and value of \"tcbinfos\" differ");
        VS_TRY_WRAP(evidence_hex(a, *info, "fmspc", 6, &id, err), err, "\"tcbinfos\"");
        if (vs_span_eq(id, wanted))
            return VS_OK;
    }
    return vs_fail(err, VS_E_NOT_FOUND, "there is no TCB info for FMSPC %.*s",
                   VS_FMT(vs_hex_encode_arena(a, wanted)));
}

static vs_code read_chains(vs_arena *a, vs_val collaterals, bool platform, dcap_collateral *out,
                           vs_error *err)
{
    vs_val certificates, pck;
    VS_TRY(vs_need(collaterals, "certificates", VS_OBJECT, &certificates, err));
    VS_TRY(vs_need(certificates, "SGX-PCK-Certificate-Issuer-Chain", VS_OBJECT, &pck, err));
    VS_TRY(unescape(a, certificates, "TCB-Info-Issuer-Chain", &out->tcb_info_chain, err));
    VS_TRY(unescape(a, certificates, "SGX-Enclave-Identity-Issuer-Chain", &out->qe_identity_chain,
                    err));
    return unescape(a, pck, platform ? "PLATFORM" : "PROCESSOR", &out->pck_crl_chain, err);
}

static vs_code read_crls(vs_arena *a, vs_val collaterals, bool platform, dcap_collateral *out,
                         vs_error *err)
{
    vs_val crls;
    VS_TRY(vs_need(collaterals, "pckcacrl", VS_OBJECT, &crls, err));
    VS_TRY(evidence_hex(a, crls, platform ? "platformCrl" : "processorCrl", CRL_MAX, &out->pck_crl,
                        err));
    return evidence_hex(a, collaterals, "rootcacrl", CRL_MAX, &out->root_crl, err);
}

static vs_code read_collateral(vs_arena *a, const dcap_file *file, const uint8_t fmspc[6],
                               bool platform, bool standard, dcap_collateral *out, vs_error *err)
{
    vs_val collaterals;
    vs_span entry, raw = rawjson_member(file->text, "collaterals");
    VS_TRY(vs_need(file->json, "collaterals", VS_OBJECT, &collaterals, err));
    VS_TRY(find_platform(a, collaterals, raw, fmspc, &entry, err));
    VS_TRY_WRAP(read_document(a, choose(entry, "tdx_tcbinfo", "tdx_tcbinfo_early", standard),
                              "tcbInfo", &out->tcb_info, &out->tcb_info_signature, err),
                err, "TCB info");
    VS_TRY_WRAP(read_document(a, choose(raw, "tdqeidentity", "tdqeidentity_early", standard),
                              "enclaveIdentity", &out->qe_identity, &out->qe_identity_signature,
                              err),
                err, "QE identity");
    VS_TRY(read_chains(a, collaterals, platform, out, err));
    return read_crls(a, collaterals, platform, out, err);
}

vs_code dcap_collateral_of(vs_arena *a, const dcap_file *file, const uint8_t fmspc[6],
                           bool platform, bool standard, dcap_collateral *out, vs_error *err)
{
    *out = (dcap_collateral){0};
    VS_TRY_WRAP(read_collateral(a, file, fmspc, platform, standard, out, err), err,
                "TDX collateral");
    return VS_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* With the lock held for writing, or before others know of it. */
static vs_code read_file(dcap_trust *t, vs_error *err)
{
    VS_TRY(vs_read_file(t->file, &t->text, err));
    t->read.text = vs_buf_span(&t->text);
    return vs_json_parse(&t->arena, t->read.text, NULL, &t->read.json, err);
}

static void read_again(dcap_trust *t)
{
    t->seen = vs_stamp_of(t->file);
    t->young = vs_stamp_is_young(&t->seen);
    t->why = (vs_error){0};
    t->read = (dcap_file){0};
    vs_buf_clear(&t->text);
    vs_arena_reset(&t->arena);
    t->broken = read_file(t, &t->why);
    if (t->broken != VS_OK)
        (void)vs_wrap(&t->why, "TDX collateral: %s", t->file);
}

vs_code dcap_trust_new(const dcap_trust_options *options, dcap_trust **out, vs_error *err)
{
    VS_CLEANUP(dcap_trust_free) dcap_trust *t = calloc(1, sizeof *t);
    if (!t)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the trust in TDX");
    (void)pthread_rwlock_init(&t->lock, NULL);
    t->text.cap = FILE_MAX;
    vs_arena_init(&t->arena, ARENA_MAX);
    t->standard = options->standard;
    memcpy(t->root, options->root ? options->root : dcap_intel_root, DCAP_POINT);
    if (options->file) {
        if (!(t->file = strdup(options->file)))
            return vs_fail(err, VS_E_NOMEM, "out of memory for the trust in TDX");
        read_again(t);
        if (t->broken != VS_OK) {
            if (err)
                *err = t->why;
            return t->broken;
        }
    }
    *out = t;
    t = NULL;
    return VS_OK;
}

void dcap_trust_free(dcap_trust **t)
{
    if (!*t)
        return;
    (void)pthread_rwlock_destroy(&(*t)->lock);
    vs_buf_free(&(*t)->text);
    vs_arena_free(&(*t)->arena);
    free((*t)->file);
    free(*t);
    *t = NULL;
}

const char *dcap_trust_file(const dcap_trust *t)
{
    return t ? t->file : NULL;
}

/* ---- verification ---------------------------------------------------------------------------- */

static bool is_current(const dcap_trust *t)
{
    vs_stamp now = vs_stamp_of(t->file);
    return !t->young && vs_stamp_eq(&now, &t->seen);
}

/* Holds the lock for reading when it returns. */
static void take(dcap_trust *t)
{
    (void)pthread_rwlock_rdlock(&t->lock);
    if (is_current(t))
        return;
    (void)pthread_rwlock_unlock(&t->lock);
    (void)pthread_rwlock_wrlock(&t->lock);
    if (!is_current(t)) /* of those that wait, one reads */
        read_again(t);
    (void)pthread_rwlock_unlock(&t->lock);
    (void)pthread_rwlock_rdlock(&t->lock);
}

static vs_code verify(const dcap_trust *t, const dcap_quote *quote, int64_t now, vs_arena *a,
                      dcap_result *out, vs_error *err)
{
    dcap_pck pck;
    dcap_collateral collateral;
    if (t->broken != VS_OK) {
        if (err)
            *err = t->why;
        return t->broken;
    }
    VS_TRY(dcap_verify_quote(t->root, quote, now, NULL, &pck, err));
    VS_TRY(dcap_collateral_of(a, &t->read, pck.fmspc, pck.platform, t->standard, &collateral, err));
    return dcap_verify(t->root, quote, &collateral, now, a, out, err);
}

vs_code dcap_trust_verify(dcap_trust *t, const dcap_quote *quote, int64_t now, vs_arena *a,
                          dcap_result *out, vs_error *err)
{
    if (!t->file)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "no TDX collateral is configured: \"dcap_verifier.collateral_service\" must "
                       "be a file:// URL (Intel's service is not asked during attestation)");
    take(t);
    vs_code code = verify(t, quote, now, a, out, err);
    (void)pthread_rwlock_unlock(&t->lock);
    return code;
}
