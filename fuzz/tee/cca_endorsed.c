/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any JSON as the endorsement records of a platform's key, its platform and its realm. They are
 * read or refused with a sentence, and what is read has the form that appraisal relies on.
 */
#include <stdlib.h>

#include "tee/cca/endorsed.h"
#include "value/json.h"

static vs_code find(void *user, vs_span name, vs_arena *a, vs_val *out, vs_error *err)
{
    (void)name, (void)a, (void)err;
    *out = *(vs_val *)user;
    return VS_OK;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_digest(vs_span s)
{
    return s.p && (s.n == 32 || s.n == 48 || s.n == 64);
}

static void check_platform(const cca_platform_record *r)
{
    for (size_t i = 0; i < r->n_components; i++) {
        const cca_endorsed_component *c = &r->components[i];
        must(is_digest(c->labels.signer_id) && c->n_values > 0);
        must(c->entry < r->record.entries.len);
        for (size_t k = 0; k < c->n_values; k++)
            must(is_digest(c->values[k]));
    }
    for (size_t i = 0; i < r->n_configs; i++) {
        const cca_endorsed_config *c = &r->configs[i];
        must(c->value.p && (!c->mask.p || c->mask.n == c->value.n));
        must(c->entry < r->record.entries.len);
    }
}

static void check_realm(const cca_realm_record *r)
{
    must(r->n_realms == r->record.entries.len);
    for (size_t i = 0; i < r->n_realms; i++)
        for (unsigned k = 0; k < CCA_REMS; k++)
            must(!r->realms[i].rem[k].p || is_digest(r->realms[i].rem[k]));
}

static void check_key(vs_arena *a, const cca_record *r, vs_error *err)
{
    static const uint8_t id[CCA_INSTANCE_ID] = {1};
    const cca_platform p = {.implementation_id = vs_span_of(id, CCA_IMPLEMENTATION_ID),
                            .instance_id = vs_span_of(id, CCA_INSTANCE_ID)};
    cca_anchor anchor = {0};
    uint32_t entry = UINT32_MAX;
    vs_code code = cca_read_anchor(a, r, &p, NULL, &anchor, &entry, err);
    must(code != VS_OK || (anchor.cpak && !anchor.flaw && entry < r->entries.len));
    must(code == VS_OK || vs_error_at(err, 0) != NULL);
    if (code == VS_OK) { /* the key that has verified before need not be imported */
        cca_anchor again = {0};
        must(cca_read_anchor(a, r, &p, anchor.identity, &again, &entry, err) == VS_OK);
        must(!again.cpak && !again.flaw && memcmp(again.identity, anchor.identity, 32) == 0);
    }
    vs_key_free(&anchor.cpak);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_arena a;
    vs_arena_init(&a, 4 << 20);
    vs_error err = {0};
    vs_val v;
    cca_platform_record platform = {0};
    cca_realm_record realm = {0};
    if (vs_json_parse(&a, vs_span_of(data, size), NULL, &v, &err) == VS_OK) {
        const vs_tee_endorsements e = {find, &v};
        vs_code code = cca_find_record(&e, &a, CCA_PLATFORM_RECORD, vs_span_of(data, 1),
                                       &platform.record, &err);
        if (code == VS_OK) {
            realm.record = platform.record;
            check_key(&a, &platform.record, &err);
            if (cca_read_platform_record(&a, &platform, &err) == VS_OK)
                check_platform(&platform);
            if (cca_read_realm_record(&a, &realm, &err) == VS_OK)
                check_realm(&realm);
            for (uint32_t i = 0; i < platform.record.entries.len; i++)
                (void)cca_provenance(&a, &platform.record, i);
        }
    }
    vs_arena_free(&a);
    return 0;
}
