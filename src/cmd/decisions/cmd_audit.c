/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe audit verify|key`: is an audit log whole, and whose is it? */
#include <stdlib.h>

#include "base/io.h"
#include "cmd/commands.h"
#include "cmd/decisions/admin.h"
#include "cmd/view.h"
#include "kbs/audit.h"

typedef struct options {
    admin_options admin;
    const char *file, *key;
    bool json;
} options;

static int verify(void *opts);
static int print_key(void *opts);

enum { LOG_MAX = 1 << 30 };

#define AT(member) .at = offsetof(options, member)
static const cli_option verify_options[] = {
    {.name = "key",
     .letter = 'k',
     .value = "FILE",
     AT(key),
     .help = "The log's public key, JWK or PEM, got from the server before (`audit key`)"},
    {.name = "json", AT(json), .help = "Print JSON"},
    {0}};
static const cli_argument verify_arguments[] = {
    {.name = "LOG", .help = "The file; - is standard input", .required = true, AT(file)}, {0}};
static const cli_option key_options[] = {ADMIN_OPTIONS(options, admin), {0}};
static const cli_command commands[] = {
    {.name = "verify",
     .summary = "Check the chain and the signed checkpoints of an audit log",
     .options = verify_options,
     .arguments = verify_arguments,
     .run = verify,
     .more = "  Exit status 0 when the log is whole and its last checkpoint is at its end, 3 when\n"
             "  lines after the last checkpoint are vouched for by nobody yet (the log is in use,\n"
             "  or the process was killed), 1 when it was changed.\n"
             "  Without --key the key in the log itself is used: whoever can write a new log can\n"
             "  write its key too.\n"},
    {.name = "key",
     .summary = "Print the public key that signs the audit log and sealed records, as JWK",
     .options = key_options,
     .run = print_key},
    {0}};
static const cli_command top = {.name = "vouchsafe audit",
                                .summary = "Work with the audit log",
                                .commands = commands,
                                .version = "vouchsafe " VS_VERSION};

enum { EXIT_OPEN_END = 3 };

static void show(view *v, const audit_report *r, bool trusted)
{
    bool whole = r->unsigned_lines == 0 && !r->torn;
    view_styled(v, whole ? VIEW_GREEN : VIEW_YELLOW, "%s",
                whole ? "whole" : "whole up to the last checkpoint, not signed behind it");
    vs_buf_putc(&v->out, '\n');
    view_rowf(v, 1, "events", "%llu", (unsigned long long)r->events);
    view_rowf(v, 1, "lines", "%llu to %llu", (unsigned long long)r->first_seq,
              (unsigned long long)r->last_seq);
    view_rowf(v, 1, "checkpoints", "%llu", (unsigned long long)r->checkpoints);
    view_rowf(v, 1, "starts of the server", "%llu", (unsigned long long)r->starts);
    if (r->unsigned_lines)
        view_rowf(v, 1, "not yet signed", "%llu lines", (unsigned long long)r->unsigned_lines);
    if (r->torn)
        view_row(v, 1, "last line", VS_LIT("torn"));
    view_row(v, 1, "goes on after", vs_str(r->first_prev));
    view_row(v, 1, "next log begins with", vs_str(r->last_hash));
    view_row(v, 1, "key", vs_str(trusted ? "as given" : "the log's own: proves no more than that"));
}

static void print(view *v, const audit_report *r, bool trusted)
{
    vs_jw w = {.out = &v->out};
    vs_jw_open(&w, '{');
    const struct {
        const char *name;
        uint64_t n;
    } numbers[] = {{"events", r->events},
                   {"lines", r->lines},
                   {"first_seq", r->first_seq},
                   {"last_seq", r->last_seq},
                   {"checkpoints", r->checkpoints},
                   {"starts", r->starts},
                   {"unsigned_lines", r->unsigned_lines}};
    for (size_t i = 0; i < VS_COUNT(numbers); i++) {
        vs_jw_key(&w, numbers[i].name);
        vs_jw_int(&w, (int64_t)numbers[i].n);
    }
    vs_jw_key(&w, "torn");
    vs_jw_val(&w, vs_bool(r->torn));
    vs_jw_key(&w, "key_given");
    vs_jw_val(&w, vs_bool(trusted));
    vs_jw_key(&w, "first_prev");
    vs_jw_str(&w, r->first_prev);
    vs_jw_key(&w, "last_hash");
    vs_jw_str(&w, r->last_hash);
    vs_jw_close(&w, '}');
    vs_buf_putc(&v->out, '\n');
}

static vs_code check(const options *o, vs_arena *a, audit_report *r, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf log = VS_BUF(LOG_MAX);
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    if (o->key)
        VS_TRY(admin_read_key(o->key, a, &key, err));
    VS_TRY(vs_read_file(o->file, &log, err));
    return audit_verify(vs_buf_span(&log), key, r, NULL, NULL, err);
}

static int verify(void *opts)
{
    const options *o = opts;
    vs_error err = {0};
    audit_report r;
    vs_arena a;
    view v;
    vs_arena_init(&a, 0);
    view_init(&v);
    int rc = EXIT_FAILURE;
    if (check(o, &a, &r, &err) == VS_OK) {
        rc = r.unsigned_lines || r.torn ? EXIT_OPEN_END : EXIT_SUCCESS;
        (o->json ? print : show)(&v, &r, o->key != NULL);
        if (!view_flush(&v))
            rc = EXIT_FAILURE;
    } else {
        view_complain("vouchsafe audit", o->file, &err);
    }
    view_free(&v);
    vs_arena_free(&a);
    return rc;
}

static int print_key(void *opts)
{
    const options *o = opts;
    vs_error err = {0};
    admin ad;
    view v;
    view_init(&v);
    vs_code code = admin_open(&o->admin, &ad, &err);
    if (code == VS_OK) {
        code = admin_get(&ad, "decision/key", &v.out, &err);
        admin_close(&ad);
    }
    vs_buf_putc(&v.out, '\n');
    bool ok = code == VS_OK && view_flush(&v);
    if (code != VS_OK)
        view_complain("vouchsafe audit", o->admin.url, &err);
    view_free(&v);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_audit(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
