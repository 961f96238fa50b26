/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "administration.pb-c.h"
#include "api/admin_grpc.h"
#include "api/remote.h"
#include "base/enc.h"
#include "reference.pb-c.h"
#include "rvps/backend.h"
#include "rvps/cca.h"
#include "rvps/comids.h"
#include "value/json.h"

#define ADMIN(method) "/" RVPS_ADMIN_SERVICE "/" method

typedef struct rvps_remote {
    rvps base;
    remote_peer peer;
} rvps_remote;

static const remote_peer *peer_of(rvps *r)
{
    return &((rvps_remote *)r)->peer;
}

static vs_code remote_take(rvps *r, vs_span message, int64_t now, vs_error *err)
{
    (void)now;
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    const void *answer;
    Reference__ReferenceValueRegisterRequest in = REFERENCE__REFERENCE_VALUE_REGISTER_REQUEST__INIT;
    VS_TRY(remote_text(&a, message, "the reference value message", &in.message, err));
    return remote_ask(peer_of(r), "/" RVPS_GRPC_SERVICE "/RegisterReferenceValue", &in.base,
                      &reference__reference_value_register_response__descriptor, &a, &answer, err);
}

/* The value's strings point into text on the arena. */
static vs_code ask_for_value(rvps *r, const Reference__ReferenceValueQueryRequest *in, vs_arena *a,
                             vs_val *out, vs_error *err)
{
    const void *answer;
    VS_TRY(remote_ask(peer_of(r), "/" RVPS_GRPC_SERVICE "/QueryReferenceValue", &in->base,
                      &reference__reference_value_query_response__descriptor, a, &answer, err));
    const Reference__ReferenceValueQueryResponse *found = answer;
    if (found->found_case ==
        REFERENCE__REFERENCE_VALUE_QUERY_RESPONSE__FOUND_REFERENCE_VALUE_RESULTS)
        return vs_json_parse(a, vs_str(found->reference_value_results), NULL, out, err);
    return VS_OK;
}

/* ---- administration ----------------------------------------------------------------------------
 */

/* Trustee's provider takes values, without who sent them, and so does one of ours that does not
 * know us. "ABORTED" is all that either says of a message that it refuses; if this one refused it
 * before, that is what it is. */
static vs_code take_plainly(rvps *r, vs_span message, int64_t now, vs_code before, vs_error *err)
{
    vs_code code = remote_take(r, message, now, err);
    if (code != VS_E_CONFLICT || before != VS_E_DENIED)
        return code;
    if (err)
        err->code = VS_E_DENIED;
    return VS_E_DENIED;
}

static vs_code remote_take_by(rvps *r, vs_span message, vs_span by, int64_t now, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    const void *answer;
    Vouchsafe__Administration__RegisterReferenceValueRequest in =
        VOUCHSAFE__ADMINISTRATION__REGISTER_REFERENCE_VALUE_REQUEST__INIT;
    VS_TRY(remote_text(&a, message, "the reference value message", &in.message, err));
    VS_TRY(remote_text(&a, by, "who registers", &in.by, err));
    vs_code code = remote_ask(peer_of(r), ADMIN("RegisterReferenceValue"), &in.base,
                              &vouchsafe__administration__done__descriptor, &a, &answer, err);
    return code == VS_E_UNSUPPORTED || code == VS_E_DENIED
               ? take_plainly(r, message, now, code, err)
               : code;
}

static vs_code remote_list(rvps *r, vs_span prefix, vs_span after, size_t limit, vs_arena *a,
                           rvps_page *out, vs_error *err)
{
    const void *answer;
    Vouchsafe__Administration__ListReferenceValuesRequest in =
        VOUCHSAFE__ADMINISTRATION__LIST_REFERENCE_VALUES_REQUEST__INIT;
    VS_TRY(remote_text(a, prefix, "the prefix", &in.prefix, err));
    VS_TRY(remote_text(a, after, "the name to go on after", &in.after, err));
    in.limit = (uint32_t)limit;
    VS_TRY(remote_ask(peer_of(r), ADMIN("ListReferenceValues"), &in.base,
                      &vouchsafe__administration__reference_value_names__descriptor, a, &answer,
                      err));
    const Vouchsafe__Administration__ReferenceValueNames *page = answer;
    if (page->n_names > limit || (page->more && page->n_names == 0))
        return vs_fail(err, VS_E_INVALID, "the reference value provider's page has %zu names",
                       page->n_names);
    vs_span *names = vs_alloc_array(a, page->n_names, sizeof *names);
    VS_TRY(vs_arena_check(a, err));
    for (size_t i = 0; i < page->n_names; i++)
        names[i] = vs_str(page->names[i]);
    *out = (rvps_page){.names = names, .n = page->n_names, .more = page->more};
    return VS_OK;
}

