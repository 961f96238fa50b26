/* SPDX-License-Identifier: Apache-2.0 */
/* The trust files: formats, reload, refusal of what is broken, and the cache of platform tokens. */
#include "soft_realm.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include "base/enc.h"
#include "tee/cca/verify.h"
#include "tee/evidence.h"

typedef struct files {
    char dir[64], config[128], ta[128], rv[128];
    soft_realm soft;
    vs_buf token;
} files;

static void put(const char *path, const char *text)
{
    vs_error err = {0};
    assert_vs_ok(vs_write_file(path, vs_str(text), 0600, &err), &err);
}

/* Beyond the time in which a file may change again without its stamp changing. */
static void wait_until_settled(void)
{
    const struct timespec t = {.tv_nsec = 40 * 1000 * 1000};
    (void)nanosleep(&t, NULL);
}

static void put_anchors(const files *f)
{
    vs_buf b = VS_BUF(1 << 16);
    assert_vs_code(realm_ta_store(&f->soft.spec, &f->soft.keys, &b, NULL), VS_OK);
    put(f->ta, (char *)b.p);
    vs_buf_free(&b);
}

static int start(void **state)
{
    files *f = calloc(1, sizeof *f);
    (void)snprintf(f->dir, sizeof f->dir, "%s/vs-trust-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->config, sizeof f->config, "%s/config.json", f->dir);
    (void)snprintf(f->ta, sizeof f->ta, "%s/ta.json", f->dir);
    (void)snprintf(f->rv, sizeof f->rv, "%s/rv.json", f->dir);
    soft_start(&f->soft, VS_KEY_P256, VS_KEY_P256);
    f->token = (vs_buf)VS_BUF(CCA_TOKEN_MAX);
    soft_token(&f->soft, &f->token);
    char config[512];
    (void)snprintf(
        config, sizeof config,
        "{\"cca-verifier\":{\"type\":\"local\",\"ta-store\":\"%s\",\"rv-store\":\"%s\"}}", f->ta,
        f->rv);
    put(f->config, config);
    put_anchors(f);
    vs_buf b = VS_BUF(1 << 16);
    assert_vs_code(realm_rv_store(&f->soft.spec, &b, NULL), VS_OK);
    put(f->rv, (char *)b.p);
    vs_buf_free(&b);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    files *f = *state;
    (void)unlink(f->config);
    (void)unlink(f->ta);
    (void)unlink(f->rv);
    (void)rmdir(f->dir);
    vs_buf_free(&f->token);
    soft_stop(&f->soft);
    free(f);
    return 0;
}

/* Takes the trust as of now and verifies the chain of `token`. */
static vs_code attempt(cca_trust *t, vs_span token, cca_verdict *v, uint64_t *generation)
{
    vs_arena a;
    vs_arena_init(&a, 0);
    cca_token parsed;
    cca_snapshot *s = NULL;
    assert_vs_code(cca_token_decode(&a, token, &parsed, NULL), VS_OK);
    vs_code code = cca_trust_take(t, &s, NULL);
    if (code == VS_OK) {
        *generation = s->generation;
        code = cca_verify_chain(&(cca_basis){.snapshot = s, .a = &a}, &parsed, v, NULL);
    }
    if (s)
        cca_snapshot_release(&s);
    vs_arena_free(&a);
    return code;
}

static void configurations_that_are_wrong_do_not_load(void **state)
{
    files *f = *state;
    static const struct {
        const char *text;
        vs_code want;
        const char *why;
    } bad[] = {
        {"", VS_E_PARSE, ""},
        {"{}", VS_E_INVALID, "cca-verifier"},
        {"{\"cca-verifier\":{}}", VS_E_INVALID, "\"type\" is missing"},
        {"{\"cca-verifier\":{\"type\":\"local\",\"ta-store\":1}}", VS_E_INVALID, "ta-store"},
        {"{\"cca-verifier\":{\"type\":\"local\",\"rv-store\":[]}}", VS_E_INVALID, "rv-store"},
        {"{\"cca-verifier\":{\"type\":\"local\",\"platform-mismatch\":\"pass\"}}", VS_E_INVALID,
         "\"pass\", must be \"fail\" or \"policy\""},
        {"{\"cca-verifier\":{\"type\":\"local\",\"platform-mismatch\":true}}", VS_E_INVALID,
         "platform-mismatch"},
        {"{\"cca-verifier\":{\"type\":\"local\",\"rvps-endorsements\":\"no\"}}", VS_E_INVALID,
         "rvps-endorsements"},
        {"{\"cca-verifier\":{\"type\":\"none\",\"ta-store\":\"x\",\"rv-store\":\"x\"}}",
         VS_E_INVALID, "must be \"local\""},
        {"{\"cca-verifier\":{\"type\":\"remote\"}}", VS_E_INVALID, "\"address\" is missing"},
        {"{\"cca-verifier\":{\"type\":\"local\",\"ta-store\":\"/nowhere\",\"rv-store\":\"x\"}}",
         VS_E_IO, "/nowhere"},
        {"{\"cca-verifier\":{\"type\":\"local\",\"ta-store\":\"x\",\"rv-store\":\"x\","
         "\"accept-lifecycle\":[\"any\"]}}",
         VS_E_INVALID, "\"any\" is not a state"},
        {"{\"cca-verifier\":{\"type\":\"local\",\"ta-store\":\"\",\"rv-store\":\"x\"}}",
         VS_E_INVALID, "empty"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        cca_trust *t = NULL;
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        put(f->config, bad[i].text);
        assert_vs_code(cca_trust_load(f->config, &t, &err), bad[i].want);
        assert_null(t);
        assert_non_null(strstr(vs_error_text(&err, text, sizeof text), bad[i].why));
    }
    cca_trust *t = NULL;
    assert_vs_code(cca_trust_load("/nowhere/config.json", &t, NULL), VS_E_NOT_FOUND);
}

/* Each store may be missing; what is there counts, and an empty file is not a missing one. */
static void stores_are_optional_but_an_empty_file_is_none(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_snapshot *s = NULL;
    vs_error err = {0};
    static const char only_type[] = "{\"cca-verifier\":{\"type\":\"local\"}}";
    put(f->config, only_type);
    assert_vs_ok(cca_trust_load(f->config, &t, &err), &err);
    assert_vs_ok(cca_trust_take(t, &s, &err), &err);
    assert_int_equal(s->stores.n_anchors, 0);
    assert_false(s->stores.has_references);
    assert_true(s->use_endorsements && !s->policy_decides);
    assert_string_equal(cca_trust_file(t, 0), f->config);
    assert_null(cca_trust_file(t, 1));
    cca_snapshot_release(&s);

    char config[512];
    (void)snprintf(config, sizeof config,
                   "{\"cca-verifier\":{\"type\":\"local\",\"rv-store\":\"%s\","
                   "\"platform-mismatch\":\"policy\",\"rvps-endorsements\":false}}",
                   f->rv);
    put(f->config, config);
    assert_vs_ok(cca_trust_take(t, &s, &err), &err);
    assert_int_equal(s->stores.n_anchors, 0);
    assert_true(s->stores.has_references && s->stores.n_platforms == 1);
    assert_true(!s->use_endorsements && s->policy_decides);
    assert_string_equal(cca_trust_file(t, 1), f->rv);
    cca_snapshot_release(&s);
    put(f->rv, "");
    assert_vs_code(cca_trust_take(t, &s, &err), VS_E_PARSE);
    put(f->config, only_type);
    assert_vs_ok(cca_trust_take(t, &s, &err), &err);
    assert_true(s->use_endorsements && !s->policy_decides && !s->stores.has_references);
    cca_snapshot_release(&s);
    cca_trust_free(&t);
}

#define ID32 "\"0000000000000000000000000000000000000000000000000000000000000001\""
#define ID33 "\"010000000000000000000000000000000000000000000000000000000000000001\""
static void stores_that_are_wrong_do_not_load(void **state)
{
    (void)state;
    static const struct {
        const char *ta, *rv;
        vs_code want;
        const char *why;
    } bad[] = {
        {"{}", "{}", VS_E_INVALID, "trust anchor store: must be an array"},
        {"[{}]", "{}", VS_E_INVALID, "trust anchor store: entry 0"},
        {"[1]", "{}", VS_E_INVALID, "entry 0"},
        {"[{\"implementation-id\":\"00\",\"instance-id\":" ID33 ",\"pkey\":{}}]", "{}",
         VS_E_INVALID, "has 1 bytes, must have 32"},
        {"[{\"implementation-id\":" ID32 ",\"instance-id\":" ID32 ",\"pkey\":{}}]", "{}",
         VS_E_INVALID, "has 32 bytes, must have 33"},
        {"[{\"implementation-id\":" ID32 ",\"instance-id\":\"xy\",\"pkey\":{}}]", "{}", VS_E_PARSE,
         "instance-id"},
        {"[{\"implementation-id\":" ID32 ",\"instance-id\":" ID33 "}]", "{}", VS_E_INVALID, "pkey"},
        {"[", "{}", VS_E_PARSE, "trust anchor store"},
        {"[]", "[]", VS_E_INVALID, "reference value store: must be an object"},
        {"[]", "{\"platform\":{}}", VS_E_INVALID, "platform"},
        {"[]", "{\"platform\":[{\"implementation-id\":" ID32 ",\"platform-configuration\":\"\"}]}",
         VS_E_INVALID, "sw-components"},
        {"[]",
         "{\"platform\":[{\"implementation-id\":" ID32 ",\"platform-configuration\":\"\","
         "\"sw-components\":[{\"measurement-value\":\"00\",\"signer-id\":" ID32 "}]}]}",
         VS_E_INVALID, "measurement-value"},
        {"[]",
         "{\"realm\":[{\"initial-measurement\":" ID32 ",\"rak-hash-algorithm\":\"sha-256\","
         "\"personalization-value\":\"\",\"extensible-measurements\":[]}]}",
         VS_E_INVALID, "must have 4"},
        {"[]",
         "{\"realm\":[{\"initial-measurement\":" ID32 ",\"rak-hash-algorithm\":\"sha-256\","
         "\"personalization-value\":\"\",\"extensible-measurements\":[\"\",1,\"\",\"\"]}]}",
         VS_E_INVALID, "extensible-measurements\" 1"},
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        cca_trust *t = NULL;
        vs_error err = {0};
        char text[VS_ERROR_TEXT];
        vs_code code = cca_trust_of_text(vs_str(bad[i].ta), vs_str(bad[i].rv), &t, &err);
        (void)vs_error_text(&err, text, sizeof text);
        if (code != bad[i].want || !strstr(text, bad[i].why))
            fail_msg("case %zu: %s \"%s\"", i, vs_code_name(code), text);
        assert_null(t);
    }
}

static void a_revoked_platform_is_refused_at_once_in_spite_of_the_cache(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    uint64_t generation;
    vs_error err = {0};
    wait_until_settled();
    assert_vs_ok(cca_trust_load(f->config, &t, &err), &err);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    assert_false(v.platform_cached);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    assert_true(v.platform_cached);
    assert_int_equal(generation, 1);
    put(f->ta, "[]");
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_UNTRUSTED);
    assert_true(generation > 1);
    put_anchors(f);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    assert_false(v.platform_cached);
    cca_trust_free(&t);
}

static void a_key_replaced_under_the_same_instance_id_is_seen_at_once(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    uint64_t generation;
    assert_vs_code(cca_trust_load(f->config, &t, NULL), VS_OK);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    /* The same ids with another platform's key. */
    soft_realm other;
    vs_buf b = VS_BUF(1 << 16);
    uint8_t mine[CCA_INSTANCE_ID], his[CCA_INSTANCE_ID];
    soft_start(&other, VS_KEY_P256, VS_KEY_P256);
    assert_vs_code(realm_ta_store(&other.spec, &other.keys, &b, NULL), VS_OK);
    assert_vs_code(realm_instance_id(f->soft.keys.cpak, mine, NULL), VS_OK);
    assert_vs_code(realm_instance_id(other.keys.cpak, his, NULL), VS_OK);
    vs_span from = vs_hex_encode_arena(&other.arena, vs_span_of(his, sizeof his));
    vs_span to = vs_hex_encode_arena(&other.arena, vs_span_of(mine, sizeof mine));
    char *at = strstr((char *)b.p, vs_sprintf(&other.arena, "%.*s", VS_FMT(from)));
    memcpy(at, to.p, to.n);
    put(f->ta, (char *)b.p);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_CRYPTO);
    vs_buf_free(&b);
    soft_stop(&other);
    cca_trust_free(&t);
}

