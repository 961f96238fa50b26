/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shipped policies, compiled once: warm median of an evaluation, allocations, peak of the arena.
 * Generated policies: compile time of a large one, and one rule with more and more definitions.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "as/policies.h"
#include "base/clock.h"
#include "rego/engine.h"
#include "value/json.h"

enum { ROUNDS = 20001, COMPILES = 201 };

static const char cca[] =
    "{\"cca\":{\"platform\":{\"cca-platform-implementation-id\":"
    "\"f0VMRgIBAQAAAAAAAAAAAAMAPgABAAAAUFgAAAAAAAA=\","
    "\"cca-platform-instance-id\":\"AQcGBQQDAgEADw4NDAsKCQgXFhUUExIREB8eHRwbGhkY\"},\"realm\":{"
    "\"cca-realm-challenge\":\"MUThbJt2\","
    "\"cca-realm-extensible-measurements\":[\"AAAA\",\"AAAA\",\"AAAA\",\"AAAA\"],\"cca-realm-hash-"
    "algo-id\":\"sha-512\","
    "\"cca-realm-initial-measurement\":\"DH9s6NnhxKMEGkoOsqA74ZumvRgul4XVlxXRv\",\"cca-realm-"
    "personalization-value\":\"AAAA\"}},"
    "\"init_data\":\"00\",\"init_data_claims\":null,\"report_data\":\"3144e16c\",\"runtime_data_"
    "claims\":{\"nonce\":\"udN3\"}}";
static const char snp[] =
    "{\"snp\":{\"measurement\":\"aa\",\"policy_debug_allowed\":false,\"policy_migrate_ma\":false,"
    "\"policy_abi_major\":1,\"policy_abi_minor\":55,"
    "\"policy_smt_allowed\":true,\"policy_single_socket\":false,\"reported_tcb_bootloader\":3,"
    "\"reported_tcb_tee\":0,\"reported_tcb_snp\":8,"
    "\"reported_tcb_microcode\":115,\"platform_tsme_enabled\":false,\"platform_smt_enabled\":true},"
    "\"report_data\":\"00\",\"runtime_data_claims\":null}";
static const char tdx[] =
    "{\"tdx\":{\"quote\":{\"header\":{\"tee_type\":\"81000000\",\"vendor_id\":"
    "\"939a7233f79c4ca9940a0db3957f0607\"},\"body\":{\"mr_td\":\"aa\",\"xfam\":\"e7\","
    "\"rtmr_0\":\"00\",\"rtmr_1\":\"11\",\"rtmr_2\":\"22\",\"rtmr_3\":\"33\"}},\"tcb_status\":"
    "\"UpToDate\",\"collateral_expiration_status\":\"0\","
    "\"td_attributes\":{\"debug\":false},\"uefi_event_logs\":[]},\"report_data\":\"00\",\"runtime_"
    "data_claims\":null}";
static const char token[] = "{\"eat_profile\":\"tag:github.com,2024:confidential-containers/"
                            "Trustee\",\"submods\":{\"cpu0\":{\"ear.status\":\"affirming\","
                            "\"ear.trustworthiness-vector\":{\"hardware\":2,\"executables\":3}}}}";

static void must(vs_code code, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    if (code == VS_OK)
        return;
    (void)fprintf(stderr, "bench_rego: %s\n", vs_error_text(err, text, sizeof text));
    exit(1);
}

/* One approved value for every id: the work of a store is not the engine's. */
static vs_code reference_value(void *user, const char *name, const vs_val *args, unsigned n,
                               vs_arena *a, vs_val *out, vs_error *err)
{
    (void)name, (void)args, (void)n, (void)a, (void)err;
    *out = *(const vs_val *)user;
    return VS_OK;
}

