/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provisioner plugin (kbs.md 3.1): disk keys of virtual machines. An administrator asks for a
 * key by the machine's name before it boots; the machine fetches it, and only the machine whose
 * init-data names this very key. Keys are under "default/<uuid>/root", the UUID being made of the
 * name, so that any replica gives the same answer.
 */
#include "kbs/internal.h"

#include "base/io.h"
#include "value/json.h"

#define NS "provisioner"

enum { UUID_TEXT = 36, VM_NAME_MAX = 1024, BODY_MAX = 16 * 1024, KEY_ROOM = 8 * 1024 };

/* ---- names --------------------------------------------------------------------------------------
 */

/* UUID version 5 (RFC 9562 5.5) of "<namespace>/<name>" in the plugin's own namespace
 * feab5599-6854-52bc-95f0-0241c03e620a. */
static vs_code uuid_of(vs_span ns, vs_span name, char out[UUID_TEXT + 1], vs_error *err)
{
    static const uint8_t own[] = {0xfe, 0xab, 0x55, 0x99, 0x68, 0x54, 0x52, 0xbc,
                                  0x95, 0xf0, 0x02, 0x41, 0xc0, 0x3e, 0x62, 0x0a};
    const vs_span parts[] = {vs_span_of(own, sizeof own), ns, VS_LIT("/"), name};
    uint8_t md[VS_HASH_MAX];
    VS_TRY(vs_digest_parts(VS_SHA1, parts, VS_COUNT(parts), md, err));
    md[6] = (uint8_t)((md[6] & 0x0f) | 0x50);
    md[8] = (uint8_t)((md[8] & 0x3f) | 0x80);
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex[md[i] >> 4];
        out[at++] = hex[md[i] & 15];
    }
    out[at] = 0;
    return VS_OK;
}

