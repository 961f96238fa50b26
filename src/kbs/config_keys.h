/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the configuration file as data: what is read, what it means, what it falls back to.
 * The reader (config_read.c) and the printed reference both come from this table.
 */
#ifndef VS_KBS_CONFIG_KEYS_H
#define VS_KBS_CONFIG_KEYS_H

#include "kbs/config.h"

typedef enum config_type {
    CONFIG_TABLE, /* a table; its members follow with longer paths. A bool at offset, if any, is set
                   */
    CONFIG_TABLES, /* an array of tables; members' offsets are those of an element */
    CONFIG_TEXT,   /* const char * */
    CONFIG_FLAG,   /* bool */
    CONFIG_COUNT,  /* int64_t within min..max */
    CONFIG_TEXTS,  /* const char *const * at offset, size_t at n_offset */
    CONFIG_CHOICE, /* int: the value of one of `choices` */
    CONFIG_ANY,    /* whatever it is, it is not looked at */
} config_type;

typedef enum config_status {
    CONFIG_CURRENT,
    CONFIG_OLD,    /* still read; `hint` is the key that replaced it */
    CONFIG_UNUSED, /* accepted without effect; `hint` says why */
} config_status;

typedef struct config_choice {
    const char *name;
    int value;
    const char *lacks; /* a part that this build does not have; choosing it is an error */
} config_choice;

enum { CONFIG_NOWHERE = SIZE_MAX >> 1 };

typedef struct config_key {
    const char *path; /* dotted, from the top of the file */
    config_type type;
    config_status status;
    const char *hint;
    size_t offset, n_offset; /* in config_raw, or in the element of the enclosing CONFIG_TABLES */
    size_t element;          /* CONFIG_TABLES: bytes of one */
    int64_t min, max;
    const config_choice *choices; /* ends with a NULL name */
    const char *fallback;         /* as it would be written in the file; NULL = none */
    const char *meaning;
} config_key;

const config_key *config_keys(size_t *n);

typedef enum config_as { AS_BUILT_IN } config_as;
typedef enum config_admin {
    ADMIN_UNSET,
    ADMIN_ALLOW,
    ADMIN_DENY,
    ADMIN_BEARER,
    ADMIN_SIMPLE
} config_admin;
typedef enum config_tls { TLS_UNSET, TLS_INTERMEDIATE, TLS_MODERN, TLS_CUSTOM } config_tls;
typedef enum config_plugin_name { PLUGIN_NONE, PLUGIN_RESOURCE, PLUGIN_SAMPLE } config_plugin_name;
typedef enum config_storage {
    STORAGE_UNSET,
    STORAGE_MEMORY,
    STORAGE_LOCALFS,
    STORAGE_SQLITE,
    STORAGE_LOCALJSON,
    STORAGE_POSTGRES,
} config_storage;
typedef enum config_backend { BACKEND_UNSET, BACKEND_KV, BACKEND_TREE } config_backend;

typedef struct config_plugin {
    int name;
    int backend;     /* storage_backend_type */
    int old_backend; /* type */
    const char *dir_path;
} config_plugin;

/* The file as read, before its parts are put together (config.c). */
typedef struct config_raw {
    kbs_config c;
    bool has_http, has_admin, has_as, has_local_fs, has_local_json, has_postgres, has_bearer,
        has_acl, has_mtls, has_unix;
    int tls_profile, tls_min, tls_max;
    int64_t body_mib, workers, key_refresh;
    int as_type, rvps_type;
    int admin_mode, admin_old_mode;
    int audit_sync;
    const char *auth_public_key;
    bool insecure_api;
    const kbs_acl *acls, *roles;
    size_t n_acls, n_roles;
    int storage_type, session_storage, as_storage, rvps_storage;
    const char *sqlite_path, *local_fs_dir, *local_json_dir;
    vs_store_postgres postgres;
    int64_t postgres_port;
    const config_plugin *plugins;
    size_t n_plugins;
} config_raw;

/* Sets every top-level key that has one to its fallback. */
void config_fallbacks(config_raw *raw);
/* Reads a parsed file into *raw, which holds the fallbacks. */
VS_MUST vs_code config_read(vs_arena *a, vs_val file, config_raw *raw, vs_error *err);
/* Puts the parts together: profiles, dialects, what needs what. */
VS_MUST vs_code config_settle(config_raw *raw, vs_arena *a, vs_error *err);

#endif
