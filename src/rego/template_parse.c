/* SPDX-License-Identifier: Apache-2.0 */
/* Templates as trees. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rego/template.h"
#include "rego/unicode.h"
#include "value/number.h"

enum { VARIABLES_MAX = 256, LIST_MAX = 4096 };

typedef struct parser {
    rego_bctx *b;
    const tpl_token *next;
    rego_bres failed;
    unsigned depth;
    unsigned loops; /* {{range}} around here, in this template */
    vs_span variables[VARIABLES_MAX];
    size_t n_variables, first_variable; /* of this template: its $ */
    tpl_tree *trees;
} parser;

/* Where a list of nodes ended. */
typedef enum ending { END_NONE, END_END, END_ELSE } ending;

/* ---- errors and tokens ---------------------------------------------------------------------- */

static bool fail(parser *p, uint32_t line, const char *fmt, ...) VS_PRINTF(3, 4);

static bool fail(parser *p, uint32_t line, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (p->failed == REGO_B_OK)
        p->failed = rego_error(p->b, "template: template:%u: %s", line, text);
    return false;
}

static bool limit(parser *p)
{
    if (p->failed == REGO_B_OK)
        p->failed = REGO_B_LIMIT;
    return false;
}

static bool unexpected(parser *p, const tpl_token *t, const char *where)
{
    vs_span text = vs_span_head(t->text, 60);
    if (t->kind == TPL_ERROR)
        return fail(p, t->line, "%.*s", VS_FMT(vs_span_head(t->text, 190)));
    if (t->kind == TPL_EOF)
        return fail(p, t->line, "unexpected EOF");
    if (t->kind >= TPL_DOT)
        return fail(p, t->line, "unexpected <%.*s> in %s", VS_FMT(text), where);
    VS_CLEANUP(vs_buf_free) vs_buf quoted = VS_BUF(1024);
    rego_go_quote(&quoted, text, '"', false);
    return vs_buf_ok(&quoted)
               ? fail(p, t->line, "unexpected %.*s in %s", VS_FMT(vs_buf_span(&quoted)), where)
               : limit(p);
}

/* The last token, TPL_EOF or TPL_ERROR, stays where it is. */
static const tpl_token *take(parser *p)
{
    const tpl_token *t = p->next;
    if (t->kind != TPL_EOF && t->kind != TPL_ERROR)
        p->next++;
    return t;
}

static const tpl_token *peek(parser *p)
{
    while (p->next->kind == TPL_SPACE)
        p->next++;
    return p->next;
}

static const tpl_token *take_next(parser *p)
{
    (void)peek(p);
    return take(p);
}

static bool expect_right(parser *p, const char *where)
{
    const tpl_token *t = take_next(p);
    return t->kind == TPL_RIGHT || unexpected(p, t, where);
}

static void *new (parser *p, size_t size)
{
    void *v = vs_zalloc(p->b->a, size);
    if (!v)
        (void)limit(p);
    return v;
}

static bool enter(parser *p)
{
    return ++p->depth <= TPL_DEPTH_MAX || limit(p);
}

/* ---- operands ------------------------------------------------------------------------------- */

static bool declare(parser *p, vs_span name)
{
    if (p->n_variables == VARIABLES_MAX)
        return limit(p);
    p->variables[p->n_variables++] = name;
    return true;
}

static bool is_declared(const parser *p, vs_span name)
{
    for (size_t i = p->first_variable; i < p->n_variables; i++)
        if (vs_span_eq(p->variables[i], name))
            return true;
    return false;
}

/* The content of a string token. */
static bool unquote(parser *p, const tpl_token *t, vs_span *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(TPL_OUTPUT_MAX);
    size_t runes;
    uint32_t rune;
    if (!rego_go_unquote(&text, t->text, &runes, &rune))
        return fail(p, t->line, "invalid syntax");
    vs_val v = vs_string_dup(p->b->a, vs_buf_span(&text));
    *out = vs_text(v);
    return (vs_buf_ok(&text) && vs_defined(v)) || limit(p);
}

