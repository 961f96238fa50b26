/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/luks2_header.h"

#include "base/enc.h"
#include "crypto/crypto.h"
#include "value/json.h"

enum {
    BINARY = 4096,
    JSON = LUKS2_COPY - BINARY,
    BLOCK = 4096, /* of the layout: all offsets are multiples */
    VERSION = 2,
    ID_MAX = 31,
};

/* Where the fields of the binary header are; numbers are big-endian. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 6,
    AT_SIZE = 8,
    AT_SEQUENCE = 16,
    AT_LABEL = 24,
    AT_CHECKSUM_NAME = 72,
    AT_SALT = 104,
    AT_UUID = 168,
    AT_SUBSYSTEM = 208,
    AT_OFFSET = 256,
    AT_PADDING = 264,
    AT_CHECKSUM = 448,
    AT_PADDING_2 = 512,
    MAGIC = 6,
    NAME = 32,
    UUID = 40,
};

/* ---- the binary header ----------------------------------------------------------------------- */

typedef struct copy {
    vs_span bytes, json; /* json: without the zeros behind it */
    uint64_t sequence;
} copy;

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static bool all_zero(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i])
            return false;
    return true;
}

static vs_span part(vs_span s, size_t from, size_t to)
{
    return vs_span_from(vs_span_head(s, to), from);
}

/* Text up to the first zero, and zeros behind it. */
static vs_code text_at(vs_span s, size_t at, size_t n, const char *what, vs_span *out,
                       vs_error *err)
{
    vs_span field = part(s, at, at + n);
    const uint8_t *end = memchr(field.p, 0, field.n);
    if (!end || !all_zero(vs_span_from(field, (size_t)(end - field.p))))
        return vs_fail(err, VS_E_PARSE, "the %s is no text that ends with zeros", what);
    *out = vs_span_head(field, (size_t)(end - field.p));
    return VS_OK;
}

static vs_code check_checksum(vs_span s, vs_error *err)
{
    static const uint8_t zeros[AT_PADDING_2 - AT_CHECKSUM];
    uint8_t sum[VS_HASH_MAX];
    size_t n = vs_hash_size(VS_SHA256);
    VS_TRY(vs_digest(VS_SHA256, vs_span_head(s, AT_CHECKSUM), vs_span_of(zeros, sizeof zeros),
                     vs_span_from(s, AT_PADDING_2), sum, err));
    if (memcmp(sum, s.p + AT_CHECKSUM, n) != 0 || !all_zero(part(s, AT_CHECKSUM + n, AT_PADDING_2)))
        return vs_fail(err, VS_E_CRYPTO, "the checksum is wrong");
    return VS_OK;
}

/* Of the header's texts only the name of the checksum matters; the checksum covers the others. */
static vs_code read_binary(vs_span s, size_t offset, copy *out, vs_error *err)
{
    static const char *const magics[] = {"LUKS\xba\xbe", "SKUL\xba\xbe"};
    vs_span name, label;
    if (memcmp(s.p + AT_MAGIC, magics[offset != 0], MAGIC) != 0)
        return vs_fail(err, VS_E_PARSE, "no LUKS header is there");
    uint64_t version = big_endian(s.p + AT_VERSION, 2), size = big_endian(s.p + AT_SIZE, 8);
    if (version != VERSION)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "it is LUKS version %u, must be 2: `cryptsetup convert --type luks2`",
                       (unsigned)version);
    if (size != LUKS2_COPY)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "the metadata have %llu bytes, must have %d: format without "
                       "--luks2-metadata-size",
                       (unsigned long long)size, LUKS2_COPY);
    if (big_endian(s.p + AT_OFFSET, 8) != offset)
        return vs_fail(err, VS_E_INVALID, "it says that it is elsewhere");
    VS_TRY(text_at(s, AT_CHECKSUM_NAME, NAME, "name of the checksum", &name, err));
    if (!vs_span_is(name, "sha256"))
        return vs_fail(err, VS_E_UNSUPPORTED, "the checksum is not sha256");
    VS_TRY(check_checksum(s, err));
    VS_TRY(text_at(s, AT_LABEL, AT_CHECKSUM_NAME - AT_LABEL, "label", &label, err));
    VS_TRY(text_at(s, AT_SUBSYSTEM, AT_OFFSET - AT_SUBSYSTEM, "subsystem", &label, err));
    if (!all_zero(part(s, AT_PADDING, AT_CHECKSUM)) || !all_zero(part(s, AT_PADDING_2, BINARY)))
        return vs_fail(err, VS_E_INVALID, "reserved bytes are not zero");
    VS_TRY(text_at(s, BINARY, JSON, "JSON area", &out->json, err));
    out->bytes = s;
    out->sequence = big_endian(s.p + AT_SEQUENCE, 8);
    return VS_OK;
}

