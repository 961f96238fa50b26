/* SPDX-License-Identifier: Apache-2.0 */
#include "kbs/admin_fixture.h"

/* ---- the shared tokens ----------------------------------------------------------------------- */

static vs_span shared_token(fixture *f, const char *name)
{
    vs_buf b = VS_BUF(1 << 16);
    read_shared(vs_sprintf(&f->a, "data/kbs/%s", name), &b);
    vs_span copy = vs_span_trim(vs_dup(&f->a, vs_buf_span(&b)));
    vs_buf_free(&b);
    return copy;
}

static void shared_tokens_give_the_results_of_their_readme(void **state)
{
    fixture *f = *state;
    need_shared("data/kbs/admin-token.jwt");
    const char *key = vs_sprintf(&f->a, "%s", shared_path("data/kbs/admin-ed25519.pub.pem"));
    static const struct {
        const char *file, *bearer, *simple; /* causes; NULL = accepted */
    } rows[] = {
        {"admin-token.jwt", NULL, NULL},
        {"admin-token-legacy.jwt", NO_ROLE, NULL},
        {"admin-token-norole.jwt", NO_ROLE, NULL},
        {"admin-token-expired.jwt", NO_ISSUER, NO_ISSUER},
        {"admin-token-badsig.jwt", NO_ISSUER, NO_ISSUER},
    };
    kbs_identity_provider p = {.public_key_uri = key};
    kbs_persona persona = {"root", key};
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        vs_span t = shared_token(f, rows[i].file);
        start_bearer(f, &p, 1);
        if (rows[i].bearer)
            refuse(f, t, rows[i].bearer);
        else
            accept_token(f, t, "admin");
        start(f,
              &(kbs_admin_config){.mode = KBS_ADMIN_SIMPLE, .personas = &persona, .n_personas = 1});
        if (rows[i].simple)
            refuse(f, t, rows[i].simple);
        else
            accept_token(f, t, "root");
    }
    print_message("%zu tokens in 2 dialects\n", VS_COUNT(rows));

    /* as the docker-compose set-up configures it (kbs.md 4.3) */
    kbs_identity_provider compose = {"TrusteeInDocker", "KBS", key, NULL};
    start_bearer(f, &compose, 1);
    accept_token(f, shared_token(f, "admin-token.jwt"), "admin");
}

static void every_bit_flip_and_truncation_of_a_token_is_refused(void **state)
{
    fixture *f = *state;
    kbs_identity_provider p = {.public_key_uri = write_key(f, "ed.pem", f->ed)};
    start_bearer(f, &p, 1);
    vs_span good = ed_token(f, f->ed, CLAIMS(""));
    accept_token(f, good, "admin");
    vs_arena scratch;
    vs_arena_init(&scratch, 0);
    vs_span who;
    for (size_t n = 0; n < good.n; n++) {
        vs_buf b = VS_BUF(good.n);
        vs_buf_put(&b, vs_span_head(good, n));
        assert_vs_code(check(f, vs_buf_span(&b), PATH_A, false, &scratch, &who, NULL), VS_E_DENIED);
        vs_buf_free(&b);
        vs_arena_reset(&scratch);
    }
    vs_buf b = VS_BUF(good.n);
    vs_buf_put(&b, good);
    for (size_t bit = 0; bit < good.n * 8; bit++) {
        b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_vs_code(check(f, vs_buf_span(&b), PATH_A, false, &scratch, &who, NULL), VS_E_DENIED);
        b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        vs_arena_reset(&scratch);
    }
    vs_buf_free(&b);
    vs_arena_free(&scratch);
}

/* ---- modes without tokens
 * ------------------------------------------------------------------------ */

static void deny_all_denies_and_allow_all_allows(void **state)
{
    fixture *f = *state;
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_DENY_ALL});
    refuse(f, (vs_span){NULL, 0},
           "Admin access denied: Admin access denied as DenyAll authorization_mode is enabled");
    refuse(f, ed_token(f, f->ed, CLAIMS("")),
           "Admin access denied: Admin access denied as DenyAll authorization_mode is enabled");
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_INSECURE_ALLOW_ALL});
    accept_token(f, (vs_span){NULL, 0}, "anonymous");
}

