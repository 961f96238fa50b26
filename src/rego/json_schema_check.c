/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a JSON Schema is one. Keywords are looked at in a fixed order, so that the first fault is
 * always the same one. */
#include "rego/builtins.h"
#include "rego/json_schema.h"
#include "rego/regex_re2.h"
#include "value/json.h"
#include "value/number.h"

enum { DEPTH_MAX = 200 };

typedef struct checker {
    rego_bctx *b;
    json_schema *s;
    vs_vec refs; /* those whose targets are checked, or about to be */
    unsigned depth;
} checker;

typedef struct keyword {
    const char *name;
    rego_bres (*check)(checker *c, const struct keyword *k, vs_val schema, vs_val v);
    const char *wrong; /* the message for a value of a wrong kind; %s is the name */
    json_draft since;
} keyword;

static const char no_schema[] = "Expected: Valid Schema, given: Invalid JSON";
#define NOT_A(wanted) "Invalid type. Expected: " wanted ", given: %s"

static rego_bres check_schema(checker *c, vs_val s);

static rego_bres wrong(checker *c, const keyword *k)
{
    const char *at = strstr(k->wrong, "%s");
    if (!at)
        return json_schema_wrong(c->b, c->s, "%s", k->wrong);
    return json_schema_wrong(c->b, c->s, "%.*s%s%s", (int)(at - k->wrong), k->wrong, k->name,
                             at + 2);
}

static bool may_be_schema(vs_val v)
{
    return v.kind == VS_OBJECT || v.kind == VS_BOOL;
}

static rego_bres check_string(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    return v.kind == VS_STRING ? REGO_B_OK : wrong(c, k);
}

static rego_bres check_bool(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    return v.kind == VS_BOOL ? REGO_B_OK : wrong(c, k);
}

static rego_bres check_sub(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    return may_be_schema(v) ? check_schema(c, v) : wrong(c, k);
}

/* "additionalProperties" could be a boolean before schemas could. */
static rego_bres check_more(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    return v.kind == VS_BOOL ? REGO_B_OK : check_sub(c, k, schema, v);
}

static rego_bres check_list(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    rego_bres res = v.kind == VS_ARRAY ? REGO_B_OK : wrong(c, k);
    for (uint32_t i = 0; res == REGO_B_OK && i < v.len; i++)
        res = check_schema(c, v.u.items[i]);
    return res;
}

static rego_bres check_map(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    rego_bres res = v.kind == VS_OBJECT ? REGO_B_OK : wrong(c, k);
    for (uint32_t i = 0; res == REGO_B_OK && i < v.len; i++)
        res = check_schema(c, v.u.pairs[i].val);
    return res;
}

static rego_bres check_definitions(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    for (uint32_t i = 0; v.kind == VS_OBJECT && i < v.len; i++)
        if (!may_be_schema(v.u.pairs[i].val))
            return wrong(c, k);
    return check_map(c, k, schema, v);
}

static rego_bres check_regex(checker *c, vs_span pattern, bool *good)
{
    const struct rego_regex *re;
    rego_bres res = rego_regex_get(c->b, pattern, &re);
    *good = res == REGO_B_OK;
    return res == REGO_B_LIMIT ? res : REGO_B_OK;
}

static rego_bres check_patterns(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    for (uint32_t i = 0; v.kind == VS_OBJECT && i < v.len; i++) {
        bool good;
        vs_span pattern = vs_text(v.u.pairs[i].key);
        rego_bres res = check_regex(c, pattern, &good);
        if (res != REGO_B_OK)
            return res;
        if (!good)
            return json_schema_wrong(c->b, c->s, "Invalid regex pattern '%.*s'", VS_FMT(pattern));
    }
    return check_map(c, k, schema, v);
}

static rego_bres check_pattern(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    bool good;
    rego_bres res = check_string(c, k, schema, v);
    if (res == REGO_B_OK)
        res = check_regex(c, vs_text(v), &good);
    if (res == REGO_B_OK && !good)
        return json_schema_wrong(c->b, c->s, "pattern must be a valid regex");
    return res;
}

static bool has_duplicates(checker *c, vs_val list)
{
    vs_vec all = {.a = c->b->a};
    for (VS_ARR_FOR (x, list))
        vs_vec_add(&all, *x);
    return vs_vec_end_set(&all).len != list.len;
}

