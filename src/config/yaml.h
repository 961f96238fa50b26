/* SPDX-License-Identifier: Apache-2.0 */
/* YAML for configuration files; programs of the guest are built without (no_yaml.c). */
#ifndef VS_CONFIG_YAML_H
#define VS_CONFIG_YAML_H

#include "value/value.h"

VS_MUST vs_code config_parse_yaml(vs_span text, vs_arena *a, vs_val *out, vs_error *err);

#endif
