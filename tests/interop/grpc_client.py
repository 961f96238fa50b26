#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""grpcio as the client of grpc_peer: grpc_client.py DIR PEER [OPTIONS OF PEER]."""
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

directory, peer, *options = sys.argv[1:]
server = subprocess.Popen([peer, *options, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
port = server.stdout.readline().split()[1].decode()
LIMITS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def connect():
    if "-c" not in options:
        return grpc.insecure_channel("127.0.0.1:" + port, options=LIMITS)
    cert = open(directory + "/cert.pem", "rb").read()
    key = open(directory + "/key.pem", "rb").read()
    credentials = grpc.ssl_channel_credentials(cert, key, cert)
    return grpc.secure_channel("localhost:" + port, credentials, options=LIMITS)


def failure(call, *args, **kw):
    try:
        call(*args, **kw)
    except grpc.RpcError as e:
        return e.code(), e.details()
    raise AssertionError("the call did not fail")


def method(channel, path):
    return channel.unary_unary(path)


def calls(channel):
    echo = method(channel, "/test.Peer/Echo")
    assert echo(b"") == b""
    for size in (1, 16383, 16384, 70000, 1 << 20, 4 << 20):
        data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        assert echo(data) == data, size
    assert failure(echo, b"x" * ((4 << 20) + 1))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
    with ThreadPoolExecutor(32) as pool:
        texts = [b"%d" % i * (i % 3000) for i in range(500)]
        assert list(pool.map(echo, texts)) == texts
    meta = [("x-long", "v" * 5000), ("x-data-bin", bytes(range(256)))]
    assert echo(b"m", metadata=meta) == b"m"


def errors(channel):
    code, text = failure(method(channel, "/test.Peer/Refuse"), b"why")
    assert (code, text) == (grpc.StatusCode.ABORTED, "100% nämlich:\nwhy"), (code, text)
    code, _ = failure(method(channel, "/test.Peer/None"), b"")
    assert code == grpc.StatusCode.UNIMPLEMENTED
    code, text = failure(method(channel, "/test.Peer/Echo"), b"z" * 3000, compression=grpc.Compression.Gzip)
    assert code == grpc.StatusCode.UNIMPLEMENTED, (code, text)
    stream = channel.stream_unary("/test.Peer/Echo")
    code, _ = failure(stream, iter([b"one", b"two"]))
    assert code == grpc.StatusCode.UNIMPLEMENTED, code
    code, _ = failure(stream, iter([]))
    assert code == grpc.StatusCode.UNIMPLEMENTED, code


def deadlines(channel):
    nap = method(channel, "/test.Peer/Sleep")
    begin = time.monotonic()
    code, _ = failure(nap, b"", timeout=0.3)
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED, code
    assert time.monotonic() - begin < 2
    if "-w" in options:
        waiting = nap.future(b"")
        time.sleep(0.1)
        waiting.cancel()
        assert waiting.cancelled()
    assert method(channel, "/test.Peer/Echo")(b"after") == b"after"


def health(channel):
    check = method(channel, "/grpc.health.v1.Health/Check")
    assert check(b"") == b"\x08\x01"
    assert check(b"\x0a\x09test.Peer") == b"\x08\x01"
    assert failure(check, b"\x0a\x01x")[0] == grpc.StatusCode.NOT_FOUND


with connect() as channel:
    calls(channel)
    errors(channel)
    deadlines(channel)
    health(channel)
    name = method(channel, "/test.Peer/Who")(b"")
    assert name == (b"CN=peer DNS:localhost IP:127.0.0.1 URI:spiffe://example/peer" if "-a" in options else b"nobody")
    # An idle channel must not keep the server from stopping.
    begin = time.monotonic()
    server.stdin.close()
    assert server.wait(10) == 0
    assert time.monotonic() - begin < 2.5, "the stop took too long"
print("ok")
