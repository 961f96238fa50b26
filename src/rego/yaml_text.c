/* SPDX-License-Identifier: Apache-2.0 */
#include "rego/yaml_text.h"

#include <yaml.h>

#include "value/json.h"
#include "value/number.h"

enum { DEPTH_MAX = 100, ANCHORS_MAX = 1024 };

/* ---- plain scalars -----------------------------------------------------------------------------
 */

static bool one_of(vs_span s, const char *const *words)
{
    for (; *words; words++)
        if (vs_span_is(s, *words))
            return true;
    return false;
}

static bool is_null(vs_span s)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
    return one_of(s, words);
}

static bool is_bool(vs_span s, bool *out)
{
    static const char *const yes[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON",  NULL};
    static const char *const no[] = {"n",     "N",     "no",  "No",  "NO",  "false",
                                     "False", "FALSE", "off", "Off", "OFF", NULL};
    *out = one_of(s, yes);
    return *out || one_of(s, no);
}

/* 0x1f, 0b101, 0o17, 017 */
static vs_val based_integer(vs_arena *a, vs_span s)
{
    int base = 0;
    bool negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = vs_span_from(s, 1);
    if (s.n < 2 || s.p[0] != '0')
        return vs_undefined();
    switch (s.p[1]) {
    case 'x':
    case 'X': base = 16; break;
    case 'b':
    case 'B': base = 2; break;
    case 'o':
    case 'O': base = 8; break;
    default:
        base = 8;
        s.p--;
        s.n++;
        break; /* 017: as if 0o17 */
    }
    s = vs_span_from(s, 2);
    if (s.n == 0 || s.p[0] == '-' || s.p[0] == '+')
        return vs_undefined();
    for (size_t i = 0; i < s.n; i++)
        if (base == 8 && (s.p[i] < '0' || s.p[i] > '7'))
            return vs_undefined();
    vs_val v = vs_num_parse_base(a, s, base, NULL);
    return negative && vs_defined(v) ? vs_num_neg(a, v) : v;
}

/* [-+]? (digits [. digits*] | . digits+) [exponent], with underscores between digits. */
static vs_val decimal(vs_arena *a, vs_span s)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8192);
    size_t at = 0, digits = 0;
    if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
        if (s.p[at++] == '-')
            vs_buf_putc(&text, '-');
    if (at < s.n && s.p[at] == '.')
        vs_buf_putc(&text, '0');
    bool point = false, exponent = false;
    for (; at < s.n; at++) {
        uint8_t c = s.p[at];
        if (c >= '0' && c <= '9') {
            digits++;
        } else if (c == '_' && digits) {
            continue;
        } else if (c == '.' && !point && !exponent) {
            point = true;
            if (at + 1 >= s.n || s.p[at + 1] < '0' || s.p[at + 1] > '9')
                continue; /* "1." */
        } else if ((c == 'e' || c == 'E') && digits && !exponent) {
            exponent = true;
            vs_buf_putc(&text, 'e');
            if (at + 1 < s.n && (s.p[at + 1] == '-' || s.p[at + 1] == '+'))
                vs_buf_putc(&text, (char)s.p[++at]);
            continue;
        } else {
            return vs_undefined();
        }
        vs_buf_putc(&text, (char)c);
    }
    return digits ? vs_num_parse(a, vs_buf_span(&text), NULL) : vs_undefined();
}

