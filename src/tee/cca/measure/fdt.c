/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/measure/fdt.h"

enum { TOKEN_BEGIN = 1, TOKEN_END = 2, TOKEN_PROP = 3, TOKEN_NOP = 4, TOKEN_DONE = 9 };
enum { HEADER_SIZE = 40, RESERVATIONS_SIZE = 16, VERSION = 17, COMPATIBLE_VERSION = 16 };
static const uint32_t MAGIC = 0xd00dfeed;

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put32(vs_buf *b, uint32_t v)
{
    const uint8_t be[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    vs_buf_put(b, vs_span_of(be, sizeof be));
}

static void pad(vs_buf *b)
{
    static const uint8_t zeros[4];
    vs_buf_put(b, vs_span_of(zeros, (4 - b->n % 4) % 4));
}

void fdt_free(fdt_writer *w)
{
    vs_buf_free(&w->structure);
    vs_buf_free(&w->strings);
}

void fdt_begin(fdt_writer *w, const char *name)
{
    put32(&w->structure, TOKEN_BEGIN);
    vs_buf_put(&w->structure, vs_span_of(name, strlen(name) + 1));
    pad(&w->structure);
}

void fdt_begin_at(fdt_writer *w, const char *name, uint64_t at)
{
    put32(&w->structure, TOKEN_BEGIN);
    vs_buf_printf(&w->structure, "%s@%llx", name, (unsigned long long)at);
    vs_buf_putc(&w->structure, 0);
    pad(&w->structure);
}

void fdt_end(fdt_writer *w)
{
    put32(&w->structure, TOKEN_END);
}

/* Where the name is in the strings; added when it is not there. */
static uint32_t name_offset(vs_buf *strings, const char *name)
{
    for (size_t at = 0; at < strings->n; at += strlen((const char *)strings->p + at) + 1)
        if (strcmp((const char *)strings->p + at, name) == 0)
            return (uint32_t)at;
    size_t at = strings->n;
    vs_buf_put(strings, vs_span_of(name, strlen(name) + 1));
    return (uint32_t)at;
}

void fdt_bytes(fdt_writer *w, const char *name, vs_span value)
{
    put32(&w->structure, TOKEN_PROP);
    put32(&w->structure, (uint32_t)value.n);
    put32(&w->structure, name_offset(&w->strings, name));
    vs_buf_put(&w->structure, value);
    pad(&w->structure);
}

void fdt_flag(fdt_writer *w, const char *name)
{
    fdt_bytes(w, name, (vs_span){0});
}

void fdt_text(fdt_writer *w, const char *name, const char *value)
{
    fdt_bytes(w, name, vs_span_of(value, strlen(value) + 1));
}

void fdt_texts(fdt_writer *w, const char *name, vs_span values)
{
    fdt_bytes(w, name, values);
}

static void begin_value(fdt_writer *w, const char *name, size_t size)
{
    put32(&w->structure, TOKEN_PROP);
    put32(&w->structure, (uint32_t)size);
    put32(&w->structure, name_offset(&w->strings, name));
}

void fdt_cells(fdt_writer *w, const char *name, const uint32_t *cells, size_t n)
{
    begin_value(w, name, 4 * n);
    for (size_t i = 0; i < n; i++)
        put32(&w->structure, cells[i]);
}

void fdt_pairs(fdt_writer *w, const char *name, const uint64_t *values, size_t n)
{
    begin_value(w, name, 8 * n);
    for (size_t i = 0; i < n; i++) {
        put32(&w->structure, (uint32_t)(values[i] >> 32));
        put32(&w->structure, (uint32_t)values[i]);
    }
}

vs_code fdt_finish(fdt_writer *w, vs_buf *out, vs_error *err)
{
    static const uint8_t no_reservations[RESERVATIONS_SIZE];
    put32(&w->structure, TOKEN_DONE);
    VS_TRY_WRAP(vs_buf_check(&w->structure, err), err, "devicetree");
    VS_TRY_WRAP(vs_buf_check(&w->strings, err), err, "devicetree");
    uint32_t structure = HEADER_SIZE + RESERVATIONS_SIZE;
    uint32_t strings = structure + (uint32_t)w->structure.n;
    const uint32_t header[] = {MAGIC,
                               strings + (uint32_t)w->strings.n,
                               structure,
                               strings,
                               HEADER_SIZE,
                               VERSION,
                               COMPATIBLE_VERSION,
                               0, /* boot_cpuid_phys */
                               (uint32_t)w->strings.n,
                               (uint32_t)w->structure.n};
    for (size_t i = 0; i < VS_COUNT(header); i++)
        put32(out, header[i]);
    vs_buf_put(out, vs_span_of(no_reservations, sizeof no_reservations));
    vs_buf_put(out, vs_buf_span(&w->structure));
    vs_buf_put(out, vs_buf_span(&w->strings));
    return vs_buf_check(out, err);
}

/* ---- reading: the header ----------------------------------------------------------------------
 */

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

typedef struct blob {
    vs_span whole, structure, strings;
} blob;

static vs_code part(const char *what, vs_span whole, uint32_t at, uint32_t size, vs_span *out,
                    vs_error *err)
{
    if (at < HEADER_SIZE || at > whole.n || size > whole.n - at)
        return vs_fail(err, VS_E_PARSE, "its %s, %u bytes at %u, is outside its %zu bytes", what,
                       size, at, whole.n);
    *out = vs_span_of(whole.p + at, size);
    return VS_OK;
}

static vs_code check_behind(vs_span in, size_t total, vs_error *err)
{
    for (size_t i = total; i < in.n; i++)
        if (in.p[i])
            return vs_fail(err, VS_E_PARSE, "its totalsize is %zu, but byte %zu behind is not zero",
                           total, i);
    return VS_OK;
}

static vs_code open_blob(vs_span in, blob *out, vs_error *err)
{
    enum { TOTALSIZE = 4, OFF_STRUCT = 8, OFF_STRINGS = 12, LAST_COMP = 24, SIZE_STRINGS = 32 };
    enum { SIZE_STRUCT = 36, AT_VERSION = 20 };
    if (in.n < HEADER_SIZE)
        return vs_fail(err, VS_E_PARSE, "%zu bytes are no devicetree", in.n);
    if (get32(in.p) != MAGIC)
        return vs_fail(err, VS_E_PARSE, "no devicetree: its magic is 0x%08x, not 0x%08x",
                       get32(in.p), MAGIC);
    uint32_t total = get32(in.p + TOTALSIZE);
    if (total < HEADER_SIZE || total > in.n)
        return vs_fail(err, VS_E_PARSE, "its totalsize is %u, the file has %zu bytes", total, in.n);
    if (get32(in.p + AT_VERSION) < VERSION || get32(in.p + LAST_COMP) > VERSION)
        return vs_fail(err, VS_E_UNSUPPORTED, "devicetree version %u, compatible to %u: need 17",
                       get32(in.p + AT_VERSION), get32(in.p + LAST_COMP));
    out->whole = vs_span_of(in.p, total);
    VS_TRY(check_behind(in, total, err));
    VS_TRY(part("structure block", out->whole, get32(in.p + OFF_STRUCT), get32(in.p + SIZE_STRUCT),
                &out->structure, err));
    return part("strings block", out->whole, get32(in.p + OFF_STRINGS), get32(in.p + SIZE_STRINGS),
                &out->strings, err);
}

/* ---- reading: the structure -------------------------------------------------------------------
 */

typedef struct token {
    uint32_t kind;
    vs_span name, value; /* BEGIN, PROP: name; PROP: value */
} token;

/* Up to a NUL that must be there. */
static bool take_name(vs_span from, vs_span *out)
{
    const uint8_t *nul = from.n ? memchr(from.p, 0, from.n) : NULL;
    if (!nul)
        return false;
    *out = vs_span_of(from.p, (size_t)(nul - from.p));
    return true;
}

/* Reads one token and moves *at behind it and its padding. */
static bool next(const blob *b, size_t *at, token *t)
{
    vs_span rest = vs_span_from(b->structure, *at);
    size_t n = 4;
    if (rest.n < 4)
        return false;
    *t = (token){.kind = get32(rest.p)};
    if (t->kind == TOKEN_BEGIN) {
        if (!take_name(vs_span_from(rest, 4), &t->name))
            return false;
        n += t->name.n + 1;
    } else if (t->kind == TOKEN_PROP) {
        if (rest.n < 12 || get32(rest.p + 4) > rest.n - 12)
            return false;
        t->value = vs_span_of(rest.p + 12, get32(rest.p + 4));
        if (!take_name(vs_span_from(b->strings, get32(rest.p + 8)), &t->name))
            return false;
        n += 8 + t->value.n;
    }
    *at += (n + 3) & ~(size_t)3;
    return t->kind == TOKEN_BEGIN || t->kind == TOKEN_END || t->kind == TOKEN_PROP ||
           t->kind == TOKEN_NOP || t->kind == TOKEN_DONE;
}

vs_code fdt_check(vs_span in, vs_error *err)
{
    enum { DEPTH_MAX = 32 };
    blob b;
    token t;
    unsigned depth = 0;
    bool root_done = false;
    VS_TRY(open_blob(in, &b, err));
    for (size_t at = 0, from = 0;; from = at) {
        if (!next(&b, &at, &t))
            return vs_fail(err, VS_E_PARSE, "structure block is broken at %zu", from);
        bool fits = t.kind == TOKEN_NOP || (t.kind == TOKEN_DONE && root_done) ||
                    (t.kind == TOKEN_BEGIN && !root_done && depth < DEPTH_MAX) ||
                    ((t.kind == TOKEN_PROP || t.kind == TOKEN_END) && depth > 0);
        if (!fits)
            return vs_fail(err, VS_E_PARSE, "token %u at %zu does not fit depth %u", t.kind, from,
                           depth);
        if (t.kind == TOKEN_DONE)
            return VS_OK;
        depth += t.kind == TOKEN_BEGIN;
        depth -= t.kind == TOKEN_END;
        root_done = t.kind == TOKEN_END && depth == 0 ? true : root_done;
    }
}

static bool is_node(vs_span name, const char *node)
{
    return vs_span_is(vs_span_cut(name, '@', &(vs_span){0}, NULL), node);
}

bool fdt_find(vs_span in, const char *node, const char *property, vs_span *value)
{
    blob b;
    token t = {0};
    unsigned depth = 0;
    bool here = false;
    if (open_blob(in, &b, NULL) != VS_OK)
        return false;
    for (size_t at = 0; next(&b, &at, &t) && t.kind != TOKEN_DONE;) {
        if (t.kind == TOKEN_BEGIN && ++depth == 2)
            here = is_node(t.name, node);
        else if (t.kind == TOKEN_END && depth-- == 2)
            here = false;
        else if (t.kind == TOKEN_PROP && here && depth == 2 && vs_span_is(t.name, property)) {
            *value = t.value;
            return true;
        }
    }
    return false;
}