static bool rune(parser *p, const tpl_token *t, go_val *out)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(64);
    size_t runes;
    uint32_t c;
    bool ok = rego_go_unquote(&text, t->text, &runes, &c);
    if (ok && vs_buf_ok(&text) && runes > 1)
        return fail(p, t->line, "malformed character constant: %.*s",
                    VS_FMT(vs_span_head(t->text, 40)));
    *out = go_int(c);
    return (ok && runes == 1) || fail(p, t->line, "invalid syntax");
}

static int digit_value(uint8_t c)
{
    uint8_t l = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : 99;
}

/* An integer's digits, behind its sign, as ParseInt with base 0 takes them: 0x, 0o, 0b, 0 and
 * underscores between digits. False when it is none; *overflow when it has more than 64 bits. */
static bool read_integer(vs_span s, uint64_t *out, bool *overflow)
{
    uint8_t second = s.n > 1 ? s.p[1] | 0x20 : 0;
    bool prefixed = s.n > 1 && s.p[0] == '0', digit = prefixed;
    unsigned base = !prefixed ? 10 : second == 'x' ? 16 : second == 'b' ? 2 : 8;
    size_t from = !prefixed ? 0 : second == 'x' || second == 'b' || second == 'o' ? 2 : 1;
    *out = 0;
    *overflow = false;
    if (from >= s.n)
        return false;
    for (size_t i = from; i < s.n; i++) {
        if (s.p[i] == '_') {
            if (!digit)
                return false;
            digit = false;
            continue;
        }
        unsigned d = (unsigned)digit_value(s.p[i]);
        if (d >= base)
            return false;
        digit = true;
        *overflow |= __builtin_mul_overflow(*out, (uint64_t)base, out);
        *overflow |= __builtin_add_overflow(*out, (uint64_t)d, out);
    }
    return digit;
}

/* ParseFloat: as C's, but with underscores between digits; NaN when it is none. */
static double read_float(vs_span s)
{
    char text[128];
    size_t n = 0;
    bool hex = s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x';
    if (s.n >= sizeof text || (hex && !memchr(s.p, 'p', s.n) && !memchr(s.p, 'P', s.n)))
        return NAN; /* Go wants the exponent of a hexadecimal float */
    for (size_t i = 0; i < s.n; i++) {
        bool between = i > 0 && i + 1 < s.n && digit_value(s.p[i + 1]) < 99 &&
                       (digit_value(s.p[i - 1]) < 99 || (hex && i == 2));
        if (s.p[i] != '_')
            text[n++] = (char)s.p[i];
        else if (!between)
            return NAN;
    }
    text[n] = 0;
    char *end = NULL;
    double x = strtod(text, &end);
    return end == text + n && n && !isinf(x) ? x : NAN;
}

static bool number(parser *p, const tpl_token *t, tpl_operand *out)
{
    vs_span s = t->text, shown = vs_span_head(t->text, 60);
    bool negative = s.p[0] == '-', overflow;
    uint64_t u;
    s = vs_span_from(s, negative || s.p[0] == '+');
    if (read_integer(s, &u, &overflow) && !overflow && !(negative && u > (uint64_t)INT64_MAX + 1)) {
        bool fits = u <= INT64_MAX || (negative && u == (uint64_t)INT64_MAX + 1);
        out->kind = fits ? TPL_OP_CONSTANT : TPL_OP_OVERFLOW;
        out->value = go_int((int64_t)(negative ? 0 - u : u));
        return true;
    }
    double x = read_float(s);
    if (isnan(x))
        return fail(p, t->line, "illegal number syntax: \"%.*s\"", VS_FMT(shown));
    bool looks_real = false;
    for (size_t i = 0; i < s.n; i++)
        looks_real |= strchr(".eEpP", s.p[i]) != NULL;
    if (!looks_real)
        return fail(p, t->line, "integer overflow: \"%.*s\"", VS_FMT(shown));
    out->value = (go_val){.kind = GO_FLOAT, .u.f = negative ? -x : x};
    return true;
}

static bool pipeline(parser *p, const char *context, tpl_token_kind end, const tpl_pipe **out);

static bool in_parens(parser *p, tpl_operand *out)
{
    out->kind = TPL_OP_PIPE;
    return enter(p) && pipeline(p, "parenthesized pipeline", TPL_CLOSE, &out->pipe) && p->depth--;
}

