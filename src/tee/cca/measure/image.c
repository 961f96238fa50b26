/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/measure/image.h"

#include <stdlib.h>

/* ---- sources ----------------------------------------------------------------------------------
 */

static vs_code read_memory(const void *self, uint64_t at, uint8_t *to, size_t n, vs_error *err)
{
    (void)err;
    memcpy(to, (const uint8_t *)self + at, n);
    return VS_OK;
}

cca_source cca_source_of(vs_span bytes)
{
    return (cca_source){.size = bytes.n, .read = read_memory, .self = bytes.p};
}

vs_code cca_source_digest(vs_hash hash, const cca_source *s, uint8_t out[VS_HASH_MAX],
                          vs_error *err)
{
    enum { CHUNK = 64 * 1024 };
    uint8_t chunk[CHUNK];
    VS_CLEANUP(vs_hasher_free) vs_hasher *h = NULL;
    VS_TRY(vs_hasher_new(hash, &h, err));
    for (uint64_t at = 0; at < s->size;) {
        size_t n = s->size - at < CHUNK ? (size_t)(s->size - at) : CHUNK;
        VS_TRY(s->read(s->self, at, chunk, n, err));
        VS_TRY(vs_hasher_add(h, vs_span_of(chunk, n), err));
        at += n;
    }
    return vs_hasher_end(h, out, err);
}

vs_code cca_image_add_blob(cca_image *m, const char *name, uint64_t ipa, cca_source source,
                           vs_error *err)
{
    if (m->n_blobs == CCA_BLOBS_MAX)
        return vs_fail(err, VS_E_LIMIT, "more than %d things to load", CCA_BLOBS_MAX);
    m->blobs[m->n_blobs++] = (cca_blob){.name = name, .ipa = ipa, .source = source};
    return VS_OK;
}

/* ---- checks -----------------------------------------------------------------------------------
 */

/* Anything that takes granules: [base, top), with the blob that it comes from, if any. */
typedef struct place {
    uint64_t base, top;
    const char *name;
    const cca_blob *blob;
} place;

enum { PLACES_MAX = CCA_BLOBS_MAX + CCA_RANGES_MAX };

#define HEX(v) ((unsigned long long)(v))

static int by_base(const void *a, const void *b)
{
    uint64_t x = ((const place *)a)->base, y = ((const place *)b)->base;
    return (x > y) - (x < y);
}

/* All that the realm has is in the protected half of its addresses, so sums cannot overflow. */
static vs_code check_size(const char *name, uint64_t base, uint64_t size, unsigned s2sz,
                          vs_error *err)
{
    uint64_t end = UINT64_C(1) << (s2sz - 1); /* above is the unprotected half */
    if (size == 0)
        return vs_fail(err, VS_E_INVALID, "%s at 0x%llx is empty", name, HEX(base));
    if (base >= end || size > end - base)
        return vs_fail(
            err, VS_E_INVALID,
            "%s at 0x%llx, 0x%llx bytes, does not fit the protected half of %u IPA bits, "
            "which ends at 0x%llx",
            name, HEX(base), HEX(size), s2sz, HEX(end));
    return VS_OK;
}

static vs_code place_range(const char *name, const cca_range *r, unsigned s2sz, place *out,
                           vs_error *err)
{
    if (r->base % CCA_GRANULE || r->size % CCA_GRANULE)
        return vs_fail(err, VS_E_INVALID,
                       "%s at 0x%llx, 0x%llx bytes: both must be multiples of 4096", name,
                       HEX(r->base), HEX(r->size));
    VS_TRY(check_size(name, r->base, r->size, s2sz, err));
    *out = (place){.base = r->base, .top = r->base + r->size, .name = name};
    return VS_OK;
}

static vs_code check_apart(place *p, size_t n, vs_error *err)
{
    qsort(p, n, sizeof *p, by_base);
    for (size_t i = 1; i < n; i++)
        if (p[i].base < p[i - 1].top)
            return vs_fail(err, VS_E_INVALID,
                           "%s (granules 0x%llx to 0x%llx) and %s (0x%llx to 0x%llx) overlap",
                           p[i - 1].name, HEX(p[i - 1].base), HEX(p[i - 1].top), p[i].name,
                           HEX(p[i].base), HEX(p[i].top));
    return VS_OK;
}

