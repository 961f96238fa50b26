/* SPDX-License-Identifier: Apache-2.0 */
/* The second half of token_model.h: the tables of cca.md 1.3, 1.4 and 1.7, and what follows from
 * them for a whole token. */
#ifndef VS_TEST_CLAIMS_MODEL_H
#define VS_TEST_CLAIMS_MODEL_H

#include "tee/token_model.h"

#include "base/enc.h"

/* ---- tables ------------------------------------------------------------------------------------
 */

enum m_kind { M_BYTES, M_DIGEST, M_TEXT_, M_HASH, M_UINT, M_BOOL, M_ARRAY };

/* Profiles are one letter each: l legacy, 1 for 1.0.0, 2 for 2.0.0. */
typedef struct m_rule {
    int64_t key;
    const char *name;
    enum m_kind kind;
    unsigned min, max;
    const char *must, *may;
} m_rule;

static const m_rule m_platform[] = {
    {265, "profile", M_TEXT_, 1, 65536, "l12", ""},
    {10, "challenge", M_DIGEST, 0, 0, "l12", ""},
    {2396, "implementation id", M_BYTES, 32, 32, "l12", ""},
    {256, "instance id", M_BYTES, 33, 33, "l12", ""},
    {2401, "configuration", M_BYTES, 0, 65536, "l12", ""},
    {2395, "lifecycle", M_UINT, 0, 65535, "l12", ""},
    {2399, "software components", M_ARRAY, 1, 128, "l12", ""},
    {2400, "verification service", M_TEXT_, 1, 65536, "", "l12"},
    {2402, "hash algorithm", M_HASH, 0, 0, "l12", ""},
    {2394, "client id", M_UINT, 1, 1, "2", ""},
    {2403, "manufacturing configuration", M_BYTES, 1, 65536, "", "2"},
    {2404, "platform extension", M_ARRAY, 0, 128, "", "2"},
};

static const m_rule m_component[] = {
    {1, "component type", M_TEXT_, 0, 65536, "", "l12"},
    {2, "measurement value", M_DIGEST, 0, 0, "l12", ""},
    {4, "version", M_TEXT_, 0, 65536, "", "l12"},
    {5, "signer id", M_DIGEST, 0, 0, "l12", ""},
    {6, "hash algorithm", M_HASH, 0, 0, "", "l12"},
    {7, "live activation", M_BOOL, 0, 0, "", "2"},
    {8, "countersigners", M_ARRAY, 0, 128, "", "2"},
};

static const m_rule m_realm[] = {
    {10, "challenge", M_BYTES, 64, 64, "l12", ""},
    {265, "profile", M_TEXT_, 1, 65536, "12", ""},
    {44235, "personalization value", M_BYTES, 64, 64, "l12", ""},
    {44236, "hash algorithm", M_HASH, 0, 0, "l12", ""},
    {44237, "public key", M_BYTES, 1, 65536, "l12", ""},
    {44238, "initial measurement", M_DIGEST, 0, 0, "l12", ""},
    {44239, "extensible measurements", M_ARRAY, 4, 4, "l12", ""},
    {44240, "public key hash algorithm", M_HASH, 0, 0, "l12", ""},
    {256, "instance id", M_BYTES, 33, 33, "2", ""},
    {44243, "MEC policy", M_UINT, 0, 1, "2", ""},
    {44244, "LFA policy", M_UINT, 0, 1, "", "2"},
    {44257, "devices token hash", M_DIGEST, 0, 0, "", "2"},
};

typedef struct m_table {
    const m_rule *rules;
    size_t n;
    bool closed; /* other keys are an error */
} m_table;

static const m_table m_platform_table = {m_platform, VS_COUNT(m_platform), false};
static const m_table m_component_table = {m_component, VS_COUNT(m_component), true};
static const m_table m_realm_table = {m_realm, VS_COUNT(m_realm), false};

/* ---- one claims set ----------------------------------------------------------------------------
 */

