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
    if (c->storage.type != KBS_STORE_MEMORY && c->storage.type != KBS_STORE_POSTGRES &&
        !c->storage.path)
        abort();
    if (c->admin.mode == KBS_ADMIN_BEARER && c->admin.n_providers == 0)
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
        config_read(&a, v, &raw, &err) == VS_OK && config_settle(&raw, &a, &err) == VS_OK)
        check(&raw);
    else if (!vs_error_at(&err, 0))
        abort();
    vs_arena_free(&a);
    return 0;
}
