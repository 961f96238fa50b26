/* SPDX-License-Identifier: Apache-2.0 */
/* The resource plugin: secrets in a store (kbs.md 2, 3). And the sample plugin, and the list. */
#include "kbs/internal.h"

#include "base/enc.h"
#include "base/log.h"
#include "kbs/metrics.h"
#include "value/json.h"

static bool segment_ok(vs_span s)
{
    if (s.n == 0 || s.p[0] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], lower = c | 0x20;
        bool alnum = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
        if (!alnum && c != '_' && c != '-' && c != '.')
            return false;
    }
    return true;
}

vs_code kbs_resource_path(const kbs_plugin_call *call, size_t from, vs_span *out, vs_error *err)
{
    bool ok = call->n_path == from + 3;
    for (size_t i = from; ok && i < call->n_path; i++)
        ok = segment_ok(call->path[i]);
    if (!ok)
        return vs_fail(err, VS_E_INVALID, "a resource path is <repository>/<type>/<tag>");
    const vs_span *s = call->path + from;
    *out =
        vs_str(vs_sprintf(call->arena, "%.*s/%.*s/%.*s", VS_FMT(s[0]), VS_FMT(s[1]), VS_FMT(s[2])));
    return vs_arena_check(call->arena, err);
}

/* The path names a secret, and metrics are read by many: its digest, unless asked for the path. */
static void count_resource(const kbs *k, vs_metric *m, vs_span key)
{
    enum { SHOWN = 8 };
    uint8_t md[VS_HASH_MAX];
    VS_CLEANUP(vs_buf_free) vs_buf label = VS_BUF(2 * SHOWN);
    if (!k->cfg->metrics_resource_paths) {
        if (vs_digest(VS_SHA256, key, VS_LIT(""), VS_LIT(""), md, NULL) != VS_OK)
            return;
        vs_hex_encode(&label, vs_span_of(md, SHOWN));
        key = vs_buf_span(&label);
    }
    vs_metric_add(m, key, 1);
}

static vs_code check_resource(void *self, const kbs_plugin_call *call, vs_error *err)
{
    static vs_metric *const counter[] = {[KBS_GET] = &kbs_m_resource_reads,
                                         [KBS_POST] = &kbs_m_resource_writes,
                                         [KBS_DELETE] = &kbs_m_resource_deletes,
                                         [KBS_PUT] = NULL};
    vs_span key;
    if (!counter[call->method])
        return vs_fail(err, VS_E_UNSUPPORTED, "resources are read, set and deleted, not PUT");
    VS_TRY(kbs_resource_path(call, 0, &key, err));
    count_resource(self, counter[call->method], key);
    return VS_OK;
}

static vs_code handle_resource(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    const kbs *k = self;
    vs_span key;
    VS_TRY(kbs_resource_path(call, 0, &key, err));
    switch (call->method) {
    case KBS_GET: return vs_store_get(k->resources, KBS_NS_RESOURCE, key, call->now, out, err);
    case KBS_POST:
        return vs_store_put(k->resources, KBS_NS_RESOURCE, key, call->body, 0, VS_PUT_REPLACE, err);
    case KBS_DELETE: return vs_store_delete(k->resources, KBS_NS_RESOURCE, key, err);
    case KBS_PUT: break;
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "resources are read, set and deleted, not PUT");
}

const kbs_plugin_ops kbs_resource_plugin = {.check = check_resource, .handle = handle_resource};

static vs_code handle_sample(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    (void)self;
    (void)call;
    vs_buf_puts(out, "sample plugin response");
    return vs_buf_check(out, err);
}

const kbs_plugin_ops kbs_sample_plugin = {.handle = handle_sample};

/* ---- listing ----------------------------------------------------------------------------------
 */

static vs_code add_path(void *user, vs_span key)
{
    vs_vec *list = user;
    vs_vec_add(list, vs_string_dup(list->a, key));
    return VS_OK;
}

/* GET resource, as newer Trustee has it: paths, never contents. */
void kbs_list_resources(kbs_ctx *c)
{
    vs_error err = {0};
    vs_vec list = {.a = c->call.arena};
    vs_code code = vs_store_list(c->k->resources, KBS_NS_RESOURCE, add_path, &list, &err);
    vs_val paths = vs_vec_end_array(&list);
    if (code == VS_OK)
        code = vs_arena_check(c->call.arena, &err);
    if (code != VS_OK) {
        vs_log_error(VS_LOG_ERROR, "kbs", "listing resources", &err);
        kbs_refuse(c, KBS_PLUGIN_INTERNAL_ERROR, "Plugin internal error");
        return;
    }
    vs_json_print(&c->reply->body, paths);
    c->reply->content_type = "application/json";
}
