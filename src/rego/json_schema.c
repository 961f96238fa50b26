/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/json_schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/enc.h"
#include "rego/builtins.h"
#include "rego/regex_re2.h"
#include "rego/schema_format.h"
#include "value/json.h"
#include "value/number.h"

enum { DEPTH_MAX = 100, ERRORS_MAX = 1000 };

typedef struct validator {
    rego_bctx *b;
    vs_val root;
    vs_vec *errors; /* NULL: only whether there are any */
    bool failed;
    rego_bres stopped; /* a limit or a bad schema; REGO_B_OK = go on */
    unsigned depth;
} validator;

static const char *const type_names[] = {"array", "boolean", "integer", "number",
                                         "null",  "object",  "string"};

static bool has_type(vs_val v, vs_span type)
{
    if (vs_span_is(type, "integer"))
        return v.kind == VS_NUMBER && vs_num_is_integer(v);
    return vs_span_is(type, vs_kind_name((vs_kind)v.kind));
}

static bool is_known_type(vs_span type)
{
    for (size_t i = 0; i < VS_COUNT(type_names); i++)
        if (vs_span_is(type, type_names[i]))
            return true;
    return false;
}

/* ---- the schema itself -------------------------------------------------------------------------
 */

typedef enum shape {
    SHAPE_SCHEMA,  /* a schema: an object, or a boolean */
    SHAPE_SCHEMAS, /* an array of schemas, at least one */
    SHAPE_MAP,     /* an object of schemas */
    SHAPE_ITEMS,   /* a schema, or an array of schemas */
    SHAPE_COUNT,   /* a non-negative integer */
    SHAPE_NUMBER,
    SHAPE_STRING,
    SHAPE_PATTERN,
    SHAPE_STRINGS, /* an array of strings */
    SHAPE_BOOL,
    SHAPE_ARRAY,
    SHAPE_LIMIT, /* a number, or in draft 4 a boolean */
} shape;

static const struct keyword {
    const char *name;
    shape shape;
} keywords[] = {
    {"additionalItems", SHAPE_SCHEMA},
    {"additionalProperties", SHAPE_SCHEMA},
    {"allOf", SHAPE_SCHEMAS},
    {"anyOf", SHAPE_SCHEMAS},
    {"contains", SHAPE_SCHEMA},
    {"definitions", SHAPE_MAP},
    {"else", SHAPE_SCHEMA},
    {"enum", SHAPE_ARRAY},
    {"exclusiveMaximum", SHAPE_LIMIT},
    {"exclusiveMinimum", SHAPE_LIMIT},
    {"format", SHAPE_STRING},
    {"if", SHAPE_SCHEMA},
    {"items", SHAPE_ITEMS},
    {"maxItems", SHAPE_COUNT},
    {"maxLength", SHAPE_COUNT},
    {"maxProperties", SHAPE_COUNT},
    {"maximum", SHAPE_NUMBER},
    {"minItems", SHAPE_COUNT},
    {"minLength", SHAPE_COUNT},
    {"minProperties", SHAPE_COUNT},
    {"minimum", SHAPE_NUMBER},
    {"multipleOf", SHAPE_NUMBER},
    {"not", SHAPE_SCHEMA},
    {"oneOf", SHAPE_SCHEMAS},
    {"pattern", SHAPE_PATTERN},
    {"patternProperties", SHAPE_MAP},
    {"properties", SHAPE_MAP},
    {"propertyNames", SHAPE_SCHEMA},
    {"required", SHAPE_STRINGS},
    {"then", SHAPE_SCHEMA},
    {"uniqueItems", SHAPE_BOOL},
};

static rego_bres check_schema(rego_bctx *b, vs_val root, vs_val s, unsigned depth);

static rego_bres check_each(rego_bctx *b, vs_val root, vs_val list, unsigned depth)
{
    for (uint32_t i = 0; i < list.len; i++) {
        rego_bres res = check_schema(
            b, root, list.kind == VS_OBJECT ? list.u.pairs[i].val : list.u.items[i], depth);
        if (res != REGO_B_OK)
            return res;
    }
    return REGO_B_OK;
}

