/* SPDX-License-Identifier: Apache-2.0 */
/* What `vouchsafe decode` shows of CCA tokens and EARs: as a tree, as JSON, as a page. */
#include "../tee/soft_realm.h"
#include "running.h"

#include <dirent.h>

#include "base/enc.h"
#include "cmd/cca_show.h"
#include "cmd/commands.h"

#define TOKENS "data/cca/tokens/"

/* Paths that stay: shared_path has one buffer. */
static const char *shared_at(vs_arena *a, const char *rel)
{
    return vs_sprintf(a, "%s", shared_path(rel));
}

static void expect(const result *r, int code, const char *const *lines, size_t n)
{
    if (r->code != code)
        fail_msg("exit %d, not %d: %s%s", r->code, code, (char *)r->out.p, (char *)r->err.p);
    for (size_t i = 0; i < n; i++)
        if (!says(&r->out, lines[i]))
            fail_msg("\"%s\" is not in:\n%s", lines[i], (char *)r->out.p);
}
#define EXPECT(r, code, ...)                                                                       \
    expect((r), (code), (const char *const[]){__VA_ARGS__},                                        \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* ---- the tree -------------------------------------------------------------------------------- */

static void a_token_is_a_tree_with_what_can_be_checked_without_trust(void **state)
{
    (void)state;
    need_shared(TOKENS);
    result r;
    RUN(&r, cmd_decode, shared_copy(TOKENS "trustee-example-legacy-es384.cbor"));
    EXPECT(&r, 0, "Arm CCA token  2234 bytes, tag 399 (EAT collection)\n",
           "  passed       realm signature       valid under the realm's own key (RAK)\n",
           "  passed       binding               the platform token vouches for the realm's key\n",
           "  not checked  platform signature    needs trust anchors",
           "platform token              COSE_Sign1, ES384, 1511 bytes\n",
           "  protected header          a1013822  (algorithm ES384 (-35))\n",
           "  unprotected header        {}\n",
           "  profile                   http://arm.com/CCA-SSD/1.0.0 (legacy)\n",
           "  lifecycle                 0x3003 secured\n",
           "    13  SOC_FW_CONFIG  -        sha-256  e6c21e8d260fe71882debdb339d2402a",
           "  profile                   none (legacy)\n", "  (never extended)\n",
           "  (P-384, 97 bytes as raw point)\n",
           "  (64 bytes: a SHA-512 digest or a verifier's nonce)\n");
    assert_false(says(&r.out, "submod")); /* nothing was appraised */
    assert_false(says(&r.out, ".."));     /* not a terminal: nothing is shortened */
    drop(&r);
}

static void with_trust_anchors_it_is_verified_and_appraised(void **state)
{
    (void)state;
    need_shared("data/cca");
    vs_arena a;
    result r;
    vs_arena_init(&a, 0);
    const char *token = shared_at(&a, TOKENS "trustee-example-legacy-es384.cbor");
    const char *ta = shared_at(&a, "data/cca/trust/tastore-trustee.json");
    const char *rv = shared_at(&a, "data/cca/trust/rvstore-trustee.json");
    RUN(&r, cmd_decode, "--ta-store", ta, "--rv-store", rv, token);
    EXPECT(&r, 0, "  passed       platform signature    valid under the platform's key (CPAK)",
           "  passed       platform references   components and configuration are those",
           "  passed       realm references      RIM and REMs are those of a reference value\n",
           "submod CCA_SSD_PLATFORM: warning\n",
           "  Runtime Opaque    [warning]: memory isolation (32)\n",
           "submod CCA_REALM: affirming\n");
    drop(&r);
    RUN(&r, cmd_decode, "--ta-store", ta, token); /* nothing is endorsed */
    EXPECT(&r, 3,
           "  failed       platform references   platform token: no reference entry for this",
           "  not checked  realm references      the platform is not endorsed\n",
           "  Hardware          [contraindicated]: unrecognized (97)\n");
    drop(&r);
    RUN(&r, cmd_decode, "--ta-store", shared_at(&a, "data/cca/trust/tastore-02-ok.json"), token);
    EXPECT(&r, 3, "  failed       platform signature    platform token: no trust anchor has this",
           "  not checked  platform references   the token is not genuine\n");
    drop(&r);
    RUN(&r, cmd_decode, "--json", "--ta-store", ta, "--rv-store", rv, token);
    EXPECT(&r, 0, "{\"name\":\"platform signature\",\"reason\":\"valid under the platform's key",
           "\"CCA_REALM\":{\"ear.status\":\"affirming\"", "\"realm-signature-valid\":true");
    drop(&r);
    vs_arena_free(&a);
}

static void trust_that_cannot_be_read_is_an_error_not_a_failed_check(void **state)
{
    (void)state;
    need_shared(TOKENS);
    result r;
    char *token = shared_copy(TOKENS "derived-ok-legacy-399.cbor");
    static const struct {
        const char *option, *value;
    } bad[] = {{"--ta-store", "nowhere.json"},
               {"--rv-store", "nowhere.json"},
               {"--cca-config", "nowhere.json"},
               {"--challenge", "xyz"}};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        RUN(&r, cmd_decode, bad[i].option, bad[i].value, token);
        assert_int_equal(r.code, 1);
        assert_int_equal(r.out.n, 0);
        assert_true(r.err.n > 0);
        drop(&r);
    }
    RUN(&r, cmd_decode, "--ta-store", "a", "--cca-config", "b", token);
    assert_int_equal(r.code, 2);
    drop(&r);
}

