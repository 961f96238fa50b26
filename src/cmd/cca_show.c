/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cca_show.h"

#include "base/enc.h"
#include "value/cbor.h"

/* ---- what values mean ------------------------------------------------------------------------ */

static bool is_zero(vs_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i])
            return false;
    return true;
}

static bool counts_up(vs_span s)
{
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] != (uint8_t)(s.p[i - 1] + 1))
            return false;
    return true;
}

/* 64 bytes that were chosen by whoever asked: where they may come from. */
static const char *padding_hint(vs_span s)
{
    if (is_zero(s))
        return "all zero: nothing was bound";
    if (is_zero(vs_span_from(s, 32)))
        return "32 bytes, padded with zeros: a SHA-256 digest";
    if (is_zero(vs_span_from(s, 48)))
        return "48 bytes, padded with zeros: a SHA-384 digest";
    return NULL;
}

static const char *challenge_hint(vs_span s)
{
    if (counts_up(s))
        return "counts up: a test pattern";
    if (!is_zero(s) && is_zero(vs_span_from(s, 48)) && !is_zero(vs_span_from(s, 32)))
        return "48 bytes, padded with zeros: as a KBS binds its nonce and the guest's key, in a "
               "SHA-384 digest";
    const char *hint = padding_hint(s);
    return hint ? hint : "64 bytes: a SHA-512 digest or a verifier's nonce";
}

static const char *rem_hint(vs_span s)
{
    return is_zero(s) ? "never extended" : NULL;
}

static const char *key_name(const vs_key *k)
{
    static const char *const names[] = {[VS_KEY_RSA] = "RSA",
                                        [VS_KEY_P256] = "P-256",
                                        [VS_KEY_P384] = "P-384",
                                        [VS_KEY_P521] = "P-521",
                                        [VS_KEY_ED25519] = "Ed25519"};
    return names[vs_key_kind(k)];
}

static const char *profile_hint(const cca_profile *p)
{
    return p->generation == CCA_LEGACY ? "legacy" : p->generation == CCA_V1 ? "1.0.0" : "2.0.0";
}

/* ---- the platform ---------------------------------------------------------------------------- */

static void bytes_if(report *r, report_node *to, const char *name, vs_span s)
{
    if (s.p)
        report_bytes(r, to, name, s, NULL);
}

static void report_profile(report *r, report_node *to, const cca_profile *p)
{
    report_textf(r, to, "profile", "%s (%s)", p->uri ? p->uri : "none", profile_hint(p));
}

/* The columns that all components have; what only some have follows as branches. */
static void report_components(report *r, report_node *to, const cca_platform *p)
{
    static const char *const columns[] = {"#",    "type",        "version",
                                          "hash", "measurement", "signer id"};
    report_table *t =
        report_add_table(r, to, "software components", columns, VS_COUNT(columns), p->n_components);
    if (!t)
        return;
    for (size_t i = 0; i < p->n_components; i++) {
        const cca_component *c = &p->components[i];
        report_cell *row = &t->cells[i * t->n_columns];
        row[0].text = vs_str(vs_sprintf(r->a, "%zu", i + 1));
        row[1].text = c->type.p ? c->type : VS_LIT("-");
        row[2].text = c->version.p ? c->version : VS_LIT("-");
        row[3].text = c->hash.p ? c->hash : VS_LIT("-");
        row[4].bytes = c->value;
        row[5].bytes = c->signer_id;
    }
}

static void report_component_extras(report *r, report_node *to, const cca_platform *p)
{
    for (size_t i = 0; i < p->n_components; i++) {
        const cca_component *c = &p->components[i];
        if (c->live_activation < 0 && !c->n_countersigners)
            continue;
        report_node *n = report_branch(r, to, vs_sprintf(r->a, "component %zu", i + 1));
        if (!n)
            return;
        if (c->live_activation >= 0)
            report_text(r, n, "live activation",
                        c->live_activation ? VS_LIT("supported") : VS_LIT("not supported"));
        for (size_t k = 0; k < c->n_countersigners; k++)
            report_bytes(r, n, "countersigner", c->countersigners[k], NULL);
    }
}

static void report_devices(report *r, report_node *to, const cca_platform *p)
{
    for (size_t i = 0; i < p->n_devices; i++) {
        const cca_device *d = &p->devices[i];
        report_node *n = report_branch(r, to, vs_sprintf(r->a, "device %zu", i + 1));
        if (!n)
            return;
        if (d->hash.p)
            report_text(r, n, "hash algorithm", d->hash);
        bytes_if(r, n, "measurements", d->measurement);
        bytes_if(r, n, "certificate chain", d->certificate);
        if (d->uses_ide >= 0)
            report_text(r, n, "link encryption (IDE)", d->uses_ide ? VS_LIT("yes") : VS_LIT("no"));
        if (d->protocol.p)
            report_text(r, n, "protocol", d->protocol);
        bytes_if(r, n, "VCA", d->vca);
    }
}

