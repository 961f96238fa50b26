/* SPDX-License-Identifier: Apache-2.0 */
/* `vouchsafe corim`: what its subcommands have in common. */
#ifndef VS_CMD_CORIM_TOOL_H
#define VS_CMD_CORIM_TOOL_H

#include "cmd/cli.h"
#include "cmd/decisions/admin.h"
#include "cmd/view.h"
#include "envelope/corim_template.h"

typedef struct corim_options {
    const char *file, *output;
    const char *template;
    cli_list comids;                                               /* create */
    const char *key, *chain, *kid, *meta, *name, *uri, *from, *to; /* sign */
    cli_list trust, crls;                                          /* verify */
    const char *at;
    bool json;
    admin_options kbs; /* submit */
    const char *veraison;
} corim_options;

extern const cli_option corim_create_options[], corim_sign_options[], corim_verify_options[],
    corim_show_options[], corim_submit_options[];
extern const char corim_submit_more[];
int corim_create(void *opts);
int corim_sign(void *opts);
int corim_verify(void *opts);
int corim_show(void *opts);
int corim_submit(void *opts);

#define CORIM_AT(member) .at = offsetof(corim_options, member)
#define CORIM_OUTPUT                                                                               \
    {                                                                                              \
        .name = "output", .letter = 'o', .value = "FILE", CORIM_AT(output), .fallback = "-",       \
        .help = "Where to write it; - is standard output"                                          \
    }

/* A file, onto the arena; CORIM_SIZE_MAX at most. */
VS_MUST vs_code corim_read(vs_arena *a, const char *path, vs_span *out, vs_error *err);
VS_MUST vs_code corim_read_json(vs_arena *a, const char *path, vs_val *out, vs_error *err);
/* Not to a terminal. */
VS_MUST vs_code corim_write(const char *path, vs_span data, vs_error *err);
/* Exit code of a subcommand, after complaining about `file` when it failed. */
int corim_end(const char *name, const char *file, vs_code code, const vs_error *err);

/* An opened and read CoRIM. */
typedef struct corim_file {
    vs_span bytes;
    corim_envelope env;
    corim content;
    vs_val template; /* of the manifest */
} corim_file;
VS_MUST vs_code corim_load(vs_arena *a, const char *path, corim_file *out, vs_error *err);

/* corim_tree.c: a manifest's template for people. */
void corim_tree(view *v, vs_arena *a, vs_val template);

#endif
