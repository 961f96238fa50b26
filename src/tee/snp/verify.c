/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/snp/verify.h"

#include "crypto/der.h"

#define OID_STRUCT_VERSION "1.3.6.1.4.1.3704.1.1"
#define OID_PRODUCT        "1.3.6.1.4.1.3704.1.2"
#define OID_SPL(n)         "1.3.6.1.4.1.3704.1.3." n
#define OID_HARDWARE_ID    "1.3.6.1.4.1.3704.1.4"
#define OID_CSP_ID         "1.3.6.1.4.1.3704.1.5"

enum { STRUCT_VERSION_MAX = 1, NAME_MAX_BYTES = 256 };

/* ---- the chain --------------------------------------------------------------------------------
 */

/* A root that comes with the evidence may only be the one that is trusted anyway. */
static vs_code check_ark(const snp_roots *roots, vs_span given, vs_error *err)
{
    if (!given.n)
        return VS_OK;
    VS_CLEANUP(vs_certs_free) vs_certs *ark = NULL;
    VS_CLEANUP(vs_key_free) vs_key *theirs = NULL;
    VS_CLEANUP(vs_key_free) vs_key *ours = NULL;
    VS_TRY(snp_certificate(given, &ark, err));
    VS_TRY(vs_certs_key(ark, 0, &theirs, err));
    VS_TRY(vs_certs_key(roots->ark, 0, &ours, err));
    return vs_key_public_eq(theirs, ours)
               ? VS_OK
               : vs_fail(err, VS_E_UNTRUSTED, "the ARK of the evidence is not AMD's");
}

/* The issuer: of the evidence, else AMD's published one for this kind of key. */
static vs_code add_issuer(const snp_roots *roots, snp_signer signer, vs_span given, vs_certs *chain,
                          vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *ask = NULL;
    if (!given.n)
        return vs_certs_add(chain, signer == SNP_BY_VLEK ? roots->asvk : roots->ask, err);
    VS_TRY(snp_certificate(given, &ask, err));
    return vs_certs_add(chain, ask, err);
}

/* The signing key's certificate at 0, its issuer behind it; up to a trusted root, valid now. */
static vs_code build_chain(const snp_trust *t, const snp_report *r, const snp_given *given,
                           int64_t now, vs_certs **out, vs_error *err)
{
    const snp_roots *roots = snp_trust_roots(t, r->generation);
    vs_span leaf = r->signer == SNP_BY_VLEK ? given->vlek : given->vcek;
    const char *name = r->signer == SNP_BY_VLEK ? "VLEK" : "VCEK";
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_TRY_WRAP(check_ark(roots, given->ark, err), err, "ARK");
    if (leaf.n)
        VS_TRY_WRAP(snp_certificate(leaf, &chain, err), err, "%s", name);
    else if (r->signer == SNP_BY_VLEK)
        return vs_fail(err, VS_E_NOT_FOUND,
                       "the report is signed by a VLEK and the evidence has none");
    else
        VS_TRY(snp_trust_find_vcek(t, r, &chain, err));
    VS_TRY_WRAP(add_issuer(roots, r->signer, given->ask, chain, err), err, "ASK");
    VS_TRY_WRAP(vs_certs_verify(chain, roots->ark, now, err), err, "%s of %s", name,
                snp_generation_name(r->generation));
    VS_TRY(snp_trust_check_revocation(t, r->generation, chain, now, err));
    *out = chain;
    chain = NULL;
    return VS_OK;
}

/* ---- what the certificate is for --------------------------------------------------------------
 */

static vs_code check_name(const vs_certs *c, snp_signer signer, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf cn = VS_BUF(NAME_MAX_BYTES);
    const char *want = signer == SNP_BY_VLEK ? "SEV-VLEK" : "SEV-VCEK";
    VS_TRY(vs_certs_common_name(c, 0, &cn, err));
    if (!vs_span_is(vs_buf_span(&cn), want))
        return vs_fail(err, VS_E_MISMATCH, "common name is not %s", want);
    return VS_OK;
}

static vs_code read_uint(const vs_certs *c, const char *oid, uint64_t most, uint64_t *out,
                         vs_error *err)
{
    vs_span value;
    VS_TRY(vs_certs_extension(c, 0, oid, &value, err));
    VS_TRY_WRAP(vs_der_only_uint(value, VS_DER_INTEGER, most, out, err), err, "extension %s", oid);
    return VS_OK;
}

