/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of CoMID and CoRIM as tables (cca.md 6.1, 6.3), and the manifest around them. */
#include "envelope/corim_template.h"

#include "base/enc.h"
#include "envelope/corim_parts.h"
#include "envelope/corim_schema.h"

enum { TAG_CORIM = 501, TAG_COMID = 506, TAG_BYTES = 560, TAG_MASKED = 563 };

#define MAP(table)                                                                                 \
    {                                                                                              \
        .put = corim_map_put, .get = corim_map_get, .of = (table)                                  \
    }
#define TUPLE(table)                                                                               \
    {                                                                                              \
        .put = corim_tuple_put, .get = corim_tuple_get, .of = (table)                              \
    }
#define LIST(codec)                                                                                \
    {                                                                                              \
        .put = corim_list_put, .get = corim_list_get, .of = &(codec)                               \
    }
#define CHOICE(table)                                                                              \
    {                                                                                              \
        .put = corim_choice_put, .get = corim_choice_get, .of = (table)                            \
    }
#define NAMED(table)                                                                               \
    {                                                                                              \
        .put = corim_named_put, .get = corim_named_get, .of = (table)                              \
    }
#define END_MEMBERS                                                                                \
    {                                                                                              \
        0, NULL, NULL, false                                                                       \
    }
#define END_KINDS                                                                                  \
    {                                                                                              \
        NULL, 0, 0, NULL                                                                           \
    }

/* ---- keys and environments ------------------------------------------------------------------- */

static const corim_choice key_kinds[] = {{"pkix-base64-key", 554, 0, &corim_text},
                                         {"pkix-base64-cert", 555, 0, &corim_text},
                                         {"pkix-base64-cert-path", 556, 0, &corim_text},
                                         {"thumbprint", 557, 0, &corim_hash},
                                         {"cose-key", 558, 0, &corim_bytes},
                                         {"cert-thumbprint", 559, 0, &corim_hash},
                                         {"bytes", TAG_BYTES, 0, &corim_bytes},
                                         {"cert-path-thumbprint", 561, 0, &corim_hash},
                                         {"pkix-asn1der-cert", 562, 0, &corim_bytes},
                                         END_KINDS};
static const corim_codec key = CHOICE(key_kinds), keys = LIST(key);

static const corim_choice class_kinds[] = {
    {"uuid", 37, 0, &corim_uuid},          {"oid", 111, 0, &corim_oid},
    {"bytes", TAG_BYTES, 0, &corim_bytes}, {"psa.impl-id", 600, 0, &corim_bytes},
    {"int", 0, VS_CBOR_UINT, &corim_uint}, END_KINDS};
static const corim_codec class_id = CHOICE(class_kinds);

static const corim_choice instance_kinds[] = {{"uuid", 37, 0, &corim_uuid},
                                              {"ueid", 550, 0, &corim_bytes},
                                              {"pkix-base64-key", 554, 0, &corim_text},
                                              {"pkix-base64-cert", 555, 0, &corim_text},
                                              {"thumbprint", 557, 0, &corim_hash},
                                              {"cose-key", 558, 0, &corim_bytes},
                                              {"cert-thumbprint", 559, 0, &corim_hash},
                                              {"bytes", TAG_BYTES, 0, &corim_bytes},
                                              END_KINDS};
static const corim_codec instance = CHOICE(instance_kinds);

static const corim_choice group_kinds[] = {
    {"uuid", 37, 0, &corim_uuid}, {"bytes", TAG_BYTES, 0, &corim_bytes}, END_KINDS};
static const corim_codec group = CHOICE(group_kinds);

static const corim_member class_members[] = {
    {0, "id", &class_id, false},      {1, "vendor", &corim_text, false},
    {2, "model", &corim_text, false}, {3, "layer", &corim_uint, false},
    {4, "index", &corim_uint, false}, END_MEMBERS};
static const corim_codec class = MAP(class_members);

static const corim_member environment_members[] = {{0, "class", &class, false},
                                                   {1, "instance", &instance, false},
                                                   {2, "group", &group, false},
                                                   END_MEMBERS};
static const corim_codec environment = MAP(environment_members);

/* ---- measurements ---------------------------------------------------------------------------- */

static const corim_member refval_members[] = {{1, "label", &corim_text, false},
                                              {4, "version", &corim_text, false},
                                              {5, "signer-id", &corim_bytes, true},
                                              END_MEMBERS};
static const corim_codec refval = MAP(refval_members);

static const corim_choice mkey_kinds[] = {{"uuid", 37, 0, &corim_uuid},
                                          {"oid", 111, 0, &corim_oid},
                                          {"psa.refval-id", 601, 0, &refval},
                                          {"cca.platform-config-id", 602, 0, &corim_text},
                                          {"uint", 0, VS_CBOR_UINT, &corim_uint},
                                          {"string", 0, VS_CBOR_TEXT, &corim_text},
                                          END_KINDS};
