/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number that is not an int64 is sign * limbs * 10^exp with limbs not divisible by ten: one
 * representation per number. GMP works on malloc'd temporaries; what is kept is copied to the arena
 * and read back through read-only views.
 */
#include "value/number.h"

#include <gmp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

struct vs_num {
    int32_t exp;
    int32_t size; /* number of limbs, negative for a negative number, as GMP has it */
    mp_limb_t limb[];
};

/* coef * 10^exp, not yet canonical. */
typedef struct dec {
    mpz_t coef;
    int64_t exp;
} dec;

static void dec_clear(dec *d)
{
    mpz_clear(d->coef);
}
#define DEC(name)                                                                                  \
    VS_CLEANUP(dec_clear) dec name = {.exp = 0};                                                   \
    mpz_init(name.coef)

static void load(dec *d, vs_val v)
{
    if (!v.big) {
        mpz_set_si(d->coef, v.u.i);
        d->exp = 0;
        return;
    }
    mpz_t view;
    mpz_set(d->coef, mpz_roinit_n(view, v.u.num->limb, v.u.num->size));
    d->exp = v.u.num->exp;
}

static void pow10_ui(mpz_t out, uint64_t e)
{
    mpz_ui_pow_ui(out, 10, e);
}

/* Strips factors of ten from the coefficient into the exponent. */
static void strip(dec *d)
{
    if (mpz_sgn(d->coef) == 0) {
        d->exp = 0;
        return;
    }
    /* Large powers first, so that a number of many zeros costs few divisions. */
    for (unsigned step = 512; step; step /= 2) {
        mpz_t p;
        mpz_init(p);
        pow10_ui(p, step);
        while (mpz_divisible_p(d->coef, p)) {
            mpz_divexact(d->coef, d->coef, p);
            d->exp += step;
        }
        mpz_clear(p);
    }
}

static vs_val too_large(vs_error *err)
{
    (void)vs_fail(err, VS_E_LIMIT, "number has more than %d digits or an exponent beyond %d",
                  VS_NUM_DIGITS, VS_NUM_EXP);
    return vs_undefined();
}

/* The canonical value of d. */
static vs_val store(vs_arena *a, dec *d, vs_error *err)
{
    if (mpz_sizeinbase(d->coef, 2) > (size_t)VS_NUM_DIGITS * 4)
        return too_large(err);
    strip(d);
    if (d->exp > VS_NUM_EXP || d->exp < -VS_NUM_EXP)
        return too_large(err);
    if (d->exp >= 0 && d->exp <= 18) {
        mpz_t i;
        mpz_init(i);
        pow10_ui(i, (uint64_t)d->exp);
        mpz_mul(i, i, d->coef);
        bool fits = mpz_fits_slong_p(i) != 0;
        int64_t small = fits ? mpz_get_si(i) : 0;
        mpz_clear(i);
        if (fits)
            return vs_int(small);
    }
    size_t n = mpz_size(d->coef);
    vs_num *num = vs_alloc(a, sizeof *num + n * sizeof(mp_limb_t));
    if (!num) {
        (void)vs_fail(err, VS_E_NOMEM, "out of memory");
        return vs_undefined();
    }
    num->exp = (int32_t)d->exp;
    num->size = mpz_sgn(d->coef) < 0 ? -(int32_t)n : (int32_t)n;
    memcpy(num->limb, mpz_limbs_read(d->coef), n * sizeof(mp_limb_t));
    return (vs_val){.kind = VS_NUMBER, .big = 1, .u.num = num};
}

vs_val vs_num_copy(vs_arena *a, vs_val v)
{
    if (!v.big)
        return v;
    size_t n = (size_t)abs(v.u.num->size);
    size_t bytes = sizeof(vs_num) + n * sizeof(mp_limb_t);
    vs_num *num = vs_alloc(a, bytes);
    if (!num)
        return vs_undefined();
    memcpy(num, v.u.num, bytes);
    v.u.num = num;
    return v;
}

/* ---- text -------------------------------------------------------------------------------------
 */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static size_t run_of_digits(vs_span s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && is_digit(s.p[at + n]))
        n++;
    return n;
}

/* Parts of a JSON number: spans of digits and the written exponent. */
typedef struct lexed {
    bool neg;
    vs_span whole, frac;
    int64_t exp; /* saturated far beyond VS_NUM_EXP */
} lexed;

