/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/enc.h"
#include "envelope/corim.h"
#include "envelope/corim_schema.h"

enum { TAG_TIME = 1, TAG_URI = 32, TAG_UUID = 37, UUID_SIZE = 16, UUID_TEXT = 36, OID_MAX = 64 };

static vs_code need_text(vs_val v, vs_span *out, vs_error *err)
{
    *out = vs_text(v);
    return v.kind == VS_STRING ? VS_OK
                               : vs_fail(err, VS_E_INVALID, "must be string, not %s",
                                         vs_kind_name((vs_kind)v.kind));
}

/* ---- plain ----------------------------------------------------------------------------------- */

static vs_code text_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_span s;
    (void)k, (void)a;
    VS_TRY(need_text(v, &s, err));
    vs_cbor_put_text_span(out, s);
    return VS_OK;
}

static vs_val text_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)k, (void)a;
    return vs_string(vs_cbor_text(c));
}

static vs_code uint_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    (void)k, (void)a;
    if (!vs_is_int(v) || v.u.i < 0)
        return vs_fail(err, VS_E_INVALID, "must be a whole number from 0 to 2^63 - 1");
    vs_cbor_put_uint(out, (uint64_t)v.u.i);
    return VS_OK;
}

static vs_val uint_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)k, (void)a;
    uint64_t n = vs_cbor_uint(c);
    if (n > INT64_MAX)
        (void)vs_cbor_fail(c, VS_E_LIMIT, "number above 2^63 - 1");
    return vs_int((int64_t)n);
}

static vs_code bool_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    (void)k, (void)a;
    if (v.kind != VS_BOOL)
        return vs_fail(err, VS_E_INVALID, "must be boolean, not %s", vs_kind_name((vs_kind)v.kind));
    vs_cbor_put_bool(out, v.u.b);
    return VS_OK;
}

static vs_val bool_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)k, (void)a;
    return vs_bool(vs_cbor_bool(c));
}

static vs_code bytes_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_span s, bytes;
    (void)k;
    VS_TRY(need_text(v, &s, err));
    VS_TRY(vs_b64_decode_arena(a, VS_B64_ANY, s, &bytes, err));
    vs_cbor_put_bytes(out, bytes);
    return VS_OK;
}

static vs_val bytes_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)k;
    return vs_string(vs_b64_encode_arena(a, VS_B64_STD, vs_cbor_bytes(c)));
}

/* Anything well formed. */
static vs_code raw_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_span s, bytes;
    (void)k;
    VS_TRY(need_text(v, &s, err));
    VS_TRY(vs_hex_decode_arena(a, s, &bytes, err));
    VS_TRY(vs_cbor_check(bytes, err));
    vs_buf_put(out, bytes);
    return VS_OK;
}

static vs_val raw_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)k;
    return vs_string(vs_hex_encode_arena(a, vs_cbor_skip(c)));
}

const corim_codec corim_text = {.put = text_put, .get = text_get};
const corim_codec corim_uint = {.put = uint_put, .get = uint_get};
const corim_codec corim_bool = {.put = bool_put, .get = bool_get};
const corim_codec corim_bytes = {.put = bytes_put, .get = bytes_get};
const corim_codec corim_raw = {.put = raw_put, .get = raw_get};
const corim_codec corim_uri = {
    .put = corim_tag_put, .get = corim_tag_get, .of = &corim_text, .number = TAG_URI};

/* ---- ids ------------------------------------------------------------------------------------- */

/* 8-4-4-4-12 hexadecimal digits; *out is set only then. */
static bool uuid_of(vs_arena *a, vs_span s, vs_span *out)
{
    char hex[2 * UUID_SIZE];
    size_t n = 0;
    if (s.n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (s.p[i] == '-'))
            return false;
        if (!dash)
            hex[n++] = (char)s.p[i];
    }
    return vs_hex_decode_arena(a, vs_span_of(hex, n), out, NULL) == VS_OK;
}

static vs_code uuid_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_span s, bytes;
    (void)k;
    VS_TRY(need_text(v, &s, err));
    if (!uuid_of(a, s, &bytes))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not a UUID", VS_FMT(vs_span_head(s, 80)));
    vs_cbor_put_bytes(out, bytes);
    return VS_OK;
}

