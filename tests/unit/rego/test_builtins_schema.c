/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema, YAML and JSON texts: what OPA 1.22 gives, as tables. */
#include "expressions.h"

static void schema_keywords(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"json.match_schema(\"{\\\"a\\\": 1}\", {\"properties\": {\"a\": {\"type\": \"string\"}}})",
         "[false, [{\"desc\": \"Invalid type. Expected: string, given: integer\", \"error\": \"a: "
         "Invalid type. Expected: string, given: integer\", \"field\": \"a\", \"type\": "
         "\"invalid_type\"}]]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"null\", "
         "{\"type\": [\"string\", \"integer\"]})[1]]",
         "[\"(Root)|invalid_type|Invalid type. Expected: [string,integer], given: null\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"const\": \"<a>\"})[1]]",
         "[\"(Root)|const|(Root) does not match: \\\"\\\\u003ca\\\\u003e\\\"\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"enum\": [2, \"&\", null, {\"a\": [1]}]})[1]]",
         "[\"(Root)|enum|(Root) must be one of the following: 2, \\\"\\\\u0026\\\", null, "
         "{\\\"a\\\":[1]}\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"7\", "
         "{\"multipleOf\": 2, \"maximum\": 5, \"minimum\": 8, \"exclusiveMinimum\": 9})[1]]",
         "[\"(Root)|multiple_of|Must be a multiple of 2\", \"(Root)|number_lte|Must be less than "
         "or equal to 5\", \"(Root)|number_gte|Must be greater than or equal to 8\", "
         "\"(Root)|number_gt|Must be greater than 9\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"5\", "
         "{\"maximum\": 5, \"exclusiveMaximum\": true})[1]]",
         "[\"(Root)|number_lt|Must be less than 5\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"minimum\": 1000000})[1]]",
         "[\"(Root)|number_gte|Must be greater than or equal to 1e+06\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"minimum\": 1234567.5})[1]]",
         "[\"(Root)|number_gte|Must be greater than or equal to 1.2345675e+06\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"0.3\", "
         "{\"multipleOf\": 0.1})[1]]",
         "[]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"\\\"abc\\\"\", "
         "{\"minLength\": 9, \"pattern\": \"q\", \"format\": \"ipv4\", \"const\": \"x\", \"not\": "
         "{}})[1]]",
         "[\"(Root)|number_not|Must not validate the schema (not)\", \"(Root)|const|(Root) does "
         "not match: \\\"x\\\"\", \"(Root)|format|Does not match format 'ipv4'\", "
         "\"(Root)|string_gte|String length must be greater than or equal to 9\", "
         "\"(Root)|pattern|Does not match pattern 'q'\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"[1, 2, 1, "
         "1]\", {\"uniqueItems\": true, \"minItems\": 5, \"maxItems\": 3, \"items\": {\"type\": "
         "\"string\"}})[1]]",
         "[\"0|invalid_type|Invalid type. Expected: string, given: integer\", "
         "\"1|invalid_type|Invalid type. Expected: string, given: integer\", "
         "\"2|invalid_type|Invalid type. Expected: string, given: integer\", "
         "\"3|invalid_type|Invalid type. Expected: string, given: integer\", "
         "\"(Root)|array_min_items|Array must have at least 5 items\", "
         "\"(Root)|array_max_items|Array must have at most 3 items\", \"(Root)|unique|array "
         "items[0,2] must be unique\", \"(Root)|unique|array items[2,3] must be unique\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"[1, 2, 3]\", "
         "{\"items\": [{\"type\": \"string\"}], \"additionalItems\": false})[1]]",
         "[\"0|invalid_type|Invalid type. Expected: string, given: integer\", "
         "\"(Root)|array_no_additional_items|No additional items allowed on array\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"[1, "
         "\\\"x\\\"]\", {\"items\": [{}], \"additionalItems\": {\"type\": \"integer\"}})[1]]",
         "[\"1|invalid_type|Invalid type. Expected: integer, given: string\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"[1, 2]\", "
         "{\"contains\": {\"type\": \"string\"}})[1]]",
         "[\"(Root)|contains|At least one of the items must match\", \"0|invalid_type|Invalid "
         "type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"[]\", "
         "{\"contains\": true})[1]]",
         "[\"(Root)|contains|At least one of the items must match\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"a\\\": "
         "1}\", {\"required\": [\"b\", \"c\"], \"minProperties\": 2, \"maxProperties\": 0})[1]]",
         "!eval_builtin_error: minProperties cannot be greater than maxProperties"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"a\\\": 1, "
         "\\\"b\\\": 2}\", {\"properties\": {\"a\": {}}, \"additionalProperties\": false})[1]]",
         "[\"(Root)|additional_property_not_allowed|Additional property b is not allowed\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"ab\\\": "
         "1}\", {\"propertyNames\": {\"maxLength\": 1}})[1]]",
         "[\"(Root)|invalid_property_name|Property name of \\\"ab\\\" does not match\", "
         "\"(Root)|string_lte|String length must be less than or equal to 1\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"a\\\": "
         "1}\", {\"dependencies\": {\"a\": [\"b\"], \"c\": [\"d\"]}})[1]]",
         "[\"(Root)|missing_dependency|Has a dependency on b\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"a\\\": "
         "1}\", {\"dependencies\": {\"a\": {\"required\": [\"z\"]}}})[1]]",
         "[\"(Root)|required|z is required\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"a\\\": "
         "1}\", {\"dependencies\": {\"a\": false}})[1]]",
         "[\"(Root)|false|False always fails validation\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"allOf\": [{\"type\": \"string\"}, {\"minimum\": 2}]})[1]]",
         "[\"(Root)|invalid_type|Invalid type. Expected: string, given: integer\", "
         "\"(Root)|number_gte|Must be greater than or equal to 2\", \"(Root)|number_all_of|Must "
         "validate all the schemas (allOf)\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"anyOf\": [{\"type\": \"string\"}, {\"minimum\": 2, \"maximum\": 0}]})[1]]",
         "[\"(Root)|number_any_of|Must validate at least one schema (anyOf)\", "
         "\"(Root)|number_lte|Must be less than or equal to 0\", \"(Root)|number_gte|Must be "
         "greater than or equal to 2\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"a\\\": "
         "{\\\"b\\\": [{\\\"c\\\": 5}]}}\", {\"properties\": {\"a\": {\"anyOf\": [{\"type\": "
         "\"boolean\"}, {\"properties\": {\"b\": {\"items\": {\"properties\": {\"c\": {\"type\": "
         "\"string\"}}}}}}]}}})[1]]",
         "[\"a|number_any_of|Must validate at least one schema (anyOf)\", "
         "\"a.b.0.c|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"5\", "
         "{\"oneOf\": [true, {\"minimum\": 1}]})[1]]",
         "[\"(Root)|number_one_of|Must validate one and only one schema (oneOf)\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"null\"}]})[1]]",
         "[\"(Root)|number_one_of|Must validate one and only one schema (oneOf)\", "
         "\"(Root)|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", {\"not\": "
         "{\"type\": \"integer\"}})[1]]",
         "[\"(Root)|number_not|Must not validate the schema (not)\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", {\"if\": "
         "{\"type\": \"integer\"}, \"then\": {\"minimum\": 3}})[1]]",
         "[\"(Root)|condition_then|Must validate \\\"then\\\" as \\\"if\\\" was valid\", "
         "\"(Root)|number_gte|Must be greater than or equal to 3\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"\\\"x\\\"\", "
         "{\"if\": {\"type\": \"integer\"}, \"else\": false})[1]]",
         "[\"(Root)|condition_else|Must validate \\\"else\\\" as \\\"if\\\" was not valid\", "
         "\"(Root)|false|False always fails validation\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "false)[1]]",
         "!eval_builtin_error: wrong type, expected string or object"});
}

