/* SPDX-License-Identifier: Apache-2.0 */
/* The nebula-ca plugin with a double of nebula-cert: a script that writes down its arguments. */
#include "request.h"

#include <ftw.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "plugins/run.h"
#include "value/json.h"

/* Its files are beside it: it gets no environment. `mode` says what goes wrong. */
static const char script[] =
    "#!/bin/sh\n"
    "d=$(dirname \"$0\")\n"
    "for a in \"$@\"; do printf '<%s>' \"$a\"; done >> \"$d/log\"; echo >> \"$d/log\"\n"
    "mode=$(cat \"$d/mode\" 2>/dev/null)\n"
    "case $1-$mode in\n"
    "  --version-*) cat \"$d/version\"; exit 0;;\n"
    "  *-env) env > \"$d/env\"; ls -l /proc/self/fd | wc -l > \"$d/fds\";;\n"
    "  sign-fail) echo 'error: no such thing' >&2; exit 3;;\n"
    "  sign-sleep) sleep 30; exit 0;;\n"
    "  sign-daemon) sleep 30 & echo $! > \"$d/child\"; exit 0;;\n"
    "  sign-flood) yes; exit 0;;\n"
    "  sign-killed) kill -9 $$;;\n"
    "  sign-nothing) exit 0;;\n"
    "  verify-unverified) exit 1;;\n"
    "  ca-nothing) exit 0;;\n"
    "esac\n"
    "while [ $# -gt 0 ]; do\n"
    "  case $1 in\n"
    "    -out-crt) printf 'CRT' > \"$2\";;\n"
    "    -out-key) printf 'KEY\\377' > \"$2\";;\n"
    "  esac\n"
    "  shift\n"
    "done\n"
    "exit 0\n";

typedef struct fixture {
    char dir[64], program[100], work[100];
    kbs_nebula_config cfg;
    kbs_plugin plugin;
    vs_arena a;
    vs_buf out;
    vs_error err;
} fixture;

static const char *at(fixture *f, const char *name)
{
    return vs_sprintf(&f->a, "%s/%s", f->dir, name);
}

static void put(fixture *f, const char *name, const char *text)
{
    assert_vs_ok(vs_write_file(at(f, name), vs_str(text), 0600, &f->err), &f->err);
}

static vs_span get(fixture *f, const char *name)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(1 << 20);
    assert_vs_ok(vs_read_file(at(f, name), &b, &f->err), &f->err);
    return vs_dup(&f->a, vs_buf_span(&b));
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    vs_arena_init(&f->a, 0);
    f->out = (vs_buf)VS_BUF(1 << 20);
    (void)snprintf(f->dir, sizeof f->dir, "%s", P_tmpdir "/vs-nebula-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->program, sizeof f->program, "%s/nebula-cert", f->dir);
    (void)snprintf(f->work, sizeof f->work, "%s/work", f->dir);
    assert_vs_ok(vs_write_file(f->program, vs_str(script), 0700, &f->err), &f->err);
    put(f, "version", "Version: 1.9.5\n");
    f->cfg = (kbs_nebula_config){
        .work_dir = f->work, .program = f->program, .ca_name = "the CA", .timeout_ms = 20000};
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    fixture *f = *state;
    if (f->plugin.ops)
        f->plugin.ops->free(f->plugin.self);
    (void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    vs_arena_free(&f->a);
    vs_buf_free(&f->out);
    free(f);
    return 0;
}

static void open_plugin(fixture *f)
{
    assert_vs_ok(nebula_plugin(&f->cfg, &f->plugin, &f->err), &f->err);
    put(f, "log", "");
}

#define GOOD                                                                                       \
    {                                                                                              \
        KBS_GET, "credential", VS_LIT(""),                                                         \
        {                                                                                          \
            {"name", "pod 1"}, {"ip", "10.0.0.2/24"}, {"duration", "8h30m"}, {"groups", "a,b-c"},  \
            {                                                                                      \
                "subnets", "192.168.0.0/16,fd00::/8"                                               \
            }                                                                                      \
        }                                                                                          \
    }

static vs_code handle(fixture *f, request r)
{
    return handle_on(&f->a, &f->plugin, r, &f->out, &f->err);
}

/* Nothing but the authority is left in the work directory. */
static void assert_clean(fixture *f)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(4096);
    const char *const argv[] = {"/bin/ls", f->work, NULL};
    assert_vs_ok(run_program(argv, 5000, &b, &f->err), &f->err);
    assert_span_is(vs_buf_span(&b), "ca\n");
}