static void a_request_without_a_token_is_refused(void **state)
{
    fixture *f = *state;
    kbs_identity_provider p = {.public_key_uri = write_key(f, "ed.pem", f->ed)};
    start_bearer(f, &p, 1);
    refuse(f, (vs_span){NULL, 0}, NO_HEADER);
    kbs_persona persona = {"root", file_in(f, "ed.pem")};
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_SIMPLE, .personas = &persona, .n_personas = 1});
    refuse(f, (vs_span){NULL, 0}, NO_HEADER);
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_SIMPLE});
    refuse(f, ed_token(f, f->ed, CLAIMS("")), NO_ISSUER);
}

/* ---- claims
 * ---------------------------------------------------------------------------------------- */

static void claims_are_checked_after_the_signature(void **state)
{
    fixture *f = *state;
    kbs_identity_provider p = {"us", "KBS", write_key(f, "ed.pem", f->ed), NULL};
    start_bearer(f, &p, 1);
    static const struct {
        const char *claims, *cause;
    } rows[] = {
        {CLAIMS(",\"iss\":\"us\",\"aud\":\"KBS\""), NULL},
        {CLAIMS(",\"iss\":\"us\",\"aud\":[\"x\",\"KBS\"]"), NULL},
        {CLAIMS(",\"iss\":\"us\",\"aud\":[]"), NO_ISSUER},
        {CLAIMS(",\"iss\":\"us\",\"aud\":[\"kbs\"]"), NO_ISSUER},
        {CLAIMS(",\"iss\":\"us\",\"aud\":[[\"KBS\"]]"), NO_ISSUER},
        {CLAIMS(",\"iss\":\"us\",\"aud\":{\"KBS\":1}"), NO_ISSUER},
        {CLAIMS(",\"iss\":\"us\""), NO_ISSUER},
        {CLAIMS(",\"iss\":\"us \",\"aud\":\"KBS\""), NO_ISSUER},
        {CLAIMS(",\"iss\":[\"us\"],\"aud\":\"KBS\""), NO_ISSUER},
        {CLAIMS(",\"aud\":\"KBS\""), NO_ISSUER},
        {"{\"role\":\"admin\",\"iss\":\"us\",\"aud\":\"KBS\"}", NO_ISSUER}, /* no exp */
        {"{\"exp\":\"1790000600\",\"role\":\"admin\",\"iss\":\"us\",\"aud\":\"KBS\"}", NO_ISSUER},
        {"{\"exp\":1789999941,\"role\":\"admin\",\"iss\":\"us\",\"aud\":\"KBS\"}",
         NULL}, /* leeway */
        {"{\"exp\":1789999939,\"role\":\"admin\",\"iss\":\"us\",\"aud\":\"KBS\"}", NO_ISSUER},
        {CLAIMS(",\"iss\":\"us\",\"aud\":\"KBS\",\"nbf\":1790000100"), NO_ISSUER},
        {CLAIMS(",\"iss\":\"us\",\"aud\":\"KBS\",\"nbf\":1790000000"), NULL},
        {"{\"exp\":1790000600,\"iss\":\"us\",\"aud\":\"KBS\"}", NO_ROLE},
        {"{\"exp\":1790000600,\"iss\":\"us\",\"aud\":\"KBS\",\"role\":[\"admin\"]}",
         "Admin access denied: Failed to parse claims from token: `role` is not a string"},
        {"{\"exp\":1790000600,\"iss\":\"us\",\"aud\":\"KBS\",\"role\":\"Admin\"}",
         "Admin access denied: Role Admin not allowed for path /kbs/v0/resource/a/b/c"},
        {"{\"exp\":1790000600,\"iss\":\"us\",\"aud\":\"KBS\",\"role\":\"\"}",
         "Admin access denied: Role  not allowed for path /kbs/v0/resource/a/b/c"},
        {"{\"exp\":1790000600,\"exp\":1,\"iss\":\"us\",\"aud\":\"KBS\",\"role\":\"admin\"}",
         NO_ISSUER},
        {"[]", NO_ISSUER},
        {"", NO_ISSUER},
        {"not json", NO_ISSUER},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        vs_span t = ed_token(f, f->ed, rows[i].claims);
        if (rows[i].cause)
            refuse(f, t, rows[i].cause);
        else
            accept_token(f, t, "admin");
        /* whatever it claims: not with somebody else's signature */
        refuse(f, ed_token(f, f->stranger, rows[i].claims), NO_ISSUER);
    }
}

