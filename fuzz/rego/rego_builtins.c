/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every builtin with random arguments, most of them of the kinds it takes. The input's bytes choose
 * the builtin and spell the arguments; strings may be any bytes.
 */
#include "base/buf.h"
#include "rego/builtin.h"
#include "value/json.h"
#include "value/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct source {
    vs_arena a;
    const uint8_t *p;
    size_t n;
} source;

static uint8_t byte(source *s)
{
    if (s->n == 0)
        return 0;
    s->n--;
    return *s->p++;
}

/* Texts that get far into the builtins that read a language. */
static const char *const words[] = {
    "",
    "a",
    "a/b/0/-",
    "10.0.0.0/8",
    "fe80::1/64",
    "192.0.2.112/30",
    "*.{a,b}[!c-d]?",
    "^(a|b)*?[[:alpha:]]{2,3}$",
    "[a-z]+x*",
    "1h2m3.5s",
    "2006-01-02T15:04:05.999999999Z07:00",
    "2024-02-29T23:59:60Z",
    "Mon Jan _2 15:04:05 MST 2006",
    "Europe/Berlin",
    "1.5Gi",
    "1.2.3-rc.1+b",
    "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.AAAA",
    "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"b\"]}",
    "a: &x [1, *x]\nb: {<<: {c: 0x1f}}\n",
    "{{range $i, $v := .a}}{{if eq $i 1}}{{$v}}{{else}}{{len .}}{{end}}{{end}}",
    "query q($a: [Int!]! = [1]) { f(x: $a) { ...g } } fragment g on T { a }",
    "type Query { f(x: [Int!]): T } interface T { a: Int }",
    "a=b+1&c=%zz&a",
    "https://user@host:8080/p%20q?x=1#f",
    "{c6db027c-615c-1b4d-959e-1a917747ca5a}",
    "%d %5.2f %[2]*v %q %!",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "alg",
    "HS256",
    "secret",
    "method",
    "op",
    "path",
    "value",
    "add",
    "remove",
};

static vs_val string(source *s)
{
    uint8_t how = byte(s);
    if (how < 160)
        return vs_cstring(words[how % VS_COUNT(words)]);
    size_t n = how < 250 ? how % 32u : (size_t)byte(s) * 4;
    if (n > s->n)
        n = s->n;
    vs_val v = vs_string_dup(&s->a, vs_span_of(s->p, n));
    s->p += n;
    s->n -= n;
    return v;
}

static vs_val number(source *s)
{
    static const char *const texts[] = {"0.5",
                                        "-1e30",
                                        "1e-300",
                                        "9223372036854775808",
                                        "2e308",
                                        "-0.1",
                                        "123456789012345678901234567890.5"};
    uint8_t how = byte(s);
    if (how < 128)
        return vs_int((int64_t)(how % 16) - 4);
    if (how < 200)
        return vs_num_parse(&s->a, vs_str(texts[how % VS_COUNT(texts)]), NULL);
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | byte(s);
    return vs_int((int64_t)v);
}

static vs_val value(source *s, vs_kind k, unsigned depth);

static vs_val any(source *s, unsigned depth)
{
    return value(s, (vs_kind)(VS_NULL + byte(s) % (depth ? 7 : 4)), depth);
}

static vs_val value(source *s, vs_kind k, unsigned depth)
{
    vs_vec items = {.a = &s->a};
    vs_obj pairs = {.a = &s->a};
    unsigned n = depth && k >= VS_ARRAY ? byte(s) % 6 : 0;
    switch (k) {
    case VS_NULL: return vs_null();
    case VS_BOOL: return vs_bool(byte(s) & 1);
    case VS_NUMBER: return number(s);
    case VS_STRING: return string(s);
    case VS_OBJECT:
        for (unsigned i = 0; i < n; i++) {
            vs_val key = byte(s) % 8 ? string(s) : any(s, depth - 1);
            vs_obj_add(&pairs, key, any(s, depth - 1));
        }
        return vs_obj_end(&pairs, VS_DUP_LAST, NULL);
    default:
        for (unsigned i = 0; i < n; i++)
            vs_vec_add(&items, any(s, depth - 1));
        return k == VS_ARRAY ? vs_vec_end_array(&items) : vs_vec_end_set(&items);
    }
}

static vs_kind kind_of_letter(char c)
{
    static const char letters[] = "0bnsaoS";
    const char *at = strchr(letters, c);
    return at && c ? (vs_kind)(VS_NULL + (at - letters)) : VS_UNDEFINED;
}

/* One argument by the signature; now and then of another kind. */
static vs_val argument(source *s, const char **at)
{
    char choices[8];
    size_t n = 0;
    for (; **at && **at != ','; ++*at)
        if (**at != '[' && **at != ']' && n < sizeof choices)
            choices[n++] = **at;
    if (**at == ',')
        ++*at;
    vs_kind k = n ? kind_of_letter(choices[byte(s) % n]) : VS_UNDEFINED;
    return k == VS_UNDEFINED || byte(s) == 255 ? any(s, 3) : value(s, k, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    source s = {.p = data, .n = size};
    size_t count = 0;
    while (rego_builtin_at(count))
        count++;
    vs_arena_init(&s.a, 32 << 20);
    const rego_builtin *f = rego_builtin_at(byte(&s) % count);
    vs_val args[8] = {{0}};
    unsigned n = 0;
    bool good = true;
    for (const char *at = f->args; *at && *at != '*' && n < VS_COUNT(args); n++) {
        args[n] = argument(&s, &at);
        good &= vs_defined(args[n]);
    }
    uint64_t steps = 200000;
    rego_bctx b = {
        .a = &s.a, .now_ns = 1700000000123456789, .seed = 1, .steps = &steps, .v0 = byte(&s) & 1};
    vs_val out = vs_undefined();
    if (f->fn && good && f->fn(&b, args, n, &out) == REGO_B_OK && vs_defined(out)) {
        vs_buf text = VS_BUF(1 << 20);
        vs_json_print(&text, out);
        rego_print_value(&text, out);
        if (!vs_eq(out, out))
            __builtin_trap();
        vs_buf_free(&text);
    }
    rego_regexes_free(&b.regexes);
    rego_zones_free(&b.zones);
    vs_arena_free(&s.a);
    return 0;
}
