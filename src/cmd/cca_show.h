/* SPDX-License-Identifier: Apache-2.0 */
/* CCA tokens and claims for people and as JSON. What is shown is decoded, not proven. */
#ifndef VS_CMD_CCA_SHOW_H
#define VS_CMD_CCA_SHOW_H

#include "cmd/view.h"
#include "tee/cca/token.h"

void cca_show_token(view *v, const cca_token *t);
void cca_show_platform(view *v, const cca_platform *p);
void cca_show_realm(view *v, const cca_realm *r);

/* Members named as in the Go library's JSON (cca.md 1.3, 1.7); byte strings in base64. */
vs_val cca_token_value(vs_arena *a, const cca_token *t);
vs_val cca_platform_value(vs_arena *a, const cca_platform *p);
vs_val cca_realm_value(vs_arena *a, const cca_realm *r);

#endif
