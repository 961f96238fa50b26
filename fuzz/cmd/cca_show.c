/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CCA token, or as claims, to the tree, the page and JSON: whatever is in it, no
 * character that steers a terminal and no markup of a stranger's comes out. */
#include <stdlib.h>

#include "cmd/cca_show.h"
#include "value/json.h"

/* What the writers themselves put out on a terminal is not there: the view is a pipe's. */
static void expect_tame(vs_span out)
{
    for (size_t i = 0; i < out.n; i++)
        if ((out.p[i] < 0x20 && out.p[i] != '\n') || out.p[i] == 0x7f)
            abort();
}

/* The page has no element but those that the writer has. */
static void expect_no_script(vs_span page)
{
    static const char *const never[] = {"<script", "<img", "<iframe", "<a ", "<object", "<b>"};
    for (size_t k = 0; k < VS_COUNT(never); k++)
        if (memmem(page.p, page.n, never[k], strlen(never[k])))
            abort();
}

static void write_all(const report *r)
{
    view v = {.out = VS_BUF(1 << 22)}, terminal = {.out = VS_BUF(1 << 22), .terminal = true};
    vs_buf page = VS_BUF(1 << 22);
    report_show(&v, r, true);
    report_show(&terminal, r, false);
    report_html(&page, r);
    if (vs_buf_ok(&v.out))
        expect_tame(vs_buf_span(&v.out));
    expect_tame(vs_buf_span(&terminal.out)); /* no colour was asked for */
    expect_tame(vs_buf_span(&page));
    expect_no_script(vs_buf_span(&page));
    view_free(&v);
    view_free(&terminal);
    vs_buf_free(&page);
}

static void show_json(report *r, const cca_token *t)
{
    view v = {.out = VS_BUF(1 << 22)};
    vs_buf text = VS_BUF(1 << 22);
    vs_json_print(&text, cca_token_value(r, t));
    view_json(&v, vs_buf_span(&text));
    expect_tame(vs_buf_span(&v.out));
    vs_buf_free(&text);
    view_free(&v);
}

static void show_claims(vs_arena *a, vs_span in)
{
    report *r = VS_NEW(a, report);
    cca_platform p;
    cca_realm realm;
    if (!r)
        return;
    r->a = a;
    if (cca_platform_decode(a, in, &p, NULL) == VS_OK && cca_report_platform(r, &p, NULL) == VS_OK)
        write_all(r);
    else if (cca_realm_decode(in, &realm, NULL) == VS_OK &&
             cca_report_realm(r, &realm, NULL) == VS_OK)
        write_all(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_arena_init(&a, 1 << 22);
    vs_span in = vs_span_of(data, size);
    cca_token t;
    cca_expect expect = {.challenge = vs_span_head(in, 64)};
    report *r = VS_NEW(&a, report);
    if (r && cca_token_decode(&a, in, &t, NULL) == VS_OK) {
        r->a = &a;
        if (cca_report_token(r, &t, &expect, NULL) == VS_OK) {
            write_all(r);
            show_json(r, &t);
        }
    } else {
        show_claims(&a, in);
    }
    vs_arena_free(&a);
    return 0;
}
