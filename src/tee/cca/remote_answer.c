/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/cca/remote_answer.h"

#include <stdio.h>

#include "base/enc.h"
#include "envelope/jose.h"

enum { LEEWAY_S = 60, QUOTED = 80 };

static const vs_json_opts limits = {.depth = 32, .nodes = 65536};

static vs_code parse_object(vs_arena *a, vs_span text, vs_val *out, vs_error *err)
{
    VS_TRY(vs_json_parse(a, text, &limits, out, err));
    return out->kind == VS_OBJECT ? VS_OK : vs_fail(err, VS_E_INVALID, "is no JSON object");
}

/* ---- URLs ------------------------------------------------------------------------------------ */

/* unreserved, sub-delims, ':', '@', '/', '?', '%' */
static bool is_url_char(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
           (c != 0 && strchr("-._~!$&'()*+,;=:@/?%", c));
}

static bool plain_segments(vs_span path)
{
    vs_span rest = vs_span_cut(path, '?', &(vs_span){0}, NULL);
    for (bool more = true; more;) {
        vs_span segment = vs_span_cut(rest, '/', &rest, &more);
        if (vs_span_is(segment, ".") || vs_span_is(segment, ".."))
            return false;
    }
    return true;
}

bool cca_url_path_ok(vs_span path)
{
    bool ok = path.n > 0 && path.n < CCA_URL_MAX && *path.p == '/';
    for (size_t i = 0; ok && i < path.n; i++)
        ok = is_url_char(path.p[i]);
    return ok && plain_segments(path);
}

/* "https://host:port" of a URL. */
static vs_span origin_of(vs_span url)
{
    size_t slashes = 0, n = 0;
    while (n < url.n && (slashes += url.p[n] == '/') < 3)
        n++;
    return vs_span_head(url, n);
}

/* Up to and with the last '/'. */
static vs_span directory_of(vs_span url)
{
    size_t n = url.n;
    while (n > 0 && url.p[n - 1] != '/')
        n--;
    return vs_span_head(url, n);
}

vs_code cca_location(vs_span request, vs_span location, char out[CCA_URL_MAX], vs_error *err)
{
    vs_span origin = origin_of(request), base = {0};
    vs_span rest = location;
    bool has_scheme = memmem(location.p ? location.p : (const uint8_t *)"", location.n, "://", 3);
    if (location.n && *location.p == '/')
        base = origin;
    else if (!has_scheme)
        base = directory_of(request);
    else if (vs_span_starts(location, origin))
        rest = vs_span_from(location, origin.n), base = origin;
    int n = snprintf(out, CCA_URL_MAX, "%.*s%.*s", VS_FMT(base), VS_FMT(rest));
    bool fits = n > 0 && n < CCA_URL_MAX && vs_span_starts(rest, VS_LIT("//")) == false;
    if (!location.n || !base.n || !fits || !vs_span_starts(vs_str(out), origin) ||
        !cca_url_path_ok(vs_span_from(vs_str(out), origin.n)))
        return vs_fail(err, VS_E_INVALID,
                       "Location \"%.*s\" is no place of a session on the same server",
                       VS_FMT(vs_span_head(location, QUOTED)));
    return VS_OK;
}

/* ---- discovery (5.1) ------------------------------------------------------------------------- */

static vs_code read_key(vs_val jwk, vs_key **out, vs_error *err)
{
    vs_val alg;
    VS_TRY(vs_may(jwk, "alg", VS_STRING, &alg, err));
    if (vs_defined(alg) && !vs_span_is(vs_text(alg), "ES256"))
        return vs_fail(err, VS_E_UNSUPPORTED, "it is for %.*s, not for ES256",
                       VS_FMT(vs_span_head(vs_text(alg), 20)));
    VS_TRY(vs_key_from_jwk(jwk, false, true, out, NULL, err));
    if (vs_key_kind(*out) == VS_KEY_P256)
        return VS_OK;
    vs_key_free(out);
    return vs_fail(err, VS_E_UNSUPPORTED, "it is not on P-256, as ES256 wants");
}

