#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docs/cca.md is true: its commands run in order, and each line of output that it shows is printed.

setup() {
    load common.bash
    work=$(mktemp -d)
    cd "$work"
    export VOUCHSAFE=$VS_ROOT
}

teardown() { cd / && rm -rf "$work"; }

# The indented lines between the marks, without the indentation.
tour() { sed -n '/^<!-- tour -->/,/^<!-- end of tour -->/ s/^    //p' "$VS_ROOT/docs/cca.md"; }

@test "the commands of the CCA guide do what it says" {
    # One shell for all: each command's output between marks, stopping at the first that fails.
    {
        echo 'set -m; trap "kill \$(jobs -p) 2>/dev/null" EXIT'
        local n=0 line
        while IFS= read -r line; do
            [[ $line == '$ '* ]] || continue
            n=$((n + 1))
            printf 'echo "@@ %d"\n%s\n' "$n" "${line#\$ }"
            [[ $line == *'&' ]] || echo '[ $? = 0 ] || { echo "@@ failed"; exit 1; }'
        done < <(tour)
        echo 'echo "@@ end"'
    } >tour.sh
    bash tour.sh >printed 2>&1 3>&- || { cat printed tour.sh serve.log; false; }

    # Each line of the guide is one of those printed by the command above it.
    local n=0 line
    while IFS= read -r line; do
        case $line in
        '$ '*)
            n=$((n + 1))
            sed -n "/^@@ $n\$/,/^@@ /p" printed >here
            ;;
        '' | …) ;;
        *)
            pattern=${line//\\/\\\\}
            pattern=${pattern//\[/\\[}
            pattern=${pattern//…/*}
            found=
            while IFS= read -r got; do
                # shellcheck disable=SC2053
                [[ $got == $pattern ]] && found=1 && break
            done <here
            [ -n "$found" ] || { printf 'command %d does not print: %s\n' "$n" "$line"; cat here; false; }
            ;;
        esac
    done < <(tour)
    [ "$n" -gt 25 ]
    grep -q '<svg' token.html
}

@test "each word of the completion of realm and decode is an option" {
    # shellcheck source=/dev/null
    . "$VS_ROOT/packaging/completion/vouchsafe.bash"
    COMP_CWORD=3
    for sub in init run rim token extend endorse; do
        help=$(vouchsafe realm "$sub" --help)
        for word in $(_vouchsafe_realm "$sub"); do
            [ "$word" = --help ] || [[ "$help" == *"$word"* ]]
        done
    done
    help=$(vouchsafe decode --help)
    COMP_WORDS=(vouchsafe decode -)
    COMP_CWORD=2
    _vouchsafe
    [ "${#COMPREPLY[@]}" -ge 7 ]
    for word in "${COMPREPLY[@]}"; do [ "$word" = --help ] || [[ "$help" == *"$word"* ]]; done
}
