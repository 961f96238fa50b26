/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of graphql.*: AST shapes of OPA, the validation rules of the GraphQL specification
 * (October 2021) by section, hostile texts and values. */
#include "expressions.h"

#define S                                                                                          \
    "`type Query { dog: Dog, pet: Pet, cat: Cat, any: CatOrDog, n(i: Int, s: String!, "            \
    "l: [Int!], in: In, e: E, d: Int! = 1): Int } "                                                \
    "type Mutation { m: Int } type Subscription { a: Int b: Int } "                                \
    "interface Pet { name: String } "                                                              \
    "type Dog implements Pet { name: String nick: String volume: Int barks: Boolean! "             \
    "owner(x: Int): Dog knows(c: E!): Boolean } "                                                  \
    "type Cat implements Pet { name: String nick: Int volume: Int meows: Boolean } "               \
    "union CatOrDog = Cat | Dog enum E { SIT DOWN } "                                              \
    "input In { need: Int! opt: String def: Int! = 3 sub: In } "                                   \
    "input One @oneOf { a: Int b: Int } directive @rep repeatable on FIELD "                       \
    "extend type Query { one(o: One): Int }`"
#define VALID(q)                                                                                   \
    {                                                                                              \
        "graphql.is_valid(`" q "`, " S ")", "true"                                                 \
    }
#define INVALID(q)                                                                                 \
    {                                                                                              \
        "graphql.is_valid(`" q "`, " S ")", "false"                                                \
    }
#define WRONG(q, message)                                                                          \
    {                                                                                              \
        "graphql.parse(`" q "`, " S ")", "!eval_builtin_error: " message                           \
    }

static void queries_become_values(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"graphql.parse_query(``)", "{}"}, {"graphql.parse_query(\" ,\\t\\r\\n\\ufeff# c\")", "{}"},
        {"graphql.parse_query(`{a}`)",
         "{\"Operations\": [{\"Name\": \"\", \"Operation\": \"query\", \"SelectionSet\": "
         "[{\"Alias\": \"a\", \"Name\": \"a\"}]}]}"},
        {"graphql.parse_query(`mutation M { b: a { ... on T { c } ... { d } ...F } }`)"
         ".Operations[0].SelectionSet[0].SelectionSet",
         "[{\"SelectionSet\": [{\"Alias\": \"c\", \"Name\": \"c\"}], \"TypeCondition\": \"T\"}, "
         "{\"SelectionSet\": [{\"Alias\": \"d\", \"Name\": \"d\"}], \"TypeCondition\": \"\"}, "
         "{\"Name\": \"F\"}]"},
        {"graphql.parse_query(`query($a: [Int!] = [1]) @d(x: 1) {a}`).Operations[0]"
         ".VariableDefinitions[0].Type",
         "{\"Elem\": {\"NamedType\": \"Int\", \"NonNull\": true}, \"NamedType\": \"\", "
         "\"NonNull\": false}"},
        {"[v.Value.Kind | v := graphql.parse_query(`{f(a:$v b:1 c:1.5 d:\"s\" e:\"\"\"b\"\"\" "
         "f:true g:null h:E i:[] j:{})}`).Operations[0].SelectionSet[0].Arguments[_]]",
         "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"},
        {"graphql.parse_query(`{f(a:{b:[1]})}`).Operations[0].SelectionSet[0].Arguments[0].Value",
         "{\"Children\": [{\"Name\": \"b\", \"Value\": {\"Children\": [{\"Name\": \"\", \"Value\": "
         "{\"ExpectedTypeHasDefault\": false, \"Kind\": 1, \"Raw\": \"1\"}}], "
         "\"ExpectedTypeHasDefault\": false, \"Kind\": 8, \"Raw\": \"\"}}], "
         "\"ExpectedTypeHasDefault\": false, \"Kind\": 9, \"Raw\": \"\"}"},
        {"graphql.parse_query(1)", "!eval_type_error: operand 1 must be string but got number"});
}

