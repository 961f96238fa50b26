/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of type "corim": reference triples become records (attestation-service.md 8.2), those of
 * the Arm CCA profiles also the records of cca.h. */
#include <stdlib.h>

#include "base/enc.h"
#include "base/log.h"
#include "rvps/cca.h"

/* ---- who says what --------------------------------------------------------------------------- */

/* The names that the CoMIDs give, while they are collected. */
typedef struct mentions {
    rvps_mention *list;
    size_t n, room;
} mentions;

static void mention(mentions *m, vs_arena *a, vs_span name, size_t comid)
{
    if (m->n == m->room) {
        size_t room = m->room ? m->room * 2 : 8;
        rvps_mention *more = vs_grow(a, m->list, m->n, room, sizeof *more);
        if (!more)
            return;
        m->list = more;
        m->room = room;
    }
    m->list[m->n++] = (rvps_mention){name, comid};
}

static int by_name_and_comid(const void *p, const void *q)
{
    const rvps_mention *a = p, *b = q;
    int c = vs_span_cmp(a->name, b->name);
    return c ? c : (a->comid > b->comid) - (a->comid < b->comid);
}

static void settle_mentions(rvps_records *out, mentions *m)
{
    size_t kept = 0;
    if (m->n)
        qsort(m->list, m->n, sizeof *m->list, by_name_and_comid);
    for (size_t i = 0; i < m->n; i++)
        if (kept == 0 || by_name_and_comid(&m->list[i], &m->list[kept - 1]) != 0)
            m->list[kept++] = m->list[i];
    out->mentions = m->list;
    out->n_mentions = kept;
}

/* ---- names ----------------------------------------------------------------------------------- */

static vs_span key_text(vs_arena *a, const corim_measurement *m)
{
    switch (m->key) {
    case CORIM_KEY_TEXT: return m->key_bytes;
    case CORIM_KEY_UINT:
        return vs_str(vs_sprintf(a, "claim%llu", (unsigned long long)m->key_number));
    case CORIM_KEY_UUID: return corim_id_text(a, (corim_id){m->key_bytes, true});
    case CORIM_KEY_NONE: break;
    }
    return (vs_span){NULL, 0};
}