static vs_val uuid_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)k;
    vs_span s = vs_cbor_bytes(c);
    if (c->code == VS_OK && s.n != UUID_SIZE)
        (void)vs_cbor_fail(c, VS_E_INVALID, "UUID of %zu bytes", s.n);
    return c->code == VS_OK ? vs_string(corim_id_text(a, (corim_id){s, true})) : vs_undefined();
}

const corim_codec corim_uuid = {.put = uuid_put, .get = uuid_get};

/* What is no UUID, or is one with its tag, or a text that only looks like one. */
static const corim_choice id_kinds[] = {{"uuid", TAG_UUID, 0, &corim_uuid},
                                        {"string", 0, VS_CBOR_TEXT, &corim_text},
                                        {NULL, 0, 0, NULL}};
static const corim_codec id_choice = {
    .put = corim_choice_put, .get = corim_choice_get, .of = id_kinds};

static vs_code tag_id_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_span bytes;
    (void)k;
    if (v.kind == VS_OBJECT)
        return id_choice.put(&id_choice, a, v, out, err);
    if (v.kind == VS_STRING && uuid_of(a, vs_text(v), &bytes)) {
        vs_cbor_put_bytes(out, bytes);
        return VS_OK;
    }
    return corim_text.put(&corim_text, a, v, out, err);
}

static vs_val tag_id_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    vs_cbor look = *c;
    vs_span bytes;
    (void)k;
    look.err = NULL;
    vs_cbor_type t = vs_cbor_peek(c);
    if (t == VS_CBOR_BYTES)
        return corim_uuid.get(&corim_uuid, a, c);
    if (t == VS_CBOR_TAG || (t == VS_CBOR_TEXT && uuid_of(a, vs_cbor_text(&look), &bytes)))
        return id_choice.get(&id_choice, a, c);
    return corim_text.get(&corim_text, a, c);
}

const corim_codec corim_tag_id = {.put = tag_id_put, .get = tag_id_get};

/* ---- object identifiers (X.690 8.19) --------------------------------------------------------- */

static void put_arc(uint8_t out[OID_MAX], size_t *n, uint64_t arc)
{
    unsigned groups = 1;
    while (groups < 10 && arc >> (7 * groups))
        groups++;
    for (unsigned g = groups; g-- > 0 && *n < OID_MAX;)
        out[(*n)++] = (uint8_t)((arc >> (7 * g) & 0x7f) | (g ? 0x80 : 0));
}

static vs_code oid_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    uint8_t ber[OID_MAX];
    vs_span s;
    size_t n = 0;
    uint64_t first = 0, arc;
    (void)k, (void)a;
    VS_TRY(need_text(v, &s, err));
    bool more = true, ok = true;
    for (size_t i = 0; more && ok; i++) {
        ok = vs_span_decimal(vs_span_cut(s, '.', &s, &more), INT64_MAX, &arc) && n < OID_MAX - 10;
        if (!ok)
            break;
        if (i == 0) {
            first = arc;
            ok = arc <= 2 && more;
        } else if (i == 1) {
            ok = first == 2 ? arc <= INT64_MAX - 80 : arc < 40;
            put_arc(ber, &n, first * 40 + arc);
        } else {
            put_arc(ber, &n, arc);
        }
    }
    if (!ok)
        return vs_fail(err, VS_E_INVALID, "must be an object identifier like 2.5.4.3");
    vs_cbor_put_bytes(out, vs_span_of(ber, n));
    return VS_OK;
}

/* One arc; false when it is cut, padded or too large. */
static bool get_arc(vs_span *s, uint64_t *arc)
{
    *arc = 0;
    if (s->n == 0 || s->p[0] == 0x80)
        return false;
    while (s->n && *arc < (uint64_t)1 << 56) {
        uint8_t b = s->p[0];
        *arc = *arc << 7 | (b & 0x7f);
        *s = vs_span_from(*s, 1);
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static vs_val oid_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1024);
    vs_span s = vs_cbor_bytes(c);
    uint64_t arc;
    (void)k;
    bool ok = s.n > 0 && s.n <= OID_MAX - 10;
    for (bool is_first = true; ok && s.n; is_first = false) {
        ok = get_arc(&s, &arc);
        uint64_t top = arc < 80 ? arc / 40 : 2;
        if (is_first)
            vs_buf_printf(&text, "%llu.%llu", (unsigned long long)top,
                          (unsigned long long)(arc - 40 * top));
        else
            vs_buf_printf(&text, ".%llu", (unsigned long long)arc);
    }
    if (c->code == VS_OK && (!ok || !vs_buf_ok(&text)))
        (void)vs_cbor_fail(c, VS_E_INVALID, "not an object identifier");
    return c->code == VS_OK ? vs_string_dup(a, vs_buf_span(&text)) : vs_undefined();
}