static rego_bres check_unique(checker *c, const keyword *k, vs_val list)
{
    if (!rego_charge(c->b, vs_weight(list)))
        return REGO_B_LIMIT;
    if (!has_duplicates(c, list))
        return REGO_B_OK;
    return json_schema_wrong(c->b, c->s, "%s items must be unique", k->name);
}

static rego_bres check_enum(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    return v.kind == VS_ARRAY ? check_unique(c, k, v) : wrong(c, k);
}

static rego_bres check_required(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    for (uint32_t i = 0; v.kind == VS_ARRAY && i < v.len; i++)
        if (v.u.items[i].kind != VS_STRING)
            return json_schema_wrong(c->b, c->s, NOT_A("string"), k->name);
    return check_enum(c, k, schema, v);
}

static rego_bres check_dependencies(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    rego_bres res = v.kind == VS_OBJECT ? REGO_B_OK : wrong(c, k);
    for (uint32_t i = 0; res == REGO_B_OK && i < v.len; i++) {
        vs_val dep = v.u.pairs[i].val;
        bool good = may_be_schema(dep) || dep.kind == VS_ARRAY;
        for (uint32_t j = 0; dep.kind == VS_ARRAY && j < dep.len; j++)
            good &= dep.u.items[j].kind == VS_STRING;
        if (!good)
            return json_schema_wrong(c->b, c->s,
                                     "Dependency must be of type Schema Or Array Of Strings");
        if (dep.kind != VS_ARRAY)
            res = check_schema(c, dep);
    }
    return res;
}

static rego_bres check_items(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    for (uint32_t i = 0; v.kind == VS_ARRAY && i < v.len; i++)
        if (!may_be_schema(v.u.items[i]))
            return wrong(c, k);
    return v.kind == VS_ARRAY ? check_list(c, k, schema, v) : check_sub(c, k, schema, v);
}

static rego_bres check_number(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    return v.kind == VS_NUMBER ? REGO_B_OK : wrong(c, k);
}

static rego_bres check_multiple(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    rego_bres res = check_number(c, k, schema, v);
    if (res == REGO_B_OK && vs_num_sign(v) <= 0)
        return json_schema_wrong(c->b, c->s, "multipleOf must be strictly greater than 0");
    return res;
}

/* In draft 4 a flag beside the limit, later a limit itself. */
static rego_bres check_exclusive(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    const char *limit = vs_span_is(vs_str(k->name), "exclusiveMinimum") ? "minimum" : "maximum";
    static const char *const wanted[] = {[DRAFT_ANY] = "boolean/number",
                                         [DRAFT_4] = "boolean",
                                         [DRAFT_6] = "number",
                                         [DRAFT_7] = "number"};
    json_draft d = c->s->draft;
    bool flag = v.kind == VS_BOOL && d <= DRAFT_4, number = v.kind == VS_NUMBER && d != DRAFT_4;
    if (!flag && !number)
        return json_schema_wrong(c->b, c->s, NOT_A("%s"), wanted[d], k->name);
    if (flag && !vs_defined(vs_getc(schema, limit)))
        return json_schema_wrong(c->b, c->s, "%s cannot be used without %s", k->name, limit);
    return REGO_B_OK;
}

static rego_bres check_count(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    if (!vs_is_int(v))
        return wrong(c, k);
    if (v.u.i < 0)
        return json_schema_wrong(c->b, c->s, "%s must be greater than or equal to 0", k->name);
    return REGO_B_OK;
}

/* A "maxLength" or "maxProperties", whose "min..." was looked at before. */
static rego_bres check_most(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    const char *least_name =
        vs_span_is(vs_str(k->name), "maxLength") ? "minLength" : "minProperties";
    vs_val least = vs_getc(schema, least_name);
    rego_bres res = check_count(c, k, schema, v);
    if (res == REGO_B_OK && vs_defined(least) && least.u.i > v.u.i)
        return json_schema_wrong(c->b, c->s, "%s cannot be greater than %s", least_name, k->name);
    return res;
}

