#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark of a release build. Compare ratios inside one run only: machines are noisy.
set -eu
build=$1
for exe in "$build"/bench/*/bench_*; do
    if [ -x "$exe" ] && [ -f "$exe" ]; then
        printf '\n== %s\n' "${exe##*/bench_}"
        "$exe"
    fi
done
printf '\n== why\n'
"$(dirname "$0")/bench-why.sh" "$build"

printf '\n== p384 (both back ends, also held against each other)\n'
"$build"/tests/differential/p384_differential 20000 || [ $? = 77 ]
