/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/sealed.h"

#include <stdlib.h>

#include "base/enc.h"
#include "base/io.h"
#include "cdh/wrapping.h"
#include "envelope/jose.h"

#define KEYS_DIR "/run/confidential-containers/cdh/sealed-secret"
#define VERSION  "0.1.0"

enum { KEY_MAX = 64 * 1024 };

/* ---- the signature --------------------------------------------------------------------------- */

static void free_text(char **s)
{
    free(*s);
}

/* A file below the directory: links are followed first, so that none leads out of it. */
static vs_code read_key_file(const char *dir, vs_span name, vs_arena *a, vs_buf *out, vs_error *err)
{
    if (name.n == 0 || name.p[0] == '/' || memchr(name.p, 0, name.n))
        return vs_fail(err, VS_E_INVALID, "kid \"%.*s\" is neither a URI nor a file name",
                       VS_FMT(vs_span_head(name, 200)));
    const char *path = vs_sprintf(a, "%s/%.*s", dir, VS_FMT(name));
    VS_TRY(vs_arena_check(a, err));
    VS_CLEANUP(free_text) char *root = realpath(dir, NULL);
    VS_CLEANUP(free_text) char *real = realpath(path, NULL);
    if (!root || !real)
        return vs_fail(err, VS_E_UNTRUSTED, "there is no signing key %s", path);
    size_t n = strlen(root);
    if (strncmp(real, root, n) != 0 || real[n] != '/')
        return vs_fail(err, VS_E_UNTRUSTED, "%s is not below %s", path, dir);
    return vs_read_file(real, out, err);
}

static vs_code find_key(const cdh_sealed_options *o, vs_span kid, vs_arena *a, vs_key **key,
                        vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KEY_MAX);
    vs_val jwk;
    if (cdh_is_uri(kid))
        VS_TRY(cdh_source_get_named(o->source, kid, &text, err));
    else
        VS_TRY(read_key_file(o->keys_dir ? o->keys_dir : KEYS_DIR, kid, a, &text, err));
    VS_TRY(vs_json_parse(a, vs_buf_span(&text), NULL, &jwk, err));
    return vs_key_from_jwk(jwk, false, true, key, NULL, err);
}

/* *payload lives on the arena. */
static vs_code verify(const cdh_sealed_options *o, vs_span jws_text, vs_arena *a, vs_span *payload,
                      vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    vs_jws jws;
    vs_val kid;
    VS_TRY(vs_jws_parse(a, jws_text, &jws, err));
    VS_TRY(vs_need(jws.header, "kid", VS_STRING, &kid, err));
    if (jws.alg != VS_ES256)
        return vs_fail(err, VS_E_CRYPTO, "JWS algorithm must be ES256");
    VS_TRY_WRAP(find_key(o, vs_text(kid), a, &key, err), err, "signing key");
    VS_TRY_WRAP(vs_jws_verify(&jws, key, VS_ES256, err), err, "signature");
    *payload = jws.payload;
    return VS_OK;
}

/* The third of exactly four parts; the first is "sealed". */
static vs_code unverified(vs_span rest, vs_arena *a, vs_span *payload, vs_error *err)
{
    bool two, three, more;
    (void)vs_span_cut(rest, '.', &rest, &two);
    vs_span body = vs_span_cut(rest, '.', &rest, &three);
    (void)vs_span_cut(rest, '.', &rest, &more);
    if (!two || !three || more)
        return vs_fail(err, VS_E_PARSE, "a sealed secret has four parts");
    return vs_b64_decode_arena(a, VS_B64_URL, body, payload, err);
}

/* ---- the secret ------------------------------------------------------------------------------ */

static vs_code text_of(vs_val doc, const char *key, vs_span *out, vs_error *err)
{
    vs_val v;
    VS_TRY(vs_need(doc, key, VS_STRING, &v, err));
    *out = vs_text(v);
    return VS_OK;
}

