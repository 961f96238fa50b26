/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped policies against the table of attestation-service.md 4.8 and kbs.md 5. */
#include "as/as_fixture.h"

#include "as/policies.h"
#include "rego/engine.h"

/* ---- running a policy with reference values from a JSON object ----------------------------------
 */

static vs_code query(void *user, const char *name, const vs_val *args, unsigned n, vs_arena *a,
                     vs_val *out, vs_error *err)
{
    (void)name, (void)n, (void)a, (void)err;
    vs_val v = vs_get(*(vs_val *)user, vs_text(args[0]));
    *out = vs_defined(v) ? v : vs_null();
    return VS_OK;
}

static vs_val run(world *w, const char *policy, const char *rule, vs_val input, vs_val data,
                  vs_val refs)
{
    static const rego_host_decl hosts[] = {{"query_reference_value", 1}};
    vs_error err = {0};
    const rego_module m = {.name = policy, .text = vs_policy_text(policy)};
    const rego_options opts = {.hosts = hosts, .n_hosts = 1};
    rego_program *p = NULL;
    rego_eval *e = NULL;
    rego_presence presence;
    vs_val v;
    assert_vs_ok(rego_compile(&m, 1, &opts, &p, NULL, &err), &err);
    assert_vs_ok(rego_eval_new(p, &e, &err), &err);
    const rego_inputs in = {.input = input, .data = data, .host = query, .host_user = &refs};
    assert_vs_ok(rego_eval_begin(e, &in, &err), &err);
    assert_vs_ok(rego_eval_rule(e, rule, &presence, &v, NULL, &err), &err);
    v = presence == REGO_VALUE ? vs_copy(&w->a, v) : vs_undefined();
    rego_eval_free(&e);
    rego_program_unref(&p);
    return v;
}

/* Executables, hardware, configuration: the claims that the table is about. */
typedef struct row {
    const char *what, *policy, *input, *refs;
    int executables, hardware, configuration;
} row;

#define CPU "default_cpu"
#define CCA                                                                                        \
    "{'cca': {'realm': {'cca-realm-initial-measurement': 'RIM'}, 'platform': "                     \
    "{'cca-platform-instance-id': 'I', 'cca-platform-implementation-id': 'P'}}}"
/* With the verifier's own findings: executables, configuration, hardware; rim, rpv, one rem. */
#define CCA_OURS(exe, cfg, hw, rim, rpv, rem)                                                      \
    "{'cca': {'realm': {'cca-realm-initial-measurement': 'RIM'}, 'platform': "                     \
    "{'cca-platform-instance-id': 'I', 'cca-platform-implementation-id': 'P'}, 'vouchsafe': "      \
    "{'platform': {'vector': {'instance-identity': 2, 'executables': " exe                         \
    ", 'configuration': " cfg ", 'hardware': " hw ", 'runtime-opaque': 2}}, 'realm': "             \
    "{'rim-endorsed': " rim ", 'rpv-endorsed': " rpv ", 'rem-endorsed': [null, " rem               \
    ", true, null]}}}}"
#define CCA_REMOTE(hardware, executables)                                                          \
    "{'cca': {'realm': {'cca-realm-initial-measurement': 'RIM'}, 'vouchsafe': {'platform': "       \
    "{'vector': {'hardware': " hardware ", 'executables': " executables                            \
    ", 'configuration': 2, 'instance-identity': 2}}, 'realm': {'vector': {'executables': 2}}}}}"
#define CCA_IN_LIST "{'cca.realm.cca-realm-initial-measurement': ['RIM']}"
#define SAMPLE                                                                                     \
    "{'sample': {'svn': '1', 'launch_digest': 'abcde', 'debug': false, "                           \
    "'platform_version': {'major': 1, 'minor': 4}}}"
#define SNP(debug)                                                                                 \
    "{'snp': {'measurement': 'M', 'reported_tcb_bootloader': 1, 'reported_tcb_microcode': 2, "     \
    "'reported_tcb_snp': 3, 'reported_tcb_tee': 4, 'policy_debug_allowed': " debug ", "            \
    "'policy_migrate_ma': false, 'platform_smt_enabled': true, 'platform_tsme_enabled': false, "   \
    "'policy_abi_major': 0, 'policy_abi_minor': 31, 'policy_single_socket': false, "               \
    "'policy_smt_allowed': true}}"