static vs_code read_uuid(vs_span s, char out[LUKS2_UUID + 1], vs_error *err)
{
    vs_span text;
    VS_TRY(text_at(s, AT_UUID, UUID, "UUID", &text, err));
    bool ok = text.n == LUKS2_UUID;
    for (size_t i = 0; ok && i < text.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        ok = dash ? text.p[i] == '-' : text.p[i] && strchr("0123456789abcdef", text.p[i]);
    }
    if (!ok)
        return vs_fail(err, VS_E_INVALID, "the UUID is none");
    memcpy(out, text.p, text.n);
    out[text.n] = 0;
    return VS_OK;
}

/* A write that was cut short leaves two copies that differ, and so does a replay of half a header:
 * which of the two it was cannot be told here. */
static vs_code read_copies(vs_span metadata, copy *first, vs_error *err)
{
    copy second;
    VS_TRY_WRAP(read_binary(vs_span_head(metadata, LUKS2_COPY), 0, first, err), err,
                "first copy of the header");
    VS_TRY_WRAP(read_binary(vs_span_from(metadata, LUKS2_COPY), LUKS2_COPY, &second, err), err,
                "second copy of the header");
    bool same = first->sequence == second.sequence && vs_span_eq(first->json, second.json) &&
                memcmp(first->bytes.p + AT_UUID, second.bytes.p + AT_UUID, UUID) == 0;
    if (!same)
        return vs_fail(err, VS_E_CONFLICT,
                       "the two copies of the header differ (sequence ids %llu and %llu): open "
                       "the volume once with cryptsetup where the disk can be trusted",
                       (unsigned long long)first->sequence, (unsigned long long)second.sequence);
    return VS_OK;
}

/* ---- members of the JSON --------------------------------------------------------------------- */

/* Nothing but the members that are named: what is not understood may change what the rest means. */
static vs_code only(vs_val object, const char *const *names, vs_error *err)
{
    for (VS_OBJ_FOR (m, object)) {
        const char *const *name = names;
        while (*name && !vs_span_is(vs_text(m->key), *name))
            name++;
        if (!*name)
            return vs_fail(err, VS_E_UNSUPPORTED, "member \"%.*s\" is not taken here",
                           VS_FMT(vs_span_head(vs_text(m->key), 64)));
    }
    return VS_OK;
}
#define ONLY(object, ...) only(object, (const char *const[]){__VA_ARGS__, NULL}, err)

static vs_code text_is(vs_val object, const char *key, const char *want, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(object, key, VS_STRING, &v, err));
    if (!vs_span_is(vs_text(v), want))
        return vs_fail(err, VS_E_UNSUPPORTED, "\"%s\" is \"%.*s\", must be \"%s\"", key,
                       VS_FMT(vs_span_head(vs_text(v), 64)), want);
    return VS_OK;
}

static vs_code number_in(vs_val object, const char *key, int64_t least, int64_t most, uint32_t *out,
                         vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(object, key, VS_NUMBER, &v, err));
    if (!vs_is_int(v) || v.u.i < least || v.u.i > most)
        return vs_fail(err, VS_E_UNSUPPORTED, "\"%s\" must be from %lld to %lld", key,
                       (long long)least, (long long)most);
    *out = (uint32_t)v.u.i;
    return VS_OK;
}

