/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report as one HTML page: nothing is loaded from anywhere, and a content security policy forbids
 * scripts and requests altogether. Colours follow the reader's light or dark setting; every colour
 * has its word beside it.
 */
#include "base/enc.h"
#include "cmd/show/report.h"

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;"
    "--card:#f6f8fa;--good:#1a7f37;--warn:#9a6700;--bad:#b3261e;--none:#6e7781}"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9ba4ae;"
    "--line:#30363d;--card:#161b22;--good:#3fb950;--warn:#d29922;--bad:#ff7b72;--none:#8b949e}}"
    "body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:64rem;margin:0 auto;padding:1.5rem}"
    "h1{margin:0}h2{margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}"
    ".sub{color:var(--dim);margin:.2rem 0}"
    "code{font:.85em/1.4 ui-monospace,monospace;overflow-wrap:anywhere}"
    ".none{color:var(--none)}.affirming,.passed{color:var(--good)}"
    ".warning,.open{color:var(--warn)}.contraindicated,.failed{color:var(--bad)}"
    ".vectors{display:flex;flex-wrap:wrap;gap:1.5rem}"
    "figure{margin:0;padding:1rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:.5rem;flex:1 1 24rem}figcaption{font-weight:600}"
    "svg{display:block;width:14rem;max-width:100%;margin:.5rem auto}"
    "svg path{fill:currentColor;fill-opacity:.75;stroke:var(--card);stroke-width:1.5}"
    "svg circle{fill:none;stroke:var(--line)}svg text{fill:var(--fg);font-size:11px;"
    "text-anchor:middle;dominant-baseline:middle}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "td:last-child,.wide "
    "td{overflow-wrap:anywhere}th,td{text-align:left;vertical-align:top;padding:.15rem .6rem "
    ".15rem 0}"
    "tbody tr{border-top:1px solid var(--line)}thead th{color:var(--dim);font-weight:500}"
    "tbody th{font-weight:500}details{margin:.2rem 0 .2rem 1rem}summary{font-weight:600;"
    "cursor:pointer}.leaf{display:flex;flex-wrap:wrap;gap:0 .8rem;margin:.1rem 0 .1rem 1rem}"
    ".leaf>.k{flex:0 0 13rem;color:var(--dim)}.leaf>.d{flex:1 1 "
    "20rem;min-width:0;overflow-wrap:anywhere}.note{color:var(--dim)}"
    "@media print{:root{--bg:#fff;--fg:#000;--dim:#444;--line:#999;--card:#fff}"
    "main{max-width:none;padding:0}figure,tr,.leaf{break-inside:avoid}h2{break-after:avoid}}";

static void text(vs_buf *b, const char *s)
{
    view_escape(b, vs_str(s), true);
}

static void hex(vs_buf *b, vs_span bytes)
{
    vs_buf_puts(b, "<code>");
    vs_hex_encode(b, bytes);
    vs_buf_puts(b, "</code>");
}

static void cell(vs_buf *b, const report_cell *c)
{
    if (c->bytes.p)
        hex(b, c->bytes);
    else
        view_escape(b, c->text, true);
}

/* ---- the trust vector ------------------------------------------------------------------------ */

/* Directions in eighths of a turn from the top: edges of sectors, and their middles. */
static const double edge[EAR_CLAIMS][2] = {{0, -1}, {0.7071, -0.7071}, {1, 0},  {0.7071, 0.7071},
                                           {0, 1},  {-0.7071, 0.7071}, {-1, 0}, {-0.7071, -0.7071}};
static const double middle[EAR_CLAIMS][2] = {
    {0.3827, -0.9239}, {0.9239, -0.3827}, {0.9239, 0.3827},   {0.3827, 0.9239},
    {-0.3827, 0.9239}, {-0.9239, 0.3827}, {-0.9239, -0.3827}, {-0.3827, -0.9239}};
