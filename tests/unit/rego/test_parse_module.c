/* SPDX-License-Identifier: Apache-2.0 */
/* rego.parse_module: trees as OPA 1.22 gives them, its errors, and what is too large. */
#include "expressions.h"

#include "rego/builtins.h"
#include "value/json.h"

typedef struct row {
    const char *module, *tree; /* without the package, where that is `a` */
} row;

/* clang-format off */
static const row rows[] = {
    {"package a\np := {3,1,\"a\",2}\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"set\",\"value\":[{\"type\":\"number\",\"value\":1},{\"type\":\"number\",\"value\":2},{\"type\":\"number\",\"value\":3},{\"type\":\"string\",\"value\":\"a\"}]}}}]}"},
    {"package a\nx.y := 1\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"key\":{\"type\":\"string\",\"value\":\"y\"},\"name\":\"x\",\"ref\":[{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"string\",\"value\":\"y\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a\nx.y if true\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"ref\":[{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"string\",\"value\":\"y\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\nx[y] if y := 1\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]},{\"type\":\"var\",\"value\":\"y\"},{\"type\":\"number\",\"value\":1}]}],\"head\":{\"key\":{\"type\":\"var\",\"value\":\"y\"},\"ref\":[{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"var\",\"value\":\"y\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\nx[y].z contains 1 if y := 1\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]},{\"type\":\"var\",\"value\":\"y\"},{\"type\":\"number\",\"value\":1}]}],\"head\":{\"key\":{\"type\":\"number\",\"value\":1},\"ref\":[{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"var\",\"value\":\"y\"},{\"type\":\"string\",\"value\":\"z\"}]}}]}"},
    {"package a\nx[y] = 1 if y := 1\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]},{\"type\":\"var\",\"value\":\"y\"},{\"type\":\"number\",\"value\":1}]}],\"head\":{\"key\":{\"type\":\"var\",\"value\":\"y\"},\"name\":\"x\",\"ref\":[{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"var\",\"value\":\"y\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a\nf(_, x.y, 1+x) if { _ = [_, _]; some _ }\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"eq\"}]},{\"type\":\"var\",\"value\":\"$1\"},{\"type\":\"array\",\"value\":[{\"type\":\"var\",\"value\":\"$2\"},{\"type\":\"var\",\"value\":\"$3\"}]}]},{\"index\":1,\"terms\":{\"symbols\":[{\"type\":\"var\",\"value\":\"$4\"}]}}],\"head\":{\"args\":[{\"type\":\"var\",\"value\":\"$0\"},{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"string\",\"value\":\"y\"}]},{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"plus\"}]},{\"type\":\"number\",\"value\":1},{\"type\":\"var\",\"value\":\"x\"}]}],\"name\":\"f\",\"ref\":[{\"type\":\"var\",\"value\":\"f\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if f(x) with data.a.f as data.b.g\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"f\"}]},{\"type\":\"var\",\"value\":\"x\"}],\"with\":[{\"target\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"data\"},{\"type\":\"string\",\"value\":\"a\"},{\"type\":\"string\",\"value\":\"f\"}]},\"value\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"data\"},{\"type\":\"string\",\"value\":\"b\"},{\"type\":\"string\",\"value\":\"g\"}]}}]}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if { x = 1; y == 2; z := 3; x < 1 with input as 1 with data.foo as 2 }\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"eq\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"number\",\"value\":1}]},{\"index\":1,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"equal\"}]},{\"type\":\"var\",\"value\":\"y\"},{\"type\":\"number\",\"value\":2}]},{\"index\":2,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]},{\"type\":\"var\",\"value\":\"z\"},{\"type\":\"number\",\"value\":3}]},{\"index\":3,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"lt\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"number\",\"value\":1}],\"with\":[{\"target\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"}]},\"value\":{\"type\":\"number\",\"value\":1}},{\"target\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"data\"},{\"type\":\"string\",\"value\":\"foo\"}]},\"value\":{\"type\":\"number\",\"value\":2}}]}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\ndefault f(x) := 1\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"default\":true,\"head\":{\"args\":[{\"type\":\"var\",\"value\":\"x\"}],\"assign\":true,\"name\":\"f\",\"ref\":[{\"type\":\"var\",\"value\":\"f\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a\ndefault p\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"default\":true,\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if { every k, v in input { v } }\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"body\":[{\"index\":0,\"terms\":{\"type\":\"var\",\"value\":\"v\"}}],\"domain\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"}]},\"key\":{\"type\":\"var\",\"value\":\"k\"},\"value\":{\"type\":\"var\",\"value\":\"v\"}}}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\nr := data.x[input][_]\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"r\",\"ref\":[{\"type\":\"var\",\"value\":\"r\"}],\"value\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"data\"},{\"type\":\"string\",\"value\":\"x\"},{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"}]},{\"type\":\"var\",\"value\":\"$0\"}]}}}]}"},
    {"package a\nt := f(1).x\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"t\",\"ref\":[{\"type\":\"var\",\"value\":\"t\"}],\"value\":{\"type\":\"ref\",\"value\":[{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"f\"}]},{\"type\":\"number\",\"value\":1}]},{\"type\":\"string\",\"value\":\"x\"}]}}}]}"},
    {"package a\nq if { some x in [1]; some a, b in c; some d }\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"symbols\":[{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"internal\"},{\"type\":\"string\",\"value\":\"member_2\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"array\",\"value\":[{\"type\":\"number\",\"value\":1}]}]}]}},{\"index\":1,\"terms\":{\"symbols\":[{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"internal\"},{\"type\":\"string\",\"value\":\"member_3\"}]},{\"type\":\"var\",\"value\":\"a\"},{\"type\":\"var\",\"value\":\"b\"},{\"type\":\"var\",\"value\":\"c\"}]}]}},{\"index\":2,\"terms\":{\"symbols\":[{\"type\":\"var\",\"value\":\"d\"}]}}],\"head\":{\"name\":\"q\",\"ref\":[{\"type\":\"var\",\"value\":\"q\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\nq if { false } else if { true } else := x if y\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":false}}],\"else\":{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"else\":{\"body\":[{\"index\":0,\"terms\":{\"type\":\"var\",\"value\":\"y\"}}],\"head\":{\"assign\":true,\"name\":\"q\",\"ref\":[{\"type\":\"var\",\"value\":\"q\"}],\"value\":{\"type\":\"var\",\"value\":\"x\"}}},\"head\":{\"name\":\"q\",\"ref\":[{\"type\":\"var\",\"value\":\"q\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}},\"head\":{\"name\":\"q\",\"ref\":[{\"type\":\"var\",\"value\":\"q\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np := {[x | x := 1], f(x), x.y, {1}, {\"a\":1}, [1], x, \"s\", 1, true, null, {x|x := 1}, {x:1|x := 1}, $\"a{x}\"}\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"set\",\"value\":[{\"type\":\"null\",\"value\":{}},{\"type\":\"boolean\",\"value\":true},{\"type\":\"number\",\"value\":1},{\"type\":\"string\",\"value\":\"s\"},{\"type\":\"templatestring\",\"value\":{\"multi_line\":false,\"parts\":[{\"type\":\"string\",\"value\":\"a\"},{\"index\":0,\"terms\":{\"type\":\"var\",\"value\":\"x\"}}]}},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"string\",\"value\":\"y\"}]},{\"type\":\"array\",\"value\":[{\"type\":\"number\",\"value\":1}]},{\"type\":\"object\",\"value\":[[{\"type\":\"string\",\"value\":\"a\"},{\"type\":\"number\",\"value\":1}]]},{\"type\":\"set\",\"value\":[{\"type\":\"number\",\"value\":1}]},{\"type\":\"arraycomprehension\",\"value\":{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"number\",\"value\":1}]}],\"term\":{\"type\":\"var\",\"value\":\"x\"}}},{\"type\":\"objectcomprehension\",\"value\":{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"number\",\"value\":1}]}],\"key\":{\"type\":\"var\",\"value\":\"x\"},\"value\":{\"type\":\"number\",\"value\":1}}},{\"type\":\"setcomprehension\",\"value\":{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"assign\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"number\",\"value\":1}]}],\"term\":{\"type\":\"var\",\"value\":\"x\"}}},{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"f\"}]},{\"type\":\"var\",\"value\":\"x\"}]}]}}}]}"},
    {"package a\np := $\"{input.y with input.y as 1}\"\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"templatestring\",\"value\":{\"multi_line\":false,\"parts\":[{\"index\":0,\"terms\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"},{\"type\":\"string\",\"value\":\"y\"}]},\"with\":[{\"target\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"},{\"type\":\"string\",\"value\":\"y\"}]},\"value\":{\"type\":\"number\",\"value\":1}}]}]}}}}]}"},
    {"package a\np := $\"\"\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"templatestring\",\"value\":{\"multi_line\":false,\"parts\":null}}}}]}"},
    {"package a\np := {\"a\":1,\"a\":2}\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"object\",\"value\":[[{\"type\":\"string\",\"value\":\"a\"},{\"type\":\"number\",\"value\":1}],[{\"type\":\"string\",\"value\":\"a\"},{\"type\":\"number\",\"value\":2}]]}}}]}"},
    {"package a\np := 1 if { true } { false }\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"number\",\"value\":1}}},{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":false}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a\np if {x | y; z}\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"setcomprehension\",\"value\":{\"body\":[{\"index\":0,\"terms\":{\"type\":\"var\",\"value\":\"y\"}},{\"index\":1,\"terms\":{\"type\":\"var\",\"value\":\"z\"}}],\"term\":{\"type\":\"var\",\"value\":\"x\"}}}}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if {1} == {1}\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"equal\"}]},{\"type\":\"set\",\"value\":[{\"type\":\"number\",\"value\":1}]},{\"type\":\"set\",\"value\":[{\"type\":\"number\",\"value\":1}]}]}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if {\"a\"}\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"string\",\"value\":\"a\"}}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if {a: 1}\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"object\",\"value\":[[{\"type\":\"var\",\"value\":\"a\"},{\"type\":\"number\",\"value\":1}]]}}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if {x, y in z}\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"internal\"},{\"type\":\"string\",\"value\":\"member_3\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"var\",\"value\":\"y\"},{\"type\":\"var\",\"value\":\"z\"}]}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np := -x\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"minus\"}]},{\"type\":\"number\",\"value\":0},{\"type\":\"var\",\"value\":\"x\"}]}}}]}"},
    {"package a\np := 2*-x\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"mul\"}]},{\"type\":\"number\",\"value\":2},{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"minus\"}]},{\"type\":\"number\",\"value\":0},{\"type\":\"var\",\"value\":\"x\"}]}]}}}]}"},
    {"package a\np.q := 1 if true else := 2\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"else\":{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"},{\"type\":\"string\",\"value\":\"q\"}],\"value\":{\"type\":\"number\",\"value\":2}}},\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"},{\"type\":\"string\",\"value\":\"q\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a\nf.g(x) := 1\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"args\":[{\"type\":\"var\",\"value\":\"x\"}],\"assign\":true,\"ref\":[{\"type\":\"var\",\"value\":\"f\"},{\"type\":\"string\",\"value\":\"g\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a\nf.g(x) if true\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"args\":[{\"type\":\"var\",\"value\":\"x\"}],\"name\":\"f\",\"ref\":[{\"type\":\"var\",\"value\":\"f\"},{\"type\":\"string\",\"value\":\"g\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np := contains\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"var\",\"value\":\"contains\"}}}]}"},
    {"package a\np if 1 in [1] in [true]\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"internal\"},{\"type\":\"string\",\"value\":\"member_2\"}]},{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"internal\"},{\"type\":\"string\",\"value\":\"member_2\"}]},{\"type\":\"number\",\"value\":1},{\"type\":\"array\",\"value\":[{\"type\":\"number\",\"value\":1}]}]},{\"type\":\"array\",\"value\":[{\"type\":\"boolean\",\"value\":true}]}]}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np := $\"{_}{_}\"\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"templatestring\",\"value\":{\"multi_line\":false,\"parts\":[{\"index\":0,\"terms\":{\"type\":\"var\",\"value\":\"$0\"}},{\"index\":0,\"terms\":{\"type\":\"var\",\"value\":\"$1\"}}]}}}}]}"},
    {"package a\np if true.x\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"true\"},{\"type\":\"string\",\"value\":\"x\"}]}}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\np if (1+2)[0]\n", "{\"rules\":[{\"body\":[{\"index\":0,\"terms\":{\"type\":\"ref\",\"value\":[{\"type\":\"call\",\"value\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"plus\"}]},{\"type\":\"number\",\"value\":1},{\"type\":\"number\",\"value\":2}]},{\"type\":\"number\",\"value\":0}]}}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\nf($\"{x}\") := 1\n", "{\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"args\":[{\"type\":\"templatestring\",\"value\":{\"multi_line\":false,\"parts\":[{\"index\":0,\"terms\":{\"type\":\"var\",\"value\":\"x\"}}]}}],\"assign\":true,\"name\":\"f\",\"ref\":[{\"type\":\"var\",\"value\":\"f\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a\np if { not x == 1 with input as 2 }\n", "{\"rules\":[{\"body\":[{\"index\":0,\"negated\":true,\"terms\":[{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"equal\"}]},{\"type\":\"var\",\"value\":\"x\"},{\"type\":\"number\",\"value\":1}],\"with\":[{\"target\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"}]},\"value\":{\"type\":\"number\",\"value\":2}}]}],\"head\":{\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"boolean\",\"value\":true}}}]}"},
    {"package a\n\n\n#METADATA\n# title: t\np := 1\n  # x\n\t#\n##\n", "{\"comments\":[{\"Location\":{\"col\":1,\"file\":\"a.rego\",\"row\":4},\"Text\":\"TUVUQURBVEE=\"},{\"Location\":{\"col\":1,\"file\":\"a.rego\",\"row\":5},\"Text\":\"IHRpdGxlOiB0\"},{\"Location\":{\"col\":3,\"file\":\"a.rego\",\"row\":7},\"Text\":\"IHg=\"},{\"Location\":{\"col\":2,\"file\":\"a.rego\",\"row\":8},\"Text\":\"\"},{\"Location\":{\"col\":1,\"file\":\"a.rego\",\"row\":9},\"Text\":\"Iw==\"}],\"rules\":[{\"body\":[{\"generated\":true,\"index\":0,\"terms\":{\"type\":\"boolean\",\"value\":true}}],\"head\":{\"assign\":true,\"name\":\"p\",\"ref\":[{\"type\":\"var\",\"value\":\"p\"}],\"value\":{\"type\":\"number\",\"value\":1}}}]}"},
    {"package a.b[\"c d\"]\nimport data.x as y\nimport rego.v1\nimport input.z\n", "{\"imports\":[{\"alias\":\"y\",\"path\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"data\"},{\"type\":\"string\",\"value\":\"x\"}]}},{\"path\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"rego\"},{\"type\":\"string\",\"value\":\"v1\"}]}},{\"path\":{\"type\":\"ref\",\"value\":[{\"type\":\"var\",\"value\":\"input\"},{\"type\":\"string\",\"value\":\"z\"}]}}],\"package\":{\"path\":[{\"type\":\"var\",\"value\":\"data\"},{\"type\":\"string\",\"value\":\"a\"},{\"type\":\"string\",\"value\":\"b\"},{\"type\":\"string\",\"value\":\"c d\"}]}}"},
};
/* clang-format on */

