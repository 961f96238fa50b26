/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/keyprovider.h"

#include "base/enc.h"
#include "base/io.h"
#include "cdh/wrapping.h"
#include "value/json.h"

enum { KEY_MAX = 4096 };

/* ---- messages -------------------------------------------------------------------------------- */

static void put_numbers(vs_buf *out, vs_span bytes)
{
    vs_buf_putc(out, '[');
    for (size_t i = 0; i < bytes.n; i++)
        vs_buf_printf(out, i ? ",%u" : "%u", bytes.p[i]);
    vs_buf_putc(out, ']');
}

static vs_code bytes_of(vs_val v, const char *what, vs_buf *out, vs_error *err)
{
    if (v.kind == VS_STRING) {
        VS_TRY_WRAP(vs_b64_decode(out, VS_B64_STD, vs_text(v), err), err, "%s", what);
        return VS_OK;
    }
    if (v.kind != VS_ARRAY)
        return vs_fail(err, VS_E_INVALID, "%s is missing, or neither base64 nor numbers", what);
    for (uint32_t i = 0; i < v.len; i++) {
        vs_val n = v.u.items[i];
        if (!vs_is_int(n) || n.u.i < 0 || n.u.i > UINT8_MAX)
            return vs_fail(err, VS_E_INVALID, "element %u of %s is not a byte", i, what);
        vs_buf_putc(out, (char)n.u.i);
    }
    return vs_buf_check(out, err);
}