static vs_code discovery_of(vs_val v, cca_discovery *out, vs_error *err)
{
    vs_val endpoints, path, jwk;
    VS_TRY(vs_need(v, "api-endpoints", VS_OBJECT, &endpoints, err));
    VS_TRY_WRAP(vs_need(endpoints, "newChallengeResponseSession", VS_STRING, &path, err), err,
                "\"api-endpoints\"");
    if (!cca_url_path_ok(vs_text(path)))
        return vs_fail(err, VS_E_INVALID,
                       "\"newChallengeResponseSession\" is \"%.*s\", which is no path",
                       VS_FMT(vs_span_head(vs_text(path), QUOTED)));
    VS_TRY(vs_need(v, "ear-verification-key", VS_OBJECT, &jwk, err));
    VS_TRY_WRAP(read_key(jwk, &out->key, err), err, "\"ear-verification-key\"");
    out->new_session = vs_text(path);
    return VS_OK;
}

vs_code cca_discovery_read(vs_arena *a, vs_span text, cca_discovery *out, vs_error *err)
{
    vs_val v;
    *out = (cca_discovery){0};
    vs_code code = parse_object(a, text, &v, err);
    if (code == VS_OK)
        code = discovery_of(v, out, err);
    if (code != VS_OK)
        (void)vs_wrap(err, "discovery document");
    return code;
}

/* ---- sessions (5.2) -------------------------------------------------------------------------- */

static vs_code check_session_nonce(vs_arena *a, vs_val v, vs_span want, vs_error *err)
{
    vs_val text;
    vs_span nonce;
    VS_TRY(vs_need(v, "nonce", VS_STRING, &text, err));
    VS_TRY_WRAP(vs_b64_decode_arena(a, VS_B64_ANY, vs_text(text), &nonce, err), err, "\"nonce\"");
    if (!vs_ct_eq(nonce, want))
        return vs_fail(err, VS_E_MISMATCH, "its nonce is not the one that was asked for");
    return VS_OK;
}

static vs_code session_of(vs_arena *a, vs_val v, vs_span nonce, cca_session *out, vs_error *err)
{
    vs_val status, result;
    VS_TRY(check_session_nonce(a, v, nonce, err));
    VS_TRY(vs_need(v, "status", VS_STRING, &status, err));
    if (vs_span_is(vs_text(status), "failed"))
        return vs_fail(err, VS_E_DENIED, "it has failed");
    out->complete = vs_span_is(vs_text(status), "complete");
    if (!out->complete && !vs_span_is(vs_text(status), "waiting") &&
        !vs_span_is(vs_text(status), "processing"))
        return vs_fail(err, VS_E_INVALID, "its status is \"%.*s\"",
                       VS_FMT(vs_span_head(vs_text(status), 40)));
    if (!out->complete)
        return VS_OK;
    VS_TRY(vs_need(v, "result", VS_STRING, &result, err));
    out->result = vs_text(result);
    return VS_OK;
}

vs_code cca_session_read(vs_arena *a, vs_span text, vs_span nonce, cca_session *out, vs_error *err)
{
    vs_val v;
    *out = (cca_session){0};
    vs_code code = parse_object(a, text, &v, err);
    if (code == VS_OK)
        code = session_of(a, v, nonce, out, err);
    if (code == VS_OK)
        return VS_OK;
    *out = (cca_session){0};
    (void)vs_wrap(err, "session");
    return code;
}

/* ---- problem details ------------------------------------------------------------------------- */

static size_t put_printable(char *out, size_t room, size_t at, vs_span text)
{
    for (size_t i = 0; i < text.n && at + 1 < room; i++)
        out[at++] = text.p[i] >= 0x20 && text.p[i] < 0x7f ? (char)text.p[i] : '?';
    out[at] = 0;
    return at;
}

