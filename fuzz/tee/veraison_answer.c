/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile Veraison service may say; the first byte tells which of its answers it is. An EAR
 * is read as if its signature were good, and never accepted: the nonce that is wanted is random. */
#include <stdlib.h>

#include "base/enc.h"
#include "base/io.h"
#include "envelope/jose.h"
#include "tee/cca/remote_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t nonce[CCA_CHALLENGE];

static void discovery(vs_arena *a, vs_span in, vs_error *err)
{
    cca_discovery d;
    if (cca_discovery_read(a, in, &d, err) != VS_OK) {
        if (d.key || !vs_error_at(err, 0))
            abort();
        return;
    }
    if (vs_key_kind(d.key) != VS_KEY_P256 || vs_key_is_private(d.key) ||
        !cca_url_path_ok(d.new_session))
        abort();
    vs_key_free(&d.key);
}

static void session(vs_arena *a, vs_span in, vs_error *err)
{
    cca_session s;
    vs_code code = cca_session_read(a, in, vs_span_of("0123456789abcdef", 16), &s, err);
    if (code != VS_OK && (s.complete || s.result.n || !vs_error_at(err, 0)))
        abort();
}

static void location(vs_span in, vs_error *err)
{
    static const char origin[] = "https://verifier.example:8443/";
    char url[CCA_URL_MAX];
    if (cca_location(vs_str("https://verifier.example:8443/v/newSession"), in, url, err) == VS_OK &&
        strncmp(url, origin, sizeof origin - 1) != 0)
        abort();
}

static void problem(vs_span in)
{
    char text[CCA_PROBLEM_TEXT];
    cca_problem(in, text);
    for (const char *p = text; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            abort();
}

static void ear(vs_arena *a, vs_span in, vs_error *err)
{
    vs_val claims, want;
    const cca_ear_expect e = {.nonce = vs_span_of(nonce, sizeof nonce),
                              .platform = vs_empty(VS_OBJECT),
                              .realm = vs_empty(VS_OBJECT),
                              .worst = EAR_WARNING};
    cca_ear_findings found;
    if (vs_json_parse(a, in, NULL, &claims, err) != VS_OK)
        return;
    if (cca_ear_check(claims, &e, &found, err) == VS_OK)
        abort();
    vs_obj with = {.a = a}; /* again, with the nonce that is wanted */
    vs_obj_put(&with, "eat_nonce",
               vs_string(vs_b64_encode_arena(a, VS_B64_URL, vs_span_of(nonce, sizeof nonce))));
    for (VS_OBJ_FOR (m, claims.kind == VS_OBJECT ? claims : vs_empty(VS_OBJECT)))
        if (!vs_span_is(vs_text(m->key), "eat_nonce"))
            vs_obj_add(&with, m->key, m->val);
    want = vs_obj_end(&with, VS_DUP_LAST, NULL);
    if (vs_defined(want) && cca_ear_check(want, &e, &found, err) == VS_OK &&
        vs_getc(vs_getc(want, "submods"), "CCA_REALM").kind != VS_OBJECT)
        abort();
}

static void jwt(vs_arena *a, vs_span in, vs_error *err)
{
    static vs_key *key;
    vs_val claims;
    if (!key && vs_key_generate(VS_KEY_P256, &key, NULL) != VS_OK)
        abort();
    if (cca_ear_verify(a, in, key, &claims, err) == VS_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vs_error err = {0};
    vs_arena a;
    if (!size)
        return 0;
    vs_random(nonce, sizeof nonce);
    vs_arena_init(&a, 8 << 20);
    vs_span in = vs_span_of(data + 1, size - 1);
    switch (data[0]) {
    case 'd': discovery(&a, in, &err); break;
    case 's': session(&a, in, &err); break;
    case 'l': location(in, &err); break;
    case 'p': problem(in); break;
    case 'e': ear(&a, in, &err); break;
    default: jwt(&a, in, &err);
    }
    vs_arena_free(&a);
    return 0;
}
