# SPDX-License-Identifier: Apache-2.0
#
# Attestation policy for CPU TEEs, stored as "default_cpu" when the service starts for the first
# time. It is evaluated once for each CPU attester found in the evidence.
#
# What comes in
#   input.<tee>            what the verifier proved about the attester, e.g. input.cca.realm
#   input.report_data      the report data that was verified, as text
#   input.init_data        the init data digest that was verified, as text
#   input.init_data_claims the init data document, or null
#   input.runtime_data_claims   the TEE's public key and the nonce, or null
#   query_reference_value(id)   an endorsed value, or null when nobody endorsed one
#
# What goes out
#   trust_claims   the trustworthiness vector of the token (AR4SI). 2..31 affirms, 32..95 warns,
#                  96..127 contraindicates, 0 says nothing. The worst claim is the status.
#   extensions     further members of the appraisal in the token
#
# Reference values used with `in` must be lists; those used with == must be single values.
# Nothing here grants anything by default: evidence that no rule recognises is contraindicated.
package policy

import rego.v1

default executables := 33 # unrecognised run-time

default hardware := 97 # unrecognised hardware

default configuration := 36 # no configuration is known

default file_system := 0

default instance_identity := 0

default runtime_opaque := 0

default storage_opaque := 0

default sourced_data := 0

trust_claims := {
	"instance-identity": instance_identity,
	"configuration": configuration,
	"executables": executables,
	"file-system": file_system,
	"hardware": hardware,
	"runtime-opaque": runtime_opaque,
	"storage-opaque": storage_opaque,
	"sourced-data": sourced_data,
}

##### Arm CCA
#
# The verifier has proved the platform token under a trusted platform key, and its binding to the
# realm token, before this policy runs. What it thinks of the platform's firmware, configuration and
# life cycle is in input.cca.vouchsafe, and counts here. A verifier that does not tell (Trustee's)
# has refused platforms that are wrong.
#
# What is left to decide is which realm images are good. A realm is good when its initial
# measurement (RIM, base64) is endorsed under the name used below, or by a signed endorsement
# (CoRIM) which nothing in the evidence contradicts. One that is contradicted, by its
# personalization value or an extensible measurement, is bad whatever else is endorsed.

executables := 33 if {
	cca_platform_is_unrecognized
} else := 96 if {
	cca_realm_is_contradicted
} else := 2 if {
	cca_realm_is_endorsed
} else := 3 if {
	input.cca.realm["cca-realm-initial-measurement"] in query_reference_value("cca.realm.cca-realm-initial-measurement")
}

cca_platform_is_unrecognized if {
	input.cca.vouchsafe
	not cca_platform_is_recognized
}

cca_platform_is_recognized if input.cca.vouchsafe.platform.vector.executables == 2

cca_realm_is_endorsed if input.cca.vouchsafe.realm["rim-endorsed"] == true

cca_realm_is_contradicted if input.cca.vouchsafe.realm["rpv-endorsed"] == false

cca_realm_is_contradicted if {
	some endorsed in input.cca.vouchsafe.realm["rem-endorsed"]
	endorsed == false
}

hardware := value if {
	value := input.cca.vouchsafe.platform.vector.hardware
} else := 2 if cca_without_vector

instance_identity := value if {
	value := input.cca.vouchsafe.platform.vector["instance-identity"]
} else := 2 if {
	cca_without_vector
	input.cca.platform["cca-platform-instance-id"]
}

configuration := value if {
	value := input.cca.vouchsafe.platform.vector.configuration
} else := 0 if {
	cca_without_vector
	input.cca.platform["cca-platform-implementation-id"]
}

# The memory of realms is encrypted; in some life cycles somebody can read it all the same.
runtime_opaque := 96 if {
	input.cca.vouchsafe.platform.vector["runtime-opaque"] == 96
} else := 2 if input.cca.realm

cca_without_vector if {
	input.cca.realm
	not input.cca.vouchsafe
}

##### AMD SEV-SNP

executables := 3 if input.snp.measurement in query_reference_value("snp_launch_measurement")

hardware := 2 if {
	input.snp.reported_tcb_bootloader in query_reference_value("snp_bootloader")
	input.snp.reported_tcb_microcode in query_reference_value("snp_microcode")
	input.snp.reported_tcb_snp in query_reference_value("snp_snp_svn")
	input.snp.reported_tcb_tee in query_reference_value("snp_tee_svn")
}

# Approved: not debuggable, cannot migrate, and every setting is the endorsed one.
# Safe: not debuggable and cannot migrate.
configuration := 2 if {
	snp_guest_is_closed
	input.snp.platform_smt_enabled == query_reference_value("snp_smt_enabled")
	input.snp.platform_tsme_enabled == query_reference_value("snp_tsme_enabled")
	input.snp.policy_abi_major == query_reference_value("snp_guest_abi_major")
	input.snp.policy_abi_minor == query_reference_value("snp_guest_abi_minor")
	input.snp.policy_single_socket == query_reference_value("snp_single_socket")
	input.snp.policy_smt_allowed == query_reference_value("snp_smt_allowed")
} else := 3 if snp_guest_is_closed

snp_guest_is_closed if {
	input.snp.policy_debug_allowed == false
	input.snp.policy_migrate_ma == false
}

##### Intel TDX

# Approved boot: the two RTMRs, and the event log (already replayed against the RTMRs) names an
# endorsed kernel and command line. 4: the RTMRs alone, as for a guest booted by GRUB.
executables := 3 if {
	tdx_rtmrs_are_endorsed
	tdx_kernel_is_endorsed
	tdx_command_line_is_endorsed
} else := 4 if tdx_rtmrs_are_endorsed