static const corim_codec mkey = CHOICE(mkey_kinds);

static const corim_name schemes[] = {{"multipartnumeric", 1}, {"multipartnumeric+suffix", 2},
                                     {"alphanumeric", 3},     {"decimal", 4},
                                     {"semver", 16384},       {NULL, 0}};
static const corim_codec scheme = NAMED(schemes);
static const corim_member version_members[] = {
    {0, "value", &corim_text, true}, {1, "scheme", &scheme, false}, END_MEMBERS};
static const corim_codec version = MAP(version_members);

static const corim_choice svn_kinds[] = {{"exact-value", 552, 0, &corim_uint},
                                         {"min-value", 553, 0, &corim_uint},
                                         {"uint", 0, VS_CBOR_UINT, &corim_uint},
                                         END_KINDS};
static const corim_codec svn = CHOICE(svn_kinds);

static const corim_member flag_members[] = {{0, "is-configured", &corim_bool, false},
                                            {1, "is-secure", &corim_bool, false},
                                            {2, "is-recovery", &corim_bool, false},
                                            {3, "is-debug", &corim_bool, false},
                                            {4, "is-replay-protected", &corim_bool, false},
                                            {5, "is-integrity-protected", &corim_bool, false},
                                            {6, "is-runtime-meas", &corim_bool, false},
                                            {7, "is-immutable", &corim_bool, false},
                                            {8, "is-tcb", &corim_bool, false},
                                            {9, "is-confidentiality-protected", &corim_bool, false},
                                            END_MEMBERS};
static const corim_codec flags = MAP(flag_members);

static const corim_member masked_members[] = {
    {0, "value", &corim_bytes, true}, {1, "mask", &corim_bytes, true}, END_MEMBERS};
static const corim_codec masked = TUPLE(masked_members);
static const corim_choice raw_kinds[] = {
    {"bytes", TAG_BYTES, 0, &corim_bytes}, {"masked", TAG_MASKED, 0, &masked}, END_KINDS};
static const corim_codec raw = CHOICE(raw_kinds);

static const corim_codec digests = LIST(corim_hash);
static const corim_member mval_members[] = {{0, "version", &version, false},
                                            {1, "svn", &svn, false},
                                            {2, "digests", &digests, false},
                                            {3, "flags", &flags, false},
                                            {4, "raw-value", &raw, false},
                                            {5, "raw-value-mask", &corim_bytes, false},
                                            {8, "serial-number", &corim_text, false},
                                            {9, "ueid", &corim_bytes, false},
                                            {10, "uuid", &corim_uuid, false},
                                            {11, "name", &corim_text, false},
                                            {13, "cryptokeys", &keys, false},
                                            {14, "integrity-registers", &corim_registers, false},
                                            END_MEMBERS};
static const corim_codec mval = MAP(mval_members);

static const corim_member measurement_members[] = {{0, "key", &mkey, false},
                                                   {1, "value", &mval, true},
                                                   {2, "authorized-by", &keys, false},
                                                   END_MEMBERS};
static const corim_codec measurement = MAP(measurement_members), measurements = LIST(measurement);

/* ---- triples --------------------------------------------------------------------------------- */

static const corim_member value_members[] = {
    {0, "environment", &environment, true}, {1, "measurements", &measurements, true}, END_MEMBERS};
static const corim_codec value_triple = TUPLE(value_members), value_triples = LIST(value_triple);

static const corim_member key_members[] = {{0, "environment", &environment, true},
                                           {1, "verification-keys", &keys, true},
                                           {2, "conditions", &corim_raw, false},
                                           END_MEMBERS};
static const corim_codec key_triple = TUPLE(key_members), key_triples = LIST(key_triple);

static const corim_member triple_members[] = {
    {0, "reference-values", &value_triples, false},
    {1, "endorsed-values", &value_triples, false},
    {2, "dev-identity-keys", &key_triples, false},
    {3, "attester-verification-keys", &key_triples, false},
    END_MEMBERS};
static const corim_codec triples = MAP(triple_members);

/* ---- CoMID ----------------------------------------------------------------------------------- */

#define ENTITY(name, role_table)                                                                   \
    static const corim_codec name##_role = NAMED(role_table), name##_roles = LIST(name##_role);    \
    static const corim_member name##_members[] = {{0, "name", &corim_text, true},                  \
                                                  {1, "regid", &corim_uri, false},                 \
                                                  {2, "roles", &name##_roles, true},               \
                                                  END_MEMBERS};                                    \
    static const corim_codec name = MAP(name##_members), name##_list = LIST(name)

static const corim_name comid_role_names[] = {
    {"tagCreator", 0}, {"creator", 1}, {"maintainer", 2}, {NULL, 0}};
ENTITY(comid_entity, comid_role_names);

static const corim_member identity_members[] = {
    {0, "id", &corim_tag_id, true}, {1, "version", &corim_uint, false}, END_MEMBERS};

/* Version 0 is what none means, and is not written. */
static vs_code identity_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_val n = vs_getc(v, "version");
    if (vs_is_int(n) && n.u.i == 0)
        v = vs_with(a, v, vs_cstring("version"), vs_undefined());
    return corim_map_put(k, a, v, out, err);
}

