/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator's log says, and what it must never say. */
#include "kbs/broker.h"

#include <fcntl.h>

#include "as/policies.h"
#include "base/log.h"

#define CANARY "canary-3d41f6"

/* Everything that was logged while `act` ran. */
static void logged(broker *b, void (*act)(broker *b, void *user), void *user, vs_buf *out)
{
    vs_error err = {0};
    char path[] = "/tmp/vs-log-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)unlink(path);
    vs_log_setup(VS_LOG_DEBUG, false, fd);
    act(b, user);
    vs_log_setup(VS_LOG_INFO, false, 2);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_vs_ok(vs_read_fd(fd, out, &err), &err);
    (void)close(fd);
}

static bool holds(const vs_buf *log, vs_span what)
{
    return what.n > 0 && memmem(log->p, log->n, what.p, what.n) != NULL;
}

typedef struct secrets {
    challenge c;
    vs_span token, admin;
    answer denied, released;
} secrets;

static void whole_life(broker *b, void *user)
{
    secrets *s = user;
    s->admin = admin_token(b);
    put_resource(b, "resource/a/b/c", CANARY);
    set_resource_policy(b, vs_policy_text("kbs_affirming"));
    s->token = attest(b, "cca", &s->c);
    s->denied = tell(b, (ask){KBS_GET, "resource/a/b/c", .session = s->c.session});
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    s->released = tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = s->token});
    (void)tell(b, (ask){KBS_GET, "resource/a/b/none", .bearer = s->token});
    (void)tell(b, (ask){KBS_POST, "resource/a/b/c", .bearer = s->token, .body = VS_LIT(CANARY)});
    (void)send_evidence(b, s->c.session, VS_LIT("{\"" CANARY "\":1}"));
    (void)send_evidence(b, VS_LIT(CANARY), VS_LIT("{}"));
    (void)tell(b, (ask){KBS_GET, "resource/a/b/c", .bearer = VS_LIT(CANARY ".x.y")});
}

static void secrets_tokens_and_cookies_are_not_logged(void **state)
{
    broker *b = *state;
    secrets s;
    vs_buf log = VS_BUF(1 << 20);
    logged(b, whole_life, &s, &log);
    assert_true(log.n > 1000);
    assert_false(holds(&log, VS_LIT(CANARY)));
    assert_false(holds(&log, s.c.session));
    assert_false(holds(&log, s.c.nonce));
    assert_false(holds(&log, vs_span_head(vs_span_from(s.token, s.token.n - 40), 40)));
    assert_false(holds(&log, vs_span_head(s.token, 40)));
    assert_false(holds(&log, vs_span_from(s.admin, s.admin.n - 40)));
    assert_false(holds(&log, vs_b64_encode_arena(&b->w.a, VS_B64_STD, VS_LIT(CANARY))));
    vs_buf_free(&log);
}

static void a_denial_is_found_by_its_id_and_says_why(void **state)
{
    broker *b = *state;
    secrets s;
    vs_buf log = VS_BUF(1 << 20);
    logged(b, whole_life, &s, &log);
    vs_span rest = vs_buf_span(&log), line = {0}, denial = {0}, attestation = {0};
    for (bool more = true; more;) {
        line = vs_span_cut(rest, '\n', &rest, &more);
        if (memmem(line.p, line.n, s.denied.decision, 36))
            denial = line;
        if (!attestation.n && memmem(line.p, line.n, "kbs: attestation", 16))
            attestation = line;
    }
    assert_true(denial.n > 0);
    assert_non_null(memmem(denial.p, denial.n, "verdict=denied", 14));
    assert_non_null(memmem(denial.p, denial.n, "target=/kbs/v0/resource/a/b/c", 29));
    assert_non_null(memmem(denial.p, denial.n, "ear.status", 10));
    /* The attestation says which reference value was missing. */
    assert_non_null(memmem(attestation.p, attestation.n, "status=warning", 14));
    static const char why[] = "(no such reference value)";
    assert_non_null(memmem(attestation.p, attestation.n, why, sizeof why - 1));
    assert_true(holds(&log, VS_LIT("cca.realm.cca-realm-initial-measurement")));
    vs_buf_free(&log);
}

static void forge(broker *b, void *user)
{
    (void)user;
    challenge c;
    vs_span token = attest(b, "sample", &c);
    (void)tell(b,
               (ask){KBS_GET, "resource/a\nINFO kbs: release verdict=allowed/b", .bearer = token});
}

static void hostile_paths_cannot_forge_a_line(void **state)
{
    broker *b = *state;
    vs_buf log = VS_BUF(1 << 20);
    logged(b, forge, NULL, &log);
    assert_false(holds(&log, VS_LIT("\nINFO")));
    vs_buf_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(secrets_tokens_and_cookies_are_not_logged),
        T(a_denial_is_found_by_its_id_and_says_why),
        T(hostile_paths_cannot_forge_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
