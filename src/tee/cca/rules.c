/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/rules.h"

#include <stdarg.h>
#include <stdio.h>

#include "value/cbor.h"

static size_t find_rule(const cca_table *t, int64_t key)
{
    size_t i = 0;
    while (i < t->n && t->rules[i].key != key)
        i++;
    return i;
}

/* The rule of the key at the cursor; t->n for keys without one. */
static size_t read_key(const cca_table *t, vs_cbor *c)
{
    size_t rule = t->n;
    int64_t key = 0;
    vs_cbor_type type = vs_cbor_peek(c);
    if (type == VS_CBOR_UINT || type == VS_CBOR_NINT) {
        key = vs_cbor_int(c);
        rule = find_rule(t, key);
        if (rule == t->n && t->refuse_unknown)
            (void)vs_cbor_fail(c, VS_E_INVALID, "unknown key %lld", (long long)key);
    } else if (type == VS_CBOR_TEXT) {
        vs_span name = vs_cbor_text(c);
        if (t->refuse_unknown)
            (void)vs_cbor_fail(c, VS_E_INVALID, "unknown key \"%.*s\"",
                               VS_FMT(vs_span_head(name, 40)));
    } else {
        (void)vs_cbor_fail(c, VS_E_INVALID, "a key is %s, must be an integer or text",
                           vs_cbor_type_name(type));
    }
    return rule;
}

vs_code cca_collect(const cca_table *t, vs_span map, cca_item items[], vs_error *err)
{
    memset(items, 0, t->n * sizeof items[0]);
    vs_cbor c = vs_cbor_of(map, err);
    size_t n = vs_cbor_map(&c);
    for (size_t i = 0; i < n && c.code == VS_OK; i++) {
        size_t rule = read_key(t, &c);
        vs_span raw = vs_cbor_skip(&c);
        if (rule < t->n)
            items[rule].raw = raw;
    }
    vs_code code = vs_cbor_end(&c);
    if (code != VS_OK && t->what)
        (void)vs_wrap(err, "%s: claims", t->what);
    return code;
}

static bool is_digest_size(size_t n)
{
    return n == 32 || n == 48 || n == 64;
}

static vs_hash hash_of_iana_name(vs_span name)
{
    static const vs_hash hashes[] = {VS_SHA256, VS_SHA384, VS_SHA512};
    for (size_t i = 0; i < VS_COUNT(hashes); i++)
        if (vs_span_is(name, vs_hash_name(hashes[i])))
            return hashes[i];
    return VS_HASH_NONE;
}

/* "platform token: implementation id (2396) has 31 bytes, must have 32" */
static vs_code VS_PRINTF(4, 5)
    claim_error(const char *what, const cca_rule *r, vs_error *err, const char *fmt, ...)
{
    char sentence[160], key[32] = "";
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    if (r->key)
        (void)snprintf(key, sizeof key, " (%lld)", (long long)r->key);
    return vs_fail(err, VS_E_INVALID, "%s%s%s%s %s", what ? what : "", what ? ": " : "", r->name,
                   key, sentence);
}

static vs_code size_error(const char *what, const cca_rule *r, size_t n, vs_error *err)
{
    const char *unit = r->kind == CCA_ARRAY ? "entries" : "bytes";
    if (r->min == r->max)
        return claim_error(what, r, err, "has %zu %s, must have %u", n, unit, r->min);
    if (n == 0)
        return claim_error(what, r, err, "is empty");
    return claim_error(what, r, err, "has %zu %s, must have %u to %u", n, unit, r->min, r->max);
}

static vs_code check_value(const char *what, const cca_rule *r, cca_item *it, vs_error *err)
{
    size_t n = it->value.n;
    switch (r->kind) {
    case CCA_BYTES:
    case CCA_TEXT:
    case CCA_ARRAY:
        if (r->kind == CCA_ARRAY)
            n = (size_t)it->number;
        return n < r->min || n > r->max ? size_error(what, r, n, err) : VS_OK;
    case CCA_DIGEST:
        if (!is_digest_size(n))
            return claim_error(what, r, err, "has %zu bytes, must have 32, 48 or 64", n);
        return VS_OK;
    case CCA_HASH:
        it->hash = hash_of_iana_name(it->value);
        if (it->hash == VS_HASH_NONE)
            return claim_error(what, r, err, "is \"%.*s\", must be sha-256, sha-384 or sha-512",
                               VS_FMT(vs_span_head(it->value, 40)));
        return VS_OK;
    case CCA_UINT:
        if (it->number < r->min || it->number > r->max)
            return claim_error(what, r, err, "is %llu, must be %u to %u",
                               (unsigned long long)it->number, r->min, r->max);
        return VS_OK;
    case CCA_BOOL: return VS_OK;
    }
    return vs_fail(err, VS_E_INTERNAL, "unknown kind of claim");
}

static vs_code type_error(const char *what, const cca_rule *r, vs_cbor_type want, vs_span raw,
                          vs_error *err)
{
    vs_cbor c = vs_cbor_of(raw, NULL);
    const char *got = vs_cbor_type_name(vs_cbor_peek(&c));
    return claim_error(what, r, err, "is %s, must be %s", got,
                       want == VS_CBOR_SIMPLE ? "true or false" : vs_cbor_type_name(want));
}

vs_code cca_check_item(const char *what, const cca_rule *r, cca_item *it, vs_error *err)
{
    static const vs_cbor_type types[] = {
        [CCA_BYTES] = VS_CBOR_BYTES, [CCA_DIGEST] = VS_CBOR_BYTES, [CCA_TEXT] = VS_CBOR_TEXT,
        [CCA_HASH] = VS_CBOR_TEXT,   [CCA_UINT] = VS_CBOR_UINT,    [CCA_BOOL] = VS_CBOR_SIMPLE,
        [CCA_ARRAY] = VS_CBOR_ARRAY,
    };
    vs_cbor c = vs_cbor_of(it->raw, NULL);
    switch (r->kind) {
    case CCA_BYTES:
    case CCA_DIGEST: it->value = vs_cbor_bytes(&c); break;
    case CCA_TEXT:
    case CCA_HASH: it->value = vs_cbor_text(&c); break;
    case CCA_UINT: it->number = vs_cbor_uint(&c); break;
    case CCA_BOOL: it->number = vs_cbor_bool(&c); break;
    case CCA_ARRAY: it->number = vs_cbor_array(&c); break;
    }
    if (c.code != VS_OK)
        return type_error(what, r, types[r->kind], it->raw, err);
    return check_value(what, r, it, err);
}

vs_code cca_apply(const cca_table *t, cca_generation g, cca_item items[], vs_error *err)
{
    for (size_t i = 0; i < t->n; i++) {
        const cca_rule *r = &t->rules[i];
        bool known = ((r->must | r->may) & g) != 0;
        if (!known && items[i].raw.n && t->refuse_unknown)
            return claim_error(t->what, r, err, "does not belong to this profile");
        if (!known)
            items[i] = (cca_item){0};
        else if (items[i].raw.n)
            VS_TRY(cca_check_item(t->what, r, &items[i], err));
        else if (r->must & g)
            return claim_error(t->what, r, err, "is missing");
    }
    return VS_OK;
}
