/* SPDX-License-Identifier: Apache-2.0 */
/* What every server program does with its process, whatever it serves: logging, hardening, waiting
 * for its end. */
#ifndef VS_CMD_PROCESS_H
#define VS_CMD_PROCESS_H

#include "cmd/supervise.h"

enum { SERVER_DRAIN_MS = 10000 };

/* RUST_LOG's words or an option's; NULL = info. */
void server_log(const char *level, bool json);
/* At the beginning of a server: no core dumps; SIGTERM, SIGINT and SIGHUP wait for server_wait. */
void server_prepare(void);

typedef struct server_events {
    void (*tick)(void *user);   /* about once a minute; may be NULL */
    void (*reload)(void *user); /* SIGHUP; NULL: nothing is read again, it is passed over */
    void *user;
} server_events;

/* Tells the service manager that the server is ready, then keeps it informed. Until SIGTERM or
 * SIGINT, after which the process ends within SERVER_DRAIN_MS and two seconds, whatever else it
 * waits for. */
void server_wait(const supervisor *manager, const server_events *events);

#endif