/* The parts that are there and what the value is, joined with '/'. */
static vs_span record_name(vs_arena *a, const corim_reference *r, const corim_measurement *m,
                           const char *what)
{
    const vs_span parts[] = {r->env.vendor, r->env.model, key_text(a, m),
                             m->name,       m->serial,    vs_str(what)};
    size_t n = 0;
    for (size_t i = 0; i < VS_COUNT(parts); i++)
        n += parts[i].n + 1;
    uint8_t *name = vs_alloc(a, n);
    n = 0;
    for (size_t i = 0; name && i < VS_COUNT(parts); i++) {
        if (!parts[i].p)
            continue;
        if (n)
            name[n++] = '/';
        if (parts[i].n)
            memcpy(name + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    return vs_span_of(name, n);
}

/* ---- values ---------------------------------------------------------------------------------- */

typedef struct reader {
    rvps_records *out;
    mentions mentions;
} reader;

static void add(reader *rd, const corim_reference *r, const corim_measurement *m, const char *what,
                vs_val value, rvps_merge merge)
{
    vs_span name = record_name(rd->out->a, r, m, what);
    rvps_add_record(rd->out, name, value, merge);
    mention(&rd->mentions, rd->out->a, name, r->comid);
}

static void add_measurement(reader *rd, const corim_reference *r, const corim_measurement *m)
{
    vs_arena *a = rd->out->a;
    if (m->n_digests) {
        vs_vec list = {.a = a};
        for (size_t i = 0; i < m->n_digests; i++)
            vs_vec_add(&list, vs_string(vs_hex_encode_arena(a, m->digests[i].value)));
        add(rd, r, m, "digests", vs_vec_end_array(&list), RVPS_MERGE_LIST);
    }
    if (m->raw.p)
        add(rd, r, m, "raw_bytes", vs_string(vs_hex_encode_arena(a, m->raw)), RVPS_MERGE_ONE);
    if (m->svn_kind == CORIM_SVN_MIN)
        add(rd, r, m, "min_svn", vs_int((int64_t)m->svn), RVPS_MERGE_MAX);
    if (m->svn_kind == CORIM_SVN_EXACT) {
        vs_vec list = {.a = a};
        vs_vec_add(&list, vs_int((int64_t)m->svn));
        add(rd, r, m, "svn", vs_vec_end_array(&list), RVPS_MERGE_LIST);
    }
}

static void narrow(corim_validity *v, corim_validity by)
{
    if (by.not_before > v->not_before)
        v->not_before = by.not_before;
    if (by.not_after < v->not_after)
        v->not_after = by.not_after;
}

static void describe(rvps_records *out, const corim *c)
{
    vs_obj o = {.a = out->a};
    vs_obj_put(&o, "id", vs_string(corim_id_text(out->a, c->id)));
    if (c->profile.p)
        vs_obj_put(&o, "profile", vs_string(c->profile));
    out->source = vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

/* ---- the message ----------------------------------------------------------------------------- */

/* Before anything else of the message is read. */
static vs_code check_signature(const rvps_context *x, const corim_envelope *e, rvps_records *out,
                               vs_error *err)
{
    if (!e->is_signed)
        return x->require_signed ? vs_fail(err, VS_E_DENIED,
                                           "the CoRIM is not signed, and this server takes "
                                           "signed ones only")
                                 : VS_OK;
    VS_TRY_WRAP(rvps_anchors_verify(x->anchors, e, x->now, out->a, &out->signature, err), err,
                "signature of the CoRIM");
    out->signer_name = e->signer_name;
    if (!out->signature.trusted)
        vs_log(VS_LOG_WARN, "rvps",
               "a signed CoRIM counts as unsigned: no trust anchors are configured", NULL);
    narrow(&out->validity, e->validity);
    return VS_OK;
}

static vs_code add_comids(rvps_records *out, const corim *c, vs_error *err)
{
    rvps_comid *list = vs_alloc_array(out->a, c->n_comids, sizeof *list);
    VS_TRY(vs_arena_check(out->a, err));
    for (size_t i = 0; i < c->n_comids; i++) {
        const corim_comid *m = &c->comids[i];
        uint8_t h[VS_HASH_MAX];
        VS_TRY(vs_digest(VS_SHA256, m->bytes, (vs_span){NULL, 0}, (vs_span){NULL, 0}, h, err));
        list[i] = (rvps_comid){.corim = corim_id_text(out->a, c->id),
                               .tag = corim_id_text(out->a, m->tag),
                               .version = (int64_t)m->version,
                               .sha256 = vs_hex_encode_arena(out->a, vs_span_of(h, 32)),
                               .strict = c->cca.kind != CORIM_CCA_NONE};
    }
    out->comids = list;
    out->n_comids = c->n_comids;
    return vs_arena_check(out->a, err);
}

vs_code rvps_extract_corim(const rvps_context *x, vs_span payload, rvps_records *out, vs_error *err)
{
    corim_envelope e;
    corim c;
    VS_TRY(corim_open(payload, &e, err));
    VS_TRY(check_signature(x, &e, out, err));
    VS_TRY(corim_decode(out->a, e.manifest, &c, err));
    narrow(&out->validity, c.validity);
    describe(out, &c);
    out->of_cca = c.cca.kind != CORIM_CCA_NONE;
    reader rd = {.out = out};
    for (size_t i = 0; i < c.n; i++)
        for (size_t k = 0; k < c.references[i].n; k++)
            add_measurement(&rd, &c.references[i], &c.references[i].measurements[k]);
    settle_mentions(out, &rd.mentions);
    VS_TRY(rvps_add_cca(out, &c, err));
    VS_TRY(add_comids(out, &c, err));
    return rvps_merge_records(out, err);
}
