/* SPDX-License-Identifier: Apache-2.0 */
/* LUKS2 headers: the one shape that is taken, every other one that is not, and the volume key. */
#include "testing.h"

#include <fcntl.h>

#include "base/enc.h"
#include "cdh/luks2_key.h"
#include "luks2_image.h"

static uint8_t metadata[LUKS2_METADATA];

static vs_span whole(void)
{
    return vs_span_of(metadata, sizeof metadata);
}

/* `document` with the first `from` replaced. */
static vs_span changed(const char *document, const char *from, const char *to, vs_buf *out)
{
    const char *at = strstr(document, from);
    if (!at)
        fail_msg("\"%s\" is not in the document", from);
    vs_buf_clear(out);
    vs_buf_put(out, vs_span_of(document, (size_t)(at - document)));
    vs_buf_puts(out, to);
    vs_buf_puts(out, at + strlen(from));
    return vs_buf_span(out);
}

static void expect_refused(uint64_t device, vs_code want, const char *words)
{
    luks2_header h, before;
    vs_error err = {0};
    char said[VS_ERROR_TEXT];
    memset(&h, 0x77, sizeof h);
    before = h;
    vs_code code = luks2_header_parse(whole(), device, &h, &err);
    (void)vs_error_text(&err, said, sizeof said);
    if (code != want || !strstr(said, words))
        fail_msg("%s \"%s\", want %s \"%s\"", vs_code_name(code), said, vs_code_name(want), words);
    assert_memory_equal(&h, &before, sizeof h);
}

static void parse(luks2_header *h)
{
    vs_error err = {0};
    assert_vs_ok(luks2_header_parse(whole(), IMAGE_DEVICE, h, &err), &err);
}

/* ---- what is taken --------------------------------------------------------------------------- */

static void a_header_of_cryptsetups_shape_is_read(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    luks2_header h;
    image_metadata(metadata, VS_LIT(IMAGE_TWO));
    parse(&h);
    assert_string_equal(h.uuid, IMAGE_UUID);
    assert_int_equal(h.data_offset, 16 << 20);
    assert_int_equal(h.data_size, IMAGE_DEVICE - (16 << 20));
    assert_int_equal(h.sector_size, 4096);
    assert_true(h.is_dynamic);
    assert_int_equal(h.n_keyslots, 2);
    assert_int_equal(h.keyslots[0].area, IMAGE_AREAS);
    assert_int_equal(h.keyslots[1].area, IMAGE_AREA_2);
    assert_int_equal(h.keyslots[1].id, 1);
    assert_int_equal(h.keyslots[1].iterations, 1000);
    assert_int_equal(h.digest_iterations, 1000);
    assert_int_equal(h.digest_salt[31], 'S');
    assert_int_equal(h.digest[31], 'D');

    image_metadata(metadata,
                   changed(IMAGE_PLAIN, "\"sector_size\":4096", "\"sector_size\":512", &text));
    parse(&h);
    assert_int_equal(h.sector_size, 512);
    image_metadata(metadata, changed(IMAGE_PLAIN, "\"dynamic\"", "\"8192\"", &text));
    parse(&h);
    assert_int_equal(h.data_size, 8192);
    assert_false(h.is_dynamic);
    image_metadata(metadata, changed(IMAGE_PLAIN, "{\"type\":\"luks2\"",
                                     "{\"priority\":2,\"type\":\"luks2\"", &text));
    parse(&h);
}

/* ---- what is not ----------------------------------------------------------------------------- */