static void platform_claims(report *r, report_node *to, const cca_platform *p)
{
    report_profile(r, to, p->profile);
    report_textf(r, to, "lifecycle", "0x%04x %s", p->lifecycle_value,
                 cca_lifecycle_name(p->lifecycle));
    report_bytes(r, to, "implementation id", p->implementation_id, NULL);
    report_bytes(r, to, "instance id", p->instance_id, NULL);
    report_bytes(r, to, "configuration", p->config, NULL);
    report_bytes(r, to, "challenge", p->challenge, "the hash of the realm's key");
    report_text(r, to, "hash algorithm", p->hash_name);
    if (p->service.p)
        report_text(r, to, "verification service", p->service);
    bytes_if(r, to, "manufacturing config", p->manufacturing_config);
    report_devices(r, to, p);
    report_components(r, to, p);
    report_component_extras(r, to, p);
}

/* ---- the realm ------------------------------------------------------------------------------- */

static void report_rak(report *r, report_node *to, const cca_realm *realm)
{
    VS_CLEANUP(vs_key_free) vs_key *rak = NULL;
    bool usable = cca_realm_key(realm, &rak, NULL) == VS_OK;
    report_bytes(r, to, "public key (RAK)", realm->rak,
                 vs_sprintf(r->a, "%s, %zu bytes as %s", usable ? key_name(rak) : "UNUSABLE",
                            realm->rak.n,
                            realm->profile->generation == CCA_LEGACY ? "raw point" : "COSE_Key"));
    report_text(r, to, "key hash algorithm", realm->rak_hash_name);
}

