/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of networks, URIs and what goes over them; OPA gives the same. */
#include "expressions.h"

static void networks(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"net.cidr_contains(\"10.0.0.0/8\", \"::ffff:10.1.2.3/128\")", "true"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"::ffff:10.1.2.3\")", "true"},
        {"net.cidr_contains(\"10.0.0.0/08\", \"10.1.2.3\")", "true"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"10.1.0.0/0016\")", "true"},
        {"net.cidr_contains(\"::ffff:10.0.0.0/104\", \"10.1.2.3\")", "true"},
        {"net.cidr_contains(\"::/0\", \"10.1.2.3\")", "false"},
        {"net.cidr_contains(\"::ffff:10.0.0.0/8\", \"10.1.2.3\")", "false"},
        {"net.cidr_contains(\"::ffff:0:0/96\", \"255.1.1.1\")", "true"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"::/0\")", "false"},
        {"net.cidr_contains(\"::/0\", \"::1\")", "true"},
        {"net.cidr_contains(\"2001:db8::/32\", \"2001:DB8:1::/48\")", "true"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"10.0.0.0/7\")", "false"},
        {"net.cidr_contains(\"10.0.0.0/33\", \"10.0.0.1\")",
         "!eval_builtin_error: invalid CIDR address: 10.0.0.0/33"},
        {"net.cidr_contains(\"10.0.0.0/+8\", \"10.0.0.1\")",
         "!eval_builtin_error: invalid CIDR address: 10.0.0.0/+8"},
        {"net.cidr_contains(\"010.0.0.0/8\", \"10.0.0.1\")",
         "!eval_builtin_error: invalid CIDR address: 010.0.0.0/8"},
        {"net.cidr_contains(\"fe80::1%eth0/64\", \"fe80::1\")",
         "!eval_builtin_error: invalid CIDR address: fe80::1%eth0/64"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"fe80::1%eth0\")",
         "!eval_builtin_error: not a valid textual representation of an IP address or CIDR: "
         "fe80::1%eth0"},
        {"net.cidr_contains(\"10.0.0.0/8\", \"\")",
         "!eval_builtin_error: not a valid textual representation of an IP address or CIDR: "},
        {"net.cidr_intersects(\"10.0.0.0/8\", \"::ffff:10.1.2.0/120\")", "true"},
        {"net.cidr_intersects(\"0.0.0.0/0\", \"::/0\")", "false"},
        {"net.cidr_intersects(\"10.0.0.0/9\", \"10.128.0.0/9\")", "false"},
        {"net.cidr_intersects(\"10.0.0.0/8\", \"10.1.2.3\")",
         "!eval_builtin_error: invalid CIDR address: 10.1.2.3"},
        {"net.cidr_is_valid(\"10.0.0.0/008\")", "true"},
        {"net.cidr_is_valid(\"10.0.0.0/33\")", "false"},
        {"net.cidr_is_valid(\"::ffff:1.2.3.4/128\")", "true"},
        {"net.cidr_is_valid(\"::1/129\")", "false"}, {"net.cidr_is_valid(\"10.0.0.0\")", "false"},
        {"net.cidr_is_valid(\"1.2.3.4/32/8\")", "false"},
        {"net.cidr_expand(\"10.0.0.7/30\")",
         "{\"10.0.0.4\", \"10.0.0.5\", \"10.0.0.6\", \"10.0.0.7\"}"},
        {"net.cidr_expand(\"::ffff:10.0.0.0/127\")", "{\"10.0.0.0\", \"10.0.0.1\"}"},
        {"net.cidr_expand(\"2001:db8::/126\")",
         "{\"2001:db8::\", \"2001:db8::1\", \"2001:db8::2\", \"2001:db8::3\"}"},
        {"net.cidr_expand(\"::1.2.3.4/127\")", "{\"::102:304\", \"::102:305\"}"},
        {"net.cidr_merge([\"192.0.128.0/24\", \"192.0.129.0/24\"])", "{\"192.0.128.0/23\"}"},
        {"net.cidr_merge([\"10.1.2.3\"])", "{\"10.1.2.3/8\"}"},
        {"net.cidr_merge([\"255.255.255.255\"])", "{\"255.255.255.255/24\"}"},
        {"net.cidr_merge([\"2001:db8::1/128\", \"2001:db8::/128\", \"2001:db8::2/127\"])",
         "{\"2001:db8::/126\"}"},
        {"net.cidr_merge({\"10.0.0.3/32\", \"10.0.0.0/31\", \"10.0.0.2/32\"})",
         "{\"10.0.0.0/30\"}"},
        {"net.cidr_merge([\"0.0.0.0/1\", \"128.0.0.0/1\"])", "{\"0.0.0.0/0\"}"},
        {"net.cidr_merge([])", "set()"},
        {"net.cidr_merge([1])", "!eval_builtin_error: element must be string"},
        {"net.cidr_merge(1)", "!eval_builtin_error: operand must be an array"},
        {"net.cidr_merge([\"x\"])", "!eval_builtin_error: invalid CIDR address: x"},
        {"net.cidr_merge([\"10.0.0.0/33\"])",
         "!eval_builtin_error: invalid CIDR address: 10.0.0.0/33"},
        {"net.cidr_contains_matches(\"10.0.0.0/8\", [\"::ffff:10.1.2.3\", \"11.0.0.1\"])",
         "{[\"10.0.0.0/8\", 0]}"},
        {"net.cidr_contains_matches([[\"10.0.0.0/8\", \"x\"]], {\"k\": \"10.1.2.3\"})",
         "{[0, \"k\"]}"},
        {"net.cidr_contains_matches(\"bad\", [])", "set()"},
        {"net.cidr_contains_matches([[]], \"10.0.0.1\")",
         "!eval_builtin_error: operand 1: element must be string or non-empty array"},
        {"net.cidr_contains_matches(\"10.0.0.0/8\", [[]])",
         "!eval_builtin_error: operand 2: element must be string or non-empty array"});
}

