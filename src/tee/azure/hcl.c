/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/azure/hcl.h"

#include "tee/cursor.h"
#include "tee/evidence.h"
#include "tee/tee.h"

enum {
    SIGNATURE = 0x414c4348, /* "HCLA" */
    VERSION_MAX = 2,
    REQUEST_REPORT = 2,
    DATA_VERSION = 1,
    DATA_HEAD = 20,
    HASH_SHA256 = 1,
    HEAD = 32,
    KEYS_MAX = 16,
};

static vs_code check_head(uint32_t signature, uint32_t version, uint32_t request, uint32_t status,
                          vs_error *err)
{
    if (signature != SIGNATURE)
        return vs_fail(err, VS_E_INVALID, "it does not start with \"HCLA\"");
    if (version < 1 || version > VERSION_MAX)
        return vs_fail(err, VS_E_UNSUPPORTED, "version %u, known are 1 to %d", version,
                       VERSION_MAX);
    if (request != REQUEST_REPORT || status != 0)
        return vs_fail(err, VS_E_INVALID, "request type %u with status %u, must be %d with 0",
                       request, status, REQUEST_REPORT);
    return VS_OK;
}

static vs_code check_data_head(uint32_t version, uint32_t type, uint32_t hash, hcl_type want,
                               vs_error *err)
{
    if (version != DATA_VERSION)
        return vs_fail(err, VS_E_UNSUPPORTED, "data of version %u, known is %d", version,
                       DATA_VERSION);
    if (type != (uint32_t)want)
        return vs_fail(err, VS_E_INVALID, "report type %u instead of %d", type, want);
    if (hash != HASH_SHA256)
        return vs_fail(err, VS_E_UNSUPPORTED, "digest type %u, known is SHA-256 (%d)", hash,
                       HASH_SHA256);
    return VS_OK;
}

static vs_code parse(vs_span in, hcl_type want, hcl_report *out, vs_error *err)
{
    vs_cursor c = vs_cursor_of(in, err);
    uint32_t signature = le_u32(&c), version = le_u32(&c), size = le_u32(&c);
    uint32_t request = le_u32(&c), status = le_u32(&c);
    VS_TRY(c.code);
    VS_TRY(check_head(signature, version, request, status, err));
    vs_cursor_zeros(&c, 12, "reserved part");
    out->hardware = vs_cursor_take(&c, HCL_HARDWARE_SIZE);
    uint32_t data_size = le_u32(&c), data_version = le_u32(&c), type = le_u32(&c);
    uint32_t hash = le_u32(&c), n = le_u32(&c);
    VS_TRY(c.code);
    VS_TRY(check_data_head(data_version, type, hash, want, err));
    out->variable_data = vs_cursor_take(&c, n);
    VS_TRY(c.code);
    if (data_size != DATA_HEAD + n || size != HEAD + HCL_HARDWARE_SIZE + data_size)
        return vs_fail(err, VS_E_INVALID, "sizes %u, %u and %u do not agree", size, data_size, n);
    vs_cursor_zeros(&c, vs_cursor_left(&c), "padding");
    return vs_cursor_end(&c);
}

vs_code hcl_find_type(vs_span in, hcl_type *out, vs_error *err)
{
    if (!vs_span_starts(in, VS_LIT("HCLA")))
        return vs_fail(err, VS_E_NOT_FOUND, "no HCL report: it does not start with \"HCLA\"");
    vs_cursor c = vs_cursor_of(in, err);
    (void)vs_cursor_take(&c, HEAD + HCL_HARDWARE_SIZE + 8);
    uint32_t type = le_u32(&c);
    VS_TRY_WRAP(c.code, err, "HCL report");
    if (type != HCL_SNP && type != HCL_TDX)
        return vs_fail(err, VS_E_NOT_FOUND, "the HCL report is of type %u, neither of SNP nor TDX",
                       type);
    *out = (hcl_type)type;
    return VS_OK;
}

vs_code hcl_parse(vs_arena *a, vs_span in, hcl_type want, hcl_report *out, vs_error *err)
{
    hcl_report r = {0};
    VS_TRY_WRAP(parse(in, want, &r, err), err, "HCL report");
    VS_TRY_WRAP(vs_json_parse(a, r.variable_data, NULL, &r.json, err), err,
                "variable data of the HCL report");
    if (r.json.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "variable data of the HCL report is no object");
    *out = r;
    return VS_OK;
}

vs_code hcl_check_binding(const hcl_report *r, vs_span hardware_report_data, vs_error *err)
{
    uint8_t digest[VS_HASH_MAX];
    vs_span none = {NULL, 0};
    VS_TRY(vs_digest(VS_SHA256, r->variable_data, none, none, digest, err));
    return vs_tee_match(vs_span_of(digest, vs_hash_size(VS_SHA256)), hardware_report_data, false,
                        "digest of the HCL report's variable data", err);
}

static vs_code find_key(vs_val keys, const char *kid, vs_val *out, vs_error *err)
{
    *out = vs_undefined();
    if (keys.len > KEYS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%u keys", keys.len);
    for (VS_ARR_FOR (key, keys)) {
        if (!vs_span_is(vs_text(vs_getc(*key, "kid")), kid))
            continue;
        if (vs_defined(*out))
            return vs_fail(err, VS_E_INVALID, "two keys \"%s\"", kid);
        *out = *key;
    }
    return vs_defined(*out) ? VS_OK : vs_fail(err, VS_E_INVALID, "no key \"%s\"", kid);
}

static vs_code read_key(const hcl_report *r, vs_key **out, vs_error *err)
{
    vs_val keys, jwk;
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_TRY(vs_need(r->json, "keys", VS_ARRAY, &keys, err));
    VS_TRY(find_key(keys, "HCLAkPub", &jwk, err));
    VS_TRY(vs_key_from_jwk(jwk, false, true, &key, NULL, err));
    if (vs_key_kind(key) != VS_KEY_RSA)
        return vs_fail(err, VS_E_UNSUPPORTED, "\"HCLAkPub\" is not an RSA key");
    *out = key;
    key = NULL;
    return VS_OK;
}

vs_code hcl_attestation_key(const hcl_report *r, vs_key **out, vs_error *err)
{
    VS_TRY_WRAP(read_key(r, out, err), err, "attestation key of the HCL report");
    return VS_OK;
}

vs_code hcl_check_user_data(const hcl_report *r, vs_span expected, vs_arena *a, vs_error *err)
{
    vs_span data;
    VS_TRY_WRAP(evidence_hex(a, r->json, "user-data", HCL_USER_DATA, &data, err), err,
                "variable data of the HCL report");
    if (data.n != HCL_USER_DATA)
        return vs_fail(err, VS_E_INVALID, "\"user-data\" of the HCL report has %zu bytes", data.n);
    return vs_tee_match(expected, data, false, "\"user-data\" of the HCL report", err);
}