static void a_store_that_breaks_refuses_evidence_until_it_is_mended(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    uint64_t generation;
    assert_vs_code(cca_trust_load(f->config, &t, NULL), VS_OK);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    put(f->rv, "{\"platform\":[");
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_PARSE);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_PARSE);
    wait_until_settled();
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_PARSE);
    (void)unlink(f->rv);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_IO);
    put(f->rv, "{}");
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    (void)unlink(f->config);
    assert_int_not_equal(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    cca_trust_free(&t);
}

/* Same size, same inode, within one tick of the file system's clock: the stamp may stay the same.
 */
static void a_file_rewritten_in_place_within_a_tick_is_seen(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    uint64_t generation;
    for (unsigned round = 0; round < 50; round++) {
        put_anchors(f);
        int fd = open(f->ta, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "[", 1, 0), 1); /* nothing new, but the tick begins now */
        assert_vs_code(cca_trust_load(f->config, &t, NULL), VS_OK);
        assert_int_equal(pwrite(fd, "]", 1, 0), 1);
        (void)close(fd);
        assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_PARSE);
        cca_trust_free(&t);
    }
}

static void a_snapshot_outlives_its_replacement(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_snapshot *old = NULL, *new = NULL;
    assert_vs_code(cca_trust_load(f->config, &t, NULL), VS_OK);
    assert_vs_code(cca_trust_take(t, &old, NULL), VS_OK);
    assert_int_equal(old->stores.n_anchors, 1);
    put(f->ta, "[]");
    assert_vs_code(cca_trust_take(t, &new, NULL), VS_OK);
    assert_ptr_not_equal(old, new);
    assert_int_equal(new->stores.n_anchors, 0);
    assert_int_equal(old->stores.n_anchors, 1);
    cca_snapshot_release(&new);
    cca_snapshot_release(&old);
    cca_trust_free(&t);
}

