#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/rego/unicode_tables.h: simple case mappings and character classes as ranges.

Usage: scripts/gen-unicode.py > src/rego/unicode_tables.h

The facts come from Python's unicodedata; the version is pinned, because it is that of Go's unicode
package, whose answers Rego's lower, upper and sprintf must give. Python 3.12 has this version.
"""
import sys
import unicodedata

VERSION = '15.0.0'
LAST = 0x10ffff


def simple(cp, upper):
    """The simple mapping; str.upper gives the full one, which may be several characters."""
    c = chr(cp)
    if cp == 0x130:
        return cp if upper else ord('i')
    full = c.upper() if upper else c.lower()
    if len(full) > 1 and upper:
        full = c.title()  # the title case of these is one character, if there is one at all
    return ord(full) if len(full) == 1 else cp


def case_runs(upper):
    """(first, last, step, delta): code points first, first + step, ... last are mapped by delta."""
    runs = []
    for cp in range(0x80, LAST + 1):
        delta = simple(cp, upper) - cp
        if delta == 0:
            continue
        if runs:
            first, last, step, d = runs[-1]
            gap = cp - last
            if d == delta and gap <= 2 and (step in (0, gap)):
                runs[-1] = (first, cp, gap, d)
                continue
        runs.append((cp, cp, 0, delta))
    return [(f, l, s or 1, d) for f, l, s, d in runs]


def ranges(wanted):
    out = []
    for cp in range(LAST + 1):
        if not wanted(unicodedata.category(chr(cp)), cp):
            continue
        if out and out[-1][1] == cp - 1:
            out[-1] = (out[-1][0], cp)
        else:
            out.append((cp, cp))
    return out


def table(kind, name, rows, per_line):
    print(f'\nstatic const {kind} {name}[] = {{')
    cells = ['{' + ', '.join(f'{v:#x}' if v >= 0x80 else str(v) for v in row) + '}' for row in rows]
    for i in range(0, len(cells), per_line):
        print('    ' + ', '.join(cells[i:i + per_line]) + ',')
    print('};')


def main():
    if unicodedata.unidata_version != VERSION:
        sys.exit(f'this Python knows Unicode {unicodedata.unidata_version}, not {VERSION}')
    print('/* SPDX-License-Identifier: Apache-2.0 */')
    print(f'/* Written by scripts/gen-unicode.py from Unicode {VERSION}; included by unicode.c. */')
    print('/* clang-format off */')
    table('case_run', 'to_upper', case_runs(True), 3)
    table('case_run', 'to_lower', case_runs(False), 3)
    table('range', 'letters', ranges(lambda c, cp: c[0] == 'L'), 5)
    table('range', 'digits', ranges(lambda c, cp: c == 'Nd'), 5)
    table('range', 'printable', ranges(lambda c, cp: c[0] in 'LMNPS' or cp == 0x20), 5)


main()
