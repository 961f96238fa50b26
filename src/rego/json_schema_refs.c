/* SPDX-License-Identifier: Apache-2.0 */
/* Where references in a JSON Schema lead: base URIs by "$id", JSON pointers (RFC 3986 5.2, 6901).
 */
#include <stdarg.h>
#include <stdio.h>

#include "rego/json_schema.h"

enum { URI_MAX = 8192 };

rego_bres json_schema_wrong(rego_bctx *b, json_schema *s, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *to = n >= 0 ? vs_alloc(b->a, (size_t)n + 1) : NULL;
    if (to)
        (void)vsnprintf(to, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    if (!to || !rego_charge(b, (uint64_t)n / 8))
        return REGO_B_LIMIT;
    s->wrong = vs_str(to);
    return rego_error(b, "%s", to);
}

/* ---- URI references ----------------------------------------------------------------------------
 */

typedef struct uri_parts {
    vs_span scheme, authority, path, query, fragment;
    bool has_authority, has_query, has_fragment;
} uri_parts;

static size_t scheme_length(vs_span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], lower = c | 0x20;
        if (lower >= 'a' && lower <= 'z')
            continue;
        if (c == ':')
            return i;
        if (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))
            return 0;
    }
    return 0;
}

static uri_parts split(vs_span s)
{
    uri_parts u = {0};
    s = vs_span_cut(s, '#', &u.fragment, &u.has_fragment);
    size_t n = scheme_length(s);
    if (n) {
        u.scheme = vs_span_head(s, n);
        s = vs_span_from(s, n + 1);
    }
    s = vs_span_cut(s, '?', &u.query, &u.has_query);
    if (vs_span_starts(s, VS_LIT("//"))) {
        size_t end = 2;
        while (end < s.n && s.p[end] != '/')
            end++;
        u.has_authority = true;
        u.authority = vs_span_of(s.p + 2, end - 2);
        s = vs_span_from(s, end);
    }
    u.path = s;
    return u;
}

/* Removes "." and ".." segments; the result starts with '/' if there is any. */
static void put_path(vs_buf *out, vs_span path)
{
    size_t start = out->n;
    for (size_t at = 0; at < path.n;) {
        size_t from = at + (path.p[at] == '/'), end = from;
        while (end < path.n && path.p[end] != '/')
            end++;
        vs_span segment = vs_span_of(path.p + from, end - from);
        bool up = vs_span_is(segment, ".."), stay = vs_span_is(segment, ".");
        while (up && out->n > start)
            if (out->p[--out->n] == '/')
                break;
        if (!up && !stay) {
            vs_buf_putc(out, '/');
            vs_buf_put(out, segment);
        } else if (end == path.n) {
            vs_buf_putc(out, '/');
        }
        at = end;
    }
}

/* RFC 3986 5.2.2 and 5.3. The result has no empty fragment. */
static void put_resolved(vs_buf *out, vs_span base_text, vs_span ref)
{
    VS_CLEANUP(vs_buf_free) vs_buf path = VS_BUF(URI_MAX);
    uri_parts base = split(base_text), u = split(ref);
    bool own = u.scheme.n || u.has_authority, opaque = false;
    if (own && !u.has_authority && u.path.n && u.path.p[0] != '/')
        opaque = true; /* urn:x:y */
    if (u.scheme.n == 0) {
        u.scheme = base.scheme;
        if (!u.has_authority) {
            u.has_authority = base.has_authority;
            u.authority = base.authority;
            if (u.path.n == 0) {
                vs_buf_put(&path, base.path);
                opaque =
                    base.scheme.n && !base.has_authority && base.path.n && base.path.p[0] != '/';
                if (!u.has_query) {
                    u.has_query = base.has_query;
                    u.query = base.query;
                }
            } else if (u.path.p[0] != '/') {
                size_t keep = base.path.n;
                while (keep > 0 && base.path.p[keep - 1] != '/')
                    keep--;
                vs_buf_put(&path, vs_span_head(base.path, keep));
            }
        }
    }
    vs_buf_put(&path, u.path);
    vs_buf_put(out, u.scheme);
    vs_buf_puts(out, u.scheme.n ? ":" : "");
    vs_buf_puts(out, u.has_authority ? "//" : "");
    vs_buf_put(out, u.authority);
    if (opaque)
        vs_buf_put(out, vs_buf_span(&path));
    else
        put_path(out, vs_buf_span(&path));
    vs_buf_puts(out, u.has_query ? "?" : "");
    vs_buf_put(out, u.query);
    vs_buf_puts(out, u.fragment.n ? "#" : "");
    vs_buf_put(out, u.fragment);
    out->failed |= !vs_buf_ok(&path);
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first escape of a URI that is none; empty when all are well. */
static vs_span bad_escape(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '%' && (i + 2 >= s.n || nibble(s.p[i + 1]) < 0 || nibble(s.p[i + 2]) < 0))
            return vs_span_head(vs_span_from(s, i), 3);
    return vs_span_head(s, 0);
}

