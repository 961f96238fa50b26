/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/mount_options.h"

#include "base/enc.h"
#include "base/io.h"
#include "cdh/dm_crypt.h"

enum { RANDOM_NAME = 16 };

typedef struct options {
    const char *device_id, *device_path, *source, *encryption, *key, *target, *file_system, *mkfs,
        *integrity, *mapper, *header_digest, *pool, *dataset;
} options;

#define AT(member) offsetof(options, member)

static const struct {
    const char *name;
    size_t at;
} names[] = {
    {"deviceId", AT(device_id)},
    {"devicePath", AT(device_path)},
    {"sourceType", AT(source)},
    {"encryptionType", AT(encryption)},
    {"key", AT(key)},
    {"targetType", AT(target)},
    {"filesystemType", AT(file_system)},
    {"mkfsOpts", AT(mkfs)},
    {"dataIntegrity", AT(integrity)},
    {"mapperName", AT(mapper)},
    {"headerDigest", AT(header_digest)}, /* vouchsafe's own */
    {"pool", AT(pool)},
    {"dataset", AT(dataset)},
};

/* ---- reading --------------------------------------------------------------------------------- */

static vs_code take(const cdh_mount_option *o, vs_arena *a, options *out, vs_error *err)
{
    if (memchr(o->value.p ? o->value.p : (const uint8_t *)"", 0, o->value.n))
        return vs_fail(err, VS_E_INVALID, "option \"%.*s\" has a NUL in it",
                       VS_FMT(vs_span_head(o->key, 64)));
    for (size_t i = 0; i < VS_COUNT(names); i++) {
        const char **place = (const char **)(void *)((char *)out + names[i].at);
        if (!vs_span_is(o->key, names[i].name))
            continue;
        if (*place)
            return vs_fail(err, VS_E_INVALID, "option \"%s\" is there twice", names[i].name);
        *place = (const char *)vs_dup(a, o->value).p;
        return vs_arena_check(a, err);
    }
    return vs_fail(err, VS_E_INVALID, "there is no option \"%.*s\"",
                   VS_FMT(vs_span_head(o->key, 64)));
}

static vs_code one_of(const char *name, const char *value, const char *first, const char *second,
                      bool *is_first, vs_error *err)
{
    if (!value)
        return vs_fail(err, VS_E_INVALID, "option \"%s\" is missing: \"%s\" or \"%s\"", name, first,
                       second);
    *is_first = strcmp(value, first) == 0;
    if (!*is_first && strcmp(value, second) != 0)
        return vs_fail(err, VS_E_INVALID, "\"%s\" is \"%.64s\", must be \"%s\" or \"%s\"", name,
                       value, first, second);
    return VS_OK;
}

/* ---- checking -------------------------------------------------------------------------------- */

static vs_code check_kinds(const options *o, vs_error *err)
{
    if (!o->encryption)
        return vs_fail(err, VS_E_INVALID, "option \"encryptionType\" is missing: \"luks2\"");
    if (strcmp(o->encryption, "zfs") == 0)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "\"encryptionType\" \"zfs\" is not supported here, only \"luks2\"");
    if (strcmp(o->encryption, "luks2") != 0)
        return vs_fail(err, VS_E_INVALID, "\"encryptionType\" is \"%.64s\", must be \"luks2\"",
                       o->encryption);
    if (o->pool || o->dataset)
        return vs_fail(err, VS_E_INVALID, "\"pool\" and \"dataset\" are options of zfs");
    if (o->file_system && strcmp(o->file_system, "ext4") != 0)
        return vs_fail(err, VS_E_INVALID, "\"filesystemType\" is \"%.64s\", must be \"ext4\"",
                       o->file_system);
    if (o->integrity && strcmp(o->integrity, "true") == 0)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "\"dataIntegrity\" is not supported here: the volume would be without it");
    return VS_OK;
}

static vs_code check_use(const options *o, const cdh_mount_plan *p, vs_error *err)
{
    if (!o->device_id && !o->device_path)
        return vs_fail(err, VS_E_INVALID, "\"deviceId\" or \"devicePath\" is required");
    if (!p->is_empty && !o->key)
        return vs_fail(err, VS_E_INVALID, "\"key\" is required to open a volume that is encrypted");
    if (p->is_empty && o->header_digest)
        return vs_fail(err, VS_E_INVALID, "\"headerDigest\" is for volumes that have a header");
    if (o->mkfs && (!p->is_empty || p->is_device))
        return vs_fail(err, VS_E_INVALID, "\"mkfsOpts\" is for file systems that are made here");
    return VS_OK;
}

static vs_code mount_point_of(vs_span text, vs_arena *a, const char **out, vs_error *err)
{
    if (text.n < 2 || text.n > CDH_MOUNT_PATH_MAX || text.p[0] != '/' || memchr(text.p, 0, text.n))
        return vs_fail(err, VS_E_INVALID, "the mount point \"%.*s\" is no absolute path",
                       VS_FMT(vs_span_head(text, 200)));
    *out = (const char *)vs_dup(a, text).p;
    return vs_arena_check(a, err);
}

static vs_code mapper_name_of(const char *given, vs_arena *a, const char **out, vs_error *err)
{
    uint8_t bytes[RANDOM_NAME];
    if (given) {
        *out = given;
        return dm_crypt_check_name(vs_str(given), err);
    }
    vs_random(bytes, sizeof bytes);
    *out = vs_sprintf(a, "%.*s", VS_FMT(vs_hex_encode_arena(a, vs_span_of(bytes, sizeof bytes))));
    return vs_arena_check(a, err);
}

vs_code cdh_mount_plan_of(const cdh_mount_request *r, vs_arena *a, cdh_mount_plan *out,
                          vs_error *err)
{
    options o = {0};
    cdh_mount_plan p = {0};
    if (!vs_span_is(r->volume_type, "block-device"))
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "volumes of type \"%.*s\" are not supported here, only \"block-device\"",
                       VS_FMT(vs_span_head(r->volume_type, 64)));
    for (size_t i = 0; i < r->n_options; i++)
        VS_TRY(take(&r->options[i], a, &o, err));
    VS_TRY(check_kinds(&o, err));
    VS_TRY(one_of("sourceType", o.source, "empty", "encrypted", &p.is_empty, err));
    VS_TRY(one_of("targetType", o.target, "device", "fileSystem", &p.is_device, err));
    VS_TRY(check_use(&o, &p, err));
    VS_TRY(mount_point_of(r->mount_point, a, &p.mount_point, err));
    VS_TRY(mapper_name_of(o.mapper, a, &p.mapper_name, err));
    p.device_id = o.device_id;
    p.device_path = o.device_path;
    p.key = o.key;
    p.header_digest = o.header_digest;
    p.mkfs_opts = o.mkfs;
    *out = p;
    return VS_OK;
}
