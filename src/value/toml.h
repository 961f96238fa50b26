/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0 into a vs_val object. Dates and times become strings as written. Errors name line and
 * column. Limits: VS_TOML_MAX bytes, depth 32.
 */
#ifndef VS_VALUE_TOML_H
#define VS_VALUE_TOML_H

#include "value/value.h"

enum { VS_TOML_MAX = 4 * 1024 * 1024 };

VS_MUST vs_code vs_toml_parse(vs_arena *a, vs_span text, vs_val *out, vs_error *err);

#endif
