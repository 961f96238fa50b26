#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs Rego programs through OPA and librego, and compares the results.

usage: compare.py ORACLE LIBREGO.so CASES.json...

A case file is a list of {"note", "modules", "query", "input", "data", "strict", "v0"}, or of
{"note", "expression", "values": {"A": [...], ...}}: the expression with every combination of the
values in place of the names. "differs" in a case says why the two are known not to agree; the case
then fails when they do. Exit code 0: nothing unexpected, 1: differences, 2: could not be run.
"""
import itertools
import json
import re
import subprocess
import sys
from decimal import Context

from librego import Librego, loads


def expand(case):
    if "expression" not in case:
        yield case
        return
    names = sorted(case.get("values", {}))
    for values in itertools.product(*(case["values"][n] for n in names)):
        text = case["expression"]
        for name, value in zip(names, values):
            text = re.sub(r"\b%s\b" % name, lambda _m, v=value: f"id({v})", text)
        for strict in (True, False):
            yield {**case, "note": f"{case['note']}: {text}" + (" (strict)" if strict else ""),
                   # through a function, whose result may be anything: no static types here
                   "modules": ["package a\n\nid(x) := x\n\np := x if x := " + text + "\n"],
                   "query": "x = data.a.p", "strict": strict}


def code(answer):
    error = answer.get("error")
    if not error:
        return None
    found = error["code"] or (re.search(r"rego_\w+_error", error["message"]) or [""])[0]
    # which static check finds something first is the compiler's affair
    return "static" if found.startswith("rego_") else found


def canonical(results):
    return sorted(json.dumps(plain(r), sort_keys=True) for r in results)


def plain(v):
    """Numbers by their value: 1.0 is 1. OPA's quotients are 64 bit floats, ours have more digits."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, (bool, str)) or v is None:
        return v
    rounded = Context(prec=17).plus(v).normalize()
    return "number " + (format(rounded, "f") if rounded else "0")


def agree(opa, ours):
    if code(opa) or code(ours):
        return code(opa) == code(ours)
    return canonical(opa.get("results", [])) == canonical(ours.get("results", []))


def ask(oracle, cases):
    lines = "".join(json.dumps({k: c[k] for k in ("modules", "query", "input", "data", "strict",
                                                  "v0") if k in c}) + "\n" for c in cases)
    out = subprocess.run([oracle], input=lines, capture_output=True, text=True, check=True).stdout
    return [loads(line) for line in out.splitlines()]


def main(oracle, library, files):
    rego, cases, bad = Librego(library), [], 0
    for name in files:
        with open(name, encoding="utf-8") as f:
            cases += [c for group in json.load(f) for c in expand(group)]
    for case, opa in zip(cases, ask(oracle, cases), strict=True):
        ours = rego.run(case)
        if agree(opa, ours) != ("differs" in case):
            continue
        bad += 1
        print("UNEXPECTED", case["note"])
        print("  opa ", json.dumps(opa, default=str)[:400])
        print("  ours", json.dumps(ours, default=str)[:400])
    known = sum("differs" in c for c in cases)
    print(f"{len(cases)} programs compared with OPA, {bad} unexpected, {known} known differences")
    return 1 if bad or not cases else 0


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