static void schema_drafts_and_faults(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"$schema\": \"http://json-schema.org/draft-04/schema#\", \"const\": 2, \"contains\": "
         "false, \"if\": true, \"then\": false})[1]]",
         "[]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"[1]\", "
         "{\"$schema\": \"http://json-schema.org/draft-04/schema\", \"contains\": false, "
         "\"propertyNames\": false})[1]]",
         "[]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"$schema\": \"http://json-schema.org/draft-06/schema#\", \"const\": 2, \"if\": true, "
         "\"then\": false})[1]]",
         "[\"(Root)|const|(Root) does not match: 2\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"if\": true, \"then\": "
         "false})[1]]",
         "[\"(Root)|condition_then|Must validate \\\"then\\\" as \\\"if\\\" was valid\", "
         "\"(Root)|false|False always fails validation\"]"},
        {"json.verify_schema({\"type\": \"nonsense\"})",
         "[false, \"jsonschema: has a primitive type that is NOT VALID -- given: /nonsense/ "
         "Expected valid values are:[array boolean integer number null object string]\"]"},
        {"json.verify_schema({\"type\": [\"null\", \"null\"]})",
         "[false, \"jsonschema: null type is duplicated\"]"},
        {"json.verify_schema({\"type\": 5})",
         "[false, \"jsonschema: Invalid type. Expected: type, given: string/Array Of Strings\"]"},
        {"json.verify_schema({\"enum\": [1, 1.0]})",
         "[false, \"jsonschema: enum items must be unique\"]"},
        {"json.verify_schema({\"enum\": {}})", "[false, \"jsonschema: enum must be of an array\"]"},
        {"json.verify_schema({\"multipleOf\": 0})",
         "[false, \"jsonschema: multipleOf must be strictly greater than 0\"]"},
        {"json.verify_schema({\"multipleOf\": -1})",
         "[false, \"jsonschema: multipleOf must be strictly greater than 0\"]"},
        {"json.verify_schema({\"minLength\": -1})",
         "[false, \"jsonschema: minLength must be greater than or equal to 0\"]"},
        {"json.verify_schema({\"minLength\": 9223372036854775808})",
         "[false, \"jsonschema: minLength must be of an integer\"]"},
        {"json.verify_schema({\"maxItems\": 1.5})",
         "[false, \"jsonschema: maxItems must be of an integer\"]"},
        {"json.verify_schema({\"minLength\": 3, \"maxLength\": 2})",
         "[false, \"jsonschema: minLength cannot be greater than maxLength\"]"},
        {"json.verify_schema({\"minProperties\": 2, \"maxProperties\": 1})",
         "[false, \"jsonschema: minProperties cannot be greater than maxProperties\"]"},
        {"json.verify_schema({\"pattern\": \"(\"})",
         "[false, \"jsonschema: pattern must be a valid regex\"]"},
        {"json.verify_schema({\"patternProperties\": {\"(\": {}}})",
         "[false, \"jsonschema: Invalid regex pattern '('\"]"},
        {"json.verify_schema({\"required\": [\"a\", \"a\"]})",
         "[false, \"jsonschema: required items must be unique\"]"},
        {"json.verify_schema({\"required\": [1]})",
         "[false, \"jsonschema: Invalid type. Expected: string, given: required\"]"},
        {"json.verify_schema({\"properties\": {\"a\": 1}})",
         "[false, \"jsonschema: Expected: Valid Schema, given: Invalid JSON\"]"},
        {"json.verify_schema({\"items\": 1})", "[false, \"jsonschema: Invalid type. Expected: "
                                               "Valid Schema/Array Of Schemas, given: items\"]"},
        {"json.verify_schema({\"additionalItems\": \"x\"})",
         "[false, \"jsonschema: Invalid type. Expected: boolean/Valid Schema, given: "
         "additionalItems\"]"},
        {"json.verify_schema({\"dependencies\": {\"a\": 1}})",
         "[false, \"jsonschema: Dependency must be of type Schema Or Array Of Strings\"]"},
        {"json.verify_schema({\"dependencies\": {\"a\": [1]}})",
         "[false, \"jsonschema: Dependency must be of type Schema Or Array Of Strings\"]"},
        {"json.verify_schema({\"exclusiveMinimum\": true})",
         "[false, \"jsonschema: exclusiveMinimum cannot be used without minimum\"]"},
        {"json.verify_schema({\"exclusiveMinimum\": \"x\"})",
         "[false, \"jsonschema: Invalid type. Expected: boolean/number, given: "
         "exclusiveMinimum\"]"},
        {"json.verify_schema({\"$schema\": \"http://json-schema.org/draft-06/schema#\", "
         "\"minimum\": 1, \"exclusiveMinimum\": true})",
         "[false, \"jsonschema: Invalid type. Expected: number, given: exclusiveMinimum\"]"},
        {"json.verify_schema({\"$schema\": \"http://json-schema.org/draft-04/schema#\", "
         "\"exclusiveMinimum\": 1})",
         "[false, \"jsonschema: Invalid type. Expected: boolean, given: exclusiveMinimum\"]"},
        {"json.verify_schema({\"$schema\": \"http://json-schema.org/draft-04/schema#\", \"not\": "
         "true})",
         "[false, \"jsonschema: Expected: Valid Schema, given: Invalid JSON\"]"},
        {"json.verify_schema({\"$schema\": 5})",
         "[false, \"jsonschema: $schema must be of type string\"]"},
        {"json.verify_schema({\"title\": 1, \"$ref\": 1})",
         "[false, \"jsonschema: Invalid type. Expected: string, given: title\"]"},
        {"json.verify_schema({\"$ref\": 1, \"type\": 1})",
         "[false, \"jsonschema: Invalid type. Expected: string, given: $ref\"]"},
        {"json.verify_schema({\"$id\": 1})",
         "[false, \"jsonschema: Invalid type. Expected: string, given: $id\"]"},
        {"json.verify_schema({\"anyOf\": [1]})",
         "[false, \"jsonschema: Expected: Valid Schema, given: Invalid JSON\"]"},
        {"json.verify_schema({\"not\": 1})", "[false, \"jsonschema: not must be of an object\"]"},
        {"json.verify_schema({\"if\": []})", "[false, \"jsonschema: if must be of an object\"]"},
        {"json.verify_schema({\"propertyNames\": 1})",
         "[false, \"jsonschema: Invalid type. Expected: Valid Schema, given: patternProperties\"]"},
        {"json.verify_schema({\"contains\": 1})",
         "[false, \"jsonschema: Expected: Valid Schema, given: Invalid JSON\"]"},
        {"json.verify_schema({\"uniqueItems\": 1})",
         "[false, \"jsonschema: uniqueItems must be of a boolean\"]"},
        {"json.verify_schema({\"definitions\": {\"a\": {\"type\": \"bogus\"}}})",
         "[false, \"jsonschema: has a primitive type that is NOT VALID -- given: /bogus/ Expected "
         "valid values are:[array boolean integer number null object string]\"]"},
        {"json.verify_schema(\"x\")", "[false, \"jsonschema: invalid JSON string\"]"},
        {"json.verify_schema(\"[]\")", "[false, \"jsonschema: schema is invalid\"]"},
        {"json.verify_schema(\"false\")", "[true, null]"});
}

