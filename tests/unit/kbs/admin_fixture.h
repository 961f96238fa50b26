/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, tokens and an administration that is asked about them. */
#ifndef TEST_KBS_ADMIN_FIXTURE_H
#define TEST_KBS_ADMIN_FIXTURE_H

#include "testing.h"

#include <ftw.h>

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/crypto.h"
#include "envelope/jose.h"
#include "kbs/acl.h"
#include "kbs/admin.h"

enum { NOW = 1790000000 }; /* 2026-09-21 */

#define PATH_A    VS_LIT("/kbs/v0/resource/a/b/c")
#define NO_ISSUER "Admin access denied: Cannot verify token with any of the issuers"
#define NO_HEADER "Failed to parse HTTP Auth Bearer header"
#define NO_ROLE   "Admin access denied: Failed to parse claims from token: missing field `role`"

/* ---- keys and tokens made for each test ------------------------------------------------------ */

typedef struct fixture {
    char dir[64];
    vs_arena a;
    vs_key *ed, *ec, *rsa, *stranger;
    kbs_sources *sources;
    kbs_admin *admin;
} fixture;

static inline const char *file_in(fixture *f, const char *name)
{
    return vs_sprintf(&f->a, "%s/%s", f->dir, name);
}

static inline const char *write_in(fixture *f, const char *name, vs_span text)
{
    vs_error err = {0};
    assert_vs_ok(vs_write_file(file_in(f, name), text, 0600, &err), &err);
    return file_in(f, name);
}

static inline const char *write_key(fixture *f, const char *name, const vs_key *k)
{
    vs_error err = {0};
    vs_buf pem = VS_BUF(8192);
    assert_vs_ok(vs_key_to_pem(&pem, k, false, &err), &err);
    const char *path = write_in(f, name, vs_buf_span(&pem));
    vs_buf_free(&pem);
    return path;
}

static inline int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/vs-admin-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    vs_arena_init(&f->a, 0);
    vs_error err = {0};
    assert_vs_ok(vs_key_generate(VS_KEY_ED25519, &f->ed, &err), &err);
    assert_vs_ok(vs_key_generate(VS_KEY_P256, &f->ec, &err), &err);
    assert_vs_ok(vs_key_generate(VS_KEY_ED25519, &f->stranger, &err), &err);
    *state = f;
    return 0;
}

static inline int drop_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    kbs_admin_free(&f->admin);
    kbs_sources_free(&f->sources);
    vs_key_free(&f->ed);
    vs_key_free(&f->ec);
    vs_key_free(&f->rsa);
    vs_key_free(&f->stranger);
    vs_arena_free(&f->a);
    (void)nftw(f->dir, drop_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline vs_span token(fixture *f, const vs_key *k, vs_alg alg, const char *header,
                            const char *claims)
{
    vs_error err = {0};
    vs_buf out = VS_BUF(1 << 16);
    assert_vs_ok(vs_jws_sign(&out, k, alg, vs_str(header), vs_str(claims), &err), &err);
    vs_span copy = vs_dup(&f->a, vs_buf_span(&out));
    vs_buf_free(&out);
    return copy;
}

static inline vs_span ed_token(fixture *f, const vs_key *k, const char *claims)
{
    return token(f, k, VS_EDDSA, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", claims);
}

/* header.payload.signature from texts, for tokens that the library refuses to make. */
static inline vs_span raw_token(fixture *f, const char *header, const char *claims,
                                vs_span signature)
{
    vs_buf b = VS_BUF(1 << 16);
    vs_b64_encode(&b, VS_B64_URL, vs_str(header));
    vs_buf_putc(&b, '.');
    vs_b64_encode(&b, VS_B64_URL, vs_str(claims));
    vs_buf_putc(&b, '.');
    vs_b64_encode(&b, VS_B64_URL, signature);
    vs_span copy = vs_dup(&f->a, vs_buf_span(&b));
    vs_buf_free(&b);
    return copy;
}

static const kbs_acl everything = {"admin", "^/kbs/.+$"};

static inline void forget(fixture *f)
{
    vs_error err = {0};
    kbs_admin_free(&f->admin);
    kbs_sources_free(&f->sources);
    assert_vs_ok(kbs_sources_new(&(kbs_sources_config){0}, &f->sources, &err), &err);
}

static inline void start(fixture *f, const kbs_admin_config *cfg)
{
    vs_error err = {0};
    forget(f);
    assert_vs_ok(kbs_admin_new(cfg, f->sources, &f->admin, &err), &err);
}

static inline void start_bearer(fixture *f, const kbs_identity_provider *p, size_t n)
{
    start(f, &(kbs_admin_config){.mode = KBS_ADMIN_BEARER,
                                 .providers = p,
                                 .n_providers = n,
                                 .acls = &everything,
                                 .n_acls = 1});
}

static inline vs_code check(fixture *f, vs_span bearer, vs_span path, bool slash, vs_arena *a,
                            vs_span *who, vs_error *err)
{
    const kbs_attempt t = {.bearer = bearer, .path = path, .encoded_slash = slash, .now = NOW};
    return kbs_admin_check(f->admin, &t, a, who, err);
}

static inline void accept_at(fixture *f, vs_span bearer, vs_span path, const char *who)
{
    vs_error err = {0};
    vs_span name;
    assert_vs_ok(check(f, bearer, path, false, &f->a, &name, &err), &err);
    assert_span_is(name, who);
}

static inline void accept_token(fixture *f, vs_span bearer, const char *who)
{
    accept_at(f, bearer, PATH_A, who);
}

static inline void refuse_at(fixture *f, vs_span bearer, vs_span path, bool slash,
                             const char *cause)
{
    vs_error err = {0};
    vs_span name;
    assert_vs_code(check(f, bearer, path, slash, &f->a, &name, &err), VS_E_DENIED);
    assert_int_equal(err.code, VS_E_DENIED);
    assert_int_equal(name.n, 0);
    assert_string_equal(vs_error_at(&err, 0), cause);
    assert_vs_code(check(f, bearer, path, slash, &f->a, &name, NULL), VS_E_DENIED);
}

static inline void refuse(fixture *f, vs_span bearer, const char *cause)
{
    refuse_at(f, bearer, PATH_A, false, cause);
}

#define CLAIMS(more) "{\"exp\":1790000600,\"role\":\"admin\"" more "}"

static inline vs_code start_code(fixture *f, const kbs_admin_config *cfg)
{
    forget(f);
    vs_code code = kbs_admin_new(cfg, f->sources, &f->admin, NULL);
    assert_true(code == VS_OK || f->admin == NULL);
    return code;
}

#endif
