/* SPDX-License-Identifier: Apache-2.0 */
/* The programs inside a guest: one executable, found by the name it is called as. */
#ifndef VS_CMD_GUEST_GUEST_H
#define VS_CMD_GUEST_GUEST_H

#include "cmd/process.h"
#include "net/http_server.h"
#include "net/task_pool.h"
#include "net/ttrpc.h"

/* Where the default sockets are. */
#define GUEST_RUN_DIR "/run/confidential-containers"

int guest_aa(int argc, char **argv);      /* attestation-agent, over ttrpc */
int guest_grpc_aa(int argc, char **argv); /* grpc-aa */
int guest_cdh(int argc, char **argv);     /* confidential-data-hub */
int guest_grpc_cdh(int argc, char **argv);
int guest_asr(int argc, char **argv); /* api-server-rest */
int guest_keyprovider(int argc, char **argv);
int guest_secure_mount(int argc, char **argv);
int guest_luks2_header(int argc, char **argv);
int guest_all(int argc, char **argv); /* the first three in one process */

/* A program between the preparation of the process and its end: the first member of what it is. */
typedef struct guest_part guest_part;
struct guest_part {
    const char *what; /* in errors, where several are one process */
    VS_MUST vs_code (*open)(guest_part *part, vs_error *err); /* serves when it returns VS_OK */
    void (*close)(guest_part *part); /* also of what did not open, or was not asked to */
};
/* Opens them in order, serves until the process is told to stop, closes them in the reverse order.
 * Gives the exit code; says in the name of `program` what was wrong. */
int guest_run(const char *program, const char *log_level, guest_part *const *parts, size_t n);

/* For guest_all. Texts must outlive the part; NULL = the program's default. The caller calls free;
 * NULL: no memory. */
typedef struct guest_setup {
    const char *aa_config, *cdh_config;
    const char *bind, *unix_path, *features;
    const char *log_level;
} guest_setup;
guest_part *guest_aa_part(const guest_setup *s);
guest_part *guest_cdh_part(const guest_setup *s);
guest_part *guest_asr_part(const guest_setup *s);

/* The kernel's command line, into `text`; nothing, and a warning (once), when it cannot be read. */
vs_span guest_cmdline(vs_buf *text);

/* Names or numbers of users and a group (NULL = none) as ids. */
typedef struct guest_callers {
    uint32_t uids[VS_TTRPC_UIDS_MAX];
    size_t n_uids;
    bool has_gid;
    uint32_t gid;
} guest_callers;
VS_MUST vs_code guest_callers_of(const char *const *users, size_t n, const char *group,
                                 guest_callers *out, vs_error *err);

/* Makes the directories of a default socket, outermost first. Whatever the umask and whoever made
 * them, they let callers through when some are configured. */
VS_MUST vs_code guest_socket_dirs(const char *const *dirs, size_t n, const guest_callers *callers,
                                  vs_error *err);

/* Of each server: threads for what needs nobody else. */
enum { GUEST_WORKERS = 4 };
/* How many requests may wait for others at a time (a KBS, a device, the server behind): a server
 * has room for all that those before it let wait, and for some of its own callers. */
enum {
    GUEST_ASR_WAITING = 64,
    GUEST_CDH_WAITING = GUEST_ASR_WAITING + 16,
    GUEST_AA_WAITING = GUEST_ASR_WAITING + GUEST_CDH_WAITING + 16,
};

/* One table of methods on a socket: ttrpc at "unix://...", or gRPC at "IP:port" on loopback. What
 * is given must outlive the server. */
typedef struct guest_server {
    vs_ttrpc_server *ttrpc;
    vs_grpc_services services;
    vs_http_server *http;
} guest_server;
VS_MUST vs_code guest_serve(const char *address, bool grpc, const guest_callers *callers,
                            const vs_grpc_method *methods, size_t n, unsigned waiting,
                            guest_server *out, vs_error *err);
void guest_server_stop(guest_server *s);

/* Says what was wrong and gives the exit code. */
int guest_failed(const char *program, const vs_error *err);

#endif