static void uris(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"uri.parse(\"\")", "{}"}, {"uri.parse(\"*\")", "{\"path\": \"*\", \"raw_path\": \"*\"}"},
        {"uri.parse(\"http://u:p@h:80/p?q#f\")",
         "{\"fragment\": \"f\", \"hostname\": \"h\", \"path\": \"/p\", \"port\": \"80\", "
         "\"raw_path\": \"/p\", \"raw_query\": \"q\", \"scheme\": \"http\"}"},
        {"uri.parse(\"mailto:a@b.c\")", "{\"scheme\": \"mailto\"}"},
        {"uri.parse(\"urn:a?b#c\")",
         "{\"fragment\": \"c\", \"raw_query\": \"b\", \"scheme\": \"urn\"}"},
        {"uri.parse(\"1a:b\")",
         "!eval_builtin_error: parse \"1a:b\": first path segment in URL cannot contain colon"},
        {"uri.parse(\"a_b:c\")",
         "!eval_builtin_error: parse \"a_b:c\": first path segment in URL cannot contain colon"},
        {"uri.parse(\":b\")", "!eval_builtin_error: parse \":b\": missing protocol scheme"},
        {"uri.parse(\"a/b:c\")", "{\"path\": \"a/b:c\", \"raw_path\": \"a/b:c\"}"},
        {"uri.parse(\"///h\")", "{\"path\": \"///h\", \"raw_path\": \"///h\"}"},
        {"uri.parse(\"//h\")", "{\"hostname\": \"h\"}"},
        {"uri.parse(\"http:///p\")",
         "{\"path\": \"/p\", \"raw_path\": \"/p\", \"scheme\": \"http\"}"},
        {"uri.parse(\"http://[::1]:80\")",
         "{\"hostname\": \"::1\", \"port\": \"80\", \"scheme\": \"http\"}"},
        {"uri.parse(\"http://[::1]x\")",
         "!eval_builtin_error: parse \"http://[::1]x\": invalid port \"x\" after host"},
        {"uri.parse(\"http://[1.2.3.4]/\")",
         "!eval_builtin_error: parse \"http://[1.2.3.4]/\": invalid IP-literal"},
        {"uri.parse(\"http://[fe80::1%25en0]/\")",
         "{\"hostname\": \"fe80::1%en0\", \"path\": \"/\", \"raw_path\": \"/\", \"scheme\": "
         "\"http\"}"},
        {"uri.parse(\"http://a[::1]/\")",
         "!eval_builtin_error: parse \"http://a[::1]/\": invalid IP-literal"},
        {"uri.parse(\"http://h:80:90\")",
         "!eval_builtin_error: parse \"http://h:80:90\": invalid port \":80:90\" after host"},
        {"uri.parse(\"x://h:80:90\")",
         "{\"hostname\": \"h:80\", \"port\": \"90\", \"scheme\": \"x\"}"},
        {"uri.parse(\"http://h%20x/\")",
         "!eval_builtin_error: parse \"http://h%20x/\": invalid URL escape \"%20\""},
        {"uri.parse(\"http://h%C3%A9/\")",
         "{\"hostname\": \"hé\", \"path\": \"/\", \"raw_path\": \"/\", \"scheme\": \"http\"}"},
        {"uri.parse(\"http://h%41/\")",
         "!eval_builtin_error: parse \"http://h%41/\": invalid URL escape \"%41\""},
        {"uri.parse(\"http://u%zz@h\")",
         "!eval_builtin_error: parse \"http://u%zz@h\": invalid URL escape \"%zz\""},
        {"uri.parse(\"http://u<@h\")",
         "!eval_builtin_error: parse \"http://u<@h\": net/url: invalid userinfo"},
        {"uri.parse(\"http://h/%zz\")",
         "!eval_builtin_error: parse \"http://h/%zz\": invalid URL escape \"%zz\""},
        {"uri.parse(\"http://h/a%20b\")",
         "{\"hostname\": \"h\", \"path\": \"/a b\", \"raw_path\": \"/a b\", \"scheme\": \"http\"}"},
        {"uri.parse(\"http://h/a%2Fb\")", "{\"hostname\": \"h\", \"path\": \"/a/b\", \"raw_path\": "
                                          "\"/a%2Fb\", \"scheme\": \"http\"}"},
        {"uri.parse(\"http://h/a%2fb\")", "{\"hostname\": \"h\", \"path\": \"/a/b\", \"raw_path\": "
                                          "\"/a%2fb\", \"scheme\": \"http\"}"},
        {"uri.parse(\"http://a b/\")",
         "!eval_builtin_error: parse \"http://a b/\": invalid character \" \" in host name"},
        {"uri.parse(\"HTTP://H/P\")",
         "{\"hostname\": \"H\", \"path\": \"/P\", \"raw_path\": \"/P\", \"scheme\": \"http\"}"},
        {"uri.parse(\"http://h/#%zz\")",
         "!eval_builtin_error: parse \"http://h/#%zz\": invalid URL escape \"%zz\""},
        {"uri.parse(\"http://h:x\")",
         "!eval_builtin_error: parse \"http://h:x\": invalid port \":x\" after host"},
        {"uri.is_valid(\"\")", "false"}, {"uri.is_valid(\"1a:b\")", "false"},
        {"uri.is_valid(\"mailto:x\")", "true"}, {"uri.is_valid(\"http://h%41/\")", "false"},
        {"urlquery.encode_object({\"b\": [\"2\", \"1\"], \"a\": {\"x y\"}})", "\"a=x+y&b=2&b=1\""},
        {"urlquery.encode_object({\"a\": 1})",
         "!eval_type_error: operand 1 values must be string, array[string], or set[string]"},
        {"urlquery.decode_object(\"a=%20&a=+&b;c\")",
         "!eval_builtin_error: invalid semicolon separator in query"});
}