static rego_bres parse(vs_arena *a, vs_span text, vs_val *out, char *message, size_t room)
{
    uint64_t steps = 100 * 1000 * 1000;
    rego_bctx b = {.a = a, .steps = &steps};
    vs_val args[] = {vs_cstring("a.rego"), vs_string(text)};
    rego_bres res = rego_bi_parse_module(&b, args, 2, out);
    (void)snprintf(message, room, "%s", b.message);
    return res;
}

static vs_val without_package(vs_arena *a, vs_val tree)
{
    vs_obj o = {.a = a};
    for (VS_OBJ_FOR (p, tree))
        if (!vs_span_is(vs_text(p->key), "package"))
            vs_obj_add(&o, p->key, p->val);
    return vs_obj_end(&o, VS_DUP_LAST, NULL);
}

static void trees_are_those_of_opa(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        char message[256];
        vs_arena a;
        vs_arena_init(&a, 0);
        vs_val got = vs_undefined(), want;
        vs_json_opts opts = {.dup_last_wins = true};
        rego_bres res = parse(&a, vs_str(rows[i].module), &got, message, sizeof message);
        assert_vs_ok(vs_json_parse(&a, vs_str(rows[i].tree), &opts, &want, NULL), NULL);
        if (!vs_defined(vs_getc(want, "package")))
            got = without_package(&a, got);
        if (res != REGO_B_OK || !vs_eq(got, want)) {
            VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(1 << 20);
            vs_json_print(&text, got);
            fail_msg("%s%s\n%.*s\nwanted\n%s", rows[i].module, message, VS_FMT(vs_buf_span(&text)),
                     rows[i].tree);
        }
        vs_arena_free(&a);
    }
}

