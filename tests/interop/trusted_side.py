#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""grpcio against our grpc-as and rvps, and our kbs's verifier side against services of grpcio:
trusted_side.py DIR BIN. Messages are written by hand from the tables of fields, so that neither side's
generated code is the judge of the other's."""
import base64
import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

directory, programs = sys.argv[1:]
AS, RVPS = "/attestation.AttestationService/", "/reference.ReferenceValueProviderService/"
running = []


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """The fields of a message of strings and messages, as a list of (number, bytes)."""
    out, at = [], 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        assert key & 7 == 2, key
        size = number()
        out.append((key >> 3, message[at : at + size]))
        at += size
    return out


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def start(name, *args):
    log = open("%s/%s.log" % (directory, name), "w")
    p = subprocess.Popen([programs + "/" + name, *args], stdout=subprocess.PIPE, stderr=log, cwd=directory)
    running.append(p)
    return p.stdout.readline().split()[1].decode()


def target(url):
    return url.removeprefix("http://")


def refused(call, message, text):
    try:
        call(message)
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.ABORTED, e.code()
        assert text in e.details(), e.details()
        return
    raise AssertionError("not refused")


def values(channel):
    query, register = channel.unary_unary(RVPS + "QueryReferenceValue"), channel.unary_unary(RVPS + "RegisterReferenceValue")
    assert query(field(1, "x")) == b"" and query(field(1, "__healthcheck__")) == b""
    payload = base64.b64encode(json.dumps({"x": ["ä", 1]}).encode()).decode()
    assert register(field(1, json.dumps({"version": "0.1.0", "type": "sample", "payload": payload}))) == b""
    assert fields(query(field(1, "x"))) == [(1, '["ä",1]'.encode())]
    refused(register, field(1, '{"type":"slsa","payload":""}'), "Could not find extractor for slsa")


def evidence(runtime):
    digest = hashlib.sha384(runtime.encode()).digest()
    return b64url(json.dumps({"svn": "1", "report_data": base64.b64encode(digest).decode()}).encode())


def attestation(channel):
    evaluate = channel.unary_unary(AS + "AttestationEvaluate")
    runtime = '{"nonce":"n"}'
    one = field(1, "sample") + field(3, evidence(runtime)) + field(5, runtime) + field(8, "sha384")
    [(number, token)] = fields(evaluate(field(1, one) + field(2, "default")))
    assert number == 1 and token.count(b".") == 2
    claims = json.loads(base64.urlsafe_b64decode(token.split(b".")[1] + b"=="))
    assert claims["submods"]["cpu0"]["ear.status"] == "contraindicated", claims
    refused(evaluate, field(1, field(1, "sample") + field(3, "e30")), "Attestation evaluation failed: \n0: verifying sample evidence\n1: ")
    refused(evaluate, field(1, field(1, "none") + field(3, "e30")), "parse TEE type: ")
    policy = b64url(b'package policy\ntrust_claims := {"hardware": 2}\n')
    assert channel.unary_unary(AS + "SetAttestationPolicy")(field(1, "mine_cpu") + field(2, policy)) == b""
    token = fields(evaluate(field(1, one) + field(2, "mine")))[0][1]
    assert b'"affirming"' in base64.urlsafe_b64decode(token.split(b".")[1] + b"==")
    ask = channel.unary_unary(AS + "GetAttestationChallenge")
    assert ask(field(1, field(1, "tee") + field(2, "cca")) + field(1, field(1, "tee_params") + field(2, ""))) == b""
    refused(ask, b"", "Error parse inner_tee tee")
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(evaluate, [field(1, one)] * 100))


def health(channel, name):
    assert channel.unary_unary("/grpc.health.v1.Health/Check")(field(1, name)) == b"\x08\x01"


class Provider(grpc.GenericRpcHandler):
    """Someone else's provider, as our attestation service meets it."""

    asked = []

    def service(self, details):
        found = {RVPS + "QueryReferenceValue": self.query, RVPS + "RegisterReferenceValue": self.register}.get(details.method)
        return found and grpc.unary_unary_rpc_method_handler(found)

    def query(self, request, context):
        name = fields(request)[0][1].decode()
        self.asked.append(name)
        if name == "broken":
            context.abort(grpc.StatusCode.ABORTED, "Query reference value: broken")
        return field(1, '["here"]') if name == "there" else b""

    def register(self, request, context):
        self.asked.append(fields(request)[0][1])
        return b""


def theirs():
    provider = Provider()
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((provider,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with open(directory + "/as.json", "w") as f:
        json.dump({"sample_tee": True, "rvps_config": {"type": "GrpcRemote", "address": "127.0.0.1:%d" % port}}, f)
    with grpc.insecure_channel(target(start("grpc-as", "-c", "as.json", "-s", "127.0.0.1:0", "--data-dir", "as2"))) as channel:
        query = channel.unary_unary(RVPS + "QueryReferenceValue")
        assert fields(query(field(1, "there"))) == [(1, b'["here"]')] and query(field(1, "not")) == b""
        refused(query, field(1, "broken"), "ABORTED: Query reference value: broken")
        assert channel.unary_unary(RVPS + "RegisterReferenceValue")(field(1, "{}")) == b""
        assert provider.asked[-1] == b"{}"
        policy = 'package policy\ntrust_claims := {"hardware": 2} if { "here" in query_reference_value("there") }\n'
        policy += 'else := {"hardware": 97}\n'
        channel.unary_unary(AS + "SetAttestationPolicy")(field(1, "rv_cpu") + field(2, b64url(policy.encode())))
        one = field(1, "sample") + field(3, evidence("{}")) + field(5, "{}")
        token = fields(channel.unary_unary(AS + "AttestationEvaluate")(field(1, one) + field(2, "rv")))[0][1]
        assert b'"affirming"' in base64.urlsafe_b64decode(token.split(b".")[1] + b"==")
    server.stop(None)


try:
    open(directory + "/rvps.toml", "w").close()
    with grpc.insecure_channel(target(start("rvps", "-c", "rvps.toml", "-a", "127.0.0.1:0", "--data-dir", "values"))) as channel:
        values(channel)
        health(channel, "reference.ReferenceValueProviderService")
    with grpc.insecure_channel(target(start("grpc-as", "--sample-tee", "-s", "127.0.0.1:0", "--data-dir", "as"))) as channel:
        attestation(channel)
        values(channel)
        health(channel, "attestation.AttestationService")
    theirs()
finally:
    for p in running:
        p.terminate()
        assert p.wait(15) == 0
print("ok")
