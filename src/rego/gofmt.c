/* SPDX-License-Identifier: Apache-2.0 */
/* Directives, and the dispatch of a value and a verb to what formats it. */
#include "rego/gofmt.h"

#include <stdio.h>

#include "base/enc.h"
#include "rego/gofmt_verbs.h"
#include "value/number.h"

static const char nil_text[] = "<nil>";

go_val go_of_json(vs_arena *a, vs_val v)
{
    go_val g = {.kind = GO_NIL, .boxed = true};
    switch ((vs_kind)v.kind) {
    case VS_BOOL:
        g.kind = GO_BOOL;
        g.u.b = v.u.b;
        break;
    case VS_NUMBER:
        g.kind = GO_NUMBER;
        g.u.s = vs_num_text(a, v);
        break;
    case VS_STRING:
        g.kind = GO_STRING;
        g.u.s = vs_text(v);
        break;
    case VS_ARRAY:
    case VS_OBJECT:
        g.kind = v.kind == VS_ARRAY ? GO_SLICE : GO_MAP;
        g.u.val = v;
        break;
    default: break;
    }
    return g;
}

const char *go_type(go_val v)
{
    switch ((go_kind)v.kind) {
    case GO_NIL: return nil_text;
    case GO_BOOL: return "bool";
    case GO_INT: return v.rego ? "int64" : "int";
    case GO_BYTE: return "uint8";
    case GO_BIG: return "*big.Int";
    case GO_FLOAT: return "float64";
    case GO_STRING: return "string";
    case GO_NUMBER: return "json.Number";
    case GO_SLICE: return "[]interface {}";
    case GO_MAP: return "map[string]interface {}";
    }
    return "";
}

/* ---- one value ------------------------------------------------------------------------------ */

static void put_value(go_fmt *f, go_val v, uint32_t verb);

static void put_rune(vs_buf *out, uint32_t cp)
{
    uint8_t enc[4];
    vs_buf_put(out, vs_span_of(enc, vs_utf8_put(enc, cp)));
}

/* %!d(string=hi) */
static void put_bad_verb(go_fmt *f, go_val v, uint32_t verb)
{
    bool outer = f->erroring;
    f->erroring = true;
    vs_buf_puts(f->out, "%!");
    put_rune(f->out, verb);
    vs_buf_putc(f->out, '(');
    if (v.kind == GO_NIL) {
        vs_buf_puts(f->out, nil_text);
    } else if (v.kind == GO_BIG) { /* says so itself, and takes no flags */
        vs_buf_puts(f->out, "big.Int=");
        vs_buf_put(f->out, vs_num_text_base(f->a, v.u.val, 10));
    } else {
        vs_buf_puts(f->out, go_type(v));
        vs_buf_putc(f->out, '=');
        put_value(f, v, 'v');
    }
    vs_buf_putc(f->out, ')');
    f->erroring = outer;
}

static bool put_bool(go_fmt *f, bool b, uint32_t verb)
{
    if (verb != 't' && verb != 'v')
        return false;
    go_pad(f, vs_str(b ? "true" : "false"));
    return true;
}

static bool put_int(go_fmt *f, go_val v, uint32_t verb)
{
    char text[72];
    unsigned base = 10;
    switch (verb) {
    case 'v':
        if (f->sharp_v && v.kind == GO_BYTE) { /* %#v of an unsigned integer is hexadecimal */
            f->sharp = true;
            verb = 'x';
            base = 16;
        }
        break;
    case 'd': break;
    case 'b': base = 2; break;
    case 'o':
    case 'O': base = 8; break;
    case 'x':
    case 'X': base = 16; break;
    case 'c': go_put_rune(f, v.u.i); return true;
    case 'q': go_put_quoted_rune(f, v.u.i); return true;
    case 'U': go_put_unicode(f, v.u.i); return true;
    default: return false;
    }
    uint64_t u = v.u.i < 0 ? 0 - (uint64_t)v.u.i : (uint64_t)v.u.i;
    size_t at = sizeof text;
    do {
        text[--at] = "0123456789abcdef"[u % base];
        u /= base;
    } while (u);
    bool sharp = f->sharp;
    go_put_integer(f, v.u.i < 0, vs_span_of(text + at, sizeof text - at), base, verb);
    f->sharp = sharp && !f->sharp_v;
    return true;
}

static bool put_float(go_fmt *f, double x, uint32_t verb)
{
    switch (verb) {
    case 'v': go_put_float(f, x, 'g', -1); return true;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X': go_put_float(f, x, (char)verb, -1); return true;
    case 'F': go_put_float(f, x, 'f', 6); return true;
    case 'f':
    case 'e':
    case 'E': go_put_float(f, x, (char)verb, 6); return true;
    default: return false;
    }
}