/* "Milan-B0" is a Milan. */
static vs_code check_product(const vs_certs *c, snp_generation g, vs_error *err)
{
    vs_span value, text, stepping;
    uint64_t version;
    VS_TRY(read_uint(c, OID_STRUCT_VERSION, STRUCT_VERSION_MAX, &version, err));
    VS_TRY(vs_certs_extension(c, 0, OID_PRODUCT, &value, err));
    VS_TRY_WRAP(vs_der_only(value, VS_DER_IA5, &text, err), err, "product name");
    if (!vs_span_is(vs_span_cut(text, '-', &stepping, NULL), snp_generation_name(g)))
        return vs_fail(err, VS_E_MISMATCH, "it is for another product than %s",
                       snp_generation_name(g));
    return VS_OK;
}

static vs_code check_tcb(const vs_certs *c, const snp_report *r, vs_error *err)
{
    const snp_tcb *t = &r->reported;
    const struct {
        const char *oid, *name;
        uint8_t want;
    } parts[] = {
        {OID_SPL("1"), "boot loader", t->bootloader},
        {OID_SPL("2"), "TEE", t->tee},
        {OID_SPL("3"), "SNP firmware", t->snp},
        {OID_SPL("8"), "microcode", t->microcode},
        {OID_SPL("9"), "FMC", t->fmc}, /* the last: of Turin only */
    };
    size_t n = VS_COUNT(parts) - (r->generation == SNP_TURIN ? 0 : 1);
    for (size_t i = 0; i < n; i++) {
        uint64_t got;
        VS_TRY(read_uint(c, parts[i].oid, UINT8_MAX, &got, err));
        if (got != parts[i].want)
            return vs_fail(err, VS_E_MISMATCH,
                           "it is for %s version %u, the report's TCB has version %u",
                           parts[i].name, (unsigned)got, parts[i].want);
    }
    return VS_OK;
}

/* Raw bytes in older certificates, an OCTET STRING in newer ones. */
static vs_code check_chip(const vs_certs *c, const snp_report *r, vs_error *err)
{
    static const uint8_t zeros[64];
    vs_span id, inner;
    size_t n = r->generation == SNP_TURIN ? 8 : 64;
    VS_TRY(vs_certs_extension(c, 0, OID_HARDWARE_ID, &id, err));
    if (id.n != n) {
        VS_TRY_WRAP(vs_der_only(id, VS_DER_OCTETS, &inner, err), err, "hardware id");
        id = inner;
    }
    if (id.n != n)
        return vs_fail(err, VS_E_INVALID, "hardware id of %zu bytes instead of %zu", id.n, n);
    if (vs_span_eq(r->chip_id, vs_span_of(zeros, sizeof zeros)))
        return VS_OK; /* masked by the platform's owner */
    if (!vs_span_eq(id, vs_span_head(r->chip_id, n)) ||
        !vs_span_eq(vs_span_from(r->chip_id, n), vs_span_of(zeros, 64 - n)))
        return vs_fail(err, VS_E_MISMATCH, "it is another chip's than the report's");
    return VS_OK;
}

static vs_code read_csp(const vs_certs *c, vs_arena *a, vs_span *out, vs_error *err)
{
    vs_span value, text;
    VS_TRY(vs_certs_extension(c, 0, OID_CSP_ID, &value, err));
    VS_TRY_WRAP(vs_der_only(value, VS_DER_IA5, &text, err), err, "cloud provider's id");
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return vs_fail(err, VS_E_INVALID, "cloud provider's id is not printable");
    *out = vs_dup(a, text);
    return vs_arena_check(a, err);
}

static vs_code check_leaf(const vs_certs *c, const snp_report *r, vs_arena *a, vs_span *csp_id,
                          vs_error *err)
{
    *csp_id = (vs_span){NULL, 0};
    VS_TRY(check_name(c, r->signer, err));
    VS_TRY(check_product(c, r->generation, err));
    VS_TRY(check_tcb(c, r, err));
    if (r->signer == SNP_BY_VLEK)
        return read_csp(c, a, csp_id, err);
    return check_chip(c, r, err);
}

/* ---- the report -------------------------------------------------------------------------------
 */

static vs_code check_signature(const vs_certs *c, const snp_report *r, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_TRY(vs_certs_key(c, 0, &key, err));
    VS_TRY_WRAP(vs_verify(key, VS_ES384, &r->signed_part, 1,
                          vs_span_of(r->signature, sizeof r->signature), err),
                err, "SNP report");
    return VS_OK;
}

vs_code snp_verify(const snp_trust *t, const snp_report *r, const snp_given *given, int64_t now,
                   vs_arena *a, vs_span *csp_id, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_TRY(build_chain(t, r, given, now, &chain, err));
    VS_TRY_WRAP(check_leaf(chain, r, a, csp_id, err), err, "%s",
                r->signer == SNP_BY_VLEK ? "VLEK" : "VCEK");
    return check_signature(chain, r, err);
}