static bool lex(vs_span s, lexed *l)
{
    size_t at = 0;
    *l = (lexed){0};
    if (at < s.n && s.p[at] == '-') {
        l->neg = true;
        at++;
    }
    size_t n = run_of_digits(s, at);
    if (n == 0 || (n > 1 && s.p[at] == '0'))
        return false;
    l->whole = vs_span_of(s.p + at, n);
    at += n;
    if (at < s.n && s.p[at] == '.') {
        n = run_of_digits(s, ++at);
        if (n == 0)
            return false;
        l->frac = vs_span_of(s.p + at, n);
        at += n;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        bool neg = at < s.n && s.p[at] == '-';
        if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
            at++;
        n = run_of_digits(s, at);
        if (n == 0)
            return false;
        for (size_t i = 0; i < n; i++)
            if (l->exp < 1000000000)
                l->exp = l->exp * 10 + (s.p[at + i] - '0');
        if (neg)
            l->exp = -l->exp;
        at += n;
    }
    return at == s.n;
}

static bool all_zero(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '0')
            return false;
    return true;
}

static bool small_integer(const lexed *l, int64_t *out)
{
    if (l->whole.n > 18 || l->frac.n || l->exp)
        return false;
    int64_t v = 0;
    for (size_t i = 0; i < l->whole.n; i++)
        v = v * 10 + (l->whole.p[i] - '0');
    *out = l->neg ? -v : v;
    return true;
}

vs_val vs_num_parse(vs_arena *a, vs_span text, vs_error *err)
{
    lexed l;
    int64_t small;
    if (!lex(text, &l)) {
        (void)vs_fail(err, VS_E_PARSE, "not a number: \"%.*s\"", VS_FMT(vs_span_head(text, 40)));
        return vs_undefined();
    }
    if (small_integer(&l, &small))
        return vs_int(small);
    if (all_zero(l.whole) && all_zero(l.frac))
        return vs_int(0);
    if (l.whole.n + l.frac.n > VS_NUM_DIGITS)
        return too_large(err);
    VS_CLEANUP(vs_buf_free) vs_buf digits = VS_BUF(VS_NUM_DIGITS + 2);
    vs_buf_puts(&digits, l.neg ? "-" : "");
    vs_buf_put(&digits, l.whole);
    vs_buf_put(&digits, l.frac);
    DEC(d);
    if (!vs_buf_ok(&digits)) {
        a->failed = true;
        (void)vs_fail(err, VS_E_NOMEM, "out of memory");
        return vs_undefined();
    }
    if (mpz_set_str(d.coef, (const char *)digits.p, 10) != 0)
        return too_large(err);
    d.exp = l.exp - (int64_t)l.frac.n;
    return store(a, &d, err);
}

vs_val vs_num_parse_base(vs_arena *a, vs_span text, int base, vs_error *err)
{
    DEC(d);
    VS_CLEANUP(vs_buf_free) vs_buf t = VS_BUF(VS_NUM_DIGITS + 2);
    vs_buf_put(&t, text);
    a->failed |= !vs_buf_ok(&t) && text.n <= VS_NUM_DIGITS; /* for want of memory */
    bool ok =
        text.n > 0 && vs_buf_ok(&t) && !memchr(text.p, 0, text.n) && !memchr(text.p, ' ', text.n);
    const char *s = ok ? (const char *)t.p + (text.p[0] == '+') : "";
    if (!ok || mpz_set_str(d.coef, s, base) != 0) {
        (void)vs_fail(err, VS_E_PARSE, "not an integer in base %d", base);
        return vs_undefined();
    }
    return store(a, &d, err);
}

vs_val vs_num_of_u64(vs_arena *a, uint64_t u)
{
    DEC(d);
    mpz_set_ui(d.coef, u);
    return store(a, &d, NULL);
}

vs_val vs_num_of_double(vs_arena *a, double x)
{
    if (!isfinite(x))
        return vs_undefined();
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, x);
        if (strtod(text, NULL) == x)
            break;
    }
    return vs_num_parse(a, vs_str(text), NULL);
}

/* Canonical decimal digits and exponent: value = digits * 10^exp. */
static void digits_of(const dec *d, vs_buf *out)
{
    size_t room = mpz_sizeinbase(d->coef, 10) + 2;
    uint8_t *p = vs_buf_reserve(out, room);
    if (!p)
        return;
    (void)mpz_get_str((char *)p, 10, d->coef);
    vs_buf_truncate(out, out->n - room + strlen((char *)p));
}