const corim_codec corim_oid = {.put = oid_put, .get = oid_get};

/* ---- time ------------------------------------------------------------------------------------ */

static vs_code time_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    vs_span s;
    int64_t t;
    (void)k, (void)a;
    VS_TRY(need_text(v, &s, err));
    VS_TRY(vs_time_parse(s, &t, err));
    vs_cbor_put_int(out, t);
    return VS_OK;
}

static vs_val time_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    char text[VS_TIME_TEXT];
    int64_t t = vs_cbor_int(c), back;
    (void)k;
    vs_span s = vs_str(vs_time_rfc3339(t, text));
    if (c->code == VS_OK && vs_time_parse(s, &back, NULL) != VS_OK)
        (void)vs_cbor_fail(c, VS_E_LIMIT, "time outside the years 0 to 9999");
    return vs_string_dup(a, s);
}

static const corim_codec seconds = {.put = time_put, .get = time_get};
const corim_codec corim_time = {
    .put = corim_tag_put, .get = corim_tag_get, .of = &seconds, .number = TAG_TIME};

/* ---- names for numbers ----------------------------------------------------------------------- */

vs_code corim_named_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    (void)a;
    if (vs_is_int(v)) {
        vs_cbor_put_int(out, v.u.i);
        return VS_OK;
    }
    vs_span s;
    VS_TRY(need_text(v, &s, err));
    for (const corim_name *n = k->of; n->name; n++)
        if (vs_span_is(s, n->name)) {
            vs_cbor_put_int(out, n->number);
            return VS_OK;
        }
    return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not known here", VS_FMT(vs_span_head(s, 80)));
}

vs_val corim_named_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    (void)a;
    int64_t number = vs_cbor_int(c);
    for (const corim_name *n = k->of; n->name; n++)
        if (n->number == number)
            return vs_cstring(n->name);
    return vs_int(number);
}

/* ---- digests --------------------------------------------------------------------------------- */

/* IANA named information hash algorithms. */
static const corim_name algorithms[] = {
    {"sha-256", 1},    {"sha-256-128", 2}, {"sha-256-120", 3}, {"sha-256-96", 4}, {"sha-256-64", 5},
    {"sha-256-32", 6}, {"sha-384", 7},     {"sha-512", 8},     {"sha3-224", 9},   {"sha3-256", 10},
    {"sha3-384", 11},  {"sha3-512", 12},   {NULL, 0}};
static const corim_codec algorithm = {
    .put = corim_named_put, .get = corim_named_get, .of = algorithms};

/* "sha-256;<base64>"; with a colon where cocli has thumbprints. */
static vs_code put_digest_text(vs_arena *a, vs_span s, vs_buf *out, vs_error *err)
{
    bool found;
    vs_span value, alg = vs_span_cut(s, ';', &value, &found);
    if (!found)
        alg = vs_span_cut(s, ':', &value, &found);
    if (!found)
        return vs_fail(err, VS_E_INVALID, "must be like \"sha-256;<base64>\"");
    VS_TRY(algorithm.put(&algorithm, a, vs_string(alg), out, err));
    return bytes_put(&corim_bytes, a, vs_string(value), out, err);
}

static vs_code digest_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out, vs_error *err)
{
    (void)k;
    vs_cbor_put_array(out, 2);
    if (v.kind == VS_STRING)
        return put_digest_text(a, vs_text(v), out, err);
    if (v.kind != VS_ARRAY || v.len != 2)
        return vs_fail(err, VS_E_INVALID, "must be [algorithm, base64]");
    const corim_codec *alg = v.u.items[0].kind == VS_STRING ? &corim_text : &algorithm;
    VS_TRY_WRAP(alg->put(alg, a, v.u.items[0], out, err), err, "algorithm");
    return bytes_put(&corim_bytes, a, v.u.items[1], out, err);
}

