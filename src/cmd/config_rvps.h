/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference value provider's configuration file (attestation-service.md 7.2): JSON, TOML or
 * YAML by extension.
 */
#ifndef VS_CMD_CONFIG_RVPS_H
#define VS_CMD_CONFIG_RVPS_H

#include "config/storage.h"
#include "config/trust.h"

typedef struct rvps_file {
    store_config storage;
    bool refuse_sample_values, require_signed_values, accept_unsigned_keys;
    bool insecure_administration; /* for strangers too */
    config_trust trust;           /* whose values are believed */
} rvps_file;

extern const config_table rvps_file_table;

/* Without a file (path == NULL) the defaults. Text lives on the arena. */
VS_MUST vs_code rvps_file_load(const char *path, vs_arena *a, rvps_file *out, vs_error *err);
/* The same from a parsed file. */
VS_MUST vs_code rvps_file_read(vs_val file, vs_arena *a, rvps_file *out, vs_error *err);

#endif
