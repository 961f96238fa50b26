/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "base/log.h"

/* What people have in their deployments for Trustee: env_logger's directives. */
static void levels_are_read_as_rust_log_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int level; /* -1: names none */
    } v[] = {
        {"error", VS_LOG_ERROR},
        {"off", VS_LOG_ERROR},
        {"WARN", VS_LOG_WARN},
        {" info ", VS_LOG_INFO},
        {"debug", VS_LOG_DEBUG},
        {"trace", VS_LOG_DEBUG},
        {"kbs=debug", VS_LOG_DEBUG},
        {"kbs = warn", VS_LOG_WARN},
        {"kbs=warn,attestation_service=debug,actix=error", VS_LOG_DEBUG},
        {"warn,kbs=debug", VS_LOG_WARN},
        {"kbs=debug,warn", VS_LOG_WARN},
        {"info,warn", VS_LOG_WARN},
        {"kbs::api=error", VS_LOG_ERROR},
        {"debug/foo", VS_LOG_DEBUG},
        {"kbs=debug/foo,bar", VS_LOG_DEBUG},
        {"kbs=loud,warn", VS_LOG_WARN},
        {",,info,", VS_LOG_INFO},
        {"", -1},
        {",", -1},
        {"loud", -1},
        {"kbs=loud", -1},
        {"kbs=", -1},
        {"=", -1},
        {"/debug", -1},
        {"debug=kbs", -1},
    };
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        vs_log_level level = (vs_log_level)77;
        bool known = vs_log_level_of(v[i].text, &level);
        if (known != (v[i].level >= 0) || (int)level != (known ? v[i].level : 77))
            fail_msg("\"%s\": %d, %d", v[i].text, known, (int)level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(levels_are_read_as_rust_log_has_them)};
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
