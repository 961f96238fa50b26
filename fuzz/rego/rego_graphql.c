/* SPDX-License-Identifier: Apache-2.0 */
/* "query NUL schema": a query that is valid as text is valid as a value too. */
#include "rego/builtins.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool found;
    vs_span schema, query = vs_span_cut(vs_span_of(data, size), 0, &schema, &found);
    vs_val args[] = {vs_string(query), vs_string(schema)}, parsed, valid;
    vs_arena a;
    vs_arena_init(&a, 16 << 20);
    uint64_t steps = 200000;
    rego_bctx b = {.a = &a, .steps = &steps};
    if (rego_bi_graphql_parse(&b, args, 2, &parsed) == REGO_B_OK) {
        rego_bres res = rego_bi_graphql_is_valid(&b, parsed.u.items, 2, &valid);
        if (res != REGO_B_LIMIT && !(res == REGO_B_OK && vs_is_true(valid)))
            abort();
    }
    (void)rego_bi_graphql_schema_is_valid(&b, args, 1, &valid);
    vs_arena_free(&a);
    return 0;
}
