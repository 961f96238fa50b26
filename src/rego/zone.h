/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones from the system's files. */
#ifndef VS_REGO_ZONE_H
#define VS_REGO_ZONE_H

#include "base/error.h"
#include "base/span.h"
#include "rego/civil.h"

typedef struct rego_zone {
    int32_t offset; /* seconds east of UTC */
    char name[16];  /* "PDT"; empty for a bare offset */
} rego_zone;

/* The files read last, at most 8 of at most 64 KiB; one per evaluation, so that no file is read
 * twice. NULL until the first. */
typedef struct rego_zones rego_zones;
void rego_zones_free(rego_zones **z);

/* True when rego_zone_at reads no file. */
bool rego_zone_is_at_hand(const rego_zones *z, vs_span name);
/* The offset in force at a moment: "" and "UTC", "Local" (UTC here: evaluation does not depend on
 * the machine), or an IANA name whose file is on the system. VS_E_NOT_FOUND when there is none,
 * VS_E_NOMEM. */
VS_MUST vs_code rego_zone_at(rego_zones **z, vs_span name, int64_t seconds, rego_zone *out);

#endif
