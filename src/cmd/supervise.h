/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two protocols of a service manager, without its library: what the process tells about itself
 * (sd_notify(3): datagrams to $NOTIFY_SOCKET) and sockets it is given (sd_listen_fds(3)). Both do
 * nothing when nobody supervises.
 */
#ifndef VS_CMD_SUPERVISE_H
#define VS_CMD_SUPERVISE_H

#include "base/error.h"

typedef struct supervisor {
    int fd;              /* connected to the manager; -1 = none */
    int64_t watchdog_ns; /* it wants a sign of life at least so often; 0 = it does not */
} supervisor;

/* Connects, so that a later sandbox does not matter, and forgets the variables, so that nothing
 * else speaks for us. A socket that cannot be reached is a warning in the log. */
void supervisor_open(supervisor *s);
void supervisor_close(supervisor *s);
void supervisor_ready(const supervisor *s);
/* With the time since when (Type=notify-reload); supervisor_ready ends it. */
void supervisor_reloading(const supervisor *s);
void supervisor_stopping(const supervisor *s);
void supervisor_alive(const supervisor *s);

/* Listening sockets by name: "operations" for health and metrics, everything else for the API. */
enum { SUPERVISED_MAX = 16 };
typedef struct supervised {
    int api[SUPERVISED_MAX], operations[SUPERVISED_MAX];
    size_t n_api, n_operations;
} supervised;
VS_MUST vs_code supervised_sockets(supervised *out, vs_error *err);

#endif
