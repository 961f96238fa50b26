/* SPDX-License-Identifier: Apache-2.0 */
/* One evaluation of a query from the command line. */
#include <stdio.h>
#include <string.h>

#include "cmd/rego/rego_tool.h"

bool rego_is_format(const char *format, const char *const *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(format, known[i]) == 0)
            return true;
    fprintf(stderr, "vouchsafe rego: unknown --format '%s'; known are", format);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s%s", i ? ", " : " ", known[i]);
    fputc('\n', stderr);
    return false;
}

void rego_session_free(rego_session *x)
{
    rego_eval_free(&x->e);
    rego_program_unref(&x->p);
    rego_sources_free(&x->s);
}

static bool read_all(rego_session *x, const rego_cli *o, vs_val *input)
{
    const char *from = o->stdin_input ? "-" : o->input;
    vs_code code = rego_sources_add_all(&x->s, &o->data, o->v0, &x->err);
    if (code == VS_OK && o->stdin_input && o->input)
        code = vs_fail(&x->err, VS_E_INVALID, "--input and --stdin-input exclude each other");
    if (code == VS_OK && from)
        code = rego_read_document(&x->s.a, from, input, &x->err);
    if (code != VS_OK)
        (void)rego_complain(NULL, NULL, &x->err);
    return code == VS_OK;
}

bool rego_session_run(rego_session *x, const rego_cli *o, bool explain)
{
    vs_val input = vs_undefined();
    *x = (rego_session){.results = vs_empty(VS_ARRAY)};
    rego_sources_init(&x->s);
    if (!read_all(x, o, &input))
        return false;
    x->p = rego_tool_compile(o, &x->s, o->query);
    if (!x->p)
        return false;
    rego_inputs in = rego_tool_inputs(&x->s, input);
    in.explain = explain;
    rego_answers answers = {.a = &x->s.a, .results = {.a = &x->s.a}, .query = o->query};
    vs_code code = rego_eval_new(x->p, &x->e, &x->err);
    if (code == VS_OK)
        code = rego_eval_begin(x->e, &in, &x->err);
    if (code == VS_OK)
        code = rego_eval_query(x->e, rego_collect, &answers, &x->diag, &x->err);
    if (code == VS_OK) {
        x->results = vs_vec_end_array(&answers.results);
        code = vs_arena_check(&x->s.a, &x->err);
    }
    if (code != VS_OK)
        (void)rego_complain(&x->s, &x->diag, &x->err);
    return code == VS_OK;
}
