/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of every served protocol version, side by side: the messages as those clients write them
 * (member for member as the kbs-types release of that version serialises them), the answers as they
 * read them.
 */
#include "kbs/broker.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "as/policies.h"
#include "transcripts.h"

/* ---- a client of one version ------------------------------------------------------------------
 */

typedef struct client {
    const transcript *t;
    vs_key *key;
    vs_val jwk;
    challenge c;
} client;

static void client_close(client *k)
{
    vs_key_free(&k->key);
}

static client begin(broker *b, const transcript *t)
{
    vs_error err = {0};
    client k = {.t = t};
    assert_vs_ok(vs_key_generate(t->key, &k.key, &err), &err);
    assert_vs_ok(vs_key_to_jwk(&b->w.a, k.key, t->alg, &k.jwk, &err), &err);
    answer r = tell(b, (ask){KBS_POST, "auth", .body = vs_str(t->request)});
    assert_granted(r);
    vs_val v = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
    k.c = (challenge){r.session, vs_text(vs_getc(v, "nonce")), r.session_expires};
    /* Clients up to 0.1.1 parse extra-params as a string. */
    assert_span_is(r.body, vs_sprintf(&b->w.a, "{\"nonce\":\"%.*s\",\"extra-params\":\"\"}",
                                      VS_FMT(k.c.nonce)));
    return k;
}

static vs_span fill(broker *b, const char *form, const client *k, vs_span report)
{
    return transcript_fill(&b->w.a, form, k->c.nonce, k->jwk, report);
}

static vs_span attestation_of(broker *b, const client *k, const char *form, const char *additional)
{
    vs_span bound = report_data(b, runtime_data(b, k->c.nonce, k->jwk, additional));
    return fill(b, form, k, vs_b64_encode_arena(&b->w.a, VS_B64_STD, bound));
}

static answer send_own(broker *b, const client *k)
{
    return send_evidence(b, k->c.session,
                         attestation_of(b, k, k->t->attestation, k->t->additional));
}

/* ---- what the client makes of the secret --------------------------------------------------------
 */

static size_t rsa15_decrypt(const vs_key *key, vs_span ct, uint8_t out[512])
{
    vs_error err = {0};
    vs_buf pem = VS_BUF(1 << 14);
    assert_vs_ok(vs_key_to_pem(&pem, key, true, &err), &err);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    size_t n = 512;
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 1);
    assert_int_equal(EVP_PKEY_decrypt(ctx, out, &n, ct.p, ct.n), 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    vs_buf_free(&pem);
    return n;
}

static vs_span member(broker *b, vs_val jwe, const char *name)
{
    vs_error err = {0};
    vs_span out;
    assert_vs_ok(vs_b64_decode_arena(&b->w.a, VS_B64_URL, vs_text(vs_getc(jwe, name)), &out, &err),
                 &err);
    return out;
}

/* As a client of 0.1.1 does it: the header is read as JSON text, the tag stands behind the
 * ciphertext, there is no additional data. */
static void assert_secret_0_1(broker *b, const client *k, answer r, const char *want)
{
    vs_error err = {0};
    assert_granted(r);
    vs_val jwe = json(&b->w, vs_sprintf(&b->w.a, "%.*s", VS_FMT(r.body)));
    assert_int_equal(jwe.len, 5);
    assert_span_is(vs_text(vs_getc(jwe, "protected")), "{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"}");
    assert_span_is(vs_text(vs_getc(jwe, "tag")), "");
    uint8_t cek[512];
    assert_int_equal(rsa15_decrypt(k->key, member(b, jwe, "encrypted_key"), cek), 32);
    vs_span iv = member(b, jwe, "iv");
    assert_int_equal(iv.n, 12);
    vs_buf plain = VS_BUF(1 << 16);
    assert_vs_ok(vs_gcm_open(cek, iv.p, VS_LIT(""), member(b, jwe, "ciphertext"), &plain, &err),
                 &err);
    assert_span_is(vs_buf_span(&plain), want);
    vs_buf_free(&plain);
}

static void assert_client_reads(broker *b, const client *k, answer r, const char *want)
{
    if (strcmp(k->t->version, "0.1.1") == 0) {
        assert_secret_0_1(b, k, r, want);
        return;
    }
    vs_key *own = b->tee_key;
    b->tee_key = k->key;
    assert_secret(b, r, want);
    b->tee_key = own;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void clients_of_every_version_get_their_secret(void **state)
{
    broker *b = *state;
    put_resource(b, DEMO, "the secret");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    client k[VS_COUNT(transcripts)];
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) /* all at once: side by side */
        k[i] = begin(b, &transcripts[i]);
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) {
        vs_span token = token_in(b, send_own(b, &k[i]));
        assert_client_reads(b, &k[i], tell(b, (ask){KBS_GET, DEMO, .session = k[i].c.session}),
                            "the secret");
        assert_client_reads(b, &k[i], tell(b, (ask){KBS_GET, DEMO, .bearer = token}), "the secret");
        client_close(&k[i]);
    }
}