#define RAW(text)                                                                                  \
    "graphql.parse_query(" text ").Operations[0].SelectionSet[0].Arguments[0].Value.Raw"

static void strings_are_unescaped(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {RAW("`{f(a:\"x\\n\\u00e9\\uD83D\\/\\\\\\\"\")}`"),
         "\"x\\n\xc3\xa9\xef\xbf\xbd/\\\\\\\"\""},
        {RAW("`{f(a:\"\")}`"), "\"\""},
        {RAW("`{f(a:\"\"\"\n    a\n      b\n\n    c\n  \"\"\")}`"), "\"a\\n  b\\n\\nc\""},
        {RAW("`{f(a:\"\"\" x \\\"\"\" \"y\" \"\"\")}`"), "\" x \\\"\\\"\\\" \\\"y\\\" \""},
        {RAW("`{f(a:\"\"\"\"\"\")}`"), "\"\""}, {RAW("`{f(a:-0.5e+10)}`"), "\"-0.5e+10\""});
}

static void schemas_become_values(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"graphql.parse_schema(``)", "{}"},
        {"graphql.parse_schema(`\"d\" enum E { A }`)",
         "{\"Definitions\": [{\"BuiltIn\": false, \"Description\": \"d\", \"EnumValues\": "
         "[{\"Description\": \"\", \"Name\": \"A\"}], \"Kind\": \"ENUM\", \"Name\": \"E\"}]}"},
        {"graphql.parse_schema(`directive @d(a: Int = 1) repeatable on | FIELD | ENUM`)",
         "{\"Directives\": [{\"Arguments\": [{\"DefaultValue\": {\"ExpectedTypeHasDefault\": "
         "false, "
         "\"Kind\": 1, \"Raw\": \"1\"}, \"Description\": \"\", \"Name\": \"a\", \"Type\": "
         "{\"NamedType\": \"Int\", \"NonNull\": false}}], \"Description\": \"\", \"IsRepeatable\": "
         "true, \"Locations\": [\"FIELD\", \"ENUM\"], \"Name\": \"d\"}]}"},
        {"graphql.parse_schema(`extend union U @x = | A | B`)",
         "{\"Extensions\": [{\"BuiltIn\": false, \"Description\": \"\", \"Directives\": "
         "[{\"Location\": \"\", \"Name\": \"x\"}], \"Kind\": \"UNION\", \"Name\": \"U\", "
         "\"Types\": "
         "[\"A\", \"B\"]}]}"},
        {"graphql.parse_schema({})", "!eval_type_error: operand 1 must be string but got object"});
}

static void syntax_errors_name_the_place(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"graphql.parse_query(`{`)", "!eval_builtin_error: Expected Name, found <EOF> in GraphQL "
                                     "string at location 1:2"},
        {"graphql.parse_query(`{}`)",
         "!eval_builtin_error: expected at least one definition, found }"},
        {"graphql.parse_query(`query`)", "!eval_builtin_error: Expected {, found <EOF>"},
        {"graphql.parse_query(\"{a}\\n x\")",
         "!eval_builtin_error: Unexpected Name \"x\" in GraphQL "
         "string at location 2:2"},
        {"graphql.parse_query(`{...on}`)", "!eval_builtin_error: Expected Name, found }"},
        {"graphql.parse_query(`fragment on on T {a}`)",
         "!eval_builtin_error: Unexpected Name \"on\""},
        {"graphql.parse_query(`query($a: Int = $b) {a}`)", "!eval_builtin_error: Unexpected $"},
        {"graphql.parse_query(`{a(b:01)}`)", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_query(`{a(b:1.)}`)", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_query(`{a(b:\"x)}`)", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_query(`{a(b:\"\\q\")}`)", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_query(`{a(b:\"\\u12`)", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_query(`\"\"\"`)", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_query(`..`)", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_query(\"\\u0000\")", "!eval_builtin_error: Unexpected <Invalid>"},
        {"graphql.parse_schema(`type T`)[\"Definitions\"][0].Name", "\"T\""},
        {"graphql.parse_schema(`extend type T`)", "!eval_builtin_error: Unexpected <EOF>"},
        {"graphql.parse_schema(`extend interface T implements I {a: Int}`)",
         "!eval_builtin_error: Unexpected Name \"implements\""},
        {"graphql.parse_schema(`\"d\" extend type T @x`)",
         "!eval_builtin_error: Unexpected String \"d\""},
        {"graphql.parse_schema(`directive @d on NOWHERE`)",
         "!eval_builtin_error: Unexpected Name \"NOWHERE\" in GraphQL string at location 1:17"},
        {"graphql.parse_schema(`directive @d no on FIELD`)",
         "!eval_builtin_error: Expected \"on\", found Name \"no\""},
        {"graphql.parse_schema(`schema { 'a }`)", "!eval_builtin_error: Unexpected single quote"},
        {"graphql.parse_schema(`schema { a: T }`)", "!eval_builtin_error: Unexpected Name \"a\""});
}

