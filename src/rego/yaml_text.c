/* SPDX-License-Identifier: Apache-2.0 */
/* Reading YAML: libyaml's events as values. */
#include "rego/yaml_text.h"

#include <yaml.h>

#include "base/enc.h"
#include "rego/civil.h"
#include "rego/time_layout.h"
#include "rego/yaml_scalar.h"

enum { DEPTH_MAX = 100, TEXT_MAX = 1 << 20, NOT_YET = SIZE_MAX };

static const char tag_prefix[] = "tag:yaml.org,2002:";

typedef struct anchor {
    vs_span name;
    vs_val value; /* undefined until the anchored node is complete */
} anchor;

typedef struct reader {
    rego_bctx *b;
    yaml_parser_t p;
    anchor *anchors;
    size_t n_anchors, room;
    rego_bres failed; /* REGO_B_OK: a fault of the text, which libyaml describes */
} reader;

static bool fault(reader *r, rego_bres res)
{
    if (r->failed == REGO_B_OK)
        r->failed = res;
    return false;
}

static bool next(reader *r, yaml_event_t *e)
{
    if (!rego_charge(r->b, 4) || !vs_arena_ok(r->b->a))
        return fault(r, REGO_B_LIMIT);
    if (yaml_parser_parse(&r->p, e) == 1)
        return true;
    return r->p.error == YAML_MEMORY_ERROR ? fault(r, REGO_B_LIMIT) : false;
}

/* ---- anchors -----------------------------------------------------------------------------------
 */

/* Opens an anchor; NOT_YET in *index when the node has none. */
static bool open_anchor(reader *r, const yaml_char_t *name, size_t *index)
{
    *index = NOT_YET;
    if (!name)
        return true;
    if (r->n_anchors == r->room) {
        size_t room = r->room ? 2 * r->room : 16;
        anchor *all = vs_grow(r->b->a, r->anchors, r->room, room, sizeof *all);
        if (!all)
            return fault(r, REGO_B_LIMIT);
        r->anchors = all;
        r->room = room;
    }
    *index = r->n_anchors;
    r->anchors[r->n_anchors++] = (anchor){.name = vs_dup(r->b->a, vs_str((const char *)name))};
    return vs_arena_ok(r->b->a) || fault(r, REGO_B_LIMIT);
}

/* The value of the latest anchor of that name. */
static bool recall(reader *r, const char *name, vs_val *out)
{
    size_t i = r->n_anchors;
    while (i > 0 && !vs_span_is(r->anchors[i - 1].name, name))
        i--;
    if (!rego_charge(r->b, (r->n_anchors - i) / 4))
        return fault(r, REGO_B_LIMIT);
    if (i == 0)
        return fault(r, rego_error(r->b, "yaml: unknown anchor '%.80s' referenced", name));
    *out = r->anchors[i - 1].value;
    if (!vs_defined(*out))
        return fault(r, rego_error(r->b, "yaml: anchor '%.80s' value contains itself", name));
    return rego_charge(r->b, vs_weight(*out)) || fault(r, REGO_B_LIMIT);
}

/* ---- scalars -----------------------------------------------------------------------------------
 */

static bool string_of(reader *r, vs_span s, vs_val *out)
{
    *out = vs_string_dup(r->b->a, s);
    return vs_defined(*out) || fault(r, REGO_B_LIMIT);
}

static bool cannot_decode(reader *r, yaml_kind kind, vs_span s, const char *tag)
{
    return fault(r, rego_error(r->b, "yaml: cannot decode !!%s `%.*s` as a !!%s",
                               yaml_kind_name(kind), VS_FMT(vs_span_head(s, 80)), tag));
}

static bool not_finite(reader *r, vs_val v)
{
    vs_span s = vs_text(v);
    return fault(r, rego_error(r->b, "json: unsupported value: %s",
                               vs_span_is(s, ".nan")   ? "NaN"
                               : vs_span_is(s, ".inf") ? "+Inf"
                                                       : "-Inf"));
}

