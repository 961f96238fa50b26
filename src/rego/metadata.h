/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations: "# METADATA" comments in YAML above packages and rules (rego.md 5.7). */
#ifndef VS_REGO_METADATA_H
#define VS_REGO_METADATA_H

#include "rego/compile.h"

/* Finds the annotations of a parsed module; a malformed one is a parse error. */
void read_annotations(compilation *c, module *m);
/* What rego.metadata.rule() and rego.metadata.chain() are inside a definition. */
vs_val metadata_rule(const compiler *k, const def *d);
vs_val metadata_chain(const compiler *k, const def *d);

#endif
