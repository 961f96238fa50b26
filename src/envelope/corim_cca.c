/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the Arm CCA profiles, and what is endorsed when they hold (cca.md 6.2). */
#include "envelope/corim_parts.h"

enum {
    TAG_UEID = 550,
    TAG_PKIX_KEY = 554,
    TAG_BYTES = 560,
    TAG_IMPLEMENTATION = 600, /* the older profiles' own */
    TAG_PSA_REFVAL = 601,
    TAG_PLATFORM_CONFIG = 602,
    IMPLEMENTATION_SIZE = 32,
    INSTANCE_SIZE = 33,
};

/* One item with this tag: the byte or text string behind it; p == NULL when it is none such. */
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

static bool digests_ok(const corim_digest *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_digest_size(d[i].value.n))
            return false;
    return n > 0;
}

static bool has_key(const corim_measurement *m, const char *key)
{
    return m->key == CORIM_KEY_TEXT && vs_span_is(m->key_bytes, key);
}

static vs_code bad_key(size_t i, vs_error *err)
{
    return vs_fail(err, VS_E_INVALID, "measurement %zu has a key that is not the profile's", i + 1);
}

/* ---- platform -------------------------------------------------------------------------------- */

/* A platform while it is read. */
typedef struct platform_reader {
    vs_arena *a;
    corim_cca_component *components;
    corim_cca_platform out;
} platform_reader;

static vs_code add_component(platform_reader *p, const corim_measurement *m, vs_span signer,
                             vs_span type, vs_span version, vs_error *err)
{
    if (!digests_ok(m->digests, m->n_digests))
        return vs_fail(err, VS_E_INVALID,
                       "a software component needs digests of 32, 48 or 64 bytes");
    if (!is_digest_size(signer.n))
        return vs_fail(err, VS_E_INVALID, "a software component needs exactly one signer id");
    vs_span *values = vs_alloc_array(p->a, m->n_digests, sizeof *values);
    VS_TRY(vs_arena_check(p->a, err));
    for (size_t i = 0; i < m->n_digests; i++)
        values[i] = m->digests[i].value;
    p->components[p->out.n++] = (corim_cca_component){
        .values = values, .n = m->n_digests, .signer = signer, .type = type, .version = version};
    return VS_OK;
}

static vs_code set_config(platform_reader *p, vs_span value, vs_span mask, bool mask_needed,
                          vs_error *err)
{
    if (p->out.config.p || !value.p || (mask_needed && !mask.p))
        return vs_fail(err, VS_E_INVALID, "one platform configuration at most, a value%s",
                       mask_needed ? " with a mask" : "");
    if (mask.p && mask.n != value.n)
        return vs_fail(err, VS_E_INVALID,
                       "the mask of the platform configuration has %zu bytes, its value %zu",
                       mask.n, value.n);
    p->out.config = value;
    p->out.mask = mask;
    return VS_OK;
}

static vs_code take_measurement(platform_reader *p, const corim_measurement *m, size_t i,
                                vs_error *err)
{
    if (has_key(m, "cca.software-component"))
        return add_component(p, m, only_tagged(m->crypto_keys, TAG_BYTES, false), m->name,
                             m->version, err);
    if (has_key(m, "cca.platform-config"))
        return set_config(p, m->masked.p ? m->masked : m->raw, m->raw_mask, true, err);
    return bad_key(i, err);
}

/* psa.refval-id: {? 1: type, ? 4: version, 5: signer id} */
static bool read_refval(vs_span item, vs_span *type, vs_span *version, vs_span *signer)
{
    int64_t key;
    vs_cbor c = vs_cbor_of(item, NULL);
    if (vs_cbor_peek(&c) != VS_CBOR_TAG || vs_cbor_tag(&c) != TAG_PSA_REFVAL)
        return false;
    for (size_t n = vs_cbor_map(&c); n > 0 && c.code == VS_OK; n--) {
        if (!corim_int_key(&c, &key))
            continue;
        if (key == 1)
            *type = vs_cbor_text(&c);
        else if (key == 4)
            *version = vs_cbor_text(&c);
        else if (key == 5)
            *signer = vs_cbor_bytes(&c);
        else
            (void)vs_cbor_skip(&c);
    }
    return vs_cbor_end(&c) == VS_OK;
}

static vs_code take_old_measurement(platform_reader *p, const corim_measurement *m, size_t i,
                                    vs_error *err)
{
    vs_span type = {NULL, 0}, version = {NULL, 0}, signer = {NULL, 0};
    if (read_refval(m->key_item, &type, &version, &signer))
        return add_component(p, m, signer, type, version, err);
    if (tagged(m->key_item, TAG_PLATFORM_CONFIG, true).p)
        return set_config(p, m->masked.p ? m->masked : m->raw, m->raw_mask, false, err);
    return bad_key(i, err);
}

