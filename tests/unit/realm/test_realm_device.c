/* SPDX-License-Identifier: Apache-2.0 */
/* The attestation device: configfs-tsm's semantics in C, over the socket, and as a directory. */
#include "../tee/soft_realm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "realm/device.h"

/* A realm in memory whose device is under test. */
static realm_home *make_realm(void)
{
    realm_home *r = calloc(1, sizeof *r);
    vs_arena_init(&r->arena, 0);
    r->platform_token = (vs_buf)VS_BUF(CCA_TOKEN_MAX);
    assert_vs_code(realm_spec_default(&r->arena, &r->spec, NULL), VS_OK);
    assert_vs_code(realm_keys_generate(&r->keys, NULL), VS_OK);
    assert_vs_code(realm_platform_token(&r->spec, &r->keys, &r->platform_token, NULL), VS_OK);
    return r;
}

/* The token must carry this challenge, padded with zeros. */
static void expect_challenge(vs_span token, vs_span inblob)
{
    vs_arena a;
    vs_error err = {0};
    cca_token t;
    uint8_t want[CCA_CHALLENGE] = {0};
    memcpy(want, inblob.p, inblob.n);
    vs_arena_init(&a, 0);
    assert_vs_ok(cca_token_decode(&a, token, &t, &err), &err);
    assert_memory_equal(t.realm.challenge.p, want, sizeof want);
    vs_arena_free(&a);
}

static const uint8_t blob[TSM_INBLOB_MAX + 1] =
    "0123456789abcdef0123456789abcdef0123456789abcdef01234567";

/* ---- the report ------------------------------------------------------------------------------ */

static void a_report_wants_32_to_64_bytes(void **state)
{
    (void)state;
    realm_home *r = make_realm();
    for (size_t n = 0; n <= sizeof blob; n++) {
        tsm_report report = {0};
        vs_span out;
        int wrote = tsm_report_write(&report, vs_span_of(blob, n));
        assert_int_equal(wrote, n > TSM_INBLOB_MAX ? EFBIG : n == 0 ? EINVAL : 0);
        int read = tsm_report_read(&report, r, &out);
        assert_int_equal(read, n < TSM_INBLOB_MIN || n > TSM_INBLOB_MAX ? EINVAL : 0);
        if (read == 0)
            expect_challenge(out, vs_span_of(blob, n));
        else
            assert_int_equal(out.n, 0);
        tsm_report_free(&report);
    }
    realm_close(&r);
}

static void a_report_is_made_anew_only_when_its_input_changed(void **state)
{
    (void)state;
    realm_home *r = make_realm();
    tsm_report report = {0};
    vs_span one, two;
    vs_buf first = VS_BUF(TSM_OUTBLOB_MAX);
    assert_int_equal(tsm_report_write(&report, vs_span_of(blob, 64)), 0);
    assert_int_equal(tsm_report_read(&report, r, &one), 0);
    vs_buf_put(&first, one);
    assert_int_equal(tsm_report_read(&report, r, &two), 0);
    assert_span_eq(vs_buf_span(&first), two); /* signatures are random: it is the same one */
    assert_int_equal(tsm_report_write(&report, vs_span_of(blob + 1, 64)), 0);
    assert_int_equal(report.generation, 2);
    assert_int_equal(tsm_report_read(&report, r, &two), 0);
    expect_challenge(two, vs_span_of(blob + 1, 64));
    /* A bad input does not leave the old report to be read. */
    assert_int_equal(tsm_report_write(&report, vs_span_of(blob, 31)), 0);
    assert_int_equal(tsm_report_read(&report, r, &two), EINVAL);
    report.generation = UINT32_MAX;
    assert_int_equal(tsm_report_write(&report, vs_span_of(blob, 64)), EBUSY);
    vs_buf_free(&first);
    tsm_report_free(&report);
    realm_close(&r);
}

/* ---- the socket ------------------------------------------------------------------------------ */

