/* SPDX-License-Identifier: Apache-2.0 */
/* A RIM for people, for programs, and for who provides reference values. */
#include <unistd.h>

#include "base/enc.h"
#include "base/io.h"
#include "cmd/rim/rim_tool.h"
#include "cmd/view.h"
#include "value/json.h"

enum { OUTPUT_MAX = 1 << 30 };

#define HEX(v) ((unsigned long long)(v))

static const char *const forms[] = {
    "text",           "json",           "hex",   "base64", "reference-values",
    "comid-template", "corim-template", "corim", NULL};

vs_code rim_form_of(const char *name, rim_form *out, vs_error *err)
{
    if (strcmp(name, "auto") == 0) {
        *out = isatty(STDOUT_FILENO) ? RIM_TEXT : RIM_JSON;
        return VS_OK;
    }
    for (size_t i = 0; forms[i]; i++) {
        if (strcmp(name, forms[i]) == 0) {
            *out = (rim_form)i;
            return VS_OK;
        }
    }
    const char *near = cli_nearest(name, forms);
    return vs_fail(err, VS_E_INVALID, "--output %s is unknown%s%s", name,
                   near ? "; did you mean " : "", near ? near : "");
}

void rim_put_value(vs_buf *out, rim_form form, vs_span value)
{
    if (form == RIM_HEX)
        vs_hex_encode(out, value);
    else
        vs_b64_encode(out, VS_B64_STD, value);
    vs_buf_putc(out, '\n');
}

static vs_span rem0_span(const rim_result *r)
{
    return vs_span_of(r->rem0, vs_hash_size(r->rim.params.hash));
}

/* ---- text -------------------------------------------------------------------------------------
 */

static void text_params(view *v, const rim_result *r)
{
    const cca_realm_params *p = &r->rim.params;
    view_rowf(v, 0, "realm", "%s%s, RMM %s, %u IPA bits, %u breakpoints, %u watchpoints",
              r->vmm ? r->vmm : "described by a file", r->vmm ? " realm" : "", cca_rmm_name(p->rmm),
              p->s2sz, p->num_bps + 1, p->num_wps + 1);
    if (p->flags & CCA_REALM_SVE)
        view_rowf(v, 0, "", "SVE of %u bits", (p->sve_vl + 1) * 128);
    if (p->flags & CCA_REALM_PMU)
        view_rowf(v, 0, "", "PMU of %u counters", p->pmu_num_ctrs);
    if (p->flags & ~(uint64_t)(CCA_REALM_SVE | CCA_REALM_PMU))
        view_rowf(v, 0, "", "flags 0x%llx", HEX(p->flags));
}

static void text_range(view *v, const char *what, uint64_t base, uint64_t size, const char *name)
{
    view_rowf(v, 0, what, "0x%010llx  0x%010llx bytes%s%s", HEX(base), HEX(size), name ? "  " : "",
              name ? name : "");
}

static void text_image(view *v, const rim_result *r)
{
    const cca_image *m = r->image;
    for (size_t i = 0; i < m->n_ram; i++)
        text_range(v, "RAM", m->ram[i].base, m->ram[i].size, NULL);
    for (size_t i = 0; i < m->n_blobs; i++)
        text_range(v, "measured", m->blobs[i].ipa, m->blobs[i].source.size, m->blobs[i].name);
    for (size_t i = 0; i < m->n_recs; i++)
        if (m->recs[i].runnable)
            view_rowf(v, 0, "boot CPU", "pc 0x%llx, x0 0x%llx", HEX(m->recs[i].pc),
                      HEX(m->recs[i].gprs[0]));
    for (size_t i = 0; i < m->n_unmeasured; i++)
        text_range(v, "not measured", m->unmeasured[i].base, m->unmeasured[i].size, NULL);
}

/* Each line with the value behind it, on a line of its own. */
static void text_steps(view *v, vs_span steps)
{
    while (steps.n) {
        vs_span rim,
            command = vs_span_cut(vs_span_cut(steps, '\n', &steps, NULL), '\t', &rim, NULL);
        view_text(v, command);
        vs_buf_printf(&v->out, "\n  %.*s\n", VS_FMT(rim));
    }
}

