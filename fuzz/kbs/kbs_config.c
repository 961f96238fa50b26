/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file of any text gives a configuration or a sentence, and what it gives is whole:
 * nobody is let in by accident. */
#include <stdlib.h>

#include "base/log.h"
#include "kbs/config_keys.h"
#include "value/toml.h"

static void check(const config_raw *raw)
{
    const kbs_config *c = &raw->c;
    if (c->n_sockets == 0 || c->workers == 0 || c->body_limit == 0 || c->as.duration_min <= 0)
        abort();
    if (c->storage.type != STORE_MEMORY && c->storage.type != STORE_POSTGRES && !c->storage.path)
        abort();
    if (c->admin.mode == KBS_ADMIN_BEARER && c->admin.n_providers == 0)
        abort();
    if (c->vault && (!c->vault->url || (!c->vault->token && !c->vault->token_file) ||
                     !c->vault->mount_path || c->vault->kv_version < 1 || c->vault->kv_version > 2))
        abort();
    if (c->pkcs11 && (!c->pkcs11->module || (!c->pkcs11->pin && !c->pkcs11->pin_file)))
        abort();
    if (c->nebula && (!c->nebula->work_dir || !c->nebula->program || !c->nebula->ca_name))
        abort();
    for (size_t i = 0; i < c->n_backends; i++)
        if (!c->backends[i].name || !c->backends[i].endpoint || c->backends[i].timeout_ms < 1)
            abort();
    if (!c->insecure_http && !c->private_key)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_log_setup(VS_LOG_ERROR, false, 2);
    vs_arena a;
    vs_arena_init(&a, 32 << 20);
    vs_error err = {0};
    vs_val v;
    config_raw raw = {0};
    config_fallbacks(&raw);
    if (vs_toml_parse(&a, vs_span_of(data, size), &v, &err) == VS_OK &&
        config_read(&a, v, &raw, &err) == VS_OK && (raw.c.file = v, true) &&
        config_settle(&raw, &a, &err) == VS_OK)
        check(&raw);
    else if (!vs_error_at(&err, 0))
        abort();
    vs_arena_free(&a);
    return 0;
}