typedef struct socket_server {
    realm_home *realm;
    char dir[64], path[100];
    int stop[2], ready[2];
    pthread_t thread;
    vs_code code;
} socket_server;

static void tell_ready(void *user)
{
    socket_server *s = user;
    assert_int_equal(write(s->ready[1], "r", 1), 1);
}

static void *serve_socket(void *user)
{
    socket_server *s = user;
    s->code = realm_serve_socket(s->realm, s->path, s->stop[0], tell_ready, s, NULL);
    return NULL;
}

static int start_socket(void **state)
{
    socket_server *s = calloc(1, sizeof *s);
    char c;
    s->realm = make_realm();
    (void)snprintf(s->dir, sizeof s->dir, "%s/vs-tsm-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->path, sizeof s->path, "%s/tsm.sock", s->dir);
    assert_int_equal(pipe(s->stop) + pipe(s->ready), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve_socket, s), 0);
    assert_int_equal(read(s->ready[0], &c, 1), 1);
    *state = s;
    return 0;
}

static int stop_socket(void **state)
{
    socket_server *s = *state;
    assert_int_equal(write(s->stop[1], "s", 1), 1);
    (void)pthread_join(s->thread, NULL);
    assert_vs_code(s->code, VS_OK);
    assert_int_not_equal(access(s->path, F_OK), 0); /* it was removed */
    (void)rmdir(s->dir);
    (void)close(s->stop[0]), (void)close(s->stop[1]);
    (void)close(s->ready[0]), (void)close(s->ready[1]);
    realm_close(&s->realm);
    free(s);
    return 0;
}

static int dial(const socket_server *s)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", s->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void get(int fd, void *p, size_t n)
{
    assert_int_equal(recv(fd, p, n, MSG_WAITALL), (ssize_t)n);
}

static uint32_t get_u32(int fd)
{
    uint8_t b[4];
    get(fd, b, 4);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void ask(int fd, size_t n)
{
    uint8_t head[4] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n};
    assert_int_equal(send(fd, head, 4, 0), 4);
    assert_int_equal(send(fd, blob, n, 0), (ssize_t)n);
}

typedef struct reply {
    uint32_t code, generation, n;
    uint8_t out[TSM_OUTBLOB_MAX];
} reply;

static void get_reply(int fd, reply *r)
{
    char provider[64] = "";
    r->code = get_u32(fd);
    uint32_t n = get_u32(fd);
    assert_true(n < sizeof provider);
    get(fd, provider, n);
    assert_string_equal(provider, "arm_cca_guest\n");
    r->generation = get_u32(fd);
    r->n = get_u32(fd);
    assert_true(r->n <= sizeof r->out);
    if (r->n)
        get(fd, r->out, r->n);
}

static void the_socket_serves_reports(void **state)
{
    const socket_server *s = *state;
    reply r;
    int fd = dial(s);
    ask(fd, 0);
    get_reply(fd, &r);
    assert_true(r.code == 0 && r.generation == 0 && r.n == 0);
    ask(fd, 64);
    get_reply(fd, &r);
    assert_true(r.code == 0 && r.generation == 1);
    expect_challenge(vs_span_of(r.out, r.n), vs_span_of(blob, 64));
    ask(fd, 31);
    get_reply(fd, &r);
    assert_true(r.code == EINVAL && r.generation == 2 && r.n == 0);
    (void)close(fd);
    fd = dial(s); /* another connection is another instance */
    ask(fd, 48);
    get_reply(fd, &r);
    assert_true(r.code == 0 && r.generation == 1);
    expect_challenge(vs_span_of(r.out, r.n), vs_span_of(blob, 48));
    (void)close(fd);
}