static void schema_references(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"json.verify_schema({\"$ref\": \"#/foo/b\", \"foo\": {\"a\": {}}})",
         "[false, \"jsonschema: Object has no key 'b'\"]"},
        {"json.verify_schema({\"$ref\": \"#/foo/a\", \"foo\": {\"a\": 5}})",
         "[false, \"jsonschema: Valid Schema must be of type object\"]"},
        {"json.verify_schema({\"$ref\": \"#/foo/a\", \"foo\": {\"a\": {\"type\": \"bogus\"}}})",
         "[false, \"jsonschema: has a primitive type that is NOT VALID -- given: /bogus/ Expected "
         "valid values are:[array boolean integer number null object string]\"]"},
        {"json.verify_schema({\"not\": {\"$ref\": \"#/items/1\"}, \"items\": [{}]})",
         "[false, \"jsonschema: Out of bound array[0,1] index '1'\"]"},
        {"json.verify_schema({\"$ref\": \"#/type/x\", \"type\": \"string\"})",
         "[false, \"jsonschema: Invalid token reference 'x'\"]"},
        {"json.verify_schema({\"$ref\": \"other.json\"})",
         "[false, \"jsonschema: Reference /other.json must be canonical\"]"},
        {"json.verify_schema({\"$ref\": \"//h/x\"})",
         "[false, \"jsonschema: Reference //h/x must be canonical\"]"},
        {"json.verify_schema({\"$ref\": \"#/%zz\"})",
         "[false, \"jsonschema: parse \\\"#/%zz\\\": invalid URL escape \\\"%zz\\\"\"]"},
        {"json.verify_schema({\"definitions\": {\"a\": {\"$id\": \"http://x/y\"}, \"b\": {\"$id\": "
         "\"http://x/y\"}}})",
         "[false, \"jsonschema: Reference already exists: \\\"http://x/y\\\"\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"$ref\": \"#/foo/a\", \"foo\": {\"a\": {\"type\": \"string\"}}})[1]]",
         "[\"(Root)|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"$ref\": \"#/a~1b\", \"a/b\": {\"type\": \"string\"}})[1]]",
         "[\"(Root)|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"$ref\": \"#/a~0b%20c\", \"a~b c\": {\"type\": \"string\"}})[1]]",
         "[\"(Root)|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"1\", "
         "{\"$ref\": \"#n\", \"definitions\": {\"x\": {\"$id\": \"#n\", \"type\": "
         "\"string\"}}})[1]]",
         "[\"(Root)|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"a\\\": "
         "{\\\"a\\\": {\\\"b\\\": 1}}}\", {\"properties\": {\"a\": {\"$ref\": \"#\"}}, "
         "\"additionalProperties\": false})[1]]",
         "[\"a.a|additional_property_not_allowed|Additional property b is not allowed\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"p\\\": "
         "1}\", {\"definitions\": {\"a\": {\"$id\": \"y/z\"}, \"b\": {\"$id\": \"../q\", \"type\": "
         "\"string\"}}, \"$id\": \"http://x/a/b\", \"properties\": {\"p\": {\"$ref\": "
         "\"/q\"}}})[1]]",
         "[\"p|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"q\\\": "
         "1}\", {\"definitions\": {\"a\": {\"$id\": \"http://x/y\", \"properties\": {\"q\": "
         "{\"$ref\": \"#/definitions/z\"}}, \"definitions\": {\"z\": {\"type\": \"string\"}}}}, "
         "\"$ref\": \"http://x/y\"})[1]]",
         "[\"q|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"$ref\\\": "
         "1}\", {\"properties\": {\"$ref\": {\"type\": \"string\"}}})[1]]",
         "[\"$ref|invalid_type|Invalid type. Expected: string, given: integer\"]"},
        {"[concat(\"|\", [e.field, e.type, e.desc]) | some e in json.match_schema(\"{\\\"$ref\\\": "
         "\\\"#/q\\\"}\", {\"enum\": [{\"$ref\": \"#/q\"}]})[1]]",
         "[]"});
}

