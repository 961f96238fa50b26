/* SPDX-License-Identifier: Apache-2.0 */
#include "config/storage.h"

#include <stdlib.h>

#include "base/io.h"

#define NO_REDIS "the Redis storage back end (Postgres is one that replicas can share)"

const config_choice config_storage_types[] = {
    {"Sqlite", STORAGE_SQLITE, NULL},
    {"sqlite", STORAGE_SQLITE, NULL},
    {"LocalFs", STORAGE_LOCALFS, NULL},
    {"local_fs", STORAGE_LOCALFS, NULL},
    {"Memory", STORAGE_MEMORY, NULL},
    {"memory", STORAGE_MEMORY, NULL},
    {"LocalJson", STORAGE_LOCALJSON, NULL},
    {"local_json", STORAGE_LOCALJSON, NULL},
    {"Postgres", STORAGE_POSTGRES, NULL},
    {"postgres", STORAGE_POSTGRES, NULL},
    {"Redis", 0, NO_REDIS},
    {"redis", 0, NO_REDIS},
    {NULL, 0, NULL},
};

vs_code config_store_of(const config_storage *s, const char *section, int type, store_config *out,
                        vs_error *err)
{
    const char *url = getenv("POSTGRES_URL"), *name = NULL, *missing = NULL;
    switch ((config_storage_type)type) {
    case STORAGE_MEMORY: *out = (store_config){.type = STORE_MEMORY}; break;
    case STORAGE_LOCALFS:
        *out = (store_config){.type = STORE_LOCALFS, .path = s->local_fs_dir};
        name = "LocalFs";
        missing = s->has_local_fs ? NULL : "local_fs";
        break;
    case STORAGE_LOCALJSON:
        *out = (store_config){.type = STORE_LOCALJSON, .path = s->local_json_dir};
        name = "LocalJson";
        missing = s->has_local_json ? NULL : "local_json";
        break;
    case STORAGE_POSTGRES:
        *out = (store_config){.type = STORE_POSTGRES, .postgres = s->postgres};
        out->postgres.port = (int)s->postgres_port;
        out->postgres.url = url && *url ? url : NULL;
        name = "Postgres";
        missing = s->has_postgres ? NULL : "postgres";
        break;
    default: *out = (store_config){.type = STORE_SQLITE, .path = s->sqlite_path}; break;
    }
    if (missing)
        return vs_fail(err, VS_E_INVALID,
                       "invalid configuration: storage type \"%s\": [%s.backends.%s] "
                       "configuration is required",
                       name, section, missing);
    return VS_OK;
}

static vs_code make_place(const char *file, vs_error *err)
{
    const char *slash = strrchr(file, '/');
    if (!slash || slash == file)
        return VS_OK;
    char *dir = strndup(file, (size_t)(slash - file));
    if (!dir)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    vs_code code = vs_make_dirs(dir, 0700, err);
    free(dir);
    return code;
}

vs_code store_open(const store_config *cfg, vs_store **out, vs_error *err)
{
    switch (cfg->type) {
    case STORE_SQLITE:
        VS_TRY_WRAP(make_place(cfg->path, err), err, "the directory of %s", cfg->path);
        return vs_store_open_sqlite(cfg->path, out, err);
    case STORE_LOCALFS: return vs_store_open_localfs(cfg->path, out, err);
    case STORE_TREE: return vs_store_open_tree(cfg->path, out, err);
    case STORE_MEMORY: return vs_store_open_memory(out, err);
    case STORE_LOCALJSON: return vs_store_open_localjson(cfg->path, out, err);
    case STORE_POSTGRES: return vs_store_open_postgres(&cfg->postgres, out, err);
    }
    return vs_fail(err, VS_E_INTERNAL, "unknown storage type %d", (int)cfg->type);
}