#define SNP_HW "'snp_bootloader': [1], 'snp_microcode': [2], 'snp_snp_svn': [3], 'snp_tee_svn': [4]"
#define SNP_CFG                                                                                    \
    "'snp_smt_enabled': true, 'snp_tsme_enabled': false, 'snp_guest_abi_major': 0, "               \
    "'snp_guest_abi_minor': 31, 'snp_single_socket': false, 'snp_smt_allowed': true"
#define TDX(tcb, events, attributes)                                                               \
    "{'tdx': {'quote': {'header': {'tee_type': '81000000', 'vendor_id': "                          \
    "'939a7233f79c4ca9940a0db3957f0607'}, 'body': {'mr_td': 'T', 'rtmr_1': 'R1', 'rtmr_2': 'R2', " \
    "'xfam': 'X', 'td_attributes': '" attributes "'}}, 'tcb_status': '" tcb                        \
    "', 'collateral_expiration_status': '0', "                                                     \
    "'td_attributes': {'debug': false}, 'uefi_event_logs': [" events "]}}"
#define TDX_EVENTS                                                                                 \
    "{'type_name': 'EV_EFI_BOOT_SERVICES_APPLICATION', 'details': {'device_paths': "               \
    "['File(kernel)']}, 'digests': [{'alg': 'SHA-384', 'digest': 'K'}]}, {'type_name': "           \
    "'EV_EVENT_TAG', 'details': {'string': 'LOADED_IMAGE::LoadOptions'}, 'digests': "              \
    "[{'alg': 'SHA-384', 'digest': 'C'}]}"
#define AZ_SNP(debug, migrate)                                                                     \
    "{'az-snp-vtpm': {'measurement': 'M', 'tpm': {'pcr11': 'P'}, 'reported_tcb_bootloader': '1', " \
    "'reported_tcb_microcode': '2', 'reported_tcb_snp': '3', 'reported_tcb_tee': '4', "            \
    "'platform_smt_enabled': 'true', 'platform_tsme_enabled': 'true', 'policy_abi_major': '0', "   \
    "'policy_abi_minor': '31', 'policy_single_socket': 'false', 'policy_smt_allowed': 'true', "    \
    "'policy_debug_allowed': '" debug "', 'policy_migrate_ma': '" migrate "'}}"
#define AZ_TDX(debug, expired, attributes)                                                         \
    "{'az-tdx-vtpm': {'quote': {'header': {'tee_type': '81000000', 'vendor_id': "                  \
    "'939a7233f79c4ca9940a0db3957f0607'}, 'body': {'mr_td': 'T', 'xfam': 'X', 'td_attributes': "   \
    "'" attributes "'}}, "                                                                         \
    "'tcb_status': 'UpToDate', 'tpm': {'pcr11': 'P'}, 'td_attributes': {'debug': " debug "}, "     \
    "'collateral_expiration_status': '" expired "'}}"
#define AZ_SNP_REFS                                                                                \
    "{'measurement': ['M'], 'snp_pcr11': ['P'], 'tcb_bootloader': ['1'], 'tcb_microcode': ['2'], " \
    "'tcb_snp': ['3'], 'tcb_tee': ['4'], 'smt_enabled': ['true'], 'tsme_enabled': ['true'], "      \
    "'abi_major': ['0'], 'abi_minor': ['31'], 'single_socket': ['false'], 'smt_allowed': "         \
    "['true']}"
#define AZ_TDX_REFS "{'tdx_pcr11': ['P'], 'mr_td': ['T'], 'xfam': ['X']}"
#define CHAIN(name)                                                                                \
    "'" name "': {'x-nvidia-cert-ocsp-status': 'good', 'x-nvidia-cert-status': 'valid'}"
#define RIM(prefix)                                                                                \
    "'" prefix "-rim-fetched': true, '" prefix "-rim-measurements-available': true, '" prefix      \
    "-rim-schema-validated': true, '" prefix "-rim-signature-verified': true, '" prefix            \
    "-rim-version-match': true"
#define DEVICE(kind)                                                                               \
    CHAIN("x-nvidia-" kind "-attestation-report-cert-chain")                                       \
    ", 'x-nvidia-" kind "-attestation-report-cert-chain-fwid-match': true, 'x-nvidia-" kind        \
    "-attestation-report-parsed': true, 'x-nvidia-" kind                                           \
    "-attestation-report-signature-verified': true, 'x-nvidia-" kind                               \
    "-arch-check': true, 'secboot': true, 'measres': 'success'"