static void fields_are_checked(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        VALID("{dog{name __typename}}"), VALID("{pet{name ... on Dog{barks}}}"), VALID(""),
        WRONG("{dog{meows}}", "Cannot query field \"meows\" on type \"Dog\" in GraphQL string at "
                              "location 1:6"),
        INVALID("{pet{barks}}"), INVALID("{any{name}}"), VALID("{any{__typename}}"),
        WRONG("{dog}", "Field \"dog\" of type \"Dog\" must have a selection of subfields"),
        WRONG("{dog{name{__typename}}}", "Field \"name\" must not have a selection since type"));
}

static void fields_of_one_name_must_merge(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        VALID("{dog{name name}}"), VALID("{dog{a:name} dog{a:name b:nick}}"),
        WRONG("{dog{a:name a:nick}}", "Fields \"a\" conflict because name and nick are different"),
        WRONG("{dog{owner(x:1){name} owner(x:2){name}}}", "they have differing arguments"),
        INVALID("{dog{owner{name} owner(x:1){name}}}"),
        VALID("{dog{owner(x:1){name} owner(x:1){nick}}}"),
        WRONG("{dog{a:name} dog{a:nick}}", "subfields \"a\" conflict because name and nick"),
        VALID("{pet{... on Dog{v:volume} ... on Cat{v:volume}}}"),
        VALID("{pet{... on Dog{name} ... on Cat{name:name}}}"),
        WRONG("{pet{... on Dog{v:nick} ... on Cat{v:volume}}}",
              "they return conflicting types String"),
        INVALID("{pet{... on Dog{v:barks} ... on Cat{v:meows}}}"),
        INVALID("{dog{...A ...B}} fragment A on Dog{x:name} fragment B on Dog{x:nick}"),
        INVALID("{dog{x:nick ...A}} fragment A on Dog{x:name}"),
        INVALID(
            "{dog{...A owner{x:nick}}} fragment A on Dog{owner{...B}} fragment B on Dog{x:name}"),
        INVALID("{a:n(s:\"\",in:{need:1}) a:n(s:\"\",in:{need:2})}"));
}

