/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest: CoRIM, its CoMIDs, their reference and key triples. */
#include "envelope/corim.h"

#include "base/enc.h"
#include "envelope/corim_parts.h"

enum {
    TAG_TIME = 1,
    TAG_URI = 32,
    TAG_UUID = 37,
    TAG_CORIM = 501,
    TAG_COMID = 506,
    TAG_SVN = 552,
    TAG_MIN_SVN = 553,
    TAG_BYTES = 560,
    TAG_MASKED = 563,
    UUID_SIZE = 16,
    /* Keys of the triples map. The older libraries, which the older CCA profiles are of, have the
     * attester's keys where device identities are today. */
    REFERENCES = 0,
    OLD_ATTESTER_KEYS = 2,
    ATTESTER_KEYS = 3,
};

/* ---- pieces ---------------------------------------------------------------------------------- */

bool corim_int_key(vs_cbor *c, int64_t *key)
{
    vs_cbor_type t = vs_cbor_peek(c);
    if (t == VS_CBOR_UINT || t == VS_CBOR_NINT) {
        *key = vs_cbor_int(c);
        return c->code == VS_OK;
    }
    (void)vs_cbor_skip(c);
    (void)vs_cbor_skip(c);
    return false;
}

/* Whole seconds: fractions (floats) are not among what our decoder reads. */
static int64_t read_time(vs_cbor *c)
{
    if (vs_cbor_peek(c) != VS_CBOR_TAG || vs_cbor_tag(c) != TAG_TIME)
        (void)vs_cbor_fail(c, VS_E_INVALID, "time without tag %d", TAG_TIME);
    vs_cbor_type t = vs_cbor_peek(c);
    if (c->code == VS_OK && t != VS_CBOR_UINT && t != VS_CBOR_NINT)
        (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "time that is not a whole number of seconds");
    return vs_cbor_int(c);
}

void corim_read_validity(vs_cbor *c, corim_validity *v)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key != 0 && key != 1) {
            (void)vs_cbor_skip(c);
            continue;
        }
        int64_t t = read_time(c);
        if (key == 0 && t > v->not_before)
            v->not_before = t;
        if (key == 1 && t < v->not_after)
            v->not_after = t;
    }
}

/* An array's next element when its items are to be kept; NULL when memory ran out. */
static void *add_item(vs_arena *a, void *items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return items;
    *room = *room ? *room * 2 : 8;
    return vs_grow(a, items, n, *room, size);
}

/* The value behind a tag when it is that tag's; otherwise the item is passed over. */
static bool tagged_as(vs_cbor *c, uint64_t tag)
{
    vs_cbor look = *c;
    look.err = NULL;
    if (vs_cbor_peek(&look) != VS_CBOR_TAG || vs_cbor_tag(&look) != tag) {
        (void)vs_cbor_skip(c);
        return false;
    }
    (void)vs_cbor_tag(c);
    return true;
}

/* ---- measurements ---------------------------------------------------------------------------- */

static void check_digest(vs_cbor *c, const corim_digest *d)
{
    static const struct {
        int64_t alg;
        const char *name;
        size_t size;
    } known[] = {{1, "sha-256", 32},   {7, "sha-384", 48},   {8, "sha-512", 64},
                 {10, "sha3-256", 32}, {11, "sha3-384", 48}, {12, "sha3-512", 64}};
    if (c->code == VS_OK && (d->value.n == 0 || d->value.n > VS_HASH_MAX))
        (void)vs_cbor_fail(c, VS_E_INVALID, "digest of %zu bytes", d->value.n);
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if ((d->alg == known[i].alg || vs_span_is(d->alg_name, known[i].name)) &&
            d->value.n != known[i].size)
            (void)vs_cbor_fail(c, VS_E_INVALID, "%s digest of %zu bytes", known[i].name,
                               d->value.n);
}

