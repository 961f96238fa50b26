/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kbs-client config policy ...: policies with their history. A policy is named as
 * attestation/<id>, resource (the one for everything) or resource/<repository>.
 */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "cmd/kbs_client.h"
#include "cmd/view.h"
#include "value/json.h"

bool kc_for_people(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

/* ---- paths and queries ------------------------------------------------------------------------
 */

static vs_code path_of(const char *policy, const char *action, vs_buf *path, vs_error *err)
{
    vs_span name = vs_str(policy), rest;
    vs_span kind = vs_span_cut(name, '/', &rest, NULL);
    if (vs_span_is(name, "resource"))
        vs_buf_puts(path, "resource-policy/resource-policy");
    else if (vs_span_is(kind, "resource") && rest.n > 0)
        vs_buf_printf(path, "resource-policy/repository/%.*s", VS_FMT(rest));
    else if (vs_span_is(kind, "attestation") && rest.n > 0)
        vs_buf_printf(path, "attestation-policy/%.*s", VS_FMT(rest));
    else
        return vs_fail(err, VS_E_INVALID,
                       "\"%s\" is not attestation/ID, resource or resource/REPOSITORY", policy);
    if (action)
        vs_buf_printf(path, "/%s", action);
    return vs_buf_check(path, err);
}

static void put_param(vs_buf *query, const char *name, const char *value)
{
    if (!value)
        return;
    vs_buf_printf(query, "%s%s=", query->n ? "&" : "", name);
    for (const char *p = value; *p; p++) {
        bool plain = (*p >= '0' && *p <= '9') || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') ||
                     strchr("-._~", *p);
        if (plain)
            vs_buf_putc(query, *p);
        else
            vs_buf_printf(query, "%%%02X", (unsigned)(uint8_t)*p);
    }
}

static vs_code print_json(vs_buf *answer, vs_error *err)
{
    if (answer->n && answer->p[answer->n - 1] != '\n')
        vs_buf_putc(answer, '\n');
    return kc_print(answer, err);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static vs_code get(const kc_options *o, const char *action, vs_buf *answer, vs_buf *etag,
                   vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf path = VS_BUF(PATH_MAX), query = VS_BUF(PATH_MAX);
    VS_TRY(path_of(o->policy, action, &path, err));
    put_param(&query, "version", o->version);
    VS_TRY(vs_buf_check(&query, err));
    const kbsc_admin_call call = {.method = "GET",
                                  .path = (const char *)path.p,
                                  .query = query.n ? (const char *)query.p : NULL};
    return kc_administrate(o, call, answer, etag, err);
}

/* The text, as it is; the ETag goes to stderr, for --if-match. */
static vs_code show(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KC_FILE_MAX), etag = VS_BUF(256);
    VS_TRY(get(o, NULL, &text, &etag, err));
    VS_TRY(kc_print(&text, err));
    if (etag.n)
        (void)fprintf(stderr, "ETag: %.*s\n", VS_FMT(vs_buf_span(&etag)));
    return VS_OK;
}

static void put_version(view *v, vs_val r)
{
    char when[VS_TIME_TEXT];
    vs_val time = vs_getc(r, "time"), version = vs_getc(r, "version"), from = vs_getc(r, "from");
    bool active = vs_is_true(vs_getc(r, "active"));
    view_styled(v, active ? VIEW_GREEN : VIEW_PLAIN, "%s %4lld  %s  ", active ? "*" : " ",
                vs_is_int(version) ? (long long)version.u.i : 0,
                vs_time_rfc3339(vs_is_int(time) ? time.u.i : 0, when));
    view_text(v, vs_text(vs_getc(r, "action")));
    if (vs_is_int(from))
        view_styled(v, VIEW_PLAIN, " of %lld", (long long)from.u.i);
    vs_buf_puts(&v->out, "  ");
    view_text(v, vs_span_head(vs_text(vs_getc(r, "sha256")), 16));
    vs_buf_puts(&v->out, "  ");
    view_text(v, vs_text(vs_getc(r, "who")));
    vs_buf_puts(&v->out, "  ");
    view_text(v, vs_text(vs_getc(r, "note")));
    vs_buf_puts(&v->out, "\n");
}

static vs_code parse(vs_arena *a, const vs_buf *answer, vs_val *out, vs_error *err)
{
    VS_TRY_WRAP(vs_json_parse(a, vs_buf_span(answer), NULL, out, err), err,
                "the server's answer is not JSON");
    return VS_OK;
}

static vs_code flush(view *v, vs_error *err)
{
    return view_flush(v) ? VS_OK : vs_fail(err, VS_E_IO, "writing to standard output");
}

static vs_code history(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(KC_FILE_MAX);
    VS_TRY(get(o, "history", &answer, NULL, err));
    if (!kc_for_people())
        return print_json(&answer, err);
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(view_free) view v;
    vs_val list;
    vs_arena_init(&a, 0);
    view_init(&v);
    VS_TRY(parse(&a, &answer, &list, err));
    for (uint32_t i = 0; list.kind == VS_ARRAY && i < list.len; i++)
        put_version(&v, list.u.items[i]);
    return flush(&v, err);
}

static vs_code list_names(const kc_options *o, const char *path, vs_arena *a, vs_val *out,
                          vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(KC_FILE_MAX);
    VS_TRY(
        kc_administrate(o, (kbsc_admin_call){.method = "GET", .path = path}, &answer, NULL, err));
    vs_val v;
    VS_TRY(parse(a, &answer, &v, err));
    *out = vs_copy(a, v);
    return vs_arena_check(a, err);
}

static void add_names(vs_vec *to, const char *prefix, vs_val names)
{
    for (uint32_t i = 0; names.kind == VS_ARRAY && i < names.len; i++)
        vs_vec_add(
            to, vs_cstring(vs_sprintf(to->a, "%s%.*s", prefix, VS_FMT(vs_text(names.u.items[i])))));
}

static vs_code print_names(vs_val names, vs_error *err)
{
    if (!kc_for_people()) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(KC_FILE_MAX);
        vs_json_print(&out, names);
        return print_json(&out, err);
    }
    VS_CLEANUP(view_free) view v;
    view_init(&v);
    for (uint32_t i = 0; names.kind == VS_ARRAY && i < names.len; i++) {
        view_text(&v, vs_text(names.u.items[i]));
        vs_buf_puts(&v.out, "\n");
    }
    return flush(&v, err);
}