static vs_val plain(vs_arena *a, vs_span s)
{
    bool yes;
    if (is_null(s))
        return vs_null();
    if (is_bool(s, &yes))
        return vs_bool(yes);
    vs_val v = based_integer(a, s);
    if (!vs_defined(v))
        v = decimal(a, s);
    return vs_defined(v) ? v : vs_string_dup(a, s);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

typedef struct anchor {
    vs_span name;
    vs_val value;
} anchor;

typedef struct reader {
    rego_bctx *b;
    yaml_parser_t p;
    anchor *anchors;
    size_t n_anchors;
    rego_bres failed; /* REGO_B_OK: a fault of the text */
} reader;

static bool next(reader *r, yaml_event_t *e)
{
    if (!rego_charge(r->b, 4) || !vs_arena_ok(r->b->a)) {
        r->failed = REGO_B_LIMIT;
        return false;
    }
    return yaml_parser_parse(&r->p, e) == 1;
}

static void remember(reader *r, const yaml_char_t *name, vs_val v)
{
    if (!name || r->n_anchors == ANCHORS_MAX)
        return;
    r->anchors[r->n_anchors++] = (anchor){vs_dup(r->b->a, vs_str((const char *)name)), v};
}

/* The latest of that name. */
static vs_val recall(const reader *r, const yaml_char_t *name)
{
    for (size_t i = r->n_anchors; i > 0; i--)
        if (vs_span_is(r->anchors[i - 1].name, (const char *)name))
            return r->anchors[i - 1].value;
    return vs_undefined();
}

static bool read_value(reader *r, yaml_event_t *e, unsigned depth, vs_val *out);

static vs_val scalar(const reader *r, const yaml_event_t *e)
{
    vs_span s = vs_span_of(e->data.scalar.value, e->data.scalar.length);
    const char *tag = (const char *)e->data.scalar.tag;
    bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (tag ? strcmp(tag, "tag:yaml.org,2002:str") == 0 || !e->data.scalar.plain_implicit
            : !is_plain)
        return vs_string_dup(r->b->a, s);
    return plain(r->b->a, s);
}

static bool read_sequence(reader *r, unsigned depth, vs_val *out)
{
    vs_vec items = {.a = r->b->a};
    for (;;) {
        yaml_event_t e;
        vs_val v;
        if (!next(r, &e))
            return false;
        if (e.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (!read_value(r, &e, depth, &v))
            return false;
        vs_vec_add(&items, v);
    }
    *out = vs_vec_end_array(&items);
    return vs_defined(*out);
}

/* Keys are texts: those of other types get theirs. */
static vs_val key_text(vs_arena *a, vs_val key)
{
    if (key.kind == VS_STRING)
        return key;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 16);
    vs_json_print(&text, key);
    return vs_string_dup(a, vs_buf_span(&text));
}

/* "<<": the members of another mapping, or of several, below those written here. */
static void merge(vs_obj *into, vs_val from)
{
    if (from.kind == VS_ARRAY)
        for (uint32_t i = from.len; i > 0; i--)
            merge(into, from.u.items[i - 1].kind == VS_OBJECT ? from.u.items[i - 1] : vs_null());
    if (from.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, from))
            vs_obj_add(into, p->key, p->val);
}

static bool read_mapping(reader *r, unsigned depth, vs_val *out)
{
    vs_obj o = {.a = r->b->a}, merged = {.a = r->b->a};
    for (;;) {
        yaml_event_t e;
        vs_val key, value;
        if (!next(r, &e))
            return false;
        if (e.type == YAML_MAPPING_END_EVENT)
            break;
        if (!read_value(r, &e, depth, &key) || !next(r, &e) || !read_value(r, &e, depth, &value))
            return false;
        if (vs_span_is(vs_text(key), "<<") && value.kind != VS_STRING)
            merge(&merged, value);
        else
            vs_obj_add(&o, key_text(r->b->a, key), value);
    }
    for (size_t i = 0; i < o.n; i++)
        vs_obj_add(&merged, o.pairs[i].key, o.pairs[i].val);
    *out = vs_obj_end(&merged, VS_DUP_LAST, NULL);
    return vs_defined(*out);
}

/* Consumes the event. */
static bool read_value(reader *r, yaml_event_t *e, unsigned depth, vs_val *out)
{
    bool ok = depth < DEPTH_MAX;
    *out = vs_undefined();
    if (!ok)
        r->failed = REGO_B_LIMIT;
    switch (ok ? e->type : YAML_NO_EVENT) {
    case YAML_SCALAR_EVENT:
        *out = scalar(r, e);
        remember(r, e->data.scalar.anchor, *out);
        break;
    case YAML_ALIAS_EVENT:
        *out = recall(r, e->data.alias.anchor);
        if (!rego_charge(r->b, vs_weight(*out)))
            r->failed = REGO_B_LIMIT;
        break;
    case YAML_SEQUENCE_START_EVENT:
        ok = read_sequence(r, depth + 1, out);
        remember(r, e->data.sequence_start.anchor, *out);
        break;
    case YAML_MAPPING_START_EVENT:
        ok = read_mapping(r, depth + 1, out);
        remember(r, e->data.mapping_start.anchor, *out);
        break;
    default: ok = false;
    }
    yaml_event_delete(e);
    if (!vs_arena_ok(r->b->a))
        r->failed = REGO_B_LIMIT;
    return ok && vs_defined(*out) && r->failed == REGO_B_OK;
}