double vs_num_to_double(vs_val n)
{
    if (!n.big)
        return (double)n.u.i;
    DEC(d);
    load(&d, n);
    VS_CLEANUP(vs_buf_free) vs_buf t = VS_BUF(VS_NUM_DIGITS + 64);
    digits_of(&d, &t);
    vs_buf_printf(&t, "e%lld", (long long)d.exp);
    return vs_buf_ok(&t) ? strtod((const char *)t.p, NULL) : NAN;
}

static void put_scientific(vs_buf *out, vs_span digits, int64_t exp)
{
    vs_buf_put(out, vs_span_head(digits, 1));
    if (digits.n > 1) {
        vs_buf_putc(out, '.');
        vs_buf_put(out, vs_span_from(digits, 1));
    }
    vs_buf_printf(out, "e%+03lld", (long long)exp);
}

/* Integers are written out as long as a double could hold them, others in scientific form. */
enum { INTEGER_DIGITS = 310 };

static void put_number(vs_buf *out, const dec *d)
{
    VS_CLEANUP(vs_buf_free) vs_buf t = VS_BUF(VS_NUM_DIGITS + 64);
    digits_of(d, &t);
    vs_span digits = vs_buf_span(&t);
    out->failed |= t.failed;
    if (digits.n && digits.p[0] == '-') {
        vs_buf_putc(out, '-');
        digits = vs_span_from(digits, 1);
    }
    int64_t point = (int64_t)digits.n + d->exp; /* digits before the decimal point */
    if (d->exp >= 0 && point <= INTEGER_DIGITS) {
        vs_buf_put(out, digits);
        for (int64_t i = 0; i < d->exp; i++)
            vs_buf_putc(out, '0');
    } else if (d->exp < 0 && point > 0) {
        vs_buf_put(out, vs_span_head(digits, (size_t)point));
        vs_buf_putc(out, '.');
        vs_buf_put(out, vs_span_from(digits, (size_t)point));
    } else if (d->exp < 0 && point > -6) {
        vs_buf_puts(out, "0.");
        for (int64_t i = point; i < 0; i++)
            vs_buf_putc(out, '0');
        vs_buf_put(out, digits);
    } else if (d->exp == 0) {
        vs_buf_put(out, digits);
    } else {
        put_scientific(out, digits, point - 1);
    }
}

vs_span vs_num_text(vs_arena *a, vs_val n)
{
    if (!n.big)
        return vs_str(vs_sprintf(a, "%lld", (long long)n.u.i));
    DEC(d);
    load(&d, n);
    VS_CLEANUP(vs_buf_free) vs_buf t = VS_BUF(VS_NUM_DIGITS + 64);
    put_number(&t, &d);
    if (!vs_buf_ok(&t)) {
        a->failed = true;
        return (vs_span){0};
    }
    return vs_dup(a, vs_buf_span(&t));
}

/* ---- order ------------------------------------------------------------------------------------
 */

int vs_num_sign(vs_val n)
{
    if (n.big)
        return n.u.num->size < 0 ? -1 : 1;
    return (n.u.i > 0) - (n.u.i < 0);
}

bool vs_num_is_integer(vs_val n)
{
    return n.kind == VS_NUMBER && (!n.big || n.u.num->exp >= 0);
}

/* Brings both to the smaller exponent. */
static void align(dec *x, dec *y)
{
    if (x->exp == y->exp)
        return;
    dec *high = x->exp > y->exp ? x : y, *low = high == x ? y : x;
    mpz_t p;
    mpz_init(p);
    pow10_ui(p, (uint64_t)(high->exp - low->exp));
    mpz_mul(high->coef, high->coef, p);
    mpz_clear(p);
    high->exp = low->exp;
}

int vs_num_cmp(vs_val x, vs_val y)
{
    int sx = vs_num_sign(x), sy = vs_num_sign(y);
    if (sx != sy)
        return sx < sy ? -1 : 1;
    DEC(a);
    DEC(b);
    load(&a, x);
    load(&b, y);
    align(&a, &b);
    int c = mpz_cmp(a.coef, b.coef);
    return (c > 0) - (c < 0);
}

