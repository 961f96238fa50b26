/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases of the public suites that are not met, each with its reason (docs/rego.md has the same
 * list). All are regorus cases that contradict an OPA case or rego.md; one that passes is an error
 * here.
 */
#ifndef TESTS_REGO_EXCEPTIONS_H
#define TESTS_REGO_EXCEPTIONS_H

#define RVM      "the interpreter suite wants what this case wants refused"
#define EXACT    "decimals are exact here; regorus computes with doubles"
#define GO       "OPA formats as Go's fmt does"
#define INTEGRAL "an integral float is the integer (rego.md 1.2)"

static const struct {
    const char *note, *reason;
    const char *text; /* in the first module, where a note is not unique */
} exceptions[] = {
    {"partial_object_constant_key_unsupported_in_rvm", RVM},
    {"partial_object_constant_key_explicit_value_unsupported_in_rvm", RVM},
    {"partial_object_multilevel_key_unsupported_in_rvm", RVM},
    {"partial_object_multilevel_key_explicit_value_unsupported_in_rvm", RVM},
    {"partial_object_hidden_dynamic_prefix_unsupported_in_rvm", RVM},
    {"partial_object_dynamic_prefix_static_suffix_unsupported_in_rvm", RVM},
    {"partial_object_literal_prefix_nested_unsupported_in_rvm", RVM},
    {"partial_object_with_body_unsupported_in_rvm", RVM},
    {"float-precision", EXACT},
    {"div", EXACT},
    {"integral float too large to convert", INTEGRAL},
    {"array-form path rejects an integral float index", INTEGRAL},
    {"numeric formatting", GO},
    {"error cases", GO},
    {"without-timezone-and-format", "RFC3339Nano has no trailing zeros in OPA"},
    {"with-timezone-and-no-format", "RFC3339Nano has no trailing zeros in OPA"},
    {"order", "OPA sorts sets behind objects (rego.md 1.1)"},
    {"semver.compare wrong arg1 type", "semver.is_valid of a number is false in OPA",
     "semver.is_valid"},
    {"overload error does not leak callee module imports",
     "conflicts end the evaluation in every mode (rego.md 8)"},
    {"blocked-nested-quantifiers",
     "548 repetitions; the limit is 1000, as many as one quantifier may ask for"},
};

#undef RVM
#undef EXACT
#undef GO
#undef INTEGRAL

#endif
