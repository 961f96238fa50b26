/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be said of a token that was changed in one bit, by the reference alone: a reader of
 * CBOR (RFC 8949), of COSE_Sign1 (RFC 9052) and of CCA's tables (cca.md 1) that shares no code with
 * the one under test. It knows the token before the change, so it need not compute a signature.
 *
 * The first layer that does not hold decides, in the order of cca.md 2.1: outer form, both
 * COSE_Sign1, platform claims, realm claims, platform key and signature, realm key and signature.
 * Within a claims set each broken rule is a right answer.
 */
#ifndef VS_TEST_TOKEN_MODEL_H
#define VS_TEST_TOKEN_MODEL_H

#include "testing.h"

/* The walks have threads, where a test cannot fail by itself. */
static inline void m_must(bool ok)
{
    if (!ok)
        abort();
}

enum { M_REASONS = 16, M_TEXT = 700, M_ITEMS = 64, M_DEPTH = 16 };

/* The reasons that are right; none: the token is as good as before. A reason may go on with ": "
 * and what the cryptographic library says. */
typedef struct reasons {
    struct reason {
        vs_code code;
        char text[M_TEXT];
    } of[M_REASONS];
    size_t n;
} reasons;

static inline void VS_PRINTF(3, 4) m_add(reasons *r, vs_code code, const char *fmt, ...)
{
    va_list ap;
    m_must(r->n < M_REASONS);
    va_start(ap, fmt);
    (void)vsnprintf(r->of[r->n].text, M_TEXT, fmt, ap);
    va_end(ap);
    for (char *c = r->of[r->n].text; *c; c++) /* what is quoted stays on its line */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    r->of[r->n++].code = code;
}

static inline bool m_is_right(const reasons *r, vs_code code, const char *text)
{
    for (size_t i = 0; i < r->n; i++) {
        size_t n = strlen(r->of[i].text);
        if (code == r->of[i].code && strncmp(text, r->of[i].text, n) == 0 &&
            (text[n] == 0 || strncmp(text + n, ": ", 2) == 0))
            return true;
    }
    return r->n == 0 && code == VS_OK;
}

/* ---- CBOR -------------------------------------------------------------------------------------
 */

enum { UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };
static const char *const m_names[] = {"an unsigned integer",
                                      "a negative integer",
                                      "a byte string",
                                      "a text string",
                                      "an array",
                                      "a map",
                                      "a tag",
                                      "a simple value"};

typedef struct item {
    unsigned major;
    uint64_t arg;
    size_t at, body, end; /* where it begins, what is behind its head, where it ends */
} item;

/* One layer being read; the first complaint counts. */
typedef struct layer {
    vs_span in;
    vs_code code;
    char complaint[200];
} layer;

static inline bool VS_PRINTF(4, 5)
    m_complain(layer *l, vs_code code, size_t at, const char *fmt, ...)
{
    int n = snprintf(l->complaint, sizeof l->complaint, "CBOR offset %zu: ", at);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(l->complaint + n, sizeof l->complaint - (size_t)n, fmt, ap);
    va_end(ap);
    l->code = code;
    return false;
}

