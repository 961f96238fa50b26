#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests need of a service manager and of a load balancer, on loopback.

  service.py notify SOCKET FILE                 datagrams that arrive at SOCKET, one a line, into FILE
  service.py activate NAME[:NAME...] PORTS COMMAND...
                                                COMMAND with a listening socket per name (sd_listen_fds);
                                                the ports are written into the file PORTS
  service.py balance PORT-FILE URL...           each request to the next URL in turn; one that cannot be
                                                reached is passed over
  service.py speak VERSION URL                  a KBS that speaks this version of the protocol and no other,
                                                as Trustee's do, in front of one that speaks more; prints
                                                "ready URL"
  service.py files CERT KEY                     the current directory over https; prints "ready URL"
"""
import http.client
import http.server
import json
import os
import socket
import ssl
import sys
import threading
import urllib.parse


def notify(path, out):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    with open(out, "a", encoding="utf-8") as f:
        while True:
            f.write(s.recv(4096).decode().replace("\n", " ") + "\n")
            f.flush()


def activate(names, ports, *command):
    sockets = []
    for _ in names.split(":"):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        sockets.append(s)
    with open(ports + ".new", "w", encoding="utf-8") as f:
        f.writelines(f"{s.getsockname()[1]}\n" for s in sockets)
    os.rename(ports + ".new", ports)
    high = [os.dup2(s.fileno(), 100 + i, False) for i, s in enumerate(sockets)]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i, True)
    os.environ.update(LISTEN_FDS=str(len(sockets)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=names)
    os.execvp(command[0], command)


class Balancer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    urls, turn, lock = [], 0, threading.Lock()

    def forward(self, body=None):
        if body is None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for _ in self.urls:
            with self.lock:
                url = self.urls[Balancer.turn % len(self.urls)]
                Balancer.turn += 1
            c = http.client.HTTPConnection(url, timeout=20)
            try:
                c.connect()
            except OSError:
                continue
            try:
                c.request(self.command, self.path, body, dict(self.headers))
                answer = c.getresponse()
                data = answer.read()
            except (OSError, http.client.HTTPException):
                break  # it may have been done: a balancer does not repeat that
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "connection", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        self.send_response(502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_DELETE = do_PUT = forward

    def log_message(self, *args):
        pass


def balance(port_file, *urls):
    Balancer.urls = [urllib.parse.urlsplit(u).netloc for u in urls]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Balancer)
    with open(port_file + ".new", "w", encoding="utf-8") as f:
        f.write(f"{server.server_port}\n")
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


class OneVersion(Balancer):
    version = ""

    def refuse(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        if self.path != "/kbs/v0/auth":
            return self.forward()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        print("offer", request["version"], flush=True)
        old = self.version == "0.1.1"
        if old and not isinstance(request["extra-params"], str):
            return self.refuse(400, "Json deserialize error: invalid type: map, expected a string at line 1 column 50")
        if request["version"] == self.version:
            return self.forward(body)
        kind, words = "AttestationError", "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version " \
            f"Mismatch: expect ={self.version} while the request is {request['version']}"
        if old:
            kind, words = "ProtocolVersion", "KBS Client Protocol Version Mismatch: expected version: " \
                f"={self.version}, requested version: {request['version']}"
        return self.refuse(401, json.dumps(
            {"type": "https://github.com/confidential-containers/kbs/errors/" + kind, "detail": words}))


def speak(version, url):
    OneVersion.version = version
    Balancer.urls = [urllib.parse.urlsplit(url).netloc]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneVersion)
    print(f"ready http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def files(cert, key):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"ready https://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


{"notify": notify, "activate": activate, "balance": balance, "speak": speak, "files": files}[sys.argv[1]](*sys.argv[2:])