static rego_bres wrong(rego_bctx *b, const char *name, const char *what)
{
    return rego_error(b, "%s must be %s", name, what);
}

static rego_bres check_keyword(rego_bctx *b, vs_val root, const struct keyword *k, vs_val v,
                               unsigned depth)
{
    switch (k->shape) {
    case SHAPE_SCHEMA: return check_schema(b, root, v, depth);
    case SHAPE_SCHEMAS:
        return v.kind == VS_ARRAY && v.len ? check_each(b, root, v, depth)
                                           : wrong(b, k->name, "a non-empty array of schemas");
    case SHAPE_MAP:
        return v.kind == VS_OBJECT ? check_each(b, root, v, depth) : wrong(b, k->name, "an object");
    case SHAPE_ITEMS:
        return v.kind == VS_ARRAY ? check_each(b, root, v, depth) : check_schema(b, root, v, depth);
    case SHAPE_COUNT:
        return v.kind == VS_NUMBER && vs_num_is_integer(v) && vs_num_sign(v) >= 0
                   ? REGO_B_OK
                   : wrong(b, k->name, "a non-negative integer");
    case SHAPE_NUMBER: return v.kind == VS_NUMBER ? REGO_B_OK : wrong(b, k->name, "a number");
    case SHAPE_LIMIT:
        return v.kind == VS_NUMBER || v.kind == VS_BOOL ? REGO_B_OK : wrong(b, k->name, "a number");
    case SHAPE_STRING: return v.kind == VS_STRING ? REGO_B_OK : wrong(b, k->name, "a string");
    case SHAPE_BOOL: return v.kind == VS_BOOL ? REGO_B_OK : wrong(b, k->name, "a boolean");
    case SHAPE_ARRAY:
        return v.kind == VS_ARRAY && v.len ? REGO_B_OK : wrong(b, k->name, "a non-empty array");
    case SHAPE_STRINGS:
        for (uint32_t i = 0; v.kind == VS_ARRAY && i < v.len; i++)
            if (v.u.items[i].kind != VS_STRING)
                return wrong(b, k->name, "an array of strings");
        return v.kind == VS_ARRAY ? REGO_B_OK : wrong(b, k->name, "an array of strings");
    case SHAPE_PATTERN: {
        const struct rego_regex *re;
        if (v.kind != VS_STRING)
            return wrong(b, k->name, "a valid regex");
        return rego_regex_get(b, vs_text(v), &re);
    }
    }
    return REGO_B_OK;
}

static rego_bres check_types(rego_bctx *b, vs_val type)
{
    bool many = type.kind == VS_ARRAY;
    for (uint32_t i = 0; i < (many ? type.len : 1); i++) {
        vs_val t = many ? type.u.items[i] : type;
        if (t.kind != VS_STRING)
            return wrong(b, "type", "a string or an array of strings");
        if (!is_known_type(vs_text(t)))
            return rego_error(b,
                              "has a primitive type that is NOT VALID -- given: /%.*s/ Expected "
                              "valid values are:[array boolean integer number null object string]",
                              VS_FMT(vs_span_head(vs_text(t), 40)));
    }
    return REGO_B_OK;
}

/* "#" or "#/a/b"; undefined when it leads nowhere. */
static vs_val resolve(vs_val root, vs_span ref)
{
    if (ref.n == 0 || ref.p[0] != '#')
        return vs_undefined();
    return vs_pointer(root, vs_span_from(ref, 1));
}

static rego_bres check_reference(rego_bctx *b, vs_val root, vs_val ref)
{
    vs_span s = vs_text(ref);
    if (ref.kind != VS_STRING)
        return wrong(b, "$ref", "a string");
    if (vs_defined(resolve(root, s)))
        return REGO_B_OK;
    return s.n && s.p[0] == '#'
               ? rego_error(b, "Object has no key '%.*s'", VS_FMT(vs_span_head(s, 80)))
               : rego_error(b, "remote reference to '%.*s' is not allowed",
                            VS_FMT(vs_span_head(s, 80)));
}

