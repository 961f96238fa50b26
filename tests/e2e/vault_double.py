# SPDX-License-Identifier: Apache-2.0
"""Speaks as much of Vault's HTTP API as the KV engine of version 2 under kv/ needs, over TLS.

usage: vault_double.py CERT KEY TOKEN DIR: prints "ready https://127.0.0.1:PORT"; a file DIR/slow
makes every answer take two seconds, DIR/sealed makes it one of a sealed Vault.
"""
import http.server
import json
import os
import ssl
import sys
import time

cert, key, token, folder = sys.argv[1:5]
secrets = {}


class Vault(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if os.path.exists(folder + "/slow"):
            time.sleep(2)
        if os.path.exists(folder + "/sealed"):
            return self.answer(503, {"errors": ["Vault is sealed"]})
        if self.headers.get("X-Vault-Token") != token:
            return self.answer(403, {"errors": ["permission denied"]})
        kind, _, path = self.path.removeprefix("/v1/kv/").partition("/")
        if kind == "data" and self.command == "POST":
            secrets[path] = json.loads(body)["data"]
            return self.answer(200, {"data": {"version": 1}})
        if kind == "data" and self.command == "GET" and path in secrets:
            return self.answer(200, {"data": {"data": secrets[path], "metadata": {"version": 1}}})
        if kind == "metadata" and self.command == "DELETE":
            secrets.pop(path, None)
            return self.answer(204, None)
        return self.answer(404, {"errors": []})

    do_GET = do_POST = do_DELETE = serve

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vault)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready https://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