typedef struct claims {
    layer l;
    bool has[16];
    item value[16]; /* by rule */
} claims;

static inline size_t m_find(const m_table *t, int64_t key)
{
    size_t i = 0;
    while (i < t->n && t->rules[i].key != key)
        i++;
    return i;
}

static inline bool m_collect(claims *c, const m_table *t, const item *map)
{
    layer *l = &c->l;
    if (!m_want(l, map, MAP))
        return false;
    size_t at = map->body;
    for (size_t i = 0; i < map->arg; i++) {
        item key = m_at(l, at), value = m_at(l, key.end);
        int64_t k = -1;
        at = value.end;
        if (key.major > TEXT || key.major == BYTES)
            return m_complain(l, VS_E_INVALID, key.at, "a key is %s, must be an integer or text",
                              m_names[key.major]);
        if (key.major != TEXT && !m_integer(l, &key, &k))
            return false;
        size_t rule = m_find(t, key.major == TEXT ? -1 : k);
        if (rule < t->n) {
            c->has[rule] = true;
            c->value[rule] = value;
        } else if (t->closed && key.major == TEXT) {
            return m_complain(l, VS_E_INVALID, key.end, "unknown key \"%.*s\"",
                              VS_FMT(vs_span_head(m_content(l, &key), 40)));
        } else if (t->closed) {
            return m_complain(l, VS_E_INVALID, key.end, "unknown key %lld", (long long)k);
        }
    }
    return true;
}

static inline unsigned m_major_of(enum m_kind k)
{
    static const unsigned major[] = {BYTES, BYTES, TEXT, TEXT, UINT, SIMPLE, ARRAY};
    return major[k];
}

static inline bool m_hash_name(vs_span s)
{
    return vs_span_is(s, "sha-256") || vs_span_is(s, "sha-384") || vs_span_is(s, "sha-512");
}

/* `name`: with its key. */
static inline void m_value(const layer *l, const m_rule *u, const item *v, const char *name,
                           reasons *r)
{
    size_t n = (size_t)v->arg;
    bool right = v->major == m_major_of(u->kind);
    if (u->kind == M_BOOL)
        right = right && (v->arg == 20 || v->arg == 21) && v->body == v->at + 1;
    if (!right) {
        m_add(r, VS_E_INVALID, "%s is %s, must be %s", name, m_names[v->major],
              u->kind == M_BOOL ? "true or false" : m_names[m_major_of(u->kind)]);
        return;
    }
    if (u->kind == M_DIGEST && n != 32 && n != 48 && n != 64)
        m_add(r, VS_E_INVALID, "%s has %zu bytes, must have 32, 48 or 64", name, n);
    if (u->kind == M_HASH && !m_hash_name(m_content(l, v)))
        m_add(r, VS_E_INVALID, "%s is \"%.*s\", must be sha-256, sha-384 or sha-512", name,
              VS_FMT(vs_span_head(m_content(l, v), 40)));
    if (u->kind == M_UINT && (v->arg < u->min || v->arg > u->max))
        m_add(r, VS_E_INVALID, "%s is %llu, must be %u to %u", name, (unsigned long long)v->arg,
              u->min, u->max);
    if (u->kind != M_BYTES && u->kind != M_TEXT_ && u->kind != M_ARRAY)
        return;
    const char *unit = u->kind == M_ARRAY ? "entries" : "bytes";
    if (u->min == u->max && n != u->min)
        m_add(r, VS_E_INVALID, "%s has %zu %s, must have %u", name, n, unit, u->min);
    else if (n < u->min && n == 0)
        m_add(r, VS_E_INVALID, "%s is empty", name);
    else if (n < u->min || n > u->max)
        m_add(r, VS_E_INVALID, "%s has %zu %s, must have %u to %u", name, n, unit, u->min, u->max);
}

