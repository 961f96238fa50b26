/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

#include "rego/yaml_text.h"

/* The reader of Rego's YAML built-ins: aliases count as the whole they stand for. */
vs_code config_parse_yaml(vs_span text, vs_arena *a, vs_val *out, vs_error *err)
{
    uint64_t steps = 10000000;
    rego_bctx b = {.a = a, .steps = &steps};
    switch (rego_yaml_parse(&b, text, out)) {
    case REGO_B_OK: return VS_OK;
    case REGO_B_LIMIT: return vs_fail(err, VS_E_LIMIT, "the file is too large or too deep");
    default: return vs_fail(err, VS_E_PARSE, "%s", b.message);
    }
}
