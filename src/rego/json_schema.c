/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation. The order of the violations is fixed: type, combinations, the keywords of the value's
 * kind, const, enum and format, members.
 *
 * Of the alternatives of anyOf, oneOf and contains the one that fits best is reported. How well a
 * schema fits is its score: each group of keywords that was looked at gives a point, each violation
 * takes two.
 */
#include "rego/json_schema.h"

#include "base/enc.h"
#include "rego/builtins.h"
#include "rego/json_schema_errors.h"
#include "rego/regex_re2.h"
#include "rego/schema_format.h"
#include "value/json.h"
#include "value/number.h"

enum { DEPTH_MAX = 300 };

static void validate(validator *v, vs_val schema, vs_val doc, const place *at, result *r);

/* ---- one schema inside another -----------------------------------------------------------------
 */

static void merge(result *into, const result *from)
{
    for (size_t i = 0; i < from->errors.n; i++)
        vs_vec_add(&into->errors, from->errors.items[i]);
    into->failed |= from->failed;
    into->score += from->score;
}

static result try_schema(validator *v, vs_val schema, vs_val doc, const place *at)
{
    result r = {.errors = {.a = v->b->a}};
    validate(v, schema, doc, at, &r);
    return r;
}

/* Whether a value is valid, without telling why not. */
static bool accepts(validator *v, vs_val schema, vs_val doc, const place *at)
{
    v->quiet++;
    result r = try_schema(v, schema, doc, at);
    v->quiet--;
    return !r.failed;
}

static bool in_draft(const validator *v, json_draft since)
{
    return v->s->draft == DRAFT_ANY || v->s->draft >= since;
}

/* A keyword of the draft that brought it, or later. */
static vs_val get_since(const validator *v, vs_val s, const char *name, json_draft since)
{
    return in_draft(v, since) ? vs_getc(s, name) : vs_undefined();
}

static bool matches(validator *v, vs_val pattern, vs_val text)
{
    const struct rego_regex *re;
    rego_match m;
    rego_bres res = rego_regex_get(v->b, vs_text(pattern), &re);
    if (res == REGO_B_OK && !rego_charge(v->b, 1 + text.len / 4))
        res = REGO_B_LIMIT;
    if (res != REGO_B_OK) {
        v->stopped = res;
        return false;
    }
    vs_span s = vs_utf8_scrub(v->b->a, vs_text(text));
    return rego_regex_match(re, s.n ? (const char *)s.p : "", s.n, 0, &m, 1);
}

/* ---- combinations ------------------------------------------------------------------------------
 */

static void validate_any(validator *v, vs_val list, vs_val doc, const place *at, result *r)
{
    result best = {0};
    for (VS_ARR_FOR (x, list)) {
        result one = try_schema(v, *x, doc, at);
        if (!one.failed)
            return;
        if (x == list.u.items || one.score > best.score)
            best = one;
    }
    complain(v, r, at, "number_any_of", "Must validate at least one schema (anyOf)");
    merge(r, &best);
}

static void validate_one(validator *v, vs_val list, vs_val doc, const place *at, result *r)
{
    result best = {0};
    uint32_t valid = 0;
    for (VS_ARR_FOR (x, list)) {
        result one = try_schema(v, *x, doc, at);
        if (!one.failed)
            valid++;
        else if (x == list.u.items || one.score > best.score)
            best = one;
    }
    if (valid == 1)
        return;
    complain(v, r, at, "number_one_of", "Must validate one and only one schema (oneOf)");
    if (valid == 0)
        merge(r, &best);
}

static void validate_all(validator *v, vs_val list, vs_val doc, const place *at, result *r)
{
    bool good = true;
    for (VS_ARR_FOR (x, list)) {
        result one = try_schema(v, *x, doc, at);
        good &= !one.failed;
        merge(r, &one);
    }
    if (!good)
        complain(v, r, at, "number_all_of", "Must validate all the schemas (allOf)");
}

