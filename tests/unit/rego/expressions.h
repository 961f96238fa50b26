/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known answers of expressions, as tables. Each row is a Rego expression and what it must give:
 *   a value as Rego text      "[1, \"a\"]"
 *   "undefined"               the expression has no value
 *   "!code: text"             evaluation stops with that code (eval_type_error, ...) and the
 * message contains `text`; builtin errors are strict
 */
#ifndef TESTS_REGO_EXPRESSIONS_H
#define TESTS_REGO_EXPRESSIONS_H

#include "testing.h"

#include "rego/engine.h"

typedef struct known_answer {
    const char *expression, *want;
} known_answer;

/* now_ns is 1700000000123456789 (2023-11-14T22:13:20.123456789Z), the seed is 1. */
void check_answers(const known_answer *t, size_t n);
/* The same in a v0 query. */
void check_answers_v0(const known_answer *t, size_t n);

#define CHECK_ANSWERS(...)                                                                         \
    do {                                                                                           \
        static const known_answer rows_[] = {__VA_ARGS__};                                         \
        check_answers(rows_, VS_COUNT(rows_));                                                     \
    } while (0)

#endif
