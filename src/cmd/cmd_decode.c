/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe decode`: finds out what a file is and shows what it says, and of a CCA token what can
 * be checked about it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/io.h"
#include "cmd/cca_show.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/ear_doc.h"
#include "cmd/endorsed_files.h"
#include "cmd/eventlog_show.h"
#include "envelope/jose.h"
#include "tee/cca/driver.h"
#include "value/cbor.h"

enum { FILE_MAX = 16 * 1024 * 1024 };

typedef struct options {
    const char *file, *html;
    const char *cca_config, *ta_store, *rv_store, *challenge;
    cli_list corims, anchors;
    bool json, full;
} options;

static int run(void *opts);

#define AT(member) .at = offsetof(options, member)
static const cli_option table[] = {
    {.name = "json", .letter = 'j', .group = 1, AT(json), .help = "Print JSON instead of text"},
    {.name = "full", .group = 1, AT(full), .help = "On a terminal too: all of every byte string"},
    {.name = "html",
     .value = "FILE",
     .group = 1,
     AT(html),
     .help = "Write a self-contained page about a CCA token, CCA claims or an EAR; - is standard "
             "output"},
    {.name = "cca-config",
     .value = "FILE",
     .group = 2,
     AT(cca_config),
     .help = "Verify and appraise a CCA token as a server with this configuration does"},
    {.name = "ta-store",
     .value = "FILE",
     .group = 2,
     AT(ta_store),
     .help = "The same with these trust anchors"},
    {.name = "rv-store", .value = "FILE", AT(rv_store), .help = "and these reference values"},
    {.name = "corim",
     .value = "FILE",
     .repeat = true,
     AT(corims),
     .help = "The same with the endorsements of this CoRIM; any number of times"},
    {.name = "trust",
     .value = "FILE",
     .repeat = true,
     AT(anchors),
     .help = "Certificates or keys that the signature of each --corim must be under, as in "
             "vouchsafe corim verify"},
    {.name = "challenge",
     .value = "HEX",
     AT(challenge),
     .help = "Report data that a CCA token must be bound to"},
    {0}};
static const cli_argument arguments[] = {
    {.name = "FILE", .help = "What to show; - is standard input", .required = true, AT(file)}, {0}};
static const cli_command top = {
    .name = "vouchsafe decode",
    .summary = "Show evidence, a CCA token or claims, an event log, an EAR, any JWT, JSON or CBOR",
    .options = table,
    .arguments = arguments,
    .run = run,
    .more =
        "  The kind is found out from the contents; tokens may also be in hexadecimal or base64.\n"
        "  An event log (CCEL) is a table on a terminal and otherwise what policies see, as JSON.\n"
        "  A CCA token's realm signature and binding are checked; its platform signature and the\n"
        "  appraisal need trust anchors. Of an EAR nothing is verified: see vouchsafe verify.\n"
        "  Exit status 3: trust anchors or a challenge were given, and a check failed.\n",
    .version = "vouchsafe " VS_VERSION};

/* What is being shown, and where to. */
typedef struct job {
    vs_arena *a;
    view *out;
    const options *o;
    bool json, failed; /* failed: a check that was asked for */
    cca_expect expect;
    vs_error *err;
} job;

static vs_code print_json(job *j, const char *type, const char *member, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4 * FILE_MAX);
    vs_jw w = {.out = &text};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "type");
    vs_jw_str(&w, type);
    vs_jw_key(&w, member);
    vs_jw_val(&w, v);
    vs_jw_close(&w, '}');
    VS_TRY(vs_buf_check(&text, j->err));
    view_json(j->out, vs_buf_span(&text));
    vs_buf_putc(&j->out->out, '\n');
    return vs_arena_check(j->a, j->err);
}

/* As a page, or as text; the page is written only when all of it is there. */
static vs_code print_report(job *j, const report *r)
{
    VS_TRY(vs_arena_check(j->a, j->err));
    if (!j->o->html) {
        report_show(j->out, r, j->o->full);
        return VS_OK;
    }
    VS_CLEANUP(vs_buf_free) vs_buf page = VS_BUF(16 * FILE_MAX);
    report_html(&page, r);
    VS_TRY(vs_buf_check(&page, j->err));
    if (strcmp(j->o->html, "-") == 0)
        return vs_write_fd(STDOUT_FILENO, vs_buf_span(&page), j->err);
    VS_TRY_WRAP(vs_write_file(j->o->html, vs_buf_span(&page), 0644, j->err), j->err, "--html");
    return VS_OK;
}

/* For what has no page. */
static vs_code refuse_page(const job *j)
{
    return j->o->html ? vs_fail(j->err, VS_E_UNSUPPORTED,
                                "--html draws CCA tokens, CCA claims and EARs, and this is neither")
                      : VS_OK;
}

static vs_code print_pretty(job *j, const char *heading, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4 * FILE_MAX);
    VS_TRY(refuse_page(j));
    vs_json_print_pretty(&text, v);
    view_styled(j->out, VIEW_BOLD, "%s", heading);
    vs_buf_putc(&j->out->out, '\n');
    /* Line by line, since line feeds are ours and all else may be theirs. */
    for (vs_span rest = vs_buf_span(&text); rest.n;) {
        view_text(j->out, vs_span_cut(rest, '\n', &rest, NULL));
        vs_buf_putc(&j->out->out, '\n');
    }
    return vs_buf_check(&text, j->err);
}

/* An empty one, on the arena since it is large; NULL without memory. */
static report *new_report(job *j)
{
    report *r = VS_NEW(j->a, report);
    if (r)
        r->a = j->a;
    return r;
}

/* ---- CBOR -------------------------------------------------------------------------------------
 */

static vs_code show_cbor(job *j, const char *what, vs_span in)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(16 * FILE_MAX);
    VS_TRY(refuse_page(j));
    VS_TRY(vs_cbor_diagnose(&text, in, j->err));
    if (j->json)
        return print_json(j, what, "diagnostic", vs_string_dup(j->a, vs_buf_span(&text)));
    for (vs_span rest = vs_buf_span(&text); rest.n;) {
        view_text(j->out, vs_span_cut(rest, '\n', &rest, NULL));
        vs_buf_putc(&j->out->out, '\n');
    }
    return VS_OK;
}

static vs_code show_cca_token(job *j, vs_span in)
{
    cca_token t;
    report *r = new_report(j);
    VS_TRY(vs_arena_check(j->a, j->err));
    VS_TRY(cca_token_decode(j->a, in, &t, j->err));
    VS_TRY(cca_report_token(r, &t, &j->expect, j->err));
    j->failed = (j->expect.trust || j->expect.challenge.p) && report_has_failure(r);
    if (j->json)
        return print_json(j, "cca-token", "token", cca_token_value(r, &t));
    return print_report(j, r);
}

static vs_code show_platform(job *j, vs_span claims)
{
    cca_platform p;
    report *r = new_report(j);
    VS_TRY(vs_arena_check(j->a, j->err));
    VS_TRY(cca_platform_decode(j->a, claims, &p, j->err));
    if (j->json)
        return print_json(j, "cca-platform-claims", "claims", cca_platform_value(j->a, &p));
    VS_TRY(cca_report_platform(r, &p, j->err));
    return print_report(j, r);
}

static vs_code show_realm(job *j, vs_span claims)
{
    cca_realm realm;
    report *r = new_report(j);
    VS_TRY(vs_arena_check(j->a, j->err));
    VS_TRY(cca_realm_decode(claims, &realm, j->err));
    if (j->json)
        return print_json(j, "cca-realm-claims", "claims", cca_realm_value(j->a, &realm));
    VS_TRY(cca_report_realm(r, &realm, j->err));
    return print_report(j, r);
}

/* True when the item is a map with this integer key. */
static bool has_key(vs_span in, int64_t key)
{
    vs_cbor c = vs_cbor_of(in, NULL);
    size_t n = vs_cbor_peek(&c) == VS_CBOR_MAP ? vs_cbor_map(&c) : 0;
    for (size_t i = 0; i < n && c.code == VS_OK; i++) {
        vs_cbor_type t = vs_cbor_peek(&c);
        bool integer = t == VS_CBOR_UINT || t == VS_CBOR_NINT;
        if (integer && vs_cbor_int(&c) == key)
            return c.code == VS_OK;
        if (!integer)
            (void)vs_cbor_skip(&c);
        (void)vs_cbor_skip(&c);
    }
    return false;
}

/* Claims by a key that only they have: implementation id, initial measurement. */
static vs_code show_claims(job *j, vs_span in)
{
    if (has_key(in, 2396))
        return show_platform(j, in);
    if (has_key(in, 44238))
        return show_realm(j, in);
    return show_cbor(j, "cbor", in);
}

static vs_code show_sign1(job *j, vs_span in)
{
    vs_cose_sign1 m;
    VS_TRY(vs_cose_parse(in, &m, j->err));
    if (!j->json && !j->o->html) {
        view_styled(j->out, VIEW_BOLD, "COSE_Sign1");
        vs_buf_printf(&j->out->out, "  %s, payload of %zu bytes\n", vs_alg_name(m.alg),
                      m.payload.n);
    }
    if (vs_cbor_check(m.payload, NULL) == VS_OK)
        return show_claims(j, m.payload);
    return show_cbor(j, "cose-sign1", in);
}

/* For people on a terminal only: who reads it from a pipe wants what policies see. */
static vs_code show_eventlog(job *j, vs_span in)
{
    eventlog log;
    vs_val events;
    VS_TRY(refuse_page(j));
    VS_TRY(eventlog_parse(j->a, in, &log, j->err));
    if (!j->json && isatty(STDOUT_FILENO))
        return eventlog_show(j->out, j->a, &log, j->err);
    VS_TRY(eventlog_value(j->a, &log, &events, j->err));
    return print_json(j, "event-log", "uefi_event_logs", events);
}

/* By its entries, so that a token with a wrong tag is told what is wrong with it. */
static bool looks_like_token(vs_span in)
{
    vs_cbor c = vs_cbor_of(in, NULL);
    if (vs_cbor_peek(&c) == VS_CBOR_TAG)
        (void)vs_cbor_tag(&c);
    vs_span map = vs_cbor_skip(&c);
    return has_key(map, CCA_KEY_PLATFORM) || has_key(map, CCA_KEY_REALM);
}

static vs_code show_binary(job *j, vs_span in)
{
    if (eventlog_looks_like(in))
        return show_eventlog(j, in);
    VS_TRY_WRAP(vs_cbor_check(in, j->err), j->err,
                "neither text, an event log nor CBOR of the strict kind");
    vs_cbor c = vs_cbor_of(in, NULL);
    uint64_t tag = vs_cbor_peek(&c) == VS_CBOR_TAG ? vs_cbor_tag(&c) : 0;
    if (tag == CCA_TAG_EAT || tag == CCA_TAG_CMW || looks_like_token(in))
        return show_cca_token(j, in);
    return tag == 18 ? show_sign1(j, in) : show_claims(j, in);
}

/* ---- JSON and JOSE ----------------------------------------------------------------------------
 */

static vs_code show_ear(job *j, vs_val claims)
{
    ear_doc doc;
    VS_TRY_WRAP(ear_doc_read(j->a, claims, &doc, j->err), j->err, "EAR");
    if (j->o->html) {
        report *r = new_report(j);
        VS_TRY(vs_arena_check(j->a, j->err));
        ear_doc_report(r, &doc);
        return print_report(j, r);
    }
    view_styled(j->out, VIEW_BOLD, "EAR");
    vs_buf_putc(&j->out->out, '\n');
    ear_doc_show(j->out, &doc);
    for (size_t i = 0; i < doc.n; i++) {
        vs_buf_putc(&j->out->out, '\n');
        if (vs_defined(doc.submods[i].evidence))
            VS_TRY(print_pretty(j, "annotated evidence", doc.submods[i].evidence));
    }
    return VS_OK;
}

static vs_code show_json_text(job *j, vs_span text)
{
    vs_val v;
    VS_TRY(vs_json_parse(j->a, text, NULL, &v, j->err));
    if (vs_getc(v, "token").kind == VS_ARRAY) {
        vs_span bytes;
        VS_TRY(cca_evidence_bytes(j->a, v, &bytes, j->err));
        return show_cca_token(j, bytes);
    }
    if (j->json)
        return print_json(j, "json", "value", v);
    return ear_doc_looks_like(v) ? show_ear(j, v) : print_pretty(j, "JSON", v);
}

static vs_code jws_as_json(job *j, const vs_jws *jws, vs_val payload)
{
    vs_obj o = {.a = j->a};
    vs_obj_put(&o, "header", jws->header);
    vs_obj_put(&o, "payload",
               vs_defined(payload)
                   ? payload
                   : vs_string(vs_b64_encode_arena(j->a, VS_B64_URL, jws->payload)));
    return print_json(j, "jws", "jws", vs_obj_end(&o, VS_DUP_REFUSE, NULL));
}

static vs_code show_jws(job *j, vs_span text)
{
    vs_jws jws;
    vs_val payload = vs_undefined();
    VS_TRY(vs_jws_parse(j->a, text, &jws, j->err));
    if (vs_json_parse(j->a, jws.payload, NULL, &payload, NULL) != VS_OK)
        payload = vs_undefined(); /* a JWS may carry anything */
    if (j->json)
        return jws_as_json(j, &jws, payload);
    if (!j->o->html) {
        VS_TRY(print_pretty(j, "JWS header", jws.header));
        vs_buf_putc(&j->out->out, '\n');
    }
    if (ear_doc_looks_like(payload))
        return show_ear(j, payload);
    if (vs_defined(payload))
        return print_pretty(j, "payload", payload);
    VS_TRY(refuse_page(j));
    view_bytes(j->out, 0, "payload", jws.payload);
    return VS_OK;
}

/* ---- finding out ------------------------------------------------------------------------------
 */

static bool is_printable(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != '\t')
            return false;
    return s.n > 0 && vs_utf8_ok(s);
}

static size_t count(vs_span s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == (uint8_t)c;
    return n;
}

static vs_code show(job *j, vs_span in)
{
    vs_span bytes, text = vs_span_trim(in);
    if (in.n == 0)
        return vs_fail(j->err, VS_E_INVALID, "it is empty");
    if (!is_printable(in))
        return show_binary(j, in);
    if (text.n && strchr("{[\"", text.p[0]))
        return show_json_text(j, text);
    if (count(text, '.') == 2)
        return show_jws(j, text);
    if (vs_hex_decode_arena(j->a, text, &bytes, NULL) == VS_OK ||
        vs_b64_decode_arena(j->a, VS_B64_ANY, text, &bytes, NULL) == VS_OK)
        return show_binary(j, bytes);
    return vs_fail(j->err, VS_E_PARSE, "neither JSON, a JWS, CBOR nor hexadecimal or base64 of it");
}

/* ---- trust ------------------------------------------------------------------------------------
 */

static vs_code load_stores(const options *o, cca_trust **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf ta = VS_BUF(FILE_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf rv = VS_BUF(FILE_MAX);
    VS_TRY_WRAP(vs_read_file(o->ta_store, &ta, err), err, "--ta-store");
    if (o->rv_store)
        VS_TRY_WRAP(vs_read_file(o->rv_store, &rv, err), err, "--rv-store");
    else
        vs_buf_puts(&rv, "{}");
    return cca_trust_of_text(vs_buf_span(&ta), vs_buf_span(&rv), out, err);
}

static vs_code load_config(const char *path, cca_trust **out, vs_error *err)
{
    VS_TRY(cca_trust_load(path, out, err));
    if (cca_trust_is_remote(*out))
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "%s has tokens verified by another service, which is not asked here", path);
    return VS_OK;
}

/* *out stays NULL when no trust anchors are given. */
static vs_code load_trust(const options *o, cca_trust **out, vs_error *err)
{
    if (o->cca_config)
        return load_config(o->cca_config, out, err);
    if (o->ta_store)
        return load_stores(o, out, err);
    if (o->corims.n && !o->rv_store)
        return cca_trust_of_text((vs_span){0}, (vs_span){0}, out, err);
    return o->rv_store ? vs_fail(err, VS_E_INVALID,
                                 "--rv-store needs --ta-store: reference values say nothing about "
                                 "a token that nobody signed")
                       : VS_OK;
}

static vs_code decode(job *j, cca_snapshot *trust)
{
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(FILE_MAX);
    j->expect.trust = trust;
    if (j->o->challenge)
        VS_TRY_WRAP(
            vs_hex_decode_arena(j->a, vs_str(j->o->challenge), &j->expect.challenge, j->err),
            j->err, "--challenge");
    VS_TRY(vs_read_file(j->o->file, &in, j->err));
    return show(j, vs_buf_span(&in));
}

static vs_code load_endorsements(job *j, endorsed_files *out)
{
    VS_CLEANUP(rvps_anchors_free) rvps_anchors *anchors = NULL;
    if (j->o->anchors.n && !j->o->corims.n)
        return vs_fail(j->err, VS_E_INVALID, "--trust is for the signatures of --corim");
    if (j->o->anchors.n)
        VS_TRY_WRAP(anchors_of_files(&j->o->anchors, &anchors, j->err), j->err, "--trust");
    VS_TRY_WRAP(endorsed_files_read(out, j->a, &j->o->corims, anchors, j->err), j->err, "--corim");
    j->expect.endorsements = &out->lookup;
    return VS_OK;
}

static vs_code decode_with_trust(job *j)
{
    endorsed_files endorsed;
    VS_TRY(load_endorsements(j, &endorsed));
    VS_CLEANUP(cca_trust_free) cca_trust *trust = NULL;
    VS_CLEANUP(cca_snapshot_release) cca_snapshot *snapshot = NULL;
    VS_TRY(load_trust(j->o, &trust, j->err));
    if (trust)
        VS_TRY(cca_trust_take(trust, &snapshot, j->err));
    return decode(j, snapshot);
}

static int run(void *opts)
{
    enum { EXIT_CHECK_FAILED = 3 };
    const options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(view_free) view out;
    vs_error err = {0};
    vs_arena_init(&a, 0);
    view_init(&out);
    job j = {.a = &a, .out = &out, .o = o, .json = o->json, .err = &err};
    vs_code code = decode_with_trust(&j);
    if (code != VS_OK)
        view_complain("vouchsafe decode", o->file, &err);
    /* Half a table would look like a whole one. */
    if (code != VS_OK || !view_flush(&out))
        return EXIT_FAILURE;
    return j.failed ? EXIT_CHECK_FAILED : EXIT_SUCCESS;
}

int cmd_decode(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
