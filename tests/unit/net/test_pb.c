/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "attestation.pb-c.h"
#include "net/pb.h"
#include "plugin.pb-c.h"
#include "reference.pb-c.h"

static vs_error err;

#define UNPACK(a, what, in, out)                                                                   \
    vs_pb_unpack((a), &what##__descriptor, (in), (ProtobufCMessage **)(void *)(out), &err)

/* Bytes written by hand from the table of fields (attestation-service.md 2.1). */
static const uint8_t request[] = {0x0a, 0x18, 0x0a, 0x03, 'c', 'c',  'a',  0x1a, 0x02, 'e',
                                  'v',  0x2a, 0x02, '{',  '}', 0x3a, 0x01, 't',  0x42, 0x06,
                                  's',  'h',  'a',  '3',  '8', '4',  0x12, 0x01, 'p'};

static void an_attestation_request_has_the_numbers_of_the_table(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    Attestation__AttestationRequest *r = NULL;
    assert_vs_ok(
        UNPACK(&a, attestation__attestation_request, vs_span_of(request, sizeof request), &r),
        &err);
    assert_int_equal(r->n_verification_requests, 1);
    const Attestation__IndividualAttestationRequest *v = r->verification_requests[0];
    assert_string_equal(v->tee, "cca");
    assert_string_equal(v->evidence, "ev");
    assert_int_equal(
        v->runtime_data_case,
        ATTESTATION__INDIVIDUAL_ATTESTATION_REQUEST__RUNTIME_DATA_STRUCTURED_RUNTIME_DATA);
    assert_string_equal(v->structured_runtime_data, "{}");
    assert_string_equal(v->init_data_toml, "t");
    assert_string_equal(v->runtime_data_hash_algorithm, "sha384");
    assert_string_equal(r->policy_ids[0], "p");
    VS_CLEANUP(vs_buf_free) vs_buf again = VS_BUF(1000);
    vs_pb_pack(&again, &r->base);
    assert_span_eq(vs_buf_span(&again), vs_span_of(request, sizeof request));
    vs_arena_free(&a);
}

static void every_truncation_and_flip_is_survived(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 1 << 20);
    for (size_t n = 0; n <= sizeof request; n++)
        for (size_t bit = 0; bit < 8 * n + 1; bit++) {
            uint8_t *copy = malloc(n + 1);
            assert_non_null(copy);
            memcpy(copy, request, n);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8); /* the last one is behind the end */
            Attestation__AttestationRequest *r = NULL;
            vs_code code = UNPACK(&a, attestation__attestation_request, vs_span_of(copy, n), &r);
            assert_true(code == VS_OK || code == VS_E_PARSE || code == VS_E_NOMEM);
            free(copy);
            vs_arena_reset(&a);
        }
    vs_arena_free(&a);
}

static void presence_of_a_reference_value_is_seen(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    Reference__ReferenceValueQueryResponse *r = NULL;
    assert_vs_ok(UNPACK(&a, reference__reference_value_query_response, VS_LIT(""), &r), &err);
    assert_int_equal(r->found_case, REFERENCE__REFERENCE_VALUE_QUERY_RESPONSE__FOUND__NOT_SET);
    assert_vs_ok(UNPACK(&a, reference__reference_value_query_response, VS_LIT("\x0a\x00"), &r),
                 &err);
    assert_int_equal(r->found_case,
                     REFERENCE__REFERENCE_VALUE_QUERY_RESPONSE__FOUND_REFERENCE_VALUE_RESULTS);
    assert_string_equal(r->reference_value_results, "");
    vs_arena_free(&a);
}

static void texts_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 0);
    Attestation__ChallengeRequest *c = NULL;
    Kbs__Plugin__V1__PluginRequest *p = NULL;
    Reference__ReferenceValueQueryResponse *r = NULL;
    assert_vs_ok(
        UNPACK(&a, attestation__challenge_request, VS_LIT("\x0a\x09\x0a\x03tee\x12\x02se"), &c),
        &err);
    assert_string_equal(c->inner[0]->key, "tee");
    assert_vs_code(UNPACK(&a, attestation__challenge_request,
                          VS_LIT("\x0a\x09\x0a\x03t\xff"
                                 "e\x12\x02se"),
                          &c),
                   VS_E_PARSE);
    assert_vs_code(UNPACK(&a, kbs__plugin__v1__plugin_request, VS_LIT("\x1a\x01\xc0"), &p),
                   VS_E_PARSE);
    assert_vs_ok(UNPACK(&a, kbs__plugin__v1__plugin_request, VS_LIT("\x0a\x01\xc0"), &p), &err);
    assert_vs_code(
        UNPACK(&a, reference__reference_value_query_response, VS_LIT("\x0a\x01\xc0"), &r),
        VS_E_PARSE);
    vs_arena_free(&a);
}

static void many_small_messages_do_not_take_more_than_the_arena_has(void **state)
{
    (void)state;
    vs_arena a;
    vs_arena_init(&a, 8 << 20);
    VS_CLEANUP(vs_buf_free) vs_buf in = VS_BUF(4 << 20);
    for (int i = 0; i < 1 << 20; i++)
        vs_buf_put(&in, VS_LIT("\x0a\x00"));
    Attestation__AttestationRequest *r = NULL;
    assert_vs_code(UNPACK(&a, attestation__attestation_request, vs_buf_span(&in), &r), VS_E_NOMEM);
    vs_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attestation_request_has_the_numbers_of_the_table),
        cmocka_unit_test(every_truncation_and_flip_is_survived),
        cmocka_unit_test(presence_of_a_reference_value_is_seen),
        cmocka_unit_test(texts_that_are_not_utf8_are_refused),
        cmocka_unit_test(many_small_messages_do_not_take_more_than_the_arena_has),
    };
    return cmocka_run_group_tests_name("pb", tests, NULL, NULL);
}