static void print_text(view *v, const rim_result *r)
{
    text_steps(v, r->steps);
    view_styled(v, VIEW_BOLD, "Realm Initial Measurement, %s", vs_hash_name(r->rim.params.hash));
    vs_buf_putc(&v->out, '\n');
    view_bytes(v, 0, "RIM", cca_rim_span(&r->rim));
    if (r->has_rem0)
        view_bytes(v, 0, "REM0, by firmware", rem0_span(r));
    text_params(v, r);
    text_image(v, r);
    if (r->dtb_made)
        view_row(v, 0, "devicetree", VS_LIT("made here: give the same to the VMM (--output-dtb)"));
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static void json_hex(vs_jw *w, const char *key, uint64_t v)
{
    char text[24];
    (void)snprintf(text, sizeof text, "0x%llx", HEX(v));
    rim_put_text(w, key, text);
}

static void json_int(vs_jw *w, const char *key, uint64_t v)
{
    vs_jw_key(w, key);
    vs_jw_int(w, (int64_t)v);
}

static void json_params(vs_jw *w, const cca_realm_params *p)
{
    vs_jw_key(w, "parameters");
    vs_jw_open(w, '{');
    json_int(w, "flags", p->flags);
    json_int(w, "s2sz", p->s2sz);
    json_int(w, "sve_vl", p->sve_vl);
    json_int(w, "num_bps", p->num_bps);
    json_int(w, "num_wps", p->num_wps);
    json_int(w, "pmu_num_ctrs", p->pmu_num_ctrs);
    vs_jw_close(w, '}');
}

static void json_ranges(vs_jw *w, const char *key, const cca_range *ranges, size_t n)
{
    vs_jw_key(w, key);
    vs_jw_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        vs_jw_open(w, '{');
        json_hex(w, "base", ranges[i].base);
        json_hex(w, "size", ranges[i].size);
        vs_jw_close(w, '}');
    }
    vs_jw_close(w, ']');
}

static void json_blobs(vs_jw *w, const cca_image *m)
{
    vs_jw_key(w, "data");
    vs_jw_open(w, '[');
    for (size_t i = 0; i < m->n_blobs; i++) {
        vs_jw_open(w, '{');
        rim_put_text(w, "name", m->blobs[i].name);
        json_hex(w, "address", m->blobs[i].ipa);
        json_hex(w, "size", m->blobs[i].source.size);
        vs_jw_close(w, '}');
    }
    vs_jw_close(w, ']');
}

static void json_recs(vs_jw *w, const cca_image *m)
{
    vs_jw_key(w, "rec");
    vs_jw_open(w, '[');
    for (size_t i = 0; i < m->n_recs; i++) {
        if (!m->recs[i].runnable)
            continue;
        vs_jw_open(w, '{');
        json_hex(w, "pc", m->recs[i].pc);
        for (size_t k = 0; k < CCA_REC_GPRS; k++) {
            char name[8];
            (void)snprintf(name, sizeof name, "x%zu", k);
            json_hex(w, name, m->recs[i].gprs[k]);
        }
        vs_jw_close(w, '}');
    }
    vs_jw_close(w, ']');
}

static void json_steps(vs_jw *w, vs_span steps)
{
    vs_jw_key(w, "steps");
    vs_jw_open(w, '[');
    while (steps.n) {
        vs_span rim,
            command = vs_span_cut(vs_span_cut(steps, '\n', &steps, NULL), '\t', &rim, NULL);
        vs_jw_open(w, '{');
        rim_put_span(w, "command", command);
        rim_put_span(w, "rim", rim);
        vs_jw_close(w, '}');
    }
    vs_jw_close(w, ']');
}

static void print_json(vs_buf *out, vs_arena *a, const rim_result *r)
{
    const cca_realm_params *p = &r->rim.params;
    const cca_image *m = r->image;
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    rim_put_span(&w, "rim", vs_hex_encode_arena(a, cca_rim_span(&r->rim)));
    rim_put_span(&w, "rim-base64", vs_b64_encode_arena(a, VS_B64_STD, cca_rim_span(&r->rim)));
    if (r->has_rem0)
        rim_put_span(&w, "rem0", vs_hex_encode_arena(a, rem0_span(r)));
    rim_put_text(&w, "hash", vs_hash_name(p->hash));
    rim_put_text(&w, "rmm", cca_rmm_name(p->rmm));
    if (r->vmm)
        rim_put_text(&w, "vmm", r->vmm);
    json_params(&w, p);
    json_ranges(&w, "ram", m->ram, m->n_ram);
    json_blobs(&w, m);
    json_recs(&w, m);
    json_ranges(&w, "unmeasured", m->unmeasured, m->n_unmeasured);
    if (r->steps.p)
        json_steps(&w, r->steps);
    vs_jw_close(&w, '}');
    vs_buf_putc(out, '\n');
}