void cca_problem(vs_span text, char out[CCA_PROBLEM_TEXT])
{
    VS_CLEANUP(vs_arena_free) vs_arena a;
    vs_arena_init(&a, 1024 * 1024);
    vs_val v;
    out[0] = 0;
    if (parse_object(&a, text, &v, NULL) != VS_OK)
        return;
    vs_span title = vs_text(vs_getc(v, "title")), detail = vs_text(vs_getc(v, "detail"));
    size_t at = put_printable(out, CCA_PROBLEM_TEXT, 0, title);
    if (title.n && detail.n)
        at = put_printable(out, CCA_PROBLEM_TEXT, at, VS_LIT(": "));
    (void)put_printable(out, CCA_PROBLEM_TEXT, at, detail);
}

/* ---- the EAR (4.4, 5.4) ---------------------------------------------------------------------- */

vs_code cca_ear_verify(vs_arena *a, vs_span jwt, const vs_key *key, vs_val *claims, vs_error *err)
{
    vs_jws jws;
    VS_TRY_WRAP(vs_jws_parse(a, jwt, &jws, err), err, "EAR");
    if (jws.alg != VS_ES256)
        return vs_fail(err, VS_E_INVALID, "EAR: it is signed with %s, not with ES256",
                       vs_alg_name(jws.alg));
    VS_TRY_WRAP(vs_jws_verify(&jws, key, VS_ES256, err), err, "EAR");
    VS_TRY_WRAP(parse_object(a, jws.payload, claims, err), err, "EAR: the payload");
    return VS_OK;
}

static vs_code check_nonce(vs_val claims, vs_span want, vs_error *err)
{
    vs_val text;
    VS_CLEANUP(vs_buf_free) vs_buf nonce = VS_BUF(CCA_CHALLENGE);
    VS_TRY(vs_need(claims, "eat_nonce", VS_STRING, &text, err));
    VS_TRY_WRAP(vs_b64_decode(&nonce, VS_B64_URL_ANYPAD, vs_text(text), err), err, "\"eat_nonce\"");
    if (!vs_ct_eq(vs_buf_span(&nonce), want))
        return vs_fail(err, VS_E_MISMATCH, "\"eat_nonce\" is not the nonce of this session");
    return VS_OK;
}

/* Its trust vector; nothing is set when it has none. */
static vs_code vector_of(vs_val submod, ear_vector *out, vs_error *err)
{
    vs_val vector = vs_getc(submod, "ear.trustworthiness-vector");
    *out = (ear_vector){0};
    if (!vs_defined(vector) || vector.kind == VS_NULL || vs_eq(vector, vs_empty(VS_OBJECT)))
        return VS_OK;
    VS_TRY_WRAP(ear_vector_read(vector, EAR_INTEGERS_OR_NAMES, out, err), err,
                "\"ear.trustworthiness-vector\"");
    return VS_OK;
}

/* `stated` is the submod's status. The worse of it and what the claims add up to counts; "none"
 * stays that. */
static vs_code check_status(ear_tier stated, const ear_vector *v, ear_tier worst, vs_error *err)
{
    ear_tier sum = ear_vector_status(v), tier = sum > stated && stated ? sum : stated;
    if (worst == EAR_CONTRAINDICATED || (tier != EAR_NONE && tier <= worst))
        return VS_OK;
    return vs_fail(err, VS_E_UNTRUSTED, "the verifier's status is \"%s\"; accepted is %s",
                   ear_tier_name(tier),
                   worst == EAR_AFFIRMING ? "\"affirming\"" : "\"affirming\" or \"warning\"");
}

/* The vector that the policy gets must not be better than the status: what the claims do not say,
 * those say that matter most. */
