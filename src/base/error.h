/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors are values: a code for programs, and a chain of sentences for the operator.
 *
 * A function that can fail returns vs_code and takes a `vs_error *err` as its last parameter. It
 * reports with `return vs_fail(err, VS_E_..., "what was wrong, where")`; a caller that knows more
 * adds its own sentence with `return vs_wrap(err, "reading %s", path)`, which keeps the code. `err`
 * may be NULL: then only the code is told. Sentences start in lower case, end without a full stop,
 * and never hold a secret: remote peers are told less than this (see api/), operators all of it.
 */
#ifndef VS_BASE_ERROR_H
#define VS_BASE_ERROR_H

#include "base/span.h"

typedef enum vs_code {
    VS_OK = 0,
    VS_E_NOMEM,       /* out of memory, or an arena or buffer reached its cap */
    VS_E_PARSE,       /* not well formed: text or bytes break the format's grammar */
    VS_E_INVALID,     /* well formed, but a value is wrong, missing or out of range */
    VS_E_UNSUPPORTED, /* a known thing that this build or configuration does not do */
    VS_E_LIMIT,       /* a size, depth, step or time limit was exceeded */
    VS_E_CRYPTO,      /* a signature, tag, MAC or key agreement failed */
    VS_E_EXPIRED,     /* not valid now: expired or not yet valid */
    VS_E_UNTRUSTED,   /* no trust anchor, or a chain that does not end at one */
    VS_E_MISMATCH,    /* a value is not the expected one: nonce, report data, binding */
    VS_E_DENIED,      /* policy or authorisation says no */
    VS_E_NOT_FOUND,   /* no such record, file, policy, plugin */
    VS_E_EXISTS,      /* is already there */
    VS_E_CONFLICT,    /* contradicting results or concurrent change */
    VS_E_IO,          /* the operating system or a peer failed */
    VS_E_TIMEOUT,
    VS_E_BUSY,     /* too much is under way; the same may succeed later */
    VS_E_INTERNAL, /* a bug or a broken invariant */
} vs_code;

enum { VS_ERROR_TEXT = 1024, VS_ERROR_DEPTH = 8 };

/* Zero-initialise before use: `vs_error err = {0};`. No ownership, copyable. */
typedef struct vs_error {
    vs_code code;
    uint8_t depth;               /* sentences held; the last one is the outermost */
    uint16_t at[VS_ERROR_DEPTH]; /* where each starts in text */
    uint16_t used;
    char text[VS_ERROR_TEXT]; /* NUL-terminated sentences, cut when full */
} vs_error;

/* Starts a new chain (whatever was there is dropped) and returns `code`. */
vs_code vs_fail(vs_error *err, vs_code code, const char *fmt, ...) VS_PRINTF(3, 4);
/* Adds an outer sentence to a chain and returns its code. With err NULL: VS_E_INTERNAL is NOT
 * known here, so callers that pass NULL must keep the code themselves (see VS_TRY). */
vs_code vs_wrap(vs_error *err, const char *fmt, ...) VS_PRINTF(2, 3);
/* As vs_fail, with the text of errno value `eno` at the end. */
vs_code vs_fail_errno(vs_error *err, vs_code code, int eno, const char *fmt, ...) VS_PRINTF(4, 5);

/* The i-th sentence, 0 = outermost; NULL beyond the end. */
const char *vs_error_at(const vs_error *err, unsigned i);
/* "outer: inner: root" into `out` (NUL terminated, cut at cap). Returns out. */
char *vs_error_text(const vs_error *err, char *out, size_t cap);
/* A short stable name: "parse", "crypto", ... for logs and metrics. */
const char *vs_code_name(vs_code code);

/* Returns from the calling function when `expr` fails. */
#define VS_TRY(expr)                                                                               \
    do {                                                                                           \
        vs_code vs_try_ = (expr);                                                                  \
        if (vs_try_ != VS_OK)                                                                      \
            return vs_try_;                                                                        \
    } while (0)

/* As VS_TRY, and adds an outer sentence first. */
#define VS_TRY_WRAP(expr, err, ...)                                                                \
    do {                                                                                           \
        vs_code vs_try_ = (expr);                                                                  \
        if (vs_try_ != VS_OK) {                                                                    \
            (void)vs_wrap((err), __VA_ARGS__);                                                     \
            return vs_try_;                                                                        \
        }                                                                                          \
    } while (0)

/* Scope-bound release: `vs_defer(vs_key_free) vs_key *k = NULL;` with a `void f(T **)` function. */
#define VS_CLEANUP(fn) __attribute__((cleanup(fn)))

#endif