/* ---- the authority -----------------------------------------------------------------------------
 */

static void an_authority_is_made_once(void **state)
{
    fixture *f = *state;
    f->cfg.argon_memory = 7;
    f->cfg.curve = "P256";
    f->cfg.groups = "x,y";
    assert_vs_ok(nebula_plugin(&f->cfg, &f->plugin, &f->err), &f->err);
    assert_span_is(get(f, "log"),
                   vs_sprintf(&f->a,
                              "<--version>\n<ca><-name><the CA><-argon-memory><7><-curve><P256>"
                              "<-groups><x,y><-out-crt><%s/ca/ca.crt><-out-key><%s/ca/ca.key>\n",
                              f->work, f->work));
    f->plugin.ops->free(f->plugin.self);
    put(f, "log", "");
    assert_vs_ok(nebula_plugin(&f->cfg, &f->plugin, &f->err), &f->err);
    assert_span_is(get(f, "log"), "<--version>\n");
}

static void half_an_authority_is_not_replaced(void **state)
{
    fixture *f = *state;
    open_plugin(f);
    f->plugin.ops->free(f->plugin.self);
    f->plugin = (kbs_plugin){0};
    (void)unlink(at(f, "work/ca/ca.key"));
    assert_vs_code(nebula_plugin(&f->cfg, &f->plugin, &f->err), VS_E_NOT_FOUND);
    assert_span_is(get(f, "log"), "<--version>\n");
}

static void a_program_that_will_not_do_stops_the_start(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *version;
        vs_code code;
    } v[] = {{"Version: 1.9.4\n", VS_E_UNSUPPORTED},
             {"Version: 1.8.9\n", VS_E_UNSUPPORTED},
             {"Version: 0.99.99\n", VS_E_UNSUPPORTED},
             {"1.9.5\n", VS_E_INVALID},
             {"", VS_E_INVALID},
             {"Version: x\n", VS_E_INVALID},
             {"Version: 1.10.0\n", VS_OK}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        put(f, "version", v[i].version);
        assert_vs_code(nebula_plugin(&f->cfg, &f->plugin, &f->err), v[i].code);
    }
    f->cfg.program = "/nonexistent/nebula-cert";
    kbs_plugin none;
    assert_vs_code(nebula_plugin(&f->cfg, &none, &f->err), VS_E_NOT_FOUND);
}

static void an_authority_that_was_not_made_stops_the_start(void **state)
{
    fixture *f = *state;
    put(f, "mode", "nothing");
    assert_vs_code(nebula_plugin(&f->cfg, &f->plugin, &f->err), VS_E_NOT_FOUND);
}

/* ---- credentials -------------------------------------------------------------------------------
 */