static vs_code list(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_val attestation, repositories;
    vs_vec all = {.a = &a};
    VS_TRY(list_names(o, "attestation-policy", &a, &attestation, err));
    VS_TRY(list_names(o, "resource-policy/repository", &a, &repositories, err));
    add_names(&all, "attestation/", attestation);
    vs_vec_add(&all, vs_cstring("resource"));
    add_names(&all, "resource/", repositories);
    return print_names(vs_vec_end_array(&all), err);
}

static vs_code list_resources(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_val paths;
    VS_TRY(list_names(o, "resource", &a, &paths, err));
    return print_names(paths, err);
}

/* ---- changing ---------------------------------------------------------------------------------
 */

static vs_code change(const kc_options *o, const char *method, const char *action, vs_span text,
                      vs_error *err)
{
    VS_CLEANUP(vs_buf_free)
    vs_buf path = VS_BUF(PATH_MAX), query = VS_BUF(16 * 1024), answer = VS_BUF(KC_FILE_MAX);
    VS_TRY(path_of(o->policy, action, &path, err));
    put_param(&query, "version", o->version);
    put_param(&query, "note", o->note);
    VS_TRY(vs_buf_check(&query, err));
    const kbsc_admin_call call = {.method = method,
                                  .path = (const char *)path.p,
                                  .query = query.n ? (const char *)query.p : NULL,
                                  .content_type = text.p ? "text/plain; charset=utf-8" : NULL,
                                  .if_match = o->if_match,
                                  .if_none_match = o->create ? "*" : NULL,
                                  .body = text};
    vs_code code = kc_administrate(o, call, &answer, NULL, err);
    if (code == VS_E_CONFLICT)
        (void)vs_wrap(err,
                      "somebody else has changed the policy: read it again (config policy get)");
    VS_TRY(code);
    return print_json(&answer, err);
}

