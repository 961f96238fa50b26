/* SPDX-License-Identifier: Apache-2.0 */
/* vouchsafe rim image: a realm described by a file. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "cmd/rim/rim_tool.h"
#include "tee/cca/measure/describe.h"
#include "value/toml.h"

typedef struct files {
    rim_input in[CCA_BLOBS_MAX];
    char path[CCA_BLOBS_MAX][PATH_MAX];
    size_t n;
} files;

static void free_files(files **f)
{
    for (size_t i = 0; *f && i < (*f)->n; i++)
        rim_close(&(*f)->in[i]);
    free(*f);
}

/* Beside the description, unless it says where. */
static vs_code path_of(const char *description, vs_span name, char out[PATH_MAX], vs_error *err)
{
    const char *slash = strrchr(description, '/');
    int dir = slash && name.p[0] != '/' ? (int)(slash - description + 1) : 0;
    int n = snprintf(out, PATH_MAX, "%.*s%.*s", dir, description, VS_FMT(name));
    return n < PATH_MAX ? VS_OK : vs_fail(err, VS_E_LIMIT, "a file's name is too long");
}

static vs_code add_files(const char *description, cca_description *d, files *f, vs_error *err)
{
    for (size_t i = 0; i < d->n_files; i++) {
        f->in[i] = (rim_input)RIM_INPUT;
        f->n = i + 1;
        VS_TRY(path_of(description, d->files[i].path, f->path[i], err));
        VS_TRY(rim_open(f->path[i], false, &f->in[i], err));
        VS_TRY_WRAP(cca_description_add(d, i, f->path[i], &f->in[i].source, err), err, "%s",
                    f->path[i]);
    }
    return VS_OK;
}

static vs_code run(const rim_cli *o, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(VS_TOML_MAX);
    VS_CLEANUP(free_files) files *f = NULL;
    cca_description d;
    vs_arena_init(&a, 0);
    VS_TRY(vs_read_file(o->description, &text, err));
    VS_TRY_WRAP(cca_description_parse(&a, vs_buf_span(&text), &d, err), err, "%s", o->description);
    f = calloc(1, sizeof *f);
    if (!f)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    VS_TRY(add_files(o->description, &d, f, err));
    rim_result r = {.image = &d.image};
    return rim_measure(o, &r, err);
}

int rim_run_image(void *opts)
{
    vs_error err = {0};
    return rim_finish(run(opts, &err), &err);
}