static bool binary(reader *r, vs_span s, vs_val *out)
{
    vs_span bytes;
    if (vs_b64_decode_arena(r->b->a, VS_B64_STD, s, &bytes, NULL) != VS_OK)
        return vs_arena_ok(r->b->a)
                   ? fault(r, rego_error(r->b, "yaml: !!binary value contains invalid base64 data"))
                   : fault(r, REGO_B_LIMIT);
    return string_of(r, vs_utf8_scrub(r->b->a, bytes), out);
}

static bool time_text(reader *r, vs_span s, vs_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(128);
    const rego_zone utc = {0};
    int64_t seconds;
    int ns;
    vs_val ignored;
    if (!yaml_is_time(s, &seconds, &ns))
        return cannot_decode(r, yaml_resolve(r->b->a, s, &ignored), s, "timestamp");
    if (s.n > 11 && (memchr(s.p + 10, '+', s.n - 10) || memchr(s.p + 10, '-', s.n - 10)))
        return fault(r, rego_error(r->b, "yaml: a !!timestamp with an offset is not supported"));
    civil c = civil_of_seconds(seconds, ns);
    layout_format(&text, VS_LIT("2006-01-02T15:04:05.999999999Z07:00"), &c, &utc);
    return vs_buf_ok(&text) ? string_of(r, vs_buf_span(&text), out) : fault(r, REGO_B_LIMIT);
}

/* A scalar with one of the tags !!int, !!float, !!bool, !!null, !!binary and !!timestamp. */
static bool tagged(reader *r, vs_span s, const char *tag, vs_val *out, bool *done)
{
    vs_val v;
    *done = true;
    if (strcmp(tag, "binary") == 0)
        return binary(r, s, out);
    if (strcmp(tag, "timestamp") == 0)
        return time_text(r, s, out);
    *done = strcmp(tag, "int") == 0 || strcmp(tag, "float") == 0 || strcmp(tag, "bool") == 0 ||
            strcmp(tag, "null") == 0;
    if (!*done)
        return true;
    yaml_kind kind = yaml_resolve(r->b->a, s, &v);
    bool fits = strcmp(tag, yaml_kind_name(kind)) == 0 ||
                (kind == YAML_IS_INT && strcmp(tag, "float") == 0);
    if (!fits)
        return cannot_decode(r, kind, s, tag);
    if (kind == YAML_IS_NOT_FINITE)
        return not_finite(r, v);
    *out = v;
    return true;
}

static bool is_plain(const yaml_event_t *e)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool read_scalar(reader *r, const yaml_event_t *e, bool is_key, vs_val *out)
{
    vs_span s = vs_span_of(e->data.scalar.value, e->data.scalar.length);
    const char *tag = (const char *)e->data.scalar.tag;
    bool done;
    vs_val v;
    if (!rego_charge(r->b, s.n / 8))
        return fault(r, REGO_B_LIMIT);
    if (tag && strncmp(tag, tag_prefix, sizeof tag_prefix - 1) == 0) {
        if (!tagged(r, s, tag + sizeof tag_prefix - 1, out, &done))
            return false;
        if (done)
            return true;
    }
    bool untagged_plain = is_plain(e) && (!tag || strcmp(tag, "!") == 0);
    yaml_kind kind = untagged_plain ? yaml_resolve(r->b->a, s, &v) : YAML_IS_STRING;
    if (kind == YAML_IS_NOT_FINITE && !is_key)
        return not_finite(r, v);
    if (kind == YAML_IS_STRING || kind == YAML_IS_MERGE)
        return string_of(r, s, out);
    *out = v;
    return true;
}

/* ---- collections -------------------------------------------------------------------------------
 */

static bool read_value(reader *r, yaml_event_t *e, unsigned depth, bool is_key, vs_val *out);

