# SPDX-License-Identifier: Apache-2.0
#
# Resource policy: nobody gets anything.
package policy

import rego.v1

default allow := false