static rego_bres check_schema(rego_bctx *b, vs_val root, vs_val s, unsigned depth)
{
    if (depth > DEPTH_MAX || !rego_charge(b, 8 + s.len))
        return REGO_B_LIMIT;
    if (s.kind == VS_BOOL)
        return REGO_B_OK;
    if (s.kind != VS_OBJECT)
        return rego_error(b, "schema must be an object or a boolean, not %s",
                          vs_kind_name((vs_kind)s.kind));
    vs_val type = vs_getc(s, "type"), ref = vs_getc(s, "$ref");
    rego_bres res = vs_defined(type) ? check_types(b, type) : REGO_B_OK;
    if (res == REGO_B_OK && vs_defined(ref))
        res = check_reference(b, root, ref);
    for (size_t i = 0; i < VS_COUNT(keywords) && res == REGO_B_OK; i++) {
        vs_val v = vs_getc(s, keywords[i].name);
        if (vs_defined(v))
            res = check_keyword(b, root, &keywords[i], v, depth + 1);
    }
    return res;
}

rego_bres json_schema_check(rego_bctx *b, vs_val schema)
{
    return check_schema(b, schema, schema, 0);
}

/* ---- validation --------------------------------------------------------------------------------
 */

static const char root_field[] = "(root)";

static void complain(validator *v, const char *field, const char *type, const char *fmt, ...)
    VS_PRINTF(4, 5);

static void complain(validator *v, const char *field, const char *type, const char *fmt, ...)
{
    char desc[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(desc, sizeof desc, fmt, ap);
    va_end(ap);
    v->failed = true;
    if (!v->errors || v->errors->n >= ERRORS_MAX)
        return;
    vs_arena *a = v->b->a;
    vs_obj o = {.a = a};
    vs_obj_put(&o, "desc", vs_cstring(vs_sprintf(a, "%s", desc)));
    vs_obj_put(&o, "error", vs_cstring(vs_sprintf(a, "%s: %s", field, desc)));
    vs_obj_put(&o, "field", vs_cstring(field));
    vs_obj_put(&o, "type", vs_cstring(type));
    vs_vec_add(v->errors, vs_obj_end(&o, VS_DUP_LAST, NULL));
}

/* A value in a message: short ones as JSON. */
static const char *shown(validator *v, vs_val x)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(200);
    vs_json_print(&text, x);
    return vs_buf_ok(&text) ? vs_sprintf(v->b->a, "%.*s", VS_FMT(vs_buf_span(&text))) : "...";
}

static const char *below(validator *v, const char *field, vs_val key)
{
    bool root = strcmp(field, root_field) == 0;
    if (key.kind == VS_NUMBER)
        return vs_sprintf(v->b->a, "%s%s%lld", root ? "" : field, root ? "" : ".",
                          (long long)key.u.i);
    return vs_sprintf(v->b->a, "%s%s%.*s", root ? "" : field, root ? "" : ".",
                      VS_FMT(vs_text(key)));
}

static void validate(validator *v, vs_val schema, vs_val doc, const char *field);

/* Whether a value is valid, without telling why not. */
static bool accepts(validator *v, vs_val schema, vs_val doc)
{
    validator quiet = *v;
    quiet.errors = NULL;
    quiet.failed = false;
    validate(&quiet, schema, doc, root_field);
    if (quiet.stopped != REGO_B_OK)
        v->stopped = quiet.stopped;
    return !quiet.failed;
}

static bool matches(validator *v, vs_val pattern, vs_val text)
{
    const struct rego_regex *re;
    rego_match m;
    rego_bres res = rego_regex_get(v->b, vs_text(pattern), &re);
    if (res != REGO_B_OK) {
        v->stopped = res;
        return false;
    }
    if (!rego_charge(v->b, text.len / 4))
        v->stopped = REGO_B_LIMIT;
    return rego_regex_match(re, text.len ? text.u.s : "", text.len, 0, &m, 1);
}