/* As this plugin writes them: lower case. */
static bool is_uuid(vs_span s)
{
    bool ok = s.n == UUID_TEXT;
    for (size_t i = 0; ok && i < s.n; i++) {
        uint8_t c = s.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        ok = dash ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    return ok;
}

static vs_span key_of(vs_arena *a, vs_span uuid)
{
    return vs_str(vs_sprintf(a, "default/%.*s/root", VS_FMT(uuid)));
}

/* ---- administration -----------------------------------------------------------------------------
 */

typedef struct machine {
    vs_span ns, name;
} machine;

/* A '/' in the namespace would let two machines share one text, and so one key. */
static vs_code read_machine(const kbs_plugin_call *call, machine *m, vs_error *err)
{
    vs_val body = vs_undefined(), name = body, ns = body;
    if (call->body.n > BODY_MAX)
        return vs_fail(err, VS_E_LIMIT, "a request of %zu bytes, at most %d", call->body.n,
                       BODY_MAX);
    VS_TRY(vs_json_parse(call->arena, call->body, NULL, &body, err));
    if (body.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the request must be an object");
    VS_TRY(vs_need(body, "vm_name", VS_STRING, &name, err));
    bool given = vs_defined(vs_getc(body, "namespace"));
    if (given)
        VS_TRY(vs_need(body, "namespace", VS_STRING, &ns, err));
    *m = (machine){given ? vs_text(ns) : VS_LIT("default"), vs_text(name)};
    if (m->name.n == 0 || m->name.n > VM_NAME_MAX || m->ns.n == 0 || m->ns.n > VM_NAME_MAX)
        return vs_fail(err, VS_E_INVALID, "\"vm_name\" and \"namespace\" have 1 to %d bytes",
                       VM_NAME_MAX);
    if (memchr(m->ns.p, '/', m->ns.n))
        return vs_fail(err, VS_E_INVALID, "\"namespace\" holds a '/'");
    return VS_OK;
}

/* Letters and digits, each as likely as any other. */
static void put_random(vs_buf *out, size_t n)
{
    static const char from[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    enum { LETTERS = sizeof from - 1, FAIR = 256 / LETTERS * LETTERS };
    while (n > 0) {
        uint8_t bytes[64];
        vs_random(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes && n > 0; i++) {
            if (bytes[i] >= FAIR)
                continue;
            vs_buf_putc(out, from[bytes[i] % LETTERS]);
            n--;
        }
        vs_wipe(bytes, sizeof bytes);
    }
}

static vs_code make_key(const kbs *k, vs_span key, vs_error *err)
{
    VS_CLEANUP(vs_buf_free) vs_buf toml = VS_BUF(KEY_ROOM);
    vs_buf_puts(&toml, "version = \"0.1.0\"\n\n[data]\n\"io.cryptsetup.key.text.root\" = \"");
    put_random(&toml, k->cfg->provisioner_key_length);
    vs_buf_puts(&toml, "\"\n");
    VS_TRY(vs_buf_check(&toml, err));
    vs_code code = vs_store_put(k->store, NS, key, vs_buf_span(&toml), 0, VS_PUT_CREATE, err);
    return code == VS_E_EXISTS ? VS_OK : code; /* whoever came first, on any replica, made it */
}

static vs_code provision(const kbs *k, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    machine m = {0};
    char uuid[UUID_TEXT + 1];
    if (call->n_path != 1)
        return vs_fail(err, VS_E_INVALID, "the path to provision is provisioner/provision");
    VS_TRY_WRAP(read_machine(call, &m, err), err, "provision request");
    VS_TRY(uuid_of(m.ns, m.name, uuid, err));
    vs_span key = key_of(call->arena, vs_str(uuid));
    VS_TRY(vs_arena_check(call->arena, err));
    VS_TRY(make_key(k, key, err));
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "uuid");
    vs_jw_str(&w, uuid);
    vs_jw_key(&w, "resource_path");
    vs_jw_span(&w, key);
    vs_jw_close(&w, '}');
    return vs_buf_check(out, err);
}

static vs_code deprovision(const kbs *k, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    if (call->n_path != 2 || !is_uuid(call->path[1]))
        return vs_fail(err, VS_E_INVALID, "the path to delete is provisioner/provision/<uuid>");
    vs_span key = key_of(call->arena, call->path[1]);
    VS_TRY(vs_arena_check(call->arena, err));
    vs_code code = vs_store_delete(k->store, NS, key, err);
    if (code != VS_OK && code != VS_E_NOT_FOUND) /* that there was none is no error */
        return code;
    vs_buf_puts(out, "{\"status\":\"deleted\"}");
    return vs_buf_check(out, err);
}

/* ---- release ------------------------------------------------------------------------------------
 */

static vs_code check_get(const kbs_plugin_call *call, vs_span *key, vs_error *err)
{
    if (call->n_path != 3 || !vs_span_is(call->path[0], "default") || !is_uuid(call->path[1]) ||
        !vs_span_is(call->path[2], "root"))
        return vs_fail(err, VS_E_INVALID, "the path of a key is provisioner/default/<uuid>/root");
    *key = key_of(call->arena, call->path[1]);
    const char *want = vs_sprintf(call->arena, "kbs+provisioner:///%.*s", VS_FMT(*key));
    VS_TRY(vs_arena_check(call->arena, err));
    vs_val bound = vs_getc(vs_pointer(call->claims, VS_LIT("/submods/cpu0/"
                                                           "ear.veraison.annotated-evidence/"
                                                           "init_data_claims")),
                           "trustee.kbs.resource");
    if (bound.kind != VS_STRING)
        return vs_fail(err, VS_E_DENIED,
                       "the attested init-data has no text \"trustee.kbs.resource\"");
    if (!vs_span_is(vs_text(bound), want))
        return vs_fail(err, VS_E_MISMATCH, "the attested init-data is bound to \"%.*s\"",
                       VS_FMT(vs_span_head(vs_text(bound), 120)));
    return VS_OK;
}

static vs_code check(void *self, const kbs_plugin_call *call, vs_error *err)
{
    (void)self;
    vs_span key;
    if (call->method == KBS_GET)
        return check_get(call, &key, err);
    if (call->method == KBS_PUT || call->n_path == 0 || !vs_span_is(call->path[0], "provision"))
        return vs_fail(err, VS_E_UNSUPPORTED, "the provisioner has no such method or path");
    return VS_OK;
}

static vs_code handle(void *self, const kbs_plugin_call *call, vs_buf *out, vs_error *err)
{
    vs_span key;
    switch (call->method) {
    case KBS_GET:
        VS_TRY(check_get(call, &key, err));
        return vs_store_get(((const kbs *)self)->store, NS, key, call->now, out, err);
    case KBS_POST: return provision(self, call, out, err);
    case KBS_DELETE: return deprovision(self, call, out, err);
    case KBS_PUT: break;
    }
    return vs_fail(err, VS_E_UNSUPPORTED, "the provisioner has no such method or path");
}

const kbs_plugin_ops kbs_provisioner_plugin = {.check = check, .handle = handle};