static bool read_sequence(reader *r, unsigned depth, vs_val *out)
{
    vs_vec items = {.a = r->b->a};
    for (;;) {
        yaml_event_t e;
        vs_val v;
        if (!next(r, &e))
            return false;
        if (e.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&e);
            break;
        }
        if (!read_value(r, &e, depth, false, &v))
            return false;
        vs_vec_add(&items, v);
    }
    *out = vs_vec_end_array(&items);
    return vs_defined(*out) || fault(r, REGO_B_LIMIT);
}

/* Keys are texts: those of other types get theirs. */
static bool key_text(reader *r, vs_val key, vs_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    *out = key;
    switch ((vs_kind)key.kind) {
    case VS_STRING: return true;
    case VS_BOOL: vs_buf_puts(&text, key.u.b ? "true" : "false"); break;
    case VS_NUMBER: rego_put_yaml_number(&text, r->b->a, key); break;
    case VS_NULL: return fault(r, rego_error(r->b, "yaml: invalid map key: null"));
    default:
        return fault(
            r, rego_error(r->b, "yaml: invalid map key: %s", vs_kind_name((vs_kind)key.kind)));
    }
    return vs_buf_ok(&text) ? string_of(r, vs_buf_span(&text), out) : fault(r, REGO_B_LIMIT);
}

/* The members of a mapping, or of several, of which the first that has a name counts. */
static bool merge(reader *r, vs_obj *into, vs_val from, bool is_alias)
{
    bool good = from.kind == VS_OBJECT || (from.kind == VS_ARRAY && !is_alias);
    for (uint32_t i = 0; from.kind == VS_ARRAY && i < from.len; i++)
        good &= from.u.items[i].kind == VS_OBJECT;
    if (!good)
        return fault(r, rego_error(r->b, "yaml: map merge requires map or sequence of maps as the "
                                         "value"));
    for (uint32_t i = 0; from.kind == VS_ARRAY && i < from.len; i++)
        for (VS_OBJ_FOR (p, from.u.items[i]))
            vs_obj_add(into, p->key, p->val);
    if (from.kind == VS_OBJECT)
        for (VS_OBJ_FOR (p, from))
            vs_obj_add(into, p->key, p->val);
    return rego_charge(r->b, from.len) || fault(r, REGO_B_LIMIT);
}

/* "<<" without quotes, and without a tag that makes it another key. */
static bool is_merge_key(const yaml_event_t *e)
{
    if (!is_plain(e) || !vs_span_is(vs_span_of(e->data.scalar.value, e->data.scalar.length), "<<"))
        return false;
    const char *tag = (const char *)e->data.scalar.tag;
    return !tag || strcmp(tag, "tag:yaml.org,2002:merge") == 0;
}

static bool read_mapping(reader *r, unsigned depth, vs_val *out)
{
    vs_obj own = {.a = r->b->a}, merged = {.a = r->b->a}, all = {.a = r->b->a};
    for (;;) {
        yaml_event_t e;
        vs_val key, value;
        if (!next(r, &e))
            return false;
        if (e.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&e);
            break;
        }
        bool merging = is_merge_key(&e);
        if (!read_value(r, &e, depth, true, &key) || !key_text(r, key, &key) || !next(r, &e))
            return false;
        bool is_alias = e.type == YAML_ALIAS_EVENT;
        if (!read_value(r, &e, depth, false, &value))
            return false;
        if (merging && !merge(r, &merged, value, is_alias))
            return false;
        if (!merging)
            vs_obj_add(&own, key, value);
    }
    for (size_t i = merged.n; i > 0; i--)
        vs_obj_add(&all, merged.pairs[i - 1].key, merged.pairs[i - 1].val);
    for (size_t i = 0; i < own.n; i++)
        vs_obj_add(&all, own.pairs[i].key, own.pairs[i].val);
    *out = vs_obj_end(&all, VS_DUP_LAST, NULL);
    return vs_defined(*out) || fault(r, REGO_B_LIMIT);
}