static vs_code implementation_of(vs_span class_id, bool old, vs_span *out, vs_error *err)
{
    *out = tagged(class_id, old ? TAG_IMPLEMENTATION : TAG_BYTES, false);
    return out->n == IMPLEMENTATION_SIZE
               ? VS_OK
               : vs_fail(err, VS_E_INVALID, "the class id must be an implementation id of %d bytes",
                         IMPLEMENTATION_SIZE);
}

static vs_code read_platform(vs_arena *a, const corim_reference *r, bool old,
                             corim_cca_platform *out, vs_error *err)
{
    platform_reader p = {.a = a, .out.comid = r->comid};
    VS_TRY(implementation_of(r->env.class_id, old, &p.out.implementation, err));
    if (r->env.instance.p)
        return vs_fail(err, VS_E_INVALID,
                       "reference values are of an implementation, not of an instance");
    p.components = vs_alloc_array(a, r->n, sizeof *p.components);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < r->n; i++)
        VS_TRY((old ? take_old_measurement : take_measurement)(&p, &r->measurements[i], i, err));
    if (p.out.n == 0 && !(old && p.out.config.p)) /* cocli's own template has only that */
        return vs_fail(err, VS_E_INVALID, "no software component");
    p.out.components = p.components;
    *out = p.out;
    return VS_OK;
}

static vs_code read_platform_key(const corim_key_triple *k, bool old, corim_cca_key *out,
                                 vs_error *err)
{
    *out = (corim_cca_key){.comid = k->comid, .instance = tagged(k->env.instance, TAG_UEID, false)};
    VS_TRY(implementation_of(k->env.class_id, old, &out->implementation, err));
    if (out->instance.n != INSTANCE_SIZE || out->instance.p[0] != 1)
        return vs_fail(err, VS_E_INVALID, "the instance must be an UEID of %d bytes, type RAND",
                       INSTANCE_SIZE);
    out->key = only_tagged(k->keys, TAG_PKIX_KEY, true);
    if (!out->key.n)
        return vs_fail(err, VS_E_INVALID, "exactly one public key (tag %d) is needed",
                       TAG_PKIX_KEY);
    return VS_OK;
}

/* ---- realm ----------------------------------------------------------------------------------- */

static const char *const registers[] = {"cca.rim", "cca.rem0", "cca.rem1", "cca.rem2", "cca.rem3"};
enum { OLD_NAME = 4 }; /* the older profile has them without "cca." */

/* The place of one of the above; NULL for other names. */
static vs_span *register_of(corim_cca_realm *out, vs_span name, size_t prefix)
{
    for (size_t i = 0; i < VS_COUNT(registers); i++)
        if (vs_span_is(name, registers[i] + prefix))
            return i == 0 ? &out->rim : &out->rem[i - 1];
    return NULL;
}

static vs_code set_register(vs_span *at, vs_span name, const corim_digest *d, size_t n,
                            vs_error *err)
{
    if (n != 1 || !digests_ok(d, n))
        return vs_fail(err, VS_E_INVALID, "%.*s needs exactly one digest", VS_FMT(name));
    if (at->p)
        return vs_fail(err, VS_E_INVALID, "two %.*s instead of one", VS_FMT(name));
    *at = d->value;
    return VS_OK;
}

static vs_code set_rpv(corim_cca_realm *out, const corim_measurement *m, vs_error *err)
{
    if (!m->raw.p || out->rpv.p)
        return vs_fail(err, VS_E_INVALID, "a personalization value needs %s",
                       m->raw.p ? "to be the only one" : "a raw value");
    out->rpv = m->raw;
    return VS_OK;
}

static vs_code take_realm(vs_arena *a, corim_cca_realm *out, const corim_measurement *m, size_t i,
                          vs_error *err)
{
    (void)a;
    vs_span *at = m->key == CORIM_KEY_TEXT ? register_of(out, m->key_bytes, 0) : NULL;
    if (at)
        return set_register(at, m->key_bytes, m->digests, m->n_digests, err);
    return has_key(m, "cca.rpv") ? set_rpv(out, m, err) : bad_key(i, err);
}