/* ---- arithmetic -------------------------------------------------------------------------------
 */

vs_val vs_num_add(vs_arena *a, vs_val x, vs_val y, vs_error *err)
{
    int64_t r;
    if (!x.big && !y.big && !__builtin_add_overflow(x.u.i, y.u.i, &r))
        return vs_int(r);
    DEC(p);
    DEC(q);
    load(&p, x);
    load(&q, y);
    align(&p, &q);
    mpz_add(p.coef, p.coef, q.coef);
    return store(a, &p, err);
}

vs_val vs_num_sub(vs_arena *a, vs_val x, vs_val y, vs_error *err)
{
    int64_t r;
    if (!x.big && !y.big && !__builtin_sub_overflow(x.u.i, y.u.i, &r))
        return vs_int(r);
    DEC(p);
    DEC(q);
    load(&p, x);
    load(&q, y);
    align(&p, &q);
    mpz_sub(p.coef, p.coef, q.coef);
    return store(a, &p, err);
}

vs_val vs_num_mul(vs_arena *a, vs_val x, vs_val y, vs_error *err)
{
    int64_t r;
    if (!x.big && !y.big && !__builtin_mul_overflow(x.u.i, y.u.i, &r))
        return vs_int(r);
    DEC(p);
    DEC(q);
    load(&p, x);
    load(&q, y);
    mpz_mul(p.coef, p.coef, q.coef);
    p.exp += q.exp;
    return store(a, &p, err);
}

enum { QUOTIENT_DIGITS = 34 };

static vs_val divide_by_zero(vs_error *err, const char *what)
{
    (void)vs_fail(err, VS_E_INVALID, "%s", what);
    return vs_undefined();
}

/* num / den with num scaled by 10^shift, rounded half to even. */
static void scaled_quotient(mpz_t q, const mpz_t num, const mpz_t den, uint64_t shift, bool *exact)
{
    mpz_t n, r, twice;
    mpz_inits(n, r, twice, NULL);
    pow10_ui(n, shift);
    mpz_mul(n, n, num);
    mpz_tdiv_qr(q, r, n, den);
    *exact = mpz_sgn(r) == 0;
    mpz_mul_2exp(twice, r, 1);
    int half = mpz_cmpabs(twice, den);
    if (half > 0 || (half == 0 && mpz_odd_p(q))) {
        if (mpz_sgn(num) * mpz_sgn(den) < 0)
            mpz_sub_ui(q, q, 1);
        else
            mpz_add_ui(q, q, 1);
    }
    mpz_clears(n, r, twice, NULL);
}

vs_val vs_num_div(vs_arena *a, vs_val x, vs_val y, vs_error *err)
{
    if (vs_num_sign(y) == 0)
        return divide_by_zero(err, "divide by zero");
    if (!x.big && !y.big && y.u.i != -1 && x.u.i % y.u.i == 0)
        return vs_int(x.u.i / y.u.i);
    DEC(p);
    DEC(q);
    DEC(r);
    load(&p, x);
    load(&q, y);
    align(&p, &q);
    bool exact;
    scaled_quotient(r.coef, p.coef, q.coef, 0, &exact);
    if (exact)
        return store(a, &r, err);
    size_t dp = mpz_sizeinbase(p.coef, 10), dq = mpz_sizeinbase(q.coef, 10);
    uint64_t shift = QUOTIENT_DIGITS + (dq > dp ? dq - dp : 0);
    if (dp > dq)
        shift = dp - dq < QUOTIENT_DIGITS ? QUOTIENT_DIGITS - (dp - dq) : 0;
    scaled_quotient(r.coef, p.coef, q.coef, shift, &exact);
    r.exp = -(int64_t)shift;
    return store(a, &r, err);
}

/* Loads an integer with exponent 0; false (and an error) when it is none. */
static bool load_integer(dec *d, vs_val v, const char *what, vs_error *err)
{
    if (!vs_num_is_integer(v)) {
        (void)vs_fail(err, VS_E_INVALID, "%s", what);
        return false;
    }
    load(d, v);
    if (d->exp) {
        mpz_t p;
        mpz_init(p);
        pow10_ui(p, (uint64_t)d->exp);
        mpz_mul(d->coef, d->coef, p);
        mpz_clear(p);
        d->exp = 0;
    }
    return true;
}