static void arguments_are_checked(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        VALID("{n(s:\"x\")}"), VALID("{n(s:\"x\",l:1)}"), VALID("{n(s:\"x\",l:[1,2],e:SIT)}"),
        WRONG("{n}", "Field \"n\" argument \"s\" of type \"String!\" is required, but it was not "
                     "provided in GraphQL string at location 1:2"),
        WRONG("{dog{name(x:1)}}", "Unknown argument \"x\" on field \"Dog.name\""),
        WRONG("{n(s:\"\",s:\"\")}", "There can be only one argument named \"s\""),
        WRONG("{n(s:null)}", "String cannot represent a non string value: null"),
        WRONG("{n(s:\"\",i:\"1\")}", "Int cannot represent non-integer value: \"1\""),
        INVALID("{n(s:\"\",i:1.0)}"), INVALID("{n(s:\"\",i:99999999999999999999)}"),
        INVALID("{n(s:\"\",i:true)}"), INVALID("{n(s:\"\",i:SIT)}"), INVALID("{n(s:\"\",i:[1])}"),
        INVALID("{n(s:\"\",i:{})}"), INVALID("{n(s:\"\",l:[1,null])}"), VALID("{n(s:\"\",i:null)}"),
        WRONG("{n(s:\"\",e:STAND)}", "Value \"STAND\" does not exist in \"E\" enum"),
        WRONG("{n(s:\"\",e:\"SIT\")}", "Enum \"E\" cannot represent non-enum value: \"SIT\""),
        VALID("{n(s:\"\",in:{need:1,sub:{need:2}})}"),
        WRONG("{n(s:\"\",in:{})}", "Field \"In.need\" of required type \"Int!\" was not provided"),
        WRONG("{n(s:\"\",in:{need:1,no:2})}", "Field \"no\" is not defined by type \"In\""),
        WRONG("{n(s:\"\",in:{need:1,need:2})}", "There can be only one input field named \"need\""),
        INVALID("{n(s:\"\",in:{need:1,sub:{}})}"), VALID("{one(o:{a:1})}"),
        INVALID("{one(o:{a:1,b:2})}"), INVALID("{one(o:{a:null})}"), INVALID("{one(o:{})}"));
}

static void fragments_are_checked(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        VALID("{dog{...F}} fragment F on Dog{name}"), VALID("{dog{...F}} fragment F on Pet{name}"),
        VALID("{any{...F}} fragment F on Pet{name}"), VALID("{dog{...{name}}}"),
        WRONG("{dog{...F}}", "Unknown fragment \"F\""),
        WRONG("{dog{name}} fragment F on Dog{name}", "Fragment \"F\" is never used"),
        WRONG("{dog{...F}} fragment F on No{name}", "Unknown type \"No\""),
        WRONG("{dog{... on No{name}}}", "Unknown type \"No\""),
        WRONG("{dog{... on Int{__typename}}}",
              "Fragment cannot condition on non composite type \"Int\""),
        INVALID("{dog{...F}} fragment F on E{name}"),
        WRONG("{dog{... on Cat{name}}}", "can never be of type \"Cat\""),
        WRONG("{dog{...F}} fragment F on Cat{name}", "Fragment \"F\" cannot be spread here as"),
        INVALID("{dog{...F}} fragment F on Dog{name} fragment F on Dog{nick}"),
        WRONG("{dog{...F}} fragment F on Dog{...F}",
              "Cannot spread fragment \"F\" within itself in"),
        WRONG("{dog{...F}} fragment F on Dog{owner{...G}} fragment G on Dog{...F}",
              "Cannot spread fragment \"F\" within itself via \"G\""),
        WRONG("{dog{...F}} fragment F on Dog{...G} fragment G on Dog{...H} fragment H on Dog{...F}",
              "within itself via \"G\", \"H\""));
}