static const corim_codec identity = {
    .put = identity_put, .get = corim_map_get, .of = identity_members};

static const corim_name relations[] = {{"supplements", 0}, {"replaces", 1}, {NULL, 0}};
static const corim_codec relation = NAMED(relations);
static const corim_member link_members[] = {
    {0, "target", &corim_tag_id, true}, {1, "rel", &relation, true}, END_MEMBERS};
static const corim_codec link = MAP(link_members), links = LIST(link);

static const corim_member comid_members[] = {{0, "lang", &corim_text, false},
                                             {1, "tag-identity", &identity, true},
                                             {2, "entities", &comid_entity_list, false},
                                             {3, "linked-tags", &links, false},
                                             {4, "triples", &triples, true},
                                             END_MEMBERS};
static const corim_codec comid = MAP(comid_members);

/* ---- CoRIM ----------------------------------------------------------------------------------- */

static const corim_name corim_role_names[] = {
    {"manifestCreator", 1}, {"manifestSigner", 2}, {NULL, 0}};
ENTITY(corim_entity, corim_role_names);

static const corim_member locator_members[] = {
    {0, "href", &corim_uri, true}, {1, "thumbprint", &corim_hash, false}, END_MEMBERS};
static const corim_codec locator = MAP(locator_members), locators = LIST(locator);

static const corim_choice profile_kinds[] = {{"uri", 32, 0, &corim_text},
                                             {"oid", 111, 0, &corim_oid},
                                             {"string", 0, VS_CBOR_TEXT, &corim_text},
                                             END_KINDS};
static const corim_codec profile_choice = CHOICE(profile_kinds);

/* Older templates have the URI alone. */
static vs_code profile_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    (void)k;
    const corim_codec *codec = v.kind == VS_STRING ? &corim_uri : &profile_choice;
    return codec->put(codec, a, v, out, err);
}

/* The older libraries wrote [text]. */
static vs_val profile_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)k;
    if (vs_cbor_peek(c) == VS_CBOR_ARRAY) {
        if (vs_cbor_array(c) != 1)
            (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "several profiles");
        return corim_text.get(&corim_text, a, c);
    }
    return profile_choice.get(&profile_choice, a, c);
}

static const corim_codec profile = {.put = profile_put, .get = profile_get};

static const corim_member validity_members[] = {
    {0, "not-before", &corim_time, false}, {1, "not-after", &corim_time, true}, END_MEMBERS};
static const corim_codec validity = MAP(validity_members);

/* 506(bytes of a CoMID); a tag of another kind is hex. */
static vs_code tag_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_span bytes;
    (void)k;
    if (v.kind == VS_STRING)
        return corim_raw.put(&corim_raw, a, v, out, err);
    VS_TRY(corim_encoded(&comid, a, v, &bytes, err));
    vs_cbor_put_tag(out, TAG_COMID);
    vs_cbor_put_bytes(out, bytes);
    return VS_OK;
}

static vs_val comid_get(vs_arena *a, vs_cbor *c, vs_span bytes)
{
    if (c->code == VS_OK)
        c->code = vs_cbor_check(bytes, c->err);
    if (c->code != VS_OK)
        return vs_undefined();
    vs_cbor outer = *c;
    *c = vs_cbor_of(bytes, outer.err);
    vs_val v = comid.get(&comid, a, c);
    outer.code = vs_cbor_end(c);
    *c = outer;
    return v;
}

static vs_val tag_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    vs_cbor look = *c;
    vs_span bytes;
    (void)k;
    look.err = NULL;
    vs_span item = vs_cbor_skip(&look);
    if (!corim_comid_of(item, &bytes))
        return corim_raw.get(&corim_raw, a, c);
    (void)vs_cbor_skip(c);
    return comid_get(a, c, bytes);
}

static const corim_codec tag = {.put = tag_put, .get = tag_get}, tags = LIST(tag);

static const corim_member manifest_members[] = {{0, "corim-id", &corim_tag_id, true},
                                                {1, "comids", &tags, true},
                                                {2, "dependent-rims", &locators, false},
                                                {3, "profile", &profile, false},
                                                {4, "validity", &validity, false},
                                                {5, "entities", &corim_entity_list, false},
                                                END_MEMBERS};