/* An operand without the fields behind it. *found = false when none begins here. */
static bool term(parser *p, tpl_operand *out, bool *found)
{
    const tpl_token *t = peek(p);
    *out = (tpl_operand){.line = t->line, .column = t->column, .source = t->text};
    *found = true;
    switch (t->kind) {
    case TPL_NAME:
        out->kind = TPL_OP_FUNCTION;
        out->name = t->text;
        if (!tpl_function_named(t->text))
            return fail(p, t->line, "function \"%.*s\" not defined",
                        VS_FMT(vs_span_head(t->text, 60)));
        break;
    case TPL_DOT: out->kind = TPL_OP_DOT; break;
    case TPL_NIL: out->kind = TPL_OP_NIL; break;
    case TPL_VARIABLE:
        out->kind = TPL_OP_VARIABLE;
        out->name = t->text;
        if (!is_declared(p, t->text))
            return fail(p, t->line, "undefined variable \"%.*s\"",
                        VS_FMT(vs_span_head(t->text, 60)));
        break;
    case TPL_FIELD: out->kind = TPL_OP_FIELD; return true; /* with those that follow */
    default: out->kind = TPL_OP_CONSTANT;
    }
    const tpl_token *before = p->next;
    (void)take(p);
    switch (t->kind) {
    case TPL_NAME:
    case TPL_DOT:
    case TPL_NIL:
    case TPL_VARIABLE: return true;
    case TPL_BOOL: out->value = go_bool(vs_span_is(t->text, "true")); return true;
    case TPL_RUNE: return rune(p, t, &out->value);
    case TPL_NUMBER: return number(p, t, out);
    case TPL_STRING:
    case TPL_RAW: out->value.kind = GO_STRING; return unquote(p, t, &out->value.u.s);
    case TPL_OPEN: return in_parens(p, out);
    default: break;
    }
    p->next = before;
    *found = false;
    return true;
}

/* ".a.b" behind a term. */
static bool take_fields(parser *p, tpl_operand *op)
{
    size_t n = 0;
    while (p->next[n].kind == TPL_FIELD)
        n++;
    vs_span *names = vs_alloc_array(p->b->a, n, sizeof *names);
    if (!names)
        return limit(p);
    for (size_t i = 0; i < n; i++)
        names[i] = vs_span_from(take(p)->text, 1);
    op->fields = names;
    op->n_fields = n;
    return true;
}

static bool operand(parser *p, tpl_operand *out, bool *found)
{
    if (!term(p, out, found) || !*found)
        return p->failed == REGO_B_OK;
    const uint8_t *from = out->source.p;
    if (p->next->kind == TPL_FIELD) {
        switch (out->kind) {
        case TPL_OP_FIELD:
        case TPL_OP_VARIABLE: break;
        case TPL_OP_FUNCTION:
        case TPL_OP_PIPE: {
            tpl_operand *inside = new (p, sizeof *inside);
            if (!inside)
                return false;
            *inside = *out;
            inside->source = vs_span_of(from, (size_t)(p->next->text.p - from));
            out->kind = TPL_OP_CHAIN;
            out->inside = inside;
            break;
        }
        default:
            return fail(p, out->line, "unexpected . after term \"%.*s\"",
                        VS_FMT(vs_span_head(out->source, 40)));
        }
        if (!take_fields(p, out))
            return false;
    }
    const tpl_token *last = p->next - 1;
    out->source = vs_span_of(from, (size_t)(last->text.p + last->text.n - from));
    return true;
}

/* ---- pipelines ------------------------------------------------------------------------------ */

