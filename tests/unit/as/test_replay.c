/* SPDX-License-Identifier: Apache-2.0 */
/* An evaluation's record evaluated again gives the same payload, bit for bit; or says why not. */
#include "as/as_fixture.h"

#include "as/policies.h"
#include "as/replay.h"

static const char runtime[] =
    "{\"nonce\":\"n\",\"tee-pubkey\":{\"kty\":\"EC\"},\"additional-evidence\":\"\"}";

static vs_code from_store(const void *user, vs_span id, vs_span sha256, vs_arena *a, vs_span *text,
                          vs_error *err)
{
    (void)id;
    return as_policy_by_digest(((const world *)user)->store, sha256, a, text, err);
}

static vs_code from_text(const void *user, vs_span id, vs_span sha256, vs_arena *a, vs_span *text,
                         vs_error *err)
{
    (void)id, (void)sha256, (void)a, (void)err;
    *text = vs_str(user);
    return VS_OK;
}

/* A record as it comes back from a file. */
static vs_val through_json(world *w, vs_val record)
{
    vs_error err = {0};
    vs_val v;
    vs_buf text = VS_BUF(1 << 20);
    vs_json_print(&text, record);
    vs_span copy = vs_dup(&w->a, vs_buf_span(&text));
    vs_buf_free(&text);
    assert_vs_ok(vs_json_parse(&w->a, copy, NULL, &v, &err), &err);
    return v;
}

static vs_val record_of(world *w, vs_span *payload)
{
    vs_error err = {0};
    as_result res;
    as_request r = sample_request(w, "sample", runtime);
    assert_vs_ok(evaluate(w, &r, 1, "default", &res, &err), &err);
    vs_jws jws;
    assert_vs_ok(vs_jws_parse(&w->a, res.token, &jws, &err), &err);
    *payload = jws.payload;
    return through_json(w, as_result_record(&res, &w->a));
}

static as_replayed replay(world *w, vs_val record)
{
    vs_error err = {0};
    as_replayed out;
    const as_replay_options opts = {.policy = from_store, .user = w};
    assert_vs_ok(as_replay(record, &opts, &w->a, &out, &err), &err);
    return out;
}

static void set_policy(world *w, const char *text)
{
    vs_error err = {0};
    assert_vs_ok(as_set_policy(w->as, VS_LIT("default_cpu"), vs_str(text), &err), &err);
}

/* Everything that is not the input: time, chance, reference values. */
#define CHANCE                                                                                     \
    "package policy\n"                                                                             \
    "trust_claims := {\"executables\": 3, \"hardware\": 97}\n"                                     \
    "extensions := [{\"name\": \"x\", \"key\": 1, \"value\": [time.now_ns(), "                     \
    "rand.intn(\"a\", 1000000000), query_reference_value(\"svn\"), "                               \
    "query_reference_value(\"none\"), 1e2, 0.1, 12345678901234567890123, uuid.rfc4122(\"k\")]}]\n"

static void the_payload_is_the_same_bit_for_bit(void **state)
{
    static const char *const policies[] = {NULL, CHANCE};
    world *w = *state;
    endorse(w, "{\"svn\":[\"1\"],\"launch_digest\":[\"abcde\"]}");
    for (size_t i = 0; i < VS_COUNT(policies); i++) {
        if (policies[i])
            set_policy(w, policies[i]);
        vs_span payload;
        vs_val record = record_of(w, &payload);
        as_replayed out = replay(w, record);
        assert_span_eq(out.payload, payload);
        assert_true(out.same);
        assert_span_is(vs_text(vs_getc(record, "status")), out.status);
        assert_true(vs_eq(vs_pointer(out.explanation, VS_LIT("/0/reasons")),
                          vs_pointer(record, VS_LIT("/submods/0/reasons"))));
    }
}

static void what_has_changed_since_does_not_matter(void **state)
{
    world *w = *state;
    vs_span payload;
    endorse(w, "{\"svn\":[\"1\"],\"launch_digest\":[\"abcde\"]}");
    vs_val record = record_of(w, &payload);
    endorse(w, "{\"svn\":[\"2\"],\"launch_digest\":[\"other\"]}");
    set_policy(w, CHANCE);
    as_replayed out = replay(w, record);
    assert_span_eq(out.payload, payload);
    assert_true(out.same);
}