/* Every rule of a profile that does not hold. */
static inline void m_rules(const claims *c, const m_table *t, char profile, const char *before,
                           reasons *r)
{
    for (size_t i = 0; i < t->n; i++) {
        const m_rule *u = &t->rules[i];
        char name[160];
        (void)snprintf(name, sizeof name, "%s: %s (%lld)", before, u->name, (long long)u->key);
        bool must = strchr(u->must, profile) != NULL, may = strchr(u->may, profile) != NULL;
        if (!c->has[i]) {
            if (must)
                m_add(r, VS_E_INVALID, "%s is missing", name);
        } else if (must || may) {
            m_value(&c->l, u, &c->value[i], name, r);
        } else if (t->closed) {
            m_add(r, VS_E_INVALID, "%s does not belong to this profile", name);
        }
    }
}

/* Opens the claims of a half; false: it is told. */
static inline bool m_claims(claims *c, const m_table *t, vs_span in, vs_span whole,
                            const char *half, reasons *r)
{
    item map;
    *c = (claims){0};
    if (!m_whole(&c->l, in, &map))
        m_add(r, c->l.code, "claims from byte %zu on: %s: claims: %s", (size_t)(in.p - whole.p),
              half, c->l.complaint);
    else if (!m_collect(c, t, &map))
        m_add(r, c->l.code, "%s: claims: %s", half, c->l.complaint);
    return r->n == 0;
}

static inline vs_span m_claim(const claims *c, const m_table *t, int64_t key)
{
    size_t i = m_find(t, key);
    return m_content(&c->l, &c->value[i]);
}

/* The letter of the profile; 0: it is told what is wrong with it. */
static inline char m_profile(const claims *c, const m_table *t, const char *const uris[3],
                             const char *half, reasons *r)
{
    size_t i = m_find(t, 265);
    char name[80];
    (void)snprintf(name, sizeof name, "%s: profile (265)", half);
    if (!c->has[i]) {
        if (!uris[0])
            return 'l';
        m_add(r, VS_E_INVALID, "%s is missing", name);
        return 0;
    }
    m_value(&c->l, &t->rules[i], &c->value[i], name, r);
    vs_span uri = m_content(&c->l, &c->value[i]);
    for (size_t k = 0; k < 3; k++)
        if (uris[k] && vs_span_is(uri, uris[k]))
            return "l12"[k];
    if (r->n == 0)
        m_add(r, VS_E_UNSUPPORTED, "%s: unknown profile (265) \"%.*s\"", half,
              VS_FMT(vs_span_head(uri, 80)));
    return 0;
}

/* ---- both sets ---------------------------------------------------------------------------------
 */

static inline void m_one_component(layer *l, const item *at, size_t i, char profile, reasons *r)
{
    claims c = {.l = {.in = vs_span_of(l->in.p + at->at, at->end - at->at)}};
    char before[80];
    (void)snprintf(before, sizeof before, "platform token: software component %zu", i);
    item map = m_at(&c.l, 0);
    if (!m_collect(&c, &m_component_table, &map))
        m_add(r, c.l.code, "%s: %s", before, c.l.complaint);
    else
        m_rules(&c, &m_component_table, profile, before, r);
}

