#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Static checks: formatting, shell scripts, cppcheck, SPDX lines, nothing that must not be committed.
set -eu
bad=0
say() { echo "$*" >&2; bad=1; }

if command -v clang-format >/dev/null; then
    git ls-files '*.c' '*.h' '*.cc' | xargs clang-format --dry-run -Werror 2>/dev/null || say "clang-format: run 'make format'"
fi
if command -v shellcheck >/dev/null; then
    git ls-files '*.sh' .ci/run | xargs shellcheck || say "shellcheck: see above"
fi
if command -v cppcheck >/dev/null; then
    cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr --std=c11 \
        --suppress=missingIncludeSystem --suppress=varFuncNullUB --suppress=ctuuninitvar -Isrc -D_GNU_SOURCE -DVS_VERSION='"0"' src >/dev/null || say "cppcheck: run it on src/"
fi
for f in $(git ls-files '*.c' '*.h' '*.cc' '*.sh' '*.py' 'meson.build' '*/meson.build' 'policies/*.rego'); do
    head -3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || say "no SPDX line: $f"
done
for f in $(git ls-files 'src/*.c' 'src/*.h' 'src/*.cc'); do
    lines=$(wc -l <"$f")
    [ "$lines" -le 800 ] || say "over 800 lines: $f ($lines)"
done
[ "$bad" = 0 ] && echo "static checks: nothing to say"
exit $bad