static void validate_type(validator *v, vs_val type, vs_val doc, const char *field)
{
    VS_CLEANUP(vs_buf_free) vs_buf names = VS_BUF(256);
    bool many = type.kind == VS_ARRAY;
    for (uint32_t i = 0; i < (many ? type.len : 1); i++) {
        vs_span t = vs_text(many ? type.u.items[i] : type);
        if (has_type(doc, t))
            return;
        vs_buf_printf(&names, "%s%.*s", i ? "," : "", VS_FMT(t));
    }
    if (!vs_buf_ok(&names))
        v->stopped = REGO_B_LIMIT;
    const char *given = doc.kind == VS_NUMBER && vs_num_is_integer(doc)
                            ? "integer"
                            : vs_kind_name((vs_kind)doc.kind);
    complain(v, field, "invalid_type", "Invalid type. Expected: %.*s, given: %s",
             VS_FMT(vs_buf_span(&names)), given);
}

static size_t how_many(validator *v, vs_val schemas, vs_val doc)
{
    size_t n = 0;
    for (VS_ARR_FOR (s, schemas))
        n += accepts(v, *s, doc);
    return n;
}

static void validate_combinations(validator *v, vs_val s, vs_val doc, const char *field)
{
    vs_val any = vs_getc(s, "anyOf"), one = vs_getc(s, "oneOf"), all = vs_getc(s, "allOf"),
           not = vs_getc(s, "not"), when = vs_getc(s, "if");
    if (any.len && how_many(v, any, doc) == 0)
        complain(v, field, "number_any_of", "Must validate at least one schema (anyOf)");
    if (one.len && how_many(v, one, doc) != 1)
        complain(v, field, "number_one_of", "Must validate one and only one schema (oneOf)");
    if (all.len) {
        bool good = true;
        for (VS_ARR_FOR (x, all)) {
            validate(v, *x, doc, field);
            good &= accepts(v, *x, doc);
        }
        if (!good)
            complain(v, field, "number_all_of", "Must validate all the schemas (allOf)");
    }
    if (vs_defined(not ) && accepts(v, not, doc))
        complain(v, field, "number_not", "Must not validate the schema (not)");
    if (vs_defined(when)) {
        bool yes = accepts(v, when, doc);
        vs_val branch = vs_getc(s, yes ? "then" : "else");
        if (vs_defined(branch) && !accepts(v, branch, doc)) {
            complain(v, field, yes ? "condition_then" : "condition_else",
                     yes ? "Must validate \"then\" as \"if\" was valid"
                         : "Must validate \"else\" as \"if\" was not valid");
            validate(v, branch, doc, field);
        }
    }
}

static void validate_values(validator *v, vs_val s, vs_val doc, const char *field)
{
    vs_val constant = vs_getc(s, "const"), list = vs_getc(s, "enum");
    if (vs_defined(constant) && !vs_eq(constant, doc))
        complain(v, field, "const", "%s does not match: %s", field, shown(v, constant));
    if (list.kind != VS_ARRAY)
        return;
    VS_CLEANUP(vs_buf_free) vs_buf names = VS_BUF(400);
    for (VS_ARR_FOR (x, list)) {
        if (vs_eq(*x, doc))
            return;
        vs_buf_printf(&names, "%s%s", names.n ? ", " : "", shown(v, *x));
    }
    complain(v, field, "enum", "%s must be one of the following: %.*s", field,
             VS_FMT(vs_buf_span(&names)));
}

static void validate_number(validator *v, vs_val s, vs_val doc, const char *field)
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
    if (min.kind == VS_NUMBER && vs_num_cmp(doc, min) < 0)
        complain(v, field, "number_gte", "Must be greater than or equal to %s", shown(v, min));
    if (max.kind == VS_NUMBER && vs_num_cmp(doc, max) > 0)
        complain(v, field, "number_lte", "Must be less than or equal to %s", shown(v, max));
    if (above.kind == VS_NUMBER && vs_num_cmp(doc, above) <= 0)
        complain(v, field, "number_gt", "Must be greater than %s", shown(v, above));
    if (under.kind == VS_NUMBER && vs_num_cmp(doc, under) >= 0)
        complain(v, field, "number_lt", "Must be less than %s", shown(v, under));
    if (multiple.kind == VS_NUMBER && vs_num_sign(multiple) > 0) {
        vs_val q = vs_num_div(v->b->a, doc, multiple, NULL);
        if (!vs_defined(q) || !vs_num_is_integer(q))
            complain(v, field, "multiple_of", "Must be a multiple of %s", shown(v, multiple));
    }
}