static void the_last_of_two_anchors_with_one_instance_id_is_used(void **state)
{
    (void)state;
    soft_realm one, two;
    vs_buf list = VS_BUF(1 << 16), entry = VS_BUF(1 << 16);
    soft_start(&one, VS_KEY_P256, VS_KEY_P256);
    soft_start(&two, VS_KEY_P256, VS_KEY_P256);
    vs_buf_puts(&list, "[");
    for (unsigned i = 0; i < 21; i++) {
        const soft_realm *s = i == 20 ? &two : &one;
        vs_buf_clear(&entry);
        assert_vs_code(vs_key_write_jwk(&entry, s->keys.cpak, NULL, NULL), VS_OK);
        vs_buf_printf(&list,
                      "%s{\"pkey\":%s,\"implementation-id\":" ID32 ",\"instance-id\":" ID33 "}",
                      i ? "," : "", (char *)entry.p);
    }
    vs_buf_puts(&list, "]");
    cca_stores stores;
    vs_error err = {0};
    assert_vs_ok(cca_stores_parse(vs_buf_span(&list), VS_LIT("{}"), &stores, &err), &err);
    assert_int_equal(stores.n_anchors, 1);
    assert_true(vs_key_public_eq(stores.anchors[0].cpak, two.keys.cpak));
    cca_stores_free(&stores);
    soft_stop(&one);
    soft_stop(&two);
    vs_buf_free(&list);
    vs_buf_free(&entry);
}