static void requests_for_aws(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"providers.aws.sign_req({\"method\": \"get\", \"url\": \"https://example.com\"}, "
         "{\"aws_access_key\": \"AK\", \"aws_secret_access_key\": \"SK\", \"aws_service\": \"s3\", "
         "\"aws_region\": \"us-east-1\"}, 1700000000000000000)",
         "{\"headers\": {\"Authorization\": \"AWS4-HMAC-SHA256 "
         "Credential=AK/20231114/us-east-1/s3/"
         "aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
         "dbe4dd02f77802a217bde9d0ef64d2e5a14a53190a6dc4cb6b52fae890ff042a\", \"host\": "
         "\"example.com\", \"x-amz-content-sha256\": "
         "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\", \"x-amz-date\": "
         "\"20231114T221320Z\"}, \"method\": \"get\", \"url\": \"https://example.com\"}"},
        {"providers.aws.sign_req({\"method\": \"get\", \"url\": "
         "\"https://example.com/a%20b/c%2Fd?x=1\"}, {\"aws_access_key\": \"AK\", "
         "\"aws_secret_access_key\": \"SK\", \"aws_service\": \"s3\", \"aws_region\": "
         "\"us-east-1\"}, 1700000000000000000)",
         "{\"headers\": {\"Authorization\": \"AWS4-HMAC-SHA256 "
         "Credential=AK/20231114/us-east-1/s3/"
         "aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
         "91012e59d401e94899e94d6bcb08bcf5fbc079641b75952f0562d16432e0bf00\", \"host\": "
         "\"example.com\", \"x-amz-content-sha256\": "
         "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\", \"x-amz-date\": "
         "\"20231114T221320Z\"}, \"method\": \"get\", \"url\": "
         "\"https://example.com/a%20b/c%2Fd?x=1\"}"},
        {"providers.aws.sign_req({\"method\": \"get\", \"url\": \"https://example.com/a b\"}, "
         "{\"aws_access_key\": \"AK\", \"aws_secret_access_key\": \"SK\", \"aws_service\": "
         "\"execute-api\", \"aws_region\": \"us-east-1\"}, 1700000000000000000)",
         "{\"headers\": {\"Authorization\": \"AWS4-HMAC-SHA256 "
         "Credential=AK/20231114/us-east-1/execute-api/"
         "aws4_request,SignedHeaders=host;x-amz-date,Signature="
         "878e30ec43e33257697e1f94280612d97f1fbb83f0de3808da6e6b4ec3a2a6b2\", \"host\": "
         "\"example.com\", \"x-amz-date\": \"20231114T221320Z\"}, \"method\": \"get\", \"url\": "
         "\"https://example.com/a b\"}"},
        {"providers.aws.sign_req({\"method\": \"get\", \"url\": \"https://[::1]:8080/p\"}, "
         "{\"aws_access_key\": \"AK\", \"aws_secret_access_key\": \"SK\", \"aws_service\": "
         "\"glacier\", \"aws_region\": \"us-east-1\"}, 1700000000000000000)",
         "{\"headers\": {\"Authorization\": \"AWS4-HMAC-SHA256 "
         "Credential=AK/20231114/us-east-1/glacier/"
         "aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature="
         "a2d464f9636600535c23eb37b2b48a8233727cefbec1c013f2e0a8d00c6e5d4d\", \"host\": "
         "\"[::1]:8080\", \"x-amz-content-sha256\": "
         "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\", \"x-amz-date\": "
         "\"20231114T221320Z\"}, \"method\": \"get\", \"url\": \"https://[::1]:8080/p\"}"});
}