static void validate_dependencies(validator *v, vs_val deps, vs_val doc, const place *at, result *r)
{
    for (VS_OBJ_FOR (p, doc)) {
        vs_val dep = vs_index(deps, p->key);
        if (dep.kind == VS_OBJECT || dep.kind == VS_BOOL)
            validate(v, dep, doc, at, r);
        if (dep.kind != VS_ARRAY)
            continue;
        for (VS_ARR_FOR (name, dep))
            if (!vs_defined(vs_index(doc, *name)))
                complain_name(v, r, at, "missing_dependency", "Has a dependency on ", *name, "");
    }
}

static void validate_condition(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    vs_val when = get_since(v, s, "if", DRAFT_7);
    if (!vs_defined(when))
        return;
    bool yes = accepts(v, when, doc, at);
    vs_val branch = vs_getc(s, yes ? "then" : "else");
    if (!vs_defined(branch))
        return;
    result one = try_schema(v, branch, doc, at);
    if (!one.failed)
        return;
    complain(v, r, at, yes ? "condition_then" : "condition_else", "%s",
             yes ? "Must validate \"then\" as \"if\" was valid"
                 : "Must validate \"else\" as \"if\" was not valid");
    merge(r, &one);
}

static void validate_combinations(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    vs_val any = vs_getc(s, "anyOf"), one = vs_getc(s, "oneOf"), all = vs_getc(s, "allOf"),
           not = vs_getc(s, "not"), deps = vs_getc(s, "dependencies");
    if (any.len)
        validate_any(v, any, doc, at, r);
    if (one.len)
        validate_one(v, one, doc, at, r);
    if (all.len)
        validate_all(v, all, doc, at, r);
    if (vs_defined(not ) && accepts(v, not, doc, at))
        complain(v, r, at, "number_not", "Must not validate the schema (not)");
    if (deps.len && doc.kind == VS_OBJECT)
        validate_dependencies(v, deps, doc, at, r);
    validate_condition(v, s, doc, at, r);
    r->score++;
}

/* ---- keywords of any kind of value -------------------------------------------------------------
 */

static bool has_type(vs_val v, vs_span type)
{
    if (vs_span_is(type, "integer"))
        return v.kind == VS_NUMBER && vs_num_is_integer(v);
    return vs_span_is(type, vs_kind_name((vs_kind)v.kind));
}

static bool validate_type(validator *v, vs_val type, vs_val doc, const place *at, result *r)
{
    VS_CLEANUP(vs_buf_free) vs_buf names = VS_BUF(256);
    bool many = type.kind == VS_ARRAY;
    uint32_t n = many ? type.len : vs_defined(type);
    for (uint32_t i = 0; i < n; i++) {
        vs_span t = vs_text(many ? type.u.items[i] : type);
        if (has_type(doc, t))
            return true;
        vs_buf_printf(&names, "%s%.*s", i ? "," : "", VS_FMT(t));
    }
    if (n == 0)
        return true;
    if (!vs_buf_ok(&names))
        v->stopped = REGO_B_LIMIT;
    const char *given = doc.kind == VS_NUMBER && vs_num_is_integer(doc)
                            ? "integer"
                            : vs_kind_name((vs_kind)doc.kind);
    complain(v, r, at, "invalid_type", "Invalid type. Expected: %s%.*s%s, given: %s",
             n > 1 ? "[" : "", VS_FMT(vs_buf_span(&names)), n > 1 ? "]" : "", given);
    return false;
}

static void validate_common(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    vs_val constant = get_since(v, s, "const", DRAFT_6), list = vs_getc(s, "enum"),
           format = vs_getc(s, "format");
    if (vs_defined(constant) && !vs_eq(constant, doc))
        complain_json(v, r, at, "const", " does not match: ", &constant, 1);
    if (list.kind == VS_ARRAY) {
        uint32_t i = 0;
        while (i < list.len && !vs_eq(list.u.items[i], doc))
            i++;
        if (!rego_charge(v->b, i))
            v->stopped = REGO_B_LIMIT;
        if (i == list.len)
            complain_json(v, r, at, "enum", " must be one of the following: ", list.u.items,
                          list.len);
    }
    if (format.kind == VS_STRING && doc.kind == VS_STRING) {
        bool good = true;
        rego_bres res = schema_format_check(v->b, vs_text(format), vs_text(doc), &good);
        if (res != REGO_B_OK)
            v->stopped = res;
        else if (!good)
            complain_name(v, r, at, "format", "Does not match format '", format, "'");
    }
    r->score++;
}

