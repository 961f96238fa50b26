/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The versions of the KBS protocol that are served side by side. Trustee's servers each take
 * exactly one; here the version of /auth goes into the sealed session and decides how /attest is
 * read and how a secret is written.
 *
 * version  tee-pubkey    tee-evidence  evidence is bound to                      secret
 * 0.1.1    top member    one           nonce, tee-pubkey                         before RFC 7516
 * 0.2.0    top member    one           nonce, tee-pubkey                         JWE
 * 0.3.0    top member    composite     nonce, tee-pubkey, additional-evidence    JWE
 * 0.4.0    runtime-data  composite     nonce, tee-pubkey, additional-evidence    JWE
 */
#include "kbs/internal.h"

static const char *const names[] = {
    [KBS_PROTOCOL_0_1_1] = "0.1.1",
    [KBS_PROTOCOL_0_2_0] = "0.2.0",
    [KBS_PROTOCOL_0_3_0] = "0.3.0",
    [KBS_PROTOCOL_0_4_0] = "0.4.0",
};

const char *kbs_protocol_name(kbs_protocol p)
{
    return (size_t)p < VS_COUNT(names) ? names[p] : "";
}

const char *kbs_protocol_list(kbs_protocol oldest, char out[KBS_PROTOCOL_LIST])
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(KBS_PROTOCOL_LIST - 1);
    for (size_t i = oldest; i < VS_COUNT(names); i++) {
        vs_buf_puts(&text, i == oldest ? "=" : ", =");
        vs_buf_puts(&text, names[i]);
    }
    memcpy(out, text.p, text.n);
    out[text.n] = 0;
    return out;
}

/* ---- semantic versions (semver 2.0.0) ---------------------------------------------------------
 */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Dot-separated identifiers of letters, digits and '-' (semver 2.0.0 clauses 9 and 10). */
static bool identifiers_ok(vs_span s)
{
    bool more = true;
    while (more) {
        vs_span id = vs_span_cut(s, '.', &s, &more);
        if (id.n == 0)
            return false;
        for (size_t i = 0; i < id.n; i++) {
            uint8_t c = id.p[i] | 0x20;
            if (!is_digit(id.p[i]) && !(c >= 'a' && c <= 'z') && id.p[i] != '-')
                return false;
        }
    }
    return true;
}

static bool number_ok(vs_span s)
{
    if (s.n == 0 || s.n > 19 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
    }
    return true;
}

/* *core = "MAJOR.MINOR.PATCH" and pre-release, without build metadata. */
static bool parse_semver(vs_span v, vs_span *core)
{
    vs_span build, pre, rest;
    bool has_build, has_pre, dot;
    *core = vs_span_cut(v, '+', &build, &has_build);
    vs_span numbers = vs_span_cut(*core, '-', &pre, &has_pre);
    if ((has_build && !identifiers_ok(build)) || (has_pre && !identifiers_ok(pre)))
        return false;
    vs_span major = vs_span_cut(numbers, '.', &rest, &dot);
    vs_span minor = vs_span_cut(rest, '.', &rest, NULL);
    return dot && number_ok(major) && number_ok(minor) && number_ok(rest);
}

vs_code kbs_protocol_of(vs_span version, kbs_protocol oldest, kbs_protocol *out)
{
    vs_span core;
    if (version.n > 64 || !parse_semver(version, &core))
        return VS_E_PARSE;
    for (size_t i = oldest; i < VS_COUNT(names); i++) {
        if (vs_span_is(core, names[i])) {
            *out = (kbs_protocol)i;
            return VS_OK;
        }
    }
    return VS_E_UNSUPPORTED;
}
