# SPDX-License-Identifier: Apache-2.0
"""An external plugin: answers with a key made of a master key and the path that was asked for.

    protoc -I proto --python_out=. proto/plugin.proto
    python3 plugin.py 127.0.0.1:50051

GET /kbs/v0/external/<name>/key/<anything> is for attested machines that the resource policy allows,
and is encrypted to them; POST .../rotate is for administrators. Prints "ready PORT".
"""
import concurrent.futures
import hashlib
import hmac
import os
import sys

import grpc
import plugin_pb2 as pb

master = os.urandom(32)


def handle(request, context):
    global master
    path = list(request.path)
    if request.method == "POST" and path == ["rotate"]:
        master = os.urandom(32)
        return pb.PluginResponse(body=b"rotated", status_code=200)
    if request.method == "GET" and len(path) > 1 and path[0] == "key":
        name = "/".join(path[1:]).encode()
        return pb.PluginResponse(body=hmac.new(master, name, hashlib.sha256).hexdigest().encode())
    return pb.PluginResponse(status_code=404)


def validate_auth(request, context):  # called before anybody is authorised: decide on the method only
    return pb.ValidateAuthResponse(requires_admin_auth=request.method != "GET")


def needs_encryption(request, context):
    return pb.NeedsEncryptionResponse(requires_payload_encryption=True)


def unary(function, request_type):
    return grpc.unary_unary_rpc_method_handler(function, request_type.FromString,
                                               lambda message: message.SerializeToString())


server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("kbs.plugin.v1.KbsPlugin", {
    "Handle": unary(handle, pb.PluginRequest),
    "ValidateAuth": unary(validate_auth, pb.ValidateAuthRequest),
    "NeedsEncryption": unary(needs_encryption, pb.NeedsEncryptionRequest),
}),))
port = server.add_insecure_port(sys.argv[1])
server.start()
print("ready", port, flush=True)
server.wait_for_termination()