#define GPU(dbgstat)                                                                               \
    "{'nvidia': {" DEVICE(                                                                         \
        "gpu") ", 'dbgstat': '" dbgstat "', 'x-nvidia-gpu-vbios-version': 'V', "                   \
               "'x-nvidia-gpu-driver-version': 'D', " CHAIN(                                       \
                   "x-nvidia-gpu-"                                                                 \
                   "vbios-rim-cert-"                                                               \
                   "chain") ", " RIM("x-nvidia-gpu-driver") ", " RIM("x-nvidia-gpu-vbios") "}}"
#define SWITCH                                                                                     \
    "{'nvidia': {" DEVICE("switch") ", 'dbgstat': 'disabled', 'x-nvidia-switch-bios-version': "    \
                                    "'V', " CHAIN("x-nvidia-switch-bios-rim-cert-chain") ", " RIM( \
                                        "x-nvidia-switch-bios") "}}"

static const row rows[] = {
    {"cca, realm endorsed", CPU, CCA, "{'cca.realm.cca-realm-initial-measurement': ['x', 'RIM']}",
     3, 2, 0},
    {"cca, realm not endorsed", CPU, CCA, "{}", 33, 2, 0},
    {"cca, another realm endorsed", CPU, CCA, "{'cca.realm.cca-realm-initial-measurement': ['x']}",
     33, 2, 0},
    {"cca, scalar reference value", CPU, CCA, "{'cca.realm.cca-realm-initial-measurement': 'RIM'}",
     33, 2, 0},
    {"cca, endorsed", CPU, CCA_OURS("2", "2", "2", "true", "true", "true"), "{}", 2, 2, 2},
    {"cca, RIM alone endorsed", CPU, CCA_OURS("2", "2", "2", "true", "null", "null"), "{}", 2, 2,
     2},
    {"cca, in the list", CPU, CCA_OURS("2", "2", "2", "false", "null", "null"), CCA_IN_LIST, 3, 2,
     2},
    {"cca, nowhere", CPU, CCA_OURS("2", "2", "2", "false", "null", "null"), "{}", 33, 2, 2},
    {"cca, other RPV", CPU, CCA_OURS("2", "2", "2", "true", "false", "true"), CCA_IN_LIST, 96, 2,
     2},
    {"cca, other REM", CPU, CCA_OURS("2", "2", "2", "true", "true", "false"), CCA_IN_LIST, 96, 2,
     2},
    {"cca, wrong firmware", CPU, CCA_OURS("33", "2", "2", "true", "true", "true"), CCA_IN_LIST, 33,
     2, 2},
    {"cca, firmware not judged", CPU, CCA_OURS("0", "0", "97", "true", "true", "true"), CCA_IN_LIST,
     33, 97, 0},
    {"cca, wrong configuration", CPU, CCA_OURS("2", "32", "2", "true", "true", "true"), CCA_IN_LIST,
     2, 2, 32},
    {"cca, remote verifier affirms", CPU, CCA_REMOTE("2", "2"), CCA_IN_LIST, 3, 2, 2},
    {"cca, remote verifier knows no firmware", CPU, CCA_REMOTE("2", "33"), CCA_IN_LIST, 33, 2, 2},
    {"cca, remote verifier warns of it all", CPU, CCA_REMOTE("32", "32"), CCA_IN_LIST, 33, 32, 2},
    {"cca, verifier failed", CPU, CCA_OURS("-1", "-1", "-1", "true", "true", "true"), CCA_IN_LIST,
     33, -1, -1},
    {"cca, findings without content", CPU,
     "{'cca': {'realm': {'cca-realm-initial-measurement': 'RIM'}, 'vouchsafe': {}}}", CCA_IN_LIST,
     33, 97, 36},
    {"sample, nothing endorsed", CPU, SAMPLE, "{}", 33, 97, 2},
    {"sample, all endorsed", CPU, SAMPLE,
     "{'launch_digest': ['abcde'], 'svn': ['1'], 'major_version': 1, 'minimum_minor_version': 4}",
     3, 2, 2},
    {"sample, minor version too low", CPU, SAMPLE,
     "{'svn': ['1'], 'major_version': 1, 'minimum_minor_version': 5}", 33, 97, 2},
    {"sample, no minimum endorsed", CPU, SAMPLE, "{'svn': ['1'], 'major_version': 1}", 33, 97, 2},
    {"snp, nothing endorsed", CPU, SNP("false"), "{}", 33, 97, 3},
    {"snp, debug allowed", CPU, SNP("true"), "{" SNP_HW ", " SNP_CFG "}", 33, 2, 36},
    {"snp, all endorsed", CPU, SNP("false"),
     "{'snp_launch_measurement': ['M'], " SNP_HW ", " SNP_CFG "}", 3, 2, 2},
    {"tdx, nothing endorsed", CPU, TDX("UpToDate", TDX_EVENTS, "0000001000000000"), "{}", 33, 97,
     36},
    {"tdx, direct boot", CPU, TDX("UpToDate", TDX_EVENTS, "0000001000000000"),
     "{'rtmr_1': ['R1'], 'rtmr_2': ['R2'], 'tdvfkernel': 'K', 'tdvfkernelparams': 'C', 'mr_td': "
     "['T'], "
     "'xfam': ['X']}",
     3, 2, 2},
    {"tdx, boot by GRUB", CPU, TDX("UpToDate", "", "0000001000000000"),
     "{'rtmr_1': ['R1'], 'rtmr_2': ['R2'], 'mr_td': ['T'], 'xfam': ['X']}", 4, 2, 2},
    {"tdx, may be migrated", CPU, TDX("UpToDate", "", "0000003000000000"),
     "{'rtmr_1': ['R1'], 'rtmr_2': ['R2'], 'mr_td': ['T'], 'xfam': ['X']}", 4, 2, 36},
    {"tdx, may be migrated, key locker", CPU, TDX("UpToDate", "", "000000f000000080"),
     "{'rtmr_1': ['R1'], 'rtmr_2': ['R2'], 'mr_td': ['T'], 'xfam': ['X']}", 4, 2, 36},
    {"tdx, key locker and performance counters", CPU, TDX("UpToDate", "", "000000d000000080"),
     "{'rtmr_1': ['R1'], 'rtmr_2': ['R2'], 'mr_td': ['T'], 'xfam': ['X']}", 4, 2, 2},
    {"tdx, outdated firmware", CPU, TDX("OutOfDate", TDX_EVENTS, "0000001000000000"),
     "{'mr_td': ['T']}", 33, 97, 36},
    {"az-snp-vtpm, all endorsed", CPU, AZ_SNP("false", "false"), AZ_SNP_REFS, 3, 2, 2},
    {"az-snp-vtpm, debuggable", CPU, AZ_SNP("true", "false"), AZ_SNP_REFS, 3, 2, 36},
    {"az-snp-vtpm, may be migrated", CPU, AZ_SNP("false", "true"), AZ_SNP_REFS, 3, 2, 36},
    {"az-snp-vtpm, nothing endorsed", CPU, AZ_SNP("false", "false"), "{}", 33, 97, 36},
    {"az-tdx-vtpm, all endorsed", CPU, AZ_TDX("false", "0", "0000001000000000"), AZ_TDX_REFS, 3, 2,
     2},
    {"az-tdx-vtpm, debuggable", CPU, AZ_TDX("true", "0", "0000001000000000"), AZ_TDX_REFS, 3, 2,
     36},
    {"az-tdx-vtpm, may be migrated", CPU, AZ_TDX("false", "0", "0000002000000000"), AZ_TDX_REFS, 3,
     2, 36},
    {"az-tdx-vtpm, expired collateral", CPU, AZ_TDX("false", "1", "0000001000000000"), AZ_TDX_REFS,
     3, 97, 2},
    {"az-tdx-vtpm, nothing endorsed", CPU, AZ_TDX("false", "0", "0000001000000000"), "{}", 33, 97,
     36},
    {"tpm, all endorsed", CPU, "{'tpm': {'pcr11': 'P', 'ak_public': 'A'}}",
     "{'tpm_pcr11': ['P'], 'trusted_aks': ['A']}", 3, 2, 0},
    {"tpm, key not endorsed", CPU, "{'tpm': {'pcr11': 'P', 'ak_public': 'A'}}",
     "{'tpm_pcr11': ['P']}", 33, 97, 0},
    {"tpm, other registers", CPU, "{'tpm': {'pcr11': 'Q', 'ak_public': 'A'}}",
     "{'tpm_pcr11': ['P'], 'trusted_aks': ['A']}", 33, 2, 0},
    {"se", CPU, "{'se': {'tag': 't'}}", "{}", 3, 2, 2},
    {"sgx has no rules", CPU, "{'sgx': {'body': {}}}", "{}", 33, 97, 36},
    {"csv has no rules", CPU, "{'csv': {'version': '1'}}", "{}", 33, 97, 36},
    {"no evidence at all", CPU, "{}", "{}", 33, 97, 36},
    {"gpu, versions endorsed", "default_gpu", GPU("disabled"),
     "{'allowed_vbios_versions': ['V'], 'allowed_driver_versions': ['D']}", 3, 2, 2},
    {"gpu, versions not endorsed", "default_gpu", GPU("disabled"), "{}", 3, 2, 3},
    {"gpu, debug enabled", "default_gpu", GPU("enabled"),
     "{'allowed_vbios_versions': ['V'], 'allowed_driver_versions': ['D']}", 3, 2, 36},
    {"gpu, local verifier", "default_gpu", "{'nvidia': {'arch': 'HOPPER', 'measurements': {}}}",
     "{}", 33, 97, 36},
    {"sample device, endorsed", "default_gpu", "{'sampledevice': {'svn': '1'}}", "{'svn': ['1']}",
     33, 2, 36},
    {"sample device", "default_gpu", "{'sampledevice': {'svn': '1'}}", "{}", 33, 97, 36},
    {"switch, version endorsed", "default_switch", SWITCH,
     "{'allowed_switch_bios_versions': ['V']}", 3, 2, 2},
    {"switch, version not endorsed", "default_switch", SWITCH, "{}", 3, 2, 3},
    {"switch, something else", "default_switch", "{'nvidia': {}}", "{}", 33, 97, 36},
    {"ppcie", "default_ppcie", "{'nvidia': {'switch_count': 4, 'gpu_count': 8}}", "{}", 0, 0, 2},
};