static void providers_are_tried_in_order(void **state)
{
    fixture *f = *state;
    const char *ed = write_key(f, "ed.pem", f->ed), *ec = write_key(f, "ec.pem", f->ec);
    kbs_identity_provider p[] = {
        {"first", NULL, ec, NULL}, {"second", NULL, ed, NULL}, {"third", NULL, ed, NULL}};
    start_bearer(f, p, 3);
    accept_token(f, ed_token(f, f->ed, CLAIMS(",\"iss\":\"second\"")), "admin");
    accept_token(f, ed_token(f, f->ed, CLAIMS(",\"iss\":\"third\"")), "admin");
    refuse(f, ed_token(f, f->ed, CLAIMS(",\"iss\":\"first\"")), NO_ISSUER); /* another's key */
    refuse(f, ed_token(f, f->ed, "{\"exp\":1790000600,\"iss\":\"third\"}"), NO_ROLE);
}

/* ---- algorithms and keys
 * ----------------------------------------------------------------------------- */

static void the_algorithm_is_bound_to_the_key(void **state)
{
    fixture *f = *state;
    const char *ed = write_key(f, "ed.pem", f->ed);
    kbs_identity_provider p[] = {{.public_key_uri = ed},
                                 {.public_key_uri = write_key(f, "ec.pem", f->ec)}};
    start_bearer(f, p, 2);
    accept_token(f, token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\"}", CLAIMS("")), "admin");

    vs_span none = {NULL, 0}, pem;
    refuse(f, raw_token(f, "{\"alg\":\"none\"}", CLAIMS(""), none), NO_ISSUER);
    refuse(f, raw_token(f, "{\"alg\":\"none\"}", CLAIMS(""), VS_LIT("x")), NO_ISSUER);
    refuse(f, raw_token(f, "{\"alg\":\"None\"}", CLAIMS(""), none), NO_ISSUER);
    refuse(f, raw_token(f, "{}", CLAIMS(""), VS_LIT("x")), NO_ISSUER);

    /* HMAC with the public key's file as the secret */
    vs_buf file = VS_BUF(8192);
    vs_error err = {0};
    assert_vs_ok(vs_read_file(ed, &file, &err), &err);
    pem = vs_buf_span(&file);
    vs_span unsigned_part = raw_token(f, "{\"alg\":\"HS256\"}", CLAIMS(""), none);
    unsigned_part.n--; /* the last dot */
    uint8_t mac[VS_HASH_MAX];
    assert_vs_ok(vs_hmac(VS_SHA256, pem, unsigned_part, mac, &err), &err);
    refuse(f, raw_token(f, "{\"alg\":\"HS256\"}", CLAIMS(""), vs_span_of(mac, 32)), NO_ISSUER);
    vs_buf_free(&file);

    /* a header whose alg is not that of the signature */
    refuse(f, token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", CLAIMS("")),
           NO_ISSUER);
}

static vs_val jwk_of(fixture *f, const vs_key *k, const char *alg, const char *kid)
{
    vs_error err = {0};
    vs_val jwk;
    assert_vs_ok(vs_key_to_jwk(&f->a, k, alg, &jwk, &err), &err);
    return kid ? vs_with(&f->a, jwk, vs_cstring("kid"), vs_cstring(kid)) : jwk;
}