static void every_other_shape_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        vs_code code;
        const char *words;
    } shapes[] = {
        /* the attack that this file is for */
        {"\"encryption\":\"aes-xts-plain64\",\"sector",
         "\"encryption\":\"cipher_null-ecb\",\"sector", VS_E_UNSUPPORTED,
         "\"cipher_null-ecb\", must be \"aes-xts-plain64\""},
        {"\"encryption\":\"aes-xts-plain64\",\"key", "\"encryption\":\"cipher_null-ecb\",\"key",
         VS_E_UNSUPPORTED, "keyslot 0: \"encryption\" is \"cipher_null-ecb\""},
        {"aes-xts-plain64\",\"sector", "aes-cbc-essiv:sha256\",\"sector", VS_E_UNSUPPORTED,
         "must be \"aes-xts-plain64\""},
        {"aes-xts-plain64\",\"sector", "capi:xts(aes)-plain64\",\"sector", VS_E_UNSUPPORTED,
         "must be \"aes-xts-plain64\""},
        {"\"type\":\"crypt\"", "\"type\":\"linear\"", VS_E_UNSUPPORTED, "\"linear\""},
        {"\"sector_size\":4096", "\"sector_size\":4096,\"integrity\":{\"type\":\"hmac(sha256)\"}",
         VS_E_UNSUPPORTED, "\"integrity\""},
        {"\"sector_size\":4096", "\"sector_size\":4096,\"flags\":[\"backup-final\"]",
         VS_E_UNSUPPORTED, "\"flags\""},
        {"\"sector_size\":4096", "\"sector_size\":1024", VS_E_UNSUPPORTED, "neither 512 nor 4096"},
        {"\"sector_size\":4096", "\"sector_size\":8192", VS_E_UNSUPPORTED, "\"sector_size\""},
        {"\"sector_size\":4096", "\"sector_size\":\"4096\"", VS_E_INVALID, "\"sector_size\""},
        {",\"sector_size\":4096", "", VS_E_INVALID, "\"sector_size\" is missing"},
        {"\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"", VS_E_UNSUPPORTED, "\"iv_tweak\""},
        {"\"segments\":{\"0\":", "\"segments\":{\"1\":{},\"0\":", VS_E_UNSUPPORTED,
         "2 \"segments\""},
        {"\"segments\":{\"0\":", "\"segments\":{\"1\":", VS_E_INVALID, "\"0\" is missing"},
        /* places */
        {"16777216", "16777215", VS_E_INVALID, "behind the keyslots"},
        {"16777216", "16773120", VS_E_INVALID, "behind the keyslots"},
        {"16777216", "0", VS_E_INVALID, "behind the keyslots"},
        {"16777216", "33554432", VS_E_INVALID, "behind the keyslots"},
        {"16777216", "9223372036854771712", VS_E_INVALID, "behind the keyslots"},
        {"16777216", "18446744073709551616", VS_E_INVALID, "not a number"},
        {"16777216", "-4096", VS_E_INVALID, "not a number"},
        {"\"16777216\"", "16777216", VS_E_INVALID, "\"offset\""},
        {"\"dynamic\"", "\"0\"", VS_E_INVALID, "do not end on the device"},
        {"\"dynamic\"", "\"4608\"", VS_E_INVALID, "do not end on the device"},
        {"\"dynamic\"", "\"16781312\"", VS_E_INVALID, "do not end on the device"},
        {"\"dynamic\"", "\"9223372036854771712\"", VS_E_INVALID, "do not end on the device"},
        {"\"dynamic\"", "\"Dynamic\"", VS_E_INVALID, "not a number"},
        {"\"32768\"", "\"16384\"", VS_E_INVALID, "its area"},
        {"\"32768\"", "\"32769\"", VS_E_INVALID, "its area"},
        {"\"32768\"", "\"16523264\"", VS_E_INVALID, "its area"},
        {"\"32768\"", "\"9223372036854771712\"", VS_E_INVALID, "its area"},
        {"\"258048\"", "\"262144\"", VS_E_INVALID, "its area"},
        {"\"258048\"", "\"4096\"", VS_E_INVALID, "its area"},
        {"\"16744448\"", "\"253952\"", VS_E_INVALID, "its area"},
        {"\"16744448\"", "\"16748544\"", VS_E_INVALID, "behind the keyslots"},
        {"\"16744448\"", "\"16744449\"", VS_E_INVALID, "does not fit"},
        {"\"16744448\"", "\"9223372036854771712\"", VS_E_INVALID, "does not fit"},
        {"\"12288\"", "\"12287\"", VS_E_INVALID, "\"json_size\""},
        /* configuration, tokens */
        {"\"config\":{", "\"config\":{\"requirements\":{\"mandatory\":[\"online-reencrypt\"]},",
         VS_E_UNSUPPORTED, "\"requirements\""},
        {"\"config\":{", "\"config\":{\"flags\":[\"allow-discards\"],", VS_E_UNSUPPORTED,
         "\"flags\""},
        {"\"tokens\":{}", "\"tokens\":{\"0\":{\"type\":\"luks2-keyring\"}}", VS_E_UNSUPPORTED,
         "cryptsetup token remove"},
        {"\"tokens\":{},", "", VS_E_INVALID, "\"tokens\" is missing"},
        {"\"tokens\":{}", "\"tokens\":{},\"more\":1", VS_E_UNSUPPORTED, "\"more\""},
        {"\"tokens\":{}", "\"tokens\":{},\"tokens\":{}", VS_E_PARSE, "\"tokens\""},
        /* keyslots */
        {"\"kdf\":{\"type\":\"pbkdf2\"", "\"kdf\":{\"type\":\"argon2id\"", VS_E_UNSUPPORTED,
         "cryptsetup luksConvertKey --pbkdf pbkdf2"},
        {"\"kdf\":{\"type\":\"pbkdf2\"", "\"kdf\":{\"type\":\"none\"", VS_E_UNSUPPORTED,
         "\"none\""},
        {"\"pbkdf2\",\"hash\":\"sha256\",\"iter", "\"pbkdf2\",\"hash\":\"sha1\",\"iter",
         VS_E_UNSUPPORTED, "\"sha1\""},
        {"\"iterations\":1000", "\"iterations\":999", VS_E_UNSUPPORTED, "\"iterations\""},
        {"\"iterations\":1000", "\"iterations\":1e3.5", VS_E_PARSE, ""},
        {"\"iterations\":1000", "\"iterations\":1000.5", VS_E_UNSUPPORTED, "\"iterations\""},
        {"\"iterations\":1000", "\"iterations\":20000001", VS_E_UNSUPPORTED, "\"iterations\""},
        {"\"iterations\":1000", "\"iterations\":20000000", VS_E_LIMIT, "20001000 iterations"},
        {"\"iterations\":1000", "\"iterations\":4294968296", VS_E_UNSUPPORTED, "\"iterations\""},
        {"\"salt\":\"U1NT", "\"salt\":\"", VS_E_UNSUPPORTED, "29 bytes"},
        {"\"salt\":\"U1NT", "\"salt\":\"=1NT", VS_E_PARSE, "\"salt\""},
        {"\"stripes\":4000", "\"stripes\":1", VS_E_UNSUPPORTED, "\"stripes\""},
        {"\"type\":\"luks1\"", "\"type\":\"none\"", VS_E_UNSUPPORTED, "\"none\""},
        {"4000,\"hash\":\"sha256\"", "4000,\"hash\":\"sha512\"", VS_E_UNSUPPORTED, "\"sha512\""},
        {"\"key_size\":64", "\"key_size\":32", VS_E_UNSUPPORTED, "\"key_size\""},
        {"aes-xts-plain64\",\"key_size\":64", "aes-xts-plain64\",\"key_size\":0", VS_E_UNSUPPORTED,
         "\"key_size\""},
        {"\"type\":\"raw\"", "\"type\":\"journal\"", VS_E_UNSUPPORTED, "\"journal\""},
        {"\"type\":\"luks2\"", "\"type\":\"reencrypt\"", VS_E_UNSUPPORTED, "\"reencrypt\""},
        {"{\"type\":\"luks2\"", "{\"priority\":0,\"type\":\"luks2\"", VS_E_UNSUPPORTED,
         "\"priority\""},
        {"{\"type\":\"luks2\"", "{\"direction\":\"forward\",\"type\":\"luks2\"", VS_E_UNSUPPORTED,
         "\"direction\""},
        {"\"keyslots\":{\"0\":", "\"keyslots\":{\"00\":", VS_E_INVALID, "\"00\""},
        {"\"keyslots\":{\"0\":", "\"keyslots\":{\"32\":", VS_E_INVALID, "\"32\""},
        {"\"keyslots\":{\"0\":", "\"keyslots\":{\"1\":", VS_E_INVALID, "not those of the header"},
        {"\"keyslots\":{\"0\":", "\"keyslots\":{\"1\":7,\"0\":", VS_E_INVALID, "is no object"},
        /* digests */
        {"\"keyslots\":[\"0\"]", "\"keyslots\":[]", VS_E_INVALID, "not those of the header"},
        {"\"keyslots\":[\"0\"]", "\"keyslots\":[\"0\",\"1\"]", VS_E_INVALID, "not those of"},
        {"\"keyslots\":[\"0\"]", "\"keyslots\":[\"0\",\"0\"]", VS_E_INVALID, "not those of"},
        {"\"keyslots\":[\"0\"]", "\"keyslots\":[0]", VS_E_INVALID, "\"keyslots\""},
        {"\"segments\":[\"0\"]", "\"segments\":[]", VS_E_INVALID, "\"segments\""},
        {"\"segments\":[\"0\"]", "\"segments\":[\"1\"]", VS_E_INVALID, "\"segments\""},
        {"\"digests\":{\"0\":", "\"digests\":{\"1\":{},\"0\":", VS_E_UNSUPPORTED, "2 \"digests\""},
        {"[\"0\"],\"hash\":\"sha256\"", "[\"0\"],\"hash\":\"md5\"", VS_E_UNSUPPORTED, "\"md5\""},
        {"\"sha256\",\"iterations\":1000,\"salt\":\"" IMAGE_SALT "\",\"digest\"",
         "\"sha256\",\"iterations\":1,\"salt\":\"" IMAGE_SALT "\",\"digest\"", VS_E_UNSUPPORTED,
         "digest: \"iterations\""},
        {IMAGE_DIGEST, "RERERA==", VS_E_UNSUPPORTED, "4 bytes, must have 32"},
        /* no such document */
        {"{\"keyslots\"", "[{\"keyslots\"", VS_E_PARSE, ""},
        {IMAGE_PLAIN, "[]", VS_E_INVALID, "must be an object"},
        {IMAGE_PLAIN, "{}", VS_E_INVALID, "is missing"},
        {IMAGE_PLAIN, "", VS_E_PARSE, ""},
        {"\"config\":{", "\"config\":{\"x\":[[[[[[[[[[]]]]]]]]]],", VS_E_LIMIT, ""},
    };
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    for (size_t i = 0; i < VS_COUNT(shapes); i++) {
        image_metadata(metadata, changed(IMAGE_PLAIN, shapes[i].from, shapes[i].to, &text));
        expect_refused(IMAGE_DEVICE, shapes[i].code, shapes[i].words);
    }
}

