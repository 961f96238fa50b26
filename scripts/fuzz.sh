#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every libFuzzer target of a build for some seconds; findings are kept in BUILD/findings.
# usage: scripts/fuzz.sh BUILD SECONDS [TARGET...]
set -eu
build=$1 seconds=$2
shift 2
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$build/findings"
bad=0 ran=0
for exe in "$build"/fuzz/fuzz_*; do
    if [ ! -x "$exe" ] || [ ! -f "$exe" ]; then continue; fi
    name=${exe##*/fuzz_}
    [ $# -eq 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    work=$build/corpus/$name
    mkdir -p "$work"
    log=$build/findings/$name.log
    if "$exe" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$name-" "$work" "$here/fuzz/corpus/$name" >"$log" 2>&1; then
        printf '%-14s no finding, %s executions\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        printf '%-14s FINDING, see %s\n' "$name" "$log"
        bad=$((bad + 1))
    fi
    ran=$((ran + 1))
done
echo "$ran fuzz targets, $bad with findings"
[ "$bad" = 0 ] && [ "$ran" != 0 ]
