/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as values and back, with the types that Go's YAML library finds in plain scalars. */
#ifndef VS_REGO_YAML_TEXT_H
#define VS_REGO_YAML_TEXT_H

#include "rego/builtin.h"

/* The first document; the others must be good as well. Aliases count as the whole they stand for,
 * so a small text cannot become a huge value: REGO_B_LIMIT. */
rego_bres rego_yaml_parse(rego_bctx *b, vs_span text, vs_val *out);
/* Block style; keys in their natural order, a9 before a10. The text is Go's. */
rego_bres rego_yaml_print(rego_bctx *b, vs_val v, vs_buf *out);

#endif
