/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/tdx/claims.h"

#include "base/clock.h"
#include "tee/evidence.h"
#include "value/number.h"

static void put_hex(vs_obj *o, const char *name, vs_span bytes)
{
    vs_obj_put(o, name, evidence_hex_claim(o->a, bytes));
}

static vs_val header(vs_arena *a, const dcap_quote *q)
{
    vs_obj o = {.a = a};
    put_hex(&o, "version", q->version);
    put_hex(&o, "att_key_type", q->att_key_type);
    put_hex(&o, "tee_type", q->tee_type);
    put_hex(&o, "reserved", q->reserved);
    put_hex(&o, "vendor_id", q->vendor_id);
    put_hex(&o, "user_data", q->user_data);
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val body(vs_arena *a, const td_body *b)
{
    static const char *const rtmrs[] = {"rtmr_0", "rtmr_1", "rtmr_2", "rtmr_3"};
    vs_obj o = {.a = a};
    put_hex(&o, "tcb_svn", b->tee_tcb_svn);
    put_hex(&o, "mr_seam", b->mr_seam);
    put_hex(&o, "mrsigner_seam", b->mrsigner_seam);
    put_hex(&o, "seam_attributes", b->seam_attributes);
    put_hex(&o, "td_attributes", b->td_attributes);
    put_hex(&o, "xfam", b->xfam);
    put_hex(&o, "mr_td", b->mr_td);
    put_hex(&o, "mr_config_id", b->mr_config_id);
    put_hex(&o, "mr_owner", b->mr_owner);
    put_hex(&o, "mr_owner_config", b->mr_owner_config);
    for (unsigned i = 0; i < 4; i++)
        put_hex(&o, rtmrs[i], b->rtmr[i]);
    put_hex(&o, "report_data", b->report_data);
    if (b->tee_tcb_svn2.n) {
        put_hex(&o, "tee_tcb_svn2", b->tee_tcb_svn2);
        put_hex(&o, "mr_servicetd", b->mr_servicetd);
    }
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val quote(vs_arena *a, const dcap_quote *q)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "header", header(a, q));
    vs_obj_put(&o, "body", body(a, &q->body));
    if (q->body_type.n) {
        put_hex(&o, "type", q->body_type);
        put_hex(&o, "size", q->body_size);
    }
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static vs_val attributes(vs_arena *a, vs_span bits)
{
    static const struct {
        const char *name;
        unsigned bit;
    } known[] = {{"debug", 0},
                 {"septve_disable", 28},
                 {"protection_keys", 30},
                 {"key_locker", 31},
                 {"perfmon", 63}};
    vs_obj o = {.a = a};
    for (size_t i = 0; i < VS_COUNT(known); i++)
        vs_obj_put(&o, known[i].name, vs_bool(bits.p[known[i].bit / 8] >> known[i].bit % 8 & 1));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

void tdx_put_quote(vs_obj *claims, const dcap_quote *q, const dcap_pck *pck)
{
    uint8_t instance[sizeof pck->instance]; /* shown with the last byte first */
    for (unsigned i = 0; i < sizeof instance; i++)
        instance[i] = pck->instance[sizeof instance - 1 - i];
    vs_obj_put(claims, "quote", quote(claims->a, q));
    vs_obj_put(claims, "td_attributes", attributes(claims->a, q->body.td_attributes));
    if (pck->platform)
        put_hex(claims, "platform_instance_id", vs_span_of(instance, sizeof instance));
}

static void put_time(vs_obj *o, const char *name, int64_t t)
{
    char text[VS_TIME_TEXT];
    vs_obj_put(o, name, vs_string_dup(o->a, vs_str(vs_time_rfc3339(t, text))));
}

static void put_flags(vs_obj *o, const dcap_pck *pck)
{
    static const char *const types[] = {"Standard", "Scalable", "Scalable with Integrity"};
    vs_obj_put(o, "sgx_type", vs_cstring(types[pck->type]));
    if (pck->type == DCAP_STANDARD)
        return;
    vs_obj_put(o, "is_dynamic_platform", vs_bool(pck->dynamic));
    vs_obj_put(o, "is_cached_keys", vs_bool(pck->cached_keys));
    vs_obj_put(o, "is_smt_enabled", vs_bool(pck->smt));
}

void tdx_put_verdict(vs_obj *claims, const dcap_result *r)
{
    vs_arena *a = claims->a;
    vs_obj_put(claims, "tcb_status", vs_cstring(dcap_status_name(r->launch.status)));
    vs_obj_put(claims, "collateral_expiration_status", vs_cstring(r->expired ? "1" : "0"));
    vs_obj_put(claims, "advisory_ids", r->launch.advisories);
    put_time(claims, "tcb_date", r->launch.date);
    vs_obj_put(claims, "tcb_status_current", vs_cstring(dcap_status_name(r->current.status)));
    vs_obj_put(claims, "advisory_ids_current", r->current.advisories);
    put_time(claims, "tcb_date_current", r->current.date);
    put_time(claims, "earliest_issue_date", r->earliest_issue);
    put_time(claims, "latest_issue_date", r->latest_issue);
    put_time(claims, "earliest_expiration_date", r->earliest_expiration);
    vs_obj_put(claims, "pck_crl_num", vs_num_of_u64(a, r->pck_crl_number));
    vs_obj_put(claims, "root_ca_crl_num", vs_num_of_u64(a, r->root_crl_number));
    vs_obj_put(claims, "tcb_eval_num", vs_num_of_u64(a, r->evaluation));
    put_hex(claims, "platform_provider_id", vs_span_of(r->pck.ppid, sizeof r->pck.ppid));
    put_hex(claims, "root_key_id", vs_span_of(r->root_key_id, sizeof r->root_key_id));
    put_flags(claims, &r->pck);
}
