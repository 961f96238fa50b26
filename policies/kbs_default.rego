# SPDX-License-Identifier: Apache-2.0
#
# Resource policy of a new key broker: any attested workload may read resources, except one whose
# evidence anybody can make: that of the sample attester, and that of a TPM, unless its key is
# endorsed and what it measured is affirmed. Replace it before real use: it does not ask what the
# workload is.
#
# What comes in
#   input                  the claims of the verified attestation token
#   data.plugin            "resource", or the name of another plugin
#   data["resource-path"]  the rest of the path, e.g. ["repository", "type", "tag"]
#   data.query             the query parameters, an object of strings
# What goes out
#   allow                  the boolean true releases; anything else denies
package policy

import rego.v1

default allow := false

allow if {
	data.plugin == "resource"
	not evidence.sample
	not is_unknown_tpm
}

evidence := input.submods.cpu0["ear.veraison.annotated-evidence"]

# A key in software signs the same quotes as one in a TPM.
is_unknown_tpm if {
	evidence.tpm
	not input.submods.cpu0["ear.status"] == "affirming"
}
