/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/admin_token.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "envelope/jose.h"
#include "value/json.h"

enum { TOKEN_MAX = ADMIN_TOKEN_MAX, TOKEN_LIFE_S = 2 * 3600 };

static const char LOCAL_TOKEN[] = "kbs/config/docker-compose/admin-token";

static void keep_trimmed(vs_buf *token, const vs_buf *file)
{
    vs_buf_clear(token);
    vs_buf_put(token, vs_span_trim(vs_buf_span(file)));
}

static vs_code from_file(const char *path, vs_buf *token, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(TOKEN_MAX);
    VS_TRY(vs_read_file(path, &file, err));
    keep_trimmed(token, &file);
    return vs_buf_check(token, err);
}

/* kbs.md 12.1: what older servers want, and "role" for today's. */
static void write_claims(vs_buf *out, int64_t now)
{
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "iat");
    vs_jw_int(&w, now);
    vs_jw_key(&w, "nbf");
    vs_jw_int(&w, now);
    vs_jw_key(&w, "exp");
    vs_jw_int(&w, now + TOKEN_LIFE_S);
    vs_jw_key(&w, "role");
    vs_jw_str(&w, "admin");
    vs_jw_close(&w, '}');
}

static vs_code from_key(const char *path, vs_buf *token, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(TOKEN_MAX), claims = VS_BUF(1024);
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_TRY(vs_read_file(path, &pem, err));
    VS_TRY_WRAP(vs_key_from_pem(vs_buf_span(&pem), true, &key, err), err, "%s", path);
    if (vs_key_kind(key) != VS_KEY_ED25519)
        return vs_fail(
            err, VS_E_UNSUPPORTED,
            "%s holds another kind of key; an Ed25519 private key (PKCS#8 PEM) is expected", path);
    write_claims(&claims, vs_now_s());
    VS_TRY(vs_buf_check(&claims, err));
    return vs_jws_sign(token, key, VS_EDDSA, VS_LIT("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}"),
                       vs_buf_span(&claims), err);
}

/* The files that Trustee's client tries by itself. */
static vs_code from_defaults(vs_buf *token, vs_error *err)
{
    if (from_file(LOCAL_TOKEN, token, NULL) == VS_OK)
        return VS_OK;
    (void)fprintf(stderr, "Failed to read: %s\n", LOCAL_TOKEN);
    char path[PATH_MAX];
    const char *home = getenv("HOME");
    if (home &&
        (size_t)snprintf(path, sizeof path, "%s/.trustee/admin-token", home) < sizeof path) {
        vs_code code = from_file(path, token, err);
        if (code != VS_E_NOT_FOUND)
            return code;
    }
    vs_log(VS_LOG_WARN, "kbs-client", "no admin token: the request is anonymous", NULL);
    vs_buf_clear(token);
    return VS_OK;
}

vs_code admin_token(const char *token_file, const char *private_key, vs_buf *token, vs_error *err)
{
    if (token_file) {
        VS_TRY_WRAP(from_file(token_file, token, err), err, "reading the admin token");
        return VS_OK;
    }
    if (private_key) {
        VS_TRY_WRAP(from_key(private_key, token, err), err, "making an admin token");
        return VS_OK;
    }
    return from_defaults(token, err);
}
