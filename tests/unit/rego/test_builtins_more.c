/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of the builtins of groups B and C (rego.md 10). */
#include "expressions.h"

static void json_paths_and_patches(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"json.filter({\"a\": {\"b\": 1, \"c\": 2}}, [\"a/b\"])", "{\"a\": {\"b\": 1}}"},
        {"json.filter({\"a/b\": 1, \"c\": 2}, {[\"a/b\"]})", "{\"a/b\": 1}"},
        {"json.filter({\"a\": 1}, [])", "{}"},
        {"json.remove({\"a\": [1, 2, 3]}, [\"a/1\"])", "{\"a\": [1, 3]}"},
        {"json.remove({\"a\": {\"b\": 1}}, [\"a\", \"a/b\"])", "{}"},
        {"json.filter([], [])", "!eval_type_error: operand 1 must be object"},
        {"json.patch({\"a\": 1}, [{\"op\": \"add\", \"path\": \"b\", \"value\": 2}])",
         "{\"a\": 1, \"b\": 2}"},
        {"json.patch([1, 2], [{\"op\": \"add\", \"path\": \"-\", \"value\": 3}])", "[1, 2, 3]"},
        {"json.patch([1, 2], [{\"op\": \"remove\", \"path\": \"2\"}])", "undefined"},
        {"json.patch([1, 2], [{\"op\": \"remove\", \"path\": \"01\"}])", "undefined"},
        {"json.patch({\"a\": 1}, [{\"op\": \"test\", \"path\": \"a\", \"value\": 2}])",
         "undefined"},
        {"json.patch({\"a\": 1}, [{\"op\": \"move\", \"from\": \"a\", \"path\": \"b\"}])",
         "{\"b\": 1}"},
        {"json.patch({}, [1])", "!eval_type_error: array of objects"},
        {"json.marshal_with_options({\"a\": [1]}, {\"indent\": \" \"})",
         "\"{\\n \\\"a\\\": [\\n  1\\n ]\\n}\""},
        {"json.marshal_with_options(1, {\"x\": 1})", "!eval_type_error: unknown key"});
}

static void graphs(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"graph.reachable({\"a\": [\"b\"], \"b\": [\"a\", \"c\"], \"c\": []}, {\"a\"})",
         "{\"a\", \"b\", \"c\"}"},
        {"graph.reachable({\"a\": {\"x\"}}, [\"a\"])", "{\"a\"}"},
        {"graph.reachable_paths({\"a\": [\"b\", \"c\"], \"b\": [\"c\"], \"c\": []}, {\"a\"})",
         "{[\"a\", \"b\", \"c\"], [\"a\", \"c\"]}"},
        {"graph.reachable_paths({\"a\": [\"a\"]}, {\"a\"})", "{[\"a\", \"a\"]}"},
        {"graph.reachable([], {})", "!eval_type_error: operand 1 must be object"});
}

static void units_and_uuids(void **state)
{
    (void)state;
    CHECK_ANSWERS({"units.parse(\"500m\")", "0.5"}, {"units.parse(\"1.5Ki\")", "1536"},
                  {"units.parse(\"2M\")", "2000000"}, {"units.parse(\"1e3\")", "1000"},
                  {"units.parse_bytes(\"1KiB\")", "1024"}, {"units.parse_bytes(\"1.5kb\")", "1500"},
                  {"units.parse_bytes(\"\\\"3MB\\\"\")", "3000000"},
                  {"units.parse(\"1x\")", "undefined"},
                  {"units.parse(\"\")", "!eval_builtin_error: no amount provided"},
                  {"units.parse(\"1 k\")", "!eval_builtin_error: spaces not allowed"},
                  {"units.parse(\"1.2.3\")", "!eval_builtin_error: could not parse amount"},
                  {"uuid.parse(\"00000000-0000-4000-8000-00000000000g\")", "undefined"},
                  {"uuid.parse(\"{a6342df8-7801-469c-b3f3-c5317a0ebdaa}\")",
                   "{\"variant\": \"RFC4122\", \"version\": 4}"},
                  {"uuid.rfc4122(\"x\") == uuid.rfc4122(\"x\")", "true"},
                  {"uuid.parse(uuid.rfc4122(\"x\")).version", "4"}, {"rand.intn(\"x\", 0)", "0"},
                  {"rand.intn(\"x\", 10) == rand.intn(\"x\", 10)", "true"});
}