static void operations_and_variables_are_checked(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        VALID("query A{dog{name}} query B{dog{name}}"), VALID("mutation {m}"),
        VALID("subscription{a}"), INVALID("query A{dog{name}} query A{dog{name}}"),
        INVALID("{dog{name}} query A{dog{name}}"),
        WRONG("subscription{a b}", "Anonymous Subscription must select only one top level field"),
        INVALID("subscription S{...F} fragment F on Subscription{a b}"),
        WRONG("subscription S{__typename}", "Subscription \"S\" must not select an introspection"),
        {"graphql.is_valid(`mutation {m}`, `type Query {a: Int}`)", "false"},
        VALID("query($s: String!){n(s:$s)}"), VALID("query($s: String = \"\"){n(s:$s)}"),
        VALID("query($d: Int){n(s:\"\",d:$d)}"), VALID("query($l:[Int!]!){n(s:\"\",l:$l)}"),
        WRONG("query($s: String){n(s:$s)}", "Variable \"$s\" of type \"String\" used in position "
                                            "expecting type \"String!\""),
        INVALID("query($l:[Int]){n(s:\"\",l:$l)}"), INVALID("query($i:Int!){n(s:\"\",l:$i)}"),
        WRONG("{n(s:$s)}", "Variable \"$s\" is not defined"),
        WRONG("query Q{n(s:$s)}", "Variable \"$s\" is not defined by operation \"Q\""),
        WRONG("query Q($s:Int){dog{name}}", "Variable \"$s\" is never used in operation \"Q\""),
        WRONG("query($s:No){dog{name}}", "Unknown type \"No\""),
        WRONG("query($s:Dog){one(o:{a:$s})}", "Variable \"$s\" of type \"Dog\""),
        INVALID("query($s:Dog){dog @include(if:true){name} x:n(s:$s)}"),
        INVALID("query($s:String!,$s:String!){n(s:$s)}"),
        INVALID("query($s:Int!=\"x\"){n(s:\"\",i:$s)}"),
        VALID("query($s:Int!){...F} fragment F on Query{n(s:\"\",i:$s)}"),
        INVALID("query A($s:Int!){...F} query B{...F} fragment F on Query{n(s:\"\",i:$s)}"));
}

static void directives_are_checked(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        VALID("{dog @skip(if:false){name @include(if:true)}}"), VALID("{dog @rep @rep{name}}"),
        WRONG("{dog @no{name}}", "Unknown directive \"@no\""),
        WRONG("query @skip(if:true){dog{name}}", "Directive \"@skip\" may not be used on QUERY"),
        WRONG("{dog @skip{name}}",
              "Directive \"@skip\" argument \"if\" of type \"Boolean!\" is required"),
        WRONG("{dog @skip(if:true,no:1){name}}", "Unknown argument \"no\" on directive \"@skip\""),
        WRONG("{dog @skip(if:true) @skip(if:true){name}}",
              "The directive \"@skip\" can only be used once"),
        INVALID("{dog @skip(if:1){name}}"), INVALID("{dog @skip(if:true,if:true){name}}"));
}

static void introspection_is_bounded(void **state)
{
    (void)state;
    CHECK_ANSWERS(VALID("{__schema{types{name fields{name type{name ofType{name}}}}}}"),
                  VALID("{__type(name:\"Dog\"){name}}"), INVALID("{__type{name}}"),
                  INVALID("{dog{__schema{types{name}}}}"),
                  WRONG("{__schema{types{fields{type{fields{type{fields{name}}}}}}}}",
                        "Maximum introspection depth exceeded"));
}

#define SCHEMA(s, want)                                                                            \
    {                                                                                              \
        "graphql.schema_is_valid(`" s "`)", want                                                   \
    }
#define BAD(s, message)                                                                            \
    {                                                                                              \
        "graphql.parse(``, `" s "`)", "!eval_builtin_error: " message                              \
    }