static void keyslots_may_not_share_their_areas(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    image_metadata(metadata, changed(IMAGE_TWO, "290816", "32768", &text));
    expect_refused(IMAGE_DEVICE, VS_E_INVALID, "keyslot 1: its area overlaps");
    image_metadata(metadata, changed(IMAGE_TWO, "290816", "286720", &text));
    expect_refused(IMAGE_DEVICE, VS_E_INVALID, "keyslot 1: its area overlaps");
}

/* A change of one byte of one copy, whose checksum is then made right again. */
static void expect_binary(size_t at, uint8_t value, vs_code code, const char *words)
{
    image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
    metadata[at] = value;
    image_checksum(metadata + at / LUKS2_COPY * LUKS2_COPY);
    expect_refused(IMAGE_DEVICE, code, words);
}

static void the_binary_headers_are_checked(void **state)
{
    (void)state;
    expect_binary(0, 'l', VS_E_PARSE, "first copy of the header: no LUKS header");
    expect_binary(LUKS2_COPY, 'L', VS_E_PARSE, "second copy of the header: no LUKS header");
    expect_binary(7, 1, VS_E_UNSUPPORTED, "LUKS version 1");
    expect_binary(14, 0x80, VS_E_UNSUPPORTED, "--luks2-metadata-size");
    expect_binary(8, 0x80, VS_E_UNSUPPORTED, "--luks2-metadata-size");
    expect_binary(263, 1, VS_E_INVALID, "elsewhere");
    expect_binary(77, '5', VS_E_UNSUPPORTED, "checksum is not sha256");
    expect_binary(79, 'x', VS_E_PARSE, "name of the checksum");
    expect_binary(24 + 47, 'x', VS_E_PARSE, "label");
    expect_binary(208 + 47, 'x', VS_E_PARSE, "subsystem");
    expect_binary(264, 1, VS_E_INVALID, "reserved bytes");
    expect_binary(4095, 1, VS_E_INVALID, "reserved bytes");
    expect_binary(LUKS2_COPY - 1, ' ', VS_E_PARSE, "JSON area");
    expect_binary(23, 4, VS_E_CONFLICT, "sequence ids 4 and 3");
    expect_binary(168, 'b', VS_E_CONFLICT, "the two copies of the header differ");
    expect_binary(IMAGE_JSON + sizeof IMAGE_PLAIN - 1, ' ', VS_E_CONFLICT, "differ");
    image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
    metadata[IMAGE_CHECKSUM + 32] = 1;
    expect_refused(IMAGE_DEVICE, VS_E_CRYPTO, "checksum is wrong");
    image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
    metadata[168 + 8] = metadata[LUKS2_COPY + 168 + 8] = 'a';
    image_checksum(metadata);
    image_checksum(metadata + LUKS2_COPY);
    expect_refused(IMAGE_DEVICE, VS_E_INVALID, "UUID");
}

