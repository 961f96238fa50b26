/* SPDX-License-Identifier: Apache-2.0 */
#include "client/messages.h"

#include "base/enc.h"
#include "value/json.h"

enum { NONCE_MAX = 64 * 1024, TOKEN_MAX = 1024 * 1024 };

/* A peer's document: moderate depth, no duplicate members. */
static vs_code parse(vs_arena *a, vs_span json, const char *what, vs_val *out, vs_error *err)
{
    const vs_json_opts opts = {.depth = 32, .nodes = 100000};
    VS_TRY_WRAP(vs_json_parse(a, json, &opts, out, err), err, "the server's %s is not JSON", what);
    if (out->kind != VS_OBJECT)
        return vs_fail(err, VS_E_INVALID, "the server's %s is not a JSON object but %s", what,
                       vs_kind_name((vs_kind)out->kind));
    return VS_OK;
}

static const char *const versions[] = {
    [KBSC_0_1_1] = "0.1.1", [KBSC_0_2_0] = "0.2.0", [KBSC_0_3_0] = "0.3.0", [KBSC_0_4_0] = "0.4.0"};

const char *kbsc_version_name(kbsc_version v)
{
    return v >= KBSC_0_1_1 && v <= KBSC_NEWEST ? versions[v] : "";
}

bool kbsc_version_of(vs_span name, kbsc_version *out)
{
    for (kbsc_version v = KBSC_0_1_1; v <= KBSC_NEWEST; v++) {
        if (vs_span_is(name, versions[v])) {
            *out = v;
            return true;
        }
    }
    return false;
}

void kbsc_write_request(vs_buf *out, kbsc_version v, const char *tee, bool plain)
{
    static const char *const hashes[] = {"sha256", "sha384", "sha512", "sm3"};
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    vs_jw_key(&w, "version");
    vs_jw_str(&w, kbsc_version_name(v));
    vs_jw_key(&w, "tee");
    vs_jw_str(&w, tee);
    vs_jw_key(&w, "extra-params");
    if (plain || v < KBSC_0_4_0) {
        vs_jw_str(&w, "");
    } else {
        vs_jw_open(&w, '{');
        vs_jw_key(&w, "supported-hash-algorithms");
        vs_jw_open(&w, '[');
        for (size_t i = 0; i < VS_COUNT(hashes); i++)
            vs_jw_str(&w, hashes[i]);
        vs_jw_close(&w, ']');
        vs_jw_close(&w, '}');
    }
    vs_jw_close(&w, '}');
}

static vs_code read_hash(vs_val extra, vs_hash *out, vs_error *err)
{
    *out = VS_SHA384;
    vs_val name = vs_getc(extra, "selected-hash-algorithm");
    if (!vs_defined(name))
        return VS_OK;
    *out = name.kind == VS_STRING ? vs_hash_of_name(vs_text(name)) : VS_HASH_NONE;
    if (*out == VS_HASH_NONE)
        return vs_fail(err, VS_E_UNSUPPORTED,
                       "the server's challenge selects a hash algorithm that is none of sha256, "
                       "sha384, sha512, sm3");
    return VS_OK;
}

vs_code kbsc_read_challenge(vs_arena *a, vs_span json, kbsc_challenge *out, vs_error *err)
{
    vs_val doc, nonce;
    VS_TRY(parse(a, json, "challenge", &doc, err));
    VS_TRY_WRAP(vs_need(doc, "nonce", VS_STRING, &nonce, err), err, "the server's challenge");
    out->nonce = vs_text(nonce);
    if (out->nonce.n == 0 || out->nonce.n > NONCE_MAX)
        return vs_fail(err, VS_E_INVALID, "the server's challenge has a nonce of %zu bytes",
                       out->nonce.n);
    vs_val extra = vs_getc(doc, "extra-params");
    if (!vs_defined(extra))
        return vs_fail(err, VS_E_INVALID, "the server's challenge has no \"extra-params\"");
    return read_hash(extra, &out->hash, err);
}

vs_code kbsc_report_data(vs_arena *a, kbsc_version v, const kbsc_challenge *challenge,
                         vs_val tee_pubkey, uint8_t out[VS_HASH_MAX], vs_error *err)
{
    vs_obj data = {.a = a};
    if (v >= KBSC_0_3_0)
        vs_obj_put(&data, "additional-evidence", vs_cstring(""));
    vs_obj_put(&data, "nonce", vs_string(challenge->nonce));
    vs_obj_put(&data, "tee-pubkey", tee_pubkey);
    VS_CLEANUP(vs_buf_free) vs_buf canonical = VS_BUF(2 * NONCE_MAX + 64 * 1024);
    vs_val doc = vs_obj_end(&data, VS_DUP_REFUSE, NULL);
    VS_TRY(vs_arena_check(a, err));
    VS_TRY(vs_json_canonical(&canonical, doc, err));
    VS_TRY(vs_buf_check(&canonical, err));
    return vs_digest(challenge->hash, vs_buf_span(&canonical), (vs_span){0}, (vs_span){0}, out,
                     err);
}

static void write_init_data(vs_jw *w, vs_span init_data)
{
    vs_jw_key(w, "init-data");
    if (!init_data.p) {
        vs_jw_val(w, vs_null());
        return;
    }
    vs_jw_open(w, '{');
    vs_jw_key(w, "format");
    vs_jw_str(w, "toml");
    vs_jw_key(w, "body");
    vs_jw_span(w, init_data);
    vs_jw_close(w, '}');
}