static bool has_control(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

/* ---- "$id" and "$ref" --------------------------------------------------------------------------
 */

static const json_schema_id *find_id(const json_schema *s, vs_span uri)
{
    for (size_t i = 0; i < s->n_ids; i++)
        if (vs_span_eq(s->ids[i].uri, uri))
            return &s->ids[i];
    return NULL;
}

static rego_bres add_id(rego_bctx *b, json_schema *s, vs_span uri, size_t *index)
{
    if (!rego_charge(b, s->n_ids + 1))
        return REGO_B_LIMIT;
    if (find_id(s, uri))
        return json_schema_wrong(b, s, "Reference already exists: \"%.*s\"", VS_FMT(uri));
    if (s->n_ids == s->room) {
        size_t room = s->room ? 2 * s->room : 8;
        json_schema_id *ids = vs_grow(b->a, s->ids, s->room, room, sizeof *ids);
        if (!ids)
            return REGO_B_LIMIT;
        s->ids = ids;
        s->room = room;
    }
    *index = s->n_ids;
    s->ids[s->n_ids++] = (json_schema_id){.uri = uri};
    return REGO_B_OK;
}

static rego_bres wrong_uri(rego_bctx *b, json_schema *s, vs_span text, vs_span bad)
{
    return json_schema_wrong(b, s, "parse \"%.*s\": invalid URL escape \"%.*s\"", VS_FMT(text),
                             VS_FMT(bad));
}

static rego_bres absolute(rego_bctx *b, json_schema *s, vs_span base, vs_span ref, vs_span *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(3 * URI_MAX);
    vs_span bad = bad_escape(ref);
    if (bad.n)
        return wrong_uri(b, s, ref, bad);
    if (has_control(ref))
        return json_schema_wrong(b, s, "a URI has an invalid control character");
    if (ref.n > URI_MAX / 4 || !rego_charge(b, 4 + (base.n + ref.n) / 8))
        return REGO_B_LIMIT;
    put_resolved(&text, base, ref);
    *out = vs_dup(b->a, vs_buf_span(&text));
    return vs_buf_ok(&text) && vs_arena_ok(b->a) ? REGO_B_OK : REGO_B_LIMIT;
}

/* Names under these are not keywords. */
static bool names_things(vs_span key)
{
    return vs_span_is(key, "properties") || vs_span_is(key, "patternProperties") ||
           vs_span_is(key, "dependencies");
}

static rego_bres locate(rego_bctx *b, json_schema *s, vs_val v, vs_span base, bool is_schema,
                        vs_val *out);

static rego_bres locate_members(rego_bctx *b, json_schema *s, vs_val v, vs_span base,
                                bool is_schema, vs_val *out)
{
    vs_obj o = {.a = b->a};
    for (VS_OBJ_FOR (p, v)) {
        vs_span key = vs_text(p->key);
        vs_val val = p->val;
        rego_bres res = REGO_B_OK;
        if (!is_schema) {
            res = locate(b, s, p->val, base, true, &val);
        } else if (vs_span_is(key, "$ref") && val.kind == VS_STRING) {
            vs_span uri;
            res = absolute(b, s, base, vs_text(val), &uri);
            val = vs_string(uri);
        } else if (!vs_span_is(key, "const") && !vs_span_is(key, "enum")) {
            res = locate(b, s, p->val, base, !names_things(key) || p->val.kind != VS_OBJECT, &val);
        }
        if (res != REGO_B_OK)
            return res;
        vs_obj_add(&o, p->key, val);
    }
    *out = vs_obj_end(&o, VS_DUP_LAST, NULL);
    return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
}

static rego_bres locate(rego_bctx *b, json_schema *s, vs_val v, vs_span base, bool is_schema,
                        vs_val *out)
{
    *out = v;
    if (!vs_is_collection(v) || v.len == 0)
        return REGO_B_OK;
    if (!rego_charge(b, 1 + v.len))
        return REGO_B_LIMIT;
    if (v.kind == VS_ARRAY) {
        vs_vec list = {.a = b->a};
        for (VS_ARR_FOR (x, v)) {
            vs_val val;
            rego_bres res = locate(b, s, *x, base, true, &val);
            if (res != REGO_B_OK)
                return res;
            vs_vec_add(&list, val);
        }
        *out = vs_vec_end_array(&list);
        return vs_defined(*out) ? REGO_B_OK : REGO_B_LIMIT;
    }
    vs_val id = vs_getc(v, "id");
    if (!vs_defined(id) || s->draft > DRAFT_4)
        id = s->draft == DRAFT_4 ? vs_undefined() : vs_getc(v, "$id");
    size_t index = SIZE_MAX;
    if (is_schema && id.kind == VS_STRING) {
        rego_bres res = absolute(b, s, base, vs_text(id), &base);
        if (res == REGO_B_OK && base.n) /* "" is the root's already */
            res = add_id(b, s, base, &index);
        if (res != REGO_B_OK)
            return res;
    }
    rego_bres res = locate_members(b, s, v, base, is_schema, out);
    if (res == REGO_B_OK && index != SIZE_MAX)
        s->ids[index].schema = *out;
    return res;
}

rego_bres json_schema_locate(rego_bctx *b, vs_val plain, json_schema *s)
{
    size_t root;
    vs_span draft = vs_text(vs_getc(plain, "$schema")), bad = bad_escape(draft);
    if (bad.n)
        return wrong_uri(b, s, draft, bad);
    rego_bres res = add_id(b, s, VS_LIT(""), &root);
    if (res == REGO_B_OK)
        res = locate(b, s, plain, VS_LIT(""), true, &s->root);
    if (res == REGO_B_OK)
        s->ids[root].schema = s->root;
    return res;
}

/* ---- resolving ---------------------------------------------------------------------------------
 */

/* One segment of a pointer, with its URI and pointer escapes undone. */
static vs_span segment_text(vs_arena *a, vs_span s)
{
    uint8_t *to = vs_alloc(a, s.n + 1);
    size_t n = 0, kept = 0;
    for (size_t i = 0; to && i < s.n; i++) {
        bool escaped = s.p[i] == '%' && i + 2 < s.n; /* absolute() has seen that they are good */
        to[n++] = escaped ? (uint8_t)(nibble(s.p[i + 1]) << 4 | nibble(s.p[i + 2])) : s.p[i];
        i += escaped ? 2 : 0;
    }
    for (size_t i = 0; i < n; i++) {
        bool escaped = to[i] == '~' && i + 1 < n && (to[i + 1] == '0' || to[i + 1] == '1');
        to[kept++] = escaped && to[i + 1] == '1' ? '/' : to[i];
        i += escaped;
    }
    return vs_span_of(to, kept);
}

static rego_bres step(rego_bctx *b, json_schema *s, vs_span name, vs_val *v)
{
    if (v->kind == VS_OBJECT) {
        *v = vs_get(*v, name);
        return vs_defined(*v) ? REGO_B_OK
                              : json_schema_wrong(b, s, "Object has no key '%.*s'", VS_FMT(name));
    }
    if (v->kind != VS_ARRAY)
        return json_schema_wrong(b, s, "Invalid token reference '%.*s'", VS_FMT(name));
    uint64_t i = 0;
    bool good = name.n > 0 && name.n < 10;
    for (size_t k = 0; k < name.n && good; k++) {
        good = name.p[k] >= '0' && name.p[k] <= '9';
        i = 10 * i + (name.p[k] - '0');
    }
    if (!good || i >= v->len)
        return json_schema_wrong(b, s, "Out of bound array[0,%u] index '%.*s'", v->len,
                                 VS_FMT(name));
    *v = v->u.items[i];
    return REGO_B_OK;
}

static bool is_canonical(vs_span ref)
{
    uri_parts u = split(ref);
    return u.scheme.n && (u.authority.n || vs_span_is(u.scheme, "file"));
}

rego_bres json_schema_resolve(rego_bctx *b, json_schema *s, vs_span ref, vs_val *out)
{
    vs_span pointer;
    bool has_pointer, more;
    if (!rego_charge(b, 4 + s->n_ids / 2 + ref.n / 8))
        return REGO_B_LIMIT;
    const json_schema_id *at = find_id(s, ref);
    if (at) {
        *out = at->schema;
        return REGO_B_OK;
    }
    vs_span document = vs_span_cut(ref, '#', &pointer, &has_pointer);
    at = find_id(s, document);
    if (!at)
        return is_canonical(ref)
                   ? json_schema_wrong(b, s, "remote reference to '%.*s' is not allowed",
                                       VS_FMT(ref))
                   : json_schema_wrong(b, s, "Reference %.*s must be canonical", VS_FMT(ref));
    *out = at->schema;
    if (pointer.n && pointer.p[0] != '/')
        return json_schema_wrong(b, s, "there is no schema with the name '#%.*s'", VS_FMT(pointer));
    if (pointer.n == 0)
        return REGO_B_OK;
    for (vs_span rest = vs_span_from(pointer, 1);;) {
        vs_span name = segment_text(b->a, vs_span_cut(rest, '/', &rest, &more));
        if (!vs_arena_ok(b->a))
            return REGO_B_LIMIT;
        rego_bres res = step(b, s, name, out);
        if (res != REGO_B_OK || !more)
            return res;
    }
}
