#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for bytes in a process's writable memory: memory_scan.py PID FILE. Prints where they are;
exit code 1 when they are there, 0 when not, 2 when the memory cannot be read."""
import sys

SANITIZER = 1 << 29  # shadow memory is larger, and holds no data


def main():
    pid, path = sys.argv[1:]
    needle = open(path, "rb").read()
    found = looked = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, access, *_ = line.split()
            begin, end = (int(x, 16) for x in span.split("-"))
            if "w" not in access or end - begin > SANITIZER:
                continue
            try:
                mem.seek(begin)
                data = mem.read(end - begin)
            except OSError:
                continue
            looked += len(data)
            at = data.find(needle)
            while at >= 0:
                print(f"at {begin + at:x} in {line.strip()}")
                found += 1
                at = data.find(needle, at + 1)
    if not looked:
        sys.exit(2)
    sys.exit(1 if found else 0)


main()
