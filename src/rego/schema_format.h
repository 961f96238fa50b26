/* SPDX-License-Identifier: Apache-2.0 */
/* The "format" keyword of JSON Schema. */
#ifndef VS_REGO_SCHEMA_FORMAT_H
#define VS_REGO_SCHEMA_FORMAT_H

#include "rego/builtin.h"

/* Unknown formats accept everything. Only limits are errors. */
rego_bres schema_format_check(rego_bctx *b, vs_span format, vs_span text, bool *good);

#endif
