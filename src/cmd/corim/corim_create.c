/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe corim create` and `sign`. */
#include "base/clock.h"
#include "base/io.h"
#include "cmd/corim/corim_tool.h"
#include "value/json.h"

enum { KEY_MAX = 64 * 1024, CHAIN_MAX = 1 << 20 };

/* ---- create ---------------------------------------------------------------------------------- */

const cli_option corim_create_options[] = {
    {.name = "template",
     .letter = 't',
     .value = "JSON",
     .required = true,
     CORIM_AT(template),
     .help = "The manifest, in cocli's form; it may hold \"comids\""},
    {.name = "comid",
     .letter = 'm',
     .value = "FILE",
     .repeat = true,
     CORIM_AT(comids),
     .help = "A CoMID: a template, or CBOR; any number of times"},
    CORIM_OUTPUT,
    {0}};

/* A template, or what some other tool made of one. */
static vs_code read_comid(vs_arena *a, const char *path, vs_span *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf cbor = VS_BUF(CORIM_SIZE_MAX);
    vs_val template;
    VS_TRY(corim_read(a, path, out, err));
    if (!vs_span_starts(vs_span_trim(*out), VS_LIT("{")))
        return VS_OK;
    VS_TRY(vs_json_parse(a, *out, NULL, &template, err));
    VS_TRY(corim_put_comid(&cbor, a, template, err));
    *out = vs_dup(a, vs_buf_span(&cbor));
    return vs_arena_check(a, err);
}

static vs_code create(vs_arena *a, const corim_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(CORIM_SIZE_MAX);
    vs_span comids[CLI_LIST_MAX];
    vs_val template;
    corim check;
    VS_TRY(corim_read_json(a, o->template, &template, err));
    for (size_t i = 0; i < o->comids.n; i++)
        VS_TRY_WRAP(read_comid(a, o->comids.items[i], &comids[i], err), err, "%s",
                    o->comids.items[i]);
    VS_TRY(corim_put_manifest(&out, a, template, comids, o->comids.n, err));
    VS_TRY_WRAP(corim_decode(a, vs_buf_span(&out), &check, err), err,
                "what the templates say is not allowed");
    return corim_write(o->output, vs_buf_span(&out), err);
}

int corim_create(void *opts)
{
    const corim_options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_error err = {0};
    vs_arena_init(&a, 0);
    vs_code code = create(&a, o, &err);
    return corim_end("vouchsafe corim create", o->template, code, &err);
}

/* ---- sign ------------------------------------------------------------------------------------ */

const cli_option corim_sign_options[] = {
    {.name = "key",
     .letter = 'k',
     .value = "FILE",
     .required = true,
     CORIM_AT(key),
     .help = "Private key: JWK or PEM"},
    {.name = "chain",
     .value = "PEM",
     CORIM_AT(chain),
     .help = "The key's certificate and those above it; goes into the message (x5chain)"},
    {.name = "kid",
     .value = "TEXT",
     CORIM_AT(kid),
     .help = "Key id for verifiers that know keys by id; default: the JWK's"},
    {.name = "meta",
     .letter = 'm',
     .value = "JSON",
     .group = 1,
     CORIM_AT(meta),
     .help = "Who signs, in cocli's form: {\"signer\": {\"name\", \"uri\"?}, \"validity\"?}"},
    {.name = "name",
     .value = "TEXT",
     .group = 1,
     CORIM_AT(name),
     .help = "The same from the command line: the signer's name"},
    {.name = "uri", .value = "URI", CORIM_AT(uri), .help = "... its address"},
    {.name = "not-before",
     .value = "TIME",
     CORIM_AT(from),
     .help = "... and from when the signature counts, as 2026-01-31T00:00:00Z"},
    {.name = "not-after",
     .value = "TIME",
     CORIM_AT(to),
     .help = "... and until when; without it, as long as the manifest says"},
    CORIM_OUTPUT,
    {0}};

static vs_code read_private_key(vs_arena *a, const corim_options *o, vs_key **key, vs_span *kid,
                                vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KEY_MAX);
    VS_CLEANUP(vs_arena_wipe) vs_arena secret;
    vs_val jwk, id;
    vs_arena_init(&secret, 0);
    VS_TRY(vs_read_file(o->key, &text, err));
    *kid = o->kid ? vs_str(o->kid) : (vs_span){NULL, 0};
    if (!vs_span_starts(vs_span_trim(vs_buf_span(&text)), VS_LIT("{")))
        return vs_key_from_pem(vs_buf_span(&text), true, key, err);
    VS_TRY(vs_json_parse(&secret, vs_buf_span(&text), NULL, &jwk, err));
    VS_TRY(vs_may(jwk, "kid", VS_STRING, &id, err));
    if (!o->kid && vs_defined(id))
        *kid = vs_dup(a, vs_text(id));
    return vs_key_from_jwk(jwk, true, true, key, NULL, err);
}

static void put_text(vs_obj *o, const char *name, const char *text)
{
    if (text)
        vs_obj_put(o, name, vs_cstring(text));
}

/* From a file, or from the options; undefined: none. */
static vs_code read_meta(vs_arena *a, const corim_options *o, vs_val *out, vs_error *err)
{
    vs_obj meta = {.a = a}, signer = {.a = a}, validity = {.a = a};
    *out = vs_undefined();
    bool more = o->uri || o->from || o->to;
    if (more && !o->name)
        return vs_fail(err, VS_E_INVALID, "--uri, --not-before and --not-after belong to --name");
    if (o->from && !o->to)
        return vs_fail(err, VS_E_INVALID, "--not-before needs --not-after");
    if (o->meta)
        return corim_read_json(a, o->meta, out, err);
    if (!o->name)
        return VS_OK;
    put_text(&signer, "name", o->name);
    put_text(&signer, "uri", o->uri);
    vs_obj_put(&meta, "signer", vs_obj_end(&signer, VS_DUP_REFUSE, NULL));
    put_text(&validity, "not-before", o->from);
    put_text(&validity, "not-after", o->to);
    if (o->to)
        vs_obj_put(&meta, "validity", vs_obj_end(&validity, VS_DUP_REFUSE, NULL));
    *out = vs_obj_end(&meta, VS_DUP_REFUSE, NULL);
    return vs_arena_check(a, err);
}

static vs_code read_chain(const char *path, vs_certs **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(CHAIN_MAX);
    VS_TRY(vs_read_file(path, &text, err));
    return vs_certs_from_pem(vs_buf_span(&text), out, err);
}

static vs_code sign(vs_arena *a, const corim_options *o, vs_error *err)
{
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    VS_CLEANUP(vs_certs_free) vs_certs *chain = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(2 * CORIM_SIZE_MAX);
    corim_file f;
    corim_signature how = {0};
    VS_TRY(corim_load(a, o->file, &f, err));
    if (f.env.is_signed)
        return vs_fail(err, VS_E_INVALID, "it is signed already");
    VS_TRY_WRAP(read_private_key(a, o, &key, &how.kid, err), err, "%s", o->key);
    if (o->chain)
        VS_TRY_WRAP(read_chain(o->chain, &chain, err), err, "%s", o->chain);
    VS_TRY(read_meta(a, o, &how.meta, err));
    how.key = key;
    how.chain = chain;
    VS_TRY(corim_put_signed(&out, a, &how, f.env.manifest, err));
    return corim_write(o->output, vs_buf_span(&out), err);
}

int corim_sign(void *opts)
{
    const corim_options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_error err = {0};
    vs_arena_init(&a, 0);
    vs_code code = sign(&a, o, &err);
    return corim_end("vouchsafe corim sign", o->file, code, &err);
}