static void networks(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"net.cidr_contains(\"10.0.0.0/8\", \"10.255.0.1\")", "true"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"11.0.0.0/16\")", "false"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"::1\")", "false"},
        {"net.cidr_contains(\"fe80::/10\", \"fe80::1\")", "true"},
        {"net.cidr_contains(\"10.0.0.0/33\", \"10.0.0.1\")",
         "!eval_builtin_error: invalid CIDR address"},
        {"net.cidr_contains(\"010.0.0.0/8\", \"10.0.0.1\")", "!eval_builtin_error: invalid CIDR"},
        {"net.cidr_intersects(\"10.0.0.0/25\", \"10.0.0.64/26\")", "true"},
        {"net.cidr_is_valid(\"10.0.0.0\")", "false"},
        {"net.cidr_expand(\"10.0.0.2/31\")", "{\"10.0.0.2\", \"10.0.0.3\"}"},
        {"net.cidr_expand(\"255.255.255.255/32\")", "{\"255.255.255.255\"}"},
        {"net.cidr_expand(\"::/0\")", "!eval_limit_error: limit"},
        {"net.cidr_merge([\"10.0.0.0/25\", \"10.0.0.128/25\"])", "{\"10.0.0.0/24\"}"},
        {"net.cidr_merge([\"0.0.0.0/0\", \"255.0.0.0/8\"])", "{\"0.0.0.0/0\"}"},
        {"net.cidr_merge([\"::/1\", \"8000::/1\"])", "{\"::/0\"}"},
        {"net.cidr_contains_matches(\"10.0.0.0/8\", {\"10.1.1.1\", \"9.9.9.9\"})",
         "{[\"10.0.0.0/8\", \"10.1.1.1\"]}"},
        {"net.lookup_ip_addr(\"192.0.2.1\")", "{\"192.0.2.1\"}"},
        {"net.lookup_ip_addr(\"example.com\")", "!eval_builtin_error: not available"},
        {"http.send({\"method\": \"get\", \"url\": \"x\"})", "!eval_builtin_error: not available"},
        {"http.send({\"nonsense\": 1})", "!eval_type_error: {\"nonsense\"}"});
}

