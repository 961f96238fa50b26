/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cca_show.h"

#include "base/enc.h"

/* ---- tables ---------------------------------------------------------------------------------- */

static void heading(view *v, const char *text, vs_alg alg)
{
    vs_buf_putc(&v->out, '\n');
    view_styled(v, VIEW_BOLD, "%s", text);
    if (alg != VS_ALG_NONE)
        vs_buf_printf(&v->out, "  (COSE_Sign1, %s)", vs_alg_name(alg));
    vs_buf_putc(&v->out, '\n');
}

static void bytes_if(view *v, unsigned indent, const char *name, vs_span s)
{
    if (s.p)
        view_bytes(v, indent, name, s);
}

/* A column; what is too wide pushes the next one. */
static void cell(view *v, vs_span s, size_t width)
{
    view_text(v, s.n ? s : VS_LIT("-"));
    vs_buf_puts(&v->out, "  ");
    for (size_t n = s.n ? s.n : 1; n < width; n++)
        vs_buf_putc(&v->out, ' ');
}

static void show_component(view *v, size_t i, const cca_component *c)
{
    vs_buf_printf(&v->out, "    %2zu  ", i);
    cell(v, c->type, 14);
    cell(v, c->version, 8);
    cell(v, c->hash, 0);
    vs_buf_putc(&v->out, '\n');
    view_bytes(v, 4, "measurement", c->value);
    view_bytes(v, 4, "signer id", c->signer_id);
}