/* ---- numbers and strings -----------------------------------------------------------------------
 */

/* The quotient may be rounded, so it is tried. */
static bool is_multiple(validator *v, vs_val doc, vs_val of)
{
    vs_val q = vs_num_div(v->b->a, doc, of, NULL);
    if (!vs_defined(q) || !vs_num_is_integer(q))
        return false;
    return vs_eq(vs_num_mul(v->b->a, q, of, NULL), doc);
}

static void validate_number(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    vs_val min = vs_getc(s, "minimum"), max = vs_getc(s, "maximum"),
           above = vs_getc(s, "exclusiveMinimum"), under = vs_getc(s, "exclusiveMaximum"),
           multiple = vs_getc(s, "multipleOf");
    if (vs_is_true(above)) { /* draft 4: a flag beside the limit */
        above = min;
        min = vs_undefined();
    }
    if (vs_is_true(under)) {
        under = max;
        max = vs_undefined();
    }
    if (multiple.kind == VS_NUMBER && !is_multiple(v, doc, multiple))
        complain_limit(v, r, at, "multiple_of", "Must be a multiple of ", multiple);
    if (max.kind == VS_NUMBER && vs_num_cmp(doc, max) > 0)
        complain_limit(v, r, at, "number_lte", "Must be less than or equal to ", max);
    if (under.kind == VS_NUMBER && vs_num_cmp(doc, under) >= 0)
        complain_limit(v, r, at, "number_lt", "Must be less than ", under);
    if (min.kind == VS_NUMBER && vs_num_cmp(doc, min) < 0)
        complain_limit(v, r, at, "number_gte", "Must be greater than or equal to ", min);
    if (above.kind == VS_NUMBER && vs_num_cmp(doc, above) <= 0)
        complain_limit(v, r, at, "number_gt", "Must be greater than ", above);
    r->score++;
}

/* A limit on a count. json_schema_read has refused those that are not int64. */
static bool limit(vs_val s, const char *name, int64_t *out)
{
    vs_val x = vs_getc(s, name);
    *out = vs_is_int(x) ? x.u.i : 0;
    return vs_defined(x);
}

static void validate_string(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    int64_t min, max, n = 0;
    vs_val pattern = vs_getc(s, "pattern");
    if (!rego_charge(v->b, doc.len / 16))
        v->stopped = REGO_B_LIMIT;
    for (size_t i = 0; i < doc.len; n++)
        (void)vs_utf8_next(vs_text(doc), &i);
    if (limit(s, "minLength", &min) && n < min)
        complain(v, r, at, "string_gte", "String length must be greater than or equal to %lld",
                 (long long)min);
    if (limit(s, "maxLength", &max) && n > max)
        complain(v, r, at, "string_lte", "String length must be less than or equal to %lld",
                 (long long)max);
    if (pattern.kind == VS_STRING && !matches(v, pattern, doc))
        complain_name(v, r, at, "pattern", "Does not match pattern '", pattern, "'");
    r->score++;
}

/* ---- arrays ------------------------------------------------------------------------------------
 */

static void validate_item(validator *v, vs_val schema, vs_val doc, uint32_t i, const place *at,
                          result *r)
{
    place inner = {.up = at, .index = i};
    result one = try_schema(v, schema, doc.u.items[i], &inner);
    merge(r, &one);
}

static void validate_items(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    vs_val items = vs_getc(s, "items"), more = vs_getc(s, "additionalItems");
    bool many = items.kind == VS_ARRAY;
    if (!vs_defined(items) || (many && items.len == 0))
        return;
    for (uint32_t i = 0; i < doc.len; i++) {
        if (!many || i < items.len) {
            validate_item(v, many ? items.u.items[i] : items, doc, i, at, r);
        } else if (more.kind == VS_BOOL) {
            if (!more.u.b)
                complain(v, r, at, "array_no_additional_items",
                         "No additional items allowed on array");
            return;
        } else if (vs_defined(more)) {
            validate_item(v, more, doc, i, at, r);
        }
    }
}