static void realm_claims(report *r, report_node *to, const cca_realm *realm)
{
    static const char *const rem_names[CCA_REMS] = {"REM 0", "REM 1", "REM 2", "REM 3"};
    report_profile(r, to, realm->profile);
    report_bytes(r, to, "RIM (initial)", realm->rim, NULL);
    report_text(r, to, "RIM in base64", vs_b64_encode_arena(r->a, VS_B64_STD, realm->rim));
    for (unsigned i = 0; i < CCA_REMS; i++)
        report_bytes(r, to, rem_names[i], realm->rem[i], rem_hint(realm->rem[i]));
    report_text(r, to, "hash algorithm", realm->hash_name);
    report_bytes(r, to, "personalization (RPV)", realm->rpv, padding_hint(realm->rpv));
    report_bytes(r, to, "challenge", realm->challenge, challenge_hint(realm->challenge));
    report_rak(r, to, realm);
    bytes_if(r, to, "instance id", realm->instance_id);
    if (realm->mec_policy >= 0)
        report_text(r, to, "memory encryption (MEC)",
                    realm->mec_policy ? VS_LIT("private") : VS_LIT("shared"));
    if (realm->lfa_policy >= 0)
        report_text(r, to, "live activation (LFA)",
                    realm->lfa_policy ? VS_LIT("allow") : VS_LIT("disallow"));
    bytes_if(r, to, "devices token hash", realm->devices_hash);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Text of several lines on one: strings within have their line feeds escaped. */
static vs_span one_line(vs_arena *a, vs_span text)
{
    VS_CLEANUP(vs_buf_free) vs_buf line = VS_BUF(1 << 20);
    while (text.n) {
        vs_span part = vs_span_trim(vs_span_cut(text, '\n', &text, NULL));
        bool closes = vs_span_starts(part, VS_LIT("}")) || vs_span_starts(part, VS_LIT("]"));
        bool opened = line.n && strchr("{[", line.p[line.n - 1]);
        vs_buf_puts(&line, line.n && !closes && !opened ? " " : "");
        vs_buf_put(&line, part);
    }
    return vs_dup(a, vs_buf_span(&line));
}

/* The unprotected header in diagnostic notation; it was checked to be well formed. */
static vs_span unprotected(report *r, vs_span sign1)
{
    VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
    vs_cbor c = vs_cbor_of(sign1, NULL);
    (void)vs_cbor_tag(&c);
    (void)vs_cbor_array(&c);
    (void)vs_cbor_skip(&c);
    if (vs_cbor_diagnose(&text, vs_cbor_skip(&c), NULL) != VS_OK)
        return VS_LIT("(too large to show)");
    return one_line(r->a, vs_buf_span(&text));
}

static report_node *report_sign1(report *r, const char *name, vs_span whole, const vs_cose_sign1 *m)
{
    report_node *n = report_branch(r, NULL, name);
    if (!n)
        return NULL;
    n->value.text =
        vs_str(vs_sprintf(r->a, "COSE_Sign1, %s, %zu bytes", vs_alg_name(m->alg), whole.n));
    report_bytes(r, n, "protected header", m->protected_bytes,
                 vs_sprintf(r->a, "algorithm %s (%lld)", vs_alg_name(m->alg),
                            (long long)vs_alg_to_cose(m->alg)));
    report_text(r, n, "unprotected header", unprotected(r, whole));
    report_bytes(r, n, "signature", m->signature, NULL);
    return n;
}

vs_code cca_report_token(report *r, const cca_token *t, const cca_expect *expect, vs_error *err)
{
    bool cmw = t->tag == CCA_TAG_CMW;
    r->title = "Arm CCA token";
    r->summary = vs_sprintf(r->a, "%zu bytes, tag %u (%s)", t->whole.n, t->tag,
                            cmw ? "CMW collection" : "EAT collection");
    report_textf(r, NULL, "outer form", "%u, %s", t->tag,
                 cmw ? "a CMW collection: entries are [263, bytes] (TF-RMM from 0.9.0)"
                     : "an EAT collection: entries are byte strings (TF-RMM up to 0.8.0)");
    report_node *n = report_sign1(r, "platform token", t->platform_bytes, &t->platform_cose);
    platform_claims(r, n, &t->platform);
    n = report_sign1(r, "realm token", t->realm_bytes, &t->realm_cose);
    realm_claims(r, n, &t->realm);
    cca_checks(r, t, expect);
    return vs_arena_check(r->a, err);
}

vs_code cca_report_platform(report *r, const cca_platform *p, vs_error *err)
{
    r->title = "Arm CCA platform claims";
    r->summary = "claims alone: nothing here is signed";
    platform_claims(r, NULL, p);
    return vs_arena_check(r->a, err);
}

vs_code cca_report_realm(report *r, const cca_realm *realm, vs_error *err)
{
    r->title = "Arm CCA realm claims";
    r->summary = "claims alone: nothing here is signed";
    realm_claims(r, NULL, realm);
    return vs_arena_check(r->a, err);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static vs_val checks_value(const report *r)
{
    vs_vec list = {.a = r->a};
    for (size_t i = 0; i < r->n_checks; i++) {
        vs_obj o = {.a = r->a};
        vs_obj_put(&o, "name", vs_cstring(r->checks[i].name));
        vs_obj_put(&o, "result", vs_cstring(report_mark_name(r->checks[i].mark)));
        vs_obj_put(&o, "reason", vs_cstring(r->checks[i].why));
        vs_vec_add(&list, vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    }
    return vs_vec_end_array(&list);
}

static vs_val vector_value(const report *r, const report_vector *x)
{
    vs_obj o = {.a = r->a}, whole = {.a = r->a};
    for (unsigned c = 0; c < EAR_CLAIMS; c++)
        if (x->vector.set[c])
            vs_obj_put(&o, ear_claim_name((ear_claim)c), vs_int(x->vector.value[c]));
    vs_obj_put(&whole, "ear.status", vs_cstring(ear_tier_name(x->status)));
    vs_obj_put(&whole, "ear.trustworthiness-vector", vs_obj_end(&o, VS_DUP_REFUSE, NULL));
    return vs_obj_end(&whole, VS_DUP_REFUSE, NULL);
}

static vs_val vectors_value(const report *r)
{
    vs_obj o = {.a = r->a};
    for (size_t i = 0; i < r->n_vectors; i++)
        vs_obj_add(&o, vs_string(r->vectors[i].name), vector_value(r, &r->vectors[i]));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

static bool passed(const report *r, const char *name)
{
    for (size_t i = 0; i < r->n_checks; i++)
        if (strcmp(r->checks[i].name, name) == 0)
            return r->checks[i].mark == REPORT_PASSED;
    return false;
}

vs_val cca_token_value(const report *r, const cca_token *t)
{
    vs_arena *a = r->a;
    vs_obj o = {.a = a};
    vs_obj_put(&o, "tag", vs_int(t->tag));
    vs_obj_put(&o, "platform-alg", vs_cstring(vs_alg_name(t->platform_cose.alg)));
    vs_obj_put(&o, "realm-alg", vs_cstring(vs_alg_name(t->realm_cose.alg)));
    vs_obj_put(&o, "realm-signature-valid", vs_bool(passed(r, "realm signature")));
    vs_obj_put(&o, "bound", vs_bool(passed(r, "binding")));
    vs_obj_put(&o, "platform", cca_platform_value(a, &t->platform));
    vs_obj_put(&o, "realm", cca_realm_value(a, &t->realm));
    vs_obj_put(&o, "checks", checks_value(r));
    vs_obj_put(&o, "submods", vectors_value(r));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}