static int by_time(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static int64_t median(int64_t *t, size_t n)
{
    qsort(t, n, sizeof *t, by_time);
    return t[n / 2];
}

static rego_program *compile(const char *policy, double *us)
{
    static const rego_host_decl hosts[] = {{"query_reference_value", 1}};
    static int64_t t[COMPILES];
    rego_module m = {.name = policy, .text = vs_policy_text(policy)};
    rego_options opts = {.hosts = hosts, .n_hosts = 1};
    rego_program *p = NULL;
    vs_error err = {0};
    for (int i = 0; i < COMPILES; i++) {
        rego_program_unref(&p);
        int64_t begin = vs_mono_ns();
        must(rego_compile(&m, 1, &opts, &p, NULL, &err), &err);
        t[i] = vs_mono_ns() - begin;
    }
    *us = (double)median(t, COMPILES) / 1e3;
    return p;
}

static void bench(const char *policy, const char *label, const char *input, const char *data,
                  const char *rule)
{
    static int64_t t[ROUNDS];
    vs_arena a;
    vs_error err = {0};
    vs_val approved;
    double compile_us;
    vs_arena_init(&a, 0);
    rego_program *p = compile(policy, &compile_us);
    rego_eval *e = NULL;
    rego_inputs in = {.host = reference_value, .host_user = &approved};
    must(vs_json_parse(&a, vs_str(input), NULL, &in.input, &err), &err);
    must(vs_json_parse(&a, vs_str(data), NULL, &in.data, &err), &err);
    must(vs_json_parse(&a,
                       VS_LIT("[\"DH9s6NnhxKMEGkoOsqA74ZumvRgul4XVlxXRv\",\"aa\",\"11\",\"22\","
                              "\"e7\",3,0,8,115,true,false,1,55]"),
                       NULL, &approved, &err),
         &err);
    must(rego_eval_new(p, &e, &err), &err);
    size_t heap = 0;
    for (int i = 0; i < ROUNDS; i++) {
        rego_presence presence;
        vs_val v;
        if (i == 10)
            heap = mallinfo2().uordblks;
        int64_t begin = vs_mono_ns();
        must(rego_eval_begin(e, &in, &err), &err);
        must(rego_eval_rule(e, rule, &presence, &v, NULL, &err), &err);
        t[i] = vs_mono_ns() - begin;
    }
    size_t grown = mallinfo2().uordblks - heap;
    printf("%-14s %-8s %8.2f us warm median, %zu heap bytes grown, %6zu arena bytes, compile %5.0f "
           "us\n",
           policy, label, (double)median(t, ROUNDS) / 1e3, grown, rego_eval_stats(e).arena_used,
           compile_us);
    rego_eval_free(&e);
    rego_program_unref(&p);
    vs_arena_free(&a);
}

/* ---- generated policies ------------------------------------------------------------------------
 */

enum { TEXT_MAX = 16 << 20 };

/* `allow` with n definitions, each for another user. */
static void many_definitions(vs_buf *out, unsigned n)
{
    vs_buf_puts(out, "package policy\n");
    for (unsigned i = 0; i < n; i++)
        vs_buf_printf(out, "allow := \"role%u\" if { input.user == \"user%u\"; input.level > 2 }\n",
                      i % 7, i);
}

/* Rules that look like those people write: guards, helper rules, comprehensions, functions. */
static void many_rules(vs_buf *out, unsigned n)
{
    vs_buf_puts(out, "package policy\nimport rego.v1\n");
    for (unsigned i = 0; i < n; i += 4)
        vs_buf_printf(
            out,
            "r%u if { input.kind == \"k%u\"; some x in data.lists.l%u; x.id == input.id }\n"
            "default d%u := false\n"
            "d%u := true if { not r%u; count(input.items) > %u }\n"
            "f%u(x) := y if { y := [z | some z in x; z.size > %u] }\n",
            i, i, i, i, i, i, i, i, i);
}

static void data_of(vs_buf *out, size_t size)
{
    vs_buf_puts(out, "{\"lists\":{");
    for (unsigned i = 0; out->n < size; i++)
        vs_buf_printf(out, "%s\"l%u\":[{\"id\":\"a%u\",\"size\":%u},{\"id\":\"b\",\"size\":2.5}]",
                      i ? "," : "", i, i, i);
    vs_buf_puts(out, "}}");
}

static void bench_large(void)
{
    static int64_t t[11];
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX), data = VS_BUF(TEXT_MAX);
    many_rules(&text, 2000);
    data_of(&data, 1 << 20);
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        rego_module m = {.name = "large.rego", .text = vs_buf_span(&text)};
        rego_program *p;
        vs_arena a;
        vs_val v;
        vs_arena_init(&a, 0);
        int64_t begin = vs_mono_ns();
        must(rego_compile(&m, 1, NULL, &p, NULL, &err), &err);
        must(vs_json_parse(&a, vs_buf_span(&data), NULL, &v, &err), &err);
        t[i] = vs_mono_ns() - begin;
        rego_program_unref(&p);
        vs_arena_free(&a);
    }
    printf("2000 rules (%zu bytes) and %zu bytes of data: compiled and read in %.1f ms\n", text.n,
           data.n, (double)median(t, VS_COUNT(t)) / 1e6);
}

static void bench_indexed(unsigned n, bool no_index)
{
    static int64_t t[ROUNDS];
    vs_error err = {0};
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    many_definitions(&text, n);
    rego_module m = {.name = "indexed.rego", .text = vs_buf_span(&text)};
    rego_options opts = {.no_index = no_index};
    rego_program *p;
    rego_eval *e;
    vs_obj input = {0};
    vs_arena a;
    vs_arena_init(&a, 0);
    input.a = &a;
    vs_obj_put(&input, "user", vs_cstring(vs_sprintf(&a, "user%u", n / 2)));
    vs_obj_put(&input, "level", vs_int(3));
    rego_inputs in = {.input = vs_obj_end(&input, VS_DUP_LAST, NULL)};
    int64_t begin = vs_mono_ns();
    must(rego_compile(&m, 1, &opts, &p, NULL, &err), &err);
    int64_t compiled = vs_mono_ns() - begin;
    must(rego_eval_new(p, &e, &err), &err);
    size_t rounds = no_index ? 201 : ROUNDS;
    for (size_t i = 0; i < rounds; i++) {
        rego_presence presence;
        vs_val v;
        begin = vs_mono_ns();
        must(rego_eval_begin(e, &in, &err), &err);
        must(rego_eval_rule(e, "data.policy.allow", &presence, &v, NULL, &err), &err);
        t[i] = vs_mono_ns() - begin;
        if (presence != REGO_VALUE)
            exit(1);
    }
    printf("%5u definitions of one rule, %-13s %9.2f us warm median, compile %7.2f ms\n", n,
           no_index ? "without index" : "indexed", (double)median(t, rounds) / 1e3,
           (double)compiled / 1e6);
    rego_eval_free(&e);
    rego_program_unref(&p);
    vs_arena_free(&a);
}

int main(void)
{
    bench("default_cpu", "cca", cca, "{}", "data.policy.trust_claims");
    bench("default_cpu", "snp", snp, "{}", "data.policy.trust_claims");
    bench("default_cpu", "tdx", tdx, "{}", "data.policy.trust_claims");
    bench("kbs_affirming", "token", token,
          "{\"plugin\":\"resource\",\"resource-path\":[\"a\",\"b\",\"c\"],\"query\":{}}",
          "data.policy.allow");
    bench_large();
    for (unsigned n = 10; n <= 10000; n *= 10) {
        bench_indexed(n, false);
        bench_indexed(n, true);
    }
    return 0;
}
