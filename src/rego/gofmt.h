/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's package fmt over the Go values that Rego values become: what sprintf and
 * strings.render_template print (rego.md 10.4, 11).
 */
#ifndef VS_REGO_GOFMT_H
#define VS_REGO_GOFMT_H

#include "base/buf.h"
#include "value/value.h"

typedef enum go_kind {
    GO_NIL, /* also what is missing */
    GO_BOOL,
    GO_INT,
    GO_BYTE,
    GO_BIG, /* *big.Int */
    GO_FLOAT,
    GO_STRING,
    GO_NUMBER, /* json.Number: a string that is a number's text */
    GO_SLICE,  /* []interface {} */
    GO_MAP,    /* map[string]interface {} */
} go_kind;

typedef struct go_val {
    uint8_t kind; /* go_kind */
    bool boxed;   /* an interface {} that holds it: a member of a slice or map */
    bool rego;    /* a number of Rego: an integer is an int64, and %s prints it (rego.md 11) */
    union {
        bool b;
        int64_t i; /* GO_INT, GO_BYTE */
        double f;
        vs_span s;  /* GO_STRING, GO_NUMBER */
        vs_val val; /* GO_BIG, GO_SLICE, GO_MAP: a number, an array, an object with text keys */
    } u;
} go_val;

/* A member of decoded JSON, boxed; numbers are of the kind GO_NUMBER and their text is put on the
 * arena. */
go_val go_of_json(vs_arena *a, vs_val v);
static inline go_val go_string(vs_span s)
{
    return (go_val){.kind = GO_STRING, .u.s = s};
}
static inline go_val go_int(int64_t i)
{
    return (go_val){.kind = GO_INT, .u.i = i};
}
static inline go_val go_bool(bool b)
{
    return (go_val){.kind = GO_BOOL, .u.b = b};
}
/* "int", "json.Number", "map[string]interface {}"; of what a box holds. */
const char *go_type(go_val v);
/* Strings and what is a string to Go's reflect package. */
static inline bool go_is_text(go_val v)
{
    return v.kind == GO_STRING || v.kind == GO_NUMBER;
}

/* Sprintf, Sprint and Sprintln. The arena is for temporary texts; when it fails, its `failed` says
 * so and what was printed is of no use. `out` has its own sticky failure. */
void go_printf(vs_buf *out, vs_arena *a, vs_span format, const go_val *args, size_t n);
void go_print(vs_buf *out, vs_arena *a, const go_val *args, size_t n);
void go_println(vs_buf *out, vs_arena *a, const go_val *args, size_t n);

#endif