static void a_session_takes_no_message_of_another_version(void **state)
{
    broker *b = *state;
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) {
        for (size_t other = 0; other < VS_COUNT(transcripts); other++) {
            client k = begin(b, &transcripts[i]);
            const transcript *o = &transcripts[other];
            vs_span body = attestation_of(b, &k, o->attestation, o->additional);
            bool same = o->attestation == transcripts[i].attestation; /* 0.1.1 and 0.2.0 */
            if (!same)
                assert_refused(send_evidence(b, k.c.session, body), "AttestationError",
                               ATTEST_FAILED);
            else
                assert_granted(send_evidence(b, k.c.session, body));
            client_close(&k);
        }
    }
}

static void evidence_bound_to_anothers_runtime_data_is_refused(void **state)
{
    broker *b = *state;
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) {
        const transcript *t = &transcripts[i];
        client k = begin(b, t), second = begin(b, t);
        const char *other = t->additional ? NULL : "";
        assert_refused(send_evidence(b, k.c.session, attestation_of(b, &k, t->attestation, other)),
                       "AttestationError", ATTEST_FAILED);
        /* Bound to the nonce of another session: an older client does not even send it. */
        assert_refused(send_evidence(b, second.c.session,
                                     attestation_of(b, &k, t->attestation, t->additional)),
                       "AttestationError", ATTEST_FAILED);
        client_close(&k);
        client_close(&second);
    }
}

static void only_0_1_1_gets_the_old_form(void **state)
{
    broker *b = *state;
    put_resource(b, DEMO, "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) {
        transcript t = transcripts[i];
        bool old = strcmp(t.version, "0.1.1") == 0;
        t.key = old ? VS_KEY_P256 : VS_KEY_RSA; /* the other's kind of key */
        t.alg = old ? "ECDH-ES+A256KW" : "RSA1_5";
        client k = begin(b, &t);
        (void)token_in(b, send_own(b, &k));
        assert_refused(tell(b, (ask){KBS_GET, DEMO, .session = k.c.session}), "JweError",
                       "JWE failed");
        client_close(&k);
    }
}

/* A token outlives the session that it was made in, and may be that of another broker. */
static void the_old_form_ends_with_the_version_that_has_it(void **state)
{
    broker *b = *state;
    put_resource(b, DEMO, "s");
    set_resource_policy(b, vs_policy_text("kbs_allow_all"));
    client k = begin(b, &transcripts[0]);
    vs_span token = token_in(b, send_own(b, &k));
    assert_client_reads(b, &k, tell(b, (ask){KBS_GET, DEMO, .bearer = token}), "s");
    b->cfg.as.oldest_protocol = KBS_PROTOCOL_0_2_0;
    assert_refused(tell(b, (ask){KBS_GET, DEMO, .bearer = token}), "JweError", "JWE failed");
    assert_refused(tell(b, (ask){KBS_GET, DEMO, .session = k.c.session}), "JweError", "JWE failed");
    client_close(&k);
}

static void the_oldest_version_can_be_raised(void **state)
{
    broker *b = *state;
    b->cfg.as.oldest_protocol = KBS_PROTOCOL_0_3_0;
    for (size_t i = 0; i < VS_COUNT(transcripts); i++) {
        answer r = tell(b, (ask){KBS_POST, "auth", .body = vs_str(transcripts[i].request)});
        if (i >= KBS_PROTOCOL_0_3_0)
            assert_granted(r);
        else
            assert_refused(r, "AttestationError",
                           vs_sprintf(&b->w.a,
                                      AUTH_FAILED("KBS Client Protocol Version Mismatch: expect "
                                                  "=0.3.0, =0.4.0 while the request is %s"),
                                      transcripts[i].version));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, broker_setup, broker_teardown)
        T(clients_of_every_version_get_their_secret),
        T(a_session_takes_no_message_of_another_version),
        T(evidence_bound_to_anothers_runtime_data_is_refused),
        T(only_0_1_1_gets_the_old_form),
        T(the_old_form_ends_with_the_version_that_has_it),
        T(the_oldest_version_can_be_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