/* The worse, the further out. */
static const int radius[] = {
    [EAR_NONE] = 18, [EAR_AFFIRMING] = 42, [EAR_WARNING] = 66, [EAR_CONTRAINDICATED] = 90};

/* A claim that is not set is drawn as one that says nothing. */
static ear_tier tier_of(const ear_vector *v, unsigned c)
{
    return v->set[c] ? ear_tier_of(v->value[c]) : EAR_NONE;
}

static void draw(vs_buf *b, const report_vector *x)
{
    vs_buf_puts(b, "<svg viewBox=\"-110 -110 220 220\" role=\"img\" aria-label=\"Trust vector of ");
    view_escape(b, x->name, true);
    vs_buf_printf(b, ": %s. The table below has the same.\">", ear_tier_name(x->status));
    for (unsigned t = EAR_AFFIRMING; t <= EAR_CONTRAINDICATED; t++)
        vs_buf_printf(b, "<circle r=\"%d\"/>", radius[t]);
    for (unsigned c = 0; c < EAR_CLAIMS; c++) {
        ear_tier tier = tier_of(&x->vector, c);
        int r = radius[tier];
        const double *from = edge[c], *to = edge[(c + 1) % EAR_CLAIMS];
        vs_buf_printf(b,
                      "<path class=\"%s\" d=\"M0 0L%.1f %.1fA%d %d 0 0 1 %.1f %.1fZ\"/>"
                      "<text x=\"%.1f\" y=\"%.1f\">%u</text>",
                      ear_tier_name(tier), r * from[0], r * from[1], r, r, r * to[0], r * to[1],
                      101 * middle[c][0], 101 * middle[c][1], c + 1);
    }
    vs_buf_puts(b, "</svg>");
}

static void put_vector(vs_buf *b, const report_vector *x)
{
    vs_buf_puts(b, "<figure><figcaption>");
    view_escape(b, x->name, true);
    vs_buf_printf(b, ": <span class=\"%s\">%s</span></figcaption>", ear_tier_name(x->status),
                  ear_tier_name(x->status));
    if (x->note) {
        vs_buf_puts(b, "<p class=\"note\">");
        text(b, x->note);
        vs_buf_puts(b, "</p>");
    }
    draw(b, x);
    vs_buf_puts(b, "<table><thead><tr><th scope=\"col\">#</th><th scope=\"col\">Claim</th>"
                   "<th scope=\"col\">Tier</th><th scope=\"col\">Value</th></tr></thead><tbody>");
    for (unsigned c = 0; c < EAR_CLAIMS; c++) {
        const char *tier = ear_tier_name(tier_of(&x->vector, c));
        vs_buf_printf(b, "<tr><td>%u</td><th scope=\"row\">%s</th><td class=\"%s\">%s</td><td>",
                      c + 1, ear_claim_title((ear_claim)c), tier, tier);
        if (x->vector.set[c]) {
            vs_buf_printf(b, "%d ", x->vector.value[c]);
            text(b, ear_value_text((ear_claim)c, x->vector.value[c]));
        } else {
            vs_buf_puts(b, "not in the vector");
        }
        vs_buf_puts(b, "</td></tr>");
    }
    vs_buf_puts(b, "</tbody></table></figure>");
}

static void put_vectors(vs_buf *b, const report *r)
{
    if (!r->n_vectors)
        return;
    vs_buf_puts(b, "<section><h2>Trust vector</h2><p class=\"sub\">Eight claims (AR4SI). The "
                   "further out a sector reaches, the worse.</p><div class=\"vectors\">");
    for (size_t i = 0; i < r->n_vectors; i++)
        put_vector(b, &r->vectors[i]);
    vs_buf_puts(b, "</div>");
    if (r->left_out)
        vs_buf_printf(b, "<p>%zu more submods are not shown.</p>", r->left_out);
    vs_buf_puts(b, "</section>");
}

