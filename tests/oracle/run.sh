#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the oracle and compares. Skipped, saying why, where Go or OPA's module cannot be had.
# usage: tests/oracle/run.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
skip() {
    echo "rego-oracle: skipped: $1"
    exit 0
}
command -v go >/dev/null || skip "there is no go command"
command -v python3 >/dev/null || skip "there is no python3"
mkdir -p "$build/oracle"
cp "$here/go.mod" "$here/main.go" "$build/oracle/"
if ! (cd "$build/oracle" && go build -mod=mod -o rego-oracle .) 2>"$build/oracle/build.log"; then
    skip "OPA could not be built: $(tail -n 1 "$build/oracle/build.log")"
fi
exec python3 "$here/compare.py" "$build/oracle/rego-oracle" "$build/src/librego/librego.so.1.0.0" \
    "$here"/cases/*.json
