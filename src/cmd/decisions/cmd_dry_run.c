/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe dry-run`: which verdicts would another policy have changed? */
#include <stdlib.h>
#include <unistd.h>

#include "as/replay.h"
#include "base/io.h"
#include "cmd/commands.h"
#include "cmd/decisions/admin.h"
#include "cmd/view.h"
#include "rvps/backend.h"

enum { POLICY_MAX = 1 << 20, EXIT_CHANGES = 3, PATH_TEXT = 1024 };

typedef struct options {
    admin_options admin;
    const char *policy, *id, *last;
    bool json;
} options;

static int run(void *opts);

#define AT(member) .at = offsetof(options, member)
static const cli_option table[] = {
    ADMIN_OPTIONS(options, admin),
    {.name = "policy",
     .value = "FILE",
     .required = true,
     AT(policy),
     .help = "Attestation policy to try"},
    {.name = "id",
     .value = "ID",
     .fallback = "default_cpu",
     AT(id),
     .help = "Policy that it would replace, with its class"},
    {.name = "last",
     .value = "N",
     .fallback = "1000",
     AT(last),
     .help = "How many of the latest decisions to look at"},
    {.name = "json", AT(json), .help = "Print a JSON line per change (so it does in a pipe)"},
    {0}};
static const cli_command top = {
    .name = "vouchsafe dry-run",
    .summary = "Evaluate recorded attestations with another policy and list what would change",
    .options = table,
    .run = run,
    .more =
        "  Recorded reference values are used as they were; others that the policy asks for are\n"
        "  those of today. Nothing is changed. Exit status 0 when no verdict would change, 3\n"
        "  when some would, 1 when a record could not be evaluated.\n",
    .version = "vouchsafe " VS_VERSION};

typedef struct tally {
    size_t looked_at, changed, failed;
} tally;

typedef struct dry_run {
    const options *o;
    admin ad;
    vs_buf policy;
    vs_val record; /* the one at hand */
    view v;
    bool json;
    tally t;
} dry_run;

/* ---- reference values of today ------------------------------------------------------------------
 */

typedef struct today {
    rvps base;
    admin *ad;
} today;

static vs_code today_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                           vs_error *err)
{
    (void)now;
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ADMIN_ANSWER_MAX), path = VS_BUF(PATH_TEXT);
    vs_buf_puts(&path, "reference-value/");
    vs_buf_put(&path, id);
    VS_TRY(vs_buf_check(&path, err));
    if (admin_get(((today *)r)->ad, (const char *)path.p, &answer, err) == VS_OK)
        return vs_json_parse(a, vs_dup(a, vs_buf_span(&answer)), NULL, out, err);
    /* The one way in which a KBS says that there is none (attestation-service.md 8.6). */
    if (memmem(answer.p, answer.n, "No reference value found", 24))
        return VS_OK;
    return err ? err->code : VS_E_IO;
}

static vs_code today_take(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    (void)r, (void)message, (void)now;
    return vs_fail(err, VS_E_UNSUPPORTED, "a dry run changes nothing");
}

static void today_close(rvps *r)
{
    (void)r;
}

static const rvps_ops today_ops = {today_take, today_query, today_close};

/* ---- one record ---------------------------------------------------------------------------------
 */

static vs_code policy_to_try(const void *user, vs_span id, vs_span sha256, vs_arena *a,
                             vs_span *text, vs_error *err)
{
    const dry_run *d = user;
    if (!vs_span_is(id, d->o->id))
        return admin_policy_in_record(&d->record, id, sha256, a, text, err);
    *text = vs_buf_span(&d->policy);
    return VS_OK;
}

static bool is_touched(const dry_run *d, vs_val submods)
{
    for (uint32_t i = 0; submods.kind == VS_ARRAY && i < submods.len; i++)
        if (vs_span_is(vs_text(vs_getc(submods.u.items[i], "policy")), d->o->id))
            return true;
    return false;
}

static void say_change(dry_run *d, vs_span id, vs_span before, const char *after, vs_val why)
{
    vs_span reason = vs_text(vs_pointer(why, VS_LIT("/0/reasons/0")));
    if (d->json) {
        vs_jw w = {.out = &d->v.out};
        vs_jw_open(&w, '{');
        vs_jw_key(&w, "decision");
        vs_jw_span(&w, id);
        vs_jw_key(&w, "before");
        vs_jw_span(&w, before);
        vs_jw_key(&w, "after");
        vs_jw_str(&w, after);
        vs_jw_key(&w, "reasons");
        vs_jw_val(&w, vs_pointer(why, VS_LIT("/0/reasons")));
        vs_jw_close(&w, '}');
        vs_buf_putc(&d->v.out, '\n');
        return;
    }
    view_text(&d->v, id);
    view_styled(&d->v, VIEW_PLAIN, "  %.*s -> ", VS_FMT(before));
    view_styled(&d->v, strcmp(after, "affirming") == 0 ? VIEW_GREEN : VIEW_YELLOW, "%s", after);
    vs_buf_putc(&d->v.out, '\n');
    if (reason.n)
        view_row(&d->v, 1, "because", reason);
}

static vs_code fetch(dry_run *d, vs_span id, vs_arena *a, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ADMIN_ANSWER_MAX), path = VS_BUF(PATH_TEXT);
    vs_buf_printf(&path, "decision/%.*s?export=1", VS_FMT(id));
    VS_TRY(vs_buf_check(&path, err));
    VS_TRY(admin_get(&d->ad, (const char *)path.p, &answer, err));
    return admin_open_record(vs_dup(a, vs_buf_span(&answer)), NULL, a, &d->record, err);
}

static vs_code try_record(dry_run *d, vs_span id, vs_arena *a, vs_error *err)
{
    VS_TRY(fetch(d, id, a, err));
    vs_val appraisal = vs_getc(d->record, "appraisal");
    if (!is_touched(d, vs_getc(appraisal, "submods")))
        return VS_OK;
    d->t.looked_at++;
    today values = {{&today_ops}, &d->ad};
    const as_replay_options opts = {
        .policy = policy_to_try, .user = d, .other_values = &values.base};
    as_replayed out;
    VS_TRY(as_replay(appraisal, &opts, a, &out, err));
    vs_span before = vs_text(vs_getc(appraisal, "status"));
    if (!vs_span_is(before, out.status)) {
        d->t.changed++;
        say_change(d, id, before, out.status, out.explanation);
    }
    return VS_OK;
}

/* ---- all of them --------------------------------------------------------------------------------
 */

static void show_progress(size_t done, size_t of)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%zu of %zu%s", done, of, done == of ? "\r\x1b[K" : "");
}

static vs_code list_ids(dry_run *d, vs_arena *a, vs_val *ids, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf answer = VS_BUF(ADMIN_ANSWER_MAX), path = VS_BUF(PATH_TEXT);
    vs_buf_printf(&path, "decision?last=%s", d->o->last);
    VS_TRY(vs_buf_check(&path, err));
    VS_TRY(admin_get(&d->ad, (const char *)path.p, &answer, err));
    VS_TRY(vs_json_parse(a, vs_dup(a, vs_buf_span(&answer)), NULL, ids, err));
    return ids->kind == VS_ARRAY ? VS_OK : vs_fail(err, VS_E_PARSE, "the KBS gave no list");
}

static vs_code try_all(dry_run *d, vs_arena *a, vs_error *err)
{
    vs_val ids;
    VS_TRY_WRAP(vs_read_file(d->o->policy, &d->policy, err), err, "reading the policy");
    VS_TRY(list_ids(d, a, &ids, err));
    for (uint32_t i = 0; i < ids.len; i++) {
        vs_arena one;
        vs_error why = {0};
        vs_arena_init(&one, 0);
        vs_code code = try_record(d, vs_text(ids.u.items[i]), &one, &why);
        vs_arena_free(&one);
        if (code == VS_E_PARSE || (code == VS_E_INVALID && d->t.looked_at == 1)) {
            if (err)
                *err = why; /* the policy itself is wrong: no need to say so a thousand times */
            return code;
        }
        if (code != VS_OK) {
            d->t.failed++;
            view_complain("vouchsafe dry-run", NULL, &why);
        }
        show_progress(i + 1, ids.len);
    }
    return VS_OK;
}

static int finish(dry_run *d)
{
    if (!d->json) {
        view_styled(&d->v, VIEW_BOLD, "%zu attestations, %zu verdicts would change, %zu failed",
                    d->t.looked_at, d->t.changed, d->t.failed);
        vs_buf_putc(&d->v.out, '\n');
    }
    if (!view_flush(&d->v) || d->t.failed)
        return EXIT_FAILURE;
    return d->t.changed ? EXIT_CHANGES : EXIT_SUCCESS;
}

static int run(void *opts)
{
    const options *o = opts;
    dry_run d = {.o = o, .policy = VS_BUF(POLICY_MAX)};
    vs_error err = {0};
    vs_arena a;
    vs_arena_init(&a, 0);
    view_init(&d.v);
    d.json = o->json || !isatty(STDOUT_FILENO);
    int rc = EXIT_FAILURE;
    vs_code code = admin_open(&o->admin, &d.ad, &err);
    if (code == VS_OK) {
        code = try_all(&d, &a, &err);
        admin_close(&d.ad);
    }
    if (code == VS_OK)
        rc = finish(&d);
    else
        view_complain("vouchsafe dry-run", o->policy, &err);
    view_free(&d.v);
    vs_buf_free(&d.policy);
    vs_arena_free(&a);
    return rc;
}

int cmd_dry_run(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