static void schema_values(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"json.match_schema({\"a\":{1,2}}, {\"properties\":{\"a\":{\"type\":\"array\"}}})",
         "[true, []]"},
        {"json.match_schema({1:2}, {\"required\":[\"1\"]})", "[true, []]"},
        {"json.match_schema({},{\"required\":{\"z\"}})[1][0].desc", "\"z is required\""},
        {"json.match_schema({\"a\":18446744073709551616}, "
         "{\"properties\":{\"a\":{\"maximum\":18446744073709551615}}})[1][0].desc",
         "\"Must be less than or equal to 1.8446744073709551615e+19\""},
        {"json.match_schema(\"{} x\",{})", "!eval_builtin_error: invalid JSON string"},
        {"json.match_schema({},\"[]\")", "!eval_builtin_error: schema is invalid"},
        {"json.match_schema(json.unmarshal(\"[1]\"),{\"items\":{\"type\":\"string\"}})[1][0].field",
         "\"0\""},
        {"json.match_schema({\"a\":urlquery.decode(\"%80\")},{\"properties\":{\"a\":{\"pattern\":"
         "\"^.$\"}}})[0]",
         "true"});
}

static void schema_formats(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"json.match_schema(\"\\\"2024-02-28\\\"\", {\"format\":\"date\"})[0]", "true"},
        {"json.match_schema(\"\\\"2024-02-30\\\"\", {\"format\":\"date\"})[0]", "false"},
        {"json.match_schema(\"\\\"12:00:00.5Z\\\"\", {\"format\":\"time\"})[0]", "true"},
        {"json.match_schema(\"\\\"12:00\\\"\", {\"format\":\"time\"})[0]", "false"},
        {"json.match_schema(\"\\\"2024-02-28T12:00:00+05:30\\\"\", {\"format\":\"date-time\"})[0]",
         "true"},
        {"json.match_schema(\"\\\"2024-02-28 12:00:00\\\"\", {\"format\":\"date-time\"})[0]",
         "false"},
        {"json.match_schema(\"\\\"1.1.1.1\\\"\", {\"format\":\"ipv4\"})[0]", "true"},
        {"json.match_schema(\"\\\"1.1.1.1.\\\"\", {\"format\":\"ipv4\"})[0]", "false"},
        {"json.match_schema(\"\\\"01.1.1.1\\\"\", {\"format\":\"ipv4\"})[0]", "false"},
        {"json.match_schema(\"\\\"::ffff:1.2.3.4\\\"\", {\"format\":\"ipv4\"})[0]", "true"},
        {"json.match_schema(\"\\\"::1\\\"\", {\"format\":\"ipv6\"})[0]", "true"},
        {"json.match_schema(\"\\\"::1/64\\\"\", {\"format\":\"ipv6\"})[0]", "false"},
        {"json.match_schema(\"\\\"1::2::3\\\"\", {\"format\":\"ipv6\"})[0]", "false"},
        {"json.match_schema(\"\\\"a@b\\\"\", {\"format\":\"email\"})[0]", "true"},
        {"json.match_schema(\"\\\"A B <a@b.c>\\\"\", {\"format\":\"email\"})[0]", "true"},
        {"json.match_schema(\"\\\"a b@c\\\"\", {\"format\":\"email\"})[0]", "false"},
        {"json.match_schema(\"\\\"\\\\\\\"a b\\\\\\\"@c.d\\\"\", {\"format\":\"email\"})[0]",
         "true"},
        {"json.match_schema(\"\\\"a@b@c\\\"\", {\"format\":\"email\"})[0]", "false"},
        {"json.match_schema(\"\\\"a-b.c\\\"\", {\"format\":\"hostname\"})[0]", "true"},
        {"json.match_schema(\"\\\"-a.b\\\"\", {\"format\":\"hostname\"})[0]", "false"},
        {"json.match_schema("
         "\"\\\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\\"\", "
         "{\"format\":\"hostname\"})[0]",
         "false"},
        {"json.match_schema(\"\\\"http://a\\\"\", {\"format\":\"uri\"})[0]", "true"},
        {"json.match_schema(\"\\\"/a\\\"\", {\"format\":\"uri\"})[0]", "false"},
        {"json.match_schema(\"\\\"http://a\\\\\\\\b\\\"\", {\"format\":\"uri\"})[0]", "false"},
        {"json.match_schema(\"\\\"http://a/%zz\\\"\", {\"format\":\"uri\"})[0]", "false"},
        {"json.match_schema(\"\\\"/a\\\"\", {\"format\":\"uri-reference\"})[0]", "true"},
        {"json.match_schema(\"\\\"1:b\\\"\", {\"format\":\"uri-reference\"})[0]", "false"},
        {"json.match_schema(\"\\\"http://x/{a}\\\"\", {\"format\":\"uri-template\"})[0]", "true"},
        {"json.match_schema(\"\\\"{a\\\"\", {\"format\":\"uri-template\"})[0]", "false"},
        {"json.match_schema(\"\\\"123E4567-e89b-62d3-a456-426614174000\\\"\", "
         "{\"format\":\"uuid\"})[0]",
         "true"},
        {"json.match_schema(\"\\\"123e4567e89b12d3a456426614174000\\\"\", "
         "{\"format\":\"uuid\"})[0]",
         "false"},
        {"json.match_schema(\"\\\"a+\\\"\", {\"format\":\"regex\"})[0]", "true"},
        {"json.match_schema(\"\\\"(\\\"\", {\"format\":\"regex\"})[0]", "false"},
        {"json.match_schema(\"\\\"/a~1\\\"\", {\"format\":\"json-pointer\"})[0]", "true"},
        {"json.match_schema(\"\\\"/a~2\\\"\", {\"format\":\"json-pointer\"})[0]", "false"},
        {"json.match_schema(\"\\\"0#\\\"\", {\"format\":\"relative-json-pointer\"})[0]", "true"},
        {"json.match_schema(\"\\\"01/a\\\"\", {\"format\":\"relative-json-pointer\"})[0]", "false"},
        {"json.match_schema(\"\\\"x\\\"\", {\"format\":\"nonsense\"})[0]", "true"});
}