/* Each item that was there before, with the place where it was last. */
static void validate_unique(validator *v, vs_val doc, const place *at, result *r)
{
    if (!rego_charge(v->b, vs_weight(doc))) {
        v->stopped = REGO_B_LIMIT;
        return;
    }
    vs_vec all = {.a = v->b->a};
    for (VS_ARR_FOR (x, doc))
        vs_vec_add(&all, *x);
    if (vs_vec_end_set(&all).len == doc.len)
        return;
    for (uint32_t i = 0; i < doc.len; i++) {
        uint32_t j = i;
        while (j > 0 && !vs_eq(doc.u.items[j - 1], doc.u.items[i]))
            j--;
        if (!rego_charge(v->b, i - j + 1))
            v->stopped = REGO_B_LIMIT;
        if (v->stopped != REGO_B_OK)
            return;
        if (j > 0)
            complain(v, r, at, "unique", "array items[%u,%u] must be unique", j - 1, i);
    }
}

static void validate_contains(validator *v, vs_val schema, vs_val doc, const place *at, result *r)
{
    result best = {0};
    for (uint32_t i = 0; i < doc.len; i++) {
        place inner = {.up = at, .index = i};
        result one = try_schema(v, schema, doc.u.items[i], &inner);
        if (!one.failed)
            return;
        if (i == 0 || one.score > best.score)
            best = one;
    }
    complain(v, r, at, "contains", "At least one of the items must match");
    merge(r, &best);
}

static void validate_array(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    int64_t min, max;
    vs_val contains = get_since(v, s, "contains", DRAFT_6);
    validate_items(v, s, doc, at, r);
    if (limit(s, "minItems", &min) && doc.len < min)
        complain(v, r, at, "array_min_items", "Array must have at least %lld items",
                 (long long)min);
    if (limit(s, "maxItems", &max) && doc.len > max)
        complain(v, r, at, "array_max_items", "Array must have at most %lld items", (long long)max);
    if (vs_is_true(vs_getc(s, "uniqueItems")))
        validate_unique(v, doc, at, r);
    if (vs_defined(contains))
        validate_contains(v, contains, doc, at, r);
    r->score++;
}

/* ---- objects -----------------------------------------------------------------------------------
 */

static bool validate_patterns(validator *v, vs_val patterns, const vs_pair *p, const place *at,
                              result *r)
{
    bool covered = false;
    if (patterns.kind != VS_OBJECT)
        return false;
    for (VS_OBJ_FOR (pattern, patterns))
        if (matches(v, pattern->key, p->key)) {
            place inner = {.up = at, .name = vs_text(p->key)};
            result one = try_schema(v, pattern->val, p->val, &inner);
            merge(r, &one);
            covered = true;
        }
    r->score += covered;
    return covered;
}

/* What "properties" does not say about a member. */
static void validate_member(validator *v, vs_val s, const vs_pair *p, const place *at, result *r)
{
    vs_val more = vs_getc(s, "additionalProperties");
    bool covered = validate_patterns(v, vs_getc(s, "patternProperties"), p, at, r);
    if (covered || vs_defined(vs_index(vs_getc(s, "properties"), p->key)))
        return;
    if (more.kind == VS_BOOL && !more.u.b) {
        complain_name(v, r, at, "additional_property_not_allowed", "Additional property ", p->key,
                      " is not allowed");
    } else if (more.kind == VS_OBJECT) {
        place inner = {.up = at, .name = vs_text(p->key)};
        result one = try_schema(v, more, p->val, &inner);
        merge(r, &one);
    }
}

