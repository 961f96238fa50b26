#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands for a TPM 2.0 on a Unix socket (swtpm), written without vouchsafe's code:
    tpm.py SOCKET ak              make an RSA attestation key at 0x81010002; prints its
                                  SubjectPublicKeyInfo in base64
    tpm.py SOCKET extend PCR TEXT extend a register of the SHA-256 bank by the text's digest
    tpm.py SOCKET pcr PCR         print a register in hexadecimal"""
import base64
import hashlib
import socket
import struct
import sys

OWNER = 0x40000001
PASSWORD = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)


def ask(sock, tag, command, body):
    sock.sendall(struct.pack(">HII", tag, 10 + len(body), command) + body)
    answer = b""
    while len(answer) < 10 or len(answer) < struct.unpack(">I", answer[2:6])[0]:
        piece = sock.recv(4096)
        if not piece:
            sys.exit("the TPM closed the connection")
        answer += piece
    (code,) = struct.unpack(">I", answer[6:10])
    if code:
        sys.exit(f"command {command:x}: code {code:x}")
    return answer[10:]


def sized(data):
    return struct.pack(">H", len(data)) + data


def tlv(tag, data):
    n = len(data)
    length = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else bytes([0x82, n >> 8, n & 255])
    return bytes([tag]) + length + data


def make_key(sock):
    # RSA-2048, RSASSA with SHA-256; restricted to what the TPM itself made.
    public = struct.pack(">HHIHHHHHI", 1, 0xB, 0x00050072, 0, 0x10, 0x14, 0xB, 2048, 0) + sized(b"")
    sensitive = sized(sized(b"") + sized(b""))
    answer = ask(sock, 0x8002, 0x131,
                 struct.pack(">I", OWNER) + PASSWORD + sensitive + sized(public) + sized(b"") + struct.pack(">I", 0))
    (handle,) = struct.unpack(">I", answer[:4])
    modulus = answer[8 + 2 + len(public) - 2 + 2 :][:256]
    ask(sock, 0x8002, 0x120, struct.pack(">II", OWNER, handle) + PASSWORD + struct.pack(">I", 0x81010002))
    key = tlv(0x30, tlv(2, b"\0" + modulus) + tlv(2, b"\x01\0\x01"))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    print(base64.b64encode(tlv(0x30, algorithm + tlv(3, b"\0" + key))).decode(), end="")


def extend(sock, pcr, text):
    digest = hashlib.sha256(text.encode()).digest()
    ask(sock, 0x8002, 0x182, struct.pack(">I", pcr) + PASSWORD + struct.pack(">IH", 1, 0xB) + digest)


def show(sock, pcr):
    bits = (1 << pcr).to_bytes(3, "little")
    answer = ask(sock, 0x8001, 0x17E, struct.pack(">IHB", 1, 0xB, 3) + bits)
    print(answer[-32:].hex(), end="")


def main():
    path, verb, *rest = sys.argv[1:]
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    if verb == "ak":
        make_key(sock)
    elif verb == "extend":
        extend(sock, int(rest[0]), rest[1])
    else:
        show(sock, int(rest[0]))


main()