static void the_challenge_is_compared_and_explained(void **state)
{
    (void)state;
    static const struct {
        const char *challenge, *hint;
    } cases[] = {
        {"", "all zero: nothing was bound"},
        {"01", "32 bytes, padded with zeros: a SHA-256 digest"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "as a KBS binds its nonce and the guest's key"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
         "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
         "counts up: a test pattern"},
    };
    soft_realm s;
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        result r;
        vs_span c;
        vs_buf token = VS_BUF(CCA_TOKEN_MAX);
        char file[128];
        (void)snprintf(file, sizeof file, "%s", in_dir("file"));
        assert_vs_code(vs_hex_decode_arena(&s.arena, vs_str(cases[i].challenge), &c, NULL), VS_OK);
        memset(s.challenge, 0, sizeof s.challenge);
        memcpy(s.challenge, c.p, c.n);
        soft_token(&s, &token);
        assert_vs_code(vs_write_file(file, vs_buf_span(&token), 0600, NULL), VS_OK);
        RUN(&r, cmd_decode, "--challenge", cases[i].challenge, file);
        EXPECT(&r, 0, cases[i].hint, "passed       challenge             is the expected");
        drop(&r);
        RUN(&r, cmd_decode, "--challenge", "02", file);
        EXPECT(&r, 3, "failed       challenge             is NOT the expected report data");
        drop(&r);
        vs_buf_free(&token);
    }
    soft_stop(&s);
}

static void a_terminal_gets_lines_and_short_values_unless_all_is_wanted(void **state)
{
    (void)state;
    soft_realm s;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    cca_token t;
    cca_expect nothing = {0};
    view v = {.out = VS_BUF(1 << 20), .terminal = true};
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    soft_token(&s, &token);
    report *r = VS_NEW(&s.arena, report);
    r->a = &s.arena;
    assert_vs_code(cca_token_decode(&s.arena, vs_buf_span(&token), &t, NULL), VS_OK);
    assert_vs_code(cca_report_token(r, &t, &nothing, NULL), VS_OK);
    report_show(&v, r, false);
    vs_buf_puts(&v.out, "");
    assert_true(says(&v.out, "\xe2\x94\x9c\xe2\x94\x80 lifecycle                0x3000 secured\n"));
    assert_true(says(&v.out, "\xe2\x94\x94\xe2\x94\x80 key hash algorithm       sha-256\n"));
    assert_true(says(&v.out, "000000000000..00000000 (64 bytes)  (never extended)\n"));
    vs_buf_clear(&v.out);
    report_show(&v, r, true);
    vs_buf_puts(&v.out, "");
    assert_false(says(&v.out, "0..0"));
    view_free(&v);
    vs_buf_free(&token);
    soft_stop(&s);
}

/* ---- every shared token ---------------------------------------------------------------------- */

