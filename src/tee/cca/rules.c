/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/rules.h"

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
    switch (vs_cbor_peek(c)) {
    case VS_CBOR_UINT:
    case VS_CBOR_NINT: return find_rule(t, vs_cbor_int(c));
    case VS_CBOR_TEXT: (void)vs_cbor_text(c); return t->n;
    default: (void)vs_cbor_fail(c, VS_E_INVALID, "key is neither integer nor text"); return t->n;
    }
}

vs_code cca_collect(const cca_table *t, vs_span map, cca_item items[], vs_error *err)
{
    memset(items, 0, t->n * sizeof items[0]);
    vs_cbor c = vs_cbor_of(map, err);
    size_t n = vs_cbor_map(&c);
    for (size_t i = 0; i < n && c.code == VS_OK; i++) {
        size_t rule = read_key(t, &c);
        if (rule == t->n && t->refuse_unknown)
            (void)vs_cbor_fail(&c, VS_E_INVALID, "unknown key");
        vs_span raw = vs_cbor_skip(&c);
        if (rule < t->n)
            items[rule].raw = raw;
    }
    VS_TRY_WRAP(vs_cbor_end(&c), err, "%s", t->what);
    return VS_OK;
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

static vs_code size_error(const char *what, const cca_rule *r, size_t n, vs_error *err)
{
    if (r->min == r->max)
        return vs_fail(err, VS_E_INVALID, "%s: %s has size %zu, must be %u", what, r->name, n,
                       r->min);
    return vs_fail(err, VS_E_INVALID, "%s: %s has size %zu, must be %u to %u", what, r->name, n,
                   r->min, r->max);
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
            return vs_fail(err, VS_E_INVALID, "%s: %s has %zu bytes, must have 32, 48 or 64", what,
                           r->name, n);
        return VS_OK;
    case CCA_HASH:
        it->hash = hash_of_iana_name(it->value);
        if (it->hash == VS_HASH_NONE)
            return vs_fail(err, VS_E_INVALID, "%s: %s is not sha-256, sha-384 or sha-512", what,
                           r->name);
        return VS_OK;
    case CCA_UINT:
        if (it->number < r->min || it->number > r->max)
            return vs_fail(err, VS_E_INVALID, "%s: %s is out of range %u to %u", what, r->name,
                           r->min, r->max);
        return VS_OK;
    case CCA_BOOL: return VS_OK;
    }
    return vs_fail(err, VS_E_INTERNAL, "unknown kind of claim");
}

vs_code cca_check_item(const char *what, const cca_rule *r, cca_item *it, vs_error *err)
{
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
        return vs_fail(err, VS_E_INVALID, "%s: %s has the wrong type", what, r->name);
    return check_value(what, r, it, err);
}

vs_code cca_apply(const cca_table *t, cca_generation g, cca_item items[], vs_error *err)
{
    for (size_t i = 0; i < t->n; i++) {
        const cca_rule *r = &t->rules[i];
        bool known = ((r->must | r->may) & g) != 0;
        if (!known && items[i].raw.n && t->refuse_unknown)
            return vs_fail(err, VS_E_INVALID, "%s: %s does not belong to this profile", t->what,
                           r->name);
        if (!known)
            items[i] = (cca_item){0};
        else if (items[i].raw.n)
            VS_TRY(cca_check_item(t->what, r, &items[i], err));
        else if (r->must & g)
            return vs_fail(err, VS_E_INVALID, "%s: %s (%lld) is missing", t->what, r->name,
                           (long long)r->key);
    }
    return VS_OK;
}
