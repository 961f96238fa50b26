/* SPDX-License-Identifier: Apache-2.0 */
/* kbs-client config reference-values ..., collect: what is endorsed, and proposals to endorse. */
#include <limits.h>
#include <stdlib.h>

#include "cmd/kbs_client.h"
#include "cmd/view.h"
#include "value/json.h"

enum { VALUE_SHOWN = 100 };

static vs_code parse(vs_arena *a, const vs_buf *answer, vs_val *out, vs_error *err)
{
    vs_val v;
    VS_TRY_WRAP(vs_json_parse(a, vs_buf_span(answer), NULL, &v, err), err,
                "the server's answer is not JSON");
    *out = vs_copy(a, v);
    return vs_arena_check(a, err);
}

static vs_code print_value(vs_val v, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(KC_FILE_MAX);
    vs_json_print(&out, v);
    vs_buf_putc(&out, '\n');
    return kc_print(&out, err);
}

static vs_code flush(view *v, vs_error *err)
{
    return view_flush(v) ? VS_OK : vs_fail(err, VS_E_IO, "writing to standard output");
}

static void put_json(view *v, vs_val value)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KC_FILE_MAX);
    vs_json_print(&text, value);
    view_text(v, vs_span_head(vs_buf_span(&text), VALUE_SHOWN));
    if (text.n > VALUE_SHOWN)
        vs_buf_puts(&v->out, "...");
}

/* ---- list, delete -----------------------------------------------------------------------------
 */

static void put_hex(vs_buf *out, vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        vs_buf_printf(out, "%%%02X", s.p[i]);
}

static vs_code get_page(const kc_options *o, vs_span after, vs_arena *a, vs_val *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf query = VS_BUF(16 * 1024), answer = VS_BUF(KC_FILE_MAX);
    vs_buf_puts(&query, "limit=500&prefix=");
    put_hex(&query, vs_str(o->prefix ? o->prefix : ""));
    vs_buf_puts(&query, "&after=");
    put_hex(&query, after);
    VS_TRY(vs_buf_check(&query, err));
    const kbsc_admin_call call = {
        .method = "GET", .path = "reference-value", .query = (const char *)query.p};
    VS_TRY(kc_administrate(o, call, &answer, NULL, err));
    return parse(a, &answer, out, err);
}

/* All pages. A server that names no new page to go on with is not asked for ever. */
static vs_code get_all(const kc_options *o, vs_arena *a, vs_val *out, vs_error *err)
{
    vs_vec all = {.a = a};
    vs_span after = VS_LIT("");
    for (;;) {
        vs_val page, values;
        VS_TRY(get_page(o, after, a, &page, err));
        VS_TRY(vs_need(page, "values", VS_ARRAY, &values, err));
        for (VS_ARR_FOR (v, values))
            vs_vec_add(&all, *v);
        vs_val next = vs_getc(page, "next");
        if (!vs_defined(next))
            break;
        if (next.kind != VS_STRING || vs_span_eq(vs_text(next), after))
            return vs_fail(err, VS_E_INVALID, "the server's pages do not go on");
        after = vs_text(next);
    }
    *out = vs_vec_end_array(&all);
    return vs_arena_check(a, err);
}

static vs_code list(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_val values;
    VS_TRY(get_all(o, &a, &values, err));
    if (!kc_for_people())
        return print_value(values, err);
    VS_CLEANUP(view_free) view v;
    view_init(&v);
    for (VS_ARR_FOR (e, values)) {
        bool valid = vs_is_true(vs_getc(*e, "valid"));
        view_text(&v, vs_text(vs_getc(*e, "name")));
        vs_buf_puts(&v.out, "\n    ");
        put_json(&v, vs_getc(*e, "value"));
        vs_buf_puts(&v.out, "\n    ");
        view_styled(&v, valid ? VIEW_PLAIN : VIEW_RED, valid ? "until " : "not valid, until ");
        view_text(&v, vs_text(vs_getc(*e, "expires")));
        vs_buf_puts(&v.out, "  by ");
        view_text(&v, vs_text(vs_pointer(*e, VS_LIT("/provenance/by"))));
        vs_buf_puts(&v.out, "\n");
    }
    return flush(&v, err);
}

static vs_code delete (const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf path = VS_BUF(PATH_MAX), answer = VS_BUF(KC_FILE_MAX);
    vs_buf_printf(&path, "reference-value/%s", o->id);
    VS_TRY(vs_buf_check(&path, err));
    return kc_administrate(o, (kbsc_admin_call){.method = "DELETE", .path = (const char *)path.p},
                           &answer, NULL, err);
}

/* ---- collect ----------------------------------------------------------------------------------
 */