static void a_credential_is_signed_verified_and_given(void **state)
{
    fixture *f = *state;
    open_plugin(f);
    assert_vs_ok(handle(f, (request)GOOD), &f->err);
    assert_span_is(vs_buf_span(&f->out), "{\"node_crt\":[67,82,84],\"node_key\":[75,69,89,255],"
                                         "\"ca_crt\":[67,82,84]}");
    vs_span log = get(f, "log"), verify;
    vs_span sign = vs_span_cut(log, '\n', &verify, NULL);
    const char *want =
        vs_sprintf(&f->a,
                   "<sign><-name><pod 1><-ip><10.0.0.2/24><-duration><8h30m>"
                   "<-groups><a,b-c><-subnets><192.168.0.0/16,fd00::/8>"
                   "<-ca-key><%s/ca/ca.key><-ca-crt><%s/ca/ca.crt><-out-key><%s/node-",
                   f->work, f->work, f->work);
    assert_true(vs_span_starts(sign, vs_str(want)));
    assert_true(vs_span_starts(
        verify,
        vs_str(vs_sprintf(&f->a, "<verify><-ca><%s/ca/ca.crt><-crt><%s/node-", f->work, f->work))));
    assert_clean(f);
}

static void parameters_that_are_no_such_thing_start_no_program(void **state)
{
    fixture *f = *state;
    open_plugin(f);
    static const char *const bad[][2] = {{"name", ""},
                                         {"name", "-ca-key"},
                                         {"name", "a\nb"},
                                         {"name", "a;b"},
                                         {"name", "$(id)"},
                                         {"name", "a'b"},
                                         {"name", "a/b"},
                                         {"name", "\xc3\xa4"},
                                         {"name", " a"},
                                         {"ip", ""},
                                         {"ip", "10.0.0.1/33"},
                                         {"ip", "10.0.0/24"},
                                         {"ip", "10.0.0.1/"},
                                         {"ip", "10.0.0.1/a"},
                                         {"ip", "-1"},
                                         {"ip", "fd00::1/129"},
                                         {"ip", "10.0.0.1/0024"},
                                         {"ip", "10.0.0.1/24,10.0.0.2/24"},
                                         {"ip", "::1%lo"},
                                         {"duration", "1"},
                                         {"duration", "h"},
                                         {"duration", "-1h"},
                                         {"duration", "1h1"},
                                         {"duration", "1d"},
                                         {"duration", "1h "},
                                         {"duration", ""},
                                         {"duration", "9999999999h"},
                                         {"groups", ""},
                                         {"groups", "a,,b"},
                                         {"groups", "a,-b"},
                                         {"groups", "a,"},
                                         {"subnets", ""},
                                         {"subnets", "10.0.0.0/8,x"},
                                         {"subnets", ","}};
    for (size_t i = 0; i < VS_COUNT(bad); i++) {
        request r = {KBS_GET, "credential", VS_LIT(""), {{"name", "n"}, {"ip", "10.0.0.1/24"}}};
        for (size_t j = 0; j < 3; j++)
            if (!r.query[j][0] || strcmp(r.query[j][0], bad[i][0]) == 0) {
                r.query[j][0] = bad[i][0];
                r.query[j][1] = bad[i][1];
                break;
            }
        if (handle(f, r) != VS_E_INVALID || check_on(&f->a, &f->plugin, r, &f->err) != VS_E_INVALID)
            fail_msg("%s=%s was taken", bad[i][0], bad[i][1]);
    }
    assert_vs_code(handle(f, (request){KBS_GET, "credential", VS_LIT(""), {{"name", "n"}}}),
                   VS_E_INVALID);
    assert_vs_code(handle(f, (request){KBS_GET, "credential", VS_LIT(""), {{"ip", "10.0.0.1/24"}}}),
                   VS_E_INVALID);
    static const char *const paths[] = {"", "credential/", "credentials", "../credential", "ca"};
    for (size_t i = 0; i < VS_COUNT(paths); i++) {
        request r = GOOD;
        r.path = paths[i];
        assert_vs_code(handle(f, r), VS_E_UNSUPPORTED);
    }
    for (kbs_method m = KBS_POST; m <= KBS_DELETE; m++) {
        request r = GOOD;
        r.method = m;
        assert_vs_code(handle(f, r), VS_E_UNSUPPORTED);
    }
    assert_span_is(get(f, "log"), "");
    assert_clean(f);
}