static void graphs_with_loops(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"graph.reachable_paths({\"a\": [\"b\"], \"b\": [\"a\"]}, [\"a\"])", "{[\"a\", \"b\"]}"},
        {"graph.reachable_paths({\"c\": {\"c\"}}, {\"c\"})", "{[\"c\", \"c\"]}"},
        {"graph.reachable_paths({\"a\": [\"c\", \"a\"]}, {\"a\"})", "{[\"a\"], [\"a\", \"a\"]}"},
        {"graph.reachable_paths({\"d\": {\"a\", \"c\"}, \"c\": [\"c\"], \"b\": [\"d\", \"b\"], "
         "\"a\": [\"a\"]}, [\"b\"])",
         "{[\"b\", \"b\"], [\"b\", \"b\", \"d\", \"a\"], [\"b\", \"b\", \"d\", \"c\"], [\"b\", "
         "\"d\", \"a\"], [\"b\", \"d\", \"c\"]}"},
        {"uuid.parse(\"(a6342df8-7801-469c-b3f3-c5317a0ebdaa)\")",
         "{\"variant\": \"RFC4122\", \"version\": 4}"},
        {"uuid.parse(\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\")",
         "{\"time\": 1645557742000000000, \"variant\": \"RFC4122\", \"version\": 7}"},
        {"net.lookup_ip_addr(\"2001:DB8::0:1\")", "{\"2001:db8::1\"}"},
        {"http.send({\"method\": \"get\"})",
         "!eval_type_error: operand 1 missing required request parameters(s): {\"url\"}"},
        {"http.send({\"x\": 1})",
         "!eval_type_error: operand 1 invalid request parameters(s): {\"x\"}"});
}

static void tokens(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {\"exp\": \"x\"}, "
         "{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\"})",
         "!eval_builtin_error: exp value must be a number"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {\"nbf\": \"x\"}, "
         "{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\"})",
         "!eval_builtin_error: nbf value must be a number"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}), {\"secret\": \"\"})",
         "!eval_builtin_error: no key constraint"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\", \"aud\": \"\", \"alg\": \"\"})",
         "[true, {\"alg\": \"HS256\"}, {}]"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {\"aud\": [\"a\", \"b\"]}, "
         "{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\", \"aud\": \"b\"})",
         "[true, {\"alg\": \"HS256\"}, {\"aud\": [\"a\", \"b\"]}]"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {\"aud\": \"a\"}, "
         "{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\"})",
         "[false, {}, {}]"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\", \"time\": -1})",
         "!eval_builtin_error: token time constraint: must not be negative"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\", \"crit\": []}, {}, "
         "{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\"})",
         "!eval_builtin_error: crit: must be a nonempty list"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\", \"kid\": 1}, {}, {\"kty\": "
         "\"oct\", \"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\"})",
         "!eval_builtin_error: kid: must be a string"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}), {\"cert\": \"{\\\"keys\\\": []}\"})",
         "[false, {}, {}]"},
        {"io.jwt.decode_verify(io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\", "
         "\"k\": \"c2VjcmV0\"}), {\"secret\": \"secret\", \"cert\": \"x\"})",
         "!eval_builtin_error: duplicate key constraints"},
        {"io.jwt.encode_sign({\"alg\": \"HS256\"}, {}, {\"kty\": \"oct\"})",
         "!eval_builtin_error: the key does not fit the algorithm"},
        {"io.jwt.decode(\"x\")", "!eval_builtin_error: encoded JWT had no period separators"},
        {"io.jwt.encode_sign({\"alg\": \"HS256\", \"a\": \"<&>\"}, {}, {\"kty\": \"oct\", \"k\": "
         "\"c2VjcmV0\"})",
         "\"eyJhIjoiXHUwMDNjXHUwMDI2XHUwMDNlIiwiYWxnIjoiSFMyNTYifQ.e30."
         "tiPNvVRN73fmM7kW42A33eJRBTJfIY1C_FqkU1ZlHB8\""});
}

