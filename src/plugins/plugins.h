/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker releases from elsewhere: Vault, a HSM, programs behind gRPC, a Nebula authority.
 * The broker knows them as a vs_store or a kbs_plugin; what they speak is known here only.
 *
 * All of them wait for others: with any of them requests belong on worker threads
 * (vs_http_config.workers). Any thread may call any of them.
 */
#ifndef VS_PLUGINS_PLUGINS_H
#define VS_PLUGINS_PLUGINS_H

#include "kbs/plugin.h"

/* KV secrets engine of Vault or OpenBao, version 1 or 2, as a store of one namespace (kbs.md 8.4).
 * Connects to nothing yet. Deleting what is not there is no error; there is no listing, no expiry
 * and no VS_PUT_CREATE. `cfg` must outlive it. */
VS_MUST vs_code vault_open(const kbs_vault_config *cfg, vs_store **out, vs_error *err);

/* Each fills in *out for kbs_set_plugin; `cfg` must outlive it. */

/* Loads the module, logs in, finds nothing else wrong: what fails here stops the start. */
VS_MUST vs_code pkcs11_plugin(const kbs_pkcs11_config *cfg, kbs_plugin *out, vs_error *err);
/* Checks the program's version and makes the authority when there is none. */
VS_MUST vs_code nebula_plugin(const kbs_nebula_config *cfg, kbs_plugin *out, vs_error *err);
/* Connects to every backend: waits at most `start_ms` for all of them, asking again after 100 ms,
 * 200 ms, ... 5 s (0 = 30 s). */
VS_MUST vs_code external_plugin(const kbs_backend_config *backends, size_t n, unsigned start_ms,
                                kbs_plugin *out, vs_error *err);

/* Makes directories that the sandbox can only let them use when they are there. */
VS_MUST vs_code plugins_prepare(const kbs_config *cfg, vs_error *err);
/* All that is configured into k. */
VS_MUST vs_code plugins_attach(const kbs_config *cfg, kbs *k, vs_error *err);
/* Whether any of them is configured. */
bool plugins_wait(const kbs_config *cfg);
/* The plugin that the server's sandbox would break: an HSM's module, somebody else's code, while it
 * is not known what it works on; NULL = none. */
const char *plugins_outside_sandbox(const kbs_config *cfg);

#endif
