#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes text files as a C header: for each argument NAME.EXT an array NAME_text, and a list
# EMBEDDED(X) that calls X(NAME) for each. Used at build time only.
#
#   embed.sh OUTPUT FILE...
set -eu
out=$1
shift
{
    names=
    for file in "$@"; do
        name=$(basename "$file")
        name=${name%.*}
        names="$names X($name)"
        printf 'static const unsigned char %s_text[] = {' "$name"
        od -An -v -tu1 "$file" | sed 's/\([0-9][0-9]*\)/\1,/g'
        printf '};\n'
    done
    printf '#define EMBEDDED(X)%s\n' "$names"
} >"$out"
