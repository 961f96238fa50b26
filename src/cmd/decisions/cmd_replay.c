/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe replay`: a sealed record evaluated again, offline. */
#include <stdlib.h>

#include "as/replay.h"
#include "base/io.h"
#include "cmd/commands.h"
#include "cmd/decisions/admin.h"
#include "cmd/view.h"

typedef struct options {
    const char *file, *key;
    bool payload;
} options;

static int run(void *opts);

#define AT(member) .at = offsetof(options, member)
static const cli_option table[] = {
    {.name = "key",
     .letter = 'k',
     .value = "FILE",
     AT(key),
     .help = "Public key of the seal, JWK or PEM (`vouchsafe audit key`)"},
    {.name = "payload", AT(payload), .help = "Print the EAR payload and nothing else"},
    {0}};
static const cli_argument arguments[] = {
    {.name = "RECORD",
     .help = "File made by `vouchsafe explain --export`; - is standard input",
     .required = true,
     AT(file)},
    {0}};
static const cli_command top = {
    .name = "vouchsafe replay",
    .summary = "Evaluate a sealed record again: same policy, same reference values, same time",
    .options = table,
    .arguments = arguments,
    .run = run,
    .more =
        "  Exit status 0 when the EAR payload is the recorded one bit for bit, 3 when it is not.\n"
        "  Without --key the record's seal is not checked.\n",
    .version = "vouchsafe " VS_VERSION};

enum { EXIT_DIFFERENT = 3 };

static void show(view *v, const as_replayed *r, bool sealed)
{
    view_styled(v, r->same ? VIEW_GREEN : VIEW_RED, "%s",
                r->same ? "the same payload, bit for bit" : "another payload than was recorded");
    vs_buf_putc(&v->out, '\n');
    view_row(v, 1, "status", vs_str(r->status));
    view_row(v, 1, "seal", vs_str(sealed ? "verified" : "not checked (no --key)"));
    for (VS_ARR_FOR (submod, r->explanation)) {
        view_row(v, 1, "submod", vs_text(vs_getc(*submod, "submod")));
        vs_val reasons = vs_getc(*submod, "reasons");
        for (uint32_t i = 0; reasons.kind == VS_ARRAY && i < reasons.len; i++)
            view_row(v, 2, "because", vs_text(reasons.u.items[i]));
    }
}

static vs_code replay(const options *o, vs_arena *a, as_replayed *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf file = VS_BUF(ADMIN_ANSWER_MAX);
    VS_CLEANUP(vs_key_free) vs_key *key = NULL;
    vs_val record;
    VS_TRY(vs_read_file(o->file, &file, err));
    if (o->key)
        VS_TRY(admin_read_key(o->key, a, &key, err));
    VS_TRY(admin_open_record(vs_dup(a, vs_buf_span(&file)), key, a, &record, err));
    const as_replay_options opts = {.policy = admin_policy_in_record, .user = &record};
    return as_replay(vs_getc(record, "appraisal"), &opts, a, out, err);
}

static int run(void *opts)
{
    const options *o = opts;
    vs_error err = {0};
    as_replayed out;
    vs_arena a;
    view v;
    vs_arena_init(&a, 0);
    view_init(&v);
    int rc = EXIT_FAILURE;
    if (replay(o, &a, &out, &err) == VS_OK) {
        rc = out.same ? EXIT_SUCCESS : EXIT_DIFFERENT;
        if (o->payload)
            vs_buf_put(&v.out, out.payload);
        else
            show(&v, &out, o->key != NULL);
        if (!view_flush(&v))
            rc = EXIT_FAILURE;
    } else {
        view_complain("vouchsafe replay", o->file, &err);
    }
    view_free(&v);
    vs_arena_free(&a);
    return rc;
}

int cmd_replay(int argc, char **argv)
{
    options o = {0};
    return cli_main(&top, argc, argv, &o);
}
