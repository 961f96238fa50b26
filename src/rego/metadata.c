/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/metadata.h"

#include <stdlib.h>

#include "rego/yaml_text.h"

enum { YAML_STEPS = 1000000 };

/* ---- finding the comments ----------------------------------------------------------------------
 */

static vs_span trimmed(vs_span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = vs_span_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

static bool is_start(vs_span line)
{
    vs_span s = trimmed(line);
    return s.n && s.p[0] == '#' && vs_span_is(trimmed(vs_span_from(s, 1)), "METADATA");
}

/* The row of the first statement at or below `row`; 0 = none. */
static uint32_t statement_below(const module *m, uint32_t row)
{
    uint32_t best = m->package_row >= row ? m->package_row : 0;
    for (size_t i = 0; i < m->n_defs; i++)
        if (m->defs[i]->at.row >= row && (!best || m->defs[i]->at.row < best))
            best = m->defs[i]->at.row;
    return best;
}

static void add_annotation(compilation *c, module *m, annotation a)
{
    if (m->n_annotations == m->room_annotations) {
        size_t room = m->room_annotations ? m->room_annotations * 2 : 8;
        annotation *all = vs_grow(c->a, m->annotations, m->n_annotations, room, sizeof *all);
        if (!all)
            return;
        m->annotations = all;
        m->room_annotations = room;
    }
    m->annotations[m->n_annotations++] = a;
}

/* "Ada <ada@example.com>" is {"name": "Ada", "email": "ada@example.com"}. */
static vs_val author(vs_arena *a, vs_val v)
{
    if (v.kind != VS_STRING)
        return v;
    vs_span s = trimmed(vs_text(v)), email;
    bool found;
    vs_span name = trimmed(vs_span_cut(s, '<', &email, &found));
    vs_obj o = {.a = a};
    if (name.n)
        vs_obj_put(&o, "name", vs_string(name));
    if (found && email.n && email.p[email.n - 1] == '>')
        vs_obj_put(&o, "email", vs_string(vs_span_head(email, email.n - 1)));
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val resource(vs_arena *a, vs_val v)
{
    if (v.kind != VS_STRING)
        return v;
    vs_obj o = {.a = a};
    vs_obj_put(&o, "ref", v);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static vs_val each(vs_arena *a, vs_val all, vs_val (*how)(vs_arena *, vs_val))
{
    if (all.kind != VS_ARRAY)
        return all;
    vs_vec out = {.a = a};
    for (VS_ARR_FOR (v, all))
        vs_vec_add(&out, how(a, *v));
    return vs_vec_end_array(&out);
}

/* Short forms written out, and the scope that is meant. */
static vs_val complete(vs_arena *a, vs_val v, const char *fallback)
{
    vs_val authors = vs_getc(v, "authors"), resources = vs_getc(v, "related_resources");
    if (vs_defined(authors))
        v = vs_with(a, v, vs_cstring("authors"), each(a, authors, author));
    if (vs_defined(resources))
        v = vs_with(a, v, vs_cstring("related_resources"), each(a, resources, resource));
    if (vs_is_true(vs_getc(v, "entrypoint")))
        fallback = "document";
    if (!vs_defined(vs_getc(v, "scope")))
        v = vs_with(a, v, vs_cstring("scope"), vs_cstring(fallback));
    return v;
}

static void read_block(compilation *c, module *m, vs_span yaml, uint32_t row, uint32_t next_row)
{
    uint64_t steps = YAML_STEPS;
    rego_bctx b = {.a = c->a, .steps = &steps};
    loc at = {.row = row, .col = 1};
    vs_val v;
    annotation a = {.row = statement_below(m, next_row)};
    if (rego_yaml_parse(&b, yaml, &v) != REGO_B_OK || v.kind != VS_OBJECT) {
        comp_error(c, REGO_PARSE_ERROR, m, &at, "metadata must be a YAML object%s%s",
                   b.message[0] ? ": " : "", b.message);
        return;
    }
    if (a.row == 0)
        return; /* nothing stands below */
    v = complete(c->a, v, a.row == m->package_row ? "package" : "rule");
    vs_span named = vs_text(vs_getc(v, "scope"));
    static const struct {
        const char *name;
        annotation_scope scope;
    } scopes[] = {{"rule", SCOPE_RULE},
                  {"document", SCOPE_DOCUMENT},
                  {"package", SCOPE_PACKAGE},
                  {"subpackages", SCOPE_SUBPACKAGES}};
    for (size_t i = 0; i < VS_COUNT(scopes); i++)
        if (vs_span_is(named, scopes[i].name)) {
            a.scope = scopes[i].scope;
            a.value = v;
            add_annotation(c, m, a);
            return;
        }
    comp_error(c, REGO_PARSE_ERROR, m, &at,
               "invalid metadata scope, must be one of rule, document, package, subpackages");
}

void read_annotations(compilation *c, module *m)
{
    vs_span rest = m->text;
    uint32_t row = 0;
    bool more = rest.n > 0;
    while (more && !c->failed) {
        vs_span line = vs_span_cut(rest, '\n', &rest, &more);
        row++;
        if (!is_start(line))
            continue;
        VS_CLEANUP(vs_buf_free) vs_buf yaml = VS_BUF(1 << 20);
        uint32_t first = row;
        while (more) {
            vs_span after;
            bool again;
            vs_span comment = trimmed(vs_span_cut(rest, '\n', &after, &again));
            if (comment.n == 0 || comment.p[0] != '#')
                break;
            rest = after;
            more = again;
            row++;
            comment = vs_span_from(comment, 1);
            if (comment.n && comment.p[0] == ' ')
                comment = vs_span_from(comment, 1);
            vs_buf_put(&yaml, comment);
            vs_buf_putc(&yaml, '\n');
        }
        if (!vs_buf_ok(&yaml))
            c->a->failed = true;
        read_block(c, m, vs_dup(c->a, vs_buf_span(&yaml)), first, row + 1);
    }
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static vs_val package_path(vs_arena *a, const module *m, size_t n)
{
    vs_vec path = {.a = a};
    for (size_t i = 0; i < n; i++)
        vs_vec_add(&path, vs_string(m->package[i]));
    return vs_vec_end_array(&path);
}

static vs_val rule_path(vs_arena *a, const def *d)
{
    vs_vec path = {.a = a};
    for (size_t i = 0; i < d->mod->n_package; i++)
        vs_vec_add(&path, vs_string(d->mod->package[i]));
    vs_vec_add(&path, vs_string(d->path[0]->name));
    for (size_t i = 1; i < d->n_path && d->path[i]->kind == T_SCALAR; i++)
        vs_vec_add(&path, d->path[i]->scalar);
    return vs_vec_end_array(&path);
}

static const annotation *rule_annotation(const def *d)
{
    for (size_t i = 0; i < d->mod->n_annotations; i++)
        if (d->mod->annotations[i].scope == SCOPE_RULE && d->mod->annotations[i].row == d->at.row)
            return &d->mod->annotations[i];
    return NULL;
}

vs_val metadata_rule(const compiler *k, const def *d)
{
    (void)k;
    const annotation *a = rule_annotation(d);
    return a ? a->value : vs_empty(VS_OBJECT);
}

static void add_link(vs_arena *a, vs_vec *chain, vs_val path, vs_val value)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "path", path);
    vs_obj_opt(&o, "annotations", value);
    vs_vec_add(chain, vs_obj_end(&o, VS_DUP_LAST, NULL));
}

/* Annotations of the whole document, above any of its definitions. */
static void add_document(const compiler *k, vs_vec *chain, vs_val path)
{
    vs_arena *a = k->c->a;
    for (size_t i = 0; i < k->n_mods; i++)
        for (size_t j = 0; j < k->mods[i]->n_annotations; j++) {
            const annotation *x = &k->mods[i]->annotations[j];
            for (size_t n = 0; x->scope == SCOPE_DOCUMENT && n < k->mods[i]->n_defs; n++)
                if (k->mods[i]->defs[n]->at.row == x->row &&
                    vs_eq(rule_path(a, k->mods[i]->defs[n]), path)) {
                    add_link(a, chain, path, x->value);
                    break;
                }
        }
}

static void add_packages(const compiler *k, vs_vec *chain, const module *m, size_t n,
                         annotation_scope which)
{
    vs_arena *a = k->c->a;
    vs_val path = package_path(a, m, n);
    for (size_t i = 0; i < k->n_mods; i++) {
        const module *other = k->mods[i];
        if (other->n_package != n || !vs_eq(package_path(a, other, n), path))
            continue;
        for (size_t j = 0; j < other->n_annotations; j++)
            if (other->annotations[j].scope == which)
                add_link(a, chain, path, other->annotations[j].value);
    }
}

vs_val metadata_chain(const compiler *k, const def *d)
{
    vs_arena *a = k->c->a;
    vs_vec chain = {.a = a};
    vs_val path = rule_path(a, d);
    const annotation *own = rule_annotation(d);
    add_link(a, &chain, path, own ? own->value : vs_undefined());
    add_document(k, &chain, path);
    add_packages(k, &chain, d->mod, d->mod->n_package, SCOPE_PACKAGE);
    for (size_t n = d->mod->n_package; n > 0; n--)
        add_packages(k, &chain, d->mod, n, SCOPE_SUBPACKAGES);
    return vs_vec_end_array(&chain);
}