void corim_read_digests(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    size_t n = vs_cbor_array(c);
    corim_digest *list = vs_alloc_array(a, n, sizeof *list);
    for (size_t i = 0; list && i < n && c->code == VS_OK; i++) {
        corim_digest d = {0};
        size_t parts = vs_cbor_array(c);
        if (c->code == VS_OK && parts != 2)
            (void)vs_cbor_fail(c, VS_E_INVALID, "digest of %zu elements instead of 2", parts);
        if (vs_cbor_peek(c) == VS_CBOR_TEXT)
            d.alg_name = vs_cbor_text(c);
        else
            d.alg = vs_cbor_int(c);
        d.value = vs_cbor_bytes(c);
        check_digest(c, &d);
        list[i] = d;
    }
    m->digests = list;
    m->n_digests = list ? n : 0;
}

/* A number, or tagged as exactly that or at least that. */
static void read_svn(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    (void)a;
    m->svn_kind = CORIM_SVN_EXACT;
    if (vs_cbor_peek(c) == VS_CBOR_TAG) {
        uint64_t tag = vs_cbor_tag(c);
        if (c->code == VS_OK && tag != TAG_SVN && tag != TAG_MIN_SVN)
            (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "security version with tag %llu",
                               (unsigned long long)tag);
        m->svn_kind = tag == TAG_MIN_SVN ? CORIM_SVN_MIN : CORIM_SVN_EXACT;
    }
    m->svn = vs_cbor_uint(c);
    if (m->svn > INT64_MAX)
        (void)vs_cbor_fail(c, VS_E_LIMIT, "security version above 2^63 - 1");
}

/* [value, mask] */
static void read_masked(vs_cbor *c, corim_measurement *m)
{
    size_t parts = vs_cbor_array(c);
    if (c->code == VS_OK && parts != 2)
        (void)vs_cbor_fail(c, VS_E_INVALID, "masked value of %zu elements instead of 2", parts);
    m->masked = vs_cbor_bytes(c);
    m->raw_mask = vs_cbor_bytes(c);
}

static void read_raw(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    (void)a;
    vs_cbor look = *c;
    look.err = NULL;
    if (vs_cbor_peek(&look) == VS_CBOR_TAG && vs_cbor_tag(&look) == TAG_MASKED) {
        (void)vs_cbor_tag(c);
        read_masked(c, m);
    } else if (tagged_as(c, TAG_BYTES)) {
        m->raw = vs_cbor_bytes(c);
    }
}

/* {0: text, ? 1: scheme} */
static void read_version(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    int64_t key;
    (void)a;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key == 0)
            m->version = vs_cbor_text(c);
        else
            (void)vs_cbor_skip(c);
    }
}

static void read_registers(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    (void)a;
    m->registers = vs_cbor_skip(c);
}

static void read_mask(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    (void)a;
    m->raw_mask = vs_cbor_bytes(c);
}

static void read_crypto_keys(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    (void)a;
    m->crypto_keys = vs_cbor_skip(c);
}

static void read_serial(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    (void)a;
    m->serial = vs_cbor_text(c);
}

static void read_name(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    (void)a;
    m->name = vs_cbor_text(c);
}

static const struct {
    int64_t key;
    void (*read)(vs_arena *a, vs_cbor *c, corim_measurement *m);
} values[] = {{0, read_version}, {1, read_svn},          {2, corim_read_digests},
              {4, read_raw},     {5, read_mask},         {8, read_serial},
              {11, read_name},   {13, read_crypto_keys}, {14, read_registers}};

static void read_mval(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        size_t i = 0;
        while (i < VS_COUNT(values) && values[i].key != key)
            i++;
        if (i < VS_COUNT(values))
            values[i].read(a, c, m);
        else
            (void)vs_cbor_skip(c);
    }
}

static void read_mkey(vs_cbor *c, corim_measurement *m)
{
    vs_cbor_type t = vs_cbor_peek(c);
    size_t from = c->at;
    if (t == VS_CBOR_TEXT) {
        m->key = CORIM_KEY_TEXT;
        m->key_bytes = vs_cbor_text(c);
    } else if (t == VS_CBOR_UINT) {
        m->key = CORIM_KEY_UINT;
        m->key_number = vs_cbor_uint(c);
    } else if (t == VS_CBOR_TAG && tagged_as(c, TAG_UUID)) {
        m->key = CORIM_KEY_UUID;
        m->key_bytes = vs_cbor_bytes(c);
        if (c->code == VS_OK && m->key_bytes.n != UUID_SIZE)
            (void)vs_cbor_fail(c, VS_E_INVALID, "UUID of %zu bytes", m->key_bytes.n);
    } else if (t != VS_CBOR_TAG) {
        (void)vs_cbor_skip(c);
    }
    m->key_item = vs_span_of(c->in.p + from, c->at - from);
}

