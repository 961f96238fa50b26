/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings.render_template (rego.md 10.4): the part of Go's text/template that works on plain data:
 * {{.a.b}}, {{$x := ...}}, {{if}}, {{else if}}, {{range $i, $v := ...}}, {{with}}, {{- trimming
 * -}}, comments, and the functions and, or, not, eq, ne, lt, le, gt, ge, len, index, print, printf.
 */
#include "rego/builtins.h"
#include "value/json.h"

enum { TEXT_MAX = 4 << 20, DEPTH_MAX = 64, VARS_MAX = 64, ARGS_MAX = 16 };

typedef struct variable {
    vs_span name;
    vs_val value;
} variable;

typedef struct renderer {
    rego_bctx *b;
    vs_span text;
    size_t at;
    vs_buf *out; /* NULL: skipping */
    variable vars[VARS_MAX];
    size_t n_vars;
    unsigned depth;
    rego_bres failed;
} renderer;

static bool fail(renderer *r, const char *what)
{
    if (r->failed == REGO_B_OK)
        r->failed = rego_error(r->b, "template: %s near byte %zu", what, r->at);
    return false;
}

/* ---- actions: what stands between {{ and }}
 * ------------------------------------------------------
 */

typedef struct action {
    vs_span text;
} action;

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static vs_span trim(vs_span s)
{
    while (s.n && is_space(s.p[0]))
        s = vs_span_from(s, 1);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Where "}}" stands, outside of quotes; SIZE_MAX = nowhere. */
static size_t action_end(vs_span s, size_t at)
{
    uint8_t quote = 0;
    if (vs_span_starts(vs_span_from(s, at), VS_LIT("/*"))) {
        while (at + 1 < s.n && !(s.p[at] == '*' && s.p[at + 1] == '/'))
            at++;
        at += 2;
    }
    for (; at + 1 < s.n; at++) {
        if (quote) {
            if (s.p[at] == '\\' && quote == '"')
                at++;
            else if (s.p[at] == quote)
                quote = 0;
        } else if (s.p[at] == '"' || s.p[at] == '`') {
            quote = s.p[at];
        } else if (s.p[at] == '}' && s.p[at + 1] == '}') {
            return at;
        }
    }
    return SIZE_MAX;
}

/* Copies text up to the next action and returns that action; false at the end of the template. */
static bool next_action(renderer *r, action *out, bool *found)
{
    size_t from = r->at, at = from;
    while (at + 1 < r->text.n && !(r->text.p[at] == '{' && r->text.p[at + 1] == '{'))
        at++;
    *found = at + 1 < r->text.n;
    size_t end = *found ? at : r->text.n, inner = at + 2;
    bool left = *found && inner + 1 < r->text.n && r->text.p[inner] == '-' &&
                is_space(r->text.p[inner + 1]);
    while (left && end > from && is_space(r->text.p[end - 1]))
        end--;
    if (r->out)
        vs_buf_put(r->out, vs_span_of(r->text.p + from, end - from));
    r->at = r->text.n;
    if (!*found)
        return true;
    inner += left;
    size_t close = action_end(r->text, inner);
    if (close == SIZE_MAX)
        return fail(r, "unclosed action");
    r->at = close + 2;
    bool right = close > inner && r->text.p[close - 1] == '-' && close >= inner + 2 &&
                 is_space(r->text.p[close - 2]);
    while (right && r->at < r->text.n && is_space(r->text.p[r->at]))
        r->at++;
    out->text = trim(vs_span_of(r->text.p + inner, close - right - inner));
    if (!rego_charge(r->b, 4 + (close - from) / 16)) {
        r->failed = REGO_B_LIMIT;
        return false;
    }
    return true;
}

/* ---- expressions -------------------------------------------------------------------------------
 */

static bool is_word(uint8_t c)
{
    uint8_t l = c | 0x20;
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

static vs_span take_word(vs_span *s)
{
    size_t n = 0;
    while (n < s->n && is_word(s->p[n]))
        n++;
    vs_span word = vs_span_head(*s, n);
    *s = vs_span_from(*s, n);
    return word;
}

static vs_val variable_named(const renderer *r, vs_span name)
{
    for (size_t i = r->n_vars; i > 0; i--)
        if (vs_span_eq(r->vars[i - 1].name, name))
            return r->vars[i - 1].value;
    return vs_undefined();
}

static bool declare(renderer *r, vs_span name, vs_val v)
{
    if (r->n_vars == VARS_MAX)
        return fail(r, "too many variables");
    r->vars[r->n_vars++] = (variable){name, v};
    return true;
}

/* Go's truth: false, 0, "" and what is empty or missing are false. */
static bool truth(vs_val v)
{
    switch ((vs_kind)v.kind) {
    case VS_UNDEFINED:
    case VS_NULL: return false;
    case VS_BOOL: return v.u.b;
    case VS_NUMBER: return !vs_is_int(v) || v.u.i != 0;
    default: return v.len > 0;
    }
}

static bool pipeline(renderer *r, vs_span *s, vs_val dot, vs_val *out);

/* ".a.b" behind a value. */
static vs_val follow(vs_span *s, vs_val v)
{
    while (s->n > 1 && s->p[0] == '.' && is_word(s->p[1])) {
        *s = vs_span_from(*s, 1);
        v = vs_get(v, take_word(s));
    }
    return v;
}

static bool quoted(renderer *r, vs_span *s, vs_val *out)
{
    uint8_t quote = s->p[0];
    size_t n = 1;
    while (n < s->n && s->p[n] != quote)
        n += quote == '"' && s->p[n] == '\\' ? 2 : 1;
    if (n >= s->n)
        return fail(r, "unterminated quoted string");
    vs_span text = vs_span_head(*s, n + 1);
    *s = vs_span_from(*s, n + 1);
    if (quote == '`') {
        *out = vs_string(vs_span_of(text.p + 1, text.n - 2));
        return true;
    }
    return vs_json_parse(r->b->a, text, NULL, out, NULL) == VS_OK || fail(r, "bad string");
}

static bool number(renderer *r, vs_span *s, vs_val *out)
{
    size_t n = s->p[0] == '-';
    while (n < s->n && (is_word(s->p[n]) || s->p[n] == '.'))
        n++;
    vs_span text = vs_span_head(*s, n);
    *s = vs_span_from(*s, n);
    return vs_json_parse(r->b->a, text, NULL, out, NULL) == VS_OK || fail(r, "bad number");
}

static bool operand(renderer *r, vs_span *s, vs_val dot, vs_val *out)
{
    uint8_t c = s->p[0];
    *out = vs_undefined();
    if (c == '"' || c == '`')
        return quoted(r, s, out);
    if ((c >= '0' && c <= '9') || c == '-')
        return number(r, s, out);
    if (c == '(') {
        *s = vs_span_from(*s, 1);
        if (++r->depth > DEPTH_MAX || !pipeline(r, s, dot, out) || s->n == 0 || s->p[0] != ')')
            return fail(r, "expected ')'");
        r->depth--;
        *s = vs_span_from(*s, 1);
        *out = follow(s, *out);
        return true;
    }
    if (c == '$') {
        *s = vs_span_from(*s, 1);
        *out = follow(s, variable_named(r, take_word(s)));
        return true;
    }
    if (c == '.') {
        if (s->n > 1 && is_word(s->p[1]))
            *out = follow(s, dot);
        else {
            *s = vs_span_from(*s, 1);
            *out = dot;
        }
        return true;
    }
    vs_span word = take_word(s);
    if (vs_span_is(word, "true") || vs_span_is(word, "false"))
        *out = vs_bool(vs_span_is(word, "true"));
    else if (vs_span_is(word, "nil"))
        *out = vs_null();
    else
        return fail(r, "unexpected word");
    return true;
}

static void put_value(vs_buf *out, vs_val v)
{
    if (!vs_defined(v))
        vs_buf_puts(out, "<undefined>");
    else if (v.kind == VS_STRING)
        vs_buf_put(out, vs_text(v));
    else
        rego_print_value(out, v);
}

static bool compare(vs_span name, const vs_val *args, size_t n, vs_val *out)
{
    if (n < 2)
        return false;
    int c = vs_cmp(args[0], args[1]);
    if (vs_span_is(name, "eq")) {
        bool any = false;
        for (size_t i = 1; i < n; i++)
            any |= vs_eq(args[0], args[i]);
        *out = vs_bool(any);
    } else if (vs_span_is(name, "ne")) {
        *out = vs_bool(c != 0);
    } else if (vs_span_is(name, "lt")) {
        *out = vs_bool(c < 0);
    } else if (vs_span_is(name, "le")) {
        *out = vs_bool(c <= 0);
    } else if (vs_span_is(name, "gt")) {
        *out = vs_bool(c > 0);
    } else if (vs_span_is(name, "ge")) {
        *out = vs_bool(c >= 0);
    } else {
        return false;
    }
    return true;
}

static bool call(renderer *r, vs_span name, const vs_val *args, size_t n, vs_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    if (compare(name, args, n, out))
        return true;
    if ((vs_span_is(name, "and") || vs_span_is(name, "or")) && n) {
        bool stop_at = vs_span_is(name, "or");
        size_t i = 0;
        while (i + 1 < n && truth(args[i]) != stop_at)
            i++;
        *out = args[i];
    } else if (vs_span_is(name, "not") && n == 1) {
        *out = vs_bool(!truth(args[0]));
    } else if (vs_span_is(name, "len") && n == 1) {
        *out = vs_int(args[0].len);
    } else if (vs_span_is(name, "index") && n) {
        *out = args[0];
        for (size_t i = 1; i < n; i++)
            *out = vs_index(*out, args[i]);
    } else if (vs_span_is(name, "print")) {
        for (size_t i = 0; i < n; i++)
            put_value(&text, args[i]);
        *out = vs_string_dup(r->b->a, vs_buf_span(&text));
    } else if (vs_span_is(name, "printf") && n) {
        vs_vec rest = {.a = r->b->a};
        for (size_t i = 1; i < n; i++)
            vs_vec_add(&rest, vs_defined(args[i]) ? args[i] : vs_cstring("<undefined>"));
        vs_val both[2] = {args[0], vs_vec_end_array(&rest)};
        r->failed = rego_bi_sprintf(r->b, both, 2, out);
    } else {
        return fail(r, "function not defined");
    }
    return r->failed == REGO_B_OK;
}

static bool is_function(vs_span s)
{
    static const char *const names[] = {"and", "or", "not", "eq",    "ne",    "lt",    "le",
                                        "gt",  "ge", "len", "index", "print", "printf"};
    vs_span word = take_word(&s);
    for (size_t i = 0; i < VS_COUNT(names); i++)
        if (vs_span_is(word, names[i]))
            return true;
    return false;
}

/* One command: an operand, or a function with its arguments; `piped` (may be NULL) is the last. */
static bool command(renderer *r, vs_span *s, vs_val dot, const vs_val *piped, vs_val *out)
{
    vs_val args[ARGS_MAX];
    size_t n = 0;
    *s = trim(*s);
    if (s->n == 0)
        return fail(r, "missing value");
    if (!is_function(*s))
        return piped ? fail(r, "not a function") : operand(r, s, dot, out);
    vs_span name = take_word(s);
    for (;;) {
        while (s->n && is_space(s->p[0]))
            *s = vs_span_from(*s, 1);
        if (s->n == 0 || s->p[0] == '|' || s->p[0] == ')')
            break;
        if (n + 1 >= ARGS_MAX)
            return fail(r, "too many arguments");
        if (!operand(r, s, dot, &args[n++]))
            return false;
    }
    if (piped)
        args[n++] = *piped;
    return call(r, name, args, n, out);
}

static bool pipeline(renderer *r, vs_span *s, vs_val dot, vs_val *out)
{
    if (!command(r, s, dot, NULL, out))
        return false;
    for (;;) {
        while (s->n && is_space(s->p[0]))
            *s = vs_span_from(*s, 1);
        if (s->n == 0 || s->p[0] != '|')
            return true;
        *s = vs_span_from(*s, 1);
        vs_val before = *out;
        if (!command(r, s, dot, &before, out))
            return false;
    }
}

/* The names of "$i, $v :=" in front of a pipeline; *n = 0 when there are none. */
static void take_names(vs_span *s, vs_span names[2], size_t *n)
{
    vs_span at = *s;
    *n = 0;
    while (*n < 2 && at.n && at.p[0] == '$') {
        at = vs_span_from(at, 1);
        names[(*n)++] = take_word(&at);
        at = trim(at);
        if (at.n == 0 || at.p[0] != ',')
            break;
        at = trim(vs_span_from(at, 1));
    }
    if (*n && (vs_span_starts(at, VS_LIT(":=")) || at.p[0] == '='))
        *s = trim(vs_span_from(at, at.p[0] == ':' ? 2 : 1));
    else
        *n = 0;
}

/* ---- blocks ------------------------------------------------------------------------------------
 */

typedef enum stop { STOP_EOF, STOP_END, STOP_ELSE } stop;

/* Renders up to {{end}}, {{else}} or the end; *rest = what stands behind "else". */
static bool block(renderer *r, vs_val dot, stop *why, vs_span *rest);

static bool keyword(vs_span *s, const char *word)
{
    vs_span at = *s;
    if (!vs_span_is(take_word(&at), word))
        return false;
    *s = trim(at);
    return true;
}

/* Renders a block, or passes over it. */
static bool block_if(renderer *r, bool wanted, vs_val dot, stop *why, vs_span *rest)
{
    vs_buf *out = r->out;
    size_t vars = r->n_vars;
    if (!wanted)
        r->out = NULL;
    bool ok = block(r, dot, why, rest);
    r->out = out;
    r->n_vars = vars;
    return ok && (*why != STOP_EOF || fail(r, "unexpected end of the template"));
}

/* if and with: the first branch whose condition is true. */
static bool conditional(renderer *r, vs_span condition, vs_val dot, bool with)
{
    bool done = false;
    for (;;) {
        vs_val v = vs_undefined();
        vs_span names[2], rest;
        size_t n, vars = r->n_vars;
        stop why;
        take_names(&condition, names, &n);
        if (r->out && !done && !pipeline(r, &condition, dot, &v))
            return false;
        if (n && !declare(r, names[0], v))
            return false;
        bool yes = !done && truth(v);
        if (!block_if(r, yes, with && yes ? v : dot, &why, &rest))
            return false;
        done |= yes;
        r->n_vars = vars;
        if (why == STOP_END)
            return true;
        if (keyword(&rest, "if") || keyword(&rest, "with")) {
            condition = rest;
            continue;
        }
        return block_if(r, !done, dot, &why, &rest) &&
               (why == STOP_END || fail(r, "expected {{end}}"));
    }
}

static bool loop(renderer *r, vs_span s, vs_val dot)
{
    vs_val list = vs_undefined();
    vs_span names[2], rest;
    size_t n, body = r->at, vars = r->n_vars;
    stop why = STOP_END;
    take_names(&s, names, &n);
    if (r->out && !pipeline(r, &s, dot, &list))
        return false;
    uint32_t count = vs_is_collection(list) ? list.len : 0;
    for (uint32_t i = 0; i < count; i++) {
        bool object = list.kind == VS_OBJECT;
        vs_val key = object ? list.u.pairs[i].key : vs_int(i),
               value = object ? list.u.pairs[i].val : list.u.items[i];
        r->at = body;
        if (n == 2 && !declare(r, names[0], key))
            return false;
        if (n && !declare(r, names[n - 1], value))
            return false;
        if (!block_if(r, true, value, &why, &rest))
            return false;
        r->n_vars = vars;
    }
    if (count == 0 && !block_if(r, false, dot, &why, &rest))
        return false;
    if (why == STOP_END)
        return true;
    return block_if(r, count == 0, dot, &why, &rest) &&
           (why == STOP_END || fail(r, "expected {{end}}"));
}

/* A value to print, or {{$x := value}}. */
static bool statement(renderer *r, vs_span s, vs_val dot)
{
    vs_val v;
    vs_span names[2];
    size_t n;
    if (!r->out || s.n == 0 || vs_span_starts(s, VS_LIT("/*")))
        return true;
    take_names(&s, names, &n);
    if (!pipeline(r, &s, dot, &v))
        return false;
    if (trim(s).n)
        return fail(r, "unexpected text in an action");
    if (n)
        return declare(r, names[0], v);
    put_value(r->out, v);
    return true;
}

static bool block(renderer *r, vs_val dot, stop *why, vs_span *rest)
{
    if (++r->depth > DEPTH_MAX)
        return fail(r, "nested too deeply");
    for (;;) {
        action a = {0};
        bool found, ok;
        if (!next_action(r, &a, &found))
            return false;
        if (r->out && !vs_buf_ok(r->out)) {
            r->failed = REGO_B_LIMIT;
            return false;
        }
        vs_span s = a.text;
        if (!found || vs_span_is(s, "end") || keyword(&s, "else")) {
            *why = !found ? STOP_EOF : vs_span_is(a.text, "end") ? STOP_END : STOP_ELSE;
            *rest = s;
            r->depth--;
            return true;
        }
        if (keyword(&s, "if"))
            ok = conditional(r, s, dot, false);
        else if (keyword(&s, "with"))
            ok = conditional(r, s, dot, true);
        else if (keyword(&s, "range"))
            ok = loop(r, s, dot);
        else
            ok = statement(r, s, dot);
        if (!ok)
            return false;
    }
}

rego_bres rego_bi_render_template(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out)
{
    (void)n;
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TEXT_MAX);
    stop why;
    vs_span rest;
    REGO_WANT(0, VS_STRING);
    REGO_WANT(1, VS_OBJECT);
    renderer r = {.b = b, .text = vs_text(args[0]), .out = &text};
    (void)declare(&r, VS_LIT(""), args[1]); /* $ */
    if (block(&r, args[1], &why, &rest) && why != STOP_EOF)
        (void)fail(&r, "unexpected {{end}} or {{else}}");
    if (r.failed != REGO_B_OK)
        return r.failed;
    if (!vs_buf_ok(&text) || !rego_charge(b, text.n / 16))
        return REGO_B_LIMIT;
    *out = vs_string_dup(b->a, vs_buf_span(&text));
    return REGO_B_OK;
}
