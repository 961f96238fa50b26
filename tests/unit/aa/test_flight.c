/* SPDX-License-Identifier: Apache-2.0 */
/* Who shares what, who may leave, and when it is given up. */
#include "testing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "aa/flight.h"
#include "base/clock.h"

static aa_flight flight;
static atomic_int flights, aloft, given_up;
static atomic_bool land, failing, lingers;

/* Until it is told to land, or is in vain. */
static vs_code fly(void *user, vs_error *err)
{
    assert_ptr_equal(user, &flight);
    atomic_fetch_add(&flights, 1);
    assert_int_equal(atomic_fetch_add(&aloft, 1), 0); /* one at a time */
    while (!atomic_load(&land) && vs_wait_pause(5)) {
    }
    bool over = !atomic_load(&land);
    atomic_fetch_add(&given_up, over);
    while (over && atomic_load(&lingers))
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_fetch_sub(&aloft, 1);
    if (over)
        return vs_fail(err, VS_E_TIMEOUT, "given up");
    return atomic_load(&failing) ? vs_fail(err, VS_E_DENIED, "the KBS says no") : VS_OK;
}

typedef struct caller {
    pthread_t thread;
    unsigned ms; /* 0 = any time */
    atomic_bool gone;
    vs_code code;
    vs_error err;
} caller;

static void *share(void *arg)
{
    caller *c = arg;
    int64_t until = c->ms ? vs_mono_ns() + (int64_t)c->ms * 1000000 : 0;
    (void)vs_wait_set((vs_wait){.until = until, .gone = &c->gone});
    (void)pthread_mutex_lock(&flight.lock);
    c->code = aa_flight_share(&flight, fly, &flight, &c->err);
    (void)pthread_mutex_unlock(&flight.lock);
    return NULL;
}

static void call(caller *c, unsigned ms)
{
    *c = (caller){.ms = ms};
    assert_int_equal(pthread_create(&c->thread, NULL, share, c), 0);
}

static void finish(caller *c)
{
    assert_int_equal(pthread_join(c->thread, NULL), 0);
}

static void until(atomic_int *n, int want)
{
    for (int i = 0; i < 4000 && atomic_load(n) != want; i++)
        (void)vs_wait_pause(5);
    assert_int_equal(atomic_load(n), want);
}

/* So many wait, the one who leads among them. */
static void until_riding(unsigned want)
{
    for (int i = 0; i < 4000; i++, (void)vs_wait_pause(5)) {
        unsigned n = 0;
        (void)pthread_mutex_lock(&flight.lock);
        for (const aa_rider *r = flight.riders; r; r = r->next)
            n++;
        (void)pthread_mutex_unlock(&flight.lock);
        if (n == want)
            return;
    }
    fail_msg("there are not %u who wait", want);
}

static int begin(void **state)
{
    (void)state;
    aa_flight_init(&flight);
    atomic_store(&flights, 0);
    atomic_store(&given_up, 0);
    atomic_store(&land, false);
    atomic_store(&failing, false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bool empty = !flight.riders && !flight.under_way;
    aa_flight_free(&flight);
    return empty ? 0 : 1;
}

static void callers_at_once_share_one_result(void **state)
{
    (void)state;
    caller c[9];
    for (int denied = 0; denied < 2; denied++) {
        atomic_store(&land, false);
        atomic_store(&failing, denied);
        for (size_t i = 0; i < VS_COUNT(c); i++)
            call(&c[i], 0);
        until_riding(VS_COUNT(c));
        atomic_store(&land, true);
        for (size_t i = 0; i < VS_COUNT(c); i++) {
            finish(&c[i]);
            assert_int_equal(c[i].code, denied ? VS_E_DENIED : VS_OK);
            if (denied)
                assert_string_equal(c[i].err.text, "the KBS says no");
        }
        assert_int_equal(atomic_load(&flights), denied + 1);
    }
}

static void it_goes_on_for_others_when_who_began_it_leaves(void **state)
{
    (void)state;
    caller first, second, third;
    call(&first, 0);
    until(&flights, 1);
    call(&second, 0);
    call(&third, 100); /* its time ends first, and only its own */
    until_riding(3);
    atomic_store(&first.gone, true);
    finish(&third);
    assert_int_equal(third.code, VS_E_TIMEOUT);
    assert_int_equal(atomic_load(&given_up), 0);
    atomic_store(&land, true);
    finish(&second);
    assert_int_equal(second.code, VS_OK);
    finish(&first);
    assert_int_equal(atomic_load(&flights), 1);
}

static void it_is_given_up_when_nobody_waits(void **state)
{
    (void)state;
    caller first, second;
    call(&first, 100);
    until(&flights, 1);
    call(&second, 0);
    until_riding(2);
    atomic_store(&second.gone, true);
    finish(&first);
    finish(&second);
    assert_int_equal(first.code, VS_E_TIMEOUT);
    assert_int_equal(second.code, VS_E_TIMEOUT);
    assert_int_equal(atomic_load(&given_up), 1);
}

static void who_comes_when_it_is_given_up_begins_anew(void **state)
{
    (void)state;
    caller first, second;
    call(&first, 0);
    until(&flights, 1);
    atomic_store(&lingers, true);
    atomic_store(&first.gone, true);
    until(&given_up, 1);
    call(&second, 0);
    until_riding(2);
    atomic_store(&lingers, false);
    finish(&first);
    assert_int_equal(first.code, VS_E_TIMEOUT);
    until(&flights, 2);
    atomic_store(&land, true);
    finish(&second);
    assert_int_equal(second.code, VS_OK);
}

static void many_come_and_leave(void **state)
{
    (void)state;
    caller c[16];
    for (int round = 0; round < 20; round++) {
        atomic_store(&land, false);
        for (size_t i = 0; i < VS_COUNT(c); i++)
            call(&c[i], i % 3 == 0 ? 5 : i % 3 == 1 ? 20 : 0);
        for (size_t i = 2; i < VS_COUNT(c); i += 3)
            atomic_store(&c[i].gone, round % 2 == 0 && i % 2 == 0);
        (void)vs_wait_pause(30);
        atomic_store(&land, true);
        for (size_t i = 0; i < VS_COUNT(c); i++) {
            finish(&c[i]);
            if (!c[i].ms && !atomic_load(&c[i].gone))
                assert_int_equal(c[i].code, VS_OK);
            else
                assert_true(c[i].code == VS_OK || c[i].code == VS_E_TIMEOUT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(callers_at_once_share_one_result, begin, end),
        cmocka_unit_test_setup_teardown(it_goes_on_for_others_when_who_began_it_leaves, begin, end),
        cmocka_unit_test_setup_teardown(it_is_given_up_when_nobody_waits, begin, end),
        cmocka_unit_test_setup_teardown(who_comes_when_it_is_given_up_begins_anew, begin, end),
        cmocka_unit_test_setup_teardown(many_come_and_leave, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