/* False when there is no such limit, or it is beyond all sizes. */
static bool limit(vs_val s, const char *name, int64_t *out)
{
    vs_val x = vs_getc(s, name);
    *out = vs_is_int(x) ? x.u.i : INT64_MAX;
    return vs_is_int(x);
}

static void validate_string(validator *v, vs_val s, vs_val doc, const char *field)
{
    int64_t min, max, n = 0;
    vs_val pattern = vs_getc(s, "pattern"), format = vs_getc(s, "format");
    for (size_t at = 0; at < doc.len; n++)
        (void)vs_utf8_next(vs_text(doc), &at);
    if (limit(s, "minLength", &min) && n < min)
        complain(v, field, "string_gte", "String length must be greater than or equal to %lld",
                 (long long)min);
    if (limit(s, "maxLength", &max) && n > max)
        complain(v, field, "string_lte", "String length must be less than or equal to %lld",
                 (long long)max);
    if (pattern.kind == VS_STRING && !matches(v, pattern, doc))
        complain(v, field, "pattern", "Does not match pattern '%.*s'",
                 VS_FMT(vs_span_head(vs_text(pattern), 200)));
    if (format.kind == VS_STRING && !schema_format_ok(v->b, vs_text(format), vs_text(doc)))
        complain(v, field, "format", "Does not match format '%.*s'",
                 VS_FMT(vs_span_head(vs_text(format), 80)));
}

static void validate_items(validator *v, vs_val s, vs_val doc, const char *field)
{
    vs_val items = vs_getc(s, "items"), more = vs_getc(s, "additionalItems");
    if (!vs_defined(items))
        return;
    for (uint32_t i = 0; i < doc.len; i++) {
        vs_val schema = items;
        if (items.kind == VS_ARRAY)
            schema = i < items.len ? items.u.items[i] : more;
        if (items.kind == VS_ARRAY && i >= items.len && schema.kind == VS_BOOL && !schema.u.b) {
            complain(v, field, "array_no_additional_items", "No additional items allowed on array");
            return;
        }
        if (vs_defined(schema))
            validate(v, schema, doc.u.items[i], below(v, field, vs_int(i)));
    }
}

static void validate_unique(validator *v, vs_val doc, const char *field)
{
    vs_vec all = {.a = v->b->a};
    if (!rego_charge(v->b, vs_weight(doc))) {
        v->stopped = REGO_B_LIMIT;
        return;
    }
    for (VS_ARR_FOR (x, doc))
        vs_vec_add(&all, *x);
    if (vs_vec_end_set(&all).len == doc.len)
        return;
    for (uint32_t i = 0; i < doc.len; i++)
        for (uint32_t j = i + 1; j < doc.len; j++) {
            if (!rego_charge(v->b, 1)) {
                v->stopped = REGO_B_LIMIT;
                return;
            }
            if (vs_eq(doc.u.items[i], doc.u.items[j])) {
                complain(v, field, "unique", "array items[%u,%u] must be unique", i, j);
                return;
            }
        }
}

static void validate_array(validator *v, vs_val s, vs_val doc, const char *field)
{
    int64_t min, max;
    vs_val contains = vs_getc(s, "contains");
    if (limit(s, "minItems", &min) && doc.len < min)
        complain(v, field, "array_min_items", "Array must have at least %lld items",
                 (long long)min);
    if (limit(s, "maxItems", &max) && doc.len > max)
        complain(v, field, "array_max_items", "Array must have at most %lld items", (long long)max);
    validate_items(v, s, doc, field);
    if (vs_is_true(vs_getc(s, "uniqueItems")))
        validate_unique(v, doc, field);
    if (vs_defined(contains)) {
        bool found = false;
        for (VS_ARR_FOR (x, doc))
            found = found || accepts(v, contains, *x);
        if (!found)
            complain(v, field, "contains", "At least one of the items must match");
    }
}