/* Every id three times, spread over the file, so that none can be found by its place. */
static void entries_are_found_by_id_in_the_order_of_the_file(void **state)
{
    (void)state;
    enum { IDS = 700, EACH = 3 };
    vs_buf text = VS_BUF(8 << 20);
    cca_stores stores;
    vs_error err = {0};
    vs_buf_puts(&text, "{\"platform\":[");
    for (unsigned i = 0; i < IDS * EACH; i++)
        vs_buf_printf(&text,
                      "%s{\"implementation-id\":\"%064x\",\"platform-configuration\":\"%02x\","
                      "\"sw-components\":[]}",
                      i ? "," : "", i * 37 % IDS, i / IDS);
    vs_buf_puts(&text, "],\"realm\":[");
    for (unsigned i = 0; i < IDS * EACH; i++)
        vs_buf_printf(&text,
                      "%s{\"initial-measurement\":\"%064x\",\"personalization-value\":\"00\","
                      "\"rak-hash-algorithm\":\"sha-256\","
                      "\"extensible-measurements\":[\"00\",\"00\",\"00\",\"00\"]}",
                      i ? "," : "", i * 37 % IDS);
    vs_buf_puts(&text, "]}");
    assert_vs_ok(cca_stores_parse((vs_span){NULL, 0}, vs_buf_span(&text), &stores, &err), &err);
    for (unsigned i = 0; i < IDS; i++) {
        uint8_t id[32] = {0};
        size_t n;
        id[31] = (uint8_t)i;
        id[30] = (uint8_t)(i >> 8);
        const cca_platform_ref *p = cca_find_platforms(&stores, vs_span_of(id, 32), &n);
        assert_int_equal(n, EACH);
        for (unsigned k = 0; k < EACH; k++) {
            assert_span_eq(p[k].implementation_id, vs_span_of(id, 32));
            assert_true(p[k].order * 37 % IDS == i && p[k].config.p[0] == k);
        }
        const cca_realm_ref *r = cca_find_realms(&stores, vs_span_of(id, 32), &n);
        assert_int_equal(n, EACH);
        assert_true(r[0].order < r[1].order && r[1].order < r[2].order);
        id[0] = 1;
        (void)cca_find_platforms(&stores, vs_span_of(id, 32), &n);
        assert_int_equal(n, 0);
        (void)cca_find_realms(&stores, vs_span_of(id, 31), &n);
        assert_int_equal(n, 0);
    }
    cca_stores_free(&stores);
    assert_vs_ok(cca_stores_parse((vs_span){NULL, 0}, VS_LIT("{}"), &stores, &err), &err);
    size_t n = 1;
    (void)cca_find_realms(&stores, VS_LIT(""), &n);
    assert_int_equal(n, 0);
    assert_null(cca_find_anchor(&stores, VS_LIT("")));
    cca_stores_free(&stores);
    vs_buf_free(&text);
}

static void a_cached_result_equals_an_uncached_one(void **state)
{
    files *f = *state;
    cca_trust *with = NULL, *without = NULL;
    cca_verdict a, b, c;
    uint64_t generation;
    soft_trust(&f->soft, &with);
    soft_trust(&f->soft, &without);
    cca_trust_use_cache(without, false);
    assert_vs_code(attempt(with, vs_buf_span(&f->token), &a, &generation), VS_OK);
    assert_vs_code(attempt(with, vs_buf_span(&f->token), &b, &generation), VS_OK);
    assert_vs_code(attempt(without, vs_buf_span(&f->token), &c, &generation), VS_OK);
    assert_vs_code(attempt(without, vs_buf_span(&f->token), &c, &generation), VS_OK);
    assert_true(b.platform_cached && !a.platform_cached && !c.platform_cached);
    assert_memory_equal(&a.platform, &b.platform, sizeof a.platform);
    assert_memory_equal(&a.realm, &b.realm, sizeof a.realm);
    assert_memory_equal(&a.platform, &c.platform, sizeof a.platform);
    assert_ptr_equal(a.anchor, b.anchor);
    assert_true(b.realm_bound);
    cca_trust_free(&with);
    cca_trust_free(&without);
}