/* {"rim": digests, "rem0": digests, ...} beside the personalization value, if any. */
static vs_code take_old_realm(vs_arena *a, corim_cca_realm *out, const corim_measurement *m,
                              size_t i, vs_error *err)
{
    (void)i;
    if (m->raw.p)
        VS_TRY(set_rpv(out, m, err));
    if (!m->registers.p)
        return VS_OK;
    vs_cbor c = vs_cbor_of(m->registers, err);
    for (size_t n = vs_cbor_map(&c); n > 0 && c.code == VS_OK; n--) {
        corim_measurement one = {0};
        vs_span name = vs_cbor_text(&c);
        corim_read_digests(a, &c, &one);
        VS_TRY(vs_arena_check(a, err));
        vs_span *at = register_of(out, name, OLD_NAME);
        if (c.code == VS_OK && !at)
            (void)vs_cbor_fail(&c, VS_E_INVALID, "integrity register \"%.*s\"",
                               VS_FMT(vs_span_head(name, 40)));
        if (c.code == VS_OK)
            VS_TRY(set_register(at, name, one.digests, one.n_digests, err));
    }
    return vs_cbor_end(&c);
}

static vs_code read_realm(vs_arena *a, const corim_reference *r, bool old, corim_cca_realm *out,
                          vs_error *err)
{
    *out = (corim_cca_realm){.comid = r->comid};
    vs_span id = tagged(old ? r->env.instance : r->env.class_id, TAG_BYTES, false);
    if (!is_digest_size(id.n))
        return vs_fail(err, VS_E_INVALID, "the %s must be an initial measurement, as bytes",
                       old ? "instance" : "class id");
    for (size_t i = 0; i < r->n; i++)
        VS_TRY((old ? take_old_realm : take_realm)(a, out, &r->measurements[i], i, err));
    if (!out->rim.p)
        return vs_fail(err, VS_E_INVALID, "no cca.rim");
    if (!vs_span_eq(out->rim, id))
        return vs_fail(err, VS_E_INVALID, "cca.rim is not the initial measurement of the %s",
                       old ? "instance" : "class id");
    return VS_OK;
}

/* ---- which ----------------------------------------------------------------------------------- */

static const struct {
    const char *uri;
    corim_cca_kind kind;
    bool old;
} profiles[] = {{"tag:arm.com,2025:cca_platform#1.0.0", CORIM_CCA_PLATFORM, false},
                {"tag:arm.com,2025:cca_realm#1.0.0", CORIM_CCA_REALM, false},
                {"http://arm.com/cca/ssd/1", CORIM_CCA_PLATFORM, true},
                {"http://arm.com/cca/realm/1", CORIM_CCA_REALM, true}};

static corim_cca_kind kind_of(const corim *c, bool *old)
{
    for (size_t i = 0; i < VS_COUNT(profiles); i++)
        if (vs_span_is(c->profile, profiles[i].uri)) {
            *old = profiles[i].old;
            return profiles[i].kind;
        }
    *old = false;
    return CORIM_CCA_NONE;
}

bool corim_profile_is_old(const corim *c)
{
    bool old;
    (void)kind_of(c, &old);
    return old;
}

static vs_code read_references(vs_arena *a, const corim *c, bool old, corim_cca *out, vs_error *err)
{
    corim_cca_platform *platforms = NULL;
    corim_cca_realm *realms = NULL;
    if (out->kind == CORIM_CCA_PLATFORM)
        out->platforms = platforms = vs_alloc_array(a, c->n, sizeof *platforms);
    else
        out->realms = realms = vs_alloc_array(a, c->n, sizeof *realms);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < c->n; i++) {
        const corim_reference *r = &c->references[i];
        vs_code code = platforms ? read_platform(a, r, old, &platforms[out->n_platforms++], err)
                                 : read_realm(a, r, old, &realms[out->n_realms++], err);
        VS_TRY_WRAP(code, err, "reference triple %zu", i + 1);
    }
    return VS_OK;
}

static vs_code read_keys(vs_arena *a, const corim *c, bool old, corim_cca *out, vs_error *err)
{
    if (c->n_keys && out->kind == CORIM_CCA_REALM)
        return vs_fail(err, VS_E_INVALID, "key triple 1: the profile has no keys");
    corim_cca_key *keys = vs_alloc_array(a, c->n_keys, sizeof *keys);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < c->n_keys; i++)
        VS_TRY_WRAP(read_platform_key(&c->keys[i], old, &keys[i], err), err, "key triple %zu",
                    i + 1);
    out->keys = keys;
    out->n_keys = c->n_keys;
    return VS_OK;
}

vs_code corim_read_cca(vs_arena *a, const corim *c, corim_cca *out, vs_error *err)
{
    bool old;
    *out = (corim_cca){.kind = kind_of(c, &old)};
    if (out->kind == CORIM_CCA_NONE)
        return VS_OK;
    VS_TRY(read_references(a, c, old, out, err));
    return read_keys(a, c, old, out, err);
}