static bool put_string(go_fmt *f, vs_span s, uint32_t verb)
{
    switch (verb) {
    case 'v':
        if (f->sharp_v)
            go_put_quoted(f, s);
        else
            go_put_text(f, s);
        return true;
    case 's': go_put_text(f, s); return true;
    case 'x':
    case 'X': go_put_hex(f, s, verb == 'X'); return true;
    case 'q': go_put_quoted(f, s); return true;
    default: return false;
    }
}

static void put_member(go_fmt *f, vs_val v, uint32_t verb)
{
    go_val g = go_of_json(f->a, v);
    if (g.kind == GO_NIL)
        vs_buf_puts(f->out, f->sharp_v ? "interface {}(nil)" : nil_text);
    else
        put_value(f, g, verb);
}

static void put_composite(go_fmt *f, vs_val v, const char *type, uint32_t verb)
{
    bool map = v.kind == VS_OBJECT;
    if (f->sharp_v)
        vs_buf_puts(f->out, type);
    vs_buf_puts(f->out, f->sharp_v ? "{" : map ? "map[" : "[");
    for (uint32_t i = 0; i < v.len && vs_buf_ok(f->out); i++) {
        if (i)
            vs_buf_puts(f->out, f->sharp_v ? ", " : " ");
        if (map) {
            put_value(f, go_string(vs_text(v.u.pairs[i].key)), verb);
            vs_buf_putc(f->out, ':');
        }
        put_member(f, map ? v.u.pairs[i].val : v.u.items[i], verb);
    }
    vs_buf_putc(f->out, f->sharp_v ? '}' : ']');
}

/* The depth of recursion is that of the value. */
static void put_value(go_fmt *f, go_val v, uint32_t verb)
{
    bool done = true;
    if (verb == 's' && v.rego)
        verb = 'v';
    if (verb == 'T') {
        go_put_text(f, vs_str(go_type(v)));
        return;
    }
    switch ((go_kind)v.kind) {
    case GO_NIL:
        done = verb == 'v';
        if (done)
            go_pad(f, vs_str(nil_text));
        break;
    case GO_BOOL: done = put_bool(f, v.u.b, verb); break;
    case GO_INT:
    case GO_BYTE: done = put_int(f, v, verb); break;
    case GO_BIG: done = go_put_big(f, v.u.val, verb); break;
    case GO_FLOAT: done = put_float(f, v.u.f, verb); break;
    case GO_STRING:
    case GO_NUMBER: done = put_string(f, v.u.s, verb); break;
    case GO_SLICE:
    case GO_MAP:
        done = verb != 'p'; /* an address is nothing to print */
        if (done)
            put_composite(f, v.u.val, go_type(v), verb);
        break;
    }
    if (!done)
        put_bad_verb(f, v, verb);
}

/* ---- directives ----------------------------------------------------------------------------- */

typedef struct reader {
    vs_span format;
    size_t at;
    const go_val *args;
    size_t n, next; /* next: the argument to come */
    bool reordered; /* there was a [n] */
    bool good;      /* the [n] of this directive are right */
    bool indexed;   /* a [n] stands directly before what comes */
} reader;

static uint8_t peek(const reader *r)
{
    return r->at < r->format.n ? r->format.p[r->at] : 0;
}

/* Digits at r->at, in front of `end`. A number too large takes all that is left with it. */
static bool read_number(reader *r, size_t end, int32_t *out)
{
    bool any = false;
    *out = 0;
    for (; r->at < end && peek(r) >= '0' && peek(r) <= '9'; r->at++) {
        if (*out > GO_WIDTH_MAX) {
            *out = 0;
            r->at = end;
            return false;
        }
        *out = *out * 10 + (peek(r) - '0');
        any = true;
    }
    return any;
}

/* [n], from 1. */
static void read_index(reader *r)
{
    r->indexed = false;
    if (peek(r) != '[')
        return;
    r->reordered = true;
    const uint8_t *open = r->format.p + r->at;
    const uint8_t *close =
        r->format.n - r->at < 3 ? NULL : memchr(open + 1, ']', r->format.n - r->at - 1);
    if (!close) {
        r->good = false;
        r->at++;
        return;
    }
    size_t end = (size_t)(close - r->format.p);
    int32_t number;
    r->at++;
    bool ok = read_number(r, end, &number) && r->at == end;
    r->at = end + 1;
    r->indexed = ok;
    if (ok && number >= 1 && (size_t)number <= r->n)
        r->next = (size_t)number - 1;
    else
        r->good = false;
}

/* The argument of a '*'. */
static bool read_star(reader *r, int32_t *out)
{
    *out = 0;
    r->at++;
    r->indexed = false;
    if (r->next >= r->n)
        return false;
    go_val v = r->args[r->next++];
    if ((v.kind != GO_INT && v.kind != GO_BYTE) || v.u.i > GO_WIDTH_MAX || v.u.i < -GO_WIDTH_MAX)
        return false;
    *out = (int32_t)v.u.i;
    return true;
}