/* A bad realm half beside a platform token that is known must fail as if nothing were known. */
static void the_realm_half_is_checked_also_when_the_platform_is_cached(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    uint64_t generation;
    soft_trust(&f->soft, &t);
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    f->token.p[f->token.n - 1] ^= 1; /* last octet of the realm's signature */
    assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_CRYPTO);
    assert_true(v.platform_cached);
    assert_false(v.realm_bound);
    f->token.p[f->token.n - 1] ^= 1;
    cca_trust_free(&t);
}

/* The platform token of f->token beside a realm token of this description and these keys. */
static vs_code attempt_beside(files *f, cca_trust *t, const realm_spec *spec,
                              const realm_keys *keys, cca_verdict *v)
{
    static const uint8_t challenge[CCA_CHALLENGE];
    vs_arena a;
    cca_token parsed;
    uint64_t generation;
    vs_buf realm = VS_BUF(CCA_TOKEN_MAX), token = VS_BUF(CCA_TOKEN_MAX);
    vs_arena_init(&a, 0);
    assert_vs_code(cca_token_decode(&a, vs_buf_span(&f->token), &parsed, NULL), VS_OK);
    assert_vs_code(
        realm_realm_token(spec, keys, vs_span_of(challenge, sizeof challenge), &realm, NULL),
        VS_OK);
    assert_vs_code(realm_wrap(parsed.tag, parsed.platform_bytes, vs_buf_span(&realm), &token, NULL),
                   VS_OK);
    vs_code code = attempt(t, vs_buf_span(&token), v, &generation);
    vs_buf_free(&realm);
    vs_buf_free(&token);
    vs_arena_free(&a);
    return code;
}

static void a_remembered_realm_key_vouches_for_no_other(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    realm_keys other = {0};
    const realm_spec *spec = &f->soft.spec;
    soft_trust(&f->soft, &t);
    assert_vs_code(realm_keys_generate_on(VS_KEY_P256, VS_KEY_P256, &other, NULL), VS_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_vs_code(attempt_beside(f, t, spec, &f->soft.keys, &v), VS_OK);
        assert_true(v.platform_cached == (i > 0) && v.realm_bound);
        assert_vs_code(attempt_beside(f, t, spec, &other, &v), VS_E_MISMATCH);
        assert_true(v.platform_cached && !v.realm_bound);
    }
    realm_keys_free(&other);
    cca_trust_free(&t);
}

/* The profile decides the form (trap 2), also for bytes that were a key in the other form. */
static void a_remembered_realm_key_counts_in_its_form_alone(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    realm_spec malformed = f->soft.spec;
    malformed.realm_profile = NULL;
    malformed.rak_form = REALM_RAK_COSE_KEY;
    soft_trust(&f->soft, &t);
    for (unsigned i = 0; i < 3; i++) {
        assert_vs_code(attempt_beside(f, t, &f->soft.spec, &f->soft.keys, &v), VS_OK);
        assert_vs_code(attempt_beside(f, t, &malformed, &f->soft.keys, &v), VS_E_INVALID);
        assert_false(v.realm_bound);
    }
    cca_trust_free(&t);
}

static void a_platform_token_that_failed_is_not_cached(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    cca_verdict v;
    uint64_t generation;
    vs_arena a;
    cca_token parsed;
    vs_arena_init(&a, 0);
    soft_trust(&f->soft, &t);
    assert_vs_code(cca_token_decode(&a, vs_buf_span(&f->token), &parsed, NULL), VS_OK);
    size_t at = (size_t)(parsed.platform_cose.signature.p - f->token.p) + 5;
    f->token.p[at] ^= 1;
    for (unsigned i = 0; i < 3; i++)
        assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_CRYPTO);
    assert_false(v.platform_cached);
    f->token.p[at] ^= 1;
    vs_arena_free(&a);
    cca_trust_free(&t);
}

/* The n-th of many platform tokens, alike but for the last bytes of their signatures, which nobody
 * verifies here. */
static vs_span numbered(vs_span signature, vs_span token, uint32_t n)
{
    uint8_t *end = (uint8_t *)(uintptr_t)signature.p + signature.n;
    end[-1] = (uint8_t)n;
    end[-2] = (uint8_t)(n >> 8);
    return token;
}

static void the_cache_is_bounded_and_finds_what_is_new(void **state)
{
    files *f = *state;
    enum { N = 4 * CCA_CACHE_ENTRIES };
    static const cca_anchor anchor = {.identity = {7}};
    cca_cache *c = cca_cache_new();
    size_t found = 0;
    vs_arena a;
    cca_token t;
    vs_arena_init(&a, 0);
    assert_vs_code(cca_token_decode(&a, vs_buf_span(&f->token), &t, NULL), VS_OK);
    vs_span signature = t.platform_cose.signature;
    for (uint32_t i = 0; i < N; i++) {
        vs_span token = numbered(signature, t.platform_bytes, i);
        assert_null(cca_cache_find(c, token));
        cca_known *k = cca_known_new(&t, &anchor), *got;
        assert_non_null(k);
        cca_cache_add(c, k);
        cca_cache_add(c, k); /* takes its own place */
        got = cca_cache_find(c, token);
        assert_ptr_equal(got, k);
        cca_known_free(&k);
        assert_int_equal(got->anchor[0], 7);
        cca_known_free(&got);
    }
    for (uint32_t i = 0; i < N; i++) {
        cca_known *got = cca_cache_find(c, numbered(signature, t.platform_bytes, i));
        found += got != NULL;
        cca_known_free(&got);
    }
    assert_true(found <= CCA_CACHE_ENTRIES && found >= CCA_CACHE_ENTRIES / 2);
    cca_cache_free(&c);
    vs_arena_free(&a);
}

