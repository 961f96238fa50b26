#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

@test "the demonstration plays from beginning to end in under 10 seconds" {
    begin=$(date +%s)
    run "$VS_ROOT/scripts/demo.sh" "$VS_BUILD"
    echo "$output"
    [ "$status" -eq 0 ]
    [ $(($(date +%s) - begin)) -lt 10 ] || [ -n "${VS_SLOW_OK:-}" ]
    [[ "$output" == *"byte for byte"* ]]
}