static void errors_are_builtin_errors_in_the_words_of_opa(void **state)
{
    (void)state;
    static const struct {
        const char *module, *message;
    } t[] = {
        {"", "a.rego:0: rego_parse_error: empty module"},
        {" \n\t\n", "a.rego:0: rego_parse_error: empty module"},
        {"p := 1", "1 error occurred: a.rego:1: rego_parse_error: package expected"},
        {"package foo.", "1 error occurred: a.rego:1: rego_parse_error: unexpected eof token: "
                         "expected ident"},
        {"package a\np { true }\n", "1 error occurred: a.rego:2: rego_parse_error: `if` keyword is "
                                    "required before rule body"},
        {"package a\nv := \"a\"[0]\n", "illegal ref (head cannot be string)"},
        {"package a\nv := 1[0]\n", "illegal ref (head cannot be number)"},
        {"package a\nv := $\"a\"[0]\n", "illegal ref (head cannot be templatestring)"},
        {"package a\np[x] := 1 if x else := 2\n",
         "else keyword cannot be used on rules with variables in head"},
        {"package a\np if not every x in [1] { x }\n",
         "unexpected every keyword: illegal negation of 'every'"},
        {"package a\np if not some x\n", "unexpected some keyword: illegal negation of 'some'"},
        {"package a\np if x ==\n", "unexpected eof token"},
        {"package a\np if { x == }\n", "unexpected } token"},
        {"package a\np if x; q if y\n", "rego_parse_error"},
        {"package a\np if {x, y}\n", "rego_parse_error"},
        {"package a\np := 1 if { true } { false } else := 2\n", "rego_parse_error"},
        {"package a\np := --x\n", "rego_parse_error"},
        {"package a\np := \"\xff\"\n", "rego_parse_error"},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        char message[256];
        vs_arena a;
        vs_arena_init(&a, 0);
        vs_val got;
        assert_int_equal(parse(&a, vs_str(t[i].module), &got, message, sizeof message),
                         REGO_B_ERROR);
        if (!strstr(message, t[i].message))
            fail_msg("%s: %s", t[i].module, message);
        assert_true(vs_arena_ok(&a));
        vs_arena_free(&a);
    }
}