static vs_val digest_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    vs_vec two = {.a = a};
    (void)k;
    if (vs_cbor_array(c) != 2 && c->code == VS_OK)
        (void)vs_cbor_fail(c, VS_E_INVALID, "a digest is an array of 2");
    if (vs_cbor_peek(c) == VS_CBOR_TEXT)
        vs_vec_add(&two, vs_string(vs_cbor_text(c)));
    else
        vs_vec_add(&two, vs_int(vs_cbor_int(c)));
    vs_vec_add(&two, vs_string(vs_b64_encode_arena(a, VS_B64_URL, vs_cbor_bytes(c))));
    return vs_vec_end_array(&two);
}

const corim_codec corim_hash = {.put = digest_put, .get = digest_get};
static const corim_codec digests = {
    .put = corim_list_put, .get = corim_list_get, .of = &corim_hash};

/* ---- integrity registers: {"<name>": {"key-type": "text" or "uint", "value": digests}} ---------
 */

static vs_code put_register(vs_arena *a, const vs_pair *m, corim_pair *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(CORIM_TEXT_MAX);
    vs_val type, value;
    uint64_t number;
    VS_TRY(vs_need(m->val, "key-type", VS_STRING, &type, err));
    VS_TRY(vs_need(m->val, "value", VS_ARRAY, &value, err));
    if (vs_span_is(vs_text(type), "text"))
        vs_cbor_put_text_span(&key, vs_text(m->key));
    else if (vs_span_is(vs_text(type), "uint") &&
             vs_span_decimal(vs_text(m->key), INT64_MAX, &number))
        vs_cbor_put_uint(&key, number);
    else
        return vs_fail(err, VS_E_INVALID, "\"key-type\" must be \"text\", or \"uint\" of a number");
    VS_TRY(vs_buf_check(&key, err));
    out->key = vs_dup(a, vs_buf_span(&key));
    return corim_encoded(&digests, a, value, &out->value, err);
}

static vs_code registers_put(const corim_codec *k, vs_arena *a, vs_val v, vs_buf *out,
                             vs_error *err)
{
    (void)k;
    if (v.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "must be object, not %s", vs_kind_name((vs_kind)v.kind));
    corim_pair *pairs = vs_alloc_array(a, v.len, sizeof *pairs);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < v.len; i++)
        VS_TRY_WRAP(put_register(a, &v.u.pairs[i], &pairs[i], err), err, "register \"%.*s\"",
                    VS_FMT(vs_span_head(vs_text(v.u.pairs[i].key), 80)));
    for (size_t i = 0; i < v.len; i++) /* "01" and "1" are the same number */
        for (size_t j = 0; j < i; j++)
            if (vs_span_eq(pairs[i].key, pairs[j].key))
                return vs_fail(err, VS_E_INVALID, "a register stands in it twice");
    corim_put_pairs(out, pairs, v.len);
    return VS_OK;
}

static vs_val registers_get(const corim_codec *k, vs_arena *a, vs_cbor *c)
{
    vs_obj o = {.a = a};
    (void)k;
    for (size_t n = vs_cbor_map(c); n > 0 && c->code == VS_OK; n--) {
        vs_obj one = {.a = a};
        bool text = vs_cbor_peek(c) == VS_CBOR_TEXT;
        vs_val name = text ? vs_string(vs_cbor_text(c)) : corim_uint.get(&corim_uint, a, c);
        if (!text)
            name = vs_cstring(vs_sprintf(a, "%lld", (long long)name.u.i));
        vs_obj_put(&one, "key-type", vs_cstring(text ? "text" : "uint"));
        vs_obj_put(&one, "value", digests.get(&digests, a, c));
        if (c->code != VS_OK)
            return vs_undefined();
        vs_obj_add(&o, name, vs_obj_end(&one, VS_DUP_REFUSE, NULL));
    }
    vs_val v = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
    if (c->code == VS_OK && !vs_defined(v) && vs_arena_ok(a))
        (void)vs_cbor_fail(c, VS_E_INVALID, "registers of the same name as text and number");
    return v;
}

const corim_codec corim_registers = {.put = registers_put, .get = registers_get};