/* All memory there is, sorted. */
static vs_code check_memory(const cca_image *m, place *out, vs_error *err)
{
    for (size_t i = 0; i < m->n_ram; i++)
        VS_TRY(place_range("RAM", &m->ram[i], m->params.s2sz, &out[i], err));
    for (size_t i = 0; i < m->n_rom; i++)
        VS_TRY(place_range("ROM", &m->rom[i], m->params.s2sz, &out[m->n_ram + i], err));
    return check_apart(out, m->n_ram + m->n_rom, err);
}

static bool inside(const place *p, const place *memory, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p->base >= memory[i].base && p->top <= memory[i].top)
            return true;
    return false;
}

/* What is loaded, sorted. */
static vs_code check_loads(const cca_image *m, const place *memory, size_t n_memory, place *out,
                           vs_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_blobs; i++) {
        const cca_blob *b = &m->blobs[i];
        VS_TRY(check_size(b->name, b->ipa, b->source.size, m->params.s2sz, err));
        uint64_t last = b->ipa + b->source.size - 1;
        out[n++] = (place){.base = b->ipa - b->ipa % CCA_GRANULE,
                           .top = last - last % CCA_GRANULE + CCA_GRANULE,
                           .name = b->name,
                           .blob = b};
    }
    for (size_t i = 0; i < m->n_unmeasured; i++) {
        if (m->unmeasured[i].size > CCA_UNMEASURED_MAX)
            return vs_fail(err, VS_E_LIMIT, "unmeasured range at 0x%llx: more than %d bytes",
                           HEX(m->unmeasured[i].base), CCA_UNMEASURED_MAX);
        VS_TRY(place_range("unmeasured range", &m->unmeasured[i], m->params.s2sz, &out[n++], err));
    }
    for (size_t i = 0; i < n; i++)
        if (!inside(&out[i], memory, n_memory))
            return vs_fail(err, VS_E_INVALID, "%s (granules 0x%llx to 0x%llx) is not inside RAM",
                           out[i].name, HEX(out[i].base), HEX(out[i].top));
    return check_apart(out, n, err);
}

/* ---- measuring --------------------------------------------------------------------------------
 */

typedef struct job {
    cca_rim rim;
    const cca_trace *trace;
    vs_error *err;
} job;

static void tell(job *j, cca_step s)
{
    s.rim = &j->rim;
    if (j->trace)
        j->trace->step(j->trace->self, &s);
}

static vs_code measure_ripas(job *j, const place *ram)
{
    if (j->rim.params.rmm == CCA_RMM_2_0)
        return VS_OK;
    for (uint64_t at = ram->base, size; at < ram->top; at += size) {
        size = cca_ripas_block(j->rim.params.s2sz, at, ram->top);
        VS_TRY(cca_rim_ripas(&j->rim, at, at + size, j->err));
        tell(j, (cca_step){.kind = CCA_STEP_INIT_RIPAS, .base = at, .top = at + size});
    }
    return VS_OK;
}

/* The granules of `chunk`, which is full of them. */
static vs_code measure_chunk(job *j, const char *name, uint64_t ipa, const uint8_t *chunk, size_t n)
{
    for (size_t at = 0; at < n; at += CCA_GRANULE) {
        VS_TRY(cca_rim_data(&j->rim, ipa + at, chunk + at, j->err));
        tell(j, (cca_step){.kind = CCA_STEP_DATA_CREATE,
                           .base = ipa + at,
                           .top = ipa + at + CCA_GRANULE,
                           .name = name});
    }
    return VS_OK;
}

static vs_code measure_blob(job *j, const place *p)
{
    enum { CHUNK = 16 * CCA_GRANULE };
    uint8_t chunk[CHUNK];
    const cca_source *s = &p->blob->source;
    size_t head = (size_t)(p->blob->ipa - p->base); /* zeros before it, in the first granule */
    uint64_t at = 0;
    for (uint64_t ipa = p->base; ipa < p->top; ipa += CHUNK) {
        size_t n = p->top - ipa < CHUNK ? (size_t)(p->top - ipa) : CHUNK;
        size_t want = s->size - at < n - head ? (size_t)(s->size - at) : n - head;
        memset(chunk, 0, n);
        VS_TRY_WRAP(s->read(s->self, at, chunk + head, want, j->err), j->err, "%s", p->name);
        VS_TRY(measure_chunk(j, p->name, ipa, chunk, n));
        at += want;
        head = 0;
    }
    return VS_OK;
}