static vs_code number_is(vs_val object, const char *key, int64_t want, vs_error *err)
{
    uint32_t unused;
    return number_in(object, key, want, want, &unused, err);
}

/* Numbers of 64 bits are decimal text in LUKS2. */
static vs_code bytes_count(vs_val object, const char *key, uint64_t *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(object, key, VS_STRING, &v, err));
    if (!vs_span_decimal(vs_text(v), INT64_MAX, out))
        return vs_fail(err, VS_E_INVALID, "\"%s\" is not a number of bytes", key);
    return VS_OK;
}

static vs_code base64_of(vs_val object, const char *key, uint8_t *out, size_t n, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(256);
    vs_val v;
    VS_TRY(vs_need(object, key, VS_STRING, &v, err));
    VS_TRY_WRAP(vs_b64_decode(&bytes, VS_B64_STD, vs_text(v), err), err, "\"%s\"", key);
    if (bytes.n != n)
        return vs_fail(err, VS_E_UNSUPPORTED, "\"%s\" has %zu bytes, must have %zu", key, bytes.n,
                       n);
    memcpy(out, bytes.p, n);
    return VS_OK;
}

static vs_code member(vs_val object, const char *key, vs_val *out, vs_error *err)
{
    return vs_need(object, key, VS_OBJECT, out, err);
}

/* An object with the one member "0". */
static vs_code single(vs_val document, const char *key, vs_val *out, vs_error *err)
{
    vs_val all;
    VS_TRY(member(document, key, &all, err));
    if (all.len != 1)
        return vs_fail(err, VS_E_UNSUPPORTED, "%u \"%s\", must be one", all.len, key);
    VS_TRY_WRAP(member(all, "0", out, err), err, "\"%s\"", key);
    return VS_OK;
}

/* ---- the parts of the JSON ------------------------------------------------------------------- */

typedef struct layout {
    uint64_t keyslots_end; /* the areas of keyslots are between the metadata and here */
    uint64_t device_size;
} layout;

static vs_code read_config(vs_val document, layout *l, vs_error *err)
{
    vs_val config;
    uint64_t json, keyslots;
    VS_TRY(member(document, "config", &config, err));
    VS_TRY(ONLY(config, "json_size", "keyslots_size"));
    VS_TRY(bytes_count(config, "json_size", &json, err));
    VS_TRY(bytes_count(config, "keyslots_size", &keyslots, err));
    if (json != JSON)
        return vs_fail(err, VS_E_INVALID, "\"json_size\" is not that of the header");
    if (keyslots % BLOCK || keyslots > l->device_size || keyslots > l->device_size - LUKS2_METADATA)
        return vs_fail(err, VS_E_INVALID, "\"keyslots_size\" does not fit the device");
    l->keyslots_end = LUKS2_METADATA + keyslots;
    return VS_OK;
}

static vs_code read_segment(vs_val document, const layout *l, luks2_header *out, vs_error *err)
{
    vs_val segment, size;
    VS_TRY(single(document, "segments", &segment, err));
    VS_TRY(text_is(segment, "type", "crypt", err));
    VS_TRY(text_is(segment, "encryption", LUKS2_CIPHER, err));
    VS_TRY(ONLY(segment, "type", "offset", "size", "iv_tweak", "encryption", "sector_size"));
    VS_TRY(text_is(segment, "iv_tweak", "0", err));
    VS_TRY(bytes_count(segment, "offset", &out->data_offset, err));
    VS_TRY(number_in(segment, "sector_size", 512, BLOCK, &out->sector_size, err));
    if (out->sector_size != 512 && out->sector_size != BLOCK)
        return vs_fail(err, VS_E_UNSUPPORTED, "\"sector_size\" is neither 512 nor 4096");
    if (out->data_offset % BLOCK || out->data_offset < l->keyslots_end ||
        out->data_offset >= l->device_size)
        return vs_fail(err, VS_E_INVALID, "the data are not behind the keyslots, on the device");
    uint64_t room = l->device_size - out->data_offset;
    VS_TRY(vs_need(segment, "size", VS_STRING, &size, err));
    out->is_dynamic = vs_span_is(vs_text(size), "dynamic");
    if (out->is_dynamic)
        out->data_size = room;
    else
        VS_TRY(bytes_count(segment, "size", &out->data_size, err));
    if (out->data_size == 0 || out->data_size > room || out->data_size % out->sector_size)
        return vs_fail(err, VS_E_INVALID,
                       "the data do not end on the device, at the end of a sector");
    return VS_OK;
}

