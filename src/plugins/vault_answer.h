/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what Vault answers. For vault.c, its tests and its fuzz target. */
#ifndef VS_PLUGINS_VAULT_ANSWER_H
#define VS_PLUGINS_VAULT_ANSWER_H

#include "base/buf.h"

enum { VAULT_ANSWER_MAX = 8 * 1024 * 1024, VAULT_VALUE_MAX = 1024 * 1024 };

/* The secret of a KV answer: member "data" of what is stored, a text or an array of bytes; any
 * other JSON as its text (kbs.md 8.4). VS_E_NOT_FOUND: version 2 says that it was deleted. */
VS_MUST vs_code vault_value(vs_span answer, int kv_version, vs_buf *out, vs_error *err);
/* What is sent to store `value`. */
void vault_body(vs_span value, int kv_version, vs_buf *out);
/* The first text of "errors" or "warnings", for an error sentence; "" when there is none. */
void vault_complaint(vs_span answer, char out[200]);

#endif
