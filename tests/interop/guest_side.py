#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""grpcio and Google's protobuf as the client of our agent and hub:
    guest_side.py AGENT HUB SECRET-PATH SECRET-FILE
AGENT and HUB are host:port. The messages are made from the tables of fields of the guest components'
services, not from files of this project."""
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TYPES = {"string": 9, "bytes": 12, "uint64": 4, "enum": 5}  # an enumeration is an int32 on the wire
MESSAGES = {
    "attestation_agent": {
        "Empty": [],
        "GetEvidenceRequest": [("RuntimeData", 1, "bytes")],
        "GetEvidenceResponse": [("Evidence", 1, "bytes")],
        "GetTokenRequest": [("TokenType", 1, "string")],
        "GetTokenResponse": [("Token", 1, "bytes")],
        "ExtendRequest": [("Domain", 1, "string"), ("Operation", 2, "string"), ("Content", 3, "string"),
                          ("RegisterIndex", 4, "uint64")],
        "ExtendResponse": [("Result", 1, "enum")],
        "BindInitDataRequest": [("Digest", 1, "bytes")],
        "GetTeeTypeResponse": [("tee", 1, "string")],
        "GetAdditionalTeesResponse": [("additional_tees", 1, "string*")],
    },
    "api": {
        "GetResourceRequest": [("ResourcePath", 1, "string")],
        "GetResourceResponse": [("Resource", 1, "bytes")],
        "UnsealSecretInput": [("secret", 1, "bytes")],
        "UnsealSecretOutput": [("plaintext", 1, "bytes")],
        "SecureMountRequest": [("volume_type", 1, "string"), ("flags", 3, "string*"), ("mount_point", 4, "string")],
        "ImagePullRequest": [("image_url", 1, "string"), ("bundle_path", 2, "string")],
        "Empty": [],
    },
    "keyprovider": {
        "Input": [("KeyProviderKeyWrapProtocolInput", 1, "bytes")],
        "Output": [("KeyProviderKeyWrapProtocolOutput", 1, "bytes")],
    },
}


def make_messages():
    pool = descriptor_pool.DescriptorPool()
    made = {}
    for package, messages in MESSAGES.items():
        file = descriptor_pb2.FileDescriptorProto(name=package + ".proto", package=package, syntax="proto3")
        for name, fields in messages.items():
            message = file.message_type.add(name=name)
            for field, number, kind in fields:
                repeated = kind.endswith("*")
                message.field.add(name=field, number=number, type=TYPES[kind.rstrip("*")], label=3 if repeated else 1)
        pool.Add(file)
        for name in messages:
            descriptor = pool.FindMessageTypeByName(package + "." + name)
            get = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
            made[package + "." + name] = get(descriptor)
    return made


M = make_messages()


def method(channel, path, request, response):
    return channel.unary_unary(path, request_serializer=M[request].SerializeToString,
                               response_deserializer=M[response].FromString)


def failure(call, request):
    try:
        call(request, timeout=30)
    except grpc.RpcError as e:
        return e.code(), e.details()
    raise AssertionError("the call did not fail")


def agent(channel):
    def of(name, request, response):
        path = "/attestation_agent.AttestationAgentService/" + name
        return method(channel, path, "attestation_agent." + request, "attestation_agent." + response)

    empty = M["attestation_agent.Empty"]()
    tee = of("GetTeeType", "Empty", "GetTeeTypeResponse")
    assert tee(empty).tee == "cca"
    assert not of("GetAdditionalTees", "Empty", "GetAdditionalTeesResponse")(empty).additional_tees

    ask = M["attestation_agent.GetEvidenceRequest"]
    evidence = of("GetEvidence", "GetEvidenceRequest", "GetEvidenceResponse")
    token = json.loads(evidence(ask(RuntimeData=b"\0challenge\xff")).Evidence)["token"]
    assert b"\0challenge\xff" in bytes(token)
    code, text = failure(evidence, ask(RuntimeData=b"x" * 65))
    assert code == grpc.StatusCode.INTERNAL and "get evidence failed" in text, (code, text)
    more = of("GetAdditionalEvidence", "GetEvidenceRequest", "GetEvidenceResponse")
    assert more(ask(RuntimeData=b"x")).Evidence == b""

    want = M["attestation_agent.GetTokenRequest"]
    tokens = of("GetToken", "GetTokenRequest", "GetTokenResponse")
    kbs = json.loads(tokens(want(TokenType="kbs"), timeout=60).Token)
    assert kbs["token"].count(".") == 2 and "PRIVATE KEY" in kbs["tee_keypair"]
    code, text = failure(tokens, want(TokenType="other"))
    assert code == grpc.StatusCode.INTERNAL and "get token failed" in text, (code, text)

    event = M["attestation_agent.ExtendRequest"]
    extend = of("ExtendRuntimeMeasurement", "ExtendRequest", "ExtendResponse")
    # A realm has no registers that the agent could extend: NOT_SUPPORTED, which is an answer.
    assert extend(event(Domain="d", Operation="o", Content="c", RegisterIndex=3)).Result == 1
    assert extend(event(Domain="d", Operation="o", Content="c")).Result == 1
    code, text = failure(extend, event(Domain="two words", Operation="o", Content="c"))
    assert code == grpc.StatusCode.INTERNAL and "extend runtime measurement failed" in text, (code, text)
    bind = of("BindInitData", "BindInitDataRequest", "Empty")
    code, text = failure(bind, M["attestation_agent.BindInitDataRequest"](Digest=b"x" * 32))
    assert code == grpc.StatusCode.INTERNAL and "binding init data failed" in text, (code, text)
    code, _ = failure(of("UpdateConfiguration", "Empty", "Empty"), empty)
    assert code == grpc.StatusCode.UNIMPLEMENTED, code
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: tee(empty).tee, range(200))) == {"cca"}


def hub(channel, path, secret):
    get = method(channel, "/api.GetResourceService/GetResource", "api.GetResourceRequest", "api.GetResourceResponse")
    ask = M["api.GetResourceRequest"]
    with ThreadPoolExecutor(8) as pool:
        for got in pool.map(lambda _: get(ask(ResourcePath="kbs:///" + path), timeout=60), range(20)):
            assert got.Resource == secret
    for bad in ("kbs:///no/such/one", "http://x/a/b/c", ""):
        code, text = failure(get, ask(ResourcePath=bad))
        assert code == grpc.StatusCode.INTERNAL and text.startswith("[CDH] [ERROR]: Get Resource failed"), (code, text)
    unseal = method(channel, "/api.SealedSecretService/UnsealSecret", "api.UnsealSecretInput", "api.UnsealSecretOutput")
    code, text = failure(unseal, M["api.UnsealSecretInput"](secret=b"sealed.not.a.secret"))
    assert code == grpc.StatusCode.INTERNAL and text.startswith("[CDH] [ERROR]: Unseal Secret failed"), (code, text)
    unwrap = method(channel, "/keyprovider.KeyProviderService/UnWrapKey", "keyprovider.Input", "keyprovider.Output")
    code, _ = failure(unwrap, M["keyprovider.Input"](KeyProviderKeyWrapProtocolInput=b"{}"))
    assert code == grpc.StatusCode.INTERNAL, code
    mount = method(channel, "/api.SecureMountService/SecureMount", "api.SecureMountRequest", "api.Empty")
    code, _ = failure(mount, M["api.SecureMountRequest"](volume_type="block-device", flags=["a", "b"]))
    assert code == grpc.StatusCode.PERMISSION_DENIED, code
    pull = method(channel, "/api.ImagePullService/PullImage", "api.ImagePullRequest", "api.Empty")
    assert failure(pull, M["api.ImagePullRequest"](image_url="x"))[0] == grpc.StatusCode.UNIMPLEMENTED


agent_address, hub_address, secret_path, secret_file = sys.argv[1:]
with grpc.insecure_channel(agent_address) as c:
    agent(c)
with grpc.insecure_channel(hub_address) as c:
    hub(c, secret_path, open(secret_file, "rb").read())
print("ok")