vs_val vs_num_rem(vs_arena *a, vs_val x, vs_val y, vs_error *err)
{
    if (vs_num_sign(y) == 0 && vs_num_is_integer(x))
        return divide_by_zero(err, "modulo by zero");
    if (!x.big && !y.big)
        return vs_int(y.u.i == -1 ? 0 : x.u.i % y.u.i);
    DEC(p);
    DEC(q);
    if (!load_integer(&p, x, "modulo on floating-point number", err) ||
        !load_integer(&q, y, "modulo on floating-point number", err))
        return vs_undefined();
    mpz_tdiv_r(p.coef, p.coef, q.coef);
    return store(a, &p, err);
}

vs_val vs_num_neg(vs_arena *a, vs_val x)
{
    return vs_num_sub(a, vs_int(0), x, NULL);
}

vs_val vs_num_abs(vs_arena *a, vs_val x)
{
    return vs_num_sign(x) < 0 ? vs_num_neg(a, x) : x;
}

vs_val vs_num_round(vs_arena *a, vs_val x, vs_rounding how, vs_error *err)
{
    if (vs_num_is_integer(x))
        return x;
    DEC(d);
    load(&d, x);
    mpz_t p;
    mpz_init(p);
    pow10_ui(p, (uint64_t)-d.exp);
    if (how == VS_ROUND_HALF_AWAY) { /* add half away from zero, then cut */
        mpz_t half;
        mpz_init(half);
        mpz_fdiv_q_2exp(half, p, 1);
        if (mpz_sgn(d.coef) < 0)
            mpz_sub(d.coef, d.coef, half);
        else
            mpz_add(d.coef, d.coef, half);
        mpz_clear(half);
    }
    if (how == VS_ROUND_FLOOR)
        mpz_fdiv_q(d.coef, d.coef, p);
    else if (how == VS_ROUND_CEIL)
        mpz_cdiv_q(d.coef, d.coef, p);
    else
        mpz_tdiv_q(d.coef, d.coef, p);
    mpz_clear(p);
    d.exp = 0;
    return store(a, &d, err);
}

/* ---- bits -------------------------------------------------------------------------------------
 */

vs_val vs_num_bits(vs_arena *a, vs_bitop op, vs_val x, vs_val y, vs_error *err)
{
    DEC(p);
    DEC(q);
    if (!load_integer(&p, x, "bit operation on a non-integer", err) ||
        !load_integer(&q, y, "bit operation on a non-integer", err))
        return vs_undefined();
    if (op == VS_BIT_AND)
        mpz_and(p.coef, p.coef, q.coef);
    else if (op == VS_BIT_OR)
        mpz_ior(p.coef, p.coef, q.coef);
    else
        mpz_xor(p.coef, p.coef, q.coef);
    return store(a, &p, err);
}

vs_val vs_num_not(vs_arena *a, vs_val x, vs_error *err)
{
    DEC(p);
    if (!load_integer(&p, x, "bit operation on a non-integer", err))
        return vs_undefined();
    mpz_com(p.coef, p.coef);
    return store(a, &p, err);
}

vs_val vs_num_shift(vs_arena *a, vs_val x, int64_t n, vs_error *err)
{
    DEC(p);
    if (!load_integer(&p, x, "bit operation on a non-integer", err))
        return vs_undefined();
    if (mpz_sgn(p.coef) == 0)
        return vs_int(0);
    if (n > VS_NUM_DIGITS * 4)
        return too_large(err);
    if (n >= 0)
        mpz_mul_2exp(p.coef, p.coef, (mp_bitcnt_t)n);
    else
        mpz_fdiv_q_2exp(p.coef, p.coef,
                        (mp_bitcnt_t)(n < -VS_NUM_DIGITS * 40 ? VS_NUM_DIGITS * 40 : -n));
    return store(a, &p, err);
}

vs_span vs_num_text_base(vs_arena *a, vs_val n, int base)
{
    vs_val whole = vs_num_round(a, n, VS_ROUND_TRUNC, NULL);
    DEC(d);
    if (!vs_defined(whole) || !load_integer(&d, whole, "", NULL))
        return (vs_span){NULL, 0};
    char *p = vs_alloc(a, mpz_sizeinbase(d.coef, base) + 2);
    return p ? vs_str(mpz_get_str(p, base, d.coef)) : (vs_span){NULL, 0};
}