static const char *write_jwk_set(fixture *f, const vs_val *keys, size_t n)
{
    vs_vec list = {.a = &f->a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&list, keys[i]);
    vs_obj set = {.a = &f->a};
    vs_obj_put(&set, "keys", vs_vec_end_array(&list));
    vs_buf json = VS_BUF(1 << 16);
    vs_json_print(&json, vs_obj_end(&set, VS_DUP_REFUSE, NULL));
    const char *path = write_in(f, "set.json", vs_buf_span(&json));
    vs_buf_free(&json);
    return path;
}

static void a_key_in_the_tokens_header_is_never_trusted(void **state)
{
    fixture *f = *state;
    kbs_identity_provider p = {.public_key_uri = write_key(f, "ed.pem", f->ed)};
    start_bearer(f, &p, 1);
    vs_buf header = VS_BUF(4096);
    vs_buf_puts(&header, "{\"alg\":\"EdDSA\",\"jwk\":");
    vs_json_print(&header, jwk_of(f, f->stranger, "EdDSA", NULL));
    vs_buf_puts(&header, "}");
    refuse(f, token(f, f->stranger, VS_EDDSA, (const char *)header.p, CLAIMS("")), NO_ISSUER);
    /* nor does it hurt a token that the right key signed */
    accept_token(f, token(f, f->ed, VS_EDDSA, (const char *)header.p, CLAIMS("")), "admin");
    vs_buf_free(&header);
}

static void keys_of_a_set_are_chosen_by_kid_and_fixed_by_alg(void **state)
{
    fixture *f = *state;
    vs_error err = {0};
    assert_vs_ok(vs_key_generate(VS_KEY_RSA, &f->rsa, &err), &err);
    vs_val keys[] = {jwk_of(f, f->ec, "ES256", "ec"), jwk_of(f, f->rsa, "RS256", "rsa"),
                     jwk_of(f, f->ed, NULL, "no-alg"), jwk_of(f, f->stranger, "EdDSA", NULL)};
    kbs_identity_provider p = {
        .jwk_set_uri = vs_sprintf(&f->a, "file://%s", write_jwk_set(f, keys, VS_COUNT(keys)))};
    start_bearer(f, &p, 1);
    const char *c = CLAIMS("");
    accept_token(f, token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\",\"kid\":\"ec\"}", c), "admin");
    accept_token(f, token(f, f->rsa, VS_RS256, "{\"alg\":\"RS256\",\"kid\":\"rsa\"}", c), "admin");
    refuse(f, token(f, f->rsa, VS_PS256, "{\"alg\":\"PS256\",\"kid\":\"rsa\"}", c), NO_ISSUER);
    refuse(f, token(f, f->rsa, VS_RS512, "{\"alg\":\"RS512\",\"kid\":\"rsa\"}", c), NO_ISSUER);
    refuse(f, token(f, f->rsa, VS_RS256, "{\"alg\":\"RS256\",\"kid\":\"ec\"}", c), NO_ISSUER);
    refuse(f, token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\"}", c), NO_ISSUER);
    refuse(f, token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\",\"kid\":\"EC\"}", c), NO_ISSUER);
    refuse(f, token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\",\"kid\":1}", c), NO_ISSUER);
    refuse(f, token(f, f->ed, VS_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"no-alg\"}", c), NO_ISSUER);
    refuse(f, ed_token(f, f->stranger, c), NO_ISSUER); /* a JWK without kid is for nobody */
}

