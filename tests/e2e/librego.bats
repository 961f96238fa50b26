# SPDX-License-Identifier: Apache-2.0
# librego from outside: installed, found by pkg-config, embedded in the example.

setup_file() {
    export STAGE="$BATS_FILE_TMPDIR/stage"
    meson install -C "$VS_BUILD" --no-rebuild --quiet --destdir "$STAGE"
    PC=$(find "$STAGE" -name rego.pc)
    export PKG_CONFIG_PATH="${PC%/*}" PKG_CONFIG_SYSROOT_DIR="$STAGE"
    LIB=$(find "$STAGE" -name librego.so)
    export LD_LIBRARY_PATH="${LIB%/*}"
    cd "$BATS_FILE_TMPDIR"
    # shellcheck disable=SC2046,SC2086  # words are meant
    cc -std=c11 -Wall -Wextra -Werror $SANITIZE "$VS_ROOT/examples/embed/embed.c" \
        $(pkg-config --cflags --libs rego) -o embed
}

embed() {
    "$BATS_FILE_TMPDIR/embed" "$@"
}

@test "the example builds with nothing but pkg-config, and decides" {
    run embed "$VS_ROOT/examples/embed/policy.rego" '{"action":"read","user":"ada","document":{"owner":"ada"}}'
    [ "$status" -eq 0 ] && [ "$output" = allowed ]
    run embed "$VS_ROOT/examples/embed/policy.rego" '{"action":"write","user":"ada","document":{"owner":"ada"}}'
    [ "$status" -eq 1 ] && [ "$output" = denied ]
    run embed "$VS_ROOT/examples/embed/policy.rego" '{"action":"write","user":"root"}'
    [ "$status" -eq 0 ]
}

@test "a wrong policy is shown with a caret, wrong input is refused" {
    printf 'package policy\n\nallow if input.x ==\n' >"$BATS_TEST_TMPDIR/bad.rego"
    run embed "$BATS_TEST_TMPDIR/bad.rego" '{}'
    [ "$status" -eq 2 ]
    [[ "$output" == *"bad.rego:4: rego_parse_error"* || "$output" == *"bad.rego:3: rego_parse_error"* ]]
    run embed "$VS_ROOT/examples/embed/policy.rego" '{"a":'
    [ "$status" -eq 2 ]
}

@test "the library shows its documented functions and no others" {
    lib=$(find "$STAGE" -name 'librego.so.1.0.0')
    nm -D --defined-only "$lib" | awk '$2 == "T" {print $3}' | sed 's/@.*//' | sort >"$BATS_TEST_TMPDIR/have"
    grep -oE '\brego_[a-z_]+\(' "$VS_ROOT/include/rego/rego.h" | tr -d '(' | sort -u >"$BATS_TEST_TMPDIR/documented"
    # every exported name is in the header
    [ -z "$(comm -23 "$BATS_TEST_TMPDIR/have" "$BATS_TEST_TMPDIR/documented")" ]
    grep -q SONAME <(readelf -d "$lib")
    [[ "$(readelf -d "$lib" | grep SONAME)" == *librego.so.1* ]]
}