/* Operands up to what ends a command, which is left, or '|', which is taken. */
static bool command(parser *p, tpl_command **out)
{
    tpl_operand *args = NULL;
    size_t n = 0, room = 0;
    const tpl_token *first = peek(p);
    for (;;) {
        tpl_operand op;
        bool found;
        (void)peek(p);
        if (!operand(p, &op, &found))
            return false;
        if (found) {
            if (n == room) {
                args = vs_grow(p->b->a, args, room, room ? room * 2 : 2, sizeof *args);
                room = room ? room * 2 : 2;
            }
            if (!args || n == LIST_MAX)
                return limit(p);
            args[n++] = op;
        }
        const tpl_token *t = take(p);
        if (t->kind == TPL_SPACE)
            continue;
        if (t->kind == TPL_RIGHT || t->kind == TPL_CLOSE)
            p->next--;
        else if (t->kind != TPL_PIPE)
            return unexpected(p, t, "operand");
        break;
    }
    if (n == 0)
        return fail(p, first->line, "empty command");
    tpl_command *c = new (p, sizeof *c);
    if (!c)
        return false;
    vs_span last = args[n - 1].source;
    *c = (tpl_command){.args = args, .n = n};
    c->source = vs_span_of(args[0].source.p, (size_t)(last.p + last.n - args[0].source.p));
    *out = c;
    return true;
}

/* "$a :=", "$a =", and in a range "$a, $b :=": taken when it stands here. */
static bool take_names(parser *p, const char *context, tpl_pipe *pipe)
{
    bool range = strcmp(context, "range") == 0;
    while (peek(p)->kind == TPL_VARIABLE) {
        const tpl_token *name = take(p), *t = peek(p);
        bool comma = t->kind == TPL_CHAR && vs_span_is(t->text, ",");
        if (t->kind != TPL_ASSIGN && t->kind != TPL_DECLARE && !comma) {
            p->next = name;
            return true;
        }
        (void)take(p);
        if (pipe->n_names < 2)
            pipe->names[pipe->n_names++] = name->text;
        if (!declare(p, name->text))
            return false;
        if (!comma) {
            pipe->assign = t->kind == TPL_ASSIGN;
            return true;
        }
        if (!range || pipe->n_names >= 2)
            return fail(p, t->line, "too many declarations in %s", context);
        tpl_token_kind k = peek(p)->kind;
        if (k != TPL_VARIABLE && k != TPL_RIGHT && k != TPL_CLOSE)
            return fail(p, t->line, "range can only initialize variables");
    }
    return true;
}

/* What is not executable cannot take the value of the stage before. */
static bool check_stages(parser *p, const tpl_pipe *pipe, const char *context, uint32_t line)
{
    if (!pipe->commands)
        return fail(p, line, "missing value for %s", context);
    unsigned stage = 2;
    for (const tpl_command *c = pipe->commands->next; c; c = c->next, stage++) {
        tpl_operand_kind k = c->args[0].kind;
        if (k == TPL_OP_CONSTANT || k == TPL_OP_OVERFLOW || k == TPL_OP_DOT || k == TPL_OP_NIL)
            return fail(p, line, "non executable command in pipeline stage %u", stage);
    }
    return true;
}

static bool pipeline(parser *p, const char *context, tpl_token_kind end, const tpl_pipe **out)
{
    tpl_pipe *pipe = new (p, sizeof *pipe);
    tpl_command *last = NULL;
    if (!pipe || !take_names(p, context, pipe))
        return false;
    for (;;) {
        const tpl_token *t = peek(p);
        tpl_command *c = NULL;
        if (t->kind == end) {
            (void)take(p);
            *out = pipe;
            return check_stages(p, pipe, context, t->line);
        }
        bool starts = (t->kind >= TPL_BOOL && t->kind <= TPL_NIL) || t->kind == TPL_OPEN;
        if (!starts)
            return unexpected(p, t, context);
        if (!command(p, &c))
            return false;
        if (last)
            last->next = c;
        else
            pipe->commands = c;
        last = c;
    }
}

/* ---- nodes ---------------------------------------------------------------------------------- */

static bool list(parser *p, const tpl_node **out, ending *end);
static bool control(parser *p, tpl_node_kind kind, tpl_node *node);

/* What {{else}} leads to, up to {{end}}. */
static bool otherwise(parser *p, tpl_node_kind kind, const tpl_node **out)
{
    ending end;
    tpl_token_kind chained = kind == TPL_N_IF ? TPL_IF : kind == TPL_N_WITH ? TPL_WITH : TPL_EOF;
    const tpl_token *t = peek(p);
    if (t->kind == chained && chained != TPL_EOF) { /* {{else if}}: its {{end}} is ours as well */
        tpl_node *node = new (p, sizeof *node);
        if (!node)
            return false;
        node->line = t->line;
        node->column = t->column;
        (void)take(p);
        *out = node;
        return control(p, kind, node);
    }
    if (!list(p, out, &end))
        return false;
    return end == END_END || fail(p, peek(p)->line, "expected end; found {{else}}");
}