static void yaml_scalars(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"yaml.unmarshal(\"[yes, no, on, y]\")", "[\"yes\", \"no\", \"on\", \"y\"]"},
        {"yaml.unmarshal(\"[true, True, TRUE, tRue]\")", "[true, true, true, \"tRue\"]"},
        {"yaml.unmarshal(\"[~, null, Null, NULL, nULL,]\")", "[null, null, null, null, \"nULL\"]"},
        {"yaml.unmarshal(\"[017, 0o17, 08, 0x1F, 0b101, -0x1f, +1]\")",
         "[15, 15, 8, 31, 5, -31, 1]"},
        {"yaml.unmarshal(\"[1_000, 0x_1, _1, 1e3, .5, 5., 1.5e-3, 1e]\")",
         "[1000, 1, \"_1\", 1000, 0.5, 5, 0.0015, \"1e\"]"},
        {"yaml.unmarshal(\"[18446744073709551615, 1e400, 0x10000000000000000]\")",
         "[18446744073709551615, \"1e400\", \"0x10000000000000000\"]"},
        {"yaml.unmarshal(\"[2001-01-01, 190:20:30]\")", "[\"2001-01-01\", \"190:20:30\"]"},
        {"yaml.unmarshal(\"['1', \\\"2\\\", !!str 3, !!int '4', !!float 5, !!bool 'true', !!null "
         "'']\")",
         "[\"1\", \"2\", \"3\", 4, 5, true, null]"},
        {"yaml.unmarshal(\"[!!binary aGk=, !!binary gA==]\")", "[\"hi\", \"\357\277\275\"]"},
        {"yaml.unmarshal(\"[!!timestamp 2001-01-01]\")", "[\"2001-01-01T00:00:00Z\"]"},
        {"yaml.unmarshal(\"[.inf]\")", "!eval_builtin_error: json: unsupported value: +Inf"},
        {"yaml.unmarshal(\"[!!int x]\")",
         "!eval_builtin_error: yaml: cannot decode !!str `x` as a !!int"},
        {"yaml.unmarshal(\"[!!bool yes]\")",
         "!eval_builtin_error: yaml: cannot decode !!str `yes` as a !!bool"},
        {"yaml.unmarshal(\"[!!binary '!']\")",
         "!eval_builtin_error: yaml: !!binary value contains invalid base64 data"},
        {"yaml.unmarshal(\"[-.INF]\")", "!eval_builtin_error: json: unsupported value: -Inf"});
}

