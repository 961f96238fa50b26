#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds what other implementations are for the tests in tests/interop, from the registries of their
# languages, into build/peers. Without it those tests are skipped.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/peers
mkdir -p "$out"
if ! command -v go >/dev/null; then
    echo "peers: there is no go command" >&2
    exit 0
fi
for dir in tests/interop/*/; do
    name=$(basename "$dir")
    [ -e "$dir/go.mod" ] || continue
    rm -rf "$out/src-$name"
    cp -r "$dir" "$out/src-$name"
    if (cd "$out/src-$name" && go build -mod=mod -o "$out/$name" .) >"$out/$name.log" 2>&1; then
        echo "build/peers/$name"
    else
        echo "peers: $name could not be built: $(tail -n 1 "$out/$name.log")" >&2
    fi
done
