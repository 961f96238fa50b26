/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe corim verify` and `show`. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/io.h"
#include "cmd/corim/corim_tool.h"
#include "cmd/endorsed_files.h"
#include "value/json.h"

/* ---- verify ---------------------------------------------------------------------------------- */

const cli_option corim_verify_options[] = {
    {.name = "trust",
     .letter = 't',
     .value = "FILE",
     .required = true,
     .repeat = true,
     CORIM_AT(trust),
     .help = "Certificates that the signer's must lead to, or signers' public keys: PEM, JWK, JWK "
             "Set; any number of times"},
    {.name = "crl",
     .value = "FILE",
     .repeat = true,
     CORIM_AT(crls),
     .help =
         "Revocation lists, PEM or DER; with any, each certificate below the anchor must be one "
         "that a current list of its issuer does not name; any number of times"},
    {.name = "at",
     .value = "TIME",
     CORIM_AT(at),
     .help = "The moment that counts, as 2026-01-31T00:00:00Z; default: now"},
    {.name = "json", CORIM_AT(json), .help = "Print JSON: {\"verified\", \"signer\" or \"error\"}"},
    {0}};

static vs_code check_time(const char *what, const corim_validity *v, int64_t now, vs_error *err)
{
    char time[VS_TIME_TEXT];
    if (now < v->not_before)
        return vs_fail(err, VS_E_EXPIRED, "the %s is not valid before %s", what,
                       vs_time_rfc3339(v->not_before, time));
    if (now > v->not_after)
        return vs_fail(err, VS_E_EXPIRED, "the %s was valid until %s", what,
                       vs_time_rfc3339(v->not_after, time));
    return VS_OK;
}

static vs_code verify(vs_arena *a, const corim_options *o, corim_file *f, vs_val *signer,
                      vs_error *err)
{
    VS_CLEANUP(rvps_anchors_free) rvps_anchors *anchors = NULL;
    int64_t now = vs_now_s();
    rvps_signature s;
    if (o->at)
        VS_TRY_WRAP(vs_time_parse(vs_str(o->at), &now, err), err, "--at");
    VS_TRY(anchors_of_files(&o->trust, &anchors, err));
    VS_TRY_WRAP(rvps_anchors_crls(anchors, o->crls.items, o->crls.n, err), err, "--crl");
    VS_TRY(corim_load(a, o->file, f, err));
    if (!f->env.is_signed)
        return vs_fail(err, VS_E_UNTRUSTED, "it is not signed");
    VS_TRY_WRAP(rvps_anchors_verify(anchors, &f->env, now, a, &s, err), err, "signature");
    *signer = s.signer;
    if (!s.trusted)
        return vs_fail(err, VS_E_UNTRUSTED, "nobody vouches for it");
    VS_TRY(check_time("signature", &f->env.validity, now, err));
    return check_time("manifest", &f->content.validity, now, err);
}

static void print_verdict(view *out, vs_arena *a, const corim_options *o, const corim_file *f,
                          vs_code code, vs_val signer, const vs_error *err)
{
    char why[VS_ERROR_TEXT];
    if (o->json) {
        vs_jw w = {.out = &out->out};
        vs_jw_open(&w, '{');
        vs_jw_key(&w, "verified");
        vs_jw_bool(&w, code == VS_OK);
        vs_jw_key(&w, code == VS_OK ? "signer" : "error");
        if (code == VS_OK)
            vs_jw_val(&w, signer);
        else
            vs_jw_str(&w, vs_error_text(err, why, sizeof why));
        vs_jw_close(&w, '}');
        vs_buf_putc(&out->out, '\n');
    } else if (code == VS_OK) {
        view_styled(out, VIEW_GREEN, "signature verified");
        vs_buf_printf(&out->out, " (%s)\n", vs_alg_name(f->env.cose.alg));
        for (VS_OBJ_FOR (m, signer))
            view_row(out, 1, vs_sprintf(a, "%.*s", VS_FMT(vs_text(m->key))), vs_text(m->val));
    }
}

int corim_verify(void *opts)
{
    const corim_options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(view_free) view out;
    corim_file f = {0};
    vs_val signer = vs_undefined();
    vs_error err = {0};
    vs_arena_init(&a, 0);
    view_init(&out);
    vs_code code = verify(&a, o, &f, &signer, &err);
    print_verdict(&out, &a, o, &f, code, signer, &err);
    bool printed = view_flush(&out);
    int rc = corim_end("vouchsafe corim verify", o->file, code, &err);
    return printed ? rc : EXIT_FAILURE;
}

/* ---- show ------------------------------------------------------------------------------------ */

const cli_option corim_show_options[] = {
    {.name = "json",
     CORIM_AT(json),
     .help = "JSON on a terminal, too: the template, from which `create` makes the same again"},
    {0}};

static vs_val signature_value(vs_arena *a, const corim_envelope *e, vs_error *err, vs_code *code)
{
    vs_obj o = {.a = a};
    vs_val meta = vs_undefined();
    *code = VS_OK;
    if (e->meta.p)
        *code = corim_meta_to_template(a, e->meta, &meta, err);
    vs_obj_put(&o, "alg", vs_cstring(vs_alg_name(e->cose.alg)));
    if (e->kid.p && vs_utf8_ok(e->kid))
        vs_obj_put(&o, "kid", vs_string(e->kid));
    else if (e->kid.p)
        vs_obj_put(&o, "kid-hex", vs_string(vs_hex_encode_arena(a, e->kid)));
    vs_obj_opt(&o, "meta", meta);
    vs_obj_put(&o, "certificates", vs_int((int64_t)e->n_chain));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_code show(vs_arena *a, const corim_options *o, view *out, vs_error *err)
{
    corim_file f;
    vs_code code = VS_OK;
    VS_TRY(corim_load(a, o->file, &f, err));
    vs_val signature = f.env.is_signed ? signature_value(a, &f.env, err, &code) : vs_undefined();
    VS_TRY(code);
    if (o->json || !isatty(STDOUT_FILENO)) {
        vs_json_print_pretty(&out->out, f.template);
        vs_buf_putc(&out->out, '\n');
        return vs_buf_check(&out->out, err);
    }
    view_styled(out, f.env.is_signed ? VIEW_PLAIN : VIEW_YELLOW, "%s",
                f.env.is_signed ? "signed; not verified here, see `vouchsafe corim verify`"
                                : "not signed");
    vs_buf_putc(&out->out, '\n');
    if (f.env.is_signed)
        corim_tree(out, a, signature);
    corim_tree(out, a, f.template);
    return vs_buf_check(&out->out, err);
}

int corim_show(void *opts)
{
    const corim_options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(view_free) view out;
    vs_error err = {0};
    vs_arena_init(&a, 0);
    view_init(&out);
    vs_code code = show(&a, o, &out, &err);
    bool printed = code != VS_OK || view_flush(&out);
    int rc = corim_end("vouchsafe corim show", o->file, code, &err);
    return printed ? rc : EXIT_FAILURE;
}
