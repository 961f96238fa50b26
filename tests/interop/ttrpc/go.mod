// SPDX-License-Identifier: Apache-2.0
// Only for tests/interop/ttrpc.bats; nothing of it is built into anything else.
module peer

go 1.21

require (
	github.com/containerd/ttrpc v1.2.7
	google.golang.org/protobuf v1.36.5
)