/* if, with and range, behind the word. */
static bool control(parser *p, tpl_node_kind kind, tpl_node *node)
{
    static const char *const names[] = {
        [TPL_N_IF] = "if", [TPL_N_WITH] = "with", [TPL_N_RANGE] = "range"};
    size_t variables = p->n_variables;
    ending end;
    node->kind = kind;
    if (!enter(p) || !pipeline(p, names[kind], TPL_RIGHT, &node->pipe))
        return false;
    p->loops += kind == TPL_N_RANGE;
    if (!list(p, &node->body, &end))
        return false;
    p->loops -= kind == TPL_N_RANGE;
    if (end == END_ELSE && !otherwise(p, kind, &node->otherwise))
        return false;
    p->n_variables = variables;
    p->depth--;
    return true;
}

static bool jump(parser *p, const tpl_token *word, tpl_node_kind kind, tpl_node *node)
{
    const char *text = kind == TPL_N_BREAK ? "{{break}}" : "{{continue}}";
    node->kind = kind;
    const tpl_token *t = take_next(p);
    if (t->kind != TPL_RIGHT)
        return unexpected(p, t, text);
    return p->loops > 0 || fail(p, word->line, "%s outside {{range}}", text);
}

static bool template_name(parser *p, const char *context, vs_span *out)
{
    const tpl_token *t = take_next(p);
    if (t->kind != TPL_STRING && t->kind != TPL_RAW)
        return unexpected(p, t, context);
    return unquote(p, t, out);
}

static bool call(parser *p, tpl_node *node)
{
    node->kind = TPL_N_CALL;
    if (!template_name(p, "template clause", &node->text))
        return false;
    if (peek(p)->kind != TPL_RIGHT)
        return pipeline(p, "template clause", TPL_RIGHT, &node->pipe);
    (void)take(p);
    return true;
}

/* Only white space: such a definition gives way to another one. */
static bool is_empty(const tpl_node *n)
{
    for (; n; n = n->next)
        if (n->kind != TPL_N_TEXT || vs_span_trim(n->text).n)
            return false;
    return true;
}

static bool add_tree(parser *p, uint32_t line, vs_span name, const tpl_node *body)
{
    tpl_tree *t = p->trees;
    while (t && !vs_span_eq(t->name, name))
        t = t->next;
    if (!t) {
        t = new (p, sizeof *t);
        if (!t)
            return false;
        *t = (tpl_tree){.name = name, .next = p->trees};
        p->trees = t;
    } else if (!is_empty(t->body)) {
        return is_empty(body) || fail(p, line, "template: multiple definition of template \"%.*s\"",
                                      VS_FMT(vs_span_head(name, 60)));
    }
    t->body = body;
    return true;
}

/* The body of {{define}} or {{block}}: a template of its own, with its own variables and loops. */
static bool definition(parser *p, uint32_t line, vs_span name, const char *context)
{
    size_t variables = p->n_variables, first = p->first_variable;
    unsigned loops = p->loops;
    const tpl_node *body = NULL;
    ending end;
    p->first_variable = variables;
    p->loops = 0;
    if (!enter(p) || !declare(p, VS_LIT("$")))
        return false;
    if (!list(p, &body, &end))
        return false;
    if (end != END_END)
        return fail(p, line, "unexpected {{else}} in %s", context);
    p->n_variables = variables;
    p->first_variable = first;
    p->loops = loops;
    p->depth--;
    return add_tree(p, line, name, body);
}

static bool block(parser *p, uint32_t line, tpl_node *node)
{
    node->kind = TPL_N_CALL;
    return template_name(p, "block clause", &node->text) &&
           pipeline(p, "block clause", TPL_RIGHT, &node->pipe) &&
           definition(p, line, node->text, "block clause");
}

