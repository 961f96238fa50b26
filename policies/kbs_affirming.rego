# SPDX-License-Identifier: Apache-2.0
#
# Resource policy: release when every attester of the workload was appraised as affirming, that is,
# when no claim of any of them warns or contraindicates.
package policy

import rego.v1

default allow := false

# `every` holds for an empty collection, hence the `some`; a member that is missing fails the body of
# `every`. So a token without attesters, or with one that has no status, is denied.
allow if {
	some _ in input.submods
	every submod in input.submods {
		submod["ear.status"] == "affirming"
	}
}
