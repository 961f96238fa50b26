#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# RIMs of Linaro's cca-realm-measurements and of `vouchsafe rim` against each other. Skipped, saying
# why, where cargo or the crate cannot be had. usage: tests/oracle/rim/run.sh BUILD [CASES]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
work=$build/rim-oracle
skip() {
    echo "rim-oracle: skipped: $1"
    exit 0
}
command -v cargo >/dev/null || skip "there is no cargo command"
mkdir -p "$work"
if ! cargo install --quiet --locked --root "$work" --version 0.1.0 cca-realm-measurements >"$work/build.log" 2>&1; then
    skip "cca-realm-measurements could not be built: $(tail -n 1 "$work/build.log")"
fi
exec python3 "$here/compare.py" "$work/bin/realm-measurements" "$build/src/cmd/vouchsafe" "${2:-100}"
