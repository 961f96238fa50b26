/* SPDX-License-Identifier: Apache-2.0 */
/* A real TPM 2.0 implementation, swtpm, on a Unix socket. */
#ifndef VS_TEST_SWTPM_H
#define VS_TEST_SWTPM_H

#include "../tee/soft_tpm.h"

#include <signal.h>
#include <sys/wait.h>

#include "client/tpm.h"
#include "tee/cursor.h"

enum { CREATE_PRIMARY = 0x131, EVICT_CONTROL = 0x120, OWNER = 0x40000001, HEAD = 10 };

typedef struct device {
    pid_t pid;
    int fd;
    char dir[40], path[60];
    vs_arena a;
    uint32_t key;
    vs_val ak; /* base64 of its SubjectPublicKeyInfo */
} device;

static inline bool have_swtpm(void)
{
    if (access("/usr/bin/swtpm", X_OK) == 0)
        return true;
    print_message("skipped: swtpm is not installed\n");
    return false;
}

static inline void run_swtpm(const device *d)
{
    char state[64], server[80];
    (void)snprintf(state, sizeof state, "dir=%s", d->dir);
    (void)snprintf(server, sizeof server, "type=unixio,path=%s", d->path);
    (void)execl("/usr/bin/swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server",
                server, "--flags", "not-need-init,startup-clear", (char *)NULL);
    _exit(127);
}

static inline void device_connect(device *d)
{
    vs_error err = {0};
    for (int i = 0; i < 500 && tpm_open(d->path, &d->fd, &err) != VS_OK; i++)
        (void)usleep(10000);
    assert_true(d->fd >= 0);
}

/* swtpm serves one connection after the other. */
static inline void device_disconnect(device *d)
{
    (void)close(d->fd);
    d->fd = -1;
}

static inline void device_close(device *d)
{
    char command[64];
    if (d->fd >= 0)
        device_disconnect(d);
    (void)kill(d->pid, SIGTERM);
    (void)waitpid(d->pid, NULL, 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", d->dir);
    assert_int_equal(system(command), 0);
    vs_arena_free(&d->a);
}

/* A primary key for signing, restricted: an attestation key. `kind` 1 = RSA-2048 with RSASSA,
 * 0x23 = ECDSA on P-256; SHA-256. */
static inline void make_key(device *d, unsigned kind)
{
    vs_buf b = VS_BUF(TPM_ANSWER_MAX), answer = VS_BUF(TPM_ANSWER_MAX);
    vs_error err = {0};
    bool rsa = kind == 1;
    tpm_put_be(&b, OWNER, 4);
    tpm_put_password(&b);
    tpm_put_be(&b, 4, 2); /* no authorisation value, no data */
    tpm_put_be(&b, 0, 4);
    tpm_put_be(&b, 24, 2); /* the template, of the same size for both */
    tpm_put_be(&b, kind, 2);
    tpm_put_be(&b, 0x000b, 2);
    tpm_put_be(&b, 0x00050072, 4); /* fixed, user with authorisation, restricted, sign */
    tpm_put_be(&b, 0, 2);
    tpm_put_be(&b, 0x0010, 2); /* no symmetric algorithm */
    tpm_put_be(&b, rsa ? 0x0014000b : 0x0018000b, 4);
    tpm_put_be(&b, rsa ? 2048 : 0x0003, 2);
    tpm_put_be(&b, rsa ? 0 : 0x0010, rsa ? 4 : 2); /* exponent; no derivation, then an empty x */
    tpm_put_be(&b, 0, 2);
    if (!rsa)
        tpm_put_be(&b, 0, 2);
    tpm_put_be(&b, 0, 2); /* no outside information */
    tpm_put_be(&b, 0, 4); /* no registers */
    assert_vs_ok(tpm_transact(d->fd, TPM_SESSIONS, CREATE_PRIMARY, vs_buf_span(&b), &answer, &err),
                 &err);
    vs_cursor c = vs_cursor_of(vs_span_from(vs_buf_span(&answer), HEAD), NULL);
    d->key = be_u32(&c);
    if (rsa) {
        vs_key *ak = NULL;
        assert_vs_ok(tpm_read_key(d->fd, d->key, &ak, &err), &err);
        d->ak = soft_tpm_ak(&d->a, ak);
        vs_key_free(&ak);
    }
    vs_buf_free(&b);
    vs_buf_free(&answer);
}

static inline void device_open(device *d)
{
    *d = (device){.fd = -1, .dir = "/tmp/vouchsafe-tpm-XXXXXX"};
    vs_arena_init(&d->a, 0);
    assert_non_null(mkdtemp(d->dir));
    (void)snprintf(d->path, sizeof d->path, "%s/tpm.sock", d->dir);
    d->pid = fork();
    assert_true(d->pid >= 0);
    if (d->pid == 0)
        run_swtpm(d);
    device_connect(d);
}

/* The key stays at this handle. */
static inline void keep_key(device *d, uint32_t handle)
{
    vs_buf b = VS_BUF(TPM_ANSWER_MAX), answer = VS_BUF(TPM_ANSWER_MAX);
    vs_error err = {0};
    tpm_put_be(&b, OWNER, 4);
    tpm_put_be(&b, d->key, 4);
    tpm_put_password(&b);
    tpm_put_be(&b, handle, 4);
    assert_vs_ok(tpm_transact(d->fd, TPM_SESSIONS, EVICT_CONTROL, vs_buf_span(&b), &answer, &err),
                 &err);
    vs_buf_free(&b);
    vs_buf_free(&answer);
}

#endif