static void yaml_collections(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"yaml.unmarshal(\"a: &x {b: 1}\\nc: {b: 2, <<: *x}\")",
         "{\"a\": {\"b\": 1}, \"c\": {\"b\": 2}}"},
        {"yaml.unmarshal(\"<<: [{a: 1}, {a: 2, b: 3}]\")", "{\"a\": 1, \"b\": 3}"},
        {"yaml.unmarshal(\"{<<: {a: 1}, <<: {a: 2}}\")", "{\"a\": 1}"},
        {"yaml.unmarshal(\"'<<': {a: 1}\")", "{\"<<\": {\"a\": 1}}"},
        {"yaml.unmarshal(\"!!str <<: {a: 1}\")", "{\"<<\": {\"a\": 1}}"},
        {"yaml.unmarshal(\"<<: 5\")",
         "!eval_builtin_error: yaml: map merge requires map or sequence of maps as the value"},
        {"yaml.unmarshal(\"<<: a\")",
         "!eval_builtin_error: yaml: map merge requires map or sequence of maps as the value"},
        {"yaml.unmarshal(\"<<: [[{a: 1}]]\")",
         "!eval_builtin_error: yaml: map merge requires map or sequence of maps as the value"},
        {"yaml.unmarshal(\"a: &x [{b: 1}]\\nc: {<<: *x}\")",
         "!eval_builtin_error: yaml: map merge requires map or sequence of maps as the value"},
        {"yaml.unmarshal(\"{~: 1}\")", "!eval_builtin_error: yaml: invalid map key: null"},
        {"yaml.unmarshal(\"{[1]: 2}\")", "!eval_builtin_error: yaml: invalid map key: array"},
        {"yaml.unmarshal(\"{1: a, 1.5: b, true: c, yes: d}\")",
         "{\"1\": \"a\", \"1.5\": \"b\", \"true\": \"c\", \"yes\": \"d\"}"},
        {"yaml.unmarshal(\"a: 1\\na: 2\")", "{\"a\": 2}"},
        {"yaml.unmarshal(\"a: &x 1\\nb: &x 2\\nc: *x\")", "{\"a\": 1, \"b\": 2, \"c\": 2}"},
        {"yaml.unmarshal(\"a: &x 1\\nb: &x [*x]\")",
         "!eval_builtin_error: yaml: anchor 'x' value contains itself"},
        {"yaml.unmarshal(\"*x\")", "!eval_builtin_error: yaml: unknown anchor 'x' referenced"},
        {"yaml.unmarshal(\"&a [*a]\")",
         "!eval_builtin_error: yaml: anchor 'a' value contains itself"},
        {"yaml.unmarshal(\"\")", "null"}, {"yaml.unmarshal(\"# c\")", "null"},
        {"yaml.unmarshal(\"--- a\\n--- b\")", "\"a\""},
        {"yaml.unmarshal(\"--- a\\n--- [\")",
         "!eval_builtin_error: yaml: line 2: did not find expected node content"},
        {"yaml.unmarshal(\"--- &x a\\n--- *x\")", "\"a\""},
        {"yaml.unmarshal(\"a\\n...\\nb\")",
         "!eval_builtin_error: yaml: line 2: did not find expected <document start>"},
        {"yaml.unmarshal(\"[1] x\")",
         "!eval_builtin_error: yaml: did not find expected <document start>"},
        {"yaml.unmarshal(\"%YAML 1.2\\n---\\na\")",
         "!eval_builtin_error: yaml: found incompatible YAML document"},
        {"yaml.unmarshal(\"a: b: c\")",
         "!eval_builtin_error: yaml: mapping values are not allowed in this context"},
        {"yaml.unmarshal(\"a:\\n\\tb: 1\")",
         "!eval_builtin_error: yaml: line 2: found character that cannot start any token"},
        {"yaml.is_valid(\"--- a\\n--- [\")", "false"}, {"yaml.is_valid(\"{~: 1}\")", "false"});
}

