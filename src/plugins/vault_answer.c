/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/vault_answer.h"

#include <stdio.h>

#include "base/enc.h"
#include "value/json.h"

enum { ARENA_MAX = 128 * 1024 * 1024, COMPLAINT = 200 };

/* ---- reading ------------------------------------------------------------------------------------
 */

static bool all_bytes(vs_val v)
{
    for (VS_ARR_FOR (item, v))
        if (!vs_is_int(*item) || item->u.i < 0 || item->u.i > 255)
            return false;
    return true;
}

static void put_value(vs_buf *out, vs_val v)
{
    if (v.kind == VS_STRING) {
        vs_buf_put(out, vs_text(v));
    } else if (v.kind == VS_ARRAY && all_bytes(v)) {
        uint8_t *at = vs_buf_reserve(out, v.len);
        for (uint32_t i = 0; at && i < v.len; i++)
            at[i] = (uint8_t)v.u.items[i].u.i;
    } else {
        vs_json_print(out, v);
    }
}

static vs_code find_value(vs_val answer, int kv_version, vs_val *out, vs_error *err)
{
    vs_val stored;
    if (answer.kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "Vault's answer is no object");
    VS_TRY_WRAP(vs_need(answer, "data", VS_OBJECT, &stored, err), err, "Vault's answer");
    if (kv_version == 2) {
        vs_val version = vs_getc(stored, "data");
        if (version.kind == VS_NULL)
            return vs_fail(err, VS_E_NOT_FOUND, "the secret's latest version was deleted");
        if (version.kind != VS_OBJECT)
            return vs_fail(err, VS_E_INVALID,
                           "Vault's answer is not that of KV version 2 (is \"kv_version\" right?)");
        stored = version;
    }
    *out = vs_getc(stored, "data");
    if (!vs_defined(*out))
        return vs_fail(err, VS_E_INVALID, "the secret in Vault has no member \"data\"");
    return VS_OK;
}

vs_code vault_value(vs_span answer, int kv_version, vs_buf *out, vs_error *err)
{
    VS_CLEANUP(vs_arena_wipe) vs_arena a; /* parts of the secret may be on it */
    vs_arena_init(&a, ARENA_MAX);
    vs_val v = vs_undefined(), value;
    size_t before = out->n;
    if (answer.n > VAULT_ANSWER_MAX)
        return vs_fail(err, VS_E_LIMIT, "Vault's answer has %zu bytes, at most %d", answer.n,
                       VAULT_ANSWER_MAX);
    /* The parser's own sentence may quote the text, and the text is a secret. */
    vs_code code = vs_json_parse(&a, answer, NULL, &v, NULL);
    if (code != VS_OK)
        return vs_fail(err, code, "Vault's answer is not JSON that can be read");
    VS_TRY(find_value(v, kv_version, &value, err));
    put_value(out, value);
    if (vs_buf_ok(out))
        return VS_OK;
    vs_buf_truncate(out, before);
    return vs_buf_check(out, err);
}

void vault_complaint(vs_span answer, char out[COMPLAINT])
{
    static const char *const lists[] = {"errors", "warnings"};
    VS_CLEANUP(vs_arena_wipe) vs_arena a;
    vs_arena_init(&a, 1024 * 1024);
    vs_val v = vs_undefined();
    out[0] = 0;
    if (answer.n > 64 * 1024 || vs_json_parse(&a, answer, NULL, &v, NULL) != VS_OK)
        return;
    for (size_t i = 0; i < VS_COUNT(lists) && !out[0]; i++) {
        vs_val list = vs_getc(v, lists[i]);
        if (list.kind == VS_ARRAY && list.len > 0)
            (void)snprintf(out, COMPLAINT, "%.*s", VS_FMT(vs_text(list.u.items[0])));
    }
    for (size_t n = strlen(out); n > 0 && !vs_utf8_ok(vs_str(out));) /* cut in a character */
        out[--n] = 0;
}

/* ---- writing ------------------------------------------------------------------------------------
 */

void vault_body(vs_span value, int kv_version, vs_buf *out)
{
    vs_buf_puts(out, kv_version == 2 ? "{\"data\":{\"data\":[" : "{\"data\":[");
    for (size_t i = 0; i < value.n; i++)
        vs_buf_printf(out, "%s%u", i ? "," : "", value.p[i]);
    vs_buf_puts(out, kv_version == 2 ? "]}}" : "]}");
}
