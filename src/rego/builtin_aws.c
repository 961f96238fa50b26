/* SPDX-License-Identifier: Apache-2.0 */
/* providers.aws.sign_req: AWS Signature Version 4 over a request such as http.send takes. */
#include "base/enc.h"
#include "crypto/crypto.h"
#include "rego/builtins.h"
#include "rego/civil.h"
#include "value/json.h"

enum { TEXT_MAX = 1 << 20, HASH = 32 };

static rego_bres type_failure(rego_bctx *b, const char *fmt, vs_val names)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(sizeof b->message);
    rego_print_value(&text, names);
    (void)rego_error(b, "%s: %.*s", fmt, VS_FMT(vs_buf_span(&text)));
    return REGO_B_TYPE;
}

/* All of the members must be there, and be strings. */
static rego_bres want_strings(rego_bctx *b, vs_val o, const char *const *names, size_t n,
                              const char *missing, const char *invalid)
{
    vs_vec absent = {.a = b->a}, wrong = {.a = b->a};
    for (size_t i = 0; i < n; i++) {
        vs_val v = vs_getc(o, names[i]);
        if (!vs_defined(v))
            vs_vec_add(&absent, vs_cstring(names[i]));
        else if (v.kind != VS_STRING)
            vs_vec_add(&wrong, vs_cstring(names[i]));
    }
    if (absent.n)
        return type_failure(b, missing, vs_vec_end_set(&absent));
    if (wrong.n)
        return type_failure(b, invalid, vs_vec_end_set(&wrong));
    return REGO_B_OK;
}

/* ---- the request -------------------------------------------------------------------------------
 */

typedef struct request {
    vs_span method, host, path, query;
    vs_val headers; /* as given */
    vs_span body;
} request;

static vs_span lower(vs_arena *a, vs_span s)
{
    vs_span copy = vs_dup(a, s);
    for (size_t i = 0; i < copy.n; i++)
        if (copy.p[i] >= 'A' && copy.p[i] <= 'Z')
            ((uint8_t *)(uintptr_t)copy.p)[i] |= 32;
    return copy;
}

static vs_span body_of(rego_bctx *b, vs_val req)
{
    vs_val raw = vs_getc(req, "raw_body"), body = vs_getc(req, "body");
    if (raw.kind == VS_STRING)
        return vs_text(raw);
    if (!vs_defined(body))
        return VS_LIT("");
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    vs_json_print(&text, body);
    return vs_dup(b->a, vs_buf_span(&text));
}

static rego_bres read_request(rego_bctx *b, vs_val req, request *out)
{
    static const char *const names[] = {"method", "url"};
    rego_bres res = want_strings(b, req, names, VS_COUNT(names),
                                 "operand 1 missing required request parameters(s)",
                                 "operand 1 invalid values for required request parameters(s)");
    if (res != REGO_B_OK)
        return res;
    vs_val parts, url = vs_getc(req, "url");
    vs_span path;
    res = rego_bi_uri_parse(b, &url, 1, &parts);
    if (res == REGO_B_OK)
        res = rego_uri_escaped_path(b, vs_text(url), &path);
    if (res != REGO_B_OK)
        return res;
    vs_span port = vs_text(vs_getc(parts, "port"));
    vs_span host = vs_text(vs_getc(parts, "hostname"));
    if (host.n && memchr(host.p, ':', host.n))
        host = vs_str(vs_sprintf(b->a, "[%.*s]", VS_FMT(host)));
    *out = (request){
        .method = vs_text(vs_getc(req, "method")), /* as it is given, as in OPA */
        .host = port.n ? vs_str(vs_sprintf(b->a, "%.*s:%.*s", VS_FMT(host), VS_FMT(port))) : host,
        .path = path.n ? path : VS_LIT(""),
        .query = vs_text(vs_getc(parts, "raw_query")),
        .headers = vs_getc(req, "headers"),
        .body = body_of(b, req)};
    if (vs_defined(out->headers) && out->headers.kind != VS_OBJECT)
        return rego_type_error(b, 1, "object with headers as object", out->headers);
    return REGO_B_OK;
}

/* ---- the configuration -------------------------------------------------------------------------
 */

typedef struct config {
    vs_span key, secret, service, region, token;
    bool unsigned_payload;
} config;

