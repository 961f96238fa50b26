#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A dishonest attestation device: whatever it is asked, it answers with one token from a file.

usage: cca_device.py SOCKET TOKEN. Speaks the socket protocol of src/client/tsm_socket.h.
"""
import socket
import struct
import sys

PROVIDER = b"arm_cca_guest\n"


def receive(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            return None
        data += more
    return data


def serve(peer, token):
    generation = 0
    while head := receive(peer, 4):
        blob = receive(peer, struct.unpack(">I", head)[0])
        generation += bool(blob)
        answer = token if blob else b""
        peer.sendall(
            struct.pack(">II", 0, len(PROVIDER)) + PROVIDER + struct.pack(">II", generation, len(answer)) + answer
        )


def main():
    token = open(sys.argv[2], "rb").read()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    print("ready socket", sys.argv[1], flush=True)
    while True:
        peer, _ = listener.accept()
        with peer:
            serve(peer, token)


if __name__ == "__main__":
    main()