static void platform_tokens_of_every_size_are_remembered(void **state)
{
    files *f = *state;
    static const cca_anchor anchor = {.identity = {7}};
    cca_component many[CCA_COMPONENTS_MAX];
    realm_spec spec = f->soft.spec;
    for (size_t i = 0; i < VS_COUNT(many); i++)
        many[i] = f->soft.spec.components[i % f->soft.spec.n_components];
    spec.components = many;
    for (spec.n_components = 1; spec.n_components <= VS_COUNT(many); spec.n_components++) {
        VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(CCA_TOKEN_MAX);
        assert_vs_code(realm_platform_token(&spec, &f->soft.keys, &token, NULL), VS_OK);
        const cca_token t = {.platform_bytes = vs_buf_span(&token)};
        cca_known *k = cca_known_new(&t, &anchor);
        if (!k)
            fail_msg("%zu components, %zu bytes", spec.n_components, token.n);
        assert_int_equal(k->platform.n_components, spec.n_components);
        assert_int_equal(k->components.len, spec.n_components);
        assert_true(k->arena.held < 16 * token.n + 16 * 1024);
        cca_known_free(&k);
    }
}

/* Nobody signs the unprotected header: what it makes long is verified, and not kept. */
static void a_token_made_long_is_not_remembered(void **state)
{
    files *f = *state;
    static const uint8_t long_header[CCA_KNOWN_MAX + 1];
    const cca_token t = {.platform_bytes = vs_span_of(long_header, sizeof long_header)};
    static const cca_anchor anchor = {.identity = {7}};
    (void)f;
    assert_null(cca_known_new(&t, &anchor));
}

/* What an evaluation says of a platform token that is known is to the byte what it says of one that
 * is not, also when the cache has forgotten it in between. */
static void claims_of_a_known_platform_are_those_of_an_unknown_one(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    vs_tee_trust trust;
    vs_buf first = VS_BUF(1 << 20), again = VS_BUF(1 << 20), json = VS_BUF(1 << 20);
    vs_arena a;
    vs_val evidence;
    uint8_t challenge[CCA_CHALLENGE];
    const vs_tee_expect expect = {.report_data = vs_span_of(challenge, sizeof challenge)};
    soft_trust(&f->soft, &t);
    trust = (vs_tee_trust){.cca = t};
    vs_arena_init(&a, 0);
    cca_token parsed;
    assert_vs_code(cca_token_decode(&a, vs_buf_span(&f->token), &parsed, NULL), VS_OK);
    memcpy(challenge, parsed.realm.challenge.p, sizeof challenge);
    vs_buf_puts(&json, "{\"token\":");
    evidence_put_bytes(&json, vs_buf_span(&f->token));
    vs_buf_puts(&json, "}");
    for (unsigned i = 0; i < 3; i++) {
        vs_tee_result results[VS_TEE_RESULTS_MAX];
        size_t n = 0;
        vs_error err = {0};
        vs_buf *out = i == 0 ? &first : &again;
        vs_arena_reset(&a);
        assert_vs_code(vs_json_parse(&a, vs_buf_span(&json), NULL, &evidence, NULL), VS_OK);
        assert_vs_ok(
            vs_tee_find(VS_LIT("cca"))->verify(&trust, evidence, &expect, &a, results, &n, &err),
            &err);
        cca_trust_use_cache(t, i != 1); /* what the results point to is shared, not the cache's */
        vs_buf_clear(out);
        vs_json_print(out, results[0].claims);
        assert_span_eq(vs_buf_span(out), vs_buf_span(&first));
    }
    assert_true(first.n > 1000);
    vs_arena_free(&a);
    cca_trust_free(&t);
    vs_buf_free(&first);
    vs_buf_free(&again);
    vs_buf_free(&json);
}