static void texts_and_patterns(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"glob.match(\"*.a.{b,c?}\", [\".\"], \"x.a.cd\")", "true"},
        {"glob.match(\"*\", [\".\"], \"a.b\")", "false"},
        {"glob.match(\"**\", [], \"a.b\")", "true"},
        {"glob.match(\"[!a-c]\", null, \"d\")", "true"},
        {"glob.match(\"a\\\\*\", null, \"a*\")", "true"},
        {"glob.match(\"{a\", [], \"a\")", "!eval_builtin_error: could not parse"},
        {"glob.match(\"[]\", [], \"a\")", "!eval_builtin_error: could not parse"},
        {"glob.quote_meta(\"a*{b}\")", "\"a\\\\*\\\\{b\\\\}\""},
        {"regex.globs_match(\"a.*\", \".*b\")", "true"},
        {"regex.globs_match(\"a+\", \"b*\")", "false"},
        {"regex.globs_match(\"*\", \"a\")", "!eval_builtin_error: invalid"},
        {"regex.template_match(\"a<\\\\d+>b\", \"a12b\", \"<\", \">\")", "true"},
        {"regex.template_match(\"a<b\", \"\", \"<\", \">\")", "!eval_builtin_error: unbalanced"},
        {"regex.template_match(\"a\", \"\", \"<<\", \">\")", "!eval_builtin_error: exactly one"},
        {"regex.match(`([a-z]{1,64}){1,64}`, \"a\")", "!eval_limit_error: limit"},
        {"strings.replace_n({\"a\": \"b\", \"b\": \"a\"}, \"abc\")", "\"bac\""},
        {"strings.split_n(\"a.b.c\", \".\", 2)", "[\"a\", \"b\"]"},
        {"strings.split_n(\"a.b.c\", \".\", -1)", "[\"c\"]"},
        {"strings.render_template(\"{{range $i, $v := .a}}{{$i}}={{$v}} {{end}}\", {\"a\": [7, "
         "8]})",
         "\"0=7 1=8 \""},
        {"strings.render_template(\"{{if eq .x `1`}}one{{else if .y}}y{{else}}no{{end}}\", {\"x\": "
         "2})",
         "\"no\""},
        {"strings.render_template(\"a {{- 1 -}} b\", {})", "\"a1b\""},
        {"strings.render_template(\"{{if .x}}\", {})", "!eval_builtin_error: unexpected EOF"},
        {"urlquery.encode(\"a b&c\")", "\"a+b%26c\""},
        {"urlquery.decode(\"a+b%26c\")", "\"a b&c\""},
        {"urlquery.decode(\"%zz\")", "!eval_builtin_error: invalid URL escape"},
        {"urlquery.decode_object(\"a=1&b=2&a=3\")", "{\"a\": [\"1\", \"3\"], \"b\": [\"2\"]}"},
        {"urlquery.encode_object({\"a\": [\"1\", \"2\"]})", "\"a=1&a=2\""},
        {"uri.parse(\"https://h:8/p%20q?x=1#f\").path", "\"/p q\""},
        {"uri.is_valid(\":x\")", "false"});
}

static void times(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"time.format(0)", "\"1970-01-01T00:00:00Z\""},
        {"time.format([-1, \"UTC\", \"RFC3339Nano\"])", "\"1969-12-31T23:59:59.999999999Z\""},
        {"time.format([0, \"\", \"Monday, 02-Jan-06 15:04:05 MST\"])",
         "\"Thursday, 01-Jan-70 00:00:00 UTC\""},
        {"time.parse_ns(\"2006-01-02\", \"2024-02-29\")", "1709164800000000000"},
        {"time.parse_ns(\"2006-01-02\", \"2023-02-29\")", "!eval_builtin_error: day out of range"},
        {"time.parse_ns(\"RFC1123Z\", \"Thu, 01 Jan 1970 01:00:00 +0100\")", "0"},
        {"time.parse_ns(\"3:04PM\", \"12:30AM\") - time.parse_ns(\"3:04PM\", \"12:00AM\")",
         "!eval_builtin_error: outside of valid range"},
        {"time.parse_rfc3339_ns(\"2023-11-14T22:13:20.5Z\")", "1700000000500000000"},
        {"time.parse_rfc3339_ns(\"2023-11-14\")",
         "!eval_builtin_error: cannot parse \"\" as \"T\""},
        {"time.parse_duration_ns(\"1h2m3.5ms\")", "3720003500000"},
        {"time.parse_duration_ns(\"-1.5s\")", "-1500000000"},
        {"time.parse_duration_ns(\"1x\")", "!eval_builtin_error: unknown unit \"x\""},
        {"time.add_date(0, 0, 1, 30)", "5270400000000000"},
        {"time.date(951782400000000000)", "[2000, 2, 29]"}, {"time.weekday(0)", "\"Thursday\""},
        {"time.diff(0, 90061000000000)", "[0, 0, 1, 1, 1, 1]"},
        {"time.date([0, \"../../etc/passwd\"])", "!eval_builtin_error: invalid location name"},
        {"time.clock(1e20)", "!eval_builtin_error: timestamp too big"});
}

