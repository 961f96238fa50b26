/* SPDX-License-Identifier: Apache-2.0 */
#include "expressions.h"

#include "rego/builtin.h"

static void keep_first(void *user, vs_val bindings, vs_val values)
{
    (void)values;
    vs_buf *out = user;
    if (out->n == 0)
        rego_print_value(out, vs_getc(bindings, "x"));
}

static void answer(const known_answer *t, bool v0, vs_buf *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf query = VS_BUF(1 << 20);
    vs_buf_printf(&query, "x = %s", t->expression);
    rego_options opts = {.query = vs_buf_span(&query), .query_v0 = v0, .no_type_check = true};
    rego_inputs in = {.now_ns = 1700000000123456789, .seed = 1};
    rego_program *p;
    rego_eval *e = NULL;
    rego_diag diag = {0};
    vs_error err = {0};
    if (rego_compile(NULL, 0, &opts, &p, &diag, &err) == VS_OK) {
        assert_vs_ok(rego_eval_new(p, &e, &err), &err);
        assert_vs_ok(rego_eval_begin(e, &in, &err), &err);
        if (rego_eval_query(e, keep_first, out, &diag, &err) == VS_OK && out->n == 0)
            vs_buf_puts(out, "undefined");
    }
    if (diag.code != REGO_OK) {
        vs_buf_clear(out);
        vs_buf_printf(out, "!%s: %s", rego_errcode_name(diag.code), diag.message);
    }
    rego_eval_free(&e);
    rego_program_unref(&p);
}

/* "!code: text" wants that code, and the text anywhere in the message. */
static bool is_wanted(const char *want, const char *got)
{
    const char *text = strstr(want, ": ");
    if (want[0] != '!' || !text)
        return strcmp(want, got) == 0;
    return strncmp(want, got, (size_t)(text - want) + 2) == 0 && strstr(got, text + 2) != NULL;
}

static void check(const known_answer *t, size_t n, bool v0)
{
    for (size_t i = 0; i < n; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf out = VS_BUF(1 << 20);
        answer(&t[i], v0, &out);
        vs_buf_putc(&out, 0);
        const char *got = (const char *)out.p;
        if (!is_wanted(t[i].want, got))
            fail_msg("%s\n  want %s\n  got  %s", t[i].expression, t[i].want, got);
    }
}

void check_answers(const known_answer *t, size_t n)
{
    check(t, n, false);
}

void check_answers_v0(const known_answer *t, size_t n)
{
    check(t, n, true);
}