static rego_bres check_type(checker *c, const keyword *k, vs_val schema, vs_val v)
{
    (void)schema;
    static const char *const names[] = {"array", "boolean", "integer", "number",
                                        "null",  "object",  "string"};
    bool many = v.kind == VS_ARRAY;
    unsigned seen = 0;
    for (uint32_t i = 0; i < (many ? v.len : 1); i++) {
        vs_val t = many ? v.u.items[i] : v;
        if (t.kind != VS_STRING)
            return wrong(c, k);
        unsigned at = 0;
        while (at < VS_COUNT(names) && !vs_span_is(vs_text(t), names[at]))
            at++;
        if (at == VS_COUNT(names))
            return json_schema_wrong(c->b, c->s,
                                     "has a primitive type that is NOT VALID -- given: /%.*s/ "
                                     "Expected valid values are:[array boolean integer number null "
                                     "object string]",
                                     VS_FMT(vs_text(t)));
        if (seen >> at & 1)
            return json_schema_wrong(c->b, c->s, "%s type is duplicated", names[at]);
        seen |= 1u << at;
    }
    return REGO_B_OK;
}

/* ---- all of them -------------------------------------------------------------------------------
 */

/* These come before "$ref", which hides all others. */
static const keyword first[] = {
    {"definitions", check_definitions, NOT_A("Array Of Schemas"), DRAFT_ANY},
    {"title", check_string, NOT_A("string"), DRAFT_ANY},
    {"description", check_string, NOT_A("string"), DRAFT_ANY},
    {"$ref", check_string, NOT_A("string"), DRAFT_ANY},
};

static const keyword keywords[] = {
    {"type", check_type, "Invalid type. Expected: type, given: string/Array Of Strings", DRAFT_ANY},
    {"properties", check_map, "Properties must be of type object", DRAFT_ANY},
    {"additionalProperties", check_more, NOT_A("boolean/Valid Schema"), DRAFT_ANY},
    {"patternProperties", check_patterns, NOT_A("Valid Schema"), DRAFT_ANY},
    {"propertyNames", check_sub, "Invalid type. Expected: Valid Schema, given: patternProperties",
     DRAFT_6},
    {"dependencies", check_dependencies, "%s must be of type object", DRAFT_ANY},
    {"items", check_items, NOT_A("Valid Schema/Array Of Schemas"), DRAFT_ANY},
    {"additionalItems", check_more, NOT_A("boolean/Valid Schema"), DRAFT_ANY},
    {"multipleOf", check_multiple, NOT_A("Number"), DRAFT_ANY},
    {"minimum", check_number, "%s must be of a Number", DRAFT_ANY},
    {"exclusiveMinimum", check_exclusive, "", DRAFT_ANY},
    {"maximum", check_number, "%s must be of a Number", DRAFT_ANY},
    {"exclusiveMaximum", check_exclusive, "", DRAFT_ANY},
    {"minLength", check_count, "%s must be of an integer", DRAFT_ANY},
    {"maxLength", check_most, "%s must be of an integer", DRAFT_ANY},
    {"pattern", check_pattern, NOT_A("string"), DRAFT_ANY},
    {"format", check_string, NOT_A("string"), DRAFT_ANY},
    {"minProperties", check_count, "%s must be of an integer", DRAFT_ANY},
    {"maxProperties", check_most, "%s must be of an integer", DRAFT_ANY},
    {"required", check_required, "%s must be of an array", DRAFT_ANY},
    {"minItems", check_count, "%s must be of an integer", DRAFT_ANY},
    {"maxItems", check_count, "%s must be of an integer", DRAFT_ANY},
    {"uniqueItems", check_bool, "%s must be of a boolean", DRAFT_ANY},
    {"contains", check_sub, no_schema, DRAFT_6},
    {"enum", check_enum, "%s must be of an array", DRAFT_ANY},
    {"oneOf", check_list, "%s must be of an array", DRAFT_ANY},
    {"anyOf", check_list, "%s must be of an array", DRAFT_ANY},
    {"allOf", check_list, "%s must be of an array", DRAFT_ANY},
    {"not", check_sub, "%s must be of an object", DRAFT_ANY},
    {"if", check_sub, "%s must be of an object", DRAFT_7},
    {"then", check_sub, "%s must be of an object", DRAFT_7},
    {"else", check_sub, "%s must be of an object", DRAFT_7},
};

