#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a hostile host does to a LUKS2 disk: luks2_null.py IMAGE gives its data segment the null
cipher, in both copies of the header, under checksums that are right."""
import hashlib
import sys

COPY, JSON, CHECKSUM = 16384, 4096, 448

with open(sys.argv[1], "r+b") as disk:
    for at in (0, COPY):
        disk.seek(at)
        copy = bytearray(disk.read(COPY))
        text = bytes(copy[JSON:]).rstrip(b"\0")
        head, segments = text.split(b'"segments":', 1)
        text = head + b'"segments":' + segments.replace(b"aes-xts-plain64", b"cipher_null-ecb", 1)
        copy[JSON:] = text.ljust(COPY - JSON, b"\0")
        copy[CHECKSUM : CHECKSUM + 64] = bytes(64)
        copy[CHECKSUM : CHECKSUM + 32] = hashlib.sha256(copy).digest()
        disk.seek(at)
        disk.write(copy)