static void schemas_are_checked(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        SCHEMA("", "true"), SCHEMA("type Query {a: Int}", "true"), SCHEMA("type T", "false"),
        SCHEMA("{", "false"), SCHEMA("schema {query: Q} type Q {a: Int}", "true"),
        BAD("schema {query: Q}", "Schema root query refers to a type Q that does not exist"),
        BAD("schema {query: Q} schema {query: Q} type Q {a: Int}", "Cannot have multiple schema"),
        BAD("type T {a: Int} type T {a: Int}",
            "Cannot redeclare type T in GraphQL string at location 1:22"),
        BAD("scalar Int", "Cannot redeclare type Int"),
        BAD("directive @a on FIELD directive @a on FIELD", "Cannot redeclare directive a"),
        SCHEMA("directive @skip(if: Boolean!) on FIELD", "true"),
        BAD("type T {a: No}", "Undefined type No in GraphQL string at location 1:12"),
        BAD("type T {a: Int a: Int}", "Field T.a can only be defined once"),
        BAD("type T {__a: Int}", "Name \"__a\" must not begin with \"__\""),
        SCHEMA("type __T {a: Int}", "false"),
        BAD("type T {a(x: T): Int}",
            "cannot use T as argument x because OBJECT is not a valid input type"),
        BAD("input I {a: T} type T {a: Int}",
            "OBJECT a: field must be one of SCALAR, ENUM, INPUT_OBJECT"),
        BAD("type T {a: I} input I {a: Int}", "OBJECT T: field must be one of"),
        BAD("union U = S scalar S", "UNION type \"S\" must be OBJECT"),
        SCHEMA("union U = No", "false"), BAD("enum E {true}", "ENUM E: non-enum value true"),
        BAD("extend enum E @deprecated", "ENUM E: must define one or more unique enum values"),
        BAD("type T {a: Int} extend input T {b: Int}",
            "Cannot extend type T because the base type is a OBJECT"),
        SCHEMA("extend type T {a: Int} extend type T {b: Int}", "true"),
        SCHEMA("extend type T {a: Int} extend type T {a: Int}", "false"),
        BAD("type T @no {a: Int}", "Undefined directive no"),
        BAD("type T @skip(if: true) {a: Int}", "Directive skip is not applicable on OBJECT"),
        BAD("directive @d(a: Int @d) on ARGUMENT_DEFINITION",
            "Directive d cannot refer to itself"));
}

#define IFACE "interface I {f(a: Int): I} "

static void implementations_are_checked(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        SCHEMA(IFACE "type T implements I {f(a: Int): T}", "true"),
        SCHEMA(IFACE "type T implements I {f(a: Int, b: Int): T!}", "true"),
        BAD(IFACE "type T implements I {g: Int}",
            "For T to implement I it must have a field called f"),
        BAD(IFACE "type T implements I {f(a: Int): Int}", "the field f must have type I"),
        BAD(IFACE "type T implements I {f: T}", "must have the same arguments but it is missing a"),
        BAD(IFACE "type T implements I {f(a: ID): T}", "but a has the wrong type"),
        BAD(IFACE "type T implements I {f(a: Int, b: Int!): T}",
            "must be optional or have a default value"),
        BAD("type T implements No {a: Int}", "Undefined type \"No\""),
        BAD("type T implements E {a: Int} enum E {A}", "\"E\" is a non interface type ENUM"),
        BAD("interface A {x: Int} interface B implements A {x: Int} type T implements B {x: Int}",
            "Type T must implement A because it is implemented by B"),
        BAD("interface A implements B {x: Int} interface B implements A {x: Int}",
            "cannot implement"),
        SCHEMA("interface A {x: [Int]!} type T implements A {x: [Int!]!}", "true"),
        SCHEMA("interface A {x: [Int]!} type T implements A {x: [Int!]}", "false"),
        SCHEMA("interface A {x: [Int]} type T implements A {x: Int}", "false"));
}