static rego_bres check_keywords(checker *c, vs_val s, const keyword *k, size_t n)
{
    rego_bres res = REGO_B_OK;
    for (size_t i = 0; i < n && res == REGO_B_OK; i++) {
        vs_val v = vs_getc(s, k[i].name);
        if (vs_defined(v) && (c->s->draft == DRAFT_ANY || c->s->draft >= k[i].since))
            res = k[i].check(c, &k[i], s, v);
    }
    return res;
}

static rego_bres check_target(checker *c, vs_val ref)
{
    vs_val target;
    if (!rego_charge(c->b, c->refs.n / 2 + 1))
        return REGO_B_LIMIT;
    for (size_t i = 0; i < c->refs.n; i++)
        if (vs_eq(c->refs.items[i], ref))
            return REGO_B_OK;
    rego_bres res = json_schema_resolve(c->b, c->s, vs_text(ref), &target);
    if (res != REGO_B_OK)
        return res;
    if (!may_be_schema(target))
        return json_schema_wrong(c->b, c->s, "Valid Schema must be of type object");
    vs_vec_add(&c->refs, ref);
    return check_schema(c, target);
}

static rego_bres check_id(checker *c, vs_val s)
{
    json_draft d = c->s->draft;
    const char *key =
        d == DRAFT_4 || (d == DRAFT_ANY && vs_defined(vs_getc(s, "id"))) ? "id" : "$id";
    vs_val id = vs_getc(s, key);
    return !vs_defined(id) || id.kind == VS_STRING
               ? REGO_B_OK
               : json_schema_wrong(c->b, c->s, NOT_A("string"), key);
}

static rego_bres check_schema(checker *c, vs_val s)
{
    if (c->depth >= DEPTH_MAX || !rego_charge(c->b, 8 + s.len) || !vs_arena_ok(c->b->a))
        return REGO_B_LIMIT;
    if (s.kind == VS_BOOL && c->s->draft != DRAFT_4)
        return REGO_B_OK;
    if (s.kind != VS_OBJECT)
        return json_schema_wrong(c->b, c->s, no_schema);
    c->depth++;
    vs_val ref = vs_getc(s, "$ref");
    rego_bres res = check_id(c, s);
    if (res == REGO_B_OK)
        res = check_keywords(c, s, first, VS_COUNT(first));
    if (res == REGO_B_OK)
        res = vs_defined(ref) ? check_target(c, ref)
                              : check_keywords(c, s, keywords, VS_COUNT(keywords));
    c->depth--;
    return res;
}

static rego_bres read_draft(rego_bctx *b, json_schema *s, vs_val schema)
{
    static const char *const uris[] = {[DRAFT_4] = "http://json-schema.org/draft-04/schema",
                                       [DRAFT_6] = "http://json-schema.org/draft-06/schema",
                                       [DRAFT_7] = "http://json-schema.org/draft-07/schema"};
    vs_val name = vs_getc(schema, "$schema");
    if (!vs_defined(name))
        return REGO_B_OK;
    if (name.kind != VS_STRING)
        return json_schema_wrong(b, s, "$schema must be of type string");
    vs_span uri = vs_text(name);
    if (vs_span_ends(uri, VS_LIT("#")))
        uri = vs_span_head(uri, uri.n - 1);
    for (json_draft d = DRAFT_4; d <= DRAFT_7; d++)
        if (vs_span_is(uri, uris[d]))
            s->draft = d;
    return REGO_B_OK;
}

rego_bres json_schema_read(rego_bctx *b, vs_val schema, json_schema *out)
{
    *out = (json_schema){0};
    if (!rego_charge(b, vs_weight(schema)))
        return REGO_B_LIMIT;
    vs_val plain = vs_json_plain(b->a, schema);
    if (!vs_defined(plain))
        return REGO_B_LIMIT;
    if (!may_be_schema(plain))
        return json_schema_wrong(b, out, "schema is invalid");
    checker c = {.b = b, .s = out, .refs = {.a = b->a}};
    rego_bres res = read_draft(b, out, plain);
    if (res == REGO_B_OK)
        res = json_schema_locate(b, plain, out);
    if (res == REGO_B_OK)
        res = check_schema(&c, out->root);
    return vs_arena_ok(b->a) ? res : REGO_B_LIMIT;
}