static void keys_that_cannot_be_used_stop_the_start(void **state)
{
    fixture *f = *state;
    kbs_identity_provider p = {0};
    kbs_admin_config cfg = {.mode = KBS_ADMIN_BEARER, .providers = &p, .n_providers = 1};
    assert_vs_code(start_code(f, &cfg), VS_E_INVALID);
    p.public_key_uri = file_in(f, "missing.pem");
    assert_vs_code(start_code(f, &cfg), VS_E_NOT_FOUND);
    p.public_key_uri = write_in(f, "bad.pem", VS_LIT("no key"));
    assert_true(start_code(f, &cfg) != VS_OK);

    p.public_key_uri = NULL;
    static const char *const sets[] = {
        "",
        "{}",
        "[]",
        "{\"keys\":[]}",
        "{\"keys\":[1]}",
        "{\"keys\":{}}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\",\"kid\":\"a\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\",\"kid\":\"a\"}]}",
    };
    for (size_t i = 0; i < VS_COUNT(sets); i++) {
        p.jwk_set_uri = write_in(f, "bad.json", vs_str(sets[i]));
        if (start_code(f, &cfg) == VS_OK)
            fail_msg("accepted: %s", sets[i]);
    }
    vs_val misfit = jwk_of(f, f->ec, "ES384", "a");
    p.jwk_set_uri = write_jwk_set(f, &misfit, 1);
    assert_true(start_code(f, &cfg) != VS_OK);

    kbs_persona persona = {"root", write_key(f, "ec.pem", f->ec)};
    cfg = (kbs_admin_config){.mode = KBS_ADMIN_SIMPLE, .personas = &persona, .n_personas = 1};
    assert_vs_code(start_code(f, &cfg), VS_E_INVALID); /* not Ed25519 */
}

/* ---- the older dialect
 * -------------------------------------------------------------------------------- */

static void a_personas_key_is_all_that_the_older_dialect_wants(void **state)
{
    fixture *f = *state;
    kbs_persona who[] = {{"anna", write_key(f, "ed.pem", f->ed)},
                         {"bob", write_key(f, "other.pem", f->stranger)}};
    kbs_admin_config cfg = {.mode = KBS_ADMIN_SIMPLE, .personas = who, .n_personas = 2};
    start(f, &cfg);
    accept_token(f, ed_token(f, f->ed, "{}"), "anna");
    accept_token(f, ed_token(f, f->stranger, "{\"role\":\"anna\"}"), "bob");
    refuse(f, ed_token(f, f->ed, "{\"exp\":1780000000}"), NO_ISSUER);
    refuse(f, ed_token(f, f->ed, "{\"nbf\":1790001000}"), NO_ISSUER);
    refuse(f, token(f, f->ec, VS_ES256, "{\"alg\":\"ES256\"}", "{}"), NO_ISSUER);
    refuse(f, raw_token(f, "{\"alg\":\"none\"}", "{}", (vs_span){NULL, 0}), NO_ISSUER);
    accept_at(f, ed_token(f, f->ed, "{}"), VS_LIT("/kbs/v0/anything"), "anna");

    kbs_acl roles[] = {{"bob", "^/kbs/v0/resource/.+$"}, {"carl", "^/kbs/.+$"}};
    cfg.acls = roles;
    cfg.n_acls = 2;
    start(f, &cfg);
    accept_token(f, ed_token(f, f->stranger, "{}"), "bob");
    refuse_at(f, ed_token(f, f->stranger, "{}"), VS_LIT("/kbs/v0/resource-policy"), false,
              "Admin access denied: Role bob not allowed for path /kbs/v0/resource-policy");
    refuse(f, ed_token(f, f->ed, "{\"role\":\"carl\"}"),
           "Admin access denied: Role anna not allowed for path /kbs/v0/resource/a/b/c");
}

/* ---- access lists
 * --------------------------------------------------------------------------------------- */

#define RV "/kbs/v0/reference-value/"