static rego_bres read_config(rego_bctx *b, vs_val o, config *out)
{
    static const char *const names[] = {"aws_access_key", "aws_region", "aws_secret_access_key",
                                        "aws_service"};
    rego_bres res = want_strings(b, o, names, VS_COUNT(names),
                                 "operand 2 missing required AWS config parameters(s)",
                                 "operand 2 invalid values for required AWS config parameters(s)");
    if (res != REGO_B_OK)
        return res;
    vs_val plain = vs_getc(o, "disable_payload_signing");
    if (vs_defined(plain) && plain.kind != VS_BOOL) {
        (void)rego_error(b, "operand 2 invalid value for 'disable_payload_signing' in AWS config");
        return REGO_B_TYPE;
    }
    *out = (config){.key = vs_text(vs_getc(o, "aws_access_key")),
                    .secret = vs_text(vs_getc(o, "aws_secret_access_key")),
                    .service = vs_text(vs_getc(o, "aws_service")),
                    .region = vs_text(vs_getc(o, "aws_region")),
                    .token = vs_text(vs_getc(o, "aws_session_token")),
                    .unsigned_payload = vs_is_true(plain)};
    return REGO_B_OK;
}

/* ---- signing -----------------------------------------------------------------------------------
 */

static vs_span hash_hex(rego_bctx *b, vs_span data)
{
    uint8_t d[VS_HASH_MAX];
    vs_span none = {NULL, 0};
    if (vs_digest(VS_SHA256, data, none, none, d, NULL) != VS_OK)
        return none;
    return vs_hex_encode_arena(b->a, vs_span_of(d, HASH));
}

/* HMAC of HMACs: date, region, service, purpose. */
static bool signing_key(const config *c, vs_span date, uint8_t key[VS_HASH_MAX])
{
    VS_CLEANUP(vs_buf_free) vs_buf first = VS_BUF(TEXT_MAX);
    vs_buf_printf(&first, "AWS4%.*s", VS_FMT(c->secret));
    vs_span steps[] = {date, c->region, c->service, VS_LIT("aws4_request")},
            with = vs_buf_span(&first);
    uint8_t mac[VS_HASH_MAX];
    for (size_t i = 0; i < VS_COUNT(steps); i++) {
        if (vs_hmac(VS_SHA256, with, steps[i], mac, NULL) != VS_OK)
            return false;
        memcpy(key, mac, sizeof mac);
        with = vs_span_of(key, HASH);
    }
    return true;
}

static bool is_unsigned_header(vs_span name)
{
    return vs_span_is(name, "authorization") || vs_span_is(name, "user-agent") ||
           vs_span_is(name, "x-amzn-trace-id");
}

/* All headers that are signed, sorted by name. */
static vs_val signed_headers(rego_bctx *b, const request *r, vs_val aws)
{
    vs_obj all = {.a = b->a};
    if (r->headers.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, r->headers)) {
            vs_span name = lower(b->a, vs_text(p->key));
            if (!is_unsigned_header(name))
                vs_obj_add(&all, vs_string(name), p->val);
        }
    for (VS_OBJ_FOR (p, aws))
        vs_obj_add(&all, p->key, p->val);
    return vs_obj_end(&all, VS_DUP_LAST, NULL);
}

static void put_header(vs_buf *out, const vs_pair *p)
{
    vs_buf_printf(out, "%.*s:", VS_FMT(vs_text(p->key)));
    if (p->val.kind == VS_ARRAY)
        for (uint32_t i = 0; i < p->val.len; i++)
            vs_buf_printf(out, "%s%.*s", i ? "," : "", VS_FMT(vs_text(p->val.u.items[i])));
    else
        vs_buf_put(out, vs_text(p->val));
    vs_buf_putc(out, '\n');
}