static void a_request_in_pieces_beside_others_is_served(void **state)
{
    const socket_server *s = *state;
    reply r;
    int slow = dial(s), fast = dial(s);
    const uint8_t head[4] = {0, 0, 0, 32};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(send(slow, head + i, 1, 0), 1);
    ask(fast, 64);
    get_reply(fast, &r);
    assert_int_equal(r.code, 0);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(send(slow, blob + i, 1, 0), 1);
    get_reply(slow, &r);
    assert_int_equal(r.code, 0);
    expect_challenge(vs_span_of(r.out, r.n), vs_span_of(blob, 32));
    ask(fast, 32); /* two requests at once */
    ask(fast, 33);
    get_reply(fast, &r);
    assert_int_equal(r.generation, 2);
    get_reply(fast, &r);
    assert_int_equal(r.generation, 3);
    (void)close(slow);
    (void)close(fast);
}

static void too_long_a_request_ends_the_connection(void **state)
{
    const socket_server *s = *state;
    char c;
    static const uint8_t heads[][4] = {{0, 0, 0, 65}, {0, 0, 1, 0}, {255, 255, 255, 255}};
    for (size_t i = 0; i < VS_COUNT(heads); i++) {
        int fd = dial(s);
        assert_int_equal(send(fd, heads[i], 4, 0), 4);
        assert_int_equal(recv(fd, &c, 1, 0), 0);
        (void)close(fd);
    }
    the_socket_serves_reports(state);
}

static void connections_beyond_the_limit_are_closed_and_others_go_on(void **state)
{
    const socket_server *s = *state;
    int fds[80];
    reply r;
    for (size_t i = 0; i < VS_COUNT(fds); i++)
        fds[i] = dial(s);
    ask(fds[0], 64);
    get_reply(fds[0], &r);
    assert_int_equal(r.code, 0);
    for (size_t i = 0; i < VS_COUNT(fds); i++)
        (void)close(fds[i]);
    the_socket_serves_reports(state);
}

static void ready_is_not_told(void *user)
{
    *(bool *)user = true;
}

static void a_socket_that_is_served_is_not_taken_over_and_a_stale_one_is(void **state)
{
    const socket_server *s = *state;
    bool told = false;
    assert_vs_code(
        realm_serve_socket(s->realm, s->path, s->stop[0], ready_is_not_told, &told, NULL), VS_E_IO);
    assert_false(told);
    char stale[160];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(stale, sizeof stale, "%s/stale.sock", s->dir);
    memcpy(at.sun_path, stale, strlen(stale) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    (void)close(fd);
    int stop[2];
    assert_int_equal(pipe(stop), 0);
    assert_int_equal(write(stop[1], "s", 1), 1);
    assert_vs_code(realm_serve_socket(s->realm, stale, stop[0], ready_is_not_told, &told, NULL),
                   VS_OK);
    assert_true(told);
    (void)close(stop[0]), (void)close(stop[1]);
}

static void a_file_in_the_way_is_not_removed(void **state)
{
    const socket_server *s = *state;
    char path[160];
    bool told = false;
    (void)snprintf(path, sizeof path, "%s/file", s->dir);
    assert_vs_code(vs_write_file(path, VS_LIT("precious"), 0600, NULL), VS_OK);
    assert_vs_code(realm_serve_socket(s->realm, path, s->stop[0], ready_is_not_told, &told, NULL),
                   VS_E_IO);
    assert_int_equal(unlink(path), 0);
}

/* ---- the directory --------------------------------------------------------------------------- */

typedef struct mount_point {
    char dir[64];
    pid_t pid; /* 0: FUSE is not to be had */
} mount_point;

static void tell_parent(void *user)
{
    (void)!write(*(int *)user, "r", 1);
}

static int start_fuse(void **state)
{
    mount_point *m = calloc(1, sizeof *m);
    int ready[2];
    char c;
    (void)snprintf(m->dir, sizeof m->dir, "%s/vs-fuse-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(m->dir));
    assert_int_equal(pipe(ready), 0);
    m->pid = fork();
    if (m->pid == 0) {
        (void)close(ready[0]);
        realm_home *r = make_realm();
        vs_code code = realm_serve_fuse(r, m->dir, tell_parent, &ready[1], NULL);
        realm_close(&r);
        _exit(code == VS_OK ? 0 : 1);
    }
    (void)close(ready[1]);
    if (read(ready[0], &c, 1) != 1) {
        (void)waitpid(m->pid, NULL, 0);
        m->pid = 0;
    }
    (void)close(ready[0]);
    *state = m;
    return 0;
}

static int stop_fuse(void **state)
{
    mount_point *m = *state;
    int status = 0;
    if (m->pid) {
        assert_int_equal(kill(m->pid, SIGTERM), 0);
        assert_int_equal(waitpid(m->pid, &status, 0), m->pid);
        assert_int_equal(status, 0);
    }
    assert_int_equal(rmdir(m->dir), 0); /* nothing is mounted there any more */
    free(m);
    return 0;
}

static void need_fuse(const mount_point *m)
{
    if (!m->pid) {
        print_message("# skipped: FUSE is not to be had here\n");
        skip();
    }
}

static const char *at(const mount_point *m, const char *rel)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", m->dir, rel);
    return path;
}

/* One open, write, close; 0 or errno of the write. */
static int put(const char *path, vs_span s)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int e = write(fd, s.p, s.n) == (ssize_t)s.n ? 0 : errno;
    assert_int_equal(close(fd), 0);
    return e;
}

