/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs a network or the environment (rego.md 10.11). Evaluation is pure, so these are refused
 * unless the host supplies a function of that name; what can be answered without is answered.
 */
#include "rego/builtins.h"

static rego_bres refused(rego_bctx *b)
{
    return rego_error(b, "not available: the host supplies no such function");
}

static bool is_request_key(vs_val key)
{
    static const char *const known[] = {
        "body",
        "caching_mode",
        "cache",
        "cache_ignored_headers",
        "enable_redirect",
        "force_cache",
        "force_cache_duration_seconds",
        "force_json_decode",
        "force_yaml_decode",
        "headers",
        "max_retry_attempts",
        "method",
        "raise_error",
        "raw_body",
        "timeout",
        "tls_ca_cert",
        "tls_ca_cert_env_variable",
        "tls_ca_cert_file",
        "tls_client_cert",
        "tls_client_cert_env_variable",
        "tls_client_cert_file",
        "tls_client_key",
        "tls_client_key_env_variable",
        "tls_client_key_file",
        "tls_insecure_skip_verify",
        "tls_server_name",
        "tls_use_system_certs",
        "url",
    };
    for (size_t i = 0; i < VS_COUNT(known); i++)
        if (vs_span_is(vs_text(key), known[i]))
            return true;
    return false;
}

static rego_bres complain(rego_bctx *b, const char *what, vs_vec *names)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(sizeof b->message);
    rego_print_value(&text, vs_vec_end_set(names));
    (void)rego_error(b, "operand 1 %s request parameters(s): %.*s", what,
                     VS_FMT(vs_buf_span(&text)));
    return REGO_B_TYPE;
}

/* A request with unknown members, or without those it needs, is wrong wherever it runs. */
rego_bres rego_bi_http_send(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n, (void)out;
    REGO_WANT(0, VS_OBJECT);
    static const char *const needed[] = {"method", "url"};
    vs_vec unknown = {.a = b->a}, missing = {.a = b->a};
    for (VS_OBJ_FOR (p, args[0]))
        if (!is_request_key(p->key))
            vs_vec_add(&unknown, p->key);
    for (size_t i = 0; i < VS_COUNT(needed); i++)
        if (!vs_defined(vs_getc(args[0], needed[i])))
            vs_vec_add(&missing, vs_cstring(needed[i]));
    if (!rego_charge(b, args[0].len))
        return REGO_B_LIMIT;
    if (unknown.n)
        return complain(b, "invalid", &unknown);
    return missing.n ? complain(b, "missing required", &missing) : refused(b);
}

/* Addresses name themselves, and localhost is the loopback (RFC 6761 section 6.3). */
rego_bres rego_bi_lookup_ip_addr(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    REGO_WANT(0, VS_STRING);
    vs_vec set = {.a = b->a};
    vs_span s = vs_text(args[0]);
    if (vs_span_is(s, "localhost")) {
        vs_vec_add(&set, vs_cstring("127.0.0.1"));
        vs_vec_add(&set, vs_cstring("::1"));
    } else {
        vs_val address = rego_address_text(b->a, s);
        if (!vs_defined(address))
            return refused(b);
        vs_vec_add(&set, address);
    }
    *out = vs_vec_end_set(&set);
    return REGO_B_OK;
}

/* A policy learns nothing about the process that evaluates it. */
rego_bres rego_bi_opa_runtime(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)b, (void)args, (void)n;
    *out = vs_empty(VS_OBJECT);
    return REGO_B_OK;
}