static vs_code read_kdf(vs_val keyslot, luks2_keyslot *out, vs_error *err)
{
    vs_val kdf, type;
    VS_TRY(member(keyslot, "kdf", &kdf, err));
    VS_TRY(vs_need(kdf, "type", VS_STRING, &type, err));
    if (vs_span_starts(vs_text(type), VS_LIT("argon2")))
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "it derives its key with Argon2, which is not taken here: `cryptsetup "
                       "luksConvertKey --pbkdf pbkdf2 --hash sha256 --pbkdf-force-iterations 1000` "
                       "(few are enough for a random key)");
    VS_TRY(text_is(kdf, "type", "pbkdf2", err));
    VS_TRY(text_is(kdf, "hash", "sha256", err));
    VS_TRY(ONLY(kdf, "type", "hash", "iterations", "salt"));
    VS_TRY(number_in(kdf, "iterations", LUKS2_ITERATIONS_MIN, LUKS2_ITERATIONS_MAX,
                     &out->iterations, err));
    return base64_of(kdf, "salt", out->salt, LUKS2_SALT, err);
}

static vs_code read_area(vs_val keyslot, const layout *l, luks2_keyslot *out, vs_error *err)
{
    vs_val area;
    uint64_t size;
    VS_TRY(member(keyslot, "area", &area, err));
    VS_TRY(text_is(area, "type", "raw", err));
    VS_TRY(text_is(area, "encryption", LUKS2_CIPHER, err));
    VS_TRY(number_is(area, "key_size", LUKS2_KEY, err));
    VS_TRY(ONLY(area, "type", "encryption", "key_size", "offset", "size"));
    VS_TRY(bytes_count(area, "offset", &out->area, err));
    VS_TRY(bytes_count(area, "size", &size, err));
    if (size != LUKS2_AREA || out->area % BLOCK || out->area < LUKS2_METADATA ||
        out->area > l->keyslots_end || size > l->keyslots_end - out->area)
        return vs_fail(err, VS_E_INVALID,
                       "its area is not one of %d bytes between the header and the data",
                       LUKS2_AREA);
    return VS_OK;
}

static vs_code read_keyslot(vs_val keyslot, const layout *l, luks2_keyslot *out, vs_error *err)
{
    vs_val af;
    VS_TRY(text_is(keyslot, "type", "luks2", err));
    VS_TRY(read_kdf(keyslot, out, err));
    VS_TRY(number_is(keyslot, "key_size", LUKS2_KEY, err));
    VS_TRY(ONLY(keyslot, "type", "key_size", "af", "area", "kdf", "priority"));
    if (vs_defined(vs_getc(keyslot, "priority")))
        VS_TRY(number_in(keyslot, "priority", 1, 2, &(uint32_t){0}, err));
    VS_TRY(member(keyslot, "af", &af, err));
    VS_TRY(text_is(af, "type", "luks1", err));
    VS_TRY(text_is(af, "hash", "sha256", err));
    VS_TRY(number_is(af, "stripes", LUKS2_STRIPES, err));
    VS_TRY(ONLY(af, "type", "hash", "stripes"));
    return read_area(keyslot, l, out, err);
}