static inline void m_platform_claims(vs_span in, vs_span whole, claims *c, reasons *r)
{
    static const char *const uris[] = {"http://arm.com/CCA-SSD/1.0.0",
                                       "tag:arm.com,2023:cca_platform#1.0.0",
                                       "tag:arm.com,2024:cca_platform#2.0.0"};
    const m_table *t = &m_platform_table;
    char profile;
    if (!m_claims(c, t, in, whole, "platform token", r) ||
        !(profile = m_profile(c, t, uris, "platform token", r)))
        return;
    m_rules(c, t, profile, "platform token", r);
    if (r->n)
        return;
    uint64_t lifecycle = c->value[m_find(t, 2395)].arg;
    if ((lifecycle & 0x0f00) || lifecycle > 0x60ff)
        m_add(r, VS_E_INVALID, "platform token: lifecycle (2395) 0x%04x is not a defined state",
              (unsigned)lifecycle);
    vs_span instance = m_claim(c, t, 256);
    if (instance.p[0] != 1)
        m_add(r, VS_E_INVALID,
              "platform token: instance id (256) is not an UEID of type RAND (first byte 0x%02x)",
              instance.p[0]);
    if (profile == '2' && m_claim(c, t, 2401).n == 0)
        m_add(r, VS_E_INVALID, "platform token: configuration (2401) is empty");
    item list = c->value[m_find(t, 2399)], one = {.end = list.body};
    for (size_t i = 0; i < list.arg; i++) {
        one = m_at(&c->l, one.end);
        m_one_component(&c->l, &one, i, profile, r);
    }
}

static inline void m_realm_claims(vs_span in, vs_span whole, claims *c, char *profile, reasons *r)
{
    static const char *const uris[] = {NULL, "tag:arm.com,2023:realm#1.0.0",
                                       "tag:arm.com,2024:realm#2.0.0"};
    const m_table *t = &m_realm_table;
    if (!m_claims(c, t, in, whole, "realm token", r) ||
        !(*profile = m_profile(c, t, uris, "realm token", r)))
        return;
    m_rules(c, t, *profile, "realm token", r);
    if (r->n)
        return;
    if (*profile == '2' && m_claim(c, t, 256).p[0] != 1)
        m_add(r, VS_E_INVALID,
              "realm token: instance id (256) is not an UEID of type RAND (first byte 0x%02x)",
              m_claim(c, t, 256).p[0]);
    item list = c->value[m_find(t, 44239)], one = {.end = list.body};
    for (size_t i = 0; i < list.arg; i++) {
        static const m_rule rem = {.kind = M_DIGEST};
        char name[40];
        (void)snprintf(name, sizeof name, "realm token: REM %zu", i);
        one = m_at(&c->l, one.end);
        m_value(&c->l, &rem, &one, name, r);
    }
}

/* ---- the realm's key (1.8) ---------------------------------------------------------------------
 */

/* Of a key that is not the good one any more; what is left of it may still be the same key. */
static inline void m_cose_key(vs_span in, reasons *r)
{
    static const char before[] = "realm token: public key (44237)";
    static const struct {
        int64_t id;
        const char *name;
        size_t field;
    } curves[] = {{1, "P-256", 32}, {2, "P-384", 48}, {3, "P-521", 66}};
    layer l;
    item map;
    int64_t member[4] = {0}; /* kty, crv, alg */
    vs_span x = {0}, y = {0};
    if (!m_whole(&l, in, &map)) {
        m_add(r, VS_E_INVALID, "%s: COSE_Key: %s", before, l.complaint);
        return;
    }
    bool ok = m_want(&l, &map, MAP);
    size_t at = map.body;
    for (size_t i = 0; ok && i < map.arg; i++) {
        item key = m_at(&l, at), value = m_at(&l, key.end);
        int64_t label = 0;
        at = value.end;
        if (key.major != UINT && key.major != NINT)
            continue;
        ok = m_integer(&l, &key, &label);
        if (ok && (label == 1 || label == -1 || label == 3)) {
            ok = m_integer(&l, &value, &member[label == 1 ? 0 : label == 3 ? 2 : 1]);
        } else if (ok && label == -3 && value.major == SIMPLE) {
            ok = m_complain(&l, VS_E_UNSUPPORTED, value.at, "COSE_Key with a compressed point");
        } else if (ok && (label == -2 || label == -3)) {
            ok = m_want(&l, &value, BYTES);
            *(label == -2 ? &x : &y) = m_content(&l, &value);
        }
    }
    if (!ok) {
        m_add(r, VS_E_INVALID, "%s: %s", before, l.complaint);
        return;
    }
    for (size_t i = 0; i < VS_COUNT(curves); i++) {
        if (member[0] != 2 || member[1] != curves[i].id)
            continue;
        if (x.n != curves[i].field || y.n != curves[i].field)
            m_add(r, VS_E_INVALID, "%s: COSE_Key coordinates have %zu and %zu bytes, %s has %zu",
                  before, x.n, y.n, curves[i].name, curves[i].field);
        else
            m_add(r, VS_E_INVALID, "%s: EC key is not usable", before);
        return;
    }
    m_add(r, VS_E_INVALID, "%s: COSE_Key of type %lld on curve %lld is not supported", before,
          (long long)member[0], (long long)member[1]);
}

