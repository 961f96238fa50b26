/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe explain`: why a decision was made, from its record. */
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/commands.h"
#include "cmd/decisions/admin.h"
#include "cmd/view.h"

typedef struct options {
    admin_options admin;
    const char *id, *export;
    bool json;
} options;

static int run(void *opts);

#define AT(member) .at = offsetof(options, member)
static const cli_option table[] = {
    ADMIN_OPTIONS(options, admin),
    {.name = "export",
     .value = "FILE",
     AT(export),
     .help = "Write the sealed record, for `vouchsafe replay`"},
    {.name = "json", AT(json), .help = "Print the record as JSON (so it does in a pipe)"},
    {0}};
static const cli_argument arguments[] = {
    {.name = "ID",
     .help = "Decision, as in the header Vouchsafe-Decision and in the log",
     .required = true,
     AT(id)},
    {0}};
static const cli_command top = {
    .name = "vouchsafe explain",
    .summary = "Show why a request was allowed or denied",
    .options = table,
    .arguments = arguments,
    .run = run,
    .more =
        "  vouchsafe explain --auth-private-key admin.key 01932f4e-7b1a-7c3d-9e2f-5a6b7c8d9e0f\n",
    .version = "vouchsafe " VS_VERSION};

/* ---- for people ---------------------------------------------------------------------------------
 */

static void row(view *v, vs_val record, const char *name, const char *label)
{
    vs_val text = vs_getc(record, name);
    if (text.kind == VS_STRING)
        view_row(v, 1, label, vs_text(text));
}

static void show_consulted(view *v, vs_val values)
{
    for (uint32_t i = 0; values.kind == VS_ARRAY && i < values.len; i++) {
        vs_val one = values.u.items[i], value = vs_getc(one, "value");
        vs_span id = vs_text(vs_getc(one, "id"));
        /* Who asked: the verifier for itself, or the policy. */
        const char *label = vs_defined(vs_getc(one, "by")) ? "endorsement" : "reference value";
        if (!vs_is_true(vs_getc(one, "found")))
            view_rowf(v, 2, label, "%.*s: none", VS_FMT(id));
        else if (value.kind == VS_ARRAY)
            view_rowf(v, 2, label, "%.*s: %u approved", VS_FMT(id), value.len);
        else
            view_rowf(v, 2, label, "%.*s", VS_FMT(id));
    }
    if (values.kind == VS_ARRAY && values.len == 0)
        view_row(v, 2, "reference value", VS_LIT("none consulted"));
}

static void show_submod(view *v, vs_val submod)
{
    view_row(v, 1, "submod", vs_text(vs_getc(submod, "submod")));
    view_row(v, 2, "status", vs_text(vs_getc(submod, "status")));
    view_rowf(v, 2, "policy", "%.*s, sha256 %.*s", VS_FMT(vs_text(vs_getc(submod, "policy"))),
              VS_FMT(vs_text(vs_getc(submod, "policy_sha256"))));
    vs_val reasons = vs_getc(submod, "reasons");
    for (uint32_t i = 0; reasons.kind == VS_ARRAY && i < reasons.len; i++)
        view_row(v, 2, "because", vs_text(reasons.u.items[i]));
    show_consulted(v, vs_getc(submod, "reference_values"));
}

/* What was decided, in one line, and what is known of it; of a release also the attestation before
 * it, which has the reasons. */
static void show(view *v, vs_val record)
{
    bool allowed = vs_span_is(vs_text(vs_getc(record, "verdict")), "allowed");
    view_text(v, vs_text(vs_getc(record, "what")));
    view_styled(v, VIEW_PLAIN, " ");
    view_styled(v, allowed ? VIEW_GREEN : VIEW_RED, allowed ? "allowed" : "denied");
    vs_buf_putc(&v->out, '\n');
    static const struct {
        const char *name, *label;
    } rows[] = {{"id", "decision"},
                {"time", "time"},
                {"who", "who"},
                {"action", "action"},
                {"target", "target"},
                {"tee", "TEE"},
                {"status", "status"},
                {"error", "error"},
                {"reason", "reason"},
                {"evidence_sha256", "evidence sha256"},
                {"token_sha256", "token sha256"},
                {"policy_sha256", "resource policy sha256"}};
    vs_val submods = vs_pointer(record, VS_LIT("/appraisal/submods"));
    for (size_t i = 0; i < VS_COUNT(rows); i++)
        if (submods.kind != VS_ARRAY || strcmp(rows[i].name, "reason") != 0)
            row(v, record, rows[i].name, rows[i].label);
    for (uint32_t i = 0; submods.kind == VS_ARRAY && i < submods.len; i++)
        show_submod(v, submods.u.items[i]);
    vs_val before = vs_getc(record, "attestation");
    if (before.kind == VS_OBJECT) {
        vs_buf_putc(&v->out, '\n');
        show(v, before); /* an attestation has none before it */
    }
}

/* ---- run ----------------------------------------------------------------------------------------
 */

static vs_code export_record(admin *ad, const options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ADMIN_ANSWER_MAX), path = VS_BUF(256);
    vs_buf_printf(&path, "decision/%s?export=1", o->id);
    VS_TRY(vs_buf_check(&path, err));
    VS_TRY(admin_get(ad, (const char *)path.p, &answer, err));
    return vs_write_file(o->export, vs_buf_span(&answer), 0600, err);
}

static vs_code explain(const options *o, vs_arena *a, view *v, vs_error *err)
{
    admin ad;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ADMIN_ANSWER_MAX), path = VS_BUF(256);
    vs_val record;
    vs_buf_printf(&path, "decision/%s", o->id);
    VS_TRY(vs_buf_check(&path, err));
    VS_TRY(admin_open(&o->admin, &ad, err));
    vs_code code = admin_get(&ad, (const char *)path.p, &answer, err);
    if (code == VS_OK && o->export)
        code = export_record(&ad, o, err);
    admin_close(&ad);
    VS_TRY(code);
    VS_TRY(vs_json_parse(a, vs_dup(a, vs_buf_span(&answer)), NULL, &record, err));
    if (o->json || !isatty(STDOUT_FILENO)) {
        vs_json_print(&v->out, record);
        vs_buf_putc(&v->out, '\n');
    } else {
        show(v, record);
    }
    return VS_OK;
}

static int run(void *opts)
{
    const options *o = opts;
    vs_error err = {0};
    vs_arena a;
    view v;
    vs_arena_init(&a, 0);
    view_init(&v);
    bool ok = explain(o, &a, &v, &err) == VS_OK;
    if (!ok)
        view_complain("vouchsafe explain", o->id, &err);
    else
        ok = view_flush(&v);
    view_free(&v);
    vs_arena_free(&a);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_explain(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
