/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups as an operator writes them: a name, or a number that is an id. */
#ifndef VS_BASE_USERS_H
#define VS_BASE_USERS_H

#include "base/error.h"

/* VS_E_INVALID when there is none of that name. */
VS_MUST vs_code vs_user_id(const char *text, uint32_t *out, vs_error *err);
VS_MUST vs_code vs_group_id(const char *text, uint32_t *out, vs_error *err);

#endif