static void an_old_header_beside_a_new_one_is_refused(void **state)
{
    (void)state;
    image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
    image_copy(metadata + LUKS2_COPY, true, VS_LIT(IMAGE_TWO));
    expect_refused(IMAGE_DEVICE, VS_E_CONFLICT, "the two copies of the header differ");
}

static void nothing_shorter_than_the_whole_is_a_header(void **state)
{
    (void)state;
    luks2_header h;
    image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
    for (size_t n = 0; n < LUKS2_METADATA; n++)
        assert_vs_code(luks2_header_parse(vs_span_head(whole(), n), IMAGE_DEVICE, &h, NULL),
                       VS_E_PARSE);
    for (uint64_t device = 0; device <= 16 << 20; device += 4096)
        assert_vs_code(luks2_header_parse(whole(), device, &h, NULL),
                       device < LUKS2_METADATA ? VS_E_PARSE : VS_E_INVALID);
    for (size_t n = 0; n < sizeof IMAGE_PLAIN - 1; n++) { /* with checksums that are right */
        image_metadata(metadata, vs_span_head(VS_LIT(IMAGE_PLAIN), n));
        assert_vs_code(luks2_header_parse(whole(), IMAGE_DEVICE, &h, NULL), VS_E_PARSE);
    }
}

static void every_flipped_bit_of_the_header_is_noticed(void **state)
{
    (void)state;
    luks2_header h;
    image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
    for (size_t at = 0; at < LUKS2_METADATA; at++) {
        bool text =
            at % LUKS2_COPY >= IMAGE_JSON && at % LUKS2_COPY < IMAGE_JSON + sizeof IMAGE_PLAIN;
        bool every = at % LUKS2_COPY < 512 || text; /* of the zeros one in each byte */
        for (int bit = (int)at & 7, n = 0; n < (every ? 8 : 1); bit = (bit + 1) & 7, n++) {
            metadata[at] ^= (uint8_t)(1 << bit);
            if (luks2_header_parse(whole(), IMAGE_DEVICE, &h, NULL) == VS_OK)
                fail_msg("bit %d of byte %zu may be changed", bit, at);
            metadata[at] ^= (uint8_t)(1 << bit);
        }
    }
}