static void validate_names(validator *v, vs_val names, vs_val doc, const place *at, result *r)
{
    for (VS_OBJ_FOR (p, doc)) {
        result one = try_schema(v, names, p->key, at);
        if (!one.failed)
            continue;
        complain_name(v, r, at, "invalid_property_name", "Property name of \"", p->key,
                      "\" does not match");
        merge(r, &one);
    }
}

static void validate_object(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    int64_t min, max;
    vs_val required = vs_getc(s, "required"), names = get_since(v, s, "propertyNames", DRAFT_6);
    if (limit(s, "minProperties", &min) && doc.len < min)
        complain(v, r, at, "array_min_properties", "Must have at least %lld properties",
                 (long long)min);
    if (limit(s, "maxProperties", &max) && doc.len > max)
        complain(v, r, at, "array_max_properties", "Must have at most %lld properties",
                 (long long)max);
    for (uint32_t i = 0; required.kind == VS_ARRAY && i < required.len; i++) {
        vs_val name = required.u.items[i];
        if (vs_defined(vs_index(doc, name)))
            r->score++;
        else
            complain_name(v, r, at, "required", "", name, " is required");
    }
    for (VS_OBJ_FOR (p, doc))
        validate_member(v, s, p, at, r);
    if (vs_defined(names))
        validate_names(v, names, doc, at, r);
    r->score++;
}

static void validate_properties(validator *v, vs_val properties, vs_val doc, const place *at,
                                result *r)
{
    if (properties.kind != VS_OBJECT)
        return;
    for (VS_OBJ_FOR (p, doc)) {
        vs_val schema = vs_index(properties, p->key);
        place inner = {.up = at, .name = vs_text(p->key)};
        if (vs_defined(schema))
            validate(v, schema, p->val, &inner, r);
    }
}

/* ---- a schema ----------------------------------------------------------------------------------
 */

static void validate_keywords(validator *v, vs_val s, vs_val doc, const place *at, result *r)
{
    if (!validate_type(v, vs_getc(s, "type"), doc, at, r))
        return;
    validate_combinations(v, s, doc, at, r);
    if (doc.kind == VS_NUMBER)
        validate_number(v, s, doc, at, r);
    else if (doc.kind == VS_ARRAY)
        validate_array(v, s, doc, at, r);
    else if (doc.kind == VS_OBJECT)
        validate_object(v, s, doc, at, r);
    validate_common(v, s, doc, at, r);
    if (doc.kind == VS_STRING)
        validate_string(v, s, doc, at, r);
    if (doc.kind == VS_OBJECT)
        validate_properties(v, vs_getc(s, "properties"), doc, at, r);
    r->score++;
}

static void validate(validator *v, vs_val schema, vs_val doc, const place *at, result *r)
{
    if (v->stopped != REGO_B_OK)
        return;
    if (v->depth >= DEPTH_MAX || !rego_charge(v->b, 20) || !vs_arena_ok(v->b->a)) {
        v->stopped = REGO_B_LIMIT;
        return;
    }
    if (schema.kind != VS_OBJECT) {
        if (!vs_is_true(schema))
            complain(v, r, at, "false", "False always fails validation");
        return;
    }
    v->depth++;
    vs_val ref = vs_getc(schema, "$ref"), target;
    if (!vs_defined(ref))
        validate_keywords(v, schema, doc, at, r);
    else if ((v->stopped = json_schema_resolve(v->b, v->s, vs_text(ref), &target)) == REGO_B_OK)
        validate(v, target, doc, at, r); /* hides everything beside it (draft 7, 8.3) */
    v->depth--;
}

rego_bres json_schema_validate(rego_bctx *b, json_schema *s, vs_val document, vs_vec *errors)
{
    validator v = {.b = b, .s = s};
    const place root = {0};
    result r = {.errors = *errors};
    if (!rego_charge(b, vs_weight(document)))
        return REGO_B_LIMIT;
    document = vs_json_plain(b->a, document);
    if (!vs_defined(document))
        return REGO_B_LIMIT;
    validate(&v, s->root, document, &root, &r);
    *errors = r.errors;
    return vs_arena_ok(b->a) ? v.stopped : REGO_B_LIMIT;
}
