/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of the sources were evaluated. */
#include <stdlib.h>

#include "rego/vm.h"

struct rego_coverage {
    const rego_program *p;
    struct rows {
        uint8_t *at; /* by row: rego_row */
        size_t n;
    } * mods;
};

static void note(rego_coverage *c, const debug *d, rego_row what)
{
    struct rows *r = d->mod < c->p->n_mods ? &c->mods[d->mod] : NULL;
    if (r && d->row && d->row < r->n && r->at[d->row] < what)
        r->at[d->row] = (uint8_t)what;
}

static size_t count_rows(vs_span text)
{
    size_t n = 2; /* rows count from 1 */
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

vs_code rego_coverage_new(rego_program *p, rego_coverage **out, vs_error *err)
{
    rego_coverage *c = calloc(1, sizeof *c);
    *out = NULL;
    if (c)
        c->mods = calloc(p->n_mods + 1, sizeof *c->mods);
    bool ok = c && c->mods;
    if (ok)
        c->p = rego_program_ref(p);
    for (size_t i = 0; ok && i < p->n_mods; i++) {
        c->mods[i].n = count_rows(p->mod_texts[i]);
        c->mods[i].at = calloc(c->mods[i].n, 1);
        ok = c->mods[i].at != NULL;
    }
    if (!ok) {
        rego_coverage_free(&c);
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < p->n_groups; i++)
        for (size_t k = 0; k < p->groups[i]->code.n; k++)
            note(c, &p->groups[i]->code.dbg[k], REGO_ROW_MISSED);
    *out = c;
    return VS_OK;
}

void rego_coverage_free(rego_coverage **cp)
{
    rego_coverage *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    for (size_t i = 0; c->p && i < c->p->n_mods; i++)
        free(c->mods[i].at);
    rego_program *p = (rego_program *)(uintptr_t)c->p;
    rego_program_unref(&p);
    free(c->mods);
    free(c);
}

void coverage_mark(rego_coverage *c, const debug *d)
{
    note(c, d, REGO_ROW_COVERED);
}

rego_row rego_coverage_row(const rego_coverage *c, const char *module, uint32_t row)
{
    for (size_t i = 0; i < c->p->n_mods; i++)
        if (strcmp(c->p->mod_names[i], module) == 0)
            return row < c->mods[i].n ? (rego_row)c->mods[i].at[row] : REGO_ROW_NONE;
    return REGO_ROW_NONE;
}
