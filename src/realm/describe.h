/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a realm's directory have in common. Inside src/realm, except for the names of
 * lifecycle states. */
#ifndef VS_REALM_DESCRIBE_H
#define VS_REALM_DESCRIBE_H

#include "realm/realm.h"

enum { REALM_FILE_MAX = 1024 * 1024 };

/* Stands in every file with keys or endorsements. */
static const char realm_note[] =
    "TEST DEVICE of vouchsafe: proves nothing, never trust it outside tests";

vs_val realm_hex(vs_arena *a, vs_span s);
/* An array with one object, which is ended. */
vs_val realm_list_of_one(vs_obj *entry);
vs_val realm_components_value(vs_arena *a, const realm_spec *spec);
vs_val realm_rems_value(vs_arena *a, const realm_spec *spec);
/* Prints a document that was built on `a`, with a line feed. */
VS_MUST vs_code realm_print(const vs_arena *a, vs_val v, vs_buf *json, vs_error *err);
/* The lowest value of claim 2395 with the state of this name. VS_E_INVALID for other names. */
VS_MUST vs_code realm_lifecycle_of(vs_span name, uint16_t *out, vs_error *err);

#endif
