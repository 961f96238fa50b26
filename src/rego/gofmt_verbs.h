/* SPDX-License-Identifier: Apache-2.0 */
/* How one value is formatted under one verb; between gofmt.c and gofmt_verbs.c. */
#ifndef VS_REGO_GOFMT_VERBS_H
#define VS_REGO_GOFMT_VERBS_H

#include "rego/gofmt.h"

enum { GO_WIDTH_MAX = 1000000 };

typedef struct go_fmt {
    vs_buf *out;
    vs_arena *a;
    bool plus, minus, sharp, space, zero;
    bool plus_v, sharp_v;     /* %+v and %#v */
    bool has_width, has_prec; /* else the two are 0 */
    int32_t width, prec;      /* never negative, below 11 * GO_WIDTH_MAX */
    bool erroring;            /* within %!d(...) */
} go_fmt;

/* Text with padding to the width, counted in code points. */
void go_pad(go_fmt *f, vs_span text);
void go_pad_n(go_fmt *f, int64_t n);
/* Cut to the precision, then padded. */
void go_put_text(go_fmt *f, vs_span s);
void go_put_quoted(go_fmt *f, vs_span s);
void go_put_hex(go_fmt *f, vs_span s, bool upper);
/* `digits`: of the magnitude, in the base, without leading zeros ("0" for zero). */
void go_put_integer(go_fmt *f, bool negative, vs_span digits, unsigned base, uint32_t verb);
/* A *big.Int; false when the verb is none of its. */
bool go_put_big(go_fmt *f, vs_val v, uint32_t verb);
void go_put_rune(go_fmt *f, int64_t c);
void go_put_quoted_rune(go_fmt *f, int64_t c);
void go_put_unicode(go_fmt *f, int64_t c);
/* `prec` < 0: the shortest that reads back; the format's own precision goes before. */
void go_put_float(go_fmt *f, double x, char verb, int prec);

#endif
