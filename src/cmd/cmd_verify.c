/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe verify`: is this EAR token genuine and valid now, and what does it say? */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/ear_doc.h"
#include "envelope/jose.h"

enum { KEY_FILE_MAX = 1024 * 1024, LEEWAY_S = 60, CHAIN_MAX = 8 };

typedef struct options {
    const char *file, *key, *ca;
    bool json;
} options;

static int run(void *opts);

#define AT(member) .at = offsetof(options, member)
static const cli_option table[] = {
    {.name = "key",
     .letter = 'k',
     .value = "FILE",
     .group = 1,
     AT(key),
     .help = "Public key of the attestation service: JWK, PEM key or PEM certificate"},
    {.name = "ca",
     .value = "PEM",
     .group = 1,
     AT(ca),
     .help = "Certificates to which the token's x5c chain must lead"},
    {.name = "json",
     AT(json),
     .help = "Print JSON: {\"verified\", \"trust\", \"header\", \"payload\"}"},
    {0}};
static const cli_argument arguments[] = {{.name = "EAR",
                                          .help = "File with a compact JWS; - is standard input",
                                          .required = true,
                                          AT(file)},
                                         {0}};
static const cli_command top = {
    .name = "vouchsafe verify",
    .summary = "Check signature and times of an EAR token and show its trust vector",
    .options = table,
    .arguments = arguments,
    .run = run,
    .more = "  Without --key and --ca the key in the token's own header is used: that proves the\n"
            "  token is whole, not who made it. Exit status 0 only when the token is valid.\n",
    .version = "vouchsafe " VS_VERSION};

typedef struct verified {
    vs_jws jws;
    vs_val payload;
    ear_doc doc;
    const char *trust; /* "key", "ca" or "header-jwk" */
} verified;

/* ---- the key ----------------------------------------------------------------------------------
 */

static vs_code key_from_text(vs_arena *a, vs_span text, vs_key **out, vs_alg *alg, vs_error *err)
{
    VS_CLEANUP(vs_certs_free) vs_certs *certs = NULL;
    vs_val jwk;
    text = vs_span_trim(text);
    *alg = VS_ALG_NONE;
    if (text.n && text.p[0] == '{') {
        VS_TRY(vs_json_parse(a, text, NULL, &jwk, err));
        return vs_key_from_jwk(jwk, false, false, out, alg, err);
    }
    if (!vs_span_starts(text, VS_LIT("-----BEGIN CERTIFICATE")))
        return vs_key_from_pem(text, false, out, err);
    VS_TRY(vs_certs_from_pem(text, &certs, err));
    return vs_certs_key(certs, 0, out, err);
}

static vs_code key_from_file(vs_arena *a, const char *path, vs_key **out, vs_alg *alg,
                             vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KEY_FILE_MAX);
    VS_TRY(vs_read_file(path, &text, err));
    VS_TRY_WRAP(key_from_text(a, vs_buf_span(&text), out, alg, err), err, "%s", path);
    return VS_OK;
}

static vs_code header_jwk(const verified *v, vs_val *jwk, vs_key **out, vs_alg *alg, vs_error *err)
{
    VS_TRY_WRAP(vs_need(v->jws.header, "jwk", VS_OBJECT, jwk, err), err, "header");
    VS_TRY_WRAP(vs_key_from_jwk(*jwk, false, false, out, alg, err), err, "header \"jwk\"");
    return VS_OK;
}

/* The certificates of jwk.x5c: base64 of DER, leaf first. */
static vs_code header_chain(vs_arena *a, vs_val jwk, vs_certs **out, vs_error *err)
{
    vs_val x5c;
    vs_span der[CHAIN_MAX];
    VS_TRY_WRAP(vs_need(jwk, "x5c", VS_ARRAY, &x5c, err), err, "header \"jwk\"");
    if (x5c.len == 0 || x5c.len > CHAIN_MAX)
        return vs_fail(err, VS_E_INVALID, "\"x5c\" has %u certificates, must have 1 to %d", x5c.len,
                       CHAIN_MAX);
    for (uint32_t i = 0; i < x5c.len; i++)
        VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_ANY, vs_text(x5c.u.items[i]), &der[i], err), err,
                    "\"x5c\" %u", i);
    return vs_certs_from_der(der, x5c.len, out, err);
}

/* The leaf must be certified by the anchors, and its key must be the one the token was signed with.
 */
static vs_code check_chain(vs_arena *a, vs_val jwk, const vs_key *key, const char *ca_file,
                           int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf pem = VS_BUF(KEY_FILE_MAX);
    VS_CLEANUP(vs_certs_free) vs_certs *anchors = NULL;
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_CLEANUP(vs_key_free) vs_key *leaf = NULL;
    VS_TRY(vs_read_file(ca_file, &pem, err));
    VS_TRY_WRAP(vs_certs_from_pem(vs_buf_span(&pem), &anchors, err), err, "%s", ca_file);
    VS_TRY(header_chain(a, jwk, &chain, err));
    VS_TRY_WRAP(vs_certs_verify(chain, anchors, now, err), err, "\"x5c\"");
    VS_TRY(vs_certs_key(chain, 0, &leaf, err));
    if (!vs_key_public_eq(leaf, key))
        return vs_fail(err, VS_E_MISMATCH, "the certificate in \"x5c\" is for another key");
    return VS_OK;
}

static vs_code choose_key(vs_arena *a, const options *o, verified *v, int64_t now, vs_key **key,
                          vs_alg *alg, vs_error *err)
{
    vs_val jwk;
    v->trust = o->key ? "key" : o->ca ? "ca" : "header-jwk";
    if (o->key)
        return key_from_file(a, o->key, key, alg, err);
    VS_TRY(header_jwk(v, &jwk, key, alg, err));
    return o->ca ? check_chain(a, jwk, *key, o->ca, now, err) : VS_OK;
}

/* ---- the token --------------------------------------------------------------------------------
 */

static vs_code verify(vs_arena *a, const options *o, verified *v, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_JWS_MAX);
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    vs_alg alg = VS_ALG_NONE;
    int64_t now = vs_now_s();
    VS_TRY(vs_read_file(o->file, &text, err));
    vs_span compact = vs_dup(a, vs_span_trim(vs_buf_span(&text)));
    VS_TRY_WRAP(vs_jws_parse(a, compact, &v->jws, err), err, "not a token");
    VS_TRY(choose_key(a, o, v, now, &key, &alg, err));
    VS_TRY_WRAP(vs_jws_verify(&v->jws, key, alg, err), err, "signature");
    VS_TRY_WRAP(vs_json_parse(a, v->jws.payload, NULL, &v->payload, err), err, "payload");
    vs_jwt_times times = {.now = now, .leeway = LEEWAY_S, .check_nbf = true, .check_iat = true};
    VS_TRY_WRAP(vs_jwt_check_times(v->payload, &times, err), err, "times");
    VS_TRY_WRAP(ear_doc_read(a, v->payload, &v->doc, err), err, "not a valid EAR");
    return vs_arena_check(a, err);
}

static void show_text(view *out, const options *o, const verified *v)
{
    view_styled(out, VIEW_GREEN, "signature verified");
    vs_buf_printf(&out->out, " (%s) with ", vs_alg_name(v->jws.alg));
    view_styled(out, VIEW_PLAIN,
                o->key  ? "the key in %s"
                : o->ca ? "a certificate that leads to %s"
                        : "the key in the token's own header%s",
                o->key  ? o->key
                : o->ca ? o->ca
                        : "");
    vs_buf_putc(&out->out, '\n');
    if (!o->key && !o->ca) {
        view_styled(out, VIEW_YELLOW,
                    "this proves integrity only, not who made it: use --key or --ca");
        vs_buf_putc(&out->out, '\n');
    }
    ear_doc_show(out, &v->doc);
}

static void show_json(view *out, vs_code code, const verified *v, const vs_error *err)
{
    char why[VS_ERROR_TEXT];
    vs_jw w = {.out = &out->out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "verified");
    vs_jw_bool(&w, code == VS_OK);
    if (code == VS_OK) {
        vs_jw_key(&w, "trust");
        vs_jw_str(&w, v->trust);
        vs_jw_key(&w, "header");
        vs_jw_val(&w, v->jws.header);
        vs_jw_key(&w, "payload");
        vs_jw_val(&w, v->payload);
    } else {
        vs_jw_key(&w, "error");
        vs_jw_str(&w, vs_error_text(err, why, sizeof why));
    }
    vs_jw_close(&w, '}');
    vs_buf_putc(&out->out, '\n');
}

static int run(void *opts)
{
    const options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(view_free) view out;
    vs_arena_init(&a, 0);
    view_init(&out);
    verified v = {0};
    vs_error err = {0};
    vs_code code = verify(&a, o, &v, &err);
    if (o->json)
        show_json(&out, code, &v, &err);
    else if (code == VS_OK)
        show_text(&out, o, &v);
    if (code != VS_OK)
        view_complain("vouchsafe verify", o->file, &err);
    return view_flush(&out) && code == VS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_verify(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