/* Whoever can write the disk makes the checksums right: then the header is refused, or it is the
 * same in all that is used, or its digest is another. */
static void a_flipped_bit_under_right_checksums_shows_in_the_digest(void **state)
{
    (void)state;
    luks2_header h, other;
    uint8_t digest[LUKS2_DIGEST], changed_digest[LUKS2_DIGEST];
    image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
    parse(&h);
    assert_vs_ok(luks2_header_digest(&h, digest, NULL), NULL);
    unsigned taken = 0, same = 0;
    for (size_t at = 0; at < IMAGE_JSON + sizeof IMAGE_PLAIN; at++) {
        if (at == 512)
            at = IMAGE_JSON;
        for (int bit = 0; bit < 8; bit++) {
            image_metadata(metadata, VS_LIT(IMAGE_PLAIN));
            metadata[at] ^= (uint8_t)(1 << bit);
            metadata[LUKS2_COPY + at] ^= (uint8_t)(1 << bit);
            image_checksum(metadata);
            image_checksum(metadata + LUKS2_COPY);
            if (luks2_header_parse(whole(), IMAGE_DEVICE, &other, NULL) != VS_OK)
                continue;
            taken++;
            bool equal = memcmp(&h, &other, sizeof h) == 0;
            same += equal;
            assert_vs_ok(luks2_header_digest(&other, changed_digest, NULL), NULL);
            assert_int_equal(equal, memcmp(digest, changed_digest, sizeof digest) == 0);
        }
    }
    assert_in_range(same, 1, taken - 1);
}