static void a_program_that_fails_gives_nothing_and_leaves_nothing(void **state)
{
    fixture *f = *state;
    open_plugin(f);
    static const struct {
        const char *mode;
        unsigned ms;
        vs_code code;
        const char *says;
    } v[] = {{"fail", 20000, VS_E_IO, "error: no such thing"},
             {"killed", 20000, VS_E_IO, "was ended with signal 9"},
             {"unverified", 20000, VS_E_IO, "verifying what was signed"},
             {"nothing", 20000, VS_E_NOT_FOUND, "node.crt"},
             {"flood", 20000, VS_E_LIMIT, "writes more than"},
             {"sleep", 300, VS_E_TIMEOUT, "took too long"},
             {"daemon", 300, VS_E_TIMEOUT, "took too long"}};
    for (size_t i = 0; i < VS_COUNT(v); i++) {
        put(f, "mode", v[i].mode);
        f->cfg.timeout_ms = v[i].ms;
        int64_t start = vs_mono_ns();
        assert_vs_code(handle(f, (request)GOOD), v[i].code);
        assert_says(&f->err, v[i].says);
        assert_true(vs_mono_ns() - start < 15000000000);
        assert_int_equal(f->out.n, 0);
        assert_clean(f);
    }
    /* What the program had started is gone too (its parent is not we, so it may be a zombie). */
    vs_span child = vs_span_trim(get(f, "child"));
    const char *stat = vs_sprintf(&f->a, "/proc/%.*s/stat", VS_FMT(child));
    for (int i = 0; i < 100; i++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(4096);
        if (vs_read_file(stat, &b, NULL) != VS_OK || memmem(b.p, b.n, ") Z", 3))
            return;
        (void)usleep(20000);
    }
    fail_msg("process %.*s is still there", VS_FMT(child));
}

static void the_program_gets_neither_environment_nor_descriptors(void **state)
{
    fixture *f = *state;
    open_plugin(f);
    (void)setenv("CANARY_SECRET", "canary", 1);
    int fd = dup(1);
    put(f, "mode", "env");
    assert_vs_ok(handle(f, (request)GOOD), &f->err);
    vs_span env = get(f, "env");
    assert_null(memmem(env.p, env.n, "CANARY", 6));
    assert_true(atoi((const char *)get(f, "fds").p) <= 6); /* "total", 0 to 2, ls's own */
    (void)close(fd);
    (void)unsetenv("CANARY_SECRET");
}

/* ---- the real program --------------------------------------------------------------------------
 */

static void the_real_program_makes_a_credential(void **state)
{
    fixture *f = *state;
    f->cfg.program = "nebula-cert";
    vs_code code = nebula_plugin(&f->cfg, &f->plugin, &f->err);
    if (code == VS_E_NOT_FOUND || code == VS_E_UNSUPPORTED) {
        print_message("# nebula-cert 1.9.5 or newer is not installed\n");
        skip();
    }
    assert_vs_ok(code, &f->err);
    assert_vs_ok(handle(f, (request){KBS_GET,
                                     "credential",
                                     VS_LIT(""),
                                     {{"name", "pod1"}, {"ip", "10.9.8.7/24"}}}),
                 &f->err);
    vs_val v;
    assert_vs_ok(vs_json_parse(&f->a, vs_buf_span(&f->out), NULL, &v, &f->err), &f->err);
    assert_true(vs_getc(v, "node_key").len > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(an_authority_is_made_once),
        T(half_an_authority_is_not_replaced),
        T(a_program_that_will_not_do_stops_the_start),
        T(an_authority_that_was_not_made_stops_the_start),
        T(a_credential_is_signed_verified_and_given),
        T(parameters_that_are_no_such_thing_start_no_program),
        T(a_program_that_fails_gives_nothing_and_leaves_nothing),
        T(the_program_gets_neither_environment_nor_descriptors),
        T(the_real_program_makes_a_credential),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
