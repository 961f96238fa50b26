/* SPDX-License-Identifier: Apache-2.0 */
/* A CoRIM, signed or not: envelope and manifest. */
#include "envelope/corim_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(vs_span s, const uint8_t *data, size_t size)
{
    if (s.n && (s.p < data || s.n > size || s.p + s.n > data + size))
        __builtin_trap();
}

static void use(const corim *c, const uint8_t *data, size_t size)
{
    check_inside(c->id.bytes, data, size);
    for (size_t i = 0; i < c->n; i++) {
        const corim_reference *r = &c->references[i];
        check_inside(r->env.vendor, data, size);
        check_inside(r->env.model, data, size);
        for (size_t k = 0; k < r->n; k++) {
            const corim_measurement *m = &r->measurements[k];
            check_inside(m->key_bytes, data, size);
            check_inside(m->raw, data, size);
            if (m->svn > INT64_MAX)
                __builtin_trap();
            for (size_t d = 0; d < m->n_digests; d++) {
                check_inside(m->digests[d].value, data, size);
                if (m->digests[d].value.n == 0)
                    __builtin_trap();
            }
        }
    }
}

static void use_cca(const corim_cca *cca, size_t n_comids, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < cca->n_platforms; i++) {
        const corim_cca_platform *p = &cca->platforms[i];
        if (p->comid >= n_comids || p->implementation.n != 32 ||
            (p->mask.p && p->mask.n != p->config.n))
            __builtin_trap();
        check_inside(p->config, data, size);
        for (size_t k = 0; k < p->n; k++)
            check_inside(p->components[k].signer, data, size);
    }
    for (size_t i = 0; i < cca->n_keys; i++)
        if (cca->keys[i].comid >= n_comids || cca->keys[i].instance.n != 33)
            __builtin_trap();
    for (size_t i = 0; i < cca->n_realms; i++) {
        if (cca->realms[i].comid >= n_comids || cca->realms[i].rim.n < 32)
            __builtin_trap();
        check_inside(cca->realms[i].rpv, data, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_val template;
    vs_arena a;
    vs_error err = {0};
    corim_envelope e;
    corim c;
    vs_arena_init(&a, 0);
    if (corim_open(vs_span_of(data, size), &e, &err) == VS_OK) {
        if (e.n_chain > CORIM_CHAIN_MAX || (e.is_signed && e.cose.alg == VS_ALG_NONE))
            __builtin_trap();
        check_inside(e.manifest, data, size);
        if (corim_decode(&a, e.manifest, &c, &err) == VS_OK) {
            use(&c, data, size);
            use_cca(&c.cca, c.n_comids, data, size);
        } else if (!vs_error_at(&err, 0)) {
            __builtin_trap();
        }
        (void)!corim_to_template(&a, e.manifest, &template, NULL);
    }
    vs_arena_free(&a);
    return 0;
}
