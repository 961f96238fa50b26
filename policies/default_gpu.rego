# SPDX-License-Identifier: Apache-2.0
#
# Attestation policy for GPUs, stored as "default_gpu". input.nvidia holds the claims of NVIDIA's
# remote attestation service; see default_cpu for what a policy gets and gives.
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

# The report is signed by a valid, unrevoked device certificate that belongs to this firmware.
hardware := 2 if {
	certificates_are_good(input.nvidia["x-nvidia-gpu-attestation-report-cert-chain"])
	input.nvidia["x-nvidia-gpu-attestation-report-cert-chain-fwid-match"] == true
	input.nvidia["x-nvidia-gpu-attestation-report-parsed"] == true
	input.nvidia["x-nvidia-gpu-attestation-report-signature-verified"] == true
	input.nvidia["x-nvidia-gpu-arch-check"] == true
}

# Approved: booted securely, not debuggable, endorsed firmware and driver. Safe: the first two.
configuration := 2 if {
	boots_securely
	input.nvidia["x-nvidia-gpu-vbios-version"] in query_reference_value("allowed_vbios_versions")
	input.nvidia["x-nvidia-gpu-driver-version"] in query_reference_value("allowed_driver_versions")
} else := 3 if boots_securely

# Measurements equal NVIDIA's reference manifests (RIM) for this driver and this firmware.
executables := 3 if {
	certificates_are_good(input.nvidia["x-nvidia-gpu-vbios-rim-cert-chain"])

	input.nvidia["x-nvidia-gpu-driver-rim-fetched"] == true
	input.nvidia["x-nvidia-gpu-driver-rim-measurements-available"] == true
	input.nvidia["x-nvidia-gpu-driver-rim-schema-validated"] == true
	input.nvidia["x-nvidia-gpu-driver-rim-signature-verified"] == true
	input.nvidia["x-nvidia-gpu-driver-rim-version-match"] == true

	input.nvidia["x-nvidia-gpu-vbios-rim-fetched"] == true
	input.nvidia["x-nvidia-gpu-vbios-rim-measurements-available"] == true
	input.nvidia["x-nvidia-gpu-vbios-rim-schema-validated"] == true
	input.nvidia["x-nvidia-gpu-vbios-rim-signature-verified"] == true
	input.nvidia["x-nvidia-gpu-vbios-rim-version-match"] == true

	input.nvidia.measres == "success"
}

boots_securely if {
	input.nvidia.secboot == true
	input.nvidia.dbgstat == "disabled"
}

certificates_are_good(chain) if {
	chain["x-nvidia-cert-ocsp-status"] == "good"
	chain["x-nvidia-cert-status"] == "valid"
}

# The sample device proves nothing; for tests and demonstrations.
hardware := 2 if input.sampledevice.svn in query_reference_value("svn")
