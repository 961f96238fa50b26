/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/known.h"

#include <stdlib.h>

#include "tee/cca/verify.h"

static vs_code fill(cca_known *k, vs_span platform_token)
{
    vs_cose_sign1 cose;
    k->token = vs_dup(&k->arena, platform_token);
    VS_TRY(vs_arena_check(&k->arena, NULL));
    VS_TRY(vs_cose_parse(k->token, &cose, NULL));
    VS_TRY(cca_platform_decode(&k->arena, cose.payload, &k->platform, NULL));
    k->components = cca_components(&k->arena, &k->platform);
    return vs_arena_check(&k->arena, NULL);
}

/* Twice: the first time tells how much memory it takes, so that no more is held. */
static vs_code fill_exactly(cca_known *k, vs_span platform_token)
{
    vs_arena_init(&k->arena, 0);
    vs_code code = fill(k, platform_token);
    /* Of a first block that is not full, what is used; of several, all. */
    size_t takes = k->arena.used_before ? k->arena.held : vs_arena_used(&k->arena);
    vs_arena_free(&k->arena);
    vs_arena_init(&k->arena, takes);
    return code == VS_OK ? fill(k, platform_token) : code;
}

cca_known *cca_known_new(const cca_token *t, const cca_anchor *anchor)
{
    cca_known *k = t->platform_bytes.n <= CCA_KNOWN_MAX ? calloc(1, sizeof *k) : NULL;
    if (!k)
        return NULL;
    k->owners = 1;
    memcpy(k->anchor, anchor->identity, sizeof k->anchor);
    if (fill_exactly(k, t->platform_bytes) != VS_OK)
        cca_known_free(&k);
    return k;
}

cca_known *cca_known_share(cca_known *k)
{
    (void)atomic_fetch_add(&k->owners, 1);
    return k;
}

void cca_known_free(cca_known **k)
{
    if (!*k)
        return;
    if (atomic_fetch_sub(&(*k)->owners, 1) == 1) {
        for (size_t i = 0; i < VS_COUNT((*k)->rak); i++) {
            vs_key *rak = (*k)->rak[i];
            vs_key_free(&rak);
        }
        vs_arena_free(&(*k)->arena);
        free(*k);
    }
    *k = NULL;
}

static size_t form_of(const cca_realm *r)
{
    return r->profile->generation == CCA_LEGACY;
}

const vs_key *cca_known_rak(const cca_known *k, const cca_realm *r)
{
    return k->rak[form_of(r)];
}

void cca_known_bind(cca_known *k, const cca_realm *r, vs_key *rak)
{
    vs_key *none = NULL, *own = vs_key_share(rak);
    if (!atomic_compare_exchange_strong(&k->rak[form_of(r)], &none, own))
        vs_key_free(&own); /* another thread was faster */
}