/* ---- checks ---------------------------------------------------------------------------------- */

static void put_checks(vs_buf *b, const report *r)
{
    static const char *const classes[] = {
        [REPORT_PASSED] = "passed", [REPORT_FAILED] = "failed", [REPORT_OPEN] = "open"};
    if (!r->n_checks)
        return;
    vs_buf_puts(b, "<section><h2>Checks</h2><table><thead><tr><th scope=\"col\">Result</th>"
                   "<th scope=\"col\">Check</th><th scope=\"col\">What was found</th></tr></thead>"
                   "<tbody>");
    for (size_t i = 0; i < r->n_checks; i++) {
        const report_check *c = &r->checks[i];
        vs_buf_printf(b, "<tr><td class=\"%s\">%s</td><th scope=\"row\">", classes[c->mark],
                      report_mark_name(c->mark));
        text(b, c->name);
        vs_buf_puts(b, "</th><td>");
        text(b, c->why);
        vs_buf_puts(b, "</td></tr>");
    }
    vs_buf_puts(b, "</tbody></table></section>");
}

/* ---- the tree -------------------------------------------------------------------------------- */

static void put_table(vs_buf *b, const report_table *t)
{
    vs_buf_puts(b, "<div class=\"wide\"><table><thead><tr>");
    for (size_t c = 0; c < t->n_columns; c++) {
        vs_buf_puts(b, "<th scope=\"col\">");
        text(b, t->columns[c]);
        vs_buf_puts(b, "</th>");
    }
    vs_buf_puts(b, "</tr></thead><tbody>");
    for (size_t i = 0; i < t->n_rows; i++) {
        vs_buf_puts(b, "<tr>");
        for (size_t c = 0; c < t->n_columns; c++) {
            vs_buf_puts(b, "<td>");
            cell(b, &t->cells[i * t->n_columns + c]);
            vs_buf_puts(b, "</td>");
        }
        vs_buf_puts(b, "</tr>");
    }
    vs_buf_puts(b, "</tbody></table></div>");
}

static void put_leaf(vs_buf *b, const report_node *n)
{
    vs_buf_puts(b, "<div class=\"leaf\"><span class=\"k\">");
    text(b, n->name);
    vs_buf_puts(b, "</span><span class=\"d\">");
    cell(b, &n->value);
    if (n->note) {
        vs_buf_puts(b, " <span class=\"note\">");
        text(b, n->note);
        vs_buf_puts(b, "</span>");
    }
    vs_buf_puts(b, "</span></div>");
}

/* Recursion is as deep as the report, which report_value bounds. */
static void put_nodes(vs_buf *b, const report_node *first)
{
    for (const report_node *n = first; n; n = n->next) {
        if (!n->first && !n->table) {
            put_leaf(b, n);
            continue;
        }
        vs_buf_puts(b, "<details open><summary>");
        text(b, n->name);
        vs_buf_puts(b, n->value.text.n ? ": " : "");
        cell(b, &n->value);
        vs_buf_puts(b, "</summary>");
        if (n->table)
            put_table(b, n->table);
        put_nodes(b, n->first);
        vs_buf_puts(b, "</details>");
    }
}

void report_html(vs_buf *b, const report *r)
{
    vs_buf_puts(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                   "<meta name=\"referrer\" content=\"no-referrer\"><title>");
    text(b, r->title);
    vs_buf_printf(b, "</title><style>%s</style></head>\n<body><main><h1>", style);
    text(b, r->title);
    vs_buf_puts(b, "</h1><p class=\"sub\">");
    text(b, r->summary);
    vs_buf_puts(b, "</p>\n");
    put_vectors(b, r);
    vs_buf_putc(b, '\n');
    put_checks(b, r);
    vs_buf_puts(b, "\n<section><h2>Contents</h2>");
    put_nodes(b, r->root.first);
    vs_buf_puts(b, "</section>\n</main></body></html>\n");
}