/* Reads to the end in pieces of `step`; -errno of the first failure. */
static ssize_t fetch(const char *path, uint8_t *out, size_t room, size_t step)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, out + n, step < room - n ? step : room - n);
        if (got < 0)
            n = 0;
        if (got <= 0) {
            ssize_t result = got < 0 ? -errno : (ssize_t)n;
            (void)close(fd);
            return result;
        }
        n += (size_t)got;
    }
}

static void expect_text(const char *path, const char *want)
{
    uint8_t text[64];
    ssize_t n = fetch(path, text, sizeof text, sizeof text);
    assert_true(n >= 0);
    assert_span_is(vs_span_of(text, (size_t)n), want);
}

static void a_directory_gives_reports_as_the_kernel_does(void **state)
{
    const mount_point *m = *state;
    static uint8_t out[TSM_OUTBLOB_MAX];
    need_fuse(m);
    assert_int_equal(mkdir(at(m, "r"), 0700), 0);
    expect_text(at(m, "r/provider"), "arm_cca_guest\n");
    expect_text(at(m, "r/generation"), "0\n");
    assert_int_equal(fetch(at(m, "r/outblob"), out, sizeof out, 512), -EINVAL);
    assert_int_equal(put(at(m, "r/inblob"), vs_span_of(blob, 64)), 0);
    expect_text(at(m, "r/generation"), "1\n");
    ssize_t n = fetch(at(m, "r/outblob"), out, sizeof out, 100);
    assert_true(n > 0);
    expect_challenge(vs_span_of(out, (size_t)n), vs_span_of(blob, 64));
    assert_int_equal(fetch(at(m, "r/auxblob"), out, sizeof out, 100), 0);
    assert_int_equal(put(at(m, "r/inblob"), vs_span_of(blob, 65)), EFBIG);
    expect_text(at(m, "r/generation"), "1\n");
    assert_int_equal(put(at(m, "r/inblob"), vs_span_of(blob, 31)), 0);
    expect_text(at(m, "r/generation"), "2\n");
    assert_int_equal(fetch(at(m, "r/outblob"), out, sizeof out, 512), -EINVAL);
    assert_int_equal(rmdir(at(m, "r")), 0);
    assert_int_equal(rmdir(at(m, "r")), -1);
    assert_int_equal(errno, ENOENT);
}