/* The older libraries left the tag out. */
static vs_val manifest_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    return vs_cbor_peek(c) == VS_CBOR_MAP ? corim_map_get(k->of, a, c) : corim_tag_get(k, a, c);
}

static const corim_codec manifest_map = MAP(manifest_members), manifest = {.put = corim_tag_put,
                                                                           .get = manifest_get,
                                                                           .of = &manifest_map,
                                                                           .number = TAG_CORIM};

static const corim_member signer_members[] = {
    {0, "name", &corim_text, true}, {1, "uri", &corim_uri, false}, END_MEMBERS};
static const corim_codec signer = MAP(signer_members);
static const corim_member meta_members[] = {
    {0, "signer", &signer, true}, {1, "validity", &validity, false}, END_MEMBERS};
static const corim_codec meta = MAP(meta_members);

/* ---- to CBOR and back ------------------------------------------------------------------------ */

vs_code corim_put_comid(vs_buf *out, vs_arena *a, vs_val template, vs_error *err)
{
    VS_TRY_WRAP(comid.put(&comid, a, template, out, err), err, "CoMID template");
    return vs_buf_check(out, err);
}

vs_code corim_put_meta(vs_buf *out, vs_arena *a, vs_val template, vs_error *err)
{
    VS_TRY_WRAP(meta.put(&meta, a, template, out, err), err, "template of the signer's metadata");
    return vs_buf_check(out, err);
}

/* Behind those that the template has. */
static vs_code add_comids(vs_arena *a, vs_val *template, const vs_span *comids, size_t n,
                          vs_error *err)
{
    vs_val own;
    vs_vec all = {.a = a};
    VS_TRY(vs_may(*template, "comids", VS_ARRAY, &own, err));
    for (VS_ARR_FOR (one, own))
        vs_vec_add(&all, *one);
    for (size_t i = 0; i < n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf item = VS_BUF(CORIM_SIZE_MAX);
        vs_cbor_put_tag(&item, TAG_COMID);
        vs_cbor_put_bytes(&item, comids[i]);
        VS_TRY(vs_buf_check(&item, err));
        vs_vec_add(&all, vs_string(vs_hex_encode_arena(a, vs_buf_span(&item))));
    }
    if (all.n)
        *template = vs_with(a, *template, vs_cstring("comids"), vs_vec_end_array(&all));
    return vs_arena_check(a, err);
}

/* Older templates have a list of profiles; nobody ever had two. */
static vs_code settle_profile(vs_arena *a, vs_val *template, vs_error *err)
{
    vs_val profiles;
    VS_TRY(vs_may(*template, "profiles", VS_ARRAY, &profiles, err));
    if (!vs_defined(profiles))
        return VS_OK;
    if (profiles.len != 1 || vs_defined(vs_getc(*template, "profile")))
        return vs_fail(err, VS_E_INVALID, "one profile, not several");
    *template = vs_with(a, *template, vs_cstring("profiles"), vs_undefined());
    *template = vs_with(a, *template, vs_cstring("profile"), profiles.u.items[0]);
    return vs_arena_check(a, err);
}

static vs_code put_manifest(vs_buf *out, vs_arena *a, vs_val template, const vs_span *comids,
                            size_t n, vs_error *err)
{
    if (template.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be object, not %s",
                       vs_kind_name((vs_kind) template.kind));
    VS_TRY(add_comids(a, &template, comids, n, err));
    VS_TRY(settle_profile(a, &template, err));
    return manifest.put(&manifest, a, template, out, err);
}

vs_code corim_put_manifest(vs_buf *out, vs_arena *a, vs_val template, const vs_span *comids,
                           size_t n, vs_error *err)
{
    VS_TRY_WRAP(put_manifest(out, a, template, comids, n, err), err, "CoRIM template");
    return vs_buf_check(out, err);
}

static vs_code get(const corim_codec *k, vs_arena *a, vs_span in, vs_val *out, vs_error *err)
{
    if (in.n > CORIM_SIZE_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu bytes, at most %d", in.n, CORIM_SIZE_MAX);
    VS_TRY(vs_cbor_check(in, err));
    vs_cbor c = vs_cbor_of(in, err);
    *out = k->get(k, a, &c);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_cbor_end(&c));
    return vs_defined(*out) ? VS_OK : vs_fail(err, VS_E_LIMIT, "too much for JSON");
}

vs_code corim_to_template(vs_arena *a, vs_span in, vs_val *out, vs_error *err)
{
    VS_TRY_WRAP(get(&manifest, a, in, out, err), err, "CoRIM");
    return VS_OK;
}

vs_code corim_meta_to_template(vs_arena *a, vs_span in, vs_val *out, vs_error *err)
{
    VS_TRY_WRAP(get(&meta, a, in, out, err), err, "metadata of the signer");
    return VS_OK;
}