/* A root, and a leaf for ClientAuth only, with leaf.example as its alternative name,
 * name.example as its common name. Valid for a hundred years. */
#define CHAIN                                                                                      \
    "\"MIIBBzCBuqADAgECAgEBMAUGAytlcDAMMQowCAYDVQQDDAFyMCAXDTI2MTEyNTIxNTAxMFoYDzIxMjYxMTAxMjE1MD" \
    "EwWjAMMQowCAYDVQQDDAFyMCowBQYDK2VwAyEArmMqYSPNyiuZFKRIc/iw+RxVk/"                             \
    "lIaPGByolXCFFv7qyjPzA9MA8GA1UdEwEB/wQFMAMBAf8wCwYDVR0PBAQDAgIEMB0GA1UdDgQWBBRVgJmZK8M+fwOOz/" \
    "50DuqDQFhTsDAFBgMrZXADQQA/"                                                                   \
    "fTyeyXaSiGFGMT4dl1J7OUD1ZNXcxZ5P7W62hhg0fHMn4eV2VaaK4Uj46iL0qlaamugWruZfI3nn76ssnpMKMIIBIjCB" \
    "1aADAgECAgECMAUGAytlcDAMMQowCAYDVQQDDAFyMCAXDTI2MTEyNTIxNTAxMFoYDzIxMjYxMTAxMjE1MDEwWjAXMRUw" \
    "EwYDVQQDDAxuYW1lLmV4YW1wbGUwKjAFBgMrZXADIQCuYyphI83KK5kUpEhz+LD5HFWT+Uho8YHKiVcIUW/"          \
    "urKNPME0wEwYDVR0lBAwwCgYIKwYBBQUHAwIwFwYDVR0RBBAwDoIMbGVhZi5leGFtcGxlMB0GA1UdDgQWBBRVgJmZK8M" \
    "+fwOOz/50DuqDQFhTsDAFBgMrZXADQQCOntFyaBnbz60Xl43U0yUKagiYrycBDLFUiuw4F5URFoDKADY4/"           \
    "FTwZ31GOYs2JDzt2Frep6nIKpbzBIT4CUgG\""
#define VERIFY(options)                                                                            \
    "crypto.x509.parse_and_verify_certificates_with_options(" CHAIN                                \
    ", {\"CurrentTime\": 4000000000000000000" options "})[0]"

static void chains(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {VERIFY(""), "false"}, {VERIFY(", \"KeyUsages\": [\"KeyUsageClientAuth\"]"), "true"},
        {VERIFY(", \"KeyUsages\": [\"KeyUsageServerAuth\"]"), "false"},
        {VERIFY(", \"KeyUsages\": [\"KeyUsageAny\"]"), "true"},
        {VERIFY(", \"KeyUsages\": [\"KeyUsageClientAuth\"], \"DNSName\": \"LEAF.example.\""),
         "true"},
        {VERIFY(", \"KeyUsages\": [\"KeyUsageClientAuth\"], \"DNSName\": \"name.example\""),
         "false"},
        {VERIFY(", \"KeyUsages\": [\"X\"]"),
         "!eval_builtin_error: invalid entries for 'KeyUsages' found: [X]"},
        {VERIFY(", \"DNSName\": 1"), "!eval_builtin_error: 'DNSName' should be a string"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),         cmocka_unit_test(uris),
        cmocka_unit_test(requests_for_aws), cmocka_unit_test(graphs_with_loops),
        cmocka_unit_test(tokens),           cmocka_unit_test(chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