static void paths_are_matched_whole_and_in_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool allowed;
    } rows[] = {
        {"^/kbs/.+$", "/kbs/v0/resource/a/b/c", true},
        {"^/kbs/.+$", "/kbs/", false},
        {"^/kbs/.+$", "/kbsx", false},
        {"^/kbs/.+$", "/metrics", false},
        {"^/kbs/v0/resource-policy$", "/kbs/v0/resource-policy", true},
        {"^/kbs/v0/resource-policy$", "/kbs/v0/resource-policy/x", false},
        {"^/kbs/v0/resource-policy$", "/kbs/v0/resource-policyx", false},
        {"^/kbs/v0/resource-policy$", "/x/kbs/v0/resource-policy", false},
        {"^/kbs/v0/resource/(default|test)/[^/]+/\\w+$", "/kbs/v0/resource/test/k/1", true},
        {"^/kbs/v0/resource/(default|test)/[^/]+/\\w+$", "/kbs/v0/resource/other/k/1", false},
        {"^/kbs/v0/resource/(default|test)/[^/]+/\\w+$", "/kbs/v0/resource/test/k/1/2", false},
        {"^/kbs/v0/(?:a|b)\\d{2}$", "/kbs/v0/b12", true},
        {"^/kbs/a$|^/kbs/b$", "/kbs/b", true},
        {"^/kbs/a$|^/kbs/b$", "/kbs/bb", false},
        {"^/kbs/[|$]$", "/kbs/|", true},
        /* other forms of an allowed path */
        {"^/kbs/.+$", "/kbs//v0", false},
        {"^/kbs/.+$", "/kbs/v0/./x", false},
        {"^/kbs/.+$", "/kbs/v0/../x", false},
        {"^/kbs/.+$", "/kbs/v0/", false},
        {"^/kbs/.+$", "//kbs/v0", false},
        {"^/kbs/.+$", "kbs/v0", false},
        {"^/kbs/.+$", "", false},
        {"^/kbs/.+$", "/kbs/a\nb", false},
        /* only the URI of a reference value has empty segments, and only those of its scheme */
        {"^/kbs/.+$", RV "rvps:///a/b", true},
        {"^/kbs/.+$", RV "rvps:///a", true},
        {"^" RV "rvps:///team-a/.+$", RV "rvps:///team-a/x", true},
        {"^" RV "rvps:///team-a/.+$", RV "rvps:///team-b/x", false},
        {"^" RV "rvps:///team-a/.+$", RV "rvps:///team-a/../team-b/x", false},
        {"^" RV "rvps:///team-a/.+$", RV "rvps:///team-a//x", false},
        {"^/kbs/v0/resource/.+$", RV "rvps:///a", false},
        {"^/kbs/.+$", RV "rvps:///", false},
        {"^/kbs/.+$", RV "rvps:////a", false},
        {"^/kbs/.+$", RV "rvps:///a/", false},
        {"^/kbs/.+$", RV "rvps:///..", false},
        {"^/kbs/.+$", RV "rvps:///./a", false},
        {"^/kbs/.+$", RV "rvps://a", false},
        {"^/kbs/.+$", RV "rvps://a//b", false},
        {"^/kbs/.+$", RV "RVPS:///a", false},
        {"^/kbs/.+$", RV "/rvps:///a", false},
        {"^/kbs/.+$", RV "x/rvps:///a", false},
        {"^/kbs/.+$", RV "rvps:///a/rvps:///b", false},
        {"^/kbs/.+$", RV "a//b", false},
        {"^/kbs/.+$", RV, false},
        {"^/kbs/.+$", "/kbs/v0/resource/rvps:///a", false},
        {"^/kbs/.+$", "/kbs/v0/reference-valuervps:///a", false},
        {"^/kbs/.+$", "/kbs/v0/./reference-value/rvps:///a", false},
        {"^/kbs/.+$", "/x" RV "rvps:///a", false},
    };
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        kbs_acl entry = {"r", rows[i].pattern};
        kbs_acl_set *s = NULL;
        vs_error err = {0};
        assert_vs_ok(kbs_acl_new(&entry, 1, &s, &err), &err);
        if (kbs_acl_allows(s, VS_LIT("r"), vs_str(rows[i].path)) != rows[i].allowed)
            fail_msg("%s on %s: not %d", rows[i].pattern, rows[i].path, rows[i].allowed);
        assert_false(kbs_acl_allows(s, VS_LIT("R"), vs_str(rows[i].path)));
        kbs_acl_free(&s);
    }
}