void cca_show_platform(view *v, const cca_platform *p)
{
    view_row(v, 1, "profile", vs_str(p->profile->uri));
    view_rowf(v, 1, "lifecycle", "0x%04x %s", p->lifecycle_value, cca_lifecycle_name(p->lifecycle));
    view_bytes(v, 1, "implementation id", p->implementation_id);
    view_bytes(v, 1, "instance id", p->instance_id);
    view_bytes(v, 1, "configuration", p->config);
    view_bytes(v, 1, "challenge", p->challenge);
    view_row(v, 1, "hash algorithm", p->hash_name);
    if (p->service.p)
        view_row(v, 1, "verification service", p->service);
    bytes_if(v, 1, "manufacturing config", p->manufacturing_config);
    if (p->n_devices)
        view_rowf(v, 1, "platform extension", "%zu devices", p->n_devices);
    view_rowf(v, 1, "software components", "%zu (type, version, hash)", p->n_components);
    for (size_t i = 0; i < p->n_components; i++)
        show_component(v, i + 1, &p->components[i]);
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

void cca_show_realm(view *v, const cca_realm *r)
{
    static const char *const rem_names[CCA_REMS] = {"REM 0", "REM 1", "REM 2", "REM 3"};
    VS_CLEANUP(vs_key_free) vs_key *rak = NULL;
    view_row(v, 1, "profile", r->profile->uri ? vs_str(r->profile->uri) : VS_LIT("(none: legacy)"));
    view_bytes(v, 1, "RIM (initial)", r->rim);
    for (unsigned i = 0; i < CCA_REMS; i++)
        view_bytes(v, 1, rem_names[i], r->rem[i]);
    view_row(v, 1, "hash algorithm", r->hash_name);
    view_bytes(v, 1, "personalization value", r->rpv);
    view_bytes(v, 1, "challenge", r->challenge);
    bool usable = cca_realm_key(r, &rak, NULL) == VS_OK;
    view_rowf(v, 1, "public key (RAK)", "%s, %zu bytes as %s", usable ? key_name(rak) : "UNUSABLE",
              r->rak.n, r->profile->generation == CCA_LEGACY ? "raw point" : "COSE_Key");
    view_bytes(v, 1, "", r->rak);
    view_row(v, 1, "key hash algorithm", r->rak_hash_name);
    bytes_if(v, 1, "instance id", r->instance_id);
    if (r->mec_policy >= 0)
        view_row(v, 1, "MEC policy", r->mec_policy ? VS_LIT("private") : VS_LIT("shared"));
    if (r->lfa_policy >= 0)
        view_row(v, 1, "LFA policy", r->lfa_policy ? VS_LIT("allow") : VS_LIT("disallow"));
    bytes_if(v, 1, "devices token hash", r->devices_hash);
}

/* What the token says about itself can be checked without trust: that its halves belong together.
 */
static bool is_bound(const cca_token *t)
{
    uint8_t hash[VS_HASH_MAX];
    return vs_digest(t->realm.rak_hash, t->realm.rak, (vs_span){0}, (vs_span){0}, hash, NULL) ==
               VS_OK &&
           vs_span_eq(vs_span_of(hash, vs_hash_size(t->realm.rak_hash)), t->platform.challenge);
}

static bool realm_signed(const cca_token *t)
{
    VS_CLEANUP(vs_key_free) vs_key *rak = NULL;
    return cca_realm_key(&t->realm, &rak, NULL) == VS_OK &&
           vs_cose_verify(&t->realm_cose, rak, (vs_span){0}, NULL) == VS_OK;
}

static void show_fact(view *v, const char *name, bool ok, const char *yes, const char *no)
{
    vs_buf_printf(&v->out, "  %-22s ", name);
    view_styled(v, ok ? VIEW_GREEN : VIEW_RED, "%s", ok ? yes : no);
    vs_buf_putc(&v->out, '\n');
}

void cca_show_token(view *v, const cca_token *t)
{
    view_styled(v, VIEW_BOLD, "Arm CCA token");
    vs_buf_printf(&v->out, "  %zu bytes, tag %u (%s)\n", t->whole.n, t->tag,
                  t->tag == CCA_TAG_EAT ? "EAT collection" : "CMW collection");
    show_fact(v, "realm signature", realm_signed(t), "valid under the realm's own key",
              "NOT VALID");
    show_fact(v, "binding", is_bound(t), "the platform token vouches for the realm's key",
              "the platform token DOES NOT vouch for the realm's key");
    view_row(v, 1, "platform signature", VS_LIT("not checked: that needs a trust anchor"));
    heading(v, "Platform token", t->platform_cose.alg);
    cca_show_platform(v, &t->platform);
    heading(v, "Realm token", t->realm_cose.alg);
    cca_show_realm(v, &t->realm);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static vs_val base64(vs_arena *a, vs_span s)
{
    return s.p ? vs_string(vs_b64_encode_arena(a, VS_B64_STD, s)) : vs_undefined();
}

static vs_val text(vs_span s)
{
    return s.p ? vs_string(s) : vs_undefined();
}

static vs_val component_value(vs_arena *a, const cca_component *c)
{
    vs_obj o = {.a = a};
    vs_obj_opt(&o, "measurement-type", text(c->type));
    vs_obj_put(&o, "measurement-value", base64(a, c->value));
    vs_obj_opt(&o, "version", text(c->version));
    vs_obj_put(&o, "signer-id", base64(a, c->signer_id));
    vs_obj_opt(&o, "measurement-description", text(c->hash));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val cca_platform_value(vs_arena *a, const cca_platform *p)
{
    vs_vec components = {.a = a};
    for (size_t i = 0; i < p->n_components; i++)
        vs_vec_add(&components, component_value(a, &p->components[i]));
    vs_obj o = {.a = a};
    vs_obj_put(&o, "cca-platform-profile", vs_cstring(p->profile->uri));
    vs_obj_put(&o, "cca-platform-challenge", base64(a, p->challenge));
    vs_obj_put(&o, "cca-platform-implementation-id", base64(a, p->implementation_id));
    vs_obj_put(&o, "cca-platform-instance-id", base64(a, p->instance_id));
    vs_obj_put(&o, "cca-platform-config", p->config.n ? base64(a, p->config) : vs_cstring(""));
    vs_obj_put(&o, "cca-platform-lifecycle", vs_int(p->lifecycle_value));
    vs_obj_put(&o, "cca-platform-sw-components", vs_vec_end_array(&components));
    vs_obj_opt(&o, "cca-platform-service-indicator", text(p->service));
    vs_obj_put(&o, "cca-platform-hash-algo-id", text(p->hash_name));
    vs_obj_opt(&o, "cca-platform-manufacturing-config", base64(a, p->manufacturing_config));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val cca_realm_value(vs_arena *a, const cca_realm *r)
{
    vs_vec rems = {.a = a};
    for (unsigned i = 0; i < CCA_REMS; i++)
        vs_vec_add(&rems, base64(a, r->rem[i]));
    vs_obj o = {.a = a};
    if (r->profile->uri)
        vs_obj_put(&o, "cca-realm-profile", vs_cstring(r->profile->uri));
    vs_obj_put(&o, "cca-realm-challenge", base64(a, r->challenge));
    vs_obj_put(&o, "cca-realm-personalization-value", base64(a, r->rpv));
    vs_obj_put(&o, "cca-realm-initial-measurement", base64(a, r->rim));
    vs_obj_put(&o, "cca-realm-extensible-measurements", vs_vec_end_array(&rems));
    vs_obj_put(&o, "cca-realm-hash-algo-id", text(r->hash_name));
    vs_obj_put(&o, "cca-realm-public-key", base64(a, r->rak));
    vs_obj_put(&o, "cca-realm-public-key-hash-algo-id", text(r->rak_hash_name));
    vs_obj_opt(&o, "cca-realm-instance-id", base64(a, r->instance_id));
    vs_obj_opt(&o, "cca-realm-devices-hash", base64(a, r->devices_hash));
    if (r->mec_policy >= 0)
        vs_obj_put(&o, "cca-realm-mec-policy", vs_int(r->mec_policy));
    if (r->lfa_policy >= 0)
        vs_obj_put(&o, "cca-realm-lfa-policy", vs_int(r->lfa_policy));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}

vs_val cca_token_value(vs_arena *a, const cca_token *t)
{
    vs_obj o = {.a = a};
    vs_obj_put(&o, "tag", vs_int(t->tag));
    vs_obj_put(&o, "platform-alg", vs_cstring(vs_alg_name(t->platform_cose.alg)));
    vs_obj_put(&o, "realm-alg", vs_cstring(vs_alg_name(t->realm_cose.alg)));
    vs_obj_put(&o, "realm-signature-valid", vs_bool(realm_signed(t)));
    vs_obj_put(&o, "bound", vs_bool(is_bound(t)));
    vs_obj_put(&o, "platform", cca_platform_value(a, &t->platform));
    vs_obj_put(&o, "realm", cca_realm_value(a, &t->realm));
    return vs_obj_end(&o, VS_DUP_REFUSE, NULL);
}