static void tokens_and_digests(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"crypto.sha256(\"abc\")",
         "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
        {"crypto.md5(\"\")", "\"d41d8cd98f00b204e9800998ecf8427e\""},
        {"crypto.hmac.sha256(\"Hi There\", \"k\") == crypto.hmac.sha256(\"Hi There\", \"l\")",
         "false"},
        {"crypto.hmac.equal(\"a\", \"a\")", "true"},
        {"io.jwt.decode(io.jwt.encode_sign({\"alg\": \"HS256\"}, {\"a\": 1}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}))[1]",
         "{\"a\": 1}"},
        {"io.jwt.verify_hs256(io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}), \"secret\")",
         "true"},
        {"io.jwt.verify_hs256(io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}), \"other\")",
         "false"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {\"exp\": 1}, {\"kty\": "
         "\"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\"})[0]",
         "false"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {\"aud\": \"x\"}, "
         "{\"kty\": "
         "\"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\"})[0]",
         "false"},
        {"io.jwt.decode_verify(\"e30.e30.\", {\"secret\": \"s\"})[0]", "false"},
        {"io.jwt.decode_verify(\"e30.e30.\", {})", "!eval_builtin_error: no key constraint"},
        {"io.jwt.decode_verify(\"e30.e30.\", {\"secret\": \"s\", \"x\": 1})",
         "!eval_builtin_error: unknown token validation constraint"},
        {"io.jwt.decode(\"a.b\")", "!eval_builtin_error: must have 3 sections, found 2"},
        {"crypto.x509.parse_certificates(\"!\")", "!eval_builtin_error: illegal base64"},
        {"crypto.x509.parse_certificates(\"YQ==\")", "!eval_builtin_error: malformed certificate"},
        {"crypto.x509.parse_and_verify_certificates(\"YQ==\")", "[false, []]"},
        {"crypto.parse_private_keys(\"YQ==\")", "[]"});
}

static void yaml_and_schemas(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"yaml.unmarshal(\"a: [1, 0x10, yes, ~, 1.5, 'x']\")",
         "{\"a\": [1, 16, \"yes\", null, 1.5, \"x\"]}"},
        {"yaml.unmarshal(\"a: &x {b: 1}\\nc: {<<: *x, d: 2}\")",
         "{\"a\": {\"b\": 1}, \"c\": {\"b\": 1, \"d\": 2}}"},
        {"yaml.unmarshal(\"a: [\")", "!eval_builtin_error: yaml: line"},
        {"yaml.is_valid(\"a: [\")", "false"},
        {"yaml.unmarshal(yaml.marshal({\"a\": [\"true\", \"1\", \"x\\ny\", {}]}))",
         "{\"a\": [\"true\", \"1\", \"x\\ny\", {}]}"},
        {"yaml.unmarshal(concat(\"\\n\", array.concat([\"a0: &a0 [x]\"], [sprintf(\"a%d: &a%d "
         "[*a%d, "
         "*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\", [i, i, j, j, j, j, j, j, j, j]) | some i in "
         "numbers.range(1, 9); j := i - 1])))",
         "!eval_limit_error: limit"},
        {"json.match_schema({\"a\": \"x\"}, {\"properties\": {\"a\": {\"type\": "
         "\"integer\"}}})[1][0].error",
         "\"a: Invalid type. Expected: integer, given: string\""},
        {"json.match_schema({}, {\"required\": [\"b\"]})[1][0].type", "\"required\""},
        {"json.match_schema(\"[1, 1]\", {\"uniqueItems\": true})[0]", "false"},
        {"json.match_schema({\"a\": {\"a\": {}}}, {\"properties\": {\"a\": {\"$ref\": \"#\"}}, "
         "\"additionalProperties\": false})[0]",
         "true"},
        {"json.match_schema({}, {\"$ref\": \"http://example.com/x\"})",
         "!eval_builtin_error: remote reference"},
        {"json.match_schema({}, {\"$ref\": \"#\"})", "!eval_limit_error: limit"},
        {"json.verify_schema({\"type\": \"nonsense\"})[0]", "false"},
        {"json.verify_schema({\"type\": [\"null\"]})", "[true, null]"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_paths_and_patches), cmocka_unit_test(graphs),
        cmocka_unit_test(units_and_uuids),        cmocka_unit_test(networks),
        cmocka_unit_test(texts_and_patterns),     cmocka_unit_test(times),
        cmocka_unit_test(tokens_and_digests),     cmocka_unit_test(yaml_and_schemas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