static int64_t claim(vs_val vector, const char *name)
{
    vs_val v = vs_getc(vector, name);
    assert_true(vs_is_int(v));
    return v.u.i;
}

static void every_row_of_the_table_holds(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        const row *r = &rows[i];
        vs_val got = run(w, r->policy, "data.policy.trust_claims", json1(w, r->input),
                         vs_undefined(), json1(w, r->refs));
        assert_int_equal(got.len, 8);
        if (claim(got, "executables") != r->executables || claim(got, "hardware") != r->hardware ||
            claim(got, "configuration") != r->configuration)
            fail_msg("%s: %s: executables %lld, hardware %lld, configuration %lld", r->policy,
                     r->what, (long long)claim(got, "executables"),
                     (long long)claim(got, "hardware"), (long long)claim(got, "configuration"));
    }
    print_message("# %zu rows\n", VS_COUNT(rows));
}

static void an_endorsed_realm_has_the_reference_vector(void **state)
{
    world *w = *state;
    vs_val got = run(w, CPU, "data.policy.trust_claims", json1(w, CCA), vs_undefined(),
                     json1(w, "{'cca.realm.cca-realm-initial-measurement': ['RIM']}"));
    assert_json_eq(
        w, got,
        "{'instance-identity': 2, 'configuration': 0, 'executables': 3, 'file-system': 0, "
        "'hardware': 2, 'runtime-opaque': 2, 'storage-opaque': 0, 'sourced-data': 0}");
}

