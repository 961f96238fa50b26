/* SPDX-License-Identifier: Apache-2.0 */
/* A realm's directory: making it, opening it, and what changes in it while it runs. */
#include "realm/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "tee/cca/measure/rim.h"
#include "value/json.h"

/* ---- the directory --------------------------------------------------------------------------- */

static vs_code path_of(char out[PATH_MAX], const char *dir, const char *name, vs_error *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX ? VS_OK : vs_fail(err, VS_E_LIMIT, "path is too long: %s", dir);
}

static vs_code save(const char *dir, const char *name, const vs_buf *text, mode_t mode,
                    vs_error *err)
{
    char path[PATH_MAX];
    VS_TRY(path_of(path, dir, name, err));
    return vs_write_file(path, vs_buf_span(text), mode, err);
}

static vs_code keys_write(const realm_keys *keys, vs_buf *out, vs_error *err)
{
    vs_buf_printf(out, "{\n  \"note\": \"TEST KEYS. %s\",\n  \"cpak\": ", realm_note);
    VS_TRY(vs_key_to_private_jwk(out, keys->cpak, err));
    vs_buf_puts(out, ",\n  \"rak\": ");
    VS_TRY(vs_key_to_private_jwk(out, keys->rak, err));
    vs_buf_puts(out, "\n}\n");
    return vs_buf_check(out, err);
}

static vs_code keys_read(vs_span json, realm_keys *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    vs_val o, cpak, rak;
    VS_TRY(vs_json_parse(&a, json, NULL, &o, err));
    VS_TRY(vs_need(o, "cpak", VS_OBJECT, &cpak, err));
    VS_TRY(vs_need(o, "rak", VS_OBJECT, &rak, err));
    VS_TRY_WRAP(vs_key_from_jwk(cpak, true, true, &out->cpak, NULL, err), err, "\"cpak\"");
    VS_TRY_WRAP(vs_key_from_jwk(rak, true, true, &out->rak, NULL, err), err, "\"rak\"");
    return VS_OK;
}

/* cca-config.json, with absolute paths, since a server may run in another directory. */
static vs_code config_write(const char *dir, vs_buf *out, vs_error *err)
{
    char full[PATH_MAX], ta[PATH_MAX], rv[PATH_MAX];
    if (!realpath(dir, full))
        return vs_fail_errno(err, VS_E_IO, errno, "cannot find %s", dir);
    VS_TRY(path_of(ta, full, "ta-store.json", err));
    VS_TRY(path_of(rv, full, "rv-store.json", err));
    vs_buf_puts(out, "{\n  \"cca-verifier\": {\n    \"type\": \"local\",\n    \"ta-store\": ");
    vs_json_quote(out, vs_str(ta));
    vs_buf_puts(out, ",\n    \"rv-store\": ");
    vs_json_quote(out, vs_str(rv));
    vs_buf_puts(out, "\n  }\n}\n");
    return vs_buf_check(out, err);
}

static vs_code refuse_existing(const char *dir, vs_error *err)
{
    char path[PATH_MAX];
    struct stat st;
    VS_TRY(path_of(path, dir, "realm.json", err));
    return stat(path, &st) != 0 ? VS_OK
                                : vs_fail(err, VS_E_EXISTS, "there is a realm in %s already", dir);
}

vs_code realm_write_stores(const realm_spec *spec, const realm_keys *keys, const char *dir,
                           vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(REALM_FILE_MAX);
    VS_TRY(realm_ta_store(spec, keys, &b, err));
    VS_TRY(save(dir, "ta-store.json", &b, 0644, err));
    vs_buf_clear(&b);
    VS_TRY(realm_rv_store(spec, &b, err));
    VS_TRY(save(dir, "rv-store.json", &b, 0644, err));
    vs_buf_clear(&b);
    VS_TRY(config_write(dir, &b, err));
    return save(dir, "cca-config.json", &b, 0644, err);
}

vs_code realm_write_templates(const realm_spec *spec, const realm_keys *keys, const char *dir,
                              unsigned version, vs_error *err)
{
    for (unsigned t = 0; t < REALM_TEMPLATES; t++) {
        VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(REALM_FILE_MAX);
        VS_TRY(realm_template_write(spec, keys, (realm_template)t, version, &b, err));
        VS_TRY(save(dir, realm_template_file((realm_template)t), &b, 0644, err));
    }
    return VS_OK;
}

static vs_code save_spec(const char *dir, const realm_spec *spec, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(REALM_FILE_MAX);
    VS_TRY(realm_spec_write(spec, &b, err));
    return save(dir, "realm.json", &b, 0644, err);
}

vs_code realm_create(const char *dir, const realm_spec *spec, const realm_keys *keys, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(REALM_FILE_MAX);
    VS_TRY(vs_make_dirs(dir, 0755, err));
    VS_TRY(refuse_existing(dir, err));
    VS_TRY(keys_write(keys, &b, err));
    VS_TRY(save(dir, "keys.json", &b, 0600, err));
    VS_TRY(realm_write_stores(spec, keys, dir, err));
    return save_spec(dir, spec, err); /* last: it marks the directory as complete */
}

static vs_code load(const char *dir, const char *name, vs_buf *out, vs_error *err)
{
    char path[PATH_MAX];
    vs_buf_clear(out);
    VS_TRY(path_of(path, dir, name, err));
    return vs_read_file(path, out, err);
}

