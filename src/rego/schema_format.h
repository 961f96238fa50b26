/* SPDX-License-Identifier: Apache-2.0 */
/* The "format" keyword of JSON Schema. */
#ifndef VS_REGO_SCHEMA_FORMAT_H
#define VS_REGO_SCHEMA_FORMAT_H

#include "rego/builtin.h"

/* Unknown formats accept everything. */
bool schema_format_ok(rego_bctx *b, vs_span format, vs_span text);

#endif