static void validate_property(validator *v, vs_val s, const vs_pair *p, const char *field)
{
    vs_val known = vs_index(vs_getc(s, "properties"), p->key),
           patterns = vs_getc(s, "patternProperties"), more = vs_getc(s, "additionalProperties"),
           names = vs_getc(s, "propertyNames");
    bool covered = vs_defined(known);
    const char *at = below(v, field, p->key);
    if (covered)
        validate(v, known, p->val, at);
    if (patterns.kind == VS_OBJECT)
        for (VS_OBJ_FOR (pattern, patterns))
            if (matches(v, pattern->key, p->key)) {
                covered = true;
                validate(v, pattern->val, p->val, at);
            }
    if (vs_defined(names) && !accepts(v, names, p->key))
        complain(v, field, "invalid_property_name", "Property name of \"%.*s\" does not match",
                 VS_FMT(vs_span_head(vs_text(p->key), 80)));
    if (covered || !vs_defined(more))
        return;
    if (more.kind == VS_BOOL && !more.u.b)
        complain(v, field, "additional_property_not_allowed",
                 "Additional property %.*s is not allowed",
                 VS_FMT(vs_span_head(vs_text(p->key), 80)));
    else
        validate(v, more, p->val, at);
}

static void validate_dependency(validator *v, const vs_pair *dep, vs_val doc, const char *field)
{
    if (!vs_defined(vs_index(doc, dep->key)))
        return;
    if (dep->val.kind != VS_ARRAY) {
        validate(v, dep->val, doc, field);
        return;
    }
    for (VS_ARR_FOR (name, dep->val))
        if (!vs_defined(vs_index(doc, *name)))
            complain(v, field, "missing_dependency", "Has a dependency on %.*s",
                     VS_FMT(vs_span_head(vs_text(*name), 80)));
}

static void validate_object(validator *v, vs_val s, vs_val doc, const char *field)
{
    int64_t min, max;
    vs_val required = vs_getc(s, "required"), deps = vs_getc(s, "dependencies");
    if (limit(s, "minProperties", &min) && doc.len < min)
        complain(v, field, "array_min_properties", "Must have at least %lld properties",
                 (long long)min);
    if (limit(s, "maxProperties", &max) && doc.len > max)
        complain(v, field, "array_max_properties", "Must have at most %lld properties",
                 (long long)max);
    for (uint32_t i = 0; required.kind == VS_ARRAY && i < required.len; i++) {
        vs_val name = required.u.items[i];
        if (!vs_defined(vs_index(doc, name)))
            complain(v, field, "required", "%.*s is required",
                     VS_FMT(vs_span_head(vs_text(name), 80)));
    }
    for (VS_OBJ_FOR (p, doc))
        validate_property(v, s, p, field);
    if (deps.kind == VS_OBJECT)
        for (VS_OBJ_FOR (d, deps))
            validate_dependency(v, d, doc, field);
}

static void validate(validator *v, vs_val schema, vs_val doc, const char *field)
{
    if (v->stopped != REGO_B_OK)
        return;
    if (v->depth >= DEPTH_MAX || !rego_charge(v->b, 20) || !vs_arena_ok(v->b->a)) {
        v->stopped = REGO_B_LIMIT;
        return;
    }
    if (schema.kind != VS_OBJECT) {
        if (schema.kind == VS_BOOL && !schema.u.b)
            complain(v, field, "false", "False always fails validation");
        return;
    }
    v->depth++;
    vs_val ref = vs_getc(schema, "$ref"), type = vs_getc(schema, "type");
    if (ref.kind == VS_STRING) { /* hides everything beside it (draft 7, 8.3) */
        validate(v, resolve(v->root, vs_text(ref)), doc, field);
    } else {
        if (vs_defined(type))
            validate_type(v, type, doc, field);
        validate_combinations(v, schema, doc, field);
        validate_values(v, schema, doc, field);
        if (doc.kind == VS_NUMBER)
            validate_number(v, schema, doc, field);
        else if (doc.kind == VS_STRING)
            validate_string(v, schema, doc, field);
        else if (doc.kind == VS_ARRAY)
            validate_array(v, schema, doc, field);
        else if (doc.kind == VS_OBJECT)
            validate_object(v, schema, doc, field);
    }
    v->depth--;
}

rego_bres json_schema_validate(rego_bctx *b, vs_val schema, vs_val document, vs_vec *errors)
{
    validator v = {.b = b, .root = schema, .errors = errors};
    validate(&v, schema, document, root_field);
    return v.stopped;
}