/* An action, behind "{{". */
static bool action(parser *p, tpl_node *node, ending *end)
{
    const tpl_token *t = peek(p);
    node->line = t->line;
    node->column = t->column;
    if (t->kind > TPL_NIL && t->kind != TPL_DEFINE)
        (void)take(p);
    switch (t->kind) {
    case TPL_IF: return control(p, TPL_N_IF, node);
    case TPL_WITH: return control(p, TPL_N_WITH, node);
    case TPL_RANGE: return control(p, TPL_N_RANGE, node);
    case TPL_TEMPLATE: return call(p, node);
    case TPL_BLOCK: return block(p, t->line, node);
    case TPL_BREAK: return jump(p, t, TPL_N_BREAK, node);
    case TPL_CONTINUE: return jump(p, t, TPL_N_CONTINUE, node);
    case TPL_END: *end = END_END; return expect_right(p, "end");
    case TPL_ELSE: {
        *end = END_ELSE;
        tpl_token_kind k = peek(p)->kind;
        return k == TPL_IF || k == TPL_WITH || expect_right(p, "else");
    }
    default: node->kind = TPL_N_PIPE; return pipeline(p, "command", TPL_RIGHT, &node->pipe);
    }
}

/* One text or action; *node = NULL at {{end}} and {{else}}. */
static bool text_or_action(parser *p, tpl_node **out, ending *end)
{
    const tpl_token *t = take_next(p);
    tpl_node *node = new (p, sizeof *node);
    *out = node;
    *end = END_NONE;
    if (!node || !rego_charge(p->b, 1))
        return limit(p);
    node->line = t->line;
    if (t->kind == TPL_TEXT) {
        node->kind = TPL_N_TEXT;
        node->text = t->text;
        return true;
    }
    if (t->kind != TPL_LEFT)
        return unexpected(p, t, "input");
    return action(p, node, end);
}

/* Nodes up to {{end}} or {{else}}. */
static bool list(parser *p, const tpl_node **out, ending *end)
{
    const tpl_node *first = NULL;
    tpl_node *last = NULL, *node;
    for (;;) {
        if (peek(p)->kind == TPL_EOF)
            return unexpected(p, p->next, "input");
        if (!text_or_action(p, &node, end))
            return false;
        if (*end != END_NONE)
            break;
        if (last)
            last->next = node;
        else
            first = node;
        last = node;
    }
    *out = first;
    return true;
}

/* {{define "name"}} ... {{end}}, behind the word. */
static bool define(parser *p, uint32_t line)
{
    vs_span name;
    return template_name(p, "define clause", &name) && expect_right(p, "define clause") &&
           definition(p, line, name, "define clause");
}

static bool whole(parser *p)
{
    const tpl_node *first = NULL;
    tpl_node *last = NULL, *node;
    while (peek(p)->kind != TPL_EOF) {
        const tpl_token *t = p->next;
        ending end;
        if (t->kind == TPL_LEFT) {
            p->next++;
            if (peek(p)->kind == TPL_DEFINE) {
                (void)take(p);
                if (!define(p, t->line))
                    return false;
                continue;
            }
            p->next = t;
        }
        if (!text_or_action(p, &node, &end))
            return false;
        if (end != END_NONE)
            return fail(p, t->line, "unexpected %s", end == END_END ? "{{end}}" : "{{else}}");
        if (last)
            last->next = node;
        else
            first = node;
        last = node;
    }
    return add_tree(p, p->next->line, VS_LIT("template"), first);
}

rego_bres tpl_parse(rego_bctx *b, vs_span text, const tpl_tree **out)
{
    const tpl_token *tokens = tpl_lex(b, text);
    if (!tokens)
        return REGO_B_LIMIT;
    parser *p = VS_NEW(b->a, parser);
    if (!p)
        return REGO_B_LIMIT;
    p->b = b;
    p->next = tokens;
    (void)declare(p, VS_LIT("$"));
    if (!whole(p))
        return p->failed;
    *out = p->trees;
    return REGO_B_OK;
}

const tpl_tree *tpl_find(const tpl_tree *t, vs_span name)
{
    while (t && !vs_span_eq(t->name, name))
        t = t->next;
    return t;
}
