/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/measure/rim.h"

/* ---- names and numbers ------------------------------------------------------------------------
 */

static const char *const generations[] = {
    [CCA_RMM_1_0] = "1.0", [CCA_RMM_1_1] = "1.1", [CCA_RMM_2_0] = "2.0"};

const char *cca_rmm_name(cca_rmm r)
{
    return generations[r];
}

bool cca_rmm_of_name(vs_span name, cca_rmm *out)
{
    for (size_t i = 0; i < VS_COUNT(generations); i++) {
        if (vs_span_is(name, generations[i])) {
            *out = (cca_rmm)i;
            return true;
        }
    }
    return false;
}

/* Fields of the RMM's structures: little-endian. */
static void put64(uint8_t *to, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

/* ---- RMI_REALM_CREATE (8.1) -------------------------------------------------------------------
 */

/* Of RmiRealmParams, the members that are measured. */
enum {
    PARAMS_FLAGS = 0x00,
    PARAMS_S2SZ = 0x08,
    PARAMS_SVE_VL = 0x10,
    PARAMS_NUM_BPS = 0x18,
    PARAMS_NUM_WPS = 0x20,
    PARAMS_PMU_NUM_CTRS = 0x28,
    PARAMS_HASH_ALGO = 0x30,
};

static uint8_t hash_algo(vs_hash h)
{
    return h == VS_SHA256 ? 0 : h == VS_SHA512 ? 1 : 2;
}

static vs_code check_hash(const cca_realm_params *p, vs_error *err)
{
    if (p->hash == VS_SHA384 && p->rmm != CCA_RMM_2_0)
        return vs_fail(err, VS_E_INVALID, "sha-384 needs RMM 2.0, this is RMM %s",
                       cca_rmm_name(p->rmm));
    if (p->hash != VS_SHA256 && p->hash != VS_SHA384 && p->hash != VS_SHA512)
        return vs_fail(err, VS_E_INVALID,
                       "%s is no hash of a realm: they are sha-256, sha-512 and, with RMM 2.0, "
                       "sha-384",
                       vs_hash_name(p->hash));
    return VS_OK;
}

static vs_code check_flags(const cca_realm_params *p, vs_error *err)
{
    uint64_t known = CCA_REALM_LPA2 | CCA_REALM_SVE | CCA_REALM_PMU;
    if (p->rmm != CCA_RMM_1_0)
        known |= CCA_REALM_DA | CCA_REALM_MEC_POLICY;
    if (p->flags & ~known)
        return vs_fail(err, VS_E_INVALID, "realm flags 0x%llx: RMM %s does not define 0x%llx",
                       (unsigned long long)p->flags, cca_rmm_name(p->rmm),
                       (unsigned long long)(p->flags & ~known));
    return VS_OK;
}

static vs_code check_number(const char *what, unsigned v, unsigned least, unsigned most,
                            vs_error *err)
{
    if (v < least || v > most)
        return vs_fail(err, VS_E_INVALID, "%s is %u, must be %u to %u", what, v, least, most);
    return VS_OK;
}

static vs_code check_params(const cca_realm_params *p, vs_error *err)
{
    VS_TRY(check_hash(p, err));
    VS_TRY(check_flags(p, err));
    VS_TRY(check_number("s2sz, the IPA width,", p->s2sz, 20, 52, err));
    if (p->s2sz > 48 && !(p->flags & CCA_REALM_LPA2))
        return vs_fail(err, VS_E_INVALID, "an IPA width of %u bits needs LPA2", p->s2sz);
    VS_TRY(check_number("sve_vl, vector bits / 128 - 1,", p->sve_vl, 0,
                        p->flags & CCA_REALM_SVE ? 15 : 0, err));
    VS_TRY(check_number("num_bps, breakpoints - 1,", p->num_bps, 1, 63, err));
    VS_TRY(check_number("num_wps, watchpoints - 1,", p->num_wps, 1, 63, err));
    return check_number("pmu_num_ctrs", p->pmu_num_ctrs, 0, p->flags & CCA_REALM_PMU ? 31 : 0, err);
}

vs_code cca_rim_create(cca_rim *r, const cca_realm_params *p, vs_error *err)
{
    uint8_t page[CCA_GRANULE] = {0};
    VS_TRY(check_params(p, err));
    put64(page + PARAMS_FLAGS, p->flags);
    page[PARAMS_S2SZ] = p->s2sz;
    page[PARAMS_SVE_VL] = p->sve_vl;
    page[PARAMS_NUM_BPS] = p->num_bps;
    page[PARAMS_NUM_WPS] = p->num_wps;
    page[PARAMS_PMU_NUM_CTRS] = p->pmu_num_ctrs;
    page[PARAMS_HASH_ALGO] = hash_algo(p->hash);
    *r = (cca_rim){.params = *p};
    return vs_digest(p->hash, vs_span_of(page, sizeof page), (vs_span){0}, (vs_span){0}, r->value,
                     err);
}

/* ---- extending (8.2) --------------------------------------------------------------------------
 */

enum { DESC_SIZE = 0x100, DESC_LENGTH = 0x08, DESC_RIM = 0x10, DESC_BODY = 0x50 };
enum { DESC_DATA = 0, DESC_REC = 1, DESC_RIPAS = 2 };
enum { DATA_MEASURED = 1, REC_RUNNABLE = 1 };

/* RIM = H(descriptor); its body is what differs between the commands. */
static vs_code extend(cca_rim *r, uint8_t type, const uint8_t *body, size_t n, vs_error *err)
{
    uint8_t desc[DESC_SIZE] = {type};
    uint8_t value[VS_HASH_MAX] = {0};
    put64(desc + DESC_LENGTH, DESC_SIZE);
    memcpy(desc + DESC_RIM, r->value, sizeof r->value);
    memcpy(desc + DESC_BODY, body, n);
    VS_TRY(vs_digest(r->params.hash, vs_span_of(desc, sizeof desc), (vs_span){0}, (vs_span){0},
                     value, err));
    memcpy(r->value, value, sizeof value);
    return VS_OK;
}

static vs_code check_granule(const char *what, uint64_t ipa, vs_error *err)
{
    if (ipa % CCA_GRANULE)
        return vs_fail(err, VS_E_INVALID, "%s 0x%llx is not a multiple of 4096", what,
                       (unsigned long long)ipa);
    return VS_OK;
}

vs_code cca_rim_ripas(cca_rim *r, uint64_t base, uint64_t top, vs_error *err)
{
    uint8_t body[16];
    VS_TRY(check_granule("RIPAS base", base, err));
    VS_TRY(check_granule("RIPAS top", top, err));
    if (base >= top)
        return vs_fail(err, VS_E_INVALID, "RIPAS range 0x%llx to 0x%llx is empty",
                       (unsigned long long)base, (unsigned long long)top);
    if (r->params.rmm == CCA_RMM_2_0)
        return VS_OK;
    put64(body, base);
    put64(body + 8, top);
    return extend(r, DESC_RIPAS, body, sizeof body, err);
}

vs_code cca_rim_data(cca_rim *r, uint64_t ipa, const uint8_t *granule, vs_error *err)
{
    uint8_t body[16 + VS_HASH_MAX] = {0};
    VS_TRY(check_granule("data address", ipa, err));
    put64(body, ipa);
    put64(body + 8, granule ? DATA_MEASURED : 0);
    if (granule)
        VS_TRY(vs_digest(r->params.hash, vs_span_of(granule, CCA_GRANULE), (vs_span){0},
                         (vs_span){0}, body + 16, err));
    return extend(r, DESC_DATA, body, sizeof body, err);
}

vs_code cca_rim_rec(cca_rim *r, const cca_rec *rec, vs_error *err)
{
    enum { REC_PC = 0x200, REC_GPRS = 0x300 };
    uint8_t page[CCA_GRANULE] = {REC_RUNNABLE}, body[VS_HASH_MAX] = {0};
    if (!rec->runnable)
        return VS_OK;
    put64(page + REC_PC, rec->pc);
    for (size_t i = 0; i < CCA_REC_GPRS; i++)
        put64(page + REC_GPRS + 8 * i, rec->gprs[i]);
    VS_TRY(vs_digest(r->params.hash, vs_span_of(page, sizeof page), (vs_span){0}, (vs_span){0},
                     body, err));
    return extend(r, DESC_REC, body, sizeof body, err);
}

/* ---- translation table entries (8.3) -----------------------------------------------------------
 */

uint64_t cca_ripas_block(uint8_t s2sz, uint64_t base, uint64_t top)
{
    enum { PAGE_BITS = 12, LEVEL_BITS = 9, CONCATENATED_BITS = 4 };
    unsigned bits = s2sz - PAGE_BITS;
    unsigned levels = (bits + LEVEL_BITS - 1) / LEVEL_BITS;
    if (bits - LEVEL_BITS * (levels - 1) <= CONCATENATED_BITS) /* up to 16 tables side by side */
        levels--;
    for (unsigned up = levels; up-- > 1;) {
        uint64_t size = (uint64_t)CCA_GRANULE << LEVEL_BITS * up;
        if (base % size == 0 && top - base >= size)
            return size;
    }
    return CCA_GRANULE;
}

/* ---- extensible measurements (8.5) ------------------------------------------------------------
 */

vs_code cca_rem_extend(vs_hash hash, uint8_t rem[VS_HASH_MAX], vs_span data, vs_error *err)
{
    uint8_t value[VS_HASH_MAX] = {0};
    if (data.n > CCA_REM_DATA_MAX)
        return vs_fail(err, VS_E_INVALID,
                       "a measurement is extended with 0 to %d bytes, these are %zu",
                       CCA_REM_DATA_MAX, data.n);
    VS_TRY(vs_digest(hash, vs_span_of(rem, vs_hash_size(hash)), data, (vs_span){0}, value, err));
    memcpy(rem, value, vs_hash_size(hash));
    return VS_OK;
}
