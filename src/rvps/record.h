/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stored form of a reference value (attestation-service.md 8.3): Trustee's members, and after
 * them ours, which Trustee passes over. "not_before" is there only where a message sets it, so a
 * record that Trustee reads is one that we would hand out, but for that.
 */
#ifndef VS_RVPS_RECORD_H
#define VS_RVPS_RECORD_H

#include "rvps/rvps.h"

#define RVPS_NAMESPACE "reference_value"
#define RVPS_VERSION   "0.1.0"

/* A record's key is its name. The one form of name that the store's grammar excludes and that is
 * recommended (8.8), "rvps:///a/b:tag", is kept under "rvps:/a/b:tag"; so that no two names share a
 * key, other names that start with "rvps:/" are not allowed: false. */
bool rvps_key_of(vs_arena *a, vs_span name, vs_span *key);
vs_span rvps_name_of(vs_arena *a, vs_span key);

void rvps_record_write(vs_buf *out, const rvps_entry *e);
/* `valid` is left alone. The entry points into `text`. */
VS_MUST vs_code rvps_record_read(vs_arena *a, vs_span text, vs_span id, rvps_entry *out,
                                 vs_error *err);

#endif
