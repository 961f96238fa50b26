# SPDX-License-Identifier: Apache-2.0
#
# Resource policy of a new key broker: any attested workload may read resources, except one that
# was attested by the sample attester, which proves nothing. Replace it before real use: it does not
# ask what the workload is.
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
	not input.submods.cpu0["ear.veraison.annotated-evidence"].sample
}