static bool read_node(reader *r, const yaml_event_t *e, unsigned depth, bool is_key, vs_val *out)
{
    size_t index = NOT_YET;
    const yaml_char_t *name = e->type == YAML_SCALAR_EVENT           ? e->data.scalar.anchor
                              : e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.anchor
                              : e->type == YAML_MAPPING_START_EVENT  ? e->data.mapping_start.anchor
                                                                     : NULL;
    *out = vs_undefined();
    if (depth >= DEPTH_MAX)
        return fault(r, REGO_B_LIMIT);
    if (!open_anchor(r, name, &index))
        return false;
    bool ok = false;
    switch (e->type) {
    case YAML_SCALAR_EVENT: ok = read_scalar(r, e, is_key, out); break;
    case YAML_ALIAS_EVENT: ok = recall(r, (const char *)e->data.alias.anchor, out); break;
    case YAML_SEQUENCE_START_EVENT: ok = read_sequence(r, depth + 1, out); break;
    case YAML_MAPPING_START_EVENT: ok = read_mapping(r, depth + 1, out); break;
    default: break;
    }
    if (ok && index != NOT_YET)
        r->anchors[index].value = *out;
    return ok && (vs_arena_ok(r->b->a) || fault(r, REGO_B_LIMIT));
}

/* Consumes the event. */
static bool read_value(reader *r, yaml_event_t *e, unsigned depth, bool is_key, vs_val *out)
{
    bool ok = read_node(r, e, depth, is_key, out);
    yaml_event_delete(e);
    return ok;
}

/* ---- the stream --------------------------------------------------------------------------------
 */

/* The start of a document: the first may do without "---". */
static bool may_start(reader *r, const yaml_event_t *e, bool first)
{
    const yaml_version_directive_t *v = e->data.document_start.version_directive;
    if (v && (v->major != 1 || v->minor != 1))
        return fault(r, rego_error(r->b, "yaml: found incompatible YAML document"));
    if (!first && e->data.document_start.implicit)
        return fault(r, rego_error(r->b, "yaml: line %zu: did not find expected <document start>",
                                   e->start_mark.line));
    return true;
}

/* All documents must be good; the first is the value. Anchors live on from one to the next. */
static bool read_stream(reader *r, vs_val *out)
{
    *out = vs_undefined();
    for (bool end = false; !end;) {
        yaml_event_t e;
        vs_val v;
        bool ok = next(r, &e);
        if (!ok)
            return false;
        switch (e.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT: break;
        case YAML_STREAM_END_EVENT: end = true; break;
        case YAML_DOCUMENT_START_EVENT: ok = may_start(r, &e, !vs_defined(*out)); break;
        default:
            ok = read_node(r, &e, 0, false, &v);
            if (ok && !vs_defined(*out))
                *out = v;
        }
        yaml_event_delete(&e);
        if (!ok)
            return false;
    }
    if (!vs_defined(*out))
        *out = vs_null();
    return true;
}

/* What libyaml says. The line is the one that Go names: none when it is the first. */
static rego_bres syntax_error(const reader *r)
{
    size_t line = r->p.problem_mark.line;
    const char *what = r->p.problem ? r->p.problem : "unexpected content";
    if (line && r->p.error == YAML_SCANNER_ERROR)
        line++;
    if (!line)
        line = r->p.context_mark.line;
    return line ? rego_error(r->b, "yaml: line %zu: %s", line, what)
                : rego_error(r->b, "yaml: %s", what);
}

rego_bres rego_yaml_parse(rego_bctx *b, vs_span text, vs_val *out)
{
    reader r = {.b = b};
    if (!rego_charge(b, text.n / 4) || !yaml_parser_initialize(&r.p))
        return REGO_B_LIMIT;
    yaml_parser_set_input_string(&r.p, text.p ? text.p : (const uint8_t *)"", text.n);
    yaml_parser_set_encoding(&r.p, YAML_UTF8_ENCODING);
    rego_bres res = REGO_B_OK;
    if (!read_stream(&r, out))
        res = r.failed != REGO_B_OK ? r.failed : syntax_error(&r);
    yaml_parser_delete(&r.p);
    return vs_arena_ok(b->a) ? res : REGO_B_LIMIT;
}
