/* SPDX-License-Identifier: Apache-2.0 */
/* What Intel's statements say about a platform: the rules of tees.md 2.5, steps 8, 10 and 12. */
#include "tee/dcap/tcb.h"

static bool masked_eq(vs_span value, vs_span mask, vs_span want)
{
    for (size_t i = 0; i < want.n; i++)
        if ((value.p[i] & mask.p[i]) != want.p[i])
            return false;
    return true;
}

vs_code dcap_check_qe(const dcap_qe_identity *id, const qe_report *qe, vs_error *err)
{
    uint8_t misc[4]; /* the identity has it as a number in hexadecimal, so big endian */
    for (unsigned i = 0; i < sizeof misc; i++)
        misc[i] = qe->miscselect[sizeof misc - 1 - i];
    if (!masked_eq(vs_span_of(misc, sizeof misc), id->miscselect_mask, id->miscselect) ||
        !masked_eq(qe->attributes, id->attributes_mask, id->attributes) ||
        !vs_span_eq(qe->mrsigner, id->mrsigner) || qe->isvprodid != id->isvprodid)
        return vs_fail(err, VS_E_MISMATCH, "the quoting enclave is not Intel's TD quoting enclave");
    return VS_OK;
}

static unsigned major_of(const td_body *body)
{
    return body->tee_tcb_svn.p[1];
}

static const dcap_module *find_module(const dcap_tcb_info *info, unsigned major)
{
    if (major == 0)
        return &info->module;
    for (size_t i = 0; i < info->n_modules; i++)
        if (info->modules[i].major == major)
            return &info->modules[i];
    return NULL;
}

vs_code dcap_check_module(const dcap_tcb_info *info, const td_body *body, vs_error *err)
{
    static const uint8_t zeros[8];
    vs_span none = vs_span_of(zeros, sizeof zeros);
    const dcap_module *m = find_module(info, major_of(body));
    if (!m)
        return vs_fail(err, VS_E_MISMATCH, "TDX module of major version %u is not known to Intel",
                       major_of(body));
    if (!vs_span_eq(body->mrsigner_seam, m->mrsigner))
        return vs_fail(err, VS_E_MISMATCH, "the TDX module is signed by somebody else");
    if (!vs_span_eq(body->seam_attributes, none) ||
        !vs_span_eq(body->seam_attributes, m->attributes))
        return vs_fail(err, VS_E_MISMATCH, "attributes of the TDX module are not zero");
    return VS_OK;
}

/* ---- levels ---------------------------------------------------------------------------------- */

static bool reaches(const uint8_t *have, const uint8_t *want, unsigned from)
{
    for (unsigned i = from; i < 16; i++)
        if (have[i] < want[i])
            return false;
    return true;
}

/* With a numbered module the first two components are the module's own business. */
static const dcap_level *platform_level(const dcap_tcb_info *info, const dcap_pck *pck,
                                        vs_span tee_tcb_svn)
{
    for (size_t i = 0; i < info->levels.n; i++) {
        const dcap_level *l = &info->levels.items[i];
        if (reaches(pck->comp, l->sgx, 0) && pck->pcesvn >= l->svn &&
            reaches(tee_tcb_svn.p, l->tdx, tee_tcb_svn.p[1] > 0 ? 2 : 0))
            return l;
    }
    return NULL;
}

static const dcap_level *svn_level(const dcap_levels *levels, unsigned svn)
{
    for (size_t i = 0; i < levels->n; i++)
        if (svn >= levels->items[i].svn)
            return &levels->items[i];
    return NULL;
}

static dcap_status converge(dcap_status platform, dcap_status component)
{
    if (component == DCAP_REVOKED)
        return DCAP_REVOKED;
    if (component != DCAP_OUT_OF_DATE)
        return platform;
    if (platform == DCAP_UP_TO_DATE || platform == DCAP_SW_HARDENING)
        return DCAP_OUT_OF_DATE;
    if (platform == DCAP_CONFIGURATION || platform == DCAP_CONFIGURATION_SW_HARDENING)
        return DCAP_OUT_OF_DATE_CONFIGURATION;
    return platform;
}

static void add(dcap_verdict *v, vs_vec *advisories, const dcap_level *l)
{
    v->status = converge(v->status, l->status);
    v->date = l->date < v->date ? l->date : v->date;
    for (VS_ARR_FOR (id, l->advisories))
        vs_vec_add(advisories, *id);
}

static vs_code judge(vs_arena *a, const dcap_tcb_info *info, const dcap_qe_identity *id,
                     const dcap_pck *pck, unsigned qe_svn, vs_span tee_tcb_svn, dcap_verdict *out,
                     vs_error *err)
{
    const dcap_level *platform = platform_level(info, pck, tee_tcb_svn);
    const dcap_level *qe = svn_level(&id->levels, qe_svn), *module = NULL;
    unsigned major = tee_tcb_svn.p[1];
    vs_vec advisories = {.a = a};
    if (major > 0) {
        const dcap_module *m = find_module(info, major);
        module = m ? svn_level(&m->levels, tee_tcb_svn.p[0]) : NULL;
    }
    if (!platform || !qe || (major > 0 && !module))
        return vs_fail(err, VS_E_UNTRUSTED, "%s is below every level that Intel supports",
                       !platform ? "the platform"
                       : !qe     ? "the quoting enclave"
                                 : "the TDX module");
    *out = (dcap_verdict){.status = platform->status, .date = platform->date};
    for (VS_ARR_FOR (advisory, platform->advisories))
        vs_vec_add(&advisories, *advisory);
    add(out, &advisories, qe);
    if (module)
        add(out, &advisories, module);
    out->advisories = vs_vec_end_array(&advisories);
    if (out->status == DCAP_REVOKED)
        return vs_fail(err, VS_E_UNTRUSTED, "the platform's TCB is revoked");
    return vs_arena_check(a, err);
}

static bool needs_configuration(dcap_status s)
{
    return s == DCAP_CONFIGURATION || s == DCAP_CONFIGURATION_SW_HARDENING ||
           s == DCAP_OUT_OF_DATE_CONFIGURATION;
}

/* A TD that was started on old firmware, which has been updated since, is to be started again. */
static dcap_status relaunch(dcap_status launch, dcap_status current)
{
    bool old = launch == DCAP_OUT_OF_DATE || launch == DCAP_OUT_OF_DATE_CONFIGURATION;
    if (!old || current > DCAP_CONFIGURATION_SW_HARDENING)
        return launch;
    return needs_configuration(launch) || needs_configuration(current)
               ? DCAP_RELAUNCH_ADVISED_CONFIGURATION
               : DCAP_RELAUNCH_ADVISED;
}

vs_code dcap_evaluate(vs_arena *a, const dcap_tcb_info *info, const dcap_qe_identity *id,
                      const dcap_pck *pck, const dcap_quote *quote, dcap_verdict *launch,
                      dcap_verdict *current, vs_error *err)
{
    const td_body *body = &quote->body;
    VS_TRY(judge(a, info, id, pck, quote->qe.isvsvn, body->tee_tcb_svn, launch, err));
    *current = *launch;
    if (!body->tee_tcb_svn2.n)
        return VS_OK;
    VS_TRY_WRAP(judge(a, info, id, pck, quote->qe.isvsvn, body->tee_tcb_svn2, current, err), err,
                "current TCB");
    launch->status = relaunch(launch->status, current->status);
    return VS_OK;
}