static vs_code measure_unmeasured(job *j, const place *p)
{
    for (uint64_t ipa = p->base; ipa < p->top; ipa += CCA_GRANULE) {
        VS_TRY(cca_rim_data(&j->rim, ipa, NULL, j->err));
        tell(j, (cca_step){.kind = CCA_STEP_DATA_UNMEASURED,
                           .base = ipa,
                           .top = ipa + CCA_GRANULE,
                           .name = p->name});
    }
    return VS_OK;
}

static vs_code measure_recs(job *j, const cca_image *m)
{
    for (size_t i = 0; i < m->n_recs; i++) {
        if (!m->recs[i].runnable)
            continue;
        VS_TRY(cca_rim_rec(&j->rim, &m->recs[i], j->err));
        tell(j, (cca_step){.kind = CCA_STEP_REC_CREATE, .rec = &m->recs[i]});
    }
    return VS_OK;
}

static bool is_ram(const cca_image *m, const place *p)
{
    for (size_t i = 0; i < m->n_ram; i++)
        if (m->ram[i].base == p->base)
            return true;
    return false;
}

vs_code cca_image_measure(const cca_image *m, const cca_trace *trace, cca_rim *out, vs_error *err)
{
    place memory[2 * CCA_RANGES_MAX], loads[PLACES_MAX];
    size_t n_memory = m->n_ram + m->n_rom, n_loads = m->n_blobs + m->n_unmeasured;
    job j = {.trace = trace, .err = err};
    VS_TRY_WRAP(cca_rim_create(&j.rim, &m->params, err), err, "realm parameters");
    VS_TRY(check_memory(m, memory, err));
    VS_TRY(check_loads(m, memory, n_memory, loads, err));
    tell(&j, (cca_step){.kind = CCA_STEP_REALM_CREATE});
    for (size_t i = 0; i < n_memory; i++)
        if (is_ram(m, &memory[i]))
            VS_TRY(measure_ripas(&j, &memory[i]));
    for (size_t i = 0; i < n_loads; i++)
        if (loads[i].blob)
            VS_TRY(measure_blob(&j, &loads[i]));
    VS_TRY(measure_recs(&j, m));
    for (size_t i = 0; i < n_loads; i++)
        if (!loads[i].blob)
            VS_TRY(measure_unmeasured(&j, &loads[i]));
    *out = j.rim;
    return VS_OK;
}

/* ---- steps as text ----------------------------------------------------------------------------
 */

static void rec_text(vs_buf *out, const cca_rec *rec)
{
    vs_buf_printf(out, "RMI_REC_CREATE flags=1 pc=0x%llx", HEX(rec->pc));
    for (unsigned i = 0; i < CCA_REC_GPRS; i++)
        if (rec->gprs[i])
            vs_buf_printf(out, " x%u=0x%llx", i, HEX(rec->gprs[i]));
}

void cca_step_text(vs_buf *out, const cca_step *s)
{
    const cca_realm_params *p = &s->rim->params;
    switch (s->kind) {
    case CCA_STEP_REALM_CREATE:
        vs_buf_printf(out, "RMI_REALM_CREATE flags=0x%llx s2sz=%u sve_vl=%u num_bps=%u num_wps=%u",
                      HEX(p->flags), p->s2sz, p->sve_vl, p->num_bps, p->num_wps);
        vs_buf_printf(out, " pmu_num_ctrs=%u hash=%s", p->pmu_num_ctrs, vs_hash_name(p->hash));
        break;
    case CCA_STEP_INIT_RIPAS:
        vs_buf_printf(out, "RMI_RTT_INIT_RIPAS base=0x%llx top=0x%llx", HEX(s->base), HEX(s->top));
        break;
    case CCA_STEP_DATA_CREATE:
    case CCA_STEP_DATA_UNMEASURED:
        vs_buf_printf(out, "RMI_DATA_CREATE ipa=0x%llx %s (%s)", HEX(s->base),
                      s->kind == CCA_STEP_DATA_CREATE ? "measured" : "unmeasured", s->name);
        break;
    case CCA_STEP_REC_CREATE: rec_text(out, s->rec); break;
    }
}