/* ---- reference values -------------------------------------------------------------------------
 */

/* What `rvps-tool register` sends: a message of type "sample". */
static void print_reference_values(vs_buf *out, vs_arena *a, const rim_result *r)
{
    VS_CLEANUP(vs_buf_free) vs_buf payload = VS_BUF(4096);
    vs_jw inner = {.out = &payload}, w = {.out = out};
    vs_jw_open(&inner, '{');
    vs_jw_key(&inner, "cca.realm.cca-realm-initial-measurement");
    vs_jw_open(&inner, '[');
    vs_jw_span(&inner, vs_b64_encode_arena(a, VS_B64_STD, cca_rim_span(&r->rim)));
    vs_jw_close(&inner, ']');
    vs_jw_close(&inner, '}');
    vs_jw_open(&w, '{');
    rim_put_text(&w, "version", "0.1.0");
    rim_put_text(&w, "type", "sample");
    rim_put_span(&w, "payload", vs_b64_encode_arena(a, VS_B64_STD, vs_buf_span(&payload)));
    vs_jw_close(&w, '}');
    vs_buf_putc(out, '\n');
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static vs_code print_template(const rim_cli *o, rim_form form, const rim_result *r, vs_buf *out,
                              vs_arena *a, vs_error *err)
{
    vs_val v;
    VS_TRY(form == RIM_COMID_TEMPLATE ? rim_comid_template(o, r, a, &v, err)
                                      : rim_corim_template(o, r, a, &v, err));
    vs_json_print_pretty(out, v); /* a template is for people to look at, too */
    vs_buf_putc(out, '\n');
    return VS_OK;
}

static vs_code print_form(const rim_cli *o, rim_form form, const rim_result *r, view *v,
                          vs_arena *a, vs_error *err)
{
    switch (form) {
    case RIM_TEXT: print_text(v, r); break;
    case RIM_JSON: print_json(&v->out, a, r); break;
    case RIM_HEX:
    case RIM_BASE64: rim_put_value(&v->out, form, cca_rim_span(&r->rim)); break;
    case RIM_REFERENCE_VALUES: print_reference_values(&v->out, a, r); break;
    case RIM_COMID_TEMPLATE:
    case RIM_CORIM_TEMPLATE: return print_template(o, form, r, &v->out, a, err);
    case RIM_CORIM: return rim_corim(o, r, a, &v->out, err);
    }
    return vs_arena_check(a, err);
}

vs_code rim_print(const rim_cli *o, rim_form form, const rim_result *r, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    VS_CLEANUP(view_free) view v;
    vs_arena_init(&a, 0);
    view_init(&v);
    v.out.cap = OUTPUT_MAX; /* --trace of a large image is long */
    VS_TRY(print_form(o, form, r, &v, &a, err));
    VS_TRY(vs_buf_check(&v.out, err));
    return view_flush(&v) ? VS_OK : vs_fail(err, VS_E_IO, "cannot write to standard output");
}

static void keep_step(void *self, const cca_step *s)
{
    vs_buf *out = self;
    cca_step_text(out, s);
    vs_buf_putc(out, '\t');
    vs_hex_encode(out, cca_rim_span(s->rim));
    vs_buf_putc(out, '\n');
}

vs_code rim_measure(const rim_cli *o, rim_result *r, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf steps = VS_BUF(OUTPUT_MAX);
    rim_form form;
    VS_TRY(rim_form_of(o->output, &form, err));
    if (form == RIM_CORIM && isatty(STDOUT_FILENO))
        return vs_fail(err, VS_E_INVALID,
                       "a CoRIM is no text for a terminal: redirect it to a file");
    VS_TRY(cca_image_measure(r->image, o->trace ? &(cca_trace){keep_step, &steps} : NULL, &r->rim,
                             err));
    VS_TRY_WRAP(vs_buf_check(&steps, err), err, "--trace");
    r->steps = vs_buf_span(&steps);
    if (o->output_dtb)
        VS_TRY(vs_write_file(o->output_dtb, r->dtb, 0644, err));
    return rim_print(o, form, r, err);
}
