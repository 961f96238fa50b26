/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of the builtins that have no file of their own here. */
#include "expressions.h"

static void operators_are_functions_too(void **state)
{
    (void)state;
    CHECK_ANSWERS({"plus(1, 2)", "3"}, {"equal(1, 1.0)", "true"}, {"and({1, 2}, {2})", "{2}"},
                  {"div(1, 0)", "!eval_builtin_error: divide by zero"},
                  {"minus(\"a\", 1)", "!eval_type_error: operand 1 must be"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_are_functions_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
