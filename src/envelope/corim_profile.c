/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the Arm CCA profiles (cca.md 6.2). */
#include "envelope/corim_parts.h"

enum { TAG_UEID = 550, TAG_PKIX_KEY = 554, TAG_BYTES = 560 };

/* One item with this tag: the byte or text string behind it; empty when it is none such. */
static vs_span tagged(vs_span item, uint64_t tag, bool text)
{
    vs_cbor c = vs_cbor_of(item, NULL);
    if (vs_cbor_peek(&c) != VS_CBOR_TAG || vs_cbor_tag(&c) != tag)
        return (vs_span){NULL, 0};
    vs_span s = text ? vs_cbor_text(&c) : vs_cbor_bytes(&c);
    return vs_cbor_end(&c) == VS_OK ? s : (vs_span){NULL, 0};
}

/* The only element of an array with this tag. */
static vs_span only_tagged(vs_span array, uint64_t tag, bool text)
{
    vs_cbor c = vs_cbor_of(array, NULL);
    if (vs_cbor_peek(&c) != VS_CBOR_ARRAY || vs_cbor_array(&c) != 1)
        return (vs_span){NULL, 0};
    return tagged(vs_cbor_skip(&c), tag, text);
}

static bool is_digest_size(size_t n)
{
    return n == 32 || n == 48 || n == 64;
}

static bool digests_ok(const corim_measurement *m)
{
    for (size_t i = 0; i < m->n_digests; i++)
        if (!is_digest_size(m->digests[i].value.n))
            return false;
    return m->n_digests > 0;
}

static bool has_key(const corim_measurement *m, const char *key)
{
    return m->key == CORIM_KEY_TEXT && vs_span_is(m->key_bytes, key);
}

/* ---- platform -------------------------------------------------------------------------------- */

static vs_code check_component(const corim_measurement *m, vs_error *err)
{
    if (!digests_ok(m))
        return vs_fail(err, VS_E_INVALID,
                       "a software component needs digests of 32, 48 or 64 "
                       "bytes");
    if (!is_digest_size(only_tagged(m->crypto_keys, TAG_BYTES, false).n))
        return vs_fail(err, VS_E_INVALID, "a software component needs exactly one signer id");
    return VS_OK;
}

static vs_code check_platform(const corim_reference *r, vs_error *err)
{
    size_t components = 0, configs = 0;
    if (tagged(r->class_id, TAG_BYTES, false).n != 32)
        return vs_fail(err, VS_E_INVALID, "the class id must be an implementation id of 32 bytes");
    for (size_t i = 0; i < r->n; i++) {
        const corim_measurement *m = &r->measurements[i];
        if (has_key(m, "cca.software-component")) {
            components++;
            VS_TRY(check_component(m, err));
        } else if (!has_key(m, "cca.platform-config")) {
            return vs_fail(err, VS_E_INVALID,
                           "measurement %zu has a key that is not the "
                           "profile's",
                           i + 1);
        } else if (++configs > 1 || !(m->raw_is_masked || (m->raw.p && m->raw_mask.p))) {
            return vs_fail(err, VS_E_INVALID,
                           "one platform configuration at most, a value with a "
                           "mask");
        }
    }
    return components ? VS_OK : vs_fail(err, VS_E_INVALID, "no software component");
}

static vs_code check_platform_key(const corim_key_triple *k, vs_error *err)
{
    vs_span ueid = tagged(k->instance, TAG_UEID, false);
    if (tagged(k->class_id, TAG_BYTES, false).n != 32)
        return vs_fail(err, VS_E_INVALID, "the class id must be an implementation id of 32 bytes");
    if (ueid.n != 33 || ueid.p[0] != 1)
        return vs_fail(err, VS_E_INVALID, "the instance must be an UEID of 33 bytes, type RAND");
    if (!only_tagged(k->keys, TAG_PKIX_KEY, true).n)
        return vs_fail(err, VS_E_INVALID, "exactly one public key (tag %d) is needed",
                       TAG_PKIX_KEY);
    return VS_OK;
}

/* ---- realm ----------------------------------------------------------------------------------- */

static vs_code check_realm(const corim_reference *r, vs_error *err)
{
    static const char *const digests[] = {"cca.rim", "cca.rem0", "cca.rem1", "cca.rem2",
                                          "cca.rem3"};
    size_t rims = 0;
    if (!is_digest_size(tagged(r->class_id, TAG_BYTES, false).n))
        return vs_fail(err, VS_E_INVALID, "the class id must be an initial measurement, as bytes");
    for (size_t i = 0; i < r->n; i++) {
        const corim_measurement *m = &r->measurements[i];
        size_t k = 0;
        while (k < VS_COUNT(digests) && !has_key(m, digests[k]))
            k++;
        rims += k == 0;
        if (k == VS_COUNT(digests) && !has_key(m, "cca.rpv"))
            return vs_fail(err, VS_E_INVALID,
                           "measurement %zu has a key that is not the "
                           "profile's",
                           i + 1);
        if (k == VS_COUNT(digests) ? !m->raw.p : m->n_digests != 1 || !digests_ok(m))
            return vs_fail(err, VS_E_INVALID, "measurement %zu (%.*s) needs %s", i + 1,
                           VS_FMT(m->key_bytes),
                           k == VS_COUNT(digests) ? "a raw value" : "exactly one digest");
    }
    return rims == 1 ? VS_OK : vs_fail(err, VS_E_INVALID, "%zu cca.rim instead of one", rims);
}

static vs_code check_realm_key(const corim_key_triple *k, vs_error *err)
{
    (void)k;
    return vs_fail(err, VS_E_INVALID, "the profile has no keys");
}

/* ---- which ----------------------------------------------------------------------------------- */

static const struct {
    const char *uri;
    vs_code (*reference)(const corim_reference *r, vs_error *err);
    vs_code (*key)(const corim_key_triple *k, vs_error *err);
} profiles[] = {{"tag:arm.com,2025:cca_platform#1.0.0", check_platform, check_platform_key},
                {"tag:arm.com,2025:cca_realm#1.0.0", check_realm, check_realm_key}};

vs_code corim_check_profile(const corim *c, vs_error *err)
{
    size_t p = 0;
    while (p < VS_COUNT(profiles) && !vs_span_is(c->profile, profiles[p].uri))
        p++;
    if (p == VS_COUNT(profiles))
        return VS_OK;
    for (size_t i = 0; i < c->n; i++)
        VS_TRY_WRAP(profiles[p].reference(&c->references[i], err), err, "reference triple %zu",
                    i + 1);
    for (size_t i = 0; i < c->n_keys; i++)
        VS_TRY_WRAP(profiles[p].key(&c->keys[i], err), err, "key triple %zu", i + 1);
    return VS_OK;
}
