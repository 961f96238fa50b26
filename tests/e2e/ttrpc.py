#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One ttrpc call, written without vouchsafe's code:
    ttrpc.py SOCKET SERVICE METHOD [FIELD=TEXT ...] [--stdin]
Fields are strings by number; --stdin sends standard input as field 1. Prints field 1 of the answer
(bytes as they are, a number in decimal). A status that is not OK goes to stderr; exit code 1."""
import socket
import struct
import sys


def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def put(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    at = 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = take()
        if tag & 7 == 0:
            yield tag >> 3, take()
        else:
            n = take()
            yield tag >> 3, data[at : at + n]
            at += n


def read(sock, n):
    out = b""
    while len(out) < n:
        piece = sock.recv(n - len(out))
        if not piece:
            sys.exit("the connection was closed")
        out += piece
    return out


def main():
    path, service, method, *rest = sys.argv[1:]
    message = b""
    for word in rest:
        if word == "--stdin":
            message += put(1, sys.stdin.buffer.read())
        else:
            number, text = word.split("=", 1)
            message += put(int(number), text.encode())
    request = put(1, service.encode()) + put(2, method.encode())
    if message:
        request += put(3, message)
    request += varint(4 << 3) + varint(60 * 10**9)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    sock.sendall(struct.pack(">IIBB", len(request), 1, 1, 0) + request)
    length, stream, kind, _ = struct.unpack(">IIBB", read(sock, 10))
    answer = dict(fields(read(sock, length)))
    if (stream, kind) != (1, 2):
        sys.exit("an answer on another stream, or none")
    status = dict(fields(answer.get(1, b"")))
    if status.get(1, 0):
        print(status[1], status.get(2, b"").decode(), file=sys.stderr)
        sys.exit(1)
    first = dict(fields(answer.get(2, b""))).get(1, b"")
    sys.stdout.buffer.write(first if isinstance(first, bytes) else str(first).encode())


if __name__ == "__main__":
    main()