/* The definition in docs/guest.md, put together by hand. */
static void the_digest_is_that_of_the_documented_text(void **state)
{
    (void)state;
    static const char s[] = "5353535353535353535353535353535353535353535353535353535353535353";
    static const char d[] = "4444444444444444444444444444444444444444444444444444444444444444";
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    uint8_t digest[LUKS2_DIGEST], want[VS_HASH_MAX];
    luks2_header h;
    image_metadata(metadata, VS_LIT(IMAGE_TWO));
    parse(&h);
    vs_buf_printf(&text,
                  "luks2 1\nuuid " IMAGE_UUID "\ncipher aes-xts-plain64 64\n"
                  "data 16777216 dynamic 4096\nkeyslot 0 32768 1000 %s\n"
                  "keyslot 1 290816 1000 %s\ndigest 1000 %s %s\n",
                  s, s, s, d);
    assert_vs_ok(vs_digest(VS_SHA256, vs_buf_span(&text), (vs_span){0}, (vs_span){0}, want, NULL),
                 NULL);
    assert_vs_ok(luks2_header_digest(&h, digest, NULL), NULL);
    assert_memory_equal(digest, want, sizeof digest);
}

/* ---- the volume key -------------------------------------------------------------------------- */

#define PASSPHRASE "the disk's key"

static uint8_t volume_key[LUKS2_KEY];

/* A file with header and two keyslots, of which only the second opens with PASSPHRASE. */
static int volume(luks2_header *h)
{
    char path[] = "/tmp/vs-luks2-XXXXXX";
    static uint8_t area[LUKS2_AREA];
    VS_CLEANUP(vs_buf_free) vs_buf digest = VS_BUF(64), text = VS_BUF(8192);
    uint8_t sum[LUKS2_DIGEST];
    for (size_t i = 0; i < LUKS2_KEY; i++)
        volume_key[i] = (uint8_t)(200 - i);
    image_digest(volume_key, sum);
    vs_b64_encode(&digest, VS_B64_STD, vs_span_of(sum, sizeof sum));
    image_metadata(metadata, changed(IMAGE_TWO, IMAGE_DIGEST, (const char *)digest.p, &text));
    int fd = mkstemp(path);
    (void)unlink(path);
    assert_int_equal(ftruncate(fd, (off_t)IMAGE_DEVICE), 0);
    assert_int_equal(pwrite(fd, metadata, sizeof metadata, 0), sizeof metadata);
    image_area(area, VS_LIT("another key"), volume_key);
    assert_int_equal(pwrite(fd, area, sizeof area, IMAGE_AREAS), sizeof area);
    image_area(area, VS_LIT(PASSPHRASE), volume_key);
    assert_int_equal(pwrite(fd, area, sizeof area, IMAGE_AREA_2), sizeof area);
    vs_error err = {0};
    assert_vs_ok(luks2_read(fd, IMAGE_DEVICE, h, &err), &err);
    return fd;
}