static void values_stand_for_texts(void **state)
{
    (void)state;
    CHECK_ANSWERS({"graphql.is_valid(graphql.parse_query(`{dog{... on Dog{name} ...F}} fragment F "
                   "on Dog{nick}`), "
                   "graphql.parse_schema(" S "))",
                   "true"},
                  {"graphql.is_valid(graphql.parse_query(`{dog{no}}`), graphql.parse_schema(" S
                   "))",
                   "false"},
                  {"graphql.parse(graphql.parse_query(`{dog{no}}`), " S ")",
                   "!eval_builtin_error: Cannot query field \"no\" on type \"Dog\""},
                  {"[[r[0], r[1] == q, r[2] == s] | q := graphql.parse_query(`{dog{name}}`); "
                   "s := graphql.parse_schema(" S "); r := graphql.parse_and_verify(q, s)]",
                   "[[true, true, true]]"});
    CHECK_ANSWERS(
        {"graphql.parse_and_verify(`{a}`, `type Query {a: Int}`)[0]", "true"},
        {"graphql.parse_and_verify(`{b}`, `type Query {a: Int}`)", "[false, {}, {}]"},
        {"graphql.parse_and_verify(1, ``)", "[false, {}, {}]"},
        {"graphql.is_valid(``, null)", "false"}, {"graphql.schema_is_valid({})", "true"},
        {"graphql.schema_is_valid([])", "false"},
        {"graphql.parse(``, 1)", "!eval_type_error: operand 2 must be one of {string, object}"},
        {"graphql.parse({\"Operations\": 1}, ``)", "!eval_builtin_error: cannot unmarshal number"},
        {"graphql.parse({\"Operations\": [1]}, ``)",
         "!eval_builtin_error: cannot unmarshal number"},
        {"graphql.is_valid({\"Operations\": [null]}, ``)", "false"},
        {"graphql.is_valid({\"Operations\": null}, ``)", "true"},
        {"graphql.is_valid({\"Operations\": [{\"Operation\": \"x\"}]}, ``)", "false"},
        {"graphql.is_valid({\"Operations\": [{\"VariableDefinitions\": [{}]}]}, ``)", "false"},
        {"graphql.is_valid({\"Operations\": [{\"VariableDefinitions\": [{\"Type\": {}}]}]}, ``)",
         "false"},
        {"graphql.schema_is_valid({\"Definitions\": [{\"Kind\": \"X\", \"Name\": \"T\"}]})",
         "false"},
        {"graphql.schema_is_valid({\"Definitions\": [{\"Kind\": \"OBJECT\", \"Name\": \"T\", "
         "\"Fields\": "
         "[{\"Name\": \"a\"}]}]})",
         "false"},
        {"graphql.schema_is_valid({\"Definitions\": [{\"Kind\": \"OBJECT\", \"Name\": \"T\", "
         "\"Fields\": "
         "{{\"Name\": \"a\", \"Type\": {\"NamedType\": \"Int\"}}}}]})",
         "true"});
}

#define LIMIT "!eval_limit_error: "

static void hostile_texts_end_in_limits(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"graphql.parse_query(concat(\"\", [\"{a\" | numbers.range(1, 100000)[_]]))", LIMIT},
        {"graphql.parse_query(concat(\"\", array.concat([\"{a(b:\"], [\"[\" | "
         "numbers.range(1, 100000)[_]])))",
         LIMIT},
        {"graphql.parse_schema(concat(\"\", array.concat([\"type T{a:\"], [\"[\" | "
         "numbers.range(1, 100000)[_]])))",
         LIMIT},
        {"graphql.is_valid(concat(\" \", [sprintf(\"fragment F%d on Query{...F%d}\", [i, i + 1]) | "
         "i := numbers.range(1, 5000)[_]]), `type Query{a: Int}`)",
         LIMIT},
        {"graphql.is_valid(sprintf(\"{%s}\", [concat(\" \", [\"a\" | numbers.range(1, "
         "20000)[_]])]), "
         "`type Query{a: Int}`)",
         LIMIT},
        {"graphql.is_valid(sprintf(\"%s%s\", [concat(\"\", [\"{x:a{a} a\" | numbers.range(1, "
         "90)[_]]), "
         "concat(\"\", [\"{a}}\" | numbers.range(1, 90)[_]])]), `type Query{a: Query}`)",
         "false"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_become_values),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(schemas_become_values),
        cmocka_unit_test(syntax_errors_name_the_place),
        cmocka_unit_test(fields_are_checked),
        cmocka_unit_test(fields_of_one_name_must_merge),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(fragments_are_checked),
        cmocka_unit_test(operations_and_variables_are_checked),
        cmocka_unit_test(directives_are_checked),
        cmocka_unit_test(introspection_is_bounded),
        cmocka_unit_test(schemas_are_checked),
        cmocka_unit_test(implementations_are_checked),
        cmocka_unit_test(values_stand_for_texts),
        cmocka_unit_test(hostile_texts_end_in_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
