/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attestation service's own configuration file (attestation-service.md 7.1): JSON, or TOML or
 * YAML by extension. Trustee passes over keys that it does not know; here they are errors.
 */
#ifndef VS_CMD_CONFIG_AS_H
#define VS_CMD_CONFIG_AS_H

#include "as/veraison.h"
#include "cmd/server.h"
#include "config/storage.h"
#include "config/veraison.h"

typedef struct as_file {
    verifier_config verifier;
    store_config storage;
    bool values_elsewhere; /* reference values in a store of their own */
    store_config values;
    bool insecure_administration; /* grpc-as: for strangers too */
    bool veraison;                /* restful-as serves Veraison's interface */
    as_veraison_config veraison_how;
} as_file;

extern const config_table as_file_table;

as_veraison_config as_veraison_config_of(const config_veraison *c);

/* Without a file (path == NULL) the defaults. Text lives on the arena. */
VS_MUST vs_code as_file_load(const char *path, vs_arena *a, as_file *out, vs_error *err);
/* The same from a parsed file. */
VS_MUST vs_code as_file_read(vs_val file, vs_arena *a, as_file *out, vs_error *err);

#endif