static void write_evidence(vs_jw *w, kbsc_version v, vs_span evidence)
{
    vs_jw_key(w, "tee-evidence");
    if (v < KBSC_0_3_0) {
        vs_buf_put(w->out, evidence);
        w->comma = true;
        return;
    }
    vs_jw_open(w, '{');
    vs_jw_key(w, "primary_evidence");
    vs_buf_put(w->out, evidence);
    w->comma = true;
    vs_jw_key(w, "additional_evidence");
    vs_jw_str(w, "");
    vs_jw_close(w, '}');
}

void kbsc_write_attestation(vs_buf *out, kbsc_version v, const kbsc_challenge *challenge,
                            const kbsc_proof *proof)
{
    vs_jw w = {.out = out};
    vs_jw_open(&w, '{');
    if (v < KBSC_0_4_0) {
        vs_jw_key(&w, "tee-pubkey");
        vs_jw_val(&w, proof->tee_pubkey);
    } else {
        write_init_data(&w, proof->init_data);
        vs_jw_key(&w, "runtime-data");
        vs_jw_open(&w, '{');
        vs_jw_key(&w, "nonce");
        vs_jw_span(&w, challenge->nonce);
        vs_jw_key(&w, "tee-pubkey");
        vs_jw_val(&w, proof->tee_pubkey);
        vs_jw_close(&w, '}');
    }
    write_evidence(&w, v, proof->evidence);
    vs_jw_close(&w, '}');
}

static vs_code check_token(vs_arena *a, vs_span token, vs_error *err)
{
    vs_span parts[3], rest = token, payload;
    for (size_t i = 0; i < VS_COUNT(parts); i++)
        parts[i] = vs_span_cut(rest, '.', &rest, NULL);
    vs_val claims;
    if (token.n > TOKEN_MAX || rest.n || !parts[0].n || !parts[2].n)
        return vs_fail(err, VS_E_INVALID, "not a compact JWS");
    for (size_t i = 0; i < VS_COUNT(parts); i += 2) {
        vs_span ignored;
        VS_TRY(vs_b64_decode_arena(a, VS_B64_URL, parts[i], &ignored, err));
    }
    VS_TRY(vs_b64_decode_arena(a, VS_B64_URL, parts[1], &payload, err));
    VS_TRY(vs_json_parse(a, payload, NULL, &claims, err));
    return claims.kind == VS_OBJECT
               ? VS_OK
               : vs_fail(err, VS_E_INVALID, "its payload is not a JSON object");
}

vs_code kbsc_read_token(vs_arena *a, vs_span json, vs_span *token, vs_error *err)
{
    vs_val doc, text;
    VS_TRY(parse(a, json, "answer to the attestation", &doc, err));
    VS_TRY_WRAP(vs_need(doc, "token", VS_STRING, &text, err), err,
                "the server's answer to the attestation");
    *token = vs_text(text);
    VS_TRY_WRAP(check_token(a, *token, err), err, "the server's token");
    return VS_OK;
}

bool kbsc_read_refusal(vs_arena *a, vs_span json, kbsc_refusal *out)
{
    vs_val doc;
    if (vs_json_parse(a, json, &(vs_json_opts){.depth = 8, .nodes = 1000}, &doc, NULL) != VS_OK)
        return false;
    vs_val type = vs_getc(doc, "type"), detail = vs_getc(doc, "detail");
    if (type.kind != VS_STRING || detail.kind != VS_STRING)
        return false;
    vs_span name = vs_text(type);
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[name.n - 1 - i] == '/') {
            name = vs_span_from(name, name.n - i);
            break;
        }
    }
    *out = (kbsc_refusal){.name = name, .detail = vs_text(detail)};
    return true;
}

/* What stands behind `what`; p == NULL: it is not in the text. */
static vs_span behind(vs_span text, const char *what)
{
    size_t n = strlen(what);
    const uint8_t *at = text.n ? memmem(text.p, text.n, what, n) : NULL;
    return at ? vs_span_from(text, (size_t)(at - text.p) + n) : (vs_span){0};
}

static vs_span before(vs_span text, const char *what)
{
    vs_span rest = behind(text, what);
    return rest.p ? vs_span_head(text, text.n - rest.n - strlen(what)) : text;
}

kbsc_mismatch kbsc_read_mismatch(const kbsc_refusal *r)
{
    kbsc_mismatch m = {0};
    vs_span words = behind(r->detail, "Protocol Version Mismatch");
    m.is = words.p || vs_span_is(r->name, "ProtocolVersion");
    m.said = behind(words, "expected version: ");
    if (!m.said.p)
        m.said = behind(words, "expect ");
    m.said = vs_span_trim(before(before(m.said, " while the request"), ", requested version"));
    for (vs_span rest = m.said; rest.n;) {
        kbsc_version v;
        vs_span one = vs_span_trim(vs_span_cut(rest, ',', &rest, NULL));
        if (one.n && one.p[0] == '=')
            one = vs_span_from(one, 1);
        if (kbsc_version_of(one, &v))
            m.known |= 1u << v;
    }
    return m;
}

const char *kbsc_printable(vs_arena *a, vs_span text, size_t max)
{
    static const char hex[] = "0123456789abcdef";
    vs_span s = vs_span_head(text, max);
    bool cut = s.n < text.n;
    char *out = vs_alloc(a, s.n * 4 + sizeof "...");
    if (!out)
        return "";
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c >= 0x20 && c < 0x7f) {
            out[n++] = (char)c;
            continue;
        }
        const char escape[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        memcpy(out + n, escape, sizeof escape);
        n += sizeof escape;
    }
    memcpy(out + n, cut ? "..." : "", cut ? sizeof "..." : 1);
    return out;
}
