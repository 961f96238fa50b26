/* SPDX-License-Identifier: Apache-2.0 */
/* What one request can cost: the densest bodies of the largest size, at every endpoint. The figures
 * are those of docs/operations.md. */
#include "kbs/broker.h"

enum { BODY = 2 * 1024 * 1024, MIB = 1024 * 1024 };

static void repeat(vs_buf *b, const char *unit, size_t room)
{
    size_t n = strlen(unit);
    while (b->n + n + room <= BODY)
        vs_buf_puts(b, unit);
}

/* Bodies that are small on the wire and large when read. */
static void dense(vs_buf *b, int kind)
{
    static const struct {
        const char *before, *unit, *after;
    } kinds[] = {
        {"[", "1,", "1]"},                              /* small numbers */
        {"[", "[],", "[]]"},                            /* empty arrays */
        {"{\"a\":[", "{\"\":0},", "{}]}"},              /* small objects */
        {"[", "\"\",", "\"\"]"},                        /* empty strings */
        {"\"", "\\u00e9", "\""},                        /* escapes */
        {"[", "1e99,", "1]"},                           /* large numbers */
        {"[", "123456789012345678901234567890,", "1]"}, /* larger ones */
        {"{\"version\":\"0.4.0\",\"tee\":\"cca\",\"extra-params\":[", "0,", "0]}"},
        {"{\"runtime-data\":{\"nonce\":\"\",\"tee-pubkey\":{}},\"tee-evidence\":{\"primary_"
         "evidence\":"
         "{\"token\":[",
         "0,", "0]},\"additional_evidence\":\"\"}}"},
        {"{\"version\":\"0.1.0\",\"type\":\"sample\",\"payload\":\"", "e30K", "\"}"},
        {"{\"policy\":\"", "cGFja2FnZSBh", "\"}"},
    };
    vs_buf_clear(b);
    vs_buf_puts(b, kinds[kind].before);
    repeat(b, kinds[kind].unit, strlen(kinds[kind].after));
    vs_buf_puts(b, kinds[kind].after);
}
enum { KINDS = 11 };

typedef struct endpoint {
    kbs_method method;
    const char *path;
    size_t most; /* MiB, as documented */
} endpoint;

static const endpoint endpoints[] = {
    {KBS_POST, "auth", 64},
    {KBS_POST, "attest", 64},
    {KBS_POST, "attestation-policy", 64},
    {KBS_POST, "reference-value", 64},
    {KBS_POST, "resource-policy", 64},
    {KBS_POST, "resource/a/b/c", 4},
    {KBS_GET, "resource/a/b/c", 4},
    {KBS_GET, "reference-value/a", 4},
    {KBS_GET, "resource-policy", 4},
};

/* Whatever is sent, a request's arena stays within its cap, and what does not fit is refused. */
static void the_worst_body_costs_what_is_documented(void **state)
{
    broker *b = *state;
    VS_CLEANUP(vs_buf_free) vs_buf body = VS_BUF(BODY);
    vs_span token = admin_token(b);
    put_resource(b, "resource/a/b/c", "secret");
    for (size_t e = 0; e < VS_COUNT(endpoints); e++) {
        size_t worst = 0;
        for (int kind = 0; kind < KINDS; kind++) {
            vs_arena a;
            vs_arena_init(&a, 0);
            dense(&body, kind);
            assert_true(vs_buf_ok(&body));
            vs_span session = strcmp(endpoints[e].path, "attest") == 0
                                  ? authenticate(b, "cca").session
                                  : VS_LIT("");
            answer r =
                tell_on(b, &a,
                        (ask){endpoints[e].method, endpoints[e].path, .body = vs_buf_span(&body),
                              .session = session, .bearer = token});
            if (r.error == KBS_OK)
                assert_true(r.body.n <= 4 * MIB);
            worst = a.held > worst ? a.held : worst;
            vs_arena_free(&a);
        }
        print_message("%-20s %5.1f MiB at most, documented %zu\n", endpoints[e].path,
                      (double)worst / MIB, endpoints[e].most);
        assert_in_range(worst, 0, endpoints[e].most * MIB);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_worst_body_costs_what_is_documented, broker_setup,
                                        broker_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