static void read_measurement(vs_arena *a, vs_cbor *c, corim_measurement *m)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key == 0)
            read_mkey(c, m);
        else if (key == 1)
            read_mval(a, c, m);
        else
            (void)vs_cbor_skip(c);
    }
}

/* ---- triples --------------------------------------------------------------------------------- */

static void read_class(vs_cbor *c, corim_environment *r)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key == 0)
            r->class_id = vs_cbor_skip(c);
        else if (key == 1)
            r->vendor = vs_cbor_text(c);
        else if (key == 2)
            r->model = vs_cbor_text(c);
        else
            (void)vs_cbor_skip(c);
    }
}

static void read_environment(vs_cbor *c, corim_environment *r)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key == 0)
            read_class(c, r);
        else if (key == 1)
            r->instance = vs_cbor_skip(c);
        else
            (void)vs_cbor_skip(c);
    }
}

/* [environment, [+ measurement]] */
static void read_triple(vs_arena *a, vs_cbor *c, corim_reference *r)
{
    size_t parts = vs_cbor_array(c);
    if (c->code == VS_OK && parts != 2)
        (void)vs_cbor_fail(c, VS_E_INVALID, "reference triple of %zu elements instead of 2", parts);
    read_environment(c, &r->env);
    size_t n = vs_cbor_array(c);
    if (c->code == VS_OK && n == 0)
        (void)vs_cbor_fail(c, VS_E_INVALID, "reference triple without measurements");
    corim_measurement *list = NULL;
    size_t room = 0;
    for (size_t i = 0; i < n && c->code == VS_OK; i++) {
        list = add_item(a, list, i, &room, sizeof *list);
        if (!list)
            return;
        list[i] = (corim_measurement){0};
        read_measurement(a, c, &list[i]);
        r->measurements = list;
        r->n = i + 1;
    }
}

/* [environment, [+ key], ? conditions] */
static void read_key_triple(vs_cbor *c, corim_key_triple *k)
{
    size_t parts = vs_cbor_array(c);
    if (c->code == VS_OK && parts != 2 && parts != 3)
        (void)vs_cbor_fail(c, VS_E_INVALID, "key triple of %zu elements", parts);
    read_environment(c, &k->env);
    k->keys = vs_cbor_skip(c);
    if (parts == 3)
        (void)vs_cbor_skip(c);
}

typedef struct old_keys { /* key triples at their older place */
    vs_span triples;
    size_t comid;
} old_keys;

typedef struct reader {
    vs_arena *a;
    corim_reference *list;
    corim_key_triple *keys;
    corim_comid *comids;
    old_keys *old;
    size_t n, room, n_keys, keys_room, n_comids, comids_room, n_old, old_room;
} reader;

static void read_references(reader *r, vs_cbor *c)
{
    for (size_t k = vs_cbor_array(c); k > 0 && c->code == VS_OK; k--) {
        r->list = add_item(r->a, r->list, r->n, &r->room, sizeof *r->list);
        if (!r->list)
            return;
        r->list[r->n] = (corim_reference){.comid = r->n_comids};
        read_triple(r->a, c, &r->list[r->n++]);
    }
}

static void read_keys(reader *r, vs_cbor *c, size_t comid)
{
    for (size_t k = vs_cbor_array(c); k > 0 && c->code == VS_OK; k--) {
        r->keys = add_item(r->a, r->keys, r->n_keys, &r->keys_room, sizeof *r->keys);
        if (!r->keys)
            return;
        r->keys[r->n_keys] = (corim_key_triple){.comid = comid};
        read_key_triple(c, &r->keys[r->n_keys++]);
    }
}