static void the_key_opens_the_volume(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(256);
    vs_error err = {0};
    luks2_header h;
    int fd = volume(&h);
    assert_vs_ok(luks2_unlock(fd, &h, VS_LIT(PASSPHRASE), &key, &err), &err);
    assert_vs_ok(luks2_unlock(fd, &h, VS_LIT("another key"), &key, &err), &err);
    assert_int_equal(key.n, 2 * LUKS2_KEY);
    assert_memory_equal(key.p, volume_key, LUKS2_KEY);
    assert_memory_equal(key.p + LUKS2_KEY, volume_key, LUKS2_KEY);
    (void)close(fd);
}

static void expect_closed(int fd, const luks2_header *h, vs_span passphrase)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(256);
    vs_error err = {0};
    assert_vs_code(luks2_unlock(fd, h, passphrase, &key, &err), VS_E_CRYPTO);
    assert_int_equal(key.n, 0);
    assert_non_null(strstr(vs_error_at(&err, 0), "opens no keyslot"));
}

static void another_key_does_not(void **state)
{
    (void)state;
    luks2_header h;
    int fd = volume(&h);
    expect_closed(fd, &h, VS_LIT(""));
    expect_closed(fd, &h, VS_LIT(PASSPHRASE "\n"));
    expect_closed(fd, &h, vs_span_head(VS_LIT(PASSPHRASE), 5));
    (void)close(fd);
}

static void a_changed_keyslot_or_digest_does_not_open(void **state)
{
    (void)state;
    luks2_header h;
    int fd = volume(&h);
    const uint64_t places[] = {0, 130000, (uint64_t)LUKS2_KEY * LUKS2_STRIPES - 1};
    for (size_t i = 0; i < VS_COUNT(places); i++) {
        uint8_t byte;
        off_t at = (off_t)(IMAGE_AREA_2 + places[i]);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        expect_closed(fd, &h, VS_LIT(PASSPHRASE));
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    h.digest[31] ^= 1;
    expect_closed(fd, &h, VS_LIT(PASSPHRASE));
    (void)close(fd);
}

static void a_volume_that_ends_too_soon_is_an_error(void **state)
{
    (void)state;
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(256);
    luks2_header h;
    int fd = volume(&h);
    assert_int_equal(ftruncate(fd, IMAGE_AREA_2 + 1000), 0);
    assert_vs_code(luks2_unlock(fd, &h, VS_LIT(PASSPHRASE), &key, NULL), VS_E_PARSE);
    assert_int_equal(key.n, 0);
    assert_int_equal(ftruncate(fd, 1000), 0);
    assert_vs_code(luks2_read(fd, IMAGE_DEVICE, &h, NULL), VS_E_PARSE);
    assert_vs_code(luks2_read(fd, 1000, &h, NULL), VS_E_PARSE);
    (void)close(fd);
}

/* ---- cryptsetup as the oracle ---------------------------------------------------------------- */

static bool shell(const char *command)
{
    char line[1024];
    (void)snprintf(line, sizeof line, "export PATH=$PATH:/usr/sbin:/sbin; { %s; } >/dev/null 2>&1",
                   command);
    return system(line) == 0; /* NOLINT(cert-env33-c): a test */
}

#define FORMAT                                                                                     \
    "cryptsetup --batch-mode --disable-locks luksFormat --type luks2 --pbkdf pbkdf2 "              \
    "--pbkdf-force-iterations 1000 --hash sha256 "

static void check_made_by_cryptsetup(const char *format)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(256), want = VS_BUF(256), pass = VS_BUF(64);
    vs_error err = {0};
    luks2_header h;
    assert_true(
        shell("rm -f disk volume.key; truncate -s 32M disk; head -c 32 /dev/urandom >pass"));
    assert_true(shell(format));
    assert_true(shell("cryptsetup --disable-locks luksDump --batch-mode --dump-volume-key "
                      "--volume-key-file volume.key --key-file pass disk"));
    assert_vs_ok(vs_read_file("pass", &pass, &err), &err);
    assert_vs_ok(vs_read_file("volume.key", &want, &err), &err);
    int fd = open("disk", O_RDONLY | O_CLOEXEC);
    assert_vs_ok(luks2_read(fd, IMAGE_DEVICE, &h, &err), &err);
    assert_vs_ok(luks2_unlock(fd, &h, vs_buf_span(&pass), &key, &err), &err);
    assert_span_eq(vs_buf_span(&key), vs_buf_span(&want));
    (void)close(fd);
}

