# SPDX-License-Identifier: Apache-2.0
#
# Attestation policy for the Protected PCIe topology, stored as "default_ppcie". The verifier adds
# this attester only after it has seen every GPU and switch of the machine name one another, each of
# which is appraised on its own (default_gpu, default_switch). So all that is left to say is that the
# wiring is approved.
package policy

import rego.v1

trust_claims := {
	"instance-identity": 0,
	"configuration": 2,
	"executables": 0,
	"file-system": 0,
	"hardware": 0,
	"runtime-opaque": 0,
	"storage-opaque": 0,
	"sourced-data": 0,
}