/* "0" to "31", in one form only. */
static vs_code id_of(vs_val key, uint32_t *out, vs_error *err)
{
    uint64_t id;
    vs_span text = vs_text(key);
    if (!vs_span_decimal(text, ID_MAX, &id) || (text.n > 1 && text.p[0] == '0'))
        return vs_fail(err, VS_E_INVALID, "\"%.*s\" is no number from 0 to %d",
                       VS_FMT(vs_span_head(text, 16)), ID_MAX);
    *out = (uint32_t)id;
    return VS_OK;
}

static bool overlaps(const luks2_header *h, const luks2_keyslot *k)
{
    for (uint32_t i = 0; i < h->n_keyslots; i++) {
        uint64_t other = h->keyslots[i].area;
        if (k->area < other + LUKS2_AREA && other < k->area + LUKS2_AREA)
            return true;
    }
    return false;
}

static vs_code read_keyslots(vs_val document, const layout *l, luks2_header *out, vs_error *err)
{
    vs_val all;
    VS_TRY(member(document, "keyslots", &all, err));
    if (all.len == 0 || all.len > LUKS2_KEYSLOTS)
        return vs_fail(err, VS_E_UNSUPPORTED, "%u keyslots, must be from 1 to %d", all.len,
                       LUKS2_KEYSLOTS);
    for (VS_OBJ_FOR (m, all)) {
        luks2_keyslot k = {0};
        VS_TRY_WRAP(id_of(m->key, &k.id, err), err, "id of a keyslot");
        if (m->val.kind != VS_OBJECT)
            return vs_fail(err, VS_E_INVALID, "keyslot %u is no object", k.id);
        VS_TRY_WRAP(read_keyslot(m->val, l, &k, err), err, "keyslot %u", k.id);
        if (overlaps(out, &k))
            return vs_fail(err, VS_E_INVALID, "keyslot %u: its area overlaps another one", k.id);
        out->keyslots[out->n_keyslots++] = k;
    }
    return VS_OK;
}

/* All keyslots and the segment: a keyslot without a digest could hold any key. */
static vs_code check_covers(vs_val digest, const luks2_header *h, vs_error *err)
{
    vs_val keyslots, segments;
    uint32_t seen = 0, wanted = 0, id;
    VS_TRY(vs_need(digest, "keyslots", VS_ARRAY, &keyslots, err));
    VS_TRY(vs_need(digest, "segments", VS_ARRAY, &segments, err));
    for (VS_ARR_FOR (item, keyslots)) {
        VS_TRY_WRAP(id_of(*item, &id, err), err, "\"keyslots\"");
        seen |= (uint32_t)1 << id;
    }
    for (uint32_t i = 0; i < h->n_keyslots; i++)
        wanted |= (uint32_t)1 << h->keyslots[i].id;
    if (seen != wanted || keyslots.len != h->n_keyslots)
        return vs_fail(err, VS_E_INVALID, "\"keyslots\" are not those of the header");
    if (segments.len != 1 || !vs_span_is(vs_text(segments.u.items[0]), "0"))
        return vs_fail(err, VS_E_INVALID, "\"segments\" is not [\"0\"]");
    return VS_OK;
}

static vs_code read_digest(vs_val document, luks2_header *out, vs_error *err)
{
    vs_val digest;
    VS_TRY(single(document, "digests", &digest, err));
    VS_TRY(text_is(digest, "type", "pbkdf2", err));
    VS_TRY(text_is(digest, "hash", "sha256", err));
    VS_TRY(ONLY(digest, "type", "hash", "keyslots", "segments", "iterations", "salt", "digest"));
    VS_TRY(number_in(digest, "iterations", LUKS2_ITERATIONS_MIN, LUKS2_ITERATIONS_MAX,
                     &out->digest_iterations, err));
    VS_TRY(base64_of(digest, "salt", out->digest_salt, LUKS2_SALT, err));
    VS_TRY(base64_of(digest, "digest", out->digest, LUKS2_DIGEST, err));
    return check_covers(digest, out, err);
}

