/* SPDX-License-Identifier: Apache-2.0 */
/* fmt: the usual layout, printed, written back, or only compared. */
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "cmd/rego/rego_tool.h"

enum { TEXT_MAX = 64 << 20 };

/* 1 = would change, 0 = would not, -1 = failed. */
static int format_one(const rego_cli *o, rego_sources *s, size_t i)
{
    VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(TEXT_MAX);
    const rego_module *m = &s->modules[i];
    rego_diag d = {0};
    vs_error err = {0};
    if (rego_format(m->name, m->text, m->v0, &out, &d, &err) != VS_OK) {
        (void)snprintf(d.file, sizeof d.file, "%s", m->name);
        (void)rego_complain(s, &d, &err);
        return -1;
    }
    bool changed = !vs_span_eq(m->text, vs_buf_span(&out));
    if (o->list) {
        if (changed)
            puts(m->name);
    } else if (o->write) {
        if (changed && vs_write_file(m->name, vs_buf_span(&out), 0644, &err) != VS_OK) {
            (void)rego_complain(NULL, NULL, &err);
            return -1;
        }
    } else {
        (void)fwrite(out.p ? out.p : (const uint8_t *)"", 1, out.n, stdout);
    }
    return changed;
}

int rego_run_fmt(void *opts)
{
    const rego_cli *o = opts;
    rego_sources s;
    vs_error err = {0};
    bool failed = false, changed = false;
    if (o->files.n == 0 && o->write) {
        fprintf(stderr, "vouchsafe rego: --write needs files\n");
        return CLI_EXIT_USAGE;
    }
    rego_sources_init(&s);
    vs_code code = o->files.n ? rego_sources_add_all(&s, &o->files, o->v0, &err)
                              : rego_sources_add(&s, "/dev/stdin", o->v0, &err);
    if (code != VS_OK)
        failed = rego_complain(NULL, NULL, &err) != 0;
    for (size_t i = 0; !failed && i < s.n; i++) {
        int r = format_one(o, &s, i);
        failed |= r < 0;
        changed |= r > 0;
    }
    rego_sources_free(&s);
    return failed || ((o->list || o->fail) && changed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