static void yaml_style(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"yaml.marshal(\"\")", "\"\\\"\\\"\\n\""}, {"yaml.marshal(\"yes\")", "\"\\\"yes\\\"\\n\""},
        {"yaml.marshal(\"1\")", "\"\\\"1\\\"\\n\""}, {"yaml.marshal(\"~\")", "\"\\\"~\\\"\\n\""},
        {"yaml.marshal(\"<<\")", "\"\\\"<<\\\"\\n\""},
        {"yaml.marshal(\"2001-01-01\")", "\"\\\"2001-01-01\\\"\\n\""},
        {"yaml.marshal(\"12:30\")", "\"\\\"12:30\\\"\\n\""},
        {"yaml.marshal(\"08\")", "\"\\\"08\\\"\\n\""}, {"yaml.marshal(\"a: b\")", "\"'a: b'\\n\""},
        {"yaml.marshal(\"a #b\")", "\"'a #b'\\n\""}, {"yaml.marshal(\"- a\")", "\"'- a'\\n\""},
        {"yaml.marshal(\" a\")", "\"' a'\\n\""}, {"yaml.marshal(\"a \")", "\"'a '\\n\""},
        {"yaml.marshal(\"'a'\")", "\"'''a'''\\n\""},
        {"yaml.marshal(\"a\\tb\")", "\"\\\"a\\\\tb\\\"\\n\""},
        {"yaml.marshal(\"a\\nb\")", "\"|-\\n  a\\n  b\\n\""},
        {"yaml.marshal(\"a\\nb\\n\")", "\"|\\n  a\\n  b\\n\""},
        {"yaml.marshal(\"a\\n\\n\")", "\"|+\\n  a\\n\\n\""},
        {"yaml.marshal(\" a\\nb\")", "\"|2-\\n   a\\n  b\\n\""},
        {"yaml.marshal(\"a\\nb \")", "\"\\\"a\\\\nb \\\"\\n\""},
        {"yaml.marshal(\"\\u0000\\u001b\")", "\"\\\"\\\\0\\\\e\\\"\\n\""},
        {"yaml.marshal(\"\\u007f\")",
         "!eval_builtin_error: yaml: control characters are not allowed"},
        {"yaml.marshal(\"\\u00e9\\ud83d\\ude00\")", "\"\\\"\303\251\\\\U0001F600\\\"\\n\""},
        {"yaml.marshal(null)", "\"null\\n\""}, {"yaml.marshal(true)", "\"true\\n\""},
        {"yaml.marshal(1.5)", "\"1.5\\n\""}, {"yaml.marshal(1e+21)", "\"1e+21\\n\""},
        {"yaml.marshal(1e-05)", "\"1e-05\\n\""}, {"yaml.marshal([])", "\"[]\\n\""},
        {"yaml.marshal({})", "\"{}\\n\""},
        {"yaml.marshal([[1, [2]], {\"a\": [1, {\"b\": []}]}])",
         "\"- - 1\\n  - - 2\\n- a:\\n    - 1\\n    - b: []\\n\""},
        {"yaml.marshal({\"a10\": 1, \"a9\": 2, \"B\": 3, \"10\": 4, \"9\": 5, \"\": 6, \"_\": 7})",
         "\"\\\"\\\": 6\\n_: 7\\n\\\"9\\\": 5\\n\\\"10\\\": 4\\nB: 3\\na9: 2\\na10: 1\\n\""},
        {"yaml.marshal({\"a\\nb\": {\"c\": 1, \"d\": [2]}})",
         "\"? |-\\n  a\\n  b\\n: c: 1\\n  d:\\n    - 2\\n\""},
        {"yaml.marshal({\"x\": \"y\\nz\"})", "\"x: |-\\n  y\\n  z\\n\""},
        {"yaml.marshal({1: {2}, null: \"<\"})", "\"\\\"1\\\":\\n  - 2\\n\\\"null\\\": <\\n\""});
}