/* Members that every kind has, and that the key broker has no use for. */
static vs_code check_common(vs_val doc, vs_span *provider, vs_error *err)
{
    vs_val unused;
    vs_span version;
    VS_TRY(text_of(doc, "version", &version, err));
    if (!vs_span_is(version, VERSION))
        return vs_fail(err, VS_E_UNSUPPORTED, "version \"%.*s\" is not " VERSION,
                       VS_FMT(vs_span_head(version, 32)));
    VS_TRY(text_of(doc, "provider", provider, err));
    VS_TRY(vs_need(doc, "provider_settings", VS_OBJECT, &unused, err));
    VS_TRY(vs_need(doc, "annotations", VS_OBJECT, &unused, err));
    if (!vs_span_ieq(*provider, VS_LIT("kbs")))
        return vs_fail(err, VS_E_UNSUPPORTED, "this build has no client for provider \"%.*s\"",
                       VS_FMT(vs_span_head(*provider, 32)));
    return VS_OK;
}

/* Upstream wraps data keys with the key services of clouds. Here the key service is the KBS: the
 * data key is wrapped (RFC 3394) with the resource that key_id names. */
static vs_code open_envelope(const cdh_sealed_options *o, vs_val doc, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf kek = VS_BUF(KEY_MAX), wrapped = VS_BUF(KEY_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf dek = VS_BUF(KEY_MAX);
    vs_span key_id, encrypted_key;
    cdh_wrapped w;
    VS_TRY(text_of(doc, "key_id", &key_id, err));
    VS_TRY(text_of(doc, "encrypted_key", &encrypted_key, err));
    VS_TRY(text_of(doc, "encrypted_data", &w.data, err));
    VS_TRY(text_of(doc, "wrap_type", &w.type, err));
    VS_TRY(text_of(doc, "iv", &w.iv, err));
    VS_TRY_WRAP(vs_b64_decode(&wrapped, VS_B64_STD, encrypted_key, err), err, "encrypted_key");
    VS_TRY_WRAP(cdh_source_get_named(o->source, key_id, &kek, err), err, "key_id");
    if (kek.n != CDH_KEY)
        return vs_fail(err, VS_E_INVALID, "the key that key_id names has %zu bytes, must be %d",
                       kek.n, CDH_KEY);
    VS_TRY_WRAP(vs_kw_unwrap(kek.p, vs_buf_span(&wrapped), &dek, err), err, "encrypted_key");
    return cdh_unwrap(&w, vs_buf_span(&dek), out, err);
}

static vs_code open_payload(const cdh_sealed_options *o, vs_span payload, vs_arena *a, vs_buf *out,
                            vs_error *err)
{
    vs_val doc;
    vs_span type, provider, name;
    VS_TRY(vs_json_parse(a, payload, NULL, &doc, err));
    VS_TRY(text_of(doc, "type", &type, err));
    VS_TRY(check_common(doc, &provider, err));
    if (vs_span_is(type, "envelope"))
        return open_envelope(o, doc, out, err);
    if (!vs_span_is(type, "vault"))
        return vs_fail(err, VS_E_INVALID, "type \"%.*s\" is neither vault nor envelope",
                       VS_FMT(vs_span_head(type, 32)));
    VS_TRY(text_of(doc, "name", &name, err));
    return cdh_source_get_named(o->source, name, out, err);
}

static vs_code unseal(const cdh_sealed_options *o, vs_span text, vs_arena *a, vs_buf *out,
                      vs_error *err)
{
    const vs_span prefix = VS_LIT("sealed.");
    vs_span payload;
    if (text.n > CDH_SEALED_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu bytes, at most %d", text.n, CDH_SEALED_MAX);
    if (!vs_span_starts(text, prefix))
        return vs_fail(err, VS_E_PARSE, "it does not begin with \"sealed.\"");
    vs_span rest = vs_span_from(text, prefix.n);
    if (o->skip_verification)
        VS_TRY(unverified(rest, a, &payload, err));
    else
        VS_TRY(verify(o, rest, a, &payload, err));
    return open_payload(o, payload, a, out, err);
}

vs_code cdh_unseal(const cdh_sealed_options *o, vs_span text, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    VS_TRY_WRAP(unseal(o, text, &a, out, err), err, "sealed secret");
    return VS_OK;
}
