/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as claims of either half, and as the two stores' JSON. What is accepted obeys the sizes
 * that the rest of the verifier relies on. */
#include <stdlib.h>

#include "tee/cca/stores.h"

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool is_digest(vs_span s)
{
    return s.n == 32 || s.n == 48 || s.n == 64;
}

static void run_platform(vs_span in)
{
    vs_arena a;
    cca_platform p;
    vs_arena_init(&a, 1 << 20);
    if (cca_platform_decode(&a, in, &p, NULL) == VS_OK) {
        check(p.implementation_id.n == CCA_IMPLEMENTATION_ID && p.instance_id.n == CCA_INSTANCE_ID);
        check(is_digest(p.challenge) && p.n_components >= 1);
        for (size_t i = 0; i < p.n_components; i++)
            check(is_digest(p.components[i].value) && is_digest(p.components[i].signer_id));
    }
    vs_arena_free(&a);
}

static void run_realm(vs_span in)
{
    cca_realm r;
    if (cca_realm_decode(in, &r, NULL) != VS_OK)
        return;
    vs_key *rak = NULL;
    check(r.challenge.n == CCA_CHALLENGE && r.rpv.n == CCA_CHALLENGE && is_digest(r.rim));
    for (unsigned i = 0; i < CCA_REMS; i++)
        check(is_digest(r.rem[i]));
    check((cca_realm_key(&r, &rak, NULL) == VS_OK) == (rak != NULL));
    vs_key_free(&rak);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_span in = vs_span_of(data, size);
    cca_stores stores;
    run_platform(in);
    run_realm(in);
    check(cca_stores_parse(in, VS_LIT("{}"), &stores, NULL) != VS_OK ||
          stores.n_anchors <= size / CCA_INSTANCE_ID);
    cca_stores_free(&stores);
    (void)!cca_stores_parse(VS_LIT("[]"), in, &stores, NULL);
    cca_stores_free(&stores);
    return 0;
}