static vs_code parse_input(vs_arena *a, vs_span input, vs_val *doc, vs_error *err)
{
    if (input.n > CDH_KEYPROVIDER_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu bytes, at most %d", input.n, CDH_KEYPROVIDER_MAX);
    VS_TRY(vs_json_parse(a, input, NULL, doc, err));
    return doc->kind == VS_OBJECT ? VS_OK
                                  : vs_fail(err, VS_E_INVALID, "the input must be an object");
}

/* ---- unwrapping (3.10) ----------------------------------------------------------------------- */

static vs_code text_or(vs_val doc, const char *key, const char *fallback, vs_span *out,
                       vs_error *err)
{
    vs_val v;
    VS_TRY(vs_may(doc, key, VS_STRING, &v, err));
    *out = vs_defined(v) ? vs_text(v) : vs_str(fallback);
    return VS_OK;
}

static vs_code read_packet(vs_arena *a, vs_span json, vs_span *kid, cdh_wrapped *w, vs_error *err)
{
    vs_val packet, v;
    vs_span provider, version;
    VS_TRY(vs_json_parse(a, json, NULL, &packet, err));
    VS_TRY(text_or(packet, "provider", "kbs", &provider, err));
    VS_TRY(text_or(packet, "version", "0.1.0", &version, err));
    if (!vs_span_ieq(provider, VS_LIT("kbs")))
        return vs_fail(err, VS_E_UNSUPPORTED, "this build has no client for provider \"%.*s\"",
                       VS_FMT(vs_span_head(provider, 32)));
    if (!vs_span_is(version, "0.1.0"))
        return vs_fail(err, VS_E_UNSUPPORTED, "version \"%.*s\" is not 0.1.0",
                       VS_FMT(vs_span_head(version, 32)));
    VS_TRY(vs_need(packet, "kid", VS_STRING, &v, err));
    *kid = vs_text(v);
    VS_TRY(vs_need(packet, "wrapped_data", VS_STRING, &v, err));
    w->data = vs_text(v);
    VS_TRY(vs_need(packet, "iv", VS_STRING, &v, err));
    w->iv = vs_text(v);
    VS_TRY(vs_need(packet, "wrap_type", VS_STRING, &v, err));
    w->type = vs_text(v);
    return VS_OK;
}

static vs_code read_request(vs_val doc, vs_arena *a, vs_buf *packet, vs_span *kid, cdh_wrapped *w,
                            vs_error *err)
{
    vs_val params;
    VS_TRY(vs_need(doc, "keyunwrapparams", VS_OBJECT, &params, err));
    VS_TRY(
        bytes_of(vs_get(params, VS_LIT("annotation")), "keyunwrapparams.annotation", packet, err));
    VS_TRY_WRAP(read_packet(a, vs_buf_span(packet), kid, w, err), err, "annotation packet");
    return VS_OK;
}

static vs_code unwrap(cdh_source *source, vs_val doc, vs_arena *a, vs_buf *output, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf packet = VS_BUF(CDH_KEYPROVIDER_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(KEY_MAX), options = VS_BUF(CDH_KEYPROVIDER_MAX);
    vs_span kid;
    cdh_wrapped w;
    VS_TRY(read_request(doc, a, &packet, &kid, &w, err));
    VS_TRY_WRAP(cdh_source_get_named(source, kid, &key, err), err, "the layer's key");
    VS_TRY(cdh_unwrap(&w, vs_buf_span(&key), &options, err));
    vs_buf_puts(output, "{\"keyunwrapresults\":{\"optsdata\":");
    put_numbers(output, vs_buf_span(&options));
    vs_buf_puts(output, "}}");
    return vs_buf_check(output, err);
}

/* ---- wrapping -------------------------------------------------------------------------------- */

typedef struct wrap_params {
    vs_span keyid, keypath;
} wrap_params;

/* "a=b::c=d"; a URI may hold "::" and '=', so what is no known name belongs to the value before. */
static vs_code parse_params(vs_arena *a, vs_span text, wrap_params *out, vs_error *err)
{
    static const vs_span keyid = VS_LIT("keyid="), keypath = VS_LIT("keypath=");
    const uint8_t *at = text.p ? memmem(text.p, text.n, "::keypath=", 10) : NULL;
    vs_span head = at ? vs_span_head(text, (size_t)(at - text.p)) : text;
    if (at)
        out->keypath = vs_span_from(text, head.n + 2 + keypath.n);
    if (!vs_span_starts(head, keyid))
        return vs_fail(err, VS_E_INVALID,
                       "the parameter is \"keyid=<resource URI>[::keypath=<file>]\"");
    cdh_uri uri;
    out->keyid = vs_span_from(head, keyid.n);
    return cdh_uri_parse(a, out->keyid, &uri, err);
}

/* The first text of the first provider, which is base64. */
static vs_code find_params(vs_val doc, vs_arena *a, wrap_params *out, vs_error *err)
{
    vs_val params, ec, providers;
    vs_span text;
    VS_TRY(vs_need(doc, "keywrapparams", VS_OBJECT, &params, err));
    VS_TRY(vs_need(params, "ec", VS_OBJECT, &ec, err));
    VS_TRY(vs_need(ec, "Parameters", VS_OBJECT, &providers, err));
    for (VS_OBJ_FOR (m, providers)) {
        if (m->val.kind != VS_ARRAY || m->val.len == 0 || m->val.u.items[0].kind != VS_STRING)
            continue;
        VS_TRY(vs_b64_decode_arena(a, VS_B64_STD, vs_text(m->val.u.items[0]), &text, err));
        return parse_params(a, text, out, err);
    }
    return vs_fail(err, VS_E_INVALID, "keywrapparams.ec.Parameters names no key");
}

static vs_code wrapping_key(cdh_source *source, const wrap_params *p, vs_arena *a, vs_buf *key,
                            vs_error *err)
{
    if (p->keypath.n)
        VS_TRY(vs_read_file(vs_sprintf(a, "%.*s", VS_FMT(p->keypath)), key, err));
    else
        VS_TRY(cdh_source_get_named(source, p->keyid, key, err));
    return key->n == CDH_KEY
               ? VS_OK
               : vs_fail(err, VS_E_INVALID, "the key has %zu bytes, must be %d", key->n, CDH_KEY);
}

static vs_code wrap(cdh_source *source, bool files, vs_val doc, vs_arena *a, vs_buf *output,
                    vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf key = VS_BUF(KEY_MAX), options = VS_BUF(CDH_KEYPROVIDER_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf sealed = VS_BUF(CDH_KEYPROVIDER_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf packet = VS_BUF(2 * CDH_KEYPROVIDER_MAX);
    vs_val params;
    wrap_params p = {0};
    uint8_t iv[CDH_GCM_IV];
    VS_TRY(vs_need(doc, "keywrapparams", VS_OBJECT, &params, err));
    VS_TRY(find_params(doc, a, &p, err));
    if (p.keypath.p && !files)
        return vs_fail(err, VS_E_DENIED,
                       "\"keypath\" is for the command only: no file is read here");
    VS_TRY(bytes_of(vs_get(params, VS_LIT("optsdata")), "keywrapparams.optsdata", &options, err));
    VS_TRY_WRAP(wrapping_key(source, &p, a, &key, err), err, "wrapping key");
    vs_random(iv, sizeof iv);
    VS_TRY(vs_gcm_seal(key.p, iv, (vs_span){0}, vs_buf_span(&options), &sealed, err));
    vs_buf_puts(&packet, "{\"kid\":");
    vs_json_quote(&packet, p.keyid);
    vs_buf_puts(&packet, ",\"wrapped_data\":\"");
    vs_b64_encode(&packet, VS_B64_STD, vs_buf_span(&sealed));
    vs_buf_puts(&packet, "\",\"iv\":\"");
    vs_b64_encode(&packet, VS_B64_STD, vs_span_of(iv, sizeof iv));
    vs_buf_puts(&packet, "\",\"wrap_type\":\"A256GCM\"}");
    VS_TRY(vs_buf_check(&packet, err));
    vs_buf_puts(output, "{\"keywrapresults\":{\"annotation\":");
    put_numbers(output, vs_buf_span(&packet));
    vs_buf_puts(output, "}}");
    return vs_buf_check(output, err);
}

/* ---- both ------------------------------------------------------------------------------------ */

vs_code cdh_keyprovider(cdh_source *source, cdh_key_op allowed, vs_span input, vs_buf *output,
                        vs_error *err)
{
    VS_CLEANUP(vs_arena_wipe) vs_arena a; /* options that are to be wrapped are on it */
    vs_arena_init(&a, 0);
    vs_val doc, op;
    VS_TRY(parse_input(&a, input, &doc, err));
    VS_TRY(vs_need(doc, "op", VS_STRING, &op, err));
    if (vs_span_is(vs_text(op), "keyunwrap") && allowed & CDH_KEY_UNWRAP)
        return unwrap(source, doc, &a, output, err);
    if (vs_span_is(vs_text(op), "keywrap") && allowed & CDH_KEY_WRAP)
        return wrap(source, allowed & CDH_KEY_FILES, doc, &a, output, err);
    return vs_fail(err, VS_E_INVALID, "op cannot be \"%.*s\" here",
                   VS_FMT(vs_span_head(vs_text(op), 32)));
}

vs_code cdh_keyprovider_check_unwrap(vs_span input, vs_error *err)
{
    VS_CLEANUP(vs_arena_wipe) vs_arena a; /* it may be one to wrap, by mistake */
    VS_CLEANUP(vs_buf_free) vs_buf packet = VS_BUF(CDH_KEYPROVIDER_MAX);
    vs_arena_init(&a, 0);
    vs_val doc, op;
    vs_span kid;
    cdh_wrapped w;
    VS_TRY(parse_input(&a, input, &doc, err));
    VS_TRY(vs_need(doc, "op", VS_STRING, &op, err));
    if (!vs_span_is(vs_text(op), "keyunwrap"))
        return vs_fail(err, VS_E_INVALID, "op is not \"keyunwrap\"");
    vs_code code = read_request(doc, &a, &packet, &kid, &w, err);
    return code == VS_E_UNSUPPORTED ? VS_OK : code; /* read, and refused later */
}
