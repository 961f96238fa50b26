/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/guest/guest.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "base/users.h"
#include "config/config.h"

enum { CMDLINE_MAX = 64 * 1024, CONNECTIONS = 256, REQUESTS = 256 };

vs_span guest_cmdline(vs_buf *text)
{
    static atomic_flag said = ATOMIC_FLAG_INIT; /* the programs may be one process */
    vs_error err = {0};
    text->cap = CMDLINE_MAX;
    if (vs_read_file("/proc/cmdline", text, &err) != VS_OK) {
        vs_buf_clear(text);
        if (!atomic_flag_test_and_set(&said))
            vs_log_error(VS_LOG_WARN, "guest",
                         "settings of the kernel's command line are not in effect: it cannot be "
                         "read",
                         &err);
    }
    return vs_span_trim(vs_buf_span(text));
}

/* ---- who may call ---------------------------------------------------------------------------- */

vs_code guest_callers_of(const char *const *users, size_t n, const char *group, guest_callers *out,
                         vs_error *err)
{
    *out = (guest_callers){0};
    if (n > VS_TTRPC_UIDS_MAX)
        return vs_fail(err, VS_E_LIMIT, "%zu users may call, at most %d", n, VS_TTRPC_UIDS_MAX);
    for (size_t i = 0; i < n; i++)
        VS_TRY(vs_user_id(users[i], &out->uids[i], err));
    out->n_uids = n;
    out->has_gid = group != NULL;
    return group ? vs_group_id(group, &out->gid, err) : VS_OK;
}

vs_code guest_socket_dirs(const char *const *dirs, size_t n, const guest_callers *callers,
                          vs_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        VS_TRY(vs_make_dirs(dirs[i], 0755, err));
        if (!callers->n_uids && !callers->has_gid)
            continue;
        if (stat(dirs[i], &st) != 0 || ((st.st_mode & 0111) != 0111 && chmod(dirs[i], 0755) != 0))
            return vs_fail_errno(err, VS_E_IO, errno, "letting [callers] into %s", dirs[i]);
    }
    return VS_OK;
}

/* ---- serving --------------------------------------------------------------------------------- */

/* gRPC has no way to tell who calls, and upstream serves it on loopback only. */
static vs_code serve_grpc(const char *address, const vs_grpc_method *methods, size_t n,
                          unsigned waiting, guest_server *out, vs_error *err)
{
    if (!config_socket_ok(address) || !config_socket_is_loopback(address))
        return vs_fail(err, VS_E_INVALID,
                       "gRPC is served on loopback only (\"127.0.0.1:50002\"), not on \"%.100s\"",
                       address);
    out->services = (vs_grpc_services){.methods = methods, .n_methods = n};
    const vs_http_config cfg = {.sockets = &address,
                                .n_sockets = 1,
                                .threads = 1,
                                .workers = GUEST_WORKERS,
                                .waiting = waiting,
                                .grpc = &out->services};
    VS_TRY(vs_http_server_start(&cfg, &out->http, err));
    const char *colon = strrchr(address, ':');
    printf("ready http://%.*s:%u\n", (int)(colon - address), address,
           vs_http_server_port(out->http, 0));
    return VS_OK;
}

static vs_code serve_ttrpc(const char *address, const guest_callers *callers,
                           const vs_grpc_method *methods, size_t n, unsigned waiting,
                           guest_server *out, vs_error *err)
{
    const vs_ttrpc_config cfg = {.address = address,
                                 .uids = callers->uids,
                                 .n_uids = callers->n_uids,
                                 .has_gid = callers->has_gid,
                                 .gid = callers->gid,
                                 .methods = methods,
                                 .n_methods = n,
                                 .connections = CONNECTIONS,
                                 .requests = REQUESTS,
                                 .workers = GUEST_WORKERS,
                                 .waiting = waiting};
    VS_TRY(vs_ttrpc_server_start(&cfg, &out->ttrpc, err));
    printf("ready %s\n", address);
    return VS_OK;
}

vs_code guest_serve(const char *address, bool grpc, const guest_callers *callers,
                    const vs_grpc_method *methods, size_t n, unsigned waiting, guest_server *out,
                    vs_error *err)
{
    *out = (guest_server){0};
    vs_code code = grpc ? serve_grpc(address, methods, n, waiting, out, err)
                        : serve_ttrpc(address, callers, methods, n, waiting, out, err);
    (void)fflush(stdout);
    return code;
}

void guest_server_stop(guest_server *s)
{
    vs_http_server_stop(&s->http, SERVER_DRAIN_MS);
    vs_ttrpc_server_stop(&s->ttrpc, SERVER_DRAIN_MS);
}

/* ---- from start to end ----------------------------------------------------------------------- */

static vs_code open_all(guest_part *const *parts, size_t n, vs_error *err)
{
    for (size_t i = 0; i < n; i++) {
        vs_code code = parts[i]->open(parts[i], err);
        if (code != VS_OK)
            return n > 1 ? vs_wrap(err, "%s", parts[i]->what) : code;
    }
    return VS_OK;
}

int guest_run(const char *program, const char *log_level, guest_part *const *parts, size_t n)
{
    vs_error err = {0};
    supervisor manager;
    server_log(log_level, false);
    server_prepare();
    supervisor_open(&manager);
    vs_code code = open_all(parts, n, &err);
    if (code == VS_OK)
        server_wait(&manager, &(server_events){0});
    for (size_t i = n; i-- > 0;)
        parts[i]->close(parts[i]);
    supervisor_close(&manager);
    return code == VS_OK ? EXIT_SUCCESS : guest_failed(program, &err);
}

int guest_failed(const char *program, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    fprintf(stderr, "%s: %s\n", program, vs_error_text(err, text, sizeof text));
    return EXIT_FAILURE;
}