static void read_flags(reader *r, go_fmt *f)
{
    for (;; r->at++) {
        switch (peek(r)) {
        case '#': f->sharp = true; break;
        case '0': f->zero = true; break;
        case '+': f->plus = true; break;
        case '-': f->minus = true; break;
        case ' ': f->space = true; break;
        default: return;
        }
    }
}

static void read_width(reader *r, go_fmt *f)
{
    read_index(r);
    if (peek(r) == '*') {
        f->has_width = read_star(r, &f->width);
        if (!f->has_width)
            vs_buf_puts(f->out, "%!(BADWIDTH)");
        if (f->width < 0) { /* as the flag '-', which takes away '0' */
            f->width = -f->width;
            f->minus = true;
            f->zero = false;
        }
        return;
    }
    bool indexed = r->indexed;
    f->has_width = read_number(r, r->format.n, &f->width);
    if (indexed && f->has_width) /* "%[3]2d" */
        r->good = false;
}

static void read_precision(reader *r, go_fmt *f)
{
    if (peek(r) != '.' || r->at + 1 == r->format.n) /* at the very end it is the verb */
        return;
    r->at++;
    if (r->indexed) /* "%[3].2d" */
        r->good = false;
    read_index(r);
    if (peek(r) == '*') {
        f->has_prec = read_star(r, &f->prec);
        if (f->prec < 0) {
            f->prec = 0;
            f->has_prec = false;
        }
        if (!f->has_prec)
            vs_buf_puts(f->out, "%!(BADPREC)");
        return;
    }
    (void)read_number(r, r->format.n, &f->prec);
    f->has_prec = true; /* "." alone is 0 */
}

/* What stands behind a '%'. */
static void directive(reader *r, vs_buf *out, vs_arena *a)
{
    go_fmt f = {.out = out, .a = a};
    r->good = true;
    read_flags(r, &f);
    read_width(r, &f);
    read_precision(r, &f);
    if (!r->indexed)
        read_index(r);
    r->indexed = false;
    if (r->at >= r->format.n) {
        vs_buf_puts(out, "%!(NOVERB)");
        return;
    }
    uint32_t verb = vs_utf8_next(r->format, &r->at);
    if (verb == '%') {
        vs_buf_putc(out, '%');
        return;
    }
    if (!r->good || r->next >= r->n) {
        vs_buf_puts(out, "%!");
        put_rune(out, verb);
        vs_buf_puts(out, r->good ? "(MISSING)" : "(BADINDEX)");
        return;
    }
    if (verb == 'v' || verb == 'w') { /* %w is %v where errors are wrapped: not here */
        f.sharp_v = f.sharp;
        f.plus_v = f.plus;
        f.sharp = f.plus = false;
    }
    go_val v = r->args[r->next++];
    f.plus |= f.plus_v && v.kind == GO_BIG; /* which formats itself, and asks for the flag */
    put_value(&f, v, verb);
}

static void put_extra(const reader *r, vs_buf *out, vs_arena *a)
{
    go_fmt f = {.out = out, .a = a};
    vs_buf_puts(out, "%!(EXTRA ");
    for (size_t i = r->next; i < r->n; i++) {
        if (i > r->next)
            vs_buf_puts(out, ", ");
        vs_buf_puts(out, go_type(r->args[i]));
        if (r->args[i].kind == GO_NIL)
            continue;
        vs_buf_putc(out, '=');
        put_value(&f, r->args[i], 'v');
    }
    vs_buf_putc(out, ')');
}

void go_printf(vs_buf *out, vs_arena *a, vs_span format, const go_val *args, size_t n)
{
    reader r = {.format = format, .args = args, .n = n};
    while (r.at < format.n && vs_buf_ok(out)) {
        const uint8_t *from = format.p + r.at, *percent = memchr(from, '%', format.n - r.at);
        size_t plain = percent ? (size_t)(percent - from) : format.n - r.at;
        vs_buf_put(out, vs_span_of(from, plain));
        r.at += plain;
        if (!percent)
            break;
        r.at++;
        directive(&r, out, a);
    }
    if (!r.reordered && r.next < n)
        put_extra(&r, out, a);
}

/* ---- Print ---------------------------------------------------------------------------------- */

void go_print(vs_buf *out, vs_arena *a, const go_val *args, size_t n)
{
    go_fmt f = {.out = out, .a = a};
    for (size_t i = 0; i < n; i++) {
        if (i && !go_is_text(args[i - 1]) && !go_is_text(args[i]))
            vs_buf_putc(out, ' '); /* between operands when neither is a string */
        put_value(&f, args[i], 'v');
    }
}

void go_println(vs_buf *out, vs_arena *a, const go_val *args, size_t n)
{
    go_fmt f = {.out = out, .a = a};
    for (size_t i = 0; i < n; i++) {
        if (i)
            vs_buf_putc(out, ' ');
        put_value(&f, args[i], 'v');
    }
    vs_buf_putc(out, '\n');
}