static inline bool m_utf8(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (size_t i = 0; i < n;) {
        size_t len = p[i] < 0x80       ? 1
                     : p[i] >> 5 == 6  ? 2
                     : p[i] >> 4 == 14 ? 3
                     : p[i] >> 3 == 30 ? 4
                                       : 0;
        if (len == 0 || len > n - i)
            return false;
        uint32_t c = len == 1 ? p[i] : p[i] & (0x7fu >> len);
        for (size_t k = 1; k < len; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            c = c << 6 | (p[i + k] & 0x3f);
        }
        if ((len > 1 && c < least[len]) || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
            return false;
        i += len;
    }
    return true;
}

static inline bool m_head(layer *l, size_t at, item *out)
{
    if (at >= l->in.n)
        return m_complain(l, VS_E_PARSE, at, "the data ends where an item is expected");
    uint8_t first = l->in.p[at], info = first & 31;
    *out = (item){.major = first >> 5, .arg = info, .at = at, .body = at + 1};
    if (info == 31)
        return m_complain(l, VS_E_PARSE, at, "indefinite length is not accepted");
    if (info > 27)
        return m_complain(l, VS_E_PARSE, at, "reserved additional information %u", info);
    if (info < 24)
        return true;
    size_t n = info == 24 ? 1 : info == 25 ? 2 : info == 26 ? 4 : 8;
    if (l->in.n - out->body < n)
        return m_complain(l, VS_E_PARSE, at, "an item head is cut short");
    out->arg = 0;
    for (size_t i = 0; i < n; i++)
        out->arg = out->arg * 256 + l->in.p[out->body + i];
    out->body += n;
    bool shorter = out->major == SIMPLE
                       ? n == 1 && out->arg < 32
                       : (n == 1 && out->arg < 24) || (n > 1 && out->arg >> 4 * n == 0);
    return !shorter || m_complain(l, VS_E_PARSE, at, "a number is not in its shortest form");
}

static inline bool m_same(vs_span in, const item *a, const item *b)
{
    return a->end - a->at == b->end - b->at &&
           memcmp(in.p + a->at, in.p + b->at, a->end - a->at) == 0;
}

static inline bool m_item(layer *l, size_t at, unsigned depth, item *out);

static inline bool m_members(layer *l, const item *map, unsigned depth, size_t *end)
{
    item *keys = calloc((size_t)map->arg + 1, sizeof *keys), value;
    bool ok = true;
    size_t at = map->body;
    for (size_t i = 0; ok && i < map->arg; i++) {
        ok = m_item(l, at, depth, &keys[i]);
        for (size_t k = 0; ok && map->arg <= M_ITEMS && k < i; k++)
            if (m_same(l->in, &keys[k], &keys[i]))
                ok = m_complain(l, VS_E_PARSE, keys[i].at, "duplicate key in the map at offset %zu",
                                map->at);
        if (ok && map->arg > M_ITEMS && i > 0) {
            size_t n = keys[i - 1].end - keys[i - 1].at, m = keys[i].end - keys[i].at;
            int order = memcmp(l->in.p + keys[i - 1].at, l->in.p + keys[i].at, n < m ? n : m);
            if (order > 0 || (order == 0 && n >= m))
                ok = m_complain(l, VS_E_PARSE, keys[i].at,
                                "keys of the large map at offset %zu are not sorted", map->at);
        }
        ok = ok && m_item(l, keys[i].end, depth, &value);
        at = value.end;
    }
    free(keys);
    *end = at;
    return ok;
}

/* A whole item, with everything in it. */
static inline bool m_item(layer *l, size_t at, unsigned depth, item *out)
{
    item inner;
    if (depth == 0)
        return m_complain(l, VS_E_LIMIT, at, "nested more than %d deep", M_DEPTH);
    if (!m_head(l, at, out))
        return false;
    size_t rest = l->in.n - out->body, each = out->major == MAP ? 2 : 1;
    out->end = out->body;
    if (out->major == BYTES || out->major == TEXT) {
        if (out->arg > rest)
            return m_complain(l, VS_E_PARSE, at, "a string of %llu bytes is longer than the data",
                              (unsigned long long)out->arg);
        if (out->major == TEXT && !m_utf8(l->in.p + out->body, (size_t)out->arg))
            return m_complain(l, VS_E_PARSE, at, "a text string is not UTF-8");
        out->end += (size_t)out->arg;
    } else if (out->major == ARRAY || out->major == MAP) {
        if (out->arg > rest / each)
            return m_complain(l, VS_E_PARSE, at, "%s of %llu members is longer than the data",
                              m_names[out->major], (unsigned long long)out->arg);
        if (out->major == MAP)
            return m_members(l, out, depth - 1, &out->end);
        for (size_t i = 0; i < out->arg; i++, out->end = inner.end)
            if (!m_item(l, out->end, depth - 1, &inner))
                return false;
    } else if (out->major == TAG) {
        if (!m_item(l, out->body, depth - 1, &inner))
            return false;
        out->end = inner.end;
    }
    return true;
}

/* The item that a layer is. */
static inline bool m_whole(layer *l, vs_span in, item *out)
{
    *l = (layer){.in = in};
    if (!m_item(l, 0, M_DEPTH, out))
        return false;
    return out->end == in.n ||
           m_complain(l, VS_E_PARSE, out->end, "%zu more bytes behind the item", in.n - out->end);
}

/* The item at `at` of a layer that is well formed. */
static inline item m_at(layer *l, size_t at)
{
    item it;
    m_must(m_item(l, at, M_DEPTH, &it));
    return it;
}

static inline bool m_want(layer *l, const item *it, unsigned major)
{
    return it->major == major || m_complain(l, VS_E_INVALID, it->at, "expected %s, found %s",
                                            m_names[major], m_names[it->major]);
}

/* An integer of either sign, as this library reads them. */
static inline bool m_integer(layer *l, const item *it, int64_t *out)
{
    if (it->major != NINT && !m_want(l, it, UINT))
        return false;
    if (it->arg > INT64_MAX)
        return m_complain(l, VS_E_INVALID, it->at, "an integer does not fit 64 bits");
    *out = it->major == NINT ? -1 - (int64_t)it->arg : (int64_t)it->arg;
    return true;
}

static inline vs_span m_content(const layer *l, const item *it)
{
    return vs_span_of(l->in.p + it->body, it->end - it->body);
}

/* ---- the outer form (1.1) ---------------------------------------------------------------------
 */

typedef struct parts {
    vs_span whole, platform, realm; /* COSE_Sign1 */
} parts;

static inline bool m_entry(layer *l, bool cmw, item value, vs_span *out, size_t *end)
{
    *end = value.end;
    if (cmw) {
        if (!m_want(l, &value, ARRAY))
            return false;
        if (value.arg != 2)
            return m_complain(l, VS_E_INVALID, value.body,
                              "entry is not an array of content format and bytes");
        item format = m_at(l, value.body);
        if (!m_want(l, &format, UINT))
            return false;
        if (format.arg != 263)
            return m_complain(l, VS_E_INVALID, format.end,
                              "entry has content format %llu, must have 263",
                              (unsigned long long)format.arg);
        value = m_at(l, format.end);
    }
    if (!m_want(l, &value, BYTES))
        return false;
    *out = m_content(l, &value);
    return true;
}

static inline bool m_entries(layer *l, const item *map, bool cmw, parts *out)
{
    size_t at = map->body;
    for (size_t i = 0; i < map->arg; i++) {
        item key = m_at(l, at), value = m_at(l, key.end);
        int64_t k = 0;
        at = value.end;
        if (!m_integer(l, &key, &k))
            return false;
        if (k != 44234 && k != 44241) {
            if (!cmw)
                return m_complain(l, VS_E_INVALID, key.end, "unknown entry %lld", (long long)k);
        } else if (!m_entry(l, cmw, value, k == 44234 ? &out->platform : &out->realm, &at)) {
            return false;
        }
    }
    return true;
}

static inline bool m_outer(vs_span in, parts *out, reasons *r)
{
    layer l;
    item tag, map;
    *out = (parts){.whole = in};
    bool ok = m_whole(&l, in, &tag) && m_want(&l, &tag, TAG);
    if (ok && tag.arg != 399 && tag.arg != 907) {
        m_add(r, VS_E_INVALID, "CCA token: tag %llu is neither 399 nor 907",
              (unsigned long long)tag.arg);
        return false;
    }
    if (ok)
        map = m_at(&l, tag.body);
    ok = ok && m_want(&l, &map, MAP) && m_entries(&l, &map, tag.arg == 907, out);
    if (!ok)
        m_add(r, l.code, "CCA token: %s", l.complaint);
    else if (out->platform.n == 0)
        m_add(r, VS_E_INVALID, "CCA token: platform token (44234) is missing");
    else if (out->realm.n == 0)
        m_add(r, VS_E_INVALID, "CCA token: realm token (44241) is missing");
    return r->n == 0;
}

/* ---- COSE_Sign1 (1.2) -------------------------------------------------------------------------
 */

typedef struct sign1 {
    vs_span header, payload, signature;
    const uint8_t *unprotected_end;
    int64_t alg;
} sign1;

/* Of a well formed message. */
static inline bool m_sign1(layer *l, const item *tag, sign1 *out)
{
    if (tag->major != TAG || tag->arg != 18)
        return m_complain(l, VS_E_INVALID, tag->major == TAG ? tag->body : 0, "tag 18 is missing");
    item array = m_at(l, tag->body);
    if (!m_want(l, &array, ARRAY))
        return false;
    if (array.arg != 4)
        return m_complain(l, VS_E_INVALID, array.body, "array of %llu elements instead of 4",
                          (unsigned long long)array.arg);
    item header = m_at(l, array.body);
    if (!m_want(l, &header, BYTES))
        return false;
    item map = m_at(l, header.end), payload = m_at(l, map.end), signature = m_at(l, payload.end);
    if (map.major != MAP)
        return m_complain(l, VS_E_INVALID, map.at, "unprotected header is not a map");
    out->header = m_content(l, &header);
    out->unprotected_end = l->in.p + map.end;
    out->payload = m_content(l, &payload);
    out->signature = m_content(l, &signature);
    return m_want(l, &payload, BYTES) && m_want(l, &signature, BYTES);
}

/* IANA's COSE algorithms that a key of a CCA token or of a CoRIM may have. */
static const struct {
    int64_t id;
    const char *name;
} m_algs[] = {{-7, "ES256"},  {-35, "ES384"}, {-36, "ES512"},  {-8, "EdDSA"},   {-37, "PS256"},
              {-38, "PS384"}, {-39, "PS512"}, {-257, "RS256"}, {-258, "RS384"}, {-259, "RS512"}};

static inline const char *m_alg_name(int64_t id)
{
    for (size_t i = 0; i < VS_COUNT(m_algs); i++)
        if (m_algs[i].id == id)
            return m_algs[i].name;
    return NULL;
}

static inline bool m_parameter(layer *l, int64_t label, const item *value, sign1 *out)
{
    if (label == 2)
        return m_complain(l, VS_E_UNSUPPORTED, value->at, "critical header parameters (crit)");
    if (label != 1)
        return true;
    if (value->major == TEXT)
        return m_complain(l, VS_E_UNSUPPORTED, value->at, "algorithm given as text");
    if (!m_integer(l, value, &out->alg))
        return false;
    return m_alg_name(out->alg) || m_complain(l, VS_E_UNSUPPORTED, value->end,
                                              "unknown algorithm %lld", (long long)out->alg);
}

static inline bool m_header(layer *l, const item *map, sign1 *out)
{
    if (!m_want(l, map, MAP))
        return false;
    size_t at = map->body;
    for (size_t i = 0; i < map->arg; i++) {
        item key = m_at(l, at), value = m_at(l, key.end);
        int64_t label = 0;
        at = value.end;
        if (key.major == TEXT)
            continue;
        if (key.major != UINT && key.major != NINT)
            return m_complain(l, VS_E_INVALID, key.at, "header label is neither integer nor text");
        if (!m_integer(l, &key, &label) || !m_parameter(l, label, &value, out))
            return false;
    }
    return true;
}

static inline void m_cose(vs_span in, const char *where, sign1 *out, reasons *r)
{
    layer l;
    item it;
    *out = (sign1){0};
    if (!m_whole(&l, in, &it) || !m_sign1(&l, &it, out)) {
        m_add(r, l.code, "%s: COSE_Sign1: %s", where, l.complaint);
        return;
    }
    bool empty = out->header.n == 0;
    if (!empty && (!m_whole(&l, out->header, &it) || !m_header(&l, &it, out)))
        m_add(r, l.code, "%s: COSE_Sign1 protected header: %s", where, l.complaint);
    else if (!out->alg)
        m_add(r, VS_E_INVALID, "%s: COSE_Sign1 protected header: no algorithm", where);
}

/* ---- signatures -------------------------------------------------------------------------------
 */

/* Of a message that was changed; `good` is what was signed, with a key on `curve`. */
static inline void m_signature(const sign1 *now, const sign1 *good, const char *curve,
                               const char *before, reasons *r)
{
    size_t want = good->signature.n;
    if (now->alg != good->alg)
        m_add(r, VS_E_CRYPTO, "%s: signature: algorithm %s cannot be used with a key of type %s",
              before, m_alg_name(now->alg), curve);
    else if (now->signature.n != want)
        m_add(r, VS_E_CRYPTO, "%s: signature: signature has %zu bytes, %s needs %zu", before,
              now->signature.n, curve, want);
    else if (!vs_span_eq(now->signature, good->signature) ||
             !vs_span_eq(now->payload, good->payload) || !vs_span_eq(now->header, good->header))
        m_add(r, VS_E_CRYPTO, "%s: signature: signature does not verify", before);
}

#endif
