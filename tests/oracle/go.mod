// SPDX-License-Identifier: Apache-2.0
// Only for `make rego-oracle`; nothing of it is built into anything else.
module oracle

go 1.25

require github.com/open-policy-agent/opa v1.22.3