static vs_code remote_get(rvps *r, vs_span id, int64_t now, vs_arena *a, rvps_entry *out,
                          vs_error *err)
{
    (void)now;
    const void *answer;
    Vouchsafe__Administration__GetReferenceValueRequest in =
        VOUCHSAFE__ADMINISTRATION__GET_REFERENCE_VALUE_REQUEST__INIT;
    VS_TRY(remote_text(a, id, "the name", &in.name, err));
    VS_TRY(remote_ask(peer_of(r), ADMIN("GetReferenceValue"), &in.base,
                      &vouchsafe__administration__reference_value_record__descriptor, a, &answer,
                      err));
    const Vouchsafe__Administration__ReferenceValueRecord *found = answer;
    *out = (rvps_entry){.name = vs_dup(a, id),
                        .expires = found->expires,
                        .not_before = found->not_before,
                        .valid = found->valid,
                        .provenance = vs_undefined()};
    VS_TRY(
        vs_json_parse(a, vs_span_of(found->value.data, found->value.len), NULL, &out->value, err));
    if (found->provenance.len)
        VS_TRY(vs_json_parse(a, vs_span_of(found->provenance.data, found->provenance.len), NULL,
                             &out->provenance, err));
    return vs_arena_check(a, err);
}

static vs_code remote_delete(rvps *r, vs_span id, vs_span by, vs_error *err)
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 0);
    const void *answer;
    Vouchsafe__Administration__DeleteReferenceValueRequest in =
        VOUCHSAFE__ADMINISTRATION__DELETE_REFERENCE_VALUE_REQUEST__INIT;
    VS_TRY(remote_text(&a, id, "the name", &in.name, err));
    VS_TRY(remote_text(&a, by, "who deletes", &in.by, err));
    return remote_ask(peer_of(r), ADMIN("DeleteReferenceValue"), &in.base,
                      &vouchsafe__administration__done__descriptor, &a, &answer, err);
}

/* ---- values for the verifier -------------------------------------------------------------------
 */

/* Attestation keys make platforms genuine. Trustee's provider lets anybody register anything under
 * their names, so they are asked for through the administration that it does not have, and must
 * have come from a CoRIM: whoever tells that has checked who vouches for it. */
static vs_code ask_for_keys(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                            vs_error *err)
{
    rvps_entry e;
    vs_error why = {0};
    vs_code code = remote_get(r, id, now, a, &e, &why);
    if (code == VS_E_NOT_FOUND || code == VS_E_UNSUPPORTED)
        return VS_OK;
    if (code != VS_OK) {
        *err = why;
        return code;
    }
    if (e.valid && vs_span_is(vs_text(vs_getc(e.provenance, "type")), "corim"))
        *out = rvps_valid_entries(a, e.value, now);
    return vs_arena_check(a, err);
}

/* The provider's clock counts, but for attestation keys. */
static vs_code remote_query(rvps *r, vs_span id, int64_t now, vs_arena *a, vs_val *out,
                            vs_error *err)
{
    Reference__ReferenceValueQueryRequest in = REFERENCE__REFERENCE_VALUE_QUERY_REQUEST__INIT;
    if (!vs_utf8_ok(id) || remote_text(a, id, "", &in.reference_value_id, NULL) == VS_E_INVALID)
        return VS_OK; /* there is no such name */
    VS_TRY(vs_arena_check(a, err));
    VS_TRY_WRAP(rvps_is_cca_key_name(id) ? ask_for_keys(r, id, now, a, out, err)
                                         : ask_for_value(r, &in, a, out, err),
                err, "the value of \"%.*s\"", VS_FMT(vs_span_head(id, 80)));
    return VS_OK;
}

static void remote_close(rvps *r)
{
    free(r);
}

static const rvps_ops remote_ops = {.take = remote_take,
                                    .query = remote_query,
                                    .close = remote_close,
                                    .take_by = remote_take_by,
                                    .get = remote_get,
                                    .list = remote_list,
                                    .remove = remote_delete};

vs_code rvps_remote_new(vs_grpc_client *client, rvps **out, vs_error *err)
{
    *out = NULL;
    rvps_remote *r = calloc(1, sizeof *r);
    if (!r)
        return vs_fail(err, VS_E_NOMEM, "out of memory");
    *r = (rvps_remote){{&remote_ops}, {client, "reference value provider"}};
    *out = &r->base;
    return VS_OK;
}
