/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the file system the parts of a server still need once it serves: what their configuration
 * names. Paths go onto `s` as they are and must outlive doors_shut; those that are made here are on
 * the arena.
 */
#ifndef VS_CMD_DOORS_H
#define VS_CMD_DOORS_H

#include "cmd/sandbox.h"
#include "cmd/server.h"
#include "config/storage.h"
#include "kbs/config.h"

/* Files that libraries read because the environment names them. */
void doors_environment(sandbox *s);
void doors_store(sandbox *s, vs_arena *a, const store_config *store);
/* Revocation lists; anchors are read once. */
void doors_trust(sandbox *s, const config_trust *trust);
void doors_verifier(sandbox *s, vs_arena *a, const verifier_config *cfg, const vs_tee_trust *trust);
/* All that a key broker names but its verifier: keys, stores, sockets, plugins. */
void doors_kbs(sandbox *s, vs_arena *a, const kbs_config *cfg);

/* Enters the sandbox, or warns that it is off. Once the stores and the verifier are open, before
 * anything has a thread. */
VS_MUST vs_code doors_shut(const sandbox *s, bool off, vs_error *err);

#endif
