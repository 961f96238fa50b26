/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config_rvps.h"

#include "base/log.h"
#include "config/macros.h"

#define OLD_DIR "/opt/confidential-containers/attestation-service"

enum { OLD_NONE, OLD_LOCAL_FS, OLD_LOCAL_JSON };

typedef struct raw {
    config_storage storage;
    int old_type;
    const char *old_path;
    bool refuse_sample, require_signed, unsigned_keys, open_administration;
    config_trust trust;
} raw;

/* The dialect of December 2025, and what upstream's compose files still have. */
static const config_choice old_types[] = {
    {"LocalFs", OLD_LOCAL_FS, NULL},
    {"LocalJson", OLD_LOCAL_JSON, NULL},
    {NULL, 0, NULL},
};

#define AT(member) offsetof(raw, member)

static const config_key keys[] = {
    CONFIG_STORAGE_KEYS("storage", AT(storage), "/var/lib/vouchsafe/rvps.sqlite"),
    OLD_CHOICE("storage.type", AT(old_type), old_types, "storage.storage_type", ""),
    OLD_TEXT(
        "storage.file_path", AT(old_path), "storage.backends",
        "\"LocalFs\": local_fs.dir_path; \"LocalJson\": local_json.file_dir_path, the directory"),
    FLAG("refuse_sample_reference_values", AT(refuse_sample), "false",
         "refuse messages of type \"sample\", which set any value; for unsigned ones of every type "
         "see require_signed"),
    CONFIG_TRUST_KEYS("", AT(trust), ""),
    FLAG("require_signed", AT(require_signed), "false",
         "take only messages that a trust anchor vouches for; without trust_anchors none at all"),
    FLAG("accept_unsigned_attestation_keys", AT(unsigned_keys), "false",
         "take attestation keys, which make platforms genuine, from CoRIMs that no trust anchor "
         "vouches for"),
    FLAG("insecure_administration", AT(open_administration), "false",
         "serve vouchsafe.administration (listing, reading and deleting values) to whoever reaches "
         "the port, not only to callers with a client certificate or over a Unix socket"),
    UNUSED("extractors", "all extractors are always on"),
};

const config_table rvps_file_table = {keys, VS_COUNT(keys)};

/* The directory that holds a file. */
static const char *parent(const char *file, vs_arena *a)
{
    const char *slash = strrchr(file, '/');
    if (!slash)
        return ".";
    return slash == file ? "/" : vs_sprintf(a, "%.*s", (int)(slash - file), file);
}

/* Values go where the file says they are, in today's layout. What an older version left there is in
 * a database of its own, which nothing else reads. */
static vs_code settle_old(const raw *r, vs_arena *a, rvps_file *out, vs_error *err)
{
    const char *path = r->old_path;
    if (!r->old_type)
        return vs_fail(err, VS_E_INVALID,
                       "\"storage.file_path\" belongs to \"storage.type\"; now it is "
                       "\"storage.storage_type\" with \"storage.backends\"");
    if (r->storage.type != STORAGE_SQLITE)
        return vs_fail(err, VS_E_INVALID,
                       "\"storage.type\" cannot stand beside \"storage.storage_type\"");
    if (r->old_type == OLD_LOCAL_FS)
        out->storage = (store_config){.type = STORE_LOCALFS,
                                      .path = path ? path : OLD_DIR "/reference_values"};
    else
        out->storage =
            (store_config){.type = STORE_LOCALJSON, .path = path ? parent(path, a) : OLD_DIR};
    vs_log(VS_LOG_WARN, "config",
           "older dialect: reference values are kept in this directory; what an older version "
           "kept there is not read, register it again",
           "directory", out->storage.path, NULL);
    return vs_arena_check(a, err);
}

static vs_code settle(const raw *r, vs_arena *a, rvps_file *out, vs_error *err)
{
    *out = (rvps_file){.refuse_sample_values = r->refuse_sample,
                       .require_signed_values = r->require_signed,
                       .accept_unsigned_keys = r->unsigned_keys,
                       .insecure_administration = r->open_administration,
                       .trust = r->trust};
    if (r->old_type || r->old_path)
        return settle_old(r, a, out, err);
    return config_store_of(&r->storage, "storage", r->storage.type, &out->storage, err);
}

vs_code rvps_file_read(vs_val file, vs_arena *a, rvps_file *out, vs_error *err)
{
    raw r = {0};
    config_table_fallbacks(&rvps_file_table, &r);
    VS_TRY(config_table_read(&rvps_file_table, a, file, &r, err));
    return settle(&r, a, out, err);
}

vs_code rvps_file_load(const char *path, vs_arena *a, rvps_file *out, vs_error *err)
{
    raw r = {0};
    if (!path)
        return rvps_file_read(vs_empty(VS_OBJECT), a, out, err);
    VS_TRY_WRAP(config_table_load(&rvps_file_table, path, CONFIG_JSON, a, &r, NULL, err), err,
                "configuration file %s", path);
    VS_TRY_WRAP(settle(&r, a, out, err), err, "configuration file %s", path);
    return VS_OK;
}
