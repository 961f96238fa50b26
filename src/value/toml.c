/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables, keys and the rules on defining things once (TOML 1.0, "Table", "Inline Table", "Array of
 * Tables"). Values are built at once; tables stay open until the end of the text.
 */
#include "value/toml_text.h"

#include "base/io.h"

enum { DEPTH_MAX = 32, KEY_PARTS_MAX = DEPTH_MAX };

/* How a table came to be decides who may add to it. */
typedef enum origin {
    IMPLIED, /* a parent of a [header]: may get its own header once */
    HEADER,  /* by [header], [[header]] or as the root: closed to other headers and dotted keys */
    DOTTED,  /* by a dotted key: open to dotted keys of the same section, and to [sub.headers] */
} origin;

typedef struct entry entry;

typedef struct table {
    entry *root; /* a treap by key: logarithmic whatever the keys are */
    entry *first, *last;
    origin from;
    unsigned depth;
} table;

typedef enum entry_kind { VALUE, TABLE, TABLES } entry_kind;

struct entry {
    vs_span key;
    size_t defined_at; /* offset, for messages */
    entry *left, *right, *next;
    uint64_t priority;
    entry_kind kind;
    vs_val val;     /* VALUE: also finished inline tables and arrays */
    table **tables; /* TABLE: one; TABLES: n of them */
    size_t n, room;
};

typedef struct key {
    vs_span part[KEY_PARTS_MAX];
    size_t n, at; /* offset of the first part */
} key;

/* ---- the tree of tables ---------------------------------------------------------------------- */

static entry *find(const table *in, vs_span name)
{
    for (entry *e = in->root; e;) {
        int c = vs_span_cmp(name, e->key);
        if (c == 0)
            return e;
        e = c < 0 ? e->left : e->right;
    }
    return NULL;
}

static void insert(table *in, entry *e)
{
    entry **at = &in->root;
    while (*at && (*at)->priority >= e->priority)
        at = vs_span_cmp(e->key, (*at)->key) < 0 ? &(*at)->left : &(*at)->right;
    entry *below = *at, **smaller = &e->left, **greater = &e->right;
    while (below) {
        if (vs_span_cmp(below->key, e->key) < 0) {
            *smaller = below;
            smaller = &below->right;
            below = below->right;
        } else {
            *greater = below;
            greater = &below->left;
            below = below->left;
        }
    }
    *smaller = *greater = NULL;
    *at = e;
    if (in->last)
        in->last->next = e;
    else
        in->first = e;
    in->last = e;
}

static entry *add_entry(toml *t, table *in, vs_span name, size_t at, entry_kind kind)
{
    entry *e = VS_NEW(t->a, entry);
    if (!e)
        return NULL;
    t->dice ^= t->dice << 13; /* xorshift64 */
    t->dice ^= t->dice >> 7;
    t->dice ^= t->dice << 17;
    *e = (entry){.key = name, .defined_at = at, .priority = t->dice, .kind = kind};
    insert(in, e);
    return e;
}

/* Appends a new table to an entry of kind TABLE or TABLES. */
static vs_code add_table(toml *t, entry *e, origin from, unsigned depth, table **out)
{
    *out = e ? VS_NEW(t->a, table) : NULL;
    if (e && e->n == e->room) {
        e->room = e->room ? e->room * 2 : 1;
        e->tables = vs_grow(t->a, e->tables, e->n, e->room, sizeof(table *));
    }
    VS_TRY(vs_arena_check(t->a, t->err));
    **out = (table){.from = from, .depth = depth};
    e->tables[e->n++] = *out;
    return VS_OK;
}

static vs_val table_value(vs_arena *a, const table *from);

static vs_val entry_value(vs_arena *a, const entry *e)
{
    if (e->kind == VALUE)
        return e->val;
    if (e->kind == TABLE)
        return table_value(a, e->tables[0]);
    vs_vec list = {.a = a};
    for (size_t i = 0; i < e->n; i++)
        vs_vec_add(&list, table_value(a, e->tables[i]));
    return vs_vec_end_array(&list);
}

static vs_val table_value(vs_arena *a, const table *from)
{
    vs_obj o = {.a = a};
    for (const entry *e = from->first; e; e = e->next)
        vs_obj_add(&o, vs_string(e->key), entry_value(a, e));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static vs_code read_key(toml *t, key *k)
{
    *k = (key){.at = t->at};
    for (;;) {
        if (k->n == KEY_PARTS_MAX)
            return toml_fail(t, k->at, "the key has more than %d parts", KEY_PARTS_MAX);
        VS_TRY(toml_key_part(t, &k->part[k->n++]));
        toml_blank(t);
        if (toml_peek(t, 0) != '.')
            return VS_OK;
        t->at++;
        toml_blank(t);
    }
}

static const char *key_text(toml *t, const key *k, size_t parts)
{
    const char *text = "";
    for (size_t i = 0; i < parts; i++)
        text =
            vs_sprintf(t->a, "%s%s%.*s", text, i ? "." : "", VS_FMT(vs_span_head(k->part[i], 80)));
    return text;
}

static vs_code already(toml *t, const key *k, size_t parts, const entry *e)
{
    static const char *const what[] = {
        [VALUE] = "a value", [TABLE] = "a table", [TABLES] = "an array of tables"};
    return toml_fail(t, k->at, "\"%s\" is already %s (line %zu)", key_text(t, k, parts),
                     what[e->kind], toml_line_of(t, e->defined_at));
}

static vs_code step_down(toml *t, const key *k, size_t i, table *in, origin from, table **out)
{
    if (in->depth >= DEPTH_MAX)
        return toml_fail(t, k->at, "tables are nested deeper than %d", DEPTH_MAX);
    entry *e = add_entry(t, in, k->part[i], k->at, TABLE);
    return add_table(t, e, from, in->depth + 1, out);
}

/* ---- headers --------------------------------------------------------------------------------- */

/* The table that holds the last part of a header's key. */
static vs_code header_parent(toml *t, const key *k, table *root, table **out)
{
    table *in = root;
    for (size_t i = 0; i + 1 < k->n; i++) {
        entry *e = find(in, k->part[i]);
        if (!e) {
            VS_TRY(step_down(t, k, i, in, IMPLIED, &in));
            continue;
        }
        if (e->kind == VALUE)
            return already(t, k, i + 1, e);
        in = e->tables[e->n - 1]; /* of an array of tables: the newest */
    }
    *out = in;
    return VS_OK;
}

static vs_code open_table(toml *t, const key *k, table *parent, table **out)
{
    entry *e = find(parent, k->part[k->n - 1]);
    if (!e)
        return step_down(t, k, k->n - 1, parent, HEADER, out);
    if (e->kind != TABLE || e->tables[0]->from != IMPLIED)
        return already(t, k, k->n, e);
    *out = e->tables[0];
    (*out)->from = HEADER;
    e->defined_at = k->at;
    return VS_OK;
}

static vs_code open_element(toml *t, const key *k, table *parent, table **out)
{
    entry *e = find(parent, k->part[k->n - 1]);
    if (e && e->kind != TABLES)
        return already(t, k, k->n, e);
    if (parent->depth >= DEPTH_MAX)
        return toml_fail(t, k->at, "tables are nested deeper than %d", DEPTH_MAX);
    if (!e)
        e = add_entry(t, parent, k->part[k->n - 1], k->at, TABLES);
    return add_table(t, e, HEADER, parent->depth + 1, out);
}

static vs_code header(toml *t, table *root, table **current)
{
    t->at++;
    bool element = toml_peek(t, 0) == '[';
    t->at += element;
    key k;
    toml_blank(t);
    VS_TRY(read_key(t, &k));
    if (toml_peek(t, 0) != ']' || (element && toml_peek(t, 1) != ']'))
        return toml_fail(t, t->at, "the table header is not closed with %s", element ? "]]" : "]");
    t->at += element ? 2 : 1;
    table *parent = root;
    VS_TRY(header_parent(t, &k, root, &parent));
    VS_TRY(element ? open_element(t, &k, parent, current) : open_table(t, &k, parent, current));
    return toml_line_end(t);
}

/* ---- values ---------------------------------------------------------------------------------- */

static vs_code value(toml *t, unsigned depth, vs_val *out);

/* key = value, into `in`. */
static vs_code assignment(toml *t, table *in)
{
    key k;
    VS_TRY(read_key(t, &k));
    if (toml_peek(t, 0) != '=')
        return toml_fail(t, t->at, "expected '=' after the key \"%s\"", key_text(t, &k, k.n));
    t->at++;
    toml_blank(t);
    for (size_t i = 0; i + 1 < k.n; i++) {
        entry *e = find(in, k.part[i]);
        if (e && (e->kind != TABLE || e->tables[0]->from != DOTTED))
            return already(t, &k, i + 1, e);
        if (e)
            in = e->tables[0];
        else
            VS_TRY(step_down(t, &k, i, in, DOTTED, &in));
    }
    entry *e = find(in, k.part[k.n - 1]);
    if (e)
        return already(t, &k, k.n, e);
    vs_val v;
    VS_TRY(value(t, in->depth, &v));
    e = add_entry(t, in, k.part[k.n - 1], k.at, VALUE);
    VS_TRY(vs_arena_check(t->a, t->err));
    e->val = v;
    return VS_OK;
}

static vs_code array(toml *t, unsigned depth, vs_val *out)
{
    size_t start = t->at++;
    vs_vec list = {.a = t->a};
    for (;;) {
        toml_skip_lines(t);
        if (toml_peek(t, 0) == ']')
            break;
        vs_val v;
        VS_TRY(value(t, depth, &v));
        vs_vec_add(&list, v);
        toml_skip_lines(t);
        if (toml_peek(t, 0) == ']')
            break;
        if (toml_peek(t, 0) != ',')
            return toml_fail(t, t->at, "expected ',' or ']' in the array that starts in line %zu",
                             toml_line_of(t, start));
        t->at++;
    }
    t->at++;
    *out = vs_vec_end_array(&list);
    return vs_arena_check(t->a, t->err);
}

/* On one line, without a trailing comma. */
static vs_code inline_table(toml *t, unsigned depth, vs_val *out)
{
    table in = {.from = DOTTED, .depth = depth};
    t->at++;
    toml_blank(t);
    bool more = toml_peek(t, 0) != '}';
    while (more) {
        VS_TRY(assignment(t, &in));
        toml_blank(t);
        more = toml_peek(t, 0) == ',';
        if (!more)
            break;
        t->at++;
        toml_blank(t);
        if (toml_peek(t, 0) == '}')
            return toml_fail(t, t->at, "an inline table has no comma before its '}'");
    }
    if (toml_peek(t, 0) != '}')
        return toml_fail(t, t->at, "expected ',' or '}' in an inline table");
    t->at++;
    *out = table_value(t->a, &in);
    return vs_arena_check(t->a, t->err);
}

static vs_code value(toml *t, unsigned depth, vs_val *out)
{
    uint8_t c = toml_peek(t, 0);
    if (c != '[' && c != '{')
        return toml_scalar(t, out);
    if (depth >= DEPTH_MAX)
        return toml_fail(t, t->at, "values are nested deeper than %d", DEPTH_MAX);
    return c == '[' ? array(t, depth + 1, out) : inline_table(t, depth + 1, out);
}

/* ---- the document ---------------------------------------------------------------------------- */

static vs_code document(toml *t, table *root)
{
    table *current = root;
    for (;;) {
        toml_skip_lines(t);
        if (toml_at_end(t))
            return VS_OK;
        if (toml_peek(t, 0) == '[') {
            VS_TRY(header(t, root, &current));
            continue;
        }
        VS_TRY(assignment(t, current));
        VS_TRY(toml_line_end(t));
    }
}

vs_code vs_toml_parse(vs_arena *a, vs_span text, vs_val *out, vs_error *err)
{
    *out = vs_undefined();
    if (text.n > VS_TOML_MAX)
        return vs_fail(err, VS_E_LIMIT, "TOML text of %zu bytes is larger than the limit of %d",
                       text.n, VS_TOML_MAX);
    if (vs_span_starts(text, VS_LIT("\xef\xbb\xbf"))) /* a byte order mark */
        text = vs_span_from(text, 3);
    toml t = {.a = a, .in = text, .err = err};
    vs_random(&t.dice, sizeof t.dice);
    t.dice |= 1; /* xorshift stays at zero */
    VS_TRY(toml_check_text(&t));
    table root = {.from = HEADER};
    VS_TRY(document(&t, &root));
    *out = table_value(a, &root);
    return vs_arena_check(a, err);
}
