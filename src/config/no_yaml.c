/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

vs_code config_parse_yaml(vs_span text, vs_arena *a, vs_val *out, vs_error *err)
{
    (void)text;
    (void)a;
    (void)out;
    return vs_fail(err, VS_E_UNSUPPORTED, "this program reads TOML and JSON, no YAML");
}