static void put_line(view *v, vs_val line)
{
    vs_span change = vs_text(vs_getc(line, "change"));
    vs_val stored = vs_getc(line, "stored");
    bool same = vs_span_is(change, "same"), replace = vs_span_is(change, "replace");
    view_styled(v, same ? VIEW_PLAIN : replace ? VIEW_RED : VIEW_YELLOW, "%-8.*s", VS_FMT(change));
    view_text(v, vs_text(vs_getc(line, "name")));
    vs_buf_puts(&v->out, "\n");
    if (!same && vs_defined(stored)) {
        view_styled(v, VIEW_RED, "  - ");
        put_json(v, stored);
        vs_buf_puts(&v->out, "\n");
    }
    view_styled(v, same ? VIEW_PLAIN : VIEW_GREEN, same ? "    " : "  + ");
    put_json(v, vs_getc(line, "proposed"));
    vs_buf_puts(&v->out, "\n");
}

static vs_code show_proposal(vs_val proposal, vs_error *err)
{
    VS_CLEANUP(view_free) view v;
    view_init(&v);
    vs_val values = vs_getc(proposal, "values"), unknown = vs_getc(proposal, "unknown");
    for (uint32_t i = 0; values.kind == VS_ARRAY && i < values.len; i++)
        put_line(&v, values.u.items[i]);
    for (uint32_t i = 0; unknown.kind == VS_ARRAY && i < unknown.len; i++) {
        view_styled(&v, VIEW_PLAIN, "%-8s", "?");
        view_text(&v, vs_text(unknown.u.items[i]));
        vs_buf_puts(&v.out, "\n    what it is compared with could not be seen\n");
    }
    vs_buf_puts(&v.out,
                "\nNothing is stored yet. Make sure that these are values you would have computed, "
                "then\nrepeat with --approve NAME for each, and --proposal ");
    view_text(&v, vs_text(vs_getc(proposal, "proposal")));
    vs_buf_puts(&v.out, "\n");
    return flush(&v, err);
}

/* What is approved is what was shown, which its digest says. */
static vs_code approve(const kc_options *o, const char *path, vs_error *err)
{
    if (!o->proposal)
        return vs_fail(err, VS_E_INVALID,
                       "--approve needs --proposal, which the proposal itself shows");
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(KC_FILE_MAX), answer = VS_BUF(KC_FILE_MAX);
    vs_jw w = {.out = &body};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "proposal");
    vs_jw_str(&w, o->proposal);
    vs_jw_key(&w, "names");
    vs_jw_open(&w, '[');
    for (size_t i = 0; i < o->approve.n; i++)
        vs_jw_str(&w, o->approve.items[i]);
    vs_jw_close(&w, ']');
    vs_jw_close(&w, '}');
    VS_TRY(vs_buf_check(&body, err));
    const kbsc_admin_call call = {.method = "POST",
                                  .path = path,
                                  .content_type = "application/json",
                                  .body = vs_buf_span(&body)};
    VS_TRY(kc_administrate(o, call, &answer, NULL, err));
    vs_buf_putc(&answer, '\n');
    return kc_print(&answer, err);
}

static vs_code collect(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf path = VS_BUF(PATH_MAX), answer = VS_BUF(KC_FILE_MAX);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_val proposal;
    vs_buf_printf(&path, "collect/%s", o->decision);
    VS_TRY(vs_buf_check(&path, err));
    if (o->approve.n)
        return approve(o, (const char *)path.p, err);
    const kbsc_admin_call call = {.method = "GET", .path = (const char *)path.p};
    VS_TRY(kc_administrate(o, call, &answer, NULL, err));
    VS_TRY(parse(&a, &answer, &proposal, err));
    return kc_for_people() ? show_proposal(proposal, err) : print_value(proposal, err);
}

/* ---- the command line -------------------------------------------------------------------------
 */

int kc_run_list_values(void *opts)
{
    vs_error err = {0};
    return kc_finish(list(opts, &err), &err);
}

static int run_delete(void *opts)
{
    vs_error err = {0};
    return kc_finish(delete (opts, &err), &err);
}

int kc_run_collect(void *opts)
{
    vs_error err = {0};
    return kc_finish(collect(opts, &err), &err);
}

#define AT(member) .at = offsetof(kc_options, member)

static const cli_option list_options[] = {{.name = "prefix",
                                           .value = "TEXT",
                                           AT(prefix),
                                           .fallback = "",
                                           .help = "Only names that start with this"},
                                          {0}};
static const cli_argument the_value[] = {
    {.name = "ID", AT(id), .required = true, .help = "Name of the reference value"}, {0}};

const cli_command kc_value_commands[] = {{.name = "list",
                                          .summary = "Print all reference values",
                                          .options = list_options,
                                          .run = kc_run_list_values},
                                         {.name = "delete",
                                          .summary = "Delete a reference value",
                                          .arguments = the_value,
                                          .run = run_delete},
                                         {0}};

const cli_argument kc_collect_arguments[] = {
    {.name = "DECISION",
     AT(decision),
     .required = true,
     .help = "Id of a recorded attestation, as in the server's log"},
    {0}};
const cli_option kc_collect_options[] = {
    {.name = "approve",
     .value = "NAME",
     AT(approve),
     .repeat = true,
     .help = "Store this value of the proposal"},
    {.name = "proposal", .value = "SHA256", AT(proposal), .help = "The proposal that is approved"},
    {0}};