/* Those that are not even a token, and the reason; all others are shown. */
static const struct {
    const char *file, *reason;
} refused[] = {
    {"derived-neg-top-tag-400.cbor", "tag 400 is neither 399 nor 907"},
    {"derived-neg-top-untagged.cbor", "CCA token"},
    {"derived-neg-missing-realm-token.cbor", "realm token (44241) is missing"},
    {"derived-neg-cmw-entry-in-399.cbor", "CCA token"},
    {"derived-neg-trailing-bytes.cbor", "strict kind"},
    {"derived-neg-truncated.cbor", "strict kind"},
    {"derived-neg-alg-missing.cbor", "platform token"},
    {"derived-neg-lifecycle-0x7000.cbor", "lifecycle (2395) 0x7000 is not a defined state"},
    {"derived-neg-inst-id-not-rand.cbor", "not an UEID of type RAND"},
    {"derived-neg-impl-id-31-bytes.cbor", "implementation id (2396) has 31 bytes"},
    {"derived-neg-sw-components-empty.cbor", "software components"},
    {"derived-neg-sw-component-no-signer.cbor", "signer id (5) is missing"},
    {"derived-neg-sw-component-value-33-bytes.cbor", "measurement value (2) has 33 bytes"},
    {"derived-neg-platform-config-missing.cbor", "configuration (2401) is missing"},
    {"derived-neg-platform-profile-unknown.cbor", "unknown profile"},
    {"derived-neg-realm-challenge-63-bytes.cbor", "challenge (10) has 63 bytes"},
    {"derived-neg-realm-rem-3-slots.cbor", "extensible measurements"},
    {"derived-neg-realm-rim-20-bytes.cbor", "initial measurement (44238) has 20 bytes"},
    {"derived-neg-rak-hash-alg-sha-1.cbor", "challenge (10) has 20 bytes"},
    {"derived-neg-duplicate-claim-realm-challenge.cbor", "realm token"},
    {"derived-edge-realm-claims-indefinite-map.cbor", "realm token"},
};
/* Those that are shown with a check that failed. */
static const struct {
    const char *file, *line;
} failed[] = {
    {"neg-rak-binding-mismatch.cbor", "failed       binding  "},
    {"derived-neg-realm-sig-bitflip.cbor", "failed       realm signature  "},
    {"derived-neg-binding-wrong-hash-alg.cbor", "failed       binding  "},
    {"derived-neg-binding-hash-of-raw-point-with-cosekey.cbor", "failed       binding  "},
    {"derived-neg-realm-rak-off-curve.cbor", "failed       realm signature  "},
    {"derived-neg-realm-rak-96-bytes.cbor", "failed       realm signature  "},
    {"derived-neg-realm-raw-rak-with-profile.cbor", "failed       realm signature  "},
    {"derived-neg-platform-sig-bitflip.cbor", "failed       platform signature  "},
    {"derived-neg-platform-signed-by-rak.cbor", "failed       platform signature  "},
    {"derived-neg-alg-es256-with-p384-key.cbor", "failed       "},
    {"derived-edge-lifecycle-0x5000-recoverable-debug.cbor",
     "failed       lifecycle             recoverable-cca-platform-rot-debug"},
};

static const char *reason_of(const char *file)
{
    for (size_t i = 0; i < VS_COUNT(refused); i++)
        if (strcmp(refused[i].file, file) == 0)
            return refused[i].reason;
    return NULL;
}

static const char *failure_of(const char *file)
{
    for (size_t i = 0; i < VS_COUNT(failed); i++)
        if (strcmp(failed[i].file, file) == 0)
            return failed[i].line;
    return NULL;
}

static void look_at(vs_arena *a, const char *name)
{
    result r;
    const char *path = vs_sprintf(a, "%s/%s", shared_path(TOKENS), name);
    const char *reason = reason_of(name), *failure = failure_of(name);
    RUN(&r, cmd_decode, "--ta-store", shared_at(a, "data/cca/trust/tastore-trustee.json"), path);
    bool shown = says(&r.out, "Arm CCA token");
    if (reason && (r.code != 1 || shown || !says(&r.err, reason)))
        fail_msg("%s: exit %d, %s", name, r.code, (char *)r.err.p);
    if (!reason && (r.code == 1 || !shown || (failure && !says(&r.out, failure))))
        fail_msg("%s: exit %d, %s%s", name, r.code, (char *)r.out.p, (char *)r.err.p);
    if (!reason && !failure && !says(&r.out, "passed       binding"))
        fail_msg("%s: %s", name, (char *)r.out.p);
    drop(&r);
    RUN(&r, cmd_decode, "--html", "-", path);
    if (!reason && (r.code != 0 || !says(&r.out, "</html>\n")))
        fail_msg("%s: page: exit %d, %s", name, r.code, (char *)r.err.p);
    drop(&r);
}

static void every_shared_token_is_shown_or_refused_with_its_reason(void **state)
{
    (void)state;
    need_shared(TOKENS);
    vs_arena a;
    unsigned n = 0;
    vs_arena_init(&a, 0);
    DIR *d = opendir(shared_path(TOKENS));
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            look_at(&a, e->d_name);
            n++;
        }
    (void)closedir(d);
    assert_true(n >= 40);
    print_message("# %u tokens\n", n);
    vs_arena_free(&a);
}

