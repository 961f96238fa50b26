/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind builtins.def; each is described in rego.md 10. */
#ifndef VS_REGO_BUILTINS_H
#define VS_REGO_BUILTINS_H

#include "rego/builtin.h"

#define B(name, takes, gives, fn)                                                                  \
    rego_bres fn(rego_bctx *b, const vs_val *args, unsigned n, vs_val *out);
#define V0(name, takes, gives, fn)       B(name, takes, gives, fn)
#define RELATION(name, takes, gives, fn) B(name, takes, gives, fn)
#define NONDET(name, takes, gives, fn)   B(name, takes, gives, fn)
#define REFUSED(name, takes, gives)
#include "rego/builtins.def"
#undef B
#undef V0
#undef RELATION
#undef NONDET
#undef REFUSED

/* The compiled pattern, from the evaluation's cache if it is there; an error is recorded. */
struct rego_regex;
rego_bres rego_regex_get(rego_bctx *b, vs_span pattern, const struct rego_regex **out);
/* `text` with what is special in a pattern escaped. */
void rego_regex_quote(vs_buf *out, vs_span text);
/* How many copies the counted repetitions of a pattern ask for: "(a{2}b{3}){10}" is 50. The size of
 * the automaton grows with it. UINT64_MAX when one of them alone asks for more than RE2 takes. */
uint64_t rego_regex_repetitions(vs_span pattern);

/* Undoes %XX, and '+' when `form`. False at the first bad escape, which *bad then is. */
bool rego_url_unescape(vs_arena *a, vs_span s, bool form, vs_span *out, vs_span *bad);

/* The path of a URI, escaped where it is not yet, as Go's EscapedPath. */
rego_bres rego_uri_escaped_path(rego_bctx *b, vs_span text, vs_span *out);

/* An IP address as Go prints it; undefined when it is none. */
vs_val rego_address_text(vs_arena *a, vs_span s);

/* The first argument of another kind than wanted is a type error. */
#define REGO_WANT(i, k)                                                                            \
    do {                                                                                           \
        if (args[i].kind != (k))                                                                   \
            return rego_type_error(b, (i) + 1, vs_kind_name(k), args[i]);                          \
    } while (0)

#endif
