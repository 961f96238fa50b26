package p.q
import rego.v1
import input.a as b
default x := {"k": [1, -2.5e1, null, true, set(), `raw`]}
x := {v: w | some v, w in input.xs; not v in {1, 2}} if {
	every k, v in b.ys { v > 1 }
	[y, {"a": z}] = input.p with input.q as 1 with data.r as 2
	y + z * 2 - 1 >= count(input.l[_])
} else := $"t{input.x}" if true
f(a, [c, _]) := a | c & a
s contains m if m := input.ms[_].k
t[k].u := v if some k, v in input
