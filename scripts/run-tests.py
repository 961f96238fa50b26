#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs all tests of a build directory and sums up their single cases.

Prints meson's line per program, every failed case, and last `N passed, N failed, N skipped`.
"""
import os
import subprocess
import sys
import xml.etree.ElementTree as ET


def main() -> int:
    build = sys.argv[1]
    run = subprocess.run(["meson", "test", "-C", build, "--print-errorlogs", "--no-rebuild", *sys.argv[2:]])
    report = os.path.join(build, "meson-logs", "testlog.junit.xml")
    passed = failed = skipped = 0
    for case in ET.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            print(f"FAILED {case.get('classname') or ''} {case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    if run.returncode != 0 and failed == 0:
        failed = 1  # a program died without reporting a case
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
