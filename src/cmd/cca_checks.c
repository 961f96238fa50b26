/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be checked about a CCA token: that its halves belong together needs nothing else; who
 * signed the platform token, and whether its contents are endorsed, needs trust anchors and
 * reference values.
 */
#include "cmd/cca_show.h"

#include "tee/cca/verify.h"

static const char needs_trust[] =
    "needs trust anchors: --corim, --cca-config, or --ta-store and --rv-store";

/* The error as one line on the report's arena. */
static const char *why(const report *r, const vs_error *err)
{
    char text[VS_ERROR_TEXT];
    return vs_sprintf(r->a, "%s", vs_error_text(err, text, sizeof text));
}

/* ---- without trust --------------------------------------------------------------------------- */

static void check_realm_signature(report *r, const cca_token *t)
{
    static const char name[] = "realm signature";
    VS_CLEANUP(vs_key_free) vs_key *rak = NULL;
    vs_error err = {0};
    vs_code code = cca_realm_key(&t->realm, &rak, &err);
    if (code == VS_OK)
        code = vs_cose_verify(&t->realm_cose, rak, (vs_span){0}, &err);
    if (code == VS_OK)
        report_check_add(r, name, REPORT_PASSED, "valid under the realm's own key (RAK)");
    else
        report_check_add(r, name, REPORT_FAILED, why(r, &err));
}

static void check_binding(report *r, const cca_token *t)
{
    uint8_t h[VS_HASH_MAX];
    bool ok =
        vs_digest(t->realm.rak_hash, t->realm.rak, (vs_span){0}, (vs_span){0}, h, NULL) == VS_OK &&
        vs_span_eq(vs_span_of(h, vs_hash_size(t->realm.rak_hash)), t->platform.challenge);
    report_check_add(r, "binding", ok ? REPORT_PASSED : REPORT_FAILED,
                     ok ? "the platform token vouches for the realm's key"
                        : "the platform token DOES NOT vouch for the realm's key");
}

static void check_lifecycle(report *r, const cca_token *t, const cca_snapshot *trust)
{
    unsigned accepted = trust ? trust->lifecycles : 1u << CCA_SECURED;
    bool ok = accepted >> t->platform.lifecycle & 1;
    report_check_add(r, "lifecycle", ok ? REPORT_PASSED : REPORT_FAILED,
                     vs_sprintf(r->a, "%s%s", cca_lifecycle_name(t->platform.lifecycle),
                                ok ? "" : ": not accepted, its secrets are not safe"));
}

static void check_challenge(report *r, const cca_token *t, vs_span expected)
{
    static const char name[] = "challenge";
    if (!expected.p) {
        report_check_add(r, name, REPORT_OPEN, "needs the expected report data: --challenge");
        return;
    }
    uint8_t want[CCA_CHALLENGE];
    vs_tee_fit(expected, want, sizeof want);
    bool ok = vs_ct_eq(t->realm.challenge, vs_span_of(want, sizeof want));
    report_check_add(r, name, ok ? REPORT_PASSED : REPORT_FAILED,
                     ok ? "is the expected report data" : "is NOT the expected report data");
}

/* ---- with trust ------------------------------------------------------------------------------ */

static const char platform_signature[] = "platform signature";
static const char platform_references[] = "platform references";
static const char realm_references[] = "realm references";

static void add_vectors(report *r, const cca_verdict *v, const char *note)
{
    report_vector_add(r, VS_LIT("CCA_SSD_PLATFORM"), ear_vector_status(&v->platform), &v->platform,
                      note);
    report_vector_add(r, VS_LIT("CCA_REALM"), ear_vector_status(&v->realm), &v->realm, note);
}

static void leave_open(report *r, const char *reason)
{
    report_check_add(r, platform_references, REPORT_OPEN, reason);
    report_check_add(r, realm_references, REPORT_OPEN, reason);
}

/* Both ways of appraisal say -97 or 33 of a RIM that nobody endorses. */
static void check_realm_references(report *r, const cca_verdict *v)
{
    int8_t executables = v->realm.value[EAR_EXECUTABLES];
    const char *found =
        v->realm_known ? "RIM and REMs are those of a reference value"
        : executables == -97 || executables == 33
            ? "no reference value has this RIM"
            : "the RIM is that of a reference value, its other measurements are not";
    report_check_add(r, realm_references, v->realm_known ? REPORT_PASSED : REPORT_FAILED, found);
}

/* The vectors say what became of it, also when the lifecycle ended it. */
static void appraise(report *r, const cca_token *t, const cca_basis *b, cca_verdict *v)
{
    vs_error err = {0};
    vs_code code = cca_appraise(b, t, v, &err);
    bool ok = code == VS_OK && v->platform_matched;
    if (code != VS_OK && !(b->snapshot->lifecycles >> t->platform.lifecycle & 1)) {
        leave_open(r, "the platform's lifecycle is not accepted");
        return;
    }
    report_check_add(r, platform_references, ok ? REPORT_PASSED : REPORT_FAILED,
                     ok              ? "components and configuration are those of a reference value"
                     : code == VS_OK ? "no reference value matches components and configuration"
                                     : why(r, &err));
    if (ok)
        check_realm_references(r, v);
    else
        report_check_add(r, realm_references, REPORT_OPEN, "the platform is not endorsed");
}

static void check_trust(report *r, const cca_token *t, const cca_expect *expect)
{
    const cca_basis b = {
        .snapshot = expect->trust, .endorsements = expect->endorsements, .a = r->a};
    cca_verdict v;
    vs_error err = {0};
    vs_code code = cca_verify_chain(&b, t, &v, &err);
    report_check_add(r, platform_signature, v.anchor ? REPORT_PASSED : REPORT_FAILED,
                     v.anchor ? "valid under the platform's key (CPAK) in the trust anchors"
                              : why(r, &err));
    if (code == VS_OK)
        appraise(r, t, &b, &v);
    else
        leave_open(r, "the token is not genuine");
    add_vectors(r, &v, NULL);
}

void cca_checks(report *r, const cca_token *t, const cca_expect *expect)
{
    report_check_add(r, "encoding", REPORT_PASSED,
                     "strict CBOR; types, sizes and mandatory claims as the profiles demand");
    check_realm_signature(r, t);
    check_binding(r, t);
    check_lifecycle(r, t, expect->trust);
    check_challenge(r, t, expect->challenge);
    if (expect->trust) {
        check_trust(r, t, expect);
        return;
    }
    cca_verdict nothing = {0};
    report_check_add(r, platform_signature, REPORT_OPEN, needs_trust);
    leave_open(r, needs_trust);
    add_vectors(r, &nothing, "not appraised: that needs trust anchors and reference values");
}
