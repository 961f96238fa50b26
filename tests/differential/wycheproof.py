#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns Wycheproof's files for ECDSA on P-384 with r||s into the lines that test_p384.c reads."""
import hashlib
import json
import sys

HASHES = {"SHA-384": hashlib.sha384, "SHA-512": hashlib.sha512}


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            document = json.load(f)
        for group in document["testGroups"]:
            for test in group["tests"]:
                digest = HASHES[group["sha"]](bytes.fromhex(test["msg"])).hexdigest()
                print(f"{group['sha']}-{test['tcId']}", group["publicKey"]["uncompressed"], digest,
                      test["sig"] or "-", test["result"])


if __name__ == "__main__":
    main()
