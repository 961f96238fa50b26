# SPDX-License-Identifier: Apache-2.0
#
# Resource policy: release when every attester of the workload was appraised as affirming, that is,
# when no claim of any of them warns or contraindicates.
package policy

import rego.v1

default allow := false

# `every` holds for an empty collection, and a member that is missing fails its body: a token
# without attesters, or with one that has no status, is denied.
allow if {
	count(input.submods) > 0
	every submod in input.submods {
		submod["ear.status"] == "affirming"
	}
}