static void a_key_that_is_unusable_refuses_its_platform_alone(void **state)
{
    files *f = *state;
    static const char *const bad[] = {
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        "{}",
    };
    vs_buf list = VS_BUF(1 << 16), good = VS_BUF(1 << 16), rv = VS_BUF(1 << 16);
    assert_vs_code(realm_ta_store(&f->soft.spec, &f->soft.keys, &good, NULL), VS_OK);
    assert_vs_code(realm_rv_store(&f->soft.spec, &rv, NULL), VS_OK);
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        cca_trust *t = NULL;
        cca_verdict v;
        uint64_t generation;
        vs_buf_clear(&list);
        vs_buf_printf(&list,
                      "[{\"implementation-id\":" ID32 ",\"instance-id\":" ID33 ",\"pkey\":%s},%s",
                      bad[i], (char *)good.p + 1);
        vs_error err = {0};
        assert_vs_ok(cca_trust_of_text(vs_buf_span(&list), vs_buf_span(&rv), &t, &err), &err);
        assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
        cca_trust_free(&t);
    }
    vs_key *rsa = NULL;
    vs_buf jwk = VS_BUF(1 << 12);
    cca_stores stores;
    assert_vs_code(vs_key_generate(VS_KEY_RSA, &rsa, NULL), VS_OK);
    assert_vs_code(vs_key_write_jwk(&jwk, rsa, "RS256", NULL), VS_OK);
    vs_buf_clear(&list);
    vs_buf_printf(&list, "[{\"implementation-id\":" ID32 ",\"instance-id\":" ID33 ",\"pkey\":%s}]",
                  (char *)jwk.p);
    assert_vs_code(cca_stores_parse(vs_buf_span(&list), VS_LIT("{}"), &stores, NULL), VS_OK);
    assert_null(stores.anchors[0].cpak);
    cca_stores_free(&stores);
    vs_buf_free(&jwk);
    vs_key_free(&rsa);
    /* The platform's own key with an algorithm that does not fit, and with the one that does. */
    static const struct {
        const char *alg;
        vs_code want;
    } algs[] = {{"ES256", VS_OK}, {"ES384", VS_E_CRYPTO}, {"ECDH-ES", VS_E_CRYPTO}};
    for (size_t i = 0; i < VS_COUNT(algs); i++) {
        cca_trust *t = NULL;
        cca_verdict v;
        uint64_t generation;
        char *kty = strstr((char *)good.p, "\"kty\"");
        vs_buf_clear(&list);
        vs_buf_put(&list, vs_span_of(good.p, (size_t)(kty - (char *)good.p)));
        vs_buf_printf(&list, "\"alg\":\"%s\",%s", algs[i].alg, kty);
        vs_error err = {0};
        assert_vs_ok(cca_trust_of_text(vs_buf_span(&list), vs_buf_span(&rv), &t, &err), &err);
        assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), algs[i].want);
        cca_trust_free(&t);
    }
    vs_buf_free(&list);
    vs_buf_free(&good);
    vs_buf_free(&rv);
}

/* Verifies and appraises a token of this lifecycle under the configuration. */
static vs_code appraise_in_state(files *f, uint16_t lifecycle)
{
    vs_arena a;
    cca_token parsed;
    cca_trust *t = NULL;
    cca_snapshot *s = NULL;
    cca_verdict v;
    vs_arena_init(&a, 0);
    f->soft.spec.lifecycle = lifecycle;
    vs_buf_clear(&f->token);
    soft_token(&f->soft, &f->token);
    assert_vs_code(cca_trust_load(f->config, &t, NULL), VS_OK);
    assert_vs_code(cca_trust_take(t, &s, NULL), VS_OK);
    assert_vs_code(cca_token_decode(&a, vs_buf_span(&f->token), &parsed, NULL), VS_OK);
    const cca_basis basis = {.snapshot = s, .a = &a};
    assert_vs_code(cca_verify_chain(&basis, &parsed, &v, NULL), VS_OK);
    vs_code code = cca_appraise(&basis, &parsed, &v, NULL);
    assert_int_equal(v.platform.value[EAR_INSTANCE_IDENTITY], code == VS_OK ? 2 : 96);
    cca_snapshot_release(&s);
    cca_trust_free(&t);
    vs_arena_free(&a);
    return code;
}

static void a_platform_that_can_be_debugged_is_refused_unless_accepted(void **state)
{
    files *f = *state;
    char config[512];
    for (unsigned l = 0; l < CCA_LIFECYCLES; l++)
        assert_vs_code(appraise_in_state(f, (uint16_t)(l << 12 | 0x55)),
                       l == CCA_SECURED ? VS_OK : VS_E_UNTRUSTED);
    (void)snprintf(config, sizeof config,
                   "{\"cca-verifier\":{\"type\":\"local\",\"ta-store\":\"%s\",\"rv-store\":\"%s\","
                   "\"accept-lifecycle\":[\"recoverable-cca-platform-rot-debug\"]}}",
                   f->ta, f->rv);
    put(f->config, config);
    for (unsigned l = 0; l < CCA_LIFECYCLES; l++)
        assert_vs_code(appraise_in_state(f, (uint16_t)(l << 12)),
                       l == CCA_SECURED || l == CCA_RECOVERABLE_DEBUG ? VS_OK : VS_E_UNTRUSTED);
}