/* The value of the Authorization header. */
static vs_span authorize(rego_bctx *b, const request *r, const config *c, vs_val headers,
                         vs_span content, vs_span date, vs_span now)
{
    VS_CLEANUP(vs_buf_free)
    vs_buf canonical = VS_BUF(TEXT_MAX), list = VS_BUF(TEXT_MAX), to_sign = VS_BUF(TEXT_MAX);
    uint8_t key[VS_HASH_MAX], mac[VS_HASH_MAX];
    vs_buf_printf(&canonical, "%.*s\n%.*s\n%.*s\n", VS_FMT(r->method), VS_FMT(r->path),
                  VS_FMT(r->query));
    for (VS_OBJ_FOR (p, headers)) {
        put_header(&canonical, p);
        vs_buf_printf(&list, "%s%.*s", list.n ? ";" : "", VS_FMT(vs_text(p->key)));
    }
    vs_buf_printf(&canonical, "\n%.*s\n%.*s", VS_FMT(vs_buf_span(&list)), VS_FMT(content));
    vs_buf_printf(&to_sign, "AWS4-HMAC-SHA256\n%.*s\n%.*s/%.*s/%.*s/aws4_request\n%.*s",
                  VS_FMT(now), VS_FMT(date), VS_FMT(c->region), VS_FMT(c->service),
                  VS_FMT(hash_hex(b, vs_buf_span(&canonical))));
    if (!vs_buf_ok(&canonical) || !vs_buf_ok(&to_sign) || !signing_key(c, date, key) ||
        vs_hmac(VS_SHA256, vs_span_of(key, HASH), vs_buf_span(&to_sign), mac, NULL) != VS_OK)
        return (vs_span){NULL, 0};
    return vs_str(vs_sprintf(b->a,
                             "AWS4-HMAC-SHA256 Credential=%.*s/%.*s/%.*s/%.*s/aws4_request,"
                             "SignedHeaders=%.*s,Signature=%.*s",
                             VS_FMT(c->key), VS_FMT(date), VS_FMT(c->region), VS_FMT(c->service),
                             VS_FMT(vs_buf_span(&list)),
                             VS_FMT(vs_hex_encode_arena(b->a, vs_span_of(mac, HASH)))));
}

rego_bres rego_bi_aws_sign_req(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    request r;
    config c;
    REGO_WANT(0, VS_OBJECT);
    REGO_WANT(1, VS_OBJECT);
    REGO_WANT(2, VS_NUMBER);
    if (!rego_charge(b, 100 + vs_weight(args[0])))
        return REGO_B_LIMIT;
    rego_bres res = read_config(b, args[1], &c);
    if (res == REGO_B_OK)
        res = read_request(b, args[0], &r);
    if (res != REGO_B_OK)
        return res;
    if (!vs_is_int(args[2]) || args[2].u.i < 0) {
        (void)rego_error(b, "operand 3 could not convert time_ns value into a unix timestamp");
        return REGO_B_TYPE;
    }
    civil t = civil_of_seconds(args[2].u.i / 1000000000, 0);
    vs_span date = vs_str(vs_sprintf(b->a, "%04lld%02d%02d", (long long)t.year, t.month, t.day));
    vs_span now =
        vs_str(vs_sprintf(b->a, "%.*sT%02d%02d%02dZ", VS_FMT(date), t.hour, t.minute, t.second));
    vs_span content = c.unsigned_payload ? VS_LIT("UNSIGNED-PAYLOAD") : hash_hex(b, r.body);
    vs_obj aws = {.a = b->a}, signed_req = {.a = b->a};
    vs_obj_put(&aws, "host", vs_string(r.host));
    vs_obj_put(&aws, "x-amz-date", vs_string(now));
    if (vs_span_is(c.service, "s3") || vs_span_is(c.service, "glacier"))
        vs_obj_put(&aws, "x-amz-content-sha256", vs_string(content));
    if (c.token.n)
        vs_obj_put(&aws, "x-amz-security-token", vs_string(c.token));
    vs_val added = vs_obj_end(&aws, VS_DUP_LAST, NULL);
    vs_span authorization = authorize(b, &r, &c, signed_headers(b, &r, added), content, date, now);
    if (authorization.n == 0 || !vs_arena_ok(b->a))
        return REGO_B_LIMIT;
    vs_obj headers = {.a = b->a};
    if (r.headers.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, r.headers))
            vs_obj_add(&headers, p->key, p->val);
    for (VS_OBJ_FOR (p, added))
        vs_obj_add(&headers, p->key, p->val);
    vs_obj_put(&headers, "Authorization", vs_string(authorization));
    for (VS_OBJ_FOR (p, args[0]))
        vs_obj_add(&signed_req, p->key, p->val);
    vs_obj_put(&signed_req, "headers", vs_obj_end(&headers, VS_DUP_LAST, NULL));
    *out = vs_obj_end(&signed_req, VS_DUP_LAST, NULL);
    return REGO_B_OK;
}