static void json_texts(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"json.marshal(\"<>&\\u2028\\u0000\\u007f\303\251\")",
         "\"\\\"\\\\u003c\\\\u003e\\\\u0026\\\\u2028\\\\u0000\177\303\251\\\"\""},
        {"json.marshal({\"<\": [1, {2}], 3: 4, [5]: 6})",
         "\"{\\\"3\\\":4,\\\"\\\\u003c\\\":[1,[2]],\\\"[5]\\\":6}\""},
        {"json.marshal({10: 1, 9: 2, \"9\": 3})", "\"{\\\"10\\\":1,\\\"9\\\":3}\""},
        {"json.marshal({[\"<\"]: 1})", "\"{\\\"[\\\\\\\"\\\\\\\\u003c\\\\\\\"]\\\":1}\""},
        {"json.marshal(urlquery.decode(\"a%80%e2%82b\"))",
         "\"\\\"a\\\\ufffd\\\\ufffd\\\\ufffdb\\\"\""},
        {"json.marshal_with_options({\"<\": [\"&\"]}, {\"indent\": \"<\"})",
         "\"{\\n<\\\"\\\\u003c\\\": [\\n<<\\\"\\\\u0026\\\"\\n<]\\n}\""},
        {"json.marshal_with_options({10: 1, 9: {}}, {\"prefix\": \">\"})",
         "\">{\\n>\\t\\\"10\\\": 1,\\n>\\t\\\"9\\\": {}\\n>}\""},
        {"json.marshal_with_options([1], {\"x\": 1})",
         "!eval_type_error: operand 2 object contained unknown key \"x\""},
        {"json.marshal_with_options([1], {\"pretty\": json.unmarshal(\"1\")})",
         "!eval_type_error: operand 2 key \"pretty\" failed cast to bool"},
        {"json.unmarshal(\"\\\"\\\\ud800x\\\"\")", "\"\357\277\275x\""},
        {"json.is_valid(\"\\\"\\\\udc00\\\"\")", "true"},
        {"json.unmarshal(concat(\"\", [\"\\\"\", urlquery.decode(\"%80\"), \"\\\"\"]))",
         "\"\357\277\275\""},
        {"json.is_valid(\"[1,]\")", "false"},
        {"json.remove({\"a\": 1, \"b\": 2}, [\"\", \"a\"])", "{\"b\": 2}"},
        {"json.filter({\"a\": 1, \"b\": 2}, [\"a\", \"\"])", "{\"a\": 1}"},
        {"object.get({\"x\": {1}}, [\"x\", 1], 0)", "1"}, {"object.subset([], set())", "false"},
        {"regex.match(\"^.$\", urlquery.decode(\"%80\"))", "true"},
        {"regex.find_n(\".\", urlquery.decode(\"a%80b\"), -1)", "[\"a\", \"\357\277\275\", \"b\"]"},
        {"glob.match(\"*\", [], urlquery.decode(\"%80\"))", "true"});
}

/* What is refused, or exact where OPA is not. */
static void limits_and_differences(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"json.match_schema({}, {\"$ref\": \"#\"})", "!eval_limit_error: limit"},
        {"json.match_schema({\"a\\u0000b\": 1}, {\"additionalProperties\": false})[1][0].desc",
         "\"Additional property a\\u0000b is not allowed\""},
        {"json.verify_schema({\"$ref\": \"#/a\\u0000b\", \"a\": {}})[0]", "false"},
        {"json.match_schema({}, {\"allOf\": [{\"$ref\": \"#/a\"}], \"a\": {\"allOf\": "
         "[{\"$ref\": \"#/a\"}]}})",
         "!eval_limit_error: limit"},
        {"json.verify_schema({\"$ref\": \"#\"})", "[true, null]"},
        {"json.verify_schema({\"$ref\": \"#nowhere\"})[1]",
         "\"jsonschema: there is no schema with the name '#nowhere'\""},
        {"json.verify_schema({\"$ref\": \"http://example.com/x\"})[1]",
         "\"jsonschema: remote reference to 'http://example.com/x' is not allowed\""},
        {"json.verify_schema({\"$ref\": \"file:///etc/passwd\"})[0]", "false"},
        {"json.match_schema(\"9007199254740993\", {\"const\": 9007199254740992})[0]", "false"},
        {"json.match_schema(\"[9007199254740993, 9007199254740992]\", {\"uniqueItems\": true})[0]",
         "true"},
        {"json.match_schema(\"1e40\", {\"multipleOf\": 3})[0]", "false"},
        {"json.match_schema(\"10000000000000000000000000000000000000000\", {\"multipleOf\": "
         "0.5})[0]",
         "true"},
        /* every violation is told, and in full */
        {"count(json.match_schema(json.marshal(numbers.range(1, 1500)), {\"items\": {\"type\": "
         "\"string\"}})[1])",
         "1500"},
        {"count(json.match_schema({}, {\"required\": [sprintf(\"%600s\", [\"a\"])]})[1][0].desc)",
         "612"},
        {"count(json.verify_schema({\"type\": sprintf(\"%600s\", [\"a\"])})[1]) > 600", "true"},
        /* an anchor is never forgotten, however many there are */
        {"yaml.unmarshal(concat(\"\\n\", array.concat(array.concat([\"a: &x 1\"], [sprintf(\"b%d: "
         "&y%d 2\", [i, i]) | some i in numbers.range(1, 2000)]), [\"c: &x 3\", \"d: *x\"]))).d",
         "3"},
        {"yaml.unmarshal(concat(\"\", array.concat([\"[\" | some i in numbers.range(1, 150)], "
         "[\"]\" | some i in numbers.range(1, 150)])))",
         "!eval_limit_error: limit"},
        {"json.is_valid(concat(\"\", array.concat([\"[\" | some i in numbers.range(1, 300)], "
         "[\"]\" | some i in numbers.range(1, 300)])))",
         "!eval_limit_error: limit"},
        {"yaml.unmarshal(\"!!timestamp 2001-12-14t21:59:43.10-05:00\")",
         "!eval_builtin_error: offset"},
        {"yaml.marshal(\"a\\u0085\\u2028b\")", "\"\\\"a\\\\N\\\\Lb\\\"\\n\""},
        {"yaml.unmarshal(\"123456789012345678901\")", "123456789012345678901"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_keywords),   cmocka_unit_test(schema_drafts_and_faults),
        cmocka_unit_test(schema_references), cmocka_unit_test(schema_values),
        cmocka_unit_test(schema_formats),    cmocka_unit_test(yaml_scalars),
        cmocka_unit_test(yaml_collections),  cmocka_unit_test(yaml_style),
        cmocka_unit_test(json_texts),        cmocka_unit_test(limits_and_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
