/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax tree of a module in the JSON form of OPA (rego.parse_module). */
#ifndef VS_REGO_MODULE_JSON_H
#define VS_REGO_MODULE_JSON_H

#include "rego/ast.h"

/* Of a tree that was parsed for this (tree_only), before names are resolved; the wildcards in it
 * get their numbers. Undefined when c's arena has failed: too large, or nested too deeply for a
 * value. */
vs_val module_json(compilation *c, const module *m);

#endif
