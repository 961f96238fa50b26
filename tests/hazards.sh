#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Does each test that docs/hazards.md names exist, and is it run? hazards.sh <root of the sources>
set -euo pipefail
cd "$1"
missing=0 count=0

# A unit test that is defined, and in the list of its program.
is_run() {
    local file
    file=$(grep -rlE "^static void $1\(" tests/unit) || return 1
    for one in $file; do
        [ "$(grep -cw "$1" "$one")" -ge 2 ] && return 0
    done
    return 1
}

exists() { # what the last column calls a test
    case $1 in
    *' '*) grep -qrF "@test \"$1\"" tests/e2e ;;
    fuzz_*) compgen -G "fuzz/*/${1#fuzz_}.c" >/dev/null || compgen -G "fuzz/*/$1.c" >/dev/null ;;
    *) is_run "$1" ;;
    esac
}

while read -r name; do
    count=$((count + 1))
    exists "$name" || { echo "no test is called \"$name\"" && missing=1; }
done < <(awk -F'|' '/^\|/ {print $(NF-1)}' docs/hazards.md | grep -o '`[^`]*`' | tr -d '`' || true)

[ "$count" -gt 50 ] || { echo "only $count names were found" && missing=1; }
exit "$missing"
