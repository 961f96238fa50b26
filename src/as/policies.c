/* SPDX-License-Identifier: Apache-2.0 */
#include "as/policies.h"

#include "policies_text.h"

#define ENTRY(name) {#name, {name##_text, sizeof name##_text}},

vs_span vs_policy_text(const char *name)
{
    static const struct {
        const char *name;
        vs_span text;
    } policies[] = {EMBEDDED(ENTRY)};

    for (size_t i = 0; i < VS_COUNT(policies); i++) {
        if (strcmp(policies[i].name, name) == 0)
            return policies[i].text;
    }
    return (vs_span){NULL, 0};
}