static bool read_document(reader *r, vs_val *out)
{
    for (;;) {
        yaml_event_t e;
        if (!next(r, &e))
            return false;
        switch (e.type) {
        case YAML_STREAM_END_EVENT: *out = vs_null(); return true;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT: yaml_event_delete(&e); continue;
        default: return read_value(r, &e, 0, out);
        }
    }
}

rego_bres rego_yaml_parse(rego_bctx *b, vs_span text, vs_val *out)
{
    reader r = {.b = b, .anchors = vs_alloc_array(b->a, ANCHORS_MAX, sizeof *r.anchors)};
    if (!r.anchors || !rego_charge(b, text.n / 4))
        return REGO_B_LIMIT;
    if (!yaml_parser_initialize(&r.p))
        return REGO_B_LIMIT;
    yaml_parser_set_input_string(&r.p, text.p ? text.p : (const uint8_t *)"", text.n);
    yaml_parser_set_encoding(&r.p, YAML_UTF8_ENCODING);
    rego_bres res = REGO_B_OK;
    if (!read_document(&r, out)) {
        res = r.failed != REGO_B_OK ? r.failed
                                    : rego_error(b, "yaml: line %zu: %s", r.p.problem_mark.line + 1,
                                                 r.p.problem ? r.p.problem : "unexpected content");
    }
    yaml_parser_delete(&r.p);
    return res;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

typedef struct writer {
    yaml_emitter_t e;
    vs_buf *out;
} writer;

static int append(void *user, unsigned char *bytes, size_t n)
{
    vs_buf *out = user;
    vs_buf_put(out, vs_span_of(bytes, n));
    return vs_buf_ok(out);
}

static bool emit(writer *w, yaml_event_t *e)
{
    return yaml_emitter_emit(&w->e, e) == 1;
}

/* A string that would be read as something else is quoted; one with line breaks is a block. */
static yaml_scalar_style_t style_of(vs_arena *a, vs_span s)
{
    if (s.n && memchr(s.p, '\n', s.n))
        return YAML_LITERAL_SCALAR_STYLE;
    return plain(a, s).kind == VS_STRING ? YAML_PLAIN_SCALAR_STYLE
                                         : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
}

static bool put_scalar(writer *w, vs_arena *a, vs_val v)
{
    yaml_event_t e;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;
    vs_span s = vs_text(v);
    if (v.kind == VS_STRING) {
        style = style_of(a, s);
    } else {
        vs_json_print(&text, v);
        s = vs_buf_span(&text);
    }
    static const yaml_char_t empty[1] = {0};
    return yaml_scalar_event_initialize(&e, NULL, NULL, s.n ? (const yaml_char_t *)s.p : empty,
                                        (int)s.n, 1, 1, style) == 1 &&
           emit(w, &e);
}

static bool put_value(writer *w, vs_arena *a, vs_val v)
{
    yaml_event_t e;
    if (v.kind == VS_OBJECT) {
        if (!yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) ||
            !emit(w, &e))
            return false;
        for (VS_OBJ_FOR (p, v))
            if (!put_scalar(w, a, key_text(a, p->key)) || !put_value(w, a, p->val))
                return false;
        return yaml_mapping_end_event_initialize(&e) == 1 && emit(w, &e);
    }
    if (v.kind == VS_ARRAY || v.kind == VS_SET) {
        if (!yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE) ||
            !emit(w, &e))
            return false;
        for (VS_ARR_FOR (i, v))
            if (!put_value(w, a, *i))
                return false;
        return yaml_sequence_end_event_initialize(&e) == 1 && emit(w, &e);
    }
    return put_scalar(w, a, v);
}

rego_bres rego_yaml_print(rego_bctx *b, vs_val v, vs_buf *out)
{
    writer w = {.out = out};
    yaml_event_t e;
    if (!rego_charge(b, vs_weight(v)) || !yaml_emitter_initialize(&w.e))
        return REGO_B_LIMIT;
    yaml_emitter_set_output(&w.e, append, out);
    yaml_emitter_set_unicode(&w.e, 1);
    yaml_emitter_set_width(&w.e, -1);
    bool ok = yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING) && emit(&w, &e) &&
              yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1) && emit(&w, &e) &&
              put_value(&w, b->a, v) && yaml_document_end_event_initialize(&e, 1) && emit(&w, &e) &&
              yaml_stream_end_event_initialize(&e) && emit(&w, &e);
    yaml_emitter_delete(&w.e);
    if (!vs_buf_ok(out))
        return REGO_B_LIMIT;
    return ok ? REGO_B_OK : rego_error(b, "yaml: the value cannot be written");
}
