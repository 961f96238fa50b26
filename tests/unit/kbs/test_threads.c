/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients at once, and one client many times at once. */
#include "kbs/broker.h"

#include <pthread.h>

#include "as/policies.h"

enum { THREADS = 8 };

typedef struct worker {
    pthread_t thread;
    broker *b;
    vs_arena a;
    ask what;
    answer got;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    w->got = tell_on(w->b, &w->a, w->what);
    return NULL;
}

static void run_all(broker *b, worker *workers, const ask *asks)
{
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.b = b, .what = asks[i]};
        vs_arena_init(&workers[i].a, 0);
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
}

static void free_all(worker *workers)
{
    for (size_t i = 0; i < THREADS; i++)
        vs_arena_free(&workers[i].a);
}

static void concurrent_evidence_of_one_session_gets_one_token(void **state)
{
    broker *b = *state;
    worker workers[THREADS];
    ask asks[THREADS];
    for (int round = 0; round < 5; round++) {
        challenge c = authenticate(b, "cca");
        vs_span body = honest_body(b, "cca", &c);
        for (size_t i = 0; i < THREADS; i++)
            asks[i] = (ask){KBS_POST, "attest", .body = body, .session = c.session};
        run_all(b, workers, asks);
        for (size_t i = 0; i < THREADS; i++) {
            assert_granted(workers[i].got);
            assert_span_eq(workers[i].got.body, workers[0].got.body);
            assert_span_eq(workers[i].got.session, c.session);
        }
        free_all(workers);
    }
}

static void different_sessions_get_tokens_of_their_own(void **state)
{
    broker *b = *state;
    worker workers[THREADS];
    ask asks[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        challenge c = authenticate(b, i % 2 ? "cca" : "sample");
        asks[i] = (ask){KBS_POST, "attest", .body = honest_body(b, i % 2 ? "cca" : "sample", &c),
                        .session = c.session};
    }
    run_all(b, workers, asks);
    for (size_t i = 0; i < THREADS; i++) {
        assert_granted(workers[i].got);
        for (size_t k = 0; k < i; k++)
            assert_false(vs_span_eq(workers[i].got.body, workers[k].got.body));
    }
    free_all(workers);
}

static void policies_change_under_readers(void **state)
{
    broker *b = *state;
    challenge c;
    worker workers[THREADS];
    ask asks[THREADS];
    put_resource(b, DEMO, "s");
    vs_span token = attest(b, "sample", &c), boss = admin_token(b);
    const char *texts[2] = {policy_body(b, NULL, vs_policy_text("kbs_allow_all")),
                            policy_body(b, NULL, vs_policy_text("kbs_deny_all"))};
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < THREADS; i++)
            asks[i] = i % 4 == 0 ? (ask){KBS_POST, "resource-policy", .body = vs_str(texts[i / 4]),
                                         .bearer = boss}
                                 : (ask){KBS_GET, DEMO, .bearer = token};
        run_all(b, workers, asks);
        for (size_t i = 0; i < THREADS; i++) {
            if (workers[i].got.error != KBS_POLICY_DENY)
                assert_granted(workers[i].got);
        }
        free_all(workers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(concurrent_evidence_of_one_session_gets_one_token),
        T(different_sessions_get_tokens_of_their_own),
        T(policies_change_under_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
