/* SPDX-License-Identifier: Apache-2.0 */
/* What may change while requests run: a snapshot per configuration, kept while a request uses it.
 */
#include <stdlib.h>

#include "kbs/internal.h"

static void free_rules(kbs_rules *r)
{
    kbs_admin_free(&r->admin);
    kbs_trust_free(&r->trust);
    kbs_sources_free(&r->sources); /* the others point to it */
    vs_arena_free(&r->arena);
    free(r);
}

void kbs_rules_drop(kbs_rules *r)
{
    if (r && atomic_fetch_sub(&r->refs, 1) == 1)
        free_rules(r);
}

kbs_rules *kbs_rules_take(kbs *k)
{
    (void)pthread_mutex_lock(&k->rules_lock);
    kbs_rules *r = k->rules;
    atomic_fetch_add(&r->refs, 1);
    (void)pthread_mutex_unlock(&k->rules_lock);
    return r;
}

static vs_code load(kbs *k, kbs_rules *r, vs_error *err)
{
    const kbs_sources_config keys = {.store = k->store,
                                     .fetch = r->cfg->fetch,
                                     .user = r->cfg->fetch_user,
                                     .refresh_s = r->cfg->key_refresh_s};
    VS_TRY(kbs_sources_new(&keys, &r->sources, err));
    VS_TRY(kbs_admin_new(&r->cfg->admin, r->sources, &r->admin, err));
    VS_TRY(kbs_trust_load(&r->trust, r->cfg, r->sources, k->as, err));
    return kbs_sources_start(r->sources, err);
}

vs_code kbs_rules_new(kbs *k, const kbs_config *cfg, vs_arena *arena, kbs_rules **out,
                      vs_error *err)
{
    kbs_rules *r = calloc(1, sizeof *r);
    if (!r)
        return vs_fail(err, VS_E_NOMEM, "out of memory for the configuration");
    vs_arena_init(&r->arena, 0);
    r->refs = 1;
    r->cfg = cfg;
    if (arena) {
        r->own = *cfg;
        r->cfg = &r->own;
    }
    vs_code code = load(k, r, err);
    if (code != VS_OK) {
        free_rules(r);
        return code;
    }
    if (arena) {
        r->arena = *arena;
        vs_arena_init(arena, 0);
    }
    *out = r;
    return VS_OK;
}

vs_code kbs_reload_check(kbs *k, const kbs_config *cfg, vs_arena *arena, kbs_rules **out,
                         vs_error *err)
{
    return kbs_rules_new(k, cfg, arena, out, err);
}

void kbs_reload_apply(kbs *k, kbs_rules *fresh)
{
    (void)pthread_mutex_lock(&k->rules_lock);
    kbs_rules *old = k->rules;
    k->rules = fresh;
    (void)pthread_mutex_unlock(&k->rules_lock);
    kbs_rules_drop(old);
}