/* Notes which realm.json there is; false when that is the one noted before. */
static vs_code look(realm_home *r, bool *changed, vs_error *err)
{
    char path[PATH_MAX];
    struct stat st;
    VS_TRY(path_of(path, r->dir, "realm.json", err));
    if (stat(path, &st) != 0)
        return vs_fail_errno(err, errno == ENOENT ? VS_E_NOT_FOUND : VS_E_IO, errno,
                             "cannot look at %s", path);
    *changed = st.st_ino != r->inode || st.st_mtim.tv_sec != r->changed.tv_sec ||
               st.st_mtim.tv_nsec != r->changed.tv_nsec;
    r->inode = st.st_ino;
    r->changed = st.st_mtim;
    return VS_OK;
}

static vs_code load_spec(const char *dir, vs_arena *a, realm_spec *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(REALM_FILE_MAX);
    VS_TRY(load(dir, "realm.json", &b, err));
    VS_TRY_WRAP(realm_spec_read(a, vs_buf_span(&b), out, err), err, "%s/realm.json", dir);
    return VS_OK;
}

static vs_code read_home(const char *dir, realm_home *r, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf b = VS_BUF(REALM_FILE_MAX);
    bool changed;
    r->dir = vs_sprintf(&r->arena, "%s", dir);
    VS_TRY(look(r, &changed, err)); /* first: a change after this look is seen by the next one */
    VS_TRY(load_spec(dir, &r->arena, &r->spec, err));
    VS_TRY(load(dir, "keys.json", &b, err));
    VS_TRY_WRAP(keys_read(vs_buf_span(&b), &r->keys, err), err, "%s/keys.json", dir);
    return realm_platform_token(&r->spec, &r->keys, &r->platform_token, err);
}

vs_code realm_open(const char *dir, realm_home **out, vs_error *err)
{
    VS_CLEANUP(realm_close) realm_home *r = calloc(1, sizeof *r);
    if (!r)
        return vs_fail(err, VS_E_NOMEM, "realm");
    vs_arena_init(&r->arena, 0);
    r->platform_token = (vs_buf)VS_BUF(CCA_TOKEN_MAX);
    VS_TRY(read_home(dir, r, err));
    *out = r;
    r = NULL; /* transferred */
    return VS_OK;
}

void realm_close(realm_home **r)
{
    if (!*r)
        return;
    realm_keys_free(&(*r)->keys);
    vs_buf_free(&(*r)->platform_token);
    vs_arena_free(&(*r)->arena);
    free(*r);
    *r = NULL;
}

/* ---- at run time ----------------------------------------------------------------------------- */

/* Into the realm's own storage, which is there for good: measurements may change many times. */
static vs_code set_rem(realm_home *r, unsigned i, vs_span value, vs_error *err)
{
    if (value.n > VS_HASH_MAX)
        return vs_fail(err, VS_E_INVALID, "a measurement has at most %d bytes, not %zu",
                       VS_HASH_MAX, value.n);
    if (value.n)
        memcpy(r->rems[i], value.p, value.n);
    r->spec.rem[i] = vs_span_of(r->rems[i], value.n);
    return VS_OK;
}

/* Takes over the REMs of realm.json when it was written since. */
static vs_code refresh(realm_home *r, vs_error *err)
{
    bool changed = false;
    if (r->dir)
        VS_TRY(look(r, &changed, err));
    if (!changed)
        return VS_OK;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    realm_spec now;
    vs_code code = load_spec(r->dir, &a, &now, err);
    for (unsigned i = 0; i < CCA_REMS && code == VS_OK; i++)
        code = set_rem(r, i, now.rem[i], err);
    if (code != VS_OK)
        r->inode = 0; /* so that the next one tries again */
    return code;
}

vs_code realm_attest(realm_home *r, vs_span challenge, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf token = VS_BUF(CCA_TOKEN_MAX);
    if (challenge.n != CCA_CHALLENGE)
        return vs_fail(err, VS_E_INVALID, "challenge has %zu bytes, must have %d", challenge.n,
                       CCA_CHALLENGE);
    VS_TRY(refresh(r, err));
    VS_TRY(realm_realm_token(&r->spec, &r->keys, challenge, &token, err));
    return realm_wrap(r->spec.tag, vs_buf_span(&r->platform_token), vs_buf_span(&token), out, err);
}

static void unlock(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* H(old, cut to the hash's size || data). */
static vs_code extend(realm_home *r, unsigned i, vs_span data, vs_error *err)
{
    uint8_t value[VS_HASH_MAX];
    vs_span rem = r->spec.rem[i];
    if (rem.n != vs_hash_size(r->spec.hash))
        return vs_fail(err, VS_E_INVALID, "extensible measurement %u has %zu bytes, %s has %zu", i,
                       rem.n, vs_hash_name(r->spec.hash), vs_hash_size(r->spec.hash));
    memcpy(value, rem.p, rem.n);
    VS_TRY(cca_rem_extend(r->spec.hash, value, data, err));
    return set_rem(r, i, vs_span_of(value, rem.n), err);
}

vs_code realm_extend(realm_home *r, unsigned index, vs_span data, vs_error *err)
{
    if (index < 1 || index > CCA_REMS)
        return vs_fail(err, VS_E_INVALID, "a measurement is extended by index 1 to %d", CCA_REMS);
    if (!r->dir)
        return extend(r, index - 1, data, err);
    VS_CLEANUP(unlock) int fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        return vs_fail_errno(err, VS_E_IO, errno, "cannot lock %s", r->dir);
    VS_TRY(refresh(r, err));
    VS_TRY(extend(r, index - 1, data, err));
    return save_spec(r->dir, &r->spec, err);
}
