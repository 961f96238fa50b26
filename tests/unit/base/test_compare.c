/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison of secrets. */
#include "testing.h"

#include "base/clock.h"
#include "base/span.h"

enum { SIZE = 256 * 1024, RUNS = 40 };

static void a_difference_is_seen_wherever_it_is(void **state)
{
    (void)state;
    uint8_t a[67], b[67];
    for (size_t n = 0; n <= sizeof a; n++) {
        for (size_t i = 0; i < sizeof a; i++)
            a[i] = b[i] = (uint8_t)(i * 7);
        assert_true(vs_ct_eq(vs_span_of(a, n), vs_span_of(b, n)));
        for (size_t at = 0; at < n; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                b[at] ^= (uint8_t)(1U << bit);
                assert_false(vs_ct_eq(vs_span_of(a, n), vs_span_of(b, n)));
                b[at] ^= (uint8_t)(1U << bit);
            }
        }
        assert_true(n == 0 || !vs_ct_eq(vs_span_of(a, n), vs_span_of(a, n - 1)));
    }
    assert_true(vs_ct_eq((vs_span){NULL, 0}, vs_span_of(a, 0)));
}

/* The shortest of several runs: what disturbs a run only makes it longer. */
static int64_t shortest(const uint8_t *a, const uint8_t *b)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < RUNS; i++) {
        int64_t start = vs_mono_ns();
        bool same = vs_ct_eq(vs_span_of(a, SIZE), vs_span_of(b, SIZE));
        int64_t took = vs_mono_ns() - start;
        best = took < best ? took : best;
        (void)same;
    }
    return best;
}

/* One that stops at the first difference would be a hundred thousand times faster for the first of
 * these than for the last. */
static void a_comparison_takes_as_long_wherever_the_difference_is(void **state)
{
    (void)state;
    static uint8_t a[SIZE], b[SIZE];
    static const size_t places[] = {0, 1, 64, SIZE / 2, SIZE - 1};
    int64_t equal = shortest(a, b);
    for (size_t i = 0; i < VS_COUNT(places); i++) {
        b[places[i]] = 1;
        int64_t took = shortest(a, b);
        b[places[i]] = 0;
        if (took * 3 < equal || equal * 3 < took)
            fail_msg("equal: %lld ns; different at %zu: %lld ns", (long long)equal, places[i],
                     (long long)took);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_is_seen_wherever_it_is),
        cmocka_unit_test(a_comparison_takes_as_long_wherever_the_difference_is),
    };
    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