static void patterns_that_could_match_more_than_they_show_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "^/kbs",
        "/kbs/.+$",
        "^/kbs/.+",
        "^/kbs/.+\\$",
        "^/kb/.+$",
        "^/kbs/x$|.*$",
        "^/kbs/x$|^/.*$",
        "^/kbs/x|^/kbs/y$",
        "^/kbs/x|.*|/y$",
        "^/kbs/(a|b)$|.*$",
        "^/kbs/[a]$|.*$",
        "^/kbs/[]]$|.*$",
        "^/kbs/[^]]$|.*$",
        "^/kbs/[[:alpha:]]$|.*$",
        "^/kbs/[\\]]$|.*$",
        "^/kbs/\\($|.*$",
        "^/kbs/)|.*$",
        "^/kbs/\\Q(\\E$|.*$",
        "^/kbs/\\C$",
        "^/kbs/($",
        "^/kbs/[$",
        "^/kbs/*+$",
        "^/kbs/a{99999}$",
    };
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        kbs_acl entry = {"r", bad[i]};
        kbs_acl_set *s = NULL;
        if (kbs_acl_new(&entry, 1, &s, NULL) == VS_OK)
            fail_msg("accepted: %s", bad[i]);
        assert_null(s);
    }
    kbs_acl half[] = {{"r", NULL}, {NULL, "^/kbs$"}};
    kbs_acl_set *s = NULL;
    assert_vs_code(kbs_acl_new(&half[0], 1, &s, NULL), VS_E_INVALID);
    assert_vs_code(kbs_acl_new(&half[1], 1, &s, NULL), VS_E_INVALID);
}

static void an_encoded_slash_is_refused_where_roles_count(void **state)
{
    fixture *f = *state;
    kbs_identity_provider p = {.public_key_uri = write_key(f, "ed.pem", f->ed)};
    start_bearer(f, &p, 1);
    vs_span t = ed_token(f, f->ed, CLAIMS(""));
    accept_token(f, t, "admin");
    refuse_at(f, t, PATH_A, true,
              "Admin access denied: path /kbs/v0/resource/a/b/c has an encoded slash, an empty "
              "segment, \".\" or \"..\", which no role may use");
    /* hostile text comes out as one printable line */
    refuse_at(
        f, t, VS_LIT("/kbs//\xff\n\"x"), false,
        "Admin access denied: path /kbs//?\?\"x has an encoded slash, an empty segment, \".\" "
        "or \"..\", which no role may use");
    start_bearer(f, &p, 1);
    kbs_admin_config cfg = {.mode = KBS_ADMIN_BEARER, .providers = &p, .n_providers = 1};
    start(f, &cfg); /* an empty list allows nothing */
    refuse(f, t, "Admin access denied: Role admin not allowed for path /kbs/v0/resource/a/b/c");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(shared_tokens_give_the_results_of_their_readme),
        T(every_bit_flip_and_truncation_of_a_token_is_refused),
        T(deny_all_denies_and_allow_all_allows),
        T(a_request_without_a_token_is_refused),
        T(claims_are_checked_after_the_signature),
        T(providers_are_tried_in_order),
        T(the_algorithm_is_bound_to_the_key),
        T(a_key_in_the_tokens_header_is_never_trusted),
        T(keys_of_a_set_are_chosen_by_kid_and_fixed_by_alg),
        T(keys_that_cannot_be_used_stop_the_start),
        T(a_personas_key_is_all_that_the_older_dialect_wants),
        T(paths_are_matched_whole_and_in_one_form),
        T(patterns_that_could_match_more_than_they_show_are_refused),
        T(an_encoded_slash_is_refused_where_roles_count),
    };
    return cmocka_run_group_tests_name("kbs: admin", tests, NULL, NULL);
}