/* Whether they are the attester's is known when the manifest's profile is. */
static void keep_old_keys(reader *r, vs_cbor *c)
{
    vs_span triples = vs_cbor_skip(c);
    r->old = add_item(r->a, r->old, r->n_old, &r->old_room, sizeof *r->old);
    if (r->old)
        r->old[r->n_old++] = (old_keys){triples, r->n_comids};
}

static vs_code read_old_keys(reader *r, vs_error *err)
{
    for (size_t i = 0; i < r->n_old; i++) {
        vs_cbor c = vs_cbor_of(r->old[i].triples, err);
        read_keys(r, &c, r->old[i].comid);
        VS_TRY(vs_arena_check(r->a, err));
        VS_TRY_WRAP(vs_cbor_end(&c), err, "CoMID %zu: attester keys in their older place",
                    r->old[i].comid + 1);
    }
    return VS_OK;
}

static void read_triples(reader *r, vs_cbor *c)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK && vs_arena_ok(r->a); n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key == REFERENCES)
            read_references(r, c);
        else if (key == ATTESTER_KEYS)
            read_keys(r, c, r->n_comids);
        else if (key == OLD_ATTESTER_KEYS)
            keep_old_keys(r, c);
        else
            (void)vs_cbor_skip(c);
    }
}

/* Text, or a UUID's bytes, with its tag or without. */
static void read_id(vs_cbor *c, corim_id *out)
{
    vs_cbor_type t = vs_cbor_peek(c);
    if (t == VS_CBOR_TEXT) {
        out->bytes = vs_cbor_text(c);
        return;
    }
    if (t == VS_CBOR_TAG && vs_cbor_tag(c) != TAG_UUID)
        (void)vs_cbor_fail(c, VS_E_INVALID, "id is neither text nor a UUID");
    out->bytes = vs_cbor_bytes(c);
    out->is_uuid = true;
    if (c->code == VS_OK && out->bytes.n != UUID_SIZE)
        (void)vs_cbor_fail(c, VS_E_INVALID, "id of %zu bytes", out->bytes.n);
}

/* {0: id, ? 1: version} */
static void read_identity(vs_cbor *c, corim_comid *m)
{
    int64_t key;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        if (key == 0)
            read_id(c, &m->tag);
        else if (key == 1)
            m->version = vs_cbor_uint(c);
        else
            (void)vs_cbor_skip(c);
    }
    if (c->code == VS_OK && m->version > INT64_MAX)
        (void)vs_cbor_fail(c, VS_E_LIMIT, "version of a CoMID above 2^63 - 1");
}

static vs_code read_comid(reader *r, vs_span in, vs_error *err)
{
    VS_TRY(vs_cbor_check(in, err));
    vs_cbor c = vs_cbor_of(in, err);
    corim_comid m = {.bytes = in};
    int64_t key;
    bool has_triples = false;
    for (size_t n = vs_cbor_map(&c); n > 0 && c.code == VS_OK && vs_arena_ok(r->a); n--) {
        if (!corim_int_key(&c, &key))
            continue;
        has_triples = has_triples || key == 4;
        if (key == 1)
            read_identity(&c, &m);
        else if (key == 4)
            read_triples(r, &c);
        else
            (void)vs_cbor_skip(&c);
    }
    r->comids = add_item(r->a, r->comids, r->n_comids, &r->comids_room, sizeof *r->comids);
    VS_TRY(vs_arena_check(r->a, err));
    VS_TRY(vs_cbor_end(&c));
    r->comids[r->n_comids++] = m;
    if (!m.tag.bytes.p)
        return vs_fail(err, VS_E_INVALID, "no tag identity");
    return has_triples ? VS_OK : vs_fail(err, VS_E_INVALID, "no triples");
}

vs_span corim_id_text(vs_arena *a, corim_id id)
{
    if (!id.is_uuid)
        return id.bytes;
    vs_span hex = vs_hex_encode_arena(a, id.bytes);
    if (hex.n != 2 * UUID_SIZE)
        return (vs_span){NULL, 0};
    const char *h = (const char *)hex.p;
    return vs_str(vs_sprintf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20));
}

/* ---- the manifest ---------------------------------------------------------------------------- */

