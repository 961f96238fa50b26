#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole handshakes with sample evidence, one request to each server in turn, none of them ever repeated.

  handshakes.py THREADS STOP-FILE PATH MODULUS URL...

Until STOP-FILE is there. MODULUS: of the RSA key for which the resource at PATH is released, in hexadecimal.
Prints a line for each: "ok", or "failed URL what the server or the system said".
"""
import base64
import hashlib
import http.client
import json
import os
import sys
import threading
import urllib.parse

lock = threading.Lock()


def ask(url, method, path, body=None, headers=None):
    try:
        c = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
        c.request(method, "/kbs/v0/" + path, json.dumps(body) if body else None, headers or {})
        answer = c.getresponse()
        data = answer.read()
        c.close()
    except (OSError, http.client.HTTPException) as e:
        raise RuntimeError(f"{url} {e!r}") from e
    if answer.status != 200:
        raise RuntimeError(f"{url} {answer.status} {data[:300]!r}")
    return answer, json.loads(data)


def handshake(urls, path, key):
    answer, challenge = ask(urls[0], "POST", "auth", {"version": "0.4.0", "tee": "sample", "extra-params": ""})
    cookie = {"Cookie": answer.getheader("Set-Cookie").split(";")[0]}
    runtime = {"nonce": challenge["nonce"], "tee-pubkey": key}
    hashed = json.dumps(dict(runtime, **{"additional-evidence": ""}), sort_keys=True, separators=(",", ":"))
    evidence = {"svn": "1", "report_data": base64.b64encode(hashlib.sha384(hashed.encode()).digest()).decode()}
    ask(urls[1], "POST", "attest", {"init-data": None, "runtime-data": runtime, "tee-evidence": {
        "primary_evidence": evidence, "additional_evidence": ""}}, cookie)
    ask(urls[2], "GET", "resource/" + path, None, cookie)


def run(first, stop, path, key, urls):
    turn = first
    while not os.path.exists(stop):
        turn += 1
        try:
            handshake([urls[(turn + i) % len(urls)] for i in range(3)], path, key)
            line = "ok"
        except RuntimeError as e:
            line = f"failed {e}"
        with lock:
            print(line, flush=True)


def main(threads, stop, path, modulus, *urls):
    n = base64.urlsafe_b64encode(bytes.fromhex(modulus)).rstrip(b"=").decode()
    key = {"kty": "RSA", "alg": "RSA-OAEP-256", "e": "AQAB", "n": n}
    all_of_them = [threading.Thread(target=run, args=(i, stop, path, key, urls)) for i in range(int(threads))]
    for t in all_of_them:
        t.start()
    for t in all_of_them:
        t.join()


main(*sys.argv[1:])