/* A wrong passphrase tries them all, and whoever writes the header chooses how long that takes. */
static vs_code check_work(const luks2_header *h, vs_error *err)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < h->n_keyslots; i++)
        sum += (uint64_t)h->keyslots[i].iterations + h->digest_iterations;
    if (sum > LUKS2_ITERATIONS_MAX)
        return vs_fail(err, VS_E_LIMIT,
                       "%llu iterations of PBKDF2 in all, at most %d: `cryptsetup luksConvertKey "
                       "--pbkdf pbkdf2 --hash sha256 --pbkdf-force-iterations 1000`",
                       (unsigned long long)sum, LUKS2_ITERATIONS_MAX);
    return VS_OK;
}

static vs_code read_document(vs_span json, uint64_t device_size, vs_arena *a, luks2_header *out,
                             vs_error *err)
{
    static const vs_json_opts limits = {.depth = 8, .nodes = 2048};
    layout l = {.device_size = device_size};
    vs_val document, tokens;
    VS_TRY(vs_json_parse(a, json, &limits, &document, err));
    if (document.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "it must be an object");
    VS_TRY(ONLY(document, "keyslots", "tokens", "segments", "digests", "config"));
    VS_TRY(member(document, "tokens", &tokens, err));
    if (tokens.len)
        return vs_fail(err, VS_E_UNSUPPORTED, "it has tokens: `cryptsetup token remove`");
    VS_TRY_WRAP(read_config(document, &l, err), err, "config");
    VS_TRY_WRAP(read_segment(document, &l, out, err), err, "segment");
    VS_TRY(read_keyslots(document, &l, out, err));
    VS_TRY_WRAP(read_digest(document, out, err), err, "digest");
    return check_work(out, err);
}

/* ---- the whole ------------------------------------------------------------------------------- */

vs_code luks2_header_parse(vs_span metadata, uint64_t device_size, luks2_header *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    luks2_header h = {0};
    copy c;
    if (metadata.n != LUKS2_METADATA || device_size < LUKS2_METADATA)
        return vs_fail(err, VS_E_PARSE, "it is too short for a LUKS2 header");
    VS_TRY(read_copies(metadata, &c, err));
    VS_TRY(read_uuid(c.bytes, h.uuid, err));
    VS_TRY_WRAP(read_document(c.json, device_size, &a, &h, err), err, "JSON of the header");
    *out = h;
    return VS_OK;
}

vs_code luks2_header_digest(const luks2_header *h, uint8_t out[LUKS2_DIGEST], vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    uint8_t sum[VS_HASH_MAX];
    vs_buf_printf(&text, "luks2 1\nuuid %s\ncipher " LUKS2_CIPHER " %d\ndata %llu ", h->uuid,
                  LUKS2_KEY, (unsigned long long)h->data_offset);
    if (h->is_dynamic)
        vs_buf_puts(&text, "dynamic");
    else
        vs_buf_printf(&text, "%llu", (unsigned long long)h->data_size);
    vs_buf_printf(&text, " %u\n", h->sector_size);
    for (uint32_t i = 0; i < h->n_keyslots; i++) {
        const luks2_keyslot *k = &h->keyslots[i];
        vs_buf_printf(&text, "keyslot %u %llu %u ", k->id, (unsigned long long)k->area,
                      k->iterations);
        vs_hex_encode(&text, vs_span_of(k->salt, LUKS2_SALT));
        vs_buf_putc(&text, '\n');
    }
    vs_buf_printf(&text, "digest %u ", h->digest_iterations);
    vs_hex_encode(&text, vs_span_of(h->digest_salt, LUKS2_SALT));
    vs_buf_putc(&text, ' ');
    vs_hex_encode(&text, vs_span_of(h->digest, LUKS2_DIGEST));
    vs_buf_putc(&text, '\n');
    VS_TRY(vs_buf_check(&text, err));
    VS_TRY(vs_digest(VS_SHA256, vs_buf_span(&text), (vs_span){0}, (vs_span){0}, sum, err));
    memcpy(out, sum, LUKS2_DIGEST);
    return VS_OK;
}
