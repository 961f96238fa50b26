# SPDX-License-Identifier: Apache-2.0
#
# An attestation policy for Arm CCA alone that wants every measurement of the realm endorsed: the
# initial one (RIM), the four that the realm extends while it runs (REM), and the personalization
# value that its host was asked to give it (RPV, the digest of the init data). All are in base64.
# See docs/cca.md.
package policy

import rego.v1

default executables := 33 # unrecognised run-time

default configuration := 96 # not the one that was asked for

default hardware := 97

default instance_identity := 0

trust_claims := {
	"instance-identity": instance_identity,
	"configuration": configuration,
	"executables": executables,
	"file-system": 0,
	"hardware": hardware,
	"runtime-opaque": 0,
	"storage-opaque": 0,
	"sourced-data": 0,
}

rems := input.cca.realm["cca-realm-extensible-measurements"]

executables := 3 if {
	input.cca.realm["cca-realm-initial-measurement"] in query_reference_value("cca.realm.cca-realm-initial-measurement")
	rems[0] in query_reference_value("cca.realm.cca-realm-extensible-measurement-0")
	rems[1] in query_reference_value("cca.realm.cca-realm-extensible-measurement-1")
	rems[2] in query_reference_value("cca.realm.cca-realm-extensible-measurement-2")
	rems[3] in query_reference_value("cca.realm.cca-realm-extensible-measurement-3")
}

configuration := 2 if {
	input.cca.realm["cca-realm-personalization-value"] in query_reference_value("cca.realm.cca-realm-personalization-value")
}

# The verifier has proved the platform token under a trusted key, and its components and
# configuration against the reference values.
hardware := 2 if input.cca.platform

instance_identity := 2 if input.cca.platform