static void identifiers_of_the_agent_policy_are_an_extension(void **state)
{
    world *w = *state;
    vs_val none = vs_undefined();
    assert_json_eq(w, run(w, CPU, "data.policy.extensions", json1(w, CCA), none, json1(w, "{}")),
                   "[{'name': 'ear.trustee.identifiers', 'key': -18, 'value': {'validated': {}}}]");
    vs_val input = json1(w, "{'init_data_claims': {'agent_policy_claims': {'containers': ["
                            "{'OCI': {'Annotations': {'io.kubernetes.cri.image-name': 'img'}, "
                            "'Process': {'User': {'UID': 1000}}}}, {'OCI': {}}]}}}");
    assert_json_eq(w, run(w, CPU, "data.policy.extensions", input, none, json1(w, "{}")),
                   "[{'name': 'ear.trustee.identifiers', 'key': -18, 'value': {'validated': "
                   "{'container_images': ['img'], 'container_uids': [1000]}}}]");
}

/* ---- resource policies --------------------------------------------------------------------------
 */

static void resource_policies_allow_what_they_say(void **state)
{
#define GOOD "{'submods': {'cpu0': {'ear.status': 'affirming'}}}"
    static const char resource[] =
        "{'plugin': 'resource', 'resource-path': ['a', 'b', 'c'], 'query': {}}";
    static const char other[] = "{'plugin': 'nebula-ca', 'resource-path': [], 'query': {}}";
    static const char sampled[] =
        "{'submods': {'cpu0': {'ear.veraison.annotated-evidence': {'sample': {'svn': '1'}}}}}";
#define TPM(status)                                                                                \
    "{'submods': {'cpu0': {" status "'ear.veraison.annotated-evidence': {'tpm': {'pcr11': "        \
    "'P'}}}}}"
    static const struct {
        const char *policy, *input, *data;
        bool allow;
    } cases[] = {
        {"kbs_default", GOOD, resource, true},
        {"kbs_default", "{'tee-pubkey': {}}", resource, true},
        {"kbs_default", GOOD, other, false},
        {"kbs_default", sampled, resource, false},
        {"kbs_default", TPM(""), resource, false}, /* anybody can sign a quote */
        {"kbs_default", TPM("'ear.status': 'warning', "), resource, false},
        {"kbs_default", TPM("'ear.status': 'contraindicated', "), resource, false},
        {"kbs_default", TPM("'ear.status': 'affirming', "), resource, true},
        {"kbs_allow_all", sampled, resource, true},
        {"kbs_allow_all", GOOD, other, false},
        {"kbs_deny_all", GOOD, resource, false},
        {"kbs_affirming", GOOD, resource, true},
        {"kbs_affirming", "{}", resource, false},
        {"kbs_affirming", "{'submods': {}}", resource, false},
        {"kbs_affirming", "{'submods': null}", resource, false},
        {"kbs_affirming", "{'submods': {'cpu0': {}}}", resource, false},
        {"kbs_affirming", "{'submods': {'cpu0': {'ear.status': null}}}", resource, false},
        {"kbs_affirming", "{'submods': {'cpu0': {'ear.status': 'warning'}}}", resource, false},
        {"kbs_affirming", "{'submods': {'cpu0': {'ear.status': 'affirming'}, 'gpu0': {}}}",
         resource, false},
        {"kbs_affirming",
         "{'submods': {'cpu0': {'ear.status': 'affirming'}, 'gpu0': {'ear.status': 'none'}}}",
         resource, false},
        {"kbs_affirming",
         "{'submods': {'cpu0': {'ear.status': 'affirming'}, 'gpu0': {'ear.status': 'affirming'}}}",
         resource, true},
        {"kbs_affirming", "{'submods': 'affirming'}", resource, false},
    };
    world *w = *state;
    for (size_t i = 0; i < VS_COUNT(cases); i++) {
        vs_val v = run(w, cases[i].policy, "data.policy.allow", json1(w, cases[i].input),
                       json1(w, cases[i].data), json1(w, "{}"));
        if (vs_is_true(v) != cases[i].allow)
            fail_msg("%s: %s on %s", cases[i].policy, vs_is_true(v) ? "allows" : "denies",
                     cases[i].input);
    }
}

static void unknown_policies_have_no_text(void **state)
{
    (void)state;
    assert_int_equal(vs_policy_text("nobody").n, 0);
    assert_int_equal(vs_policy_text("").n, 0);
    assert_true(
        vs_span_starts(vs_policy_text(CPU), VS_LIT("# SPDX-License-Identifier: Apache-2.0\n")));
    assert_true(vs_span_ends(vs_policy_text(CPU), VS_LIT("\n]\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_holds),
        cmocka_unit_test(an_endorsed_realm_has_the_reference_vector),
        cmocka_unit_test(identifiers_of_the_agent_policy_are_an_extension),
        cmocka_unit_test(resource_policies_allow_what_they_say),
        cmocka_unit_test(unknown_policies_have_no_text),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
