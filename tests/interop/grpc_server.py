#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""grpcio as the server of `grpc_peer call`: grpc_server.py DIR PEER."""
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

directory, peer = sys.argv[1:]


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        methods = {"/t.S/Echo": self.echo, "/t.S/Refuse": self.refuse, "/t.S/Sleep": self.sleep,
                   "/t.S/Big": self.big}
        found = methods.get(details.method)
        return found and grpc.unary_unary_rpc_method_handler(found)

    def echo(self, request, context):
        assert context.time_remaining() > 0
        return request

    def refuse(self, request, context):
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "50% nämlich:\n" + request.decode())

    def sleep(self, request, context):
        time.sleep(1)
        return request

    def big(self, request, context):
        return b"x" * int(request)


def call(url, path, text, *options):
    done = subprocess.run([peer, *options, "call", url, path, text], capture_output=True, text=True)
    return done.returncode, done.stdout.rstrip("\n"), done.stderr


def check(url, *options):
    assert call(url, "/t.S/Echo", "hello", *options)[:2] == (0, "OK hello"), call(url, "/t.S/Echo", "hello", *options)
    assert call(url, "/t.S/Echo", "", *options)[:2] == (0, "OK ")
    long = "0123456789abcdef" * 4000
    assert call(url, "/t.S/Echo", long, *options)[:2] == (0, "OK " + long)
    code, out, err = call(url, "/t.S/Refuse", "why", *options)
    assert code == 1 and out == "PERMISSION_DENIED ", out
    assert "PERMISSION_DENIED: 50% nämlich:?why" in err and "127.0.0.1:" in err, err
    code, out, err = call(url, "/t.S/None", "", *options)
    assert out == "UNIMPLEMENTED ", (out, err)
    code, out, err = call(url, "/t.S/Sleep", "", "-t", "200", *options)
    assert out == "DEADLINE_EXCEEDED ", (out, err)
    assert call(url, "/t.S/Big", str(4 << 20), *options)[1] == "OK " + "x" * (4 << 20)
    code, out, err = call(url, "/t.S/Big", str((4 << 20) + 1), *options)
    assert out == "RESOURCE_EXHAUSTED ", (out[:100], err)


server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", -1)])
server.add_generic_rpc_handlers((Handler(),))
plain = server.add_insecure_port("127.0.0.1:0")
cert = open(directory + "/cert.pem", "rb").read()
key = open(directory + "/key.pem", "rb").read()
credentials = grpc.ssl_server_credentials([(key, cert)], cert, require_client_auth=True)
secure = server.add_secure_port("127.0.0.1:0", credentials)
server.start()
check("http://127.0.0.1:%d" % plain)
tls = ["-a", directory + "/cert.pem", "-c", directory + "/cert.pem", "-k", directory + "/key.pem"]
check("https://localhost:%d" % secure, *tls)
check("https://127.0.0.1:%d" % secure, *tls)
code, out, err = call("https://127.0.0.1:%d" % secure, "/t.S/Echo", "x")
assert out == "UNAVAILABLE " and "certificate" in err, err
code, out, err = call("https://127.0.0.1:%d" % secure, "/t.S/Echo", "x", "-a", directory + "/cert.pem")
assert out == "UNAVAILABLE ", (out, err)
server.stop(None)
print("ok")