static void another_policy_is_tried_on_what_was(void **state)
{
    world *w = *state;
    vs_error err = {0};
    vs_span payload;
    as_replayed out;
    vs_val record = record_of(w, &payload);
    as_replay_options opts = {.policy = from_text,
                              .user = "package policy\n"
                                      "trust_claims := {\"executables\": 3}\n"};
    assert_vs_ok(as_replay(record, &opts, &w->a, &out, &err), &err);
    assert_string_equal(out.status, "affirming");
    assert_false(out.same);

    /* It asks for what was not recorded: an error, or a question to who knows. */
    opts.user = "package policy\n"
                "trust_claims := {\"executables\": 3} if 7 in query_reference_value(\"new\")\n"
                "else := {\"executables\": 33}\n";
    assert_vs_code(as_replay(record, &opts, &w->a, &out, &err),
                   VS_E_IO); /* as a failed host function */
    opts.other_values = w->rv;
    assert_vs_ok(as_replay(record, &opts, &w->a, &out, &err), &err);
    assert_string_equal(out.status, "warning");
    endorse(w, "{\"new\":[7]}");
    assert_vs_ok(as_replay(record, &opts, &w->a, &out, &err), &err);
    assert_string_equal(out.status, "affirming");

    opts.user = "package policy\ntrust_claims := {";
    assert_vs_code(as_replay(record, &opts, &w->a, &out, &err), VS_E_PARSE);
}

static void a_changed_record_is_found_out(void **state)
{
    world *w = *state;
    vs_span payload;
    vs_val record = record_of(w, &payload);
    vs_val later = vs_with(&w->a, record, vs_cstring("time"), vs_int(NOW + 1));
    assert_false(replay(w, later).same);
    vs_val token = vs_with(&w->a, vs_getc(record, "token"), vs_cstring("issuer_name"),
                           vs_cstring("somebody else"));
    assert_false(replay(w, vs_with(&w->a, record, vs_cstring("token"), token)).same);
}

static void what_is_no_record_is_refused(void **state)
{
    world *w = *state;
    vs_span payload;
    as_replayed out;
    vs_val record = record_of(w, &payload);
    const as_replay_options opts = {.policy = from_store, .user = w};
    static const char *const needed[] = {"version", "time",     "expires", "policy_id",
                                         "token",   "complete", "submods", "payload_sha256"};
    for (size_t i = 0; i < VS_COUNT(needed); i++) {
        vs_val without = vs_with(&w->a, record, vs_cstring(needed[i]), vs_undefined());
        assert_vs_code(as_replay(without, &opts, &w->a, &out, NULL), VS_E_INVALID);
        vs_val wrong = vs_with(&w->a, record, vs_cstring(needed[i]), vs_empty(VS_ARRAY));
        assert_vs_code(as_replay(wrong, &opts, &w->a, &out, NULL), VS_E_INVALID);
    }
    vs_val submod = vs_pointer(record, VS_LIT("/submods/0"));
    static const char *const members[] = {"submod", "class", "policy",          "policy_sha256",
                                          "seed",   "input", "reference_values"};
    for (size_t i = 0; i < VS_COUNT(members); i++) {
        vs_vec one = {.a = &w->a};
        vs_vec_add(&one, vs_with(&w->a, submod, vs_cstring(members[i]), vs_int(1)));
        vs_val bad = vs_with(&w->a, record, vs_cstring("submods"), vs_vec_end_array(&one));
        assert_vs_code(as_replay(bad, &opts, &w->a, &out, NULL), VS_E_INVALID);
    }
    assert_vs_code(as_replay(vs_null(), &opts, &w->a, &out, NULL), VS_E_INVALID);
}

static void a_policys_text_is_found_by_its_digest_only(void **state)
{
    world *w = *state;
    vs_error err = {0};
    vs_span payload, text;
    vs_val record = record_of(w, &payload);
    vs_span sha = vs_text(vs_pointer(record, VS_LIT("/submods/0/policy_sha256")));
    assert_vs_ok(as_policy_by_digest(w->store, sha, &w->a, &text, &err), &err);
    assert_span_eq(text, vs_policy_text("default_cpu"));
    assert_vs_ok(vs_store_put(w->store, "policy_text", sha, VS_LIT("package policy"), 0,
                              VS_PUT_REPLACE, &err),
                 &err);
    assert_vs_code(as_policy_by_digest(w->store, sha, &w->a, &text, NULL), VS_E_MISMATCH);
    assert_vs_code(as_policy_by_digest(w->store, VS_LIT("../x"), &w->a, &text, NULL), VS_E_INVALID);
}

static void too_many_reference_values_make_a_record_incomplete(void **state)
{
    world *w = *state;
    vs_span payload;
    as_replayed out;
    set_policy(w,
               "package policy\n"
               "trust_claims := {\"executables\": 3}\n"
               "extensions := [{\"name\": \"x\", \"key\": 1, \"value\": count([1 | some i in "
               "numbers.range(1, 300); query_reference_value(sprintf(\"v%d\", [i])) == null])}]\n");
    vs_val record = record_of(w, &payload);
    assert_false(vs_is_true(vs_getc(record, "complete")));
    const as_replay_options opts = {.policy = from_store, .user = w};
    assert_vs_code(as_replay(record, &opts, &w->a, &out, NULL), VS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
        T(the_payload_is_the_same_bit_for_bit),
        T(what_has_changed_since_does_not_matter),
        T(another_policy_is_tried_on_what_was),
        T(a_changed_record_is_found_out),
        T(what_is_no_record_is_refused),
        T(a_policys_text_is_found_by_its_digest_only),
        T(too_many_reference_values_make_a_record_incomplete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
