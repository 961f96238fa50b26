/* SPDX-License-Identifier: Apache-2.0 */
#include "cdh/offline.h"

#include <errno.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/io.h"
#include "base/log.h"
#include "value/json.h"

enum { FILE_MAX = 16 * 1024 * 1024 };

static vs_code load(cdh_offline *o, const char *path, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(FILE_MAX);
    vs_val map;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return VS_OK;
    if (o->n == CDH_FILES_MAX)
        return vs_fail(err, VS_E_LIMIT, "more than %d files", CDH_FILES_MAX);
    VS_TRY(vs_read_file(path, &text, err));
    vs_span kept = vs_dup(&o->arena, vs_buf_span(&text)); /* values point into their text */
    VS_TRY(vs_arena_check(&o->arena, err));
    VS_TRY(vs_json_parse(&o->arena, kept, NULL, &map, err));
    if (map.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "it must hold an object");
    for (VS_OBJ_FOR (m, map)) {
        VS_CLEANUP(vs_buf_free) vs_buf bytes = VS_BUF(FILE_MAX);
        if (m->val.kind != VS_STRING ||
            vs_b64_decode(&bytes, VS_B64_STD, vs_text(m->val), NULL) != VS_OK)
            return vs_fail(err, VS_E_INVALID, "\"%.*s\" is not base64",
                           VS_FMT(vs_span_head(vs_text(m->key), 200)));
    }
    o->maps[o->n++] = map;
    return VS_OK;
}

vs_code cdh_offline_load(const char *const *paths, size_t n, cdh_offline *out, vs_error *err)
{
    *out = (cdh_offline){0};
    vs_arena_init(&out->arena, (size_t)CDH_FILES_MAX * 4 * FILE_MAX);
    for (size_t i = 0; i < n; i++)
        VS_TRY_WRAP(load(out, paths[i], err), err, "%s", paths[i]);
    vs_log(VS_LOG_WARN, "cdh", "secrets come from files in clear (offline_fs_kbc): for tests only",
           NULL);
    return VS_OK;
}

void cdh_offline_free(cdh_offline *o)
{
    vs_arena_wipe(&o->arena);
    o->n = 0;
}

vs_code cdh_offline_get(const cdh_offline *o, const cdh_uri *uri, vs_buf *out, vs_error *err)
{
    if (strcmp(uri->plugin, "resource") != 0)
        return vs_fail(err, VS_E_UNSUPPORTED, "files hold resources only, nothing of plugin %s",
                       uri->plugin);
    for (size_t i = o->n; i-- > 0;) {
        vs_val v = vs_get(o->maps[i], vs_str(uri->path));
        if (v.kind == VS_STRING)
            return vs_b64_decode(out, VS_B64_STD, vs_text(v), err);
    }
    return vs_fail(err, VS_E_NOT_FOUND, "no file holds %s", uri->path);
}
