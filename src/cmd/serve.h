/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KBS + AS + RVPS in one process: what `vouchsafe serve` and `kbs` run.
 */
#ifndef VS_CMD_SERVE_H
#define VS_CMD_SERVE_H

#include "kbs/config.h"

/* Runs until SIGTERM or SIGINT; returns the exit code. `cfg` was checked by the caller. Prints
 * "ready URL" on stdout once it serves; everything else goes to the log. */
int serve_run(const kbs_config *cfg);

#endif