static vs_code set(const kc_options *o, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf policy = VS_BUF(KC_FILE_MAX);
    VS_TRY_WRAP(vs_read_file(o->policy_file, &policy, err), err, "reading the policy");
    return change(o, "PUT", NULL, policy.p ? vs_buf_span(&policy) : VS_LIT(""), err);
}

static vs_code activate(const kc_options *o, vs_error *err)
{
    return change(o, "POST", "activate", (vs_span){NULL, 0}, err);
}

static vs_code rollback(const kc_options *o, vs_error *err)
{
    return change(o, "POST", "rollback", (vs_span){NULL, 0}, err);
}

static vs_code delete (const kc_options *o, vs_error *err)
{
    return change(o, "DELETE", NULL, (vs_span){NULL, 0}, err);
}

/* ---- the command line -------------------------------------------------------------------------
 */

#define RUN(command)                                                                               \
    static int run_##command(void *opts)                                                           \
    {                                                                                              \
        vs_error err = {0};                                                                        \
        return kc_finish(command(opts, &err), &err);                                               \
    }
RUN(list)
RUN(show)
RUN(history)
RUN(set)
RUN(activate)
RUN(rollback)
RUN(delete)

int kc_run_list_resources(void *opts)
{
    vs_error err = {0};
    return kc_finish(list_resources(opts, &err), &err);
}

#define AT(member) .at = offsetof(kc_options, member)
#define VERSION(needed, text)                                                                      \
    {                                                                                              \
        .name = "version", .value = "N", AT(version), .required = needed, .help = text             \
    }
#define NOTE                                                                                       \
    {                                                                                              \
        .name = "note", .value = "TEXT", AT(note), .help = "Why, for the history"                  \
    }
#define IF_MATCH                                                                                   \
    {                                                                                              \
        .name = "if-match", .value = "ETAG", AT(if_match), .group = 1,                             \
        .help = "Only if it is still as `get` showed it"                                           \
    }

static const cli_argument the_policy[] = {
    {.name = "POLICY",
     AT(policy),
     .required = true,
     .help = "attestation/ID, resource, or resource/REPOSITORY"},
    {0}};
static const cli_argument policy_and_file[] = {
    {.name = "POLICY",
     AT(policy),
     .required = true,
     .help = "attestation/ID, resource, or resource/REPOSITORY"},
    {.name = "FILE", AT(policy_file), .required = true, .help = "Policy in Rego"},
    {0}};

static const cli_option show_options[] = {VERSION(false, "An older version"), {0}};
static const cli_option set_options[] = {
    NOTE,
    IF_MATCH,
    {.name = "create", AT(create), .group = 1, .help = "Only if there is none"},
    {0}};
static const cli_option activate_options[] = {
    VERSION(true, "Version of the history"), NOTE, IF_MATCH, {0}};
static const cli_option change_options[] = {NOTE, IF_MATCH, {0}};

const cli_command kc_policy_commands[] = {
    {.name = "list", .summary = "Print the names of all policies", .run = run_list},
    {.name = "get",
     .summary = "Print a policy's text; its ETag goes to stderr",
     .options = show_options,
     .arguments = the_policy,
     .run = run_show},
    {.name = "history",
     .summary = "Print who changed a policy, when and why",
     .arguments = the_policy,
     .run = run_history},
    {.name = "set",
     .summary = "Replace a policy",
     .options = set_options,
     .arguments = policy_and_file,
     .run = run_set},
    {.name = "activate",
     .summary = "Put an older version in force again",
     .options = activate_options,
     .arguments = the_policy,
     .run = run_activate},
    {.name = "rollback",
     .summary = "Go back to what was in force before",
     .options = change_options,
     .arguments = the_policy,
     .run = run_rollback},
    {.name = "delete",
     .summary = "Delete a policy; its history stays",
     .options = change_options,
     .arguments = the_policy,
     .run = run_delete},
    {0}};
