/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions on RE2: linear time in the text, Go's syntax. A compiled pattern is immutable
 * and may be shared by threads. No exception leaves these functions.
 */
#ifndef VS_REGO_REGEX_RE2_H
#define VS_REGO_REGEX_RE2_H

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>
extern "C" {
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

enum { REGO_PATTERN_MAX = 4096, REGO_GROUPS_MAX = 64, REGO_REPEAT_MAX = 1000 };

typedef struct rego_regex rego_regex;
typedef struct rego_match {
    bool set;
    size_t start, end; /* bytes */
} rego_match;

/* NULL on a bad pattern, with the reason in `why`. */
rego_regex *rego_regex_new(const char *pattern, size_t n, char *why, size_t why_cap);
void rego_regex_delete(rego_regex *r);
/* Capturing groups, the whole match included. */
int rego_regex_groups(const rego_regex *r);
/* The leftmost match at or behind byte `from`; groups[0] is the whole match. */
bool rego_regex_match(const rego_regex *r, const char *s, size_t n, size_t from, rego_match *groups,
                      int n_groups);
/* Steps to charge for matching a text of n bytes: where RE2 needs the groups, or its automaton
 * grows too large, each byte costs as much as the pattern is large. */
uint64_t rego_regex_cost(const rego_regex *r, size_t n);
/* Number of a named group, -1 when there is none. */
int rego_regex_group_named(const rego_regex *r, const char *name, size_t n);

#ifdef __cplusplus
}
#endif

#endif