static void lower_to(ear_tier stated, ear_vector *v)
{
    static const int8_t codes[] = {
        [EAR_NONE] = 0, [EAR_AFFIRMING] = 2, [EAR_WARNING] = 32, [EAR_CONTRAINDICATED] = 96};
    ear_tier sum = ear_vector_status(v);
    if (stated != EAR_NONE && sum != EAR_NONE && sum >= stated)
        return;
    ear_set(v, EAR_HARDWARE, codes[stated]);
    ear_set(v, EAR_EXECUTABLES, codes[stated]);
}

static vs_code judge(vs_val submod, ear_tier worst, ear_vector *out, vs_error *err)
{
    ear_tier stated = EAR_NONE;
    if (!ear_tier_of_status(vs_getc(submod, "ear.status"), &stated) && worst != EAR_CONTRAINDICATED)
        return vs_fail(err, VS_E_INVALID, "\"ear.status\" is missing or not a tier");
    VS_TRY(vector_of(submod, out, err));
    VS_TRY(check_status(stated, out, worst, err));
    lower_to(stated, out);
    return VS_OK;
}

/* Every claim that we would tell of the token, as the verifier read it. */
static vs_code check_evidence(vs_val submod, vs_val want, vs_error *err)
{
    vs_val got;
    VS_TRY(vs_need(submod, "ear.veraison.annotated-evidence", VS_OBJECT, &got, err));
    for (VS_OBJ_FOR (claim, want)) {
        vs_val value = vs_get(got, vs_text(claim->key));
        if (!vs_defined(value))
            return vs_fail(err, VS_E_INVALID, "claim \"%.*s\" is missing",
                           VS_FMT(vs_text(claim->key)));
        if (!vs_eq(value, claim->val))
            return vs_fail(err, VS_E_MISMATCH,
                           "claim \"%.*s\" is not that of the token that was sent",
                           VS_FMT(vs_text(claim->key)));
    }
    return VS_OK;
}

/* When a token proves nothing, there is one submod of another name, with the reason. */
static vs_code missing(vs_val submods, const char *name, vs_error *err)
{
    char why[CCA_PROBLEM_TEXT] = "";
    vs_val claims = vs_getc(vs_getc(submods, "ARM_CCA"), "ear.veraison.policy-claims");
    (void)put_printable(why, sizeof why, 0, vs_text(vs_getc(claims, "problem")));
    return vs_fail(err, VS_E_UNTRUSTED, "there is no submod %s%s%s", name, why[0] ? ": " : "", why);
}

static vs_code check_submod(vs_val submods, const char *name, vs_val want, ear_tier worst,
                            ear_vector *vector, vs_error *err)
{
    vs_val submod = vs_getc(submods, name);
    if (submod.kind != VS_OBJECT)
        return missing(submods, name, err);
    vs_code code = judge(submod, worst, vector, err);
    if (code == VS_OK)
        code = check_evidence(submod, want, err);
    if (code != VS_OK)
        (void)vs_wrap(err, "submod %s", name);
    return code;
}

static vs_code check_ear(vs_val claims, const cca_ear_expect *e, cca_ear_findings *out,
                         vs_error *err)
{
    const vs_jwt_times times = {.now = e->now, .leeway = LEEWAY_S, .check_nbf = true};
    vs_val submods;
    VS_TRY(vs_jwt_check_times(claims, &times, err));
    VS_TRY(check_nonce(claims, e->nonce, err));
    VS_TRY(vs_need(claims, "submods", VS_OBJECT, &submods, err));
    VS_TRY(check_submod(submods, "CCA_SSD_PLATFORM", e->platform, e->worst, &out->platform, err));
    return check_submod(submods, "CCA_REALM", e->realm, e->worst, &out->realm, err);
}

vs_code cca_ear_check(vs_val claims, const cca_ear_expect *expect, cca_ear_findings *out,
                      vs_error *err)
{
    *out = (cca_ear_findings){0};
    VS_TRY_WRAP(check_ear(claims, expect, out, err), err, "EAR");
    return VS_OK;
}