static void expect_cryptsetups_refused(const char *format, const char *words)
{
    vs_error err = {0};
    char said[VS_ERROR_TEXT];
    luks2_header h;
    assert_true(shell("rm -f disk; truncate -s 32M disk"));
    assert_true(shell(format));
    int fd = open("disk", O_RDONLY | O_CLOEXEC);
    assert_vs_code(luks2_read(fd, IMAGE_DEVICE, &h, &err), VS_E_UNSUPPORTED);
    if (!strstr(vs_error_text(&err, said, sizeof said), words))
        fail_msg("\"%s\" does not say \"%s\"", said, words);
    (void)close(fd);
}

static void volumes_of_cryptsetup_open_and_its_other_kinds_do_not(void **state)
{
    (void)state;
    char dir[] = "/tmp/vs-cryptsetup-XXXXXX", line[64];
    if (!shell("command -v cryptsetup")) {
        print_message("skipped: there is no cryptsetup\n");
        skip();
    }
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chdir(dir), 0);
    check_made_by_cryptsetup(FORMAT "--sector-size 512 --key-size 512 disk pass");
    check_made_by_cryptsetup(FORMAT "--sector-size 4096 --key-size 512 disk pass");
    check_made_by_cryptsetup(FORMAT "--key-size 512 --label a --subsystem b disk pass");
    expect_cryptsetups_refused(FORMAT "--key-size 256 disk pass", "\"key_size\"");
    expect_cryptsetups_refused("cryptsetup --batch-mode --disable-locks luksFormat --type luks2 "
                               "--pbkdf argon2id --pbkdf-memory 1024 --pbkdf-force-iterations 4 "
                               "disk pass",
                               "luksConvertKey");
    expect_cryptsetups_refused("cryptsetup --batch-mode --disable-locks luksFormat --type luks1 "
                               "--pbkdf-force-iterations 1000 disk pass",
                               "LUKS version 1");
    assert_int_equal(chdir("/"), 0);
    (void)snprintf(line, sizeof line, "rm -r %s", dir);
    assert_true(shell(line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_of_cryptsetups_shape_is_read),
        cmocka_unit_test(every_other_shape_is_refused),
        cmocka_unit_test(keyslots_may_not_share_their_areas),
        cmocka_unit_test(the_binary_headers_are_checked),
        cmocka_unit_test(an_old_header_beside_a_new_one_is_refused),
        cmocka_unit_test(nothing_shorter_than_the_whole_is_a_header),
        cmocka_unit_test(every_flipped_bit_of_the_header_is_noticed),
        cmocka_unit_test(a_flipped_bit_under_right_checksums_shows_in_the_digest),
        cmocka_unit_test(the_digest_is_that_of_the_documented_text),
        cmocka_unit_test(the_key_opens_the_volume),
        cmocka_unit_test(another_key_does_not),
        cmocka_unit_test(a_changed_keyslot_or_digest_does_not_open),
        cmocka_unit_test(a_volume_that_ends_too_soon_is_an_error),
        cmocka_unit_test(volumes_of_cryptsetup_open_and_its_other_kinds_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
