# SPDX-License-Identifier: Apache-2.0
"""librego through ctypes: just what the comparison with OPA needs."""
import ctypes as c
import json
from decimal import Decimal

TIME = 1700000000123456789


class Source(c.Structure):
    _fields_ = [("name", c.c_char_p), ("text", c.c_char_p), ("size", c.c_size_t), ("v0", c.c_bool)]


class Config(c.Structure):
    _fields_ = [("functions", c.c_void_p), ("n_functions", c.c_size_t), ("lenient", c.c_bool),
                ("strict_types", c.c_bool), ("legacy_not", c.c_bool), ("query", c.c_char_p)]


class Failure(c.Structure):
    _fields_ = [("code", c.c_char * 32), ("file", c.c_char * 128), ("row", c.c_uint32),
                ("col", c.c_uint32), ("message", c.c_char * 768), ("excerpt", c.c_char * 512)]


SOLUTION = c.CFUNCTYPE(c.c_bool, c.c_void_p, c.c_void_p, c.c_void_p)


def number(text):
    return Decimal(text)


def loads(text):
    return json.loads(text, parse_float=number, parse_int=number)


class Librego:
    def __init__(self, path):
        self.lib = lib = c.CDLL(path)
        lib.rego_policy_new.argtypes = [c.POINTER(Source), c.c_size_t, c.POINTER(Config),
                                        c.POINTER(c.c_void_p), c.POINTER(Failure)]
        lib.rego_policy_free.argtypes = [c.c_void_p]
        lib.rego_context_new.restype = c.c_void_p
        lib.rego_context_new.argtypes = [c.c_void_p]
        lib.rego_context_free.argtypes = [c.c_void_p]
        lib.rego_set_time.argtypes = [c.c_void_p, c.c_int64]
        for name in ("rego_set_input", "rego_set_data"):
            getattr(lib, name).argtypes = [c.c_void_p, c.c_char_p, c.c_size_t, c.POINTER(Failure)]
        lib.rego_evaluate_query.argtypes = [c.c_void_p, SOLUTION, c.c_void_p, c.POINTER(Failure)]
        lib.rego_json.restype = c.c_char_p
        lib.rego_json.argtypes = [c.c_void_p, c.c_void_p]

    def run(self, case):
        """{"results": [bindings]} or {"error": {"code", "message"}}, as the oracle answers."""
        lib, why, policy = self.lib, Failure(), c.c_void_p()
        texts = [m.encode() for m in case["modules"]]
        v0 = case.get("v0", False)
        sources = (Source * max(1, len(texts)))(
            *[Source(b"m%d.rego" % i, t, len(t), v0) for i, t in enumerate(texts)])
        config = Config(lenient=not case.get("strict", False), strict_types=True,
                        legacy_not=True, query=case["query"].encode())
        if lib.rego_policy_new(sources, len(texts), config, c.byref(policy), c.byref(why)):
            return failed("compile", why)
        context = lib.rego_context_new(policy)
        try:
            return self.evaluate(context, case, why)
        finally:
            lib.rego_context_free(context)
            lib.rego_policy_free(policy)

    def evaluate(self, context, case, why):
        lib, results = self.lib, []

        def solution(_user, bindings, _values):
            results.append(loads(lib.rego_json(context, bindings).decode()))
            return True

        lib.rego_set_time(context, TIME)
        data = json.dumps(case.get("data", {})).encode()
        if lib.rego_set_data(context, data, len(data), c.byref(why)):
            return failed("eval", why)
        if "input" in case:
            text = json.dumps(case["input"]).encode()
            if lib.rego_set_input(context, text, len(text), c.byref(why)):
                return failed("eval", why)
        if lib.rego_evaluate_query(context, SOLUTION(solution), None, c.byref(why)):
            return failed("eval", why)
        return {"results": results}


def failed(stage, why):
    return {"error": {"stage": stage, "code": why.code.decode(), "message": why.message.decode()}}
