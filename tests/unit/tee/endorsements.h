/* SPDX-License-Identifier: Apache-2.0 */
/* A provider of endorsements in memory, and records that endorse a software realm. */
#ifndef VS_TEST_ENDORSEMENTS_H
#define VS_TEST_ENDORSEMENTS_H

#include "soft_realm.h"

#include <pthread.h>

#include "base/enc.h"
#include "tee/tee.h"
#include "value/json.h"

typedef struct provider {
    pthread_mutex_t lock;
    struct {
        char name[160];
        char *json;
    } record[8];
    size_t n;
    vs_code fail;   /* what every question gets */
    unsigned asked; /* questions so far */
} provider;

static inline void provider_start(provider *p)
{
    *p = (provider){0};
    (void)pthread_mutex_init(&p->lock, NULL);
}

/* NULL: there is no such record any more. */
static inline void provider_set(provider *p, const char *name, const char *json)
{
    (void)pthread_mutex_lock(&p->lock);
    size_t i = 0;
    while (i < p->n && strcmp(p->record[i].name, name) != 0)
        i++;
    if (i == p->n)
        (void)snprintf(p->record[p->n++].name, sizeof p->record[0].name, "%s", name);
    free(p->record[i].json);
    p->record[i].json = json ? strdup(json) : NULL;
    (void)pthread_mutex_unlock(&p->lock);
}

static inline void provider_stop(provider *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->record[i].json);
    (void)pthread_mutex_destroy(&p->lock);
}

static inline vs_code provider_find(void *user, vs_span name, vs_arena *a, vs_val *out,
                                    vs_error *err)
{
    provider *p = user;
    vs_span text = {NULL, 0};
    *out = vs_undefined();
    (void)pthread_mutex_lock(&p->lock);
    p->asked++;
    for (size_t i = 0; i < p->n; i++)
        if (p->record[i].json && vs_span_is(name, p->record[i].name))
            text = vs_dup(a, vs_str(p->record[i].json));
    vs_code fail = p->fail;
    (void)pthread_mutex_unlock(&p->lock);
    if (fail != VS_OK)
        return vs_fail(err, fail, "the provider does not answer");
    return text.p ? vs_json_parse(a, text, NULL, out, err) : vs_arena_check(a, err);
}

static inline const char *record_name(vs_arena *a, const char *prefix, vs_span id)
{
    vs_span hex = vs_hex_encode_arena(a, id);
    return vs_sprintf(a, "%s%.*s", prefix, VS_FMT(hex));
}

static inline const char *cpak_name(const soft_realm *s, vs_arena *a)
{
    uint8_t *id = vs_alloc(a, CCA_INSTANCE_ID);
    assert_vs_code(realm_instance_id(s->keys.cpak, id, NULL), VS_OK);
    return record_name(a, "cca.cpak.", vs_span_of(id, CCA_INSTANCE_ID));
}

static inline vs_val hex_value(vs_arena *a, vs_span bytes)
{
    return vs_string(vs_hex_encode_arena(a, bytes));
}

static inline vs_val end(vs_obj *o)
{
    vs_obj_put(o, "corim", vs_cstring("test corim"));
    vs_obj_put(o, "tag", vs_cstring("test tag"));
    vs_obj_put(o, "version", vs_int(3));
    return vs_obj_end(o, VS_DUP_REFUSE, NULL);
}

/* {"implementation-id", "key", ...} */
static inline vs_val cpak_entry(const soft_realm *s, vs_arena *a)
{
    vs_obj o = {.a = a};
    vs_val jwk;
    assert_vs_code(vs_key_to_jwk(a, s->keys.cpak, NULL, &jwk, NULL), VS_OK);
    vs_obj_put(&o, "implementation-id", hex_value(a, s->spec.implementation_id));
    vs_obj_put(&o, "key", jwk);
    return end(&o);
}

static inline vs_val endorsed_component(vs_arena *a, const cca_component *c)
{
    vs_vec values = {.a = a};
    vs_obj o = {.a = a};
    vs_vec_add(&values, hex_value(a, c->value));
    vs_obj_put(&o, "measurement-values", vs_vec_end_array(&values));
    vs_obj_put(&o, "signer-id", hex_value(a, c->signer_id));
    if (c->type.p)
        vs_obj_put(&o, "component-type", vs_string(c->type));
    if (c->version.p)
        vs_obj_put(&o, "version", vs_string(c->version));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static inline vs_val platform_entry(const soft_realm *s, vs_arena *a)
{
    vs_vec list = {.a = a};
    for (size_t i = 0; i < s->spec.n_components; i++)
        vs_vec_add(&list, endorsed_component(a, &s->spec.components[i]));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "sw-components", vs_vec_end_array(&list));
    vs_obj_put(&o, "config", hex_value(a, s->spec.config));
    return end(&o);
}

static inline vs_val realm_entry(const soft_realm *s, vs_arena *a)
{
    vs_vec rems = {.a = a};
    for (unsigned i = 0; i < CCA_REMS; i++)
        vs_vec_add(&rems, hex_value(a, s->spec.rem[i]));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "rem", vs_vec_end_array(&rems));
    vs_obj_put(&o, "rpv", hex_value(a, s->spec.rpv));
    return end(&o);
}

/* JSON text of an array of entries; undefined ones are left out. */
static inline const char *record_text(vs_arena *a, vs_val one, vs_val two)
{
    vs_vec list = {.a = a};
    if (vs_defined(one))
        vs_vec_add(&list, one);
    if (vs_defined(two))
        vs_vec_add(&list, two);
    vs_buf text = VS_BUF(1 << 20);
    vs_json_print(&text, vs_vec_end_array(&list));
    assert_true(vs_buf_ok(&text));
    const char *copy = (const char *)vs_dup(a, vs_buf_span(&text)).p;
    vs_buf_free(&text);
    return copy;
}

/* All three records of one software realm. */
static inline void endorse_soft(provider *p, const soft_realm *s, vs_arena *a)
{
    provider_set(p, cpak_name(s, a), record_text(a, cpak_entry(s, a), vs_undefined()));
    provider_set(p, record_name(a, "cca.platform.", s->spec.implementation_id),
                 record_text(a, platform_entry(s, a), vs_undefined()));
    provider_set(p, record_name(a, "cca.realm.", s->spec.rim),
                 record_text(a, realm_entry(s, a), vs_undefined()));
}

#endif