static void what_the_kernel_forbids_is_forbidden(void **state)
{
    const mount_point *m = *state;
    need_fuse(m);
    static const struct {
        const char *path;
        int flags, want;
    } opens[] = {
        {"r/outblob", O_WRONLY, EACCES},       {"r/inblob", O_RDONLY, EACCES},
        {"r/inblob", O_RDWR, EACCES},          {"r/provider", O_WRONLY, EACCES},
        {"r/new", O_WRONLY | O_CREAT, EACCES}, {"new", O_WRONLY | O_CREAT, EACCES},
        {"r/nothing", O_RDONLY, ENOENT},       {"x/inblob", O_WRONLY, ENOENT},
        {"r/inblob/x", O_WRONLY, ENOTDIR},
    };
    assert_int_equal(mkdir(at(m, "r"), 0700), 0);
    for (size_t i = 0; i < VS_COUNT(opens); i++) {
        assert_int_equal(open(at(m, opens[i].path), opens[i].flags | O_CLOEXEC, 0600), -1);
        if (errno != opens[i].want)
            fail_msg("%s: %s", opens[i].path, strerror(errno));
    }
    assert_true(mkdir(at(m, "r"), 0700) == -1 && errno == EEXIST);
    assert_true(mkdir(at(m, "r/x"), 0700) == -1 && errno == EPERM);
    assert_true(unlink(at(m, "r/inblob")) == -1 && errno == EPERM);
    assert_int_equal(rmdir(at(m, "r")), 0);
}

static void an_open_report_survives_its_directory(void **state)
{
    const mount_point *m = *state;
    static uint8_t out[TSM_OUTBLOB_MAX];
    need_fuse(m);
    assert_int_equal(mkdir(at(m, "r"), 0700), 0);
    assert_int_equal(put(at(m, "r/inblob"), vs_span_of(blob, 64)), 0);
    int fd = open(at(m, "r/outblob"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(rmdir(at(m, "r")), 0);
    assert_true(read(fd, out, sizeof out) > 0);
    (void)close(fd);
}

static void instances_do_not_mix(void **state)
{
    const mount_point *m = *state;
    static uint8_t out[TSM_OUTBLOB_MAX];
    need_fuse(m);
    char path[32];
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(path, sizeof path, "i%u", i);
        assert_int_equal(mkdir(at(m, path), 0700), 0);
        (void)snprintf(path, sizeof path, "i%u/inblob", i);
        assert_int_equal(put(at(m, path), vs_span_of(blob + i, 40)), 0);
    }
    unsigned listed = 0;
    DIR *d = opendir(m->dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        listed += e->d_name[0] == 'i';
    (void)closedir(d);
    assert_int_equal(listed, 8);
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(path, sizeof path, "i%u/outblob", i);
        ssize_t n = fetch(at(m, path), out, sizeof out, 4096);
        assert_true(n > 0);
        expect_challenge(vs_span_of(out, (size_t)n), vs_span_of(blob + i, 40));
        (void)snprintf(path, sizeof path, "i%u", i);
        assert_int_equal(rmdir(at(m, path)), 0);
    }
}

#define ON_SOCKET(test) cmocka_unit_test_setup_teardown(test, start_socket, stop_socket)
#define ON_FUSE(test)   cmocka_unit_test_setup_teardown(test, start_fuse, stop_fuse)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_wants_32_to_64_bytes),
        cmocka_unit_test(a_report_is_made_anew_only_when_its_input_changed),
        ON_FUSE(a_directory_gives_reports_as_the_kernel_does),
        ON_FUSE(what_the_kernel_forbids_is_forbidden),
        ON_FUSE(an_open_report_survives_its_directory),
        ON_FUSE(instances_do_not_mix),
        ON_SOCKET(the_socket_serves_reports),
        ON_SOCKET(a_request_in_pieces_beside_others_is_served),
        ON_SOCKET(too_long_a_request_ends_the_connection),
        ON_SOCKET(connections_beyond_the_limit_are_closed_and_others_go_on),
        ON_SOCKET(a_socket_that_is_served_is_not_taken_over_and_a_stale_one_is),
        ON_SOCKET(a_file_in_the_way_is_not_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