/* ---- hostile text ---------------------------------------------------------------------------- */

#define HOSTILE "\"><script>alert('1')</script>&\x1b[31m\x07\xc2\x9b\xe2\x80\xae\x7f"
static const char tame[] = "\"><script>alert('1')</script>&\\x1b[31m\\x07\\x9b\\u202e\\x7f";
static const char page_tame[] = "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"
                                "\\x1b[31m\\x07\\x9b\\u202e\\x7f";

/* Every claim that is text, and the unprotected header, which nobody signs. */
static void hostile_token(soft_realm *s, vs_buf *out)
{
    static const cca_device device = {
        .hash = VS_LIT("sha-256"), .protocol = VS_LIT(HOSTILE "protocol"), .uses_ide = -1};
    static cca_component component;
    VS_CLEANUP(vs_buf_free) vs_buf platform = VS_BUF(CCA_TOKEN_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf realm = VS_BUF(CCA_TOKEN_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf changed = VS_BUF(CCA_TOKEN_MAX);
    component = s->spec.components[0];
    component.type = VS_LIT(HOSTILE "type");
    component.version = VS_LIT(HOSTILE "version");
    assert_vs_code(realm_spec_set_profile(&s->spec, "2.0.0", NULL), VS_OK);
    s->spec.components = &component;
    s->spec.n_components = 1;
    s->spec.devices = &device;
    s->spec.n_devices = 1;
    s->spec.service = VS_LIT(HOSTILE "service");
    assert_vs_code(realm_platform_token(&s->spec, &s->keys, &platform, NULL), VS_OK);
    assert_vs_code(realm_realm_token(&s->spec, &s->keys,
                                     vs_span_of(s->challenge, sizeof s->challenge), &realm, NULL),
                   VS_OK);
    assert_memory_equal(platform.p, "\xd2\x84\x43\xa1\x01\x26\xa0", 7); /* ES256, no unprotected */
    vs_buf_put(&changed, vs_span_of(platform.p, 6));
    vs_cbor_put_map(&changed, 1);
    vs_cbor_put_int(&changed, 4);
    vs_cbor_put_text(&changed, HOSTILE "kid");
    vs_buf_put(&changed, vs_span_from(vs_buf_span(&platform), 7));
    assert_vs_code(realm_wrap(CCA_TAG_CMW, vs_buf_span(&changed), vs_buf_span(&realm), out, NULL),
                   VS_OK);
}

static bool is_tame(const vs_buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        if ((b->p[i] < 0x20 && b->p[i] != '\n') || b->p[i] == 0x7f)
            return false;
    return !says(b, "\xc2\x9b") && !says(b, "\xe2\x80\xae");
}

static void hostile_text_is_escaped_in_every_claim_and_everywhere(void **state)
{
    (void)state;
    static const char *const where[] = {"protocol", "type", "version", "service"};
    soft_realm s;
    result text, page, json;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    char file[128], want[256];
    (void)snprintf(file, sizeof file, "%s", in_dir("file"));
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    hostile_token(&s, &token);
    assert_vs_code(vs_write_file(file, vs_buf_span(&token), 0600, NULL), VS_OK);
    RUN(&text, cmd_decode, file);
    RUN(&page, cmd_decode, "--html", "-", file);
    RUN(&json, cmd_decode, "--json", file);
    assert_true(text.code == 0 && page.code == 0 && json.code == 0);
    assert_true(is_tame(&text.out) && is_tame(&page.out) && is_tame(&json.out));
    for (size_t i = 0; i < VS_COUNT(where); i++) {
        (void)snprintf(want, sizeof want, "%s%s", tame, where[i]);
        assert_true(says(&text.out, want));
        (void)snprintf(want, sizeof want, "%s%s", page_tame, where[i]);
        assert_true(says(&page.out, want));
    }
    assert_true(says(&text.out, "kid\"}") && says(&page.out, "kid&quot;}"));
    assert_false(says(&page.out, "<script"));
    drop(&text);
    drop(&page);
    drop(&json);
    vs_buf_free(&token);
    soft_stop(&s);
}

/* A profile that is not known ends up in the error. */
static void hostile_text_is_escaped_in_errors_too(void **state)
{
    (void)state;
    soft_realm s;
    result r;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    char file[128];
    (void)snprintf(file, sizeof file, "%s", in_dir("file"));
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    s.spec.platform_profile = HOSTILE;
    soft_token(&s, &token);
    assert_vs_code(vs_write_file(file, vs_buf_span(&token), 0600, NULL), VS_OK);
    RUN(&r, cmd_decode, "--html", in_dir("key"), file);
    assert_int_equal(r.code, 1);
    assert_true(is_tame(&r.err) && says(&r.err, "unknown profile"));
    assert_int_not_equal(access(in_dir("key"), F_OK), 0); /* no half a page */
    drop(&r);
    vs_buf_free(&token);
    soft_stop(&s);
}

/* ---- pages ----------------------------------------------------------------------------------- */

static size_t count_of(const vs_buf *b, const char *what)
{
    size_t n = 0;
    for (const char *p = (const char *)b->p; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void expect_page(const result *r, size_t vectors)
{
    static const char *const never[] = {"<script", "src=",  "href=", "url(",   "@import",
                                        "<img",    "<link", "<a ",   "onload", "javascript:"};
    static const char *const paired[] = {
        "html",  "head", "body", "main",    "section", "figure", "svg",  "table", "thead",
        "tbody", "tr",   "td",   "details", "summary", "div",    "span", "code",  "style"};
    assert_int_equal(r->code, 0);
    assert_true(says(&r->out, "<!doctype html>\n<html lang=\"en\">"));
    assert_true(says(&r->out, "default-src 'none'; style-src 'unsafe-inline'"));
    assert_true(says(&r->out, "prefers-color-scheme:dark") && says(&r->out, "@media print"));
    for (size_t i = 0; i < VS_COUNT(never); i++)
        if (says(&r->out, never[i]))
            fail_msg("the page has %s", never[i]);
    for (size_t i = 0; i < VS_COUNT(paired); i++) {
        char open[16], bare[16], close[16];
        (void)snprintf(open, sizeof open, "<%s ", paired[i]);
        (void)snprintf(bare, sizeof bare, "<%s>", paired[i]);
        (void)snprintf(close, sizeof close, "</%s>", paired[i]);
        size_t opened = count_of(&r->out, open) + count_of(&r->out, bare);
        assert_int_equal(opened, count_of(&r->out, close));
    }
    assert_int_equal(count_of(&r->out, "role=\"img\" aria-label=\"Trust vector of"), vectors);
    assert_int_equal(count_of(&r->out, "<path class="), 8 * vectors);
    assert_int_equal(count_of(&r->out, "Instance Identity</th>"), vectors);
}

static void the_page_of_a_token_stands_alone_and_draws_the_vector(void **state)
{
    (void)state;
    need_shared("data/cca");
    vs_arena a;
    result r;
    vs_buf page = VS_BUF(1 << 20);
    vs_arena_init(&a, 0);
    char file[128];
    (void)snprintf(file, sizeof file, "%s", in_dir("key"));
    RUN(&r, cmd_decode, "--ta-store", shared_at(&a, "data/cca/trust/tastore-trustee.json"),
        "--rv-store", shared_at(&a, "data/cca/trust/rvstore-trustee.json"), "--html", file,
        shared_at(&a, TOKENS "trustee-example-legacy-es384.cbor"));
    assert_int_equal(r.out.n, 0);
    assert_vs_code(vs_read_file(file, &page, NULL), VS_OK);
    vs_buf_puts(&page, "");
    vs_buf_free(&r.out);
    r.out = page;
    expect_page(&r, 2);
    EXPECT(&r, 0, "CCA_SSD_PLATFORM: <span class=\"warning\">warning</span>",
           "<td class=\"warning\">warning</td><td>32 memory isolation</td>",
           "<td class=\"passed\">passed</td><th scope=\"row\">platform signature</th>",
           "<td>SOC_FW_CONFIG</td>", "<td class=\"open\">not checked</td>");
    drop(&r);
    RUN(&r, cmd_decode, "--html", "-", shared_at(&a, TOKENS "trustee-example-legacy-es384.cbor"));
    expect_page(&r, 2);
    EXPECT(&r, 0, "not appraised: that needs trust anchors", "not in the vector");
    drop(&r);
    vs_arena_free(&a);
}

static void the_page_of_an_ear_draws_its_vector(void **state)
{
    (void)state;
    need_shared("data/ear");
    result r;
    RUN(&r, cmd_decode, "--html", "-", shared_copy("data/ear/ear-cca-contraindicated.jwt"));
    expect_page(&r, 1);
    EXPECT(&r, 0, "cpu0: <span class=\"contraindicated\">contraindicated</span>",
           "<td class=\"contraindicated\">contraindicated</td><td>97 unrecognized</td>",
           "<summary>annotated evidence</summary>", "see vouchsafe verify");
    drop(&r);
    static const char ear[] =
        "{\"eat_profile\":\""
        "<script>\\u001b[2J"
        "\",\"iat\":1,\"ear.verifier-id\":"
        "{\"developer\":\"<b>\",\"build\":\"'\\\"\"},\"submods\":{\"<img src=x>\":"
        "{\"ear.status\":\"none\",\"ear.veraison.annotated-evidence\":{\"<script>\\u0000\":1,"
        "\"<i>\":[\"\\u009b\",{}]}}}}";
    char file[128];
    (void)snprintf(file, sizeof file, "%s", in_dir("file"));
    assert_vs_code(vs_write_file(file, vs_str(ear), 0600, NULL), VS_OK);
    RUN(&r, cmd_decode, "--html", "-", file);
    assert_true(is_tame(&r.out));
    EXPECT(&r, 0, "&lt;img src=x&gt;: <span", "(a name with a NUL)", "&lt;i&gt;", "\\x9b",
           "the token has no vector");
    assert_false(says(&r.out, "<script") || says(&r.out, "<img") || says(&r.out, "<b>"));
    drop(&r);
}

static void what_has_no_page_is_refused_and_claims_have_one(void **state)
{
    (void)state;
    need_shared("data/cca");
    result r;
    static const char *const none[] = {"data/cca/corim/corim-cca-realm-valid.cbor",
                                       "data/cca/trust/tastore-01.json"};
    static const char *const claims[] = {"data/cca/claims/go-realm-CcaRealmClaimsAll.cbor",
                                         "data/cca/claims/go-platform-CcaPlatformClaimsAll.cbor"};
    for (size_t i = 0; i < VS_COUNT(none); i++) {
        RUN(&r, cmd_decode, "--html", "-", shared_copy(none[i]));
        assert_int_equal(r.code, 1);
        assert_true(says(&r.err, "--html draws CCA tokens"));
        assert_int_equal(r.out.n, 0);
        drop(&r);
    }
    for (size_t i = 0; i < VS_COUNT(claims); i++) {
        RUN(&r, cmd_decode, "--html", "-", shared_copy(claims[i]));
        expect_page(&r, 0);
        EXPECT(&r, 0, "claims alone: nothing here is signed");
        drop(&r);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void without_memory_there_is_an_error_and_no_report(void **state)
{
    (void)state;
    soft_realm s;
    vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    soft_start(&s, VS_KEY_P256, VS_KEY_P384);
    hostile_token(&s, &token);
    size_t cap = 1024;
    vs_code code = VS_E_NOMEM;
    for (; code != VS_OK && cap < 1 << 20; cap += 512) {
        vs_arena a;
        cca_token t;
        cca_expect nothing = {0};
        vs_arena_init(&a, cap);
        report *r = VS_NEW(&a, report);
        code = r ? cca_token_decode(&a, vs_buf_span(&token), &t, NULL) : VS_E_NOMEM;
        if (code == VS_OK) {
            r->a = &a;
            code = cca_report_token(r, &t, &nothing, NULL);
        }
        assert_true(code == VS_OK || code == VS_E_NOMEM);
        vs_arena_free(&a);
    }
    assert_vs_code(code, VS_OK);
    assert_true(cap > 4096);
    vs_buf_free(&token);
    soft_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_a_tree_with_what_can_be_checked_without_trust),
        cmocka_unit_test(with_trust_anchors_it_is_verified_and_appraised),
        cmocka_unit_test(trust_that_cannot_be_read_is_an_error_not_a_failed_check),
        cmocka_unit_test(the_challenge_is_compared_and_explained),
        cmocka_unit_test(a_terminal_gets_lines_and_short_values_unless_all_is_wanted),
        cmocka_unit_test(every_shared_token_is_shown_or_refused_with_its_reason),
        cmocka_unit_test(hostile_text_is_escaped_in_every_claim_and_everywhere),
        cmocka_unit_test(hostile_text_is_escaped_in_errors_too),
        cmocka_unit_test(the_page_of_a_token_stands_alone_and_draws_the_vector),
        cmocka_unit_test(the_page_of_an_ear_draws_its_vector),
        cmocka_unit_test(what_has_no_page_is_refused_and_claims_have_one),
        cmocka_unit_test(without_memory_there_is_an_error_and_no_report),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
