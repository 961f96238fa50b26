/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a program keeps its data: the storage section of a configuration file (kbs.md 8.5,
 * attestation-service.md 7.4), and opening the store that it names.
 */
#ifndef VS_CONFIG_STORAGE_H
#define VS_CONFIG_STORAGE_H

#include "config/config.h"
#include "store/store.h"

typedef enum store_type {
    STORE_MEMORY,
    STORE_SQLITE,
    STORE_LOCALFS,
    STORE_TREE,
    STORE_LOCALJSON,
    STORE_POSTGRES
} store_type;
typedef struct store_config {
    store_type type;
    const char *path;           /* file or directory; NULL for memory and PostgreSQL */
    vs_store_postgres postgres; /* may hold a password */
} store_config;

/* An SQLite file's directory is made (mode 0700) when it is missing. */
VS_MUST vs_code store_open(const store_config *cfg, vs_store **out, vs_error *err);

/* The section as read. */
typedef enum config_storage_type {
    STORAGE_UNSET,
    STORAGE_MEMORY,
    STORAGE_LOCALFS,
    STORAGE_SQLITE,
    STORAGE_LOCALJSON,
    STORAGE_POSTGRES,
} config_storage_type;
extern const config_choice config_storage_types[];

typedef struct config_storage {
    int type;
    bool given; /* the section is there */
    bool has_local_fs, has_local_json, has_postgres;
    const char *sqlite_path, *local_fs_dir, *local_json_dir;
    vs_store_postgres postgres;
    int64_t postgres_port;
} config_storage;

/* The store of one type with its settings in the section of that name ("storage_backend"). The
 * environment's POSTGRES_URL wins over the section. */
VS_MUST vs_code config_store_of(const config_storage *s, const char *section, int type,
                                store_config *out, vs_error *err);

/* Lines of a table for the section `p` that is read into the config_storage at offset `at`. */
#define CONFIG_STORAGE_KEYS(p, at, sqlite_file)                                                    \
    SECTION_AT(p, (at) + offsetof(config_storage, given), "where everything is kept"),             \
        CHOICE(p ".storage_type", (at) + offsetof(config_storage, type), config_storage_types,     \
               "Sqlite",                                                                           \
               "Sqlite, Postgres (what replicas share), LocalFs, LocalJson (each in Trustee's "    \
               "layout) or Memory (lost at exit)"),                                                \
        SECTION(p ".backends", "settings of each type"),                                           \
        SECTION(p ".backends.sqlite", "one database file"),                                        \
        TEXT(p ".backends.sqlite.path", (at) + offsetof(config_storage, sqlite_path), sqlite_file, \
             "the file"),                                                                          \
        SECTION_AT(p ".backends.local_fs", (at) + offsetof(config_storage, has_local_fs),          \
                   "one file per value"),                                                          \
        TEXT(p ".backends.local_fs.dir_path", (at) + offsetof(config_storage, local_fs_dir),       \
             "/opt/confidential-containers/storage/local_fs", "the directory"),                    \
        SECTION_AT(p ".backends.local_json", (at) + offsetof(config_storage, has_local_json),      \
                   "one file per namespace"),                                                      \
        TEXT(p ".backends.local_json.file_dir_path",                                               \
             (at) + offsetof(config_storage, local_json_dir),                                      \
             "/opt/confidential-containers/storage/local_json", "the directory"),                  \
        SECTION_AT(p ".backends.postgres", (at) + offsetof(config_storage, has_postgres),          \
                   "a database; the environment's POSTGRES_URL wins over all of it"),              \
        TEXT(p ".backends.postgres.host", (at) + offsetof(config_storage, postgres.host),          \
             "localhost", "name, address or directory of the server's Unix socket"),               \
        COUNT(p ".backends.postgres.port", (at) + offsetof(config_storage, postgres_port), 1,      \
              65535, "5432", "TCP port"),                                                          \
        TEXT(p ".backends.postgres.db", (at) + offsetof(config_storage, postgres.db), "postgres",  \
             "database"),                                                                          \
        TEXT(p ".backends.postgres.username", (at) + offsetof(config_storage, postgres.username),  \
             "postgres", "user"),                                                                  \
        SECRET(p ".backends.postgres.password",                                                    \
               (at) + offsetof(config_storage, postgres.password),                                 \
               "the user's password; never logged"),                                               \
        UNUSED(p ".backends.redis", "this build does not have that part")

#endif
