/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe decode`: finds out what a file is and shows what it says. Proves nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/io.h"
#include "cmd/cca_show.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/ear_doc.h"
#include "cmd/eventlog_show.h"
#include "envelope/jose.h"
#include "tee/cca/driver.h"
#include "value/cbor.h"

enum { FILE_MAX = 16 * 1024 * 1024 };

typedef struct options {
    const char *file;
    bool json;
} options;

static int run(void *opts);

#define AT(member) .at = offsetof(options, member)
static const cli_option table[] = {
    {.name = "json", .letter = 'j', AT(json), .help = "Print JSON instead of tables"}, {0}};
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
        "  Nothing is verified: see vouchsafe verify.\n",
    .version = "vouchsafe " VS_VERSION};

/* What is being shown, and where to. */
typedef struct job {
    vs_arena *a;
    view *out;
    bool json;
    vs_error *err;
} job;

static vs_code print_json(job *j, const char *type, const char *member, vs_val v)
{
    vs_jw w = {.out = &j->out->out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "type");
    vs_jw_str(&w, type);
    vs_jw_key(&w, member);
    vs_jw_val(&w, v);
    vs_jw_close(&w, '}');
    vs_buf_putc(&j->out->out, '\n');
    return vs_arena_check(j->a, j->err);
}

static vs_code print_pretty(job *j, const char *heading, vs_val v)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(4 * FILE_MAX);
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

/* ---- CBOR -------------------------------------------------------------------------------------
 */

static vs_code show_cbor(job *j, const char *what, vs_span in)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(16 * FILE_MAX);
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
    VS_TRY(cca_token_decode(j->a, in, &t, j->err));
    if (j->json)
        return print_json(j, "cca-token", "token", cca_token_value(j->a, &t));
    cca_show_token(j->out, &t);
    return VS_OK;
}

static vs_code show_platform(job *j, vs_span claims)
{
    cca_platform p;
    VS_TRY(cca_platform_decode(j->a, claims, &p, j->err));
    if (j->json)
        return print_json(j, "cca-platform-claims", "claims", cca_platform_value(j->a, &p));
    cca_show_platform(j->out, &p);
    return VS_OK;
}

static vs_code show_realm(job *j, vs_span claims)
{
    cca_realm r;
    VS_TRY(cca_realm_decode(claims, &r, j->err));
    if (j->json)
        return print_json(j, "cca-realm-claims", "claims", cca_realm_value(j->a, &r));
    cca_show_realm(j->out, &r);
    return VS_OK;
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
    if (!j->json) {
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
    VS_TRY(eventlog_parse(j->a, in, &log, j->err));
    if (!j->json && isatty(STDOUT_FILENO))
        return eventlog_show(j->out, j->a, &log, j->err);
    VS_TRY(eventlog_value(j->a, &log, &events, j->err));
    return print_json(j, "event-log", "uefi_event_logs", events);
}

static vs_code show_binary(job *j, vs_span in)
{
    if (eventlog_looks_like(in))
        return show_eventlog(j, in);
    VS_TRY_WRAP(vs_cbor_check(in, j->err), j->err,
                "neither text, an event log nor CBOR of the strict kind");
    vs_cbor c = vs_cbor_of(in, NULL);
    uint64_t tag = vs_cbor_peek(&c) == VS_CBOR_TAG ? vs_cbor_tag(&c) : 0;
    if (tag == CCA_TAG_EAT || tag == CCA_TAG_CMW)
        return show_cca_token(j, in);
    return tag == 18 ? show_sign1(j, in) : show_claims(j, in);
}

/* ---- JSON and JOSE ----------------------------------------------------------------------------
 */

static vs_code show_ear(job *j, vs_val claims)
{
    ear_doc doc;
    VS_TRY_WRAP(ear_doc_read(j->a, claims, &doc, j->err), j->err, "EAR");
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
    VS_TRY(print_pretty(j, "JWS header", jws.header));
    vs_buf_putc(&j->out->out, '\n');
    if (ear_doc_looks_like(payload))
        return show_ear(j, payload);
    if (vs_defined(payload))
        return print_pretty(j, "payload", payload);
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

static int run(void *opts)
{
    const options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(view_free) view out;
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(FILE_MAX);
    vs_error err = {0};
    vs_arena_init(&a, 0);
    view_init(&out);
    job j = {.a = &a, .out = &out, .json = o->json, .err = &err};
    vs_code code = vs_read_file(o->file, &in, &err);
    if (code == VS_OK)
        code = show(&j, vs_buf_span(&in));
    if (code != VS_OK)
        view_complain("vouchsafe decode", o->file, &err);
    /* Half a table would look like a whole one. */
    return code == VS_OK && view_flush(&out) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_decode(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