static inline void m_raw_key(vs_span in, reasons *r)
{
    if (in.n != 97 || in.p[0] != 4)
        m_add(r, VS_E_INVALID,
              "realm token: public key (44237): not an uncompressed P-384 point of 97 bytes");
    else
        m_add(r, VS_E_INVALID, "realm token: public key (44237): EC key is not usable");
}

/* ---- a token -----------------------------------------------------------------------------------
 */

/* The token before the change. */
typedef struct original {
    parts p;
    sign1 platform, realm;
    claims platform_claims, realm_claims;
    char realm_profile;
    const char *cpak, *rak; /* curves */
} original;

static inline void m_read(vs_span in, original *o, reasons *r)
{
    char where[2][64];
    if (!m_outer(in, &o->p, r))
        return;
    (void)snprintf(where[0], sizeof where[0], "platform token from byte %zu on",
                   (size_t)(o->p.platform.p - in.p));
    (void)snprintf(where[1], sizeof where[1], "realm token from byte %zu on",
                   (size_t)(o->p.realm.p - in.p));
    m_cose(o->p.platform, where[0], &o->platform, r);
    if (r->n == 0)
        m_cose(o->p.realm, where[1], &o->realm, r);
    if (r->n == 0)
        m_platform_claims(o->platform.payload, in, &o->platform_claims, r);
    if (r->n == 0)
        m_realm_claims(o->realm.payload, in, &o->realm_claims, &o->realm_profile, r);
}

/* What must be said of `in`, which is `good` but for one bit. */
static inline void m_judge(vs_span in, const original *good, reasons *r)
{
    original now = {0};
    *r = (reasons){0};
    m_read(in, &now, r);
    if (r->n)
        return;
    const m_table *p = &m_platform_table;
    vs_span instance = m_claim(&now.platform_claims, p, 256);
    if (!vs_span_eq(instance, m_claim(&good->platform_claims, p, 256))) {
        char hex[2 * 33 + 1];
        for (size_t i = 0; i < instance.n; i++)
            (void)snprintf(hex + 2 * i, 3, "%02x", instance.p[i]);
        m_add(r, VS_E_UNTRUSTED,
              "platform token: no trust anchor has this instance id: it is neither in the trust "
              "anchor store nor endorsed as cca.cpak.%s",
              hex);
        return;
    }
    if (!vs_span_eq(m_claim(&now.platform_claims, p, 2396),
                    m_claim(&good->platform_claims, p, 2396))) {
        m_add(r, VS_E_UNTRUSTED,
              "platform token: the trust anchor of this instance id has another implementation id");
        return;
    }
    m_signature(&now.platform, &good->platform, good->cpak, "platform token", r);
    /* Without its profile a realm's key is read as a point (trap 2). */
    vs_span rak = m_claim(&now.realm_claims, &m_realm_table, 44237);
    bool same = vs_span_eq(rak, m_claim(&good->realm_claims, &m_realm_table, 44237)) &&
                (now.realm_profile == 'l') == (good->realm_profile == 'l');
    if (r->n == 0 && !same)
        (now.realm_profile == 'l' ? m_raw_key : m_cose_key)(rak, r);
    if (r->n == 0)
        m_signature(&now.realm, &good->realm, good->rak, "realm token", r);
}

#endif
