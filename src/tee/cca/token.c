/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/known.h"

#include "value/cbor.h"

/* The byte string of an entry in either form. */
static vs_span read_entry(vs_cbor *c, unsigned tag)
{
    if (tag == CCA_TAG_EAT)
        return vs_cbor_bytes(c);
    if (vs_cbor_array(c) != 2)
        (void)vs_cbor_fail(c, VS_E_INVALID, "entry is not an array of content format and bytes");
    uint64_t format = vs_cbor_uint(c);
    if (c->code == VS_OK && format != CCA_CMW_CONTENT_FORMAT)
        (void)vs_cbor_fail(c, VS_E_INVALID, "entry has content format %llu, must have %d",
                           (unsigned long long)format, CCA_CMW_CONTENT_FORMAT);
    return vs_cbor_bytes(c);
}

/* RMM 2.0 reserves further entries of the CMW collection; the EAT form has exactly two. */
static void read_entries(vs_cbor *c, cca_token *out)
{
    size_t n = vs_cbor_map(c);
    for (size_t i = 0; i < n && c->code == VS_OK; i++) {
        int64_t key = vs_cbor_int(c);
        if (key == CCA_KEY_PLATFORM)
            out->platform_bytes = read_entry(c, out->tag);
        else if (key == CCA_KEY_REALM)
            out->realm_bytes = read_entry(c, out->tag);
        else if (out->tag == CCA_TAG_CMW)
            (void)vs_cbor_skip(c);
        else
            (void)vs_cbor_fail(c, VS_E_INVALID, "unknown entry %lld", (long long)key);
    }
}

static vs_code read_outer(vs_span in, cca_token *out, vs_error *err)
{
    VS_TRY(vs_cbor_check(in, err));
    vs_cbor c = vs_cbor_of(in, err);
    uint64_t tag = vs_cbor_tag(&c);
    if (c.code == VS_OK && tag != CCA_TAG_EAT && tag != CCA_TAG_CMW)
        return vs_fail(err, VS_E_INVALID, "tag %llu is neither %d nor %d", (unsigned long long)tag,
                       CCA_TAG_EAT, CCA_TAG_CMW);
    out->tag = (unsigned)tag;
    read_entries(&c, out);
    VS_TRY(vs_cbor_end(&c));
    if (!out->platform_bytes.n)
        return vs_fail(err, VS_E_INVALID, "platform token (%d) is missing", CCA_KEY_PLATFORM);
    if (!out->realm_bytes.n)
        return vs_fail(err, VS_E_INVALID, "realm token (%d) is missing", CCA_KEY_REALM);
    return VS_OK;
}

/* Offsets in errors of a part count from its beginning. */
static size_t place(vs_span whole, vs_span part)
{
    return (size_t)(part.p - whole.p);
}

/* Whose encoding is wrong: an error with an offset. */
static vs_code in_claims(vs_span whole, vs_span claims, vs_code code, vs_error *err)
{
    if (code == VS_E_PARSE || code == VS_E_LIMIT)
        (void)vs_wrap(err, "claims from byte %zu on", place(whole, claims));
    return code;
}

vs_code cca_token_open(vs_span in, cca_token *out, vs_error *err)
{
    *out = (cca_token){.whole = in};
    if (in.n > CCA_TOKEN_MAX)
        return vs_fail(err, VS_E_LIMIT, "CCA token has %zu bytes, allowed are %d", in.n,
                       CCA_TOKEN_MAX);
    VS_TRY_WRAP(read_outer(in, out, err), err, "CCA token");
    VS_TRY_WRAP(vs_cose_parse(out->platform_bytes, &out->platform_cose, err), err,
                "platform token from byte %zu on", place(in, out->platform_bytes));
    VS_TRY_WRAP(vs_cose_parse(out->realm_bytes, &out->realm_cose, err), err,
                "realm token from byte %zu on", place(in, out->realm_bytes));
    return VS_OK;
}

vs_code cca_token_claims(vs_arena *a, cca_token *t, vs_error *err)
{
    vs_span platform = t->platform_cose.payload, realm = t->realm_cose.payload;
    if (t->known)
        t->platform = t->known->platform;
    else
        VS_TRY(in_claims(t->whole, platform, cca_platform_decode(a, platform, &t->platform, err),
                         err));
    return in_claims(t->whole, realm, cca_realm_decode(realm, &t->realm, err), err);
}

vs_code cca_token_decode(vs_arena *a, vs_span in, cca_token *out, vs_error *err)
{
    VS_TRY(cca_token_open(in, out, err));
    return cca_token_claims(a, out, err);
}
