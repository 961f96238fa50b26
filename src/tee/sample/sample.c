/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/sample/sample.h"

#include "base/enc.h"
#include "value/json.h"

typedef struct sample_evidence {
    vs_val svn;
    vs_val report_data; /* base64 text as sent; "" when missing */
} sample_evidence;

static vs_code read_evidence(vs_val evidence, sample_evidence *out, vs_error *err)
{
    VS_TRY(vs_need(evidence, "svn", VS_STRING, &out->svn, err));
    VS_TRY(vs_may(evidence, "report_data", VS_STRING, &out->report_data, err));
    if (!vs_defined(out->report_data))
        out->report_data = vs_cstring("");
    return VS_OK;
}

/* Exact equality, without padding. */
static vs_code check_report_data(const sample_evidence *e, const vs_tee_expect *expect, vs_arena *a,
                                 vs_error *err)
{
    vs_span got;
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_STD, vs_text(e->report_data), &got, err), err,
                "report_data");
    if (expect->report_data.p && !vs_ct_eq(got, expect->report_data))
        return vs_fail(err, VS_E_MISMATCH, "report data is not the expected one");
    return VS_OK;
}

static vs_code verify(const vs_tee_trust *trust, vs_val evidence, const vs_tee_expect *expect,
                      vs_arena *a, sample_evidence *out, vs_error *err)
{
    if (!trust->sample)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "sample evidence proves nothing and is not accepted here");
    VS_TRY_WRAP(read_evidence(evidence, out, err), err, "sample evidence");
    return check_report_data(out, expect, a, err);
}

static vs_val platform_version(vs_arena *a)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "major", vs_int(1));
    vs_obj_put(&o, "minor", vs_int(4));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_code verify_sample(const vs_tee_trust *trust, vs_val evidence,
                             const vs_tee_expect *expect, vs_arena *a, vs_tee_result *results,
                             size_t *n, vs_error *err)
{
    *n = 0;
    sample_evidence e;
    VS_TRY(verify(trust, evidence, expect, a, &e, err));
    vs_obj claims = {.a = a};
    vs_obj_put(&claims, "svn", e.svn);
    vs_obj_put(&claims, "launch_digest", vs_cstring("abcde"));
    vs_obj_put(&claims, "platform_version", platform_version(a));
    vs_obj_put(&claims, "debug", vs_bool(false));
    results[0] = (vs_tee_result){.tee_class = "cpu",
                                 .claims = vs_obj_end(&claims, VS_DUP_REFUSE, NULL),
                                 .report_data = e.report_data};
    if (expect->init_data.p)
        results[0].init_data = vs_string(vs_b64_encode_arena(a, VS_B64_STD, expect->init_data));
    *n = 1;
    return vs_arena_check(a, err);
}

static vs_code verify_device(const vs_tee_trust *trust, vs_val evidence,
                             const vs_tee_expect *expect, vs_arena *a, vs_tee_result *results,
                             size_t *n, vs_error *err)
{
    *n = 0;
    sample_evidence e;
    VS_TRY(verify(trust, evidence, expect, a, &e, err));
    vs_obj claims = {.a = a};
    vs_obj_put(&claims, "svn", e.svn);
    results[0] = (vs_tee_result){.tee_class = "gpu",
                                 .claims = vs_obj_end(&claims, VS_DUP_REFUSE, NULL),
                                 .report_data = e.report_data};
    *n = 1;
    return vs_arena_check(a, err);
}

const vs_tee_driver sample_driver = {"sample", verify_sample};
const vs_tee_driver sample_device_driver = {"sampledevice", verify_device};
