/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KBS + AS + RVPS in one process: what `vouchsafe serve` and `kbs` run.
 */
#ifndef VS_CMD_SERVE_H
#define VS_CMD_SERVE_H

#include "api/remote.h"
#include "kbs/config.h"

typedef struct serve_how {
    /* Reads the configuration again, complete and checked, onto the arena. */
    vs_code (*load)(void *user, vs_arena *a, kbs_config *out, vs_error *err);
    void *user;
    const char *config_file; /* NULL = none */
    bool no_sandbox;
} serve_how;

/* A peer of the configuration; points into it. */
remote_config serve_remote(const kbs_remote *r);

/* Runs until SIGTERM or SIGINT; returns the exit code. `cfg` was checked by the caller. Prints
 * "ready URL" on stdout once it serves; everything else goes to the log. SIGHUP reloads: all of it
 * or, with an error in the log, nothing. */
int serve_run(const kbs_config *cfg, const serve_how *how);

#endif