tdx_rtmrs_are_endorsed if {
	input.tdx.quote.body.rtmr_1 in query_reference_value("rtmr_1")
	input.tdx.quote.body.rtmr_2 in query_reference_value("rtmr_2")
}

tdx_kernel_is_endorsed if {
	some event in input.tdx.uefi_event_logs
	event.type_name == "EV_EFI_BOOT_SERVICES_APPLICATION"
	"File(kernel)" in event.details.device_paths
	some entry in event.digests
	entry.digest == query_reference_value("tdvfkernel")
}

tdx_command_line_is_endorsed if {
	some event in input.tdx.uefi_event_logs
	event.type_name == "EV_EVENT_TAG"
	event.details.string == "LOADED_IMAGE::LoadOptions"
	some entry in event.digests
	entry.digest == query_reference_value("tdvfkernelparams")
}

# Quote header values that mean "TDX quote made by Intel's quoting enclave".
tdx_tee_type := "81000000"

intel_quoting_vendor := "939a7233f79c4ca9940a0db3957f0607"

hardware := 2 if {
	input.tdx.quote.header.tee_type == tdx_tee_type
	input.tdx.quote.header.vendor_id == intel_quoting_vendor
	input.tdx.quote.body.mr_td in query_reference_value("mr_td")
	input.tdx.tcb_status == "UpToDate"
	input.tdx.collateral_expiration_status == "0"
}

configuration := 2 if {
	input.tdx.td_attributes.debug == false
	input.tdx.quote.body.xfam in query_reference_value("xfam")
}

##### Azure confidential VM, SEV-SNP with vTPM (all claims are strings)

executables := 3 if {
	input["az-snp-vtpm"].measurement in query_reference_value("measurement")
	input["az-snp-vtpm"].tpm.pcr11 in query_reference_value("snp_pcr11")
}

hardware := 2 if {
	input["az-snp-vtpm"].reported_tcb_bootloader in query_reference_value("tcb_bootloader")
	input["az-snp-vtpm"].reported_tcb_microcode in query_reference_value("tcb_microcode")
	input["az-snp-vtpm"].reported_tcb_snp in query_reference_value("tcb_snp")
	input["az-snp-vtpm"].reported_tcb_tee in query_reference_value("tcb_tee")
}

configuration := 2 if {
	input["az-snp-vtpm"].policy_debug_allowed == "false"
	input["az-snp-vtpm"].policy_migrate_ma == "false"
	input["az-snp-vtpm"].platform_smt_enabled in query_reference_value("smt_enabled")
	input["az-snp-vtpm"].platform_tsme_enabled in query_reference_value("tsme_enabled")
	input["az-snp-vtpm"].policy_abi_major in query_reference_value("abi_major")
	input["az-snp-vtpm"].policy_abi_minor in query_reference_value("abi_minor")
	input["az-snp-vtpm"].policy_single_socket in query_reference_value("single_socket")
	input["az-snp-vtpm"].policy_smt_allowed in query_reference_value("smt_allowed")
}

##### Azure confidential VM, TDX with vTPM

executables := 3 if input["az-tdx-vtpm"].tpm.pcr11 in query_reference_value("tdx_pcr11")

hardware := 2 if {
	input["az-tdx-vtpm"].quote.header.tee_type == tdx_tee_type
	input["az-tdx-vtpm"].quote.header.vendor_id == intel_quoting_vendor
	input["az-tdx-vtpm"].quote.body.mr_td in query_reference_value("mr_td")
	input["az-tdx-vtpm"].tcb_status == "UpToDate"
	input["az-tdx-vtpm"].collateral_expiration_status == "0"
}

configuration := 2 if {
	input["az-tdx-vtpm"].td_attributes.debug == false
	input["az-tdx-vtpm"].quote.body.xfam in query_reference_value("xfam")
}

##### TPM 2.0
#
# No root of trust vouches for the attestation key: without an endorsement of the key itself there
# need not be a TPM.

executables := 3 if {
	input.tpm.pcr11 in query_reference_value("tpm_pcr11")
	tpm_key_is_endorsed
}

hardware := 2 if tpm_key_is_endorsed

tpm_key_is_endorsed if input.tpm.ak_public in query_reference_value("trusted_aks")

configuration := 0 if input.tpm

##### IBM Secure Execution
#
# The verifier accepts only an image whose keys and header it was given, so there is nothing left
# to compare here.

executables := 3 if input.se

hardware := 2 if input.se

configuration := 2 if input.se

##### Sample (proves nothing; for tests and demonstrations)

executables := 3 if input.sample.launch_digest in query_reference_value("launch_digest")

hardware := 2 if {
	input.sample.svn in query_reference_value("svn")
	input.sample.platform_version.major == query_reference_value("major_version")

	# A number is greater than null, so the record must be seen to exist before >= means anything.
	is_number(query_reference_value("minimum_minor_version"))
	input.sample.platform_version.minor >= query_reference_value("minimum_minor_version")
}

configuration := 2 if input.sample.debug == false

##### Extensions
#
# What the agent policy in the init data allows to run, for those who read the token.

extensions := [{
	"name": "ear.trustee.identifiers",
	"key": -18,
	"value": {"validated": validated_identifiers},
}]

validated_identifiers[name] := found if {
	some name, found in {
		"container_images": container_images,
		"container_uids": container_uids,
	}
	count(found) > 0
}

container_images := [image |
	some container in input.init_data_claims.agent_policy_claims.containers
	image := container.OCI.Annotations["io.kubernetes.cri.image-name"]
]

container_uids := [uid |
	some container in input.init_data_claims.agent_policy_claims.containers
	uid := container.OCI.Process.User.UID
]