bool corim_comid_of(vs_span item, vs_span *out)
{
    static const vs_span head = {(const uint8_t *)"\xd9\x01\xfa", 3};
    vs_cbor c = vs_cbor_of(item, NULL);
    bool tagged = vs_cbor_peek(&c) == VS_CBOR_TAG;
    if (tagged && vs_cbor_tag(&c) != TAG_COMID)
        return false;
    vs_span bytes = vs_cbor_bytes(&c);
    if (c.code != VS_OK && !tagged)
        return false;
    *out = tagged ? bytes : vs_span_from(bytes, head.n);
    return tagged || vs_span_starts(bytes, head);
}

static vs_code read_tags(reader *r, vs_cbor *c)
{
    size_t n = vs_cbor_array(c);
    for (size_t i = 0; i < n && c->code == VS_OK; i++) {
        vs_span comid, item = vs_cbor_skip(c);
        if (!corim_comid_of(item, &comid))
            continue;
        VS_TRY_WRAP(read_comid(r, comid, c->err), c->err, "CoMID %zu", i + 1);
    }
    return c->code;
}

/* The older form is an array of profiles; one of them can be kept to. */
static void read_profile(vs_cbor *c, corim *out)
{
    if (vs_cbor_peek(c) == VS_CBOR_ARRAY && vs_cbor_array(c) != 1 && c->code == VS_OK)
        (void)vs_cbor_fail(c, VS_E_UNSUPPORTED, "several profiles");
    if (vs_cbor_peek(c) == VS_CBOR_TEXT)
        out->profile = vs_cbor_text(c);
    else if (tagged_as(c, TAG_URI))
        out->profile = vs_cbor_text(c);
}

static vs_code read_manifest(reader *r, vs_cbor *c, corim *out)
{
    int64_t key;
    bool has_tags = false, has_tag = vs_cbor_peek(c) == VS_CBOR_TAG;
    if (has_tag && vs_cbor_tag(c) != TAG_CORIM)
        return vs_cbor_fail(c, VS_E_INVALID, "the tag is not %d", TAG_CORIM);
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        if (!corim_int_key(c, &key))
            continue;
        has_tags = has_tags || key == 1;
        if (key == 0)
            read_id(c, &out->id);
        else if (key == 1)
            VS_TRY(read_tags(r, c));
        else if (key == 3)
            read_profile(c, out);
        else if (key == 4)
            corim_read_validity(c, &out->validity);
        else
            (void)vs_cbor_skip(c);
    }
    VS_TRY(vs_cbor_end(c));
    if (!has_tag && !corim_profile_is_old(out)) /* whose libraries left it out */
        return vs_fail(c->err, VS_E_INVALID, "tag %d is missing", TAG_CORIM);
    if (!out->id.bytes.p || !has_tags)
        return vs_fail(c->err, VS_E_INVALID, "no %s", has_tags ? "id" : "tags");
    return VS_OK;
}

vs_code corim_decode(vs_arena *a, vs_span manifest, corim *out, vs_error *err)
{
    corim m = {.validity = {INT64_MIN, INT64_MAX}};
    reader r = {.a = a};
    if (manifest.n > CORIM_SIZE_MAX)
        return vs_fail(err, VS_E_LIMIT, "CoRIM of %zu bytes, at most %d", manifest.n,
                       CORIM_SIZE_MAX);
    VS_TRY_WRAP(vs_cbor_check(manifest, err), err, "CoRIM");
    vs_cbor c = vs_cbor_of(manifest, err);
    VS_TRY_WRAP(read_manifest(&r, &c, &m), err, "CoRIM");
    if (corim_profile_is_old(&m))
        VS_TRY(read_old_keys(&r, err));
    m.comids = r.comids;
    m.n_comids = r.n_comids;
    m.references = r.list;
    m.n = r.n;
    m.keys = r.keys;
    m.n_keys = r.n_keys;
    VS_TRY(vs_arena_check(a, err));
    VS_TRY_WRAP(corim_read_cca(a, &m, &m.cca, err), err, "CoRIM of profile %.*s",
                VS_FMT(vs_span_head(m.profile, 80)));
    *out = m;
    return VS_OK;
}
