/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of json.filter, json.remove and json.patch: "a/b" with the escapes of RFC 6901, or an array
 * of steps of any kind. */
#ifndef VS_REGO_JSON_PATH_H
#define VS_REGO_JSON_PATH_H

#include "value/value.h"

enum { REGO_PATH_MAX = 200 };

/* The steps as an array on the arena; false when `path` is of another kind. Undefined *out: out of
 * memory. */
bool rego_json_path(vs_arena *a, vs_val path, vs_val *out);

#endif
