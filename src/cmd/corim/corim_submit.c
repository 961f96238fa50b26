/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe corim submit`: to a KBS, Trustee's or this one, or to Veraison's interface. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/admin_token.h"
#include "cmd/corim/corim_tool.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "rvps/rvps.h"
#include "value/json.h"

#define SUBMIT_PATH  "/endorsement-provisioning/v1/submit"
#define SESSION_TYPE "application/vnd.veraison.provisioning-session+json"

enum { ANSWER_MAX = 1 << 20 };

const cli_option corim_submit_options[] = {
    ADMIN_OPTIONS(corim_options, kbs),
    {.name = "veraison",
     .value = "URL",
     CORIM_AT(veraison),
     .help = "To Veraison's provisioning interface there, not to a KBS"},
    {0}};

const char corim_submit_more[] = "  A KBS gets it as the message {\"type\": \"corim\", ...} of its "
                                 "reference-value endpoint, which\n"
                                 "  Trustee's has, too; --url and the administrator's options are "
                                 "for it. Veraison's interface gets\n"
                                 "  the file with the media type that its profile and its "
                                 "signature ask for; a token given with\n"
                                 "  --admin-token-file goes with it.\n";

static vs_code to_kbs(const corim_options *o, vs_span corim_bytes, vs_error *err)
{
    admin to;
    VS_CLEANUP(vs_buf_free) vs_buf message = VS_BUF(2 * CORIM_SIZE_MAX);
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ANSWER_MAX);
    VS_TRY(rvps_message(&message, "corim", corim_bytes, err));
    VS_TRY(admin_open(&o->kbs, &to, err));
    vs_code code = kbsc_admin(to.client, "POST", "reference-value", "application/json",
                              vs_buf_span(&message), vs_buf_span(&to.token), &answer, err);
    admin_close(&to);
    return code;
}

/* ---- Veraison -------------------------------------------------------------------------------- */

static vs_code media_type(vs_arena *a, const corim_file *f, const char **out, vs_error *err)
{
    bool old = vs_span_starts(f->content.profile, VS_LIT("http://arm.com/cca/"));
    if (!f->content.profile.p)
        return vs_fail(err, VS_E_INVALID,
                       "it names no profile, and Veraison's interface goes by profiles");
    if (old && f->env.is_signed)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "there is no media type for a signed CoRIM of this older profile");
    *out = vs_sprintf(a, "%s; profile=\"%.*s\"",
                      f->env.is_signed ? "application/rim+cose"
                      : old            ? "application/corim-unsigned+cbor"
                                       : "application/rim+cbor",
                      VS_FMT(vs_span_head(f->content.profile, 512)));
    for (const char *p = *out; *p; p++) /* it becomes a header */
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return vs_fail(err, VS_E_INVALID, "its profile has control characters");
    return vs_arena_check(a, err);
}

/* For an answer that is not from the interface itself. */
static const char *advice(int status)
{
    return status == 404
               ? "there is no provisioning interface at this URL: a vouchsafe server has one "
                 "when its file says \"enabled = true\" in [veraison], Veraison has it at the port "
                 "of its provisioning service"
               : vs_http_reason(status);
}

/* 200 with {"status"}, or problem details. */
static vs_code read_answer(vs_arena *a, int status, vs_span body, vs_error *err)
{
    vs_val v, text;
    bool json = vs_json_parse(a, body, NULL, &v, NULL) == VS_OK;
    if (status != 200) {
        text = json ? vs_getc(v, "detail") : vs_undefined();
        vs_span why = vs_text(text);
        return vs_fail(err, status == 401 || status == 403 ? VS_E_DENIED : VS_E_IO,
                       "status %d: %.*s", status,
                       VS_FMT(why.n ? vs_span_head(why, 300) : vs_str(advice(status))));
    }
    if (!json || !vs_span_is(vs_text(vs_getc(v, "status")), "success")) {
        text = json ? vs_getc(v, "failure-reason") : vs_undefined();
        return vs_fail(err, VS_E_INVALID, "not taken: %.*s",
                       VS_FMT(vs_span_head(vs_text(text), 500)));
    }
    return VS_OK;
}

/* Only a token that was asked for: what lies around for the KBS is not for somebody else. */
static vs_code bearer_header(vs_arena *a, const admin_options *o, const char **out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(ADMIN_TOKEN_MAX);
    *out = NULL;
    if (!o->admin_token_file && !o->auth_private_key)
        return VS_OK;
    VS_TRY(admin_token(o->admin_token_file, o->auth_private_key, &token, err));
    vs_span t = vs_span_trim(vs_buf_span(&token));
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] <= 0x20 || t.p[i] >= 0x7f)
            return vs_fail(err, VS_E_INVALID, "%s does not hold a bearer token",
                           o->admin_token_file);
    *out = vs_sprintf(a, "Authorization: Bearer %.*s", VS_FMT(t));
    return vs_arena_check(a, err);
}

static vs_code to_veraison(const corim_options *o, const corim_file *f, vs_error *err)
{
    VS_CLEANUP(vs_http_client_free) vs_http_client *http = NULL;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ANSWER_MAX);
    VS_CLEANUP(vs_arena_wipe) vs_arena a; /* holds the token */
    const vs_http_client_config cfg = {.ca_file = o->kbs.cert_file,
                                       .user_agent = "vouchsafe/" VS_VERSION};
    const char *type, *bearer;
    int status = 0;
    vs_arena_init(&a, 0);
    VS_TRY(media_type(&a, f, &type, err));
    VS_TRY(bearer_header(&a, &o->kbs, &bearer, err));
    const char *const headers[] = {vs_sprintf(&a, "Content-Type: %s", type),
                                   "Accept: " SESSION_TYPE, bearer, NULL};
    const vs_http_call call = {
        .method = "POST",
        .url = vs_sprintf(
            &a, "%.*s" SUBMIT_PATH,
            (int)(strlen(o->veraison) - (vs_span_ends(vs_str(o->veraison), VS_LIT("/")) ? 1 : 0)),
            o->veraison),
        .headers = headers,
        .body = f->bytes,
        .has_body = true};
    VS_TRY(vs_arena_check(&a, err));
    VS_TRY(vs_http_client_new(&cfg, &http, err));
    VS_TRY(vs_http_client_do(http, &call, &status, &answer, err));
    return read_answer(&a, status, vs_buf_span(&answer), err);
}

int corim_submit(void *opts)
{
    const corim_options *o = opts;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_error err = {0};
    corim_file f;
    vs_arena_init(&a, 0);
    vs_code code = corim_load(&a, o->file, &f, &err);
    if (code == VS_OK)
        code = o->veraison ? to_veraison(o, &f, &err) : to_kbs(o, f.bytes, &err);
    if (code == VS_OK)
        puts("taken");
    return corim_end("vouchsafe corim submit", o->file, code, &err);
}