static void a_realm_no_store_has_is_told_that_records_do_not_count(void **state)
{
    files *f = *state;
    vs_arena a;
    cca_token t;
    cca_trust *trust = NULL;
    cca_snapshot *s = NULL;
    cca_verdict v;
    uint8_t rim[64] = {0xab};
    vs_arena_init(&a, 0);
    assert_vs_code(cca_trust_load(f->config, &trust, NULL), VS_OK);
    assert_vs_code(cca_trust_take(trust, &s, NULL), VS_OK);
    const cca_basis basis = {.snapshot = s, .a = &a};
    for (unsigned changed = 0; changed < 2; changed++) {
        if (changed)
            f->soft.spec.rim = vs_span_of(rim, f->soft.spec.rim.n);
        vs_buf_clear(&f->token);
        soft_token(&f->soft, &f->token);
        assert_vs_code(cca_token_decode(&a, vs_buf_span(&f->token), &t, NULL), VS_OK);
        assert_vs_code(cca_verify_chain(&basis, &t, &v, NULL), VS_OK);
        assert_vs_code(cca_appraise(&basis, &t, &v, NULL), VS_OK);
        assert_int_equal(v.realm_unendorsed != NULL, changed);
    }
    assert_true(
        vs_span_starts(vs_str(v.realm_unendorsed), VS_LIT("endorsement cca.realm.ab000000")));
    assert_true(vs_span_ends(vs_str(v.realm_unendorsed),
                             VS_LIT("00 would not count (\"rvps-endorsements\": false)")));
    cca_snapshot_release(&s);
    cca_trust_free(&trust);
    vs_arena_free(&a);
}

/* ---- threads -------------------------------------------------------------------------------- */

typedef struct worker {
    cca_trust *trust;
    vs_span token;
    unsigned good, refused, wrong;
} worker;

static void *work(void *user)
{
    worker *w = user;
    for (unsigned i = 0; i < 200; i++) {
        cca_verdict v;
        uint64_t generation;
        vs_code code = attempt(w->trust, w->token, &v, &generation);
        if (code == VS_OK)
            w->good++;
        else if (code == VS_E_UNTRUSTED)
            w->refused++;
        else
            w->wrong++;
    }
    return NULL;
}

static void threads_share_the_trust_while_it_changes(void **state)
{
    files *f = *state;
    cca_trust *t = NULL;
    worker w[4];
    pthread_t id[4];
    assert_vs_code(cca_trust_load(f->config, &t, NULL), VS_OK);
    for (unsigned i = 0; i < 4; i++) {
        w[i] = (worker){.trust = t, .token = vs_buf_span(&f->token)};
        assert_int_equal(pthread_create(&id[i], NULL, work, &w[i]), 0);
    }
    for (unsigned i = 0; i < 10; i++) {
        cca_verdict v;
        uint64_t generation;
        put(f->ta, "[]");
        assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_E_UNTRUSTED);
        put_anchors(f);
        assert_vs_code(attempt(t, vs_buf_span(&f->token), &v, &generation), VS_OK);
    }
    for (unsigned i = 0; i < 4; i++) {
        (void)pthread_join(id[i], NULL);
        assert_int_equal(w[i].wrong, 0);
        assert_int_equal(w[i].good + w[i].refused, 200);
    }
    cca_trust_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(configurations_that_are_wrong_do_not_load, start, stop),
        cmocka_unit_test_setup_teardown(stores_are_optional_but_an_empty_file_is_none, start, stop),
        cmocka_unit_test(stores_that_are_wrong_do_not_load),
        cmocka_unit_test_setup_teardown(a_revoked_platform_is_refused_at_once_in_spite_of_the_cache,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_key_replaced_under_the_same_instance_id_is_seen_at_once,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_store_that_breaks_refuses_evidence_until_it_is_mended,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_file_rewritten_in_place_within_a_tick_is_seen, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_snapshot_outlives_its_replacement, start, stop),
        cmocka_unit_test(the_last_of_two_anchors_with_one_instance_id_is_used),
        cmocka_unit_test_setup_teardown(a_cached_result_equals_an_uncached_one, start, stop),
        cmocka_unit_test(entries_are_found_by_id_in_the_order_of_the_file),
        cmocka_unit_test_setup_teardown(a_remembered_realm_key_vouches_for_no_other, start, stop),
        cmocka_unit_test_setup_teardown(a_remembered_realm_key_counts_in_its_form_alone, start,
                                        stop),
        cmocka_unit_test_setup_teardown(the_realm_half_is_checked_also_when_the_platform_is_cached,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_platform_token_that_failed_is_not_cached, start, stop),
        cmocka_unit_test_setup_teardown(the_cache_is_bounded_and_finds_what_is_new, start, stop),
        cmocka_unit_test_setup_teardown(platform_tokens_of_every_size_are_remembered, start, stop),
        cmocka_unit_test_setup_teardown(a_token_made_long_is_not_remembered, start, stop),
        cmocka_unit_test_setup_teardown(claims_of_a_known_platform_are_those_of_an_unknown_one,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_key_that_is_unusable_refuses_its_platform_alone, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_platform_that_can_be_debugged_is_refused_unless_accepted,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_realm_no_store_has_is_told_that_records_do_not_count,
                                        start, stop),
        cmocka_unit_test_setup_teardown(threads_share_the_trust_while_it_changes, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