static void truncated_modules_are_handled(void **state)
{
    (void)state;
    for (size_t i = 0; i < VS_COUNT(rows); i++) {
        vs_span all = vs_str(rows[i].module);
        for (size_t n = 0; n < all.n; n++) {
            char message[256];
            vs_arena a;
            vs_arena_init(&a, 0);
            vs_val got;
            rego_bres res = parse(&a, vs_span_head(all, n), &got, message, sizeof message);
            assert_true(res == REGO_B_OK || res == REGO_B_ERROR);
            vs_arena_free(&a);
        }
    }
}

/* A tree that is too deep for a value, an else chain without end, a budget that is too small. */
static void what_is_too_large_is_a_limit_and_not_an_answer(void **state)
{
    (void)state;
    static const struct {
        const char *before, *again, *after;
        size_t n;
    } t[] = {
        {"package a\np := 1", " + 1", "\n", 900},
        {"package a\np := 1", " if true else := 1", "\n", 100000},
        {"package a\np := ", "[", "1", 100},
    };
    for (size_t i = 0; i < VS_COUNT(t); i++) {
        VS_CLEANUP(vs_buf_free) vs_buf text = VS_BUF(8 << 20);
        char message[256];
        vs_arena a;
        vs_arena_init(&a, 0);
        vs_val got;
        vs_buf_puts(&text, t[i].before);
        for (size_t k = 0; k < t[i].n; k++)
            vs_buf_puts(&text, t[i].again);
        vs_buf_puts(&text, t[i].after);
        assert_int_not_equal(parse(&a, vs_buf_span(&text), &got, message, sizeof message),
                             REGO_B_OK);
        vs_arena_free(&a);
    }
    CHECK_ANSWERS(
        {"count(rego.parse_module(\"a\", \"package a\").package.path)", "2"},
        {"rego.parse_module(\"a\", 1)", "!eval_type_error: operand 2 must be string"},
        {"rego.parse_module(\"a\", concat(\"\", [\"package a\\n\", concat(\"\", [x | some i "
         "in numbers.range(1, 300000); x := \"#123456789\\n\"])]))",
         "!eval_limit_error: limit"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_those_of_opa),
        cmocka_unit_test(errors_are_builtin_errors_in_the_words_of_opa),
        cmocka_unit_test(truncated_modules_are_handled),
        cmocka_unit_test(what_is_too_large_is_a_limit_and_not_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
